//! The command line: bytes become commands (V.250 5.2), one by one, and texts at a prompt (27.005 3.5.1).

use bytes::Bytes;
use dtu_proto::radio::ModemOutput;
use dtu_proto::time::Instant;

use super::at_modem::{Activity, AtModem};
use super::parse;
use super::reply::{End, PromptKind, Reply};

/// Characters of a command line; a longer one is an error.
const LINE_MAX: usize = 1024;
/// Characters at a prompt.
const TEXT_MAX: usize = 4096;

impl AtModem {
    /// Bytes that wait are looked at as far as what is under way allows.
    pub(super) fn pump(&mut self, now: Instant) {
        loop {
            match &self.activity {
                Activity::Idle => {
                    let Some(byte) = self.input.pop_front() else {
                        return;
                    };
                    self.type_line(byte, now);
                }
                Activity::Prompt { .. } => {
                    let Some(byte) = self.input.pop_front() else {
                        return;
                    };
                    self.type_text(byte, now);
                }
                Activity::Running | Activity::Network { .. } | Activity::Until { .. } => return,
            }
        }
    }

    fn echo(&mut self, byte: u8, now: Instant) {
        if self.settings.echo {
            self.put(&[byte], now);
        }
    }

    fn type_line(&mut self, byte: u8, now: Instant) {
        self.echo(byte, now);
        match byte {
            b'\r' => {
                let line = std::mem::take(&mut self.line);
                let text = String::from_utf8_lossy(&line).into_owned();
                if line.len() > LINE_MAX {
                    return self.finish(Reply::error(), now);
                }
                self.run_line(text.trim(), now);
            }
            0x08 | 0x7F => {
                self.line.pop();
            }
            0x00 | b'\n' => {}
            _ if self.line.len() <= LINE_MAX => self.line.push(byte),
            _ => {}
        }
    }

    fn run_line(&mut self, line: &str, now: Instant) {
        let line = if line.eq_ignore_ascii_case("a/") {
            self.last_line.clone()
        } else {
            line.to_owned()
        };
        let Some(commands) = parse::commands(&line) else {
            return;
        };
        self.last_line = line;
        self.todo = commands.into();
        self.step(now);
    }

    /// The commands of the line, one by one, until one fails or has to wait.
    fn step(&mut self, now: Instant) {
        self.activity = Activity::Running;
        while let Some(command) = self.todo.pop_front() {
            let reply = self.execute(&command, now);
            if reply.end != End::Ok {
                return self.finish(reply, now);
            }
            self.print(&reply.lines, now);
        }
        self.result("OK", now);
    }

    /// A command has come to its end, or to where it has to wait.
    pub(super) fn finish(&mut self, reply: Reply, now: Instant) {
        match reply.end {
            End::Prompt(asked) => return self.prompt(asked, now),
            End::Network => return self.wait_for_network(now),
            End::After(wait) => {
                self.activity = Activity::Until {
                    at: now + wait,
                    lines: reply.lines,
                };
                return;
            }
            End::Ok | End::Error | End::Cme(_) | End::Cms(_) | End::Words(_) => {}
        }
        self.print(&reply.lines, now);
        match reply.end {
            End::Ok => self.step(now),
            End::Words(words) => self.fail(words, now),
            End::Cme(code) => self.fail(&self.error_text("CME", code), now),
            End::Cms(code) => self.fail(&self.error_text("CMS", code), now),
            End::Error | End::Prompt(_) | End::Network | End::After(_) => self.fail("ERROR", now),
        }
    }

    fn prompt(&mut self, asked: PromptKind, now: Instant) {
        let fails = self.quirks.prompt_errors > 0;
        self.quirks.prompt_errors = self.quirks.prompt_errors.saturating_sub(1);
        self.activity = Activity::Prompt {
            asked,
            text: Vec::new(),
        };
        self.put(
            if self.quirks.bare_prompt {
                b"\r\n>"
            } else {
                b"\r\n> "
            },
            now,
        );
        if fails {
            self.finish(Reply::error(), now);
        }
    }

    fn type_text(&mut self, byte: u8, now: Instant) {
        if !matches!(byte, 0x1A | 0x1B) {
            self.echo(byte, now);
        }
        let Activity::Prompt { asked, text } = &mut self.activity else {
            return;
        };
        match byte {
            0x1A => {
                let (asked, text) = (asked.clone(), std::mem::take(text));
                let reply = self.take_text(&asked, &text, now);
                self.finish(reply, now);
            }
            // 27.005 3.5.1: given up, and answered with OK.
            0x1B => self.finish(Reply::ok(), now),
            // 27.005: the end of the command line may be CR LF.
            b'\n' if text.is_empty() => {}
            0x08 | 0x7F => {
                text.pop();
            }
            _ if text.len() < TEXT_MAX => text.push(byte),
            _ => {}
        }
    }

    fn wait_for_network(&mut self, _now: Instant) {
        let word = if self.last_line.to_ascii_uppercase().contains("+CMSS") {
            "+CMSS"
        } else {
            "+CMGS"
        };
        self.activity = Activity::Network {
            token: self.token,
            word,
        };
    }

    /// The next submission.
    pub(super) fn submit(&mut self, pdu: Bytes, now: Instant) {
        self.token = self.token.wrapping_add(1);
        self.emit_order(
            ModemOutput::Submit {
                token: self.token,
                pdu,
            },
            now,
        );
    }
}
