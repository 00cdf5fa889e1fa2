//! What a modem cannot, found out while it is used: it works with less, and says what is missing.

use alloc::collections::BTreeSet;
use core::fmt;

/// One thing that a modem cannot, or does in no way that was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Limitation {
    /// `AT+CMGF=0` is refused (27.005 3.2.3), four times in a row once the modem is known.
    Messages,
    /// `AT+CMGF=0` is taken, and messages are shown as text all the same.
    PduMode,
    /// `AT+CMGF=0` is taken, and `AT+CMGF?` shows text mode all the same.
    Sending,
    /// A message that is no PDU, or not as long as its head says.
    SomeMessages,
    /// `AT+CPMS` is refused in every form (27.005 3.2.2).
    Storage,
    /// `AT+CNMI` is refused in every form (27.005 3.4.1).
    Announcements,
    /// `AT+CNMI` knows no `ds` but 0 (27.005 3.4.1).
    Reports,
    /// `AT+CMGL` is refused (27.005 3.4.2), four times in a row.
    List,
    /// `AT+CREG=2` and `=1` are refused or switch no URC on: changes are not reported.
    RegistrationUrc,
    /// `AT+CREG?` is refused (27.007 7.2), and `AT+CGREG?`, `AT+CEREG?` (10.1.20, 10.1.22) are.
    Registration,
    /// `AT+CSQ` is refused (27.007 8.5).
    Signal,
    /// `AT+CCLK?` is refused (27.007 8.15).
    Clock,
    /// `AT+COPS?` is refused (27.007 7.3).
    Operator,
    /// Neither `AT+CLCC` nor `AT+CLIP` is known (27.007 7.18, 7.6).
    Calls,
    /// `AT+CLCC` is refused, `AT+CLIP` is not.
    CallList,
    /// `AT+CLCC` ends a call that is being dialled.
    ListWhileDialling,
    /// `AT+CGDCONT` is refused (27.007 10.1.1).
    AccessPoint,
    /// What sets user and password of the access point is refused.
    Authentication,
    /// `AT+CGACT` is refused, or the network refuses it.
    Connection,
    /// `AT+CPIN?` is refused (27.007 8.3), four times, a second apart.
    Sim,
    /// `AT+CIMI` is refused (27.007 5.6).
    Imsi,
    /// `AT+CGSN` is refused (27.007 5.4).
    Imei,
    /// `AT+CNUM` is refused (27.007 7.1).
    OwnNumber,
    /// `AT+CSCA?` is refused (27.005 3.3.1).
    ServiceCenter,
}

impl Limitation {
    /// What is missing, and what that costs. Without `;`, which stands between two of them.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Messages => "no messages in PDU mode (AT+CMGF=0), asked again while it runs",
            Self::PduMode => "messages stay in text mode, they are kept in the modem, unread",
            Self::Sending => "the modem stays in text mode (AT+CMGF? shows 1), no message is sent",
            Self::SomeMessages => "a message cannot be read, it is kept in the modem",
            Self::Storage => {
                "the message storage cannot be chosen (AT+CPMS), only the modem's own is read"
            }
            Self::Announcements => {
                "new messages are not announced (AT+CNMI), looked for every 20 s"
            }
            Self::Reports => "no delivery reports (AT+CNMI)",
            Self::RegistrationUrc => {
                "changes of the registration are not told (AT+CREG), asked every 10 s"
            }
            Self::Registration => "the registration is not told (AT+CREG?)",
            Self::Signal => "no signal strength (AT+CSQ)",
            Self::Clock => "no time of the network (AT+CCLK?)",
            Self::Operator => "no name of the operator (AT+COPS?)",
            Self::Calls => "no voice calls (AT+CLCC, AT+CLIP)",
            Self::CallList => {
                "no list of calls (AT+CLCC), how a call goes is known from its news alone"
            }
            Self::ListWhileDialling => {
                "no list of calls while dialling (AT+CLCC ends the call), asked 60 s after ATD"
            }
            Self::AccessPoint => "the access point cannot be set (AT+CGDCONT)",
            Self::List => {
                "stored messages cannot be listed (AT+CMGL), only announced ones are read"
            }
            Self::Authentication => "user and password of the access point cannot be set",
            Self::Connection => "no data connection (AT+CGACT), tried again every 30 s",
            Self::Sim => "the state of the SIM is not told (AT+CPIN?)",
            Self::Imsi => "no IMSI (AT+CIMI)",
            Self::Imei => "no IMEI (AT+CGSN)",
            Self::OwnNumber => "no own number (AT+CNUM)",
            Self::ServiceCenter => "the service centre is not told (AT+CSCA?)",
        }
    }
}

impl fmt::Display for Limitation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

/// What is missing now, and what was logged about it before.
#[derive(Debug, Default)]
pub(crate) struct Limitations {
    now: BTreeSet<Limitation>,
    logged: BTreeSet<Limitation>,
}

impl Limitations {
    /// Another start, perhaps another modem. What was logged is not logged again.
    pub(crate) fn forget(&mut self) {
        self.now.clear();
    }

    pub(crate) fn has(&self, limitation: Limitation) -> bool {
        self.now.contains(&limitation)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Limitation> + '_ {
        self.now.iter().copied()
    }

    /// Whether it is new.
    pub(crate) fn add(&mut self, limitation: Limitation) -> bool {
        self.now.insert(limitation)
    }

    /// Whether it was there.
    pub(crate) fn remove(&mut self, limitation: Limitation) -> bool {
        self.now.remove(&limitation)
    }

    /// Whether it was never logged before.
    pub(crate) fn log_once(&mut self, limitation: Limitation) -> bool {
        self.logged.insert(limitation)
    }
}

/// Refusals in a row before something counts as missing, where the modem may only not be ready yet.
pub(crate) const REFUSALS_BEFORE_LIMITATION: u32 = 4;
