//! A prompt: the DTE types the text of a message, or a frame for the connection of the AT mode (27.005 3.5.1, manual
//! 2.8.6.35).

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::Dtu;
use crate::at::{self, Effect, Ends, Prompt, Typed};
use crate::line::LineState;
use crate::line::assembler::{BACKSPACE, DELETE};
use crate::session::Requester;
use crate::time::{Duration, Instant};

/// Without packing, a frame at a prompt ends with this silence: reads alone tell nothing there.
const SILENCE_MIN: Duration = Duration::from_millis(10);
/// A prompt waits so long for the next byte of its text (decisions 16.12).
const PATIENCE: Duration = Duration::from_secs(60);
/// Ctrl-Z ends the text at a prompt, ESC gives it up (27.005 3.5.1).
const END: u8 = 0x1A;
const CANCEL: u8 = 0x1B;

/// A command that has asked the DTE for a text.
#[derive(Debug)]
pub(super) struct OpenPrompt {
    pub(super) requester: Requester,
    prompt: Prompt,
    /// What came so far, as far as the prompt takes it.
    text: Vec<u8>,
    /// Bytes that came.
    came: usize,
    /// What is to be done behind the answer: the line must not change while the DTE types.
    effects: Vec<Effect>,
    pub(super) until: Instant,
}

impl OpenPrompt {
    /// Takes a byte of the DTE. Says how the text ended, if it did.
    fn push(&mut self, byte: u8, now: Instant, silence: Duration) -> Option<Typed> {
        self.until = now + PATIENCE;
        match (self.prompt.ends, byte) {
            (Ends::Mark, END) => return Some(self.typed()),
            (Ends::Mark, CANCEL) => return Some(Typed::Cancelled),
            (Ends::Mark, BACKSPACE | DELETE) => {
                self.came = self.came.saturating_sub(1);
                self.text.truncate(self.came);
                return None;
            }
            (Ends::Mark | Ends::Count, _) => {}
            (Ends::Silence, _) => self.until = now + silence,
        }
        self.came += 1;
        if self.came <= self.prompt.max {
            self.text.push(byte);
        }
        let complete = self.prompt.ends == Ends::Count && self.text.len() == self.prompt.max;
        complete.then(|| self.typed())
    }

    /// Whether a LF that comes now still belongs to the command line (decisions 16.10).
    pub(super) fn skips_a_line_end(&self) -> bool {
        self.came == 0 && self.prompt.ends != Ends::Count
    }

    /// Whether it is one of `CISEND`.
    pub(super) fn is_for_connection(&self) -> bool {
        matches!(self.prompt.ends, Ends::Silence | Ends::Count)
    }

    /// The text as it is.
    fn typed(&mut self) -> Typed {
        let text = core::mem::take(&mut self.text);
        if self.came > self.prompt.max {
            Typed::TooLong(self.came)
        } else {
            Typed::Text(text)
        }
    }

    /// What a silence means.
    fn fell_silent(&mut self) -> Typed {
        if self.prompt.ends == Ends::Silence && self.came > 0 {
            self.typed()
        } else {
            Typed::Abandoned(self.came)
        }
    }
}

impl Dtu {
    pub(super) fn open_prompt(
        &mut self,
        requester: Requester,
        prompt: Prompt,
        effects: Vec<Effect>,
    ) {
        let until = self.now + PATIENCE;
        let open = OpenPrompt {
            requester,
            prompt,
            text: Vec::new(),
            came: 0,
            effects,
            until,
        };
        self.prompt = Some(Box::new(open));
    }

    /// Bytes of the DTE at a prompt; what stands behind its end comes back.
    pub(super) fn prompt_bytes<'d>(&mut self, data: &'d [u8]) -> &'d [u8] {
        self.line.escape.note_byte(self.now);
        for (index, &byte) in data.iter().enumerate() {
            let silence = self.prompt_silence();
            let Some(open) = &mut self.prompt else {
                return &data[index..];
            };
            self.line.counters.command_bytes += 1;
            let typed = open.push(byte, self.now, silence);
            if typed.is_none() || open.prompt.ends == Ends::Count {
                self.echo(&[byte]);
            }
            if let Some(typed) = typed {
                self.close_prompt(typed);
                return &data[index + 1..];
            }
        }
        &[]
    }

    /// Silence that ends a frame at a prompt.
    fn prompt_silence(&self) -> Duration {
        // On a slow line the bytes of a run are a character apart.
        self.packing()
            .silence
            .max(SILENCE_MIN)
            .max(self.line.format.character_time() * 3 / 2)
    }

    fn close_prompt(&mut self, typed: Typed) {
        let Some(open) = self.prompt.take() else {
            return;
        };
        let OpenPrompt {
            requester,
            prompt,
            effects,
            ..
        } = *open;
        let outcome = self.with_device(requester.origin, |device| {
            at::answer_prompt(prompt, typed, device)
        });
        self.line_ran(requester, Vec::new(), effects, outcome);
    }

    /// Nobody types any more.
    pub(super) fn prompt_due(&mut self) {
        let Some(open) = &mut self.prompt else { return };
        let typed = open.fell_silent();
        self.close_prompt(typed);
    }

    /// The DTE that was asked is gone: the next one shall not type into its message.
    pub(super) fn abandon_prompt(&mut self) {
        if self.line.state == LineState::OnlineCommand {
            self.line.assembler.clear();
        }
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
        let open = self.prompt.take();
        if let Some(open) = open.as_ref().filter(|open| open.is_for_connection()) {
            self.at_connection.dropped(open.came);
        }
        open
    }
}
