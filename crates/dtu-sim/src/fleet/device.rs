//! One device with its socket, its line and the equipment on it.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::OwnedFd;

use bytes::Bytes;
use dtu_proto::event::{
    CloseReason, Event, Input, LinkId, Lost, ModemInput, ModemOutput, Output, Power, SerialInput,
    SerialOutput, SocketId, SocketInput, SocketOutput, StoreInput, StoreOutput,
};
use dtu_proto::time::Instant;
use dtu_proto::{Dtu, Identity};
use rustix::event::epoll::{self, EventData, EventFlags};

use super::PTY;
use super::account::Account;
use super::content::{Found, Reader};
use super::fault::FaultKind;
use super::ledger::{Answer, Ledger};
use super::limits::Sources;
use super::plan::{Check, Plan};
use super::script::Script;
use super::shadow::Shadows;
use super::socket::{Socket, Wrote, reason};
use super::source::{Source, line_time, time_at};
use super::template::Who;
use super::timers::{NEVER, Timers};
use crate::pty::Pty;

/// The one link that devices of a fleet use.
const LINK: SocketId = SocketId::Link(LinkId::ALL[0]);

/// Answers that are looked for at once.
const LOOKED_FOR: usize = 8;

/// What all devices share while one of them is served.
pub(super) struct Shared<'a> {
    pub(super) plan: &'a Plan,
    pub(super) epoll: &'a OwnedFd,
    pub(super) sources: Sources,
    pub(super) account: Account,
    pub(super) timers: Timers,
    /// Since it was last shown.
    pub(super) round_trips: super::histogram::Histogram,
    /// Devices that wait for nothing.
    pub(super) settled: u32,
    /// What came of the outputs, and goes in next; empty between two inputs.
    came: VecDeque<Came>,
    /// Lent to each frame.
    frame: Vec<u8>,
    pub(super) shadows: Shadows,
    /// What devices ordered of their modems.
    pub(super) orders: VecDeque<(u32, ModemOutput)>,
    /// Texts that the network has not taken or refused yet.
    pub(super) texts_open: u32,
}

impl<'a> Shared<'a> {
    pub(super) fn new(plan: &'a Plan, epoll: &'a OwnedFd, sources: Sources) -> Self {
        Self {
            plan,
            epoll,
            sources,
            account: Account::default(),
            timers: Timers::default(),
            round_trips: super::histogram::Histogram::default(),
            settled: 0,
            came: VecDeque::new(),
            frame: Vec::new(),
            shadows: Shadows::default(),
            orders: VecDeque::new(),
            texts_open: 0,
        }
    }
}

/// An input that owns what is in it.
enum Came {
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

/// A pty as the serial line of a device.
struct Terminal {
    pty: Pty,
    watched: EventFlags,
}

impl Terminal {
    fn open(name: &str, index: u32, epoll: &OwnedFd) -> std::io::Result<Self> {
        let pty = Pty::open(name.as_ref())?;
        let watched = EventFlags::IN;
        epoll::add(
            epoll,
            pty.fd(),
            EventData::new_u64(PTY | u64::from(index)),
            watched,
        )?;
        Ok(Self { pty, watched })
    }

    fn watch(&mut self, index: u32, reads: bool, epoll: &OwnedFd) -> std::io::Result<()> {
        let mut wanted = EventFlags::empty();
        wanted.set(EventFlags::IN, reads);
        wanted.set(EventFlags::OUT, self.pty.is_waiting());
        if wanted != self.watched {
            self.watched = wanted;
            epoll::modify(
                epoll,
                self.pty.fd(),
                EventData::new_u64(PTY | u64::from(index)),
                wanted,
            )?;
        }
        Ok(())
    }
}

pub(super) struct Device {
    dtu: Dtu,
    index: u32,
    /// Counts sockets, so that news of an earlier one are told from those of this.
    attempt: u16,
    /// Its length; 0 = no registration packet.
    registration: u8,
    registered: bool,
    was_registered: bool,
    settled: bool,
    /// The radio is silent.
    dark: bool,
    /// There is no network.
    offline: bool,
    /// The device waits for a connection of which it will not hear.
    unheard: bool,
    /// Each so many-th frame is wrong; 0 = none.
    wrong_each: u32,
    /// Rate at which the equipment reads, where it is another; `Some(0)` = not at all.
    slow: Option<u32>,
    /// It has a modem in the simulated network.
    has_modem: bool,
    /// A text of it is on its way to the network.
    texting: bool,
    /// It is switched off.
    ended: bool,
    socket: Option<Socket>,
    /// Its serial line, where a program has that.
    terminal: Option<Box<Terminal>>,
    source: Source,
    ledger: Ledger,
    reader: Reader,
    /// With a script: what came, and holds no whole answer yet.
    heard: Vec<u8>,
    /// What the line has not taken yet.
    writing: Bytes,
    /// When it has.
    written_at: u64,
    /// The entry in [`Timers`].
    pub(super) planned: u64,
}

impl Device {
    /// Switches one on.
    pub(super) fn new(plan: &Plan, index: u32, now: u64, epoll: &OwnedFd) -> Result<Self, String> {
        let who = Who(index);
        let config = plan.config(who)?;
        let identity = Identity {
            imei: who.imei(),
            ..Identity::default()
        };
        let terminal = match plan.pty(who) {
            Some(name) => {
                let terminal = Terminal::open(&name, index, epoll);
                Some(Box::new(
                    terminal.map_err(|error| format!("{name}: {error}"))?,
                ))
            }
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
            dark: false,
            offline: false,
            unheard: false,
            wrong_each: 0,
            slow: None,
            has_modem: plan.texts.is_some_and(|texts| index < texts.devices),
            texting: false,
            ended: false,
            socket: None,
            terminal,
            source,
            ledger: Ledger::default(),
            reader: Reader::default(),
            heard: Vec::new(),
            writing: Bytes::new(),
            written_at: NEVER,
            planned: NEVER,
        })
    }

    /// What happens to it first.
    pub(super) fn power_on(&mut self, now: u64, shared: &mut Shared<'_>) {
        shared.account.started += 1;
        self.go_on(now, shared);
        self.feed(Input::Serial(SerialInput::Present), now, shared);
        // Else its modem says so.
        if !self.has_modem {
            let attached = ModemInput::Attached(IpAddr::V4(Ipv4Addr::LOCALHOST));
            self.feed(Input::Modem(&attached), now, shared);
        }
        self.settle(now, shared);
    }

    /// News of its socket.
    pub(super) fn socket_ready(
        &mut self,
        attempt: u16,
        flags: EventFlags,
        now: u64,
        buffer: &mut [u8],
        shared: &mut Shared<'_>,
    ) {
        if attempt != self.attempt || self.dark {
            return;
        }
        let Some(socket) = &mut self.socket else {
            return;
        };
        if !socket.up {
            match socket.finish_connecting() {
                Ok(local) => {
                    shared.account.connected += 1;
                    shared.came.push_back(Came::Connected(local));
                }
                Err(error) => self.close(reason(&error), shared),
            }
            self.go_on(now, shared);
            if self.registration == 0 {
                self.note_registered(now, shared);
            }
            return self.settle(now, shared);
        }
        if flags.contains(EventFlags::OUT) && socket.is_sending() {
            match socket.go_on(now) {
                Ok(Wrote::All) => shared.came.push_back(Came::Sent),
                Ok(Wrote::Part) => {}
                Err(error) => self.close(reason(&error), shared),
            }
            self.go_on(now, shared);
        }
        if flags.intersects(EventFlags::IN | EventFlags::RDHUP | EventFlags::HUP | EventFlags::ERR)
        {
            self.read(flags, now, buffer, shared);
        }
        self.settle(now, shared);
    }

    fn read(&mut self, flags: EventFlags, now: u64, buffer: &mut [u8], shared: &mut Shared<'_>) {
        let Some(socket) = &mut self.socket else {
            return;
        };
        if !self.dtu.wants_socket(LINK) {
            // The line takes nothing: neither does this. But a connection that is over is over.
            if flags.intersects(EventFlags::HUP | EventFlags::ERR) {
                self.close(CloseReason::Reset, shared);
                self.go_on(now, shared);
            }
            return;
        }
        match socket.read(buffer) {
            Ok(Some(0)) => self.close(CloseReason::PeerClosed, shared),
            Ok(Some(count)) => {
                // First what is acknowledged: the answer is younger.
                if socket.acknowledged(now, true) {
                    shared.came.push_back(Came::Acked(socket.acked));
                    self.go_on(now, shared);
                }
                self.check_registered(now, shared);
                let bytes = buffer.get(..count).unwrap_or_default();
                return self.feed(Input::Socket(LINK, SocketInput::Data(bytes)), now, shared);
            }
            Ok(None) => {}
            Err(error) => self.close(reason(&error), shared),
        }
        self.go_on(now, shared);
    }

    /// News of its pty.
    pub(super) fn terminal_ready(
        &mut self,
        flags: EventFlags,
        now: u64,
        buffer: &mut [u8],
        shared: &mut Shared<'_>,
    ) {
        let Some(terminal) = &mut self.terminal else {
            return;
        };
        let mut went = Ok(());
        if flags.contains(EventFlags::OUT) {
            went = terminal.pty.flush();
        }
        if flags.contains(EventFlags::IN) && self.dtu.wants_serial() {
            match terminal.pty.read(buffer) {
                Ok(0) => {}
                Ok(count) => {
                    let bytes = buffer.get(..count).unwrap_or_default();
                    self.feed(Input::Serial(SerialInput::Data(bytes)), now, shared);
                }
                Err(error) => went = Err(error),
            }
        }
        if went.is_err() {
            // As an adapter that was pulled.
            self.terminal = None;
            self.feed(Input::Serial(SerialInput::Gone), now, shared);
        }
        self.settle(now, shared);
    }

    /// Its time has come.
    pub(super) fn tick(&mut self, now: u64, shared: &mut Shared<'_>) {
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
        if let Some(socket) = self.socket.as_mut().filter(|_| !self.dark)
            && socket.query_at <= now
            && socket.acknowledged(now, false)
        {
            shared.came.push_back(Came::Acked(socket.acked));
            self.go_on(now, shared);
            self.check_registered(now, shared);
        }
        if self.source.next_at <= now {
            self.equipment(now, shared);
        }
        self.settle(now, shared);
    }

    /// The equipment has something to send.
    fn equipment(&mut self, now: u64, shared: &mut Shared<'_>) {
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
        shared: &mut Shared<'_>,
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

    fn feed(&mut self, input: Input<'_>, now: u64, shared: &mut Shared<'_>) {
        self.dtu.handle_input(input, Instant::from_micros(now));
        self.go_on(now, shared);
    }

    /// Carries out what it wants, and tells it what came of that, until there is nothing more.
    fn go_on(&mut self, now: u64, shared: &mut Shared<'_>) {
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

    fn carry_out(&mut self, output: Output, now: u64, shared: &mut Shared<'_>) {
        match output {
            Output::Serial(order) => self.line(order, now, shared),
            Output::Socket(LINK, order) => self.network(order, now, shared),
            Output::Store(StoreOutput::Save(_)) => shared.came.push_back(Came::Saved),
            Output::Store(StoreOutput::Messages { number, .. }) => {
                shared.came.push_back(Came::MessagesSaved(number));
            }
            Output::Event(event) => self.note(event, shared),
            Output::Power(Power::Restarted) => shared.account.restarts += 1,
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

    fn note(&mut self, event: Event, shared: &mut Shared<'_>) {
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
            // Where frames of the equipment became one of the device, all of them are gone.
            let frames = (bytes / shared.plan.content.longest()).max(1) as u32;
            self.ledger.dropped += frames;
            shared.account.dropped += u64::from(frames);
        }
    }

    fn line(&mut self, order: SerialOutput, now: u64, shared: &mut Shared<'_>) {
        match order {
            SerialOutput::Write(bytes) if self.terminal.is_some() => {
                // What it does not take waits there, as on a wire; an error is seen when it is read.
                let _ = self
                    .terminal
                    .as_mut()
                    .map(|terminal| terminal.pty.send(&bytes));
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
    fn printed(&mut self, now: u64, shared: &mut Shared<'_>) {
        let bytes = std::mem::take(&mut self.writing);
        match shared.plan.check {
            Check::Acknowledgement => {}
            Check::Echo => self.find_frames(&bytes, now, shared),
            Check::Script => self.find_answers(&bytes, now, shared),
        }
    }

    /// Looks for what the script expects.
    fn find_answers(&mut self, bytes: &[u8], now: u64, shared: &mut Shared<'_>) {
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
    fn find_frames(&mut self, bytes: &[u8], now: u64, shared: &mut Shared<'_>) {
        let Self {
            reader,
            ledger,
            index,
            attempt,
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
        // Before the first connection it can only be the device's own banner.
        let other = u64::from(reader.take_other());
        if *attempt > 0 {
            account.other_bytes += other;
        }
    }

    fn network(&mut self, order: SocketOutput, now: u64, shared: &mut Shared<'_>) {
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
                let token = u64::from(self.index) | u64::from(self.attempt) << 32;
                let from = shared.sources.of(self.index);
                match Socket::connect(shared.plan.target, from, shared.epoll, token, now) {
                    Ok(socket) => self.socket = Some(socket),
                    Err(error) => shared.came.push_back(Came::Closed(reason(&error), 0)),
                }
            }
            SocketOutput::Send(payload) => {
                let Some(socket) = &mut self.socket else {
                    return;
                };
                let sent = if self.dark {
                    socket.hold(payload);
                    Ok(Wrote::Part)
                } else {
                    socket.send(payload, now)
                };
                match sent {
                    Ok(Wrote::All) => shared.came.push_back(Came::Sent),
                    Ok(Wrote::Part) => {}
                    Err(error) => self.close(reason(&error), shared),
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
    fn close(&mut self, reason: CloseReason, shared: &mut Shared<'_>) {
        let Some(mut socket) = self.socket.take() else {
            return;
        };
        shared.account.connected -= u32::from(socket.up);
        let unread = socket.unread();
        if unread > 0 {
            shared.came.push_back(Came::Unread(unread));
        }
        shared
            .came
            .push_back(Came::Closed(reason, socket.last_acknowledged()));
        if self.dark {
            shared.shadows.push(self.index, socket, shared.plan.count);
        }
    }

    /// What the device still has goes again; the rest is with the server.
    fn connection_over(&mut self, now: u64, shared: &Shared<'_>) {
        self.heard.clear();
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

    fn check_registered(&mut self, now: u64, shared: &mut Shared<'_>) {
        let is = self
            .socket
            .as_ref()
            .is_some_and(|socket| socket.up && socket.acked >= u64::from(self.registration));
        if is {
            self.note_registered(now, shared);
        }
    }

    fn note_registered(&mut self, now: u64, shared: &mut Shared<'_>) {
        let Some(socket) = self
            .socket
            .as_ref()
            .filter(|socket| socket.up && !self.registered)
        else {
            return;
        };
        let account = &mut shared.account;
        account.registrations += 1;
        account.registration.add(now.saturating_sub(socket.since));
        account.registered += u32::from(!self.was_registered);
        self.registered = true;
        self.was_registered = true;
    }

    /// Behind all that happens to it: what it is to be called for next.
    fn settle(&mut self, now: u64, shared: &mut Shared<'_>) {
        if self.source.held && self.dtu.wants_serial() && self.ledger.has_room() {
            self.equipment(now, shared);
        }
        if let Some(socket) = self.socket.as_mut().filter(|_| !self.dark) {
            let reads = self.dtu.wants_socket(LINK);
            if let Err(error) = socket.watch(shared.epoll, reads) {
                self.close(reason(&error), shared);
                self.go_on(now, shared);
            }
        }
        if let Some(terminal) = &mut self.terminal {
            let reads = self.dtu.wants_serial();
            // It cannot fail for a descriptor that is watched.
            let _ = terminal.watch(self.index, reads, shared.epoll);
        }
        let settled = self.is_settled(now, shared.plan);
        if settled != self.settled {
            self.settled = settled;
            if settled {
                shared.settled += 1;
            } else {
                shared.settled -= 1;
            }
        }
        let query = self
            .socket
            .as_ref()
            .filter(|_| !self.dark)
            .map_or(NEVER, |socket| socket.query_at);
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

    /// Whether nothing of what it sent is open.
    fn is_settled(&self, now: u64, plan: &Plan) -> bool {
        if !self.source.is_done() {
            return false;
        }
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
    pub(super) fn finish(&mut self, now: u64, shared: &mut Shared<'_>) {
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
            FaultKind::Flap | FaultKind::Restart => {}
        }
    }

    /// A fault begins, or ends.
    pub(super) fn fault(
        &mut self,
        kind: FaultKind,
        begins: bool,
        now: u64,
        shared: &mut Shared<'_>,
    ) {
        match kind {
            FaultKind::HalfOpen => self.shadow(begins, now, shared),
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
        }
        self.go_on(now, shared);
        self.settle(now, shared);
    }

    pub(super) const fn is_dark(&self) -> bool {
        self.dark
    }

    fn reset(&mut self, shared: &mut Shared<'_>) {
        if let Some(socket) = self.socket.as_ref().filter(|_| !self.dark) {
            socket.abort_when_closed();
            self.close(CloseReason::Reset, shared);
        }
    }

    fn shadow(&mut self, begins: bool, now: u64, shared: &mut Shared<'_>) {
        if begins == self.dark {
            return;
        }
        if begins {
            self.dark = true;
            if let Some(socket) = &mut self.socket {
                let _ = socket.go_dark(shared.epoll);
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
        let back = socket.come_back(shared.epoll).and_then(|()| {
            let held = socket.is_sending();
            let wrote = if socket.up {
                socket.go_on(now)?
            } else {
                Wrote::Part
            };
            Ok(held && wrote == Wrote::All)
        });
        match back {
            Ok(true) => shared.came.push_back(Came::Sent),
            Ok(false) => {}
            Err(error) => self.close(reason(&error), shared),
        }
    }

    /// News of its modem.
    pub(super) fn modem(&mut self, news: &ModemInput, now: u64, shared: &mut Shared<'_>) {
        self.feed(Input::Modem(news), now, shared);
        if matches!(news, ModemInput::Message { .. }) && !self.texting && self.dtu.takes_commands()
        {
            // Its storage holds fifty.
            self.feed(Input::Console("AT+CMGD=1,4"), now, shared);
        }
        self.settle(now, shared);
    }

    /// Sends a text, unless it is at one.
    pub(super) fn text(&mut self, command: &str, now: u64, shared: &mut Shared<'_>) {
        if self.texting || !self.dtu.takes_commands() {
            return;
        }
        self.texting = true;
        shared.texts_open += 1;
        self.feed(Input::Console(command), now, shared);
        self.settle(now, shared);
    }

    /// To a command of the host: nothing else runs while a text is sent.
    fn replied(&mut self, reply: &str, shared: &mut Shared<'_>) {
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
    pub(super) fn end(&mut self, now: u64, shared: &mut Shared<'_>) {
        // Before its connection is closed: what it says of itself is of the run.
        let status = self.dtu.status(Instant::from_micros(now));
        let counters = status.links[0].counters;
        let unacknowledged = self.unacknowledged(now);
        self.dark = false;
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
            match end.losses.iter_mut().find(|(known, _)| *known == what) {
                Some((_, count)) => *count += drop.count,
                None => end.losses.push((what, drop.count)),
            }
        }
        self.ended = true;
        self.feed(Input::Shutdown, now, shared);
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
        let host = size_of::<Device>() - size_of::<Dtu>();
        assert!(host <= 640, "{host} bytes beside the device itself");
    }
}
