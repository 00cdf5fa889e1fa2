//! One modem, from its appearance to its end.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use dtu_proto::event::{ModemInput, ModemOutput};
use dtu_proto::radio::{
    Abilities, ModemIdentity, Operator, PhoneNumber, Registration, Signal, SimState, SubmitFailure,
};
use modem_proto::PinHistory;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tracing::{debug, info, warn};
use zbus::zvariant::{ObjectPath, OwnedObjectPath, OwnedValue};

use super::bus::{Bus, Marks, Properties, QUICK, Trouble, as_text};
use super::calls::Call;
use super::data::Data;
use super::worker::{Card, Found, Worker, find};
use super::{messages, words};

/// What takes its time, when it is done.
pub(super) enum Done {
    Enabled(Result<(), Trouble>),
    Submitted(u32, Result<u8, SubmitFailure>),
    Deleted(String, Result<(), Trouble>),
    Connected(Box<super::data::Connected>),
    Disconnected,
    /// The order to this call failed.
    CallFailed(String, Trouble),
    /// Nothing to do any more; the text says what failed.
    Other(Option<String>),
}

pub(super) struct Session<'w> {
    pub(super) worker: &'w mut Worker,
    pub(super) bus: Bus,
    pub(super) found: Found,
    pub(super) jobs: JoinSet<Done>,
    /// `MMModemState`
    pub(super) state: i32,
    identity: Option<ModemIdentity>,
    enabling: bool,
    enable_at: Option<Instant>,
    enable_pause: Duration,
    /// Something was not answered in time.
    again_at: Option<Instant>,
    submitting: Option<u32>,
    /// Messages that were told, with the numbers that are not taken yet.
    reported: HashMap<String, Vec<u64>>,
    /// Messages that are not for us.
    passed_over: HashSet<String>,
    /// Messages that are taken.
    to_delete: VecDeque<String>,
    deleting: bool,
    pub(super) call: Option<Call>,
    pub(super) data: Data,
}

impl<'w> Session<'w> {
    pub(super) fn new(worker: &'w mut Worker, bus: Bus, found: Found) -> Self {
        if let Some(card) = &mut worker.pin_given {
            card.path.clear();
        }
        Self {
            worker,
            bus,
            found,
            jobs: JoinSet::new(),
            state: 0,
            identity: None,
            enabling: false,
            enable_at: None,
            enable_pause: FIRST_PAUSE,
            again_at: None,
            submitting: None,
            reported: HashMap::new(),
            passed_over: HashSet::new(),
            to_delete: VecDeque::new(),
            deleting: false,
            call: None,
            data: Data::default(),
        }
    }

    /// Until the modem is gone.
    pub(super) async fn run(mut self) {
        self.worker
            .stands(format!("{} is there", self.found.path))
            .await;
        let why = match self.look(&everything()).await {
            Ok(()) => self.run_loop().await,
            Err(why) => why,
        };
        self.worker
            .stands(format!("{} is lost: {why}", self.found.path))
            .await;
        self.end().await;
    }

    async fn run_loop(&mut self) -> Trouble {
        loop {
            let due = [self.enable_at, self.connect_at(), self.again_at]
                .into_iter()
                .flatten()
                .min();
            let sleep = async move {
                match due {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            let step = tokio::select! {
                marks = self.bus.marks() => self.changed(marks).await,
                Some(order) = self.worker.orders.recv() => self.order(order).await,
                Some(done) = self.jobs.join_next() => self.done(done).await,
                () = sleep => self.due().await,
            };
            if let Err(why) = step {
                return why;
            }
        }
    }

    async fn due(&mut self) -> Result<(), Trouble> {
        let all = self.again_at.take_if(|at| *at <= Instant::now()).is_some();
        let marks = if all {
            everything()
        } else {
            Marks {
                modem: true,
                ..Marks::default()
            }
        };
        self.look(&marks).await
    }

    async fn end(mut self) {
        self.jobs.abort_all();
        if let Some(token) = self.submitting.take() {
            let outcome = Err(SubmitFailure::NO_MODEM);
            self.worker
                .report(ModemInput::Submitted { token, outcome })
                .await;
        }
        self.worker.use_interface(None).await;
        if self.identity.is_some() {
            self.worker.report(ModemInput::Gone).await;
        }
    }

    async fn changed(&mut self, marks: Marks) -> Result<(), Trouble> {
        if marks.service {
            return Err(Trouble::Broken(
                "ModemManager has ended or is another one".to_owned(),
            ));
        }
        if marks.modems {
            let index = self
                .found
                .path
                .rsplit_once('/')
                .and_then(|(_, number)| number.parse().ok());
            let found = find(&self.bus, index)
                .await?
                .filter(|found| found.path == self.found.path);
            let found = found.ok_or(Trouble::Broken("it vanished".to_owned()))?;
            if found != self.found {
                self.found = found;
                return self.look(&everything()).await;
            }
        }
        self.look(&marks).await
    }

    /// Reads what is marked. Only a modem that cannot be read at all is an error.
    async fn look(&mut self, marks: &Marks) -> Result<(), Trouble> {
        let mut marks = marks.clone();
        if marks.modem && self.read_modem().await? {
            marks = Marks {
                ended: marks.ended,
                ..everything()
            };
        }
        self.calls_ended(&marks.ended).await;
        let cell = marks.location || marks.registration || marks.modem;
        let tries = [
            (
                "registration",
                self.read_registration_if(marks.registration).await,
            ),
            ("cell", self.read_cell_if(cell).await),
            ("time", self.read_time_if(marks.time).await),
            ("messages", self.read_messages_if(marks.messages).await),
            ("calls", self.read_calls_if(marks.calls).await),
            ("bearer", self.read_bearer_if(marks.bearer).await),
        ];
        for (what, tried) in tries {
            if let Err(why) = tried {
                debug!("modem: {what}: {why}");
                // No signal will tell when there is an answer.
                let silent = matches!(why, Trouble::Silent);
                self.again_at = silent
                    .then(|| Instant::now() + LOOK_AGAIN)
                    .or(self.again_at);
            }
        }
        self.connect_if_due().await;
        Ok(())
    }

    /// Whether everything is to be read afresh.
    async fn read_modem(&mut self) -> Result<bool, Trouble> {
        let modem = self.bus.properties(&self.found.path, ".Modem").await?;
        let state = modem.signed("State").unwrap_or_default();
        let (was_enabled, is_enabled) = (self.state >= words::ENABLED, state >= words::ENABLED);
        let was_registered = std::mem::replace(&mut self.state, state) >= words::REGISTERED;
        let appeared = self.identify(&modem).await;
        self.report_modem(&modem).await;
        self.unlock_if_needed(&modem).await;
        self.enable_if_needed();
        let registered = state >= words::REGISTERED && !was_registered;
        Ok(appeared || registered || (is_enabled && !was_enabled))
    }

    async fn identify(&mut self, modem: &Properties) -> bool {
        let identity = ModemIdentity {
            imei: digits(modem.text("EquipmentIdentifier")),
            imsi: self.imsi(modem).await,
            model: model(modem),
            abilities: Abilities {
                messages: self.found.has(".Modem.Messaging"),
                calls: self.found.has(".Modem.Voice"),
            },
        };
        if self.identity.as_ref() == Some(&identity) {
            return false;
        }
        self.identity = Some(identity.clone());
        self.worker.report(ModemInput::Present(identity)).await;
        true
    }

    async fn sim(&self, path: &str) -> Properties {
        self.bus.properties(path, ".Sim").await.unwrap_or_default()
    }

    async fn card(&self, path: String) -> Card {
        let iccid = digits(self.sim(&path).await.text("SimIdentifier"));
        Card { path, iccid }
    }

    async fn imsi(&self, modem: &Properties) -> String {
        let Some(path) = modem.object("Sim") else {
            return String::new();
        };
        digits(self.sim(&path).await.text("Imsi"))
    }

    async fn report_modem(&mut self, modem: &Properties) {
        let sim = sim_state(modem);
        let number = modem
            .first_text("OwnNumbers")
            .and_then(|number| PhoneNumber::new(&number));
        let quality = modem
            .value("SignalQuality")
            .and_then(|value| value.try_clone().ok());
        let quality = quality.and_then(|value| <(u32, bool)>::try_from(value).ok());
        let signal = match quality {
            // Not measured yet.
            Some((0, false)) | None => Signal::UNKNOWN,
            Some((percent, _)) if self.state >= words::REGISTERED => words::signal(percent),
            Some(_) => Signal::UNKNOWN,
        };
        self.worker.report(ModemInput::Sim(sim)).await;
        self.worker.report(ModemInput::OwnNumber(number)).await;
        self.worker.report(ModemInput::Signal(signal)).await;
    }

    /// Gives the PIN, once; one that the card took again when the card wants it again.
    async fn unlock_if_needed(&mut self, modem: &Properties) {
        let state = sim_state(modem);
        if state == SimState::Ready {
            self.card_is_open(modem).await;
        }
        if state != SimState::PinNeeded {
            return;
        }
        let (Some(pin), Some(sim)) = (self.worker.options.pin.clone(), modem.object("Sim")) else {
            return self
                .worker
                .stands("the SIM card waits for a PIN: [modem] pin".to_owned())
                .await;
        };
        if std::mem::replace(&mut self.worker.pin_tried, true) {
            return;
        }
        if let Some(why) = self.why_spare_pin(modem) {
            return self
                .worker
                .stands(format!("the SIM card waits for a PIN {why}"))
                .await;
        }
        let note = self.worker.options.note.as_ref();
        if let Some(Err(why)) = note.map(|note| note.keep_before_sending(note.history().sent())) {
            return self
                .worker
                .stands(format!("the SIM card waits for a PIN; {why}"))
                .await;
        }
        let card = self.card(sim.clone()).await;
        let given: Result<(), Trouble> = self
            .bus
            .call(&sim, ".Sim", "SendPin", &(pin.as_str(),), UNLOCK)
            .await;
        // Where no answer came it may be right all the same; and what the bus itself says (the service is gone) is no word
        // of the card.
        let is_refused =
            matches!(&given, Err(Trouble::Refused(name, _)) if !name.starts_with(BUS_ERRORS));
        self.worker.pin_given = Some(card).filter(|_| !is_refused);
        match given {
            // Until the card is seen open it is in doubt.
            Ok(()) => {}
            Err(why) => {
                if is_refused {
                    self.worker
                        .options
                        .note
                        .iter()
                        .for_each(|note| note.keep(PinHistory::Refused));
                }
                let text = if is_refused {
                    format!("the SIM card refused the PIN, it is not tried again: {why}")
                } else {
                    format!(
                        "the SIM card was given the PIN, and what it made of it is not known: {why}"
                    )
                };
                self.worker.stands(text).await;
            }
        }
    }

    /// An answer alone opens no card, there are modems that say OK and go on asking: only now the PIN is known to be good.
    async fn card_is_open(&mut self, modem: &Properties) {
        let Some(sim) = modem
            .object("Sim")
            .filter(|_| self.worker.pin_given.is_some())
        else {
            return;
        };
        let open = self.card(sim).await;
        // Another card that is open says nothing of the PIN.
        let same = self.worker.pin_given.take_if(|given| given.is(&open));
        if same.is_none() {
            return;
        }
        self.worker.pin_tried = false;
        for note in self
            .worker
            .options
            .note
            .iter()
            .filter(|note| note.history().is_in_doubt())
        {
            note.keep(PinHistory::Accepted);
            info!("modem: the SIM card took the PIN");
        }
    }

    /// A wrong PIN must cost one of the card's tries at most, whatever restarts.
    fn why_spare_pin(&self, modem: &Properties) -> Option<String> {
        let tries = pin_tries(modem);
        if let Some(left) = tries.filter(|left| *left < PIN_TRIES) {
            return Some(format!(
                "and takes {left} more tries: give it once by hand (mmcli)"
            ));
        }
        let note = self
            .worker
            .options
            .note
            .as_ref()
            .filter(|note| !note.history().may_be_sent(tries))?;
        note.trouble().map(|trouble| format!("and {trouble}"))
    }

    fn enable_if_needed(&mut self) {
        let due = self.enable_at.is_none_or(|at| at <= Instant::now());
        if self.state != words::DISABLED || self.enabling || !due {
            return;
        }
        self.enabling = true;
        self.enable_at = None;
        let (bus, path) = (self.bus.clone(), self.found.path.clone());
        self.jobs.spawn(async move {
            Done::Enabled(bus.call(&path, ".Modem", "Enable", &(true,), ENABLE).await)
        });
    }

    async fn read_registration_if(&mut self, marked: bool) -> Result<(), Trouble> {
        if !marked || !self.found.has(".Modem.Modem3gpp") {
            return Ok(());
        }
        let network = self
            .bus
            .properties(&self.found.path, ".Modem.Modem3gpp")
            .await?;
        let number = network
            .number("RegistrationState")
            .and_then(|number| u8::try_from(number).ok());
        let registration = number.map_or(Registration::Unknown, Registration::from_number);
        let [name, code] = ["OperatorName", "OperatorCode"]
            .map(|property| network.text(property).unwrap_or_default().to_owned());
        let known = registration.is_registered() && !(name.is_empty() && code.is_empty());
        self.worker
            .report(ModemInput::Registration(registration))
            .await;
        self.worker
            .report(ModemInput::Operator(
                known.then_some(Operator { name, code }),
            ))
            .await;
        Ok(())
    }

    async fn read_cell_if(&mut self, marked: bool) -> Result<(), Trouble> {
        const INTERFACE: &str = ".Modem.Location";
        if !marked || !self.found.has(INTERFACE) || self.state < words::ENABLED {
            return Ok(());
        }
        let location = self.bus.properties(&self.found.path, INTERFACE).await?;
        let [can, enabled] =
            ["Capabilities", "Enabled"].map(|name| location.number(name).unwrap_or(0));
        if can & LAC_CI == 0 {
            return Ok(());
        }
        if enabled & LAC_CI == 0 {
            let signals = location.flag("SignalsLocation").unwrap_or(false);
            let wanted = (enabled | LAC_CI, signals);
            let () = self
                .bus
                .call(&self.found.path, INTERFACE, "Setup", &wanted, QUICK)
                .await?;
        }
        let places: HashMap<u32, OwnedValue> = self
            .bus
            .call(&self.found.path, INTERFACE, "GetLocation", &(), QUICK)
            .await?;
        let cell = places
            .get(&LAC_CI)
            .and_then(|value| as_text(value))
            .and_then(words::cell);
        let cell = cell.filter(|_| self.state >= words::REGISTERED);
        self.worker.report(ModemInput::Cell(cell)).await;
        Ok(())
    }

    async fn read_time_if(&mut self, marked: bool) -> Result<(), Trouble> {
        const INTERFACE: &str = ".Modem.Time";
        if !marked || !self.found.has(INTERFACE) || self.state < words::REGISTERED {
            return Ok(());
        }
        let text: String = self
            .bus
            .call(&self.found.path, INTERFACE, "GetNetworkTime", &(), QUICK)
            .await?;
        if let Some(time) = words::network_time(&text) {
            self.worker.report(ModemInput::Clock(time)).await;
        }
        Ok(())
    }

    async fn read_messages_if(&mut self, marked: bool) -> Result<(), Trouble> {
        const INTERFACE: &str = ".Modem.Messaging";
        if !marked || !self.found.has(INTERFACE) || self.state < words::ENABLED {
            return Ok(());
        }
        let list: Vec<OwnedObjectPath> = self
            .bus
            .call(&self.found.path, INTERFACE, "List", &(), QUICK)
            .await?;
        let list: Vec<String> = list.into_iter().map(|path| path.to_string()).collect();
        self.reported.retain(|path, _| list.contains(path));
        self.passed_over.retain(|path| list.contains(path));
        for path in list {
            if !self.reported.contains_key(&path) && !self.passed_over.contains(&path) {
                self.read_message(path).await?;
            }
        }
        Ok(())
    }

    async fn read_message(&mut self, path: String) -> Result<(), Trouble> {
        let sms = self.bus.properties(&path, ".Sms").await?;
        match messages::received(&sms) {
            None => {
                self.passed_over.insert(path);
            }
            // Parts are missing: MM tells when they are there.
            Some(false) => {}
            Some(true) => self.report_message(path, &sms).await,
        }
        Ok(())
    }

    async fn report_message(&mut self, path: String, sms: &Properties) {
        let pdus = messages::pdus(sms);
        if pdus.is_empty() {
            warn!("modem: {path} cannot be a message of ours; it is left where it is");
        }
        let numbered: Vec<(u64, bytes::Bytes)> = pdus
            .into_iter()
            .map(|pdu| (self.worker.next_id(), pdu))
            .collect();
        self.reported
            .insert(path, numbered.iter().map(|(id, _)| *id).collect());
        for (id, pdu) in numbered {
            self.worker.report(ModemInput::Message { id, pdu }).await;
        }
    }

    /// When all its parts are taken the message leaves the modem.
    fn taken(&mut self, id: u64) {
        let Some((path, left)) = self
            .reported
            .iter_mut()
            .find(|(_, left)| left.contains(&id))
        else {
            return;
        };
        left.retain(|other| *other != id);
        if !left.is_empty() {
            return;
        }
        self.to_delete.push_back(path.clone());
        self.delete_next();
    }

    /// One after the other, and none while a message is being sent: ModemManager locks the modem's storage for it, and
    /// forgets (1.20) what the modem tells of new messages meanwhile.
    fn delete_next(&mut self) {
        if self.deleting || self.submitting.is_some() {
            return;
        }
        let Some(path) = self.to_delete.pop_front() else {
            return;
        };
        let Ok(message) = ObjectPath::try_from(path) else {
            return;
        };
        self.deleting = true;
        let (bus, modem) = (self.bus.clone(), self.found.path.clone());
        self.jobs.spawn(async move {
            let deleted: Result<(), Trouble> = bus
                .call(&modem, ".Modem.Messaging", "Delete", &(&message,), DELETE)
                .await;
            Done::Deleted(message.to_string(), deleted)
        });
    }

    fn deleted(&mut self, message: &str, outcome: Result<(), Trouble>) {
        self.deleting = false;
        if let Err(why) = outcome {
            warn!("modem: {message} is taken and cannot be deleted: {why}");
        }
        self.delete_next();
    }

    async fn order(&mut self, order: ModemOutput) -> Result<(), Trouble> {
        match order {
            ModemOutput::Reset => self.reset(),
            ModemOutput::UseApn(apn) => self.use_apn(apn).await,
            ModemOutput::Submit { token, pdu } => self.submit(token, &pdu).await,
            ModemOutput::Taken(id) => self.taken(id),
            ModemOutput::Dial(number) => self.dial(number).await,
            ModemOutput::Answer => self.order_call("Accept"),
            ModemOutput::HangUp => self.order_call("Hangup"),
        }
        Ok(())
    }

    fn reset(&mut self) {
        let (bus, path) = (self.bus.clone(), self.found.path.clone());
        self.jobs.spawn(async move {
            let reset: Result<(), Trouble> = bus.call(&path, ".Modem", "Reset", &(), ENABLE).await;
            let Err(why) = reset else {
                return Done::Other(None);
            };
            // It is enabled again as soon as it is seen disabled.
            let off: Result<(), Trouble> =
                bus.call(&path, ".Modem", "Enable", &(false,), ENABLE).await;
            Done::Other(
                off.err()
                    .map(|other| format!("it cannot be reset ({why}) nor switched off ({other})")),
            )
        });
    }

    async fn submit(&mut self, token: u32, pdu: &[u8]) {
        let wanted = match messages::create(pdu) {
            Ok(wanted) if self.found.has(".Modem.Messaging") => wanted,
            Ok(_) => return self.submitted(token, Err(SubmitFailure(302))).await,
            Err(failure) => return self.submitted(token, Err(failure)).await,
        };
        self.submitting = Some(token);
        let (bus, path) = (self.bus.clone(), self.found.path.clone());
        self.jobs.spawn(async move {
            let sent = send(&bus, &path, wanted).await;
            Done::Submitted(token, sent.map_err(|why| failed(&why)))
        });
    }

    async fn submitted(&mut self, token: u32, outcome: Result<u8, SubmitFailure>) {
        self.submitting = None;
        self.worker
            .report(ModemInput::Submitted { token, outcome })
            .await;
        self.delete_next();
    }

    async fn done(&mut self, done: Result<Done, tokio::task::JoinError>) -> Result<(), Trouble> {
        match done {
            Ok(Done::Enabled(outcome)) => self.enabled(outcome).await,
            Ok(Done::Submitted(token, outcome)) => self.submitted(token, outcome).await,
            Ok(Done::Deleted(message, outcome)) => self.deleted(&message, outcome),
            Ok(Done::Connected(outcome)) => self.connected(*outcome).await,
            Ok(Done::Disconnected) => self.disconnected().await,
            Ok(Done::CallFailed(path, why)) => self.call_failed(&path, &why).await,
            Ok(Done::Other(None)) => {}
            Ok(Done::Other(Some(text))) => warn!("modem: {text}"),
            Err(broken) => warn!("modem: {broken}"),
        }
        Ok(())
    }

    async fn enabled(&mut self, outcome: Result<(), Trouble>) {
        self.enabling = false;
        if let Err(why) = outcome {
            self.worker
                .stands(format!("it cannot be enabled: {why}"))
                .await;
            self.enable_at = Some(Instant::now() + self.enable_pause);
            self.enable_pause = (self.enable_pause * 2).min(LONGEST_PAUSE);
        } else {
            self.enable_pause = FIRST_PAUSE;
        }
    }
}

/// Creates, sends, and takes away again.
async fn send(
    bus: &Bus,
    modem: &str,
    wanted: HashMap<&'static str, zbus::zvariant::Value<'static>>,
) -> Result<u8, Trouble> {
    let message: OwnedObjectPath = bus
        .call(modem, ".Modem.Messaging", "Create", &(wanted,), QUICK)
        .await?;
    let sent: Result<(), Trouble> = bus.call(message.as_str(), ".Sms", "Send", &(), SEND).await;
    let sms = bus
        .properties(message.as_str(), ".Sms")
        .await
        .unwrap_or_default();
    let deleted: Result<(), _> = bus
        .call(modem, ".Modem.Messaging", "Delete", &(&message,), QUICK)
        .await;
    if let Err(why) = deleted {
        debug!("modem: {message}: {why}");
    }
    sent?;
    let reference = sms.number("MessageReference").unwrap_or_default();
    Ok(u8::try_from(reference & 0xFF).unwrap_or_default())
}

fn failed(why: &Trouble) -> SubmitFailure {
    let failure = words::failure(why.name());
    warn!("modem: a message was not taken: {why} ({failure})");
    failure
}

fn sim_state(modem: &Properties) -> SimState {
    let number = |name| modem.number(name).unwrap_or_default();
    let state = modem.signed("State").unwrap_or_default();
    words::sim_state(state, number("UnlockRequired"), number("StateFailedReason"))
}

/// For the PIN of the card, where the modem tells.
fn pin_tries(modem: &Properties) -> Option<u8> {
    let tries = modem.value("UnlockRetries")?.try_clone().ok()?;
    let left = HashMap::<u32, u32>::try_from(tries)
        .ok()?
        .get(&SIM_PIN)
        .copied();
    let known = left.filter(|left| *left != TRIES_UNKNOWN);
    known.map(|left| u8::try_from(left).unwrap_or(u8::MAX))
}

fn model(modem: &Properties) -> String {
    let words = ["Manufacturer", "Model"]
        .map(|name| modem.text(name).unwrap_or_default().trim().to_owned());
    words.join(" ").trim().to_owned()
}

fn digits(text: Option<&str>) -> String {
    text.unwrap_or_default()
        .chars()
        .filter(char::is_ascii_digit)
        .collect()
}

fn everything() -> Marks {
    Marks {
        modem: true,
        registration: true,
        location: true,
        time: true,
        messages: true,
        calls: true,
        bearer: true,
        ..Marks::default()
    }
}

/// `MM_MODEM_LOCATION_SOURCE_3GPP_LAC_CI`
const LAC_CI: u32 = 1;
const BUS_ERRORS: &str = "org.freedesktop.DBus.Error.";
/// `MM_MODEM_LOCK_SIM_PIN`
const SIM_PIN: u32 = 2;
/// Of a card on which nobody has mistyped; so at most one is ever used up here, whatever restarts.
const PIN_TRIES: u8 = 3;
/// `MM_UNLOCK_RETRIES_UNKNOWN`
const TRIES_UNKNOWN: u32 = 999;
const LOOK_AGAIN: Duration = Duration::from_secs(30);
const UNLOCK: Duration = Duration::from_secs(60);
const ENABLE: Duration = Duration::from_secs(120);
/// With the calls around it, less than the three minutes that the device waits.
const SEND: Duration = Duration::from_secs(140);
const DELETE: Duration = Duration::from_secs(60);
pub(super) const FIRST_PAUSE: Duration = Duration::from_secs(5);
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(300);
