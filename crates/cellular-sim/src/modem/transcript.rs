//! A modem out of a log of its dialogue (`dtud --modem-log FILE`): recorded commands are answered as they were, in
//! their order; what came by itself comes in its time.
//!
//! A line is `SECONDS -> COMMAND`, `SECONDS <- LINE OF THE MODEM` or `# …`. `****` stands for what was masked.

use std::collections::VecDeque;

use dtu_proto::time::{Duration, Instant};

/// A log that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transcript {
    exchanges: Vec<Exchange>,
    /// By themselves, counted from the first line.
    urcs: Vec<(Duration, String)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Exchange {
    command: String,
    answers: VecDeque<RecordedAnswer>,
}

/// Lines, and from the sending of the command to the last of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct RecordedAnswer {
    lines: Vec<String>,
    took: Duration,
}

impl Transcript {
    /// Reads a log.
    ///
    /// # Errors
    /// A text for the user: the line and what is wanted.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut read = Self::default();
        let mut first = None;
        let mut open: Option<(String, Duration, RecordedAnswer)> = None;
        for (number, line) in text.lines().enumerate() {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let (at, sent, what) = parse_line(line).ok_or_else(|| {
                format!(
                    "line {}: wanted is \"SECONDS -> COMMAND\" or \"SECONDS <- LINE\"",
                    number + 1
                )
            })?;
            let at = at.saturating_sub(*first.get_or_insert(at));
            match (sent, &mut open) {
                (true, _) => {
                    read.close(&mut open);
                    open = Some((what.to_owned(), at, RecordedAnswer::default()));
                }
                (false, Some((_, asked, answer))) => {
                    answer.lines.push(what.to_owned());
                    answer.took = at.saturating_sub(*asked);
                    if is_final(what) {
                        read.close(&mut open);
                    }
                }
                (false, None) => read.urcs.push((at, what.to_owned())),
            }
        }
        read.close(&mut open);
        Ok(read)
    }

    fn close(&mut self, open: &mut Option<(String, Duration, RecordedAnswer)>) {
        let Some((command, _, answer)) = open.take() else {
            return;
        };
        match self
            .exchanges
            .iter_mut()
            .find(|exchange| exchange.command == command)
        {
            Some(exchange) => exchange.answers.push_back(answer),
            None => self.exchanges.push(Exchange {
                command,
                answers: VecDeque::from([answer]),
            }),
        }
    }

    /// The next answer to this command; the last one stays. A message, a place or a number that was not recorded is
    /// answered as another one of the same command.
    fn answer(&mut self, command: &str) -> Option<RecordedAnswer> {
        let name = command
            .split_once('=')
            .map(|(name, _)| name)
            .filter(|name| LOOSE.contains(name));
        let place = self
            .exchanges
            .iter()
            .position(|exchange| matches(&exchange.command, command))
            .or_else(|| {
                let name = name?;
                self.exchanges
                    .iter()
                    .position(|exchange| exchange.command.split('=').next() == Some(name))
            })?;
        let answers = &mut self.exchanges.get_mut(place)?.answers;
        if answers.len() > 1 {
            answers.pop_front()
        } else {
            answers.front().cloned()
        }
    }
}

/// `0.020 -> AT`.
fn parse_line(line: &str) -> Option<(Duration, bool, &str)> {
    let (at, rest) = line.trim_start().split_once(' ')?;
    let at: f64 = at.parse().ok().filter(|at| (0.0..1e9).contains(at))?;
    let (sent, what) = match rest.split_at_checked(2)? {
        ("->", what) => (true, what),
        ("<-", what) => (false, what),
        _ => return None,
    };
    Some((Duration::from_secs_f64(at), sent, what.trim()))
}

fn matches(recorded: &str, command: &str) -> bool {
    match recorded.split_once("****") {
        None => recorded == command,
        Some((head, tail)) => {
            command.len() >= head.len() + tail.len()
                && command.starts_with(head)
                && command.ends_with(tail)
        }
    }
}

fn is_final(line: &str) -> bool {
    ["OK", "ERROR", "NO CARRIER", "BUSY", "NO ANSWER"].contains(&line)
        || line.starts_with("+CME ERROR:")
        || line.starts_with("+CMS ERROR:")
}

/// The modem that the log shows.
#[derive(Clone, Debug)]
pub struct ReplayModem {
    transcript: Transcript,
    start: Instant,
    urcs: VecDeque<(Duration, String)>,
    line: Vec<u8>,
    /// Behind a prompt: what is answered when the text has come.
    prompt: Option<RecordedAnswer>,
    out: VecDeque<(Instant, Vec<u8>)>,
    unknown: Vec<String>,
}

impl ReplayModem {
    /// It is switched on now.
    #[must_use]
    pub fn new(transcript: Transcript, now: Instant) -> Self {
        let urcs = transcript.urcs.clone().into();
        let (line, out, unknown) = (Vec::new(), VecDeque::new(), Vec::new());
        Self {
            transcript,
            start: now,
            urcs,
            line,
            prompt: None,
            out,
            unknown,
        }
    }

    /// Bytes of the host.
    pub fn read(&mut self, bytes: &[u8], now: Instant) {
        for byte in bytes {
            match (byte, self.prompt.is_some()) {
                (0x1A, true) => {
                    if let Some(answer) = self.prompt.take() {
                        self.say(&answer, now);
                    }
                }
                (0x1B, true) => {
                    self.prompt = None;
                    self.say(
                        &RecordedAnswer {
                            lines: vec!["OK".into()],
                            took: Duration::ZERO,
                        },
                        now,
                    );
                }
                (b'\r', false) => {
                    let line = std::mem::take(&mut self.line);
                    self.command(String::from_utf8_lossy(&line).trim(), now);
                }
                (b' '..=b'~', false) if self.line.len() < LINE_MAX => self.line.push(*byte),
                (_, true | false) => {}
            }
        }
    }

    fn command(&mut self, text: &str, now: Instant) {
        // A probe in front of which something was lost.
        let at = text
            .rfind("AT")
            .filter(|_| !text.starts_with("AT"))
            .unwrap_or(0);
        let text = text.get(at..).unwrap_or_default();
        let recorded = self.transcript.answer(text);
        if recorded.is_none()
            && !text.is_empty()
            && text != "AT"
            && self.unknown.len() < UNKNOWN_MAX
        {
            self.unknown.push(text.to_owned());
        }
        let usual = if text == "AT" { "OK" } else { "ERROR" };
        let answer = recorded.unwrap_or_else(|| RecordedAnswer {
            lines: vec![usual.into()],
            took: Duration::ZERO,
        });
        let Some(at) = answer.lines.iter().position(|line| line == ">") else {
            return self.say(&answer, now);
        };
        self.put("\r\n> ".into(), now);
        let lines = answer.lines.get(at + 1..).unwrap_or_default().to_vec();
        self.prompt = Some(RecordedAnswer {
            lines,
            took: answer.took,
        });
    }

    fn say(&mut self, answer: &RecordedAnswer, now: Instant) {
        if !answer.lines.is_empty() {
            let text: String = answer
                .lines
                .iter()
                .map(|line| format!("\r\n{line}\r\n"))
                .collect();
            self.put(text.into_bytes(), now + answer.took);
        }
    }

    fn put(&mut self, bytes: Vec<u8>, at: Instant) {
        let at = self.out.back().map_or(at, |(last, _)| at.max(*last));
        self.out.push_back((at, bytes));
    }

    /// What comes out, once its time has come.
    pub fn poll_output(&mut self, now: Instant) -> Option<Vec<u8>> {
        if let Some((at, line)) = self.urcs.front()
            && self.start + *at <= now
        {
            let text = format!("\r\n{line}\r\n").into_bytes();
            self.urcs.pop_front();
            return Some(text);
        }
        let is_due = self.out.front().is_some_and(|(at, _)| *at <= now);
        if is_due {
            self.out.pop_front().map(|(_, bytes)| bytes)
        } else {
            None
        }
    }

    /// When [`Self::poll_output`] has something.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let urcs = self.urcs.front().map(|(at, _)| self.start + *at);
        [urcs, self.out.front().map(|(at, _)| *at)]
            .into_iter()
            .flatten()
            .min()
    }

    /// Commands that the log does not have; each was answered with ERROR.
    #[must_use]
    pub fn unknown(&self) -> &[String] {
        &self.unknown
    }
}

/// Commands whose values differ from run to run.
const LOOSE: [&str; 4] = ["AT+CMGS", "AT+CMGR", "AT+CMGD", "AT+CPIN"];
const LINE_MAX: usize = 1024;
const UNKNOWN_MAX: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "# a log\n10.0 <- RDY\n11.0 -> AT\n11.1 <- OK\n12.0 -> AT+CPIN=\"****\"\n12.5 <- OK\n\
                       13.0 -> AT+CMGS=14\n13.1 <- >\n15.0 <- +CMGS: 7\n15.0 <- OK\n20.0 <- +CREG: 1\n";

    fn said(modem: &mut ReplayModem, until: Instant) -> String {
        let bytes: Vec<u8> = std::iter::from_fn(|| modem.poll_output(until))
            .flatten()
            .collect();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_log_answers_as_it_was_recorded_and_its_news_come_in_time() {
        let at = |seconds: u64| Instant::from_millis(seconds * 1000);
        let mut modem = ReplayModem::new(Transcript::parse(LOG).unwrap(), at(0));
        assert_eq!(said(&mut modem, at(0)), "\r\nRDY\r\n");
        modem.read(b"AT+CPIN=\"1234\"\r", at(1));
        assert_eq!(said(&mut modem, at(2)), "\r\nOK\r\n");
        modem.read(b"AT+CMGS=20\r", at(2));
        assert_eq!(said(&mut modem, at(2)), "\r\n> ");
        modem.read(b"0011\x1a", at(3));
        assert_eq!(said(&mut modem, at(3)), "");
        assert_eq!(said(&mut modem, at(5)), "\r\n+CMGS: 7\r\n\r\nOK\r\n");
        modem.read(b"AT+NEW\r", at(6));
        assert_eq!(said(&mut modem, at(6)), "\r\nERROR\r\n");
        assert_eq!(modem.unknown(), ["AT+NEW"]);
        assert_eq!(said(&mut modem, at(10)), "\r\n+CREG: 1\r\n");
    }

    #[test]
    fn a_line_that_is_none_is_named() {
        let error = Transcript::parse("0.1 -> AT\nnonsense\n").unwrap_err();
        assert!(error.starts_with("line 2: wanted is"), "{error}");
    }
}
