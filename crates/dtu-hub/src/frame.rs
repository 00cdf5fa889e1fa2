//! Where a message of a device begins and ends: pure functions of bytes.

use bytes::Bytes;

use crate::time::Duration;

/// How the stream of a device is cut into messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Framing {
    /// What the network brings at once is a message.
    #[default]
    None,
    /// So long a silence ends a message.
    Silence(Duration),
    /// So many bytes are a message.
    Length(usize),
    /// These bytes end a message, and belong to it.
    Delimiter {
        /// Not empty.
        end: Bytes,
        /// What each message begins with, if anything.
        begin: Bytes,
    },
    /// A number in the message tells its length.
    LengthField(LengthField),
    /// Modbus RTU: requests and answers with a good sum.
    ModbusRtu,
}

/// A message that tells its length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LengthField {
    /// What each message begins with, if anything.
    pub begin: Bytes,
    /// Where the number stands.
    pub offset: usize,
    /// Bytes of the number: 1, 2 or 4.
    pub width: usize,
    /// Its order.
    pub little_endian: bool,
    /// Bytes of the message besides those that the number counts.
    pub plus: usize,
}

/// A message is at most so long; what is longer is cut there.
pub const LONGEST: usize = 4096;

/// What stands at the begin of some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parsed {
    /// A message of so many bytes.
    Message(usize),
    /// More has to come.
    More,
    /// No message begins here.
    No,
}

impl Framing {
    /// What stands at the begin of these bytes. `from`: so many were looked at before, in vain.
    pub(crate) fn parse(&self, bytes: &[u8], from: usize) -> Parsed {
        let parsed = match self {
            Self::None if bytes.is_empty() => Parsed::More,
            Self::None => Parsed::Message(bytes.len()),
            Self::Silence(_) => Parsed::More,
            Self::Length(length) => enough(bytes, (*length).clamp(1, LONGEST)),
            Self::Delimiter { end, .. } => find(bytes, end, from),
            Self::LengthField(field) => field.parse(bytes),
            Self::ModbusRtu => modbus(bytes),
        };
        match parsed {
            Parsed::Message(length) if length > LONGEST => Parsed::Message(LONGEST),
            Parsed::More if bytes.len() >= LONGEST => Parsed::Message(LONGEST),
            Parsed::Message(_) | Parsed::More | Parsed::No => parsed,
        }
    }

    /// Whether a message begins with these bytes, as far as that can be told.
    pub(crate) fn begins(&self, bytes: &[u8]) -> Parsed {
        match self {
            Self::None | Self::Silence(_) | Self::Length(_) => Parsed::No,
            Self::Delimiter { begin, .. } | Self::LengthField(LengthField { begin, .. }) => {
                match begin.len() {
                    0 => Parsed::No,
                    length if bytes.starts_with(begin) => Parsed::Message(length),
                    _ if begin.starts_with(bytes) => Parsed::More,
                    _ => Parsed::No,
                }
            }
            Self::ModbusRtu => modbus(bytes),
        }
    }
}

const fn enough(bytes: &[u8], length: usize) -> Parsed {
    if bytes.len() < length {
        Parsed::More
    } else {
        Parsed::Message(length)
    }
}

fn find(bytes: &[u8], end: &[u8], from: usize) -> Parsed {
    // It may have begun in what was looked at.
    let from = from.saturating_sub(end.len());
    let mut places = bytes
        .get(from..)
        .unwrap_or_default()
        .windows(end.len().max(1));
    match places.position(|place| place == end) {
        Some(at) => Parsed::Message(from + at + end.len()),
        None => Parsed::More,
    }
}

impl LengthField {
    fn parse(&self, bytes: &[u8]) -> Parsed {
        let known = bytes.len().min(self.begin.len());
        if bytes[..known] != self.begin[..known] {
            return Parsed::No;
        }
        let end = self.offset + self.width;
        let Some(field) = bytes.get(self.offset..end) else {
            return Parsed::More;
        };
        let digit = |number: usize, byte: &u8| (number << 8) | usize::from(*byte);
        let number = if self.little_endian {
            field.iter().rev().fold(0, digit)
        } else {
            field.iter().fold(0, digit)
        };
        let length = number.saturating_add(self.plus);
        if length < end.max(self.begin.len()).max(1) || length > LONGEST {
            return Parsed::No;
        }
        enough(bytes, length)
    }
}

/// The sum of Modbus RTU over bytes that end with it is zero.
fn modbus_sum(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xFFFF, |sum, byte| {
        let [low, high] = sum.to_le_bytes();
        SUMS[usize::from(low ^ byte)] ^ u16::from(high)
    })
}

/// What each byte does to the sum: where noise comes, a sum is taken at each of its bytes.
const SUMS: [u16; 256] = {
    let mut sums = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut sum = byte as u16;
        let mut bit = 0;
        while bit < 8 {
            sum = (sum >> 1) ^ (0xA001 * (sum & 1));
            bit += 1;
        }
        sums[byte] = sum;
        byte += 1;
    }
    sums
};

/// Requests and answers look alike, so each length that is possible is tried, the short ones first.
fn modbus(bytes: &[u8]) -> Parsed {
    let [_, function, ..] = *bytes else {
        return Parsed::More;
    };
    let counted =
        |at: usize, around: usize| bytes.get(at).map(|count| usize::from(*count) + around);
    let lengths = match function {
        1..=4 => [Some(8), counted(2, 5)],
        5 | 6 => [Some(8), None],
        15 | 16 => [Some(8), counted(6, 9)],
        7 => [Some(4), Some(5)],
        17 => [Some(4), counted(2, 5)],
        22 => [Some(10), None],
        23 => [counted(2, 5), counted(10, 13)],
        0x80.. => [Some(5), None],
        _ => return Parsed::No,
    };
    let mut lengths: Vec<_> = match function {
        // The count has not come yet.
        1..=4 | 17 if bytes.len() < 3 => return Parsed::More,
        15 | 16 if bytes.len() < 7 => return Parsed::More,
        23 if bytes.len() < 11 && lengths[0].is_none_or(|length| bytes.len() < length) => {
            return Parsed::More;
        }
        _ => lengths
            .into_iter()
            .flatten()
            .filter(|length| *length <= 256)
            .collect(),
    };
    lengths.sort_unstable();
    for length in lengths {
        match bytes.get(..length) {
            Some(message) if modbus_sum(message) == 0 => return Parsed::Message(length),
            Some(_) => {}
            None => return Parsed::More,
        }
    }
    Parsed::No
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modbus_rtu_knows_requests_and_answers() {
        // The examples of the specification of Modbus over serial line.
        let request = [0x01, 0x03, 0x00, 0x00, 0x00, 0x0A, 0xC5, 0xCD];
        assert_eq!(modbus(&request), Parsed::Message(8));
        let mut answer = vec![0x01, 0x03, 0x04, 0x00, 0x01, 0x00, 0x02];
        answer.extend(modbus_sum(&answer).to_le_bytes());
        assert_eq!(modbus(&answer), Parsed::Message(9));
        assert_eq!(modbus(&answer[..8]), Parsed::More);
        assert_eq!(modbus(&[0x01, 0x03, 0x04, 0, 1, 0, 2, 0, 0]), Parsed::No);
        assert_eq!(modbus(b"xx"), Parsed::No);
    }

    #[test]
    fn a_length_that_cannot_be_is_no_begin() {
        let field = LengthField {
            begin: Bytes::from_static(&[0x68]),
            offset: 1,
            width: 2,
            little_endian: true,
            plus: 3,
        };
        assert_eq!(field.parse(&[0x68, 2, 0, 9, 9]), Parsed::Message(5));
        assert_eq!(field.parse(&[0x68, 2, 0, 9]), Parsed::More);
        assert_eq!(field.parse(&[0x68]), Parsed::More);
        assert_eq!(field.parse(&[0x67]), Parsed::No);
        assert_eq!(field.parse(&[0x68, 0xFF, 0xFF]), Parsed::No);
    }
}
