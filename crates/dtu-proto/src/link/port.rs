//! What a link is to the host: one of the four, or a destination of the serial command mode.

use crate::event::{ChannelId, Event, LinkDownReason, LinkId, LinkOutput, Output, QueueId};

/// Under which name the host knows a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Port {
    /// One of the four. Registration and heartbeats are its own.
    Link(LinkId),
    /// A destination: it gets the data of the DTE and nothing else, and is connected only where there is some.
    Destination(ChannelId),
}

impl Port {
    pub(super) const fn is_destination(self) -> bool {
        matches!(self, Self::Destination(_))
    }

    pub(super) const fn output(self, output: LinkOutput) -> Output {
        match self {
            Self::Link(link) => Output::Link(link, output),
            Self::Destination(channel) => Output::Channel(channel, output),
        }
    }

    pub(super) const fn up(self) -> Event {
        match self {
            Self::Link(link) => Event::LinkUp(link),
            Self::Destination(channel) => Event::ChannelUp(channel),
        }
    }

    pub(super) const fn down(self, reason: LinkDownReason, was_up: bool) -> Event {
        match self {
            Self::Link(link) => Event::LinkDown { link, reason, was_up },
            Self::Destination(channel) => Event::ChannelDown { channel, reason, was_up },
        }
    }

    /// Whose frames wait here. A destination keeps none: its packets have numbers and losses of their own.
    pub(super) const fn queue(self) -> Option<QueueId> {
        match self {
            Self::Link(link) => Some(QueueId::Link(link)),
            Self::Destination(_) => None,
        }
    }
}
