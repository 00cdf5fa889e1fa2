//! What happened, in short: the last lines for people, a hash of all of it for the determinism test.

use std::collections::VecDeque;
use std::fmt;

const KEPT: usize = 50;
const HEAD: usize = 28;

/// One line of the story.
#[derive(Clone, Debug)]
pub(crate) struct TraceLine {
    at: u64,
    what: &'static str,
    link: u8,
    number: u64,
    head: [u8; HEAD],
    len: usize,
}

impl fmt::Display for TraceLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>16} {:<16}", Clock(self.at), self.what)?;
        if self.link > 0 {
            write!(f, " link {}", self.link)?;
        }
        if self.number > 0 {
            write!(f, " {}", self.number)?;
        }
        if self.len > 0 {
            write!(
                f,
                " [{}] \"{}\"",
                self.len,
                self.head[..self.len.min(HEAD)].escape_ascii()
            )?;
            f.write_str(if self.len > HEAD { "…" } else { "" })?;
        }
        Ok(())
    }
}

/// Virtual time as `h:mm:ss.µs`.
pub(crate) struct Clock(pub(crate) u64);

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0 / 1_000_000;
        let (h, m, s) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        f.pad(&format!("{h}:{m:02}:{s:02}.{:06}", self.0 % 1_000_000))
    }
}

/// FNV-1a: small, the same everywhere, and nobody attacks it here.
#[derive(Clone, Copy, Debug)]
pub struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    /// Goes on over these bytes.
    pub fn mix(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// Over all so far.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// The story of one world.
#[derive(Debug)]
pub(crate) struct Trace {
    last: VecDeque<TraceLine>,
    hash: Fnv,
    print: bool,
}

impl Trace {
    pub(crate) fn new(print: bool) -> Self {
        Self {
            last: VecDeque::with_capacity(KEPT),
            hash: Fnv::default(),
            print,
        }
    }

    pub(crate) fn add(&mut self, at: u64, what: &'static str, link: u8, number: u64, bytes: &[u8]) {
        let mut head = [0; HEAD];
        let shown = bytes.len().min(HEAD);
        head[..shown].copy_from_slice(&bytes[..shown]);
        for part in [
            &at.to_le_bytes(),
            what.as_bytes(),
            &[link],
            &number.to_le_bytes(),
            bytes,
        ] {
            self.hash.mix(part);
        }
        let line = TraceLine {
            at,
            what,
            link,
            number,
            head,
            len: bytes.len(),
        };
        if self.print {
            use std::io::Write as _;
            // A reader that is gone, as `head`, has seen what it wanted.
            let _ = writeln!(std::io::stdout(), "{line}");
        }
        if self.last.len() == KEPT {
            self.last.pop_front();
        }
        self.last.push_back(line);
    }

    pub(crate) const fn hash(&self) -> u64 {
        self.hash.get()
    }

    pub(crate) fn last(&self) -> Vec<String> {
        self.last.iter().map(ToString::to_string).collect()
    }
}
