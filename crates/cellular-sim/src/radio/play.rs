//! Verbs are carried out: those of the script in their time, and those of callers at once.

use dtu_proto::time::Instant;
use sms_codec::user_data::Body;

use super::network::{Network, VerbError};
use super::script::Script;
use super::settings::Id;
use super::verb::{ModemFault, Verb};

/// Problems that nobody has looked at.
const PROBLEMS_MAX: usize = 100;

impl Network {
    /// The network plays this from now on; its times count from the start of time.
    pub fn play(&mut self, script: Script) {
        self.script.steps = script.steps.into();
    }

    /// Faults that are an AT modem's to show.
    pub fn poll_fault(&mut self) -> Option<(Id, ModemFault)> {
        self.script.faults.pop_front()
    }

    /// What a script wanted and could not be done, in words.
    pub fn poll_problem(&mut self) -> Option<String> {
        self.script.problems.pop_front()
    }

    pub(super) fn run_script(&mut self, now: Instant) {
        while self.script.timeout().is_some_and(|at| at <= now)
            && let Some(step) = self.script.steps.pop_front()
        {
            if let Err(problem) = self.carry_out(step.modem, &step.verb, now) {
                self.note_problem(format!("line {}: {problem}", step.line));
            }
        }
    }

    fn note_problem(&mut self, text: String) {
        if self.script.problems.len() < PROBLEMS_MAX {
            self.script.problems.push_back(text);
        }
    }

    /// Makes it happen to the modem of that number (1 and up), or around it.
    ///
    /// # Errors
    /// There is no such modem, or what [`VerbError`] says.
    pub fn carry_out(&mut self, modem: usize, verb: &Verb, now: Instant) -> Result<(), VerbError> {
        let id = modem
            .checked_sub(1)
            .map(Id)
            .filter(|id| id.0 < self.ports.len())
            .ok_or(VerbError::NoSuchModem)?;
        let own = self
            .ports
            .get(id.0)
            .and_then(|port| port.subscriber.number)
            .ok_or(VerbError::NoSuchNumber)?;
        match verb {
            Verb::Text { from, to, text } => self.send_text(*from, to.unwrap_or(own), text, now)?,
            Verb::Data { from, octets } => {
                self.send_body(*from, own, Body::Octets(octets.clone()), now)?
            }
            Verb::Pdu(pdu) => self.inject(id, pdu.tpdu.clone(), now)?,
            Verb::Call { from, to } => self.call(*from, to.unwrap_or(own), now)?,
            Verb::Answer(phone) => self.answer(*phone, now)?,
            Verb::HangUp(phone) => self.hang_up(*phone, now)?,
            Verb::Phone(phone, answering) => self.set_answering(*phone, *answering, now)?,
            Verb::Faults(faults) => self.set_faults(*faults),
            Verb::SubmitTime(span) => self.settings.submit = *span,
            Verb::DeliveryTime(span) => self.settings.delivery = *span,
            Verb::Registration(..)
            | Verb::Signal(_)
            | Verb::SignalMoves(_)
            | Verb::Cell(_)
            | Verb::Operator(_)
            | Verb::Reset(_)
            | Verb::Leave(_)
            | Verb::Back
            | Verb::Modem(_) => self.happen_to(id, verb, now),
        }
        Ok(())
    }

    fn happen_to(&mut self, id: Id, verb: &Verb, now: Instant) {
        match verb {
            Verb::Registration(registration, during) => {
                self.force_registration(id, *registration, *during, now)
            }
            Verb::Signal(signal) => self.set_signal(id, *signal),
            Verb::SignalMoves(mean) => self.set_signal_moves(id, *mean, now),
            Verb::Cell(cell) => self.set_cell(id, *cell),
            Verb::Operator(operator) => self.set_operator(id, operator.clone()),
            Verb::Reset(away) => {
                let away = away.unwrap_or_else(|| self.settings.reset.draw(&mut self.rng));
                self.leave(id, Some(away), now);
            }
            Verb::Leave(away) => {
                self.script.faults.push_back((id, ModemFault::Vanish));
                self.leave(id, *away, now);
            }
            Verb::Back => self.come_back(id, now),
            Verb::Modem(fault) => self.script.faults.push_back((id, *fault)),
            Verb::Text { .. }
            | Verb::Data { .. }
            | Verb::Pdu(_)
            | Verb::Call { .. }
            | Verb::Answer(_)
            | Verb::HangUp(_)
            | Verb::Phone(..)
            | Verb::Faults(_)
            | Verb::SubmitTime(_)
            | Verb::DeliveryTime(_) => {}
        }
    }
}
