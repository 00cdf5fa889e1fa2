//! Sessions of devices: their begin, take-over, silence and end.

use std::net::IpAddr;

use super::Hub;
use crate::alternation::QUARANTINE;
use crate::device::Via;
use crate::event::{CloseReason, Log, What};
use crate::ids::{DeviceId, SessionEpoch};
use crate::time::Instant;

impl Hub {
    /// Ends the session that is there, for a newer one. False where the newer one must not begin.
    pub(super) fn may_begin(
        &mut self,
        place: u32,
        epoch: SessionEpoch,
        source: IpAddr,
        now: Instant,
    ) -> bool {
        let Some(device) = self.device_mut(place) else {
            return false;
        };
        // mutant: hub-epoch
        if epoch <= device.epoch || device.alternation.is_quarantined(now) {
            return false;
        }
        let (Some(via), Some(from)) = (device.via, device.source) else {
            return true;
        };
        let spoke = device.is_alive(now);
        let is_once_too_often = device.alternation.take_over(from, source, spoke, now);
        if is_once_too_often {
            self.event(place, What::Quarantined(QUARANTINE), now);
            self.end_session(place, now);
            self.close_via(via, CloseReason::TakenOver);
            self.offline(place, now);
            self.send_newcomer_away(place);
            return false;
        }
        self.end_session(place, now);
        self.close_via(via, CloseReason::TakenOver);
        self.event(place, What::TakenOver { from, to: source }, now);
        true
    }

    pub(super) fn begin(
        &mut self,
        place: u32,
        epoch: SessionEpoch,
        via: Via,
        source: IpAddr,
        now: Instant,
    ) {
        let in_grace = self.summary_due;
        let Some(device) = self.device_mut(place) else {
            return;
        };
        device.begin(epoch, via, source);
        let missed = std::mem::take(&mut device.missed);
        let back = device.presence.online(missed && in_grace, now);
        if missed {
            self.missing -= 1;
            self.back += 1;
        }
        self.event(place, What::Online, now);
        if let Some(back) = back {
            self.event(place, back, now);
        }
        self.plan_device(place, now);
    }

    fn close_via(&mut self, via: Via, reason: CloseReason) {
        if let Via::Tcp(connection) = via {
            self.close(connection, reason);
        }
    }

    /// What the session had is settled: the rest of its stream is a message, what was on its way is uncertain.
    fn end_session(&mut self, place: u32, now: Instant) {
        self.flush(place, now);
        let Some(device) = self.device_mut(place) else {
            return;
        };
        device.via = None;
        while let Some(over) = self
            .device_mut(place)
            .and_then(|device| device.downlink.uncertain())
        {
            self.uncertain(place, over, now);
        }
    }

    fn offline(&mut self, place: u32, now: Instant) {
        let Self {
            devices,
            alarms,
            grace_until,
            ..
        } = self;
        let Some(device) = devices.get_mut(place as usize).and_then(Option::as_mut) else {
            return;
        };
        let alarm = device.presence.offline(alarms, *grace_until, now);
        self.event(place, What::Offline, now);
        if let Some(alarm) = alarm {
            self.event(place, alarm, now);
        }
        self.plan_device(place, now);
    }

    /// The connection of the session is over, and nobody has taken its place.
    pub(super) fn ended(&mut self, place: u32, now: Instant) {
        self.end_session(place, now);
        self.offline(place, now);
        self.let_newcomer_in(place, now);
    }

    /// Something of the device is due.
    pub(super) fn device_due(&mut self, place: u32, now: Instant) {
        self.stream_due(place, now);
        self.expire(place, now);
        let Self {
            devices, alarms, ..
        } = self;
        let Some(device) = devices.get_mut(place as usize).and_then(Option::as_mut) else {
            return;
        };
        let what = device.presence.fire(device.record.heartbeat, alarms, now);
        let (via, closes) = (device.via, now >= device.closes_at());
        if let Some(what) = what {
            self.event(place, what, now);
            match (what, via) {
                (What::Silent, Some(Via::Udp(_))) => {
                    // No connection of it can be seen to end.
                    self.ended(place, now);
                }
                (What::Silent, _) => self.let_newcomer_in(place, now),
                _ => {}
            }
        }
        if closes && let Some(via) = via {
            self.close_via(via, CloseReason::Silent);
            self.ended(place, now);
        }
        self.pump(place, now);
        self.plan_device(place, now);
    }

    /// Another node has the device.
    pub(super) fn epoch_elsewhere(&mut self, id: DeviceId, epoch: SessionEpoch, now: Instant) {
        let Some(place) = self.ids.get(&id).copied() else {
            return;
        };
        let Some(device) = self.device_mut(place) else {
            return;
        };
        device.claimed = device.claimed.max(epoch);
        if epoch <= device.epoch {
            return;
        }
        if let Some(via) = device.via {
            self.end_session(place, now);
            self.close_via(via, CloseReason::TakenOver);
        }
        if let Some(device) = self.device_mut(place) {
            device.epoch = epoch;
            device.presence.elsewhere();
        }
        self.send_newcomer_away(place);
    }

    pub(super) fn store_failed(&mut self) {
        if self.journal.failed() {
            self.log(Log::StoreFailed);
        }
        self.refuse_claims();
    }
}
