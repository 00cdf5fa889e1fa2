//! How messages are looked for: the storage and its announcements, each with what is tried where a modem refuses it
//! (27.005 3.2, 3.4.1).

use alloc::format;
use alloc::string::String;

use dtu_proto::time::Duration;

use crate::command::Command;
use crate::cx::Cx;
use crate::event::Event;
use crate::exchange::Request;
use crate::limitation::Limitation;
use crate::response::{Failure, Response};
use crate::slot::Storage;

/// Which storage is read, and how new messages are announced.
#[derive(Debug, Default)]
pub(crate) struct Storages {
    /// The storage that the modem reads and deletes from now.
    current: Option<Storage>,
    /// Where received messages go.
    received: Option<Storage>,
    /// It has names for its storages, and says how full they are.
    has_names: bool,
    /// What `CPMS?` showed: where it reads, writes, and puts what it receives.
    shown: [Option<Storage>; 3],
    /// `AT+CPMS` wants all three.
    names_three: bool,
    /// `AT+CSMS=1` is set.
    wants_acknowledgement: bool,
    /// The announcement of messages could not be switched on: the storage is looked at more often.
    is_blind: bool,
    /// Busy responses since the last good one.
    busy: u32,
    is_full: bool,
}

impl Storages {
    pub(crate) const fn wants_acknowledgement(&self) -> bool {
        self.wants_acknowledgement
    }

    pub(crate) const fn is_blind(&self) -> bool {
        self.is_blind
    }

    pub(crate) const fn is_full(&self) -> bool {
        self.is_full
    }

    /// A message was deleted.
    pub(crate) const fn on_deleted(&mut self) {
        self.is_full = false;
    }

    /// Named again before the next look, it says how full it is.
    pub(crate) const fn on_listed(&mut self) {
        if self.has_names {
            self.current = None;
        }
    }

    /// Reading and deleting need the right storage in front.
    pub(crate) fn before_access(&mut self, cx: &mut Cx, command: Command) -> Command {
        match storage_of(command).filter(|storage| self.current != Some(*storage)) {
            None => command,
            Some(storage) => {
                cx.queue.push_front(command);
                Command::SelectStorage(storage)
            }
        }
    }

    pub(crate) fn on_cnmi(
        &mut self,
        cx: &mut Cx,
        number: u8,
        request: &Request,
        response: &Response,
    ) {
        let ds = request
            .text
            .strip_prefix("AT+CNMI=")
            .map(|values| values.split(',').nth(3).unwrap_or("0"));
        match (request.text.as_str(), ds) {
            (PHASE_2, _) => {
                self.wants_acknowledgement = response.is_ok();
                // Without it the same forms need not be tried again.
                let next = if response.is_ok() {
                    number + 1
                } else {
                    AFTER_PHASE_2
                };
                return cx.queue.push(Command::SetCnmi(next));
            }
            (PHASE_1, _) => {
                self.wants_acknowledgement &= !response.is_ok();
                return cx.queue.push(Command::SetCnmi(number + 1));
            }
            (_, ds) if response.is_ok() => {
                cx.limited_if(ds == Some("0"), Limitation::Reports);
                return cx.clear_limitation(Limitation::Announcements);
            }
            (_, Some(_) | None) => {}
        }
        if response.failure().is_some_and(Failure::is_busy) && self.may_retry() {
            return cx.queue.schedule(cx.now + BUSY, Command::SetCnmi(number));
        }
        if number < LAST_CNMI_FORM {
            return cx.queue.push(Command::SetCnmi(number + 1));
        }
        cx.add_limitation(Limitation::Announcements);
        cx.add_limitation(Limitation::Reports);
        self.is_blind = true;
        if let Some(storage) = self.received {
            cx.queue
                .schedule(cx.now + BLIND_LOOK, Command::ListMessages(storage));
        }
        cx.log_refusal(request, response);
    }

    /// `+CPMS: "SM",3,50,"SM",3,50,"SM",3,50`: the third is where received ones go. It is left as it is, and
    /// read; where it has a name, it is returned.
    pub(crate) fn on_storages(&mut self, cx: &mut Cx, response: &Response) -> Option<Storage> {
        if response.failure().is_some_and(Failure::is_busy) && self.may_retry() {
            cx.queue.schedule(cx.now + BUSY, Command::QueryStorages);
            return None;
        }
        let fields = response.fields();
        let shown = |at: usize| fields.get(at).and_then(|field| Storage::new(field.text));
        self.shown = [shown(0), shown(3), shown(6)];
        let storage = fields
            .get(6)
            .or_else(|| fields.first())
            .and_then(|field| Storage::new(field.text));
        match storage.filter(|_| response.is_ok()) {
            Some(storage) => {
                self.has_names = true;
                self.received = Some(storage);
                cx.queue.push(Command::ListMessages(storage));
                Some(storage)
            }
            None => {
                // It has one storage, and no word for it.
                self.received = Some(Storage::SIM);
                self.current = self.received;
                cx.queue.push(Command::ListMessages(Storage::SIM));
                None
            }
        }
    }

    pub(crate) fn on_selected(
        &mut self,
        cx: &mut Cx,
        storage: Storage,
        request: &Request,
        response: &Response,
    ) {
        if !response.is_ok() {
            let is_busy = response.failure().is_some_and(Failure::is_busy);
            self.current = None;
            if is_busy && self.may_retry() {
                // What wants the storage waits behind this.
                cx.quiet_until = Some(cx.now + BUSY);
                return cx.queue.push_front(Command::SelectStorage(storage));
            }
            // mutant: three-storages
            if response.failure().is_some() && !core::mem::replace(&mut self.names_three, true) {
                return cx.queue.push_front(Command::SelectStorage(storage));
            }
            self.names_three = false;
            cx.log_refusal(request, response);
            let [read, _, received] = self.shown;
            if response.failure().is_some() && received == Some(storage) {
                cx.add_limitation(Limitation::Storage);
            }
            if response.failure().is_some() && read == Some(storage) {
                // It reads there anyway.
                self.has_names = false;
                self.current = Some(storage);
                return;
            }
            cx.queue
                .cancel(|command| storage_of(*command) == Some(storage));
            // It may work once the modem is less busy.
            return cx
                .queue
                .schedule(cx.now + RETRY, Command::ListMessages(storage));
        }
        self.current = Some(storage);
        self.busy = 0;
        let fields = response.fields();
        // A bare OK is an answer too. The answer to a setting has no names: `+CPMS: used,total,…`.
        let number = |at: usize| fields.get(at).and_then(|field| field.number::<u16>());
        if let Some((used, places)) = number(0).zip(number(1)) {
            self.on_fill(cx, storage, used >= places && places > 0, places);
        }
    }

    fn on_fill(&mut self, cx: &mut Cx, storage: Storage, full: bool, places: u16) {
        if full && !core::mem::replace(&mut self.is_full, full) {
            let storage = cx.mask(storage.as_str());
            cx.log(Event::StorageFull { storage, places });
        }
        self.is_full = full;
    }

    /// The form of `AT+CNMI` with that number, from the best down.
    pub(crate) fn cnmi_command(number: u8) -> Option<&'static str> {
        CNMI_FORMS.get(usize::from(number)).copied()
    }

    /// Whether it may be asked once more at once.
    const fn may_retry(&mut self) -> bool {
        self.busy += 1;
        self.busy <= MAX_BUSY
    }

    /// 27.005 3.2.2: the one that is read, or (for modems that want all three) the others as they are.
    pub(crate) fn select_command(&self, storage: Storage) -> String {
        let name = storage.as_str();
        if !self.names_three {
            return format!("AT+CPMS=\"{name}\"");
        }
        let [_, written, received] = self.shown.map(|shown| shown.unwrap_or(storage));
        format!(
            "AT+CPMS=\"{name}\",\"{}\",\"{}\"",
            written.as_str(),
            received.as_str()
        )
    }
}

fn storage_of(command: Command) -> Option<Storage> {
    if let Command::ListMessages(storage) = command {
        Some(storage)
    } else if let Command::ReadMessage(slot) | Command::DeleteMessage(slot) = command {
        Some(slot.storage)
    } else {
        None
    }
}

/// 27.005 3.4.1, from the best down. Received messages are stored and announced (`mt` 1): a message that no one reads
/// stays where it is, which direct delivery (`mt` 2) does not promise. Status reports come directly (`ds` 1): few
/// modems store them. The further ones are for modems that know fewer values.
/// Some know `ds` 2 only (reports are stored, and announced by `+CDSI`), some `bfr` 1 only, and some no `ds` at all
/// before `AT+CSMS=1`, which wants each report that comes directly to be acknowledged.
const CNMI_FORMS: [&str; 11] = [
    "AT+CNMI=2,1,0,1,0",
    // mutant: reports-stored
    "AT+CNMI=2,1,0,2,0",
    "AT+CNMI=2,1,0,1,1",
    "AT+CNMI=2,1,0,2,1",
    PHASE_2,
    "AT+CNMI=2,1,0,1,0",
    "AT+CNMI=2,1,0,2,0",
    PHASE_1,
    "AT+CNMI=2,1,0,0,0",
    "AT+CNMI=1,1,0,0,0",
    "AT+CNMI=2,1",
];
const PHASE_2: &str = "AT+CSMS=1";
const PHASE_1: &str = "AT+CSMS=0";
/// The number of the last form of `AT+CNMI`.
const LAST_CNMI_FORM: u8 = CNMI_FORMS.len() as u8 - 1;
/// The number of the first form that `AT+CSMS=1` does not matter for.
const AFTER_PHASE_2: u8 = 8;
/// Answers "busy" in a row.
const MAX_BUSY: u32 = 30;
const BUSY: Duration = Duration::from_secs(1);
/// Between two looks at the storage, where messages are not announced.
pub(crate) const BLIND_LOOK: Duration = Duration::from_secs(20);
/// After a look that failed.
pub(crate) const RETRY: Duration = Duration::from_secs(30);
