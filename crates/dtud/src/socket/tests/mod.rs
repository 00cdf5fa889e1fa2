use super::*;
use crate::serial::{Line, Progress, Stuck};
use bytes::Bytes;
use dtu_proto::event::Connect;
use std::future::poll_fn;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream, UdpSocket};

mod datagrams;
mod streams;

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
        SocketEvent::Connected { .. }
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
async fn news(socket: &mut Socket) -> (SocketEvent, Vec<u8>) {
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
    if let SocketEvent::Data(count) = news {
        buf.truncate(count);
    }
    (news, buf)
}
