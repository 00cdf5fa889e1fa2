//! What people read in the log, word for word, and what of it they are shown.
#![allow(missing_docs)]

use dtu_proto::time::Duration;
use modem_proto::{Event, Level, Limitation, PinHistory};

#[test]
fn each_event_has_its_words_and_its_level() {
    use Level::{Info, Trace, Warning};
    let identified = |model: &str| Event::Identified {
        model: model.into(),
        dialect: "generic",
    };
    let pin = Event::PinState;
    for (event, level, words) in [
        (Event::Sent("AT".into()), Trace, "-> AT"),
        (Event::Received("OK".into()), Trace, "<- OK"),
        (identified("M1"), Info, "M1 answers (dialect generic)"),
        (
            identified(""),
            Info,
            "a modem that does not name itself answers (dialect generic)",
        ),
        (
            Event::NoAnswer(Duration::from_secs(9)),
            Warning,
            "no answer to AT for 9 s: wrong port, wrong rate, or no modem",
        ),
        (
            Event::Silent,
            Warning,
            "silent in the middle of the dialogue; asked until it answers",
        ),
        (Event::AnswersAgain, Info, "answers again"),
        (
            Event::GivenUp,
            Warning,
            "stays silent: told to restart, and opened again",
        ),
        (Event::Restarted, Warning, "has restarted by itself"),
        (
            Event::Refused {
                command: "AT".into(),
                why: "ERROR".into(),
            },
            Warning,
            "AT was answered ERROR",
        ),
        (pin(PinHistory::Unsent), Trace, "the PIN may be sent"),
        (pin(PinHistory::Accepted), Trace, "the PIN may be sent"),
        (pin(PinHistory::Sent), Trace, "the PIN is sent to the SIM"),
        (
            pin(PinHistory::SentTwice),
            Trace,
            "the PIN is sent to the SIM",
        ),
        (
            pin(PinHistory::SentAgain),
            Trace,
            "the PIN is sent to the SIM",
        ),
        (
            pin(PinHistory::Refused),
            Trace,
            "the PIN is not sent any more",
        ),
        (Event::PinAccepted, Info, "the SIM took the PIN"),
        (
            Event::PinRefused,
            Warning,
            "the SIM refused the PIN; it is not tried again",
        ),
        (
            Event::PinWithoutEffect,
            Warning,
            "the modem said OK to the PIN, and the SIM still waits for it",
        ),
        (
            Event::PinWithheld(1),
            Warning,
            "the SIM allows 1 more PIN tries; the last ones are left to a person",
        ),
        (
            Event::PinMissing,
            Warning,
            "the SIM waits for a PIN, and there is none to be tried",
        ),
        (
            Event::Limitation(Limitation::Signal),
            Warning,
            "works with less: no signal strength (AT+CSQ)",
        ),
        (
            Event::RestartsOften,
            Warning,
            "restarts or vanishes again and again; asked after longer and longer pauses, 5 min at most",
        ),
        (
            Event::RefusesMessages,
            Warning,
            "refused every message for 10 min; it is reset",
        ),
        (
            Event::ApnSet("cmnet".into()),
            Info,
            "the access point cmnet is written into context 1",
        ),
        (
            Event::StorageFull {
                storage: "SM".into(),
                places: 20,
            },
            Warning,
            "the message storage SM is full (20 messages); new ones wait in the network",
        ),
        (
            Event::ApnRefused,
            Warning,
            "the access point is not set: a quote or control character cannot be sent",
        ),
    ] {
        assert_eq!(event.to_string(), words);
        assert_eq!(event.level(), level, "{words}");
    }
}
