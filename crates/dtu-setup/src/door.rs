//! The way by which commands reach a device.

use std::error::Error;
use std::fmt;
use std::io;
use std::time::Duration;

use dtu_proto::shown_command;

use crate::charset::is_text;
use crate::chinese::words_of_device;
use crate::say::{Sentence, Spoken};
use crate::words;

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
    /// [`DoorError::Refused`]: it goes on as it was. Else it did not come back in time.
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

    /// Whether each command costs money: nothing is asked that is not needed.
    fn is_dear(&self) -> bool {
        false
    }

    /// From now on commands read settings one by one (or, `false`, no more): a record may have one row of it all.
    fn reads(&mut self, begins: bool) {
        let _ = begins;
    }

    /// Whether a line can go this way at all.
    ///
    /// # Errors
    /// Why not.
    fn fits(&self, line: &str) -> Result<(), Sentence> {
        let _ = line;
        Ok(())
    }
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The lines before the end, without empty ones and without the echo of the command. What is no text in the charset
    /// of the way has U+FFFD in it.
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

    /// Whether a line of it is no text in the charset it came in.
    #[must_use]
    pub fn has_no_text(&self) -> bool {
        self.lines.iter().any(|line| !is_text(line))
    }

    /// Whether the device took that command.
    ///
    /// # Errors
    /// It refused: what comes back behind it is no answer to it.
    pub fn taken(&self, command: &str) -> Result<(), DoorError> {
        match self.refusal() {
            None => Ok(()),
            Some(words) => Err(DoorError::Refused {
                line: shown_command(command),
                words: words.to_owned(),
            }),
        }
    }
}

/// Why a command did not reach the device, or its reply did not come back.
#[derive(Debug)]
pub enum DoorError {
    /// The port failed.
    Port(io::Error),
    /// Somebody wants this program to stop; in the words of the port.
    Stopped(io::Error),
    /// Nothing at all was heard on a line.
    Silent,
    /// So many commands in a row had no reply.
    FellSilent {
        /// Those.
        commands: usize,
    },
    /// Bytes came, and no sense in them.
    Noise {
        /// The rate of the port.
        baud: u32,
    },
    /// The device is in the working mode and does not leave it.
    NotInCommandState,
    /// Something comes, and it is no `OK` to an `AT`.
    NoOk {
        /// It is much, and all of it is text: the rate is right.
        is_text: bool,
    },
    /// Nobody has switched the device on, in that time.
    NothingCame {
        /// That.
        within: Duration,
    },
    /// The device says something behind its restart, and does not answer `+++`.
    NoEscape,
    /// The device was not found behind a restart: what is sent now may go to the data center.
    Lost,
    /// Nobody heard a command that came over the network.
    NotHeard,
    /// A command had no reply.
    NoReply {
        /// The command, without secrets.
        line: String,
        /// So long.
        within: Duration,
    },
    /// The device refused a command that the way itself needs.
    Refused {
        /// The command, without secrets.
        line: String,
        /// The device's words.
        words: String,
    },
    /// It did not come back.
    NoRestart {
        /// So long.
        within: Duration,
    },
    /// It did not say that it restarts, and nothing that came is the greeting of one that has.
    NotRestarted {
        /// The command.
        line: String,
    },
    /// What else ends the talk.
    Other(Sentence),
}

impl Spoken for DoorError {
    fn spoken(&self) -> Sentence {
        match self {
            Self::Port(why) => words::port_failed(why),
            Self::Stopped(why) => why.spoken(),
            Self::Silent => words::silent(),
            Self::FellSilent { commands } => words::fell_silent(*commands),
            Self::Noise { baud } => words::noise(*baud),
            Self::NotInCommandState => words::not_in_command_state(),
            Self::NoOk { .. } => words::no_ok(),
            Self::NothingCame { within } => words::nothing_came(within.as_secs()),
            Self::NoEscape => words::no_escape(),
            Self::Lost => words::lost(),
            Self::NotHeard => words::not_heard(),
            Self::NoReply { line, within } => words::no_reply(line, within.as_secs()),
            Self::Refused { line, words } => words::refused(line, words_of_device(words)),
            Self::NoRestart { within } => words::no_restart(within.as_secs()),
            Self::NotRestarted { line } => words::not_restarted(line),
            Self::Other(why) => why.clone(),
        }
    }
}

impl fmt::Display for DoorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.spoken().fmt(f)
    }
}

impl Error for DoorError {}

impl From<io::Error> for DoorError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::Interrupted {
            Self::Stopped(error)
        } else {
            Self::Port(error)
        }
    }
}
