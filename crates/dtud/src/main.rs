//! `dtud`: the device.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    dtud::cli::Cli::parse().run()
}
