//! The log, as the console shows it.

use std::sync::{Arc, OnceLock};

use dtu_console::recorder::{self, Place, Recorder, now_micros};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::field::MakeVisitor as _;
use tracing_subscriber::fmt::format::{DefaultFields, Writer};
use tracing_subscriber::layer::{Context, Layer};

use crate::log::OneLine;

/// Where lines go from when the console is on. One a process, as the log is.
static RECORDER: OnceLock<Arc<Recorder>> = OnceLock::new();

/// From now on.
pub(crate) fn record(recorder: Arc<Recorder>) {
    // A second device in one process (tests) has no log of its own.
    let _ = RECORDER.set(recorder);
}

/// Keeps what the log shows.
pub(crate) struct Keeper;

impl<S: Subscriber> Layer<S> for Keeper {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let Some(recorder) = RECORDER.get() else {
            return;
        };
        let mut text = String::new();
        let fields = DefaultFields::new();
        event.record(&mut fields.make_visitor(Writer::new(&mut text)));
        let text = OneLine(&text).to_string();
        recorder.log(
            now_micros(),
            level(*event.metadata().level()),
            of(&text),
            &text,
        );
    }
}

const fn level(level: Level) -> recorder::Level {
    match level {
        Level::ERROR => recorder::Level::Error,
        Level::WARN => recorder::Level::Warn,
        Level::INFO => recorder::Level::Info,
        Level::DEBUG => recorder::Level::Debug,
        Level::TRACE => recorder::Level::Trace,
    }
}

/// A line begins with the thing that it is about.
fn of(text: &str) -> Option<Place> {
    let (thing, _) = text.split_once(':')?;
    if let Some(number) = thing.strip_prefix("link ") {
        return number.parse().ok().map(Place::Link);
    }
    Some(match thing {
        "serial" => Place::Line,
        "HTTPD" => Place::Httpd,
        "AT mode" => Place::At,
        "modem" | "SMS" | "call" | "simulated network" => Place::Radio,
        "device" => Place::Device,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_filed_under_the_thing_that_it_begins_with() {
        for (text, wanted) in [
            ("link 3: up", Some(Place::Link(3))),
            ("serial: command state begins", Some(Place::Line)),
            ("SMS: lost", Some(Place::Radio)),
            ("settings: read again", None),
            ("no thing", None),
        ] {
            assert_eq!(of(text), wanted, "{text}");
        }
    }
}
