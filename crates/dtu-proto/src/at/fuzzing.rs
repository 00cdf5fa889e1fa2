//! Doors for the fuzz targets in `fuzz/`; no part of the interface.

use alloc::string::String;

use super::bench::Bench;
use super::{LineOutcome, SlowResult, from_store_text, resume, run_line, to_store_text};
use crate::config::Config;
use crate::ids::Origin;

/// Runs a line on a new device, and checks that what it leaves can be stored and read back. The store answers as
/// the line's length says.
///
/// # Panics
/// When the configuration does not come back as it was.
pub fn at_line(line: &[u8]) {
    let mut bench = Bench::default();
    let mut outcome = bench.with(Origin::Serial, |device| run_line(line, device));
    while let LineOutcome::Parked { parked, .. } = outcome {
        let result = if line.len().is_multiple_of(2) {
            Ok(())
        } else {
            Err(String::from("disk full"))
        };
        outcome = bench.with(Origin::Serial, |device| {
            resume(parked, SlowResult::Stored(result), device)
        });
    }
    comes_back(&bench.config);
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
