//! What packages install: completions of shells, and the man page.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory as _};

use crate::Cli;
use crate::settings::Ended;

/// Completions of a shell, on stdout.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// Which
    shell: clap_complete::Shell,
}

impl Completions {
    pub(crate) fn run(&self) -> Ended {
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "dtuctl", &mut text);
        io::Write::write_all(&mut io::stdout(), &text)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The man page, on stdout; or those of all subcommands as well, in a folder.
#[derive(Debug, Args)]
pub(crate) struct Man {
    /// Where to
    folder: Option<PathBuf>,
}

impl Man {
    pub(crate) fn run(&self) -> Ended {
        match &self.folder {
            Some(folder) => clap_mangen::generate_to(Cli::command(), folder)?,
            None => clap_mangen::Man::new(Cli::command()).render(&mut io::stdout())?,
        }
        Ok(ExitCode::SUCCESS)
    }
}
