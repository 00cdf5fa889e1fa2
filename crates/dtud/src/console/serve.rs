//! The console's address: had, given way, or waited for.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dtu_console::recorder::Recorder;
use dtu_console::{Config, Handle, PORT, TlsFiles};
use tracing::{info, warn};

use super::{Asker, Console, Inbox, Kind, log};
use crate::control::Control;
use crate::settings::{self, ConsoleAddress};

/// How the server is to be, if there is to be one.
pub(crate) fn config(
    argument: Option<ConsoleAddress>,
    settings: &settings::Console,
    state: &Path,
) -> Option<Config> {
    let (listen, explicit) = match argument.or(settings.addr) {
        Some(ConsoleAddress::Off) => return None,
        Some(ConsoleAddress::At(address)) => (address, true),
        None => (SocketAddr::new(Ipv4Addr::LOCALHOST.into(), PORT), false),
    };
    let tls = match (&settings.certificate, &settings.key) {
        (Some(certificate), Some(key)) => Some(TlsFiles {
            certificate: certificate.clone(),
            key: key.clone(),
        }),
        (Some(_), None) | (None, Some(_)) | (None, None) => None,
    };
    Some(Config {
        listen,
        explicit,
        hosts: settings.hosts.clone(),
        trusted_proxies: settings.trusted_proxies.clone(),
        base: settings.base.clone().unwrap_or_default(),
        state: Some(state.to_owned()),
        tls,
        tls_self: settings.tls_self,
        insecure: settings.insecure,
        metrics_token: settings
            .metrics_token
            .as_ref()
            .map(|token| token.text().to_owned()),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    })
}

/// Whether it may listen there.
///
/// # Errors
/// A sentence that says what is missing, and how it is given.
pub(crate) fn check(config: &Config) -> Result<(), String> {
    config.check()
}

/// Whether the settings' certificate and key can be used, wherever it will listen.
pub(crate) fn check_files(settings: &settings::Console) -> Result<(), String> {
    let (Some(certificate), Some(key)) = (&settings.certificate, &settings.key) else {
        return Ok(());
    };
    let tls = Some(TlsFiles {
        certificate: certificate.clone(),
        key: key.clone(),
    });
    check(&Config {
        tls,
        ..Config::default()
    })
}

/// Nobody where the address is taken by another program.
pub(super) type Shared = Arc<Mutex<Option<Handle>>>;

/// The server, for as long as this lives.
pub(crate) struct Server {
    handle: Shared,
    told: String,
}

impl Server {
    /// What the ready line says of it.
    pub(crate) fn told(&self) -> &str {
        &self.told
    }

    /// Ends it.
    pub(crate) fn stop(&self) {
        drop(lock(&self.handle).take());
    }
}

/// Starts the server, and what the machine has of it. An address that is taken does not keep the device from its work.
///
/// # Errors
/// What waiting cannot mend.
pub(crate) fn start(
    config: Config,
    kind: Kind,
    control: &Arc<Control>,
) -> io::Result<(Server, Console)> {
    if config.insecure && !config.speaks_tls() && !config.listen.ip().is_loopback() {
        warn!("console: insecure = true: passwords and all data cross this network in the clear");
    }
    let recorder = Arc::new(Recorder::default());
    log::record(Arc::clone(&recorder));
    let inbox = Arc::new(Inbox::new(Arc::clone(control)));
    let device = Arc::new(Asker::new(Arc::clone(&inbox), kind));
    let handle = Shared::default();
    let console = Console::new(inbox, Arc::clone(&handle), Arc::clone(&recorder));
    let spawn = move || {
        dtu_console::Console::spawn(config.clone(), device.clone(), Some(Arc::clone(&recorder)))
    };
    let told = match spawn() {
        Ok(served) => {
            let told = tell(&served);
            *lock(&handle) = Some(served);
            told
        }
        Err(error) if is_passing(&error) => {
            warn!(
                "console: {error}; the device runs without it, and tries again every {} s",
                AGAIN.as_secs()
            );
            let handle = Arc::clone(&handle);
            std::thread::Builder::new()
                .name("console-wait".to_owned())
                .spawn(move || try_again(spawn, &handle))?;
            BUSY.to_owned()
        }
        Err(error) => return Err(error),
    };
    Ok((Server { handle, told }, console))
}

/// Where it is; the fingerprint of a self-made certificate is compared with what the browser shows.
fn tell(served: &Handle) -> String {
    let url = served.url();
    let Some(fingerprint) = served.fingerprint() else {
        info!("console: {url}");
        return url.to_owned();
    };
    info!("console: {url}, with a self-made certificate, SHA-256 {fingerprint}");
    format!("{url} sha256={fingerprint}")
}

fn try_again(spawn: impl Fn() -> io::Result<Handle>, handle: &Mutex<Option<Handle>>) {
    loop {
        std::thread::sleep(AGAIN);
        match spawn() {
            Ok(served) => {
                tell(&served);
                *lock(handle) = Some(served);
                return;
            }
            Err(error) if is_passing(&error) => {}
            Err(error) => {
                warn!("console: {error}");
                return;
            }
        }
    }
}

/// Taken by another program, or not this host's yet.
fn is_passing(error: &io::Error) -> bool {
    [io::ErrorKind::AddrInUse, io::ErrorKind::AddrNotAvailable].contains(&error.kind())
}

pub(super) fn lock(handle: &Mutex<Option<Handle>>) -> std::sync::MutexGuard<'_, Option<Handle>> {
    handle.lock().unwrap_or_else(PoisonError::into_inner)
}

const BUSY: &str = "busy";
const AGAIN: Duration = Duration::from_secs(5);
