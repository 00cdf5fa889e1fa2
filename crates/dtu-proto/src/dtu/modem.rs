//! What the modem tells, and what it is told.

use super::Dtu;
use crate::at;
use crate::event::Output;
use crate::line::{Keep, Urc};
use crate::mode::Modes;
use crate::radio::{ModemIdentity, ModemInput, ModemOutput, Registration};

impl Dtu {
    pub(super) fn handle_modem(&mut self, input: &ModemInput) {
        let before = (self.cellular.radio.clone(), self.cellular.is_attached());
        self.on_modem_input(input);
        let after = (&self.cellular.radio, self.cellular.is_attached());
        let texts = at::registration_changes((&before.0, before.1), after, &self.config);
        for text in texts {
            self.urc(Urc::Text(text), Keep::UntilData);
        }
    }

    fn on_modem_input(&mut self, input: &ModemInput) {
        match input {
            ModemInput::Present(identity) => self.modem_present(identity),
            ModemInput::Gone => self.modem_gone(),
            ModemInput::Attached(address) => {
                self.cellular.attached = Some(*address);
                self.with_modes(Modes::network);
            }
            ModemInput::Detached => {
                self.cellular.attached = None;
                self.with_modes(Modes::network);
            }
            ModemInput::Sim(state) => self.cellular.radio.sim = *state,
            ModemInput::Registration(registration) => self.registration(*registration),
            ModemInput::Operator(operator) => self.cellular.radio.operator.clone_from(operator),
            ModemInput::Signal(signal) => self.cellular.radio.signal = *signal,
            ModemInput::Cell(cell) => self.cellular.radio.cell = *cell,
            ModemInput::OwnNumber(number) => self.cellular.radio.own_number = *number,
            ModemInput::ServiceCenter(number) => self.cellular.radio.service_center = *number,
            ModemInput::Lacks(words) => self.cellular.radio.lacks.clone_from(words),
            ModemInput::Clock(time) => self.cellular.network_time(*time, self.now),
            ModemInput::Message { id, pdu } => self.message_came(*id, pdu),
            ModemInput::Submitted { token, outcome } => self.submitted(*token, *outcome),
            ModemInput::Call(news) => self.on_call(*news),
        }
    }

    fn registration(&mut self, registration: Registration) {
        if self.cellular.registration(registration) {
            self.mailbox.outbox.hurry(self.now);
        }
    }

    fn modem_present(&mut self, identity: &ModemIdentity) {
        self.call_lost();
        self.mailbox.outbox.modem_came();
        self.cellular.modem_present(identity);
    }

    fn modem_gone(&mut self) {
        self.call_lost();
        self.cellular.modem_gone();
        // Behind that: the next message is not given to a modem that is gone.
        self.submit_lost();
    }

    /// Tells the modem the access point that is set, where it is another one than before.
    pub(super) fn use_apn(&mut self) {
        if let Some(order) = self.cellular.use_apn(&self.config.apn) {
            self.order_modem(order);
        }
    }

    pub(super) fn order_modem(&mut self, order: ModemOutput) {
        self.outputs.push_back(Output::Modem(order));
    }
}
