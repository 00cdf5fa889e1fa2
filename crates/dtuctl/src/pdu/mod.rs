//! `dtuctl pdu`: SMS PDUs to JSON and back.

mod decode;
mod encode;
mod json;

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Subcommand;
use serde_json::Value;

use crate::say::to_stderr;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// PDUs as JSON, one object a line; exit 1 if one of them is bad
    Decode(decode::Decode),
    /// A message as PDUs, one JSON object a line for each part
    Encode(Box<encode::Encode>),
}

impl Command {
    pub(crate) fn run(self) -> ExitCode {
        let done = match self {
            Self::Decode(decode) => decode.run(),
            Self::Encode(encode) => encode.run(),
        };
        match done {
            Ok(()) => ExitCode::SUCCESS,
            Err(Failure::Told) => ExitCode::FAILURE,
            Err(Failure::Reason(reason)) => {
                to_stderr(&format!("dtuctl: {reason}\n"));
                ExitCode::FAILURE
            }
            // The reader has seen enough: `dtuctl … | head -1`.
            Err(Failure::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
                ExitCode::SUCCESS
            }
            Err(Failure::Output(error)) => {
                to_stderr(&format!("dtuctl: stdout: {error}\n"));
                ExitCode::FAILURE
            }
        }
    }
}

/// Why a command ends with exit 1.
#[derive(Debug)]
enum Failure {
    /// The reasons stand on stderr already.
    Told,
    Reason(String),
    Output(io::Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

fn print(object: &Value) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{object}")
}
