//! Bytes and values: what goes over the wires, without state. Short messages are the crate [`sms_codec`].

pub mod command_frame;
pub mod http;

/// What carries bytes to a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// A stream.
    Tcp,
    /// Datagrams.
    Udp,
}

impl Protocol {
    /// `TCP` or `UDP`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
        }
    }
}
