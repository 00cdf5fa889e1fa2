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
    /// Whether PDU mode, which was taken, is there.
    IsPduMode,
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
    /// A report that was delivered directly (27.005 3.4.4).
    Acknowledge,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn all(agenda: &mut Agenda) -> Vec<Job> {
        core::iter::from_fn(|| agenda.pop()).collect()
    }

    const fn at(seconds: u64) -> Instant {
        Instant::from_millis(seconds * 1000)
    }

    #[test]
    fn what_is_first_goes_before_everything_once_and_throws_nothing_away() {
        let mut agenda = Agenda::default();
        agenda.push(Job::Signal);
        agenda.soon(Job::Submit);
        agenda.soon(Job::Answer);
        agenda.first(Job::Pin);
        agenda.first(Job::Submit);
        assert_eq!(agenda.len(), 4);
        assert_eq!(
            all(&mut agenda),
            [Job::Submit, Job::Pin, Job::Answer, Job::Signal]
        );
    }

    #[test]
    fn the_same_errand_waits_once_in_each_queue() {
        let mut agenda = Agenda::default();
        for job in [Job::Signal, Job::Clock, Job::Signal] {
            agenda.push(job);
            agenda.soon(job);
        }
        assert_eq!(
            all(&mut agenda),
            [Job::Signal, Job::Clock, Job::Signal, Job::Clock]
        );
    }

    #[test]
    fn what_is_due_comes_at_its_time_and_a_new_plan_replaces_the_old() {
        let mut agenda = Agenda::default();
        agenda.later(at(9), Job::Signal);
        agenda.later(at(7), Job::Clock);
        agenda.later(at(5), Job::Signal);
        assert_eq!((agenda.next_due(), agenda.len()), (Some(at(5)), 2));
        assert_eq!(agenda.pop_due(Instant::from_millis(4999)), None);
        assert_eq!(
            (agenda.pop_due(at(5)), agenda.pop_due(at(5))),
            (Some(Job::Signal), None)
        );
        assert_eq!(
            (agenda.next_due(), agenda.pop_due(at(8))),
            (Some(at(7)), Some(Job::Clock))
        );
        assert_eq!((agenda.next_due(), agenda.pop()), (None, None));
    }

    #[test]
    fn what_is_cancelled_goes_from_all_queues_and_nothing_else_does() {
        let mut agenda = Agenda::default();
        let meant = |job: &Job| matches!(job, Job::HangUp { .. });
        agenda.soon(Job::HangUp { plain: true });
        agenda.soon(Job::Answer);
        agenda.push(Job::HangUp { plain: false });
        agenda.push(Job::Signal);
        agenda.later(at(1), Job::HangUp { plain: true });
        agenda.later(at(1), Job::Clock);
        assert!(agenda.cancel(meant));
        assert!(!agenda.cancel(meant), "nothing is left of it");
        assert_eq!(all(&mut agenda), [Job::Answer, Job::Signal]);
        assert_eq!(agenda.pop_due(at(1)), Some(Job::Clock));
    }

    #[test]
    fn each_queue_is_bounded() {
        let mut agenda = Agenda::default();
        for number in 0..2 * MOST_WAITING {
            let number = u32::try_from(number).unwrap();
            agenda.soon(Job::Probe(number));
            agenda.push(Job::Probe(number));
            agenda.later(at(1), Job::Probe(number));
        }
        assert_eq!(agenda.len(), 3 * MOST_WAITING);
        agenda.clear();
        assert_eq!((agenda.len(), agenda.next_due()), (0, None));
    }
}
