//! `dtuctl`: the set-up tool.
// They panic where nobody reads, and a device would be left in its command state.
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod clock;
mod device;
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
    let Cli {
        port,
        lang,
        command,
    } = Cli::parse();
    say::choose(lang);
    let done = match command {
        Command::Dump(dump) => dump.run(&port),
        Command::Apply(apply) => apply.run(&port),
        Command::Set(set) => set.run(&port),
        Command::Status(status) => status.run(&port),
        Command::Watch(watch) => watch.run(&port),
        Command::Ui(ui) => return ended(ui.run(port)),
        Command::Names => settings::names(),
        Command::Save => raw::save(&port),
        Command::Restart => raw::restart(&port),
        Command::Factory(factory) => factory.run(&port),
        Command::At(at) => at.run(&port),
        Command::Completions(completions) => completions.run(),
        Command::Man(man) => man.run(),
        Command::Pdu(command) => return command.run(),
    };
    ended(done)
}

fn ended(done: settings::Ended) -> ExitCode {
    done.unwrap_or_else(|error| {
        let is_pipe = |error: &io::Error| error.kind() == io::ErrorKind::BrokenPipe;
        // The reader has seen enough: `dtuctl names | head`.
        if error.downcast_ref::<io::Error>().is_some_and(is_pipe) {
            return ExitCode::SUCCESS;
        }
        say::tell(say::of_error(&error));
        if error.is::<say::Usage>() {
            return ExitCode::from(settings::USAGE);
        }
        ExitCode::FAILURE
    })
}
