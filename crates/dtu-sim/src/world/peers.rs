//! Who stands at the far end of a socket: the server of a link, the HTTP server, a destination, the peer of the AT mode.
//! What comes to it is judged by the rules of its working mode.

use dtu_proto::config::WorkingMode;
use dtu_proto::event::{CloseReason, Connect, Payload, SocketId};

use super::{Rule, World};

/// The rule that judges a socket.
fn rule_of(id: SocketId) -> Rule {
    match id {
        SocketId::Link(_) => Rule::Frames,
        SocketId::Httpd => Rule::Requests,
        SocketId::AtMode => Rule::Dialogue,
        SocketId::Destination(_) => Rule::Packets,
    }
}

fn mode_of(id: SocketId) -> WorkingMode {
    match id {
        SocketId::Link(_) => WorkingMode::Transparent,
        SocketId::Httpd => WorkingMode::Httpd,
        SocketId::AtMode => WorkingMode::AtCommand,
        SocketId::Destination(_) => WorkingMode::SerialCommand,
    }
}

impl World {
    pub(super) fn judge_connect(&mut self, id: SocketId, connect: &Connect) {
        let (mode, before) = (self.ledger.applied.mode, self.ledger.before.0);
        let judged = match id {
            SocketId::Link(link) => return self.judge_link_connect(link, connect),
            _ if mode != mode_of(id) && before != mode_of(id) => {
                Err(format!("{id} connects in {mode:?}"))
            }
            SocketId::Httpd => self.http_may_connect(connect),
            SocketId::AtMode => self.at_may_connect(connect),
            SocketId::Destination(_) => self.command_may_connect(id, connect),
        };
        self.hold(rule_of(id), judged);
    }

    pub(super) fn peer_connected(&mut self, id: SocketId) {
        match id {
            SocketId::Link(link) => {
                let is_udp = self.socket(id).is_udp();
                self.ledger.connected(link, is_udp);
                self.peer_will_speak(id);
            }
            SocketId::Httpd => self.http_connected(),
            SocketId::AtMode => self.at_connected(),
            SocketId::Destination(_) => self.command_connected(id),
        }
    }

    pub(super) fn judge_send(&mut self, id: SocketId, payload: &Payload) {
        let bytes = [&payload.prefix[..], &payload.body[..]].concat();
        let judged = match id {
            SocketId::Link(link) => return self.judge_link_send(link, payload),
            SocketId::Httpd => self.http_send(&bytes),
            SocketId::AtMode => self.at_send(&bytes),
            SocketId::Destination(_) => self.command_send(id, &bytes),
        };
        self.hold(rule_of(id), judged);
    }

    /// The device is told that the socket has taken it.
    pub(super) fn send_is_taken(&mut self, id: SocketId) {
        match id {
            SocketId::Link(link) => self.ledger.sent(link),
            SocketId::Httpd => self.ledger.http.sent(),
            SocketId::AtMode => self.at_sent(),
            SocketId::Destination(_) => self.command_sent(id),
        }
    }

    /// The device is told that the peer has acknowledged so many bytes of the connection.
    pub(super) fn acknowledged(&mut self, id: SocketId, bytes: u64) {
        match id {
            SocketId::Link(link) => self.ledger.acknowledged(link, bytes),
            SocketId::Destination(_) => self.command_acked(id, bytes),
            SocketId::Httpd | SocketId::AtMode => {}
        }
    }

    /// The peer has seen what is being sent, and may answer at once.
    pub(super) fn peer_hears(&mut self, id: SocketId, payload: &Payload) {
        if let SocketId::Link(link) = id {
            self.link_server_hears(link, &payload.body);
        }
    }

    /// Bytes of the device come to the peer's program; `upto` counts those of the whole connection.
    pub(super) fn peer_receives(&mut self, id: SocketId, upto: u64, bytes: &[u8]) {
        match id {
            SocketId::Link(link) => self.ledger.arrived(link, upto),
            SocketId::Httpd => self.http_receives(bytes),
            SocketId::AtMode => self.at_receives(bytes),
            SocketId::Destination(_) => self.command_receives(id, upto, bytes),
        }
    }

    pub(super) fn peer_acts(&mut self, id: SocketId) {
        match id {
            SocketId::Link(link) => self.link_server_speaks(link),
            SocketId::Httpd => self.server_acts(),
            SocketId::AtMode | SocketId::Destination(_) => self.peer_speaks(id),
        }
    }

    pub(super) fn may_hang_up(&self, id: SocketId) -> bool {
        id != SocketId::Httpd || self.server_is_idle()
    }

    /// The host has read bytes of the peer, the device gets them now.
    pub(super) fn host_has_read(&mut self, id: SocketId, bytes: &[u8], printed: &[u8]) {
        match id {
            SocketId::Link(link) => return self.take_read(link, bytes),
            SocketId::Httpd => self.http_read(),
            SocketId::AtMode | SocketId::Destination(_) => {}
        }
        if !printed.is_empty() {
            self.ledger.downlink.expect(id, printed);
        }
    }

    /// The device orders the end of a connection that stands.
    pub(super) fn peer_closing(&mut self, id: SocketId) {
        if id == SocketId::Httpd {
            self.http_closing();
        }
    }

    /// Whether nothing waits that the connection would be opened again for.
    pub(super) fn has_nothing_for(&mut self, id: SocketId) -> bool {
        match id {
            SocketId::Link(_) => false,
            SocketId::Httpd => self.ledger.http.waiting() == 0,
            SocketId::AtMode => true,
            SocketId::Destination(_) => self.command_is_idle(id),
        }
    }

    pub(super) fn connection_is_over(&mut self, id: SocketId, acked: u64, reason: CloseReason) {
        match id {
            SocketId::Link(link) => self.ledger.closed(link, acked),
            SocketId::Httpd => self.http_closed(acked, reason),
            SocketId::AtMode => self.at_closed(reason),
            SocketId::Destination(_) => self.command_closed(id, acked),
        }
    }
}
