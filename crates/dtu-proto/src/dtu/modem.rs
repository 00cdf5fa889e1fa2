//! What the modem tells, and what it is told.

use super::Dtu;
use crate::at;
use crate::event::Output;
use crate::mode::Modes;
use crate::radio::{ModemIdentity, ModemInput, ModemOutput, NetworkTime, Registration};
use crate::status::RadioStatus;

impl Dtu {
    pub(super) fn handle_modem(&mut self, input: &ModemInput) {
        let before = (self.radio.clone(), self.attached.is_some());
        self.take_news(input);
        let after = (&self.radio, self.attached.is_some());
        let texts = at::registration_changes((&before.0, before.1), after, &self.config);
        texts.into_iter().for_each(|text| self.print_urc(text));
    }

    fn take_news(&mut self, input: &ModemInput) {
        match input {
            ModemInput::Present(identity) => self.modem_present(identity),
            ModemInput::Gone => self.modem_gone(),
            ModemInput::Attached(address) => {
                self.attached = Some(*address);
                self.with_modes(Modes::network);
            }
            ModemInput::Detached => {
                self.attached = None;
                self.with_modes(Modes::network);
            }
            ModemInput::Sim(state) => self.radio.sim = *state,
            ModemInput::Registration(registration) => self.registration(*registration),
            ModemInput::Operator(operator) => self.radio.operator.clone_from(operator),
            ModemInput::Signal(signal) => self.radio.signal = *signal,
            ModemInput::Cell(cell) => self.radio.cell = *cell,
            ModemInput::OwnNumber(number) => self.radio.own_number = *number,
            ModemInput::ServiceCenter(number) => self.radio.service_center = *number,
            ModemInput::Lacks(words) => self.radio.lacks.clone_from(words),
            ModemInput::Clock(time) => self.network_time(*time),
            ModemInput::Message { id, pdu } => self.message_came(*id, pdu),
            ModemInput::Submitted { token, outcome } => self.submitted(*token, *outcome),
            ModemInput::Call(news) => self.call_news(*news),
        }
    }

    fn registration(&mut self, registration: Registration) {
        let was = core::mem::replace(&mut self.radio.registration, registration);
        if registration.is_registered() && !was.is_registered() {
            self.mailbox.outbox.hurry(self.now);
        }
    }

    fn modem_present(&mut self, identity: &ModemIdentity) {
        self.call_lost();
        self.network_clock = None;
        self.mailbox.outbox.modem_came();
        self.radio = RadioStatus {
            modem: Some(identity.clone()),
            ..RadioStatus::default()
        };
    }

    fn modem_gone(&mut self) {
        self.call_lost();
        self.network_clock = None;
        self.radio = RadioStatus::default();
        // Behind that: the next message is not given to a modem that is gone.
        self.submit_lost();
    }

    /// The network's time is the device's; the zone is not kept, as with `AT+CCLK`.
    fn network_time(&mut self, time: NetworkTime) {
        self.clock.set(time.seconds, self.now);
        self.network_clock = Some(self.clock);
    }

    /// Tells the access point that is set, where it is another one than before.
    pub(super) fn use_apn(&mut self) {
        if self.apn.as_ref() != Some(&self.config.apn) {
            self.apn = Some(self.config.apn.clone());
            self.order_modem(ModemOutput::UseApn(self.config.apn.clone()));
        }
    }

    pub(super) fn order_modem(&mut self, order: ModemOutput) {
        self.outputs.push_back(Output::Modem(order));
    }
}
