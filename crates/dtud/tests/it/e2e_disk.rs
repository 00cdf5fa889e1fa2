//! A disk that is damaged, full, read-only or gone, and a program that is killed: nothing is lost without being counted.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::process::{Pid, Resource, getrlimit, prlimit};

use crate::common;

use common::daemon::{Daemon, Setup, counted_on_disk, figure};
use common::http::HttpServer;
use common::httpd;
use common::line::Line;
use common::server::Server;
use common::{SOON, eventually};

/// With a TIME longer than the test a frame closes at its largest size and nowhere else.
const FRAME: usize = 1024;
/// Its record on the disk.
const RECORD: usize = FRAME + 16;

fn frames(numbers: std::ops::Range<usize>) -> Vec<u8> {
    numbers
        .flat_map(|number| format!("frame {number:<1018}").into_bytes())
        .collect()
}

/// `AT+CISTAT`, from the working mode and back to it.
fn cistat(line: &Line) -> String {
    line.escape();
    let reply = line.command("AT+CISTAT");
    assert_eq!(line.command("AT+ENTM"), "\r\nOK\r\n");
    reply
}

/// A link to a server that is down.
fn down(folder: &Path, settings: &str) -> (Setup, Server) {
    let server = Server::refusing();
    let setup = Setup::new(folder)
        .settings(&format!("[link]\nbackoff_max = 1\n{settings}"))
        .packing(60_000);
    (setup.link(1, server.port()), server)
}

fn waits(line: &Line, frames: u64) -> String {
    eventually("the frames wait", SOON, || {
        let reply = cistat(line);
        (figure(&reply, 1, "in_frames") >= frames).then_some(reply)
    })
}

fn limit_files(daemon: &Daemon, bytes: u64) {
    let pid = Pid::from_raw(i32::try_from(daemon.pid()).expect("a process id"));
    let mut limit = getrlimit(Resource::Fsize);
    limit.current = Some(bytes);
    prlimit(pid, Resource::Fsize, limit).expect("prlimit");
}

/// A file system of its own in the place of the state folder, where root allows it.
struct Mounted(PathBuf);

impl Mounted {
    fn tmpfs(at: &Path, options: &str) -> Option<Self> {
        fs::create_dir_all(at).expect("a folder");
        let mounted =
            mount(&["-t", "tmpfs", "-o", options, "none"], at).then(|| Self(at.to_owned()));
        if mounted.is_none() {
            eprintln!("SKIPPED: no right to mount a tmpfs here");
        }
        mounted
    }

    fn make_read_only(&self) {
        assert!(mount(&["-o", "remount,ro"], &self.0));
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("-l").arg(&self.0).output());
    }
}

fn mount(arguments: &[&str], at: &Path) -> bool {
    Command::new("mount")
        .args(arguments)
        .arg(at)
        .output()
        .is_ok_and(|done| done.status.success())
}

#[test]
fn k1_one_bit_flipped_costs_one_frame_of_two_hundred_counted() {
    let folder = tempfile::tempdir().unwrap();
    let (setup, mut server) = down(folder.path(), "spool = \"disk\"");
    let daemon = setup.start();
    let line = daemon.line();
    line.send(&frames(0..200));
    waits(&line, 200);
    let spool = setup.state().join("spool/link-1/0000000000000000.frames");
    eventually("all are on the disk", SOON, || {
        (fs::metadata(&spool).unwrap().len() >= 200 * RECORD as u64).then_some(())
    });
    daemon.kill();
    let mut bytes = fs::read(&spool).unwrap();
    bytes[RECORD * 50 + 20] ^= 4;
    fs::write(&spool, &bytes).unwrap();

    server.listen();
    let daemon = setup.start();
    let connection = server.accept(SOON);
    let arrived = connection.receive(199 * FRAME, SOON);
    assert!(
        arrived == [frames(0..50), frames(51..200)].concat(),
        "199 frames, in order"
    );
    let reply = cistat(&daemon.line());
    assert_eq!(
        (
            figure(&reply, 1, "dropped_frames"),
            figure(&reply, 1, "dropped")
        ),
        (1, FRAME as u64)
    );
    assert!(spool.with_extension("frames.damaged-1").is_file());
    assert_eq!(
        daemon.messages().matches("damaged").count(),
        2,
        "one line: {}",
        daemon.messages()
    );
}

#[test]
fn k2_with_a_state_folder_that_cannot_be_written_the_device_runs_and_atw_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let (setup, mut server) = down(folder.path(), "spool = \"disk\"");
    let state = setup.state();
    let Some(mounted) = Mounted::tmpfs(&state, "size=1m,mode=700") else {
        return;
    };
    let daemon = setup.start();
    let line = daemon.line();
    line.escape();
    assert_eq!(line.command("AT+CIPNUM=12345;W"), "\r\nOK\r\n");
    daemon.kill();
    mounted.make_read_only();

    let daemon = setup.start();
    let line = daemon.line();
    line.escape();
    assert!(
        line.command("AT+CIPNUM?").contains("12345"),
        "what is stored is in force"
    );
    let refused = line.command("ATW");
    assert!(refused.starts_with("\r\n+CME ERROR: "), "{refused:?}");
    daemon.says("Read-only file system");
    assert_eq!(line.command("AT+ENTM"), "\r\nOK\r\n");
    line.send(&frames(0..1));
    assert_eq!(
        figure(&waits(&line, 1), 1, "spool_refused"),
        1,
        "in memory only, counted"
    );
    server.listen();
    assert_eq!(server.accept(SOON).receive(FRAME, SOON), frames(0..1));
}

#[test]
fn k3_on_a_full_disk_frames_are_sent_from_memory_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let (setup, mut server) = down(folder.path(), "spool = \"disk\"");
    let Some(_mounted) = Mounted::tmpfs(&setup.state(), "size=192k,mode=700") else {
        return;
    };
    let daemon = setup.start();
    let line = daemon.line();
    line.send(&frames(0..300));
    waits(&line, 300);
    let refused = eventually("the disk is full, and that is counted on it", SOON, || {
        let refused = figure(&cistat(&line), 1, "spool_refused");
        (refused > 100 && counted_on_disk(&setup, refused)).then_some(refused)
    });
    assert!(refused < 300, "{refused}");
    daemon.says("spool: ");
    daemon.kill();

    // Those that were refused are what the kill has cost.
    server.listen();
    let daemon = setup.start();
    let connection = server.accept(SOON);
    let arrived = connection.receive((300 - usize::try_from(refused).unwrap()) * FRAME, SOON);
    assert!(arrived.starts_with(&frames(0..10)));
    assert_eq!(connection.drain(Duration::from_millis(200)), b"");
    assert_eq!(
        figure(&cistat(&daemon.line()), 1, "spool_refused"),
        refused,
        "it lives through the kill"
    );
}

#[test]
fn k3_dropped_frames_stay_counted_after_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let (setup, _server) = down(folder.path(), "cache = \"8KiB\"\ndrop_policy = \"oldest\"");
    let daemon = setup.start();
    let line = daemon.line();
    line.send(&frames(0..100));
    let dropped = figure(&waits(&line, 100), 1, "dropped_frames");
    assert!(dropped > 40, "{dropped}");
    eventually("the count is on the disk", SOON, || {
        counted_on_disk(&setup, dropped * FRAME as u64).then_some(())
    });
    daemon.kill();
    let daemon = setup.start();
    let reply = cistat(&daemon.line());
    assert_eq!(
        (
            figure(&reply, 1, "dropped_frames"),
            figure(&reply, 1, "dropped")
        ),
        (dropped, dropped * FRAME as u64)
    );
}

/// Mode 4, and a frame that takes more parts than one message may have.
#[test]
fn k3_dropped_messages_stay_counted_after_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let setup = Setup::new(folder.path()).mode(4).packing(10);
    let daemon = setup.start();
    let line = daemon.line();
    line.send(&[&[0xCB, 0xAE][..], &[b'x'; 800]].concat());
    daemon.says("a message cannot be sent");
    assert_eq!(figure(&cistat(&line), "SMS", "dropped"), 1);
    daemon.terminate();
    for end in ["a clean stop", "a kill"] {
        let daemon = setup.start();
        assert_eq!(
            figure(&cistat(&daemon.line()), "SMS", "dropped"),
            1,
            "over {end}"
        );
        daemon.kill();
    }
}

#[test]
fn k3_a_clean_stop_that_loses_frames_says_so_counts_them_and_exits_with_3() {
    let folder = tempfile::tempdir().unwrap();
    let (setup, _server) = down(folder.path(), "");
    let daemon = setup.start();
    let line = daemon.line();
    line.send(&frames(0..20));
    waits(&line, 20);
    limit_files(&daemon, 8192);
    let (status, messages) = daemon.terminate_and_tell();
    assert_eq!(status.code(), Some(3), "{messages}");
    assert!(
        messages.contains("20 frames that waited are lost"),
        "{messages}"
    );
    let daemon = setup.start();
    assert_eq!(figure(&cistat(&daemon.line()), 1, "dropped_frames"), 20);
}

/// The server has the request, and the device is killed at that moment.
#[test]
fn k4_a_request_is_not_sent_twice_however_the_device_is_killed() {
    const ROUNDS: u32 = 10;
    let folder = tempfile::tempdir().unwrap();
    let server = HttpServer::start();
    let setup = httpd::setup(folder.path(), &server).settings("spool = \"disk\"");
    for round in 0..ROUNDS {
        let daemon = setup.start();
        daemon.line().send(format!("frame-{round}").as_bytes());
        let mut client = server.accept();
        assert_eq!(
            client.request().line,
            format!("GET /1.php?frame-{round} HTTP/1.1")
        );
        daemon.kill();
    }
    let daemon = setup.start();
    let line = daemon.line();
    line.escape();
    let reply = line.command("AT+CISTAT");
    let httpd = reply
        .lines()
        .find(|line| line.starts_with("+CISTAT:HTTPD,"))
        .unwrap();
    assert!(
        httpd.contains(&format!(",dropped_frames={ROUNDS},")),
        "each may be lost, and is counted: {httpd}"
    );
    assert!(httpd.contains(",waiting_frames=0,"), "{httpd}");
    assert!(server.stays_alone(Duration::from_millis(300)));
}

#[test]
fn k7_a_state_folder_that_others_may_write_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    fs::create_dir(&state).unwrap();
    fs::set_permissions(&state, fs::Permissions::from_mode(0o777)).unwrap();
    let mut dtud = Command::new(env!("CARGO_BIN_EXE_dtud"));
    let ended = dtud
        .current_dir(folder.path())
        .arg("--state")
        .arg(&state)
        .output()
        .unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(1), "{said}");
    for words in ["others may write it (mode 0777)", "chmod go-w"] {
        assert!(said.contains(words), "{said}");
    }
    assert_eq!(
        fs::read_dir(&state).unwrap().count(),
        0,
        "nothing was written into it"
    );
}

#[test]
fn k7_a_state_folder_that_is_removed_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let setup = Setup::new(folder.path());
    let daemon = setup.start();
    fs::remove_dir_all(setup.state()).unwrap();
    daemon.says("the state folder was removed or replaced while dtud ran");
    let line = daemon.line();
    line.escape();
    let refused = line.command("ATW");
    assert!(refused.starts_with("\r\n+CME ERROR: "), "{refused:?}");
}

/// An empty note, or one of another number, is what a power cut leaves.
#[test]
fn k7_a_note_of_the_line_that_is_empty_does_not_stop_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let setup = Setup::new(folder.path());
    let daemon = setup.start();
    daemon.kill();
    // The number of its pty belongs to somebody else now.
    let link = folder.path().join("line");
    let others = rustix::pty::openpt(rustix::pty::OpenptFlags::RDWR).unwrap();
    rustix::pty::grantpt(&others).unwrap();
    rustix::pty::unlockpt(&others).unwrap();
    let name = rustix::pty::ptsname(&others, Vec::new())
        .unwrap()
        .into_string()
        .unwrap();
    fs::remove_file(&link).unwrap();
    std::os::unix::fs::symlink(&name, &link).unwrap();
    fs::write(setup.state().join("pty"), "").unwrap();
    let daemon = setup.start();
    daemon.line().escape();
}

#[test]
fn k7_each_line_has_a_state_folder_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let start = |line: &str| {
        let mut dtud = Command::new(env!("CARGO_BIN_EXE_dtud"));
        dtud.current_dir(folder.path())
            .env("XDG_STATE_HOME", folder.path().join("state"));
        dtud.args(["--console", "off", "--serial", line])
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null());
        dtud.spawn().unwrap()
    };
    let mut both = [start("pty:./one"), start("pty:./two")];
    let folders = || fs::read_dir(folder.path().join("state/dtud")).map_or(0, Iterator::count);
    eventually("two folders", SOON, || (folders() == 2).then_some(()));
    for line in ["one", "two"] {
        eventually(line, SOON, || {
            folder.path().join(line).exists().then_some(())
        });
    }
    both.iter_mut()
        .for_each(|dtud| drop(dtud.kill().and_then(|()| dtud.wait())));
}
