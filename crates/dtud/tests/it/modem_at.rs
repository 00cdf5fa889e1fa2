//! `--modem at:DEVICE` end to end: the real program, a simulated AT modem on a pty, and the equipment's serial line.

use crate::common;

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use cellular_sim::modem::{Dialect, Setup as Modem};
use common::daemon::{Daemon, Setup};
use common::radio::{Played, Radio};
use common::{SOON, eventually};

const LONG: Duration = Duration::from_secs(30);

fn radio(folder: &Path, dialect: Dialect) -> Radio {
    Radio::start(
        &folder.join("modem"),
        Modem {
            dialect,
            ..Modem::default()
        },
    )
}

/// In the command state, with that modem.
fn device(folder: &Path, radio: &Radio) -> Setup {
    Setup::new(folder)
        .modem(&format!("at:{}", radio.device().display()))
        .at("CIMOD=2")
}

fn said(daemon: &Daemon, what: &str) {
    eventually(what, LONG, || {
        daemon.messages().contains(what).then_some(())
    });
}

#[test]
fn the_device_is_in_the_network_of_its_modem() {
    for dialect in [Dialect::Generic, Dialect::Sim800, Dialect::Ec2x] {
        let folder = tempfile::tempdir().unwrap();
        let radio = radio(folder.path(), dialect);
        let daemon = device(folder.path(), &radio).start();
        let line = daemon.line();
        said(&daemon, "registered, home network");
        eventually("the signal", SOON, || {
            line.command("AT+CSQ")
                .contains("+CSQ: 31, 99")
                .then_some(())
        });
        assert!(line.command("AT+CGSN").contains("135790246811220"));
        assert!(line.command("AT+CIMI").contains("460023633887978"));
    }
}

#[test]
fn messages_go_both_ways() {
    let folder = tempfile::tempdir().unwrap();
    let radio = radio(folder.path(), Dialect::Ec2x);
    let daemon = device(folder.path(), &radio).start();
    let line = daemon.line();
    said(&daemon, "registered, home network");
    assert!(
        line.command("AT+CISMSSEND=\"+8613900000001\",1,\"hello phone\"")
            .ends_with("\r\nOK\r\n")
    );
    assert_eq!(radio.text(LONG), "hello phone");
    radio.order("sms from +8613900000001 \"hello device\"");
    line.receive_to(b"hello device\r\n", LONG);
}

#[test]
fn a_call_rings_and_is_answered() {
    let folder = tempfile::tempdir().unwrap();
    let radio = radio(folder.path(), Dialect::Sim800);
    let daemon = device(folder.path(), &radio).start();
    let line = daemon.line();
    said(&daemon, "registered, home network");
    radio.order("call from +8613900000001");
    line.receive_to(b"\r\nRING\r\n", LONG);
    assert!(line.command("ATA").ends_with("\r\nOK\r\n"));
    radio.order("hangup +8613900000001");
    line.receive_to(b"\r\nNO CARRIER\r\n", LONG);
}

#[test]
fn a_modem_that_is_pulled_and_comes_back_under_another_name_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let radio = radio(folder.path(), Dialect::Ec2x);
    let daemon = device(folder.path(), &radio).start();
    let line = daemon.line();
    said(&daemon, "registered, home network");
    let before = std::fs::read_link(radio.device()).unwrap();
    radio.order("leave 2s");
    said(&daemon, "gone");
    radio.order("sms from +8613900000001 \"while you were out\"");
    line.receive_to(b"while you were out\r\n", LONG);
    assert_ne!(std::fs::read_link(radio.device()).unwrap(), before);
}

#[test]
fn a_wrong_pin_is_sent_once_also_by_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let setup = Modem {
        pin: Some("1234".into()),
        ..Modem::default()
    };
    let radio = Radio::start(&folder.path().join("modem"), setup);
    let wrong = device(folder.path(), &radio).settings("[modem]\npin = \"4321\"");
    let daemon = wrong.start();
    said(&daemon, "the SIM refused the PIN");
    drop(daemon);
    let daemon = wrong.start();
    said(&daemon, "this PIN was refused by the SIM before");
    said(&daemon, "the SIM waits for a PIN");
    drop(daemon);
    // Another PIN in the settings is another matter.
    let daemon = device(folder.path(), &radio)
        .settings("[modem]\npin = \"1234\"")
        .start();
    said(&daemon, "the SIM took the PIN");
    said(&daemon, "registered, home network");
    assert!(!daemon.messages().contains("1234"));
}

/// Four starts with a state folder that could not be written locked the card.
#[test]
fn k6_no_start_sends_a_pin_that_cannot_be_noted_and_one_that_was_right_goes_out() {
    let folder = tempfile::tempdir().unwrap();
    let setup = Modem {
        pin: Some("1234".into()),
        ..Modem::default()
    };
    let radio = Radio::start(&folder.path().join("modem"), setup);
    let device = device(folder.path(), &radio).environment("RUST_LOG", "debug");
    let sent = "AT+CPIN=\"****\"";
    // Nothing can be written in the place of the note, by root neither.
    let new = device.state().join("modem-pin.new");
    std::fs::create_dir_all(new.join("full")).unwrap();
    std::fs::set_permissions(device.state(), std::fs::Permissions::from_mode(0o700)).unwrap();
    for _ in 0..4 {
        let daemon = device.clone().settings("[modem]\npin = \"9999\"").start();
        said(&daemon, "WARN modem: the PIN is not sent: ");
        said(&daemon, "modem: SIM waits for a PIN");
        let said = daemon.messages();
        assert!(!said.contains(sent), "{said}");
        assert_eq!(said.matches("the PIN is not sent").count(), 1, "{said}");
    }
    // The cure: the folder can be written for one start.
    let right = device.settings("[modem]\npin = \"1234\"");
    std::fs::remove_dir_all(&new).unwrap();
    said(&right.start(), "the SIM took the PIN");
    drop(radio);
    std::fs::create_dir_all(new.join("full")).unwrap();
    let setup = Modem {
        pin: Some("1234".into()),
        ..Modem::default()
    };
    let radio = Radio::start(&folder.path().join("another"), setup);
    let daemon = right
        .modem(&format!("at:{}", radio.device().display()))
        .start();
    said(&daemon, "the SIM took the PIN");
    assert_eq!(daemon.messages().matches(sent).count(), 1);
}

/// A modem whose count of tries stands still had a wrong PIN sent at each start.
#[test]
fn k6_no_start_sends_a_refused_pin_again_whatever_the_modem_says_of_its_tries() {
    let folder = tempfile::tempdir().unwrap();
    let setup = Modem {
        pin: Some("1234".into()),
        ..Modem::default()
    };
    let radio = Radio::start(&folder.path().join("modem"), setup);
    radio.order("tries-stay on");
    let device = device(folder.path(), &radio).settings("[modem]\npin = \"4321\"");
    let device = device.environment("RUST_LOG", "debug");
    for sent in [1, 0, 0] {
        let daemon = device.start();
        said(
            &daemon,
            "the SIM waits for a PIN, and there is none to be tried",
        );
        let said = daemon.messages();
        assert_eq!(said.matches("AT+CPIN=\"****\"").count(), sent, "{said}");
        assert_eq!(
            said.contains("this PIN was refused by the SIM before"),
            sent == 0,
            "{said}"
        );
    }
}

#[test]
fn a_modem_that_is_not_there_yet_is_waited_for_and_that_is_said_once() {
    let folder = tempfile::tempdir().unwrap();
    let device = folder.path().join("modem");
    let daemon = Setup::new(folder.path())
        .modem(&format!("at:{}", device.display()))
        .start();
    said(&daemon, "modem: missing, waiting for");
    let _radio = Radio::start(&device, Modem::default());
    said(&daemon, "registered, home network");
    assert_eq!(daemon.messages().matches("missing, waiting").count(), 1);
}

/// A user's bug report becomes a test: the log of one day is the modem of the next.
#[test]
fn m_the_log_of_a_dialogue_is_played_back_to_the_same_registration_and_message() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("modem.log");
    let setup = Modem {
        pin: Some("1234".into()),
        ..Modem::default()
    };
    let radio = Radio::start(&folder.path().join("modem"), setup);
    let settings = "[modem]\npin = \"1234\"\ninit = ['AT+CGAUTH=1,1,\"me\",\"init-secret\"']";
    let recorded = device(folder.path(), &radio)
        .settings(settings)
        .modem_log(&log);
    let daemon = recorded.at("CSTT=\"cmiot\",\"me\",\"apn-secret\"").start();
    let line = daemon.line();
    said(&daemon, "registered, home network");
    radio.order("sms from +8613900000001 \"hello device\"");
    line.receive_to(b"hello device\r\n", LONG);
    assert!(
        line.command("AT+CISMSSEND=\"+8613900000001\",1,\"hello phone\"")
            .ends_with("\r\nOK\r\n")
    );
    assert_eq!(radio.text(LONG), "hello phone");
    said(&daemon, "the access point cmiot is written");
    drop((line, daemon, radio));

    let text = std::fs::read_to_string(&log).unwrap();
    assert_eq!(
        std::fs::metadata(&log).unwrap().permissions().mode() & 0o777,
        0o600
    );
    for secret in ["1234\"", "apn-secret", "init-secret"] {
        assert!(!text.contains(secret), "{secret} is in the log:\n{text}");
    }
    assert!(
        text.contains(" -> AT+CPIN=\"****\"\n") && text.contains("\"****\"\n"),
        "{text}"
    );

    // Another device with another state folder, and no simulated network.
    let other = tempfile::tempdir().unwrap();
    let modem = other.path().join("modem");
    let played = Played::start(&modem, &text);
    let setup = Setup::new(other.path())
        .modem(&format!("at:{}", modem.display()))
        .at("CIMOD=2");
    let setup = setup
        .settings("[modem]\npin = \"1234\"")
        .at("CSTT=\"cmiot\",\"me\",\"apn-secret\"");
    let daemon = setup.start();
    let line = daemon.line();
    said(&daemon, "the SIM took the PIN");
    said(&daemon, "registered, home network");
    line.receive_to(b"hello device\r\n", LONG);
    assert!(
        line.command("AT+CISMSSEND=\"+8613900000001\",1,\"hello phone\"")
            .ends_with("\r\nOK\r\n")
    );
    drop((line, daemon));
    let mut unknown = played.end();
    // Probes of a busy machine.
    unknown.retain(|command| command.starts_with("AT+"));
    assert_eq!(
        unknown,
        Vec::<String>::new(),
        "commands that the log does not have"
    );
}
