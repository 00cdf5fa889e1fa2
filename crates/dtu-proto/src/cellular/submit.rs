//! Message parts on their way to the network: one at a time is with the modem.

use alloc::collections::VecDeque;
use alloc::string::ToString;
use alloc::vec::Vec;
use bytes::Bytes;
use sms_codec::pdu::{Pdu, Tpdu};

use crate::ids::PhoneNumber;
use crate::radio::ModemOutput;
use crate::sms;
use crate::time::{Duration, Instant};

/// The driver answers within three minutes.
const PATIENCE: Duration = Duration::from_secs(185);

/// What is with the modem, and the parts of a command's message that are still to go.
#[derive(Debug, Default)]
pub(crate) struct Submitter {
    next_token: u32,
    outstanding: Option<Outstanding>,
    command: VecDeque<Bytes>,
}

/// The part that is with the modem.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outstanding {
    token: u32,
    pub(crate) owner: Owner,
    until: Instant,
    /// The modem gives it a reference, and this is its receiver.
    pub(crate) numbered: Option<Option<PhoneNumber>>,
}

/// Whose message a part belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    Command,
    /// Number of the message in the outbox.
    Outbox(u64),
    /// The command has given up.
    Nobody,
}

impl Submitter {
    /// Whether nothing is with the modem or on its way there.
    pub(crate) fn rests(&self) -> bool {
        self.is_free() && self.command.is_empty()
    }

    /// Whether the modem can be given a part.
    pub(crate) const fn is_free(&self) -> bool {
        self.outstanding.is_none()
    }

    /// The parts of a command's message are to go.
    pub(crate) fn begin(&mut self, parts: Vec<Bytes>) {
        self.command = VecDeque::from(parts);
    }

    /// The next part of a command's message.
    pub(crate) fn command_part(&self) -> Option<&Bytes> {
        self.command.front()
    }

    /// The command waits no longer. What is with the modem stays there, and is nobody's.
    pub(crate) fn forget_command(&mut self) {
        self.command.clear();
        if let Some(outstanding) = &mut self.outstanding
            && outstanding.owner == Owner::Command
        {
            outstanding.owner = Owner::Nobody;
        }
    }

    /// A part of the command's message was answered; says whether that was the last.
    pub(crate) fn command_answered(&mut self, sent: bool) -> bool {
        self.command.pop_front();
        if !sent {
            self.command.clear();
        }
        self.command.is_empty()
    }

    /// Gives the modem a part.
    pub(crate) fn give(&mut self, owner: Owner, pdu: Bytes, now: Instant) -> ModemOutput {
        self.next_token = self.next_token.wrapping_add(1);
        let token = self.next_token;
        self.outstanding = Some(Outstanding {
            token,
            owner,
            until: now + PATIENCE,
            numbered: (!sms::refuses_copies(&pdu)).then(|| receiver_of(&pdu)),
        });
        ModemOutput::Submit { token, pdu }
    }

    /// The modem has answered; `None`: it was not asked, or too long ago.
    pub(crate) fn answered(&mut self, token: u32) -> Option<Outstanding> {
        self.outstanding
            .take_if(|outstanding| outstanding.token == token)
    }

    /// What the modem was given last and has not answered.
    pub(crate) fn token(&self) -> Option<u32> {
        self.outstanding.map(|outstanding| outstanding.token)
    }

    /// The same, where the modem is too late to answer.
    pub(crate) fn late(&self, now: Instant) -> Option<u32> {
        let late = self
            .outstanding
            .filter(|outstanding| outstanding.until <= now);
        late.map(|outstanding| outstanding.token)
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.outstanding.map(|outstanding| outstanding.until)
    }

    /// The message of the outbox that is with the modem.
    pub(crate) const fn outbox_message(&self) -> Option<u64> {
        match self.outstanding {
            Some(Outstanding {
                owner: Owner::Outbox(number),
                ..
            }) => Some(number),
            Some(_) | None => None,
        }
    }
}

/// The receiver of a PDU, where it is a number.
fn receiver_of(pdu: &[u8]) -> Option<PhoneNumber> {
    match Pdu::decode(pdu).ok()?.pdu.tpdu {
        Tpdu::Submit(submit) => PhoneNumber::new(&submit.to.to_string()),
        Tpdu::Deliver(_) | Tpdu::StatusReport(_) => None,
    }
}
