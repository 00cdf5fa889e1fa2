//! What the owner of a phone sees, as a line.

use cellular_sim::radio::PhoneEvent;
use dtu_proto::radio::CallEnd;
use sms_codec::hex;
use sms_codec::user_data::{Body, UserData};

/// `phone NUMBER …`: texts in quotes, written as scripts write them, octets in hex digits.
pub(crate) fn line(event: &PhoneEvent) -> String {
    let phone = event.phone();
    let what = match event {
        PhoneEvent::Text { from, data, .. } => {
            format!("{} from {from} {}", kind(data), content(data))
        }
        PhoneEvent::Report { report, .. } => {
            format!("report {} {}", report.reference, report.status.0)
        }
        PhoneEvent::Rings { from, .. } => format!("rings from {from}"),
        PhoneEvent::Alerting { .. } => "alerting".to_owned(),
        PhoneEvent::Talking { .. } => "talking".to_owned(),
        PhoneEvent::Ended { why, .. } => format!("ended {}", reason(*why)),
    };
    format!("phone {phone} {what}")
}

const fn kind(data: &UserData) -> &'static str {
    match data.body {
        Body::Octets(_) => "data",
        Body::Septets(_) | Body::Ucs2(_) => "sms",
    }
}

fn content(data: &UserData) -> String {
    match &data.body {
        Body::Octets(octets) => hex::encode(octets),
        Body::Septets(_) | Body::Ucs2(_) => quoted(&data.text().unwrap_or_default()),
    }
}

fn quoted(text: &str) -> String {
    let escape = |c: char| match c {
        '\n' => "\\n".to_owned(),
        '\r' => "\\r".to_owned(),
        '\t' => "\\t".to_owned(),
        '"' | '\\' => format!("\\{c}"),
        // No control character of a message reaches the terminal.
        c if c.is_control() => '\u{FFFD}'.to_string(),
        c => c.to_string(),
    };
    format!("\"{}\"", text.chars().map(escape).collect::<String>())
}

const fn reason(why: CallEnd) -> &'static str {
    match why {
        CallEnd::HungUp => "hung-up",
        CallEnd::Busy => "busy",
        CallEnd::NoAnswer => "no-answer",
        CallEnd::NoCarrier => "no-carrier",
    }
}
