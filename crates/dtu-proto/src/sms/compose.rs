//! Messages to be sent, as SUBMIT PDUs.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use bytes::Bytes;
use sms_codec::address::Address;
use sms_codec::pdu::{Pdu, Submit, Tpdu};
use sms_codec::split::split;
use sms_codec::udh::{Header, Reference};
use sms_codec::user_data::{Body, UserData};

use crate::config::{ServiceCenter, TextParameters};

/// Parts that a message may have (decisions 10).
pub(crate) const PARTS_OF_ONE: u8 = 10;

/// What every part of a message has alike.
pub(crate) struct Template<'a> {
    pub(crate) to: &'a Address,
    pub(crate) center: Option<ServiceCenter>,
    /// Of the text mode.
    pub(crate) parameters: Option<&'a TextParameters>,
    /// What the parts of a message of several share.
    pub(crate) reference: u8,
}

impl ServiceCenter {
    /// As it stands in a PDU.
    pub(crate) fn address(&self) -> Option<Address> {
        let digits = self.number.as_str().trim_start_matches('+');
        Address::new(self.type_of_address, digits)
    }
}

/// The parts of a message, service centre first.
pub(crate) fn compose(body: Body, template: &Template<'_>) -> Result<Vec<Bytes>, String> {
    let reference = Reference::Narrow(template.reference);
    let parts = split(body, Header::default(), reference, PARTS_OF_ONE)
        .map_err(|error| error.to_string())?;
    parts.into_iter().map(|data| part(data, template)).collect()
}

fn part(data: UserData, template: &Template<'_>) -> Result<Bytes, String> {
    let mut submit = Submit::new(template.to.clone(), data);
    if let Some(parameters) = template.parameters {
        with_parameters(&mut submit, parameters);
    }
    let smsc = template.center.as_ref().and_then(ServiceCenter::address);
    let octets = Pdu {
        smsc,
        tpdu: Tpdu::Submit(submit),
    }
    .encode();
    octets.map(Bytes::from).map_err(|error| error.to_string())
}

fn with_parameters(submit: &mut Submit, parameters: &TextParameters) {
    let first = parameters.first_octet;
    submit.reject_duplicates = first & 0x04 != 0;
    submit.report = first & 0x20 != 0;
    submit.reply_path = first & 0x80 != 0;
    submit.validity = parameters.period();
    submit.pid = parameters.pid;
    // The class is kept; the alphabet is that of the text.
    if let Some(class) = parameters.dcs.class() {
        submit.dcs = submit.dcs.with_class(class);
    }
}

/// A reply as a message; what is too long for one is cut, and said so (`true`).
pub(crate) fn parts_of_reply(reply: &str, template: &Template<'_>) -> (Vec<Bytes>, bool) {
    if let Ok(parts) = compose(Body::text(reply), template) {
        return (parts, false);
    }
    let mut kept: Vec<char> = reply.chars().collect();
    loop {
        kept.truncate(kept.len() * 9 / 10);
        let text: String = kept.iter().chain(CUT.iter()).collect();
        match compose(Body::text(&text), template) {
            Ok(parts) => return (parts, true),
            Err(_) if kept.is_empty() => return (Vec::new(), true),
            Err(_) => {}
        }
    }
}

const CUT: [char; 3] = ['.'; 3];
