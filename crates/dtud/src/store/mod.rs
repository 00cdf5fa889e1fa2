//! The stored parameters: one file, written atomically, with the previous good copy beside it.
//!
//! ```text
//! DIR/parameters            dtud-parameters 1 crc32=1a2b3c4d length=812     body: AT set commands, one a line
//! DIR/parameters.previous   the set before it, same format
//! DIR/parameters.new        while a save runs
//! DIR/parameters.damaged-1  … -8: files that could not be read, kept for a look
//! DIR/lock                  held by the running program, with its process number
//! ```
//! A save writes `new`, forces it to the disk, renames `parameters` to `previous` and `new` to `parameters`, and
//! forces the folder. So at every moment one whole set is there, the old one or the new one.

use std::io;
use std::path::{Path, PathBuf};

use dtu_proto::config::{Config, Problem, from_store_text};

mod files;
mod lock;
#[cfg(test)]
mod tests;

pub(crate) use files::{Disk, FileOps, named, write_whole};
use lock::Lock;

/// The folder with the stored parameters. While it lives no other process can open it.
#[derive(Debug)]
pub struct ParameterStore {
    dir: PathBuf,
    files: Disk,
    _lock: Lock,
}

impl ParameterStore {
    /// Opens the state directory (made if it is missing) and reads the stored parameters. The messages say what was
    /// not in order; a device that was never saved has the factory set and no message.
    ///
    /// # Errors
    /// The directory cannot be made, read, or is in use by another process; the text names it.
    pub fn open(dir: &Path) -> io::Result<(Self, Config, Vec<String>)> {
        make_private_dir(dir)?;
        let lock = Lock::take(dir)?;
        let mut files = Disk;
        let (text, mut messages) = load(&mut files, dir)?;
        let (config, problems) = from_store_text(&text);
        messages.extend(problems.iter().map(|problem| passed_over(dir, problem)));
        Ok((Self { dir: dir.to_owned(), files, _lock: lock }, config, messages))
    }

    /// Stores a set. When this returns `Ok` it survives a power cut; on an error the set before it is still stored.
    ///
    /// # Errors
    /// Of the file system, with the path.
    pub fn save(&mut self, text: &str) -> io::Result<()> {
        save(&mut self.files, &self.dir, text)
    }

    /// The state directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }
}

fn make_private_dir(dir: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|error| named(dir, &error))
}

fn passed_over(dir: &Path, Problem { line, text }: &Problem) -> String {
    format!("{}:{}: passed over: {text}", dir.join(CURRENT).display(), line + 1)
}

fn save(files: &mut impl FileOps, dir: &Path, text: &str) -> io::Result<()> {
    let [new, current, previous] = [NEW, CURRENT, PREVIOUS].map(|name| dir.join(name));
    let mut whole = header(text);
    whole.push_str(text);
    write_whole(files, &new, whole.as_bytes())?;
    // A file that was damaged since it was read must not take the place of a good previous copy.
    if matches!(read(files, &current)?, Found::Good(_)) {
        files.rename(&current, &previous)?;
    }
    files.rename(&new, &current)?;
    files.sync_dir(dir)
}

/// The text of the stored set (empty = factory set), and what was not in order.
fn load(files: &mut impl FileOps, dir: &Path) -> io::Result<(String, Vec<String>)> {
    let [new, current, previous] = [NEW, CURRENT, PREVIOUS].map(|name| dir.join(name));
    files.remove(&new)?;
    let mut messages = Vec::new();
    let first = read(files, &current)?;
    if let Found::Good(text) = first {
        return Ok((text, messages));
    }
    let never_saved = matches!(first, Found::Missing);
    note(files, dir, &current, first, &mut messages);
    match read(files, &previous)? {
        Found::Good(text) => {
            messages.push(format!("{} is used: the set stored before the last one", previous.display()));
            Ok((text, messages))
        }
        // Files set aside and nothing stored since: the loss is told at each start, not at the first only.
        Found::Missing if never_saved && !exists(files, &aside(dir, 1)) => Ok((String::new(), Vec::new())),
        found @ (Found::Missing | Found::Damaged(_)) => {
            note(files, dir, &previous, found, &mut messages);
            messages.push(format!(
                "NO STORED PARAMETERS COULD BE READ in {}: the factory set is in force until parameters are stored again",
                dir.display()
            ));
            Ok((String::new(), messages))
        }
    }
}

/// Says what is wrong with a file, and sets a damaged one aside.
fn note(files: &mut impl FileOps, dir: &Path, path: &Path, found: Found, messages: &mut Vec<String>) {
    match found {
        Found::Good(_) => {}
        Found::Missing => messages.push(format!("{} is missing", path.display())),
        Found::Damaged(why) => {
            let kept = match set_aside(files, dir, path) {
                Ok(aside) => format!("kept as {}", aside.display()),
                Err(error) => format!("left in place: {error}"),
            };
            messages.push(format!("{} is damaged ({why}); {kept}", path.display()));
        }
    }
}

fn set_aside(files: &mut impl FileOps, dir: &Path, path: &Path) -> io::Result<PathBuf> {
    let mut number = 1;
    while number < MAX_DAMAGED && exists(files, &aside(dir, number)) {
        number += 1;
    }
    files.rename(path, &aside(dir, number))?;
    Ok(aside(dir, number))
}

/// Whatever it is: what was set aside may be unreadable, or a folder.
fn exists(files: &mut impl FileOps, path: &Path) -> bool {
    !matches!(files.read(path, 1), Ok(None))
}

fn aside(dir: &Path, number: usize) -> PathBuf {
    dir.join(format!("{CURRENT}.damaged-{number}"))
}

/// What a file turned out to be.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    Missing,
    Good(String),
    Damaged(String),
}

/// Only a file that may not be read is an error: then nothing could be stored either.
fn read(files: &mut impl FileOps, path: &Path) -> io::Result<Found> {
    match files.read(path, MAX_FILE) {
        Ok(None) => Ok(Found::Missing),
        Ok(Some(bytes)) => Ok(unwrap(bytes).map_or_else(Found::Damaged, Found::Good)),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Err(error),
        Err(error) => Ok(Found::Damaged(error.to_string())),
    }
}

/// The body of a whole file. Its first line must be, to the byte, the one that this body gets.
fn unwrap(bytes: Vec<u8>) -> Result<String, String> {
    let text = String::from_utf8(bytes).map_err(|_| "it is not text".to_owned())?;
    let (first, body) = text.split_once('\n').ok_or("it has no first line")?;
    let wanted = header(body);
    if wanted.trim_end() == first {
        return Ok(body.to_owned());
    }
    if !first.starts_with(MAGIC) {
        return Err(format!("its first line is not `{MAGIC}…`"));
    }
    Err(format!("its first line is `{first}`, its contents give `{}`", wanted.trim_end()))
}

fn header(body: &str) -> String {
    format!("{MAGIC}crc32={:08x} length={}\n", crc32fast::hash(body.as_bytes()), body.len())
}

/// With the version of the format.
const MAGIC: &str = "dtud-parameters 1 ";
const CURRENT: &str = "parameters";
const PREVIOUS: &str = "parameters.previous";
const NEW: &str = "parameters.new";
const MAX_DAMAGED: usize = 8;
/// Bytes; a full set has about 2 KiB.
const MAX_FILE: u64 = 1 << 20;
