//! What a part of the device asks of the others.

use bytes::Bytes;

use crate::ids::SocketId;

/// Put into [`crate::cx::Cx::acts`] by a part that names no other part, and carried out by the device, in order, as soon
/// as the part has returned.
#[derive(Debug)]
pub(crate) enum Act {
    /// Bytes of the network for the DTE, in their place among all that it gets.
    Print { socket: SocketId, data: Bytes },
}
