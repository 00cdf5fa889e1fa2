//! Values that check themselves while they are read, so that a fault has the place of the value.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use dtu_proto::config::{DropPolicy, FACTORY_PASSWORD, FactoryPassword, Role, Shutdown};
use dtu_proto::event::LinkId;
use dtu_proto::radio::PhoneNumber;
use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};

use crate::modem;
use crate::serial;
use crate::sys;

use super::{ConsoleAddress, Password, Token};

/// Hand-shake of a tty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FlowControl {
    /// None.
    #[default]
    None,
    /// By the lines RTS and CTS.
    RtsCts,
}

/// Meaning of serial bytes that are text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum Charset {
    /// The original's.
    #[default]
    #[serde(rename = "gbk")]
    Gbk,
    /// UTF-8.
    #[serde(rename = "utf-8")]
    Utf8,
}

/// When frames on the disk are forced out of the operating system's memory. In all three a frame survives the end
/// of this program, `kill -9` included; they differ in what a power cut costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum SpoolSync {
    /// Before the frame counts as taken: a power cut costs nothing; each frame waits for the disk.
    #[serde(rename = "always")]
    Always,
    /// Within a second, beside the main loop: a power cut costs the frames of the last second at most.
    #[default]
    #[serde(rename = "1s")]
    EverySecond,
    /// When the operating system likes (Linux: about 30 s).
    #[serde(rename = "never")]
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Spool {
    Memory,
    Disk,
}

#[derive(Deserialize)]
#[serde(remote = "DropPolicy", rename_all = "lowercase")]
enum DropPolicyName {
    Auto,
    Oldest,
    Newest,
    Block,
}

#[derive(Deserialize)]
#[serde(remote = "Shutdown", rename_all = "lowercase")]
enum ShutdownName {
    Restart,
    Stop,
}

#[derive(Deserialize)]
#[serde(remote = "FactoryPassword", rename_all = "lowercase")]
enum FactoryPasswordName {
    Query,
    Full,
    Off,
}

/// Makes a type of the core readable where a key may be missing.
macro_rules! named {
    ($name:ident, $remote:literal, $of:ty) => {
        #[derive(Clone, Copy, Deserialize)]
        pub(super) struct $name(#[serde(with = $remote)] pub(super) $of);
    };
}
named!(DropPolicyValue, "DropPolicyName", DropPolicy);
named!(ShutdownValue, "ShutdownName", Shutdown);
named!(FactoryPasswordValue, "FactoryPasswordName", FactoryPassword);

/// A whole number of a range.
#[derive(Clone, Copy, Debug)]
pub(super) struct Int<const MIN: i64, const MAX: i64>(i64);

impl<const MIN: i64, const MAX: i64> Int<MIN, MAX> {
    pub(super) fn seconds(self) -> Duration {
        Duration::from_secs(self.0.unsigned_abs())
    }

    pub(super) fn milliseconds(self) -> Duration {
        Duration::from_millis(self.0.unsigned_abs())
    }

    pub(super) fn number(self) -> u32 {
        u32::try_from(self.0).unwrap_or(u32::MAX)
    }

    pub(super) fn byte(self) -> u8 {
        u8::try_from(self.0).unwrap_or(u8::MAX)
    }
}

impl<'de, const MIN: i64, const MAX: i64> Deserialize<'de> for Int<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader<const MIN: i64, const MAX: i64>;
        impl<const MIN: i64, const MAX: i64> Visitor<'_> for Reader<MIN, MAX> {
            type Value = Int<MIN, MAX>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a whole number {MIN}..={MAX}")
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Self::Value, E> {
                if (MIN..=MAX).contains(&value) {
                    return Ok(Int(value));
                }
                Err(E::custom(format_args!(
                    "must be {MIN}..={MAX}, got {value}"
                )))
            }
        }
        from.deserialize_i64(Reader)
    }
}

/// A number of bytes of a range: `1048576`, `"15KiB"`, `"64MiB"`, `"1GiB"`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size<const MIN: u64, const MAX: u64>(pub(super) u64);

impl<'de, const MIN: u64, const MAX: u64> Deserialize<'de> for Size<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader<const MIN: u64, const MAX: u64>;
        impl<const MIN: u64, const MAX: u64> Reader<MIN, MAX> {
            fn take<E: de::Error>(
                bytes: Option<u64>,
                got: &dyn fmt::Display,
            ) -> Result<Size<MIN, MAX>, E> {
                let good = bytes.filter(|bytes| (MIN..=MAX).contains(bytes));
                let (min, max) = (human(MIN), human(MAX));
                good.map(Size).ok_or_else(|| {
                    E::custom(format_args!(
                        "must be {min} to {max}, as a number of bytes or text such as \"15KiB\", \"1MiB\", \"1GiB\"; got {got}"
                    ))
                })
            }
        }
        impl<const MIN: u64, const MAX: u64> Visitor<'_> for Reader<MIN, MAX> {
            type Value = Size<MIN, MAX>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of bytes, or text such as \"15KiB\" or \"1MiB\"")
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Self::Value, E> {
                Self::take(u64::try_from(value).ok(), &value)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Self::take(bytes_of(text), &format_args!("\"{text}\""))
            }
        }
        from.deserialize_any(Reader)
    }
}

/// `15KiB` as bytes.
fn bytes_of(text: &str) -> Option<u64> {
    let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let unit = UNITS.iter().find(|(name, _)| *name == unit.trim_start())?.1;
    digits.parse::<u64>().ok()?.checked_mul(unit)
}

/// The other way round.
pub(super) fn human(bytes: u64) -> String {
    let fits = UNITS
        .iter()
        .rev()
        .find(|(_, unit)| bytes >= *unit && bytes.is_multiple_of(*unit));
    fits.map_or_else(
        || bytes.to_string(),
        |(name, unit)| format!("{}{name}", bytes / unit),
    )
}

const UNITS: [(&str, u64); 4] = [
    ("B", 1),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
];

/// Whether an error shows the value: it goes into logs.
#[derive(Clone, Copy)]
enum Faulty {
    Shown,
    /// It may be a secret.
    Hidden,
}

/// Text that `read` understands; else an error that says what is allowed.
fn text<'de, D: Deserializer<'de>, T>(
    from: D,
    allowed: &'static str,
    faulty: Faulty,
    read: fn(&str) -> Option<T>,
) -> Result<T, D::Error> {
    struct Reader<T>(&'static str, Faulty, fn(&str) -> Option<T>);
    impl<T> Visitor<'_> for Reader<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
            let Self(allowed, faulty, read) = self;
            read(text).ok_or_else(|| match faulty {
                Faulty::Shown => E::custom(format_args!("must be {allowed}, got \"{text}\"")),
                Faulty::Hidden => E::custom(format_args!("must be {allowed}")),
            })
        }

        /// The quotes are missing.
        fn visit_i64<E: de::Error>(self, number: i64) -> Result<T, E> {
            Err(match self.1 {
                Faulty::Shown => E::invalid_type(de::Unexpected::Signed(number), &self),
                Faulty::Hidden => E::custom(format_args!("must be a text in quotes: {}", self.0)),
            })
        }
    }
    from.deserialize_str(Reader(allowed, faulty, read))
}

/// Makes a value of text.
macro_rules! text_value {
    ($name:ident($of:ty), $read:expr, $allowed:expr) => {
        text_value!($name($of), $read, $allowed, Faulty::Shown);
    };
    ($name:ident($of:ty), $read:expr, $allowed:expr, $faulty:expr) => {
        #[derive(Clone, Debug)]
        pub(super) struct $name(pub(super) $of);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                text(from, $allowed, $faulty, $read).map(Self)
            }
        }
    };
}
text_value!(
    RoleValue(Role),
    role,
    "\"always\" or \"backup:1\" to \"backup:4\""
);
text_value!(
    Reply(Vec<u8>),
    reply,
    "1 to 64 bytes as hex digits, two a byte"
);
text_value!(
    Phone(String),
    phone,
    "a phone number: 3 to 20 digits, with or without a + in front"
);
text_value!(
    Interface(Option<String>),
    interface,
    "\"auto\" or the name of a network interface (1 to 15 characters)"
);
text_value!(
    PtyMode(u32),
    pty_mode,
    "an octal mode without execution, 0600 to 0666, such as \"0660\""
);
text_value!(
    PtyGroup(u32),
    pty_group,
    "the name or number of a group of this machine"
);
text_value!(Pin(String), pin, "4 to 8 digits", Faulty::Hidden);
text_value!(
    PasswordValue(Password),
    password,
    "1 to 5 printable ASCII characters without comma or blank, and not the factory password",
    Faulty::Hidden
);
text_value!(
    AtLine(String),
    at_line,
    "an AT line of 2 to 200 printable ASCII characters that begins with AT, without a PIN: that is \"pin\"",
    Faulty::Hidden
);
text_value!(
    Command(String),
    command,
    "an AT command of 1 to 1024 characters on one line, such as \"CIPR=9600\"",
    Faulty::Hidden
);
text_value!(Line(serial::Address), line, serial::ADDRESSES);
text_value!(
    ModemDevice(modem::Address),
    modem_device,
    "sim, at:DEVICE, at:tcp:HOST:PORT, mm, mm:INDEX or none"
);
text_value!(PathValue(PathBuf), path, "the path of a file");
text_value!(
    ConsoleAddressValue(ConsoleAddress),
    ConsoleAddress::parse,
    "off, a port, or ADDRESS:PORT with an address of this host (0.0.0.0 and [::] are all of them)"
);
text_value!(
    HostName(String),
    host_name,
    "the name of a host, without a port"
);
text_value!(
    ProxyAddress(IpAddr),
    proxy_address,
    "the IP address of a proxy"
);
text_value!(
    BasePath(String),
    base_path,
    "a path that begins with / and does not end with it, as in /dtu"
);
text_value!(
    TokenValue(Token),
    token,
    "16 to 200 letters, digits and signs without blanks"
);
text_value!(
    OwnNumber(PhoneNumber),
    own_number,
    "a phone number: 3 to 20 digits, with or without a + in front"
);
text_value!(
    Led(String),
    led,
    "the name of an LED below /sys/class/leds, or the path of its folder"
);

fn host_name(text: &str) -> Option<String> {
    let is_sign = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ':' | '[' | ']');
    let fits = (1..=253).contains(&text.len()) && text.chars().all(is_sign);
    fits.then(|| text.to_owned())
}

fn proxy_address(text: &str) -> Option<IpAddr> {
    text.parse().ok()
}

fn base_path(text: &str) -> Option<String> {
    let is_sign = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    let fits = text.len() <= 200 && text.starts_with('/') && !text.ends_with('/');
    (fits && text.chars().all(is_sign)).then(|| text.to_owned())
}

fn token(text: &str) -> Option<Token> {
    let fits = (16..=200).contains(&text.len()) && text.chars().all(|c| c.is_ascii_graphic());
    fits.then(|| Token(text.to_owned()))
}

fn role(text: &str) -> Option<Role> {
    if text == "always" {
        return Some(Role::Always);
    }
    LinkId::ALL
        .into_iter()
        .find(|link| text == format!("backup:{link}"))
        .map(Role::Backup)
}

fn reply(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    let digits = digits
        .filter(|digits| digits.len().is_multiple_of(2) && (2..=128).contains(&digits.len()))?;
    Some(
        digits
            .chunks_exact(2)
            .map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit))
            .collect(),
    )
}

fn phone(text: &str) -> Option<String> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    let good = (3..=20).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    good.then(|| text.to_owned())
}

fn pty_mode(text: &str) -> Option<u32> {
    let digits = (3..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let mode = u32::from_str_radix(text, 8).ok().filter(|_| digits)?;
    // Its owner is dtud's own user, who reads and writes in any case.
    (mode & !0o666 == 0 && mode & 0o600 == 0o600).then_some(mode)
}

fn pty_group(text: &str) -> Option<u32> {
    sys::group_id(text).or_else(|| text.parse().ok())
}

fn pin(text: &str) -> Option<String> {
    let good = (4..=8).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    good.then(|| text.to_owned())
}

fn password(text: &str) -> Option<Password> {
    let good = (1..=5).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b',');
    (good && text != FACTORY_PASSWORD).then(|| Password(text.to_owned()))
}

fn at_line(text: &str) -> Option<String> {
    let begins = text
        .get(..2)
        .is_some_and(|start| start.eq_ignore_ascii_case("AT"));
    let printable = text
        .bytes()
        .all(|byte| byte == b' ' || byte.is_ascii_graphic());
    // At each start of the modem a wrong one would be tried again, until the card is locked.
    let upper = text.to_ascii_uppercase();
    let pin = ["+CPIN=", "+CLCK=\"SC\""]
        .iter()
        .any(|command| upper.contains(command));
    (begins && printable && text.len() <= 200 && !pin).then(|| text.to_owned())
}

fn command(text: &str) -> Option<String> {
    let good = (1..=1024).contains(&text.trim().len()) && !text.contains(char::is_control);
    good.then(|| text.to_owned())
}

fn line(text: &str) -> Option<serial::Address> {
    serial::Address::parse(text).ok()
}

fn modem_device(text: &str) -> Option<modem::Address> {
    modem::Address::parse(text).ok()
}

fn path(text: &str) -> Option<PathBuf> {
    (!text.is_empty() && !text.contains('\0')).then(|| text.into())
}

fn own_number(text: &str) -> Option<PhoneNumber> {
    phone(text).and_then(|text| PhoneNumber::new(&text))
}

fn interface(text: &str) -> Option<Option<String>> {
    if text == "auto" {
        return Some(None);
    }
    let good = (1..=15).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'/');
    good.then(|| Some(text.to_owned()))
}

fn led(text: &str) -> Option<String> {
    let good =
        !text.is_empty() && !text.contains('\0') && (text.starts_with('/') || !text.contains('/'));
    good.then(|| text.to_owned())
}
