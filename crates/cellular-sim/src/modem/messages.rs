//! Short messages: 27.005.

use bytes::Bytes;
use dtu_proto::time::Instant;
use sms_codec::hex;
use sms_codec::pdu::{Pdu, Tpdu};

use super::at_modem::AtModem;
use super::parse::{Args, Form};
use super::reply::{End, PromptKind, Reply};
use super::store::{Memory, State, StoredSms, length};

/// 302: not allowed; 304: PDU not valid; 305: text not valid; 321: no such place; 322: full; 331: no network.
const NOT_ALLOWED: End = End::Cms(302);
const BAD_PDU: End = End::Cms(304);
const BAD_TEXT: End = End::Cms(305);
const NO_SUCH_PLACE: End = End::Cms(321);
const FULL: End = End::Cms(322);
const NO_NETWORK: End = End::Cms(331);

impl AtModem {
    pub(super) fn messages(&mut self, name: &str, form: &Form, now: Instant) -> Option<Reply> {
        let reply = match (name, form) {
            ("+CMGF", _) => self.format(form),
            ("+CSDH", _) => self.details(form),
            ("+CSMS", _) => self.service(form),
            ("+CPMS", _) => self.memories(form, now),
            ("+CNMI", _) => self.indications(form),
            ("+CSCA", _) => self.service_center(form),
            ("+CSMP", _) => self.text_parameters(form),
            ("+CNMA", Form::Run(_) | Form::Set(_)) => self.acknowledge(now),
            ("+CMGS", Form::Set(args)) => self.send(args, None),
            ("+CMGW", Form::Set(args)) => self.write(args),
            ("+CMGW", Form::Run(_)) if self.settings.text_mode => self.write(&Args::default()),
            ("+CMSS", Form::Set(args)) => self.send_stored(args, now),
            ("+CMGL", Form::Run(_) | Form::Set(_)) => self.list(form),
            ("+CMGL", Form::Test) if self.settings.text_mode => Reply::line(
                "+CMGL: (\"REC UNREAD\",\"REC READ\",\"STO UNSENT\",\"STO SENT\",\"ALL\")",
            ),
            ("+CMGL", Form::Test) => Reply::line("+CMGL: (0-4)"),
            ("+CMGR", Form::Set(args)) => self.read_one(args),
            ("+CMGD", Form::Set(args)) => self.delete(args, now),
            ("+CMGD", Form::Test) => self.places(),
            ("+CMGS" | "+CMGW" | "+CMSS" | "+CMGR" | "+CNMA", Form::Test) => Reply::ok(),
            _ => return None,
        };
        Some(reply)
    }

    fn format(&mut self, form: &Form) -> Reply {
        match form {
            Form::Read => Reply::line(format!("+CMGF: {}", u8::from(self.settings.text_mode))),
            Form::Test => Reply::line("+CMGF: (0,1)"),
            Form::Set(args) => match args.small(0, 0, 1) {
                Some(mode) => {
                    self.settings.text_mode = mode == 1;
                    Reply::ok()
                }
                None => Reply::end(NOT_ALLOWED),
            },
            Form::Run(_) => Reply::error(),
        }
    }

    fn details(&mut self, form: &Form) -> Reply {
        match form {
            Form::Read => Reply::line(format!("+CSDH: {}", u8::from(self.settings.details))),
            Form::Test => Reply::line("+CSDH: (0,1)"),
            Form::Set(args) => match args.small(0, 0, 1) {
                Some(on) => {
                    self.settings.details = on == 1;
                    Reply::ok()
                }
                None => Reply::end(NOT_ALLOWED),
            },
            Form::Run(_) => Reply::error(),
        }
    }

    fn service(&mut self, form: &Form) -> Reply {
        match form {
            Form::Read => Reply::line(format!("+CSMS: {},1,1,1", u8::from(self.settings.phase2))),
            Form::Test => Reply::line("+CSMS: (0,1)"),
            Form::Set(args) => match args.small(0, 0, 1) {
                Some(service) => {
                    self.settings.phase2 = service == 1;
                    Reply::line("+CSMS: 1,1,1")
                }
                None => Reply::end(End::Cms(303)),
            },
            Form::Run(_) => Reply::error(),
        }
    }

    fn memories(&mut self, form: &Form, now: Instant) -> Reply {
        let places = self.store.places();
        let [read, write, receive] = self.settings.memories;
        let used = |memory: Memory| format!("{},{places}", self.store.used(memory));
        match form {
            Form::Test => Reply::line("+CPMS: (\"SM\",\"ME\"),(\"SM\",\"ME\"),(\"SM\",\"ME\")"),
            Form::Read => {
                let each = [read, write, receive]
                    .map(|memory| format!("\"{}\",{}", memory.name(), used(memory)));
                Reply::line(format!("+CPMS: {}", each.join(",")))
            }
            Form::Set(args) => {
                let wanted = |place: usize, otherwise| match args.text(place) {
                    "" => Some(otherwise),
                    name => Memory::named(name),
                };
                let (Some(read), Some(write), Some(receive)) =
                    (wanted(0, read), wanted(1, write), wanted(2, receive))
                else {
                    return Reply::end(NOT_ALLOWED);
                };
                let line = format!("+CPMS: {},{},{}", used(read), used(write), used(receive));
                self.settings.memories = [read, write, receive];
                self.place_waiting(now);
                Reply::line(line)
            }
            Form::Run(_) => Reply::error(),
        }
    }

    fn indications(&mut self, form: &Form) -> Reply {
        match form {
            Form::Read => Reply::line(format!(
                "+CNMI: {}",
                self.settings.cnmi.map(|n| n.to_string()).join(",")
            )),
            Form::Test => Reply::line("+CNMI: (0-3),(0-3),(0,2,3),(0-2),(0,1)"),
            Form::Set(args) => {
                const MOST: [u8; 5] = [3, 3, 3, 2, 1];
                let mut wanted = self.settings.cnmi;
                for (place, (slot, most)) in wanted.iter_mut().zip(MOST).enumerate() {
                    let Some(value) = args.small(place, *slot, most) else {
                        return Reply::end(NOT_ALLOWED);
                    };
                    *slot = value;
                }
                self.settings.cnmi = wanted;
                Reply::ok()
            }
            Form::Run(_) => Reply::error(),
        }
    }

    fn service_center(&mut self, form: &Form) -> Reply {
        match form {
            Form::Read => {
                let known = self.view.service_center.map(|number| number.to_string());
                let number = self
                    .settings
                    .service_center
                    .clone()
                    .or(known)
                    .unwrap_or_default();
                let digits = number.trim_start_matches('+');
                Reply::line(format!("+CSCA: \"+{digits}\",145"))
            }
            Form::Set(args) if args.has(0) => {
                self.settings.service_center = Some(args.text(0).to_owned());
                Reply::ok()
            }
            Form::Test => Reply::ok(),
            Form::Run(_) | Form::Set(_) => Reply::end(NOT_ALLOWED),
        }
    }

    fn text_parameters(&mut self, form: &Form) -> Reply {
        match form {
            Form::Read => Reply::line(format!(
                "+CSMP: {}",
                self.settings.csmp.map(|n| n.to_string()).join(",")
            )),
            Form::Test => Reply::ok(),
            Form::Set(args) => {
                let mut wanted = self.settings.csmp;
                for (place, slot) in wanted.iter_mut().enumerate() {
                    let Some(value) = args.small(place, *slot, 255) else {
                        return Reply::end(NOT_ALLOWED);
                    };
                    *slot = value;
                }
                self.settings.csmp = wanted;
                Reply::ok()
            }
            Form::Run(_) => Reply::error(),
        }
    }

    fn acknowledge(&mut self, now: Instant) -> Reply {
        let Some((id, _)) = self.shown.take() else {
            // 340: no acknowledgement expected.
            return Reply::end(End::Cms(340));
        };
        self.emit_order(dtu_proto::radio::ModemOutput::Taken(id), now);
        Reply::ok()
    }

    fn send(&mut self, args: &Args, store: Option<u8>) -> Reply {
        if self.settings.text_mode {
            return match args.text(0) {
                "" if store.is_none() => Reply::end(BAD_TEXT),
                to => Reply::end(End::Prompt(PromptKind::Text {
                    to: to.to_owned(),
                    store,
                })),
            };
        }
        match args.number(0, 0) {
            // 7 octets are the shortest SUBMIT; 164 the longest (12 of address, 7 of validity, 140 of data …).
            Some(length @ 7..=175) => {
                let length = usize::try_from(length).unwrap_or(0);
                Reply::end(End::Prompt(PromptKind::Pdu { length, store }))
            }
            Some(_) | None => Reply::end(BAD_PDU),
        }
    }

    fn write(&mut self, args: &Args) -> Reply {
        let state = if self.settings.text_mode {
            State::ALL
                .into_iter()
                .find(|state| state.text() == args.text(2))
                .map(State::number)
        } else {
            args.small(1, 2, 3)
        };
        let default = if args
            .text(if self.settings.text_mode { 2 } else { 1 })
            .is_empty()
        {
            Some(2)
        } else {
            state
        };
        match default {
            Some(state) => self.send(args, Some(state)),
            None => Reply::end(NOT_ALLOWED),
        }
    }

    /// What was typed at the prompt.
    pub(super) fn take_text(&mut self, asked: &PromptKind, text: &[u8], now: Instant) -> Reply {
        let (pdu, store) = match asked {
            PromptKind::Pdu { length, store } => (typed_pdu(text, *length), *store),
            PromptKind::Text { to, store } => (self.composed(to, text), *store),
        };
        match (pdu, store) {
            (None, _) => Reply::end(if matches!(asked, PromptKind::Pdu { .. }) {
                BAD_PDU
            } else {
                BAD_TEXT
            }),
            (Some(pdu), Some(state)) => {
                let state = State::ALL
                    .into_iter()
                    .find(|there| there.number() == state)
                    .unwrap_or(State::Unsent);
                match self
                    .store
                    .put(self.settings.memories[1], StoredSms { state, pdu })
                {
                    Some(index) => Reply::line(format!("+CMGW: {index}")),
                    None => Reply::end(FULL),
                }
            }
            (Some(pdu), None) => self.send_pdu(&pdu, now),
        }
    }

    fn send_pdu(&mut self, pdu: &Bytes, now: Instant) -> Reply {
        let Ok(decoded) = Pdu::decode(pdu) else {
            return Reply::end(BAD_PDU);
        };
        let Tpdu::Submit(mut submit) = decoded.pdu.tpdu else {
            return Reply::end(BAD_PDU);
        };
        if !self.is_registered() {
            return Reply::end(NO_NETWORK);
        }
        if !submit.reject_duplicates {
            // A repeat keeps its reference, so that the service centre knows it; else the modem counts.
            self.reference = self.reference.wrapping_add(1);
            submit.reference = self.reference;
        }
        let pdu = Pdu {
            smsc: decoded.pdu.smsc,
            tpdu: Tpdu::Submit(submit),
        };
        match pdu.encode() {
            Ok(pdu) => {
                self.submit(Bytes::from(pdu), now);
                Reply::end(End::Network)
            }
            Err(_) => Reply::end(BAD_PDU),
        }
    }

    fn send_stored(&mut self, args: &Args, now: Instant) -> Reply {
        let index = args
            .number(0, 0)
            .and_then(|index| usize::try_from(index).ok())
            .unwrap_or(0);
        let memory = self.settings.memories[1];
        let Some(kept) = self.store.get(memory, index) else {
            return Reply::end(NO_SUCH_PLACE);
        };
        let pdu = kept.pdu.clone();
        if args.has(1) {
            return match self.readdressed(&pdu, args.text(1)) {
                Some(pdu) => self.send_pdu(&pdu, now),
                None => Reply::end(BAD_TEXT),
            };
        }
        let reply = self.send_pdu(&pdu, now);
        if let (End::Network, Some(kept)) = (&reply.end, self.store.get(memory, index)) {
            kept.state = State::Sent;
        }
        reply
    }

    fn list(&mut self, form: &Form) -> Reply {
        let asked = match form {
            Form::Set(args) => args.text(0).to_owned(),
            Form::Run(_) | Form::Read | Form::Test => String::new(),
        };
        let Some(wanted) = self.wanted_states(&asked) else {
            return Reply::end(NOT_ALLOWED);
        };
        let memory = self.settings.memories[0];
        let found: Vec<(usize, StoredSms)> = self
            .store
            .all(memory)
            .filter(|(_, kept)| wanted.contains(&kept.state))
            .map(|(index, kept)| (index, kept.clone()))
            .collect();
        let mut lines = Vec::new();
        for (index, kept) in found {
            lines.extend(self.listed(index, &kept));
            self.mark_read(memory, index);
        }
        Reply::lines(lines)
    }

    fn wanted_states(&self, asked: &str) -> Option<Vec<State>> {
        if self.settings.text_mode {
            return match asked {
                "ALL" => Some(State::ALL.to_vec()),
                "" => Some(vec![State::Unread]),
                _ => State::ALL
                    .into_iter()
                    .find(|state| state.text() == asked)
                    .map(|state| vec![state]),
            };
        }
        match asked {
            "4" => Some(State::ALL.to_vec()),
            "" => Some(vec![State::Unread]),
            _ => State::ALL
                .into_iter()
                .find(|state| state.number().to_string() == asked)
                .map(|state| vec![state]),
        }
    }

    fn listed(&self, index: usize, kept: &StoredSms) -> Vec<String> {
        if self.settings.text_mode {
            return self.listed_text(index, kept);
        }
        let head = format!("+CMGL: {index},{},,{}", kept.state.number(), kept.length());
        vec![head, hex::encode(&kept.pdu)]
    }

    fn mark_read(&mut self, memory: Memory, index: usize) {
        if let Some(kept) = self.store.get(memory, index)
            && kept.state == State::Unread
        {
            kept.state = State::Read;
        }
    }

    fn read_one(&mut self, args: &Args) -> Reply {
        let index = args
            .number(0, 0)
            .and_then(|index| usize::try_from(index).ok())
            .unwrap_or(0);
        let memory = self.settings.memories[0];
        if index == 0 || index > self.store.places() {
            return Reply::end(NO_SUCH_PLACE);
        }
        let Some(kept) = self.store.get(memory, index).cloned() else {
            // An empty place is no error (and no line) on most modems.
            return Reply::ok();
        };
        self.mark_read(memory, index);
        if self.settings.text_mode {
            return Reply::lines(self.read_text(&kept));
        }
        let head = format!("+CMGR: {},,{}", kept.state.number(), kept.length());
        Reply::lines(vec![head, hex::encode(&kept.pdu)])
    }

    fn delete(&mut self, args: &Args, now: Instant) -> Reply {
        let memory = self.settings.memories[0];
        let (Some(index), Some(flag)) = (args.number(0, 0), args.small(1, 0, 4)) else {
            return Reply::end(NOT_ALLOWED);
        };
        match flag {
            0 => {
                if !self
                    .store
                    .delete(memory, usize::try_from(index).unwrap_or(0))
                {
                    return Reply::end(NO_SUCH_PLACE);
                }
            }
            1 => self.store.delete_all(memory, |state| state == State::Read),
            2 => self
                .store
                .delete_all(memory, |state| matches!(state, State::Read | State::Sent)),
            3 => self
                .store
                .delete_all(memory, |state| state != State::Unread),
            _ => self.store.delete_all(memory, |_| true),
        }
        self.place_waiting(now);
        Reply::ok()
    }

    fn places(&self) -> Reply {
        let used: Vec<String> = self
            .store
            .all(self.settings.memories[0])
            .map(|(index, _)| index.to_string())
            .collect();
        Reply::line(format!("+CMGD: ({}),(0-4)", used.join(",")))
    }
}

/// Hex digits of a PDU whose TPDU has the length that was promised.
fn typed_pdu(text: &[u8], promised: usize) -> Option<Bytes> {
    let text = std::str::from_utf8(text).ok()?;
    let octets = hex::decode(text.trim()).ok()?;
    (length(&octets) == promised).then(|| Bytes::from(octets))
}
