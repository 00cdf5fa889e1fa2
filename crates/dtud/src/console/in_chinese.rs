//! Every word that the core and this program give to the console has its Chinese on the page. Enums are listed by
//! matches without a rest: a new variant does not compile until its word is asked for here.

use std::sync::mpsc::sync_channel;

use dtu_proto::config::{Config, Options, Protocol, WorkingMode};
use dtu_proto::event::{
    CallEvent, CloseReason, Connect, Event, HttpdEvent, HttpdTrouble, Input, LinkDownReason,
    LinkId, Lost, MessageLoss, Origin, Output, QueueId, RestartReason, SocketId, TrialEvent,
};
use dtu_proto::radio::{CallEnd, PhoneNumber, Registration, SimState, SubmitFailure};
use dtu_proto::seen::{Cut, Sent};
use dtu_proto::status::{LinkState, WaitingFor};
use dtu_proto::time::{Duration, Instant};
use dtu_proto::wire::http::Fault;
use dtu_proto::{Dtu, Identity};

use super::inbox::{Line, Purpose};
use super::lines::Lines;
use super::tap::{ALL_ARE_READ, what_is_sent, words};
use super::trials::Trials;
use crate::journal::{Journal, LogCapture, link_state};

/// Samples of each variant of an enum. Where a variant has none it does not compile; one of another variant panics.
macro_rules! samples {
    ($of:ident { $($variant:ident: $samples:expr),+ $(,)? }) => {{
        let _no_rest = |one: &$of| match one { $($of::$variant { .. } => {})+ };
        let mut all: Vec<$of> = Vec::new();
        $(
            let from = all.len();
            all.extend($samples);
            let is_own = |one: &$of| matches!(one, $of::$variant { .. });
            assert!(all.len() > from && all[from..].iter().all(is_own), stringify!($variant));
        )+
        all
    }};
}

/// The same, where no variant has values.
macro_rules! all {
    ($of:ident: $($variant:ident),+) => {
        samples!($of { $($variant: [$of::$variant]),+ })
    };
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
    use CloseReason as Reason;
    samples!(Reason {
        Local: [Reason::Local],
        PeerClosed: [Reason::PeerClosed],
        Reset: [Reason::Reset],
        Refused: [Reason::Refused],
        TimedOut: [Reason::TimedOut],
        NameNotFound: [Reason::NameNotFound],
        Unreachable: [Reason::Unreachable],
        LocalPortTaken: [Reason::LocalPortTaken],
        Certificate: [Reason::Certificate],
        Tls: [Reason::Tls],
        Os: [Reason::Os(5)],
    })
}

fn down_reasons() -> Vec<LinkDownReason> {
    use LinkDownReason as Reason;
    samples!(Reason {
        Network: close_reasons().into_iter().map(Reason::Network),
        HeartbeatFailed: [Reason::HeartbeatFailed],
        ReplyMissing: [Reason::ReplyMissing],
        NoAnswer: [Reason::NoAnswer],
        Idle: [Reason::Idle],
        Ordered: [Reason::Ordered],
        HostSilent: [Reason::HostSilent],
    })
}

fn phone() -> PhoneNumber {
    PhoneNumber::new("10086").unwrap()
}

fn origins() -> Vec<Origin> {
    samples!(Origin {
        Serial: [Origin::Serial],
        SerialFrame: [Origin::SerialFrame],
        Link: LinkId::ALL.map(Origin::Link),
        Sms: [Origin::Sms(phone())],
        Console: [Origin::Console],
    })
}

fn trials() -> Vec<TrialEvent> {
    let time = Duration::from_secs(120);
    samples!(TrialEvent {
        Begins: origins()
            .into_iter()
            .map(|by| TrialEvent::Begins { by, time }),
        Kept: [TrialEvent::Kept],
        Undone: [TrialEvent::Undone],
        Expired: [TrialEvent::Expired],
        Restarted: [TrialEvent::Restarted],
    })
}

fn troubles() -> Vec<HttpdTrouble> {
    use HttpdTrouble as Trouble;
    let after = Duration::from_secs(10);
    let faults = all!(Fault: NotHttp, BadField, HeadTooLong, TooManyFields, TooManyInterim, Switching, BadLength,
        UnknownCoding, BadChunk, TrailerTooLong, HeadCut, BodyCut);
    samples!(Trouble {
        NoConnection: down_reasons().into_iter().map(Trouble::NoConnection),
        NotTaken: [Trouble::NotTaken],
        NoAnswer: [Trouble::NoAnswer { after }],
        Stalled: [Trouble::Stalled { after }],
        Slow: [Trouble::Slow],
        Lost: down_reasons().into_iter().map(Trouble::Lost),
        Broken: down_reasons().into_iter().map(Trouble::Broken),
        Bad: faults.into_iter().map(Trouble::Bad),
        Settings: [Trouble::Settings],
    })
}

fn of_httpd() -> Vec<HttpdEvent> {
    let location = "http://a.example/b c".to_owned();
    samples!(HttpdEvent {
        Answered: [HttpdEvent::Answered {
            status: 200,
            body: 5
        }],
        Redirect: [HttpdEvent::Redirect {
            status: 302,
            location
        }],
        Failed: troubles().into_iter().map(HttpdEvent::Failed),
        Repeated: down_reasons().into_iter().map(HttpdEvent::Repeated),
        Cut: [HttpdEvent::Cut { at: 4096 }],
        Stray: [HttpdEvent::Stray { bytes: 2 }],
    })
}

fn lost_messages() -> Vec<MessageLoss> {
    let why = "it says why".to_owned();
    samples!(MessageLoss {
        Impossible: [MessageLoss::Impossible(why.clone())],
        NoRoom: [MessageLoss::NoRoom(phone())],
        Refused: [MessageLoss::Refused(phone(), SubmitFailure(38))],
        Expired: [MessageLoss::Expired(phone())],
        Doubtful: [MessageLoss::Doubtful(phone())],
        Unreadable: [MessageLoss::Unreadable(why)],
        Incomplete: [MessageLoss::Incomplete("10086".to_owned())],
        Evicted: [MessageLoss::Evicted],
    })
}

fn calls() -> Vec<CallEvent> {
    let who = || [Some(phone()), None];
    samples!(CallEvent {
        Dialled: [CallEvent::Dialled(phone())],
        NotPlaced: [CallEvent::NotPlaced(phone())],
        Incoming: who().map(CallEvent::Incoming),
        Refused: who().map(CallEvent::Refused),
        Answered: who().map(CallEvent::Answered),
        Ended: call_ends().into_iter().map(CallEvent::Ended),
    })
}

fn call_ends() -> Vec<CallEnd> {
    all!(CallEnd: HungUp, Busy, NoAnswer, NoCarrier)
}

fn events() -> Vec<Event> {
    let [one, two] = [LinkId::ALL[0], LinkId::ALL[1]];
    let why = || "it says why".to_owned();
    let both = [true, false];
    let restarts = all!(RestartReason: PowerOn, Command, Factory, NoData, Recovery);
    let ran = |outcome: Result<(), String>| {
        origins().into_iter().map(move |origin| Event::Command {
            origin,
            line: "AT+CSQ: a line".to_owned(),
            outcome: outcome.clone(),
        })
    };
    let disconnected = |was_up| {
        down_reasons()
            .into_iter()
            .map(move |reason| Event::Disconnected {
                socket: one.into(),
                reason,
                was_up,
            })
    };
    samples!(Event {
        PowerOn: restarts.into_iter().map(Event::PowerOn),
        ModeStarted: [Event::ModeStarted],
        CommandState: both.map(Event::CommandState),
        Connected: SocketId::ALL.map(Event::Connected),
        Disconnected: both.into_iter().flat_map(disconnected),
        FrameDropped: QueueId::ALL.map(|queue| Event::FrameDropped { queue, bytes: 9 }),
        LineDropped: [Event::LineDropped { bytes: 3, of: None }],
        WindowFrameDropped: [Event::WindowFrameDropped { bytes: 3 }],
        Command: ran(Ok(())).chain(ran(Err(why()))),
        WrongPassword: origins().into_iter().map(Event::WrongPassword),
        OriginLocked: origins().into_iter().map(Event::OriginLocked),
        SerialPresent: both.map(Event::SerialPresent),
        LineRefused: [Event::LineRefused(why())],
        Trial: trials().into_iter().map(Event::Trial),
        MessageLost: lost_messages().into_iter().map(Event::MessageLost),
        MessageToPort: [Event::MessageToPort {
            from: "10086".to_owned(),
            port: 2948
        }],
        MessagesNotStored: [Event::MessagesNotStored(why())],
        BackupActive: both.map(|active| Event::BackupActive {
            backup: two,
            primary: one,
            active
        }),
        Lost: [Event::Lost(Lost::InLine(1))],
        Call: calls().into_iter().map(Event::Call),
        Httpd: of_httpd().into_iter().map(Event::Httpd),
    })
}

fn target() -> Connect {
    Connect {
        protocol: Protocol::Tcp,
        address: "a.example".to_owned(),
        port: 9000,
        local_port: 0,
        tls: false,
    }
}

/// What the log says of them, at INFO and above.
fn lines(events: &[Event], dtu: &Dtu) -> Vec<String> {
    let log = LogCapture::default();
    let at = Instant::ZERO;
    log.capture(|| {
        for event in events {
            let mut journal = Journal::new(dtu.drops());
            for socket in SocketId::ALL {
                journal.connecting(socket, &target());
            }
            journal.log(event, dtu, at);
        }
    });
    let lines = log.take().into_iter();
    lines.map(|line| line[6..].to_owned()).collect()
}

fn device() -> Dtu {
    let (config, options) = (Config::default(), Options::default());
    Dtu::new(config, options, Identity::default(), 1, Instant::ZERO)
}

/// What the console says of itself in the log and among the rows, and why a line is dropped.
#[test]
fn what_the_console_says_of_itself_has_its_chinese() {
    let (table, log) = (Table::read(), LogCapture::default());
    log.capture(|| {
        let mut lines = Lines::default();
        let mut queue = |now| {
            let (answer, _) = sync_channel(1);
            let (text, purpose) = ("AT+CIPSW=a: b".to_owned(), Purpose::Own);
            let line = Line {
                text,
                purpose,
                answer,
            };
            lines.queue(line, now);
        };
        // One too many; the others come too late.
        (0..17).for_each(|_| queue(Instant::ZERO));
        lines.give_up(Instant::ZERO + Duration::from_secs(600));
    });
    let mut said: Vec<_> = log.take().iter().map(|line| line[6..].to_owned()).collect();
    assert_eq!(said.len(), 17, "{said:#?}");
    let pattern = "console: {line} is dropped, {n} so far: {Why}";
    assert!(table.0.iter().any(|(english, _)| english == pattern));
    let whys = [super::words::many_lines(), super::words::waited("8")];
    let fits = |text: &String| {
        let each = whys
            .iter()
            .map(|why| pattern.replace("{Why}", why.english()));
        each.into_iter()
            .any(|pattern| table.fits(&pattern, text, 0))
    };
    said.retain(|text| !fits(text));
    assert!(said.is_empty(), "no Chinese for {said:#?}");
    log.capture(|| {
        let (mut dtu, mut trials) = (device(), Trials::default());
        for line in ["AT+CIPNUM=13800138000", "AT+CIAPPLY=60", "AT+CIKEEP=0"] {
            dtu.handle_input(Input::Console(line), Instant::ZERO);
            while let Some(output) = dtu.poll_output() {
                if let Output::Event(Event::Trial(event)) = &output {
                    trials.event(event, &dtu);
                }
            }
        }
    });
    let mut said: Vec<_> = log.take().iter().map(|line| line[6..].to_owned()).collect();
    assert!(
        said.len() == 1 && said[0].ends_with(": CIPNUM"),
        "{said:#?}"
    );
    said.push(ALL_ARE_READ.to_owned());
    said.retain(|text| !table.knows(text));
    assert!(said.is_empty(), "no Chinese for {said:#?}");
    // The page has the words that the answer has.
    for why in [super::words::many_lines(), super::words::waited("{n}")] {
        let pair = (why.english().to_owned(), why.chinese().to_owned());
        assert!(table.0.contains(&pair), "{pair:?}");
    }
}

#[test]
fn each_word_of_the_device_has_its_chinese() {
    let (table, dtu) = (Table::read(), device());
    assert!(table.0.len() > 150, "{} pairs", table.0.len());
    assert!(!table.knows("a sentence that nobody wrote") && !table.knows("link 1: nonsense"));
    let mut said: Vec<String> = Vec::new();
    let mut events = events();
    // The words of a line that refuses are its driver's.
    events.retain(|event| !matches!(event, Event::LineRefused(_)));
    let rows = events.iter();
    said.extend(rows.filter_map(|event| Some(words(event, &dtu)?.1)));
    said.extend(lines(&events, &dtu));
    said.extend(WorkingMode::ALL.map(|mode| format!("{mode} begins")));
    said.extend(WorkingMode::ALL.map(|mode| mode.to_string()));
    said.extend(
        all!(Cut: Silence, Size, Read, Mode, Window)
            .iter()
            .map(ToString::to_string),
    );
    let sent = samples!(Sent {
        Frame: [true, false].map(|again| Sent::Frame { again }),
        Registration: [Sent::Registration],
        Heartbeat: [Sent::Heartbeat],
        Reply: [Sent::Reply],
    });
    let sent = sent.into_iter();
    let notes = sent.flat_map(|sent| [true, false].map(|with| what_is_sent(Some(sent), with)));
    said.extend(notes.flat_map(|note| note.split("; ")).map(str::to_owned));
    said.extend(["command", "injected", "text at a prompt", "short message"].map(str::to_owned));
    said.extend(
        all!(SimState: Unknown, Ready, PinNeeded, PukNeeded, Missing)
            .iter()
            .map(ToString::to_string),
    );
    said.extend(
        all!(Registration: NotRegistered, Home, Searching, Denied, Unknown, Roaming)
            .iter()
            .map(ToString::to_string),
    );
    said.extend(call_ends().iter().map(ToString::to_string));
    said.extend(down_reasons().iter().map(ToString::to_string));
    let waits = all!(WaitingFor: Retry, Network, Data, Primary, Mode);
    let states = samples!(LinkState {
        Off: [LinkState::Off],
        Connecting: [LinkState::Connecting],
        Connected: [LinkState::Connected],
        Waiting: waits.into_iter().map(LinkState::Waiting),
    });
    for state in states {
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
