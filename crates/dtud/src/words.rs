//! How the log writes spans of time, amounts and errors.

use std::fmt;
use std::io;
use std::time::Duration;

/// A span of time in its two largest units: `57 s`, `20 min`, `3 h 2 min`, `4 d 3 h`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span(pub(crate) Duration);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
        let (large, small) = match seconds {
            0..60 => ((seconds, "s"), (0, "")),
            60..600 => ((minutes, "min"), (seconds % 60, "s")),
            600..3600 => ((minutes, "min"), (0, "")),
            3600..86_400 => ((hours, "h"), (minutes % 60, "min")),
            _ => ((days, "d"), (hours % 24, "h")),
        };
        write!(f, "{} {}", large.0, large.1)?;
        if small.0 > 0 {
            write!(f, " {} {}", small.0, small.1)
        } else {
            Ok(())
        }
    }
}

/// A number of things: `1 frame`, `85 frames`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Count(pub(crate) u64, pub(crate) &'static str);

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = match self.0 {
            1 => "",
            _ if self.1.ends_with('y') => {
                return write!(f, "{} {}ies", self.0, self.1.trim_end_matches('y'));
            }
            _ => "s",
        };
        write!(f, "{} {}{plural}", self.0, self.1)
    }
}

/// An error of the system without its number, which says nothing to a person.
pub(crate) fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" (os error ") {
        Some((words, number)) if number.ends_with(')') => words.to_owned(),
        Some(_) | None => text,
    }
}

/// Controls, separators of lines and paragraphs, marks and overrides of the direction.
pub(crate) fn is_unseen(sign: char) -> bool {
    sign.is_control()
        || matches!(sign, '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_has_its_two_largest_units() {
        let shown = |seconds| Span(Duration::from_secs(seconds)).to_string();
        let spans = [0, 59, 60, 61, 599, 600, 1259, 3600, 10_920, 86_400, 356_400].map(shown);
        let wanted = [
            "0 s",
            "59 s",
            "1 min",
            "1 min 1 s",
            "9 min 59 s",
            "10 min",
            "20 min",
            "1 h",
            "3 h 2 min",
            "1 d",
            "4 d 3 h",
        ];
        assert_eq!(spans, wanted);
    }

    #[test]
    fn k8_an_error_is_told_in_words_alone() {
        assert_eq!(
            plain(&io::Error::from_raw_os_error(libc::ENOENT)),
            "No such file or directory"
        );
        assert_eq!(plain(&io::Error::other("x (os error")), "x (os error");
    }

    #[test]
    fn a_count_has_the_right_number_of_its_word() {
        assert_eq!(Count(1, "frame").to_string(), "1 frame");
        assert_eq!(Count(0, "frame").to_string(), "0 frames");
        assert_eq!(Count(2, "reply").to_string(), "2 replies");
    }
}
