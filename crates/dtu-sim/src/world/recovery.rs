//! That each connection is back in time after an outage of its server (decisions 16.2): a link, a destination of mode 1
//! for which packets wait, the HTTPD client's while a frame waits.

use dtu_proto::config::{Role, WorkingMode};
use dtu_proto::event::{LinkId, SOCKETS, SocketId};
use dtu_proto::status::{LinkState, WaitingFor};

use super::outages::{ATTEMPT_MAX, Outage, SHORTEST};
use super::socket::State;
use super::{Event, Rule, World};
use crate::scenario::ServerId;
use crate::{MS, SEC};

/// The first repeats of a SYN are no closer, however short the outage was.
const FIRST_GAP: u64 = 2 * SEC;
/// A connection is good after this time, where the peer has shown itself, and after this where it has not.
const GOOD: u64 = 5 * SEC;
const QUIET: u64 = 60 * SEC;

/// A connection of the device as it is seen from its server.
#[derive(Clone, Debug, Default)]
pub(super) struct Recovery {
    /// To whom it goes, or went last.
    server: Option<ServerId>,
    /// Since when it has been without a good connection, though it was wanted.
    down_since: Option<u64>,
    /// Since when it is up, and whether the device has heard of the peer.
    up: Option<(u64, bool)>,
    /// The device has been connected since its power came.
    is_known: bool,
    /// Nobody has answered the SYN of the attempt under recovery.
    pub(super) hangs: bool,
    /// It must be up by then.
    due: Option<u64>,
}

impl Recovery {
    /// An attempt begins.
    pub(super) fn tries(&mut self, server: ServerId, now: u64) {
        if self.server.replace(server) != Some(server) {
            self.begin_again();
        }
        self.down_since.get_or_insert(now);
    }

    /// The connection stands. Whether it was due.
    fn is_up(&mut self, now: u64) -> bool {
        self.up = Some((now, false));
        (self.is_known, self.hangs) = (true, false);
        self.due.take().is_some()
    }

    /// The peer has acknowledged something, or said something.
    pub(super) const fn show(&mut self) {
        if let Some((_, heard)) = &mut self.up {
            *heard = true;
        }
    }

    /// What the connection was for is done.
    pub(super) const fn succeeds(&mut self) {
        self.down_since = None;
    }

    /// The connection is over. `rests`: nothing waits for another one.
    pub(super) fn down(&mut self, now: u64, rests: bool) {
        self.hangs = false;
        if let Some((since, heard)) = self.up.take() {
            let age = now - since;
            let good = age >= QUIET || (heard && (rests || age >= GOOD));
            self.down_since = self
                .down_since
                .filter(|_| !good)
                .or((!rests).then_some(now));
        }
    }

    /// Something else keeps it down.
    pub(super) const fn excuse(&mut self) {
        self.due = None;
    }

    /// The device has begun anew to try, or tries no more.
    const fn begin_again(&mut self) {
        (self.due, self.down_since) = (None, None);
    }
}

impl World {
    /// The connections that go to this server.
    pub(super) fn sockets_of(&self, id: ServerId) -> Vec<SocketId> {
        let goes = |socket: &SocketId| self.recoveries[socket.index()].server == Some(id);
        SocketId::ALL.into_iter().filter(goes).collect()
    }

    /// The server was away, and is back: when must the connection be?
    pub(super) fn expect_back(&mut self, socket: SocketId, away: Outage) {
        if let Some(within) = self.is_back_within(socket, away) {
            let at = self.now + within;
            self.recoveries[socket.index()].due = Some(at);
            self.after(within, Event::RecoveryDue(socket, at));
        }
    }

    /// How long the connection may need; `None`: something else may keep it down.
    fn is_back_within(&self, socket: SocketId, away: Outage) -> Option<u64> {
        let recovery = &self.recoveries[socket.index()];
        let options = match socket {
            SocketId::Link(link) => {
                let set = &self.ledger.watch.expected;
                let always = set.links[link.index()].role == Role::Always && set.long_links;
                always.then(|| &self.scenario.options.links[link.index()])?
            }
            SocketId::AtMode | SocketId::Httpd | SocketId::Destination(_) => {
                &self.scenario.options.modes
            }
        };
        let style = self.scenario.style(recovery.server?);
        let state = self.sockets[socket.index()].state;
        let alone = style.refused == 0 && style.silent == 0 && style.no_name == 0;
        let works = self.attached && !self.ending && self.stopping.is_none();
        if state == State::Up || !alone || !works || !self.is_wanted(socket) {
            return None;
        }
        let half = (self.now - recovery.down_since?) / 2;
        let longest = u64::try_from(options.backoff_max.as_micros()).unwrap_or(u64::MAX);
        let pause = match (away.drops || recovery.hangs, recovery.is_known) {
            (false, _) => half.min(longest).max(SHORTEST),
            (true, true) => half.clamp(FIRST_GAP, ATTEMPT_MAX),
            // The device does not know yet how long an attempt takes here.
            (true, false) => return None,
        };
        let host = &self.scenario.host;
        let late =
            2 * host.late_timer + host.late_read + 4 * style.delay + self.scenario.ends.late_close;
        Some(pause + SEC + late)
    }

    /// Whether the device tries to connect, by its own word.
    fn is_wanted(&self, socket: SocketId) -> bool {
        let status = self.device.status(self.clock());
        let state = match socket {
            SocketId::Link(link) => Some(status.links[link.index()].state),
            SocketId::Httpd => Some(status.httpd.state).filter(|_| status.httpd.waiting_frames > 0),
            SocketId::AtMode => None,
            SocketId::Destination(destination) => {
                let to = status.serial_command.destinations.get(destination.index());
                let server = self.recoveries[socket.index()].server;
                let same = |address: &str| server == Some(self.scenario.server_of(socket, address));
                to.filter(|to| to.waiting_packets > 0 && same(&to.address))
                    .map(|to| to.state)
            }
        };
        matches!(
            state,
            Some(LinkState::Connecting | LinkState::Waiting(WaitingFor::Retry))
        )
    }

    pub(super) fn recovery_due(&mut self, socket: SocketId, at: u64) {
        let recovery = &mut self.recoveries[socket.index()];
        if recovery.due.take_if(|due| *due == at).is_none() {
            return;
        }
        let down = recovery.down_since.map_or(0, |since| self.now - since);
        if self.is_wanted(socket) {
            let text = format!(
                "{socket} has been down for {} ms, its server is back for more than half of that + 1 s",
                down / MS
            );
            self.break_rule(Rule::Liveness, text);
        }
    }

    pub(super) fn connection_is_back(&mut self, socket: SocketId) {
        let was_due = self.recoveries[socket.index()].is_up(self.now);
        self.sum.returns += u64::from(was_due);
    }

    /// What was to be sent may be gone: whatever comes next begins another wait.
    pub(super) fn excuse_unwanted(&mut self) {
        for socket in SocketId::ALL {
            if self.recoveries[socket.index()].due.is_some() && !self.is_wanted(socket) {
                self.recoveries[socket.index()].excuse();
            }
        }
    }

    /// The network is gone, or the device is told to stop.
    pub(super) fn excuse_all(&mut self) {
        self.recoveries.iter_mut().for_each(Recovery::excuse);
    }

    /// The device starts over.
    pub(super) fn recoveries_begin_again(&mut self) {
        self.recoveries.iter_mut().for_each(Recovery::begin_again);
    }

    /// One working mode ends, and this one begins: links are to come up where it is theirs.
    pub(super) fn recoveries_change(&mut self, new: WorkingMode) {
        self.recoveries_begin_again();
        if new == WorkingMode::Transparent {
            let now = self.now;
            LinkId::ALL
                .into_iter()
                .for_each(|link| self.recoveries[link.index()].down_since = Some(now));
        }
    }

    /// The device has no past.
    pub(super) fn recoveries_begin_anew(&mut self) {
        self.recoveries = recoveries();
    }
}

/// Of a device that has connected to nobody yet.
pub(super) fn recoveries() -> [Recovery; SOCKETS] {
    std::array::from_fn(|index| Recovery {
        server: SocketId::ALL[index].link().map(ServerId::from),
        ..Recovery::default()
    })
}
