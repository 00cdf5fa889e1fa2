//! Finds the bus, on it ModemManager, and there the modem; a session runs while the modem is there.

use std::collections::HashSet;
use std::time::Duration;

use dtu_proto::config::Apn;
use dtu_proto::event::{ModemInput, ModemOutput};
use dtu_proto::radio::{
    CallEnd, CallNews, Cell, Operator, PhoneNumber, Registration, Signal, SimState, SubmitFailure,
};
use tokio::sync::mpsc::{Receiver, Sender};
use tracing::info;

use super::super::note::Note;
use super::WorkerEvent;
use super::bus::{Bus, Objects, QUICK, ROOT, SERVICE, Trouble};
use super::session::Session;

/// What the settings say.
#[derive(Clone, Debug)]
pub(in crate::modem) struct Options {
    /// The modem's number; `None` = the first.
    pub(in crate::modem) index: Option<u32>,
    pub(in crate::modem) pin: Option<String>,
    /// That the PIN was sent, over restarts of this program.
    pub(in crate::modem) note: Option<Note>,
    /// The modem's connection carries the data.
    pub(in crate::modem) carries_data: bool,
}

/// How to reach ModemManager.
pub(super) enum Transport {
    System,
    /// Once.
    #[cfg(test)]
    Peer(Option<tokio::net::UnixStream>),
}

impl Transport {
    async fn open(&mut self) -> Result<Bus, Trouble> {
        match self {
            Self::System => Bus::system().await,
            #[cfg(test)]
            Self::Peer(stream) => {
                Bus::peer(stream.take().ok_or(Trouble::Broken("closed".to_owned()))?).await
            }
        }
    }
}

/// What was told last, so that only changes are told.
#[derive(Debug, Default)]
struct LastReported {
    sim: Option<SimState>,
    registration: Option<Registration>,
    operator: Option<Option<Operator>>,
    signal: Option<Signal>,
    cell: Option<Option<Cell>>,
    number: Option<Option<PhoneNumber>>,
}

impl LastReported {
    /// Whether it is news.
    fn is_new(&mut self, news: &ModemInput) -> bool {
        match news {
            ModemInput::Present(_) | ModemInput::Gone => {
                *self = Self::default();
                true
            }
            ModemInput::Sim(state) => self.sim.replace(*state) != Some(*state),
            ModemInput::Registration(state) => self.registration.replace(*state) != Some(*state),
            ModemInput::Operator(operator) => {
                self.operator.replace(operator.clone()).as_ref() != Some(operator)
            }
            ModemInput::Signal(signal) => self.signal.replace(*signal) != Some(*signal),
            ModemInput::Cell(cell) => self.cell.replace(*cell) != Some(*cell),
            ModemInput::OwnNumber(number) => self.number.replace(*number) != Some(*number),
            ModemInput::Attached(_)
            | ModemInput::Detached
            | ModemInput::ServiceCenter(_)
            | ModemInput::Lacks(_)
            | ModemInput::Clock(_)
            | ModemInput::Message { .. }
            | ModemInput::Submitted { .. }
            | ModemInput::Call(_) => true,
        }
    }
}

/// A modem that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) path: String,
    /// Its interfaces, without ModemManager's name in front.
    pub(super) interfaces: HashSet<String>,
}

impl Found {
    pub(super) fn has(&self, interface: &str) -> bool {
        self.interfaces.contains(interface)
    }
}

/// A SIM card.
#[derive(Debug)]
pub(super) struct Card {
    /// Its object. Another start of ModemManager gives the same path to another card, so with each modem it is forgotten.
    pub(super) path: String,
    /// Its ICCID, where the modem tells; else empty.
    pub(super) iccid: String,
}

impl Card {
    /// Whether it is that one for sure.
    pub(super) fn is(&self, other: &Self) -> bool {
        let same = |a: &str, b: &str| !a.is_empty() && a == b;
        if self.iccid.is_empty() || other.iccid.is_empty() {
            same(&self.path, &other.path)
        } else {
            self.iccid == other.iccid
        }
    }
}

pub(super) struct Worker {
    transport: Transport,
    pub(super) options: Options,
    pub(super) orders: Receiver<ModemOutput>,
    news: Sender<WorkerEvent>,
    reported: LastReported,
    /// The PIN was tried: a card gives three tries only, and a wrong PIN stays wrong.
    pub(super) pin_tried: bool,
    /// Who has the PIN, and did not refuse it: once that card is open it may be given again, after a reset of the modem.
    pub(super) pin_given: Option<Card>,
    last_id: u64,
    pub(super) apn: Option<Apn>,
    status: String,
}

impl Worker {
    pub(super) fn new(
        transport: Transport,
        options: Options,
        orders: Receiver<ModemOutput>,
        news: Sender<WorkerEvent>,
    ) -> Self {
        Self {
            transport,
            options,
            orders,
            news,
            reported: LastReported::default(),
            pin_tried: false,
            pin_given: None,
            last_id: 0,
            apn: None,
            status: String::new(),
        }
    }

    pub(super) async fn run(mut self) {
        let mut pause = FIRST_PAUSE;
        loop {
            match self.transport.open().await {
                Ok(bus) => {
                    pause = FIRST_PAUSE;
                    let why = self.serve(&bus).await;
                    self.stands(format!("the bus is lost: {why}")).await;
                }
                Err(why) => self.stands(format!("no D-Bus: {why}")).await,
            }
            self.without_modem(tokio::time::sleep(pause)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Until the bus is lost.
    async fn serve(&mut self, bus: &Bus) -> Trouble {
        loop {
            match find(bus, self.options.index).await {
                Ok(Some(found)) => {
                    Session::new(self, bus.clone(), found).run().await;
                    // Not at once again: it may be there and not work.
                    self.without_modem(tokio::time::sleep(FIRST_PAUSE)).await;
                    continue;
                }
                Ok(None) => self.stands(self.missing()).await,
                Err(why @ Trouble::Broken(_)) => return why,
                Err(why) => self.stands(format!("ModemManager: {why}")).await,
            }
            let marked = async {
                let marks = bus.marks();
                drop(tokio::time::timeout(LOOK_AGAIN, marks).await);
            };
            self.without_modem(marked).await;
        }
    }

    fn missing(&self) -> String {
        self.options.index.map_or_else(
            || "ModemManager has no modem".to_owned(),
            |index| format!("ModemManager has no modem {index}"),
        )
    }

    /// Answers orders for a modem that is not there, until `wait` is over.
    async fn without_modem(&mut self, wait: impl Future<Output = ()>) {
        tokio::pin!(wait);
        loop {
            tokio::select! {
                () = &mut wait => return,
                order = self.orders.recv() => match order {
                    Some(order) => self.refuse(order).await,
                    // The driver is gone, and this task with it.
                    None => std::future::pending().await,
                },
            }
        }
    }

    async fn refuse(&mut self, order: ModemOutput) {
        match order {
            ModemOutput::UseApn(apn) => self.apn = Some(apn),
            ModemOutput::Submit { token, .. } => {
                let outcome = Err(SubmitFailure::NO_MODEM);
                self.report(ModemInput::Submitted { token, outcome }).await;
            }
            ModemOutput::Dial(_) => {
                self.report(ModemInput::Call(CallNews::Ended(CallEnd::NoCarrier)))
                    .await
            }
            ModemOutput::Reset
            | ModemOutput::Taken(_)
            | ModemOutput::Answer
            | ModemOutput::HangUp => {}
        }
    }

    /// Tells what is news.
    pub(super) async fn report(&mut self, news: ModemInput) {
        if self.reported.is_new(&news) {
            self.pass(WorkerEvent::Modem(news)).await;
        }
    }

    pub(super) async fn use_interface(&self, name: Option<String>) {
        self.pass(WorkerEvent::Data(name)).await;
    }

    async fn pass(&self, news: WorkerEvent) {
        // An error is the driver's end, and this task's with it.
        drop(self.news.send(news).await);
    }

    /// How it stands; a change is logged.
    pub(super) async fn stands(&mut self, text: String) {
        if self.status != text {
            info!("modem: {text}");
            self.status.clone_from(&text);
            self.pass(WorkerEvent::Status(text)).await;
        }
    }

    pub(super) const fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }
}

/// The modem of that number, or the one with the lowest.
pub(super) async fn find(bus: &Bus, index: Option<u32>) -> Result<Option<Found>, Trouble> {
    let manager = "org.freedesktop.DBus.ObjectManager";
    let objects: Objects = bus
        .call_any(ROOT, manager, "GetManagedObjects", &(), QUICK)
        .await?;
    let mut found: Vec<(u32, Found)> = Vec::new();
    for (path, interfaces) in &objects {
        let number = path
            .rsplit_once('/')
            .and_then(|(_, number)| number.parse().ok());
        let interfaces: HashSet<String> = interfaces
            .keys()
            .filter_map(|name| name.strip_prefix(SERVICE))
            .map(str::to_owned)
            .collect();
        if let Some(number) = number.filter(|_| interfaces.contains(".Modem")) {
            found.push((
                number,
                Found {
                    path: path.to_string(),
                    interfaces,
                },
            ));
        }
    }
    let wanted = found
        .into_iter()
        .filter(|(number, _)| index.is_none_or(|index| index == *number));
    Ok(wanted
        .min_by_key(|(number, _)| *number)
        .map(|(_, found)| found))
}

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// A service that cannot be started tells nobody when it can be.
const LOOK_AGAIN: Duration = Duration::from_secs(30);
