//! Devices that are written to: a modem on this machine, and how many texts it will send.

use std::str::FromStr;

use anyhow::Context as _;
use dtu_proto::radio::PhoneNumber;
use dtu_setup::apply::Most;
use dtu_setup::say::{Language, Sentence};
use dtu_setup::sms::Sms;

use crate::port::{OpenPort, stop_cleanly};
use crate::say::{self, Usage, tell};
use crate::via::is_dialled;

/// `at:DEVICE`: the modem's AT port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ModemPort(String);

impl FromStr for ModemPort {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_good = |device: &&str| {
            let address = device.strip_prefix("tcp:");
            address.map_or(!device.is_empty(), is_dialled)
        };
        let device = text.strip_prefix("at:").filter(is_good);
        device
            .map(|device| Self(device.to_owned()))
            .ok_or_else(|| "must be at:DEVICE, as at:/dev/ttyUSB2".to_owned())
    }
}

/// Texts that a command sends at most, and what for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Texts {
    count: usize,
    what: Vec<Sentence>,
    /// More of them where it fails.
    back: usize,
}

impl Texts {
    pub(crate) fn and(mut self, count: usize, what: fn(usize) -> Sentence) -> Self {
        if count > 0 {
            self.count += count;
            self.what.push(what(count));
        }
        self
    }

    /// To read, and to make what is wanted of that.
    pub(crate) fn of_apply(most: Most) -> Self {
        let mut texts = Self::default()
            .and(most.read, say::texts_read)
            .and(most.set, say::texts_set)
            .and(1, say::texts_store)
            .and(most.restart, say::texts_restart)
            .and(most.read, say::texts_read_back)
            .and(most.again, say::texts_again);
        texts.back = most.back;
        texts
    }

    /// So many more where it fails.
    pub(crate) const fn or_back(mut self, count: usize) -> Self {
        self.back = count;
        self
    }

    /// Asks whoever sits there.
    ///
    /// # Errors
    /// Nobody does, or does not want it.
    pub(crate) fn ask(&self, to: PhoneNumber, is_meant: bool) -> anyhow::Result<()> {
        let parts = |language: Language| {
            let parts = self.what.iter().map(|what| what.said_in(language));
            parts.collect::<Vec<_>>().join(match language {
                Language::English => ", ",
                Language::Chinese => "、",
            })
        };
        let what = Sentence::new(parts(Language::English), parts(Language::Chinese));
        tell(say::texts_in_all(self.count, to.as_str().to_owned(), what));
        if self.back > 0 {
            tell(say::texts_if_it_fails(self.back));
        }
        if is_meant || say::agrees(say::go_on(), Usage(say::texts_not_meant()))? {
            Ok(())
        } else {
            Err(say::nothing_sent().into())
        }
    }
}

/// The device that has this number.
pub(crate) fn enter(
    to: PhoneNumber,
    modem: &ModemPort,
    baud: u32,
    password: String,
) -> anyhow::Result<Sms<OpenPort>> {
    stop_cleanly()?;
    let ModemPort(device) = modem;
    let port = OpenPort::open(device, baud)?;
    Sms::enter(port, to, password).with_context(|| format!("at:{device}"))
}

/// What it has cost.
pub(crate) fn tell_traffic(sms: &Sms<OpenPort>) {
    let traffic = sms.traffic();
    tell(say::texts_were(traffic.sent, traffic.received));
    if traffic.of_others + traffic.unasked > 0 {
        tell(say::texts_left(traffic.of_others, traffic.unasked));
    }
}

#[cfg(test)]
mod tests {
    use super::ModemPort;

    #[test]
    fn a_modem_is_named_by_its_port() {
        let of = |text: &str| text.parse::<ModemPort>();
        assert_eq!(
            of("at:/dev/ttyUSB2"),
            Ok(ModemPort("/dev/ttyUSB2".to_owned()))
        );
        for wrong in ["/dev/ttyUSB2", "at:", "at:tcp:bad", "mm", ""] {
            assert!(of(wrong).is_err(), "{wrong}");
        }
    }
}
