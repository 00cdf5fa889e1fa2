//! The serial command mode (1): each packet names its destination, on a real line and real sockets.

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use crate::common;

use common::daemon::{Daemon, Setup};
use common::line::Line;
use common::packet::Packet;
use common::server::Server;
use common::usage::Usage;
use common::{SOON, eventually};

struct Bench {
    folder: tempfile::TempDir,
    daemon: Daemon,
    line: Line,
}

fn setup(folder: &std::path::Path) -> Setup {
    Setup::new(folder)
        .settings("[link]\nbackoff_max = 1")
        .mode(1)
        .packing(10)
}

impl Bench {
    fn new() -> Self {
        Self::set_up(|setup| setup)
    }

    fn set_up(with: impl FnOnce(Setup) -> Setup) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let daemon = with(setup(folder.path())).start();
        let line = daemon.line();
        Self {
            folder,
            daemon,
            line,
        }
    }

    fn send(&self, packet: Packet<'_>) {
        self.line.send(&packet.bytes());
    }

    #[track_caller]
    fn prints(&self, bytes: impl AsRef<[u8]>) {
        self.line.prints(bytes.as_ref(), SOON);
    }

    /// One line of an error.
    #[track_caller]
    fn complains(&self) -> String {
        self.prints("\r\n");
        String::from_utf8(self.line.receive_to(b"\r\n", SOON)).expect("errors are text")
    }

    /// The lines of `AT+CINET?` for the destinations.
    fn destinations(&self) -> Vec<String> {
        self.line.escape();
        let reply = self.line.command("AT+CINET?");
        assert_eq!(self.line.command("AT+ENTM"), "\r\nOK\r\n");
        reply
            .lines()
            .filter(|line| line.starts_with("+CINET:0,"))
            .map(str::to_owned)
            .collect()
    }
}

#[test]
fn a_packet_opens_its_connection_and_what_comes_back_is_printed_raw() {
    let server = Server::start();
    let bench = Bench::new();
    let every: Vec<u8> = (0..=255).collect();
    bench.send(Packet::tcp(server.port(), &every));
    let connection = server.accept(SOON);
    assert_eq!(connection.receive(256, SOON), every);
    connection.send(&every);
    bench.prints(&every);
    // The connection stays, and takes the next one too; two packets in one write are two.
    let two = [
        Packet::tcp(server.port(), b"one").bytes(),
        Packet::tcp(server.port(), b"two").bytes(),
    ];
    bench.line.send(&two.concat());
    assert_eq!(connection.receive(6, SOON), b"onetwo");
    let there = bench.destinations();
    assert_eq!(there.len(), 1, "{there:?}");
    assert!(
        there[0].contains("CONNECTED") && there[0].contains(&server.port().to_string()),
        "{there:?}"
    );
}

#[test]
fn a_packet_in_pieces_is_one_packet() {
    let server = Server::start();
    let bench = Bench::new();
    let data: Vec<u8> = (0..1000_u32)
        .map(|number| number.to_le_bytes()[0])
        .collect();
    let bytes = Packet::tcp(server.port(), &data).bytes();
    for piece in bytes.chunks(100) {
        bench.line.send(piece);
        // Longer than TIME: the frames of the line are not the packets of the mode.
        std::thread::sleep(Duration::from_millis(30));
    }
    assert_eq!(server.accept(SOON).receive(1000, SOON), data);
}

#[test]
fn a_datagram_goes_to_its_destination_and_answers_come_back() {
    let peers: Vec<UdpSocket> = (0..3)
        .map(|_| UdpSocket::bind("127.0.0.1:0").unwrap())
        .collect();
    let bench = Bench::new();
    for (number, peer) in (b'0'..).zip(&peers) {
        peer.set_read_timeout(Some(SOON)).unwrap();
        bench.send(Packet::udp(
            peer.local_addr().unwrap().port(),
            &[number, 0, 255],
        ));
        let mut buffer = [0; 16];
        let (count, from) = peer.recv_from(&mut buffer).unwrap();
        assert_eq!(buffer[..count], [number, 0, 255]);
        peer.send_to(&[b'<', number, b'>'], from).unwrap();
        bench.prints([b'<', number, b'>']);
    }
}

#[test]
fn a_destination_may_have_a_name_and_may_ask_for_an_answer() {
    let server = Server::start();
    let bench = Bench::new();
    bench.send(
        Packet::tcp(server.port(), b"by name")
            .to("localhost")
            .with_reply(),
    );
    let connection = server.accept(SOON);
    assert_eq!(connection.receive(7, SOON), b"by name");
    bench.prints("\r\nSEND OK\r\n");
}

#[test]
fn a_short_connection_ends_after_its_time_and_the_next_packet_opens_another() {
    let server = Server::start();
    let bench = Bench::new();
    for _ in 0..2 {
        bench.send(Packet::tcp(server.port(), b"short").short(1));
        let connection = server.accept(SOON);
        assert_eq!(connection.receive(5, SOON), b"short");
        let begin = Instant::now();
        connection.wait_for_the_end(SOON);
        let took = begin.elapsed();
        assert!(
            (Duration::from_millis(800)..Duration::from_secs(3)).contains(&took),
            "{took:?}"
        );
    }
}

#[test]
fn what_is_no_packet_is_answered_by_an_error_and_the_next_one_is_found() {
    let server = Server::start();
    let bench = Bench::new();
    let good = Packet::tcp(server.port(), b"good").bytes();
    let mut wrong_sum = good.clone();
    *wrong_sum.last_mut().unwrap() ^= 1;
    bench.line.send(&wrong_sum);
    let said = bench.complains();
    assert!(said.starts_with("+CME ERROR: "), "{said}");
    bench.line.send(&good);
    let connection = server.accept(SOON);
    assert_eq!(connection.receive(4, SOON), b"good");
    bench.line.send(&[b"garbage", good.as_slice()].concat());
    assert_eq!(connection.receive(4, SOON), b"good");
    let said = bench.complains();
    assert!(said.contains("55 AA"), "{said}");
    // A packet of which the rest does not come is given up; the next one is whole.
    bench.line.send(&good[..10]);
    let said = bench.complains();
    assert!(said.starts_with("+CME ERROR: "), "{said}");
    bench.line.send(&good);
    assert_eq!(connection.receive(4, SOON), b"good");
}

#[test]
fn packets_wait_for_a_destination_that_is_down_and_hold_up_no_other() {
    let mut down = Server::refusing();
    let up = Server::start();
    let bench = Bench::new();
    for number in 0..10_u8 {
        bench.send(Packet::tcp(down.port(), &[number; 100]));
        bench.send(Packet::tcp(up.port(), &[number]));
    }
    let connection = up.accept(SOON);
    assert_eq!(connection.receive(10, SOON), (0..10).collect::<Vec<u8>>());
    eventually("why it waits", SOON, || {
        bench
            .destinations()
            .iter()
            .any(|line| line.contains("WAITING") && line.contains("refused"))
            .then_some(())
    });
    down.listen();
    let late = down.accept(SOON);
    let wanted: Vec<u8> = (0..10).flat_map(|number| [number; 100]).collect();
    assert_eq!(late.receive(1000, SOON), wanted);
}

#[test]
fn a_ninth_destination_takes_the_place_of_the_one_that_rested_longest() {
    let servers: Vec<Server> = (0..9).map(|_| Server::start()).collect();
    let bench = Bench::new();
    let mut connections = Vec::new();
    for server in &servers {
        bench.send(Packet::tcp(server.port(), b"hello"));
        let connection = server.accept(SOON);
        assert_eq!(connection.receive(5, SOON), b"hello");
        connections.push(connection);
        // So that its acknowledgement is known: nothing waits for it any more.
        eventually("delivered", SOON, || {
            bench
                .destinations()
                .last()
                .is_some_and(|line| line.contains("CONNECTED"))
                .then_some(())
        });
    }
    connections[0].wait_for_the_end(SOON);
    assert_eq!(bench.destinations().len(), 8);
    for (connection, server) in connections.iter().zip(&servers).skip(1) {
        bench.send(Packet::tcp(server.port(), b"again"));
        assert_eq!(
            connection.receive(5, SOON),
            b"again",
            "it is the same connection"
        );
    }
}

#[test]
fn packets_on_the_disk_survive_kill_9_and_go_where_they_were_to_go() {
    let mut servers = [Server::refusing(), Server::refusing()];
    let disk = |setup: Setup| setup.settings("spool = \"disk\"");
    let bench = Bench::set_up(disk);
    for number in 0..6_u8 {
        bench.send(Packet::tcp(
            servers[usize::from(number) % 2].port(),
            &[b'a' + number; 10],
        ));
    }
    let Bench {
        folder,
        daemon,
        line,
    } = bench;
    let setup = disk(setup(folder.path()));
    eventually("all packets on disk", SOON, || {
        let files = common::files_below(&setup.state());
        files
            .iter()
            .any(|bytes| bytes.windows(10).any(|part| part == [b'f'; 10]))
            .then_some(())
    });
    daemon.kill();
    drop(line);
    servers.iter_mut().for_each(Server::listen);
    let daemon = setup.start();
    for (server, wanted) in servers.iter().zip([b"ace", b"bdf"]) {
        let wanted: Vec<u8> = wanted.iter().flat_map(|letter| [*letter; 10]).collect();
        assert_eq!(server.accept(SOON).receive(30, SOON), wanted);
    }
    drop(daemon);
}

#[test]
fn connections_that_are_idle_wake_nobody() {
    let server = Server::start();
    let bench = Bench::new();
    bench.send(Packet::tcp(server.port(), b"hello"));
    let connection = server.accept(SOON);
    assert_eq!(connection.receive(5, SOON), b"hello");
    let usage = || Usage::of(bench.daemon.pid()).expect("the daemon is alive");
    eventually("a second without a wake-up", SOON, || {
        let before = usage();
        std::thread::sleep(Duration::from_secs(1));
        (usage().since(before).wake_ups == 0).then_some(())
    });
}

#[test]
fn a_packet_looks_like_the_published_example() {
    let mut bytes = Packet::udp(33, &[1]).bytes();
    // The example's destination is 192.168.0.133.
    bytes[9..13].copy_from_slice(&[0x85, 0x00, 0xA8, 0xC0]);
    let sum = bytes[4..14]
        .iter()
        .fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    bytes[14] = sum;
    let example = [
        0x55, 0xAA, 0x00, 0x0A, 0x00, 0x00, 0x00, 0x21, 0x00, 0x85, 0x00, 0xA8, 0xC0, 0x01, 0x0F,
    ];
    assert_eq!(bytes, example);
}
