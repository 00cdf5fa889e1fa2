//! What can be asked of a modem, and the order in which it is asked.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use dtu_proto::radio::PhoneNumber;
use dtu_proto::time::Instant;

use crate::mail::{Place, Store};

/// One errand. Its command is made when its turn comes, from what is known then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Job {
    /// `AT`, until it answers; the how-manieth.
    Probe(u32),
    /// Restart by command; the second kind where the dialect's own was refused.
    Reset {
        plain: bool,
    },

    // Who it is.
    EchoOff,
    ErrorCodes,
    Charset(u8),
    Maker,
    Model,
    Imei,
    /// The dialect is chosen; what it wants follows.
    Chosen,
    DialectInit(usize),
    UserInit(usize),
    MessageMode,
    CallAbility,
    ShowCaller,

    // The SIM.
    Function,
    FunctionOn,
    Sim,
    PinTries,
    Pin,
    Imsi,
    /// Everything that `Present` tells is known.
    Introduce,

    // The network.
    Watch(Domain, u8),
    Registration(Domain),
    OperatorFormat(u8),
    Operator(u8),
    Signal,
    Clock,
    OwnNumber,
    ServiceCenter,

    // Data.
    Contexts,
    Context,
    Authentication,
    Attach,
    Activate(bool),
    IsActive,
    Address,

    // Messages.
    MessageService,
    Announce(u8),
    Storages,
    Storage(Store),
    List(Store),
    Read(Place),
    Delete(Place),
    Submit,

    // Calls.
    Calls,
    Dial(PhoneNumber),
    Answer,
    HangUp {
        plain: bool,
    },
    RefuseSecond,
}

/// The three registrations of 27.007: 7.2, 10.1.20, 10.1.22.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Domain {
    /// Calls and messages.
    Circuit,
    /// GPRS.
    Packet,
    /// LTE.
    Evolved,
}

impl Domain {
    pub(crate) const ALL: [Self; 3] = [Self::Circuit, Self::Packet, Self::Evolved];

    pub(crate) const fn index(self) -> usize {
        match self {
            Self::Circuit => 0,
            Self::Packet => 1,
            Self::Evolved => 2,
        }
    }

    pub(crate) const fn command(self) -> &'static str {
        match self {
            Self::Circuit => "AT+CREG",
            Self::Packet => "AT+CGREG",
            Self::Evolved => "AT+CEREG",
        }
    }

    pub(crate) const fn prefix(self) -> &'static str {
        match self {
            Self::Circuit => "+CREG:",
            Self::Packet => "+CGREG:",
            Self::Evolved => "+CEREG:",
        }
    }
}

/// Errands that wait: what people wait for first, then the routine, then what is due later.
#[derive(Debug, Default)]
pub(crate) struct Agenda {
    urgent: VecDeque<Job>,
    routine: VecDeque<Job>,
    later: Vec<(Instant, Job)>,
}

impl Agenda {
    /// Before everything else.
    pub(crate) fn first(&mut self, job: Job) {
        self.urgent.retain(|waiting| *waiting != job);
        self.urgent.push_front(job);
    }

    /// Before the routine.
    pub(crate) fn soon(&mut self, job: Job) {
        if !self.urgent.contains(&job) && self.urgent.len() < MOST_WAITING {
            self.urgent.push_back(job);
        }
    }

    /// In its turn. What finds no room is found again: messages by the next look at the storage, the rest by its
    /// next poll.
    pub(crate) fn push(&mut self, job: Job) {
        if !self.routine.contains(&job) && self.routine.len() < MOST_WAITING {
            self.routine.push_back(job);
        }
    }

    /// In its turn, at that time; an earlier plan for the same is replaced.
    pub(crate) fn later(&mut self, at: Instant, job: Job) {
        self.later.retain(|(_, waiting)| *waiting != job);
        if self.later.len() < MOST_WAITING {
            self.later.push((at, job));
        }
    }

    pub(crate) fn pop(&mut self) -> Option<Job> {
        self.urgent.pop_front().or_else(|| self.routine.pop_front())
    }

    /// Takes out one that is due.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<Job> {
        let at = self.later.iter().position(|(at, _)| *at <= now)?;
        Some(self.later.swap_remove(at).1)
    }

    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.later.iter().map(|(at, _)| *at).min()
    }

    /// Whether it was waiting; it is not done any more.
    pub(crate) fn cancel(&mut self, is_meant: impl Fn(&Job) -> bool) -> bool {
        let before = self.len();
        self.urgent.retain(|job| !is_meant(job));
        self.routine.retain(|job| !is_meant(job));
        self.later.retain(|(_, job)| !is_meant(job));
        self.len() < before
    }

    pub(crate) fn len(&self) -> usize {
        self.urgent.len() + self.routine.len() + self.later.len()
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

/// Each of the three queues.
const MOST_WAITING: usize = 512;
