//! An HTTP server that does what the test says, byte by byte, with TLS or without.

use std::fmt::Write as _;
use std::io::{Error, ErrorKind, Read, Result, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::server::{Connection, Server};
use super::{SOON, within};

/// A port that listens.
pub(crate) struct HttpServer {
    pub(crate) port: Server,
    tls: Option<Arc<ServerConfig>>,
}

impl HttpServer {
    pub(crate) fn start() -> Self {
        Self {
            port: Server::start(),
            tls: None,
        }
    }

    /// One that speaks TLS.
    pub(crate) fn with_tls(tls: Arc<ServerConfig>) -> Self {
        Self {
            port: Server::start(),
            tls: Some(tls),
        }
    }

    /// A port that refuses until it listens.
    pub(crate) fn refusing() -> Self {
        Self {
            port: Server::refusing(),
            tls: None,
        }
    }

    /// The value of `AT+HTPSV`.
    pub(crate) fn address(&self) -> String {
        let scheme = if self.tls.is_some() { "https://" } else { "" };
        format!("{scheme}127.0.0.1,{}", self.port.port())
    }

    /// The next connection, or a panic.
    pub(crate) fn accept(&self) -> Client {
        Client::new(self.port.accept(SOON), self.tls.clone())
    }

    /// Whether nobody connects for so long.
    pub(crate) fn stays_alone(&self, wait: Duration) -> bool {
        self.port.try_accept(within(wait)).is_none()
    }
}

/// What a client asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// The request line.
    pub(crate) line: String,
    /// The lines of the head, in order.
    pub(crate) head: Vec<String>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// The value of a head line.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        let mut fields = self.head.iter().filter_map(|line| line.split_once(':'));
        fields
            .find(|(field, _)| field.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
    }
}

/// One connection, blocking, each wait at most [`SOON`].
pub(crate) struct Client {
    io: Io,
}

enum Io {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
}

impl Client {
    fn new(connection: Connection, tls: Option<Arc<ServerConfig>>) -> Self {
        let socket = connection.stream;
        socket
            .set_nonblocking(false)
            .expect("a connection can block");
        socket.set_read_timeout(Some(SOON)).expect("SO_RCVTIMEO");
        socket.set_write_timeout(Some(SOON)).expect("SO_SNDTIMEO");
        let io = match tls {
            None => Io::Plain(socket),
            Some(config) => {
                let session = ServerConnection::new(config).expect("the configuration is good");
                Io::Tls(Box::new(StreamOwned::new(session, socket)))
            }
        };
        Self { io }
    }

    /// The next request, or a panic.
    pub(crate) fn request(&mut self) -> Request {
        self.try_request().expect("a request")
    }

    /// The next request, if one comes whole.
    pub(crate) fn try_request(&mut self) -> Result<Request> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.io.read_exact(&mut byte)?;
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).map_err(Error::other)?;
        let mut lines = head
            .trim_end_matches("\r\n")
            .split("\r\n")
            .map(str::to_owned);
        let line = lines.next().unwrap_or_default();
        let mut request = Request {
            line,
            head: lines.collect(),
            body: Vec::new(),
        };
        let length = request
            .value("Content-Length")
            .map_or(Ok(0), str::parse)
            .map_err(Error::other)?;
        request.body = vec![0; length];
        self.io.read_exact(&mut request.body)?;
        Ok(request)
    }

    /// The next bytes, whatever they are.
    pub(crate) fn swallow(&mut self) {
        let count = self
            .io
            .read(&mut [0; 4096])
            .expect("the client says something");
        assert_ne!(count, 0, "the client says something");
    }

    pub(crate) fn answer(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.try_answer(bytes.as_ref())
            .expect("the client takes the answer");
        self
    }

    pub(crate) fn try_answer(&mut self, bytes: &[u8]) -> Result<()> {
        self.io.write_all(bytes)?;
        self.io.flush()
    }

    /// A good answer that says how long it is.
    pub(crate) fn answer_with(&mut self, body: impl AsRef<[u8]>) -> &mut Self {
        let body = body.as_ref();
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
        self.answer([head.as_bytes(), body].concat())
    }

    /// In segments of so many bytes (and, with TLS, records).
    pub(crate) fn answer_in_pieces(&mut self, bytes: &[u8], size: usize) -> &mut Self {
        for piece in bytes.chunks(size) {
            self.answer(piece);
        }
        self
    }

    /// Ends the connection in good order.
    pub(crate) fn close(&mut self) {
        if let Io::Tls(stream) = &mut self.io {
            stream.conn.send_close_notify();
            stream.flush().ok();
        }
        self.cut();
    }

    /// Ends the connection; TLS is not told.
    pub(crate) fn cut(&self) {
        self.socket().shutdown(Shutdown::Write).ok();
    }

    /// Ends the connection with RST.
    pub(crate) fn reset(self) {
        socket2::SockRef::from(self.socket())
            .set_linger(Some(Duration::ZERO))
            .expect("SO_LINGER");
    }

    /// Waits for the client's end of the connection; nothing may come before it.
    pub(crate) fn wait_for_the_end(&mut self) {
        let mut byte = [0];
        match self.io.read(&mut byte) {
            Ok(0) => {}
            Ok(_) => panic!(
                "the client sent {:?} and was to close",
                byte.escape_ascii().to_string()
            ),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
            Err(error) => panic!("the client did not close: {error}"),
        }
    }

    const fn socket(&self) -> &TcpStream {
        match &self.io {
            Io::Plain(socket) => socket,
            Io::Tls(stream) => &stream.sock,
        }
    }
}

impl Read for Io {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize> {
        match self {
            Self::Plain(socket) => socket.read(buf),
            Self::Tls(stream) => stream.read(buf),
        }
    }
}

impl Write for Io {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        match self {
            Self::Plain(socket) => socket.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> Result<()> {
        match self {
            Self::Plain(socket) => socket.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}

/// A chunked body with chunks of so many bytes.
pub(crate) fn chunked(body: &[u8], size: usize) -> Vec<u8> {
    let mut text = Vec::new();
    for chunk in body.chunks(size) {
        let mut line = String::new();
        write!(line, "{:x}\r\n", chunk.len()).expect("a string takes text");
        text.extend_from_slice(line.as_bytes());
        text.extend_from_slice(chunk);
        text.extend_from_slice(b"\r\n");
    }
    text.extend_from_slice(b"0\r\n\r\n");
    text
}
