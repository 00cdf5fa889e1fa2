//! `at`, `save`, `restart`, `factory`: single commands.

use std::process::ExitCode;

use anyhow::bail;
use clap::Args;
use dtu_setup::charset::encode_line;
use dtu_setup::chinese::words_of_device;
use dtu_setup::door::{Door, End};
use dtu_setup::values::UNCHANGED;

use crate::device::PortArgs;
use crate::say::{self, Usage, tell};
use crate::settings::Ended;
use crate::show::plain;
use crate::sms::Texts;

/// Send raw commands; each reply goes to stdout.
#[derive(Debug, Args)]
pub(crate) struct At {
    /// AT+CSQ 'AT+CIPSCONT?'
    #[arg(required = true, value_name = "COMMAND")]
    lines: Vec<String>,
}

/// Put the factory values back, and restart.
#[derive(Debug, Args)]
pub(crate) struct Factory;

impl At {
    pub(crate) fn run(&self, port: &PortArgs) -> Ended {
        if let Some(odd) = self.lines.iter().find(|line| line.contains(['\r', '\n'])) {
            bail!(Usage(say::holds_line_end(plain(odd))));
        }
        if self.lines.iter().any(|line| line.trim().is_empty()) {
            bail!(Usage(say::empty_command()));
        }
        for line in &self.lines {
            encode_line(port.charset_of_way(), line).map_err(Usage)?;
        }
        for line in self.lines.iter().filter(|line| has_secret(line)) {
            tell(say::secret_in_command(plain(&dtu_proto::shown_command(
                line,
            ))));
        }
        let texts = Texts::default().and(self.lines.len(), say::texts_command);
        port.with_device(&texts, |door| {
            let mut all_well = true;
            for line in &self.lines {
                let reply = door.command(line)?;
                let mut text: Vec<String> = reply.lines.iter().map(|line| plain(line)).collect();
                match reply.end {
                    End::Ok => text.push("OK".to_owned()),
                    End::Refused(words) => {
                        all_well = false;
                        text.push(plain(&words));
                    }
                    End::Silence => {}
                }
                let ended = text.into_iter().map(|line| line + "\n");
                say::to_stdout(&ended.collect::<String>())?;
            }
            Ok(if all_well {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            })
        })
    }
}

/// Whether a secret stands in it.
fn has_secret(line: &str) -> bool {
    // What stands in the place of one is none.
    let bare = line.replace(UNCHANGED, "");
    dtu_proto::shown_command(&bare).contains(UNCHANGED)
}

/// `ATW`: what runs is stored.
pub(crate) fn save(port: &PortArgs) -> Ended {
    let texts = Texts::default().and(1, say::texts_store);
    port.with_device(&texts, |door| run(door, "ATW"))?;
    Ok(ExitCode::SUCCESS)
}

/// Restarts it, and waits until it is back.
pub(crate) fn restart(port: &PortArgs) -> Ended {
    let texts = Texts::default().and(2, say::texts_restart);
    port.with_device(&texts, |door| Ok(door.restart("AT+CIRESET", None)?))?;
    Ok(ExitCode::SUCCESS)
}

impl Factory {
    pub(crate) fn run(&self, port: &PortArgs) -> Ended {
        if !port.yes && !say::agrees(say::all_is_lost_go_on(), Usage(say::all_would_be_lost()))? {
            return Ok(ExitCode::FAILURE);
        }
        let texts = Texts::default().and(2, say::texts_restart);
        port.with_device(&texts, |door| {
            Ok(door.restart("AT+CIRELOAD", Some(115_200))?)
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

fn run(door: &mut dyn Door, line: &str) -> anyhow::Result<()> {
    match door.command(line)?.refusal() {
        Some(words) => bail!(say::about(line, words_of_device(words).map(plain))),
        None => Ok(()),
    }
}
