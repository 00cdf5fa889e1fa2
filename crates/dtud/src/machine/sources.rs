//! Which sources have something for the loop. Each has a waker of its own, so that a wake-up of one is no look at all.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Wake, Waker};

use dtu_proto::event::{SOCKETS, SocketId};

/// Somebody that the loop looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Socket(SocketId),
    Line,
    Modem,
    Disk,
    /// Who asks: signals, `dtud status`, the web console.
    Asker,
}

impl Source {
    const fn index(self) -> usize {
        match self {
            Self::Socket(socket) => socket.index(),
            Self::Line => SOCKETS,
            Self::Modem => SOCKETS + 1,
            Self::Disk => SOCKETS + 2,
            Self::Asker => SOCKETS + 3,
        }
    }

    const fn bit(self) -> u32 {
        1 << self.index()
    }
}

const SOURCES: usize = SOCKETS + 4;

/// Some of the sources.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Set(u32);

impl Set {
    pub(super) const fn has(self, source: Source) -> bool {
        self.0 & source.bit() != 0
    }

    /// Whether one of these is in it.
    pub(super) fn meets(self, sources: &[Source]) -> bool {
        sources.iter().any(|source| self.has(*source))
    }

    pub(super) const fn set(&mut self, source: Source, is_in: bool) {
        if is_in {
            self.0 |= source.bit();
        } else {
            self.0 &= !source.bit();
        }
    }
}

/// The sources, as they wake the loop.
#[derive(Clone)]
pub(super) struct Sources(Arc<Inner>);

struct Inner {
    ready: Arc<Marks>,
    wakers: [Waker; SOURCES],
}

#[derive(Default)]
struct Marks {
    ready: AtomicU32,
    task: Mutex<Option<Waker>>,
}

struct Mark {
    bit: u32,
    marks: Arc<Marks>,
}

impl Wake for Mark {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.marks.ready.fetch_or(self.bit, Ordering::AcqRel);
        let task = self.marks.task.lock();
        if let Some(task) = &*task.unwrap_or_else(PoisonError::into_inner) {
            task.wake_by_ref();
        }
    }
}

impl Sources {
    /// All of them have something to tell.
    pub(super) fn new() -> Self {
        let marks = Arc::new(Marks::default());
        let waker = |index| {
            let (bit, marks) = (1_u32 << index, Arc::clone(&marks));
            Waker::from(Arc::new(Mark { bit, marks }))
        };
        let sources = Self(Arc::new(Inner {
            wakers: std::array::from_fn(waker),
            ready: marks,
        }));
        sources.mark_all();
        sources
    }

    /// The task to wake, which may be another at each call.
    pub(super) fn wake(&self, task: &Waker) {
        let mut known = self.0.ready.task.lock();
        let known = known.as_deref_mut();
        let known = known.unwrap_or_else(|poisoned| poisoned.get_mut());
        match known {
            Some(known) => known.clone_from(task),
            None => *known = Some(task.clone()),
        }
    }

    /// In which a source is polled or given an order.
    pub(super) fn context(&self, source: Source) -> Context<'_> {
        Context::from_waker(self.waker(source))
    }

    pub(super) fn waker(&self, source: Source) -> &Waker {
        &self.0.wakers[source.index()]
    }

    /// It is to be looked at without any news of its own: it was given an order, or has told what need not be all.
    pub(super) fn mark(&self, source: Source) {
        self.0.ready.ready.fetch_or(source.bit(), Ordering::AcqRel);
    }

    pub(super) fn mark_all(&self) {
        self.0
            .ready
            .ready
            .store((1 << SOURCES) - 1, Ordering::Release);
    }

    /// Those that are marked, which none is any more.
    pub(super) fn take(&self) -> Set {
        Set(self.0.ready.ready.swap(0, Ordering::AcqRel))
    }

    pub(super) fn is_any_ready(&self) -> bool {
        self.0.ready.ready.load(Ordering::Acquire) != 0
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[derive(Default)]
    struct Calls(AtomicUsize);

    impl Wake for Calls {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn all() -> impl Iterator<Item = Source> {
        let others = [Source::Line, Source::Modem, Source::Disk, Source::Asker];
        SocketId::ALL.into_iter().map(Source::Socket).chain(others)
    }

    #[test]
    fn each_source_has_a_mark_of_its_own() {
        let sources = Sources::new();
        assert!(
            all().all(|source| sources.0.ready.ready.load(Ordering::Relaxed) & source.bit() != 0)
        );
        sources.take();
        for source in all() {
            sources.waker(source).wake_by_ref();
            let ready = sources.take();
            let marked: Vec<Source> = all().filter(|other| ready.has(*other)).collect();
            assert_eq!(marked, [source]);
        }
        assert!(!sources.is_any_ready());
    }

    #[test]
    fn a_source_wakes_the_task_that_polled_last() {
        let (sources, first, last) = (
            Sources::new(),
            Arc::<Calls>::default(),
            Arc::<Calls>::default(),
        );
        sources.wake(&Arc::clone(&first).into());
        sources.wake(&Arc::clone(&last).into());
        sources.waker(Source::Line).wake_by_ref();
        assert_eq!(
            (
                first.0.load(Ordering::Relaxed),
                last.0.load(Ordering::Relaxed)
            ),
            (0, 1)
        );
        sources.mark(Source::Disk);
        assert_eq!(
            last.0.load(Ordering::Relaxed),
            1,
            "a mark is for the loop that is awake"
        );
    }
}
