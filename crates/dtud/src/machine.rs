//! The machine: one task owns the device and everything that it moves.
//!
//! Each turn of the loop looks once at every source that may have something - links, line, disk, signals, time - and
//! feeds what it finds to the device, whose outputs are carried out before the next input. Nothing in it waits, nothing
//! is allocated for a wake-up, and there is one timer.
//!
//! A source is looked at when it woke the loop, when it was given an order, when its last news need not have been all,
//! when the device begins or ends to want its bytes, and, as all of them, when a deadline has come.

use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use dtu_proto::Dtu;
use dtu_proto::event::{
    Input, LinkId, Output, Power, SerialInput, SocketId, SocketOutput, StoreInput,
};
use dtu_proto::record::Header;
use dtu_proto::rest::Rests;
use dtu_proto::time::Instant;
use dtu_proto::to_store_text;
use tracing::{error, info, warn};

use crate::at_lines::{AtLines, StartLine};
use crate::cli;
use crate::clock::{Clock, Timer};
use crate::console::Console;
use crate::control::Control;
use crate::disk::{Disk, DiskEvent, StoredState};
use crate::fs::Fs;
use crate::held::Held;
use crate::journal::Journal;
use crate::leds::LedPanel;
use crate::modem::{self, Modem};
use crate::pages::StartPages;
use crate::port::part;
use crate::record::Recorder;
use crate::rehearsal::{self, Fault};
use crate::serial::{Address, Serial, SerialEvent, Wiring};
use crate::settings::{FileKey, FlowControl, Http, Leds, Settings};
use crate::socket::SocketEvent;
use crate::sockets::Sockets;
use crate::status;
use crate::tls;
use crate::watchdog::Watchdog;

#[cfg(feature = "console")]
mod requests;
mod sources;

use sources::{Set, Source, Sources};

/// Everything that the command line and the settings file decide.
#[derive(Debug)]
pub struct Setup {
    /// The line.
    pub serial: Address,
    /// The modem.
    pub modem: modem::Address,
    /// Folder of what is kept.
    pub state: PathBuf,
    /// What the settings file says.
    pub settings: Settings,
    /// Where it is, to read it again.
    pub settings_path: Option<PathBuf>,
    /// Length of the set-up window, where the command line names one.
    pub setup_window: Option<Duration>,
    /// AT lines to run at power-on, those of the settings file as well.
    pub at: Vec<StartLine>,
    /// Log of all inputs.
    pub record: Option<PathBuf>,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// In good order.
    Stopped,
    /// An `--at` line was refused.
    AtRefused,
    /// In good order, but frames that waited could not be kept.
    FramesLost,
}

/// A start that would never end.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct BadStart(String);

/// Somebody who watches the device live.
pub(crate) trait Observer {
    fn output(&mut self, output: &Output);
    /// Called at the times it asks for.
    fn look(&mut self, dtu: &Dtu, now: Instant) -> Instant;
}

/// The device with its line, links, disk, modem and LEDs.
pub(crate) struct Machine {
    dtu: Dtu,
    sources: Sources,
    /// Those whose bytes the device wanted when they were last looked at.
    wanted: Set,
    clock: Clock,
    timer: Timer,
    /// The earliest deadline when the loop last had nothing to do.
    due: Option<Instant>,
    serial: Serial,
    rests: Rests,
    sockets: Sockets,
    disk: Disk,
    held: Held,
    modem: Modem,
    /// The interface that the modem's data takes, as the links know it.
    modem_interface: Option<String>,
    leds: LedPanel,
    at: AtLines,
    recorder: Option<Recorder>,
    control: Arc<Control>,
    watchdog: Watchdog,
    start_pages: StartPages,
    journal: Journal,
    server: status::Server,
    console: Option<Box<Console>>,
    /// Since when drops are counted.
    counted_since: Option<SystemTime>,
    settings: Settings,
    settings_path: Option<PathBuf>,
    observer: Option<Box<dyn Observer>>,
    look_at: Option<Instant>,
    /// Something has happened since the counters of losses were last looked at, and when that is at the latest.
    uncounted: bool,
    count_by: Instant,
    /// Something else than that bytes pass has happened since deadlines were last looked for.
    beside: bool,
    /// The nearest deadline of the parts that bytes do not move, as of then.
    due_beside: Option<Instant>,
    /// Lent to each read.
    buf: Vec<u8>,
    /// What the ready line says of the console; once the line is open it is said.
    announce: Option<String>,
    started: bool,
    powered_on: Instant,
    /// That of the last turn.
    now: Instant,
    stop_by: Option<Instant>,
    /// At the end: how long a save may still take.
    saved_by: Option<Instant>,
    end: Option<End>,
}

impl Machine {
    /// Opens everything. Must be called inside the runtime, on the thread that turns the reactor.
    pub(crate) fn new(setup: Setup, control: Arc<Control>) -> anyhow::Result<Self> {
        let clock = Clock::start();
        let settings = setup.settings;
        let mut options = settings.options();
        if let Some(window) = setup.setup_window {
            options.setup_window = window;
        }
        // RTS keeps the DTE of a real line from sending; any other one goes on.
        options.line_holds = match setup.serial {
            Address::Pty(_) | Address::Tcp(..) => true,
            Address::Tty(_) => settings.serial.flow_control == FlowControl::RtsCts,
        };
        // Not nothing, so that `--at` lines come before its end.
        options.setup_window = options.setup_window.max(Duration::from_micros(1));
        let identity = setup.modem.identity();
        let seed = seed();
        let modem =
            Modem::open(setup.modem, &settings.modem, &setup.state, seed).context("modem")?;
        let (disk, kept) = Disk::open(&Fs::default(), &setup.state, &settings)?;
        // What is refused is told when it is run.
        if let Some(found @ (_, Fault::Ends)) =
            rehearsal::first_fault(&setup.at, &kept.config, &options, &identity)
        {
            return Err(BadStart(rehearsal::complaint(found)).into());
        }
        let wiring = Wiring {
            rts_cts: settings.serial.flow_control == FlowControl::RtsCts,
            rs485: settings.serial.rs485,
            access: settings.serial.access,
            hold: settings.serial.hold,
        };
        let server = status::Server::open(&setup.state);
        let serial = Serial::new(setup.serial, wiring, &setup.state).context("serial")?;
        let tls = tls::Client::new(settings.http.extra_root.clone());
        let mut sockets = Sockets::new(&tls);
        sockets.use_interface(|socket| settings.interface_of(socket));
        let start = Header {
            seed,
            started: clock.now(),
            identity,
            options,
            stored: to_store_text(&kept.config),
            restored: kept.frames,
            messages: kept.messages,
            losses: kept.losses,
        };
        let recorder = setup
            .record
            .as_deref()
            .map(|path| Recorder::create(path, &start))
            .transpose()?;
        let powered_on = start.started;
        let mut dtu = Dtu::new(
            kept.config,
            start.options,
            start.identity,
            start.seed,
            powered_on,
        );
        dtu.restore_losses(&start.losses);
        // What an earlier run counted is no news.
        let journal = Journal::new(dtu.drops());
        for (queue, number, frame) in start.restored {
            dtu.restore(queue, [(number, frame)]);
        }
        disk.log_skipped_lines(&dtu.restore_messages(&start.messages));
        StoredState::forget(kept.to_forget);
        let losses = std::fs::metadata(setup.state.join("losses"));
        let counted_since = losses.and_then(|file| file.created()).ok();
        Ok(Self {
            dtu,
            sources: Sources::new(),
            wanted: Set::default(),
            clock,
            due: None,
            timer: Timer::new().context("timer")?,
            serial,
            rests: Rests::default(),
            sockets,
            disk,
            held: Held::default(),
            modem,
            modem_interface: None,
            leds: led_panel(&settings),
            at: AtLines::new(setup.at),
            recorder,
            control,
            watchdog: Watchdog::from_environment(),
            start_pages: StartPages::new(powered_on),
            journal,
            server,
            console: None,
            counted_since,
            settings,
            settings_path: setup.settings_path,
            observer: None,
            look_at: None,
            uncounted: false,
            count_by: powered_on,
            beside: true,
            due_beside: None,
            buf: vec![0; READ_BUFFER],
            announce: None,
            started: false,
            powered_on,
            now: powered_on,
            stop_by: None,
            saved_by: None,
            end: None,
        })
    }

    /// Prints the ready line when the serial line is open.
    pub(crate) fn announcing(mut self, console: &str) -> Self {
        self.announce = Some(console.to_owned());
        self
    }

    #[cfg(feature = "demo")]
    pub(crate) fn observed_by(mut self, observer: Box<dyn Observer>) -> Self {
        self.observer = Some(observer);
        self.look_at = Some(Instant::ZERO);
        self
    }

    /// With a web console, which asks and watches.
    pub(crate) fn with_console(mut self, console: Console) -> Self {
        Console::watch(&mut self.dtu);
        self.console = Some(Box::new(console));
        #[cfg(feature = "console")]
        self.modem.keep_messages();
        self
    }

    #[cold]
    fn power_on(&mut self) {
        self.control.watch(self.sources.waker(Source::Asker));
        // Also where the serial device is missing: that is a state, not a start that failed.
        self.watchdog.ready();
        self.at.power_on(self.powered_on);
        self.carry_out(self.powered_on);
        self.run_at_lines(self.clock.now());
    }

    /// The time is that of the turn.
    fn feed(&mut self, input: Input<'_>, now: Instant) {
        self.feed_at(now, input);
        self.run_at_lines(now);
    }

    fn feed_at(&mut self, now: Instant, input: Input<'_>) {
        let now = self.rests.device_time(now);
        if let Some(recorder) = &mut self.recorder {
            recorder.input(now, &input);
        }
        if let Some(console) = &mut self.console {
            console.input(&input, &self.dtu);
        }
        self.dtu.handle_input(input, now);
        self.carry_out(now);
    }

    fn carry_out(&mut self, now: Instant) {
        if let Some(console) = &mut self.console {
            console.seen(&mut self.dtu, now);
        }
        while let Some(output) = self.dtu.poll_output() {
            if let Some(console) = &mut self.console {
                console.output(&output, &self.dtu);
            }
            if let Some(observer) = &mut self.observer {
                observer.output(&output);
            }
            match output {
                Output::Socket(socket, order) => self.network_order(socket, order, now),
                Output::Serial(order) => {
                    let mut cx = self.sources.context(Source::Line);
                    self.serial.order(order, now, &mut cx);
                    self.sources.mark(Source::Line);
                }
                Output::Leds(leds) => self.leds.show(leds),
                seldom @ (Output::Modem(_)
                | Output::Store(_)
                | Output::Console(_)
                | Output::Power(_)
                | Output::Event(_)) => self.carry_out_seldom(seldom, now),
            }
        }
    }

    #[cold]
    fn carry_out_seldom(&mut self, output: Output, now: Instant) {
        self.beside = true;
        match output {
            Output::Modem(order) => {
                let mut cx = self.sources.context(Source::Modem);
                self.modem.order(order, now, &mut cx);
                self.sources.mark(Source::Modem);
            }
            Output::Store(order) => {
                self.disk.order(order);
                self.sources.mark(Source::Disk);
            }
            Output::Console(reply) => self.answered(&reply),
            Output::Power(Power::Restarted) => self.at.power_on(now),
            Output::Power(Power::Stop) => self.end = self.end.or(Some(End::Stopped)),
            Output::Event(event) => self.journal.log(&event, &self.dtu, now),
            Output::Socket(..) | Output::Serial(_) | Output::Leds(_) => {
                unreachable!("those are for `carry_out`")
            }
        }
    }

    /// To a line of the web console, or of the start: one is outstanding.
    fn answered(&mut self, reply: &str) {
        let console = self.console.as_mut();
        if !console.is_some_and(|console| console.reply(reply)) {
            self.at.reply(reply);
        }
    }

    /// A send may have to wait for the disk.
    fn network_order(&mut self, socket: SocketId, order: SocketOutput, now: Instant) {
        self.held.forget(socket);
        let until = match (&order, socket.queue()) {
            (SocketOutput::Send(payload), Some(queue)) => self.disk.holds(queue, &payload.body),
            (SocketOutput::Send(_) | SocketOutput::Close, _) => None,
            (SocketOutput::Connect(target), _) => {
                self.beside = true;
                self.journal.connecting(socket, target);
                None
            }
        };
        match until {
            Some(until) => {
                self.held.hold(socket, until, order);
                self.sources.mark(Source::Disk);
            }
            None => self.give_order(socket, order, now),
        }
    }

    fn give_order(&mut self, socket: SocketId, order: SocketOutput, now: Instant) {
        let source = Source::Socket(socket);
        let mut cx = self.sources.context(source);
        self.sockets.order(socket, order, now, &mut cx);
        // A send that is done is looked for in each turn.
        if !self.sockets.has_sent(socket) {
            self.sources.mark(source);
        }
    }

    /// Looks once at every source that may have something; says whether to do so again.
    fn turn(&mut self) -> bool {
        let (now, had_ended) = (self.clock.now(), self.end.is_some());
        // What came while the line was left alone came before the deadlines of now, which waited for it.
        let mut busy = self.read_behind_rest(now);
        let is_due = |at: Instant| at <= now && self.serial.rest_end().is_none();
        let of_device = self.dtu.poll_timeout();
        if self.due.is_some_and(is_due) || of_device.is_some_and(|deadline| is_due(deadline.at)) {
            self.due = None;
            self.sources.mark_all();
            busy |= self.time(now);
        }
        let ready = self.sources.take();
        self.beside |= ready.meets(&SELDOM);
        if ready.has(Source::Asker) {
            busy |= self.signals(now);
        }
        for socket in self.sockets.open() {
            if ready.has(Source::Socket(socket))
                && let Some(_) = self.poll_socket(socket, now)
            {
                self.sources.mark(Source::Socket(socket));
                busy = true;
            }
        }
        if ready.has(Source::Line) {
            busy |= self.poll_serial(now);
        }
        // What the line brought has mostly gone by now: no turn of its own for that news.
        for socket in self.sockets.open() {
            if self.sockets.has_sent(socket) {
                // Whatever else it has was looked at before, or has woken it.
                if self.poll_socket(socket, now) != Some(SocketEvent::Sent) {
                    self.sources.mark(Source::Socket(socket));
                }
                busy = true;
            }
        }
        if ready.has(Source::Modem) {
            busy |= self.poll_modem(now);
        }
        if ready.has(Source::Disk) {
            busy |= self.poll_disk(now);
        }
        if ready.has(Source::Asker) {
            busy |= self.answer_questions(now);
            busy |= self.answer_console(now);
        }
        if busy {
            self.mark_what_is_wanted();
            self.beside |= self.watchdog.note_change();
            self.uncounted = true;
        }
        self.now = now;
        let ends = self.end.is_some() && !had_ended;
        ends || self.sources.is_any_ready() || self.sockets.any_has_sent()
    }

    /// Those of whom the device wants bytes now, or does not any more.
    fn mark_what_is_wanted(&mut self) {
        if self.wanted.has(Source::Line) != self.dtu.wants_serial() {
            self.sources.mark(Source::Line);
        }
        for socket in self.sockets.open() {
            let source = Source::Socket(socket);
            if self.wanted.has(source) != self.dtu.wants_socket(socket) {
                self.sources.mark(source);
            }
        }
    }

    /// The end of a connection whose bytes wait unread does not wake the loop.
    fn mark_paused(&self) {
        let open = self.sockets.open().map(Source::Socket);
        open.filter(|source| !self.wanted.has(*source))
            .for_each(|source| self.sources.mark(source));
    }

    /// Once a wake-up, not at each turn of it; where only bytes have passed, once a second.
    fn look_at_losses(&mut self) {
        let now = self.now;
        if !self.uncounted || !(self.beside || now >= self.count_by) {
            return;
        }
        self.count_losses(now);
    }

    #[cold]
    fn count_losses(&mut self, now: Instant) {
        self.uncounted = false;
        self.count_by = now + COUNTED_EVERY;
        if self.dtu.has_new_losses() {
            self.disk.note_losses(self.dtu.losses());
            self.journal.look(now, &self.dtu);
            self.beside = true;
        }
        debug_assert!(
            self.disk.knows(&self.dtu.losses()),
            "a counter has grown and did not say so"
        );
    }

    #[cold]
    fn answer_questions(&mut self, now: Instant) -> bool {
        let mut server = std::mem::take(&mut self.server);
        let mut cx = self.sources.context(Source::Asker);
        let answered = server.poll(&mut cx, now, || self.report(now));
        self.server = server;
        if answered {
            self.sources.mark(Source::Asker);
        }
        answered
    }

    /// How the device is.
    fn report(&self, now: Instant) -> status::Report {
        let around = status::Around {
            line: self.serial.address(),
            host_network: self.modem.is_none(),
            dropped: self.journal.dropped(),
            counted_since: self.counted_since,
            round_trips: LinkId::ALL.map(|link| self.sockets.round_trip(link.into())),
            fingerprint: self.console.as_ref().and_then(|it| it.fingerprint()),
        };
        status::Report::new(&self.dtu, &around, now)
    }

    fn poll_socket(&mut self, socket: SocketId, now: Instant) -> Option<SocketEvent> {
        let wanted = self.dtu.wants_socket(socket);
        let source = Source::Socket(socket);
        self.wanted.set(source, wanted);
        let mut buf = std::mem::take(&mut self.buf);
        let mut cx = self.sources.context(source);
        let news = self
            .sockets
            .poll(socket, &mut cx, now, wanted, &self.serial, &mut buf);
        if let Some(news) = news {
            if !matches!(
                news,
                SocketEvent::Data(_) | SocketEvent::Sent | SocketEvent::Acked(_)
            ) {
                self.note_socket(socket, &news);
            }
            self.feed(news.input(socket, &buf), now);
        }
        self.buf = buf;
        news
    }

    #[cold]
    fn note_socket(&mut self, socket: SocketId, news: &SocketEvent) {
        self.beside = true;
        self.journal
            .on_socket(socket, news, self.sockets.contact(socket));
        if matches!(news, SocketEvent::Closed { .. }) {
            self.held.forget(socket);
        }
    }

    fn poll_serial(&mut self, now: Instant) -> bool {
        let wanted = self.dtu.wants_serial();
        self.wanted.set(Source::Line, wanted);
        let mut buf = std::mem::take(&mut self.buf);
        let mut cx = self.sources.context(Source::Line);
        let news = self
            .serial
            .poll(&mut cx, now, wanted, part(&mut buf, SERIAL_READ));
        let any = news.is_some();
        if any && self.serial.may_have_more() {
            self.sources.mark(Source::Line);
        }
        match news {
            None => {}
            Some(SerialEvent::Data(count)) => {
                let came = self.rests.read(count, now);
                let data = buf.get(..count).unwrap_or_default();
                if !data.is_empty() {
                    self.feed(Input::Serial(SerialInput::Data(data)), came);
                }
            }
            Some(SerialEvent::Written) => self.feed(Input::Serial(SerialInput::Written), now),
            Some(news) => self.feed_seldom(&news, now),
        }
        self.buf = buf;
        if self.announce.is_some() && self.serial.is_open() {
            self.announce();
        }
        any
    }

    /// Reads the line where a rest is over; says whether anything happened.
    fn read_behind_rest(&mut self, now: Instant) -> bool {
        let mut busy = false;
        while self.serial.rest_end().is_some_and(|at| at <= now) && self.poll_serial(now) {
            busy = true;
        }
        busy
    }

    /// In a long run of bytes the line is left alone for a while. Says whether it is to be looked at.
    fn rest_line(&mut self) -> bool {
        let until = self.rests.until(self.dtu.packing(), self.now);
        let is_looked_at = self.serial.rest(until);
        if is_looked_at {
            self.sources.mark(Source::Line);
        }
        is_looked_at
    }

    #[cold]
    fn feed_seldom(&mut self, news: &SerialEvent, now: Instant) {
        self.beside = true;
        let input = match news {
            SerialEvent::Lost(lost) => Input::Lost(*lost),
            SerialEvent::Configured(why) => Input::Serial(SerialInput::Configured(why.as_deref())),
            SerialEvent::Present => Input::Serial(SerialInput::Present),
            SerialEvent::Gone => Input::Serial(SerialInput::Gone),
            SerialEvent::Discarded(left) => Input::Serial(SerialInput::Discarded(*left)),
            SerialEvent::Data(_) | SerialEvent::Written => {
                unreachable!("those are for `poll_serial`")
            }
        };
        self.feed(input, now);
    }

    #[cold]
    fn announce(&mut self) {
        if let Some(console) = self.announce.take() {
            let address = self.serial.address();
            cli::print_line(format_args!("ready serial={address} console={console}"));
        }
    }

    #[cold]
    fn poll_modem(&mut self, now: Instant) -> bool {
        let mut cx = self.sources.context(Source::Modem);
        let Some(news) = self.modem.poll(&mut cx, now) else {
            return false;
        };
        self.sources.mark(Source::Modem);
        if self.modem.interface() != self.modem_interface.as_deref() {
            self.modem_interface = self.modem.interface().map(str::to_owned);
            self.choose_interfaces();
        }
        self.feed(Input::Modem(&news), now);
        true
    }

    /// Its own goes before the modem's.
    fn choose_interfaces(&mut self) {
        let of_modem = self.modem_interface.as_deref();
        self.sockets
            .use_interface(|socket| self.settings.interface_of(socket).or(of_modem));
    }

    /// Those of the system are read again as well.
    fn choose_roots(&mut self) {
        let tls = tls::Client::new(self.settings.http.extra_root.clone());
        self.sockets.use_tls(&tls);
    }

    #[inline(never)]
    fn poll_disk(&mut self, now: Instant) -> bool {
        let mut cx = self.sources.context(Source::Disk);
        let polled = self.disk.poll(&mut cx);
        let mut went = false;
        while let Some((socket, send)) = self.held.next(|order| self.disk.has_done(order)) {
            self.give_order(socket, send, now);
            went = true;
        }
        let Poll::Ready(saved) = polled else {
            return went;
        };
        self.sources.mark(Source::Disk);
        let input = match &saved {
            DiskEvent::Parameters(Ok(())) => StoreInput::Saved,
            DiskEvent::Parameters(Err(why)) => {
                self.journal.not_stored(why, now);
                StoreInput::Failed(why)
            }
            DiskEvent::Messages(Ok(number)) => StoreInput::MessagesSaved(*number),
            DiskEvent::Messages(Err(why)) => StoreInput::MessagesFailed(why),
            DiskEvent::Refused(queue, frames) => StoreInput::SpoolRefused(*queue, *frames),
        };
        self.feed(Input::Store(input), now);
        true
    }

    /// Deadlines of the device and of the machine itself.
    #[cold]
    fn time(&mut self, now: Instant) -> bool {
        self.beside = true;
        let mut busy = false;
        if self
            .dtu
            .poll_timeout()
            .is_some_and(|deadline| deadline.at <= now)
        {
            if let Some(recorder) = &mut self.recorder {
                recorder.timeout(now);
            }
            self.dtu.handle_timeout(now);
            self.carry_out(now);
            self.run_at_lines(now);
            busy = true;
        }
        if take_due(&mut self.look_at, now) {
            self.look_at = self
                .observer
                .as_mut()
                .map(|observer| observer.look(&self.dtu, now));
        }
        if take_due(&mut self.stop_by, now) {
            warn!("device: the links did not close in time");
            self.end = self.end.or(Some(End::Stopped));
            busy = true;
        }
        self.at.give_up(now);
        if let Some(console) = &mut self.console {
            console.give_up(now);
        }
        if self.console_deadline().is_some_and(|at| at <= now) {
            self.run_at_lines(now);
            busy = true;
        }
        if let Some(recorder) = &mut self.recorder {
            recorder.tick(now);
        }
        self.watchdog.beat(now);
        self.start_pages.tick(now);
        self.journal.fire(now);
        if self.watchdog.wants_line(now) {
            self.watchdog.show(
                self.journal
                    .summary(&self.dtu.status(now), self.serial.address()),
                now,
            );
        }
        busy
    }

    fn next_deadline(&mut self) -> Option<Instant> {
        if std::mem::take(&mut self.beside) {
            self.due_beside = self.deadline_beside();
        }
        debug_assert_eq!(
            self.due_beside,
            self.deadline_beside(),
            "something changed a deadline and did not say so"
        );
        let all = [
            self.dtu.poll_timeout().map(|deadline| deadline.at),
            self.sockets.deadline(),
            self.serial.deadline(),
            self.recorder.as_ref().and_then(Recorder::flush_due),
            self.uncounted.then_some(self.count_by),
            self.due_beside,
        ];
        all.into_iter().flatten().min()
    }

    /// Of the parts that bytes do not move.
    #[cold]
    fn deadline_beside(&self) -> Option<Instant> {
        let own = [
            self.modem.deadline(),
            self.server.deadline(),
            self.look_at,
            self.stop_by,
            self.saved_by,
            self.at.answer_by(),
            self.console_deadline(),
            self.watchdog.next(),
            self.start_pages.deadline(),
            self.journal.deadline(),
        ];
        own.into_iter().flatten().min()
    }

    /// While a line of the start runs, none of the console can.
    fn console_deadline(&self) -> Option<Instant> {
        let console = self.console.as_ref().filter(|_| !self.at.is_running())?;
        console.deadline()
    }

    #[cold]
    fn signals(&mut self, now: Instant) -> bool {
        if self.control.take_reload() {
            self.reload();
        }
        if !self.control.take_stop() {
            return false;
        }
        if self.stop_by.is_some() {
            warn!("device: stopped at once");
            self.end = Some(End::Stopped);
            return true;
        }
        self.watchdog.stopping();
        self.stop_by = Some(now + STOP_WITHIN);
        // What the line was left alone with came before the order to stop.
        self.serial.end_rest(now);
        self.read_behind_rest(now);
        self.feed(Input::Shutdown, now);
        true
    }

    /// Gives the `--at` lines, each when the one before is answered, and behind them those of the web console.
    fn run_at_lines(&mut self, now: Instant) {
        if self.at.is_done() && !self.console.as_ref().is_some_and(|it| it.has_lines()) {
            return;
        }
        self.run_waiting_lines(now);
    }

    #[cold]
    fn run_waiting_lines(&mut self, now: Instant) {
        self.beside = true;
        while let Some((line, now)) = self.next_line(now) {
            self.feed_at(now, Input::Console(&line));
        }
        if self.at.take_refused() && self.end.is_none() {
            self.end = Some(End::AtRefused);
        }
    }

    fn next_line(&mut self, now: Instant) -> Option<(String, Instant)> {
        if self
            .console
            .as_ref()
            .is_some_and(|console| console.runs_a_line())
        {
            return None;
        }
        let line = self.at.next(now);
        if line.is_some() || self.at.is_running() {
            return line;
        }
        let line = self.console.as_mut()?.next_line(&self.dtu, now)?;
        Some((line, now))
    }

    /// `SIGHUP`
    #[cold]
    fn reload(&mut self) {
        if let Some(console) = &self.console {
            console.reload();
        }
        let Some(path) = &self.settings_path else {
            info!("settings: no file to read again");
            return;
        };
        // The default place need not have one.
        if std::fs::symlink_metadata(path)
            .is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound)
        {
            info!(
                "settings: {} is not there; they stay as they are",
                path.display()
            );
            return;
        }
        let read = Settings::load(path).map_err(|why| why.to_string());
        let check = |fresh: Settings| {
            let checked = tls::check(&fresh.http);
            checked
                .map_err(|why| fresh.fault(path, FileKey::ExtraRoot, &why))
                .map(|()| fresh)
        };
        let fresh = match read.and_then(check) {
            Ok(fresh) => fresh,
            Err(why) => {
                error!("settings: {why}; they stay as they were");
                return;
            }
        };
        self.leds = led_panel(&fresh);
        self.leds.show(self.dtu.status(self.clock.now()).leds);
        info!(
            "settings: {} read again: lamps now, interfaces and root certificates at the next connection",
            path.display()
        );
        fresh
            .warnings(path)
            .for_each(|warning| warn!("settings: {warning}"));
        if read_at_start(&fresh) != read_at_start(&self.settings) {
            warn!(
                "settings: the other changes in {} take effect when dtud starts again",
                path.display()
            );
        }
        self.settings = fresh;
        self.choose_interfaces();
        self.choose_roots();
    }

    /// At the end a save that is under way gets some more time, but a disk that hangs does not hold the end up.
    fn waits_for_the_disk(&mut self) -> bool {
        self.disk.stop();
        if !self.disk.is_saving() {
            return false;
        }
        let now = self.clock.now();
        self.beside = true;
        now < *self.saved_by.get_or_insert(now + SAVED_WITHIN)
    }

    #[cold]
    fn finish(&mut self, end: End) -> End {
        self.disk.note_losses(self.dtu.losses());
        let lost = self
            .disk
            .keep_undelivered(|queue| self.dtu.undelivered(queue));
        if let Some(recorder) = &mut self.recorder {
            recorder.flush();
        }
        self.journal.stopped(self.clock.now(), &self.dtu);
        if lost > 0 { End::FramesLost } else { end }
    }
}

impl Future for Machine {
    type Output = End;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<End> {
        let this = self.get_mut();
        this.sources.wake(cx.waker());
        if !std::mem::replace(&mut this.started, true) {
            this.power_on();
        }
        this.serial.woken();
        this.server.woken();
        this.mark_paused();
        // A busy line must not keep the reactor from looking at the other sources.
        for _ in 0..TURNS {
            if let Some(end) = this.end.filter(|_| !this.waits_for_the_disk()) {
                return Poll::Ready(this.finish(end));
            }
            if this.turn() || this.rest_line() {
                continue;
            }
            this.look_at_losses();
            this.due = this.next_deadline();
            let wake_at = this.serial.rest_end().or(this.due);
            if this.timer.arm(this.clock, wake_at, cx).is_pending() {
                return Poll::Pending;
            }
        }
        // Also where the others never come to an end: behind a rest nobody reads the line before this says how it goes on.
        this.rest_line();
        this.look_at_losses();
        this.due = this.next_deadline();
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

fn take_due(deadline: &mut Option<Instant>, now: Instant) -> bool {
    deadline.take_if(|at| *at <= now).is_some()
}

/// What a reload does not bring into force.
fn read_at_start(settings: &Settings) -> Settings {
    let mut rest = Settings {
        leds: Leds::default(),
        http: Http::default(),
        ..settings.clone()
    };
    rest.links
        .iter_mut()
        .chain([&mut rest.modes])
        .for_each(|link| link.interface = None);
    rest
}

fn led_panel(settings: &Settings) -> LedPanel {
    let leds = &settings.leds;
    LedPanel::new(
        leds.pow.as_deref(),
        leds.net.as_deref(),
        leds.data.as_deref(),
    )
}

/// Different each time, so that many devices that start together spread out.
fn seed() -> u64 {
    use std::hash::BuildHasher as _;
    std::hash::RandomState::new().hash_one(std::process::id())
}

/// The longest read of the line: a pty returns at most 4095 bytes at once, and the device counts on no more.
const SERIAL_READ: usize = 4096;
/// The longest datagram: what does not fit a read of it is lost.
const READ_BUFFER: usize = 65_536;
/// Those whose deadlines change when they are looked at.
const SELDOM: [Source; 3] = [Source::Modem, Source::Disk, Source::Asker];
/// The longest that a loss waits to be written down while bytes pass.
const COUNTED_EVERY: Duration = Duration::from_secs(1);
/// Looks at all sources before the reactor gets its turn.
const TURNS: usize = 16;
/// For a save that is under way at the end.
const SAVED_WITHIN: Duration = Duration::from_secs(5);
/// From the order to stop to the end at any price.
const STOP_WITHIN: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reload_tells_of_every_key_that_it_does_not_bring_into_force() {
        let read = |text: &str| read_at_start(&Settings::parse("x".as_ref(), text).unwrap());
        for later in [
            "[link]\nspool_sync = \"always\"",
            "[device]\nsms_allow = [\"10086\"]",
            "[device]\npassword = \"x\"",
        ] {
            let later = later.replace("[link]", "[link]\nspool = \"disk\"");
            assert_ne!(read(&later), read("[link]\nspool = \"disk\""), "{later}");
        }
        for now in [
            "[leds]\nnet = \"green\"",
            "[link.2]\ninterface = \"eth1\"",
            "[link]\ninterface = \"eth1\"",
        ] {
            assert_eq!(read(now), read(""), "{now}");
        }
    }
}
