//! socat as the peer of the AT mode and of the serial command mode: it sends back what it gets.

use std::process::{Command, Stdio};
use std::time::Duration;

use super::common::daemon::{Daemon, Setup};
use super::common::eventually;
use super::common::line::Line;
use super::common::packet::Packet;
use super::common::server::Server;
use super::program::Running;

const PATIENCE: Duration = Duration::from_secs(60);

/// An echo on a port of this machine.
struct Echo {
    port: u16,
    _port: Option<Server>,
    _running: Running,
}

fn socat(address: &str) -> Running {
    let mut command = Command::new("socat");
    command
        .args([address, "PIPE"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    Running::start(command, "socat")
}

fn tcp_echo() -> Echo {
    let reserved = Server::refusing();
    let port = reserved.port();
    let running = socat(&format!("TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr,fork"));
    Echo {
        port,
        _port: Some(reserved),
        _running: running,
    }
}

fn udp_echo() -> Echo {
    let free = std::net::UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
    let port = free.expect("a free port").port();
    let running = socat(&format!(
        "UDP-RECVFROM:{port},bind=127.0.0.1,reuseaddr,fork"
    ));
    // A datagram that comes before is lost, and a socket that tries the port would keep socat from it.
    let bound = format!("0100007F:{port:04X}");
    eventually("socat has its port", PATIENCE, || {
        let table = std::fs::read_to_string("/proc/net/udp").expect("the table of sockets");
        table.contains(&bound).then_some(())
    });
    Echo {
        port,
        _port: None,
        _running: running,
    }
}

fn device(mode: u8) -> (tempfile::TempDir, Daemon, Line) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let setup = Setup::new(folder.path())
        .settings("[link]\nbackoff_max = 1")
        .mode(mode)
        .packing(20);
    let daemon = setup.start();
    let line = daemon.line();
    (folder, daemon, line)
}

#[track_caller]
fn prints(line: &Line, text: &[u8]) {
    let got = line.receive(text.len(), PATIENCE);
    assert_eq!(
        got.escape_ascii().to_string(),
        text.escape_ascii().to_string()
    );
}

fn every_byte() -> Vec<u8> {
    (0..=255).rev().collect()
}

#[test]
fn socat_sends_back_what_the_at_mode_sends() {
    for (protocol, echo) in [("TCP", tcp_echo()), ("UDP", udp_echo())] {
        let (_folder, _daemon, line) = device(2);
        // Until socat listens an attempt fails.
        eventually("a connection", PATIENCE, || {
            line.send(format!("AT+CIOPEN={protocol},127.0.0.1,{}\r", echo.port).as_bytes());
            prints(&line, b"\r\nOK\r\n\r\nCONNECT ");
            (line.receive_to(b"\r\n", PATIENCE) == b"OK\r\n").then_some(())
        });
        for text in [b"hello".to_vec(), every_byte()] {
            line.send(format!("AT+CISEND={}\r", text.len()).as_bytes());
            prints(&line, b"\r\n> ");
            line.send(&text);
            prints(&line, b"\r\nSEND OK\r\n");
            prints(&line, &text);
        }
        line.send(b"AT+CICLOSE\r");
        prints(&line, b"\r\nCLOSE OK\r\n");
    }
}

#[test]
fn socat_sends_back_what_the_serial_command_mode_sends() {
    let (tcp, udp) = (tcp_echo(), udp_echo());
    let (_folder, _daemon, line) = device(1);
    for text in [b"hello".to_vec(), every_byte(), vec![0; 1000]] {
        for packet in [
            Packet::tcp(tcp.port, &text),
            Packet::tcp(tcp.port, &text).short(1),
            Packet::tcp(tcp.port, &text).to("localhost"),
            Packet::udp(udp.port, &text),
        ] {
            line.send(&packet.bytes());
            prints(&line, &text);
        }
    }
}
