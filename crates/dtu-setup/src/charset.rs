//! The charset of a line, in both directions: text of people on one side, bytes of the device on the other.
//!
//! A device has one for its serial line (`serial.charset` of `dtud`, GBK by factory), which its links have, too. What the
//! command table calls UTF-8 text is UTF-8 on any line.

use std::sync::LazyLock;

use dtu_proto::commands;
pub use dtu_proto::config::Charset;
use encoding_rs::GBK;

use crate::say::Sentence;
use crate::schema::{Key, Schema};
use crate::words;

/// What people call it.
#[must_use]
pub const fn name(charset: Charset) -> &'static str {
    match charset {
        Charset::Gbk => "GBK",
        Charset::Utf8 => "UTF-8",
    }
}

/// Text as bytes.
///
/// # Errors
/// The first character that the charset does not have.
pub fn encode(charset: Charset, text: &str) -> Result<Vec<u8>, Sentence> {
    if charset == Charset::Utf8 || text.is_ascii() {
        return Ok(text.as_bytes().to_vec());
    }
    let (bytes, _, lacks) = GBK.encode(text);
    if !lacks {
        return Ok(bytes.into_owned());
    }
    let is_lacking = |char: &char| GBK.encode(char.encode_utf8(&mut [0; 4])).2;
    let char = text.chars().find(is_lacking).unwrap_or_default();
    Err(words::not_in_charset(char.to_string(), name(charset)))
}

/// The text of bytes; `None` where they are none.
#[must_use]
pub fn decode(charset: Charset, bytes: &[u8]) -> Option<String> {
    match charset {
        Charset::Utf8 => std::str::from_utf8(bytes).ok().map(str::to_owned),
        Charset::Gbk => Some(of_gbk(bytes)).filter(|text| is_text(text)),
    }
}

/// What is no text becomes U+FFFD, and so does what would not go out as the same bytes: the decoder takes all of GB18030,
/// the encoder has what is GBK alone.
fn of_gbk(mut bytes: &[u8]) -> String {
    let mut text = String::new();
    while !bytes.is_empty() {
        let length = match bytes {
            [0..=0x80 | 0xFF, ..] => 1,
            [_, b'0'..=b'9', ..] => 4,
            _ => 2,
        };
        let (piece, _) = bytes.split_at(length.min(bytes.len()));
        let read = GBK.decode_without_bom_handling_and_without_replacement(piece);
        let is_same = |read: &str| *GBK.encode(read).0 == *piece;
        match &read {
            Some(read) if is_same(read) => text.push_str(read),
            Some(_) | None => text.push(char::REPLACEMENT_CHARACTER),
        }
        // A byte of ASCII behind a broken character stands for itself.
        let ascii = piece.iter().skip(1).position(u8::is_ascii);
        let taken = match (read, ascii) {
            (None, Some(place)) => place + 1,
            (Some(_), _) | (None, None) => piece.len(),
        };
        bytes = &bytes[taken..];
    }
    text
}

/// Whether a line of this charset has each character of a value.
///
/// # Errors
/// The first that it lacks, with the name of the value.
pub fn has_all(schema: &Schema, charset: Charset, key: &Key, value: &str) -> Result<(), Sentence> {
    let name = &schema.command(&key.group).name;
    match encode(of_piece(charset, name), value) {
        Ok(_) => Ok(()),
        Err(why) => Err(words::of_key(key, why)),
    }
}

/// What text that came as GBK is in UTF-8, where its bytes are Chinese or the like in that: such bytes are text of both,
/// and GBK by chance alone.
#[must_use]
pub fn meant_in_utf8(text: &str) -> Option<String> {
    let bytes = encode(Charset::Gbk, text).ok()?;
    let has_three_bytes = |text: &String| text.chars().any(|char| char >= '\u{800}');
    decode(Charset::Utf8, &bytes).filter(has_three_bytes)
}

/// A command line as the device reads it: each of its commands in the charset of that.
///
/// # Errors
/// As of [`encode`].
pub fn encode_line(charset: Charset, line: &str) -> Result<Vec<u8>, Sentence> {
    let mut bytes = Vec::new();
    for piece in pieces(line) {
        bytes.extend(encode(of_piece(charset, piece), piece)?);
    }
    Ok(bytes)
}

/// A line of a reply. Bytes that are no text become U+FFFD, which no device tells: [`is_text`] knows it by that.
pub(crate) fn decode_line(charset: Charset, line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let charset = of_piece(charset, &text);
    decode(charset, line).unwrap_or_else(|| match charset {
        Charset::Utf8 => text.into_owned(),
        Charset::Gbk => of_gbk(line),
    })
}

/// Whether this line came as text of its charset.
#[must_use]
pub fn is_text(line: &str) -> bool {
    !line.contains(char::REPLACEMENT_CHARACTER)
}

/// The commands of a line (V.250 5.2.1), each with the `;` behind it.
fn pieces(line: &str) -> impl Iterator<Item = &str> {
    let mut is_quoted = false;
    line.split_inclusive(move |char| {
        is_quoted ^= char == '"';
        char == ';' && !is_quoted
    })
}

/// That of a command, or of a line that tells its values.
fn of_piece(charset: Charset, piece: &str) -> Charset {
    let piece = piece.trim_start();
    let body = match piece.split_at_checked(2) {
        Some((head, body)) if head.eq_ignore_ascii_case("AT") => body,
        Some(_) | None => piece,
    };
    let is_it = |name: &String| {
        body.split_at_checked(name.len())
            .is_some_and(|(head, _)| head.eq_ignore_ascii_case(name))
    };
    if ALWAYS_UTF8.iter().any(is_it) {
        Charset::Utf8
    } else {
        charset
    }
}

/// Commands whose text is UTF-8 by the table, and refusals, which quote what the host says.
static ALWAYS_UTF8: LazyLock<Vec<String>> = LazyLock::new(|| {
    let is_utf8 = |range: &str| range.ends_with("UTF-8 text");
    let named = commands()
        .filter(|command| command.parameters.iter().any(|it| is_utf8(&it.range)))
        .map(|command| command.name.trim_start_matches("AT").to_owned());
    named
        .chain(["+CME ERROR", "+CMS ERROR"].map(str::to_owned))
        .collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    const PUMP: &[u8] = b"\xCB\xAE\xB1\xC3";

    #[test]
    fn text_goes_both_ways_and_what_a_charset_lacks_is_named() {
        assert_eq!(encode(Charset::Gbk, "水泵").unwrap(), PUMP);
        assert_eq!(decode(Charset::Gbk, PUMP).as_deref(), Some("水泵"));
        let utf8 = encode(Charset::Utf8, "水泵").unwrap();
        assert_eq!(utf8, "水泵".as_bytes());
        assert_eq!(decode(Charset::Utf8, &utf8).as_deref(), Some("水泵"));
        assert_eq!(decode(Charset::Utf8, PUMP), None);
        assert_eq!(decode(Charset::Gbk, b"\xFF\xFF"), None);
        let refused = encode(Charset::Gbk, "泵 Ä").unwrap_err();
        assert!(
            refused.english().starts_with("Ä is not in GBK"),
            "{refused}"
        );
    }

    /// What a device tells is put back as it was, or named as not read.
    #[test]
    fn text_that_would_not_go_out_as_it_came_is_none() {
        // À in GB18030, and the euro sign in two bytes instead of one.
        for bytes in [&b"\x81\x30\x86\x38"[..], b"a\x81\x30\x86\x38b", b"\xA2\xE3"] {
            assert_eq!(decode(Charset::Gbk, bytes), None, "{bytes:?}");
            let line = [b"+CIMODID:\"", bytes, b"\""].concat();
            let line = decode_line(Charset::Gbk, &line);
            assert!(!is_text(&line) && line.ends_with('"'), "{line}");
        }
        for broken in [
            &b"\x81"[..],
            b"\x81\x30\x86",
            b"\xB1\"",
            b"\xFF\xB1\xC3",
            b"\x81\x30\x86\"",
        ] {
            assert_eq!(decode(Charset::Gbk, broken), None, "{broken:?}");
        }
        let quoted = decode_line(Charset::Gbk, b"\"\xB1\"\xB1\xC3");
        assert_eq!(quoted, "\"\u{FFFD}\"泵");
        let mut texts = 0;
        for first in 0x80..=0xFE_u8 {
            for second in 0x40..=0xFE_u8 {
                let bytes = [first, second];
                if let Some(text) = decode(Charset::Gbk, &bytes) {
                    texts += 1;
                    assert_eq!(encode(Charset::Gbk, &text).unwrap(), bytes, "{text}");
                }
            }
        }
        assert!(texts > 21_000, "{texts}");
        assert_eq!(decode(Charset::Gbk, b"\x80 1").as_deref(), Some("€ 1"));
    }

    #[test]
    fn text_of_both_charsets_is_known_by_three_bytes_a_character() {
        let read = decode(Charset::Gbk, "水泵".as_bytes()).unwrap();
        assert_eq!(read, "姘存车");
        assert_eq!(meant_in_utf8(&read).as_deref(), Some("水泵"));
        // The second is UTF-8, too: of Latin letters, as much of GBK is.
        for gbk in ["水泵", "目录", "USR-GPRS232-DTU", "联通", ""] {
            assert_eq!(meant_in_utf8(gbk), None, "{gbk}");
        }
    }

    /// The device reads these as UTF-8, whatever its line has.
    #[test]
    fn each_command_has_its_charset() {
        let always: Vec<&str> = ALWAYS_UTF8.iter().map(String::as_str).collect();
        assert_eq!(always, ["+HTPURL", "+HTPHD", "+CME ERROR", "+CMS ERROR"]);
        let line = "AT+CIMODID=\"水;泵\";+htpurl=\"/泵\";+CIMODID=泵";
        let sent = encode_line(Charset::Gbk, line).unwrap();
        let expected: Vec<u8> = [
            b"AT+CIMODID=\"\xCB\xAE;\xB1\xC3\";+htpurl=\"/".as_slice(),
            "泵".as_bytes(),
            b"\";+CIMODID=\xB1\xC3",
        ]
        .concat();
        assert_eq!(
            sent.escape_ascii().to_string(),
            expected.escape_ascii().to_string()
        );
        for line in ["+HTPURL:\"/泵\"", "AT+HTPURL=\"/泵\"", "+CME ERROR: no 泵"] {
            assert_eq!(decode_line(Charset::Gbk, line.as_bytes()), line);
        }
        assert_eq!(
            decode_line(Charset::Gbk, b"+CIMODID:\"\xB1\xC3\""),
            "+CIMODID:\"泵\""
        );
        assert!(!is_text(&decode_line(
            Charset::Utf8,
            b"+CIMODID:\"\xB1\xC3\""
        )));
        assert!(!is_text(&decode_line(
            Charset::Gbk,
            b"+CIMODID:\"\xFF\xFF\""
        )));
    }
}
