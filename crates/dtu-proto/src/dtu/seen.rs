//! What somebody who watches the device is told beside its outputs. A device that nobody watches keeps none of it.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use bytes::Bytes;

use super::Dtu;
use crate::at::ShownLine;
use crate::event::SocketId;
use crate::line::prompt::Entry;
use crate::seen::{Cut, Seen, Sent, ShownCommand, Written};
use crate::session;

/// What one input makes, unless it is absurd.
const SEEN_MAX: usize = 8192;

impl Dtu {
    /// From now on [`Dtu::poll_seen`] tells what becomes of bytes of the DTE.
    pub fn watch(&mut self) {
        self.seen.get_or_insert_default();
    }

    /// What became of bytes of the DTE, in their order. To be drained like the outputs, and before them.
    pub fn poll_seen(&mut self) -> Option<Seen> {
        self.seen.as_mut()?.pop_front()
    }

    /// What the outstanding `Send` of a link is. To be asked when that comes out.
    #[must_use]
    pub fn sending(&self, socket: SocketId) -> Option<Sent> {
        let link = socket.link()?;
        self.modes.transparent.links[link.index()].sending()
    }

    /// What the outstanding `Write` is. To be asked when that comes out.
    #[must_use]
    pub fn writing(&self) -> Option<Written> {
        self.line.writing()
    }

    /// A read of a peer whose commands are heard, if it is one: without its secrets.
    #[must_use]
    pub fn shown_read(&self, socket: SocketId, read: &[u8]) -> Option<ShownCommand> {
        let is_heard = self.config.network_at && socket.link().is_some();
        is_heard
            .then(|| session::shown_frame(read, &self.config))
            .flatten()
    }

    pub(super) fn saw_frame(&mut self, bytes: &Bytes, cut: Cut) {
        if let Some(seen) = &mut self.seen {
            let shown = self
                .config
                .serial_at
                .then(|| session::shown_frame(bytes, &self.config));
            let what = shown.flatten().map_or_else(
                || Seen::Frame {
                    bytes: bytes.clone(),
                    cut,
                },
                Seen::Command,
            );
            push(seen, what);
        }
    }

    pub(super) fn saw_command(&mut self, line: &[u8]) {
        if let Some(seen) = &mut self.seen {
            push(seen, Seen::Command(ShownLine::of(line).kept(line)));
        }
    }

    pub(super) fn saw_text(&mut self, entry: &Entry) {
        if let (Some(seen), Entry::Text(text)) = (&mut self.seen, entry) {
            push(seen, Seen::Text(text.clone()));
        }
    }
}

fn push(seen: &mut VecDeque<Seen>, what: Seen) {
    if seen.len() < SEEN_MAX {
        seen.push_back(what);
    }
}

impl ShownLine {
    /// What may be kept of a line.
    pub(crate) fn kept(self, line: &[u8]) -> ShownCommand {
        let secret = self.has_secrets();
        ShownCommand {
            text: if secret {
                self.text.into_bytes()
            } else {
                Vec::from(line)
            },
            len: line.len(),
            secret,
        }
    }
}
