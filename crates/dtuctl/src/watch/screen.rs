//! The terminal itself: waits for keys, bytes and deadlines at once.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant, SystemTime};

use dtu_setup::charset::Charset;
use ratatui::crossterm::event::{self, Event};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::pipe::PipeFlags;

use super::app::{App, Now};
use super::feed::{Feed, LOOKS, News};
use super::view::draw;
use crate::port::{stop_cleanly, stops};

/// Until the user ends it.
pub(super) fn run(name: &str, baud: u32, charset: Charset) -> anyhow::Result<()> {
    stop_cleanly()?;
    let feed = Feed::open(name, baud)?;
    let terminal = ratatui::try_init()?;
    let keys = Keys::watch()?;
    let result = Screen {
        name: name.to_owned(),
        feed,
        keys,
        app: App::in_charset(charset),
        terminal,
        start: Instant::now(),
        drawn: None,
    }
    .run();
    ratatui::restore();
    result
}

/// Keys are read in a thread: where the terminal goes away, the reader of keys never comes back.
struct Keys {
    events: Receiver<Event>,
    /// Readable when there is one.
    wakes: OwnedFd,
}

impl Keys {
    fn watch() -> io::Result<Self> {
        let (wakes, wake) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        let (sender, events) = mpsc::channel();
        std::thread::spawn(move || {
            while let Ok(event) = event::read() {
                let is_over = sender.send(event).is_err();
                // A full pipe wakes as well as one byte more.
                let _ = rustix::io::write(&wake, b"k");
                if is_over {
                    break;
                }
            }
        });
        Ok(Self { events, wakes })
    }

    fn next(&self) -> Option<Event> {
        let _ = rustix::io::read(&self.wakes, &mut [0; 64]);
        self.events.try_recv().ok()
    }
}

struct Screen {
    name: String,
    feed: Feed,
    keys: Keys,
    app: App,
    terminal: ratatui::DefaultTerminal,
    start: Instant,
    /// When it was drawn last.
    drawn: Option<Instant>,
}

/// Reads between two looks at the keys: a device that floods the line does not shut them out.
const READS: usize = 16;
/// The screen is drawn at most so often.
const FRAME: Duration = Duration::from_millis(33);

impl Screen {
    fn run(mut self) -> anyhow::Result<()> {
        let colours = std::env::var_os("NO_COLOR").is_none();
        let mut is_new = true;
        while !self.app.ends() && !stops() {
            let can_draw = self.drawn.is_none_or(|at| at.elapsed() >= FRAME);
            if is_new && can_draw {
                let (app, name) = (&self.app, &self.name);
                self.terminal
                    .draw(|frame| draw(frame, app, name, colours))?;
                self.drawn = Some(Instant::now());
                is_new = false;
            }
            if !self.wait(is_new)? {
                break;
            }
            is_new |= self.take_keys();
            is_new |= self.take_bytes()?;
            let bytes = self.app.due(self.now());
            is_new |= !bytes.is_empty();
            self.send(&bytes);
        }
        if let Some(bytes) = self.app.farewell() {
            self.feed.send(bytes);
        }
        Ok(())
    }

    fn now(&self) -> Now {
        Now {
            runs: self.start.elapsed(),
            wall: SystemTime::now(),
        }
    }

    /// Until there is something to do. False: the terminal is gone, and nobody can end this any more.
    fn wait(&self, is_new: bool) -> io::Result<bool> {
        let deadline = self.app.deadline();
        let left = deadline.map(|at| at.saturating_sub(self.start.elapsed()));
        let frame = is_new.then_some(FRAME);
        let looks = self.feed.fd().is_none().then_some(LOOKS);
        let time = [left, frame, looks].into_iter().flatten().min();
        let time = time.and_then(|time| Timespec::try_from(time).ok());
        let stdin = io::stdin();
        let mut fds = vec![
            PollFd::new(&stdin, PollFlags::empty()),
            PollFd::new(&self.keys.wakes, PollFlags::IN),
        ];
        let port = self.feed.fd();
        fds.extend(port.as_ref().map(|fd| PollFd::new(fd, PollFlags::IN)));
        match rustix::event::poll(&mut fds, time.as_ref()) {
            Ok(_) => {
                let gone = PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL;
                Ok(!fds[0].revents().intersects(gone))
            }
            // A new size of the window is a signal, too.
            Err(Errno::INTR) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }

    fn take_keys(&mut self) -> bool {
        let mut is_new = false;
        while let Some(event) = self.keys.next() {
            is_new = true;
            if let Event::Key(key) = event {
                let bytes = self.app.key(key, self.now());
                self.send(&bytes);
            }
        }
        is_new
    }

    fn take_bytes(&mut self) -> io::Result<bool> {
        let mut is_new = false;
        for _ in 0..READS {
            let Some(news) = self.feed.next(Duration::ZERO)? else {
                break;
            };
            is_new = true;
            self.take(news);
        }
        Ok(is_new)
    }

    fn take(&mut self, news: News) {
        let now = self.now();
        match news {
            News::Bytes(bytes) => {
                let answer = self.app.heard(&bytes, now);
                self.send(&answer);
            }
            News::Gone(why) => self.app.gone(&why, now),
            News::Back(gap) => self.app.back(gap, now),
        }
    }

    fn send(&mut self, bytes: &[u8]) {
        if !bytes.is_empty()
            && let Some(news) = self.feed.send(bytes)
        {
            self.take(news);
        }
    }
}
