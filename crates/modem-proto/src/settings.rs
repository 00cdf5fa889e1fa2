//! What a user settles for the modem.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// Settings of the dialogue. `Settings::default()` asks nothing of the user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// The PIN of the SIM, if it has one (27.007 8.3). It is sent only while the card asks for it.
    pub pin: Option<Pin>,
    /// What became of this very PIN in earlier runs, as [`Event::PinState`](crate::Event::PinState) said it last.
    pub pin_history: PinHistory,
    /// Commands of the user, `AT+…`, sent at each start of the modem after its identity is known. A refused one is
    /// logged and changes nothing; each has 10 s.
    pub init: Vec<String>,
    /// Whether the modem itself opens the data connection (`AT+CGACT`, 27.007 10.1.10), as modems with a network interface of their
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
        let is_pin =
            (4..=8).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        is_pin.then(|| Self(text.into()))
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What has become of a PIN. Whoever runs the dialogue keeps it where it outlives the program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum PinHistory {
    /// It was never sent.
    #[default]
    Unsent,
    /// It was sent, and no card was ever seen to open by it.
    Sent,
    /// Twice.
    SentTwice,
    /// The card took it: it is right, as long as the card is the same.
    Accepted,
    /// The card took it once. It was sent again since, and what came of that was never seen.
    SentAgain,
    /// The card refused it: never again.
    Refused,
}

impl PinHistory {
    /// It is sent now.
    #[must_use]
    pub const fn sent(self) -> Self {
        match self {
            // mutant: pin-sent
            Self::Unsent => Self::Sent,
            // mutant: pin-in-doubt
            Self::Sent | Self::SentAgain | Self::SentTwice => Self::SentTwice,
            Self::Accepted => Self::SentAgain,
            Self::Refused => Self::Refused,
        }
    }

    /// Whether it was sent, and nobody knows what came of it.
    #[must_use]
    pub const fn is_in_doubt(self) -> bool {
        matches!(self, Self::Sent | Self::SentTwice | Self::SentAgain)
    }

    /// Whether it may be sent to a card that allows so many tries; `None` = nobody knows how many.
    ///
    /// Where it is in doubt only while the card says that it cost no try, and once, for not every modem's count can be
    /// trusted. That holds also for one that a card took before: somebody may have exchanged the card. It leaves one try to
    /// a person.
    #[must_use]
    pub const fn may_be_sent(self, tries: Option<u8>) -> bool {
        match self {
            Self::Unsent | Self::Accepted => true,
            // mutant: pin-again
            Self::Sent | Self::SentAgain => matches!(tries, Some(ALL_TRIES..)),
            Self::SentTwice | Self::Refused => false,
        }
    }
}

/// TS 31.101: a card that took the right PIN last.
const ALL_TRIES: u8 = 3;

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
            assert!(
                Pin::new(good).is_some_and(|pin| pin.as_str() == good),
                "{good}"
            );
        }
        for bad in ["", "123", "123456789", "12a4", "１２３４"] {
            assert_eq!(Pin::new(bad), None, "{bad}");
        }
        assert_eq!(alloc::format!("{:?}", Pin::new("1234")), "Some(Pin(****))");
    }

    /// 3GPP TS 31.101: what a card may be given, by what became of the PIN before and by its tries.
    #[test]
    fn a_pin_goes_out_twice_at_most_until_a_card_took_it() {
        use PinHistory::{Accepted, Refused, Sent, SentAgain, SentTwice, Unsent};
        for (history, sent, in_doubt, may) in [
            (Unsent, Sent, false, [true; 4]),
            (Sent, SentTwice, true, [false, false, true, true]),
            (SentTwice, SentTwice, true, [false; 4]),
            (Accepted, SentAgain, false, [true; 4]),
            (SentAgain, SentTwice, true, [false, false, true, true]),
            (Refused, Refused, false, [false; 4]),
        ] {
            assert_eq!(history.sent(), sent, "{history:?}");
            assert_eq!(history.is_in_doubt(), in_doubt, "{history:?}");
            let tries = [None, Some(2), Some(3), Some(10)];
            let allowed = tries.map(|tries| history.may_be_sent(tries));
            assert_eq!(allowed, may, "{history:?}");
        }
    }
}
