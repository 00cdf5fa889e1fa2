//! What somebody who watches asks of the line.

use super::Line;
use super::port::{Outstanding, Purpose};
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
}
