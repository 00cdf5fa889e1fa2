//! The serial side of the device: what the line makes of bytes of the DTE goes to commands and the working mode, and what
//! is for the DTE to the line.

use alloc::string::String;
use bytes::Bytes;

use super::Dtu;
use crate::at;
use crate::cx::Cx;
use crate::event::{Event, Origin, SerialInput};
use crate::line::framer::FRAME_MAX;
use crate::line::{Class, Dialogue, Keep, Line, LineEvent, LineState, Source, Urc};
use crate::mode::Stop;
use crate::seen::Cut;
use crate::time::Instant;

impl Dtu {
    pub(super) fn handle_serial(&mut self, input: SerialInput<'_>) {
        match input {
            SerialInput::Data(data) => self.serial_data(data),
            SerialInput::Written => self.serial_written(),
            SerialInput::Configured(problem) => {
                self.with_line(Line::configured);
                if let Some(why) = problem {
                    self.event(Event::LineRefused(String::from(why)));
                }
            }
            SerialInput::Present => self.serial_present(true),
            SerialInput::Gone => self.serial_present(false),
            SerialInput::Discarded(left) => self.with_line(|line, cx| line.discarded(left, cx)),
        }
    }

    fn serial_present(&mut self, present: bool) {
        if self.with_line(|line, cx| line.set_present(present, cx)) {
            if !present {
                self.abandon_prompt();
            }
            self.event(Event::SerialPresent(present));
        }
    }

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

    /// The device ends: what one read brought behind the frame whose command ends it is data, for nothing runs any more.
    pub(super) fn route_backlog(&mut self) {
        if self.line.state() != LineState::OnlineData {
            return;
        }
        let mut rest = Bytes::from(self.line.take_backlog());
        while !rest.is_empty() {
            let frame = rest.split_to(rest.len().min(FRAME_MAX));
            self.line.note_frame(&frame);
            self.saw_frame(&frame, Cut::Mode);
            self.route(&frame);
        }
    }

    fn take_from_line(&mut self, mut data: &[u8]) {
        while !self.line.has_taken(data) {
            let commands_wait = self.commands_wait();
            match self.with_line(|line, cx| line.next(&mut data, commands_wait, cx)) {
                Some(event) => self.handle_line_event(event),
                None => return,
            }
        }
    }

    fn handle_line_event(&mut self, event: LineEvent) {
        match event {
            LineEvent::Frame(frame) => self.frame(frame, self.line.last_cut()),
            LineEvent::Command(line) => {
                self.saw_command(&line);
                self.run_command(Origin::Serial, &line);
            }
            LineEvent::TooLong => self.line_too_long(),
            LineEvent::Text(entry) => {
                self.saw_text(&entry);
                self.answer_prompt(entry);
            }
            LineEvent::MessageWritten => self.message_printed(),
        }
    }

    /// Whether the line's bytes must wait: a command is not answered yet, or the device is about to end.
    pub(super) fn commands_wait(&self) -> bool {
        let takes_commands = self.line.state() != LineState::OnlineData;
        let waits = |origin| takes_commands || origin == Origin::Serial;
        self.ending.is_some() || self.session.waiting_for().is_some_and(waits)
    }

    /// The working mode ends: so does the frame that is being received, with what the escape holds.
    pub(super) fn flush_frame(&mut self) {
        self.with_modes(|modes, cx| modes.stop(Stop::LastFrames, cx));
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
    pub(super) fn frame(&mut self, frame: Bytes, cut: Cut) {
        self.line.note_frame(&frame);
        self.saw_frame(&frame, cut);
        if self.modes.is_inside() {
            self.route(&frame);
            return;
        }
        // mutant: serial-gate
        if self.config.serial_at && self.inline_command(Origin::SerialFrame, &frame) {
            self.line.counters_mut().command_bytes += frame.len() as u64;
            // mutant: command-is-no-data
            return;
        }
        self.route(&frame);
    }

    /// Gives a frame of the DTE to the working mode.
    fn route(&mut self, frame: &Bytes) {
        self.led_driver.data(self.now);
        self.with_modes(|modes, cx| modes.frame(frame, cx));
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
        self.with_line(Line::print_held);
    }

    /// In the AT mode: what came while a command was being answered.
    pub(super) fn print_behind_answer(&mut self) {
        if self.line.holds_data() {
            let dialogue = self.dialogue();
            self.with_line(|line, cx| line.print_behind_answer(dialogue, cx));
        }
    }

    /// A result code that nobody asked for, to be printed when the line rests. False: it would count as told, and there is
    /// no room for it.
    pub(super) fn urc(&mut self, urc: Urc, keep: Keep) -> bool {
        let dialogue = self.dialogue();
        self.with_line(|line, cx| line.push_urc(urc, keep, dialogue, cx))
    }

    /// Those behind the first wait for the line to rest again.
    pub(super) fn print_urcs(&mut self) {
        while self.line.has_urcs() {
            let dialogue = self.dialogue();
            let Some(urc) = self.with_line(|line, cx| line.due_urc(dialogue, cx)) else {
                return;
            };
            if let Some(text) = at::urc_text(urc, &self.mailbox) {
                self.with_line(|line, cx| line.print_urc(text, cx));
            }
        }
    }

    /// A text for the DTE: the line decides what becomes of it.
    pub(super) fn print_class(&mut self, class: Class, text: Bytes) {
        let dialogue = self.dialogue();
        self.with_line(|line, cx| line.print(class, text, dialogue, cx));
    }

    /// What decides what the DTE gets.
    pub(super) fn dialogue(&self) -> Dialogue {
        let waiting = self.session.waiting_for();
        let prompt = self.prompt.as_ref().map(|prompt| prompt.requester.origin);
        Dialogue {
            // mutant: urc-before-the-backlog
            answering: waiting == Some(Origin::Serial)
                || prompt == Some(Origin::Serial)
                || self.line.has_backlog(),
            ending: self.ending.is_some(),
            at_mode: self.is_at_mode(),
        }
    }

    /// Data of the network for the DTE.
    pub(super) fn print(&mut self, data: Bytes, source: Source) {
        let dialogue = self.dialogue();
        self.with_line(|line, cx| line.print_data(data, source, dialogue, cx));
    }

    /// What the device says amid the data of a mode.
    pub(super) fn say(&mut self, text: Bytes) {
        let dialogue = self.dialogue();
        self.with_line(|line, cx| line.tell(text, dialogue, cx));
    }

    pub(super) fn serial_written(&mut self) {
        if let Some(event) = self.with_line(Line::written) {
            self.handle_line_event(event);
        }
    }

    pub(super) fn with_line<R>(&mut self, run: impl FnOnce(&mut Line, &mut Cx<'_>) -> R) -> R {
        let (line, _, mut cx) = self.parts();
        run(line, &mut cx)
    }
}
