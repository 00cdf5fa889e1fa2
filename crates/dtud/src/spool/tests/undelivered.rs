//! What a stop keeps and the next start finds.

use super::*;

fn save(dir: &Path, frames: &[(u64, Bytes)]) {
    let frames = frames.iter().map(|(number, frame)| (*number, frame));
    save_undelivered(&Fs::default(), dir, queue(), frames).unwrap();
}

/// As a start does that succeeds.
fn take_undelivered(dir: &Path, queue: QueueId) -> io::Result<Vec<(u64, Bytes)>> {
    let left = find_undelivered(&Fs::default(), dir, queue, &mut |_| {})?;
    let frames = left.found.frames.clone();
    left.forget()?;
    Ok(frames)
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
