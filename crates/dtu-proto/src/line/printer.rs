//! Everything that is printed to the DTE, and when: one table for all that is said to it.

use alloc::collections::VecDeque;
use bytes::Bytes;

use super::LineState;
use super::port::{Dropped, Purpose, SerialPort, Source};
use crate::cx::Cx;
use crate::time::{Duration, Instant};

/// A socket is not read while so many bytes of it wait for the DTE.
pub(super) const QUEUE_HIGH: usize = 15 * 1024;
/// Replies to commands of the line find no room while so many bytes wait: in the command state it is not read then.
pub(super) const REPLY_QUEUE_HIGH: usize = 2 * QUEUE_HIGH;
/// In the AT mode bytes of the network wait so long for the end of a line that is being typed and echoed.
const HALF_TYPED: Duration = Duration::from_secs(3);
/// So many URCs wait at most while a command of the line is being answered; the oldest goes first.
const URCS_MAX: usize = 16;

/// What a text for the DTE is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// The answer to a command line.
    Reply,
    /// The answer to a command in a frame of the DTE.
    FrameReply,
    /// What the DTE types.
    Echo,
    /// Bytes of the network, and what the device says in their midst.
    Data(Source),
    /// A result code that nobody asked for (V.250, 27.007).
    Urc,
    /// A short message, printed whole.
    Message,
}

impl Class {
    /// So many bytes of the device's own texts may wait before one of this class is dropped, and counted. The others are
    /// bounded where they come from: the DTE is not read, nor the socket, nor the next message written.
    const fn bound(self) -> Option<usize> {
        match self {
            // Data of the DTE goes on behind a frame, so its reading cannot stop.
            Self::FrameReply | Self::Urc => Some(REPLY_QUEUE_HIGH),
            Self::Reply | Self::Echo | Self::Data(_) | Self::Message => None,
        }
    }

    const fn purpose(self) -> Purpose {
        match self {
            Self::Reply | Self::FrameReply | Self::Echo | Self::Urc => Purpose::Text,
            Self::Data(source) => Purpose::Data(source),
            Self::Message => Purpose::Message,
        }
    }
}

/// What becomes of a text now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    Print,
    /// It waits: data in the port, a URC in its queue, a message in the mailbox.
    Hold,
    Drop,
}

/// What the device is about, as far as that decides what the DTE gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dialogue {
    /// A command of the line waits for its answer, or for its text.
    pub(crate) answering: bool,
    /// The device is about to restart or to stop.
    pub(crate) ending: bool,
    /// The AT mode runs: data of its connection is printed between commands.
    pub(crate) at_mode: bool,
}

/// What the line is about: with the class of a text it decides what becomes of that.
#[derive(Clone, Copy, Debug)]
pub(super) struct Situation {
    pub(super) state: LineState,
    pub(super) dialogue: Dialogue,
    /// A line that is echoed stands there unfinished: what the peer sends would land in it.
    pub(super) half_typed: bool,
}

impl Situation {
    /// In the AT mode, with no command being answered.
    fn is_between_commands(&self) -> bool {
        let Dialogue {
            answering,
            ending,
            at_mode,
        } = self.dialogue;
        self.state == LineState::OnlineCommand && at_mode && !answering && !ending
    }
}

/// What is for the DTE, until it is written.
#[derive(Debug)]
pub(super) struct Printer {
    pub(super) port: SerialPort,
    /// They wait for the answer to a command.
    urcs: VecDeque<Bytes>,
    /// When something for the DTE last came or went out.
    last_at: Instant,
}

impl Printer {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            port: SerialPort::default(),
            urcs: VecDeque::new(),
            last_at: now,
        }
    }

    /// The device starts over.
    pub(super) fn power_on(&mut self, now: Instant) {
        self.last_at = now;
        self.urcs.clear();
    }

    /// When something for the DTE last came or went out.
    pub(super) const fn last_at(&self) -> Instant {
        self.last_at
    }

    /// The table: class and state of the line.
    fn rule(&self, class: Class, now: &Situation) -> Rule {
        match (class, now.state) {
            // A DTE sees what it types, and is answered, whatever the line is by then.
            (Class::Reply | Class::FrameReply | Class::Echo, _) => Rule::Print,
            // Replies leave first. What is held then goes out behind them.
            (Class::Data(_), _) if now.dialogue.ending => Rule::Hold,
            (Class::Data(_), LineState::OnlineData) => Rule::Print,
            (Class::Data(_), LineState::OnlineCommand) if self.takes_data(now) => Rule::Print,
            // mutant: network-data-waits
            (Class::Data(_), LineState::OnlineCommand | LineState::Window { .. }) => Rule::Hold,
            // Data is never disturbed.
            // mutant: rings-in-data
            (Class::Urc, LineState::OnlineData) => Rule::Drop,
            (Class::Urc, _) if now.dialogue.answering => Rule::Hold,
            (Class::Urc, LineState::OnlineCommand | LineState::Window { .. }) => Rule::Print,
            (Class::Message, LineState::Window { .. }) => Rule::Hold,
            // Once it is out it is done with: it waits for a DTE that is there.
            (Class::Message, _) if !self.port.present || now.dialogue.ending => Rule::Hold,
            (Class::Message, LineState::OnlineCommand | LineState::OnlineData) => Rule::Print,
        }
    }

    /// Whether data goes between two commands of the AT mode.
    fn takes_data(&self, now: &Situation) -> bool {
        let Dialogue {
            answering, at_mode, ..
        } = now.dialogue;
        // mutant: prompt-holds
        at_mode && !answering && !now.half_typed && !self.port.holds_back()
    }

    /// Prints a text, or holds it until its time has come.
    pub(super) fn print(
        &mut self,
        class: Class,
        text: Bytes,
        now: &Situation,
        cx: &mut Cx<'_>,
    ) -> Dropped {
        if let Class::Data(_) = class {
            self.last_at = cx.now;
        }
        match (self.rule(class, now), class) {
            (Rule::Print | Rule::Hold, Class::Urc) => {
                // Those that wait go first.
                self.urcs.push_back(text);
                let mut dropped = Dropped::default();
                if self.urcs.len() > URCS_MAX {
                    self.urcs.pop_front();
                    dropped.texts += 1;
                }
                dropped.texts += self.print_urcs(now, cx).texts;
                dropped
            }
            (Rule::Print, _) => self.write(class, text, cx),
            (Rule::Hold, Class::Data(source)) => {
                self.port.hold_back(text, source, cx.now);
                Dropped::default()
            }
            (Rule::Hold | Rule::Drop, _) => Dropped::default(),
        }
    }

    /// Writes a text of this class, whatever the line is about.
    pub(super) fn write(&mut self, class: Class, text: Bytes, cx: &mut Cx<'_>) -> Dropped {
        let mut dropped = Dropped::default();
        if class
            .bound()
            .is_some_and(|bound| self.port.own_waiting() >= bound)
        {
            dropped.texts += 1;
        } else {
            self.write_for(class.purpose(), text, cx);
        }
        dropped
    }

    /// Writes what is out of the table: a banner, the offer of the escape, a heartbeat.
    pub(super) fn write_for(&mut self, purpose: Purpose, text: Bytes, cx: &mut Cx<'_>) {
        self.port.write(text, purpose, cx.now, cx.outputs);
    }

    pub(super) fn heartbeat(&mut self, cx: &mut Cx<'_>) {
        self.last_at = cx.now;
        let text = Bytes::copy_from_slice(&cx.config.heartbeat);
        self.write_for(Purpose::Text, text, cx);
    }

    /// Whether a text of this class would be printed now.
    pub(super) fn takes(&self, class: Class, now: &Situation) -> bool {
        self.rule(class, now) == Rule::Print
    }

    /// Prints the URCs that waited for an answer which is out by now.
    pub(super) fn print_urcs(&mut self, now: &Situation, cx: &mut Cx<'_>) -> Dropped {
        let mut dropped = Dropped::default();
        match self.rule(Class::Urc, now) {
            Rule::Hold => {}
            Rule::Drop => self.urcs.clear(),
            Rule::Print => {
                while let Some(text) = self.urcs.pop_front() {
                    dropped.texts += self.write(Class::Urc, text, cx).texts;
                }
            }
        }
        dropped
    }

    pub(super) fn has_urcs(&self) -> bool {
        !self.urcs.is_empty()
    }

    /// In the AT mode: prints the data that came while a command was being answered.
    pub(super) fn print_behind_answer(&mut self, now: &Situation, cx: &mut Cx<'_>) {
        let is_typed = !now.half_typed
            || self
                .half_typed_until(now)
                .is_some_and(|until| until <= cx.now);
        if is_typed && now.is_between_commands() {
            self.port.release_held(cx.outputs);
        }
    }

    /// When bytes of the network have waited long enough for the end of the line that is being typed.
    pub(super) fn half_typed_until(&self, now: &Situation) -> Option<Instant> {
        let waits = now.half_typed && now.is_between_commands();
        let since = self.port.held_since().filter(|_| waits)?;
        Some(since + HALF_TYPED)
    }

    /// The outstanding write is out: its length and purpose.
    pub(super) fn written(&mut self, cx: &mut Cx<'_>) -> Option<(usize, Purpose)> {
        let written = self.port.written(cx.now, cx.outputs);
        if written.is_some() {
            self.last_at = cx.now;
        }
        written
    }
}
