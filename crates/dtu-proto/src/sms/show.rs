//! A message as the DTE reads it: `+CMGL`, `+CMGR`, `+CMT` and `+CDS`, in PDU and text mode (27.005 3.4, 4.1, 4.2).
//!
//! The blanks behind commas of the PDU mode are the manual's (2.8.6.7, 2.8.6.8).

use alloc::format;
use alloc::string::String;
use sms_codec::address::Address;
use sms_codec::hex;
use sms_codec::pdu::{Deliver, Pdu, StatusReport, Submit, Tpdu};
use sms_codec::time::TimeStamp;
use sms_codec::user_data::{Body, UserData};
use sms_codec::validity::Validity;

use super::charset::encode_text;
use super::{State, Stored};
use crate::config::{Messages, TextCharset};

/// What the message is shown for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Head {
    /// `+CMGL` with the place.
    List(u8, State),
    /// `+CMGR`
    Read(State),
    /// `+CMT` or `+CDS`.
    Notice,
}

impl Stored {
    /// The line or lines for `+CMGL`.
    pub(crate) fn listed(&self, index: u8, config: &Messages) -> String {
        show(&self.pdu, Head::List(index, self.state), config)
    }

    /// The line or lines for `+CMGR`.
    pub(crate) fn read(&self, config: &Messages) -> String {
        show(&self.pdu, Head::Read(self.state), config)
    }
}

/// Head and content; a message that cannot be read is shown as a PDU in both modes.
pub(crate) fn show(pdu: &[u8], head: Head, config: &Messages) -> String {
    if config.text_mode
        && let Ok(decoded) = Pdu::decode(pdu)
    {
        let center = decoded.pdu.smsc.as_ref();
        return match &decoded.pdu.tpdu {
            Tpdu::Deliver(deliver) => Text {
                head,
                config,
                center,
            }
            .deliver(deliver),
            Tpdu::Submit(submit) => Text {
                head,
                config,
                center,
            }
            .submit(submit),
            Tpdu::StatusReport(report) => Text {
                head,
                config,
                center,
            }
            .report(report),
        };
    }
    let length = tpdu_length(pdu);
    let first = match head {
        Head::List(index, state) => format!("+CMGL: {index}, {},, {length}", state.number()),
        Head::Read(state) => format!("+CMGR: {},, {length}", state.number()),
        Head::Notice if is_report(pdu) => format!("+CDS: {length}"),
        Head::Notice => format!("+CMT: ,{length}"),
    };
    format!("{first}\r\n{}", hex::encode(pdu))
}

/// Octets behind the service centre: the `<length>` of 27.005.
pub(crate) fn tpdu_length(pdu: &[u8]) -> usize {
    let center = pdu.first().map_or(0, |length| usize::from(*length) + 1);
    pdu.len().saturating_sub(center)
}

fn is_report(pdu: &[u8]) -> bool {
    matches!(Pdu::decode(pdu), Ok(decoded) if matches!(decoded.pdu.tpdu, Tpdu::StatusReport(_)))
}

struct Text<'a> {
    head: Head,
    config: &'a Messages,
    center: Option<&'a Address>,
}

impl Text<'_> {
    fn deliver(&self, deliver: &Deliver) -> String {
        let (from, stamp) = (self.address(&deliver.from), stamp(deliver.stamp));
        let length = units(&deliver.data);
        let toa = deliver.from.type_of_address();
        let mut line = match self.head {
            Head::List(index, state) => {
                format!("+CMGL: {index},\"{}\",{from},,{stamp}", state.name())
            }
            Head::Read(state) => format!("+CMGR: \"{}\",{from},,{stamp}", state.name()),
            Head::Notice => format!("+CMT: {from},,{stamp}"),
        };
        if self.config.details {
            let first = if deliver.data.header.is_some() {
                0x44
            } else {
                0x04
            };
            line += &match self.head {
                Head::List(..) => format!(",{toa},{length}"),
                Head::Read(_) | Head::Notice => {
                    format!(
                        ",{toa},{first},{},{},{},{length}",
                        deliver.pid,
                        deliver.dcs.0,
                        self.center()
                    )
                }
            };
        }
        format!("{line}\r\n{}", self.content(&deliver.data))
    }

    fn submit(&self, submit: &Submit) -> String {
        let (to, length) = (self.address(&submit.to), units(&submit.data));
        let toa = submit.to.type_of_address();
        let mut line = match self.head {
            Head::List(index, state) => format!("+CMGL: {index},\"{}\",{to},,", state.name()),
            Head::Read(state) => format!("+CMGR: \"{}\",{to},", state.name()),
            Head::Notice => format!("+CMT: {to},,"),
        };
        if self.config.details {
            line += &match self.head {
                Head::List(..) => format!(",{toa},{length}"),
                Head::Read(_) | Head::Notice => format!(
                    ",{toa},{},{},{},{},{},{length}",
                    1 | submit.validity.format() << 3,
                    submit.pid,
                    submit.dcs.0,
                    period(submit.validity),
                    self.center()
                ),
            };
        }
        format!("{line}\r\n{}", self.content(&submit.data))
    }

    fn report(&self, report: &StatusReport) -> String {
        let (mr, to, toa) = (
            report.reference,
            self.address(&report.to),
            report.to.type_of_address(),
        );
        let (came, done) = (stamp(report.stamp), stamp(report.discharge));
        let head = match self.head {
            Head::List(index, state) => format!("+CMGL: {index},\"{}\",", state.name()),
            Head::Read(state) => format!("+CMGR: \"{}\",", state.name()),
            Head::Notice => String::from("+CDS: "),
        };
        format!(
            "{head}{REPORT_OCTET},{mr},{to},{toa},{came},{done},{}",
            report.status.0
        )
    }

    fn address(&self, address: &Address) -> String {
        let shown = format!("{address}");
        match self.config.charset {
            TextCharset::Ucs2 => format!("\"{}\"", encode_text(&shown, TextCharset::Ucs2)),
            TextCharset::Gsm | TextCharset::Ira | TextCharset::Hex | TextCharset::Utf8 => {
                let plain: String = shown
                    .chars()
                    .map(|c| if c == '"' || c.is_control() { ' ' } else { c })
                    .collect();
                format!("\"{plain}\"")
            }
        }
    }

    fn center(&self) -> String {
        self.center.map_or_else(
            || String::from("\"\",129"),
            |center| format!("\"{center}\",{}", center.type_of_address()),
        )
    }

    fn content(&self, data: &UserData) -> String {
        match &data.body {
            Body::Octets(octets) => hex::encode(octets),
            Body::Septets(_) | Body::Ucs2(_) => {
                encode_text(&data.text().unwrap_or_default(), self.config.charset)
            }
        }
    }
}

/// `<length>` of the text mode: characters of text, octets of data.
const fn units(data: &UserData) -> usize {
    match &data.body {
        Body::Septets(septets) => septets.len(),
        Body::Ucs2(units) => units.len(),
        Body::Octets(octets) => octets.len(),
    }
}

/// `"yy/MM/dd,hh:mm:ss±zz"`; a stamp that is no time is shown in hex.
pub(crate) fn stamp(stamp: TimeStamp) -> String {
    let Some(civil) = stamp.civil() else {
        return format!("\"{stamp}\"");
    };
    let (year, sign) = (civil.year % 100, if civil.zone < 0 { '-' } else { '+' });
    let (month, day, zone) = (civil.month, civil.day, civil.zone.unsigned_abs());
    let (hour, minute, second) = (civil.hour, civil.minute, civil.second);
    format!("\"{year:02}/{month:02}/{day:02},{hour:02}:{minute:02}:{second:02}{sign}{zone:02}\"")
}

/// `<vp>`
fn period(validity: Validity) -> String {
    match validity {
        Validity::Network | Validity::Enhanced(_) => String::new(),
        Validity::Relative(octet) => format!("{octet}"),
        Validity::Absolute(until) => stamp(until),
    }
}

/// `<fo>` of a status report.
const REPORT_OCTET: u8 = 2;
