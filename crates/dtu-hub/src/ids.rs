//! Names of things.

use std::fmt;

/// A device: 20 decimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceId([u8; Self::LENGTH]);

impl DeviceId {
    /// Digits of an id.
    pub const LENGTH: usize = 20;

    /// The id of these 20 digits; `None` where they are none.
    #[must_use]
    pub fn new(text: &[u8]) -> Option<Self> {
        let digits: [u8; Self::LENGTH] = text.try_into().ok()?;
        digits
            .iter()
            .all(u8::is_ascii_digit)
            .then_some(Self(digits))
    }

    /// The id of a shorter number, with zeros in front: an IMEI is an id, too.
    #[must_use]
    pub fn padded(text: &[u8]) -> Option<Self> {
        let mut digits = [b'0'; Self::LENGTH];
        let begin = Self::LENGTH.checked_sub(text.len())?;
        digits[begin..].copy_from_slice(text);
        (!text.is_empty()).then(|| Self::new(&digits)).flatten()
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    pub(crate) const fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An account, as the store numbers it. Its name belongs to the doors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(pub u32);

/// A connection of a device: a place that the host uses again, and which use of it this is.
///
/// Places are small numbers, as descriptors are: the hub keeps a table of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId {
    /// The place.
    pub place: u32,
    /// Which use of the place. News of an earlier use is ignored.
    pub r#use: u32,
}

/// A program's connection: as [`ConnectionId`], in a table of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProgramId {
    /// The place.
    pub place: u32,
    /// Which use of the place.
    pub r#use: u32,
}

/// The name of a session of a program: its client id. Sessions are keyed by account and name.
pub type SessionName = std::sync::Arc<str>;

/// A message for a device, on its way. Numbers grow; the host says where they begin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(pub u64);

/// A message to a program that has to be acknowledged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Delivery(pub u64);

/// A room of the D2D door: who names the same id is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoomId(pub u16);

/// How often a device has had a session. The store counts, so an epoch is the device's own on all nodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionEpoch(pub u64);

/// Where a message stands in what a device has sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The session that brought it.
    pub epoch: SessionEpoch,
    /// Its number in that session, from 1.
    pub sequence: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_twenty_digits() {
        assert_eq!(
            DeviceId::new(b"00000000000000001234"),
            DeviceId::padded(b"1234")
        );
        for bad in ["", "1", "0000000000000000123x", "000000000000000012345"] {
            assert_eq!(DeviceId::new(bad.as_bytes()), None, "{bad}");
        }
        for bad in ["", "12 4", "000000000000000012345", "-1"] {
            assert_eq!(DeviceId::padded(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn a_newer_session_stands_behind_all_of_an_older_one() {
        let at = |epoch, sequence| Position {
            epoch: SessionEpoch(epoch),
            sequence,
        };
        assert!(at(1, 9) < at(2, 1) && at(2, 1) < at(2, 2));
    }
}
