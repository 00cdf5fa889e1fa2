//! Passwords of the console: only their argon2 hashes are on disk.

use std::fs::{self, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use argon2::password_hash::{PasswordHash, PasswordHasher as _, Salt, SaltString};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

/// Who logs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Who {
    /// May do all.
    Owner,
    /// Sees states and counts, no payload, and changes nothing.
    Viewer,
}

/// The hashes, as they stand in the file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Hashes {
    #[serde(default)]
    pub(crate) owner: Option<String>,
    #[serde(default)]
    pub(crate) viewer: Option<String>,
}

impl Hashes {
    pub(crate) const fn of(&self, who: Who) -> Option<&String> {
        match who {
            Who::Owner => self.owner.as_ref(),
            Who::Viewer => self.viewer.as_ref(),
        }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.owner.is_none() && self.viewer.is_none()
    }

    /// Whose password this is. Takes 19 MiB and a good part of a second for each that is set.
    pub(crate) fn whose(&self, password: &str) -> Option<Who> {
        [Who::Owner, Who::Viewer]
            .into_iter()
            .find(|who| self.of(*who).is_some_and(|hash| is_of(hash, password)))
    }
}

/// Whether the hash is this password's.
fn is_of(hash: &str, password: &str) -> bool {
    let compare = || -> argon2::password_hash::Result<bool> {
        let hash = PasswordHash::new(hash)?;
        let algorithm = Algorithm::try_from(hash.algorithm)?;
        let version = Version::try_from(hash.version.unwrap_or(Version::V0x13.into()))?;
        let argon = Argon2::new(algorithm, version, Params::try_from(&hash)?);
        let (Some(salt), Some(wanted)) = (hash.salt, hash.hash) else {
            return Ok(false);
        };
        let mut salt_bytes = [0; Salt::MAX_LENGTH];
        let salt = salt.decode_b64(&mut salt_bytes)?;
        let mut made = vec![0; wanted.len()];
        let blocks = argon.params().block_count();
        let mut memory = Vec::with_capacity(blocks.max(BLOCKS));
        memory.resize(blocks, Block::default());
        argon.hash_password_into_with_memory(password.as_bytes(), salt, &mut made, &mut memory)?;
        Ok(made.ct_eq(wanted.as_bytes()).into())
    };
    compare().unwrap_or(false)
}

/// Room for a check, in KiB, of which only the beginning is touched: what is longer than 32 MiB the C library gives back to
/// the system at once, and what is shorter it keeps when it comes again.
const BLOCKS: usize = 34 * 1024;

/// The file in the state directory.
pub(crate) const FILE: &str = "console-passwords.json";

/// Shorter ones are guessed.
const SHORTEST: usize = 8;
/// Longer ones only cost time.
const LONGEST: usize = 256;

/// Sets a password, or takes it away; a running console sees it at once, and sessions of the old password end.
///
/// # Errors
/// The password is too short or too long, or the file cannot be written.
pub fn set(state: &Path, who: Who, password: Option<&str>) -> io::Result<()> {
    let hash = password.map(hash).transpose()?;
    change(state, |hashes| {
        match who {
            Who::Owner => hashes.owner = hash,
            Who::Viewer => hashes.viewer = hash,
        }
        if hashes.viewer.is_some() && hashes.owner.is_none() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "a viewer's password needs an owner's: set that first",
            ));
        }
        Ok(())
    })
}

/// Reads the hashes, changes them, and writes them back, while nobody else does.
fn change(state: &Path, to: impl FnOnce(&mut Hashes) -> io::Result<()>) -> io::Result<()> {
    // The file itself is replaced. The lock ends with the descriptor.
    let folder = fs::File::open(state)?;
    lock(&folder)?;
    let mut hashes = read(&state.join(FILE))?;
    to(&mut hashes)?;
    let text = serde_json::to_string(&hashes).map_err(io::Error::other)?;
    write(&state.join(FILE), text.as_bytes())
}

fn lock(folder: &fs::File) -> io::Result<()> {
    let until = Instant::now() + LOCKED;
    loop {
        match folder.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) if Instant::now() < until => {
                std::thread::sleep(LOOK_AGAIN);
            }
            Err(TryLockError::WouldBlock) => {
                let busy = "somebody else changes a password, and does not end";
                return Err(io::Error::new(io::ErrorKind::TimedOut, busy));
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

/// Another one reads, writes and waits for the disk meanwhile.
const LOCKED: Duration = Duration::from_secs(10);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

fn hash(password: &str) -> io::Result<String> {
    if !(SHORTEST..=LONGEST).contains(&password.len()) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!(
                "the password must be {SHORTEST} to {LONGEST} bytes, got {}",
                password.len()
            ),
        ));
    }
    let failed = |error: argon2::password_hash::Error| io::Error::other(error.to_string());
    let salt = SaltString::encode_b64(&random::<16>()).map_err(failed)?;
    let hash = Argon2::default()
        .hash_password(password.as_bytes(), &salt)
        .map_err(failed)?;
    Ok(hash.to_string())
}

/// What is there; a file that is not there has none.
pub(crate) fn read(path: &Path) -> io::Result<Hashes> {
    match fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| {
            io::Error::new(
                io::ErrorKind::InvalidData,
                format!("{}: {error}", path.display()),
            )
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Hashes::default()),
        Err(error) => Err(error),
    }
}

/// Puts a file there that only this user can read, as a whole or not at all.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::io::Write as _;
    let mut new = PathBuf::from(path);
    new.as_mut_os_string().push(".new");
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&new)?;
    file.set_permissions(fs::Permissions::from_mode(0o600))?;
    // Root sets the password of a dtud with a user of its own: the folder is that user's.
    if let Some(folder) = path.parent().and_then(|folder| fs::metadata(folder).ok())
        && folder.uid() != file.metadata()?.uid()
    {
        std::os::unix::fs::fchown(&file, Some(folder.uid()), Some(folder.gid()))?;
    }
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&new, path)
}

/// Random bytes of the system.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    let mut at = 0;
    while at < N {
        match rustix::rand::getrandom(&mut bytes[at..], rustix::rand::GetRandomFlags::empty()) {
            Ok(count) => at += count,
            Err(rustix::io::Errno::INTR) => {}
            // Linux has it since 3.17, and it does not fail.
            Err(error) => panic!("no random bytes: {error}"),
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    /// Each has read the file before the other has written it, if they can.
    #[test]
    fn two_that_are_set_at_once_are_both_kept() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path();
        let (ended, end) = channel();
        std::thread::scope(|scope| {
            change(state, |hashes| {
                scope.spawn(move || {
                    change(state, |hashes| {
                        hashes.viewer = Some("viewer".to_owned());
                        Ok(())
                    })
                    .unwrap();
                    ended.send(()).unwrap();
                });
                // It waits for this one.
                assert!(end.recv_timeout(Duration::from_millis(300)).is_err());
                hashes.owner = Some("owner".to_owned());
                Ok(())
            })
            .unwrap();
        });
        let kept = read(&state.join(FILE)).unwrap();
        let both = [kept.owner.as_deref(), kept.viewer.as_deref()];
        assert_eq!(both, [Some("owner"), Some("viewer")]);
    }
}
