//! The web console in the real device: what its API tells is what happens on the line and at the server.
#![allow(clippy::unwrap_used, reason = "helpers that other tests use")]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use cellular_sim::modem::Setup as Modem;

use crate::common::daemon::{Daemon, Setup};
use crate::common::radio::Radio;
use crate::common::server::Server;
use crate::common::usage::Usage;
use crate::common::{SOON, eventually};
use crate::schema;

/// What the page does: one request a connection.
pub(crate) struct Api {
    authority: String,
    csrf: String,
}

impl Api {
    pub(crate) fn of(daemon: &Daemon) -> Self {
        Self::at(daemon.console())
    }

    pub(crate) fn at(url: &str) -> Self {
        let authority = url.strip_prefix("http://").unwrap().trim_end_matches('/');
        let mut api = Self {
            authority: authority.to_owned(),
            csrf: String::new(),
        };
        api.csrf = api.get("api/session")["csrf"].as_str().unwrap().to_owned();
        api
    }

    fn ask(&self, method: &str, path: &str, more: &str, body: &[u8]) -> (u16, Vec<u8>) {
        let mut stream = self.send(method, path, more, body);
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let end = answer.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(answer[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let body = &answer[end + 4..];
        if head
            .to_ascii_lowercase()
            .contains("transfer-encoding: chunked")
        {
            return (status, unchunked(body));
        }
        (status, body.to_vec())
    }

    fn send(&self, method: &str, path: &str, more: &str, body: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(&self.authority).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        let length = body.len();
        let head = format!(
            "{method} /{path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{more}Content-Length: {length}\r\n\r\n",
            self.authority
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        stream
    }

    pub(crate) fn get(&self, path: &str) -> Value {
        let (status, body) = self.ask("GET", path, "", b"");
        let body = String::from_utf8(body).unwrap();
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    /// What a write needs in its head.
    fn rights(&self) -> String {
        format!(
            "Content-Type: application/json\r\nX-CSRF: {}\r\nOrigin: http://{}\r\n",
            self.csrf, self.authority
        )
    }

    pub(crate) fn try_post(&self, path: &str, body: &Value) -> (u16, Value) {
        let (status, body) = self.ask("POST", path, &self.rights(), body.to_string().as_bytes());
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Value {
        let (status, answer) = self.try_post(path, body);
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    pub(crate) fn at_line(&self, line: &str) -> Value {
        self.post("api/at", &json!({ "line": line }))
    }

    /// All rows of bytes.
    pub(crate) fn rows(&self, of: &str, dir: &str) -> Vec<Value> {
        let rows = self.get("api/rows?from=0&limit=1000");
        let fits = |row: &&Value| row["of"] == of && row["dir"] == dir && row["kind"] == "data";
        rows["rows"]
            .as_array()
            .unwrap()
            .iter()
            .filter(fits)
            .cloned()
            .collect()
    }

    fn bytes(&self, of: &str, dir: &str) -> Vec<u8> {
        let rows = self.rows(of, dir);
        rows.iter()
            .flat_map(|row| decoded(row["data"].as_str().unwrap()))
            .collect()
    }
}

fn unchunked(mut body: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    loop {
        let end = body.windows(2).position(|w| w == b"\r\n").unwrap();
        let size = usize::from_str_radix(str::from_utf8(&body[..end]).unwrap(), 16).unwrap();
        if size == 0 {
            return whole;
        }
        whole.extend_from_slice(&body[end + 2..end + 2 + size]);
        body = &body[end + 4 + size..];
    }
}

/// Base64, as RFC 4648 has it.
fn decoded(text: &str) -> Vec<u8> {
    const SIGNS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits: Vec<u32> = text
        .chars()
        .filter_map(|c| SIGNS.find(c))
        .map(|d| d as u32)
        .collect();
    let group = |group: &[u32]| {
        let bits = group.iter().fold(0, |bits, digit| bits << 6 | digit) << (6 * (4 - group.len()));
        bits.to_be_bytes()[1..group.len()].to_vec()
    };
    digits.chunks(4).flat_map(group).collect()
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn the_ready_line_names_the_console_and_its_status_is_that_of_the_device() {
    let (folder, server) = (folder(), Server::start());
    let daemon = Setup::new(folder.path())
        .link(1, server.port())
        .console()
        .start();
    let _connection = server.accept(SOON);
    let api = Api::of(&daemon);
    let status = eventually("the link is up", SOON, || {
        let status = api.get("api/status");
        (status["links"][0]["state"] == "connected").then_some(status)
    });
    assert_eq!(status["links"][0]["port"], server.port());
    assert_eq!(
        status["mode"],
        json!({ "number": 0, "word": "transparent mode" })
    );
    assert_eq!(status["leds"]["net"], "on");
    assert_eq!(status["serial"]["baud"], 115_200);
    assert!(
        status["links"][0]["rtt_ms"].as_f64().unwrap() > 0.0,
        "{status}"
    );
    assert!(
        status["drops"]["since"].as_str().unwrap().starts_with("20"),
        "{status}"
    );
    let unsaved = status["not_stored"].as_array().unwrap();
    assert!(unsaved.contains(&"CIPSCONT.1.PORT".into()), "{unsaved:?}");
    // The page finds the same, value by value.
    let settings = api.get("api/settings");
    let differs = |(_, value): &(&String, &Value)| {
        !value["running"].is_null() && value["running"] != value["stored"]
    };
    let found = settings["values"]
        .as_object()
        .unwrap()
        .iter()
        .filter(differs);
    let mut found: Vec<&str> = found.map(|(key, _)| key.as_str()).collect();
    let mut unsaved: Vec<_> = unsaved.iter().map(|key| key.as_str().unwrap()).collect();
    found.sort_unstable();
    unsaved.sort_unstable();
    assert_eq!(found, unsaved);
    let log = api.get("api/log?from=0&limit=1000");
    let has = |text: &str| {
        let lines = log["lines"].as_array().unwrap();
        lines
            .iter()
            .any(|line| line["text"].as_str().unwrap().contains(text))
    };
    assert!(has("device: power on"), "{log}");
    assert!(has("link 1: up"), "{log}");
    assert!(daemon.terminate().success());
}

#[test]
fn answers_are_what_the_description_says() {
    let (folder, server) = (folder(), Server::start());
    let daemon = Setup::new(folder.path())
        .link(1, server.port())
        .console()
        .start();
    let connection = server.accept(SOON);
    let line = daemon.line();
    line.send(b"a row");
    connection.receive(5, SOON);
    let api = Api::of(&daemon);
    let document = api.get("api/openapi.json");
    let reads = || {
        for path in [
            "session", "status", "schema", "settings", "trial", "commands", "rows", "log",
        ] {
            let answer = api.get(&format!("api/{path}"));
            schema::check(&document, "get", &format!("/api/{path}"), &answer);
        }
    };
    let writes = |path: &str, body: Value| {
        let answer = api.post(&format!("api/{path}"), &body);
        schema::check(&document, "post", &format!("/api/{path}"), &answer);
        answer
    };
    reads();
    writes("at", json!({ "line": "AT+NOSUCH" }));
    let values = json!({ "CIPCFG.HEAT": "77", "CIPSW": "pump8" });
    writes("check", json!({ "values": { "CIPCFG.HEAT": "x" } }));
    writes("check", json!({ "values": values }));
    let applied = writes("apply", json!({ "values": values, "confirm": 600 }));
    reads();
    writes("rollback", json!({ "id": applied["trial"]["id"] }));
    reads();
    writes("apply", json!({ "values": values, "confirm": 600 }));
    writes("keep", json!({ "id": 2 }));
    reads();
    // What is not described is found.
    let mut status = api.get("api/status");
    status["links"][1]["sate"] = "connected".into();
    let place = &document["components"]["schemas"]["Status"];
    let faults = schema::faults(&document, place, &status, "status");
    assert_eq!(faults, ["status.links[1].sate is not described"]);
}

#[test]
fn at_lines_run_in_order_with_those_of_others_and_secrets_stay_secret() {
    let folder = folder();
    let daemon = Setup::new(folder.path()).console().start();
    let api = Api::of(&daemon);
    assert_eq!(api.at_line("AT+CIPR?")["lines"], json!(["+CIPR: 115200"]));
    let refused = api.at_line("AT+NOSUCH");
    assert!(refused["end"].as_str().unwrap() != "OK", "{refused}");
    // A command of the line that waits for the disk and one of the console do not cross.
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..5 {
                    assert_eq!(api.at_line("AT+CIPR?")["lines"], json!(["+CIPR: 115200"]));
                }
            });
        }
        let line = daemon.line();
        line.escape();
        for _ in 0..5 {
            assert_eq!(line.command("ATW"), "\r\nOK\r\n");
        }
    });
    // A reading of all settings is one row among the traffic.
    let commands = || api.rows("console", "in").len();
    let before = commands();
    api.get("api/settings");
    let all = api.get("api/rows?from=0&limit=1000");
    let rows = all["rows"].as_array().unwrap().iter();
    assert_eq!(commands(), before);
    let readings = rows.filter(|row| row["note"] == "all settings are read");
    assert_eq!(readings.count(), 1);
    assert_eq!(api.at_line("AT+CIPSW=s3cr")["end"], "OK");
    daemon.says("console: command: AT+CIPSW=****: OK");
    let all = format!(
        "{}{}",
        api.get("api/log?from=0&limit=1000"),
        api.get("api/rows?from=0&limit=1000")
    );
    assert!(!all.contains("s3cr"), "{all}");
    // Reading all settings fills no log.
    assert!(
        !daemon.messages().contains("AT+CIPR?"),
        "{}",
        daemon.messages()
    );
}

#[test]
fn the_traffic_is_what_the_server_and_the_line_saw() {
    let (folder, server) = (folder(), Server::start());
    let daemon = Setup::new(folder.path())
        .link(1, server.port())
        .at("CIPPACK=1,\"524547\",0")
        .packing(20)
        .console()
        .start();
    let peer = server.accept(SOON);
    assert_eq!(peer.receive(3, SOON), b"REG");
    let line = daemon.line();
    line.send(b"meter \x00\xFF 42");
    assert_eq!(peer.receive(11, SOON), b"meter \x00\xFF 42");
    peer.send(b"relay on\r\n");
    assert_eq!(line.receive(10, SOON), b"relay on\r\n");
    let api = Api::of(&daemon);
    assert_eq!(api.bytes("link1", "out"), b"REGmeter \x00\xFF 42");
    assert_eq!(api.bytes("link1", "in"), b"relay on\r\n");
    assert_eq!(api.bytes("line", "in"), b"meter \x00\xFF 42");
    let printed = api.bytes("line", "out");
    assert!(
        printed.ends_with(b"USR-GPRS232-DTU\r\nrelay on\r\n"),
        "{printed:?}"
    );
    assert_eq!(api.rows("link1", "out")[0]["note"], "registration packet");
    assert_eq!(api.rows("line", "in")[0]["note"], "cut by TIME: silence");

    line.escape();
    line.send(b"AT+CIPSW=\"s3cr\"\r");
    line.receive_to(b"OK\r\n", SOON);
    line.send(b"AT+CSTT=\"net\",\"me\",\"geheim\"\r");
    line.receive_to(b"OK\r\n", SOON);
    assert!(line.command("AT+CSTT?").contains("geheim"));
    let typed = String::from_utf8_lossy(&api.bytes("line", "in")).into_owned();
    let printed = String::from_utf8_lossy(&api.bytes("line", "out")).into_owned();
    assert!(
        typed.contains("AT+CIPSW=****") && typed.contains("AT+CSTT?"),
        "{typed}"
    );
    assert!(printed.contains("+CSTT: \"net\",\"me\",****"), "{printed}");
    let (status, capture) = api.ask("GET", "api/traffic.pcapng", "", b"");
    assert_eq!((status, &capture[..4]), (200, &b"\x0A\x0D\x0D\x0A"[..]));
    let holds = |bytes: &[u8]| capture.windows(bytes.len()).any(|window| window == bytes);
    assert!(holds(b"meter \x00\xFF 42") && holds(b"cut by TIME: silence") && holds(b"link1"));
    for secret in ["s3cr", "geheim"] {
        assert!(
            !typed.contains(secret) && !printed.contains(secret),
            "{typed}{printed}"
        );
        assert!(!holds(secret.as_bytes()), "{secret}");
    }
}

#[test]
fn a_secret_shows_in_no_row_and_no_line_of_the_log_whatever_stands_in_front_of_its_command() {
    let (folder, server) = (folder(), Server::start());
    let daemon = Setup::new(folder.path())
        .link(1, server.port())
        .packing(20)
        .at("CINETAT=1;+CIPSW=abcde")
        .console()
        .start();
    let peer = server.accept(SOON);
    let api = Api::of(&daemon);
    for line in [
        "AT+CIPSW=ab#geheim",
        "AT+CSTT=\"n\",\"u\",\"geheim\"",
        "AT+CSTT?",
    ] {
        peer.send(format!("abcde,{line}").as_bytes());
        peer.receive(4, SOON);
    }
    let line = daemon.line();
    line.escape();
    line.send(b"ATE1\r");
    line.receive_to(b"OK\r\n", SOON);
    for typed in [
        &b"xAT+CSTT=\"n\",\"u\",\"geheim\"\r"[..],
        b"+CIPSW=ab#geheim\r",
    ] {
        line.send(typed);
        // No command: no answer but the echo.
        line.receive_to(b"geheim", SOON);
        line.receive_to(b"\r", SOON);
    }
    line.send(b"AT\r");
    line.receive_to(b"OK\r\n", SOON);
    for typed in ["+CIPSW=\"ab#geheim\"", "CIPSW=ab#geheim", "xAT+CPIN=geheim"] {
        api.at_line(typed);
    }
    daemon.says("console: command: CIPSW=****");
    let bytes = ["link1", "line"].map(|of| [api.bytes(of, "in"), api.bytes(of, "out")].concat());
    let shown = String::from_utf8_lossy(&bytes.concat()).into_owned();
    assert!(
        shown.contains("AT+CIPSW=****") && shown.contains("xAT+CSTT="),
        "{shown}"
    );
    let log = api.get("api/log?from=0&limit=1000").to_string();
    for told in [shown, log, daemon.messages()] {
        assert!(!told.contains("geheim"), "{told}");
    }
}

#[test]
fn bytes_can_be_put_in_on_both_sides_and_are_marked() {
    let (folder, server) = (folder(), Server::start());
    let daemon = Setup::new(folder.path())
        .link(1, server.port())
        .packing(20)
        .console()
        .start();
    let peer = server.accept(SOON);
    let line = daemon.line();
    let api = Api::of(&daemon);
    api.post(
        "api/inject",
        &json!({ "to": "line", "from": "dte", "data_hex": "00ff41" }),
    );
    assert_eq!(peer.receive(3, SOON), b"\x00\xFFA");
    api.post(
        "api/inject",
        &json!({ "to": "link1", "from": "peer", "data_hex": "42" }),
    );
    assert_eq!(line.receive(1, SOON), b"B");
    assert_eq!(
        api.rows("line", "in")[0]["note"],
        "cut by TIME: silence; injected"
    );
    assert_eq!(api.rows("link1", "in")[0]["note"], "injected");
    line.send(b"real");
    assert_eq!(peer.receive(4, SOON), b"real");
    assert_eq!(api.rows("line", "in")[1]["note"], "cut by TIME: silence");
    daemon.says("console: 3 bytes put in as if the DTE had sent them");
    let (status, why) = api.try_post(
        "api/inject",
        &json!({ "to": "link2", "from": "peer", "data_hex": "42" }),
    );
    assert!(
        status >= 400 && why["message"].as_str().unwrap().contains("no connection"),
        "{why}"
    );
}

/// What has come to a real modem, in whole messages and without passwords; a restart of the modem repeats none.
#[test]
fn messages_of_a_real_modem_are_in_the_inbox() {
    let folder = folder();
    let radio = Radio::start(&folder.path().join("modem"), Modem::default());
    let daemon = Setup::new(folder.path())
        .modem(&format!("at:{}", radio.device().display()))
        .at("CIPSW=pump7")
        .console()
        .start();
    let api = Api::of(&daemon);
    assert_eq!(api.get("api/session")["features"]["radio"], "real");
    let inbox = |count: usize| {
        eventually("messages", SOON * 3, || {
            let told = api.get("api/messages");
            let items = told["items"].as_array().unwrap().clone();
            (items.len() == count).then_some(items)
        })
    };
    assert_eq!(api.get("api/messages")["items"], json!([]));
    radio.order("sms from +8613912345678 \"hello 你好\"");
    let items = inbox(1);
    assert_eq!(items[0]["from"], "+8613912345678");
    assert_eq!(items[0]["text"], "hello 你好");
    assert_eq!(items[0]["state"], "received");
    assert!(items[0]["at"].as_u64().unwrap() > 1_700_000_000_000);
    let long = "泵".repeat(150);
    radio.order(&format!("sms from 10010 \"{long}\""));
    let items = inbox(2);
    assert_eq!(
        (&items[1]["text"], &items[1]["parts"]),
        (&json!(long), &json!(3))
    );
    radio.order("sms from 10086 \"pump7,AT+CSQ\"");
    let items = inbox(3);
    assert_eq!(items[2]["text"], "****,AT+CSQ");
    assert_eq!(radio.text(SOON).lines().next(), Some("+CSQ: 31, 99"));
}

#[test]
fn a_phone_of_the_simulated_radio_writes_is_answered_and_calls() {
    let folder = folder();
    let daemon = Setup::new(folder.path()).mode(4).console().start();
    let line = daemon.line();
    let api = Api::of(&daemon);
    api.post("api/sms", &json!({ "from": "10086", "text": "hello 你好" }));
    let chat = |text: &str, state: &str| {
        eventually(text, SOON, || {
            let told = api.get("api/messages");
            let items = told["items"].as_array().unwrap().clone();
            items.into_iter().find(|item| {
                item["text"].as_str().unwrap().contains(text) && item["state"] == state
            })
        })
    };
    assert_eq!(chat("hello", "sent")["from"], "10086");
    line.receive_to(b"hello", SOON);
    line.send(b"42 kWh");
    assert_eq!(chat("42 kWh", "received")["to"], "10086");
    // What the service number answers is there too; what the page's phone wrote comes once.
    assert_eq!(chat("10086: received", "delivered")["from"], "10086");
    line.receive_to(b"10086: received \"42 kWh\"", SOON);
    let told = api.get("api/messages");
    let hellos = told["items"].as_array().unwrap().iter();
    let hellos = hellos.filter(|item| item["text"].as_str().unwrap().contains("hello"));
    assert_eq!(hellos.count(), 1);
    api.post("api/call", &json!({ "number": "10010" }));
    let call = |state: &str| {
        eventually(state, SOON, || {
            let told = api.get("api/messages");
            told["calls"]
                .as_array()
                .unwrap()
                .iter()
                .any(|call| call["state"] == state)
                .then_some(())
        });
    };
    call("ringing");
    api.post("api/hangup", &json!({}));
    call("ended");
    let (status, why) = api.try_post("api/sms", &json!({ "from": "nobody", "text": "x" }));
    assert!(status >= 400, "{why}");
}

#[test]
fn settings_on_trial_go_back_by_themselves_also_where_the_device_is_killed() {
    let folder = folder();
    let setup = Setup::new(folder.path()).console();
    let daemon = setup.start();
    let api = Api::of(&daemon);
    let port = |api: &Api| api.get("api/settings")["values"]["CIPSCONT.2.PORT"]["running"].clone();
    let before = port(&api);
    api.at_line("AT+CIPSCONT=2,\"TCP\",\"127.0.0.1\",4242,0");
    assert_eq!(api.at_line("AT+CIAPPLY=10")["end"], "OK");
    let trial = api.get("api/status")["trial"].clone();
    assert!(
        trial["seconds_left"].as_u64().unwrap() <= 10 && trial["id"] == 1,
        "{trial}"
    );
    let shown = Command::new(env!("CARGO_BIN_EXE_dtud"))
        .args(["status", "--state"])
        .arg(setup.state())
        .output()
        .unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(
        shown.contains("\ntrial    number 1, settings of console: they go back in"),
        "{shown}"
    );
    assert_eq!(
        trial["keys"],
        json!(["CIPSCONT.2.ADDRESS", "CIPSCONT.2.PORT"])
    );
    assert_eq!(port(&api), 4242.to_string());
    eventually("the old settings are back", Duration::from_secs(20), || {
        (port(&api) == before).then_some(())
    });
    let status = api.get("api/status");
    assert_eq!(status["trial"], Value::Null);
    let ended = json!({ "how": "expired", "keys": trial["keys"] });
    assert_eq!(status["trial_ended"], ended);
    daemon.says("as they were in front of the trial: CIPSCONT.2.ADDRESS, CIPSCONT.2.PORT");

    api.at_line("AT+CIPSCONT=2,\"TCP\",\"127.0.0.1\",4242,0");
    assert_eq!(api.at_line("AT+CIAPPLY=600")["end"], "OK");
    daemon.kill();
    let daemon = setup.start();
    let api = Api::of(&daemon);
    assert_eq!(port(&api), before);
    api.at_line("AT+CIPSCONT=2,\"TCP\",\"127.0.0.1\",4242,0");
    api.at_line("AT+CIAPPLY=600");
    assert_eq!(api.at_line("AT+CIKEEP")["end"], "OK");
    daemon.kill();
    let daemon = setup.start();
    assert_eq!(port(&Api::of(&daemon)), 4242.to_string());
}

/// Wherever it is killed it starts with a whole set: the one from before, or the one that was kept. What was answered holds.
#[test]
fn a_device_that_is_killed_at_any_step_of_an_apply_has_the_old_settings_or_the_kept_ones() {
    let folder = folder();
    let setup = Setup::new(folder.path()).console();
    let port = |api: &Api| api.get("api/settings")["values"]["CIPSCONT.2.PORT"]["running"].clone();
    let mut stored = port(&Api::of(&setup.start()));
    const LAST: usize = 15;
    let mut kept = 0;
    for (round, last) in ["", "", "AT+CIKEEP=0", "AT+CIKEEP"]
        .into_iter()
        .chain(["AT+CIKEEP"; LAST - 3])
        .enumerate()
    {
        let daemon = setup.start();
        let api = Api::of(&daemon);
        assert_eq!(port(&api), stored, "round {round}");
        let new = (5000 + round).to_string();
        let set = format!("AT+CIPSCONT=2,\"TCP\",\"127.0.0.1\",{new},0");
        assert_eq!(api.at_line(&set)["end"], "OK");
        if round > 0 {
            assert_eq!(api.at_line("AT+CIAPPLY=600")["end"], "OK");
        }
        let mut told = String::new();
        if last.is_empty() {
            daemon.kill();
        } else {
            let csrf = format!("X-CSRF: {}\r\nContent-Type: application/json\r\n", api.csrf);
            let body = json!({ "line": last }).to_string();
            let mut answer = api.send("POST", "api/at", &csrf, body.as_bytes());
            // From at once to behind the answer.
            if round == LAST {
                answer.read_to_string(&mut told).unwrap();
            } else {
                let early = (round - 2) as u64;
                std::thread::sleep(Duration::from_micros(200 * early * early));
            }
            daemon.kill();
            let _ = answer.read_to_string(&mut told);
        }
        let now = port(&Api::of(&setup.start()));
        if now == new && last == "AT+CIKEEP" {
            kept += 1;
            stored = now;
        } else {
            assert_eq!(now, stored, "round {round}: {told}");
            assert!(last != "AT+CIKEEP" || !told.contains("\"OK\""), "{told}");
        }
    }
    assert!(kept > 0);
}

#[test]
fn a_port_that_is_taken_does_not_keep_the_device_from_its_work() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = folder();
    let daemon = Setup::new(folder.path()).console_at(&address).start();
    assert_eq!(daemon.console(), "busy");
    daemon.says("the device runs without it, and tries again");
    assert_eq!(daemon.line().drain(Duration::from_millis(100)), b"");
    drop(taken);
    let url = format!("http://{address}/");
    eventually("the console has its port", SOON, || {
        daemon
            .messages()
            .contains(&format!("console: {url}"))
            .then_some(())
    });
    assert_eq!(Api::at(&url).get("api/session")["who"], "local");
    assert!(daemon.terminate().success());
}

#[test]
fn the_ready_line_tells_the_fingerprint_of_a_self_made_certificate_which_a_bad_file_does_not_replace()
 {
    let folder = folder();
    let setup = Setup::new(folder.path())
        .settings("[console]\ntls = \"self\"")
        .console();
    let daemon = setup.start();
    let told = daemon.console().to_owned();
    let (url, fingerprint) = told.split_once(" sha256=").unwrap();
    assert!(url.starts_with("https://127.0.0.1:"), "{told}");
    assert_eq!(fingerprint.len(), 32 * 3 - 1, "{told}");
    daemon.says(&format!(
        "{url}, with a self-made certificate, SHA-256 {fingerprint}"
    ));
    let file = setup.state().join("console-tls.pem");
    let good = std::fs::read(&file).unwrap();
    std::fs::write(&file, "torn").unwrap();
    daemon.reload();
    daemon
        .says("console-tls.pem: no certificate in it (PEM); certificate and key stay as they were");
    assert!(
        daemon
            .messages()
            .contains("WARN console: the console's TLS"),
        "{}",
        daemon.messages()
    );
    std::fs::write(&file, good).unwrap();
    assert!(daemon.terminate().success());
    let again = setup.start();
    assert!(
        again.console().ends_with(fingerprint),
        "{}",
        again.console()
    );
    assert!(again.terminate().success());

    // A start does not overwrite what it cannot read, and neither it nor check-settings is silent about it.
    std::fs::write(&file, "torn").unwrap();
    let settings = folder.path().join("s.toml");
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dtud"));
        let done = command.args(arguments).output().unwrap();
        (done.status.code(), String::from_utf8(done.stderr).unwrap())
    };
    std::fs::write(
        &settings,
        "[console]\ncertificate = \"no.pem\"\nkey = \"no.key\"",
    )
    .unwrap();
    let (code, said) = run(&["check-settings", settings.to_str().unwrap()]);
    assert_eq!(code, Some(2), "{said}");
    assert!(
        said.contains("no.pem") && said.contains("console"),
        "{said}"
    );
    std::fs::write(&settings, "[console]\ntls = \"self\"").unwrap();
    let state = setup.state();
    let (code, said) = run(&[
        "--settings",
        settings.to_str().unwrap(),
        "--state",
        state.to_str().unwrap(),
    ]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("console-tls.pem"), "{said}");
}

/// Whether a client that trusts only this certificate gets an answer.
fn answers_as(port: u16, trusted: &Path) -> bool {
    use rustls::pki_types::{CertificateDer, pem::PemObject as _};
    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(trusted).unwrap())
        .unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let client = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = "localhost".try_into().unwrap();
    let mut tls = rustls::ClientConnection::new(client.into(), name).unwrap();
    let mut socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
    socket.set_read_timeout(Some(SOON)).unwrap();
    let mut stream = rustls::Stream::new(&mut tls, &mut socket);
    let asks = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let mut told = String::new();
    let answered = stream.write_all(asks).is_ok();
    let _ = stream.read_to_string(&mut told);
    assert_eq!(answered, told.ends_with("ok\n"), "{told}");
    answered
}

#[test]
fn a_running_device_takes_a_new_certificate_by_sighup_and_keeps_the_old_one_for_a_bad_one() {
    let folder = folder();
    let place = |name: &str| folder.path().join(name);
    let make = |name: &str| {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        std::fs::write(place(name), made.cert.pem()).unwrap();
        std::fs::write(place("used.pem"), made.cert.pem()).unwrap();
        std::fs::write(place("used.key"), made.signing_key.serialize_pem()).unwrap();
    };
    make("first.pem");
    let (certificate, key) = (place("used.pem"), place("used.key"));
    let daemon = Setup::new(folder.path())
        .settings(&format!(
            "[console]\ncertificate = {certificate:?}\nkey = {key:?}"
        ))
        .console()
        .start();
    let address = daemon.console().strip_prefix("https://127.0.0.1:").unwrap();
    let port = address.trim_end_matches('/').parse().unwrap();
    assert!(answers_as(port, &place("first.pem")));

    std::fs::write(&certificate, "torn").unwrap();
    daemon.reload();
    daemon.says("used.pem: no certificate in it (PEM); certificate and key stay as they were");
    assert!(answers_as(port, &place("first.pem")));

    make("second.pem");
    daemon.reload();
    daemon.says("console: certificate and key are read again");
    assert!(answers_as(port, &place("second.pem")));
    assert!(!answers_as(port, &place("first.pem")));

    // A file that does not come keeps nobody waiting, the device least of all.
    let made = Command::new("mkfifo").arg(place("far")).status().unwrap();
    assert!(made.success());
    std::fs::rename(place("far"), &certificate).unwrap();
    daemon.reload();
    eventually("the settings are read again, too", SOON, || {
        let times = daemon.messages().matches("read again: lamps now").count();
        (times == 3).then_some(())
    });
    let line = daemon.line();
    line.escape();
    assert_eq!(line.command("AT"), "\r\nOK\r\n");
    assert!(answers_as(port, &place("second.pem")));
    assert!(daemon.terminate().success());
}

#[test]
fn beyond_this_host_the_console_wants_a_password_and_says_how_to_set_one() {
    let folder = folder();
    let state = folder.path().join("state");
    let run = |settings: &str| {
        std::fs::write(folder.path().join("s.toml"), settings).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_dtud"));
        command
            .current_dir(folder.path())
            .args(["--settings", "s.toml", "--console", "0.0.0.0:0"]);
        let done = command.arg("--state").arg(&state).output().unwrap();
        (done.status.code(), String::from_utf8(done.stderr).unwrap())
    };
    let (code, said) = run("");
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("dtud console-password"), "{said}");
    set_password(&state, "short", Some(1));
    set_password(&state, "correct horse", Some(0));
    let (code, said) = run("");
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("insecure = true"), "{said}");
    let mode = std::fs::metadata(state.join("console-passwords.json")).unwrap();
    use std::os::unix::fs::PermissionsExt as _;
    assert_eq!(mode.permissions().mode() & 0o777, 0o600);
    let kept = std::fs::read_to_string(state.join("console-passwords.json")).unwrap();
    assert!(
        kept.contains("$argon2") && !kept.contains("horse"),
        "{kept}"
    );
}

/// Whoever lets passwords cross a network in clear is told so at each start.
#[test]
fn a_console_that_is_insecure_says_so_aloud() {
    let folder = folder();
    let setup = Setup::new(folder.path()).settings("[console]\ninsecure = true");
    set_password(&setup.state(), "correct horse", Some(0));
    let words =
        "WARN console: insecure = true: passwords and all data cross this network in the clear";
    let daemon = setup.clone().console_at("0.0.0.0:0").start();
    daemon.says(words);
    assert!(daemon.terminate().success());
    // On this host nothing crosses a network.
    let daemon = setup.console().start();
    daemon.says("INFO console: http://127.0.0.1:");
    assert!(!daemon.messages().contains("insecure"));
    assert!(daemon.terminate().success());
}

/// What the browser shows is compared with what the device's own user is told.
#[test]
fn the_status_tells_the_fingerprint_of_the_console_s_own_certificate() {
    let folder = folder();
    let setup = Setup::new(folder.path());
    let status = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dtud"));
        command.arg("status").arg("--state").arg(setup.state());
        let done = command.args(more).output().unwrap();
        String::from_utf8(done.stdout).unwrap()
    };
    let own = setup.clone().settings("[console]\ntls = \"self\"");
    let daemon = own.console().start();
    let told: Value = serde_json::from_str(&status(&["--json"])).unwrap();
    let fingerprint = told["console_fingerprint"].as_str().unwrap().to_owned();
    assert_eq!(fingerprint.len(), 32 * 3 - 1, "{fingerprint}");
    daemon.says(&format!("SHA-256 {fingerprint}"));
    let row = format!("\nconsole  own certificate, SHA-256 {fingerprint}\n");
    assert!(status(&[]).contains(&row), "{}", status(&[]));
    assert!(daemon.terminate().success());
    let daemon = setup.clone().console().start();
    let told: Value = serde_json::from_str(&status(&["--json"])).unwrap();
    assert_eq!(told["console_fingerprint"], Value::Null);
    assert!(!status(&[]).contains("\nconsole "));
    assert!(daemon.terminate().success());
}

fn set_password(state: &Path, password: &str, code: Option<i32>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dtud"));
    command.args(["console-password", "--state"]).arg(state);
    let pipes = command.stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut child = pipes.spawn().unwrap();
    writeln!(child.stdin.take().unwrap(), "{password}").unwrap();
    let done = child.wait_with_output().unwrap();
    let said = String::from_utf8(done.stderr).unwrap();
    assert_eq!(done.status.code(), code, "{said}");
    assert!(!said.contains(password), "{said}");
}

#[test]
fn a_console_that_nobody_looks_at_wakes_nobody() {
    let (folder, server) = (folder(), Server::start());
    let daemon = Setup::new(folder.path())
        .link(1, server.port())
        .packing(20)
        .console()
        .start();
    let peer = server.accept(SOON);
    let line = daemon.line();
    line.send(b"x");
    peer.receive(1, SOON);
    let api = Api::of(&daemon);
    api.get("api/status");
    let usage = || Usage::of(daemon.pid()).unwrap();
    // What was asked for last has to end first.
    eventually("two seconds without a wake-up", SOON, || {
        let before = usage();
        std::thread::sleep(Duration::from_secs(2));
        (usage().since(before).wake_ups == 0).then_some(())
    });
}

#[test]
fn a_console_that_nobody_looks_at_costs_at_most_a_mebibyte_of_memory() {
    // Enough of it to fill the recorder's rings.
    const CHUNKS: usize = 1024;
    let used = |has_console| {
        let (folder, server) = (folder(), Server::start());
        let setup = Setup::new(folder.path()).link(1, server.port()).packing(0);
        let setup = if has_console { setup.console() } else { setup };
        let daemon = setup.start();
        let (line, peer) = (daemon.line(), server.accept(SOON));
        for _ in 0..CHUNKS {
            line.send(&[b'x'; 1024]);
            peer.receive(1024, SOON);
            peer.send(b"answer");
            line.receive(6, SOON);
        }
        daemon.rss_anon_kib()
    };
    let (without, with) = (used(false), used(true));
    assert!(with <= without + 1024, "{without} KiB without, {with} with");
}
