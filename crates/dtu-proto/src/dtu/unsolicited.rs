//! What the DTE is told without having asked: rings and results of calls, registration.
//!
//! Data is never disturbed: outside the command state and the set-up window nothing is told.

use alloc::vec::Vec;
use bytes::Bytes;

use super::Dtu;
use crate::event::Origin;
use crate::line::LineState;
use crate::line::port::REPLY_QUEUE_HIGH;

/// So many wait at most while a command of the line is being answered; the oldest goes first.
const HELD_MAX: usize = 16;

impl Dtu {
    /// Prints a text that `at` has framed: now, or behind the answer to the command that is under way.
    pub(super) fn unsolicited(&mut self, text: Vec<u8>) {
        self.unsolicited.push_back(Bytes::from(text));
        if self.unsolicited.len() > HELD_MAX {
            self.unsolicited.pop_front();
            self.line.counters.dropped_replies += 1;
        }
        self.print_unsolicited();
    }

    /// What waited for an answer that is out by now.
    pub(super) fn print_unsolicited(&mut self) {
        if self.unsolicited.is_empty() {
            return;
        }
        // mutant: rings-in-data
        if self.line.state == LineState::OnlineData {
            self.unsolicited.clear();
        }
        while !self.answers_line() {
            let Some(text) = self.unsolicited.pop_front() else {
                return;
            };
            if self.line.port.own_waiting() < REPLY_QUEUE_HIGH {
                self.write_serial(text);
            } else {
                self.line.counters.dropped_replies += 1;
            }
        }
    }

    /// Whether a command of the line waits for its answer, or for its text.
    pub(super) fn answers_line(&self) -> bool {
        let parked = self.session.waiting_for();
        let prompt = self.prompt.as_ref().map(|prompt| prompt.requester.origin);
        parked == Some(Origin::Serial) || prompt == Some(Origin::Serial)
    }
}
