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
use std::net::{Ipv4Addr, TcpStream};
use std::sync::mpsc;

use dtu_proto::config::{Config, Options, Protocol};
use dtu_proto::event::{
    CloseReason, Connect, Input, LinkId, ModemInput, Output, Payload, Power, SerialInput,
    SerialOutput, SocketId, SocketInput, SocketOutput, StoreInput, StoreOutput,
};
use dtu_proto::record::OwnedInput;
use dtu_proto::time::{Duration, Instant};
use dtu_proto::{Dtu, Identity};

const LINK_1: SocketId = SocketId::Link(LinkId::ALL[0]);
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// A peer that takes nothing for so long is given up.
const WRITE_AT_MOST: Duration = Duration::from_secs(10);

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
    let (config, seed) = (parameters(server)?, std::process::id().into());
    let options = Options {
        setup_window: Duration::ZERO,
        ..Options::default()
    };
    let mut dtu = Dtu::new(config, options, Identity::default(), seed, now());
    let line = read_apart(from_dte);
    let mut link = Link::default();
    // What is to be told. It waits here until the outputs are drained.
    let mut inputs = VecDeque::from([
        plain(Input::Serial(SerialInput::Present)),
        OwnedInput::Modem(ModemInput::Attached(Ipv4Addr::LOCALHOST.into())),
    ]);
    loop {
        // 1. All outputs, in their order, before the next input.
        while let Some(output) = dtu.poll_output() {
            let answer = match output {
                Output::Serial(SerialOutput::Write(bytes)) => {
                    to_dte.write_all(&bytes)?;
                    to_dte.flush()?;
                    Input::Serial(SerialInput::Written)
                }
                Output::Serial(SerialOutput::Configure(_)) => {
                    Input::Serial(SerialInput::Configured(None))
                }
                Output::Serial(SerialOutput::Discard) => Input::Serial(SerialInput::Discarded(0)),
                Output::Socket(LINK_1, order) => {
                    link.carry_out(order, &mut inputs);
                    continue;
                }
                Output::Socket(other, SocketOutput::Connect(_)) => {
                    closed(other, CloseReason::Unreachable, 0)
                }
                Output::Store(StoreOutput::Save(_)) => {
                    Input::Store(StoreInput::Failed("this host has no store"))
                }
                Output::Store(StoreOutput::Messages { number, .. }) => {
                    Input::Store(StoreInput::MessagesSaved(number))
                }
                Output::Power(Power::Stop) => return Ok(()),
                Output::Event(event) => {
                    eprintln!("{event:?}");
                    continue;
                }
                Output::Socket(..)
                | Output::Power(Power::Restarted)
                | Output::Store(_)
                | Output::Modem(_)
                | Output::Console(_)
                | Output::Leds(_) => continue,
            };
            inputs.push_back(plain(answer));
        }
        // 2. Look for news; bytes only while the device wants them.
        if inputs.is_empty() {
            if dtu.wants_socket(LINK_1) {
                link.read(&mut inputs);
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

/// The connection of link 1, if there is one.
#[derive(Default)]
struct Link {
    stream: Option<TcpStream>,
    sent: u64,
}

impl Link {
    fn carry_out(&mut self, order: SocketOutput, inputs: &mut VecDeque<OwnedInput>) {
        let result = match order {
            SocketOutput::Connect(to) => self.connect(&to, inputs),
            SocketOutput::Send(payload) => self.send(payload, inputs),
            // Else it has crossed a `Closed`, and needs no answer.
            SocketOutput::Close => {
                if self.stream.is_some() {
                    self.ends(CloseReason::Local, inputs);
                }
                Ok(())
            }
        };
        if let Err(error) = result {
            self.ends(reason(&error), inputs);
        }
    }

    fn connect(&mut self, to: &Connect, inputs: &mut VecDeque<OwnedInput>) -> io::Result<()> {
        if to.protocol != Protocol::Tcp || to.tls {
            return Err(ErrorKind::Unsupported.into());
        }
        self.sent = 0;
        let stream = TcpStream::connect((&*to.address, to.port))?;
        stream.set_write_timeout(Some(WRITE_AT_MOST))?;
        let local = stream.local_addr()?;
        self.stream = Some(stream);
        inputs.push_back(news(SocketInput::Connected { local }));
        Ok(())
    }

    fn send(&mut self, payload: Payload, inputs: &mut VecDeque<OwnedInput>) -> io::Result<()> {
        let Some(stream) = &mut self.stream else {
            return Ok(());
        };
        let bytes = [payload.prefix, payload.body].concat();
        stream.write_all(&bytes)?;
        self.sent += bytes.len() as u64;
        let acked = news(SocketInput::Acked(self.sent));
        inputs.extend([news(SocketInput::Sent), acked]);
        Ok(())
    }

    /// One read, if there is one.
    fn read(&mut self, inputs: &mut VecDeque<OwnedInput>) {
        let Some(stream) = &mut self.stream else {
            return;
        };
        let mut buffer = [0; 4096];
        let result = stream
            .set_nonblocking(true)
            .and_then(|()| stream.read(&mut buffer));
        let blocks = stream.set_nonblocking(false);
        match blocks.and(result) {
            Ok(0) => self.ends(CloseReason::PeerClosed, inputs),
            Ok(count) => {
                inputs.push_back(OwnedInput::SocketData(LINK_1, buffer[..count].to_vec()));
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => self.ends(reason(&error), inputs),
        }
    }

    fn ends(&mut self, reason: CloseReason, inputs: &mut VecDeque<OwnedInput>) {
        self.stream = None;
        inputs.push_back(plain(closed(LINK_1, reason, self.sent)));
    }
}

/// Why a connection ended, or could not be made.
fn reason(error: &io::Error) -> CloseReason {
    match (error.kind(), error.raw_os_error()) {
        (ErrorKind::ConnectionRefused, _) => CloseReason::Refused,
        (ErrorKind::ConnectionReset | ErrorKind::BrokenPipe, _) => CloseReason::Reset,
        (ErrorKind::TimedOut | ErrorKind::WouldBlock, _) => CloseReason::TimedOut,
        (_, code) => CloseReason::Os(code.unwrap_or_default()),
    }
}

const fn plain(input: Input<'static>) -> OwnedInput {
    OwnedInput::Plain(input)
}

const fn news(news: SocketInput<'static>) -> OwnedInput {
    plain(Input::Socket(LINK_1, news))
}

const fn closed(socket: SocketId, reason: CloseReason, acked: u64) -> Input<'static> {
    Input::Socket(socket, SocketInput::Closed { reason, acked })
}
