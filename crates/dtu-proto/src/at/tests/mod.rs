//! The AT side as a DTE sees it: lines in, replies out.

use std::string::String;
use std::vec::Vec;

use super::stored::blank_status;
use super::{Answer, Clock, Context, Effect, Parked, Ran, Rights, resume, run_line};
use crate::config::{Config, Options};
use crate::event::Origin;
use crate::identity::Identity;
use crate::mode::at::AtConnection;
use crate::radio::{
    Abilities, Cell, ModemIdentity, Operator, PhoneNumber, Registration, Signal, SimState,
};
use crate::sms::Mailbox;
use crate::status::{RadioStatus, Status};

mod chinese;
mod httpd;
mod lines;
mod manual;
mod messages;
mod phone;
mod properties;
mod rules;
mod shown;
mod table;

/// A device without anything behind its AT commands.
struct Desk {
    config: Config,
    stored: Config,
    options: Options,
    identity: Identity,
    status: Status,
    clock: Clock,
    mailbox: Mailbox,
    connection: AtConnection,
    origin: Origin,
    rights: Rights,
}

impl Desk {
    fn new() -> Self {
        Self {
            config: Config::default(),
            stored: Config::default(),
            options: Options::default(),
            identity: Identity::default(),
            status: blank_status(),
            clock: Clock::default(),
            mailbox: Mailbox::default(),
            connection: AtConnection::default(),
            origin: Origin::Serial,
            rights: Rights::Full,
        }
    }

    /// A device with the modem of the manual's examples.
    fn with_modem() -> Self {
        let mut desk = Self::new();
        desk.status.attached = Some([10, 0, 0, 2].into());
        desk.status.radio = RadioStatus {
            lacks: Vec::new(),
            modem: Some(ModemIdentity {
                imei: String::from("135790246811220"),
                imsi: String::from("460023633887978"),
                model: String::from("SIM"),
                abilities: Abilities {
                    messages: true,
                    calls: true,
                },
            }),
            sim: SimState::Ready,
            registration: Registration::Home,
            operator: Some(Operator {
                name: String::from("China Mobile"),
                code: String::from("46000"),
            }),
            signal: Signal {
                strength: 31,
                error_rate: 99,
            },
            cell: Some(Cell {
                area: 21_269,
                id: 34_093,
            }),
            own_number: PhoneNumber::new("+8613912345678"),
            service_center: PhoneNumber::new("8613800531500"),
        };
        desk
    }

    fn with<T>(&mut self, work: impl FnOnce(&mut Context<'_>) -> T) -> T {
        work(&mut Context {
            config: &mut self.config,
            stored: &self.stored,
            options: &self.options,
            identity: &self.identity,
            status: &self.status,
            clock: &mut self.clock,
            mailbox: &mut self.mailbox,
            connection: &mut self.connection,
            origin: self.origin,
            rights: self.rights,
            refusal: &mut None,
        })
    }

    fn run(&mut self, line: impl AsRef<[u8]>) -> Ran {
        self.with(|ctx| run_line(line.as_ref(), ctx))
    }

    fn resume(&mut self, parked: Parked, stored: Result<(), &str>) -> Ran {
        self.with(|ctx| resume(parked, Answer::Stored(stored.map_err(String::from)), ctx))
    }

    /// The reply of a line that does not wait, and its effects.
    #[track_caller]
    fn done(&mut self, line: impl AsRef<[u8]>) -> (String, Vec<Effect>) {
        match self.run(line) {
            Ran::Done { reply, effects } => (String::from_utf8(reply).unwrap(), effects),
            Ran::Parked { .. } | Ran::Prompt { .. } => panic!("the line waits"),
        }
    }

    /// The reply of a line that neither waits nor wants anything.
    #[track_caller]
    fn reply(&mut self, line: impl AsRef<[u8]>) -> String {
        let (reply, effects) = self.done(line);
        assert_eq!(effects, []);
        reply
    }

    #[track_caller]
    fn ok(&mut self, line: impl AsRef<[u8]>) {
        let (reply, _) = self.done(&line);
        assert_eq!(
            reply,
            "\r\nOK\r\n",
            "{}",
            String::from_utf8_lossy(line.as_ref())
        );
    }

    /// The line is answered by these lines of information, then OK.
    #[track_caller]
    fn tells(&mut self, line: &str, information: &str) {
        assert_eq!(
            self.reply(line),
            std::format!("\r\n{information}\r\n\r\nOK\r\n"),
            "{line}"
        );
    }

    /// The line is refused with this text, and changes nothing.
    #[track_caller]
    fn refuses(&mut self, line: impl AsRef<[u8]>, text: &str) {
        let before = self.config.clone();
        assert_eq!(self.reply(line), std::format!("\r\n+CME ERROR: {text}\r\n"));
        assert_eq!(self.config, before);
    }
}
