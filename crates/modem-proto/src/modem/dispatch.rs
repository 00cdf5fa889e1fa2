//! What follows from the end of a command: one place for all commands.

use crate::command::Command;
use crate::exchange::Request;
use crate::limitation::Limitation;
use crate::response::Response;
use crate::startup::Startup;

use super::Modem;

impl Modem {
    pub(super) fn dispatch(&mut self, request: &Request, response: &Response) {
        let access = self.data_access();
        let cx = &mut self.cx;
        match request.command {
            Command::Probe(_) => self.startup.on_probe(cx, response),
            Command::Reset { plain } => self.startup.on_reset(cx, plain, response),
            Command::EchoOff => self.startup.on_echo_off(response),
            Command::SetCharset(0) if !response.is_ok() => {
                cx.queue.push_front(Command::SetCharset(1))
            }
            Command::QueryManufacturer => {
                cx.identity.model = response.text().unwrap_or_default().into()
            }
            Command::QueryModel => Startup::on_model(cx, response),
            Command::QueryImei => {
                cx.identity.imei = response.digits();
                cx.limited_if_unknown(response, Limitation::Imei);
            }
            Command::UserInit(_) | Command::EnableRadio => cx.log_refusal(request, response),
            Command::SetPduMode => self.outbox.on_pdu_mode(cx, response),
            Command::QueryPduMode => self.outbox.on_pdu_mode_query(cx, response),
            Command::TestCallList => self.calls.on_list_test(cx, response),
            Command::EnableClip => cx.identity.abilities.calls |= response.is_ok(),

            Command::QueryRadio => self.sim.on_radio(cx, response),
            Command::QuerySim => self.sim.on_pin_query(cx, response),
            Command::QueryPinTries => self.sim.on_pin_tries(cx, response),
            Command::EnterPin => self.sim.on_pin(cx, response),
            Command::QueryImsi => self.sim.on_imsi(cx, response),

            Command::EnableRegUrc(domain, mode) => {
                self.network.on_reg_urc_enabled(cx, domain, mode, response)
            }
            Command::QueryRegistration(domain) => {
                self.network.on_registration(cx, domain, response)
            }
            Command::OperatorFormat(format) => cx.queue.push(Command::QueryOperator(format)),
            Command::QueryOperator(format) => self.network.on_operator(cx, format, response),
            Command::QuerySignal => self.network.on_signal(cx, response),
            Command::QueryClock => self.network.on_clock(cx, response),
            Command::QueryOwnNumber => self.network.on_own_number(cx, response),
            Command::QueryServiceCenter => self.network.on_service_center(cx, response),

            Command::QueryContexts => self.data.on_contexts(cx, access, response),
            Command::DefineContext => self.data.on_context_set(cx, access, request, response),
            Command::SetAuthentication => self
                .data
                .on_authentication_set(cx, access, request, response),
            Command::Attach => self.data.on_attach(cx, response),
            Command::Activate(on) => self.data.on_activate(cx, on, response),
            Command::QueryActive => self.data.on_active(cx, access, response),
            Command::QueryAddress => self.data.on_address(cx, response),

            Command::SetCnmi(number) => {
                self.mailbox.storages.on_cnmi(cx, number, request, response)
            }
            Command::QueryStorages => self.mailbox.on_storages(cx, response),
            Command::SelectStorage(storage) => self
                .mailbox
                .storages
                .on_selected(cx, storage, request, response),
            Command::ListMessages(storage) => self.mailbox.on_listed(cx, storage, response),
            Command::ReadMessage(slot) => self.mailbox.on_read(cx, slot, response),
            Command::DeleteMessage(slot) => self.mailbox.on_deleted(cx, slot, request, response),
            Command::Submit => self.outbox.on_submitted(cx, access.registered, response),

            Command::ListCalls => self.calls.on_list(cx, response),
            Command::Dial(_) => self.calls.on_dial(cx, response),
            Command::AnswerCall => self.calls.on_answer(cx, response),
            Command::HangUp { plain } => self.calls.on_hang_up(cx, plain, response),

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
