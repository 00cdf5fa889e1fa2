//! The modem, as the loop sees it: one `Driver` of four kinds, and the way that data takes.
//!
//! ```text
//! machine ── Modem ─┬─ Driver: sim | at:DEVICE | mm[:INDEX] | none     messages, calls, registration …
//!                   └─ Route: the driver's own | the host's | a named interface     Attached, Detached
//! ```

use std::collections::VecDeque;
use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::task::Context;

use anyhow::Context as _;
use dtu_proto::Identity;
use dtu_proto::event::{ModemInput, ModemOutput};
use dtu_proto::time::Instant;
use tracing::warn;

use crate::connect::own_address;
use crate::netif::Interface;
use crate::settings;

mod at;
#[cfg_attr(
    not(feature = "console"),
    allow(dead_code, reason = "only the console asks for it")
)]
pub(crate) mod chat;
#[cfg(feature = "console")]
mod inbox;
#[cfg(feature = "mm")]
mod mm;
mod none;
mod note;
mod sim;
mod state_log;
mod transcript;

pub(crate) use chat::{Act, Chat};
pub(crate) use sim::read_script;
use state_log::StateLog;

/// Which modem, as `--modem` names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// `sim`: a simulated one in a simulated network.
    Sim,
    /// `at:DEVICE`, `at:tcp:HOST:PORT`: one that understands AT commands on this serial line.
    At(PathBuf),
    /// `mm[:INDEX]`: one that ModemManager keeps, the first or that of the number.
    Mm(Option<u32>),
    /// `none`: the host's own network.
    None,
}

impl Address {
    /// Parses `sim`, `at:DEVICE`, `mm`, `mm:INDEX` or `none`.
    ///
    /// # Errors
    /// A text for the user.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not sim, at:DEVICE, mm, mm:INDEX or none");
        match text.split_once(':') {
            None if text == "sim" => Ok(Self::Sim),
            None if text == "none" => Ok(Self::None),
            None if text == "mm" => Ok(Self::Mm(None)),
            None if text == "at" => {
                Err("at needs the modem's device, as in at:/dev/ttyUSB2".to_owned())
            }
            Some(("at", "")) => {
                Err("at needs the modem's device, as in at:/dev/ttyUSB2".to_owned())
            }
            Some(("at", device)) => parse_device(device).map(Self::At),
            Some(("mm", index)) => parse_index(index).map(|index| Self::Mm(Some(index))),
            None | Some(_) => Err(wrong()),
        }
    }

    /// Who the device is before any modem has told.
    pub(crate) fn identity(&self) -> Identity {
        match self {
            Self::Sim => Identity::default(),
            Self::At(_) | Self::Mm(_) | Self::None => Identity {
                imei: String::new(),
                imsi: String::new(),
                ..Identity::default()
            },
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sim => f.write_str("sim"),
            Self::At(device) => write!(f, "at:{}", device.display()),
            Self::Mm(None) => f.write_str("mm"),
            Self::Mm(Some(index)) => write!(f, "mm:{index}"),
            Self::None => f.write_str("none"),
        }
    }
}

/// The path of a device, or `tcp:HOST:PORT`.
fn parse_device(text: &str) -> Result<PathBuf, String> {
    if text.starts_with("tcp:") {
        let wrong = || format!("{text:?} is not tcp:HOST:PORT with a port of 1..=65535");
        crate::serial::Address::parse(text).map_err(|_| wrong())?;
    }
    Ok(text.into())
}

fn parse_index(text: &str) -> Result<u32, String> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits).ok_or_else(|| {
        format!(
            "{text:?} is no number of a modem; `mmcli -L` shows them: 3 for …/Modem/3, as in mm:3"
        )
    })
}

/// Why somebody's act was not done.
#[derive(Debug)]
#[cfg_attr(
    not(feature = "console"),
    allow(dead_code, reason = "only the console asks for it")
)]
pub(crate) enum Undone {
    /// There is no simulated network.
    NoPhones,
    /// This is no number.
    NoNumber(String),
    /// Nobody has a call that could end.
    NoCall,
    /// The simulated network's words.
    Network(String),
}

/// Drives one modem: carries out orders, tells news. Nothing in it waits.
///
/// What it cannot do at once it does with later calls of `poll`, which it sees to by the waker or by `deadline`.
#[cfg_attr(
    not(feature = "console"),
    allow(dead_code, reason = "only the console asks for it")
)]
pub(crate) trait Driver {
    /// Carries out an order. `poll` is called before the loop sleeps.
    fn order(&mut self, order: ModemOutput, now: Instant, cx: &mut Context<'_>);
    /// The next news; called again until there is none.
    fn poll(&mut self, cx: &mut Context<'_>, now: Instant) -> Option<ModemInput>;
    /// When `poll` has something to do without a wake-up.
    fn deadline(&self) -> Option<Instant>;
    /// How it stands, in a few words for a log.
    fn status(&self) -> String;
    /// Somebody makes something happen in a simulated network.
    ///
    /// # Errors
    /// Why not, for a person.
    fn act(&mut self, _act: &Act, _now: Instant) -> Result<(), Undone> {
        Err(Undone::NoPhones)
    }
    /// What its phones have seen, if it is simulated.
    fn chat(&self) -> Option<&Chat> {
        None
    }
    /// The network interface that its data takes. `Attached` tells of a change.
    fn interface(&self) -> Option<&str> {
        None
    }
}

/// The modem with the way of its data.
pub(crate) struct Modem {
    address: Address,
    driver: Box<dyn Driver>,
    route: Route,
    state_log: StateLog,
    /// Where somebody may ask what has come.
    #[cfg(feature = "console")]
    inbox: Option<inbox::Inbox>,
}

/// Who says whether the network can be used for data.
enum Route {
    /// The driver.
    Driver,
    /// The host has its own way; news of it that wait.
    Host(VecDeque<ModemInput>),
    /// One interface of the host, by its address.
    Named(Interface),
}

impl Modem {
    /// # Errors
    /// Only where waiting cannot help.
    pub(crate) fn open(
        address: Address,
        settings: &settings::Modem,
        state: &Path,
        seed: u64,
    ) -> anyhow::Result<Self> {
        let driver: Box<dyn Driver> = match &address {
            Address::Sim => Box::new(sim::Sim::new(settings, seed)?),
            Address::At(device) => Box::new(at::At::new(device, settings, state)),
            #[cfg(not(feature = "mm"))]
            Address::Mm(_) => {
                anyhow::bail!("this build cannot speak with ModemManager (feature \"mm\")")
            }
            #[cfg(feature = "mm")]
            Address::Mm(index) => Box::new(mm::Mm::new(mm::Options {
                index: *index,
                pin: settings.pin.clone(),
                note: Some(note::Note::new(state, settings.pin.as_deref())),
                carries_data: settings.interface.is_none(),
            })),
            Address::None => Box::new(none::NoModem),
        };
        let route = match (&address, &settings.interface) {
            (_, Some(name)) => Route::Named(Interface::watch(name).context("netlink")?),
            (Address::Sim | Address::Mm(_), None) => Route::Driver,
            (Address::At(_) | Address::None, None) => {
                Route::Host(VecDeque::from([host_attached()]))
            }
        };
        Ok(Self {
            address,
            driver,
            route,
            state_log: StateLog::default(),
            #[cfg(feature = "console")]
            inbox: None,
        })
    }

    /// Whether the host's own network carries the data.
    pub(crate) fn is_none(&self) -> bool {
        self.address == Address::None
    }

    /// Makes something happen in a simulated network.
    ///
    /// # Errors
    /// Why not, for a person.
    #[cfg(feature = "console")]
    pub(crate) fn act(&mut self, act: &Act, now: Instant) -> Result<(), Undone> {
        self.driver.act(act, now)
    }

    /// From now on it keeps what comes, for [`Modem::messages`]. A simulated network has its chat.
    #[cfg(feature = "console")]
    pub(crate) fn keep_messages(&mut self) {
        if matches!(self.address, Address::At(_) | Address::Mm(_)) {
            self.inbox = Some(inbox::Inbox::new());
        }
    }

    /// What the phones of a simulated network have seen, or what has come to a real modem.
    #[cfg(feature = "console")]
    pub(crate) fn messages(&self) -> serde_json::Value {
        if let Some(inbox) = &self.inbox {
            return inbox.as_json();
        }
        let chat = self.driver.chat().map(serde_json::to_value);
        let nothing = || serde_json::json!({ "phone": null, "items": [], "calls": [] });
        chat.and_then(Result::ok).unwrap_or_else(nothing)
    }

    pub(crate) fn order(&mut self, order: ModemOutput, now: Instant, cx: &mut Context<'_>) {
        if order == ModemOutput::Reset {
            warn!("modem: reset ({})", self.driver.status());
            if let Route::Host(news) = &mut self.route {
                // The host may have another address by now.
                *news = VecDeque::from([host_attached()]);
            }
        }
        self.driver.order(order, now, cx);
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, now: Instant) -> Option<ModemInput> {
        self.state_log.fire(now);
        let driver = self.driver.as_mut();
        let news = match &mut self.route {
            Route::Driver => driver.poll(cx, now),
            Route::Host(news) => news.pop_front().or_else(|| poll_radio(driver, cx, now)),
            Route::Named(interface) => interface
                .poll(cx, now)
                .map(way)
                .or_else(|| poll_radio(driver, cx, now)),
        }?;
        self.state_log.on_input(&news, &self.address, now);
        #[cfg(feature = "console")]
        if let Some(inbox) = &mut self.inbox {
            inbox.heard(&news, now);
        }
        Some(news)
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        let route = match &self.route {
            // News of the host that wait are taken before the loop sleeps.
            Route::Driver | Route::Host(_) => None,
            Route::Named(interface) => interface.deadline(),
        };
        [self.driver.deadline(), route, self.state_log.deadline()]
            .into_iter()
            .flatten()
            .min()
    }

    /// The network interface of links that name none.
    pub(crate) fn interface(&self) -> Option<&str> {
        match &self.route {
            Route::Driver => self.driver.interface(),
            Route::Host(_) => None,
            Route::Named(interface) => Some(interface.name()),
        }
    }
}

/// The driver's news, but for those of its data: it goes another way.
fn poll_radio(driver: &mut dyn Driver, cx: &mut Context<'_>, now: Instant) -> Option<ModemInput> {
    loop {
        let news = driver.poll(cx, now)?;
        if !matches!(news, ModemInput::Attached(_) | ModemInput::Detached) {
            return Some(news);
        }
    }
}

fn way(address: Option<IpAddr>) -> ModemInput {
    address.map_or(ModemInput::Detached, ModemInput::Attached)
}

fn host_attached() -> ModemInput {
    ModemInput::Attached(own_address())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_modem_is_named_by_kind_and_place() {
        for (text, wanted) in [
            ("sim", Address::Sim),
            ("none", Address::None),
            ("mm", Address::Mm(None)),
            ("mm:12", Address::Mm(Some(12))),
            ("at:/dev/ttyUSB2", Address::At("/dev/ttyUSB2".into())),
            ("at:a:b", Address::At("a:b".into())),
            ("at:tcp:box:4001", Address::At("tcp:box:4001".into())),
        ] {
            assert_eq!(Address::parse(text), Ok(wanted.clone()));
            assert_eq!(wanted.to_string(), text);
        }
    }

    #[test]
    fn what_names_no_modem_is_told_what_is_allowed() {
        for (text, wanted) in [
            ("", "\"\" is not sim, at:DEVICE, mm, mm:INDEX or none"),
            (
                "sim:1",
                "\"sim:1\" is not sim, at:DEVICE, mm, mm:INDEX or none",
            ),
            ("SIM", "\"SIM\" is not sim, at:DEVICE, mm, mm:INDEX or none"),
            ("at", "at needs the modem's device, as in at:/dev/ttyUSB2"),
            ("at:", "at needs the modem's device, as in at:/dev/ttyUSB2"),
            (
                "at:tcp:box",
                "\"tcp:box\" is not tcp:HOST:PORT with a port of 1..=65535",
            ),
            (
                "mm:",
                "\"\" is no number of a modem; `mmcli -L` shows them: 3 for …/Modem/3, as in mm:3",
            ),
            (
                "mm:+1",
                "\"+1\" is no number of a modem; `mmcli -L` shows them: 3 for …/Modem/3, as in mm:3",
            ),
        ] {
            assert_eq!(Address::parse(text), Err(wanted.to_owned()), "{text}");
        }
    }
}
