//! How a call failed: its exit code, and the object that programs read.

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;

use dtu_setup::door::DoorError;
use serde_json::{Value, json};

use crate::say::{self, BadFile, MayBeLeft, Usage};
use crate::show::{plain, plain_lines};

/// Failed; where settings were changed, the old ones are back.
pub(crate) const FAILED: u8 = 1;
/// Wrong usage, or a fault of a file: nothing was sent.
pub(crate) const USAGE: u8 = 2;

/// What an error ends with, told to whoever reads it.
pub(crate) fn end(error: &anyhow::Error, wants_json: bool) -> ExitCode {
    let words = say::of_error(error);
    if wants_json {
        // There is nothing else to tell it to.
        let _ = print(kind(error), words.english(), code(error));
    }
    say::tell(words);
    ExitCode::from(code(error))
}

/// A fault that the parser of arguments found.
pub(crate) fn of_arguments(error: &clap::Error) {
    let text = error.to_string();
    // Behind an empty line follows how it is called. In front, missing arguments have lines of their own.
    let words = text
        .lines()
        .map(str::trim)
        .take_while(|line| !line.is_empty());
    let words = words.collect::<Vec<_>>().join(" ");
    let words = words.strip_prefix("error: ").unwrap_or(&words);
    let _ = print("usage", &plain(words), USAGE);
}

/// As the parser of arguments ends, but that no argument drives the terminal.
pub(crate) fn exit(error: &clap::Error) -> ! {
    let is_odd = |argument: OsString| {
        let argument = argument.to_string_lossy();
        plain(&argument) != argument
    };
    if error.use_stderr() && std::env::args_os().any(is_odd) {
        // Its own colours are left out, too: they could not be told from those.
        say::to_stderr(&plain_lines(&error.to_string()));
        std::process::exit(error.exit_code());
    }
    error.exit()
}

fn print(kind: &str, message: &str, exit: u8) -> anyhow::Result<()> {
    say::to_stdout(&format!("{}\n", as_json(kind, message, exit)))
}

fn as_json(kind: &str, message: &str, exit: u8) -> Value {
    json!({ "error": { "kind": kind, "message": message }, "exit": exit })
}

fn code(error: &anyhow::Error) -> u8 {
    if error.is::<Usage>() || error.is::<BadFile>() {
        USAGE
    } else {
        FAILED
    }
}

/// For programs, which go on by it; docs/dtuctl.md has them.
fn kind(error: &anyhow::Error) -> &'static str {
    error.chain().find_map(kind_of).unwrap_or("other")
}

fn kind_of(cause: &(dyn std::error::Error + 'static)) -> Option<&'static str> {
    if cause.is::<Usage>() {
        return Some("usage");
    }
    if cause.is::<BadFile>() {
        return Some("file");
    }
    let left = || cause.downcast_ref().map(|MayBeLeft(error)| error);
    if let Some(error) = cause.downcast_ref().or_else(left) {
        return Some(kind_of_door(error));
    }
    if let Some(error) = cause.downcast_ref::<io::Error>() {
        let is_stop = error.kind() == io::ErrorKind::Interrupted;
        return Some(if is_stop { "stopped" } else { "port" });
    }
    cause.is::<rustix::io::Errno>().then_some("port")
}

const fn kind_of_door(error: &DoorError) -> &'static str {
    match error {
        DoorError::Port(_) => "port",
        DoorError::Stopped(_) => "stopped",
        DoorError::Silent | DoorError::FellSilent { .. } | DoorError::NothingCame { .. } => {
            "silent"
        }
        DoorError::Noise { .. } => "noise",
        DoorError::NotInCommandState | DoorError::NoOk { .. } => "not_in_command_state",
        DoorError::NotHeard => "not_heard",
        DoorError::NoReply { .. } => "no_reply",
        DoorError::Refused { .. } => "refused",
        DoorError::NoRestart { .. }
        | DoorError::NotRestarted { .. }
        | DoorError::NoEscape
        | DoorError::Lost => "no_restart",
        DoorError::Other(_) => "other",
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use anyhow::Context as _;

    use super::*;

    #[test]
    fn each_failure_has_its_kind_and_its_code() {
        let of = |error: anyhow::Error| (kind(&error), code(&error));
        let stop = || io::Error::new(io::ErrorKind::Interrupted, say::stopped());
        let door = |error: DoorError| anyhow::Error::from(error);
        let cases = [
            (Usage(say::which_device()).into(), ("usage", 2)),
            (BadFile(say::which_device()).into(), ("file", 2)),
            (stop().into(), ("stopped", 1)),
            (door(stop().into()), ("stopped", 1)),
            (door(DoorError::Silent).context("/dev/x"), ("silent", 1)),
            (
                MayBeLeft(DoorError::NotInCommandState).into(),
                ("not_in_command_state", 1),
            ),
            (door(DoorError::FellSilent { commands: 3 }), ("silent", 1)),
            (door(DoorError::Noise { baud: 9600 }), ("noise", 1)),
            (door(DoorError::NotHeard), ("not_heard", 1)),
            (io::Error::from_raw_os_error(2).into(), ("port", 1)),
            (rustix::io::Errno::NOENT.into(), ("port", 1)),
            (say::nothing_sent().into(), ("other", 1)),
        ];
        for (error, expected) in cases {
            let words = format!("{error:?}");
            assert_eq!(of(error), expected, "{words}");
        }
        let line = "AT".to_owned();
        let within = Duration::ZERO;
        assert_eq!(
            of(door(DoorError::NoReply { line, within })),
            ("no_reply", 1)
        );
        let named = Err::<(), _>(stop()).context("listen:a:1").unwrap_err();
        assert_eq!(of(named), ("stopped", 1));
    }

    #[test]
    fn the_page_names_each_kind() {
        let page = include_str!("../../../docs/dtuctl.md");
        for kind in [
            "usage",
            "file",
            "port",
            "stopped",
            "silent",
            "noise",
            "not_in_command_state",
            "not_heard",
            "no_reply",
            "refused",
            "no_restart",
            "other",
        ] {
            assert!(page.contains(&format!("`{kind}`")), "{kind}");
        }
    }
}
