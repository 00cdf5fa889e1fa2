//! What a modem says: result codes and lines of information (V.250 5.7), URCs between them, orders to the network.

use dtu_proto::radio::{ModemOutput, SubmitFailure};
use dtu_proto::time::Instant;

use super::at_modem::{Activity, AtModem, AtOutput};
use super::reply::meaning;

/// URCs that wait for the end of a command.
const URCS_MAX: usize = 256;

impl AtModem {
    pub(super) fn emit_order(&mut self, order: ModemOutput, now: Instant) {
        self.out.push_back((now, AtOutput::Order(order)));
    }

    pub(super) fn go_on_air(&mut self, on: bool, now: Instant) {
        self.out.push_back((now, AtOutput::OnAir(on)));
    }

    /// An urcs line: at once, or behind the answer that is under way.
    pub(super) fn emit_urc(&mut self, line: impl Into<String>, now: Instant) {
        let waits = matches!(
            self.activity,
            Activity::Network { .. } | Activity::Until { .. }
        );
        if self.activity == Activity::Idle || (self.quirks.lines_inside && waits) {
            let line = self.write_oddly(line.into());
            return self.say(&line, now);
        }
        let line = self.write_oddly(line.into());
        if self.urcs.len() >= URCS_MAX {
            self.urcs.pop_front();
        }
        self.urcs.push_back(line);
    }

    pub(super) fn error_text(&self, kind: &str, code: u16) -> String {
        match (self.settings.errors, kind) {
            (0, "CME") => "ERROR".to_owned(),
            (2, "CME") => format!("+CME ERROR: {}", meaning(code)),
            (2, _) => format!("+CMS ERROR: {}", SubmitFailure(code).meaning()),
            _ => format!("+{kind} ERROR: {code}"),
        }
    }

    pub(super) fn fail(&mut self, words: &str, now: Instant) {
        self.todo.clear();
        self.result(words, now);
    }

    pub(super) fn result(&mut self, words: &str, now: Instant) {
        self.activity = Activity::Idle;
        if !self.settings.quiet {
            self.result_text(words, now);
        }
        while self.activity == Activity::Idle
            && let Some(line) = self.urcs.pop_front()
        {
            self.say(&line, now);
        }
    }

    fn result_text(&mut self, words: &str, now: Instant) {
        if self.settings.verbose {
            return self.say(words, now);
        }
        let short = match words {
            "OK" => "0",
            "CONNECT" => "1",
            "RING" => "2",
            "NO CARRIER" => "3",
            "ERROR" => "4",
            "BUSY" => "7",
            "NO ANSWER" => "8",
            words => words,
        };
        let text = format!("{short}\r");
        self.put(text.as_bytes(), now);
    }

    pub(super) fn print(&mut self, lines: &[String], now: Instant) {
        if lines.is_empty() {
            return;
        }
        let lines: Vec<_> = lines
            .iter()
            .map(|line| self.write_oddly(line.clone()))
            .collect();
        let text = lines.join("\r\n");
        if !text.is_empty() {
            self.say(&text, now);
        }
        if self.quirks.lines_inside {
            let line = self
                .urcs
                .pop_front()
                .unwrap_or_else(|| "+CIEV: 2,4".to_owned());
            self.say(&line, now);
        }
    }

    fn say(&mut self, text: &str, now: Instant) {
        let end = if self.quirks.doubled_line_ends {
            "\r\n\r\n"
        } else {
            "\r\n"
        };
        let text = format!("{end}{text}{end}");
        self.put(text.as_bytes(), now);
    }

    pub(super) fn put(&mut self, bytes: &[u8], now: Instant) {
        let at = self
            .out
            .back()
            .map_or(now, |(at, _)| *at)
            .max(now + self.quirks.slow);
        match self.out.back_mut() {
            Some((last, AtOutput::Bytes(there))) if *last == at => there.extend(bytes),
            Some(_) | None => self.out.push_back((at, AtOutput::Bytes(bytes.to_vec()))),
        }
    }
}
