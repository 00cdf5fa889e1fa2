//! The programs that are compared: each carries one line over one TCP connection.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::bare::raw_pty;
use crate::common::daemon::{Daemon, Setup};
use crate::common::line::Line;
use crate::common::server::{Connection, Server};
use crate::common::{SOON, eventually};

/// Who.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    Ours,
    /// Ours with the web console on, at which nobody looks: the recorder is on.
    Console,
    /// An earlier build of ours, the file that `OLD_DTUD` names.
    Old,
    Socat,
    Bare,
    /// It calls the server only once data has come. In bulk and round trips it is tuned: no delay, large buffers.
    Ser2net,
}

/// Who can be measured here; who cannot is said aloud.
pub(crate) fn present() -> Vec<Peer> {
    let mut peers = vec![Peer::Ours, Peer::Console, Peer::Bare];
    if old_program().is_some() {
        peers.push(Peer::Old);
    }
    if installed("socat", "-V") {
        peers.push(Peer::Socat);
    } else {
        eprintln!("socat is not installed: its columns are left out");
    }
    peers
}

fn old_program() -> Option<PathBuf> {
    std::env::var_os("OLD_DTUD").map(PathBuf::from)
}

/// And ser2net, which is too slow or of no use in the other runs.
pub(crate) fn with_ser2net(peers: &[Peer]) -> Vec<Peer> {
    let mut all = peers.to_vec();
    if installed("ser2net", "-v") {
        all.push(Peer::Ser2net);
    } else {
        eprintln!("ser2net is not installed: its column is left out");
    }
    all
}

fn installed(program: &str, version: &str) -> bool {
    Command::new(program)
        .arg(version)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok()
}

/// The order of a round: rotated, so that no place in it is anybody's own.
pub(crate) fn rotated(peers: &[Peer], round: usize) -> Vec<Peer> {
    let mut order = peers.to_vec();
    order.rotate_left(round % peers.len());
    order
}

/// A program that runs, with its line open and its connection accepted.
pub(crate) struct Running {
    pub(crate) line: Line,
    pub(crate) connection: Connection,
    pub(crate) program: Program,
    _kept: (Server, TempDir),
}

impl Running {
    /// Started, connected, and the line silent. `packing` (ms) concerns only ours: the others have none.
    pub(crate) fn start(peer: Peer, packing: u16) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let server = Server::start();
        let (line, program, connection) = if peer == Peer::Ser2net {
            let (line, program) = ser2net(folder.path(), server.port(), TUNED);
            line.send(b"x");
            let connection = server.accept(SOON);
            connection.receive(1, SOON);
            (line, program, connection)
        } else {
            let program = Program::start(peer, folder.path(), server.port(), packing);
            let connection = server.accept(SOON);
            (program.open_line(), program, connection)
        };
        line.drain(Duration::from_millis(50));
        Self {
            line,
            connection,
            program,
            _kept: (server, folder),
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.program.pid()
    }
}

/// The process; killed when dropped.
pub(crate) enum Program {
    /// Of any build.
    Ours(Daemon),
    Other(Other),
}

/// Somebody else's process.
pub(crate) struct Other {
    child: Child,
    line: PathBuf,
}

impl Drop for Other {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Program {
    pub(crate) fn start(peer: Peer, folder: &Path, port: u16, packing: u16) -> Self {
        let line = folder.join("line");
        let mut command = match peer {
            Peer::Ours => return Self::Ours(ours(folder, port, packing).start()),
            Peer::Console => {
                return Self::Ours(ours(folder, port, packing).console().start());
            }
            Peer::Old => {
                let program = old_program().expect("an old program was named");
                return Self::Ours(old(folder, port, packing).start_program(&program));
            }
            Peer::Socat => socat(&line, port),
            Peer::Bare => bare(&line, port),
            Peer::Ser2net => unreachable!("ser2net has its own start"),
        };
        Self::other(&mut command, line)
    }

    pub(crate) fn other(command: &mut Command, line: PathBuf) -> Self {
        let child = command
            .stdin(Stdio::null())
            .spawn()
            .expect("start the peer");
        Self::Other(Other { child, line })
    }

    pub(crate) fn pid(&self) -> u32 {
        match self {
            Self::Ours(daemon) => daemon.pid(),
            Self::Other(other) => other.child.id(),
        }
    }

    pub(crate) fn open_line(&self) -> Line {
        match self {
            Self::Ours(daemon) => daemon.line_with_banner(),
            Self::Other(other) => eventually("the line", SOON, || Line::open(&other.line).ok()),
        }
    }

    /// Whether the program has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        match self {
            Self::Ours(_) => false,
            Self::Other(other) => other.child.try_wait().is_ok_and(|status| status.is_some()),
        }
    }
}

pub(crate) fn ours(folder: &Path, port: u16, packing: u16) -> Setup {
    Setup::new(folder).packing(packing).link(1, port)
}

/// A build from before `auto` was the factory policy loses nothing only so.
fn old(folder: &Path, port: u16, packing: u16) -> Setup {
    ours(folder, port, packing).settings("[link]\ndrop_policy = \"block\"")
}

/// `forever`: it tries until it is connected. It ends when the connection does.
fn socat(line: &Path, port: u16) -> Command {
    let mut command = Command::new("socat");
    command.arg(format!("PTY,link={},raw,echo=0", line.display()));
    command
        .arg(format!("TCP:127.0.0.1:{port},nodelay,forever,interval=0.1"))
        .stderr(Stdio::null());
    command
}

fn bare(line: &Path, port: u16) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this program has a path"));
    command.arg("bare").arg(line).arg(port.to_string());
    command
}

/// What helps ser2net most: it sends what it has at once, and takes much at once.
const TUNED: &str =
    "\n    chardelay: false\n    dev-to-net-bufsize: 65536\n    net-to-dev-bufsize: 65536";

/// ser2net has the other end of a pty of ours for its serial device and calls the server when data comes.
pub(crate) fn ser2net(folder: &Path, port: u16, options: &str) -> (Line, Program) {
    let (master, _slave, name) = raw_pty().expect("a pty");
    let config = folder.join("ser2net.yaml");
    let text = format!(
        "%YAML 1.1\n---\nconnection: &line\n  accepter: tcp,localhost,0\n  \
         connector: serialdev,{name},115200n81,local\n  \
         options:\n    connback: tcp,127.0.0.1,{port}\n    max-connections: 2{options}\n"
    );
    std::fs::write(&config, text).expect("write the configuration");
    let mut command = Command::new("ser2net");
    command
        .args(["-d", "-u", "-c"])
        .arg(config)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let program = Program::other(&mut command, folder.join("line"));
    // ser2net must have the slave open before the last other one closes.
    eventually("ser2net to open its device", SOON, || {
        holds_open(program.pid(), &name).then_some(())
    });
    (Line::from(master), program)
}

fn holds_open(pid: u32, device: &str) -> bool {
    let Ok(files) = std::fs::read_dir(format!("/proc/{pid}/fd")) else {
        return false;
    };
    files
        .flatten()
        .any(|file| std::fs::read_link(file.path()).is_ok_and(|target| target == Path::new(device)))
}
