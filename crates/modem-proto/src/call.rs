//! The one voice call (27.007 6, 7.11, 7.15, 7.18). What it does is asked by `AT+CLCC` each second while there is one,
//! for `RING`, `NO CARRIER` and `BUSY` alone do not tell whose they are; they only make the question come at once.

use dtu_proto::radio::{CallEnd, CallNews, ModemInput, PhoneNumber};
use dtu_proto::time::{Duration, Instant};

use crate::command::Command;
use crate::limitation::Limitation;
use crate::modem::Modem;
use crate::response::{Outcome, Response, call_end, fields, phone};

/// The call, and how its state can be known.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    call: Option<Call>,
    /// `AT+CLCC` is known to the modem.
    pub(crate) are_listed: bool,
    pub(crate) list_ends: ListEnds,
}

/// Whether `AT+CLCC` breaks off a call that is being dialled. No manual says so of its modem; it is found out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ListEnds {
    #[default]
    No,
    /// A call ended right behind the first list. The next one is dialled without for a moment, and then tried by a list.
    Perhaps,
    /// That one lived until its list came.
    Yes,
}

#[derive(Debug)]
struct Call {
    way: Way,
    stage: Stage,
    from: Option<PhoneNumber>,
    /// An incoming call that was not told yet is told then, with or without its number.
    tell_at: Option<Instant>,
    /// Without `AT+CLCC`: it rings no more then.
    rings_until: Option<Instant>,
    /// What a line said about its end.
    cause: Option<CallEnd>,
    /// Lists in a row without it.
    missed: u8,
    /// The second caller was refused.
    refused_second: bool,
    dialled_at: Option<Instant>,
    /// It is being dialled without the list, which is tried then.
    tries_list_at: Option<Instant>,
    tried_list_at: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    In,
    Out,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Outgoing: the order waits or runs.
    Ordered,
    /// Outgoing: the modem took it.
    Dialling,
    /// It rings, here or there.
    Ringing,
    Active,
}

/// One line of `+CLCC: id,dir,stat,mode,mpty[,"number",type]`.
#[derive(Clone, Copy, Debug)]
struct Listed {
    incoming: bool,
    state: u8,
    from: Option<PhoneNumber>,
}

impl Call {
    const fn new(way: Way, stage: Stage) -> Self {
        Self {
            way,
            stage,
            from: None,
            tell_at: None,
            rings_until: None,
            cause: None,
            missed: 0,
            refused_second: false,
            dialled_at: None,
            tries_list_at: None,
            tried_list_at: None,
        }
    }
}

impl Calls {
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let call = self.call.as_ref()?;
        [call.tell_at, call.rings_until, call.tries_list_at]
            .into_iter()
            .flatten()
            .min()
    }
}

impl Modem {
    pub(crate) fn dial(&mut self, number: PhoneNumber) {
        if !self.present {
            return self.emit(ModemInput::Call(CallNews::Ended(CallEnd::NoCarrier)));
        }
        // One at a time; the device knows.
        if self.calls.call.is_none() {
            self.calls.call = Some(Call::new(Way::Out, Stage::Ordered));
            self.queue.push_urgent(Command::Dial(number));
        }
    }

    pub(crate) fn answer_call(&mut self) {
        let rings = |call: &Call| call.way == Way::In && call.stage == Stage::Ringing;
        if self.calls.call.as_ref().is_some_and(rings) {
            self.queue.push_urgent(Command::AnswerCall);
        }
    }

    pub(crate) fn hang_up(&mut self, now: Instant) {
        if self.calls.call.is_none() {
            return;
        }
        self.queue.cancel(|command| *command == Command::AnswerCall);
        if self
            .queue
            .cancel(|command| matches!(command, Command::Dial(_)))
        {
            return self.end_call(CallEnd::HungUp);
        }
        // A modem that answers `ATD` only when somebody takes the call: the next byte breaks it off.
        if matches!(self.exchange.command(), Some(Command::Dial(_))) {
            self.exchange.hurry(now + BREAK_OFF);
        }
        self.queue.push_urgent(Command::HangUp { plain: false });
    }

    pub(crate) fn dialled(&mut self, response: &Response, now: Instant) {
        match response.outcome {
            Outcome::Ok | Outcome::TimedOut => {
                if let Some(call) = self
                    .calls
                    .call
                    .as_mut()
                    .filter(|call| call.stage == Stage::Ordered)
                {
                    call.stage = Stage::Dialling;
                    call.dialled_at = Some(now);
                    call.tries_list_at =
                        (self.calls.list_ends == ListEnds::Perhaps).then_some(now + QUICK);
                }
                self.look_at_call(now);
            }
            Outcome::Call(end) => self.end_call(end),
            Outcome::Failed(_) => self.end_call(CallEnd::NoCarrier),
        }
    }

    pub(crate) fn call_answered(&mut self, response: &Response, now: Instant) {
        match response.outcome {
            Outcome::Ok => self.call_stands(),
            Outcome::Call(end) => self.end_call(end),
            Outcome::Failed(_) | Outcome::TimedOut if self.calls.are_listed => {
                self.queue.schedule(now, Command::ListCalls);
            }
            Outcome::Failed(_) | Outcome::TimedOut => self.end_call(CallEnd::NoCarrier),
        }
    }

    pub(crate) fn hung_up(&mut self, plain: bool, response: &Response, now: Instant) {
        if response.is_ok() {
            self.end_call(CallEnd::HungUp);
        } else if !plain {
            self.queue.push_urgent(Command::HangUp { plain: true });
        } else if self.calls.are_listed {
            self.queue.schedule(now, Command::ListCalls);
        } else {
            self.end_call(CallEnd::HungUp);
        }
    }

    pub(crate) fn on_call_urc(&mut self, line: &str, now: Instant) -> bool {
        if line == "RING" || line.starts_with("+CRING:") {
            self.rings(None, now);
        } else if line.starts_with("+CLIP:") {
            self.rings(phone(&fields(line), 0), now);
        } else if let Some(end) = call_end(line) {
            self.end_is_near(Some(end), now);
        } else if line.starts_with("+CCWA:") {
            self.refuse_second();
        } else if CALL_MOVED.iter().any(|head| line.starts_with(head)) {
            let stands = CALL_STANDS.iter().any(|head| line.starts_with(head));
            if stands || !self.is_dialled_without_list() {
                self.end_is_near(None, now);
            }
        } else {
            return false;
        }
        true
    }

    fn rings(&mut self, from: Option<PhoneNumber>, now: Instant) {
        if !self.present {
            return;
        }
        let is_listed = self.calls.are_listed;
        let call = self.calls.call.get_or_insert_with(|| {
            let mut call = Call::new(Way::In, Stage::Ringing);
            call.tell_at = Some(now + NUMBER_COMES);
            call
        });
        if call.way != Way::In || call.stage != Stage::Ringing {
            return;
        }
        call.from = call.from.or(from);
        call.rings_until = (!is_listed).then_some(now + NEXT_RING);
        if is_listed {
            self.queue.push_urgent(Command::ListCalls);
        }
        if from.is_some() {
            self.tell_incoming();
        }
    }

    fn tell_incoming(&mut self) {
        let Some(call) = &mut self.calls.call else {
            return;
        };
        if call.tell_at.take().is_some() {
            let from = call.from;
            self.emit(ModemInput::Call(CallNews::Incoming { from }));
        }
    }

    /// A line said that a call moved or is over. The list knows which; without it there is only this one.
    fn end_is_near(&mut self, end: Option<CallEnd>, now: Instant) {
        let Some(call) = self
            .calls
            .call
            .as_mut()
            .filter(|call| call.stage != Stage::Ordered)
        else {
            return;
        };
        call.cause = end.or(call.cause);
        if end == Some(CallEnd::NoCarrier) {
            self.suspect_list(now);
        }
        if self.calls.are_listed {
            self.queue.schedule(now, Command::ListCalls);
        } else if let Some(end) = end {
            self.end_call(end);
        }
    }

    pub(crate) fn on_calls(&mut self, response: &Response, now: Instant) {
        if !response.is_ok() {
            // A list that cannot be had does not keep a call alive that a line has ended.
            match self.calls.call.as_ref().map(|call| call.cause) {
                Some(Some(end)) => self.end_call(end),
                Some(None) => self.look_at_call(now),
                None => {}
            }
            return;
        }
        let listed = || response.lines.iter().filter_map(|line| Listed::of(line));
        match self.calls.call.as_ref().map(|call| call.way) {
            None => self.unexpected_calls(listed(), now),
            Some(way) => {
                if listed().any(|call| call.is_second(way)) {
                    self.refuse_second();
                }
                let ours =
                    listed().find(|call| call.incoming == (way == Way::In) && !call.is_second(way));
                match ours {
                    Some(ours) => self.call_seen(ours, now),
                    None => self.call_missed(now),
                }
            }
        }
        if self.calls.call.is_some() {
            self.look_at_call(now);
        }
    }

    /// The next look. Modems whose `AT+CLCC` ends a call that is being dialled are asked when it stands, or late.
    fn look_at_call(&mut self, now: Instant) {
        let pause = if self.is_dialled_without_list() {
            LATE_LOOK
        } else {
            CALL_POLL
        };
        self.queue.schedule(now + pause, Command::ListCalls);
    }

    fn is_dialled_without_list(&self) -> bool {
        self.calls
            .call
            .as_ref()
            .filter(|call| call.stage == Stage::Dialling)
            .is_some_and(|call| {
                match self.calls.list_ends {
                    ListEnds::No => false,
                    ListEnds::Perhaps => call.tries_list_at.is_some(),
                    // mutant: dialling-listed
                    ListEnds::Yes => true,
                }
            })
    }

    /// A call ended while it was being dialled. Right behind a list, the list may have done it.
    fn suspect_list(&mut self, now: Instant) {
        let Some(call) = self
            .calls
            .call
            .as_mut()
            .filter(|call| call.stage == Stage::Dialling)
        else {
            return;
        };
        let soon_after = |at: Option<Instant>| at.is_some_and(|at| now - at < QUICK);
        self.calls.list_ends = match self.calls.list_ends {
            ListEnds::No if soon_after(call.dialled_at) => ListEnds::Perhaps,
            ListEnds::Perhaps if soon_after(call.tried_list_at) => ListEnds::Yes,
            // It ended without the list as well.
            ListEnds::No | ListEnds::Perhaps => ListEnds::No,
            ListEnds::Yes => ListEnds::Yes,
        };
        self.limited_if(
            self.calls.list_ends == ListEnds::Yes,
            Limitation::ListWhileDialling,
        );
    }

    /// A ringing one is a call like every other; what else there is, a host before this one has left behind.
    fn unexpected_calls(&mut self, mut listed: impl Iterator<Item = Listed>, now: Instant) {
        let Some(call) = listed.next() else { return };
        if call.incoming && call.state == INCOMING {
            self.rings(call.from, now);
        } else {
            self.queue.push_urgent(Command::HangUp { plain: false });
        }
    }

    fn call_seen(&mut self, seen: Listed, now: Instant) {
        let Some(call) = &mut self.calls.call else {
            return;
        };
        let is_dialled = !matches!(seen.state, ACTIVE | HELD);
        if is_dialled && call.tried_list_at.is_some_and(|at| now - at >= CALL_POLL) {
            // It outlived a list. One that was taken by then says nothing.
            self.calls.list_ends = ListEnds::No;
        }
        call.missed = 0;
        call.from = call.from.or(seen.from);
        match (call.way, seen.state) {
            (_, ACTIVE | HELD) => self.call_stands(),
            (Way::Out, ALERTING) if call.stage == Stage::Dialling => {
                call.stage = Stage::Ringing;
                self.emit(ModemInput::Call(CallNews::Alerting));
            }
            (Way::In, _) if call.from.is_some() => self.tell_incoming(),
            (Way::In | Way::Out, _) => {}
        }
    }

    /// The call is not in the list. A modem that has just taken the order may need a moment to show it.
    fn call_missed(&mut self, now: Instant) {
        let Some(call) = self
            .calls
            .call
            .as_mut()
            .filter(|call| call.stage != Stage::Ordered)
        else {
            return;
        };
        call.missed += 1;
        if call.missed < MISSED && call.cause.is_none() {
            return;
        }
        if call.cause.is_none() {
            self.suspect_list(now);
        }
        let Some(call) = self.calls.call.as_ref() else {
            return;
        };
        let unsaid = if call.stage == Stage::Dialling {
            CallEnd::NoCarrier
        } else {
            CallEnd::HungUp
        };
        let end = match call.cause {
            // The other side hung up a call that stood.
            Some(CallEnd::NoCarrier) if call.stage != Stage::Dialling => CallEnd::HungUp,
            Some(end) => end,
            None => unsaid,
        };
        self.end_call(end);
    }

    fn call_stands(&mut self) {
        let Some(call) = self
            .calls
            .call
            .as_mut()
            .filter(|call| call.stage != Stage::Active)
        else {
            return;
        };
        call.stage = Stage::Active;
        call.rings_until = None;
        self.tell_incoming();
        self.emit(ModemInput::Call(CallNews::Answered));
    }

    /// The call goes on without the list: does it with one?
    fn try_list(&mut self, now: Instant) {
        if let Some(call) = &mut self.calls.call {
            call.tries_list_at = None;
            call.tried_list_at = Some(now);
            self.queue.push_urgent(Command::ListCalls);
        }
    }

    fn refuse_second(&mut self) {
        let Some(call) = &mut self.calls.call else {
            return;
        };
        if !core::mem::replace(&mut call.refused_second, true) {
            self.counters.refused_calls += 1;
            self.queue.push_urgent(Command::RejectWaitingCall);
        }
    }

    fn end_call(&mut self, end: CallEnd) {
        let Some(call) = self.calls.call.take() else {
            return;
        };
        self.queue.cancel(|command| {
            matches!(
                command,
                Command::ListCalls
                    | Command::AnswerCall
                    | Command::HangUp { .. }
                    | Command::RejectWaitingCall
            )
        });
        // Nobody knows of a call that was over before it was told.
        if call.tell_at.is_none() {
            self.emit(ModemInput::Call(CallNews::Ended(end)));
        }
    }

    /// The modem is gone.
    pub(crate) fn drop_call(&mut self) {
        self.end_call(CallEnd::NoCarrier);
    }

    pub(crate) fn expire_calls(&mut self, now: Instant) {
        let Some(call) = &self.calls.call else { return };
        let due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        let (tell, over) = (due(call.tell_at), due(call.rings_until));
        let tries = due(call.tries_list_at);
        if tell {
            self.tell_incoming();
        }
        if over {
            self.end_call(CallEnd::HungUp);
        }
        if tries {
            self.try_list(now);
        }
    }
}

impl Listed {
    fn of(line: &str) -> Option<Self> {
        let fields = fields(line);
        let number = |at: usize| fields.get(at).and_then(|field| field.number::<u8>());
        let is_voice = number(3) == Some(0);
        is_voice.then_some(())?;
        Some(Self {
            incoming: number(1)? == 1,
            state: number(2)?,
            from: phone(&fields, 5),
        })
    }

    /// A caller who knocks while there is a call already.
    fn is_second(self, way: Way) -> bool {
        self.state == WAITING || (self.incoming && self.state == INCOMING && way == Way::Out)
    }
}

/// An end so soon after `ATD` may be the list's doing.
const QUICK: Duration = Duration::from_secs(4);
/// By then a phone was answered, or rang in vain.
const LATE_LOOK: Duration = Duration::from_secs(60);
/// 27.007 7.18, `stat`: 0 active, 1 held, 2 dialling, 3 alerting, 4 incoming, 5 waiting.
const ACTIVE: u8 = 0;
const HELD: u8 = 1;
const ALERTING: u8 = 3;
const INCOMING: u8 = 4;
const WAITING: u8 = 5;
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
/// Makers' own news of calls: SIM7600, SIM800 (`AT+CLCC=1`), EC2x, Huawei.
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
