//! The serial line: what bytes of the DTE are, and the queue back.
//!
//! ```text
//! bytes ─► set-up window ──► command lines, frames that are kept
//!          prompt ─────────► a text
//!          escape ─► assembler (online command state) ─► command lines
//!                  └► framer (online data state) ──────► frames
//! ```
//! The device asks for one [`LineEvent`] after the other, for each may change what the bytes behind it are.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use bytes::Bytes;

use crate::config::{Config, FrameKind, LineFormat, Options};
use crate::cx::Cx;
use crate::event::{Event, HttpdEvent, Output};
use crate::seen::Cut;
use crate::sms;
use crate::status::SerialCounters;
use crate::time::{Duration, Instant};

use assembler::{LineAssembler, is_blank};
use escape::{EscapeDetector, FeedResult, Held};
use framer::{CutRequest, FRAME_MAX, Framer, Packing, REQUEST_MAX};
use printer::Printer;
use prompt::{Entry, Prompt};
use window::Window;

pub(crate) mod assembler;
mod escape;
pub(crate) mod framer;
mod output;
mod port;
mod printer;
pub(crate) mod prompt;
mod room;
mod state;
mod urcs;
mod watched;
mod window;

pub(crate) use port::Source;
pub(crate) use printer::{Class, Dialogue};
pub(crate) use room::{Peers, Terms};
pub(crate) use state::LineState;
pub(crate) use urcs::{Keep, Urc};
pub(crate) use window::Rest;

/// A program that asks again within these times polls.
const POLLS_SHORTEST: Duration = Duration::from_millis(400);
const POLLS_LONGEST: Duration = Duration::from_millis(700);
/// A LF belongs to the command before it when it comes so soon (decisions 16.10): some programs write it by itself.
const LF_SLACK: Duration = Duration::from_millis(50);
/// The CR of a LFCR comes with its LF.
const CR_SLACK: Duration = Duration::from_millis(2);
/// A character has at most so many bytes: a frame of text never closes within its first one.
const CHARACTER_MAX: usize = 4;

/// What bytes of the DTE make, or a write that is out.
#[derive(Debug)]
pub(crate) enum LineEvent {
    /// A whole frame: a command, or data for the working mode.
    Frame(Bytes),
    /// A command line, without its end.
    Command(Vec<u8>),
    /// The end of a command line that was too long and is dropped whole.
    TooLong,
    /// What the DTE did at the prompt, which is closed.
    Text(Entry),
    /// The short message that was being written is out.
    MessageWritten,
}

/// The line to the DTE.
#[derive(Debug)]
pub(crate) struct Line {
    state: LineState,
    /// The line format in force.
    format: LineFormat,
    options: Arc<Options>,
    printer: Printer,
    escape: EscapeDetector,
    /// What was held for an escape that was none, until it is packed or typed.
    released: Held,
    framer: Framer,
    frames: FrameKind,
    cut_request: CutRequest,
    window: Window,
    assembler: LineAssembler,
    prompt: Option<Box<Prompt>>,
    /// What `A/` repeats.
    last_line: Vec<u8>,
    /// Serial bytes that came while no command could run. Reading stops meanwhile: one read at most.
    backlog: Vec<u8>,
    /// The LF of a CRLF (or the CR of a LFCR) that may still follow a command, and until when.
    pending_lf: Option<(u8, Instant)>,
    counters: SerialCounters,
    /// When the DTE last sent something.
    last_from_dte: Instant,
    /// How often a program polls, where it does so about twice a second.
    polls: Option<Duration>,
    /// The last one in front of bytes of the DTE that was no pause within a line.
    silence: Duration,
}

impl Line {
    /// The line of a device that is powered on.
    pub(crate) fn new(format: LineFormat, options: Arc<Options>, now: Instant) -> Self {
        Self {
            state: LineState::Window { until: now },
            format,
            printer: Printer::new(now),
            escape: EscapeDetector::new(options.escape_gap),
            released: Held::default(),
            framer: Framer::default(),
            frames: FrameKind::Data,
            cut_request: CutRequest::default(),
            window: Window::default(),
            assembler: LineAssembler::default(),
            prompt: None,
            last_line: Vec::new(),
            backlog: Vec::new(),
            pending_lf: None,
            counters: SerialCounters::default(),
            last_from_dte: now,
            polls: None,
            silence: Duration::MAX,
            options,
        }
    }

    /// The device starts over: a set-up window.
    pub(crate) fn power_on(&mut self, format: LineFormat, now: Instant) {
        self.state = LineState::Window {
            until: now + self.options.setup_window,
        };
        self.format = format;
        self.frames = FrameKind::Data;
        self.last_from_dte = now;
        self.counters.dropped_urcs += self.printer.power_on(now).urcs;
        self.assembler.clear();
        self.counters.dropped_bytes += self.window.take_line().len() as u64;
    }

    /// From now on frames are of this kind.
    pub(crate) const fn pack_as(&mut self, frames: FrameKind) {
        self.frames = frames;
    }

    /// The DTE has sent so many bytes.
    pub(crate) fn note_received(&mut self, len: usize, now: Instant) {
        self.counters.bytes_in += len as u64;
        let silence = now.since(self.last_from_dte);
        if silence >= POLLS_SHORTEST {
            let is_poll = silence <= POLLS_LONGEST;
            // Twice in a row: once is chance.
            self.polls = (is_poll && self.silence <= POLLS_LONGEST).then_some(silence);
            self.silence = silence;
        }
        self.last_from_dte = now;
    }

    /// What the front of `data` makes, which is taken from it; `None` = all of it is taken. A command that waits for its
    /// answer keeps what is behind it waiting: only its outcome shows what that is.
    pub(crate) fn next(
        &mut self,
        data: &mut &[u8],
        commands_wait: bool,
        cx: &mut Cx<'_>,
    ) -> Option<LineEvent> {
        loop {
            // What was held came before everything else.
            if !self.released.is_empty()
                && let Some(event) = self.replay(cx)
            {
                return Some(event);
            }
            self.skip_line_end(data, cx.now);
            if data.is_empty() {
                return None;
            }
            if commands_wait || !self.backlog.is_empty() {
                self.backlog.extend_from_slice(core::mem::take(data));
                return None;
            }
            let event = match self.state {
                LineState::Window { .. } | LineState::OnlineCommand if self.prompt.is_some() => {
                    self.prompt_bytes(data, cx)
                }
                LineState::Window { .. } => self.window_bytes(data, cx),
                LineState::OnlineCommand if !self.answers_escape() => {
                    self.escape.note_byte(cx.now);
                    self.type_bytes(data, cx)
                }
                LineState::OnlineCommand | LineState::OnlineData => self.escape_bytes(data, cx),
            };
            if event.is_some() {
                return event;
            }
        }
    }

    /// What bytes of the DTE are now.
    pub(crate) const fn state(&self) -> LineState {
        self.state
    }

    /// The line format in force.
    pub(crate) const fn format(&self) -> LineFormat {
        self.format
    }

    /// When the DTE last sent something.
    pub(crate) const fn last_from_dte(&self) -> Instant {
        self.last_from_dte
    }

    pub(crate) const fn counters(&self) -> &SerialCounters {
        &self.counters
    }

    pub(crate) const fn counters_mut(&mut self) -> &mut SerialCounters {
        &mut self.counters
    }

    /// Counts a frame of the DTE.
    pub(crate) const fn note_frame(&mut self, frame: &Bytes) {
        self.counters.frames_in += 1;
        self.counters.frame_bytes += frame.len() as u64;
    }

    /// Bytes that waited for a command to end.
    pub(crate) fn take_backlog(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.backlog)
    }

    /// Whether there is nothing that [`Self::next`] could take.
    pub(crate) const fn has_taken(&self, data: &[u8]) -> bool {
        data.is_empty() && self.released.is_empty()
    }

    pub(crate) const fn has_backlog(&self) -> bool {
        !self.backlog.is_empty()
    }

    /// Leaves out the second half of a command's line end, whatever the line is by now.
    fn skip_line_end(&mut self, data: &mut &[u8], now: Instant) {
        let Some((first, rest)) = data.split_first() else {
            return;
        };
        if let Some((byte, until)) = self.pending_lf.take()
            && *first == byte
            && (now <= until || self.awaits_text(byte))
        {
            self.counters.command_bytes += 1;
            self.escape.note_byte(now);
            *data = rest;
        }
    }

    /// Whether a prompt waits for the first byte of its text, which a LF is not: one that comes late belongs to the line
    /// before. Where the length is given each byte counts.
    fn awaits_text(&self, byte: u8) -> bool {
        let prompt = self.prompt.as_deref();
        byte == b'\n' && prompt.is_some_and(Prompt::skips_a_line_end)
    }

    /// Up to the end of a command line.
    fn type_bytes(&mut self, data: &mut &[u8], cx: &mut Cx<'_>) -> Option<LineEvent> {
        while let Some((&byte, rest)) = data.split_first() {
            *data = rest;
            self.counters.command_bytes += 1;
            self.echo(&[byte], cx);
            let outcome = self.assembler.push(byte);
            let event = self.line_ended(outcome, byte, cx.now);
            if event.is_some() {
                return event;
            }
        }
        None
    }

    fn line_ended(
        &mut self,
        outcome: assembler::Outcome,
        end: u8,
        now: Instant,
    ) -> Option<LineEvent> {
        if outcome == assembler::Outcome::More {
            return None;
        }
        self.expect_line_end_behind(end, now);
        match outcome {
            assembler::Outcome::More => None,
            assembler::Outcome::Line(line) => {
                // V.250 5.2.4: `A/` runs the line before it once more.
                if !is_blank(&line) {
                    self.last_line.clone_from(&line);
                }
                Some(LineEvent::Command(line))
            }
            assembler::Outcome::Again if self.last_line.is_empty() => {
                Some(LineEvent::Command(b"AT".to_vec()))
            }
            assembler::Outcome::Again => Some(LineEvent::Command(self.last_line.clone())),
            assembler::Outcome::TooLong => Some(LineEvent::TooLong),
        }
    }

    /// The other half of a two-byte line end may follow, even where data begins.
    fn expect_line_end_behind(&mut self, end: u8, now: Instant) {
        let (byte, slack) = match end {
            b'\r' => (b'\n', LF_SLACK),
            b'\n' => (b'\r', CR_SLACK),
            // `A/` needs no end; one that stands behind it is no data.
            _ => (b'\r', LF_SLACK),
        };
        let two_characters = self.format.character_time() * 2;
        self.pending_lf = Some((byte, now + slack.max(two_characters + CR_SLACK)));
    }

    /// Bytes that may be an escape. Those behind something that is released come by once more, which changes nothing: an
    /// escape begins behind a silence.
    fn escape_bytes(&mut self, data: &mut &[u8], cx: &mut Cx<'_>) -> Option<LineEvent> {
        match self.escape.feed(data, cx.now) {
            FeedResult::Held { released } => {
                *data = &[];
                self.released = released;
                None
            }
            FeedResult::Data { released } if !released.is_empty() => {
                self.released = released;
                None
            }
            FeedResult::Data { .. } | FeedResult::Plain
                if self.state == LineState::OnlineCommand =>
            {
                self.type_bytes(data, cx)
            }
            FeedResult::Data { .. } | FeedResult::Plain => self.pack(data, cx.now, cx),
        }
    }

    /// Held bytes turned out to be no escape: in the online command state they were typed, else they are data, which
    /// arrived when it arrived.
    fn replay(&mut self, cx: &mut Cx<'_>) -> Option<LineEvent> {
        while !self.released.is_empty() {
            let released = self.released;
            let (read, at) = released.first_read();
            let mut rest = read;
            let event = if self.state == LineState::OnlineCommand {
                self.type_bytes(&mut rest, cx)
            } else {
                self.pack(&mut rest, at, cx)
            };
            self.released.consume(read.len() - rest.len());
            if event.is_some() {
                return event;
            }
        }
        None
    }

    /// Data that arrived at `at`, up to the end of a frame.
    pub(crate) fn pack(
        &mut self,
        data: &mut &[u8],
        at: Instant,
        cx: &mut Cx<'_>,
    ) -> Option<LineEvent> {
        if data.is_empty() {
            return None;
        }
        let packing = self.packing(cx.config);
        let mut frame = self.framer.next(data, at, packing);
        match self.frames {
            FrameKind::Data => {}
            FrameKind::Request => {
                let more = !data.is_empty();
                if self.cut_request.note(frame.as_ref(), more, at, packing) {
                    let event = Event::Httpd(HttpdEvent::Cut { at: REQUEST_MAX });
                    cx.outputs.push_back(Output::Event(event));
                }
            }
            FrameKind::Text => {
                // Size has cut in the middle of a character: the next frame begins with it, for neither would be text.
                if let Some(frame) = frame.as_mut().filter(|frame| frame.len() == packing.size) {
                    let torn = sms::torn_end(frame, self.options.charset);
                    self.framer.give_back(&frame.split_off(frame.len() - torn));
                }
            }
        }
        frame.map(LineEvent::Frame)
    }

    fn packing(&self, config: &Config) -> Packing {
        let silence = Duration::from_millis(u64::from(config.packing_time));
        // On a slow line the bytes of a run are a character apart: less is no silence.
        let silence = if silence.is_zero() {
            silence
        } else {
            silence.max(self.format.character_time() * 3 / 2)
        };
        let length = usize::from(config.packing_length);
        let by_length = self.options.length_enabled && length > 0;
        let (least, most) = match self.frames {
            FrameKind::Data => (1, FRAME_MAX),
            FrameKind::Request => (1, REQUEST_MAX),
            FrameKind::Text => (CHARACTER_MAX, FRAME_MAX),
        };
        Packing {
            silence,
            size: if by_length {
                length.clamp(least, most)
            } else {
                most
            },
        }
    }

    /// The working mode ends, and with it the frame that is being received, with what the escape holds. To be called
    /// until nothing comes.
    pub(crate) fn end_frame(&mut self, cx: &mut Cx<'_>) -> Option<LineEvent> {
        let released = self.replay(cx);
        if released.is_some() {
            return released;
        }
        self.released = self.escape.reset();
        self.replay(cx).or_else(|| self.close_frame(Cut::Mode))
    }

    fn close_frame(&mut self, cut: Cut) -> Option<LineEvent> {
        let frame = self.framer.close(cut);
        (!frame.is_empty()).then_some(LineEvent::Frame(frame))
    }

    /// When silence will have closed a frame.
    pub(crate) fn frame_deadline(&self, config: &Config) -> Option<Instant> {
        match self.state {
            LineState::Window { .. } => self.window.deadline(self.packing(config)),
            // What the escape holds may belong to the frame.
            LineState::OnlineCommand | LineState::OnlineData
                if self.escape.holds() || self.framer.is_empty() =>
            {
                None
            }
            LineState::OnlineCommand | LineState::OnlineData => {
                self.framer.deadline(self.packing(config))
            }
        }
    }

    /// Silence has closed the frame.
    pub(crate) fn frame_due(&mut self, cx: &mut Cx<'_>) -> Option<LineEvent> {
        if !matches!(self.state, LineState::Window { .. }) {
            return self.close_frame(Cut::Silence);
        }
        self.close_window_frame(cx);
        None
    }

    /// Whether no byte of the DTE waits for those behind it.
    pub(crate) const fn has_passed_on_all(&self) -> bool {
        self.framer.is_empty() && !self.escape.holds()
    }

    pub(crate) fn enter_online_command(&mut self, cx: &mut Cx<'_>) {
        self.assembler.clear();
        self.state = LineState::OnlineCommand;
        self.printer.begin_commands(cx.now);
        cx.outputs
            .push_back(Output::Event(Event::CommandState(true)));
    }

    /// The working mode begins.
    pub(crate) fn start_online_data(&mut self) {
        self.state = LineState::OnlineData;
        self.counters.dropped_urcs += self.printer.begin_data().urcs;
    }

    /// Back to the working mode: what the network sent meanwhile goes out.
    pub(crate) fn enter_online_data(&mut self, cx: &mut Cx<'_>) {
        self.start_online_data();
        cx.outputs
            .push_back(Output::Event(Event::CommandState(false)));
        self.print_held(cx);
    }

    /// The line of the DTE that is gone: the next one shall not type on.
    pub(crate) fn drop_typed(&mut self) {
        if self.state == LineState::OnlineCommand {
            self.assembler.clear();
        }
    }
}

#[cfg(test)]
mod tests;
