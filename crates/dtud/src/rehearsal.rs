//! The AT lines of the start, tried on a device that nobody has: which one would be refused, and which one would start
//! the device over, and so be run again and again.

use dtu_proto::config::{Config, Options};
use dtu_proto::event::{Input, Output, StoreInput, StoreOutput};
use dtu_proto::status::Phase;
use dtu_proto::time::Instant;
use dtu_proto::{Dtu, Identity};

use crate::at_lines::{Place, StartLine, is_refusal};

/// What a start would do with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It restarts or ends the device.
    Ends,
    /// It is answered so.
    Refused(String),
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ends => f.write_str(
                "it restarts or ends the device, which would run the lines of the start again, and so for ever; leave it out",
            ),
            Self::Refused(reply) => f.write_str(reply),
        }
    }
}

/// The first line that a device with this set would not take. Nothing behind it would be run.
pub(crate) fn first_fault<'a>(
    lines: &'a [StartLine],
    stored: &Config,
    options: &Options,
    identity: &Identity,
) -> Option<(&'a StartLine, Fault)> {
    if lines.is_empty() {
        return None;
    }
    let device = |config: &Config| {
        Dtu::new(
            config.clone(),
            options.clone(),
            identity.clone(),
            0,
            Instant::ZERO,
        )
    };
    let mut dtu = device(stored);
    for line in lines {
        match run(&mut dtu, line.text()) {
            LineResult { ends: true, .. } => return Some((line, Fault::Ends)),
            LineResult {
                reply: Some(reply), ..
            } if is_refusal(&reply) => {
                return Some((line, Fault::Refused(reply.trim().to_owned())));
            }
            LineResult { reply: Some(_), .. } => {}
            // It waits for the network: what is behind it comes later, on a device that does not.
            LineResult { reply: None, .. } => dtu = device(&dtu.config().clone()),
        }
    }
    None
}

/// For a person: where the line stands, the line without its secrets, and what is wrong.
pub(crate) fn complaint((line, fault): (&StartLine, Fault)) -> String {
    format!("{} {line}: {fault}", Place(line))
}

struct LineResult {
    reply: Option<String>,
    ends: bool,
}

/// The store of this device takes everything at once.
fn run(dtu: &mut Dtu, line: &str) -> LineResult {
    let mut ran = LineResult {
        reply: None,
        ends: false,
    };
    dtu.handle_input(Input::Console(line), Instant::ZERO);
    while let Some(output) = dtu.poll_output() {
        match output {
            Output::Console(reply) => ran.reply = Some(reply),
            Output::Power(_) => ran.ends = true,
            Output::Store(StoreOutput::Save(_)) => {
                dtu.handle_input(Input::Store(StoreInput::Saved), Instant::ZERO);
            }
            Output::Store(_)
            | Output::Serial(_)
            | Output::Socket(..)
            | Output::Modem(_)
            | Output::Leds(_)
            | Output::Event(_) => {}
        }
    }
    ran.ends |= dtu.status(Instant::ZERO).phase == Phase::Ending;
    ran
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(lines: &[&str]) -> Option<String> {
        let lines: Vec<StartLine> = lines.iter().map(|line| StartLine::argument(line)).collect();
        let found = first_fault(
            &lines,
            &Config::default(),
            &Options::default(),
            &Identity::default(),
        )?;
        Some(complaint(found))
    }

    #[test]
    fn h9_a_restart_among_the_lines_of_the_start_is_found_wherever_it_stands() {
        for line in [
            "CIRESET",
            "CIRELOAD",
            "CISHUTDOWN",
            "CIPR=9600;+CIRESET",
            "ATW;+CIRELOAD",
            "at+cireset",
        ] {
            let said = fault(&["CIPR=9600", line]).unwrap();
            let wanted =
                "restarts or ends the device, which would run the lines of the start again";
            assert!(
                said.starts_with("--at \"AT") || said.starts_with("--at \"at"),
                "{said}"
            );
            assert!(said.contains(wanted), "{said}");
        }
    }

    #[test]
    fn h9_a_line_that_would_be_refused_is_found_and_one_that_waits_is_good() {
        assert!(
            fault(&["CIMOD=2", "CIMOD=9"])
                .unwrap()
                .starts_with("--at \"AT+CIMOD=9\": ")
        );
        assert!(fault(&["NOSUCH=1"]).is_some() && fault(&["CISEND"]).is_some());
        let good = [
            "CIPSW=abcde",
            "CIPSCONT=1,\"TCP\",\"127.0.0.1\",5000,1",
            "CIMOD?",
            "ATW",
            "CIAPPLY",
            "CIPR=9600",
        ];
        assert_eq!(fault(&good), None);
        // A secret stays one.
        assert!(!fault(&["CIPSW=abcdefgh"]).unwrap().contains("abcdefgh"));
    }
}
