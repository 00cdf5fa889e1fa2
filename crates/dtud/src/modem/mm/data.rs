//! The data connection: made with the values of `AT+CSTT`, and made again when it is lost.

use std::collections::HashMap;
use std::time::Duration;

use dtu_proto::config::Apn;
use tokio::time::Instant;
use tracing::{info, warn};
use zbus::zvariant::{ObjectPath, OwnedObjectPath, Value};

use super::bus::{Bus, Properties, Trouble};
use super::session::{Done, FIRST_PAUSE, LONGEST_PAUSE, Session};
use super::words;

/// How the connection stands.
#[derive(Debug, Default)]
pub(super) struct Data {
    state: State,
    pause: Option<Duration>,
    /// Why it failed, as last told.
    told: String,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Off,
    Waiting(Instant),
    Connecting,
    Up {
        bearer: String,
        interface: String,
        apn: Apn,
    },
}

/// The outcome of an attempt.
pub(super) struct Connected {
    apn: Apn,
    outcome: Result<(String, Properties), Trouble>,
}

impl Data {
    pub(super) const fn retry_at(&self) -> Option<Instant> {
        match self.state {
            State::Waiting(at) => Some(at),
            State::Off | State::Connecting | State::Up { .. } => None,
        }
    }

    fn is_due(&self) -> bool {
        match self.state {
            State::Off => true,
            State::Waiting(at) => at <= Instant::now(),
            State::Connecting | State::Up { .. } => false,
        }
    }

    /// Tries again after a pause that grows.
    fn wait(&mut self) {
        let pause = self.pause.unwrap_or(FIRST_PAUSE);
        self.state = State::Waiting(Instant::now() + pause);
        self.pause = Some((pause * 2).min(LONGEST_PAUSE));
    }
}

impl Session<'_> {
    pub(super) async fn connect_if_due(&mut self) {
        let registered = self.state >= words::REGISTERED;
        if !self.worker.options.carries_data || !registered || !self.data.is_due() {
            // Without a network nothing is tried; when there is one it is tried at once.
            if !registered && matches!(self.data.state, State::Waiting(_)) {
                self.data.state = State::Off;
            }
            return;
        }
        if !self.found.has(".Modem.Simple") {
            return self.worker.stands("this modem makes no data connections".to_owned()).await;
        }
        let Some(apn) = self.worker.apn.clone() else { return };
        self.data.state = State::Connecting;
        let (bus, path) = (self.bus.clone(), self.found.path.clone());
        self.jobs.spawn(async move {
            let outcome = connect(&bus, &path, &apn).await;
            Done::Connected(Box::new(Connected { apn, outcome }))
        });
    }

    pub(super) async fn connected(&mut self, Connected { apn, outcome }: Connected) {
        match outcome.and_then(|(bearer, properties)| Ok((bearer, interface_of(&properties)?))) {
            Ok((bearer, interface)) => {
                info!("modem mm: data through {interface}");
                self.data = Data {
                    state: State::Up { bearer, interface: interface.clone(), apn },
                    ..Data::default()
                };
                self.worker.use_interface(Some(interface)).await;
                self.use_right_apn();
            }
            Err(why) => {
                let why = why.to_string();
                if self.data.told != why {
                    warn!("modem mm: no data connection, it is tried again: {why}");
                    self.data.told = why;
                }
                self.data.wait();
            }
        }
    }

    /// The connection is looked at again.
    pub(super) async fn read_bearer_if(&mut self, marked: bool) -> Result<(), Trouble> {
        let State::Up { bearer, interface, .. } = &self.data.state else { return Ok(()) };
        if !marked {
            return Ok(());
        }
        let (bearer, interface) = (bearer.clone(), interface.clone());
        let now = match self.bus.properties(&bearer, ".Bearer").await {
            Ok(properties) if properties.flag("Connected") == Some(true) => interface_of(&properties),
            Ok(_) => Err(Trouble::Broken("the network ended it".to_owned())),
            Err(why) => Err(why),
        };
        match now {
            Ok(now) if now == interface => {}
            Ok(now) => {
                if let State::Up { interface, .. } = &mut self.data.state {
                    interface.clone_from(&now);
                }
                self.worker.use_interface(Some(now)).await;
            }
            Err(why) => {
                warn!("modem mm: the data connection is lost: {why}");
                self.data.wait();
                self.worker.use_interface(None).await;
            }
        }
        Ok(())
    }

    pub(super) async fn use_apn(&mut self, apn: Apn) {
        self.worker.apn = Some(apn);
        // Another one may work where this one did not.
        if matches!(self.data.state, State::Waiting(_)) {
            self.data = Data::default();
        }
        self.use_right_apn();
        self.connect_if_due().await;
    }

    /// A connection with other values than those that are set is ended; a new one follows.
    fn use_right_apn(&mut self) {
        let wanted = self.worker.apn.as_ref();
        if !matches!(&self.data.state, State::Up { apn, .. } if Some(apn) != wanted) {
            return;
        }
        self.data.state = State::Connecting;
        let (bus, path) = (self.bus.clone(), self.found.path.clone());
        self.jobs.spawn(async move {
            let all = ObjectPath::from_static_str_unchecked("/");
            let ended: Result<(), Trouble> =
                bus.call(&path, ".Modem.Simple", "Disconnect", &(all,), CONNECT).await;
            drop(ended);
            Done::Disconnected
        });
    }

    pub(super) async fn disconnected(&mut self) {
        self.data = Data::default();
        self.worker.use_interface(None).await;
        self.connect_if_due().await;
    }
}

async fn connect(bus: &Bus, modem: &str, apn: &Apn) -> Result<(String, Properties), Trouble> {
    let mut wanted = HashMap::from([("apn", Value::from(apn.name.as_str()))]);
    for (name, value) in [("user", &apn.user), ("password", &apn.password)] {
        if !value.is_empty() {
            wanted.insert(name, Value::from(value.as_str()));
        }
    }
    let bearer: OwnedObjectPath = bus.call(modem, ".Modem.Simple", "Connect", &(wanted,), CONNECT).await?;
    let properties = bus.properties(bearer.as_str(), ".Bearer").await?;
    Ok((bearer.to_string(), properties))
}

/// The network interface of a bearer.
fn interface_of(bearer: &Properties) -> Result<String, Trouble> {
    let interface = bearer.text("Interface").unwrap_or_default();
    if bearer.inner("Ip4Config").number("Method") == Some(PPP) || interface.starts_with("tty") {
        return Err(Trouble::Broken(format!(
            "{interface} needs PPP: let NetworkManager connect it, and name its interface in [modem] interface"
        )));
    }
    match interface {
        "" => Err(Trouble::Broken("the bearer has no network interface".to_owned())),
        name => Ok(name.to_owned()),
    }
}

/// `MM_BEARER_IP_METHOD_PPP`
const PPP: u32 = 1;
const CONNECT: Duration = Duration::from_secs(180);
