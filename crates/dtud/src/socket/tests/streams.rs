//! TCP.

use super::*;

/// Decisions 6.3, as the kernel has them on a connection that stands.
#[tokio::test]
async fn a_connection_has_the_socket_options_of_the_decisions() {
    let (socket, _peer) = tcp().await;
    let State::Up(connection) = &socket.state else {
        panic!("the socket is not connected")
    };
    let options = socket2::SockRef::from(&connection.port);
    assert!(options.tcp_nodelay().unwrap());
    assert!(options.keepalive().unwrap());
    assert_eq!(
        options.tcp_keepalive_time().unwrap(),
        Duration::from_secs(60)
    );
    assert_eq!(
        options.tcp_keepalive_interval().unwrap(),
        Duration::from_secs(4)
    );
    // Linux doubles the number for its own book-keeping, and shows that.
    assert_eq!(options.send_buffer_size().unwrap(), 2 * 32 * 1024);
}

async fn tcp() -> (Socket, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let socket = connected(Protocol::Tcp, listener.local_addr().unwrap().port()).await;
    (socket, listener.accept().unwrap().0)
}

fn reset(peer: TcpStream) {
    socket2::SockRef::from(&peer)
        .set_linger(Some(Duration::ZERO))
        .unwrap();
    drop(peer);
}

#[tokio::test]
async fn what_was_acknowledged_is_known_after_a_reset_too() {
    let (mut socket, mut peer) = tcp().await;
    send(&mut socket, &[7; 1000]).await;
    assert_eq!(news(&mut socket).await.0, SocketEvent::Sent);
    peer.read_exact(&mut [0; 1000]).unwrap();
    reset(peer);
    let closed = SocketEvent::Closed {
        reason: CloseReason::Reset,
        acked: 1000,
    };
    assert_eq!(news(&mut socket).await.0, closed);
}

#[tokio::test]
async fn what_the_peer_never_acknowledged_is_not_counted_after_a_reset() {
    let (mut socket, peer) = tcp().await;
    socket2::SockRef::from(&peer)
        .set_recv_buffer_size(4096)
        .unwrap();
    // More than the peer's buffer holds; it reads none of it.
    send(&mut socket, &[7; 1 << 20]).await;
    reset(peer);
    let mut told = news(&mut socket).await.0;
    while let SocketEvent::Acked(_) = told {
        told = news(&mut socket).await.0;
    }
    let SocketEvent::Closed {
        reason: CloseReason::Reset,
        acked,
    } = told
    else {
        panic!("{told:?}")
    };
    assert!(acked < 1 << 20, "{acked}");
}

/// A request that the device gives up must not come to the server minutes later (decisions 16.16).
#[tokio::test]
async fn h3_what_an_at_most_once_mode_gives_up_does_not_arrive_later() {
    for once in [false, true] {
        let (socket, mut peer) = tcp().await;
        let mut socket = if once { socket.at_most_once() } else { socket };
        // More than the peer's buffer holds; it reads none of it yet.
        send(&mut socket, &[7; 1 << 20]).await;
        order(&mut socket, SocketOutput::Close).await;
        assert!(matches!(
            news(&mut socket).await.0,
            SocketEvent::Closed {
                reason: CloseReason::Local,
                ..
            }
        ));
        let mut got = Vec::new();
        assert_eq!(
            peer.read_to_end(&mut got).is_err(),
            once,
            "{} bytes",
            got.len()
        );
    }
}

#[tokio::test]
async fn a_pending_close_comes_before_the_end_and_nothing_is_sent_behind_it() {
    let (mut socket, mut peer) = tcp().await;
    peer.write_all(b"last words").unwrap();
    peer.shutdown(std::net::Shutdown::Write).unwrap();
    let mut closing = false;
    while !closing {
        // The reactor learns of the end.
        tokio::task::yield_now().await;
        closing = poll_fn(|cx| match &socket.state {
            State::Up(connection) => Poll::Ready(connection.port.peer_closed(cx)),
            State::Idle | State::Connecting(..) => Poll::Ready(true),
        })
        .await;
    }
    send(&mut socket, b"into the void").await;
    assert_eq!(
        news(&mut socket).await,
        (SocketEvent::Data(10), b"last words".to_vec())
    );
    let closed = SocketEvent::Closed {
        reason: CloseReason::PeerClosed,
        acked: 0,
    };
    assert_eq!(news(&mut socket).await.0, closed);
    let mut rest = Vec::new();
    peer.read_to_end(&mut rest).unwrap();
    assert_eq!(rest, b"");
}

/// A line that took so many bytes until now.
struct Slow(std::cell::Cell<u64>);

impl Line for Slow {
    fn progress(&self) -> Progress {
        Progress::after(self.0.get())
    }

    fn patience(&self) -> Duration {
        Stuck.patience()
    }
}

/// All news of a socket that is never read, until its end. Time goes from deadline to deadline, and `at_deadline` says
/// what happens in between; `None` = no more of interest.
async fn unread_news(
    socket: &mut Socket,
    line: &dyn Line,
    mut at_deadline: impl FnMut(Instant) -> bool,
) -> Vec<SocketEvent> {
    let mut told = Vec::new();
    let mut now = Instant::ZERO;
    loop {
        // The reactor learns of the end.
        tokio::task::yield_now().await;
        let news = poll_fn(|cx| Poll::Ready(socket.poll(cx, now, false, line, &mut [0; 16]))).await;
        told.extend(news);
        if matches!(news, Some(SocketEvent::Closed { .. })) {
            return told;
        }
        if let Some(deadline) = socket.deadline().filter(|_| news.is_none()) {
            now = now.max(deadline);
            if !at_deadline(now) {
                return told;
            }
        }
    }
}

#[tokio::test]
async fn d2_an_end_whose_bytes_were_not_taken_is_not_the_peers_orderly_one_and_they_are_counted() {
    let (mut socket, mut peer) = tcp().await;
    peer.write_all(b"last words").unwrap();
    drop(peer);
    let told = unread_news(&mut socket, &Stuck, |_| true).await;
    let closed = SocketEvent::Closed {
        reason: CloseReason::Reset,
        acked: 0,
    };
    assert_eq!(told, [SocketEvent::Unread(10), closed]);
}

/// A byte each 9 s is a line that moves: its clock runs from the last byte that it took.
#[tokio::test]
async fn d2_a_line_that_moves_keeps_what_a_peer_said_before_it_went() {
    let (mut socket, mut peer) = tcp().await;
    peer.write_all(b"last words").unwrap();
    drop(peer);
    let line = Slow(std::cell::Cell::new(0));
    let told = unread_news(&mut socket, &line, |now| {
        line.0.set(now.as_micros() / 9_000_000);
        now < Instant::from_millis(3_600_000)
    });
    assert_eq!(told.await, []);
    assert_eq!(
        news(&mut socket).await,
        (SocketEvent::Data(10), b"last words".to_vec())
    );
}

/// D13: an urgent byte is a byte of the stream.
#[tokio::test]
async fn d13_an_urgent_byte_comes_in_its_place() {
    let (mut socket, mut peer) = tcp().await;
    peer.write_all(b"AB").unwrap();
    socket2::SockRef::from(&peer)
        .send_out_of_band(b"X")
        .unwrap();
    peer.write_all(b"CD").unwrap();
    let mut got = Vec::new();
    while got.len() < 5 {
        let (SocketEvent::Data(_), bytes) = news(&mut socket).await else {
            panic!("after {got:?}")
        };
        got.extend(bytes);
    }
    assert_eq!(got, b"ABXCD");
}

#[tokio::test]
async fn an_order_to_close_is_answered_at_once_with_the_last_word() {
    let (mut socket, mut peer) = tcp().await;
    send(&mut socket, b"12345").await;
    peer.read_exact(&mut [0; 5]).unwrap();
    order(&mut socket, SocketOutput::Close).await;
    assert_eq!(
        news(&mut socket).await.0,
        SocketEvent::Sent,
        "the socket had it before the order"
    );
    let closed = SocketEvent::Closed {
        reason: CloseReason::Local,
        acked: 5,
    };
    assert_eq!(news(&mut socket).await.0, closed);
    assert!(socket.is_idle());
}

#[tokio::test]
async fn a_refused_attempt_says_so() {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let mut socket = Socket::default();
    let address = "127.0.0.1".to_owned();
    let target = Connect {
        protocol: Protocol::Tcp,
        address,
        port,
        local_port: 0,
        tls: false,
    };
    order(&mut socket, SocketOutput::Connect(target)).await;
    let closed = SocketEvent::Closed {
        reason: CloseReason::Refused,
        acked: 0,
    };
    assert_eq!(news(&mut socket).await.0, closed);
}

#[tokio::test]
async fn a_port_that_meets_itself_is_no_server() {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let mut socket = Socket::default();
    let address = "127.0.0.1".to_owned();
    let target = Connect {
        protocol: Protocol::Tcp,
        address,
        port,
        local_port: port,
        tls: false,
    };
    order(&mut socket, SocketOutput::Connect(target)).await;
    let closed = SocketEvent::Closed {
        reason: CloseReason::Refused,
        acked: 0,
    };
    assert_eq!(news(&mut socket).await.0, closed);
}

/// D10: the dead address is only in the way for a quarter of a second, and not at all the next time.
#[tokio::test]
async fn d10_a_dead_address_does_not_hold_a_good_one_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let good = listener.local_addr().unwrap();
    // A listener whose queue is full answers nobody.
    let full = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    full.bind(&SocketAddr::from(([127, 0, 0, 2], good.port())).into())
        .unwrap();
    full.listen(0).unwrap();
    let dead = full.local_addr().unwrap().as_socket().unwrap();
    let _first = TcpStream::connect(dead).unwrap();
    let mut socket = Socket::default();
    *socket.route.resolver.answers.lock().unwrap() = Some(vec![dead, good]);
    for most in [5000, 200] {
        let (protocol, address) = (Protocol::Tcp, "center.example".to_owned());
        let target = Connect {
            protocol,
            address,
            port: good.port(),
            local_port: 0,
            tls: false,
        };
        let start = std::time::Instant::now();
        order(&mut socket, SocketOutput::Connect(target)).await;
        assert!(matches!(
            news(&mut socket).await.0,
            SocketEvent::Connected { .. }
        ));
        assert!(
            start.elapsed() < Duration::from_millis(most),
            "{:?}",
            start.elapsed()
        );
        let (peer, _) = listener.accept().unwrap();
        drop(peer);
        assert!(matches!(
            news(&mut socket).await.0,
            SocketEvent::Closed { .. }
        ));
    }
}
