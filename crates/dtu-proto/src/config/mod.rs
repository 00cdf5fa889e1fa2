//! Every stored parameter of the device, typed. Texts live in `at`: names, ranges and help are in its table,
//! and the stored file is a list of AT set commands.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use crate::ids::{LINKS, LinkId};
use crate::time::Duration;

mod httpd;
mod messages;
mod mode;
mod options;

pub use crate::wire::Protocol;
pub use httpd::{HttpdConfig, Method};
pub use messages::{Messages, Notify, ServiceCenter, TextCharset, TextParameters, TextValidity};
pub use mode::WorkingMode;
pub(crate) use mode::{FrameKind, working_modes};
pub use options::{Charset, DropPolicy, Expect, FactoryPassword, LinkOptions, Options, Shutdown};

/// The stored parameters. `Config::default()` is the factory set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `CSTT`: APN, user, password.
    pub apn: Apn,
    /// `CIPCFG` AUTO: enter the working mode after power-on by itself.
    pub auto_mode: bool,
    /// `CIPCFG` HEAT: seconds, 0 = off.
    pub heartbeat_interval: u16,
    /// `CIPCFG` TIME: milliseconds of silence that close a frame, 0 = no packing.
    pub packing_time: u16,
    /// `CIPCFG` LEN: shown, without effect unless `packing.length_enabled`.
    pub packing_length: u16,
    /// `CIPCFG` RTIME: seconds, below 600 = off.
    pub restart_time: u16,
    /// `CIPPACK=0`: heartbeat bytes, empty = off.
    pub heartbeat: Vec<u8>,
    /// `CIPPACK=0`: where it goes.
    pub heartbeat_to: HeartbeatTo,
    /// `CIPPACK=1`: registration bytes, empty = off.
    pub registration: Vec<u8>,
    /// `CIPPACK=1`: when it goes.
    pub registration_when: RegistrationWhen,
    /// `CIPNUM`.
    pub sms_number: String,
    /// `CIPSCONT`, `CINETPT`, `CIROLE`.
    pub links: [LinkConfig; LINKS],
    /// `CIMOD`.
    pub mode: WorkingMode,
    /// `HTPTP`, `HTPSV`, `HTPURL`, `HTPHD`, `HTPTO`, `HTPFLT`.
    pub httpd: HttpdConfig,
    /// `CINETAT`: commands from the network are heard.
    pub network_at: bool,
    /// `CICOMAT`: `psw,AT+` frames on the serial line are heard.
    pub serial_at: bool,
    /// `CISOCLINK`: 1 long, 0 short connections.
    pub long_links: bool,
    /// `CIPR`, `ICF`.
    pub line: LineFormat,
    /// `CIPSW`.
    pub password: String,
    /// `CIMODID`.
    pub banner: String,
    /// `ATE`.
    pub echo: bool,
    /// `ATV`.
    pub verbose: bool,
    /// `ATQ`.
    pub quiet: bool,
    /// `AT+CMEE`: 0..=2.
    pub cmee: u8,
    /// `CMGF`, `CSCA`, `CNMI`, `CSMP`, `CSDH`, `CSCS`.
    pub messages: Messages,
    /// `ATS0`: a call is answered at so many rings; 0 = never.
    pub auto_answer: u8,
    /// `CIRINGSTA`: every incoming call is hung up.
    pub refuse_calls: bool,
    /// `CLIP`: the caller's number behind `RING`.
    pub caller_id: bool,
    /// `CRC`: `+CRING: VOICE` instead of `RING`.
    pub extended_ring: bool,
    /// `CREG`, `CGREG`, `CEREG`: 0..=2 each.
    pub registration_reports: [u8; 3],
    /// `COPS=3`: 0 name, 1 short name, 2 digits.
    pub operator_format: u8,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            apn: Apn::default(),
            auto_mode: true,
            heartbeat_interval: 30,
            packing_time: 100,
            packing_length: 10,
            restart_time: 1800,
            heartbeat: Vec::new(),
            heartbeat_to: HeartbeatTo::Network,
            registration: Vec::new(),
            registration_when: RegistrationWhen::OnConnect,
            sms_number: "10086".to_owned(),
            links: LinkId::ALL.map(LinkConfig::factory),
            mode: WorkingMode::Transparent,
            httpd: HttpdConfig::default(),
            network_at: false,
            serial_at: false,
            long_links: true,
            line: LineFormat::default(),
            password: FACTORY_PASSWORD.to_owned(),
            banner: "USR-GPRS232-DTU".to_owned(),
            echo: false,
            verbose: true,
            quiet: false,
            cmee: 2,
            messages: Messages::default(),
            auto_answer: 0,
            refuse_calls: false,
            caller_id: false,
            extended_ring: false,
            registration_reports: [0; 3],
            operator_format: 0,
        }
    }
}

/// A line of a stored file that was passed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub text: String,
}

/// The password of a new device.
pub const FACTORY_PASSWORD: &str = "admin";

/// Access point of the cellular network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Apn {
    /// Its name.
    pub name: String,
    /// User.
    pub user: String,
    /// Password; never shown over a network.
    pub password: String,
}

/// Settings of one link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkConfig {
    /// TCP or UDP.
    pub protocol: Protocol,
    /// Name or address of the peer.
    pub address: String,
    /// Port of the peer.
    pub port: u16,
    /// Whether it is used.
    pub enabled: bool,
    /// Own port, 0 = any.
    pub local_port: u16,
    /// Always, or as a backup.
    pub role: Role,
}

impl LinkConfig {
    fn factory(link: LinkId) -> Self {
        Self {
            protocol: Protocol::Tcp,
            address: "usrcn.gicp.net".to_owned(),
            port: 10100 + u16::from(link.number()),
            enabled: false,
            local_port: 0,
            role: Role::Always,
        }
    }
}

/// When a link is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Role {
    /// Whenever enabled.
    #[default]
    Always,
    /// Only while the other link is down.
    Backup(LinkId),
}

/// Where heartbeats go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HeartbeatTo {
    /// STA 0.
    Network,
    /// STA 1.
    Serial,
}

/// When the registration packet goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RegistrationWhen {
    /// STATUS 0.
    OnConnect,
    /// STATUS 1: on connect, and in front of each data frame.
    WithData,
}

/// Rate and character format of the serial line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LineFormat {
    /// Bd.
    pub baud: u32,
    /// 7 or 8.
    pub data_bits: u8,
    /// 1 or 2.
    pub stop_bits: u8,
    /// Parity bit.
    pub parity: Parity,
}

impl LineFormat {
    /// How long a character takes on the line: start bit, data bits, parity bit, stop bits.
    #[must_use]
    pub fn character_time(&self) -> Duration {
        Duration::from_micros(self.character_bits() * 1_000_000 / u64::from(self.baud).max(1))
    }

    /// The same to the nanosecond: over a thousand characters the difference counts.
    pub(crate) fn exact_character_time(&self) -> Duration {
        Duration::from_nanos(self.character_bits() * 1_000_000_000 / u64::from(self.baud).max(1))
    }

    fn character_bits(&self) -> u64 {
        let parity = u64::from(self.parity != Parity::None);
        1 + u64::from(self.data_bits) + parity + u64::from(self.stop_bits)
    }
}

impl Default for LineFormat {
    fn default() -> Self {
        Self {
            baud: 115_200,
            data_bits: 8,
            stop_bits: 1,
            parity: Parity::None,
        }
    }
}

/// Parity of a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Parity {
    /// `ICF` 0
    Odd,
    /// `ICF` 1
    Even,
    /// `ICF` 3
    None,
}
