//! The machine: one task owns the device and everything that it moves.
//!
//! Each turn of the loop looks at every source once - links, line, disk, wishes from outside, time - and feeds what
//! it finds to the device, whose outputs are carried out before the next input. Nothing in it waits, nothing is
//! allocated for a wake-up, and there is one timer.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use anyhow::Context as _;
use dtu_proto::Dtu;
use dtu_proto::config::to_store_text;
use dtu_proto::event::{
    CHANNELS, CallEvent, ChannelId, Event, HttpdEvent, Input, LINKS, LinkDownReason, LinkId, Output, Power,
    QueueId, SerialInput, StoreInput,
};
use dtu_proto::radio::{CallEnd, PhoneNumber};
use dtu_proto::record::Header;
use dtu_proto::time::Instant;
use tracing::{debug, error, info, warn};

use crate::channels::Channels;
use crate::cli;
use crate::clock::{Clock, Timer};
use crate::control::Control;
use crate::disk::{Disk, Kept, Saved};
use crate::leds::Lamps;
use crate::link::Link;
use crate::modem::{self, Modem};
use crate::port::part;
use crate::record::Recorder;
use crate::serial::{Address, Serial, SerialNews, Wiring};
use crate::settings::{FlowControl, Http, Leds, Settings};
use crate::tls;
use crate::watchdog::Watchdog;

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
    /// AT lines to run at power-on.
    pub at: Vec<String>,
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
}

/// Somebody who watches the device live.
pub(crate) trait Observer {
    fn output(&mut self, output: &Output);
    /// Called at the times it asks for.
    fn look(&mut self, dtu: &Dtu, now: Instant) -> Instant;
}

/// The device with its line, links, disk, modem and lamps.
pub(crate) struct Machine {
    dtu: Dtu,
    clock: Clock,
    timer: Timer,
    serial: Serial,
    links: [Link; LINKS],
    channels: Channels,
    disk: Disk,
    modem: Modem,
    /// The interface that the modem's data takes, as the links know it.
    modem_interface: Option<String>,
    lamps: Lamps,
    at: AtLines,
    recorder: Option<Recorder>,
    control: Arc<Control>,
    watchdog: Watchdog,
    troubles: Troubles,
    settings: Settings,
    settings_path: Option<PathBuf>,
    observer: Option<Box<dyn Observer>>,
    look_at: Option<Instant>,
    /// Lent to each read.
    buf: Vec<u8>,
    announce: bool,
    started: bool,
    powered_on: Instant,
    stop_by: Option<Instant>,
    /// At the end: how long a save may still take.
    saved_by: Option<Instant>,
    end: Option<End>,
}

impl Machine {
    /// Opens everything. Must be called inside the runtime.
    pub(crate) fn new(setup: Setup, control: Arc<Control>) -> anyhow::Result<Self> {
        let clock = Clock::start();
        let settings = setup.settings;
        let mut options = settings.options();
        if let Some(window) = setup.setup_window {
            options.setup_window = window;
        }
        // Not nothing, so that `--at` lines come before its end.
        options.setup_window = options.setup_window.max(Duration::from_micros(1));
        let identity = setup.modem.identity();
        let seed = seed();
        let modem = Modem::open(setup.modem, &settings.modem, &setup.state, seed).context("modem")?;
        let (disk, kept) = Disk::open(&setup.state, &settings)?;
        let wiring = Wiring {
            rts_cts: settings.serial.flow_control == FlowControl::RtsCts,
            rs485: settings.serial.rs485,
        };
        let serial = Serial::new(setup.serial, wiring, &setup.state).context("serial")?;
        let tls = tls::Client::new(settings.http.extra_root.clone());
        let mut channels = Channels::new(&tls);
        channels.use_interface(settings.modes_interface());
        let start = Header {
            seed,
            started: clock.now(),
            identity,
            options,
            stored: to_store_text(&kept.config),
            restored: kept.frames,
            messages: kept.messages,
        };
        let recorder = setup.record.as_deref().map(|path| Recorder::create(path, &start)).transpose()?;
        let powered_on = start.started;
        let mut dtu = Dtu::new(kept.config, start.options, start.identity, start.seed, powered_on);
        for (queue, number, frame) in start.restored {
            dtu.restore(queue, [(number, frame)]);
        }
        disk.tell_passed_over(&dtu.restore_messages(&start.messages));
        Kept::forget(kept.to_forget);
        Ok(Self {
            dtu,
            clock,
            timer: Timer::new(),
            serial,
            links: LinkId::ALL
                .map(|link| Link::new(settings.link_interface(link).map(str::to_owned), tls.clone())),
            channels,
            disk,
            modem,
            modem_interface: None,
            lamps: lamps(&settings),
            at: AtLines { lines: setup.at.iter().map(|line| at_line(line)).collect(), ..AtLines::default() },
            recorder,
            control,
            watchdog: Watchdog::from_environment(),
            troubles: Troubles::default(),
            settings,
            settings_path: setup.settings_path,
            observer: None,
            look_at: None,
            buf: vec![0; READ_BUFFER],
            announce: false,
            started: false,
            powered_on,
            stop_by: None,
            saved_by: None,
            end: None,
        })
    }

    /// Prints the ready line when the serial line is open.
    pub(crate) const fn announcing(mut self) -> Self {
        self.announce = true;
        self
    }

    pub(crate) fn observed_by(mut self, observer: Box<dyn Observer>) -> Self {
        self.observer = Some(observer);
        self.look_at = Some(Instant::ZERO);
        self
    }

    fn power_on(&mut self, cx: &mut Context<'_>) {
        self.control.watch(cx.waker());
        // Also where the serial device is missing: that is a state, not a start that failed.
        self.watchdog.ready();
        self.at.power_on(self.powered_on);
        self.carry_out(self.powered_on, cx);
        self.run_at_lines(cx);
    }

    fn feed(&mut self, input: Input<'_>, cx: &mut Context<'_>) {
        self.feed_at(self.clock.now(), input, cx);
        self.run_at_lines(cx);
    }

    fn feed_at(&mut self, now: Instant, input: Input<'_>, cx: &mut Context<'_>) {
        if let Some(recorder) = &mut self.recorder {
            recorder.input(now, &input);
        }
        self.dtu.handle_input(input, now);
        self.carry_out(now, cx);
    }

    fn carry_out(&mut self, now: Instant, cx: &mut Context<'_>) {
        while let Some(output) = self.dtu.poll_output() {
            if let Some(observer) = &mut self.observer {
                observer.output(&output);
            }
            match output {
                Output::Serial(order) => self.serial.order(order, now, cx),
                Output::Link(link, order) => self.links[link.index()].order(order, now, cx),
                Output::Channel(channel, order) => self.channels.order(channel, order, now, cx),
                Output::Modem(order) => self.modem.order(order, now, cx),
                Output::Store(order) => self.disk.order(order),
                Output::Console(reply) => self.at.reply(&reply),
                Output::Leds(leds) => self.lamps.show(leds),
                Output::Power(Power::Restarted) => self.at.power_on(now),
                Output::Power(Power::Stop) => self.end = self.end.or(Some(End::Stopped)),
                Output::Event(event) => self.troubles.log(&event),
            }
        }
    }

    /// Looks at every source once; says whether anything happened.
    fn turn(&mut self, cx: &mut Context<'_>) -> bool {
        let now = self.clock.now();
        let mut busy = self.wishes(cx, now);
        busy |= self.time(cx, now);
        for link in LinkId::ALL {
            busy |= self.poll_link(link, cx, now);
        }
        for channel in self.channels.open() {
            busy |= self.poll_channel(channel, cx, now);
        }
        busy |= self.poll_serial(cx, now);
        busy |= self.poll_modem(cx, now);
        busy | self.poll_disk(cx)
    }

    fn poll_link(&mut self, link: LinkId, cx: &mut Context<'_>, now: Instant) -> bool {
        let wanted = self.dtu.wants_link(link);
        let mut buf = std::mem::take(&mut self.buf);
        let news = self.links[link.index()].poll(cx, now, wanted, &mut buf);
        if let Some(news) = news {
            self.feed(Input::Link(link, news.input(&buf)), cx);
        }
        self.buf = buf;
        news.is_some()
    }

    fn poll_channel(&mut self, channel: ChannelId, cx: &mut Context<'_>, now: Instant) -> bool {
        let wanted = self.dtu.wants_channel(channel);
        let mut buf = std::mem::take(&mut self.buf);
        let news = self.channels.poll(channel, cx, now, wanted, &mut buf);
        if let Some(news) = news {
            self.feed(Input::Channel(channel, news.input(&buf)), cx);
        }
        self.buf = buf;
        news.is_some()
    }

    fn poll_serial(&mut self, cx: &mut Context<'_>, now: Instant) -> bool {
        let wanted = self.dtu.wants_serial();
        let mut buf = std::mem::take(&mut self.buf);
        let news = self.serial.poll(cx, now, wanted, part(&mut buf, SERIAL_READ));
        let input = news.as_ref().map(|news| match news {
            SerialNews::Data(count) => SerialInput::Data(buf.get(..*count).unwrap_or_default()),
            SerialNews::Written => SerialInput::Written,
            SerialNews::Configured(why) => SerialInput::Configured(why.as_deref()),
            SerialNews::Present => SerialInput::Present,
            SerialNews::Gone => SerialInput::Gone,
        });
        if let Some(input) = input {
            self.feed(Input::Serial(input), cx);
        }
        self.buf = buf;
        if self.announce && self.serial.is_open() {
            self.announce = false;
            announce(self.serial.address());
        }
        news.is_some()
    }

    fn poll_modem(&mut self, cx: &mut Context<'_>, now: Instant) -> bool {
        let Some(news) = self.modem.poll(cx, now) else { return false };
        if self.modem.interface() != self.modem_interface.as_deref() {
            self.modem_interface = self.modem.interface().map(str::to_owned);
            self.choose_interfaces();
        }
        self.feed(Input::Modem(&news), cx);
        true
    }

    /// A link's own goes before the modem's.
    fn choose_interfaces(&mut self) {
        for link in LinkId::ALL {
            let interface = self.settings.link_interface(link).or(self.modem_interface.as_deref());
            self.links[link.index()].use_interface(interface.map(str::to_owned));
        }
        self.channels.use_interface(self.settings.modes_interface().or(self.modem_interface.as_deref()));
    }

    /// Those of the system are read again as well.
    fn choose_roots(&mut self) {
        let tls = tls::Client::new(self.settings.http.extra_root.clone());
        self.links.iter_mut().for_each(|link| link.use_tls(tls.clone()));
        self.channels.use_tls(&tls);
    }

    fn poll_disk(&mut self, cx: &mut Context<'_>) -> bool {
        let Poll::Ready(saved) = self.disk.poll_saved(cx) else { return false };
        let input = match &saved {
            Saved::Parameters(Ok(())) => StoreInput::Saved,
            Saved::Parameters(Err(why)) => StoreInput::Failed(why),
            Saved::Messages(Ok(number)) => StoreInput::MessagesSaved(*number),
            Saved::Messages(Err(why)) => StoreInput::MessagesFailed(why),
        };
        self.feed(Input::Store(input), cx);
        true
    }

    /// Deadlines of the device and of the machine itself.
    fn time(&mut self, cx: &mut Context<'_>, now: Instant) -> bool {
        let mut busy = false;
        if self.dtu.poll_timeout().is_some_and(|deadline| deadline.at <= now) {
            if let Some(recorder) = &mut self.recorder {
                recorder.timeout(now);
            }
            self.dtu.handle_timeout(now);
            self.carry_out(now, cx);
            self.run_at_lines(cx);
            busy = true;
        }
        if take_due(&mut self.look_at, now) {
            self.look_at = self.observer.as_mut().map(|observer| observer.look(&self.dtu, now));
        }
        if take_due(&mut self.stop_by, now) {
            warn!("the links did not close in time");
            self.end = self.end.or(Some(End::Stopped));
            busy = true;
        }
        if take_due(&mut self.at.answer_by, now) {
            warn!("no answer to {:?}", shown(&self.at.running.take().unwrap_or_default()));
        }
        if let Some(recorder) = &mut self.recorder {
            recorder.tick(now);
        }
        self.watchdog.tell(now);
        busy
    }

    fn next_deadline(&self) -> Option<Instant> {
        let links = self.links.iter().filter_map(Link::deadline).min();
        let own = [
            self.dtu.poll_timeout().map(|deadline| deadline.at),
            links,
            self.channels.deadline(),
            self.serial.deadline(),
            self.modem.deadline(),
            self.look_at,
            self.stop_by,
            self.saved_by,
            self.at.answer_by,
            self.watchdog.next(),
            self.recorder.as_ref().and_then(Recorder::flush_due),
        ];
        own.into_iter().flatten().min()
    }

    fn wishes(&mut self, cx: &mut Context<'_>, now: Instant) -> bool {
        if self.control.take_reload() {
            self.reload();
        }
        if !self.control.take_stop() {
            return false;
        }
        if self.stop_by.is_some() {
            warn!("stopped at once");
            self.end = Some(End::Stopped);
            return true;
        }
        self.watchdog.stopping();
        self.stop_by = Some(now + STOP_WITHIN);
        self.feed(Input::Shutdown, cx);
        true
    }

    /// Gives the `--at` lines, each when the one before is answered.
    fn run_at_lines(&mut self, cx: &mut Context<'_>) {
        while let Some((line, now)) = self.at.next(self.clock.now()) {
            self.feed_at(now, Input::Console(&line), cx);
        }
        if std::mem::take(&mut self.at.refused) && self.end.is_none() {
            self.end = Some(End::AtRefused);
        }
    }

    /// `SIGHUP`
    fn reload(&mut self) {
        let Some(path) = &self.settings_path else {
            info!("no settings file to read again");
            return;
        };
        let read = Settings::load(path).map_err(|why| why.to_string());
        let fresh = match read.and_then(|fresh| tls::check(&fresh.http).map(|()| fresh)) {
            Ok(fresh) => fresh,
            Err(why) => {
                error!("{why}; the settings stay as they were");
                return;
            }
        };
        self.lamps = lamps(&fresh);
        self.lamps.show(self.dtu.status(self.clock.now()).leds);
        info!(
            "{} read again: lamps now, interfaces and root certificates at the next connection",
            path.display()
        );
        if read_at_start(&fresh) != read_at_start(&self.settings) {
            warn!("the other changes in {} take effect when dtud starts again", path.display());
        }
        self.settings = fresh;
        self.choose_interfaces();
        self.choose_roots();
    }

    /// At the end a save that is under way gets some more time, but a disk that hangs does not hold the end up.
    fn waits_for_the_disk(&mut self) -> bool {
        if !self.disk.is_saving() {
            return false;
        }
        let now = self.clock.now();
        now < *self.saved_by.get_or_insert(now + SAVED_WITHIN)
    }

    fn finish(&mut self) {
        for queue in QueueId::ALL {
            self.disk.keep_undelivered(queue, self.dtu.undelivered(queue));
        }
        if let Some(recorder) = &mut self.recorder {
            recorder.flush();
        }
    }
}

impl Future for Machine {
    type Output = End;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<End> {
        let this = self.get_mut();
        if !std::mem::replace(&mut this.started, true) {
            this.power_on(cx);
        }
        // A busy line must not keep the reactor from looking at the other sources.
        for _ in 0..TURNS {
            if let Some(end) = this.end.filter(|_| !this.waits_for_the_disk()) {
                this.finish();
                return Poll::Ready(end);
            }
            let busy = this.turn(cx);
            if !busy && this.timer.arm(this.clock, this.next_deadline(), cx).is_pending() {
                return Poll::Pending;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// The `--at` lines: run at power-on and after each restart of the device.
///
/// They are given at the very moment of the power-on, so they come before the end of the set-up window, however
/// short it is. Only a line behind one that waits for the disk (`ATW`) may be later; then `CIAPPLY` ends the row.
#[derive(Debug, Default)]
struct AtLines {
    lines: Vec<String>,
    waiting: VecDeque<String>,
    running: Option<String>,
    answer_by: Option<Instant>,
    powered_on: Instant,
    waited: bool,
    refused: bool,
    restarted: bool,
}

impl AtLines {
    fn power_on(&mut self, now: Instant) {
        self.restarted = now > self.powered_on && self.powered_on > Instant::ZERO;
        self.powered_on = now;
        self.waiting = self.lines.iter().cloned().collect();
        self.running = None;
        self.answer_by = None;
        self.waited = false;
    }

    /// The next line, and the time at which to give it.
    fn next(&mut self, now: Instant) -> Option<(String, Instant)> {
        if self.running.is_some() {
            self.waited = true;
            return None;
        }
        let line = self.waiting.pop_front()?;
        if self.waited && self.waiting.is_empty() && line != APPLY {
            self.waiting.push_back(APPLY.to_owned());
        }
        self.running = Some(line.clone());
        self.answer_by = Some(now + ANSWER_WITHIN);
        Some((line, if self.waited { now } else { self.powered_on }))
    }

    fn reply(&mut self, reply: &str) {
        self.answer_by = None;
        let Some(line) = self.running.take() else { return };
        let reply = reply.trim();
        if !reply.contains("ERROR") {
            // The answer to a question may be a password.
            debug!("--at {:?}: done", shown(&line));
        } else if self.restarted || reply.contains(NOT_STORED) {
            // Nothing is wrong with the line; a device whose disk is full works all the same.
            warn!("--at {:?}: {reply}", shown(&line));
        } else {
            cli::complain(format_args!("dtud: --at {:?}: {reply}", shown(&line)));
            self.refused = true;
        }
    }
}

/// What a save that failed is answered with.
const NOT_STORED: &str = "not stored";
const APPLY: &str = "AT+CIAPPLY";

/// `CIPR=9600`, `+CIPR=9600` and `AT+CIPR=9600` are the same to a person.
fn at_line(line: &str) -> String {
    let line = line.trim();
    if line.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("AT")) {
        line.to_owned()
    } else {
        format!("AT+{}", line.strip_prefix('+').unwrap_or(line))
    }
}

/// A line as a log may show it: without the values where one may be a password.
fn shown(line: &str) -> &str {
    let upper = line.to_ascii_uppercase();
    let secret = dtu_proto::commands().any(|command| {
        command.parameters.iter().any(|parameter| parameter.secret)
            && upper.contains(command.name.trim_start_matches("AT"))
    });
    line.find('=').filter(|_| secret).and_then(|at| line.get(..at)).unwrap_or(line)
}

fn take_due(deadline: &mut Option<Instant>, now: Instant) -> bool {
    deadline.take_if(|at| *at <= now).is_some()
}

/// What a reload does not bring into force.
fn read_at_start(settings: &Settings) -> Settings {
    let mut rest = Settings { leds: Leds::default(), http: Http::default(), ..settings.clone() };
    rest.links.iter_mut().chain([&mut rest.modes]).for_each(|link| link.interface = None);
    rest
}

fn lamps(settings: &Settings) -> Lamps {
    let leds = &settings.leds;
    Lamps::new(leds.pow.as_deref(), leds.net.as_deref(), leds.data.as_deref())
}

/// Different each time, so that many devices that start together spread out.
fn seed() -> u64 {
    use std::hash::BuildHasher as _;
    std::hash::RandomState::new().hash_one(std::process::id())
}

fn announce(address: &Address) {
    cli::say(format_args!("ready serial={address} console=off"));
}

/// Why each link or channel did not come up, as last told: a reason is news once, not at each attempt.
#[derive(Debug, Default)]
struct Troubles([Option<LinkDownReason>; LINKS + CHANNELS]);

impl Troubles {
    fn log(&mut self, event: &Event) {
        if let Event::LinkUp(link) = event {
            self.0[link.index()] = None;
        }
        if let Event::ChannelUp(channel) = event {
            self.0[LINKS + channel.index()] = None;
        }
        if let Event::LinkDown { link, reason, was_up: false } = event
            && self.is_new(link.index(), *reason)
        {
            info!("link {link} did not come up, it is tried again: {reason}");
        } else if let Event::ChannelDown { channel, reason, was_up: false } = event
            && (*channel == ChannelId::AT_MODE || self.is_new(LINKS + channel.index(), *reason))
        {
            // In the AT mode each attempt was asked for.
            info!("{channel}: not connected: {reason}");
        } else {
            log(event);
        }
    }

    /// What the device ordered itself is no trouble.
    fn is_new(&mut self, place: usize, reason: LinkDownReason) -> bool {
        reason != LinkDownReason::Ordered && self.0[place].replace(reason) != Some(reason)
    }
}

fn log(event: &Event) {
    match event {
        Event::PowerOn(reason) => info!("power on: {reason:?}"),
        Event::ModeStarted => info!("working mode begins"),
        Event::CommandState(on) => info!("command state {}", if *on { "begins" } else { "ends" }),
        Event::LinkUp(link) => info!("link {link} is up"),
        Event::LinkDown { link, reason, was_up: true } => info!("link {link} is down: {reason}"),
        Event::LinkDown { link, reason, was_up: false } => debug!("link {link} did not come up: {reason}"),
        Event::ChannelUp(channel) => info!("{channel}: connected"),
        Event::ChannelDown { channel, reason, was_up: true } => info!("{channel}: connection over: {reason}"),
        Event::ChannelDown { channel, reason, was_up: false } => debug!("{channel}: not connected: {reason}"),
        Event::FrameDropped { queue, bytes } => {
            debug!("{queue}: a frame of {bytes} bytes is lost, the cache is full")
        }
        Event::WindowFrameDropped { bytes } => warn!("set-up window: a frame of {bytes} bytes found no room"),
        Event::WrongPassword(door) => warn!("wrong password from {door:?}"),
        Event::DoorShut(door) => warn!("{door:?} is ignored for five minutes: five wrong passwords"),
        Event::SerialPresent(present) => debug!("serial present: {present}"),
        Event::LineRefused(why) => warn!("serial line: {why}"),
        Event::MessageLost(loss) => warn!("{loss}"),
        Event::MessagesNotStored(why) => warn!("messages are not stored: {why}"),
        Event::BackupActive { backup, primary, active: true } => {
            info!("link {backup} serves for link {primary}")
        }
        Event::BackupActive { backup, primary, active: false } => {
            info!("link {backup} hands back to link {primary}");
        }
        Event::Call(event) => log_call(*event),
        Event::Httpd(event @ HttpdEvent::Answered { .. }) => debug!("HTTPD: {event}"),
        Event::Httpd(event @ (HttpdEvent::Redirect { .. } | HttpdEvent::Repeated(_))) => {
            info!("HTTPD: {event}")
        }
        Event::Httpd(event @ (HttpdEvent::Failed(_) | HttpdEvent::Stray { .. })) => warn!("HTTPD: {event}"),
    }
}

fn log_call(event: CallEvent) {
    let who = |number: Option<PhoneNumber>| number.map_or_else(|| String::from("unknown"), |n| n.to_string());
    match event {
        CallEvent::Dialled(number) => info!("call to {number}"),
        CallEvent::NotPlaced(number) => warn!("call to {number}: not made, there is a call already"),
        CallEvent::Incoming(from) => info!("call from {}", who(from)),
        CallEvent::Refused(from) => info!("call from {}: hung up on, AT+CIRINGSTA=1", who(from)),
        CallEvent::Answered(with) => info!("call with {}: answered", who(with)),
        CallEvent::Ended(CallEnd::HungUp) => info!("call over: hung up"),
        CallEvent::Ended(CallEnd::Busy) => info!("call over: busy"),
        CallEvent::Ended(CallEnd::NoAnswer) => info!("call over: not answered"),
        CallEvent::Ended(CallEnd::NoCarrier) => info!("call over: no connection"),
    }
}

/// The longest read of the line: a pty returns at most 4095 bytes at once, and the device counts on no more.
const SERIAL_READ: usize = 4096;
/// The longest datagram: what does not fit a read of it is lost.
const READ_BUFFER: usize = 65_536;
/// Looks at all sources before the reactor gets its turn.
const TURNS: usize = 16;
/// For a save that is under way at the end.
const SAVED_WITHIN: Duration = Duration::from_secs(5);
/// From the order to stop to the end at any price.
const STOP_WITHIN: Duration = Duration::from_secs(5);
/// For the answer to one `--at` line.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use dtu_proto::event::CloseReason;

    use super::*;

    #[test]
    fn the_prefix_of_an_at_line_may_be_left_out() {
        for line in ["CIPR=9600", "+CIPR=9600", "AT+CIPR=9600", " CIPR=9600 "] {
            assert_eq!(at_line(line), "AT+CIPR=9600");
        }
        assert_eq!(at_line("ATW"), "ATW");
        assert_eq!(at_line("at+csq"), "at+csq");
    }

    #[test]
    fn why_a_link_does_not_come_up_is_told_once_a_reason() {
        let (refused, unknown) = (
            LinkDownReason::Network(CloseReason::Refused),
            LinkDownReason::Network(CloseReason::NameNotFound),
        );
        let mut troubles = Troubles::default();
        let [first, second, ..] = LinkId::ALL;
        let (one, two) = (first.index(), second.index());
        assert!(troubles.is_new(one, refused));
        assert!(!troubles.is_new(one, refused));
        assert!(troubles.is_new(two, refused));
        assert!(troubles.is_new(one, unknown));
        assert!(!troubles.is_new(one, LinkDownReason::Ordered));
        troubles.log(&Event::LinkUp(second));
        assert!(troubles.is_new(two, refused));
    }

    #[test]
    fn a_reload_tells_of_every_key_that_it_does_not_bring_into_force() {
        let read = |text: &str| read_at_start(&Settings::parse("x".as_ref(), text).unwrap());
        for later in ["[link]\nspool_sync = \"always\"", "[device]\nsms_allow = [\"10086\"]"] {
            let later = later.replace("[link]", "[link]\nspool = \"disk\"");
            assert_ne!(read(&later), read("[link]\nspool = \"disk\""), "{later}");
        }
        for now in
            ["[leds]\nnet = \"green\"", "[link.2]\ninterface = \"eth1\"", "[link]\ninterface = \"eth1\""]
        {
            assert_eq!(read(now), read(""), "{now}");
        }
    }

    #[test]
    fn an_at_line_is_shown_without_its_passwords() {
        assert_eq!(shown("AT+CSTT=\"net\",\"user\",\"secret\""), "AT+CSTT");
        assert_eq!(shown("at+cipsw=abcde"), "at+cipsw");
        assert_eq!(shown("AT+HTPHD=Authorization: Basic c2VjcmV0"), "AT+HTPHD");
        assert_eq!(shown("AT+CIPR=9600;+CIPSW=abcde"), "AT+CIPR");
        assert_eq!(shown("AT+CIPR=9600"), "AT+CIPR=9600");
    }
}
