//! What has passed, one row a read; bounded.

use std::collections::VecDeque;
use std::time::{Duration, SystemTime};

use crate::clock::time_of_day;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) time: SystemTime,
    pub(super) kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    FromDevice(Vec<u8>),
    ToDevice(Vec<u8>),
    /// Of this program: the port is gone, the command state is reached.
    Note(String),
}

#[derive(Debug, Default)]
pub(super) struct Rows {
    rows: VecDeque<Row>,
    /// Older ones that are forgotten.
    pub(super) forgotten: u64,
}

/// Rows that are kept.
const MOST: usize = 5000;
/// Bytes of a row; more become rows of their own.
const ROW: usize = 256;
/// Pieces of one talk: the operating system reads what is there.
const TOGETHER: Duration = Duration::from_millis(20);
/// Bytes in one line of the screen.
pub(super) const LINE: usize = 16;

impl Rows {
    pub(super) fn heard(&mut self, bytes: &[u8], time: SystemTime) {
        let mut rest = bytes;
        if let Some(Row {
            time: before,
            kind: Kind::FromDevice(last),
        }) = self.rows.back_mut()
            && time.duration_since(*before).is_ok_and(|gap| gap < TOGETHER)
        {
            let room = ROW.saturating_sub(last.len()).min(rest.len());
            last.extend_from_slice(&rest[..room]);
            rest = &rest[room..];
        }
        for piece in rest.chunks(ROW) {
            self.push(time, Kind::FromDevice(piece.to_vec()));
        }
    }

    pub(super) fn sent(&mut self, bytes: &[u8], time: SystemTime) {
        for piece in bytes.chunks(ROW) {
            self.push(time, Kind::ToDevice(piece.to_vec()));
        }
    }

    pub(super) fn note(&mut self, text: impl Into<String>, time: SystemTime) {
        self.push(time, Kind::Note(text.into()));
    }

    fn push(&mut self, time: SystemTime, kind: Kind) {
        if self.rows.len() == MOST {
            self.rows.pop_front();
            self.forgotten += 1;
        }
        self.rows.push_back(Row { time, kind });
    }

    /// The lines of the screen of the rows that have `filter` in their text or hex, the last first.
    pub(super) fn lines_from_the_end<'a>(
        &'a self,
        filter: &'a str,
    ) -> impl Iterator<Item = Line<'a>> {
        self.rows
            .iter()
            .rev()
            .filter(move |row| row.fits(filter))
            .flat_map(Row::lines_from_the_end)
    }
}

/// A line of the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// Of the first line of a row.
    pub(super) stamp: Option<String>,
    pub(super) of: Of<'a>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of<'a> {
    FromDevice(&'a [u8]),
    ToDevice(&'a [u8]),
    Note(&'a str),
}

impl Row {
    fn fits(&self, filter: &str) -> bool {
        if filter.is_empty() {
            return true;
        }
        match &self.kind {
            Kind::FromDevice(bytes) | Kind::ToDevice(bytes) => {
                let lower = filter.to_ascii_lowercase();
                text(bytes).to_ascii_lowercase().contains(&lower)
                    || hex(bytes, " ").to_ascii_lowercase().contains(&lower)
            }
            Kind::Note(_) => true,
        }
    }

    fn lines_from_the_end(&self) -> impl Iterator<Item = Line<'_>> {
        let stamp = |first: bool| first.then(|| time_of_day(self.time));
        let mut lines: Vec<Line<'_>> = match &self.kind {
            Kind::FromDevice(bytes) => pieces(bytes)
                .map(|(first, piece)| Line {
                    stamp: stamp(first),
                    of: Of::FromDevice(piece),
                })
                .collect(),
            Kind::ToDevice(bytes) => pieces(bytes)
                .map(|(first, piece)| Line {
                    stamp: stamp(first),
                    of: Of::ToDevice(piece),
                })
                .collect(),
            Kind::Note(text) => vec![Line {
                stamp: stamp(true),
                of: Of::Note(text),
            }],
        };
        lines.reverse();
        lines.into_iter()
    }
}

fn pieces(bytes: &[u8]) -> impl Iterator<Item = (bool, &[u8])> {
    bytes
        .chunks(LINE)
        .enumerate()
        .map(|(place, piece)| (place == 0, piece))
}

/// Two digits a byte.
pub(super) fn hex(bytes: &[u8], between: &str) -> String {
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    digits.join(between)
}

/// What prints, and `.` for everything else: nothing of it drives a terminal.
pub(super) fn text(bytes: &[u8]) -> String {
    let shown = |byte: &u8| match byte {
        b' '..=b'~' => char::from(*byte),
        _ => '.',
    };
    bytes.iter().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(milliseconds)
    }

    #[test]
    fn pieces_of_one_talk_are_one_row_and_long_ones_are_cut() {
        let mut rows = Rows::default();
        rows.heard(b"42", at(0));
        rows.heard(b" kWh", at(10));
        rows.heard(b"43", at(100));
        rows.sent(b"AT\r", at(101));
        let lines: Vec<Line<'_>> = rows.lines_from_the_end("").collect();
        let of: Vec<Of<'_>> = lines.iter().map(|line| line.of).collect();
        assert_eq!(
            of,
            [
                Of::ToDevice(b"AT\r"),
                Of::FromDevice(b"43"),
                Of::FromDevice(b"42 kWh")
            ]
        );
        assert_eq!(lines[1].stamp.as_deref(), Some("00:00:00.100"));
        rows.heard(&[b'x'; 1000], at(200));
        assert_eq!(rows.lines_from_the_end("xx").count(), 63);
    }

    #[test]
    fn a_filter_looks_at_text_and_hex() {
        let mut rows = Rows::default();
        rows.heard(b"\x02QPW\x03", at(0));
        rows.heard(b"42 kWh", at(100));
        assert_eq!(rows.lines_from_the_end("qpw").count(), 1);
        assert_eq!(rows.lines_from_the_end("02 51").count(), 1);
        assert_eq!(rows.lines_from_the_end("kwh").count(), 1);
        assert_eq!(rows.lines_from_the_end("none").count(), 0);
    }

    #[test]
    fn old_rows_are_forgotten_and_counted() {
        let mut rows = Rows::default();
        for number in 0..(MOST as u64 + 7) {
            rows.heard(b"x", at(number * 100));
        }
        assert_eq!((rows.rows.len(), rows.forgotten), (MOST, 7));
    }
}
