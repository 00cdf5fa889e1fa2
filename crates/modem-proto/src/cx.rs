//! What every part of the dialogue is lent while it works.

use alloc::borrow::ToOwned as _;
use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;

use dtu_proto::radio::{ModemIdentity, ModemInput};
use dtu_proto::time::Instant;

use crate::action::Action;
use crate::command::CommandQueue;
use crate::dialect::{Dialect, GENERIC};
use crate::event::{Counters, Event, Output};
use crate::exchange::{Exchange, Request};
use crate::limitation::{Limitation, Limitations};
use crate::response::{Failure, Outcome, Response};
use crate::settings::Settings;

/// A part reads it, queues commands and asks for actions, and names no other part.
#[derive(Debug)]
pub(crate) struct Cx {
    /// Of the input or deadline that is being handled.
    pub(crate) now: Instant,
    pub(crate) settings: Settings,
    /// The access point's password is a secret like the PIN.
    pub(crate) password: Option<String>,
    pub(crate) exchange: Exchange,
    pub(crate) queue: CommandQueue,
    /// Nothing is sent before.
    pub(crate) quiet_until: Option<Instant>,
    pub(crate) dialect: &'static Dialect,
    pub(crate) identity: ModemIdentity,
    /// `Present` was reported, and not taken back.
    pub(crate) present: bool,
    pub(crate) limitations: Limitations,
    pub(crate) counters: Counters,
    actions: VecDeque<Action>,
}

impl Cx {
    pub(crate) fn new(settings: Settings, now: Instant) -> Self {
        Self {
            now,
            settings,
            password: None,
            exchange: Exchange::default(),
            queue: CommandQueue::default(),
            quiet_until: None,
            dialect: &GENERIC,
            identity: ModemIdentity::default(),
            present: false,
            limitations: Limitations::default(),
            counters: Counters::default(),
            actions: VecDeque::new(),
        }
    }

    pub(crate) fn act(&mut self, action: Action) {
        self.actions.push_back(action);
    }

    /// What parts asked for since the last time.
    pub(crate) fn take_actions(&mut self) -> VecDeque<Action> {
        core::mem::take(&mut self.actions)
    }

    /// Reports to the device.
    pub(crate) fn emit(&mut self, report: ModemInput) {
        self.act(Action::Output(Output::Report(report)));
    }

    pub(crate) fn log(&mut self, event: Event) {
        self.act(Action::Output(Output::Event(event)));
    }

    pub(crate) fn write(&mut self, bytes: bytes::Bytes) {
        self.act(Action::Output(Output::Write(bytes)));
    }

    /// The modem is gone or about to be: what was asked of it is void, here at once and then in all parts.
    pub(crate) fn forget_modem(&mut self) {
        self.exchange.abandon();
        self.exchange.text_mode = false;
        self.queue.clear();
        self.quiet_until = None;
        self.limitations.forget();
        self.act(Action::Forget);
    }

    /// Says that a command failed where its failure costs something.
    pub(crate) fn log_refusal(&mut self, request: &Request, response: &Response) {
        let why = match response.outcome {
            Outcome::Ok => return,
            Outcome::Failed(failure) => format!("{failure}"),
            Outcome::Call(_) => "with a lost call".into(),
            Outcome::TimedOut => "not at all".into(),
        };
        let command = self.mask(&request.text);
        self.log(Event::Refused { command, why });
    }

    /// A text without the PIN and the password of the access point, wherever they stand in it, and without what the
    /// user's own lines set: that may be another password.
    pub(crate) fn mask(&self, text: &str) -> String {
        let pin = self.settings.pin.as_ref().map(crate::settings::Pin::as_str);
        let secrets = [pin, self.password.as_deref()]
            .into_iter()
            .flatten()
            .filter(|secret| !secret.is_empty());
        let text = self
            .settings
            .init
            .iter()
            .fold(String::from(text), |text, line| {
                let name = line.split_once('=').map(|(name, _)| name);
                name.map_or_else(
                    || text.clone(),
                    |name| text.replace(line, &format!("{name}=****")),
                )
            });
        secrets.fold(text, |text, secret| text.replace(secret, "****"))
    }

    pub(crate) fn add_limitation(&mut self, limitation: Limitation) {
        if self.limitations.add(limitation) {
            self.emit_limitations();
        }
        // mutant: lack-said-once
        if self.limitations.log_once(limitation) {
            self.log(Event::Limitation(limitation));
        }
    }

    /// It can, after all.
    pub(crate) fn clear_limitation(&mut self, limitation: Limitation) {
        if self.limitations.remove(limitation) {
            self.emit_limitations();
        }
    }

    pub(crate) fn limited_if(&mut self, is_limited: bool, limitation: Limitation) {
        if is_limited {
            self.add_limitation(limitation)
        } else {
            self.clear_limitation(limitation)
        }
    }

    /// By its response to the command.
    pub(crate) fn limited_if_unknown(&mut self, response: &Response, limitation: Limitation) {
        let is_unknown = response.failure().is_some_and(Failure::is_unknown_command);
        self.limited_if(is_unknown, limitation);
    }

    /// By its response to the command, where any refusal counts.
    pub(crate) fn limited_if_refused(&mut self, response: &Response, limitation: Limitation) {
        self.limited_if(response.failure().is_some(), limitation);
    }

    pub(crate) fn emit_limitations(&mut self) {
        if self.present {
            let words = self.limitations.iter();
            let words = words.map(|limitation| limitation.words().to_owned());
            let words = words.collect();
            self.emit(ModemInput::Lacks(words));
        }
    }
}
