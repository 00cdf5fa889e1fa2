//! The doors: who may run a command, and where its reply goes.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use bytes::Bytes;

use super::{Dtu, GUARDED_DOORS, WaitingCommand};
use crate::at::{self, Context, Effect, Parked, Ran, Rights, SlowCommand};
use crate::config::{Config, FACTORY_PASSWORD, FactoryPassword, to_store_text};
use crate::event::{Door, Event, Output, StoreOutput};
use crate::serial::inline::{self, Guard};
use crate::serial::port::REPLY_QUEUE_HIGH;
use crate::time::Duration;

/// The store must answer within this time.
const STORE_PATIENCE: Duration = Duration::from_secs(10);

/// Who asked, and is answered: a later connection of the same link is somebody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Asker {
    pub(super) door: Door,
    connection: u64,
}

impl Dtu {
    /// Looks for a command in a whole frame, read or datagram. False: it is data.
    pub(super) fn inline_command(&mut self, door: Door, frame: &[u8]) -> bool {
        let Some(found) = inline::parse(frame) else { return false };
        let now = self.now;
        if self.rights(door).is_none() {
            return false;
        }
        let right = inline::same_password(found.password, &self.config.password);
        if right || self.guard(door).is_shut(now) {
            // Through a shut door nothing is run; but the password is kept from going on as data.
            if right && !self.guard(door).is_shut(now) {
                self.run_command(door, found.line);
            }
            return right;
        }
        if !at::begins_with_a_command(found.line) {
            return false; // text with a comma, no guess
        }
        let shut = self.guard(door).wrong_password(now);
        self.event(Event::WrongPassword(door));
        if shut {
            self.event(Event::DoorShut(door));
        }
        false
    }

    fn guard(&mut self, door: Door) -> &mut Guard {
        let index = match door {
            Door::Link(link) => link.index(),
            Door::Serial | Door::SerialFrame | Door::Console => GUARDED_DOORS - 1,
        };
        &mut self.guards[index]
    }

    /// What a door may do; `None` = it is not heard.
    fn rights(&self, door: Door) -> Option<Rights> {
        let factory = self.config.password == FACTORY_PASSWORD;
        match (door, self.options.factory_password) {
            (Door::Link(_), FactoryPassword::Query) if factory => Some(Rights::QueryAndPassword),
            (Door::Link(_), FactoryPassword::Off) if factory => None,
            (Door::Link(_) | Door::Serial | Door::SerialFrame | Door::Console, _) => Some(Rights::Full),
        }
    }

    /// Runs one command line of a door that has been checked.
    pub(super) fn run_command(&mut self, door: Door, line: &[u8]) {
        let asker = self.asker(door);
        let is_blank = line.iter().all(u8::is_ascii_whitespace);
        if !is_blank && (self.waiting_command.is_some() || self.ending.is_some()) {
            let busy = at::error_reply("busy: another command is being carried out, try again", &self.config);
            self.reply(asker, busy);
            return;
        }
        let ran = self.with_context(door, |ctx| at::run_line(line, ctx));
        self.ran(asker, Vec::new(), Vec::new(), ran);
    }

    pub(super) fn line_too_long(&mut self) {
        let reply = at::error_reply("a command line has at most 1024 bytes, got a longer one", &self.config);
        self.reply(self.asker(Door::Serial), reply);
    }

    fn with_context<R>(&mut self, door: Door, run: impl FnOnce(&mut Context<'_>) -> R) -> R {
        let status = self.status(self.now);
        let rights = self.rights(door).unwrap_or(Rights::QueryAndPassword);
        run(&mut Context {
            config: &mut self.config,
            stored: &self.stored,
            options: &self.options,
            identity: &self.identity,
            status: &status,
            clock: &mut self.clock,
            door,
            rights,
        })
    }

    fn ran(&mut self, asker: Asker, mut reply: Vec<u8>, mut effects: Vec<Effect>, ran: Ran) {
        match ran {
            Ran::Done { reply: rest, effects: more } => {
                reply.extend_from_slice(&rest);
                effects.extend(more);
                self.reply(asker, reply);
                self.carry_out(asker.door, effects);
            }
            Ran::Parked { reply: part, effects: more, parked } => {
                reply.extend_from_slice(&part);
                effects.extend(more);
                self.save(asker, reply, effects, parked);
            }
        }
    }

    fn save(&mut self, asker: Asker, reply: Vec<u8>, effects: Vec<Effect>, parked: Parked) {
        let saving = match parked.waits {
            SlowCommand::Save => self.config.clone(),
            SlowCommand::Factory => Config::default(),
        };
        self.outputs.push_back(Output::Store(StoreOutput::Save(to_store_text(&saving))));
        let until = self.now + STORE_PATIENCE;
        self.waiting_command = Some(WaitingCommand { asker, parked, reply, effects, saving, until });
    }

    fn asker(&self, door: Door) -> Asker {
        let connection = match door {
            Door::Link(link) => self.links[link.index()].connection(),
            Door::Serial | Door::SerialFrame | Door::Console => 0,
        };
        Asker { door, connection }
    }

    /// The store does not answer. Its answer may still come, and is then nobody's.
    pub(super) fn store_is_silent(&mut self) {
        self.late_answers += 1;
        self.answer_waiting(Err("the store does not answer"));
    }

    pub(super) fn store_answered(&mut self, answer: Result<(), &str>) {
        if self.late_answers > 0 {
            self.late_answers -= 1;
        } else {
            self.answer_waiting(answer);
        }
    }

    fn answer_waiting(&mut self, answer: Result<(), &str>) {
        let Some(waiting) = self.waiting_command.take() else { return };
        let WaitingCommand { asker, parked, reply, effects, saving, .. } = waiting;
        self.prolong_ending();
        if answer.is_ok() {
            self.stored = saving;
        }
        let answer = answer.map_err(ToString::to_string);
        let ran = self.with_context(asker.door, |ctx| at::resume(parked, answer, ctx));
        self.ran(asker, reply, effects, ran);
    }

    fn reply(&mut self, asker: Asker, reply: Vec<u8>) {
        match asker.door {
            // Data of the DTE goes on meanwhile, so reading cannot stop.
            Door::SerialFrame if self.port.waiting() >= REPLY_QUEUE_HIGH => {
                self.serial_counters.dropped_replies += 1;
            }
            Door::Serial | Door::SerialFrame => self.write_serial(Bytes::from(reply)),
            Door::Link(link) => {
                self.with_link(link, |l, cx| l.reply(Bytes::from(reply), asker.connection, cx))
            }
            Door::Console => {
                let text = String::from_utf8_lossy(&reply).into_owned();
                self.outputs.push_back(Output::Console(text));
            }
        }
    }

    fn carry_out(&mut self, door: Door, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::EnterMode => self.leave_command_state(),
                Effect::WindowFor(time) => self.prolong_window(time),
                Effect::LineChanged => self.line_changed_in_window(),
                Effect::Apply => self.apply_behind_reply(door),
                Effect::Restart(reason) => self.restart(reason),
                Effect::Shutdown => self.shut_down(),
            }
        }
    }
}
