//! Origins: who may run a command, and where its reply goes.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use bytes::Bytes;

use super::{Dtu, GUARDED_ORIGINS, WaitingCommand};
use crate::at::{
    self, Device, Effect, LineOutcome, ParkedLine, Rights, ShownLine, SlowCommand, SlowResult,
};
use crate::config::{Config, FACTORY_PASSWORD, FactoryPassword};
use crate::event::{Event, Origin, Output, StoreOutput};
use crate::line::port::REPLY_QUEUE_HIGH;
use crate::radio::SubmitFailure;
use crate::session::inline::{self, Guard};
use crate::time::{Duration, Instant};

/// What a command is told that comes while another is under way.
const BUSY: &str = "busy: another command is being carried out, try again";
/// The store must answer within this time.
const STORE_PATIENCE: Duration = Duration::from_secs(10);
/// The network must take one message within this time.
const SUBMIT_PATIENCE: Duration = Duration::from_secs(180);
/// The socket must take the frame of a `CISEND` within this time.
const SEND_PATIENCE: Duration = Duration::from_secs(60);
/// The connection itself waits 5 s for the host.
const CLOSE_PATIENCE: Duration = Duration::from_secs(10);

/// Who asked, and is answered: a later connection of the same link is somebody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Requester {
    pub(super) origin: Origin,
    connection: u64,
}

/// How long a command waits for its answer.
fn patience(waits: &SlowCommand) -> Duration {
    match waits {
        SlowCommand::Save | SlowCommand::Factory => STORE_PATIENCE,
        SlowCommand::Submit(submission) => {
            SUBMIT_PATIENCE * u32::try_from(submission.parts.len()).unwrap_or(1)
        }
        SlowCommand::Send(_) => SEND_PATIENCE,
        SlowCommand::Close => CLOSE_PATIENCE,
    }
}

impl Dtu {
    /// Looks for a command in a whole frame, read or datagram. False: it is data.
    pub(super) fn inline_command(&mut self, origin: Origin, frame: &[u8]) -> bool {
        let Some(found) = inline::parse(frame) else {
            return false;
        };
        let now = self.now;
        if self.rights(origin).is_none() {
            return false;
        }
        // mutant: password
        let right = inline::same_password(found.password, &self.config.password);
        if right || self.guard(origin).is_shut(now) {
            // From a locked origin nothing is run; but the password is kept from going on as data.
            if right && !self.guard(origin).is_shut(now) {
                self.run_command(origin, found.line);
            }
            return right;
        }
        if !at::begins_with_a_command(found.line) {
            return false; // text with a comma, no guess
        }
        let shut = self.guard(origin).wrong_password(now);
        self.event(Event::WrongPassword(origin));
        if shut {
            self.event(Event::OriginLocked(origin));
        }
        false
    }

    fn guard(&mut self, origin: Origin) -> &mut Guard {
        let guards = self.guards.get_or_insert_default();
        match origin {
            Origin::Link(link) => &mut guards[link.index()],
            Origin::Sms(number) => self.phone_guards.of(number, self.now),
            Origin::Serial | Origin::SerialFrame | Origin::Console => {
                &mut guards[GUARDED_ORIGINS - 1]
            }
        }
    }

    /// What an origin may do; `None` = it is not heard.
    fn rights(&self, origin: Origin) -> Option<Rights> {
        let factory = self.config.password == FACTORY_PASSWORD;
        match (origin, self.options.factory_password) {
            // mutant: factory-password
            (Origin::Link(_) | Origin::Sms(_), FactoryPassword::Query) if factory => {
                Some(Rights::Query)
            }
            (Origin::Link(_) | Origin::Sms(_), FactoryPassword::Off) if factory => None,
            (
                Origin::Link(_)
                | Origin::Sms(_)
                | Origin::Serial
                | Origin::SerialFrame
                | Origin::Console,
                _,
            ) => Some(Rights::Full),
        }
    }

    /// Whether commands from this origin are heard at all.
    pub(super) fn is_heard(&self, origin: Origin) -> bool {
        self.rights(origin).is_some()
    }

    /// Runs one command line of an origin that was checked.
    pub(super) fn run_command(&mut self, origin: Origin, line: &[u8]) {
        let requester = self.requester(origin);
        let is_blank = line.iter().all(u8::is_ascii_whitespace);
        let shown = (origin != Origin::Serial && !is_blank)
            .then(|| Box::new((origin, ShownLine::of(line))));
        if !is_blank && (self.is_answering() || self.ending.is_some()) {
            let busy = at::error_reply(BUSY, &self.config);
            self.reply(requester, busy);
            self.say_command(shown, Some(String::from(BUSY)));
            return;
        }
        self.shown_command = shown;
        let outcome = self.with_device(origin, |device| at::run_line(line, device));
        self.line_ran(requester, Vec::new(), Vec::new(), outcome);
    }

    pub(super) fn line_too_long(&mut self) {
        let reply = at::error_reply(
            "a command line has at most 1024 bytes, got a longer one",
            &self.config,
        );
        self.reply(self.requester(Origin::Serial), reply);
    }

    /// Lends what a command line works on.
    pub(super) fn with_device<R>(
        &mut self,
        origin: Origin,
        run: impl FnOnce(&mut Device<'_>) -> R,
    ) -> R {
        let status = self.status(self.now);
        let rights = self.rights(origin).unwrap_or(Rights::Query);
        let result = run(&mut Device {
            config: &mut self.config,
            stored: &self.stored,
            options: &self.options,
            identity: &self.identity,
            status: &status,
            clock: &mut self.clock,
            mailbox: &mut self.mailbox,
            connection: &mut self.at_connection,
            origin,
            rights,
        });
        // A set that is as it was stored takes no memory of its own.
        if !Arc::ptr_eq(&self.config, &self.stored) && self.config == self.stored {
            self.config = self.stored.clone();
        }
        result
    }

    /// What a line gave, behind what it had given before it had to wait.
    pub(super) fn line_ran(
        &mut self,
        requester: Requester,
        mut reply: Vec<u8>,
        mut effects: Vec<Effect>,
        outcome: LineOutcome,
    ) {
        match outcome {
            LineOutcome::Done {
                reply: rest,
                effects: more,
                refusal,
            } => {
                reply.extend_from_slice(&rest);
                effects.extend(more);
                self.reply(requester, reply);
                let shown = self.shown_command.take();
                self.say_command(shown, refusal);
                self.carry_out(requester.origin, effects);
            }
            LineOutcome::Parked {
                reply: part,
                effects: more,
                parked,
            } => {
                reply.extend_from_slice(&part);
                effects.extend(more);
                self.park(requester, reply, effects, parked);
            }
            LineOutcome::Prompt {
                reply: rest,
                effects: more,
                prompt,
            } => {
                reply.extend_from_slice(&rest);
                effects.extend(more);
                self.reply(requester, reply);
                self.open_prompt(requester, prompt, effects);
            }
        }
    }

    /// Tells the log who ran what, and what became of it.
    fn say_command(&mut self, shown: Option<Box<(Origin, ShownLine)>>, refusal: Option<String>) {
        if let Some(shown) = shown {
            let (origin, line) = *shown;
            let outcome = refusal.map_or(Ok(()), |why| Err(line.refusal(&why)));
            // mutant: refusal-said
            self.event(Event::Command {
                origin,
                line: line.text,
                outcome,
            });
        }
    }

    fn park(
        &mut self,
        requester: Requester,
        reply: Vec<u8>,
        effects: Vec<Effect>,
        parked: ParkedLine,
    ) {
        let waits = parked.waits.clone();
        let saving = match &waits {
            SlowCommand::Save => Some(self.config.clone()),
            SlowCommand::Factory => Some(Arc::new(Config::default())),
            SlowCommand::Submit(_) | SlowCommand::Send(_) | SlowCommand::Close => None,
        };
        let store = saving.as_deref().map(at::to_store_text);
        let until = self.now + patience(&waits);
        self.waiting_command = Some(Box::new(WaitingCommand {
            requester,
            parked,
            reply,
            effects,
            saving,
            until,
        }));
        if let Some(text) = store {
            self.outputs
                .push_back(Output::Store(StoreOutput::Save(text)));
        }
        match waits {
            SlowCommand::Save | SlowCommand::Factory => {}
            SlowCommand::Submit(submission) => self.submit(submission.parts),
            SlowCommand::Send(frame) => self.send_at_connection(frame),
            SlowCommand::Close => self.close_at_connection(),
        }
    }

    /// Whether a command is under way: it waits for an answer, or for its text.
    pub(super) const fn is_answering(&self) -> bool {
        self.waiting_command.is_some() || self.prompt.is_some()
    }

    /// The device is about to end: a peer that takes nothing does not hold it up.
    pub(super) fn hurry_send(&mut self, until: Instant) {
        if let Some(waiting) = &mut self.waiting_command
            && matches!(waiting.parked.waits, SlowCommand::Send(_))
        {
            waiting.until = waiting.until.min(until);
        }
    }

    fn requester(&self, origin: Origin) -> Requester {
        let connection = match origin {
            Origin::Link(link) => self.links[link.index()].connection(),
            Origin::Serial | Origin::SerialFrame | Origin::Console | Origin::Sms(_) => 0,
        };
        Requester { origin, connection }
    }

    /// What a command waits for does not come. The store's answer may still come, and is then nobody's.
    pub(super) fn command_timeout(&mut self) {
        match self
            .waiting_command
            .as_ref()
            .map(|waiting| &waiting.parked.waits)
        {
            Some(SlowCommand::Save | SlowCommand::Factory) => {
                self.late_answers += 1;
                self.answer_waiting(SlowResult::Stored(Err(
                    "the store does not answer".to_string()
                )));
            }
            Some(SlowCommand::Submit(_)) => {
                self.forget_submission();
                self.answer_waiting(SlowResult::Submitted(Err(SubmitFailure::TIMED_OUT)));
            }
            Some(SlowCommand::Send(_)) => self.send_is_late(),
            Some(SlowCommand::Close) => self.close_ended(),
            None => {}
        }
    }

    pub(super) fn store_answered(&mut self, answer: Result<(), &str>) {
        if self.late_answers > 0 {
            self.late_answers -= 1;
            return;
        }
        let Some(saved) = self
            .waiting_command
            .as_mut()
            .and_then(|waiting| waiting.saving.take())
        else {
            return;
        };
        if answer.is_ok() {
            self.stored = saved;
        }
        self.answer_waiting(SlowResult::Stored(answer.map_err(ToString::to_string)));
    }

    /// The command's message is with the network, or was refused.
    pub(super) fn submission_answered(&mut self, outcome: Result<u8, SubmitFailure>) {
        self.answer_waiting(SlowResult::Submitted(outcome));
    }

    pub(super) fn answer_waiting(&mut self, result: SlowResult) {
        let Some(waiting) = self.waiting_command.take() else {
            return;
        };
        let WaitingCommand {
            requester,
            parked,
            reply,
            effects,
            ..
        } = *waiting;
        self.prolong_ending();
        let outcome = self.with_device(requester.origin, |device| {
            at::resume(parked, result, device)
        });
        self.line_ran(requester, reply, effects, outcome);
    }

    fn reply(&mut self, requester: Requester, reply: Vec<u8>) {
        match requester.origin {
            // Data of the DTE goes on meanwhile, so reading cannot stop.
            Origin::SerialFrame if self.line.port.own_waiting() >= REPLY_QUEUE_HIGH => {
                self.line.counters.dropped_replies += 1;
            }
            Origin::Serial | Origin::SerialFrame => self.write_serial(Bytes::from(reply)),
            Origin::Link(link) => {
                // mutant: reply-to-requester
                self.with_link(link, |l, cx| {
                    l.reply(Bytes::from(reply), requester.connection, cx)
                })
            }
            Origin::Sms(number) => self.reply_by_message(number, &reply),
            Origin::Console => {
                let text = String::from_utf8_lossy(&reply).into_owned();
                self.outputs.push_back(Output::Console(text));
            }
        }
    }

    pub(super) fn carry_out(&mut self, origin: Origin, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::EnterMode => self.leave_online_command(),
                Effect::WindowFor(time) => self.prolong_window(time),
                Effect::LineChanged => self.line_changed_in_window(),
                Effect::Apply => self.apply_behind_reply(origin),
                Effect::Restart(reason) => self.restart(reason),
                Effect::Shutdown => self.shut_down(),
                Effect::Dial(number) => self.dial(origin, number),
                Effect::Answer => self.answer_call(),
                Effect::HangUp => self.hang_up(),
                Effect::Open => self.open_at_connection(),
            }
        }
    }
}
