//! What goes into the hub and what comes out: the whole contract with the host.

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;

use crate::door::Code;
use crate::guard::Shut;
use crate::ids::{
    AccountId, ConnectionId, Delivery, DeviceId, MessageId, Position, ProgramId, SessionEpoch,
    SessionName,
};
use crate::registry::Registry;
use crate::time::{Duration, Instant};
use crate::topic::{Kind, Reach};

/// Everything that can happen to the hub.
#[derive(Debug)]
pub enum Input<'a> {
    /// News of a connection of a device.
    Door(ConnectionId, DoorInput<'a>),
    /// A datagram on the UDP door.
    Datagram(SocketAddr, &'a [u8]),
    /// News of a program.
    Program(ProgramId, ProgramInput),
    /// News of the store.
    Store(StoreInput<'a>),
    /// What exists: at the start what the store has, later each change, once the store has it.
    Registry(Registry),
}

/// The doors for devices that have connections. TLS is a matter of the host, which counts plain bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Door {
    /// 20 digits and a password.
    Cloud,
    /// A registration packet of any kind.
    AnyDtu,
    /// A room.
    D2d,
}

/// News of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DoorInput<'a> {
    /// It is there.
    Opened {
        /// At which door.
        door: Door,
        /// From where: behind a balancer the real source.
        source: IpAddr,
    },
    /// One read.
    Data(&'a [u8]),
    /// The one outstanding `Send` is in the socket's hands, whole.
    Sent,
    /// So many bytes of this connection, from its first, are acknowledged by the device's TCP.
    Acked(u64),
    /// It is over. Also the answer to `Close`. Brings the last count of acknowledged bytes.
    Closed(u64),
}

/// News of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProgramInput {
    /// It has logged in, and the door has checked its account.
    Attach {
        /// Whose it is.
        account: AccountId,
        /// `None`: a session of its own, side by side with others, that ends with the connection.
        name: Option<SessionName>,
        /// How long the session outlives its connection. At most 7 days count.
        keep: Duration,
        /// Whether a session of this name that is there begins anew.
        clean: bool,
    },
    /// It wants what a filter brings.
    Subscribe(Subscription),
    /// It wants it no more.
    Unsubscribe(Kind, Reach),
    /// It sends to a device.
    Publish(Publish),
    /// It has acknowledged a delivery.
    Acked(Delivery),
    /// So many deliveries and events, with so many bytes of payload, are out of the host's hands.
    Written {
        /// Deliveries and events.
        messages: usize,
        /// Their payload.
        bytes: usize,
    },
    /// It is gone.
    Gone,
}

/// A subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// What it brings.
    pub kind: Kind,
    /// Of which devices.
    pub reach: Reach,
    /// Whether each message is acknowledged (QoS 1).
    pub acked: bool,
}

/// Bytes for a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publish {
    /// The program's name for it, in the answer.
    pub tag: u32,
    /// For whom.
    pub device: DeviceId,
    /// What.
    pub bytes: Bytes,
    /// It is answered, so it is on disk first (QoS 1). Else it is answered only where it is refused.
    pub answered: bool,
    /// How long it may wait for the device; 60 s unless told.
    pub expire: Option<Duration>,
}

/// News of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreInput<'a> {
    /// All batches up to this one are on disk.
    Committed(u64),
    /// The outstanding batch could not be written. The host keeps it and tries again; `Committed` tells the end of that.
    Failed,
    /// The answer to a `Fetch`: messages in their order, up to the limit, of what is on disk.
    Fetched {
        /// Which fetch.
        fetch: u64,
        /// The messages.
        messages: &'a [(Position, Bytes)],
        /// Messages before these were dropped with their day.
        lost: bool,
    },
    /// Another node has a session of the device with this epoch.
    Epoch(DeviceId, SessionEpoch),
}

/// What the hub wants done, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// To a connection.
    Door(ConnectionId, DoorOutput),
    /// A datagram.
    Datagram(SocketAddr, Bytes),
    /// To a program.
    Program(ProgramId, ProgramOutput),
    /// To the store.
    Store(StoreOutput),
    /// Something that a log wants to know. Nothing need be done.
    Log(Log),
}

/// To a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DoorOutput {
    /// Write all of it, then answer `Sent`. At most one is outstanding.
    Send(Bytes),
    /// Close when what was sent is out, and answer `Closed`.
    Close(CloseReason),
}

/// Why the hub closes a connection of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CloseReason {
    /// It was not let in; the code says why.
    Refused(Code),
    /// It did not say in time who it is.
    NotRegistered,
    /// The device has a newer session.
    TakenOver,
    /// Another session of the device speaks.
    Busy,
    /// It was silent for too long.
    Silent,
    /// The device was removed.
    Removed,
    /// The room is full, or not there.
    NoRoom,
}

/// To a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProgramOutput {
    /// It is attached; whether its session was there before.
    Attached {
        /// Whether the session was there.
        present: bool,
    },
    /// A subscription is granted, on disk where the session outlives its connection. States are never acknowledged.
    Subscribed(Subscription),
    /// A subscription is refused, for want of rights or of a store that takes it; the connection stays.
    NotSubscribed(Subscription),
    /// The publish is on disk.
    Answered(u32),
    /// The publish is not taken.
    NotTaken(u32, NotTaken),
    /// A message of a device.
    Deliver(Deliver),
    /// Something happened to a device (`JsonTx`).
    Event(Event),
    /// So many messages and events were dropped here, for the program did not read (QoS 0).
    Dropped(u64),
    /// Messages of the device are no longer in history.
    Lost(DeviceId),
    /// The session is another program's now.
    TakenOver,
    /// There are too many kept sessions of this account.
    TooManySessions,
    /// It is not attached: the session would have to go to disk, and the store takes nothing.
    Unavailable,
}

/// A message for a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deliver {
    /// `Some`: it has to be acknowledged by this number.
    pub delivery: Option<Delivery>,
    /// By which topic.
    pub kind: Kind,
    /// Whose it is.
    pub device: DeviceId,
    /// Where it stands.
    pub position: Position,
    /// It may have been sent before.
    pub dup: bool,
    /// What.
    pub bytes: Bytes,
}

/// Why a publish is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NotTaken {
    /// So much waits for the device already: 0x97, 429.
    Full,
    /// There is no such device, as far as this account may know: 0x87, 403.
    NotAllowed,
    /// It is empty or too long.
    Size,
    /// The store does not answer: 0x88, 503.
    Unavailable,
}

/// To the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreOutput {
    /// Write these rows at once or not at all, then answer `Committed`. At most one is outstanding.
    Batch(u64, Vec<Row>),
    /// Read messages of a device, behind a position; answer `Fetched`.
    Fetch {
        /// For the answer.
        fetch: u64,
        /// Whose.
        device: DeviceId,
        /// Behind this one.
        after: Position,
        /// So many at most.
        limit: usize,
    },
}

/// What the store keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// The device has a session of this epoch on this node.
    Session(DeviceId, SessionEpoch),
    /// History.
    Uplink {
        /// Whose.
        device: DeviceId,
        /// Where it stands.
        position: Position,
        /// When it came.
        at: Instant,
        /// What.
        bytes: Bytes,
    },
    /// A message for a device, that waits for it.
    Accepted {
        /// Its name.
        message: MessageId,
        /// For whom.
        device: DeviceId,
        /// Whose it is.
        account: AccountId,
        /// When it is dropped.
        expires: Instant,
        /// What.
        bytes: Bytes,
    },
    /// From here on the device may have it.
    Sending(MessageId),
    /// It waits no more.
    Done(MessageId, End),
    /// Something happened to a device.
    Event(Event),
    /// A kept session of a program is there, for so long after its connection.
    Program(AccountId, SessionName, Duration),
    /// A subscription of a kept session.
    Subscribed(AccountId, SessionName, Subscription),
    /// The end of one.
    Unsubscribed(AccountId, SessionName, Kind, Reach),
    /// What a kept session has had of a device.
    Cursor(AccountId, SessionName, DeviceId, Kind, Position),
    /// It gets nothing more of a device by this kind: the position is no more.
    CursorEnded(AccountId, SessionName, DeviceId, Kind),
    /// A kept session is over.
    ProgramEnded(AccountId, SessionName),
    /// The device is no more: nothing of it is kept, also of what came before in this batch.
    Removed(DeviceId),
}

/// How a message for a device ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum End {
    /// The device's TCP has acknowledged it.
    Delivered,
    /// It was too old.
    Expired,
    /// It was on its way when the connection broke: nobody knows.
    Uncertain,
    /// The device was removed.
    Removed,
}

/// Something happened to a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// To which; `None`: to all.
    pub device: Option<DeviceId>,
    /// In which session. A state of an older session never takes the place of one of a newer.
    pub epoch: SessionEpoch,
    /// When.
    pub at: Instant,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum What {
    /// It has a session.
    Online,
    /// It has one, and nothing was heard for longer than its heartbeat.
    Silent,
    /// It is heard again.
    HeardAgain,
    /// It has none.
    Offline,
    /// A newer connection took its session over.
    TakenOver {
        /// The old one's address.
        from: IpAddr,
        /// The new one's.
        to: IpAddr,
    },
    /// Two senders take its session from each other; none is let in for a while.
    Quarantined(Duration),
    /// A message waited for too long.
    Expired(MessageId),
    /// A message was on its way when the connection broke.
    Uncertain(MessageId),
    /// It has been offline for too long.
    AlarmOffline,
    /// It is still offline.
    AlarmStill,
    /// It is back after an alarm.
    AlarmBack,
    /// It comes and goes: no alarms for a while.
    AlarmFlapping,
    /// Some time after a start of the server: so many devices came back, so many did not.
    Summary {
        /// Came back.
        back: u32,
        /// Did not.
        missing: u32,
    },
}

/// Something that a log wants to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Log {
    /// A device's event.
    Event(Event),
    /// A connection was not let in.
    Refused {
        /// From where.
        source: IpAddr,
        /// The id that it named.
        device: Option<DeviceId>,
        /// Why.
        code: Code,
        /// The limit that shut it out, if one did.
        shut: Option<Shut>,
    },
    /// First bytes that no rule knows; the page of unknown devices has them.
    Unknown(IpAddr),
    /// The store does not take what it should keep.
    StoreFailed,
    /// It does again.
    StoreBack,
}
