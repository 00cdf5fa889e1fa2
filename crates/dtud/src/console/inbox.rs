//! Questions of other threads to the loop. While there are none they cost it one look at a flag.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, PoisonError};

use dtu_console::device::{Order, Sets};
use dtu_setup::Sentence;
use serde_json::Value;

use crate::control::Control;

/// A question, with the way for its answer. Who asks may have gone by then.
pub(crate) enum What {
    /// How the device is.
    Status(SyncSender<Value>),
    /// The sets of settings.
    Sets(SyncSender<Sets>),
    /// Messages and calls.
    Messages(SyncSender<Value>),
    /// Something is to happen.
    Order(Order, SyncSender<Result<(), Sentence>>),
    /// An AT line is to run.
    Line(Line),
}

/// An AT line; its answer, why it did not run, or nothing where no answer came.
pub(crate) struct Line {
    pub(crate) text: String,
    pub(crate) purpose: Purpose,
    pub(crate) answer: SyncSender<Result<String, Sentence>>,
}

/// What a line is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// For itself.
    #[default]
    Own,
    /// It is the first of those that read all settings.
    ReadsFirst,
    /// It is another one of those.
    Reads,
}

/// The questions that wait.
#[derive(Default)]
pub(crate) struct Inbox {
    waiting: Mutex<VecDeque<What>>,
    any: AtomicBool,
    control: Arc<Control>,
}

impl Inbox {
    pub(crate) fn new(control: Arc<Control>) -> Self {
        Self {
            control,
            ..Self::default()
        }
    }

    /// Asks; false: too many wait.
    pub(super) fn ask(&self, what: What) -> bool {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() >= WAITING_MAX {
            return false;
        }
        waiting.push_back(what);
        drop(waiting);
        self.any.store(true, Ordering::Release);
        self.control.wake();
        true
    }

    pub(super) fn next(&self) -> Option<What> {
        if !self.any.load(Ordering::Acquire) {
            return None;
        }
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let next = waiting.pop_front();
        self.any.store(!waiting.is_empty(), Ordering::Release);
        next
    }
}

/// One for each thread that may ask, and some.
const WAITING_MAX: usize = 64;
