//! systemd: ready, stopping, one line about how things are, and the watchdog where the unit asks for one.
//!
//! The protocol of sd_notify(3) is a datagram; what a library would take off our hands here is less than what it lacks
//! (sockets without a file, `WATCHDOG_USEC` alone).

use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use dtu_proto::time::Instant;
use tracing::error;

#[derive(Debug)]
pub(crate) struct Watchdog {
    manager: Option<Manager>,
    every: Option<Duration>,
    due: Option<Instant>,
    runtime: Pulse,
    line: StatusLine,
}

/// Whether the runtime, which has a thread of its own, still runs what it is given.
#[derive(Debug)]
struct Pulse(Arc<AtomicBool>);

impl Pulse {
    fn new() -> Self {
        Self(Arc::new(AtomicBool::new(true)))
    }

    /// Whether it has run what it was given at the last beat; gives it the next.
    fn beats(&self) -> bool {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return true;
        };
        let has_run = self.0.swap(false, Ordering::Relaxed);
        let pulse = Arc::clone(&self.0);
        runtime.spawn(async move { pulse.store(true, Ordering::Relaxed) });
        has_run
    }
}

/// What the manager was last told.
#[derive(Debug, Default)]
struct StatusLine {
    told: String,
    looked_at: Option<Instant>,
    /// Something happened since.
    stale: bool,
}

/// The service manager's socket.
#[derive(Debug)]
struct Manager {
    socket: UnixDatagram,
    address: SocketAddr,
}

impl Manager {
    fn from_environment() -> Option<Self> {
        let name = std::env::var("NOTIFY_SOCKET").ok()?;
        Self::at(&name).ok()
    }

    /// A path, or `@name` in the namespace without files.
    fn at(name: &str) -> io::Result<Self> {
        let address = match name.strip_prefix('@') {
            Some(name) => SocketAddr::from_abstract_name(name)?,
            None => SocketAddr::from_pathname(name)?,
        };
        let socket = UnixDatagram::unbound()?;
        // A manager that is stuck must not hold the loop up for long.
        socket.set_write_timeout(Some(Duration::from_millis(100)))?;
        Ok(Self { socket, address })
    }

    fn send(&self, what: &str) {
        // Nobody hears it where no manager runs.
        let _ = self.socket.send_to_addr(what.as_bytes(), &self.address);
    }
}

impl Watchdog {
    pub(crate) fn from_environment() -> Self {
        let variable = |name| std::env::var(name).ok();
        let every = interval(
            variable("WATCHDOG_USEC").as_deref(),
            variable("WATCHDOG_PID").as_deref(),
            std::process::id(),
        );
        Self::new(Manager::from_environment(), every)
    }

    fn new(manager: Option<Manager>, every: Option<Duration>) -> Self {
        let every = every.filter(|_| manager.is_some());
        Self {
            manager,
            every,
            due: every.map(|_| Instant::ZERO),
            runtime: Pulse::new(),
            line: StatusLine::default(),
        }
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        let line = self
            .line
            .stale
            .then(|| self.line.looked_at.map_or(Instant::ZERO, |at| at + SELDOM));
        [self.due, line].into_iter().flatten().min()
    }

    /// Tells the service manager that the loop and the runtime live, if it is time.
    pub(crate) fn beat(&mut self, now: Instant) {
        let (Some(every), Some(due)) = (self.every, self.due) else {
            return;
        };
        if now >= due {
            if self.runtime.beats() {
                self.notify("WATCHDOG=1");
            } else {
                error!("device: the runtime stands still");
            }
            self.due = Some(now + every);
        }
    }

    pub(crate) fn ready(&self) {
        self.notify("READY=1");
    }

    pub(crate) fn stopping(&self) {
        self.notify("STOPPING=1");
    }

    /// Something happened that the line may have to tell; says whether that makes a deadline.
    pub(crate) const fn note_change(&mut self) -> bool {
        let was_stale = std::mem::replace(&mut self.line.stale, self.manager.is_some());
        was_stale != self.line.stale
    }

    /// Whether it is time to look what the line is.
    pub(crate) fn wants_line(&self, now: Instant) -> bool {
        self.line.stale && self.line.looked_at.is_none_or(|at| now >= at + SELDOM)
    }

    /// How things are. It is told if it is news.
    pub(crate) fn show(&mut self, line: String, now: Instant) {
        (self.line.stale, self.line.looked_at) = (false, Some(now));
        if line != self.line.told {
            self.notify(&format!("STATUS={line}"));
            self.line.told = line;
        }
    }

    fn notify(&self, what: &str) {
        if let Some(manager) = &self.manager {
            manager.send(what);
        }
    }
}

/// Half of what the unit allows, as sd_watchdog_enabled(3) recommends. Without `WATCHDOG_PID` it is for everybody.
fn interval(micros: Option<&str>, for_process: Option<&str>, this: u32) -> Option<Duration> {
    let micros: u64 = micros?.parse().ok()?;
    let meant = for_process.is_none_or(|process| process.parse() == Ok(this));
    meant.then(|| Duration::from_micros(micros / 2).max(OFTEN))
}

/// Shortest time between two notes: a wrong `WATCHDOG_USEC` (0 too) must not keep the program busy.
const OFTEN: Duration = Duration::from_millis(10);
/// Shortest time between two looks at the line.
const SELDOM: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn h8_the_watchdog_is_for_this_process_unless_another_is_named() {
        let every = Some(Duration::from_secs(15));
        assert_eq!(interval(Some("30000000"), None, 7), every);
        assert_eq!(interval(Some("30000000"), Some("7"), 7), every);
        assert_eq!(interval(Some("30000000"), Some("8"), 7), None);
        assert_eq!(interval(Some("soon"), None, 7), None);
        assert_eq!(interval(None, None, 7), None);
        assert_eq!(interval(Some("0"), None, 7), Some(OFTEN));
    }

    fn received(socket: &UnixDatagram) -> String {
        let mut buffer = [0; 200];
        socket
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        let length = socket.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    }

    #[test]
    fn h8_a_socket_may_have_a_file_or_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let with_file = UnixDatagram::bind(&path).unwrap();
        Manager::at(path.to_str().unwrap()).unwrap().send("READY=1");
        assert_eq!(received(&with_file), "READY=1");
        let name = format!("dtud-test-{}", std::process::id());
        let without =
            UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        Manager::at(&format!("@{name}")).unwrap().send("READY=1");
        assert_eq!(received(&without), "READY=1");
    }

    #[test]
    fn the_line_is_told_when_it_is_another_and_not_often() {
        let name = format!("dtud-line-{}", std::process::id());
        let socket =
            UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        let mut watchdog = Watchdog::new(Manager::at(&format!("@{name}")).ok(), None);
        let at = Instant::from_millis;
        assert_eq!(watchdog.next(), None);
        watchdog.note_change();
        assert!(watchdog.wants_line(at(0)));
        watchdog.show("link 1 up".to_owned(), at(0));
        assert_eq!(received(&socket), "STATUS=link 1 up");
        assert_eq!(watchdog.next(), None, "nothing happens: nobody is woken");
        watchdog.note_change();
        assert!(!watchdog.wants_line(at(4999)));
        assert_eq!(watchdog.next(), Some(at(5000)));
        assert!(watchdog.wants_line(at(5000)));
        watchdog.show("link 1 up".to_owned(), at(5000));
        assert_eq!(watchdog.next(), None);
        watchdog.note_change();
        assert!(
            !watchdog.wants_line(at(5001)),
            "a busy line is not looked at in each turn"
        );
        watchdog.show("link 1 down".to_owned(), at(9000));
        assert_eq!(received(&socket), "STATUS=link 1 down");
    }

    #[test]
    fn without_a_manager_nothing_is_told_and_nobody_woken() {
        let mut watchdog = Watchdog::new(None, Some(Duration::from_secs(1)));
        watchdog.note_change();
        assert!(!watchdog.wants_line(Instant::ZERO));
        assert_eq!(watchdog.next(), None);
    }
}
