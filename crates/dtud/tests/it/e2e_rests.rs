//! In a long run of bytes the device leaves the line alone for a while: what ends such a rest loses nothing.
//!
//! On a machine that is too busy to keep the pace no rest may come; then these show the same of a device that reads at
//! once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::common;

use common::SOON;
use common::daemon::{Daemon, Setup};
use common::line::Line;
use common::server::{Connection, Server};

const SLICE: [u8; 57] = [b'r'; 57];
/// 57 bytes at 115200 Bd.
const PERIOD: Duration = Duration::from_micros(4950);
/// Long enough for several rests behind the run that brings the first.
const RUN: usize = 120;

struct Bench {
    _folder: tempfile::TempDir,
    _server: Server,
    daemon: Daemon,
    line: Line,
    connection: Connection,
}

fn bench() -> Bench {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = Server::start();
    let setup = Setup::new(folder.path()).packing(50);
    let daemon = setup.link(1, server.port()).start();
    Bench {
        line: daemon.line(),
        connection: server.accept(SOON),
        daemon,
        _server: server,
        _folder: folder,
    }
}

/// As an adapter delivers it: at its own pace, whatever the device does.
fn run(line: &Line) -> usize {
    let mut due = Instant::now();
    for _ in 0..RUN {
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        line.send(&SLICE);
        due += PERIOD;
    }
    // The kernel takes a moment from one end of a pty to the other.
    std::thread::sleep(Duration::from_millis(2));
    RUN * SLICE.len()
}

#[test]
fn an_order_to_stop_in_a_rest_loses_no_byte() {
    let bench = bench();
    let sent = run(&bench.line);
    assert!(bench.daemon.terminate().success());
    assert_eq!(bench.connection.receive(sent, SOON), [b'r'].repeat(sent));
}

#[test]
fn a_line_that_is_closed_in_a_rest_loses_no_byte() {
    let bench = bench();
    let sent = run(&bench.line);
    drop(bench.line);
    assert_eq!(bench.connection.receive(sent, SOON), [b'r'].repeat(sent));
}

#[test]
fn a_peer_that_sends_without_end_does_not_keep_the_line_from_being_read() {
    let bench = bench();
    let (line, connection, is_over) = (&bench.line, &bench.connection, AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                connection.send(&[b'd'; 4096]);
                line.receive(4096, SOON);
            }
        });
        let sent = run(line);
        assert_eq!(connection.receive(sent, SOON), [b'r'].repeat(sent));
        is_over.store(true, Ordering::Relaxed);
    });
}
