//! A plain snapshot of the device for consoles, `AT+CISTAT` and `AT+CINET?`.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

use crate::config::{Protocol, WorkingMode};
use crate::event::{HttpdTrouble, LINKS, Leds, LinkDownReason, QUEUES};
use crate::radio::{Cell, ModemIdentity, Operator, PhoneNumber, Registration, Signal, SimState};
use crate::time::{Duration, Instant};

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
    /// Replies to `psw,AT+` frames and to packets of the serial command mode, and unasked texts such as `RING`, that found
    /// no room.
    pub dropped_replies: u64,
}

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
    /// Four of the serial line, three of each link, four of each of the modes 1, 2 and 3, eight of messages, one of calls.
    pub const OTHERS: usize = 4 + 3 * LINKS + 3 * 4 + 8 + 1;
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
