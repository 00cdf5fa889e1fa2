//! What exists, as the store tells it: devices, accounts' rights, rooms, groups, kept sessions.

use bytes::Bytes;

use crate::auth::PasswordTag;
use crate::door::Rules;
use crate::event::Subscription;
use crate::ids::{AccountId, DeviceId, MessageId, Position, RoomId, SessionEpoch, SessionName};
use crate::stream::Reading;
use crate::time::{Duration, Instant};
use crate::topic::Kind;

/// What an account may do with a device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Rights(u8);

impl Rights {
    /// See its bytes, history and status.
    pub const READ: Self = Self(1);
    /// Send to its line.
    pub const SEND: Self = Self(2);
    /// AT commands to the device itself.
    pub const AT: Self = Self(4);
    /// Change and remove it.
    pub const ADMIN: Self = Self(8);
    /// Everything.
    pub const ALL: Self = Self(15);

    /// These and those.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of these are among them.
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// A device, as the store has it.
#[derive(Clone, Debug)]
pub struct DeviceRecord {
    /// Its id.
    pub id: DeviceId,
    /// `None`: it has no password, and no way in by the cloud door.
    pub password: Option<PasswordTag>,
    /// Who may do what.
    pub rights: Vec<(AccountId, Rights)>,
    /// The any-DTU door and the UDP door let it in by a name that a pattern finds, though it has a password.
    pub by_name: bool,
    /// How its stream is read.
    pub reading: Reading,
    /// How often it is heard, where that is set; else it is learned.
    pub heartbeat: Option<Duration>,
    /// How long a silent connection is kept; for ever where unset. A setting apart from alarms.
    pub close_silent: Option<Duration>,
    /// The least time between two messages to its line.
    pub gap: Duration,
    /// Its last message in history.
    pub last: Position,
    /// Its last session.
    pub epoch: SessionEpoch,
    /// It had a session when the server stopped.
    pub was_online: bool,
}

impl DeviceRecord {
    /// A device with nothing set.
    #[must_use]
    pub fn new(id: DeviceId) -> Self {
        Self {
            id,
            password: None,
            by_name: false,
            rights: Vec::new(),
            reading: Reading::default(),
            heartbeat: None,
            close_silent: None,
            gap: Duration::ZERO,
            last: Position::default(),
            epoch: SessionEpoch::default(),
            was_online: false,
        }
    }
}

/// Who hears whom in a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GroupKind {
    /// What one sends, all others get.
    AllToAll,
    /// What the first member sends, the others get; what they send, it gets.
    MasterToSlaves,
}

/// What exists, or exists no more.
#[derive(Clone, Debug)]
pub enum Registry {
    /// A device is there, or has changed.
    Device(Box<DeviceRecord>),
    /// A device is no more: its sessions end, its messages go. Rows of it may be on their way; the store purges all of
    /// it at [`Row::Removed`](crate::event::Row::Removed), before anybody has the id again.
    RemoveDevice(DeviceId),
    /// A name that a device calls itself by, for the patterns of this account: an IMEI, say.
    Alias(AccountId, Bytes, DeviceId),
    /// The rules of the any-DTU door and the UDP door.
    Rules(Box<Rules>),
    /// A group is there, or has changed.
    Group {
        /// Its number.
        group: u32,
        /// Whose it is: only devices hear each other that it may read and send to.
        account: AccountId,
        /// Who hears whom.
        kind: GroupKind,
        /// In their order; without any the group is no more.
        members: Vec<DeviceId>,
    },
    /// A room is there, or has changed.
    Room {
        /// Its id.
        room: RoomId,
        /// Whose it is.
        account: AccountId,
        /// Members at most.
        members: usize,
        /// Bytes a second that go through it, at most.
        rate: u32,
    },
    /// A message that waited when the server stopped.
    Waiting {
        /// Its name.
        message: MessageId,
        /// For whom.
        device: DeviceId,
        /// When it is dropped.
        expires: Instant,
        /// What.
        bytes: Bytes,
        /// The device may have it already.
        sending: bool,
    },
    /// A session of a program that outlived the server.
    Session {
        /// Whose.
        account: AccountId,
        /// Its name.
        name: SessionName,
        /// How long it is kept from now on.
        keep: Duration,
        /// What it gets.
        subscriptions: Vec<Subscription>,
        /// What it has had.
        cursors: Vec<(DeviceId, Kind, Position)>,
    },
}
