//! A command that has asked the DTE for a text.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::Dtu;
use crate::at::{self, Effect, Entry, Prompt};
use crate::session::Requester;

/// Who asked for the text that the line collects.
#[derive(Debug)]
pub(super) struct OpenPrompt {
    pub(super) requester: Requester,
    prompt: Prompt,
    /// What is to be done behind the answer: the line must not change while the DTE types.
    effects: Vec<Effect>,
}

impl Dtu {
    pub(super) fn open_prompt(
        &mut self,
        requester: Requester,
        prompt: Prompt,
        effects: Vec<Effect>,
    ) {
        self.line.open_prompt(prompt.ends, prompt.max, self.now);
        let open = OpenPrompt {
            requester,
            prompt,
            effects,
        };
        self.prompt = Some(Box::new(open));
    }

    pub(super) fn answer_prompt(&mut self, entry: Entry) {
        let Some(open) = self.prompt.take() else {
            return;
        };
        let OpenPrompt {
            requester,
            prompt,
            effects,
        } = *open;
        let outcome = self.with_device(requester.origin, |device| {
            at::answer_prompt(prompt, entry, device)
        });
        self.line_ran(requester, Vec::new(), effects, outcome);
    }

    /// The DTE that was asked is gone: the next one shall not type into its message.
    pub(super) fn abandon_prompt(&mut self) {
        self.line.drop_typed();
        if let Some(open) = self.drop_prompt() {
            self.carry_out(open.requester.origin, open.effects);
        }
    }

    /// A restart ends the prompt without a word.
    pub(super) fn forget_prompt(&mut self) {
        self.drop_prompt();
    }

    /// A frame for the connection that is not complete is lost, and counted.
    fn drop_prompt(&mut self) -> Option<Box<OpenPrompt>> {
        let text = self.line.drop_prompt();
        if let Some(text) = text.filter(|text| text.is_for_connection()) {
            self.modes.at.make(&self.options).dropped(text.len());
        }
        self.prompt.take()
    }
}
