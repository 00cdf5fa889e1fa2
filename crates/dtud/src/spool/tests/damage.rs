//! Files that were torn, flipped, lost or unreadable.

use super::*;

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
