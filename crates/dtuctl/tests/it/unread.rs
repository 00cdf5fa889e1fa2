//! Results that nobody takes, commands that lead out: the device is left as it was found.

use std::fs::OpenOptions;
use std::io::Read as _;
use std::net::TcpStream;

use crate::device::Device;
use crate::program::{Ended, command, on};
use crate::watch::transparent;

/// What the equipment sends goes to the center, and nothing else does.
fn carries_data(device: &Device, center: &mut TcpStream) {
    device.dte_without_banner().send(b"42 kWh");
    let mut got = [0; 6];
    center.read_exact(&mut got).unwrap();
    assert_eq!(
        got.escape_ascii().to_string(),
        "42 kWh",
        "the first bytes that the center gets"
    );
}

#[test]
fn a_result_that_cannot_be_written_is_a_failure_and_the_device_carries_data_again() {
    let (device, mut center) = transparent();
    let file = device.file("new.toml", "[CIPCFG]\nHEAT = 61\n");
    let port = device.port();
    for words in [
        &["dump"][..],
        &["at", "AT+CSQ"],
        &["apply", &file],
        &["apply", "--dry-run", &file],
        &["apply", "--dry-run", "--json", &file],
        &["set", "CIPCFG.HEAT=62"],
    ] {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let port = ["--port", port.to_str().unwrap()];
        let mut call = command(&[&port, words].concat());
        let ended = Ended::from(call.stdout(full).output().unwrap()).with(1);
        assert!(ended.err.contains("No space left"), "{words:?}: {ended:?}");
    }
    carries_data(&device, &mut center);
}

/// 1 would say that the old values are back.
#[test]
fn what_was_set_is_told_as_set_where_its_result_cannot_be_written() {
    let (device, mut center) = transparent();
    let file = device.file("new.toml", "CIPNUM = \"10010\"\n");
    let port = device.port();
    let port = ["--port", port.to_str().unwrap()];
    for words in [
        &["apply", "--json", &file][..],
        &["set", "--json", "CIPNUM=10011"],
    ] {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut call = command(&[&port, words].concat());
        let ended = Ended::from(call.stdout(full).output().unwrap()).with(0);
        assert!(ended.err.contains("No space left"), "{words:?}: {ended:?}");
        assert!(ended.err.contains("all of it is set"), "{ended:?}");
    }
    carries_data(&device, &mut center);
}

#[test]
fn a_device_that_was_led_out_is_sent_nothing_more() {
    for line in ["AT+ENTM", "at+csq;+entm"] {
        let (device, mut center) = transparent();
        let ended = on(&device.port(), &["at", line]).with(0);
        assert_eq!(ended.err, "", "{line}");
        let ended = on(&device.port(), &["at", line, "AT+CIPCFG?"]).with(1);
        assert!(ended.err.contains("command state"), "{ended:?}");
        carries_data(&device, &mut center);
    }
}

#[test]
fn a_file_without_end_is_a_fault_of_usage() {
    let device = Device::start(&[]);
    let ended = on(&device.port(), &["apply", "/dev/zero"]).with(2);
    let words = "dtuctl: /dev/zero: it has more than 1048576 bytes";
    assert!(ended.err.starts_with(words), "{ended:?}");
}
