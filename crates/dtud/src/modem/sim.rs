//! A simulated modem.

use std::collections::VecDeque;
use std::task::Context;
use std::time::Duration;

use dtu_proto::Identity;
use dtu_proto::event::{ModemInput, ModemOutput};
use dtu_proto::radio::{ModemIdentity, Operator, PhoneNumber, Registration, Signal, SimState};
use dtu_proto::time::Instant;

use super::Driver;
use crate::settings;

pub(super) struct Sim {
    number: Option<PhoneNumber>,
    news: VecDeque<ModemInput>,
    /// While it is being reset.
    back_at: Option<Instant>,
}

impl Sim {
    pub(super) fn new(settings: &settings::Modem) -> Self {
        let mut sim = Self { number: settings.number, news: VecDeque::new(), back_at: None };
        sim.appear();
        sim
    }

    fn appear(&mut self) {
        let Identity { imei, imsi, .. } = Identity::default();
        let model = "simulated modem".to_owned();
        let operator = Operator { name: "China Mobile".to_owned(), code: "46000".to_owned() };
        self.news.extend([
            ModemInput::Present(ModemIdentity { imei, imsi, model, ..ModemIdentity::default() }),
            ModemInput::Sim(SimState::Ready),
            ModemInput::OwnNumber(self.number),
            ModemInput::Registration(Registration::Home),
            ModemInput::Operator(Some(operator)),
            ModemInput::Signal(Signal { strength: 31, error_rate: 99 }),
            ModemInput::Attached([10, 0, 0, 2].into()),
        ]);
    }
}

impl Driver for Sim {
    fn order(&mut self, order: ModemOutput, now: Instant, _cx: &mut Context<'_>) {
        if order == ModemOutput::Reset {
            self.news.clear();
            self.news.push_back(ModemInput::Gone);
            self.back_at = Some(now + RESET);
        }
    }

    fn poll(&mut self, _cx: &mut Context<'_>, now: Instant) -> Option<ModemInput> {
        if self.back_at.take_if(|at| *at <= now).is_some() {
            self.appear();
        }
        self.news.pop_front()
    }

    fn deadline(&self) -> Option<Instant> {
        self.back_at
    }

    fn status(&self) -> String {
        if self.back_at.is_some() { "restarting" } else { "simulated" }.to_owned()
    }
}

/// How long it is away when it is reset.
const RESET: Duration = Duration::from_secs(2);
