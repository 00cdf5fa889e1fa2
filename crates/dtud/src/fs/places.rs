//! A few numbers that are written in place. Two places in one file are written in turn, so that a torn write leaves the
//! other; the newer good one counts.

use std::io;
use std::path::Path;
use std::sync::Arc;

use tracing::warn;

use super::{Fs, OpenFile, aside};

/// The numbers. Of two sets the one with the greater first number is the newer one.
#[derive(Debug)]
pub(crate) struct Places {
    file: Arc<OpenFile>,
    words: Vec<u64>,
    /// The place that is written next: not the one that holds `words`.
    place: usize,
}

impl Places {
    pub(crate) fn open(fs: &Fs, path: &Path, count: usize) -> io::Result<Self> {
        let file = fs.open(path).or_else(|error| {
            // What is no file must not cost the frames beside it.
            if std::fs::symlink_metadata(path).is_ok_and(|data| data.is_file())
                || fs.rename(path, &aside(path)).is_err()
            {
                return Err(error);
            }
            fs.open(path)
        })?;
        // What cannot be read now can perhaps be read the next moment; a sector that is gone stays so.
        let (file, (words, place)) = match read(&file, count).or_else(|_| read(&file, count)) {
            Ok(read) => (file, read),
            Err(error) => {
                warn!("disk: {error}; begun anew");
                fs.rename(path, &aside(path))?;
                (fs.open(path)?, (vec![0; count], 1))
            }
        };
        // Room for both places now: a full disk must not keep delivered frames from being marked. If it is full
        // already, `write` tells.
        if file.len().is_ok_and(|length| length == 0) {
            let _ = clear(&file, count);
        }
        Ok(Self {
            file: Arc::new(file),
            words,
            place,
        })
    }

    pub(crate) fn words(&self) -> &[u64] {
        &self.words
    }

    pub(crate) const fn file(&self) -> &Arc<OpenFile> {
        &self.file
    }

    pub(crate) fn write(&mut self, words: Vec<u64>) -> io::Result<()> {
        let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        bytes.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
        self.file.write_all_at(&bytes, PLACES[self.place])?;
        self.place = 1 - self.place;
        self.words = words;
        Ok(())
    }

    /// Back to zeros, on the disk.
    pub(crate) fn reset(&mut self) -> io::Result<()> {
        clear(&self.file, self.words.len())?;
        self.file.sync_data()?;
        self.words.fill(0);
        Ok(())
    }
}

/// The numbers as they stand, where nothing may be written; zeros where there are none.
pub(crate) fn peek(fs: &Fs, path: &Path, count: usize) -> Vec<u64> {
    let read = fs.open_to_read(path).and_then(|file| read(&file, count));
    read.map_or_else(|_| vec![0; count], |(words, _)| words)
}

/// Neither place holds anything (the sum of zeros is not zero), and both keep their room.
fn clear(file: &OpenFile, count: usize) -> io::Result<()> {
    PLACES
        .iter()
        .try_for_each(|offset| file.write_all_at(&vec![0; count * 8 + 4], *offset))
}

/// What counts, and the place for the next.
fn read(file: &OpenFile, count: usize) -> io::Result<(Vec<u64>, usize)> {
    let [first, second] = PLACES.map(|offset| read_place(file, offset, count));
    let (first, second) = (first?, second?);
    Ok(if first.first() >= second.first() {
        (first, 1)
    } else {
        (second, 0)
    })
}

/// Zeros where nothing whole was written, and for the numbers that an earlier version did not have.
fn read_place(file: &OpenFile, offset: u64, count: usize) -> io::Result<Vec<u64>> {
    let mut bytes = vec![0; count * 8 + 4];
    match file.read_exact_at(&mut bytes, offset) {
        Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let is_whole = |count: &usize| {
        let (words, behind) = bytes.split_at(count * 8);
        behind.starts_with(&crc32fast::hash(words).to_le_bytes())
    };
    let known = (1..=count).rev().find(is_whole).unwrap_or(0);
    let known = bytes
        .chunks_exact(8)
        .take(known)
        .filter_map(|word| word.try_into().ok());
    Ok(known
        .map(u64::from_le_bytes)
        .chain(std::iter::repeat(0))
        .take(count)
        .collect())
}

/// In different sectors of the disk.
const PLACES: [u64; 2] = [0, 4096];

#[cfg(test)]
mod tests {
    use super::*;

    /// K3: a counter that a new version adds does not cost those of the version before.
    #[test]
    fn k3_a_file_with_fewer_numbers_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let (fs, path) = (Fs::default(), dir.path().join("losses"));
        let mut old = Places::open(&fs, &path, 3).unwrap();
        for age in 1..=3 {
            old.write(vec![age, age + 10, age + 20]).unwrap();
        }
        assert_eq!(peek(&fs, &path, 5), [3, 13, 23, 0, 0]);
        let mut new = Places::open(&fs, &path, 5).unwrap();
        assert_eq!(new.words(), [3, 13, 23, 0, 0]);
        new.write(vec![4, 14, 24, 34, 44]).unwrap();
        assert_eq!(peek(&fs, &path, 5), [4, 14, 24, 34, 44]);
        assert_eq!(
            Places::open(&fs, &path, 5).unwrap().words(),
            [4, 14, 24, 34, 44]
        );
    }
}
