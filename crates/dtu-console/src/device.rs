//! What the console asks of a device.

use std::fmt;
use std::time::Duration;

use dtu_setup::Sentence;
use dtu_setup::door::{Door, DoorError};
use dtu_setup::say::Spoken;
use serde::Serialize;
use serde_json::Value;

use crate::words;

/// A device that the console shows. All calls may block, for so long at most as each says; the console makes them on
/// threads of its own.
pub trait Device: Send + Sync + 'static {
    /// What this device can, which decides the pages.
    fn features(&self) -> Features;

    /// The way for AT commands. One at a time: the console holds it for one read or one apply.
    ///
    /// # Errors
    /// The device does not answer.
    fn door(&self) -> Result<Box<dyn Door + Send + '_>, DoorError>;

    /// So long a request waits for one use of the door: more than a command and a restart may take, so that their own
    /// faults are told. What takes longer goes on. Pages are told it, and wait as long.
    fn patience(&self) -> Duration {
        PATIENCE
    }

    /// How it is now: the object `Status` of the API. Waits for `within` at most.
    ///
    /// # Errors
    /// The device does not answer in time.
    fn status(&self, within: Duration) -> Result<Value, Unavailable>;

    /// Asks how it is, and returns the way to wait for its answer, as [`Device::status`]. Of two who ask one behind the
    /// other the second is told no older state.
    fn ask_status(&self, within: Duration) -> Box<dyn FnOnce() -> Result<Value, Unavailable> + '_> {
        Box::new(move || self.status(within))
    }

    /// Its sets of settings; `None`: nobody but the device knows them.
    ///
    /// # Errors
    /// The device does not answer in time.
    fn sets(&self) -> Result<Option<Sets>, Unavailable> {
        Ok(None)
    }

    /// An order from the page that is not AT: bytes put in, and what the simulated radio does.
    ///
    /// # Errors
    /// The device has no such thing, or does not answer in time.
    fn order(&self, order: Order) -> Result<(), Unavailable>;

    /// Messages and calls: the object of `api/messages`.
    ///
    /// # Errors
    /// The device does not answer in time.
    fn messages(&self) -> Result<Value, Unavailable>;
}

/// Sets of settings, as set commands, one a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sets {
    /// In force.
    pub running: String,
    /// What a restart brings back.
    pub stored: String,
    /// What a trial that is not kept brings back: the one that was applied or stored last.
    pub applied: String,
}

/// A message of ten parts takes the network 200 s.
const PATIENCE: Duration = Duration::from_secs(210);

/// What a device can.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Features {
    /// There is a feed of traffic, log and state.
    pub live: bool,
    /// Bytes can be put in.
    pub inject: bool,
    /// What the radio is.
    pub radio: Radio,
    /// It has `AT+CIAPPLY=<s>`.
    pub confirm: bool,
    /// For the head of the page.
    pub name: String,
    /// How it is reached.
    pub via: Via,
}

/// What kind of radio a device has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Radio {
    /// A simulated one, with phones of its own.
    Sim,
    /// A modem.
    Real,
    /// The host's own network.
    None,
}

/// How a device is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Via {
    /// In this process.
    Local,
    /// A serial port.
    Port,
    /// `psw,AT` over one of its links.
    Network,
}

/// Not AT, and not read-only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// As if the DTE had sent these bytes.
    FromDte(Vec<u8>),
    /// As if the peer of this link (1..=4) had sent these bytes.
    FromPeer(u8, Vec<u8>),
    /// A phone sends the device a message: number, text.
    Message(String, String),
    /// A phone calls the device.
    Call(String),
    /// The phone ends the call.
    HangUp,
}

/// Why the device did not do it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unavailable {
    /// It did not answer.
    Silent(Duration),
    /// It has no such thing.
    Missing(Sentence),
    /// It refused.
    Refused(Sentence),
}

impl Spoken for Unavailable {
    fn spoken(&self) -> Sentence {
        match self {
            Self::Silent(within) => words::silent(within.as_secs()),
            Self::Missing(what) => words::missing(what),
            Self::Refused(why) => why.clone(),
        }
    }
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.spoken().fmt(f)
    }
}

impl std::error::Error for Unavailable {}
