//! What people read in logs, on the page of the device and in refusals: the words of the types, as tables.
#![allow(missing_docs, clippy::unwrap_used)]

use bytes::Bytes;
use dtu_proto::config::{LineFormat, Parity, WorkingMode};
use dtu_proto::drops::DropPlace;
use dtu_proto::event::{
    CloseReason, HttpdEvent, HttpdTrouble, LinkDownReason, LinkId, Lost, MessageLoss, Origin,
    Payload, QueueId, RestartReason, SocketId, TrialEvent,
};
use dtu_proto::radio::{CallEnd, PhoneNumber, Registration, SimState, SubmitFailure};
use dtu_proto::seen::Cut;
use dtu_proto::shown_command;
use dtu_proto::status::LinkTimer;
use dtu_proto::time::Duration;

fn phone() -> PhoneNumber {
    PhoneNumber::new("+8613800138000").unwrap()
}

fn said<T: std::fmt::Display>(things: impl IntoIterator<Item = T>) -> Vec<String> {
    let said: Vec<_> = things.into_iter().map(|thing| thing.to_string()).collect();
    for words in &said {
        assert!(!words.is_empty(), "{said:?}");
        let others = said.iter().filter(|other| *other == words);
        assert_eq!(others.count(), 1, "two are called {words}");
    }
    said
}

#[test]
fn each_state_has_words_of_its_own() {
    let modes = said([
        WorkingMode::Transparent,
        WorkingMode::SerialCommand,
        WorkingMode::AtCommand,
        WorkingMode::Httpd,
        WorkingMode::Sms,
    ]);
    assert_eq!(modes[2], "AT command mode");
    let words = said(WorkingMode::ALL.map(WorkingMode::word));
    assert_eq!(words[0], "transparent");
    let why = said([
        RestartReason::PowerOn,
        RestartReason::Command,
        RestartReason::Factory,
        RestartReason::NoData,
        RestartReason::Recovery,
    ]);
    assert_eq!(why[3], "no data for RTIME seconds");
    let trials = said([
        TrialEvent::Begins {
            by: Origin::Console,
            time: Duration::from_secs(60),
        },
        TrialEvent::Kept,
        TrialEvent::Undone,
        TrialEvent::Expired,
        TrialEvent::Restarted,
    ]);
    assert!(trials[0].ends_with("they go back in 60 s unless they are kept"));
    let timers = said([
        LinkTimer::Retry.word(),
        LinkTimer::Attempt.word(),
        LinkTimer::Heartbeat.word(),
        LinkTimer::Dead.word(),
        LinkTimer::Idle.word(),
        LinkTimer::Reply.word(),
    ]);
    assert_eq!(timers[3], "dead");
    let cuts = said([Cut::Silence, Cut::Size, Cut::Read, Cut::Mode, Cut::Window]);
    assert_eq!(cuts[0], Cut::Silence.words());
    let cards = said([
        SimState::Unknown,
        SimState::Ready,
        SimState::PinNeeded,
        SimState::PukNeeded,
        SimState::Missing,
    ]);
    assert_eq!(cards[1], "ready");
    let networks = said((0..=5).map(Registration::from_number));
    assert_eq!(networks[5], "registered, roaming");
    let ends = said([
        CallEnd::HungUp,
        CallEnd::Busy,
        CallEnd::NoAnswer,
        CallEnd::NoCarrier,
    ]);
    assert_eq!(ends[1], "busy");
}

#[test]
fn a_line_is_written_as_people_write_it() {
    let format = |baud, data_bits, parity, stop_bits| LineFormat {
        baud,
        data_bits,
        stop_bits,
        parity,
    };
    for (format, written) in [
        (LineFormat::default(), "115200 8N1"),
        (format(9600, 7, Parity::Even, 1), "9600 7E1"),
        (format(2400, 8, Parity::Odd, 2), "2400 8O2"),
    ] {
        assert_eq!(format.to_string(), written);
    }
}

/// Start bit, data bits, parity bit, stop bits.
#[test]
fn a_character_takes_its_bits() {
    for (data_bits, parity, stop_bits, bits) in [
        (8, Parity::None, 1, 10),
        (7, Parity::None, 2, 10),
        (8, Parity::Even, 1, 11),
        (8, Parity::Odd, 2, 12),
    ] {
        let format = LineFormat {
            baud: 1000,
            data_bits,
            stop_bits,
            parity,
        };
        assert_eq!(format.character_time(), Duration::from_millis(bits));
    }
}

#[test]
fn sockets_queues_and_origins_are_named() {
    let [first, second, ..] = LinkId::ALL;
    let sockets = said(SocketId::ALL);
    assert_eq!(sockets[0], "link 1");
    assert_eq!(sockets[4..7], ["AT mode", "HTTPD", "destination 1"]);
    let queues = said(QueueId::ALL);
    assert_eq!(queues[3..], ["link 4", "HTTPD", "serial command mode"]);
    for (socket, queue) in [
        (SocketId::Link(second), Some(QueueId::Link(second))),
        (SocketId::AtMode, None),
        (SocketId::Httpd, Some(QueueId::Httpd)),
        (SocketId::ALL[6], Some(QueueId::SerialCommand)),
    ] {
        assert_eq!(socket.queue(), queue, "{socket}");
    }
    let origins = said([
        Origin::Serial,
        Origin::SerialFrame,
        Origin::Link(first),
        Origin::Sms(phone()),
        Origin::Console,
    ]);
    assert_eq!(origins[2..4], ["link 1", "phone +8613800138000"]);
    assert_eq!(format!("{:?}", phone()), "\"+8613800138000\"");
}

#[test]
fn each_loss_says_of_what_and_why() {
    let [first, ..] = LinkId::ALL;
    for (place, of, what, fate) in [
        (
            DropPlace::Serial,
            "serial",
            "frame",
            "of the DTE dropped, nobody takes them",
        ),
        (
            DropPlace::Link(first),
            "link 1",
            "frame",
            "dropped undelivered",
        ),
        (
            DropPlace::HttpdRequests,
            "HTTPD",
            "request",
            "without an answer, not sent again",
        ),
        (
            DropPlace::PacketsBad,
            "serial command mode",
            "packet",
            "of the DTE refused",
        ),
        (
            DropPlace::AtUnread,
            "AT mode",
            "byte",
            "of the peer never read, gone with the connection",
        ),
        (DropPlace::Messages, "SMS", "message", "lost"),
    ] {
        let shown = (place.to_string(), place.what(), place.fate());
        assert_eq!(shown, (of.to_owned(), what, fate));
    }
    let lost = said([
        Lost::Unread(first.into(), 5),
        Lost::Datagrams(SocketId::Httpd, 6),
        Lost::InLine(7),
        Lost::Overrun(8),
    ]);
    assert_eq!(lost[2], "7 bytes for the DTE were lost with the line");
    let messages = said([
        MessageLoss::NoRoom(phone()),
        MessageLoss::Expired(phone()),
        MessageLoss::Doubtful(phone()),
        MessageLoss::Refused(phone(), SubmitFailure::NETWORK),
        MessageLoss::Evicted,
    ]);
    assert!(messages[3].ends_with("the network is out of order (38)"));
}

#[test]
fn news_of_the_httpd_client_are_sentences() {
    let after = Duration::from_secs(10);
    let reset = LinkDownReason::Network(CloseReason::Reset);
    let events = said([
        HttpdEvent::Answered {
            status: 200,
            body: 5,
        },
        HttpdEvent::Redirect {
            status: 301,
            location: "http://b/".into(),
        },
        HttpdEvent::Failed(HttpdTrouble::NoAnswer { after }),
        HttpdEvent::Failed(HttpdTrouble::Stalled { after }),
        HttpdEvent::Failed(HttpdTrouble::Lost(reset)),
        HttpdEvent::Failed(HttpdTrouble::Broken(reset)),
        HttpdEvent::Repeated(reset),
        HttpdEvent::Cut { at: 5 },
        HttpdEvent::Stray { bytes: 6 },
    ]);
    assert_eq!(events[0], "answer 200, 5 bytes");
    assert_eq!(events[2], "a request failed: no answer in 10 s");
}

/// 27.005 3.2.5 and, below 128, 24.011 E.2.
#[test]
fn each_known_number_of_a_refused_message_has_a_meaning() {
    let all = [
        1, 8, 10, 21, 27, 28, 29, 30, 38, 41, 42, 47, 50, 69, 81, 95, 97, 99, 111, 192, 197, 208,
        302, 303, 304, 305, 310, 311, 313, 314, 315, 316, 317, 318, 320, 321, 322, 330, 331, 332,
        512,
    ];
    let unknown = SubmitFailure::UNKNOWN.meaning();
    for number in all {
        assert_ne!(SubmitFailure(number).meaning(), unknown, "{number}");
    }
    for number in [0, 2, 100, 193, 319, 333, 511] {
        assert_eq!(SubmitFailure(number).meaning(), unknown, "{number}");
    }
    for (number, said) in [
        (1, "the number is not assigned (1)"),
        (42, "congestion (42)"),
        (331, "not registered in a network (331)"),
    ] {
        assert_eq!(SubmitFailure(number).to_string(), said);
    }
}

#[test]
fn a_payload_is_empty_where_neither_part_has_a_byte() {
    let payload = |prefix: &'static str, body: &'static str| Payload {
        prefix: Bytes::from_static(prefix.as_bytes()),
        body: Bytes::from_static(body.as_bytes()),
    };
    assert!(payload("", "").is_empty());
    assert!(!payload("id", "").is_empty() && !payload("", "data").is_empty());
}

#[test]
fn a_log_shows_a_line_as_it_was_typed() {
    for (line, shown) in [
        ("AT+CSQ", "AT+CSQ"),
        (" AT+CSQ;+CREG? ", "AT+CSQ;+CREG?"),
        ("AT;+CSQ", "AT;+CSQ"),
    ] {
        assert_eq!(shown_command(line), shown);
    }
}
