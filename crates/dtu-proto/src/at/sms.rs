//! Texts behind a prompt, and answers of the network, as replies.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::reply::{Code, Error};
use super::{Context, Submission, Typed};
use crate::radio::SubmitFailure;

/// Which command has asked for a text, with its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Prompted {}

/// What follows the text.
pub(super) enum Next {
    /// These lines of information text, and OK.
    Done(Vec<String>),
    /// The answer of the network.
    Wait(Submission),
}

/// The DTE has answered the prompt.
pub(super) fn prompted(what: Prompted, _typed: Typed, _ctx: &mut Context<'_>) -> Result<Next, Error> {
    match what {}
}

/// The network has answered: the information text.
pub(super) fn submitted(
    submission: &Submission,
    outcome: Result<u8, SubmitFailure>,
) -> Result<Vec<String>, Error> {
    let name = submission.command;
    let reference =
        outcome.map_err(|failure| Error::new(Code::Message(failure.0), format!("{name}: {failure}")))?;
    Ok(if submission.tells_reference { Vec::from([format!("+{name}: {reference}")]) } else { Vec::new() })
}
