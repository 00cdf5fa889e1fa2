//! A simulated network with one AT modem, on a pty that comes and goes as a modem on USB does.

use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use cellular_sim::modem::{Rack, RackOutput, ReplayModem, Setup, Transcript};
use cellular_sim::radio::{PhoneEvent, Script, Settings, Subscriber};
use dtu_proto::time::Instant as Moment;
use rustix::event::PollFlags;
use rustix::fs::{Mode, OFlags};
use rustix::pty::OpenptFlags;
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

use super::pump::{read_now, ready, write_now};

/// A network in a thread, ended when dropped.
#[derive(Debug)]
pub(crate) struct Radio {
    device: PathBuf,
    orders: Sender<String>,
    news: Receiver<PhoneEvent>,
}

impl Radio {
    /// The modem's device is `device`, a link to a pty.
    pub(crate) fn start(device: &Path, setup: Setup) -> Self {
        let (orders, ordered) = channel();
        let (tell, news) = channel();
        let bed = Bed::new(device.to_owned(), setup).expect("a pty");
        std::thread::spawn(move || bed.run(&ordered, &tell));
        Self {
            device: device.to_owned(),
            orders,
            news,
        }
    }

    pub(crate) fn device(&self) -> &Path {
        &self.device
    }

    /// A line of the script language, now.
    pub(crate) fn order(&self, line: &str) {
        self.orders.send(line.to_owned()).expect("the network runs");
    }

    /// The next text that a phone gets.
    pub(crate) fn text(&self, wait: Duration) -> String {
        let deadline = super::within(wait);
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let news = self.news.recv_timeout(left).expect("a phone gets a text");
            if let PhoneEvent::Text { data, .. } = news {
                return data.text().expect("a text");
            }
        }
    }
}

/// A modem out of a log, on a pty, in a thread that ends when this is dropped; gives the commands that the log does not
/// have.
pub(crate) struct Played {
    alive: Sender<()>,
    unknown: Receiver<Vec<String>>,
}

impl Played {
    pub(crate) fn start(device: &Path, log: &str) -> Self {
        let (alive, end) = channel::<()>();
        let (tell, unknown) = channel();
        let pty = Pty::open(device).expect("a pty");
        let transcript = Transcript::parse(log).expect("a log");
        std::thread::spawn(move || {
            let started = Instant::now();
            let now = || Moment::ZERO + started.elapsed();
            let mut modem = ReplayModem::new(transcript, now());
            while end.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
                let mut buffer = [0; 1024];
                if let Some(count @ 1..) = read_now(&pty, &mut buffer).expect("read from the pty") {
                    modem.read(&buffer[..count], now());
                }
                while let Some(bytes) = modem.poll_output(now()) {
                    write_now(&pty, &bytes).expect("write to the pty");
                }
                let soon = super::within(Duration::from_millis(5));
                ready(&pty, PollFlags::IN, soon).expect("poll the pty");
            }
            drop(tell.send(modem.unknown().to_vec()));
        });
        Self { alive, unknown }
    }

    pub(crate) fn end(self) -> Vec<String> {
        drop(self.alive);
        self.unknown.recv().expect("the modem ends")
    }
}

struct Bed {
    rack: Rack,
    device: PathBuf,
    pty: Option<Pty>,
    /// Pulled ones: their numbers are not given again at once, so the modem comes back under another name.
    pulled: Vec<Pty>,
    started: Instant,
}

impl Bed {
    fn new(device: PathBuf, setup: Setup) -> io::Result<Self> {
        let mut rack = Rack::new(1, Settings::default());
        rack.add(setup, Subscriber::default(), Moment::ZERO);
        let pty = Some(Pty::open(&device)?);
        Ok(Self {
            rack,
            device,
            pty,
            pulled: Vec::new(),
            started: Instant::now(),
        })
    }

    fn now(&self) -> Moment {
        Moment::ZERO + self.started.elapsed()
    }

    /// Until nobody gives orders any more.
    fn run(mut self, orders: &Receiver<String>, tell: &Sender<PhoneEvent>) {
        loop {
            match orders.try_recv() {
                Ok(line) => {
                    let (modem, verb) = Script::parse_now(&line).expect("a line").expect("a verb");
                    self.rack.carry_out(modem, &verb, self.now());
                }
                Err(std::sync::mpsc::TryRecvError::Empty) => {}
                Err(std::sync::mpsc::TryRecvError::Disconnected) => return,
            }
            let now = self.now();
            self.rack.handle_timeout(now);
            self.read(now);
            while let Some(output) = self.rack.poll_output() {
                self.show(output, tell);
            }
            self.wait();
        }
    }

    fn read(&mut self, now: Moment) {
        let mut buffer = [0; 1024];
        if let Some(pty) = &self.pty
            && let Some(count @ 1..) = read_now(pty, &mut buffer).expect("read from the pty")
        {
            self.rack.read(0, &buffer[..count], now);
        }
    }

    fn show(&mut self, output: RackOutput, tell: &Sender<PhoneEvent>) {
        match output {
            RackOutput::Bytes(_, bytes) => {
                // A host that does not read loses bytes, as on a wire.
                if let Some(pty) = &self.pty {
                    write_now(pty, &bytes).expect("write to the pty");
                }
            }
            RackOutput::Vanished(_) => {
                fs::remove_file(&self.device).expect("the link goes");
                if let Some(pty) = &mut self.pty {
                    pty.hang_up();
                }
                self.pulled.extend(self.pty.take());
            }
            RackOutput::Appeared(_) => self.pty = Some(Pty::open(&self.device).expect("a pty")),
            RackOutput::Phone(news) => drop(tell.send(news)),
            RackOutput::Problem(problem) => panic!("{problem}"),
        }
    }

    /// For bytes, 5 ms at most: orders wake nobody.
    fn wait(&self) {
        let soon = super::within(Duration::from_millis(5));
        match &self.pty {
            Some(pty) => drop(ready(pty, PollFlags::IN, soon).expect("poll the pty")),
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    }
}

struct Pty {
    master: Option<OwnedFd>,
    /// Keeps the number, and the master readable while no host has it open.
    slave: OwnedFd,
}

impl AsFd for Pty {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.master.as_ref().map_or(self.slave.as_fd(), AsFd::as_fd)
    }
}

impl Pty {
    fn open(link: &Path) -> io::Result<Self> {
        let master =
            rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        rustix::pty::grantpt(&master)?;
        rustix::pty::unlockpt(&master)?;
        let name = rustix::pty::ptsname(&master, Vec::new())?
            .into_string()
            .map_err(io::Error::other)?;
        let slave = rustix::fs::open(
            &*name,
            OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC,
            Mode::empty(),
        )?;
        let mut attributes = tcgetattr(&slave)?;
        attributes.make_raw();
        tcsetattr(&slave, OptionalActions::Now, &attributes)?;
        rustix::io::ioctl_fionbio(&master, true)?;
        std::os::unix::fs::symlink(&name, link)?;
        Ok(Self {
            master: Some(master),
            slave,
        })
    }

    /// Whoever has it open reads an error from now on.
    fn hang_up(&mut self) {
        self.master = None;
    }
}
