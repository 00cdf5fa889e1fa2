//! A recorded run again: `dtud --record FILE` wrote what went in, the device says once more what comes out.

use dtu_proto::Dtu;
use dtu_proto::config::Problem;
use dtu_proto::event::{Input, Output, SerialInput, SocketInput};
use dtu_proto::from_store_text;
use dtu_proto::record::{self, Happening, Header};
use dtu_proto::status::Status;
use dtu_proto::time::Instant;

use crate::trace::Clock;
use words::describe;

mod words;

/// What a replay came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replayed {
    /// Inputs and wake-ups.
    pub entries: u64,
    /// What the device ordered.
    pub outputs: u64,
    /// The device at the end.
    pub status: Status,
    /// The same as the device itself says it (`AT+CISTAT`).
    pub report: String,
}

/// Replays a log. Each line of the story goes to `emit`.
///
/// # Errors
/// The first line that is not of the log's format. What came before it has been replayed.
pub fn replay(text: &str, mut emit: impl FnMut(&str)) -> Result<Replayed, record::Error> {
    let (header, entries) = record::parse(text)?;
    let mut device = start(header.clone(), &mut emit);
    let mut outputs = drain(&mut device, header.started, &mut emit);
    let (mut count, mut now) = (0, header.started);
    for entry in entries {
        let entry = entry?;
        (now, count) = (entry.at, count + 1);
        match &entry.what {
            Happening::Timeout => device.handle_timeout(now),
            Happening::Input(input) => {
                emit(&format!(
                    "{:>16} <- {}",
                    Clock(now.as_micros()),
                    input_words(&input.as_input(), now)
                ));
                device.handle_input(input.as_input(), now);
            }
        }
        outputs += drain(&mut device, now, &mut emit);
    }
    let status = device.status(now);
    Ok(Replayed {
        entries: count,
        outputs,
        status,
        report: report(&mut device, now),
    })
}

/// Empty where a command under way is in front of it.
fn report(device: &mut Dtu, now: Instant) -> String {
    device.handle_input(Input::Console("AT+CISTAT"), now);
    let mut report = String::new();
    while let Some(output) = device.poll_output() {
        if let Output::Console(reply) = output {
            report = reply;
        }
    }
    report.trim().replace("\r\n", "\n")
}

/// The device with what the host gave it before its first input.
fn start(header: Header, emit: &mut impl FnMut(&str)) -> Dtu {
    let (config, problems) = from_store_text(&header.stored);
    emit_problems("stored", &problems, emit);
    let mut device = Dtu::new(
        config,
        header.options,
        header.identity,
        header.seed,
        header.started,
    );
    device.restore_losses(&header.losses);
    for (queue, number, bytes) in header.restored {
        device.restore(queue, [(number, bytes)]);
    }
    emit_problems("message", &device.restore_messages(&header.messages), emit);
    device
}

fn emit_problems(what: &str, problems: &[Problem], emit: &mut impl FnMut(&str)) {
    for problem in problems {
        emit(&format!("{what} line {}: {}", problem.line, problem.text));
    }
}

fn drain(device: &mut Dtu, now: Instant, emit: &mut impl FnMut(&str)) -> u64 {
    let mut count = 0;
    while let Some(output) = device.poll_output() {
        count += 1;
        emit(&format!(
            "{:>16} -> {}",
            Clock(now.as_micros()),
            describe(&output)
        ));
    }
    count
}

/// An input as its log has it, but bytes that a person wants to read escaped instead of in hex.
fn input_words(input: &Input<'_>, now: Instant) -> String {
    match input {
        Input::Serial(SerialInput::Data(bytes)) => {
            format!("serial data \"{}\"", bytes.escape_ascii())
        }
        Input::Socket(socket, SocketInput::Data(bytes)) => {
            format!("{socket} data \"{}\"", bytes.escape_ascii())
        }
        Input::Serial(_)
        | Input::Socket(..)
        | Input::Modem(_)
        | Input::Store(_)
        | Input::Console(_)
        | Input::Lost(_)
        | Input::Shutdown => {
            let mut line = String::new();
            record::encode_input(&mut line, now, input);
            line.split_once(' ')
                .map_or_else(String::new, |(_, what)| what.trim_end().to_owned())
        }
    }
}
