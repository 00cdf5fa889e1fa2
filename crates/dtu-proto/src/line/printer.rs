//! What the DTE gets, and when: one table for all that is said to it.

use bytes::Bytes;

use super::port::{Purpose, REPLY_QUEUE_HIGH, Source};
use super::{Line, LineState};
use crate::config::{Config, HeartbeatTo};
use crate::cx::Cx;
use crate::time::{Duration, Instant};

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
    /// It waits: data in the port, a URC in the line, a message in the mailbox.
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

impl Line {
    /// The table: class and state of the line.
    fn rule(&self, class: Class, dialogue: Dialogue, config: &Config) -> Rule {
        match (class, self.state) {
            // A DTE sees what it types, and is answered, whatever the line is by then.
            (Class::Reply | Class::FrameReply | Class::Echo, _) => Rule::Print,
            // Replies leave first. What is held then goes out behind them.
            (Class::Data(_), _) if dialogue.ending => Rule::Hold,
            (Class::Data(_), LineState::OnlineData) => Rule::Print,
            (Class::Data(_), LineState::OnlineCommand) if self.is_open(dialogue, config) => {
                Rule::Print
            }
            // mutant: network-data-waits
            (Class::Data(_), LineState::OnlineCommand | LineState::Window { .. }) => Rule::Hold,
            // Data is never disturbed.
            // mutant: rings-in-data
            (Class::Urc, LineState::OnlineData) => Rule::Drop,
            (Class::Urc, _) if dialogue.answering => Rule::Hold,
            (Class::Urc, LineState::OnlineCommand | LineState::Window { .. }) => Rule::Print,
            (Class::Message, LineState::Window { .. }) => Rule::Hold,
            // Once it is out it is done with: it waits for a DTE that is there.
            (Class::Message, _) if !self.port.present || dialogue.ending => Rule::Hold,
            (Class::Message, LineState::OnlineCommand | LineState::OnlineData) => Rule::Print,
        }
    }

    /// Whether data goes between two commands of the AT mode.
    fn is_open(&self, dialogue: Dialogue, config: &Config) -> bool {
        // mutant: prompt-holds
        dialogue.at_mode
            && !dialogue.answering
            && !self.is_half_typed(config)
            && !self.port.holds_back()
    }

    /// Prints a text, or holds it until its time has come.
    pub(crate) fn print(&mut self, class: Class, text: Bytes, dialogue: Dialogue, cx: &mut Cx<'_>) {
        if let Class::Data(_) = class {
            self.last_to_dte = cx.now;
        }
        match (self.rule(class, dialogue, cx.config), class) {
            (Rule::Print, Class::Urc) | (Rule::Hold, Class::Urc) => {
                // Those that wait go first.
                self.urcs.push_back(text);
                if self.urcs.len() > URCS_MAX {
                    self.urcs.pop_front();
                    self.counters.dropped_replies += 1;
                }
                self.print_urcs(dialogue, cx);
            }
            (Rule::Print, _) => self.write_class(class, text, cx),
            (Rule::Hold, Class::Data(source)) => self.port.hold_back(text, source, cx.now),
            (Rule::Hold | Rule::Drop, _) => {}
        }
    }

    fn write_class(&mut self, class: Class, text: Bytes, cx: &mut Cx<'_>) {
        if class
            .bound()
            .is_some_and(|bound| self.port.own_waiting() >= bound)
        {
            self.counters.dropped_replies += 1;
        } else {
            self.port.write(text, class.purpose(), cx.now, cx.outputs);
        }
    }

    /// Whether a text of this class would be printed now.
    pub(crate) fn takes(&self, class: Class, dialogue: Dialogue, config: &Config) -> bool {
        self.rule(class, dialogue, config) == Rule::Print
    }

    /// Prints the URCs that waited for an answer which is out by now.
    pub(crate) fn print_urcs(&mut self, dialogue: Dialogue, cx: &mut Cx<'_>) {
        match self.rule(Class::Urc, dialogue, cx.config) {
            Rule::Hold => {}
            Rule::Drop => self.urcs.clear(),
            Rule::Print => {
                while let Some(text) = self.urcs.pop_front() {
                    self.write_class(Class::Urc, text, cx);
                }
            }
        }
    }

    pub(crate) fn has_urcs(&self) -> bool {
        !self.urcs.is_empty()
    }

    /// In the AT mode: prints the data that came while a command was being answered.
    pub(crate) fn print_behind_answer(&mut self, dialogue: Dialogue, cx: &mut Cx<'_>) {
        let is_typed = !self.is_half_typed(cx.config)
            || self
                .half_typed_until(dialogue, cx.config)
                .is_some_and(|until| until <= cx.now);
        if is_typed && self.rests(dialogue) {
            self.port.release_held(cx.outputs);
        }
    }

    /// In the AT mode, with no command being answered.
    fn rests(&self, dialogue: Dialogue) -> bool {
        let answered = self.state == LineState::OnlineCommand && !dialogue.answering;
        answered && dialogue.at_mode && !dialogue.ending
    }

    /// When bytes of the network have waited long enough for the end of the line that is being typed.
    pub(crate) fn half_typed_until(&self, dialogue: Dialogue, config: &Config) -> Option<Instant> {
        let waits = self.is_half_typed(config) && self.rests(dialogue);
        let since = self.port.held_since().filter(|_| waits)?;
        Some(since + HALF_TYPED)
    }

    /// Whether a line that is echoed stands there unfinished: what the peer sends would land in it.
    fn is_half_typed(&self, config: &Config) -> bool {
        config.echo && !self.assembler.is_empty()
    }

    /// Writes a text of the device as it is.
    pub(crate) fn write(&mut self, text: Bytes, cx: &mut Cx<'_>) {
        self.port.write(text, Purpose::Text, cx.now, cx.outputs);
    }

    pub(super) fn echo(&mut self, bytes: &[u8], cx: &mut Cx<'_>) {
        if cx.config.echo {
            self.write_class(Class::Echo, Bytes::copy_from_slice(bytes), cx);
        }
    }

    /// When the serial line will have been silent long enough. Never inside a frame, and never while something is
    /// on its way to the DTE.
    pub(crate) fn heartbeat_deadline(&self, ending: bool, config: &Config) -> Option<Instant> {
        let on = config.heartbeat_interval > 0
            && !config.heartbeat.is_empty()
            && config.heartbeat_to == HeartbeatTo::Serial;
        if !on {
            return None;
        }
        // mutant: heartbeat-on-quiet-line
        let quiet = self.state == LineState::OnlineData
            && !ending
            && self.has_passed_on_all()
            && self.port.present
            && self.port.is_drained();
        // mutant: heartbeat-after-data
        let last = self.last_from_dte.max(self.last_to_dte);
        quiet.then(|| last + Duration::from_secs(u64::from(config.heartbeat_interval)))
    }

    pub(crate) fn heartbeat(&mut self, cx: &mut Cx<'_>) {
        self.last_to_dte = cx.now;
        self.counters.heartbeats += 1;
        self.write(Bytes::copy_from_slice(&cx.config.heartbeat), cx);
    }
}
