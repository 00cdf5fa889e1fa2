//! The host's clock and the one timer of the loop.

use std::io;
use std::task::{Context, Poll};

use dtu_proto::time::Instant;
use rustix::event::Timespec;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, timerfd_create, timerfd_settime,
};

use crate::reactor::{Interest, Watched};

/// Time since the program started.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    start: std::time::Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self {
            start: std::time::Instant::now(),
        }
    }

    pub(crate) fn now(&self) -> Instant {
        let micros = self.start.elapsed().as_micros();
        Instant::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
    }
}

/// One timer for everything, in the kernel: the runtime's own wakes the loop several times on the way to a deadline, and
/// rounds it up to the next millisecond.
///
/// It is set anew only for an earlier time: deadlines mostly move away, and one call too many costs less than setting a
/// timer for each byte.
pub(crate) struct Timer {
    alarm: Watched,
    /// When it goes off.
    armed: Option<Instant>,
}

impl Timer {
    /// Must be called inside the runtime.
    pub(crate) fn new() -> io::Result<Self> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let alarm = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        Ok(Self {
            alarm: Watched::new(alarm, Interest::Readable)?,
            armed: None,
        })
    }

    /// Sees to it that the task is woken at `wanted` at the latest. `Ready` = it is time already.
    pub(crate) fn arm(
        &mut self,
        clock: Clock,
        wanted: Option<Instant>,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        // Nothing is read: it goes off anew only when it is set anew, and that is news to the reactor.
        if self.alarm.poll_ready(cx).is_ready() {
            self.alarm.clear();
            self.armed = None;
        }
        let Some(wanted) = wanted else {
            return Poll::Pending;
        };
        // Also where it has gone off meanwhile: that is news.
        if self.armed.is_some_and(|armed| armed <= wanted) {
            return Poll::Pending;
        }
        let left = wanted.since(clock.now());
        if left.is_zero() {
            return Poll::Ready(());
        }
        self.set(left);
        self.armed = Some(wanted);
        Poll::Pending
    }

    #[inline(never)]
    fn set(&self, left: std::time::Duration) {
        let once = Timespec {
            tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: left.subsec_nanos().into(),
        };
        let never = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        let alarm = Itimerspec {
            it_interval: never,
            it_value: once,
        };
        timerfd_settime(&self.alarm, TimerfdTimerFlags::empty(), &alarm)
            .expect("a timer takes any time that is not negative");
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::time::Duration;

    use super::*;

    /// Waits as the loop does: arms it at each wake-up until it is time. Gives how often it was woken.
    async fn wait(timer: &mut Timer, clock: Clock, wanted: &mut dyn FnMut() -> Instant) -> usize {
        let mut calls = 0;
        poll_fn(|cx| {
            calls += 1;
            timer.arm(clock, Some(wanted()), cx)
        })
        .await;
        calls
    }

    #[tokio::test]
    async fn the_loop_is_woken_once_and_not_early() {
        let (clock, mut timer) = (Clock::start(), Timer::new().unwrap());
        for millis in [30, 1, 7] {
            let at = clock.now() + Duration::from_millis(millis);
            assert_eq!(wait(&mut timer, clock, &mut || at).await, 2);
            assert!(clock.now() >= at);
        }
    }

    #[tokio::test]
    async fn a_deadline_that_moves_away_costs_one_wake_up_in_vain() {
        let (clock, mut timer) = (Clock::start(), Timer::new().unwrap());
        let first = clock.now() + Duration::from_millis(10);
        let mut wanted = [first, first + Duration::from_millis(10)].into_iter();
        let mut last = first;
        let mut next = || {
            last = wanted.next().unwrap_or(last);
            last
        };
        assert_eq!(wait(&mut timer, clock, &mut next).await, 3);
    }

    #[tokio::test]
    async fn an_earlier_deadline_is_kept() {
        let (clock, mut timer) = (Clock::start(), Timer::new().unwrap());
        let late = clock.now() + Duration::from_secs(3600);
        let armed = poll_fn(|cx| Poll::Ready(timer.arm(clock, Some(late), cx))).await;
        assert!(armed.is_pending());
        let soon = clock.now() + Duration::from_millis(5);
        wait(&mut timer, clock, &mut || soon).await;
        assert!(clock.now() >= soon);
    }
}
