//! The HTTP server, which answers one request at a time, and how the device's connection to it is judged.

use std::collections::VecDeque;

use cellular_sim::Rng;
use dtu_proto::config::Protocol;
use dtu_proto::event::{CloseReason, Connect, SocketId};

use crate::http::{self, End, Request, Response};
use crate::world::socket::{SocketEvent, State};
use crate::world::{Rule, World};
use crate::{MS, SEC};

/// The server's side.
#[derive(Debug, Default)]
pub(in crate::world) struct HttpServer {
    inbox: Vec<u8>,
    plan: VecDeque<http::Piece>,
    end: Option<(End, u16)>,
}

impl World {
    pub(in crate::world) fn http_may_connect(&self, connect: &Connect) -> Result<(), String> {
        let style = &self.scenario.modes.http;
        let set = (Protocol::Tcp, style.host.as_str(), style.port, 0, style.tls);
        let is = (
            connect.protocol,
            connect.address.as_str(),
            connect.port,
            connect.local_port,
            connect.tls,
        );
        if is != set {
            return Err(format!(
                "the HTTPD client connects to {is:?}, set is {set:?}"
            ));
        }
        if self.ledger.http.waiting() == 0 {
            return Err("the HTTPD client connects though nothing waits".to_owned());
        }
        Ok(())
    }

    pub(in crate::world) fn http_connected(&mut self) {
        self.ledger.http.connected();
        self.http_server = HttpServer::default();
    }

    pub(in crate::world) fn http_send(&mut self, bytes: &[u8]) -> Result<(), String> {
        let read = self.sockets[SocketId::Httpd.index()].read;
        self.ledger
            .http
            .send(bytes, &self.scenario.modes.http, read)
    }

    /// Bytes come to the server. It answers one request at a time.
    pub(in crate::world) fn http_receives(&mut self, bytes: &[u8]) {
        if self.sockets[SocketId::Httpd.index()].is_closed {
            return;
        }
        self.http_server.inbox.extend_from_slice(bytes);
        let taken = match http::take_request(&self.http_server.inbox) {
            Ok(None) => return,
            Ok(Some(taken)) => taken,
            Err(text) => {
                return self
                    .break_rule(Rule::Requests, format!("the server cannot read it: {text}"));
            }
        };
        let (request, len) = taken;
        self.http_server.inbox.drain(..len);
        let arrived = self.ledger.http.arrives(&request);
        self.hold(Rule::Requests, arrived);
        self.sum.requests += 1;
        self.server_thinks(&request);
    }

    fn server_thinks(&mut self, request: &Request) {
        let style = self.scenario.modes.http.clone();
        let socket = &mut self.sockets[SocketId::Httpd.index()];
        let length = socket.rng.size(0, style.body_max);
        let body = body(&mut self.peer_position, length);
        let Response {
            pieces,
            end,
            status,
        } = http::draw_response(
            &mut socket.rng,
            &body,
            style.filter,
            request.closes(),
            style.faults,
        );
        self.http_server.plan = pieces.into();
        self.http_server.end = Some((end, status));
        self.server_goes_on();
    }

    fn server_goes_on(&mut self) {
        let think = self.scenario.modes.http.think;
        let wait = self.sockets[SocketId::Httpd.index()]
            .rng
            .range(1, think.max(2));
        self.socket_after(SocketId::Httpd, wait, SocketEvent::Peer);
    }

    /// The next piece of an answer, or its end, or the end of a connection that is idle.
    pub(in crate::world) fn server_acts(&mut self) {
        let socket = &mut self.sockets[SocketId::Httpd.index()];
        if socket.state != State::Up || socket.is_closed {
            return;
        }
        let at_once = socket.rng.chance(60);
        while let Some(piece) = self.http_server.plan.pop_front() {
            socket.queue(piece.bytes, piece.print, false);
            if !at_once && !self.http_server.plan.is_empty() {
                self.plan_socket_read(SocketId::Httpd);
                return self.server_goes_on();
            }
        }
        self.server_ends();
        self.plan_socket_read(SocketId::Httpd);
    }

    fn server_ends(&mut self) {
        let socket = &mut self.sockets[SocketId::Httpd.index()];
        let impatience = self.scenario.modes.http.impatience;
        let wait = socket.rng.range(1, 50) * MS;
        match self.http_server.end.map(|(end, _)| end) {
            Some(End::Close | End::AtClose | End::Cut) => socket.is_closed = true,
            Some(End::Reset) => {
                self.socket_after(SocketId::Httpd, wait, SocketEvent::Down(CloseReason::Reset));
            }
            Some(End::Silent | End::Broken) => {}
            Some(End::Keep) | None if socket.rng.chance(impatience) => {
                let wait = socket.rng.wait(10 * SEC);
                self.socket_after(SocketId::Httpd, wait, SocketEvent::HangUp);
            }
            Some(End::Keep) | None => {}
        }
    }

    /// Whether the server may close: it is not amid an answer.
    pub(in crate::world) const fn server_is_idle(&self) -> bool {
        self.http_server.end.is_none()
    }

    /// The device has the next bytes of an answer. Before it sees them.
    pub(in crate::world) fn http_read(&mut self) {
        let socket = &self.sockets[SocketId::Httpd.index()];
        let all = socket.inbound_bytes == 0 && self.http_server.plan.is_empty();
        let Some((end, status)) = self.http_server.end.filter(|_| all) else {
            return;
        };
        if matches!(end, End::Keep | End::Close) {
            self.http_server.end = None;
            self.sum.answers += 1;
            self.recoveries[SocketId::Httpd.index()].succeeds();
            self.ledger.http.answered(status, end == End::Keep);
        }
    }

    /// The device orders the end.
    pub(in crate::world) fn http_closing(&mut self) {
        self.http_server.end = None;
        let read = self.sockets[SocketId::Httpd.index()].read;
        self.ledger.http.closing(read);
    }

    pub(in crate::world) fn http_closed(&mut self, acked: u64, reason: CloseReason) {
        let read = self.sockets[SocketId::Httpd.index()].read;
        let all = self.sockets[SocketId::Httpd.index()].inbound_bytes == 0
            && self.http_server.plan.is_empty();
        if let Some((End::AtClose, status)) = self.http_server.end
            && all
            && reason == CloseReason::PeerClosed
        {
            self.sum.answers += 1;
            self.recoveries[SocketId::Httpd.index()].succeeds();
            self.ledger.http.answered(status, false);
        }
        self.http_server.end = None;
        self.ledger.http.closed(acked, read);
    }
}

/// The next bytes of all bodies.
pub(in crate::world) fn body(position: &mut u64, len: usize) -> Vec<u8> {
    (0..len)
        .map(|_| {
            *position += 1;
            0x80 | Rng::new(*position).word().to_le_bytes()[2]
        })
        .collect()
}
