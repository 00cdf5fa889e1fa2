//! A client that says exactly what a test wants it to say.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use dtu_console::{Config, Console, Handle, Recorder};
use dtu_proto::config::Config as DeviceConfig;
use serde_json::Value;
use tempfile::TempDir;

use crate::device::Fake;

pub(crate) struct Stage {
    pub(crate) console: Option<Handle>,
    pub(crate) device: Arc<Fake>,
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) state: TempDir,
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self::with(|_| {}, Fake::new(DeviceConfig::default()))
    }

    pub(crate) fn with(change: impl FnOnce(&mut Config), device: Fake) -> Self {
        let state = tempfile::tempdir().unwrap();
        let (device, recorder) = (Arc::new(device), Arc::new(Recorder::default()));
        let mut config = Config {
            listen: "127.0.0.1:0".parse().unwrap(),
            explicit: true,
            state: Some(state.path().to_owned()),
            ..Config::default()
        };
        change(&mut config);
        let console = Console::spawn(config, device.clone(), Some(recorder.clone())).unwrap();
        Self {
            console: Some(console),
            device,
            recorder,
            state,
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.console.as_ref().unwrap().address()
    }

    pub(crate) fn send(&self, request: &[u8]) -> Reply {
        let mut stream = self.connect();
        stream.write_all(request).unwrap();
        Reply::read(&mut stream)
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address()).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        stream
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        self.get_with(path, "")
    }

    /// `more`: header lines, each with its end.
    pub(crate) fn get_with(&self, path: &str, more: &str) -> Reply {
        let host = self.address();
        let host = if more.to_ascii_lowercase().starts_with("host:") {
            String::new()
        } else {
            format!("Host: {host}\r\n")
        };
        self.send(
            format!("GET {path} HTTP/1.1\r\n{host}{more}Connection: close\r\n\r\n").as_bytes(),
        )
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Reply {
        self.post_with(path, body, &format!("X-CSRF: {}\r\n", self.csrf()))
    }

    pub(crate) fn post_with(&self, path: &str, body: &Value, more: &str) -> Reply {
        let (host, body) = (self.address(), body.to_string());
        let length = body.len();
        self.send(
            format!(
                "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n\
                 Content-Length: {length}\r\n{more}Connection: close\r\n\r\n{body}"
            )
            .as_bytes(),
        )
    }

    /// Of programs of this user.
    pub(crate) fn csrf(&self) -> String {
        self.get("/api/session").json()["csrf"]
            .as_str()
            .unwrap()
            .to_owned()
    }
}

#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn read(stream: &mut TcpStream) -> Self {
        let mut bytes = Vec::new();
        // A console that has said enough may close with bytes unread.
        let _ = stream.read_to_end(&mut bytes);
        Self::parse(&bytes)
    }

    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
            return Self {
                status: 0,
                head: String::new(),
                body: bytes.to_vec(),
            };
        };
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|word| word.parse().ok())
            .unwrap_or(0);
        let mut reply = Self {
            status,
            head,
            body: bytes[end + 4..].to_vec(),
        };
        if reply.header("transfer-encoding") == Some("chunked") {
            reply.body = unchunk(&reply.body);
        }
        reply
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (own, value) = line.split_once(':')?;
            own.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    #[track_caller]
    pub(crate) fn refused(&self, status: u16, word: &str) -> String {
        assert_eq!(
            (self.status, self.json()["error"].as_str()),
            (status, Some(word)),
            "{}",
            self.text()
        );
        self.json()["message"].as_str().unwrap().to_owned()
    }

    #[track_caller]
    pub(crate) fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text());
        self.json()
    }
}

fn unchunk(mut bytes: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = bytes.windows(2).position(|two| two == b"\r\n") {
        let length = std::str::from_utf8(&bytes[..end]).unwrap();
        let Ok(length) = usize::from_str_radix(length, 16) else {
            break;
        };
        let Some(chunk) = bytes.get(end + 2..end + 2 + length) else {
            break;
        };
        body.extend_from_slice(chunk);
        bytes = bytes.get(end + 4 + length..).unwrap_or_default();
    }
    body
}
