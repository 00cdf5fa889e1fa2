//! The stream of events, the record, and what is put in.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use dtu_console::device::Order;
use dtu_console::recorder::{Dir, Frame, Level, Place};
use serde_json::{Value, json};

use crate::client::Stage;

/// A browser that looks.
pub(crate) struct Events {
    stream: TcpStream,
    text: String,
    /// All that came.
    seen: String,
}

impl Events {
    pub(crate) fn open(stage: &Stage, want: &str, more: &str) -> Self {
        let mut stream = stage.connect();
        let host = stage.address();
        let request = format!("GET /api/events?want={want} HTTP/1.1\r\nHost: {host}\r\n{more}\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        Self {
            stream,
            text: String::new(),
            seen: String::new(),
        }
    }

    /// Reads on until an event of that name is there; its data.
    pub(crate) fn wait_for(&mut self, name: &str) -> Value {
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            if let Some(data) = self.take(name) {
                return data;
            }
            self.read(until);
        }
    }

    /// The next event that has one of these names, and its name.
    fn wait_for_any(&mut self, names: &[&'static str]) -> (&'static str, Value) {
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            let place = |name: &&str| self.text.find(&format!("event: {name}\n"));
            let there = names.iter().filter(|name| place(name).is_some());
            let first = there.min_by_key(|name| place(name)).copied();
            if let Some((name, data)) = first.and_then(|name| Some((name, self.take(name)?))) {
                return (name, data);
            }
            self.read(until);
        }
    }

    fn read(&mut self, until: Instant) {
        assert!(Instant::now() < until, "it is not in {}", self.text);
        let mut buffer = [0; 4096];
        let count = self.stream.read(&mut buffer).unwrap();
        assert!(count > 0, "closed: {}", self.text);
        let came = String::from_utf8_lossy(&buffer[..count]);
        self.text.push_str(&came);
        self.seen.push_str(&came);
    }

    /// What comes until the console ends it.
    pub(crate) fn rest(mut self) -> String {
        let mut rest = Vec::new();
        self.stream.read_to_end(&mut rest).unwrap();
        self.text + &String::from_utf8_lossy(&rest)
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        let head = format!("event: {name}\n");
        let from = self.text.find(&head)?;
        let end = from + self.text[from..].find("\n\n")?;
        let event = self.text[from..end].to_owned();
        self.text.drain(..end);
        let data = event.lines().find_map(|line| line.strip_prefix("data: "))?;
        Some(serde_json::from_str(data).unwrap())
    }
}

pub(crate) fn record(stage: &Stage, bytes: &[u8]) {
    let frame = Frame {
        of: Place::Line,
        dir: Dir::In,
        prefix: b"",
        bytes,
        note: "",
        injected: false,
    };
    stage.recorder.frame(1, &frame);
}

#[test]
fn a_stream_begins_with_what_there_is_and_tells_what_comes() {
    let stage = Stage::new();
    record(&stage, b"before");
    let mut events = Events::open(&stage, "status,rows,log", "");
    let hello = events.wait_for("hello");
    assert_eq!(hello["rows"]["next"], 1, "{hello}");
    assert_eq!(hello["status"]["mode"]["number"], 0);
    record(&stage, b"\x00\xFF");
    stage.recorder.log(2, Level::Warn, None, "a line");
    let rows = events.wait_for("rows");
    assert_eq!(rows[0]["seq"], 1);
    assert_eq!(rows[0]["data"], "AP8=");
    assert_eq!(events.wait_for("log")[0]["text"], "a line");
    assert_eq!(events.wait_for("status")["links"][0]["number"], 1);
}

#[test]
fn who_comes_after_the_last_watcher_gets_every_state_too() {
    let stage = Stage::new();
    let mut first = Events::open(&stage, "status", "");
    for _ in 0..6 {
        first.wait_for("status");
    }
    drop(first);
    // Nobody looks then: the device is left alone.
    std::thread::sleep(Duration::from_millis(500));
    let mut second = Events::open(&stage, "status", "");
    second.wait_for("hello");
    let begin = Instant::now();
    for _ in 0..3 {
        second.wait_for("status");
    }
    let took = begin.elapsed();
    assert!(took < Duration::from_millis(2500), "{took:?}");
}

#[test]
fn what_the_last_watcher_left_is_told_to_nobody() {
    let stage = Stage::new();
    let mut first = Events::open(&stage, "status", "");
    for _ in 0..3 {
        first.wait_for("status");
    }
    drop(first);
    // Asked by others, the device is at another state.
    (0..10).for_each(|_| drop(stage.get("/api/status").ok()));
    for _ in 0..5 {
        let mut next = Events::open(&stage, "status", "");
        let hello = next.wait_for("hello")["status"]["asked"].as_u64().unwrap();
        let status = next.wait_for("status")["asked"].as_u64().unwrap();
        assert!(status > hello, "{status} behind {hello}");
    }
}

#[test]
fn a_stream_that_comes_again_goes_on_where_it_was() {
    let stage = Stage::new();
    for n in 0..5_u8 {
        record(&stage, &[n]);
    }
    let id = format!("Last-Event-ID: {}-2\r\n", run_of(&stage));
    let mut events = Events::open(&stage, "rows", &id);
    let rows = events.wait_for("rows");
    let seqs: Vec<u64> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["seq"].as_u64().unwrap())
        .collect();
    assert_eq!(seqs, [3, 4]);
    assert!(
        events.seen.contains(&format!("id: {}-4\n", run_of(&stage))),
        "{}",
        events.seen
    );
}

#[test]
fn a_number_of_another_run_says_nothing() {
    let stage = Stage::new();
    for n in 0..5_u8 {
        record(&stage, &[n]);
    }
    for id in ["2", "0badc0de-2", "-2", "2-", ""] {
        let mut events = Events::open(&stage, "rows", &format!("Last-Event-ID: {id}\r\n"));
        events.wait_for("hello");
        record(&stage, b"new");
        let rows = events.wait_for("rows");
        assert_eq!(rows.as_array().unwrap().len(), 1, "{id}: {rows}");
    }
}

fn run_of(stage: &Stage) -> String {
    let hello = Events::open(stage, "status", "").wait_for("hello");
    hello["run"].as_str().unwrap().to_owned()
}

#[test]
fn who_is_far_behind_gets_a_gap_and_the_newest_rows() {
    let stage = Stage::new();
    for n in 0..5000_u32 {
        record(&stage, &n.to_be_bytes());
    }
    let id = format!("Last-Event-ID: {}-0\r\n", run_of(&stage));
    let mut events = Events::open(&stage, "rows", &id);
    assert_eq!(events.wait_for("gap"), json!({ "rows": 4699 }));
    let mut seqs = Vec::new();
    while seqs.len() < 300 {
        let rows = events.wait_for("rows");
        let rows = rows.as_array().unwrap().iter();
        seqs.extend(rows.map(|row| row["seq"].as_u64().unwrap()));
    }
    assert!(seqs.into_iter().eq(4700..5000));
}

/// Of rows: those that came, those that a gap counts, and the bytes in front of the first gap.
fn account(events: &mut Events, until: u64) -> (u64, u64, usize) {
    let (mut came, mut missed, mut bytes) = (0, 0, None);
    let (mut read, mut text) = (0, std::mem::take(&mut events.text));
    let deadline = Instant::now() + Duration::from_secs(20);
    while came + missed < until {
        assert!(
            Instant::now() < deadline,
            "{came} came, {missed} missed, of {until}"
        );
        let mut buffer = [0; 65536];
        let count = events.stream.read(&mut buffer).unwrap();
        assert!(count > 0, "closed behind {came} and {missed}");
        read += count;
        text.push_str(&String::from_utf8_lossy(&buffer[..count]));
        while let Some(end) = text.find("\n\n") {
            let told: String = text.drain(..end + 2).collect();
            let Some((name, data)) = told.split_once("data: ") else {
                continue;
            };
            let data: Value = serde_json::from_str(data.trim()).unwrap();
            if name.ends_with("event: gap\n") {
                missed += data["rows"].as_u64().unwrap_or(0);
                bytes = bytes.or(Some(read));
            } else if name.contains("event: rows\n") {
                came += data.as_array().unwrap().len() as u64;
            }
        }
    }
    assert_eq!(came + missed, until);
    (came, missed, bytes.unwrap_or(read))
}

#[test]
fn a_slow_viewer_gets_256_kib_late_and_then_counted_gaps() {
    const ROWS: u64 = 40_000;
    let stage = Stage::new();
    let mut slow = Events::open(&stage, "rows", "");
    slow.wait_for("hello");
    let mut quick = Events::open(&stage, "rows", "");
    quick.wait_for("hello");
    for _ in 0..ROWS / 500 {
        for _ in 0..500 {
            record(&stage, &[0x55; 256]);
        }
        // Batch by batch, as time goes on.
        quick.wait_for("rows");
    }
    let (_, missed, late) = account(&mut slow, ROWS);
    assert!(missed > ROWS / 2, "{missed}");
    assert!(late <= 256 * 1024, "{late} bytes were kept for it");
}

#[test]
fn a_stream_that_has_nothing_to_say_says_so_each_15_s_and_is_buffered_by_no_proxy() {
    let stage = Stage::new();
    let begin = Instant::now();
    let mut events = Events::open(&stage, "rows", "");
    events.wait_for("hello");
    let comment = b": \n\n";
    let mut last = [0; 4];
    while last != *comment {
        last.rotate_left(1);
        events.stream.read_exact(&mut last[3..]).unwrap();
    }
    let took = begin.elapsed();
    assert!((14..20).contains(&took.as_secs()), "{took:?}");
    let head = stage.send(
        format!(
            "HEAD /api/events HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            stage.address()
        )
        .as_bytes(),
    );
    assert_eq!(head.header("x-accel-buffering"), Some("no"));
}

#[test]
fn log_lines_that_come_too_fast_are_counted_as_a_gap() {
    let stage = Stage::new();
    let mut events = Events::open(&stage, "log", "");
    events.wait_for("hello");
    for n in 0..5000 {
        stage
            .recorder
            .log(1, Level::Info, Some(Place::Line), &format!("line {n}"));
    }
    let (mut told, mut left_out, mut is_over) = (0, 0, false);
    while !is_over {
        let (name, data) = events.wait_for_any(&["log", "gap"]);
        if name == "gap" {
            left_out += data["lines"].as_u64().unwrap();
            continue;
        }
        let lines = data.as_array().unwrap();
        told += lines.len() as u64;
        is_over = lines.last().unwrap()["text"] == "line 4999";
    }
    assert!(left_out > 0, "all {told} were told one by one");
    assert_eq!(told + left_out, 5000);
}

#[test]
fn the_record_is_read_in_parts() {
    let stage = Stage::new();
    for n in 0..20_u8 {
        record(&stage, &[n]);
        stage
            .recorder
            .log(1, Level::Info, Some(Place::Line), &format!("line {n}"));
    }
    let seqs = |path: &str, of: &str| -> Vec<u64> {
        let page = stage.get(path).ok();
        page[of]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["seq"].as_u64().unwrap())
            .collect()
    };
    assert_eq!(seqs("/api/rows?limit=3", "rows"), [17, 18, 19]);
    assert_eq!(seqs("/api/rows?to=9&limit=2", "rows"), [8, 9]);
    assert_eq!(seqs("/api/rows?from=4&to=6", "rows"), [4, 5, 6]);
    assert_eq!(seqs("/api/log?from=18", "lines"), [18, 19]);
    assert_eq!(seqs("/api/rows?from=500", "rows"), [0_u64; 0]);
    stage.get("/api/rows?from=x").refused(400, "bad");
    let capture = stage.get("/api/traffic.pcapng");
    assert_eq!(capture.body[..4], [0x0A, 0x0D, 0x0D, 0x0A]);
}

#[test]
fn bytes_messages_and_calls_are_put_in() {
    let stage = Stage::new();
    let put = |path: &str, body: Value| stage.post(path, &body).ok();
    put(
        "/api/inject",
        json!({ "to": "line", "from": "dte", "data_hex": "00 ff" }),
    );
    put(
        "/api/inject",
        json!({ "to": "link3", "from": "peer", "data_hex": "4142" }),
    );
    put(
        "/api/sms",
        json!({ "from": "+8613912345678", "text": "你好" }),
    );
    put("/api/call", json!({ "number": "10086" }));
    put("/api/hangup", json!({}));
    let orders = stage.device.orders.lock().unwrap().clone();
    assert_eq!(
        orders,
        [
            Order::FromDte(vec![0, 0xFF]),
            Order::FromPeer(3, b"AB".to_vec()),
            Order::Message("+8613912345678".to_owned(), "你好".to_owned()),
            Order::Call("10086".to_owned()),
            Order::HangUp,
        ]
    );
    for wrong in [
        json!({ "to": "line", "from": "peer", "data_hex": "00" }),
        json!({ "to": "link5", "from": "peer", "data_hex": "00" }),
        json!({ "to": "line", "from": "dte", "data_hex": "0" }),
        json!({ "to": "line", "from": "dte", "data_hex": "" }),
    ] {
        stage.post("/api/inject", &wrong).refused(400, "bad");
    }
    stage
        .post("/api/call", &json!({ "number": "10086;" }))
        .refused(400, "bad");
    assert_eq!(stage.get("/api/messages").ok()["phone"], "+8613900000000");
}

#[test]
fn metrics_have_links_by_their_numbers_and_no_addresses() {
    let stage = Stage::new();
    let text = stage.get("/metrics").text();
    assert!(
        text.contains("dtu_link_bytes_in_total{link=\"1\"} 1\n"),
        "{text}"
    );
    assert!(
        text.contains("dtu_link_rtt_seconds{link=\"1\"} 0.021\n"),
        "{text}"
    );
    assert!(
        text.contains("dtu_link_connected{link=\"1\"} 1\n"),
        "{text}"
    );
    assert!(text.contains("dtu_up 1\n"), "{text}");
    assert!(!text.contains("example"), "{text}");
    assert_eq!(stage.get("/healthz").text(), "ok\n");
}
