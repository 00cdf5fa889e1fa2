//! `dtud console-password`: typed unseen or read from standard input, never an argument, which every user can read.

use std::io::{self, IsTerminal as _, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use dtu_console::password::{Who, set};
use rustix::termios::{LocalModes, OptionalActions};

use crate::cli;

/// Sets or removes a password of the console of the device that keeps its state there.
pub(crate) fn change(state: &Path, viewer: bool, remove: bool) -> anyhow::Result<ExitCode> {
    let who = if viewer { Who::Viewer } else { Who::Owner };
    let password = if remove { None } else { Some(ask()?) };
    let folder = state.display().to_string();
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(state)
        .context(folder.clone())?;
    set(state, who, password.as_deref()).context(folder)?;
    let whose = if viewer { "viewer's" } else { "console's" };
    let done = if remove { "removed" } else { "set" };
    cli::complain(format_args!(
        "dtud: the {whose} password is {done}; who was logged in with an old one is logged out"
    ));
    Ok(ExitCode::SUCCESS)
}

fn ask() -> anyhow::Result<String> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        return line();
    }
    let shown = rustix::termios::tcgetattr(&stdin)?;
    let mut unseen = shown.clone();
    unseen.local_modes.remove(LocalModes::ECHO);
    rustix::termios::tcsetattr(&stdin, OptionalActions::Now, &unseen)?;
    let typed = twice();
    rustix::termios::tcsetattr(&stdin, OptionalActions::Now, &shown)?;
    typed
}

fn twice() -> anyhow::Result<String> {
    let first = prompted("Password of the console: ")?;
    if first != prompted("Once more: ")? {
        bail!("the two are not the same; the password is as it was");
    }
    Ok(first)
}

fn prompted(prompt: &str) -> anyhow::Result<String> {
    eprint!("{prompt}");
    io::stderr().flush()?;
    let line = line();
    eprintln!();
    line
}

fn line() -> anyhow::Result<String> {
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
