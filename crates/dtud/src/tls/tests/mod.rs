use super::*;
use crate::serial::Stuck;
use crate::socket::{Socket, SocketEvent};
use authority::{Authority, authority_as_server, self_signed_server};
use bytes::Bytes;
use dtu_proto::config::Protocol;
use dtu_proto::event::{Connect, Payload, SocketOutput};
use dtu_proto::time::Instant;
use rustls::version::{TLS12, TLS13};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;
use std::time::Duration;

mod handshake;
mod session;

#[path = "../../../tests/it/common/authority.rs"]
mod authority;

type Stream = StreamOwned<ServerConnection, TcpStream>;

/// The device's end, which trusts the authority, and a clock that goes as the test says.
struct Bench {
    socket: Socket,
    now: Instant,
    wanted: bool,
}

impl Bench {
    fn new(authority: &Authority) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::trusting(authority.root(folder.path()))
    }

    fn trusting(root: PathBuf) -> Self {
        let client = Client::new(Some(root));
        // While the file is there.
        client.0.config().unwrap();
        Self {
            socket: Socket::new(None, client),
            now: Instant::ZERO,
            wanted: true,
        }
    }

    async fn order(&mut self, order: SocketOutput) {
        let mut order = Some(order);
        poll_fn(|cx| {
            order
                .take()
                .into_iter()
                .for_each(|order| self.socket.order(order, self.now, cx));
            Poll::Ready(())
        })
        .await;
    }

    async fn connect(&mut self, address: &str, port: u16) -> SocketEvent {
        let (address, protocol) = (address.to_owned(), Protocol::Tcp);
        self.order(SocketOutput::Connect(Connect {
            protocol,
            address,
            port,
            local_port: 0,
            tls: true,
        }))
        .await;
        self.news().await.0
    }

    async fn send(&mut self, bytes: impl Into<Bytes>) {
        let payload = Payload {
            prefix: Bytes::new(),
            body: bytes.into(),
        };
        self.order(SocketOutput::Send(payload)).await;
    }

    async fn news(&mut self) -> (SocketEvent, Vec<u8>) {
        tokio::time::timeout(Duration::from_secs(30), self.next())
            .await
            .expect("no news")
    }

    async fn next(&mut self) -> (SocketEvent, Vec<u8>) {
        let mut buf = vec![0; 3000];
        let news = poll_fn(|cx| {
            match self
                .socket
                .poll(cx, self.now, self.wanted, &Stuck, &mut buf)
            {
                Some(news) => Poll::Ready(news),
                None => Poll::Pending,
            }
        })
        .await;
        buf.truncate(if let SocketEvent::Data(count) = news {
            count
        } else {
            0
        });
        (news, buf)
    }

    /// Everything up to the end, which is returned with the last acknowledged total.
    async fn read_out(&mut self) -> (Vec<u8>, SocketEvent) {
        let mut got = Vec::new();
        loop {
            match self.news().await {
                (SocketEvent::Data(_), bytes) => got.extend(bytes),
                (end @ SocketEvent::Closed { .. }, _) => return (got, end),
                (SocketEvent::Connected { .. } | SocketEvent::Sent | SocketEvent::Acked(_), _) => {}
                (lost @ (SocketEvent::Unread(_) | SocketEvent::Datagrams(_)), _) => {
                    panic!("{lost:?}")
                }
            }
        }
    }
}

/// A server of one connection, in a thread of its own. Its handshake may fail.
fn serve<T: Send + 'static>(
    config: Arc<ServerConfig>,
    play: impl FnOnce(Stream) -> T + Send + 'static,
) -> (u16, JoinHandle<T>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let played = std::thread::spawn(move || {
        let (socket, _) = listener.accept().unwrap();
        socket
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        play(StreamOwned::new(
            ServerConnection::new(config).unwrap(),
            socket,
        ))
    });
    (port, played)
}

fn closed(reason: CloseReason, acked: u64) -> SocketEvent {
    SocketEvent::Closed { reason, acked }
}
