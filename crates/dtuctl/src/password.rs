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

/// The value of a setting that nobody is to see: of a file, or of stdin where that is `-`.
pub(crate) fn secret(file: &Path, name: &str) -> anyhow::Result<String> {
    let is_stdin = file.as_os_str() == "-";
    let text = match is_stdin {
        true if io::stdin().is_terminal() => typed(say::type_value(name))?,
        true => of_file(Path::new("/dev/stdin"))?,
        false => of_file(file)?,
    };
    let text = text.trim_end_matches(['\r', '\n']);
    // A file that is empty by mistake would open the device to all.
    if text.is_empty() {
        bail!(Usage(say::nothing_given(name)));
    }
    Ok(text.to_owned())
}

/// What stands in a file. One that cannot be read is a fault of whoever named it.
fn of_file(file: &Path) -> anyhow::Result<String> {
    let mut text = String::new();
    let read = fs::File::open(file).and_then(|file| file.take(MOST).read_to_string(&mut text));
    let named = |error: io::Error| Usage(say::about(file.display().to_string(), error));
    read.map_err(named)?;
    Ok(text)
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
