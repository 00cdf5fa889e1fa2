//! One of the connections of the mode, and the destination that has it at the moment.

use alloc::collections::VecDeque;
use alloc::string::{String, ToString};
use bytes::Bytes;
use core::net::Ipv4Addr;

use crate::config::{DropPolicy, LinkConfig, LinkOptions, Protocol, Role};
use crate::cx::Cx;
use crate::event::{LinkDownReason, SocketId};
use crate::net::queue::Fate;
use crate::net::{Link, MOVES_FOR, News};
use crate::status::DestinationStatus;
use crate::time::{Duration, Instant};
use crate::wire::command_frame::{CommandFrame, Host};

/// A destination that takes nothing for so long, while another one does, stops the line no longer.
const MOVES_BESIDE: Duration = Duration::from_secs(1);

/// A slot.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) link: Link,
    peer: Peer,
    /// What a short connection waits where the frame does not say it.
    idle: Duration,
    /// The packets that the link has, oldest first.
    pub(super) given: VecDeque<u64>,
    pub(super) used_at: Instant,
    /// When the last packet was delivered, or the first one of those that wait was given.
    pub(super) progress_at: Instant,
    /// When the last packet was delivered.
    pub(super) delivered_at: Option<Instant>,
    /// A packet of it was dropped, or it could not be reached: until it takes one again it paces nobody.
    lags: bool,
}

#[derive(Debug, PartialEq, Eq)]
struct Peer {
    protocol: Protocol,
    /// Not set where it is a name.
    ip: Option<Ipv4Addr>,
    address: String,
    port: u16,
}

impl Peer {
    fn of(frame: &CommandFrame<'_>) -> Self {
        let ip = match frame.host {
            Host::Ip(ip) => Some(ip),
            Host::Name(_) => None,
        };
        Self {
            protocol: frame.protocol,
            ip,
            address: frame.host.to_string(),
            port: frame.port,
        }
    }

    fn is_of(&self, frame: &CommandFrame<'_>) -> bool {
        let same_host = match frame.host {
            Host::Ip(ip) => self.ip == Some(ip),
            Host::Name(name) => self.ip.is_none() && self.address.eq_ignore_ascii_case(name),
        };
        same_host && self.port == frame.port && self.protocol == frame.protocol
    }

    fn settings(&self) -> LinkConfig {
        LinkConfig {
            protocol: self.protocol,
            address: self.address.clone(),
            port: self.port,
            enabled: true,
            local_port: 0,
            role: Role::Always,
        }
    }
}

impl Slot {
    /// A slot for the destination of this frame. What waits in all slots together is bounded elsewhere.
    pub(super) fn new(
        socket: SocketId,
        options: &LinkOptions,
        frame: &CommandFrame<'_>,
        cx: &mut Cx<'_>,
    ) -> Self {
        let own = LinkOptions {
            drop_policy: DropPolicy::Block,
            spool: false,
            // mutant: destination-backoff
            expect_registration: None,
            expect_heartbeat: None,
            ..options.clone()
        };
        let mut slot = Self {
            link: Link::new(socket, own),
            peer: Peer::of(frame),
            idle: options.short_link_idle,
            given: VecDeque::new(),
            used_at: cx.now,
            progress_at: cx.now,
            delivered_at: None,
            lags: false,
        };
        slot.link.aim(slot.peer.settings(), cx);
        slot.link.start(cx);
        slot
    }

    /// The slot goes to the destination of this frame.
    pub(super) fn retarget(&mut self, frame: &CommandFrame<'_>, cx: &mut Cx<'_>) {
        self.peer = Peer::of(frame);
        self.lags = false;
        self.link.aim(self.peer.settings(), cx);
    }

    pub(super) fn is_for(&self, frame: &CommandFrame<'_>) -> bool {
        self.peer.is_of(frame)
    }

    /// Takes a packet of its destination.
    pub(super) fn give(
        &mut self,
        id: u64,
        packet: &Bytes,
        frame: &CommandFrame<'_>,
        cx: &mut Cx<'_>,
    ) {
        let wait = Duration::from_secs(u64::from(frame.wait));
        self.link
            .keep_open(frame.long, if wait.is_zero() { self.idle } else { wait });
        if self.given.is_empty() {
            self.progress_at = cx.now;
        }
        self.used_at = cx.now;
        self.given.push_back(id);
        let end = packet.len() - 1;
        self.link
            .push_numbered(id, packet.slice(end - frame.data.len()..end), cx);
    }

    /// The next packet that the link is done with, and what became of it.
    pub(super) fn next_done(&mut self, now: Instant) -> Option<Fate> {
        let fate = self.link.next_fate()?;
        self.given.pop_front();
        if matches!(fate, Fate::Delivered(_)) {
            self.progress_at = now;
            self.delivered_at = Some(now);
            self.lags = false;
        }
        Some(fate)
    }

    /// Something happens to its link. An attempt to reach it that was in vain is noted.
    pub(super) fn works(&mut self, work: impl FnOnce(&mut Link) -> News) {
        let was_up = self.link.is_up();
        self.lags |= work(&mut self.link).down && !was_up;
    }

    /// Until when the destination counts as one that takes packets, where any one last took one at `last`; `None` =
    /// nothing waits for it, or it does not.
    pub(super) fn moves_until(&self, last: Option<Instant>) -> Option<Instant> {
        let acked_until = self.link.moves_until().unwrap_or_default();
        let until = acked_until.max(self.progress_at + MOVES_FOR);
        // Another one has gone on since: the line does not wait for this one as it would for the only one.
        let is_behind = last.is_some_and(|last| last + MOVES_FOR > until);
        let less = if is_behind {
            MOVES_FOR - MOVES_BESIDE
        } else {
            Duration::ZERO
        };
        let until = Instant::ZERO + until.since(Instant::ZERO).saturating_sub(less);
        (!self.given.is_empty() && !self.lags).then_some(until)
    }

    /// Whether packets wait that the destination does not take.
    pub(super) fn is_stalled(&self, now: Instant, last: Option<Instant>) -> bool {
        !self.given.is_empty() && self.moves_until(last).is_none_or(|until| until <= now)
    }

    /// Lets go of the oldest packet that no socket has.
    pub(super) fn drop_first(&mut self) -> Option<u64> {
        let id = self.link.first_to_drop()?;
        self.lags = true;
        self.link.drop_first();
        if let Ok(index) = self.given.binary_search(&id) {
            self.given.remove(index);
        }
        Some(id)
    }

    pub(super) fn has(&self, id: u64) -> bool {
        self.given.binary_search(&id).is_ok()
    }

    /// Lets go of a packet. False: the socket has it; the connection ends, and tells whether it arrived.
    pub(super) fn give_up(&mut self, id: u64, cx: &mut Cx<'_>) -> bool {
        if self.link.drop_numbered(id).is_err() {
            self.link.close(LinkDownReason::NoAnswer, cx);
            return false;
        }
        if let Ok(index) = self.given.binary_search(&id) {
            self.given.remove(index);
        }
        true
    }

    /// Lets go of all packets.
    pub(super) fn empty(&mut self) -> VecDeque<u64> {
        self.link.empty();
        core::mem::take(&mut self.given)
    }

    pub(super) fn status(&self) -> DestinationStatus {
        let link = self.link.status();
        DestinationStatus {
            protocol: self.peer.protocol,
            address: self.peer.address.clone(),
            port: self.peer.port,
            state: link.state,
            last_down: link.last_down,
            waiting_packets: link.waiting_frames,
        }
    }
}
