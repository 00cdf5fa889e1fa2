use std::future::poll_fn;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream, UdpSocket};

use bytes::Bytes;
use dtu_proto::event::Connect;

use super::*;

/// A link that was told to connect.
async fn connected(protocol: Protocol, port: u16) -> Link {
    let mut link = Link::default();
    let target = Connect { protocol, address: "127.0.0.1".to_owned(), port, local_port: 0, tls: false };
    order(&mut link, LinkOutput::Connect(target)).await;
    assert!(matches!(news(&mut link).await.0, LinkNews::Connected { .. }));
    link
}

async fn order(link: &mut Link, order: LinkOutput) {
    let mut order = Some(order);
    poll_fn(|cx| {
        order.take().into_iter().for_each(|order| link.order(order, Instant::ZERO, cx));
        Poll::Ready(())
    })
    .await;
}

async fn send(link: &mut Link, bytes: &'static [u8]) {
    let payload = Payload { prefix: Bytes::new(), body: Bytes::from_static(bytes) };
    order(link, LinkOutput::Send(payload)).await;
}

/// The next news, at the start of time: no query of what is acknowledged is ever due.
async fn news(link: &mut Link) -> (LinkNews, Vec<u8>) {
    let mut buf = vec![0; 4096];
    let wait = poll_fn(|cx| match link.poll(cx, Instant::ZERO, true, &mut buf) {
        Some(news) => Poll::Ready(news),
        None => Poll::Pending,
    });
    let news = tokio::time::timeout(Duration::from_secs(10), wait).await.expect("no news");
    if let LinkNews::Data(count) = news {
        buf.truncate(count);
    }
    (news, buf)
}

async fn tcp() -> (Link, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let link = connected(Protocol::Tcp, listener.local_addr().unwrap().port()).await;
    (link, listener.accept().unwrap().0)
}

fn reset(peer: TcpStream) {
    socket2::SockRef::from(&peer).set_linger(Some(Duration::ZERO)).unwrap();
    drop(peer);
}

#[tokio::test]
async fn what_was_acknowledged_is_known_after_a_reset_too() {
    let (mut link, mut peer) = tcp().await;
    send(&mut link, &[7; 1000]).await;
    assert_eq!(news(&mut link).await.0, LinkNews::Sent);
    peer.read_exact(&mut [0; 1000]).unwrap();
    reset(peer);
    let closed = LinkNews::Closed { reason: CloseReason::Reset, acked: 1000 };
    assert_eq!(news(&mut link).await.0, closed);
}

#[tokio::test]
async fn what_the_peer_never_acknowledged_is_not_counted_after_a_reset() {
    let (mut link, peer) = tcp().await;
    socket2::SockRef::from(&peer).set_recv_buffer_size(4096).unwrap();
    // More than the peer's buffer holds; it reads none of it.
    send(&mut link, &[7; 1 << 20]).await;
    reset(peer);
    let mut told = news(&mut link).await.0;
    while let LinkNews::Acked(_) = told {
        told = news(&mut link).await.0;
    }
    let LinkNews::Closed { reason: CloseReason::Reset, acked } = told else { panic!("{told:?}") };
    assert!(acked < 1 << 20, "{acked}");
}

#[tokio::test]
async fn last_words_come_before_the_end_and_nothing_is_sent_behind_it() {
    let (mut link, mut peer) = tcp().await;
    peer.write_all(b"last words").unwrap();
    peer.shutdown(std::net::Shutdown::Write).unwrap();
    let mut closing = false;
    while !closing {
        // The reactor learns of the end.
        tokio::task::yield_now().await;
        closing = poll_fn(|cx| match &link.state {
            State::Up(connection) => Poll::Ready(connection.port.peer_closed(cx)),
            State::Idle | State::Connecting(..) => Poll::Ready(true),
        })
        .await;
    }
    send(&mut link, b"into the void").await;
    assert_eq!(news(&mut link).await, (LinkNews::Data(10), b"last words".to_vec()));
    let closed = LinkNews::Closed { reason: CloseReason::PeerClosed, acked: 0 };
    assert_eq!(news(&mut link).await.0, closed);
    let mut rest = Vec::new();
    peer.read_to_end(&mut rest).unwrap();
    assert_eq!(rest, b"");
}

#[tokio::test]
async fn an_end_whose_last_words_were_not_taken_is_not_the_peers_orderly_one() {
    let (mut link, mut peer) = tcp().await;
    peer.write_all(b"last words").unwrap();
    drop(peer);
    let mut now = Instant::ZERO;
    let closed = poll_fn(|cx| {
        let news = link.poll(cx, now, false, &mut [0; 16]);
        now = link.deadline().unwrap_or(now);
        news.map_or(Poll::Pending, Poll::Ready)
    });
    let mut closed = std::pin::pin!(closed);
    let closed = loop {
        // The reactor learns of the end; the time to wait is over at the next look.
        tokio::task::yield_now().await;
        if let Poll::Ready(news) = poll_fn(|cx| Poll::Ready(closed.as_mut().poll(cx))).await {
            break news;
        }
    };
    assert_eq!(closed, LinkNews::Closed { reason: CloseReason::Reset, acked: 0 });
}

#[tokio::test]
async fn an_order_to_close_is_answered_at_once_with_the_last_word() {
    let (mut link, mut peer) = tcp().await;
    send(&mut link, b"12345").await;
    peer.read_exact(&mut [0; 5]).unwrap();
    order(&mut link, LinkOutput::Close).await;
    assert_eq!(news(&mut link).await.0, LinkNews::Sent, "the socket had it before the order");
    let closed = LinkNews::Closed { reason: CloseReason::Local, acked: 5 };
    assert_eq!(news(&mut link).await.0, closed);
    assert!(link.is_idle());
}

#[tokio::test]
async fn a_refused_datagram_does_not_end_a_udp_link() {
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = peer.local_addr().unwrap();
    let mut link = connected(Protocol::Udp, address.port()).await;
    drop(peer);
    send(&mut link, b"to nobody").await;
    assert_eq!(news(&mut link).await.0, LinkNews::Sent);
    let peer = UdpSocket::bind(address).unwrap();
    peer.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    send(&mut link, b"to somebody").await;
    assert_eq!(news(&mut link).await.0, LinkNews::Sent);
    let mut buf = [0; 64];
    let count = peer.recv(&mut buf).unwrap();
    assert_eq!(&buf[..count], b"to somebody");
}

#[tokio::test]
async fn a_refused_attempt_says_so() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut link = Link::default();
    let address = "127.0.0.1".to_owned();
    let target = Connect { protocol: Protocol::Tcp, address, port, local_port: 0, tls: false };
    order(&mut link, LinkOutput::Connect(target)).await;
    let closed = LinkNews::Closed { reason: CloseReason::Refused, acked: 0 };
    assert_eq!(news(&mut link).await.0, closed);
}

#[tokio::test]
async fn a_port_that_meets_itself_is_no_server() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut link = Link::default();
    let address = "127.0.0.1".to_owned();
    let target = Connect { protocol: Protocol::Tcp, address, port, local_port: port, tls: false };
    order(&mut link, LinkOutput::Connect(target)).await;
    let closed = LinkNews::Closed { reason: CloseReason::Refused, acked: 0 };
    assert_eq!(news(&mut link).await.0, closed);
}

#[tokio::test]
async fn prefix_and_body_are_one_datagram() {
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    peer.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut link = connected(Protocol::Udp, peer.local_addr().unwrap().port()).await;
    let payload = Payload { prefix: Bytes::from_static(b"id:"), body: Bytes::from_static(b"frame") };
    order(&mut link, LinkOutput::Send(payload)).await;
    let mut buf = [0; 64];
    let count = peer.recv(&mut buf).unwrap();
    assert_eq!(&buf[..count], b"id:frame");
}
