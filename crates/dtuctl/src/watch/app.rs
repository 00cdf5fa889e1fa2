//! What the terminal does with keys, bytes and time: no screen, no port, no clock.

use std::time::{Duration, SystemTime};

use dtu_setup::Sentence;
use dtu_setup::charset::Charset;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::escape::{Escape, Step};
use super::prompt::Prompt;
use super::rows::Rows;
use crate::say::{self, said};

#[derive(Debug, Default)]
pub(super) struct App {
    pub(super) rows: Rows,
    pub(super) prompt: Prompt,
    pub(super) filter: String,
    pub(super) is_filtering: bool,
    /// So many lines above the end; 0 follows.
    pub(super) scrolled: usize,
    pub(super) received: u64,
    pub(super) sent: u64,
    /// The device is in its command state by our doing.
    pub(super) is_in_command_state: bool,
    pub(super) is_gone: bool,
    escape: Option<Escape>,
    last_sent: Option<Duration>,
    ends: bool,
}

/// Now, by the clock that runs on and by the one on the wall.
#[derive(Clone, Copy, Debug)]
pub(super) struct Now {
    pub(super) runs: Duration,
    pub(super) wall: SystemTime,
}

const PAGE: usize = 10;

impl App {
    /// What is typed goes out in this charset.
    pub(super) fn in_charset(charset: Charset) -> Self {
        let mut app = Self::default();
        app.prompt.charset = charset;
        app
    }

    /// What a key wants to be sent.
    #[expect(clippy::wildcard_enum_match_arm, reason = "all other keys do nothing")]
    pub(super) fn key(&mut self, key: KeyEvent, now: Now) -> Vec<u8> {
        if key.kind == KeyEventKind::Release {
            return Vec::new();
        }
        let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('c' | 'q') if is_control => self.ends = true,
            KeyCode::Esc if self.is_filtering => self.is_filtering = false,
            KeyCode::Esc => self.ends = true,
            KeyCode::F(2) => self.begin_escape(now),
            KeyCode::F(3) => self.is_filtering = !self.is_filtering,
            KeyCode::F(4) => self.prompt.line_end = self.prompt.line_end.next(),
            KeyCode::PageUp => self.scrolled += PAGE,
            KeyCode::PageDown => self.scrolled = self.scrolled.saturating_sub(PAGE),
            KeyCode::End => self.scrolled = 0,
            KeyCode::Enter if self.is_filtering => self.is_filtering = false,
            KeyCode::Enter => return self.enter(now),
            KeyCode::Up => self.prompt.older(),
            KeyCode::Down => self.prompt.newer(),
            KeyCode::Tab => self.prompt.complete(),
            KeyCode::Backspace => {
                self.edited().pop();
            }
            KeyCode::Char('u') if is_control => self.edited().clear(),
            KeyCode::Char(char) if !is_control => self.edited().push(char),
            _ => {}
        }
        Vec::new()
    }

    const fn edited(&mut self) -> &mut String {
        if self.is_filtering {
            &mut self.filter
        } else {
            &mut self.prompt.text
        }
    }

    fn enter(&mut self, now: Now) -> Vec<u8> {
        if self.escape.is_some() {
            self.rows.note(said(say::escape_under_way()), now.wall);
            return Vec::new();
        }
        match self.prompt.take() {
            Ok(bytes) => self.send(bytes, now),
            Err(words) => {
                self.rows.note(said(words), now.wall);
                Vec::new()
            }
        }
    }

    fn send(&mut self, bytes: Vec<u8>, now: Now) -> Vec<u8> {
        if self.is_gone {
            self.rows.note(said(say::port_gone_not_sent()), now.wall);
            return Vec::new();
        }
        let leaves = bytes.trim_ascii().eq_ignore_ascii_case(LEAVE.trim_ascii());
        self.is_in_command_state &= !leaves;
        self.rows.sent(&bytes, now.wall);
        self.sent += bytes.len() as u64;
        self.last_sent = Some(now.runs);
        bytes
    }

    fn begin_escape(&mut self, now: Now) {
        if self.escape.is_none() {
            self.escape = Some(Escape::begin(now.runs, self.last_sent));
        }
    }

    /// Bytes of the device; what they want to be sent.
    pub(super) fn heard(&mut self, bytes: &[u8], now: Now) -> Vec<u8> {
        self.received += bytes.len() as u64;
        self.rows.heard(bytes, now.wall);
        let step = self.escape.as_mut().map(|it| it.heard(bytes, now.runs));
        self.carry_out(step, now)
    }

    /// What time wants to be sent.
    pub(super) fn due(&mut self, now: Now) -> Vec<u8> {
        let step = self.escape.as_mut().map(|it| it.due(now.runs));
        self.carry_out(step, now)
    }

    fn carry_out(&mut self, step: Option<Step>, now: Now) -> Vec<u8> {
        match step {
            None | Some(Step::Wait) => return Vec::new(),
            Some(Step::Send(bytes)) => return self.send(bytes.to_vec(), now),
            Some(Step::Entered) => {
                self.is_in_command_state = true;
                self.rows.note(said(say::in_command_state()), now.wall);
            }
            Some(Step::Failed(why)) => self.rows.note(said(why), now.wall),
        }
        self.escape = None;
        Vec::new()
    }

    pub(super) fn gone(&mut self, why: &Sentence, now: Now) {
        self.is_gone = true;
        self.escape = None;
        // Whoever plugs it in again may have switched the device off.
        self.is_in_command_state = false;
        self.rows.note(said(say::port_is_gone(why)), now.wall);
    }

    pub(super) fn back(&mut self, gap: Duration, now: Now) {
        self.is_gone = false;
        let seconds = format!("{:.1}", gap.as_secs_f64());
        self.rows.note(said(say::port_is_back(seconds)), now.wall);
    }

    /// When [`App::due`] is to be called.
    pub(super) fn deadline(&self) -> Option<Duration> {
        self.escape.as_ref().map(Escape::until)
    }

    pub(super) const fn ends(&self) -> bool {
        self.ends
    }

    /// What is to be sent in front of the end: nobody leaves a device in its command state.
    pub(super) const fn farewell(&self) -> Option<&'static [u8]> {
        if self.is_in_command_state && !self.is_gone {
            Some(LEAVE)
        } else {
            None
        }
    }
}

const LEAVE: &[u8] = b"AT+ENTM\r";

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: u64) -> Now {
        let runs = Duration::from_millis(milliseconds);
        Now {
            runs,
            wall: SystemTime::UNIX_EPOCH + runs,
        }
    }

    fn press(app: &mut App, code: KeyCode, now: Now) -> Vec<u8> {
        app.key(KeyEvent::new(code, KeyModifiers::NONE), now)
    }

    fn typed(app: &mut App, text: &str, now: Now) -> Vec<u8> {
        for char in text.chars() {
            assert_eq!(press(app, KeyCode::Char(char), now), b"");
        }
        press(app, KeyCode::Enter, now)
    }

    #[test]
    fn the_key_of_the_escape_keeps_the_manual_s_times() {
        let mut app = App::default();
        assert_eq!(typed(&mut app, "data", at(1000)), b"data\r");
        press(&mut app, KeyCode::F(2), at(1100));
        assert_eq!(app.due(at(1200)), b"");
        // Nothing that is typed meanwhile breaks the silence.
        assert_eq!(typed(&mut app, "more", at(1250)), b"");
        assert_eq!(app.deadline(), Some(Duration::from_millis(1300)));
        assert_eq!(app.due(at(1300)), b"+++");
        assert_eq!(app.heard(b"a", at(1500)), b"a");
        assert_eq!(app.heard(b"\r\n+ok\r\n", at(1520)), b"");
        assert_eq!(app.farewell(), Some(LEAVE));
        assert_eq!(press(&mut app, KeyCode::Enter, at(1600)), b"more\r");
        assert_eq!(typed(&mut app, "at+entm", at(1700)), b"at+entm\r");
        assert_eq!(app.farewell(), None);
    }

    #[test]
    fn a_port_that_is_gone_takes_nothing() {
        let mut app = App::default();
        app.gone(&Sentence::as_it_came("unplugged"), at(0));
        assert_eq!(typed(&mut app, "x", at(10)), b"");
        app.back(Duration::from_secs(2), at(2000));
        assert_eq!(typed(&mut app, "x", at(2010)), b"x\r");
    }

    #[test]
    fn the_filter_takes_the_keys_while_it_is_typed() {
        let mut app = App::default();
        press(&mut app, KeyCode::F(3), at(0));
        assert_eq!(typed(&mut app, "kwh", at(0)), b"");
        assert_eq!((app.filter.as_str(), app.is_filtering), ("kwh", false));
        press(&mut app, KeyCode::Esc, at(0));
        assert!(app.ends());
    }
}
