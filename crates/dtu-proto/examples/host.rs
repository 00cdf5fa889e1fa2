//! The smallest host, to be read first: stdin and stdout are the serial line, `std` has the network, the link is UDP.
//!
//! ```sh
//! nc -u -l 9000                                               # terminal 1: the server
//! cargo run -p dtu-proto --example host -- \
//!     AT+CIPSCONT=1,UDP,127.0.0.1,9000,1 AT+CIPPACK=1,44545530303031,0     # terminal 2: type lines; Ctrl-D ends it
//! ```
//! The arguments are settings, as `ATW` stores them; in the first 3 s, lines are AT commands. The server gets `DTU0001`,
//! the registration packet, then each line; what it sends is printed. The loop is the one that every host has; the
//! contract is on the front page of the crate.
//!
//! What `dtud` does better: it sleeps until something happens, where this host looks around every 5 ms; it has TCP, TLS,
//! a disk and a modem, says what is wrong with a setting, and a full pipe does not hold it up.

use std::io::{self, Read, Write};
use std::{collections::VecDeque, net::UdpSocket, sync::mpsc, thread, time::Duration};

use dtu_proto::{Dtu, event::*, from_store_text, record::OwnedInput::*, time::Instant};

fn main() -> io::Result<()> {
    let settings = Vec::from_iter(std::env::args().skip(1)).join("\n");
    run(&settings, Box::new(io::stdin()), &mut io::stdout())
}

/// Carries the serial line of a device until the line ends.
#[expect(clippy::disallowed_methods, reason = "a host has the clock")]
pub(crate) fn run(at: &str, mut dte: Box<dyn Read + Send>, out: &mut dyn Write) -> io::Result<()> {
    let start = std::time::Instant::now();
    let now = || Instant::from_micros(start.elapsed().as_micros() as u64);
    let config = from_store_text(at).0;
    let mut dtu = Dtu::new(config, Default::default(), Default::default(), 7, now());
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    socket.set_read_timeout(Some(Duration::from_millis(5)))?;
    let serial = |news| Plain(Input::Serial(news));
    let net = |id, news| Plain(Input::Socket(id, news));
    let attached = Modem(ModemInput::Attached([127, 0, 0, 1].into()));
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
            if let Output::Serial(SerialOutput::Write(bytes)) = output {
                out.write_all(&bytes).and_then(|()| out.flush())?;
                inputs.push_back(serial(SerialInput::Written));
            } else if let Output::Serial(SerialOutput::Configure(_)) = output {
                inputs.push_back(serial(SerialInput::Configured(None)));
            } else if let Output::Socket(id, SocketOutput::Connect(to)) = output {
                socket.connect((&*to.address, to.port))?;
                let local = socket.local_addr()?;
                inputs.push_back(net(id, SocketInput::Connected { local }));
            } else if let Output::Socket(id, SocketOutput::Send(payload)) = output {
                // A datagram that nobody takes is no fault of the socket.
                let _ = socket.send(&[payload.prefix, payload.body].concat());
                inputs.push_back(net(id, SocketInput::Sent));
            } else if let Output::Socket(id, SocketOutput::Close) = output {
                let (reason, acked) = (CloseReason::Local, 0);
                inputs.push_back(net(id, SocketInput::Closed { reason, acked }));
            } else if output == Output::Power(Power::Stop) {
                return Ok(());
            }
        }
        // 2. Bytes, and only such as the device wants.
        if inputs.is_empty() && dtu.wants_socket(LinkId::ALL[0]) {
            let mut buf = [0; 2048];
            let read = socket.recv(&mut buf);
            inputs.extend(read.map(|n| SocketData(LinkId::ALL[0].into(), buf[..n].to_vec())));
        }
        let typed = || dtu.wants_serial().then(|| line.try_recv().ok())?;
        // 3. One input; without any the device is called, should a deadline be due.
        match inputs.pop_front().or_else(typed) {
            Some(input) => dtu.handle_input(input.as_input(), now()),
            None => dtu.handle_timeout(now()),
        }
    }
}
