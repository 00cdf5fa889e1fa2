//! The queue towards the DTE: one write or setting outstanding, the rest in order.

use alloc::collections::VecDeque;
use bytes::Bytes;

use crate::config::LineFormat;
use crate::event::{Output, SerialOutput};

/// Sockets are not read while so many bytes wait for the DTE.
pub(crate) const QUEUE_HIGH: usize = 15 * 1024;
/// Replies to commands of the line find no room while so many bytes wait: in the command state it is not read then.
pub(crate) const REPLY_QUEUE_HIGH: usize = 2 * QUEUE_HIGH;

/// What a write was, for whom it matters that it is out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Data, a reply.
    Text,
    /// What a restart prints.
    Banner,
    /// The device's `a` of the escape.
    EscapeOffer,
    /// A short message: once it is out it is done with.
    Message,
}

#[derive(Debug)]
enum Item {
    Write(Bytes, Purpose),
    Configure(LineFormat),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outstanding {
    Write(usize, Purpose),
    Configure,
}

/// The port.
#[derive(Debug, Default)]
pub(crate) struct SerialPort {
    queue: VecDeque<Item>,
    outstanding: Option<Outstanding>,
    waiting: usize,
    pub(crate) present: bool,
}

impl SerialPort {
    pub(crate) fn write(&mut self, bytes: Bytes, purpose: Purpose, outputs: &mut VecDeque<Output>) {
        if bytes.is_empty() {
            return;
        }
        self.waiting += bytes.len();
        self.queue.push_back(Item::Write(bytes, purpose));
        self.pump(outputs);
    }

    pub(crate) fn configure(&mut self, format: LineFormat, outputs: &mut VecDeque<Output>) {
        self.queue.push_back(Item::Configure(format));
        self.pump(outputs);
    }

    /// The device starts over: what an earlier start has not got out yet is of no use.
    pub(crate) fn forget_start(&mut self) {
        let waiting = &mut self.waiting;
        self.queue.retain(|item| match item {
            Item::Write(bytes, Purpose::Banner) => {
                *waiting -= bytes.len();
                false
            }
            Item::Configure(_) => false,
            Item::Write(_, Purpose::Text | Purpose::EscapeOffer | Purpose::Message) => true,
        });
    }

    /// The outstanding write is out: its length and purpose.
    pub(crate) fn written(&mut self, outputs: &mut VecDeque<Output>) -> Option<(usize, Purpose)> {
        let Some(Outstanding::Write(len, purpose)) = self.outstanding else { return None };
        self.outstanding = None;
        self.waiting -= len;
        self.pump(outputs);
        Some((len, purpose))
    }

    /// The outstanding setting is in force.
    pub(crate) fn configured(&mut self, outputs: &mut VecDeque<Output>) {
        if self.outstanding == Some(Outstanding::Configure) {
            self.outstanding = None;
            self.pump(outputs);
        }
    }

    /// Bytes that are not written yet.
    pub(crate) const fn waiting(&self) -> usize {
        self.waiting
    }

    pub(crate) fn is_drained(&self) -> bool {
        self.queue.is_empty() && self.outstanding.is_none()
    }

    fn pump(&mut self, outputs: &mut VecDeque<Output>) {
        if self.outstanding.is_some() {
            return;
        }
        let Some(item) = self.queue.pop_front() else { return };
        let (outstanding, output) = match item {
            Item::Write(bytes, purpose) => {
                (Outstanding::Write(bytes.len(), purpose), SerialOutput::Write(bytes))
            }
            Item::Configure(format) => (Outstanding::Configure, SerialOutput::Configure(format)),
        };
        self.outstanding = Some(outstanding);
        outputs.push_back(Output::Serial(output));
    }
}
