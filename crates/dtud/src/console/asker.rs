//! The device, as the console has it: asks the loop, and waits for its answer.

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::{Duration, Instant};

use dtu_console::device::{Device, Features, Order, Radio, Sets, Unavailable, Via};
use dtu_setup::door::{Door, DoorError, Reply};
use dtu_setup::say::Spoken as _;
use serde_json::Value;

use super::inbox::{Inbox, Line, Purpose, What};
use super::{lines, words};
use crate::modem;

/// What this device is.
#[derive(Clone, Debug)]
pub(crate) struct Kind {
    pub(crate) radio: Radio,
    /// The serial line.
    pub(crate) line: String,
}

impl Kind {
    pub(crate) fn new(modem: &modem::Address, line: &dyn std::fmt::Display) -> Self {
        Self {
            radio: match modem {
                modem::Address::Sim => Radio::Sim,
                modem::Address::At(_) | modem::Address::Mm(_) => Radio::Real,
                modem::Address::None => Radio::None,
            },
            line: line.to_string(),
        }
    }
}

pub(crate) struct Asker {
    inbox: Arc<Inbox>,
    kind: Kind,
}

impl Asker {
    pub(crate) const fn new(inbox: Arc<Inbox>, kind: Kind) -> Self {
        Self { inbox, kind }
    }

    fn ask<T>(
        &self,
        within: Duration,
        what: impl FnOnce(SyncSender<T>) -> What,
    ) -> Result<T, Unavailable> {
        self.put(within, what)()
    }

    /// Puts a question, and returns the way to wait for its answer.
    fn put<T, W: FnOnce(SyncSender<T>) -> What>(
        &self,
        within: Duration,
        what: W,
    ) -> impl FnOnce() -> Result<T, Unavailable> + use<T, W> {
        let (answer, told) = sync_channel(1);
        let is_put = self.inbox.ask(what(answer));
        move || {
            if !is_put {
                return Err(Unavailable::Refused(words::many_questions()));
            }
            told.recv_timeout(within)
                .map_err(|_| Unavailable::Silent(within))
        }
    }
}

impl Device for Asker {
    fn features(&self) -> Features {
        Features {
            live: true,
            inject: true,
            radio: self.kind.radio,
            confirm: true,
            name: format!("dtud on {}", self.kind.line),
            via: Via::Local,
        }
    }

    fn door(&self) -> Result<Box<dyn Door + Send + '_>, DoorError> {
        Ok(Box::new(Inside::new(self)))
    }

    fn status(&self, within: Duration) -> Result<Value, Unavailable> {
        self.ask(within, What::Status)
    }

    fn ask_status(&self, within: Duration) -> Box<dyn FnOnce() -> Result<Value, Unavailable> + '_> {
        Box::new(self.put(within, What::Status))
    }

    fn sets(&self) -> Result<Option<Sets>, Unavailable> {
        self.ask(SOON, What::Sets).map(Some)
    }

    fn patience(&self) -> Duration {
        PATIENCE
    }

    fn order(&self, order: Order) -> Result<(), Unavailable> {
        let done = self.ask(SOON, |answer| What::Order(order, answer))?;
        done.map_err(Unavailable::Refused)
    }

    fn messages(&self) -> Result<Value, Unavailable> {
        self.ask(SOON, What::Messages)
    }
}

/// Commands of the device's own console: no line, no rate, and nothing shuts it.
struct Inside<'a> {
    of: &'a Asker,
    purpose: Purpose,
}

impl<'a> Inside<'a> {
    const fn new(of: &'a Asker) -> Self {
        let purpose = Purpose::Own;
        Self { of, purpose }
    }

    /// Restarts so far.
    fn restarts(&self) -> Result<u64, DoorError> {
        let other = |why: Unavailable| DoorError::Other(why.spoken());
        let status = self.of.status(SOON).map_err(other)?;
        let restarts = status.get("restarts").and_then(Value::as_u64);
        restarts.ok_or_else(|| DoorError::Other(words::restarts_not_told()))
    }
}

impl Door for Inside<'_> {
    fn command(&mut self, line: &str) -> Result<Reply, DoorError> {
        let (answer, told) = sync_channel(1);
        let (text, purpose) = (line.to_owned(), self.purpose);
        if purpose == Purpose::ReadsFirst {
            self.purpose = Purpose::Reads;
        }
        let line_of_it = Line {
            text,
            purpose,
            answer,
        };
        if !self.of.inbox.ask(What::Line(line_of_it)) {
            return Err(DoorError::Other(words::many_questions()));
        }
        match told.recv_timeout(ANSWER_WITHIN) {
            Ok(Ok(reply)) => Ok(dtu_setup::whole_reply(line, &reply)),
            Ok(Err(why)) => Err(DoorError::Other(why)),
            Err(_) => Err(DoorError::NoReply {
                line: dtu_proto::shown_command(line),
                within: ANSWER_WITHIN,
            }),
        }
    }

    fn restart(&mut self, command: &str, _baud: Option<u32>) -> Result<(), DoorError> {
        // Without it any number would look like a restart.
        let before = self.restarts()?;
        let late = DoorError::NoRestart {
            within: RESTART_WITHIN,
        };
        self.command(command)?.taken(command)?;
        let until = Instant::now() + RESTART_WITHIN;
        while Instant::now() < until {
            if self.restarts().is_ok_and(|now| now > before) {
                return Ok(());
            }
            std::thread::sleep(LOOK_AGAIN);
        }
        Err(late)
    }

    fn leave(&mut self) -> Result<(), DoorError> {
        Ok(())
    }

    fn shut_by(&self) -> &[&str] {
        &[]
    }

    fn is_shut_at_once(&self) -> bool {
        false
    }

    fn reads(&mut self, begins: bool) {
        self.purpose = if begins {
            Purpose::ReadsFirst
        } else {
            Purpose::Own
        };
    }
}

/// The loop answers in its next turn.
const SOON: Duration = Duration::from_secs(2);
/// A little more than the loop takes: what has not begun by then never begins.
const ANSWER_WITHIN: Duration = lines::WITHIN.saturating_add(SOON);
/// The links close first.
const RESTART_WITHIN: Duration = Duration::from_secs(15);
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// A command that is not answered, and the last restart, are told as what they are.
const PATIENCE: Duration = ANSWER_WITHIN
    .saturating_add(RESTART_WITHIN)
    .saturating_add(SOON);

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use serde_json::json;

    use super::*;
    use crate::control::Control;

    /// What the device answers: `statuses` one by one and then the last for ever, `reply` to each line.
    fn restarted(statuses: &[Option<u64>], reply: &str) -> (Result<(), DoorError>, usize) {
        let inbox = Arc::new(Inbox::new(Arc::new(Control::default())));
        let kind = Kind {
            radio: Radio::None,
            line: String::new(),
        };
        let asker = Asker::new(Arc::clone(&inbox), kind);
        let ended = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let device = scope.spawn(|| {
                let (mut asked, mut lines) = (0, 0);
                while !ended.load(Ordering::Acquire) {
                    match inbox.next() {
                        Some(What::Status(answer)) => {
                            let status = statuses.get(asked).or(statuses.last());
                            asked += 1;
                            if let Some(restarts) = status.copied().flatten() {
                                answer.try_send(json!({ "restarts": restarts })).unwrap();
                            }
                        }
                        Some(What::Line(line)) => {
                            lines += 1;
                            line.answer.try_send(Ok(reply.to_owned())).unwrap();
                        }
                        Some(_) | None => std::thread::yield_now(),
                    }
                }
                lines
            });
            let result = Inside::new(&asker).restart("AT+CIRESET", None);
            ended.store(true, Ordering::Release);
            (result, device.join().unwrap())
        })
    }

    #[test]
    fn a_restart_is_seen_by_its_count() {
        let (result, lines) = restarted(&[Some(3), Some(3), Some(4)], "\r\nOK\r\n");
        assert!(result.is_ok() && lines == 1, "{result:?}");
    }

    /// Else the fault of a command is never told: the request has ended before.
    #[test]
    fn a_request_waits_longer_than_a_command_and_a_restart() {
        let kind = Kind {
            radio: Radio::None,
            line: String::new(),
        };
        let asker = Asker::new(Arc::new(Inbox::new(Arc::default())), kind);
        assert!(asker.patience() > ANSWER_WITHIN + RESTART_WITHIN);
    }

    #[test]
    fn a_count_that_is_not_told_is_no_restart() {
        let (result, lines) = restarted(&[None, Some(3)], "\r\nOK\r\n");
        assert!(matches!(result, Err(DoorError::Other(_))), "{result:?}");
        assert_eq!(lines, 0, "nothing restarts");
    }

    #[test]
    fn a_restart_that_is_refused_is_none() {
        let (result, _) = restarted(&[Some(3), Some(4)], "\r\nERROR\r\n");
        assert!(
            matches!(result, Err(DoorError::Refused { .. })),
            "{result:?}"
        );
    }
}
