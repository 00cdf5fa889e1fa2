//! The working modes (manual 2.1): what becomes of a frame of the DTE, and of what the network sends.
//!
//! A mode is a file here that implements [`Mode`], and a line in the list of [`working_modes`]. It names no other part of
//! the device: it is lent a [`Cx`], writes outputs, and asks for the rest by acts.

use alloc::boxed::Box;
use alloc::sync::Arc;
use bytes::Bytes;
use core::fmt::Debug;

use crate::config::{FrameKind, LineFormat, Options, WorkingMode, working_modes};
use crate::cx::{Cx, View};
use crate::drops::Dropped;
use crate::event::{Deadline, Lost, QueueId, SOCKETS, SocketId, SocketInput, Timer};
use crate::net::{LineShare, Pause};
use crate::status::{Loss, Losses, Status};
use crate::time::Instant;

use at::AtConnection;
use httpd::Httpd;
use packets::Packets;
use seldom::Seldom;
use sms::Sms;
use transparent::Transparent;

pub(crate) mod at;
pub(crate) mod httpd;
pub(crate) mod packets;
mod seldom;
mod sms;
#[cfg(test)]
mod tests;
pub(crate) mod transparent;

/// A working mode. Only what it is about is its own to say: all but how it starts, stops and takes a frame has a default.
pub(crate) trait Mode: Debug {
    /// A mode that does not run.
    fn new(options: &Arc<Options>) -> Self
    where
        Self: Sized;

    /// The mode begins; or it goes on, and settings may have changed: what did not goes on undisturbed.
    fn start(&mut self, cx: &mut Cx<'_>);

    /// The mode ends, or rests already: what waits stays.
    fn stop(&mut self, why: Stop, cx: &mut Cx<'_>);

    /// A frame of the DTE. The mode need not run: then it waits.
    fn frame(&mut self, frame: &Bytes, cx: &mut Cx<'_>);

    /// A frame of the set-up window, which the device stops in: it waits for the mode that would have begun.
    fn keep(&mut self, frame: &Bytes, cx: &mut Cx<'_>) {
        cx.acts.push_back(crate::act::Act::Passes);
        self.frame(frame, cx);
    }

    /// Whether a frame is the middle of something larger, so that no command can begin.
    fn is_inside(&self) -> bool {
        false
    }

    /// Something happened to one of its sockets.
    fn socket(&mut self, _socket: SocketId, _input: SocketInput<'_>, _cx: &mut Cx<'_>) {}

    /// The network is there, or gone.
    fn network(&mut self, _cx: &mut Cx<'_>) {}

    /// When [`Mode::fire`] is to be called.
    fn deadline(&self, _view: &View<'_>) -> Option<Instant> {
        None
    }

    /// A deadline has come.
    fn fire(&mut self, _cx: &mut Cx<'_>) {}

    /// All that it asked for before its [`crate::act::Act::GoOn`] is done.
    fn go_on(&mut self, _cx: &mut Cx<'_>) {}

    /// After each input: what another part has done may have made something possible.
    fn settle(&mut self, _cx: &mut Cx<'_>) {}

    /// After each input, behind replies and messages: hands on what it has kept from the DTE and need not any longer.
    fn release(&mut self, _cx: &mut Cx<'_>) {}

    /// After each input: what the serial line means for its clocks.
    fn line_moved(&mut self, _line: &LineView<'_>, _now: Instant) {}

    /// What keeps the serial line from being read for want of room, while the mode is set.
    fn pause(&self, _now: Instant) -> Option<Pause> {
        None
    }

    /// Whether the host has still to say that something is closed.
    fn is_closing(&self) -> bool {
        false
    }

    /// Whether it has a connection.
    fn is_up(&self) -> bool {
        false
    }

    /// A frame of an earlier run, with its number on the spool.
    fn restore(&mut self, _queue: QueueId, _number: u64, _frame: Bytes, _cx: &mut Cx<'_>) {}

    /// The frames that wait, oldest first, with their numbers.
    fn undelivered(&self, _queue: QueueId) -> Box<dyn Iterator<Item = (u64, &Bytes)> + '_> {
        Box::new(core::iter::empty())
    }

    /// What frames of the DTE are for it, from when it begins.
    fn frames() -> FrameKind
    where
        Self: Sized,
    {
        FrameKind::Data
    }

    /// Whether short messages are data for the DTE.
    fn prints_messages() -> bool
    where
        Self: Sized,
    {
        false
    }

    /// Puts what it is doing, and what it has counted, into a snapshot that has the rest already.
    fn show(&self, _status: &mut Status) {}

    /// Gives what was dropped so far, place by place.
    fn drops(&self, _put: &mut dyn FnMut(Dropped)) {}

    /// The host lost something of one of its sockets: to be counted.
    fn lost(&mut self, _lost: Lost, _options: &Arc<Options>) {}

    /// What left one of its queues undelivered, or found no place on the spool.
    fn loss(&self, _queue: QueueId) -> Loss {
        Loss::default()
    }

    /// Adds to that. What was dropped had come in, too.
    fn add_loss(&mut self, _queue: QueueId, _loss: Loss, _options: &Arc<Options>) {}

    /// Shows each counter of something lost or refused that is not one of a queue, with its place in
    /// [`Losses::others`].
    fn other_losses(&mut self, _look: &mut dyn FnMut(usize, &mut u64)) {}

    /// Adds what earlier runs have lost. Called once, before anything is counted, and behind [`Mode::add_loss`]: all that
    /// the mode has seen so far are losses.
    fn restore_losses(&mut self, others: &[u64; Losses::OTHERS], _options: &Arc<Options>) {
        self.other_losses(&mut |place, counter| add_loss(counter, others[place]));
    }
}

/// A counter of an earlier run can be anything.
const fn add_loss(counter: &mut u64, loss: u64) {
    *counter = counter.saturating_add(loss);
}

/// Why a mode stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The last frames come before it ends. What they would begin now ends with its connection at once: they wait.
    LastFrames,
    /// The device stops as soon as it can: nothing begins any more, and what is up has time to get the last bytes out.
    Soon,
    /// The device restarts or stops.
    Now,
    /// Another mode is set.
    OtherMode,
}

/// What the serial line means for the modes.
#[derive(Debug)]
pub(crate) struct LineView<'a> {
    /// Of each socket: how many bytes wait for the DTE.
    pub(crate) waiting: &'a [usize],
    /// Of each socket: whether it is read. `None`: all are.
    pub(crate) read: Option<&'a [bool; SOCKETS]>,
    /// Whether the device reads the DTE.
    pub(crate) is_read: bool,
    /// Whether no byte of the DTE waits to become a frame.
    pub(crate) is_quiet: bool,
    pub(crate) format: LineFormat,
}

impl LineView<'_> {
    /// What it means for the connection of this socket.
    pub(crate) fn share(&self, socket: SocketId) -> LineShare {
        let index = socket.index();
        LineShare {
            is_read: self.read.is_none_or(|read| read[index]),
            unread: self.waiting.get(index).is_some_and(|bytes| *bytes > 0),
        }
    }
}

macro_rules! modes {
    ($($(#[$attr:meta])* $number:literal: $working:ident, $name:literal $(, $word:literal)?
        => ($mode:ident: $type:ty, [$($socket:pat)?], [$($queue:pat)?]);)*) => {
        /// All modes. Nobody else knows which one runs.
        #[derive(Debug)]
        pub(crate) struct Modes {
            /// The mode in force.
            in_force: WorkingMode,
            /// Whether it has begun since power-on.
            is_started: bool,
            $($(#[$attr])* pub(crate) $mode: $type,)*
        }

        // Always in line: there the calls are those of the mode itself, not of some mode.
        impl Modes {
            pub(crate) fn new(set: WorkingMode, options: &Arc<Options>) -> Self {
                Self {
                    in_force: set,
                    is_started: false,
                    $($(#[$attr])* $mode: Mode::new(options),)*
                }
            }

            #[inline(always)]
            fn with<R>(&mut self, which: WorkingMode, run: impl FnOnce(&mut dyn Mode) -> R) -> R {
                match which {
                    $($(#[$attr])* WorkingMode::$working => run(&mut self.$mode),)*
                }
            }

            #[inline(always)]
            fn look<R>(&self, which: WorkingMode, look: impl FnOnce(&dyn Mode) -> R) -> R {
                match which {
                    $($(#[$attr])* WorkingMode::$working => look(&self.$mode),)*
                }
            }

            #[inline(always)]
            fn each(&mut self, mut run: impl FnMut(WorkingMode, &mut dyn Mode)) {
                $($(#[$attr])* { run(WorkingMode::$working, &mut self.$mode); })*
            }

            #[inline(always)]
            fn look_at_each(&self, mut look: impl FnMut(WorkingMode, &dyn Mode)) {
                $($(#[$attr])* { look(WorkingMode::$working, &self.$mode); })*
            }

            #[inline(always)]
            fn any(&self, is_so: impl Fn(&dyn Mode) -> bool) -> bool {
                $($(#[$attr])* { if is_so(&self.$mode) { return true; } })*
                false
            }

            /// What frames of the DTE are for the mode in force.
            pub(crate) fn frames(&self) -> FrameKind {
                match self.in_force {
                    $($(#[$attr])* WorkingMode::$working => <$type as Mode>::frames(),)*
                }
            }

            /// Whether short messages are data for the DTE in this mode.
            pub(crate) fn prints_messages(which: WorkingMode) -> bool {
                match which {
                    $($(#[$attr])* WorkingMode::$working => <$type as Mode>::prints_messages(),)*
                }
            }

            /// The nearest deadline; at one time, that of the mode that is last in the list.
            pub(crate) fn deadline(&self, view: &View<'_>) -> Option<Deadline> {
                let mut earliest: Option<Deadline> = None;
                $($(#[$attr])* {
                    if let Some(at) = self.$mode.deadline(view)
                        && earliest.is_none_or(|known| at <= known.at)
                    {
                        let timer = Timer::Mode(WorkingMode::$working);
                        earliest = Some(Deadline { at, timer });
                    }
                })*
                earliest
            }

            /// The mode whose socket this is does something.
            #[inline(always)]
            fn with_owner(&mut self, socket: SocketId, run: impl FnOnce(&mut dyn Mode)) {
                match socket {
                    $($($socket => run(&mut self.$mode),)?)*
                }
            }

            /// The mode whose frames wait in this queue.
            fn keeper(&self, queue: QueueId) -> &dyn Mode {
                match queue {
                    $($($queue => &self.$mode,)?)*
                }
            }

            fn keeper_mut(&mut self, queue: QueueId) -> &mut dyn Mode {
                match queue {
                    $($($queue => &mut self.$mode,)?)*
                }
            }
        }
    };
}

working_modes!(modes);

impl Modes {
    /// The mode in force: that which runs, or ran before the device started over.
    pub(crate) const fn in_force(&self) -> WorkingMode {
        self.in_force
    }

    /// Whether it has begun since power-on.
    pub(crate) const fn is_started(&self) -> bool {
        self.is_started
    }

    /// Whether this mode runs.
    pub(crate) fn runs(&self, which: WorkingMode) -> bool {
        self.is_started && self.in_force == which
    }

    /// Something happened to a socket.
    pub(crate) fn socket(&mut self, socket: SocketId, input: SocketInput<'_>, cx: &mut Cx<'_>) {
        self.with_owner(socket, |mode| mode.socket(socket, input, cx));
    }

    /// A frame of an earlier run, with its number on the spool.
    pub(crate) fn restore(&mut self, queue: QueueId, number: u64, frame: Bytes, cx: &mut Cx<'_>) {
        self.keeper_mut(queue).restore(queue, number, frame, cx);
    }

    /// The frames that wait in a queue, oldest first, with their numbers.
    pub(crate) fn undelivered(&self, queue: QueueId) -> impl Iterator<Item = (u64, &Bytes)> {
        self.keeper(queue).undelivered(queue)
    }

    /// They put what they are doing, and what they have counted, into a snapshot that has the rest already.
    pub(crate) fn show(&self, status: &mut Status) {
        self.look_at_each(|_, mode| mode.show(status));
    }

    /// They give what was dropped so far, place by place.
    pub(crate) fn drops(&self, put: &mut dyn FnMut(Dropped)) {
        self.look_at_each(|_, mode| mode.drops(put));
    }

    /// The host lost something of this socket.
    pub(crate) fn lost(&mut self, socket: SocketId, lost: Lost, options: &Arc<Options>) {
        self.with_owner(socket, |mode| mode.lost(lost, options));
    }

    /// What left a queue undelivered, or found no place on its spool.
    pub(crate) fn loss(&self, queue: QueueId) -> Loss {
        self.keeper(queue).loss(queue)
    }

    /// Adds to that.
    pub(crate) fn add_loss(&mut self, queue: QueueId, loss: Loss, options: &Arc<Options>) {
        if loss != Loss::default() {
            self.keeper_mut(queue).add_loss(queue, loss, options);
        }
    }

    /// They show each counter of something lost or refused that is not one of a queue, with its place in
    /// [`Losses::others`].
    pub(crate) fn other_losses(&mut self, look: &mut dyn FnMut(usize, &mut u64)) {
        self.each(|_, mode| mode.other_losses(look));
    }

    /// They add what earlier runs have lost.
    pub(crate) fn restore_losses(&mut self, losses: &Losses, options: &Arc<Options>) {
        for queue in QueueId::ALL {
            self.add_loss(queue, losses.queues[queue.index()], options);
        }
        self.each(|_, mode| mode.restore_losses(&losses.others, options));
    }

    /// The device starts over; the mode begins later.
    pub(crate) const fn power_on(&mut self) {
        self.is_started = false;
        self.transparent.power_on();
    }

    /// This mode is in force. It begins with [`Modes::apply`].
    pub(crate) const fn set(&mut self, which: WorkingMode) {
        self.in_force = which;
    }

    /// The mode that is set begins; or it goes on with settings that may have changed. The others stop.
    pub(crate) fn apply(&mut self, cx: &mut Cx<'_>) {
        self.is_started = true;
        let in_force = self.in_force;
        self.each(|which, mode| {
            if which == in_force {
                mode.start(cx);
            } else {
                mode.stop(Stop::OtherMode, cx);
            }
        });
    }

    /// All stop.
    pub(crate) fn stop(&mut self, why: Stop, cx: &mut Cx<'_>) {
        self.each(|_, mode| mode.stop(why, cx));
    }

    /// A frame of the DTE.
    pub(crate) fn frame(&mut self, frame: &Bytes, cx: &mut Cx<'_>) {
        // mutant: mode-in-force
        let which = self.in_force;
        self.with(which, |mode| mode.frame(frame, cx));
    }

    /// A frame of the set-up window, which the device stops in.
    pub(crate) fn keep(&mut self, frame: &Bytes, cx: &mut Cx<'_>) {
        self.with(self.in_force, |mode| mode.keep(frame, cx));
    }

    /// Whether a frame is the middle of something larger, so that no command can begin.
    pub(crate) fn is_inside(&self) -> bool {
        self.look(self.in_force, |mode| mode.is_inside())
    }

    /// The network is there, or gone.
    pub(crate) fn network(&mut self, cx: &mut Cx<'_>) {
        self.each(|_, mode| mode.network(cx));
    }

    /// The deadline of a mode has come.
    pub(crate) fn fire(&mut self, which: WorkingMode, cx: &mut Cx<'_>) {
        self.with(which, |mode| mode.fire(cx));
    }

    /// All that a mode asked for before its [`crate::act::Act::GoOn`] is done.
    pub(crate) fn go_on(&mut self, which: WorkingMode, cx: &mut Cx<'_>) {
        self.with(which, |mode| mode.go_on(cx));
    }

    /// What another part has done may have made something possible.
    pub(crate) fn settle(&mut self, cx: &mut Cx<'_>) {
        self.each(|_, mode| mode.settle(cx));
    }

    /// They hand on what they have kept from the DTE and need not any longer.
    pub(crate) fn release(&mut self, cx: &mut Cx<'_>) {
        self.each(|_, mode| mode.release(cx));
    }

    /// What the serial line means for their clocks.
    pub(crate) fn line_moved(&mut self, line: &LineView<'_>, now: Instant) {
        self.each(|_, mode| mode.line_moved(line, now));
    }

    /// What keeps the serial line from being read for want of room. What comes before a mode has begun is for the one that
    /// is set.
    pub(crate) fn pause(&self, set: WorkingMode, now: Instant) -> Option<Pause> {
        let which = if self.is_started { self.in_force } else { set };
        self.look(which, |mode| mode.pause(now))
    }

    /// Whether the host has still to say that something is closed.
    pub(crate) fn is_closing(&self) -> bool {
        // mutant: stop-waits
        self.any(|mode| mode.is_closing())
    }

    /// Whether there is a connection.
    pub(crate) fn is_up(&self) -> bool {
        self.any(|mode| mode.is_up())
    }
}
