//! The set-up window after power-on (decisions 3): lines that begin with `AT` are commands, any other frame is
//! kept for the working mode.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use bytes::Bytes;

use crate::serial::framer::{FRAME_MAX, Framer, Packing};
use crate::serial::line::{LineAssembler, Typed};
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
    framer: Framer,
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
    /// As the line assembler says.
    Typed(Typed),
}

impl Window {
    pub(crate) fn push(
        &mut self,
        byte: u8,
        at: Instant,
        packing: Packing,
        dropped: impl FnMut(usize),
    ) -> Step {
        match self.state {
            State::Start if byte.eq_ignore_ascii_case(&b'a') => {
                self.state = State::Candidate { byte, at };
                Step::More
            }
            State::Candidate { byte: first, .. } if byte.eq_ignore_ascii_case(&b't') => {
                self.state = State::Line;
                self.line.clear();
                self.line.push(first);
                self.line.push(byte);
                Step::Began([first, byte])
            }
            State::Line => self.type_byte(byte),
            State::Start | State::Candidate { .. } | State::Frame => {
                self.frame_byte(byte, at, packing, dropped);
                Step::More
            }
        }
    }

    /// When silence will have closed the frame.
    pub(crate) fn deadline(&self, packing: Packing) -> Option<Instant> {
        self.framer.deadline(Self::packing(packing))
    }

    /// Silence has closed the frame.
    pub(crate) fn close_frame(&mut self, dropped: impl FnMut(usize)) {
        let frame = self.framer.close();
        self.keep(frame, dropped);
        self.state = State::Start;
    }

    /// Takes out an unfinished command line.
    pub(crate) fn take_line(&mut self) -> Vec<u8> {
        if self.state != State::Line {
            return Vec::new();
        }
        self.state = State::Start;
        self.line.take()
    }

    /// The window is over: what was typed of an unfinished line is data, too.
    pub(crate) fn end(&mut self, dropped: impl FnMut(usize)) -> VecDeque<Bytes> {
        let rest = match self.state {
            State::Candidate { byte, .. } => Bytes::copy_from_slice(&[byte]),
            State::Line => Bytes::from(self.line.take()),
            State::Start | State::Frame => self.framer.close(),
        };
        self.keep(rest, dropped);
        self.line.clear();
        self.state = State::Start;
        self.kept_bytes = 0;
        core::mem::take(&mut self.kept)
    }

    fn packing(packing: Packing) -> Packing {
        Packing { silence: packing.silence.max(SILENCE_MIN), size: packing.size.min(FRAME_MAX) }
    }

    fn type_byte(&mut self, byte: u8) -> Step {
        let typed = self.line.push(byte);
        if typed != Typed::More {
            self.state = State::Start;
        }
        Step::Typed(typed)
    }

    fn frame_byte(&mut self, byte: u8, at: Instant, packing: Packing, dropped: impl FnMut(usize)) {
        let mut frames = Vec::new();
        if let State::Candidate { byte: first, at: then } = self.state {
            self.framer.push(&[first], then, Self::packing(packing), |frame| frames.push(frame));
        }
        self.framer.push(&[byte], at, Self::packing(packing), |frame| frames.push(frame));
        self.state = State::Frame;
        let mut dropped = dropped;
        frames.into_iter().for_each(|frame| self.keep(frame, &mut dropped));
    }

    fn keep(&mut self, frame: Bytes, mut dropped: impl FnMut(usize)) {
        if frame.is_empty() {
            return;
        }
        self.kept_bytes += frame.len();
        self.kept.push_back(frame);
        while self.kept_bytes > KEPT_MAX {
            let Some(oldest) = self.kept.pop_front() else { return };
            self.kept_bytes -= oldest.len();
            dropped(oldest.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKING: Packing = Packing { silence: Duration::from_millis(100), size: FRAME_MAX };

    fn feed(window: &mut Window, bytes: &[u8], at: u64) -> Vec<Typed> {
        bytes
            .iter()
            .filter_map(|&byte| match window.push(byte, Instant::from_millis(at), PACKING, |_| ()) {
                Step::Typed(typed) if typed != Typed::More => Some(typed),
                Step::Typed(_) | Step::Began(_) | Step::More => None,
            })
            .collect()
    }

    #[test]
    fn lines_that_begin_with_at_are_commands() {
        let mut window = Window::default();
        let lines = feed(&mut window, b"AT+CSQ\rat\nATI\r", 0);
        assert_eq!(lines, [&b"AT+CSQ"[..], b"at", b"ATI"].map(|l| Typed::Line(l.to_vec())));
        assert!(window.end(|_| ()).is_empty());
    }

    #[test]
    fn a_command_typed_by_hand_may_take_its_time() {
        let mut window = Window::default();
        for (at, byte) in b"AT".iter().enumerate() {
            assert!(feed(&mut window, &[*byte], at as u64 * 900).is_empty());
        }
        assert_eq!(feed(&mut window, b"\r", 2700), [Typed::Line(b"AT".to_vec())]);
    }

    #[test]
    fn any_other_frame_is_kept_with_its_border() {
        let mut window = Window::default();
        feed(&mut window, b"Abc\r\n", 0);
        window.close_frame(|_| ());
        feed(&mut window, b"A", 200);
        feed(&mut window, b"A", 400);
        feed(&mut window, b"+++", 450);
        assert_eq!(window.end(|_| ()), ["Abc\r\n", "A", "A+++"]);
    }

    #[test]
    fn an_unfinished_line_is_data_when_the_window_ends() {
        let mut window = Window::default();
        feed(&mut window, b"AT+CI", 0);
        assert_eq!(window.end(|_| ()), ["AT+CI"]);
    }

    #[test]
    fn the_oldest_frames_go_when_there_is_no_room_and_are_counted() {
        let mut window = Window::default();
        let mut lost = 0;
        for at in 0..20 {
            for _ in 0..1024 {
                window.push(b'x', Instant::from_millis(at), PACKING, |n| lost += n);
            }
        }
        let kept: usize = window.end(|n| lost += n).iter().map(Bytes::len).sum();
        assert_eq!((kept, lost), (15 * 1024, 5 * 1024));
    }
}
