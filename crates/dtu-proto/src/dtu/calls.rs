//! The call as the device carries it: settings in, orders, `RING`s and results out.

use alloc::vec::Vec;
use bytes::Bytes;

use super::Dtu;
use crate::at;
use crate::cellular::{Action, CallUrc, Calls, Dial, Rules, Step};
use crate::event::{Event, Origin};
use crate::line::{Keep, Urc};
use crate::radio::{CallNews, PhoneNumber};

impl Dtu {
    pub(super) fn on_call(&mut self, news: CallNews) {
        self.with_calls(|calls, step| calls.news(news, step));
    }

    /// Calls a number. Only a DTE that typed the command itself is told how it goes.
    pub(super) fn dial(&mut self, origin: Origin, number: PhoneNumber) {
        let dial = Dial {
            number,
            told: origin == Origin::Serial,
        };
        self.with_calls(|calls, step| calls.dial(dial, step));
    }

    pub(super) fn answer_call(&mut self, origin: Origin) {
        self.with_calls(|calls, step| calls.answer(origin == Origin::Serial, step));
    }

    pub(super) fn hang_up(&mut self, origin: Origin) {
        self.with_calls(|calls, step| calls.hang_up(origin == Origin::Serial, step));
    }

    pub(super) fn call_lost(&mut self) {
        self.with_calls(Calls::lost);
    }

    pub(super) fn end_call(&mut self) {
        self.with_calls(Calls::end);
    }

    pub(super) fn call_due(&mut self) {
        self.with_calls(Calls::fire);
    }

    fn with_calls(&mut self, run: impl FnOnce(&mut Calls, &mut Step<'_>)) {
        let mut actions = Vec::new();
        let rules = Rules {
            auto_answer: self.config.auto_answer,
            refuse: self.config.refuse_calls,
        };
        run(
            &mut self.cellular.calls,
            &mut Step {
                now: self.now,
                rules,
                actions: &mut actions,
            },
        );
        for action in actions {
            match action {
                Action::Order(order) => self.order_modem(order),
                Action::Urc(urc) => {
                    let text = Bytes::from(at::call_text(urc, &self.config));
                    if !text.is_empty() {
                        let is_ring = matches!(urc, CallUrc::Ring { .. });
                        let urc = if is_ring { Urc::Ring } else { Urc::Call };
                        self.urc(urc(text), Keep::UntilData);
                    }
                }
                Action::Forget => self.line.forget_calls(),
                Action::ForgetRings => self.line.forget_rings(),
                Action::Log(event) => self.event(Event::Call(event)),
            }
        }
    }
}
