//! The two ends of a measurement: each is one thread with one poll and does nothing else.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::event::PollFlags;

use crate::common::line::Line;
use crate::common::pump::{CHUNK, constant, exchange, read_now, ready, write_now};
use crate::common::server::Connection;
use crate::common::within;

/// No run may hang.
pub(crate) const LIMIT: Duration = Duration::from_secs(120);

/// A byte that is no `+`: the escape has nothing to do with it.
pub(crate) const BYTE: u8 = b'U';

/// Line to connection: how long until the last byte was there.
pub(crate) fn up(line: &Line, connection: &Connection, bytes: u64) -> Duration {
    one_way(line, &connection.stream, bytes)
}

/// Connection to line.
pub(crate) fn down(line: &Line, connection: &Connection, bytes: u64) -> Duration {
    one_way(&connection.stream, line, bytes)
}

/// Both at once: how long until the last byte of either was there.
pub(crate) fn both_ways(line: &Line, connection: &Connection, bytes: u64) -> Duration {
    let begin = Instant::now();
    let end = |at: &dyn AsFd| exchange(at, constant(BYTE, bytes), bytes, |_| {}, within(LIMIT));
    std::thread::scope(|scope| {
        scope.spawn(|| end(&connection.stream).expect("the server's end"));
        end(line).expect("the equipment's end");
    });
    begin.elapsed()
}

fn one_way(from: impl AsFd + Sync, to: impl AsFd, bytes: u64) -> Duration {
    let begin = Instant::now();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            exchange(&from, constant(BYTE, bytes), 0, |_| {}, within(LIMIT)).expect("send")
        });
        exchange(&to, |_| 0, bytes, |_| {}, within(LIMIT)).expect("receive everything");
    });
    begin.elapsed()
}

/// `count` round trips of `size` bytes, one at a time: how long each took.
pub(crate) fn round_trips(
    line: &Line,
    connection: &Connection,
    size: usize,
    count: usize,
) -> Vec<Duration> {
    std::thread::scope(|scope| {
        scope.spawn(|| echo(connection, size * count));
        (0..count).map(|_| round_trip(line, size)).collect()
    })
}

fn round_trip(line: &Line, size: usize) -> Duration {
    let (begin, deadline) = (Instant::now(), within(LIMIT));
    exchange(
        line,
        constant(BYTE, size as u64),
        size as u64,
        |_| {},
        deadline,
    )
    .expect("a round trip");
    begin.elapsed()
}

/// Sends `total` bytes back as they come.
fn echo(connection: &Connection, total: usize) {
    let (mut buffer, mut back, deadline) = ([0; CHUNK], 0, within(LIMIT));
    while back < total {
        match read_now(&connection.stream, &mut buffer).expect("read") {
            Some(n) => {
                let mut rest = &buffer[..n];
                while !rest.is_empty() {
                    rest = &rest[write_now(&connection.stream, rest).expect("write")..];
                }
                back += n;
            }
            None => assert!(
                ready(&connection.stream, PollFlags::IN, deadline).expect("poll"),
                "echo hangs"
            ),
        }
    }
}

/// The value below which `part` of them lie.
pub(crate) fn quantile(times: &[Duration], part: f64) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "0..=1 of a length"
    )]
    let index = ((sorted.len() - 1) as f64 * part).round() as usize;
    sorted[index]
}
