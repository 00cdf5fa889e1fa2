//! The serial side of the device: what the line makes of bytes of the DTE goes to commands and the working mode, and what
//! is for the DTE to the line.

use bytes::Bytes;

use super::{Dtu, Parts};
use crate::config::HeartbeatTo;
use crate::cx::Cx;
use crate::event::{Event, Origin, SocketId};
use crate::line::port::{Dropped, LISTEN_HIGH, Purpose, Source};
use crate::line::{Line, LineEvent, LineState};
use crate::time::{Duration, Instant};

/// In the AT mode bytes of the network wait so long for the end of a line that is being typed and echoed.
const HALF_TYPED: Duration = Duration::from_secs(3);

impl Dtu {
    pub(super) fn serial_data(&mut self, data: &[u8]) {
        self.line.note_received(data.len(), self.now);
        self.take_from_line(data);
    }

    /// Bytes that waited for a command to end.
    pub(super) fn run_backlog(&mut self) {
        if self.line.has_backlog() && !self.commands_wait() {
            let backlog = self.line.take_backlog();
            self.take_from_line(&backlog);
        }
    }

    fn take_from_line(&mut self, mut data: &[u8]) {
        loop {
            let commands_wait = self.commands_wait();
            match self.with_line(|line, cx| line.next(&mut data, commands_wait, cx)) {
                Some(event) => self.handle_line_event(event),
                None => return,
            }
        }
    }

    fn handle_line_event(&mut self, event: LineEvent) {
        match event {
            LineEvent::Frame(frame) => self.frame(frame),
            LineEvent::Command(line) => self.run_command(Origin::Serial, &line),
            LineEvent::TooLong => self.line_too_long(),
            LineEvent::Text(entry) => self.answer_prompt(entry),
            LineEvent::MessageWritten => self.message_printed(),
        }
    }

    /// Whether the line's bytes must wait: a command is not answered yet, or the device is about to end.
    pub(super) fn commands_wait(&self) -> bool {
        let takes_commands = self.line.state != LineState::OnlineData;
        let waits = |origin| takes_commands || origin == Origin::Serial;
        self.ending.is_some() || self.session.waiting_for().is_some_and(waits)
    }

    /// The working mode ends: so does the frame that is being received, with what the escape holds.
    pub(super) fn flush_frame(&mut self) {
        // A request that is sent now ends with its connection at once, and would be lost: it waits instead.
        self.stop_httpd();
        while let Some(event) = self.with_line(Line::end_frame) {
            self.handle_line_event(event);
        }
    }

    /// Bytes that the set-up window has begun to receive, with the time of the last one.
    pub(super) fn go_on_with(&mut self, mut data: &[u8], at: Instant) {
        while let Some(event) = self.with_line(|line, cx| line.pack(&mut data, at, cx)) {
            self.handle_line_event(event);
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

    pub(super) fn frame_due(&mut self) {
        if let Some(event) = self.with_line(Line::frame_due) {
            self.handle_line_event(event);
        }
    }

    /// Nobody types at the prompt any more.
    pub(super) fn prompt_due(&mut self) {
        if let Some(event) = self.line.prompt_due() {
            self.handle_line_event(event);
        }
    }

    pub(super) fn escape_due(&mut self, at: Instant) {
        self.with_line(|line, cx| line.escape_due(at, cx));
        self.take_from_line(&[]);
    }

    pub(super) fn enter_online_command(&mut self) {
        self.with_line(Line::enter_online_command);
    }

    /// Back to the working mode: what the network sent meanwhile goes out.
    pub(super) fn enter_online_data(&mut self) {
        self.with_line(Line::enter_online_data);
    }

    pub(super) fn print_held(&mut self) {
        self.line.port.release_held(&mut self.outputs);
    }

    /// In the AT mode: what came while a command was being answered.
    pub(super) fn print_behind_answer(&mut self) {
        if !self.line.port.holds_back() {
            return;
        }
        let typed = !self.line.is_half_typed(&self.config)
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

    /// When bytes of the network have waited long enough for the end of the line that is being typed.
    pub(super) fn half_typed_until(&self) -> Option<Instant> {
        if self.line.is_half_typed(&self.config) && self.is_at_rest_in_at_mode() {
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
                    && !self.line.is_half_typed(&self.config)
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
        self.with_line(|line, cx| line.write(bytes, cx));
    }

    pub(super) fn serial_written(&mut self) {
        if let Some(event) = self.with_line(Line::written) {
            self.handle_line_event(event);
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
            && self.line.has_passed_on_all()
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

    pub(super) fn with_line<R>(&mut self, run: impl FnOnce(&mut Line, &mut Cx<'_>) -> R) -> R {
        let (Parts { line, .. }, mut cx) = self.parts();
        run(line, &mut cx)
    }
}
