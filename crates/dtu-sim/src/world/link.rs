//! A link of the transparent mode and the server at its end: sends are judged, heartbeats watched; the server speaks,
//! commands and answers what the settings expect.

use dtu_proto::config::{Config, Expect, HeartbeatTo, RegistrationWhen};
use dtu_proto::event::{Connect, LinkId, Origin, Payload, SocketId};

use super::socket::{SocketEvent, State};
use super::{Rule, World};
use crate::commands::origin_slot;
use crate::downlink::REPLY;
use crate::http::Print;
use crate::uplink::{Rules, SendKind};
use crate::{MS, SEC, commands, micros};

/// What a server may have under way to a device that does not read.
const WINDOW: usize = 64 * 1024;
/// Attempts of a link in ten seconds, whatever happens to it.
const ATTEMPTS_MAX: u32 = 50;

impl World {
    pub(super) fn judge_link_connect(&mut self, link: LinkId, connect: &Connect) {
        self.hold(Rule::Commands, self.ledger.connect_is_as_set(link, connect));
        // Back-off: some at once, then ever fewer.
        let slot = self.now / (10 * SEC);
        let (of, count) = &mut self.sockets[link.index()].attempts;
        *count = if *of == slot { *count + 1 } else { 1 };
        *of = slot;
        if *count > ATTEMPTS_MAX {
            self.break_rule(
                Rule::Bounds,
                format!("link {link}: {ATTEMPTS_MAX} attempts in ten seconds"),
            );
        }
    }

    /// The device asks for a reply, where one is expected.
    fn asks(&mut self, link: LinkId, expect: Option<Box<Expect>>) {
        if let Some(expect) = expect {
            let within = micros(expect.within);
            self.sockets[link.index()]
                .signs
                .expect_reply(self.now, within);
        }
    }

    pub(super) fn judge_link_send(&mut self, link: LinkId, payload: &Payload) {
        // A change that this very input brings counts already; whether it may come is judged after the call.
        let set = self.ledger.watch.expected.clone();
        let judged = self.judge_send_by(&set, link, payload);
        let judged = judged.or_else(|old| {
            let set = self.device.config().clone();
            self.judge_send_by(&set, link, payload).map_err(|_| old)
        });
        match judged {
            Ok(SendKind::Heartbeat) => self.heartbeat_sent(link),
            Ok(SendKind::Reply) => {
                let paid = self.ledger.pay(Origin::Link(link));
                self.hold(Rule::Commands, paid);
            }
            Ok(SendKind::Registration) => {
                let options = &self.scenario.options.links[link.index()];
                let expect = options.expect_registration.clone();
                self.asks(link, expect);
            }
            Ok(SendKind::Frame(_)) => {}
            Err(text) if text.contains("registration") || text.contains("preceded") => {
                self.break_rule(Rule::Registration, format!("link {link}: {text}"));
            }
            Err(text) if payload.body.starts_with(b"\r\n") => {
                self.break_rule(Rule::Commands, format!("link {link}: {text}"))
            }
            Err(text) => self.break_rule(Rule::Frames, format!("link {link}: {text}")),
        }
    }

    fn judge_send_by(
        &mut self,
        set: &Config,
        link: LinkId,
        payload: &Payload,
    ) -> Result<SendKind, String> {
        let to_network = set.heartbeat_to == HeartbeatTo::Network && set.heartbeat_interval > 0;
        let slot = origin_slot(Origin::Link(link));
        let reply = self.ledger.owed[slot].1 > 0;
        let dropped = self
            .ledger
            .uplink(link)
            .links
            .clone()
            .iter()
            .map(|of| self.ledger.dropped[of.index()])
            .sum();
        let rules = Rules {
            registration: &set.registration,
            with_data: set.registration_when == RegistrationWhen::WithData,
            heartbeat: (to_network && !set.heartbeat.is_empty()).then_some(&set.heartbeat),
            registers_again: self.scenario.options.links[link.index()]
                .expect_registration
                .is_some(),
            reply,
            dropped,
        };
        self.ledger
            .uplink(link)
            .send(link.into(), &payload.prefix, &payload.body, &rules)
    }

    fn heartbeat_sent(&mut self, link: LinkId) {
        self.sum.heartbeats += 1;
        let set = &self.ledger.watch.expected;
        let interval = set
            .heartbeat_interval
            .min(self.device.config().heartbeat_interval);
        let signs = &mut self.sockets[link.index()].signs;
        let idle = self.now - signs.last;
        let was_due = std::mem::take(&mut signs.heartbeat_waits);
        if idle < u64::from(interval) * SEC && !was_due {
            self.break_rule(
                Rule::Heartbeat,
                format!("link {link}: heartbeat after {} ms of silence", idle / MS),
            );
        }
        if let expect @ Some(_) = self.scenario.options.links[link.index()]
            .expect_heartbeat
            .clone()
        {
            self.sockets[link.index()].signs.last = self.now;
            self.asks(link, expect);
        }
    }

    /// The device has had data. Deadlines fire before they count: a heartbeat that was due came in that very call, unless
    /// the socket has still to take what was sent before it.
    pub(super) fn note_life(&mut self, id: SocketId) {
        let interval = u64::from(self.ledger.watch.expected.heartbeat_interval) * SEC;
        let now = self.now;
        let socket = self.socket(id);
        let is_sending = socket.send.is_some();
        socket.signs.heartbeat_waits = is_sending && now - socket.signs.last >= interval;
        socket.signs.last = now;
    }

    /// Heartbeats that are due must come.
    pub(super) fn check_silence(&mut self) {
        let set = &self.ledger.watch.expected;
        let interval = u64::from(set.heartbeat_interval) * SEC;
        let on = interval > 0 && !set.heartbeat.is_empty();
        if !on || set.heartbeat_to != HeartbeatTo::Network {
            return;
        }
        let host = &self.scenario.host;
        let slack = 1500 * MS + 2 * host.late_timer + 2 * host.late_read;
        for link in LinkId::ALL {
            let socket = &self.sockets[link.index()];
            let since = socket.signs.last.max(self.ledger.settings_at);
            if socket.state == State::Up && self.now - since > 2 * interval + slack {
                let idle = (self.now - since) / SEC;
                self.break_rule(
                    Rule::Heartbeat,
                    format!("link {link}: {idle} s of silence and no heartbeat"),
                );
            }
        }
    }

    /// A reply that the settings expect is the device's own, where it waits for one and is not to pass it on.
    pub(super) fn servers_reply(&mut self, link: LinkId) {
        let options = &self.scenario.options.links[link.index()];
        let expects = [&options.expect_registration, &options.expect_heartbeat];
        let passes = expects.into_iter().flatten().any(|expect| expect.pass);
        let is_awaited = self.sockets[link.index()].signs.take_reply(self.now);
        if !is_awaited || passes {
            self.ledger.downlink.may_print_reply();
        }
    }

    /// The server speaks by itself.
    pub(super) fn link_server_speaks(&mut self, link: LinkId) {
        if self.healed {
            return;
        }
        let id = SocketId::Link(link);
        let style = self.style_of(id);
        let attached = self.attached;
        let socket = self.socket(id);
        let next = socket.rng.wait(style.server_pause);
        let stands = socket.state == State::Up && !socket.is_stalled && attached;
        if stands && socket.inbound_bytes < WINDOW {
            if socket.rng.chance(style.server_commands) {
                self.link_server_commands(link);
            } else {
                let is_udp = socket.is_udp();
                let most = style.server_max.min(if is_udp { 1400 } else { 60_000 });
                let len = socket.rng.size(1, most);
                let bytes = server_bytes(link, &mut socket.server_position, len);
                socket.queue(bytes, Print::Nothing, is_udp);
            }
        }
        self.socket_after(id, next, SocketEvent::Peer);
        self.plan_socket_read(id);
    }

    /// A command of the center: right or wrong password, alone in its segment.
    fn link_server_commands(&mut self, link: LinkId) {
        let drawn = commands::draw(
            &mut self.sockets[link.index()].rng,
            &self.ledger.watch.expected,
            false,
        );
        let (text, action) = self.keep_password(drawn);
        let rng = &mut self.sockets[link.index()].rng;
        let right = self.ledger.watch.expected.password.clone();
        let password = if rng.chance(70) {
            right
        } else {
            rng.pick(&["admin", "nope", "pass1"]).to_owned()
        };
        let tail = rng.pick(&["", "\r\n", "\r"]);
        self.ledger.watch.know(&text, action);
        let line = format!("{password},{text}{tail}").into_bytes();
        self.sockets[link.index()].queue(line, Print::Nothing, true);
    }

    /// The server answers what the settings expect, most times.
    pub(super) fn link_server_hears(&mut self, link: LinkId, body: &[u8]) {
        let config = &self.ledger.watch.expected;
        let asked = body == config.registration || body == config.heartbeat;
        let options = &self.scenario.options.links[link.index()];
        let expected = options.expect_heartbeat.is_some() || options.expect_registration.is_some();
        let answers = self.style_of(link.into()).answers;
        let healed = self.healed;
        let socket = self.socket(link.into());
        if asked && expected && (healed || socket.rng.chance(answers)) && !socket.is_stalled {
            socket.queue(REPLY.to_vec(), Print::Nothing, true);
            self.plan_socket_read(link.into());
        }
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
