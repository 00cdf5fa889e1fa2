//! What `dtud status` tells. Field names are those of the JSON; they stay.

use std::fmt;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use dtu_proto::Dtu;
use dtu_proto::config::LinkConfig;
use dtu_proto::event::{LINKS, LinkId};
use dtu_proto::status::{LinkStatus, Phase, RadioStatus};
use dtu_proto::time::Instant;
use serde::{Deserialize, Serialize};

use super::more::{Drops, Lamps, Timer, Trial, differing_keys, iso, state_word, waiting_word};
use crate::journal::{Total, link_state};
use crate::serial::Address;
use crate::words::{Count, Span, is_unseen};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Report {
    /// When it was made, in UTC.
    #[serde(default)]
    at: String,
    version: String,
    pid: u32,
    /// Since the last power-on or restart of the device.
    uptime_seconds: u64,
    restarts: u32,
    mode: String,
    /// The number of `AT+CIMOD`.
    #[serde(default)]
    mode_number: u8,
    /// What the serial bytes are: set-up window, command state, data, ending.
    phase: String,
    #[serde(default)]
    leds: Lamps,
    serial: Serial,
    radio: Radio,
    links: Vec<Link>,
    httpd: Waiting,
    serial_command: Waiting,
    messages_to_be_sent: u64,
    /// Everything that was dropped anywhere, in frames, packets, datagrams, requests, replies and messages.
    dropped: u64,
    /// The same in bytes, with the bytes that belong to none of these.
    #[serde(default)]
    dropped_bytes: u64,
    #[serde(default)]
    drops: Drops,
    #[serde(default)]
    trial: Option<Trial>,
    /// Keys of settings that are in force and not stored.
    #[serde(default)]
    not_stored: Vec<String>,
    /// SHA-256 of the certificate that the console has made for itself.
    #[serde(default)]
    console_fingerprint: Option<String>,
}

/// What the device itself does not know.
pub(crate) struct Around<'a> {
    pub(crate) line: &'a Address,
    /// There is no modem.
    pub(crate) host_network: bool,
    pub(crate) dropped: Total,
    /// Since when drops are counted.
    pub(crate) counted_since: Option<SystemTime>,
    /// Of the connections of the links.
    pub(crate) round_trips: [Option<Duration>; LINKS],
    /// Of the console's own certificate.
    pub(crate) fingerprint: Option<String>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Serial {
    line: String,
    /// In a word: `present`, `no equipment` (nobody has the pty open), `missing` (the line itself).
    #[serde(default)]
    state: String,
    present: bool,
    #[serde(default)]
    baud: u32,
    bytes_in: u64,
    bytes_out: u64,
    waiting_bytes: u64,
    dropped_bytes: u64,
    undelivered_bytes: u64,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Radio {
    /// There is no modem: the host's own network carries the data.
    #[serde(default)]
    host_network: bool,
    modem: Option<String>,
    sim: String,
    registration: String,
    operator: Option<String>,
    /// In dBm.
    signal: Option<i16>,
    address: Option<String>,
    /// What the modem cannot, in words.
    #[serde(default)]
    missing: Vec<String>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Link {
    number: u8,
    enabled: bool,
    protocol: String,
    address: String,
    port: u16,
    state: String,
    /// The same for programs: `off`, `connecting`, `connected`, `waiting`.
    #[serde(default)]
    state_word: String,
    /// What it waits for: `retry`, `network`, `data`, `primary`, `mode`.
    #[serde(default)]
    waiting_for: Option<String>,
    #[serde(default)]
    timer: Option<Timer>,
    /// Why it last went down.
    reason: Option<String>,
    frames_in: u64,
    bytes_in: u64,
    frames_out: u64,
    bytes_out: u64,
    received_bytes: u64,
    waiting_frames: u64,
    waiting_bytes: u64,
    dropped_frames: u64,
    dropped_bytes: u64,
    spool_refused: u64,
    reconnects: u64,
    /// Room of its cache.
    #[serde(default)]
    cache_bytes: u64,
    /// Of its connection, where there is one by TCP.
    #[serde(default)]
    rtt_ms: Option<f64>,
}

/// A queue of a working mode.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Waiting {
    state: String,
    waiting_frames: u64,
    waiting_bytes: u64,
    dropped_frames: u64,
}

impl Report {
    pub(crate) fn new(dtu: &Dtu, around: &Around<'_>, now: Instant) -> Self {
        let (config, status) = (dtu.config(), dtu.status(now));
        let Around { line, dropped, .. } = *around;
        Self {
            at: iso(SystemTime::now()),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            uptime_seconds: status.uptime.as_secs(),
            restarts: status.restarts,
            mode: status.mode.to_string(),
            mode_number: status.mode.number(),
            phase: phase(status.phase).to_owned(),
            leds: Lamps::new(&status),
            serial: Serial {
                line: line.to_string(),
                state: serial_state(line, status.serial.present).to_owned(),
                present: status.serial.present,
                baud: config.line.baud,
                bytes_in: status.serial.counters.bytes_in,
                bytes_out: status.serial.counters.bytes_out,
                waiting_bytes: status.serial.waiting as u64,
                dropped_bytes: status.serial.counters.dropped_bytes,
                undelivered_bytes: status.serial.counters.undelivered_bytes,
            },
            radio: Radio {
                host_network: around.host_network,
                ..Radio::new(&status.radio, status.attached)
            },
            links: LinkId::ALL
                .into_iter()
                .zip(&status.links)
                .map(|(link, told)| Link {
                    timer: Timer::of(dtu, link, now),
                    cache_bytes: dtu.options().links[link.index()].cache as u64,
                    rtt_ms: around.round_trips[link.index()].map(|rtt| rtt.as_secs_f64() * 1000.0),
                    ..Link::new(link.number(), &config.links[link.index()], told)
                })
                .collect(),
            httpd: Waiting {
                state: link_state(status.httpd.state, None).unwrap_or_else(|| OFF.to_owned()),
                waiting_frames: status.httpd.waiting_frames as u64,
                waiting_bytes: status.httpd.waiting_bytes as u64,
                dropped_frames: status.httpd.counters.dropped_frames,
            },
            serial_command: Waiting {
                state: if status.serial_command.running {
                    "on"
                } else {
                    OFF
                }
                .to_owned(),
                waiting_frames: status.serial_command.waiting_packets as u64,
                waiting_bytes: status.serial_command.waiting_bytes as u64,
                dropped_frames: status.serial_command.counters.dropped_packets,
            },
            messages_to_be_sent: status.messages.outgoing.into(),
            dropped: dropped.count,
            dropped_bytes: dropped.bytes,
            drops: Drops::new(dropped, &dtu.drops(), around.counted_since),
            trial: status.trial.as_ref().map(Trial::new),
            not_stored: differing_keys(config, dtu.stored_config()),
            console_fingerprint: around.fingerprint.clone(),
        }
    }
}

impl Radio {
    fn new(radio: &RadioStatus, address: Option<IpAddr>) -> Self {
        let named = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        let operator = radio.operator.as_ref();
        Self {
            host_network: false,
            modem: radio.modem.as_ref().map(|modem| modem.model.clone()),
            sim: radio.sim.to_string(),
            registration: radio.registration.to_string(),
            operator: operator
                .and_then(|operator| named(&operator.name).or_else(|| named(&operator.code))),
            signal: (radio.signal.strength <= 31)
                .then(|| i16::from(radio.signal.strength) * 2 - 113),
            address: address.map(|address| address.to_string()),
            missing: radio.lacks.clone(),
        }
    }
}

impl Link {
    fn new(number: u8, config: &LinkConfig, status: &LinkStatus) -> Self {
        let counters = &status.counters;
        Self {
            number,
            enabled: config.enabled,
            protocol: config.protocol.name().to_owned(),
            address: config.address.clone(),
            port: config.port,
            state: link_state(status.state, status.last_down).unwrap_or_else(|| OFF.to_owned()),
            state_word: state_word(status.state).to_owned(),
            waiting_for: waiting_word(status.state).map(str::to_owned),
            timer: None,
            reason: status.last_down.map(|why| why.to_string()),
            frames_in: counters.frames_in,
            bytes_in: counters.bytes_in,
            frames_out: counters.frames_out,
            bytes_out: counters.bytes_out,
            received_bytes: counters.received_bytes,
            waiting_frames: status.waiting_frames as u64,
            waiting_bytes: status.waiting_bytes as u64,
            dropped_frames: counters.dropped_frames,
            dropped_bytes: counters.dropped_bytes,
            spool_refused: counters.spool_refused,
            reconnects: counters.reconnects,
            cache_bytes: 0,
            rtt_ms: None,
        }
    }

    const fn queue(&self) -> Queue {
        Queue {
            frames: self.waiting_frames,
            bytes: self.waiting_bytes,
            dropped: self.dropped_frames,
        }
    }
}

impl Waiting {
    const fn queue(&self) -> Queue {
        Queue {
            frames: self.waiting_frames,
            bytes: self.waiting_bytes,
            dropped: self.dropped_frames,
        }
    }
}

/// A pty is there also where nobody has it open.
const fn serial_state(line: &Address, present: bool) -> &'static str {
    match line {
        _ if present => "present",
        Address::Pty(_) => "no equipment",
        Address::Tty(_) | Address::Tcp(..) => MISSING,
    }
}

const fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::SetupWindow => "set-up window",
        Phase::Command => "command state",
        Phase::Data => "data",
        Phase::Ending => "ending",
    }
}

/// One screen.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let up = Span(Duration::from_secs(self.uptime_seconds));
        writeln!(
            f,
            "device   {}, {}; up {up}, {}",
            self.mode,
            self.phase,
            Count(self.restarts.into(), "restart")
        )?;
        self.serial.fmt(f)?;
        self.radio.fmt(f)?;
        for link in &self.links {
            link.fmt(f)?;
        }
        for (name, mode) in [("HTTPD", &self.httpd), ("55 AA", &self.serial_command)] {
            if mode.state != OFF || mode.waiting_frames > 0 {
                writeln!(f, "{name}    {}; {}", mode.state, mode.queue())?;
            }
        }
        if self.messages_to_be_sent > 0 {
            writeln!(
                f,
                "SMS      {} to be sent",
                Count(self.messages_to_be_sent, "message")
            )?;
        }
        if let Some(trial) = &self.trial {
            writeln!(f, "trial    {trial}")?;
        }
        if !self.not_stored.is_empty() {
            let count = self.not_stored.len();
            writeln!(f, "settings {count} in force, not stored")?;
        }
        if let Some(fingerprint) = &self.console_fingerprint {
            writeln!(
                f,
                "console  own certificate, SHA-256 {}",
                Plain(fingerprint)
            )?;
        }
        let dropped = Total {
            count: self.dropped,
            bytes: self.dropped_bytes,
        };
        write!(f, "dropped  {dropped} in all")
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = Plain(&self.line);
        match self.state.as_str() {
            MISSING => write!(f, "serial   missing, waiting for {line}")?,
            _ if self.present => write!(f, "serial   {line}: equipment present")?,
            _ => write!(f, "serial   {line}: no equipment")?,
        }
        writeln!(
            f,
            "; {} in, {} out",
            Count(self.bytes_in, "byte"),
            self.bytes_out
        )
    }
}

impl fmt::Display for Radio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let modem = match self.modem.as_deref() {
            None => "waiting for the modem",
            Some("") => "modem that does not name itself",
            Some(model) => model,
        };
        if self.host_network {
            f.write_str("radio    no modem: the host's own network")?;
        } else {
            write!(
                f,
                "radio    {}; SIM {}; {}",
                Plain(modem),
                self.sim,
                self.registration
            )?;
        }
        if let Some(operator) = &self.operator {
            write!(f, ", {}", Plain(operator))?;
        }
        if let Some(signal) = self.signal {
            write!(f, ", {signal} dBm")?;
        }
        match &self.address {
            Some(address) => writeln!(f, "; address {address}")?,
            None => writeln!(f, "; no network")?,
        }
        for words in self.missing.iter().take(MOST_MISSING) {
            writeln!(f, "missing  {}", Plain(words))?;
        }
        match self.missing.len().saturating_sub(MOST_MISSING) {
            0 => Ok(()),
            more => writeln!(f, "missing  and {more} more, see AT+CISTAT"),
        }
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            number,
            protocol,
            address,
            port,
            state,
            ..
        } = self;
        if !self.enabled && self.waiting_frames == 0 {
            return writeln!(f, "link {number}   off");
        }
        write!(
            f,
            "link {number}   {protocol} {}:{port} {state}",
            Plain(address)
        )?;
        writeln!(f, "; {} out, {}", self.frames_out, self.queue())
    }
}

/// What waits in a queue, and what it dropped.
struct Queue {
    frames: u64,
    bytes: u64,
    dropped: u64,
}

impl fmt::Display for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (frames, bytes) = (Count(self.frames, "frame"), Count(self.bytes, "byte"));
        write!(f, "{frames} ({bytes}) wait, {} dropped", self.dropped)
    }
}

/// Text from outside: nothing of it moves the cursor.
struct Plain<'a>(&'a str);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| {
            if is_unseen(c) {
                f.write_str("?")
            } else {
                write!(f, "{c}")
            }
        })
    }
}

const OFF: &str = "off";
const MISSING: &str = "missing";
/// Lines of what the modem cannot; the rest of the screen is wanted, too.
const MOST_MISSING: usize = 6;

#[cfg(test)]
mod tests {
    use dtu_proto::Identity;
    use dtu_proto::config::{Config, Options};
    use dtu_proto::event::{Input, SerialInput};

    use super::*;

    fn report(dtu: &Dtu, line: &str, host_network: bool) -> Report {
        let around = Around {
            line: &Address::parse(line).unwrap(),
            host_network,
            dropped: Total::default(),
            counted_since: None,
            round_trips: [None; LINKS],
            fingerprint: None,
        };
        Report::new(dtu, &around, Instant::ZERO)
    }

    #[test]
    fn h8_a_line_that_is_missing_is_told_from_one_that_nobody_has_open() {
        let mut dtu = Dtu::new(
            Config::default(),
            Options::default(),
            Identity::default(),
            1,
            Instant::ZERO,
        );
        let serial = |dtu: &Dtu, line| report(dtu, line, false).serial.to_string();
        for (line, wanted) in [
            (
                "tty:/dev/ttyUSB0",
                "serial   missing, waiting for /dev/ttyUSB0; 0 bytes in, 0 out\n",
            ),
            (
                "tcp:box:4001",
                "serial   missing, waiting for box:4001; 0 bytes in, 0 out\n",
            ),
            (
                "pty:/run/dtu",
                "serial   /run/dtu: no equipment; 0 bytes in, 0 out\n",
            ),
        ] {
            assert_eq!(serial(&dtu, line), wanted);
        }
        dtu.handle_input(Input::Serial(SerialInput::Present), Instant::ZERO);
        dtu.handle_input(Input::Serial(SerialInput::Data(b"x")), Instant::ZERO);
        let there = "serial   /dev/ttyUSB0: equipment present; 1 byte in, 0 out\n";
        assert_eq!(serial(&dtu, "tty:/dev/ttyUSB0"), there);
    }

    #[test]
    fn h9_without_a_modem_the_network_is_the_hosts_own() {
        let dtu = Dtu::new(
            Config::default(),
            Options::default(),
            Identity::default(),
            1,
            Instant::ZERO,
        );
        let screen = report(&dtu, "pty:x", true).to_string();
        assert!(
            screen.contains("\nradio    no modem: the host's own network; no network\n"),
            "{screen}"
        );
        let screen = report(&dtu, "pty:x", false).to_string();
        assert!(!screen.contains("host"), "{screen}");
    }

    /// A restart would undo them, so the count is seen until they are stored.
    #[test]
    fn what_is_not_stored_is_counted_on_every_screen_until_it_is_stored() {
        let mut dtu = Dtu::new(
            Config::default(),
            Options::default(),
            Identity::default(),
            1,
            Instant::ZERO,
        );
        let mut counts = |lines: &[&str]| {
            for line in lines {
                dtu.handle_input(Input::Console(line), Instant::ZERO);
            }
            let report = report(&dtu, "pty:x", true);
            let told = report.not_stored.len();
            let screen = report.to_string();
            let row = screen.lines().find(|line| line.starts_with("settings "));
            (told, row.map(str::to_owned))
        };
        assert_eq!(counts(&[]), (0, None));
        let set = ["AT+CIPCFG=1,60,0,200,10,1800", "AT+CIPNUM=10010"];
        let row = "settings 3 in force, not stored".to_owned();
        assert_eq!(counts(&set), (3, Some(row)));
    }

    /// H8: a modem that has not answered yet is none that is not there.
    #[test]
    fn h8_a_modem_that_has_not_answered_is_waited_for() {
        let screen = |radio: &RadioStatus| Radio::new(radio, None).to_string();
        let mut radio = RadioStatus::default();
        let waits = screen(&radio);
        assert!(
            waits.starts_with("radio    waiting for the modem; SIM "),
            "{waits}"
        );
        radio.modem = Some(dtu_proto::radio::ModemIdentity::default());
        let nameless = screen(&radio);
        assert!(
            nameless.starts_with("radio    modem that does not name itself; SIM "),
            "{nameless}"
        );
    }

    /// A modem that nobody knows: the screen says what it cannot, and stays a screen.
    #[test]
    fn m_what_the_modem_lacks_is_on_the_screen_and_in_the_json() {
        let radio = |lacks: &[&str]| {
            let lacks = lacks.iter().map(ToString::to_string).collect();
            Radio::new(
                &RadioStatus {
                    lacks,
                    ..RadioStatus::default()
                },
                None,
            )
        };
        let told = radio(&[
            "no delivery reports (AT+CNMI)",
            "no signal strength (AT+CSQ)",
        ]);
        let screen = told.to_string();
        let lines =
            "\nmissing  no delivery reports (AT+CNMI)\nmissing  no signal strength (AT+CSQ)\n";
        assert!(screen.ends_with(lines), "{screen}");
        let json = serde_json::to_value(&told).unwrap();
        assert_eq!(
            json["missing"],
            serde_json::json!([
                "no delivery reports (AT+CNMI)",
                "no signal strength (AT+CSQ)"
            ])
        );
        let screen = radio(&["no \x1b[2J"; 20]).to_string();
        assert!(
            screen.lines().count() == 8
                && screen.ends_with("missing  and 14 more, see AT+CISTAT\n")
        );
        assert!(!screen.contains('\x1b'));
        assert_eq!(radio(&[]).to_string().lines().count(), 1);
    }
}
