//! The message storage `"SM"` that the DTE works with: 50 places.

use alloc::vec::Vec;
use bytes::Bytes;

use crate::time::Duration;

/// Places, numbered from 1.
pub(crate) const PLACES: u8 = 50;
/// A DTE that has listed, read or deleted looks after the storage itself for so long: nothing goes to make room. It
/// would else find, and delete, another message in the place of the one that it has just read.
pub(crate) const MANAGED: Duration = Duration::from_secs(600);

/// `<stat>` of 27.005 3.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Unread,
    Read,
    Unsent,
    Sent,
}

impl State {
    pub(crate) const ALL: [Self; 4] = [Self::Unread, Self::Read, Self::Unsent, Self::Sent];

    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::Unread => 0,
            Self::Read => 1,
            Self::Unsent => 2,
            Self::Sent => 3,
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Unread => "REC UNREAD",
            Self::Read => "REC READ",
            Self::Unsent => "STO UNSENT",
            Self::Sent => "STO SENT",
        }
    }
}

/// A message in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) state: State,
    /// `+CISMS` has printed the whole text.
    pub(crate) announced: bool,
    /// Service centre first.
    pub(crate) pdu: Bytes,
}

/// The places.
#[derive(Debug, Default)]
pub(crate) struct Storage {
    /// With the order in which they came. Those behind the last one that holds a message are not there.
    places: Vec<Option<(u64, Stored)>>,
    next: u64,
}

impl Storage {
    pub(crate) fn used(&self) -> usize {
        self.places.iter().flatten().count()
    }

    pub(crate) fn get(&self, index: u8) -> Option<&Stored> {
        let place = self.places.get(usize::from(index.checked_sub(1)?))?;
        place.as_ref().map(|(_, stored)| stored)
    }

    pub(crate) fn get_mut(&mut self, index: u8) -> Option<&mut Stored> {
        let place = self.places.get_mut(usize::from(index.checked_sub(1)?))?;
        place.as_mut().map(|(_, stored)| stored)
    }

    /// All messages with their places.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u8, &Stored)> {
        (1..)
            .zip(&self.places)
            .filter_map(|(index, place)| Some((index, &place.as_ref()?.1)))
    }

    /// All messages with their places, in the order in which they came.
    pub(crate) fn by_age(&self) -> Vec<(u8, &Stored)> {
        let mut all: Vec<_> = (1..)
            .zip(&self.places)
            .filter_map(|(index, place)| Some((index, place.as_ref()?)))
            .collect();
        all.sort_by_key(|(_, (order, _))| *order);
        all.into_iter()
            .map(|(index, (_, stored))| (index, stored))
            .collect()
    }

    /// The first free place.
    pub(crate) fn free(&self) -> Option<u8> {
        let taken = self
            .places
            .iter()
            .take_while(|place| place.is_some())
            .count();
        u8::try_from(taken + 1)
            .ok()
            .filter(|index| *index <= PLACES)
    }

    pub(crate) fn has_room(&self, known_may_go: bool) -> bool {
        self.free().is_some() || self.to_go(known_may_go).is_some()
    }

    /// Puts a message into the first free place, or into that of the oldest one that the DTE knows; says whether
    /// that had to go. `None`: there is no room.
    pub(crate) fn put(&mut self, stored: Stored, known_may_go: bool) -> Option<(u8, bool)> {
        let free = self.free();
        let index = free.or_else(|| self.to_go(known_may_go))?;
        self.put_at(index, stored);
        Some((index, free.is_none()))
    }

    pub(crate) fn put_at(&mut self, index: u8, stored: Stored) {
        self.next += 1;
        if !(1..=PLACES).contains(&index) {
            return;
        }
        let place = usize::from(index) - 1;
        if place >= self.places.len() {
            self.places.resize_with(place + 1, || None);
        }
        self.places[place] = Some((self.next, stored));
    }

    pub(crate) fn delete(&mut self, index: u8) {
        if let Some(place) = index
            .checked_sub(1)
            .and_then(|index| self.places.get_mut(usize::from(index)))
        {
            *place = None;
        }
        let last = self.places.iter().rposition(Option::is_some);
        self.places.truncate(last.map_or(0, |last| last + 1));
        if self.places.is_empty() {
            self.places = Vec::new();
        }
    }

    /// The place of the oldest message that may go for a new one.
    fn to_go(&self, known_may_go: bool) -> Option<u8> {
        let may_go = |stored: &Stored| match stored.state {
            State::Read => known_may_go,
            State::Unread => known_may_go && stored.announced,
            State::Unsent | State::Sent => false,
        };
        let known = (1..)
            .zip(&self.places)
            .filter_map(|(index, place)| Some((index, place.as_ref()?)));
        known
            .filter(|(_, (_, stored))| may_go(stored))
            .min_by_key(|(_, (order, _))| *order)
            .map(|(index, _)| index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(state: State, announced: bool) -> Stored {
        Stored {
            state,
            announced,
            pdu: Bytes::from_static(b"x"),
        }
    }

    #[test]
    fn the_first_free_place_is_used_then_that_of_the_oldest_read_message() {
        let mut storage = Storage::default();
        for index in 1..=PLACES {
            assert_eq!(
                storage.put(stored(State::Unread, false), true),
                Some((index, false))
            );
        }
        assert_eq!(storage.put(stored(State::Unread, false), true), None);
        storage.get_mut(7).unwrap().state = State::Read;
        storage.get_mut(3).unwrap().announced = true;
        assert_eq!(storage.put(stored(State::Unread, false), false), None);
        assert_eq!(
            storage.put(stored(State::Unread, false), true),
            Some((3, true))
        );
        assert_eq!(
            storage.put(stored(State::Unread, false), true),
            Some((7, true))
        );
        storage.delete(50);
        assert_eq!(
            storage.put(stored(State::Sent, false), true),
            Some((50, false))
        );
        assert!(!storage.has_room(true) && storage.get(0).is_none() && storage.get(51).is_none());
    }
}
