//! The device as the console knows it: in its command state only for one read or one apply, for network data waits there.

use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dtu_console::device::{Device, Features, Order, Radio, Unavailable, Via};
use dtu_setup::door::{Door, DoorError, Reply};
use dtu_setup::remote::Remote as Linked;
use dtu_setup::say::{Sentence, Spoken as _};
use dtu_setup::serial::{Port as _, Serial};
use serde_json::Value;

use super::status;
use crate::device::PortArgs;
use crate::port::OpenPort;
use crate::say;
use crate::via::Wire;

/// A device that is reached anew for each use.
pub(super) struct Remote {
    port: PortArgs,
    features: Features,
    way: Mutex<Way>,
    left: Condvar,
}

struct Way {
    /// The rate of the line, which an apply may change.
    baud: u32,
    /// The connection, which stays between two uses.
    linked: Option<Linked<Wire>>,
    is_used: bool,
}

/// Until the device is let go of.
const LEAVE: Duration = Duration::from_secs(10);
/// A device that has made its link anew is back by then.
const RENEW: Duration = Duration::from_secs(20);

impl Remote {
    /// Looks for the device, and what it can.
    pub(super) fn reach(port: PortArgs) -> anyhow::Result<Self> {
        let via = if port.is_network() {
            Via::Network
        } else {
            Via::Port
        };
        let mut way = Way {
            baud: 0,
            linked: None,
            is_used: false,
        };
        let confirm = if port.is_network() {
            let mut linked = port.dial()?;
            let confirm = has_trials(&mut linked)?;
            way.linked = Some(linked);
            confirm
        } else {
            let mut serial = port.enter()?;
            let confirm = has_trials(&mut serial);
            let left = serial.leave();
            way.baud = serial.into_port().baud();
            left?;
            confirm?
        };
        Ok(Self {
            features: Features {
                live: false,
                inject: false,
                radio: Radio::Real,
                confirm,
                name: port.name(),
                via,
            },
            port,
            way: Mutex::new(way),
            left: Condvar::new(),
        })
    }

    /// Whether nobody has it any more.
    pub(super) fn wait_until_left(&self) -> bool {
        let way = self.lock();
        let waited = self.left.wait_timeout_while(way, LEAVE, |way| way.is_used);
        waited.is_ok_and(|(_, timeout)| !timeout.timed_out())
    }

    fn lock(&self) -> MutexGuard<'_, Way> {
        self.way.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self) -> Result<Opened, DoorError> {
        if !self.port.is_network() {
            let baud = self.lock().baud;
            let serial = self.port.enter_again(baud);
            let failed = |error: anyhow::Error| io::Error::other(say::of_error(&error));
            return Ok(Opened::Serial(serial.map_err(failed)?));
        }
        let Some(mut linked) = self.lock().linked.take() else {
            return Err(io::Error::other(say::link_in_use()).into());
        };
        let renewed = if linked.stands() {
            Ok(())
        } else {
            linked.renew(RENEW)
        };
        match renewed {
            Ok(()) => Ok(Opened::Linked(linked)),
            Err(error) => {
                self.lock().linked = Some(linked);
                Err(error)
            }
        }
    }
}

/// Whether something brings settings back that nobody keeps. Real boxes have no such thing.
fn has_trials(door: &mut dyn Door) -> Result<bool, DoorError> {
    match door.command("AT+CIAPPLY?") {
        Ok(reply) => Ok(reply.refusal().is_none() && !reply.lines.is_empty()),
        Err(DoorError::NoReply { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

enum Opened {
    Serial(Serial<OpenPort>),
    Linked(Linked<Wire>),
}

/// The way while somebody uses it. It is given back whatever comes.
struct Used<'a> {
    opened: Option<Opened>,
    of: &'a Remote,
}

impl Used<'_> {
    fn door(&mut self) -> Result<&mut dyn Door, DoorError> {
        match &mut self.opened {
            Some(Opened::Serial(serial)) => Ok(serial),
            Some(Opened::Linked(linked)) => Ok(linked),
            None => Err(io::Error::other(say::given_back()).into()),
        }
    }
}

impl Door for Used<'_> {
    fn command(&mut self, line: &str) -> Result<Reply, DoorError> {
        self.door()?.command(line)
    }

    fn restart(&mut self, command: &str, baud: Option<u32>) -> Result<(), DoorError> {
        self.door()?.restart(command, baud)
    }

    fn leave(&mut self) -> Result<(), DoorError> {
        self.door()?.leave()
    }

    fn shut_by(&self) -> &[&str] {
        match &self.opened {
            Some(Opened::Serial(serial)) => serial.shut_by(),
            Some(Opened::Linked(linked)) => linked.shut_by(),
            None => &[],
        }
    }

    fn is_shut_at_once(&self) -> bool {
        matches!(&self.opened, Some(Opened::Linked(_)))
    }

    fn fits(&self, line: &str) -> Result<(), Sentence> {
        match &self.opened {
            Some(Opened::Serial(serial)) => serial.fits(line),
            Some(Opened::Linked(linked)) => linked.fits(line),
            None => Ok(()),
        }
    }
}

impl Drop for Used<'_> {
    fn drop(&mut self) {
        let mut way = self.of.lock();
        match self.opened.take() {
            Some(Opened::Serial(serial)) => way.baud = serial.into_port().baud(),
            Some(Opened::Linked(linked)) => way.linked = Some(linked),
            None => {}
        }
        way.is_used = false;
        self.of.left.notify_all();
    }
}

impl Device for Remote {
    fn features(&self) -> Features {
        self.features.clone()
    }

    fn door(&self) -> Result<Box<dyn Door + Send + '_>, DoorError> {
        self.lock().is_used = true;
        let mut used = Used {
            opened: None,
            of: self,
        };
        used.opened = Some(self.open()?);
        Ok(Box::new(used))
    }

    fn status(&self, within: Duration) -> Result<Value, Unavailable> {
        let refused = |error: DoorError| {
            if matches!(error, DoorError::NoReply { .. }) {
                Unavailable::Silent(within)
            } else {
                Unavailable::Refused(error.spoken())
            }
        };
        let mut door = self.door().map_err(refused)?;
        let told = status::read(door.as_mut()).map_err(refused);
        door.leave().map_err(refused)?;
        told
    }

    fn order(&self, _: Order) -> Result<(), Unavailable> {
        Err(Unavailable::Missing(say::feed()))
    }

    fn messages(&self) -> Result<Value, Unavailable> {
        Err(Unavailable::Missing(say::messages_feed()))
    }
}
