//! What a device needs of the world it is in. There are two such worlds: the kernel's sockets and its clock
//! ([`kernel`](super::kernel)), and memory in virtual time.

use std::net::SocketAddr;

use bytes::Bytes;
use dtu_proto::event::{CloseReason, Payload};
use dtu_proto::radio::NetworkTime;

/// What a send came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrote {
    All,
    Part,
}

/// What comes of a connection by itself.
#[derive(Debug)]
pub(super) enum News {
    /// It stands.
    Connected(SocketAddr),
    /// All that was held back is on its way.
    Sent,
    /// So many bytes have arrived, from the first of the connection.
    Acked(u64),
    /// The server says this.
    Data(Bytes),
}

/// A world for devices.
pub(super) trait Host: Sized {
    /// A connection.
    type Socket: Connection<Self>;
    /// A serial line that a program has.
    type Terminal: Terminal<Self>;

    /// µs since the start.
    fn now(&self) -> u64;

    /// The time of day at the start.
    fn clock() -> NetworkTime;

    /// Begins to connect. News of this attempt have its number.
    fn connect(
        &mut self,
        device: u32,
        attempt: u16,
        to: SocketAddr,
    ) -> Result<Self::Socket, CloseReason>;

    /// A device in a radio shadow gives a connection up: the server still has it.
    fn leave(&mut self, device: u32, socket: Self::Socket, most: u32);

    /// A shadow is over, but for these devices.
    fn lift(&mut self, in_shadow: impl Fn(u32) -> bool);

    /// Opens a serial line for a program.
    fn open_terminal(&mut self, name: &str, device: u32) -> Result<Self::Terminal, String>;
}

/// A connection, or the attempt at one.
pub(super) trait Connection<H> {
    /// Whether it stands.
    fn is_up(&self) -> bool;
    /// When the device asked for it.
    fn since(&self) -> u64;
    /// Bytes that have arrived, as far as is known.
    fn acked(&self) -> u64;
    /// Hands a payload over. What is not taken goes later: then this is told.
    fn send(&mut self, payload: Payload, host: &mut H) -> Result<Wrote, CloseReason>;
    /// Keeps a payload that may not go yet.
    fn hold(&mut self, payload: Payload);
    /// Looks for answers only where the device reads.
    fn watch(&mut self, reads: bool, host: &mut H) -> Result<(), CloseReason>;
    /// When to look at it next.
    fn next(&self) -> u64;
    /// What has come by now.
    fn news(&mut self, host: &mut H) -> Option<News>;
    /// The radio is silent.
    fn go_dark(&mut self, host: &mut H);
    /// It is not any more. Says what became of a payload that was held.
    fn come_back(&mut self, host: &mut H) -> Result<Option<News>, CloseReason>;
    /// The server gets a reset when it is closed.
    fn abort_when_closed(&mut self);
    /// It is to be closed: what has arrived, as the last word, and how many bytes of the server nobody has read.
    fn last_word(&mut self, host: &mut H) -> (u64, u64);
}

/// A serial line that a program has.
pub(super) trait Terminal<H> {
    /// What it does not take waits there, as on a wire.
    fn send(&mut self, bytes: &[u8]);
    /// Reads it only where the device does.
    fn watch(&mut self, device: u32, reads: bool, host: &mut H);
}
