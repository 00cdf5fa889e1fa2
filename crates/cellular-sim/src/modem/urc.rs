//! What the network reports, and the URCs that the host gets of it (27.007 7, 27.005 3.4).

use bytes::Bytes;
use dtu_proto::radio::{ModemInput, ModemOutput, Registration, SubmitFailure};
use dtu_proto::time::{Duration, Instant};
use sms_codec::dcs::Dcs;
use sms_codec::pdu::{Pdu, Tpdu};

use super::at_modem::{Activity, AtModem};
use super::reply::{End, Reply};
use super::setup::Dialect;
use super::store::{State, StoredSms, length};
use crate::radio::civil;

/// How long `AT+CNMA` may take (27.005 3.4.4 leaves it to the network's timer).
const SHOWN_WAIT: Duration = Duration::from_secs(15);
/// Messages that find no place and wait in the modem.
const UNPLACED_MAX: usize = 255;

impl AtModem {
    /// What the network's port reports: it changes what the modem knows, and becomes a URC where the host asked for it.
    pub fn handle_network(&mut self, event: &ModemInput, now: Instant) {
        self.handle_timeout(now);
        match event {
            ModemInput::Present(identity) => {
                self.view.identity = identity.clone();
                self.power_on(now);
                self.go_on_air(self.lock_is_open(), now);
            }
            ModemInput::Gone => self.power_off(now),
            ModemInput::Sim(_)
            | ModemInput::Attached(_)
            | ModemInput::Detached
            | ModemInput::Clock(_)
            | ModemInput::Lacks(_) => {}
            ModemInput::Registration(registration) => self.registered(*registration, now),
            ModemInput::Operator(operator) => self.view.operator.clone_from(operator),
            ModemInput::Signal(signal) => self.view.signal = *signal,
            ModemInput::Cell(cell) => {
                let moved = self.view.cell != *cell;
                self.view.cell = *cell;
                if moved && self.view.registration.is_registered() {
                    self.emit_registration(true, now);
                }
            }
            ModemInput::OwnNumber(number) => self.view.number = *number,
            ModemInput::ServiceCenter(number) => self.view.service_center = *number,
            ModemInput::Message { id, pdu } => self.message(*id, pdu, now),
            ModemInput::Submitted { token, outcome } => self.submitted(*token, *outcome, now),
            ModemInput::Call(event) => self.on_call(*event, now),
        }
        self.pump(now);
    }

    fn registered(&mut self, registration: Registration, now: Instant) {
        let was = std::mem::replace(&mut self.view.registration, registration);
        if was == registration {
            return;
        }
        // With the cell, which comes next.
        if !registration.is_registered() {
            self.emit_registration(false, now);
        } else if self.view.cell.is_some() {
            self.emit_registration(true, now);
        }
        if registration.is_registered() {
            self.emit_zone(now);
        }
    }

    fn emit_registration(&mut self, with_cell: bool, now: Instant) {
        let modes = [
            ("+CREG", self.settings.creg),
            ("+CGREG", self.settings.cgreg),
            ("+CEREG", self.settings.cereg),
        ];
        for (name, mode) in modes {
            let number = self.view.registration.number();
            match (mode, self.cell_text(name)) {
                (0, _) => {}
                (2.., Some(cell)) if with_cell => {
                    self.emit_urc(format!("{name}: {number},{cell}"), now)
                }
                _ => self.emit_urc(format!("{name}: {number}"), now),
            }
        }
    }

    fn emit_zone(&mut self, now: Instant) {
        let time = civil(self.clock(now));
        if self.settings.reports_zone {
            self.emit_urc(format!("+CTZV: {:+03}", time.zone), now);
        }
        if self.settings.reports_time && self.setup.dialect == Dialect::Sim800 {
            self.emit_urc(
                format!(
                    "*PSUTTZ: {},{},{},{},{},{},\"{:+03}\",0",
                    time.year, time.month, time.day, time.hour, time.minute, time.second, time.zone
                ),
                now,
            );
        }
    }

    fn submitted(&mut self, token: u32, outcome: Result<u8, SubmitFailure>, now: Instant) {
        let Activity::Network {
            token: awaited,
            word,
        } = &self.activity
        else {
            return;
        };
        if *awaited != token {
            return;
        }
        let word = *word;
        let reply = match outcome {
            Ok(reference) => Reply::line(format!("{word}: {reference}")),
            Err(SubmitFailure::NO_MODEM) => return,
            Err(failure) => Reply::end(End::Cms(failure.0)),
        };
        self.finish(reply, now);
    }

    /// A message came: shown, stored, or left with the network until there is a place.
    fn message(&mut self, id: u64, pdu: &Bytes, now: Instant) {
        let decoded = Pdu::decode(pdu).map(|decoded| decoded.pdu.tpdu);
        let [_, shown, _, reports, _] = self.settings.cnmi;
        let class = match &decoded {
            Ok(Tpdu::Deliver(deliver)) => deliver.dcs.class(),
            Ok(Tpdu::Submit(_) | Tpdu::StatusReport(_)) | Err(_) => None,
        };
        if matches!(decoded, Ok(Tpdu::StatusReport(_))) {
            return match reports {
                1 => self.show("+CDS", id, pdu, now),
                2 => self.keep("+CDSI", id, pdu, now),
                _ => self.emit_order(ModemOutput::Taken(id), now),
            };
        }
        let at_once = (shown == 2 && class != Some(2)) || (shown == 3 && class == Some(3));
        match (at_once && !self.is_showing(), class, shown) {
            (true, _, _) => self.show("+CMT", id, pdu, now),
            // Class 0 is for the eyes and is not kept (23.038 4).
            (false, Some(0), _) => self.emit_order(ModemOutput::Taken(id), now),
            (false, _, _) => self.keep("+CMTI", id, pdu, now),
        }
    }

    /// One at a time waits for `AT+CNMA`.
    fn is_showing(&self) -> bool {
        self.settings.phase2 && self.shown.is_some()
    }

    fn show(&mut self, word: &str, id: u64, pdu: &Bytes, now: Instant) {
        let text = self.shown_text(word, pdu);
        self.emit_urc(text, now);
        if self.settings.phase2 {
            self.shown = Some((id, now + SHOWN_WAIT));
        } else {
            self.emit_order(ModemOutput::Taken(id), now);
        }
    }

    fn shown_text(&self, word: &str, pdu: &Bytes) -> String {
        use sms_codec::hex;
        if self.settings.text_mode
            && let Some(text) = self.shown_in_text(word, pdu)
        {
            return text;
        }
        let alpha = if word == "+CMT" { "," } else { "" };
        format!("{word}: {alpha}{}\r\n{}", length(pdu), hex::encode(pdu))
    }

    fn keep(&mut self, word: &str, id: u64, pdu: &Bytes, now: Instant) {
        let memory = self.settings.memories[2];
        let kept = StoredSms {
            state: State::Unread,
            pdu: pdu.clone(),
        };
        let Some(index) = self.store.put(memory, kept) else {
            return self.leave_unplaced(id, pdu);
        };
        self.emit_order(ModemOutput::Taken(id), now);
        let asked = match word {
            "+CMTI" => self.settings.cnmi[1] >= 1,
            _ => true,
        };
        if asked && self.settings.cnmi[0] > 0 {
            self.emit_urc(format!("{word}: \"{}\",{index}", memory.name()), now);
        }
    }

    fn leave_unplaced(&mut self, id: u64, pdu: &Bytes) {
        if let Some(same) = self.unplaced.iter_mut().find(|(_, there)| there == pdu) {
            same.0 = id;
        } else if self.unplaced.len() < UNPLACED_MAX {
            self.unplaced.push_back((id, pdu.clone()));
        }
    }

    /// A place may have become free.
    pub(super) fn place_waiting(&mut self, now: Instant) {
        for (id, pdu) in std::mem::take(&mut self.unplaced) {
            self.message(id, &pdu, now);
        }
    }

    /// The host has not acknowledged what it was shown (27.005 3.4.4): nothing is shown any more, and what was is not
    /// taken, so that the network brings it again.
    pub(super) fn forget_shown(&mut self, now: Instant) {
        if self.shown.take_if(|(_, until)| *until <= now).is_some() {
            self.settings.cnmi[1] = 0;
            self.settings.cnmi[3] = 0;
        }
    }

    /// The coding of a message, where it has one.
    pub(super) fn coding(tpdu: &Tpdu) -> Dcs {
        match tpdu {
            Tpdu::Deliver(deliver) => deliver.dcs,
            Tpdu::Submit(submit) => submit.dcs,
            Tpdu::StatusReport(report) => report.dcs.unwrap_or_default(),
        }
    }
}
