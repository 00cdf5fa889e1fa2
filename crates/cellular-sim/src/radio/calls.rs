//! Calls: between modems, and between modems and phones. Everybody has one call at most.

use dtu_proto::radio::{CallEnd, CallNews, ModemInput, PhoneNumber};
use dtu_proto::time::{Duration, Instant};

use super::call::{Call, CallState, CallStep};
use super::network::{Network, VerbError};
use super::phone::{Answering, PhoneEvent};
use super::settings::{Id, Party};

/// How long it takes to hear that nobody can be reached.
const NOBODY: Duration = Duration::from_secs(2);

impl Network {
    /// A phone's owner dials.
    ///
    /// # Errors
    /// A number that is a modem's, or a phone that has a call.
    pub fn call(
        &mut self,
        from: PhoneNumber,
        to: PhoneNumber,
        now: Instant,
    ) -> Result<(), VerbError> {
        let caller = Party::Phone(self.phone(from)?);
        if self.calls.iter().any(|call| call.has(caller)) {
            return Err(VerbError::Busy);
        }
        self.set_up(caller, to, now);
        Ok(())
    }

    /// A phone's owner answers.
    ///
    /// # Errors
    /// There is no call that could be answered.
    pub fn answer(&mut self, phone: PhoneNumber, now: Instant) -> Result<(), VerbError> {
        let party = Party::Phone(self.phone(phone)?);
        let rings = |call: &Call| call.callee == Some(party) && call.state == CallState::Ringing;
        if !self.calls.iter().any(rings) {
            return Err(VerbError::NoCall);
        }
        self.pick_up(party, now);
        Ok(())
    }

    /// A phone's owner hangs up, or refuses.
    ///
    /// # Errors
    /// There is no call.
    pub fn hang_up(&mut self, phone: PhoneNumber, now: Instant) -> Result<(), VerbError> {
        let party = Party::Phone(self.phone(phone)?);
        if !self.calls.iter().any(|call| call.has(party)) {
            return Err(VerbError::NoCall);
        }
        self.put_down(party, now);
        Ok(())
    }

    /// A modem dials. While it has a call that does nothing.
    pub(super) fn dial(&mut self, modem: Id, number: PhoneNumber, now: Instant) {
        let caller = Party::Modem(modem);
        if self.calls.iter().any(|call| call.has(caller)) {
            return;
        }
        if !self
            .ports
            .get(modem.0)
            .is_some_and(super::port::Port::takes_messages)
        {
            return self.emit_call(caller, CallNews::Ended(CallEnd::NoCarrier));
        }
        self.set_up(caller, number, now);
    }

    fn set_up(&mut self, caller: Party, to: PhoneNumber, now: Instant) {
        let callee = self.party(to).ok().filter(|callee| *callee != caller);
        let wait = self.settings.call_setup.draw(&mut self.rng);
        self.calls.push(Call {
            caller,
            callee,
            state: CallState::SetUp,
            next: Some((now + wait, CallStep::Ring)),
        });
    }

    pub(super) fn pick_up(&mut self, party: Party, now: Instant) {
        let rings = |call: &Call| call.callee == Some(party) && call.state == CallState::Ringing;
        if let Some(place) = self.calls.iter().position(rings) {
            self.stand(place, now);
        }
    }

    pub(super) fn put_down(&mut self, party: Party, now: Instant) {
        let Some(place) = self.calls.iter().position(|call| call.has(party)) else {
            return;
        };
        let refuses = self
            .calls
            .get(place)
            .is_some_and(|call| call.state == CallState::Ringing && call.callee == Some(party));
        self.end(
            place,
            if refuses {
                CallEnd::Busy
            } else {
                CallEnd::HungUp
            },
            now,
        );
    }

    /// A modem has lost the network, or is gone.
    pub(super) fn cut_calls_of(&mut self, modem: Id, now: Instant) {
        let party = Party::Modem(modem);
        while let Some(place) = self.calls.iter().position(|call| call.has(party)) {
            self.end(place, CallEnd::NoCarrier, now);
        }
    }

    pub(super) fn run_calls(&mut self, now: Instant) {
        while let Some(place) = self
            .calls
            .iter()
            .position(|call| call.timeout().is_some_and(|at| at <= now))
        {
            let step = self
                .calls
                .get_mut(place)
                .and_then(|call| call.next.take())
                .map(|(_, step)| step);
            match step {
                Some(CallStep::Ring) => self.ring(place, now),
                Some(CallStep::Answer) => self.stand(place, now),
                Some(CallStep::End(why)) => self.end(place, why, now),
                None => return,
            }
        }
    }

    /// The network has found the called party, or knows that it cannot.
    fn ring(&mut self, place: usize, now: Instant) {
        let Some(Call { caller, callee, .. }) = self.calls.get(place).cloned() else {
            return;
        };
        let ring_time = self.settings.ring_time;
        let next = match callee {
            Some(callee) if self.calls.iter().any(|call| call.has(callee)) => {
                Err((Duration::ZERO, CallEnd::Busy))
            }
            Some(Party::Modem(id))
                if self
                    .ports
                    .get(id.0)
                    .is_some_and(super::port::Port::takes_messages) =>
            {
                Ok((ring_time, CallStep::End(CallEnd::NoAnswer)))
            }
            Some(Party::Phone(phone)) => {
                match self.phones.get(phone).map(|phone| phone.answering) {
                    Some(Answering::After(wait)) if wait < ring_time => {
                        Ok((wait, CallStep::Answer))
                    }
                    Some(Answering::After(_) | Answering::Rings) => {
                        Ok((ring_time, CallStep::End(CallEnd::NoAnswer)))
                    }
                    Some(Answering::Busy) => Err((Duration::ZERO, CallEnd::Busy)),
                    Some(Answering::Off) | None => Err((NOBODY, CallEnd::NoCarrier)),
                }
            }
            Some(Party::Modem(_)) | None => Err((NOBODY, CallEnd::NoCarrier)),
        };
        let Some(call) = self.calls.get_mut(place) else {
            return;
        };
        match next {
            Err((wait, why)) => call.next = Some((now + wait, CallStep::End(why))),
            Ok((wait, step)) => {
                (call.state, call.next) = (CallState::Ringing, Some((now + wait, step)));
                self.emit_call(caller, CallNews::Alerting);
                let from = self.number_of(caller);
                callee
                    .into_iter()
                    .for_each(|callee| self.emit_call(callee, CallNews::Incoming { from }));
            }
        }
    }

    fn stand(&mut self, place: usize, _now: Instant) {
        let Some(call) = self.calls.get_mut(place) else {
            return;
        };
        (call.state, call.next) = (CallState::Stands, None);
        let parties = (call.caller, call.callee);
        self.emit_call(parties.0, CallNews::Answered);
        parties
            .1
            .into_iter()
            .for_each(|callee| self.emit_call(callee, CallNews::Answered));
    }

    fn end(&mut self, place: usize, why: CallEnd, _now: Instant) {
        let call = self.calls.remove(place);
        self.emit_call(call.caller, CallNews::Ended(why));
        if call.state == CallState::SetUp {
            return;
        }
        // Who is called and does not answer only sees that the ringing ends.
        let why = if call.state == CallState::Ringing && why != CallEnd::NoCarrier {
            CallEnd::HungUp
        } else {
            why
        };
        call.callee
            .into_iter()
            .for_each(|callee| self.emit_call(callee, CallNews::Ended(why)));
    }

    fn emit_call(&mut self, party: Party, event: CallNews) {
        match party {
            Party::Modem(id) => self.emit(id, ModemInput::Call(event)),
            Party::Phone(place) => {
                let Some(phone) = self.phones.get(place).map(|phone| phone.number) else {
                    return;
                };
                self.emit_phone(match event {
                    CallNews::Incoming { from: Some(from) } => PhoneEvent::Rings { phone, from },
                    CallNews::Incoming { from: None } => return,
                    CallNews::Alerting => PhoneEvent::Alerting { phone },
                    CallNews::Answered => PhoneEvent::Talking { phone },
                    CallNews::Ended(why) => PhoneEvent::Ended { phone, why },
                });
            }
        }
    }
}
