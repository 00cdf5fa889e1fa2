//! What waits for the line: who is read meanwhile, whose clocks stand still, and when it has waited long enough
//! (decisions 16.3 and 16.4).

use super::Dtu;
use crate::event::{LinkId, SOCKETS, SocketId};
use crate::line::LineState;
use crate::line::port::{
    ANSWER_WAITS, LISTEN_HIGH, QUEUE_HIGH, REPLY_QUEUE_HIGH, STANDS, STANDS_FOR_GOOD, Source,
};
use crate::mode::{LineView, Mode};
use crate::net::{LineShare, Pause};
use crate::time::{Duration, Instant};

impl Dtu {
    /// Whether the host may read the serial line.
    #[must_use]
    pub fn wants_serial(&self) -> bool {
        debug_assert_eq!(
            self.pause,
            self.queue_pause(),
            "something made or took room and did not say so"
        );
        self.reads_serial(self.pause)
    }

    pub(super) fn reads_serial(&self, pause: Option<Pause>) -> bool {
        !self.line.has_backlog()
            && !self.commands_wait()
            && (self.line.state == LineState::OnlineData
                || self.line.port.own_waiting() < REPLY_QUEUE_HIGH)
            && pause.is_none()
    }

    /// What keeps the serial line from being read for want of room. A command adds nothing to a queue.
    pub(super) fn queue_pause(&self) -> Option<Pause> {
        if self.line.state == LineState::OnlineCommand {
            return None;
        }
        let pause = self.modes.pause(self.config.mode, self.now);
        // Bytes that a line without flow control brings meanwhile would be lost uncounted.
        pause.filter(|pause| *pause == Pause::UntilRoom || self.options.line_holds)
    }

    /// When a server that took nothing more does not pace the line any longer.
    pub(super) fn pace_deadline(&self) -> Option<Instant> {
        match self.pause? {
            Pause::Until(until) => Some(until),
            Pause::UntilRoom => None,
        }
    }

    /// Whether the host may read this socket.
    #[must_use]
    pub fn wants_socket(&self, socket: impl Into<SocketId>) -> bool {
        self.has_room_for(Source::Socket(socket.into()))
    }

    /// Whether more bytes of this peer find room. One whose bytes wait keeps nobody else from being read; and one that may
    /// command is read on, so that the command behind its data is heard though the line takes nothing.
    pub(super) fn has_room_for(&self, source: Source) -> bool {
        let waiting = self.line.port.waiting_from(source);
        let listens = || self.may_command(source) && self.line_stands_for(STANDS);
        // mutant: room-for-reads
        waiting < QUEUE_HIGH || self.makes_room(source) || (listens() && waiting < LISTEN_HIGH)
    }

    /// Whether the oldest bytes of this peer, beyond what may wait, go for newer ones. A DTE that pauses costs nobody else a
    /// byte.
    pub(super) fn makes_room(&self, source: Source) -> bool {
        let waits = match source {
            Source::Socket(SocketId::Link(_)) => self.config.network_at.then_some(STANDS_FOR_GOOD),
            Source::Socket(socket) => (socket == SocketId::Httpd).then_some(ANSWER_WAITS),
            Source::Device => Some(STANDS_FOR_GOOD),
        };
        self.line_is_given_up() || waits.is_some_and(|time| self.line_stands_for(time))
    }

    fn may_command(&self, source: Source) -> bool {
        self.config.network_at && matches!(source, Source::Socket(SocketId::Link(_)))
    }

    fn line_stands_for(&self, time: Duration) -> bool {
        self.line
            .port
            .stands_since()
            .is_some_and(|since| self.now >= since + time)
    }

    /// A line that has been missing for as long as bytes wait for one: what comes faster than it fades would be old orders
    /// that wait in a socket, so it is read, and the oldest make room.
    pub(super) fn line_is_given_up(&self) -> bool {
        self.give_up_at().is_some_and(|at| at <= self.now)
    }

    const fn line_is_missing(&self) -> bool {
        !self.line.port.present && self.ending.is_none()
    }

    fn give_up_at(&self) -> Option<Instant> {
        self.line_is_missing()
            .then(|| self.line.port.gone_at + self.options.line_hold)
    }

    /// Tells everybody who has a clock what the line means for it.
    pub(super) fn share_line(&mut self) {
        if self.line.port.is_empty() {
            return self.share_empty_line();
        }
        let shares = SocketId::ALL.map(|socket| self.line_share(Source::Socket(socket)));
        let unheard = SocketId::ALL.into_iter().any(|socket| {
            let counts = socket
                .link()
                .is_none_or(|link| self.modes.transparent.links[link.index()].is_up());
            counts && !shares[socket.index()].is_read
        });
        self.tell_modes(&shares);
        // RTIME counts from when a socket is heard again.
        if unheard || self.unheard {
            self.last_received = self.now;
        }
        self.unheard = unheard;
    }

    /// Nothing waits for the line, so all are read.
    fn share_empty_line(&mut self) {
        const FREE: LineShare = LineShare {
            is_read: true,
            unread: false,
        };
        self.tell_modes(&[FREE; SOCKETS]);
        if core::mem::take(&mut self.unheard) {
            self.last_received = self.now;
        }
    }

    fn tell_modes(&mut self, shares: &[LineShare; SOCKETS]) {
        let line = LineView {
            shares,
            is_read: self.reads_serial(self.pause),
            is_quiet: self.line.has_passed_on_all(),
            format: self.line.format,
        };
        self.modes.line_moved(&line, self.now);
    }

    fn line_share(&self, source: Source) -> LineShare {
        LineShare {
            is_read: self.has_room_for(source),
            unread: self.line.port.waiting_from(source) > 0,
        }
    }

    /// When something that waits for the line has waited long enough, or a peer is to be read on.
    pub(super) fn line_deadline(&self) -> Option<Instant> {
        if self.line.port.is_empty() {
            return None;
        }
        let give_up_at = self
            .give_up_at()
            .filter(|at| self.now < *at && self.line.port.data_waiting() >= QUEUE_HIGH);
        [
            self.fades_at(),
            self.listen_at(),
            give_up_at,
            self.line.half_typed_until(self.dialogue(), &self.config),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// When the oldest bytes for a line that is missing are of no use any more.
    fn fades_at(&self) -> Option<Instant> {
        // Only for such a line: every input of every mode comes by here, and the queue is looked through.
        // mutant: present-line-waits
        let since = self
            .line_is_missing()
            .then(|| self.line.port.oldest())
            .flatten()?;
        // mutant: missing-line-fades
        Some(since.max(self.line.port.gone_at) + self.options.line_hold)
    }

    fn listen_at(&self) -> Option<Instant> {
        let since = self.line.port.stands_since()?;
        let full = |most: usize| {
            LinkId::ALL.into_iter().any(|link| {
                let source = Source::Socket(SocketId::Link(link));
                self.modes.transparent.links[link.index()].is_up()
                    && self.may_command(source)
                    && self.line.port.waiting_from(source) >= most
            })
        };
        let answer = self.modes.httpd.is_up() && !self.wants_socket(SocketId::Httpd);
        let steps = [
            (STANDS, full(QUEUE_HIGH)),
            (STANDS_FOR_GOOD, full(LISTEN_HIGH)),
            (ANSWER_WAITS, answer),
        ];
        let due = steps
            .into_iter()
            .find(|(time, unread)| *unread && self.now < since + *time);
        due.map(|(time, _)| since + time)
    }

    pub(super) fn line_due(&mut self) {
        if self.fades_at().is_some_and(|at| at <= self.now) {
            let hold = self.options.line_hold;
            let dropped = self.line.port.drop_older(self.now, hold, &mut self.outputs);
            self.line_dropped(dropped, None);
        }
    }
}
