//! The way by which commands reach a device.

use std::io;
use std::time::Duration;

/// A way to a device that is in a state where it takes commands.
pub trait Door {
    /// Sends one command line (without its end) and waits for the end of its reply.
    ///
    /// # Errors
    /// The way is gone, or nothing came back in time.
    fn command(&mut self, line: &str) -> Result<Reply, DoorError>;

    /// Restarts the device and waits until it takes commands again, at `baud` where the way has a rate.
    ///
    /// # Errors
    /// It did not come back in time.
    fn restart(&mut self, command: &str, baud: Option<u32>) -> Result<(), DoorError>;

    /// Lets the device go on with its work.
    ///
    /// # Errors
    /// The way is gone, or the device did not answer.
    fn leave(&mut self) -> Result<(), DoorError>;

    /// Labels of the commands that may shut this way: they go last, together with the one that saves.
    fn shut_by(&self) -> &[&str];

    /// Whether such a command shuts this way at once, so that all of them and the one that saves are one line.
    fn is_shut_at_once(&self) -> bool;
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The lines before the end, without empty ones and without the echo of the command.
    pub lines: Vec<String>,
    /// How it ended.
    pub end: End,
}

/// How a reply ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// `OK`
    Ok,
    /// `ERROR`, `+CME ERROR: …`: the device's words, or nothing but its refusal.
    Refused(String),
    /// Lines came and then nothing more: some replies of real boxes have no result code.
    Silence,
}

impl Reply {
    /// Whether the device refused; its words.
    #[must_use]
    pub fn refusal(&self) -> Option<&str> {
        match &self.end {
            End::Refused(words) => Some(words),
            End::Ok | End::Silence => None,
        }
    }
}

/// Why a command did not reach the device, or its reply did not come back.
#[derive(Debug, thiserror::Error)]
pub enum DoorError {
    /// The port failed.
    #[error("the port failed: {0}")]
    Port(#[from] io::Error),
    /// Nothing at all was heard.
    #[error(
        "nothing answers: is this the right port, and are RX and TX (and GND) connected? \
         A box that is switched off answers nothing, too"
    )]
    Silent,
    /// Bytes came, and no sense in them.
    #[error(
        "what answers makes no sense at {baud} Bd: the rate or the format is another one; \
         try --baud (115200 in a new device), or --baud auto"
    )]
    Noise {
        /// The rate of the port.
        baud: u32,
    },
    /// The device is in the working mode and does not leave it.
    #[error(
        "the device is not in its command state, and does not answer +++: switch it off and on now; \
         its set-up window of 5 s is waited for"
    )]
    NotInCommandState,
    /// Nobody heard a command that came over the network.
    #[error(
        "no answer to psw,AT: the password is another one, or CINETAT is 0, or this is no DTU in mode 0; \
         what it did not take for a command has gone to its serial line"
    )]
    NotHeard,
    /// A command had no reply.
    #[error("{line} was not answered within {} s", within.as_secs())]
    NoReply {
        /// The command, without secrets.
        line: String,
        /// So long.
        within: Duration,
    },
    /// It did not come back.
    #[error("the device did not come back within {} s of its restart", within.as_secs())]
    NoRestart {
        /// So long.
        within: Duration,
    },
}
