//! A serial server on the network as the line: raw bytes over one TCP connection.

use std::io;
use std::task::{Context, Poll};

use dtu_proto::config::Protocol;
use dtu_proto::event::Connect;

use crate::connect::{self, Attempt, Route};
use crate::port::Port;

pub(super) struct Server {
    target: Connect,
    attempt: Option<Attempt>,
    route: Route,
}

/// Bytes that a serial server may take from its line before this end hears of it: it opens a window that was shut by a
/// segment at least (RFC 9293 3.8.6.2.2), and acknowledges every other one.
pub(super) fn lump(port: &Port) -> u32 {
    socket2::SockRef::from(port)
        .tcp_mss()
        .map_or(0, |segment| segment.saturating_mul(2))
}

impl Server {
    pub(super) fn new(address: String, port: u16) -> Self {
        Self {
            target: Connect {
                protocol: Protocol::Tcp,
                address,
                port,
                local_port: 0,
                tls: false,
            },
            attempt: None,
            route: Route::default(),
        }
    }

    /// Begins an attempt, or goes on with it.
    pub(super) fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Port>> {
        let attempt = self.attempt.get_or_insert_with(|| {
            Box::pin(connect::connect(self.target.clone(), self.route.clone()))
        });
        let done = std::task::ready!(attempt.as_mut().poll(cx));
        self.attempt = None;
        Poll::Ready(match done {
            Ok(established) => Ok(established.port),
            Err(failure) => Err(io::Error::other(failure.text)),
        })
    }
}
