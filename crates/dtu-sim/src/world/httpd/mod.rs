//! The HTTPD client (mode 3) against a server: the ledger of its requests, and the server itself.
//!
//! A request is judged when it is handed to the socket (right frame, right bytes, not sent before unless it may be)
//! and again when the server reads it (each frame at most once). What must be printed of an answer is known, for the
//! server wrote it.

mod ledger;
mod server;

pub(super) use ledger::HttpLedger;
pub(super) use server::{HttpServer, body};
