//! How a call fails: its exit code, and with --json one object on stdout.

use std::path::Path;
use std::process::Command;

use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::process::Signal;
use serde_json::Value;

use crate::apply::two_settings;
use crate::common::{SOON, within};
use crate::in_chinese::Deaf;
use crate::program::{Ended, command, dtuctl, on, prints, says, send, started};
use crate::scripted::{OnPty, Scripted};

/// The kind of failure in the object, which says all that stderr does.
#[track_caller]
fn kind(ended: Ended, code: i32) -> String {
    let ended = ended.with(code);
    let told = ended.json();
    assert_eq!(told["exit"], code, "{told}");
    let message = told["error"]["message"].as_str().unwrap();
    assert!(ended.err.contains(message), "{ended:?}");
    assert_eq!(ended.out.lines().count(), 1, "{ended:?}");
    told["error"]["kind"].as_str().unwrap().to_owned()
}

/// Every command that takes --json, and how it is called.
const CALLS: [&[&str]; 4] = [
    &["dump", "--json"],
    &["apply", "--json", "/dev/null"],
    &["status", "--json"],
    &["watch", "--json"],
];

#[test]
fn each_failure_of_a_json_call_is_one_object() {
    for call in CALLS {
        assert_eq!(kind(dtuctl(call), 2), "usage", "{call:?}");
        assert_eq!(kind(on(Path::new("/nowhere"), call), 1), "port", "{call:?}");
        let wrong = [call, &["--bogus"]].concat();
        assert_eq!(kind(dtuctl(&wrong), 2), "usage", "{call:?}");
    }
    let deaf = OnPty::start(Deaf);
    for call in [CALLS[0], CALLS[2]] {
        assert_eq!(kind(on(deaf.port(), call), 1), "silent", "{call:?}");
    }
    let in_chinese = on(Path::new("/nowhere"), &["--lang", "zh", "status", "--json"]).with(1);
    let message = in_chinese.json()["error"]["message"].clone();
    assert!(message.as_str().unwrap().is_ascii(), "{message}");
}

/// How an apply ends is its own object; what keeps it from beginning is a failure as any other.
#[test]
fn an_apply_that_does_not_begin_says_so_in_json() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("new.toml");
    let device = Scripted::start(two_settings(|_| false));
    let apply = |text: &str| {
        std::fs::write(&file, text).unwrap();
        on(device.port(), &["apply", "--json", file.to_str().unwrap()])
    };
    assert_eq!(kind(apply("CIMOD = 9\n"), 2), "file");
    assert_eq!(kind(apply("CIMOOD = 1\n"), 2), "file");
    let missing = on(device.port(), &["apply", "--json", "/no/such/file"]);
    assert_eq!(kind(missing, 2), "file");
    device.look(|device| assert!(device.commands.is_empty()));
    let done = apply("CIMOD = 1\n").json();
    assert_eq!(done["error"], Value::Null, "{done}");
}

/// What a program goes on by.
#[test]
fn a_port_that_is_none_or_is_in_use_is_a_matter_of_the_port() {
    let status = ["status", "--json"];
    assert_eq!(kind(on(Path::new("/dev/null"), &status), 1), "port");
    let deaf = OnPty::start(Deaf);
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let holder = rustix::fs::open(deaf.port(), flags, Mode::empty()).unwrap();
    rustix::fs::flock(&holder, FlockOperation::NonBlockingLockExclusive).unwrap();
    let busy = on(deaf.port(), &status);
    let words = format!("dtuctl: {}: in use by process ", deaf.port().display());
    assert!(busy.err.starts_with(&words), "{}", busy.err);
    assert_eq!(kind(busy, 1), "port");
}

#[test]
fn arguments_that_are_missing_are_named() {
    let told = dtuctl(&["--port", "/nowhere", "apply", "--json"])
        .with(2)
        .json();
    assert_eq!(
        told["error"]["message"],
        "the following required arguments were not provided: <FILE>"
    );
    assert_eq!(told["error"]["kind"], "usage");
}

#[test]
fn a_failure_behind_the_entry_names_the_port() {
    let device = Scripted::start(|line| match line {
        "AT+CIRESET" => "\r\nERROR\r\n".to_owned(),
        _ => "\r\nOK\r\n".to_owned(),
    });
    let failed = on(device.port(), &["restart"]).with(1);
    let port = device.port().display();
    let words = format!("dtuctl: {port}: the device refused AT+CIRESET: ERROR\n");
    assert_eq!(failed.err, words);
}

/// An empty file would be taken for all that the device has.
#[test]
fn a_dump_of_nothing_is_a_failure() {
    let device = Scripted::start(|_| "\r\nERROR\r\n".to_owned());
    let dump = on(device.port(), &["dump", "--json"]);
    assert!(dump.err.contains("not read: CIPSCONT.1"), "{}", dump.err);
    assert_eq!(kind(dump, 1), "other");
    let dump = on(device.port(), &["dump"]).with(1);
    assert_eq!(dump.out, "");
    assert!(
        dump.err
            .ends_with("told none of its settings: is it a DTU?\n"),
        "{dump:?}"
    );
}

/// Text of a file, or of an argument, stands in many a message.
#[test]
fn what_a_message_repeats_does_not_drive_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("new\u{1b}[31m");
    let files = [
        "\"CI\\u001b[31mMOD\" = 1\n",
        "\"CI\u{202E}MOD\" = 1\n",
        "CIPNUM = \"1\\u001b[31m\"\n",
        "{\"CI\\u001b[31mMOD\": 1}",
        "{\"CIMOD\": \"\\u202e\"}",
        "AT+CIPNUM=\u{1b}[31m\n",
        "AT+CIMOD=0\nAT+\u{1b}[31m\n",
    ];
    let mut calls: Vec<Vec<String>> = Vec::new();
    let to = |arguments: &[&str]| arguments.iter().map(|it| (*it).to_owned()).collect();
    for (place, text) in files.iter().enumerate() {
        let file = file.with_extension(place.to_string());
        std::fs::write(&file, text).unwrap();
        calls.push(to(&[
            "--port",
            "/nowhere",
            "apply",
            "--json",
            file.to_str().unwrap(),
        ]));
    }
    for odd in [
        "\u{1b}[31mX=1",
        "CIPNUM=\u{202E}1",
        "\u{9b}31m",
        "CIPSW=@/no/\u{1b}[31m",
    ] {
        calls.push(to(&["--port", "/nowhere", "set", odd]));
    }
    calls.push(to(&["--port", "/no/\u{1b}[31m", "at", "AT"]));
    calls.push(to(&["--port", "/no/\u{1b}[31m", "status", "--json"]));
    calls.push(to(&["status", "--json", "--\u{202E}x"]));
    calls.push(to(&["status", "--baud", "\u{1b}[31m\u{202E}", "--json"]));
    for call in calls {
        let words: Vec<&str> = call.iter().map(String::as_str).collect();
        let ended = dtuctl(&words);
        assert_ne!(ended.code, Some(0), "{ended:?}");
        let is_odd = |char: char| char.is_control() && char != '\n' || char == '\u{202E}';
        assert!(!ended.err.contains(is_odd), "{call:?}: {:?}", ended.err);
        assert!(!ended.out.contains(is_odd), "{call:?}: {:?}", ended.out);
        assert!(ended.err.contains('\\'), "{ended:?}");
    }
}

fn via(arguments: &[&str], password: Option<&str>) -> Ended {
    let mut call: Command = command(&[&["--via", "tcp:127.0.0.1:1"], arguments].concat());
    call.env_remove("DTUCTL_PASSWORD");
    if let Some(password) = password {
        call.env("DTUCTL_PASSWORD", password);
    }
    call.output().unwrap().into()
}

#[test]
fn a_password_that_is_none_is_wrong_usage() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    for text in ["", "\n", "a b\n", "a,b\n", "toolong\n", "a\nb\n", "泵\n"] {
        std::fs::write(&file, text).unwrap();
        let refused = via(
            &["--password-file", file.to_str().unwrap(), "at", "AT"],
            None,
        );
        let refused = refused.with(2);
        assert!(
            refused.err.contains("1 to 5 characters"),
            "{text:?}: {}",
            refused.err
        );
    }
    via(&["--password-file", "/no/such/file", "at", "AT"], None).with(2);
    via(&["at", "AT"], Some("a b")).with(2);
    assert_eq!(kind(via(&["status", "--json"], None), 2), "usage");
    // A good one, and nobody there.
    assert_eq!(kind(via(&["status", "--json"], Some("pump7")), 1), "port");
}

/// Ctrl-C at each place is told as that, and is no fault of the port; the device goes on with its work.
#[test]
fn who_stops_it_is_told_so() {
    let device = Scripted::start(|line| match line {
        "AT" => "\r\nOK\r\n".to_owned(),
        _ => "\r\n+X: 1\r\n".to_owned(),
    });
    let mut call = started(device.port(), &["at", "AT", "AT+X"]);
    prints(&mut call, "OK\n");
    send(&call, Signal::INT);
    let ended = Ended::from(call.wait_with_output().unwrap()).with(1);
    assert_eq!(
        ended.err,
        "dtuctl: stopped by the user (Ctrl-C, or a signal)\n"
    );
    device.look(|device| assert!(device.carries_data()));

    let mut call = command(&["--via", "listen:127.0.0.1:0", "status", "--json"]);
    let mut call = call.env("DTUCTL_PASSWORD", "pump7").spawn().unwrap();
    let said = says(&mut call, "\n");
    send(&call, Signal::INT);
    let mut ended = Ended::from(call.wait_with_output().unwrap());
    ended.err = said + &ended.err;
    assert_eq!(kind(ended, 1), "stopped");
}

/// A device that is waited for at its switch.
#[test]
fn a_wait_for_the_switch_can_be_stopped() {
    let device = Scripted::start(|_| String::new());
    let mut call = started(device.port(), &["--enter", "window", "status", "--json"]);
    let said = says(&mut call, "now\n");
    send(&call, Signal::INT);
    let mut ended = Ended::from(call.wait_with_output().unwrap());
    ended.err = said + &ended.err;
    assert_eq!(kind(ended, 1), "stopped");
}

/// In the middle of an apply: what was set goes back, and the end is that of an apply.
#[test]
fn an_apply_that_is_stopped_puts_the_old_values_back() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("new.txt");
    std::fs::write(&file, "AT+CIPNUM=10010\nAT+CIMOD=1\n").unwrap();
    let mut tells = two_settings(|_| false);
    // Its answer to the second stays away, once.
    let mut waits = true;
    let device = Scripted::start(move |line| {
        let is_late = line == "AT+CIMOD=1" && std::mem::take(&mut waits);
        let answer = tells(line);
        if is_late { String::new() } else { answer }
    });
    let call = started(device.port(), &["apply", "--json", file.to_str().unwrap()]);
    let is_asked = |commands: &[String]| commands.iter().any(|line| line == "AT+CIMOD=1");
    let until = within(SOON);
    while !device.look(|device| is_asked(&device.commands)) {
        assert!(std::time::Instant::now() < until, "it is not set");
        std::thread::yield_now();
    }
    send(&call, Signal::INT);
    let ended = Ended::from(call.wait_with_output().unwrap()).with(1);
    let told = ended.json();
    assert_eq!(told["outcome"], "failed", "{told}");
    let reason = told["reason"].as_str().unwrap();
    assert!(reason.starts_with("stopped by the user"), "{reason}");
    assert!(reason.contains("the old values are back"), "{reason}");
    let sent = device.look(|device| device.commands.clone());
    assert_eq!(sent.last().unwrap(), "AT+ENTM");
    device.look(|device| assert!(device.carries_data()));
}
