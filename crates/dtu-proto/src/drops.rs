//! The places where something can be dropped, each with its words for a log.

use core::fmt;

use crate::event::{LINKS, LinkId};

/// What was dropped in one place since the program started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// Where.
    pub place: DropPlace,
    /// How many: frames, replies, messages … or bytes, as the place counts.
    pub count: u64,
    /// Bytes of these, where both are counted.
    pub bytes: u64,
}

impl Dropped {
    /// So much in this place.
    pub(crate) const fn new(place: DropPlace, count: u64, bytes: u64) -> Self {
        Self {
            place,
            count,
            bytes,
        }
    }
}

/// A place where something can be dropped, and a counter for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DropPlace {
    /// Frames of the DTE that nobody took.
    Serial,
    /// Replies for the DTE.
    SerialReplies,
    /// URCs for the DTE.
    SerialUrcs,
    /// Bytes for the DTE: the line was missing, took nothing, or held them when it broke.
    SerialLost,
    /// Characters that the driver of the line had no room for.
    SerialOverrun,
    /// Frames of a link.
    Link(LinkId),
    /// Replies to commands that came by a link.
    LinkReplies(LinkId),
    /// Bytes of its peer that were never read.
    LinkUnread(LinkId),
    /// Datagrams of its peer that the kernel dropped.
    LinkDatagrams(LinkId),
    /// Its frames that found no place on its spool.
    LinkSpool(LinkId),
    /// Frames of mode 3.
    Httpd,
    /// Its requests that have no answer.
    HttpdRequests,
    /// Bytes of its server that belong to no answer, or were never read.
    HttpdUnread,
    /// Its frames that found no place on the spool.
    HttpdSpool,
    /// Packets of mode 1.
    Packets,
    /// What was no good packet.
    PacketsBad,
    /// Bytes of its peers that were never read.
    PacketsUnread,
    /// Datagrams of its peers that the kernel dropped.
    PacketsDatagrams,
    /// Its packets that found no place on the spool.
    PacketsSpool,
    /// Frames of the connection of the AT mode.
    AtConnection,
    /// Bytes of its peer that were never read.
    AtUnread,
    /// Datagrams of its peer that the kernel dropped.
    AtDatagrams,
    /// Short messages.
    Messages,
}

/// Places of the serial line that stand in front of those of the links.
const SERIAL: usize = 4;
/// Places of one link.
const OF_LINK: usize = 5;
/// Where the places of the modes begin.
const MODES: usize = SERIAL + OF_LINK * LINKS;

impl DropPlace {
    /// How many there are.
    pub const COUNT: usize = MODES + 14;

    /// All places, each at its index.
    pub(crate) const ALL: [Self; Self::COUNT] = {
        let others = [
            Self::Serial,
            Self::SerialReplies,
            Self::SerialUrcs,
            Self::SerialLost,
            Self::SerialOverrun,
            Self::Httpd,
            Self::HttpdRequests,
            Self::HttpdUnread,
            Self::HttpdSpool,
            Self::Packets,
            Self::PacketsBad,
            Self::PacketsUnread,
            Self::PacketsDatagrams,
            Self::PacketsSpool,
            Self::AtConnection,
            Self::AtUnread,
            Self::AtDatagrams,
            Self::Messages,
        ];
        let mut all = [Self::Serial; Self::COUNT];
        let mut index = 0;
        while index < others.len() {
            all[others[index].index()] = others[index];
            index += 1;
        }
        let mut index = 0;
        while index < LINKS {
            let link = LinkId::ALL[index];
            let of_link = [
                Self::Link(link),
                Self::LinkReplies(link),
                Self::LinkUnread(link),
                Self::LinkDatagrams(link),
                Self::LinkSpool(link),
            ];
            let mut place = 0;
            while place < OF_LINK {
                all[of_link[place].index()] = of_link[place];
                place += 1;
            }
            index += 1;
        }
        all
    };

    /// Its place in an array of [`DropPlace::COUNT`].
    #[must_use]
    pub const fn index(self) -> usize {
        match self {
            Self::Serial => 0,
            Self::SerialReplies => 1,
            Self::SerialLost => 2,
            Self::SerialOverrun => 3,
            Self::Link(link) => SERIAL + OF_LINK * link.index(),
            Self::LinkReplies(link) => SERIAL + OF_LINK * link.index() + 1,
            Self::LinkUnread(link) => SERIAL + OF_LINK * link.index() + 2,
            Self::LinkDatagrams(link) => SERIAL + OF_LINK * link.index() + 3,
            Self::LinkSpool(link) => SERIAL + OF_LINK * link.index() + 4,
            Self::Httpd => MODES,
            Self::HttpdRequests => MODES + 1,
            Self::HttpdUnread => MODES + 2,
            Self::Packets => MODES + 3,
            Self::PacketsBad => MODES + 4,
            Self::PacketsUnread => MODES + 5,
            Self::PacketsDatagrams => MODES + 6,
            Self::AtConnection => MODES + 7,
            Self::AtUnread => MODES + 8,
            Self::AtDatagrams => MODES + 9,
            Self::Messages => MODES + 10,
            Self::HttpdSpool => MODES + 11,
            Self::PacketsSpool => MODES + 12,
            Self::SerialUrcs => MODES + 13,
        }
    }

    /// What is counted there, in the singular.
    #[must_use]
    pub const fn what(self) -> &'static str {
        match self {
            Self::Serial
            | Self::Link(_)
            | Self::LinkSpool(_)
            | Self::Httpd
            | Self::HttpdSpool
            | Self::AtConnection => "frame",
            Self::SerialReplies | Self::LinkReplies(_) => "reply",
            Self::SerialUrcs => "URC",
            Self::HttpdRequests => "request",
            Self::Packets | Self::PacketsBad | Self::PacketsSpool => "packet",
            Self::LinkDatagrams(_) | Self::PacketsDatagrams | Self::AtDatagrams => "datagram",
            Self::Messages => "message",
            Self::SerialLost
            | Self::SerialOverrun
            | Self::LinkUnread(_)
            | Self::HttpdUnread
            | Self::PacketsUnread
            | Self::AtUnread => "byte",
        }
    }

    /// What became of it.
    #[must_use]
    pub const fn fate(self) -> &'static str {
        match self {
            Self::Serial => "of the DTE dropped, nobody takes them",
            Self::SerialReplies => "for the DTE dropped, it does not read",
            Self::SerialUrcs => "for the DTE dropped, the line carries data or does not rest",
            Self::SerialLost => "for the DTE dropped, the line did not take them in time",
            Self::SerialOverrun => "of the DTE lost, the driver had no room",
            Self::Link(_) | Self::Httpd | Self::Packets | Self::AtConnection => {
                "dropped undelivered"
            }
            Self::LinkSpool(_) | Self::HttpdSpool | Self::PacketsSpool => {
                "not on the disk, kept in memory only"
            }
            Self::LinkReplies(_) => "dropped, the peer does not take them",
            Self::LinkUnread(_) | Self::PacketsUnread | Self::AtUnread => {
                "of the peer never read, gone with the connection"
            }
            Self::LinkDatagrams(_) | Self::PacketsDatagrams | Self::AtDatagrams => {
                "of the peer dropped by the kernel, the DTE does not read"
            }
            Self::HttpdRequests => "without an answer, not sent again",
            Self::HttpdUnread => "of the server dropped",
            Self::PacketsBad => "of the DTE refused",
            Self::Messages => "lost",
        }
    }
}

/// The thing that it is about.
impl fmt::Display for DropPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Serial
            | Self::SerialReplies
            | Self::SerialUrcs
            | Self::SerialLost
            | Self::SerialOverrun => f.write_str("serial"),
            Self::Link(link)
            | Self::LinkReplies(link)
            | Self::LinkUnread(link)
            | Self::LinkDatagrams(link)
            | Self::LinkSpool(link) => {
                write!(f, "link {link}")
            }
            Self::Httpd | Self::HttpdRequests | Self::HttpdUnread | Self::HttpdSpool => {
                f.write_str("HTTPD")
            }
            Self::Packets
            | Self::PacketsBad
            | Self::PacketsUnread
            | Self::PacketsDatagrams
            | Self::PacketsSpool => f.write_str("serial command mode"),
            Self::AtConnection | Self::AtUnread | Self::AtDatagrams => f.write_str("AT mode"),
            Self::Messages => f.write_str("SMS"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_has_an_index_of_its_own() {
        for (index, place) in DropPlace::ALL.into_iter().enumerate() {
            assert_eq!(place.index(), index, "{place:?}");
        }
    }
}
