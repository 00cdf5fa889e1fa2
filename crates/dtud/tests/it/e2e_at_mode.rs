//! The AT mode (2): one connection by commands (manual 2.8.6.34 to 2.8.6.36), on a real line and real sockets.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use sha2::{Digest, Sha256};
use socket2::{Domain, Socket, Type};

use crate::common;

use common::SOON;
use common::daemon::{Daemon, Setup};
use common::line::Line;
use common::random::Random;
use common::server::{Connection, Server};

struct Bench {
    _folder: tempfile::TempDir,
    _daemon: Daemon,
    line: Line,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let daemon = Setup::new(folder.path()).mode(2).packing(20).start();
        let line = daemon.line();
        Self {
            _folder: folder,
            _daemon: daemon,
            line,
        }
    }

    /// One with a TCP connection to the server.
    fn connected(server: &Server) -> (Self, Connection) {
        let bench = Self::new();
        bench.opens("TCP", server.port());
        let connection = server.accept(SOON);
        (bench, connection)
    }

    #[track_caller]
    fn opens(&self, protocol: &str, port: u16) {
        let reply = self
            .line
            .command(&format!("AT+CIOPEN={protocol},127.0.0.1,{port}"));
        assert_eq!(reply, "\r\nOK\r\n");
        self.prints("\r\nCONNECT OK\r\n");
    }

    /// One command that asks for text, and the text.
    #[track_caller]
    fn sends(&self, command: &str, text: &[u8]) {
        self.line.send(format!("{command}\r").as_bytes());
        self.prints("\r\n> ");
        self.line.send(text);
        self.prints("\r\nSEND OK\r\n");
    }

    #[track_caller]
    fn prints(&self, bytes: impl AsRef<[u8]>) {
        self.line.prints(bytes.as_ref(), SOON);
    }

    #[track_caller]
    fn refuses(&self, command: &str) {
        let reply = self.line.command(command);
        assert!(
            reply.starts_with("\r\n+CME ERROR: "),
            "{command}: {reply:?}"
        );
    }

    /// Line 0 of `AT+CINET?`.
    fn state(&self) -> String {
        let reply = self.line.command("AT+CINET?");
        let line = reply.lines().find(|line| line.starts_with("+CINET:0,"));
        line.unwrap_or_else(|| panic!("no line 0 in {reply}"))
            .to_owned()
    }
}

#[test]
fn manual_2_8_6_34_to_36_a_connection_is_opened_used_and_closed() {
    let server = Server::start();
    let (bench, connection) = Bench::connected(&server);
    assert!(
        bench.state().starts_with("+CINET:0,CONNECTED"),
        "{}",
        bench.state()
    );
    bench.sends("AT+CISEND", b"hello\x1a");
    assert_eq!(connection.receive(6, SOON), b"hello\x1a");
    connection.send(b"\x00and \xff back");
    bench.prints(b"\x00and \xff back");
    bench.line.send(b"AT+CICLOSE\r");
    bench.prints("\r\nCLOSE OK\r\n");
    connection.wait_for_the_end(SOON);
    bench.refuses("AT+CISEND");
    bench.refuses("AT+CICLOSE");
    // And again, to the same server.
    bench.opens("\"TCP\"", server.port());
}

#[test]
fn a_frame_of_every_byte_is_sent_and_its_end_is_the_silence() {
    let server = Server::start();
    let (bench, connection) = Bench::connected(&server);
    let every: Vec<u8> = (0..=255).collect();
    bench.sends("AT+CISEND", &every);
    assert_eq!(connection.receive(256, SOON), every);
    // By number: all of it is data, the end marks and the escape too.
    let marks = b"\x1a\x1bAT+CICLOSE\r\n+++";
    bench.sends(&format!("AT+CISEND={}", marks.len()), marks);
    assert_eq!(connection.receive(marks.len(), SOON), marks);
    let thousand = vec![b'x'; 1024];
    bench.sends("AT+CISEND=1024", &thousand);
    assert_eq!(connection.receive(1024, SOON), thousand);
    bench.refuses("AT+CISEND=0");
    bench.refuses("AT+CISEND=1025");
}

#[test]
fn escape_cancels_and_nothing_is_sent() {
    let server = Server::start();
    let (bench, connection) = Bench::connected(&server);
    bench.line.send(b"AT+CISEND\r");
    bench.prints("\r\n> ");
    bench.line.send(b"\x1b");
    bench.prints("\r\nOK\r\n");
    bench.sends("AT+CISEND", b"next");
    assert_eq!(connection.receive(4, SOON), b"next");
}

#[test]
fn what_comes_while_a_prompt_is_open_waits() {
    let server = Server::start();
    let (bench, connection) = Bench::connected(&server);
    bench.line.send(b"AT+CISEND=4\r");
    bench.prints("\r\n> ");
    connection.send(b"[from the peer]");
    assert_eq!(bench.line.drain(Duration::from_millis(200)), b"");
    bench.line.send(b"data");
    assert_eq!(connection.receive(4, SOON), b"data");
    let all = bench
        .line
        .receive("\r\nSEND OK\r\n[from the peer]".len(), SOON);
    assert_eq!(
        String::from_utf8_lossy(&all),
        "\r\nSEND OK\r\n[from the peer]"
    );
}

#[test]
fn an_attempt_that_fails_says_so_and_why_is_known() {
    let server = Server::refusing();
    let bench = Bench::new();
    for (address, why) in [
        ("127.0.0.1", "refused"),
        ("no-such-host.invalid", "name not found"),
    ] {
        let reply = bench
            .line
            .command(&format!("AT+CIOPEN=TCP,{address},{}", server.port()));
        assert_eq!(reply, "\r\nOK\r\n");
        bench.prints("\r\nCONNECT FAIL\r\n");
        let state = bench.state();
        assert!(state.contains(why), "{state}");
    }
    bench.refuses("AT+CIOPEN=TCP,127.0.0.1,0");
    bench.refuses("AT+CIOPEN=SCTP,127.0.0.1,1");
}

#[test]
fn the_peers_end_is_told_behind_all_its_bytes() {
    let server = Server::start();
    let (bench, connection) = Bench::connected(&server);
    connection.send(b"last words");
    connection.finish();
    bench.prints("last words\r\nCLOSED\r\n");
    bench.refuses("AT+CISEND");
    bench.opens("TCP", server.port());
}

#[test]
fn a_datagram_is_a_frame_both_ways() {
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    peer.set_read_timeout(Some(SOON)).unwrap();
    let bench = Bench::new();
    bench.opens("UDP", peer.local_addr().unwrap().port());
    let mut buffer = [0; 2048];
    for text in [&b"one"[..], b"two", &[0xff; 1000]] {
        bench.sends("AT+CISEND", text);
        let (count, from) = peer.recv_from(&mut buffer).unwrap();
        assert_eq!(&buffer[..count], text, "one datagram");
        peer.send_to(text, from).unwrap();
        bench.prints(text);
    }
    bench.line.send(b"AT+CICLOSE\r");
    bench.prints("\r\nCLOSE OK\r\n");
}

/// A port whose queue of connections is full: attempts get no answer. Holds what fills it.
fn unanswering() -> std::io::Result<(SocketAddr, TcpListener, Vec<TcpStream>)> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
    socket.listen(0)?;
    let listener = TcpListener::from(socket);
    let address = listener.local_addr()?;
    let attempt = || TcpStream::connect_timeout(&address, Duration::from_millis(200)).ok();
    let full: Vec<TcpStream> = std::iter::from_fn(attempt).collect();
    Ok((address, listener, full))
}

#[test]
fn an_attempt_that_gets_no_answer_is_cancelled() {
    let (address, _listener, _full) = unanswering().unwrap();
    let bench = Bench::new();
    assert_eq!(
        bench
            .line
            .command(&format!("AT+CIOPEN=TCP,127.0.0.1,{}", address.port())),
        "\r\nOK\r\n"
    );
    // Commands work meanwhile.
    assert!(
        bench.state().starts_with("+CINET:0,CONNECTING"),
        "{}",
        bench.state()
    );
    bench.refuses("AT+CISEND");
    bench.refuses("AT+CIOPEN=TCP,127.0.0.1,9");
    bench.line.send(b"AT+CICLOSE\r");
    bench.prints("\r\nCLOSE OK\r\n");
    let server = Server::start();
    bench.opens("TCP", server.port());
}

#[test]
fn an_open_connection_is_one_and_its_reset_is_told() {
    let server = Server::start();
    let (bench, connection) = Bench::connected(&server);
    bench.refuses(&format!("AT+CIOPEN=TCP,127.0.0.1,{}", server.port()));
    connection.reset();
    bench.prints("\r\nCLOSED\r\n");
    assert!(bench.state().contains("reset"), "{}", bench.state());
}

#[test]
fn a_peer_that_sends_much_waits_for_the_line_and_loses_nothing() {
    const TOTAL: usize = 8 * 1024 * 1024;
    let server = Server::start();
    let (bench, connection) = Bench::connected(&server);
    let (sent, received) = std::thread::scope(|scope| {
        let sent = scope.spawn(|| {
            let (mut random, mut sum, mut block) =
                (Random::new(2), Sha256::new(), vec![0; 64 * 1024]);
            for _ in 0..TOTAL / block.len() {
                random.fill(&mut block);
                sum.update(&block);
                connection.send(&block);
            }
            sum.finalize()
        });
        let mut sum = Sha256::new();
        let deadline = common::within(Duration::from_secs(100));
        common::pump::exchange(
            &bench.line,
            |_| 0,
            TOTAL as u64,
            |bytes| sum.update(bytes),
            deadline,
        )
        .expect("all of it");
        (sent.join().unwrap(), sum.finalize())
    });
    assert_eq!(sent, received);
    bench.sends("AT+CISEND", b"still here");
    assert_eq!(connection.receive(10, SOON), b"still here");
}
