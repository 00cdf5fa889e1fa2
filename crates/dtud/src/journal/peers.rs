//! What the log says of connections: each cause once, and a reminder while one stays down.

use dtu_proto::config::Protocol;
use dtu_proto::event::{CloseReason, Connect, LinkDownReason, SOCKETS, SocketId};
use dtu_proto::time::Instant;
use tracing::{debug, info, warn};

use super::{REMINDER, STEADY};
use crate::socket::{Contact, SocketEvent};
use crate::words::{Count, Span};

/// All connections.
#[derive(Debug, Default)]
pub(super) struct Peers([Peer; SOCKETS]);

#[derive(Debug, Default)]
struct Peer {
    /// Where it goes.
    target: String,
    contact: Contact,
    up_at: Option<Instant>,
    outage: Option<Outage>,
    /// The last connection ended as it should: the next one like it is no news.
    ordinary: bool,
}

/// From the first failure until a connection has lasted a while.
#[derive(Debug)]
struct Outage {
    since: Instant,
    /// When something was last said of it.
    said_at: Instant,
    attempts: u64,
    connections: u64,
    /// The causes that were told.
    told: Vec<LinkDownReason>,
}

impl Outage {
    const fn begin(now: Instant) -> Self {
        Self {
            since: now,
            said_at: now,
            attempts: 0,
            connections: 0,
            told: Vec::new(),
        }
    }

    /// Whether this cause is news; it is no more.
    fn is_new(&mut self, reason: LinkDownReason) -> bool {
        let new = !self.told.contains(&reason);
        if new {
            self.told.push(reason);
        }
        new
    }
}

impl Peers {
    /// The device orders a connection to there.
    pub(super) fn connecting(&mut self, socket: SocketId, target: &Connect) {
        let kind = match (target.protocol, target.tls) {
            (Protocol::Udp, _) => "UDP",
            (Protocol::Tcp, false) => "TCP",
            (Protocol::Tcp, true) => "TLS",
        };
        let text = format!("{kind} {}:{}", target.address, target.port);
        let peer = &mut self.0[socket.index()];
        debug!("{socket}: connects to {text}");
        if peer.target != text {
            *peer = Peer {
                target: text,
                ..Peer::default()
            };
        }
    }

    /// Called with all news of a socket, before the device has them.
    pub(super) fn on_socket(&mut self, socket: SocketId, news: &SocketEvent, contact: &Contact) {
        if !matches!(
            news,
            SocketEvent::Connected { .. } | SocketEvent::Closed { .. }
        ) {
            return;
        }
        let peer = &mut self.0[socket.index()];
        if let (Some(_), Some(old), Some(new)) = (peer.up_at, peer.contact.peer, contact.peer)
            && old != new
        {
            info!(
                "{socket}: {} has another address, {new} in place of {old}",
                peer.target
            );
        }
        peer.contact.clone_from(contact);
    }

    /// The other end of the last connection, for a line about it.
    pub(super) fn address(&self, socket: SocketId) -> String {
        let peer = self.0[socket.index()].contact.peer;
        peer.map_or_else(|| "its peer".to_owned(), |peer| peer.to_string())
    }

    /// The device starts over: what goes on after it is news.
    pub(super) fn begin_anew(&mut self) {
        self.0.iter_mut().for_each(|peer| peer.ordinary = false);
    }

    pub(super) fn up(&mut self, socket: SocketId, now: Instant) {
        let peer = &mut self.0[socket.index()];
        peer.up_at = Some(now);
        let address = peer.address();
        let ordinary = std::mem::take(&mut peer.ordinary);
        match &mut peer.outage {
            None if ordinary => debug!("{socket}: up, {address}"),
            None => info!("{socket}: up, {address}"),
            Some(outage) => {
                outage.connections += 1;
                let lasted = Span(now.since(outage.since));
                let attempts = Count(outage.attempts + 1, "attempt");
                if outage.connections == 1 {
                    info!("{socket}: up again after {lasted} and {attempts}, {address}");
                } else {
                    debug!("{socket}: up, {address}");
                }
            }
        }
    }

    pub(super) fn down(
        &mut self,
        socket: SocketId,
        reason: LinkDownReason,
        was_up: bool,
        now: Instant,
    ) {
        let peer = &mut self.0[socket.index()];
        let up_at = peer.up_at.take();
        if up_at.is_some_and(|up_at| now.since(up_at) >= STEADY) {
            peer.outage = None;
        }
        if is_ordinary(socket, reason, was_up) {
            // A connection beside the links is closed by this device behind an answer, a link at its end only.
            peer.ordinary =
                was_up && (reason != LinkDownReason::Ordered || socket.link().is_none());
            peer.outage = None;
            if was_up && reason == LinkDownReason::Ordered && matches!(socket, SocketId::Link(_)) {
                info!("{socket}: closed by this device (new settings, restart or stop)");
            } else {
                debug!("{socket}: closed: {reason}");
            }
            return;
        }
        let outage = peer.outage.get_or_insert_with(|| Outage::begin(now));
        let cause = cause(reason, was_up, &peer.contact);
        outage.attempts += u64::from(!was_up);
        if outage.is_new(reason) {
            outage.said_at = now;
            match up_at {
                Some(up_at) => warn!("{socket}: lost after {}: {cause}", Span(now.since(up_at))),
                None => warn!(
                    "{socket}: no connection to {}: {cause}; it is tried again",
                    peer.target
                ),
            }
        } else if now.since(outage.said_at) >= REMINDER {
            outage.said_at = now;
            let lasts = Span(now.since(outage.since));
            let attempts = Count(outage.attempts, "attempt");
            if outage.connections == 0 {
                warn!("{socket}: down for {lasts}: {cause}, {attempts}");
            } else {
                let connections = Count(outage.connections, "connection");
                warn!("{socket}: unsteady for {lasts}: {cause}; {connections}, {attempts} failed");
            }
        } else {
            debug!("{socket}: down: {cause}");
        }
    }

    /// What became steady again after it had come and gone.
    pub(super) fn fire(&mut self, now: Instant) {
        for socket in SocketId::ALL {
            let peer = &mut self.0[socket.index()];
            let is_due = peer.steady_at().is_some_and(|at| at <= now);
            if let Some(outage) = peer.outage.take_if(|_| is_due) {
                let lasted = Span(now.since(outage.since).saturating_sub(STEADY));
                let connections = Count(outage.connections, "connection");
                info!("{socket}: steady again after {lasted}, {connections}");
            }
        }
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.0.iter().filter_map(Peer::steady_at).min()
    }
}

impl Peer {
    fn address(&self) -> String {
        match self.contact.peer {
            // A name; what it means today is worth a word.
            Some(peer) if !self.target.ends_with(&format!(" {peer}")) => {
                format!("{} ({peer})", self.target)
            }
            Some(_) | None => self.target.clone(),
        }
    }

    /// When a connection of which nothing was said has lasted long enough to say that it stands.
    fn steady_at(&self) -> Option<Instant> {
        self.outage
            .as_ref()
            .filter(|outage| outage.connections > 1)?;
        Some(self.up_at? + STEADY)
    }
}

/// What ends in good order. Between requests, or when a short connection has nothing to say, that is no news at all.
fn is_ordinary(socket: SocketId, reason: LinkDownReason, was_up: bool) -> bool {
    match reason {
        LinkDownReason::Ordered | LinkDownReason::Idle => true,
        LinkDownReason::Network(CloseReason::PeerClosed) => was_up && socket.link().is_none(),
        LinkDownReason::Network(_)
        | LinkDownReason::HeartbeatFailed
        | LinkDownReason::ReplyMissing
        | LinkDownReason::NoAnswer
        | LinkDownReason::HostSilent => false,
    }
}

/// Why, in words. What the socket knows of a failed attempt says more than the device's reason, and all of it.
fn cause(reason: LinkDownReason, was_up: bool, contact: &Contact) -> String {
    match (reason, was_up, contact.trouble.as_str()) {
        (LinkDownReason::Network(_), false, trouble) if !trouble.is_empty() => trouble.to_owned(),
        (LinkDownReason::Network(_), true, trouble) if !trouble.is_empty() => {
            format!("{reason}: {trouble}")
        }
        _ => reason.to_string(),
    }
}
