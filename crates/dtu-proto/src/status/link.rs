//! The links.

use crate::event::LinkDownReason;

/// One link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkStatus {
    /// What it is doing.
    pub state: LinkState,
    /// Why it last went down, if it did.
    pub last_down: Option<LinkDownReason>,
    /// Its traffic.
    pub counters: LinkCounters,
    /// Frames that wait, with those on their way that are not acknowledged.
    pub waiting_frames: usize,
    /// Bytes of these.
    pub waiting_bytes: usize,
}

impl LinkStatus {
    /// The link was never used.
    pub(crate) const UNUSED: Self = Self {
        state: LinkState::Off,
        last_down: None,
        counters: LinkCounters::ZERO,
        waiting_frames: 0,
        waiting_bytes: 0,
    };
}

/// What a link is doing, in the words of `AT+CINET?`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LinkState {
    /// Not enabled.
    Off,
    /// An attempt is under way.
    Connecting,
    /// Up.
    Connected,
    /// Between attempts, or with nothing to do.
    Waiting(WaitingFor),
}

/// What a link waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WaitingFor {
    /// The next attempt.
    Retry,
    /// The network: not attached.
    Network,
    /// Data: a short link.
    Data,
    /// Its primary to go down: a backup.
    Primary,
    /// The transparent mode to begin, or to come back.
    Mode,
}

/// What a link does next by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LinkTimer {
    /// The next attempt.
    Retry,
    /// The attempt is given up.
    Attempt,
    /// A heartbeat is sent.
    Heartbeat,
    /// A peer that acknowledges nothing is given up.
    Dead,
    /// A short link without data is closed.
    Idle,
    /// A reply that is expected is missed.
    Reply,
}

impl LinkTimer {
    /// Its word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Attempt => "attempt",
            Self::Heartbeat => "heartbeat",
            Self::Dead => "dead",
            Self::Idle => "idle",
            Self::Reply => "reply",
        }
    }
}

/// Traffic of one link. Always: `bytes_in + moved_in = bytes_out + dropped_bytes + moved_out + waiting`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkCounters {
    /// Data frames given to the link.
    pub frames_in: u64,
    /// Bytes of these.
    pub bytes_in: u64,
    /// Data frames delivered: acknowledged by the peer's TCP, or sent by UDP.
    pub frames_out: u64,
    /// Bytes of these, without registration prefixes.
    pub bytes_out: u64,
    /// Frames that left undelivered.
    pub dropped_frames: u64,
    /// Bytes of these.
    pub dropped_bytes: u64,
    /// Frames sent more than once.
    pub resent_frames: u64,
    /// Bytes of these.
    pub resent_bytes: u64,
    /// Frames taken over from another link (backup).
    pub moved_in_frames: u64,
    /// Bytes of these.
    pub moved_in_bytes: u64,
    /// Frames handed to another link (backup).
    pub moved_out_frames: u64,
    /// Bytes of these.
    pub moved_out_bytes: u64,
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
    /// Heartbeats sent.
    pub heartbeats: u64,
    /// Replies to commands that found no room.
    pub dropped_replies: u64,
    /// Frames that found no place on the spool.
    pub spool_refused: u64,
}

impl LinkCounters {
    /// Nothing was counted yet.
    pub(crate) const ZERO: Self = Self {
        frames_in: 0,
        bytes_in: 0,
        frames_out: 0,
        bytes_out: 0,
        dropped_frames: 0,
        dropped_bytes: 0,
        resent_frames: 0,
        resent_bytes: 0,
        moved_in_frames: 0,
        moved_in_bytes: 0,
        moved_out_frames: 0,
        moved_out_bytes: 0,
        received_bytes: 0,
        received_reads: 0,
        unread_bytes: 0,
        unread_datagrams: 0,
        reconnects: 0,
        heartbeats: 0,
        dropped_replies: 0,
        spool_refused: 0,
    };
}
