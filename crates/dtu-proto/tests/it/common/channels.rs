//! The peers of the connections that the working modes open for themselves.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use dtu_proto::event::{CloseReason, Connect, Input, Payload, SocketId, SocketInput, SocketOutput};

use super::{Bench, Net, text};

/// The peer of one channel.
pub struct Peer {
    pub net: Net,
    sends: VecDeque<Vec<u8>>,
    sent_bytes: u64,
    pub connects: Vec<Connect>,
    pub closes: u32,
    closing: bool,
}

impl Default for Peer {
    fn default() -> Self {
        Self {
            net: Net::Good,
            sends: VecDeque::new(),
            sent_bytes: 0,
            connects: Vec::new(),
            closes: 0,
            closing: false,
        }
    }
}

impl Bench {
    pub fn peer(&mut self, channel: SocketId) -> &mut Peer {
        &mut self.peers[channel.index()]
    }

    /// The peer of a channel sends.
    pub fn channel_data(&mut self, channel: SocketId, data: impl AsRef<[u8]>) -> &mut Self {
        self.input(Input::Socket(channel, SocketInput::Data(data.as_ref())))
    }

    /// The attempt succeeds (for `Net::BlackHole`).
    pub fn channel_connected(&mut self, channel: SocketId) -> &mut Self {
        self.input(Input::Socket(
            channel,
            SocketInput::Connected { local: local() },
        ))
    }

    pub fn channel_lose(
        &mut self,
        channel: SocketId,
        reason: CloseReason,
        acked: u64,
    ) -> &mut Self {
        self.input(Input::Socket(
            channel,
            SocketInput::Closed { reason, acked },
        ))
    }

    /// The peer's TCP acknowledges all that it was sent.
    pub fn channel_acknowledges(&mut self, channel: SocketId) -> &mut Self {
        let sent = self.peer(channel).sent_bytes;
        self.input(Input::Socket(channel, SocketInput::Acked(sent)))
    }

    /// The next thing the peer of this channel got was exactly this.
    #[track_caller]
    pub fn channel_sends(&mut self, channel: SocketId, data: impl AsRef<[u8]>) -> &mut Self {
        let sent = self.peer(channel).sends.pop_front();
        assert_eq!(
            sent.as_deref().map(text),
            Some(text(data.as_ref())),
            "at {:?}",
            self.now
        );
        self
    }

    /// All that the peer of this channel got since the last look.
    pub fn channel_received(&mut self, channel: SocketId) -> Vec<u8> {
        self.peer(channel).sends.drain(..).flatten().collect()
    }

    #[track_caller]
    pub fn channel_sends_nothing(&mut self, channel: SocketId) -> &mut Self {
        let waiting: Vec<_> = self
            .peer(channel)
            .sends
            .iter()
            .map(|sent| text(sent))
            .collect();
        assert!(waiting.is_empty(), "at {:?}: {waiting:?}", self.now);
        self
    }

    pub(super) fn channel(&mut self, channel: SocketId, output: SocketOutput) {
        match output {
            SocketOutput::Connect(connect) => self.channel_connects(channel, connect),
            SocketOutput::Send(payload) => self.channel_send(channel, &payload),
            SocketOutput::Close => {
                let peer = self.peer(channel);
                peer.closes += 1;
                peer.closing = true;
                if !self.late_closes {
                    self.say_channel_closed(channel);
                }
            }
        }
    }

    /// The host says that the socket of a channel is closed.
    #[track_caller]
    pub fn channel_closed(&mut self, channel: SocketId) -> &mut Self {
        assert!(
            self.peer(channel).closing,
            "no close of {channel} was ordered"
        );
        self.say_channel_closed(channel);
        self.drain();
        self
    }

    fn say_channel_closed(&mut self, channel: SocketId) {
        let peer = self.peer(channel);
        peer.closing = false;
        let acked = if peer.net == Net::Good {
            peer.sent_bytes
        } else {
            0
        };
        self.channel_input(
            channel,
            SocketInput::Closed {
                reason: CloseReason::Local,
                acked,
            },
        );
    }

    fn channel_connects(&mut self, channel: SocketId, connect: Connect) {
        let peer = self.peer(channel);
        peer.connects.push(connect);
        peer.sent_bytes = 0;
        match peer.net {
            Net::Good | Net::Unacked | Net::Stuck => {
                self.channel_input(channel, SocketInput::Connected { local: local() });
            }
            Net::Refused => {
                self.channel_input(
                    channel,
                    SocketInput::Closed {
                        reason: CloseReason::Refused,
                        acked: 0,
                    },
                );
            }
            Net::BlackHole => {}
        }
    }

    fn channel_send(&mut self, channel: SocketId, payload: &Payload) {
        let peer = self.peer(channel);
        if peer.net == Net::Stuck {
            return;
        }
        peer.sends
            .push_back([&payload.prefix[..], &payload.body[..]].concat());
        peer.sent_bytes += payload.len() as u64;
        let (acknowledges, sent) = (peer.net == Net::Good, peer.sent_bytes);
        self.channel_input(channel, SocketInput::Sent);
        if acknowledges {
            self.channel_input(channel, SocketInput::Acked(sent));
        }
    }

    fn channel_input(&mut self, channel: SocketId, input: SocketInput<'_>) {
        self.dtu
            .handle_input(Input::Socket(channel, input), self.now);
    }
}

fn local() -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 40_001)
}
