//! Everything that is printed to the DTE, and when: one table for all that is said to it.

use bytes::Bytes;

use super::LineState;
use super::port::{Dropped, Purpose, SerialPort, Source};
use super::urcs::{Keep, Urc, UrcQueue};
use crate::cx::Cx;
use crate::time::{Duration, Instant};

/// A socket is not read while so many bytes of it wait for the DTE.
pub(super) const QUEUE_HIGH: usize = 15 * 1024;
/// Replies to commands of the line find no room while so many bytes wait: in the command state it is not read then.
pub(super) const REPLY_QUEUE_HIGH: usize = 2 * QUEUE_HIGH;
/// In the AT mode bytes of the network wait so long for the end of a line that is being typed and echoed; a URC waits so
/// long behind the last byte of such a line.
const HALF_TYPED: Duration = Duration::from_secs(3);
/// Silence of the line that ends a dialogue. Programs that talk with a modem take a URC in its midst for the answer that
/// they wait for.
const DIALOGUE_GAP: Duration = Duration::from_millis(500);
/// Between two URCs: python-gsmmodem, for one, takes two that it reads at once for one.
const URC_GAP: Duration = Duration::from_millis(100);
/// A DTE that never stops talking is told all the same.
const PATIENCE: Duration = Duration::from_secs(10);

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
    Urc(Keep),
    /// A short message, printed whole.
    Message,
}

impl Class {
    /// So many bytes of the device's own texts may wait before one of this class is dropped, and counted. The others are
    /// bounded where they come from: the DTE is not read, nor the socket, nor the next message written; URCs have a queue.
    const fn bound(self) -> Option<usize> {
        match self {
            // Data of the DTE goes on behind a frame, so its reading cannot stop.
            Self::FrameReply => Some(REPLY_QUEUE_HIGH),
            Self::Reply | Self::Echo | Self::Data(_) | Self::Urc(_) | Self::Message => None,
        }
    }

    const fn purpose(self) -> Purpose {
        match self {
            Self::Reply | Self::FrameReply | Self::Echo => Purpose::Text,
            Self::Urc(_) => Purpose::Urc,
            Self::Data(source) => Purpose::Data(source),
            Self::Message => Purpose::Message,
        }
    }
}

/// What becomes of a text now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    /// Now; a URC when the line rests.
    Print,
    /// It waits: data in the port, a URC in its queue, a message in the mailbox.
    Hold,
    Drop,
}

/// What the device is about, as far as that decides what the DTE gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dialogue {
    /// A command of the line waits for its answer, for its text, or for that of another origin to end.
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
    /// What the DTE types is echoed.
    pub(super) echo: bool,
    /// A command line stands there unfinished.
    pub(super) typing: bool,
    pub(super) last_from_dte: Instant,
    pub(super) polls: Option<Duration>,
}

impl Situation {
    /// Silence that ends a dialogue. A program that polls twice a second (python-gsmmodem, while it dials) would meet a URC
    /// right when it asks, and take it for the answer: its next question comes first.
    fn rest(&self) -> Duration {
        let polls = self.polls.map(|polls| polls + URC_GAP);
        polls.unwrap_or_default().max(DIALOGUE_GAP)
    }

    /// A line that is echoed stands there unfinished: what the peer sends would land in it.
    const fn is_half_typed(&self) -> bool {
        self.echo && self.typing
    }

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
    pub(super) urcs: UrcQueue,
    /// Since when commands are typed: what came before that has kept nobody waiting.
    commands_since: Instant,
    /// When something for the DTE last came or went out.
    last_at: Instant,
    /// Whether that was a URC.
    last_is_urc: bool,
    /// When the last URC was printed.
    urc_at: Option<Instant>,
}

impl Printer {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            port: SerialPort::default(),
            urcs: UrcQueue::default(),
            commands_since: now,
            last_at: now,
            last_is_urc: false,
            urc_at: None,
        }
    }

    /// The device starts over. Says what that costs.
    pub(super) fn power_on(&mut self, now: Instant) -> Dropped {
        (self.last_at, self.last_is_urc) = (now, false);
        self.begin_commands(now);
        self.begin_data()
    }

    /// Commands are typed from now on.
    pub(super) const fn begin_commands(&mut self, now: Instant) {
        self.commands_since = now;
    }

    /// The line carries data from now on. Says what that costs.
    pub(super) fn begin_data(&mut self) -> Dropped {
        Dropped {
            urcs: self.urcs.drop_unkept(),
            ..Dropped::default()
        }
    }

    /// The device stops: nothing more is written. Says what that costs.
    pub(super) fn abandon(&mut self) -> Dropped {
        let mut dropped = self.port.abandon();
        dropped.urcs += self.urcs.abandon();
        dropped
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
            (Class::Urc(Keep::UntilData), LineState::OnlineData) => Rule::Drop,
            (Class::Urc(_), LineState::OnlineData) => Rule::Hold,
            // mutant: urc-in-answer
            (Class::Urc(_), _) if now.dialogue.answering || now.dialogue.ending => Rule::Hold,
            (Class::Urc(_), LineState::OnlineCommand | LineState::Window { .. }) => Rule::Print,
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
        at_mode && !answering && !now.is_half_typed() && !self.port.holds_back()
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
            (self.last_at, self.last_is_urc) = (cx.now, false);
        }
        match (self.rule(class, now), class) {
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
        (self.last_at, self.last_is_urc) = (cx.now, false);
        let text = Bytes::copy_from_slice(&cx.config.heartbeat);
        self.write_for(Purpose::Text, text, cx);
    }

    /// Whether a text of this class would be printed now.
    pub(super) fn takes(&self, class: Class, now: &Situation) -> bool {
        self.rule(class, now) == Rule::Print
    }

    /// A URC: it waits for the line to rest, unless this state of the line drops it. Says what that costs.
    pub(super) fn push_urc(
        &mut self,
        urc: Urc,
        keep: Keep,
        now: &Situation,
        at: Instant,
    ) -> Dropped {
        let urcs = match self.rule(Class::Urc(keep), now) {
            Rule::Print | Rule::Hold => self.urcs.push(urc, keep, at),
            Rule::Drop => 1,
        };
        Dropped {
            urcs,
            ..Dropped::default()
        }
    }

    /// The next URC, if it is to be printed by now.
    pub(super) fn due_urc(&mut self, now: &Situation, at: Instant) -> Option<Urc> {
        self.next_urc_at(now)
            .filter(|due| *due <= at)
            .and_then(|_| self.urcs.pop())
    }

    pub(super) fn print_urc(&mut self, text: Bytes, cx: &mut Cx<'_>) {
        self.urc_at = Some(cx.now);
        self.write_for(Purpose::Urc, text, cx);
    }

    /// When the next URC is printed.
    pub(super) fn next_urc_at(&self, now: &Situation) -> Option<Instant> {
        let (keep, since) = self.urcs.next()?;
        self.rests_at(keep, since, now)
    }

    /// When a URC that waits since then is printed: the line rests, or has not for too long. `None`: this state of the
    /// line holds it.
    pub(super) fn rests_at(&self, keep: Keep, since: Instant, now: &Situation) -> Option<Instant> {
        let reads = self.port.own_waiting() < REPLY_QUEUE_HIGH;
        if !reads || self.rule(Class::Urc(keep), now) != Rule::Print {
            return None;
        }
        let patience = since.max(self.commands_since) + PATIENCE;
        let mut at = patience;
        if self.port.is_drained() {
            // mutant: urc-gap
            let gap = if self.last_is_urc {
                URC_GAP
            } else {
                now.rest()
            };
            // mutant: urc-rests
            at = at.min((now.last_from_dte + now.rest()).max(self.last_at + gap));
        }
        if now.typing {
            // A line that nobody goes on with, or noise, holds nothing up for long.
            let given_up = (now.last_from_dte + HALF_TYPED).min(patience + HALF_TYPED);
            // mutant: urc-half-typed
            at = at.max(given_up);
        }
        // Also where what was printed is not out yet.
        Some(self.urc_at.map_or(at, |urc_at| at.max(urc_at + URC_GAP)))
    }

    /// In the AT mode: prints the data that came while a command was being answered.
    pub(super) fn print_behind_answer(&mut self, now: &Situation, cx: &mut Cx<'_>) {
        let is_typed = !now.is_half_typed()
            || self
                .half_typed_until(now)
                .is_some_and(|until| until <= cx.now);
        if is_typed && now.is_between_commands() {
            self.port.release_held(cx.outputs);
        }
    }

    /// When bytes of the network have waited long enough for the end of the line that is being typed.
    pub(super) fn half_typed_until(&self, now: &Situation) -> Option<Instant> {
        let waits = now.is_half_typed() && now.is_between_commands();
        let since = self.port.held_since().filter(|_| waits)?;
        Some(since + HALF_TYPED)
    }

    /// The outstanding write is out: its length and purpose.
    pub(super) fn written(&mut self, cx: &mut Cx<'_>) -> Option<(usize, Purpose)> {
        let (len, purpose) = self.port.written(cx.now, cx.outputs)?;
        self.last_at = cx.now;
        // `+CMT` is one, too.
        self.last_is_urc = matches!(purpose, Purpose::Urc | Purpose::Message);
        Some((len, purpose))
    }
}
