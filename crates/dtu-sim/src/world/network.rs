//! The network between the host and all servers: how attempts end, how bytes move, and what goes wrong with a connection
//! that stands.

use std::net::{Ipv4Addr, SocketAddr};

use dtu_proto::config::Protocol;
use dtu_proto::event::{CloseReason, Connect, Input, Payload, SocketId, SocketInput, SocketOutput};

use super::socket::{Signs, Socket, SocketEvent, State};
use super::{Event, Rule, World};
use crate::scenario::NetStyle;
use crate::{MS, SEC};

/// The host reads so many bytes of a link at once.
const LINK_READ: usize = 4096;
/// How an attempt ends without a network, and when.
const NO_ROUTE: (SocketEvent, u64) = (SocketEvent::Down(CloseReason::Unreachable), 5 * MS);

impl World {
    pub(super) fn socket(&mut self, id: SocketId) -> &mut Socket {
        &mut self.sockets[id.index()]
    }

    /// How the network to its server is.
    pub(super) fn style_of(&self, id: SocketId) -> NetStyle {
        let to = self.sockets[id.index()].to.as_ref();
        let address = to.map_or("", |to| to.address.as_str());
        *self.scenario.style(self.scenario.server_of(id, address))
    }

    pub(super) fn note_socket(
        &mut self,
        what: &'static str,
        id: SocketId,
        number: u64,
        bytes: &[u8],
    ) {
        let place = self.socket(id).number();
        self.trace.add(self.now, what, place, number, bytes);
    }

    pub(super) fn socket_after(&mut self, id: SocketId, wait: u64, event: SocketEvent) {
        let generation = self.socket(id).generation;
        self.after(wait, Event::Socket(id, generation, event));
    }

    pub(super) fn on_socket(&mut self, id: SocketId, output: SocketOutput) {
        match output {
            SocketOutput::Connect(connect) => self.connect(id, connect),
            SocketOutput::Send(payload) => {
                self.note_socket("send", id, payload.len() as u64, &payload.body);
                self.send(id, &payload);
            }
            SocketOutput::Close => self.close(id),
        }
    }

    fn connect(&mut self, id: SocketId, connect: Connect) {
        let address = connect.address.as_bytes();
        self.note_socket("connect", id, u64::from(connect.port), address);
        let state = self.socket(id).state;
        if state != State::Idle {
            let text = format!("{id}: connect while {state:?}");
            return self.break_rule(Rule::Bounds, text);
        }
        self.judge_connect(id, &connect);
        let server = self.scenario.server_of(id, &connect.address);
        let style = *self.scenario.style(server);
        let is_tcp = connect.protocol == Protocol::Tcp;
        let outage = is_tcp
            .then(|| self.attempt_meets(id, server, style.delay))
            .flatten();
        let attached = self.attached;
        let decided = match outage {
            _ if !attached => Some(NO_ROUTE),
            Some((wait, failure)) => {
                Some((failure.map_or(SocketEvent::Up, SocketEvent::Down), wait))
            }
            None => None,
        };
        let healed = self.healed;
        let socket = self.socket(id);
        socket.reset(State::Connecting);
        socket.to = Some(connect);
        // A link's attempt draws its fate even where that is decided, so that seeds stay what they are.
        let drawn =
            (decided.is_none() || id.link().is_some()).then(|| draw_fate(socket, &style, healed));
        if let Some((event, wait)) = decided.or(drawn) {
            self.socket_after(id, wait, event);
        }
    }

    fn close(&mut self, id: SocketId) {
        self.note_socket("close", id, 0, &[]);
        match self.socket(id).state {
            State::Up => {
                let delivers = self.socket(id).delivers_the_rest();
                self.peer_closing(id);
                if delivers {
                    let handed = self.socket(id).handed;
                    self.arrive(id, handed);
                }
            }
            State::Connecting => {}
            state @ (State::Idle | State::Closing) => {
                return self.break_rule(Rule::Bounds, format!("{id}: close while {state:?}"));
            }
        }
        let socket = self.socket(id);
        socket.state = State::Closing;
        socket.generation += 1;
        let wait = self.close_takes();
        self.socket_after(id, wait, SocketEvent::Down(CloseReason::Local));
    }

    /// How long the host needs to close a socket.
    fn close_takes(&mut self) -> u64 {
        let late = self.scenario.ends.late_close;
        if late == 0 || self.healed || self.ends_rng.chance(50) {
            return 2 * MS;
        }
        self.ends_rng.range(2 * MS, late)
    }

    fn send(&mut self, id: SocketId, payload: &Payload) {
        let now = self.now;
        let socket = self.socket(id);
        if socket.state != State::Up || socket.send.is_some() || payload.is_empty() {
            let text = format!(
                "{id}: a send of {} bytes while {:?}, {:?} outstanding",
                payload.len(),
                socket.state,
                socket.send
            );
            return self.break_rule(Rule::Bounds, text);
        }
        socket.give(payload, now);
        self.judge_send(id, payload);
        self.fill(id);
        self.peer_hears(id, payload);
    }

    fn fill(&mut self, id: SocketId) {
        if self.socket(id).fill() {
            self.socket_after(id, 60, SocketEvent::Sent);
        }
        let delay = self.style_of(id).delay;
        self.tick(id, delay);
    }

    /// Plans the next arrival, if something is under way.
    pub(super) fn tick(&mut self, id: SocketId, wait: u64) {
        let attached = self.attached;
        let socket = self.socket(id);
        if !socket.is_ticking && socket.moves_on(attached) {
            socket.is_ticking = true;
            self.socket_after(id, wait, SocketEvent::Arrive);
        }
    }

    pub(super) fn socket_event(&mut self, id: SocketId, generation: u64, event: SocketEvent) {
        // Else what is due by now (a close, say) would meet news of a socket that is gone.
        if generation == self.socket(id).generation {
            self.wake_if_due();
        }
        if generation != self.socket(id).generation {
            return;
        }
        match event {
            SocketEvent::Up => self.up(id),
            SocketEvent::Down(reason) => self.lose(id, reason),
            SocketEvent::Sent => self.socket_took(id),
            SocketEvent::Arrive => self.next_arrival(id),
            SocketEvent::Report => self.report(id),
            SocketEvent::Read => self.host_reads_socket(id),
            SocketEvent::Peer => self.peer_acts(id),
            SocketEvent::HangUp => self.peer_hangs_up(id),
            SocketEvent::Fault => self.fault(id),
            SocketEvent::Wake => self.unstall(id),
        }
    }

    fn up(&mut self, id: SocketId) {
        if self.server_is_away(id) {
            // It went while it answered.
            return self.lose(id, CloseReason::Refused);
        }
        self.connection_is_back(id);
        self.sum.connections += 1;
        let now = self.now;
        let socket = self.socket(id);
        socket.state = State::Up;
        socket.signs = Signs::since(now);
        // The order of draws makes a seed what it is.
        if id.link().is_some() {
            self.peer_connected(id);
            self.plan_fault(id);
        } else {
            self.plan_fault(id);
            self.peer_connected(id);
        }
        let local = SocketAddr::from((Ipv4Addr::new(10, 0, 0, 2), 40_000));
        self.socket_input(id, SocketInput::Connected { local });
    }

    /// Whether the connection goes to a server that is away. Datagrams do not ask.
    fn server_is_away(&self, id: SocketId) -> bool {
        let socket = &self.sockets[id.index()];
        let to = socket.to.as_ref().filter(|_| !socket.is_udp());
        let server = to.map(|to| self.scenario.server_of(id, &to.address));
        server.is_some_and(|server| self.servers[server.index()].is_away())
    }

    fn socket_took(&mut self, id: SocketId) {
        let style = self.style_of(id);
        let is_lost = !self.healed
            && match id {
                SocketId::Link(_) => self.rng.chance(style.datagrams_lost),
                SocketId::AtMode | SocketId::Httpd | SocketId::Destination(_) => {
                    let socket = self.socket(id);
                    socket.is_udp() && socket.rng.chance(style.datagrams_lost)
                }
            };
        let socket = self.socket(id);
        if socket.state != State::Up || socket.send.take().is_none() {
            return;
        }
        if socket.is_udp() {
            self.datagram_is_out(id, is_lost);
        }
        self.send_is_taken(id);
        self.socket_input(id, SocketInput::Sent);
    }

    fn datagram_is_out(&mut self, id: SocketId, is_lost: bool) {
        let what = if is_lost { "datagram lost" } else { "datagram" };
        self.note_socket(what, id, 0, &[]);
        let handed = self.socket(id).handed;
        if is_lost {
            self.socket(id).arrive(handed);
        } else {
            self.arrive(id, handed);
        }
        self.socket(id).reported = handed;
        self.note_report(id);
    }

    fn note_report(&mut self, id: SocketId) {
        let now = self.now;
        let replies = id.link().is_some_and(|link| {
            let options = &self.scenario.options.links[link.index()];
            options.expect_heartbeat.is_some()
        });
        self.socket(id).signs.note_report(now, replies);
    }

    fn next_arrival(&mut self, id: SocketId) {
        let (attached, healed, style) = (self.attached, self.healed, self.style_of(id));
        let socket = self.socket(id);
        socket.is_ticking = false;
        if socket.is_stalled || !attached {
            return;
        }
        if socket.is_closed {
            // Bytes for a program that is gone.
            return self.lose(id, CloseReason::Reset);
        }
        let part = socket.next_segments();
        let upto = socket.arrived + part;
        let is_told = healed || !socket.rng.chance(style.acks_lost);
        self.arrive(id, upto);
        if is_told {
            let wait = self.report_takes(id, style.delay);
            self.socket_after(id, wait, SocketEvent::Report);
        }
        // Where all of a send is in the socket and not told yet, a link goes on at the pace of its peer.
        let is_sending = |waiting: u64| waiting > 0 || id.link().is_none();
        if self.socket(id).send.is_some_and(is_sending) {
            self.fill(id);
        }
        let pace = part * SEC / style.rate.max(1);
        self.tick(id, pace.max(500));
    }

    fn report_takes(&mut self, id: SocketId, delay: u64) -> u64 {
        match id {
            SocketId::Link(_) => self.rng.range(100, 20 * MS),
            SocketId::AtMode | SocketId::Httpd | SocketId::Destination(_) => delay,
        }
    }

    /// The first `upto` bytes of the connection are with the peer's program.
    fn arrive(&mut self, id: SocketId, upto: u64) {
        let new = self.socket(id).arrive(upto);
        if !new.is_empty() {
            self.peer_receives(id, upto, &new);
        }
    }

    fn report(&mut self, id: SocketId) {
        let socket = self.socket(id);
        if socket.state != State::Up || socket.arrived <= socket.reported {
            return;
        }
        socket.reported = socket.arrived;
        let bytes = socket.reported;
        self.note_report(id);
        self.note_socket("acked", id, bytes, &[]);
        self.recoveries[id.index()].show();
        self.acknowledged(id, bytes);
        self.socket_input(id, SocketInput::Acked(bytes));
    }

    /// The connection (or the attempt) is over.
    fn lose(&mut self, id: SocketId, reason: CloseReason) {
        let socket = self.socket(id);
        if socket.state == State::Idle {
            return;
        }
        let acked = socket.last_count();
        self.note_socket("closed", id, acked, reason.to_string().as_bytes());
        self.connection_is_over(id, acked, reason);
        let rests = self.has_nothing_for(id);
        self.socket(id).reset(State::Idle);
        let way = &mut self.recoveries[id.index()];
        if acked > 0 {
            way.show();
        }
        way.down(self.now, rests);
        self.socket_input(id, SocketInput::Closed { reason, acked });
    }

    fn plan_fault(&mut self, id: SocketId) {
        let every = self.style_of(id).fault_every;
        if every > 0 {
            let wait = self.socket(id).rng.wait(every);
            self.socket_after(id, wait, SocketEvent::Fault);
        }
    }

    /// Something breaks on a connection that stands.
    fn fault(&mut self, id: SocketId) {
        let style = self.style_of(id);
        if self.healed || self.socket(id).state != State::Up {
            return;
        }
        let may_hang_up = self.may_hang_up(id);
        let rng = &mut self.socket(id).rng;
        let (kind, pause, half_open) = (rng.range(0, 4), rng.wait(10 * SEC), rng.range(20, 90));
        let next = rng.wait(style.fault_every);
        self.note_socket("fault", id, kind, &[]);
        match kind {
            0 => return self.lose(id, CloseReason::Reset),
            1 if id.link().is_some() => return self.lose(id, CloseReason::PeerClosed),
            1 => self.socket(id).is_closed |= may_hang_up,
            2 => {
                self.socket(id).is_stalled = true;
                let end = SocketEvent::Down(CloseReason::TimedOut);
                self.socket_after(id, half_open * SEC, end);
            }
            _ => {
                self.socket(id).is_stalled = true;
                self.socket_after(id, pause, SocketEvent::Wake);
                self.socket_after(id, pause + next, SocketEvent::Fault);
            }
        }
        self.plan_socket_read(id);
    }

    fn peer_hangs_up(&mut self, id: SocketId) {
        if self.may_hang_up(id) {
            self.socket(id).is_closed = true;
            self.plan_socket_read(id);
        }
    }

    fn unstall(&mut self, id: SocketId) {
        if id.link().is_some() || !self.server_is_away(id) {
            self.socket(id).is_stalled = false;
            self.tick(id, MS);
            self.plan_socket_read(id);
        }
    }

    /// Healed: what hangs moves again, what was not reported is reported.
    pub(super) fn heal_sockets(&mut self) {
        self.heal_servers();
        self.scenario.heal();
        SocketId::ALL
            .into_iter()
            .for_each(|id| self.heal_socket(id));
    }

    pub(super) fn heal_socket(&mut self, id: SocketId) {
        self.socket(id).is_stalled = false;
        self.socket_after(id, 30 * MS, SocketEvent::Report);
        self.tick(id, MS);
        self.plan_socket_read(id);
    }

    pub(super) fn plan_socket_read(&mut self, id: SocketId) {
        let socket = &self.sockets[id.index()];
        let is_due = socket.is_readable(self.attached) && !socket.read_planned;
        if is_due && self.device.wants_socket(id) {
            self.socket(id).read_planned = true;
            let delay = self.style_of(id).delay / 2;
            let late = self.lateness(self.scenario.host.late_read) + delay;
            self.socket_after(id, late, SocketEvent::Read);
        }
    }

    fn host_reads_socket(&mut self, id: SocketId) {
        let (wanted, attached) = (self.device.wants_socket(id), self.attached);
        let most = match id {
            SocketId::Link(_) => LINK_READ,
            SocketId::AtMode | SocketId::Httpd | SocketId::Destination(_) => {
                self.scenario.modes.read_max
            }
        };
        let socket = self.socket(id);
        socket.read_planned = false;
        if !wanted || !socket.is_readable(attached) {
            return;
        }
        let Some((bytes, printed)) = socket.take_read(most) else {
            return self.lose(id, CloseReason::PeerClosed);
        };
        self.recoveries[id.index()].show();
        self.catch_up();
        self.note_socket("socket in", id, printed.len() as u64, &bytes);
        self.host_has_read(id, &bytes, &printed);
        self.call(Input::Socket(id, SocketInput::Data(&bytes)));
        self.note_life(id);
    }

    fn socket_input(&mut self, id: SocketId, input: SocketInput<'_>) {
        self.catch_up();
        self.call(Input::Socket(id, input));
    }

    /// The host is gone: so are its sockets.
    pub(super) fn drop_sockets(&mut self) {
        for socket in &mut self.sockets {
            socket.reset(State::Idle);
        }
        self.recoveries_begin_anew();
    }
}

/// How an attempt ends, and when.
fn draw_fate(socket: &mut Socket, style: &NetStyle, healed: bool) -> (SocketEvent, u64) {
    let roll = socket.rng.range(0, 99);
    let steps = [
        (style.refused, style.delay, CloseReason::Refused),
        (style.silent, 20 * SEC, CloseReason::TimedOut),
        (style.no_name, 40 * MS, CloseReason::NameNotFound),
    ];
    let mut top = 0;
    for (percent, wait, reason) in steps {
        let hit = (top..top + percent).contains(&roll)
            && !(socket.is_udp() && reason != CloseReason::NameNotFound);
        if hit && !healed {
            return (SocketEvent::Down(reason), wait);
        }
        top += percent;
    }
    (SocketEvent::Up, style.delay * 2)
}
