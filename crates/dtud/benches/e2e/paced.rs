//! 115200 Bd as an adapter delivers it: 57 bytes every 4.95 ms, which no flow control holds back - what the line
//! does not take at once is gone.

use std::collections::HashSet;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::ScopedJoinHandle;
use std::time::{Duration, Instant};

use rustix::event::PollFlags;

use crate::Plan;
use crate::common::line::Line;
use crate::common::pump::{CHUNK, read_now, ready, write_now};
use crate::common::server::{Connection, Server};
use crate::common::usage::Usage;
use crate::common::{SOON, within};
use crate::figures::Figures;
use crate::peer::{Peer, Program, Running, rotated, ser2net, with_ser2net};

const SLICE: usize = 57;
const PERIOD: Duration = Duration::from_micros(4950);
const PACED_ROUNDS: usize = 3;

/// What carrying the full line rate costs, with and without packing.
pub(crate) fn slices(plan: &Plan, peers: &[Peer], figures: &mut Figures) {
    for round in 0..PACED_ROUNDS.min(plan.rounds) {
        for peer in rotated(peers, round) {
            let packs = matches!(peer, Peer::Ours | Peer::Console | Peer::Old);
            let packings: &[u16] = if packs { &[0, 50] } else { &[0] };
            for &packing in packings {
                carry_slices(plan, peer, packing, &mut |figure, value| {
                    // Who has no packing is the same in both rows.
                    for shown in [0, 50]
                        .into_iter()
                        .filter(|&shown| !packs || shown == packing)
                    {
                        figures.record(
                            &format!("115200 Bd, TIME {shown}: {figure}"),
                            round,
                            peer,
                            value,
                        );
                    }
                });
            }
        }
    }
}

fn carry_slices(plan: &Plan, peer: Peer, packing: u16, record: &mut dyn FnMut(&str, f64)) {
    let running = Running::start(peer, packing);
    let count =
        usize::try_from(plan.paced.as_micros() / PERIOD.as_micros()).expect("a small number");
    let before = Usage::of(running.pid()).expect("the peer is alive");
    let reads = std::thread::scope(|scope| {
        let reads = scope.spawn(|| count_reads(&running.connection, count * SLICE));
        paced(count, |number| running.line.send(&record_of(number)));
        reads.join().expect("every byte arrives")
    });
    let used = Usage::of(running.pid())
        .expect("the peer is alive")
        .since(before);
    let seconds = plan.paced.as_secs_f64();
    record("CPU, ms/s", used.cpu.as_secs_f64() * 1e3 / seconds);
    record("wake-ups a second", used.wake_ups as f64 / seconds);
    record(
        "segments a second",
        f64::from(data_segments(&running.connection)) / seconds,
    );
    record(
        "bytes a read of the server",
        (count * SLICE) as f64 / reads as f64,
    );
}

/// Calls `send` for each number when its time has come.
fn paced(count: usize, mut send: impl FnMut(usize)) {
    let mut due = Instant::now();
    for number in 0..count {
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        send(number);
        due += PERIOD;
    }
}

fn count_reads(connection: &Connection, bytes: usize) -> usize {
    let (mut buffer, mut have, mut reads, deadline) =
        ([0; CHUNK], 0, 0, within(Duration::from_secs(60)));
    while have < bytes {
        match read_now(&connection.stream, &mut buffer).expect("read") {
            Some(n) => (have, reads) = (have + n, reads + 1),
            None => {
                let there = ready(&connection.stream, PollFlags::IN, deadline).expect("poll");
                assert!(there, "only {have} of {bytes} paced bytes came");
            }
        }
    }
    reads
}

/// `tcpi_data_segs_in`, which the struct of libc does not have yet.
fn data_segments(connection: &Connection) -> u32 {
    const OFFSET: usize = 152;
    let mut info = [0_u8; 256];
    let mut length = libc::socklen_t::try_from(info.len()).expect("a small number");
    // SAFETY: the kernel writes at most `length` bytes into `info`, which is that long and lives on.
    let result = unsafe {
        libc::getsockopt(
            connection.stream.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            info.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    assert!(
        result == 0 && length as usize >= OFFSET + 4,
        "TCP_INFO of this kernel has no segment count"
    );
    u32::from_ne_bytes(info[OFFSET..OFFSET + 4].try_into().expect("four bytes"))
}

/// Slice `number`: tells its number, ends with LF.
fn record_of(number: usize) -> [u8; SLICE] {
    let mut record = [b'u'; SLICE];
    record[..8].copy_from_slice(format!("{number:08x}").as_bytes());
    record[SLICE - 1] = b'\n';
    record
}

/// The number, if not a byte is missing or wrong.
fn number_of(record: &[u8]) -> Option<usize> {
    let number = usize::from_str_radix(std::str::from_utf8(record.get(..8)?).ok()?, 16).ok()?;
    (record_of(number)[..SLICE - 1] == *record).then_some(number)
}

/// The server is away for a while; the line goes on at its rate. All at the same time: nobody is busy.
pub(crate) fn outage(plan: &Plan, peers: &[Peer], figures: &mut Figures) {
    let all = with_ser2net(peers);
    let lost: Vec<(Peer, usize)> = std::thread::scope(|scope| {
        let runs: Vec<ScopedJoinHandle<'_, _>> = all
            .iter()
            .map(|&peer| scope.spawn(move || (peer, lost_in_outage(plan, peer))))
            .collect();
        runs.into_iter()
            .map(|run| run.join().expect("the outage can be measured"))
            .collect()
    });
    let name = format!("lost of {} s at 11 520 B/s, bytes", plan.outage.as_secs());
    for &(peer, bytes) in &lost {
        figures.record(&name, 0, peer, bytes as f64);
    }
    assert!(
        lost.iter()
            .all(|&(peer, bytes)| peer != Peer::Ours || bytes == 0),
        "the device lost bytes: {lost:?}"
    );
}

/// Bytes of the slices that never arrived whole.
fn lost_in_outage(plan: &Plan, peer: Peer) -> usize {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (server, fed) = (Server::start(), AtomicBool::new(false));
    let port = server.port();
    let count = usize::try_from((plan.outage + 2 * AROUND).as_micros() / PERIOD.as_micros())
        .expect("small");
    std::thread::scope(|scope| {
        let received = scope.spawn(|| serve_with_outage(server, plan.outage, &fed));
        let mut device = Device::start(peer, folder.path(), port);
        paced(count, |number| device.feed(&record_of(number)));
        fed.store(true, Ordering::Relaxed);
        (count - received.join().expect("the server does not fail").len()) * SLICE
    })
}

/// How long the server is there before and at least after.
const AROUND: Duration = Duration::from_secs(1);

/// The machine dies after a second, is away, and comes back: the slices that it got whole.
fn serve_with_outage(mut server: Server, outage: Duration, fed: &AtomicBool) -> HashSet<usize> {
    let mut whole = HashSet::new();
    let (mut connection, death) = (server.accept(SOON), within(AROUND));
    let mut bytes = Vec::new();
    collect(&connection, &mut bytes, |_| Instant::now() >= death);
    bytes.extend(connection.freeze());
    server.refuse();
    connection.reset();
    keep_whole(&bytes, &mut whole);
    std::thread::sleep(outage);
    server.listen();
    let mut last_seen = Instant::now();
    while !fed.load(Ordering::Relaxed) || last_seen.elapsed() < Duration::from_secs(35) {
        let Some(connection) = server.try_accept(within(Duration::from_millis(100))) else {
            continue;
        };
        bytes.clear();
        let over = |quiet| fed.load(Ordering::Relaxed) && quiet > Duration::from_secs(2);
        let closed = collect(&connection, &mut bytes, over);
        keep_whole(&bytes, &mut whole);
        last_seen = Instant::now();
        if !closed {
            break;
        }
    }
    whole
}

/// Reads until `over` says so (it is told how long nothing came) or the peer closes, which is `true`.
fn collect(connection: &Connection, bytes: &mut Vec<u8>, over: impl Fn(Duration) -> bool) -> bool {
    let (mut buffer, mut last) = ([0; CHUNK], Instant::now());
    while !over(last.elapsed()) {
        match read_now(&connection.stream, &mut buffer) {
            Ok(Some(n)) => {
                bytes.extend_from_slice(&buffer[..n]);
                last = Instant::now();
            }
            Ok(None) => drop(ready(
                &connection.stream,
                PollFlags::IN,
                within(Duration::from_millis(20)),
            )),
            Err(_) => return true,
        }
    }
    false
}

fn keep_whole(bytes: &[u8], whole: &mut HashSet<usize>) {
    whole.extend(bytes.split(|&byte| byte == b'\n').filter_map(number_of));
}

/// A program and its line; started anew whenever it ends, as an init would.
struct Device<'a> {
    peer: Peer,
    folder: &'a Path,
    port: u16,
    program: Program,
    line: Option<Line>,
}

impl<'a> Device<'a> {
    fn start(peer: Peer, folder: &'a Path, port: u16) -> Self {
        if peer == Peer::Ser2net {
            let (line, program) = ser2net(folder, port, "");
            return Self {
                peer,
                folder,
                port,
                program,
                line: Some(line),
            };
        }
        let program = Program::start(peer, folder, port, 0);
        let line = program.open_line();
        line.drain(Duration::from_millis(100));
        Self {
            peer,
            folder,
            port,
            program,
            line: Some(line),
        }
    }

    fn feed(&mut self, record: &[u8]) {
        if self.peer == Peer::Socat && self.program.has_ended() {
            self.line = None;
            drop(std::fs::remove_file(self.folder.join("line")));
            self.program = Program::start(self.peer, self.folder, self.port, 0);
        }
        if self.line.is_none() {
            self.line = Line::open(&self.folder.join("line")).ok();
        }
        if let Some(line) = &self.line {
            // What does not fit is lost, as on a wire; that is what is counted.
            drop(write_now(line, record));
        }
    }
}
