//! A fleet with sockets of the kernel, in one thread and in real time.
//!
//! The index of a device is the token of its socket in one `epoll`. A turn serves the sockets that have news and the
//! devices whose time has come, and looks at no other: so the work grows with what happens, not with the number of devices.

use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use dtu_proto::event::{CloseReason, Input, Payload, SerialInput};
use dtu_proto::radio::NetworkTime;
use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::io::Errno;

use super::device::{Came, Device, LINK, Shared};
use super::fault::{FaultKind, edges, micros};
use super::host::{Connection, Host, News, Terminal, Wrote};
use super::limits::Sources;
use super::shadow::Shadows;
use super::socket::{Socket, reason};
use super::{Account, Fleet, FleetError, Histogram, Now, Phase, Plan, Watch, check, limits};
use crate::pty::Pty;

/// The token of the descriptor that ends the run.
const STOP: u64 = u64::MAX;
/// Marks the token of a device's pty.
const PTY: u64 = 1 << 48;
/// Marks the token of a connection that its device has given up.
const SHADOW: u64 = 1 << 49;
/// One read of a socket.
const READ: usize = 8192;
/// News of sockets in one turn.
const EVENTS: usize = 512;
/// How often the watcher looks.
const LOOK: u64 = 1_000_000;

/// The kernel, as a world for devices.
pub(super) struct Kernel<'a> {
    epoll: &'a OwnedFd,
    sources: Sources,
    shadows: Shadows,
    start: std::time::Instant,
}

impl Host for Kernel<'_> {
    type Socket = Socket;
    type Terminal = Line;

    fn now(&self) -> u64 {
        micros(self.start.elapsed())
    }

    fn clock() -> NetworkTime {
        crate::clock::wall_clock()
    }

    fn connect(
        &mut self,
        device: u32,
        attempt: u16,
        to: SocketAddr,
    ) -> Result<Socket, CloseReason> {
        let token = u64::from(device) | u64::from(attempt) << 32;
        let from = self.sources.of(device);
        Socket::connect(to, from, self.epoll, token, self.now()).map_err(|error| reason(&error))
    }

    fn leave(&mut self, device: u32, socket: Socket, most: u32) {
        self.shadows.push(device, socket, most);
    }

    fn lift(&mut self, in_shadow: impl Fn(u32) -> bool) {
        let token = |number: u32| SHADOW | u64::from(number);
        self.shadows.lift(self.epoll, token, in_shadow);
    }

    fn open_terminal(&mut self, name: &str, device: u32) -> Result<Line, String> {
        Line::open(name, device, self.epoll).map_err(|error| format!("{name}: {error}"))
    }
}

impl Connection<Kernel<'_>> for Socket {
    fn is_up(&self) -> bool {
        self.up
    }

    fn since(&self) -> u64 {
        self.since
    }

    fn acked(&self) -> u64 {
        self.acked
    }

    fn send(&mut self, payload: Payload, host: &mut Kernel<'_>) -> Result<Wrote, CloseReason> {
        self.hold(payload);
        self.go_on(host.now()).map_err(|error| reason(&error))
    }

    fn hold(&mut self, payload: Payload) {
        Self::hold(self, payload);
    }

    fn watch(&mut self, reads: bool, host: &mut Kernel<'_>) -> Result<(), CloseReason> {
        Self::watch(self, host.epoll, reads).map_err(|error| reason(&error))
    }

    fn next(&self) -> u64 {
        self.query_at
    }

    fn news(&mut self, host: &mut Kernel<'_>) -> Option<News> {
        self.acknowledged(host.now(), false)
            .then_some(News::Acked(self.acked))
    }

    fn go_dark(&mut self, host: &mut Kernel<'_>) {
        let _ = Self::go_dark(self, host.epoll);
    }

    fn come_back(&mut self, host: &mut Kernel<'_>) -> Result<Option<News>, CloseReason> {
        let back = Self::come_back(self, host.epoll).and_then(|()| {
            let held = self.is_sending();
            let wrote = if self.up {
                self.go_on(host.now())?
            } else {
                Wrote::Part
            };
            Ok((held && wrote == Wrote::All).then_some(News::Sent))
        });
        back.map_err(|error| reason(&error))
    }

    fn abort_when_closed(&mut self) {
        Self::abort_when_closed(self);
    }

    fn last_word(&mut self, _host: &mut Kernel<'_>) -> (u64, u64) {
        let unread = self.unread();
        (self.last_acknowledged(), unread)
    }
}

/// A pty as the serial line of a device.
pub(super) struct Line {
    pty: Pty,
    watched: EventFlags,
}

impl Line {
    fn open(name: &str, index: u32, epoll: &OwnedFd) -> std::io::Result<Self> {
        let pty = Pty::open(name.as_ref())?;
        let watched = EventFlags::IN;
        let token = EventData::new_u64(PTY | u64::from(index));
        epoll::add(epoll, pty.fd(), token, watched)?;
        Ok(Self { pty, watched })
    }
}

impl Terminal<Kernel<'_>> for Line {
    fn send(&mut self, bytes: &[u8]) {
        // An error is seen when it is read.
        let _ = self.pty.send(bytes);
    }

    fn watch(&mut self, device: u32, reads: bool, host: &mut Kernel<'_>) {
        let mut wanted = EventFlags::empty();
        wanted.set(EventFlags::IN, reads);
        wanted.set(EventFlags::OUT, self.pty.is_waiting());
        if wanted != self.watched {
            self.watched = wanted;
            let token = EventData::new_u64(PTY | u64::from(device));
            // It cannot fail for a descriptor that is watched.
            let _ = epoll::modify(host.epoll, self.pty.fd(), token, wanted);
        }
    }
}

/// Runs a fleet to its end. A byte or the end of `stop` ends it: first no more frames are sent and answers are waited
/// for; the second byte ends that, too.
///
/// # Errors
/// It could not begin.
pub fn run(plan: &Plan, stop: impl AsFd, watch: &mut dyn Watch) -> Result<Account, FleetError> {
    check(plan)?;
    let sources = Sources::new(plan.count, plan.target, limits::local_ports());
    let sources = sources.map_err(FleetError::Plan)?;
    // A pty has two ends.
    let ptys = plan
        .ptys
        .as_ref()
        .map_or(0, |ptys| ptys.end() - ptys.start() + 1);
    // And a connection may stay half open beside the next one of its device.
    let mut kinds = plan.faults.iter().map(|fault| fault.kind);
    let each = 1 + u64::from(kinds.any(|kind| kind == FaultKind::HalfOpen));
    limits::raise_descriptors(each * u64::from(plan.count) + 2 * u64::from(ptys))
        .map_err(FleetError::Plan)?;
    if ptys > 0 {
        limits::check_ptys(ptys).map_err(FleetError::Plan)?;
    }
    let system = |what| move |error: Errno| FleetError::System(what, error.into());
    let poll = epoll::create(CreateFlags::CLOEXEC).map_err(system("epoll"))?;
    epoll::add(&poll, &stop, EventData::new_u64(STOP), EventFlags::IN).map_err(system("epoll"))?;
    let host = Kernel {
        epoll: &poll,
        sources,
        shadows: Shadows::default(),
        start: crate::clock::now(),
    };
    let edges = edges(&plan.faults);
    let mut shown = Shown { watch, at: LOOK };
    let mut fleet = Fleet::new(Shared::new(plan, host), 0..plan.count, &edges);
    fleet.serve(&poll, &stop, &mut shown)?;
    shown.look(fleet.shared.host.now(), &mut fleet);
    Ok(fleet.close().account)
}

/// Who watches, and when next.
struct Shown<'a> {
    watch: &'a mut dyn Watch,
    at: u64,
}

impl Shown<'_> {
    fn look(&mut self, now: u64, fleet: &mut Fleet<'_, Kernel<'_>>) {
        self.at = now + LOOK;
        let draining = fleet.phase != Phase::Sending;
        let shared = &mut fleet.shared;
        self.watch.look(&Now {
            at: now,
            account: &shared.account,
            round_trips: &shared.round_trips,
            count: shared.plan.count,
            draining,
            target: shared.plan.target,
        });
        shared.round_trips = Histogram::default();
    }
}

impl Fleet<'_, Kernel<'_>> {
    fn serve(
        &mut self,
        poll: &OwnedFd,
        stop: &impl AsFd,
        shown: &mut Shown<'_>,
    ) -> Result<(), FleetError> {
        let mut buffer = vec![0; READ];
        let mut events: Vec<Event> = Vec::with_capacity(EVENTS);
        while self.phase != Phase::Over {
            // The call rounds up to whole milliseconds, so that it is not early.
            let next = self.next().min(shown.at);
            let wait = next.saturating_sub(self.shared.host.now()).min(LOOK);
            let wait = Timespec::try_from(Duration::from_micros(wait)).ok();
            match epoll::wait(poll, spare_capacity(&mut events), wait.as_ref()) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(FleetError::System("epoll", error.into())),
            }
            for event in events.drain(..) {
                let (token, flags) = (event.data.u64(), event.flags);
                if token == STOP {
                    self.stop(stop);
                    continue;
                }
                if token & SHADOW != 0 {
                    self.shared.host.shadows.heard(token as u32);
                    continue;
                }
                let (now, attempt) = (self.shared.host.now(), (token >> 32) as u16);
                let Some(device) = self.devices.get_mut(token as u32 as usize) else {
                    continue;
                };
                if token & PTY != 0 {
                    device.terminal_ready(flags, now, &mut buffer, &mut self.shared);
                } else {
                    device.socket_ready(attempt, flags, now, &mut buffer, &mut self.shared);
                }
            }
            self.time()?;
            let now = self.shared.host.now();
            if now >= shown.at {
                shown.look(now, self);
            }
        }
        Ok(())
    }

    fn stop(&mut self, stop: &impl AsFd) {
        let now = self.shared.host.now();
        let mut byte = [0; 1];
        let read = rustix::io::read(stop, &mut byte);
        match (self.phase, read) {
            (Phase::Sending, Ok(1)) => self.drain(now),
            (_, Err(Errno::AGAIN | Errno::INTR)) => {}
            _ => self.phase = Phase::Over,
        }
    }
}

impl<'k> Device<Kernel<'k>> {
    /// News of its socket.
    pub(super) fn socket_ready(
        &mut self,
        attempt: u16,
        flags: EventFlags,
        now: u64,
        buffer: &mut [u8],
        shared: &mut Shared<'_, Kernel<'k>>,
    ) {
        if attempt != self.attempt || self.dark {
            return;
        }
        let Some(socket) = &mut self.socket else {
            return;
        };
        if !socket.up {
            match socket.finish_connecting() {
                Ok(local) => self.connected(local, now, shared),
                Err(error) => {
                    self.close(reason(&error), shared);
                    self.go_on(now, shared);
                }
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

    fn read(
        &mut self,
        flags: EventFlags,
        now: u64,
        buffer: &mut [u8],
        shared: &mut Shared<'_, Kernel<'k>>,
    ) {
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
                    let total = socket.acked;
                    self.acked(total, now, shared);
                }
                return self.hear(buffer.get(..count).unwrap_or_default(), now, shared);
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
        shared: &mut Shared<'_, Kernel<'k>>,
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
}
