//! The guard against guessing of passwords (decisions 8).

use alloc::boxed::Box;
use alloc::collections::VecDeque;

use crate::ids::{LINKS, Origin, PhoneNumber};
use crate::time::{Duration, Instant};

/// So many wrong passwords …
const GUESSES: usize = 5;
/// … within this time …
const GUESS_WINDOW: Duration = Duration::from_secs(60);
/// … lock the origin for so long.
const SHUT: Duration = Duration::from_secs(300);
/// Sources with a guard of their own: the links, then frames of the serial line. Phones have theirs.
const GUARDED_ORIGINS: usize = LINKS + 1;

/// The guards of all origins.
#[derive(Debug, Default)]
pub(super) struct Guards {
    /// `None`: nobody has tried yet.
    origins: Option<Box<[Guard; GUARDED_ORIGINS]>>,
    phones: PhoneGuards,
}

impl Guards {
    pub(super) fn of(&mut self, origin: Origin, now: Instant) -> &mut Guard {
        let origins = self.origins.get_or_insert_default();
        match origin {
            Origin::Link(link) => &mut origins[link.index()],
            Origin::Sms(number) => self.phones.of(number, now),
            Origin::Serial | Origin::SerialFrame | Origin::Console => {
                &mut origins[GUARDED_ORIGINS - 1]
            }
        }
    }
}

/// What one source of commands has guessed lately.
#[derive(Debug, Default)]
pub(super) struct Guard {
    wrong: VecDeque<Instant>,
    shut_until: Option<Instant>,
}

impl Guard {
    pub(super) fn is_shut(&self, now: Instant) -> bool {
        // mutant: locked-origin
        self.shut_until.is_some_and(|until| now < until)
    }

    /// Counts a wrong password; true when that locks the origin.
    pub(super) fn wrong_password(&mut self, now: Instant) -> bool {
        self.wrong.retain(|at| now.since(*at) < GUESS_WINDOW);
        self.wrong.push_back(now);
        if self.wrong.len() < GUESSES {
            return false;
        }
        self.wrong.clear();
        self.shut_until = Some(now + SHUT);
        true
    }
}

/// What each phone has guessed lately. The number of phones is bounded: the one that guessed longest ago is
/// forgotten first, one that is shut out last.
#[derive(Debug, Default)]
struct PhoneGuards(VecDeque<(PhoneNumber, Guard)>);

impl PhoneGuards {
    fn of(&mut self, number: PhoneNumber, now: Instant) -> &mut Guard {
        let known = self
            .0
            .iter()
            .position(|(known, _)| *known == number)
            .and_then(|at| self.0.remove(at));
        if known.is_none() && self.0.len() == PHONES_MAX {
            let open = self.0.iter().position(|(_, guard)| !guard.is_shut(now));
            self.0.remove(open.unwrap_or_default());
        }
        self.0
            .push_back(known.unwrap_or_else(|| (number, Guard::default())));
        let last = self.0.len() - 1;
        &mut self.0[last].1
    }
}

/// Phones whose guesses are remembered.
const PHONES_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phone_that_is_shut_out_is_not_forgotten_for_others_that_guess() {
        let number = |n: usize| PhoneNumber::new(&std::format!("{n}")).unwrap();
        let now = Instant::ZERO;
        let mut guards = PhoneGuards::default();
        assert!(
            (0..5)
                .map(|_| guards.of(number(1), now).wrong_password(now))
                .last()
                .unwrap()
        );
        assert!(!(2..200).any(|n| guards.of(number(n), now).wrong_password(now)));
        assert!(guards.of(number(1), now).is_shut(now));
        assert_eq!(guards.0.len(), PHONES_MAX);
    }

    #[test]
    fn five_wrong_passwords_in_a_minute_shut_the_door_for_five_minutes() {
        let at = |s| Instant::ZERO + Duration::from_secs(s);
        let mut guard = Guard::default();
        assert!(!(0..4).any(|s| guard.wrong_password(at(s))));
        assert!(!guard.wrong_password(at(61)));
        assert!(!guard.wrong_password(at(61)) && !guard.is_shut(at(61)));
        assert!(guard.wrong_password(at(61)));
        assert!(guard.is_shut(at(360)) && !guard.is_shut(at(361)));
    }
}
