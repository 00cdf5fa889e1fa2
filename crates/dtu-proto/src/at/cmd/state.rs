//! How states are spoken of, in `CINET` and `CISTAT`.

use alloc::format;
use alloc::string::String;

use crate::status::{LinkState, Status};

/// One word for a link's state.
pub(super) const fn state_name(state: LinkState) -> &'static str {
    match state {
        LinkState::Off => "OFF",
        LinkState::Connecting => "CONNECTING",
        LinkState::Connected => "CONNECTED",
        LinkState::Waiting(_) => "WAITING",
    }
}

/// What the modem cannot, where something is missing.
pub(super) fn missing_line(command: &str, status: &Status) -> Option<String> {
    let lacks = &status.radio.lacks;
    (!lacks.is_empty()).then(|| format!("+{command}:MODEM,missing=\"{}\"", lacks.join("; ")))
}
