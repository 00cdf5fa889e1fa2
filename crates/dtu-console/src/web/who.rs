//! Sessions, and how often somebody may guess.

use std::collections::HashMap;
use std::fmt::{self, Write as _};
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::password::{self, Hashes, Who, random};

/// Whose a request is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    /// A program of the same user on this host.
    Local,
    /// Somebody who has logged in, with the token.
    Session(Who, String),
    /// Nobody known.
    Nobody,
}

impl Identity {
    pub(crate) const fn word(&self) -> Option<&'static str> {
        match self {
            Self::Local => Some("local"),
            Self::Session(Who::Owner, _) => Some("owner"),
            Self::Session(Who::Viewer, _) => Some("viewer"),
            Self::Nobody => None,
        }
    }

    pub(crate) const fn is_viewer(&self) -> bool {
        matches!(self, Self::Session(Who::Viewer, _))
    }
}

/// Who is logged in. On disk are only hashes.
#[derive(Debug)]
pub(crate) struct Sessions {
    files: Option<Files>,
    stored: Stored,
    /// For programs of the same user, which have no session.
    local: String,
    hashes: Hashes,
    /// Of the file that they were read from.
    stamp: Option<[i64; 5]>,
}

#[derive(Debug)]
struct Files {
    sessions: PathBuf,
    passwords: PathBuf,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Stored {
    /// Cookies ignore ports: the name of ours says whose it is.
    instance: String,
    sessions: Vec<Session>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Session {
    hash: String,
    who: Who,
    /// Of the password that it was made with: with another one it ends.
    password: String,
    /// Seconds since 1970.
    until: u64,
}

const SESSIONS_FILE: &str = "console-sessions.json";
/// The oldest goes for the next one.
const SESSIONS: usize = 64;
const LASTS: u64 = 30 * 24 * 3600;

impl Sessions {
    pub(crate) fn open(state: Option<&Path>) -> io::Result<Self> {
        let files = state.map(|state| Files {
            sessions: state.join(SESSIONS_FILE),
            passwords: state.join(password::FILE),
        });
        let read = files.as_ref().and_then(|files| {
            let bytes = std::fs::read(&files.sessions).ok()?;
            serde_json::from_slice::<Stored>(&bytes).ok()
        });
        let stored = read.filter(|stored| !stored.instance.is_empty());
        let is_new = stored.is_none();
        let mut this = Self {
            files,
            stored: stored.unwrap_or_else(|| Stored {
                instance: hex(&random::<4>()),
                sessions: Vec::new(),
            }),
            local: hex(&random::<16>()),
            hashes: Hashes::default(),
            stamp: None,
        };
        this.look_at_passwords();
        if is_new {
            this.store();
        }
        Ok(this)
    }

    pub(crate) fn instance(&self) -> &str {
        &self.stored.instance
    }

    /// The name of the cookie.
    pub(crate) fn cookie(&self) -> String {
        format!("dtu-console-{}", self.stored.instance)
    }

    /// The passwords as they are now: another program sets them.
    pub(crate) fn hashes(&mut self) -> &Hashes {
        self.look_at_passwords();
        &self.hashes
    }

    fn look_at_passwords(&mut self) {
        use std::os::unix::fs::MetadataExt as _;
        let Some(files) = &self.files else { return };
        let metadata = std::fs::metadata(&files.passwords).ok();
        // The time of its change, too: another owner makes it readable.
        let stamp = metadata.map(|it| {
            [
                it.mtime(),
                it.mtime_nsec(),
                it.ctime(),
                it.ctime_nsec(),
                it.ino().cast_signed(),
            ]
        });
        if stamp == self.stamp {
            return;
        }
        match password::read(&files.passwords) {
            Ok(hashes) => self.hashes = hashes,
            Err(error) => {
                tracing::warn!("console: nobody can log in: {error}");
                self.hashes = Hashes::default();
            }
        }
        self.stamp = stamp;
    }

    /// Whose this token is.
    pub(crate) fn find(&mut self, token: &str) -> Option<Identity> {
        self.look_at_passwords();
        let hash = digest("session", token);
        let session = self.stored.sessions.iter().find(|own| own.hash == hash)?;
        let current = self.hashes.of(session.who)?;
        let holds = session.until > now() && session.password == digest("password", current);
        holds.then(|| Identity::Session(session.who, token.to_owned()))
    }

    /// A new session; its token.
    pub(crate) fn begin(&mut self, who: Who) -> Option<String> {
        let password = digest("password", self.hashes.of(who)?);
        let token = hex(&random::<32>());
        let now = now();
        let sessions = &mut self.stored.sessions;
        sessions.retain(|session| session.until > now);
        // Among its own kind: a viewer logs no owner out.
        let of_kind = |session: &Session| session.who == who;
        if sessions.iter().filter(|session| of_kind(session)).count() >= SESSIONS / 2
            && let Some(oldest) = sessions.iter().position(of_kind)
        {
            sessions.remove(oldest);
        }
        sessions.push(Session {
            hash: digest("session", &token),
            who,
            password,
            until: now + LASTS,
        });
        self.store();
        Some(token)
    }

    pub(crate) fn end(&mut self, token: &str) {
        let hash = digest("session", token);
        self.stored.sessions.retain(|own| own.hash != hash);
        self.store();
    }

    /// What nobody outside knows, as long as this program runs.
    pub(crate) fn salt(&self) -> String {
        digest("salt", &self.local)
    }

    /// What the header `X-CSRF` of this one's writes must say.
    pub(crate) fn csrf(&self, of: &Identity) -> Option<String> {
        match of {
            Identity::Local => Some(self.local.clone()),
            Identity::Session(_, token) => Some(digest("csrf", token)),
            Identity::Nobody => None,
        }
    }

    /// A session that is not on disk ends with this program, which is no fault of its user's.
    fn store(&self) {
        let Some(files) = &self.files else { return };
        let stored = serde_json::to_vec(&self.stored)
            .map_err(io::Error::other)
            .and_then(|bytes| password::write(&files.sessions, &bytes));
        if let Err(error) = stored {
            tracing::warn!("console: {}: {error}", files.sessions.display());
        }
    }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs()
}

pub(crate) fn digest(of: &str, text: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(of.as_bytes());
    hash.update([0]);
    hash.update(text.as_bytes());
    hex(&hash.finalize())
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Who guesses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Guesser {
    /// Another host, or who comes by a proxy.
    Address(IpAddr),
    /// A user of this host: the others, who have the same address, do not pay for him.
    User(u32),
}

impl fmt::Display for Guesser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::User(user) => write!(f, "user {user} of this host"),
        }
    }
}

/// Wrong passwords of late.
#[derive(Debug, Default)]
pub(crate) struct Guesses {
    of: HashMap<Guesser, Wrong>,
    /// Log-ins that are being checked or wait for it.
    waiting: usize,
}

#[derive(Debug)]
struct Wrong {
    count: u32,
    last: Instant,
}

/// Wrong passwords until one is shut out.
const TRIES: u32 = 5;
/// So long.
const SHUT_OUT: Duration = Duration::from_secs(300);
/// Guessers that are kept.
const GUESSERS: usize = 256;
/// Log-ins at a time.
const WAITING: usize = 8;

impl Guesses {
    /// Whether this one may try now; else the seconds until then.
    pub(crate) fn enter(&mut self, from: Guesser, now: Instant) -> Result<(), u64> {
        self.of
            .retain(|_, wrong| now.duration_since(wrong.last) < SHUT_OUT);
        if let Some(wrong) = self
            .of
            .get(&network(from))
            .filter(|wrong| wrong.count >= TRIES)
        {
            let left = SHUT_OUT.saturating_sub(now.duration_since(wrong.last));
            return Err(left.as_secs() + 1);
        }
        if self.waiting >= WAITING {
            return Err(1);
        }
        self.waiting += 1;
        Ok(())
    }

    /// What became of it: whose password it was. `None`: it was never checked.
    pub(crate) fn leave(&mut self, from: Guesser, checked: Option<Option<Who>>, now: Instant) {
        self.waiting = self.waiting.saturating_sub(1);
        let from = network(from);
        match checked {
            Some(Some(Who::Owner)) => {
                self.of.remove(&from);
            }
            // Who has the viewer's password may not guess the owner's for ever.
            Some(Some(Who::Viewer)) => {}
            Some(None) => {
                if self.of.len() >= GUESSERS && !self.of.contains_key(&from) {
                    let oldest = self.of.iter().min_by_key(|(_, wrong)| wrong.last);
                    if let Some(oldest) = oldest.map(|(guesser, _)| *guesser) {
                        self.of.remove(&oldest);
                    }
                }
                let wrong = self.of.entry(from).or_insert(Wrong {
                    count: 0,
                    last: now,
                });
                wrong.count += 1;
                wrong.last = now;
            }
            None => {}
        }
    }
}

/// One who guesses has all addresses of a /64, and on this host those of 127.0.0.0/8.
fn network(from: Guesser) -> Guesser {
    let address = match from {
        Guesser::Address(address) => address.to_canonical(),
        Guesser::User(_) => return from,
    };
    Guesser::Address(match address {
        IpAddr::V4(four) if four.is_loopback() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V4(four) => IpAddr::V4(four),
        IpAddr::V6(six) => IpAddr::from((u128::from(six) >> 64 << 64).to_be_bytes()),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "in a test it is an assertion")]
mod tests {
    use std::time::{Duration, Instant};

    use super::{GUESSERS, Guesser, Guesses, TRIES, WAITING, Who};

    #[test]
    fn the_viewers_password_gives_no_new_guesses_at_the_owners() {
        let (mut guesses, now) = (Guesses::default(), Instant::now());
        let from = address("192.0.2.1");
        for _ in 0..TRIES {
            wrong(&mut guesses, from, now).unwrap();
            if guesses.enter(from, now).is_ok() {
                guesses.leave(from, Some(Some(Who::Viewer)), now);
            }
        }
        assert!(guesses.enter(from, now).is_err());
    }

    fn address(text: &str) -> Guesser {
        Guesser::Address(text.parse().unwrap())
    }

    #[test]
    fn users_of_this_host_are_told_apart() {
        let (mut guesses, now) = (Guesses::default(), Instant::now());
        for _ in 0..TRIES {
            wrong(&mut guesses, Guesser::User(1000), now).unwrap();
        }
        assert!(guesses.enter(Guesser::User(1000), now).is_err());
        assert!(guesses.enter(Guesser::User(1001), now).is_ok());
        assert!(guesses.enter(address("127.0.0.1"), now).is_ok());
    }

    fn wrong(guesses: &mut Guesses, from: Guesser, now: Instant) -> Result<(), u64> {
        guesses.enter(from, now)?;
        guesses.leave(from, Some(None), now);
        Ok(())
    }

    #[test]
    fn five_wrong_passwords_shut_an_address_out_for_five_minutes() {
        let (mut guesses, start) = (Guesses::default(), Instant::now());
        let from = address("2001:db8::1");
        for _ in 0..5 {
            wrong(&mut guesses, from, start).unwrap();
        }
        assert_eq!(guesses.enter(from, start), Err(301));
        assert!(guesses.enter(address("2001:db8::2"), start).is_err());
        assert!(guesses.enter(address("192.0.2.1"), start).is_ok());
        for host in [
            "127.0.0.2",
            "127.0.0.3",
            "127.1.2.3",
            "127.0.0.1",
            "::ffff:127.0.0.9",
        ] {
            wrong(&mut guesses, address(host), start).unwrap();
        }
        assert!(guesses.enter(address("127.0.0.4"), start).is_err());
        let later = start + Duration::from_secs(300);
        assert!(guesses.enter(from, later).is_ok());
    }

    #[test]
    fn a_right_password_begins_anew() {
        let (mut guesses, now) = (Guesses::default(), Instant::now());
        let from = address("192.0.2.1");
        for _ in 0..4 {
            wrong(&mut guesses, from, now).unwrap();
        }
        guesses.enter(from, now).unwrap();
        guesses.leave(from, Some(Some(Who::Owner)), now);
        for _ in 0..5 {
            wrong(&mut guesses, from, now).unwrap();
        }
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let (mut guesses, now) = (Guesses::default(), Instant::now());
        for n in 0..2000_u32 {
            wrong(&mut guesses, Guesser::User(n), now).unwrap();
        }
        assert!(guesses.of.len() <= GUESSERS);
        for _ in 0..WAITING {
            guesses.enter(address("192.0.2.1"), now).unwrap();
        }
        assert_eq!(guesses.enter(address("192.0.2.1"), now), Err(1));
    }
}
