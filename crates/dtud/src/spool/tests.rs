use super::*;
use crate::fs::faults::{FAULTS, Fault};

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

fn save(dir: &Path, frames: &[(u64, Bytes)]) {
    let frames = frames.iter().map(|(number, frame)| (*number, frame));
    save_undelivered(&Fs::default(), dir, queue(), frames).unwrap();
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
        Self {
            dir,
            spool,
            waiting: VecDeque::new(),
            next: 0,
        }
    }

    fn append(&mut self, random: &mut Seeded) {
        let length = if random.below(4) == 0 {
            1 + random.below(1024)
        } else {
            random.below(40)
        };
        self.next += random.below(2);
        let frame = frame(self.next, usize::try_from(length).unwrap());
        match self.spool.append_one(self.next, &frame) {
            Ok(()) => self.waiting.push_back((self.next, frame)),
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::StorageFull),
        }
        self.next += 1;
        assert!(self.spool.used() <= BOUND);
    }

    fn release(&mut self, random: &mut Seeded) {
        let count = random.below(self.waiting.len() as u64 + 1);
        let Some((last, _)) = self.waiting.drain(..usize::try_from(count).unwrap()).last() else {
            return;
        };
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
    let left = find_undelivered(&Fs::default(), dir, queue, &mut |_| {})?;
    let frames = left.found.frames.clone();
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

/// Three frames, in a file of 83 bytes with borders at 21 and 37.
fn three_frames(dir: &Path) -> Vec<(u64, Bytes)> {
    let (mut spool, _) = open(dir, 1 << 20);
    let frames: Vec<_> = [5, 0, 30]
        .iter()
        .zip(3..)
        .map(|(length, number)| (number, frame(number, *length)))
        .collect();
    frames
        .iter()
        .for_each(|(number, frame)| spool.append_one(*number, frame).unwrap());
    frames
}

const BORDERS: [usize; 4] = [0, 21, 37, 83];

#[test]
fn a_tail_cut_at_every_byte_loses_only_the_frame_it_touches_counted() {
    let dir = tempfile::tempdir().unwrap();
    let frames = three_frames(dir.path());
    for at in 0..83 {
        let whole = BORDERS
            .iter()
            .filter(|border| **border <= at && **border > 0)
            .count();
        let copy = killed(dir.path());
        let path = copy.path().join("spool/link-2/0000000000000003.frames");
        let mut bytes = std::fs::read(&path).unwrap();
        assert_eq!(bytes.len(), 83);
        bytes.truncate(at);
        std::fs::write(&path, bytes).unwrap();
        let (mut spool, found) =
            open_with(&Fs::default(), copy.path(), 1 << 20, SpoolSync::Never).unwrap();
        assert_eq!(found.frames, frames[..whole], "byte {at}");
        assert_eq!(
            found.lost.frames,
            3 - whole as u64,
            "byte {at}: what is missing is counted"
        );
        assert_eq!(spool.used(), BORDERS[whole] as u64, "the tail is cut");
        spool.append_one(9, &frame(9, 9)).unwrap();
        let again = open(killed(copy.path()).path(), 1 << 20).1;
        assert_eq!(
            again.len(),
            whole + 1,
            "what comes after the cut is kept, and nothing is counted again"
        );
        assert_eq!(again.last(), Some(&(9, frame(9, 9))));
    }
}

/// K1 (decisions 16.22).
#[test]
fn k1_a_bit_flipped_anywhere_costs_one_frame_counted_and_the_damaged_file_is_kept_beside() {
    let dir = tempfile::tempdir().unwrap();
    let frames = three_frames(dir.path());
    for bit in 0..83 * 8 {
        let copy = killed(dir.path());
        let path = copy.path().join("spool/link-2/0000000000000003.frames");
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(&path, &bytes).unwrap();
        let mut counted = Lost::default();
        let mut count = |lost| counted += lost;
        let kind = (1 << 20, SpoolSync::Never);
        let (spool, found) =
            Spool::open(&Fs::default(), copy.path(), queue(), kind, &mut count).unwrap();
        let hit = BORDERS
            .iter()
            .rposition(|border| *border <= bit / 8)
            .unwrap();
        let left: Vec<_> = frames
            .iter()
            .enumerate()
            .filter(|(at, _)| *at != hit)
            .map(|(_, f)| f.clone())
            .collect();
        assert_eq!(found.frames, left, "bit {bit}");
        assert_eq!(
            counted,
            Lost {
                frames: 1,
                bytes: frames[hit].1.len() as u64
            },
            "bit {bit}"
        );
        let beside = path.with_extension("frames.damaged-1");
        assert_eq!(std::fs::read(&beside).unwrap(), bytes, "as it was found");
        drop(spool);
        assert_eq!(open(copy.path(), 1 << 20).1, left, "and whole from now on");
    }
}

/// K1: what a power cut, a worn card or a hand leaves of the end of a spool.
#[test]
fn k1_frames_behind_the_last_whole_record_are_counted_once_whatever_became_of_them() {
    let dir = tempfile::tempdir().unwrap();
    three_frames(dir.path());
    let file = "spool/link-2/0000000000000003.frames";
    let whole = std::fs::read(dir.path().join(file)).unwrap();
    let zeros = [&whole[..BORDERS[1]], &vec![0; whole.len() - BORDERS[1]]].concat();
    for (what, bytes, lost) in [
        ("half of it is zeros", Some(zeros), 2),
        (
            "cut between two records",
            Some(whole[..BORDERS[1]].to_vec()),
            2,
        ),
        ("an empty file", Some(Vec::new()), 3),
        ("all garbage", Some(vec![0xA5; whole.len()]), 3),
        ("no file", None, 3),
    ] {
        let copy = killed(dir.path());
        let path = copy.path().join(file);
        match bytes {
            Some(bytes) => std::fs::write(&path, bytes).unwrap(),
            None => {
                // Numbers 0 to 2 never were.
                open(copy.path(), 1 << 20).0.release(3).unwrap();
                std::fs::remove_file(&path).unwrap();
            }
        }
        let (mut spool, found) =
            open_with(&Fs::default(), copy.path(), 1 << 20, SpoolSync::Never).unwrap();
        assert_eq!(
            (found.frames.len() as u64, found.lost.frames),
            (3 - lost, lost),
            "{what}"
        );
        spool.append_one(9, &frame(9, 9)).unwrap();
        drop(spool);
        let (_, found) = open_with(&Fs::default(), copy.path(), 1 << 20, SpoolSync::Never).unwrap();
        assert_eq!(
            (found.frames.len() as u64, found.lost.frames),
            (4 - lost, 0),
            "{what}: not again"
        );
    }
}

/// K1: 300 frames, the middle of the file written over.
#[test]
fn k1_a_hole_of_any_size_costs_what_it_touches() {
    let dir = tempfile::tempdir().unwrap();
    let (mut spool, _) = open(dir.path(), 1 << 24);
    let frames: Vec<_> = (0..300)
        .map(|number| (number, frame(number, 20 + number as usize % 7)))
        .collect();
    assert!(spool.append_all(&frames).numbers.is_empty());
    let ends: Vec<usize> = frames
        .iter()
        .scan(0, |end, (_, frame)| {
            *end += 16 + frame.len();
            Some(*end)
        })
        .collect();
    let mut random = Seeded(7);
    for round in 0..200 {
        let copy = killed(dir.path());
        let path = copy.path().join("spool/link-2/0000000000000000.frames");
        let mut bytes = std::fs::read(&path).unwrap();
        let from = usize::try_from(random.below(bytes.len() as u64 - 1)).unwrap();
        let length = usize::try_from(1 + random.below(400))
            .unwrap()
            .min(bytes.len() - from);
        let what = [0x00, 0xFF, 0x5A][round % 3];
        let before = bytes.clone();
        bytes[from..from + length].fill(what);
        std::fs::write(&path, &bytes).unwrap();
        let is_hit = |at: usize| {
            let begin = if at == 0 { 0 } else { ends[at - 1] };
            before[begin..ends[at]] != bytes[begin..ends[at]]
        };
        let left: Vec<_> = (0..300)
            .filter(|at| !is_hit(*at))
            .map(|at| frames[at].clone())
            .collect();
        let (_, found) = open_with(&Fs::default(), copy.path(), 1 << 24, SpoolSync::Never).unwrap();
        assert_eq!(found.frames, left, "{length} bytes from {from}");
        let lost = 300 - left.len() as u64;
        // At the end of the file no number tells how many there were.
        if left.last().is_some_and(|(number, _)| *number == 299) || lost == 0 {
            assert_eq!(found.lost.frames, lost);
        } else {
            assert!(found.lost.frames >= 1);
        }
    }
}

/// K1: the other segments stay.
#[test]
fn k1_a_segment_that_cannot_be_read_costs_its_own_frames() {
    let dir = tempfile::tempdir().unwrap();
    let (mut spool, _) = open(dir.path(), BOUND);
    for number in 0..40 {
        spool.append_one(number, &frame(number, 1000)).unwrap();
    }
    let paths = segment_paths(&spool.fs, &spool.dir).unwrap();
    assert!(paths.len() > 8);
    drop(spool);
    std::fs::remove_file(&paths[3]).unwrap();
    std::fs::create_dir(&paths[3]).unwrap();
    let (_, found) = open_with(&Fs::default(), dir.path(), BOUND, SpoolSync::Never).unwrap();
    assert_eq!(found.frames.len() as u64 + found.lost.frames, 40);
    assert!(found.frames.len() > 30, "{} frames", found.frames.len());
    assert!(paths[3].with_extension("frames.damaged-1").is_dir());
    assert_eq!(open(dir.path(), BOUND).1, found.frames, "counted once");
}

#[test]
fn a_mark_torn_at_every_byte_gives_the_mark_before_it() {
    let dir = tempfile::tempdir().unwrap();
    let (mut spool, _) = open(dir.path(), BOUND);
    (0..6).for_each(|number| spool.append_one(number, &frame(number, 10)).unwrap());
    spool.release(2).unwrap();
    let before = std::fs::read(dir.path().join("spool/link-2/released")).unwrap();
    spool.release(4).unwrap();
    let after = std::fs::read(dir.path().join("spool/link-2/released")).unwrap();
    let first = before
        .iter()
        .chain([0; 8192].iter())
        .zip(&after)
        .position(|(old, new)| old != new)
        .unwrap();
    for torn in first + 1..after.len().min(first + 12) {
        let copy = killed(dir.path());
        let mut bytes = after.clone();
        let end = bytes.len().min(first - first % 4096 + 12);
        for (place, byte) in bytes.iter_mut().enumerate().take(end).skip(torn) {
            *byte = before.get(place).copied().unwrap_or(0);
        }
        let whole = bytes == after;
        std::fs::write(copy.path().join("spool/link-2/released"), bytes).unwrap();
        let numbers: Vec<_> = open(copy.path(), BOUND)
            .1
            .iter()
            .map(|(number, _)| *number)
            .collect();
        assert_eq!(
            numbers,
            if whole { vec![4, 5] } else { vec![2, 3, 4, 5] },
            "torn at {torn}"
        );
    }
}

#[test]
fn a_full_spool_refuses_counts_and_takes_again_after_a_release() {
    let dir = tempfile::tempdir().unwrap();
    let (mut spool, _) = open(dir.path(), BOUND);
    let mut number = 0;
    while spool.append_one(number, &frame(number, 1000)).is_ok() {
        number += 1;
    }
    assert!(number > 50, "{number} frames of 1016 bytes fit into 64 KiB");
    let refused = spool.append_all(&[(number, frame(number, 1000))]);
    let error = refused.why.unwrap();
    assert_eq!(
        (error.kind(), refused.numbers),
        (io::ErrorKind::StorageFull, vec![number])
    );
    assert!(
        error
            .to_string()
            .ends_with("link-2: full: spool_size is 65536 bytes"),
        "{error}"
    );
    spool.release(10).unwrap();
    spool.append_one(number, &frame(number, 1000)).unwrap();
    assert!(spool.used() <= BOUND);
}

#[test]
fn a_number_that_does_not_grow_and_a_frame_too_long_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (mut spool, _) = open(dir.path(), 1 << 20);
    spool.append_one(7, &frame(7, 1)).unwrap();
    for (number, length) in [(7, 1), (6, 1), (8, record::MAX_FRAME + 1)] {
        let error = spool
            .append_one(number, &frame(number, length))
            .unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }
    assert_eq!(
        open(killed(dir.path()).path(), 1 << 20).1,
        [(7, frame(7, 1))]
    );
}

#[test]
fn all_released_leaves_no_segment_and_the_next_run_numbers_from_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let (mut spool, _) = open(dir.path(), BOUND);
    (0..200).for_each(|number| {
        spool.append_one(number, &frame(number, 900)).unwrap();
        spool.release(number + 1).unwrap();
    });
    assert_eq!(
        segment_paths(&spool.fs, &spool.dir).unwrap(),
        Vec::<PathBuf>::new()
    );
    assert_eq!(spool.used(), 0);
    drop(spool);
    let (mut spool, frames) = open(dir.path(), BOUND);
    assert!(frames.is_empty());
    spool.append_one(0, &frame(0, 3)).unwrap();
    assert_eq!(open(killed(dir.path()).path(), BOUND).1, [(0, frame(0, 3))]);
}

#[test]
fn every_policy_keeps_the_frames_and_a_drop_ends_its_thread() {
    for sync in [SpoolSync::Always, SpoolSync::EverySecond, SpoolSync::Never] {
        let dir = tempfile::tempdir().unwrap();
        let (mut spool, _) = open_with(&Fs::default(), dir.path(), BOUND, sync).unwrap();
        (0..20).for_each(|number| spool.append_one(number, &frame(number, 500)).unwrap());
        spool.release(5).unwrap();
        drop(spool);
        let (_, Found { frames, .. }) = open_with(&Fs::default(), dir.path(), BOUND, sync).unwrap();
        assert_eq!(
            frames.iter().map(|(number, _)| *number).collect::<Vec<_>>(),
            (5..20).collect::<Vec<_>>()
        );
    }
}

/// Memory before, a spool without room for them now: they are sent, and counted as `spool_refused`.
#[test]
fn k3_frames_of_a_memory_link_that_the_spool_has_no_room_for_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let frames: Vec<_> = (0..20).map(|number| (number, frame(number, 100))).collect();
    save(dir.path(), &frames);
    let kind = (1000, SpoolSync::Never);
    let (_spool, found) =
        Spool::open(&Fs::default(), dir.path(), queue(), kind, &mut |_| {}).unwrap();
    assert_eq!(found.frames, frames, "all are sent");
    let fit = 20 - found.refused.len() as u64;
    assert!((1..=8).contains(&fit), "{:?}", found.refused);
    assert_eq!(found.refused, (fit..20).collect::<Vec<_>>());
}

#[test]
fn frames_of_a_memory_link_come_back_once() {
    let dir = tempfile::tempdir().unwrap();
    let frames = [(4, frame(4, 0)), (9, frame(9, 700))];
    save(dir.path(), &frames);
    assert_eq!(take_undelivered(dir.path(), QueueId::ALL[0]).unwrap(), []);
    assert_eq!(take_undelivered(dir.path(), queue()).unwrap(), frames);
    assert_eq!(take_undelivered(dir.path(), queue()).unwrap(), []);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn a_stop_without_frames_takes_an_older_file_away() {
    let dir = tempfile::tempdir().unwrap();
    save(dir.path(), &[(1, frame(1, 1))]);
    save(dir.path(), &[]);
    assert_eq!(take_undelivered(dir.path(), queue()).unwrap(), []);
}

/// K1.
#[test]
fn k1_a_damaged_file_of_a_memory_link_gives_the_other_frames() {
    let dir = tempfile::tempdir().unwrap();
    let frames = [(1, frame(1, 10)), (2, frame(2, 10)), (3, frame(3, 10))];
    save(dir.path(), &frames);
    let path = dir.path().join("undelivered-2");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[26 + 1] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let mut counted = Lost::default();
    let left = find_undelivered(&Fs::default(), dir.path(), queue(), &mut |lost| {
        counted += lost
    })
    .unwrap();
    assert_eq!(left.found.frames, [frames[0].clone(), frames[2].clone()]);
    assert_eq!(
        counted,
        Lost {
            frames: 1,
            bytes: 10
        }
    );
    assert!(dir.path().join("undelivered-2.damaged-1").is_file());
    assert_eq!(
        take_undelivered(dir.path(), queue()).unwrap().len(),
        2,
        "counted once"
    );
}

#[test]
fn a_link_that_changes_between_memory_and_disk_keeps_its_frames() {
    let dir = tempfile::tempdir().unwrap();
    let first = [(4, frame(4, 10)), (9, frame(9, 10))];
    save(dir.path(), &first);
    let (mut spool, found) = open(dir.path(), BOUND);
    let contents = |frames: &[(u64, Bytes)]| {
        frames
            .iter()
            .map(|(_, frame)| frame.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(contents(&found), contents(&first));
    assert!(
        !dir.path().join("undelivered-2").exists(),
        "they are in the spool now"
    );
    spool.append_one(found[1].0 + 1, &frame(50, 5)).unwrap();
    drop(spool);
    let found = take_undelivered(dir.path(), queue()).unwrap();
    assert_eq!(contents(&found), [frame(4, 10), frame(9, 10), frame(50, 5)]);
    assert!(found.is_sorted_by(|a, b| a.0 < b.0));
    assert_eq!(take_undelivered(dir.path(), queue()).unwrap(), []);
}

#[test]
fn the_smallest_spool_that_the_settings_allow_holds_a_full_cache_of_one_byte_frames() {
    let text = "[link]\ncache = 2048\nspool = 'disk'\nspool_size = ";
    let settings =
        |size: u64| crate::settings::Settings::parse(Path::new("x"), &format!("{text}{size}"));
    let bound = (64..200)
        .map(|kib| kib * 1024)
        .find(|size| settings(*size).is_ok())
        .unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (mut spool, _) = open(dir.path(), bound);
    // The core appends first and then releases what it dropped.
    for number in 0..6_000 {
        spool.append_one(number, &frame(number, 1)).unwrap();
        spool.release(number.saturating_sub(2047)).unwrap();
    }
}

fn found_undelivered(dir: &Path) -> Vec<(u64, Bytes)> {
    find_undelivered(&Fs::default(), dir, queue(), &mut |_| {})
        .unwrap()
        .found
        .frames
}

#[test]
fn undelivered_frames_stay_until_the_start_has_succeeded() {
    let dir = tempfile::tempdir().unwrap();
    let frame = Bytes::from_static(b"precious");
    save(dir.path(), &[(0, frame.clone())]);
    for _ in 0..2 {
        assert_eq!(found_undelivered(dir.path()), [(0, frame.clone())]);
    }
    assert_eq!(take_undelivered(dir.path(), queue()).unwrap(), [(0, frame)]);
    assert_eq!(found_undelivered(dir.path()), []);
}

#[test]
fn what_is_delivered_leaves_the_disk_though_the_mark_cannot_be_written() {
    let dir = tempfile::tempdir().unwrap();
    let fs = Fs::counting();
    let (mut spool, _) = open_with(&fs, dir.path(), BOUND, SpoolSync::Never).unwrap();
    (0..10).for_each(|number| spool.append_one(number, &frame(number, 500)).unwrap());
    fs.fail_next(Fault::Error(libc::ENOSPC));
    assert!(spool.release(10).is_err());
    assert_eq!(spool.used(), 0);
    drop(spool);
    assert_eq!(open(dir.path(), BOUND).1, []);
}

#[test]
fn the_mark_has_its_room_from_the_start() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path(), BOUND));
    let length = || {
        std::fs::metadata(dir.path().join("spool/link-2/released"))
            .unwrap()
            .len()
    };
    let whole = length();
    assert!(whole > 4096, "{whole}");
    let (mut spool, _) = open(dir.path(), BOUND);
    spool.append_one(0, &frame(0, 500)).unwrap();
    spool.release(1).unwrap();
    drop(spool);
    // Nothing is left: it starts over.
    let (spool, frames) = open(dir.path(), BOUND);
    assert_eq!((spool.mark.number(), frames.len(), length()), (0, 0, whole));
}

/// What a run gave to a spool, and what it was answered.
#[derive(Default)]
struct Books {
    given: Vec<(u64, Bytes)>,
    refused: Vec<u64>,
    /// Below this the run was told that it is done.
    released: u64,
    /// The last frame that the run was told is noted as being sent.
    sending: Option<u64>,
}

impl Books {
    fn give(&mut self, spool: &mut Spool, numbers: std::ops::Range<u64>) {
        let frames: Vec<_> = numbers
            .map(|number| (number, frame(number, 100 + number as usize % 50)))
            .collect();
        self.refused.extend(spool.append_all(&frames).numbers);
        self.given.extend(frames);
    }

    fn release(&mut self, spool: &mut Spool, up_to: u64) {
        if spool.release(up_to).is_ok() {
            self.released = up_to;
        }
    }

    fn send(&mut self, spool: &mut Spool, number: u64) {
        if spool.note_sending(Some(number)).is_ok() {
            self.sending = Some(number);
        }
    }

    /// A start, work of every kind, a start.
    fn run(&mut self, fs: &Fs, dir: &Path, sync: SpoolSync) -> io::Result<()> {
        let (mut spool, _) = open_with(fs, dir, 4096, sync)?;
        self.give(&mut spool, 0..3);
        self.give(&mut spool, 3..4);
        self.send(&mut spool, 0);
        self.release(&mut spool, 2);
        self.give(&mut spool, 4..12);
        self.send(&mut spool, 2);
        self.release(&mut spool, 3);
        self.send(&mut spool, 3);
        self.give(&mut spool, 12..14);
        drop(spool);
        let (mut spool, _) = open_with(fs, dir, 4096, sync)?;
        self.give(&mut spool, 14..16);
        Ok(())
    }

    /// In = out + counted, and nothing goes twice that may not.
    fn hold(&self, found: &Found, what: &str) {
        assert!(
            found.frames.is_sorted_by(|a, b| a.0 < b.0),
            "{what}: in order"
        );
        for known in &found.frames {
            assert!(
                self.given.contains(known),
                "{what}: frame {} was never given",
                known.0
            );
            assert!(
                known.0 >= self.released,
                "{what}: frame {} was released",
                known.0
            );
            assert_ne!(Some(known.0), self.sending, "{what}: it was being sent");
        }
        let is_there = |number: u64| found.frames.iter().any(|(known, _)| *known == number);
        let gone = self
            .given
            .iter()
            .filter(|(number, _)| *number >= self.released && !is_there(*number));
        let unexplained = gone
            .filter(|(number, _)| !self.refused.contains(number))
            .count() as u64;
        // A release that the disk did not take in full may have let go of what it names; the one being sent is counted.
        let named = [2, 3, 4]
            .into_iter()
            .filter(|number| *number > self.released)
            .max()
            .unwrap_or(0);
        let allowed = found.lost.frames + named.saturating_sub(self.released);
        assert!(
            unexplained <= allowed,
            "{what}: {unexplained} frames are gone, {} counted",
            found.lost.frames
        );
    }
}

/// Issue 9: every write, sync, rename, open, read and readdir fails once, or from then on, in every way.
#[test]
fn k_whatever_operation_fails_every_frame_comes_out_or_is_counted() {
    let counting = Fs::counting();
    let dir = tempfile::tempdir().unwrap();
    Books::default()
        .run(&counting, dir.path(), SpoolSync::Always)
        .unwrap();
    assert!(counting.count() > 30, "{} operations", counting.count());
    for sync in [SpoolSync::Always, SpoolSync::Never] {
        for index in 0..counting.count() {
            for (fault, lasts) in FAULTS
                .into_iter()
                .flat_map(|fault| [(fault, false), (fault, true)])
            {
                let dir = tempfile::tempdir().unwrap();
                let mut books = Books::default();
                let _ = books.run(&Fs::failing(index, fault, lasts), dir.path(), sync);
                let what = format!("operation {index}, {fault:?}, lasts: {lasts}, {sync:?}");
                let found = open_with(&Fs::counting(), dir.path(), 4096, sync)
                    .expect(&what)
                    .1;
                books.hold(&found, &what);
            }
        }
    }
}

/// K1: also a start that mends may be cut short anywhere, or fail.
#[test]
fn k1_a_start_that_is_cut_short_while_it_mends_loses_no_more() {
    let dir = tempfile::tempdir().unwrap();
    let frames = three_frames(dir.path());
    let path = dir.path().join("spool/link-2/0000000000000003.frames");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[25] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let left = [frames[0].clone(), frames[2].clone()];
    let mut index = 0;
    loop {
        let mut count = 0;
        for fault in FAULTS {
            let copy = killed(dir.path());
            let fs = Fs::failing(index, fault, false);
            let mut counted = Lost::default();
            let kind = (1 << 20, SpoolSync::Never);
            let first = Spool::open(&fs, copy.path(), queue(), kind, &mut |lost| counted += lost);
            if let Ok((_, found)) = &first {
                assert_eq!(
                    found.frames.len() as u64 + found.lost.frames,
                    3,
                    "{index} {fault:?}"
                );
            }
            drop(first);
            let (_, found) =
                Spool::open(&Fs::counting(), copy.path(), queue(), kind, &mut |lost| {
                    counted += lost
                })
                .unwrap();
            if fs.count() > index {
                count += 1;
            }
            let missing = 3 - found.frames.len() as u64;
            assert!(
                counted.frames >= missing,
                "{index} {fault:?}: {missing} are gone, {counted:?}"
            );
            assert!(found.frames.iter().all(|frame| left.contains(frame)));
        }
        if count == 0 {
            assert!(index > 10, "{index} operations");
            return;
        }
        index += 1;
    }
}
