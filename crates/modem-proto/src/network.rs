//! Registration, operator, signal, cell, time, own number, service centre.

use alloc::string::ToString as _;

use dtu_proto::radio::{Cell, ModemInput, Operator, PhoneNumber, Registration, Signal};
use dtu_proto::time::Duration;

use crate::action::Action;
use crate::backoff::pause;
use crate::clock::network_time;
use crate::command::{Command, Domain};
use crate::cx::Cx;
use crate::limitation::Limitation;
use crate::response::{Failure, Field, Outcome, Response, fields, phone};

/// What is known, and what of it was reported.
#[derive(Debug, Default)]
pub(crate) struct Network {
    domains: [DomainState; 3],
    reported: Reports,
    /// The code, until the name is there too.
    operator: Operator,
    /// The card was not ready so often.
    card_late: u32,
    /// `AT+CREG?` and `AT+CSQ` were refused so often in a row.
    refused: [u32; 2],
    /// `AT+CREG: 0` was taken once for the word of a modem that restarted.
    doubted_urc: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct DomainState {
    /// The modem knows this registration.
    known: bool,
    /// `AT+CREG=2` (or 1) was taken.
    urc_enabled: bool,
    /// And `AT+CREG?` showed so.
    urc_shown: bool,
    /// `AT+CREG?` is no command of it.
    refused: bool,
    registration: Registration,
    cell: Option<Cell>,
}

#[derive(Debug, Default)]
struct Reports {
    registration: Option<Registration>,
    operator: Option<Option<Operator>>,
    signal: Option<Signal>,
    cell: Option<Option<Cell>>,
    own_number: Option<Option<PhoneNumber>>,
    service_center: Option<Option<PhoneNumber>>,
}

impl Network {
    /// The modem is gone; what is known of its `AT+CREG` stays.
    pub(crate) fn forget(&mut self) {
        *self = Self {
            doubted_urc: self.doubted_urc,
            ..Self::default()
        };
    }

    pub(crate) fn is_registered(&self) -> bool {
        self.best()
            .is_some_and(|state| state.registration.is_registered())
    }

    /// The registration that counts: one with a network, circuits first, for they carry calls and messages.
    fn best(&self) -> Option<&DomainState> {
        let known = || self.domains.iter().filter(|state| state.known);
        known()
            .find(|state| state.registration.is_registered())
            .or_else(|| known().find(|state| state.registration != Registration::NotRegistered))
            .or_else(|| known().next())
    }

    /// A question that is refused again and again is asked less often.
    fn poll_after(&mut self, response: &Response, poll: Duration, of: usize) -> Duration {
        let Some(refused) = self.refused.get_mut(of) else {
            return poll;
        };
        *refused = if response.failure().is_some() {
            refused.saturating_add(1)
        } else {
            0
        };
        // mutant: refused-poll
        if *refused == 0 {
            poll
        } else {
            poll.max(pause(*refused))
        }
    }

    fn cell(&self) -> Option<Cell> {
        let registered = self
            .domains
            .iter()
            .filter(|state| state.registration.is_registered());
        registered.filter_map(|state| state.cell).next()
    }

    /// Everything is reported again. The questions of one round are asked; each asks itself again.
    pub(crate) fn on_present(&mut self, cx: &mut Cx) {
        self.reported = Reports::default();
        Domain::ALL
            .into_iter()
            .for_each(|domain| cx.queue.push(Command::EnableRegUrc(domain, 2)));
        cx.queue.push(Command::QuerySignal);
    }

    pub(crate) fn on_reg_urc_enabled(
        &mut self,
        cx: &mut Cx,
        domain: Domain,
        mode: u8,
        response: &Response,
    ) {
        if response.is_ok() {
            if let Some(state) = self.domains.get_mut(domain.index()) {
                state.urc_enabled = true;
            }
        } else if mode == 2 {
            return cx.queue.push_front(Command::EnableRegUrc(domain, 1));
        } else if domain == Domain::Circuit {
            cx.limited_if_unknown(response, Limitation::RegistrationUrc);
        }
        cx.queue.push(Command::QueryRegistration(domain));
    }

    pub(crate) fn on_registration(&mut self, cx: &mut Cx, domain: Domain, response: &Response) {
        let (failure, is_circuit) = (response.failure(), domain == Domain::Circuit);
        if let Some(state) = self.domains.get_mut(domain.index()) {
            state.refused = failure.is_some_and(|why| !is_circuit || why.is_unknown_command());
        }
        if is_circuit || domain == Domain::Evolved {
            let none = self.domains.iter().all(|state| state.refused);
            cx.limited_if(none, Limitation::Registration);
        }
        if failure.is_some() && !is_circuit {
            // A modem without GPRS or LTE is not asked again.
            return;
        }
        let blind = cx.limitations.has(Limitation::RegistrationUrc);
        // mutant: blind-poll
        let poll = if blind { BLIND_POLL } else { REGISTRATION_POLL };
        let poll = self.poll_after(response, poll, CREG);
        cx.queue
            .schedule(cx.now + poll, Command::QueryRegistration(domain));
        let fields = response.fields();
        let Some((mode, values)) = fields.split_first().filter(|_| response.is_ok()) else {
            return;
        };
        let Some(state) = self.domains.get_mut(domain.index()) else {
            return;
        };
        state.urc_shown |= mode.text != "0";
        if state.urc_enabled && mode.text == "0" {
            // It was to report changes, and does not know of it any more: it restarted. There are modems that never show
            // it, so one that has not yet is believed once.
            // mutant: creg-0
            if state.urc_shown || !core::mem::replace(&mut self.doubted_urc, true) {
                return cx.act(Action::Restarted);
            }
            state.urc_enabled = false;
            cx.add_limitation(Limitation::RegistrationUrc);
            cx.queue
                .schedule(cx.now + BLIND_POLL, Command::QueryRegistration(domain));
        }
        self.on_state(cx, domain, values);
    }

    pub(crate) fn on_urc(&mut self, cx: &mut Cx, line: &str) -> bool {
        if let Some(domain) = Domain::ALL
            .into_iter()
            .find(|domain| line.starts_with(domain.prefix()))
        {
            if cx.present && is_registration_urc(line) {
                self.on_state(cx, domain, &fields(line));
            }
        } else if line.starts_with("+CSQ:") || line.starts_with("+CSQN:") {
            self.report_signal(cx, &fields(line));
        } else if line.starts_with("+QIND: \"csq\"") {
            self.report_signal(cx, fields(line).get(1..).unwrap_or_default());
        } else if TIME_URCS.iter().any(|head| line.starts_with(head)) {
            if cx.present {
                cx.queue
                    .schedule(cx.now + CLOCK_SETTLES, Command::QueryClock);
            }
        } else {
            return false;
        }
        true
    }

    /// State, area and cell, as they stand behind the mode or at the start of a URC.
    fn on_state(&mut self, cx: &mut Cx, domain: Domain, fields: &[Field<'_>]) {
        let Some(number) = fields.first().and_then(|field| field.number()) else {
            return;
        };
        let hex = |at: usize| fields.get(at).and_then(|field| field.hex());
        let length = |at: usize| fields.get(at).map_or(0, |field| field.text.len());
        // Some put the routing area, two digits, between area and cell.
        let at = if fields.len() > 4 && length(2) <= 2 && length(3) > 2 {
            3
        } else {
            2
        };
        let cell = hex(1).zip(hex(at)).map(|(area, id)| Cell { area, id });
        let Some(state) = self.domains.get_mut(domain.index()) else {
            return;
        };
        state.known = true;
        state.registration = Registration::from_number(number);
        state.cell = cell.filter(|_| state.registration.is_registered());
        self.report_registration(cx);
    }

    fn report_registration(&mut self, cx: &mut Cx) {
        let registration = self
            .best()
            .map(|state| state.registration)
            .unwrap_or_default();
        let cell = self.cell();
        if self.reported.registration.replace(registration) != Some(registration) {
            cx.emit(ModemInput::Registration(registration));
            if registration.is_registered() {
                self.ask_operator(cx);
                cx.queue
                    .schedule(cx.now + CLOCK_SETTLES, Command::QueryClock);
                cx.queue.push(Command::QuerySignal);
                cx.act(Action::Registered);
            } else {
                self.report_operator(cx, None);
                cx.act(Action::Unregistered);
            }
        }
        if self.reported.cell.replace(cell) != Some(cell) {
            cx.emit(ModemInput::Cell(cell));
        }
    }

    /// Once as a number, once as a name (27.007 7.3). Each step leads to the next.
    fn ask_operator(&mut self, cx: &mut Cx) {
        cx.queue.push(Command::OperatorFormat(CODE));
    }

    pub(crate) fn on_operator(&mut self, cx: &mut Cx, format: u8, response: &Response) {
        cx.limited_if_unknown(response, Limitation::Operator);
        let fields = response.fields();
        let text = fields
            .get(2)
            .map(|field| field.text.to_string())
            .unwrap_or_default();
        // A modem that ignores the format gives the same twice.
        let is_code = text.len() >= 5 && text.bytes().all(|byte| byte.is_ascii_digit());
        if is_code {
            self.operator.code = text;
        } else if !text.is_empty() {
            self.operator.name = text;
        }
        if format == CODE {
            return cx.queue.push(Command::OperatorFormat(NAME));
        }
        cx.queue
            .schedule(cx.now + OPERATOR_POLL, Command::OperatorFormat(CODE));
        let operator = core::mem::take(&mut self.operator);
        let found = self.is_registered() && operator != Operator::default();
        self.report_operator(cx, found.then_some(operator));
    }

    fn report_operator(&mut self, cx: &mut Cx, operator: Option<Operator>) {
        if self.reported.operator.as_ref() != Some(&operator) {
            self.reported.operator = Some(operator.clone());
            cx.emit(ModemInput::Operator(operator));
        }
    }

    pub(crate) fn on_signal(&mut self, cx: &mut Cx, response: &Response) {
        let poll = self.poll_after(response, SIGNAL_POLL, CSQ);
        cx.queue.schedule(cx.now + poll, Command::QuerySignal);
        cx.limited_if_unknown(response, Limitation::Signal);
        if response.is_ok() {
            self.report_signal(cx, &response.fields());
        }
    }

    fn report_signal(&mut self, cx: &mut Cx, fields: &[Field<'_>]) {
        let number = |at: usize| fields.get(at).and_then(|field| field.number::<u8>());
        let Some(strength) = number(0).filter(|_| cx.present) else {
            return;
        };
        let error_rate = number(1).filter(|rate| *rate <= 7).unwrap_or(99);
        let signal = Signal {
            strength: in_steps(strength),
            error_rate,
        };
        if self.reported.signal.replace(signal) != Some(signal) {
            cx.emit(ModemInput::Signal(signal));
        }
    }

    pub(crate) fn on_clock(&mut self, cx: &mut Cx, response: &Response) {
        cx.queue.schedule(cx.now + CLOCK_POLL, Command::QueryClock);
        cx.limited_if_unknown(response, Limitation::Clock);
        // Some give no quotes, and then the comma in it parts no values.
        let fields = response.fields();
        let quoted = fields
            .first()
            .filter(|field| field.quoted)
            .map(|field| field.text);
        if let Some(time) = quoted.or_else(|| response.text()).and_then(network_time) {
            cx.emit(ModemInput::Clock(time));
        }
    }

    /// Own number and service centre are the card's, which may not be ready yet.
    pub(crate) fn query_card(&mut self, cx: &mut Cx) {
        for (command, known) in [
            (
                Command::QueryServiceCenter,
                matches!(self.reported.service_center, Some(Some(_))),
            ),
            (
                Command::QueryOwnNumber,
                matches!(self.reported.own_number, Some(Some(_))),
            ),
        ] {
            if !known {
                cx.queue.push(command);
            }
        }
    }

    /// Whether it is asked again instead of being believed.
    fn retry_if_card_late(&mut self, cx: &mut Cx, command: Command, response: &Response) -> bool {
        let late = response.failure().is_some_and(Failure::is_sim_related)
            || response.outcome == Outcome::TimedOut;
        if late {
            self.card_late += 1;
            cx.queue.schedule(cx.now + pause(self.card_late), command);
        }
        late
    }

    pub(crate) fn on_own_number(&mut self, cx: &mut Cx, response: &Response) {
        if self.retry_if_card_late(cx, Command::QueryOwnNumber, response) {
            return;
        }
        // `+CNUM: ["name"],"+86…",145`; a card that has no number of its own gives no line.
        cx.limited_if_unknown(response, Limitation::OwnNumber);
        let number = phone(&response.fields(), 1).filter(|_| response.is_ok());
        if self.reported.own_number.replace(number) != Some(number) {
            cx.emit(ModemInput::OwnNumber(number));
        }
    }

    pub(crate) fn on_service_center(&mut self, cx: &mut Cx, response: &Response) {
        if self.retry_if_card_late(cx, Command::QueryServiceCenter, response) {
            return;
        }
        cx.limited_if_unknown(response, Limitation::ServiceCenter);
        let number = phone(&response.fields(), 0).filter(|_| response.is_ok());
        if self.reported.service_center.replace(number) != Some(number) {
            cx.emit(ModemInput::ServiceCenter(number));
        }
    }
}

/// URCs have the form `+CREG: 1[,"area","cell"[,act]]`; the answer to a question has the mode in front. Area codes are
/// hex digits in quotes, or (some makers) without.
pub(crate) fn is_registration_urc(line: &str) -> bool {
    if !Domain::ALL
        .into_iter()
        .any(|domain| line.starts_with(domain.prefix()))
    {
        return false;
    }
    let fields = fields(line);
    let is_area = |field: &Field<'_>| {
        field.quoted || field.text.is_empty() || field.text.len() >= SHORTEST_AREA
    };
    fields.len() == 1 || fields.len() == 3 || fields.get(1).is_some_and(is_area)
}

/// 100..=191 are the steps of UMTS (27.007 of some makers): -116 dBm and up, 1 dBm each.
fn in_steps(strength: u8) -> u8 {
    match strength {
        0..=31 => strength,
        100..=191 => ((strength - 100).saturating_sub(3) / 2).min(31),
        _ => 99,
    }
}

/// Digits of an area code that is no state.
const SHORTEST_AREA: usize = 3;
/// Formats of `AT+COPS=3,…`.
const CODE: u8 = 2;
const NAME: u8 = 0;
const REGISTRATION_POLL: Duration = Duration::from_secs(60);
/// The same, of a modem that reports no changes.
const BLIND_POLL: Duration = Duration::from_secs(10);
const OPERATOR_POLL: Duration = Duration::from_secs(600);
/// Indices of `Network::refused`.
const CREG: usize = 0;
const CSQ: usize = 1;
const SIGNAL_POLL: Duration = Duration::from_secs(30);
const CLOCK_POLL: Duration = Duration::from_secs(3600);
/// The network's time comes a moment after the registration.
const CLOCK_SETTLES: Duration = Duration::from_secs(2);
/// URCs of the network's time or zone: SIM800, SIM7600, EC2x and 27.007 8.41, Huawei.
const TIME_URCS: [&str; 7] = [
    "*PSUTTZ:", "+CTZV:", "+CTZE:", "+CTZDST:", "DST:", "+NITZ:", "^NWTIME:",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registration_urcs_are_told_from_responses() {
        for urc in [
            "+CREG: 1",
            "+CREG: 1,0001,0010,0",
            "+CEREG: 1, 1F00, 20 ,79D903 ,7",
            "+CREG: 1,\"00C3\",\"1234\"",
            "+CEREG: 5,\"1\",\"2\",7",
            "+CREG: 1,00C3,1234",
        ] {
            assert!(is_registration_urc(urc), "{urc}");
        }
        for response in [
            "+CREG: 2,1",
            "+CEREG: 2,1, 1F00, 20 ,79D903 ,7",
            "+CREG: 2,1,\"00C3\",\"1234\"",
            "+CREG: 2,1,00C3,1234",
            "+CSQ: 1",
        ] {
            assert!(!is_registration_urc(response), "{response}");
        }
    }

    #[test]
    fn the_signal_of_3g_is_shown_in_the_steps_of_gsm() {
        assert_eq!(
            [0, 31, 99, 32, 100, 125, 191, 200].map(in_steps),
            [0, 31, 99, 99, 0, 11, 31, 99]
        );
    }
}
