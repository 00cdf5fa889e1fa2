//! What is said of links, causes and commands.

use super::*;

const REFUSED: LinkDownReason = LinkDownReason::Network(CloseReason::Refused);

const EXPIRED: LinkDownReason = LinkDownReason::Network(CloseReason::Certificate);

/// Link 1, and a clock.
struct Bench {
    peers: Peers,
    now: Instant,
    ear: LogCapture,
}

impl Bench {
    fn new() -> Self {
        let mut bench = Self {
            peers: Peers::default(),
            now: Instant::ZERO,
            ear: LogCapture::default(),
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
        let closed = SocketEvent::Closed {
            reason: CloseReason::Refused,
            acked: 0,
        };
        self.peers.on_socket(place, &closed, &contact);
        self.ear
            .capture(|| self.peers.down(place, reason, false, self.now));
        self
    }

    fn comes_up(&mut self) -> &mut Self {
        let place = LinkId::ALL[0].into();
        let contact = Contact {
            peer: "192.0.2.7:9000".parse().ok(),
            ..Contact::default()
        };
        let connected = SocketEvent::Connected {
            local: "10.0.0.2:4000".parse().unwrap(),
        };
        self.peers.on_socket(place, &connected, &contact);
        self.ear.capture(|| self.peers.up(place, self.now));
        self
    }

    fn goes(&mut self, reason: LinkDownReason) -> &mut Self {
        let closed = SocketEvent::Closed {
            reason: CloseReason::Reset,
            acked: 0,
        };
        self.peers
            .on_socket(LinkId::ALL[0].into(), &closed, &Contact::default());
        self.ear.capture(|| {
            self.peers
                .down(LinkId::ALL[0].into(), reason, true, self.now)
        });
        self
    }

    fn fires(&mut self) -> &mut Self {
        self.ear.capture(|| self.peers.fire(self.now));
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
    let ear = LogCapture::default();
    ear.capture(|| {
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
    let (mut peers, ear) = (Peers::default(), LogCapture::default());
    let ask = |peers: &mut Peers| {
        peers.up(SocketId::Httpd, Instant::ZERO);
        peers.down(
            SocketId::Httpd,
            LinkDownReason::Ordered,
            true,
            Instant::ZERO,
        );
    };
    ear.capture(|| (0..25).for_each(|_| ask(&mut peers)));
    assert_eq!(ear.take().len(), 1);
    ear.capture(|| {
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
    let connected = SocketEvent::Connected {
        local: "10.0.0.2:4000".parse().unwrap(),
    };
    bench.ear.clone().capture(|| {
        bench
            .peers
            .on_socket(LinkId::ALL[0].into(), &connected, &contact)
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
    let (mut journal, ear) = (Journal::new(device.drops()), LogCapture::default());
    let phone = Origin::Sms(PhoneNumber::new("+8613900000001").unwrap());
    ear.capture(|| {
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
