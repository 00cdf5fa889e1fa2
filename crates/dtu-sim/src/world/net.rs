//! The network: per link a socket with a bounded buffer, a peer's TCP that acknowledges, a server behind it, and
//! everything that can go wrong between them.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};

use cellular_sim::Rng;
use dtu_proto::config::Protocol;
use dtu_proto::event::{CloseReason, Connect, LinkId, SocketInput, SocketOutput};

use super::{Event, Rule, World};
use crate::downlink::REPLY;
use crate::{MS, SEC, commands};

/// `SO_SNDBUF`, as the host sets it.
const SOCKET: u64 = 32 * 1024;
/// What a server may have under way to a device that does not read.
const WINDOW: usize = 64 * 1024;

/// Attempts of a link in ten seconds, whatever happens to it.
const ATTEMPTS_MAX: u32 = 50;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NetEvent {
    Up,
    Down(CloseReason),
    Sent,
    Acknowledge,
    Report,
    Read,
    Serve,
    Fault,
    Wake,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum State {
    #[default]
    Idle,
    Connecting,
    Up,
    Closing,
}

/// One link's side of the network.
#[derive(Debug)]
pub(super) struct Net {
    pub(super) state: State,
    pub(super) generation: u64,
    rng: Rng,
    udp: bool,
    /// The outstanding send: bytes of it that the socket has not taken.
    pub(super) send: Option<u64>,
    handed: u64,
    acknowledged: u64,
    reported: u64,
    ticking: bool,
    /// The peer reads nothing (or its answers do not come): nothing moves.
    stalled: bool,
    /// What the servers have sent, in pieces as they arrive; `true`: stands alone.
    down: VecDeque<(Vec<u8>, bool)>,
    down_bytes: usize,
    read_planned: bool,
    server_position: u64,
    /// Last byte received or acknowledged, as the device was told; where heartbeats are answered, received or sent as one.
    pub(super) last_sign: u64,
    /// A heartbeat was due when the last data came, and something else was being sent.
    pub(super) beat_waits: bool,
    /// Since when something is not acknowledged, as far as the device knows.
    unreported_since: u64,
    /// Bytes that the device has given to the socket.
    given: u64,
    last_report: u64,
    /// When a reply that is awaited counts as missing.
    reply_due: Option<u64>,
    /// Attempts in this ten seconds.
    attempts: (u64, u32),
}

impl Net {
    pub(super) fn new(rng: Rng) -> Self {
        Self {
            state: State::Idle,
            generation: 0,
            rng,
            udp: false,
            send: None,
            handed: 0,
            acknowledged: 0,
            reported: 0,
            ticking: false,
            stalled: false,
            down: VecDeque::new(),
            down_bytes: 0,
            read_planned: false,
            server_position: 0,
            last_sign: 0,
            beat_waits: false,
            unreported_since: 0,
            given: 0,
            last_report: 0,
            reply_due: None,
            attempts: (0, 0),
        }
    }

    /// Another connection, or none: whatever was planned for the last is void.
    fn reset(&mut self, state: State) {
        self.state = state;
        self.generation += 1;
        self.send = None;
        (self.handed, self.acknowledged, self.reported, self.given) = (0, 0, 0, 0);
        self.reply_due = None;
        (self.ticking, self.stalled, self.read_planned) = (false, false, false);
        self.down.clear();
        self.down_bytes = 0;
    }

    /// The device was told that more is acknowledged.
    const fn note_report(&mut self, now: u64, replies_expected: bool) {
        self.last_report = now;
        if !replies_expected {
            self.last_sign = now;
        }
    }

    /// A question was sent whose reply is expected within so long.
    pub(super) fn asks(&mut self, now: u64, within: u64) {
        self.reply_due = self
            .reply_due
            .filter(|due| now < *due)
            .or(Some(now + within));
    }

    /// A reply is here: whether it is surely awaited.
    pub(super) fn is_answered(&mut self, now: u64) -> bool {
        self.reply_due.take().is_some_and(|due| now < due)
    }

    /// Whether the peer takes bytes, as far as the device was told.
    pub(super) fn moves(&self, now: u64) -> bool {
        let since = self.last_report.max(self.unreported_since);
        self.state == State::Up && (self.given == self.reported || now < since + 5 * SEC)
    }

    pub(super) const fn is_udp(&self) -> bool {
        self.udp
    }

    /// From now on nothing moves, if so.
    pub(super) const fn stall(&mut self, stalls: bool) {
        self.stalled |= stalls;
    }

    fn queue(&mut self, bytes: Vec<u8>, alone: bool) {
        self.down_bytes += bytes.len();
        self.down.push_back((bytes, alone));
    }
}

impl World {
    pub(super) fn on_link(&mut self, link: LinkId, output: SocketOutput) {
        match output {
            SocketOutput::Connect(connect) => self.connect(link, &connect),
            SocketOutput::Send(payload) => {
                self.note(
                    "send",
                    Some(link),
                    payload.prefix.len() as u64,
                    &payload.body,
                );
                self.send(link, &payload.prefix, &payload.body);
            }
            SocketOutput::Close => self.close(link),
        }
    }

    fn connect(&mut self, link: LinkId, connect: &Connect) {
        self.note("connect", Some(link), u64::from(connect.port), &[]);
        let net = &mut self.nets[link.index()];
        if net.state != State::Idle {
            let text = format!("link {link}: connect while {:?}", net.state);
            return self.break_rule(Rule::Bounds, text);
        }
        self.hold(Rule::Commands, self.books.connect_is_as_set(link, connect));
        self.count_attempt(link);
        let is_udp = connect.protocol == Protocol::Udp;
        let delay = self.scenario.nets[link.index()].delay;
        let outage = if is_udp {
            None
        } else {
            self.attempt_meets(link.into(), link.into(), delay)
        };
        let style = &self.scenario.nets[link.index()];
        let net = &mut self.nets[link.index()];
        net.reset(State::Connecting);
        net.udp = is_udp;
        let roll = net.rng.range(0, 99);
        let steps = [
            (style.refused, style.delay, CloseReason::Refused),
            (style.silent, 20 * SEC, CloseReason::TimedOut),
            (style.no_name, 40 * MS, CloseReason::NameNotFound),
        ];
        let (mut top, mut fate) = (0, (NetEvent::Up, style.delay * 2));
        for (percent, wait, reason) in steps {
            let hit = (top..top + percent).contains(&roll)
                && !(net.udp && reason != CloseReason::NameNotFound);
            if hit && !self.healed {
                fate = (NetEvent::Down(reason), wait);
            }
            top += percent;
        }
        if let Some((wait, failure)) = outage {
            fate = (failure.map_or(NetEvent::Up, NetEvent::Down), wait);
        }
        if !self.attached {
            fate = (NetEvent::Down(CloseReason::Unreachable), 5 * MS);
        }
        self.net_after(link, fate.1, fate.0);
    }

    /// Back-off: some at once, then ever fewer.
    fn count_attempt(&mut self, link: LinkId) {
        let slot = self.now / (10 * SEC);
        let (of, count) = &mut self.nets[link.index()].attempts;
        *count = if *of == slot { *count + 1 } else { 1 };
        *of = slot;
        if *count > ATTEMPTS_MAX {
            self.break_rule(
                Rule::Bounds,
                format!("link {link}: {ATTEMPTS_MAX} attempts in ten seconds"),
            );
        }
    }

    fn close(&mut self, link: LinkId) {
        self.note("close", Some(link), 0, &[]);
        let net = &mut self.nets[link.index()];
        match net.state {
            State::Up if net.rng.chance(50) && !net.stalled => {
                // The kernel still delivers what it has, though nobody hears of it.
                net.acknowledged = net.handed;
                self.books.arrived(link, net.handed);
            }
            State::Up | State::Connecting => {}
            State::Idle | State::Closing => {
                let text = format!("link {link}: close while {:?}", net.state);
                return self.break_rule(Rule::Bounds, text);
            }
        }
        let net = &mut self.nets[link.index()];
        net.state = State::Closing;
        net.generation += 1;
        let wait = self.close_takes();
        self.net_after(link, wait, NetEvent::Down(CloseReason::Local));
    }

    /// How long the host needs to close a socket.
    pub(super) fn close_takes(&mut self) -> u64 {
        let late = self.scenario.ends.late_close;
        if late == 0 || self.healed || self.ends_rng.chance(50) {
            return 2 * MS;
        }
        self.ends_rng.range(2 * MS, late)
    }

    pub(super) fn net_after(&mut self, link: LinkId, wait: u64, event: NetEvent) {
        let generation = self.nets[link.index()].generation;
        self.after(wait, Event::Net(link, generation, event));
    }

    fn send(&mut self, link: LinkId, prefix: &[u8], body: &[u8]) {
        let net = &self.nets[link.index()];
        if net.state != State::Up {
            return self.break_rule(
                Rule::Bounds,
                format!("link {link}: send while {:?}", net.state),
            );
        }
        if net.send.is_some() {
            return self.break_rule(
                Rule::Bounds,
                format!("link {link}: two sends are outstanding"),
            );
        }
        self.judge_send(link, prefix, body);
        let len = (prefix.len() + body.len()) as u64;
        let net = &mut self.nets[link.index()];
        if net.given == net.reported {
            net.unreported_since = self.now;
        }
        net.given += len;
        net.send = Some(len);
        self.fill_socket(link);
        self.answer(link, body);
    }

    /// The socket takes what it has room for.
    fn fill_socket(&mut self, link: LinkId) {
        let net = &mut self.nets[link.index()];
        let Some(waiting) = net.send else { return };
        if net.udp {
            net.handed += waiting;
            net.send = Some(0);
            return self.net_after(link, 60, NetEvent::Sent);
        }
        let part = waiting.min(SOCKET.saturating_sub(net.handed - net.acknowledged));
        net.handed += part;
        net.send = Some(waiting - part);
        if part == waiting {
            self.net_after(link, 60, NetEvent::Sent);
        }
        self.tick_acknowledge(link, self.scenario.nets[link.index()].delay);
    }

    fn tick_acknowledge(&mut self, link: LinkId, wait: u64) {
        let attached = self.attached;
        let net = &mut self.nets[link.index()];
        if !net.ticking && !net.udp && net.handed > net.acknowledged && !net.stalled && attached {
            net.ticking = true;
            self.net_after(link, wait, NetEvent::Acknowledge);
        }
    }

    pub(super) fn net_event(&mut self, link: LinkId, generation: u64, event: NetEvent) {
        if generation != self.nets[link.index()].generation {
            return;
        }
        // Else what is due by now (a close, say) would meet news of a socket that is gone.
        self.wake_if_due();
        if generation != self.nets[link.index()].generation {
            return;
        }
        match event {
            NetEvent::Up => self.up(link),
            NetEvent::Down(reason) => self.lose(link, reason),
            NetEvent::Sent => self.socket_took(link),
            NetEvent::Acknowledge => self.peer_acknowledges(link),
            NetEvent::Report => self.report(link),
            NetEvent::Read => self.host_reads_link(link),
            NetEvent::Serve => self.serve(link),
            NetEvent::Fault => self.fault(link),
            NetEvent::Wake => self.unstall(link),
        }
    }

    fn up(&mut self, link: LinkId) {
        if self.servers[link.index()].is_away() && !self.nets[link.index()].udp {
            // It went while it answered.
            return self.lose(link, CloseReason::Refused);
        }
        self.way_is_up(link.into());
        self.sum.connections += 1;
        let net = &mut self.nets[link.index()];
        net.state = State::Up;
        (net.last_sign, net.last_report) = (self.now, self.now);
        self.books.connected(link, net.udp);
        let style = &self.scenario.nets[link.index()];
        let serve = net.rng.wait(style.server_pause);
        let fault = (style.fault_every > 0).then(|| net.rng.wait(style.fault_every));
        self.net_after(link, serve, NetEvent::Serve);
        if let Some(wait) = fault {
            self.net_after(link, wait, NetEvent::Fault);
        }
        let local = SocketAddr::from((Ipv4Addr::new(10, 0, 0, 2), 40_000));
        self.link_input(link, SocketInput::Connected { local });
    }

    fn socket_took(&mut self, link: LinkId) {
        let lost = !self.healed
            && self
                .rng
                .chance(self.scenario.nets[link.index()].datagrams_lost);
        let net = &mut self.nets[link.index()];
        if net.state != State::Up || net.send.take().is_none() {
            return;
        }
        if net.udp {
            net.reported = net.given;
            net.note_report(
                self.now,
                self.scenario.options.links[link.index()]
                    .expect_heartbeat
                    .is_some(),
            );
            self.note(
                if lost { "datagram lost" } else { "datagram" },
                Some(link),
                0,
                &[],
            );
            self.books.sent(link);
        }
        self.link_input(link, SocketInput::Sent);
    }

    fn peer_acknowledges(&mut self, link: LinkId) {
        let attached = self.attached;
        let style = &self.scenario.nets[link.index()];
        let net = &mut self.nets[link.index()];
        net.ticking = false;
        if net.stalled || !attached {
            return;
        }
        let part = (net.handed - net.acknowledged).min(2920);
        net.acknowledged += part;
        let lost = !self.healed && net.rng.chance(style.acks_lost);
        let pace = part * SEC / style.rate;
        self.books.arrived(link, net.acknowledged);
        if !lost {
            let wait = self.rng.range(100, 20 * MS);
            self.net_after(link, wait, NetEvent::Report);
        }
        if self.nets[link.index()]
            .send
            .is_some_and(|waiting| waiting > 0)
        {
            self.fill_socket(link);
        }
        self.tick_acknowledge(link, pace.max(500));
    }

    fn report(&mut self, link: LinkId) {
        let net = &mut self.nets[link.index()];
        if net.state == State::Up && net.acknowledged > net.reported {
            net.reported = net.acknowledged;
            net.note_report(
                self.now,
                self.scenario.options.links[link.index()]
                    .expect_heartbeat
                    .is_some(),
            );
            let bytes = net.reported;
            self.ways[link.index()].show();
            self.note("acked", Some(link), bytes, &[]);
            self.books.acknowledged(link, bytes);
            self.link_input(link, SocketInput::Acked(bytes));
        }
    }

    /// The connection (or the attempt) is over; the last word on acknowledged bytes may be an old one.
    fn lose(&mut self, link: LinkId, reason: CloseReason) {
        let net = &mut self.nets[link.index()];
        if net.state == State::Idle {
            return;
        }
        let acked = if net.rng.chance(60) {
            net.acknowledged
        } else {
            net.reported
        };
        let acked = if net.udp { 0 } else { acked };
        net.reset(State::Idle);
        self.ways[link.index()].down(self.now, false);
        self.note("closed", Some(link), acked, reason.to_string().as_bytes());
        self.books.closed(link, acked);
        self.link_input(link, SocketInput::Closed { reason, acked });
    }

    /// Something breaks on a connection that stands.
    fn fault(&mut self, link: LinkId) {
        if self.healed || self.nets[link.index()].state != State::Up {
            return;
        }
        let net = &mut self.nets[link.index()];
        let (kind, pause, half_open) = (
            net.rng.range(0, 4),
            net.rng.wait(10 * SEC),
            net.rng.range(20, 90),
        );
        let next = net.rng.wait(self.scenario.nets[link.index()].fault_every);
        match kind {
            0 => self.lose(link, CloseReason::Reset),
            1 => self.lose(link, CloseReason::PeerClosed),
            2 => {
                self.note("half open", Some(link), 0, &[]);
                self.nets[link.index()].stalled = true;
                self.net_after(link, half_open * SEC, NetEvent::Down(CloseReason::TimedOut));
            }
            _ => {
                self.note("stalls", Some(link), pause, &[]);
                self.nets[link.index()].stalled = true;
                self.net_after(link, pause, NetEvent::Wake);
                self.net_after(link, pause + next, NetEvent::Fault);
            }
        }
    }

    pub(super) fn unstall(&mut self, link: LinkId) {
        self.nets[link.index()].stalled = false;
        self.tick_acknowledge(link, MS);
    }

    /// Healed: what hangs moves again, what was not reported is reported.
    pub(super) fn heal_nets(&mut self) {
        self.heal_servers();
        for link in LinkId::ALL {
            let style = &mut self.scenario.nets[link.index()];
            (style.rate, style.delay) = (1_000_000, 10 * MS);
            (style.acks_lost, style.datagrams_lost) = (0, 0);
            self.unstall(link);
            self.net_after(link, 30 * MS, NetEvent::Report);
        }
        self.scenario.modes.heal();
        self.wake_wires();
    }

    fn serve(&mut self, link: LinkId) {
        if self.healed {
            return;
        }
        let style = self.scenario.nets[link.index()].clone();
        let net = &mut self.nets[link.index()];
        let next = net.rng.wait(style.server_pause);
        if net.state == State::Up && !net.stalled && self.attached && net.down_bytes < WINDOW {
            if net.rng.chance(style.server_commands) {
                self.server_commands(link);
            } else {
                let len = net
                    .rng
                    .size(1, style.server_max.min(if net.udp { 1400 } else { 60_000 }));
                let bytes = server_bytes(link, &mut net.server_position, len);
                net.queue(bytes, net.udp);
            }
        }
        self.net_after(link, next, NetEvent::Serve);
        self.plan_link_read(link);
    }

    /// A command of the center: right or wrong password, alone in its segment.
    fn server_commands(&mut self, link: LinkId) {
        let drawn = commands::draw(
            &mut self.nets[link.index()].rng,
            &self.books.watch.expected,
            false,
        );
        let (text, deed) = self.spare_password(drawn);
        let rng = &mut self.nets[link.index()].rng;
        let right = self.books.watch.expected.password.clone();
        let password = if rng.chance(70) {
            right
        } else {
            rng.pick(&["admin", "nope", "pass1"]).to_owned()
        };
        let tail = rng.pick(&["", "\r\n", "\r"]);
        self.books.watch.know(&text, deed);
        let line = format!("{password},{text}{tail}").into_bytes();
        self.nets[link.index()].queue(line, true);
    }

    /// The server answers what the settings expect, most times.
    fn answer(&mut self, link: LinkId, body: &[u8]) {
        let config = &self.books.watch.expected;
        let asked = body == config.registration || body == config.heartbeat;
        let options = &self.scenario.options.links[link.index()];
        let expected = options.expect_heartbeat.is_some() || options.expect_registration.is_some();
        let answers = self.scenario.nets[link.index()].answers;
        let net = &mut self.nets[link.index()];
        if asked && expected && (self.healed || net.rng.chance(answers)) && !net.stalled {
            net.queue(REPLY.to_vec(), true);
            self.plan_link_read(link);
        }
    }

    pub(super) fn plan_link_read(&mut self, link: LinkId) {
        let net = &self.nets[link.index()];
        let ready = !net.down.is_empty() && !net.read_planned && net.state == State::Up;
        if ready && self.device.wants_socket(link) {
            self.nets[link.index()].read_planned = true;
            let late = self.lateness(self.scenario.host.late_read)
                + self.scenario.nets[link.index()].delay / 2;
            self.net_after(link, late, NetEvent::Read);
        }
    }

    fn host_reads_link(&mut self, link: LinkId) {
        let wanted = self.device.wants_socket(link);
        let net = &mut self.nets[link.index()];
        net.read_planned = false;
        if net.state != State::Up || !wanted {
            return;
        }
        let Some((mut bytes, alone)) = net.down.pop_front() else {
            return;
        };
        while !alone && bytes.len() < 4096 {
            if net.down.front().is_none_or(|(_, alone)| *alone) {
                break;
            }
            bytes.extend(net.down.pop_front().into_iter().flat_map(|(more, _)| more));
        }
        if !alone && bytes.len() > 4096 {
            let rest = bytes.split_off(4096);
            net.down.push_front((rest, false));
        }
        net.down_bytes -= bytes.len();
        // Deadlines fire before the data counts: a heartbeat that was due comes in this very call.
        self.ways[link.index()].show();
        self.link_input(link, SocketInput::Data(&bytes));
        let interval = u64::from(self.books.watch.expected.heartbeat_interval) * SEC;
        let net = &mut self.nets[link.index()];
        // Unless the socket has still to take what was sent before it.
        net.beat_waits = net.send.is_some() && self.now - net.last_sign >= interval;
        net.last_sign = self.now;
    }

    pub(super) fn detach(&mut self) {
        if self.healed || !self.attached {
            return;
        }
        self.attached = false;
        self.excuse_all();
        self.modem_input(false);
        let away = self.rng.wait(40 * SEC);
        self.after(away, Event::Attach);
        if away > 30 * SEC {
            for link in LinkId::ALL {
                self.net_after(link, 30 * SEC, NetEvent::Down(CloseReason::TimedOut));
            }
            self.cut_wires(30 * SEC);
        }
        self.again(self.scenario.detach_every, Event::Detach);
    }

    pub(super) fn attach(&mut self) {
        if !self.attached {
            self.attached = true;
            self.modem_input(true);
            for link in LinkId::ALL {
                self.tick_acknowledge(link, MS);
            }
            self.wake_wires();
        }
    }

    /// The host is gone: so are its sockets.
    pub(super) fn drop_sockets(&mut self) {
        self.nets.iter_mut().for_each(|net| net.reset(State::Idle));
        self.ways_begin_anew();
    }
}

/// The next bytes of a server: link k speaks in 0x80+32k..0xA0+32k.
fn server_bytes(link: LinkId, position: &mut u64, len: usize) -> Vec<u8> {
    let base = 0x80 + 32 * (link.number() - 1);
    let mut bytes = Vec::with_capacity(len);
    for _ in 0..len {
        *position += 1;
        let mixed = position.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 59;
        bytes.push(base + u8::try_from(mixed).unwrap_or(0));
    }
    bytes
}
