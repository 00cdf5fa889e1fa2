//! A call between two parties, as the network sees it.

use dtu_proto::radio::CallEnd;
use dtu_proto::time::Instant;

use super::settings::Party;

#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) caller: Party,
    /// `None`: nobody who could be called.
    pub(super) callee: Option<Party>,
    pub(super) state: CallState,
    pub(super) next: Option<(Instant, CallStep)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CallState {
    SetUp,
    Ringing,
    Stands,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CallStep {
    Ring,
    Answer,
    End(CallEnd),
}

impl Call {
    pub(super) fn timeout(&self) -> Option<Instant> {
        self.next.map(|(at, _)| at)
    }

    pub(super) fn has(&self, party: Party) -> bool {
        self.caller == party || (self.callee == Some(party) && self.state != CallState::SetUp)
    }
}
