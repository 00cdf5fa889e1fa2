//! AT commands: one table feeds the interpreter, `=?`, help, the stored file and the docs.
//!
//! A line comes from one of the origins ([`Origin`]), which have checked password and gates already. It is
//! split into commands (V.250: `;`, glued basic commands); each is looked up in `table::GROUPS`, its values are
//! read by their `Param`s. A command either only answers, or sets parameters (`fn(&Values, &mut Config)`, so it can be
//! stored), or looks at the device and says what it must do: a `Change` before the next command of the line, an
//! [`Effect`] behind the reply.
//!
//! Who uses whom: `parse`, `reply` < `param` < `values`, `prompt`, `outcome` < `command` < `cmd/` < `table` < `run`, `stored`.

mod bench;
mod cmd;
mod command;
mod connection;
mod describe;
mod frame;
pub mod fuzzing;
mod outcome;
mod param;
mod parse;
mod prompt;
mod registration;
mod reply;
mod run;
mod shown;
mod sms;
mod stored;
mod table;
#[cfg(test)]
mod tests;
mod urc;
mod values;
mod view;

pub(crate) use cmd::session::with_profile_of;
pub use command::TakesEffect;
pub(crate) use connection::{ConnectionCode, connection_text};
pub use describe::{CommandDescription, ParameterDescription, ParameterKind};
pub(crate) use outcome::{Effect, SlowCommand};
pub(crate) use prompt::{Entry, Prompt};
pub(crate) use registration::registration_changes;
pub(crate) use run::{
    Device, LineOutcome, ParkedLine, Rights, SlowResult, answer_prompt, begins_with_a_command,
    error_reply, resume, run_line,
};
pub(crate) use shown::ShownLine;
pub use shown::{shown_answer, shown_command, shown_text};
pub use stored::{Setting, from_store_text, load_setting, settings, take_apart, to_store_text};
pub use table::commands;
pub(crate) use urc::{call_text, message_text, urc_text, whole_text};
