//! Servers that go outage and come back: of links, of destinations (mode 1), of the HTTPD client (mode 3). Attempts are
//! refused meanwhile, or nobody answers their SYNs, which the kernel repeats.

use cellular_sim::Rng;
use dtu_proto::event::{CloseReason, SocketId};

use super::socket::{SocketEvent, State};
use super::{Event, World};
use crate::scenario::ServerId;
use crate::{MS, SEC};

/// The kernel sends the SYN of an attempt again so long after the first.
const SYNS: [u64; 5] = [0, SEC, 3 * SEC, 7 * SEC, 15 * SEC];
/// The host gives an attempt up.
pub(super) const ATTEMPT_MAX: u64 = 30 * SEC;
pub(super) const SHORTEST: u64 = 500 * MS;

#[derive(Debug)]
pub(super) struct Server {
    rng: Rng,
    pub(super) outage: Option<Outage>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Outage {
    back_at: u64,
    pub(super) drops: bool,
}

impl Server {
    pub(super) const fn new(rng: Rng) -> Self {
        Self { rng, outage: None }
    }

    pub(super) const fn is_away(&self) -> bool {
        self.outage.is_some()
    }
}

/// What becomes of a connection when its server goes.
struct Cut {
    /// Nothing moves from now on.
    silent: bool,
    /// The connection is reset after this time.
    wait: u64,
}

impl World {
    pub(super) fn begin_outages(&mut self) {
        ServerId::all().for_each(|id| self.plan_outage(id));
    }

    fn plan_outage(&mut self, id: ServerId) {
        let every = self.scenario.outages[id.index()].every;
        if every > 0 {
            let wait = 5 * SEC + self.servers[id.index()].rng.wait(every);
            self.after(wait, Event::ServerLeaves(id));
        }
    }

    fn note_server(&mut self, what: &'static str, id: ServerId, number: u64) {
        // Behind the numbers of connections.
        let place = u8::try_from(40 + id.index()).unwrap_or(0);
        self.trace.add(self.now, what, place, number, &[]);
    }

    pub(super) fn server_leaves(&mut self, id: ServerId) {
        if self.healed {
            return;
        }
        let longest = self.scenario.outages[id.index()].longest;
        let server = &mut self.servers[id.index()];
        let length = server.rng.range(SHORTEST, longest);
        let (drops, cut) = (server.rng.chance(50), server.rng.chance(50));
        server.outage = Some(Outage {
            back_at: self.now + length,
            drops,
        });
        self.note_server(
            if drops {
                "server vanishes"
            } else {
                "server ends"
            },
            id,
            length,
        );
        // A host that lost its power says so when it is back.
        let silent = drops && !cut;
        let wait = if silent { length } else { 0 };
        for socket in self.sockets_of(id) {
            self.recoveries[socket.index()].excuse();
            self.cut(socket, &Cut { silent, wait });
        }
        self.after(length, Event::ServerReturns(id));
    }

    fn cut(&mut self, id: SocketId, cut: &Cut) {
        let is_tcp = !self.socket(id).is_udp();
        if self.socket(id).state == State::Up && is_tcp {
            self.socket(id).is_stalled |= cut.silent;
            self.socket_after(id, cut.wait, SocketEvent::Down(CloseReason::Reset));
        }
    }

    pub(super) fn server_returns(&mut self, id: ServerId) {
        if self.healed {
            return;
        }
        self.note_server("server returns", id, 0);
        if let Some(outage) = self.servers[id.index()].outage.take() {
            self.sockets_of(id)
                .into_iter()
                .for_each(|socket| self.expect_back(socket, outage));
        }
        self.plan_outage(id);
    }

    /// What becomes of an attempt while the server is outage: when it ends, and why it fails, if it does.
    pub(super) fn attempt_meets(
        &mut self,
        socket: SocketId,
        id: ServerId,
        delay: u64,
    ) -> Option<(u64, Option<CloseReason>)> {
        let now = self.now;
        self.recoveries[socket.index()].tries(id, now);
        let Outage { back_at, drops } = self.servers[id.index()].outage?;
        if !drops {
            return Some((delay, Some(CloseReason::Refused)));
        }
        self.recoveries[socket.index()].hangs = true;
        let answered = SYNS.into_iter().find(|after| now + after >= back_at);
        Some(match answered {
            Some(after) => (after + delay * 2, None),
            None => (ATTEMPT_MAX, Some(CloseReason::TimedOut)),
        })
    }

    /// All servers are there for good.
    pub(super) fn heal_servers(&mut self) {
        self.excuse_all();
        self.servers
            .iter_mut()
            .for_each(|server| server.outage = None);
    }
}
