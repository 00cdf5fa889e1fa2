//! The one call of a modem.

use dtu_proto::radio::PhoneNumber;
use dtu_proto::time::Instant;

/// The one call.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) outgoing: bool,
    pub(super) number: Option<PhoneNumber>,
    /// 27.007 7.18 `<stat>`: 0 active, 2 dialling, 3 alerting, 4 incoming.
    pub(super) state: u8,
    pub(super) rings: u8,
    pub(super) next_ring: Option<Instant>,
}

impl Call {
    pub(super) const fn timeout(&self) -> Option<Instant> {
        self.next_ring
    }
}
