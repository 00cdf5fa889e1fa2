//! Limits and counts of the line to the byte, the text and the microsecond.

use alloc::collections::VecDeque;
use alloc::vec;

use super::*;
use crate::event::{LinkId, SerialOutput, SocketId};
use crate::line::escape::Outcome;
use crate::line::port::{Dropped, Purpose, SerialPort};
use crate::line::printer::{QUEUE_HIGH, REPLY_QUEUE_HIGH};
use crate::line::prompt::Ends;
use crate::rng::Rng;

mod urcs;

const PEER: Source = Source::Socket(SocketId::Link(LinkId::ALL[0]));

fn at(ms: u64) -> Instant {
    Instant::from_millis(ms)
}

fn text(len: usize) -> Bytes {
    Bytes::from(vec![b'x'; len])
}

/// A line, with what it is lent.
struct Bench {
    line: Line,
    config: Config,
    outputs: VecDeque<Output>,
}

impl Bench {
    fn new(state: LineState) -> Self {
        let config = Config::default();
        let mut line = Line::new(config.line, Arc::new(Options::default()), at(0));
        line.state = state;
        Self {
            line,
            config,
            outputs: VecDeque::new(),
        }
    }

    fn with<R>(&mut self, ms: u64, run: impl FnOnce(&mut Line, &mut Cx<'_>) -> R) -> R {
        let mut cx = Cx {
            options: &self.line.options.clone(),
            is_ending: false,
            last_from_dte: self.line.last_from_dte,
            now: at(ms),
            config: &self.config,
            outputs: &mut self.outputs,
            acts: &mut VecDeque::new(),
            rng: &mut Rng::new(1),
            attached: true,
        };
        run(&mut self.line, &mut cx)
    }

    /// The DTE sends bytes in one read.
    fn reads(&mut self, ms: u64, mut bytes: &[u8]) -> Vec<LineEvent> {
        self.with(ms, |line, cx| {
            line.note_received(bytes.len(), cx.now);
            core::iter::from_fn(|| line.next(&mut bytes, false, cx)).collect()
        })
    }

    fn prints(&mut self, ms: u64, class: Class, len: usize) {
        self.with(ms, |line, cx| line.print(class, text(len), IDLE, cx));
    }

    fn written(&mut self) -> Vec<u8> {
        let written = self.outputs.drain(..).filter_map(|output| {
            if let Output::Serial(SerialOutput::Write(bytes)) = output {
                Some(bytes)
            } else {
                None
            }
        });
        written.flatten().collect()
    }
}

const IDLE: Dialogue = Dialogue {
    answering: false,
    ending: false,
    at_mode: false,
};

/// A port whose line takes nothing: 4 bytes of the peer are with the host; 3 and 2, and 5 of the device, wait.
fn stuck_port() -> (SerialPort, VecDeque<Output>) {
    let (mut port, mut outputs) = (SerialPort::default(), VecDeque::new());
    for (len, purpose) in [
        (4, Purpose::Data(PEER)),
        (3, Purpose::Data(PEER)),
        (5, Purpose::Text),
        (2, Purpose::Data(PEER)),
    ] {
        port.write(text(len), purpose, at(len as u64), &mut outputs);
    }
    (port, outputs)
}

fn of_data(data: usize) -> Dropped {
    Dropped {
        data,
        ..Dropped::default()
    }
}

#[test]
fn room_is_made_to_the_byte_in_the_queue_and_in_what_is_held_back() {
    let (mut port, _) = stuck_port();
    let figures = |port: &SerialPort| (port.waiting(), port.waiting_from(PEER), port.own_waiting());
    assert_eq!(figures(&port), (14, 9, 5));
    assert_eq!(port.make_room(PEER, 9), of_data(0));
    assert_eq!(port.make_room(PEER, 6), of_data(3));
    assert_eq!(figures(&port), (11, 6, 5));
    port.hold_back(text(7), PEER, at(9));
    port.hold_back(text(8), PEER, at(9));
    port.hold_back(text(1), Source::Device, at(9));
    assert_eq!(figures(&port), (27, 21, 6));
    assert_eq!(port.make_room(PEER, 12), of_data(2 + 7));
    assert_eq!(figures(&port), (18, 12, 6));
    // What the host has stays.
    assert_eq!(port.make_room(PEER, 0), of_data(8));
    assert_eq!(figures(&port), (10, 4, 6));
}

#[test]
fn what_fades_is_counted_by_its_kind_and_takes_no_room_any_more() {
    let (mut port, mut outputs) = stuck_port();
    for purpose in [
        Purpose::Urc,
        Purpose::Urc,
        Purpose::Text,
        Purpose::Data(Source::Device),
        Purpose::Message,
    ] {
        port.write(text(10), purpose, at(5), &mut outputs);
    }
    port.hold_back(text(6), PEER, at(5));
    port.hold_back(text(9), PEER, at(7));
    outputs.clear();
    let dropped = port.drop_older(at(5), Duration::ZERO, &mut outputs);
    let all = Dropped {
        data: 3 + 2 + 6,
        texts: 3,
        urcs: 2,
    };
    assert_eq!(dropped, all);
    assert_eq!(outputs, [Output::Serial(SerialOutput::Discard)]);
    // What the host has, a message and what came later.
    assert_eq!((port.waiting(), port.waiting_from(PEER)), (4 + 10 + 9, 13));
    assert_eq!(port.discarded(1), (3, of_data(1)));
    assert_eq!((port.waiting(), port.waiting_from(PEER)), (10 + 9, 9));
    assert_eq!(port.data_waiting(), 9);
}

#[test]
fn an_abandoned_port_stays_there_and_knows_its_pieces() {
    let (mut port, mut outputs) = (SerialPort::default(), VecDeque::new());
    port.present = true;
    let slow = LineFormat {
        baud: 300,
        ..LineFormat::default()
    };
    port.configure(slow, &mut outputs);
    port.configured(&mut outputs);
    port.write(text(50), Purpose::Data(PEER), at(1), &mut outputs);
    assert_eq!(port.abandon(), of_data(50));
    assert!(port.present && port.is_empty());
    outputs.clear();
    port.write(text(50), Purpose::Text, at(2), &mut outputs);
    assert_eq!(outputs, [Output::Serial(SerialOutput::Write(text(30)))]);
}

#[test]
fn a_peer_that_makes_room_is_named() {
    let mut bench = Bench::new(LineState::OnlineData);
    bench.config.network_at = true;
    assert_eq!(
        (PEER.socket(), Source::Device.socket()),
        (Some(LinkId::ALL[0].into()), None)
    );
    bench.prints(0, Class::Data(PEER), 10);
    let limit = crate::line::room::LISTEN_HIGH;
    bench.with(70_000, |line, cx| {
        line.print_data(text(limit - 20), PEER, IDLE, cx)
    });
    // To the byte there is room.
    bench.with(70_000, |line, cx| line.print_data(text(10), PEER, IDLE, cx));
    let told = |bench: &mut Bench| {
        let told = bench.outputs.drain(..).filter_map(|output| {
            if let Output::Event(Event::LineDropped { bytes, of }) = output {
                Some((bytes, of))
            } else {
                None
            }
        });
        told.collect::<Vec<_>>()
    };
    assert_eq!(told(&mut bench), []);
    bench.with(70_000, |line, cx| line.print_data(text(1), PEER, IDLE, cx));
    assert_eq!(told(&mut bench), [(limit - 20, PEER.socket())]);
    assert_eq!(bench.line.counters.undelivered_bytes, limit as u64 - 20);
}

#[test]
fn what_a_line_took_of_a_write_that_is_discarded_is_counted() {
    let mut bench = Bench::new(LineState::OnlineData);
    bench.prints(0, Class::Data(PEER), 10);
    // It was never there: all that waits fades after its time.
    bench.with(600_000, |line, cx| line.drop_old(cx));
    bench.with(600_000, |line, cx| line.discarded(4, cx));
    let counters = &bench.line.counters;
    assert_eq!((counters.bytes_out, counters.undelivered_bytes), (6, 4));
}

#[test]
fn a_line_that_is_said_to_be_gone_once_more_has_been_gone_all_the_time() {
    let mut bench = Bench::new(LineState::OnlineData);
    assert!(bench.with(10, |line, cx| line.set_present(true, cx)));
    assert!(bench.with(20, |line, cx| line.set_present(false, cx)));
    assert!(!bench.with(30, |line, cx| line.set_present(false, cx)));
    assert_eq!(bench.line.printer.port.gone_at, at(20));
    assert!(bench.with(40, |line, cx| line.set_present(true, cx)));
    assert_eq!(bench.line.printer.port.gone_at, at(20));
}

#[test]
fn replies_find_room_below_their_bound_only() {
    let mut bench = Bench::new(LineState::OnlineCommand);
    bench.prints(0, Class::Reply, REPLY_QUEUE_HIGH - 1);
    assert!(bench.line.takes_replies());
    bench.prints(0, Class::Reply, 1);
    assert!(!bench.line.takes_replies());
}

#[test]
fn only_frames_pass_where_neither_bytes_nor_data_wait() {
    let mut bench = Bench::new(LineState::OnlineData);
    assert!(bench.line.only_frames_pass());
    bench.line.backlog.push(b'x');
    assert!(!bench.line.only_frames_pass());
    bench.line.take_backlog();
    bench.line.printer.port.hold_back(text(1), PEER, at(0));
    assert!(!bench.line.only_frames_pass());
    bench.with(1, |line, cx| line.print_held(cx));
    assert!(bench.line.only_frames_pass());
    bench.line.open_prompt(Ends::Mark, 10, at(1));
    assert!(!bench.line.only_frames_pass());
    bench.line.drop_prompt();
    bench.line.state = LineState::OnlineCommand;
    assert!(!bench.line.only_frames_pass());
}

/// A missing line is given up for what comes when as much waits as stops a peer, and not before.
#[test]
fn a_missing_line_is_given_up_where_its_room_is_full() {
    let hold = Options::default().line_hold;
    for (len, due) in [(QUEUE_HIGH - 1, at(1000)), (QUEUE_HIGH, at(10))] {
        let mut bench = Bench::new(LineState::OnlineData);
        bench.with(5, |line, cx| line.set_present(true, cx));
        bench.with(10, |line, cx| line.set_present(false, cx));
        bench.prints(1000, Class::Data(PEER), len);
        let until = bench.with(1000, |line, cx| {
            let peers = Peers {
                is_up: |_| false,
                httpd: false,
            };
            line.waits_until(peers, IDLE, Terms::of(cx))
        });
        assert_eq!(until, Some(due + hold), "{len}");
    }
}

#[test]
fn a_line_knows_whether_a_urc_waits() {
    let mut bench = Bench::new(LineState::OnlineCommand);
    assert!(!bench.line.has_urcs());
    bench.with(0, |line, cx| {
        line.push_urc(Urc::Text(text(4)), Keep::Always, IDLE, cx)
    });
    assert!(bench.line.has_urcs());
}

#[test]
fn data_is_printed_between_commands_of_the_at_mode_and_held_in_their_midst() {
    let between = Dialogue {
        at_mode: true,
        ..IDLE
    };
    let answering = Dialogue {
        answering: true,
        ..between
    };
    for (dialogue, printed) in [(between, 3), (answering, 0), (IDLE, 0)] {
        let mut bench = Bench::new(LineState::OnlineCommand);
        bench.with(0, |line, cx| {
            line.print(Class::Data(PEER), text(3), dialogue, cx)
        });
        assert_eq!(bench.written().len(), printed, "{dialogue:?}");
        assert_eq!(bench.line.holds_data(), printed == 0, "{dialogue:?}");
    }
}

/// The offer that the line has not taken counts still, ten minutes later.
#[test]
fn an_answer_is_waited_for_from_the_last_offer_on() {
    let mut escape = EscapeDetector::new(Duration::from_millis(50));
    let offers = |escape: &mut EscapeDetector, ms| {
        assert!(matches!(
            escape.feed(b"+++", at(ms)),
            FeedResult::Held { .. }
        ));
        let settled = escape.deadline().unwrap();
        assert!(matches!(escape.fire(settled), Outcome::Offer));
    };
    offers(&mut escape, 1000);
    let given_up = escape.deadline().unwrap();
    assert!(matches!(escape.fire(given_up), Outcome::Released(_)));
    offers(&mut escape, 700_000);
    let patience = escape.deadline();
    escape.offer_written(at(700_100));
    assert_eq!(escape.deadline(), patience, "that was the first one");
    escape.offer_written(at(700_200));
    assert_eq!(escape.deadline(), Some(at(703_200)));
}

#[test]
fn a_plus_behind_one_that_was_held_is_behind_no_silence() {
    let mut escape = EscapeDetector::new(Duration::from_millis(50));
    assert!(matches!(
        escape.feed(b"+", at(1000)),
        FeedResult::Held { .. }
    ));
    assert!(matches!(escape.fire(at(1050)), Outcome::Released(_)));
    assert!(matches!(
        escape.feed(b"+", at(1200)),
        FeedResult::Data { .. }
    ));
    assert!(matches!(
        escape.feed(b"+", at(1401)),
        FeedResult::Held { .. }
    ));
}

/// What the escape holds may belong to the frame: it closes no earlier.
#[test]
fn silence_closes_no_frame_while_the_escape_holds_something() {
    let mut bench = Bench::new(LineState::OnlineData);
    bench.config.packing_time = 1000;
    let due = |bench: &Bench| bench.line.frame_deadline(&bench.config);
    bench.reads(1000, b"abc");
    assert_eq!(due(&bench), Some(at(2000)));
    bench.reads(1300, b"+");
    assert_eq!(due(&bench), None);
    assert!(!bench.line.has_passed_on_all());
}

/// A request of exactly the silence behind a cut one is another request.
#[test]
fn a_request_that_comes_a_silence_behind_a_full_one_was_not_cut() {
    let packing = Packing {
        silence: Duration::from_millis(100),
        size: REQUEST_MAX,
    };
    let full = text(REQUEST_MAX);
    for (behind, cut) in [(99, true), (100, false)] {
        let mut request = CutRequest::default();
        assert!(!request.note(Some(&full), false, at(0), packing));
        assert_eq!(
            request.note(None, false, at(behind), packing),
            cut,
            "{behind}"
        );
    }
}

#[test]
fn a_start_counts_what_stood_half_typed_and_the_urcs_that_it_drops() {
    let mut bench = Bench::new(LineState::Window { until: at(3000) });
    bench.reads(1, b"AT+CI");
    for _ in 0..2 {
        bench.with(2, |line, cx| {
            line.push_urc(Urc::Text(text(4)), Keep::UntilData, IDLE, cx)
        });
    }
    bench.line.power_on(LineFormat::default(), at(10));
    let counters = &bench.line.counters;
    assert_eq!((counters.dropped_bytes, counters.dropped_urcs), (5, 2));
}

#[test]
fn the_format_in_force_is_that_of_the_start_until_it_changes() {
    let slow = LineFormat {
        baud: 1200,
        ..LineFormat::default()
    };
    let mut bench = Bench::new(LineState::OnlineData);
    bench.line.power_on(slow, at(0));
    assert_eq!(bench.line.format(), slow);
    assert!(bench.line.has_taken(b""));
    assert!(!bench.line.has_taken(b"x"));
}

/// At 300 baud a character takes 33 ms: the LF has two of them, and 2 ms.
#[test]
fn a_line_end_belongs_to_its_command_for_two_characters_on_a_slow_line() {
    for (behind, data) in [(68, false), (70, true)] {
        let mut bench = Bench::new(LineState::OnlineCommand);
        bench.line.format.baud = 300;
        assert_eq!(bench.reads(1000, b"AT\r").len(), 1);
        bench.line.state = LineState::OnlineData;
        bench.reads(1000 + behind, b"\n");
        assert_eq!(!bench.line.framer.is_empty(), data, "{behind} ms");
    }
}

#[test]
fn the_end_of_a_text_is_not_echoed_but_where_it_is_a_byte_of_it() {
    for (ends, typed, echoed) in [
        (Ends::Mark, &b"hi\x1A"[..], &b"hi"[..]),
        (Ends::Count, b"hi!", b"hi!"),
    ] {
        let mut bench = Bench::new(LineState::OnlineCommand);
        bench.config.echo = true;
        bench.with(0, |line, cx| {
            line.set_present(true, cx);
            line.open_prompt(ends, 3, cx.now);
        });
        assert_eq!(bench.reads(5, typed).len(), 1);
        let mut all = Vec::new();
        loop {
            let written = bench.written();
            if written.is_empty() {
                break;
            }
            all.extend(written);
            bench.with(6, |line, cx| line.written(cx));
        }
        assert_eq!(all, echoed);
    }
}

#[test]
fn frames_that_find_no_room_in_the_window_are_counted() {
    let mut bench = Bench::new(LineState::Window { until: at(9000) });
    for number in 0..18 {
        bench.reads(100 + number, &[b'x'; 1024]);
    }
    let counters = &bench.line.counters;
    assert_eq!((counters.dropped_frames, counters.dropped_bytes), (3, 3072));
}

/// Noise, an `A`, and the `T` when the frame has ended to the millisecond: no command.
#[test]
fn a_t_that_comes_when_the_frame_is_over_begins_no_command() {
    for (ms, commands) in [(199, 1), (200, 0)] {
        let mut bench = Bench::new(LineState::Window { until: at(9000) });
        bench.config.packing_time = 100;
        bench.reads(100, b"\xFFA");
        assert_eq!(bench.reads(ms, b"T\r").len(), commands, "{ms}");
    }
}

/// At 300 baud 30 characters take a second.
#[test]
fn a_text_that_fits_into_one_piece_is_written_whole() {
    let (mut port, mut outputs) = (SerialPort::default(), VecDeque::new());
    let slow = LineFormat {
        baud: 300,
        ..LineFormat::default()
    };
    port.configure(slow, &mut outputs);
    port.configured(&mut outputs);
    outputs.clear();
    port.write(text(30), Purpose::Text, at(1), &mut outputs);
    port.written(at(1000), &mut outputs);
    assert_eq!(outputs, [Output::Serial(SerialOutput::Write(text(30)))]);
}
