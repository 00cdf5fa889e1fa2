//! The data center's end: a port that can refuse, and connections that can die like a machine dies.

use std::io::{ErrorKind, Read, Result};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, SocketAddrV4, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use socket2::{Domain, SockFilter, SockRef, Socket, Type};

use super::pump::{read_now, ready, write_now};
use super::within;

/// A port of this machine. It stays bound while nobody listens: it refuses then, and nobody else (not even a
/// connecting socket that looks for a free local port) can get it.
#[derive(Debug)]
pub(crate) struct Server {
    _reserved: Socket,
    address: SocketAddrV4,
    listener: Option<TcpListener>,
    window: Option<usize>,
}

impl Server {
    /// A free port, that refuses until [`Server::listen`].
    pub(crate) fn refusing() -> Self {
        let reserved = reusable(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0));
        let address = reserved
            .local_addr()
            .expect("a bound socket has an address")
            .as_socket_ipv4();
        Self {
            _reserved: reserved,
            address: address.expect("it is IPv4"),
            listener: None,
            window: None,
        }
    }

    /// A free port that listens.
    pub(crate) fn start() -> Self {
        let mut server = Self::refusing();
        server.listen();
        server
    }

    /// As [`Server::start`]; its connections hold at most about so many bytes unread.
    pub(crate) fn with_window(bytes: usize) -> Self {
        let mut server = Self {
            window: Some(bytes),
            ..Self::refusing()
        };
        server.listen();
        server
    }

    pub(crate) const fn port(&self) -> u16 {
        self.address.port()
    }

    pub(crate) fn listen(&mut self) {
        let socket = reusable(self.address);
        if let Some(bytes) = self.window {
            socket.set_recv_buffer_size(bytes).expect("SO_RCVBUF");
        }
        socket.listen(16).expect("listen");
        socket
            .set_nonblocking(true)
            .expect("a listener can be non-blocking");
        self.listener = Some(socket.into());
    }

    /// From now on attempts are refused. What waits unaccepted is reset.
    pub(crate) fn refuse(&mut self) {
        self.listener = None;
    }

    /// The next connection, or a panic.
    pub(crate) fn accept(&self, wait: Duration) -> Connection {
        self.try_accept(within(wait))
            .unwrap_or_else(|| panic!("nobody connected within {wait:?}"))
    }

    /// The next connection, if it comes before the deadline.
    pub(crate) fn try_accept(&self, deadline: Instant) -> Option<Connection> {
        let listener = self.listener.as_ref().expect("the server listens");
        loop {
            match listener.accept() {
                Ok((stream, _)) => return Some(Connection::new(stream)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => panic!("accept: {error}"),
            }
            if !ready(listener, PollFlags::IN, deadline).expect("poll the listener") {
                return None;
            }
        }
    }
}

fn reusable(address: SocketAddrV4) -> Socket {
    let socket = Socket::new(Domain::IPV4, Type::STREAM.cloexec(), None).expect("a socket");
    socket.set_reuse_address(true).expect("SO_REUSEADDR");
    socket.bind(&SocketAddr::V4(address).into()).expect("bind");
    socket
}

/// One accepted connection, non-blocking, without Nagle.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) stream: TcpStream,
}

impl Connection {
    fn new(stream: TcpStream) -> Self {
        stream
            .set_nonblocking(true)
            .expect("a connection can be non-blocking");
        stream.set_nodelay(true).expect("TCP_NODELAY");
        Self { stream }
    }

    pub(crate) fn send(&self, bytes: &[u8]) {
        let deadline = within(super::SOON);
        let mut rest = bytes;
        while !rest.is_empty() {
            let n = write_now(&self.stream, rest).expect("write to the connection");
            rest = &rest[n..];
            if n == 0 {
                assert!(
                    ready(&self.stream, PollFlags::OUT, deadline).expect("poll"),
                    "the peer takes nothing"
                );
            }
        }
    }

    /// Exactly `count` bytes, or a panic.
    pub(crate) fn receive(&self, count: usize, wait: Duration) -> Vec<u8> {
        let deadline = within(wait);
        let mut got = vec![0; count];
        let mut have = 0;
        while have < count {
            if let Some(n) =
                read_now(&self.stream, &mut got[have..]).expect("read from the connection")
            {
                have += n;
            } else if !ready(&self.stream, PollFlags::IN, deadline).expect("poll the connection") {
                let got = got[..have].escape_ascii().to_string();
                panic!("waited {wait:?} on the connection for {count} bytes, got {have}: {got:?}");
            }
        }
        got
    }

    /// At least one and at most `most` bytes, or a panic.
    pub(crate) fn receive_some(&self, most: usize, wait: Duration) -> Vec<u8> {
        let mut got = vec![0; most];
        let deadline = within(wait);
        loop {
            if let Some(n) = read_now(&self.stream, &mut got).expect("read from the connection") {
                got.truncate(n);
                return got;
            }
            let there = ready(&self.stream, PollFlags::IN, deadline).expect("poll the connection");
            assert!(there, "nothing came within {wait:?}");
        }
    }

    /// What comes until the connection has been silent for `silence`.
    pub(crate) fn drain(&self, silence: Duration) -> Vec<u8> {
        let mut got = Vec::new();
        let mut buffer = [0; 4096];
        while ready(&self.stream, PollFlags::IN, within(silence)).expect("poll the connection") {
            if let Some(n) = read_now(&self.stream, &mut buffer).expect("read from the connection")
            {
                got.extend_from_slice(&buffer[..n]);
            }
        }
        got
    }

    /// Waits for the peer's end of the connection; nothing may come before it.
    pub(crate) fn wait_for_the_end(&self, wait: Duration) {
        let deadline = within(wait);
        loop {
            match read_now(&self.stream, &mut [0]) {
                Err(_) => return,
                Ok(Some(_)) => panic!("the peer was to close and has sent something"),
                Ok(None) => {}
            }
            let there = ready(&self.stream, PollFlags::IN, deadline).expect("poll the connection");
            assert!(there, "the peer did not close within {wait:?}");
        }
    }

    /// From now on this end's TCP drops every segment unseen: nothing more is received or acknowledged, and the
    /// peer is not told. `ret #0` in classic BPF.
    pub(crate) fn black_hole(&self) -> Result<()> {
        const RETURN_CONSTANT: u16 = 0x06;
        SockRef::from(&self.stream).attach_filter(&[SockFilter::new(RETURN_CONSTANT, 0, 0, 0)])
    }

    /// What a machine that dies now had acknowledged and not yet read: received, as its TCP said so. Behind this
    /// nothing more is.
    pub(crate) fn freeze(&mut self) -> Vec<u8> {
        self.black_hole().expect("SO_ATTACH_FILTER");
        let mut rest = Vec::new();
        match self.stream.read_to_end(&mut rest) {
            Ok(_) => {}
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::WouldBlock | ErrorKind::ConnectionReset
                ) => {}
            Err(error) => panic!("drain: {error}"),
        }
        rest
    }

    /// Ends a frozen connection with RST.
    pub(crate) fn reset(self) {
        SockRef::from(&self.stream)
            .set_linger(Some(Duration::ZERO))
            .expect("SO_LINGER");
    }

    /// Ends a frozen connection with FIN.
    pub(crate) fn finish(self) {
        self.stream.shutdown(Shutdown::Write).ok();
    }
}
