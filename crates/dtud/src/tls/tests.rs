use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use dtu_proto::config::Protocol;
use dtu_proto::event::{Connect, Payload, SocketOutput};
use dtu_proto::time::Instant;
use rustls::version::{TLS12, TLS13};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::*;
use crate::serial::Stuck;
use crate::socket::{Socket, SocketNews};

#[path = "../../tests/it/common/authority.rs"]
mod authority;
use authority::{Authority, authority_as_server, self_signed_server};

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

    async fn connect(&mut self, address: &str, port: u16) -> SocketNews {
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

    async fn news(&mut self) -> (SocketNews, Vec<u8>) {
        tokio::time::timeout(Duration::from_secs(30), self.next())
            .await
            .expect("no news")
    }

    async fn next(&mut self) -> (SocketNews, Vec<u8>) {
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
        buf.truncate(if let SocketNews::Data(count) = news {
            count
        } else {
            0
        });
        (news, buf)
    }

    /// Everything up to the end, which is returned with the last acknowledged total.
    async fn read_out(&mut self) -> (Vec<u8>, SocketNews) {
        let mut got = Vec::new();
        loop {
            match self.news().await {
                (SocketNews::Data(_), bytes) => got.extend(bytes),
                (end @ SocketNews::Closed { .. }, _) => return (got, end),
                (SocketNews::Connected { .. } | SocketNews::Sent | SocketNews::Acked(_), _) => {}
                (lost @ (SocketNews::Unread(_) | SocketNews::Datagrams(_)), _) => {
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

fn goodbye(mut stream: Stream) {
    stream.conn.send_close_notify();
    stream.flush().unwrap();
}

fn closed(reason: CloseReason, acked: u64) -> SocketNews {
    SocketNews::Closed { reason, acked }
}

fn noise(count: usize) -> Vec<u8> {
    let mut state = 720_u32;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    std::iter::repeat_with(next).take(count).collect()
}

#[tokio::test]
async fn plain_bytes_go_both_ways_and_only_they_are_counted() {
    let authority = Authority::new();
    let (port, served) = serve(authority.server(&["127.0.0.1"]), |mut stream| {
        let mut got = [0; 5];
        stream.read_exact(&mut got).unwrap();
        stream.write_all(b"answer").unwrap();
        goodbye(stream);
        got
    });
    let mut bench = Bench::new(&authority);
    assert!(matches!(
        bench.connect("127.0.0.1", port).await,
        SocketNews::Connected { .. }
    ));
    bench.send(&b"12345"[..]).await;
    assert_eq!(bench.news().await.0, SocketNews::Sent);
    assert_eq!(
        bench.read_out().await,
        (b"answer".to_vec(), closed(CloseReason::PeerClosed, 5))
    );
    assert_eq!(&served.join().unwrap(), b"12345");
}

#[tokio::test]
async fn a_megabyte_each_way_is_whole_and_acknowledged_by_whole_records() {
    let authority = Authority::new();
    let (port, served) = serve(authority.server(&["127.0.0.1"]), |mut stream| {
        let mut got = vec![0; 1 << 20];
        stream.read_exact(&mut got).unwrap();
        // From now on with another key, for which the device must make one too.
        stream.conn.refresh_traffic_keys().unwrap();
        stream.write_all(&got).unwrap();
        goodbye(stream);
    });
    let mut bench = Bench::new(&authority);
    bench.connect("127.0.0.1", port).await;
    let sent = noise(1 << 20);
    bench.send(sent.clone()).await;
    let mut last = 0;
    loop {
        match bench.news().await.0 {
            SocketNews::Acked(total) => {
                assert!(
                    total > last && total.is_multiple_of(PIECE as u64),
                    "{total} behind {last}"
                );
                last = total;
            }
            SocketNews::Sent => break,
            other @ (SocketNews::Connected { .. }
            | SocketNews::Data(_)
            | SocketNews::Unread(_)
            | SocketNews::Datagrams(_)
            | SocketNews::Closed { .. }) => {
                panic!("{other:?}")
            }
        }
    }
    let (got, end) = bench.read_out().await;
    assert!(
        got == sent,
        "{} of {} bytes came back",
        got.len(),
        sent.len()
    );
    assert_eq!(end, closed(CloseReason::PeerClosed, 1 << 20));
    served.join().unwrap();
}

#[tokio::test]
async fn an_acknowledgement_comes_when_it_is_due_and_then_no_timer_is_left() {
    let authority = Authority::new();
    let (port, served) = serve(authority.server(&["127.0.0.1"]), |mut stream| {
        stream.read_exact(&mut [0; 5]).unwrap();
        stream.write_all(b"!").unwrap();
        stream
    });
    let mut bench = Bench::new(&authority);
    bench.connect("127.0.0.1", port).await;
    bench.send(&b"12345"[..]).await;
    assert_eq!(bench.news().await.0, SocketNews::Sent);
    // The answer's segment acknowledges the question's.
    assert_eq!(bench.news().await.0, SocketNews::Data(1));
    let stream = served.join().unwrap();
    bench.now = bench.socket.deadline().expect("bytes are on their way");
    assert_eq!(bench.news().await.0, SocketNews::Acked(5));
    assert_eq!(bench.socket.deadline(), None);
    drop(stream);
}

#[tokio::test]
async fn an_end_that_was_not_announced_is_no_end_in_good_order() {
    let authority = Authority::new();
    let (port, _served) = serve(authority.server(&["127.0.0.1"]), |mut stream| {
        stream.write_all(b"half of an ans").unwrap();
        stream.sock.shutdown(std::net::Shutdown::Write).unwrap();
        stream
    });
    let mut bench = Bench::new(&authority);
    bench.connect("127.0.0.1", port).await;
    assert_eq!(
        bench.read_out().await,
        (b"half of an ans".to_vec(), closed(CloseReason::Reset, 0))
    );
}

#[tokio::test]
async fn what_came_before_a_broken_record_is_read() {
    let authority = Authority::new();
    let (port, _served) = serve(authority.server(&["127.0.0.1"]), |mut stream| {
        stream.write_all(b"good").unwrap();
        stream.sock.write_all(&[0x17, 3, 3, 0, 32]).unwrap();
        stream.sock.write_all(&[0; 32]).unwrap();
        stream
    });
    let mut bench = Bench::new(&authority);
    bench.connect("127.0.0.1", port).await;
    assert_eq!(
        bench.read_out().await,
        (b"good".to_vec(), closed(CloseReason::Tls, 0))
    );
}

#[tokio::test]
async fn a_certificate_for_another_name_of_an_unknown_root_or_of_last_century_is_refused() {
    let (ours, other) = (Authority::new(), Authority::new());
    let servers = [
        ours.server(&["example.com"]),
        other.server(&["127.0.0.1"]),
        ours.expired_server(&["127.0.0.1"]),
    ];
    for server in servers {
        let (port, served) = serve(server, |mut stream| {
            stream.read(&mut [0]).unwrap_err().to_string()
        });
        let mut bench = Bench::new(&ours);
        assert_eq!(
            bench.connect("127.0.0.1", port).await,
            closed(CloseReason::Certificate, 0)
        );
        // The server is told so.
        let said = served.join().unwrap();
        assert!(said.contains("received fatal alert"), "{said}");
    }
}

#[tokio::test]
async fn a_certificate_may_be_for_a_name() {
    let authority = Authority::new();
    let (port, _served) = serve(authority.server(&["localhost"]), |mut stream| {
        stream.read(&mut [0]).ok()
    });
    let mut bench = Bench::new(&authority);
    assert!(matches!(
        bench.connect("localhost", port).await,
        SocketNews::Connected { .. }
    ));
}

#[tokio::test]
async fn a_certificate_that_the_server_signed_itself_can_be_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let (server, root) = self_signed_server(&["127.0.0.1"], folder.path());
    let (port, _served) = serve(server, |mut stream| stream.read(&mut [0]).ok());
    let mut bench = Bench::trusting(root);
    assert!(matches!(
        bench.connect("127.0.0.1", port).await,
        SocketNews::Connected { .. }
    ));
}

#[tokio::test]
async fn a_server_that_does_not_speak_tls_or_hangs_up_is_told_from_one_with_a_bad_certificate() {
    for words in ["HTTP/1.1 400 Bad Request\r\n\r\n", ""] {
        let authority = Authority::new();
        let (port, served) = serve(authority.server(&["127.0.0.1"]), move |mut stream| {
            // All of the hello: a socket that is closed with bytes unread is reset.
            let mut hello = [0; 5];
            stream.sock.read_exact(&mut hello).unwrap();
            let length = usize::from(u16::from_be_bytes([hello[3], hello[4]]));
            stream.sock.read_exact(&mut vec![0; length]).unwrap();
            stream.sock.write_all(words.as_bytes()).unwrap();
        });
        let mut bench = Bench::new(&authority);
        assert_eq!(
            bench.connect("127.0.0.1", port).await,
            closed(CloseReason::Tls, 0),
            "{words:?}"
        );
        served.join().unwrap();
    }
}

/// H4: with TLS 1.3 the connection stands before the server looks for the certificate; a server that has read none of the
/// request resets the connection, and what it said of the reason may be lost.
#[tokio::test]
async fn h4_a_server_that_wants_a_certificate_of_the_device_is_told_as_such() {
    let authority = Authority::new();
    for (version, resets) in [(&TLS12, false), (&TLS13, false), (&TLS13, true)] {
        let (port, served) = serve(
            authority.choosy_server(&["127.0.0.1"], version),
            move |mut stream| {
                if resets {
                    // The hello, all that answers it, and the first byte of what comes next.
                    while !stream.conn.wants_write() {
                        stream.conn.read_tls(&mut stream.sock).unwrap();
                        stream.conn.process_new_packets().unwrap();
                    }
                    while stream.conn.wants_write() {
                        stream.conn.write_tls(&mut stream.sock).unwrap();
                    }
                    stream.sock.read_exact(&mut [0]).unwrap();
                    socket2::SockRef::from(&stream.sock)
                        .set_linger(Some(Duration::ZERO))
                        .unwrap();
                } else {
                    assert!(stream.read(&mut [0]).is_err());
                }
            },
        );
        let mut bench = Bench::new(&authority);
        let mut end = bench.connect("127.0.0.1", port).await;
        if matches!(end, SocketNews::Connected { .. }) {
            end = bench.read_out().await.1;
        }
        assert!(
            matches!(
                end,
                SocketNews::Closed {
                    reason: CloseReason::Tls,
                    ..
                }
            ),
            "{end:?}"
        );
        let said = &bench.socket.contact().trouble;
        assert!(
            said.ends_with("a certificate of this device, which has none"),
            "{said}"
        );
        // TLS 1.3 says it by an alert, too.
        assert_eq!(
            said.matches("a certificate of this device").count(),
            1,
            "{said}"
        );
        served.join().unwrap();
    }
}

/// H4: no name of a type reaches a person.
#[tokio::test]
async fn h4_an_authority_that_shows_its_own_certificate_is_told_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let (server, root) = authority_as_server(&["127.0.0.1"], folder.path());
    let (port, _served) = serve(server, |mut stream| stream.read(&mut [0]).ok());
    let mut bench = Bench::trusting(root);
    assert_eq!(
        bench.connect("127.0.0.1", port).await,
        closed(CloseReason::Certificate, 0)
    );
    let said = &bench.socket.contact().trouble;
    assert!(
        said.contains("the certificate of an authority as its own (it needs one with CA:FALSE)"),
        "{said}"
    );
}

#[tokio::test]
async fn a_handshake_under_way_is_given_up_by_an_order() {
    let authority = Authority::new();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut bench = Bench::new(&authority);
    let port = silent.local_addr().unwrap().port();
    let attempt =
        tokio::time::timeout(Duration::from_millis(50), bench.connect("127.0.0.1", port)).await;
    assert!(attempt.is_err(), "{attempt:?}");
    bench.order(SocketOutput::Close).await;
    assert_eq!(bench.news().await.0, closed(CloseReason::Local, 0));
}

#[tokio::test]
async fn an_order_to_close_tells_the_peer_that_the_end_is_one() {
    let authority = Authority::new();
    let (port, served) = serve(authority.server(&["127.0.0.1"]), |mut stream| {
        let mut got = Vec::new();
        stream.read_to_end(&mut got).map(|_| got)
    });
    let mut bench = Bench::new(&authority);
    bench.connect("127.0.0.1", port).await;
    bench.send(&b"last words"[..]).await;
    bench.order(SocketOutput::Close).await;
    let (_, end) = bench.read_out().await;
    assert!(
        matches!(
            end,
            SocketNews::Closed {
                reason: CloseReason::Local,
                ..
            }
        ),
        "{end:?}"
    );
    assert_eq!(served.join().unwrap().unwrap(), b"last words");
}

#[tokio::test]
async fn what_the_peer_never_acknowledged_is_not_counted_after_a_reset() {
    const TOTAL: usize = 1 << 20;
    let authority = Authority::new();
    let (port, served) = serve(authority.server(&["127.0.0.1"]), |mut stream| {
        let socket = socket2::SockRef::from(&stream.sock);
        socket.set_recv_buffer_size(4096).unwrap();
        socket.set_linger(Some(Duration::ZERO)).unwrap();
        stream.read_exact(&mut [0; 100]).unwrap();
    });
    let mut bench = Bench::new(&authority);
    bench.connect("127.0.0.1", port).await;
    bench.send(vec![7; TOTAL]).await;
    let (_, end) = bench.read_out().await;
    let SocketNews::Closed {
        reason: CloseReason::Reset,
        acked,
    } = end
    else {
        panic!("{end:?}")
    };
    assert!(
        acked < TOTAL as u64 && acked.is_multiple_of(PIECE as u64),
        "{acked}"
    );
    served.join().unwrap();
}

#[tokio::test]
async fn nothing_is_read_while_the_device_wants_nothing() {
    let authority = Authority::new();
    let (port, _served) = serve(authority.server(&["127.0.0.1"]), |mut stream| {
        stream
            .sock
            .set_write_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        stream.write_all(&noise(1 << 20)).map(|()| goodbye(stream))
    });
    let mut bench = Bench::new(&authority);
    bench.connect("127.0.0.1", port).await;
    bench.wanted = false;
    let silent = tokio::time::timeout(Duration::from_millis(50), bench.news()).await;
    assert!(silent.is_err(), "{:?}", silent.map(|(news, _)| news));
    bench.wanted = true;
    let (got, end) = bench.read_out().await;
    assert!(got == noise(1 << 20), "{} bytes", got.len());
    assert_eq!(end, closed(CloseReason::PeerClosed, 0));
}

#[test]
fn a_file_of_roots_is_judged_with_its_name_and_the_number_of_the_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let good = Authority::new().root(folder.path());
    assert_eq!(read_roots(&good).map(|roots| roots.len()), Ok(1));
    let text = std::fs::read_to_string(&good).unwrap();
    let path = folder.path().join("bad.pem");
    let said = |text: String| {
        std::fs::write(&path, text).unwrap();
        let said = check(&Http {
            extra_root: Some(path.clone()),
            ..Http::default()
        })
        .unwrap_err();
        let start = format!("{}: ", path.display());
        said.strip_prefix(&start).map(str::to_owned).unwrap_or(said)
    };
    assert!(said(String::new()).starts_with("no certificate in it"));
    assert!(said(text.replace("-----END", "-----EN")).starts_with("certificate 1 is no PEM"));
    let second = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert!(said(text + second).starts_with("certificate 2: "));
    std::fs::remove_file(&path).unwrap();
    assert!(
        check(&Http {
            extra_root: Some(path),
            ..Http::default()
        })
        .unwrap_err()
        .contains("No such file")
    );
}

#[test]
fn a_name_for_which_there_can_be_no_certificate_is_refused() {
    for good in ["example.com", "example.com.", "10.0.0.1", "[::1]", "::1"] {
        assert!(server_name(good).is_ok(), "{good}");
    }
    let error = server_name("a b").unwrap_err();
    assert_eq!(reason(&error), Some(CloseReason::Tls));
}
