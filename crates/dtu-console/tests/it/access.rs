//! Who may do what.

use std::net::TcpListener;

use dtu_console::password::{self, Who};
use dtu_console::{Config, Console};
use dtu_proto::config::Config as DeviceConfig;
use serde_json::{Value, json};

use crate::client::{Reply, Stage};
use crate::device::Fake;
use crate::live::{Events, record};

/// What makes a request one from elsewhere: somebody stands between.
const ELSEWHERE: &str = "X-Forwarded-For: 192.0.2.7\r\n";

/// With a password for both.
fn with_passwords() -> Stage {
    let stage = Stage::new();
    password::set(stage.state.path(), Who::Owner, Some("correct horse")).unwrap();
    password::set(stage.state.path(), Who::Viewer, Some("only looking")).unwrap();
    stage
}

fn login(stage: &Stage, password: &str) -> Reply {
    stage.post_with("/api/login", &json!({ "password": password }), ELSEWHERE)
}

/// Somebody who has logged in: header lines for reads and for writes.
fn session(stage: &Stage, password: &str) -> (String, String) {
    let reply = login(stage, password);
    let csrf = reply.ok()["csrf"].as_str().unwrap().to_owned();
    let cookie = reply
        .header("set-cookie")
        .unwrap()
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    let reads = format!("{ELSEWHERE}Cookie: other=1; {cookie}\r\n");
    (reads.clone(), format!("{reads}X-CSRF: {csrf}\r\n"))
}

const READS: [&str; 11] = [
    "/api/status",
    "/api/schema",
    "/api/settings",
    "/api/trial",
    "/api/commands",
    "/api/rows",
    "/api/log",
    "/api/traffic.pcapng",
    "/api/messages",
    "/api/openapi.json",
    "/metrics",
];
const WRITES: [&str; 15] = [
    "/api/check",
    "/api/apply",
    "/api/keep",
    "/api/rollback",
    "/api/save",
    "/api/restart",
    "/api/factory",
    "/api/export",
    "/api/import",
    "/api/at",
    "/api/inject",
    "/api/sms",
    "/api/call",
    "/api/hangup",
    "/api/logout",
];

#[test]
fn the_own_user_comes_without_log_in() {
    let stage = Stage::new();
    let session = stage.get("/api/session").ok();
    assert_eq!(session["who"], "local");
    assert_eq!(session["login"], false);
    assert_eq!(session["features"]["radio"], "sim");
    assert_eq!(stage.get("/api/status").ok()["mode"]["number"], 0);
    let reply = stage.post("/api/at", &json!({ "line": "AT+CIPR?" })).ok();
    assert_eq!(
        reply,
        json!({ "line": "AT+CIPR?", "lines": ["+CIPR: 115200"], "end": "OK", "ok": true })
    );
    let settings = stage.get("/api/settings").ok();
    assert_eq!(
        settings["values"]["CIPR"]["running"], "115200",
        "{settings}"
    );
}

#[test]
fn others_log_in_first() {
    let stage = with_passwords();
    let session = stage.get_with("/api/session", ELSEWHERE).ok();
    assert_eq!(
        (&session["who"], &session["login"]),
        (&Value::Null, &json!(true))
    );
    for path in READS {
        stage.get_with(path, ELSEWHERE).refused(401, "login");
    }
    let csrf = stage.csrf();
    for path in WRITES {
        let more = format!("{ELSEWHERE}X-CSRF: {csrf}\r\n");
        stage
            .post_with(path, &json!({}), &more)
            .refused(401, "login");
    }
    assert_eq!(stage.get_with("/", ELSEWHERE).status, 200);
    assert_eq!(stage.get_with("/healthz", ELSEWHERE).status, 200);
}

#[test]
fn the_owner_logs_in_and_out() {
    let stage = with_passwords();
    login(&stage, "wrong horse").refused(403, "password");
    let reply = login(&stage, "correct horse");
    let cookie = reply.header("set-cookie").unwrap();
    for part in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Secure"), "{cookie}");
    let instance = reply.json()["instance"].as_str().unwrap().to_owned();
    assert!(
        cookie.starts_with(&format!("dtu-console-{instance}=")),
        "{cookie}"
    );

    let (reads, writes) = session(&stage, "correct horse");
    assert_eq!(stage.get_with("/api/session", &reads).ok()["who"], "owner");
    let line = json!({ "line": "AT" });
    assert_eq!(stage.post_with("/api/at", &line, &writes).ok()["end"], "OK");
    stage
        .post_with("/api/at", &line, &reads)
        .refused(403, "csrf");
    let wrong = format!("{reads}X-CSRF: {}\r\n", stage.csrf());
    stage
        .post_with("/api/at", &line, &wrong)
        .refused(403, "csrf");
    let gone = stage.post_with("/api/logout", &json!({}), &writes);
    assert!(gone.header("set-cookie").unwrap().contains("Max-Age=0"));
    stage.get_with("/api/status", &reads).refused(401, "login");
}

#[test]
fn a_viewer_sees_states_and_counts_no_payload_and_changes_nothing() {
    let stage = with_passwords();
    let frame = dtu_console::recorder::Frame {
        of: dtu_console::recorder::Place::Line,
        dir: dtu_console::recorder::Dir::In,
        prefix: b"",
        bytes: b"payload",
        note: "",
        injected: false,
    };
    stage.recorder.frame(1, &frame);
    let (reads, writes) = session(&stage, "only looking");
    for path in [
        "/api/status",
        "/api/schema",
        "/api/commands",
        "/api/trial",
        "/api/rows",
        "/metrics",
    ] {
        assert_eq!(stage.get_with(path, &reads).status, 200, "{path}");
    }
    let rows = stage.get_with("/api/rows", &reads).ok();
    assert_eq!(
        (&rows["rows"][0]["data"], &rows["rows"][0]["len"]),
        (&json!(""), &json!(7))
    );
    // That there was a message, and when; not whose it is, and what it says.
    let owners = stage.get("/api/messages").ok();
    assert_eq!(owners["items"][0]["text"], "42 kWh");
    let messages = stage.get_with("/api/messages", &reads).ok();
    let item =
        json!({ "at": 7, "from": null, "to": null, "text": null, "parts": 1, "state": "received" });
    assert_eq!(messages["items"], json!([item]));
    let call = json!({ "at": 8, "number": null, "state": "ended", "why": "hung up" });
    assert_eq!(messages["calls"], json!([call]));
    assert_eq!(messages["phone"], json!(null));
    for path in ["/api/settings", "/api/log", "/api/traffic.pcapng"] {
        stage.get_with(path, &reads).refused(403, "viewer");
    }
    for path in WRITES.into_iter().filter(|path| *path != "/api/logout") {
        stage
            .post_with(path, &json!({}), &writes)
            .refused(403, "viewer");
    }
    stage.post_with("/api/logout", &json!({}), &writes).ok();
}

#[test]
fn sessions_outlive_the_console_and_end_with_their_password() {
    let mut stage = with_passwords();
    let (reads, _) = session(&stage, "correct horse");
    let (viewer, _) = session(&stage, "only looking");
    for file in ["console-sessions.json", "console-passwords.json"] {
        use std::os::unix::fs::PermissionsExt as _;
        let path = stage.state.path().join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        let token = reads.rsplit('=').next().unwrap().trim();
        assert!(
            !text.contains(token) && !text.contains("correct horse"),
            "{text}"
        );
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
    let address = stage.address();
    drop(stage.console.take());
    let config = Config {
        listen: address,
        explicit: true,
        state: Some(stage.state.path().to_owned()),
        ..Config::default()
    };
    stage.console = Some(Console::spawn(config, stage.device.clone(), None).unwrap());
    assert_eq!(stage.get_with("/api/session", &reads).ok()["who"], "owner");
    password::set(stage.state.path(), Who::Owner, Some("another horse")).unwrap();
    stage.get_with("/api/status", &reads).refused(401, "login");
    assert_eq!(
        stage.get_with("/api/session", &viewer).ok()["who"],
        "viewer"
    );
    assert_eq!(login(&stage, "another horse").status, 200);
}

#[test]
fn a_stream_ends_with_its_session() {
    let stage = with_passwords();
    let (reads, writes) = session(&stage, "correct horse");
    let (other, _) = session(&stage, "correct horse");
    let mut events = Events::open(&stage, "rows", &reads);
    let mut others = Events::open(&stage, "rows", &other);
    events.wait_for("hello");
    others.wait_for("hello");
    stage.post_with("/api/logout", &json!({}), &writes).ok();
    record(&stage, b"not for who has logged out");
    others.wait_for("rows");
    let rest = events.rest();
    assert!(!rest.contains("event: rows"), "{rest}");
}

#[test]
fn a_log_in_has_a_short_body() {
    let stage = with_passwords();
    let body =
        |length: usize| json!({ "password": "x".repeat(length - "{\"password\":\"\"}".len()) });
    let most = stage.post_with("/api/login", &body(4096), ELSEWHERE);
    most.refused(403, "password");
    let more = stage.post_with("/api/login", &body(4097), ELSEWHERE);
    more.refused(413, "long");
}

#[test]
fn a_viewer_s_sessions_push_out_no_owner_s() {
    let stage = with_passwords();
    let (owner, _) = session(&stage, "correct horse");
    let viewers: Vec<String> = (0..33).map(|_| session(&stage, "only looking").0).collect();
    let who = |reads: &str| stage.get_with("/api/session", reads).ok()["who"].clone();
    assert_eq!(who(&owner), "owner");
    assert_eq!(who(&viewers[0]), Value::Null, "the oldest of its kind goes");
    assert_eq!(who(&viewers[1]), "viewer");
    assert_eq!(who(&viewers[32]), "viewer");
}

#[test]
fn a_password_that_root_sets_is_the_folder_owner_s_to_read() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
    let folder = tempfile::tempdir().unwrap();
    // Only root can give a folder away.
    if chown(folder.path(), Some(65_533), Some(65_533)).is_err() {
        return;
    }
    password::set(folder.path(), Who::Owner, Some("correct horse")).unwrap();
    let file = std::fs::metadata(folder.path().join("console-passwords.json")).unwrap();
    assert_eq!((file.uid(), file.gid()), (65_533, 65_533));
    assert_eq!(file.permissions().mode() & 0o777, 0o600);
}

/// Who stands between may have gone by the other one.
#[test]
fn two_hosts_or_origins_are_none() {
    let stage = Stage::new();
    let host = format!("Host: {}\r\n", stage.address());
    let origin = format!("Origin: http://{}\r\n", stage.address());
    for path in [
        "/",
        "/healthz",
        "/api/session",
        "/api/status",
        "/api/events",
        "/metrics",
    ] {
        for twice in [
            format!("{host}{host}"),
            format!("{host}Host: evil.example\r\n"),
            format!("Host: evil.example\r\n{host}"),
            format!("{host}{origin}{origin}"),
            format!("{host}{origin}Origin: null\r\n"),
        ] {
            let words = stage.get_with(path, &twice).refused(400, "bad");
            assert!(words.starts_with("a request has one "), "{words}");
        }
    }
    let once = format!("{host}{origin}");
    assert_eq!(stage.get_with("/api/status", &once).status, 200);
}

#[test]
fn a_console_is_known_by_its_names_only() {
    let stage = Stage::with(
        |config| config.hosts = vec!["DTU.example.com".to_owned()],
        Fake::new(DeviceConfig::default()),
    );
    let port = stage.address().port();
    let own = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let own = own.trim();
    for host in [
        own.to_owned(),
        format!("{own}.local:{port}"),
        "localhost".to_owned(),
        format!("LOCALHOST:{port}"),
        "127.0.0.1:9999".to_owned(),
        "dtu.example.com".to_owned(),
        "dtu.example.com.:80".to_owned(),
    ] {
        let reply = stage.get_with("/api/status", &format!("Host: {host}\r\n"));
        assert_eq!(reply.status, 200, "{host}: {}", reply.text());
    }
    for host in [
        "evil.example",
        "127.0.0.2",
        "[::1]",
        "192.0.2.1:7200",
        "localhost.evil.example",
        "dtu.example.co",
        &format!("{own}.lan"),
        "",
    ] {
        for path in [
            "/",
            "/healthz",
            "/metrics",
            "/api/session",
            "/api/events",
            "/nothing",
            "/assets/x/app.js",
        ] {
            let reply = stage.get_with(path, &format!("Host: {host}\r\n"));
            let words = reply.refused(421, "host");
            assert!(words.contains("console.hosts"), "{words}");
        }
    }
}

#[test]
fn pages_of_other_origins_do_nothing() {
    let stage = Stage::new();
    let (csrf, address) = (stage.csrf(), stage.address());
    let line = json!({ "line": "AT" });
    let send = |more: &str| {
        let more = format!("X-CSRF: {csrf}\r\n{more}\r\n");
        (
            stage.post_with("/api/at", &line, &more),
            stage.get_with("/api/rows", &more),
        )
    };
    for right in [
        format!("Origin: http://{address}"),
        "Sec-Fetch-Site: same-origin".to_owned(),
    ] {
        let (write, read) = send(&right);
        assert_eq!((write.status, read.status), (200, 200), "{right}");
    }
    for wrong in [
        "Origin: null".to_owned(),
        "Origin: http://evil.example".to_owned(),
        format!("Origin: http://127.0.0.1:{}", address.port() ^ 1),
        format!("Origin: https://{address}.evil.example"),
        "Origin: file://".to_owned(),
        "Sec-Fetch-Site: cross-site".to_owned(),
        "Sec-Fetch-Site: same-site".to_owned(),
    ] {
        let (write, read) = send(&wrong);
        write.refused(403, "origin");
        read.refused(403, "origin");
        stage
            .get_with("/api/events", &format!("{wrong}\r\n"))
            .refused(403, "origin");
        let body = json!({ "password": "x" });
        stage
            .post_with("/api/login", &body, &format!("{wrong}\r\n"))
            .refused(403, "origin");
        // A link of another site may lead to the page; a page of another origin reads not even that.
        if wrong.starts_with("Origin") {
            for path in READS.into_iter().chain([
                "/",
                "/healthz",
                "/api/session",
                "/nothing",
                "/assets/x/app.js",
            ]) {
                stage
                    .get_with(path, &format!("{wrong}\r\n"))
                    .refused(403, "origin");
            }
        } else {
            assert_eq!(stage.get_with("/", &format!("{wrong}\r\n")).status, 200);
        }
    }
}

#[test]
fn writes_need_the_token_and_json() {
    let stage = Stage::new();
    for path in WRITES {
        stage.post_with(path, &json!({}), "").refused(403, "csrf");
        stage
            .post_with(path, &json!({}), "X-CSRF: 0\r\n")
            .refused(403, "csrf");
    }
    let (host, csrf) = (stage.address(), stage.csrf());
    let form = format!(
        "POST /api/restart HTTP/1.1\r\nHost: {host}\r\nX-CSRF: {csrf}\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 2\r\n\r\n{{}}"
    );
    stage.send(form.as_bytes()).refused(415, "type");
    assert_eq!(stage.device.with_line(|line| line.bench.power.len()), 0);
}

#[test]
fn every_answer_says_what_pages_may_do() {
    let stage = Stage::new();
    for path in ["/", "/api/status", "/nothing", "/api/settings"] {
        let reply = stage.get(path);
        let policy = reply.header("content-security-policy").unwrap();
        for part in [
            "default-src 'none'",
            "script-src 'self'",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(reply.header("referrer-policy"), Some("no-referrer"));
    }
    assert_eq!(
        stage.get("/api/status").header("cache-control"),
        Some("no-store")
    );
}

#[test]
fn the_page_is_asked_for_anew_and_its_parts_are_kept() {
    let stage = Stage::new();
    let page = stage.get("/");
    assert_eq!(page.header("cache-control"), Some("no-cache"));
    let tag = page.header("etag").unwrap().to_owned();
    let again = stage.get_with("/", &format!("If-None-Match: {tag}\r\n"));
    assert_eq!((again.status, again.body.len()), (304, 0));
    let packed = stage.get_with("/", "Accept-Encoding: br, gzip\r\n");
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    assert_eq!(packed.body[..2], [0x1F, 0x8B]);
    let text = page.text();
    let hash = tag.trim_matches('"');
    let from = text.find("assets/").expect("the page loads something");
    let path = text[from..].split('"').next().unwrap();
    assert!(path.starts_with(&format!("assets/{hash}/")), "{path}");
    let part = stage.get(&format!("/{path}"));
    assert_eq!(
        part.header("cache-control"),
        Some("public, max-age=31536000, immutable")
    );
    let old = stage.get(&format!("/{}", path.replace(hash, "0123456789abcdef")));
    assert_eq!(
        (old.status, old.header("cache-control")),
        (200, Some("no-store"))
    );
    stage.get("/assets/x/nothing.js").refused(404, "missing");
    stage
        .get("/assets/x/../../Cargo.toml")
        .refused(404, "missing");
}

#[test]
fn only_proxies_that_are_named_are_believed() {
    let stage = Stage::with(
        |config| {
            config.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
            config.base = "/dtu".to_owned();
            config.hosts = vec!["gateway.example".to_owned()];
        },
        Fake::new(DeviceConfig::default()),
    );
    password::set(stage.state.path(), Who::Owner, Some("correct horse")).unwrap();
    // What comes through a proxy is nobody's own, whoever runs the proxy.
    assert_eq!(stage.get("/api/session").ok()["who"], Value::Null);
    let more = "X-Forwarded-For: 10.0.0.1, 192.0.2.7\r\nX-Forwarded-Proto: https\r\n\
                X-Forwarded-Host: gateway.example\r\nOrigin: https://gateway.example\r\n";
    let reply = stage.post_with(
        "/dtu/api/login",
        &json!({ "password": "correct horse" }),
        more,
    );
    assert_eq!(reply.ok()["who"], "owner");
    let cookie = reply.header("set-cookie").unwrap();
    assert!(
        cookie.contains("Path=/dtu;") && cookie.contains("; Secure"),
        "{cookie}"
    );
    let other = more.replace("gateway.example\r\nOrigin", "evil.example\r\nOrigin");
    stage
        .post_with("/api/login", &json!({ "password": "x" }), &other)
        .refused(421, "host");
    // Guesses are counted for the one behind the proxy.
    for _ in 0..5 {
        stage
            .post_with("/api/login", &json!({ "password": "wrong horse" }), more)
            .refused(403, "password");
    }
    let reply = stage.post_with("/api/login", &json!({ "password": "correct horse" }), more);
    reply.refused(429, "guessing");
    assert!(reply.json()["retry_after"].as_u64().unwrap() > 200);
    let other = more.replace("192.0.2.7", "192.0.2.8");
    assert_eq!(
        stage
            .post_with(
                "/api/login",
                &json!({ "password": "correct horse" }),
                &other
            )
            .status,
        200
    );
}

#[test]
fn a_head_that_anybody_can_write_gives_no_new_guesses() {
    let stage = Stage::new();
    password::set(stage.state.path(), Who::Owner, Some("correct horse")).unwrap();
    let guess = |more: &str| {
        let wrong = json!({ "password": "wrong horse" });
        stage.post_with("/api/login", &wrong, more)
    };
    for _ in 0..5 {
        guess("").refused(403, "password");
    }
    for more in [
        "",
        "Via: x\r\n",
        "Forwarded: for=192.0.2.1\r\n",
        "X-Forwarded-For: 192.0.2.1\r\n",
    ] {
        guess(more).refused(429, "guessing");
    }
}

#[test]
fn metrics_from_elsewhere_need_their_token() {
    let stage = Stage::with(
        |config| config.metrics_token = Some("s3cret".to_owned()),
        Fake::new(DeviceConfig::default()),
    );
    let get = |more: &str| stage.get_with("/metrics", &format!("{ELSEWHERE}{more}"));
    get("").refused(401, "login");
    get("Authorization: Bearer s3cre\r\n").refused(401, "login");
    assert_eq!(get("Authorization: Bearer s3cret\r\n").status, 200);
    let status = stage.get_with(
        "/api/status",
        &format!("{ELSEWHERE}Authorization: Bearer s3cret\r\n"),
    );
    status.refused(401, "login");
    assert_eq!(stage.get("/metrics").status, 200);
}

#[test]
fn a_public_address_needs_a_password_and_tls() {
    let state = tempfile::tempdir().unwrap();
    let mut config = Config {
        listen: "0.0.0.0:7200".parse().unwrap(),
        state: Some(state.path().to_owned()),
        ..Config::default()
    };
    let words = config.check().unwrap_err();
    assert!(
        words.contains("`dtud console-password` sets one"),
        "{words}"
    );
    password::set(state.path(), Who::Owner, Some("correct horse")).unwrap();
    let words = config.check().unwrap_err();
    assert!(words.contains("console.insecure"), "{words}");
    config.insecure = true;
    assert_eq!(config.check(), Ok(()));
    config.listen = "[::1]:7200".parse().unwrap();
    config.insecure = false;
    assert_eq!(config.check(), Ok(()));
    assert!(password::set(state.path(), Who::Owner, Some("short")).is_err());
}

#[test]
fn the_usual_port_gives_way_and_one_that_was_asked_for_does_not() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap();
    let device = std::sync::Arc::new(Fake::new(DeviceConfig::default()));
    let config = Config {
        listen,
        ..Config::default()
    };
    let other = Console::spawn(config.clone(), device.clone(), None).unwrap();
    assert!(other.address().port() > listen.port());
    assert_eq!(other.url(), format!("http://{}/", other.address()));
    let explicit = Config {
        explicit: true,
        ..config
    };
    let error = Console::spawn(explicit, device, None).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
    assert!(error.to_string().contains(&listen.to_string()), "{error}");
}
