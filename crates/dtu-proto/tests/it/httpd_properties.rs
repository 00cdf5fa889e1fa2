//! Whatever happens to the HTTPD client: each frame reaches the server at most once and in order, none is lost in
//! silence, and what is printed is what the server gave.
#![allow(missing_docs)]

use dtu_proto::config::{Config, Options, WorkingMode};
use dtu_proto::event::{CloseReason, Input, ModemInput, QueueId, SocketId};
use dtu_proto::status::{HttpdCounters, HttpdStatus, LinkState};
use dtu_proto::testing::{Bench, Net};
use dtu_proto::time::Duration;
use proptest::prelude::*;

const SERVER: SocketId = SocketId::Httpd;

/// What happens.
#[derive(Clone, Debug)]
enum Act {
    Frame,
    Server(&'static str),
    Lose(CloseReason),
    Connected,
    Net(Net),
    Wait(u64),
    Attached(bool),
    Console(&'static str),
    DteReads(bool),
}

const BYTES: [&str; 8] = [
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.1 204 x\r\n\r\n",
    "HTTP/1.1 100 x\r\n\r\nHTTP/1.1 404 x\r\nTransfer-Encoding: chunked\r\n\r\n",
    "2\r\nno\r\n0\r\n\r\n",
    "HTTP/1.0 200 OK\r\n\r\nsome",
    "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nbye",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhal",
    "what?\r\n",
];

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let reasons = [
        CloseReason::PeerClosed,
        CloseReason::Reset,
        CloseReason::TimedOut,
    ];
    let lines = [
        "AT+CIMOD=0;+CIAPPLY",
        "AT+CIMOD=3;+CIAPPLY",
        "AT+CIAPPLY",
        "AT+HTPTO=5;+CIAPPLY",
        "AT+CIRESET",
    ];
    let nets = [
        Net::Good,
        Net::Good,
        Net::Stuck,
        Net::Refused,
        Net::BlackHole,
    ];
    let act = prop_oneof![
        6 => Just(Act::Frame),
        8 => prop::sample::select(&BYTES[..]).prop_map(Act::Server),
        3 => prop::sample::select(reasons.to_vec()).prop_map(Act::Lose),
        1 => Just(Act::Connected),
        4 => prop::sample::select(nets.to_vec()).prop_map(Act::Net),
        6 => prop_oneof![0..200_u64, 0..70_000_u64].prop_map(Act::Wait),
        1 => any::<bool>().prop_map(Act::Attached),
        2 => prop::sample::select(lines.to_vec()).prop_map(Act::Console),
        1 => any::<bool>().prop_map(Act::DteReads),
    ];
    prop::collection::vec(act, 0..60)
}

/// The device, and what the server got.
struct Story {
    dev: Bench,
    frames: u32,
    seen: Vec<u32>,
    printed: usize,
}

impl Story {
    fn new() -> Self {
        let mut config = Config {
            mode: WorkingMode::Httpd,
            heartbeat_interval: 0,
            packing_time: 0,
            ..Config::default()
        };
        config.restart_time = 0;
        let mut options = Options {
            setup_window: Duration::ZERO,
            ..Options::default()
        };
        options.modes.spool = true;
        let mut dev = Bench::with(config, options);
        let printed = dev.at(1000).printed().len();
        assert!(printed > 0, "the banner");
        Self {
            dev,
            frames: 0,
            seen: Vec::new(),
            printed: 0,
        }
    }

    fn act(&mut self, act: &Act) {
        let HttpdStatus {
            state,
            counters,
            waiting_frames,
            ..
        } = self.status();
        let rests = state == LinkState::Off;
        let asked = counters.requests > done(&counters) || waiting_frames == 0;
        let dev = &mut self.dev;
        match act {
            // In the transparent mode a frame finds no link; and a host does not read a line that is not wanted.
            Act::Frame if rests || !dev.dtu.wants_serial() => {}
            Act::Frame => {
                self.frames += 1;
                dev.serial(format!("<{}>", self.frames));
            }
            // A server that answers what it has not got would make it asked.
            Act::Server(_) if state == LinkState::Connected && !asked => {}
            Act::Server(bytes) => drop(dev.network(SERVER, bytes)),
            Act::Lose(reason) => drop(dev.lose(SERVER, *reason, 0)),
            // The peer of a connection that stands stays what it is.
            Act::Net(_) | Act::Connected if state == LinkState::Connected => {}
            Act::Connected => {
                dev.net(SERVER, Net::Good);
                dev.connects(SERVER);
            }
            Act::Net(net) => drop(dev.net(SERVER, *net)),
            Act::Wait(millis) => drop(dev.wait(*millis)),
            Act::Attached(true) => {
                dev.input(Input::Modem(&ModemInput::Attached([10, 0, 0, 2].into())));
            }
            Act::Attached(false) => drop(dev.input(Input::Modem(&ModemInput::Detached))),
            Act::Console(line) => drop(dev.input(Input::Console(line))),
            Act::DteReads(true) => drop(dev.dte_reads_on()),
            Act::DteReads(false) => drop(dev.dte_stops()),
        }
        self.look();
    }

    fn status(&self) -> HttpdStatus {
        self.dev.dtu.status(self.dev.now).httpd
    }

    /// What must be true at any time.
    fn look(&mut self) {
        let got = String::from_utf8(self.dev.received(SERVER)).expect("text");
        for request in got.split_inclusive("\r\n\r\n") {
            let id = request
                .strip_prefix("GET /1.php?%3C")
                .and_then(|rest| rest.split_once("%3E HTTP/1.1\r\n"));
            self.seen
                .push(id.expect("a whole request").0.parse().expect("a number"));
        }
        assert!(
            self.seen.is_sorted_by(|a, b| a < b),
            "at most once, in order: {:?}",
            self.seen
        );
        let banner = "\\r\\nUSR-GPRS232-DTU\\r\\n";
        self.printed += self
            .dev
            .printed()
            .replace(banner, "")
            .replace("\\r", "1")
            .replace("\\n", "1")
            .len();
        let HttpdStatus {
            counters,
            waiting_frames,
            ..
        } = self.status();
        let done = done(&counters);
        // What comes while the device is about to restart waits for that.
        assert!((0..=1).contains(&(u64::from(self.frames) - counters.frames_in)));
        assert_eq!(
            counters.frames_in,
            done + counters.dropped_frames + waiting_frames as u64
        );
        assert!(
            counters.requests >= done && counters.requests <= done + 1,
            "{counters:?}"
        );
        let undelivered = self.dev.dtu.undelivered(QueueId::Httpd).count() as u64;
        assert_eq!(undelivered + counters.requests, counters.frames_in);
    }
}

/// Frames that had their turn.
const fn done(counters: &HttpdCounters) -> u64 {
    counters.answered + counters.answered_other + counters.failed + counters.timed_out
}

proptest! {
    #[test]
    fn each_frame_is_asked_at_most_once_and_none_is_lost(acts in acts()) {
        let mut story = Story::new();
        for act in &acts {
            story.act(act);
        }
        // All is well again: what waits goes, and everything was asked exactly once.
        let mode = Act::Console("AT+CIMOD=3;+CIAPPLY");
        let lost = Act::Lose(CloseReason::Reset);
        for act in [lost, Act::Net(Net::Good), Act::DteReads(true), Act::Attached(true), Act::Wait(5000), mode] {
            story.act(&act);
        }
        story.act(&Act::Wait(120_000));
        // The acts above are skipped while the line is not read; now it is.
        let before = story.frames;
        story.act(&Act::Frame);
        prop_assert_eq!(story.frames, before + 1, "the line is read when all is well");
        while story.status().waiting_frames > 0 {
            story.act(&Act::Server(BYTES[0]));
            story.act(&Act::Wait(40_000));
        }
        prop_assert_eq!(&story.seen, &(1..=story.frames).collect::<Vec<_>>());
        // A restart forgets what waits for the line (decisions 16.3), counted.
        let forgotten = story.dev.dtu.status(story.dev.now).serial.counters.undelivered_bytes;
        let printed = story.printed as u64;
        if story.dev.power.is_empty() {
            prop_assert_eq!(printed + forgotten, story.status().counters.printed_bytes);
        } else {
            // What a restart took back from a DTE that did not read was seen as printed, and is counted as well.
            prop_assert!(printed + forgotten >= story.status().counters.printed_bytes);
        }
    }
}
