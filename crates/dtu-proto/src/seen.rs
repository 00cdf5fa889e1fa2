//! What the device made of bytes: for a console that shows the traffic. Nothing follows from it.

use alloc::vec::Vec;
use bytes::Bytes;
use core::fmt;

/// What became of bytes of the DTE. Secrets of commands are masked already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// A frame: data of the working mode.
    Frame {
        /// The frame.
        bytes: Bytes,
        /// Why it ends where it does.
        cut: Cut,
    },
    /// A command line, or a frame with a command in it.
    Command(ShownCommand),
    /// What the DTE typed at a prompt: the text of a message, or a frame for the connection of mode 2.
    Text(Vec<u8>),
}

/// A command as it may be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownCommand {
    /// As it came; with a secret in it, as a log shows it.
    pub text: Vec<u8>,
    /// The length that it had.
    pub len: usize,
    /// It had a secret, which its answer may repeat.
    pub secret: bool,
}

/// Why a frame of the DTE ends where it does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Cut {
    /// Silence of the packing time.
    #[default]
    Silence,
    /// It has its full length.
    Size,
    /// There is no packing: each read is a frame.
    Read,
    /// The working mode ended.
    Mode,
    /// It came in the set-up window, and was kept.
    Window,
}

impl Cut {
    /// In a few words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Silence => "cut by TIME: silence",
            Self::Size => "cut by its full length",
            Self::Read => "TIME 0: one read",
            Self::Mode => "cut by the end of the mode",
            Self::Window => "kept in the set-up window",
        }
    }
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

/// What a link sends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Sent {
    /// A frame of the DTE; again where an earlier connection had it.
    Frame {
        /// Whether it was sent before.
        again: bool,
    },
    /// The registration packet, alone.
    Registration,
    /// The heartbeat.
    Heartbeat,
    /// The answer to a command of the peer.
    #[default]
    Reply,
}

/// What is being written to the DTE.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Written {
    /// Bytes of the network, and what is said amid them.
    Data,
    /// The device's own: echo, replies, URCs, its banner.
    Text,
    /// A short message.
    Message,
}
