//! UDP.

use super::*;

/// D16: each datagram was read, or is counted.
#[tokio::test]
async fn d16_datagrams_that_found_no_room_are_counted() {
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut socket = connected(Protocol::Udp, peer.local_addr().unwrap().port()).await;
    send(&mut socket, b"here").await;
    assert_eq!(news(&mut socket).await.0, SocketEvent::Sent);
    let (_, to) = peer.recv_from(&mut [0; 4]).unwrap();
    (0..1000).for_each(|_| assert_eq!(peer.send_to(&[0x55; 1000], to).unwrap(), 1000));
    let (mut read, mut dropped) = (0, 0);
    while dropped == 0 {
        let told = news(&mut socket).await.0;
        if let SocketEvent::Datagrams(count) = told {
            dropped = count;
        } else {
            assert!(
                matches!(told, SocketEvent::Data(_)),
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
    assert_eq!(news(&mut socket).await.0, SocketEvent::Datagrams(5));
    assert_eq!(
        news(&mut socket).await.0,
        SocketEvent::Closed {
            reason: CloseReason::Local,
            acked: 0
        }
    );
}

#[tokio::test]
async fn a_refused_datagram_does_not_end_a_udp_link() {
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = peer.local_addr().unwrap();
    let mut socket = connected(Protocol::Udp, address.port()).await;
    drop(peer);
    send(&mut socket, b"to nobody").await;
    assert_eq!(news(&mut socket).await.0, SocketEvent::Sent);
    let peer = UdpSocket::bind(address).unwrap();
    peer.set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    send(&mut socket, b"to somebody").await;
    assert_eq!(news(&mut socket).await.0, SocketEvent::Sent);
    let mut buf = [0; 64];
    let count = peer.recv(&mut buf).unwrap();
    assert_eq!(&buf[..count], b"to somebody");
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
        SocketEvent::Connected { .. }
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
async fn news_at(socket: &mut Socket, now: Instant) -> Option<SocketEvent> {
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
        matches!(moved, Some(SocketEvent::Connected { .. })),
        "{moved:?}"
    );
    send(&mut socket, b"to the second").await;
    assert_eq!(news(&mut socket).await.0, SocketEvent::Sent);
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
        Some(SocketEvent::Datagrams(3))
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
            Some(SocketEvent::Sent)
        );
        sends += 1;
    }
    assert!(sends >= 3, "{sends}");
    assert_eq!(socket.deadline(), Some(Instant::from_millis(5000)));
    let moved = news_at(&mut socket, Instant::from_millis(5000)).await;
    assert!(
        matches!(moved, Some(SocketEvent::Connected { local }) if local.port() == local_port),
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
