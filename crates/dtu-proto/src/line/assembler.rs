//! The command line that is being typed in the command state (V.250 5.2.1).

use alloc::vec::Vec;

/// The longest command line, in bytes, without its end.
pub(crate) const LINE_MAX: usize = 1024;
/// They take back what was typed last.
pub(crate) const BACKSPACE: u8 = 0x08;
pub(crate) const DELETE: u8 = 0x7F;
const ESCAPE: u8 = 0x1B;

/// What a byte completed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Nothing yet.
    More,
    /// A line, without its end. Empty lines (the second half of CRLF) come too.
    Line(Vec<u8>),
    /// `A/`: the line before, once more. Nothing ends it (V.250 5.2.4).
    Again,
    /// The end of a line that was too long and is dropped whole.
    TooLong,
}

/// Collects one line.
#[derive(Debug, Default)]
pub(crate) struct LineAssembler {
    line: Vec<u8>,
    too_long: bool,
}

impl LineAssembler {
    pub(crate) fn push(&mut self, byte: u8) -> Outcome {
        match byte {
            b'\r' | b'\n' => {
                let line = self.take();
                if core::mem::take(&mut self.too_long) {
                    Outcome::TooLong
                } else {
                    Outcome::Line(line)
                }
            }
            BACKSPACE | DELETE => {
                self.line.pop();
                Outcome::More
            }
            ESCAPE => Outcome::More,
            _ if self.line.len() == LINE_MAX => {
                self.too_long = true;
                Outcome::More
            }
            _ => {
                self.line.push(byte);
                if !self.is_repeat() {
                    return Outcome::More;
                }
                self.line.clear();
                Outcome::Again
            }
        }
    }

    /// `A/`, behind noise or not.
    fn is_repeat(&self) -> bool {
        let [noise @ .., b'A' | b'a', b'/'] = &self.line[..] else {
            return false;
        };
        !noise.iter().any(is_printable)
    }

    /// What was typed of an unfinished line.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.line)
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.line.is_empty() && !self.too_long
    }

    pub(crate) fn clear(&mut self) {
        self.line.clear();
        self.too_long = false;
    }
}

/// Whether a line holds nothing but blanks and ESC.
pub(crate) fn is_blank(line: &[u8]) -> bool {
    line.iter()
        .all(|byte| matches!(*byte, b' ' | b'\t' | ESCAPE))
}

/// Blank to tilde. Anything else in front of a command is noise (decisions 16.9).
pub(crate) const fn is_printable(byte: &u8) -> bool {
    matches!(*byte, b' '..=b'~')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(typed: &[u8]) -> Vec<Outcome> {
        let mut assembler = LineAssembler::default();
        typed
            .iter()
            .map(|&b| assembler.push(b))
            .filter(|t| *t != Outcome::More)
            .collect()
    }

    #[test]
    fn every_line_end_of_the_field_ends_a_line() {
        let at = || Outcome::Line(b"AT".to_vec());
        let empty = || Outcome::Line(Vec::new());
        assert_eq!(lines(b"AT\r"), [at()]);
        assert_eq!(lines(b"AT\n"), [at()]);
        assert_eq!(lines(b"AT\r\nAT\n\r"), [at(), empty(), at(), empty()]);
    }

    #[test]
    fn typing_errors_can_be_taken_back_and_escape_is_ignored() {
        assert_eq!(
            lines(b"\x1bAX\x08T\x7fT\r"),
            [Outcome::Line(b"AT".to_vec())]
        );
    }

    /// M14: as in front of `AT`.
    #[test]
    fn m14_noise_in_front_of_the_repeat_command_is_skipped() {
        assert_eq!(
            lines(b"A/\x00a/\xff\x00A/"),
            [Outcome::Again, Outcome::Again, Outcome::Again]
        );
        for other in [&b"xA/\r"[..], b"\x00xA/\r", b"\x00A\x00/\r", b"AT/\r"] {
            assert_eq!(
                lines(other),
                [Outcome::Line(other[..other.len() - 1].to_vec())]
            );
        }
    }

    #[test]
    fn a_line_over_1024_bytes_is_dropped_whole_and_the_next_is_read() {
        let mut typed = std::vec![b'x'; LINE_MAX + 1];
        typed.extend_from_slice(b"\rAT\r");
        assert_eq!(
            lines(&typed),
            [Outcome::TooLong, Outcome::Line(b"AT".to_vec())]
        );
        typed.remove(0);
        assert_eq!(lines(&typed)[0], Outcome::Line(std::vec![b'x'; LINE_MAX]));
    }
}
