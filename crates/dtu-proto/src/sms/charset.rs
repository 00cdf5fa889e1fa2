//! Text of the serial line and of the AT interface.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use encoding_rs::{DecoderResult, EncoderResult, GBK};
use sms_codec::gsm7::{self, Shifts};
use sms_codec::{hex, ucs2};

use crate::config::{Charset, TextCharset};

/// The text of bytes of the serial line; `None` where they are no text of its charset.
pub(crate) fn from_serial(bytes: &[u8], charset: Charset) -> Option<String> {
    match charset {
        Charset::Utf8 => core::str::from_utf8(bytes).ok().map(ToOwned::to_owned),
        Charset::Gbk => from_gbk(bytes),
    }
}

/// Bytes at the end that begin a character without ending it, where all before them is text; else 0.
pub(crate) fn torn_end(bytes: &[u8], charset: Charset) -> usize {
    if from_serial(bytes, charset).is_some() {
        return 0;
    }
    let longest = match charset {
        Charset::Utf8 => 3,
        Charset::Gbk => 1,
    };
    let begins = |tail: &[u8]| match (charset, tail) {
        (Charset::Utf8, [first, rest @ ..]) => {
            (0xC2..=0xF4).contains(first) && rest.iter().all(|byte| (0x80..=0xBF).contains(byte))
        }
        (Charset::Gbk, [first, ..]) => (0x81..=0xFE).contains(first),
        (_, []) => false,
    };
    let torn = (1..=longest.min(bytes.len())).find(|torn| {
        let (text, tail) = bytes.split_at(bytes.len() - torn);
        begins(tail) && from_serial(text, charset).is_some()
    });
    torn.unwrap_or(0)
}

fn from_gbk(bytes: &[u8]) -> Option<String> {
    let mut decoder = GBK.new_decoder_without_bom_handling();
    let room = decoder.max_utf8_buffer_length_without_replacement(bytes.len())?;
    let mut text = String::with_capacity(room);
    match decoder.decode_to_string_without_replacement(bytes, &mut text, true) {
        (DecoderResult::InputEmpty, _) => Some(text),
        (DecoderResult::OutputFull | DecoderResult::Malformed(..), _) => None,
    }
}

/// Bytes for the serial line; a character that its charset does not have becomes `?`.
pub(crate) fn to_serial(text: &str, charset: Charset) -> Vec<u8> {
    match charset {
        Charset::Utf8 => text.as_bytes().to_vec(),
        Charset::Gbk => to_gbk(text),
    }
}

fn to_gbk(mut text: &str) -> Vec<u8> {
    let mut encoder = GBK.new_encoder();
    let mut bytes = Vec::new();
    loop {
        let room = encoder
            .max_buffer_length_from_utf8_without_replacement(text.len())
            .unwrap_or(text.len() * 2);
        bytes.reserve(room);
        match encoder.encode_from_utf8_to_vec_without_replacement(text, &mut bytes, true) {
            (EncoderResult::InputEmpty, _) => return bytes,
            (EncoderResult::OutputFull, read) => text = text.get(read..).unwrap_or_default(),
            (EncoderResult::Unmappable(_), read) => {
                bytes.push(b'?');
                text = text.get(read..).unwrap_or_default();
            }
        }
    }
}

/// The text of bytes typed in a charset of the AT interface, or what is wrong with them.
pub(crate) fn decode_text(
    bytes: &[u8],
    charset: TextCharset,
    serial: Charset,
) -> Result<String, String> {
    match charset {
        TextCharset::Gsm => septets(bytes.to_vec()),
        TextCharset::Ira => from_serial(bytes, serial)
            .ok_or_else(|| "the bytes are no text of the serial line's charset".to_string()),
        TextCharset::Ucs2 => digits(bytes).and_then(|octets| {
            let whole = octets
                .len()
                .is_multiple_of(2)
                .then(|| ucs2::decode(&ucs2::from_octets(&octets)));
            whole.ok_or_else(|| "UCS2 has four hex digits a character".to_string())
        }),
        TextCharset::Hex => digits(bytes).and_then(septets),
        TextCharset::Utf8 => core::str::from_utf8(bytes)
            .map(ToOwned::to_owned)
            .map_err(|_| "the bytes are no UTF-8 text".to_string()),
    }
}

fn septets(bytes: Vec<u8>) -> Result<String, String> {
    if bytes.iter().any(|byte| *byte > 0x7F) {
        return Err("the default alphabet has values 0 to 127 only".to_string());
    }
    Ok(gsm7::decode(&bytes, Shifts::default()))
}

/// The octets of hex digits, with line ends and blanks passed over.
pub(crate) fn digits(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let text: String = bytes
        .iter()
        .filter(|byte| !byte.is_ascii_whitespace())
        .map(|byte| char::from(*byte))
        .collect();
    hex::decode(&text).map_err(|error| error.to_string())
}

/// Text in a charset of the AT interface; what that does not have is shown in UCS2 (27.005 3.1, `<data>`).
pub(crate) fn encode_text(text: &str, charset: TextCharset) -> String {
    let septets = || gsm7::encode(text, Shifts::default()).ok();
    let shown = match charset {
        TextCharset::Utf8 => Some(text.to_owned()),
        TextCharset::Ira => text.is_ascii().then(|| text.to_owned()),
        TextCharset::Gsm => septets().map(|septets| septets.into_iter().map(char::from).collect()),
        TextCharset::Hex => septets().map(|septets| hex::encode(&septets)),
        TextCharset::Ucs2 => None,
    };
    shown.unwrap_or_else(|| hex::encode(&ucs2::to_octets(&ucs2::encode(text))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gbk_goes_both_ways_and_what_it_lacks_becomes_a_question_mark() {
        let pump = [0xCB, 0xAE, 0xB1, 0xC3];
        assert_eq!(from_serial(&pump, Charset::Gbk).as_deref(), Some("水泵"));
        assert_eq!(to_serial("水泵", Charset::Gbk), pump);
        assert_eq!(to_serial("a😀b", Charset::Gbk), b"a?b");
        assert_eq!(from_serial(&[0xCB], Charset::Gbk), None);
        assert_eq!(from_serial(&[0xFF, 0xFF], Charset::Gbk), None);
        assert_eq!(
            from_serial(b"\x00\r\n~", Charset::Gbk).as_deref(),
            Some("\x00\r\n~")
        );
    }

    #[test]
    fn utf8_is_text_only_where_it_is_whole() {
        assert_eq!(
            from_serial("泵".as_bytes(), Charset::Utf8).as_deref(),
            Some("泵")
        );
        assert_eq!(from_serial(&[0xE6, 0xB3], Charset::Utf8), None);
    }

    #[test]
    fn charsets_of_the_at_interface_read_what_they_write() {
        for charset in TextCharset::ALL {
            for text in ["", "hello @ {1}", "ok"] {
                if charset == TextCharset::Ira
                    || charset == TextCharset::Utf8
                    || !text.contains('{')
                {
                    let written = encode_text(text, charset);
                    assert_eq!(
                        decode_text(written.as_bytes(), charset, Charset::Gbk).as_deref(),
                        Ok(text),
                        "{charset:?}"
                    );
                }
            }
        }
        assert_eq!(encode_text("泵", TextCharset::Ira), "6CF5");
        assert_eq!(encode_text("@", TextCharset::Hex), "00");
        assert_eq!(
            decode_text(b"6CF5", TextCharset::Ucs2, Charset::Gbk).as_deref(),
            Ok("泵")
        );
        assert_eq!(
            decode_text(&[0xB1, 0xC3], TextCharset::Ira, Charset::Gbk).as_deref(),
            Ok("泵")
        );
        assert!(decode_text(b"6CF", TextCharset::Ucs2, Charset::Gbk).is_err());
        assert!(decode_text(b"80", TextCharset::Hex, Charset::Gbk).is_err());
    }
}
