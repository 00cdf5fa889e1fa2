//! The set-up window after power-on (decisions 3): lines that begin with `AT` are commands, any other frame is
//! kept for the working mode. Noise in front of `AT` is skipped (decisions 16.9) where what follows can only be a
//! command: in one go, printable up to its end. Else it was data.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use bytes::Bytes;

use super::{Line, LineEvent, LineState};
use crate::cx::Cx;
use crate::event::{Event, Output};
use crate::line::assembler::{BACKSPACE, LineAssembler, Outcome, is_printable};
use crate::line::escape::is_escape;
use crate::line::framer::{FRAME_MAX, Framer, Packing};
use crate::seen::Cut;
use crate::status::SerialCounters;
use crate::time::{Duration, Instant};

/// Bytes of frames that are kept at most.
pub(crate) const KEPT_MAX: usize = 15 * 1024;
/// Without packing, frames of the window close after this silence: reads alone tell nothing here.
const SILENCE_MIN: Duration = Duration::from_millis(20);

/// Input of the window, and the frames that it keeps.
#[derive(Debug, Default)]
pub(crate) struct Window {
    state: State,
    line: LineAssembler,
    /// The line as it came, with the time of its last byte: data, should it never end.
    raw: Vec<u8>,
    raw_last: Instant,
    /// Whether the line stands behind noise.
    noisy: bool,
    framer: Framer,
    /// Whether the frame that is being received began behind the silence of an escape.
    behind_guard: bool,
    /// Bytes of escapes.
    escaped: usize,
    kept: VecDeque<Bytes>,
    kept_bytes: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Between lines and frames.
    #[default]
    Start,
    /// An `A` that may begin a command.
    Candidate { byte: u8, at: Instant },
    /// A command line.
    Line,
    /// A frame.
    Frame,
}

/// What a byte completed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Nothing to do.
    More,
    /// These two bytes begin a command line.
    Began([u8; 2]),
    /// As the line assembler says; so many bytes were a command, once the line is complete.
    Line { outcome: Outcome, bytes: usize },
}

/// What the window leaves to the working mode.
#[derive(Debug, Default)]
pub(crate) struct Rest {
    /// Whole frames.
    pub(crate) kept: VecDeque<Bytes>,
    /// A frame that is being received, and the time of its last byte.
    pub(crate) open: Vec<u8>,
    pub(crate) last: Instant,
}

impl Window {
    pub(crate) fn push(
        &mut self,
        byte: u8,
        at: Instant,
        packing: Packing,
        behind_guard: bool,
        mut dropped: impl FnMut(usize),
    ) -> Step {
        if self.is_noisy_line() && self.deadline(packing).is_some_and(|due| due <= at) {
            self.close_frame(packing, &mut dropped);
        }
        match self.state {
            // mutant: window-a
            State::Start if byte.eq_ignore_ascii_case(&b'a') => {
                self.state = State::Candidate { byte, at };
                Step::More
            }
            State::Candidate { byte: first, .. } if byte.eq_ignore_ascii_case(&b't') => {
                self.begin_line(&[], [first, byte], at);
                Step::Began([first, byte])
            }
            State::Frame
                if byte.eq_ignore_ascii_case(&b't') && self.is_behind_noise(at, packing) =>
            {
                let (mut noise, _) = self.framer.take();
                let start = [noise.pop().unwrap_or(b'A'), byte];
                self.begin_line(&noise, start, at);
                Step::Began(start)
            }
            State::Line => self.type_byte(byte, at, packing, dropped),
            State::Start | State::Candidate { .. } | State::Frame => {
                self.frame_byte(byte, at, packing, dropped);
                if self.framer.received().len() == 1 {
                    self.behind_guard = behind_guard;
                }
                Step::More
            }
        }
    }

    /// When silence will have closed the frame.
    pub(crate) fn deadline(&self, packing: Packing) -> Option<Instant> {
        let packing = Self::packing(packing);
        if self.is_noisy_line() {
            Some(self.raw_last + packing.silence)
        } else {
            self.framer.deadline(packing)
        }
    }

    /// Silence has closed the frame.
    pub(crate) fn close_frame(&mut self, packing: Packing, mut dropped: impl FnMut(usize)) {
        if self.is_noisy_line() {
            self.line_was_data(packing, &mut dropped);
        }
        let frame = self.framer.close(Cut::Window);
        self.keep(frame, packing, dropped);
        self.state = State::Start;
    }

    /// Whether a command line is being typed.
    pub(crate) const fn is_typing(&self) -> bool {
        matches!(self.state, State::Line)
    }

    /// Takes out an unfinished command line, as it came.
    pub(crate) fn take_line(&mut self) -> Vec<u8> {
        if self.state != State::Line {
            return Vec::new();
        }
        self.state = State::Start;
        self.line.clear();
        core::mem::take(&mut self.raw)
    }

    /// Takes out what may become a command line, too.
    pub(crate) fn take_typed(&mut self) -> Vec<u8> {
        match self.state {
            State::Candidate { byte, .. } => {
                self.state = State::Start;
                Vec::from([byte])
            }
            State::Start | State::Line | State::Frame => self.take_line(),
        }
    }

    /// The window is over: what was typed of an unfinished line is data, too.
    pub(crate) fn end(&mut self) -> Rest {
        let (open, last) = match self.state {
            State::Candidate { byte, at } => (Vec::from([byte]), at),
            State::Line => (self.take_line(), self.raw_last),
            State::Start | State::Frame => self.framer.take(),
        };
        self.state = State::Start;
        self.kept_bytes = 0;
        Rest {
            kept: core::mem::take(&mut self.kept),
            open,
            last,
        }
    }

    fn packing(packing: Packing) -> Packing {
        Packing {
            silence: packing.silence.max(SILENCE_MIN),
            size: packing.size.min(FRAME_MAX),
        }
    }

    const fn is_noisy_line(&self) -> bool {
        self.noisy && matches!(self.state, State::Line)
    }

    /// Whether the frame that is being received is noise and an `A`.
    fn is_behind_noise(&self, at: Instant, packing: Packing) -> bool {
        let [noise @ .., b'A' | b'a'] = self.framer.received() else {
            return false;
        };
        let goes_on = self
            .framer
            .deadline(Self::packing(packing))
            .is_some_and(|due| at < due);
        goes_on && !noise.is_empty() && !noise.iter().any(is_printable)
    }

    /// No command after all.
    fn line_was_data(&mut self, packing: Packing, dropped: impl FnMut(usize)) {
        let (data, last) = (self.take_line(), self.raw_last);
        self.frame_bytes(&data, last, packing, dropped);
    }

    fn begin_line(&mut self, noise: &[u8], start: [u8; 2], at: Instant) {
        self.state = State::Line;
        self.line.clear();
        self.noisy = !noise.is_empty();
        self.raw = [noise, &start].concat();
        self.raw_last = at;
        start
            .into_iter()
            .for_each(|byte| drop(self.line.push(byte)));
    }

    fn type_byte(
        &mut self,
        byte: u8,
        at: Instant,
        packing: Packing,
        dropped: impl FnMut(usize),
    ) -> Step {
        self.raw.push(byte);
        self.raw_last = at;
        if self.noisy && !is_printable(&byte) && !matches!(byte, b'\r' | b'\n' | BACKSPACE) {
            self.line_was_data(packing, dropped);
            return Step::More;
        }
        let outcome = self.line.push(byte);
        if outcome != Outcome::More {
            let bytes = self.take_line().len();
            return Step::Line { outcome, bytes };
        }
        if self.raw.len() >= KEPT_MAX {
            self.line_was_data(packing, dropped);
        }
        Step::Line { outcome, bytes: 0 }
    }

    fn frame_byte(
        &mut self,
        byte: u8,
        at: Instant,
        packing: Packing,
        mut dropped: impl FnMut(usize),
    ) {
        if let State::Candidate {
            byte: first,
            at: then,
        } = self.state
        {
            self.frame_bytes(&[first], then, packing, &mut dropped);
        }
        self.frame_bytes(&[byte], at, packing, dropped);
    }

    fn frame_bytes(
        &mut self,
        mut data: &[u8],
        at: Instant,
        packing: Packing,
        mut dropped: impl FnMut(usize),
    ) {
        self.state = State::Frame;
        while let Some(frame) = self.framer.next(&mut data, at, Self::packing(packing)) {
            self.keep(frame, packing, &mut dropped);
        }
    }

    fn keep(&mut self, frame: Bytes, packing: Packing, mut dropped: impl FnMut(usize)) {
        if frame.is_empty() {
            return;
        }
        // Commands are taken anyway, so it has what it asks for. What size has cut may go on.
        let is_alone = self.behind_guard && frame.len() < Self::packing(packing).size;
        if is_alone && is_escape(&frame) {
            return self.escaped += frame.len();
        }
        self.kept_bytes += frame.len();
        self.kept.push_back(frame);
        while self.kept_bytes > KEPT_MAX {
            let Some(oldest) = self.kept.pop_front() else {
                return;
            };
            self.kept_bytes -= oldest.len();
            dropped(oldest.len());
        }
    }
}

impl Line {
    pub(super) fn window_bytes(&mut self, data: &mut &[u8], cx: &mut Cx<'_>) -> Option<LineEvent> {
        let packing = self.packing(cx.config);
        let mut behind_guard = self.escape.is_behind_guard(cx.now);
        self.escape.note_byte(cx.now);
        while let Some((&byte, rest)) = data.split_first() {
            *data = rest;
            let now = cx.now;
            let dropped = window_dropper(&mut self.counters, cx);
            let step = self.window.push(byte, now, packing, behind_guard, dropped);
            behind_guard = false;
            self.count_escapes();
            match step {
                Step::More => {}
                Step::Began(first) => self.echo(&first, cx),
                Step::Line { outcome, bytes } => {
                    self.counters.command_bytes += bytes as u64;
                    self.echo(&[byte], cx);
                    let event = self.line_ended(outcome, byte, cx.now);
                    if event.is_some() {
                        return event;
                    }
                }
            }
        }
        None
    }

    /// Silence has closed a frame.
    pub(super) fn close_window_frame(&mut self, cx: &mut Cx<'_>) {
        let packing = self.packing(cx.config);
        let dropped = window_dropper(&mut self.counters, cx);
        self.window.close_frame(packing, dropped);
        self.count_escapes();
    }

    fn count_escapes(&mut self) {
        self.counters.command_bytes += core::mem::take(&mut self.window.escaped) as u64;
    }

    /// `AT+CIOPTIME`: the set-up window lasts for so long from now.
    pub(crate) fn prolong_window(&mut self, until: Instant) {
        if matches!(self.state, LineState::Window { .. }) {
            self.state = LineState::Window { until };
        }
    }

    /// A command line that the set-up window has begun goes on in the online command state.
    pub(crate) fn go_on_typing(&mut self) {
        let typed = self.window.take_typed();
        self.counters.command_bytes += typed.len() as u64;
        typed
            .into_iter()
            .for_each(|byte| drop(self.assembler.push(byte)));
    }

    /// What the set-up window leaves to the working mode.
    pub(crate) fn end_window(&mut self) -> Rest {
        self.window.end()
    }
}

/// Counts a frame of the set-up window that found no room, and says so.
fn window_dropper<'a>(
    counters: &'a mut SerialCounters,
    cx: &'a mut Cx<'_>,
) -> impl FnMut(usize) + 'a {
    move |bytes| {
        counters.dropped_frames += 1;
        counters.dropped_bytes += bytes as u64;
        cx.outputs
            .push_back(Output::Event(Event::WindowFrameDropped { bytes }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKING: Packing = Packing {
        silence: Duration::from_millis(100),
        size: FRAME_MAX,
    };

    fn feed(window: &mut Window, bytes: &[u8], at: u64) -> Vec<Outcome> {
        bytes
            .iter()
            .filter_map(|&byte| {
                match window.push(byte, Instant::from_millis(at), PACKING, false, |_| ()) {
                    Step::Line { outcome, .. } if outcome != Outcome::More => Some(outcome),
                    Step::Line { .. } | Step::Began(_) | Step::More => None,
                }
            })
            .collect()
    }

    #[test]
    fn lines_that_begin_with_at_are_commands() {
        let mut window = Window::default();
        let lines = feed(&mut window, b"AT+CSQ\rat\nATI\r", 0);
        assert_eq!(
            lines,
            [&b"AT+CSQ"[..], b"at", b"ATI"].map(|l| Outcome::Line(l.to_vec()))
        );
        assert!(window.end().open.is_empty());
    }

    #[test]
    fn a_command_typed_by_hand_may_take_its_time() {
        let mut window = Window::default();
        for (at, byte) in b"AT".iter().enumerate() {
            assert!(feed(&mut window, &[*byte], at as u64 * 900).is_empty());
        }
        assert_eq!(
            feed(&mut window, b"\r", 2700),
            [Outcome::Line(b"AT".to_vec())]
        );
    }

    #[test]
    fn any_other_frame_is_kept_with_its_border() {
        let mut window = Window::default();
        feed(&mut window, b"Abc\r\n", 0);
        window.close_frame(PACKING, |_| ());
        feed(&mut window, b"A", 200);
        feed(&mut window, b"A", 400);
        feed(&mut window, b"+++", 450);
        let rest = window.end();
        assert_eq!(
            (rest.kept, rest.open.as_slice()),
            (VecDeque::from(["Abc\r\n".into(), "A".into()]), &b"A+++"[..])
        );
    }

    #[test]
    fn only_a_and_t_begin_a_command_line() {
        for text in ["Status\r", "xAT+CSQ\r", "aBt\r", "*t\r", "A\rT\r"] {
            let mut window = Window::default();
            assert_eq!(feed(&mut window, text.as_bytes(), 0), [], "{text:?}");
            assert_eq!(window.end().open, text.as_bytes());
        }
    }

    /// M10 (decisions 16.9).
    #[test]
    fn m10_noise_in_front_of_at_is_skipped() {
        for noise in [&b"\x00\x00"[..], b"\xff", b"\r\n", b"\x1a"] {
            let mut window = Window::default();
            assert_eq!(
                feed(&mut window, &[noise, b"AT+CSQ\r"].concat(), 0),
                [Outcome::Line(b"AT+CSQ".to_vec())]
            );
            assert_eq!(window.end().open, b"", "{noise:?}");
        }
    }

    #[test]
    fn m10_what_only_looks_like_a_command_behind_noise_is_data() {
        // A byte that nobody types, text in front, or no end of the line.
        for data in [&b"\x01AT\x00\x02\r"[..], b"\x01x\x02AT\r", b"\xffAT+C"] {
            let mut window = Window::default();
            assert_eq!(feed(&mut window, data, 0), [], "{data:?}");
            assert_eq!(window.end().open, data);
        }
        // Silence ends it, whether the host looks in time or not.
        for looks in [true, false] {
            let mut window = Window::default();
            feed(&mut window, b"\xffAT+C", 0);
            assert_eq!(window.deadline(PACKING), Some(Instant::from_millis(100)));
            if looks {
                window.close_frame(PACKING, |_| ());
            }
            assert_eq!(
                feed(&mut window, b"AT\r", 100),
                [Outcome::Line(b"AT".to_vec())]
            );
            let rest = window.end();
            assert_eq!(
                (rest.kept, rest.open.as_slice()),
                (VecDeque::from([Bytes::from_static(b"\xffAT+C")]), &b""[..])
            );
        }
    }

    #[test]
    fn an_unfinished_line_is_data_when_the_window_ends() {
        let mut window = Window::default();
        feed(&mut window, b"AT+CI", 0);
        assert_eq!(window.end().open, b"AT+CI");
    }

    #[test]
    fn the_oldest_frames_go_when_there_is_no_room_and_are_counted() {
        let mut window = Window::default();
        let mut lost = 0;
        for at in 0..20 {
            for _ in 0..1024 {
                window.push(b'x', Instant::from_millis(at), PACKING, false, |n| {
                    lost += n
                });
            }
        }
        let kept: usize = window.end().kept.iter().map(Bytes::len).sum();
        assert_eq!((kept, lost), (15 * 1024, 5 * 1024));
    }
}
