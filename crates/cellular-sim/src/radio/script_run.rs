//! What a network has of its script: steps that are to come, faults for AT modems, problems.

use std::collections::VecDeque;

use dtu_proto::time::Instant;

use super::script::Step;
use super::settings::Id;
use super::verb::ModemFault;

/// What a network plays by itself, and what came of it.
#[derive(Clone, Debug, Default)]
pub(super) struct ScriptRun {
    pub(super) steps: VecDeque<Step>,
    pub(super) faults: VecDeque<(Id, ModemFault)>,
    pub(super) problems: VecDeque<String>,
}

impl ScriptRun {
    pub(super) fn timeout(&self) -> Option<Instant> {
        self.steps.front().map(|step| Instant::ZERO + step.at)
    }
}
