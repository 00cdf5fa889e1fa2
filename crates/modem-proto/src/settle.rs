//! What follows from the end of a command: one place for all errands.

use dtu_proto::time::Instant;

use crate::answer::Answer;
use crate::channel::Request;
use crate::job::Job;
use crate::lack::Lack;
use crate::modem::Modem;
use crate::start::{Echo, digits};

impl Modem {
    pub(crate) fn settle(&mut self, request: &Request, answer: &Answer, now: Instant) {
        match request.job {
            Job::Probe(_) => self.probed(answer, now),
            Job::Reset { plain } => self.told_to_restart(plain, answer, now),
            Job::EchoOff => {
                self.echo = if answer.is_ok() {
                    Echo::Asked
                } else {
                    Echo::Unknown
                }
            }
            Job::Charset(0) if !answer.is_ok() => self.agenda.first(Job::Charset(1)),
            Job::Maker => self.identity.model = answer.text().unwrap_or_default().into(),
            Job::Model => self.know_model(answer.text().unwrap_or_default()),
            Job::Imei => {
                self.identity.imei = digits(answer);
                self.lack_if_unknown(answer, Lack::Imei);
            }
            Job::UserInit(_) | Job::FunctionOn => self.complain(request, answer),
            Job::MessageMode | Job::CallAbility => self.know_ability(request.job, answer, now),
            Job::IsPduMode => self.know_pdu_mode(answer),
            Job::ShowCaller => self.identity.abilities.calls |= answer.is_ok(),

            Job::Function => self.know_function(answer),
            Job::Sim => self.know_sim(answer, now),
            Job::PinTries => self.know_pin_tries(answer, now),
            Job::Pin => self.know_pin(answer, now),
            Job::Imsi => self.know_imsi(answer, now),

            Job::Watch(domain, mode) => self.know_watch(domain, mode, answer),
            Job::Registration(domain) => self.know_registration(domain, answer, now),
            Job::OperatorFormat(format) => self.agenda.push(Job::Operator(format)),
            Job::Operator(format) => self.know_operator(format, answer, now),
            Job::Signal => self.know_signal(answer, now),
            Job::Clock => self.know_clock(answer, now),
            Job::OwnNumber => self.know_own_number(answer, now),
            Job::ServiceCenter => self.know_service_center(answer, now),

            Job::Contexts => self.know_contexts(answer),
            Job::Context => self.context_is_set(request, answer),
            Job::Authentication => self.authentication_is_set(request, answer),
            Job::Attach => self.attached(answer, now),
            Job::Activate(on) => self.activated(on, answer, now),
            Job::IsActive => self.know_active(answer, now),
            Job::Address => self.know_address(answer, now),

            Job::Announce(number) => self.announced(number, request, answer, now),
            Job::Storages => self.know_storages(answer, now),
            Job::Storage(store) => self.storage_is(store, request, answer, now),
            Job::List(store) => self.listed(store, answer, now),
            Job::Read(place) => self.was_read(place, answer, now),
            Job::Delete(place) => self.deleted(place, request, answer),
            Job::Submit => self.submitted(answer, now),

            Job::Calls => self.know_calls(answer, now),
            Job::Dial(_) => self.dialled(answer, now),
            Job::Answer => self.call_answered(answer, now),
            Job::HangUp { plain } => self.hung_up(plain, answer, now),

            Job::RefuseSecond
            | Job::Charset(_)
            | Job::DialectInit(_)
            | Job::ErrorCodes
            | Job::MessageService
            | Job::Acknowledge
            | Job::Chosen
            | Job::Introduce => {}
        }
    }
}
