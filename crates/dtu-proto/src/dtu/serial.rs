//! The serial side of the device: what bytes of the DTE are, and what goes back.

use alloc::collections::VecDeque;
use bytes::Bytes;

use super::Dtu;
use super::prompt::OpenPrompt;
use crate::at;
use crate::config::{HeartbeatTo, WorkingMode};
use crate::event::{Event, Origin, Output, SocketId};
use crate::line::LineState;
use crate::line::assembler::Typed;
use crate::line::escape::{Fed, Fired, HELD_MAX, Held};
use crate::line::framer::Packing;
use crate::line::port::{Dropped, LISTEN_HIGH, Purpose, Source};
use crate::line::window::Step;
use crate::sms;
use crate::status::SerialCounters;
use crate::time::{Duration, Instant};

/// A LF belongs to the command before it when it comes so soon (decisions 16.10): some programs write it by itself.
const LF_SLACK: Duration = Duration::from_millis(50);
/// The CR of a LFCR comes with its LF.
const CR_SLACK: Duration = Duration::from_millis(2);
/// In the AT mode bytes of the network wait so long for the end of a line that is being typed and echoed.
const HALF_TYPED: Duration = Duration::from_secs(3);

impl Dtu {
    pub(super) fn serial_data(&mut self, data: &[u8]) {
        self.line.counters.bytes_in += data.len() as u64;
        self.line.last_from_dte = self.now;
        self.backlog_or_run(data);
    }

    /// Bytes that waited for a command to end.
    pub(super) fn run_backlog(&mut self) {
        if !self.line.backlog.is_empty() && !self.commands_wait() {
            let backlog = core::mem::take(&mut self.line.backlog);
            self.backlog_or_run(&backlog);
        }
    }

    fn backlog_or_run(&mut self, mut data: &[u8]) {
        data = self.without_twin(data);
        while !data.is_empty() {
            if self.commands_wait() || !self.line.backlog.is_empty() {
                self.line.backlog.extend_from_slice(data);
                return;
            }
            let rest = match self.line.state {
                LineState::Window { .. } | LineState::OnlineCommand if self.prompt.is_some() => {
                    self.prompt_bytes(data)
                }
                LineState::Window { .. } => self.window_bytes(data),
                LineState::OnlineCommand if self.answers_escape() => {
                    self.command_bytes_or_escape(data)
                }
                LineState::OnlineCommand => self.command_bytes(data),
                LineState::OnlineData => {
                    self.data_bytes(data);
                    &[]
                }
            };
            data = self.without_twin(rest);
        }
    }

    /// Leaves out the second half of a command's line end, whatever the line is by now.
    fn without_twin<'d>(&mut self, data: &'d [u8]) -> &'d [u8] {
        let Some((first, rest)) = data.split_first() else {
            return data;
        };
        match self.line.pending_lf.take() {
            Some((twin, until))
                if *first == twin && (self.now <= until || self.awaits_text(twin)) =>
            {
                self.line.counters.command_bytes += 1;
                self.line.escape.note_byte(self.now);
                rest
            }
            _ => data,
        }
    }

    /// Whether a prompt waits for the first byte of its text, which a LF is not: one that comes late belongs to the line
    /// before. Where the length is given each byte counts.
    fn awaits_text(&self, twin: u8) -> bool {
        twin == b'\n'
            && self
                .prompt
                .as_deref()
                .is_some_and(OpenPrompt::skips_a_line_end)
    }

    /// Whether the line's bytes must wait: a command is not answered yet, or the device is about to end.
    pub(super) fn commands_wait(&self) -> bool {
        let takes_commands = self.line.state != LineState::OnlineData;
        let waits = |origin| takes_commands || origin == Origin::Serial;
        self.ending.is_some() || self.session.waiting_for().is_some_and(waits)
    }

    fn window_bytes<'d>(&mut self, data: &'d [u8]) -> &'d [u8] {
        let (packing, now) = (self.packing(), self.now);
        self.line.escape.note_byte(now);
        for (index, &byte) in data.iter().enumerate() {
            let (counters, outputs) = (&mut self.line.counters, &mut self.outputs);
            let step = self
                .line
                .window
                .push(byte, now, packing, window_dropper(counters, outputs));
            let typed = match step {
                Step::More => continue,
                Step::Began(first) => {
                    self.echo(&first);
                    continue;
                }
                Step::Typed { typed, bytes } => {
                    self.line.counters.command_bytes += bytes as u64;
                    typed
                }
            };
            self.echo(&[byte]);
            if typed != Typed::More {
                self.expect_twin(byte);
                self.typed(typed);
                return &data[index + 1..];
            }
        }
        &[]
    }

    fn command_bytes<'d>(&mut self, data: &'d [u8]) -> &'d [u8] {
        self.line.escape.note_byte(self.now);
        self.type_bytes(data)
    }

    /// Up to the end of a command line, which is run; what stands behind it comes back.
    fn type_bytes<'d>(&mut self, data: &'d [u8]) -> &'d [u8] {
        for (index, &byte) in data.iter().enumerate() {
            self.line.counters.command_bytes += 1;
            self.echo(&[byte]);
            let typed = self.line.assembler.push(byte);
            if typed == Typed::More {
                continue;
            }
            self.expect_twin(byte);
            self.typed(typed);
            return &data[index + 1..];
        }
        &[]
    }

    /// Whether `+++` is answered though the line is in the command state already: programs that begin with it find this
    /// state as they find any other (decisions 16.9).
    const fn answers_escape(&self) -> bool {
        self.line.escape.holds() || self.line.assembler.is_empty()
    }

    fn command_bytes_or_escape<'d>(&mut self, data: &'d [u8]) -> &'d [u8] {
        match self.line.escape.feed(data, self.now) {
            Fed::Held { released } => {
                self.release(&released);
                &[]
            }
            Fed::Data { released } => {
                self.release(&released);
                self.type_bytes(data)
            }
        }
    }

    /// The other half of a two-byte line end may follow, even where data begins.
    fn expect_twin(&mut self, line_end: u8) {
        let (twin, slack) = match line_end {
            b'\r' => (b'\n', LF_SLACK),
            b'\n' => (b'\r', CR_SLACK),
            // `A/` needs no end; one that stands behind it is no data.
            _ => (b'\r', LF_SLACK),
        };
        let two_characters = self.line.format.character_time() * 2;
        self.line.pending_lf = Some((twin, self.now + slack.max(two_characters + CR_SLACK)));
    }

    pub(super) fn echo(&mut self, bytes: &[u8]) {
        if self.config.echo {
            self.write_serial(Bytes::copy_from_slice(bytes));
        }
    }

    fn typed(&mut self, typed: Typed) {
        match typed {
            Typed::More => {}
            Typed::Line(line) => {
                // V.250 5.2.4: `A/` runs the line before it once more.
                if !at::is_blank(&line) {
                    self.line.last_line.clone_from(&line);
                }
                self.run_command(Origin::Serial, &line);
            }
            Typed::Again => {
                let line = self.line.last_line.clone();
                self.run_command(Origin::Serial, if line.is_empty() { b"AT" } else { &line });
            }
            Typed::TooLong => self.line_too_long(),
        }
    }

    fn data_bytes(&mut self, data: &[u8]) {
        match self.line.escape.feed(data, self.now) {
            Fed::Held { released } => self.release(&released),
            Fed::Data { released } => {
                self.release(&released);
                self.pack(data, self.now);
            }
        }
    }

    /// Held bytes turned out to be no escape: in the command state they were typed, else they are data, which arrived
    /// when it arrived.
    pub(super) fn release(&mut self, held: &Held) {
        if self.line.state == LineState::OnlineCommand {
            for (byte, _) in held.as_slice() {
                self.type_bytes(&[*byte]);
            }
            return;
        }
        for read in held.as_slice().chunk_by(|a, b| a.1 == b.1) {
            let mut bytes = [0; HELD_MAX];
            bytes
                .iter_mut()
                .zip(read)
                .for_each(|(slot, (byte, _))| *slot = *byte);
            self.pack(&bytes[..read.len()], read[0].1);
        }
    }

    pub(super) fn pack(&mut self, data: &[u8], at: Instant) {
        let packing = self.packing();
        let mut cut = core::mem::take(&mut self.line.cut);
        self.line
            .framer
            .push(data, at, packing, |frame| cut.push(frame));
        self.note_cut_request(&cut, at, packing);
        if self.mode == WorkingMode::Sms {
            self.mend_characters(&mut cut, packing);
        }
        for frame in cut.drain(..) {
            self.frame(frame);
        }
        self.line.cut = cut;
    }

    /// A frame of the SMS mode that size has cut in the middle of a character gives its beginning to the next one:
    /// neither would be text.
    fn mend_characters(&mut self, cut: &mut [Bytes], packing: Packing) {
        let mut begun = Bytes::new();
        for frame in cut {
            let by_size = frame.len() == packing.size;
            if !begun.is_empty() {
                *frame = [&begun[..], &frame[..]].concat().into();
            }
            let torn = if by_size {
                sms::torn_end(frame, self.options.charset)
            } else {
                0
            };
            begun = frame.split_off(frame.len() - torn);
        }
        self.line.framer.give_back(&begun);
    }

    /// The working mode ends: so does the frame that is being received, with what the escape holds.
    pub(super) fn flush_frame(&mut self) {
        // A request that is sent now ends with its connection at once, and would be lost: it waits instead.
        self.stop_httpd();
        let held = self.line.escape.reset();
        self.release(&held);
        self.close_frame();
    }

    fn close_frame(&mut self) {
        let frame = self.line.framer.close();
        if !frame.is_empty() {
            self.frame(frame);
        }
    }

    /// A whole frame of the DTE: a command, or data for the working mode.
    pub(super) fn frame(&mut self, frame: Bytes) {
        self.line.counters.frames_in += 1;
        self.line.counters.frame_bytes += frame.len() as u64;
        if self.is_inside_a_packet() {
            self.route(&frame);
            return;
        }
        // mutant: serial-gate
        if self.config.serial_at && self.inline_command(Origin::SerialFrame, &frame) {
            self.line.counters.command_bytes += frame.len() as u64;
            // mutant: command-is-no-data
            return;
        }
        self.route(&frame);
    }

    pub(super) fn frame_deadline(&self) -> Option<Instant> {
        match self.line.state {
            LineState::Window { .. } => self.line.window.deadline(self.packing()),
            LineState::OnlineCommand | LineState::OnlineData
                if self.line.escape.holds() || self.line.framer.is_empty() =>
            {
                None
            }
            LineState::OnlineCommand | LineState::OnlineData => {
                self.line.framer.deadline(self.packing())
            }
        }
    }

    pub(super) fn frame_due(&mut self) {
        if matches!(self.line.state, LineState::Window { .. }) {
            let packing = self.packing();
            self.line.window.close_frame(
                packing,
                window_dropper(&mut self.line.counters, &mut self.outputs),
            );
        } else {
            self.close_frame();
        }
    }

    pub(super) fn escape_due(&mut self, at: Instant) {
        match self.line.escape.fire(at) {
            Fired::Offer => {
                let offer = Bytes::from_static(b"a");
                self.line
                    .port
                    .write(offer, Purpose::EscapeOffer, self.now, &mut self.outputs);
            }
            Fired::Complete { used } => {
                self.line.counters.command_bytes += used as u64;
                self.write_serial(Bytes::from_static(b"\r\n+ok\r\n"));
                if self.line.state == LineState::OnlineCommand {
                    // An attempt before this one was typed: no command begins with it.
                    self.line.assembler.clear();
                } else {
                    self.enter_online_command();
                }
            }
            Fired::Released(held)
                if self.line.state == LineState::OnlineCommand && held.is_an_escape() =>
            {
                // It was answered, and nobody went on with it: the next line is not spoiled (decisions 16.9).
                self.line.counters.command_bytes += held.as_slice().len() as u64;
            }
            Fired::Released(held) => self.release(&held),
        }
    }

    pub(super) fn enter_online_command(&mut self) {
        self.line.assembler.clear();
        self.line.state = LineState::OnlineCommand;
        self.event(Event::CommandState(true));
    }

    /// Back to the working mode: what the network sent meanwhile goes out.
    pub(super) fn enter_online_data(&mut self) {
        self.line.state = LineState::OnlineData;
        self.event(Event::CommandState(false));
        self.print_held();
    }

    pub(super) fn print_held(&mut self) {
        self.line.port.release_held(&mut self.outputs);
    }

    /// In the AT mode: what came while a command was being answered.
    pub(super) fn print_behind_answer(&mut self) {
        if !self.line.port.holds_back() {
            return;
        }
        let typed = !self.is_half_typed()
            || self
                .half_typed_until()
                .is_some_and(|until| until <= self.now);
        if typed && self.is_at_rest_in_at_mode() {
            self.print_held();
        }
    }

    /// In the AT mode, with no command being answered.
    fn is_at_rest_in_at_mode(&self) -> bool {
        let answered = self.line.state == LineState::OnlineCommand && !self.answers_line();
        answered && self.is_at_mode() && self.ending.is_none()
    }

    /// Whether a line that is echoed stands there unfinished: what the peer sends would land in it.
    fn is_half_typed(&self) -> bool {
        self.config.echo && !self.line.assembler.is_empty()
    }

    /// When bytes of the network have waited long enough for the end of the line that is being typed.
    pub(super) fn half_typed_until(&self) -> Option<Instant> {
        if self.is_half_typed() && self.is_at_rest_in_at_mode() {
            self.line.port.held_since().map(|since| since + HALF_TYPED)
        } else {
            None
        }
    }

    /// Whether bytes of the network are printed as they come.
    fn takes_network_data(&self) -> bool {
        match self.line.state {
            LineState::OnlineData => true,
            LineState::OnlineCommand => {
                // mutant: prompt-holds
                self.is_at_mode()
                    && !self.answers_line()
                    && !self.is_half_typed()
                    && !self.line.port.holds_back()
            }
            LineState::Window { .. } => false,
        }
    }

    /// Data of the network for the DTE.
    pub(super) fn print(&mut self, data: Bytes, source: Source) {
        let most = LISTEN_HIGH.saturating_sub(data.len());
        if self.makes_room(source) && self.line.port.waiting_from(source) > most {
            let dropped = self.line.port.make_room(source, most);
            self.line_dropped(dropped, source.socket());
        }
        self.line.last_to_dte = self.now;
        // mutant: network-data-waits
        if self.takes_network_data() && self.ending.is_none() {
            self.line
                .port
                .write(data, Purpose::Data(source), self.now, &mut self.outputs);
        } else {
            self.line.port.hold_back(data, source, self.now);
        }
    }

    /// Counts what the DTE does not get any more, and says so.
    pub(super) fn line_dropped(&mut self, dropped: Dropped, of: Option<SocketId>) {
        self.line.counters.dropped_replies += dropped.texts;
        if dropped.data > 0 {
            self.line.counters.undelivered_bytes += dropped.data as u64;
            self.event(Event::LineDropped {
                bytes: dropped.data,
                of,
            });
        }
    }

    /// The host has dropped what was outstanding.
    pub(super) fn serial_discarded(&mut self, left: usize) {
        let (out, dropped) = self.line.port.discarded(left);
        self.line.counters.bytes_out += out as u64;
        self.line_dropped(dropped, None);
        self.line.port.pump(&mut self.outputs);
    }

    pub(super) fn write_serial(&mut self, bytes: Bytes) {
        self.line
            .port
            .write(bytes, Purpose::Text, self.now, &mut self.outputs);
    }

    pub(super) fn serial_written(&mut self) {
        let Some((len, purpose)) = self.line.port.written(self.now, &mut self.outputs) else {
            return;
        };
        self.line.counters.bytes_out += len as u64;
        self.line.last_to_dte = self.now;
        match purpose {
            Purpose::EscapeOffer => self.line.escape.offer_written(self.now),
            Purpose::Message => self.message_printed(),
            Purpose::Data(_) | Purpose::Text | Purpose::Banner => {}
        }
    }

    /// When the serial line will have been silent long enough. Never inside a frame, and never while something is
    /// on its way to the DTE.
    pub(super) fn serial_heartbeat_deadline(&self) -> Option<Instant> {
        let on = self.config.heartbeat_interval > 0
            && !self.config.heartbeat.is_empty()
            && self.config.heartbeat_to == HeartbeatTo::Serial;
        if !on {
            return None;
        }
        // mutant: heartbeat-on-quiet-line
        let quiet = self.line.state == LineState::OnlineData
            && self.ending.is_none()
            && self.line.framer.is_empty()
            && !self.line.escape.holds()
            && self.line.port.present
            && self.line.port.is_drained();
        // mutant: heartbeat-after-data
        let last = self.line.last_from_dte.max(self.line.last_to_dte);
        quiet.then(|| last + Duration::from_secs(u64::from(self.config.heartbeat_interval)))
    }

    pub(super) fn serial_heartbeat(&mut self) {
        self.line.last_to_dte = self.now;
        self.line.counters.heartbeats += 1;
        self.write_serial(Bytes::copy_from_slice(&self.config.heartbeat));
    }
}

/// Counts a frame of the set-up window that found no room, and says so.
fn window_dropper<'a>(
    counters: &'a mut SerialCounters,
    outputs: &'a mut VecDeque<Output>,
) -> impl FnMut(usize) + 'a {
    move |bytes| {
        counters.dropped_frames += 1;
        counters.dropped_bytes += bytes as u64;
        outputs.push_back(Output::Event(Event::WindowFrameDropped { bytes }));
    }
}
