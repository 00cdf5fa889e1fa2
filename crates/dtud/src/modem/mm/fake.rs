//! A ModemManager of our own at the other end of a socket: a table of objects, and what its methods do to it.

use std::collections::{BTreeMap, HashMap};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use tokio::net::UnixStream;
use zbus::export::futures_core::Stream as _;
use zbus::message::Type;
use zbus::zvariant::{ObjectPath, OwnedObjectPath, OwnedValue, Value};
use zbus::{Connection, Message, MessageStream};

use super::bus::{Objects, ROOT, SERVICE};

pub(super) const MODEM: &str = "/org/freedesktop/ModemManager1/Modem/0";
pub(super) const SIM: &str = "/org/freedesktop/ModemManager1/SIM/0";
pub(super) const BEARER: &str = "/org/freedesktop/ModemManager1/Bearer/0";

type Table = BTreeMap<String, HashMap<String, HashMap<String, OwnedValue>>>;
type Refusal = (&'static str, &'static str);

#[derive(Default)]
struct State {
    objects: Table,
    /// What was called, in order: `SendPin 1234`.
    calls: Vec<String>,
    /// Methods that fail, with name and text of the error.
    refused: HashMap<&'static str, Refusal>,
    last: u32,
    held: Option<Message>,
}

#[derive(Clone, Default)]
pub(super) struct Fake {
    connection: Arc<OnceLock<Connection>>,
    state: Arc<Mutex<State>>,
}

/// A value for the table.
pub(super) fn value<'v>(value: impl Into<Value<'v>>) -> OwnedValue {
    value.into().try_to_owned().unwrap()
}

pub(super) fn object(text: &str) -> ObjectPath<'_> {
    ObjectPath::try_from(text).unwrap()
}

impl Fake {
    /// Answers at the other end of the socket that comes back.
    pub(super) fn serve(&self) -> UnixStream {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let fake = self.clone();
        tokio::spawn(async move {
            let builder =
                zbus::connection::Builder::unix_stream(ours).server(zbus::Guid::generate());
            let connection = builder.unwrap().p2p().build().await.unwrap();
            let mut stream = MessageStream::from(&connection);
            fake.connection.set(connection).unwrap();
            while let Some(Ok(message)) = poll_fn(|cx| Pin::new(&mut stream).poll_next(cx)).await {
                if message.message_type() == Type::MethodCall {
                    fake.answer(&message).await;
                }
            }
        });
        theirs
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(super) fn refuse(&self, method: &'static str, name: &'static str, text: &'static str) {
        self.lock().refused.insert(method, (name, text));
    }

    pub(super) fn allow(&self, method: &str) {
        self.lock().refused.remove(method);
    }

    /// What was called so far, but for what only reads.
    pub(super) fn calls(&self) -> Vec<String> {
        self.lock().calls.clone()
    }

    pub(super) fn put(&self, path: &str, interface: &str, values: &[(&str, OwnedValue)]) {
        let interface = format!("{SERVICE}{interface}");
        let mut state = self.lock();
        let table = state
            .objects
            .entry(path.to_owned())
            .or_default()
            .entry(interface)
            .or_default();
        table.extend(
            values
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone())),
        );
    }

    /// Changes properties and tells so.
    pub(super) async fn change(&self, path: &str, interface: &str, values: &[(&str, OwnedValue)]) {
        self.put(path, interface, values);
        let changed: HashMap<&str, OwnedValue> = values.iter().cloned().collect();
        let none: [&str; 0] = [];
        let body = (format!("{SERVICE}{interface}"), changed, none.as_slice());
        self.signal(
            path,
            "org.freedesktop.DBus.Properties",
            "PropertiesChanged",
            &body,
        )
        .await;
    }

    async fn signal<B: serde::Serialize + zbus::zvariant::DynamicType>(
        &self,
        path: &str,
        interface: &str,
        member: &str,
        body: &B,
    ) {
        let connection = self.connection.get().expect("somebody is connected");
        connection
            .emit_signal(None::<&str>, path, interface, member, body)
            .await
            .unwrap();
    }

    pub(super) async fn report(&self, path: &str, interface: &str, member: &str, about: &str) {
        let interface = format!("{SERVICE}{interface}");
        self.signal(path, &interface, member, &(object(about), true))
            .await;
    }

    /// A message that arrived.
    pub(super) async fn receive(&self, name: &str, values: &[(&str, OwnedValue)]) -> String {
        let path = format!("{ROOT}/SMS/{name}");
        self.put(
            &path,
            ".Sms",
            &[("PduType", value(1u32)), ("State", value(3u32))],
        );
        self.put(&path, ".Sms", values);
        self.report(MODEM, ".Modem.Messaging", "Added", &path).await;
        path
    }

    pub(super) async fn call_state(&self, path: &str, state: i32, reason: i32) {
        let old = 0i32;
        self.put(
            path,
            ".Call",
            &[("State", value(state)), ("StateReason", value(reason))],
        );
        let body = (old, state, u32::try_from(reason).unwrap());
        self.signal(path, &format!("{SERVICE}.Call"), "StateChanged", &body)
            .await;
    }

    /// A call comes in.
    pub(super) async fn ring(&self, name: &str, number: &str) -> String {
        let path = format!("{ROOT}/Call/{name}");
        let values = [
            ("State", value(3i32)),
            ("Direction", value(1i32)),
            ("Number", value(number)),
        ];
        self.put(&path, ".Call", &values);
        self.report(MODEM, ".Modem.Voice", "CallAdded", &path).await;
        path
    }

    /// The modem is pulled out.
    pub(super) async fn vanish(&self) {
        self.lock().objects.clear();
        let body = (
            object(MODEM),
            [format!("{SERVICE}.Modem")].as_slice().to_vec(),
        );
        self.signal(
            ROOT,
            "org.freedesktop.DBus.ObjectManager",
            "InterfacesRemoved",
            &body,
        )
        .await;
    }

    pub(super) async fn appear(&self) {
        let body = (
            object(MODEM),
            HashMap::<String, HashMap<String, OwnedValue>>::new(),
        );
        self.signal(
            ROOT,
            "org.freedesktop.DBus.ObjectManager",
            "InterfacesAdded",
            &body,
        )
        .await;
    }

    /// What was held fails after all.
    pub(super) async fn answer_held(&self, name: &'static str) {
        let held = self.lock().held.take().expect("a call is held");
        let connection = self.connection.get().expect("somebody is connected");
        connection
            .reply_error(&held.header(), name, &"late")
            .await
            .unwrap();
    }

    async fn answer(&self, message: &Message) {
        let connection = self.connection.get().expect("it is being served");
        let header = message.header();
        let method = header.member().unwrap().to_string();
        let path = header.path().unwrap().to_string();
        let refused = self.lock().refused.get(method.as_str()).copied();
        if let Some((name, text)) = refused {
            self.lock().calls.push(method);
            if name == HOLD {
                self.lock().held = Some(message.clone());
            } else {
                connection.reply_error(&header, name, &text).await.unwrap();
            }
            return;
        }
        let body = message.body();
        match method.as_str() {
            "GetManagedObjects" => connection.reply(&header, &self.modems()).await,
            "GetAll" => {
                let (interface,): (String,) = body.deserialize().unwrap();
                let found = self
                    .lock()
                    .objects
                    .get(&path)
                    .and_then(|object| object.get(&interface).cloned());
                match found {
                    Some(properties) => connection.reply(&header, &properties).await,
                    None => {
                        connection
                            .reply_error(&header, UNKNOWN_OBJECT, &"no such object")
                            .await
                    }
                }
            }
            "List" => connection.reply(&header, &self.below("/SMS/")).await,
            "ListCalls" => connection.reply(&header, &self.below("/Call/")).await,
            "GetNetworkTime" => connection.reply(&header, &"2026-11-22T17:00:00+08").await,
            "GetLocation" => {
                let places = HashMap::from([(1u32, value("460,00,5315,852D,0"))]);
                connection.reply(&header, &places).await
            }
            "Create" => {
                connection
                    .reply(&header, &self.create("/SMS/new", ".Sms", &body))
                    .await
            }
            "CreateCall" => {
                connection
                    .reply(&header, &self.create("/Call/new", ".Call", &body))
                    .await
            }
            "Connect" => connection.reply(&header, &self.connect(&body)).await,
            method => {
                self.act(method, &path, &body).await;
                connection.reply(&header, &()).await
            }
        }
        .unwrap();
    }

    fn modems(&self) -> Objects {
        let state = self.lock();
        let modems = state
            .objects
            .iter()
            .filter(|(path, _)| path.contains("/Modem/"));
        modems
            .map(|(path, object)| (OwnedObjectPath::from(self::object(path)), object.clone()))
            .collect()
    }

    fn below(&self, kind: &str) -> Vec<OwnedObjectPath> {
        let state = self.lock();
        let paths = state.objects.keys().filter(|path| path.contains(kind));
        paths
            .map(|path| OwnedObjectPath::from(object(path)))
            .collect()
    }

    fn create(&self, kind: &str, interface: &str, body: &zbus::message::Body) -> OwnedObjectPath {
        let (wanted,): (BTreeMap<String, OwnedValue>,) = body.deserialize().unwrap();
        let mut state = self.lock();
        state.last += 1;
        let path = format!("{ROOT}{kind}{}", state.last);
        let shown: Vec<String> = wanted
            .iter()
            .map(|(name, value)| format!("{name}={}", **value))
            .collect();
        state.calls.push(format!("Create {}", shown.join(" ")));
        drop(state);
        self.put(
            &path,
            interface,
            &[("PduType", value(2u32)), ("State", value(0i32))],
        );
        object(&path).into()
    }

    fn connect(&self, body: &zbus::message::Body) -> OwnedObjectPath {
        let (wanted,): (BTreeMap<String, OwnedValue>,) = body.deserialize().unwrap();
        let shown: Vec<String> = wanted
            .iter()
            .map(|(name, value)| format!("{name}={}", **value))
            .collect();
        self.lock()
            .calls
            .push(format!("Connect {}", shown.join(" ")));
        // The one interface that every machine has, with an address that every machine knows.
        self.put(
            BEARER,
            ".Bearer",
            &[("Connected", value(true)), ("Interface", value("lo"))],
        );
        object(BEARER).into()
    }

    async fn act(&self, method: &str, path: &str, body: &zbus::message::Body) {
        let text = match method {
            "SendPin" => body.deserialize::<(String,)>().unwrap().0,
            "Delete" | "DeleteCall" | "Disconnect" => {
                let (path,): (OwnedObjectPath,) = body.deserialize().unwrap();
                self.lock().objects.remove(path.as_str());
                path.rsplit('/').next().unwrap_or_default().to_owned()
            }
            "Enable" => body.deserialize::<(bool,)>().unwrap().0.to_string(),
            _ => String::new(),
        };
        self.lock()
            .calls
            .push(format!("{method} {text}").trim_end().to_owned());
        match method {
            "SendPin" => {
                self.change(
                    MODEM,
                    ".Modem",
                    &[("State", value(3i32)), ("UnlockRequired", value(1u32))],
                )
                .await;
            }
            "Enable" if text == "true" => {
                self.change(MODEM, ".Modem", &[("State", value(8i32))])
                    .await
            }
            "Enable" => {
                self.change(MODEM, ".Modem", &[("State", value(3i32))])
                    .await
            }
            "Send" => self.put(path, ".Sms", &[("MessageReference", value(77u32))]),
            "Start" => self.call_state(path, 2, 1).await,
            "Accept" => self.call_state(path, 4, 3).await,
            "Hangup" => self.call_state(path, 7, 4).await,
            _ => {}
        }
    }
}

/// In place of an error: no answer, or a late one.
pub(super) const HOLD: &str = "";
const UNKNOWN_OBJECT: &str = "org.freedesktop.DBus.Error.UnknownObject";
