//! What is written beside the loop, kept and counted.

use super::*;

#[test]
fn messages_are_stored_beside_the_loop_and_come_back_and_the_newest_wins() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let dir = tempfile::tempdir().unwrap();
    runtime.block_on(async {
        let (mut disk, kept) =
            Disk::open(&Fs::default(), dir.path(), &Settings::default()).unwrap();
        assert_eq!(kept.messages, "");
        let mut saved = Vec::new();
        for number in 1..=3 {
            disk.order(StoreOutput::Messages {
                number,
                text: format!("set {number}\n"),
            });
        }
        while disk.is_saving() {
            let DiskEvent::Messages(outcome) = std::future::poll_fn(|cx| disk.poll(cx)).await
            else {
                panic!("only messages were saved")
            };
            saved.push(outcome.unwrap());
        }
        assert_eq!(saved, [1, 3]);
        drop(disk);
        let (_, kept) = Disk::open(&Fs::default(), dir.path(), &Settings::default()).unwrap();
        assert_eq!(kept.messages, "set 3\n");
    });
}

/// Issue 9: a run of the device with every operation failing once, or from then on.
#[test]
fn k3_after_a_clean_stop_in_is_out_and_counted_whatever_failed() {
    let run = |fs: &Fs, dir: &Path| -> Option<(u64, Vec<u64>)> {
        let (mut small, _) = Small::start(fs, dir, "1s").ok()?;
        for number in 0..6 {
            small.frame(ONE, number);
            small.frame(TWO, number);
            if number % 2 == 1 {
                small.settle();
            }
        }
        small.deliver(ONE, 2);
        small.settle();
        let kept: Vec<u64> = small.waiting[0].keys().copied().collect();
        Some((small.stop(), kept))
    };
    let counting = Fs::counting();
    run(&counting, tempfile::tempdir().unwrap().path()).unwrap();
    assert!(counting.count() > 40, "{} operations", counting.count());
    let (broken, full) = (Fault::Error(libc::EIO), Fault::Error(libc::ENOSPC));
    for (fault, lasts) in [
        (broken, false),
        (broken, true),
        (full, true),
        (Fault::Short, false),
    ] {
        for index in 0..counting.count() + 10 {
            let what = format!("operation {index}, {fault:?}, lasts: {lasts}");
            let dir = tempfile::tempdir().unwrap();
            let Some((lost, _)) = run(&Fs::failing(index, fault, lasts), dir.path()) else {
                continue;
            };
            let (_, kept) = Small::start(&Fs::counting(), dir.path(), "1s").expect(&what);
            let (one, two) = (numbers(&kept, ONE), numbers(&kept, TWO));
            assert!(
                one.is_sorted() && two.is_sorted(),
                "{what}: {one:?} {two:?}"
            );
            let gone = (2..6).filter(|number| !one.contains(number)).count()
                + (0..6).filter(|number| !two.contains(number)).count();
            assert!(
                gone as u64 <= lost,
                "{what}: {lost} are told lost: {one:?} {two:?}"
            );
            // A frame that was written in spite of the error may come, though it is counted.
            assert!(
                lasts || gone as u64 == lost,
                "{what}: {lost} are told lost: {one:?} {two:?}"
            );
            let counted: u64 = kept.losses.queues.iter().map(|loss| loss.frames).sum();
            assert!(
                counted == lost || lasts,
                "{what}: {lost} are lost, {counted} are kept as counted"
            );
        }
    }
}

/// D15: the disk stands still; the loop does not, and what was delivered meanwhile needs no disk.
#[test]
fn d15_a_disk_that_stands_still_holds_nothing_up() {
    let dir = tempfile::tempdir().unwrap();
    let fs = Fs::counting();
    let (mut small, _) = Small::start(&fs, dir.path(), "1s").unwrap();
    fs.hold(true);
    small.frame(ONE, 0);
    fs.wait_for_a_write();
    let before = std::time::Instant::now();
    for number in 1..40 {
        small.frame(ONE, number);
        assert_eq!(small.holds(ONE, number), None, "1s does not wait");
    }
    small.deliver(ONE, 30);
    assert!(
        before.elapsed() < std::time::Duration::from_millis(300),
        "{:?}",
        before.elapsed()
    );
    let writes = fs.count();
    fs.hold(false);
    small.settle();
    assert!(
        fs.count() - writes < 12,
        "what waited goes in one write: {}",
        fs.count() - writes
    );
    drop(small);
    let (_, kept) = Small::start(&Fs::default(), dir.path(), "1s").unwrap();
    assert_eq!(numbers(&kept, ONE), (30..40).collect::<Vec<_>>());
}

/// D15, 16.22: `always` waits, and is told when it need not any more.
#[test]
fn d15_always_waits_for_the_disk_before_a_send() {
    let dir = tempfile::tempdir().unwrap();
    let fs = Fs::counting();
    let (mut small, _) = Small::start(&fs, dir.path(), "always").unwrap();
    fs.hold(true);
    small.frame(ONE, 0);
    let order = small.holds(ONE, 0).expect("the frame is not on the disk");
    small.frame(ONE, 1);
    assert_eq!(
        small.holds(ONE, 0),
        Some(order),
        "it waits for its own write, not for those of later frames"
    );
    assert!(small.holds(ONE, 1) > Some(order));
    let heartbeat = Bytes::from_static(b"www.usr.cn");
    assert_eq!(
        small.disk.holds(ONE, &heartbeat),
        None,
        "what is no frame does not wait"
    );
    small.frame(TWO, 0);
    assert_eq!(small.holds(TWO, 0), None, "link 2 has no spool");
    fs.hold(false);
    small.settle();
    assert!(
        small.disk.has_done(order)
            && small.holds(ONE, 0).is_none()
            && small.holds(ONE, 1).is_none()
    );
}

/// D15: a writer thread that could not start, or ended by a fault.
#[test]
fn d15_nobody_waits_for_a_writer_that_is_dead() {
    let dir = tempfile::tempdir().unwrap();
    let (mut small, _) = Small::start(&Fs::default(), dir.path(), "always").unwrap();
    small.disk.writer.die();
    small.frame(ONE, 0);
    assert_eq!(small.holds(ONE, 0), None, "it may be sent");
    small.tell();
    assert_eq!(small.refused, 1, "and is counted as not on the disk");
}

/// D15: what waits for a disk that stands still is bounded, and refused beyond it, counted.
#[test]
fn d15_what_waits_for_the_disk_is_bounded() {
    let dir = tempfile::tempdir().unwrap();
    let fs = Fs::counting();
    let (mut small, _) = Small::start(&fs, dir.path(), "1s").unwrap();
    fs.hold(true);
    let frame = Bytes::from(vec![0; 1024]);
    for number in 0..3000 {
        small
            .disk
            .order(StoreOutput::SpoolAppend(ONE, number, frame.clone()));
    }
    small.tell();
    assert!(
        (900..2100).contains(&small.refused),
        "{} refused",
        small.refused
    );
    fs.hold(false);
    small.settle();
}

/// K4: noted before the send, in every mode of forcing; gone after the end of the program, and counted.
#[test]
fn k4_a_frame_that_was_being_sent_does_not_come_again_and_is_counted() {
    for sync in ["always", "1s", "never"] {
        let dir = tempfile::tempdir().unwrap();
        let fs = Fs::counting();
        let (mut small, _) = Small::start(&fs, dir.path(), sync).unwrap();
        (0..3).for_each(|number| small.frame(QueueId::Httpd, number));
        small.settle();
        fs.hold(true);
        small
            .disk
            .order(StoreOutput::SpoolSending(QueueId::Httpd, Some(0)));
        assert!(
            small.holds(QueueId::Httpd, 0).is_some(),
            "{sync}: the send waits"
        );
        fs.hold(false);
        small.settle();
        assert!(small.holds(QueueId::Httpd, 0).is_none());
        drop(small);
        for round in 0..2 {
            let (_, kept) = Small::start(&Fs::default(), dir.path(), sync).unwrap();
            assert_eq!(numbers(&kept, QueueId::Httpd), [1, 2], "{sync}");
            assert_eq!(
                kept.losses.queues[QueueId::Httpd.index()].frames,
                1,
                "{sync}: once, start {round}"
            );
        }
        // It came back, for it cannot have arrived.
        let (mut small, _) = Small::start(&Fs::default(), dir.path(), sync).unwrap();
        small
            .disk
            .order(StoreOutput::SpoolSending(QueueId::Httpd, Some(1)));
        small
            .disk
            .order(StoreOutput::SpoolSending(QueueId::Httpd, None));
        small.settle();
        drop(small);
        let (_, kept) = Small::start(&Fs::default(), dir.path(), sync).unwrap();
        assert_eq!(numbers(&kept, QueueId::Httpd), [1, 2], "{sync}");
    }
}

/// K3: the first loss at once, without a clean stop.
#[test]
fn k3_what_was_lost_stays_counted_over_kill_9() {
    let dir = tempfile::tempdir().unwrap();
    let (mut small, kept) = Small::start(&Fs::default(), dir.path(), "1s").unwrap();
    assert_eq!(kept.losses, Losses::default());
    let mut losses = Losses::default();
    losses.queues[1].frames = 85;
    losses.line.bytes = 7;
    losses.others = std::array::from_fn(|place| 100 + place as u64);
    small.disk.note_losses(losses);
    // As a kill does: the file is read while the program still has it.
    let read = || losses::LossFile::peek(&Fs::default(), dir.path()).losses;
    while read() != losses {
        std::thread::yield_now();
    }
    drop(small);
}

/// What is delivered behind a move names the old places of frames that have no new ones on the disk yet.
#[test]
fn frames_that_move_are_kept_over_a_kill_at_each_operation() {
    // Gives what a start finds then, and how many operations there were.
    let run = |at: Option<(usize, Fault)>| {
        let (fs, dir) = (Fs::counting(), tempfile::tempdir().unwrap());
        let (mut small, _) = Small::start(&fs, dir.path(), "1s").unwrap();
        (0..4).for_each(|number| small.frame(ONE, number));
        small.settle();
        let before = fs.count();
        if let Some((more, fault)) = at {
            fs.fail_after(more, fault);
        }
        fs.hold(true);
        // 1 is delivered, and the rest moves; then the oldest is delivered as well, and a new one comes.
        small.move_up(ONE, &[(0, 4), (2, 5), (3, 6)]);
        small.deliver(ONE, 5);
        small.frame(ONE, 7);
        fs.hold(false);
        small.settle();
        let operations = fs.count() - before;
        drop(small);
        let (_, kept) = Small::start(&Fs::default(), dir.path(), "1s").unwrap();
        (numbers(&kept, ONE), operations)
    };
    let (kept, operations) = run(None);
    assert_eq!(kept, [2, 3, 7]);
    assert!(operations > 4, "{operations} operations");
    let (mut moved, mut stayed) = (0, 0);
    for index in 0..operations {
        for fault in FAULTS {
            let (kept, _) = run(Some((index, fault)));
            let what = format!("operation {index}, {fault:?}: {kept:?}");
            assert!(kept.contains(&2) && kept.contains(&3), "{what}");
            moved += u32::from(!kept.contains(&0));
            stayed += u32::from(kept.contains(&0));
        }
    }
    assert!(moved > 0 && stayed > 0, "{moved}, {stayed}");
}

/// Where there is no spool they wait in memory, as before, and that is not told again.
#[test]
fn frames_that_move_where_there_is_no_spool_are_refused_once() {
    let dir = tempfile::tempdir().unwrap();
    let (mut small, _) = Small::start(&Fs::default(), dir.path(), "1s").unwrap();
    small.disk.writer.die();
    (0..3).for_each(|number| small.frame(ONE, number));
    small.tell();
    assert_eq!(small.refused, 3);
    small.move_up(ONE, &[(1, 3), (2, 4)]);
    small.tell();
    assert_eq!(small.refused, 3);
    assert_eq!(small.disk.queues[ONE.index()].refused, [3, 4]);
}
