//! What the console costs: nothing while nobody looks, and little while many guess. A program of its own, for the figures are
//! those of a process.
#![allow(clippy::unwrap_used, reason = "in a test it is an assertion")]

use std::fs;
use std::thread;
use std::time::Duration;

use dtu_console::password::{self, Who};
use serde_json::json;

use client::Stage;

#[allow(dead_code, reason = "the other tests use the rest of it")]
#[path = "it/client.rs"]
mod client;
#[allow(dead_code, reason = "the other tests use the rest of it")]
#[path = "it/device.rs"]
mod device;

/// How often the console's threads went to sleep. There is one at least, or nothing is counted.
fn wakes() -> u64 {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    let of = |task: fs::DirEntry| -> Option<u64> {
        let name = fs::read_to_string(task.path().join("comm")).ok()?;
        let status = fs::read_to_string(task.path().join("status")).ok()?;
        let count = status
            .lines()
            .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?;
        (name.trim() == "console").then_some(())?;
        count.trim().parse().ok()
    };
    let counts: Vec<u64> = tasks.flatten().filter_map(of).collect();
    assert!(!counts.is_empty(), "no thread is the console's");
    counts.iter().sum()
}

/// Of this process, in KiB.
fn memory(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn nobody_wakes_while_nobody_looks_and_many_who_guess_cost_little() {
    let stage = Stage::new();
    // Somebody has looked, and is gone.
    assert_eq!(stage.get("/api/settings").status, 200);
    // Its thread has its name by now.
    let asleep = wakes();
    assert_eq!(stage.get("/api/settings").status, 200);
    let counts = || {
        thread::sleep(Duration::from_millis(20));
        wakes() > asleep
    };
    assert!((0..500).any(|_| counts()), "a request is no wake-up");
    {
        use std::io::{Read as _, Write as _};
        let mut stream = stage.connect();
        let request = format!(
            "GET /api/events HTTP/1.1\r\nHost: {}\r\n\r\n",
            stage.address()
        );
        stream.write_all(request.as_bytes()).unwrap();
        stream.read_exact(&mut [0; 200]).unwrap();
    }
    // Threads that waited for the device end behind a second.
    let is_quiet = || {
        let before = wakes();
        thread::sleep(Duration::from_secs(2));
        wakes() == before
    };
    assert!(
        (0..5).any(|_| is_quiet()),
        "the console wakes up all the time"
    );

    password::set(stage.state.path(), Who::Owner, Some("correct horse")).unwrap();
    let more = "X-Forwarded-For: 192.0.2.1\r\n";
    let login =
        |password: &str| stage.post_with("/api/login", &json!({ "password": password }), more);
    let before = memory("VmRSS:");
    for _ in 0..5 {
        assert_eq!(login("correct horse").status, 200);
    }
    thread::scope(|scope| {
        for _ in 0..200 {
            scope.spawn(|| login("wrong").status);
        }
    });
    let peak = memory("VmHWM:") - before;
    assert!(peak < 24 * 1024, "{peak} KiB at most");
    // Checks leave nothing behind.
    let left = memory("VmRSS:").saturating_sub(before);
    assert!(left < 5 * 1024, "{left} KiB are left");
}
