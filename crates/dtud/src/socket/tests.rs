use std::future::poll_fn;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream, UdpSocket};

use bytes::Bytes;
use dtu_proto::event::Connect;

use super::*;
use crate::serial::{Line, Progress, Stuck};

/// A socket that was told to connect.
async fn connected(protocol: Protocol, port: u16) -> Socket {
    let mut socket = Socket::default();
    let target = Connect {
        protocol,
        address: "127.0.0.1".to_owned(),
        port,
        local_port: 0,
        tls: false,
    };
    order(&mut socket, SocketOutput::Connect(target)).await;
    assert!(matches!(
        news(&mut socket).await.0,
        SocketNews::Connected { .. }
    ));
    socket
}

async fn order(socket: &mut Socket, order: SocketOutput) {
    let mut order = Some(order);
    poll_fn(|cx| {
        order
            .take()
            .into_iter()
            .for_each(|order| socket.order(order, Instant::ZERO, cx));
        Poll::Ready(())
    })
    .await;
}

async fn send(socket: &mut Socket, bytes: &'static [u8]) {
    let payload = Payload {
        prefix: Bytes::new(),
        body: Bytes::from_static(bytes),
    };
    order(socket, SocketOutput::Send(payload)).await;
}

/// The next news, at the start of time: no query of what is acknowledged is ever due.
async fn news(socket: &mut Socket) -> (SocketNews, Vec<u8>) {
    let mut buf = vec![0; 4096];
    let wait = poll_fn(
        |cx| match socket.poll(cx, Instant::ZERO, true, &Stuck, &mut buf) {
            Some(news) => Poll::Ready(news),
            None => Poll::Pending,
        },
    );
    let news = tokio::time::timeout(Duration::from_secs(10), wait)
        .await
        .expect("no news");
    if let SocketNews::Data(count) = news {
        buf.truncate(count);
    }
    (news, buf)
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
    assert_eq!(news(&mut socket).await.0, SocketNews::Sent);
    peer.read_exact(&mut [0; 1000]).unwrap();
    reset(peer);
    let closed = SocketNews::Closed {
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
    while let SocketNews::Acked(_) = told {
        told = news(&mut socket).await.0;
    }
    let SocketNews::Closed {
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
            SocketNews::Closed {
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
        (SocketNews::Data(10), b"last words".to_vec())
    );
    let closed = SocketNews::Closed {
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
) -> Vec<SocketNews> {
    let mut told = Vec::new();
    let mut now = Instant::ZERO;
    loop {
        // The reactor learns of the end.
        tokio::task::yield_now().await;
        let news = poll_fn(|cx| Poll::Ready(socket.poll(cx, now, false, line, &mut [0; 16]))).await;
        told.extend(news);
        if matches!(news, Some(SocketNews::Closed { .. })) {
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
    let closed = SocketNews::Closed {
        reason: CloseReason::Reset,
        acked: 0,
    };
    assert_eq!(told, [SocketNews::Unread(10), closed]);
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
        (SocketNews::Data(10), b"last words".to_vec())
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
        let (SocketNews::Data(_), bytes) = news(&mut socket).await else {
            panic!("after {got:?}")
        };
        got.extend(bytes);
    }
    assert_eq!(got, b"ABXCD");
}

/// D16: each datagram was read, or is counted.
#[tokio::test]
async fn d16_datagrams_that_found_no_room_are_counted() {
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut socket = connected(Protocol::Udp, peer.local_addr().unwrap().port()).await;
    send(&mut socket, b"here").await;
    assert_eq!(news(&mut socket).await.0, SocketNews::Sent);
    let (_, to) = peer.recv_from(&mut [0; 4]).unwrap();
    (0..1000).for_each(|_| assert_eq!(peer.send_to(&[0x55; 1000], to).unwrap(), 1000));
    let (mut read, mut dropped) = (0, 0);
    while dropped == 0 {
        let told = news(&mut socket).await.0;
        if let SocketNews::Datagrams(count) = told {
            dropped = count;
        } else {
            assert!(
                matches!(told, SocketNews::Data(_)),
                "{told:?} after {read} datagrams"
            );
            read += 1;
        }
    }
    assert_eq!(read + dropped, 1000);
    assert!(read > 0 && dropped > 100, "{read} read");
    // What waits when the socket ends was never read either.
    (0..5).for_each(|_| assert_eq!(peer.send_to(b"late", to).unwrap(), 4));
    order(&mut socket, SocketOutput::Close).await;
    assert_eq!(news(&mut socket).await.0, SocketNews::Datagrams(5));
    assert_eq!(
        news(&mut socket).await.0,
        SocketNews::Closed {
            reason: CloseReason::Local,
            acked: 0
        }
    );
}

#[tokio::test]
async fn an_order_to_close_is_answered_at_once_with_the_last_word() {
    let (mut socket, mut peer) = tcp().await;
    send(&mut socket, b"12345").await;
    peer.read_exact(&mut [0; 5]).unwrap();
    order(&mut socket, SocketOutput::Close).await;
    assert_eq!(
        news(&mut socket).await.0,
        SocketNews::Sent,
        "the socket had it before the order"
    );
    let closed = SocketNews::Closed {
        reason: CloseReason::Local,
        acked: 5,
    };
    assert_eq!(news(&mut socket).await.0, closed);
    assert!(socket.is_idle());
}

#[tokio::test]
async fn a_refused_datagram_does_not_end_a_udp_link() {
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = peer.local_addr().unwrap();
    let mut socket = connected(Protocol::Udp, address.port()).await;
    drop(peer);
    send(&mut socket, b"to nobody").await;
    assert_eq!(news(&mut socket).await.0, SocketNews::Sent);
    let peer = UdpSocket::bind(address).unwrap();
    peer.set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    send(&mut socket, b"to somebody").await;
    assert_eq!(news(&mut socket).await.0, SocketNews::Sent);
    let mut buf = [0; 64];
    let count = peer.recv(&mut buf).unwrap();
    assert_eq!(&buf[..count], b"to somebody");
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
    let closed = SocketNews::Closed {
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
    let closed = SocketNews::Closed {
        reason: CloseReason::Refused,
        acked: 0,
    };
    assert_eq!(news(&mut socket).await.0, closed);
}

#[tokio::test]
async fn prefix_and_body_are_one_datagram() {
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    peer.set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    let mut socket = connected(Protocol::Udp, peer.local_addr().unwrap().port()).await;
    let payload = Payload {
        prefix: Bytes::from_static(b"id:"),
        body: Bytes::from_static(b"frame"),
    };
    order(&mut socket, SocketOutput::Send(payload)).await;
    let mut buf = [0; 64];
    let count = peer.recv(&mut buf).unwrap();
    assert_eq!(&buf[..count], b"id:frame");
}

/// A UDP socket to a name, for which the resolver answers what the test says.
async fn connected_by_name(
    answers: &[SocketAddr],
    local_port: u16,
) -> (Socket, impl Fn(&[SocketAddr])) {
    let mut socket = Socket::default();
    let told = std::sync::Arc::clone(&socket.route.resolver.answers);
    let answer = move |answers: &[SocketAddr]| *told.lock().unwrap() = Some(answers.to_vec());
    answer(answers);
    let (protocol, address) = (Protocol::Udp, "center.example".to_owned());
    let target = Connect {
        protocol,
        address,
        port: answers[0].port(),
        local_port,
        tls: false,
    };
    order(&mut socket, SocketOutput::Connect(target)).await;
    assert!(matches!(
        news(&mut socket).await.0,
        SocketNews::Connected { .. }
    ));
    (socket, answer)
}

/// Two places of the same port.
fn two_peers() -> [UdpSocket; 2] {
    let first = UdpSocket::bind("127.0.0.1:0").unwrap();
    let second = UdpSocket::bind(("127.0.0.2", first.local_addr().unwrap().port())).unwrap();
    [first, second].map(|peer| {
        peer.set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        peer
    })
}

fn next_datagram(peer: &UdpSocket) -> Vec<u8> {
    let mut buf = [0; 64];
    let count = peer.recv(&mut buf).unwrap();
    buf[..count].to_vec()
}

/// What a socket tells at this time, if anything.
async fn news_at(socket: &mut Socket, now: Instant) -> Option<SocketNews> {
    poll_fn(|cx| Poll::Ready(socket.poll(cx, now, true, &Stuck, &mut [0; 64]))).await
}

/// D9: the name is asked again each minute, and a new address gets what comes next.
#[tokio::test]
async fn d9_a_udp_link_follows_its_name() {
    let peers = two_peers();
    let addresses = peers.each_ref().map(|peer| peer.local_addr().unwrap());
    let (mut socket, answer) = connected_by_name(&addresses[..1], 0).await;
    answer(&addresses[1..]);
    assert_eq!(socket.deadline(), Some(Instant::from_millis(60_000)));
    assert_eq!(
        news_at(&mut socket, Instant::from_millis(59_999)).await,
        None
    );
    let moved = news_at(&mut socket, Instant::from_millis(60_000)).await;
    assert!(
        matches!(moved, Some(SocketNews::Connected { .. })),
        "{moved:?}"
    );
    send(&mut socket, b"to the second").await;
    assert_eq!(news(&mut socket).await.0, SocketNews::Sent);
    assert_eq!(next_datagram(&peers[1]), b"to the second");
    // As long as the answer holds the address there is nothing to tell.
    answer(&addresses);
    assert_eq!(socket.deadline(), Some(Instant::from_millis(120_000)));
    assert_eq!(
        news_at(&mut socket, Instant::from_millis(120_000)).await,
        None
    );
    assert_eq!(socket.deadline(), Some(Instant::from_millis(180_000)));
}

/// A time that is over, and stays, would keep the loop busy for ever.
#[tokio::test]
async fn d16_datagrams_that_were_dropped_are_told_at_their_time_though_nothing_more_comes() {
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut socket = connected(Protocol::Udp, peer.local_addr().unwrap().port()).await;
    let State::Up(connection) = &mut socket.state else {
        panic!("it is up")
    };
    connection.drops.moved(3, Instant::ZERO);
    assert_eq!(socket.deadline(), Some(Instant::ZERO));
    assert_eq!(
        news_at(&mut socket, Instant::ZERO).await,
        Some(SocketNews::Datagrams(3))
    );
    assert_eq!(socket.deadline(), None);
}

/// D9: who refuses three times in a row is asked for anew, and not more often than each 5 s.
#[tokio::test]
async fn d9_three_refusals_ask_the_name_again() {
    let [first, second] = two_peers();
    let addresses = [first.local_addr().unwrap(), second.local_addr().unwrap()];
    let local_port = UdpSocket::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let (mut socket, _) = connected_by_name(&addresses, local_port).await;
    drop(first);
    let mut sends = 0;
    while socket.deadline() == Some(Instant::from_millis(60_000)) {
        assert!(sends < 8, "the name is not asked again");
        send(&mut socket, b"to nobody").await;
        assert_eq!(
            news_at(&mut socket, Instant::ZERO).await,
            Some(SocketNews::Sent)
        );
        sends += 1;
    }
    assert!(sends >= 3, "{sends}");
    assert_eq!(socket.deadline(), Some(Instant::from_millis(5000)));
    let moved = news_at(&mut socket, Instant::from_millis(5000)).await;
    assert!(
        matches!(moved, Some(SocketNews::Connected { local }) if local.port() == local_port),
        "{moved:?}"
    );
    send(&mut socket, b"to the second").await;
    assert_eq!(next_datagram(&second), b"to the second");
}

#[tokio::test]
async fn d9_an_address_is_not_asked_for() {
    let [peer, _] = two_peers();
    let socket = connected(Protocol::Udp, peer.local_addr().unwrap().port()).await;
    assert_eq!(socket.deadline(), None);
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
            SocketNews::Connected { .. }
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
            SocketNews::Closed { .. }
        ));
    }
}
