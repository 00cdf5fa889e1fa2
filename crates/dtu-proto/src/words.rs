//! What a person reads of the types.

use core::fmt;

use crate::config::{LineFormat, Parity};
use crate::event::{Origin, RestartReason};
use crate::radio::{CallEnd, Registration, SimState};

/// As people write it: `115200 8N1`.
impl fmt::Display for LineFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parity = match self.parity {
            Parity::None => 'N',
            Parity::Even => 'E',
            Parity::Odd => 'O',
        };
        write!(
            f,
            "{} {}{parity}{}",
            self.baud, self.data_bits, self.stop_bits
        )
    }
}

impl fmt::Display for RestartReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PowerOn => "the program started",
            Self::Command => "a command",
            Self::Factory => "factory settings by AT+CIRELOAD",
            Self::NoData => "no data for RTIME seconds",
            Self::Recovery => "no link came up for too long",
        })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Serial => f.write_str("serial"),
            Self::SerialFrame => f.write_str("serial frame"),
            Self::Link(link) => write!(f, "link {link}"),
            Self::Sms(number) => write!(f, "phone {number}"),
            Self::Console => f.write_str("console"),
        }
    }
}

impl fmt::Display for SimState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "not known yet",
            Self::Ready => "ready",
            Self::PinNeeded => "waits for a PIN ([modem] pin in the settings file, or AT+CPIN)",
            Self::PukNeeded => "waits for the PUK, which only a person can give it",
            Self::Missing => "missing, or broken",
        })
    }
}

impl fmt::Display for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotRegistered => "not registered",
            Self::Home => "registered, home network",
            Self::Searching => "searches for a network",
            Self::Denied => "the network denies registration",
            Self::Unknown => "registration not known",
            Self::Roaming => "registered, roaming",
        })
    }
}

impl fmt::Display for CallEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HungUp => "hung up",
            Self::Busy => "busy",
            Self::NoAnswer => "not answered",
            Self::NoCarrier => "no connection",
        })
    }
}
