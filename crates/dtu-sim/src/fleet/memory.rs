//! Memory as a world for devices: a network that takes its time and loses nothing, and a server at its other end. Time is
//! what the fleet says.

use std::collections::{BTreeMap, VecDeque};
use std::net::{Ipv4Addr, SocketAddr};

use bytes::{Buf as _, Bytes, BytesMut};
use dtu_proto::event::{CloseReason, Payload};
use dtu_proto::radio::NetworkTime;

use super::host::{Connection, Host, News, Terminal, Wrote};
use super::plan::{Check, Plan};
use super::script::Script;
use super::timers::NEVER;
use crate::echo::{Echoed, Packets};

/// Bytes that are on their way to the server, or there and not acknowledged; what the kernel keeps of a device's socket.
const OUT_MAX: u64 = 64 * 1024;
/// Bytes of answers that are on their way, or nobody reads: beyond these the server reads nothing.
const BACK_MAX: usize = 256 * 1024;
/// Frames of a script that the server may hear again on a new connection, and such as it looks for ahead.
const HEARD_AGAIN: u32 = 64;
const HEARD_AHEAD: u32 = 8;

/// The network and its server.
pub(super) struct Memory<'a> {
    /// Virtual time in µs.
    pub(super) now: u64,
    plan: &'a Plan,
    /// From one end to the other, in µs.
    delay: u64,
    /// The server keeps about each so many-th packet for itself.
    swallow: Option<u32>,
    packets: Packets,
    /// With a script: the highest number that the server heard of a device.
    heard: BTreeMap<u32, u32>,
    /// What the server saw.
    pub(super) served: Echoed,
}

/// A serial line for a program: there is none.
pub(super) enum NoTerminal {}

/// A connection through the network.
pub(super) struct Pipe {
    device: u32,
    since: u64,
    delay: u64,
    /// When the device knows that it stands.
    stands_at: u64,
    up: bool,
    reads: bool,
    aborted: bool,
    /// When the radio went silent; [`NEVER`] = it is not.
    dark_at: u64,
    sending: Option<Payload>,
    written: u64,
    acked: u64,
    /// When what is at the server.
    out: VecDeque<(u64, Bytes)>,
    /// When so many bytes are acknowledged.
    acks: VecDeque<(u64, u64)>,
    /// When what of the server is here.
    back: VecDeque<(u64, Bytes)>,
    back_bytes: usize,
    /// The server read nothing until then.
    free_at: u64,
    server: Server,
}

/// The server's end of a connection.
#[derive(Default)]
struct Server {
    begun: bool,
    arrived: u64,
    packets: u32,
    /// With a script: what came and holds no whole frame yet, and the numbers that are looked for in it.
    heard: Vec<u8>,
    first: u32,
    last: u32,
}

impl<'a> Memory<'a> {
    pub(super) fn new(plan: &'a Plan, delay: u64, swallow: Option<u32>) -> Self {
        let packet =
            |template: &super::Template| Some(template.clone()).filter(|it| !it.is_empty());
        Self {
            now: 0,
            plan,
            delay,
            swallow,
            packets: Packets {
                register: packet(&plan.register),
                heartbeat: packet(&plan.heartbeat),
            },
            heard: BTreeMap::new(),
            served: Echoed::default(),
        }
    }

    /// For the next devices; what is counted goes on.
    pub(super) fn begin_again(&mut self) {
        self.now = 0;
        self.heard.clear();
    }

    /// What the server answers to a packet.
    fn answer(&mut self, device: u32, server: &mut Server, mut packet: Bytes) -> Bytes {
        let own = self
            .packets
            .hear(&mut server.begun, &packet, &mut self.served);
        packet.advance(own);
        if packet.is_empty() {
            return packet;
        }
        server.packets += 1;
        if self.swallows(device, server.packets) {
            self.served.swallowed += 1;
            return Bytes::new();
        }
        let answer = match (self.plan.check, &self.plan.content.script) {
            (Check::Echo, _) => packet,
            (Check::Script, Some(script)) => server.play(script, device, &packet),
            (Check::Script, None) | (Check::Acknowledgement, _) => Bytes::new(),
        };
        self.served.bytes += answer.len() as u64;
        answer
    }

    /// The same ones for the same seed, whoever else is there.
    fn swallows(&self, device: u32, packet: u32) -> bool {
        self.swallow.is_some_and(|each| {
            let which = u64::from(device) << 32 | u64::from(packet);
            cellular_sim::Rng::new(self.plan.seed ^ which).range(1, u64::from(each)) == 1
        })
    }
}

impl Server {
    /// The answers to all frames of the script in what it has heard.
    fn play(&mut self, script: &Script, device: u32, packet: &[u8]) -> Bytes {
        self.heard.extend_from_slice(packet);
        let mut answers = BytesMut::new();
        let numbers = |server: &Self| server.first..=server.last.saturating_add(HEARD_AHEAD);
        while let Some((number, _)) = script.find_frame(device, numbers(self), &mut self.heard) {
            answers.extend_from_slice(&script.answer(device, number));
            self.first = number + 1;
            self.last = self.last.max(number + 1);
        }
        Script::forget(&mut self.heard);
        answers.freeze()
    }
}

impl Host for Memory<'_> {
    type Socket = Pipe;
    type Terminal = NoTerminal;

    fn now(&self) -> u64 {
        self.now
    }

    fn clock() -> NetworkTime {
        NetworkTime {
            seconds: 0,
            zone: Some(0),
        }
    }

    fn connect(
        &mut self,
        device: u32,
        _attempt: u16,
        _to: SocketAddr,
    ) -> Result<Pipe, CloseReason> {
        let last = self.heard.get(&device).copied().unwrap_or(0);
        let server = Server {
            first: last.saturating_sub(HEARD_AGAIN),
            last,
            ..Server::default()
        };
        Ok(Pipe {
            device,
            since: self.now,
            delay: self.delay,
            stands_at: self.now + 2 * self.delay,
            up: false,
            reads: false,
            aborted: false,
            dark_at: NEVER,
            sending: None,
            written: 0,
            acked: 0,
            out: VecDeque::new(),
            acks: VecDeque::new(),
            back: VecDeque::new(),
            back_bytes: 0,
            free_at: 0,
            server,
        })
    }

    fn leave(&mut self, _device: u32, _socket: Pipe, _most: u32) {
        // What was on its way is lost. The server waits for ever, and says nothing by itself.
    }

    fn lift(&mut self, _in_shadow: impl Fn(u32) -> bool) {}

    fn open_terminal(&mut self, name: &str, _device: u32) -> Result<NoTerminal, String> {
        Err(format!("{name}: no program has a line in virtual time"))
    }
}

impl Terminal<Memory<'_>> for NoTerminal {
    fn send(&mut self, _bytes: &[u8]) {
        match *self {}
    }

    fn watch(&mut self, _device: u32, _reads: bool, _host: &mut Memory<'_>) {
        match *self {}
    }
}

impl Pipe {
    fn has_room(&self) -> bool {
        self.written - self.acked < OUT_MAX
    }

    fn is_dark(&self) -> bool {
        self.dark_at != NEVER
    }

    /// A payload begins its way.
    fn put(&mut self, payload: Payload, now: u64) {
        let bytes = if payload.prefix.is_empty() {
            payload.body
        } else {
            [payload.prefix, payload.body].concat().into()
        };
        self.written += bytes.len() as u64;
        self.out.push_back((now + self.delay, bytes));
    }

    /// The payload that was held, if it may go now.
    fn put_held(&mut self, now: u64) -> Option<News> {
        if !self.up || !self.has_room() {
            return None;
        }
        let payload = self.sending.take()?;
        self.put(payload, now);
        Some(News::Sent)
    }

    /// What the server has done by now.
    fn serve(&mut self, host: &mut Memory<'_>) {
        if self.is_dark() {
            return;
        }
        while self.back_bytes < BACK_MAX
            && let Some((at, _)) = self.out.front()
            && *at <= host.now
            && let Some((at, packet)) = self.out.pop_front()
        {
            let at = at.max(self.free_at) + self.delay;
            self.server.arrived += packet.len() as u64;
            self.acks.push_back((at, self.server.arrived));
            let answer = host.answer(self.device, &mut self.server, packet);
            if !answer.is_empty() {
                self.back_bytes += answer.len();
                self.back.push_back((at, answer));
            }
        }
    }

    /// Acknowledgements that are here; says whether there is one.
    fn take_acks(&mut self, now: u64) -> bool {
        let before = self.acked;
        while let Some((at, total)) = self.acks.front()
            && *at <= now
        {
            self.acked = *total;
            self.acks.pop_front();
        }
        self.acked > before
    }

    fn take_answer(&mut self, now: u64) -> Option<Bytes> {
        if !self.reads || self.back.front()?.0 > now {
            return None;
        }
        let (_, answer) = self.back.pop_front()?;
        if self.back_bytes >= BACK_MAX {
            self.free_at = now;
        }
        self.back_bytes -= answer.len();
        Some(answer)
    }
}

impl Connection<Memory<'_>> for Pipe {
    fn is_up(&self) -> bool {
        self.up
    }

    fn since(&self) -> u64 {
        self.since
    }

    fn acked(&self) -> u64 {
        self.acked
    }

    fn send(&mut self, payload: Payload, host: &mut Memory<'_>) -> Result<Wrote, CloseReason> {
        if self.has_room() {
            self.put(payload, host.now);
            return Ok(Wrote::All);
        }
        self.hold(payload);
        Ok(Wrote::Part)
    }

    fn hold(&mut self, payload: Payload) {
        self.sending = Some(payload);
    }

    fn watch(&mut self, reads: bool, _host: &mut Memory<'_>) -> Result<(), CloseReason> {
        self.reads = reads;
        Ok(())
    }

    fn next(&self) -> u64 {
        if !self.up {
            return self.stands_at;
        }
        if self.sending.is_some() && self.has_room() {
            return 0;
        }
        let mut next = self.acks.front().map_or(NEVER, |(at, _)| *at);
        if let Some((at, _)) = self.back.front().filter(|_| self.reads) {
            next = next.min(*at);
        }
        if let Some((at, _)) = self.out.front().filter(|_| self.back_bytes < BACK_MAX) {
            // Nobody here knows of it before it is acknowledged.
            next = next.min(at.max(&self.free_at) + self.delay);
        }
        next
    }

    fn news(&mut self, host: &mut Memory<'_>) -> Option<News> {
        let now = host.now;
        if !self.up {
            self.up = self.stands_at <= now;
            host.served.connections += u64::from(self.up);
            let local = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
            return self.up.then_some(News::Connected(local));
        }
        self.serve(host);
        if self.take_acks(now) {
            return Some(News::Acked(self.acked));
        }
        self.put_held(now)
            .or_else(|| self.take_answer(now).map(News::Data))
    }

    fn go_dark(&mut self, host: &mut Memory<'_>) {
        self.serve(host);
        self.dark_at = host.now;
    }

    fn come_back(&mut self, host: &mut Memory<'_>) -> Result<Option<News>, CloseReason> {
        let dark_at = std::mem::replace(&mut self.dark_at, NEVER);
        // What was in the air is sent again.
        let again = host.now + self.delay;
        let late = |at: &mut u64| {
            if *at > dark_at {
                *at = (*at).max(again);
            }
        };
        if !self.up {
            late(&mut self.stands_at);
        }
        self.out.iter_mut().for_each(|(at, _)| late(at));
        self.acks.iter_mut().for_each(|(at, _)| late(at));
        self.back.iter_mut().for_each(|(at, _)| late(at));
        Ok(self.put_held(host.now))
    }

    fn abort_when_closed(&mut self) {
        self.aborted = true;
    }

    fn last_word(&mut self, host: &mut Memory<'_>) -> (u64, u64) {
        self.serve(host);
        let known_at = host.now.min(self.dark_at);
        self.take_acks(known_at);
        if self.server.last > 0 {
            host.heard.insert(self.device, self.server.last);
        }
        host.served.broken += u64::from(self.up && self.aborted);
        let here = self.back.iter().take_while(|(at, _)| *at <= known_at);
        let unread = here.map(|(_, answer)| answer.len() as u64).sum();
        (self.acked, unread)
    }
}
