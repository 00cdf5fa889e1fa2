//! A device that its settings file provisions (decisions 16.27), and what `dtud status` tells of it.

#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    missing_docs,
    reason = "helpers that other tests use"
)]

use crate::common;

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use common::SOON;
use common::server::Server;
use rustix::process::Resource;

fn dtud() -> Command {
    Command::new(env!("CARGO_BIN_EXE_dtud"))
}

/// Started with its settings file alone.
fn start(settings: &Path, state: &Path) -> (Child, String) {
    let mut command = dtud();
    command
        .arg(format!("--settings=-{}", settings.display()))
        .args(["--console", "off", "--state"])
        .arg(state);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut ready = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut ready)
        .unwrap();
    (child, ready)
}

fn status(state: &Path, more: &[&str]) -> Output {
    dtud()
        .args(["status", "--state"])
        .arg(state)
        .args(more)
        .output()
        .unwrap()
}

#[test]
fn a_settings_file_is_a_whole_device_and_its_status_can_be_asked() {
    let folder = tempfile::tempdir().unwrap();
    let [file, line, state] = ["dtud.toml", "line", "state"].map(|name| folder.path().join(name));
    let server = Server::start();
    let port = server.port();
    let text = format!(
        "at = ['CIPSCONT=1,\"TCP\",\"127.0.0.1\",{port},1', 'CIPSW=s3cr']\n\
         [serial]\nline = 'pty:{}'\n[modem]\ndevice = 'none'\n",
        line.display()
    );
    std::fs::write(&file, text).unwrap();
    let (mut child, ready) = start(&file, &state);
    assert_eq!(
        ready,
        format!("ready serial={} console=off\n", line.display())
    );
    let connection = server.accept(SOON);

    let socket = state.join("status");
    assert_eq!(
        std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let told: serde_json::Value = common::eventually("the link is up", SOON, || {
        let told: serde_json::Value =
            serde_json::from_slice(&status(&state, &["--json"]).stdout).unwrap();
        (told["links"][0]["state"] == "up").then_some(told)
    });
    assert_eq!(told["links"][0]["address"], "127.0.0.1");
    assert_eq!(told["links"][0]["port"], port);
    assert_eq!(told["serial"]["line"], line.display().to_string());
    assert_eq!(told["pid"], child.id());
    assert_eq!(told["radio"]["modem"], serde_json::Value::Null);
    assert!(!told.to_string().contains("s3cr"), "{told}");
    let screen = String::from_utf8(status(&state, &[]).stdout).unwrap();
    assert!(
        screen.contains(&format!(
            "link 1   TCP 127.0.0.1:{port} up; 0 out, 0 frames (0 bytes) wait"
        )),
        "{screen}"
    );
    assert!(
        screen.lines().count() <= 24 && screen.contains("link 2   off"),
        "{screen}"
    );

    // One that asks and does not read holds nobody up.
    let _deaf = std::os::unix::net::UnixStream::connect(&socket).unwrap();
    assert!(status(&state, &[]).status.success());

    drop(connection);
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert!(child.wait().unwrap().success());
    assert!(!socket.exists());
    let gone = status(&state, &[]);
    let said = String::from_utf8(gone.stderr).unwrap();
    assert!(
        !gone.status.success() && said.contains("no device runs with the state folder"),
        "{said}"
    );
}

#[test]
fn a_status_socket_of_a_run_that_was_killed_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let [file, state] = ["dtud.toml", "state"].map(|name| folder.path().join(name));
    std::fs::write(
        &file,
        format!(
            "[serial]\nline = 'pty:{}'",
            folder.path().join("line").display()
        ),
    )
    .unwrap();
    let (mut first, _) = start(&file, &state);
    first.kill().unwrap();
    first.wait().unwrap();
    let said = String::from_utf8(status(&state, &[]).stderr).unwrap();
    assert!(said.contains("no device runs"), "{said}");
    let (mut second, _) = start(&file, &state);
    let mut stream = std::os::unix::net::UnixStream::connect(state.join("status")).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert!(text.contains(&format!("\"pid\":{}", second.id())), "{text}");
    second.kill().unwrap();
    second.wait().unwrap();
}

/// Out of file descriptors: nobody can ask, which is said once, and the device goes on.
#[test]
fn h8_that_nobody_can_ask_is_logged_once() {
    let folder = tempfile::tempdir().unwrap();
    let daemon = common::daemon::Setup::new(folder.path()).start();
    let ask =
        || std::os::unix::net::UnixStream::connect(folder.path().join("state/status")).unwrap();
    daemon.limit(Resource::Nofile, Some(3));
    let _waiting = [ask(), ask()];
    daemon.says("WARN device: dtud status is not answered: Too many open files");
    let _third = ask();
    daemon.limit(Resource::Nofile, None);
    assert!(status(&folder.path().join("state"), &[]).status.success());
    assert_eq!(
        daemon
            .messages()
            .matches("dtud status is not answered")
            .count(),
        1
    );
}

/// As the README starts it: with a state folder that the line does not lead to.
#[test]
fn h8_the_one_device_that_runs_is_found_and_several_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let states = folder.path().join("dtud");
    std::fs::create_dir(&states).unwrap();
    // The state folder, by a link: it is `state` of a folder of its own.
    let device = |name: &str| {
        let home = folder.path().join(name);
        std::fs::create_dir(&home).unwrap();
        std::os::unix::fs::symlink(home.join("state"), states.join(name)).unwrap();
        common::daemon::Setup::new(&home).start()
    };
    let asked = || {
        let mut command = dtud();
        let done = command
            .arg("status")
            .env("XDG_STATE_HOME", folder.path())
            .output()
            .unwrap();
        (
            done.status.success(),
            String::from_utf8([done.stdout, done.stderr].concat()).unwrap(),
        )
    };
    let (found, said) = asked();
    assert!(!found && said.contains("no device runs"), "{said}");
    let _first = device("a");
    let (found, said) = asked();
    assert!(
        found && said.starts_with("device   transparent mode"),
        "{said}"
    );
    let _second = device("b");
    let (found, said) = asked();
    let [a, b] = ["a", "b"].map(|name| states.join(name).display().to_string());
    assert!(
        !found && said.contains(&format!("name the folder of one with --state: {a}, {b}")),
        "{said}"
    );
}

/// The address of a socket has 108 bytes.
#[test]
fn h9_a_state_folder_with_a_long_name_can_be_asked() {
    let folder = tempfile::tempdir().unwrap();
    let long = folder.path().join("x".repeat(120));
    std::fs::create_dir(&long).unwrap();
    let daemon = common::daemon::Setup::new(&long).start();
    let done = status(&long.join("state"), &[]);
    assert!(done.status.success(), "{done:?}");
    assert!(
        !daemon.messages().contains("SUN_LEN"),
        "{}",
        daemon.messages()
    );
}
