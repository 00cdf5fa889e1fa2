//! Messages on their way out, SMS-SUBMIT: `AT+CMGS` (27.005 3.5.1) in PDU mode (3.2.3), one at a time.

use alloc::format;
use alloc::string::String;
use bytes::Bytes;
use sms_codec::hex;

use dtu_proto::radio::{ModemInput, SubmitFailure};
use dtu_proto::time::{Duration, Instant};

use crate::action::Action;
use crate::backoff::{RefusalBackoff, pause};
use crate::command::{Command, SETTLE};
use crate::cx::Cx;
use crate::event::Event;
use crate::exchange::SUBSTITUTE;
use crate::limitation::{Limitation, REFUSALS_BEFORE_LIMITATION};
use crate::response::{Failure, Outcome, Response};

/// The message on its way out, and the mode that it needs.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    submission: Option<Submission>,
    /// What the last command made known of PDU mode.
    pdu_mode: PduMode,
    /// `AT+CMGF=0` was refused so often.
    mode_refused: u32,
    backoff: RefusalBackoff,
}

/// A message on its way out.
#[derive(Debug)]
struct Submission {
    token: u32,
    pdu: Bytes,
    give_up_at: Instant,
    /// The modem was in text mode when it was its turn.
    seen_in_text_mode: bool,
}

/// Whether messages go as PDUs now. It holds for the next command only.
#[derive(Clone, Copy, Debug, Default)]
enum PduMode {
    #[default]
    Unknown,
    /// `AT+CMGF=0` was taken a moment ago.
    Accepted,
    /// And `AT+CMGF?` does not show text mode.
    Confirmed,
}

impl Outbox {
    /// The modem is gone, the message on its way out with it.
    pub(crate) fn forget(&mut self, cx: &mut Cx) {
        self.end_submit(cx, Err(SubmitFailure::NO_MODEM));
        self.pdu_mode = PduMode::Unknown;
        self.mode_refused = 0;
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.submission
            .as_ref()
            .map(|submission| submission.give_up_at)
    }

    /// `AT+CMGS=`length of the TPDU, and the text that its prompt gets.
    pub(crate) fn command(&self) -> Option<(String, Bytes)> {
        let pdu = &self.submission.as_ref()?.pdu;
        let center = usize::from(*pdu.first()?);
        let length = pdu.len().checked_sub(1 + center)?;
        let mut digits = hex::encode(pdu).into_bytes();
        digits.push(SUBSTITUTE);
        Some((format!("AT+CMGS={length}"), Bytes::from(digits)))
    }

    pub(crate) fn submit(&mut self, cx: &mut Cx, token: u32, pdu: &Bytes) {
        let outcome = if !cx.present {
            Err(SubmitFailure::NO_MODEM)
        } else if self.submission.is_some() || !is_submit_pdu(pdu) {
            // Another one is outstanding, or this is no PDU: the contract is broken.
            Err(SubmitFailure(INVALID_PDU))
        } else {
            let (pdu, give_up_at) = (pdu.clone(), cx.now + SUBMIT_LIMIT);
            self.submission = Some(Submission {
                token,
                pdu,
                give_up_at,
                seen_in_text_mode: false,
            });
            return cx.queue.push_urgent(Command::Submit);
        };
        cx.emit(ModemInput::Submitted { token, outcome });
    }

    pub(crate) fn on_submitted(&mut self, cx: &mut Cx, registered: bool, response: &Response) {
        if response.failure().is_some() {
            // An error that came in place of the prompt, or right behind it: what was sent may be answered once more.
            cx.quiet_until = Some(cx.now + SETTLE);
        }
        let resets = match response.outcome {
            Outcome::Ok => {
                self.backoff.on_sent();
                false
            }
            Outcome::Failed(failure) => {
                failure.to_submit_failure().is_temporary()
                    && registered
                    && self.backoff.on_refused(cx.now)
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
        self.end_submit(cx, outcome);
        if resets {
            cx.log(Event::RefusesMessages);
            cx.act(Action::Reset);
        }
    }

    /// A modem that fell back to text mode would take the length for a number, and send it the digits: PDU mode is
    /// set in front of each message, and looked at, for some say OK and stay as they are.
    pub(crate) fn before_submit(&mut self, cx: &mut Cx, command: Command) -> Command {
        let mode = core::mem::take(&mut self.pdu_mode);
        if command != Command::Submit || self.submission.is_none() {
            return command;
        }
        let before = match mode {
            PduMode::Unknown => Command::SetPduMode,
            // mutant: pdu-mode-shown
            PduMode::Accepted => Command::QueryPduMode,
            PduMode::Confirmed => return command,
        };
        cx.queue.push_front(command);
        before
    }

    /// The way messages are shown. A modem whose card is not ready yet refuses what it takes a moment later.
    pub(crate) fn on_pdu_mode(&mut self, cx: &mut Cx, response: &Response) {
        if response.is_ok() {
            self.mode_refused = 0;
            self.pdu_mode = PduMode::Accepted;
            cx.clear_limitation(Limitation::Messages);
            let had = core::mem::replace(&mut cx.identity.abilities.messages, true);
            if !had && cx.present {
                cx.queue.push(Command::ReportPresent);
            }
            return;
        }
        self.cannot_submit(cx, NOT_ALLOWED);
        // In front of the card's first word it says nothing about the modem.
        self.mode_refused += 1;
        // mutant: silence-is-no-yes
        if !cx.present {
            cx.identity.abilities.messages =
                !response.failure().is_some_and(Failure::is_unknown_command);
        }
        if self.mode_refused >= REFUSALS_BEFORE_LIMITATION && cx.present {
            cx.add_limitation(Limitation::Messages);
        }
        // mutant: pdu-mode-again
        cx.queue
            .schedule(cx.now + pause(self.mode_refused), Command::SetPduMode);
    }

    /// The card says that it is ready for messages.
    pub(crate) fn on_messages_ready(&mut self, cx: &mut Cx) {
        // mutant: pdu-mode-when-ready
        if self.mode_refused > 0 {
            cx.queue.schedule(cx.now, Command::SetPduMode);
        }
    }

    /// One that does not know the question, or has no word for its mode, is believed.
    pub(crate) fn on_pdu_mode_query(&mut self, cx: &mut Cx, response: &Response) {
        let shown = response
            .fields()
            .first()
            .and_then(|field| field.number::<u8>());
        match response.outcome {
            // mutant: text-mode-shown
            Outcome::Ok if shown == Some(TEXT_MODE) => self.on_text_mode(cx),
            Outcome::Ok | Outcome::Failed(_) => {
                self.pdu_mode = PduMode::Confirmed;
                if shown.is_some() {
                    cx.clear_limitation(Limitation::Sending);
                }
            }
            Outcome::TimedOut | Outcome::Call(_) => self.cannot_submit(cx, NOT_ALLOWED),
        }
    }

    /// Set and looked at once more, for the modem may have been restarted in between. Then the message does not go out.
    fn on_text_mode(&mut self, cx: &mut Cx) {
        let Some(submit) = &mut self.submission else {
            return;
        };
        if core::mem::replace(&mut submit.seen_in_text_mode, true) {
            cx.add_limitation(Limitation::Sending);
            let why = "1: the modem stays in text mode, the message is not sent".into();
            cx.log(Event::Refused {
                command: "AT+CMGF?".into(),
                why,
            });
            self.cannot_submit(cx, NOT_SUPPORTED);
        }
    }

    /// There is no PDU mode: what waits for it does not go out.
    fn cannot_submit(&mut self, cx: &mut Cx, failure: SubmitFailure) {
        if cx.queue.cancel(|command| *command == Command::Submit) {
            self.end_submit(cx, Err(failure));
        }
    }

    fn end_submit(&mut self, cx: &mut Cx, outcome: Result<u8, SubmitFailure>) {
        if let Some(Submission { token, .. }) = self.submission.take() {
            cx.emit(ModemInput::Submitted { token, outcome });
        }
    }

    /// The device does not wait longer than three minutes, whatever holds the message up here.
    pub(crate) fn handle_timeout(&mut self, cx: &mut Cx) {
        if self
            .submission
            .as_ref()
            .is_none_or(|submit| submit.give_up_at > cx.now)
        {
            return;
        }
        let waits = cx.queue.cancel(|command| *command == Command::Submit);
        let failure = if waits {
            SubmitFailure::NETWORK
        } else {
            SubmitFailure::TIMED_OUT
        };
        self.end_submit(cx, Err(failure));
        if cx.exchange.command() == Some(&Command::Submit) {
            cx.exchange.hurry(cx.now);
        }
    }
}

/// There is a TPDU behind the service centre, and not more than a message can have.
fn is_submit_pdu(pdu: &Bytes) -> bool {
    let center = pdu.first().map(|length| usize::from(*length));
    center.is_some_and(|center| center <= 12 && pdu.len() > 1 + center && pdu.len() <= LONGEST_PDU)
}

/// 304: invalid PDU mode parameter.
const INVALID_PDU: u16 = 304;
/// For now: modems say so that are not ready yet.
const NOT_ALLOWED: SubmitFailure = SubmitFailure(302);
/// For good.
const NOT_SUPPORTED: SubmitFailure = SubmitFailure(303);
/// 27.005 3.2.3.
const TEXT_MODE: u8 = 1;
/// Octets: 12 of the service centre, 164 of a SUBMIT (23.040).
const LONGEST_PDU: usize = 12 + 164;
/// From the order to the answer at most; the contract says three minutes.
const SUBMIT_LIMIT: Duration = Duration::from_secs(170);

#[cfg(test)]
#[allow(clippy::wildcard_enum_match_arm)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_a_pdu_is_sent() {
        assert!(is_submit_pdu(&Bytes::from_static(&[0, 1, 0])));
        assert!(!is_submit_pdu(&Bytes::from_static(&[2, 1, 0])));
        assert!(!is_submit_pdu(&Bytes::from_static(&[])));
        assert!(!is_submit_pdu(&Bytes::from(std::vec![0; 200])));
    }

    fn at(seconds: u64) -> Instant {
        Instant::from_millis(seconds * 1000)
    }

    fn submission() -> (Outbox, Cx) {
        let mut cx = Cx::new(crate::Settings::default(), at(0));
        cx.present = true;
        let mut outbox = Outbox::default();
        outbox.submit(&mut cx, 7, &Bytes::from_static(&[0, 1, 0]));
        (outbox, cx)
    }

    fn outcome(cx: &mut Cx) -> Option<Result<u8, SubmitFailure>> {
        let actions = cx.take_actions();
        actions.into_iter().find_map(|action| match action {
            Action::Output(crate::Output::Report(ModemInput::Submitted { token: 7, outcome })) => {
                Some(outcome)
            }
            _ => None,
        })
    }

    /// The device waits three minutes at most, whatever holds the message up: 170 s.
    #[test]
    fn a_message_that_waits_for_its_turn_is_given_up_after_170_seconds() {
        let (mut outbox, mut cx) = submission();
        assert_eq!(outbox.deadline(), Some(at(170)));
        cx.now = Instant::from_millis(169_999);
        outbox.handle_timeout(&mut cx);
        assert_eq!(outcome(&mut cx), None);
        cx.now = at(170);
        outbox.handle_timeout(&mut cx);
        assert_eq!(outcome(&mut cx), Some(Err(SubmitFailure::NETWORK)));
        assert_eq!((outbox.deadline(), cx.queue.len()), (None, 0));
    }

    #[test]
    fn a_message_that_is_under_way_is_given_up_and_its_command_hurried() {
        let (mut outbox, mut cx) = submission();
        let (text, body) = outbox.command().unwrap();
        assert_eq!(
            (text.as_str(), &body[..]),
            ("AT+CMGS=2", &b"000100\x1A"[..])
        );
        cx.queue.clear();
        let request = crate::exchange::Request {
            command: Command::Submit,
            text,
            limit: Duration::from_secs(500),
            info: crate::exchange::InfoText::None,
            body: Some((body, Duration::from_secs(500))),
        };
        cx.exchange.start(request, at(0));
        cx.now = at(170);
        outbox.handle_timeout(&mut cx);
        assert_eq!(outcome(&mut cx), Some(Err(SubmitFailure::TIMED_OUT)));
        assert_eq!(cx.exchange.deadline(), Some(at(170)));
    }

    /// Only the message itself gets PDU mode in front, and only while it waits.
    #[test]
    fn other_commands_go_as_they_are() {
        let (mut outbox, mut cx) = submission();
        let signal = outbox.before_submit(&mut cx, Command::QuerySignal);
        assert_eq!(signal, Command::QuerySignal);
        let mode = outbox.before_submit(&mut cx, Command::Submit);
        assert_eq!(mode, Command::SetPduMode);
        outbox.forget(&mut cx);
        assert_eq!(outcome(&mut cx), Some(Err(SubmitFailure::NO_MODEM)));
        let none = outbox.before_submit(&mut cx, Command::Submit);
        assert_eq!(none, Command::Submit, "nothing waits for a mode");
    }

    /// 23.040: a service centre of 12 octets and a TPDU of 164 at most.
    #[test]
    fn a_pdu_has_176_octets_at_most() {
        let pdu = |center: u8, length: usize| {
            let mut octets = std::vec![0; length];
            octets[0] = center;
            is_submit_pdu(&Bytes::from(octets))
        };
        assert!(pdu(12, 176) && pdu(0, 2) && pdu(12, 14));
        assert!(!pdu(12, 177) && !pdu(13, 176) && !pdu(12, 13) && !pdu(0, 1));
    }
}
