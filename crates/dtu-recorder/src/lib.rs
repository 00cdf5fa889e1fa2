//! The flight recorder: what passed and what happened last, in rings of bytes. Always on, for it costs a copy a row; the
//! device writes, the console reads. Who reads many rows lets the device in between each 16 of them: it waits while a
//! reader copies these, and at most once more where it came just as the reader went on, which is microseconds.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

mod pcapng;
mod ring;
mod row;
mod shared;

use ring::{Reader, Ring, Step};
pub use row::{Dir, Kind, Level, LogLine, Place, Row, base64};
use shared::Shared;

/// How much is kept, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Of traffic.
    pub data: usize,
    /// Of events, so that traffic does not push them out.
    pub events: usize,
    /// Of the log.
    pub log: usize,
    /// Of one frame.
    pub frame: usize,
}

impl Default for Sizes {
    fn default() -> Self {
        Self {
            data: 512 * 1024,
            events: 64 * 1024,
            log: 128 * 1024,
            frame: 256,
        }
    }
}

/// The recorder.
#[derive(Debug)]
pub struct Recorder {
    sizes: Sizes,
    rows: Shared<Rows>,
    log: Shared<Log>,
    next_row: AtomicU64,
    next_line: AtomicU64,
}

#[derive(Debug)]
struct Rows {
    data: Ring,
    events: Ring,
    next: u64,
    counts: [Count; Place::COUNT],
}

/// What there was of a place since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) rows: u64,
    pub(crate) drops: u64,
}

#[derive(Debug)]
struct Log {
    lines: Ring,
    next: u64,
}

/// Some of what there is, and how much of it was pushed out before it could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// In the order of their numbers.
    pub items: Vec<T>,
    /// Numbers from the one asked for to `next` that are not there any more.
    pub missed: u64,
    /// Where to go on.
    pub next: u64,
}

/// How a row of bytes comes in. What is longer than a frame's share is cut; its length is told.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// Where.
    pub of: Place,
    /// Which way.
    pub dir: Dir,
    /// What stands in front of the bytes: a registration packet. Else empty.
    pub prefix: &'a [u8],
    /// The bytes.
    pub bytes: &'a [u8],
    /// Why it was cut, or what it is; empty = nothing to say.
    pub note: &'a str,
    /// Somebody has put it in by hand.
    pub injected: bool,
}

impl Recorder {
    /// An empty one. Its memory is taken as it fills.
    #[must_use]
    pub fn new(sizes: Sizes) -> Self {
        Self {
            sizes,
            rows: Shared::new(Rows {
                data: Ring::new(sizes.data.max(LEAST)),
                events: Ring::new(sizes.events.max(LEAST)),
                next: 0,
                counts: [Count::default(); Place::COUNT],
            }),
            log: Shared::new(Log {
                lines: Ring::new(sizes.log.max(LEAST)),
                next: 0,
            }),
            next_row: AtomicU64::new(0),
            next_line: AtomicU64::new(0),
        }
    }

    /// Bytes passed.
    pub fn frame(&self, at_micros: u64, frame: &Frame<'_>) {
        self.masked(at_micros, frame, frame.prefix.len() + frame.bytes.len());
    }

    /// So many bytes passed, and these stand in their place.
    pub fn masked(&self, at_micros: u64, frame: &Frame<'_>, len: usize) {
        let prefix = kept(frame.prefix, self.sizes.frame);
        let bytes = kept(frame.bytes, self.sizes.frame - prefix.len());
        let head = Head {
            at_micros,
            of: frame.of,
            dir: frame.dir,
            injected: frame.injected,
            kind: Kind::Data,
            len: u32::try_from(len).unwrap_or(u32::MAX),
            kept: prefix.len() + bytes.len(),
        };
        self.push(&head, &[prefix, bytes], frame.note);
    }

    /// Something happened.
    pub fn event(&self, at_micros: u64, of: Place, text: &str) {
        let head = Head {
            at_micros,
            of,
            dir: Dir::In,
            injected: false,
            kind: Kind::Event,
            len: 0,
            kept: 0,
        };
        self.push(&head, &[], text);
    }

    /// The device dropped so many frames of this place.
    pub fn count_drops(&self, of: Place, frames: u64) {
        self.rows.write().counts[of.index()].drops += frames;
    }

    fn push(&self, head: &Head, data: &[&[u8]], text: &str) {
        let text = kept(text.as_bytes(), NOTE_MAX);
        let written = head.written();
        let parts = [
            &written,
            data.first().copied().unwrap_or_default(),
            data.get(1).copied().unwrap_or_default(),
            text,
        ];
        let mut rows = self.rows.write();
        let number = rows.next;
        rows.next += 1;
        rows.counts[head.of.index()].rows += u64::from(head.kind == Kind::Data);
        match head.kind {
            Kind::Data => rows.data.push(number, &parts),
            Kind::Event => rows.events.push(number, &parts),
        }
        self.next_row.store(number + 1, Ordering::Release);
    }

    /// A line of the log.
    pub fn log(&self, at_micros: u64, level: Level, of: Option<Place>, text: &str) {
        let place = of.map_or(NO_PLACE, |of| of.index() as u8);
        let mut log = self.log.write();
        let number = log.next;
        log.next += 1;
        let parts = [
            &at_micros.to_le_bytes()[..],
            &[level as u8, place],
            kept(text.as_bytes(), LINE_MAX),
        ];
        log.lines.push(number, &parts);
        self.next_line.store(number + 1, Ordering::Release);
    }

    /// The number of the next row. Takes no lock.
    pub fn next_row(&self) -> u64 {
        self.next_row.load(Ordering::Acquire)
    }

    /// The number of the next line of the log. Takes no lock.
    pub fn next_line(&self) -> u64 {
        self.next_line.load(Ordering::Acquire)
    }

    /// At most `limit` rows from the number `from` on.
    #[must_use]
    pub fn rows(&self, from: u64, limit: usize) -> Page<Row> {
        self.rows_in_turns(from, limit, &|| self.rows.let_writers_in())
    }

    /// `between` is called while nothing is locked.
    fn rows_in_turns(&self, from: u64, limit: usize, between: &dyn Fn()) -> Page<Row> {
        // What comes while this is read is for the next page.
        let end = self.next_row();
        let read = |ring: fn(&Rows) -> &Ring| {
            in_turns(&self.rows, ring, from..end, limit, Head::read, between)
        };
        let (mut items, more) = read(|rows| &rows.data);
        let (events, more_events) = read(|rows| &rows.events);
        items.extend(events);
        items.sort_unstable_by_key(|row| row.seq);
        let more = more || more_events || items.len() > limit;
        items.truncate(limit);
        page(items, from, end, more, |row| row.seq)
    }

    /// The last `limit` rows, for who begins to look.
    #[must_use]
    pub fn last_rows(&self, limit: usize) -> Page<Row> {
        self.rows(self.next_row().saturating_sub(limit as u64), limit)
    }

    /// At most `limit` lines of the log from the number `from` on.
    #[must_use]
    pub fn lines(&self, from: u64, limit: usize) -> Page<LogLine> {
        let (end, between) = (self.next_line(), &|| self.log.let_writers_in());
        let (items, more) = in_turns(
            &self.log,
            |log| &log.lines,
            from..end,
            limit,
            read_line,
            between,
        );
        page(items, from, end, more, |line| line.seq)
    }

    pub(crate) fn counts(&self) -> [Count; Place::COUNT] {
        self.rows.read().counts
    }
}

impl Default for Recorder {
    fn default() -> Self {
        Self::new(Sizes::default())
    }
}

/// The time of a row that is made now: microseconds since 1970.
#[must_use]
pub fn now_micros() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

/// Numbers have no gaps: those that are not there were pushed out.
fn page<T>(items: Vec<T>, from: u64, next: u64, more: bool, number: impl Fn(&T) -> u64) -> Page<T> {
    let next = match items.last() {
        Some(last) if more => number(last) + 1,
        None if more => from,
        Some(_) | None => next.max(from),
    };
    Page {
        missed: (next - from).saturating_sub(items.len() as u64),
        items,
        next,
    }
}

/// What stands in front of a row's bytes.
struct Head {
    at_micros: u64,
    of: Place,
    dir: Dir,
    injected: bool,
    kind: Kind,
    len: u32,
    kept: usize,
}

impl Head {
    const LEN: usize = 17;

    fn written(&self) -> [u8; Self::LEN] {
        let mut written = [0; Self::LEN];
        let (at, rest) = written.split_at_mut(8);
        at.copy_from_slice(&self.at_micros.to_le_bytes());
        let (len, rest) = rest.split_at_mut(4);
        len.copy_from_slice(&self.len.to_le_bytes());
        let (kept, rest) = rest.split_at_mut(2);
        kept.copy_from_slice(&u16::try_from(self.kept).unwrap_or(0).to_le_bytes());
        let way = self.dir as u8 | (u8::from(self.injected) * PUT_IN);
        rest.copy_from_slice(&[self.of.index() as u8, way, self.kind as u8]);
        written
    }

    fn read(contents: &[u8], seq: u64) -> Option<Row> {
        let (at, rest) = contents.split_first_chunk::<8>()?;
        let (len, rest) = rest.split_first_chunk::<4>()?;
        let (kept, rest) = rest.split_first_chunk::<2>()?;
        let ([of, way, kind], rest) = rest.split_first_chunk::<3>()?;
        let (data, text) = rest.split_at_checked(u16::from_le_bytes(*kept).into())?;
        Some(Row {
            seq,
            at_micros: u64::from_le_bytes(*at),
            of: Place::from_index((*of).into())?,
            dir: if *way & !PUT_IN == Dir::In as u8 {
                Dir::In
            } else {
                Dir::Out
            },
            injected: *way & PUT_IN != 0,
            len: u32::from_le_bytes(*len),
            data: data.to_vec(),
            note: (!text.is_empty()).then(|| String::from_utf8_lossy(text).into_owned()),
            kind: if *kind == Kind::Data as u8 {
                Kind::Data
            } else {
                Kind::Event
            },
        })
    }
}

fn read_line(contents: &[u8], seq: u64) -> Option<LogLine> {
    let (at, rest) = contents.split_first_chunk::<8>()?;
    let ([level, place], text) = rest.split_first_chunk::<2>()?;
    Some(LogLine {
        seq,
        at_micros: u64::from_le_bytes(*at),
        level: Level::from_index(*level),
        of: Place::from_index((*place).into()),
        text: String::from_utf8_lossy(text).into_owned(),
    })
}

fn kept(bytes: &[u8], most: usize) -> &[u8] {
    bytes.get(..most).unwrap_or(bytes)
}

/// Of a ring the records of these numbers, so many of them at most, and whether there are more.
fn in_turns<T, R>(
    owner: &Shared<T>,
    ring: fn(&T) -> &Ring,
    numbers: Range<u64>,
    limit: usize,
    record: impl Fn(&[u8], u64) -> Option<R>,
    between: &dyn Fn(),
) -> (Vec<R>, bool) {
    let (mut reader, mut contents, mut items) =
        (Reader::new(numbers.start), Vec::new(), Vec::new());
    loop {
        let held = owner.read();
        for _ in 0..TURN {
            match ring(&held).step(&mut reader, STEPS, &mut contents) {
                Step::Record(number) if number >= numbers.end => return (items, false),
                Step::Record(_) if items.len() == limit => return (items, true),
                Step::Record(number) => items.extend(record(&contents, number)),
                Step::Seeks => break,
                Step::End => return (items, false),
            }
        }
        drop(held);
        between();
    }
}

/// Rows that are copied while the device may wait.
const TURN: usize = 16;
/// Records that are passed by meanwhile, on the way to the first one.
const STEPS: usize = 64;
/// Beside the way.
const PUT_IN: u8 = 0x80;
const NO_PLACE: u8 = u8::MAX;
/// Bytes of a note.
const NOTE_MAX: usize = 400;
/// Bytes of a line of the log.
const LINE_MAX: usize = 1000;
/// Bytes of a ring: a frame, its note and its heads fit.
const LEAST: usize = 4096;

#[cfg(test)]
mod tests;
