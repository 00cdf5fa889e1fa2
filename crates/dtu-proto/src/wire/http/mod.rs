//! HTTP/1.1 as the HTTPD client speaks it (RFC 9110, RFC 9112): a [`Request`] becomes bytes, bytes become an [`Answer`].
//!
//! The user's head lines go out to the byte, which no client library does; the answer is taken in as it comes, however
//! its bytes are cut into reads, and its body is handed on without being collected.
//!
//! ```
//! use dtu_proto::wire::http::{Answer, Method, Request, Step, head_lines, server, url};
//!
//! let (to, target) = (server("test.usr.cn", 80)?, url("/1.php[3F]")?);
//! let lines = head_lines("Accept:text/html")?;
//! let request = Request { method: Method::Get, server: &to, url: &target, lines: &lines }.encode(b"data=12345\r\n");
//! assert_eq!(
//!     request,
//!     b"GET /1.php?data=12345 HTTP/1.1\r\nAccept:text/html\r\nHost: test.usr.cn\r\nConnection: keep-alive\r\n\r\n"
//! );
//!
//! let mut answer = Answer::new();
//! let mut read: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[1234\r\n2\r\n5]\r\n0\r\n\r\n";
//! let mut body = Vec::new();
//! loop {
//!     match answer.step(&mut read)? {
//!         Step::More => panic!("the answer is whole"),
//!         Step::Head => assert_eq!(answer.status(), Some(200)),
//!         Step::Body(bytes) => body.extend_from_slice(bytes),
//!         Step::End => break,
//!     }
//! }
//! assert_eq!(body, b"[12345]");
//! assert!(answer.may_go_on());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod answer;
mod bytes;
mod chunks;
mod fault;
mod framing;
mod request;
mod setting;
#[cfg(test)]
mod tests;

pub use answer::{Answer, Step};
pub use fault::{FIELDS_MAX, Fault, HEAD_MAX};
pub use request::{Method, Request};
pub use setting::{HeadLine, Server, SettingError, URL_MAX, head_lines, server, url};
