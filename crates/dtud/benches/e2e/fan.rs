//! One line to four links: beside a bare loop that does the same, and with a server that takes nothing.

use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::common::line::Line;
use crate::common::pump::{constant, exchange};
use crate::common::server::{Connection, Server};
use crate::common::{SOON, within};
use crate::figures::Figures;
use crate::load::{BYTE, LIMIT};
use crate::peer::{Peer, Program, ours, rotated};
use crate::{MIB, Plan};

const LINKS: u8 = 4;
const PIECES: u64 = 4;

/// MiB/s of the line, which each link carries.
pub(crate) fn out(plan: &Plan, peers: &[Peer], figures: &mut Figures) {
    let peers: Vec<Peer> = peers
        .iter()
        .copied()
        .filter(|peer| matches!(peer, Peer::Ours | Peer::Bare))
        .collect();
    for round in 0..plan.rounds {
        let all: Vec<(Peer, Fan)> = rotated(&peers, round)
            .into_iter()
            .map(|peer| (peer, Fan::start(peer)))
            .collect();
        let mut took = vec![Duration::ZERO; all.len()];
        for _ in 0..PIECES {
            for ((_, fan), took) in all.iter().zip(&mut took) {
                *took += fan.carry(plan.bulk / PIECES, usize::from(LINKS));
            }
        }
        let rate = |took: Duration| plan.bulk as f64 / MIB as f64 / took.as_secs_f64();
        for ((peer, _), took) in all.iter().zip(took) {
            figures.record("four links, MiB/s", round, *peer, rate(took));
        }
        drop(all);
        // With a connection that nobody reads the bare loop stands still. At this speed a link is behind the others by more
        // than the factory's cache for a moment, and would lose its oldest frames.
        let stalled = Fan::with(
            Peer::Ours,
            "[link]\ncache = \"64MiB\"\n[link.4]\ncache = \"1MiB\"",
        );
        let took = stalled.carry(plan.bulk, usize::from(LINKS) - 1);
        figures.record(
            "four links, one of them stalled, MiB/s of the others",
            round,
            Peer::Ours,
            rate(took),
        );
    }
}

struct Fan {
    line: Line,
    connections: Vec<Connection>,
    _program: Program,
    _kept: (Vec<Server>, TempDir),
}

impl Fan {
    fn start(peer: Peer) -> Self {
        Self::with(peer, "")
    }

    fn with(peer: Peer, settings: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let servers: Vec<Server> = (0..LINKS).map(|_| Server::start()).collect();
        let ports = servers.iter().map(Server::port);
        let program = if peer == Peer::Bare {
            let line = folder.path().join("line");
            let mut command =
                Command::new(std::env::current_exe().expect("this program has a path"));
            command.arg("bare").arg(&line);
            command.args(ports.map(|port| port.to_string()));
            Program::other(&mut command, line)
        } else {
            let first = ours(folder.path(), servers[0].port(), 0).settings(settings);
            let setup = (2..=LINKS)
                .zip(ports.skip(1))
                .fold(first, |setup, (link, port)| setup.link(link, port));
            Program::Ours(setup.start())
        };
        let connections = servers.iter().map(|server| server.accept(SOON)).collect();
        let line = program.open_line();
        line.drain(Duration::from_millis(50));
        Self {
            line,
            connections,
            _program: program,
            _kept: (servers, folder),
        }
    }

    /// How long until the last byte was at so many of the servers. The others read nothing.
    fn carry(&self, bytes: u64, readers: usize) -> Duration {
        let begin = Instant::now();
        std::thread::scope(|scope| {
            for connection in &self.connections[..readers] {
                scope.spawn(|| {
                    exchange(&connection.stream, |_| 0, bytes, |_| {}, within(LIMIT))
                        .expect("receive everything");
                });
            }
            let source = constant(BYTE, bytes);
            exchange(&self.line, source, 0, |_| {}, within(LIMIT)).expect("send");
        });
        begin.elapsed()
    }
}
