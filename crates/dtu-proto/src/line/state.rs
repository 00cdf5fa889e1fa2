//! What bytes of the DTE are (V.250 calls the last two the online command state and the online data state).

use crate::time::Instant;

/// The state of the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LineState {
    /// The set-up window behind power-on: lines that begin with `AT` are commands, the rest is for the working mode.
    Window { until: Instant },
    /// Commands.
    OnlineCommand,
    /// Data of the working mode.
    OnlineData,
}
