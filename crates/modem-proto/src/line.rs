//! Bytes of the modem into lines and prompts.

use alloc::string::String;
use alloc::vec::Vec;

/// What the assembler found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// A line that is not empty, without its end.
    Line(String),
    /// `>` at the start of a line, while one is waited for.
    Prompt,
}

/// V.250 says `\r\n` around everything; modems in the field send `\r\n\r\n`, `\r\r\n`, a lone `\r` after an echo,
/// and 0x00 while they boot.
#[derive(Debug, Default)]
pub(crate) struct LineAssembler {
    line: Vec<u8>,
    /// The line is too long: all of it is dropped.
    overlong: bool,
    /// Lines dropped because they were too long.
    pub(crate) dropped: u64,
}

impl LineAssembler {
    /// Takes one byte; `prompt` = a prompt is waited for. A prompt has no end of line, so it counts at once,
    /// with or without the blank that 27.005 3.5.1 puts behind it.
    pub(crate) fn push(&mut self, byte: u8, prompt: bool) -> Option<Piece> {
        match byte {
            0 => None,
            b'\r' | b'\n' => self.end(),
            b'>' if prompt && self.line.trim_ascii().is_empty() => {
                self.line.clear();
                Some(Piece::Prompt)
            }
            _ => {
                self.keep(byte);
                None
            }
        }
    }

    /// Forgets the line that has begun.
    pub(crate) fn clear(&mut self) {
        self.line.clear();
        self.overlong = false;
    }

    fn keep(&mut self, byte: u8) {
        if self.line.len() < LONGEST_LINE {
            self.line.push(byte);
        } else {
            self.overlong = true;
        }
    }

    fn end(&mut self) -> Option<Piece> {
        if self.overlong {
            self.dropped += 1;
            self.clear();
            return None;
        }
        // A prompt that nobody waited for stands in front of what came next.
        let mut text = self.line.trim_ascii();
        while let Some(rest) = text.strip_prefix(b">") {
            text = rest.trim_ascii_start();
        }
        let text = String::from_utf8_lossy(text).into_owned();
        self.line.clear();
        (!text.is_empty()).then_some(Piece::Line(text))
    }
}

/// Bytes. A message of full length is 2 * 176 digits; the longest lists of `=?` answers stay below 1 kB.
const LONGEST_LINE: usize = 2048;

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(bytes: &[u8], prompt: bool) -> Vec<Piece> {
        let mut assembler = LineAssembler::default();
        bytes
            .iter()
            .filter_map(|byte| assembler.push(*byte, prompt))
            .collect()
    }

    fn line(text: &str) -> Piece {
        Piece::Line(text.into())
    }

    #[test]
    fn line_ends_of_every_kind_end_one_line_and_make_no_empty_ones() {
        for bytes in [
            "\r\nOK\r\n",
            "\r\n\r\nOK\r\n\r\n",
            "OK\r",
            "\nOK\n",
            "\r\r\nOK\r\r\n",
            " OK \r\n",
        ] {
            assert_eq!(pieces(bytes.as_bytes(), false), [line("OK")], "{bytes:?}");
        }
    }

    #[test]
    fn zeros_of_a_modem_that_boots_are_nothing() {
        assert_eq!(pieces(b"\0\0\r\n\0RD\0Y\r\n", false), [line("RDY")]);
    }

    #[test]
    fn a_prompt_counts_at_once_with_or_without_its_blank() {
        assert_eq!(pieces(b"\r\n> ", true), [Piece::Prompt]);
        assert_eq!(pieces(b"\r\n>", true), [Piece::Prompt]);
        assert_eq!(
            pieces(b"\r\n>\r\nERROR\r\n", true),
            [Piece::Prompt, line("ERROR")]
        );
    }

    #[test]
    fn a_prompt_that_nobody_waits_for_is_dropped_from_its_line() {
        assert_eq!(
            pieces(b"\r\n> \r\nOK\r\n> ERROR\r\n", false),
            [line("OK"), line("ERROR")]
        );
    }

    #[test]
    fn a_line_too_long_is_dropped_whole_and_counted() {
        let mut assembler = LineAssembler::default();
        let long = [[b'x'; 5000].as_slice(), b"\r\nOK\r\n"].concat();
        let pieces: Vec<_> = long
            .iter()
            .filter_map(|byte| assembler.push(*byte, false))
            .collect();
        assert_eq!((pieces, assembler.dropped), (Vec::from([line("OK")]), 1));
    }

    #[test]
    fn a_line_of_2048_bytes_is_one_and_a_longer_one_is_none() {
        let of = |length: usize| {
            pieces(
                &[&std::vec![b'x'; length], b"\n".as_slice()].concat(),
                false,
            )
        };
        assert_eq!(of(2048).len(), 1);
        assert_eq!(of(2049).len(), 0);
    }

    #[test]
    fn a_line_that_has_begun_is_forgotten() {
        let mut assembler = LineAssembler::default();
        let mut push = |bytes: &[u8], clear: bool| -> Vec<Piece> {
            if clear {
                assembler.clear();
            }
            let pieces = bytes.iter();
            let pieces = pieces.filter_map(|byte| assembler.push(*byte, false));
            pieces.collect()
        };
        push(&[b'x'; 3000], false);
        assert_eq!(push(b"OK\n", true), [line("OK")], "too long, and forgotten");
        push(b"half", false);
        assert_eq!(push(b"OK\n", true), [line("OK")]);
    }

    #[test]
    fn a_prompt_stands_at_the_start_of_a_line() {
        assert_eq!(pieces(b"a>b\n", true), [line("a>b")]);
        assert_eq!(pieces(b" \r\n > ", true), [Piece::Prompt]);
    }
}
