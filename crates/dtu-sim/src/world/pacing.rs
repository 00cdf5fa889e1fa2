//! Who paces the serial line, judged from outside (decisions 16.1): what the fastest server takes loses nothing, and a
//! server that takes nothing never stops the line.

use dtu_proto::config::{DropPolicy, WorkingMode};
use dtu_proto::event::{LinkId, QueueId};
use dtu_proto::status::{LinkState, Phase};

use super::{Rule, World};
use crate::SEC;

/// Below this a cache has no headroom for the read that fills it.
const CACHE_LEAST: usize = 15 * 1024;
/// Nothing but full caches keeps the line from being read so long.
const UNREAD_MAX: u64 = 15 * SEC;

impl World {
    /// A frame of the DTE was dropped by a full cache: only a link that is not the fastest of those that take bytes may
    /// lose one.
    pub(super) fn judge_drop(&mut self, queue: QueueId) {
        let QueueId::Link(link) = queue else { return };
        let options = &self.scenario.options;
        let own = &options.links[link.index()];
        let is_judged =
            self.ledger.from_line && own.drop_policy == DropPolicy::Auto && options.line_holds;
        // What a link takes over from another may find no room.
        if !is_judged || own.cache < CACHE_LEAST || self.ledger.uplink(link).links.len() > 1 {
            return;
        }
        let status = self.device.status(self.clock());
        let is_up = status.links[link.index()].state == LinkState::Connected;
        if !is_up || !self.paces_at(link, self.now) || self.ledger.in_window {
            return;
        }
        let waiting = |link: LinkId| status.links[link.index()].waiting_bytes;
        let cache = |link: LinkId| self.scenario.options.links[link.index()].cache;
        // The line is read for a link that has room, be it that it is faster or that its cache is larger.
        let has_room =
            |other: LinkId| waiting(other) + 2 * 1024 < waiting(link) || cache(other) > cache(link);
        // One whose time is just over: the line may have been read for it once more.
        let lately = self.now.saturating_sub(SEC);
        let faster = LinkId::ALL
            .into_iter()
            .any(|other| other != link && self.paces_at(other, lately) && has_room(other));
        if !faster {
            let text =
                format!("link {link} takes bytes, no other takes them faster, and it lost a frame");
            self.break_rule(Rule::Pace, text);
        }
    }

    /// Whether this link's server paces the line.
    fn paces_at(&self, link: LinkId, now: u64) -> bool {
        let socket = &self.sockets[link.index()];
        let is_auto = self.scenario.options.links[link.index()].drop_policy == DropPolicy::Auto;
        is_auto && socket.paces(now) && !socket.is_udp()
    }

    /// A line that is not read for long is one that a server paces, or that the user lets block.
    pub(super) fn check_reading(&mut self) {
        let status = self.device.status(self.clock());
        let blocks = self
            .scenario
            .options
            .links
            .iter()
            .chain([&self.scenario.options.modes]);
        let blocks = blocks
            .into_iter()
            .any(|link| link.drop_policy == DropPolicy::Block);
        let moves = LinkId::ALL
            .into_iter()
            .any(|link| self.sockets[link.index()].paces(self.now));
        let data = status.phase == Phase::Data && status.mode == WorkingMode::Transparent;
        if self.ledger.reads || blocks || moves || !data {
            self.ledger.stuck_since = self.now;
        } else if self.now - self.ledger.stuck_since > UNREAD_MAX {
            self.break_rule(
                Rule::Pace,
                "no server takes anything, and the line is not read",
            );
        }
    }
}
