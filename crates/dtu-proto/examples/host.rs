//! A real host on nothing but `std`: standard input and output are the serial line, a TCP server is link 1.
//!
//! ```sh
//! nc -l 9000                                                  # terminal 1: the server
//! cargo run -p dtu-proto --example host -- 127.0.0.1:9000     # terminal 2: type lines; Ctrl-D ends it
//! ```
//! The server gets `DTU0001`, the registration packet, then the lines, also those typed while it was away; what it
//! sends is printed. The loop of [`run`] is the one that every host has; the contract is on the front page of the crate.
//!
//! Kept small: `std` has no poll, so it looks every 5 ms; an attempt to connect and a full pipe hold it up, which makes
//! the device late and harms nothing else; and `std` cannot ask what the peer's TCP has acknowledged (`SIOCOUTQ`), so
//! what the kernel holds when a connection breaks is lost here. `dtud` is the host that does all of this well.

use std::collections::VecDeque;
use std::error::Error;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::mpsc;

use dtu_proto::config::{Config, Options, Protocol};
use dtu_proto::event::{
    CloseReason, Input, LinkId, ModemInput, Output, Power, SerialInput, SerialOutput, SocketId,
    SocketInput, SocketOutput, StoreInput, StoreOutput,
};
use dtu_proto::record::OwnedInput;
use dtu_proto::time::{Duration, Instant};
use dtu_proto::{Dtu, Identity};

const LINK_1: SocketId = SocketId::Link(LinkId::ALL[0]);
const LOOK_EVERY: Duration = Duration::from_millis(5);

fn main() -> Result<(), Box<dyn Error>> {
    let server = std::env::args().nth(1).ok_or("usage: host ADDRESS:PORT")?;
    run(&server, io::stdin(), &mut io::stdout())
}

/// The device between a serial line and a server, until the line ends.
pub(crate) fn run(
    server: &str,
    from_dte: impl Read + Send + 'static,
    to_dte: &mut impl Write,
) -> Result<(), Box<dyn Error>> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the host is the one that has a clock"
    )]
    let power_on = std::time::Instant::now();
    let now = || Instant::from_micros(power_on.elapsed().as_micros() as u64);
    let options = Options {
        setup_window: Duration::ZERO,
        ..Options::default()
    };
    let seed = std::process::id().into();
    let mut dtu = Dtu::new(
        parameters(server)?,
        options,
        Identity::default(),
        seed,
        now(),
    );
    let line = read_apart(from_dte);
    let mut socket: Option<Socket> = None;
    // What is to be told. It waits here until the outputs are drained.
    let mut inputs = VecDeque::from([
        plain(Input::Serial(SerialInput::Present)),
        OwnedInput::Modem(ModemInput::Attached(Ipv4Addr::LOCALHOST.into())),
    ]);
    loop {
        // 1. All outputs, in their order, before the next input.
        while let Some(output) = dtu.poll_output() {
            match output {
                Output::Serial(SerialOutput::Write(bytes)) => {
                    to_dte.write_all(&bytes)?;
                    to_dte.flush()?;
                    inputs.push_back(plain(Input::Serial(SerialInput::Written)));
                }
                Output::Serial(SerialOutput::Configure(_)) => {
                    inputs.push_back(plain(Input::Serial(SerialInput::Configured(None))));
                }
                Output::Serial(SerialOutput::Discard) => {
                    inputs.push_back(plain(Input::Serial(SerialInput::Discarded(0))));
                }
                Output::Socket(LINK_1, SocketOutput::Connect(to))
                    if to.protocol == Protocol::Tcp =>
                {
                    match Socket::connect(&to.address, to.port) {
                        Ok((connected, local)) => {
                            socket = Some(connected);
                            inputs.push_back(news(SocketInput::Connected { local }));
                        }
                        Err(error) => inputs.push_back(closed(LINK_1, reason(&error), 0)),
                    }
                }
                Output::Socket(other, SocketOutput::Connect(_)) => {
                    inputs.push_back(closed(other, CloseReason::Unreachable, 0));
                }
                Output::Socket(_, SocketOutput::Send(payload)) => {
                    if let Some(socket) = &mut socket {
                        socket.unsent = [payload.prefix, payload.body].concat();
                        // At once, for `Close` may be the next output. An error comes again at the next look.
                        let _ = socket.write(&mut inputs);
                    }
                }
                // Where there is no socket, this has crossed a `Closed`, and needs no answer.
                Output::Socket(_, SocketOutput::Close) => {
                    inputs.extend(
                        socket
                            .take()
                            .map(|socket| closed(LINK_1, CloseReason::Local, socket.sent)),
                    );
                }
                Output::Store(StoreOutput::Save(_)) => {
                    inputs.push_back(plain(Input::Store(StoreInput::Failed(
                        "this host has no store",
                    ))));
                }
                Output::Store(StoreOutput::Messages { number, .. }) => {
                    inputs.push_back(plain(Input::Store(StoreInput::MessagesSaved(number))));
                }
                Output::Power(Power::Stop) => return Ok(()),
                Output::Event(event) => eprintln!("{event:?}"),
                Output::Power(Power::Restarted)
                | Output::Store(_)
                | Output::Modem(_)
                | Output::Console(_)
                | Output::Leds(_) => {}
            }
        }
        // 2. Look for news; bytes only while the device wants them.
        if inputs.is_empty() {
            if let Some(connected) = &mut socket {
                let mut result = connected.write(&mut inputs);
                if dtu.wants_socket(LINK_1) {
                    result = result
                        .or_else(may_wait)
                        .and_then(|()| connected.read(&mut inputs));
                }
                if let Err(error) = result.or_else(may_wait) {
                    inputs.push_back(closed(LINK_1, reason(&error), connected.sent));
                    socket = None;
                }
            }
            if dtu.wants_serial() {
                inputs.extend(line.try_recv());
            }
        }
        // 3. Tell one of them, or sleep until the device wants to be called.
        if let Some(input) = inputs.pop_front() {
            dtu.handle_input(input.as_input(), now());
        } else {
            let until = dtu.poll_timeout().map(|deadline| deadline.at - now());
            std::thread::sleep(until.unwrap_or(LOOK_EVERY).min(LOOK_EVERY));
            dtu.handle_timeout(now());
        }
    }
}

fn parameters(server: &str) -> Result<Config, String> {
    let mut config = Config {
        registration: b"DTU0001\n".to_vec(),
        ..Config::default()
    };
    let (address, port) = server
        .rsplit_once(':')
        .ok_or(format!("expected ADDRESS:PORT, got {server}"))?;
    config.links[0].address = address.to_owned();
    config.links[0].port = port
        .parse()
        .map_err(|_| format!("expected a port of 1 to 65535, got {port}"))?;
    config.links[0].enabled = true;
    Ok(config)
}

/// A thread that may block. It holds one read at most: the rest waits with the sender until the device wants it.
fn read_apart(mut from: impl Read + Send + 'static) -> mpsc::Receiver<OwnedInput> {
    let (told, line) = mpsc::sync_channel(0);
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = from.read(&mut buffer)
            && told
                .send(OwnedInput::SerialData(buffer[..count].to_vec()))
                .is_ok()
        {}
        told.send(plain(Input::Shutdown))
    });
    line
}

struct Socket {
    stream: TcpStream,
    /// What is left of the one outstanding `Send`.
    unsent: Vec<u8>,
    sent: u64,
}

impl Socket {
    fn connect(address: &str, port: u16) -> io::Result<(Self, SocketAddr)> {
        let stream = TcpStream::connect((address, port))?;
        stream.set_nonblocking(true)?;
        let local = stream.local_addr()?;
        Ok((
            Self {
                stream,
                unsent: Vec::new(),
                sent: 0,
            },
            local,
        ))
    }

    /// Hands over what the socket takes.
    fn write(&mut self, inputs: &mut VecDeque<OwnedInput>) -> io::Result<()> {
        if self.unsent.is_empty() {
            return Ok(());
        }
        let count = self.stream.write(&self.unsent)?;
        self.unsent.drain(..count);
        self.sent += count as u64;
        if self.unsent.is_empty() {
            inputs.push_back(news(SocketInput::Sent));
        }
        inputs.push_back(news(SocketInput::Acked(self.sent)));
        Ok(())
    }

    /// One read, if there is one. The peer's end is an error here.
    fn read(&mut self, inputs: &mut VecDeque<OwnedInput>) -> io::Result<()> {
        let mut buffer = [0; 4096];
        match self.stream.read(&mut buffer)? {
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            count => inputs.push_back(OwnedInput::SocketData(LINK_1, buffer[..count].to_vec())),
        }
        Ok(())
    }
}

fn may_wait(error: io::Error) -> io::Result<()> {
    if error.kind() == ErrorKind::WouldBlock {
        Ok(())
    } else {
        Err(error)
    }
}

/// Why a connection ended, or could not be made.
fn reason(error: &io::Error) -> CloseReason {
    match (error.kind(), error.raw_os_error()) {
        (ErrorKind::UnexpectedEof, _) => CloseReason::PeerClosed,
        (ErrorKind::ConnectionRefused, _) => CloseReason::Refused,
        (ErrorKind::ConnectionReset | ErrorKind::BrokenPipe, _) => CloseReason::Reset,
        (ErrorKind::TimedOut, _) => CloseReason::TimedOut,
        (_, code) => CloseReason::Os(code.unwrap_or_default()),
    }
}

const fn plain(input: Input<'static>) -> OwnedInput {
    OwnedInput::Plain(input)
}

const fn news(input: SocketInput<'static>) -> OwnedInput {
    plain(Input::Socket(LINK_1, input))
}

const fn closed(socket: SocketId, reason: CloseReason, acked: u64) -> OwnedInput {
    plain(Input::Socket(socket, SocketInput::Closed { reason, acked }))
}
