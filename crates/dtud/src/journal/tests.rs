//! The log as a person reads it, in virtual time.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, Once};
use std::time::Duration;

use dtu_proto::config::{Config, Options, Protocol};
use dtu_proto::drops::{DropPlace, Dropped};
use dtu_proto::event::{
    CloseReason, Connect, Event as DeviceEvent, LinkDownReason, LinkId, Origin, SocketId,
};
use dtu_proto::radio::PhoneNumber;
use dtu_proto::time::Instant;
use dtu_proto::{Dtu, Identity};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber, span};

use super::Journal;
use super::drops::{Drops, Total};
use super::peers::Peers;
use crate::socket::{Contact, SocketNews};

/// Does `work`; what this thread says meanwhile goes to `subscriber`.
pub(crate) fn heard_by<R>(
    subscriber: impl Subscriber + Send + Sync,
    work: impl FnOnce() -> R,
) -> R {
    static NOBODY_IN_PARTICULAR: Once = Once::new();
    // Where one subscriber alone exists, a thread without one that comes first to a line of the log would have it
    // noted, for all threads, that nobody listens to that line.
    NOBODY_IN_PARTICULAR.call_once(|| {
        tracing::subscriber::set_global_default(tracing_subscriber::registry()).unwrap();
    });
    tracing::subscriber::with_default(subscriber, || {
        tracing::callsite::rebuild_interest_cache();
        work()
    })
}

/// Keeps what is said at INFO and above.
#[derive(Clone, Default)]
pub(crate) struct Ear(Arc<Mutex<Vec<String>>>);

impl Ear {
    pub(crate) fn listens<R>(&self, work: impl FnOnce() -> R) -> R {
        heard_by(self.clone(), work)
    }

    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            write!(self.0, "{value:?}").unwrap();
        }
    }
}

impl Subscriber for Ear {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::INFO
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut message = Message(format!("{:5} ", event.metadata().level()));
        event.record(&mut message);
        self.0.lock().unwrap().push(message.0);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

const REFUSED: LinkDownReason = LinkDownReason::Network(CloseReason::Refused);
const EXPIRED: LinkDownReason = LinkDownReason::Network(CloseReason::Certificate);

/// Link 1, and a clock.
struct Bench {
    peers: Peers,
    now: Instant,
    ear: Ear,
}

impl Bench {
    fn new() -> Self {
        let mut bench = Self {
            peers: Peers::default(),
            now: Instant::ZERO,
            ear: Ear::default(),
        };
        let address = "data.example.com".to_owned();
        let target = Connect {
            protocol: Protocol::Tcp,
            address,
            port: 9000,
            local_port: 0,
            tls: false,
        };
        bench.peers.connecting(LinkId::ALL[0].into(), &target);
        bench
    }

    fn wait(&mut self, seconds: u64) -> &mut Self {
        self.now += Duration::from_secs(seconds);
        self
    }

    fn fails(&mut self, reason: LinkDownReason, trouble: &str) -> &mut Self {
        let place = LinkId::ALL[0].into();
        let contact = Contact {
            trouble: trouble.to_owned(),
            ..Contact::default()
        };
        let closed = SocketNews::Closed {
            reason: CloseReason::Refused,
            acked: 0,
        };
        self.peers.hear(place, &closed, &contact);
        self.ear
            .listens(|| self.peers.down(place, reason, false, self.now));
        self
    }

    fn comes_up(&mut self) -> &mut Self {
        let place = LinkId::ALL[0].into();
        let contact = Contact {
            peer: "192.0.2.7:9000".parse().ok(),
            ..Contact::default()
        };
        let connected = SocketNews::Connected {
            local: "10.0.0.2:4000".parse().unwrap(),
        };
        self.peers.hear(place, &connected, &contact);
        self.ear.listens(|| self.peers.up(place, self.now));
        self
    }

    fn goes(&mut self, reason: LinkDownReason) -> &mut Self {
        let closed = SocketNews::Closed {
            reason: CloseReason::Reset,
            acked: 0,
        };
        self.peers
            .hear(LinkId::ALL[0].into(), &closed, &Contact::default());
        self.ear.listens(|| {
            self.peers
                .down(LinkId::ALL[0].into(), reason, true, self.now)
        });
        self
    }

    fn fires(&mut self) -> &mut Self {
        self.ear.listens(|| self.peers.fire(self.now));
        self
    }

    #[track_caller]
    fn says(&mut self, lines: &[&str]) -> &mut Self {
        assert_eq!(self.ear.take(), lines);
        self
    }
}

#[test]
fn k9_a_cause_is_told_once_whatever_its_text_holds_and_again_every_ten_minutes() {
    let mut bench = Bench::new();
    bench.fails(EXPIRED, "the certificate expired 4 h ago").says(&[
        "WARN  link 1: no connection to TCP data.example.com:9000: the certificate expired 4 h ago; it is tried again",
    ]);
    for minute in 1..=19 {
        bench.wait(60).fails(
            EXPIRED,
            &format!("the certificate expired 4 h {minute} min ago"),
        );
    }
    bench.says(&[
        "WARN  link 1: down for 10 min: the certificate expired 4 h 10 min ago, 11 attempts",
    ]);
    bench.wait(60).fails(REFUSED, "connection refused by 192.0.2.7:9000").says(&[
        "WARN  link 1: no connection to TCP data.example.com:9000: connection refused by 192.0.2.7:9000; it is tried again",
    ]);
    // Two causes in turn are no news either.
    bench
        .wait(1)
        .fails(EXPIRED, "x")
        .fails(REFUSED, "x")
        .says(&[]);
    bench.wait(3).comes_up().says(&[
        "INFO  link 1: up again after 20 min and 24 attempts, TCP data.example.com:9000 (192.0.2.7:9000)",
    ]);
    assert_eq!(
        bench.peers.deadline(),
        None,
        "nobody is woken for a log line"
    );
    // It lasts: the next trouble is one of its own.
    bench
        .wait(3 * 3600)
        .goes(LinkDownReason::Network(CloseReason::Reset));
    bench.fails(REFUSED, "connection refused by 192.0.2.7:9000").says(&[
        "WARN  link 1: lost after 3 h: reset by the peer",
        "WARN  link 1: no connection to TCP data.example.com:9000: connection refused by 192.0.2.7:9000; it is tried again",
    ]);
}

#[test]
fn k9_a_link_that_comes_and_goes_is_told_once_then_every_ten_minutes_until_it_is_steady() {
    let mut bench = Bench::new();
    bench
        .comes_up()
        .wait(1)
        .goes(LinkDownReason::Network(CloseReason::PeerClosed))
        .says(&[
            "INFO  link 1: up, TCP data.example.com:9000 (192.0.2.7:9000)",
            "WARN  link 1: lost after 1 s: closed by the peer",
        ]);
    bench.wait(29).comes_up().says(&[
        "INFO  link 1: up again after 29 s and 1 attempt, TCP data.example.com:9000 (192.0.2.7:9000)",
    ]);
    for _ in 0..20 {
        bench
            .wait(1)
            .goes(LinkDownReason::Network(CloseReason::PeerClosed))
            .wait(29)
            .comes_up();
    }
    bench.says(&[
        "WARN  link 1: unsteady for 10 min: closed by the peer; 20 connections, 0 attempts failed",
    ]);
    let due = bench.peers.deadline();
    assert_eq!(due, Some(bench.now + Duration::from_secs(60)));
    bench
        .wait(60)
        .fires()
        .says(&["INFO  link 1: steady again after 10 min, 21 connections"]);
    assert_eq!(bench.peers.deadline(), None);
}

#[test]
fn a_short_connection_that_ends_in_good_order_is_told_of_once() {
    let mut bench = Bench::new();
    for _ in 0..3 {
        bench
            .comes_up()
            .wait(10)
            .goes(LinkDownReason::Idle)
            .wait(60);
    }
    bench.says(&["INFO  link 1: up, TCP data.example.com:9000 (192.0.2.7:9000)"]);
    let mut peers = Peers::default();
    let closed = LinkDownReason::Network(CloseReason::PeerClosed);
    let ear = Ear::default();
    ear.listens(|| {
        for _ in 0..3 {
            peers.up(SocketId::Httpd, Instant::ZERO);
            peers.down(SocketId::Httpd, closed, true, Instant::ZERO);
        }
    });
    assert_eq!(ear.take().len(), 1);
}

/// 25 of 25 requests to a server that says `Connection: close`.
#[test]
fn k9_a_connection_that_this_device_closes_behind_each_answer_is_told_of_once_a_power_on() {
    let (mut peers, ear) = (Peers::default(), Ear::default());
    let ask = |peers: &mut Peers| {
        peers.up(SocketId::Httpd, Instant::ZERO);
        peers.down(
            SocketId::Httpd,
            LinkDownReason::Ordered,
            true,
            Instant::ZERO,
        );
    };
    ear.listens(|| (0..25).for_each(|_| ask(&mut peers)));
    assert_eq!(ear.take().len(), 1);
    ear.listens(|| {
        peers.begin_anew();
        ask(&mut peers);
    });
    assert_eq!(ear.take().len(), 1);
}

#[test]
fn k8_a_link_whose_name_has_another_address_says_which_link() {
    let mut bench = Bench::new();
    bench.comes_up();
    bench.ear.take();
    let contact = Contact {
        peer: "192.0.2.9:9000".parse().ok(),
        ..Contact::default()
    };
    let connected = SocketNews::Connected {
        local: "10.0.0.2:4000".parse().unwrap(),
    };
    bench.ear.clone().listens(|| {
        bench
            .peers
            .hear(LinkId::ALL[0].into(), &connected, &contact)
    });
    bench.says(&[
        "INFO  link 1: TCP data.example.com:9000 has another address, 192.0.2.9:9000 in place of 192.0.2.7:9000",
    ]);
}

#[test]
fn k8_every_door_has_its_thing_in_front_and_a_failing_store_is_told_once() {
    let device = Dtu::new(
        Config::default(),
        Options::default(),
        Identity::default(),
        1,
        Instant::ZERO,
    );
    let (mut journal, ear) = (Journal::new(device.drops()), Ear::default());
    let phone = Origin::Sms(PhoneNumber::new("+8613900000001").unwrap());
    ear.listens(|| {
        for origin in [phone, Origin::SerialFrame, Origin::Link(LinkId::ALL[0])] {
            journal.log(&DeviceEvent::OriginLocked(origin), &device, Instant::ZERO);
        }
        (0..8).for_each(|_| journal.not_stored("params: No space left on device", Instant::ZERO));
    });
    let for_five = "no command is heard for five minutes";
    assert_eq!(
        ear.take(),
        [
            format!("WARN  SMS: five wrong passwords from +8613900000001, {for_five}"),
            format!("WARN  serial: five wrong passwords in frames, {for_five}"),
            format!("WARN  link 1: five wrong passwords, {for_five}"),
            "ERROR store: params: No space left on device".to_owned(),
        ]
    );
}

/// Counters that go as the test says.
struct Counters {
    drops: Drops,
    now: Instant,
    counted: [Dropped; DropPlace::COUNT],
    ear: Ear,
}

impl Counters {
    fn new() -> Self {
        let device = Dtu::new(
            Config::default(),
            Options::default(),
            Identity::default(),
            1,
            Instant::ZERO,
        );
        let counted = device.drops();
        Self {
            drops: Drops::new(counted),
            now: Instant::ZERO,
            counted,
            ear: Ear::default(),
        }
    }

    fn drop(&mut self, place: DropPlace, count: u64, bytes: u64) -> &mut Self {
        let dropped = &mut self.counted[place.index()];
        dropped.count += count;
        dropped.bytes += bytes;
        self.ear.listens(|| self.drops.look(self.now, self.counted));
        self
    }

    fn ends(&mut self) -> &mut Self {
        self.ear.listens(|| self.drops.say_all(self.now));
        self
    }

    /// Time goes on, and what is due is said when it is due.
    fn wait(&mut self, seconds: u64) -> &mut Self {
        let end = self.now + Duration::from_secs(seconds);
        while let Some(at) = self.drops.deadline().filter(|at| *at <= end) {
            self.now = at;
            self.ear.listens(|| self.drops.fire(at));
        }
        self.now = end;
        self
    }

    #[track_caller]
    fn says(&mut self, lines: &[&str]) -> &mut Self {
        assert_eq!(self.ear.take(), lines);
        self
    }
}

#[test]
fn k3_the_first_drop_is_said_then_the_sum_each_minute_while_it_grows_then_the_end() {
    let mut counters = Counters::new();
    let [first, second, ..] = LinkId::ALL.map(DropPlace::Link);
    counters
        .drop(first, 1, 100)
        .says(&["WARN  link 1: 1 frame (100 bytes) dropped undelivered"]);
    for _ in 0..84 {
        counters.wait(1).drop(first, 1, 100);
    }
    counters.says(&["WARN  link 1: in 1 min, 60 frames (6000 bytes) dropped undelivered"]);
    counters
        .wait(36)
        .says(&["WARN  link 1: in 2 min, 85 frames (8500 bytes) dropped undelivered"]);
    counters
        .drop(second, 1, 7)
        .says(&["WARN  link 2: 1 frame (7 bytes) dropped undelivered"]);
    // One that comes now and then is no outage of its own.
    counters.wait(90).drop(first, 1, 100).says(&[]);
    counters
        .wait(0)
        .says(&["WARN  link 1: in 3 min 30 s, 86 frames (8600 bytes) dropped undelivered"]);
    assert_eq!(
        counters.wait(61).drops.deadline(),
        Some(Instant::ZERO + Duration::from_secs(780))
    );
    counters.wait(700).says(&[
        "INFO  link 1: nothing more for 11 min; 86 frames (8600 bytes) dropped undelivered",
    ]);
    counters.wait(3600).says(&[]);
    assert_eq!(
        counters.drops.deadline(),
        None,
        "nobody is woken once it is over"
    );
    // The next outage counts from its own beginning.
    counters
        .drop(first, 2, 20)
        .says(&["WARN  link 1: 2 frames (20 bytes) dropped undelivered"]);
}

#[test]
fn k3_a_stop_says_what_the_next_minute_would_have_said() {
    let mut counters = Counters::new();
    let [link, ..] = LinkId::ALL;
    counters
        .drop(DropPlace::Link(link), 1, 200)
        .wait(3)
        .drop(DropPlace::Link(link), 24, 4800);
    counters.drop(DropPlace::SerialReplies, 1, 0);
    counters.ear.take();
    counters
        .ends()
        .says(&["WARN  link 1: in 3 s, 25 frames (5000 bytes) dropped undelivered"]);
    // A restart ends no outage, and says nothing twice.
    counters.ends().says(&[]);
    counters
        .wait(2)
        .drop(DropPlace::Link(link), 1, 200)
        .says(&[]);
    counters
        .ends()
        .says(&["WARN  link 1: in 5 s, 26 frames (5200 bytes) dropped undelivered"]);
}

#[test]
fn k3_the_sum_of_all_places_leaves_nothing_out_and_counts_nothing_twice() {
    let mut counters = Counters::new();
    assert_eq!(counters.drops.total().to_string(), "0");
    counters.drop(DropPlace::SerialLost, 900, 0);
    assert_eq!(counters.drops.total().to_string(), "900 bytes");
    let [link, ..] = LinkId::ALL;
    counters
        .drop(DropPlace::LinkDatagrams(link), 139_482, 0)
        .drop(DropPlace::Messages, 1, 0);
    counters
        .drop(DropPlace::Link(link), 2, 100)
        .drop(DropPlace::LinkReplies(link), 1, 0);
    counters.drop(DropPlace::LinkSpool(link), 7, 0);
    assert_eq!(
        counters.drops.total(),
        Total {
            count: 139_486,
            bytes: 1000
        }
    );
    assert_eq!(counters.drops.total().to_string(), "139486 (1000 bytes)");
}

#[test]
fn k3_a_link_that_is_up_again_says_at_once_what_it_lost() {
    let mut counters = Counters::new();
    let [link, ..] = LinkId::ALL;
    counters
        .drop(DropPlace::Link(link), 1, 10)
        .wait(5)
        .drop(DropPlace::Link(link), 3, 30)
        .says(&["WARN  link 1: 1 frame (10 bytes) dropped undelivered"]);
    let now = counters.now;
    counters
        .ear
        .clone()
        .listens(|| counters.drops.link_up(link, now));
    counters.says(&["WARN  link 1: in 5 s, 4 frames (40 bytes) dropped undelivered"]);
    assert_eq!(counters.drops.deadline(), None);
}

#[test]
fn k3_every_place_has_words() {
    let mut counters = Counters::new();
    for index in 0..DropPlace::COUNT {
        counters.drop(counters.counted[index].place, 3, 0);
    }
    let lines = counters.ear.take();
    // Of messages and requests each event has its own text.
    assert_eq!(lines.len(), DropPlace::COUNT - 2);
    for wanted in [
        "WARN  serial: 3 frames of the DTE dropped, nobody takes them",
        "WARN  serial: 3 replies for the DTE dropped, it does not read",
        "WARN  serial: 3 bytes of the DTE lost, the driver had no room",
        "WARN  link 3: 3 datagrams of the peer dropped by the kernel, the DTE does not read",
        "WARN  serial command mode: 3 packets of the DTE refused",
    ] {
        assert!(
            lines.iter().any(|line| line == wanted),
            "{wanted} in {lines:#?}"
        );
    }
}
