//! A fleet: many devices with real sockets in one process, in one thread.
//!
//! The devices are [`dtu_proto::Dtu`], the same that `dtud` runs; only their host differs. Each has a place in a slab,
//! the number of which is the token of its socket in one `epoll`; one heap knows when which device wants to be called.
//! A turn serves the sockets that have news and the devices whose time has come, and looks at no other: so the work grows
//! with what happens, not with the number of devices.

mod account;
mod content;
mod device;
mod fault;
mod histogram;
mod ledger;
pub mod limits;
mod plan;
mod radio;
mod recorded;
mod scenario;
mod script;
mod shadow;
mod socket;
mod source;
mod template;
mod timers;

use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use dtu_proto::event::ModemInput;
use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::io::Errno;

pub use account::{Account, End};
pub use content::{Content, HEAD, LONGEST};
pub use fault::{Fault, FaultKind};
pub use histogram::Histogram;
pub use plan::{Check, Plan};
pub use radio::Texts;
pub use recorded::{Recorded, RecordedError};
pub use scenario::{
    Bound, Scenario, ScenarioError, parse_bytes, parse_check, parse_fault, parse_ptys, parse_target,
};
pub use script::{Script, Step};
pub use template::{Template, TemplateError, Who};

use device::{Device, Shared};
use fault::{Edge, edges, hits, micros};
use limits::Sources;
use radio::Radio;
use timers::NEVER;

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

/// Why a fleet cannot run at all.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// The plan asks for what cannot be.
    #[error("{0}")]
    Plan(String),
    /// The system refused something.
    #[error("{0}: {1}")]
    System(&'static str, std::io::Error),
}

/// What is shown while a fleet runs.
pub trait Watch {
    /// Once a second, and at the end of the run.
    fn look(&mut self, now: &Now<'_>);
}

/// How a fleet is doing.
#[derive(Debug)]
pub struct Now<'a> {
    /// Since the start, in µs.
    pub at: u64,
    /// So far.
    pub account: &'a Account,
    /// Round trips since the last look.
    pub round_trips: &'a Histogram,
    /// Devices in all.
    pub count: u32,
    /// No more frames are sent; answers are waited for.
    pub draining: bool,
    /// The server.
    pub target: SocketAddr,
}

impl Watch for () {
    fn look(&mut self, _now: &Now<'_>) {}
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Sending,
    /// No more frames; answers may come until then.
    Draining(u64),
    Over,
}

struct Fleet<'a> {
    shared: Shared<'a>,
    devices: Vec<Device>,
    start: std::time::Instant,
    phase: Phase,
    edges: std::vec::IntoIter<Edge>,
    /// Faults that last, with their first edges.
    lasting: Vec<(Edge, &'a Fault)>,
    radio: Option<Radio>,
    /// News of the network for devices that are not switched on yet.
    early: Vec<(u32, ModemInput)>,
    buffer: Vec<u8>,
    look_at: u64,
    watch: &'a mut dyn Watch,
}

/// Runs a fleet to its end. A byte or the end of `stop` ends it: first no more frames are sent and answers are waited
/// for; the second byte ends that, too.
///
/// # Errors
/// It could not begin.
pub fn run(plan: &Plan, stop: impl AsFd, watch: &mut dyn Watch) -> Result<Account, FleetError> {
    // What a device refuses it refuses from all; the last has the longest number.
    for index in [0, plan.count.saturating_sub(1)] {
        plan.config(Who(index)).map_err(FleetError::Plan)?;
    }
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
    let mut fleet = Fleet {
        shared: Shared::new(plan, &poll, sources),
        devices: Vec::with_capacity(plan.count as usize),
        start: crate::clock::now(),
        phase: Phase::Sending,
        edges: edges(&plan.faults).into_iter(),
        lasting: Vec::new(),
        early: Vec::new(),
        radio: plan.texts.map(|texts| Radio::new(texts, plan.seed)),
        buffer: vec![0; READ],
        look_at: LOOK,
        watch,
    };
    fleet.run(&poll, &stop)?;
    Ok(fleet.close())
}

impl Fleet<'_> {
    fn run(&mut self, poll: &OwnedFd, stop: &impl AsFd) -> Result<(), FleetError> {
        let mut events: Vec<Event> = Vec::with_capacity(EVENTS);
        while self.phase != Phase::Over {
            // The call rounds up to whole milliseconds, so that it is not early.
            let wait = self.next().saturating_sub(self.now()).min(LOOK);
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
                    self.shared.shadows.heard(token as u32);
                    continue;
                }
                let (now, attempt) = (self.now(), (token >> 32) as u16);
                let Some(device) = self.devices.get_mut(token as u32 as usize) else {
                    continue;
                };
                if token & PTY != 0 {
                    device.terminal_ready(flags, now, &mut self.buffer, &mut self.shared);
                } else {
                    device.socket_ready(attempt, flags, now, &mut self.buffer, &mut self.shared);
                }
            }
            self.time()?;
        }
        Ok(())
    }

    fn now(&self) -> u64 {
        micros(self.start.elapsed())
    }

    /// When something is due next.
    fn next(&self) -> u64 {
        let edge = self.edges.as_slice().first().map_or(NEVER, |edge| edge.at);
        let end = match (self.phase, self.shared.plan.duration) {
            (Phase::Sending, Some(duration)) => micros(duration),
            (Phase::Draining(until), _) => until,
            (Phase::Sending | Phase::Over, _) => NEVER,
        };
        let timer = self.shared.timers.next().unwrap_or(NEVER);
        let texts = self.phase == Phase::Sending;
        let radio = self.radio.as_ref().map_or(NEVER, |radio| radio.next(texts));
        timer
            .min(radio)
            .min(edge)
            .min(end)
            .min(self.look_at)
            .min(self.starts_at())
    }

    /// When the next device is switched on.
    fn starts_at(&self) -> u64 {
        let next = self.devices.len();
        if self.phase != Phase::Sending || next as u32 >= self.shared.plan.count {
            return NEVER;
        }
        (next as f64 / self.shared.plan.ramp * 1e6) as u64
    }

    /// All that is due by now.
    fn time(&mut self) -> Result<(), FleetError> {
        let now = self.now();
        while let Some((at, index)) = self.shared.timers.due(now) {
            let Some(device) = self.devices.get_mut(index as usize) else {
                continue;
            };
            if device.planned == at {
                device.planned = NEVER;
                let now = micros(self.start.elapsed());
                device.tick(now, &mut self.shared);
            }
        }
        while self.starts_at() <= now {
            let index = self.devices.len() as u32;
            let device = Device::new(self.shared.plan, index, now, self.shared.epoll)
                .map_err(FleetError::Plan)?;
            self.devices.push(device);
            if let Some(device) = self.devices.last_mut() {
                let plan = self.shared.plan;
                for (edge, fault) in &self.lasting {
                    if hits(plan.seed, edge, fault.share, index) {
                        device.suffer(fault.kind);
                    }
                }
                device.power_on(now, &mut self.shared);
            }
            if !self.early.is_empty() {
                self.tell_early(index, now);
            }
        }
        self.radio(now);
        while let Some(edge) = self
            .edges
            .as_slice()
            .first()
            .copied()
            .filter(|edge| edge.at <= now)
        {
            self.edges.next();
            self.happen(&edge, now);
        }
        if now >= self.look_at {
            self.look_at = now + LOOK;
            self.show(now);
        }
        self.advance(now);
        Ok(())
    }

    /// What devices want of the network, and what it has for them.
    fn radio(&mut self, now: u64) {
        let Some(radio) = &mut self.radio else { return };
        radio.advance(now);
        loop {
            while let Some((index, order)) = self.shared.orders.pop_front() {
                radio.order(index, &order, now);
            }
            let Some((index, news)) = radio.news() else {
                break;
            };
            match self.devices.get_mut(index as usize) {
                Some(device) => device.modem(&news, now, &mut self.shared),
                None => self.early.push((index, news)),
            }
        }
        if self.phase == Phase::Sending
            && let Some(text) = radio.text(now)
            && let Some(device) = self.devices.get_mut(text.from as usize)
        {
            device.text(&text.command, now, &mut self.shared);
        }
    }

    /// What the network told a device before it was switched on.
    fn tell_early(&mut self, index: u32, now: u64) {
        let (own, others) = std::mem::take(&mut self.early)
            .into_iter()
            .partition(|(of, _)| *of == index);
        self.early = others;
        let own: Vec<(u32, ModemInput)> = own;
        if let Some(device) = self.devices.last_mut() {
            for (_, news) in own {
                device.modem(&news, now, &mut self.shared);
            }
        }
    }

    fn happen(&mut self, edge: &Edge, now: u64) {
        let plan = self.shared.plan;
        let Some(fault) = plan.faults.get(edge.fault) else {
            return;
        };
        // Devices that are switched on meanwhile are hit as well.
        self.lasting.retain(|(begun, _)| begun.fault != edge.fault);
        if edge.begins && fault.kind.lasts() {
            self.lasting.push((*edge, fault));
        }
        for (index, device) in (0..).zip(&mut self.devices) {
            if hits(plan.seed, edge, fault.share, index) {
                device.fault(fault.kind, edge.begins, now, &mut self.shared);
            }
        }
        if fault.kind == FaultKind::HalfOpen && !edge.begins {
            // The server still has the connections that their devices gave up meanwhile.
            let devices = &self.devices;
            let in_shadow = |index: u32| devices.get(index as usize).is_some_and(Device::is_dark);
            self.shared.shadows.lift(self.shared.epoll, in_shadow);
        }
    }

    /// From sending to waiting for answers, and to the end.
    fn advance(&mut self, now: u64) {
        let plan = self.shared.plan;
        let all_settled = self.shared.settled == plan.count;
        match self.phase {
            Phase::Sending => {
                let over = plan
                    .duration
                    .is_some_and(|duration| now >= micros(duration));
                if over || (plan.duration.is_none() && plan.frames.is_some() && all_settled) {
                    self.drain(now);
                }
            }
            Phase::Draining(until) => {
                let settled = self.shared.settled as usize == self.devices.len();
                if now >= until || (settled && self.texts_are_settled()) {
                    self.phase = Phase::Over;
                }
            }
            Phase::Over => {}
        }
    }

    fn texts_are_settled(&self) -> bool {
        self.shared.texts_open == 0 && self.shared.account.texts_missing() == 0
    }

    fn drain(&mut self, now: u64) {
        self.phase = Phase::Draining(now + micros(self.shared.plan.drain));
        for device in &mut self.devices {
            device.finish(now, &mut self.shared);
        }
    }

    fn stop(&mut self, stop: &impl AsFd) {
        let now = self.now();
        let mut byte = [0; 1];
        let read = rustix::io::read(stop, &mut byte);
        match (self.phase, read) {
            (Phase::Sending, Ok(1)) => self.drain(now),
            (_, Err(Errno::AGAIN | Errno::INTR)) => {}
            _ => self.phase = Phase::Over,
        }
    }

    fn show(&mut self, now: u64) {
        let shared = &mut self.shared;
        self.watch.look(&Now {
            at: now,
            account: &shared.account,
            round_trips: &shared.round_trips,
            count: shared.plan.count,
            draining: self.phase != Phase::Sending,
            target: shared.plan.target,
        });
        shared.round_trips = Histogram::default();
    }

    fn close(mut self) -> Account {
        let now = self.now();
        self.show(now);
        self.shared.account.end.took = now;
        for device in &mut self.devices {
            device.end(now, &mut self.shared);
        }
        self.shared.account
    }
}

#[cfg(test)]
mod tests;
