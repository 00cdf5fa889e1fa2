//! The sockets of the links and of the working modes. One that has nothing open is not looked at.

use std::task::Context;
use std::time::Duration;

use dtu_proto::event::{SOCKETS, SocketId, SocketOutput};
use dtu_proto::time::Instant;

use crate::serial::Line;
use crate::socket::{Contact, Socket, SocketEvent};
use crate::tls;

pub(crate) struct Sockets {
    all: [Socket; SOCKETS],
    open: Open,
}

/// The sockets that are to be polled, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Open(u16);

impl Open {
    const fn bit(socket: SocketId) -> u16 {
        1 << socket.index()
    }
}

impl Iterator for Open {
    type Item = SocketId;

    fn next(&mut self) -> Option<SocketId> {
        let socket = *SocketId::ALL.get(self.0.trailing_zeros() as usize)?;
        self.0 &= !Self::bit(socket);
        Some(socket)
    }
}

impl Sockets {
    pub(crate) fn new(tls: &tls::Client) -> Self {
        let new = |id| {
            let socket = Socket::new(None, tls.clone());
            if id == SocketId::Httpd {
                socket.at_most_once()
            } else {
                socket
            }
        };
        Self {
            all: SocketId::ALL.map(new),
            open: Open::default(),
        }
    }

    pub(crate) fn order(
        &mut self,
        socket: SocketId,
        order: SocketOutput,
        now: Instant,
        cx: &mut Context<'_>,
    ) {
        self.open.0 |= Open::bit(socket);
        self.all[socket.index()].order(order, now, cx);
    }

    /// The sockets that are to be polled.
    pub(crate) const fn open(&self) -> Open {
        self.open
    }

    /// As `Socket::poll`.
    pub(crate) fn poll(
        &mut self,
        socket: SocketId,
        cx: &mut Context<'_>,
        now: Instant,
        wanted: bool,
        line: &dyn Line,
        buf: &mut [u8],
    ) -> Option<SocketEvent> {
        let polled = &mut self.all[socket.index()];
        let news = polled.poll(cx, now, wanted, line, buf);
        if polled.is_idle() {
            self.open.0 &= !Open::bit(socket);
        }
        news
    }

    /// How long the peer of one takes to acknowledge.
    pub(crate) fn round_trip(&self, socket: SocketId) -> Option<Duration> {
        self.all[socket.index()].round_trip()
    }

    /// What the log says of one.
    pub(crate) const fn contact(&self, socket: SocketId) -> &Contact {
        self.all[socket.index()].contact()
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.open
            .filter_map(|socket| self.all[socket.index()].deadline())
            .min()
    }

    /// From the next connection on.
    pub(crate) fn use_interface<'a>(&mut self, interface: impl Fn(SocketId) -> Option<&'a str>) {
        for (id, socket) in SocketId::ALL.into_iter().zip(&mut self.all) {
            socket.use_interface(interface(id).map(str::to_owned));
        }
    }

    /// Whether a send is done that was not told yet.
    pub(crate) fn has_sent(&self, socket: SocketId) -> bool {
        self.all[socket.index()].has_sent()
    }

    /// Whether that is so of any.
    pub(crate) fn any_has_sent(&self) -> bool {
        self.open.into_iter().any(|socket| self.has_sent(socket))
    }

    /// From the next connection on.
    pub(crate) fn use_tls(&mut self, tls: &tls::Client) {
        self.all
            .iter_mut()
            .for_each(|socket| socket.use_tls(tls.clone()));
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::net::TcpListener;
    use std::task::Poll;

    use dtu_proto::config::Protocol;
    use dtu_proto::event::{CloseReason, Connect};

    use super::*;
    use crate::serial::Stuck;

    #[tokio::test]
    async fn a_socket_is_polled_from_its_first_order_until_its_end_is_told() {
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let mut sockets = Sockets::new(&tls::Client::default());
        assert_eq!(sockets.open().next(), None);
        let (address, protocol) = ("127.0.0.1".to_owned(), Protocol::Tcp);
        let target = Connect {
            protocol,
            address,
            port,
            local_port: 0,
            tls: false,
        };
        let mut order = Some(SocketOutput::Connect(target));
        let [.., last] = SocketId::ALL;
        let news = poll_fn(|cx| {
            order
                .take()
                .into_iter()
                .for_each(|order| sockets.order(last, order, Instant::ZERO, cx));
            assert_eq!(sockets.open().collect::<Vec<_>>(), [last]);
            match sockets.poll(last, cx, Instant::ZERO, true, &Stuck, &mut [0; 16]) {
                Some(news) => Poll::Ready(news),
                None => Poll::Pending,
            }
        })
        .await;
        assert_eq!(
            news,
            SocketEvent::Closed {
                reason: CloseReason::Refused,
                acked: 0
            }
        );
        assert_eq!(sockets.open().next(), None);
    }
}
