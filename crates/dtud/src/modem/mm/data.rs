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
    reported: String,
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
    const fn retry_at(&self) -> Option<Instant> {
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
    /// When a connection is to be tried. A call goes first: modems with one port for everything end it otherwise.
    pub(super) fn connect_at(&self) -> Option<Instant> {
        self.data.retry_at().filter(|_| self.call.is_none())
    }

    pub(super) async fn connect_if_due(&mut self) {
        if self.call.is_some() {
            return;
        }
        let registered = self.state >= words::REGISTERED;
        if !self.worker.options.carries_data || !registered || !self.data.is_due() {
            // Without a network nothing is tried; when there is one it is tried at once.
            if !registered && matches!(self.data.state, State::Waiting(_)) {
                self.data.state = State::Off;
            }
            return;
        }
        if !self.found.has(".Modem.Simple") {
            return self
                .worker
                .stands("this modem makes no data connections".to_owned())
                .await;
        }
        let Some(apn) = self.worker.apn.clone() else {
            return;
        };
        self.data.state = State::Connecting;
        let (bus, path) = (self.bus.clone(), self.found.path.clone());
        self.jobs.spawn(async move {
            let outcome = connect(&bus, &path, &apn).await;
            Done::Connected(Box::new(Connected { apn, outcome }))
        });
    }

    pub(super) async fn connected(&mut self, Connected { apn, outcome }: Connected) {
        let found = outcome.and_then(|(bearer, properties)| {
            let interface = interface_of(&properties)?;
            Ok((bearer, address_to_set(&interface, &properties), interface))
        });
        match found {
            Ok((bearer, address, interface)) => {
                info!("modem: data through {interface}{address}");
                self.data = Data {
                    state: State::Up {
                        bearer,
                        interface: interface.clone(),
                        apn,
                    },
                    ..Data::default()
                };
                self.worker.use_interface(Some(interface)).await;
                self.use_right_apn();
            }
            Err(why) => {
                let why = why.to_string();
                if self.data.reported != why {
                    warn!("modem: no data connection, it is tried again: {why}");
                    self.data.reported = why;
                }
                self.data.wait();
            }
        }
    }

    /// The connection is looked at again.
    pub(super) async fn read_bearer_if(&mut self, marked: bool) -> Result<(), Trouble> {
        let State::Up {
            bearer, interface, ..
        } = &self.data.state
        else {
            return Ok(());
        };
        if !marked {
            return Ok(());
        }
        let (bearer, interface) = (bearer.clone(), interface.clone());
        let now = match self.bus.properties(&bearer, ".Bearer").await {
            Ok(properties) if properties.flag("Connected") == Some(true) => {
                interface_of(&properties)
            }
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
                warn!("modem: the data connection is lost: {why}");
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
            let ended: Result<(), Trouble> = bus
                .call(&path, ".Modem.Simple", "Disconnect", &(all,), CONNECT)
                .await;
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
    let mut wanted = HashMap::new();
    for (name, value) in [
        ("apn", &apn.name),
        ("user", &apn.user),
        ("password", &apn.password),
    ] {
        if !value.is_empty() {
            wanted.insert(name, Value::from(value.as_str()));
        }
    }
    let bearer: OwnedObjectPath = bus
        .call(modem, ".Modem.Simple", "Connect", &(wanted,), CONNECT)
        .await?;
    let properties = bus.properties(bearer.as_str(), ".Bearer").await?;
    Ok((bearer.to_string(), properties))
}

/// The network interface of a bearer.
fn interface_of(bearer: &Properties) -> Result<String, Trouble> {
    let interface = bearer.text("Interface").unwrap_or_default();
    if bearer.inner("Ip4Config").number("method") == Some(PPP) || interface.starts_with("tty") {
        return Err(Trouble::Broken(format!(
            "{interface} needs PPP: let NetworkManager connect it, and name its interface in [modem] interface"
        )));
    }
    match interface {
        "" => Err(Trouble::Broken(
            "the bearer has no network interface".to_owned(),
        )),
        name => Ok(name.to_owned()),
    }
}

/// What somebody must do before the interface can be used: ModemManager connects, it configures nothing.
fn address_to_set(interface: &str, bearer: &Properties) -> String {
    let config = bearer.inner("Ip4Config");
    match (
        config.number("method"),
        config.text("address"),
        config.number("prefix"),
    ) {
        (Some(STATIC), Some(address), Some(prefix)) => format!(
            "; it is used when it has its address: ip link set {interface} up; ip address add {address}/{prefix} dev {interface}"
        ),
        (Some(DHCP), ..) => {
            format!("; it is used when a DHCP client has given {interface} its address")
        }
        _ => String::new(),
    }
}

/// `MM_BEARER_IP_METHOD_PPP`
const PPP: u32 = 1;
const STATIC: u32 = 2;
const DHCP: u32 = 3;
const CONNECT: Duration = Duration::from_secs(180);

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use zbus::zvariant::OwnedValue;

    use super::super::fake::value;
    use super::*;

    fn bearer(interface: &str, config: HashMap<&str, OwnedValue>) -> Properties {
        let config: HashMap<&str, Value<'_>> = config
            .iter()
            .map(|(name, value)| (*name, value.try_clone().unwrap().into()))
            .collect();
        let properties = [
            ("Interface", value(interface)),
            ("Ip4Config", value(config)),
        ];
        Properties(
            properties
                .map(|(name, value)| (name.to_owned(), value))
                .into(),
        )
    }

    #[test]
    fn a_bearer_that_needs_ppp_or_has_no_interface_is_refused_with_what_to_do() {
        let ppp = bearer("ttyUSB2", HashMap::from([("method", value(1u32))]));
        assert!(
            interface_of(&ppp)
                .unwrap_err()
                .to_string()
                .contains("NetworkManager")
        );
        assert!(interface_of(&bearer("", HashMap::new())).is_err());
        assert_eq!(
            interface_of(&bearer("wwan0", HashMap::new())).unwrap(),
            "wwan0"
        );
    }

    #[test]
    fn an_address_that_somebody_must_set_is_told() {
        let config = [
            ("method", value(2u32)),
            ("address", value("10.64.1.2")),
            ("prefix", value(30u32)),
        ];
        let said = address_to_set("wwan0", &bearer("wwan0", config.into()));
        assert!(
            said.ends_with("ip address add 10.64.1.2/30 dev wwan0"),
            "{said}"
        );
        assert_eq!(
            address_to_set("wwan0", &bearer("wwan0", HashMap::new())),
            ""
        );
    }
}
