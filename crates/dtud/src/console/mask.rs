//! What the device prints in its command state, line by line and without secrets: an echo comes byte by byte, and an answer
//! may repeat what was asked.

/// Text for the DTE that is not a whole line yet.
#[derive(Debug, Default)]
pub(super) struct Printed {
    partial: Vec<u8>,
    /// The last command had a secret: nothing but result codes of its answer is shown.
    hides: bool,
}

/// Text as it may be kept, with the length that it had.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) text: Vec<u8>,
    pub(super) len: usize,
}

impl Printed {
    /// A command begins; `secret`: it has one.
    pub(super) const fn command(&mut self, secret: bool) {
        self.hides = secret;
    }

    /// Text of one write. What comes back is whole lines; what is no line yet waits for the rest.
    pub(super) fn push(&mut self, text: &[u8]) -> Option<Shown> {
        self.partial.extend_from_slice(text);
        let last = self.partial.iter().rposition(|byte| is_end(*byte));
        let whole: Vec<u8> = match last {
            Some(last) => self.partial.drain(..=last).collect(),
            None if is_prompt(&self.partial) || self.partial.len() >= PARTIAL_MAX => {
                std::mem::take(&mut self.partial)
            }
            None => return None,
        };
        Some(self.shown(&whole))
    }

    fn shown(&self, whole: &[u8]) -> Shown {
        let mut text = Vec::with_capacity(whole.len());
        for line in whole.split_inclusive(|byte| is_end(*byte)) {
            let end = line.iter().position(|byte| is_end(*byte));
            let (words, end) = line.split_at(end.unwrap_or(line.len()));
            match self.hidden(words) {
                Some(shown) => text.extend_from_slice(shown.as_bytes()),
                None => text.extend_from_slice(words),
            }
            text.extend_from_slice(end);
        }
        Shown {
            text,
            len: whole.len(),
        }
    }

    /// What is shown of a line instead, where it may hold a secret.
    fn hidden(&self, words: &[u8]) -> Option<String> {
        let line = String::from_utf8_lossy(words);
        let typed = line.trim();
        if typed
            .get(..2)
            .is_some_and(|at| at.eq_ignore_ascii_case("AT"))
        {
            let shown = dtu_proto::shown_command(typed);
            return (self.hides || shown.contains(HIDDEN)).then_some(shown);
        }
        if self.hides && !typed.is_empty() && !RESULTS.contains(&typed) {
            return Some(HIDDEN.to_owned());
        }
        dtu_proto::shown_answer(typed)
    }
}

const fn is_end(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n')
}

/// `> ` and the `a` of the escape, which no line end follows.
fn is_prompt(text: &[u8]) -> bool {
    matches!(text, b"> " | b">" | b"a")
}

const HIDDEN: &str = "****";
const RESULTS: [&str; 4] = ["OK", "ERROR", "0", "4"];
/// No line is longer.
const PARTIAL_MAX: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    fn push(printed: &mut Printed, text: &str) -> Option<String> {
        let shown = printed.push(text.as_bytes())?;
        Some(String::from_utf8(shown.text).unwrap())
    }

    #[test]
    fn an_echo_that_comes_byte_by_byte_is_one_line_without_its_secret() {
        let mut printed = Printed::default();
        for byte in "AT+CIPSW=\"abcde\"".chars() {
            assert_eq!(push(&mut printed, &byte.to_string()), None);
        }
        assert_eq!(push(&mut printed, "\r").unwrap(), "AT+CIPSW=****\r");
        printed.command(true);
        assert_eq!(push(&mut printed, "\r\nOK\r\n").unwrap(), "\r\nOK\r\n");
        assert_eq!(
            push(&mut printed, "\r\n+CME ERROR: \"abcde\" is too short\r\n").unwrap(),
            "\r\n****\r\n"
        );
        printed.command(false);
        let plain = "\r\n+CIPR:115200\r\n\r\nOK\r\n";
        assert_eq!(push(&mut printed, plain).unwrap(), plain);
    }

    #[test]
    fn an_answer_with_a_secret_is_masked_and_its_length_stays() {
        let mut printed = Printed::default();
        let answer = "\r\n+CSTT: \"net\", \"me\", \"geheim\"\r\n\r\nOK\r\n";
        let shown = printed.push(answer.as_bytes()).unwrap();
        assert_eq!(shown.text, b"\r\n+CSTT: \"net\",\"me\",****\r\n\r\nOK\r\n");
        assert_eq!(shown.len, answer.len());
    }

    #[test]
    fn a_prompt_does_not_wait_for_a_line_end() {
        let mut printed = Printed::default();
        assert_eq!(push(&mut printed, "\r\n").unwrap(), "\r\n");
        assert_eq!(push(&mut printed, "> ").unwrap(), "> ");
    }
}
