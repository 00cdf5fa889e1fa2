//! Short messages: what goes out, what comes in.

use alloc::vec::Vec;
use bytes::Bytes;

use super::Dtu;
use crate::radio::{PhoneNumber, SubmitFailure};

impl Dtu {
    /// Sends the parts of a command's message; [`Self::submission_answered`] follows.
    pub(super) fn submit(&mut self, _parts: Vec<Bytes>) {
        self.submission_answered(Err(SubmitFailure::NO_MODEM));
    }

    /// Answers a command that came as a message.
    pub(super) fn reply_by_message(&mut self, _to: PhoneNumber, _reply: &[u8]) {}
}
