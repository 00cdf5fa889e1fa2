//! The modem and the network: registration, the call, messages.

use alloc::string::String;
use alloc::vec::Vec;

use crate::radio::{Cell, ModemIdentity, Operator, PhoneNumber, Registration, Signal, SimState};

/// The modem, as it was last told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RadioStatus {
    /// Who it is; `None` = there is no modem.
    pub modem: Option<ModemIdentity>,
    /// The SIM card.
    pub sim: SimState,
    /// Registration.
    pub registration: Registration,
    /// The operator.
    pub operator: Option<Operator>,
    /// The signal.
    pub signal: Signal,
    /// The cell.
    pub cell: Option<Cell>,
    /// The number of the SIM.
    pub own_number: Option<PhoneNumber>,
    /// The service centre that the SIM names.
    pub service_center: Option<PhoneNumber>,
    /// What the modem cannot, each in words; empty = nothing that is known.
    pub lacks: Vec<String>,
}

/// The call, and what was called before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallStatus {
    /// The call that is made, rings or stands.
    pub current: Option<CurrentCall>,
    /// What `ATDL` calls.
    pub last_dialled: Option<PhoneNumber>,
    /// Calls so far.
    pub counters: CallCounters,
}

/// A call under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CurrentCall {
    /// What it is doing.
    pub state: CallState,
    /// Whether it came in.
    pub incoming: bool,
    /// The other party, where known.
    pub number: Option<PhoneNumber>,
}

/// What a call is doing, in the numbers of `AT+CLCC` (27.007 7.18).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallState {
    /// 0: it stands.
    Active,
    /// 2: it is being dialled.
    Dialling,
    /// 3: the called phone rings.
    Alerting,
    /// 4: it rings here.
    Incoming,
}

impl CallState {
    /// The number of `AT+CLCC`.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Active => 0,
            Self::Dialling => 2,
            Self::Alerting => 3,
            Self::Incoming => 4,
        }
    }
}

/// Calls since the program started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallCounters {
    /// Dialled.
    pub dialled: u64,
    /// Came in.
    pub received: u64,
    /// Of these, hung up at once (`CIRINGSTA`).
    pub refused: u64,
    /// Answered, there or here.
    pub answered: u64,
    /// Hung up, and the modem never said that they were over.
    pub unconfirmed: u64,
}

/// Short messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MessageStatus {
    /// What became of them.
    pub counters: MessageCounters,
    /// In the storage `"SM"`.
    pub stored: u32,
    /// Parts that wait for others of their message.
    pub parts: u32,
    /// That wait for the serial line.
    pub for_line: u32,
    /// Of the device itself, on their way to the network.
    pub outgoing: u32,
    /// Left with the modem until there is room, and parts that wait for a place.
    pub not_taken: u32,
}

/// What became of short messages, since the host started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MessageCounters {
    /// PDUs that the modem brought and that were taken, whatever they were.
    pub received: u64,
    /// Of these, messages and parts that had come before, and were dropped.
    pub duplicates: u64,
    /// Of these, such that could not be read, and were dropped.
    pub unreadable: u64,
    /// Of these, status reports.
    pub reports: u64,
    /// Messages that the modem brought while too many waited; they stay with it until it starts anew.
    pub turned_away: u64,
    /// Messages that were commands.
    pub commands: u64,
    /// Messages written to the serial line.
    pub printed: u64,
    /// Messages and parts put into the storage.
    pub stored: u64,
    /// Messages of the storage, read before, that went for new ones.
    pub evicted: u64,
    /// Long messages given up with parts missing; what was there was delivered.
    pub incomplete: u64,
    /// Messages of the device itself that the network took.
    pub sent: u64,
    /// Parts sent again after a temporary failure.
    pub retried: u64,
    /// Messages that the network refused for good.
    pub refused: u64,
    /// Messages that the network did not take within 24 hours.
    pub expired: u64,
    /// Frames and replies that could not become messages: no room, or too long.
    pub dropped: u64,
    /// Replies to commands that were cut to ten parts.
    pub cut: u64,
}
