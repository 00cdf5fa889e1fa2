//! From one working mode to another: what waits for a mode waits for its return, over restarts and kill -9 too.

use std::path::Path;
use std::time::Duration;

use crate::common;

use common::daemon::Setup;
use common::http::HttpServer;
use common::line::Line;
use common::packet::Packet;
use common::server::Server;
use common::{SOON, eventually};

const TRANSPARENT: u8 = 0;
const COMMAND: u8 = 1;
const AT: u8 = 2;
const HTTPD: u8 = 3;

/// The peers of all modes. None of them listens before it is told to.
struct Peers {
    link: Server,
    destination: Server,
    web: HttpServer,
}

impl Peers {
    fn new() -> Self {
        Self {
            link: Server::refusing(),
            destination: Server::refusing(),
            web: HttpServer::refusing(),
        }
    }

    fn listen(&mut self) {
        self.link.listen();
        self.destination.listen();
        self.web.port.listen();
    }

    /// A device that knows them all, in the transparent mode.
    fn setup(&self, folder: &Path) -> Setup {
        let setup = Setup::new(folder)
            .settings("[link]\nbackoff_max = 1")
            .packing(10);
        let setup = setup
            .at(&format!("HTPSV={}", self.web.address()))
            .at("HTPURL=/1.php?");
        setup.link(1, self.link.port())
    }

    /// The web server gets this frame and answers it.
    #[track_caller]
    fn asked(&self, line: &Line, frame: &str) {
        let mut client = self.web.accept();
        assert_eq!(
            client.request().line,
            format!("GET /1.php?{frame} HTTP/1.1")
        );
        client.answer_with("[answer]");
        assert_eq!(line.receive(8, SOON), b"[answer]");
    }
}

/// A frame, and the silence that ends it.
fn send_frame(line: &Line, frame: &[u8]) {
    line.send(frame);
    std::thread::sleep(Duration::from_millis(40));
}

/// From the command state into another mode, which begins at once and without a restart.
#[track_caller]
fn go_to(line: &Line, mode: u8) {
    assert_eq!(line.command(&format!("AT+CIMOD={mode}")), "\r\nOK\r\n");
    assert_eq!(line.command("AT+CIAPPLY"), "\r\nOK\r\n");
}

/// A frame for each of the three modes that keep frames, while nobody listens; it ends in the AT mode.
fn leave_a_frame_in_each_mode(line: &Line, peers: &Peers) {
    send_frame(line, b"for the link");
    line.escape();
    go_to(line, HTTPD);
    send_frame(line, b"for-the-web");
    line.escape();
    go_to(line, COMMAND);
    send_frame(
        line,
        &Packet::tcp(peers.destination.port(), b"for the destination").bytes(),
    );
    line.escape();
    go_to(line, AT);
}

/// From the AT mode through the others; each has its frame.
fn find_a_frame_in_each_mode(line: &Line, peers: &Peers) {
    go_to(line, HTTPD);
    peers.asked(line, "for-the-web");
    line.escape();
    go_to(line, TRANSPARENT);
    let link = peers.link.accept(SOON);
    assert_eq!(link.receive(12, SOON), b"for the link");
    line.escape();
    go_to(line, COMMAND);
    // The links of the transparent mode rest meanwhile.
    link.wait_for_the_end(SOON);
    let destination = peers.destination.accept(SOON);
    assert_eq!(destination.receive(19, SOON), b"for the destination");
}

#[test]
fn what_waits_for_a_mode_waits_for_its_return() {
    let folder = tempfile::tempdir().unwrap();
    let mut peers = Peers::new();
    let daemon = peers.setup(folder.path()).start();
    let line = daemon.line();
    leave_a_frame_in_each_mode(&line, &peers);
    peers.listen();
    // The AT mode has its own connection, and none of the others'.
    let server = Server::start();
    assert_eq!(
        line.command(&format!("AT+CIOPEN=TCP,127.0.0.1,{}", server.port())),
        "\r\nOK\r\n"
    );
    line.receive_to(b"\r\nCONNECT OK\r\n", SOON);
    let connection = server.accept(SOON);
    assert!(
        peers.web.stays_alone(Duration::from_millis(300)),
        "nobody asks in the AT mode"
    );
    find_a_frame_in_each_mode(&line, &peers);
    connection.wait_for_the_end(SOON);
    drop(daemon);
}

#[test]
fn what_waits_for_a_mode_survives_a_clean_stop_in_another() {
    let folder = tempfile::tempdir().unwrap();
    let mut peers = Peers::new();
    let setup = peers.setup(folder.path());
    let daemon = setup.start();
    let line = daemon.line();
    leave_a_frame_in_each_mode(&line, &peers);
    assert!(daemon.terminate().success());
    peers.listen();
    let daemon = setup.clone().mode(AT).start();
    find_a_frame_in_each_mode(&daemon.line(), &peers);
}

#[test]
fn what_waits_on_the_disk_for_a_mode_survives_kill_9_in_another() {
    let folder = tempfile::tempdir().unwrap();
    let mut peers = Peers::new();
    let setup = peers.setup(folder.path()).settings("spool = \"disk\"");
    let daemon = setup.start();
    let line = daemon.line();
    leave_a_frame_in_each_mode(&line, &peers);
    for text in [&b"for the link"[..], b"for-the-web", b"for the destination"] {
        eventually("the frame is on the disk", SOON, || {
            let files = common::files_below(&setup.state());
            files
                .iter()
                .any(|bytes| bytes.windows(text.len()).any(|part| part == text))
                .then_some(())
        });
    }
    daemon.kill();
    peers.listen();
    let daemon = setup.clone().mode(AT).start();
    find_a_frame_in_each_mode(&daemon.line(), &peers);
}

/// A restart into the mode that is stored.
fn restart_into(line: &Line, mode: u8) {
    assert_eq!(line.command(&format!("AT+CIMOD={mode}")), "\r\nOK\r\n");
    assert_eq!(line.command("ATW"), "\r\nOK\r\n");
    line.send(b"AT+CIRESET\r");
    line.receive_to(b"\r\nUSR-GPRS232-DTU\r\n", SOON);
}

#[test]
fn a_stored_mode_is_in_force_after_a_restart_and_what_waited_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut peers = Peers::new();
    let daemon = peers.setup(folder.path()).start();
    let line = daemon.line();
    send_frame(&line, b"for the link");
    line.escape();
    restart_into(&line, HTTPD);
    send_frame(&line, b"for-the-web");
    peers.listen();
    peers.asked(&line, "for-the-web");
    assert!(
        peers
            .link
            .try_accept(common::within(Duration::from_millis(300)))
            .is_none(),
        "the links rest"
    );
    line.escape();
    restart_into(&line, TRANSPARENT);
    assert_eq!(peers.link.accept(SOON).receive(12, SOON), b"for the link");
    daemon.kill();
    // Stored is stored.
    let daemon = Setup::new(folder.path()).start();
    let line = daemon.line();
    line.escape();
    assert_eq!(line.command("AT+CIMOD?"), "\r\n+CIMOD: 0\r\n\r\nOK\r\n");
}

#[test]
fn the_escape_works_in_every_mode_and_what_is_none_is_data() {
    let mut peers = Peers::new();
    peers.listen();
    for mode in [TRANSPARENT, COMMAND, AT, HTTPD] {
        let folder = tempfile::tempdir().unwrap();
        let daemon = peers.setup(folder.path()).mode(mode).start();
        let line = daemon.line();
        line.escape();
        assert_eq!(
            line.command("AT+CIMOD?"),
            format!("\r\n+CIMOD: {mode}\r\n\r\nOK\r\n")
        );
        assert_eq!(line.command("AT+ENTM"), "\r\nOK\r\n");
        std::thread::sleep(Duration::from_millis(260));
        match mode {
            TRANSPARENT => {
                line.send(b"+++a");
                assert_eq!(peers.link.accept(SOON).receive(4, SOON), b"+++a");
            }
            COMMAND => {
                let packet = Packet::tcp(peers.destination.port(), b"+++a");
                line.send(&packet.bytes());
                assert_eq!(peers.destination.accept(SOON).receive(4, SOON), b"+++a");
            }
            HTTPD => {
                line.send(b"+++a");
                peers.asked(&line, "+++a");
            }
            _ => {}
        }
    }
}

#[test]
fn an_answer_that_is_no_command_is_none_in_any_mode_but_the_transparent() {
    let folder = tempfile::tempdir().unwrap();
    let mut peers = Peers::new();
    peers.listen();
    let daemon = peers
        .setup(folder.path())
        .at("CINETAT=1")
        .at("CIPSW=12345")
        .mode(HTTPD)
        .start();
    let line = daemon.line();
    send_frame(&line, b"q");
    let mut client = peers.web.accept();
    client.request();
    client.answer_with("12345,AT+CIRESET\r\n");
    let printed = b"12345,AT+CIRESET\r\n";
    assert_eq!(line.receive(printed.len(), SOON), printed);
    line.escape();
    go_to(&line, COMMAND);
    send_frame(&line, &Packet::tcp(peers.destination.port(), b"q").bytes());
    let connection = peers.destination.accept(SOON);
    connection.send(printed);
    assert_eq!(line.receive(printed.len(), SOON), printed);
    drop(daemon);
}

#[test]
fn a_recorded_run_through_the_modes_is_replayed_to_the_byte() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let mut peers = Peers::new();
    peers.listen();
    let daemon = peers.setup(folder.path()).mode(HTTPD).record(&log).start();
    let line = daemon.line();
    send_frame(&line, b"data=12345");
    peers.asked(&line, "data=12345");
    line.escape();
    go_to(&line, COMMAND);
    send_frame(
        &line,
        &Packet::tcp(peers.destination.port(), b"a packet")
            .with_reply()
            .bytes(),
    );
    let destination = peers.destination.accept(SOON);
    assert_eq!(destination.receive(8, SOON), b"a packet");
    line.receive_to(b"\r\nSEND OK\r\n", SOON);
    line.escape();
    go_to(&line, AT);
    assert_eq!(
        line.command(&format!("AT+CIOPEN=TCP,127.0.0.1,{}", peers.link.port())),
        "\r\nOK\r\n"
    );
    line.receive_to(b"\r\nCONNECT OK\r\n", SOON);
    peers.link.accept(SOON).send(b"from the peer");
    line.receive_to(b"from the peer", SOON);
    assert!(daemon.terminate().success());

    let text = std::fs::read_to_string(&log).unwrap();
    let mut ordered = Vec::new();
    let told =
        |line: &str| ordered.extend(line.split_once(" -> ").map(|(_, order)| order.to_owned()));
    dtu_sim::replay::replay(&text, told).unwrap();
    for order in [
        "HTTPD send \"GET /1.php?data=12345 HTTP/1.1\\r\\n",
        "serial write \"[answer]\"",
        "destination 1 send \"a packet\"",
        "serial write \"\\r\\nSEND OK\\r\\n\"",
        "AT mode connect TCP 127.0.0.1 port ",
        "serial write \"from the peer\"",
    ] {
        assert!(
            ordered.iter().any(|told| told.starts_with(order)),
            "no {order} in {ordered:#?}"
        );
    }
}
