//! The bus: calls with a time-out, properties that may be missing, and signals as marks of what is to be read again.
//!
//! Signals only say where to look. So none need be kept in order, one that was lost or invented does no harm, and
//! what waits is bounded by the number of things that can be marked.

use std::collections::HashMap;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::AbortHandle;
use zbus::export::futures_core::Stream as _;
use zbus::message::Type;
use zbus::zvariant::{DynamicDeserialize, DynamicType, OwnedObjectPath, OwnedValue, Value};
use zbus::{Connection, MatchRule, Message, MessageStream};

/// ModemManager's name on the bus, and what its interfaces begin with.
pub(super) const SERVICE: &str = "org.freedesktop.ModemManager1";
/// Its root object.
pub(super) const ROOT: &str = "/org/freedesktop/ModemManager1";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";

/// What to look at again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Marks {
    /// The service has gone, come, or changed hands; or the bus is gone.
    pub(super) service: bool,
    /// Modems appeared or vanished.
    pub(super) modems: bool,
    pub(super) modem: bool,
    pub(super) registration: bool,
    pub(super) location: bool,
    pub(super) time: bool,
    pub(super) messages: bool,
    pub(super) calls: bool,
    pub(super) bearer: bool,
    /// Calls that are over, and why: MM may have forgotten them when they are looked for.
    pub(super) ended: Vec<(String, u32)>,
}

/// A call that failed.
#[derive(Clone, Debug)]
pub(super) enum Trouble {
    /// The other side's answer: name of the error, and its text.
    Refused(String, String),
    /// No answer in time.
    Silent,
    /// The bus is gone, or the answer cannot be understood.
    Broken(String),
}

impl Trouble {
    /// The D-Bus name of the error.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Refused(name, _) => name,
            Self::Silent => "org.freedesktop.DBus.Error.NoReply",
            Self::Broken(_) => "",
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(name, text) if text.is_empty() => f.write_str(name),
            Self::Refused(_, text) => f.write_str(text),
            Self::Silent => f.write_str("no answer"),
            Self::Broken(why) => f.write_str(why),
        }
    }
}

impl From<zbus::Error> for Trouble {
    fn from(error: zbus::Error) -> Self {
        if let zbus::Error::MethodError(name, text, _) = error {
            return Self::Refused(name.to_string(), text.unwrap_or_default());
        }
        Self::Broken(error.to_string())
    }
}

/// A connection, with its signals.
#[derive(Clone)]
pub(super) struct Bus {
    connection: Connection,
    /// Whom to call; `None` = there is only one, at the other end.
    service: Option<&'static str>,
    marks: Arc<Shared>,
    _readers: Arc<Readers>,
}

#[derive(Default)]
struct Shared {
    marks: Mutex<Marks>,
    changed: Notify,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Marks> {
        self.marks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// They end with the last copy of the bus.
struct Readers(Vec<AbortHandle>);

impl Drop for Readers {
    fn drop(&mut self) {
        self.0.iter().for_each(AbortHandle::abort);
    }
}

impl Bus {
    /// The system bus (or the one that `DBUS_SYSTEM_BUS_ADDRESS` names).
    pub(super) async fn system() -> Result<Self, Trouble> {
        let connection = zbus::connection::Builder::system()?.build();
        let connection = tokio::time::timeout(QUICK, connection)
            .await
            .map_err(|_| Trouble::Silent)??;
        let owner = MatchRule::builder()
            .msg_type(Type::Signal)
            .sender("org.freedesktop.DBus")?
            .member("NameOwnerChanged")?
            .add_arg(SERVICE)?
            .build();
        // Of ModemManager only: everybody on the bus may send signals about its objects.
        let signals = MatchRule::builder()
            .msg_type(Type::Signal)
            .sender(SERVICE)?
            .path_namespace(ROOT)?;
        Self::listen(connection, Some(SERVICE), vec![owner, signals.build()]).await
    }

    /// ModemManager itself is at the other end.
    #[cfg(test)]
    pub(super) async fn peer(stream: tokio::net::UnixStream) -> Result<Self, Trouble> {
        let connection = zbus::connection::Builder::unix_stream(stream)
            .p2p()
            .build()
            .await?;
        let signals = MatchRule::builder()
            .msg_type(Type::Signal)
            .path_namespace(ROOT)?
            .build();
        Self::listen(connection, None, vec![signals]).await
    }

    async fn listen(
        connection: Connection,
        service: Option<&'static str>,
        rules: Vec<MatchRule<'static>>,
    ) -> Result<Self, Trouble> {
        let marks = Arc::new(Shared::default());
        let mut readers = Vec::new();
        for rule in rules {
            let stream = MessageStream::for_match_rule(rule, &connection, None);
            let stream = tokio::time::timeout(QUICK, stream)
                .await
                .map_err(|_| Trouble::Silent)??;
            readers.push(tokio::spawn(read(stream, Arc::clone(&marks))).abort_handle());
        }
        Ok(Self {
            connection,
            service,
            marks,
            _readers: Arc::new(Readers(readers)),
        })
    }

    /// What was marked since the last time; waits for something.
    pub(super) async fn marks(&self) -> Marks {
        loop {
            let changed = self.marks.changed.notified();
            let marks = std::mem::take(&mut *self.marks.lock());
            if marks != Marks::default() {
                return marks;
            }
            changed.await;
        }
    }

    /// Calls a method of ModemManager; `interface` is what follows its name: `.Modem.Simple`.
    pub(super) async fn call<B, R>(
        &self,
        path: &str,
        interface: &str,
        method: &str,
        body: &B,
        within: Duration,
    ) -> Result<R, Trouble>
    where
        B: serde::Serialize + DynamicType + Sync,
        R: for<'d> DynamicDeserialize<'d>,
    {
        self.call_any(path, &format!("{SERVICE}{interface}"), method, body, within)
            .await
    }

    /// Calls a method of another interface.
    pub(super) async fn call_any<B, R>(
        &self,
        path: &str,
        interface: &str,
        method: &str,
        body: &B,
        within: Duration,
    ) -> Result<R, Trouble>
    where
        B: serde::Serialize + DynamicType + Sync,
        R: for<'d> DynamicDeserialize<'d>,
    {
        let call = self
            .connection
            .call_method(self.service, path, Some(interface), method, body);
        let reply = tokio::time::timeout(within, call)
            .await
            .map_err(|_| Trouble::Silent)??;
        Ok(reply.body().deserialize()?)
    }

    /// All properties of one interface of an object.
    pub(super) async fn properties(
        &self,
        path: &str,
        interface: &str,
    ) -> Result<Properties, Trouble> {
        let interface = format!("{SERVICE}{interface}");
        self.call_any(path, PROPERTIES, "GetAll", &(interface,), QUICK)
            .await
            .map(Properties)
    }
}

/// Marks what signals tell, until the bus is gone.
async fn read(mut stream: MessageStream, shared: Arc<Shared>) {
    while let Some(Ok(message)) = poll_fn(|cx| Pin::new(&mut stream).poll_next(cx)).await {
        mark(&mut shared.lock(), &message);
        shared.changed.notify_one();
    }
    shared.lock().service = true;
    shared.changed.notify_one();
}

fn mark(marks: &mut Marks, message: &Message) {
    let header = message.header();
    let interface = header
        .interface()
        .map(|name| name.as_str())
        .unwrap_or_default();
    let member = header
        .member()
        .map(|name| name.as_str())
        .unwrap_or_default();
    let body = message.body();
    let changed = match member {
        "NameOwnerChanged" => {
            marks.service = true;
            return;
        }
        "InterfacesAdded" | "InterfacesRemoved" => {
            marks.modems = true;
            return;
        }
        "PropertiesChanged" => {
            type Changed<'a> = (&'a str, HashMap<&'a str, Value<'a>>, Vec<&'a str>);
            body.deserialize::<Changed<'_>>()
                .map(|(interface, ..)| interface)
                .unwrap_or_default()
        }
        _ => interface,
    };
    if member == "StateChanged" && changed.ends_with(".Call") && marks.ended.len() < MOST_CALLS {
        let over = body
            .deserialize::<(i32, i32, u32)>()
            .ok()
            .filter(|(_, new, _)| *new == TERMINATED);
        let path = header.path().map(ToString::to_string);
        marks
            .ended
            .extend(path.zip(over.map(|(_, _, reason)| reason)));
    }
    match changed.strip_prefix(SERVICE).unwrap_or_default() {
        ".Modem" | ".Sim" => marks.modem = true,
        ".Modem.Modem3gpp" => marks.registration = true,
        ".Modem.Location" => marks.location = true,
        ".Modem.Time" => marks.time = true,
        ".Modem.Messaging" | ".Sms" => marks.messages = true,
        ".Modem.Voice" | ".Call" => marks.calls = true,
        ".Bearer" => marks.bearer = true,
        _ => {}
    }
}

/// Properties by name; one that is missing or of another type is `None`.
#[derive(Debug, Default)]
pub(super) struct Properties(pub(super) HashMap<String, OwnedValue>);

impl Properties {
    pub(super) fn value(&self, name: &str) -> Option<&Value<'static>> {
        self.0.get(name).map(|value| &**value)
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.value(name).and_then(as_text)
    }

    pub(super) fn number(&self, name: &str) -> Option<u32> {
        as_number(self.value(name)?)
    }

    pub(super) fn signed(&self, name: &str) -> Option<i32> {
        self.value(name)?.downcast_ref().ok()
    }

    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        self.value(name)?.downcast_ref().ok()
    }

    /// An object; `/` is none.
    pub(super) fn object(&self, name: &str) -> Option<String> {
        let Value::ObjectPath(path) = self.value(name)? else {
            return None;
        };
        (path.as_str() != "/").then(|| path.to_string())
    }

    pub(super) fn octets(&self, name: &str) -> Option<Vec<u8>> {
        self.value(name)?.try_clone().ok()?.try_into().ok()
    }

    /// The first text of a list.
    pub(super) fn first_text(&self, name: &str) -> Option<String> {
        let list: Vec<String> = self.value(name)?.try_clone().ok()?.try_into().ok()?;
        list.into_iter().find(|text| !text.is_empty())
    }

    /// A value of a table with text keys.
    pub(super) fn inner(&self, name: &str) -> Self {
        let table = self.value(name).and_then(|value| value.try_clone().ok());
        let table: Option<HashMap<String, OwnedValue>> =
            table.and_then(|value| value.try_into().ok());
        Self(table.unwrap_or_default())
    }
}

pub(super) fn as_text<'a>(value: &'a Value<'_>) -> Option<&'a str> {
    value.downcast_ref().ok()
}

fn as_number(value: &Value<'_>) -> Option<u32> {
    value.downcast_ref().ok()
}

/// Objects with their interfaces and properties.
pub(super) type Objects = HashMap<OwnedObjectPath, HashMap<String, HashMap<String, OwnedValue>>>;

/// For what the service answers by itself.
pub(super) const QUICK: Duration = Duration::from_secs(10);
/// `MM_CALL_STATE_TERMINATED`
pub(super) const TERMINATED: i32 = 7;
const MOST_CALLS: usize = 16;
