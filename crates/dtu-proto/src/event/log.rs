//! What a log or a console wants to know. Nothing need be done.

use alloc::string::String;
use core::fmt;

use super::{CloseReason, LinkId, Lost, Origin, QueueId, SocketId};
use crate::radio::{CallEnd, PhoneNumber, SubmitFailure};
use crate::time::Duration;
use crate::wire::http::Fault;

/// For logs and consoles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The device powers on, for the reason given.
    PowerOn(RestartReason),
    /// The working mode begins.
    ModeStarted,
    /// The online command state begins (true) or ends.
    CommandState(bool),
    /// A connection came up.
    Connected(SocketId),
    /// A connection went down, or an attempt failed; for the second, `was_up` is false.
    Disconnected {
        /// Which.
        socket: SocketId,
        /// Why.
        reason: LinkDownReason,
        /// Whether it had been up.
        was_up: bool,
    },
    /// A whole frame left the cache undelivered.
    FrameDropped {
        /// Whose cache.
        queue: QueueId,
        /// Its length in bytes.
        bytes: usize,
    },
    /// Bytes of the network are dropped: the line was missing for too long, took nothing for too long, or the device
    /// starts over.
    LineDropped {
        /// So many.
        bytes: usize,
        /// Of this peer; `None` = the oldest of all.
        of: Option<SocketId>,
    },
    /// A frame kept during the set-up window found no room.
    WindowFrameDropped {
        /// Its length in bytes.
        bytes: usize,
    },
    /// A command of an origin other than the command state of the line has run.
    Command {
        /// Who.
        origin: Origin,
        /// What, without its secrets.
        line: String,
        /// Why it was refused, if it was.
        outcome: Result<(), String>,
    },
    /// A remote or inline command came with a wrong password.
    WrongPassword(Origin),
    /// Five wrong passwords within a minute: this origin is ignored for five minutes.
    OriginLocked(Origin),
    /// The serial line is open (true) or missing.
    SerialPresent(bool),
    /// The line could not take rate or format.
    LineRefused(String),
    /// Settings on trial.
    Trial(TrialEvent),
    /// A short message is lost, or a part of it.
    MessageLost(MessageLoss),
    /// A message for an application came: it is stored, or shown whole as `CNMI` wants, and never printed as a text.
    MessageToPort {
        /// Who sent it.
        from: String,
        /// The application, as WAP push (2948).
        port: u16,
    },
    /// The messages could not be stored; told once until they can.
    MessagesNotStored(String),
    /// The backup takes over from the link, or (false) hands back.
    BackupActive {
        /// The backup.
        backup: LinkId,
        /// Who is served.
        primary: LinkId,
        /// Takes over, or hands back.
        active: bool,
    },
    /// Something was lost where only the host sees it.
    Lost(Lost),
    /// A call.
    Call(CallEvent),
    /// The HTTPD client.
    Httpd(HttpdEvent),
}

/// Settings on trial (`AT+CIAPPLY=<s>`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrialEvent {
    /// They come into force.
    Begins {
        /// Who applied them.
        by: Origin,
        /// They go back behind this time.
        time: Duration,
    },
    /// `AT+CIKEEP`: they are stored.
    Kept,
    /// `AT+CIKEEP=0`: the old ones are back.
    Undone,
    /// Nobody kept them: the old ones are back.
    Expired,
    /// The device has started over from what is stored.
    Restarted,
}

impl fmt::Display for TrialEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Begins { by, time } => {
                let seconds = time.as_secs();
                write!(
                    f,
                    "new settings of {by}: they go back in {seconds} s unless they are kept"
                )
            }
            Self::Kept => f.write_str("the new settings are kept and stored"),
            Self::Undone => f.write_str("the old settings are back, as asked"),
            Self::Expired => f.write_str("the old settings are back: nobody kept the new ones"),
            Self::Restarted => f.write_str(
                "the old settings are back: the device started over before the new ones were kept",
            ),
        }
    }
}

/// News of the HTTPD client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HttpdEvent {
    /// A request has its whole answer.
    Answered {
        /// Its status.
        status: u16,
        /// Bytes of its body.
        body: u64,
    },
    /// The server names another place. It is not asked.
    Redirect {
        /// The status.
        status: u16,
        /// The place, in printable ASCII, perhaps cut.
        location: String,
    },
    /// A request was sent, and there is no answer to it, or no whole one. It is not sent again.
    Failed(HttpdTrouble),
    /// A request cannot have reached the server: it is sent again by a new connection.
    Repeated(LinkDownReason),
    /// A frame of the DTE is longer than a request may be, and becomes several. Told once.
    Cut {
        /// Bytes of a request at most.
        at: usize,
    },
    /// Bytes that belong to no answer were dropped, with their connection.
    Stray {
        /// How many.
        bytes: usize,
    },
}

impl fmt::Display for HttpdEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answered { status, body } => write!(f, "answer {status}, {body} bytes"),
            Self::Redirect { status, location } => {
                write!(f, "answer {status} names another place: {location}")
            }
            Self::Failed(trouble) => write!(f, "a request failed: {trouble}"),
            Self::Repeated(reason) => {
                write!(
                    f,
                    "a request did not reach the server, and is sent again: {reason}"
                )
            }
            Self::Cut { at } => {
                write!(
                    f,
                    "a frame of the DTE has more than {at} bytes: it becomes several requests"
                )
            }
            Self::Stray { bytes } => write!(f, "{bytes} bytes that belong to no answer"),
        }
    }
}

/// Why the HTTPD client has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HttpdTrouble {
    /// There is no connection. Frames wait for the next attempt.
    NoConnection(LinkDownReason),
    /// The server does not take the request; it is tried again.
    NotTaken,
    /// No byte of the server for so long.
    NoAnswer {
        /// `HTPTO`.
        after: Duration,
    },
    /// An answer began, and no byte more came for so long.
    Stalled {
        /// `HTPTO`.
        after: Duration,
    },
    /// An answer came, and was not whole in its time.
    Slow,
    /// The connection ended before the answer.
    Lost(LinkDownReason),
    /// The connection ended within the answer.
    Broken(LinkDownReason),
    /// What came is no answer, or not a whole one.
    Bad(Fault),
    /// The settings cannot be used (the host's; AT commands refuse such).
    Settings,
}

impl fmt::Display for HttpdTrouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoConnection(reason) => reason.fmt(f),
            Self::NotTaken => f.write_str("the server does not take the request"),
            Self::NoAnswer { after } => write!(f, "no answer in {} s", after.as_secs()),
            Self::Stalled { after } => {
                write!(
                    f,
                    "the answer broke off: nothing more in {} s",
                    after.as_secs()
                )
            }
            Self::Slow => f.write_str("the answer was not whole in its time (http.answer_max)"),
            Self::Lost(reason) => write!(f, "no answer: {reason}"),
            Self::Broken(reason) => write!(f, "the answer broke off: {reason}"),
            Self::Bad(fault) => fault.fmt(f),
            Self::Settings => f.write_str("the settings cannot be used"),
        }
    }
}

/// News of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallEvent {
    /// The device calls this number.
    Dialled(PhoneNumber),
    /// It does not: there is a call already.
    NotPlaced(PhoneNumber),
    /// Somebody calls.
    Incoming(Option<PhoneNumber>),
    /// The caller is hung up on (`CIRINGSTA`).
    Refused(Option<PhoneNumber>),
    /// The call stands.
    Answered(Option<PhoneNumber>),
    /// It is over.
    Ended(CallEnd),
}

/// How a short message was lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MessageLoss {
    /// A frame or reply that does not fit ten parts, or has no receiver.
    Impossible(String),
    /// A frame or reply that found no room among the messages to be sent.
    NoRoom(PhoneNumber),
    /// The network refused it for good.
    Refused(PhoneNumber, SubmitFailure),
    /// The network did not take it within 24 hours.
    Expired(PhoneNumber),
    /// The service centre says that it has it already; that may be another one, for an earlier run made this
    /// one, or may have given its number to another while the disk failed. It counts as sent.
    Doubtful(PhoneNumber),
    /// What came is no message. It stays with the modem.
    Unreadable(String),
    /// Parts of a long message never came; what did come was delivered. The text is the sender.
    Incomplete(String),
    /// A message of the storage that had been read went for a new one.
    Evicted,
}

impl fmt::Display for MessageLoss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Impossible(why) => write!(f, "a message cannot be sent: {why}"),
            Self::NoRoom(to) => write!(f, "a message to {to}: too many wait to be sent"),
            Self::Refused(to, why) => write!(f, "a message to {to}: {why}"),
            Self::Expired(to) => write!(
                f,
                "a message to {to}: not taken by the network within 24 hours"
            ),
            Self::Doubtful(to) => {
                write!(
                    f,
                    "a message to {to}: the service centre says that it has it, which may be another one"
                )
            }
            Self::Unreadable(why) => write!(
                f,
                "what came is no message, and stays with the modem: {why}"
            ),
            Self::Incomplete(from) => write!(f, "a message from {from}: parts of it never came"),
            Self::Evicted => f.write_str(
                "the storage is full: the oldest message that was read or told makes room",
            ),
        }
    }
}

/// Why a link went down, as the device sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LinkDownReason {
    /// The network's doing.
    Network(CloseReason),
    /// The heartbeat could not be sent or was not acknowledged before the next was due.
    HeartbeatFailed,
    /// The expected reply to registration or heartbeat did not come.
    ReplyMissing,
    /// The server took what it was asked, and did not answer in time.
    NoAnswer,
    /// Short link, idle.
    Idle,
    /// Settings changed, or the device restarts or stops.
    Ordered,
    /// The host did not answer in time.
    HostSilent,
}

impl fmt::Display for LinkDownReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(reason) => reason.fmt(f),
            Self::HeartbeatFailed => f.write_str("heartbeat failed"),
            Self::ReplyMissing => f.write_str("expected reply missing"),
            Self::NoAnswer => f.write_str("no answer in time"),
            Self::Idle => f.write_str("idle"),
            Self::Ordered => f.write_str("ordered"),
            Self::HostSilent => f.write_str("no answer from the host"),
        }
    }
}

/// Why the device powers on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RestartReason {
    /// The host program started.
    PowerOn,
    /// `AT+CIRESET` or `AT+CISHUTDOWN`.
    Command,
    /// `AT+CIRELOAD`.
    Factory,
    /// No data for RTIME seconds (manual 2.8.6.20).
    NoData,
    /// No link came up for too long.
    Recovery,
}
