//! What is told: to the log, to the store, to programs.

use super::Hub;
use crate::event::{Event, Log, Output, Row, What};
use crate::ids::SessionEpoch;
use crate::presence::State;
use crate::registry::Rights;
use crate::time::Instant;
use crate::topic::Kind;

impl Hub {
    pub(super) fn log(&mut self, log: Log) {
        self.outputs.push_back(Output::Log(log));
    }

    /// Something happened to a device, in its present session.
    pub(super) fn event(&mut self, place: u32, what: What, now: Instant) {
        let Some(device) = self.device(place) else {
            return;
        };
        let event = Event {
            device: Some(device.record.id),
            epoch: device.epoch,
            at: now,
            what,
        };
        self.journal.push(Row::Event(event), now);
        self.log(Log::Event(event));
        let Self {
            devices,
            accounts,
            sessions,
            outputs,
            counters,
            ..
        } = self;
        let Some(device) = devices.get(place as usize).and_then(Option::as_ref) else {
            return;
        };
        let readers = device
            .accounts
            .iter()
            .filter(|(_, rights)| rights.has(Rights::READ));
        let all = readers.filter_map(|(account, _)| accounts.get(*account as usize));
        let own = device.subs.iter().filter(|sub| sub.kind == Kind::Status);
        for sub in own.chain(all.flat_map(|account| &account.status)) {
            let place = sessions.get_mut(sub.session.0 as usize);
            let Some(session) = place.and_then(|place| place.session.as_mut()) else {
                continue;
            };
            match (session.tell(event), session.attached) {
                (Ok(Some(output)), Some(program)) => {
                    outputs.push_back(Output::Program(program, output));
                }
                (Ok(_), _) => {}
                (Err(()), _) => counters.program_messages_dropped += 1,
            }
        }
    }

    /// The state of a device, for who asks for it now.
    pub(super) fn present_state(&self, place: u32, now: Instant) -> Option<Event> {
        let device = self.device(place)?;
        let what = match device.presence.state() {
            State::Connected => What::Online,
            State::Silent => What::Silent,
            State::Offline => What::Offline,
        };
        Some(Event {
            device: Some(device.record.id),
            epoch: device.epoch,
            at: now,
            what,
        })
    }

    /// "five minutes of grace and one summary after a restart of the server"
    pub(super) fn summary(&mut self, now: Instant) {
        self.summary_due = false;
        let event = Event {
            device: None,
            epoch: SessionEpoch::default(),
            at: now,
            what: What::Summary {
                back: self.back,
                missing: self.missing,
            },
        };
        self.journal.push(Row::Event(event), now);
        self.log(Log::Event(event));
    }
}
