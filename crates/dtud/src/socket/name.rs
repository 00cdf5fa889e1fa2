//! The name of a UDP peer: nothing ends such a connection when its address changes (decisions 16.5).

use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use dtu_proto::event::Connect;
use dtu_proto::time::Instant;

use crate::connect::{self, Established, Route};

/// It is asked again, now and then and after refusals.
pub(super) struct Name {
    target: Connect,
    route: Route,
    /// Where the socket leads.
    peer: SocketAddr,
    ask_at: Instant,
    asked_at: Instant,
    /// In a row.
    refusals: u8,
    question: Option<Question>,
}

type Question = Pin<Box<dyn Future<Output = Option<Established>>>>;

impl Name {
    /// `None` where an address was given instead.
    pub(super) fn new(
        target: Connect,
        route: Route,
        peer: SocketAddr,
        now: Instant,
    ) -> Option<Self> {
        let ask_at = now + ASK_EVERY;
        let name = Self {
            target,
            route,
            peer,
            ask_at,
            asked_at: now,
            refusals: 0,
            question: None,
        };
        connect::literal(&name.target.address)
            .is_none()
            .then_some(name)
    }

    pub(super) const fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// A datagram was refused.
    pub(super) fn refused(&mut self) {
        self.refusals = self.refusals.saturating_add(1);
        if self.refusals >= REFUSALS {
            self.ask_at = self.ask_at.min(self.asked_at + ASK_AGAIN);
        }
    }

    /// The peer is there.
    pub(super) const fn on_data(&mut self) {
        self.refusals = 0;
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.question.is_none().then_some(self.ask_at)
    }

    /// The socket that takes the place of the one that stands, once there is one.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, now: Instant) -> Option<Established> {
        if self.question.is_none() && now < self.ask_at {
            return None;
        }
        let question = self.question.get_or_insert_with(|| {
            self.asked_at = now;
            let refused = self.refusals >= REFUSALS;
            Box::pin(connect::elsewhere(
                self.target.clone(),
                self.route.clone(),
                self.peer,
                refused,
            ))
        });
        let Poll::Ready(found) = question.as_mut().poll(cx) else {
            return None;
        };
        (self.question, self.ask_at, self.refusals) = (None, now + ASK_EVERY, 0);
        if let Some(found) = &found {
            self.peer = found.peer;
        }
        found
    }
}

const ASK_EVERY: Duration = Duration::from_secs(60);
/// Between two questions because of refusals: a server that restarts refuses every datagram for a while.
const ASK_AGAIN: Duration = Duration::from_secs(5);
const REFUSALS: u8 = 3;
