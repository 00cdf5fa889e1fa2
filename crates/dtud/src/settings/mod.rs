//! The settings file: what the host side of the device does, and the knobs that no AT command changes.
//!
//! TOML; every key has a default, an unknown key is an error with its place. `docs/settings.md` describes each.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use dtu_proto::config::{
    self, DropPolicy, Expect, FactoryPassword, LinkOptions, Options, Role, Shutdown,
};
use dtu_proto::event::{LINKS, QueueId, SocketId};
use dtu_proto::radio::PhoneNumber;

use crate::at_lines::{self, StartLine};
use crate::modem;
use crate::serial::{self, Access};

mod error;
mod exposed;
mod raw;
mod rules;
#[cfg(test)]
mod tests;
mod values;
mod words;

use error::Place;

pub use error::Error;
pub use exposed::exposed;
pub use values::{Charset, FlowControl, SpoolSync};

/// A settings file that was read, or (`Settings::default()`) an empty one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// `at`: AT lines for each start, as those of the command line.
    pub at: Commands,
    /// `[serial]`
    pub serial: Serial,
    /// `[device]`
    pub device: Device,
    /// `[packing]`
    pub packing: Packing,
    /// `[modem]`
    pub modem: Modem,
    /// `[http]`
    pub http: Http,
    /// `[console]`
    pub console: Console,
    /// `[leds]`
    pub leds: Leds,
    /// `[link]`, with `[link.1]` to `[link.4]` laid over it.
    pub links: [Link; LINKS],
    /// `[link]` without a number: for the HTTPD client and the serial command mode.
    pub modes: Link,
    /// Where values stand in the file.
    pub places: Places,
}

/// Where values stand whose faults show only when they are used. It is no part of what the file says.
#[derive(Clone, Debug, Default)]
pub struct Places {
    at: Vec<Place>,
    script: Option<Place>,
    extra_root: Option<Place>,
}

impl PartialEq for Places {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl Eq for Places {}

/// A key that names another file.
#[derive(Clone, Copy, Debug)]
pub(crate) enum FileKey {
    /// Of the simulated radio.
    Script,
    /// Certificates.
    ExtraRoot,
}

/// `[serial]`: the line to the DTE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Serial {
    /// Which line; the command line's stands over it.
    pub line: Option<serial::Address>,
    /// Hand-shake of a tty.
    pub flow_control: FlowControl,
    /// The adapter's driver switches its transmitter by RTS.
    pub rs485: bool,
    /// How long bytes of the network wait for a line that is missing, or whose pty nobody has open; 0 s ..= 3600 s.
    pub hold: Duration,
    /// The gaps inside `+++` must be shorter than this; 20 ms ..= 1000 ms.
    pub escape_gap: Duration,
    /// Who may open a pty.
    pub access: Access,
    /// Meaning of bytes that are text (SMS).
    pub charset: Charset,
}

impl Default for Serial {
    fn default() -> Self {
        let Options {
            line_hold: hold,
            escape_gap,
            ..
        } = Options::default();
        Self {
            line: None,
            flow_control: FlowControl::default(),
            rs485: false,
            hold,
            escape_gap,
            access: Access::default(),
            charset: Charset::default(),
        }
    }
}

/// `[device]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Length of the set-up window after power-on, 0 s ..= 3600 s.
    pub setup_window: Duration,
    /// What `AT+CISHUTDOWN` does.
    pub shutdown: Shutdown,
    /// Reset the modem and restart when no TCP link comes up for 15 minutes.
    pub recovery: bool,
    /// Password of commands, in force from each power-on; `None` = as it is stored.
    pub password: Option<Password>,
    /// What network commands may do while the password is the factory one.
    pub factory_password: FactoryPassword,
    /// Numbers that may command by SMS; empty = any.
    pub sms_allow: Vec<String>,
}

impl Default for Device {
    fn default() -> Self {
        let Options {
            setup_window,
            shutdown,
            recovery,
            factory_password,
            ..
        } = Options::default();
        Self {
            setup_window,
            shutdown,
            recovery,
            password: None,
            factory_password,
            sms_allow: Vec::new(),
        }
    }
}

/// AT lines; what is secret in them is nobody's business.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Commands(Vec<String>);

impl Commands {
    /// Whether one of them sets a password or the like.
    fn hold_a_secret(&self) -> bool {
        self.0.iter().any(|line| at_lines::sets_a_secret(line))
    }
}

impl fmt::Debug for Commands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(
                self.0
                    .iter()
                    .map(|line| dtu_proto::shown_command(&at_lines::at_line(line))),
            )
            .finish()
    }
}

/// A password of commands; nobody's business.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"****\"")
    }
}

/// `[packing]`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Packing {
    /// Whether `CIPCFG` LEN closes frames.
    pub length_enabled: bool,
}

/// `[modem]`
#[derive(Clone, PartialEq, Eq)]
pub struct Modem {
    /// Which one; the command line's stands over it.
    pub device: Option<modem::Address>,
    /// PIN of the SIM card, 4 to 8 digits; `None` = the card asks for none, or the device waits.
    pub pin: Option<String>,
    /// Bits a second on the modem's serial line (`at:`).
    pub baud: u32,
    /// AT lines given to the modem at each start of it (`at:`), behind the driver's own.
    pub init: Vec<String>,
    /// Network interface that carries the data; `None` = as the back-end has it.
    pub interface: Option<String>,
    /// Script of the simulated radio (`sim`).
    pub script: Option<PathBuf>,
    /// Own number in the simulated network (`sim`).
    pub number: Option<PhoneNumber>,
    /// Where the dialogue is written (`at:`); `--modem-log` of the command line, no key of the file.
    pub log: Option<PathBuf>,
}

impl Default for Modem {
    fn default() -> Self {
        Self {
            device: None,
            pin: None,
            baud: 115_200,
            init: Vec::new(),
            interface: None,
            script: None,
            number: None,
            log: None,
        }
    }
}

/// The PIN is nobody's business.
impl fmt::Debug for Modem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            device,
            pin,
            baud,
            init,
            interface,
            script,
            number,
            log,
        } = self;
        f.debug_struct("Modem")
            .field("device", device)
            .field("pin", &pin.as_ref().map(|_| "****"))
            .field("baud", baud)
            .field("init", init)
            .field("interface", interface)
            .field("script", script)
            .field("number", number)
            .field("log", log)
            .finish()
    }
}

/// `[http]`: the HTTPD client and its servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Http {
    /// File of PEM certificates that servers of `https://` may have beside those of the system's roots.
    pub extra_root: Option<PathBuf>,
    /// An answer must be whole within this time; 0 s = no bound.
    pub answer_max: Duration,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            extra_root: None,
            answer_max: Options::default().http_answer_max.unwrap_or_default(),
        }
    }
}

/// `[console]`: the web console.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Console {
    /// Where it listens; the command line's stands over it. `None`: port 7200 of this host, or the next free one.
    pub addr: Option<ConsoleAddress>,
    /// Names by which browsers reach it, beside localhost and those of this host.
    pub hosts: Vec<String>,
    /// Proxies whose `X-Forwarded-…` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// The path below which a proxy shows it.
    pub base: Option<String>,
    /// Certificates in PEM, with the key.
    pub certificate: Option<PathBuf>,
    /// Its key in PEM.
    pub key: Option<PathBuf>,
    /// A certificate of its own making.
    pub tls_self: bool,
    /// Beyond this host without TLS.
    pub insecure: bool,
    /// What who asks for `/metrics` from beyond this host must know.
    pub metrics_token: Option<Token>,
}

/// Where the web console listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsoleAddress {
    /// Nowhere.
    Off,
    /// There.
    At(SocketAddr),
}

impl ConsoleAddress {
    /// Reads `off`, a port of this host, or an address with a port.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text == "off" {
            return Some(Self::Off);
        }
        if let Ok(port) = text.parse::<u16>() {
            return Some(Self::At((Ipv4Addr::LOCALHOST, port).into()));
        }
        let local = text.strip_prefix("localhost:").map(str::parse::<u16>);
        match local {
            Some(port) => Some(Self::At((Ipv4Addr::LOCALHOST, port.ok()?).into())),
            None => text.parse().ok().map(Self::At),
        }
    }
}

/// Nobody's business.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    #[cfg(feature = "console")]
    pub(crate) fn text(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"****\"")
    }
}

/// `[leds]`: LED class devices, each a name below `/sys/class/leds` or a path; `None` = shown in the status only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leds {
    /// POW.
    pub pow: Option<String>,
    /// NET.
    pub net: Option<String>,
    /// DATA.
    pub data: Option<String>,
}

/// One link's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Bytes of frames that wait at most.
    pub cache: usize,
    /// What goes when the cache is full.
    pub drop_policy: DropPolicy,
    /// Send again what was not acknowledged when a connection was lost.
    pub resend: bool,
    /// `Some` = frames that wait are on the disk as well.
    pub spool: Option<SpoolSettings>,
    /// Longest pause between two attempts, 1 s ..= 3600 s.
    pub backoff_max: Duration,
    /// A short link closes after so long without data, 1 s ..= 255 s.
    pub short_link_idle: Duration,
    /// Role fixed by the file; `None` = as `AT+CIROLE` says.
    pub role: Option<Role>,
    /// Network interface the sockets are bound to; `None` = the modem's where it has one, else the routing table
    /// chooses.
    pub interface: Option<String>,
    /// Reply expected to the registration packet.
    pub expect_register: Option<Expect>,
    /// Reply expected to each heartbeat.
    pub expect_heartbeat: Option<Expect>,
}

impl Default for Link {
    fn default() -> Self {
        let LinkOptions {
            cache,
            drop_policy,
            resend,
            backoff_max,
            short_link_idle,
            ..
        } = LinkOptions::default();
        Self {
            cache,
            drop_policy,
            resend,
            spool: None,
            backoff_max,
            short_link_idle,
            role: None,
            interface: None,
            expect_register: None,
            expect_heartbeat: None,
        }
    }
}

/// How a link's frames are kept on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpoolSettings {
    /// Bytes of its files at most.
    pub size: u64,
    /// When they are forced to the disk.
    pub sync: SpoolSync,
}

impl Settings {
    /// Reads a settings file.
    ///
    /// # Errors
    /// The first fault of the file, with its place.
    pub fn load(path: &Path) -> Result<Self, Error> {
        Error::unless_file(path)?;
        let bytes = std::fs::read(path).map_err(|error| Error::unreadable(path, &error))?;
        let text = str::from_utf8(&bytes).map_err(|error| Error::not_text(path, &bytes, &error))?;
        Self::parse(path, text)
    }

    /// The settings in `text`; `path` is what errors call it.
    ///
    /// # Errors
    /// As `load`.
    pub fn parse(path: &Path, text: &str) -> Result<Self, Error> {
        let raw: raw::File =
            toml::from_str(text).map_err(|error| Error::of_toml(path, text, &error))?;
        rules::check(&raw).map_err(|fault| Error::at(path, text, Some(fault.at), &fault.text))?;
        let mut settings = raw.settle();
        let place = |at: Range<usize>| error::place(text, at.start);
        settings.places = Places {
            at: raw.at_spans().map(place).collect(),
            script: raw.script_span().map(place),
            extra_root: raw.extra_root_span().map(place),
        };
        // A file lies beside the one that names it, wherever the program was started.
        let beside = |file: PathBuf| {
            path.parent()
                .map_or(file.clone(), |folder| folder.join(&file))
        };
        settings.modem.script = settings.modem.script.map(beside);
        settings.http.extra_root = settings.http.extra_root.map(beside);
        settings.console.certificate = settings.console.certificate.map(beside);
        settings.console.key = settings.console.key.map(beside);
        Ok(settings)
    }

    /// What of it the device core wants to know.
    #[must_use]
    pub fn options(&self) -> Options {
        let Device {
            setup_window,
            shutdown,
            recovery,
            factory_password,
            sms_allow,
            ..
        } = &self.device;
        Options {
            setup_window: *setup_window,
            shutdown: *shutdown,
            recovery: *recovery,
            factory_password: *factory_password,
            length_enabled: self.packing.length_enabled,
            charset: match self.serial.charset {
                Charset::Gbk => config::Charset::Gbk,
                Charset::Utf8 => config::Charset::Utf8,
            },
            line_hold: self.serial.hold,
            escape_gap: self.serial.escape_gap,
            http_answer_max: Some(self.http.answer_max).filter(|within| !within.is_zero()),
            sms_allow: sms_allow
                .iter()
                .filter_map(|number| PhoneNumber::new(number))
                .collect(),
            links: self.links.each_ref().map(Link::options),
            modes: self.modes.options(),
            ..Options::default()
        }
    }

    /// AT lines that the file stands for: run at power-on, before those of the command line. `file` is what their
    /// faults call it.
    #[must_use]
    pub fn start_lines(&self, file: &Path) -> Vec<StartLine> {
        let file = file.display();
        let password = self.device.password.iter().map(|Password(text)| {
            let line = format!("AT+CIPSW=\"{}\"", text.replace('"', "\"\""));
            StartLine::of_file(&line, format_args!("{file}: password"))
        });
        let places = self
            .places
            .at
            .iter()
            .map(Some)
            .chain(std::iter::repeat(None));
        let at =
            (1..)
                .zip(self.at.0.iter().zip(places))
                .map(|(number, (line, place))| match place {
                    Some(place) => {
                        StartLine::of_file(line, format_args!("{file}:{place}: at[{number}]"))
                    }
                    None => StartLine::of_file(line, format_args!("{file}: at[{number}]")),
                });
        password.chain(at).collect()
    }

    /// A fault of what a key names, at the place of its value.
    pub(crate) fn fault(&self, file: &Path, key: FileKey, why: &str) -> String {
        let (name, place) = match key {
            FileKey::Script => ("script", self.places.script),
            FileKey::ExtraRoot => ("extra_root", self.places.extra_root),
        };
        let file = file.display();
        place.map_or_else(
            || format!("{file}: {name}: {why}"),
            |place| format!("{file}:{place}: {name}: {why}"),
        )
    }

    /// What is allowed, and may not be meant.
    pub(crate) fn warnings(&self, file: &Path) -> impl Iterator<Item = String> {
        exposed(file, self)
            .into_iter()
            .chain(self.block_warning(file))
    }

    /// What `drop_policy = "block"` costs, where it is in force (decisions 16.1).
    #[must_use]
    pub fn block_warning(&self, file: &Path) -> Option<String> {
        let is_blocking = |link: &Link| link.drop_policy == DropPolicy::Block;
        let links: Vec<String> = (1..=LINKS)
            .zip(&self.links)
            .filter(|(_, link)| is_blocking(link))
            .map(|(number, _)| number.to_string())
            .collect();
        let modes = is_blocking(&self.modes).then_some("the working modes beside the links");
        let links = (!links.is_empty()).then(|| format!("link {}", links.join(", ")));
        let whose: Vec<&str> = links.as_deref().into_iter().chain(modes).collect();
        (!whose.is_empty()).then(|| {
            format!(
                "{}: drop_policy = \"block\" ({}): while a server takes nothing and the cache is full, the serial line is not read, so +++ and psw,AT+ are not heard either",
                file.display(),
                whose.join("; ")
            )
        })
    }

    /// The network interface of a socket; `None` = `"auto"`: the modem's, else the routing table chooses.
    #[must_use]
    pub fn interface_of(&self, socket: SocketId) -> Option<&str> {
        let settings = socket
            .link()
            .map_or(&self.modes, |link| &self.links[link.index()]);
        settings.interface.as_deref()
    }

    /// How a queue's frames are kept on the disk; `None` = `spool = "memory"`.
    #[must_use]
    pub fn spool_settings(&self, queue: QueueId) -> Option<SpoolSettings> {
        match queue {
            QueueId::Link(link) => self.links[link.index()].spool,
            QueueId::Httpd | QueueId::SerialCommand => self.modes.spool,
        }
    }
}

impl Link {
    fn options(&self) -> LinkOptions {
        LinkOptions {
            cache: self.cache,
            drop_policy: self.drop_policy,
            resend: self.resend,
            spool: self.spool.is_some(),
            backoff_max: self.backoff_max,
            short_link_idle: self.short_link_idle,
            role: self.role,
            expect_registration: self.expect_register.clone().map(Box::new),
            expect_heartbeat: self.expect_heartbeat.clone().map(Box::new),
        }
    }
}

/// Whether a settings file can be used: `dtud check-settings FILE`.
///
/// # Errors
/// Its first fault.
pub fn check(path: &Path) -> Result<(), Error> {
    Settings::load(path).map(drop)
}
