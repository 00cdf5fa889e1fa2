//! Messages into the centre: from a modem's port, and from phones.

use dtu_proto::radio::{ModemInput, PhoneNumber, SubmitFailure};
use dtu_proto::time::{Duration, Instant};
use sms_codec::address::Address;
use sms_codec::dcs::Dcs;
use sms_codec::pdu::{Deliver, Pdu, Submit, Tpdu};
use sms_codec::split::split;
use sms_codec::udh::{Header, Reference};
use sms_codec::user_data::{Body, UserData};

use super::center::{HeldMessage, ReportRequest, SubmitResult};
use super::network::{Network, VerbError};
use super::settings::{Id, Party};

/// How long a modem waits for an answer that was lost.
const ANSWER_WAIT: Duration = Duration::from_secs(40);
/// Parts of a text from a phone.
const PARTS_MAX: u8 = 255;
/// Passing reasons of a network or centre.
const PASSING: [u16; 5] = [38, 41, 42, 47, 192];

impl Network {
    /// A text from a phone's owner, in as many parts as it takes. A number that nobody has becomes a phone.
    ///
    /// # Errors
    /// A text of more than 255 parts, a full centre, or more phones than the network has room for.
    pub fn send_text(
        &mut self,
        from: PhoneNumber,
        to: PhoneNumber,
        text: &str,
        now: Instant,
    ) -> Result<(), VerbError> {
        self.send_body(from, to, Body::text(text), now)
    }

    /// The same with content of any alphabet.
    ///
    /// # Errors
    /// As [`Self::send_text`].
    pub fn send_body(
        &mut self,
        from: PhoneNumber,
        to: PhoneNumber,
        body: Body,
        now: Instant,
    ) -> Result<(), VerbError> {
        let sender = self.phone(from)?;
        let receiver = self.party(to)?;
        let reference = self.phones.get_mut(sender).map_or(0, |phone| {
            phone.reference = phone.reference.wrapping_add(1);
            phone.reference
        });
        let alphabet = body.alphabet();
        let parts = split(
            body,
            Header::default(),
            Reference::Narrow(reference),
            PARTS_MAX,
        )
        .map_err(|_| VerbError::TextTooLong)?;
        let from = Address::number(from.as_str()).ok_or(VerbError::NoSuchNumber)?;
        if !self.center.has_room(parts.len()) {
            return Err(VerbError::CenterFull);
        }
        for data in parts {
            let deliver = self.deliver(from.clone(), Dcs::of(alphabet), 0, data, now);
            self.accept(
                Party::Phone(sender),
                receiver,
                deliver,
                None,
                self.settings.keeps,
                now,
            );
        }
        Ok(())
    }

    /// A PDU from nowhere, for tests and scripts: as if the centre had it for that modem.
    ///
    /// # Errors
    /// A full centre.
    pub fn inject(&mut self, modem: Id, tpdu: Tpdu, now: Instant) -> Result<(), VerbError> {
        if !self.center.has_room(1) {
            return Err(VerbError::CenterFull);
        }
        let to = Party::Modem(modem);
        self.accept(to, to, tpdu, None, self.settings.keeps, now);
        Ok(())
    }

    pub(super) fn submit(&mut self, modem: Id, token: u32, pdu: &[u8], now: Instant) {
        let outcome = self.try_submit(modem, pdu, now);
        let wait = if outcome == Err(SubmitFailure::TIMED_OUT) {
            ANSWER_WAIT
        } else {
            self.settings.submit.draw(&mut self.rng)
        };
        if outcome.is_err() {
            self.counters.refused += 1;
        }
        if outcome == Err(SubmitFailure::NO_MODEM) {
            let answer = ModemInput::Submitted { token, outcome };
            return self.events.push_back((modem, answer));
        }
        self.submit_results.push(SubmitResult {
            at: now + wait,
            modem,
            token,
            outcome,
        });
    }

    fn try_submit(&mut self, modem: Id, pdu: &[u8], now: Instant) -> Result<u8, SubmitFailure> {
        let port = self
            .ports
            .get(modem.0)
            .filter(|port| port.is_there())
            .ok_or(SubmitFailure::NO_MODEM)?;
        if !port.registration.is_registered() {
            return Err(SubmitFailure::NO_NETWORK);
        }
        // 304: 27.005 3.2.5, the PDU is not valid.
        let Ok(Tpdu::Submit(submit)) = Pdu::decode(pdu).map(|decoded| decoded.pdu.tpdu) else {
            return Err(SubmitFailure(304));
        };
        let faults = self.settings.faults;
        if self.rng.chance(faults.lost.into()) {
            return Err(SubmitFailure::TIMED_OUT);
        }
        if self.rng.chance(faults.refused.into()) {
            return Err(SubmitFailure(self.rng.pick(&PASSING)));
        }
        let reference = submit.reference;
        self.take_in(modem, submit, now)?;
        if self.rng.chance(faults.answer_lost.into()) {
            return Err(SubmitFailure::TIMED_OUT);
        }
        Ok(reference)
    }

    /// The centre has it: a duplicate, or a new one.
    fn take_in(&mut self, modem: Id, submit: Submit, now: Instant) -> Result<(), SubmitFailure> {
        let sender = Party::Modem(modem);
        if submit.reject_duplicates && self.center.is_known(sender, submit.reference, &submit.to) {
            self.counters.duplicates += 1;
            return Err(SubmitFailure::DUPLICATE);
        }
        if !self.center.has_room(1) {
            return Err(SubmitFailure(192));
        }
        let number = PhoneNumber::new(&submit.to.to_string()).ok_or(SubmitFailure(28))?;
        let receiver = self.party(number).map_err(|_| SubmitFailure(1))?;
        let own = self
            .ports
            .get(modem.0)
            .and_then(|port| port.subscriber.number);
        let from = own
            .and_then(|own| Address::number(own.as_str()))
            .ok_or(SubmitFailure(28))?;
        self.center
            .remember(sender, submit.reference, submit.to.clone());
        let keeps = submit.validity.period().unwrap_or(self.settings.keeps);
        let stamp = self.stamp(now);
        let report = submit.report.then(|| ReportRequest {
            reference: submit.reference,
            to: submit.to.clone(),
            stamp,
        });
        let deliver = self.deliver(from, submit.dcs, submit.pid, submit.data, now);
        self.accept(sender, receiver, deliver, report, keeps, now);
        Ok(())
    }

    fn deliver(&self, from: Address, dcs: Dcs, pid: u8, data: UserData, now: Instant) -> Tpdu {
        let stamp = self.stamp(now);
        Tpdu::Deliver(Deliver {
            pid,
            dcs,
            ..Deliver::new(from, data, stamp)
        })
    }

    fn accept(
        &mut self,
        from: Party,
        to: Party,
        tpdu: Tpdu,
        report: Option<ReportRequest>,
        keeps: Duration,
        now: Instant,
    ) {
        self.counters.accepted += 1;
        let faults = self.settings.faults;
        let for_modem = matches!(to, Party::Modem(_));
        let wait = self.settings.delivery.draw(&mut self.rng);
        let in_order = (now + wait).max(self.center.not_before(from, to));
        if for_modem && self.rng.chance(faults.doubled.into()) {
            let (copy, again) = match self.stamped_anew(&tpdu, in_order) {
                Some(copy) => (copy, in_order),
                None => (tpdu.clone(), in_order + self.held_up()),
            };
            self.center
                .hold(HeldMessage::new(from, to, copy, (again, again + keeps), None).loose());
        }
        let held = if for_modem && self.rng.chance(faults.overtaken.into()) {
            HeldMessage::new(
                from,
                to,
                tpdu,
                (in_order + self.held_up(), now + keeps),
                report,
            )
            .loose()
        } else {
            HeldMessage::new(from, to, tpdu, (in_order, now + keeps), report)
        };
        self.center.hold(held);
    }

    /// A centre that tries again may give a part another stamp. Not the last one: behind a whole message nobody could
    /// tell it from a part of a new one.
    fn stamped_anew(&mut self, tpdu: &Tpdu, now: Instant) -> Option<Tpdu> {
        let Tpdu::Deliver(deliver) = tpdu else {
            return None;
        };
        let concat = deliver.data.header.as_ref().and_then(Header::concat)?;
        let stamp = self.stamp(now + Duration::from_secs(1));
        let anew = concat.part < concat.total && self.rng.chance(50);
        anew.then(|| {
            Tpdu::Deliver(Deliver {
                stamp,
                ..deliver.clone()
            })
        })
    }

    fn held_up(&mut self) -> Duration {
        Duration::from_millis(self.rng.range(1000, 30_000))
    }
}
