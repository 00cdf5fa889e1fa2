//! The sockets of the working modes, beside the four links. One that has nothing open is not looked at.

use std::task::Context;

use dtu_proto::event::{CHANNELS, ChannelId, LinkOutput};
use dtu_proto::time::Instant;

use crate::link::{Contact, Link, LinkNews};
use crate::serial::Line;
use crate::tls;

pub(crate) struct Channels {
    sockets: [Link; CHANNELS],
    open: Open,
}

/// The channels that are to be polled, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Open(u16);

impl Open {
    const fn bit(channel: ChannelId) -> u16 {
        1 << channel.index()
    }
}

impl Iterator for Open {
    type Item = ChannelId;

    fn next(&mut self) -> Option<ChannelId> {
        let channel = *ChannelId::ALL.get(self.0.trailing_zeros() as usize)?;
        self.0 &= !Self::bit(channel);
        Some(channel)
    }
}

impl Channels {
    pub(crate) fn new(tls: &tls::Client) -> Self {
        let socket = |channel| {
            let link = Link::new(None, tls.clone());
            if channel == ChannelId::HTTPD { link.at_most_once() } else { link }
        };
        Self { sockets: ChannelId::ALL.map(socket), open: Open::default() }
    }

    pub(crate) fn order(
        &mut self,
        channel: ChannelId,
        order: LinkOutput,
        now: Instant,
        cx: &mut Context<'_>,
    ) {
        self.open.0 |= Open::bit(channel);
        self.sockets[channel.index()].order(order, now, cx);
    }

    /// The channels that are to be polled.
    pub(crate) const fn open(&self) -> Open {
        self.open
    }

    /// As `Link::poll`.
    pub(crate) fn poll(
        &mut self,
        channel: ChannelId,
        cx: &mut Context<'_>,
        now: Instant,
        wanted: bool,
        line: &dyn Line,
        buf: &mut [u8],
    ) -> Option<LinkNews> {
        let socket = &mut self.sockets[channel.index()];
        let news = socket.poll(cx, now, wanted, line, buf);
        if socket.is_idle() {
            self.open.0 &= !Open::bit(channel);
        }
        news
    }

    /// What the log says of one.
    pub(crate) const fn contact(&self, channel: ChannelId) -> &Contact {
        self.sockets[channel.index()].contact()
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.open.filter_map(|channel| self.sockets[channel.index()].deadline()).min()
    }

    /// From the next connection on.
    pub(crate) fn use_interface(&mut self, interface: Option<&str>) {
        self.sockets.iter_mut().for_each(|socket| socket.use_interface(interface.map(str::to_owned)));
    }

    /// From the next connection on.
    pub(crate) fn use_tls(&mut self, tls: &tls::Client) {
        self.sockets.iter_mut().for_each(|socket| socket.use_tls(tls.clone()));
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
    async fn a_channel_is_polled_from_its_first_order_until_its_end_is_told() {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut channels = Channels::new(&tls::Client::default());
        assert_eq!(channels.open().next(), None);
        let (address, protocol) = ("127.0.0.1".to_owned(), Protocol::Tcp);
        let target = Connect { protocol, address, port, local_port: 0, tls: false };
        let mut order = Some(LinkOutput::Connect(target));
        let [.., last] = ChannelId::ALL;
        let news = poll_fn(|cx| {
            order.take().into_iter().for_each(|order| channels.order(last, order, Instant::ZERO, cx));
            assert_eq!(channels.open().collect::<Vec<_>>(), [last]);
            match channels.poll(last, cx, Instant::ZERO, true, &Stuck, &mut [0; 16]) {
                Some(news) => Poll::Ready(news),
                None => Poll::Pending,
            }
        })
        .await;
        assert_eq!(news, LinkNews::Closed { reason: CloseReason::Refused, acked: 0 });
        assert_eq!(channels.open().next(), None);
    }
}
