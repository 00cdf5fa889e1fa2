//! What a user settles for the modem.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// Settings of the dialogue. `Settings::default()` asks nothing of the user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// The PIN of the SIM, if it has one.
    pub pin: Option<Pin>,
    /// This very PIN was sent before and its success was never told ([`Event::PinSent`](crate::Event::PinSent)
    /// without [`Event::PinAccepted`](crate::Event::PinAccepted)): it is sent again only where the card says that it has
    /// all its tries.
    pub pin_in_doubt: bool,
    /// Commands of the user, `AT+…`, sent at each start of the modem after its identity is known. A refused one is
    /// told and changes nothing.
    pub init: Vec<String>,
    /// Whether the modem itself opens the data connection (`AT+CGACT`), as modems with a network interface of their
    /// own need it, and reports its address as [`ModemInput::Attached`](dtu_proto::radio::ModemInput::Attached).
    pub activate: bool,
}

/// A PIN: 4 to 8 digits (3GPP TS 31.101). It shows itself nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Pin(String);

impl Pin {
    /// The PIN of that text; `None` where it is none.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let is_pin = (4..=8).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        is_pin.then(|| Self(text.into()))
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pin(****)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_has_four_to_eight_digits_and_shows_none_of_them() {
        for good in ["1234", "00000000"] {
            assert!(Pin::new(good).is_some_and(|pin| pin.as_str() == good), "{good}");
        }
        for bad in ["", "123", "123456789", "12a4", "１２３４"] {
            assert_eq!(Pin::new(bad), None, "{bad}");
        }
        assert_eq!(alloc::format!("{:?}", Pin::new("1234")), "Some(Pin(****))");
    }
}
