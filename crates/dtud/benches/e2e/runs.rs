//! Full speed, round trips, a server that stops reading, and nothing at all.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::common::pump::exchange;
use crate::common::usage::{Usage, rss_anon_kib, rss_file_kib};
use crate::common::within;
use crate::figures::Figures;
use crate::load::{self, LIMIT};
use crate::peer::{Peer, Running, rotated, with_ser2net};
use crate::{MIB, Plan};

/// Pieces of a round: all programs run, and take turns piece by piece, so that what else the machine does hits all
/// of them alike.
const PIECES: usize = 8;

/// All of them connected, in the order of the round.
fn all(peers: &[Peer], round: usize) -> Vec<(Peer, Running)> {
    rotated(peers, round)
        .into_iter()
        .map(|peer| (peer, Running::start(peer, 0)))
        .collect()
}

/// MiB/s and CPU per MiB, each way.
pub(crate) fn bulk(plan: &Plan, peers: &[Peer], figures: &mut Figures) {
    let (piece, mib) = (plan.bulk / PIECES as u64, (plan.bulk / MIB) as f64);
    let peers = with_ser2net(peers);
    for round in 0..plan.rounds {
        let all = all(&peers, round);
        for (way, carry) in [
            ("up", load::up as fn(&_, &_, _) -> Duration),
            ("down", load::down),
            ("both ways", load::both_ways),
        ] {
            let mut sums = vec![(Duration::ZERO, Duration::ZERO); all.len()];
            for _ in 0..PIECES {
                for ((_, running), (took, cpu)) in all.iter().zip(&mut sums) {
                    let before = used(running);
                    *took += carry(&running.line, &running.connection, piece);
                    *cpu += used(running).since(before).cpu;
                }
            }
            for ((peer, _), (took, cpu)) in all.iter().zip(sums) {
                figures.record(
                    &format!("throughput {way}, MiB/s"),
                    round,
                    *peer,
                    mib / took.as_secs_f64(),
                );
                figures.record(
                    &format!("CPU {way}, ms per MiB"),
                    round,
                    *peer,
                    cpu.as_secs_f64() * 1e3 / mib,
                );
            }
        }
    }
}

fn used(running: &Running) -> Usage {
    Usage::of(running.pid()).expect("the peer is alive")
}

/// p50 and p99 for three sizes.
pub(crate) fn round_trips(plan: &Plan, peers: &[Peer], figures: &mut Figures) {
    let peers = with_ser2net(peers);
    for round in 0..plan.rounds {
        let all = all(&peers, round);
        for size in [1, 64, 1024] {
            let mut times = vec![Vec::new(); all.len()];
            for _ in 0..PIECES {
                for ((_, running), times) in all.iter().zip(&mut times) {
                    let (line, connection) = (&running.line, &running.connection);
                    // The first ones warm up.
                    load::round_trips(line, connection, size, 20);
                    times.extend(load::round_trips(
                        line,
                        connection,
                        size,
                        plan.round_trips / PIECES,
                    ));
                }
            }
            for ((peer, _), times) in all.iter().zip(&times) {
                for (name, part) in [("p50", 0.5), ("p99", 0.99)] {
                    let micros = load::quantile(times, part).as_secs_f64() * 1e6;
                    figures.record(
                        &format!("round trip {size} B {name}, us"),
                        round,
                        *peer,
                        micros,
                    );
                }
            }
        }
    }
}

/// The server reads a little, stops, and goes on; the DTE pushes all the time. Everything must come, in order,
/// and memory must stay.
pub(crate) fn stall(plan: &Plan, peers: &[Peer], figures: &mut Figures) {
    for peer in rotated(peers, 0) {
        let running = Running::start(peer, 0);
        load::round_trips(&running.line, &running.connection, 1, 50);
        let (before, pid) = (rss_kib(running.pid()), running.pid());
        let done = AtomicBool::new(false);
        let most = std::thread::scope(|scope| {
            let watch = scope.spawn(|| most_memory(pid, &done));
            scope.spawn(|| {
                let mut next = 0;
                let source = |buffer: &mut [u8]| fill_counted(buffer, &mut next, plan.stall_bytes);
                exchange(&running.line, source, 0, |_| {}, within(LIMIT)).expect("push");
            });
            receive_with_pause(&running, plan);
            done.store(true, Ordering::Relaxed);
            watch.join().expect("the watch does not panic")
        });
        figures.record("RSS before a reader stalls, KiB", 0, peer, before as f64);
        figures.record("RSS at most while it stalls, KiB", 0, peer, most as f64);
    }
}

fn receive_with_pause(running: &Running, plan: &Plan) {
    let mut next = 0;
    let check = |got: &[u8], next: &mut u64| {
        for byte in got {
            assert_eq!(
                *byte,
                counted(*next),
                "byte {next} of the stalled stream is lost or out of order"
            );
            *next += 1;
        }
    };
    let stream = &running.connection.stream;
    let first = MIB;
    read_exactly(stream, first, |got| check(got, &mut next));
    std::thread::sleep(plan.stall);
    read_exactly(stream, plan.stall_bytes - first, |got| {
        check(got, &mut next)
    });
}

/// `count` bytes and none more, so that the pause begins at a known place.
fn read_exactly(mut stream: &std::net::TcpStream, count: u64, mut sink: impl FnMut(&[u8])) {
    use std::io::Read;
    stream.set_nonblocking(false).expect("a stream can block");
    stream
        .set_read_timeout(Some(LIMIT))
        .expect("a stream can time out");
    let mut buffer = [0; 4096];
    let mut left = usize::try_from(count).expect("fits");
    while left > 0 {
        let room = left.min(buffer.len());
        let n = stream.read(&mut buffer[..room]).expect("receive");
        assert!(n > 0, "the peer closed with {left} bytes still to come");
        sink(&buffer[..n]);
        left -= n;
    }
}

/// A byte that tells its place: of a period that no buffer size divides.
fn counted(place: u64) -> u8 {
    u8::try_from(place % 251).unwrap_or_default()
}

fn fill_counted(buffer: &mut [u8], next: &mut u64, total: u64) -> usize {
    let n = usize::try_from(total - *next)
        .unwrap_or(usize::MAX)
        .min(buffer.len());
    for byte in &mut buffer[..n] {
        *byte = counted(*next);
        *next += 1;
    }
    n
}

fn most_memory(pid: u32, done: &AtomicBool) -> u64 {
    let mut most = 0;
    while !done.load(Ordering::Relaxed) {
        most = most.max(rss_kib(pid));
        std::thread::sleep(Duration::from_millis(20));
    }
    most
}

fn rss_kib(pid: u32) -> u64 {
    let own = rss_anon_kib(pid).expect("the peer is alive");
    own + rss_file_kib(pid).expect("the peer is alive")
}

/// Connected, used once, then left alone: all at the same time, for nobody does anything.
pub(crate) fn idle(plan: &Plan, peers: &[Peer], figures: &mut Figures) {
    let running = all(peers, 0);
    for (_, running) in &running {
        load::round_trips(&running.line, &running.connection, 64, 50);
    }
    std::thread::sleep(Duration::from_secs(1));
    let before: Vec<Usage> = running.iter().map(|(_, running)| used(running)).collect();
    let begin = Instant::now();
    std::thread::sleep(plan.idle);
    for ((peer, running), before) in running.iter().zip(before) {
        let rate = used(running).since(before).wake_ups as f64 / begin.elapsed().as_secs_f64();
        figures.record("idle: wake-ups a second", 0, *peer, rate);
        figures.record("idle: RSS, KiB", 0, *peer, rss_kib(running.pid()) as f64);
    }
}
