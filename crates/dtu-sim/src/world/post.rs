//! The books of short messages: what frames must arrive as at phones, and what phones have written must be printed.
//!
//! Judged from outside: frames and letters that went in, texts and prints that came out, and which sets of messages the
//! disk has confirmed.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use encoding_rs::GBK;
use sms_codec::user_data::{Body, UserData};

/// A frame of mode 4 on its way to a phone.
#[derive(Debug)]
struct Posted {
    bytes: Rc<[u8]>,
    /// The first set of messages that holds it.
    set: Option<u64>,
    /// A crash came before it was on the disk: it may arrive or not.
    doubtful: bool,
}

/// A message from a phone that the serial line must get.
#[derive(Debug)]
struct Letter {
    bytes: Vec<u8>,
}

/// A letter that was printed.
#[derive(Debug)]
struct Printed {
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
pub(super) struct Post {
    up: BTreeMap<String, VecDeque<Posted>>,
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
    down: BTreeMap<usize, VecDeque<Letter>>,
    printed: Vec<Printed>,
    /// Letters for the storage (modes other than 4), in parts.
    pub(super) to_store: u64,
    /// Of these, printed whole without being stored (`+CMT`).
    pub(super) shown: u64,
    /// Replies owed to each phone that has sent a command: at least, at most.
    owed: BTreeMap<usize, (u64, u64)>,
    /// Of these, texts that came.
    pub(super) replies: u64,
    pub(super) texts: u64,
    pub(super) letters: u64,
}

impl Post {
    pub(super) fn frame(&mut self, to: &str, bytes: &Rc<[u8]>) {
        let posted = Posted {
            bytes: Rc::clone(bytes),
            set: None,
            doubtful: self.unsure,
        };
        self.up.entry(to.to_owned()).or_default().push_back(posted);
    }

    /// A phone has received a text: it must be the next of its frames that was not given up.
    pub(super) fn arrived(&mut self, phone: &str, data: &UserData) -> Result<(), String> {
        let queue = self.up.entry(phone.to_owned()).or_default();
        if self.unsure && !queue.iter().any(|posted| is_same(&posted.bytes, data)) {
            // An old set of messages has come back with a frame that was sent long ago.
            return Ok(());
        }
        while let Some(posted) = queue.pop_front() {
            if is_same(&posted.bytes, data) {
                self.texts += 1;
                self.spare.extend(posted.doubtful.then_some(posted.bytes));
                return Ok(());
            }
            let spare = self.spare.iter().position(|bytes| *bytes == posted.bytes);
            match (posted.doubtful, spare) {
                (true, _) => {}
                // It was this one that came, not the doubtful one of the same bytes.
                (false, Some(at)) => drop(self.spare.swap_remove(at)),
                (false, None) => self.skipped += 1,
            }
            if self.skipped > self.given_up {
                let shown = posted.bytes[..posted.bytes.len().min(16)]
                    .escape_ascii()
                    .to_string();
                return Err(format!(
                    "{phone} gets {}, next is \"{shown}\" ({} bytes)",
                    show(data),
                    posted.bytes.len()
                ));
            }
        }
        Err(format!(
            "{phone} gets {}, which no frame is due for",
            show(data)
        ))
    }

    pub(super) fn letter(&mut self, phone: usize, bytes: Vec<u8>) {
        self.down
            .entry(phone)
            .or_default()
            .push_back(Letter { bytes });
    }

    /// Whether this write is a letter: the next one of its phone, or one that may come again.
    pub(super) fn prints(&mut self, bytes: &[u8]) -> bool {
        let due = self
            .down
            .iter()
            .find(|(_, queue)| queue.front().is_some_and(|letter| letter.bytes == bytes));
        if let Some(phone) = due.map(|(phone, _)| *phone) {
            self.down.entry(phone).or_default().pop_front();
            let state = PrintState::Writing;
            self.printed.push(Printed {
                phone,
                bytes: bytes.to_vec(),
                state,
            });
            self.letters += 1;
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
        for posted in self.up.values_mut().flatten() {
            posted.set.get_or_insert(number);
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
        for posted in self.up.values_mut().flatten() {
            posted.doubtful |= self.unsure || posted.set.is_none_or(|set| set > stored);
        }
        for done in std::mem::take(&mut self.printed).into_iter().rev() {
            match done.state {
                // Nobody knows how much of it is out, so it must come again.
                PrintState::Writing => {
                    let queue = self.down.entry(done.phone).or_default();
                    queue.push_front(Letter { bytes: done.bytes });
                }
                PrintState::InSet(set) if set <= stored => {}
                PrintState::Out | PrintState::InSet(_) | PrintState::MayComeAgain => {
                    self.printed.push(Printed {
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

    /// Letters that are not printed yet.
    pub(super) fn unprinted(&self) -> usize {
        self.down.values().map(VecDeque::len).sum()
    }

    /// All that was to come has come, or was told to be given up.
    pub(super) fn settled(&self) -> Result<(), String> {
        let surely = self
            .up
            .values()
            .flatten()
            .filter(|posted| !posted.doubtful)
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
