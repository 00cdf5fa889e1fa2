//! `ui`: the web console for a device on a port, or behind one of its links.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::common::SOON;
use crate::device::Device;
use crate::program::{dtuctl, on};
use crate::schema;

/// A console that runs; ended when dropped.
struct Ui {
    child: Child,
    page: Page,
}

/// A web console.
pub(crate) struct Page {
    address: String,
    csrf: String,
}

impl Ui {
    fn start(device: &Device) -> Self {
        let port = device.port().display().to_string();
        Self::spawn(crate::program::command(&["--port", &port]))
    }

    fn spawn(mut dtuctl: Command) -> Self {
        let mut child = dtuctl
            .args(["ui", "--console", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut url = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut url)
            .unwrap();
        let address = url
            .trim()
            .trim_start_matches("http://")
            .trim_end_matches('/')
            .to_owned();
        Self {
            child,
            page: Page::at(address),
        }
    }

    fn get(&self, path: &str) -> Value {
        self.page.get(path)
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        as_json(&self.page.ask("POST", path, &body.to_string()))
    }

    fn end(mut self) -> bool {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        self.child.wait().unwrap().success()
    }
}

impl Page {
    pub(crate) fn at(address: String) -> Self {
        let mut this = Self {
            address,
            csrf: String::new(),
        };
        this.csrf = this.get("session")["csrf"].as_str().unwrap().to_owned();
        this
    }

    fn get(&self, path: &str) -> Value {
        as_json(&self.ask("GET", path, ""))
    }

    /// The settings as a file.
    pub(crate) fn dump(&self) -> String {
        self.ask("POST", "export", r#"{"format":"toml"}"#)
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> String {
        let (host, csrf, length) = (&self.address, &self.csrf, body.len());
        let mut stream = TcpStream::connect(host).unwrap();
        stream.set_read_timeout(Some(SOON * 3)).unwrap();
        let request = format!(
            "{method} /api/{path} HTTP/1.1\r\nHost: {host}\r\nX-CSRF: {csrf}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (_, body) = text.split_once("\r\n\r\n").unwrap();
        body.to_owned()
    }
}

fn as_json(body: &str) -> Value {
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}"))
}

impl Drop for Ui {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_device_on_a_port_is_set_up_by_the_page_and_goes_on_with_its_work() {
    let device = Device::start(&[]);
    let ui = Ui::start(&device);
    let features = ui.get("session")["features"].clone();
    assert_eq!(
        (&features["live"], &features["confirm"], &features["via"]),
        (&json!(false), &json!(true), &json!("port"))
    );
    let status = ui.get("status");
    assert_eq!(
        status["mode"],
        json!({ "number": 0, "word": "transparent" }),
        "{status}"
    );
    assert_eq!(status["links"][0]["port"], 10101, "{status}");
    assert_eq!(status["phase"], "command");
    // No reply tells what is stored.
    assert_eq!(status["not_stored"], Value::Null);
    let document = ui.get("openapi.json");
    for path in ["session", "status", "schema", "settings", "trial"] {
        schema::check(&document, "get", &format!("/api/{path}"), &ui.get(path));
    }

    let applied = ui.post(
        "apply",
        &json!({ "values": { "CIPCFG.HEAT": "77" }, "confirm": 60 }),
    );
    assert_eq!(applied["outcome"], "trial", "{applied}");
    let id = ui.get("trial")["trial"]["id"].clone();
    assert_eq!(ui.post("keep", &json!({ "id": id })), json!({ "ok": true }));
    let refused = ui.post(
        "apply",
        &json!({ "values": { "CIPR": "9600" }, "confirm": 60 }),
    );
    assert!(
        refused["message"]
            .as_str()
            .unwrap()
            .contains("without confirm"),
        "{refused}"
    );
    assert!(ui.end());
    // It is in its data state, and the value is there.
    let kept = on(&device.port(), &["at", "AT+CIPCFG?"]).with(0).out;
    assert!(kept.contains("77"), "{kept}");
}

/// The link that a trial makes anew is the one on which it is kept; one that leads nowhere brings the old settings back.
#[test]
fn a_device_behind_a_link_is_set_up_by_the_page_and_kept_on_the_link_made_anew() {
    let port = crate::via::free_port();
    let device = crate::via::device(port);
    let ui = Ui::spawn(crate::via::via(
        &format!("listen:127.0.0.1:{port}"),
        "pump7",
        &[],
    ));
    let features = ui.get("session")["features"].clone();
    assert_eq!(
        (&features["via"], &features["confirm"], &features["live"]),
        (&json!("network"), &json!(true), &json!(false))
    );
    let status = ui.get("status");
    assert_eq!(status["links"][0]["state"], "connected", "{status}");

    let apply = |key: &str, value: &str, confirm: Option<u32>| {
        ui.post(
            "apply",
            &json!({ "values": { key: value }, "confirm": confirm }),
        )
    };
    let address = || {
        ui.get("settings")["values"]["CIPSCONT.1.ADDRESS"]["running"]
            .as_str()
            .map(str::to_owned)
    };
    let applied = apply("CIPSCONT.1.ADDRESS", "localhost", Some(60));
    assert_eq!(applied["outcome"], "trial", "{applied}");
    let trial = ui.get("trial")["trial"].clone();
    assert_eq!(trial["by"], "link 1", "{trial}");
    let kept = ui.post("keep", &json!({ "id": trial["id"] }));
    assert_eq!(kept, json!({ "ok": true }));
    assert_eq!(address().as_deref(), Some("localhost"));

    // Nobody listens there, so nobody can keep it.
    let nowhere = crate::via::free_port().to_string();
    let applied = apply("CIPSCONT.1.PORT", &nowhere, Some(10));
    assert_eq!(applied["outcome"], "trial", "{applied}");
    let status = ui.get("status");
    assert_eq!(status["links"][0]["port"], port, "it is back: {status}");
    assert_eq!(status["trial"], Value::Null);
    assert_eq!(
        address().as_deref(),
        Some("localhost"),
        "the kept one stays"
    );
    assert!(ui.end());
    drop(device);
}

/// What stands between the device and whoever dials: one client at a time.
struct Relay {
    address: String,
    client: Arc<Mutex<Option<TcpStream>>>,
}

impl Relay {
    fn start(mut device: TcpStream) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let client = Arc::new(Mutex::new(None::<TcpStream>));
        let (of_device, of_clients) = (Arc::clone(&client), Arc::clone(&client));
        let mut to_device = device.try_clone().unwrap();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = device.read(&mut buffer) {
                if let Some(client) = of_device.lock().unwrap().as_mut() {
                    let _ = client.write_all(&buffer[..count]);
                }
            }
        });
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let mut from = client.try_clone().unwrap();
                *of_clients.lock().unwrap() = Some(client);
                // Each read is one write there: a command must not come in pieces.
                let mut buffer = [0; 4096];
                while let Ok(count @ 1..) = from.read(&mut buffer) {
                    to_device.write_all(&buffer[..count]).unwrap();
                }
            }
        });
        Self { address, client }
    }

    /// As a relay that restarts.
    fn drops_its_client(&self) {
        let client = self.client.lock().unwrap().take().unwrap();
        client.shutdown(Shutdown::Both).unwrap();
    }
}

/// A relay that goes away is dialled again, at the next thing that is asked.
#[test]
fn a_device_behind_a_relay_is_set_up_by_the_page() {
    let center = TcpListener::bind("127.0.0.1:0").unwrap();
    let _device = crate::via::device(center.local_addr().unwrap().port());
    let (to_device, _) = center.accept().unwrap();
    let relay = Relay::start(to_device);
    let way = format!("tcp:{}", relay.address);
    let ui = Ui::spawn(crate::via::via(&way, "pump7", &[]));
    let features = ui.get("session")["features"].clone();
    assert_eq!(
        (&features["via"], &features["name"]),
        (&json!("network"), &json!(way))
    );
    let heat = || ui.get("settings")["values"]["CIPCFG.HEAT"].clone();
    assert_eq!(heat()["running"], "30");
    let draft = json!({ "values": { "CIPCFG.HEAT": "77" }, "confirm": null });
    let applied = ui.post("apply", &draft);
    assert_eq!(applied["outcome"], "done", "{applied}");
    relay.drops_its_client();
    assert_eq!(ui.get("status")["links"][0]["state"], "connected");
    assert_eq!(heat()["running"], "77");
    assert!(ui.end());
}

#[test]
fn it_listens_on_this_host_alone() {
    let refused = dtuctl(&["--port", "/dev/null", "ui", "--console", "0.0.0.0:7200"]).with(2);
    assert!(refused.err.contains("ssh -L"), "{}", refused.err);
    let refused = dtuctl(&["--port", "/dev/null", "ui"]).with(1);
    assert!(
        refused.err.contains("/dev/null is not a serial port"),
        "{}",
        refused.err
    );
}
