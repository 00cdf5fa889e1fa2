//! What can be asked of a modem, and the order in which it is asked.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use dtu_proto::radio::PhoneNumber;
use dtu_proto::time::{Duration, Instant};

use crate::slot::{Slot, Storage};

/// What is asked of the modem, or done in its turn. The text is made when the turn comes, from what is known then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// `AT`, until it answers; the number of the try.
    Probe(u32),
    /// Restart by command; `plain` where the dialect's own was refused.
    Reset {
        plain: bool,
    },

    // Identity.
    EchoOff,
    EnableCmeErrors,
    /// The first or second form of `AT+CSCS`.
    SetCharset(u8),
    QueryManufacturer,
    QueryModel,
    QueryImei,
    /// No command: the dialect is chosen, and what it wants is queued.
    SelectDialect,
    DialectInit(usize),
    UserInit(usize),
    SetPduMode,
    /// Whether PDU mode, which was accepted, is in force.
    QueryPduMode,
    TestCallList,
    EnableClip,

    // The SIM.
    QueryRadio,
    EnableRadio,
    QuerySim,
    QueryPinTries,
    EnterPin,
    QueryImsi,
    /// No command: everything that `Present` says is known, and is reported.
    ReportPresent,

    // The network.
    /// `AT+CREG=2` and its like; the number is the mode.
    EnableRegUrc(Domain, u8),
    QueryRegistration(Domain),
    OperatorFormat(u8),
    QueryOperator(u8),
    QuerySignal,
    QueryClock,
    QueryOwnNumber,
    QueryServiceCenter,

    // Data.
    QueryContexts,
    DefineContext,
    SetAuthentication,
    Attach,
    Activate(bool),
    QueryActive,
    QueryAddress,

    // Messages.
    SelectMessageService,
    /// The form of `AT+CNMI`, counted from the best.
    SetCnmi(u8),
    /// Of a report that was delivered directly (27.005 3.4.4).
    Acknowledge,
    QueryStorages,
    SelectStorage(Storage),
    ListMessages(Storage),
    ReadMessage(Slot),
    DeleteMessage(Slot),
    Submit,

    // Calls.
    ListCalls,
    Dial(PhoneNumber),
    AnswerCall,
    HangUp {
        plain: bool,
    },
    RejectWaitingCall,
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

/// Commands that wait: what people wait for first, then the routine, then what is due later.
#[derive(Debug, Default)]
pub(crate) struct CommandQueue {
    urgent: VecDeque<Command>,
    routine: VecDeque<Command>,
    later: Vec<(Instant, Command)>,
}

impl CommandQueue {
    /// Before everything else.
    pub(crate) fn push_front(&mut self, command: Command) {
        self.urgent.retain(|waiting| *waiting != command);
        self.urgent.push_front(command);
    }

    /// Before the routine.
    pub(crate) fn push_urgent(&mut self, command: Command) {
        if !self.urgent.contains(&command) && self.urgent.len() < MAX_WAITING {
            self.urgent.push_back(command);
        }
    }

    /// In its turn. What finds no room is found again: messages by the next look at the storage, the rest by its
    /// next poll.
    pub(crate) fn push(&mut self, command: Command) {
        if !self.routine.contains(&command) && self.routine.len() < MAX_WAITING {
            self.routine.push_back(command);
        }
    }

    /// In its turn, at that time; an earlier plan for the same is replaced.
    pub(crate) fn schedule(&mut self, at: Instant, command: Command) {
        self.later.retain(|(_, waiting)| *waiting != command);
        if self.later.len() < MAX_WAITING {
            self.later.push((at, command));
        }
    }

    pub(crate) fn pop(&mut self) -> Option<Command> {
        self.urgent.pop_front().or_else(|| self.routine.pop_front())
    }

    /// Takes out one that is due.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<Command> {
        let at = self.later.iter().position(|(at, _)| *at <= now)?;
        Some(self.later.swap_remove(at).1)
    }

    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.later.iter().map(|(at, _)| *at).min()
    }

    /// Whether it was waiting; it is not done any more.
    pub(crate) fn cancel(&mut self, is_meant: impl Fn(&Command) -> bool) -> bool {
        let before = self.len();
        self.urgent.retain(|command| !is_meant(command));
        self.routine.retain(|command| !is_meant(command));
        self.later.retain(|(_, command)| !is_meant(command));
        self.len() < before
    }

    pub(crate) fn len(&self) -> usize {
        self.urgent.len() + self.routine.len() + self.later.len()
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

/// So long nothing must come before the next command, where something older may still be answered.
pub(crate) const SETTLE: Duration = Duration::from_millis(300);
/// Commands in each of the three queues.
const MAX_WAITING: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    fn all(queue: &mut CommandQueue) -> Vec<Command> {
        core::iter::from_fn(|| queue.pop()).collect()
    }

    const fn at(seconds: u64) -> Instant {
        Instant::from_millis(seconds * 1000)
    }

    #[test]
    fn what_is_first_goes_before_everything_once_and_throws_nothing_away() {
        let mut queue = CommandQueue::default();
        queue.push(Command::QuerySignal);
        queue.push_urgent(Command::Submit);
        queue.push_urgent(Command::AnswerCall);
        queue.push_front(Command::EnterPin);
        queue.push_front(Command::Submit);
        assert_eq!(queue.len(), 4);
        assert_eq!(
            all(&mut queue),
            [
                Command::Submit,
                Command::EnterPin,
                Command::AnswerCall,
                Command::QuerySignal
            ]
        );
    }

    #[test]
    fn the_same_command_waits_once_in_each_queue() {
        let mut queue = CommandQueue::default();
        for command in [
            Command::QuerySignal,
            Command::QueryClock,
            Command::QuerySignal,
        ] {
            queue.push(command);
            queue.push_urgent(command);
        }
        assert_eq!(
            all(&mut queue),
            [
                Command::QuerySignal,
                Command::QueryClock,
                Command::QuerySignal,
                Command::QueryClock
            ]
        );
    }

    #[test]
    fn what_is_due_comes_at_its_time_and_a_new_plan_replaces_the_old() {
        let mut queue = CommandQueue::default();
        queue.schedule(at(9), Command::QuerySignal);
        queue.schedule(at(7), Command::QueryClock);
        queue.schedule(at(5), Command::QuerySignal);
        assert_eq!((queue.next_due(), queue.len()), (Some(at(5)), 2));
        assert_eq!(queue.pop_due(Instant::from_millis(4999)), None);
        assert_eq!(
            (queue.pop_due(at(5)), queue.pop_due(at(5))),
            (Some(Command::QuerySignal), None)
        );
        assert_eq!(
            (queue.next_due(), queue.pop_due(at(8))),
            (Some(at(7)), Some(Command::QueryClock))
        );
        assert_eq!((queue.next_due(), queue.pop()), (None, None));
    }

    #[test]
    fn what_is_cancelled_goes_from_all_queues_and_nothing_else_does() {
        let mut queue = CommandQueue::default();
        let meant = |command: &Command| matches!(command, Command::HangUp { .. });
        queue.push_urgent(Command::HangUp { plain: true });
        queue.push_urgent(Command::AnswerCall);
        queue.push(Command::HangUp { plain: false });
        queue.push(Command::QuerySignal);
        queue.schedule(at(1), Command::HangUp { plain: true });
        queue.schedule(at(1), Command::QueryClock);
        assert!(queue.cancel(meant));
        assert!(!queue.cancel(meant), "nothing is left of it");
        assert_eq!(all(&mut queue), [Command::AnswerCall, Command::QuerySignal]);
        assert_eq!(queue.pop_due(at(1)), Some(Command::QueryClock));
    }

    #[test]
    fn each_queue_is_bounded() {
        let mut queue = CommandQueue::default();
        for number in 0..2 * MAX_WAITING {
            let number = u32::try_from(number).unwrap();
            queue.push_urgent(Command::Probe(number));
            queue.push(Command::Probe(number));
            queue.schedule(at(1), Command::Probe(number));
        }
        assert_eq!(queue.len(), 3 * MAX_WAITING);
        queue.clear();
        assert_eq!((queue.len(), queue.next_due()), (0, None));
    }

    /// 27.007 7.2, 10.1.20, 10.1.22.
    #[test]
    fn each_domain_has_its_place_command_and_prefix() {
        let of = |domain: Domain| (domain.index(), domain.command(), domain.prefix());
        assert_eq!(of(Domain::Circuit), (0, "AT+CREG", "+CREG:"));
        assert_eq!(of(Domain::Packet), (1, "AT+CGREG", "+CGREG:"));
        assert_eq!(of(Domain::Evolved), (2, "AT+CEREG", "+CEREG:"));
    }
}
