//! Text mode: 27.005 3.4 and 3.5 with `AT+CMGF=1`.

use bytes::Bytes;
use sms_codec::address::Address;
use sms_codec::dcs::{Alphabet, Dcs};
use sms_codec::pdu::{Pdu, Submit, Tpdu};
use sms_codec::time::TimeStamp;
use sms_codec::user_data::{Body, UserData};
use sms_codec::validity::Validity;
use sms_codec::{hex, ucs2};

use super::at_modem::AtModem;
use super::settings::Charset;
use super::store::StoredSms;

/// Bits of the first octet (23.040 9.2.3): validity relative, status report, duplicates refused.
const RELATIVE: u8 = 0x10;
const REPORT: u8 = 0x20;
const NO_DUPLICATES: u8 = 0x04;

impl AtModem {
    /// A SUBMIT of what was typed.
    pub(super) fn composed(&self, to: &str, text: &[u8]) -> Option<Bytes> {
        let [first, validity, pid, dcs] = self.settings.csmp;
        let dcs = Dcs(dcs);
        let body = self.body(text, dcs)?;
        let to = Address::number(&self.typed_number(to))?;
        let submit = Submit {
            reject_duplicates: first & NO_DUPLICATES != 0,
            report: first & REPORT != 0,
            reply_path: false,
            reference: 0,
            to,
            pid,
            dcs: if body.alphabet() == dcs.alphabet() {
                dcs
            } else {
                Dcs::of(body.alphabet())
            },
            validity: if first & RELATIVE != 0 {
                Validity::Relative(validity)
            } else {
                Validity::Network
            },
            data: UserData::plain(body),
        };
        Pdu {
            smsc: None,
            tpdu: Tpdu::Submit(submit),
        }
        .encode()
        .ok()
        .map(Bytes::from)
    }

    /// The same message for another receiver.
    pub(super) fn readdressed(&self, pdu: &[u8], to: &str) -> Option<Bytes> {
        let pdu = Pdu::decode(pdu).ok()?.pdu;
        let Tpdu::Submit(submit) = pdu.tpdu else {
            return None;
        };
        let to = Address::number(&self.typed_number(to))?;
        let tpdu = Tpdu::Submit(Submit { to, ..submit });
        Pdu {
            smsc: pdu.smsc,
            tpdu,
        }
        .encode()
        .ok()
        .map(Bytes::from)
    }

    /// With UCS2 numbers may be written as UTF-16 in hex, too.
    fn typed_number(&self, typed: &str) -> String {
        if self.settings.charset != Charset::Ucs2 || !typed.len().is_multiple_of(4) {
            return typed.to_owned();
        }
        let units = hex::decode(typed)
            .ok()
            .map(|octets| ucs2::decode(&ucs2::from_octets(&octets)));
        units
            .filter(|number| Address::number(number).is_some())
            .unwrap_or_else(|| typed.to_owned())
    }

    fn body(&self, text: &[u8], dcs: Dcs) -> Option<Body> {
        let digits = || hex::decode(std::str::from_utf8(text).ok()?.trim()).ok();
        match (dcs.alphabet(), self.settings.charset) {
            (Alphabet::Octets, _) => digits().map(Body::Octets),
            (Alphabet::Ucs2, Charset::Ucs2 | Charset::Hex | Charset::Gsm | Charset::Ira) => {
                digits().map(|octets| Body::Ucs2(ucs2::from_octets(&octets)))
            }
            (Alphabet::Gsm7, Charset::Ucs2) => {
                digits().map(|octets| Body::text(&ucs2::decode(&ucs2::from_octets(&octets))))
            }
            (Alphabet::Gsm7, Charset::Hex) => digits().map(Body::Septets),
            (Alphabet::Gsm7, Charset::Gsm | Charset::Ira) => Some(Body::text(
                &String::from_utf8_lossy(text)
                    .replace("\r\n", "\n")
                    .replace('\r', "\n"),
            )),
        }
    }

    /// How the content is shown.
    fn content(&self, data: Option<&UserData>) -> String {
        let Some(data) = data else {
            return String::new();
        };
        match (&data.body, self.settings.charset) {
            (Body::Octets(octets), _) => hex::encode(octets),
            (Body::Ucs2(units), _) => hex::encode(&ucs2::to_octets(units)),
            (Body::Septets(septets), Charset::Hex) => hex::encode(septets),
            (Body::Septets(_), Charset::Ucs2) => hex::encode(&ucs2::to_octets(&ucs2::encode(
                &data.text().unwrap_or_default(),
            ))),
            (Body::Septets(_), Charset::Gsm | Charset::Ira) => data.text().unwrap_or_default(),
        }
    }

    fn shown_address(&self, address: &Address) -> String {
        let text = address.to_string();
        if self.settings.charset == Charset::Ucs2 {
            return hex::encode(&ucs2::to_octets(&ucs2::encode(&text)));
        }
        text
    }

    pub(super) fn listed_text(&self, index: usize, kept: &StoredSms) -> Vec<String> {
        let Ok(tpdu) = Pdu::decode(&kept.pdu).map(|decoded| decoded.pdu.tpdu) else {
            return Vec::new();
        };
        let state = kept.state.text();
        let head = match &tpdu {
            Tpdu::StatusReport(report) => {
                format!(
                    "+CMGL: {index},\"{state}\",6,{},,,\"{}\",\"{}\",{}",
                    report.reference,
                    when(report.stamp),
                    when(report.discharge),
                    report.status.0
                )
            }
            Tpdu::Deliver(deliver) => {
                let from = self.shown_address(&deliver.from);
                let tail = self.tail(deliver.from.type_of_address(), deliver.data.length());
                format!(
                    "+CMGL: {index},\"{state}\",\"{from}\",,\"{}\"{tail}",
                    when(deliver.stamp)
                )
            }
            Tpdu::Submit(submit) => {
                let to = self.shown_address(&submit.to);
                let tail = self.tail(submit.to.type_of_address(), submit.data.length());
                format!("+CMGL: {index},\"{state}\",\"{to}\",,{tail}")
            }
        };
        vec![head, self.content(tpdu.data())]
    }

    fn tail(&self, type_of_address: u8, length: usize) -> String {
        if self.settings.details {
            format!(",{type_of_address},{length}")
        } else {
            String::new()
        }
    }

    pub(super) fn read_text(&self, kept: &StoredSms) -> Vec<String> {
        let Ok(Pdu { smsc, tpdu }) = Pdu::decode(&kept.pdu).map(|decoded| decoded.pdu) else {
            return Vec::new();
        };
        let state = kept.state.text();
        let dcs = Self::coding(&tpdu).0;
        let center = smsc.map_or_else(
            || ",".to_owned(),
            |center| format!("\"{center}\",{}", center.type_of_address()),
        );
        let more = |address: &Address, pid: u8, length: usize, between: &str| {
            if self.settings.details {
                format!(
                    ",{},{},{pid},{dcs},{between}{center},{length}",
                    address.type_of_address(),
                    kept.first_octet()
                )
            } else {
                String::new()
            }
        };
        let head = match &tpdu {
            Tpdu::Deliver(deliver) => format!(
                "+CMGR: \"{state}\",\"{}\",,\"{}\"{}",
                self.shown_address(&deliver.from),
                when(deliver.stamp),
                more(&deliver.from, deliver.pid, deliver.data.length(), "")
            ),
            Tpdu::Submit(submit) => format!(
                "+CMGR: \"{state}\",\"{}\",{}",
                self.shown_address(&submit.to),
                more(&submit.to, submit.pid, submit.data.length(), ",")
            ),
            Tpdu::StatusReport(report) => format!(
                "+CMGR: \"{state}\",6,{},,,\"{}\",\"{}\",{}",
                report.reference,
                when(report.stamp),
                when(report.discharge),
                report.status.0
            ),
        };
        vec![head, self.content(tpdu.data())]
    }

    /// `+CMT` and `+CDS` in text mode.
    pub(super) fn shown_in_text(&self, word: &str, pdu: &[u8]) -> Option<String> {
        let Pdu { smsc, tpdu } = Pdu::decode(pdu).ok()?.pdu;
        let dcs = Self::coding(&tpdu).0;
        match &tpdu {
            Tpdu::Deliver(deliver) => {
                let center = smsc.map_or_else(
                    || ",".to_owned(),
                    |c| format!("\"{c}\",{}", c.type_of_address()),
                );
                let first = StoredSms {
                    state: super::store::State::Unread,
                    pdu: Bytes::copy_from_slice(pdu),
                }
                .first_octet();
                let more = if self.settings.details {
                    format!(
                        ",{},{first},{},{dcs},{center},{}",
                        deliver.from.type_of_address(),
                        deliver.pid,
                        deliver.data.length()
                    )
                } else {
                    String::new()
                };
                let head = format!(
                    "{word}: \"{}\",,\"{}\"{more}",
                    self.shown_address(&deliver.from),
                    when(deliver.stamp)
                );
                Some(format!("{head}\r\n{}", self.content(tpdu.data())))
            }
            Tpdu::StatusReport(report) => Some(format!(
                "{word}: 6,{},,,\"{}\",\"{}\",{}",
                report.reference,
                when(report.stamp),
                when(report.discharge),
                report.status.0
            )),
            Tpdu::Submit(_) => None,
        }
    }
}

impl StoredSms {
    /// The first octet of the TPDU.
    fn first_octet(&self) -> u8 {
        let at = 1 + usize::from(self.pdu.first().copied().unwrap_or(0));
        self.pdu.get(at).copied().unwrap_or(0)
    }
}

/// `yy/MM/dd,hh:mm:ss±zz`
fn when(stamp: TimeStamp) -> String {
    stamp.civil().map_or_else(
        || "00/01/01,00:00:00+00".to_owned(),
        |time| {
            format!(
                "{:02}/{:02}/{:02},{:02}:{:02}:{:02}{:+03}",
                time.year % 100,
                time.month,
                time.day,
                time.hour,
                time.minute,
                time.second,
                time.zone
            )
        },
    )
}
