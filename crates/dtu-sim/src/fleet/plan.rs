//! What a fleet is and does, all of it decided: what scenario and command line come to.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use dtu_proto::config::{Config, Options};

use super::content::Content;
use super::fault::Fault;
use super::radio::Texts;
use super::template::{Template, Who};

/// A run of a fleet.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Devices.
    pub count: u32,
    /// The server.
    pub target: SocketAddr,
    /// Devices that are switched on in a second.
    pub ramp: f64,
    /// What all chance comes from.
    pub seed: u64,
    /// The registration packet.
    pub register: Template,
    /// The heartbeat.
    pub heartbeat: Template,
    /// Seconds between heartbeats; 0 = none.
    pub heartbeat_every: u16,
    /// Milliseconds of silence that close a frame; 0 = no packing.
    pub packing: u16,
    /// Rate of the line in Bd, ten bits a byte; 0 = no time at all.
    pub line_speed: u32,
    /// Time between two frames of a device; zero = no traffic.
    pub period: Duration,
    /// By so much of itself a period is longer or shorter, 0..=1.
    pub jitter: f64,
    /// Frames of each device, then it is silent.
    pub frames: Option<u32>,
    /// What is in them.
    pub content: Content,
    /// What is expected of the server.
    pub check: Check,
    /// What goes wrong on purpose.
    pub faults: Vec<Fault>,
    /// Short messages between devices.
    pub texts: Option<Texts>,
    /// These devices, counted from 1, have a pty as their serial line: what they send comes from there.
    pub ptys: Option<RangeInclusive<u32>>,
    /// So long frames are sent, from the start; `None` = until all devices have sent theirs, or a signal comes.
    pub duration: Option<Duration>,
    /// How long answers may come behind the last frame.
    pub drain: Duration,
}

/// What is expected of the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Check {
    /// Each frame comes back as it was.
    #[default]
    Echo,
    /// What the script says of each frame.
    Script,
    /// Its TCP acknowledges; what it says is not looked at.
    Acknowledgement,
}

impl Check {
    /// Whether frames have answers.
    pub(super) const fn expects_answers(self) -> bool {
        matches!(self, Self::Echo | Self::Script)
    }
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            count: 100,
            target: SocketAddr::from(([127, 0, 0, 1], 9000)),
            ramp: 1000.0,
            seed: 1,
            register: Template::default(),
            heartbeat: Template::default(),
            heartbeat_every: 30,
            packing: 100,
            line_speed: 115_200,
            period: Duration::from_secs(10),
            jitter: 0.1,
            frames: None,
            content: Content {
                length: 64..=64,
                seed: 1,
                recorded: None,
                script: None,
            },
            check: Check::Echo,
            faults: Vec::new(),
            texts: None,
            ptys: None,
            duration: None,
            drain: Duration::from_secs(30),
        }
    }
}

impl Plan {
    /// The parameters of a device, as AT commands would set them.
    ///
    /// # Errors
    /// What the device would refuse, in its words.
    pub fn config(&self, who: Who) -> Result<Config, String> {
        let mut config = Config::default();
        let (ip, port) = (self.target.ip(), self.target.port());
        let mut lines = vec![
            format!("AT+CIPSCONT=1,\"TCP\",\"{ip}\",{port},1"),
            format!(
                "AT+CIPCFG=1,{},0,{},10,0",
                self.heartbeat_every, self.packing
            ),
        ];
        for (number, template) in [(0, &self.heartbeat), (1, &self.register)] {
            if !template.is_empty() {
                lines.push(packet_line(number, &template.render(who)));
            }
        }
        for line in lines {
            dtu_proto::load_setting(&line, &mut config).map_err(|why| format!("{line}: {why}"))?;
        }
        Ok(config)
    }

    /// What the host of a device decides.
    #[must_use]
    pub fn options(&self) -> Options {
        Options {
            setup_window: Duration::ZERO,
            ..Options::default()
        }
    }

    /// The name of a device's pty, if it has one.
    #[must_use]
    pub fn pty(&self, who: Who) -> Option<String> {
        let number = who.0 + 1;
        let has = self
            .ptys
            .as_ref()
            .is_some_and(|ptys| ptys.contains(&number));
        has.then(|| format!("fleet-{number}"))
    }

    /// Whether devices send frames.
    #[must_use]
    pub const fn has_traffic(&self) -> bool {
        !self.period.is_zero() || self.content.recorded.is_some()
    }
}

/// The command that sets the heartbeat (0) or the registration packet (1).
pub(super) fn packet_line(number: u8, packet: &[u8]) -> String {
    let hex: String = packet.iter().map(|byte| format!("{byte:02X}")).collect();
    format!("AT+CIPPACK={number},{hex},0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_set_up_as_by_at() {
        let plan = Plan {
            register: Template::parse("DTU{id}").unwrap(),
            heartbeat: Template::parse("HB{index}").unwrap(),
            heartbeat_every: 20,
            target: "[::1]:9000".parse().unwrap(),
            ..Plan::default()
        };
        let config = plan.config(Who(6)).unwrap();
        assert_eq!(config.registration, b"DTU00000007");
        assert_eq!(
            (config.heartbeat.as_slice(), config.heartbeat_interval),
            (&b"HB6"[..], 20)
        );
        let link = &config.links[0];
        assert_eq!(
            (link.address.as_str(), link.port, link.enabled),
            ("::1", 9000, true)
        );
        let long = Plan {
            register: Template::parse(&"R".repeat(41)).unwrap(),
            ..plan
        };
        let error = long.config(Who(0)).unwrap_err();
        assert!(
            error.contains("40 bytes") || error.contains("80"),
            "{error}"
        );
    }
}
