//! What the HTTPD client is set to (manual 2.1.3).

use alloc::borrow::ToOwned;
use alloc::string::String;

pub use crate::wire::http::Method;

/// The settings of mode 3, as typed. What they mean, and which are refused: [`crate::wire::http`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpdConfig {
    /// `HTPTP`: how a frame travels.
    pub method: Method,
    /// `HTPSV`: name or address of the server, `http://` or `https://` in front allowed.
    pub server: String,
    /// `HTPSV`: its port.
    pub port: u16,
    /// `HTPURL`: the request target in front of the frame, `[3F]` for a byte.
    pub url: String,
    /// `HTPHD`: head lines, divided by `||` or `[0D][0A]`.
    pub head: String,
    /// `HTPTO`: seconds without a byte of the server that end a request, 1..=600.
    pub timeout: u16,
    /// `HTPFLT`: the head of the answer does not go to the serial line.
    pub filter: bool,
}

impl Default for HttpdConfig {
    fn default() -> Self {
        Self {
            method: Method::Get,
            server: "test.usr.cn".to_owned(),
            port: 80,
            url: "/1.php?".to_owned(),
            head: "Accept:text/html".to_owned(),
            timeout: 10,
            filter: true,
        }
    }
}
