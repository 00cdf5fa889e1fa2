//! The ledger of short messages: what frames must arrive as at phones, and what phones have written must be printed.
//!
//! Judged from outside: frames and messages that went in, texts and prints that came out, and which sets of messages the
//! disk has confirmed.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use encoding_rs::GBK;
use sms_codec::user_data::{Body, UserData};

/// A frame of mode 4 on its way to a phone.
#[derive(Debug)]
struct OutgoingFrame {
    bytes: Rc<[u8]>,
    /// The first set of messages that holds it.
    set: Option<u64>,
    /// A crash came before it was on the disk: it may arrive or not.
    doubtful: bool,
}

/// A message that was printed.
#[derive(Debug)]
struct PrintRecord {
    phone: usize,
    bytes: Vec<u8>,
    state: PrintState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PrintState {
    /// The write is outstanding.
    Writing,
    /// It is out; the set that says so is still to come.
    Out,
    /// That set.
    InSet(u64),
    /// A crash came before that set was on the disk: it may be printed once more.
    MayComeAgain,
}

#[derive(Debug, Default)]
pub(super) struct SmsLedger {
    submissions: BTreeMap<String, VecDeque<OutgoingFrame>>,
    /// The disk fails now and then: what was printed, or answered, may come again.
    pub(super) disk_fails: bool,
    /// A crash came where the disk fails: references of messages may be given again, and what the service centre
    /// takes for a copy is lost.
    unsure: bool,
    /// Doubtful frames that came, as it seems.
    spare: Vec<Rc<[u8]>>,
    /// Frames that were passed over at a phone.
    skipped: u64,
    /// Frames and replies that the device has told to be given up.
    pub(super) given_up: u64,
    /// What each phone has written, and the serial line must get.
    deliveries: BTreeMap<usize, VecDeque<Vec<u8>>>,
    printed: Vec<PrintRecord>,
    /// Messages for the storage (modes other than 4), in parts.
    pub(super) to_store: u64,
    /// Of these, printed whole without being stored (`+CMT`).
    pub(super) shown: u64,
    /// Replies owed to each phone that has sent a command: at least, at most.
    owed: BTreeMap<usize, (u64, u64)>,
    /// Of these, texts that came.
    pub(super) replies: u64,
    pub(super) phone_count: u64,
    pub(super) printed_count: u64,
}

impl SmsLedger {
    pub(super) fn frame(&mut self, to: &str, bytes: &Rc<[u8]>) {
        let frame = OutgoingFrame {
            bytes: Rc::clone(bytes),
            set: None,
            doubtful: self.unsure,
        };
        self.submissions
            .entry(to.to_owned())
            .or_default()
            .push_back(frame);
    }

    /// A phone has received a text: it must be the next of its frames that was not given up.
    pub(super) fn arrived(&mut self, phone: &str, data: &UserData) -> Result<(), String> {
        let queue = self.submissions.entry(phone.to_owned()).or_default();
        if self.unsure && !queue.iter().any(|frame| is_same(&frame.bytes, data)) {
            // An old set of messages has come back with a frame that was sent long ago.
            return Ok(());
        }
        while let Some(frame) = queue.pop_front() {
            if is_same(&frame.bytes, data) {
                self.phone_count += 1;
                self.spare.extend(frame.doubtful.then_some(frame.bytes));
                return Ok(());
            }
            let spare = self.spare.iter().position(|bytes| *bytes == frame.bytes);
            match (frame.doubtful, spare) {
                (true, _) => {}
                // It was this one that came, not the doubtful one of the same bytes.
                (false, Some(at)) => drop(self.spare.swap_remove(at)),
                (false, None) => self.skipped += 1,
            }
            if self.skipped > self.given_up {
                let shown = frame.bytes[..frame.bytes.len().min(16)]
                    .escape_ascii()
                    .to_string();
                return Err(format!(
                    "{phone} gets {}, next is \"{shown}\" ({} bytes)",
                    show(data),
                    frame.bytes.len()
                ));
            }
        }
        Err(format!(
            "{phone} gets {}, which no frame is due for",
            show(data)
        ))
    }

    pub(super) fn expect_print(&mut self, phone: usize, bytes: Vec<u8>) {
        self.deliveries.entry(phone).or_default().push_back(bytes);
    }

    /// Whether this write is a message: the next one of its phone, or one that may come again.
    pub(super) fn prints(&mut self, bytes: &[u8]) -> bool {
        let due = self
            .deliveries
            .iter()
            .find(|(_, queue)| queue.front().is_some_and(|next| next == bytes));
        if let Some(phone) = due.map(|(phone, _)| *phone) {
            self.deliveries.entry(phone).or_default().pop_front();
            let state = PrintState::Writing;
            self.printed.push(PrintRecord {
                phone,
                bytes: bytes.to_vec(),
                state,
            });
            self.printed_count += 1;
            return true;
        }
        let fails = self.disk_fails;
        let may =
            |state| state == PrintState::MayComeAgain || (fails && state != PrintState::Writing);
        let again = self
            .printed
            .iter_mut()
            .find(|done| done.bytes == bytes && may(done.state));
        again.is_some_and(|done| {
            done.state = PrintState::Writing;
            true
        })
    }

    /// The outstanding write is out.
    pub(super) fn written(&mut self) {
        for done in &mut self.printed {
            if done.state == PrintState::Writing {
                done.state = PrintState::Out;
            }
        }
    }

    /// A set of messages goes to the disk.
    pub(super) fn set_begins(&mut self, number: u64) {
        for frame in self.submissions.values_mut().flatten() {
            frame.set.get_or_insert(number);
        }
        for done in &mut self.printed {
            if done.state == PrintState::Out {
                done.state = PrintState::InSet(number);
            }
        }
    }

    /// The device knows that this set, and so every earlier one, is on the disk.
    pub(super) fn set_stored(&mut self, number: u64) {
        for done in &mut self.printed {
            if self.disk_fails && done.state != PrintState::Writing {
                done.state = PrintState::MayComeAgain;
            }
        }
        self.printed
            .retain(|done| !matches!(done.state, PrintState::InSet(set) if set <= number));
    }

    /// The host is gone. `stored` is the set on the disk.
    pub(super) fn crashed(&mut self, stored: u64) {
        self.unsure |= self.disk_fails;
        for frame in self.submissions.values_mut().flatten() {
            frame.doubtful |= self.unsure || frame.set.is_none_or(|set| set > stored);
        }
        for done in std::mem::take(&mut self.printed).into_iter().rev() {
            match done.state {
                // Nobody knows how much of it is out, so it must come again.
                PrintState::Writing => {
                    let queue = self.deliveries.entry(done.phone).or_default();
                    queue.push_front(done.bytes);
                }
                PrintState::InSet(set) if set <= stored => {}
                PrintState::Out | PrintState::InSet(_) | PrintState::MayComeAgain => {
                    self.printed.push(PrintRecord {
                        state: PrintState::MayComeAgain,
                        ..done
                    });
                }
            }
        }
        // A reply leaves only when the disk knows of it, so its command is not run again; unless the disk fails.
        if self.disk_fails {
            self.owed.values_mut().for_each(|(least, _)| *least = 0);
        }
    }

    /// Whether a crash may have made the device forget what it has sent.
    pub(super) const fn is_unsure(&self) -> bool {
        self.unsure
    }

    pub(super) fn owe(&mut self, phone: usize) {
        let (least, most) = self.owed.entry(phone).or_default();
        *least += 1;
        *most += 1;
    }

    /// A phone has received the reply to a command.
    pub(super) fn replied(&mut self, phone: usize) -> Result<(), String> {
        let (least, most) = self.owed.entry(phone).or_default();
        if *most == 0 && !self.disk_fails {
            return Err(format!("a reply at phone {phone} that sent no command"));
        }
        *most = most.saturating_sub(1);
        *least = least.saturating_sub(1);
        self.replies += 1;
        Ok(())
    }

    /// Messages that are not printed yet.
    pub(super) fn unprinted(&self) -> usize {
        self.deliveries.values().map(VecDeque::len).sum()
    }

    /// All that was to come has come, or was told to be given up.
    pub(super) fn settled(&self) -> Result<(), String> {
        let surely = self
            .submissions
            .values()
            .flatten()
            .filter(|frame| !frame.doubtful)
            .count() as u64;
        let replies: u64 = self.owed.values().map(|(least, _)| least).sum();
        let missing = self.skipped + surely + replies;
        if missing > self.given_up {
            return Err(format!(
                "{} frames and {replies} replies never came to a phone, {} are told as given up",
                self.skipped + surely,
                self.given_up
            ));
        }
        match self.unprinted() {
            0 => Ok(()),
            count => Err(format!("{count} messages were never printed")),
        }
    }
}

/// Decisions 10: text where the bytes are valid in the charset of the line, else 8-bit data.
fn is_same(frame: &[u8], data: &UserData) -> bool {
    match (
        GBK.decode_without_bom_handling_and_without_replacement(frame),
        &data.body,
    ) {
        (Some(text), Body::Septets(_) | Body::Ucs2(_)) => {
            data.text().is_some_and(|got| got == text)
        }
        (None, Body::Octets(octets)) => octets == frame,
        (Some(_), Body::Octets(_)) | (None, Body::Septets(_) | Body::Ucs2(_)) => false,
    }
}

fn show(data: &UserData) -> String {
    match &data.body {
        Body::Octets(octets) => {
            format!(
                "{} octets \"{}\"",
                octets.len(),
                octets[..octets.len().min(16)].escape_ascii()
            )
        }
        Body::Septets(_) | Body::Ucs2(_) => {
            let text = data.text().unwrap_or_default();
            format!(
                "{} characters {:?}",
                text.chars().count(),
                text.chars().take(16).collect::<String>()
            )
        }
    }
}
