//! The modem and the network, as the device knows them: what the modem said last, the call, the message part that is on
//! its way, the clock.

mod call;
mod clock;
mod submit;

use core::net::IpAddr;

use crate::config::Apn;
use crate::radio::{ModemIdentity, ModemOutput, NetworkTime, Registration};
use crate::status::RadioStatus;
use crate::time::Instant;

pub(crate) use call::{Action, CallUrc, Calls, Dial, Rules, Step};
pub(crate) use clock::{Clock, parse_clock};
pub(crate) use submit::{Outstanding, Owner, Submitter};

/// What the device knows of modem and network.
#[derive(Debug, Default)]
pub(crate) struct Cellular {
    /// The modem, as it was last told.
    pub(crate) radio: RadioStatus,
    /// Own address in the network; `None` = not attached.
    pub(crate) attached: Option<IpAddr>,
    pub(crate) calls: Calls,
    pub(crate) submitter: Submitter,
    /// The device's wall clock.
    pub(crate) clock: Clock,
    /// As the modem told it; void with the modem.
    network_clock: Option<Clock>,
    /// The access point that the modem was told.
    apn: Option<Apn>,
}

impl Cellular {
    pub(crate) fn power_on(&mut self, now: Instant) {
        self.clock = self.network_clock.unwrap_or_else(|| Clock::power_on(now));
    }

    pub(crate) const fn is_attached(&self) -> bool {
        self.attached.is_some()
    }

    /// NET: registered, where there is a modem, and attached.
    pub(crate) fn is_on_network(&self) -> bool {
        let registered = self.radio.modem.is_none() || self.radio.registration.is_registered();
        registered && self.is_attached()
    }

    /// Whether the device's own messages can go.
    pub(crate) fn can_submit(&self) -> bool {
        let able = self
            .radio
            .modem
            .as_ref()
            .is_some_and(|modem| modem.abilities.messages);
        able && self.radio.registration.is_registered()
    }

    /// A modem is there, perhaps another one; nothing else of it is known.
    pub(crate) fn modem_present(&mut self, identity: &ModemIdentity) {
        self.modem_gone();
        self.radio.modem = Some(identity.clone());
    }

    pub(crate) fn modem_gone(&mut self) {
        self.network_clock = None;
        self.radio = RadioStatus::default();
    }

    /// Says whether the device has come into a network with this.
    pub(crate) const fn registration(&mut self, registration: Registration) -> bool {
        let was = core::mem::replace(&mut self.radio.registration, registration);
        registration.is_registered() && !was.is_registered()
    }

    /// The network's time is the device's; the zone is not kept, as with `AT+CCLK`.
    pub(crate) fn network_time(&mut self, time: NetworkTime, now: Instant) {
        self.clock.set(time.seconds, now);
        self.network_clock = Some(self.clock);
    }

    /// What the modem must be told, where this access point is another one than before.
    pub(crate) fn use_apn(&mut self, apn: &Apn) -> Option<ModemOutput> {
        if self.apn.as_ref() == Some(apn) {
            return None;
        }
        self.apn = Some(apn.clone());
        Some(ModemOutput::UseApn(apn.clone()))
    }
}
