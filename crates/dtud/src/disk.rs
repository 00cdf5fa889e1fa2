//! What is kept on disk, as the loop sees it: saving parameters in the background, spooling at once.

use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use dtu_proto::config::Config;
use dtu_proto::event::{LINKS, LinkId, StoreOutput};
use tokio::task::JoinHandle;
use tracing::{info, warn};

use crate::settings::Settings;
use crate::spool::{Left, Spool, find_undelivered, save_undelivered};
use crate::store::ParameterStore;

pub(crate) struct Disk {
    dir: PathBuf,
    store: Arc<Mutex<ParameterStore>>,
    saving: Option<JoinHandle<std::io::Result<()>>>,
    /// Of the links with `spool = "disk"`.
    spools: [Option<Spool>; LINKS],
    /// The last trouble with a spool was told.
    told: [bool; LINKS],
}

/// What the last run left.
pub(crate) struct Kept {
    pub(crate) config: Config,
    pub(crate) frames: Vec<(LinkId, u64, Bytes)>,
    /// Still on the disk, though no spool keeps them.
    pub(crate) to_forget: Vec<Left>,
}

impl Kept {
    /// Called when nothing can stop the start any more.
    pub(crate) fn forget(to_forget: Vec<Left>) {
        for left in to_forget {
            if let Err(error) = left.forget() {
                warn!("frames of the last run may come twice: {error}");
            }
        }
    }
}

impl Disk {
    pub(crate) fn open(dir: &Path, settings: &Settings) -> anyhow::Result<(Self, Kept)> {
        let (store, config, messages) = ParameterStore::open(dir)?;
        for message in messages {
            warn!("store: {message}");
        }
        let mut spools = [const { None }; LINKS];
        let (mut frames, mut to_forget) = (Vec::new(), Vec::new());
        for link in LinkId::ALL {
            let Opened { spool, frames: left, to_forget: file } = open_link(dir, settings, link);
            spools[link.index()] = spool;
            to_forget.extend(file);
            if !left.is_empty() {
                info!("link {link}: {} frames of the last run wait", left.len());
            }
            frames.extend(left.into_iter().map(|(number, frame)| (link, number, frame)));
        }
        let store = Arc::new(Mutex::new(store));
        let disk = Self { dir: dir.to_owned(), store, saving: None, spools, told: [false; LINKS] };
        Ok((disk, Kept { config, frames, to_forget }))
    }

    pub(crate) fn order(&mut self, order: StoreOutput) {
        match order {
            StoreOutput::Save(text) => {
                let store = Arc::clone(&self.store);
                // Waiting for the disk must not stop the line.
                self.saving = Some(tokio::task::spawn_blocking(move || {
                    store.lock().unwrap_or_else(PoisonError::into_inner).save(&text)
                }));
            }
            StoreOutput::Messages { .. } => {}
            StoreOutput::SpoolAppend(link, number, frame) => {
                self.spool(link, |spool| spool.append(number, &frame));
            }
            StoreOutput::SpoolRelease(link, up_to) => self.spool(link, |spool| spool.release(up_to)),
        }
    }

    /// The frame stays in memory whatever the disk says, so trouble is told, once until it is over.
    fn spool(&mut self, link: LinkId, act: impl FnOnce(&mut Spool) -> std::io::Result<()>) {
        let Some(spool) = &mut self.spools[link.index()] else { return };
        let outcome = act(spool);
        let told = std::mem::replace(&mut self.told[link.index()], outcome.is_err());
        if let (Err(error), false) = (outcome, told) {
            warn!("link {link}: spool: {error}");
        }
    }

    pub(crate) const fn is_saving(&self) -> bool {
        self.saving.is_some()
    }

    /// The outcome of the save that is under way.
    pub(crate) fn poll_saved(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), String>> {
        let Some(saving) = &mut self.saving else { return Poll::Pending };
        let done = std::task::ready!(Pin::new(saving).poll(cx));
        self.saving = None;
        Poll::Ready(match done {
            Ok(saved) => saved.map_err(|error| error.to_string()),
            Err(broken) => Err(broken.to_string()),
        })
    }

    /// At a clean stop; the links with a spool have theirs there.
    pub(crate) fn keep_undelivered<'a>(&self, link: LinkId, frames: impl Iterator<Item = (u64, &'a Bytes)>) {
        if self.spools[link.index()].is_some() {
            return;
        }
        if let Err(error) = save_undelivered(&self.dir, link, frames) {
            warn!("link {link}: the undelivered frames are lost: {error}");
        }
    }
}

/// What a link finds on the disk.
#[derive(Default)]
struct Opened {
    spool: Option<Spool>,
    frames: Vec<(u64, Bytes)>,
    to_forget: Option<Left>,
}

/// Opens what a link left. What cannot be read is set aside: one bad file must not stop the device for ever.
fn open_link(dir: &Path, settings: &Settings, link: LinkId) -> Opened {
    let open = || match settings.spool_settings(link) {
        Some(wanted) => {
            let (spool, frames) = Spool::open(dir, link, wanted.size, wanted.sync)?;
            Ok(Opened { spool: Some(spool), frames, to_forget: None })
        }
        None => {
            let left = find_undelivered(dir, link)?;
            Ok(Opened { spool: None, frames: left.frames.clone(), to_forget: Some(left) })
        }
    };
    let told = |error: std::io::Error| {
        warn!("link {link}: {error}; set aside");
        set_aside(dir, link);
    };
    open().map_err(told).or_else(|()| open()).unwrap_or_else(|error: std::io::Error| {
        warn!("link {link}: its frames are kept in memory only: {error}");
        Opened::default()
    })
}

fn set_aside(dir: &Path, link: LinkId) {
    for name in [format!("undelivered-{link}"), format!("spool/link-{link}")] {
        let path = dir.join(&name);
        let free = (1..=SET_ASIDE_MAX)
            .map(|n| dir.join(format!("{name}.damaged-{n}")))
            .find(|aside| !aside.exists());
        if let (true, Some(aside)) = (path.exists(), free)
            && let Err(error) = std::fs::rename(&path, &aside)
        {
            warn!("{}: {error}", path.display());
        }
    }
}

/// Files set aside are kept for a look, but not without end.
const SET_ASIDE_MAX: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_set_aside_and_the_device_starts() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("undelivered-3")).unwrap();
        let (_, kept) = Disk::open(dir.path(), &Settings::default()).unwrap();
        assert!(kept.frames.is_empty());
        assert!(dir.path().join("undelivered-3.damaged-1").is_dir());
    }

    #[test]
    fn a_file_in_the_place_of_a_spool_is_set_aside() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("spool")).unwrap();
        std::fs::write(dir.path().join("spool/link-1"), "no folder").unwrap();
        let settings = dir.path().join("s.toml");
        std::fs::write(&settings, "[link.1]\nspool = \"disk\"").unwrap();
        let (disk, _) = Disk::open(dir.path(), &Settings::load(&settings).unwrap()).unwrap();
        assert!(disk.spools[0].is_some());
        assert!(dir.path().join("spool/link-1.damaged-1").is_file());
    }
}
