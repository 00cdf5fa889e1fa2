//! `dtu-sim fleet` and `dtu-sim echo` as programs.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

/// An echo server; it goes with this.
struct Echo {
    child: Child,
    target: String,
}

impl Echo {
    fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_dtu-sim"))
            .args([
                "echo",
                "--listen",
                "127.0.0.1:0",
                "--register",
                "DTU{id}",
                "--quiet",
            ])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let address = line.trim().strip_prefix("ready listen=").unwrap();
        Self {
            target: format!("tcp://{address}"),
            child,
        }
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn fleet(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_dtu-sim"))
        .args(["fleet", "--quiet"])
        .args(args)
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A fleet that sends without end; it speaks once all of it stands.
struct Running(Child);

impl Running {
    fn start(echo: &Echo, count: u32, more: &[&str], folder: &Path) -> Self {
        let count = count.to_string();
        let arguments = ["fleet", "--target", &echo.target, "--count", &count];
        let mut child = Command::new(env!("CARGO_BIN_EXE_dtu-sim"))
            .current_dir(folder)
            .args(arguments)
            .args(["--period", "0.05", "--json"])
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let all = format!("{count} registered");
        let mut line = String::new();
        let mut talk = BufReader::new(child.stderr.take().unwrap());
        while !line.contains(&all) {
            line.clear();
            assert_ne!(talk.read_line(&mut line).unwrap(), 0, "it ended by itself");
        }
        Self(child)
    }

    /// Its account, and nothing is missing.
    fn stop(self) -> serde_json::Value {
        let pid = rustix::process::Pid::from_child(&self.0);
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
        let output = self.0.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

#[test]
fn the_account_of_a_fleet_is_one_json_object() {
    let echo = Echo::start();
    let output = fleet(&[
        "--target",
        &echo.target,
        "--count",
        "20",
        "--register",
        "DTU{id}",
        "--period",
        "0.02",
        "--packing",
        "0",
        "--frames",
        "5",
        "--json",
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let account: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let wanted = [
        ("devices", 20),
        ("registered", 20),
        ("sent", 100),
        ("acknowledged", 100),
        ("answered", 100),
        ("missing", 0),
    ];
    for (key, value) in wanted {
        assert_eq!(account[key], value, "{key} of {account}");
    }
    assert_eq!(account["round_trip"]["count"], 100);
}

#[test]
fn wrong_usage_is_2_and_says_what_is_allowed() {
    for (args, wanted) in [
        (
            &["--count", "0", "--target", "tcp://127.0.0.1:1"][..],
            "1..=1000000",
        ),
        (&["--target", "127.0.0.1:1"], "tcp://HOST:PORT"),
        (&["--count", "3"], "--target"),
        (
            &["--target", "tcp://127.0.0.1:1", "--register", "{sn}"],
            "{imei}",
        ),
        (
            &["--target", "tcp://127.0.0.1:1", "--fault", "fire"],
            "half-open",
        ),
        (
            &["--target", "tcp://127.0.0.1:1", "--count", "1000000"],
            "RLIMIT_NOFILE",
        ),
        (
            &["--target", "tcp://192.0.2.1:1", "--count", "100000"],
            "ip_local_port_range",
        ),
        (&["--virtual"], "--duration or --frames is needed"),
        (
            &["--virtual", "--frames", "1", "--pty", "1"],
            "--pty does not go with --virtual",
        ),
        (
            &["--threads", "2", "--target", "tcp://127.0.0.1:1"],
            "--virtual",
        ),
        (&["--virtual", "--fault", "wrong-heartbeat"], "--heartbeat"),
        (
            &["--scenario", "not-there.toml"],
            "not-there.toml: cannot be read",
        ),
        (
            &[
                "--target",
                "tcp://127.0.0.1:1",
                "--register",
                "0123456789012345678901234567890123456789{id}",
            ],
            "AT+CIPPACK",
        ),
    ] {
        let output = fleet(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", said(&output));
        assert!(
            said(&output).contains(wanted),
            "{args:?}: {}",
            said(&output)
        );
    }
}

#[test]
fn a_server_that_is_not_there_is_1() {
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let output = fleet(&[
        "--target",
        &format!("tcp://{free}"),
        "--count",
        "2",
        "--period",
        "0",
        "--duration",
        "0.3",
    ]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(
        said(&output).contains("the target could not be reached: refused"),
        "{}",
        said(&output)
    );
}

#[test]
fn a_signal_ends_it_with_the_account() {
    let echo = Echo::start();
    let running = Running::start(&echo, 5, &[], Path::new("."));
    let account = running.stop();
    assert!(
        account["sent"].as_u64() > Some(0) && account["sent"] == account["answered"],
        "{account}"
    );
}

#[test]
fn too_few_open_files_are_told_before_anything_is_opened() {
    let output = Command::new("sh")
        .args([
            "-c",
            "ulimit -n 80; exec \"$0\" fleet --target tcp://127.0.0.1:1 --count 100",
        ])
        .arg(env!("CARGO_BIN_EXE_dtu-sim"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(
        said(&output).contains("(RLIMIT_NOFILE) is 80"),
        "{}",
        said(&output)
    );
}

#[test]
fn a_program_has_the_line_of_a_single_device() {
    use std::io::{Read as _, Write as _};
    let echo = Echo::start();
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(&echo, 3, &["--pty", "2"], folder.path());
    let path = folder.path().join("fleet-2");
    let mut port = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(&path)
        .unwrap();
    port.write_all(b"42 kWh").unwrap();
    let mut heard = String::new();
    while !heard.contains("42 kWh") {
        let mut bytes = [0; 64];
        let count = port.read(&mut bytes).unwrap();
        heard.push_str(&String::from_utf8_lossy(&bytes[..count]));
    }
    let account = running.stop();
    assert!(
        account["sent"].as_u64() > Some(0) && account["missing"] == 0,
        "{account}"
    );
    assert!(!path.exists(), "the link goes with the program");
}

#[test]
fn a_fleet_in_virtual_time_needs_no_server_and_is_the_same_each_time() {
    let run = |threads: &str| {
        let arguments = [
            "--virtual",
            "--count",
            "300",
            "--frames",
            "20",
            "--json",
            "--threads",
        ];
        let output = fleet(&[&arguments[..], &[threads, "--register", "DTU{id}"]].concat());
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        let mut account: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let speed = account.as_object_mut().unwrap().remove("speed").unwrap();
        assert_eq!(speed["threads"].to_string(), threads);
        account
    };
    let account = run("1");
    for (key, value) in [
        ("devices", 300),
        ("registered", 300),
        ("answered", 6000),
        ("missing", 0),
    ] {
        assert_eq!(account[key], value, "{key} of {account}");
    }
    assert_eq!(account["server"]["registered"], 300);
    assert_eq!(run("3"), account);
}

#[test]
fn a_frame_that_a_server_in_virtual_time_swallows_is_1() {
    let output = fleet(&[
        "--virtual",
        "--count",
        "20",
        "--frames",
        "50",
        "--swallow",
        "100",
    ]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(
        said(&output).contains("frames are missing"),
        "{}",
        said(&output)
    );
    let account = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(account.contains("frames/s"), "{account}");
}
