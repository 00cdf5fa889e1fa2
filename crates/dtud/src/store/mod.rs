//! What the device keeps: the stored parameters, and the messages that are not done with. Each is one file, written
//! atomically, with the previous good copy beside it (`sheet`).
//!
//! ```text
//! DIR/parameters            dtud-parameters 1 crc32=1a2b3c4d length=812     body: AT set commands, one a line
//! DIR/parameters.previous   the set before it, same format
//! DIR/parameters.new        while a save runs
//! DIR/parameters.damaged-1  … -8: files that could not be read, kept for a look
//! DIR/messages…             dtud-messages 1 crc32=… length=…                body: the core's mailbox; as above
//! DIR/lock                  held by the running program, with its process number
//! ```

use std::io;
use std::path::{Path, PathBuf};

use crate::fs::Fs;
use dtu_proto::config::{Config, Problem};
use dtu_proto::from_store_text;

mod files;
mod lock;
mod saver;
mod sheet;
mod state;
#[cfg(test)]
mod tests;

pub(crate) use files::write_whole;
pub(crate) use saver::Saver;
use sheet::{Sheet, load, save};
pub(crate) use state::{Identity, State, identity, make_private};

/// The stored parameters, in a state folder that is open.
#[derive(Debug)]
pub(crate) struct ParameterStore {
    dir: PathBuf,
    files: Fs,
}

impl ParameterStore {
    /// Reads the stored parameters. The messages say what was not in order; a device that was never saved has the
    /// factory set and no message.
    ///
    /// # Errors
    /// The file may not be read; the text names it.
    pub(crate) fn open(state: &State) -> io::Result<(Self, Config, Vec<String>)> {
        let (dir, mut files) = (state.dir().to_owned(), state.fs.clone());
        let (text, mut messages) = load(&mut files, &dir, &PARAMETERS)?;
        let (config, problems) = from_store_text(&text);
        messages.extend(
            problems
                .iter()
                .map(|problem| passed_over(&PARAMETERS.current(&dir), problem)),
        );
        Ok((Self { dir, files }, config, messages))
    }

    /// Stores a set. When this returns `Ok` it survives a power cut; on an error the set before it is still stored.
    ///
    /// # Errors
    /// Of the file system, with the path.
    pub(crate) fn save(&mut self, text: &str) -> io::Result<()> {
        save(&mut self.files, &self.dir, &PARAMETERS, text)
    }
}

/// The messages that are not done with, in a state directory that is open.
#[derive(Debug)]
pub(crate) struct MessageStore {
    dir: PathBuf,
    files: Fs,
}

impl MessageStore {
    /// Reads the stored messages, as the core's text. The strings say what was not in order.
    ///
    /// # Errors
    /// The file may not be read; the text names it.
    pub(crate) fn open(state: &State) -> io::Result<(Self, String, Vec<String>)> {
        let (dir, mut files) = (state.dir().to_owned(), state.fs.clone());
        let (text, problems) = load(&mut files, &dir, &MESSAGES)?;
        Ok((Self { dir, files }, text, problems))
    }

    /// Stores a set. When this returns `Ok` it survives a power cut; on an error the set before it is still stored.
    ///
    /// # Errors
    /// Of the file system, with the path.
    pub(crate) fn save(&mut self, text: &str) -> io::Result<()> {
        save(&mut self.files, &self.dir, &MESSAGES, text)
    }

    /// What is said of a line that the core could not use.
    pub(crate) fn passed_over(dir: &Path, problem: &Problem) -> String {
        passed_over(&MESSAGES.current(dir), problem)
    }
}

fn passed_over(file: &Path, Problem { line, text }: &Problem) -> String {
    format!("{}:{}: passed over: {text}", file.display(), line + 1)
}

/// A full set has about 2 KiB.
const PARAMETERS: Sheet = Sheet {
    name: "parameters",
    magic: "dtud-parameters 1 ",
    most: 1 << 20,
    lost: [
        "NO STORED PARAMETERS COULD BE READ in",
        "the factory set is in force until parameters are stored again",
    ],
};
/// The core's mailbox is bounded, well below this.
const MESSAGES: Sheet = Sheet {
    name: "messages",
    magic: "dtud-messages 1 ",
    most: 16 << 20,
    lost: [
        "NO STORED MESSAGES COULD BE READ in",
        "messages that were not delivered or not sent are lost",
    ],
};
