//! The host: feeds the device, carries its orders out, sleeps until its deadlines (sometimes too long), and holds
//! every call to the contract.

use bytes::Bytes;
use dtu_proto::config::{Config, WorkingMode};
use dtu_proto::event::{
    Event as DeviceEvent, Input, MessageLoss, Output, Power, QueueId, SerialInput, SerialOutput,
    SocketId, StoreInput, StoreOutput,
};
use dtu_proto::time::Instant;
use dtu_proto::{Dtu, Identity};

use super::{Event, Rule, World, digest};
use crate::SEC;
use crate::model::{FRAME_MAX, Phase, REQUEST_MAX};
use crate::scenario::Scenario;

/// Outputs that one input may cause at most: four links, each with a few orders and events, and whole caches of
/// small frames that may fall out at once.
const OUTPUTS_MAX: usize = 20_000;
/// Wake-ups in one virtual second, beside one for each input.
const WAKES_MAX: u64 = 600;

/// Counts calls, so that a loop without end is seen.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct CallRate {
    second: u64,
    wakes: u64,
    inputs: u64,
}

pub(super) fn power_on(stored: &Config, scenario: &Scenario, seed: u64, now: u64) -> Dtu {
    let options = scenario.options.clone();
    Dtu::new(
        stored.clone(),
        options,
        Identity::default(),
        seed,
        Instant::from_micros(now),
    )
}

impl World {
    pub(super) fn clock(&self) -> Instant {
        Instant::from_micros(self.now)
    }

    pub(super) fn lateness(&mut self, most: u64) -> u64 {
        if most == 0 || self.healed {
            50
        } else {
            self.rng.range(50, most)
        }
    }

    /// The host program has started the device: what it says first, and the event it always gets.
    pub(super) fn host_starts(&mut self) {
        self.after_call(false);
        self.serial_input(SerialInput::Present);
        self.attached = true;
        self.modem_input(true);
    }

    pub(super) fn serial_input(&mut self, input: SerialInput<'_>) {
        if let SerialInput::Data(bytes) = input {
            self.note("serial in", None, 0, bytes);
        }
        self.catch_up();
        self.ledger.frame_open = self.ledger.line.frame_open();
        if let SerialInput::Data(bytes) = input {
            self.ledger.last_read = self.now;
            let mut rest = bytes;
            while !rest.is_empty() {
                self.set_frame_max();
                let done = self.ledger.line.read(self.now, rest);
                rest = &rest[done..];
                self.take_line_events();
            }
        }
        self.ledger.from_line = matches!(input, SerialInput::Data(_));
        self.call(Input::Serial(input));
        self.ledger.from_line = false;
        self.ledger.frame_open = self.ledger.line.frame_open();
        if matches!(input, SerialInput::Data(_)) {
            self.ledger.last_data = self.now;
        }
    }

    fn set_frame_max(&mut self) {
        let line = &mut self.ledger.line;
        let requests =
            self.ledger.applied.mode == WorkingMode::Httpd && line.phase != Phase::Window;
        line.frame_max = if requests { REQUEST_MAX } else { FRAME_MAX };
    }

    pub(super) fn store_input(&mut self, input: StoreInput<'_>) {
        self.catch_up();
        let what = match input {
            StoreInput::Saved => "saved",
            StoreInput::Failed(_) => "save failed",
            StoreInput::MessagesSaved(_) => "messages saved",
            StoreInput::MessagesFailed(_) => "messages failed",
            StoreInput::SpoolRefused(..) => "spool refused",
        };
        self.note(what, None, 0, &[]);
        self.call(Input::Store(input));
    }

    /// Lets deadlines that have passed fire first, as a host on time would.
    pub(super) fn wake_if_due(&mut self) {
        if self.sleep.is_some_and(|(at, _)| at <= self.now) {
            self.wake();
        }
    }

    pub(super) fn wake(&mut self) {
        self.sleep = None;
        self.count_wake();
        self.catch_up();
        self.sum.calls += 1;
        self.device.handle_timeout(self.clock());
        self.after_call(true);
    }

    /// The model sees time pass before the device does.
    pub(super) fn catch_up(&mut self) {
        self.ledger.in_window = self.now < self.ledger.window_until;
        self.ledger.before = (self.ledger.applied.mode, self.is_command_state());
        self.set_frame_max();
        self.ledger.line.advance(self.now);
        self.take_line_events();
        if self.ledger.line.unfinished() == 0 && self.ledger.reads {
            self.ledger
                .command
                .time_passes(self.ledger.reads_since, self.now);
        }
        self.ledger.frame_open = self.ledger.line.frame_open();
        if self.now >= self.ledger.window_until && !self.ending {
            self.mode_starts();
        }
    }

    pub(super) fn call(&mut self, input: Input<'_>) {
        self.sum.calls += 1;
        self.busy.inputs += 1;
        let now = self.clock();
        self.device.handle_input(input, now);
        self.after_call(false);
    }

    fn see_whether_it_reads(&mut self) {
        let reads = self.device.wants_serial();
        if reads && !self.ledger.reads {
            self.ledger.reads_since = self.now;
        }
        self.ledger.reads = reads;
    }

    fn count_wake(&mut self) {
        let second = self.now / SEC;
        if second != self.busy.second {
            self.busy = CallRate {
                second,
                ..CallRate::default()
            };
        }
        self.busy.wakes += 1;
        if self.busy.wakes > WAKES_MAX + 4 * self.busy.inputs {
            self.break_rule(
                Rule::Bounds,
                format!("{} wake-ups in one second", self.busy.wakes),
            );
        }
    }

    fn after_call(&mut self, timeout: bool) {
        self.drain();
        self.see_whether_it_reads();
        if self.stopped.is_some() {
            return;
        }
        self.watch_settings();
        self.check_escape();
        self.plan_sleep(timeout);
        self.plan_serial_read();
        for id in SocketId::ALL {
            self.plan_socket_read(id);
        }
    }

    fn drain(&mut self) {
        let mut outputs = Vec::new();
        while let Some(output) = self.device.poll_output() {
            digest::mix(&mut self.outputs, self.now, &output);
            outputs.push(output);
            if outputs.len() > OUTPUTS_MAX {
                return self.break_rule(Rule::Bounds, "one input makes outputs without end");
            }
        }
        if outputs.contains(&Output::Power(Power::Restarted)) {
            // What has come before a restart is data.
            self.ledger.line.flush();
            self.take_line_events();
            self.ledger.talking = false;
        }
        for output in outputs {
            if self.stopped.is_none() {
                self.carry_out(output);
            }
        }
        if let Some(asked_at) = self.stopped_at.take() {
            self.start_again(asked_at);
        }
    }

    fn watch_settings(&mut self) {
        let checked = self.ledger.watch.check(self.device.config());
        self.hold(Rule::Commands, checked);
        let set = &self.ledger.watch.expected;
        let beat = (set.heartbeat_interval, set.heartbeat.len());
        if self.ledger.beat != beat {
            (self.ledger.beat, self.ledger.settings_at) = (beat, self.now);
        }
        let packing = u64::from(self.ledger.watch.expected.packing_time) * crate::MS;
        if self.ledger.line.packing != packing {
            self.ledger.line.packing = packing;
        }
    }

    /// Nothing is outstanding on the serial line: an owed `a` or `+ok` is overdue.
    fn check_escape(&mut self) {
        let idle = self.serial.write.is_none() && !self.serial.configuring && !self.serial.gone;
        if idle && self.ledger.prompts > 0 {
            self.break_rule(Rule::Escape, "+++ was whole, and no `a` is printed");
        }
        if idle && self.ledger.escapes > 0 {
            self.break_rule(
                Rule::Escape,
                "the handshake is complete, and no +ok is printed",
            );
        }
    }

    fn plan_sleep(&mut self, timeout: bool) {
        let Some(deadline) = self.device.poll_timeout() else {
            self.sleep = None;
            return;
        };
        let at = deadline.at.as_micros();
        if timeout && at <= self.now {
            let text = format!(
                "{:?} is due {} µs ago after the call",
                deadline.timer,
                self.now - at
            );
            return self.break_rule(Rule::Bounds, text);
        }
        if self.sleep.is_none_or(|(planned, _)| planned != at) {
            let late = self.lateness(self.scenario.host.late_timer);
            self.sleep = Some((at, at.max(self.now).saturating_add(late)));
        }
    }

    pub(super) fn carry_out(&mut self, output: Output) {
        match output {
            Output::Serial(SerialOutput::Write(bytes)) => self.write_serial(bytes),
            Output::Serial(SerialOutput::Configure(_)) => self.configure_serial(),
            Output::Serial(SerialOutput::Discard) => self.discard_serial(),
            Output::Socket(socket, output) => self.on_socket(socket, output),
            Output::Modem(order) => self.radio_order(&order),
            Output::Store(StoreOutput::Messages { number, text }) => {
                self.save_messages(number, text)
            }
            Output::Store(StoreOutput::Save(text)) => self.save(text),
            Output::Store(StoreOutput::SpoolAppend(queue, number, bytes)) => {
                self.spool_append(queue, number, bytes)
            }
            Output::Store(StoreOutput::SpoolMove(queue, frames)) => self.spool_move(queue, frames),
            Output::Store(StoreOutput::SpoolRelease(queue, below)) => {
                self.spool_release(queue, below)
            }
            Output::Store(StoreOutput::SpoolSending(queue, frame)) => {
                self.spool_sending(queue, frame)
            }
            Output::Console(_) => {
                self.break_rule(Rule::Commands, "a console reply that nobody asked for")
            }
            Output::Leds(_) => {}
            Output::Power(Power::Restarted) => self.device_restarted(),
            Output::Power(Power::Stop) => self.device_stops(),
            Output::Event(event) => self.on_event(&event),
        }
    }

    fn write_serial(&mut self, bytes: Bytes) {
        self.note("serial out", None, 0, &bytes);
        if self.serial.write.is_some() || self.serial.configuring {
            return self.break_rule(
                Rule::Bounds,
                "two writes are outstanding on the serial line",
            );
        }
        if bytes.is_empty() {
            return self.break_rule(Rule::Bounds, "an empty write to the serial line");
        }
        self.judge_print(&bytes);
        self.serial.write = Some((bytes, 0));
        self.push_serial();
    }

    fn configure_serial(&mut self) {
        self.note("configure", None, 0, &[]);
        if self.serial.write.is_some() || self.serial.configuring {
            return self.break_rule(Rule::Bounds, "configure while a write is outstanding");
        }
        self.serial.configuring = true;
        self.after(500, Event::Configured(self.serial.generation));
    }

    fn on_event(&mut self, event: &DeviceEvent) {
        self.note("event", None, 0, format!("{event:?}").as_bytes());
        match event {
            DeviceEvent::PowerOn(_) => {
                self.ledger.banners += 1;
                let window = self.scenario.options.setup_window.as_micros();
                self.ledger.window_until = self.now + u64::try_from(window).unwrap_or(0);
            }
            DeviceEvent::ModeStarted => self.mode_starts(),
            DeviceEvent::FrameDropped { queue, .. } => {
                self.judge_drop(*queue);
                self.dropped(*queue);
                self.sum.dropped += 1;
            }
            DeviceEvent::LineDropped { bytes, of } => self.line_dropped(*bytes, *of),
            DeviceEvent::Connected(_)
            | DeviceEvent::CommandState(_)
            | DeviceEvent::Disconnected { .. }
            | DeviceEvent::WindowFrameDropped { .. }
            | DeviceEvent::WrongPassword(_)
            | DeviceEvent::OriginLocked(_)
            | DeviceEvent::SerialPresent(_)
            | DeviceEvent::LineRefused(_)
            | DeviceEvent::BackupActive { .. }
            | DeviceEvent::Call(_)
            | DeviceEvent::Trial(_)
            | DeviceEvent::Lost(_)
            | DeviceEvent::MessageToPort { .. }
            | DeviceEvent::MessagesNotStored(_) => {}
            DeviceEvent::MessageLost(loss) => self.message_lost(loss),
            DeviceEvent::Command { origin, line, .. } => {
                let judged = self.ledger.log_command(*origin, line);
                self.hold(Rule::Commands, judged);
            }
            DeviceEvent::Httpd(event) => {
                let judged = self.ledger.http.judge_swallowed(event);
                self.hold(Rule::Requests, judged);
            }
        }
    }

    fn message_lost(&mut self, loss: &MessageLoss) {
        match loss {
            MessageLoss::Impossible(_)
            | MessageLoss::NoRoom(_)
            | MessageLoss::Refused(..)
            | MessageLoss::Expired(_) => {
                self.ledger.sms.given_up += 1;
            }
            // Where the numbers of the modem are known to the disk this is no loss.
            MessageLoss::Doubtful(_) => {
                self.ledger.sms.given_up += u64::from(self.ledger.sms.is_unsure())
            }
            MessageLoss::Unreadable(_) | MessageLoss::Incomplete(_) | MessageLoss::Evicted => {
                self.break_rule(Rule::Messages, loss.to_string());
            }
        }
    }

    fn dropped(&mut self, queue: QueueId) {
        match queue {
            QueueId::Link(link) => self.ledger.dropped[link.index()] += 1,
            QueueId::Httpd => self.ledger.http.dropped += 1,
            QueueId::SerialCommand => self.ledger.command.dropped += 1,
        }
        self.excuse_unwanted();
    }

    /// The window is over: what was kept is for the links.
    pub(super) fn mode_starts(&mut self) {
        if self.ledger.line.phase != Phase::Window {
            return;
        }
        self.ledger.line.mode_starts();
        self.ledger.mode_starts();
        // The silence that closes a frame may be shorter from now on.
        self.ledger.line.advance(self.now);
        self.take_line_events();
    }

    fn device_restarted(&mut self) {
        self.note("restarted", None, 0, &[]);
        self.recoveries_begin_again();
        self.ending = false;
        self.sum.restarts += 1;
        let stored = self.disk.config.clone();
        self.ledger.restarted(&stored);
        self.dte.start_over();
    }

    pub(super) fn ask_for_restart(&mut self) {
        self.dte.wants_restart = !self.healed;
        self.again(self.scenario.restart_every, Event::Restart);
    }
}
