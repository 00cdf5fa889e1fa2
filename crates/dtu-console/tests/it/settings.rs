//! Settings by AT: read, check, apply on trial and for good, keep, take back, files.

use std::io::Write as _;
use std::sync::mpsc;
use std::time::Duration;

use dtu_proto::config::Config;
use serde_json::{Value, json};
use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber, span};

use crate::client::Stage;
use crate::device::Fake;

fn running(stage: &Stage, key: &str) -> Value {
    stage.get("/api/settings").ok()["values"][key]["running"].clone()
}

#[test]
fn the_schema_has_fields_ranges_and_words_in_two_languages() {
    let stage = Stage::new();
    let schema = stage.get("/api/schema").ok();
    let groups = schema["groups"].as_array().unwrap();
    let links = groups.iter().find(|group| group["id"] == "links").unwrap();
    let command = &links["commands"][0];
    assert_eq!(command["name"], "CIPSCONT");
    assert_eq!(command["indices"], json!(["1", "2", "3", "4"]));
    let start = command["fields"].as_array().unwrap().last().unwrap();
    assert_eq!(start["key"], "CIPSCONT.1.START");
    assert_eq!(
        start["choices"][1],
        json!({ "value": "1", "word": "used", "word_zh": "启用" })
    );
    let commands = stage.get("/api/commands").ok();
    let cfg = commands
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["name"] == "AT+CIPCFG")
        .unwrap();
    assert_eq!(cfg["parameters"][1]["name"], "HEAT");
    assert!(!cfg["help_zh"].as_str().unwrap().is_empty());
}

#[test]
fn a_draft_is_checked_in_the_device_s_own_words() {
    let stage = Stage::new();
    let values = json!({ "CIPCFG.HEAT": "99999", "CIPR": 9600, "NOTHING": "1" });
    let checked = stage.post("/api/check", &json!({ "values": values })).ok();
    let faults = checked["faults"].as_array().unwrap();
    assert_eq!(faults.len(), 2, "{checked}");
    assert_eq!(faults[0]["key"], "CIPCFG.HEAT");
    assert_eq!(
        faults[0]["message"],
        "CIPCFG: HEAT must be 0..=65535, got 99999"
    );
    assert_eq!(
        faults[0]["message_zh"],
        "CIPCFG:HEAT 必须为 0..=65535，收到 99999"
    );
    assert_eq!(faults[1]["key"], "NOTHING");

    let values = json!({ "CIPCFG.HEAT": "60", "CIPSW": "pump8", "CIPSCONT.1.START": "1" });
    let checked = stage.post("/api/check", &json!({ "values": values })).ok();
    assert_eq!(checked["faults"], json!([]), "{checked}");
    let text = checked.to_string();
    assert!(!text.contains("pump8"), "{text}");
    let lines = checked["lines"].as_array().unwrap();
    assert_eq!(lines.len(), 3, "{text}");
    let heat = &checked["changes"]
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["key"] == "CIPCFG.HEAT")
        .unwrap();
    assert_eq!((&heat["from"], &heat["to"]), (&json!("30"), &json!("60")));
    let all = json!({ "links": 1, "frames": 5 });
    assert_eq!(
        checked["cost"],
        json!({ "on_trial": all, "at_once": all }),
        "a link is changed"
    );

    let values = json!({ "CIPCFG.HEAT": "60" });
    let checked = stage.post("/api/check", &json!({ "values": values })).ok();
    let none = json!({ "links": 0, "frames": 0 });
    assert_eq!(
        checked["cost"],
        json!({ "on_trial": none, "at_once": all }),
        "without a trial the device restarts"
    );
}

#[test]
fn values_are_applied_for_good_stored_and_read_back() {
    let stage = Stage::new();
    let values =
        json!({ "CIPSCONT.1.ADDRESS": "data.example.com", "CIPSW": "pump8", "CIPCFG.HEAT": 61 });
    let applied = stage
        .post("/api/apply", &json!({ "values": values, "confirm": null }))
        .ok();
    assert_eq!(applied["outcome"], "done", "{applied}");
    assert_eq!(applied["not_verifiable"], json!(["CIPSW"]));
    assert!(!applied.to_string().contains("pump8"), "{applied}");
    assert_eq!(running(&stage, "CIPSCONT.1.ADDRESS"), "data.example.com");
    let restarts = stage.device.with_line(|line| line.bench.power.len());
    assert_eq!(restarts, 1);
    let again = stage.post("/api/apply", &json!({ "values": values })).ok();
    // A password cannot be compared, so it is set again.
    assert_eq!(again["outcome"], "done");
    let values = json!({ "CIPCFG.HEAT": "061" });
    let again = stage.post("/api/apply", &json!({ "values": values })).ok();
    assert_eq!(again["outcome"], "nothing");
}

#[test]
fn an_apply_on_trial_goes_back_by_itself() {
    let stage = Stage::new();
    let values = json!({ "CIPCFG.HEAT": "77", "CIPSCONT.2.ADDRESS": "b.example" });
    let applied = stage
        .post("/api/apply", &json!({ "values": values, "confirm": 60 }))
        .ok();
    assert_eq!(applied["outcome"], "trial", "{applied}");
    assert_eq!(applied["trial"]["id"], 1);
    assert_eq!(running(&stage, "CIPCFG.HEAT"), "77");
    let second = json!({ "values": { "CIPCFG.HEAT": "78" }, "confirm": 60 });
    let refused = stage.post("/api/apply", &second);
    let words = refused.refused(409, "trial");
    assert!(words.contains("s left"), "{words}");
    assert_eq!(refused.json()["trial"]["id"], 1);
    assert_eq!(stage.get("/api/trial").ok()["trial"]["id"], 1);
    stage.device.with_line(|line| {
        line.bench.wait(61_000);
    });
    assert_eq!(stage.get("/api/trial").ok(), json!({ "trial": null }));
    assert_eq!(running(&stage, "CIPCFG.HEAT"), "30");
    assert_eq!(running(&stage, "CIPSCONT.2.ADDRESS"), "usrcn.gicp.net");
    stage
        .post("/api/keep", &json!({ "id": 1 }))
        .refused(409, "trial");
}

#[test]
fn a_trial_is_kept_or_taken_back_by_its_number() {
    let stage = Stage::new();
    let try_heat = |heat: &str| {
        let applied = stage
            .post(
                "/api/apply",
                &json!({ "values": { "CIPCFG.HEAT": heat }, "confirm": 120 }),
            )
            .ok();
        assert_eq!(applied["outcome"], "trial", "{applied}");
        applied["trial"]["id"].clone()
    };
    let id = try_heat("77");
    stage
        .post("/api/keep", &json!({ "id": 99 }))
        .refused(409, "trial");
    stage.post("/api/keep", &json!({ "id": id })).ok();
    stage.post("/api/restart", &json!({})).ok();
    assert_eq!(running(&stage, "CIPCFG.HEAT"), "77");
    let id = try_heat("88");
    assert_eq!(running(&stage, "CIPCFG.HEAT"), "88");
    stage.post("/api/rollback", &json!({ "id": id })).ok();
    assert_eq!(running(&stage, "CIPCFG.HEAT"), "77");
}

#[test]
fn what_was_set_before_and_not_stored_is_named_with_a_change() {
    let stage = Stage::new();
    let at = |line: &str| stage.post("/api/at", &json!({ "line": line })).ok();
    let settings = stage.get("/api/settings").ok();
    for (key, value) in settings["values"].as_object().unwrap() {
        let running = &value["running"];
        assert!(
            running.is_null() || *running == value["stored"],
            "{key}: {value}"
        );
    }
    // One is applied, one is not; none is stored.
    at("AT+CIPNUM=13800138000");
    at("AT+CIAPPLY");
    at("AT+CIPCFG=1,45,0,100,10,1800");
    stage.get("/api/settings").ok();
    let along = |values: &Value| {
        let checked = stage.post("/api/check", &json!({ "values": values })).ok();
        checked["along"].clone()
    };
    assert_eq!(
        along(&json!({ "CIPSW": "pump8" })),
        json!({ "on_trial": ["CIPCFG.HEAT"], "at_once": ["CIPCFG.HEAT", "CIPNUM"] })
    );
    let change = json!({ "CIPCFG.HEAT": "50" });
    assert_eq!(
        along(&change),
        json!({ "on_trial": [], "at_once": ["CIPNUM"] })
    );
    let values = json!({ "CIPCFG.TIME": "200" });
    let body = json!({ "values": values, "confirm": 60 });
    let applied = stage.post("/api/apply", &body).ok();
    let id = applied["trial"]["id"].clone();
    stage.post("/api/rollback", &json!({ "id": id })).ok();
    assert_eq!(running(&stage, "CIPCFG.HEAT"), "30");
    assert_eq!(running(&stage, "CIPNUM"), "13800138000");
}

#[test]
fn what_was_stored_since_the_last_reading_is_not_named_any_more() {
    let stage = Stage::new();
    let at = |line: &str| stage.post("/api/at", &json!({ "line": line })).ok();
    let along = || {
        let draft = json!({ "values": { "CIPCFG.HEAT": "50" } });
        stage.post("/api/check", &draft).ok()["along"].clone()
    };
    at("AT+CIPNUM=13800138000");
    stage.get("/api/settings").ok();
    let one = json!({ "on_trial": ["CIPNUM"], "at_once": ["CIPNUM"] });
    assert_eq!(along(), one);
    at("ATW");
    assert_eq!(along(), json!({ "on_trial": [], "at_once": [] }));
}

#[test]
fn what_is_not_told_has_a_word_and_a_sentence_in_both_languages() {
    let stage = Stage::new();
    let unread = stage.get("/api/settings").ok()["unread"].clone();
    let password = unread.as_array().unwrap().iter();
    let mut password = password.filter(|it| it["group"] == "CIPSW");
    assert_eq!(
        password.next().unwrap(),
        &json!({ "group": "CIPSW", "why": "no_read_form", "message": "no reply tells it",
            "message_zh": "没有应答返回该值" })
    );
}

#[test]
fn a_request_ends_when_the_device_takes_longer_than_it_says() {
    let mut device = Fake::new(Config::default());
    device.patience = Duration::from_millis(300);
    let stage = Stage::with(|_| {}, device);
    assert_eq!(
        stage.get("/api/session").ok()["patience"],
        11,
        "with the turn and what is asked beside, rounded up"
    );
    let (said, heard) = mpsc::channel();
    tracing::subscriber::set_global_default(Ear(said)).unwrap();
    let held = stage.device.hold();
    let reply = stage.post("/api/save", &json!({}));
    let words = reply.refused(504, "device");
    assert!(words.contains("and goes on"), "{words}");
    // The end of what it began is in the log.
    drop(held);
    let end = heard.recv_timeout(Duration::from_secs(30)).unwrap();
    assert!(end.ends_with("it has ended: it is done"), "{end}");
}

/// Hears when nobody waits for the end of a request any more.
struct Ear(mpsc::Sender<String>);

struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}

impl Subscriber for Ear {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut message = Message(String::new());
        event.record(&mut message);
        if message.0.contains("nobody waits") {
            let _ = self.0.send(message.0);
        }
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

/// What the device refuses only together with the rest leaves nothing behind.
#[test]
fn a_refused_apply_leaves_the_old_values() {
    let stage = Stage::new();
    let values = json!({ "CIPCFG.HEAT": "77", "CINETPT.1": "5000", "CINETPT.2": "5000" });
    for confirm in [json!(null), json!(60)] {
        let applied = stage
            .post(
                "/api/apply",
                &json!({ "values": values, "confirm": confirm }),
            )
            .ok();
        assert_eq!(applied["outcome"], "put_back", "{applied}");
        assert!(
            applied["failure"].as_str().unwrap().contains("CINETPT"),
            "{applied}"
        );
        assert!(
            applied["failure_zh"].as_str().unwrap().contains("本地端口"),
            "{applied}"
        );
        let steps = applied["steps_zh"].as_array().unwrap();
        assert_eq!(steps.last().unwrap(), "恢复原值", "{applied}");
        assert_eq!(steps.len(), applied["steps"].as_array().unwrap().len());
        assert_eq!(running(&stage, "CIPCFG.HEAT"), "30");
        assert_eq!(running(&stage, "CINETPT.1"), "0");
    }
    let body = json!({ "values": { "CIPCFG.HEAT": "1" }, "confirm": 5 });
    stage.post("/api/apply", &body).refused(400, "bad");
    let body = json!({ "values": { "CIPCFG.HEAT": "x" } });
    assert_eq!(stage.post("/api/apply", &body).json()["key"], "CIPCFG.HEAT");
}

#[test]
fn a_change_builds_on_what_was_read() {
    let stage = Stage::new();
    let first = stage.get("/api/settings");
    let tag = first.header("etag").unwrap().to_owned();
    assert_eq!(tag.trim_matches('"'), first.json()["etag"]);
    stage
        .post(
            "/api/at",
            &json!({ "line": "AT+CIPCFG=1,45,0,100,10,1800" }),
        )
        .ok();
    let csrf = stage.csrf();
    let more = format!("X-CSRF: {csrf}\r\nIf-Match: {tag}\r\n");
    let body = json!({ "values": { "CIPCFG.HEAT": "50" } });
    let reply = stage.post_with("/api/apply", &body, &more);
    reply.refused(412, "changed");
    let all = reply.json();
    assert_eq!(all["mine"]["CIPCFG.HEAT"], "50");
    assert_eq!(all["theirs"]["CIPCFG.HEAT"], "45");
    assert_eq!(all["base"]["CIPCFG.HEAT"], "30");
    let tag = stage
        .get("/api/settings")
        .header("etag")
        .unwrap()
        .to_owned();
    let more = format!("X-CSRF: {csrf}\r\nIf-Match: {tag}\r\n");
    assert_eq!(
        stage.post_with("/api/apply", &body, &more).ok()["outcome"],
        "done"
    );
}

#[test]
fn settings_go_out_and_come_in_as_files() {
    let stage = Stage::new();
    stage
        .post(
            "/api/at",
            &json!({ "line": "AT+CSTT=internet,meter,top5ecret" }),
        )
        .ok();
    for format in ["toml", "json", "at"] {
        let file = stage.post("/api/export", &json!({ "format": format }));
        assert_eq!(file.status, 200);
        assert!(
            file.header("content-disposition")
                .unwrap()
                .starts_with("attachment")
        );
        assert!(!file.text().contains("top5ecret"), "{}", file.text());
        let draft = import(&stage, &file.text());
        assert_eq!(draft["fault"], Value::Null, "{format}: {draft}");
        assert_eq!(draft["values"]["CIPCFG.HEAT"], "30", "{format}");
        let checked = stage
            .post("/api/check", &json!({ "values": draft["values"] }))
            .ok();
        assert_eq!(checked["changes"], json!([]), "{format}");
    }
    let draft = import(&stage, "CIPR = 9600\nCIPX = 1\n");
    assert_eq!(draft["fault"]["line"], 2);
    assert_eq!(draft["fault"]["column"], 1);
}

fn import(stage: &Stage, text: &str) -> Value {
    let (host, csrf, length) = (stage.address(), stage.csrf(), text.len());
    let request = format!(
        "POST /api/import HTTP/1.1\r\nHost: {host}\r\nX-CSRF: {csrf}\r\nContent-Type: text/plain\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n{text}"
    );
    stage.send(request.as_bytes()).ok()
}

#[test]
fn a_tag_that_cannot_be_read_is_no_state_of_this_device() {
    let stage = Stage::new();
    let more = format!("X-CSRF: {}\r\nIf-Match: \"\u{e9}\"\r\n", stage.csrf());
    let body = json!({ "values": { "CIPCFG.HEAT": 30 } });
    stage
        .post_with("/api/apply", &body, &more)
        .refused(412, "changed");
}

#[test]
fn more_values_than_a_device_has_are_refused() {
    let stage = Stage::new();
    let many: Value = (0..1001)
        .map(|n| (format!("K{n}"), Value::from(n)))
        .collect::<serde_json::Map<_, _>>()
        .into();
    for path in ["/api/check", "/api/apply"] {
        let words = stage
            .post(path, &json!({ "values": many }))
            .refused(400, "bad");
        assert!(words.contains("at most 1000 values"), "{words}");
    }
    let fault = |text: &str| {
        import(&stage, text)["fault"]["message"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert!(fault(&many.to_string()).contains("K0 is no setting"));
    let lines = "AT+CIPR=9600\n".repeat(1001);
    // It is over with the second line: the kinds of command are fewer than a file may have keys.
    assert!(
        fault(&lines).contains("CIPR is given twice"),
        "{}",
        fault(&lines)
    );
    let long = format!("AT+CIMODID={}\n", "x".repeat(1 << 19));
    assert!(
        fault(&long).contains("at most 1024 bytes"),
        "{}",
        fault(&long)
    );
}

#[test]
fn a_long_file_that_is_read_keeps_nobody_waiting() {
    let stage = Stage::new();
    const MANY: usize = 20;
    // A list of half a million numbers is no value, but that is known only when it has been read.
    let text = format!("CIPR = [{}]", "1,".repeat(500_000));
    let (host, csrf, length) = (stage.address(), stage.csrf(), text.len());
    let mut slow = stage.connect();
    let head = format!(
        "POST /api/import HTTP/1.1\r\nHost: {host}\r\nX-CSRF: {csrf}\r\nContent-Type: text/plain\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    slow.write_all(head.as_bytes()).unwrap();
    slow.write_all(text.as_bytes()).unwrap();
    slow.set_nonblocking(true).unwrap();
    let is_answered = || slow.peek(&mut [0]).is_ok();
    // A question or two may come before the last part of the file; who comes behind that waits, or does not.
    let mut answers = 0;
    while !is_answered() && answers < MANY {
        assert_eq!(stage.get("/healthz").text(), "ok\n");
        answers += usize::from(!is_answered());
    }
    assert_eq!(answers, MANY, "the file was read in front of a question");
    slow.set_nonblocking(false).unwrap();
    let reply = crate::client::Reply::read(&mut slow).ok();
    assert!(
        reply["fault"]["message"]
            .as_str()
            .unwrap()
            .contains("a list"),
        "{reply}"
    );
}

#[test]
fn save_restart_and_factory_are_orders_of_their_own() {
    let stage = Stage::new();
    stage
        .post(
            "/api/at",
            &json!({ "line": "AT+CIPCFG=1,45,0,100,10,1800" }),
        )
        .ok();
    stage.post("/api/restart", &json!({})).ok();
    assert_eq!(running(&stage, "CIPCFG.HEAT"), "30", "not stored");
    stage
        .post(
            "/api/at",
            &json!({ "line": "AT+CIPCFG=1,45,0,100,10,1800" }),
        )
        .ok();
    stage.post("/api/save", &json!({})).ok();
    stage.post("/api/restart", &json!({})).ok();
    assert_eq!(running(&stage, "CIPCFG.HEAT"), "45");
    stage.post("/api/factory", &json!({})).ok();
    assert_eq!(running(&stage, "CIPCFG.HEAT"), "30");
}

#[test]
fn a_device_without_trials_says_so() {
    let mut device = Fake::new(Config::default());
    device.features.confirm = false;
    let stage = Stage::with(|_| {}, device);
    let body = json!({ "values": { "CIPCFG.HEAT": "1" }, "confirm": 60 });
    let words = stage.post("/api/apply", &body).refused(400, "bad");
    assert!(words.contains("without confirm"), "{words}");
    assert_eq!(stage.get("/api/trial").ok(), json!({ "trial": null }));
    let body = json!({ "values": { "CIPCFG.HEAT": "60" } });
    let cost = stage.post("/api/check", &body).ok()["cost"].clone();
    let all = json!({ "links": 1, "frames": 5 });
    assert_eq!(cost, json!({ "on_trial": null, "at_once": all }));
}

/// The page keeps in the browser only what comes back as it was typed.
#[test]
fn an_at_line_comes_back_without_its_secret() {
    let stage = Stage::new();
    let line = |line: &str| {
        let reply = stage.post("/api/at", &json!({ "line": line })).ok();
        reply["line"].as_str().unwrap().to_owned()
    };
    assert_eq!(line("AT+CSQ;+CIPSW=pump8"), "AT+CSQ;+CIPSW=****");
    assert_eq!(line("at+csq"), "at+csq");
}

#[test]
fn an_at_line_is_one_line() {
    let stage = Stage::new();
    for line in ["", "  ", "AT\r\nATW", "AT\u{0}"] {
        stage
            .post("/api/at", &json!({ "line": line }))
            .refused(400, "bad");
    }
    let long = "A".repeat(1025);
    stage
        .post("/api/at", &json!({ "line": long }))
        .refused(400, "bad");
    let reply = stage
        .post("/api/at", &json!({ "line": "AT+CIPCFG=9" }))
        .ok();
    assert!(reply["end"].as_str().unwrap().contains("CIPCFG"), "{reply}");
}
