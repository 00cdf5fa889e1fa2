//! Doors for the fuzz targets in `fuzz/`; no part of the interface.

use alloc::string::String;

use super::stored::blank_status;
use super::{
    Answer, Clock, Context, Ran, Rights, from_store_text, resume, run_line, to_store_text,
};
use crate::config::{Config, Options};
use crate::event::Origin;
use crate::identity::Identity;
use crate::mode::at::AtConnection;
use crate::sms::Mailbox;

/// Runs a line on a new device, and checks that what it leaves can be stored and read back. The store answers as
/// the line's length says.
///
/// # Panics
/// When the configuration does not come back as it was.
pub fn at_line(line: &[u8]) {
    let (mut config, stored) = (Config::default(), Config::default());
    let (mut clock, mut mailbox, mut connection) = (
        Clock::default(),
        Mailbox::default(),
        AtConnection::default(),
    );
    let mut ctx = Context {
        config: &mut config,
        stored: &stored,
        options: &Options::default(),
        identity: &Identity::default(),
        status: &blank_status(),
        clock: &mut clock,
        mailbox: &mut mailbox,
        connection: &mut connection,
        origin: Origin::Serial,
        rights: Rights::Full,
        refusal: &mut None,
    };
    let mut ran = run_line(line, &mut ctx);
    while let Ran::Parked { parked, .. } = ran {
        let answer = if line.len().is_multiple_of(2) {
            Ok(())
        } else {
            Err(String::from("disk full"))
        };
        ran = resume(parked, Answer::Stored(answer), &mut ctx);
    }
    comes_back(&config);
}

/// Reads a stored file, and checks that what it gives can be stored and read back.
///
/// # Panics
/// When the configuration does not come back as it was.
pub fn store_text(text: &str) {
    comes_back(&from_store_text(text).0);
}

fn comes_back(config: &Config) {
    let (back, problems) = from_store_text(&to_store_text(config));
    assert_eq!(problems, []);
    assert_eq!(&back, config);
}
