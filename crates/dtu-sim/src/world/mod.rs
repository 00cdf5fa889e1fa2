//! One world: the device under test in virtual time, with a DTE, a host, four networks, a modem and a disk around
//! it, all driven by one event heap and one seed.

mod at_mode;
mod command_mode;
mod coverage;
mod digest;
mod dte;
mod ends;
mod finish;
mod host;
mod httpd;
mod input;
mod ledger;
mod link;
mod modes;
mod network;
mod outages;
mod pacing;
mod peers;
mod phones;
mod ports;
mod print;
mod radio;
mod recovery;
mod sms_ledger;
mod socket;

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use cellular_sim::Rng;
use cellular_sim::radio::Settings;
use dtu_proto::Dtu;
use dtu_proto::event::{LINKS, LinkId, SOCKETS, SocketId};

use crate::scenario::{SERVERS, Scenario, ServerId};
use crate::trace::{Clock, Fnv, Trace};
use dte::Dte;
use ledger::Ledger;
use outages::Server;
use ports::{Disk, SerialPort};
use radio::Radio;
use recovery::Recovery;
use socket::{Socket, SocketEvent};

/// Salt of the radio's stream.
const RADIO: u64 = 0x5241_4449_4f00;
/// Salt of the stream of the modes 1 to 3.
const MODES: u64 = 0x4d4f_4445_5300;
/// Salt of the stream of closes, stops and outages.
const ENDS: u64 = 0x454e_4453_0000;
/// Salt of the stream of outages.
const OUTAGES: u64 = 0x4f55_5441_4745;

/// Why a world failed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The seed that makes it happen again.
    pub seed: u64,
    /// Virtual time, `h:mm:ss.µs`.
    pub time: String,
    /// The rule that was broken.
    pub rule: Rule,
    /// What was seen.
    pub text: String,
    /// The last lines of the story.
    pub trace: Vec<String>,
}

/// What the checkers watch over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// Frames: in = out + counted drops + waiting, in order, whole, repeated only where allowed.
    Frames,
    /// The device's own counters balance.
    Counters,
    /// Registration packet and datagram borders.
    Registration,
    /// Commands: gates, passwords, replies to their origin, settings.
    Commands,
    /// Heartbeats only when idle, and then surely.
    Heartbeat,
    /// Network bytes to the serial line: in order, whole reads, none lost.
    Downlink,
    /// Servers that take bytes pace the serial line; those that do not never stop it.
    Pace,
    /// Queues, outputs, outstanding writes, deadlines.
    Bounds,
    /// Escape: prompt and `+ok` exactly when the rules say.
    Escape,
    /// Short messages: frames to phones, phones to the line, each once and in order; nothing printed into data.
    Messages,
    /// Mode 3: one request a frame, right to the byte, at most once at the server; what waits, is sent and is counted.
    Requests,
    /// Mode 1: each packet's data at its destination, in order; errors and replies exactly where they are due.
    Packets,
    /// Mode 2: prompts and words as the connection is, bytes as typed.
    Dialogue,
    /// Everything drains once the faults are healed.
    Liveness,
}

/// What a world that held came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Whose world it is.
    pub seed: u64,
    /// Hash over the whole story: the same seed gives the same.
    pub hash: u64,
    /// Hash over all outputs of the device, which no change of the world's own ledger touches.
    pub outputs: u64,
    /// Calls into the device.
    pub calls: u64,
    /// Virtual µs.
    pub micros: u64,
    /// Data frames that the model cut.
    pub frames: u64,
    /// Frames that reached a peer.
    pub delivered: u64,
    /// Frames handed to a socket again after a lost connection.
    pub repeated: u64,
    /// Frames that the device counted as dropped.
    pub dropped: u64,
    /// Connections that came up.
    pub connections: u64,
    /// Connections that came back in time after an outage of their server.
    pub returns: u64,
    /// Network reads that were printed.
    pub reads: u64,
    /// Commands that were let in.
    pub commands: u64,
    /// Escapes that succeeded.
    pub escapes: u64,
    /// Heartbeats seen.
    pub heartbeats: u64,
    /// Device restarts, host crashes and stops.
    pub restarts: u64,
    /// Orderly stops, each followed by a start.
    pub stops: u64,
    /// Frames that came to a phone as a message.
    pub phone_sms: u64,
    /// Messages of phones that were printed.
    pub printed_sms: u64,
    /// Replies to commands of phones.
    pub replies: u64,
    /// Requests that a server read (mode 3).
    pub requests: u64,
    /// Whole answers to them.
    pub answers: u64,
    /// Packets to destinations that were delivered (mode 1).
    pub packets: u64,
    /// Texts that were sent by command (mode 2).
    pub typed: u64,
    /// Changes of the mode without a restart.
    pub switches: u64,
}

/// How to run a world.
#[derive(Clone, Copy, Debug, Default)]
pub struct Run {
    /// Length of the faulty part in virtual µs; `None` = as the seed says.
    pub length: Option<u64>,
    /// Print every line of the story.
    pub print: bool,
    /// 1, 2, 3: the world is in this mode; 9: it goes from mode to mode; 0: it is in none of them; `None` = as the
    /// seed says.
    pub mode: Option<u8>,
}

/// Runs the world of one seed.
///
/// # Errors
/// The first rule that was broken.
pub fn run(seed: u64, how: Run) -> Result<Summary, Box<Failure>> {
    let mut rng = Rng::new(seed);
    // A stream of its own, so that the radio leaves the rest of a world as it is.
    let mut radio_rng = Rng::new(seed ^ RADIO);
    // And another, for the modes beside transparent and SMS.
    let mut mode_rng = Rng::new(seed ^ MODES);
    let mut ends_rng = Rng::new(seed ^ ENDS);
    let mut outage_rng = Rng::new(seed ^ OUTAGES);
    let mut scenario = Scenario::draw(&mut rng)
        .with_radio(&mut radio_rng)
        .with_modes(&mut mode_rng, how.mode)
        .with_ends(&mut ends_rng)
        .with_outages(&mut outage_rng);
    if let Some(length) = how.length {
        scenario.length = length;
    }
    let mut world = World::new(
        seed,
        scenario,
        [rng, radio_rng, mode_rng, ends_rng, outage_rng],
        how.print,
    );
    world.live();
    world.heal_and_drain();
    world.judge_the_end()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    Dte,
    SerialRead,
    DteReads,
    SerialWritten(u64),
    SerialDiscarded(u64, usize),
    Configured(u64),
    Socket(SocketId, u64, SocketEvent),
    Stored(u64),
    ServerLeaves(ServerId),
    ServerReturns(ServerId),
    /// A connection whose server is back must be up.
    RecoveryDue(SocketId, u64),
    Detach,
    Attach,
    Restart,
    Crash,
    Stop,
    Unplug,
    Replug,
    Check,
    /// The network wants to be called.
    Radio,
    /// News of the modem come to the device.
    ModemInputs,
    RadioTrouble,
    Sms,
    PhoneCommand,
    Call,
    CallEnds,
    MessagesStored(u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Due {
    at: u64,
    order: u64,
    event: Event,
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.order).cmp(&(self.at, self.order))
    }
}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

struct World {
    seed: u64,
    scenario: Scenario,
    rng: Rng,
    ends_rng: Rng,
    now: u64,
    events: BinaryHeap<Due>,
    order: u64,
    device: Dtu,
    /// The deadline that the host sleeps for, and when it will really wake.
    sleep: Option<(u64, u64)>,
    busy: host::CallRate,
    ledger: Ledger,
    serial: SerialPort,
    dte: Dte,
    sockets: [Socket; SOCKETS],
    servers: [Server; SERVERS],
    recoveries: [Recovery; SOCKETS],
    http_server: httpd::HttpServer,
    /// Bytes that servers and peers of the modes 1 to 3 have said.
    peer_position: u64,
    disk: Disk,
    radio: Radio,
    attached: bool,
    /// A restart was ordered and has not come yet.
    ending: bool,
    /// When a stop was asked for that has not come yet.
    stopping: Option<u64>,
    /// The device has stopped; when it was asked to.
    stopped_at: Option<u64>,
    healed: bool,
    stopped: Option<(Rule, String)>,
    trace: Trace,
    outputs: Fnv,
    sum: Summary,
}

impl World {
    fn new(
        seed: u64,
        scenario: Scenario,
        [mut rng, radio_rng, mut mode_rng, ends_rng, mut outage_rng]: [Rng; 5],
        print: bool,
    ) -> Self {
        let network = Settings {
            faults: scenario.radio.faults,
            ..Settings::default()
        };
        let device = host::power_on(&scenario.config, &scenario, seed, 0);
        let mut world = Self {
            ledger: Ledger::new(&scenario.config, &scenario.options),
            disk: Disk::new(&scenario.config),
            dte: Dte::new(rng.fork(1)),
            sockets: SocketId::ALL.map(|id| {
                let place = id.index() as u64;
                let rng = match id {
                    SocketId::Link(_) => rng.fork(10 + place),
                    SocketId::AtMode | SocketId::Httpd | SocketId::Destination(_) => {
                        mode_rng.fork(place - LINKS as u64)
                    }
                };
                Socket::new(id, rng)
            }),
            servers: std::array::from_fn(|index| Server::new(outage_rng.fork(index as u64))),
            recoveries: recovery::recoveries(),
            rng: rng.fork(2),
            ends_rng,
            http_server: httpd::HttpServer::default(),
            peer_position: 0,
            radio: Radio::new(radio_rng, network),
            seed,
            now: 0,
            events: BinaryHeap::new(),
            order: 0,
            device,
            sleep: None,
            busy: host::CallRate::default(),
            serial: SerialPort::default(),
            attached: false,
            ending: false,
            stopping: None,
            stopped_at: None,
            healed: false,
            stopped: None,
            trace: Trace::new(print),
            outputs: Fnv::default(),
            sum: Summary::default(),
            scenario,
        };
        world.begin();
        world
    }

    fn begin(&mut self) {
        self.host_starts();
        self.after(300_000, Event::Check);
        self.after(1000, Event::Dte);
        let scenario = &self.scenario;
        let faults = [
            (scenario.detach_every, Event::Detach),
            (scenario.restart_every, Event::Restart),
            (scenario.crash_every, Event::Crash),
            (scenario.ends.stop_every, Event::Stop),
            (scenario.unplug_every, Event::Unplug),
        ];
        for (every, event) in faults {
            self.again(every, event);
        }
        self.begin_radio();
        self.begin_outages();
    }

    /// Plans the next of a kind of fault, if this world has them.
    fn again(&mut self, every: u64, event: Event) {
        if every > 0 {
            let wait = self.rng.wait(every);
            self.after(wait, event);
        }
    }

    fn after(&mut self, wait: u64, event: Event) {
        self.order += 1;
        self.events.push(Due {
            at: self.now + wait,
            order: self.order,
            event,
        });
    }

    fn live(&mut self) {
        let end = self.scenario.length;
        while self.stopped.is_none() && self.step(end) {}
    }

    /// The next thing that happens, if it happens before `end`.
    fn step(&mut self, end: u64) -> bool {
        let event_at = self.events.peek().map_or(u64::MAX, |due| due.at);
        let wake_at = self.sleep.map_or(u64::MAX, |(_, wake)| wake);
        let next = event_at.min(wake_at);
        if next > end {
            self.now = end;
            return false;
        }
        self.now = next;
        if wake_at <= event_at {
            self.wake();
        } else if let Some(due) = self.events.pop() {
            self.happen(due.event);
        }
        true
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Dte => self.dte_acts(),
            Event::SerialRead => self.host_reads_serial(),
            Event::DteReads => self.dte_reads(),
            Event::SerialWritten(generation) => self.serial_written(generation),
            Event::SerialDiscarded(generation, left) => self.serial_discarded(generation, left),
            Event::Configured(generation) => self.serial_configured(generation),
            Event::Socket(id, generation, event) => self.socket_event(id, generation, event),
            Event::Stored(generation) => self.stored(generation),
            Event::ServerLeaves(id) => self.server_leaves(id),
            Event::ServerReturns(id) => self.server_returns(id),
            Event::RecoveryDue(socket, at) => self.recovery_due(socket, at),
            Event::Detach => self.detach(),
            Event::Attach => self.attach(),
            Event::Restart => self.ask_for_restart(),
            Event::Crash => self.crash(),
            Event::Stop => self.ask_to_stop(),
            Event::Unplug => self.unplug(),
            Event::Replug => self.replug(),
            Event::Check => self.regular_check(),
            Event::Radio => self.radio_wakes(),
            Event::ModemInputs => self.give_modem_inputs(),
            Event::RadioTrouble => self.radio_trouble(),
            Event::Sms => self.send_sms(),
            Event::PhoneCommand => self.send_command(),
            Event::Call => self.phone_calls(),
            Event::CallEnds => self.phone_hangs_up(),
            Event::MessagesStored(generation) => self.messages_stored(generation),
        }
    }

    fn break_rule(&mut self, rule: Rule, text: impl Into<String>) {
        if self.stopped.is_none() {
            self.stopped = Some((rule, text.into()));
        }
    }

    fn hold(&mut self, rule: Rule, result: Result<(), String>) {
        if let Err(text) = result {
            self.break_rule(rule, text);
        }
    }

    fn note(&mut self, what: &'static str, link: Option<LinkId>, number: u64, bytes: &[u8]) {
        self.trace.add(
            self.now,
            what,
            link.map_or(0, LinkId::number),
            number,
            bytes,
        );
    }

    fn failure(&self, rule: Rule, text: String) -> Box<Failure> {
        let time = Clock(self.now).to_string();
        Box::new(Failure {
            seed: self.seed,
            time,
            rule,
            text,
            trace: self.trace.last(),
        })
    }
}
