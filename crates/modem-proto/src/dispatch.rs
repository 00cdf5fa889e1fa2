//! What follows from the end of a command: one place for all commands.

use dtu_proto::time::Instant;

use crate::command::Command;
use crate::exchange::Request;
use crate::limitation::Limitation;
use crate::modem::Modem;
use crate::response::Response;
use crate::start::{Echo, digits};

impl Modem {
    pub(crate) fn dispatch(&mut self, request: &Request, response: &Response, now: Instant) {
        match request.command {
            Command::Probe(_) => self.probed(response, now),
            Command::Reset { plain } => self.told_to_restart(plain, response, now),
            Command::EchoOff => {
                self.echo = if response.is_ok() {
                    Echo::Asked
                } else {
                    Echo::Unknown
                }
            }
            Command::SetCharset(0) if !response.is_ok() => {
                self.queue.push_front(Command::SetCharset(1))
            }
            Command::QueryManufacturer => {
                self.identity.model = response.text().unwrap_or_default().into()
            }
            Command::QueryModel => self.on_model(response.text().unwrap_or_default()),
            Command::QueryImei => {
                self.identity.imei = digits(response);
                self.limited_if_unknown(response, Limitation::Imei);
            }
            Command::UserInit(_) | Command::EnableRadio => self.complain(request, response),
            Command::SetPduMode | Command::TestCallList => {
                self.on_ability(request.command, response, now)
            }
            Command::QueryPduMode => self.on_pdu_mode(response),
            Command::EnableClip => self.identity.abilities.calls |= response.is_ok(),

            Command::QueryRadio => self.on_function(response),
            Command::QuerySim => self.on_sim(response, now),
            Command::QueryPinTries => self.on_pin_tries(response, now),
            Command::EnterPin => self.on_pin(response, now),
            Command::QueryImsi => self.on_imsi(response, now),

            Command::EnableRegUrc(domain, mode) => self.on_watch(domain, mode, response),
            Command::QueryRegistration(domain) => self.on_registration(domain, response, now),
            Command::OperatorFormat(format) => self.queue.push(Command::QueryOperator(format)),
            Command::QueryOperator(format) => self.on_operator(format, response, now),
            Command::QuerySignal => self.on_signal(response, now),
            Command::QueryClock => self.on_clock(response, now),
            Command::QueryOwnNumber => self.on_own_number(response, now),
            Command::QueryServiceCenter => self.on_service_center(response, now),

            Command::QueryContexts => self.on_contexts(response),
            Command::DefineContext => self.context_is_set(request, response),
            Command::SetAuthentication => self.authentication_is_set(request, response),
            Command::Attach => self.attached(response, now),
            Command::Activate(on) => self.activated(on, response, now),
            Command::QueryActive => self.on_active(response, now),
            Command::QueryAddress => self.on_address(response, now),

            Command::SetCnmi(number) => self.announced(number, request, response, now),
            Command::QueryStorages => self.on_storages(response, now),
            Command::SelectStorage(store) => self.storage_is(store, request, response, now),
            Command::ListMessages(store) => self.listed(store, response, now),
            Command::ReadMessage(slot) => self.was_read(slot, response, now),
            Command::DeleteMessage(slot) => self.deleted(slot, request, response),
            Command::Submit => self.submitted(response, now),

            Command::ListCalls => self.on_calls(response, now),
            Command::Dial(_) => self.dialled(response, now),
            Command::AnswerCall => self.call_answered(response, now),
            Command::HangUp { plain } => self.hung_up(plain, response, now),

            Command::RejectWaitingCall
            | Command::SetCharset(_)
            | Command::DialectInit(_)
            | Command::EnableCmeErrors
            | Command::SelectMessageService
            | Command::Acknowledge
            | Command::SelectDialect
            | Command::ReportPresent => {}
        }
    }
}
