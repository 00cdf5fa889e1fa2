//! What is kept on disk, as the loop sees it: saving parameters in the background, spooling at once.

use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use dtu_proto::config::Config;
use dtu_proto::event::{LinkId, StoreOutput};
use tokio::task::JoinHandle;
use tracing::warn;

use crate::settings::Settings;
use crate::store::ParameterStore;

pub(crate) struct Disk {
    store: Arc<Mutex<ParameterStore>>,
    saving: Option<JoinHandle<std::io::Result<()>>>,
}

impl Disk {
    pub(crate) fn open(dir: &Path, _settings: &Settings) -> anyhow::Result<(Self, Config)> {
        let (store, config, messages) = ParameterStore::open(dir)?;
        for message in messages {
            warn!("store: {message}");
        }
        Ok((Self { store: Arc::new(Mutex::new(store)), saving: None }, config))
    }

    /// What an earlier run left of a link's frames.
    pub(crate) fn take_undelivered(&mut self, _link: LinkId) -> Vec<(u64, Bytes)> {
        Vec::new()
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
            StoreOutput::SpoolAppend(..) | StoreOutput::SpoolRelease(..) => {}
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

    /// At a clean stop.
    pub(crate) fn keep_undelivered<'a>(
        &mut self,
        _link: LinkId,
        _frames: impl Iterator<Item = (u64, &'a Bytes)>,
    ) {
    }

    pub(crate) fn close(&mut self) {}
}
