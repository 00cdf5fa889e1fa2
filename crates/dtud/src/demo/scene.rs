//! What everybody in the scene knows, for the view.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dtu_proto::Dtu;
use dtu_proto::event::{Event, LinkId, LinkOutput, Output, SerialOutput};
use dtu_proto::status::Status;
use dtu_proto::time::Instant;

use super::modbus::REGISTERS;
use crate::machine::Observer;

/// What the device says first on each connection.
pub(super) const REGISTRATION: &[u8] = b"DTU-0001";
/// What it says when nothing else is said.
pub(super) const HEARTBEAT: &[u8] = b"HB";

pub(super) type SharedScene = Arc<Mutex<Scene>>;

pub(super) fn lock(scene: &SharedScene) -> MutexGuard<'_, Scene> {
    scene.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Debug, Default)]
pub(super) struct Scene {
    pub(super) status: Option<Status>,
    /// Newest last.
    pub(super) frames: VecDeque<Frame>,
    pub(super) reading: Option<Reading>,
    /// Requests that the meter answered.
    pub(super) asked: u64,
    pub(super) good: u64,
    pub(super) bad: u64,
    pub(super) timeouts: u64,
    pub(super) registrations: u64,
    pub(super) heartbeats: u64,
    pub(super) datagrams: u64,
    pub(super) datagram_bytes: u64,
}

/// A frame on its way through the device.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub(super) at: Duration,
    pub(super) way: Way,
    pub(super) text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    ToMeter,
    ToLink(LinkId),
    Event,
}

/// What the meter says, in its units.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    pub(super) volts: f64,
    pub(super) amperes: f64,
    pub(super) watts: f64,
    pub(super) hertz: f64,
    pub(super) kilowatt_hours: f64,
}

impl Reading {
    pub(super) fn new([volts, amperes, watts, hertz, high, low]: [u16; REGISTERS]) -> Self {
        Self {
            volts: f64::from(volts) / 10.0,
            amperes: f64::from(amperes) / 100.0,
            watts: f64::from(watts),
            hertz: f64::from(hertz) / 100.0,
            kilowatt_hours: f64::from(u32::from(high) << 16 | u32::from(low)) / 1000.0,
        }
    }
}

impl Scene {
    pub(super) fn hex(bytes: &[u8], between: &str) -> String {
        let mut text = String::with_capacity(bytes.len() * (2 + between.len()));
        for byte in bytes.iter().take(MOST_BYTES) {
            let _ = write!(text, "{}{byte:02X}", if text.is_empty() { "" } else { between });
        }
        if bytes.len() > MOST_BYTES {
            let _ = write!(text, " … {} bytes", bytes.len());
        }
        text
    }

    pub(super) fn summary(&self) -> String {
        format!(
            "summary: {} good readings, {} bad, {} time-outs; {} registrations, {} heartbeats; {} datagrams at the logger",
            self.good, self.bad, self.timeouts, self.registrations, self.heartbeats, self.datagrams
        )
    }

    fn add(&mut self, at: Duration, way: Way, text: String) {
        self.frames.push_back(Frame { at, way, text });
        if self.frames.len() > MOST_FRAMES {
            self.frames.pop_front();
        }
    }
}

/// Looks over the device's shoulder.
pub(super) struct Watcher {
    scene: SharedScene,
    every: Duration,
    now: Instant,
    start: std::time::Instant,
}

impl Watcher {
    pub(super) fn new(scene: SharedScene, every: Duration) -> Self {
        Self { scene, every, now: Instant::ZERO, start: std::time::Instant::now() }
    }
}

impl Observer for Watcher {
    fn output(&mut self, output: &Output) {
        let (way, text) = match output {
            Output::Serial(SerialOutput::Write(bytes)) => (Way::ToMeter, Scene::hex(bytes, " ")),
            Output::Link(link, LinkOutput::Send(payload)) => {
                (Way::ToLink(*link), Scene::hex(&[&payload.prefix[..], &payload.body[..]].concat(), " "))
            }
            Output::Event(Event::LinkUp(link)) => (Way::Event, format!("link {link} is up")),
            Output::Event(Event::LinkDown { link, reason, .. }) => {
                (Way::Event, format!("link {link}: {reason}"))
            }
            Output::Event(Event::ModeStarted) => (Way::Event, "working mode begins".to_owned()),
            Output::Serial(SerialOutput::Configure(line)) => {
                (Way::Event, format!("line set to {} Bd", line.baud))
            }
            Output::Serial(SerialOutput::Discard)
            | Output::Link(..)
            | Output::Channel(..)
            | Output::Modem(_)
            | Output::Store(_)
            | Output::Console(_)
            | Output::Leds(_)
            | Output::Power(_)
            | Output::Event(_) => return,
        };
        lock(&self.scene).add(self.start.elapsed(), way, text);
    }

    fn look(&mut self, dtu: &Dtu, now: Instant) -> Instant {
        self.now = now;
        lock(&self.scene).status = Some(dtu.status(now));
        now + self.every
    }
}

/// Of one frame, shown.
const MOST_BYTES: usize = 40;
/// Kept for the view.
const MOST_FRAMES: usize = 64;
