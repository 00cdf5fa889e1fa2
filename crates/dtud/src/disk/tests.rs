use super::*;
use crate::fs::faults::Fault;
use crate::journal::Ear;

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
            let Saved::Messages(outcome) = std::future::poll_fn(|cx| disk.poll(cx)).await else {
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

#[test]
fn what_cannot_be_read_is_set_aside_and_the_device_starts() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("undelivered-3")).unwrap();
    let (_, kept) = Disk::open(&Fs::default(), dir.path(), &Settings::default()).unwrap();
    assert!(kept.frames.is_empty());
    assert!(dir.path().join("undelivered-3.damaged-1").is_dir());
}

#[test]
fn a_file_in_the_place_of_a_spool_is_set_aside() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("spool")).unwrap();
    std::fs::write(dir.path().join("spool/link-1"), "no folder").unwrap();
    let settings = dir.path().join("s.toml");
    std::fs::write(&settings, "[link.1]\nspool = \"disk\"").unwrap();
    let (disk, _) = Disk::open(
        &Fs::default(),
        dir.path(),
        &Settings::load(&settings).unwrap(),
    )
    .unwrap();
    assert!(disk.queues[0].is_open);
    assert!(dir.path().join("spool/link-1.damaged-1").is_file());
}

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
    fn start(fs: &Fs, dir: &Path, sync: &str) -> anyhow::Result<(Self, Kept)> {
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
        while let Poll::Ready(Saved::Refused(_, frames)) = self.disk.poll(&mut cx) {
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

fn numbers(kept: &Kept, queue: QueueId) -> Vec<u64> {
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

/// K2 (decisions 16.18): nothing can be written, and the device starts with what is there.
#[test]
fn k2_a_state_folder_that_cannot_be_written_gives_what_is_stored() {
    let dir = tempfile::tempdir().unwrap();
    let (mut small, _) = Small::start(&Fs::default(), dir.path(), "1s").unwrap();
    small.frame(ONE, 0);
    small.frame(TWO, 0);
    assert_eq!(small.stop(), 0);
    let fs = Fs::counting();
    fs.fail_writing();
    let (mut small, kept) = Small::start(&fs, dir.path(), "1s").unwrap();
    assert_eq!(
        (numbers(&kept, ONE), numbers(&kept, TWO)),
        (vec![0], vec![0])
    );
    small.frame(ONE, 1);
    small.tell();
    assert_eq!(small.refused, 1, "in memory only, counted");
    assert_eq!(small.stop(), 3, "what waited is lost, and that is said");
}

/// K7 (decisions 16.26).
#[test]
fn k7_a_folder_that_others_may_write_is_refused_with_its_mode_and_the_cure() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    std::fs::create_dir(&state).unwrap();
    for mode in [0o777, 0o775, 0o702, 0o1777] {
        std::fs::set_permissions(&state, std::fs::Permissions::from_mode(mode)).unwrap();
        let said = Small::start(&Fs::default(), &state, "1s")
            .err()
            .expect("refused")
            .to_string();
        let wanted = format!(
            "others may write it (mode {mode:04o}); cure: chmod go-w {}",
            state.display()
        );
        assert!(said.contains(&wanted), "{said}");
    }
    std::fs::set_permissions(&state, std::fs::Permissions::from_mode(0o755)).unwrap();
    Small::start(&Fs::default(), &state, "1s").unwrap();
}

/// K7: nothing is written through a link that lies in the folder.
#[test]
fn k7_no_symbolic_link_is_followed() {
    let dir = tempfile::tempdir().unwrap();
    let precious = dir.path().join("precious");
    std::fs::write(&precious, "mine").unwrap();
    let state = dir.path().join("state");
    std::fs::create_dir_all(state.join("spool/link-1")).unwrap();
    let names = [
        "lock",
        "parameters.new",
        "parameters",
        "losses",
        "undelivered-2.new",
        "spool/link-1/released",
    ];
    let names = names.into_iter().chain([
        "messages.new",
        "spool/link-1/0000000000000000.frames",
        "spool/httpd",
    ]);
    for name in names {
        std::os::unix::fs::symlink(&precious, state.join(name)).unwrap();
    }
    let (mut small, _) = Small::start(&Fs::default(), &state, "1s").unwrap();
    small.frame(ONE, 0);
    small.frame(TWO, 0);
    small.frame(QueueId::Httpd, 0);
    small.save("AT+CIPR=9600\n");
    let Small { runtime, disk, .. } = &mut small;
    runtime.block_on(async {
        while !matches!(
            std::future::poll_fn(|cx| disk.poll(cx)).await,
            Saved::Parameters(Ok(()))
        ) {}
    });
    small.settle();
    assert_eq!(small.stop(), 0);
    assert_eq!(std::fs::read_to_string(&precious).unwrap(), "mine");
}

/// K7: removed, replaced, put back.
#[test]
fn k7_the_loss_of_the_folder_is_noticed_and_nothing_is_kept_elsewhere() {
    let dir = tempfile::tempdir().unwrap();
    let (state, away) = (dir.path().join("state"), dir.path().join("away"));
    let (mut small, _) = Small::start(&Fs::default(), &state, "1s").unwrap();
    small.frame(ONE, 0);
    small.settle();
    assert_eq!(small.refused, 0);
    std::fs::rename(&state, &away).unwrap();
    std::fs::create_dir(&state).unwrap();
    let Small { runtime, disk, .. } = &mut small;
    // The system tells it: nothing else happens.
    runtime.block_on(std::future::poll_fn(|cx| {
        let _ = disk.poll(cx);
        if disk.guard.check_now_and_then().is_err() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }));
    small.frame(ONE, 1);
    small.settle();
    assert_eq!(small.refused, 1);
    small.save("AT\n");
    let Small { runtime, disk, .. } = &mut small;
    let saved = runtime.block_on(std::future::poll_fn(|cx| disk.poll(cx)));
    assert!(
        matches!(&saved, Saved::Parameters(Err(why)) if why.contains("removed or replaced")),
        "{saved:?}"
    );
    assert_eq!(
        std::fs::read_dir(&state).unwrap().count(),
        0,
        "it is somebody else's"
    );
    std::fs::remove_dir(&state).unwrap();
    std::fs::rename(&away, &state).unwrap();
    small.frame(ONE, 2);
    small.settle();
    assert_eq!(small.refused, 1, "it is back");
}

/// K9: eighteen lines, of one cause.
#[test]
fn k9_a_spool_folder_that_cannot_be_used_is_told_once() {
    let (dir, ear) = (tempfile::tempdir().unwrap(), Ear::default());
    std::fs::write(dir.path().join("spool"), "").unwrap();
    ear.listens(|| drop(Small::start(&Fs::default(), dir.path(), "never").unwrap()));
    let warnings: Vec<_> = ear
        .take()
        .into_iter()
        .filter(|line| line.starts_with("WARN"))
        .collect();
    let queues = "link 1, link 3, link 4, HTTPD, serial command mode";
    let cause = format!(
        "WARN  disk: {}: File exists",
        dir.path().join("spool").display()
    );
    let outcome = format!(
        "WARN  disk: spool = \"disk\" cannot be had now: frames wait in memory only ({queues})"
    );
    assert_eq!(warnings, [cause, outcome]);
}
