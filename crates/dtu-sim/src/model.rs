//! The reference model of the serial line: what is data, where a frame ends, what is an escape.
//!
//! Written from the rules alone (escape: leading silence, gaps, lone `a`; framing: silence, size), over a plain
//! list of `(time, byte)`; it shares no code with the device. The device is judged by it.

use std::collections::VecDeque;

use crate::MS;

/// Silence that must precede `+++`: more than this.
const LEAD: u64 = 200 * MS;
/// Silence behind the third `+`, and behind the `a`.
const TRAIL: u64 = 20 * MS;
/// The `a` must come within this.
const ANSWER: u64 = 3_000 * MS;
/// An `a` that a slow DTE keeps from being printed is waited for so long (own).
const OFFER: u64 = 600_000 * MS;
/// TIME 0: a text for a prompt ends with so much silence.
const TEXT_SILENCE: u64 = 10 * MS;
/// A frame has at most so many bytes.
pub(crate) const FRAME_MAX: usize = 1024;
/// In mode 3.
pub(crate) const REQUEST_MAX: usize = 8192;

/// What the line is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// AT lines are commands, other frames wait for the mode.
    Window,
    Data,
    Command,
    /// A prompt waits for a text: so many bytes, or (0) up to a silence.
    Text {
        wanted: usize,
    },
}

/// What the model events out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LineEvent {
    /// A data frame (or an inline command: the caller looks).
    Frame(Vec<u8>),
    /// The device must print its `a`.
    Prompt,
    /// The handshake is complete: `+ok`, and so many bytes were part of it.
    Escaped(usize),
    /// A command line in the command state (or in the window).
    Line(Vec<u8>),
    /// The text for a prompt.
    Text(Vec<u8>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Escape {
    None,
    Pluses(u8),
    /// Three pluses stand, perhaps with line ends behind.
    Full(Tail),
    /// The device prints its `a`, or (true) has printed it; until when the DTE may answer.
    Asked {
        written: bool,
        until: u64,
        tail: Tail,
    },
    /// The DTE's `a` stands.
    Answered(Tail),
}

/// At most one CR and one LF.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tail {
    cr: bool,
    lf: bool,
}

impl Tail {
    fn take(&mut self, byte: u8) -> bool {
        let seen = match byte {
            b'\r' => &mut self.cr,
            b'\n' => &mut self.lf,
            _ => return false,
        };
        !std::mem::replace(seen, true)
    }
}

#[derive(Clone, Copy, Debug)]
struct Byte {
    at: u64,
    value: u8,
    read: u64,
}

/// The model.
#[derive(Debug)]
pub(crate) struct LineModel {
    pub(crate) phase: Phase,
    /// `CIPCFG` TIME in µs; 0 = each read is a frame.
    pub(crate) packing: u64,
    /// A frame closes at so many bytes.
    pub(crate) frame_max: usize,
    /// A gap inside `+++` stays below this, in µs.
    pub(crate) gap: u64,
    escape: Escape,
    held: Vec<Byte>,
    last: Option<u64>,
    reads: u64,
    open: Vec<u8>,
    open_last: u64,
    open_read: u64,
    /// Whether it began behind the silence of an escape.
    open_alone: bool,
    line: Vec<u8>,
    /// The other half of a two-byte line end that may follow at once.
    pending_half: Option<Byte>,
    /// `a`s that are not printed yet; only the last counts.
    offers: u32,
    events: VecDeque<LineEvent>,
}

impl LineModel {
    pub(crate) fn new(phase: Phase, packing_ms: u16, gap: u64) -> Self {
        Self {
            phase,
            packing: u64::from(packing_ms) * MS,
            frame_max: FRAME_MAX,
            gap,
            escape: Escape::None,
            held: Vec::new(),
            last: None,
            reads: 0,
            open: Vec::new(),
            open_last: 0,
            open_read: 0,
            open_alone: false,
            line: Vec::new(),
            pending_half: None,
            offers: 0,
            events: VecDeque::new(),
        }
    }

    /// The line at a power-on, with nothing behind it.
    pub(crate) fn anew(&self, packing_ms: u16) -> Self {
        Self::new(Phase::Window, packing_ms, self.gap)
    }

    /// The same line after a restart: silence is counted from its last byte on, and the second half of the line end of
    /// the command that restarts belongs to that.
    pub(crate) fn restarted(&self, packing_ms: u16) -> Self {
        Self {
            last: self.last,
            reads: self.reads,
            offers: self.offers,
            pending_half: self.pending_half,
            ..self.anew(packing_ms)
        }
    }

    pub(crate) fn next(&mut self) -> Option<LineEvent> {
        self.events.pop_front()
    }

    /// Whether a frame is being received: a serial heartbeat must not come now.
    pub(crate) fn frame_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// Bytes that have come and are in no frame yet.
    pub(crate) fn unfinished(&self) -> usize {
        self.open.len() + self.held.len()
    }

    /// The device's own `a` is out.
    pub(crate) fn prompt_written(&mut self, at: u64) {
        self.offers = self.offers.saturating_sub(1);
        if let Escape::Asked { written, until, .. } = &mut self.escape
            && !*written
            && self.offers == 0
        {
            (*written, *until) = (true, at + ANSWER);
        }
    }

    /// Time has passed.
    pub(crate) fn advance(&mut self, now: u64) {
        let since = |last: Option<u64>| now.saturating_sub(last.unwrap_or(0));
        match self.escape {
            Escape::Pluses(_) if since(self.last) >= self.gap => self.give_up(),
            Escape::Full(tail) if since(self.last) >= TRAIL => {
                // An `a` that cannot be printed is not waited for without end.
                let until = self.last.unwrap_or(0) + TRAIL + OFFER;
                self.offers += 1;
                self.escape = Escape::Asked {
                    written: false,
                    until,
                    tail,
                };
                self.events.push_back(LineEvent::Prompt);
            }
            Escape::Asked { until, .. } if now >= until => self.give_up(),
            Escape::Answered(_) if since(self.last) >= TRAIL => self.succeed(),
            Escape::None
            | Escape::Pluses(_)
            | Escape::Full(_)
            | Escape::Asked { .. }
            | Escape::Answered(_) => {}
        }
        if self.held.is_empty() && now >= self.open_last + self.silence() {
            self.close();
        }
        let until_silence = self.phase == Phase::Text { wanted: 0 } && !self.line.is_empty();
        if until_silence && since(self.last) >= self.packing.max(TEXT_SILENCE) {
            self.end_text();
        }
    }

    /// A prompt is printed.
    pub(crate) fn prompt_opens(&mut self, wanted: usize) {
        self.phase = Phase::Text { wanted };
        self.line.clear();
    }

    /// The prompt is gone without its text.
    pub(crate) fn prompt_ends(&mut self) {
        self.phase = Phase::Command;
        self.line.clear();
    }

    fn end_text(&mut self) {
        self.phase = Phase::Command;
        self.events
            .push_back(LineEvent::Text(std::mem::take(&mut self.line)));
    }

    fn text(&mut self, value: u8) {
        self.line.push(value);
        if self.phase
            == (Phase::Text {
                wanted: self.line.len(),
            })
        {
            self.end_text();
        }
    }

    /// One read of the host, up to the end of a command line: what that command does decides what the rest is.
    /// Returns how many bytes that were.
    pub(crate) fn read(&mut self, now: u64, bytes: &[u8]) -> usize {
        self.advance(now);
        self.reads += 1;
        for (place, value) in bytes.iter().enumerate() {
            self.byte(Byte {
                at: now,
                value: *value,
                read: self.reads,
            });
            if matches!(
                self.events.back(),
                Some(LineEvent::Line(_) | LineEvent::Text(_))
            ) {
                return place + 1;
            }
        }
        if self.silence() == 0 && self.held.is_empty() {
            self.close();
        }
        bytes.len()
    }

    fn byte(&mut self, byte: Byte) {
        let pending_half = self.pending_half.take().is_some_and(|pending_half| {
            let late = byte.value == b'\n'
                && (byte.at <= pending_half.at + LINE_FEED_WITHIN
                    || matches!(self.phase, Phase::Text { wanted: 0 }));
            pending_half.value == byte.value && (pending_half.at == byte.at || late)
        });
        match self.phase {
            Phase::Data if pending_half => {}
            Phase::Data => self.data(byte),
            // Else its own second half would be expected in turn.
            Phase::Command if pending_half => {}
            Phase::Command => self.command(byte),
            Phase::Text { .. } if pending_half => {}
            Phase::Text { .. } => self.text(byte.value),
            Phase::Window if pending_half => {}
            Phase::Window => {
                self.push(byte);
                if self.open.len() == 1 {
                    self.open_alone = self.last.is_none_or(|last| byte.at - last > LEAD);
                }
            }
        }
        self.last = Some(byte.at);
    }

    fn command(&mut self, byte: Byte) {
        let pending_half = match byte.value {
            b'\r' => b'\n',
            b'\n' => b'\r',
            value => return self.line.push(value),
        };
        self.pending_half = Some(Byte {
            value: pending_half,
            ..byte
        });
        let line = std::mem::take(&mut self.line);
        if !line.is_empty() {
            self.events.push_back(LineEvent::Line(line));
        }
    }

    fn data(&mut self, byte: Byte) {
        let next = match self.escape {
            Escape::None => None,
            Escape::Pluses(2) if byte.value == b'+' => Some(Escape::Full(Tail::default())),
            Escape::Pluses(n) => (byte.value == b'+').then_some(Escape::Pluses(n + 1)),
            Escape::Full(mut tail) => tail.take(byte.value).then_some(Escape::Full(tail)),
            Escape::Asked { written: true, .. } if byte.value.eq_ignore_ascii_case(&b'a') => {
                Some(Escape::Answered(Tail::default()))
            }
            Escape::Asked {
                written,
                until,
                mut tail,
            } => tail.take(byte.value).then_some(Escape::Asked {
                written,
                until,
                tail,
            }),
            Escape::Answered(mut tail) => tail.take(byte.value).then_some(Escape::Answered(tail)),
        };
        if let Some(next) = next {
            self.escape = next;
            return self.held.push(byte);
        }
        self.give_up();
        if self.silence() == 0 && byte.read != self.open_read {
            self.close();
        }
        if byte.value == b'+' && self.last.is_none_or(|last| byte.at - last > LEAD) {
            self.escape = Escape::Pluses(1);
            self.held.push(byte);
        } else {
            self.push(byte);
        }
    }

    fn give_up(&mut self) {
        self.escape = Escape::None;
        for byte in std::mem::take(&mut self.held) {
            self.push(byte);
        }
    }

    fn succeed(&mut self) {
        self.escape = Escape::None;
        self.phase = Phase::Command;
        self.line.clear();
        let part = std::mem::take(&mut self.held).len();
        self.events.push_back(LineEvent::Escaped(part));
    }

    fn push(&mut self, byte: Byte) {
        let apart = if self.silence() == 0 {
            byte.read != self.open_read
        } else {
            byte.at >= self.open_last + self.silence()
        };
        if apart {
            self.close();
        }
        self.open.push(byte.value);
        (self.open_last, self.open_read) = (byte.at, byte.read);
        if self.open.len() == self.frame_max && self.silence() > 0 {
            self.close();
        }
    }

    /// Silence that closes a frame. In the window each read tells nothing: there it is 20 ms at least.
    fn silence(&self) -> u64 {
        if self.phase == Phase::Window {
            self.packing.max(20 * MS)
        } else {
            self.packing
        }
    }

    /// The window is over; what is being received goes on.
    pub(crate) fn mode_starts(&mut self) {
        self.phase = Phase::Data;
    }

    /// The line is in the command state from now on (AT mode).
    pub(crate) fn command_state(&mut self) {
        self.phase = Phase::Command;
        self.line.clear();
    }

    /// The device ends what it does: all that has come is data.
    pub(crate) fn flush(&mut self) {
        self.give_up();
        self.open_alone = false;
        self.close();
    }

    fn close(&mut self) {
        // In the window an escape asks for what is there anyway.
        let is_alone = std::mem::take(&mut self.open_alone) && self.open.len() < self.frame_max;
        if is_alone && self.phase == Phase::Window && ESCAPES.contains(&self.open.as_slice()) {
            self.open.clear();
        }
        if !self.open.is_empty() {
            self.events
                .push_back(LineEvent::Frame(std::mem::take(&mut self.open)));
        }
    }
}

const ESCAPES: [&[u8]; 5] = [b"+++", b"+++\r", b"+++\n", b"+++\r\n", b"+++\n\r"];
/// A line feed so soon behind a carriage return belongs to the command (decisions 16.10).
const LINE_FEED_WITHIN: u64 = 50 * crate::MS;
