//! Who is in the network, how fast it is, and what goes wrong in it.

use std::net::IpAddr;

use dtu_proto::radio::{Cell, NetworkTime, Operator, PhoneNumber, Registration, Signal};
use dtu_proto::time::Duration;

use crate::rng::Rng;

/// One modem of the network: its place, counted from 0. Scripts count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(pub(super) usize);

impl Id {
    /// Its place in the order of [`super::Network::add`].
    #[must_use]
    pub const fn index(self) -> usize {
        self.0
    }
}

/// A modem or a phone, by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Party {
    Modem(Id),
    Phone(usize),
}

/// A SIM card and the modem that it is in. Set by who adds it to the network; scripts change none of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscriber {
    /// Its number; `None` = one that the network gives (`+8613800100001` and up).
    pub number: Option<PhoneNumber>,
    /// 15 digits (23.003 6.2.1); a modem says it by `AT+CGSN`.
    pub imei: String,
    /// 15 digits at most (23.003 2.2); a modem says it by `AT+CIMI`.
    pub imsi: String,
    /// Maker and model (27.007 5.1, 5.2).
    pub model: String,
    /// The service centre that the SIM names (27.005 `+CSCA`); `None` = it names none.
    pub service_center: Option<PhoneNumber>,
    /// The address that the network gives for data; `None` = who drives the device says when it is attached.
    pub address: Option<IpAddr>,
    /// Messages that the modem holds until they are taken, 1..=255; beyond, they wait in the service centre.
    pub room: usize,
    /// Whether it is switched on and looks for the network from the start.
    pub on_air: bool,
}

impl Default for Subscriber {
    /// The identity that the product's manual prints (2.8.6.2, .3, .17).
    fn default() -> Self {
        Self {
            number: None,
            imei: "135790246811220".to_owned(),
            imsi: "460023633887978".to_owned(),
            model: "simulated radio".to_owned(),
            service_center: PhoneNumber::new("8613800531500"),
            address: None,
            room: 20,
            on_air: true,
        }
    }
}

/// A time between two bounds, both included; drawn anew, in µs, each time it is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// At least.
    pub from: Duration,
    /// At most.
    pub to: Duration,
}

impl Span {
    /// Between so many milliseconds.
    #[must_use]
    pub const fn millis(from: u64, to: u64) -> Self {
        Self {
            from: Duration::from_millis(from),
            to: Duration::from_millis(to),
        }
    }

    pub(super) fn draw(self, rng: &mut Rng) -> Duration {
        let micros =
            |duration: Duration| u64::try_from(duration.as_micros()).unwrap_or(u64::MAX / 4);
        let (from, to) = (micros(self.from), micros(self.to));
        Duration::from_micros(rng.range(from, to.max(from)))
    }
}

/// The network. What [`super::Network::settings_mut`] changes holds for what comes from then on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// From an SMS-SUBMIT to its reference or its refusal (23.040 3.1).
    pub submit: Span,
    /// From the service centre to the receiver, if that can be reached (SMS-DELIVER, 23.040 3.1).
    pub delivery: Span,
    /// From switching on to registration; 0 = registered at once.
    pub registration: Span,
    /// The registration that the network gives (27.007 7.2): home or roaming, or what it refuses with.
    pub registers_as: Registration,
    /// From dialling to ringing.
    pub call_setup: Span,
    /// A phone or modem rings so long at most; then nobody has answered.
    pub ring_time: Duration,
    /// A modem that resets is away so long; `reset TIME` of a script says otherwise.
    pub reset: Span,
    /// A message that the modem was given and did not take comes again after this time; at least 1 s.
    pub repeat_after: Duration,
    /// How long the centre keeps a message whose sender named no validity period (23.040 9.2.3.12).
    pub keeps: Duration,
    /// The operator: its name and 5 or 6 digits of MCC and MNC (27.007 7.3).
    pub operator: Operator,
    /// The cell at the start: location area and cell identity (27.007 7.2).
    pub cell: Cell,
    /// The signal at the start: strength 0..=31 or 99 = unknown, error rate 0..=7 or 99 (27.007 8.5).
    pub signal: Signal,
    /// The strength moves by 1 about this often, between 1 and 31; `None` = steady.
    pub signal_moves: Option<Duration>,
    /// Local time at virtual time 0: s since 2000, zone in quarters of an hour (23.040 9.2.3.11).
    pub clock: NetworkTime,
    /// Whether modems get the time at registration (`ModemInput::Clock`; NITZ, 22.042).
    pub tells_clock: bool,
    /// What goes wrong.
    pub faults: Faults,
}

impl Default for Settings {
    /// Quick, and without faults: what the manual prints.
    fn default() -> Self {
        Self {
            submit: Span::millis(300, 900),
            delivery: Span::millis(200, 800),
            registration: Span::millis(0, 0),
            registers_as: Registration::Home,
            call_setup: Span::millis(500, 1500),
            ring_time: Duration::from_secs(60),
            reset: Span::millis(3000, 6000),
            repeat_after: Duration::from_secs(120),
            keeps: Duration::from_secs(3 * 24 * 3600),
            operator: Operator {
                name: "China Mobile".to_owned(),
                code: "46000".to_owned(),
            },
            cell: Cell {
                area: 21269,
                id: 34093,
            },
            signal: Signal {
                strength: 31,
                error_rate: 99,
            },
            signal_moves: None,
            // 2026-01-01 00:00:00, China.
            clock: NetworkTime {
                seconds: 820_540_800,
                zone: Some(32),
            },
            tells_clock: false,
            faults: Faults::default(),
        }
    }
}

/// What goes wrong with messages: of a hundred each, 0..=100, drawn for each message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// A submission is lost on its way: "network timeout" (332, 27.005 3.2.5) after 40 s.
    pub lost: u8,
    /// The centre has taken the message, but its answer is lost: 332 after 40 s, too.
    pub answer_lost: u8,
    /// The centre or the network refuses a message for a passing reason (38, 41, 42, 47 of 24.011 E.2; 192 of 23.040
    /// 9.2.3.22).
    pub refused: u8,
    /// A modem gets a message once more.
    pub doubled: u8,
    /// A message for a modem is held up and overtaken by later ones.
    pub overtaken: u8,
}
