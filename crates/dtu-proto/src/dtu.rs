//! The device: routes inputs, orders outputs.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use bytes::Bytes;

use crate::act::Act;
use crate::cellular::Cellular;
use crate::config::{Config, Options, Problem, WorkingMode};
use crate::cx::View;
use crate::event::{
    Deadline, Event, Input, Leds, Origin, Output, QueueId, RestartReason, SerialInput, SocketId,
    StoreInput, Timer,
};
use crate::identity::Identity;
use crate::line::port::{REPLY_QUEUE_HIGH, Source};
use crate::line::{Line, LineState};
use crate::mode::Modes;
use crate::mode::at::AtConnection;
use crate::mode::packets::Packets;
use crate::net::Pause;
use crate::net::backoff::Rng;
use crate::session::Session;
use crate::sms::Mailbox;
use crate::status::{Phase, SerialStatus, Status};
use crate::time::Instant;

use leds::LedDriver;
use messages::MessageQueues;
use power::{Applying, Ending, Recovery};
use prompt::OpenPrompt;

mod calls;
mod commands;
mod drops;
mod leds;
mod line;
mod losses;
mod lost;
mod messages;
mod modem;
mod modes;
mod power;
mod prompt;
mod serial;

/// The DTU.
///
/// A host drains [`Dtu::poll_output`] after every [`Dtu::handle_input`] and [`Dtu::handle_timeout`], carries the
/// outputs out in order, and calls `handle_timeout` when [`Dtu::poll_timeout`] says so.
///
/// Invariant: at most one `SerialOutput` and one `SocketOutput::Send` a socket are outstanding.
/// Invariant: nothing here waits without a deadline, and no queue grows without a bound.
#[derive(Debug)]
pub struct Dtu {
    /// The running set; what is not stored is gone at a restart.
    config: Arc<Config>,
    /// One with the running set, unless that was changed.
    stored: Arc<Config>,
    options: Arc<Options>,
    identity: Identity,
    rng: Rng,
    now: Instant,
    /// The nearest deadline, as it was found when something last changed.
    next_deadline: Option<Deadline>,
    /// What keeps the serial line from being read, as of then.
    pause: Option<Pause>,
    /// The sum of all counters of losses when the host last asked.
    losses_seen: u64,
    outputs: VecDeque<Output>,
    /// What parts asked of others, until it is done: empty between two inputs.
    acts: VecDeque<Act>,

    line: Line,

    modes: Modes,
    cellular: Cellular,

    session: Session,
    prompt: Option<Box<OpenPrompt>>,
    /// `CIAPPLY` came from a link, whose reply leaves first.
    applying: Option<Applying>,
    ending: Option<Ending>,
    recovery: Recovery,
    led_driver: LedDriver,
    mailbox: Mailbox,
    messages: MessageQueues,

    powered_on: Instant,
    restarts: u32,
    last_received: Instant,
    /// A socket is not read: nobody can say that nothing comes.
    unheard: bool,
}

impl Dtu {
    /// A device that is powered on at `now` with what is stored. `seed` feeds the jitter of reconnects; two
    /// devices should not share it.
    #[must_use]
    pub fn new(
        stored: Config,
        options: Options,
        identity: Identity,
        seed: u64,
        now: Instant,
    ) -> Self {
        let (stored, options) = (Arc::new(stored), Arc::new(options));
        let mut dtu = Self {
            config: stored.clone(),
            modes: Modes::new(stored.mode, &options),
            rng: Rng::new(seed),
            now,
            next_deadline: None,
            pause: None,
            losses_seen: 0,
            outputs: VecDeque::new(),
            acts: VecDeque::new(),
            line: Line::new(stored.line, options.clone(), now),
            cellular: Cellular::default(),
            session: Session::default(),
            prompt: None,
            applying: None,
            ending: None,
            recovery: Recovery::default(),
            led_driver: LedDriver::default(),
            mailbox: Mailbox::default(),
            messages: MessageQueues::default(),
            powered_on: now,
            restarts: 0,
            last_received: now,
            unheard: false,
            stored,
            options,
            identity,
        };
        dtu.power_on(RestartReason::PowerOn);
        dtu.look_ahead();
        dtu
    }

    /// Puts frames that an earlier run left undelivered into their queue, oldest first, each with its spool number.
    /// To be called before the first input.
    pub fn restore(
        &mut self,
        queue: impl Into<QueueId>,
        frames: impl IntoIterator<Item = (u64, Bytes)>,
    ) {
        let queue = queue.into();
        for (seq, frame) in frames {
            self.with_modes(|modes, cx| modes.restore(queue, seq, frame, cx));
        }
        self.pause = self.queue_pause();
    }

    /// Puts the messages that an earlier run kept (the text of the last `StoreOutput::Messages`) back in their places.
    /// To be called before the first input. What cannot be read is passed over and reported.
    pub fn restore_messages(&mut self, text: &str) -> Vec<Problem> {
        let problems = self.mailbox.restore(text, self.now);
        self.look_ahead();
        problems
    }

    /// The frames that wait in a queue, oldest first, with their numbers: for the host's clean stop.
    pub fn undelivered(&self, queue: impl Into<QueueId>) -> impl Iterator<Item = (u64, &Bytes)> {
        self.modes.undelivered(queue.into())
    }

    /// Something happened. Deadlines that are due fire first, so a host that is late merges no frames.
    pub fn handle_input(&mut self, input: Input<'_>, now: Instant) {
        // mutant: late-host
        self.handle_timeout(now);
        match input {
            Input::Serial(input) => self.handle_serial(input),
            Input::Socket(socket, input) => {
                self.with_modes(|modes, cx| modes.socket(socket, input, cx));
            }
            Input::Modem(input) => self.handle_modem(input),
            Input::Store(input) => self.handle_store(input),
            Input::Console(line) => self.run_command(Origin::Console, line.as_bytes()),
            Input::Lost(lost) => self.lost(lost),
            Input::Shutdown => self.stop(),
        }
        self.settle();
    }

    /// Time has passed. A spurious call does nothing.
    pub fn handle_timeout(&mut self, now: Instant) {
        debug_assert_eq!(
            self.next_deadline,
            self.find_deadline(),
            "something changed a deadline and did not say so"
        );
        self.now = self.now.max(now);
        while let Some(deadline) = self
            .poll_timeout()
            .filter(|deadline| deadline.at <= self.now)
        {
            self.fire(deadline);
            self.settle();
        }
    }

    /// The next thing to do. Drain to `None` after every input and timeout, before the next input.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call `handle_timeout` at the latest; `None` = not before the next input.
    #[must_use]
    pub const fn poll_timeout(&self) -> Option<Deadline> {
        self.next_deadline
    }

    fn find_deadline(&self) -> Option<Deadline> {
        let mut earliest = Earliest(None);
        earliest.meet(Timer::Restart, self.ending_deadline());
        earliest.meet(Timer::Escape, self.line.escape_deadline());
        earliest.meet(Timer::Frame, self.line.frame_deadline(&self.config));
        earliest.meet(Timer::SetupWindow, self.window_deadline());
        earliest.meet(Timer::Apply, self.apply_deadline());
        earliest.meet(Timer::Parked, self.session.deadline());
        earliest.meet(Timer::Prompt, self.line.prompt_deadline());
        earliest.meet(Timer::Message, self.message_deadline());
        earliest.meet(Timer::Call, self.cellular.calls.deadline());
        earliest.meet(
            Timer::SerialHeartbeat,
            self.line
                .heartbeat_deadline(self.ending.is_some(), &self.config),
        );
        let view = View {
            config: &self.config,
            attached: self.cellular.is_attached(),
        };
        let mode = self.modes.deadline(&view);
        // Links come last of what is due at one time: a recorded run is replayed in the order that it had.
        let is_links = |of: &Deadline| of.timer == Timer::Mode(WorkingMode::Transparent);
        earliest.meet_deadline(mode.filter(|of| !is_links(of)));
        earliest.meet(Timer::NoData, self.no_data_deadline());
        earliest.meet(Timer::Recovery, self.recovery_deadline());
        earliest.meet(Timer::DataLed, self.led_driver.deadline());
        earliest.meet(Timer::Line, self.line_deadline());
        earliest.meet(Timer::Pace, self.pace_deadline());
        earliest.meet_deadline(mode.filter(is_links));
        earliest.0
    }

    /// Whether the host may read the serial line.
    #[must_use]
    pub fn wants_serial(&self) -> bool {
        debug_assert_eq!(
            self.pause,
            self.queue_pause(),
            "something made or took room and did not say so"
        );
        self.reads_serial(self.pause)
    }

    fn reads_serial(&self, pause: Option<Pause>) -> bool {
        !self.line.has_backlog()
            && !self.commands_wait()
            && (self.line.state == LineState::OnlineData
                || self.line.port.own_waiting() < REPLY_QUEUE_HIGH)
            && pause.is_none()
    }

    /// What keeps the serial line from being read for want of room. A command adds nothing to a queue.
    fn queue_pause(&self) -> Option<Pause> {
        if self.line.state == LineState::OnlineCommand {
            return None;
        }
        let pause = self.modes.pause(self.config.mode, self.now);
        // Bytes that a line without flow control brings meanwhile would be lost uncounted.
        pause.filter(|pause| *pause == Pause::UntilRoom || self.options.line_holds)
    }

    /// When a server that took nothing more does not pace the line any longer.
    fn pace_deadline(&self) -> Option<Instant> {
        match self.pause? {
            Pause::Until(until) => Some(until),
            Pause::UntilRoom => None,
        }
    }

    /// Whether the host may read this socket.
    #[must_use]
    pub fn wants_socket(&self, socket: impl Into<SocketId>) -> bool {
        self.has_room_for(Source::Socket(socket.into()))
    }

    /// The running set of parameters.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// A snapshot.
    #[must_use]
    pub fn status(&self, now: Instant) -> Status {
        Status {
            now,
            uptime: now.since(self.powered_on),
            restarts: self.restarts,
            phase: self.phase(),
            mode: self.modes.in_force(),
            mode_started: self.modes.is_started(),
            attached: self.cellular.attached,
            radio: self.cellular.radio.clone(),
            messages: self.mailbox.status(),
            call: self.cellular.calls.status(),
            leds: self.leds(),
            serial: SerialStatus {
                present: self.line.port.present,
                counters: self.line.counters,
                waiting: self.line.port.waiting(),
            },
            links: core::array::from_fn(|index| self.modes.transparent.links[index].status()),
            httpd: self
                .modes
                .httpd
                .get()
                .map(|httpd| httpd.status(self.cellular.is_attached()))
                .unwrap_or_default(),
            at_connection: self
                .modes
                .at
                .get()
                .map_or_else(|| AtConnection::default().status(), AtConnection::status),
            serial_command: self
                .modes
                .packets
                .get()
                .map(Packets::status)
                .unwrap_or_default(),
        }
    }

    fn phase(&self) -> Phase {
        match self.line.state {
            _ if self.ending.is_some() => Phase::Ending,
            LineState::Window { .. } => Phase::SetupWindow,
            LineState::OnlineCommand => Phase::Command,
            LineState::OnlineData => Phase::Data,
        }
    }

    fn fire(&mut self, deadline: Deadline) {
        match deadline.timer {
            Timer::Escape => self.escape_due(deadline.at),
            Timer::Frame => self.frame_due(),
            Timer::SetupWindow => self.end_window(),
            Timer::SerialHeartbeat => self.with_line(Line::heartbeat),
            Timer::NoData => self.restart(RestartReason::NoData),
            Timer::Recovery => self.recover(),
            Timer::DataLed => self.led_driver.fire(self.now),
            // The line is read again: that time has passed is all.
            Timer::Pace => {}
            Timer::Line => self.line_due(),
            Timer::Parked => self.command_timeout(),
            Timer::Prompt => self.prompt_due(),
            Timer::Message => self.message_due(),
            Timer::Call => self.call_due(),
            Timer::Apply => self.apply_now(),
            Timer::Restart => self.end_now(),
            Timer::Mode(mode) => self.with_modes(|modes, cx| modes.fire(mode, cx)),
        }
    }

    /// What any input may have made possible.
    fn settle(&mut self) {
        self.tend_messages();
        self.with_modes(Modes::settle);
        self.check_applying();
        self.check_ending();
        self.run_backlog();
        self.print_behind_answer();
        self.print_urcs();
        self.store_messages();
        self.with_modes(Modes::release);
        self.pause = self.queue_pause();
        self.share_line();
        self.show_leds();
        self.next_deadline = self.find_deadline();
    }

    /// A host asks for both many times between two inputs.
    fn look_ahead(&mut self) {
        self.pause = self.queue_pause();
        self.next_deadline = self.find_deadline();
    }

    fn handle_store(&mut self, input: StoreInput<'_>) {
        match input {
            StoreInput::Saved => self.store_answered(Ok(())),
            StoreInput::Failed(why) => self.store_answered(Err(why)),
            StoreInput::MessagesSaved(number) => self.messages_saved(number),
            StoreInput::MessagesFailed(why) => self.messages_failed(why),
            StoreInput::SpoolRefused(queue, frames) => self.spool_refused(queue, frames),
        }
    }

    fn handle_serial(&mut self, input: SerialInput<'_>) {
        match input {
            SerialInput::Data(data) => self.serial_data(data),
            SerialInput::Written => self.serial_written(),
            SerialInput::Configured(problem) => {
                self.line.port.configured(&mut self.outputs);
                if let Some(why) = problem {
                    self.event(Event::LineRefused(String::from(why)));
                }
            }
            SerialInput::Present => self.serial_present(true),
            SerialInput::Gone => self.serial_present(false),
            SerialInput::Discarded(left) => self.serial_discarded(left),
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

    fn event(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    fn leds(&self) -> Leds {
        Leds {
            pow: true,
            net: self.cellular.is_on_network(),
            data: self.modes.is_up() && !self.led_driver.is_dark(),
        }
    }

    fn show_leds(&mut self) {
        let leds = self.leds();
        if self.led_driver.show(leds) {
            self.outputs.push_back(Output::Leds(leds));
        }
    }
}

/// Of deadlines at one time, the first that was met counts.
struct Earliest(Option<Deadline>);

impl Earliest {
    fn meet(&mut self, timer: Timer, at: Option<Instant>) {
        self.meet_deadline(at.map(|at| Deadline { at, timer }));
    }

    fn meet_deadline(&mut self, deadline: Option<Deadline>) {
        if let Some(deadline) = deadline
            && self.0.is_none_or(|known| deadline.at < known.at)
        {
            self.0 = Some(deadline);
        }
    }
}
