//! The host's clock and the one timer of the loop.

use std::pin::Pin;
use std::task::{Context, Poll};

use dtu_proto::time::Instant;
use tokio::time::Sleep;

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

    fn to_tokio(self, at: Instant) -> tokio::time::Instant {
        (self.start + at.since(Instant::ZERO)).into()
    }
}

/// One timer for everything. It is set anew only for an earlier time: deadlines mostly move away, and one call too
/// many costs less than setting a timer for each byte.
pub(crate) struct Timer {
    sleep: Option<Pin<Box<Sleep>>>,
    armed: Option<Instant>,
}

impl Timer {
    pub(crate) const fn new() -> Self {
        Self {
            sleep: None,
            armed: None,
        }
    }

    /// Sees to it that the task is woken at `wanted` at the latest. `Ready` = it is time already.
    pub(crate) fn arm(
        &mut self,
        clock: Clock,
        wanted: Option<Instant>,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        let expired = self.armed.is_some_and(|armed| armed <= clock.now());
        let earlier = wanted.is_some_and(|wanted| self.armed.is_none_or(|armed| wanted < armed));
        if !earlier && !expired {
            return Poll::Pending;
        }
        self.armed = wanted;
        let Some(wanted) = wanted else {
            return Poll::Pending;
        };
        let at = clock.to_tokio(wanted);
        let sleep = self
            .sleep
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(at)));
        sleep.as_mut().reset(at);
        let fired = sleep.as_mut().poll(cx);
        if fired.is_ready() {
            self.armed = None;
        }
        fired
    }
}
