//! The queue towards the DTE: one write or setting outstanding, the rest in order; beside it what waits for the end of
//! the command state.
//!
//! Bytes of the network are counted by where they came from: a peer whose bytes wait is not read on, and keeps nobody
//! else from being heard.

use alloc::collections::VecDeque;
use bytes::Bytes;

use crate::config::LineFormat;
use crate::event::{Output, SOCKETS, SerialOutput, SocketId};
use crate::time::{Duration, Instant};

/// From where bytes for the DTE come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The peer of a socket.
    Socket(SocketId),
    /// What the device itself says amid the data of a mode.
    Device,
}

const SOURCES: usize = SOCKETS + 1;

impl Source {
    /// The socket that it is, if it is one.
    pub(crate) const fn socket(self) -> Option<SocketId> {
        match self {
            Self::Socket(socket) => Some(socket),
            Self::Device => None,
        }
    }

    const fn index(self) -> usize {
        match self {
            Self::Socket(socket) => socket.index(),
            Self::Device => SOCKETS,
        }
    }
}

/// What a write was, for whom it matters that it is out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Bytes of the network.
    Data(Source),
    /// A reply.
    Text,
    /// A URC.
    Urc,
    /// What a restart prints.
    Banner,
    /// The device's `a` of the escape.
    EscapeOffer,
    /// A short message: once it is out it is done with.
    Message,
}

impl Purpose {
    /// Whether a missing line keeps it only for a while, and a slow one gets it in pieces.
    const fn fades(self) -> bool {
        match self {
            Self::Data(_) | Self::Text | Self::Urc => true,
            Self::Banner | Self::EscapeOffer | Self::Message => false,
        }
    }
}

#[derive(Debug)]
enum Item {
    Write(Parcel),
    Configure(LineFormat),
}

#[derive(Debug)]
struct Parcel {
    bytes: Bytes,
    purpose: Purpose,
    /// When it came.
    since: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outstanding {
    Write {
        len: usize,
        purpose: Purpose,
        since: Instant,
        /// A piece: its rest comes next, and counts for both.
        has_rest: bool,
    },
    Configure,
}

/// What was dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Dropped {
    /// Bytes of the network.
    pub(crate) data: usize,
    /// Replies, and what the device says amid data.
    pub(crate) texts: u64,
    pub(crate) urcs: u64,
}

/// The port.
#[derive(Debug)]
pub(crate) struct SerialPort {
    queue: VecDeque<Item>,
    pub(super) outstanding: Option<Outstanding>,
    /// The host was told to drop the outstanding write.
    discarding: bool,
    /// Waits for the end of the command state, or in the AT mode of a command.
    held: VecDeque<Parcel>,
    held_bytes: usize,
    waiting: usize,
    /// Of all these, bytes of the network by their source.
    from: [usize; SOURCES],
    /// When the line last took something, or when something began to wait for it.
    moved_at: Instant,
    /// Bytes that the line takes in about a second: longer ones are written in pieces, so that it shows that it moves.
    piece: usize,
    pub(crate) present: bool,
    /// While it is missing: since when.
    pub(crate) gone_at: Instant,
}

impl Default for SerialPort {
    fn default() -> Self {
        Self {
            queue: VecDeque::new(),
            outstanding: None,
            discarding: false,
            held: VecDeque::new(),
            held_bytes: 0,
            waiting: 0,
            from: [0; SOURCES],
            moved_at: Instant::ZERO,
            piece: usize::MAX,
            present: false,
            gone_at: Instant::ZERO,
        }
    }
}

impl SerialPort {
    pub(crate) fn write(
        &mut self,
        bytes: Bytes,
        purpose: Purpose,
        now: Instant,
        outputs: &mut VecDeque<Output>,
    ) {
        if bytes.is_empty() {
            return;
        }
        self.note_waiting(now);
        if let Purpose::Data(source) = purpose {
            self.from[source.index()] += bytes.len();
        }
        self.enqueue(Parcel {
            bytes,
            purpose,
            since: now,
        });
        self.pump(outputs);
    }

    fn enqueue(&mut self, parcel: Parcel) {
        self.waiting += parcel.bytes.len();
        self.queue.push_back(Item::Write(parcel));
    }

    fn note_waiting(&mut self, now: Instant) {
        if self.is_drained() && self.held.is_empty() {
            self.moved_at = now;
        }
    }

    /// Keeps bytes of the network until [`Self::release_held`].
    pub(crate) fn hold_back(&mut self, bytes: Bytes, source: Source, now: Instant) {
        self.note_waiting(now);
        self.held_bytes += bytes.len();
        self.from[source.index()] += bytes.len();
        // mutant: held-order
        self.held.push_back(Parcel {
            bytes,
            purpose: Purpose::Data(source),
            since: now,
        });
    }

    pub(crate) fn holds_back(&self) -> bool {
        !self.held.is_empty()
    }

    /// Since when the oldest of them waits.
    pub(crate) fn held_since(&self) -> Option<Instant> {
        self.held.front().map(|parcel| parcel.since)
    }

    pub(crate) fn release_held(&mut self, outputs: &mut VecDeque<Output>) {
        self.held_bytes = 0;
        for parcel in core::mem::take(&mut self.held) {
            self.enqueue(parcel);
        }
        self.pump(outputs);
    }

    pub(crate) fn configure(&mut self, format: LineFormat, outputs: &mut VecDeque<Output>) {
        self.queue.push_back(Item::Configure(format));
        self.pump(outputs);
    }

    /// The device starts over: what an earlier start has not got out is of no use, but for messages.
    pub(crate) fn forget_start(&mut self, outputs: &mut VecDeque<Output>) -> Dropped {
        self.queue.retain(|item| matches!(item, Item::Write(_)));
        self.drop_where(|parcel| parcel.purpose != Purpose::Message, outputs)
    }

    /// Nothing more is written. Says how many bytes of the network and URCs that costs.
    pub(crate) fn abandon(&mut self) -> Dropped {
        let (data, urcs) = (self.data_waiting(), self.urcs_waiting());
        *self = Self {
            present: self.present,
            piece: self.piece,
            ..Self::default()
        };
        Dropped {
            data,
            urcs,
            ..Dropped::default()
        }
    }

    fn urcs_waiting(&self) -> u64 {
        let is_outstanding = match self.outstanding {
            Some(Outstanding::Write {
                purpose, has_rest, ..
            }) => purpose == Purpose::Urc && !has_rest,
            Some(Outstanding::Configure) | None => false,
        };
        let is_urc =
            |item: &&Item| matches!(item, Item::Write(parcel) if parcel.purpose == Purpose::Urc);
        u64::from(is_outstanding) + self.queue.iter().filter(is_urc).count() as u64
    }

    /// Lets go of what has waited for so long.
    pub(crate) fn drop_older(
        &mut self,
        now: Instant,
        hold: Duration,
        outputs: &mut VecDeque<Output>,
    ) -> Dropped {
        self.drop_where(
            |parcel| parcel.purpose.fades() && parcel.since + hold <= now,
            outputs,
        )
    }

    /// Lets go of the oldest bytes of one peer until no more than `most` of them wait. What the host has stays.
    pub(crate) fn make_room(&mut self, source: Source, most: usize) -> Dropped {
        let mut dropped = Dropped::default();
        while self.from[source.index()] > most {
            let is_of = |parcel: &Parcel| parcel.purpose == Purpose::Data(source);
            let queued = self
                .queue
                .iter()
                .position(|item| matches!(item, Item::Write(parcel) if is_of(parcel)));
            let parcel = match queued.and_then(|index| self.queue.remove(index)) {
                Some(Item::Write(parcel)) => {
                    self.waiting -= parcel.bytes.len();
                    parcel
                }
                Some(Item::Configure(_)) | None => {
                    let Some(index) = self.held.iter().position(is_of) else {
                        break;
                    };
                    let Some(parcel) = self.held.remove(index) else {
                        break;
                    };
                    self.held_bytes -= parcel.bytes.len();
                    parcel
                }
            };
            self.let_go(parcel.bytes.len(), parcel.purpose, &mut dropped);
        }
        dropped
    }

    fn drop_where(
        &mut self,
        goes: impl Fn(&Parcel) -> bool,
        outputs: &mut VecDeque<Output>,
    ) -> Dropped {
        let mut dropped = Dropped::default();
        for item in core::mem::take(&mut self.queue) {
            match item {
                Item::Write(parcel) if goes(&parcel) => {
                    self.waiting -= parcel.bytes.len();
                    self.let_go(parcel.bytes.len(), parcel.purpose, &mut dropped);
                }
                item @ (Item::Write(_) | Item::Configure(_)) => self.queue.push_back(item),
            }
        }
        for parcel in core::mem::take(&mut self.held) {
            if goes(&parcel) {
                self.held_bytes -= parcel.bytes.len();
                self.let_go(parcel.bytes.len(), parcel.purpose, &mut dropped);
            } else {
                self.held.push_back(parcel);
            }
        }
        if let Some(Outstanding::Write { purpose, since, .. }) = self.outstanding
            && !self.discarding
            && goes(&Parcel {
                bytes: Bytes::new(),
                purpose,
                since,
            })
        {
            self.discarding = true;
            outputs.push_back(Output::Serial(SerialOutput::Discard));
        }
        dropped
    }

    fn let_go(&mut self, len: usize, purpose: Purpose, dropped: &mut Dropped) {
        match purpose {
            Purpose::Data(source) => {
                self.from[source.index()] -= len;
                if source == Source::Device {
                    dropped.texts += 1;
                } else {
                    dropped.data += len;
                }
            }
            Purpose::Text => dropped.texts += 1,
            Purpose::Urc => dropped.urcs += 1,
            Purpose::Banner | Purpose::EscapeOffer | Purpose::Message => {}
        }
    }

    /// The outstanding write is out: its length and purpose.
    pub(crate) fn written(
        &mut self,
        now: Instant,
        outputs: &mut VecDeque<Output>,
    ) -> Option<(usize, Purpose)> {
        let Some(Outstanding::Write { len, purpose, .. }) = self.outstanding else {
            return None;
        };
        self.outstanding = None;
        self.waiting -= len;
        if let Purpose::Data(source) = purpose {
            self.from[source.index()] -= len;
        }
        self.moved_at = now;
        self.pump(outputs);
        Some((len, purpose))
    }

    /// The host has dropped the outstanding write, all but its last `left` bytes were out. Says how many were. The queue
    /// goes on with [`Self::pump`].
    pub(crate) fn discarded(&mut self, left: usize) -> (usize, Dropped) {
        let mut dropped = Dropped::default();
        let mut out = 0;
        if core::mem::take(&mut self.discarding)
            && let Some(Outstanding::Write {
                len,
                purpose,
                has_rest,
                ..
            }) = self.outstanding
        {
            self.outstanding = None;
            self.waiting -= len;
            let left = left.min(len);
            out = len - left;
            if let Purpose::Data(source) = purpose {
                self.from[source.index()] -= out;
            }
            self.let_go(left, purpose, &mut dropped);
            // mutant: pieces-count
            if has_rest {
                (dropped.texts, dropped.urcs) = (0, 0);
            }
        }
        (out, dropped)
    }

    /// The outstanding setting is in force.
    pub(crate) fn configured(&mut self, outputs: &mut VecDeque<Output>) {
        if self.outstanding == Some(Outstanding::Configure) {
            self.outstanding = None;
            self.pump(outputs);
        }
    }

    /// Bytes that are not written yet, with those that are held back.
    pub(crate) const fn waiting(&self) -> usize {
        self.waiting + self.held_bytes
    }

    /// Of these, those that the device itself has to say.
    pub(crate) fn own_waiting(&self) -> usize {
        self.waiting() - self.data_waiting()
    }

    /// Of these, bytes of the network.
    pub(crate) fn data_waiting(&self) -> usize {
        self.from.iter().sum::<usize>() - self.from[Source::Device.index()]
    }

    pub(crate) const fn waiting_from(&self, source: Source) -> usize {
        self.from[source.index()]
    }

    /// The same of each source, sockets first.
    pub(crate) const fn waiting_from_each(&self) -> &[usize] {
        &self.from
    }

    /// Since when the line has taken nothing, though something waits.
    pub(crate) fn stands_since(&self) -> Option<Instant> {
        (!self.is_drained() || self.holds_back()).then_some(self.moved_at)
    }

    /// When the oldest byte that a missing line does not keep for ever came.
    pub(crate) fn oldest(&self) -> Option<Instant> {
        let outstanding = match self.outstanding {
            Some(Outstanding::Write { purpose, since, .. })
                if purpose.fades() && !self.discarding =>
            {
                Some(since)
            }
            Some(Outstanding::Write { .. } | Outstanding::Configure) | None => None,
        };
        let queued = self.queue.iter().find_map(|item| match item {
            Item::Write(parcel) => parcel.purpose.fades().then_some(parcel.since),
            Item::Configure(_) => None,
        });
        let held = self.held_since();
        [outstanding, queued, held].into_iter().flatten().min()
    }

    /// Whether nothing waits, neither to be written nor held back.
    pub(crate) fn is_empty(&self) -> bool {
        self.is_drained() && !self.holds_back()
    }

    pub(crate) fn is_drained(&self) -> bool {
        self.queue.is_empty() && self.outstanding.is_none()
    }

    /// Writes what is next, if the line is free.
    pub(crate) fn pump(&mut self, outputs: &mut VecDeque<Output>) {
        // mutant: one-write
        if self.outstanding.is_some() || self.discarding {
            return;
        }
        let Some(item) = self.queue.pop_front() else {
            return;
        };
        let (outstanding, output) = match item {
            Item::Write(Parcel {
                mut bytes,
                purpose,
                since,
            }) => {
                let has_rest = bytes.len() > self.piece && purpose.fades();
                // mutant: write-pieces
                if has_rest {
                    let rest = Parcel {
                        bytes: bytes.split_off(self.piece),
                        purpose,
                        since,
                    };
                    self.queue.push_front(Item::Write(rest));
                }
                (
                    Outstanding::Write {
                        len: bytes.len(),
                        purpose,
                        since,
                        has_rest,
                    },
                    SerialOutput::Write(bytes),
                )
            }
            Item::Configure(format) => {
                let piece =
                    Duration::from_secs(1).as_micros() / format.character_time().as_micros().max(1);
                self.piece = usize::try_from(piece).unwrap_or(usize::MAX).max(1);
                (Outstanding::Configure, SerialOutput::Configure(format))
            }
        };
        self.outstanding = Some(outstanding);
        outputs.push_back(Output::Serial(output));
    }
}
