//! Registration, operator, signal, cell, time, own number, service centre.

use alloc::string::ToString as _;

use dtu_proto::radio::{
    Cell, ModemInput, NetworkTime, Operator, PhoneNumber, Registration, Signal,
};
use dtu_proto::time::{Duration, Instant};

use crate::backoff::pause;
use crate::command::{Command, Domain};
use crate::limitation::Limitation;
use crate::modem::Modem;
use crate::response::{Failure, Field, Outcome, Response, fields, phone};

/// What is known, and what of it was told.
#[derive(Debug, Default)]
pub(crate) struct Network {
    domains: [DomainState; 3],
    told: LastReport,
    /// The code, until the name is there too.
    operator: Operator,
    /// The card was not ready so often.
    card_late: u32,
    /// `AT+CREG?` and `AT+CSQ` were refused so often in a row.
    refused: [u32; 2],
}

#[derive(Clone, Copy, Debug, Default)]
struct DomainState {
    /// The modem knows this registration.
    known: bool,
    /// `AT+CREG=2` (or 1) was taken.
    watched: bool,
    /// And `AT+CREG?` showed so.
    shows: bool,
    /// `AT+CREG?` is no command of it.
    refused: bool,
    registration: Registration,
    cell: Option<Cell>,
}

#[derive(Debug, Default)]
struct LastReport {
    registration: Option<Registration>,
    operator: Option<Option<Operator>>,
    signal: Option<Signal>,
    cell: Option<Option<Cell>>,
    own_number: Option<Option<PhoneNumber>>,
    service_center: Option<Option<PhoneNumber>>,
}

impl Network {
    /// After `Present` everything is told again.
    pub(crate) fn forget_told(&mut self) {
        self.told = LastReport::default();
    }

    pub(crate) fn is_registered(&self) -> bool {
        self.best()
            .is_some_and(|standing| standing.registration.is_registered())
    }

    /// The registration that counts: one with a network, circuits first, for they carry calls and messages.
    fn best(&self) -> Option<&DomainState> {
        let known = || self.domains.iter().filter(|standing| standing.known);
        known()
            .find(|standing| standing.registration.is_registered())
            .or_else(|| {
                known().find(|standing| standing.registration != Registration::NotRegistered)
            })
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
            .filter(|standing| standing.registration.is_registered());
        registered.filter_map(|standing| standing.cell).next()
    }
}

impl Modem {
    /// The questions of one round; each asks itself again.
    pub(crate) fn watch_network(&mut self) {
        Domain::ALL
            .into_iter()
            .for_each(|domain| self.queue.push(Command::EnableRegUrc(domain, 2)));
        self.queue.push(Command::QuerySignal);
    }

    pub(crate) fn on_watch(&mut self, domain: Domain, mode: u8, response: &Response) {
        if response.is_ok() {
            if let Some(standing) = self.network.domains.get_mut(domain.index()) {
                standing.watched = true;
            }
        } else if mode == 2 {
            return self.queue.push_front(Command::EnableRegUrc(domain, 1));
        } else if domain == Domain::Circuit {
            self.limited_if_unknown(response, Limitation::RegistrationNews);
        }
        self.queue.push(Command::QueryRegistration(domain));
    }

    pub(crate) fn on_registration(&mut self, domain: Domain, response: &Response, now: Instant) {
        let (failure, is_circuit) = (response.failure(), domain == Domain::Circuit);
        if let Some(standing) = self.network.domains.get_mut(domain.index()) {
            standing.refused = failure.is_some_and(|why| !is_circuit || why.is_unknown_command());
        }
        if is_circuit || domain == Domain::Evolved {
            let none = self.network.domains.iter().all(|standing| standing.refused);
            self.limited_if(none, Limitation::Registration);
        }
        if failure.is_some() && !is_circuit {
            // A modem without GPRS or LTE is not asked again.
            return;
        }
        let blind = self.limitations.has(Limitation::RegistrationNews);
        // mutant: blind-poll
        let poll = if blind { BLIND_POLL } else { REGISTRATION_POLL };
        let poll = self.network.poll_after(response, poll, CREG);
        self.queue
            .schedule(now + poll, Command::QueryRegistration(domain));
        let fields = response.fields();
        let Some((mode, state)) = fields.split_first().filter(|_| response.is_ok()) else {
            return;
        };
        let Some(standing) = self.network.domains.get_mut(domain.index()) else {
            return;
        };
        standing.shows |= mode.text != "0";
        if standing.watched && mode.text == "0" {
            // It was told to report, and does not know of it any more: it restarted. There are modems that never show
            // it, so one that has not yet is believed once.
            // mutant: creg-0
            if standing.shows || !core::mem::replace(&mut self.backoff.doubted_watch, true) {
                return self.restarted(now);
            }
            standing.watched = false;
            self.add_limitation(Limitation::RegistrationNews);
            self.queue
                .schedule(now + BLIND_POLL, Command::QueryRegistration(domain));
        }
        self.stand(domain, state, now);
    }

    pub(crate) fn on_network_urc(&mut self, line: &str, now: Instant) -> bool {
        if let Some(domain) = Domain::ALL
            .into_iter()
            .find(|domain| line.starts_with(domain.prefix()))
        {
            if self.present && is_registration_urc(line) {
                self.stand(domain, &fields(line), now);
            }
        } else if line.starts_with("+CSQ:") || line.starts_with("+CSQN:") {
            self.signal_is(&fields(line));
        } else if line.starts_with("+QIND: \"csq\"") {
            self.signal_is(fields(line).get(1..).unwrap_or_default());
        } else if TIME_URCS.iter().any(|head| line.starts_with(head)) {
            if self.present {
                self.queue
                    .schedule(now + CLOCK_SETTLES, Command::QueryClock);
            }
        } else {
            return false;
        }
        true
    }

    /// State, area and cell, as they stand behind the mode or at the start of news.
    fn stand(&mut self, domain: Domain, fields: &[Field<'_>], now: Instant) {
        let Some(state) = fields.first().and_then(|field| field.number()) else {
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
        let Some(standing) = self.network.domains.get_mut(domain.index()) else {
            return;
        };
        standing.known = true;
        standing.registration = Registration::from_number(state);
        standing.cell = cell.filter(|_| standing.registration.is_registered());
        self.registration_moved(now);
    }

    fn registration_moved(&mut self, now: Instant) {
        let registration = self
            .network
            .best()
            .map(|standing| standing.registration)
            .unwrap_or_default();
        let cell = self.network.cell();
        if self.network.told.registration.replace(registration) != Some(registration) {
            self.emit(ModemInput::Registration(registration));
            if registration.is_registered() {
                self.ask_operator();
                self.queue
                    .schedule(now + CLOCK_SETTLES, Command::QueryClock);
                self.queue.push(Command::QuerySignal);
                self.data_wanted();
            } else {
                self.operator_is(None);
                self.data_lost();
            }
        }
        if self.network.told.cell.replace(cell) != Some(cell) {
            self.emit(ModemInput::Cell(cell));
        }
    }

    /// Once as a number, once as a name (27.007 7.3). Each step leads to the next.
    fn ask_operator(&mut self) {
        self.queue.push(Command::OperatorFormat(CODE));
    }

    pub(crate) fn on_operator(&mut self, format: u8, response: &Response, now: Instant) {
        self.limited_if_unknown(response, Limitation::Operator);
        let fields = response.fields();
        let text = fields
            .get(2)
            .map(|field| field.text.to_string())
            .unwrap_or_default();
        // A modem that ignores the format gives the same twice.
        let is_code = text.len() >= 5 && text.bytes().all(|byte| byte.is_ascii_digit());
        if is_code {
            self.network.operator.code = text;
        } else if !text.is_empty() {
            self.network.operator.name = text;
        }
        if format == CODE {
            return self.queue.push(Command::OperatorFormat(NAME));
        }
        self.queue
            .schedule(now + OPERATOR_POLL, Command::OperatorFormat(CODE));
        let operator = core::mem::take(&mut self.network.operator);
        let found = self.network.is_registered() && operator != Operator::default();
        self.operator_is(found.then_some(operator));
    }

    fn operator_is(&mut self, operator: Option<Operator>) {
        if self.network.told.operator.as_ref() != Some(&operator) {
            self.network.told.operator = Some(operator.clone());
            self.emit(ModemInput::Operator(operator));
        }
    }

    pub(crate) fn on_signal(&mut self, response: &Response, now: Instant) {
        let poll = self.network.poll_after(response, SIGNAL_POLL, CSQ);
        self.queue.schedule(now + poll, Command::QuerySignal);
        self.limited_if_unknown(response, Limitation::Signal);
        if response.is_ok() {
            self.signal_is(&response.fields());
        }
    }

    fn signal_is(&mut self, fields: &[Field<'_>]) {
        let number = |at: usize| fields.get(at).and_then(|field| field.number::<u8>());
        let Some(strength) = number(0).filter(|_| self.present) else {
            return;
        };
        let error_rate = number(1).filter(|rate| *rate <= 7).unwrap_or(99);
        let signal = Signal {
            strength: in_steps(strength),
            error_rate,
        };
        if self.network.told.signal.replace(signal) != Some(signal) {
            self.emit(ModemInput::Signal(signal));
        }
    }

    pub(crate) fn on_clock(&mut self, response: &Response, now: Instant) {
        self.queue.schedule(now + CLOCK_POLL, Command::QueryClock);
        self.limited_if_unknown(response, Limitation::Clock);
        // Some give no quotes, and then the comma in it parts no values.
        let fields = response.fields();
        let quoted = fields
            .first()
            .filter(|field| field.quoted)
            .map(|field| field.text);
        if let Some(time) = quoted.or_else(|| response.text()).and_then(network_time) {
            self.emit(ModemInput::Clock(time));
        }
    }

    /// Own number and service centre are the card's, which may not be ready yet.
    pub(crate) fn ask_card_again(&mut self) {
        for (command, known) in [
            (
                Command::QueryServiceCenter,
                matches!(self.network.told.service_center, Some(Some(_))),
            ),
            (
                Command::QueryOwnNumber,
                matches!(self.network.told.own_number, Some(Some(_))),
            ),
        ] {
            if !known {
                self.queue.push(command);
            }
        }
    }

    /// Whether it is asked again instead of being believed.
    fn card_is_late(&mut self, command: Command, response: &Response, now: Instant) -> bool {
        let late = response.failure().is_some_and(Failure::is_sim_related)
            || response.outcome == Outcome::TimedOut;
        if late {
            self.network.card_late += 1;
            self.queue
                .schedule(now + pause(self.network.card_late), command);
        }
        late
    }

    pub(crate) fn on_own_number(&mut self, response: &Response, now: Instant) {
        if self.card_is_late(Command::QueryOwnNumber, response, now) {
            return;
        }
        // `+CNUM: ["name"],"+86…",145`; a card that has no number of its own gives no line.
        self.limited_if_unknown(response, Limitation::OwnNumber);
        let number = phone(&response.fields(), 1).filter(|_| response.is_ok());
        if self.network.told.own_number.replace(number) != Some(number) {
            self.emit(ModemInput::OwnNumber(number));
        }
    }

    pub(crate) fn on_service_center(&mut self, response: &Response, now: Instant) {
        if self.card_is_late(Command::QueryServiceCenter, response, now) {
            return;
        }
        self.limited_if_unknown(response, Limitation::ServiceCenter);
        let number = phone(&response.fields(), 0).filter(|_| response.is_ok());
        if self.network.told.service_center.replace(number) != Some(number) {
            self.emit(ModemInput::ServiceCenter(number));
        }
    }
}

/// News have the form `+CREG: 1[,"area","cell"[,act]]`; the answer to a question has the mode in front. Area codes are
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

/// `yy/MM/dd,hh:mm:ss±zz`, zz in quarters of an hour (27.007 8.15). A modem that no network told the time counts from a
/// date of its maker; such a year is no time.
fn network_time(text: &str) -> Option<NetworkTime> {
    let number = |at: usize| text.get(at..at + 2)?.parse::<u32>().ok();
    let separators = [(2, "/"), (5, "/"), (8, ","), (11, ":"), (14, ":")];
    if separators
        .into_iter()
        .any(|(at, sign)| text.get(at..at + 1) != Some(sign))
    {
        return None;
    }
    let (year, month, day) = (number(0)?, number(3)?, number(6)?);
    let (hour, minute, second) = (number(9)?, number(12)?, number(15)?);
    let days_of = |month: u32| match month {
        2 if year.is_multiple_of(4) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let is_time = PLAUSIBLE_YEARS.contains(&year)
        && (1..=12).contains(&month)
        && (1..=days_of(month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    if !is_time {
        return None;
    }
    let days = year * 365 + year.div_ceil(4) + (1..month).map(days_of).sum::<u32>() + day - 1;
    let zone = text
        .get(17..)
        .and_then(|zone| zone.parse::<i8>().ok())
        .filter(|zone| zone.abs() <= 96);
    Some(NetworkTime {
        seconds: days * 86_400 + hour * 3600 + minute * 60 + second,
        zone,
    })
}

/// Digits of an area code that is no state.
const SHORTEST_AREA: usize = 3;
/// Formats of `AT+COPS=3,…`.
const CODE: u8 = 2;
const NAME: u8 = 0;
const REGISTRATION_POLL: Duration = Duration::from_secs(60);
/// The same, of a modem that does not tell changes.
const BLIND_POLL: Duration = Duration::from_secs(10);
const OPERATOR_POLL: Duration = Duration::from_secs(600);
/// Places of `Network::refused`.
const CREG: usize = 0;
const CSQ: usize = 1;
const SIGNAL_POLL: Duration = Duration::from_secs(30);
const CLOCK_POLL: Duration = Duration::from_secs(3600);
/// The network's time comes a moment after the registration.
const CLOCK_SETTLES: Duration = Duration::from_secs(2);
const PLAUSIBLE_YEARS: core::ops::Range<u32> = 20..70;
/// News that the network told its time or zone: SIM800, SIM7600, EC2x and 27.007 8.41, Huawei.
const TIME_URCS: [&str; 7] = [
    "*PSUTTZ:", "+CTZV:", "+CTZE:", "+CTZDST:", "DST:", "+NITZ:", "^NWTIME:",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_of_registration_are_told_from_answers() {
        for news in [
            "+CREG: 1",
            "+CREG: 1,0001,0010,0",
            "+CEREG: 1, 1F00, 20 ,79D903 ,7",
            "+CREG: 1,\"00C3\",\"1234\"",
            "+CEREG: 5,\"1\",\"2\",7",
            "+CREG: 1,00C3,1234",
        ] {
            assert!(is_registration_urc(news), "{news}");
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
    fn the_modem_s_clock_is_read_with_its_zone() {
        let time = network_time("26/11/22,16:40:00+32").unwrap();
        // date -u -d "2026-11-22 16:40:00" +%s, less that of 2000-01-01.
        assert_eq!(
            (time.seconds, time.zone),
            (1_795_365_600 - 946_684_800, Some(32))
        );
        assert_eq!(
            network_time("24/02/29,00:00:00-12").and_then(|time| time.zone),
            Some(-12)
        );
        assert_eq!(
            network_time("26/11/22,16:40:00").map(|time| time.zone),
            Some(None)
        );
    }

    #[test]
    fn a_clock_that_nobody_set_is_no_time() {
        for text in [
            "80/01/06,00:00:05+00",
            "04/01/01,00:00:00+00",
            "26/02/29,00:00:00+00",
            "26/11/22",
            "",
            "é",
        ] {
            assert_eq!(network_time(text), None, "{text}");
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
