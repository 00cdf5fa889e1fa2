//! What commands set, and what it is after power-on.

use std::collections::BTreeMap;

use super::setup::Dialect;
use super::store::Memory;

/// How characters of texts are written (27.005 `+CSCS`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Charset {
    /// The GSM alphabet, which we write as the ASCII it nearly is.
    Gsm,
    Ira,
    Hex,
    Ucs2,
}

impl Charset {
    pub(super) const ALL: [Self; 4] = [Self::Gsm, Self::Ira, Self::Hex, Self::Ucs2];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Gsm => "GSM",
            Self::Ira => "IRA",
            Self::Hex => "HEX",
            Self::Ucs2 => "UCS2",
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) echo: bool,
    pub(super) verbose: bool,
    pub(super) quiet: bool,
    pub(super) errors: u8,
    pub(super) creg: u8,
    pub(super) cgreg: u8,
    pub(super) cereg: u8,
    pub(super) text_mode: bool,
    pub(super) details: bool,
    pub(super) charset: Charset,
    pub(super) memories: [Memory; 3],
    pub(super) cnmi: [u8; 5],
    pub(super) phase2: bool,
    /// First octet, validity, protocol identifier, coding.
    pub(super) csmp: [u8; 4],
    pub(super) service_center: Option<String>,
    pub(super) clip: bool,
    pub(super) colp: bool,
    pub(super) crc: bool,
    pub(super) operator_format: u8,
    pub(super) answer_after: u8,
    pub(super) reports_zone: bool,
    pub(super) reports_time: bool,
    pub(super) reports_outgoing: bool,
    pub(super) reports_calls: bool,
    /// Contexts by their number: kind and access point.
    pub(super) contexts: BTreeMap<u8, (String, String)>,
    pub(super) active: Vec<u8>,
    /// Settings that do nothing here and are only remembered.
    pub(super) others: BTreeMap<String, String>,
}

impl Settings {
    pub(super) fn new(dialect: Dialect) -> Self {
        Self {
            echo: true,
            verbose: true,
            quiet: false,
            errors: 0,
            creg: 0,
            cgreg: 0,
            cereg: 0,
            text_mode: false,
            details: false,
            charset: Charset::Gsm,
            memories: [Memory::Sim; 3],
            cnmi: dialect.cnmi(),
            phase2: false,
            csmp: [17, 167, 0, 0],
            service_center: None,
            clip: false,
            colp: false,
            crc: false,
            operator_format: 0,
            answer_after: 0,
            reports_zone: false,
            reports_time: false,
            reports_outgoing: false,
            reports_calls: false,
            contexts: BTreeMap::new(),
            active: Vec::new(),
            others: BTreeMap::new(),
        }
    }
}
