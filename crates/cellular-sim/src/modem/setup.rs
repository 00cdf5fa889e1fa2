//! What kind of modem it is.

use dtu_proto::radio::NetworkTime;
use dtu_proto::time::Duration;

use super::oddity::Oddities;

/// Whose habits it has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// 27.005 and 27.007 to the letter, no boot lines.
    #[default]
    Generic,
    /// As a SIM800: `RDY`, `Call Ready`, `SMS Ready`, `*PSUTTZ`, `+CENG`, `MO RING`.
    Sim800,
    /// As a Quectel EC2x: `RDY`, `+QIND`, `+QENG`, access technology in `+CREG`.
    Ec2x,
}

impl Dialect {
    /// The one of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "generic" => Self::Generic,
            "sim800" => Self::Sim800,
            "ec2x" => Self::Ec2x,
            _ => return None,
        })
    }

    pub(super) const fn maker(self) -> &'static str {
        match self {
            Self::Generic => "dtu-sim",
            Self::Sim800 => "SIMCOM_Ltd",
            Self::Ec2x => "Quectel",
        }
    }

    pub(super) const fn model(self) -> &'static str {
        match self {
            Self::Generic => "Simulated modem",
            Self::Sim800 => "SIMCOM_SIM800C",
            Self::Ec2x => "EC25",
        }
    }

    pub(super) const fn revision(self) -> &'static str {
        match self {
            Self::Generic => "dtu-sim 0.1",
            Self::Sim800 => "Revision:1418B06SIM800C24",
            Self::Ec2x => "EC25EFAR06A06M4G",
        }
    }

    /// What it says once its SIM can be used.
    pub(super) const fn ready_lines(self) -> &'static [&'static str] {
        match self {
            Self::Generic => &[],
            Self::Sim800 => &["Call Ready", "SMS Ready"],
            Self::Ec2x => &["+QIND: SMS DONE", "+QIND: PB DONE"],
        }
    }

    /// `AT+CNMI` after power-on.
    pub(super) const fn cnmi(self) -> [u8; 5] {
        match self {
            Self::Generic => [0, 0, 0, 0, 0],
            Self::Sim800 | Self::Ec2x => [2, 1, 0, 0, 0],
        }
    }

    /// Access technology of 27.007 7.2: GSM, or E-UTRAN.
    pub(super) const fn technology(self) -> u8 {
        match self {
            Self::Generic | Self::Sim800 => 0,
            Self::Ec2x => 7,
        }
    }
}

/// How it is set up at the factory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setup {
    /// Whose habits it has.
    pub dialect: Dialect,
    /// The PIN of its SIM: 4 to 8 digits (27.007 8.3), three tries; `None` = none is asked for.
    pub pin: Option<String>,
    /// Places for messages on the SIM, 1..=255 (27.005 `+CPMS`), and as many in the modem's own memory.
    pub places: usize,
    /// Between two `RING`; 100 ms at least.
    pub ring_pause: Duration,
    /// Local time at virtual time 0: s since 2000, zone in quarters of an hour; a [`super::Rack`] sets its network's.
    pub clock: NetworkTime,
    /// What it does that no specification says.
    pub odd: Oddities,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            dialect: Dialect::Generic,
            pin: None,
            places: 30,
            ring_pause: Duration::from_secs(3),
            clock: NetworkTime {
                seconds: 820_540_800,
                zone: Some(32),
            },
            odd: Oddities::default(),
        }
    }
}

/// Bad habits, and faults for a while, to try a host with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quirks {
    /// Every line end is there twice: `\r\n\r\n`.
    pub doubled_line_ends: bool,
    /// The prompt is `\r\n>` without its blank.
    pub bare_prompt: bool,
    /// So many of the next prompts (27.005 3.5.1) are followed by `ERROR`, whatever is typed.
    pub prompt_errors: u8,
    /// URCs come in the middle of answers.
    pub lines_inside: bool,
    /// Every PIN is answered OK, and opens nothing.
    pub pin_unheeded: bool,
    /// Wrong PINs do not show in what it says of the tries that are left.
    pub tries_stay: bool,
    /// All that it says is late by this.
    pub slow: Duration,
}
