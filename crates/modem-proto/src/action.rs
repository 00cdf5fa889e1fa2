//! What parts ask of the dialogue: outputs for the host, and what concerns other parts.

use crate::event::Output;

/// Carried out by the dialogue in the order in which parts asked for it.
#[derive(Debug)]
pub(crate) enum Action {
    /// Goes to the host.
    Output(Output),
    /// The modem forgot what it was told: everything starts over.
    Restarted,
    /// Nothing but a reset may help the modem.
    Reset,
    /// Everything that hangs on the modem ends: it is gone, or about to be.
    Forget,
    /// It is registered now: data can be wanted.
    Registered,
    /// It is not registered any more: data is lost.
    Unregistered,
}
