//! Which links are used: backups stand in while their primary is down (decisions 6, link role).

use super::Transparent;
use crate::config::Role;
use crate::cx::Cx;
use crate::event::{Event, LINKS, LinkId, Output};
use crate::status::WaitingFor;
use crate::time::{Duration, Instant};

/// A primary must be up so long before the backup hands back.
const FAIL_BACK_AFTER: Duration = Duration::from_secs(30);

/// The role that is set. A circle, which roles of the settings file and of `AT+CIROLE` can form together, has no primary:
/// its links work like any other.
pub(super) fn role_to_apply(link: LinkId, cx: &Cx<'_>) -> Role {
    let mut role = role_as_set(link, cx);
    for _ in 0..LINKS {
        match role {
            Role::Backup(primary) if primary == link => return Role::Always,
            Role::Backup(primary) => role = role_as_set(primary, cx),
            Role::Always => break,
        }
    }
    role_as_set(link, cx)
}

fn role_as_set(link: LinkId, cx: &Cx<'_>) -> Role {
    cx.options.links[link.index()]
        .role
        .unwrap_or(cx.config.links[link.index()].role)
}

impl Transparent {
    fn role(&self, link: LinkId) -> Role {
        self.links[link.index()].role()
    }

    /// A backup that stands in goes on doing so; one without a primary works like any link.
    pub(super) fn starts_active(&self, link: LinkId) -> bool {
        match self.role(link) {
            Role::Always => true,
            Role::Backup(primary) => {
                let stands_in = self.active[link.index()] && !self.links[primary.index()].is_up();
                stands_in || !self.links[primary.index()].is_enabled()
            }
        }
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
    pub(super) fn fail_over(&mut self, primary: LinkId, cx: &mut Cx<'_>) {
        let Some(backup) = self.backup_of(primary) else {
            return;
        };
        let rests = self.links[primary.index()].is_resting();
        if self.active[backup.index()] || !self.active[primary.index()] || rests || cx.is_ending {
            return;
        }
        self.active[backup.index()] = true;
        log_active(backup, primary, true, cx);
        self.links.with(backup, |l| l.start(cx));
        self.move_frames(primary, backup, cx);
        self.links.with(primary, |l| l.set_failed_over(true, cx));
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
    pub(super) fn fail_back(&mut self, backup: LinkId, cx: &mut Cx<'_>) {
        if let Some(next) = self
            .backup_of(backup)
            .filter(|next| self.active[next.index()])
        {
            self.fail_back(next, cx);
        }
        self.links.with(backup, |l| l.stop(WaitingFor::Primary, cx));
    }

    /// Backups that were to hand back and are closed now.
    pub(super) fn finish_failbacks(&mut self, cx: &mut Cx<'_>) {
        while let Some((backup, primary)) = LinkId::ALL
            .into_iter()
            .find_map(|link| self.failed_back(link))
        {
            self.active[backup.index()] = false;
            if self.links[primary.index()].is_failed_over() {
                log_active(backup, primary, false, cx);
            }
            self.move_frames(backup, primary, cx);
            self.links.with(primary, |l| l.set_failed_over(false, cx));
        }
    }

    fn failed_back(&self, backup: LinkId) -> Option<(LinkId, LinkId)> {
        let link = &self.links[backup.index()];
        let closed = self.active[backup.index()] && link.is_resting() && !link.is_closing();
        let Role::Backup(primary) = self.role(backup) else {
            return None;
        };
        let last = !self
            .backup_of(backup)
            .is_some_and(|next| self.active[next.index()]);
        (closed && last).then_some((backup, primary))
    }

    fn move_frames(&mut self, from: LinkId, to: LinkId, cx: &mut Cx<'_>) {
        if let Some([from, to]) = self.links.get_disjoint_mut([from.index(), to.index()]) {
            from.move_to(to, cx);
        }
    }
}

fn log_active(backup: LinkId, primary: LinkId, active: bool, cx: &mut Cx<'_>) {
    let event = Event::BackupActive {
        backup,
        primary,
        active,
    };
    cx.outputs.push_back(Output::Event(event));
}
