//! The smallest host, to be read first: stdin and stdout are the serial line, `std` has the network, the link is UDP.
//!
//! ```sh
//! nc -u -l 9000                                               # terminal 1: the server
//! cargo run -p dtu-proto --example host -- 127.0.0.1 9000     # terminal 2: type lines; Ctrl-D ends it
//! ```
//! The server gets `DTU0001`, the registration packet, then each line; what it sends is printed. The loop is the one that
//! every host has; the contract is on the front page of the crate.
//!
//! The first 3 s are the set-up window, in which lines are AT commands. What `dtud` does better: it sleeps until something
//! happens, where this host looks around every 5 ms; it has TCP, TLS, a disk and a modem, and a full pipe does not hold it
//! up.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, UdpSocket};
use std::{collections::VecDeque, sync::mpsc, thread, time::Duration};

use dtu_proto::config::{Config, Options};
use dtu_proto::event::{CloseReason, Input, LinkId, ModemInput, Output, Power};
use dtu_proto::event::{SerialInput, SerialOutput, SocketInput, SocketOutput};
use dtu_proto::record::OwnedInput::{self, Modem, Plain, SerialData, SocketData};
use dtu_proto::{Dtu, Identity, from_store_text, time::Instant};

fn main() -> io::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    run(config(&args.join(",")), io::stdin(), &mut io::stdout())
}

/// A link to this server: `ADDRESS,PORT`.
pub(crate) fn config(server: &str) -> Config {
    from_store_text(&format!(
        "AT+CIPSCONT=1,UDP,{server},1\nAT+CIPPACK=1,44545530303031,0"
    ))
    .0
}

/// Carries the serial line of a device until the line ends.
#[expect(clippy::disallowed_methods, reason = "a host has the clock")]
pub(crate) fn run<R: Read + Send + 'static>(
    config: Config,
    mut dte: R,
    to_dte: &mut impl Write,
) -> io::Result<()> {
    let start = std::time::Instant::now();
    let now = || Instant::from_micros(start.elapsed().as_micros() as u64);
    let mut dtu = Dtu::new(config, Options::default(), Identity::default(), 7, now());
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    socket.set_nonblocking(true)?;
    let serial = |input| Plain(Input::Serial(input));
    let attached = Modem(ModemInput::Attached(Ipv4Addr::LOCALHOST.into()));
    let mut inputs = VecDeque::from([serial(SerialInput::Present), attached]);
    // A thread may block on the line. It holds one read: the rest stays there until the device wants it.
    let (reads, line) = mpsc::sync_channel(0);
    thread::spawn(move || {
        let mut buffer = [0; 1024];
        while let Ok(count @ 1..) = dte.read(&mut buffer) {
            reads.send(SerialData(buffer[..count].to_vec()))?;
        }
        reads.send(Plain(Input::Shutdown))
    });
    loop {
        // 1. All outputs, in order. What came of them waits until there are no more.
        while let Some(output) = dtu.poll_output() {
            if let Output::Serial(SerialOutput::Write(bytes)) = &output {
                to_dte.write_all(bytes).and_then(|()| to_dte.flush())?;
                inputs.push_back(serial(SerialInput::Written));
            } else if let Output::Serial(SerialOutput::Configure(_)) = output {
                inputs.push_back(serial(SerialInput::Configured(None)));
            } else if let Output::Socket(id, order) = output {
                inputs.push_back(Plain(Input::Socket(id, carry_out(order, &socket)?)));
            } else if output == Output::Power(Power::Stop) {
                return Ok(());
            }
        }
        // 2. Bytes, and only such as the device wants.
        let mut buffer = [0; 2048];
        if inputs.is_empty()
            && dtu.wants_socket(LinkId::ALL[0])
            && let Ok(count) = socket.recv(&mut buffer)
        {
            inputs.push_back(SocketData(LinkId::ALL[0].into(), buffer[..count].to_vec()));
        }
        if inputs.is_empty() && dtu.wants_serial() {
            inputs.extend(line.recv_timeout(Duration::from_millis(5)));
        }
        // 3. One input; without any the device is called, should a deadline be due.
        match inputs.pop_front() {
            Some(input) => dtu.handle_input(input.as_input(), now()),
            None => dtu.handle_timeout(now()),
        }
    }
}

/// A datagram that nobody takes is no fault of the socket.
fn carry_out(order: SocketOutput, socket: &UdpSocket) -> io::Result<SocketInput<'static>> {
    Ok(match order {
        SocketOutput::Connect(to) => {
            socket.connect((&*to.address, to.port))?;
            let local = socket.local_addr()?;
            SocketInput::Connected { local }
        }
        SocketOutput::Send(payload) => {
            let _ = socket.send(&[&payload.prefix[..], &payload.body].concat());
            SocketInput::Sent
        }
        SocketOutput::Close => SocketInput::Closed {
            reason: CloseReason::Local,
            acked: 0,
        },
    })
}
