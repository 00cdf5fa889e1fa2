//! Which links are used: backups stand in while their primary is down (decisions 6, link role).

use super::{Dtu, Parts};
use crate::config::{LinkConfig, Role, WorkingMode};
use crate::event::{Event, LINKS, LinkId};
use crate::net::{Link, MOVES_FOR, Pause};
use crate::status::WaitingFor;
use crate::time::{Duration, Instant};

/// A primary must be up so long before the backup hands back.
const FAIL_BACK_AFTER: Duration = Duration::from_secs(30);

impl Dtu {
    /// The settings of a link, if it is enabled.
    pub(super) fn link_settings(&self, link: LinkId) -> Option<LinkConfig> {
        let mut settings = self.config.links[link.index()].clone();
        settings.role = self.role_to_apply(link);
        settings.enabled.then_some(settings)
    }

    fn role(&self, link: LinkId) -> Role {
        self.links[link.index()].role()
    }

    /// The role that is set. A circle, which roles of the settings file and of `AT+CIROLE` can form together, has no
    /// primary: its links work like any other.
    fn role_to_apply(&self, link: LinkId) -> Role {
        let mut role = self.role_as_set(link);
        for _ in 0..LINKS {
            match role {
                Role::Backup(primary) if primary == link => return Role::Always,
                Role::Backup(primary) => role = self.role_as_set(primary),
                Role::Always => break,
            }
        }
        self.role_as_set(link)
    }

    fn role_as_set(&self, link: LinkId) -> Role {
        self.options.links[link.index()]
            .role
            .unwrap_or(self.config.links[link.index()].role)
    }

    /// Brings the links' settings into force; what did not change goes on undisturbed.
    pub(super) fn apply_links(&mut self) {
        for link in LinkId::ALL {
            let settings = self.link_settings(link);
            let long = self.config.long_links;
            self.with_link(link, |l, cx| l.apply(settings, long, cx));
        }
        for link in LinkId::ALL {
            // A backup that is not needed hands back as after a stand-in: what it has goes to its primary once it
            // is closed.
            let rests = match self.mode {
                WorkingMode::Transparent if self.starts_active(link) => None,
                WorkingMode::Transparent => Some(WaitingFor::Primary),
                // Another mode: what waits in the cache waits for this one to come back.
                // mutant: links-of-other-modes
                WorkingMode::SerialCommand
                | WorkingMode::AtCommand
                | WorkingMode::Httpd
                | WorkingMode::Sms => Some(WaitingFor::Mode),
            };
            self.active[link.index()] = true;
            self.with_link(link, |l, cx| match rests {
                None => l.start(cx),
                Some(why) => l.stop(why, cx),
            });
        }
        self.finish_failbacks();
        self.apply_httpd();
        self.apply_serial_command();
        if self.mode != WorkingMode::AtCommand {
            self.stop_at_connection();
        }
    }

    /// A backup that stands in goes on doing so; one without a primary works like any link.
    fn starts_active(&self, link: LinkId) -> bool {
        match self.role(link) {
            Role::Always => true,
            Role::Backup(primary) => {
                let stands_in = self.active[link.index()] && !self.links[primary.index()].is_up();
                stands_in || !self.links[primary.index()].is_enabled()
            }
        }
    }

    /// What keeps the serial line from being read: a full cache that blocks; or all links that take bytes have full
    /// caches. TCP tells what the peer took, a datagram only that the kernel did: it paces where nothing else does.
    pub(super) fn links_pause(&self) -> Option<Pause> {
        if self.links.iter().any(Link::blocks) {
            return Some(Pause::UntilRoom);
        }
        // The usual case, found at once: where all have room there is nobody to wait for.
        if !self.links.iter().any(|link| link.has_enough(false)) {
            return None;
        }
        let paces = |is_udp: bool| {
            LinkId::ALL.into_iter().filter(move |link| {
                let l = &self.links[link.index()];
                l.is_udp() == is_udp && l.can_pace(self.now) && self.receives(*link)
            })
        };
        let is_udp = paces(false).next().is_none();
        // Links of one speed acknowledge in turns. Were a cache full when the line stands still, the last of them would
        // lose what is read into the room that the first one made.
        let alone = paces(is_udp).count() == 1;
        let mut until = None;
        for link in paces(is_udp) {
            let link = &self.links[link.index()];
            // mutant: server-paces
            if !link.has_enough(alone) {
                return None;
            }
            until = until.max(Some(link.moves_until().unwrap_or(self.now + MOVES_FOR)));
        }
        until.map(Pause::Until)
    }

    /// The backup of a link, if one is set and enabled.
    fn backup_of(&self, primary: LinkId) -> Option<LinkId> {
        LinkId::ALL.into_iter().find(|link| {
            self.role(*link) == Role::Backup(primary) && self.links[link.index()].is_enabled()
        })
    }

    /// Whether frames of the DTE go to this link.
    pub(super) fn receives(&self, link: LinkId) -> bool {
        self.links[link.index()].is_enabled()
            && self.active[link.index()]
            && !self
                .backup_of(link)
                .is_some_and(|backup| self.active[backup.index()])
    }

    /// A link is down: its backup, if it has one, gets what waits and all that comes.
    pub(super) fn fail_over(&mut self, primary: LinkId) {
        let Some(backup) = self.backup_of(primary) else {
            return;
        };
        let rests = self.links[primary.index()].is_resting();
        if self.active[backup.index()]
            || !self.active[primary.index()]
            || rests
            || self.ending.is_some()
        {
            return;
        }
        self.active[backup.index()] = true;
        self.event(Event::BackupActive {
            backup,
            primary,
            active: true,
        });
        self.with_link(backup, |l, cx| l.start(cx));
        self.move_frames(primary, backup);
        self.with_link(primary, |l, cx| l.set_failed_over(true, cx));
    }

    /// When a backup that stands in is to hand back.
    pub(super) fn fail_back_at(&self, backup: LinkId) -> Option<Instant> {
        let Role::Backup(primary) = self.role(backup) else {
            return None;
        };
        let link = &self.links[backup.index()];
        if !self.active[backup.index()] || !link.is_enabled() || link.is_resting() {
            return None;
        }
        let since = self.links[primary.index()].up_since()?;
        Some(if self.links[backup.index()].is_up() {
            since + FAIL_BACK_AFTER
        } else {
            since
        })
    }

    /// Closes the backup. What is left when its last acknowledgement is known goes to the primary.
    pub(super) fn fail_back(&mut self, backup: LinkId) {
        if let Some(next) = self
            .backup_of(backup)
            .filter(|next| self.active[next.index()])
        {
            self.fail_back(next);
        }
        self.with_link(backup, |l, cx| l.stop(WaitingFor::Primary, cx));
    }

    /// Backups that were to hand back and are closed now.
    pub(super) fn finish_failbacks(&mut self) {
        while let Some((backup, primary)) = LinkId::ALL
            .into_iter()
            .find_map(|link| self.failed_back(link))
        {
            self.active[backup.index()] = false;
            if self.links[primary.index()].is_failed_over() {
                self.event(Event::BackupActive {
                    backup,
                    primary,
                    active: false,
                });
            }
            self.move_frames(backup, primary);
            self.with_link(primary, |l, cx| l.set_failed_over(false, cx));
        }
    }

    fn failed_back(&self, backup: LinkId) -> Option<(LinkId, LinkId)> {
        let link = &self.links[backup.index()];
        let closed = self.active[backup.index()]
            && self.mode_started
            && link.is_resting()
            && !link.is_closing();
        let Role::Backup(primary) = self.role(backup) else {
            return None;
        };
        let last = !self
            .backup_of(backup)
            .is_some_and(|next| self.active[next.index()]);
        (closed && last).then_some((backup, primary))
    }

    fn move_frames(&mut self, from: LinkId, to: LinkId) {
        let (Parts { links, .. }, mut cx) = self.parts();
        if let Some([from, to]) = links.get_disjoint_mut([from.index(), to.index()]) {
            from.move_to(to, &mut cx);
        }
    }
}
