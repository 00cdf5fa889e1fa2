//! The smallest host, to be read first: stdin and stdout are the serial line, `std` has the network.
//!
//! ```sh
//! nc -l 9000                                                  # terminal 1: the server
//! cargo run -p dtu-proto --example host -- 127.0.0.1 9000     # terminal 2: type lines; Ctrl-D ends it
//! ```
//! The server gets `DTU0001`, the registration packet, then the lines, also those typed while it was away; what it
//! sends is printed. The loop is the one that every host has; the contract is on the front page of the crate.
//!
//! What `dtud` does better: `std` has no poll, so this host looks around every 5 ms; a slow connect or a full pipe
//! holds it up; it has no UDP, TLS, disk or modem; and `std` cannot ask what the peer's TCP has acknowledged
//! (`SIOCOUTQ`), so what the kernel holds when a connection breaks is lost.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, TcpStream};
use std::{sync::mpsc, thread};

use dtu_proto::config::{Config, Options, Protocol};
use dtu_proto::event::{CloseReason, Input, ModemInput, Output, Power, SerialInput as Line};
use dtu_proto::event::{SerialOutput, SocketId, SocketInput as Socket, SocketOutput};
use dtu_proto::record::OwnedInput;
use dtu_proto::time::{Duration, Instant};
use dtu_proto::{Dtu, Identity};

type Inputs = VecDeque<OwnedInput>;
/// The connections, each with the number of bytes that it has taken.
type Sockets = BTreeMap<SocketId, (TcpStream, u64)>;

const PRESENT: OwnedInput = OwnedInput::Plain(Input::Serial(Line::Present));
const WRITTEN: OwnedInput = OwnedInput::Plain(Input::Serial(Line::Written));
const CONFIGURED: OwnedInput = OwnedInput::Plain(Input::Serial(Line::Configured(None)));

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let [_, address, port] = &std::env::args().collect::<Vec<_>>()[..] else {
        return Err("usage: host ADDRESS PORT".into());
    };
    let dtu = device(address, port.parse()?);
    Ok(run(dtu, io::stdin(), &mut io::stdout())?)
}

/// A device at power-on that keeps a connection to this server.
pub(crate) fn device(address: &str, port: u16) -> Dtu {
    let mut config = Config::default();
    config.links[0].enabled = true;
    config.links[0].address = address.to_owned();
    config.links[0].port = port;
    config.registration = b"DTU0001\n".to_vec();
    let options = Options {
        setup_window: Duration::ZERO,
        ..Options::default()
    };
    let identity = Identity::default();
    Dtu::new(config, options, identity, 7, Instant::ZERO)
}

/// Carries its serial line and its sockets until the line ends.
#[expect(clippy::disallowed_methods, reason = "a host has the clock")]
#[expect(clippy::wildcard_enum_match_arm, reason = "it has not the rest")]
pub(crate) fn run(
    mut dtu: Dtu,
    mut from_dte: impl Read + Send + 'static,
    to_dte: &mut impl Write,
) -> io::Result<()> {
    let power_on = std::time::Instant::now();
    let now = || Instant::from_micros(power_on.elapsed().as_micros() as u64);
    let attached = ModemInput::Attached(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let mut inputs = Inputs::from([PRESENT, OwnedInput::Modem(attached)]);
    let mut sockets = Sockets::new();
    // A thread may block on the line. It holds one read: the rest stays there until the device wants it.
    let (reads, line) = mpsc::sync_channel(0);
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = from_dte.read(&mut buffer) {
            reads.send(OwnedInput::SerialData(buffer[..count].to_vec()))?;
        }
        reads.send(OwnedInput::Plain(Input::Shutdown))
    });
    loop {
        // 1. All outputs, in order. What came of them waits until there are no more.
        while let Some(output) = dtu.poll_output() {
            match output {
                Output::Serial(SerialOutput::Write(bytes)) => {
                    to_dte.write_all(&bytes).and_then(|()| to_dte.flush())?;
                    inputs.push_back(WRITTEN);
                }
                Output::Serial(SerialOutput::Configure(_)) => inputs.push_back(CONFIGURED),
                Output::Socket(id, order) => match carry_out(id, order, &mut sockets) {
                    Ok(results) => inputs.extend(results),
                    Err(error) => inputs.push_back(closed(id, why(&error), &mut sockets)),
                },
                Output::Power(Power::Stop) => return Ok(()),
                other => eprintln!("{other:?}"),
            }
        }
        // 2. Bytes, and only such as the device wants.
        if inputs.is_empty() {
            inputs.extend(read(&dtu, &mut sockets));
        }
        if inputs.is_empty() && dtu.wants_serial() {
            inputs.extend(line.try_recv());
        }
        // 3. One input; without any the device is called, should a deadline be due.
        if let Some(input) = inputs.pop_front() {
            dtu.handle_input(input.as_input(), now());
        } else {
            thread::sleep(Duration::from_millis(5));
            dtu.handle_timeout(now());
        }
    }
}

/// What came of an order; an error is the end of the connection.
fn carry_out(id: SocketId, order: SocketOutput, sockets: &mut Sockets) -> io::Result<Inputs> {
    Ok(Inputs::from(match (order, sockets.get_mut(&id)) {
        (SocketOutput::Connect(to), _) if to.protocol == Protocol::Tcp && !to.tls => {
            let stream = TcpStream::connect((&*to.address, to.port))?;
            stream.set_read_timeout(Some(Duration::from_millis(1)))?;
            let local = stream.local_addr()?;
            sockets.insert(id, (stream, 0));
            vec![news(id, Socket::Connected { local })]
        }
        (SocketOutput::Connect(_), _) => return Err(ErrorKind::Unsupported.into()),
        (SocketOutput::Send(payload), Some((stream, sent))) => {
            stream.write_all(&[&payload.prefix[..], &payload.body].concat())?;
            *sent += payload.len() as u64;
            vec![news(id, Socket::Sent), news(id, Socket::Acked(*sent))]
        }
        (SocketOutput::Close, Some(_)) => vec![closed(id, CloseReason::Local, sockets)],
        // It has crossed a `Closed`.
        (SocketOutput::Send(_) | SocketOutput::Close, None) => vec![],
    }))
}

/// The first read that there is, or the end of a connection.
fn read(dtu: &Dtu, sockets: &mut Sockets) -> Option<OwnedInput> {
    let mut buffer = [0; 4096];
    let wanted = sockets.iter_mut().filter(|(id, _)| dtu.wants_socket(**id));
    let mut reads = wanted.map(|(id, (stream, _))| (*id, stream.read(&mut buffer)));
    let nothing = |error: &io::Error| error.kind() == ErrorKind::WouldBlock;
    let (id, result) = reads.find(|(_, result)| !result.as_ref().is_err_and(nothing))?;
    Some(match result {
        Ok(0) => closed(id, CloseReason::PeerClosed, sockets),
        Ok(count) => OwnedInput::SocketData(id, buffer[..count].to_vec()),
        Err(error) => closed(id, why(&error), sockets),
    })
}

fn closed(id: SocketId, reason: CloseReason, sockets: &mut Sockets) -> OwnedInput {
    let acked = sockets.remove(&id).map_or(0, |(_, sent)| sent);
    news(id, Socket::Closed { reason, acked })
}

fn why(error: &io::Error) -> CloseReason {
    CloseReason::Os(error.raw_os_error().unwrap_or_default())
}

const fn news(id: SocketId, news: Socket<'static>) -> OwnedInput {
    OwnedInput::Plain(Input::Socket(id, news))
}
