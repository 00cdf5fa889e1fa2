//! The transparent mode (0): frames go to all links that are used, and what those receive to the DTE (manual 2.1.1,
//! decisions 6).

use alloc::boxed::Box;
use alloc::sync::Arc;
use bytes::Bytes;

use super::{LineView, Mode, Stop, add_loss};
use crate::act::Act;
use crate::config::{LinkConfig, Options, Role, WorkingMode};
use crate::cx::{Cx, View};
use crate::drops::{DropPlace, Dropped};
use crate::event::{LINKS, LinkId, Lost, QueueId, SocketId, SocketInput};
use crate::net::{Link, MOVES_FOR, Pause};
use crate::status::{Loss, Losses, Status, WaitingFor};
use crate::time::{Instant, earliest};

use links::Links;

mod failover;
mod links;

/// The mode.
#[derive(Debug)]
pub(crate) struct Transparent {
    pub(crate) links: Links,
    /// Whether a link is used: always, or as a backup whose primary is down.
    active: [bool; LINKS],
    /// Went down with the last input: its backup takes over behind what it has left for the DTE.
    down: Option<LinkId>,
}

impl Mode for Transparent {
    fn new(options: &Arc<Options>) -> Self {
        Self {
            links: Links::new(options.clone()),
            active: [false; LINKS],
            down: None,
        }
    }

    fn start(&mut self, cx: &mut Cx<'_>) {
        self.apply(cx);
        for link in LinkId::ALL {
            // A backup that is not needed hands back as after a stand-in: what it has goes to its primary once it
            // is closed.
            let rests = (!self.starts_active(link)).then_some(WaitingFor::Primary);
            self.set(link, rests, cx);
        }
        self.finish_failbacks(cx);
    }

    fn stop(&mut self, why: Stop, cx: &mut Cx<'_>) {
        match why {
            Stop::LastFrames => {}
            Stop::Soon => self.stop_links(|link| !link.is_up(), cx),
            Stop::Now => self.stop_links(|_| true, cx),
            Stop::OtherMode => {
                self.apply(cx);
                for link in LinkId::ALL {
                    // What waits in the cache waits for this mode to come back.
                    // mutant: links-of-other-modes
                    let rests = Some(WaitingFor::Mode);
                    self.set(link, rests, cx);
                }
                self.finish_failbacks(cx);
            }
        }
    }

    fn frame(&mut self, frame: &Bytes, cx: &mut Cx<'_>) {
        self.give(frame, |links, link, _| links.receives(link), cx);
    }

    /// It waits in the caches of the links that are set.
    fn keep(&mut self, frame: &Bytes, cx: &mut Cx<'_>) {
        let is_used = |_: &Self, link, cx: &Cx<'_>| {
            link_settings(link, cx).is_some_and(|link| link.role == Role::Always)
        };
        self.give(frame, is_used, cx);
    }

    fn socket(&mut self, socket: SocketId, input: SocketInput<'_>, cx: &mut Cx<'_>) {
        let SocketId::Link(link) = socket else {
            return;
        };
        let was_up = self.links[link.index()].is_up();
        let change = self.links.with(link, |l| l.handle(input, cx));
        if let SocketInput::Data(data) = input
            && was_up
            && !data.is_empty()
        {
            cx.acts.push_back(Act::Received);
            if !change.filtered {
                // mutant: all-bytes
                let data = Bytes::copy_from_slice(data);
                cx.acts.push_back(Act::FromLink { link, data });
            }
        }
        self.release_from(link, cx);
        if change.up && !self.links[link.index()].is_udp() {
            cx.acts.push_back(Act::LinkUp);
        }
        if change.down {
            self.down = Some(link);
            cx.acts.push_back(Act::GoOn(WorkingMode::Transparent));
        }
    }

    fn network(&mut self, cx: &mut Cx<'_>) {
        if cx.attached {
            self.links
                .iter_mut()
                .for_each(|link| link.network_found(cx));
        } else {
            self.links.iter_mut().for_each(Link::network_lost);
        }
    }

    fn deadline(&self, view: &View<'_>) -> Option<Instant> {
        let mut first = None;
        for link in LinkId::ALL {
            if self.links.is_used(link) {
                first = earliest([first, self.link_deadline(link, view)]);
            }
        }
        first
    }

    /// One link at a time: what another part has to do in between comes in between.
    fn fire(&mut self, cx: &mut Cx<'_>) {
        let view = cx.view();
        let due = |link: &LinkId| {
            self.links
                .is_used(*link)
                .then(|| self.link_deadline(*link, &view))
        };
        let link = LinkId::ALL
            .into_iter()
            .filter_map(|link| Some((due(&link)??, link)))
            .min_by_key(|(at, _)| *at);
        if let Some((_, link)) = link {
            self.fire_link(link, cx);
        }
    }

    fn go_on(&mut self, cx: &mut Cx<'_>) {
        if let Some(link) = self.down.take() {
            self.fail_over(link, cx);
        }
    }

    fn settle(&mut self, cx: &mut Cx<'_>) {
        if self.links.have_backups() {
            self.finish_failbacks(cx);
        }
    }

    /// Received bytes that were looked through for an expected reply, and are none.
    fn release(&mut self, cx: &mut Cx<'_>) {
        for link in LinkId::ALL {
            self.release_from(link, cx);
        }
    }

    fn line_moved(&mut self, line: &LineView<'_>, now: Instant) {
        for link in LinkId::ALL {
            if let Some(l) = self.links.get_mut(link) {
                l.line_moved(line.share(SocketId::Link(link)), now);
            }
        }
    }

    /// A full cache that blocks; or all links that take bytes have full caches. TCP tells what the peer took, a datagram
    /// only that the kernel did: it paces where nothing else does.
    fn pause(&self, now: Instant) -> Option<Pause> {
        // The usual case, found at once: where all have room there is nobody to wait for.
        if !self.links.iter().any(|link| link.has_enough(false)) {
            return None;
        }
        if self.links.iter().any(Link::blocks) {
            return Some(Pause::UntilRoom);
        }
        let paces = |is_udp: bool| {
            LinkId::ALL.into_iter().filter(move |link| {
                let l = &self.links[link.index()];
                l.is_udp() == is_udp && l.can_pace(now) && self.receives(*link)
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
            until = until.max(Some(link.moves_until().unwrap_or(now + MOVES_FOR)));
        }
        until.map(Pause::Until)
    }

    fn is_closing(&self) -> bool {
        self.links.iter().any(Link::is_closing)
    }

    fn is_up(&self) -> bool {
        self.links.iter().any(Link::is_up)
    }

    fn restore(&mut self, queue: QueueId, number: u64, frame: Bytes, cx: &mut Cx<'_>) {
        if let QueueId::Link(link) = queue {
            self.links[link.index()].restore(number, frame, cx.outputs);
        }
    }

    fn undelivered(&self, queue: QueueId) -> Box<dyn Iterator<Item = (u64, &Bytes)> + '_> {
        match queue {
            QueueId::Link(link) => Box::new(self.links[link.index()].undelivered()),
            QueueId::Httpd | QueueId::SerialCommand => Box::new(core::iter::empty()),
        }
    }

    fn show(&self, status: &mut Status) {
        status.links = core::array::from_fn(|index| self.links[index].status());
    }

    fn drops(&self, put: &mut dyn FnMut(Dropped)) {
        for link in LinkId::ALL
            .into_iter()
            .filter(|link| self.links.is_used(*link))
        {
            let counters = self.links[link.index()].counters();
            let (frames, bytes) = (counters.dropped_frames, counters.dropped_bytes);
            // mutant: drops-summed
            put(Dropped::new(DropPlace::Link(link), frames, bytes));
            for (place, count) in [
                (DropPlace::LinkReplies(link), counters.dropped_replies),
                (DropPlace::LinkUnread(link), counters.unread_bytes),
                (DropPlace::LinkDatagrams(link), counters.unread_datagrams),
                (DropPlace::LinkSpool(link), counters.spool_refused),
            ] {
                put(Dropped::new(place, count, 0));
            }
        }
    }

    fn lost(&mut self, lost: Lost, _options: &Arc<Options>) {
        if let Lost::Unread(SocketId::Link(link), _) | Lost::Datagrams(SocketId::Link(link), _) =
            lost
        {
            let of = self.links[link.index()].counters_mut();
            lost.count(&mut of.unread_bytes, &mut of.unread_datagrams);
        }
    }

    fn loss(&self, queue: QueueId) -> Loss {
        match queue {
            QueueId::Link(link) => self.links[link.index()].loss(),
            QueueId::Httpd | QueueId::SerialCommand => Loss::default(),
        }
    }

    fn add_loss(&mut self, queue: QueueId, loss: Loss, _options: &Arc<Options>) {
        if let QueueId::Link(link) = queue {
            self.links[link.index()].add_loss(loss);
        }
    }

    fn other_losses(&mut self, look: &mut dyn FnMut(usize, &mut u64)) {
        for link in LinkId::ALL {
            if let Some(used) = self.links.get_mut(link) {
                let of = used.counters_mut();
                let counters = [
                    &mut of.dropped_replies,
                    &mut of.unread_bytes,
                    &mut of.unread_datagrams,
                ];
                Losses::show(first_loss(link), counters, look);
            }
        }
    }

    /// A link that has lost something in an earlier run is there in this one.
    fn restore_losses(&mut self, others: &[u64; Losses::OTHERS], _options: &Arc<Options>) {
        for link in LinkId::ALL {
            let own = others.iter().skip(first_loss(link)).take(Losses::OF_LINK);
            if own.into_iter().any(|loss| *loss > 0) {
                self.links.make(link.index());
            }
        }
        self.other_losses(&mut |place, counter| add_loss(counter, others[place]));
    }
}

/// Its place in [`Losses::others`].
const fn first_loss(link: LinkId) -> usize {
    Losses::LINK + Losses::OF_LINK * link.index()
}

impl Transparent {
    /// The device starts over: no link is used before the mode begins.
    pub(super) const fn power_on(&mut self) {
        self.active = [false; LINKS];
    }

    #[inline]
    fn release_from(&mut self, link: LinkId, cx: &mut Cx<'_>) {
        if let Some(l) = self.links.get_mut(link)
            && l.has_released()
        {
            let data = Bytes::from(l.take_released());
            cx.acts.push_back(Act::FromLink { link, data });
        }
    }

    /// Gives a frame to each link that takes it.
    fn give(
        &mut self,
        frame: &Bytes,
        takes: impl Fn(&Self, LinkId, &Cx<'_>) -> bool,
        cx: &mut Cx<'_>,
    ) {
        let mut taken = false;
        for link in LinkId::ALL {
            if takes(self, link, cx) {
                taken = true;
                self.links.with(link, |l| l.push(frame.clone(), cx));
            }
        }
        if !taken {
            let bytes = frame.len();
            cx.acts.push_back(Act::Untaken { bytes });
        }
    }

    /// Brings the links' settings into force; what did not change goes on undisturbed.
    fn apply(&mut self, cx: &mut Cx<'_>) {
        for link in LinkId::ALL {
            let settings = link_settings(link, cx);
            let long = cx.config.long_links;
            self.links.with(link, |l| l.apply(settings, long, cx));
        }
    }

    /// A link works, or rests for this reason.
    fn set(&mut self, link: LinkId, rests: Option<WaitingFor>, cx: &mut Cx<'_>) {
        self.active[link.index()] = true;
        self.links.with(link, |l| match rests {
            None => l.start(cx),
            Some(why) => l.stop(why, cx),
        });
    }

    fn stop_links(&mut self, stops: impl Fn(&Link) -> bool, cx: &mut Cx<'_>) {
        for link in LinkId::ALL {
            if stops(&self.links[link.index()]) {
                self.links.with(link, |l| l.stop(WaitingFor::Mode, cx));
            }
        }
    }

    fn link_deadline(&self, link: LinkId, view: &View<'_>) -> Option<Instant> {
        let own = self.links[link.index()].deadline(view.config);
        earliest([own, self.fail_back_at(link)])
    }

    fn fire_link(&mut self, link: LinkId, cx: &mut Cx<'_>) {
        if self.fail_back_at(link).is_some_and(|at| at <= cx.now) {
            self.fail_back(link, cx);
        }
        if self.links[link.index()]
            .deadline(cx.config)
            .is_some_and(|at| at <= cx.now)
        {
            let change = self.links.with(link, |l| l.fire(cx));
            if change.down {
                self.fail_over(link, cx);
            }
        }
    }

    /// Since when no TCP link that is used has been up; `None`: one is, or there is none.
    pub(crate) fn down_since(&self) -> Option<Instant> {
        let mut last_alive = None;
        for (id, active) in LinkId::ALL.into_iter().zip(self.active) {
            let link = &self.links[id.index()];
            if active && link.is_enabled() && !link.is_udp() {
                last_alive = last_alive.max(Some(link.down_since()?));
            }
        }
        last_alive
    }
}

/// The settings of a link, if it is enabled.
fn link_settings(link: LinkId, cx: &Cx<'_>) -> Option<LinkConfig> {
    let mut settings = cx.config.links[link.index()].clone();
    settings.role = failover::role_to_apply(link, cx);
    settings.enabled.then_some(settings)
}
