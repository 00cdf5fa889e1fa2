//! A day in the life of a device, in virtual time: its log stands in `docs/log.md`, which keeps it readable.
//!
//! The device is the real core with the simulated radio; the servers are a few lines. `BLESS=1` writes the page's
//! example anew.

use std::task::{Context, Waker};
use std::time::Duration;

use dtu_proto::config::{Config, LinkOptions, Options};
use dtu_proto::event::{
    CloseReason, Input, LINKS, LinkId, Output, Payload, Power, SerialInput, SerialOutput, SocketId,
    SocketInput, SocketOutput, StoreInput, StoreOutput,
};
use dtu_proto::time::Instant;
use dtu_proto::{Dtu, Identity};

use super::Journal;
use super::tests::LogCapture;
use crate::modem::{Address, Modem};
use crate::settings;
use crate::socket::{Contact, SocketEvent};

/// What happens in the network of the modem.
const RADIO: &str =
    "at 12h sms from +8613912345678 \"meter,AT+CSQ\"\nat 15h sms from 10086 \"hello\"\n";

struct Day {
    dtu: Dtu,
    modem: Modem,
    journal: Journal,
    now: Instant,
    /// Whether the server of each link can be reached.
    server: [bool; LINKS],
    peer: [&'static str; LINKS],
    acked: [u64; LINKS],
    ear: LogCapture,
    log: String,
    /// The lines of the command line are to be given again.
    restarted: bool,
}

impl Day {
    fn begin(folder: &std::path::Path) -> Self {
        let script = folder.join("radio.txt");
        std::fs::write(&script, RADIO).unwrap();
        let modem = settings::Modem {
            script: Some(script),
            ..settings::Modem::default()
        };
        let link = LinkOptions {
            cache: 1024,
            ..LinkOptions::default()
        };
        let links = std::array::from_fn(|_| link.clone());
        let options = Options {
            links,
            ..Options::default()
        };
        let dtu = Dtu::new(
            Config::default(),
            options,
            Identity::default(),
            7,
            Instant::ZERO,
        );
        let mut day = Self {
            journal: Journal::new(dtu.drops()),
            dtu,
            modem: Modem::open(Address::Sim, &modem, folder, 1).unwrap(),
            now: Instant::ZERO,
            server: [true; LINKS],
            peer: ["192.0.2.7:9000", "192.0.2.8:9001", "", ""],
            acked: [0; LINKS],
            ear: LogCapture::default(),
            log: String::new(),
            restarted: false,
        };
        day.input(Input::Serial(SerialInput::Present));
        day
    }

    /// Goes on to this time of the day, deadline by deadline.
    fn at(&mut self, hours: u64, minutes: u64, seconds: u64) -> &mut Self {
        let end = Instant::ZERO + Duration::from_secs(hours * 3600 + minutes * 60 + seconds);
        loop {
            let due = [
                self.dtu.poll_timeout().map(|due| due.at),
                self.modem.deadline(),
                self.journal.deadline(),
            ];
            let Some(at) = due.into_iter().flatten().min().filter(|at| *at <= end) else {
                break;
            };
            self.now = self.now.max(at);
            self.step(|day| {
                day.dtu.handle_timeout(day.now);
                day.journal.fire(day.now);
            });
        }
        self.now = end;
        self
    }

    fn input(&mut self, input: Input<'_>) -> &mut Self {
        self.step(|day| day.dtu.handle_input(input, day.now));
        self
    }

    /// Does something, and all that follows from it.
    fn step(&mut self, act: impl FnOnce(&mut Self)) {
        let ear = self.ear.clone();
        ear.capture(|| {
            act(self);
            self.carry_out();
            let mut cx = Context::from_waker(Waker::noop());
            while let Some(news) = self.modem.poll(&mut cx, self.now) {
                self.dtu.handle_input(Input::Modem(&news), self.now);
                self.carry_out();
            }
            self.journal.look(self.now, &self.dtu);
        });
        self.note();
        if std::mem::take(&mut self.restarted) {
            self.configure();
        }
    }

    fn note(&mut self) {
        let seconds = self.now.since(Instant::ZERO).as_secs();
        for line in self.ear.take() {
            let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
            self.log.push_str(&format!(
                "{hours:02}:{minutes:02}:{:02}  {line}\n",
                seconds % 60
            ));
        }
    }

    /// As `--at` does.
    fn configure(&mut self) {
        for line in [
            "AT+CIPSW=meter",
            "AT+CINETAT=1",
            "AT+CIPCFG=1,0,0,100,0,0",
            "AT+CIPSCONT=1,\"TCP\",\"data.example.com\",9000,1",
            "AT+CIPSCONT=2,\"TCP\",\"192.0.2.8\",9001,1",
        ] {
            self.input(Input::Console(line));
        }
    }

    fn carry_out(&mut self) {
        while let Some(output) = self.dtu.poll_output() {
            match output {
                Output::Serial(SerialOutput::Write(_)) => {
                    self.feed(Input::Serial(SerialInput::Written))
                }
                Output::Serial(SerialOutput::Configure(_)) => {
                    self.feed(Input::Serial(SerialInput::Configured(None)));
                }
                Output::Serial(SerialOutput::Discard) => {
                    self.feed(Input::Serial(SerialInput::Discarded(0)))
                }
                Output::Socket(SocketId::Link(link), order) => self.link_order(link, order),
                Output::Modem(order) => {
                    self.modem
                        .order(order, self.now, &mut Context::from_waker(Waker::noop()));
                }
                Output::Store(StoreOutput::Save(_)) => self.feed(Input::Store(StoreInput::Saved)),
                Output::Store(StoreOutput::Messages { number, .. }) => {
                    self.feed(Input::Store(StoreInput::MessagesSaved(number)));
                }
                Output::Event(event) => self.journal.log(&event, &self.dtu, self.now),
                Output::Socket(..)
                | Output::Store(
                    StoreOutput::SpoolAppend(..)
                    | StoreOutput::SpoolRelease(..)
                    | StoreOutput::SpoolMove(..)
                    | StoreOutput::SpoolSending(..),
                )
                | Output::Console(_)
                | Output::Leds(_) => {}
                Output::Power(Power::Restarted) => self.restarted = true,
                Output::Power(Power::Stop) => self.journal.stopped(self.now, &self.dtu),
            }
        }
    }

    fn feed(&mut self, input: Input<'_>) {
        self.dtu.handle_input(input, self.now);
    }

    fn link_order(&mut self, link: LinkId, order: SocketOutput) {
        match order {
            SocketOutput::Connect(target) => {
                self.journal.connecting(link.into(), &target);
                self.acked[link.index()] = 0;
                let peer = self.peer[link.index()];
                if self.server[link.index()] {
                    let local = "10.0.0.2:4000".parse().unwrap();
                    let contact = Contact {
                        peer: peer.parse().ok(),
                        trouble: String::new(),
                    };
                    self.journal.on_socket(
                        link.into(),
                        &SocketEvent::Connected { local },
                        &contact,
                    );
                    self.feed(Input::Socket(
                        SocketId::Link(link),
                        SocketInput::Connected { local },
                    ));
                } else {
                    self.end(
                        link,
                        CloseReason::Refused,
                        &format!("connection refused by {peer}"),
                    );
                }
            }
            SocketOutput::Send(Payload { prefix, body }) => {
                self.acked[link.index()] += (prefix.len() + body.len()) as u64;
                self.feed(Input::Socket(SocketId::Link(link), SocketInput::Sent));
                self.feed(Input::Socket(
                    SocketId::Link(link),
                    SocketInput::Acked(self.acked[link.index()]),
                ));
            }
            SocketOutput::Close => self.end(link, CloseReason::Local, ""),
        }
    }

    fn end(&mut self, link: LinkId, reason: CloseReason, trouble: &str) {
        let acked = self.acked[link.index()];
        let contact = Contact {
            peer: self.peer[link.index()].parse().ok(),
            trouble: trouble.to_owned(),
        };
        self.journal.on_socket(
            link.into(),
            &SocketEvent::Closed { reason, acked },
            &contact,
        );
        self.feed(Input::Socket(
            SocketId::Link(link),
            SocketInput::Closed { reason, acked },
        ));
    }

    /// The server of link 1 is gone, and its connection with it.
    fn server_goes(&mut self) -> &mut Self {
        self.server[0] = false;
        self.step(|day| day.end(LinkId::ALL[0], CloseReason::Reset, ""));
        self
    }

    fn says(&mut self, text: &str) -> &mut Self {
        self.input(Input::Socket(
            SocketId::Link(LinkId::ALL[0]),
            SocketInput::Data(text.as_bytes()),
        ))
    }
}

fn lived() -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut day = Day::begin(folder.path());
    day.configure();
    day.at(8, 0, 0)
        .says("meter,AT+CIPR?")
        .at(8, 0, 9)
        .says("meter,AT+CIPR=7");
    day.at(9, 0, 0).server_goes();
    for second in 0..90 {
        day.at(9, 5 + second / 60, second % 60)
            .input(Input::Serial(SerialInput::Data(&[b'7'; 200])));
    }
    day.at(9, 24, 0);
    day.server[0] = true;
    day.at(9, 30, 0);
    for second in 0..5 {
        day.at(13, 0, second).says("wrong,AT+CIPSW=mine");
    }
    day.at(18, 0, 0).input(Input::Console("AT+CIRESET"));
    day.at(23, 59, 0).input(Input::Shutdown).at(23, 59, 59);
    day.log
}

/// `BLESS=1 cargo test -p dtud --lib a_day` writes the example of the page anew.
#[test]
fn k8_the_log_of_a_day_is_what_the_page_shows() {
    const BEGIN: &str = "<!-- a day: begin -->\n```\n";
    const END: &str = "```\n<!-- a day: end -->";
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/log.md");
    let page = std::fs::read_to_string(path).unwrap();
    let begin = page.find(BEGIN).unwrap() + BEGIN.len();
    let end = begin + page[begin..].find(END).unwrap();
    let log = lived();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(path, format!("{}{log}{}", &page[..begin], &page[end..])).unwrap();
    } else {
        assert_eq!(
            page[begin..end],
            log,
            "docs/log.md is not what the device says; write it with BLESS=1"
        );
    }
}
