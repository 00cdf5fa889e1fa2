//! Command lines: run, and their replies carried to whom they belong.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use bytes::Bytes;

use super::Dtu;
use crate::at::{self, Device, Effect, LineOutcome, ParkedLine, Rights, SlowCommand, SlowResult};
use crate::event::{Event, Origin, Output, StoreOutput};
use crate::line::Class;
use crate::radio::SubmitFailure;
use crate::session::{self, CompletedCommand, Found, Requester, StoreAnswer, WaitingCommand};

/// What a command is told that comes while another is under way.
const BUSY: &str = "busy: another command is being carried out, try again";

impl Dtu {
    /// Looks for a command in a whole frame, read or datagram. False: it is data.
    pub(super) fn inline_command(&mut self, origin: Origin, frame: &[u8]) -> bool {
        let found = self
            .session
            .find(origin, frame, &self.config, &self.options, self.now);
        match found {
            Found::Data => false,
            Found::Command(line) => {
                self.run_command(origin, line);
                true
            }
            Found::Locked => true,
            Found::WrongPassword { locks } => {
                self.event(Event::WrongPassword(origin));
                if locks {
                    self.event(Event::OriginLocked(origin));
                }
                false
            }
        }
    }

    /// Runs one command line of an origin that was checked.
    pub(super) fn run_command(&mut self, origin: Origin, line: &[u8]) {
        let requester = self.requester(origin);
        let is_busy = self.is_answering() || self.ending.is_some();
        if is_busy && !session::is_blank(line) {
            let busy = at::error_reply(BUSY, &self.config);
            self.reply(requester, busy);
            self.log_command(session::turned_away(origin, line, BUSY));
            return;
        }
        self.session.begin(origin, line);
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
        let rights = session::rights(origin, &self.config, &self.options).unwrap_or(Rights::Query);
        let result = run(&mut Device {
            config: &mut self.config,
            stored: &self.stored,
            options: &self.options,
            identity: &self.identity,
            status: &status,
            clock: &mut self.cellular.clock,
            mailbox: &mut self.mailbox,
            connection: self.modes.at.make(&self.options),
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
                let ended = self.session.end(refusal);
                self.log_command(ended);
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
    fn log_command(&mut self, ended: Option<CompletedCommand>) {
        if let Some(CompletedCommand {
            origin,
            line,
            outcome,
        }) = ended
        {
            // mutant: refusal-said
            self.event(Event::Command {
                origin,
                line,
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
        let waiting =
            WaitingCommand::new(requester, parked, reply, effects, &self.config, self.now);
        if let Some(config) = waiting.saving() {
            let text = at::to_store_text(config);
            self.outputs
                .push_back(Output::Store(StoreOutput::Save(text)));
        }
        self.session.wait(waiting);
        match waits {
            SlowCommand::Save | SlowCommand::Keep | SlowCommand::Factory => {}
            SlowCommand::Submit(submission) => self.submit(submission.parts),
            SlowCommand::Send(frame) => self.send_at_connection(frame),
            SlowCommand::Close => self.close_at_connection(),
        }
    }

    /// Whether a command is under way: it waits for an answer, or for its text.
    pub(super) const fn is_answering(&self) -> bool {
        self.session.is_waiting() || self.prompt.is_some()
    }

    fn requester(&self, origin: Origin) -> Requester {
        let connection = match origin {
            Origin::Link(link) => self.modes.transparent.links[link.index()].connection(),
            Origin::Serial | Origin::SerialFrame | Origin::Console | Origin::Sms(_) => 0,
        };
        Requester { origin, connection }
    }

    /// What a command waits for does not come.
    pub(super) fn command_timeout(&mut self) {
        match self.session.awaited() {
            Some(SlowCommand::Save | SlowCommand::Keep | SlowCommand::Factory) => {
                self.session.give_up_store();
                let why = "the store does not answer".to_string();
                self.answer_waiting(SlowResult::Stored(Err(why)));
            }
            Some(SlowCommand::Submit(_)) => {
                self.forget_submission();
                self.answer_waiting(SlowResult::Submitted(Err(SubmitFailure::TIMED_OUT)));
            }
            Some(SlowCommand::Send(_)) => self.send_is_late(),
            Some(SlowCommand::Close) => self.close_is_late(),
            None => {}
        }
    }

    pub(super) fn store_answered(&mut self, answer: Result<(), &str>) {
        let saved = match self.session.store_answered() {
            StoreAnswer::Waiting(saved) => saved,
            // Who asked was told that nothing is stored, so it must not stay.
            StoreAnswer::TooLate if answer.is_ok() => return self.store_again(),
            StoreAnswer::TooLate | StoreAnswer::Nobody => return,
        };
        if answer.is_ok() {
            self.stored = saved;
            self.settings_stored();
        }
        self.answer_waiting(SlowResult::Stored(answer.map_err(ToString::to_string)));
    }

    fn store_again(&mut self) {
        self.session.puts_back();
        let text = at::to_store_text(&self.stored);
        self.outputs
            .push_back(Output::Store(StoreOutput::Save(text)));
    }

    /// The command's message is with the network, or was refused.
    pub(super) fn submission_answered(&mut self, outcome: Result<u8, SubmitFailure>) {
        self.answer_waiting(SlowResult::Submitted(outcome));
    }

    pub(super) fn answer_waiting(&mut self, result: SlowResult) {
        let Some(WaitingCommand {
            requester,
            parked,
            reply,
            effects,
            ..
        }) = self.session.take_waiting()
        else {
            return;
        };
        self.prolong_ending();
        let outcome = self.with_device(requester.origin, |device| {
            at::resume(parked, result, device)
        });
        self.line_ran(requester, reply, effects, outcome);
    }

    fn reply(&mut self, requester: Requester, reply: Vec<u8>) {
        match requester.origin {
            Origin::Serial => self.print_class(Class::Reply, Bytes::from(reply)),
            Origin::SerialFrame => self.print_class(Class::FrameReply, Bytes::from(reply)),
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
                Effect::ApplyOnTrial(time) => self.try_settings(origin, time),
                Effect::Keep => self.keep_settings(),
                Effect::GoBack => self.refuse_settings(origin),
                Effect::Restart(reason) => self.restart(reason),
                Effect::Shutdown => self.shut_down(),
                Effect::Dial(number) => self.dial(origin, number),
                Effect::Answer => self.answer_call(origin),
                Effect::HangUp => self.hang_up(origin),
                Effect::Open => self.open_at_connection(),
            }
        }
    }
}
