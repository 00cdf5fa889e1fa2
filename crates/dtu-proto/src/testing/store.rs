//! The disk.

use alloc::string::String;
use alloc::vec::Vec;

use super::Bench;
use crate::event::{Input, StoreInput, StoreOutput};

const FULL: &str = "no space left on device";

/// What the disk holds, and how it behaves.
pub struct Store {
    /// Each text of the parameters that was to be stored.
    pub saved: Vec<String>,
    /// Orders of the spools.
    pub spool: Vec<StoreOutput>,
    /// The messages that are stored.
    pub messages: String,
    /// How often messages were stored, or could not be.
    pub sets: u32,
    /// Whether there is room.
    pub works: bool,
    /// Whether it says what became of the parameters.
    pub answers: bool,
    /// It says what became of the messages only when it is told to ([`Bench::disk_answers`]).
    pub slow: bool,
    waiting: Option<(u64, String)>,
}

impl Default for Store {
    fn default() -> Self {
        Self {
            saved: Vec::new(),
            spool: Vec::new(),
            messages: String::new(),
            sets: 0,
            works: true,
            answers: true,
            slow: false,
            waiting: None,
        }
    }
}

impl Store {
    /// Whether it owes a word about the messages, where it is slow.
    #[must_use]
    pub const fn waits(&self) -> bool {
        self.waiting.is_some()
    }

    pub(super) fn forget(&mut self) {
        (self.saved, self.spool) = (Vec::new(), Vec::new());
    }
}

impl Bench {
    /// The disk says what became of the messages.
    #[track_caller]
    pub fn disk_answers(&mut self) -> &mut Self {
        self.store.slow = false;
        if let Some((number, text)) = self.store.waiting.take() {
            self.keep(number, text);
            self.drain();
        }
        self
    }

    pub(super) fn save(&mut self, parameters: String) {
        self.store.saved.push(parameters);
        if self.store.answers {
            let answer = if self.store.works {
                StoreInput::Saved
            } else {
                StoreInput::Failed(FULL)
            };
            self.answer(Input::Store(answer));
        }
    }

    pub(super) fn keep(&mut self, number: u64, text: String) {
        if self.store.slow {
            self.store.waiting = Some((number, text));
            return;
        }
        self.store.sets += 1;
        let answer = if self.store.works {
            self.store.messages = text;
            StoreInput::MessagesSaved(number)
        } else {
            StoreInput::MessagesFailed(FULL)
        };
        self.answer(Input::Store(answer));
    }

    pub(super) fn spool(&mut self, order: StoreOutput) {
        self.store.spool.push(order);
    }
}
