//! Registration as text: `+CREG` (27.007 7.2), `+CGREG` (10.1.20), `+CEREG` (10.1.22).

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use bytes::Bytes;

use super::urc::urc;
use crate::config::Config;
use crate::radio::Registration;
use crate::status::RadioStatus;

/// What is registered for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Domain {
    /// Calls and messages.
    Circuit,
    /// Data.
    Packet,
    /// Data of LTE.
    Evolved,
}

impl Domain {
    const ALL: [Self; 3] = [Self::Circuit, Self::Packet, Self::Evolved];

    const fn name(self) -> &'static str {
        match self {
            Self::Circuit => "CREG",
            Self::Packet => "CGREG",
            Self::Evolved => "CEREG",
        }
    }

    /// Its place in the settings.
    pub(super) const fn index(self) -> usize {
        match self {
            Self::Circuit => 0,
            Self::Packet => 1,
            Self::Evolved => 2,
        }
    }

    /// For data a network that gives none counts as none.
    const fn state(self, radio: &RadioStatus, attached: bool) -> Registration {
        let data = !matches!(self, Self::Circuit);
        if data && !attached && radio.registration.is_registered() {
            return Registration::NotRegistered;
        }
        radio.registration
    }
}

/// `+CREG: [<n>,]<state>[,"<area>","<cell>"]`: with area and cell where `reports` is 2.
pub(super) fn registration_line(
    domain: Domain,
    n: Option<u8>,
    reports: u8,
    radio: &RadioStatus,
    attached: bool,
) -> String {
    let state = domain.state(radio, attached);
    let n = n.map(|n| format!("{n},")).unwrap_or_default();
    let cell = radio.cell.filter(|_| reports == 2 && state.is_registered());
    let cell = cell
        .map(|cell| format!(",\"{:04X}\",\"{:04X}\"", cell.area, cell.id))
        .unwrap_or_default();
    format!("+{}: {n}{}{cell}", domain.name(), state.number())
}

/// What the DTE wants to be told of a change, a text for each.
pub(crate) fn registration_changes(
    before: (&RadioStatus, bool),
    after: (&RadioStatus, bool),
    config: &Config,
) -> Vec<Bytes> {
    let mut texts = Vec::new();
    for domain in Domain::ALL {
        let reports = config.registration_reports[domain.index()];
        let line = |(radio, attached): (&RadioStatus, bool)| {
            registration_line(domain, None, reports, radio, attached)
        };
        if reports != 0 && line(before) != line(after) {
            let text = urc(&line(after), config);
            if !text.is_empty() {
                texts.push(Bytes::from(text));
            }
        }
    }
    texts
}
