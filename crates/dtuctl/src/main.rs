//! `dtuctl`: the set-up tool.

mod pdu;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The set-up tool of the DTU. In this version it reads and writes SMS PDUs.
#[derive(Debug, Parser)]
#[command(name = "dtuctl", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Read and write SMS PDUs, the form in which modems hand messages over
    #[command(subcommand)]
    Pdu(pdu::Command),
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Pdu(command) => command.run(),
    }
}
