//! The table of all commands: it feeds the interpreter, `=?`, help, the stored file and the docs.

use alloc::format;

use super::cmd;
use super::command::{Command, Groups};
use super::describe::{CommandDescription, describe};
use super::reply::{Code, Error, Shown};

/// All commands, by subject, in the order of help and of the stored file. `AT+HELP=<subject>` lists one.
pub(super) const GROUPS: Groups = &[
    ("SESSION", cmd::session::COMMANDS),
    ("IDENTITY", cmd::identity::COMMANDS),
    ("CLOCK", cmd::clock::COMMANDS),
    ("NETWORK", cmd::network::COMMANDS),
    ("RADIO", cmd::radio::COMMANDS),
    ("CALLS", cmd::call::COMMANDS),
    ("PACKETS", cmd::packet::COMMANDS),
    ("MODE", cmd::mode::COMMANDS),
    ("LINKS", cmd::link::COMMANDS),
    ("CONNECTION", cmd::connection::COMMANDS),
    ("ROLES", cmd::role::COMMANDS),
    ("HTTPD", cmd::httpd::COMMANDS),
    ("LINE", cmd::uart::COMMANDS),
    ("ACCESS", cmd::access::COMMANDS),
    ("POWER", cmd::power::COMMANDS),
    ("STATUS", cmd::status::COMMANDS),
    ("MESSAGES", cmd::message::COMMANDS),
    ("STORAGE", cmd::store::COMMANDS),
    ("CLOUD", cmd::unsupported::COMMANDS),
];

/// What programs that use the device as a modem set at each of their starts.
const FOR_PROGRAMS: [&str; 4] = ["SESSION", "RADIO", "CALLS", "MESSAGES"];

/// Whether it is one of those.
pub(super) fn is_for_programs(command: &Command) -> bool {
    let has_it = |commands: &[Command]| commands.iter().any(|own| own.name == command.name);
    GROUPS
        .iter()
        .any(|(subject, commands)| FOR_PROGRAMS.contains(subject) && has_it(commands))
}

/// Every command.
pub(super) fn all() -> impl Iterator<Item = &'static Command> {
    GROUPS.iter().flat_map(|(_, commands)| *commands)
}

/// The command of that name, which is in capitals.
pub(super) fn find(name: &str) -> Option<&'static Command> {
    all().find(|command| command.name == name)
}

/// The command of that name, if this version serves it.
pub(super) fn served(name: &str) -> Result<&'static Command, Error> {
    let Some(command) = find(name) else {
        let typed = format!("AT{name}");
        let text = format!(
            "{}: unknown command; AT+HELP lists them",
            Shown(typed.as_bytes())
        );
        return Err(Error::new(Code::NotSupported, text));
    };
    match command.missing {
        Some(missing) => {
            let text = format!("{}: {}", command.label(), missing.text());
            Err(Error::new(Code::NotSupported, text))
        }
        None => Ok(command),
    }
}

/// All AT commands, for docs, consoles and set-up tools.
pub fn commands() -> impl Iterator<Item = CommandDescription> {
    GROUPS
        .iter()
        .flat_map(|(group, commands)| commands.iter().map(|command| describe(group, command)))
}
