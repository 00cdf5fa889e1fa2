use super::*;

const BOUND: u64 = 64 * 1024;

fn queue() -> QueueId {
    QueueId::ALL[1]
}

fn open(dir: &Path, bound: u64) -> (Spool, Vec<(u64, Bytes)>) {
    Spool::open(dir, queue(), bound, SpoolSync::Never).unwrap()
}

fn frame(number: u64, length: usize) -> Bytes {
    (0..length).map(|at| (number as usize * 7 + at) as u8).collect()
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

/// The spool and what it must hold, through random work with kills.
struct Model {
    dir: tempfile::TempDir,
    spool: Spool,
    waiting: VecDeque<(u64, Bytes)>,
    next: u64,
}

impl Model {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (spool, frames) = open(dir.path(), BOUND);
        assert!(frames.is_empty());
        Self { dir, spool, waiting: VecDeque::new(), next: 0 }
    }

    fn append(&mut self, random: &mut Seeded) {
        let length = if random.below(4) == 0 { 1 + random.below(1024) } else { random.below(40) };
        self.next += random.below(2);
        let frame = frame(self.next, usize::try_from(length).unwrap());
        match self.spool.append(self.next, &frame) {
            Ok(()) => self.waiting.push_back((self.next, frame)),
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::StorageFull),
        }
        self.next += 1;
        assert!(self.spool.used() <= BOUND);
    }

    fn release(&mut self, random: &mut Seeded) {
        let count = random.below(self.waiting.len() as u64 + 1);
        let Some((last, _)) = self.waiting.drain(..usize::try_from(count).unwrap()).last() else { return };
        self.spool.release(last + 1).unwrap();
    }

    fn kill(&mut self) {
        let dir = killed(self.dir.path());
        let (spool, frames) = open(dir.path(), BOUND);
        assert_eq!(
            VecDeque::from(frames.clone()),
            self.waiting,
            "exactly the frames that were not released, in order"
        );
        if frames.is_empty() {
            self.next = 0;
        }
        (self.dir, self.spool) = (dir, spool);
    }
}

/// As a start does that succeeds.
fn take_undelivered(dir: &Path, queue: QueueId) -> io::Result<Vec<(u64, Bytes)>> {
    let left = find_undelivered(dir, queue)?;
    let frames = left.frames.clone();
    left.forget()?;
    Ok(frames)
}

#[test]
fn random_work_with_kills_gives_exactly_the_frames_not_released() {
    for seed in 0..40 {
        let (mut random, mut model) = (Seeded(seed), Model::new());
        for _ in 0..400 {
            match random.below(20) {
                0 => model.kill(),
                1 | 2 => model.release(&mut random),
                _ => model.append(&mut random),
            }
        }
        model.kill();
    }
}

#[test]
fn a_tail_cut_or_damaged_at_every_byte_loses_only_the_frames_it_touches() {
    let dir = tempfile::tempdir().unwrap();
    let (mut spool, _) = open(dir.path(), 1 << 20);
    let frames: Vec<_> =
        [5, 0, 30].iter().zip(3..).map(|(length, number)| (number, frame(number, *length))).collect();
    frames.iter().for_each(|(number, frame)| spool.append(*number, frame).unwrap());
    let borders = [0, 21, 37, 83];
    for at in 0..83 {
        let whole = borders.iter().filter(|border| **border <= at && **border > 0).count();
        for damage in [true, false] {
            let copy = killed(dir.path());
            let path = copy.path().join("spool/link-2/0000000000000003.frames");
            let mut bytes = std::fs::read(&path).unwrap();
            assert_eq!(bytes.len(), 83);
            if damage {
                bytes[at] ^= 0x10
            } else {
                bytes.truncate(at)
            }
            std::fs::write(&path, bytes).unwrap();
            let (mut spool, found) = open(copy.path(), 1 << 20);
            assert_eq!(found, frames[..whole], "byte {at}");
            let left = std::fs::metadata(&path).map_or(0, |file| file.len());
            assert_eq!(
                (left, spool.used()),
                (borders[whole] as u64, borders[whole] as u64),
                "the tail is cut"
            );
            spool.append(9, &frame(9, 9)).unwrap();
            let again = open(killed(copy.path()).path(), 1 << 20).1;
            assert_eq!(again.len(), whole + 1, "what comes after the cut is kept");
            assert_eq!(again.last(), Some(&(9, frame(9, 9))));
        }
    }
}

#[test]
fn a_mark_torn_at_every_byte_gives_the_mark_before_it() {
    let dir = tempfile::tempdir().unwrap();
    let (mut spool, _) = open(dir.path(), BOUND);
    (0..6).for_each(|number| spool.append(number, &frame(number, 10)).unwrap());
    spool.release(2).unwrap();
    let before = std::fs::read(dir.path().join("spool/link-2/released")).unwrap();
    spool.release(4).unwrap();
    let after = std::fs::read(dir.path().join("spool/link-2/released")).unwrap();
    let first = before.iter().chain([0; 8192].iter()).zip(&after).position(|(old, new)| old != new).unwrap();
    for torn in first + 1..after.len().min(first + 12) {
        let copy = killed(dir.path());
        let mut bytes = after.clone();
        let end = bytes.len().min(first - first % 4096 + 12);
        for (place, byte) in bytes.iter_mut().enumerate().take(end).skip(torn) {
            *byte = before.get(place).copied().unwrap_or(0);
        }
        let whole = bytes == after;
        std::fs::write(copy.path().join("spool/link-2/released"), bytes).unwrap();
        let numbers: Vec<_> = open(copy.path(), BOUND).1.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, if whole { vec![4, 5] } else { vec![2, 3, 4, 5] }, "torn at {torn}");
    }
}

#[test]
fn a_full_spool_refuses_counts_and_takes_again_after_a_release() {
    let dir = tempfile::tempdir().unwrap();
    let (mut spool, _) = open(dir.path(), BOUND);
    let mut number = 0;
    while spool.append(number, &frame(number, 1000)).is_ok() {
        number += 1;
    }
    assert!(number > 50, "{number} frames of 1016 bytes fit into 64 KiB");
    let error = spool.append(number, &frame(number, 1000)).unwrap_err();
    assert_eq!((error.kind(), spool.refused()), (io::ErrorKind::StorageFull, 2));
    assert!(error.to_string().ends_with("link-2: full: spool_size is 65536 bytes"), "{error}");
    spool.release(10).unwrap();
    spool.append(number, &frame(number, 1000)).unwrap();
    assert!(spool.used() <= BOUND);
}

#[test]
fn a_number_that_does_not_grow_and_a_frame_too_long_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (mut spool, _) = open(dir.path(), 1 << 20);
    spool.append(7, &frame(7, 1)).unwrap();
    for (number, length) in [(7, 1), (6, 1), (8, record::MAX_FRAME + 1)] {
        let error = spool.append(number, &frame(number, length)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }
    assert_eq!(open(killed(dir.path()).path(), 1 << 20).1, [(7, frame(7, 1))]);
}

#[test]
fn all_released_leaves_no_segment_and_the_next_run_numbers_from_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let (mut spool, _) = open(dir.path(), BOUND);
    (0..200).for_each(|number| {
        spool.append(number, &frame(number, 900)).unwrap();
        spool.release(number + 1).unwrap();
    });
    assert_eq!(segment_paths(&spool.dir).unwrap(), Vec::<PathBuf>::new());
    assert_eq!(spool.used(), 0);
    drop(spool);
    let (mut spool, frames) = open(dir.path(), BOUND);
    assert!(frames.is_empty());
    spool.append(0, &frame(0, 3)).unwrap();
    assert_eq!(open(killed(dir.path()).path(), BOUND).1, [(0, frame(0, 3))]);
}

#[test]
fn every_policy_keeps_the_frames_and_a_drop_ends_its_thread() {
    for sync in [SpoolSync::Always, SpoolSync::EverySecond, SpoolSync::Never] {
        let dir = tempfile::tempdir().unwrap();
        let (mut spool, _) = Spool::open(dir.path(), queue(), BOUND, sync).unwrap();
        (0..20).for_each(|number| spool.append(number, &frame(number, 500)).unwrap());
        spool.release(5).unwrap();
        drop(spool);
        let (_, frames) = Spool::open(dir.path(), queue(), BOUND, sync).unwrap();
        assert_eq!(frames.iter().map(|(number, _)| *number).collect::<Vec<_>>(), (5..20).collect::<Vec<_>>());
    }
}

#[test]
fn frames_of_a_memory_link_come_back_once() {
    let dir = tempfile::tempdir().unwrap();
    let frames = [(4, frame(4, 0)), (9, frame(9, 700))];
    save_undelivered(dir.path(), queue(), frames.iter().map(|(number, frame)| (*number, frame))).unwrap();
    assert_eq!(take_undelivered(dir.path(), QueueId::ALL[0]).unwrap(), []);
    assert_eq!(take_undelivered(dir.path(), queue()).unwrap(), frames);
    assert_eq!(take_undelivered(dir.path(), queue()).unwrap(), []);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn a_stop_without_frames_takes_an_older_file_away() {
    let dir = tempfile::tempdir().unwrap();
    save_undelivered(dir.path(), queue(), [(1, &frame(1, 1))]).unwrap();
    save_undelivered(dir.path(), queue(), []).unwrap();
    assert_eq!(take_undelivered(dir.path(), queue()).unwrap(), []);
}

#[test]
fn a_damaged_file_of_a_memory_link_gives_the_frames_before_the_damage() {
    let dir = tempfile::tempdir().unwrap();
    let frames = [(1, frame(1, 10)), (2, frame(2, 10))];
    save_undelivered(dir.path(), queue(), frames.iter().map(|(number, frame)| (*number, frame))).unwrap();
    let path = dir.path().join("undelivered-2");
    let mut bytes = std::fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&path, bytes).unwrap();
    assert_eq!(take_undelivered(dir.path(), queue()).unwrap(), frames[..1]);
}

#[test]
fn a_link_that_changes_between_memory_and_disk_keeps_its_frames() {
    let dir = tempfile::tempdir().unwrap();
    let first = [(4, frame(4, 10)), (9, frame(9, 10))];
    save_undelivered(dir.path(), queue(), first.iter().map(|(number, frame)| (*number, frame))).unwrap();
    let (mut spool, found) = open(dir.path(), BOUND);
    let contents =
        |frames: &[(u64, Bytes)]| frames.iter().map(|(_, frame)| frame.clone()).collect::<Vec<_>>();
    assert_eq!(contents(&found), contents(&first));
    assert!(!dir.path().join("undelivered-2").exists(), "they are in the spool now");
    spool.append(found[1].0 + 1, &frame(50, 5)).unwrap();
    drop(spool);
    let found = take_undelivered(dir.path(), queue()).unwrap();
    assert_eq!(contents(&found), [frame(4, 10), frame(9, 10), frame(50, 5)]);
    assert!(found.is_sorted_by(|a, b| a.0 < b.0));
    assert_eq!(take_undelivered(dir.path(), queue()).unwrap(), []);
}

#[test]
fn the_smallest_spool_that_the_settings_allow_holds_a_full_cache_of_one_byte_frames() {
    let text = "[link]\ncache = 2048\nspool = 'disk'\nspool_size = ";
    let settings = |size: u64| crate::settings::Settings::parse(Path::new("x"), &format!("{text}{size}"));
    let bound = (64..200).map(|kib| kib * 1024).find(|size| settings(*size).is_ok()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (mut spool, _) = open(dir.path(), bound);
    // The core appends first and then releases what it dropped.
    for number in 0..6_000 {
        spool.append(number, &frame(number, 1)).unwrap();
        spool.release(number.saturating_sub(2047)).unwrap();
    }
    assert_eq!(spool.refused(), 0);
}

#[test]
fn undelivered_frames_stay_until_the_start_has_succeeded() {
    let dir = tempfile::tempdir().unwrap();
    let frame = Bytes::from_static(b"precious");
    save_undelivered(dir.path(), queue(), [(0, &frame)]).unwrap();
    for _ in 0..2 {
        assert_eq!(find_undelivered(dir.path(), queue()).unwrap().frames, [(0, frame.clone())]);
    }
    assert_eq!(take_undelivered(dir.path(), queue()).unwrap(), [(0, frame)]);
    assert_eq!(find_undelivered(dir.path(), queue()).unwrap().frames, []);
}

#[test]
fn what_is_delivered_leaves_the_disk_though_the_mark_cannot_be_written() {
    let dir = tempfile::tempdir().unwrap();
    let (mut spool, _) = open(dir.path(), BOUND);
    (0..10).for_each(|number| spool.append(number, &frame(number, 500)).unwrap());
    spool.mark = Mark::unwritable();
    assert!(spool.release(10).is_err());
    assert_eq!(spool.used(), 0);
    drop(spool);
    assert_eq!(open(dir.path(), BOUND).1, []);
}

#[test]
fn the_mark_has_its_room_from_the_start() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path(), BOUND));
    let length = || std::fs::metadata(dir.path().join("spool/link-2/released")).unwrap().len();
    let whole = length();
    assert!(whole > 4096, "{whole}");
    let (mut spool, _) = open(dir.path(), BOUND);
    spool.append(0, &frame(0, 500)).unwrap();
    spool.release(1).unwrap();
    drop(spool);
    // Nothing is left: it starts over.
    let (spool, frames) = open(dir.path(), BOUND);
    assert_eq!((spool.mark.released(), frames.len(), length()), (0, 0, whole));
}
