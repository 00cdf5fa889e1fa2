//! The serial command mode (1): packets of the equipment, the uplink of each destination, and the peers that stand there.

use std::collections::VecDeque;
use std::rc::Rc;

use dtu_proto::config::Protocol;
use dtu_proto::event::{Connect, SocketId};

use super::socket::{SocketEvent, State};
use super::{Rule, World};
use crate::downlink::ConnectionCode;
use crate::http::Print;
use crate::packet::{Destination, Packet, Reader, ScanItem};
use crate::uplink::{Rules, SendKind, Uplink};
use crate::{MS, SEC};

/// A packet is whole so long after its header, beside its own time on the line.
const REST: u64 = SEC;
/// Ten bits at 115200 a second, as the device counts them.
const CHARACTER: u64 = 86;

#[derive(Debug, Default)]
pub(super) struct PacketLedger {
    reader: Reader,
    /// Bytes that came, and when, of those that are held.
    total: u64,
    marks: VecDeque<(u64, u64)>,
    uplinks: Vec<(Destination, Uplink)>,
    resend: bool,
    /// Garbage was told, and no good packet has come since.
    is_garbage_told: bool,
    /// Errors that must be printed, and those that were.
    pub(super) errors: (u64, u64),
    /// `SEND OK` and `SEND FAIL` that were printed.
    sent: u64,
    failed: u64,
    /// Full replies of a time before a crash: nobody knows.
    unsure: bool,
    pub(super) packets: u64,
    pub(super) dropped: u64,
}

impl PacketLedger {
    pub(super) fn new(resend: bool) -> Self {
        Self {
            resend,
            ..Self::default()
        }
    }

    /// A frame of the line.
    pub(super) fn frame(&mut self, bytes: &[u8], now: u64) {
        self.total += bytes.len() as u64;
        self.marks.push_back((self.total, now));
        let seen = self.reader.feed(bytes);
        self.take(seen);
    }

    /// Gives up what must have been whole by now. The device reads since then, and the line holds nothing.
    pub(super) fn time_passes(&mut self, reads_since: u64, now: u64) {
        while let Some((_, came_at)) = self.front() {
            if now < came_at.max(reads_since) + self.reader.awaited() * CHARACTER + REST {
                return;
            }
            let seen = self.reader.give_up();
            self.take(seen);
        }
    }

    /// When the first byte came of what is held.
    fn front(&mut self) -> Option<(u64, u64)> {
        let front = self.total - self.reader.held() as u64;
        while self.marks.front().is_some_and(|(end, _)| *end <= front) {
            self.marks.pop_front();
        }
        self.marks.front().copied()
    }

    /// The mode ends. Nobody is told any more what was wrong.
    pub(super) fn stop(&mut self) {
        let errors = self.errors.0;
        while !self.reader.is_empty() {
            let seen = self.reader.give_up();
            self.take(seen);
        }
        self.errors.0 = errors;
    }

    pub(super) const fn is_inside(&self) -> bool {
        self.reader.is_inside()
    }

    fn take(&mut self, seen: Vec<ScanItem>) {
        for seen in seen {
            match seen {
                ScanItem::Packet(packet, _) => {
                    self.is_garbage_told = false;
                    self.give(&packet);
                }
                ScanItem::Bad => {
                    self.is_garbage_told = true;
                    self.errors.0 += 1;
                }
                ScanItem::Garbage if self.is_garbage_told => {}
                ScanItem::Garbage => {
                    self.is_garbage_told = true;
                    self.errors.0 += 1;
                }
            }
        }
    }

    fn give(&mut self, packet: &Packet) {
        self.packets += 1;
        let resend = self.resend;
        let place = self
            .uplinks
            .iter()
            .position(|(to, _)| *to == packet.to)
            .unwrap_or_else(|| {
                self.uplinks
                    .push((packet.to.clone(), Uplink::new(Vec::new(), resend)));
                self.uplinks.len() - 1
            });
        self.uplinks[place]
            .1
            .push_packet(&Rc::from(packet.data.as_slice()), packet.full);
    }

    fn uplink_to(&mut self, connect: &Connect) -> Option<&mut Uplink> {
        let tcp = connect.protocol == Protocol::Tcp;
        let is = |to: &Destination| {
            to.tcp == tcp && to.port == connect.port && to.address.text() == connect.address
        };
        self.uplinks
            .iter_mut()
            .find(|(to, _)| is(to))
            .map(|(_, uplink)| uplink)
    }

    fn passed_over(&self) -> u64 {
        self.uplinks
            .iter()
            .map(|(_, uplink)| uplink.passed_over())
            .sum()
    }

    fn full(&self) -> (u64, u64) {
        let sum =
            |pick: fn(&Uplink) -> u64| self.uplinks.iter().map(|(_, uplink)| pick(uplink)).sum();
        (sum(|uplink| uplink.full.0), sum(|uplink| uplink.full.1))
    }

    pub(super) fn delivered(&self) -> u64 {
        self.uplinks
            .iter()
            .map(|(_, uplink)| uplink.acknowledged)
            .sum()
    }

    pub(super) fn repeated(&self) -> u64 {
        self.uplinks.iter().map(|(_, uplink)| uplink.repeated).sum()
    }

    /// `SEND OK` or `SEND FAIL` is printed.
    pub(super) fn code_printed(&mut self, what: ConnectionCode) -> Result<(), String> {
        let (wanted, delivered) = self.full();
        match what {
            ConnectionCode::SendOk => self.sent += 1,
            ConnectionCode::SendFail => self.failed += 1,
            ConnectionCode::ConnectOk
            | ConnectionCode::ConnectFail
            | ConnectionCode::CloseOk
            | ConnectionCode::Closed => {
                return Err(format!("{what:?} in the serial command mode"));
            }
        }
        if !self.unsure
            && (self.sent > delivered || self.failed > (wanted - delivered).min(self.dropped))
        {
            return Err(format!(
                "{} SEND OK and {} SEND FAIL are printed; {delivered} of {wanted} packets that asked are delivered, {} \
                 packets are dropped",
                self.sent, self.failed, self.dropped
            ));
        }
        Ok(())
    }

    /// Everything has drained.
    pub(super) fn settled(&self, unsaid: u64) -> Result<(), String> {
        let missing: u64 = self
            .uplinks
            .iter()
            .map(|(_, uplink)| uplink.missing())
            .sum();
        if missing > self.dropped {
            return Err(format!(
                "{missing} packets never came, {} are counted as dropped",
                self.dropped
            ));
        }
        let (wanted, delivered) = self.full();
        let (due, printed) = (
            wanted + self.errors.0,
            self.sent + self.failed + self.errors.1,
        );
        // What finds no room on the line, or comes when the mode is over, is counted.
        if !self.unsure && due - printed > unsaid {
            return Err(format!(
                "{delivered} of {wanted} packets that asked for it are delivered, {} SEND OK and {} SEND FAIL are printed; \
                 {} errors are due, {} are printed; {unsaid} replies are counted as dropped",
                self.sent, self.failed, self.errors.0, self.errors.1
            ));
        }
        Ok(())
    }

    /// The device object is gone. `kept`: what the host will restore.
    pub(super) fn crashed(&mut self, kept: &[Vec<u8>]) -> Result<(), String> {
        let packets = self.packets;
        *self = Self {
            resend: self.resend,
            unsure: true,
            packets,
            ..Self::default()
        };
        for bytes in kept {
            let packet = Packet::read(bytes)
                .ok_or_else(|| "the spool has something that is no packet".to_owned())?;
            self.give(&packet);
        }
        Ok(())
    }

    /// What waited must be on the disk.
    pub(super) fn spool_holds(&self, kept: &[Vec<u8>]) -> Result<(), String> {
        let kept: Vec<Packet> = kept
            .iter()
            .filter_map(|bytes| Packet::read(bytes))
            .collect();
        let excused = self.dropped - self.passed_over().min(self.dropped);
        for (to, uplink) in &self.uplinks {
            let data: Vec<Vec<u8>> = kept
                .iter()
                .filter(|packet| packet.to == *to)
                .map(|packet| packet.data.clone())
                .collect();
            uplink.spool_holds(&data, excused + uplink.passed_over())?;
        }
        Ok(())
    }
}

impl World {
    pub(super) fn command_may_connect(
        &self,
        id: SocketId,
        connect: &Connect,
    ) -> Result<(), String> {
        let twice = SocketId::DESTINATIONS.iter().any(|other| {
            let open = &self.sockets[other.index()];
            let stands = matches!(open.state, State::Connecting | State::Up);
            *other != id && stands && open.to.as_ref() == Some(connect)
        });
        if twice {
            return Err(format!("two connections to {connect:?}"));
        }
        let tcp = connect.protocol == Protocol::Tcp;
        let due = self.ledger.command.uplinks.iter().any(|(to, uplink)| {
            to.tcp == tcp
                && to.port == connect.port
                && to.address.text() == connect.address
                && uplink.is_waiting()
        });
        let plain = connect.local_port == 0 && !connect.tls;
        if due && plain {
            Ok(())
        } else {
            Err(format!("nothing waits for {connect:?}"))
        }
    }

    fn uplink_at(&mut self, id: SocketId) -> Option<&mut Uplink> {
        let to = self.sockets[id.index()].to.clone()?;
        self.ledger.command.uplink_to(&to)
    }

    /// Nothing waits for the destination that this connection goes to.
    pub(super) fn command_is_idle(&mut self, id: SocketId) -> bool {
        self.uplink_at(id)
            .is_some_and(|uplink| !uplink.is_waiting())
    }

    pub(super) fn command_connected(&mut self, id: SocketId) {
        let udp = self.sockets[id.index()].is_udp();
        if let Some(uplink) = self.uplink_at(id) {
            uplink.connected(id, udp, false);
        }
        self.peer_will_speak(id);
    }

    pub(super) fn peer_will_speak(&mut self, id: SocketId) {
        let pause = self.style_of(id).server_pause;
        let wait = self.socket(id).rng.wait(pause);
        self.socket_after(id, wait, SocketEvent::Peer);
    }

    pub(super) fn command_send(&mut self, id: SocketId, bytes: &[u8]) -> Result<(), String> {
        let all = self.ledger.command.passed_over();
        let dropped = self.ledger.command.dropped;
        let Some(uplink) = self.uplink_at(id) else {
            return Err("a send to nobody".to_owned());
        };
        let rules = Rules {
            registration: &[],
            with_data: false,
            heartbeat: None,
            registers_again: false,
            reply: false,
            dropped: (dropped - all.min(dropped)) + uplink.passed_over(),
        };
        match uplink.send(id, &[], bytes, &rules)? {
            SendKind::Frame(_) => Ok(()),
            other @ (SendKind::Registration | SendKind::Heartbeat | SendKind::Reply) => {
                Err(format!("{other:?} to a destination"))
            }
        }
    }

    pub(super) fn command_sent(&mut self, id: SocketId) {
        if let Some(uplink) = self.uplink_at(id) {
            uplink.sent(id);
        }
    }

    pub(super) fn command_acked(&mut self, id: SocketId, bytes: u64) {
        if let Some(uplink) = self.uplink_at(id) {
            uplink.acknowledged_to(id, bytes);
        }
    }

    /// The peer has bytes, and often answers.
    pub(super) fn command_receives(&mut self, id: SocketId, upto: u64, bytes: &[u8]) {
        if let Some(uplink) = self.uplink_at(id) {
            uplink.arrived(id, upto);
        }
        if self.socket(id).rng.chance(40) {
            self.peer_says(id, bytes.len());
        }
    }

    pub(super) fn command_closed(&mut self, id: SocketId, acked: u64) {
        if let Some(uplink) = self.uplink_at(id) {
            uplink.closed(id, acked);
        }
    }

    /// A peer of modes 1 and 2 speaks by itself.
    pub(super) fn peer_speaks(&mut self, id: SocketId) {
        if self.healed || self.sockets[id.index()].state != State::Up {
            return;
        }
        let most = self.style_of(id).server_max.min(1400);
        let length = self.socket(id).rng.size(1, most);
        self.peer_says(id, length);
        self.peer_will_speak(id);
    }

    pub(super) fn peer_says(&mut self, id: SocketId, length: usize) {
        let socket = &self.sockets[id.index()];
        if socket.is_closed || socket.is_stalled || socket.inbound_bytes > 16 * 1024 || length == 0
        {
            return;
        }
        let is_udp = socket.is_udp();
        let bytes = super::httpd::body(&mut self.peer_position, length.min(1400));
        self.socket(id).queue(bytes, Print::Stream, is_udp);
        self.plan_socket_read(id);
    }

    /// Packets of the equipment: good ones in every chunking, damaged ones, garbage.
    pub(super) fn packets(&mut self) {
        let quiet = self.quiet_gap();
        for _ in 0..self.dte.rng.size(1, 4) {
            let garbage = self.dte.rng.chance(self.scenario.modes.garbage);
            let bytes = self.packet().build();
            if garbage {
                self.spoilt(bytes, quiet);
            } else {
                self.in_pieces(bytes);
            }
        }
    }

    fn packet(&mut self) -> Packet {
        let few = self.dte.rng.chance(60);
        let most = if few {
            2
        } else {
            self.scenario.modes.destinations.len() - 1
        };
        let place = self.dte.rng.size(0, most);
        let to = self.scenario.modes.destinations[place].clone();
        let most = self.scenario.dte.write_max.clamp(9, 1000);
        let length = self.dte.rng.size(8, most);
        let rng = &mut self.dte.rng;
        let (short, full) = (rng.chance(30), rng.chance(40));
        let wait = if short { rng.pick(&[0, 1, 3]) } else { 0 };
        Packet {
            to,
            short,
            wait,
            full,
            data: self.dte.data(length),
        }
    }

    fn in_pieces(&mut self, bytes: Vec<u8>) {
        let dte = &mut self.dte;
        if dte.rng.chance(70) {
            return dte.write(bytes);
        }
        let (head, tail) = bytes.split_at(dte.rng.size(1, bytes.len() - 1));
        let pause = dte.rng.pick(&[300, 5 * MS, 150 * MS]);
        dte.write(head.to_vec());
        dte.pause(pause);
        dte.write(tail.to_vec());
    }

    fn spoilt(&mut self, mut bytes: Vec<u8>, quiet: u64) {
        let dte = &mut self.dte;
        match dte.rng.range(0, 5) {
            0 => {
                let at = dte.rng.size(0, bytes.len() - 1);
                bytes[at] ^= 1 << dte.rng.range(0, 7);
                dte.write(bytes);
            }
            1 => {
                let garbage = dte.data(9);
                dte.write([garbage, bytes].concat());
            }
            2 => {
                let garbage = dte.data(3);
                dte.write([bytes, garbage].concat());
            }
            3 => {
                bytes.truncate(dte.rng.size(1, bytes.len() - 1));
                dte.write(bytes);
            }
            4 => dte.write([&[0x55, 0xAA, 0x55][..], &bytes].concat()),
            _ => dte.write(vec![0x55, 0xAA, 0xFF, 0xFF, 0x55, 0xAA, 0, 1, 2, 3]),
        }
        dte.pause(quiet);
    }

    pub(super) fn judge_packets(&mut self) {
        let unsaid = self
            .device
            .status(self.clock())
            .serial
            .counters
            .dropped_replies;
        let settled = self.ledger.command.settled(unsaid);
        self.hold(Rule::Packets, settled);
    }
}
