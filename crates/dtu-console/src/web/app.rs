//! What all requests share.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use dtu_setup::Schema;
use tokio::sync::{Semaphore, watch};

use super::Config;
use super::access::Hosts;
use super::events::Hub;
use super::settings::Known;
use super::tls::Tls;
use super::who::{Guesses, Sessions, hex};
use crate::Recorder;
use crate::device::Device;
use crate::password::random;

pub(crate) struct App {
    pub(crate) config: Config,
    pub(crate) hosts: Hosts,
    pub(crate) device: Arc<dyn Device>,
    pub(crate) recorder: Option<Arc<Recorder>>,
    /// Made when it is first asked for: its making touches the whole command table.
    pub(crate) schema: LazyLock<Schema>,
    /// The door has one user at a time.
    pub(crate) door: Arc<Semaphore>,
    /// What was read of the settings last, by its tag.
    pub(crate) known: Mutex<VecDeque<Known>>,
    pub(crate) sessions: Mutex<Sessions>,
    pub(crate) guesses: Mutex<Guesses>,
    /// A check of a password takes 19 MiB: one at a time.
    pub(crate) checks: Arc<Semaphore>,
    pub(crate) hub: Hub,
    /// The recorder counts anew in each run: its numbers say something only together with this.
    pub(crate) run: String,
    pub(crate) tls: Option<Tls>,
    pub(crate) stopped: watch::Receiver<bool>,
}

impl App {
    pub(crate) fn new(
        config: Config,
        device: Arc<dyn Device>,
        recorder: Option<Arc<Recorder>>,
        stopped: watch::Receiver<bool>,
    ) -> io::Result<Arc<Self>> {
        let hosts = Hosts::new(&config);
        Ok(Arc::new(Self {
            sessions: Mutex::new(Sessions::open(config.state.as_deref())?),
            guesses: Mutex::default(),
            checks: Arc::new(Semaphore::new(1)),
            schema: LazyLock::new(Schema::new),
            door: Arc::new(Semaphore::new(1)),
            known: Mutex::default(),
            hub: Hub::default(),
            run: hex(&random::<4>()),
            tls: Tls::open(&config, hosts.names())?,
            hosts,
            config,
            device,
            recorder,
            stopped,
        }))
    }
}

/// Who panicked with it has left nothing half done that matters.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
