//! The links. One that is not used takes no memory: it is off, nothing waits there, and it has counted nothing.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::ops::{Index, IndexMut};

use crate::config::{DropPolicy, LinkOptions, Options, Role};
use crate::event::{LINKS, LinkId, SocketId};
use crate::net::Link;
use crate::status::WaitingFor;
use crate::time::Duration;

/// What is read of a link that is not there.
static UNUSED: Link = Link::new(
    SocketId::Link(LinkId::ALL[0]),
    LinkOptions {
        cache: 0,
        drop_policy: DropPolicy::Auto,
        resend: true,
        spool: false,
        backoff_max: Duration::ZERO,
        short_link_idle: Duration::ZERO,
        role: None,
        expect_registration: None,
        expect_heartbeat: None,
    },
);

/// The links of a device.
#[derive(Debug)]
pub(crate) struct Links {
    used: [Option<Box<Link>>; LINKS],
    /// What those that are not there rest for.
    resting: [Option<WaitingFor>; LINKS],
    options: Arc<Options>,
}

impl Links {
    pub(crate) const fn new(options: Arc<Options>) -> Self {
        Self {
            used: [const { None }; LINKS],
            resting: [Some(WaitingFor::Mode); LINKS],
            options,
        }
    }

    /// The links that were ever used.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Link> {
        self.used.iter().filter_map(Option::as_deref)
    }

    /// Whether one is a backup.
    pub(crate) fn have_backups(&self) -> bool {
        self.iter().any(|link| link.role() != Role::Always)
    }

    /// Whether this one was ever used.
    pub(crate) const fn is_used(&self, link: LinkId) -> bool {
        self.used[link.index()].is_some()
    }

    /// The links that were ever used.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Link> {
        self.used.iter_mut().filter_map(Option::as_deref_mut)
    }

    /// A link, if it was ever used.
    pub(crate) fn get_mut(&mut self, link: LinkId) -> Option<&mut Link> {
        self.used[link.index()].as_deref_mut()
    }

    /// Two links.
    pub(crate) fn get_disjoint_mut(&mut self, [a, b]: [usize; 2]) -> Option<[&mut Link; 2]> {
        self.make(a);
        self.make(b);
        match self.used.get_disjoint_mut([a, b]) {
            Ok([Some(a), Some(b)]) => Some([a, b]),
            Ok(_) | Err(_) => None,
        }
    }

    /// Works with a link. One that is not used afterwards either is not kept.
    pub(crate) fn with<R>(&mut self, link: LinkId, run: impl FnOnce(&mut Link) -> R) -> R {
        let index = link.index();
        if let Some(used) = &mut self.used[index] {
            return run(used);
        }
        let mut fresh = fresh(index, &self.options, self.resting[index]);
        let result = run(&mut fresh);
        self.resting[index] = fresh.resting();
        if !fresh.is_unused() {
            self.used[index] = Some(Box::new(fresh));
        }
        result
    }

    /// A link, which is used from now on.
    pub(crate) fn make(&mut self, index: usize) -> &mut Link {
        self.used[index]
            .get_or_insert_with(|| Box::new(fresh(index, &self.options, self.resting[index])))
    }
}

fn fresh(index: usize, options: &Options, resting: Option<WaitingFor>) -> Link {
    Link::new(LinkId::ALL[index].into(), options.links[index].clone()).rests_for(resting)
}

impl Index<usize> for Links {
    type Output = Link;

    fn index(&self, index: usize) -> &Link {
        self.used[index].as_deref().unwrap_or(&UNUSED)
    }
}

impl IndexMut<usize> for Links {
    fn index_mut(&mut self, index: usize) -> &mut Link {
        self.make(index)
    }
}
