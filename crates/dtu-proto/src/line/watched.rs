//! What somebody who watches asks of the line.

use super::framer::Packing;
use super::port::{Outstanding, Purpose};
use super::{Line, LineState};
use crate::config::Config;
use crate::rest;
use crate::seen::{Cut, Written};

impl Line {
    /// Why the last frame ends where it does.
    pub(crate) const fn last_cut(&self) -> Cut {
        self.framer.last_cut()
    }

    /// What is being written.
    pub(crate) const fn writing(&self) -> Option<Written> {
        let Some(Outstanding::Write { purpose, .. }) = self.printer.port.outstanding else {
            return None;
        };
        Some(match purpose {
            Purpose::Data(_) => Written::Data,
            Purpose::Text | Purpose::Urc | Purpose::Banner | Purpose::EscapeOffer => Written::Text,
            Purpose::Message => Written::Message,
        })
    }

    /// In the online data state, where silence closes frames and nothing may be an escape.
    pub(crate) fn packing_of_data(&self, config: &Config) -> Option<rest::Packing> {
        let Packing { silence, size } = self.packing(config);
        let is_plain = self.state == LineState::OnlineData && !self.escape.holds();
        (is_plain && !silence.is_zero()).then(|| rest::Packing {
            silence,
            room: size.saturating_sub(self.framer.received().len()),
            closes_at: self.framer.deadline(Packing { silence, size }),
            character: self.format.exact_character_time(),
        })
    }
}
