use super::*;
use crate::fs::faults::{FAULTS, Fault};
use crate::journal::LogCapture;

mod folder;
mod writer;

/// A device in small: what waits, by queue, and what was told of it.
struct Small {
    runtime: tokio::runtime::Runtime,
    disk: Disk,
    waiting: [std::collections::BTreeMap<u64, Bytes>; QUEUES],
    refused: u64,
}

const ONE: QueueId = QueueId::ALL[0];

const TWO: QueueId = QueueId::ALL[1];

/// Link 1 and the modes on the disk, link 2 in memory.
fn settings(sync: &str) -> Settings {
    let text = format!("[link]\nspool = 'disk'\nspool_sync = '{sync}'\n[link.2]\nspool = 'memory'");
    Settings::parse(Path::new("x"), &text).unwrap()
}

impl Small {
    fn start(fs: &Fs, dir: &Path, sync: &str) -> anyhow::Result<(Self, StoredState)> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (disk, kept) = runtime.block_on(async { Disk::open(fs, dir, &settings(sync)) })?;
        let mut waiting: [std::collections::BTreeMap<u64, Bytes>; QUEUES] = Default::default();
        for (queue, number, frame) in &kept.frames {
            waiting[queue.index()].insert(*number, frame.clone());
        }
        Ok((
            Self {
                runtime,
                disk,
                waiting,
                refused: 0,
            },
            kept,
        ))
    }

    fn frame(&mut self, queue: QueueId, number: u64) {
        let frame = Bytes::from(format!("{queue} {number}"));
        self.waiting[queue.index()].insert(number, frame.clone());
        self.disk
            .order(StoreOutput::SpoolAppend(queue, number, frame));
    }

    /// All that waits gets new numbers.
    fn move_up(&mut self, queue: QueueId, places: &[(u64, u64)]) {
        let waiting = &mut self.waiting[queue.index()];
        let moved: Vec<_> = places
            .iter()
            .map(|(old, new)| (*new, waiting[old].clone()))
            .collect();
        *waiting = moved.iter().cloned().collect();
        self.disk.order(StoreOutput::SpoolMove(queue, moved));
    }

    fn deliver(&mut self, queue: QueueId, up_to: u64) {
        self.waiting[queue.index()].retain(|number, _| *number >= up_to);
        self.disk.order(StoreOutput::SpoolRelease(queue, up_to));
    }

    fn holds(&mut self, queue: QueueId, number: u64) -> Option<u64> {
        let body = self.waiting[queue.index()][&number].clone();
        self.disk.holds(queue, &body)
    }

    fn save(&mut self, text: &str) {
        let _context = self.runtime.enter();
        self.disk.order(StoreOutput::Save(text.to_owned()));
    }

    /// Until the disk has done everything, or hangs.
    fn settle(&mut self) {
        let order = self.disk.writer.given();
        while !self.disk.has_done(order) {
            std::thread::yield_now();
        }
        self.tell();
    }

    fn tell(&mut self) {
        let _context = self.runtime.enter();
        let mut cx = Context::from_waker(std::task::Waker::noop());
        while let Poll::Ready(DiskEvent::Refused(_, frames)) = self.disk.poll(&mut cx) {
            self.refused += frames;
        }
    }

    /// A clean stop; gives what it says is lost.
    fn stop(mut self) -> u64 {
        self.disk.stop();
        while self.disk.writer.is_running() {
            std::thread::yield_now();
        }
        self.tell();
        self.disk.keep_undelivered(|queue| {
            self.waiting[queue.index()]
                .iter()
                .map(|(number, frame)| (*number, frame))
        })
    }
}

fn numbers(kept: &StoredState, queue: QueueId) -> Vec<u64> {
    let of = kept.frames.iter().filter(|(whose, ..)| *whose == queue);
    of.map(|(_, _, frame)| {
        String::from_utf8_lossy(frame)
            .rsplit(' ')
            .next()
            .unwrap()
            .parse()
            .unwrap()
    })
    .collect()
}
