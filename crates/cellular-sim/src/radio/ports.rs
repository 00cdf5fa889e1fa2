//! The ports of modems: whether each is there, registered, and what it hears of the network.

use dtu_proto::radio::{
    Abilities, Cell, ModemIdentity, ModemInput, ModemOutput, Operator, Registration, Signal,
    SimState, SubmitFailure,
};
use dtu_proto::time::{Duration, Instant};

use super::network::Network;
use super::port::{Plan, Port};
use super::settings::{Id, Party, Subscriber};

/// How long a modem looks around before it is registered again after the network was lost for a while.
const FINDS_AGAIN: Duration = Duration::from_millis(800);

impl Network {
    /// A modem of its own, with a number if it has none. It is there at once.
    pub fn add(&mut self, subscriber: Subscriber, now: Instant) -> Id {
        let id = Id(self.ports.len());
        let number = subscriber.number.or_else(|| self.free_number());
        let on_air = subscriber.on_air;
        self.ports.push(Port {
            subscriber: Subscriber {
                number,
                room: subscriber.room.clamp(1, 255),
                ..subscriber
            },
            there: true,
            on_air,
            registration: Registration::NotRegistered,
            cell: self.settings.cell,
            operator: self.settings.operator.clone(),
            signal: self.settings.signal,
            plans: Vec::new(),
        });
        self.plan_signal(id, now);
        self.appear(id, now);
        id
    }

    /// Who it is.
    ///
    /// # Panics
    /// Never with an [`Id`] of this network.
    #[must_use]
    pub fn subscriber(&self, id: Id) -> &Subscriber {
        &self.ports[id.0].subscriber
    }

    /// How it is registered.
    #[must_use]
    pub fn registration(&self, id: Id) -> Registration {
        self.ports
            .get(id.0)
            .map_or(Registration::Unknown, |port| port.registration)
    }

    /// Carries out an order of the device that has this modem.
    pub fn handle_order(&mut self, id: Id, order: &ModemOutput, now: Instant) {
        self.handle_timeout(now);
        match order {
            ModemOutput::Reset => {
                let away = self.settings.reset.draw(&mut self.rng);
                self.leave(id, Some(away), now);
            }
            ModemOutput::UseApn(_) => {}
            ModemOutput::Submit { token, pdu } => self.submit(id, *token, pdu, now),
            ModemOutput::Taken(number) => self.taken(id, *number, now),
            ModemOutput::Dial(number) => self.dial(id, *number, now),
            ModemOutput::Answer => self.pick_up(Party::Modem(id), now),
            ModemOutput::HangUp => self.put_down(Party::Modem(id), now),
        }
    }

    /// The modem is gone; with a time, it comes back by itself. The network soon knows that it is not there.
    pub fn leave(&mut self, id: Id, away: Option<Duration>, now: Instant) {
        let Some(port) = self.ports.get_mut(id.0) else {
            return;
        };
        port.drop_plans(|plan| plan != Plan::MoveSignal);
        if let Some(away) = away {
            port.plans.push((now + away, Plan::Return));
        }
        if !std::mem::replace(&mut port.there, false) {
            return;
        }
        port.registration = Registration::NotRegistered;
        self.cut_calls_of(id, now);
        self.center.forget_given(id);
        let lost: Vec<u32> = self
            .submit_results
            .iter()
            .filter(|answer| answer.modem == id)
            .map(|a| a.token)
            .collect();
        self.submit_results.retain(|answer| answer.modem != id);
        for token in lost {
            self.emit(
                id,
                ModemInput::Submitted {
                    token,
                    outcome: Err(SubmitFailure::NO_MODEM),
                },
            );
        }
        self.emit(id, ModemInput::Gone);
    }

    /// Another host opens the modem, as after a crash: nothing that was under way for the last one is answered any more,
    /// its call is cut, and everything is told anew.
    pub fn open_anew(&mut self, id: Id, now: Instant) {
        self.handle_timeout(now);
        self.cut_calls_of(id, now);
        self.submit_results.retain(|answer| answer.modem != id);
        self.center.forget_given(id);
        self.events.retain(|(to, _)| *to != id);
        if self.ports.get(id.0).is_some_and(Port::is_there) {
            self.appear_as_it_is(id);
        } else {
            self.emit(id, ModemInput::Gone);
        }
        self.run_center(now);
    }

    /// A modem that has left is back.
    pub fn come_back(&mut self, id: Id, now: Instant) {
        let Some(port) = self.ports.get_mut(id.0) else {
            return;
        };
        port.drop_plans(|plan| plan == Plan::Return);
        if !std::mem::replace(&mut port.there, true) {
            self.appear(id, now);
        }
    }

    /// Its transmitter goes on or off. Off, it stays a modem, but without a network.
    pub fn set_on_air(&mut self, id: Id, on: bool, now: Instant) {
        let Some(port) = self.ports.get_mut(id.0) else {
            return;
        };
        if std::mem::replace(&mut port.on_air, on) == on || !port.there {
            return;
        }
        port.drop_plans(|plan| matches!(plan, Plan::Register(_)));
        if on {
            self.look_for_network(id, now);
        } else {
            self.set_registration(id, Registration::NotRegistered, now);
        }
    }

    /// The registration becomes this; with a time, for so long, and then the modem finds its network again.
    pub fn force_registration(
        &mut self,
        id: Id,
        registration: Registration,
        during: Option<Duration>,
        now: Instant,
    ) {
        let home = self.settings.registers_as;
        let Some(port) = self.ports.get_mut(id.0).filter(|port| port.there) else {
            return;
        };
        port.drop_plans(|plan| matches!(plan, Plan::Register(_)));
        if let Some(during) = during {
            port.plans
                .push((now + during, Plan::Register(Registration::Searching)));
            port.plans
                .push((now + during + FINDS_AGAIN, Plan::Register(home)));
        }
        self.set_registration(id, registration, now);
    }

    /// Another signal.
    pub fn set_signal(&mut self, id: Id, signal: Signal) {
        let Some(port) = self.ports.get_mut(id.0) else {
            return;
        };
        port.signal = signal;
        if port.there && port.on_air {
            self.emit(id, ModemInput::Signal(signal));
        }
    }

    /// Another cell.
    pub fn set_cell(&mut self, id: Id, cell: Cell) {
        let Some(port) = self.ports.get_mut(id.0) else {
            return;
        };
        port.cell = cell;
        if port.takes_messages() {
            self.emit(id, ModemInput::Cell(Some(cell)));
        }
    }

    /// Another operator.
    pub fn set_operator(&mut self, id: Id, operator: Operator) {
        let Some(port) = self.ports.get_mut(id.0) else {
            return;
        };
        port.operator = operator.clone();
        if port.takes_messages() {
            self.emit(id, ModemInput::Operator(Some(operator)));
        }
    }

    pub(super) fn run_port(&mut self, id: Id, now: Instant) {
        while let Some(plan) = self.next_plan(id, now) {
            match plan {
                Plan::Return => self.come_back(id, now),
                Plan::Register(registration) => self.set_registration(id, registration, now),
                Plan::MoveSignal => self.move_signal(id, now),
            }
        }
    }

    fn next_plan(&mut self, id: Id, now: Instant) -> Option<Plan> {
        let port = self.ports.get_mut(id.0)?;
        let due = port
            .plans
            .iter()
            .enumerate()
            .filter(|(_, (at, _))| *at <= now);
        let (place, _) = due.min_by_key(|(place, (at, _))| (*at, *place))?;
        Some(port.plans.remove(place).1)
    }

    pub(super) fn emit(&mut self, id: Id, event: ModemInput) {
        self.events.push_back((id, event));
    }

    /// All that is known of a modem that has just been found.
    fn appear(&mut self, id: Id, now: Instant) {
        self.emit_identity(id);
        self.look_for_network(id, now);
    }

    /// The same of one that has been on the air all the time.
    fn appear_as_it_is(&mut self, id: Id) {
        self.emit_identity(id);
        let Some(port) = self.ports.get(id.0) else {
            return;
        };
        let (registration, operator, cell) = (port.registration, port.operator.clone(), port.cell);
        let (signal, address) = (port.signal, port.subscriber.address);
        self.emit(id, ModemInput::Registration(registration));
        if registration.is_registered() {
            self.emit(id, ModemInput::Operator(Some(operator)));
            self.emit(id, ModemInput::Cell(Some(cell)));
            self.emit(id, ModemInput::Signal(signal));
            address
                .into_iter()
                .for_each(|address| self.emit(id, ModemInput::Attached(address)));
        }
    }

    fn emit_identity(&mut self, id: Id) {
        let Some(port) = self.ports.get(id.0) else {
            return;
        };
        let Subscriber {
            imei,
            imsi,
            model,
            number,
            service_center,
            ..
        } = port.subscriber.clone();
        let abilities = Abilities {
            messages: true,
            calls: true,
        };
        self.emit(
            id,
            ModemInput::Present(ModemIdentity {
                imei,
                imsi,
                model,
                abilities,
            }),
        );
        self.emit(id, ModemInput::Sim(SimState::Ready));
        self.emit(id, ModemInput::OwnNumber(number));
        self.emit(id, ModemInput::ServiceCenter(service_center));
    }

    fn look_for_network(&mut self, id: Id, now: Instant) {
        let Some(port) = self.ports.get(id.0).filter(|port| port.on_air) else {
            return;
        };
        let signal = port.signal;
        self.emit(id, ModemInput::Signal(signal));
        let (wait, found) = (
            self.settings.registration.draw(&mut self.rng),
            self.settings.registers_as,
        );
        if wait.is_zero() {
            return self.set_registration(id, found, now);
        }
        if let Some(port) = self.ports.get_mut(id.0) {
            port.plans.push((now + wait, Plan::Register(found)));
        }
        self.set_registration(id, Registration::Searching, now);
    }

    fn set_registration(&mut self, id: Id, registration: Registration, now: Instant) {
        let clock = self.settings.tells_clock.then(|| self.clock(now));
        let Some(port) = self.ports.get_mut(id.0) else {
            return;
        };
        let was = std::mem::replace(&mut port.registration, registration);
        let (on, address) = (registration.is_registered(), port.subscriber.address);
        let (operator, cell, signal) = (port.operator.clone(), port.cell, port.signal);
        self.emit(id, ModemInput::Registration(registration));
        if on && !was.is_registered() {
            self.emit(id, ModemInput::Operator(Some(operator)));
            self.emit(id, ModemInput::Cell(Some(cell)));
            self.emit(id, ModemInput::Signal(signal));
            clock
                .into_iter()
                .for_each(|clock| self.emit(id, ModemInput::Clock(clock)));
            address
                .into_iter()
                .for_each(|address| self.emit(id, ModemInput::Attached(address)));
        } else if was.is_registered() && !on {
            self.cut_calls_of(id, now);
            self.emit(id, ModemInput::Operator(None));
            self.emit(id, ModemInput::Cell(None));
            self.emit(id, ModemInput::Signal(Signal::UNKNOWN));
            address
                .into_iter()
                .for_each(|_| self.emit(id, ModemInput::Detached));
        }
    }

    /// The signal moves about this often from now on, or not at all.
    pub fn set_signal_moves(&mut self, id: Id, mean: Option<Duration>, now: Instant) {
        self.settings.signal_moves = mean;
        if let Some(port) = self.ports.get_mut(id.0) {
            port.drop_plans(|plan| plan == Plan::MoveSignal);
        }
        self.plan_signal(id, now);
    }

    fn plan_signal(&mut self, id: Id, now: Instant) {
        let Some(mean) = self.settings.signal_moves else {
            return;
        };
        let wait = self.rng.wait(
            u64::try_from(mean.as_micros())
                .unwrap_or(1_000_000)
                .max(1000),
        );
        if let Some(port) = self.ports.get_mut(id.0) {
            port.plans
                .push((now + Duration::from_micros(wait), Plan::MoveSignal));
        }
    }

    fn move_signal(&mut self, id: Id, now: Instant) {
        let up = self.rng.chance(50);
        self.plan_signal(id, now);
        let Some(port) = self.ports.get(id.0) else {
            return;
        };
        let Signal {
            strength,
            error_rate,
        } = port.signal;
        let strength = if up {
            (strength + 1).min(31)
        } else {
            strength.saturating_sub(1).max(1)
        };
        self.set_signal(
            id,
            Signal {
                strength,
                error_rate,
            },
        );
    }
}
