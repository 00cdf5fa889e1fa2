//! Sends that wait for the disk: what must be kept before it goes, or may not go twice.

use dtu_proto::event::{CHANNELS, ChannelId, LINKS, LinkId, LinkOutput, QueueId};

/// One for each connection at most, as the device has one outstanding.
#[derive(Debug, Default)]
pub(crate) struct Held([Option<(u64, LinkOutput)>; LINKS + CHANNELS]);

/// Whose connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    Link(LinkId),
    Channel(ChannelId),
}

impl Whose {
    /// Whose frames it carries.
    pub(crate) fn queue(self) -> Option<QueueId> {
        match self {
            Self::Link(link) => Some(QueueId::Link(link)),
            Self::Channel(ChannelId::HTTPD) => Some(QueueId::Httpd),
            Self::Channel(ChannelId::AT_MODE) => None,
            Self::Channel(_) => Some(QueueId::SerialCommand),
        }
    }

    const fn place(self) -> usize {
        match self {
            Self::Link(link) => link.index(),
            Self::Channel(channel) => LINKS + channel.index(),
        }
    }
}

impl Held {
    /// Holds a send back until the disk has done its order.
    pub(crate) fn hold(&mut self, whose: Whose, order: u64, send: LinkOutput) {
        self.0[whose.place()] = Some((order, send));
    }

    /// The connection is over, or is to be: what has not gone does not go.
    pub(crate) fn forget(&mut self, whose: Whose) {
        self.0[whose.place()] = None;
    }

    /// A send that need not wait any more.
    pub(crate) fn next(&mut self, has_done: impl Fn(u64) -> bool) -> Option<(Whose, LinkOutput)> {
        let links = LinkId::ALL.into_iter().map(Whose::Link);
        let all = links.chain(ChannelId::ALL.into_iter().map(Whose::Channel));
        let is_free =
            |whose: &Whose| self.0[whose.place()].as_ref().is_some_and(|(order, _)| has_done(*order));
        let whose = all.into_iter().find(is_free)?;
        let (_, send) = self.0[whose.place()].take()?;
        Some((whose, send))
    }
}
