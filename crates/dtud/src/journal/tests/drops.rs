//! What is said of drops.

use super::*;

/// Counters that go as the test says.
struct Counters {
    drops: Drops,
    now: Instant,
    counted: [Dropped; DropPlace::COUNT],
    ear: LogCapture,
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
            ear: LogCapture::default(),
        }
    }

    fn drop(&mut self, place: DropPlace, count: u64, bytes: u64) -> &mut Self {
        let dropped = &mut self.counted[place.index()];
        dropped.count += count;
        dropped.bytes += bytes;
        self.ear.capture(|| self.drops.look(self.now, self.counted));
        self
    }

    fn ends(&mut self) -> &mut Self {
        self.ear.capture(|| self.drops.report_all(self.now));
        self
    }

    /// Time goes on, and what is due is said when it is due.
    fn wait(&mut self, seconds: u64) -> &mut Self {
        let end = self.now + Duration::from_secs(seconds);
        while let Some(at) = self.drops.deadline().filter(|at| *at <= end) {
            self.now = at;
            self.ear.capture(|| self.drops.fire(at));
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
        .capture(|| counters.drops.link_up(link, now));
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
        "WARN  serial: 3 URCs for the DTE dropped, the line carries data or does not rest",
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
