//! The device's password: of a file, of the environment, or typed unseen; never an argument, which every user can read.

use std::fs;
use std::io::{self, IsTerminal as _, Read as _};
use std::path::Path;

use anyhow::bail;
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios};

use crate::say::{self, Usage};
use dtu_setup::Sentence;

/// Of the first of these that is there.
pub(crate) fn password(file: Option<&Path>) -> anyhow::Result<String> {
    let password = match (file, std::env::var(VARIABLE)) {
        (Some(file), _) => of_file(file)?,
        (None, Ok(password)) => password,
        (None, Err(_)) if io::stdin().is_terminal() => typed(say::type_password())?,
        (None, Err(_)) => {
            bail!(Usage(say::password_wanted(VARIABLE)))
        }
    };
    let password = password.trim_end_matches(['\r', '\n']).to_owned();
    let count = password.chars().count();
    let is_one = |char: char| char.is_ascii_graphic() && char != ',';
    if !(1..=LONGEST).contains(&count) || !password.chars().all(is_one) {
        bail!(Usage(say::password_shape()));
    }
    Ok(password)
}

/// Values of settings that nobody is to see.
#[derive(Default)]
pub(crate) struct Secrets {
    /// Its end has come: another one would be empty.
    has_read_stdin: bool,
}

impl Secrets {
    /// Of a file, or of stdin where that is `-`.
    pub(crate) fn of(&mut self, file: &Path, name: &str) -> anyhow::Result<String> {
        if file.as_os_str().is_empty() {
            bail!(Usage(say::names_no_file(name)));
        }
        let text = if file.as_os_str() != "-" {
            of_file(file)?
        } else if io::stdin().is_terminal() {
            typed(say::type_value(name))?
        } else if self.has_read_stdin {
            bail!(Usage(say::stdin_once(name)));
        } else {
            self.has_read_stdin = true;
            of_file(Path::new("/dev/stdin"))?
        };
        let text = text.trim_end_matches(['\r', '\n']);
        // A file that is empty by mistake would open the device to all.
        if text.is_empty() {
            bail!(Usage(say::nothing_given(name)));
        }
        Ok(text.to_owned())
    }
}

/// What stands in a file, without the mark of some editors. One that cannot be read is a fault of whoever named it.
fn of_file(file: &Path) -> anyhow::Result<String> {
    let name = || file.display().to_string();
    let mut text = String::new();
    let read = fs::File::open(file).and_then(|file| file.take(MOST + 1).read_to_string(&mut text));
    let count = read.map_err(|error| Usage(say::about(name(), error)))?;
    if count as u64 > MOST {
        bail!(Usage(say::about(name(), say::long_secret(MOST))));
    }
    let bare = text.strip_prefix('\u{FEFF}').unwrap_or(&text);
    Ok(bare.to_owned())
}

fn typed(question: Sentence) -> anyhow::Result<String> {
    let unseen = Unseen::begin()?;
    let line = say::answer(question);
    drop(unseen);
    // The line end that was typed was not seen either.
    say::to_stderr("\n");
    line
}

/// The terminal while nobody is to see what is typed; as it was, once this is dropped.
struct Unseen {
    shown: Termios,
}

impl Unseen {
    fn begin() -> io::Result<Self> {
        // Before the echo goes: a signal must not end this program while it is gone.
        crate::port::stop_cleanly()?;
        let stdin = io::stdin();
        let shown = rustix::termios::tcgetattr(&stdin)?;
        let mut unseen = shown.clone();
        unseen.local_modes.remove(LocalModes::ECHO);
        // So do the keys that stop a program, or kill it.
        for key in [SpecialCodeIndex::VSUSP, SpecialCodeIndex::VQUIT] {
            unseen.special_codes[key] = NO_KEY;
        }
        rustix::termios::tcsetattr(&stdin, OptionalActions::Now, &unseen)?;
        Ok(Self { shown })
    }
}

impl Drop for Unseen {
    fn drop(&mut self) {
        // A terminal that is gone has no echo to bring back.
        let _ = rustix::termios::tcsetattr(io::stdin(), OptionalActions::Now, &self.shown);
    }
}

/// `_POSIX_VDISABLE` of Linux.
const NO_KEY: u8 = 0;
/// Characters of a password (manual 2.8.6.37).
const LONGEST: usize = 5;
/// No value of a setting has as many bytes.
const MOST: u64 = 4096;
const VARIABLE: &str = "DTUCTL_PASSWORD";
