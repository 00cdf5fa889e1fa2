//! Packets with placeholders: what a device says of itself.

use std::fmt;

/// A text with `{id}`, `{imei}` and `{index}` in it, and escapes for what no keyboard has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Bytes(Vec<u8>),
    Of(Placeholder),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Placeholder {
    Id,
    Imei,
    Index,
    Number,
}

/// Why a text is no template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// A name between braces that stands for nothing.
    #[error(
        "there is no {{{0}}}; allowed are {{id}}, {{imei}} and {{index}}, and {{{{ for a brace"
    )]
    Unknown(String),
    /// A brace that is not closed, or was never opened.
    #[error("a brace stands alone; a brace of the text is written twice: {{{{ or }}}}")]
    Brace,
    /// A backslash with nothing known behind it.
    #[error("there is no escape \\{0}; allowed are \\r, \\n, \\t, \\0, \\\\ and \\xNN")]
    Escape(String),
}

/// Who a device of the fleet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Who(pub u32);

impl Who {
    /// Eight digits, counted from 1.
    #[must_use]
    pub fn id(self) -> String {
        format!("{:08}", u64::from(self.0) + 1)
    }

    /// Fifteen digits, the last of which is the check digit (3GPP TS 23.003 6.2.1): no two devices share one.
    #[must_use]
    pub fn imei(self) -> String {
        let front = 35_790_246_000_000 + u64::from(self.0);
        let digits = format!("{front:014}");
        let sum: u32 = (0..)
            .zip(digits.bytes())
            .map(|(place, digit)| {
                let digit = u32::from(digit - b'0') * (1 + place % 2);
                digit / 10 + digit % 10
            })
            .sum();
        format!("{digits}{}", (10 - sum % 10) % 10)
    }
}

impl Template {
    /// Reads one.
    ///
    /// # Errors
    /// A placeholder or an escape that does not exist.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        Self::read(text, false)
    }

    /// Reads one of a script: `{number}`, the number of the frame, is allowed as well.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn parse_numbered(text: &str) -> Result<Self, TemplateError> {
        Self::read(text, true)
    }

    fn read(text: &str, numbered: bool) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut bytes = Vec::new();
        let mut rest = text;
        while let Some(sign) = rest.chars().next() {
            let behind = &rest[sign.len_utf8()..];
            rest = match sign {
                '{' | '}' if behind.starts_with(sign) => {
                    bytes.push(sign as u8);
                    &behind[1..]
                }
                '{' => {
                    let (name, behind) = behind.split_once('}').ok_or(TemplateError::Brace)?;
                    let of = Placeholder::named(name, numbered)?;
                    if !bytes.is_empty() {
                        parts.push(Part::Bytes(std::mem::take(&mut bytes)));
                    }
                    parts.push(Part::Of(of));
                    behind
                }
                '}' => return Err(TemplateError::Brace),
                '\\' => {
                    let (byte, behind) = escape(behind)?;
                    bytes.push(byte);
                    behind
                }
                _ => {
                    bytes.extend_from_slice(&rest.as_bytes()[..sign.len_utf8()]);
                    behind
                }
            };
        }
        if !bytes.is_empty() {
            parts.push(Part::Bytes(bytes));
        }
        Ok(Self { parts })
    }

    /// Whether nothing is in it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// What it is for one device.
    #[must_use]
    pub fn render(&self, who: Who) -> Vec<u8> {
        self.render_numbered(who, 0)
    }

    /// What it is for one frame of a device.
    #[must_use]
    pub fn render_numbered(&self, who: Who, number: u32) -> Vec<u8> {
        let mut all = Vec::new();
        for part in &self.parts {
            match part {
                Part::Bytes(bytes) => all.extend_from_slice(bytes),
                Part::Of(Placeholder::Id) => all.extend_from_slice(who.id().as_bytes()),
                Part::Of(Placeholder::Imei) => all.extend_from_slice(who.imei().as_bytes()),
                Part::Of(Placeholder::Number) => {
                    all.extend_from_slice(number.to_string().as_bytes());
                }
                Part::Of(Placeholder::Index) => {
                    all.extend_from_slice(who.0.to_string().as_bytes());
                }
            }
        }
        all
    }

    /// How many bytes at the front of `bytes` are such a packet; `None` = they are not.
    #[must_use]
    pub fn matches(&self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        for part in &self.parts {
            let rest = bytes.get(at..)?;
            at += match part {
                Part::Bytes(wanted) => rest.starts_with(wanted).then_some(wanted.len())?,
                Part::Of(of) => {
                    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
                    of.digits()
                        .map_or(Some(digits), |wanted| (digits >= wanted).then_some(wanted))?
                }
            };
        }
        (at > 0).then_some(at)
    }
}

impl Placeholder {
    fn named(name: &str, numbered: bool) -> Result<Self, TemplateError> {
        match name {
            "id" => Ok(Self::Id),
            "imei" => Ok(Self::Imei),
            "index" => Ok(Self::Index),
            "number" if numbered => Ok(Self::Number),
            other => Err(TemplateError::Unknown(other.to_owned())),
        }
    }

    /// Its length, where it is always the same.
    const fn digits(self) -> Option<usize> {
        match self {
            Self::Id => Some(8),
            Self::Imei => Some(15),
            Self::Index | Self::Number => None,
        }
    }
}

/// The byte of an escape, and what comes behind it.
fn escape(text: &str) -> Result<(u8, &str), TemplateError> {
    let unknown = || TemplateError::Escape(text.chars().take(3).collect());
    let sign = text.chars().next().ok_or_else(unknown)?;
    let behind = &text[sign.len_utf8()..];
    let byte = match sign {
        'r' => b'\r',
        'n' => b'\n',
        't' => b'\t',
        '0' => 0,
        '\\' => b'\\',
        'x' => {
            let hex = behind.get(..2).ok_or_else(unknown)?;
            let byte = u8::from_str_radix(hex, 16).map_err(|_| unknown())?;
            return Ok((byte, &behind[2..]));
        }
        _ => return Err(unknown()),
    };
    Ok((byte, behind))
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "device {}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_device_says_who_it_is() {
        let packet = Template::parse("DTU{id},{imei},{index}\\r\\n\\x00{{}}").unwrap();
        assert_eq!(
            packet.render(Who(41)),
            b"DTU00000042,357902460000413,41\r\n\0{}"
        );
    }

    #[test]
    fn the_check_digit_is_that_of_the_standard() {
        // The number that 3GPP and GSMA papers use: 49-015420-323751-8 has 8 at its end.
        let luhn = |digits: &str| {
            let sum: u32 = digits
                .bytes()
                .rev()
                .zip(0_u32..)
                .map(|(digit, place)| {
                    let digit = u32::from(digit - b'0') * (1 + place % 2);
                    digit / 10 + digit % 10
                })
                .sum();
            sum.is_multiple_of(10)
        };
        assert!(luhn("490154203237518"));
        for index in [0, 1, 9, 12_345, 99_999] {
            assert!(luhn(&Who(index).imei()), "{index}");
        }
    }

    #[test]
    fn what_does_not_exist_is_named_with_what_does() {
        let error = |text| Template::parse(text).unwrap_err().to_string();
        assert_eq!(
            error("DTU{serial}"),
            "there is no {serial}; allowed are {id}, {imei} and {index}, and {{ for a brace"
        );
        assert!(error("DTU{number}").starts_with("there is no {number}"));
        assert!(error("DTU{id").starts_with("a brace stands alone"));
        assert!(error("DTU}").starts_with("a brace stands alone"));
        assert!(error("\\q").contains("\\q"));
        assert!(error("\\x4").contains("\\x4"));
    }

    proptest! {
        #[test]
        fn what_is_rendered_is_recognised(index in 0_u32..2_000_000, text in "[A-Z]{1,5}(\\{id\\}|\\{imei\\}|\\{index\\})[#;]?") {
            let template = Template::parse(&text).unwrap();
            let mut packet = template.render(Who(index));
            let length = packet.len();
            packet.extend_from_slice(b"[000001.0000000]");
            prop_assert_eq!(template.matches(&packet), Some(length));
            prop_assert_eq!(template.matches(b"?"), None);
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,40}") {
            let _ = Template::parse(&text);
        }
    }
}
