//! Foreign messages through the whole device, and foreign text as a mailbox. Nothing panics; every message that the
//! device has taken is done with or kept; what is kept can be read back.
//!
//! The first byte chooses the mode. Then: a byte of length, so many octets as a PDU, until they end. Text behind a zero
//! length is the mailbox that the device starts with.
#![no_main]

use bytes::Bytes;
use dtu_proto::config::{Config, Options, WorkingMode};
use dtu_proto::event::{Input, SerialInput};
use dtu_proto::radio::SubmitFailure;
use dtu_proto::testing::Bench;
use dtu_proto::time::{Duration, Instant};
use dtu_proto::{Dtu, Identity};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((mode, data)) = data.split_first() else { return };
    let mut pdus = Vec::new();
    let mut rest = data;
    while let Some((length, behind)) = rest.split_first() {
        rest = behind;
        if *length == 0 {
            break;
        }
        let (pdu, behind) = rest.split_at(usize::from(*length).min(rest.len()));
        pdus.push(Bytes::copy_from_slice(pdu));
        rest = behind;
    }
    let mut dev = start(*mode, &String::from_utf8_lossy(rest));
    for pdu in &pdus {
        dev.brings(pdu);
        dev.wait(1000);
    }
    dev.serial(b"AT+CMGL=4\rAT+CMGF=1\rAT+CMGL=\"ALL\"\rAT+CSDH=1;+CSCS=\"UCS2\"\rAT+CMGL=\"ALL\"\r");
    dev.wait(25 * 3_600_000);
    let mut next = start(*mode, "");
    let problems = next.dtu.restore_messages(&dev.store.messages);
    assert!(problems.is_empty() || dev.store.sets == 0, "{}", dev.store.messages);
    let kept = |dev: &Bench| {
        let status = dev.dtu.status(dev.now).messages;
        (status.stored, status.outgoing)
    };
    assert_eq!(kept(&next), kept(&dev));
});

/// The disk has this mailbox. The network refuses every third message.
fn start(mode: u8, mailbox: &str) -> Bench {
    let mode = match mode % 3 {
        0 => WorkingMode::Sms,
        1 => WorkingMode::AtCommand,
        _ => WorkingMode::Transparent,
    };
    let config = Config { mode, password: "abc".into(), restart_time: 0, ..Config::default() };
    let options = Options { setup_window: Duration::ZERO, ..Options::default() };
    let mut dtu = Dtu::new(config, options, Identity::default(), 1, Instant::ZERO);
    dtu.restore_messages(mailbox);
    let mut dev = Bench::off(dtu);
    dev.store.messages = mailbox.to_owned();
    let answer = |number: u16| if number % 3 == 0 { Err(SubmitFailure(number)) } else { Ok(1) };
    dev.modem.answers = (1..1000).map(answer).collect();
    dev.drain();
    dev.input(Input::Serial(SerialInput::Present)).modem_comes().wait(1000);
    dev
}
