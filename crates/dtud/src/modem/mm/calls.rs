//! The one call.

use std::collections::HashMap;
use std::time::Duration;

use dtu_proto::event::ModemInput;
use dtu_proto::radio::{CallEnd, CallNews, PhoneNumber};
use tracing::warn;
use zbus::zvariant::{ObjectPath, OwnedObjectPath, Value};

use super::bus::{Properties, QUICK, TERMINATED, Trouble};
use super::session::{Done, Session};
use super::words;

/// A call, as it was told.
#[derive(Clone, Debug)]
pub(super) struct Call {
    path: String,
    alerted: bool,
    answered: bool,
}

impl Session<'_> {
    pub(super) async fn read_calls_if(&mut self, marked: bool) -> Result<(), Trouble> {
        if !marked || !self.found.has(VOICE) || self.state < words::ENABLED {
            return Ok(());
        }
        let list: Vec<OwnedObjectPath> = self
            .bus
            .call(&self.found.path, VOICE, "ListCalls", &(), QUICK)
            .await?;
        if self
            .call
            .as_ref()
            .is_some_and(|call| !list.iter().any(|path| path.as_str() == call.path))
        {
            self.end_call(0).await;
        }
        for path in list {
            // One that is gone by now is no news.
            if let Ok(call) = self.bus.properties(path.as_str(), ".Call").await {
                self.look_at_call(path.as_str(), &call).await;
            }
        }
        Ok(())
    }

    async fn look_at_call(&mut self, path: &str, call: &Properties) {
        let state = call.signed("State").unwrap_or_default();
        match &self.call {
            Some(own) if own.path == path => self.follow_call(state, call).await,
            None if matches!(state, RINGING_IN | WAITING) => {
                self.call = Some(Call {
                    path: path.to_owned(),
                    alerted: false,
                    answered: false,
                });
                let from = call.text("Number").and_then(PhoneNumber::new);
                self.worker
                    .report(ModemInput::Call(CallNews::Incoming { from }))
                    .await;
            }
            // A second caller.
            Some(_) if matches!(state, RINGING_IN | WAITING) => {
                self.give("Hangup", path.to_owned())
            }
            Some(_) | None if state == TERMINATED => self.forget_call(path),
            Some(_) | None => {}
        }
    }

    async fn follow_call(&mut self, state: i32, properties: &Properties) {
        let Some(call) = &mut self.call else { return };
        if state == RINGING_OUT && !std::mem::replace(&mut call.alerted, true) {
            self.worker
                .report(ModemInput::Call(CallNews::Alerting))
                .await;
        } else if state == ACTIVE && !std::mem::replace(&mut call.answered, true) {
            self.worker
                .report(ModemInput::Call(CallNews::Answered))
                .await;
        } else if state == TERMINATED {
            let reason = properties
                .signed("StateReason")
                .and_then(|reason| u32::try_from(reason).ok());
            self.end_call(reason.unwrap_or_default()).await;
        }
    }

    /// Calls that signals told the end of.
    pub(super) async fn calls_ended(&mut self, ended: &[(String, u32)]) {
        for (path, reason) in ended {
            if self.call.as_ref().is_some_and(|call| call.path == *path) {
                self.end_call(*reason).await;
            }
        }
    }

    async fn end_call(&mut self, reason: u32) {
        let Some(call) = self.call.take() else { return };
        self.forget_call(&call.path);
        let end = words::call_end(reason, call.answered, call.alerted);
        self.worker
            .report(ModemInput::Call(CallNews::Ended(end)))
            .await;
        self.connect_if_due().await;
    }

    /// MM keeps a call that is over until it is deleted.
    fn forget_call(&mut self, path: &str) {
        let Ok(call) = ObjectPath::try_from(path.to_owned()) else {
            return;
        };
        let (bus, modem) = (self.bus.clone(), self.found.path.clone());
        self.jobs.spawn(async move {
            let deleted: Result<(), Trouble> = bus
                .call(&modem, VOICE, "DeleteCall", &(&call,), QUICK)
                .await;
            drop(deleted);
            Done::Other(None)
        });
    }

    pub(super) async fn dial(&mut self, number: PhoneNumber) {
        let made = match &self.call {
            Some(_) => Err(Trouble::Broken("there is a call already".to_owned())),
            None => self.make_call(number).await,
        };
        match made {
            Ok(path) => {
                self.call = Some(Call {
                    path: path.clone(),
                    alerted: false,
                    answered: false,
                });
                self.give("Start", path);
            }
            Err(why) => {
                warn!("modem: no call to {number}: {why}");
                self.worker
                    .report(ModemInput::Call(CallNews::Ended(CallEnd::NoCarrier)))
                    .await;
            }
        }
    }

    async fn make_call(&self, number: PhoneNumber) -> Result<String, Trouble> {
        let wanted = HashMap::from([("number", Value::from(number.as_str()))]);
        let call: OwnedObjectPath = self
            .bus
            .call(&self.found.path, VOICE, "CreateCall", &(wanted,), QUICK)
            .await?;
        Ok(call.to_string())
    }

    /// To the one call, if there is one.
    pub(super) fn order_call(&mut self, order: &'static str) {
        if let Some(call) = &self.call {
            self.give(order, call.path.clone());
        }
    }

    fn give(&mut self, order: &'static str, path: String) {
        let bus = self.bus.clone();
        self.jobs.spawn(async move {
            let given: Result<(), Trouble> = bus.call(&path, ".Call", order, &(), CALL).await;
            match given {
                Ok(()) => Done::Other(None),
                Err(why) => Done::CallFailed(path, why),
            }
        });
    }

    pub(super) async fn call_failed(&mut self, path: &str, why: &Trouble) {
        warn!("modem: call: {why}");
        if self.call.as_ref().is_some_and(|call| call.path == path) {
            let outcome = self.read_calls_if(true).await;
            // Without a word of MM a call that cannot be handled is over.
            if outcome.is_err()
                || self
                    .call
                    .as_ref()
                    .is_some_and(|call| call.path == path && !call.answered)
            {
                self.end_call(ERROR).await;
            }
        }
    }
}

const VOICE: &str = ".Modem.Voice";
/// `MMCallState`
const RINGING_OUT: i32 = 2;
const RINGING_IN: i32 = 3;
const ACTIVE: i32 = 4;
const WAITING: i32 = 6;
/// `MM_CALL_STATE_REASON_ERROR`
const ERROR: u32 = 6;
const CALL: Duration = Duration::from_secs(90);
