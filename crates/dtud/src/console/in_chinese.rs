//! Every word that the core and this program give to the console has its Chinese on the page. Enums are listed by
//! matches without a rest: a new variant does not compile until its word is asked for here.

use dtu_proto::config::{Config, Options, WorkingMode};
use dtu_proto::event::{
    CloseReason, Event, HttpdEvent, HttpdTrouble, LinkDownReason, LinkId, Origin, QueueId,
    RestartReason, SocketId, TrialEvent,
};
use dtu_proto::radio::{CallEnd, PhoneNumber, Registration, SimState};
use dtu_proto::seen::{Cut, Sent};
use dtu_proto::status::{LinkState, WaitingFor};
use dtu_proto::time::Instant;
use dtu_proto::{Dtu, Identity};

use super::tap::{what_is_sent, words};
use crate::journal::link_state;

macro_rules! all {
    ($of:ident: $($variant:ident),+) => {{
        let all = [$($of::$variant),+];
        all.iter().for_each(|one| match one { $($of::$variant => {})+ });
        all
    }};
}

/// The pairs of the page's tables.
struct Table(Vec<(String, String)>);

impl Table {
    fn read() -> Self {
        let sentences = include_str!("../../../dtu-console/assets/sentences-zh.js");
        let words = include_str!("../../../dtu-console/assets/words-zh.js");
        let word = |line: &str| {
            let (english, chinese) = line.trim().strip_prefix("\"told.")?.split_once("\": \"")?;
            Some((english.to_owned(), chinese.strip_suffix("\",")?.to_owned()))
        };
        let sentence = |line: &str| {
            let (english, chinese) = line.trim().strip_prefix("[\"")?.split_once("\", \"")?;
            let english = english.replace("\\\"", "\"");
            Some((english, chinese.strip_suffix("\"],")?.to_owned()))
        };
        let sentences = sentences.lines().filter_map(sentence);
        Self(words.lines().filter_map(word).chain(sentences).collect())
    }

    fn knows(&self, text: &str) -> bool {
        self.knows_in(text, 0)
    }

    /// As `inChinese` of the page's i18n.js, but for the reasons that any host may have.
    fn knows_in(&self, text: &str, depth: u32) -> bool {
        depth < 4
            && self
                .0
                .iter()
                .any(|(english, _)| self.fits(english, text, depth))
    }

    fn fits(&self, pattern: &str, text: &str, depth: u32) -> bool {
        let Some((before, rest)) = pattern.split_once('{') else {
            return pattern == text;
        };
        let (name, behind) = rest.split_once('}').unwrap();
        let Some(text) = text.strip_prefix(before) else {
            return false;
        };
        let ends = text.char_indices().map(|(at, sign)| at + sign.len_utf8());
        ends.filter(|end| self.fits(behind, &text[*end..], depth))
            .any(|end| {
                let value = &text[..end];
                match name {
                    _ if name.starts_with(char::is_uppercase) => self.knows_in(value, depth + 1),
                    "n" | "m" => !value.contains([' ', ':']),
                    _ => true,
                }
            })
    }
}

fn close_reasons() -> Vec<CloseReason> {
    let named = |reason: CloseReason| match reason {
        CloseReason::Local
        | CloseReason::PeerClosed
        | CloseReason::Reset
        | CloseReason::Refused
        | CloseReason::TimedOut
        | CloseReason::NameNotFound
        | CloseReason::Unreachable
        | CloseReason::LocalPortTaken
        | CloseReason::Certificate
        | CloseReason::Tls
        | CloseReason::Os(_) => reason,
    };
    [
        CloseReason::Local,
        CloseReason::PeerClosed,
        CloseReason::Reset,
        CloseReason::Refused,
        CloseReason::TimedOut,
        CloseReason::NameNotFound,
        CloseReason::Unreachable,
        CloseReason::LocalPortTaken,
        CloseReason::Certificate,
        CloseReason::Tls,
        CloseReason::Os(5),
    ]
    .map(named)
    .to_vec()
}

fn down_reasons() -> Vec<LinkDownReason> {
    use LinkDownReason as Reason;
    let others = [
        Reason::HeartbeatFailed,
        Reason::ReplyMissing,
        Reason::NoAnswer,
        Reason::Idle,
        Reason::Ordered,
        Reason::HostSilent,
    ];
    let all: Vec<_> = close_reasons()
        .into_iter()
        .map(Reason::Network)
        .chain(others)
        .collect();
    all.iter().for_each(|one| match one {
        Reason::Network(_)
        | Reason::HeartbeatFailed
        | Reason::ReplyMissing
        | Reason::NoAnswer
        | Reason::Idle
        | Reason::Ordered
        | Reason::HostSilent => {}
    });
    all
}

/// As many as there are kinds; [`words`] itself has no rest.
fn events() -> Vec<Event> {
    let phone = PhoneNumber::new("10086").unwrap();
    let [one, two] = [LinkId::ALL[0], LinkId::ALL[1]];
    let mut all = vec![
        Event::ModeStarted,
        Event::LineDropped { bytes: 3, of: None },
        Event::WindowFrameDropped { bytes: 3 },
        Event::Trial(TrialEvent::Begins {
            by: Origin::Console,
            time: dtu_proto::time::Duration::from_secs(120),
        }),
        Event::Trial(TrialEvent::Kept),
        Event::Trial(TrialEvent::Undone),
        Event::Trial(TrialEvent::Expired),
        Event::Trial(TrialEvent::Restarted),
        Event::Httpd(HttpdEvent::Answered {
            status: 200,
            body: 5,
        }),
        Event::Httpd(HttpdEvent::Redirect {
            status: 302,
            location: "http://a.example/b c".to_owned(),
        }),
        Event::Httpd(HttpdEvent::Repeated(LinkDownReason::Idle)),
        Event::Httpd(HttpdEvent::Cut { at: 4096 }),
        Event::Httpd(HttpdEvent::Stray { bytes: 2 }),
    ];
    all.extend(SocketId::ALL.map(Event::Connected));
    all.extend(QueueId::ALL.map(|queue| Event::FrameDropped { queue, bytes: 9 }));
    all.extend(
        all!(RestartReason: PowerOn, Command, Factory, NoData, Recovery).map(Event::PowerOn),
    );
    for yes in [true, false] {
        all.push(Event::CommandState(yes));
        all.push(Event::SerialPresent(yes));
        all.push(Event::BackupActive {
            backup: two,
            primary: one,
            active: yes,
        });
        all.extend(
            down_reasons()
                .into_iter()
                .map(|reason| Event::Disconnected {
                    socket: one.into(),
                    reason,
                    was_up: yes,
                }),
        );
    }
    let origins = [
        Origin::Serial,
        Origin::SerialFrame,
        Origin::Link(one),
        Origin::Sms(phone),
        Origin::Console,
    ];
    for origin in origins {
        all.push(Event::WrongPassword(origin));
        all.push(Event::OriginLocked(origin));
    }
    let after = dtu_proto::time::Duration::from_secs(10);
    let troubles = [
        HttpdTrouble::NotTaken,
        HttpdTrouble::NoAnswer { after },
        HttpdTrouble::Stalled { after },
        HttpdTrouble::Slow,
        HttpdTrouble::Settings,
    ];
    all.extend(troubles.map(|trouble| Event::Httpd(HttpdEvent::Failed(trouble))));
    for reason in down_reasons() {
        for trouble in [
            HttpdTrouble::NoConnection,
            HttpdTrouble::Lost,
            HttpdTrouble::Broken,
        ] {
            all.push(Event::Httpd(HttpdEvent::Failed(trouble(reason))));
        }
    }
    all
}

fn device() -> Dtu {
    let (config, options) = (Config::default(), Options::default());
    Dtu::new(config, options, Identity::default(), 1, Instant::ZERO)
}

#[test]
fn each_word_of_the_device_has_its_chinese() {
    let (table, dtu) = (Table::read(), device());
    assert!(table.0.len() > 150, "{} pairs", table.0.len());
    assert!(!table.knows("a sentence that nobody wrote") && !table.knows("link 1: nonsense"));
    let mut said: Vec<String> = Vec::new();
    said.extend(
        events()
            .iter()
            .filter_map(|event| Some(words(event, &dtu)?.1)),
    );
    said.extend(WorkingMode::ALL.map(|mode| format!("{mode} begins")));
    said.extend(WorkingMode::ALL.map(|mode| mode.to_string()));
    said.extend(all!(Cut: Silence, Size, Read, Mode, Window).map(|cut| cut.words().to_owned()));
    let sent = [Sent::Registration, Sent::Heartbeat, Sent::Reply];
    let sent = sent
        .into_iter()
        .chain([true, false].map(|again| Sent::Frame { again }));
    let notes = sent.flat_map(|sent| [true, false].map(|with| what_is_sent(Some(sent), with)));
    said.extend(notes.flat_map(|note| note.split("; ")).map(str::to_owned));
    said.extend(["command", "injected", "text at a prompt", "short message"].map(str::to_owned));
    said.extend(
        all!(SimState: Unknown, Ready, PinNeeded, PukNeeded, Missing).map(|it| it.to_string()),
    );
    said.extend(
        all!(Registration: NotRegistered, Home, Searching, Denied, Unknown, Roaming)
            .map(|it| it.to_string()),
    );
    said.extend(all!(CallEnd: HungUp, Busy, NoAnswer, NoCarrier).map(|it| it.to_string()));
    said.extend(down_reasons().iter().map(ToString::to_string));
    let waits = all!(WaitingFor: Retry, Network, Data, Primary, Mode).map(LinkState::Waiting);
    let states = [LinkState::Off, LinkState::Connecting, LinkState::Connected];
    for state in states.into_iter().chain(waits) {
        said.extend(link_state(state, None));
        for reason in down_reasons() {
            said.extend(link_state(state, Some(reason)));
        }
    }
    for dropped in dtu.drops() {
        let (place, what, fate) = (dropped.place, dropped.place.what(), dropped.place.fate());
        said.push(place.to_string());
        said.push(format!("{place}: 1 {what} {fate}"));
        said.push(format!("{place}: in 3 min, 1 {what} (9 bytes) {fate}"));
    }
    said.retain(|text| !text.is_empty() && !table.knows(text));
    said.dedup();
    assert!(said.is_empty(), "no Chinese for {said:#?}");
}
