//! Voice calls: `ATD`, `ATA`, `ATH`, `RING`.

use dtu_proto::radio::{CallEnd, CallNews, ModemOutput, PhoneNumber};
use dtu_proto::time::{Duration, Instant};

use super::at_modem::AtModem;
use super::call::Call;
use super::parse::Form;
use super::reply::{End, Reply};
use super::setup::Dialect;

impl AtModem {
    pub(super) fn dial(&mut self, form: &Form, now: Instant) -> Reply {
        let Form::Run(text) = form else {
            return Reply::error();
        };
        let Some(number) = text.strip_suffix(';') else {
            // A data call: nobody answers those any more.
            return Reply::end(End::Words("NO CARRIER"));
        };
        let digits = number
            .trim()
            .trim_start_matches(['T', 't', 'P', 'p'])
            .replace([' ', '-', ',', 'I', 'i'], "");
        let Some(number) = PhoneNumber::new(&digits) else {
            return Reply::error();
        };
        if self.call.is_some() {
            return Reply::end(End::Cme(Reply::NOT_ALLOWED));
        }
        if !self.view.registration.is_registered() {
            return Reply::end(End::Words("NO CARRIER"));
        }
        self.call = Some(Call {
            outgoing: true,
            number: Some(number),
            state: 2,
            rings: 0,
            next_ring: None,
        });
        self.emit_order(ModemOutput::Dial(number), now);
        Reply::ok()
    }

    pub(super) fn is_dialling(&self) -> bool {
        self.call
            .as_ref()
            .is_some_and(|call| call.outgoing && call.state == 2)
    }

    pub(super) fn answer(&mut self, now: Instant) -> Reply {
        match &mut self.call {
            Some(call) if call.state == 4 => {
                call.next_ring = None;
                self.emit_order(ModemOutput::Answer, now);
                Reply::ok()
            }
            Some(_) | None => Reply::end(End::Words("NO CARRIER")),
        }
    }

    pub(super) fn hang_up(&mut self, now: Instant) -> Reply {
        if self.call.take().is_some() {
            self.emit_order(ModemOutput::HangUp, now);
        }
        Reply::ok()
    }

    pub(super) fn list_calls(&mut self, form: &Form) -> Reply {
        match form {
            Form::Run(_) => Reply::lines(self.call_line().into_iter().collect()),
            Form::Read => Reply::line(format!("+CLCC: {}", u8::from(self.settings.reports_calls))),
            Form::Test => Reply::line("+CLCC: (0,1)"),
            Form::Set(args) => match args.small(0, 0, 1) {
                Some(on) => {
                    self.settings.reports_calls = on == 1;
                    Reply::ok()
                }
                None => Reply::error(),
            },
        }
    }

    fn call_line(&self) -> Option<String> {
        let call = self.call.as_ref()?;
        let direction = u8::from(!call.outgoing);
        let number = call
            .number
            .map(|number| format!(",\"{number}\",{}", number.type_of_address()))
            .unwrap_or_default();
        Some(format!("+CLCC: 1,{direction},{},0,0{number}", call.state))
    }

    pub(super) fn on_call(&mut self, event: CallNews, now: Instant) {
        match event {
            CallNews::Incoming { from } => {
                self.call = Some(Call {
                    outgoing: false,
                    number: from,
                    state: 4,
                    rings: 0,
                    next_ring: Some(now),
                });
            }
            CallNews::Alerting => self.progress(3, "MO RING", now),
            CallNews::Answered => self.progress(0, "MO CONNECTED", now),
            CallNews::Ended(why) => return self.ended(why, now),
        }
        self.show_call(now);
        self.run_call(now);
    }

    fn progress(&mut self, state: u8, words: &str, now: Instant) {
        let Some(call) = &mut self.call else { return };
        call.state = state;
        call.next_ring = None;
        if call.outgoing && self.settings.reports_outgoing {
            self.emit_urc(words, now);
        }
    }

    /// SIM800: with `AT+CLCC=1` each change is told; EC2x: with `AT^DSCI=1`.
    fn show_call(&mut self, now: Instant) {
        if !self.settings.reports_calls {
            return;
        }
        let line = match (self.setup.dialect, &self.call) {
            (Dialect::Ec2x, Some(call)) => {
                let number = call
                    .number
                    .map(|number| number.to_string())
                    .unwrap_or_default();
                Some(format!(
                    "^DSCI: 1,{},{},0,{number},145",
                    u8::from(!call.outgoing),
                    call.state
                ))
            }
            (Dialect::Generic | Dialect::Sim800, _) => self.call_line(),
            (Dialect::Ec2x, None) => None,
        };
        line.into_iter().for_each(|line| self.emit_urc(line, now));
    }

    fn ended(&mut self, why: CallEnd, now: Instant) {
        let Some(call) = self.call.take() else { return };
        let words = match why {
            CallEnd::Busy => "BUSY",
            CallEnd::NoAnswer => "NO ANSWER",
            CallEnd::HungUp | CallEnd::NoCarrier => "NO CARRIER",
        };
        if !call.outgoing
            && call.state == 4
            && self.setup.dialect == Dialect::Sim800
            && call.rings > 0
        {
            // A missed call, as a SIM800 shows it.
            let number = call
                .number
                .map(|number| number.to_string())
                .unwrap_or_default();
            self.emit_urc(format!("MISSED_CALL: {number}"), now);
        }
        self.emit_urc(words, now);
    }

    pub(super) fn run_call(&mut self, now: Instant) {
        let pause = self.setup.ring_pause.max(Duration::from_millis(100));
        let Some(call) = &mut self.call else { return };
        if call.next_ring.is_none_or(|at| at > now) {
            return;
        }
        call.rings = call.rings.saturating_add(1);
        call.next_ring = Some(now + pause);
        let (rings, number) = (call.rings, call.number);
        self.emit_urc(
            if self.settings.crc {
                "+CRING: VOICE"
            } else {
                "RING"
            },
            now,
        );
        if self.settings.clip {
            let line = number.map_or_else(
                || "+CLIP: \"\",128,,,,1".to_owned(),
                |number| {
                    format!(
                        "+CLIP: \"{number}\",{},\"\",0,\"\",0",
                        number.type_of_address()
                    )
                },
            );
            self.emit_urc(line, now);
        }
        if self.settings.answer_after > 0 && rings >= self.settings.answer_after {
            let _ = self.answer(now);
        }
    }
}
