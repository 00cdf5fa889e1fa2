//! Who the device says it is.

use alloc::borrow::ToOwned;
use alloc::string::String;

/// Identity of modem and program, given by the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// `AT+CGSN`: 15 digits; empty = no modem.
    pub imei: String,
    /// `AT+CIMI`: 15 digits; empty = no SIM.
    pub imsi: String,
    /// `AT+CIVER?`.
    pub version: String,
}

impl Default for Identity {
    /// The place-holder identity of the simulated radio: the manual's own examples.
    fn default() -> Self {
        Self {
            imei: "135790246811220".to_owned(),
            imsi: "460023633887978".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}
