//! What reaches the loop from outside of it: signals, or the scene that the demo plays.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;

use tokio::signal::unix::{SignalKind, signal};
use tracing::info;

/// Wishes to the loop; they cost it nothing while there are none.
#[derive(Debug, Default)]
pub(crate) struct Control {
    stop: AtomicBool,
    stopping: AtomicBool,
    reload: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

impl Control {
    /// Asks for an orderly end; the second time, for the end.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        self.stop.store(true, Ordering::Release);
        self.wake();
    }

    /// As `stop`, but never hurries an end that was already asked for.
    pub(crate) fn stop_once(&self) {
        if !self.is_stopping() {
            self.stop();
        }
    }

    /// Whether the end was asked for.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    fn reload(&self) {
        self.reload.store(true, Ordering::Release);
        self.wake();
    }

    pub(crate) fn take_stop(&self) -> bool {
        self.stop.load(Ordering::Acquire) && self.stop.swap(false, Ordering::AcqRel)
    }

    pub(crate) fn take_reload(&self) -> bool {
        self.reload.load(Ordering::Acquire) && self.reload.swap(false, Ordering::AcqRel)
    }

    /// Who is to be woken by a wish.
    pub(crate) fn watch(&self, waker: &Waker) {
        *self.waker.lock().unwrap_or_else(PoisonError::into_inner) = Some(waker.clone());
    }

    /// Somebody has something for the loop.
    pub(crate) fn wake(&self) {
        if let Some(waker) = &*self.waker.lock().unwrap_or_else(PoisonError::into_inner) {
            waker.wake_by_ref();
        }
    }
}

/// What `SIGHUP` means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HangUp {
    /// A daemon: read the settings file again.
    Reload,
    /// A program that lives in a terminal: it is gone.
    Stop,
}

/// Turns the signals of this process into orders.
pub(crate) fn listen_to_signals(control: Arc<Control>, on_hang_up: HangUp) -> std::io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    // A file that reached its size limit (RLIMIT_FSIZE) is an error of that write; unhandled, the signal would end
    // the program. The handler stays when this is dropped.
    drop(signal(SignalKind::from_raw(libc::SIGXFSZ))?);
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => { info!("device: SIGINT, it stops"); control.stop(); }
                _ = terminate.recv() => { info!("device: SIGTERM, it stops"); control.stop(); }
                _ = hang_up.recv() => match on_hang_up {
                    HangUp::Reload => control.reload(),
                    HangUp::Stop => control.stop_once(),
                },
            }
        }
    });
    Ok(())
}
