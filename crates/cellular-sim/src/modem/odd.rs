//! What a modem with oddities does in place of what specifications say.

use dtu_proto::time::{Duration, Instant};

use super::at_modem::AtModem;
use super::oddity::{OddState, Oddity};
use super::parse::{Command, Form};
use super::reply::{End, Reply};

impl AtModem {
    pub(super) fn odd_power_on(&mut self, now: Instant) {
        self.odd_state = OddState {
            since: Some(now),
            ..OddState::default()
        };
        self.settings.text_mode |= self.is_odd(Oddity::TextMode) || self.is_odd(Oddity::TextOnly);
    }

    pub(super) const fn is_odd(&self, oddity: Oddity) -> bool {
        self.setup.odd.has(oddity)
    }

    const fn lists_end_calls(&self) -> bool {
        self.is_odd(Oddity::ClccEnds) || self.is_odd(Oddity::ClccDrops)
    }

    fn is_up_for(&self, now: Instant) -> Duration {
        self.odd_state
            .since
            .map_or(Duration::ZERO, |since| now.since(since))
    }

    pub(super) fn is_deaf(&self, now: Instant) -> bool {
        self.is_odd(Oddity::Silent) && (DEAF.0..DEAF.1).contains(&self.is_up_for(now))
    }

    /// What it says instead.
    pub(super) fn odd_reply(&mut self, command: &Command, now: Instant) -> Option<Reply> {
        let refused = |end| Some(Reply::end(end));
        self.odd_state.commands += 1;
        if self.is_odd(Oddity::Restarts) && self.odd_state.commands.is_multiple_of(RESTART_AT) {
            self.emit_order(dtu_proto::radio::ModemOutput::Reset, now);
            return refused(End::Error);
        }
        if self.is_odd(Oddity::Refuses) {
            return refused(End::Error);
        }
        let is_late = self.is_up_for(now) < LATE;
        match (command.name.as_str(), &command.form) {
            ("+CPMS", Form::Set(args)) => {
                self.odd_state.storages += 1;
                if self.is_odd(Oddity::CpmsBusy) && !self.odd_state.storages.is_multiple_of(2) {
                    return refused(End::Cme(515));
                }
                (self.is_odd(Oddity::Cpms3) && args.len() < 3).then(|| Reply::end(End::Cms(303)))
            }
            ("+CMGF", Form::Set(args)) if args.text(0) == "0" => {
                if self.is_odd(Oddity::CmgfLate) && is_late {
                    self.odd_state.modes += 1;
                    let ends = [End::Error, End::Cme(3), End::Cms(302)];
                    return ends
                        .get(self.odd_state.modes % 3)
                        .cloned()
                        .and_then(refused);
                }
                self.is_odd(Oddity::TextOnly).then(Reply::ok)
            }
            ("+CSCA", Form::Read) | ("+CNUM", Form::Run(_))
                if self.is_odd(Oddity::CardLate) && is_late =>
            {
                refused(End::Cme(14))
            }
            ("+CNMI", Form::Set(args)) => {
                let knows = match args.text(3) {
                    "1" => !self.is_odd(Oddity::Cnmi2) && !self.is_odd(Oddity::Cnmi0),
                    "2" => !self.is_odd(Oddity::Cnmi0),
                    _ => true,
                };
                (!knows).then(|| Reply::end(End::Cms(303)))
            }
            ("+CMGS", Form::Set(_)) => {
                self.odd_state.sent += 1;
                let late = self.is_odd(Oddity::CmgsLate) && self.odd_state.sent <= 2;
                let end = if late { End::Cms(302) } else { End::Cms(500) };
                (late || self.is_odd(Oddity::Cmgs500)).then(|| Reply::end(end))
            }
            ("+CMGD", Form::Set(_)) if self.is_odd(Oddity::TextMode) => {
                self.odd_state.deleted += 1;
                self.settings.text_mode |= self.odd_state.deleted.is_multiple_of(4);
                None
            }
            ("+CREG" | "+CGREG" | "+CEREG", Form::Set(_)) if self.is_odd(Oddity::Creg0) => {
                Some(Reply::ok())
            }
            ("+CLCC", Form::Run(_)) if self.lists_end_calls() && self.is_dialling() => {
                let _ = self.hang_up(now);
                if self.is_odd(Oddity::ClccEnds) {
                    self.emit_urc("NO CARRIER", now);
                }
                Some(Reply::ok())
            }
            _ => None,
        }
    }

    /// How it writes what it says.
    pub(super) fn write_oddly(&self, line: String) -> String {
        if self.is_odd(Oddity::CpmsOk) && line.starts_with("+CPMS: ") && !line.contains('"') {
            return String::new();
        }
        if self.is_odd(Oddity::CclkBare) && line.starts_with("+CCLK:") {
            return line.replace('"', "");
        }
        if self.is_odd(Oddity::CopsLines) && line.starts_with("+COPS: 0,0,\"") {
            return line.replacen('"', "\"\r\r\n", 1);
        }
        if self.is_odd(Oddity::CeregBlanks) && line.starts_with("+CEREG:") {
            return with_routing_area(&line);
        }
        let is_registration = ["+CREG:", "+CGREG:", "+CEREG:"]
            .iter()
            .any(|head| line.starts_with(head));
        if self.is_odd(Oddity::CregBare) && is_registration {
            return line.replace('"', "");
        }
        if self.is_odd(Oddity::CusdAmid) && line == self.setup.dialect.maker() {
            return format!("+CUSD: 0,\"Your balance\r\nis 5.00\r\nthank you\",15\r\n{line}");
        }
        line
    }
}

/// `2,1,"1F00","79D903",7` -> `2,1, 1F00, 20 ,79D903 ,7`.
fn with_routing_area(line: &str) -> String {
    let mut parts = line.splitn(3, '"');
    let (Some(head), Some(area), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
        return line.to_owned();
    };
    let rest = rest
        .trim_start_matches(',')
        .replace('"', "")
        .replace(',', " ,");
    format!("{head} {area}, 20 ,{rest}")
}

/// After power-on.
const LATE: Duration = Duration::from_secs(20);
const DEAF: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(300));
const RESTART_AT: u32 = 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_routing_area_stands_between_area_and_cell() {
        assert_eq!(
            with_routing_area("+CEREG: 2,1,\"1F00\",\"79D903\",7"),
            "+CEREG: 2,1, 1F00, 20 ,79D903 ,7"
        );
        assert_eq!(with_routing_area("+CEREG: 2,0"), "+CEREG: 2,0");
    }
}
