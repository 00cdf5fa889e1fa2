//! Servers of links that go away and come back: refused meanwhile, or with SYNs that nobody answers, which the kernel
//! repeats; and that each link is back in time (decisions 16.2).

use cellular_sim::Rng;
use dtu_proto::config::Role;
use dtu_proto::event::{CloseReason, LinkId};
use dtu_proto::status::{LinkState, WaitingFor};

use super::net::{NetEvent, State};
use super::{Event, Rule, World};
use crate::{MS, SEC};

/// The kernel sends the SYN of an attempt again so long after the first.
const SYNS: [u64; 5] = [0, SEC, 3 * SEC, 7 * SEC, 15 * SEC];
/// The host gives an attempt up.
const ATTEMPT_MAX: u64 = 30 * SEC;
/// The first repeats are no closer, however short the outage was.
const FIRST_GAP: u64 = 2 * SEC;
const SHORTEST: u64 = 500 * MS;
/// A connection is good after this time, where the peer has shown itself, and after this where it has not.
const GOOD: u64 = 5 * SEC;
const QUIET: u64 = 60 * SEC;

/// The server of one link, and the link as it is seen from there.
#[derive(Debug)]
pub(super) struct Server {
    rng: Rng,
    away: Option<Away>,
    /// Since when the link has been without a good connection.
    down_since: Option<u64>,
    /// Since when it is up, and whether the device has heard of the peer.
    up: Option<(u64, bool)>,
    /// The device has been connected since its power came.
    is_known: bool,
    /// Nobody has answered the SYN of the attempt under way.
    hangs: bool,
    /// The link must be up by then.
    due: Option<u64>,
}

#[derive(Clone, Copy, Debug)]
struct Away {
    back_at: u64,
    drops: bool,
}

impl Server {
    pub(super) const fn new(rng: Rng) -> Self {
        Self { rng, away: None, down_since: None, up: None, is_known: false, hangs: false, due: None }
    }

    pub(super) const fn is_away(&self) -> bool {
        self.away.is_some()
    }

    /// The peer has acknowledged something, or said something.
    pub(super) const fn show(&mut self) {
        if let Some((_, heard)) = &mut self.up {
            *heard = true;
        }
    }

    /// The connection is over.
    pub(super) fn down(&mut self, now: u64) {
        self.hangs = false;
        if let Some((since, heard)) = self.up.take() {
            let age = now - since;
            let good = age >= QUIET || (heard && age >= GOOD);
            self.down_since = self.down_since.filter(|_| !good).or(Some(now));
        }
    }

    /// Something else keeps the link down, or the device begins anew.
    fn excuse(&mut self) {
        self.due = None;
    }

    fn begin_anew(&mut self) {
        let (rng, away) = (self.rng.clone(), self.away);
        *self = Self { away, ..Self::new(rng) };
    }
}

impl World {
    pub(super) fn begin_outages(&mut self) {
        LinkId::ALL.into_iter().for_each(|link| self.plan_outage(link));
    }

    fn plan_outage(&mut self, link: LinkId) {
        let every = self.scenario.outages.every[link.index()];
        if every > 0 {
            let wait = 5 * SEC + self.servers[link.index()].rng.wait(every);
            self.after(wait, Event::ServerLeaves(link));
        }
    }

    pub(super) fn server_leaves(&mut self, link: LinkId) {
        if self.healed {
            return;
        }
        let longest = self.scenario.outages.longest;
        let server = &mut self.servers[link.index()];
        let length = server.rng.range(SHORTEST, longest);
        let (drops, cut) = (server.rng.chance(50), server.rng.chance(50));
        server.away = Some(Away { back_at: self.now + length, drops });
        server.excuse();
        self.note(if drops { "server vanishes" } else { "server ends" }, Some(link), length, &[]);
        let net = &mut self.nets[link.index()];
        if net.state == State::Up && !net.is_udp() {
            // A host that lost its power says so when it is back.
            let silent = drops && !cut;
            net.stall(silent);
            let wait = if silent { length } else { 0 };
            self.net_after(link, wait, NetEvent::Down(CloseReason::Reset));
        }
        self.after(length, Event::ServerReturns(link));
    }

    pub(super) fn server_returns(&mut self, link: LinkId) {
        if self.healed {
            return;
        }
        self.note("server returns", Some(link), 0, &[]);
        let within = self.is_back_within(link);
        let server = &mut self.servers[link.index()];
        server.away = None;
        if let Some(within) = within {
            let at = self.now + within;
            server.due = Some(at);
            self.after(within, Event::LinkDue(link, at));
        }
        self.plan_outage(link);
    }

    /// How long the link may need; `None`: something else may keep it down.
    fn is_back_within(&self, link: LinkId) -> Option<u64> {
        let place = link.index();
        let (server, net, style) = (&self.servers[place], &self.nets[place], &self.scenario.nets[place]);
        let away = server.away?;
        let alone = style.refused == 0 && style.silent == 0 && style.no_name == 0;
        let set = &self.books.watch.expected;
        let always = set.links[place].role == Role::Always && set.long_links;
        // Where the mode changes the link rests now and then, and begins anew.
        let stays = !self.scenario.modes.wanders;
        let works = stays && self.attached && !self.ending && self.stopping.is_none();
        if net.state == State::Up || !alone || !always || !works {
            return None;
        }
        let half = (self.now - server.down_since?) / 2;
        let longest = self.scenario.options.links[place].backoff_max.as_micros();
        let pause = half.min(u64::try_from(longest).unwrap_or(u64::MAX)).max(SHORTEST);
        let pause = match (away.drops || server.hangs, server.is_known) {
            (false, _) => pause,
            (true, true) => half.clamp(FIRST_GAP, ATTEMPT_MAX),
            // The device does not know yet how long an attempt takes here.
            (true, false) => return None,
        };
        let host = &self.scenario.host;
        let late = 2 * host.late_timer + host.late_read + 4 * style.delay + self.scenario.ends.late_close;
        Some(pause + SEC + late)
    }

    pub(super) fn link_due(&mut self, link: LinkId, at: u64) {
        let server = &mut self.servers[link.index()];
        if server.due.take_if(|due| *due == at).is_none() {
            return;
        }
        let down = server.down_since.map_or(0, |since| self.now - since);
        let state = self.device.status(self.clock()).links[link.index()].state;
        if matches!(state, LinkState::Connecting | LinkState::Waiting(WaitingFor::Retry)) {
            let text = format!(
                "link {link} has been down for {} ms, its server is back for more than half of that + 1 s",
                down / MS
            );
            self.break_rule(Rule::Liveness, text);
        }
    }

    /// What becomes of an attempt while the server is away.
    pub(super) fn attempt_meets(&mut self, link: LinkId) -> Option<(u64, NetEvent)> {
        let delay = self.scenario.nets[link.index()].delay;
        let now = self.now;
        let server = &mut self.servers[link.index()];
        server.down_since.get_or_insert(now);
        let Away { back_at, drops } = server.away?;
        if !drops {
            return Some((delay, NetEvent::Down(CloseReason::Refused)));
        }
        server.hangs = true;
        let answered = SYNS.into_iter().find(|after| now + after >= back_at);
        Some(match answered {
            Some(after) => (after + delay * 2, NetEvent::Up),
            None => (ATTEMPT_MAX, NetEvent::Down(CloseReason::TimedOut)),
        })
    }

    /// The link is up.
    pub(super) fn link_is_back(&mut self, link: LinkId) {
        let server = &mut self.servers[link.index()];
        server.up = Some((self.now, false));
        (server.is_known, server.hangs) = (true, false);
        self.sum.returns += u64::from(server.due.take().is_some());
    }

    /// The network is gone.
    pub(super) fn excuse_links(&mut self) {
        self.servers.iter_mut().for_each(Server::excuse);
    }

    /// The device has no past.
    pub(super) fn links_begin_anew(&mut self) {
        self.servers.iter_mut().for_each(Server::begin_anew);
    }

    /// All servers are there for good.
    pub(super) fn heal_servers(&mut self) {
        self.excuse_links();
        self.servers.iter_mut().for_each(|server| server.away = None);
    }
}
