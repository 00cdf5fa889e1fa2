//! Messages on their way out: `AT+CMGS` (27.005 3.5.1), one at a time.

use bytes::Bytes;

use dtu_proto::radio::{ModemInput, SubmitFailure};
use dtu_proto::time::{Duration, Instant};

use crate::command::Command;
use crate::event::Event;
use crate::limitation::Limitation;
use crate::mailbox::PduMode;
use crate::modem::Modem;
use crate::response::{Outcome, Response};
use crate::start::SETTLE;

/// A message on its way out.
#[derive(Debug)]
pub(crate) struct Submission {
    token: u32,
    pub(crate) pdu: Bytes,
    pub(crate) give_up_at: Instant,
    /// The modem was in text mode when it was its turn.
    seen_in_text_mode: bool,
}

impl Modem {
    pub(crate) fn submit(&mut self, token: u32, pdu: &Bytes, now: Instant) {
        let outcome = if !self.present {
            Err(SubmitFailure::NO_MODEM)
        } else if self.mailbox.submission.is_some() || !can_be_sent(pdu) {
            // Another one is outstanding, or this is no PDU: the contract is broken.
            Err(SubmitFailure(INVALID_PDU))
        } else {
            let (pdu, give_up_at) = (pdu.clone(), now + SUBMIT_LIMIT);
            self.mailbox.submission = Some(Submission {
                token,
                pdu,
                give_up_at,
                seen_in_text_mode: false,
            });
            return self.queue.push_urgent(Command::Submit);
        };
        self.emit(ModemInput::Submitted { token, outcome });
    }

    pub(crate) fn submitted(&mut self, response: &Response, now: Instant) {
        if response.failure().is_some() {
            // An error that came in place of the prompt, or right behind it: what was sent may be answered once more.
            self.quiet_until = Some(now + SETTLE);
        }
        let resets = match response.outcome {
            Outcome::Ok => {
                self.backoff.sent();
                false
            }
            Outcome::Failed(failure) => {
                failure.to_submit_failure().is_temporary()
                    && self.network.is_registered()
                    && self.backoff.refused(now)
            }
            Outcome::TimedOut | Outcome::Call(_) => false,
        };
        let reference = response.fields().first().and_then(|field| field.number());
        let outcome = match response.outcome {
            Outcome::Ok => Ok(reference.unwrap_or_default()),
            Outcome::Failed(failure) => Err(failure.to_submit_failure()),
            // The network gave its reference; only the last word is missing.
            Outcome::TimedOut | Outcome::Call(_) => reference.ok_or(SubmitFailure::TIMED_OUT),
        };
        self.end_submit(outcome);
        if resets {
            self.log(Event::RefusesMessages);
            self.reset(now);
        }
    }

    /// A modem that fell back to text mode would take the length for a number, and send it the digits: PDU mode is
    /// set in front of each message, and looked at, for some say OK and stay as they are.
    pub(crate) fn in_pdu_mode(&mut self, command: Command) -> Command {
        let mode = core::mem::take(&mut self.mailbox.pdu_mode);
        if command != Command::Submit || self.mailbox.submission.is_none() {
            return command;
        }
        let before = match mode {
            PduMode::Unknown => Command::SetPduMode,
            // mutant: pdu-mode-shown
            PduMode::Taken => Command::QueryPduMode,
            PduMode::Shown => return command,
        };
        self.queue.push_front(command);
        before
    }

    /// One that does not know the question, or has no word for its mode, is believed.
    pub(crate) fn on_pdu_mode(&mut self, response: &Response) {
        let shown = response
            .fields()
            .first()
            .and_then(|field| field.number::<u8>());
        match response.outcome {
            // mutant: text-mode-shown
            Outcome::Ok if shown == Some(TEXT_MODE) => self.stays_in_text_mode(),
            Outcome::Ok | Outcome::Failed(_) => {
                self.mailbox.pdu_mode = PduMode::Shown;
                if shown.is_some() {
                    self.clear_limitation(Limitation::Sending);
                }
            }
            Outcome::TimedOut | Outcome::Call(_) => self.cannot_submit(NOT_ALLOWED),
        }
    }

    /// Set and looked at once more, for the modem may have been restarted in between. Then the message does not go out.
    fn stays_in_text_mode(&mut self) {
        let Some(submit) = &mut self.mailbox.submission else {
            return;
        };
        if core::mem::replace(&mut submit.seen_in_text_mode, true) {
            self.add_limitation(Limitation::Sending);
            let why = "1: the modem stays in text mode, the message is not sent".into();
            self.log(Event::Refused {
                command: "AT+CMGF?".into(),
                why,
            });
            self.cannot_submit(NOT_SUPPORTED);
        }
    }

    /// There is no PDU mode: what waits for it does not go out.
    pub(crate) fn cannot_submit(&mut self, failure: SubmitFailure) {
        if self.queue.cancel(|command| *command == Command::Submit) {
            self.fail_submit(failure);
        }
    }

    pub(crate) fn fail_submit(&mut self, failure: SubmitFailure) {
        self.end_submit(Err(failure));
    }

    fn end_submit(&mut self, outcome: Result<u8, SubmitFailure>) {
        if let Some(Submission { token, .. }) = self.mailbox.submission.take() {
            self.emit(ModemInput::Submitted { token, outcome });
        }
    }

    /// The device does not wait longer than three minutes, whatever holds the message up here.
    pub(crate) fn give_up_submit(&mut self, now: Instant) {
        if self
            .mailbox
            .submission
            .as_ref()
            .is_none_or(|submit| submit.give_up_at > now)
        {
            return;
        }
        let waits = self.queue.cancel(|command| *command == Command::Submit);
        self.fail_submit(if waits {
            SubmitFailure::NETWORK
        } else {
            SubmitFailure::TIMED_OUT
        });
        if self.exchange.command() == Some(&Command::Submit) {
            self.exchange.hurry(now);
        }
    }
}

/// There is a TPDU behind the service centre, and not more than a message can have.
fn can_be_sent(pdu: &Bytes) -> bool {
    let center = pdu.first().map(|length| usize::from(*length));
    center.is_some_and(|center| center <= 12 && pdu.len() > 1 + center && pdu.len() <= LONGEST_PDU)
}

/// 304: invalid PDU mode parameter.
const INVALID_PDU: u16 = 304;
/// For now: modems say so that are not ready yet.
pub(crate) const NOT_ALLOWED: SubmitFailure = SubmitFailure(302);
/// For good.
const NOT_SUPPORTED: SubmitFailure = SubmitFailure(303);
/// 27.005 3.2.3.
const TEXT_MODE: u8 = 1;
/// Octets: 12 of the service centre, 164 of a SUBMIT (23.040).
const LONGEST_PDU: usize = 12 + 164;
/// From the order to the answer at most; the contract says three minutes.
const SUBMIT_LIMIT: Duration = Duration::from_secs(170);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_a_pdu_is_sent() {
        assert!(can_be_sent(&Bytes::from_static(&[0, 1, 0])));
        assert!(!can_be_sent(&Bytes::from_static(&[2, 1, 0])));
        assert!(!can_be_sent(&Bytes::from_static(&[])));
        assert!(!can_be_sent(&Bytes::from(std::vec![0; 200])));
    }
}
