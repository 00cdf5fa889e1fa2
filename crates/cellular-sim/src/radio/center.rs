//! What the short message centre holds (23.040), and what it remembers of submissions.

use std::collections::VecDeque;

use dtu_proto::radio::SubmitFailure;
use dtu_proto::time::Instant;
use sms_codec::address::Address;
use sms_codec::pdu::Tpdu;
use sms_codec::time::TimeStamp;

use super::settings::{Id, Party};

/// Messages that the centre holds; beyond, it is busy (192, 23.040 9.2.3.22).
pub const CENTER_MAX: usize = 2000;
/// Submissions of one sender by which a duplicate is known. Far fewer than the reference can count, for one that comes
/// round must not be taken for an old one, though some are given and never used.
const KNOWN_MAX: usize = 150;

/// What became of messages, since the start; a text in parts counts as many times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Messages (parts) that the centre took.
    pub accepted: u64,
    /// Messages (parts) that their receiver took.
    pub delivered: u64,
    /// Submissions that were lost, refused, or not possible.
    pub refused: u64,
    /// Submissions refused as duplicates (197; TP-RD, 23.040 9.2.3.25).
    pub duplicates: u64,
    /// Messages that were too old when their receiver could be reached.
    pub expired: u64,
    /// Messages given to a modem once more.
    pub repeated: u64,
    /// Events of phones that nobody looked at and that found no room.
    pub dropped_events: u64,
}

/// A message on its way to its receiver.
#[derive(Clone, Debug)]
pub(super) struct HeldMessage {
    pub(super) from: Party,
    pub(super) to: Party,
    pub(super) tpdu: Tpdu,
    pub(super) due: Instant,
    pub(super) until: Instant,
    /// The status report that the sender asked for.
    pub(super) report: Option<ReportRequest>,
    /// By which numbers a modem was given it.
    pub(super) given: Vec<u64>,
    /// Out of the order of its sender: held up, or there twice.
    loose: bool,
    /// When a modem that does not take it is given it again; `None` = it does not have it.
    pub(super) again: Option<Instant>,
}

/// A report that the sender asked for.
#[derive(Clone, Debug)]
pub(super) struct ReportRequest {
    pub(super) reference: u8,
    pub(super) to: Address,
    pub(super) stamp: TimeStamp,
}

/// What the centre remembers.
#[derive(Clone, Debug, Default)]
pub(super) struct Center {
    pub(super) held: Vec<HeldMessage>,
    /// The last submissions of each sender: reference and receiver.
    known: Vec<(Party, VecDeque<(u8, Address)>)>,
    pub(super) next_id: u64,
}

impl HeldMessage {
    pub(super) const fn new(
        from: Party,
        to: Party,
        tpdu: Tpdu,
        (due, until): (Instant, Instant),
        report: Option<ReportRequest>,
    ) -> Self {
        Self {
            from,
            to,
            tpdu,
            due,
            until,
            report,
            given: Vec::new(),
            loose: false,
            again: None,
        }
    }

    pub(super) fn loose(self) -> Self {
        Self {
            loose: true,
            ..self
        }
    }
}

impl Center {
    pub(super) fn has_room(&self, messages: usize) -> bool {
        self.held.len() + messages <= CENTER_MAX
    }

    pub(super) fn is_known(&self, from: Party, reference: u8, to: &Address) -> bool {
        let mut of_sender = self.known.iter().filter(|(sender, _)| *sender == from);
        of_sender.any(|(_, known)| {
            known
                .iter()
                .any(|(number, receiver)| *number == reference && receiver == to)
        })
    }

    pub(super) fn remember(&mut self, from: Party, reference: u8, to: Address) {
        if !self.known.iter().any(|(sender, _)| *sender == from) {
            self.known.push((from, VecDeque::new()));
        }
        let Some((_, known)) = self.known.iter_mut().find(|(sender, _)| *sender == from) else {
            return;
        };
        known.push_back((reference, to));
        if known.len() > KNOWN_MAX {
            known.pop_front();
        }
    }

    /// Not before the last one of the same sender, so that their order stays.
    pub(super) fn not_before(&self, from: Party, to: Party) -> Instant {
        let same = self
            .held
            .iter()
            .filter(|held| held.from == from && held.to == to && !held.loose);
        same.map(|held| held.due).max().unwrap_or(Instant::ZERO)
    }

    pub(super) fn hold(&mut self, held: HeldMessage) {
        self.held.push(held);
    }

    /// The modem is away: what it did not take is given to it again when it is back.
    pub(super) fn forget_given(&mut self, modem: Id) {
        for held in self
            .held
            .iter_mut()
            .filter(|held| held.to == Party::Modem(modem))
        {
            held.again = None;
        }
    }

    pub(super) fn count_given(&self, modem: Id) -> usize {
        self.held
            .iter()
            .filter(|held| held.to == Party::Modem(modem) && held.again.is_some())
            .count()
    }
}

/// An answer on its way to a modem.
#[derive(Clone, Debug)]
pub(super) struct SubmitResult {
    pub(super) at: Instant,
    pub(super) modem: Id,
    pub(super) token: u32,
    pub(super) outcome: Result<u8, SubmitFailure>,
}
