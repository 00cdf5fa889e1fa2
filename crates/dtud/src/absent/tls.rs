//! In the place of `tls` where the feature is left out: no session begins, and the reason says why.

use std::convert::Infallible;
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::task::{Context, Poll};

use dtu_proto::event::CloseReason;

use crate::port::Port;
use crate::settings::Http;
use crate::words::plain;

#[derive(Clone, Debug, Default)]
pub(crate) struct Client;

impl Client {
    pub(crate) fn new(_extra_root: Option<PathBuf>) -> Self {
        Self
    }

    #[expect(clippy::unused_async, reason = "the one with TLS waits")]
    pub(crate) async fn prepare(&self) -> io::Result<()> {
        Err(missing())
    }

    #[expect(clippy::unused_async, reason = "the one with TLS waits")]
    pub(crate) async fn shake_hands(&self, _name: &str, _port: &mut Port) -> io::Result<Session> {
        Err(missing())
    }
}

pub(crate) fn check(settings: &Http) -> Result<(), String> {
    match settings.extra_root {
        Some(_) => Err(missing().to_string()),
        None => Ok(()),
    }
}

/// There is none.
#[derive(Debug)]
pub(crate) struct Session(Infallible);

impl Session {
    pub(crate) fn poll_read(
        &mut self,
        _port: &mut Port,
        _cx: &mut Context<'_>,
        _buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        match self.0 {}
    }

    pub(crate) fn poll_write(
        &mut self,
        _port: &mut Port,
        _cx: &mut Context<'_>,
        _first: &[u8],
        _second: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.0 {}
    }

    pub(crate) fn close_notify(&mut self, _port: &mut Port, _cx: &mut Context<'_>) {
        match self.0 {}
    }

    pub(crate) const fn is_over(&self) -> bool {
        match self.0 {}
    }

    pub(crate) const fn wire(&self) -> u64 {
        match self.0 {}
    }

    pub(crate) const fn acknowledged(&mut self, _wire: u64) -> u64 {
        match self.0 {}
    }
}

pub(crate) fn reason(error: &io::Error) -> Option<CloseReason> {
    (error.kind() == ErrorKind::Unsupported).then_some(CloseReason::Tls)
}

pub(crate) fn in_words(error: &io::Error) -> String {
    plain(error)
}

fn missing() -> io::Error {
    io::Error::new(
        ErrorKind::Unsupported,
        "this build has no TLS (feature \"tls\")",
    )
}
