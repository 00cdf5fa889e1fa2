//! A device in the hub.

use std::net::{IpAddr, SocketAddr};

use crate::alternation::Alternation;
use crate::downlink::Downlink;
use crate::ids::{ConnectionId, Position, SessionEpoch};
use crate::presence::Presence;
use crate::program::SessionKey;
use crate::registry::{DeviceRecord, Rights};
use crate::stream::Stream;
use crate::time::{Duration, Instant};
use crate::timers::Planned;
use crate::topic::Kind;

/// A datagram finds its way back so long.
pub(crate) const UDP_WINDOW: Duration = Duration::from_secs(20);

/// By what a device is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Via {
    /// The connection at this place.
    Tcp(u32),
    /// The address of its last datagram.
    Udp(SocketAddr),
}

/// Who gets something of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sub {
    pub(crate) session: SessionKey,
    pub(crate) kind: Kind,
    pub(crate) acked: bool,
}

/// One device.
#[derive(Debug)]
pub(crate) struct Device {
    pub(crate) record: DeviceRecord,
    /// Places of its accounts in the hub's table, with their rights.
    pub(crate) accounts: Vec<(u32, Rights)>,
    pub(crate) via: Option<Via>,
    /// Of its session, or of its last one.
    pub(crate) epoch: SessionEpoch,
    /// The highest that was asked for.
    pub(crate) claimed: SessionEpoch,
    /// Its last message.
    pub(crate) last: Position,
    sequence: u64,
    /// Who waits for the end of its session.
    pub(crate) newcomer: Option<ConnectionId>,
    /// Where it last proved itself.
    pub(crate) proved: Option<IpAddr>,
    /// Where its session comes from.
    pub(crate) source: Option<IpAddr>,
    pub(crate) stream: Stream,
    pub(crate) presence: Presence,
    pub(crate) alternation: Alternation,
    pub(crate) downlink: Downlink,
    /// Nothing goes to its line before.
    pub(crate) pause_until: Instant,
    pub(crate) subs: Vec<Sub>,
    pub(crate) groups: Vec<u32>,
    /// It was online before the start, and has not been seen since.
    pub(crate) missed: bool,
    pub(crate) planned: Planned,
}

impl Device {
    pub(crate) fn new(record: DeviceRecord) -> Self {
        let mut presence = Presence::default();
        let missed = record.was_online;
        if missed {
            presence.note_missed();
        }
        Self {
            accounts: Vec::new(),
            via: None,
            epoch: record.epoch.max(record.last.epoch),
            claimed: record.epoch.max(record.last.epoch),
            last: record.last,
            sequence: 0,
            newcomer: None,
            proved: None,
            source: None,
            stream: Stream::default(),
            presence,
            alternation: Alternation::default(),
            downlink: Downlink::default(),
            pause_until: Instant::ZERO,
            subs: Vec::new(),
            groups: Vec::new(),
            missed,
            planned: Planned::default(),
            record,
        }
    }

    /// The next epoch, which the store has to take first.
    pub(crate) const fn claim(&mut self) -> SessionEpoch {
        self.claimed = SessionEpoch(self.claimed.0 + 1);
        self.claimed
    }

    pub(crate) fn begin(&mut self, epoch: SessionEpoch, via: Via, source: IpAddr) {
        self.epoch = epoch;
        self.claimed = self.claimed.max(epoch);
        self.sequence = 0;
        self.via = Some(via);
        self.source = Some(source);
        self.stream = Stream::default();
    }

    /// The position of its next message.
    pub(crate) const fn number(&mut self) -> (Position, Position) {
        let before = self.last;
        self.sequence += 1;
        self.last = Position {
            epoch: self.epoch,
            sequence: self.sequence,
        };
        (before, self.last)
    }

    pub(crate) fn is_alive(&self, now: Instant) -> bool {
        self.via.is_some() && self.presence.is_alive(self.record.heartbeat, now)
    }

    /// When its silent connection is closed.
    pub(crate) fn closes_at(&self) -> Instant {
        match (self.via, self.record.close_silent) {
            (Some(Via::Tcp(_)), Some(after)) => self.presence.heard_at() + after,
            (Some(Via::Tcp(_) | Via::Udp(_)) | None, _) => Instant::NEVER,
        }
    }

    /// When something of it is due.
    pub(crate) fn deadline(&self, now: Instant) -> Instant {
        let pause = if self.via.is_some() && self.pause_until > now && self.downlink.bytes() > 0 {
            self.pause_until
        } else {
            Instant::NEVER
        };
        self.stream
            .deadline()
            .unwrap_or(Instant::NEVER)
            .min(self.presence.deadline(self.record.heartbeat))
            .min(self.closes_at())
            .min(self.downlink.deadline())
            .min(pause)
    }

    pub(crate) fn rights_of(&self, account: u32) -> Rights {
        let own = self.accounts.iter().find(|(place, _)| *place == account);
        own.map_or(Rights::default(), |(_, rights)| *rights)
    }
}
