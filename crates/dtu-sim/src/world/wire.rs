//! The sockets of the working modes: a bounded buffer for each, and what can go wrong with it. Who stands behind it is
//! the working mode's business (`httpd`, `command_mode`, `at_mode`).

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};

use cellular_sim::Rng;
use dtu_proto::config::Protocol;
use dtu_proto::event::{
    CloseReason, Connect, Input, LINKS, SOCKETS, SocketId, SocketInput, SocketOutput,
};

use super::modes::rule_of;
use super::net::State;
use super::outages::ServerId;
use super::{Event, Rule, World};
use crate::http::Print;
use crate::scenario::NetStyle;
use crate::{MS, SEC};

/// `SO_SNDBUF`, as the host sets it.
const SOCKET: u64 = 32 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WireEvent {
    Up,
    Down(CloseReason),
    Sent,
    Arrive,
    Report,
    Read,
    /// The peer's own clock.
    Peer,
    /// The peer closes, if it has nothing to do.
    HangUp,
    Fault,
    Wake,
}

/// Bytes on their way to the device.
#[derive(Debug)]
struct Coming {
    bytes: Vec<u8>,
    print: Print,
    /// Of `Print::Whole`: what the device has already.
    before: Vec<u8>,
    /// A datagram, or a segment that is read alone.
    alone: bool,
}

/// One socket's side of the network.
#[derive(Debug)]
pub(super) struct Wire {
    pub(super) state: State,
    generation: u64,
    pub(super) rng: Rng,
    pub(super) to: Option<Connect>,
    pub(super) udp: bool,
    /// The outstanding send: bytes of it that the socket has not taken.
    pub(super) send: Option<u64>,
    /// All bytes that the device has handed over; the socket has taken the first `handed` of them.
    stream: Vec<u8>,
    handed: u64,
    arrived: u64,
    pub(super) reported: u64,
    ticking: bool,
    stalled: bool,
    coming: VecDeque<Coming>,
    pub(super) coming_bytes: usize,
    /// The peer has closed; the device sees that behind all that comes.
    closed: bool,
    read_planned: bool,
    /// Bytes of the peer that the device has read on this connection.
    pub(super) read: u64,
}

impl Wire {
    pub(super) fn new(rng: Rng) -> Self {
        Self {
            state: State::Idle,
            generation: 0,
            rng,
            to: None,
            udp: false,
            send: None,
            stream: Vec::new(),
            handed: 0,
            arrived: 0,
            reported: 0,
            ticking: false,
            stalled: false,
            coming: VecDeque::new(),
            coming_bytes: 0,
            closed: false,
            read_planned: false,
            read: 0,
        }
    }

    fn reset(&mut self, state: State) {
        let rng = self.rng.clone();
        *self = Self {
            state,
            generation: self.generation + 1,
            rng,
            ..Self::new(Rng::new(0))
        };
    }

    pub(super) fn queue(&mut self, bytes: Vec<u8>, print: Print, alone: bool) {
        self.coming_bytes += bytes.len();
        self.coming.push_back(Coming {
            bytes,
            print,
            before: Vec::new(),
            alone,
        });
    }

    /// The peer closes behind what it has sent.
    pub(super) const fn close_behind(&mut self) {
        self.closed = true;
    }

    pub(super) const fn is_closed(&self) -> bool {
        self.closed
    }

    /// From now on nothing moves, if so.
    pub(super) const fn stall(&mut self, stalls: bool) {
        self.stalled |= stalls;
    }

    pub(super) const fn is_stalled(&self) -> bool {
        self.stalled
    }

    /// One read of the host: bytes, and what of them is to be printed.
    fn take_read(&mut self, most: usize) -> (Vec<u8>, Vec<u8>) {
        let (mut bytes, mut printed) = (Vec::new(), Vec::new());
        while let Some(next) = self.coming.front_mut() {
            if !bytes.is_empty() && (next.alone || bytes.len() >= most) {
                break;
            }
            let part = if next.alone {
                next.bytes.len()
            } else {
                next.bytes.len().min(most - bytes.len())
            };
            let rest = next.bytes.split_off(part);
            bytes.extend_from_slice(&next.bytes);
            match next.print {
                Print::Nothing => {}
                Print::Stream => printed.extend_from_slice(&next.bytes),
                Print::Whole => next.before.append(&mut next.bytes),
            }
            if !rest.is_empty() {
                next.bytes = rest;
                break;
            }
            let alone = next.alone;
            printed.append(&mut next.before);
            self.coming.pop_front();
            if alone {
                break;
            }
        }
        self.coming_bytes -= bytes.len();
        self.read += bytes.len() as u64;
        (bytes, printed)
    }
}

impl World {
    pub(super) fn on_socket(&mut self, socket: SocketId, output: SocketOutput) {
        match output {
            SocketOutput::Connect(connect) => self.wire_connects(socket, connect),
            SocketOutput::Send(payload) => {
                self.note_wire("send", socket, payload.len() as u64, &payload.body);
                let bytes = [&payload.prefix[..], &payload.body[..]].concat();
                self.wire_sends(socket, &bytes);
            }
            SocketOutput::Close => self.wire_closes(socket),
        }
    }

    pub(super) fn note_wire(
        &mut self,
        what: &'static str,
        socket: SocketId,
        number: u64,
        bytes: &[u8],
    ) {
        // Behind the links' numbers.
        let place = u8::try_from(10 + place(socket)).unwrap_or(0);
        self.trace.add(self.now, what, place, number, bytes);
    }

    fn wire(&mut self, socket: SocketId) -> &mut Wire {
        &mut self.wires[place(socket)]
    }

    pub(super) fn style_of(&self, socket: SocketId) -> NetStyle {
        let address = self.wires[place(socket)]
            .to
            .as_ref()
            .map_or("", |to| to.address.as_str());
        self.scenario.modes.style_of(address).clone()
    }

    /// Who stands behind this address.
    pub(super) fn server_at(&self, address: &str) -> ServerId {
        ServerId::peer(self.scenario.modes.place_of(address))
    }

    /// Whether the connection goes to a server that is away. Datagrams do not ask.
    fn server_is_away(&self, socket: SocketId) -> bool {
        let wire = &self.wires[place(socket)];
        let to = wire.to.as_ref().filter(|_| !wire.udp);
        to.is_some_and(|to| self.servers[self.server_at(&to.address).index()].is_away())
    }

    pub(super) fn wire_after(&mut self, socket: SocketId, wait: u64, event: WireEvent) {
        let generation = self.wires[place(socket)].generation;
        self.after(wait, Event::Wire(socket, generation, event));
    }

    fn wire_connects(&mut self, socket: SocketId, connect: Connect) {
        self.note_wire(
            "connect",
            socket,
            u64::from(connect.port),
            connect.address.as_bytes(),
        );
        if self.wire(socket).state != State::Idle {
            let text = format!("{socket}: connect while {:?}", self.wire(socket).state);
            return self.break_rule(Rule::Bounds, text);
        }
        let may = self.may_connect(socket, &connect);
        self.hold(rule_of(socket), may);
        let style = self.scenario.modes.style_of(&connect.address).clone();
        let id = self.server_at(&connect.address);
        let is_tcp = connect.protocol == Protocol::Tcp;
        let outage = is_tcp
            .then(|| self.attempt_meets(socket, id, style.delay))
            .flatten();
        let (healed, attached) = (self.healed, self.attached);
        let wire = self.wire(socket);
        wire.reset(State::Connecting);
        wire.udp = connect.protocol == Protocol::Udp;
        wire.to = Some(connect);
        let fate = match outage {
            _ if !attached => (NO_ROUTE, 5 * MS),
            Some((wait, failure)) => (failure.map_or(WireEvent::Up, WireEvent::Down), wait),
            None => fate(wire, &style, healed),
        };
        self.wire_after(socket, fate.1, fate.0);
    }

    fn wire_closes(&mut self, socket: SocketId) {
        self.note_wire("close", socket, 0, &[]);
        let wire = self.wire(socket);
        match wire.state {
            // The kernel still delivers what it has, though nobody hears of it; of a request that it has not
            // confirmed this world's kernel delivers nothing, for nobody could then tell whether to send it again.
            State::Up
                if !wire.udp && !wire.stalled && wire.send.is_none() && wire.rng.chance(50) =>
            {
                let handed = wire.handed;
                self.socket_closing(socket);
                self.arrives(socket, handed);
            }
            State::Up => self.socket_closing(socket),
            State::Connecting => {}
            State::Idle | State::Closing => {
                let text = format!("{socket}: close while {:?}", wire.state);
                return self.break_rule(Rule::Bounds, text);
            }
        }
        let wire = self.wire(socket);
        wire.state = State::Closing;
        wire.generation += 1;
        let wait = self.close_takes();
        self.wire_after(socket, wait, WireEvent::Down(CloseReason::Local));
    }

    fn wire_sends(&mut self, socket: SocketId, bytes: &[u8]) {
        let wire = self.wire(socket);
        if wire.state != State::Up || wire.send.is_some() || bytes.is_empty() {
            let text = format!(
                "{socket}: a send while {:?}, {:?} outstanding",
                wire.state, wire.send
            );
            return self.break_rule(Rule::Bounds, text);
        }
        wire.send = Some(bytes.len() as u64);
        wire.stream.extend_from_slice(bytes);
        let judged = self.judge_socket_send(socket, bytes);
        self.hold(rule_of(socket), judged);
        self.fill_wire(socket);
    }

    fn fill_wire(&mut self, socket: SocketId) {
        let wire = self.wire(socket);
        let Some(waiting) = wire.send else { return };
        let room = if wire.udp {
            waiting
        } else {
            SOCKET.saturating_sub(wire.handed - wire.arrived)
        };
        let part = waiting.min(room);
        if waiting > 0 {
            wire.handed += part;
            wire.send = Some(waiting - part);
            if part == waiting {
                self.wire_after(socket, 60, WireEvent::Sent);
            }
        }
        let delay = self.style_of(socket).delay;
        self.tick_wire(socket, delay);
    }

    fn tick_wire(&mut self, socket: SocketId, wait: u64) {
        let attached = self.attached;
        let wire = self.wire(socket);
        if !wire.ticking && !wire.udp && wire.handed > wire.arrived && !wire.stalled && attached {
            wire.ticking = true;
            self.wire_after(socket, wait, WireEvent::Arrive);
        }
    }

    pub(super) fn wire_event(&mut self, socket: SocketId, generation: u64, event: WireEvent) {
        if generation == self.wire(socket).generation {
            self.wake_if_due();
        }
        if generation != self.wire(socket).generation {
            return;
        }
        match event {
            WireEvent::Up => self.wire_up(socket),
            WireEvent::Down(reason) => self.wire_lost(socket, reason),
            WireEvent::Sent => self.wire_took(socket),
            WireEvent::Arrive => self.wire_arrives(socket),
            WireEvent::Report => self.report_wire(socket),
            WireEvent::Read => self.host_reads_wire(socket),
            WireEvent::Peer => self.peer_acts(socket),
            WireEvent::HangUp => self.peer_hangs_up(socket),
            WireEvent::Fault => self.wire_fault(socket),
            WireEvent::Wake => self.unstall_wire(socket),
        }
    }

    fn wire_up(&mut self, socket: SocketId) {
        if self.server_is_away(socket) {
            // It went while it answered.
            return self.wire_lost(socket, CloseReason::Refused);
        }
        self.way_is_up(socket);
        self.sum.connections += 1;
        let style = self.style_of(socket);
        let wire = self.wire(socket);
        wire.state = State::Up;
        let fault = (style.fault_every > 0).then(|| wire.rng.wait(style.fault_every));
        if let Some(wait) = fault {
            self.wire_after(socket, wait, WireEvent::Fault);
        }
        self.peer_connected(socket);
        let local = SocketAddr::from((Ipv4Addr::new(10, 0, 0, 2), 40_000));
        self.socket_input(socket, SocketInput::Connected { local });
    }

    fn wire_took(&mut self, socket: SocketId) {
        let style = self.style_of(socket);
        let healed = self.healed;
        let wire = self.wire(socket);
        if wire.state != State::Up || wire.send.take().is_none() {
            return;
        }
        if wire.udp {
            let (handed, lost) = (
                wire.handed,
                !healed && wire.rng.chance(style.datagrams_lost),
            );
            if lost {
                wire.arrived = handed;
            } else {
                self.arrives(socket, handed);
            }
        }
        self.socket_sent(socket);
        self.socket_input(socket, SocketInput::Sent);
    }

    fn wire_arrives(&mut self, socket: SocketId) {
        let (attached, healed, style) = (self.attached, self.healed, self.style_of(socket));
        let wire = self.wire(socket);
        wire.ticking = false;
        if wire.stalled || !attached {
            return;
        }
        if wire.closed {
            // Bytes for a program that is gone.
            return self.wire_lost(socket, CloseReason::Reset);
        }
        let part = (wire.handed - wire.arrived).min(2920);
        let upto = wire.arrived + part;
        let told = healed || !wire.rng.chance(style.acks_lost);
        self.arrives(socket, upto);
        if told {
            self.wire_after(socket, style.delay, WireEvent::Report);
        }
        self.fill_wire(socket);
        let pace = part * SEC / style.rate.max(1);
        self.tick_wire(socket, pace.max(500));
    }

    /// The first `upto` bytes of the connection are with the peer's program.
    fn arrives(&mut self, socket: SocketId, upto: u64) {
        let wire = self.wire(socket);
        let place = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        let new = wire.stream[place(wire.arrived)..place(upto)].to_vec();
        wire.arrived = upto;
        if !new.is_empty() {
            self.peer_receives(socket, upto, &new);
        }
    }

    fn report_wire(&mut self, socket: SocketId) {
        let wire = self.wire(socket);
        if wire.state == State::Up && wire.arrived > wire.reported {
            wire.reported = wire.arrived;
            let bytes = wire.reported;
            self.note_wire("acked", socket, bytes, &[]);
            self.ways[socket.index()].show();
            self.socket_acked(socket, bytes);
            self.socket_input(socket, SocketInput::Acked(bytes));
        }
    }

    /// The connection (or the attempt) is over. Towards an HTTP server the last word is the truth: a request that was
    /// not acknowledged did not arrive.
    fn wire_lost(&mut self, socket: SocketId, reason: CloseReason) {
        let wire = self.wire(socket);
        if wire.state == State::Idle {
            return;
        }
        let truth = socket == SocketId::Httpd || wire.rng.chance(60);
        let acked = if wire.udp {
            0
        } else if truth {
            wire.arrived
        } else {
            wire.reported
        };
        self.note_wire("closed", socket, acked, reason.to_string().as_bytes());
        self.socket_closed(socket, acked, reason);
        let rests = self.has_nothing_for(socket);
        self.wire(socket).reset(State::Idle);
        let way = &mut self.ways[socket.index()];
        if acked > 0 {
            way.show();
        }
        way.down(self.now, rests);
        self.socket_input(socket, SocketInput::Closed { reason, acked });
    }

    fn wire_fault(&mut self, socket: SocketId) {
        let style = self.style_of(socket);
        if self.healed || self.wire(socket).state != State::Up {
            return;
        }
        let may_hang_up = self.may_hang_up(socket);
        let wire = self.wire(socket);
        let (kind, pause, half_open) = (
            wire.rng.range(0, 4),
            wire.rng.wait(10 * SEC),
            wire.rng.range(20, 90),
        );
        let next = wire.rng.wait(style.fault_every);
        match kind {
            0 => return self.wire_lost(socket, CloseReason::Reset),
            1 if may_hang_up => wire.close_behind(),
            1 => {}
            2 => {
                wire.stalled = true;
                self.wire_after(
                    socket,
                    half_open * SEC,
                    WireEvent::Down(CloseReason::TimedOut),
                );
            }
            _ => {
                wire.stalled = true;
                self.wire_after(socket, pause, WireEvent::Wake);
                self.wire_after(socket, pause + next, WireEvent::Fault);
            }
        }
        self.note_wire("fault", socket, kind, &[]);
        self.plan_wire_read(socket);
    }

    fn peer_hangs_up(&mut self, socket: SocketId) {
        if self.may_hang_up(socket) {
            self.wire(socket).close_behind();
            self.plan_wire_read(socket);
        }
    }

    fn unstall_wire(&mut self, socket: SocketId) {
        if self.server_is_away(socket) {
            return;
        }
        self.wire(socket).stalled = false;
        self.tick_wire(socket, MS);
        self.plan_wire_read(socket);
    }

    /// Network back, or everything healed: what hangs moves again.
    pub(super) fn wake_wires(&mut self) {
        for socket in of_modes() {
            if self.healed {
                self.wire(socket).stalled = false;
                self.wire_after(socket, 30 * MS, WireEvent::Report);
            }
            self.tick_wire(socket, MS);
            self.plan_wire_read(socket);
        }
    }

    /// The network is away for long: connections do not outlive it.
    pub(super) fn cut_wires(&mut self, wait: u64) {
        for socket in of_modes() {
            self.wire_after(socket, wait, WireEvent::Down(CloseReason::TimedOut));
        }
    }

    pub(super) fn plan_wire_read(&mut self, socket: SocketId) {
        let attached = self.attached;
        let wire = &self.wires[place(socket)];
        let something = !wire.coming.is_empty() || wire.closed;
        let ready =
            something && !wire.read_planned && wire.state == State::Up && !wire.stalled && attached;
        if ready && self.device.wants_socket(socket) {
            self.wire(socket).read_planned = true;
            let delay = self.style_of(socket).delay / 2;
            let late = self.lateness(self.scenario.host.late_read) + delay;
            self.wire_after(socket, late, WireEvent::Read);
        }
    }

    fn host_reads_wire(&mut self, socket: SocketId) {
        let wanted = self.device.wants_socket(socket);
        let attached = self.attached;
        let most = self.scenario.modes.read_max;
        let wire = self.wire(socket);
        wire.read_planned = false;
        if wire.state != State::Up || !wanted || wire.stalled || !attached {
            return;
        }
        if wire.coming.is_empty() {
            if wire.closed {
                self.wire_lost(socket, CloseReason::PeerClosed);
            }
            return;
        }
        let (bytes, printed) = wire.take_read(most);
        self.note_wire("socket in", socket, printed.len() as u64, &bytes);
        if !printed.is_empty() {
            self.books.down.expect(socket, &printed);
        }
        self.ways[socket.index()].show();
        self.socket_read(socket);
        self.socket_input(socket, SocketInput::Data(&bytes));
        self.plan_wire_read(socket);
    }

    fn socket_input(&mut self, socket: SocketId, input: SocketInput<'_>) {
        self.catch_up();
        self.call(Input::Socket(socket, input));
    }

    /// The host is gone: so are its sockets.
    pub(super) fn drop_wires(&mut self) {
        for socket in of_modes() {
            self.wire(socket).reset(State::Idle);
        }
    }
}

/// Its place among the wires.
pub(super) const fn place(socket: SocketId) -> usize {
    socket.index() - LINKS
}

/// Number of sockets that are no link's.
pub(super) const WIRES: usize = SOCKETS - LINKS;

/// The sockets that are no link's.
pub(super) fn of_modes() -> impl Iterator<Item = SocketId> {
    SocketId::ALL
        .into_iter()
        .filter(|socket| socket.link().is_none())
}

const NO_ROUTE: WireEvent = WireEvent::Down(CloseReason::Unreachable);

/// How an attempt ends, and when.
fn fate(wire: &mut Wire, style: &NetStyle, healed: bool) -> (WireEvent, u64) {
    let roll = wire.rng.range(0, 99);
    let steps = [
        (style.refused, style.delay, CloseReason::Refused),
        (style.silent, 20 * SEC, CloseReason::TimedOut),
        (style.no_name, 40 * MS, CloseReason::NameNotFound),
    ];
    let mut top = 0;
    for (percent, wait, reason) in steps {
        let hit = (top..top + percent).contains(&roll)
            && !(wire.udp && reason != CloseReason::NameNotFound);
        if hit && !healed {
            return (WireEvent::Down(reason), wait);
        }
        top += percent;
    }
    (WireEvent::Up, style.delay * 2)
}
