//! Messages on the SIM and in the modem: 27.005 2.5.

use bytes::Bytes;

/// 27.005 `<stat>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Unread,
    Read,
    Unsent,
    Sent,
}

impl State {
    pub(super) const ALL: [Self; 4] = [Self::Unread, Self::Read, Self::Unsent, Self::Sent];

    pub(super) const fn number(self) -> u8 {
        self as u8
    }

    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Unread => "REC UNREAD",
            Self::Read => "REC READ",
            Self::Unsent => "STO UNSENT",
            Self::Sent => "STO SENT",
        }
    }
}

/// Which store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Memory {
    Sim,
    Modem,
}

impl Memory {
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "SM" => Some(Self::Sim),
            "ME" | "MT" => Some(Self::Modem),
            _ => None,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Sim => "SM",
            Self::Modem => "ME",
        }
    }
}

/// A message at its place; the service centre stands in front.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StoredSms {
    pub(super) state: State,
    pub(super) pdu: Bytes,
}

impl StoredSms {
    /// Octets of the TPDU, without the service centre.
    pub(super) fn length(&self) -> usize {
        length(&self.pdu)
    }
}

/// Octets of the TPDU behind the service centre.
pub(super) fn length(pdu: &[u8]) -> usize {
    pdu.len()
        .saturating_sub(1 + usize::from(pdu.first().copied().unwrap_or(0)))
}

/// Both stores. Places are counted from 1.
#[derive(Clone, Debug)]
pub(super) struct Store {
    places: usize,
    sim: Vec<Option<StoredSms>>,
    modem: Vec<Option<StoredSms>>,
}

impl Store {
    pub(super) fn new(places: usize) -> Self {
        let places = places.clamp(1, 255);
        Self {
            places,
            sim: vec![None; places],
            modem: vec![None; places],
        }
    }

    pub(super) const fn places(&self) -> usize {
        self.places
    }

    pub(super) fn used(&self, memory: Memory) -> usize {
        self.all(memory).count()
    }

    /// Its index; `None` when it is full.
    pub(super) fn put(&mut self, memory: Memory, kept: StoredSms) -> Option<usize> {
        let slots = self.slots(memory);
        let at = slots.iter().position(Option::is_none)?;
        *slots.get_mut(at)? = Some(kept);
        Some(at + 1)
    }

    pub(super) fn get(&mut self, memory: Memory, index: usize) -> Option<&mut StoredSms> {
        self.slots(memory).get_mut(index.checked_sub(1)?)?.as_mut()
    }

    pub(super) fn all(&self, memory: Memory) -> impl Iterator<Item = (usize, &StoredSms)> {
        let slots = match memory {
            Memory::Sim => &self.sim,
            Memory::Modem => &self.modem,
        };
        slots
            .iter()
            .enumerate()
            .filter_map(|(at, kept)| Some((at + 1, kept.as_ref()?)))
    }

    /// Whether such a place exists.
    pub(super) fn delete(&mut self, memory: Memory, index: usize) -> bool {
        let slot = index
            .checked_sub(1)
            .and_then(|at| self.slots(memory).get_mut(at));
        slot.is_some_and(|slot| {
            *slot = None;
            true
        })
    }

    pub(super) fn delete_all(&mut self, memory: Memory, which: impl Fn(State) -> bool) {
        for slot in self.slots(memory) {
            slot.take_if(|kept| which(kept.state));
        }
    }

    fn slots(&mut self, memory: Memory) -> &mut Vec<Option<StoredSms>> {
        match memory {
            Memory::Sim => &mut self.sim,
            Memory::Modem => &mut self.modem,
        }
    }
}
