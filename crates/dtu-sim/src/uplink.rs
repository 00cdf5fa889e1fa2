//! The ledger of the way up: every frame that the model cut, per link (or per pair of primary and backup, or per
//! destination of the serial command mode), what was handed to which connection, what the peers really got, and what
//! the device says it dropped.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use dtu_proto::event::{LinkId, SOCKETS, SocketId};

/// A data frame and its fate.
#[derive(Debug)]
struct Frame {
    bytes: Rc<[u8]>,
    /// The peer's program has all of it (UDP: it was sent).
    delivered: bool,
    /// The device has been told so.
    reported: bool,
    /// It asked for a full reply (serial command mode).
    full: bool,
    /// The device passed over it: it must be among the counted drops.
    skipped: bool,
    /// On whose connection it is under way.
    under_way: Option<SocketId>,
    sent: u32,
}

/// What one `Send` kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SendKind {
    Registration,
    Heartbeat,
    Reply,
    /// The frame of this number.
    Frame(u64),
}

#[derive(Debug)]
struct SendRecord {
    kind: SendKind,
    end: u64,
}

/// One connection's sends.
#[derive(Debug, Default)]
struct Connection {
    sends: VecDeque<SendRecord>,
    offset: u64,
    truly: u64,
    next: u64,
    registers: bool,
    udp: bool,
}

/// The frames of one link, or of a primary and its backup, which share their frames.
#[derive(Debug)]
pub(crate) struct Uplink {
    pub(crate) links: Vec<LinkId>,
    frames: VecDeque<Frame>,
    base: u64,
    connections: [Option<Connection>; SOCKETS],
    resend: bool,
    /// Since the device object was made.
    pub(crate) given: u64,
    pub(crate) given_bytes: u64,
    pub(crate) acknowledged: u64,
    /// Frames that asked for a full reply, and those of them that were acknowledged.
    pub(crate) full: (u64, u64),
    /// Passed over by the device, so far.
    skipped: u64,
    /// Left the ledger without having reached a peer, so far.
    missing: u64,
    /// Frames handed to a socket again, so far.
    pub(crate) repeated: u64,
}

/// What one `Send` is judged against.
pub(crate) struct Rules<'a> {
    pub(crate) registration: &'a [u8],
    pub(crate) with_data: bool,
    /// `Some` where a heartbeat to this link is due.
    pub(crate) heartbeat: Option<&'a [u8]>,
    /// An expected answer to the registration packet may have been missed.
    pub(crate) registers_again: bool,
    /// A reply to a command from this link may be due.
    pub(crate) reply: bool,
    /// What the device counts as dropped now.
    pub(crate) dropped: u64,
}

impl Uplink {
    pub(crate) fn new(links: Vec<LinkId>, resend: bool) -> Self {
        Self {
            links,
            frames: VecDeque::new(),
            base: 0,
            connections: Default::default(),
            resend,
            given: 0,
            given_bytes: 0,
            acknowledged: 0,
            full: (0, 0),
            skipped: 0,
            missing: 0,
            repeated: 0,
        }
    }

    pub(crate) fn push(&mut self, bytes: &Rc<[u8]>) {
        self.push_packet(bytes, false);
    }

    /// A packet of the serial command mode.
    pub(crate) fn push_packet(&mut self, bytes: &Rc<[u8]>, full: bool) {
        self.full.0 += u64::from(full);
        self.given += 1;
        self.given_bytes += bytes.len() as u64;
        self.frames.push_back(Frame {
            bytes: Rc::clone(bytes),
            delivered: false,
            reported: false,
            full,
            skipped: false,
            under_way: None,
            sent: 0,
        });
    }

    /// A connection stands; `registers`: the registration packet is its first word.
    pub(crate) fn connected(&mut self, socket: SocketId, udp: bool, registers: bool) {
        let next = self.first_open();
        self.connections[socket.index()] = Some(Connection {
            next,
            registers,
            udp,
            ..Connection::default()
        });
    }

    fn first_open(&self) -> u64 {
        let closed = self
            .frames
            .iter()
            .take_while(|frame| frame.reported || frame.skipped)
            .count();
        self.base + closed as u64
    }

    /// The device hands bytes to a link's socket: what are they, and may they go now?
    pub(crate) fn send(
        &mut self,
        socket: SocketId,
        prefix: &[u8],
        body: &[u8],
        rules: &Rules<'_>,
    ) -> Result<SendKind, String> {
        let Some(mut connection) = self.connections[socket.index()].take() else {
            return Err("a send where nothing is connected".to_owned());
        };
        let kind = self.judge(&connection, socket, prefix, body, rules);
        if let Ok(kind) = &kind {
            connection.registers = false;
            connection.offset += (prefix.len() + body.len()) as u64;
            let sent = SendRecord {
                kind: kind.clone(),
                end: connection.offset,
            };
            connection.sends.push_back(sent);
            if let SendKind::Frame(number) = kind {
                self.hand_over(&mut connection, socket, *number);
            }
        }
        self.connections[socket.index()] = Some(connection);
        kind
    }

    fn hand_over(&mut self, connection: &mut Connection, socket: SocketId, number: u64) {
        for passed in connection.next.max(self.base)..number {
            let frame = &mut self.frames[usize_of(passed - self.base)];
            if !frame.reported && !frame.skipped && frame.under_way.is_none() {
                frame.skipped = true;
                self.skipped += 1;
            }
        }
        connection.next = number + 1;
        let frame = &mut self.frames[usize_of(number - self.base)];
        if core::mem::take(&mut frame.skipped) {
            // Another frame with the same text was the one that was dropped.
            self.skipped -= 1;
        }
        frame.under_way = Some(socket);
        frame.sent += 1;
        self.repeated += u64::from(frame.sent > 1);
    }

    fn judge(
        &self,
        connection: &Connection,
        socket: SocketId,
        prefix: &[u8],
        body: &[u8],
        rules: &Rules<'_>,
    ) -> Result<SendKind, String> {
        if connection.registers && !rules.registration.is_empty() {
            let alone = prefix.is_empty() && body == rules.registration;
            return if alone {
                Ok(SendKind::Registration)
            } else {
                Err("the first bytes of a connection are not the registration packet".to_owned())
            };
        }
        let wanted: &[u8] = if rules.with_data {
            rules.registration
        } else {
            &[]
        };
        if let Some(number) = self.find(connection, body, rules.dropped) {
            if prefix != wanted {
                return Err(format!(
                    "a data frame is preceded by {} bytes, not {}",
                    prefix.len(),
                    wanted.len()
                ));
            }
            return self.may_go(number, socket);
        }
        if !prefix.is_empty() && (prefix != wanted || rules.heartbeat == Some(body)) {
            return Err(
                "the registration packet precedes something that is no data frame".to_owned(),
            );
        }
        if prefix.is_empty() && rules.heartbeat == Some(body) {
            return Ok(SendKind::Heartbeat);
        }
        if rules.registers_again && prefix.is_empty() && body == rules.registration {
            return Ok(SendKind::Registration);
        }
        if rules.reply && prefix.is_empty() && body.starts_with(b"\r\n") {
            return Ok(SendKind::Reply);
        }
        let shown = body[..body.len().min(40)].escape_ascii();
        let next = self
            .frames
            .get(usize_of(connection.next.saturating_sub(self.base)));
        let due = next.map_or_else(
            || "none".to_owned(),
            |frame| {
                format!(
                    "[{}] \"{}\"",
                    frame.bytes.len(),
                    frame.bytes[..frame.bytes.len().min(40)].escape_ascii()
                )
            },
        );
        Err(format!(
            "[{}] \"{shown}\" is no frame that is due (next {due}), heartbeat or reply; {} of {} dropped frames are \
             passed over",
            body.len(),
            self.skipped + self.missing,
            rules.dropped
        ))
    }

    /// The first frame with this text that the connection may carry next, passing over no more than was dropped.
    fn find(&self, connection: &Connection, body: &[u8], dropped: u64) -> Option<u64> {
        let mut may_skip = dropped.saturating_sub(self.skipped + self.missing);
        let start = connection.next.max(self.base);
        for (place, frame) in self
            .frames
            .iter()
            .enumerate()
            .skip(usize_of(start - self.base))
        {
            let once = !self.resend && frame.sent > 0 && frame.under_way.is_none();
            if frame.bytes[..] == *body && !once {
                return Some(self.base + place as u64);
            }
            if !frame.reported && !frame.skipped && frame.under_way.is_none() {
                may_skip = may_skip.checked_sub(1)?;
            }
        }
        None
    }

    fn may_go(&self, number: u64, socket: SocketId) -> Result<SendKind, String> {
        let frame = &self.frames[usize_of(number - self.base)];
        if frame.reported {
            return Err("a frame that was acknowledged is sent again".to_owned());
        }
        if let Some(other) = frame.under_way {
            return Err(format!(
                "a frame goes to {socket} while it is under way on {other}"
            ));
        }
        Ok(SendKind::Frame(number))
    }

    /// UDP: the datagram is out. TCP: nothing is known yet.
    pub(crate) fn sent(&mut self, socket: SocketId) {
        let udp = self.connections[socket.index()]
            .as_ref()
            .is_some_and(|connection| connection.udp);
        if udp {
            let offset = self.connections[socket.index()]
                .as_ref()
                .map_or(0, |connection| connection.offset);
            self.arrived(socket, offset);
            self.acknowledged_to(socket, offset);
        }
    }

    /// The peer's program has the first `bytes` bytes of this connection.
    pub(crate) fn arrived(&mut self, socket: SocketId, bytes: u64) {
        let Some(connection) = &mut self.connections[socket.index()] else {
            return;
        };
        connection.truly = bytes;
        for sent in connection.sends.iter().filter(|sent| sent.end <= bytes) {
            if let SendKind::Frame(number) = sent.kind
                && number >= self.base
            {
                self.frames[usize_of(number - self.base)].delivered = true;
            }
        }
    }

    /// The device is told that the first `bytes` bytes are acknowledged.
    pub(crate) fn acknowledged_to(&mut self, socket: SocketId, bytes: u64) {
        let Some(connection) = &mut self.connections[socket.index()] else {
            return;
        };
        while connection
            .sends
            .front()
            .is_some_and(|sent| sent.end <= bytes)
        {
            let Some(sent) = connection.sends.pop_front() else {
                break;
            };
            if let SendKind::Frame(number) = sent.kind {
                let frame = &mut self.frames[usize_of(number - self.base)];
                frame.under_way = None;
                self.acknowledged += u64::from(!frame.reported);
                self.full.1 += u64::from(!frame.reported && frame.full);
                frame.reported = true;
            }
        }
        self.trim();
    }

    /// The connection is over, and this is the last word.
    pub(crate) fn closed(&mut self, socket: SocketId, acknowledged: u64) {
        self.acknowledged_to(socket, acknowledged);
        self.connections[socket.index()] = None;
        for frame in &mut self.frames {
            if frame.under_way == Some(socket) {
                frame.under_way = None;
            }
        }
    }

    fn trim(&mut self) {
        let oldest = self.oldest_under_way();
        while self.base < oldest
            && self
                .frames
                .front()
                .is_some_and(|frame| frame.reported || frame.skipped)
            && let Some(frame) = self.frames.pop_front()
        {
            self.base += 1;
            self.skipped -= u64::from(frame.skipped);
            self.missing += u64::from(frame.skipped);
        }
    }

    fn oldest_under_way(&self) -> u64 {
        let of = |connection: &Connection| {
            connection.sends.iter().find_map(|sent| match sent.kind {
                SendKind::Frame(number) => Some(number),
                SendKind::Registration | SendKind::Heartbeat | SendKind::Reply => None,
            })
        };
        let numbers = self.connections.iter().flatten().filter_map(of);
        numbers.min().unwrap_or(u64::MAX)
    }

    /// Frames that were passed over, so far.
    pub(crate) const fn passed_over(&self) -> u64 {
        self.skipped + self.missing
    }

    /// Whether a frame is neither acknowledged nor passed over.
    pub(crate) fn is_waiting(&self) -> bool {
        self.frames
            .iter()
            .any(|frame| !frame.reported && !frame.skipped)
    }

    /// How many frames the peers do not have, and how many bytes these are; after everything has drained.
    pub(crate) fn missing(&self) -> u64 {
        let open = self
            .frames
            .iter()
            .filter(|frame| !frame.delivered && !frame.skipped)
            .count();
        self.missing + self.skipped + open as u64
    }

    /// What the spool kept must be what waited, but for counted drops.
    pub(crate) fn spool_holds(&self, kept: &[Vec<u8>], dropped: u64) -> Result<(), String> {
        // By content: frames that were dropped may be on both lists, or on one.
        let mut spooled = BTreeMap::<&[u8], u64>::new();
        for bytes in kept {
            *spooled.entry(bytes).or_default() += 1;
        }
        let mut lost = 0;
        for frame in self
            .frames
            .iter()
            .filter(|frame| !frame.reported && !frame.skipped)
        {
            match spooled.get_mut(&frame.bytes[..]) {
                Some(count) if *count > 0 => *count -= 1,
                _ => lost += 1,
            }
        }
        let excused = dropped.saturating_sub(self.skipped + self.missing);
        if lost > excused {
            return Err(format!(
                "{lost} frames that waited are not on the spool of links {:?}",
                self.links
            ));
        }
        Ok(())
    }

    /// The device object is gone (host crash). `kept`: what the host will restore.
    pub(crate) fn crashed(&mut self, kept: &[Vec<u8>]) {
        self.connections = Default::default();
        self.frames.clear();
        (
            self.base,
            self.skipped,
            self.missing,
            self.acknowledged,
            self.repeated,
        ) = (0, 0, 0, 0, 0);
        (self.given, self.given_bytes) = (0, 0);
        for bytes in kept {
            self.push(&Rc::from(bytes.as_slice()));
        }
    }
}

fn usize_of(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
