//! The ledger of the way down: what the device must print on the serial line, and what it may.
//!
//! Bytes of server k lie in 0x80+32k..0xA0+32k, texts of servers and heartbeats begin with 0x02 or 0x03 or a
//! password, replies with CR LF: so each printed byte tells whose it is.

use dtu_proto::event::{SOCKETS, SocketId};
use std::collections::VecDeque;

/// What was printed, piece by piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Printout {
    /// One whole read of a link (or of a connection beside the links) is out.
    Read(SocketId),
    Heartbeat,
    /// What a server answered to a question of the device.
    ServersReply,
    /// The escape's `a`.
    Prompt,
    /// The escape's `+ok`.
    Escaped,
    Banner,
    /// A result code that ends the reply to a command line.
    Result,
    /// What is wrong with a packet of the serial command mode.
    Packet,
    /// A word of the AT or serial command mode about a connection.
    Connection(ConnectionCode),
    /// `> `: the device wants a text.
    Ask,
    /// Other text of a reply.
    Text,
}

/// Words about connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ConnectionCode {
    ConnectOk,
    ConnectFail,
    SendOk,
    SendFail,
    CloseOk,
    Closed,
}

#[derive(Debug, Default)]
pub(crate) struct Downlink {
    /// Each with its place in the order of arrival.
    reads: [VecDeque<(u64, Vec<u8>)>; SOCKETS],
    arrivals: u64,
    current: Option<(usize, usize)>,
    /// Reads accepted and not yet wholly printed.
    pub(crate) waiting: u64,
    pub(crate) waiting_bytes: usize,
    banner: Vec<u8>,
    heartbeat: Vec<u8>,
    /// Replies of servers that perhaps nobody waited for any more: they may be printed.
    spare_replies: u32,
}

/// What the servers answer where the settings expect it.
pub(crate) const REPLY: &[u8] = b"\x03OK\x03";

impl Downlink {
    /// The device has taken a read that is data.
    pub(crate) fn expect(&mut self, slot: SocketId, bytes: &[u8]) {
        self.waiting += 1;
        self.waiting_bytes += bytes.len();
        self.arrivals += 1;
        self.reads[slot.index()].push_back((self.arrivals, bytes.to_vec()));
    }

    /// A server has answered, perhaps too late.
    pub(crate) const fn may_print_reply(&mut self) {
        self.spare_replies += 1;
    }

    pub(crate) fn settings(&mut self, banner: &str, heartbeat: &[u8]) {
        self.banner = banner.as_bytes().to_vec();
        self.heartbeat = heartbeat.to_vec();
    }

    /// The device lets go of so many bytes, the oldest that wait, of all or of one connection. What it has given to the
    /// host is no more among those of one connection.
    pub(crate) fn drop_oldest(&mut self, mut bytes: usize, of: Option<SocketId>) {
        while bytes > 0 {
            let is_of = |slot: usize| of.is_none_or(|of| of.index() == slot);
            let heads = self
                .reads
                .iter()
                .enumerate()
                .filter(|(slot, _)| is_of(*slot));
            let oldest = heads
                .filter_map(|(slot, reads)| Some((reads.front()?.0, slot)))
                .min();
            let Some((_, slot)) = oldest else { return };
            let offset = self
                .current
                .filter(|(current, _)| *current == slot)
                .map_or(0, |(_, offset)| offset);
            let left = self.reads[slot].front().map_or(0, |(_, read)| read.len()) - offset;
            let part = left.min(bytes);
            bytes -= part;
            self.waiting_bytes -= part;
            self.current = self.current.filter(|(current, _)| *current != slot);
            if part < left {
                self.current = Some((slot, offset + part));
                return;
            }
            self.reads[slot].pop_front();
            self.waiting -= 1;
        }
    }

    /// A restart or a crash: what was not printed is nobody's any more.
    pub(crate) fn forget(&mut self) -> u64 {
        self.current = None;
        self.waiting_bytes = 0;
        self.reads.iter_mut().for_each(VecDeque::clear);
        std::mem::take(&mut self.waiting)
    }

    /// The device prints these bytes: cut them into pieces.
    /// `asked`: an escape's `a` is due.
    pub(crate) fn print(&mut self, bytes: &[u8], asked: bool) -> Result<Vec<Printout>, String> {
        let mut pieces = Vec::new();
        if asked && self.current.is_none() && bytes == b"a" {
            return Ok(vec![Printout::Prompt]);
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            rest = match self.current.take() {
                Some((link, offset)) => self.go_on(link, offset, rest, &mut pieces)?,
                None => self.begin(rest, &mut pieces)?,
            };
        }
        Ok(pieces)
    }

    fn begin<'a>(
        &mut self,
        rest: &'a [u8],
        pieces: &mut Vec<Printout>,
    ) -> Result<&'a [u8], String> {
        if !self.heartbeat.is_empty() && rest.starts_with(&self.heartbeat) {
            pieces.push(Printout::Heartbeat);
            return Ok(&rest[self.heartbeat.len()..]);
        }
        let matches = |read: &[u8]| {
            let shared = read.len().min(rest.len());
            read[..shared] == rest[..shared]
        };
        let heads = self
            .reads
            .iter()
            .enumerate()
            .filter_map(|(link, reads)| Some((link, reads.front()?)));
        let due = heads
            .filter(|(_, (_, read))| matches(read))
            .min_by_key(|(_, (arrival, _))| *arrival);
        if let Some((link, _)) = due {
            return self.go_on(link, 0, rest, pieces);
        }
        if let (Some(behind), 1..) = (rest.strip_prefix(REPLY), self.spare_replies) {
            self.spare_replies -= 1;
            pieces.push(Printout::ServersReply);
            return Ok(behind);
        }
        if rest[0] == b'a' && rest.len() == 1 {
            pieces.push(Printout::Prompt);
            return Ok(&[]);
        }
        self.text(rest, pieces)
    }

    fn go_on<'a>(
        &mut self,
        link: usize,
        offset: usize,
        rest: &'a [u8],
        pieces: &mut Vec<Printout>,
    ) -> Result<&'a [u8], String> {
        let Some((_, read)) = self.reads[link].front() else {
            return Err("no read is due".to_owned());
        };
        let due = &read[offset..];
        let shared = due.len().min(rest.len());
        if due[..shared] != rest[..shared] {
            let got = rest[..shared.min(24)].escape_ascii();
            return Err(format!(
                "a read of {} is cut by \"{got}\"",
                SocketId::ALL[link]
            ));
        }
        self.waiting_bytes -= shared;
        if shared < due.len() {
            self.current = Some((link, offset + shared));
        } else {
            self.reads[link].pop_front();
            self.waiting -= 1;
            pieces.push(Printout::Read(SocketId::ALL[link]));
        }
        Ok(&rest[shared..])
    }

    /// Reads of this connection that are not wholly printed.
    pub(crate) fn waits(&self, slot: SocketId) -> bool {
        !self.reads[slot.index()].is_empty()
    }

    fn text<'a>(&self, rest: &'a [u8], pieces: &mut Vec<Printout>) -> Result<&'a [u8], String> {
        if let Some(behind) = rest.strip_prefix(b"\r\n> ") {
            pieces.push(Printout::Ask);
            return Ok(behind);
        }
        let text = rest.strip_prefix(b"\r\n").unwrap_or(rest);
        let end = text.windows(2).position(|pair| pair == b"\r\n");
        let Some(end) = end.filter(|_| text.len() < rest.len() || text.starts_with(b"+")) else {
            let shown = rest[..rest.len().min(40)].escape_ascii();
            return Err(format!(
                "\"{shown}\" is no read that is due, heartbeat or reply"
            ));
        };
        let line = &text[..end];
        if line.iter().any(|byte| *byte >= 0x80) {
            return Err(format!(
                "network bytes in a reply: \"{}\"",
                line.escape_ascii()
            ));
        }
        pieces.push(match line {
            b"+ok" => Printout::Escaped,
            b"OK" | b"ERROR" => Printout::Result,
            _ if is_about_a_packet(line) => Printout::Packet,
            _ if line.starts_with(b"+CME ERROR") => Printout::Result,
            b"CONNECT OK" => Printout::Connection(ConnectionCode::ConnectOk),
            b"CONNECT FAIL" => Printout::Connection(ConnectionCode::ConnectFail),
            b"SEND OK" => Printout::Connection(ConnectionCode::SendOk),
            b"SEND FAIL" => Printout::Connection(ConnectionCode::SendFail),
            b"CLOSE OK" => Printout::Connection(ConnectionCode::CloseOk),
            b"CLOSED" => Printout::Connection(ConnectionCode::Closed),
            _ if line == self.banner => Printout::Banner,
            _ => Printout::Text,
        });
        Ok(&text[end + 2..])
    }
}

fn is_about_a_packet(line: &[u8]) -> bool {
    let about = line.strip_prefix(b"+CME ERROR: ").unwrap_or_default();
    about.starts_with(b"command frame: ") || about.starts_with(b"a command frame ")
}
