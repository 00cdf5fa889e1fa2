//! Devices that are reached over one of their links: this program is the center that they dial, or dials a relay.

use std::fmt;
use std::io::{self, ErrorKind};
use std::net::TcpListener;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context as _, bail};
use dtu_proto::radio::PhoneNumber;
use dtu_setup::charset::Charset;
use dtu_setup::remote::{Connection, Remote};
use dtu_setup::serial::Port;
use rustix::event::PollFlags;

use crate::port::{CONNECT, OpenPort, connect, pause, stop_cleanly, wait};
use crate::say::{self, Usage, tell};
use crate::show::plain;

/// `listen:ADDR:PORT` or `tcp:HOST:PORT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Via {
    /// The device dials this.
    Listen(String),
    /// A relay, or a server behind which the device is.
    Tcp(String),
    /// Texts to this number.
    Sms(PhoneNumber),
}

impl FromStr for Via {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("listen", address)) if port_of(address).is_some() => {
                Ok(Self::Listen(address.to_owned()))
            }
            Some(("tcp", address)) if is_dialled(address) => Ok(Self::Tcp(address.to_owned())),
            Some(("sms", number)) if number.len() <= DIGITS => PhoneNumber::new(number)
                .map(Self::Sms)
                .ok_or_else(|| WAYS.to_owned()),
            _ => Err(WAYS.to_owned()),
        }
    }
}

/// The port of `HOST:PORT`.
fn port_of(address: &str) -> Option<u16> {
    let (host, port) = address.rsplit_once(':')?;
    port.parse().ok().filter(|_| !host.is_empty())
}

/// Whether it names somebody who can be dialled.
pub(crate) fn is_dialled(address: &str) -> bool {
    port_of(address).is_some_and(|port| port > 0)
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listen(address) => write!(f, "listen:{address}"),
            Self::Tcp(address) => write!(f, "tcp:{address}"),
            Self::Sms(number) => write!(f, "sms:{number}"),
        }
    }
}

/// The device behind it.
pub(crate) fn enter(via: &Via, password: String, charset: Charset) -> anyhow::Result<Remote<Wire>> {
    stop_cleanly()?;
    let wire = match via {
        Via::Listen(address) => listen(address)?,
        Via::Tcp(address) => Wire {
            port: OpenPort::of_stream(connect(address, CONNECT)?),
            by: By::Dialling(address.clone()),
        },
        Via::Sms(_) => bail!(Usage(say::which_modem())),
    };
    let remote = Remote::enter(wire, password).with_context(|| via.to_string())?;
    let remote = remote.in_charset(charset);
    let packet = remote.packet();
    if !packet.is_empty() {
        tell(say::device_says(plain(&packet)));
    }
    Ok(remote)
}

fn listen(address: &str) -> anyhow::Result<Wire> {
    let failed = || format!("listen:{address}");
    let listener = TcpListener::bind(address).with_context(failed)?;
    listener.set_nonblocking(true)?;
    let own = listener.local_addr()?;
    tell(say::listening(own.to_string()));
    let port = accept(&listener, DIALS_IN).with_context(failed)?;
    Ok(Wire {
        port,
        by: By::Listening(listener),
    })
}

fn accept(listener: &TcpListener, within: Duration) -> io::Result<OpenPort> {
    let until = std::time::Instant::now() + within;
    loop {
        match listener.accept() {
            Ok((stream, from)) => {
                stream.set_nonblocking(true)?;
                stream.set_nodelay(true)?;
                tell(say::dialled_in(from.to_string()));
                return Ok(OpenPort::of_stream(stream.into()));
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        let left = until.saturating_duration_since(std::time::Instant::now());
        if left.is_zero() {
            return Err(io::Error::new(
                ErrorKind::TimedOut,
                say::nobody_dialled(within.as_secs()),
            ));
        }
        wait(listener, PollFlags::IN, left)?;
    }
}

/// A connection to a device, and how it is made again.
pub(crate) struct Wire {
    port: OpenPort,
    by: By,
}

enum By {
    Listening(TcpListener),
    Dialling(String),
}

impl Port for Wire {
    fn now(&self) -> Duration {
        self.port.now()
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.port.write(bytes)
    }

    fn read(&mut self, buffer: &mut [u8], until: Duration) -> io::Result<usize> {
        self.port.read(buffer, until)
    }

    fn set_baud(&mut self, _: u32) -> io::Result<()> {
        Ok(())
    }

    fn baud(&self) -> u32 {
        self.port.baud()
    }
}

impl Connection for Wire {
    fn renew(&mut self, within: Duration) -> io::Result<()> {
        let new = match &self.by {
            By::Listening(listener) => accept(listener, within)?,
            By::Dialling(address) => {
                OpenPort::of_stream(connect(address, within).map_err(io::Error::other)?)
            }
        };
        // The clock goes on.
        self.port.replace(new);
        Ok(())
    }

    fn pause(&mut self, time: Duration) -> io::Result<()> {
        pause(time)
    }
}

const WAYS: &str = "must be listen:ADDR:PORT, tcp:HOST:PORT or sms:NUMBER";
/// Of a number, with the sign in front.
const DIGITS: usize = 21;
/// Until somebody switches a device on and it registers.
const DIALS_IN: Duration = Duration::from_secs(600);

#[cfg(test)]
mod tests {
    use super::{PhoneNumber, Via};

    #[test]
    fn a_way_names_its_kind_and_its_port() {
        let listen = Via::Listen("0.0.0.0:9000".to_owned());
        assert_eq!("listen:0.0.0.0:9000".parse(), Ok(listen));
        assert_eq!(
            "tcp:[::1]:9000".parse(),
            Ok(Via::Tcp("[::1]:9000".to_owned()))
        );
        let number = PhoneNumber::new("+8613800138000").expect("a number");
        assert_eq!("sms:+8613800138000".parse(), Ok(Via::Sms(number)));
        for wrong in [
            "listen",
            "listen:9000",
            "tcp::9000",
            "tcp:bad",
            "tcp:a:0",
            "tcp:a:web",
            "listen:0.0.0.0:70000",
            "sms:",
            "sms:pump",
            "sms:+861380013800013800138",
            "udp:a:1",
            "",
        ] {
            assert!(wrong.parse::<Via>().is_err(), "{wrong}");
        }
    }
}
