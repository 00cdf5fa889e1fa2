//! What waits for the line: who is read meanwhile, and when it has waited long enough (decisions 16.3 and 16.4).

use super::port::Source;
use super::printer::{QUEUE_HIGH, REPLY_QUEUE_HIGH};
use super::{Dialogue, Line, LineState};
use crate::config::Config;
use crate::cx::Cx;
use crate::event::{LinkId, SocketId};
use crate::time::{Duration, Instant, earliest};

/// Where a peer may command, it is read up to here once the line takes nothing.
pub(super) const LISTEN_HIGH: usize = 64 * 1024;
/// A line that takes nothing for so long keeps no peer that may command from being read on.
const STANDS: Duration = Duration::from_secs(2);
/// And for so long: the oldest bytes of a peer make room for what may be a command.
const STANDS_FOR_GOOD: Duration = Duration::from_secs(60);
/// And an answer of mode 3 no request behind it from being sent for longer: it is read on, and the oldest bytes make room.
// mutant: answer-waits
const ANSWER_WAITS: Duration = Duration::from_secs(900);

/// What the line is lent to say for how long something may wait for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms<'a> {
    pub(crate) now: Instant,
    pub(crate) config: &'a Config,
    /// The device is about to restart or to stop.
    pub(crate) is_ending: bool,
}

impl<'a> Terms<'a> {
    pub(super) const fn of(cx: &Cx<'a>) -> Self {
        Self {
            now: cx.now,
            config: cx.config,
            is_ending: cx.is_ending,
        }
    }

    const fn may_command(&self, source: Source) -> bool {
        self.config.network_at && matches!(source, Source::Socket(SocketId::Link(_)))
    }
}

/// Peers that are there, of those that are kept waiting.
pub(crate) struct Peers<L> {
    /// Whether this link is up.
    pub(crate) is_up: L,
    /// The server of mode 3 is.
    pub(crate) httpd: bool,
}

impl Line {
    /// Whether more bytes of this peer find room. One whose bytes wait keeps nobody else from being read; and one that may
    /// command is read on, so that the command behind its data is heard though the line takes nothing.
    pub(crate) fn has_room_for(&self, source: Source, terms: Terms<'_>) -> bool {
        let waiting = self.waiting_from(source);
        let listens = || terms.may_command(source) && self.stands_for(STANDS, terms.now);
        // mutant: room-for-reads
        waiting < QUEUE_HIGH
            || self.makes_room(source, terms)
            || (listens() && waiting < LISTEN_HIGH)
    }

    /// Whether so little waits that there is room for every peer: the usual case, found at once.
    pub(crate) const fn has_room_for_all(&self) -> bool {
        self.waiting() < QUEUE_HIGH
    }

    /// Whether the oldest bytes of this peer, beyond what may wait, go for newer ones. A DTE that pauses costs nobody else a
    /// byte.
    pub(super) fn makes_room(&self, source: Source, terms: Terms<'_>) -> bool {
        let waits = match source {
            Source::Socket(SocketId::Link(_)) => terms.config.network_at.then_some(STANDS_FOR_GOOD),
            Source::Socket(socket) => (socket == SocketId::Httpd).then_some(ANSWER_WAITS),
            Source::Device => Some(STANDS_FOR_GOOD),
        };
        self.is_given_up(terms) || waits.is_some_and(|time| self.stands_for(time, terms.now))
    }

    /// Whether replies to commands find room.
    pub(crate) fn takes_replies(&self) -> bool {
        self.printer.port.own_waiting() < REPLY_QUEUE_HIGH
    }

    /// Whether a DTE is there.
    pub(crate) const fn is_present(&self) -> bool {
        self.printer.port.present
    }

    /// Whether nothing but URCs waits for the DTE, neither to be written nor for its time.
    pub(crate) fn nothing_waits(&self) -> bool {
        self.printer.port.is_empty()
    }

    /// Whether nothing but frames is under way: nothing waits for a command, its answer or its text. URCs that wait now wait
    /// for the end of the data.
    pub(crate) fn only_frames_pass(&self) -> bool {
        self.state == LineState::OnlineData
            && self.prompt.is_none()
            && !self.has_backlog()
            && !self.holds_data()
    }

    /// Whether nothing waits to be written.
    pub(crate) fn is_drained(&self) -> bool {
        self.printer.port.is_drained()
    }

    /// Bytes that wait for the DTE.
    pub(crate) const fn waiting(&self) -> usize {
        self.printer.port.waiting()
    }

    /// Of these, bytes of this peer.
    pub(crate) const fn waiting_from(&self, source: Source) -> usize {
        self.printer.port.waiting_from(source)
    }

    /// The same of each peer, at the index of its socket.
    pub(crate) const fn waiting_from_each(&self) -> &[usize] {
        self.printer.port.waiting_from_each()
    }

    /// A banner or a reply that no DTE is there to read holds up no stop. Bytes of the network have the time that they
    /// always have.
    pub(crate) fn only_own_texts_wait_for_nobody(&self) -> bool {
        !self.is_present() && self.printer.port.data_waiting() == 0
    }

    fn stands_for(&self, time: Duration, now: Instant) -> bool {
        self.printer
            .port
            .stands_since()
            .is_some_and(|since| now >= since + time)
    }

    /// A line that has been missing for as long as bytes wait for one: what comes faster than it fades would be old orders
    /// that wait in a socket, so it is read, and the oldest make room.
    fn is_given_up(&self, terms: Terms<'_>) -> bool {
        self.give_up_at(terms).is_some_and(|at| at <= terms.now)
    }

    const fn is_missing(&self, terms: Terms<'_>) -> bool {
        !self.is_present() && !terms.is_ending
    }

    fn give_up_at(&self, terms: Terms<'_>) -> Option<Instant> {
        self.is_missing(terms)
            .then(|| self.printer.port.gone_at + self.options.line_hold)
    }

    /// Whether a DTE is there that takes what is written, so that nothing waits long for it: the usual case, found at once.
    pub(crate) fn moves(&self) -> bool {
        self.is_present()
            && self.has_room_for_all()
            && !self.holds_data()
            && (self.state == LineState::OnlineData || !self.has_urcs())
    }

    /// When something that waits for the line has waited long enough, or a peer is to be read on.
    #[inline(never)]
    pub(crate) fn waits_until(
        &self,
        peers: Peers<impl Fn(LinkId) -> bool>,
        dialogue: Dialogue,
        terms: Terms<'_>,
    ) -> Option<Instant> {
        if self.nothing_waits() && !self.has_urcs() {
            return None;
        }
        let give_up_at = self
            .give_up_at(terms)
            .filter(|at| terms.now < *at && self.printer.port.data_waiting() >= QUEUE_HIGH);
        let now = self.situation(dialogue, terms.config);
        earliest([
            self.fades_at(terms),
            self.listens_at(peers, terms),
            give_up_at,
            self.printer.half_typed_until(&now),
            self.printer.next_urc_at(&now),
        ])
    }

    /// When the oldest bytes for a line that is missing are of no use any more.
    pub(super) fn fades_at(&self, terms: Terms<'_>) -> Option<Instant> {
        // Only for such a line: every input of every mode comes by here, and the queue is looked through.
        // mutant: present-line-waits
        let since = self
            .is_missing(terms)
            .then(|| self.printer.port.oldest())
            .flatten()?;
        // mutant: missing-line-fades
        Some(since.max(self.printer.port.gone_at) + self.options.line_hold)
    }

    /// When a peer is read on though the line takes nothing.
    fn listens_at(
        &self,
        peers: Peers<impl Fn(LinkId) -> bool>,
        terms: Terms<'_>,
    ) -> Option<Instant> {
        let since = self.printer.port.stands_since()?;
        if self.has_room_for_all() {
            return None;
        }
        let full = |most: usize| {
            LinkId::ALL.into_iter().any(|link| {
                let source = Source::Socket(SocketId::Link(link));
                (peers.is_up)(link)
                    && terms.may_command(source)
                    && self.waiting_from(source) >= most
            })
        };
        let answer = peers.httpd && !self.has_room_for(Source::Socket(SocketId::Httpd), terms);
        let steps = [
            (STANDS, full(QUEUE_HIGH)),
            (STANDS_FOR_GOOD, full(LISTEN_HIGH)),
            (ANSWER_WAITS, answer),
        ];
        let due = steps
            .into_iter()
            .find(|(time, unread)| *unread && terms.now < since + *time);
        due.map(|(time, _)| since + time)
    }
}
