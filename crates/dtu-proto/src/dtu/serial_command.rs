//! The serial command mode (1): frames that name their destination (decisions 11).

use alloc::boxed::Box;
use bytes::Bytes;

use super::{Dtu, Parts};
use crate::at;
use crate::config::WorkingMode;
use crate::cx::Cx;
use crate::event::{SocketId, SocketInput};
use crate::line::port::{REPLY_QUEUE_HIGH, Source};
use crate::mode::packets::{Came, SerialCommand};
use crate::time::Instant;

impl Dtu {
    /// Whether the mode began, ended, or its settings changed: starts, stops or restarts what must be. What waits stays.
    pub(super) fn apply_serial_command(&mut self) {
        if self.mode == WorkingMode::SerialCommand {
            self.make_serial_command();
            self.with_serial_command(SerialCommand::start);
        } else {
            self.stop_serial_command();
        }
    }

    /// Ends every connection: the device restarts or stops. What waits stays.
    pub(super) fn stop_serial_command(&mut self) {
        self.with_serial_command(SerialCommand::stop);
        while let Some(mode) = &mut self.serial_command
            && mode.feed.held() > 0
        {
            mode.feed.give_up();
            self.take_packets();
        }
    }

    /// Whether the host has still to say that something is closed.
    pub(super) fn serial_command_is_closing(&self) -> bool {
        self.serial_command
            .as_ref()
            .is_some_and(|mode| mode.is_closing())
    }

    pub(super) fn serial_command_is_up(&self) -> bool {
        self.serial_command
            .as_ref()
            .is_some_and(|mode| mode.is_up())
    }

    /// A frame of the DTE: packets, whole or in parts.
    pub(super) fn serial_command_frame(&mut self, frame: &Bytes) {
        let at = self.line.last_from_dte;
        self.make_serial_command().feed.feed(frame, at);
        self.take_packets();
    }

    fn take_packets(&mut self) {
        while let Some(came) = self
            .serial_command
            .as_mut()
            .and_then(|mode| mode.next_packet())
        {
            match came {
                Came::Packet(packet) => self.with_serial_command(|mode, cx| mode.take(packet, cx)),
                Came::Error(text) => {
                    self.tell_command_mode(Bytes::from(at::error_reply(&text, &self.config)));
                }
            }
        }
    }

    /// Whether a packet is half received, so that nothing else can begin.
    pub(super) fn is_inside_a_packet(&self) -> bool {
        self.mode == WorkingMode::SerialCommand
            && self
                .serial_command
                .as_ref()
                .is_some_and(|mode| mode.feed.is_inside())
    }

    /// A frame of an earlier run.
    pub(super) fn restore_serial_command(&mut self, seq: u64, frame: Bytes) {
        self.make_serial_command();
        self.with_serial_command(|mode, cx| mode.restore(seq, frame, cx));
    }

    /// The frames that wait, oldest first, with their numbers.
    pub(super) fn serial_command_undelivered(&self) -> impl Iterator<Item = (u64, &Bytes)> {
        self.serial_command
            .iter()
            .flat_map(|mode| mode.undelivered())
    }

    /// The network is there, or gone.
    pub(super) fn serial_command_network_changed(&mut self) {
        if self.attached.is_some() {
            self.with_serial_command(SerialCommand::network_found);
        } else if let Some(mode) = &mut self.serial_command {
            mode.network_lost();
        }
    }

    /// News of a destination.
    pub(super) fn serial_command_news(&mut self, socket: SocketId, input: SocketInput<'_>) {
        let is_data = self.with_serial_command(|mode, cx| mode.news(socket, input, cx));
        if let SocketInput::Data(data) = input
            && is_data
            && !data.is_empty()
        {
            self.last_received = self.now;
            self.led_driver.data(self.now);
            self.print(Bytes::copy_from_slice(data), Source::Socket(socket));
        }
    }

    pub(super) fn serial_command_deadline(&self) -> Option<Instant> {
        let mode = self.serial_command.as_ref()?;
        let links = mode.deadline(&self.config, self.attached.is_some());
        [links, self.packet_deadline()].into_iter().flatten().min()
    }

    /// Tells the mode whether the device reads the serial line. Only half a packet waits for that: every input of every
    /// mode comes by here.
    pub(super) fn serial_command_reads(&mut self) {
        if self
            .serial_command
            .as_ref()
            .is_some_and(|mode| mode.feed.held() > 0)
        {
            let held_up = !self.reads_serial(self.queue_pause());
            let now = self.now;
            self.make_serial_command().feed.hold_up(held_up, now);
        }
    }

    /// When the rest of a packet must have come. What the escape or a frame holds may be that.
    fn packet_deadline(&self) -> Option<Instant> {
        let quiet = self.line.has_passed_on_all();
        self.serial_command
            .as_ref()?
            .feed
            .deadline(self.line.format.character_time())
            .filter(|_| quiet)
    }

    pub(super) fn serial_command_due(&mut self) {
        while self.packet_deadline().is_some_and(|at| at <= self.now) {
            self.make_serial_command().feed.give_up();
            self.take_packets();
        }
        self.with_serial_command(SerialCommand::fire);
    }

    /// The mode begins, or something waits for it.
    pub(super) fn make_serial_command(&mut self) -> &mut SerialCommand {
        let options = &self.options.modes;
        self.serial_command
            .get_or_insert_with(|| Box::new(SerialCommand::new(options)))
    }

    /// Works with the mode, if it was ever used: else there is nothing to do.
    fn with_serial_command<R: Default>(
        &mut self,
        run: impl FnOnce(&mut SerialCommand, &mut Cx<'_>) -> R,
    ) -> R {
        let (
            Parts {
                serial_command: Some(mode),
                ..
            },
            mut cx,
        ) = self.parts()
        else {
            return R::default();
        };
        let result = run(mode, &mut cx);
        while let Some(delivered) = self
            .serial_command
            .as_mut()
            .and_then(|mode| mode.replies.pop_front())
        {
            let text: &[u8] = if delivered {
                b"\r\nSEND OK\r\n"
            } else {
                b"\r\nSEND FAIL\r\n"
            };
            self.tell_command_mode(Bytes::from_static(text));
        }
        result
    }

    /// Tells the DTE, who need not read: what finds no room is counted. In another mode nobody wants to know.
    fn tell_command_mode(&mut self, text: Bytes) {
        let has_room = self.line.port.own_waiting() < REPLY_QUEUE_HIGH;
        if self
            .serial_command
            .as_ref()
            .is_some_and(|mode| mode.is_running())
            && has_room
        {
            self.print(text, Source::Device);
        } else {
            self.line.counters.dropped_replies += 1;
        }
    }
}
