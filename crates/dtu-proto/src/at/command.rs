//! What a command is: its entry in the table, and what serves each of its forms.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::outcome::{Effect, Lines, Outcome};
use super::param::{Absent, Param};
use super::parse::{Arg, Form};
use super::reply::{Code, Error};
use super::values::{Values, label};
use super::view::View;
use crate::config::{Charset, Config};

/// Looks at the device and answers.
pub(super) type Ask = fn(&Values, &View<'_>) -> Result<Lines, Error>;
/// Tells about the commands themselves.
pub(super) type Tell = fn(&Values, Groups) -> Result<Lines, Error>;
/// Sets parameters and does nothing else. What it refuses leaves them as they were.
pub(super) type Set = fn(&Values, &mut Config) -> Result<(), Error>;
/// Looks at the device and says what it must do.
pub(super) type Act = fn(&Values, &View<'_>, &mut Outcome) -> Result<(), Error>;

/// What one form does.
#[derive(Clone, Copy, Debug)]
pub(super) enum Handler {
    Ask(Ask),
    Tell(Tell),
    Set(Set),
    Act(Act),
    /// Says what the parameters may be.
    Ranges,
}

/// Commands by subject.
pub(super) type Groups = &'static [(&'static str, &'static [Command])];

/// One command.
#[derive(Clone, Copy, Debug)]
pub(super) struct Command {
    /// In capitals: `+CIPCFG`, `E`, `&F`; empty for the bare `AT`.
    pub(super) name: &'static str,
    /// Sections of the manual, or where else it comes from.
    pub(super) section: &'static str,
    pub(super) help: &'static str,
    /// A line that people type, and its answer by a device with a modem; its lines apart by LF.
    pub(super) example: (&'static str, &'static str),
    /// More than a line, for the docs.
    pub(super) notes: &'static str,
    /// What `=?` says, where it is not what the parameters say.
    pub(super) ranges: Option<&'static str>,
    pub(super) params: &'static [Param],
    pub(super) run: Option<Handler>,
    pub(super) read: Option<Handler>,
    pub(super) set: Option<Handler>,
    /// What `=?` answers, where it is not made from the parameters.
    pub(super) test: Option<Handler>,
    /// What the device does behind the reply when its set form has set parameters.
    pub(super) then: Option<fn() -> Effect>,
    /// The lines of the stored file.
    pub(super) saved: Option<fn(&Config) -> Vec<String>>,
    /// Reads such a line, where the form that people type does more than to set parameters.
    pub(super) load: Option<Set>,
    pub(super) takes_effect: Option<TakesEffect>,
    pub(super) missing: Option<Missing>,
}

/// When a setting takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TakesEffect {
    /// At once.
    Now,
    /// At the next restart, or with `AT+CIAPPLY`.
    Restart,
}

/// Why a command of the table is not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    Cloud,
}

impl Missing {
    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Cloud => "needs the cloud link, which this version does not have",
        }
    }
}

impl Command {
    pub(super) const fn new(
        name: &'static str,
        section: &'static str,
        help: &'static str,
        params: &'static [Param],
    ) -> Self {
        Self {
            name,
            section,
            help,
            example: ("", ""),
            notes: "",
            ranges: None,
            params,
            run: None,
            read: None,
            set: None,
            test: None,
            then: None,
            saved: None,
            load: None,
            takes_effect: None,
            missing: None,
        }
    }

    /// `AT+X` only answers. What only answers passes while the password is the factory one.
    pub(super) const fn asks(mut self, ask: Ask) -> Self {
        self.run = Some(Handler::Ask(ask));
        self
    }

    /// `AT+X=…` only answers.
    pub(super) const fn asks_for(mut self, ask: Ask) -> Self {
        self.set = Some(Handler::Ask(ask));
        self
    }

    /// `AT+X` tells about commands.
    pub(super) const fn tells(mut self, tell: Tell) -> Self {
        self.run = Some(Handler::Tell(tell));
        self
    }

    /// `AT+X=…` tells about a command.
    pub(super) const fn tells_of(mut self, tell: Tell) -> Self {
        self.set = Some(Handler::Tell(tell));
        self
    }

    pub(super) const fn reads(mut self, ask: Ask) -> Self {
        self.read = Some(Handler::Ask(ask));
        self
    }

    /// What `=?` answers, where it is not made from the parameters.
    pub(super) const fn tests(mut self, ask: Ask) -> Self {
        self.test = Some(Handler::Ask(ask));
        self
    }

    pub(super) const fn sets(mut self, set: Set) -> Self {
        self.set = Some(Handler::Set(set));
        self
    }

    /// The device does this behind the reply when parameters are set.
    pub(super) const fn then(mut self, effect: fn() -> Effect) -> Self {
        self.then = Some(effect);
        self
    }

    /// A basic command with its value right behind it sets parameters: `ATE1`.
    pub(super) const fn switches(mut self, set: Set) -> Self {
        self.run = Some(Handler::Set(set));
        self
    }

    pub(super) const fn acts(mut self, act: Act) -> Self {
        self.run = Some(Handler::Act(act));
        self
    }

    /// `AT+X=…` acts on what is given.
    pub(super) const fn acts_on(mut self, act: Act) -> Self {
        self.set = Some(Handler::Act(act));
        self
    }

    pub(super) const fn saved(
        mut self,
        lines: fn(&Config) -> Vec<String>,
        when: TakesEffect,
    ) -> Self {
        self.saved = Some(lines);
        self.takes_effect = Some(when);
        self
    }

    /// Reads a stored line, where the form that people type looks at more than the parameters.
    pub(super) const fn loads(mut self, set: Set) -> Self {
        self.load = Some(set);
        self
    }

    /// Takes effect at once, and is not stored.
    pub(super) const fn now(mut self) -> Self {
        self.takes_effect = Some(TakesEffect::Now);
        self
    }

    pub(super) const fn missing(mut self, missing: Missing) -> Self {
        self.missing = Some(missing);
        self
    }

    pub(super) const fn example(mut self, line: &'static str, answer: &'static str) -> Self {
        self.example = (line, answer);
        self
    }

    pub(super) const fn notes(mut self, notes: &'static str) -> Self {
        self.notes = notes;
        self
    }

    /// What `=?` says.
    pub(super) const fn ranges(mut self, ranges: &'static str) -> Self {
        self.ranges = Some(ranges);
        self
    }

    /// What people call it in an error: `CIPCFG`, `ATE`.
    pub(super) fn label(&self) -> String {
        label(self.name)
    }

    /// How it is typed: `AT+CIPCFG`, `ATE`.
    pub(super) fn typed(&self) -> String {
        String::from("AT") + self.name
    }

    /// Whether it is an extended command (V.250 5.4), which has a test form.
    pub(super) fn is_extended(&self) -> bool {
        self.name.starts_with('+')
    }

    /// What serves this form, or how the command must be written.
    pub(super) fn handler(&self, form: Form) -> Result<Handler, Error> {
        let handler = match form {
            Form::Run => self.run,
            Form::Read => self.read,
            Form::Set => self.set,
            Form::Test => Some(self.test.unwrap_or(Handler::Ranges)),
        };
        handler.ok_or_else(|| {
            let forms = self.forms().join(" or ");
            let text = format!("{}: must be written {forms}", self.label());
            Error::new(Code::NotSupported, text)
        })
    }

    /// What reads a line of the stored file in this form.
    pub(super) fn loader(&self, form: Form) -> Result<Set, Error> {
        match (self.load, self.handler(form)?) {
            (Some(load), _) | (None, Handler::Set(load)) => Ok(load),
            (None, _) => {
                let text = format!("{} is no stored setting", self.name);
                Err(Error::new(Code::NotSupported, text))
            }
        }
    }

    /// Reads the values that stand in a form.
    pub(super) fn values(
        &self,
        form: Form,
        args: &[Arg],
        charset: Charset,
    ) -> Result<Values, Error> {
        let takes_values = match form {
            Form::Set => true,
            Form::Run => !self.is_extended(),
            Form::Read | Form::Test => false,
        };
        if takes_values {
            Values::read(self.name, self.params, args, charset)
        } else {
            Values::read(self.name, &[], &[], charset)
        }
    }

    /// The range text; a command without parameters only says OK (V.250 5.4.3.2).
    pub(super) fn test_text(&self) -> Option<String> {
        if let Some(ranges) = self.ranges {
            return Some(format!("{}: {ranges}", self.name));
        }
        if self.params.is_empty() {
            return None;
        }
        let ranges: Vec<String> = self
            .params
            .iter()
            .map(|param| param.kind.test_text())
            .collect();
        Some(format!("{}: {}", self.name, ranges.join(",")))
    }

    /// The forms people may type: `AT+X=<A>,<B>[,<C>]`, with what stands for a value in `<>` and what may be left off in
    /// `[]` (V.250 5).
    pub(super) fn forms(&self) -> Vec<String> {
        let typed = self.typed();
        let names = self.placeholders();
        let mut forms = Vec::new();
        if self.run.is_some() {
            forms.push(if self.is_extended() {
                typed.clone()
            } else {
                typed.clone() + &names
            });
        }
        if self.read.is_some() {
            forms.push(typed.clone() + "?");
        }
        if self.set.is_some() {
            forms.push(typed + "=" + &names);
        }
        forms
    }

    fn placeholders(&self) -> String {
        let left_off = |param: &&Param| matches!(param.absent, Absent::LeftOff(_));
        let optional = self.params.iter().rev().take_while(left_off).count();
        let mut text = String::new();
        for (place, param) in self.params.iter().enumerate() {
            text += if place + optional >= self.params.len() {
                "["
            } else {
                ""
            };
            text += if place > 0 { "," } else { "" };
            // `ATD` wants its semicolon.
            text += &match param.name.strip_suffix(';') {
                Some(name) => format!("<{name}>;"),
                None => format!("<{}>", param.name),
            };
        }
        text + &"]".repeat(optional)
    }

    /// Whether one of its values is shown to nobody.
    pub(super) fn has_secret(&self) -> bool {
        self.params.iter().any(|param| param.secret)
    }
}

impl Handler {
    /// Whether it passes where only queries are allowed from the origin: it changes nothing.
    pub(super) const fn is_open(self) -> bool {
        match self {
            Self::Ask(_) | Self::Tell(_) | Self::Ranges => true,
            Self::Set(_) | Self::Act(_) => false,
        }
    }
}
