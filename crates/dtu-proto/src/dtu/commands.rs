//! The doors: who may run a command, and where its reply goes.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use bytes::Bytes;

use super::{Dtu, GUARDED_DOORS, LineState, WaitingCommand};
use crate::at::{self, Context, Effect, Parked, Ran, Rights, SlowCommand};
use crate::config::{Config, FACTORY_PASSWORD, FactoryPassword, to_store_text};
use crate::event::{Door, Event, Output, StoreOutput};
use crate::serial::inline::{self, Guard};
use crate::serial::port::QUEUE_HIGH;
use crate::time::Duration;

/// Replies to `psw,AT+` frames find no room while so many bytes wait for the DTE: its data goes on meanwhile, so
/// reading cannot stop.
const REPLY_QUEUE_HIGH: usize = 2 * QUEUE_HIGH;
/// The store must answer within this time.
const STORE_PATIENCE: Duration = Duration::from_secs(10);

impl Dtu {
    /// Looks for a command in a whole frame, read or datagram. False: it is data.
    pub(super) fn inline_command(&mut self, door: Door, frame: &[u8]) -> bool {
        let Some(found) = inline::parse(frame) else { return false };
        let now = self.now;
        if self.rights(door).is_none() || self.guard(door).is_shut(now) {
            return false;
        }
        if inline::same_password(found.password, &self.config.password) {
            self.run_command(door, found.line);
            return true;
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
        if self.waiting_command.is_some() || self.ending.is_some() {
            let busy = at::error_reply("busy: another command is being carried out, try again", &self.config);
            self.reply(door, busy);
            return;
        }
        let ran = self.with_context(door, |ctx| at::run_line(line, ctx));
        self.ran(door, Vec::new(), ran);
    }

    pub(super) fn line_too_long(&mut self) {
        let reply = at::error_reply("a command line has at most 1024 bytes, got a longer one", &self.config);
        self.reply(Door::Serial, reply);
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

    fn ran(&mut self, door: Door, mut reply: Vec<u8>, ran: Ran) {
        match ran {
            Ran::Done { reply: rest, effects } => {
                reply.extend_from_slice(&rest);
                self.reply(door, reply);
                self.carry_out(effects);
            }
            Ran::Parked { reply: part, effects, parked } => {
                reply.extend_from_slice(&part);
                self.carry_out(effects);
                self.save(door, reply, parked);
            }
        }
    }

    fn save(&mut self, door: Door, reply: Vec<u8>, parked: Parked) {
        let saving = match parked.waits {
            SlowCommand::Save => self.config.clone(),
            SlowCommand::Factory => Config::default(),
        };
        self.outputs.push_back(Output::Store(StoreOutput::Save(to_store_text(&saving))));
        let until = self.now + STORE_PATIENCE;
        self.waiting_command = Some(WaitingCommand { door, parked, reply, saving, until });
    }

    /// The store has answered, or never will.
    pub(super) fn store_answered(&mut self, answer: Result<(), &str>) {
        let Some(waiting) = self.waiting_command.take() else { return };
        let WaitingCommand { door, parked, reply, saving, .. } = waiting;
        if answer.is_ok() {
            self.stored = saving;
        }
        let answer = answer.map_err(ToString::to_string);
        let ran = self.with_context(door, |ctx| at::resume(parked, answer, ctx));
        self.ran(door, reply, ran);
    }

    fn reply(&mut self, door: Door, reply: Vec<u8>) {
        match door {
            Door::SerialFrame if self.port.waiting() >= REPLY_QUEUE_HIGH => {
                self.serial_counters.dropped_replies += 1;
            }
            Door::Serial | Door::SerialFrame => self.write_serial(Bytes::from(reply)),
            Door::Link(link) => self.with_link(link, |l, cx| l.reply(Bytes::from(reply), cx)),
            Door::Console => {
                let text = String::from_utf8_lossy(&reply).into_owned();
                self.outputs.push_back(Output::Console(text));
            }
        }
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::EnterMode => self.leave_command_state(),
                Effect::WindowFor(time) => self.line_state = LineState::Window { until: self.now + time },
                Effect::LineChanged => self.line_changed_in_window(),
                Effect::Apply => self.apply(),
                Effect::Restart(reason) => self.restart(reason),
                Effect::Shutdown => self.shut_down(),
            }
        }
    }
}
