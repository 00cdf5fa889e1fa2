//! `dtuctl`: the set-up tool.
// They panic where nobody reads, and a device would be left in its command state.
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod clock;
mod device;
mod fault;
mod pages;
mod password;
mod pdu;
mod port;
mod raw;
mod say;
mod settings;
mod show;
mod sms;
mod status;
mod ui;
mod via;
mod watch;

use std::io;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use device::PortArgs;
use say::Lang;

/// The set-up tool of the DTU: for `dtud`, and for real USR-GPRS232-7xx boxes. It speaks AT over the serial line,
/// or over one of the device's links.
#[derive(Debug, Parser)]
#[command(name = "dtuctl", version)]
struct Cli {
    #[command(flatten)]
    port: PortArgs,
    /// The language of what people read; without it that of LC_ALL, LC_MESSAGES or LANG. JSON is English
    #[arg(long, value_enum, value_name = "LANGUAGE", global = true)]
    lang: Option<Lang>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Read every parameter
    Dump(settings::Dump),
    /// Make the device equal FILE: show the difference, set, store, restart, read back, compare
    Apply(settings::Apply),
    /// Set single values, in the running set alone
    Set(settings::Set),
    /// What the device tells of itself: version, mode, signal, links, counters
    Status(status::Status),
    /// A terminal on the line: hex and text, a key for +++, completion of commands; JSON lines into a pipe
    Watch(watch::Watch),
    /// The web console for this device, on this host: prints its address
    Ui(ui::Ui),
    /// The names of all values, with what is allowed
    Names,
    /// Store what runs
    Save,
    /// Restart the device, and wait until it is back
    Restart,
    /// Put the factory values back, and restart
    Factory(raw::Factory),
    /// Send raw commands; each reply goes to stdout
    At(raw::At),
    /// Read and write SMS PDUs, the form in which modems hand messages over
    #[command(subcommand)]
    Pdu(pdu::Command),
    #[command(hide = true)]
    Completions(pages::Completions),
    #[command(hide = true)]
    Man(pages::Man),
}

fn main() -> ExitCode {
    let parsed = Cli::try_parse().unwrap_or_else(|error| {
        if error.use_stderr() && std::env::args_os().any(|argument| argument == "--json") {
            fault::of_arguments(&error);
        }
        fault::exit(&error)
    });
    let Cli {
        port,
        lang,
        command,
    } = parsed;
    say::choose(lang);
    let wants_json = command.wants_json();
    let done = match command {
        Command::Dump(dump) => dump.run(&port),
        Command::Apply(apply) => apply.run(&port),
        Command::Set(set) => set.run(&port),
        Command::Status(status) => status.run(&port),
        Command::Watch(watch) => watch.run(&port),
        Command::Ui(ui) => return ended(ui.run(port), wants_json),
        Command::Names => settings::names(),
        Command::Save => raw::save(&port),
        Command::Restart => raw::restart(&port),
        Command::Factory(factory) => factory.run(&port),
        Command::At(at) => at.run(&port),
        Command::Completions(completions) => completions.run(),
        Command::Man(man) => man.run(),
        Command::Pdu(command) => return command.run(),
    };
    ended(done, wants_json)
}

impl Command {
    /// Whether stdout is for a program.
    fn wants_json(&self) -> bool {
        match self {
            Self::Dump(dump) => dump.json,
            Self::Apply(apply) => apply.json,
            Self::Status(status) => status.json,
            Self::Watch(watch) => watch.prints_lines(),
            Self::Set(set) => set.json,
            Self::Ui(_)
            | Self::Names
            | Self::Save
            | Self::Restart
            | Self::Factory(_)
            | Self::At(_)
            | Self::Pdu(_)
            | Self::Completions(_)
            | Self::Man(_) => false,
        }
    }
}

fn ended(done: settings::Ended, wants_json: bool) -> ExitCode {
    done.unwrap_or_else(|error| {
        let is_pipe = |error: &io::Error| error.kind() == io::ErrorKind::BrokenPipe;
        // The reader has seen enough: `dtuctl names | head`.
        if error.downcast_ref::<io::Error>().is_some_and(is_pipe) {
            return ExitCode::SUCCESS;
        }
        fault::end(&error, wants_json)
    })
}
