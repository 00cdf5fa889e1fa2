//! A mode that takes no memory before it is used.

use alloc::boxed::Box;
use alloc::sync::Arc;
use bytes::Bytes;

use super::{LineView, Mode, Stop};
use crate::config::{FrameKind, Options};
use crate::cx::{Cx, View};
use crate::drops::Dropped;
use crate::event::{Lost, QueueId, SocketId, SocketInput};
use crate::net::Pause;
use crate::status::{Loss, Losses, Status};
use crate::time::Instant;

/// The mode, if it was ever used: it has run, or something waits for it.
#[derive(Debug)]
pub(crate) struct Seldom<M>(Option<Box<M>>);

impl<M: Mode> Seldom<M> {
    /// It is used from now on.
    pub(crate) fn make(&mut self, options: &Arc<Options>) -> &mut M {
        self.0.get_or_insert_with(|| Box::new(M::new(options)))
    }

    #[cfg(test)]
    pub(crate) const fn is_made(&self) -> bool {
        self.0.is_some()
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

    fn frames() -> FrameKind {
        M::frames()
    }

    fn prints_messages() -> bool {
        M::prints_messages()
    }

    fn show(&self, status: &mut Status) {
        if let Some(mode) = &self.0 {
            mode.show(status);
        }
    }

    fn drops(&self, put: &mut dyn FnMut(Dropped)) {
        if let Some(mode) = &self.0 {
            mode.drops(put);
        }
    }

    fn lost(&mut self, lost: Lost, options: &Arc<Options>) {
        self.make(options).lost(lost, options);
    }

    fn loss(&self, queue: QueueId) -> Loss {
        self.0
            .as_ref()
            .map(|mode| mode.loss(queue))
            .unwrap_or_default()
    }

    fn add_loss(&mut self, queue: QueueId, loss: Loss, options: &Arc<Options>) {
        self.make(options).add_loss(queue, loss, options);
    }

    fn other_losses(&mut self, look: &mut dyn FnMut(usize, &mut u64)) {
        if let Some(mode) = &mut self.0 {
            mode.other_losses(look);
        }
    }

    /// A mode that has lost something in an earlier run is there in this one.
    fn restore_losses(&mut self, others: &[u64; Losses::OTHERS], options: &Arc<Options>) {
        let mut has_lost = self.0.is_some();
        if !has_lost {
            M::new(options).other_losses(&mut |place, _| has_lost |= others[place] > 0);
        }
        if has_lost {
            self.make(options).restore_losses(others, options);
        }
    }

    fn undelivered(&self, queue: QueueId) -> Box<dyn Iterator<Item = (u64, &Bytes)> + '_> {
        Box::new(self.0.iter().flat_map(move |mode| mode.undelivered(queue)))
    }
}
