//! Modes 1 to 3.

use alloc::string::String;
use alloc::vec::Vec;

use super::LinkState;
use crate::config::Protocol;
use crate::event::{HttpdTrouble, LinkDownReason};

/// The HTTPD client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpdStatus {
    /// What its connection is doing; `Off` = mode 3 does not run.
    pub state: LinkState,
    /// Why there was no answer, if the last request had none.
    pub trouble: Option<HttpdTrouble>,
    /// Its traffic.
    pub counters: HttpdCounters,
    /// Frames that wait, with the one whose answer is awaited.
    pub waiting_frames: usize,
    /// Bytes of these.
    pub waiting_bytes: usize,
}

impl Default for HttpdStatus {
    /// The mode was never used.
    fn default() -> Self {
        Self {
            state: LinkState::Off,
            trouble: None,
            counters: HttpdCounters::default(),
            waiting_frames: 0,
            waiting_bytes: 0,
        }
    }
}

/// Traffic of the HTTPD client. Always: `frames_in = answered + answered_other + failed + timed_out + dropped_frames +
/// waiting`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HttpdCounters {
    /// Frames of the DTE.
    pub frames_in: u64,
    /// Bytes of these.
    pub bytes_in: u64,
    /// Requests that the server may have got.
    pub requests: u64,
    /// Of these, with a whole answer of the kind 2xx.
    pub answered: u64,
    /// Of these, with another whole answer.
    pub answered_other: u64,
    /// Of these, without an answer, or without a whole one, but for those that timed out.
    pub failed: u64,
    /// Of these, without an answer in time.
    pub timed_out: u64,
    /// Requests that cannot have reached the server, and were sent again.
    pub retried: u64,
    /// Attempts to connect that failed.
    pub failed_attempts: u64,
    /// Bytes received.
    pub received_bytes: u64,
    /// Of these, bytes for the serial line.
    pub printed_bytes: u64,
    /// Of these, bytes that belong to no answer.
    pub stray_bytes: u64,
    /// Bytes of the server that were never read, and went with their connection.
    pub unread_bytes: u64,
    /// Frames that found no room.
    pub dropped_frames: u64,
    /// Bytes of these.
    pub dropped_bytes: u64,
    /// Frames that found no place on the spool.
    pub spool_refused: u64,
}

/// The serial command mode (1). Its packets are counted whole, from `55 AA` to their sum.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SerialCommandStatus {
    /// Whether it is the working mode and has begun.
    pub running: bool,
    /// Its traffic.
    pub counters: SerialCommandCounters,
    /// Packets that wait, with those on their way that are not acknowledged.
    pub waiting_packets: usize,
    /// Bytes of these.
    pub waiting_bytes: usize,
    /// Of these, packets whose destination has no place yet.
    pub lobby_packets: usize,
    /// Bytes of the DTE that may be the beginning of a packet.
    pub unfinished_bytes: usize,
    /// The destinations that have a place, at most [`DESTINATIONS`](crate::event::DESTINATIONS).
    pub destinations: Vec<DestinationStatus>,
}

/// Traffic of the serial command mode. Always: `bytes_in = bytes_out + dropped_bytes + waiting`, and what the mode got of
/// the DTE is `bytes_in` (without what earlier runs had) + `garbage_bytes` + unfinished.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SerialCommandCounters {
    /// Good packets of the DTE, and those of an earlier run.
    pub packets_in: u64,
    /// Bytes of these.
    pub bytes_in: u64,
    /// Packets delivered: acknowledged by the peer's TCP, or sent by UDP.
    pub packets_out: u64,
    /// Bytes of these.
    pub bytes_out: u64,
    /// Packets that left undelivered.
    pub dropped_packets: u64,
    /// Bytes of these.
    pub dropped_bytes: u64,
    /// Packets that were refused: a wrong sum, length, name …
    pub bad_packets: u64,
    /// Bytes of these, and of what was no packet at all.
    pub garbage_bytes: u64,
    /// Packets sent more than once.
    pub resent_packets: u64,
    /// Bytes received.
    pub received_bytes: u64,
    /// Reads or datagrams received.
    pub received_reads: u64,
    /// Bytes of the peer that were never read, and went with their connection.
    pub unread_bytes: u64,
    /// Datagrams that the kernel had no room for: the socket was not read.
    pub unread_datagrams: u64,
    /// Connections lost or attempts failed.
    pub reconnects: u64,
    /// Packets that found no place on the spool.
    pub spool_refused: u64,
}

/// A destination of the serial command mode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DestinationStatus {
    /// TCP or UDP.
    pub protocol: Protocol,
    /// Name or address.
    pub address: String,
    /// Its port.
    pub port: u16,
    /// What its connection is doing.
    pub state: LinkState,
    /// Why it last went down, if it did.
    pub last_down: Option<LinkDownReason>,
    /// Packets that wait for it.
    pub waiting_packets: usize,
}

/// The connection of the AT mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AtConnectionStatus {
    /// What it is doing: `Off`, `Connecting` or `Connected`.
    pub state: LinkState,
    /// Why it last ended, or could not be opened.
    pub last_down: Option<LinkDownReason>,
    /// Its traffic.
    pub counters: AtConnectionCounters,
}

impl Default for AtConnectionStatus {
    /// The mode was never used.
    fn default() -> Self {
        Self {
            state: LinkState::Off,
            last_down: None,
            counters: AtConnectionCounters::default(),
        }
    }
}

/// Traffic of the connection of the AT mode. Always: `bytes_in = bytes_out + dropped_bytes` + what is being sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AtConnectionCounters {
    /// Connections that came up.
    pub opened: u64,
    /// Attempts that failed.
    pub failed: u64,
    /// Connections that the peer or the network ended.
    pub lost: u64,
    /// Frames given to `CISEND`.
    pub frames_in: u64,
    /// Bytes of these.
    pub bytes_in: u64,
    /// Frames handed to the socket, `SEND OK`.
    pub frames_out: u64,
    /// Bytes of these.
    pub bytes_out: u64,
    /// Frames that were not sent: `SEND FAIL`, too long, or cut short by a DTE that fell silent.
    pub dropped_frames: u64,
    /// Bytes of these.
    pub dropped_bytes: u64,
    /// Bytes received.
    pub received_bytes: u64,
    /// Reads or datagrams received.
    pub received_reads: u64,
    /// Bytes of the peer that were never read, and went with their connection.
    pub unread_bytes: u64,
    /// Datagrams that the kernel had no room for: the socket was not read.
    pub unread_datagrams: u64,
}
