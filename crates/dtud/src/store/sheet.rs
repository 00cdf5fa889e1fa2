//! One text in one file: written atomically, with a checksum, and with the previous good copy beside it.
//!
//! A save writes `NAME.new`, forces it to the disk, renames `NAME` to `NAME.previous` and `NAME.new` to `NAME`, and
//! forces the folder. So at every moment one whole text is there, the old one or the new one.

use std::io;
use std::path::{Path, PathBuf};

use super::files::{FileOps, write_whole};
use crate::fs::MAX_DAMAGED;

/// What one file holds.
#[derive(Debug)]
pub(super) struct Sheet {
    /// Its name.
    pub(super) name: &'static str,
    /// How its first line begins, with the version of the format.
    pub(super) magic: &'static str,
    /// Bytes at most.
    pub(super) most: u64,
    /// What is said when there was a set and none can be read: in front of and behind the folder's name.
    pub(super) lost: [&'static str; 2],
}

impl Sheet {
    pub(super) fn current(&self, dir: &Path) -> PathBuf {
        dir.join(self.name)
    }

    /// Of the new text, the stored one, and the one before it.
    fn paths(&self, dir: &Path) -> [PathBuf; 3] {
        [
            format!("{}.new", self.name),
            self.name.to_owned(),
            format!("{}.previous", self.name),
        ]
        .map(|name| dir.join(name))
    }

    fn aside(&self, dir: &Path, number: usize) -> PathBuf {
        dir.join(format!("{}.damaged-{number}", self.name))
    }

    pub(super) fn header(&self, body: &str) -> String {
        let magic = self.magic;
        format!(
            "{magic}crc32={:08x} length={}\n",
            crc32fast::hash(body.as_bytes()),
            body.len()
        )
    }
}

/// Stores a text. When this returns `Ok` it survives a power cut; on an error the text before it is still stored.
pub(super) fn save(
    files: &mut impl FileOps,
    dir: &Path,
    sheet: &Sheet,
    text: &str,
) -> io::Result<()> {
    let [new, current, previous] = sheet.paths(dir);
    let mut whole = sheet.header(text);
    whole.push_str(text);
    write_whole(files, &new, whole.as_bytes())?;
    // A file that was damaged since it was read must not take the place of a good previous copy.
    if matches!(read(files, sheet, &current)?, Found::Good(_)) {
        files.rename(&current, &previous)?;
    }
    files.rename(&new, &current)?;
    files.sync_dir(dir)
}

/// The stored text (empty = none was stored), and what was not in order.
pub(super) fn load(
    files: &mut impl FileOps,
    dir: &Path,
    sheet: &Sheet,
) -> io::Result<(String, Vec<String>)> {
    let [new, current, previous] = sheet.paths(dir);
    // It is nothing, whether it can go or not.
    let _ = files.remove(&new);
    let mut messages = Vec::new();
    let first = read(files, sheet, &current)?;
    if let Found::Good(text) = first {
        return Ok((text, messages));
    }
    let never_saved = matches!(first, Found::Missing);
    note(files, dir, sheet, &current, first, &mut messages);
    match read(files, sheet, &previous)? {
        Found::Good(text) => {
            messages.push(format!(
                "{} is used: the set stored before the last one",
                previous.display()
            ));
            Ok((text, messages))
        }
        // Files set aside and nothing stored since: the loss is told at each start, not at the first only.
        Found::Missing if never_saved && !exists(files, &sheet.aside(dir, 1)) => {
            Ok((String::new(), Vec::new()))
        }
        found @ (Found::Missing | Found::Damaged(_)) => {
            note(files, dir, sheet, &previous, found, &mut messages);
            let [before, behind] = sheet.lost;
            messages.push(format!("{before} {}: {behind}", dir.display()));
            Ok((String::new(), messages))
        }
    }
}

/// Says what is wrong with a file, and sets a damaged one aside.
fn note(
    files: &mut impl FileOps,
    dir: &Path,
    sheet: &Sheet,
    path: &Path,
    found: Found,
    messages: &mut Vec<String>,
) {
    match found {
        Found::Good(_) => {}
        Found::Missing => messages.push(format!("{} is missing", path.display())),
        Found::Damaged(why) => {
            let kept = match set_aside(files, dir, sheet, path) {
                Ok(aside) => format!("kept as {}", aside.display()),
                Err(error) => format!("left in place: {error}"),
            };
            messages.push(format!("{} is damaged ({why}); {kept}", path.display()));
        }
    }
}

fn set_aside(
    files: &mut impl FileOps,
    dir: &Path,
    sheet: &Sheet,
    path: &Path,
) -> io::Result<PathBuf> {
    let mut number = 1;
    while number < MAX_DAMAGED && exists(files, &sheet.aside(dir, number)) {
        number += 1;
    }
    files.rename(path, &sheet.aside(dir, number))?;
    Ok(sheet.aside(dir, number))
}

/// Whatever it is: what was set aside may be unreadable, or a folder.
fn exists(files: &mut impl FileOps, path: &Path) -> bool {
    !matches!(files.read(path, 1), Ok(None))
}

/// What a file turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    Missing,
    Good(String),
    Damaged(String),
}

/// Only a file that may not be read is an error: then nothing could be stored either.
pub(super) fn read(files: &mut impl FileOps, sheet: &Sheet, path: &Path) -> io::Result<Found> {
    match files.read(path, sheet.most) {
        Ok(None) => Ok(Found::Missing),
        Ok(Some(bytes)) => Ok(unwrap(sheet, bytes).map_or_else(Found::Damaged, Found::Good)),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Err(error),
        Err(error) => Ok(Found::Damaged(error.to_string())),
    }
}

/// The body of a whole file. Its first line must be, to the byte, the one that this body gets.
fn unwrap(sheet: &Sheet, bytes: Vec<u8>) -> Result<String, String> {
    let text = String::from_utf8(bytes).map_err(|_| "it is not text".to_owned())?;
    let (first, body) = text.split_once('\n').ok_or("it has no first line")?;
    let wanted = sheet.header(body);
    if wanted.trim_end() == first {
        return Ok(body.to_owned());
    }
    if !first.starts_with(sheet.magic) {
        return Err(format!("its first line is not `{}…`", sheet.magic));
    }
    Err(format!(
        "its first line is `{first}`, its contents give `{}`",
        wanted.trim_end()
    ))
}
