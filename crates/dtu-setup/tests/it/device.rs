//! Our own device at the other end of a serial port.

use std::io;
use std::ops::RangeInclusive;
use std::time::Duration;

use dtu_proto::config::{Config, Options};
use dtu_proto::testing::Bench;
use dtu_proto::time::Instant;
use dtu_setup::door::{Door, DoorError, Reply};
use dtu_setup::reading::{Reading, read_all};
use dtu_setup::serial::{Port, Serial};
use dtu_setup::{Key, Schema};

/// The line between the set-up software and a device in virtual time.
pub(crate) struct Line {
    pub(crate) bench: Bench,
    printed: Vec<u8>,
    baud: u32,
    /// All that was sent to the device.
    pub(crate) sent: Vec<u8>,
    /// What the device prints in answer to this command (its count among all) is lost.
    pub(crate) drops_reply: Option<usize>,
    commands: usize,
    /// The host looks so many milliseconds late for what was printed.
    pub(crate) lag: u64,
    /// Somebody stops the program once when this was sent.
    pub(crate) stops_behind: Option<&'static [u8]>,
    is_stopped: bool,
}

impl Line {
    pub(crate) fn new(config: Config) -> Self {
        let mut line = Self::at_power_on(config);
        line.bench.at(10_000).take_printed();
        line
    }

    /// Its banner is still to be read.
    pub(crate) fn at_power_on(config: Config) -> Self {
        Self::with(config, Options::default())
    }

    pub(crate) fn with(config: Config, options: Options) -> Self {
        Self {
            bench: Bench::with(config, options),
            printed: Vec::new(),
            baud: 115_200,
            sent: Vec::new(),
            drops_reply: None,
            commands: 0,
            lag: 0,
            stops_behind: None,
            is_stopped: false,
        }
    }

    pub(crate) fn sent(&self) -> String {
        self.sent.escape_ascii().to_string()
    }
}

impl Port for Line {
    fn now(&self) -> Duration {
        Duration::from_micros(self.bench.now.as_micros())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.sent.extend_from_slice(bytes);
        self.bench.serial(bytes);
        if self.stops_behind == Some(bytes) {
            self.stops_behind = None;
            self.is_stopped = true;
        }
        if bytes == b"\r" {
            self.commands += 1;
            if self.drops_reply == Some(self.commands) {
                self.bench.take_printed();
            }
        }
        Ok(())
    }

    fn read(&mut self, buffer: &mut [u8], until: Duration) -> io::Result<usize> {
        let until = Instant::from_micros(u64::try_from(until.as_micros()).unwrap());
        if std::mem::take(&mut self.is_stopped) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        loop {
            self.printed.extend(self.bench.take_printed());
            if !self.printed.is_empty() && self.lag > 0 {
                self.bench.wait(self.lag);
                self.printed.extend(self.bench.take_printed());
            }
            if !self.printed.is_empty() {
                let count = buffer.len().min(self.printed.len());
                buffer[..count].copy_from_slice(&self.printed[..count]);
                self.printed.drain(..count);
                return Ok(count);
            }
            if self.bench.now >= until {
                return Ok(0);
            }
            let next = self.bench.dtu.poll_timeout().map_or(until, |due| due.at);
            let next = next.clamp(self.bench.now, until);
            self.bench.until(next);
        }
    }

    fn set_baud(&mut self, baud: u32) -> io::Result<()> {
        self.baud = baud;
        Ok(())
    }

    fn baud(&self) -> u32 {
        self.baud
    }
}

/// A door of which these commands (by their count) reach the device, and their answers are lost.
pub(crate) struct Loses<'a> {
    pub(crate) door: &'a mut Serial<Line>,
    pub(crate) lost: RangeInclusive<usize>,
    pub(crate) count: usize,
}

impl Door for Loses<'_> {
    fn command(&mut self, line: &str) -> Result<Reply, DoorError> {
        let reply = self.door.command(line)?;
        self.count += 1;
        if self.lost.contains(&self.count) {
            return Err(DoorError::NoReply {
                line: line.to_owned(),
                within: Duration::from_secs(5),
            });
        }
        Ok(reply)
    }

    fn restart(&mut self, command: &str, baud: Option<u32>) -> Result<(), DoorError> {
        self.door.restart(command, baud)
    }

    fn leave(&mut self) -> Result<(), DoorError> {
        self.door.leave()
    }

    fn shut_by(&self) -> &[&str] {
        &[]
    }

    fn is_shut_at_once(&self) -> bool {
        false
    }
}

/// The device's command state, by `+++`.
pub(crate) fn enter(config: Config) -> Serial<Line> {
    let Ok(serial) = Serial::enter(Line::new(config)) else {
        panic!("+++ does not lead into the command state");
    };
    serial
}

pub(crate) fn read(door: &mut dyn Door) -> Result<Reading, DoorError> {
    read_all(door, &Schema::new(), &mut |_, _| {})
}

pub(crate) fn key(name: &str) -> Key {
    Schema::new().key(name).unwrap()
}

#[test]
fn a_device_that_was_switched_on_a_moment_ago_is_entered_when_its_window_is_over() {
    for ms in [0, 1500, 4900] {
        let mut line = Line::at_power_on(Config::default());
        line.bench.at(ms);
        let entered = Serial::enter(line).map_err(|(_, error)| error.to_string());
        assert_eq!(entered.err(), None, "{ms} ms behind power-on");
    }
}
