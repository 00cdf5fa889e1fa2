//! The way to the DTE: what the device has printed, and what it asks about that.

use bytes::Bytes;

use super::port::{Dropped, Purpose, Source};
use super::printer::Situation;
use super::room::LISTEN_HIGH;
use super::{Class, Dialogue, Keep, Line, LineEvent, LineState, Terms, Urc};
use crate::config::{Config, HeartbeatTo};
use crate::cx::Cx;
use crate::event::{Event, Output, SocketId};
use crate::time::{Duration, Instant};

impl Line {
    /// Prints a text, or holds it until its time has come: the printer's table says which.
    pub(crate) fn print(&mut self, class: Class, text: Bytes, dialogue: Dialogue, cx: &mut Cx<'_>) {
        let now = self.situation(dialogue, cx.config);
        let dropped = self.printer.print(class, text, &now, cx);
        self.count_dropped(dropped, None, cx);
    }

    /// Data of the network for the DTE.
    pub(crate) fn print_data(
        &mut self,
        data: Bytes,
        source: Source,
        dialogue: Dialogue,
        cx: &mut Cx<'_>,
    ) {
        let most = LISTEN_HIGH.saturating_sub(data.len());
        if self.waiting_from(source) > most && self.makes_room(source, Terms::of(cx)) {
            let dropped = self.printer.port.make_room(source, most);
            self.count_dropped(dropped, source.socket(), cx);
        }
        self.print(Class::Data(source), data, dialogue, cx);
    }

    /// What the device says amid the data of a mode, to a DTE that need not read it: what finds no room is counted.
    pub(crate) fn tell(&mut self, text: Bytes, dialogue: Dialogue, cx: &mut Cx<'_>) {
        if self.takes_replies() {
            self.print_data(text, Source::Device, dialogue, cx);
        } else {
            self.reply_dropped();
        }
    }

    /// A text for the DTE that was not even made.
    pub(crate) const fn reply_dropped(&mut self) {
        self.counters.dropped_replies += 1;
    }

    /// Whether a text of this class would be printed now.
    pub(crate) fn takes(&self, class: Class, dialogue: Dialogue, config: &Config) -> bool {
        self.printer.takes(class, &self.situation(dialogue, config))
    }

    /// A URC, to be printed when the line rests. False: there is no room for one that counts as told; it is dropped, and
    /// counted.
    pub(crate) fn push_urc(
        &mut self,
        urc: Urc,
        keep: Keep,
        dialogue: Dialogue,
        cx: &mut Cx<'_>,
    ) -> bool {
        let takes = keep != Keep::Always || (self.takes_replies() && self.printer.urcs.has_room());
        if !takes {
            self.counters.dropped_urcs += 1;
            return false;
        }
        let now = self.situation(dialogue, cx.config);
        let dropped = self.printer.push_urc(urc, keep, &now, cx.now);
        self.count_dropped(dropped, None, cx);
        true
    }

    /// The next URC, if it is to be printed by now.
    pub(crate) fn due_urc(&mut self, dialogue: Dialogue, cx: &mut Cx<'_>) -> Option<Urc> {
        let now = self.situation(dialogue, cx.config);
        self.printer.due_urc(&now, cx.now)
    }

    pub(crate) fn print_urc(&mut self, text: Bytes, cx: &mut Cx<'_>) {
        self.printer.print_urc(text, cx);
    }

    pub(crate) fn has_urcs(&self) -> bool {
        !self.printer.urcs.is_empty()
    }

    /// Whoever ends or answers the call is told no more about it.
    pub(crate) fn forget_calls(&mut self) {
        self.printer.urcs.forget_calls();
    }

    /// No call rings any more.
    pub(crate) fn forget_rings(&mut self) {
        self.printer.urcs.forget_rings();
    }

    /// When a `+CMT` that waits since then may be printed: as any other URC, behind those in the queue.
    pub(crate) fn direct_at(
        &self,
        since: Instant,
        dialogue: Dialogue,
        config: &Config,
    ) -> Option<Instant> {
        let can = self.state == LineState::OnlineCommand && self.is_present() && !self.has_urcs();
        let now = self.situation(dialogue, config);
        self.printer
            .rests_at(Keep::Always, since, &now)
            .filter(|_| can)
    }

    /// In the AT mode: prints the data that came while a command was being answered.
    pub(crate) fn print_behind_answer(&mut self, dialogue: Dialogue, cx: &mut Cx<'_>) {
        let now = self.situation(dialogue, cx.config);
        self.printer.print_behind_answer(&now, cx);
    }

    /// Prints what the network sent while the line was no data line.
    pub(crate) fn print_held(&mut self, cx: &mut Cx<'_>) {
        self.printer.port.release_held(cx.outputs);
    }

    /// Whether bytes of the network wait for that.
    pub(crate) fn holds_data(&self) -> bool {
        self.printer.port.holds_back()
    }

    pub(super) fn situation(&self, dialogue: Dialogue, config: &Config) -> Situation {
        Situation {
            state: self.state,
            dialogue,
            echo: config.echo,
            typing: match self.state {
                LineState::Window { .. } => self.window.is_typing(),
                LineState::OnlineCommand | LineState::OnlineData => !self.assembler.is_empty(),
            },
            last_from_dte: self.last_from_dte,
            polls: self.polls,
        }
    }

    /// Writes a text of the device as it is.
    pub(super) fn write(&mut self, text: Bytes, cx: &mut Cx<'_>) {
        self.printer.write_for(Purpose::Text, text, cx);
    }

    pub(super) fn echo(&mut self, bytes: &[u8], cx: &mut Cx<'_>) {
        if cx.config.echo {
            let text = Bytes::copy_from_slice(bytes);
            self.printer.write(Class::Echo, text, cx);
        }
    }

    /// When something for the DTE last came or went out.
    const fn last_to_dte(&self) -> Instant {
        self.printer.last_at()
    }

    /// When the serial line will have been silent long enough. Never inside a frame, and never while something is
    /// on its way to the DTE.
    pub(crate) fn heartbeat_deadline(&self, ending: bool, config: &Config) -> Option<Instant> {
        let on = config.heartbeat_interval > 0
            && !config.heartbeat.is_empty()
            && config.heartbeat_to == HeartbeatTo::Serial;
        if !on {
            return None;
        }
        // mutant: heartbeat-on-quiet-line
        let quiet = self.state == LineState::OnlineData
            && !ending
            && self.has_passed_on_all()
            && self.printer.port.present
            && self.printer.port.is_drained();
        // mutant: heartbeat-after-data
        let last = self.last_from_dte.max(self.last_to_dte());
        quiet.then(|| last + Duration::from_secs(u64::from(config.heartbeat_interval)))
    }

    pub(crate) fn heartbeat(&mut self, cx: &mut Cx<'_>) {
        self.counters.heartbeats += 1;
        self.printer.heartbeat(cx);
    }

    /// The device has started: nothing of an earlier start is printed any more, and the first line is its banner.
    pub(crate) fn start(&mut self, banner: Bytes, cx: &mut Cx<'_>) {
        let dropped = self.printer.port.forget_start(cx.outputs);
        self.count_dropped(dropped, None, cx);
        self.configure(cx);
        self.printer.write_for(Purpose::Banner, banner, cx);
    }

    /// The line has this format from now on, if it has not yet: behind what waits for the DTE.
    pub(crate) fn set_format(&mut self, cx: &mut Cx<'_>) {
        if self.format != cx.config.line {
            self.format = cx.config.line;
            self.configure(cx);
        }
    }

    fn configure(&mut self, cx: &mut Cx<'_>) {
        self.printer.port.configure(self.format, cx.outputs);
    }

    /// The outstanding setting is in force.
    pub(crate) fn configured(&mut self, cx: &mut Cx<'_>) {
        self.printer.port.configured(cx.outputs);
    }

    /// The outstanding write is out.
    pub(crate) fn written(&mut self, cx: &mut Cx<'_>) -> Option<LineEvent> {
        let (len, purpose) = self.printer.written(cx)?;
        self.counters.bytes_out += len as u64;
        match purpose {
            Purpose::EscapeOffer => self.escape.offer_written(cx.now),
            Purpose::Message => return Some(LineEvent::MessageWritten),
            Purpose::Data(_) | Purpose::Text | Purpose::Urc | Purpose::Banner => {}
        }
        None
    }

    /// The host has dropped what was outstanding, all but its last `left` bytes were out.
    pub(crate) fn discarded(&mut self, left: usize, cx: &mut Cx<'_>) {
        let (out, dropped) = self.printer.port.discarded(left);
        self.counters.bytes_out += out as u64;
        self.count_dropped(dropped, None, cx);
        self.printer.port.pump(cx.outputs);
    }

    /// What a line that is missing did not take in time is dropped.
    pub(crate) fn drop_old(&mut self, cx: &mut Cx<'_>) {
        if self.fades_at(Terms::of(cx)).is_some_and(|at| at <= cx.now) {
            let hold = self.options.line_hold;
            let dropped = self.printer.port.drop_older(cx.now, hold, cx.outputs);
            self.count_dropped(dropped, None, cx);
        }
    }

    /// The device stops: nothing more is written.
    pub(crate) fn abandon(&mut self, cx: &mut Cx<'_>) {
        let dropped = self.printer.abandon();
        self.count_dropped(dropped, None, cx);
    }

    /// Counts what the DTE does not get any more, and says so.
    fn count_dropped(&mut self, dropped: Dropped, of: Option<SocketId>, cx: &mut Cx<'_>) {
        self.counters.dropped_replies += dropped.texts;
        self.counters.dropped_urcs += dropped.urcs;
        if dropped.data > 0 {
            self.counters.undelivered_bytes += dropped.data as u64;
            cx.outputs.push_back(Output::Event(Event::LineDropped {
                bytes: dropped.data,
                of,
            }));
        }
    }

    /// The line is there, or gone; true if that is new.
    pub(crate) fn set_present(&mut self, present: bool, cx: &mut Cx<'_>) -> bool {
        let port = &mut self.printer.port;
        let is_new = port.present != present;
        port.present = present;
        if is_new && !present {
            port.gone_at = cx.now;
        }
        is_new
    }
}
