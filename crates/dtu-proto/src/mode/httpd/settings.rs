//! The settings in force, read once.

use alloc::vec::Vec;

use crate::config::HttpdConfig;
use crate::time::Duration;
use crate::wire::http::{self, HeadLine, Request, Server};

/// The settings, as typed and as they are used.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Settings {
    typed: HttpdConfig,
    read: Option<Read>,
}

#[derive(Debug, PartialEq, Eq)]
struct Read {
    server: Server,
    url: Vec<u8>,
    lines: Vec<HeadLine>,
}

impl Settings {
    pub(super) fn new(typed: &HttpdConfig) -> Self {
        Self {
            typed: typed.clone(),
            read: Read::new(typed),
        }
    }

    /// The server; `None` = the settings cannot be used. AT commands let none through that cannot, but a host can.
    pub(super) fn server(&self) -> Option<&Server> {
        self.read.as_ref().map(|read| &read.server)
    }

    /// What carries frames.
    pub(super) fn request(&self) -> Option<Request<'_>> {
        let Read { server, url, lines } = self.read.as_ref()?;
        Some(Request {
            method: self.typed.method,
            server,
            url,
            lines,
        })
    }

    pub(super) fn timeout(&self) -> Duration {
        Duration::from_secs(u64::from(self.typed.timeout.max(1)))
    }

    /// Whether the head of an answer is kept from the serial line.
    pub(super) const fn filters(&self) -> bool {
        self.typed.filter
    }
}

impl Read {
    fn new(typed: &HttpdConfig) -> Option<Self> {
        Some(Self {
            server: http::server(&typed.server, typed.port).ok()?,
            url: http::url(&typed.url).ok()?,
            lines: http::head_lines(&typed.head).ok()?,
        })
    }
}
