//! Over a link: the way back to a device that restarts.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::time::Duration;

use dtu_setup::door::{Door as _, DoorError};
use dtu_setup::remote::{Connection, Remote};
use dtu_setup::serial::Port;

/// A relay that drops its client when the device behind it restarts.
#[derive(Default)]
struct Relay {
    now: Duration,
    is_gone: bool,
    out: VecDeque<u8>,
    /// It has nobody behind it for so many dials,
    refuses: usize,
    /// and then takes as many and drops them at once.
    drops: usize,
    dials: usize,
    restart_reply: &'static str,
    /// It takes nothing but `AT`.
    is_mute: bool,
    /// It has data for ever.
    floods: bool,
}

impl Port for Relay {
    fn now(&self) -> Duration {
        self.now
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.is_gone {
            return Err(ErrorKind::BrokenPipe.into());
        }
        if bytes == b"pump7,AT+CIRESET" {
            self.out.extend(self.restart_reply.bytes());
            self.is_gone = self.restart_reply.is_empty();
        } else if !self.is_mute || bytes == b"pump7,AT" {
            self.out.extend(b"\r\nOK\r\n");
        }
        Ok(())
    }

    fn read(&mut self, buffer: &mut [u8], until: Duration) -> io::Result<usize> {
        if self.floods {
            self.now += Duration::from_millis(1);
            return io::Read::read(&mut &b"42 kWh\r\n"[..], buffer);
        }
        if self.out.is_empty() && self.is_gone {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        if self.out.is_empty() {
            self.now = self.now.max(until);
        }
        io::Read::read(&mut self.out, buffer)
    }

    fn set_baud(&mut self, _: u32) -> io::Result<()> {
        Ok(())
    }

    fn baud(&self) -> u32 {
        115_200
    }
}

impl Connection for Relay {
    fn renew(&mut self, _: Duration) -> io::Result<()> {
        self.dials += 1;
        if self.dials <= self.refuses {
            return Err(ErrorKind::ConnectionRefused.into());
        }
        self.is_gone = self.dials <= self.refuses + self.drops;
        Ok(())
    }

    fn pause(&mut self, time: Duration) -> io::Result<()> {
        self.now += time;
        Ok(())
    }
}

fn restarted(relay: Relay) -> (Result<(), DoorError>, Relay) {
    let mut door = Remote::enter(relay, "pump7".to_owned()).unwrap();
    let result = door.restart("AT+CIRESET", None);
    (result, door.into_connection())
}

#[test]
fn a_relay_that_refuses_while_the_device_restarts_is_dialled_again() {
    let (result, relay) = restarted(Relay {
        refuses: 3,
        drops: 3,
        ..Relay::default()
    });
    assert!(result.is_ok(), "{result:?}");
    assert_eq!(relay.dials, 7);
}

/// Not as fast as it refuses, and not for ever.
#[test]
fn a_relay_that_refuses_for_ever_is_given_up_at_the_deadline() {
    for (refuses, drops) in [(usize::MAX, 0), (0, usize::MAX)] {
        let (result, relay) = restarted(Relay {
            refuses,
            drops,
            ..Relay::default()
        });
        assert!(
            matches!(result, Err(DoorError::NoRestart { .. })),
            "{result:?}"
        );
        let most = relay.now.as_secs() as usize;
        assert!((100..=most).contains(&relay.dials), "{}", relay.dials);
    }
}

#[test]
fn a_restart_that_is_refused_over_a_link_is_none() {
    let (result, relay) = restarted(Relay {
        restart_reply: "\r\nERROR\r\n",
        ..Relay::default()
    });
    assert!(
        matches!(result, Err(DoorError::Refused { .. })),
        "{result:?}"
    );
    assert_eq!(relay.dials, 0);
}

#[test]
fn a_link_that_is_never_silent_is_given_up_in_seconds() {
    let relay = Relay {
        floods: true,
        ..Relay::default()
    };
    let clock = std::rc::Rc::new(std::cell::Cell::new(Duration::ZERO));
    let relay = Watched {
        relay,
        clock: std::rc::Rc::clone(&clock),
    };
    let Err(error) = Remote::enter(relay, "pump7".to_owned()) else {
        panic!("no device");
    };
    assert!(matches!(error, DoorError::NotHeard), "{error}");
    assert!(clock.get() < Duration::from_secs(25), "{:?}", clock.get());
}

/// A relay whose clock can be read when it is gone.
struct Watched {
    relay: Relay,
    clock: std::rc::Rc<std::cell::Cell<Duration>>,
}

impl Port for Watched {
    fn now(&self) -> Duration {
        self.clock.set(self.relay.now);
        self.relay.now
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.relay.write(bytes)
    }

    fn read(&mut self, buffer: &mut [u8], until: Duration) -> io::Result<usize> {
        self.relay.read(buffer, until)
    }

    fn set_baud(&mut self, _: u32) -> io::Result<()> {
        Ok(())
    }

    fn baud(&self) -> u32 {
        self.relay.baud()
    }
}

impl Connection for Watched {
    fn renew(&mut self, within: Duration) -> io::Result<()> {
        self.relay.renew(within)
    }

    fn pause(&mut self, time: Duration) -> io::Result<()> {
        self.relay.pause(time)
    }
}

/// There is no wire to look at.
#[test]
fn a_link_that_falls_silent_is_told_without_a_word_of_wires() {
    let relay = Relay {
        is_mute: true,
        ..Relay::default()
    };
    let mut door = Remote::enter(relay, "pump7".to_owned()).unwrap();
    let words = crate::device::read(&mut door).unwrap_err().to_string();
    assert!(
        words.starts_with("the device answers no more: 3 commands"),
        "{words}"
    );
    assert!(!words.contains("RX") && !words.contains("port"), "{words}");
}
