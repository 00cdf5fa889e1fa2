//! A connection of a device: who it is so far, and what is on its way out.

use std::collections::VecDeque;
use std::net::IpAddr;

use bytes::Bytes;

use crate::door::{Cloud, Greeting};
use crate::event::{CloseReason, Door, DoorOutput};
use crate::ids::{ConnectionId, RoomId};
use crate::time::Instant;
use crate::timers::Planned;

/// Bytes of rooms and groups that wait while a send is outstanding. They are live, or nothing.
const LIVE: usize = 4096;

/// Who it is.
#[derive(Debug)]
pub(crate) enum Stage {
    /// Its 28 bytes are being read.
    Cloud(Cloud),
    /// Its registration packet is being read.
    AnyDtu,
    /// Its room is being read.
    D2d(Greeting),
    /// Its session is being put on disk; then this is the answer.
    Claiming(Bytes),
    /// Another session of its device speaks.
    Newcomer(u32, Bytes),
    /// It is the session of this device.
    Session(u32),
    /// It is in a room.
    Room(RoomId),
    /// It was told to close.
    Closing,
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) id: ConnectionId,
    pub(crate) door: Door,
    pub(crate) source: IpAddr,
    pub(crate) stage: Stage,
    /// When the stage must be over.
    pub(crate) until: Instant,
    /// What may be a registration packet becomes none then.
    pub(crate) ended_at: Instant,
    pub(crate) planned: Planned,
    /// What came before there was a session for it.
    pub(crate) held: Vec<u8>,
    sending: bool,
    sent: u64,
    live: VecDeque<Bytes>,
    live_bytes: usize,
}

impl Connection {
    pub(crate) fn new(id: ConnectionId, door: Door, source: IpAddr, until: Instant) -> Self {
        Self {
            id,
            door,
            source,
            stage: match door {
                Door::Cloud => Stage::Cloud(Cloud::default()),
                Door::AnyDtu => Stage::AnyDtu,
                Door::D2d => Stage::D2d(Greeting::default()),
            },
            until,
            ended_at: Instant::NEVER,
            planned: Planned::default(),
            held: Vec::new(),
            sending: false,
            sent: 0,
            live: VecDeque::new(),
            live_bytes: 0,
        }
    }

    /// Whether nothing came of it: a probe.
    pub(crate) fn is_silent(&self) -> bool {
        match &self.stage {
            Stage::Cloud(cloud) => cloud.is_empty(),
            Stage::D2d(greeting) => greeting.is_empty(),
            Stage::AnyDtu => self.held.is_empty(),
            Stage::Claiming(..)
            | Stage::Newcomer(..)
            | Stage::Session(_)
            | Stage::Room(_)
            | Stage::Closing => false,
        }
    }

    /// Whether it is to be read. `disk`: whether history finds room.
    pub(crate) fn is_read(&self, disk: bool) -> bool {
        match &self.stage {
            Stage::Session(_) => disk,
            Stage::Claiming(..) | Stage::Newcomer(..) | Stage::Closing => false,
            Stage::Cloud(_) | Stage::AnyDtu | Stage::D2d(_) | Stage::Room(_) => true,
        }
    }

    pub(crate) const fn is_free(&self) -> bool {
        !self.sending
    }

    /// Bytes sent so far.
    pub(crate) const fn sent(&self) -> u64 {
        self.sent
    }

    pub(crate) fn send(&mut self, bytes: Bytes) -> DoorOutput {
        debug_assert!(!self.sending, "one send is outstanding at most");
        self.sending = true;
        self.sent += bytes.len() as u64;
        DoorOutput::Send(bytes)
    }

    /// Bytes that are live or nothing: sent, or behind what is being sent, or dropped.
    ///
    /// # Errors
    /// Where they found no room.
    pub(crate) fn push_live(&mut self, bytes: &Bytes) -> Result<Option<DoorOutput>, ()> {
        if !self.sending {
            return Ok(Some(self.send(bytes.clone())));
        }
        if self.live_bytes + bytes.len() > LIVE {
            return Err(());
        }
        self.live_bytes += bytes.len();
        self.live.push_back(bytes.clone());
        Ok(None)
    }

    /// The outstanding send is out; what goes next.
    pub(crate) fn went(&mut self) -> Option<DoorOutput> {
        self.sending = false;
        let next = self.live.pop_front()?;
        self.live_bytes -= next.len();
        Some(self.send(next))
    }

    pub(crate) fn close(&mut self, reason: CloseReason) -> DoorOutput {
        self.stage = Stage::Closing;
        self.held = Vec::new();
        (self.until, self.ended_at) = (Instant::NEVER, Instant::NEVER);
        self.live.clear();
        self.live_bytes = 0;
        DoorOutput::Close(reason)
    }
}
