//! A recorded run again: what went in comes from the log, what the device does about it is printed.
//!
//! ```sh
//! cargo run -p dtu-proto --example replay -- crates/dtu-proto/examples/run.log
//! dtud --record my.log                                        # makes a log of your own
//! ```
//! An input is the only way into the device, and time is a part of it; so a log of inputs is the whole run, to the
//! byte and the microsecond. `dtu-sim replay` prints the same in words for people.

use std::io::{self, Write};

use dtu_proto::Dtu;
use dtu_proto::from_store_text;
use dtu_proto::record::{self, Happening};
use dtu_proto::time::Instant;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("usage: replay FILE")?;
    let log = std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
    replay(&log, &mut io::stdout().lock())
}

/// Writes a line for each input (`<-`) and each output (`->`) to `out`.
pub(crate) fn replay(log: &str, out: &mut impl Write) -> Result<(), Box<dyn std::error::Error>> {
    let (start, entries) = record::parse(log)?;

    // The device as it was at power-on, in the order of the host that recorded it.
    let (config, mut problems) = from_store_text(&start.stored);
    let mut dtu = Dtu::new(
        config,
        start.options,
        start.identity,
        start.seed,
        start.started,
    );
    dtu.restore_losses(&start.losses);
    for (queue, number, frame) in start.restored {
        dtu.restore(queue, [(number, frame)]);
    }
    problems.extend(dtu.restore_messages(&start.messages));
    for problem in problems {
        writeln!(out, "stored line {}: {}", problem.line, problem.text)?;
    }
    write_outputs(&mut dtu, start.started, out)?;

    // What happened to it. Its deadlines are entries too, so nobody asks `poll_timeout`.
    for entry in entries {
        let entry = entry?;
        match entry.what {
            Happening::Timeout => dtu.handle_timeout(entry.at),
            Happening::Input(input) => {
                writeln!(out, "{} <- {:?}", Seconds(entry.at), input.as_input())?;
                dtu.handle_input(input.as_input(), entry.at);
            }
        }
        write_outputs(&mut dtu, entry.at, out)?;
    }
    Ok(())
}

fn write_outputs(dtu: &mut Dtu, now: Instant, out: &mut impl Write) -> io::Result<()> {
    while let Some(output) = dtu.poll_output() {
        writeln!(out, "{} -> {output:?}", Seconds(now))?;
    }
    Ok(())
}

struct Seconds(Instant);

impl std::fmt::Display for Seconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let micros = self.0.as_micros();
        write!(f, "{:4}.{:06}", micros / 1_000_000, micros % 1_000_000)
    }
}
