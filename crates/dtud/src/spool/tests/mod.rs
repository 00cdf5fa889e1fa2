use super::*;
use crate::fs::faults::{FAULTS, Fault};

mod damage;
mod frames;
mod undelivered;

const BOUND: u64 = 64 * 1024;

fn queue() -> QueueId {
    QueueId::ALL[1]
}

fn open(dir: &Path, bound: u64) -> (Spool, Vec<(u64, Bytes)>) {
    let (spool, found) = open_with(&Fs::default(), dir, bound, SpoolSync::Never).unwrap();
    assert_eq!(found.lost, Lost::default());
    (spool, found.frames)
}

fn open_with(fs: &Fs, dir: &Path, bound: u64, sync: SpoolSync) -> io::Result<(Spool, Found)> {
    Spool::open(fs, dir, queue(), (bound, sync), &mut |_| {})
}

impl Spool {
    fn append_one(&mut self, number: u64, frame: &Bytes) -> io::Result<()> {
        self.append_all(&[(number, frame.clone())])
            .why
            .map_or(Ok(()), Err)
    }
}

fn frame(number: u64, length: usize) -> Bytes {
    (0..length)
        .map(|at| (number as usize * 7 + at) as u8)
        .collect()
}

/// A copy of the files as they are now: what a kill -9 leaves.
fn killed(dir: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    let place = copy.path().join("spool/link-2");
    std::fs::create_dir_all(&place).unwrap();
    for entry in std::fs::read_dir(dir.join("spool/link-2")).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, place.join(path.file_name().unwrap())).unwrap();
    }
    copy
}

/// Numbers from a seed (splitmix64).
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % bound
    }
}
