//! One device with its socket, its line and the equipment on it.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use bytes::Bytes;
use dtu_proto::event::{
    CloseReason, Event, Input, LinkId, Lost, ModemInput, ModemOutput, Output, Power, SerialInput,
    SerialOutput, SocketId, SocketInput, SocketOutput, StoreInput, StoreOutput,
};
use dtu_proto::time::Instant;
use dtu_proto::{Dtu, Identity};

use super::account::Account;
use super::content::{Found, HEAD_BEGINS, Reader, last_head};
use super::fault::FaultKind;
use super::host::{Connection as _, Host, News, Terminal as _, Wrote};
use super::ledger::{Answer, Ledger};
use super::plan::{Check, Plan};
use super::script::Script;
use super::source::{Source, line_time, time_at};
use super::template::Who;
use super::timers::{NEVER, Timers};

/// The one link that devices of a fleet use.
pub(super) const LINK: SocketId = SocketId::Link(LinkId::ALL[0]);

/// Answers that are looked for at once.
const LOOKED_FOR: usize = 8;

/// What all devices share while one of them is served.
pub(super) struct Shared<'a, H> {
    pub(super) plan: &'a Plan,
    pub(super) host: H,
    pub(super) account: Account,
    pub(super) timers: Timers,
    /// Since it was last shown.
    pub(super) round_trips: super::histogram::Histogram,
    /// Devices that wait for nothing.
    pub(super) settled: u32,
    /// Devices whose equipment has sent its last frame.
    pub(super) done: u32,
    /// What came of the outputs, and goes in next; empty between two inputs.
    pub(super) came: VecDeque<Came>,
    /// Lent to each frame.
    frame: Vec<u8>,
    /// What devices ordered of their modems.
    pub(super) orders: VecDeque<(u32, ModemOutput)>,
    /// Texts that the network has not taken or refused yet.
    pub(super) texts_open: u32,
}

impl<'a, H: Host> Shared<'a, H> {
    pub(super) fn new(plan: &'a Plan, host: H) -> Self {
        Self {
            plan,
            host,
            account: Account::default(),
            timers: Timers::default(),
            round_trips: super::histogram::Histogram::default(),
            settled: 0,
            done: 0,
            came: VecDeque::new(),
            frame: Vec::new(),
            orders: VecDeque::new(),
            texts_open: 0,
        }
    }

    /// For the next devices; what is counted goes on.
    pub(super) fn begin_again(&mut self) {
        self.timers.clear();
        self.orders.clear();
        (self.settled, self.done, self.texts_open) = (0, 0, 0);
    }
}

/// An input that owns what is in it.
pub(super) enum Came {
    Connected(SocketAddr),
    Sent,
    Acked(u64),
    Unread(u64),
    Closed(CloseReason, u64),
    Written,
    Configured,
    Discarded(usize),
    Saved,
    MessagesSaved(u64),
}

impl Came {
    const fn input(&self) -> Input<'static> {
        match *self {
            Self::Connected(local) => Input::Socket(LINK, SocketInput::Connected { local }),
            Self::Sent => Input::Socket(LINK, SocketInput::Sent),
            Self::Acked(total) => Input::Socket(LINK, SocketInput::Acked(total)),
            Self::Unread(count) => Input::Lost(Lost::Unread(LINK, count)),
            Self::Closed(reason, acked) => {
                Input::Socket(LINK, SocketInput::Closed { reason, acked })
            }
            Self::Written => Input::Serial(SerialInput::Written),
            Self::Configured => Input::Serial(SerialInput::Configured(None)),
            Self::Discarded(left) => Input::Serial(SerialInput::Discarded(left)),
            Self::Saved => Input::Store(StoreInput::Saved),
            Self::MessagesSaved(number) => Input::Store(StoreInput::MessagesSaved(number)),
        }
    }
}

pub(super) struct Device<H: Host> {
    pub(super) dtu: Dtu,
    index: u32,
    /// Counts sockets, so that news of an earlier one are told from those of this.
    pub(super) attempt: u16,
    /// Its length; 0 = no registration packet.
    registration: u8,
    registered: bool,
    was_registered: bool,
    settled: bool,
    /// Its equipment has sent its last frame.
    done: bool,
    /// The server has said something since it was switched on, or started over. Before, what is printed is its own.
    heard_server: bool,
    /// The radio is silent.
    pub(super) dark: bool,
    /// There is no network.
    offline: bool,
    /// The device waits for a connection of which it will not hear.
    unheard: bool,
    /// Each so many-th frame is wrong; 0 = none.
    wrong_each: u32,
    /// It registers with another packet.
    wrong_registration: bool,
    /// Heartbeats before it got another one; `None` = it has the right one.
    right_heartbeats: Option<u64>,
    /// Rate at which the equipment reads, where it is another; `Some(0)` = not at all.
    slow: Option<u32>,
    /// It has a modem in the simulated network.
    has_modem: bool,
    /// A text of it is on its way to the network.
    texting: bool,
    /// It is switched off.
    ended: bool,
    pub(super) socket: Option<H::Socket>,
    /// Its serial line, where a program has that.
    pub(super) terminal: Option<Box<H::Terminal>>,
    source: Source,
    ledger: Ledger,
    reader: Reader,
    /// The last frame that this connection was given.
    handed: Option<Bytes>,
    /// With a script: what came, and holds no whole answer yet.
    heard: Vec<u8>,
    /// What the line has not taken yet.
    writing: Bytes,
    /// When it has.
    written_at: u64,
    /// The entry in [`Timers`].
    pub(super) planned: u64,
}

impl<H: Host> Device<H> {
    /// Switches one on.
    pub(super) fn new(plan: &Plan, index: u32, now: u64, host: &mut H) -> Result<Self, String> {
        let who = Who(index);
        let config = plan.config(who)?;
        let identity = Identity {
            imei: who.imei(),
            ..Identity::default()
        };
        let terminal = match plan.pty(who) {
            Some(name) => Some(Box::new(host.open_terminal(&name, index)?)),
            None => None,
        };
        let source = if terminal.is_some() {
            Source::silent()
        } else {
            Source::new(plan, index, now)
        };
        let registration = config.registration.len() as u8;
        let seed = plan
            .seed
            .wrapping_mul(1_000_003)
            .wrapping_add(u64::from(index));
        Ok(Self {
            dtu: Dtu::new(
                config,
                plan.options(),
                identity,
                seed,
                Instant::from_micros(now),
            ),
            index,
            attempt: 0,
            registration,
            registered: false,
            was_registered: false,
            settled: false,
            done: false,
            heard_server: false,
            dark: false,
            offline: false,
            unheard: false,
            wrong_each: 0,
            wrong_registration: false,
            right_heartbeats: None,
            slow: None,
            has_modem: plan.texts.is_some_and(|texts| index < texts.devices),
            texting: false,
            ended: false,
            socket: None,
            terminal,
            source,
            ledger: Ledger::default(),
            reader: Reader::default(),
            handed: None,
            heard: Vec::new(),
            writing: Bytes::new(),
            written_at: NEVER,
            planned: NEVER,
        })
    }

    /// What happens to it first.
    pub(super) fn power_on(&mut self, now: u64, shared: &mut Shared<'_, H>) {
        shared.account.started += 1;
        self.go_on(now, shared);
        self.feed(Input::Serial(SerialInput::Present), now, shared);
        if self.wrong_registration {
            self.set_packet(1, true, now, shared);
        }
        if self.right_heartbeats.is_some() {
            self.set_packet(0, true, now, shared);
        }
        // Else its modem says so.
        if !self.has_modem {
            let attached = ModemInput::Attached(IpAddr::V4(Ipv4Addr::LOCALHOST));
            self.feed(Input::Modem(&attached), now, shared);
        }
        self.settle(now, shared);
    }

    /// Its connection stands.
    pub(super) fn connected(&mut self, local: SocketAddr, now: u64, shared: &mut Shared<'_, H>) {
        shared.account.connected += 1;
        shared.came.push_back(Came::Connected(local));
        self.go_on(now, shared);
        if self.registration == 0 {
            self.note_registered(now, shared);
        }
    }

    /// More of what it sent has arrived.
    pub(super) fn acked(&mut self, total: u64, now: u64, shared: &mut Shared<'_, H>) {
        shared.came.push_back(Came::Acked(total));
        self.go_on(now, shared);
        self.check_registered(now, shared);
    }

    /// The server says this.
    pub(super) fn hear(&mut self, bytes: &[u8], now: u64, shared: &mut Shared<'_, H>) {
        self.heard_server = true;
        self.feed(Input::Socket(LINK, SocketInput::Data(bytes)), now, shared);
    }

    /// Its time has come.
    pub(super) fn tick(&mut self, now: u64, shared: &mut Shared<'_, H>) {
        if self
            .dtu
            .poll_timeout()
            .is_some_and(|deadline| deadline.at.as_micros() <= now)
        {
            self.dtu.handle_timeout(Instant::from_micros(now));
            self.go_on(now, shared);
        }
        if self.written_at <= now {
            self.written_at = NEVER;
            self.printed(now, shared);
            shared.came.push_back(Came::Written);
            self.go_on(now, shared);
        }
        while let Some(socket) = self.socket.as_mut().filter(|_| !self.dark)
            && socket.next() <= now
            && let Some(news) = socket.news(&mut shared.host)
        {
            match news {
                News::Connected(local) => self.connected(local, now, shared),
                News::Acked(total) => self.acked(total, now, shared),
                News::Data(bytes) => self.hear(&bytes, now, shared),
                News::Sent => {
                    shared.came.push_back(Came::Sent);
                    self.go_on(now, shared);
                }
            }
            self.watch(now, shared);
        }
        if self.source.next_at <= now {
            self.equipment(now, shared);
        }
        self.settle(now, shared);
    }

    /// The equipment has something to send.
    fn equipment(&mut self, now: u64, shared: &mut Shared<'_, H>) {
        while self.source.next_at <= now || self.source.held {
            if !self.dtu.wants_serial() || !self.ledger.has_room() {
                if !self.source.held {
                    self.source.held = true;
                    shared.account.held += 1;
                }
                self.source.next_at = NEVER;
                return;
            }
            let (plan, number) = (shared.plan, self.source.number);
            let length = plan.content.length(self.index, number);
            let piece = self.source.piece(plan, length);
            let out = usize::from(self.source.out);
            let wrong = self.wrong_each > 0 && number % self.wrong_each == self.wrong_each - 1;
            let mut frame = std::mem::take(&mut shared.frame);
            frame.clear();
            plan.content.write(self.index, number, &mut frame);
            if wrong {
                spoil(
                    &mut frame,
                    plan.seed ^ u64::from(self.index) << 32 ^ u64::from(number),
                );
            }
            // Noted first: on a quick line the answer could come before the call is over.
            if out + piece == length {
                self.note_sent(number, length, wrong, now, shared);
            }
            let bytes = frame.get(out..out + piece).unwrap_or_default();
            self.feed(Input::Serial(SerialInput::Data(bytes)), now, shared);
            shared.frame = frame;
            self.source.sent(plan, self.index, piece, length, now);
        }
    }

    fn note_sent(
        &mut self,
        number: u32,
        length: usize,
        wrong: bool,
        now: u64,
        shared: &mut Shared<'_, H>,
    ) {
        let account = &mut shared.account;
        match (shared.plan.check, wrong) {
            (Check::Echo | Check::Script, true) => self.ledger.sent_wrong(number, length, now),
            (Check::Echo | Check::Script, false) => self.ledger.sent(number, length, now),
            (Check::Acknowledgement, _) => self.ledger.sent_only(length),
        }
        if wrong {
            account.wrong_packets += 1;
        } else {
            account.sent += 1;
            account.sent_bytes += length as u64;
        }
    }

    pub(super) fn feed(&mut self, input: Input<'_>, now: u64, shared: &mut Shared<'_, H>) {
        self.dtu.handle_input(input, Instant::from_micros(now));
        self.go_on(now, shared);
    }

    /// Carries out what it wants, and tells it what came of that, until there is nothing more.
    pub(super) fn go_on(&mut self, now: u64, shared: &mut Shared<'_, H>) {
        loop {
            while let Some(output) = self.dtu.poll_output() {
                self.carry_out(output, now, shared);
            }
            let Some(came) = shared.came.pop_front() else {
                return;
            };
            self.dtu
                .handle_input(came.input(), Instant::from_micros(now));
            if matches!(came, Came::Closed(..)) {
                self.connection_over(now, shared);
            }
        }
    }

    fn carry_out(&mut self, output: Output, now: u64, shared: &mut Shared<'_, H>) {
        match output {
            Output::Serial(order) => self.line(order, now, shared),
            Output::Socket(LINK, order) => self.network(order, shared),
            Output::Store(StoreOutput::Save(_)) => shared.came.push_back(Came::Saved),
            Output::Store(StoreOutput::Messages { number, .. }) => {
                shared.came.push_back(Came::MessagesSaved(number));
            }
            Output::Event(event) => self.event(event, shared),
            Output::Power(Power::Restarted) => {
                shared.account.restarts += 1;
                self.heard_server = false;
            }
            Output::Modem(order) if self.has_modem => {
                if matches!(order, ModemOutput::Taken(_)) {
                    shared.account.texts_received += 1;
                }
                shared.orders.push_back((self.index, order));
            }
            Output::Console(reply) => self.replied(&reply, shared),
            Output::Socket(..)
            | Output::Store(_)
            | Output::Modem(_)
            | Output::Leds(_)
            | Output::Power(Power::Stop) => {}
        }
    }

    fn event(&mut self, event: Event, shared: &mut Shared<'_, H>) {
        // What its orderly end brings is no news.
        if self.ended {
            return;
        }
        if let Event::Disconnected {
            socket: LINK,
            reason,
            ..
        } = event
        {
            shared.account.disconnected(reason);
        } else if let Event::FrameDropped { bytes, .. } | Event::WindowFrameDropped { bytes } =
            event
        {
            shared.account.dropped += u64::from(self.dropped(bytes, shared.plan));
        }
    }

    /// The device dropped a frame of so many bytes; says how many of the equipment's that were.
    fn dropped(&mut self, bytes: usize, plan: &Plan) -> u32 {
        let (content, index) = (&plan.content, self.index);
        let handed = self.handed.as_deref();
        let handed = handed.and_then(|payload| last_head(index, payload));
        let length = |number| content.length(index, number);
        if plan.check == Check::Echo && self.ledger.dropped(handed, bytes, length) {
            return 1;
        }
        // Where frames of the equipment became one of the device, all of them are gone.
        let frames = (bytes / content.longest()).max(1) as u32;
        self.ledger.dropped_some(frames);
        frames
    }

    fn line(&mut self, order: SerialOutput, now: u64, shared: &mut Shared<'_, H>) {
        match order {
            SerialOutput::Write(bytes) if self.terminal.is_some() => {
                if let Some(terminal) = &mut self.terminal {
                    terminal.send(&bytes);
                }
                shared.came.push_back(Came::Written);
            }
            SerialOutput::Write(bytes) => {
                let time = match self.slow {
                    Some(0) => None,
                    Some(speed) => Some(time_at(speed, bytes.len())),
                    None => Some(line_time(shared.plan, bytes.len())),
                };
                self.writing = bytes;
                if time == Some(0) {
                    self.printed(now, shared);
                    shared.came.push_back(Came::Written);
                } else {
                    self.written_at = time.map_or(NEVER, |time| now + time);
                }
            }
            SerialOutput::Configure(_) => shared.came.push_back(Came::Configured),
            SerialOutput::Discard => {
                self.written_at = NEVER;
                let left = std::mem::take(&mut self.writing).len();
                shared.came.push_back(Came::Discarded(left));
            }
        }
    }

    /// The equipment has what was written.
    fn printed(&mut self, now: u64, shared: &mut Shared<'_, H>) {
        let bytes = std::mem::take(&mut self.writing);
        match shared.plan.check {
            Check::Acknowledgement => {}
            Check::Echo => self.find_frames(&bytes, now, shared),
            Check::Script => self.find_answers(&bytes, now, shared),
        }
    }

    /// Looks for what the script expects.
    fn find_answers(&mut self, bytes: &[u8], now: u64, shared: &mut Shared<'_, H>) {
        let Some(script) = &shared.plan.content.script else {
            return;
        };
        self.heard.extend_from_slice(bytes);
        loop {
            let oldest = self.ledger.oldest().take(LOOKED_FOR);
            let Some((number, other)) = script.find(self.index, oldest, &mut self.heard) else {
                break;
            };
            shared.account.other_bytes += other as u64;
            if let Answer::First(took) = self.ledger.answered(number, now) {
                shared.account.answered += 1;
                shared.account.round_trip.add(took);
                shared.round_trips.add(took);
            } else {
                // A wrong packet need not be answered; this one was.
                shared.account.again += 1;
                break;
            }
        }
        shared.account.other_bytes += Script::forget(&mut self.heard) as u64;
    }

    /// Looks for frames of its own.
    fn find_frames(&mut self, bytes: &[u8], now: u64, shared: &mut Shared<'_, H>) {
        let Self {
            reader,
            ledger,
            index,
            heard_server,
            ..
        } = self;
        let Shared {
            account,
            round_trips,
            plan,
            ..
        } = shared;
        reader.feed(&plan.content, *index, bytes, |found| match found {
            Found::Frame(number) => match ledger.answered(number, now) {
                Answer::First(took) => {
                    account.answered += 1;
                    account.round_trip.add(took);
                    round_trips.add(took);
                }
                Answer::Again => account.again += 1,
            },
            Found::Stranger(_) => account.misdirected += 1,
            Found::Damaged => account.damaged += 1,
        });
        let other = u64::from(reader.take_other());
        if *heard_server {
            account.other_bytes += other;
        }
    }

    fn network(&mut self, order: SocketOutput, shared: &mut Shared<'_, H>) {
        match order {
            SocketOutput::Connect(_) if self.offline => {
                shared
                    .came
                    .push_back(Came::Closed(CloseReason::Unreachable, 0));
            }
            SocketOutput::Connect(_) if self.dark => self.unheard = true,
            SocketOutput::Connect(_) => {
                self.attempt = self.attempt.wrapping_add(1);
                self.registered = false;
                let (index, to) = (self.index, shared.plan.target);
                match shared.host.connect(index, self.attempt, to) {
                    Ok(socket) => self.socket = Some(socket),
                    Err(reason) => shared.came.push_back(Came::Closed(reason, 0)),
                }
            }
            SocketOutput::Send(payload) => {
                let Some(socket) = &mut self.socket else {
                    return;
                };
                if payload.body.first() == Some(&HEAD_BEGINS) {
                    self.handed = Some(payload.body.clone());
                }
                let sent = if self.dark {
                    socket.hold(payload);
                    Ok(Wrote::Part)
                } else {
                    socket.send(payload, &mut shared.host)
                };
                match sent {
                    Ok(Wrote::All) => shared.came.push_back(Came::Sent),
                    Ok(Wrote::Part) => {}
                    Err(reason) => self.close(reason, shared),
                }
            }
            SocketOutput::Close => {
                if std::mem::take(&mut self.unheard) {
                    shared.came.push_back(Came::Closed(CloseReason::Local, 0));
                } else if self.socket.is_some() {
                    self.close(CloseReason::Local, shared);
                }
            }
        }
    }

    /// The connection is over, or the attempt.
    pub(super) fn close(&mut self, reason: CloseReason, shared: &mut Shared<'_, H>) {
        let Some(mut socket) = self.socket.take() else {
            return;
        };
        shared.account.connected -= u32::from(socket.is_up());
        let (acked, unread) = socket.last_word(&mut shared.host);
        if unread > 0 {
            shared.came.push_back(Came::Unread(unread));
        }
        shared.came.push_back(Came::Closed(reason, acked));
        if self.dark {
            shared.host.leave(self.index, socket, shared.plan.count);
        }
    }

    /// What the device still has goes again; the rest is with the server.
    fn connection_over(&mut self, now: u64, shared: &Shared<'_, H>) {
        self.heard.clear();
        self.handed = None;
        if shared.plan.check.expects_answers() && self.ledger.sent > 0 {
            let status = self.dtu.status(Instant::from_micros(now));
            let link = status.links[0].counters;
            let gone = link.bytes_out + link.dropped_bytes + status.serial.counters.dropped_bytes;
            let kept = self.ledger.sent_bytes.saturating_sub(gone);
            let (content, index) = (&shared.plan.content, self.index);
            self.ledger
                .connection_over(kept, |number| content.length(index, number));
        }
    }

    fn check_registered(&mut self, now: u64, shared: &mut Shared<'_, H>) {
        let is = self
            .socket
            .as_ref()
            .is_some_and(|socket| socket.is_up() && socket.acked() >= u64::from(self.registration));
        if is {
            self.note_registered(now, shared);
        }
    }

    fn note_registered(&mut self, now: u64, shared: &mut Shared<'_, H>) {
        let Some(socket) = self
            .socket
            .as_ref()
            .filter(|socket| socket.is_up() && !self.registered)
        else {
            return;
        };
        let account = &mut shared.account;
        if self.wrong_registration {
            self.registered = true;
            account.wrong_registrations += 1;
            return;
        }
        account.registrations += 1;
        account.registration.add(now.saturating_sub(socket.since()));
        account.registered += u32::from(!self.was_registered);
        self.registered = true;
        self.was_registered = true;
    }

    /// Behind all that happens to it: what it is to be called for next.
    pub(super) fn settle(&mut self, now: u64, shared: &mut Shared<'_, H>) {
        if self.source.held && self.dtu.wants_serial() && self.ledger.has_room() {
            self.equipment(now, shared);
        }
        self.watch(now, shared);
        if let Some(terminal) = &mut self.terminal {
            terminal.watch(self.index, self.dtu.wants_serial(), &mut shared.host);
        }
        let done = self.source.is_done();
        note(&mut self.done, done, &mut shared.done);
        let settled = done && self.is_settled(now, shared.plan);
        note(&mut self.settled, settled, &mut shared.settled);
        let query = self
            .socket
            .as_ref()
            .filter(|_| !self.dark)
            .map_or(NEVER, |socket| socket.next());
        let deadline = self
            .dtu
            .poll_timeout()
            .map_or(NEVER, |deadline| deadline.at.as_micros());
        let next = deadline
            .min(query)
            .min(self.written_at)
            .min(self.source.next_at);
        shared.timers.plan(self.index, &mut self.planned, next);
    }

    /// Its connection is read only while it reads.
    fn watch(&mut self, now: u64, shared: &mut Shared<'_, H>) {
        if let Some(socket) = self.socket.as_mut().filter(|_| !self.dark) {
            let reads = self.dtu.wants_socket(LINK);
            if let Err(reason) = socket.watch(reads, &mut shared.host) {
                self.close(reason, shared);
                self.go_on(now, shared);
            }
        }
    }

    /// Whether nothing of what it sent is open.
    fn is_settled(&self, now: u64, plan: &Plan) -> bool {
        match plan.check {
            Check::Echo | Check::Script => self.ledger.is_settled(),
            Check::Acknowledgement => self.unacknowledged(now) == 0,
        }
    }

    /// Bytes that were sent, and neither acknowledged nor dropped.
    fn unacknowledged(&self, now: u64) -> u64 {
        let status = self.dtu.status(Instant::from_micros(now));
        let link = status.links[0].counters;
        let gone = link.bytes_out + link.dropped_bytes + status.serial.counters.dropped_bytes;
        self.ledger.sent_bytes.saturating_sub(gone)
    }

    /// Its equipment sends nothing more.
    pub(super) fn finish(&mut self, now: u64, shared: &mut Shared<'_, H>) {
        self.source.finish();
        self.settle(now, shared);
    }

    /// A fault lasts while it is switched on.
    pub(super) const fn suffer(&mut self, kind: FaultKind) {
        match kind {
            FaultKind::HalfOpen => self.dark = true,
            FaultKind::Herd => self.offline = true,
            FaultKind::SlowReader(speed) => self.slow = Some(speed),
            FaultKind::WrongPackets(each) => self.wrong_each = each,
            FaultKind::WrongRegistration => self.wrong_registration = true,
            FaultKind::WrongHeartbeat => self.right_heartbeats = Some(0),
            FaultKind::Flap | FaultKind::Restart => {}
        }
    }

    /// A fault begins, or ends.
    pub(super) fn fault(
        &mut self,
        kind: FaultKind,
        begins: bool,
        now: u64,
        shared: &mut Shared<'_, H>,
    ) {
        match kind {
            FaultKind::HalfOpen => self.shadow(begins, shared),
            FaultKind::Flap => self.reset(shared),
            FaultKind::Herd => {
                self.offline = begins;
                if begins {
                    self.reset(shared);
                }
            }
            FaultKind::Restart => {
                return {
                    self.feed(Input::Console("AT+CIRESET"), now, shared);
                    self.settle(now, shared);
                };
            }
            FaultKind::SlowReader(speed) => {
                self.slow = begins.then_some(speed);
                if !begins && !self.writing.is_empty() {
                    self.written_at = self.written_at.min(now);
                }
            }
            FaultKind::WrongPackets(each) => self.wrong_each = if begins { each } else { 0 },
            FaultKind::WrongRegistration => {
                self.wrong_registration = begins;
                self.set_packet(1, begins, now, shared);
                self.reset(shared);
            }
            FaultKind::WrongHeartbeat => {
                let sent = self.heartbeats(now);
                self.end_wrong_heartbeats(sent, shared);
                self.right_heartbeats = begins.then_some(sent);
                self.set_packet(0, begins, now, shared);
            }
        }
        self.go_on(now, shared);
        self.settle(now, shared);
    }

    /// Sets its heartbeat (0) or its registration packet (1), as by AT.
    fn set_packet(&mut self, number: u8, wrong: bool, now: u64, shared: &mut Shared<'_, H>) {
        let plan = shared.plan;
        let template = [&plan.heartbeat, &plan.register][usize::from(number)];
        let mut packet = template.render(Who(self.index));
        if wrong {
            spoil(
                &mut packet,
                plan.seed ^ u64::from(self.index) << 8 ^ u64::from(number),
            );
        }
        let line = super::plan::packet_line(number, &packet);
        self.feed(Input::Console(&line), now, shared);
    }

    fn heartbeats(&self, now: u64) -> u64 {
        self.dtu.status(Instant::from_micros(now)).links[0]
            .counters
            .heartbeats
    }

    /// It has the right heartbeat again, or comes to its end.
    fn end_wrong_heartbeats(&mut self, sent: u64, shared: &mut Shared<'_, H>) {
        if let Some(right) = self.right_heartbeats.take() {
            shared.account.end.wrong_heartbeats += sent.saturating_sub(right);
        }
    }

    pub(super) const fn is_dark(&self) -> bool {
        self.dark
    }

    fn reset(&mut self, shared: &mut Shared<'_, H>) {
        if let Some(socket) = self.socket.as_mut().filter(|_| !self.dark) {
            socket.abort_when_closed();
            self.close(CloseReason::Reset, shared);
        }
    }

    fn shadow(&mut self, begins: bool, shared: &mut Shared<'_, H>) {
        if begins == self.dark {
            return;
        }
        if begins {
            self.dark = true;
            if let Some(socket) = &mut self.socket {
                socket.go_dark(&mut shared.host);
            }
            return;
        }
        self.dark = false;
        if std::mem::take(&mut self.unheard) {
            shared
                .came
                .push_back(Came::Closed(CloseReason::TimedOut, 0));
        }
        let Some(socket) = &mut self.socket else {
            return;
        };
        match socket.come_back(&mut shared.host) {
            Ok(Some(_)) => shared.came.push_back(Came::Sent),
            Ok(None) => {}
            Err(reason) => self.close(reason, shared),
        }
    }

    /// News of its modem.
    pub(super) fn modem(&mut self, news: &ModemInput, now: u64, shared: &mut Shared<'_, H>) {
        self.feed(Input::Modem(news), now, shared);
        if matches!(news, ModemInput::Message { .. }) && !self.texting && self.dtu.takes_commands()
        {
            // Its storage holds fifty.
            self.feed(Input::Console("AT+CMGD=1,4"), now, shared);
        }
        self.settle(now, shared);
    }

    /// Sends a text, unless it is at one.
    pub(super) fn text(&mut self, command: &str, now: u64, shared: &mut Shared<'_, H>) {
        if self.texting || !self.dtu.takes_commands() {
            return;
        }
        self.texting = true;
        shared.texts_open += 1;
        self.feed(Input::Console(command), now, shared);
        self.settle(now, shared);
    }

    /// To a command of the host: nothing else runs while a text is sent.
    fn replied(&mut self, reply: &str, shared: &mut Shared<'_, H>) {
        if !std::mem::take(&mut self.texting) {
            return;
        }
        shared.texts_open -= 1;
        if reply.contains("OK") {
            shared.account.texts_sent += 1;
        } else {
            shared.account.texts_refused += 1;
        }
    }

    /// Ends it in order, and adds what only its end tells.
    pub(super) fn end(&mut self, now: u64, shared: &mut Shared<'_, H>) {
        // Before its connection is closed: what it says of itself is of the run.
        let status = self.dtu.status(Instant::from_micros(now));
        let counters = status.links[0].counters;
        let unacknowledged = self.unacknowledged(now);
        self.dark = false;
        self.end_wrong_heartbeats(counters.heartbeats, shared);
        let end = &mut shared.account.end;
        end.acknowledged += counters.frames_out;
        end.resent += counters.resent_frames;
        end.heartbeats += counters.heartbeats;
        end.waiting += status.links[0].waiting_frames as u64;
        match shared.plan.check {
            Check::Echo | Check::Script => {
                end.missing += u64::from(self.ledger.close());
                end.cut_off += u64::from(self.ledger.cut_off);
            }
            Check::Acknowledgement => {
                end.missing += unacknowledged.div_ceil(shared.plan.content.longest() as u64);
            }
        }
        for drop in self.dtu.drops().into_iter().filter(|drop| drop.count > 0) {
            let what = format!(
                "{}: {} {}",
                drop.place,
                drop.place.what(),
                drop.place.fate()
            );
            end.lost(what, drop.count);
        }
        self.ended = true;
        self.feed(Input::Shutdown, now, shared);
    }
}

/// What a device is, where devices that are so are counted.
const fn note(was: &mut bool, is: bool, count: &mut u32) {
    if *was != is {
        *was = is;
        *count = if is { *count + 1 } else { *count - 1 };
    }
}

/// Bytes without sense, of the same length; nothing in them looks like the head of a frame.
fn spoil(frame: &mut [u8], seed: u64) {
    let mut rng = cellular_sim::Rng::new(seed);
    for byte in frame {
        *byte = (rng.word() >> 24) as u8;
        if *byte == b'[' {
            *byte = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_of_a_device_is_small() {
        let host = size_of::<Device<crate::fleet::kernel::Kernel<'_>>>() - size_of::<Dtu>();
        assert!(host <= 640, "{host} bytes beside the device itself");
    }
}
