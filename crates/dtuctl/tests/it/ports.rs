//! The port: who has it, how it is left, what the device says on it.

use std::io::Read as _;
use std::net::TcpListener;

use rustix::fs::FlockOperation;
use rustix::process::Signal;

use crate::apply::two_settings;
use crate::common::SOON;
use crate::device::Device;
use crate::program::{Ended, command, on, prints, send, started};
use crate::scripted::Scripted;

#[test]
fn a_port_that_is_in_use_names_the_process() {
    let device = Device::start(&[]);
    let dte = device.dte();
    rustix::fs::flock(&dte, FlockOperation::NonBlockingLockExclusive).unwrap();
    let refused = on(&device.port(), &["at", "AT"]).with(1);
    let holder = format!("in use by process {} (", std::process::id());
    assert!(refused.err.contains(&holder), "{}", refused.err);
    // Children that other tests are about to start have the file open, too.
    rustix::fs::flock(&dte, FlockOperation::Unlock).unwrap();
    on(&device.port(), &["at", "AT"]).with(0);
}

/// Ctrl-C, a broken ssh or a stop in the middle of a long talk: the device carries data again.
#[test]
fn an_interrupted_talk_leaves_the_device_in_its_working_mode() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        is_left_at_work(signal);
    }
}

fn is_left_at_work(signal: Signal) {
    let center = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = center.local_addr().unwrap().port();
    let device = Device::start(&[
        "CIPCFG=1,0,0,20,0,0",
        &format!("CIPSCONT=1,\"TCP\",\"127.0.0.1\",{port},1"),
    ]);
    let (mut connection, _) = center.accept().unwrap();
    connection.set_read_timeout(Some(SOON)).unwrap();
    let dte = device.dte();
    let many = vec!["AT+CISTAT"; 20_000];
    let mut child = started(&device.port(), &[&["at"][..], &many].concat());
    prints(&mut child, "OK\n");
    send(&child, signal);
    let ended = Ended::from(child.wait_with_output().unwrap()).with(1);
    assert!(ended.err.contains("stopped"), "{}", ended.err);
    assert!(!ended.err.contains("may still be"), "{}", ended.err);
    dte.drain(std::time::Duration::from_millis(100));
    dte.send(b"42 kWh");
    let mut got = [0; 6];
    connection.read_exact(&mut got).unwrap();
    assert_eq!(&got, b"42 kWh");
}

/// nohup: who has it go on when the terminal ends does not want it stopped by that.
#[test]
fn a_hang_up_that_is_ignored_stops_nothing() {
    let device = Device::start(&[]);
    let port = device.port();
    let mut calls = std::process::Command::new("sh");
    let program = env!("CARGO_BIN_EXE_dtuctl");
    let many = "AT+CISTAT ".repeat(2000);
    let script = format!(
        "trap '' HUP; exec {program} --port {} at {many}",
        port.display()
    );
    let pipes = calls
        .args(["-c", &script])
        .stdout(std::process::Stdio::piped());
    let mut child = pipes.spawn().unwrap();
    prints(&mut child, "OK\n");
    send(&child, Signal::HUP);
    Ended::from(child.wait_with_output().unwrap()).with(0);
}

/// `dtuctl apply FILE | head -1`, or a terminal that is gone: what was begun is ended, and the device let go on.
#[test]
fn who_reads_no_more_stops_nothing_in_the_middle() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("new.txt");
    std::fs::write(&file, "AT+CIPNUM=10010\n").unwrap();
    let calls: [&[&str]; 3] = [
        &["apply", file.to_str().unwrap()],
        &["set", "CIPNUM=10010"],
        &["at", "AT+CIPNUM=10010", "AT+CIMOD?"],
    ];
    for arguments in calls {
        let device = Scripted::start(two_settings(|_| false));
        let port = ["--port", device.port().to_str().unwrap()];
        let gone = || std::io::pipe().unwrap().1;
        let mut child = command(&[&port, arguments].concat())
            .stdout(gone())
            .stderr(gone())
            .spawn()
            .unwrap();
        let status = child.wait().unwrap();
        assert_eq!(status.code(), Some(0), "{arguments:?}");
        let sent = device.look(|device| device.commands.clone());
        assert!(sent.contains(&"AT+CIPNUM=10010".to_owned()), "{sent:?}");
        assert_eq!(sent.last().unwrap(), "AT+ENTM", "{arguments:?}");
    }
}

#[test]
fn a_device_that_is_in_its_command_state_is_used_and_let_go() {
    let device = Device::start(&[]);
    let dte = device.dte();
    dte.escape();
    let read = on(&device.port(), &["--enter", "none", "at", "AT+CSQ"]).with(0);
    assert_eq!(read.out, "+CSQ: 31, 99\nOK\n");
    // It has left: the escape leads in again. And one that was left there answers +++, too.
    on(&device.port(), &["at", "AT"]).with(0);
    dte.escape();
    on(&device.port(), &["at", "AT"]).with(0);
}

/// Colours, titles and worse are shown, not carried out.
#[test]
fn text_of_the_device_does_not_drive_the_terminal() {
    let device = Scripted::start(|_| "\r\n+X: \x1b]0;owned\x07\u{202E}\r\nOK\r\n".to_owned());
    let told = on(device.port(), &["at", "AT+X?"]).with(0);
    assert_eq!(told.out, "+X: \\u{1b}]0;owned\\u{7}\\u{202e}\nOK\n");
    device.look(|device| assert!(device.carries_data()));
}

#[test]
fn factory_asks() {
    let device = Device::with_window(1, &[]);
    let port = device.port();
    on(&port, &["set", "CIMODID=Pump 7"]).with(0);
    on(&port, &["save"]).with(0);
    let refused = on(&port, &["factory"]).with(1);
    assert!(refused.err.contains("--yes"), "{}", refused.err);
    let told = on(&port, &["at", "AT+CIMODID?"]).with(0).out;
    assert!(told.contains("Pump 7"), "{told}");
    on(&port, &["factory", "--yes"]).with(0);
    let told = on(&port, &["at", "AT+CIMODID?"]).with(0).out;
    assert!(told.contains("USR-GPRS232-DTU"), "{told}");
}
