//! The AT side as a DTE sees it: lines in, replies out.

use std::string::String;
use std::vec::Vec;

use std::ops::{Deref, DerefMut};

use super::bench::Bench;
use super::{Device, Effect, LineOutcome, ParkedLine, SlowResult, resume, run_line};
use crate::ids::{Origin, PhoneNumber};
use crate::radio::{Abilities, Cell, ModemIdentity, Operator, Registration, Signal, SimState};
use crate::status::RadioStatus;

mod chinese;
mod cures;
mod httpd;
mod lines;
mod manual;
mod messages;
mod phone;
mod properties;
mod rules;
mod shown;
mod table;

/// A device with nothing behind its AT commands.
struct Desk {
    bench: Bench,
    origin: Origin,
    /// Why the last line was refused, if it was.
    refusal: Option<String>,
}

impl Deref for Desk {
    type Target = Bench;

    fn deref(&self) -> &Bench {
        &self.bench
    }
}

impl DerefMut for Desk {
    fn deref_mut(&mut self) -> &mut Bench {
        &mut self.bench
    }
}

impl Desk {
    fn new() -> Self {
        Self {
            bench: Bench::default(),
            origin: Origin::Serial,
            refusal: None,
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

    /// What became of a line, but for the refusal.
    fn with(&mut self, work: impl FnOnce(&mut Device<'_>) -> LineOutcome) -> LineOutcome {
        let mut outcome = self.bench.with(self.origin, work);
        if let LineOutcome::Done { refusal, .. } = &mut outcome {
            self.refusal = refusal.take();
        }
        outcome
    }

    fn run(&mut self, line: impl AsRef<[u8]>) -> LineOutcome {
        self.with(|device| run_line(line.as_ref(), device))
    }

    fn resume(&mut self, parked: ParkedLine, stored: Result<(), &str>) -> LineOutcome {
        let result = SlowResult::Stored(stored.map_err(String::from));
        self.with(|device| resume(parked, result, device))
    }

    /// The reply of a line that does not wait, and its effects.
    #[track_caller]
    fn done(&mut self, line: impl AsRef<[u8]>) -> (String, Vec<Effect>) {
        match self.run(line) {
            LineOutcome::Done { reply, effects, .. } => {
                (String::from_utf8(reply).unwrap(), effects)
            }
            LineOutcome::Parked { .. } | LineOutcome::Prompt { .. } => panic!("the line waits"),
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
