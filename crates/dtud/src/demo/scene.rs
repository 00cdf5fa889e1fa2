//! What everybody in the scene knows, for the view.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dtu_proto::Dtu;
use dtu_proto::event::{Event, Output, SocketId, SocketOutput};
use dtu_proto::status::{LinkStatus, Status};
use dtu_proto::time::Instant;

use super::account::Account;
use super::reading::Reading;
use super::story::{self, Story};
use crate::machine::Observer;
use crate::words::Count;

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
    pub(super) story: Story,
    pub(super) account: Account,
    /// Newest last.
    pub(super) frames: VecDeque<Frame>,
    /// What the meter said last.
    pub(super) reading: Option<Reading>,
    pub(super) registrations: u64,
    pub(super) heartbeats: u64,
    /// The demo ends: the meter says no more.
    pub(super) closing: bool,
    /// Where the device's web console is.
    pub(super) console: String,
}

/// A frame on its way.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub(super) at: Duration,
    pub(super) way: Way,
    pub(super) text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    FromMeter,
    ToMeter,
    ToCenter,
    Registration,
    Heartbeat,
    Event,
}

impl Scene {
    /// The meter writes a reading.
    pub(super) fn on_reading(&mut self, at: Duration, reading: Reading, length: usize) {
        self.account.send(length);
        self.reading = Some(reading);
        self.add(at, Way::FromMeter, reading.to_string());
    }

    /// The meter reads.
    pub(super) fn on_bytes(&mut self, at: Duration, bytes: &[u8]) {
        self.add(at, Way::ToMeter, shown(bytes));
    }

    /// Time goes on in the story.
    pub(super) fn tick(&mut self, now: Duration) {
        let frames = self.story_frames();
        self.story.tick(now, frames);
    }

    /// The key: cuts the network, or heals it.
    pub(super) fn turn(&mut self, now: Duration) {
        let frames = self.story_frames();
        self.story.turn(now, frames);
    }

    /// What happens, in a sentence.
    pub(super) fn sentence(&self, now: Duration) -> String {
        self.story.sentence(now, self.story_frames())
    }

    fn story_frames(&self) -> story::Frames {
        story::Frames {
            sent: self.account.sent.frames,
            arrived: self.account.arrived.frames,
            waiting: self.waiting(),
            lost: self.account.lost(),
        }
    }

    /// The device's way to the data center.
    pub(super) fn link(&self) -> Option<&LinkStatus> {
        let [link, ..] = &self.status.as_ref()?.links;
        Some(link)
    }

    /// Frames that wait in the device.
    fn waiting(&self) -> usize {
        self.link().map_or(0, |link| link.waiting_frames)
    }

    /// Whether whatever the meter said has arrived, or waits in the device for the network.
    pub(super) fn is_settled(&self) -> bool {
        let waits = if self.story.is_cut() {
            self.waiting() as u64
        } else {
            0
        };
        self.account.under_way() == waits
    }

    /// The account, in a line.
    pub(super) fn sum(&self) -> String {
        let Account {
            sent,
            arrived,
            twice,
            ..
        } = &self.account;
        let (under_way, lost) = (self.account.under_way(), self.account.lost());
        format!(
            "sent {} = arrived {} + under way {under_way} + lost {lost}; twice {twice}",
            sent.frames, arrived.frames
        )
    }

    /// What was seen, at the end.
    pub(super) fn summary(&self) -> String {
        let (sent, arrived) = (self.account.sent.bytes, self.account.arrived.bytes);
        format!(
            "summary: {}; {sent} B in at the serial line, {arrived} B out at the data center; {}, {}",
            self.sum(),
            Count(self.registrations, "registration"),
            Count(self.heartbeats, "heartbeat")
        )
    }

    fn add(&mut self, at: Duration, way: Way, text: String) {
        self.frames.push_back(Frame { at, way, text });
        if self.frames.len() > MOST_FRAMES {
            self.frames.pop_front();
        }
    }
}

/// Text without its line ends, and with no byte that would drive the terminal.
fn shown(bytes: &[u8]) -> String {
    let end = bytes
        .iter()
        .rposition(|byte| !byte.is_ascii_whitespace())
        .map_or(0, |last| last + 1);
    bytes
        .get(..end)
        .unwrap_or_default()
        .escape_ascii()
        .to_string()
}

/// Looks over the device's shoulder.
pub(super) struct Watcher {
    scene: SharedScene,
    start: tokio::time::Instant,
}

impl Watcher {
    pub(super) fn new(scene: SharedScene, start: tokio::time::Instant) -> Self {
        Self { scene, start }
    }
}

impl Observer for Watcher {
    fn output(&mut self, output: &Output) {
        let (way, text) = match output {
            Output::Socket(SocketId::Link(_), SocketOutput::Send(payload)) => {
                let bytes = [&payload.prefix[..], &payload.body[..]].concat();
                let way = match bytes.as_slice() {
                    REGISTRATION => Way::Registration,
                    HEARTBEAT => Way::Heartbeat,
                    _ => Way::ToCenter,
                };
                (way, shown(&bytes))
            }
            Output::Event(Event::Connected(SocketId::Link(link))) => {
                (Way::Event, format!("link {link} is up"))
            }
            Output::Event(Event::Disconnected {
                socket: SocketId::Link(link),
                reason,
                ..
            }) => (Way::Event, format!("link {link}: {reason}")),
            Output::Event(Event::ModeStarted) => (Way::Event, "working mode begins".to_owned()),
            Output::Serial(_)
            | Output::Socket(..)
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
        lock(&self.scene).status = Some(dtu.status(now));
        now + LOOK_EVERY
    }
}

/// Kept for the view.
const MOST_FRAMES: usize = 64;
/// The device is looked at so often.
const LOOK_EVERY: Duration = Duration::from_millis(100);
