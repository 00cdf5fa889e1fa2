//! The table of all commands: it feeds the interpreter, `=?`, help, the stored file and the docs.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::call::Call;
use super::cmd;
use super::param::{Absent, Param};
use super::parse::Form;
use super::reply::Error;
use crate::config::Config;

/// All commands, by subject, in the order of help and of the stored file. `AT+HELP=<subject>` lists one.
pub(super) const GROUPS: &[(&str, &[Command])] = &[
    ("SESSION", cmd::session::COMMANDS),
    ("IDENTITY", cmd::identity::COMMANDS),
    ("CLOCK", cmd::clock::COMMANDS),
    ("NETWORK", cmd::network::COMMANDS),
    ("RADIO", cmd::radio::COMMANDS),
    ("CALLS", cmd::call::COMMANDS),
    ("PACKETS", cmd::packet::COMMANDS),
    ("MODE", cmd::mode::COMMANDS),
    ("LINKS", cmd::link::COMMANDS),
    ("CONNECTION", cmd::connection::COMMANDS),
    ("ROLES", cmd::role::COMMANDS),
    ("HTTPD", cmd::httpd::COMMANDS),
    ("LINE", cmd::uart::COMMANDS),
    ("ACCESS", cmd::access::COMMANDS),
    ("POWER", cmd::power::COMMANDS),
    ("STATUS", cmd::status::COMMANDS),
    ("MESSAGES", cmd::message::COMMANDS),
    ("STORAGE", cmd::store::COMMANDS),
    ("CLOUD", cmd::unsupported::COMMANDS),
];

/// Does the work of one form. What it refuses leaves the configuration as it was.
pub(super) type Handler = fn(&mut Call<'_, '_>) -> Result<(), Error>;

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
    /// Run and set forms that change nothing: they pass while the password is the factory one.
    pub(super) open_run: bool,
    pub(super) open_set: bool,
    /// The lines of the stored file.
    pub(super) saved: Option<fn(&Config) -> Vec<String>>,
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
            open_run: false,
            open_set: false,
            saved: None,
            takes_effect: None,
            missing: None,
        }
    }

    pub(super) const fn runs(mut self, run: Handler) -> Self {
        self.run = Some(run);
        self
    }

    /// A run form that only asks.
    pub(super) const fn asks(mut self, run: Handler) -> Self {
        self.open_run = true;
        self.runs(run)
    }

    pub(super) const fn reads(mut self, read: Handler) -> Self {
        self.read = Some(read);
        self
    }

    pub(super) const fn sets(mut self, set: Handler) -> Self {
        self.set = Some(set);
        self
    }

    /// A set form that changes nothing.
    pub(super) const fn open_sets(mut self, set: Handler) -> Self {
        self.open_set = true;
        self.sets(set)
    }

    /// What `=?` answers, where it is not made from the parameters.
    pub(super) const fn tests(mut self, test: Handler) -> Self {
        self.test = Some(test);
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
    pub(super) const fn tells(mut self, ranges: &'static str) -> Self {
        self.ranges = Some(ranges);
        self
    }

    /// What people call it in an error: `CIPCFG`, `ATE`.
    pub(super) fn label(&self) -> String {
        match self.name.strip_prefix('+') {
            Some(name) => String::from(name),
            None => self.typed(),
        }
    }

    /// How it is typed: `AT+CIPCFG`, `ATE`.
    pub(super) fn typed(&self) -> String {
        String::from("AT") + self.name
    }

    /// Whether it is an extended command (V.250 5.4), which has a test form.
    pub(super) fn is_extended(&self) -> bool {
        self.name.starts_with('+')
    }

    pub(super) const fn handler(&self, form: Form) -> Option<Handler> {
        match form {
            Form::Run => self.run,
            Form::Read => self.read,
            Form::Set => self.set,
            Form::Test if self.test.is_some() => self.test,
            Form::Test => Some(super::call::test_form),
        }
    }

    /// Whether this form passes where only queries are allowed from the origin.
    pub(super) const fn is_open(&self, form: Form) -> bool {
        match form {
            Form::Run => self.open_run,
            Form::Set => self.open_set,
            Form::Read | Form::Test => true,
        }
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

    /// `AUTO,HEAT,…`
    pub(super) fn parameter_names(&self) -> String {
        self.params
            .iter()
            .map(|param| param.name)
            .collect::<Vec<_>>()
            .join(",")
    }
}

/// Every command.
pub(super) fn all() -> impl Iterator<Item = &'static Command> {
    GROUPS.iter().flat_map(|(_, commands)| *commands)
}

/// The subject of that name, which is in capitals.
pub(super) fn group(name: &str) -> Option<&'static [Command]> {
    GROUPS
        .iter()
        .find(|(subject, _)| *subject == name)
        .map(|(_, commands)| *commands)
}

/// The command of that name, which is in capitals.
pub(super) fn find(name: &str) -> Option<&'static Command> {
    all().find(|command| command.name == name)
}
