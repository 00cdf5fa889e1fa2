//! What a cellular modem is, tells and does: the words between the device and whatever drives the modem - a
//! simulated radio, an AT dialogue, ModemManager.
//!
//! Messages cross this border as PDUs with the service centre in front (`sms-codec`), so that nothing of them is
//! lost on the way, whatever the modem speaks.

use alloc::string::String;
use alloc::vec::Vec;
use bytes::Bytes;
use core::fmt;
use core::net::IpAddr;

use crate::config::Apn;
pub use crate::ids::PhoneNumber;

/// News of the modem. Each kind stands until the next of its kind, or until [`ModemInput::Gone`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModemInput {
    /// A modem is there, or is there again: who it is and what it can do. Everything told before is void, but for the
    /// address of `Attached`.
    Present(ModemIdentity),
    /// The modem is gone or does not answer: unplugged, resetting, not found yet. A call under way is over, a
    /// message under way is answered (with [`SubmitFailure::NO_MODEM`]) before this.
    Gone,
    /// The SIM card.
    Sim(SimState),
    /// Registration in the network.
    Registration(Registration),
    /// The network can be used for data, from this address: of the modem's own interface, or of the host where the
    /// host's routing is used.
    Attached(IpAddr),
    /// Data is not possible any more.
    Detached,
    /// The operator; `None` = not registered or not known.
    Operator(Option<Operator>),
    /// The signal.
    Signal(Signal),
    /// The cell; `None` = not registered or not known.
    Cell(Option<Cell>),
    /// The number of the SIM, where the card tells it.
    OwnNumber(Option<PhoneNumber>),
    /// The service centre that the SIM names.
    ServiceCenter(Option<PhoneNumber>),
    /// What the modem cannot, each in words for people; empty = nothing that was found out.
    Lacks(Vec<String>),
    /// The network's or the modem's time.
    Clock(NetworkTime),
    /// A message came: a DELIVER or STATUS-REPORT PDU, service centre first. It stays with the modem until
    /// [`ModemOutput::Taken`] names its number, and may come again with another one (after a reset, or doubled by
    /// the network).
    Message {
        /// Given by the modem's driver, never twice since the host started.
        id: u64,
        /// The octets.
        pdu: Bytes,
    },
    /// The answer to one [`ModemOutput::Submit`].
    Submitted {
        /// Its token.
        token: u32,
        /// The message reference that the network gave, or why it did not take the message.
        outcome: Result<u8, SubmitFailure>,
    },
    /// News of the one call.
    Call(CallNews),
}

/// Orders to the modem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModemOutput {
    /// Reset it: nothing got through for a long time.
    Reset,
    /// The access point to use from now on. Comes at power-on and when it changes; a driver that has the same one
    /// in use does nothing.
    UseApn(Apn),
    /// Send this SUBMIT PDU (service centre first; `00` = the SIM's own) and answer `Submitted`. At most one is
    /// outstanding; the driver answers within three minutes.
    Submit {
        /// Names it in the answer.
        token: u32,
        /// The octets.
        pdu: Bytes,
    },
    /// The message of that number is safe here: the modem may forget it.
    Taken(u64),
    /// Call this number; answer with `CallNews`.
    Dial(PhoneNumber),
    /// Answer the incoming call; `CallNews::Answered` says that it stands.
    Answer,
    /// End or refuse the call; `CallNews::Ended` confirms. Without a call it does nothing.
    HangUp,
}

/// Who a modem is, and what can be done with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModemIdentity {
    /// 15 digits; empty = not known.
    pub imei: String,
    /// 15 digits; empty = not known (yet), or no SIM.
    pub imsi: String,
    /// Maker and model, for logs and consoles; empty = not known.
    pub model: String,
    /// What it can do.
    pub abilities: Abilities,
}

/// What a modem, driven this way, can do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Abilities {
    /// Short messages.
    pub messages: bool,
    /// Voice calls: ring, answer, hang up.
    pub calls: bool,
}

/// The SIM card, in the words of `AT+CPIN?` (27.007 8.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SimState {
    /// Not known yet.
    #[default]
    Unknown,
    /// Usable.
    Ready,
    /// Waits for a PIN: the settings file has none, or the card refused it.
    PinNeeded,
    /// Waits for the unblocking key; only a person can help.
    PukNeeded,
    /// No card, or a broken one.
    Missing,
}

/// Registration, in the numbers of `AT+CREG?` (27.007 7.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Registration {
    /// 0
    #[default]
    NotRegistered,
    /// 1
    Home,
    /// 2
    Searching,
    /// 3
    Denied,
    /// 4
    Unknown,
    /// 5
    Roaming,
}

impl Registration {
    /// The number of `AT+CREG?`.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::NotRegistered => 0,
            Self::Home => 1,
            Self::Searching => 2,
            Self::Denied => 3,
            Self::Unknown => 4,
            Self::Roaming => 5,
        }
    }

    /// The registration of that number. The further ones of 27.007 (6 and up: for messages only, …) count as their
    /// nearest kin.
    #[must_use]
    pub const fn from_number(number: u8) -> Self {
        match number {
            0 => Self::NotRegistered,
            1 | 6 | 9 => Self::Home,
            2 => Self::Searching,
            3 => Self::Denied,
            5 | 7 | 10 => Self::Roaming,
            _ => Self::Unknown,
        }
    }

    /// Whether messages and calls are possible.
    #[must_use]
    pub const fn is_registered(self) -> bool {
        matches!(self, Self::Home | Self::Roaming)
    }
}

/// The operator.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Operator {
    /// `China Mobile`; empty = not known.
    pub name: String,
    /// Country and network code, `46000`; empty = not known.
    pub code: String,
}

/// The signal, in the numbers of `AT+CSQ` (27.007 8.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signal {
    /// 0 (-113 dBm or less) ..= 31 (-51 dBm or more), 2 dBm a step; 99 = not known.
    pub strength: u8,
    /// Bit error rate class 0..=7; 99 = not known.
    pub error_rate: u8,
}

impl Signal {
    /// Nothing is known.
    pub const UNKNOWN: Self = Self {
        strength: 99,
        error_rate: 99,
    };
}

impl Default for Signal {
    fn default() -> Self {
        Self::UNKNOWN
    }
}

/// The cell of the base station.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Cell {
    /// Location (or tracking) area code.
    pub area: u32,
    /// Cell identity.
    pub id: u32,
}

/// Local time of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetworkTime {
    /// Seconds from 2000-01-01 00:00:00, local time.
    pub seconds: u32,
    /// Difference to UTC in quarters of an hour, -96..=96, where it is known.
    pub zone: Option<i8>,
}

/// Why the network, or the modem, did not take a message: the number of 27.005 3.2.5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SubmitFailure(pub u16);

impl SubmitFailure {
    /// 38: network out of order.
    pub const NETWORK: Self = Self(38);
    /// 310: no SIM.
    pub const NO_SIM: Self = Self(310);
    /// 331: not registered.
    pub const NO_NETWORK: Self = Self(331);
    /// 332: no answer of the network in time; the message may have gone.
    pub const TIMED_OUT: Self = Self(332);
    /// 500: of no known kind.
    pub const UNKNOWN: Self = Self(500);
    /// 512, of the maker's own numbers: the modem is gone.
    pub const NO_MODEM: Self = Self(512);
    /// 197: 23.040 9.2.3.22 C5, the service centre has this message already.
    pub const DUPLICATE: Self = Self(197);

    /// Whether trying again later makes sense. What the number, the subscription or the message itself is refused
    /// for stays refused. 302, not allowed, is what modems say that are not ready yet.
    #[must_use]
    pub const fn is_temporary(self) -> bool {
        !matches!(self.0, 1 | 8 | 10 | 28 | 29 | 30 | 50 | 69 | 81 | 95..=99 | 111 | 128..=175 | 193 | 195 | 196 | 301 | 303..=305)
    }

    /// What it means, in a few words.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self.0 {
            1 => "the number is not assigned",
            8 => "barred by the operator",
            10 => "calls are barred",
            21 => "rejected",
            27 => "the receiver is out of order",
            28 | 30 => "the subscriber is not known",
            29 => "the facility is rejected",
            38 => "the network is out of order",
            41 => "a temporary failure of the network",
            42 => "congestion",
            47 => "no resources",
            50 | 69 => "not subscribed or not implemented",
            81 | 95..=99 | 111 => "the message is not valid",
            192 => "the service centre is busy",
            197 => "the service centre has this message already",
            208 => "the SIM is full",
            302 => "not allowed",
            303 => "the modem does not support it",
            304 => "the PDU is not valid",
            305 => "the text is not valid",
            310 => "there is no SIM",
            311 | 316 | 317 | 318 => "the SIM waits for a PIN or PUK",
            313..=315 => "the SIM does not work",
            320 => "the memory does not work",
            321 => "there is no message at this index",
            322 => "the memory is full",
            330 => "the service centre is not known",
            331 => "not registered in a network",
            332 => "the network does not answer",
            512 => "the modem is gone",
            _ => "the network refused it",
        }
    }
}

impl fmt::Display for SubmitFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.meaning(), self.0)
    }
}

/// News of the one call that a modem carries. A second caller is refused by the driver.
///
/// An `Incoming` may cross a [`ModemOutput::Dial`]: it takes the place of the call to be made, and the driver drops the
/// order without a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallNews {
    /// Somebody calls; told once a call.
    Incoming {
        /// Who, where the network tells.
        from: Option<PhoneNumber>,
    },
    /// The called party's phone rings.
    Alerting,
    /// The call stands: the called party answered, or the incoming call is answered.
    Answered,
    /// It is over.
    Ended(CallEnd),
}

/// Why a call is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallEnd {
    /// Either side hung up, or the caller gave up.
    HungUp,
    /// The called party is busy or refused.
    Busy,
    /// Nobody answered.
    NoAnswer,
    /// No network, no such number, or the call was lost.
    NoCarrier,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registrations_keep_their_numbers() {
        for number in 0..=5 {
            assert_eq!(Registration::from_number(number).number(), number);
        }
        assert!(
            Registration::from_number(7).is_registered()
                && !Registration::from_number(8).is_registered()
        );
    }

    #[test]
    fn what_may_pass_by_itself_is_temporary() {
        for temporary in [21, 27, 38, 41, 42, 47, 192, 194, 208, 331, 332, 500, 512] {
            assert!(SubmitFailure(temporary).is_temporary(), "{temporary}");
        }
        for lasting in [1, 8, 28, 69, 96, 193, 304] {
            assert!(!SubmitFailure(lasting).is_temporary(), "{lasting}");
        }
    }
}
