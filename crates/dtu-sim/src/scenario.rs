//! What kind of world a seed is: settings, how the DTE, the host and the network behave, and how often what breaks.

use cellular_sim::Rng;
use cellular_sim::radio::Faults;
use dtu_proto::config::{
    Config, DropPolicy, Expect, FactoryPassword, HeartbeatTo, Options, Protocol, RegistrationWhen,
    Role, WorkingMode,
};
use dtu_proto::event::{LINKS, LinkId, SocketId};
use dtu_proto::time::Duration;

use ends::EndStyle;
use modes::ModeStyle;
pub(crate) use modes::{HttpStyle, PEERS};
use outages::OutageStyle;
pub(crate) use outages::{SERVERS, ServerId};

use crate::{MS, SEC};

mod ends;
mod modes;
mod outages;

/// All of it.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    /// Length of the faulty part; then everything heals.
    pub(crate) length: u64,
    pub(crate) config: Config,
    pub(crate) options: Options,
    pub(crate) dte: DteStyle,
    pub(crate) host: HostStyle,
    pub(crate) nets: [NetStyle; LINKS],
    /// Mean times between faults; 0 = never.
    pub(crate) detach_every: u64,
    pub(crate) restart_every: u64,
    pub(crate) crash_every: u64,
    pub(crate) unplug_every: u64,
    /// Of a hundred saves.
    pub(crate) store_fails: u64,
    pub(crate) radio: RadioStyle,
    pub(crate) modes: ModeStyle,
    pub(crate) ends: EndStyle,
    /// One for each server: of the links, of the modes.
    pub(crate) outages: Vec<OutageStyle>,
}

/// The cellular network: what phones do, and what goes wrong. Mean times; 0 = never.
#[derive(Clone, Debug, Default)]
pub(crate) struct RadioStyle {
    /// Mode 4: frames become messages, messages are printed.
    pub(crate) sms_mode: bool,
    pub(crate) faults: Faults,
    /// So long the serial line is away when it is pulled, instead of five seconds.
    pub(crate) line_away: u64,
    pub(crate) sms_every: u64,
    pub(crate) command_every: u64,
    pub(crate) call_every: u64,
    /// Registration lost, modem reset or gone.
    pub(crate) trouble_every: u64,
}

impl RadioStyle {
    fn draw(rng: &mut Rng, length: u64) -> Self {
        let sms_mode = rng.chance(30);
        let bad = rng.chance(60);
        let mut percent = |most: u64| {
            if bad {
                u8::try_from(rng.range(0, most)).unwrap_or(0)
            } else {
                0
            }
        };
        let faults = Faults {
            lost: percent(4),
            answer_lost: percent(6),
            refused: percent(8),
            doubled: percent(20),
            // The order of each sender is judged.
            overtaken: 0,
        };
        Self {
            sms_mode,
            faults,
            line_away: 5 * SEC,
            sms_every: if sms_mode {
                rng.range(1, 20) * SEC
            } else {
                length / 20
            },
            command_every: if rng.chance(40) {
                length / rng.range(4, 20)
            } else {
                0
            },
            call_every: if rng.chance(40) {
                length / rng.range(4, 20)
            } else {
                0
            },
            trouble_every: if rng.chance(50) {
                length / rng.range(1, 12)
            } else {
                0
            },
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct DteStyle {
    pub(crate) pause: u64,
    pub(crate) write_max: usize,
    /// Bytes go out one by one, a character time apart.
    pub(crate) trickle: bool,
    pub(crate) escapes: u64,
    pub(crate) teases: u64,
    pub(crate) inline: u64,
    pub(crate) deaf: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct HostStyle {
    pub(crate) late_timer: u64,
    pub(crate) late_read: u64,
    pub(crate) read_max: usize,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct NetStyle {
    pub(crate) delay: u64,
    /// Bytes a second that the peer takes.
    pub(crate) rate: u64,
    pub(crate) refused: u64,
    pub(crate) silent: u64,
    pub(crate) no_name: u64,
    pub(crate) fault_every: u64,
    /// Of a hundred reports of acknowledged bytes, so many never come.
    pub(crate) acks_lost: u64,
    /// UDP: of a hundred datagrams.
    pub(crate) datagrams_lost: u64,
    pub(crate) server_pause: u64,
    pub(crate) server_max: usize,
    pub(crate) server_commands: u64,
    pub(crate) answers: u64,
}

impl NetStyle {
    fn heal(&mut self) {
        (self.rate, self.delay) = (1_000_000, 10 * MS);
        (self.acks_lost, self.datagrams_lost) = (0, 0);
    }
}

/// Salt of the stream of who paces the line.
const PACING: u64 = 0x5041_4345_0000;

impl Scenario {
    pub(crate) fn draw(rng: &mut Rng) -> Self {
        let (length, pause) = match rng.range(0, 9) {
            0..=4 => (rng.range(60, 300) * SEC, rng.range(50, 400) * MS),
            5..=7 => (rng.range(300, 1800) * SEC, rng.range(500, 4000) * MS),
            _ => (rng.range(1800, 4 * 3600) * SEC, rng.range(5, 90) * SEC),
        };
        let (config, mut options) = (config(rng), options(rng));
        pace(&mut options, &mut Rng::new(rng.clone().word() ^ PACING));
        let mut world = Self {
            dte: dte(rng, pause, &config),
            host: host(rng),
            nets: std::array::from_fn(|_| net(rng, length, pause)),
            detach_every: sometimes(rng, 30, length),
            restart_every: sometimes(rng, 20, length),
            crash_every: sometimes(rng, 20, length),
            unplug_every: sometimes(rng, 10, length),
            store_fails: if rng.chance(30) { 40 } else { 0 },
            length,
            config,
            options,
            radio: RadioStyle::default(),
            modes: ModeStyle::default(),
            ends: EndStyle::default(),
            outages: Vec::new(),
        };
        world.avoid_lookalikes();
        world
    }

    /// The cellular network, from a stream of its own.
    pub(crate) fn with_radio(mut self, rng: &mut Rng) -> Self {
        self.radio = RadioStyle::draw(rng, self.length);
        if self.radio.sms_mode {
            self.config.mode = WorkingMode::Sms;
            self.config.sms_number = "+8613912345678".to_owned();
            // A message takes a second: fewer and larger frames.
            self.dte.pause = self.dte.pause.max(rng.range(1, 8) * SEC);
            self.dte.write_max = rng.pick(&[8, 40, 300, 3000]);
            self.dte.trickle = false;
            self.host.read_max = 4095;
            // Messages wait where the line is away, and that is when a kill tells most.
            let mut often = |percent: u64| {
                if rng.chance(percent) {
                    self.length / rng.range(2, 12)
                } else {
                    0
                }
            };
            (self.crash_every, self.unplug_every) = (often(50), often(50));
            self.radio.line_away = rng.pick(&[5, 5, 60]) * SEC;
        }
        self
    }

    /// Who stands behind this address for the socket.
    pub(crate) fn server_of(&self, id: SocketId, address: &str) -> ServerId {
        match id {
            SocketId::Link(link) => link.into(),
            SocketId::AtMode | SocketId::Httpd | SocketId::Destination(_) => {
                ServerId::peer(self.modes.place_of(address))
            }
        }
    }

    /// How the network to this server is.
    pub(crate) fn style(&self, server: ServerId) -> &NetStyle {
        let place = server.index();
        self.nets
            .get(place)
            .unwrap_or_else(|| self.modes.style_at(place - LINKS))
    }

    /// Everybody is well from now on.
    pub(crate) fn heal(&mut self) {
        self.nets.iter_mut().for_each(NetStyle::heal);
        self.modes.heal();
    }

    /// Frames of one byte are too much alike to say which of them was dropped and which was not sent again.
    fn avoid_lookalikes(&mut self) {
        if self.options.links.iter().any(|link| !link.resend) {
            self.host.read_max = 4095;
            self.dte.trickle = false;
        }
    }
}

fn sometimes(rng: &mut Rng, percent: u64, length: u64) -> u64 {
    if rng.chance(percent) {
        length / rng.range(1, 4)
    } else {
        0
    }
}

fn config(rng: &mut Rng) -> Config {
    let mut config = Config {
        heartbeat_interval: rng.pick(&[0, 1, 5, 30, 30, 60]),
        packing_time: rng.pick(&[0, 10, 15, 30, 100, 100, 250, 1000]),
        restart_time: rng.pick(&[0, 1800, 1800, 600]),
        registration_when: rng.pick(&[RegistrationWhen::OnConnect, RegistrationWhen::WithData]),
        heartbeat_to: rng.pick(&[
            HeartbeatTo::Network,
            HeartbeatTo::Network,
            HeartbeatTo::Serial,
        ]),
        network_at: rng.chance(50),
        serial_at: rng.chance(50),
        long_links: rng.chance(75),
        ..Config::default()
    };
    if config.heartbeat_to == HeartbeatTo::Serial && config.heartbeat_interval == 1 {
        // A heartbeat falls due while a frame is open.
        config.packing_time = 2500;
    }
    if rng.chance(60) {
        // 0xFE at its head: nobody else's bytes begin so.
        config.registration = [&[0xFE, b'R'], rng.bytes(4).as_slice()].concat();
    }
    if rng.chance(70) {
        // 0x02 at its head: marks it on the serial line, see `downlink`.
        config.heartbeat = [&[0x02, b'H'], rng.bytes(3).map_low().as_slice()].concat();
    }
    if rng.chance(50) {
        config.password = rng.pick(&["pass1", "x", "Q9"]).to_owned();
    }
    let used = if rng.chance(4) { 0 } else { rng.size(1, LINKS) };
    for (index, link) in config.links.iter_mut().enumerate() {
        link.enabled = index < used;
        link.protocol = if rng.chance(75) {
            Protocol::Tcp
        } else {
            Protocol::Udp
        };
        link.address = format!("server{}.example", index + 1);
        if rng.chance(20) {
            link.local_port = 5000 + u16::try_from(index).unwrap_or(0);
        }
    }
    if used > 1 && rng.chance(25) {
        let primary = LinkId::ALL[0];
        config.links[used - 1].role = Role::Backup(primary);
    }
    config
}

trait MapLow {
    fn map_low(self) -> Self;
}

impl MapLow for Vec<u8> {
    /// Text bytes only: those above 0x7F are the servers' on the serial line.
    fn map_low(self) -> Self {
        self.into_iter().map(|byte| b'0' + byte % 40).collect()
    }
}

fn options(rng: &mut Rng) -> Options {
    let mut options = Options {
        setup_window: Duration::from_secs(rng.pick(&[0, 0, 1, 5])),
        recovery: rng.chance(70),
        factory_password: rng.pick(&[
            FactoryPassword::Query,
            FactoryPassword::Query,
            FactoryPassword::Full,
            FactoryPassword::Off,
        ]),
        ..Options::default()
    };
    for link in &mut options.links {
        link.cache = rng.pick(&[2048, 4096, 15_360, 15_360, 1 << 20]);
        link.drop_policy = rng.pick(&[
            DropPolicy::Oldest,
            DropPolicy::Oldest,
            DropPolicy::Newest,
            DropPolicy::Block,
        ]);
        link.resend = rng.chance(75);
        link.spool = rng.chance(30);
        link.backoff_max = Duration::from_secs(rng.pick(&[2, 30, 30]));
        link.short_link_idle = Duration::from_secs(rng.pick(&[1, 10]));
        if rng.chance(10) {
            link.expect_heartbeat = Some(Box::new(expect(rng)));
        }
        if rng.chance(10) {
            link.expect_registration = Some(Box::new(expect(rng)));
        }
    }
    options
}

/// Who paces the line, and what goes on to it, from a stream of its own.
fn pace(options: &mut Options, rng: &mut Rng) {
    options.line_holds = rng.chance(85);
    for link in &mut options.links {
        if link.drop_policy == DropPolicy::Oldest && rng.chance(80) {
            link.drop_policy = DropPolicy::Auto;
        }
        for expect in [&mut link.expect_heartbeat, &mut link.expect_registration]
            .into_iter()
            .flatten()
        {
            expect.pass = rng.chance(20);
        }
    }
    options.escape_gap = Duration::from_millis(rng.pick(&[50, 50, 50, 300]));
}

fn expect(rng: &mut Rng) -> Expect {
    let within = Duration::from_secs(rng.range(1, 8));
    Expect {
        reply: b"\x03OK\x03".to_vec(),
        within,
        misses: rng.pick(&[1, 2, 3]),
        pass: false,
    }
}

fn dte(rng: &mut Rng, pause: u64, config: &Config) -> DteStyle {
    DteStyle {
        pause: pause.max(u64::from(config.packing_time) * MS / 2),
        write_max: rng.pick(&[8, 40, 300, 3000, 9000]),
        trickle: rng.chance(25),
        escapes: rng.pick(&[0, 2, 5]),
        teases: rng.pick(&[0, 15, 40]),
        inline: rng.pick(&[0, 5, 15]),
        deaf: rng.pick(&[0, 0, 3]),
    }
}

fn host(rng: &mut Rng) -> HostStyle {
    HostStyle {
        late_timer: rng.pick(&[0, 0, 1, 20, 300]) * MS,
        late_read: rng.pick(&[0, 0, 1, 15, 120]) * MS,
        read_max: rng.pick(&[1, 7, 512, 4095, 4095, 4095]),
    }
}

fn net(rng: &mut Rng, length: u64, pause: u64) -> NetStyle {
    let bad = rng.chance(40);
    NetStyle {
        delay: rng.pick(&[1, 20, 80, 600]) * MS,
        rate: rng.pick(&[1_000, 10_000, 100_000, 1_000_000]),
        refused: if bad { rng.pick(&[0, 30, 90]) } else { 0 },
        silent: if bad { rng.pick(&[0, 20]) } else { 0 },
        no_name: if bad { rng.pick(&[0, 20]) } else { 0 },
        fault_every: if bad || rng.chance(50) {
            length / rng.range(1, 15)
        } else {
            0
        },
        acks_lost: rng.pick(&[0, 0, 30, 95]),
        datagrams_lost: rng.pick(&[0, 10]),
        server_pause: rng.wait(pause * 2) + 20 * MS,
        server_max: rng.pick(&[10, 200, 5000]),
        server_commands: rng.pick(&[0, 5, 20]),
        answers: rng.pick(&[100, 80]),
    }
}
