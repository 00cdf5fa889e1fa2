//! The one voice call (27.007 6, 7.11, 7.15, 7.18). What it does is asked by `AT+CLCC` each second while there is one,
//! for `RING`, `NO CARRIER` and `BUSY` alone do not say whose they are; they only make the question come at once.

use dtu_proto::radio::{CallEnd, CallNews, ModemInput, PhoneNumber};
use dtu_proto::time::{Duration, Instant};

use crate::clcc::{ACTIVE, ALERTING, ClccEntry, HELD, INCOMING, ListEndsCall};
use crate::command::Command;
use crate::cx::Cx;
use crate::limitation::Limitation;
use crate::response::{Failure, Outcome, Response, call_end, fields, phone};

/// The call, and how its state can be known.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    call: Option<VoiceCall>,
    /// `AT+CLCC` is known to the modem.
    has_list: bool,
    list_ends_call: ListEndsCall,
}

#[derive(Debug)]
struct VoiceCall {
    direction: Direction,
    state: CallState,
    from: Option<PhoneNumber>,
    /// An incoming call that was not reported yet is reported then, with or without its number.
    report_at: Option<Instant>,
    /// Without `AT+CLCC`: it rings no more then.
    rings_until: Option<Instant>,
    /// What a line said about its end.
    cause: Option<CallEnd>,
    /// Lists in a row without it.
    missed: u8,
    /// The second caller was refused.
    waiting_rejected: bool,
    dialled_at: Option<Instant>,
    /// It is being dialled without the list, which is tried then.
    tries_list_at: Option<Instant>,
    tried_list_at: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    In,
    Out,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CallState {
    /// Outgoing: the order waits or runs.
    Ordered,
    /// Outgoing: the modem took it.
    Dialling,
    /// It rings, here or there.
    Ringing,
    Active,
}

impl VoiceCall {
    const fn new(direction: Direction, state: CallState) -> Self {
        Self {
            direction,
            state,
            from: None,
            report_at: None,
            rings_until: None,
            cause: None,
            missed: 0,
            waiting_rejected: false,
            dialled_at: None,
            tries_list_at: None,
            tried_list_at: None,
        }
    }
}

impl Calls {
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let call = self.call.as_ref()?;
        [call.report_at, call.rings_until, call.tries_list_at]
            .into_iter()
            .flatten()
            .min()
    }

    pub(crate) fn dial(&mut self, cx: &mut Cx, number: PhoneNumber) {
        if !cx.present {
            return cx.emit(ModemInput::Call(CallNews::Ended(CallEnd::NoCarrier)));
        }
        // One at a time; the device knows.
        if self.call.is_none() {
            self.call = Some(VoiceCall::new(Direction::Out, CallState::Ordered));
            cx.queue.push_urgent(Command::Dial(number));
        }
    }

    pub(crate) fn answer(&mut self, cx: &mut Cx) {
        let rings =
            |call: &VoiceCall| call.direction == Direction::In && call.state == CallState::Ringing;
        if self.call.as_ref().is_some_and(rings) {
            cx.queue.push_urgent(Command::AnswerCall);
        }
    }

    pub(crate) fn hang_up(&mut self, cx: &mut Cx) {
        if self.call.is_none() {
            return;
        }
        cx.queue.cancel(|command| *command == Command::AnswerCall);
        if cx
            .queue
            .cancel(|command| matches!(command, Command::Dial(_)))
        {
            return self.end(cx, CallEnd::HungUp);
        }
        // A modem that answers `ATD` only when somebody takes the call: the next byte breaks it off.
        if matches!(cx.exchange.command(), Some(Command::Dial(_))) {
            cx.exchange.hurry(cx.now + BREAK_OFF);
        }
        cx.queue.push_urgent(Command::HangUp { plain: false });
    }

    pub(crate) fn on_dial(&mut self, cx: &mut Cx, response: &Response) {
        match response.outcome {
            Outcome::Ok | Outcome::TimedOut => {
                if let Some(call) = self
                    .call
                    .as_mut()
                    .filter(|call| call.state == CallState::Ordered)
                {
                    call.state = CallState::Dialling;
                    call.dialled_at = Some(cx.now);
                    call.tries_list_at =
                        (self.list_ends_call == ListEndsCall::Perhaps).then_some(cx.now + QUICK);
                }
                self.schedule_list(cx);
            }
            Outcome::Call(end) => self.end(cx, end),
            Outcome::Failed(_) => self.end(cx, CallEnd::NoCarrier),
        }
    }

    pub(crate) fn on_answer(&mut self, cx: &mut Cx, response: &Response) {
        match response.outcome {
            Outcome::Ok => self.on_connected(cx),
            Outcome::Call(end) => self.end(cx, end),
            Outcome::Failed(_) | Outcome::TimedOut if self.has_list => {
                cx.queue.schedule(cx.now, Command::ListCalls);
            }
            Outcome::Failed(_) | Outcome::TimedOut => self.end(cx, CallEnd::NoCarrier),
        }
    }

    pub(crate) fn on_hang_up(&mut self, cx: &mut Cx, plain: bool, response: &Response) {
        if response.is_ok() {
            self.end(cx, CallEnd::HungUp);
        } else if !plain {
            cx.queue.push_urgent(Command::HangUp { plain: true });
        } else if self.has_list {
            cx.queue.schedule(cx.now, Command::ListCalls);
        } else {
            self.end(cx, CallEnd::HungUp);
        }
    }

    pub(crate) fn on_urc(&mut self, cx: &mut Cx, line: &str) -> bool {
        if line == "RING" || line.starts_with("+CRING:") {
            self.on_ring(cx, None);
        } else if line.starts_with("+CLIP:") {
            self.on_ring(cx, phone(&fields(line), 0));
        } else if let Some(end) = call_end(line) {
            self.on_end_hint(cx, Some(end));
        } else if line.starts_with("+CCWA:") {
            self.reject_waiting(cx);
        } else if CALL_MOVED.iter().any(|head| line.starts_with(head)) {
            let stands = CALL_STANDS.iter().any(|head| line.starts_with(head));
            if stands || !self.is_dialled_without_list() {
                self.on_end_hint(cx, None);
            }
        } else {
            return false;
        }
        true
    }

    fn on_ring(&mut self, cx: &mut Cx, from: Option<PhoneNumber>) {
        if !cx.present {
            return;
        }
        let has_list = self.has_list;
        let call = self.call.get_or_insert_with(|| {
            let mut call = VoiceCall::new(Direction::In, CallState::Ringing);
            call.report_at = Some(cx.now + NUMBER_COMES);
            call
        });
        if call.direction != Direction::In || call.state != CallState::Ringing {
            return;
        }
        call.from = call.from.or(from);
        call.rings_until = (!has_list).then_some(cx.now + NEXT_RING);
        if has_list {
            cx.queue.push_urgent(Command::ListCalls);
        }
        if from.is_some() {
            self.report_incoming(cx);
        }
    }

    fn report_incoming(&mut self, cx: &mut Cx) {
        let Some(call) = &mut self.call else {
            return;
        };
        if call.report_at.take().is_some() {
            let from = call.from;
            cx.emit(ModemInput::Call(CallNews::Incoming { from }));
        }
    }

    /// A line said that a call moved or is over. The list knows which; without it there is only this one.
    fn on_end_hint(&mut self, cx: &mut Cx, end: Option<CallEnd>) {
        let Some(call) = self
            .call
            .as_mut()
            .filter(|call| call.state != CallState::Ordered)
        else {
            return;
        };
        call.cause = end.or(call.cause);
        if end == Some(CallEnd::NoCarrier) {
            self.suspect_list(cx);
        }
        if self.has_list {
            cx.queue.schedule(cx.now, Command::ListCalls);
        } else if let Some(end) = end {
            self.end(cx, end);
        }
    }

    pub(crate) fn on_list(&mut self, cx: &mut Cx, response: &Response) {
        if !response.is_ok() {
            // A list that cannot be had does not keep a call alive that a line has ended.
            match self.call.as_ref().map(|call| call.cause) {
                Some(Some(end)) => self.end(cx, end),
                Some(None) => self.schedule_list(cx),
                None => {}
            }
            return;
        }
        let listed = || response.lines.iter().filter_map(|line| ClccEntry::of(line));
        match self.call.as_ref().map(|call| call.direction) {
            None => self.on_unexpected(cx, listed()),
            Some(direction) => {
                if listed().any(|call| call.is_waiting(direction == Direction::Out)) {
                    self.reject_waiting(cx);
                }
                let ours = listed().find(|call| {
                    call.incoming == (direction == Direction::In)
                        && !call.is_waiting(direction == Direction::Out)
                });
                match ours {
                    Some(ours) => self.on_listed(cx, ours),
                    None => self.on_not_listed(cx),
                }
            }
        }
        if self.call.is_some() {
            self.schedule_list(cx);
        }
    }

    /// The next look. Modems whose `AT+CLCC` ends a call that is being dialled are asked when it stands, or late.
    fn schedule_list(&mut self, cx: &mut Cx) {
        let pause = if self.is_dialled_without_list() {
            LATE_LOOK
        } else {
            CALL_POLL
        };
        cx.queue.schedule(cx.now + pause, Command::ListCalls);
    }

    fn is_dialled_without_list(&self) -> bool {
        self.call
            .as_ref()
            .filter(|call| call.state == CallState::Dialling)
            .is_some_and(|call| {
                match self.list_ends_call {
                    ListEndsCall::No => false,
                    ListEndsCall::Perhaps => call.tries_list_at.is_some(),
                    // mutant: dialling-listed
                    ListEndsCall::Yes => true,
                }
            })
    }

    /// A call ended while it was being dialled. Right behind a list, the list may have done it.
    fn suspect_list(&mut self, cx: &mut Cx) {
        let Some(call) = self
            .call
            .as_mut()
            .filter(|call| call.state == CallState::Dialling)
        else {
            return;
        };
        let soon_after = |at: Option<Instant>| at.is_some_and(|at| cx.now - at < QUICK);
        let (dialled, listed) = (soon_after(call.dialled_at), soon_after(call.tried_list_at));
        self.list_ends_call = self.list_ends_call.on_end(dialled, listed);
        self.limit_list_while_dialling(cx);
    }

    fn limit_list_while_dialling(&self, cx: &mut Cx) {
        let ends = self.list_ends_call == ListEndsCall::Yes;
        cx.limited_if(ends, Limitation::ListWhileDialling);
    }

    /// A plain "no" to `AT+CLCC` at the start.
    pub(crate) fn on_list_test(&mut self, cx: &mut Cx, response: &Response) {
        self.has_list = !response.failure().is_some_and(Failure::is_unknown_command);
        cx.identity.abilities.calls = self.has_list;
    }

    /// The modem was reported: what it cannot is known.
    pub(crate) fn on_present(&self, cx: &mut Cx) {
        let calls = cx.identity.abilities.calls;
        cx.limited_if(!calls, Limitation::Calls);
        cx.limited_if(calls && !self.has_list, Limitation::CallList);
        self.limit_list_while_dialling(cx);
    }

    /// A ringing one is a call like every other; what else there is, a host before this one has left behind.
    fn on_unexpected(&mut self, cx: &mut Cx, mut listed: impl Iterator<Item = ClccEntry>) {
        let Some(call) = listed.next() else { return };
        if call.incoming && call.state == INCOMING {
            self.on_ring(cx, call.from);
        } else {
            cx.queue.push_urgent(Command::HangUp { plain: false });
        }
    }

    fn on_listed(&mut self, cx: &mut Cx, seen: ClccEntry) {
        let Some(call) = &mut self.call else {
            return;
        };
        let is_dialled = !matches!(seen.state, ACTIVE | HELD);
        if is_dialled
            && call
                .tried_list_at
                .is_some_and(|at| cx.now - at >= CALL_POLL)
        {
            // It outlived a list. One that was taken by then says nothing.
            self.list_ends_call = ListEndsCall::No;
        }
        call.missed = 0;
        call.from = call.from.or(seen.from);
        match (call.direction, seen.state) {
            (_, ACTIVE | HELD) => self.on_connected(cx),
            (Direction::Out, ALERTING) if call.state == CallState::Dialling => {
                call.state = CallState::Ringing;
                cx.emit(ModemInput::Call(CallNews::Alerting));
            }
            (Direction::In, _) if call.from.is_some() => self.report_incoming(cx),
            (Direction::In | Direction::Out, _) => {}
        }
    }

    /// The call is not in the list. A modem that has just taken the order may need a moment to show it.
    fn on_not_listed(&mut self, cx: &mut Cx) {
        let Some(call) = self
            .call
            .as_mut()
            .filter(|call| call.state != CallState::Ordered)
        else {
            return;
        };
        call.missed += 1;
        if call.missed < MISSED && call.cause.is_none() {
            return;
        }
        if call.cause.is_none() {
            self.suspect_list(cx);
        }
        let Some(call) = self.call.as_ref() else {
            return;
        };
        let unnamed = if call.state == CallState::Dialling {
            CallEnd::NoCarrier
        } else {
            CallEnd::HungUp
        };
        let end = match call.cause {
            // The other side hung up a call that stood.
            Some(CallEnd::NoCarrier) if call.state != CallState::Dialling => CallEnd::HungUp,
            Some(end) => end,
            None => unnamed,
        };
        self.end(cx, end);
    }

    fn on_connected(&mut self, cx: &mut Cx) {
        let Some(call) = self
            .call
            .as_mut()
            .filter(|call| call.state != CallState::Active)
        else {
            return;
        };
        call.state = CallState::Active;
        call.rings_until = None;
        self.report_incoming(cx);
        cx.emit(ModemInput::Call(CallNews::Answered));
    }

    /// The call goes on without the list: does it with one?
    fn try_list(&mut self, cx: &mut Cx) {
        if let Some(call) = &mut self.call {
            call.tries_list_at = None;
            call.tried_list_at = Some(cx.now);
            cx.queue.push_urgent(Command::ListCalls);
        }
    }

    fn reject_waiting(&mut self, cx: &mut Cx) {
        let Some(call) = &mut self.call else {
            return;
        };
        if !core::mem::replace(&mut call.waiting_rejected, true) {
            cx.counters.refused_calls += 1;
            cx.queue.push_urgent(Command::RejectWaitingCall);
        }
    }

    fn end(&mut self, cx: &mut Cx, end: CallEnd) {
        let Some(call) = self.call.take() else {
            return;
        };
        cx.queue.cancel(|command| {
            matches!(
                command,
                Command::ListCalls
                    | Command::AnswerCall
                    | Command::HangUp { .. }
                    | Command::RejectWaitingCall
            )
        });
        // Nobody knows of a call that was over before it was reported.
        if call.report_at.is_none() {
            cx.emit(ModemInput::Call(CallNews::Ended(end)));
        }
    }

    /// The modem is gone.
    pub(crate) fn on_modem_lost(&mut self, cx: &mut Cx) {
        self.end(cx, CallEnd::NoCarrier);
    }

    pub(crate) fn handle_timeout(&mut self, cx: &mut Cx) {
        let Some(call) = &self.call else { return };
        let due = |at: Option<Instant>| at.is_some_and(|at| at <= cx.now);
        let (report, over) = (due(call.report_at), due(call.rings_until));
        let tries = due(call.tries_list_at);
        if report {
            self.report_incoming(cx);
        }
        if over {
            self.end(cx, CallEnd::HungUp);
        }
        if tries {
            self.try_list(cx);
        }
    }
}

/// An end so soon after `ATD` may be the list's doing.
const QUICK: Duration = Duration::from_secs(4);
/// By then a phone was answered, or rang in vain.
const LATE_LOOK: Duration = Duration::from_secs(60);
/// Lists without the call before it counts as over.
const MISSED: u8 = 2;
const CALL_POLL: Duration = Duration::from_secs(1);
/// `+CLIP` follows the first `RING`.
const NUMBER_COMES: Duration = Duration::from_secs(2);
/// Networks ring every 5 s or so.
const NEXT_RING: Duration = Duration::from_secs(8);
/// How long an `ATD` that is not answered may still hold up the order to hang up.
const BREAK_OFF: Duration = Duration::from_millis(500);
/// Of these, that somebody has taken the call.
const CALL_STANDS: [&str; 3] = ["VOICE CALL: BEGIN", "+COLP:", "^CONN:"];
/// Makers' own URCs of calls: SIM7600, SIM800 (`AT+CLCC=1`), EC2x, Huawei.
const CALL_MOVED: [&str; 8] = [
    "VOICE CALL:",
    "+CLCC:",
    "+COLP:",
    "^CEND:",
    "^CONN:",
    "^CONF:",
    "^ORIG:",
    "MISSED_CALL:",
];
