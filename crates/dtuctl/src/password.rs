//! The device's password: of a file, of the environment, or typed unseen; never an argument, which every user can read.

use std::fs;
use std::io::{self, IsTerminal as _};
use std::path::Path;

use anyhow::{Context as _, bail};
use rustix::termios::{LocalModes, OptionalActions};

use crate::say::{self, said};

/// Of the first of these that is there.
pub(crate) fn password(file: Option<&Path>) -> anyhow::Result<String> {
    let password = match (file, std::env::var(VARIABLE)) {
        (Some(file), _) => fs::read_to_string(file).with_context(|| file.display().to_string())?,
        (None, Ok(password)) => password,
        (None, Err(_)) if io::stdin().is_terminal() => typed()?,
        (None, Err(_)) => {
            bail!(say::password_wanted(VARIABLE))
        }
    };
    let password = password.trim_end_matches(['\r', '\n']).to_owned();
    if password.is_empty() || password.contains([',', ' ', '\r', '\n']) {
        bail!(say::password_shape());
    }
    Ok(password)
}

fn typed() -> anyhow::Result<String> {
    let stdin = io::stdin();
    say::to_stderr(&said(say::type_password()));
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

const VARIABLE: &str = "DTUCTL_PASSWORD";
