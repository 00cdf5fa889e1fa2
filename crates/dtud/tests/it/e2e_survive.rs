//! What a device keeps over its end: frames that nobody has acknowledged, and the stored parameters.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::common;

use common::daemon::{Daemon, Setup};
use common::line::Line;
use common::random::Random;
use common::server::Server;
use common::{SOON, eventually};

const WAITING: usize = 20_000;

/// Bytes that wait for a server that is down.
fn waiting_bytes() -> Vec<u8> {
    let mut bytes = vec![0; WAITING];
    Random::new(17).fill(&mut bytes);
    bytes
}

fn spooled_bytes(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else {
        return 0;
    };
    entries
        .flatten()
        .map(|entry| match entry.file_type() {
            Ok(kind) if kind.is_dir() => spooled_bytes(&entry.path()),
            _ if entry.path().extension().is_none_or(|kind| kind != "frames") => 0,
            _ => entry.metadata().map_or(0, |data| data.len()),
        })
        .sum()
}

#[test]
fn frames_spooled_to_disk_survive_kill_9_and_arrive_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::refusing();
    let setup = Setup::new(folder.path())
        .settings("[link]\nspool = \"disk\"\nbackoff_max = 1")
        .packing(0);
    let setup = setup.link(1, server.port());
    let daemon = setup.start();
    let (line, bytes) = (daemon.line(), waiting_bytes());
    line.send(&bytes);
    eventually("all frames on disk", SOON, || {
        (spooled_bytes(&setup.state()) >= WAITING as u64).then_some(())
    });
    daemon.kill();

    server.listen();
    let daemon = setup.start();
    let connection = server.accept(SOON);
    assert!(
        connection.receive(WAITING, SOON) == bytes,
        "the frames arrive in order"
    );

    // Delivered is delivered: another kill must not bring them back.
    let line = daemon.line();
    line.send(b"end");
    assert_eq!(connection.receive(3, SOON), b"end");
    drop(line);
    eventually_forgets(daemon, &setup, &server);
}

/// Kills and starts until the spool is known to be released: the acknowledgement reaches it a moment later.
fn eventually_forgets(daemon: Daemon, setup: &Setup, server: &Server) {
    std::thread::sleep(Duration::from_millis(500));
    daemon.kill();
    let daemon = setup.start();
    let connection = server.accept(SOON);
    let line = daemon.line();
    line.send(b"only this");
    assert_eq!(
        connection.receive(9, SOON),
        b"only this",
        "what was delivered is not sent again"
    );
}

#[test]
fn frames_in_memory_survive_a_clean_stop_and_arrive_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::refusing();
    let setup = Setup::new(folder.path())
        .settings("[link]\nspool = \"memory\"\nbackoff_max = 1")
        .packing(0);
    let setup = setup.link(1, server.port());
    let daemon = setup.start();
    let (line, bytes) = (daemon.line(), waiting_bytes());
    line.send(&bytes);
    line.escape();
    assert!(daemon.terminate().success(), "SIGTERM is a clean stop");

    server.listen();
    let _daemon = setup.start();
    let connection = server.accept(SOON);
    assert!(
        connection.receive(WAITING, SOON) == bytes,
        "the frames arrive in order"
    );
    assert_eq!(
        connection.drain(Duration::from_millis(300)),
        b"",
        "and once"
    );
}

/// A device without links, in the command state.
fn in_command_state(setup: &Setup) -> (Daemon, Line) {
    let daemon = setup.start();
    let line = daemon.line();
    line.escape();
    (daemon, line)
}

fn store_number(line: &Line, number: &str) {
    assert_eq!(line.command(&format!("AT+CIPNUM={number}")), "\r\nOK\r\n");
    assert_eq!(line.command("ATW"), "\r\nOK\r\n");
}

fn number(line: &Line) -> String {
    line.command("AT+CIPNUM?")
        .trim()
        .lines()
        .next()
        .unwrap_or_default()
        .to_owned()
}

#[test]
fn what_atw_stored_survives_kill_9_and_what_it_did_not_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let setup = Setup::new(folder.path());
    let (daemon, line) = in_command_state(&setup);
    store_number(&line, "10010");
    assert_eq!(line.command("AT+CIPNUM=10000"), "\r\nOK\r\n");
    assert_eq!(number(&line), "+CIPNUM: 10000");
    daemon.kill();

    let (_daemon, line) = in_command_state(&setup);
    assert_eq!(number(&line), "+CIPNUM: 10010");
}

#[test]
fn a_damaged_store_falls_back_to_the_previous_copy_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let setup = Setup::new(folder.path());
    let (daemon, line) = in_command_state(&setup);
    store_number(&line, "111");
    store_number(&line, "222");
    daemon.kill();
    let file = setup.state().join("parameters");
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x20;
    fs::write(&file, bytes).unwrap();

    let (daemon, line) = in_command_state(&setup);
    assert_eq!(
        number(&line),
        "+CIPNUM: 111",
        "the copy before the damaged one"
    );
    assert!(
        daemon.messages().contains("parameters"),
        "stderr names the file: {:?}",
        daemon.messages()
    );
}

#[test]
fn a_full_disk_is_an_error_of_atw_and_the_device_lives_on() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start();
    let setup = Setup::new(folder.path()).packing(10).link(1, server.port());
    let daemon = setup.start();
    let (line, connection) = (daemon.line(), server.accept(SOON));
    line.escape();
    store_number(&line, "333");

    daemon.limit_files(Some(0));
    assert_eq!(line.command("AT+CIPNUM=444"), "\r\nOK\r\n");
    let refused = line.command("ATW");
    assert!(refused.starts_with("\r\n+CME ERROR: "), "{refused:?}");
    assert_eq!(line.command("AT+ENTM"), "\r\nOK\r\n");
    line.send(b"still here");
    assert_eq!(connection.receive(10, SOON), b"still here");
    connection.send(b"so am I");
    assert_eq!(line.receive(7, SOON), b"so am I");

    daemon.limit_files(None);
    line.escape();
    assert_eq!(line.command("ATW"), "\r\nOK\r\n");
    daemon.kill();
    let (_daemon, line) = in_command_state(&setup);
    assert_eq!(number(&line), "+CIPNUM: 444");
}

#[test]
fn frames_that_wait_survive_a_start_that_fails() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::refusing();
    let setup = Setup::new(folder.path()).packing(0).link(1, server.port());
    let daemon = setup.start();
    let line = daemon.line();
    line.send(b"precious");
    line.escape();
    assert!(daemon.terminate().success());
    let kept = setup.state().join("undelivered-1");
    assert!(kept.exists());

    // A line that cannot be made, and a log that cannot: both are found after the frames were read.
    let line = folder.path().join("taken");
    fs::write(&line, "a file").unwrap();
    for extra in [
        ["--serial", &format!("pty:{}", line.display())],
        ["--record", "/nonexistent/log"],
    ] {
        let mut dtud = Command::new(env!("CARGO_BIN_EXE_dtud"));
        dtud.current_dir(folder.path())
            .args(["--console", "off", "--state"])
            .arg(setup.state())
            .args(extra);
        assert_eq!(dtud.output().unwrap().status.code(), Some(1));
        assert!(kept.exists(), "{extra:?}");
    }
}

#[test]
fn a_log_on_a_full_disk_does_not_end_the_device() {
    let folder = tempfile::tempdir().unwrap();
    let full = || fs::File::options().write(true).open("/dev/full").unwrap();
    let mut dtud = Command::new(env!("CARGO_BIN_EXE_dtud"));
    dtud.current_dir(folder.path()).args([
        "--console",
        "off",
        "--state",
        "state",
        "--at",
        "CIOPTIME=0",
    ]);
    dtud.env("RUST_LOG", "trace").stdout(full()).stderr(full());
    let mut child = dtud.spawn().unwrap();
    let line = folder.path().join("dtu0");
    eventually("the line", SOON, || line.exists().then_some(()));
    let line = eventually("the line opens", SOON, || Line::open(&line).ok());
    line.receive_to(b"\r\nUSR-GPRS232-DTU\r\n", SOON);
    line.escape();
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert!(child.wait().unwrap().success());
}
