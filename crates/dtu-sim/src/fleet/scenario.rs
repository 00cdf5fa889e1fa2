//! A scenario as a person writes it: a file (TOML) and the command line, which says the same and wins.

use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use super::content::{Content, HEAD, LONGEST};
use super::fault::{Fault, FaultKind};
use super::plan::{Check, Plan};
use super::radio::Texts;
use super::recorded::Recorded;
use super::script::{Script, Step};
use super::template::{Template, Who};

/// Devices with ptys; a system gives 4096 to all its programs.
const PTYS_MAX: u32 = 1000;

/// A number that has bounds, and a unit where it is not a count.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bound {
    low: f64,
    high: f64,
    whole: bool,
    unit: &'static str,
}

impl Bound {
    /// Devices.
    pub const COUNT: Self = Self::whole(1.0, 1_000_000.0, "devices");
    /// Switched on in a second.
    pub const RAMP: Self = Self::part(0.01, 1_000_000.0, "devices a second");
    /// Of all chance.
    pub const SEED: Self = Self::whole(0.0, 9_007_199_254_740_992.0, "");
    /// How long a run takes.
    pub const DURATION: Self = Self::part(0.001, 31_536_000.0, "s");
    /// How long answers may come behind the last frame.
    pub const DRAIN: Self = Self::part(0.0, 86_400.0, "s");
    /// Between heartbeats; as `AT+CIPCFG` has it.
    pub const HEARTBEAT: Self = Self::whole(0.0, 65_535.0, "s");
    /// Silence that closes a frame; as `AT+CIPCFG` has it.
    pub const PACKING: Self = Self::whole(0.0, 60_000.0, "ms");
    /// Between two frames of a device.
    pub const PERIOD: Self = Self::part(0.0, 86_400.0, "s");
    /// Bytes of a frame.
    pub const BYTES: Self = Self::whole(HEAD as f64, LONGEST as f64, "bytes");
    /// Part of the period.
    pub const JITTER: Self = Self::part(0.0, 1.0, "");
    /// Frames of each device.
    pub const FRAMES: Self = Self::whole(0.0, 268_435_455.0, "frames");
    /// Rate of the line; 0 = no time at all.
    pub const SPEED: Self = Self::whole(0.0, 4_000_000.0, "Bd");
    /// From one end of a network in memory to the other.
    pub const DELAY: Self = Self::part(0.0, 60_000.0, "ms");
    const TEXTS: Self = Self::whole(2.0, 200.0, "devices");
    const TEXT_EVERY: Self = Self::part(0.01, 86_400.0, "s");
    const SHARE: Self = Self::part(0.0, 1.0, "");
    const EACH: Self = Self::whole(1.0, 1_000_000.0, "frames");

    const fn whole(low: f64, high: f64, unit: &'static str) -> Self {
        Self {
            low,
            high,
            whole: true,
            unit,
        }
    }

    const fn part(low: f64, high: f64, unit: &'static str) -> Self {
        Self {
            low,
            high,
            whole: false,
            unit,
        }
    }

    /// The number, if it is in these bounds.
    ///
    /// # Errors
    /// What is allowed.
    pub fn check(self, value: f64) -> Result<f64, String> {
        let fits = (self.low..=self.high).contains(&value) && (!self.whole || value.fract() == 0.0);
        if fits {
            return Ok(value);
        }
        let Self {
            low,
            high,
            whole,
            unit,
        } = self;
        let (kind, blank) = (
            if whole { "a whole number " } else { "" },
            if unit.is_empty() { "" } else { " " },
        );
        Err(format!(
            "must be {kind}{low}..={high}{blank}{unit}, got {value}"
        ))
    }

    /// The same of a text.
    ///
    /// # Errors
    /// What is allowed.
    pub fn parse(self, text: &str) -> Result<f64, String> {
        let value = text
            .trim()
            .parse()
            .map_err(|_| format!("\"{text}\" is no number"))?;
        self.check(value)
    }
}

/// A fault of a scenario file, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScenarioError {
    path: PathBuf,
    place: Option<(usize, usize)>,
    message: String,
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.path.display())?;
        if let Some((line, column)) = self.place {
            write!(f, "{line}:{column}:")?;
        }
        write!(f, " {}", self.message)
    }
}

impl std::error::Error for ScenarioError {}

/// What is said of a fleet; what is not said is as [`Plan::default`] has it.
#[derive(Clone, Debug, Default)]
pub struct Scenario {
    /// Devices.
    pub count: Option<f64>,
    /// `tcp://HOST:PORT`.
    pub target: Option<SocketAddr>,
    /// Devices switched on in a second.
    pub ramp: Option<f64>,
    /// Of all chance.
    pub seed: Option<f64>,
    /// Seconds of sending.
    pub duration: Option<f64>,
    /// Seconds of waiting for answers.
    pub drain: Option<f64>,
    /// What is expected of the server.
    pub check: Option<Check>,
    /// Registration packet.
    pub register: Option<Template>,
    /// Heartbeat.
    pub heartbeat: Option<Template>,
    /// Seconds between heartbeats.
    pub heartbeat_every: Option<f64>,
    /// Milliseconds of silence that close a frame.
    pub packing: Option<f64>,
    /// Seconds between frames.
    pub period: Option<f64>,
    /// Bytes of a frame: least and most.
    pub bytes: Option<(u16, u16)>,
    /// Part of the period.
    pub jitter: Option<f64>,
    /// Frames of each device.
    pub frames: Option<f64>,
    /// Rate of the line.
    pub line_speed: Option<f64>,
    /// What a real device's equipment sent.
    pub recorded: Option<Recorded>,
    /// What equipment says, and what is answered.
    pub script: Option<Script>,
    /// Short messages between devices.
    pub texts: Option<Texts>,
    /// Devices with ptys, counted from 1.
    pub ptys: Option<RangeInclusive<u32>>,
    /// What goes wrong.
    pub faults: Vec<Fault>,
}

/// The server of `tcp://HOST:PORT`; a name is resolved, once.
///
/// # Errors
/// It is no such address, or the name does not resolve.
pub fn parse_target(text: &str) -> Result<SocketAddr, String> {
    let address = text
        .strip_prefix("tcp://")
        .ok_or_else(|| format!("\"{text}\" is no target; wanted is tcp://HOST:PORT"))?;
    let mut found = address
        .to_socket_addrs()
        .map_err(|error| format!("\"{text}\": {error}; wanted is tcp://HOST:PORT"))?;
    found
        .next()
        .ok_or_else(|| format!("\"{text}\": the name has no address"))
}

/// A number of bytes, or two with `..` between them.
///
/// # Errors
/// What is allowed.
pub fn parse_bytes(text: &str) -> Result<(u16, u16), String> {
    let one = |text| Bound::BYTES.parse(text);
    let (low, high) = text.split_once("..").map_or((text, text), |(low, high)| {
        (low, high.strip_prefix('=').unwrap_or(high))
    });
    span(one(low)?, one(high)?)
}

fn span(low: f64, high: f64) -> Result<(u16, u16), String> {
    if low > high {
        return Err(format!("the least comes first, got {low} and {high}"));
    }
    Ok((low as u16, high as u16))
}

/// A number of a device, from 1, or two with `..` between them, both included.
///
/// # Errors
/// What is allowed.
pub fn parse_ptys(text: &str) -> Result<RangeInclusive<u32>, String> {
    let (low, high) = text.split_once("..").map_or((text, text), |(low, high)| {
        (low, high.strip_prefix('=').unwrap_or(high))
    });
    let (low, high) = (
        Bound::COUNT.parse(low)? as u32,
        Bound::COUNT.parse(high)? as u32,
    );
    if low > high || high - low >= PTYS_MAX {
        return Err(format!(
            "wanted is A..B with A <= B, at most {PTYS_MAX} devices, got {text}"
        ));
    }
    Ok(low..=high)
}

/// The check of this name.
///
/// # Errors
/// What is allowed.
pub fn parse_check(text: &str) -> Result<Check, String> {
    match text {
        "echo" => Ok(Check::Echo),
        "script" => Ok(Check::Script),
        "acknowledgement" => Ok(Check::Acknowledgement),
        other => Err(format!(
            "must be echo, script or acknowledgement, got {other}"
        )),
    }
}

/// `KIND,KEY=VALUE,…` of the command line.
///
/// # Errors
/// What is allowed.
pub fn parse_fault(text: &str) -> Result<Fault, String> {
    let (kind, rest) = text.split_once(',').unwrap_or((text, ""));
    let mut raw = RawFault::default();
    for word in rest.split(',').filter(|word| !word.is_empty()) {
        let wrong = || format!("\"{word}\" is no KEY=VALUE");
        let (key, value) = word.split_once('=').ok_or_else(wrong)?;
        let value: f64 = value.parse().map_err(|_| wrong())?;
        let slot = raw.key(key.trim()).ok_or_else(|| {
            format!("there is no key {key}; there are at, for, share, every, speed, each")
        })?;
        *slot = Some(Spanned::new(0..0, Number(value)));
    }
    raw.fault(kind).map_err(|(_, message)| message)
}

/// Whole or not.
#[derive(Clone, Copy, Debug)]
struct Number(f64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Number;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number")
            }
            fn visit_i64<E>(self, value: i64) -> Result<Number, E> {
                Ok(Number(value as f64))
            }
            fn visit_u64<E>(self, value: u64) -> Result<Number, E> {
                Ok(Number(value as f64))
            }
            fn visit_f64<E>(self, value: f64) -> Result<Number, E> {
                Ok(Number(value))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Bytes {
    One(Number),
    Span([Number; 2]),
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct File {
    count: Option<Spanned<Number>>,
    target: Option<Spanned<String>>,
    ramp: Option<Spanned<Number>>,
    seed: Option<Spanned<Number>>,
    duration: Option<Spanned<Number>>,
    drain: Option<Spanned<Number>>,
    check: Option<Spanned<String>>,
    device: DeviceTable,
    traffic: TrafficTable,
    sms: Option<SmsTable>,
    step: Vec<StepTable>,
    fault: Vec<FaultTable>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct DeviceTable {
    register: Option<Spanned<String>>,
    heartbeat: Option<Spanned<String>>,
    heartbeat_every: Option<Spanned<Number>>,
    packing: Option<Spanned<Number>>,
    pty: Option<Spanned<String>>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct TrafficTable {
    period: Option<Spanned<Number>>,
    bytes: Option<Spanned<Bytes>>,
    jitter: Option<Spanned<Number>>,
    frames: Option<Spanned<Number>>,
    line_speed: Option<Spanned<Number>>,
    recorded: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StepTable {
    send: Spanned<String>,
    expect: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SmsTable {
    devices: Spanned<Number>,
    every: Spanned<Number>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultTable {
    kind: Spanned<String>,
    at: Option<Spanned<Number>>,
    #[serde(rename = "for")]
    lasts: Option<Spanned<Number>>,
    share: Option<Spanned<Number>>,
    every: Option<Spanned<Number>>,
    speed: Option<Spanned<Number>>,
    each: Option<Spanned<Number>>,
}

#[derive(Default)]
struct RawFault {
    at: Option<Spanned<Number>>,
    lasts: Option<Spanned<Number>>,
    share: Option<Spanned<Number>>,
    every: Option<Spanned<Number>>,
    speed: Option<Spanned<Number>>,
    each: Option<Spanned<Number>>,
}

/// Where, in bytes of the text (`None` = the kind), and what.
type Wrong = (Option<Range<usize>>, String);

impl RawFault {
    fn key(&mut self, name: &str) -> Option<&mut Option<Spanned<Number>>> {
        Some(match name {
            "at" => &mut self.at,
            "for" => &mut self.lasts,
            "share" => &mut self.share,
            "every" => &mut self.every,
            "speed" => &mut self.speed,
            "each" => &mut self.each,
            _ => return None,
        })
    }

    fn fault(self, name: &str) -> Result<Fault, Wrong> {
        let number = |slot: &Option<Spanned<Number>>, bound: Bound, else_is: f64| match slot {
            None => Ok(else_is),
            Some(value) => bound
                .check(value.get_ref().0)
                .map_err(|message| (Some(value.span()), message)),
        };
        let speed = number(&self.speed, Bound::SPEED, 300.0)? as u32;
        let each = number(&self.each, Bound::EACH, 10.0)? as u32;
        let kind = match name {
            "half-open" => FaultKind::HalfOpen,
            "flap" => FaultKind::Flap,
            "herd" => FaultKind::Herd,
            "restart" => FaultKind::Restart,
            "slow-reader" => FaultKind::SlowReader(speed),
            "wrong-packets" => FaultKind::WrongPackets(each),
            "wrong-registration" => FaultKind::WrongRegistration,
            "wrong-heartbeat" => FaultKind::WrongHeartbeat,
            other => {
                let names = FaultKind::NAMES.join(", ");
                return Err((
                    None,
                    format!("there is no fault {other}; there are {names}"),
                ));
            }
        };
        // A key that would do nothing is a mistake.
        let idle = [
            ("every", &self.every, kind == FaultKind::Flap),
            (
                "speed",
                &self.speed,
                matches!(kind, FaultKind::SlowReader(_)),
            ),
            (
                "each",
                &self.each,
                matches!(kind, FaultKind::WrongPackets(_)),
            ),
            ("for", &self.lasts, kind != FaultKind::Restart),
        ];
        for (key, slot, used) in idle {
            if let Some(value) = slot.as_ref().filter(|_| !used) {
                return Err((Some(value.span()), format!("the fault {name} has no {key}")));
            }
        }
        let seconds = |slot, else_is| {
            number(slot, Bound::DURATION_OR_ZERO, else_is).map(Duration::from_secs_f64)
        };
        Ok(Fault {
            kind,
            at: seconds(&self.at, 10.0)?,
            lasts: seconds(&self.lasts, 10.0)?,
            share: number(&self.share, Bound::SHARE, 1.0)?,
            every: seconds(&self.every, 0.0)?,
        })
    }
}

impl Bound {
    const DURATION_OR_ZERO: Self = Self::part(0.0, 31_536_000.0, "s");
}

impl Scenario {
    /// Reads a file.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn load(path: &Path) -> Result<Self, ScenarioError> {
        let text = std::fs::read_to_string(path).map_err(|error| ScenarioError {
            path: path.into(),
            place: None,
            message: format!("cannot be read: {error}"),
        })?;
        Self::read(path, &text)
    }

    /// Reads its text.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn read(path: &Path, text: &str) -> Result<Self, ScenarioError> {
        let at = |span: Option<Range<usize>>, message: &str| ScenarioError {
            path: path.into(),
            place: span.map(|span| place(text, span.start)),
            message: message.trim().replace('\n', ", "),
        };
        let file: File = toml::from_str(text).map_err(|error| at(error.span(), error.message()))?;
        Self::of_file(file, path).map_err(|(span, message)| at(span, &message))
    }

    fn of_file(file: File, path: &Path) -> Result<Self, Wrong> {
        let File {
            device, traffic, ..
        } = file;
        let folder = path.parent().unwrap_or(Path::new(""));
        let read =
            |text: &String| Recorded::load(&folder.join(text)).map_err(|error| error.to_string());
        let template = |text: &String| Template::parse(text).map_err(|error| error.to_string());
        let mut steps = Vec::new();
        for step in file.step {
            let frame = |text: &String| {
                let template = Template::parse_numbered(text).map_err(|error| error.to_string())?;
                let most = Who(u32::MAX);
                match template.render_numbered(most, u32::MAX).len() {
                    1..=LONGEST => Ok(template),
                    length => Err(format!(
                        "must be 1..={LONGEST} bytes, got {length} with the longest numbers"
                    )),
                }
            };
            let send = text("send", Some(step.send), frame)?;
            let expect = text("expect", Some(step.expect), frame)?;
            steps.extend(send.zip(expect).map(|(send, expect)| Step { send, expect }));
        }
        let mut faults = Vec::new();
        for fault in file.fault {
            let raw = RawFault {
                at: fault.at,
                lasts: fault.lasts,
                share: fault.share,
                every: fault.every,
                speed: fault.speed,
                each: fault.each,
            };
            let name = fault.kind;
            let found = raw.fault(name.get_ref());
            faults.push(found.map_err(|(span, message)| (span.or(Some(name.span())), message))?);
        }
        let texts = match file.sms {
            None => None,
            Some(sms) => {
                let devices = number("devices", Some(sms.devices), Bound::TEXTS)?;
                let every = number("every", Some(sms.every), Bound::TEXT_EVERY)?;
                devices.zip(every).map(|(devices, every)| Texts {
                    devices: devices as u32,
                    every: Duration::from_secs_f64(every),
                })
            }
        };
        Ok(Self {
            count: number("count", file.count, Bound::COUNT)?,
            target: text("target", file.target, |text| parse_target(text))?,
            ramp: number("ramp", file.ramp, Bound::RAMP)?,
            seed: number("seed", file.seed, Bound::SEED)?,
            duration: number("duration", file.duration, Bound::DURATION)?,
            drain: number("drain", file.drain, Bound::DRAIN)?,
            check: text("check", file.check, |text| parse_check(text))?,
            register: text("register", device.register, template)?,
            heartbeat: text("heartbeat", device.heartbeat, template)?,
            heartbeat_every: number("heartbeat_every", device.heartbeat_every, Bound::HEARTBEAT)?,
            packing: number("packing", device.packing, Bound::PACKING)?,
            period: number("period", traffic.period, Bound::PERIOD)?,
            bytes: keyed("bytes", traffic.bytes, |bytes| match bytes {
                Bytes::One(one) => Bound::BYTES.check(one.0).and_then(|one| span(one, one)),
                Bytes::Span([low, high]) => {
                    span(Bound::BYTES.check(low.0)?, Bound::BYTES.check(high.0)?)
                }
            })?,
            jitter: number("jitter", traffic.jitter, Bound::JITTER)?,
            frames: number("frames", traffic.frames, Bound::FRAMES)?,
            line_speed: number("line_speed", traffic.line_speed, Bound::SPEED)?,
            recorded: text("recorded", traffic.recorded, read)?,
            script: Script::new(steps),
            texts,
            ptys: text("pty", device.pty, |text| parse_ptys(text))?,
            faults,
        })
    }

    /// This, and where it says nothing, that. Faults of this take the place of all faults of that.
    #[must_use]
    pub fn or(self, that: Self) -> Self {
        Self {
            count: self.count.or(that.count),
            target: self.target.or(that.target),
            ramp: self.ramp.or(that.ramp),
            seed: self.seed.or(that.seed),
            duration: self.duration.or(that.duration),
            drain: self.drain.or(that.drain),
            check: self.check.or(that.check),
            register: self.register.or(that.register),
            heartbeat: self.heartbeat.or(that.heartbeat),
            heartbeat_every: self.heartbeat_every.or(that.heartbeat_every),
            packing: self.packing.or(that.packing),
            period: self.period.or(that.period),
            bytes: self.bytes.or(that.bytes),
            jitter: self.jitter.or(that.jitter),
            frames: self.frames.or(that.frames),
            line_speed: self.line_speed.or(that.line_speed),
            recorded: self.recorded.or(that.recorded),
            script: self.script.or(that.script),
            texts: self.texts.or(that.texts),
            ptys: self.ptys.or(that.ptys),
            faults: if self.faults.is_empty() {
                that.faults
            } else {
                self.faults
            },
        }
    }

    /// What is to be done.
    ///
    /// # Errors
    /// What is missing, or does not go together.
    pub fn plan(self) -> Result<Plan, String> {
        let known = Plan::default();
        let seconds = |given: Option<f64>, known| given.map_or(known, Duration::from_secs_f64);
        let seed = self.seed.map_or(known.seed, |seed| seed as u64);
        let check = match (self.check, &self.recorded) {
            (Some(Check::Echo), Some(_)) => {
                return Err("recorded traffic has no numbers by which echoes are told apart: check = \"acknowledgement\" goes with it".to_owned());
            }
            (None, Some(_)) => Check::Acknowledgement,
            (None, None) if self.script.is_some() => Check::Script,
            (check, _) => check.unwrap_or_default(),
        };
        if (check == Check::Script && self.script.is_none())
            || (check == Check::Echo && self.script.is_some())
            || (self.script.is_some() && self.recorded.is_some())
        {
            return Err(
                "check = \"script\" and [[step]] go together, and not with recorded traffic"
                    .to_owned(),
            );
        }
        for fault in &self.faults {
            let (packet, option) = match fault.kind {
                FaultKind::WrongRegistration => (&self.register, "--register"),
                FaultKind::WrongHeartbeat => (&self.heartbeat, "--heartbeat"),
                FaultKind::HalfOpen
                | FaultKind::Flap
                | FaultKind::Herd
                | FaultKind::Restart
                | FaultKind::SlowReader(_)
                | FaultKind::WrongPackets(_) => continue,
            };
            let name = fault.kind.name();
            if packet.as_ref().is_none_or(Template::is_empty) {
                return Err(format!(
                    "the fault {name} needs a packet to begin with: {option}"
                ));
            }
            if self.texts.is_some() {
                return Err(format!(
                    "the fault {name} does not go with [sms]: a device takes one command at a time"
                ));
            }
        }
        let length = self
            .bytes
            .map_or(known.content.length, |(low, high)| low..=high);
        Ok(Plan {
            count: self.count.map_or(known.count, |count| count as u32),
            target: self
                .target
                .ok_or("a target is missing: --target tcp://HOST:PORT")?,
            ramp: self.ramp.unwrap_or(known.ramp),
            seed,
            register: self.register.unwrap_or_default(),
            heartbeat: self.heartbeat.unwrap_or_default(),
            heartbeat_every: self
                .heartbeat_every
                .map_or(known.heartbeat_every, |every| every as u16),
            packing: self.packing.map_or(known.packing, |packing| packing as u16),
            line_speed: self
                .line_speed
                .map_or(known.line_speed, |speed| speed as u32),
            period: seconds(self.period, known.period),
            jitter: self.jitter.unwrap_or(known.jitter),
            frames: self.frames.map(|frames| frames as u32),
            content: Content {
                length,
                seed,
                recorded: self.recorded,
                script: self.script,
            },
            check,
            faults: self.faults,
            texts: self.texts,
            ptys: self.ptys,
            duration: self.duration.map(Duration::from_secs_f64),
            drain: seconds(self.drain, known.drain),
        })
    }
}

/// The value of a key, or what is wrong with it and where.
fn keyed<T, V>(
    key: &str,
    given: Option<Spanned<T>>,
    read: impl FnOnce(&T) -> Result<V, String>,
) -> Result<Option<V>, Wrong> {
    let Some(given) = given else { return Ok(None) };
    match read(given.get_ref()) {
        Ok(value) => Ok(Some(value)),
        Err(message) => Err((Some(given.span()), format!("{key}: {message}"))),
    }
}

fn number(key: &str, given: Option<Spanned<Number>>, bound: Bound) -> Result<Option<f64>, Wrong> {
    keyed(key, given, |number| bound.check(number.0))
}

fn text<V>(
    key: &str,
    given: Option<Spanned<String>>,
    read: impl FnOnce(&String) -> Result<V, String>,
) -> Result<Option<V>, Wrong> {
    keyed(key, given, read)
}

/// Line and column (in characters), both from 1.
fn place(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    (
        before.matches('\n').count() + 1,
        before[line_start..].chars().count() + 1,
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Scenario, String> {
        Scenario::read(Path::new("load.toml"), text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_scenario_says_all_of_it() {
        let scenario = read(
            "count = 1000\ntarget = \"tcp://127.0.0.1:9000\"\nramp = 500\nseed = 3\nduration = 60\ndrain = 5\n\
             check = \"echo\"\n[device]\nregister = \"DTU{id}\"\nheartbeat = \"HB\"\nheartbeat_every = 20\npacking = 50\n\
             [traffic]\nperiod = 2.5\nbytes = [16, 256]\njitter = 0.2\nframes = 7\nline_speed = 9600\n\
             [[fault]]\nkind = \"flap\"\nat = 10\nfor = 30\nshare = 0.1\nevery = 5\n\
             [[fault]]\nkind = \"slow-reader\"\nspeed = 110\n",
        );
        let plan = scenario.unwrap().plan().unwrap();
        assert_eq!((plan.count, plan.seed, plan.ramp), (1000, 3, 500.0));
        assert_eq!(
            (plan.period, plan.jitter, plan.frames),
            (Duration::from_millis(2500), 0.2, Some(7))
        );
        assert_eq!(
            (plan.content.length.clone(), plan.line_speed, plan.packing),
            (16..=256, 9600, 50)
        );
        assert_eq!(plan.register.render(crate::fleet::Who(0)), b"DTU00000001");
        let flap = Fault {
            kind: FaultKind::Flap,
            at: Duration::from_secs(10),
            lasts: Duration::from_secs(30),
            share: 0.1,
            every: Duration::from_secs(5),
        };
        assert_eq!(plan.faults[0], flap);
        assert_eq!(plan.faults[1].kind, FaultKind::SlowReader(110));
        assert_eq!(parse_fault("flap,at=10,for=30,share=0.1,every=5"), Ok(flap));
    }

    #[test]
    fn a_fault_of_the_file_has_its_place() {
        for (text, wanted) in [
            (
                "count = 0\n",
                "load.toml:1:9: count: must be a whole number 1..=1000000 devices, got 0",
            ),
            (
                "ramp = \"x\"\n",
                "load.toml:1:8: invalid type: string \"x\", expected a number",
            ),
            (
                "[device]\n  register = \"{no}\"\n",
                "load.toml:2:14: register: there is no {no}; allowed are",
            ),
            (
                "[traffic]\nbytes = [80, 20]\n",
                "load.toml:2:9: bytes: the least comes first, got 80 and 20",
            ),
            (
                "[[fault]]\nkind = \"fire\"\n",
                "load.toml:2:8: there is no fault fire; there are half-open, flap",
            ),
            (
                "[[fault]]\nkind = \"herd\"\nshare = 2\n",
                "load.toml:3:9: must be 0..=1, got 2",
            ),
            (
                "[[fault]]\nkind = \"herd\"\neach = 2\n",
                "load.toml:3:8: the fault herd has no each",
            ),
            (
                "target = \"9000\"\n",
                "load.toml:1:10: target: \"9000\" is no target; wanted is tcp://HOST:PORT",
            ),
            (
                "[[step]]\nsend = \"\"\nexpect = \"OK\"\n",
                "load.toml:2:8: send: must be 1..=1024 bytes, got 0",
            ),
            (
                "check = \"none\"\n",
                "load.toml:1:9: check: must be echo, script or acknowledgement, got none",
            ),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.starts_with(wanted), "{error}");
        }
        let unknown = read("count = 1\nspeed = 2\n").unwrap_err();
        assert!(
            unknown.starts_with("load.toml:2:1: unknown field `speed`"),
            "{unknown}"
        );
        let alone = read("check = \"script\"\ntarget = \"tcp://127.0.0.1:1\"\n")
            .unwrap()
            .plan();
        assert!(alone.unwrap_err().contains("[[step]]"));
        assert!(read("").unwrap().plan().unwrap_err().contains("--target"));
    }

    #[test]
    fn the_command_line_wins() {
        let file = read("count = 10\nramp = 5\ntarget = \"tcp://127.0.0.1:1\"\n").unwrap();
        let line = Scenario {
            count: Some(20.0),
            ..Scenario::default()
        };
        let plan = line.or(file).plan().unwrap();
        assert_eq!((plan.count, plan.ramp), (20, 5.0));
    }

    #[test]
    fn bytes_are_a_number_or_two() {
        assert_eq!(parse_bytes("64"), Ok((64, 64)));
        assert_eq!(parse_bytes("16..=200"), Ok((16, 200)));
        assert!(parse_bytes("1").unwrap_err().contains("16..=1024 bytes"));
        assert_eq!(
            (parse_ptys("3"), parse_ptys("1..10")),
            (Ok(3..=3), Ok(1..=10))
        );
        assert!(parse_ptys("10..1").unwrap_err().contains("A <= B"));
        assert!(parse_fault("herd,at").unwrap_err().contains("KEY=VALUE"));
        assert!(
            parse_fault("herd,on=1")
                .unwrap_err()
                .contains("there is no key on")
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_with_its_place(text in "(count|ramp|\\[device\\]|\\[\\[fault\\]\\]|kind|=| |\n|1|\"flap\"|\\{|\\[){0,12}") {
            if let Err(error) = Scenario::read(Path::new("f"), &text) {
                prop_assert!(error.to_string().starts_with("f:"));
            }
        }

        #[test]
        fn any_word_is_a_fault_or_refused(text in "[a-z-]{0,12}(,[a-z]{1,5}=[0-9.-]{1,5}){0,3}") {
            let _ = parse_fault(&text);
        }
    }
}
