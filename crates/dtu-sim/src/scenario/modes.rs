//! Worlds in the serial command mode (1), the AT command mode (2) and the HTTPD client mode (3), and worlds that go
//! from mode to mode: what stands at the far end, and how it behaves.

use cellular_sim::Rng;
use dtu_proto::config::{DropPolicy, HttpdConfig, LinkOptions, Method, WorkingMode};
use dtu_proto::time::Duration;

use super::{NetStyle, Scenario, net};
use crate::packet::{Address, Destination};
use crate::{MS, SEC};

/// Destinations of a world; more than the device keeps open.
const DESTINATIONS: usize = 12;
/// Hosts that the device connects to in these modes: the destinations, and the HTTP server behind them.
pub(crate) const PEERS: usize = DESTINATIONS + 1;

/// The other modes of a world.
#[derive(Clone, Debug)]
pub(crate) struct ModeStyle {
    /// One of them is in force from the start.
    pub(crate) mode: Option<WorkingMode>,
    /// The DTE changes the mode now and then.
    pub(crate) wanders: bool,
    pub(crate) http: HttpStyle,
    pub(crate) destinations: Vec<Destination>,
    peers: Vec<NetStyle>,
    /// The host reads so many bytes of a socket at once.
    pub(crate) read_max: usize,
    /// Of a hundred packets, so many are damaged or have garbage around them.
    pub(crate) garbage: u64,
}

/// The HTTP server and what the device is told about it.
#[derive(Clone, Debug)]
pub(crate) struct HttpStyle {
    pub(crate) tls: bool,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) post: bool,
    /// As typed, and what it means.
    pub(crate) url: (&'static str, &'static str),
    /// As typed, and its lines.
    pub(crate) head: (&'static str, &'static [&'static str]),
    pub(crate) timeout: u16,
    pub(crate) filter: bool,
    pub(crate) body_max: usize,
    /// Of a hundred answers, so many are broken.
    pub(crate) faults: u64,
    /// Of a hundred kept connections, so many does the server close while they are idle.
    pub(crate) impatience: u64,
    /// Between a request and its answer, and between the pieces of one, at most.
    pub(crate) think: u64,
}

impl HttpStyle {
    /// What the device is told, as typed.
    fn settings(&self) -> HttpdConfig {
        let scheme = if self.tls { "https://" } else { "" };
        HttpdConfig {
            method: if self.post { Method::Post } else { Method::Get },
            server: format!("{scheme}{}", self.host),
            port: self.port,
            url: self.url.0.to_owned(),
            head: self.head.0.to_owned(),
            timeout: self.timeout,
            filter: self.filter,
        }
    }
}

impl Default for ModeStyle {
    fn default() -> Self {
        let mut rng = Rng::new(0);
        Self {
            mode: None,
            wanders: false,
            ..Self::draw(&mut rng, SEC, SEC)
        }
    }
}

impl ModeStyle {
    fn draw(rng: &mut Rng, length: u64, pause: u64) -> Self {
        Self {
            mode: None,
            wanders: false,
            http: http(rng),
            destinations: (0..DESTINATIONS)
                .map(|place| destination(rng, place))
                .collect(),
            peers: (0..PEERS).map(|_| net(rng, length, pause)).collect(),
            read_max: rng.pick(&[1, 7, 512, 4096, 4096]),
            garbage: rng.pick(&[0, 5, 30]),
        }
    }

    /// The place of this host among the [`PEERS`].
    pub(super) fn place_of(&self, address: &str) -> usize {
        let at = self
            .destinations
            .iter()
            .position(|to| to.address.text() == address);
        at.unwrap_or(DESTINATIONS)
    }

    /// How the network to the peer at this place is.
    pub(super) fn style_at(&self, place: usize) -> &NetStyle {
        &self.peers[place]
    }

    /// Everybody is well from now on.
    pub(super) fn heal(&mut self) {
        self.peers.iter_mut().for_each(NetStyle::heal);
        (self.http.faults, self.http.think, self.http.body_max) = (0, 10 * MS, 300);
        self.read_max = 4096;
    }
}

fn destination(rng: &mut Rng, place: usize) -> Destination {
    let last = u8::try_from(place + 1).unwrap_or(0);
    let address = if rng.chance(50) {
        Address::V4([192, 168, 0, last])
    } else {
        Address::Name(format!("peer{last}.example"))
    };
    Destination {
        tcp: rng.chance(70),
        address,
        port: 7000 + u16::from(last),
    }
}

fn http(rng: &mut Rng) -> HttpStyle {
    let tls = rng.chance(20);
    let usual = if tls { 443 } else { 80 };
    HttpStyle {
        tls,
        host: rng
            .pick(&["www.example", "192.0.2.7", "www.example"])
            .to_owned(),
        port: rng.pick(&[usual, usual, 8080]),
        post: rng.chance(40),
        url: rng.pick(&[
            ("/1.php?", "/1.php?"),
            ("/", "/"),
            ("/a[3F]q=", "/a?q="),
            ("/x/y.cgi?n=1&v=", "/x/y.cgi?n=1&v="),
        ]),
        head: rng.pick(HEADS),
        timeout: rng.pick(&[2, 10, 10, 30]),
        filter: rng.chance(70),
        body_max: rng.pick(&[10, 300, 300, 20_000]),
        faults: rng.pick(&[0, 10, 40]),
        impatience: rng.pick(&[0, 30, 90]),
        think: rng.pick(&[2, 50, 400, 1500]) * MS,
    }
}

const HEADS: &[(&str, &[&str])] = &[
    ("", &[]),
    ("Connection: close", &["Connection: close"]),
    ("X-Unit: 7||Accept: */*", &["X-Unit: 7", "Accept: */*"]),
    (
        "User-Agent:dtu[0D][0A]Host: other.example[0D][0A]",
        &["User-Agent:dtu", "Host: other.example"],
    ),
    ("X-Pipes: a[7C][7C]b", &["X-Pipes: a||b"]),
];

impl Scenario {
    /// The other modes, from a stream of their own. `forced`: this mode whatever the seed says (0: none of them).
    pub(crate) fn with_modes(mut self, rng: &mut Rng, forced: Option<u8>) -> Self {
        let roll = rng.range(0, 99);
        self.modes = ModeStyle::draw(rng, self.length, self.dte.pause);
        self.options.modes = mode_options(rng);
        let drawn = match roll {
            0..=9 => 1,
            10..=17 => 2,
            18..=27 => 3,
            28..=33 => 9,
            _ => 0,
        };
        let mode = match forced.unwrap_or(drawn) {
            1 => Some(WorkingMode::SerialCommand),
            2 => Some(WorkingMode::AtCommand),
            3 => Some(WorkingMode::Httpd),
            9 => None,
            _ => return self,
        };
        self.modes.wanders =
            mode.is_none() || (mode != Some(WorkingMode::AtCommand) && rng.chance(30));
        self.modes.mode = mode;
        self.fit(rng);
        self
    }

    /// What these modes ask of the rest of the world.
    fn fit(&mut self, rng: &mut Rng) {
        self.config.mode = self.modes.mode.unwrap_or(WorkingMode::Transparent);
        self.config.httpd = self.modes.http.settings();
        if std::mem::take(&mut self.radio.sms_mode) {
            self.radio.sms_every = self.length / 20;
        }
        // A request takes its time, and frames of one byte are too much alike.
        self.dte.pause = self.dte.pause.max(rng.range(200, 3000) * MS);
        self.dte.write_max = rng.pick(&[40, 300, 300, 3000]);
        self.dte.trickle = false;
        self.host.read_max = 4095;
        if self.modes.wanders {
            self.dte.escapes = self.dte.escapes.max(10);
        }
    }
}

/// What `[link]` says without a number.
fn mode_options(rng: &mut Rng) -> LinkOptions {
    LinkOptions {
        cache: rng.pick(&[4096, 15_360, 15_360, 1 << 20]),
        drop_policy: rng.pick(&[
            DropPolicy::Auto,
            DropPolicy::Oldest,
            DropPolicy::Newest,
            DropPolicy::Block,
        ]),
        resend: rng.chance(80),
        spool: rng.chance(40),
        backoff_max: Duration::from_secs(rng.pick(&[2, 30])),
        ..LinkOptions::default()
    }
}
