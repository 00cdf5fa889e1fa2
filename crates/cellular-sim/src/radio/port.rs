//! A modem's port, as the network sees it.

use dtu_proto::radio::{Cell, Operator, Registration, Signal};
use dtu_proto::time::Instant;

use super::settings::Subscriber;

/// A modem, as the network sees it.
#[derive(Clone, Debug)]
pub(super) struct Port {
    pub(super) subscriber: Subscriber,
    pub(super) there: bool,
    /// Its transmitter is on (27.007 `+CFUN=1`).
    pub(super) on_air: bool,
    pub(super) registration: Registration,
    pub(super) cell: Cell,
    pub(super) operator: Operator,
    pub(super) signal: Signal,
    /// What comes next, and when.
    pub(super) plans: Vec<(Instant, Plan)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plan {
    Return,
    Register(Registration),
    MoveSignal,
}

impl Port {
    pub(super) const fn is_there(&self) -> bool {
        self.there
    }

    pub(super) const fn takes_messages(&self) -> bool {
        self.there && self.registration.is_registered()
    }

    pub(super) fn drop_plans(&mut self, which: impl Fn(Plan) -> bool) {
        self.plans.retain(|(_, plan)| !which(*plan));
    }

    pub(super) fn timeout(&self) -> Option<Instant> {
        self.plans.iter().map(|(at, _)| *at).min()
    }
}
