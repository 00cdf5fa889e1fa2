//! The device: routes inputs, orders outputs.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use bytes::Bytes;
use core::net::IpAddr;

use crate::act::Act;
use crate::at::Clock;
use crate::call::Calls;
use crate::config::{Apn, Config, Options, Problem, WorkingMode};
use crate::cx::Cx;
use crate::event::{
    Deadline, Event, Input, LINKS, Leds, LinkId, Origin, Output, QueueId, RestartReason,
    SerialInput, SocketId, StoreInput, Timer,
};
use crate::identity::Identity;
use crate::line::port::{REPLY_QUEUE_HIGH, Source};
use crate::line::{Line, LineState};
use crate::mode::at::AtConnection;
use crate::mode::httpd::Httpd;
use crate::mode::packets::SerialCommand;
use crate::net::backoff::Rng;
use crate::net::{Link, Pause};
use crate::session::Session;
use crate::sms::Mailbox;
use crate::status::{Phase, RadioStatus, SerialStatus, Status};
use crate::time::Instant;

use leds::LedDriver;
use links::Links;
use messages::Post;
use power::{Applying, Ending, Recovery};
use prompt::OpenPrompt;

mod at_connection;
mod calls;
mod commands;
mod drops;
mod failover;
mod httpd;
mod leds;
mod line;
mod links;
mod losses;
mod lost;
mod messages;
mod modem;
mod network;
mod power;
mod prompt;
mod serial;
mod serial_command;

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
    /// Whether the working mode has begun since power-on.
    mode_started: bool,
    /// The mode in force.
    mode: WorkingMode,

    links: Links,
    /// `None`: mode 3 was never used.
    httpd: Option<Box<Httpd>>,
    /// Whether a link is used: always, or as a backup whose primary is down.
    active: [bool; LINKS],
    at_connection: AtConnection,
    attached: Option<IpAddr>,
    radio: RadioStatus,
    calls: Calls,
    /// The access point that the modem was told.
    apn: Option<Apn>,

    session: Session,
    prompt: Option<Box<OpenPrompt>>,
    /// `CIAPPLY` came from a link, whose reply leaves first.
    applying: Option<Applying>,
    ending: Option<Ending>,
    recovery: Recovery,
    /// `None`: mode 1 was never used.
    serial_command: Option<Box<SerialCommand>>,
    led_driver: LedDriver,
    clock: Clock,
    mailbox: Mailbox,
    post: Post,
    /// As the modem told it; void with the modem.
    network_clock: Option<Clock>,

    powered_on: Instant,
    restarts: u32,
    last_received: Instant,
    /// A socket is not read: nobody can say that nothing comes.
    unheard: bool,
}

/// What has connections. A mode that was never used is not there.
struct Parts<'a> {
    line: &'a mut Line,
    links: &'a mut Links,
    httpd: Option<&'a mut Httpd>,
    serial_command: Option<&'a mut SerialCommand>,
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
            links: Links::new(options.clone()),
            httpd: None,
            rng: Rng::new(seed),
            now,
            next_deadline: None,
            pause: None,
            losses_seen: 0,
            outputs: VecDeque::new(),
            acts: VecDeque::new(),
            line: Line::new(stored.line, options.clone(), now),
            mode_started: false,
            mode: stored.mode,
            active: [false; LINKS],
            at_connection: AtConnection::default(),
            attached: None,
            radio: RadioStatus::default(),
            calls: Calls::default(),
            apn: None,
            session: Session::default(),
            prompt: None,
            applying: None,
            ending: None,
            recovery: Recovery::default(),
            serial_command: None,
            led_driver: LedDriver::default(),
            clock: Clock::default(),
            mailbox: Mailbox::default(),
            post: Post::default(),
            network_clock: None,
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
            match queue {
                QueueId::Link(link) => {
                    self.links[link.index()].restore(seq, frame, &mut self.outputs)
                }
                QueueId::Httpd => self.restore_httpd(seq, frame),
                QueueId::SerialCommand => self.restore_serial_command(seq, frame),
            }
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
        let queue = queue.into();
        let link = match queue {
            QueueId::Link(link) => Some(self.links[link.index()].undelivered()),
            QueueId::Httpd | QueueId::SerialCommand => None,
        };
        let httpd = (queue == QueueId::Httpd).then(|| self.httpd_undelivered());
        let command = (queue == QueueId::SerialCommand).then(|| self.serial_command_undelivered());
        let modes = httpd
            .into_iter()
            .flatten()
            .chain(command.into_iter().flatten());
        link.into_iter().flatten().chain(modes)
    }

    /// Something happened. Deadlines that are due fire first, so a host that is late merges no frames.
    pub fn handle_input(&mut self, input: Input<'_>, now: Instant) {
        // mutant: late-host
        self.handle_timeout(now);
        match input {
            Input::Serial(input) => self.handle_serial(input),
            Input::Socket(socket, input) => self.handle_socket(socket, input),
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
        earliest.meet(Timer::Call, self.calls.deadline());
        earliest.meet(
            Timer::SerialHeartbeat,
            self.line
                .heartbeat_deadline(self.ending.is_some(), &self.config),
        );
        earliest.meet(Timer::AtConnection, self.at_connection_deadline());
        earliest.meet(Timer::Httpd, self.httpd_deadline());
        earliest.meet(Timer::SerialCommand, self.serial_command_deadline());
        earliest.meet(Timer::NoData, self.no_data_deadline());
        earliest.meet(Timer::Recovery, self.recovery_deadline());
        earliest.meet(Timer::DataLed, self.led_driver.deadline());
        earliest.meet(Timer::Line, self.line_deadline());
        earliest.meet(Timer::Pace, self.pace_deadline());
        for link in LinkId::ALL
            .into_iter()
            .filter(|link| self.links.is_used(*link))
        {
            earliest.meet(Timer::Link(link), self.link_deadline(link));
        }
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
        // What comes in the set-up window is for the mode that is set.
        let mode = if self.mode_started {
            self.mode
        } else {
            self.config.mode
        };
        let pause = match mode {
            WorkingMode::Transparent => self.links_pause(),
            WorkingMode::SerialCommand => self.serial_command.as_ref()?.pause(self.now),
            // mutant: client-pauses
            WorkingMode::Httpd => self.httpd.as_ref()?.pause(self.now),
            WorkingMode::AtCommand | WorkingMode::Sms => None,
        };
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
            mode: self.mode,
            mode_started: self.mode_started,
            attached: self.attached,
            radio: self.radio.clone(),
            messages: self.mailbox.status(),
            call: self.calls.status(),
            leds: self.leds(),
            serial: SerialStatus {
                present: self.line.port.present,
                counters: self.line.counters,
                waiting: self.line.port.waiting(),
            },
            links: core::array::from_fn(|index| self.links[index].status()),
            httpd: self.httpd_status(),
            at_connection: self.at_connection.status(),
            serial_command: self
                .serial_command
                .as_ref()
                .map(|mode| mode.status())
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
            Timer::AtConnection => self.at_connection_due(),
            Timer::Httpd => self.httpd_due(),
            Timer::SerialCommand => self.serial_command_due(),
            Timer::Apply => self.apply_now(),
            Timer::Restart => self.end_now(),
            Timer::Link(link) => self.link_due(link),
        }
    }

    /// What any input may have made possible.
    fn settle(&mut self) {
        self.tend_messages();
        if self.links.have_backups() {
            self.finish_failbacks();
        }
        self.check_applying();
        self.check_ending();
        self.run_backlog();
        self.print_behind_answer();
        self.print_urcs();
        self.store_messages();
        self.print_released();
        self.share_line();
        self.httpd_listens();
        self.serial_command_reads();
        self.show_leds();
        self.look_ahead();
    }

    /// A host asks for both many times between two inputs.
    fn look_ahead(&mut self) {
        self.pause = self.queue_pause();
        self.next_deadline = self.find_deadline();
    }

    /// Does what parts asked for. To be called whenever one has returned.
    fn carry_out_acts(&mut self) {
        while let Some(act) = self.acts.pop_front() {
            match act {
                Act::Print { socket, data } => self.print(data, Source::Socket(socket)),
            }
        }
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
        let mode_up = self.httpd_is_up()
            || self.at_connection.connection.is_up()
            || self.serial_command_is_up();
        let up = mode_up || self.links.iter().any(Link::is_up);
        Leds {
            pow: true,
            net: self.is_on_network(),
            data: up && !self.led_driver.is_dark(),
        }
    }

    /// NET: registered, where there is a modem, and attached.
    fn is_on_network(&self) -> bool {
        let registered = self.radio.modem.is_none() || self.radio.registration.is_registered();
        registered && self.attached.is_some()
    }

    fn show_leds(&mut self) {
        let leds = self.leds();
        if self.led_driver.show(leds) {
            self.outputs.push_back(Output::Leds(leds));
        }
    }

    /// The parts that have connections, and what they are lent.
    fn parts(&mut self) -> (Parts<'_>, Cx<'_>) {
        let cx = Cx {
            now: self.now,
            config: &self.config,
            outputs: &mut self.outputs,
            acts: &mut self.acts,
            rng: &mut self.rng,
            attached: self.attached.is_some(),
        };
        let httpd = self.httpd.as_deref_mut();
        let serial_command = self.serial_command.as_deref_mut();
        (
            Parts {
                line: &mut self.line,
                links: &mut self.links,
                httpd,
                serial_command,
            },
            cx,
        )
    }
}

/// Of deadlines at one time, the first that was met counts.
struct Earliest(Option<Deadline>);

impl Earliest {
    fn meet(&mut self, timer: Timer, at: Option<Instant>) {
        if let Some(at) = at
            && self.0.is_none_or(|known| at < known.at)
        {
            self.0 = Some(Deadline { at, timer });
        }
    }
}
