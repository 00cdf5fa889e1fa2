//! A modem with AT commands on a serial line: `modem_proto` speaks, this opens the line and carries the bytes.
//!
//! A device that is missing is a state: it is tried again each second under the name that was given, so a name below
//! `/dev/serial/by-id` finds the modem wherever it comes back.

use std::collections::VecDeque;
use std::path::Path;
use std::task::Context;

use bytes::Bytes;
use dtu_proto::config::LineFormat;
use dtu_proto::event::{ModemInput, ModemOutput, SerialOutput};
use dtu_proto::time::Instant;
use modem_proto::{Event, Input, Level, Modem, Output, Pin, PinHistory};
use tracing::{debug, info, warn};

use super::Driver;
use super::note::Note;
use super::transcript::Transcript;
use crate::journal::Repeats;
use crate::serial::{Address, Serial, SerialEvent};
use crate::settings;

pub(super) struct At {
    line: Serial,
    modem: Modem,
    /// For the loop.
    news: VecDeque<ModemInput>,
    /// Behind the one outstanding write.
    unwritten: Vec<u8>,
    is_writing: bool,
    note: Note,
    log: Option<Transcript>,
    repeats: Repeats,
    buf: Vec<u8>,
}

impl At {
    pub(super) fn new(device: &Path, settings: &settings::Modem, state: &Path) -> Self {
        let pin = settings.pin.as_deref().and_then(Pin::new);
        let note = Note::new(state, settings.pin.as_deref());
        if let Some(trouble) = note.trouble() {
            warn!("modem: {trouble}");
        }
        // A named interface is the modem's own, and the modem is asked to connect it.
        let activate = settings.interface.is_some();
        let pin_history = note.history();
        let dialogue = modem_proto::Settings {
            pin,
            pin_history,
            init: settings.init.clone(),
            activate,
        };
        Self {
            line: line(device),
            modem: Modem::new(dialogue, Instant::ZERO),
            news: VecDeque::new(),
            unwritten: Vec::new(),
            is_writing: false,
            note,
            log: settings.log.as_deref().map(Transcript::new),
            repeats: Repeats::default(),
            buf: vec![0; READ_BUFFER],
        }
        .at_rate(settings.baud)
    }

    fn at_rate(mut self, baud: u32) -> Self {
        let format = LineFormat {
            baud,
            ..LineFormat::default()
        };
        // The line is not open yet: it only takes note.
        let mut cx = Context::from_waker(std::task::Waker::noop());
        self.line
            .order(SerialOutput::Configure(format), Instant::ZERO, &mut cx);
        self
    }

    fn feed(&mut self, input: Input<'_>, now: Instant, cx: &mut Context<'_>) {
        self.modem.handle_input(input, now);
        self.carry_out(now, cx);
    }

    fn carry_out(&mut self, now: Instant, cx: &mut Context<'_>) {
        while let Some(output) = self.modem.poll_output() {
            match output {
                Output::Write(bytes) => self.unwritten.extend_from_slice(&bytes),
                Output::Report(news) => self.news.push_back(news),
                Output::Reopen => {
                    self.forget();
                    self.line.reopen(now);
                }
                Output::Event(event) => self.on_event(&event, now),
            }
        }
        self.write(now, cx);
    }

    fn write(&mut self, now: Instant, cx: &mut Context<'_>) {
        if !self.is_writing && !self.unwritten.is_empty() {
            self.is_writing = true;
            let bytes = Bytes::from(std::mem::take(&mut self.unwritten));
            self.line.order(SerialOutput::Write(bytes), now, cx);
        }
    }

    fn forget(&mut self) {
        self.line.forget();
        self.unwritten.clear();
        self.is_writing = false;
    }

    fn on_event(&mut self, event: &Event, now: Instant) {
        if let Event::PinState(history) = event
            && history.is_in_doubt()
            && let Err(why) = self.note.keep_before_sending(*history)
        {
            warn!("modem: {why}");
            return self.modem.handle_input(Input::PinNotSaved, now);
        }
        if let Some(log) = &mut self.log {
            log.note(event, now);
        }
        let text = match event.level() {
            Level::Trace => None,
            Level::Info | Level::Warning => self.repeats.again(&event.to_string(), now),
        };
        match (event.level(), text) {
            (Level::Info, Some(text)) => info!("modem: {text}"),
            (Level::Warning, Some(text)) => warn!("modem: {text}"),
            (Level::Trace, _) | (_, None) => debug!("modem: {event}"),
        }
        if let Event::PinState(history @ (PinHistory::Accepted | PinHistory::Refused)) = event {
            self.note.keep(*history);
        }
    }

    /// Whether there was anything.
    fn poll_line(&mut self, cx: &mut Context<'_>, now: Instant) -> bool {
        let mut buf = std::mem::take(&mut self.buf);
        let news = self.line.poll(cx, now, true, &mut buf);
        let is_news = news.is_some();
        match news {
            None
            | Some(SerialEvent::Configured(_) | SerialEvent::Lost(_) | SerialEvent::Discarded(_)) =>
                {}
            Some(SerialEvent::Data(count)) => {
                self.feed(Input::Bytes(buf.get(..count).unwrap_or_default()), now, cx);
            }
            Some(SerialEvent::Written) => {
                self.is_writing = false;
                self.write(now, cx);
            }
            Some(SerialEvent::Present) => self.feed(Input::Opened, now, cx),
            Some(SerialEvent::Gone) => {
                self.forget();
                self.feed(Input::Gone, now, cx);
            }
        }
        self.buf = buf;
        is_news
    }
}

impl Driver for At {
    fn order(&mut self, order: ModemOutput, now: Instant, cx: &mut Context<'_>) {
        self.feed(Input::Order(&order), now, cx);
    }

    fn poll(&mut self, cx: &mut Context<'_>, now: Instant) -> Option<ModemInput> {
        for _ in 0..MOST_AT_ONCE {
            if let Some(news) = self.news.pop_front() {
                return Some(news);
            }
            let is_due = self
                .modem
                .poll_timeout()
                .is_some_and(|deadline| deadline.at <= now);
            if is_due {
                self.modem.handle_timeout(now);
                self.carry_out(now, cx);
            }
            if !self.poll_line(cx, now) && !is_due && self.news.is_empty() {
                return None;
            }
        }
        // A modem that never stops talking does not keep the others waiting.
        cx.waker().wake_by_ref();
        None
    }

    fn deadline(&self) -> Option<Instant> {
        let dialogue = self.modem.poll_timeout().map(|deadline| deadline.at);
        [dialogue, self.line.deadline()].into_iter().flatten().min()
    }

    fn status(&self) -> String {
        let counters = self.modem.counters();
        let line = if self.line.is_open() {
            "open"
        } else {
            "missing"
        };
        format!(
            "line {line}, {} commands unanswered, given up {} times, {} restarts by itself, {} messages, {} of them bad, \
             {} lines unknown, {} too long",
            counters.unanswered,
            counters.given_up,
            counters.restarts,
            counters.messages,
            counters.bad_messages,
            counters.unknown_lines,
            counters.overlong_lines,
        )
    }
}

/// `tcp:HOST:PORT`, or the path of a device.
fn line(device: &Path) -> Serial {
    match device.to_str().map(Address::parse) {
        Some(Ok(Address::Tcp(host, port))) => Serial::to_modem_at(host, port),
        Some(Ok(Address::Tty(path))) => Serial::to_modem(&path),
        Some(Ok(Address::Pty(_)) | Err(_)) | None => Serial::to_modem(device),
    }
}

const READ_BUFFER: usize = 4096;
/// Reads and deadlines of one turn of the loop.
const MOST_AT_ONCE: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_a_path_or_a_serial_server() {
        for (text, wanted) in [
            ("/dev/ttyUSB2", Address::Tty("/dev/ttyUSB2".into())),
            ("tty:/dev/ttyUSB2", Address::Tty("/dev/ttyUSB2".into())),
            ("tcp:box:4001", Address::Tcp("box".into(), 4001)),
            ("pts/a:b", Address::Tty("pts/a:b".into())),
        ] {
            assert_eq!(*line(Path::new(text)).address(), wanted);
        }
    }
}
