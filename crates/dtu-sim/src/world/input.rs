//! What the model finds on the serial line and in reads of links: frames, commands, texts, each an entry in the ledger
//! before the device sees the same input.

use std::rc::Rc;

use dtu_proto::config::{FACTORY_PASSWORD, FactoryPassword, WorkingMode};
use dtu_proto::event::{LinkId, Origin};

use super::World;
use crate::commands::{Action, Verdict, origin_slot};
use crate::downlink::REPLY;
use crate::model::{LineEvent, Phase};

impl World {
    /// What the model found becomes entries in the ledger. Called before the device sees the same input.
    pub(super) fn take_line_events(&mut self) {
        while let Some(found) = self.ledger.line.next() {
            match found {
                LineEvent::Frame(bytes) if self.ledger.line.phase == Phase::Window => {
                    self.ledger.keep(Rc::from(bytes));
                }
                LineEvent::Frame(bytes) => self.frame(bytes),
                LineEvent::Prompt => self.ledger.prompts += 1,
                LineEvent::Escaped(_) => {
                    self.ledger.escapes += 1;
                    self.sum.escapes += 1;
                }
                LineEvent::Line(line) => self.command_line(&line),
                LineEvent::Text(text) => self.at_text(&text),
            }
        }
    }

    fn frame(&mut self, bytes: Vec<u8>) {
        self.note("frame", None, 0, &bytes);
        let set = &self.ledger.watch.expected;
        let amid = self.ledger.applied.mode == WorkingMode::SerialCommand
            && self.ledger.command.is_inside();
        let verdict =
            self.ledger.gates[0].judge(&bytes, set.serial_at && !amid, &set.password, self.now);
        match verdict {
            Verdict::Command(text) => {
                self.note("inline command", None, 0, &text);
                self.let_in(Origin::SerialFrame, &text, true);
            }
            Verdict::Ignored => {}
            Verdict::Data => {
                self.sum.frames += 1;
                self.ledger.route(&Rc::from(bytes));
            }
        }
    }

    fn command_line(&mut self, line: &[u8]) {
        self.note("command line", None, 0, line);
        let line = behind_noise(line);
        if self.is_at_mode() {
            self.at_line(line);
        }
        if line.len() >= 2 && line[..2].eq_ignore_ascii_case(b"AT") {
            self.let_in(Origin::Serial, line, true);
        } else {
            self.ledger.owe(Origin::Serial, false);
        }
    }

    fn let_in(&mut self, origin: Origin, text: &[u8], full: bool) {
        self.sum.commands += 1;
        self.ledger.owe(origin, true);
        if origin != Origin::Serial {
            let (least, most) = &mut self.ledger.to_log[origin_slot(origin)];
            (*least, *most) = (*least + 1, *most + 1);
        }
        if self.disk.saving.is_some() || self.ending {
            // Answered as busy.
            return;
        }
        match self.ledger.watch.accept(text, full) {
            // In the AT mode the line stays as it is.
            Action::EnterMode if self.is_at_mode() => {}
            Action::EnterMode => self.ledger.line.phase = Phase::Data,
            Action::Restart => self.ending = true,
            Action::Apply => self.applied_at(),
            Action::Nothing | Action::Set(_) | Action::Save => {}
        }
    }

    /// `CIAPPLY`: a frame that is being received belongs to the mode that ends.
    fn applied_at(&mut self) {
        let (old, new) = (self.ledger.applied.mode, self.ledger.watch.expected.mode);
        if self.ledger.line.phase == Phase::Window {
            return;
        }
        if old != new {
            self.ledger.line.flush();
            self.take_line_events();
            self.switch_lines(new);
        }
        self.ledger.applied = self.ledger.watch.expected.clone();
    }

    /// One read of a link: a command, or data for the serial line.
    pub(super) fn take_read(&mut self, link: LinkId, bytes: &[u8]) {
        let set = &self.ledger.watch.expected;
        let factory = set.password == FACTORY_PASSWORD;
        let rights = self.scenario.options.factory_password;
        let full = !factory || rights == FactoryPassword::Full;
        let open = set.network_at && !(factory && rights == FactoryPassword::Off);
        let gate = &mut self.ledger.gates[1 + link.index()];
        match gate.judge(bytes, open, &set.password, self.now) {
            Verdict::Command(text) => {
                self.note("link command", Some(link), 0, &text);
                self.let_in(Origin::Link(link), &text, full);
            }
            Verdict::Ignored => {}
            Verdict::Data if bytes == REPLY => self.servers_reply(link),
            Verdict::Data => self.ledger.downlink.expect(link.into(), bytes),
        }
    }
}

/// Decisions 16.9: what is not printable right in front of the first `AT` makes all before it noise, and no more.
fn behind_noise(line: &[u8]) -> &[u8] {
    let Some(at) = (1..line.len()).find(|at| line[at - 1..=*at].eq_ignore_ascii_case(b"AT")) else {
        return line;
    };
    let (before, command) = line.split_at(at - 1);
    match before.iter().rev().find(|byte| **byte != b' ') {
        Some(b'!'..=b'~') | None => line,
        Some(_) => command,
    }
}
