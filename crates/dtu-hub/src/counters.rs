//! What was lost where no log line tells of each.

/// Sums since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Messages of devices that came.
    pub messages: u64,
    /// Bytes in a room that a member did not take, or that went beyond its rate.
    pub room_bytes_dropped: u64,
    /// Bytes of a group that a member did not take, or that it was not there for.
    pub group_bytes_dropped: u64,
    /// Messages of QoS 0 and events that a program did not read in time, or before it went.
    pub program_messages_dropped: u64,
    /// Datagrams of nobody, or of a device that speaks by another door.
    pub datagrams_dropped: u64,
    /// News of a connection that is another one by now.
    pub late_news: u64,
    /// Connections to the cloud door that began with something else.
    pub no_registration: u64,
    /// Probes: connections that went without a byte.
    pub probes: u64,
}
