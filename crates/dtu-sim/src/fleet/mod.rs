//! A fleet: many devices in one process.
//!
//! The devices are [`dtu_proto::Dtu`], the same that `dtud` runs; only their host differs. Each has a place in a slab; one
//! heap knows when which device wants to be called. The world that they are in is a `Host`: the kernel with its sockets
//! (`kernel.rs`), or memory in virtual time (`memory.rs`).

mod account;
mod content;
mod device;
mod fault;
mod histogram;
mod host;
mod kernel;
mod ledger;
pub mod limits;
mod memory;
mod plan;
mod radio;
mod recorded;
mod scenario;
mod script;
mod shadow;
mod shards;
mod socket;
mod source;
mod template;
mod timers;

use std::net::SocketAddr;
use std::ops::Range;

use dtu_proto::event::ModemInput;

pub use account::{Account, End};
pub(crate) use content::HEAD_BEGINS;
pub use content::{Content, HEAD, LONGEST};
pub use fault::{Fault, FaultKind};
pub use histogram::Histogram;
pub use kernel::run;
pub use plan::{Check, Plan};
pub use radio::Texts;
pub use recorded::{Recorded, RecordedError};
pub use scenario::{
    Bound, Scenario, ScenarioError, parse_bytes, parse_check, parse_fault, parse_ptys, parse_target,
};
pub use script::{Script, Step};
pub use shards::{Progress, Simulated, Simulation, simulate};
pub use template::{Template, TemplateError, Who};

use device::{Device, Shared};
use fault::{Edge, hits, micros};
use host::Host;
use radio::Radio;
use timers::NEVER;

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

/// Devices that share one world, in one thread.
struct Fleet<'a, H: Host> {
    shared: Shared<'a, H>,
    devices: Vec<Device<H>>,
    /// Which of the plan's devices they are.
    range: Range<u32>,
    phase: Phase,
    /// What is still to come of the faults.
    edges: &'a [Edge],
    /// Faults that last, with their first edges.
    lasting: Vec<(Edge, &'a Fault)>,
    radio: Option<Radio>,
    /// News of the network for devices that are not switched on yet.
    early: Vec<(u32, ModemInput)>,
}

/// Whether devices can be as the plan says.
fn check(plan: &Plan) -> Result<(), FleetError> {
    // What a device refuses it refuses from all; the last has the longest number.
    for index in [0, plan.count.saturating_sub(1)] {
        plan.config(Who(index)).map_err(FleetError::Plan)?;
    }
    Ok(())
}

impl<'a, H: Host> Fleet<'a, H> {
    /// None of them is switched on yet.
    fn new(shared: Shared<'a, H>, range: Range<u32>, edges: &'a [Edge]) -> Self {
        let plan = shared.plan;
        // Who writes to one another is together.
        let texts = plan.texts.filter(|texts| range.start < texts.devices);
        Self {
            radio: texts.map(|texts| Radio::new(texts, plan.seed, H::clock())),
            devices: Vec::with_capacity(range.len()),
            shared,
            range,
            phase: Phase::Sending,
            edges,
            lasting: Vec::new(),
            early: Vec::new(),
        }
    }

    /// When something is due next.
    fn next(&self) -> u64 {
        let edge = self.edges.first().map_or(NEVER, |edge| edge.at);
        let end = match (self.phase, self.shared.plan.duration) {
            (Phase::Sending, Some(duration)) => micros(duration),
            (Phase::Draining(until), _) => until,
            (Phase::Sending | Phase::Over, _) => NEVER,
        };
        let timer = self.shared.timers.next().unwrap_or(NEVER);
        let texts = self.phase == Phase::Sending;
        let radio = self.radio.as_ref().map_or(NEVER, |radio| radio.next(texts));
        timer.min(radio).min(edge).min(end).min(self.starts_at())
    }

    /// When the next device is switched on.
    fn starts_at(&self) -> u64 {
        let next = self.range.start + self.devices.len() as u32;
        if self.phase != Phase::Sending || next >= self.range.end {
            return NEVER;
        }
        (f64::from(next) / self.shared.plan.ramp * 1e6) as u64
    }

    /// All that is due by now.
    fn time(&mut self) -> Result<(), FleetError> {
        let now = self.shared.host.now();
        while let Some((at, index)) = self.shared.timers.due(now) {
            let Some(device) = self.devices.get_mut((index - self.range.start) as usize) else {
                continue;
            };
            if device.planned == at {
                device.planned = NEVER;
                let now = self.shared.host.now();
                device.tick(now, &mut self.shared);
            }
        }
        while self.starts_at() <= now {
            let index = self.range.start + self.devices.len() as u32;
            let device = Device::new(self.shared.plan, index, now, &mut self.shared.host)
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
        while let Some((edge, rest)) = self.edges.split_first()
            && edge.at <= now
        {
            self.edges = rest;
            self.happen(edge, now);
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
            match self
                .devices
                .get_mut((index.wrapping_sub(self.range.start)) as usize)
            {
                Some(device) => device.modem(&news, now, &mut self.shared),
                None => self.early.push((index, news)),
            }
        }
        if self.phase == Phase::Sending
            && let Some(text) = radio.text(now)
            && let Some(device) = self
                .devices
                .get_mut((text.from - self.range.start) as usize)
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
        for (index, device) in self.range.clone().zip(&mut self.devices) {
            if hits(plan.seed, edge, fault.share, index) {
                device.fault(fault.kind, edge.begins, now, &mut self.shared);
            }
        }
        if fault.kind == FaultKind::HalfOpen && !edge.begins {
            // The server still has the connections that their devices gave up meanwhile.
            let (devices, first) = (&self.devices, self.range.start);
            self.shared.host.lift(|index| {
                let device = devices.get((index - first) as usize);
                device.is_some_and(Device::is_dark)
            });
        }
    }

    /// From sending to waiting for answers, and to the end.
    fn advance(&mut self, now: u64) {
        let plan = self.shared.plan;
        let all_done = self.shared.done as usize == self.range.len();
        match self.phase {
            Phase::Sending => {
                let over = plan
                    .duration
                    .is_some_and(|duration| now >= micros(duration));
                if over || (plan.duration.is_none() && plan.frames.is_some() && all_done) {
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

    fn close(mut self) -> Shared<'a, H> {
        let now = self.shared.host.now();
        let end = &mut self.shared.account.end;
        end.took = end.took.max(now);
        for device in &mut self.devices {
            device.end(now, &mut self.shared);
        }
        self.shared
    }
}

#[cfg(test)]
mod tests;
