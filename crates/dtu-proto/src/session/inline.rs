//! Commands inside the data stream: `psw,AT+…` as one whole frame, read or datagram (manual 2.8.3, 2.8.4;
//! decisions 8).

use subtle::ConstantTimeEq;

use crate::line::assembler::LINE_MAX;

/// The longest password (manual 2.8.6.37).
pub(crate) const PASSWORD_MAX: usize = 5;
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

    proptest::proptest! {
        #[test]
        fn foreign_bytes_never_panic(frame in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..64)) {
            let _ = parse(&frame);
        }
    }
}
