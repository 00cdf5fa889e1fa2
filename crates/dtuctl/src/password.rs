//! The device's password: of a file, of the environment, or typed unseen; never an argument, which every user can read.

use std::fs;
use std::io::{self, IsTerminal as _, Read as _};
use std::path::Path;

use anyhow::bail;
use rustix::termios::{LocalModes, OptionalActions};

use crate::say::{self, Usage, said};
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
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
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
    let stdin = io::stdin();
    say::to_stderr(&said(question));
    let shown = rustix::termios::tcgetattr(&stdin)?;
    let mut unseen = shown.clone();
    unseen.local_modes.remove(LocalModes::ECHO);
    rustix::termios::tcsetattr(&stdin, OptionalActions::Now, &unseen)?;
    let mut line = String::new();
    let read = stdin.read_line(&mut line);
    rustix::termios::tcsetattr(&stdin, OptionalActions::Now, &shown)?;
    say::to_stderr("\n");
    read?;
    Ok(line)
}

/// Characters of a password (manual 2.8.6.37).
const LONGEST: usize = 5;
/// No value of a setting has as many bytes.
const MOST: u64 = 4096;
const VARIABLE: &str = "DTUCTL_PASSWORD";
