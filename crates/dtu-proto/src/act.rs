//! What a part of the device asks of the others.

use alloc::string::String;
use bytes::Bytes;

use crate::config::WorkingMode;
use crate::ids::{LinkId, SocketId};
use sms_codec::user_data::Body;

/// Put into [`crate::cx::Cx::acts`] by a part that names no other part, and carried out by the device, in order, as soon
/// as the part has returned.
#[derive(Debug)]
pub(crate) enum Act {
    /// Bytes of the network for the DTE, in their place among all that it gets.
    Print { socket: SocketId, data: Bytes },
    /// What a link has received: a command where it may command, else for the DTE.
    FromLink { link: LinkId, data: Bytes },
    /// The network has sent data: RTIME counts from now, and the DATA LED shows it.
    Received,
    /// Data passes: the DATA LED shows it.
    Passes,
    /// A link that nobody but the network can keep down has come up.
    LinkUp,
    /// Nobody takes a frame of the DTE, which has so many bytes.
    Untaken { bytes: usize },
    /// The mode has more to do behind all that it has asked for.
    GoOn(WorkingMode),
    /// Mode 1: the full reply to a packet, or an error.
    PacketReply(PacketReply),
    /// Mode 2: what became of the connection, or of what a command waits for.
    Connection(Progress),
    /// Mode 4: a message to the number that is set.
    Message(Body),
}

/// What the DTE is told in mode 1. It need not read.
#[derive(Debug)]
pub(crate) enum PacketReply {
    /// Whether a packet was delivered.
    Reply { delivered: bool },
    /// What was wrong.
    Error(String),
    /// The mode does not run: nobody wants to know.
    Nothing,
}

/// Mode 2: what became of the connection, or of what a command waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    Opened,
    NotOpened,
    /// Whether the socket has the frame of `CISEND`.
    Sent(bool),
    /// For a `CICLOSE` that waits.
    Closed,
    /// It ended, and the DTE had not ordered that.
    Ended,
}
