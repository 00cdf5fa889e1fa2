//! Commands inside the data stream: `psw,AT+…` as one whole frame, read or datagram (manual 2.8.3, 2.8.4;
//! decisions 8), and the guard against guessing.

use alloc::collections::VecDeque;
use subtle::ConstantTimeEq;

use crate::line::assembler::LINE_MAX;
use crate::radio::PhoneNumber;
use crate::time::{Duration, Instant};

/// The longest password (manual 2.8.6.37).
pub(crate) const PASSWORD_MAX: usize = 5;
/// So many wrong passwords …
const GUESSES: usize = 5;
/// … within this time …
const GUESS_WINDOW: Duration = Duration::from_secs(60);
/// … lock the origin for so long.
const SHUT: Duration = Duration::from_secs(300);
/// The comma as it is typed, or pasted full-width in UTF-8 or GBK.
const COMMAS: [&[u8]; 3] = [b",", "，".as_bytes(), &[0xA3, 0xAC]];

/// A frame that has the form of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Inline<'a> {
    pub(crate) password: &'a [u8],
    /// The command line, without its line end.
    pub(crate) line: &'a [u8],
}

/// Recognises a whole frame as a command: `psw,AT…` and at most one line end, which is the frame's end.
pub(crate) fn parse(frame: &[u8]) -> Option<Inline<'_>> {
    let split = frame
        .iter()
        .take(PASSWORD_MAX + 1)
        .position(|&byte| !is_password_byte(byte))?;
    let (password, rest) = frame.split_at(split);
    let rest = COMMAS.iter().find_map(|comma| rest.strip_prefix(*comma))?;
    let line = strip_line_end(rest);
    let is_command = line.len() <= LINE_MAX
        && line.len() >= 2
        && line[..2].eq_ignore_ascii_case(b"AT")
        && !line.iter().any(|byte| matches!(byte, b'\r' | b'\n'));
    (is_command && !password.is_empty()).then_some(Inline { password, line })
}

const fn is_password_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && byte != b','
}

fn strip_line_end(text: &[u8]) -> &[u8] {
    [&b"\r\n"[..], b"\n\r", b"\r", b"\n"]
        .iter()
        .find_map(|end| text.strip_suffix(*end))
        .unwrap_or(text)
}

/// Compares in a time that does not depend on where the two differ.
pub(crate) fn same_password(given: &[u8], set: &str) -> bool {
    let padded = |text: &[u8]| {
        let mut field = [0u8; PASSWORD_MAX];
        for (slot, byte) in field.iter_mut().zip(text) {
            *slot = *byte;
        }
        field
    };
    let bytes = padded(given).ct_eq(&padded(set.as_bytes()));
    (bytes & given.len().ct_eq(&set.len())).into()
}

/// What one source of commands has guessed lately.
#[derive(Debug, Default)]
pub(crate) struct Guard {
    wrong: VecDeque<Instant>,
    shut_until: Option<Instant>,
}

impl Guard {
    pub(crate) fn is_shut(&self, now: Instant) -> bool {
        // mutant: locked-origin
        self.shut_until.is_some_and(|until| now < until)
    }

    /// Counts a wrong password; true when that locks the origin.
    pub(crate) fn wrong_password(&mut self, now: Instant) -> bool {
        self.wrong.retain(|at| now.since(*at) < GUESS_WINDOW);
        self.wrong.push_back(now);
        if self.wrong.len() < GUESSES {
            return false;
        }
        self.wrong.clear();
        self.shut_until = Some(now + SHUT);
        true
    }
}

/// What each phone has guessed lately. The number of phones is bounded: the one that guessed longest ago is
/// forgotten first, one that is shut out last.
#[derive(Debug, Default)]
pub(crate) struct PhoneGuards(VecDeque<(PhoneNumber, Guard)>);

impl PhoneGuards {
    pub(crate) fn of(&mut self, number: PhoneNumber, now: Instant) -> &mut Guard {
        let known = self
            .0
            .iter()
            .position(|(known, _)| *known == number)
            .and_then(|at| self.0.remove(at));
        if known.is_none() && self.0.len() == PHONES_MAX {
            let open = self.0.iter().position(|(_, guard)| !guard.is_shut(now));
            self.0.remove(open.unwrap_or_default());
        }
        self.0
            .push_back(known.unwrap_or_else(|| (number, Guard::default())));
        let last = self.0.len() - 1;
        &mut self.0[last].1
    }
}

/// Phones whose guesses are remembered.
const PHONES_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manual_2_8_3_a_whole_frame_is_a_command() {
        let csq = Some(Inline {
            password: b"admin",
            line: b"AT+CSQ",
        });
        for frame in [
            &b"admin,AT+CSQ"[..],
            b"admin,AT+CSQ\r",
            b"admin,AT+CSQ\r\n",
            b"admin,AT+CSQ\n\r",
        ] {
            assert_eq!(parse(frame), csq);
        }
        assert_eq!(parse("admin，AT+CSQ".as_bytes()), csq);
        assert_eq!(
            parse(b"1,at"),
            Some(Inline {
                password: b"1",
                line: b"at"
            })
        );
    }

    #[test]
    fn anything_else_is_data() {
        for frame in [
            &b"xadmin,AT+CSQ"[..],
            b"admin,AT+CSQ\r\nmore",
            b"admin,AT+CSQ\r\nadmin,AT+CIVER?",
            b"admin,AT+CSQ\r\r",
            b" admin,AT+CSQ",
            b"admin,A",
            b",AT+CSQ",
            b"admin",
            b"",
            b"ad in,AT",
        ] {
            assert_eq!(parse(frame), None, "{frame:?}");
        }
    }

    #[test]
    fn passwords_are_equal_only_whole() {
        assert!(same_password(b"admin", "admin"));
        for wrong in [&b"admi"[..], b"admin1", b"ADMIN", b"", b"admi\0"] {
            assert!(!same_password(wrong, "admin"));
        }
        assert!(!same_password(b"abc\0", "abc"));
    }

    #[test]
    fn a_phone_that_is_shut_out_is_not_forgotten_for_others_that_guess() {
        let number = |n: usize| PhoneNumber::new(&std::format!("{n}")).unwrap();
        let now = Instant::ZERO;
        let mut guards = PhoneGuards::default();
        assert!(
            (0..5)
                .map(|_| guards.of(number(1), now).wrong_password(now))
                .last()
                .unwrap()
        );
        assert!(!(2..200).any(|n| guards.of(number(n), now).wrong_password(now)));
        assert!(guards.of(number(1), now).is_shut(now));
        assert_eq!(guards.0.len(), PHONES_MAX);
    }

    #[test]
    fn five_wrong_passwords_in_a_minute_shut_the_door_for_five_minutes() {
        let at = |s| Instant::ZERO + Duration::from_secs(s);
        let mut guard = Guard::default();
        assert!(!(0..4).any(|s| guard.wrong_password(at(s))));
        assert!(!guard.wrong_password(at(61)));
        assert!(!guard.wrong_password(at(61)) && !guard.is_shut(at(61)));
        assert!(guard.wrong_password(at(61)));
        assert!(guard.is_shut(at(360)) && !guard.is_shut(at(361)));
    }

    proptest::proptest! {
        #[test]
        fn foreign_bytes_never_panic(frame in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..64)) {
            let _ = parse(&frame);
        }
    }
}
