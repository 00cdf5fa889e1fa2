//! What waits for the line: who is read meanwhile, and whose clocks stand still (decisions 16.3 and 16.4).

use super::Dtu;
use crate::event::{LinkId, SocketId};
use crate::line::{LineState, Peers, Source, Terms};
use crate::mode::{LineView, Mode};
use crate::net::Pause;
use crate::rest::Packing;
use crate::time::Instant;

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

    /// How what the DTE sends is packed now; `None` = not by silence, or what comes may be something else than data, or
    /// nothing is read. Hosts that let bytes wait ([`Rests`](crate::rest::Rests)) ask for it.
    #[must_use]
    pub fn packing(&self) -> Option<Packing> {
        let packing = self.line.packing_of_data(&self.config)?;
        self.reads_serial(self.pause).then_some(packing)
    }

    pub(super) fn reads_serial(&self, pause: Option<Pause>) -> bool {
        !self.line.has_backlog()
            && !self.commands_wait()
            && (self.line.state() == LineState::OnlineData || self.line.takes_replies())
            && pause.is_none()
    }

    /// What keeps the serial line from being read for want of room. A command adds nothing to a queue.
    pub(super) fn queue_pause(&self) -> Option<Pause> {
        if self.line.state() == LineState::OnlineCommand {
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
        self.line
            .has_room_for(Source::Socket(socket.into()), self.terms())
    }

    /// What the line is lent to say for how long something may wait for it.
    fn terms(&self) -> Terms<'_> {
        Terms {
            now: self.now,
            config: &self.config,
            is_ending: self.ending.is_some(),
        }
    }

    /// Tells everybody who has a clock what the line means for it.
    pub(super) fn share_line(&mut self) {
        let read = (!self.line.has_room_for_all())
            .then(|| SocketId::ALL.map(|socket| self.wants_socket(socket)));
        let unheard = read.is_some_and(|read| {
            SocketId::ALL.into_iter().any(|socket| {
                let counts = socket
                    .link()
                    .is_none_or(|link| self.modes.transparent.links[link.index()].is_up());
                counts && !read[socket.index()]
            })
        });
        let line = LineView {
            waiting: self.line.waiting_from_each(),
            read: read.as_ref(),
            is_read: self.reads_serial(self.pause),
            is_quiet: self.line.has_passed_on_all(),
            format: self.line.format(),
        };
        self.modes.line_moved(&line, self.now);
        // RTIME counts from when a socket is heard again.
        if unheard || self.unheard {
            self.last_received = self.now;
        }
        self.unheard = unheard;
    }

    /// When something that waits for the line has waited long enough, or a peer is to be read on.
    pub(super) fn line_deadline(&self) -> Option<Instant> {
        if self.line.moves() {
            return None;
        }
        let links = &self.modes.transparent.links;
        let peers = Peers {
            is_up: |link: LinkId| links[link.index()].is_up(),
            httpd: self.modes.httpd.is_up(),
        };
        self.line.waits_until(peers, self.dialogue(), self.terms())
    }
}
