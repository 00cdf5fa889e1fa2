//! The one call of the device: dialled, ringing, standing or being hung up (manual 2.8.6.6, .10 to .13, .44).
//!
//! Orders go to the modem, its news come back; in between every wait has its end, so that a modem that forgets a call
//! leaves none open here.

use alloc::vec::Vec;

use crate::event::CallEvent;
use crate::radio::{CallEnd, CallNews, ModemOutput, PhoneNumber};
use crate::status::{CallCounters, CallState, CallStatus, CurrentCall};
use crate::time::{Duration, Instant};

/// What the DTE is told about a call; `at` has the texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CallUrc {
    /// Somebody calls.
    Ring {
        from: Option<PhoneNumber>,
    },
    /// The called phone rings.
    Ringback,
    /// The called party has answered.
    Voice,
    Busy,
    NoAnswer,
    NoCarrier,
}

/// What the device must do, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Order(ModemOutput),
    Urc(CallUrc),
    /// What the DTE has not been told yet of calls is no news to it.
    Forget,
    /// No call rings any more.
    ForgetRings,
    Log(CallEvent),
}

/// The settings that act on a call that comes in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rules {
    /// `ATS0`: answered at so many rings; 0 = never.
    pub(crate) auto_answer: u8,
    /// `CIRINGSTA`: hung up at once.
    pub(crate) refuse: bool,
}

/// What a step of a call works with.
pub(crate) struct Step<'a> {
    pub(crate) now: Instant,
    pub(crate) rules: Rules,
    pub(crate) actions: &'a mut Vec<Action>,
}

/// A call to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dial {
    pub(crate) number: PhoneNumber,
    /// Whether the DTE asked for it, and is told how it goes.
    pub(crate) told: bool,
}

/// The call, and what is left of earlier ones.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    state: State,
    last_dialled: Option<PhoneNumber>,
    counters: CallCounters,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Idle,
    Dialled {
        dial: Dial,
        alerting: bool,
        until: Instant,
    },
    Ringing {
        from: Option<PhoneNumber>,
        rings: u8,
        next: Instant,
        until: Instant,
    },
    /// The answer is ordered.
    Answering {
        from: Option<PhoneNumber>,
        until: Instant,
    },
    Standing {
        with: Option<PhoneNumber>,
        incoming: bool,
        told: bool,
    },
    /// The end is ordered; what is dialled meanwhile waits for it.
    HangingUp { until: Instant, next: Option<Dial> },
}

impl Calls {
    /// Calls a number. While another call stands nothing is done.
    pub(crate) fn dial(&mut self, dial: Dial, step: &mut Step<'_>) {
        if self.current().is_some() {
            step.log(CallEvent::NotPlaced(dial.number));
            return;
        }
        self.last_dialled = Some(dial.number);
        step.forget_if(dial.told);
        match &mut self.state {
            State::HangingUp { next, .. } => *next = Some(dial),
            State::Idle
            | State::Dialled { .. }
            | State::Ringing { .. }
            | State::Answering { .. }
            | State::Standing { .. } => self.place(dial, step),
        }
    }

    fn place(&mut self, dial: Dial, step: &mut Step<'_>) {
        self.counters.dialled += 1;
        step.log(CallEvent::Dialled(dial.number));
        step.order(ModemOutput::Dial(dial.number));
        self.state = State::Dialled {
            dial,
            alerting: false,
            until: step.now + DIAL_PATIENCE,
        };
    }

    /// Answers the call that rings; without one nothing is done. `by_dte`: the DTE asked for it, so it knows.
    pub(crate) fn answer(&mut self, by_dte: bool, step: &mut Step<'_>) {
        step.forget_if(by_dte && matches!(self.state, State::Ringing { .. }));
        self.pick_up(step);
    }

    fn pick_up(&mut self, step: &mut Step<'_>) {
        if let State::Ringing { from, .. } = self.state {
            step.order(ModemOutput::Answer);
            self.state = State::Answering {
                from,
                until: step.now + ANSWER_PATIENCE,
            };
        }
    }

    /// Ends or refuses the call; a DTE that orders that is told no more about it.
    pub(crate) fn hang_up(&mut self, by_dte: bool, step: &mut Step<'_>) {
        step.forget_if(by_dte);
        match &mut self.state {
            State::Idle => {}
            State::HangingUp { next, .. } => *next = None,
            State::Dialled { .. }
            | State::Ringing { .. }
            | State::Answering { .. }
            | State::Standing { .. } => self.order_end(step),
        }
    }

    fn order_end(&mut self, step: &mut Step<'_>) {
        step.actions.push(Action::ForgetRings);
        step.order(ModemOutput::HangUp);
        self.state = State::HangingUp {
            until: step.now + END_PATIENCE,
            next: None,
        };
    }

    /// The modem tells something.
    pub(crate) fn news(&mut self, news: CallNews, step: &mut Step<'_>) {
        match news {
            CallNews::Incoming { from } => self.incoming(from, step),
            CallNews::Alerting => self.alerting(step),
            CallNews::Answered => self.answered(step),
            CallNews::Ended(end) => self.ended(end, step),
        }
    }

    /// Somebody calls. What the device took for a call until now is over: a modem carries one.
    fn incoming(&mut self, from: Option<PhoneNumber>, step: &mut Step<'_>) {
        self.lost(step);
        self.counters.received += 1;
        step.log(CallEvent::Incoming(from));
        self.ring(from, 0, step.now + RING_PATIENCE, step);
    }

    fn refuse(&mut self, from: Option<PhoneNumber>, step: &mut Step<'_>) {
        self.counters.refused += 1;
        step.log(CallEvent::Refused(from));
        self.order_end(step);
    }

    fn ring(&mut self, from: Option<PhoneNumber>, rings: u8, until: Instant, step: &mut Step<'_>) {
        if step.rules.refuse {
            return self.refuse(from, step);
        }
        let rings = rings.saturating_add(1);
        self.state = State::Ringing {
            from,
            rings,
            next: step.now + RING_EVERY,
            until,
        };
        step.tell(CallUrc::Ring { from });
        if step.rules.auto_answer != 0 && rings >= step.rules.auto_answer {
            self.pick_up(step);
        }
    }

    fn alerting(&mut self, step: &mut Step<'_>) {
        match &mut self.state {
            State::Dialled {
                dial,
                alerting: alerting @ false,
                ..
            } => {
                *alerting = true;
                let told = dial.told;
                step.tell_if(told, CallUrc::Ringback);
            }
            // A call that nobody here knows of.
            State::Idle => self.order_end(step),
            State::Dialled { .. }
            | State::Ringing { .. }
            | State::Answering { .. }
            | State::Standing { .. }
            | State::HangingUp { .. } => {}
        }
    }

    fn answered(&mut self, step: &mut Step<'_>) {
        match self.state {
            State::Dialled { dial, .. } => {
                self.state = State::Standing {
                    with: Some(dial.number),
                    incoming: false,
                    told: dial.told,
                };
                self.count_answered(Some(dial.number), step);
                step.tell_if(dial.told, CallUrc::Voice);
            }
            State::Ringing { from, .. } | State::Answering { from, .. } => {
                self.state = State::Standing {
                    with: from,
                    incoming: true,
                    told: true,
                };
                self.count_answered(from, step);
            }
            State::Idle => self.order_end(step),
            State::Standing { .. } | State::HangingUp { .. } => {}
        }
    }

    fn count_answered(&mut self, with: Option<PhoneNumber>, step: &mut Step<'_>) {
        self.counters.answered += 1;
        step.log(CallEvent::Answered(with));
    }

    fn ended(&mut self, end: CallEnd, step: &mut Step<'_>) {
        let before = core::mem::take(&mut self.state);
        if before != State::Idle {
            step.log(CallEvent::Ended(end));
            // mutant: rings-of-nobody
            step.actions.push(Action::ForgetRings);
        }
        match before {
            State::Idle => {}
            State::Dialled { dial, .. } => step.tell_if(dial.told, result(end)),
            State::Ringing { .. } | State::Answering { .. } => step.tell(CallUrc::NoCarrier),
            State::Standing { told, .. } => step.tell_if(told, CallUrc::NoCarrier),
            State::HangingUp { next, .. } => {
                next.into_iter().for_each(|dial| self.place(dial, step))
            }
        }
    }

    /// The modem is gone or starts anew, or carries another call: this one is over, and none waits behind it.
    pub(crate) fn lost(&mut self, step: &mut Step<'_>) {
        if let State::HangingUp { next, .. } = &mut self.state
            && let Some(dial) = next.take()
        {
            step.tell_if(dial.told, CallUrc::NoCarrier);
        }
        self.ended(CallEnd::NoCarrier, step);
    }

    /// The device starts over or ends: so does the call, without a word.
    pub(crate) fn end(&mut self, step: &mut Step<'_>) {
        self.hang_up(true, step);
    }

    /// Whether there is no call, and none is waited for.
    pub(crate) const fn rest(&self) -> bool {
        matches!(self.state, State::Idle)
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        match self.state {
            State::Idle | State::Standing { .. } => None,
            State::Ringing { next, until, .. } => Some(next.min(until)),
            State::Dialled { until, .. }
            | State::Answering { until, .. }
            | State::HangingUp { until, .. } => Some(until),
        }
    }

    /// The deadline is here.
    pub(crate) fn fire(&mut self, step: &mut Step<'_>) {
        match self.state {
            State::Dialled { dial, .. } => self.give_up(CallEnd::NoAnswer, dial.told, step),
            State::Ringing {
                from, rings, until, ..
            } if step.now < until => self.ring(from, rings, until, step),
            State::Ringing { .. } | State::Answering { .. } => {
                self.give_up(CallEnd::NoCarrier, true, step);
            }
            State::HangingUp { .. } => {
                self.counters.unconfirmed += 1;
                self.ended(CallEnd::HungUp, step);
            }
            State::Idle | State::Standing { .. } => {}
        }
    }

    /// Nothing more is heard of the call.
    fn give_up(&mut self, end: CallEnd, told: bool, step: &mut Step<'_>) {
        self.order_end(step);
        step.tell_if(told, result(end));
    }

    pub(crate) const fn counters_mut(&mut self) -> &mut CallCounters {
        &mut self.counters
    }

    pub(crate) fn status(&self) -> CallStatus {
        CallStatus {
            current: self.current(),
            last_dialled: self.last_dialled,
            counters: self.counters,
        }
    }

    fn current(&self) -> Option<CurrentCall> {
        let (state, incoming, number) = match self.state {
            State::Idle | State::HangingUp { next: None, .. } => return None,
            State::HangingUp {
                next: Some(dial), ..
            }
            | State::Dialled {
                dial,
                alerting: false,
                ..
            } => (CallState::Dialling, false, Some(dial.number)),
            State::Dialled {
                dial,
                alerting: true,
                ..
            } => (CallState::Alerting, false, Some(dial.number)),
            State::Ringing { from, .. } | State::Answering { from, .. } => {
                (CallState::Incoming, true, from)
            }
            State::Standing { with, incoming, .. } => (CallState::Active, incoming, with),
        };
        Some(CurrentCall {
            state,
            incoming,
            number,
        })
    }
}

impl Step<'_> {
    fn order(&mut self, order: ModemOutput) {
        self.actions.push(Action::Order(order));
    }

    fn forget_if(&mut self, knows: bool) {
        // mutant: news-taken-back
        if knows {
            self.actions.push(Action::Forget);
        }
    }

    fn tell(&mut self, what: CallUrc) {
        self.actions.push(Action::Urc(what));
    }

    fn tell_if(&mut self, told: bool, what: CallUrc) {
        if told {
            self.tell(what);
        }
    }

    fn log(&mut self, event: CallEvent) {
        self.actions.push(Action::Log(event));
    }
}

/// How a dialled call went.
const fn result(end: CallEnd) -> CallUrc {
    match end {
        CallEnd::Busy => CallUrc::Busy,
        CallEnd::NoAnswer => CallUrc::NoAnswer,
        CallEnd::HungUp | CallEnd::NoCarrier => CallUrc::NoCarrier,
    }
}

/// As long as a network rings at most, with some time to set the call up.
const DIAL_PATIENCE: Duration = Duration::from_secs(120);
/// Networks ring once in 4 to 6 s.
const RING_EVERY: Duration = Duration::from_secs(5);
/// 24.008 T301, the longest that a network lets a call ring.
const RING_PATIENCE: Duration = Duration::from_secs(180);
const ANSWER_PATIENCE: Duration = Duration::from_secs(30);
const END_PATIENCE: Duration = Duration::from_secs(10);
