//! The state folder and what lies in it.

use super::*;

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
            DiskEvent::Parameters(Ok(()))
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
        matches!(&saved, DiskEvent::Parameters(Err(why)) if why.contains("removed or replaced")),
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
    let (dir, ear) = (tempfile::tempdir().unwrap(), LogCapture::default());
    std::fs::write(dir.path().join("spool"), "").unwrap();
    ear.capture(|| drop(Small::start(&Fs::default(), dir.path(), "never").unwrap()));
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
