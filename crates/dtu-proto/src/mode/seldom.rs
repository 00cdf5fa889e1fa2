//! A mode that takes no memory before it is used.

use alloc::boxed::Box;
use alloc::sync::Arc;
use bytes::Bytes;

use super::{LineView, Mode, Stop};
use crate::config::Options;
use crate::cx::{Cx, View};
use crate::event::{QueueId, SocketId, SocketInput};
use crate::net::Pause;
use crate::time::Instant;

/// The mode, if it was ever used: it has run, or something waits for it.
#[derive(Debug)]
pub(crate) struct Seldom<M>(Option<Box<M>>);

impl<M: Mode> Seldom<M> {
    pub(crate) fn get(&self) -> Option<&M> {
        self.0.as_deref()
    }

    pub(crate) fn get_mut(&mut self) -> Option<&mut M> {
        self.0.as_deref_mut()
    }

    /// It is used from now on.
    pub(crate) fn make(&mut self, options: &Arc<Options>) -> &mut M {
        self.0.get_or_insert_with(|| Box::new(M::new(options)))
    }
}

/// Each input asks all modes for some things. In line, what the seldom ones answer would take the registers of the one that
/// is always there.
#[inline(never)]
fn out_of_the_way<R>(answer: impl FnOnce() -> R) -> R {
    answer()
}

impl<M: Mode> Mode for Seldom<M> {
    fn new(_options: &Arc<Options>) -> Self {
        Self(None)
    }

    fn start(&mut self, cx: &mut Cx<'_>) {
        self.make(cx.options).start(cx);
    }

    fn stop(&mut self, why: Stop, cx: &mut Cx<'_>) {
        if let Some(mode) = &mut self.0 {
            mode.stop(why, cx);
        }
    }

    fn frame(&mut self, frame: &Bytes, cx: &mut Cx<'_>) {
        self.make(cx.options).frame(frame, cx);
    }

    fn keep(&mut self, frame: &Bytes, cx: &mut Cx<'_>) {
        self.make(cx.options).keep(frame, cx);
    }

    fn is_inside(&self) -> bool {
        self.0.as_ref().is_some_and(|mode| mode.is_inside())
    }

    fn socket(&mut self, socket: SocketId, input: SocketInput<'_>, cx: &mut Cx<'_>) {
        if let Some(mode) = &mut self.0 {
            out_of_the_way(|| mode.socket(socket, input, cx));
        }
    }

    fn network(&mut self, cx: &mut Cx<'_>) {
        if let Some(mode) = &mut self.0 {
            mode.network(cx);
        }
    }

    fn deadline(&self, view: &View<'_>) -> Option<Instant> {
        let mode = self.0.as_ref()?;
        out_of_the_way(|| mode.deadline(view))
    }

    fn fire(&mut self, cx: &mut Cx<'_>) {
        if let Some(mode) = &mut self.0 {
            mode.fire(cx);
        }
    }

    fn go_on(&mut self, cx: &mut Cx<'_>) {
        if let Some(mode) = &mut self.0 {
            mode.go_on(cx);
        }
    }

    fn settle(&mut self, cx: &mut Cx<'_>) {
        if let Some(mode) = &mut self.0 {
            mode.settle(cx);
        }
    }

    fn release(&mut self, cx: &mut Cx<'_>) {
        if let Some(mode) = &mut self.0 {
            mode.release(cx);
        }
    }

    fn line_moved(&mut self, line: &LineView<'_>, now: Instant) {
        if let Some(mode) = &mut self.0 {
            out_of_the_way(|| mode.line_moved(line, now));
        }
    }

    fn pause(&self, now: Instant) -> Option<Pause> {
        let mode = self.0.as_ref()?;
        out_of_the_way(|| mode.pause(now))
    }

    fn is_closing(&self) -> bool {
        self.0.as_ref().is_some_and(|mode| mode.is_closing())
    }

    fn is_up(&self) -> bool {
        self.0.as_ref().is_some_and(|mode| mode.is_up())
    }

    fn restore(&mut self, queue: QueueId, number: u64, frame: Bytes, cx: &mut Cx<'_>) {
        self.make(cx.options).restore(queue, number, frame, cx);
    }

    fn undelivered(&self, queue: QueueId) -> Box<dyn Iterator<Item = (u64, &Bytes)> + '_> {
        Box::new(self.0.iter().flat_map(move |mode| mode.undelivered(queue)))
    }
}
