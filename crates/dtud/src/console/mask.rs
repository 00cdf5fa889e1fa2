//! What the device prints in its command state, line by line and without secrets: an echo comes byte by byte, and an answer
//! may repeat what was asked.

/// Text for the DTE that is not a whole line yet.
#[derive(Debug, Default)]
pub(super) struct Printed {
    partial: Vec<u8>,
    /// The last command had a secret: nothing but result codes of its answer is shown.
    hides: bool,
    /// The rest of a line of which the first part was shown without its secret.
    tail: bool,
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

    fn shown(&mut self, whole: &[u8]) -> Shown {
        let tail = std::mem::take(&mut self.tail);
        let (rest, whole_text) = match whole.iter().position(|byte| is_end(*byte)) {
            _ if !tail => (&[][..], whole),
            Some(end) => whole.split_at(end),
            None => (whole, &[][..]),
        };
        let mut text = Vec::from(if rest.is_empty() { "" } else { HIDDEN });
        let lines = text_without_secrets(whole_text, self.hides);
        text.extend_from_slice(lines.as_deref().unwrap_or(whole_text));
        self.tail = whole.last().is_some_and(|last| !is_end(*last))
            && (lines.is_some() || !rest.is_empty());
        Shown {
            text,
            len: whole.len(),
        }
    }
}

/// Text of whole lines, where a secret may stand in it: without that. `hides`: it answers a command with a secret, so
/// nothing but result codes of it is shown.
pub(super) fn text_without_secrets(text: &[u8], hides: bool) -> Option<Vec<u8>> {
    if !hides {
        return dtu_proto::shown_text(text);
    }
    let mut shown = Vec::with_capacity(text.len());
    for line in text.split_inclusive(|byte| is_end(*byte)) {
        let end = line.iter().position(|byte| is_end(*byte));
        let (words, end) = line.split_at(end.unwrap_or(line.len()));
        let typed = words.trim_ascii();
        let echoes = typed
            .get(..2)
            .is_some_and(|at| at.eq_ignore_ascii_case(b"AT"));
        match dtu_proto::shown_text(words) {
            Some(masked) => shown.extend_from_slice(&masked),
            None if typed.is_empty() || echoes || RESULTS.contains(&typed) => {
                shown.extend_from_slice(words);
            }
            None => shown.extend_from_slice(HIDDEN.as_bytes()),
        }
        shown.extend_from_slice(end);
    }
    (shown != text).then_some(shown)
}

const fn is_end(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n')
}

/// `> ` and the `a` of the escape, which no line end follows.
fn is_prompt(text: &[u8]) -> bool {
    matches!(text, b"> " | b">" | b"a")
}

const HIDDEN: &str = "****";
const RESULTS: [&[u8]; 4] = [b"OK", b"ERROR", b"0", b"4"];
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
    fn the_rest_of_a_line_that_is_too_long_shows_no_secret_either() {
        let mut printed = Printed::default();
        let long = format!("xAT+CIPSW={}", "9".repeat(PARTIAL_MAX));
        assert_eq!(push(&mut printed, &long).unwrap(), "xAT+CIPSW=****");
        assert_eq!(
            push(&mut printed, "abcde\r\nOK\r\n").unwrap(),
            "****\r\nOK\r\n"
        );
        assert_eq!(push(&mut printed, "abcde\r").unwrap(), "abcde\r");
    }

    #[test]
    fn noise_in_front_of_an_echo_takes_no_mask_off() {
        let mut printed = Printed::default();
        let shown = printed
            .push(b"\xffxAT+CSTT\xa3\xbd\"n\",\"u\",\"geheim\"\r")
            .unwrap();
        assert_eq!(shown.text, b"\\xFFxAT+CSTT=\"n\",\"u\",****\r");
    }

    #[test]
    fn a_prompt_does_not_wait_for_a_line_end() {
        let mut printed = Printed::default();
        assert_eq!(push(&mut printed, "\r\n").unwrap(), "\r\n");
        assert_eq!(push(&mut printed, "> ").unwrap(), "> ");
    }
}
