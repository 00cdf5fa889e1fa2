//! What the kernel says of the line, the links and the timer, on the shortest way to the loop.
//!
//! ```text
//! line, links, timer ── epoll ──┐
//!                               ├── the loop, on the main thread
//! names, signals, ModemManager ── runtime, on a thread of its own ──┬── eventfd
//! console, disk ── threads of their own ────────────────────────────┘
//! ```
//!
//! A slow line lets the loop sleep between any two pieces of data, and what it wakes up to is cold: a wake-up costs what
//! memory it touches, not what instructions it takes. A runtime between the kernel and the loop touches a lot.

use std::cell::{Cell, RefCell};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use rustix::buffer::spare_capacity;
use rustix::event::{EventfdFlags, Timespec, epoll, eventfd};
use rustix::io::Errno;

/// What a descriptor is watched for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interest {
    Readable,
    /// Urgent bytes as well.
    ReadableOrUrgent,
    Writable,
}

impl Interest {
    fn flags(self) -> epoll::EventFlags {
        use epoll::EventFlags as Flags;
        Flags::ET
            | match self {
                Self::Readable => Flags::IN | Flags::RDHUP,
                Self::ReadableOrUrgent => Flags::IN | Flags::RDHUP | Flags::PRI,
                Self::Writable => Flags::OUT,
            }
    }
}

/// A descriptor that the reactor of its thread watches. All news is told once, so whoever is told goes on until the
/// kernel has no more.
#[derive(Debug)]
pub(crate) struct Watched {
    fd: OwnedFd,
    interest: Interest,
    state: Rc<State>,
    place: usize,
    reactor: Rc<Reactor>,
}

/// What is known of one descriptor.
#[derive(Debug, Default)]
struct State {
    /// It can be read, or written where that is what it is watched for.
    ready: Cell<bool>,
    /// Its other end sends no more.
    closed: Cell<bool>,
    /// It had urgent bytes once: this stays.
    urgent: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl State {
    fn note(&self, flags: epoll::EventFlags) {
        use epoll::EventFlags as Flags;
        let hung_up = flags.contains(Flags::HUP);
        self.closed
            .set(self.closed.get() || hung_up || flags.contains(Flags::IN | Flags::RDHUP));
        self.urgent
            .set(self.urgent.get() || flags.contains(Flags::PRI));
        let ready = Flags::IN | Flags::OUT | Flags::PRI | Flags::HUP;
        self.ready.set(self.ready.get() || flags.intersects(ready));
        if let Some(waker) = &*self.waker.borrow() {
            waker.wake_by_ref();
        }
    }
}

impl Watched {
    /// `fd` must not block.
    pub(crate) fn new(fd: OwnedFd, interest: Interest) -> io::Result<Self> {
        let reactor = Reactor::of_this_thread()?;
        let state = Rc::<State>::default();
        let place = reactor.take_place(&state);
        // Whatever fails from here on, its drop gives the place back.
        let watched = Self {
            fd,
            interest,
            state,
            place,
            reactor,
        };
        let reactor = &watched.reactor.epoll;
        epoll::add(reactor, &watched.fd, watched.data(), interest.flags())?;
        #[cfg(test)]
        watched.reactor.turn_in_the_runtime()?;
        Ok(watched)
    }

    fn data(&self) -> epoll::EventData {
        epoll::EventData::new_u64(self.place as u64)
    }

    /// From now on nothing is news but that it is hung up.
    pub(crate) fn leave(&self) -> io::Result<()> {
        self.clear_ready();
        let flags = epoll::EventFlags::ET;
        Ok(epoll::modify(
            &self.reactor.epoll,
            &self.fd,
            self.data(),
            flags,
        )?)
    }

    /// Takes that back: what is there by now is news.
    pub(crate) fn watch_again(&self) -> io::Result<()> {
        let flags = self.interest.flags();
        Ok(epoll::modify(
            &self.reactor.epoll,
            &self.fd,
            self.data(),
            flags,
        )?)
    }

    /// Ready when there may be something to read, or room to write. Else the task is woken when there is; it need not ask
    /// again for that.
    pub(crate) fn poll_ready(&self, cx: &Context<'_>) -> Poll<()> {
        let mut known = self.state.waker.borrow_mut();
        match &mut *known {
            Some(known) => known.clone_from(cx.waker()),
            None => *known = Some(cx.waker().clone()),
        }
        if self.is_ready() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    /// As far as is known.
    pub(crate) fn is_ready(&self) -> bool {
        self.state.ready.get() || self.state.closed.get()
    }

    /// The kernel said that there is nothing, so no end either: who has closed a pty may have opened it again. What comes
    /// later is news.
    pub(crate) fn clear(&self) {
        self.state.ready.set(false);
        self.state.closed.set(false);
    }

    /// Nothing is left but the end, where it has come.
    pub(crate) fn clear_ready(&self) {
        self.state.ready.set(false);
    }

    /// Whether the other end is known to send no more.
    pub(crate) fn is_closed(&self) -> bool {
        self.state.closed.get()
    }

    /// Whether it had urgent bytes.
    pub(crate) fn had_urgent(&self) -> bool {
        self.state.urgent.get()
    }
}

impl AsFd for Watched {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        // It fails where it was never added.
        let _ = epoll::delete(&self.reactor.epoll, &self.fd);
        self.reactor.watched.borrow_mut()[self.place] = None;
    }
}

/// One for each thread that watches anything.
struct Reactor {
    epoll: OwnedFd,
    /// Events name a place here.
    watched: RefCell<Vec<Option<Rc<State>>>>,
    events: RefCell<Vec<epoll::Event>>,
    /// Somebody calls [`Reactor::turn`].
    is_turned: Cell<bool>,
}

impl std::fmt::Debug for Reactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reactor")
    }
}

impl Reactor {
    fn of_this_thread() -> io::Result<Rc<Self>> {
        thread_local! {
            static REACTOR: RefCell<Option<Rc<Reactor>>> = const { RefCell::new(None) };
        }
        REACTOR.with_borrow_mut(|reactor| match reactor {
            Some(reactor) => Ok(Rc::clone(reactor)),
            None => Ok(Rc::clone(reactor.insert(Rc::new(Self::new()?)))),
        })
    }

    fn new() -> io::Result<Self> {
        Ok(Self {
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC)?,
            watched: RefCell::default(),
            events: RefCell::new(Vec::with_capacity(EVENTS)),
            is_turned: Cell::new(false),
        })
    }

    fn take_place(&self, state: &Rc<State>) -> usize {
        let mut watched = self.watched.borrow_mut();
        let free = watched.iter().position(Option::is_none);
        let place = free.unwrap_or_else(|| {
            watched.push(None);
            watched.len() - 1
        });
        watched[place] = Some(Rc::clone(state));
        place
    }

    /// Waits for news, for as long as there is no `limit`, and tells it; before that calls `awake`. Says whether there may be
    /// more.
    fn turn(&self, limit: Option<&Timespec>, awake: impl FnOnce()) -> bool {
        let mut events = self.events.borrow_mut();
        events.clear();
        match epoll::wait(&self.epoll, spare_capacity(&mut events), limit) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => unreachable!("an epoll of this process waits: {error}"),
        }
        awake();
        let watched = self.watched.borrow();
        for event in &*events {
            let (place, flags) = (event.data.u64() as usize, event.flags);
            // The alarm has none: that it has ended the wait is all.
            if let Some(Some(state)) = watched.get(place) {
                state.note(flags);
            }
        }
        events.len() == EVENTS
    }

    /// A test has a runtime that runs everything on its one thread.
    #[cfg(test)]
    fn turn_in_the_runtime(&self) -> io::Result<()> {
        use tokio::io::unix::AsyncFd;
        if self.is_turned.get() {
            return Ok(());
        }
        #[expect(
            deprecated,
            reason = "an OwnedFd keeps to the rules that it does not ask for"
        )]
        let epoll = AsyncFd::with_interest(self.epoll.try_clone()?, tokio::io::Interest::READABLE)?;
        tokio::spawn(async move {
            while let Ok(mut guard) = epoll.readable().await {
                guard.clear_ready();
                drop(guard);
                let Ok(reactor) = Self::of_this_thread() else {
                    return;
                };
                while reactor.turn(Some(&Timespec::default()), || ()) {}
            }
        });
        Ok(())
    }
}

/// Ends the wait of the reactor, from any thread.
struct Alarm {
    event: OwnedFd,
    /// It was rung and the loop has not run since.
    is_rung: AtomicBool,
    sleeps: AtomicBool,
}

impl Alarm {
    /// Of a reactor that is turned by the loop from now on.
    fn of(reactor: &Reactor) -> io::Result<Arc<Self>> {
        let event = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let no_place = epoll::EventData::new_u64(u64::MAX);
        let flags = epoll::EventFlags::IN | epoll::EventFlags::ET;
        epoll::add(&reactor.epoll, &event, no_place, flags)?;
        reactor.is_turned.set(true);
        Ok(Arc::new(Self {
            event,
            is_rung: AtomicBool::new(true),
            sleeps: AtomicBool::new(false),
        }))
    }
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.is_rung.swap(true, Ordering::SeqCst) && self.sleeps.load(Ordering::SeqCst) {
            // Nobody ever reads it: each write is news.
            let _ = rustix::io::write(&self.event, &1_u64.to_ne_bytes());
        }
    }
}

/// Runs the loop on this thread, and what needs the runtime on one of its own, which ends with it.
pub(crate) fn block_on<T>(
    runtime: tokio::runtime::Runtime,
    future: impl Future<Output = T>,
) -> io::Result<T> {
    let reactor = Reactor::of_this_thread()?;
    let alarm = Alarm::of(&reactor)?;
    let handle = runtime.handle().clone();
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let (over, is_over) = std::sync::mpsc::channel::<()>();
    let thread = std::thread::Builder::new().name("runtime".to_owned());
    thread.spawn(move || {
        let _over = over;
        // It ends when the other end of the channel is dropped.
        let _ = runtime.block_on(ended);
        // A name that is still being asked for must not hold up the end.
        runtime.shutdown_background();
    })?;
    let done = {
        let _inside = handle.enter();
        run(&reactor, &alarm, future)
    };
    drop(end);
    // What panicked there has said so, and what stands still there must not hold up the end.
    let _ = is_over.recv_timeout(OVER_WITHIN);
    Ok(done)
}

/// From the end of the loop to that of the runtime.
const OVER_WITHIN: Duration = Duration::from_secs(2);

fn run<T>(reactor: &Reactor, alarm: &Arc<Alarm>, future: impl Future<Output = T>) -> T {
    let waker = Waker::from(Arc::clone(alarm));
    let mut cx = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if alarm.is_rung.swap(false, Ordering::SeqCst)
            && let Poll::Ready(done) = future.as_mut().poll(&mut cx)
        {
            return done;
        }
        // Whoever rings from here on sees that it sleeps, or is seen.
        alarm.sleeps.store(true, Ordering::SeqCst);
        let at_once = Timespec::default();
        let limit = alarm.is_rung.load(Ordering::SeqCst).then_some(&at_once);
        // What is told rings the alarm as well: nobody has to be woken for that.
        reactor.turn(limit, || alarm.sleeps.store(false, Ordering::SeqCst));
    }
}

/// News that one wait brings at most.
const EVENTS: usize = 16;

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::os::unix::net::UnixStream;

    use super::*;

    fn pair(interest: Interest) -> (Watched, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        (Watched::new(ours.into(), interest).unwrap(), theirs)
    }

    fn on_own_reactor<T>(future: impl Future<Output = T>) -> T {
        block_on(crate::cli::runtime().unwrap(), future).unwrap()
    }

    #[test]
    fn a_byte_is_news_once_and_the_end_is_news_that_stays() {
        on_own_reactor(async {
            let (watched, mut other) = pair(Interest::Readable);
            let now = Context::from_waker(Waker::noop());
            assert!(watched.poll_ready(&now).is_pending());
            std::io::Write::write_all(&mut other, b"x").unwrap();
            poll_fn(|cx| watched.poll_ready(cx)).await;
            watched.clear_ready();
            assert!(watched.poll_ready(&now).is_pending() && !watched.is_closed());
            drop(other);
            poll_fn(|cx| watched.poll_ready(cx)).await;
            watched.clear_ready();
            assert!(watched.poll_ready(&now).is_ready() && watched.is_closed());
        });
    }

    #[test]
    fn room_is_news_and_a_place_is_given_again() {
        on_own_reactor(async {
            let (watched, _other) = pair(Interest::Writable);
            let place = watched.place;
            poll_fn(|cx| watched.poll_ready(cx)).await;
            drop(watched);
            let (watched, _other) = pair(Interest::Readable);
            assert_eq!(watched.place, place);
            let now = Context::from_waker(Waker::noop());
            assert!(watched.poll_ready(&now).is_pending());
        });
    }

    /// What the runtime does on its thread wakes the loop on this one: a timer, a task, a blocking call.
    #[test]
    fn the_runtime_wakes_the_loop() {
        let sum = on_own_reactor(async {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            let task = tokio::spawn(async { 1 }).await.unwrap();
            let call = tokio::task::spawn_blocking(|| 2).await.unwrap();
            task + call
        });
        assert_eq!(sum, 3);
    }

    /// A system call for each piece of data, and a turn in vain: nobody would see it but by the CPU that it takes.
    #[test]
    fn only_another_thread_ends_the_wait_by_the_alarm() {
        let reactor = Reactor::of_this_thread().unwrap();
        let alarm = Alarm::of(&reactor).unwrap();
        let rung = || rustix::io::read(&alarm.event, &mut [0; 8]).is_ok();
        let (watched, mut other) = pair(Interest::Readable);
        std::io::Write::write_all(&mut other, b"x").unwrap();
        run(&reactor, &alarm, poll_fn(|cx| watched.poll_ready(cx)));
        assert!(!rung());
        let mut thread = None;
        let mut is_polled_again = false;
        let rings = poll_fn(|cx| {
            if std::mem::replace(&mut is_polled_again, true) {
                return Poll::Ready(());
            }
            let (waker, alarm) = (cx.waker().clone(), Arc::clone(&alarm));
            thread = Some(std::thread::spawn(move || {
                while !alarm.sleeps.load(Ordering::SeqCst) {
                    std::thread::yield_now();
                }
                waker.wake();
            }));
            Poll::Pending
        });
        alarm.is_rung.store(true, Ordering::SeqCst);
        run(&reactor, &alarm, rings);
        thread.unwrap().join().unwrap();
        assert!(rung());
    }

    #[test]
    fn whoever_rings_while_the_loop_runs_is_heard() {
        let mut runs = 0;
        on_own_reactor(poll_fn(|cx| {
            runs += 1;
            cx.waker().wake_by_ref();
            if runs < 3 {
                Poll::Pending
            } else {
                Poll::Ready(())
            }
        }));
        assert_eq!(runs, 3);
    }
}
