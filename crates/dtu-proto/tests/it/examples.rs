//! The programs of `examples/` do what their first lines say.

use std::io::{self, Write};
use std::net::UdpSocket;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

#[path = "../../examples/device_in_a_test.rs"]
#[expect(dead_code, reason = "its tests are run, not its `main`")]
mod device_in_a_test;
#[path = "../../examples/host.rs"]
#[expect(dead_code, reason = "its `main` is not run")]
mod host;
#[path = "../../examples/replay.rs"]
#[expect(dead_code, reason = "its `main` is not run")]
mod replay;

/// Long enough for two noisy cores.
const SOON: Duration = Duration::from_secs(20);

/// What the host writes to the serial line.
struct Line(Sender<Vec<u8>>);

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .send(bytes.to_vec())
            .map_err(|_| io::ErrorKind::BrokenPipe)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn printed(line: &Receiver<Vec<u8>>, until: &str) -> String {
    let mut printed = String::new();
    while !printed.ends_with(until) {
        printed.push_str(&String::from_utf8_lossy(
            &line.recv_timeout(SOON).expect("something is printed"),
        ));
    }
    printed
}

#[test]
fn the_host_carries_a_serial_line_to_a_server_and_back() {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    server.set_read_timeout(Some(SOON)).unwrap();
    let settings = format!(
        "AT+CIPSCONT=1,UDP,127.0.0.1,{},1\nAT+CIPPACK=1,44545530303031,0",
        server.local_addr().unwrap().port()
    );
    let (from_dte, mut dte) = io::pipe().unwrap();
    let (to_dte, serial) = mpsc::channel();
    let (ended, end) = mpsc::channel();
    thread::spawn(move || {
        let result = host::run(&settings, Box::new(from_dte), &mut Line(to_dte));
        ended.send(result.map_err(|error| error.to_string()))
    });
    let received = || {
        let mut buffer = [0; 100];
        let (count, device) = server.recv_from(&mut buffer).expect("a datagram in time");
        (buffer[..count].to_vec(), device)
    };

    let (registration, device) = received();
    assert_eq!(registration, b"DTU0001");
    dte.write_all(b"42 kWh\n").unwrap();
    assert_eq!(received().0, b"42 kWh\n");
    server.send_to(b"relay on\n", device).unwrap();
    printed(&serial, "relay on\n");

    // What was typed last goes before the end.
    dte.write_all(b"43 kWh\n").unwrap();
    drop(dte);
    assert_eq!(end.recv_timeout(SOON), Ok(Ok(())));
    assert_eq!(received().0, b"43 kWh\n");
}

/// Without blank lines and comments.
#[test]
fn the_host_has_60_lines() {
    let lines = include_str!("../../examples/host.rs").lines();
    let is_code = |line: &&str| !line.trim().is_empty() && !line.trim().starts_with("//");
    assert_eq!(lines.filter(is_code).count(), 60);
}

#[test]
fn the_recorded_run_is_replayed() {
    let mut told = Vec::new();
    replay::replay(include_str!("../../examples/run.log"), &mut told).unwrap();
    let told = String::from_utf8(told).unwrap();
    let sends: Vec<_> = told
        .lines()
        .filter_map(|line| line.split_once("Send("))
        .collect();
    let sends: Vec<_> = sends
        .iter()
        .map(|(when, what)| (when.trim_start(), *what))
        .collect();
    let expected = [
        ("0.049314", "DTU0001"),
        ("0.651785", "42 kWh"),
        ("3.854372", "HB"),
        // The server was away, and took the heartbeat with it; what was typed meanwhile waits.
        ("5.545366", "DTU0001"),
        ("5.745981", "43 kWh"),
    ];
    let expected = expected.map(|(when, body)| {
        let (socket, payload) = (
            "Socket(Link(LinkId(0)), ",
            "Payload { prefix: b\"\", body: b\"",
        );
        (
            format!("{when} -> {socket}"),
            format!("{payload}{body}\\n\" }}))"),
        )
    });
    assert!(
        sends
            .iter()
            .copied()
            .eq(expected.iter().map(|(when, what)| (&**when, &**what))),
        "{told}"
    );
    assert!(told.ends_with("   6.346455 -> Power(Stop)\n"), "{told}");
}

#[test]
fn what_is_no_log_is_refused_with_its_line() {
    let why = replay::replay("dtu-record 1\nseed x\n", &mut io::sink()).unwrap_err();
    assert!(why.to_string().starts_with("line 2: "), "{why}");
}
