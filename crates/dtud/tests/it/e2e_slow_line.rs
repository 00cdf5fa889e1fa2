//! A DTE that reads slowly loses nothing; what a DTE that stopped reading loses is counted (decisions 16.4).

use std::time::{Duration, Instant};

use crate::common;

use common::daemon::{Daemon, Setup, counted_on_disk, figure};
use common::http::HttpServer;
use common::httpd;
use common::line::Line;
use common::random::Random;
use common::server::Server;
use common::{SOON, eventually};

/// More than a pty and the device take from the socket, and less than the socket takes from the network.
const MUCH: usize = 60_000;
/// Two times as long as a line that stands still is waited for.
const SLOW: Duration = Duration::from_secs(22);

fn noise() -> Vec<u8> {
    let mut bytes = vec![0; MUCH];
    Random::new(4).fill(&mut bytes);
    bytes
}

/// Reads so many bytes each 0.1 s for a time, and the rest as it comes.
fn read_slowly(line: &Line, expected: &[u8], at_once: usize) {
    let end = Instant::now() + SLOW;
    let mut got = Vec::new();
    while Instant::now() < end {
        got.extend(line.receive(at_once, SOON));
        std::thread::sleep(Duration::from_millis(100));
    }
    got.extend(line.receive(expected.len() - got.len(), SOON));
    assert!(got == expected, "the line printed other bytes");
}

/// A device with one link, in front of a server that said everything and went.
fn behind_a_server_that_went(folder: &std::path::Path) -> (Setup, Daemon, Line) {
    let server = Server::start();
    let setup = Setup::new(folder).link(1, server.port()).packing(10);
    let daemon = setup.start();
    let line = daemon.line();
    let connection = server.accept(SOON);
    connection.send(&noise());
    (setup, daemon, line)
}

fn counters(line: &Line) -> String {
    line.escape();
    line.command("AT+CISTAT")
}

/// All at once: they do little but wait.
#[test]
fn d2_a_line_that_moves_loses_nothing() {
    std::thread::scope(|scope| {
        scope.spawn(at_4800_bd_all_of_a_server_that_closed_is_printed);
        scope.spawn(at_110_bd_all_of_a_server_that_closed_is_printed);
        scope.spawn(at_4800_bd_a_body_that_ends_with_the_connection_is_printed_whole);
        scope.spawn(at_4800_bd_all_that_came_by_the_connection_of_the_at_mode_is_printed);
    });
}

fn at_4800_bd_all_of_a_server_that_closed_is_printed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (_setup, _daemon, line) = behind_a_server_that_went(folder.path());
    read_slowly(&line, &noise(), 48);
    assert_eq!(figure(&counters(&line), 1, "unread"), 0);
}

fn at_110_bd_all_of_a_server_that_closed_is_printed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (_setup, _daemon, line) = behind_a_server_that_went(folder.path());
    read_slowly(&line, &noise(), 1);
    assert_eq!(figure(&counters(&line), 1, "unread"), 0);
}

fn at_4800_bd_a_body_that_ends_with_the_connection_is_printed_whole() {
    let server = HttpServer::start();
    let bench = httpd::Bench::new(&server);
    bench.line.send(b"data=1");
    let mut client = server.accept();
    client.request();
    client
        .answer("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        .answer(noise());
    drop(client);
    read_slowly(&bench.line, &noise(), 48);
    // It was taken as whole.
    let reply = counters(&bench.line);
    assert_eq!(
        (
            figure(&reply, "HTTPD", "unread"),
            figure(&reply, "HTTPD", "answered")
        ),
        (0, 1)
    );
}

fn at_4800_bd_all_that_came_by_the_connection_of_the_at_mode_is_printed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let daemon = Setup::new(folder.path()).mode(2).packing(10).start();
    let line = daemon.line();
    let server = Server::start();
    line.command(&format!("AT+CIOPEN=TCP,127.0.0.1,{}", server.port()));
    line.receive_to(b"CONNECT OK\r\n", SOON);
    let connection = server.accept(SOON);
    connection.send(&noise());
    drop(connection);
    read_slowly(&line, &noise(), 48);
    line.prints(b"\r\nCLOSED\r\n", SOON);
}

#[test]
fn d2_what_a_dte_that_stopped_reading_loses_is_counted_to_the_byte() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (setup, daemon, line) = behind_a_server_that_went(folder.path());
    let said = "of the peer never read, gone with the connection";
    eventually(said, Duration::from_secs(40), || {
        daemon.messages().contains(said).then_some(())
    });
    let printed = line.drain(Duration::from_secs(1)).len();
    let unread = figure(&counters(&line), 1, "unread");
    assert!(unread > 0);
    assert_eq!(printed as u64 + unread, MUCH as u64);
    // K3 (decisions 16.22).
    eventually("the count is on the disk", SOON, || {
        counted_on_disk(&setup, unread).then_some(())
    });
    daemon.kill();
    assert_eq!(
        figure(&counters(&setup.start().line()), 1, "unread"),
        unread,
        "it lives through the kill"
    );
}
