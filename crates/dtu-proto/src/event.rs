//! What goes into the device and what comes out: the whole contract with the host.

use alloc::string::String;
use alloc::vec::Vec;
use bytes::Bytes;
use core::fmt;
use core::net::SocketAddr;

use crate::config::{LineFormat, Protocol, WorkingMode};
pub use crate::ids::{
    DESTINATIONS, DestinationId, LINKS, LinkId, Origin, QUEUES, QueueId, SOCKETS, SocketId,
};
pub use crate::radio::{ModemInput, ModemOutput};
use crate::time::Instant;

mod log;

pub use log::{
    CallEvent, Event, HttpdEvent, HttpdTrouble, LinkDownReason, MessageLoss, RestartReason,
    TrialEvent,
};

/// Everything that can happen to the device. The only way in, so that a log of `(time, Input)`
/// replays a run exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input<'a> {
    /// News of the serial line.
    Serial(SerialInput<'a>),
    /// News of one socket.
    Socket(SocketId, SocketInput<'a>),
    /// News of the modem (or of the host's own network).
    Modem(&'a ModemInput),
    /// News of the parameter store.
    Store(StoreInput<'a>),
    /// An AT line from the host's own console (`--at`, web console); the reply is `Output::Console`.
    Console(&'a str),
    /// Something was lost where only the host sees it.
    Lost(Lost),
    /// The host asks for an orderly end: every link is closed, then `Power(Stop)` comes out.
    Shutdown,
}

/// What only the host knows to be lost. It is counted and said; nothing else follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// Bytes of a peer that were never read, and went with their connection.
    Unread(SocketId, u64),
    /// Datagrams of a peer: the socket was not read, and the kernel had no more room.
    Datagrams(SocketId, u64),
    /// Bytes for the DTE that the line held when it broke.
    InLine(u64),
    /// Characters of the DTE that the driver of the line had no room for.
    Overrun(u64),
}

impl Lost {
    /// Counts it, where it is of a socket: bytes that were not read, or datagrams.
    pub(crate) const fn count(self, unread: &mut u64, datagrams: &mut u64) {
        match self {
            Self::Unread(_, count) => *unread += count,
            Self::Datagrams(_, count) => *datagrams += count,
            Self::InLine(_) | Self::Overrun(_) => {}
        }
    }
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unread(of, count) => {
                write!(
                    f,
                    "{of}: {count} bytes of the peer were never read and went with the connection"
                )
            }
            Self::Datagrams(of, count) => {
                write!(
                    f,
                    "{of}: {count} datagrams of the peer found no room, the device did not read"
                )
            }
            Self::InLine(count) => write!(f, "{count} bytes for the DTE were lost with the line"),
            Self::Overrun(count) => {
                write!(
                    f,
                    "{count} characters of the DTE are lost, the line was not read"
                )
            }
        }
    }
}

/// News of the serial line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SerialInput<'a> {
    /// Bytes from the DTE, as one read of the host returned them.
    Data(&'a [u8]),
    /// The one outstanding `SerialOutput::Write` is out.
    Written,
    /// The one outstanding `SerialOutput::Configure` is in force; `Some` names why the line could not take it.
    Configured(Option<&'a str>),
    /// The line is open. The host keeps its own copy of the last `Configure` and applies it.
    Present,
    /// The line is missing (adapter pulled), or nobody has its pty open; the host keeps trying to open it, and keeps an
    /// outstanding write.
    Gone,
    /// The answer to `SerialOutput::Discard`: so many bytes of the outstanding write never got out. Where all of it was
    /// out before, `Written` comes first.
    Discarded(usize),
}

/// News of one socket. After `SocketOutput::Close` the only input of that connection is `Closed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocketInput<'a> {
    /// The `Connect` succeeded (TCP), or the name is resolved and the socket stands (UDP). Of a UDP connection that is
    /// up: its name has another address by now, and a new socket leads there.
    Connected {
        /// The address that the connection uses on this side.
        local: SocketAddr,
    },
    /// One read (TCP) or one datagram (UDP).
    Data(&'a [u8]),
    /// The one outstanding `Send` is in the socket's hands, whole.
    Sent,
    /// TCP only: so many bytes of this connection, from its first, are acknowledged by the peer's TCP.
    Acked(u64),
    /// The connection (or the attempt) is over. Also the answer to `SocketOutput::Close`.
    Closed {
        /// Why.
        reason: CloseReason,
        /// As in `Acked`, the last word; 0 where nothing was ever acknowledged or known.
        acked: u64,
    },
}

/// Why a connection ended or an attempt failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CloseReason {
    /// The device ordered it.
    Local,
    /// The peer closed in good order.
    PeerClosed,
    /// The peer reset the connection.
    Reset,
    /// The peer refused the attempt.
    Refused,
    /// No answer in time (connecting), or unacknowledged data too long (`TCP_USER_TIMEOUT`, keep-alive).
    TimedOut,
    /// The name does not resolve.
    NameNotFound,
    /// No route to the peer, or the interface is down.
    Unreachable,
    /// The local port is taken.
    LocalPortTaken,
    /// The server's certificate was not accepted (TLS).
    Certificate,
    /// TLS failed in another way: the peer does not speak it, or not as it should.
    Tls,
    /// Another error of the operating system.
    Os(i32),
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Local => "closed here",
            Self::PeerClosed => "closed by the peer",
            Self::Reset => "reset by the peer",
            Self::Refused => "refused",
            Self::TimedOut => "timed out",
            Self::NameNotFound => "name not found",
            Self::Unreachable => "unreachable",
            Self::LocalPortTaken => "local port taken",
            Self::Certificate => "certificate not accepted",
            Self::Tls => "TLS failed",
            // Its number says nothing to a person; where the host has words for it, the log has them too.
            Self::Os(_) => "an error of the system",
        };
        f.write_str(text)
    }
}

/// News of the parameter store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreInput<'a> {
    /// The last `StoreOutput::Save` is on disk.
    Saved,
    /// The last `StoreOutput::Save` failed; the text says why.
    Failed(&'a str),
    /// The messages of this number (and so every earlier set) are on disk.
    MessagesSaved(u64),
    /// The messages could not be stored; the text says why. The next set is tried all the same.
    MessagesFailed(&'a str),
    /// So many frames of the queue found no place on the spool; they wait in memory only.
    SpoolRefused(QueueId, u64),
}

/// What the device wants done, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// To the serial line.
    Serial(SerialOutput),
    /// To one socket.
    Socket(SocketId, SocketOutput),
    /// To the modem.
    Modem(ModemOutput),
    /// To the disk.
    Store(StoreOutput),
    /// The reply to one `Input::Console`.
    Console(String),
    /// The three LEDs changed.
    Leds(Leds),
    /// To the power switch.
    Power(Power),
    /// Something a log wants to know. Nothing need be done.
    Event(Event),
}

/// To the serial line. At most one of these is outstanding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SerialOutput {
    /// Write all of it, then answer `Written`.
    Write(Bytes),
    /// Set rate and format once everything written has left the line, then answer `Configured`.
    Configure(LineFormat),
    /// Drop what is left of the outstanding write, and what the line holds for a DTE that is not there; then answer
    /// `Discarded`.
    Discard,
}

/// To one socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SocketOutput {
    /// Resolve the name afresh, try all addresses; answer `Connected` or `Closed`.
    Connect(Connect),
    /// Hand all of it to the socket, then answer `Sent`. At most one is outstanding.
    Send(Payload),
    /// Close (or give the attempt up) now and answer `Closed`, with what was acknowledged; a `Sent` that is due comes
    /// first, for bytes without it count as never sent. It can cross a `Closed`
    /// that the host has just reported; then there is nothing to close, and nothing to answer.
    Close,
}

/// Where to connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connect {
    /// TCP or UDP.
    pub protocol: Protocol,
    /// Name or address.
    pub address: String,
    /// Port of the peer.
    pub port: u16,
    /// Own port; 0 = any.
    pub local_port: u16,
    /// TCP only: TLS inside, with a certificate for `address`. `Connected` comes behind the handshake; every count of
    /// bytes is of the plain text, and a byte is acknowledged when the whole record around it is.
    pub tls: bool,
}

/// What one `Send` carries: one write for TCP, one datagram for UDP.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Payload {
    /// The registration packet where it precedes data, else empty.
    pub prefix: Bytes,
    /// The frame, heartbeat, registration packet or reply.
    pub body: Bytes,
}

impl Payload {
    /// Length on the wire.
    #[must_use]
    pub fn len(&self) -> usize {
        self.prefix.len() + self.body.len()
    }

    /// Whether there is nothing to send.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.prefix.is_empty() && self.body.is_empty()
    }
}

/// To the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreOutput {
    /// Store this text of all parameters, atomically; answer `Saved` or `Failed`.
    Save(String),
    /// Store this text of all messages that are not done with, atomically, in place of the last one; answer
    /// `MessagesSaved` or `MessagesFailed`. Numbers grow; a newer set may take the place of one that still waits.
    Messages {
        /// Names it in the answer.
        number: u64,
        /// The text; empty = there are none.
        text: String,
    },
    /// Queues with `spool = "disk"`: append this frame. Numbers of one queue only grow.
    SpoolAppend(QueueId, u64, Bytes),
    /// Queues with `spool = "disk"`: every frame of the queue numbered below this is done with.
    SpoolRelease(QueueId, u64),
    /// Queues with `spool = "disk"` whose frames leave in any order: these frames wait, and are there already; append them
    /// again under these numbers, which grow, and are never none. When all of them are safe there, and not before, every
    /// frame of the queue numbered below the first of them is done with: else the program ends between the two, and what
    /// waits is gone.
    SpoolMove(QueueId, Vec<(u64, Bytes)>),
    /// Queues with `spool = "disk"` whose frames go once at most: this frame is given to its connection next (`None`: it
    /// cannot have arrived, and waits again). The host has it on the disk before it carries out the `Send` that follows,
    /// and does not restore a frame that was noted so when it ended.
    SpoolSending(QueueId, Option<u64>),
}

/// The LEDs of manual 2.5.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Leds {
    /// POW: running.
    pub pow: bool,
    /// NET: registered and attached.
    pub net: bool,
    /// DATA: at least one link up; blinks on data.
    pub data: bool,
}

/// To the power switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Power {
    /// The device has just started over (`CIRESET`, RTIME, recovery …); links are closed by `Close` before
    /// this. The host does what it does at power-on (`--at` lines), nothing else.
    Restarted,
    /// End the program: everything that can be put in order is.
    Stop,
}

/// When the device wants to be called, and what for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// The time.
    pub at: Instant,
    /// The reason.
    pub timer: Timer,
}

/// What a deadline is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    /// The escape handshake.
    Escape,
    /// Silence closes a frame.
    Frame,
    /// The set-up window ends.
    SetupWindow,
    /// A heartbeat to the serial line.
    SerialHeartbeat,
    /// RTIME.
    NoData,
    /// Recovery after a long time without a link.
    Recovery,
    /// The DATA LED.
    DataLed,
    /// A parked command gives up.
    Parked,
    /// A prompt waits no longer for its text.
    Prompt,
    /// Messages: the modem must have answered, one is tried again, or one waits no longer for its parts.
    Message,
    /// A call: the next `RING`, or what waits behind the answer to a command.
    Call,
    /// New settings do not wait longer for the reply to leave.
    Apply,
    /// Nobody has kept the settings on trial.
    Trial,
    /// A restart or stop does not wait longer for the reply to leave.
    Restart,
    /// Bytes that wait for the line have waited long enough, or a peer that may command is read on.
    Line,
    /// Servers that took nothing do not pace the serial line any longer.
    Pace,
    /// What a working mode waits for: a state of its connections, a packet of which the rest does not come.
    Mode(WorkingMode),
}
