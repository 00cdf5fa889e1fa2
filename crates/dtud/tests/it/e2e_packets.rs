//! Registration, heartbeats and remote commands, to the byte, on a real connection.

use std::time::{Duration, Instant};

use crate::common;

use common::SOON;
use common::daemon::{Daemon, Setup};
use common::line::Line;
use common::server::{Connection, Server};

/// Longer than a reply or a stray byte needs, shorter than a heartbeat.
const SILENCE: Duration = Duration::from_millis(300);
const CIPR: &[u8] = b"\r\n+CIPR: 115200\r\n\r\nOK\r\n";

struct Device {
    _folder: tempfile::TempDir,
    daemon: Daemon,
    line: Line,
    servers: Vec<Server>,
}

/// A device with `links` links to this machine, TIME 20 and these commands.
fn device(links: u8, commands: &[&str]) -> Device {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let servers: Vec<Server> = (0..links).map(|_| Server::start()).collect();
    let setup = (1..).zip(&servers).fold(
        Setup::new(folder.path()).packing(20),
        |setup, (number, server)| setup.link(number, server.port()),
    );
    let daemon = commands
        .iter()
        .fold(setup, |setup, command| setup.at(command))
        .start();
    let line = daemon.line();
    Device {
        _folder: folder,
        daemon,
        line,
        servers,
    }
}

impl Device {
    fn accept(&self, link: usize) -> Connection {
        self.servers[link].accept(SOON)
    }
}

#[test]
fn with_status_0_the_registration_packet_begins_each_connection_and_nothing_else() {
    let device = device(1, &["CIPPACK=1,\"00ff4f4b\",0"]);
    for _ in 0..2 {
        let connection = device.accept(0);
        assert_eq!(connection.receive(4, SOON), b"\x00\xffOK");
        device.line.send(b"data");
        assert_eq!(connection.receive(4, SOON), b"data");
        assert_eq!(connection.drain(SILENCE), b"");
    }
}

#[test]
fn with_status_1_it_also_precedes_each_data_frame_but_no_heartbeat() {
    let device = device(
        1,
        &[
            "CIPCFG=1,1,0,20,0,0",
            "CIPPACK=0,\"3a293a\",0",
            "CIPPACK=1,\"52\",1",
        ],
    );
    let connection = device.accept(0);
    assert_eq!(connection.receive(1, SOON), b"R");
    device.line.send(b"one");
    assert_eq!(connection.receive(4, SOON), b"Rone");
    device.line.send(b"two");
    assert_eq!(connection.receive(4, SOON), b"Rtwo");
    let begin = Instant::now();
    assert_eq!(connection.receive(3, SOON), b":):");
    assert!(
        begin.elapsed() > Duration::from_millis(700),
        "the link was idle for HEAT: {:?}",
        begin.elapsed()
    );
    assert_eq!(connection.receive(3, SOON), b":):", "and again");
}

#[test]
fn with_sta_1_the_heartbeat_goes_to_the_serial_line_and_to_no_link() {
    let device = device(1, &["CIPCFG=1,1,0,20,0,0", "CIPPACK=0,\"48420d0a\",1"]);
    let connection = device.accept(0);
    assert_eq!(device.line.receive(8, SOON), b"HB\r\nHB\r\n");
    assert_eq!(connection.drain(SILENCE), b"");
}

#[test]
fn a_command_from_a_link_is_answered_to_that_link_only() {
    let device = device(2, &["CINETAT=1"]);
    let (asking, other) = (device.accept(0), device.accept(1));
    asking.send(b"admin,AT+CIPR?");
    assert_eq!(asking.receive(CIPR.len(), SOON), CIPR);
    assert_eq!(device.line.drain(SILENCE), b"");
    assert_eq!(other.drain(SILENCE), b"");
}

/// Decisions 16.20: the first password comes from the line or from the settings file, never over a network.
#[test]
fn k5_the_settings_file_gives_the_password_that_a_link_needs_to_set_anything() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = Server::start();
    let factory = Setup::new(folder.path())
        .packing(20)
        .at("CINETAT=1")
        .link(1, server.port());
    let daemon = factory.start();
    let _line = daemon.line();
    let connection = server.accept(SOON);
    let refused =
        b"\r\n+CME ERROR: CIPSW: factory password: set a new one at the serial line first (AT+CIPSW)\r\n";
    connection.send(b"admin,AT+CIPSW=mine1;W");
    assert_eq!(connection.receive(refused.len(), SOON), refused);
    drop(daemon);

    let daemon = factory.settings("[device]\npassword = \"k5k5k\"").start();
    daemon.says("holds the password of commands, and every user may read it");
    let line = daemon.line();
    let connection = server.accept(SOON);
    connection.send(b"admin,AT+CIPR?");
    assert_eq!(line.receive(14, SOON), b"admin,AT+CIPR?");
    connection.send(b"k5k5k,AT+CIPNUM=10010");
    assert_eq!(connection.receive(6, SOON), b"\r\nOK\r\n");
    assert!(
        !daemon.messages().contains("k5k5k"),
        "{}",
        daemon.messages()
    );
}

#[test]
fn a_command_in_a_serial_frame_is_answered_to_the_serial_line_only() {
    let device = device(1, &["CICOMAT=1"]);
    let connection = device.accept(0);
    device.line.send(b"admin,AT+CIPR?");
    assert_eq!(device.line.receive(CIPR.len(), SOON), CIPR);
    assert_eq!(connection.drain(SILENCE), b"");
}

#[test]
fn behind_a_closed_gate_a_command_is_data() {
    let device = device(1, &[]);
    let connection = device.accept(0);
    connection.send(b"admin,AT+CIPR?");
    assert_eq!(device.line.receive(14, SOON), b"admin,AT+CIPR?");
    device.line.send(b"admin,AT+CIPR?");
    assert_eq!(connection.receive(14, SOON), b"admin,AT+CIPR?");
    assert_eq!(device.line.drain(SILENCE), b"");
}

#[test]
fn a_wrong_password_is_data() {
    let device = device(1, &["CINETAT=1", "CICOMAT=1"]);
    let connection = device.accept(0);
    connection.send(b"wrong,AT+CIPR?");
    assert_eq!(device.line.receive(14, SOON), b"wrong,AT+CIPR?");
    device.line.send(b"admi,AT+CIPR?");
    assert_eq!(connection.receive(13, SOON), b"admi,AT+CIPR?");
}

#[test]
fn every_byte_value_passes_both_ways() {
    let device = device(1, &[]);
    let connection = device.accept(0);
    let all: Vec<u8> = (0..=255).collect();
    device.line.send(&all);
    assert_eq!(connection.receive(256, SOON), all);
    connection.send(&all);
    assert_eq!(device.line.receive(256, SOON), all);
    drop(device.daemon);
}
