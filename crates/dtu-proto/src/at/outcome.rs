//! What a command gives: text, and what the device must do.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use bytes::Bytes;

use super::connection::ConnectionCode;
use super::prompt::Prompt;
use crate::config::Config;
use crate::event::{Connect, RestartReason};
use crate::ids::PhoneNumber;
use crate::sms::MailboxChange;
use crate::time::Duration;

/// Lines of information text.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Lines(pub(super) Vec<Vec<u8>>);

impl From<String> for Lines {
    fn from(line: String) -> Self {
        Self(Vec::from([line.into_bytes()]))
    }
}

impl From<Vec<u8>> for Lines {
    /// Bytes in the charset of the serial line.
    fn from(line: Vec<u8>) -> Self {
        Self(Vec::from([line]))
    }
}

impl From<&str> for Lines {
    fn from(line: &str) -> Self {
        String::from(line).into()
    }
}

impl FromIterator<String> for Lines {
    fn from_iter<I: IntoIterator<Item = String>>(lines: I) -> Self {
        Self(lines.into_iter().map(String::into_bytes).collect())
    }
}

/// What a command gives besides its OK.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) lines: Lines,
    /// In their order. They stand even where the command is refused in the end.
    pub(super) changes: Vec<Change>,
    pub(super) effects: Vec<Effect>,
    pub(super) next: Next,
}

/// How the line goes on.
#[derive(Debug, Default)]
pub(super) enum Next {
    /// With its next command.
    #[default]
    Command,
    /// When this is answered.
    Wait(SlowCommand),
    /// When the DTE has typed a text.
    Prompt(Prompt),
    /// With its next command behind this code; where there is none the code stands in place of OK.
    Code(ConnectionCode),
    /// Not at all: it ends with this code in place of OK.
    End(ConnectionCode),
}

impl Outcome {
    pub(super) fn say(&mut self, line: String) {
        self.lines.0.push(line.into_bytes());
    }

    pub(super) fn change(&mut self, change: Change) {
        self.changes.push(change);
    }

    pub(super) fn effect(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    pub(super) fn mailbox(&mut self, change: MailboxChange) {
        self.change(Change::Mailbox(change));
    }

    pub(super) fn wait(&mut self, slow: SlowCommand) {
        self.next = Next::Wait(slow);
    }
}

/// What is changed at once: the next command of the line sees it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// The running set.
    Config(Box<Config>),
    /// `CCLK`: seconds after 2000-01-01 00:00:00.
    Clock(u32),
    Mailbox(MailboxChange),
    /// `CIOPEN`: where to.
    OrderConnection(Connect),
    /// `CICLOSE`: what has not begun does not begin.
    ForgetConnection,
    /// `CISEND`: a frame of so many bytes could not be one.
    DropFrame(usize),
}

/// What the device does behind the reply to the whole line, in the order asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// `ENTM`: leave the command state when the reply is out.
    EnterMode,
    /// `CIOPTIME`: the set-up window ends so long from now.
    WindowFor(Duration),
    /// `CIPR`, `ICF`: in the set-up window the line changes when the reply is out.
    LineChanged,
    /// `CIAPPLY`.
    Apply,
    /// `CIAPPLY=<s>`: the old settings come back unless the new ones are kept in that time.
    ApplyOnTrial(Duration),
    /// `CIKEEP`, once the running set is stored.
    Keep,
    /// `CIKEEP=0`
    GoBack,
    /// `CIRESET`, and `CIRELOAD` once the factory set is stored.
    Restart(RestartReason),
    /// `CISHUTDOWN`.
    Shutdown,
    /// `D`, `DL`.
    Dial(PhoneNumber),
    /// `A`.
    Answer,
    /// `H`, `CHUP`.
    HangUp,
    /// `CIOPEN`: the connection says where to.
    Open,
}

/// Commands that wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SlowCommand {
    /// Store the running set.
    Save,
    /// Store the running set, which is on trial.
    Keep,
    /// Store the factory set; when it is stored it comes into force, and the device restarts.
    Factory,
    /// Send a message.
    Submit(Submission),
    /// `CISEND`: hand these bytes to the connection.
    Send(Bytes),
    /// `CICLOSE`
    Close,
}

/// A message on its way to the network for a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Submission {
    /// Who is waiting.
    pub(crate) command: &'static str,
    /// SUBMIT PDUs, service centre first, sent in this order.
    pub(crate) parts: Vec<Bytes>,
    /// Whether the reply tells the message reference, `+CMGS: <mr>`.
    pub(crate) tells_reference: bool,
    /// `CMSS`: the place of the storage that is sent.
    pub(crate) place: Option<u8>,
}

impl SlowCommand {
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Save => "ATW",
            Self::Keep => "CIKEEP",
            Self::Factory => "CIRELOAD",
            Self::Submit(submission) => submission.command,
            Self::Send(_) => "CISEND",
            Self::Close => "CICLOSE",
        }
    }
}
