//! A plain snapshot of the device for consoles, `AT+CISTAT` and `AT+CINET?`.

use core::fmt;
use core::net::IpAddr;

use crate::config::WorkingMode;
use crate::event::{LINKS, Leds, Origin, QUEUES};
use crate::time::{Duration, Instant};

mod cellular;
mod link;
mod modes;

pub use cellular::{
    CallCounters, CallState, CallStatus, CurrentCall, MessageCounters, MessageStatus, RadioStatus,
};
pub use link::{LinkCounters, LinkState, LinkStatus, LinkTimer, WaitingFor};
pub use modes::{
    AtConnectionCounters, AtConnectionStatus, DestinationStatus, HttpdCounters, HttpdStatus,
    SerialCommandCounters, SerialCommandStatus,
};

/// The snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Taken at.
    pub now: Instant,
    /// Since the device's last power-on or restart.
    pub uptime: Duration,
    /// Restarts since the host started.
    pub restarts: u32,
    /// What the line is doing.
    pub phase: Phase,
    /// The working mode in force.
    pub mode: WorkingMode,
    /// Whether it has begun since power-on.
    pub mode_started: bool,
    /// Settings on trial (`AT+CIAPPLY=<s>`).
    pub trial: Option<TrialStatus>,
    /// Address in the network; `None` = not attached.
    pub attached: Option<IpAddr>,
    /// The modem and the network around it.
    pub radio: RadioStatus,
    /// Short messages.
    pub messages: MessageStatus,
    /// The call.
    pub call: CallStatus,
    /// The LEDs.
    pub leds: Leds,
    /// The serial line.
    pub serial: SerialStatus,
    /// The links.
    pub links: [LinkStatus; LINKS],
    /// The HTTPD client.
    pub httpd: HttpdStatus,
    /// The serial command mode (1).
    pub serial_command: SerialCommandStatus,
    /// The connection of the AT mode.
    pub at_connection: AtConnectionStatus,
}

/// Settings that go back by themselves unless they are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrialStatus {
    /// Which trial since the host started.
    pub id: u32,
    /// Who applied them.
    pub by: Origin,
    /// Until they go back; `None` = they are not in force yet.
    pub left: Option<Duration>,
}

impl TrialStatus {
    /// Whole seconds until they go back.
    #[must_use]
    pub fn seconds_left(&self) -> u64 {
        let left = self.left.unwrap_or_default();
        left.as_secs() + u64::from(left.subsec_nanos() > 0)
    }
}

impl fmt::Display for TrialStatus {
    /// Who waits for what, and how long: the words of an error.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "settings of {} are on trial, ", self.by)?;
        match self.left {
            Some(_) => write!(f, "{} s left", self.seconds_left())?,
            None => f.write_str("not in force yet")?,
        }
        f.write_str("; AT+CIKEEP stores them, AT+CIKEEP=0 goes back")
    }
}

/// What serial bytes are at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The set-up window: AT lines are commands, the rest is kept.
    SetupWindow,
    /// The command state: AT lines.
    Command,
    /// The working mode: data.
    Data,
    /// A restart or stop waits for the last reply to leave.
    Ending,
}

/// The serial line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SerialStatus {
    /// Whether it is open.
    pub present: bool,
    /// Its traffic.
    pub counters: SerialCounters,
    /// Bytes that wait to be written.
    pub waiting: usize,
}

/// Traffic of the serial line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SerialCounters {
    /// Bytes from the DTE.
    pub bytes_in: u64,
    /// Of these, bytes that were commands or part of an escape that succeeded.
    pub command_bytes: u64,
    /// Data frames that were cut.
    pub frames_in: u64,
    /// Bytes of these.
    pub frame_bytes: u64,
    /// Bytes written to the DTE.
    pub bytes_out: u64,
    /// Bytes that were dropped: no room in the set-up window, or no link enabled.
    pub dropped_bytes: u64,
    /// Frames that these were.
    pub dropped_frames: u64,
    /// Bytes of the network for the DTE that were dropped: the line was missing, or took nothing, for too long.
    pub undelivered_bytes: u64,
    /// Heartbeats written to the DTE.
    pub heartbeats: u64,
    /// Of the bytes written, such as the line held when it broke.
    pub lost_bytes: u64,
    /// Characters of the DTE that the driver had no room for.
    pub overrun_bytes: u64,
    /// Replies to `psw,AT+` frames and to packets of the serial command mode that found no room.
    pub dropped_replies: u64,
    /// URCs such as `RING` that were not printed: the line carried data, too many waited, or nobody took them.
    pub dropped_urcs: u64,
}

/// What left a queue undelivered, or found no place on its spool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Loss {
    /// Frames (packets) dropped.
    pub frames: u64,
    /// Bytes of these.
    pub bytes: u64,
    /// Frames that were in memory only, though the queue has a spool.
    pub spool_refused: u64,
}

/// The counters that outlive the host: it keeps what [`Dtu::losses`](crate::Dtu::losses) says, and gives it back to
/// [`Dtu::restore_losses`](crate::Dtu::restore_losses).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Losses {
    /// Of each queue, at its index.
    pub queues: [Loss; QUEUES],
    /// Of the serial line.
    pub line: Loss,
    /// All other counters of what was lost or refused, in an order that stays: a new one is the last.
    pub others: [u64; Self::OTHERS],
}

impl Losses {
    /// Four of the serial line, three of each link, four of each of the modes 1, 2 and 3, eight of messages, one of calls,
    /// and the URCs.
    pub const OTHERS: usize = Self::URCS + 1;

    /// Shows counters, the first of which has this place.
    pub(crate) fn show<const N: usize>(
        first: usize,
        counters: [&mut u64; N],
        look: &mut dyn FnMut(usize, &mut u64),
    ) {
        for (index, counter) in counters.into_iter().enumerate() {
            look(first + index, counter);
        }
    }

    /// Where those of a part begin.
    pub(crate) const LINE: usize = 0;
    pub(crate) const LINK: usize = Self::LINE + 4;
    /// Of one link.
    pub(crate) const OF_LINK: usize = 3;
    pub(crate) const HTTPD: usize = Self::LINK + Self::OF_LINK * LINKS;
    pub(crate) const PACKETS: usize = Self::HTTPD + 4;
    pub(crate) const AT: usize = Self::PACKETS + 4;
    pub(crate) const MESSAGES: usize = Self::AT + 4;
    pub(crate) const CALLS: usize = Self::MESSAGES + 8;
    pub(crate) const URCS: usize = Self::CALLS + 1;
}

impl Default for Losses {
    fn default() -> Self {
        Self {
            queues: Default::default(),
            line: Loss::default(),
            others: [0; Self::OTHERS],
        }
    }
}
