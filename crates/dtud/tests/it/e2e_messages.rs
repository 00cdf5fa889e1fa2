//! Messages outlive the device: its death, its stop, a full disk. A number of the simulated network answers each text
//! with the same text.

use std::time::Duration;

use crate::common;

use common::daemon::{Daemon, Setup};
use common::eventually;
use common::line::Line;

const SOON: Duration = Duration::from_secs(20);

/// A device whose line is in the command state, and its line.
fn start(setup: &Setup) -> (Daemon, Line) {
    let daemon = setup.start();
    let line = daemon.line();
    (daemon, line)
}

fn setup(folder: &tempfile::TempDir) -> Setup {
    Setup::new(folder.path()).at("CIMOD=2")
}

/// Lets a message with this text come; it is announced as the one at this place.
fn receive(line: &Line, text: &str, place: u8) {
    line.send(format!("AT+CISMSSEND=\"10001\",1,\"{text}\"\r").as_bytes());
    line.receive_to(format!("+CMTI: \"SM\",{place}\r\n").as_bytes(), SOON);
}

fn list(line: &Line) -> String {
    assert!(line.command("AT+CMGF=1").ends_with("OK\r\n"));
    line.command("AT+CMGL=\"ALL\"")
}

/// Waits until the file holds something.
fn stored(setup: &Setup) {
    eventually("messages on the disk", SOON, || {
        let text = std::fs::read_to_string(setup.state().join("messages")).ok()?;
        text.split_once('\n')
            .filter(|(_, body)| !body.is_empty())
            .map(drop)
    });
}

#[test]
fn a_message_that_is_on_the_disk_survives_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let setup = setup(&folder);
    let (daemon, line) = start(&setup);
    receive(&line, "kWh 42", 1);
    stored(&setup);
    daemon.kill();
    let (_daemon, line) = start(&setup);
    let list = list(&line);
    assert!(list.contains("kWh 42"), "{list}");
}

#[test]
fn a_clean_stop_waits_for_messages_that_are_being_saved() {
    for _ in 0..5 {
        let folder = tempfile::tempdir().unwrap();
        let setup = setup(&folder);
        let (daemon, line) = start(&setup);
        receive(&line, "kWh 42", 1);
        assert!(daemon.terminate().success());
        let (_daemon, line) = start(&setup);
        let list = list(&line);
        assert!(list.contains("kWh 42"), "{list}");
    }
}

#[test]
fn a_damaged_file_gives_the_set_before_it_and_is_kept_for_a_look() {
    let folder = tempfile::tempdir().unwrap();
    let setup = setup(&folder);
    let (daemon, line) = start(&setup);
    receive(&line, "first", 1);
    receive(&line, "second", 2);
    assert!(daemon.terminate().success());
    let file = setup.state().join("messages");
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let (daemon, line) = start(&setup);
    assert!(list(&line).contains("first"));
    assert!(
        daemon.messages().contains("messages is damaged"),
        "{}",
        daemon.messages()
    );
    assert!(setup.state().join("messages.damaged-1").is_file());
}

#[test]
fn a_full_disk_is_told_once_and_when_it_has_room_everything_is_saved() {
    let folder = tempfile::tempdir().unwrap();
    let setup = setup(&folder);
    let (daemon, line) = start(&setup);
    daemon.limit_files(Some(0));
    receive(&line, "first", 1);
    eventually("a word about it", SOON, || {
        daemon
            .messages()
            .contains("store: messages: ")
            .then_some(())
    });
    receive(&line, "second", 2);
    assert!(list(&line).contains("first"));
    assert_eq!(
        daemon.messages().matches("store: messages: ").count(),
        1,
        "{}",
        daemon.messages()
    );

    daemon.limit_files(None);
    receive(&line, "third", 3);
    assert!(daemon.terminate().success());
    let (_daemon, line) = start(&setup);
    let list = list(&line);
    assert!(
        ["first", "second", "third"]
            .iter()
            .all(|text| list.contains(text)),
        "{list}"
    );
}
