//! The HTTP part: a thread with a runtime of its own, which sleeps while nobody looks.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use tokio::sync::watch;

use crate::Recorder;
use crate::device::Device;

mod access;
mod app;
mod apply;
mod assets;
mod at;
mod body;
mod door;
mod events;
mod fault;
mod feed;
mod files;
mod metrics;
mod pages;
mod peer;
mod router;
mod schema;
mod selfmade;
mod serve;
mod session;
mod settings;
mod tls;
mod who;

use app::App;

/// Where the console listens, and who may use it.
#[derive(Clone, Debug)]
pub struct Config {
    /// The address.
    pub listen: SocketAddr,
    /// The address was asked for. One that was not gives way to the next free port.
    pub explicit: bool,
    /// Names by which browsers reach it (`console.hosts`), beside localhost, its own address and the host's name.
    pub hosts: Vec<String>,
    /// Proxies whose `X-Forwarded-*` is believed (`console.trusted_proxies`).
    pub trusted_proxies: Vec<IpAddr>,
    /// The path below which a proxy shows it (`console.base`), without an end slash: ``, `/dtu`.
    pub base: String,
    /// The directory of its files: passwords and sessions.
    pub state: Option<PathBuf>,
    /// Certificate and key in PEM.
    pub tls: Option<TlsFiles>,
    /// Without these files a certificate of its own, kept in the directory of its files.
    pub tls_self: bool,
    /// Without TLS beyond this host: said aloud.
    pub insecure: bool,
    /// What `Authorization: Bearer` must say for `/metrics` from beyond this host.
    pub metrics_token: Option<String>,
    /// The name of this program and its version, for the page.
    pub version: String,
}

/// Where the certificate is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The chain.
    pub certificate: PathBuf,
    /// The key.
    pub key: PathBuf,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), PORT),
            explicit: false,
            hosts: Vec::new(),
            trusted_proxies: Vec::new(),
            base: String::new(),
            state: None,
            tls: None,
            tls_self: false,
            insecure: false,
            metrics_token: None,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

/// Where it is, if nobody says otherwise.
pub const PORT: u16 = 7200;
/// So many ports behind it are tried.
const PORTS: u16 = 100;

impl Config {
    /// Whether it may listen there.
    ///
    /// # Errors
    /// A sentence that says what is missing, and how it is given.
    pub fn check(&self) -> Result<(), String> {
        tls::check(self)?;
        let address = self.listen;
        if address.ip().to_canonical().is_loopback() {
            return Ok(());
        }
        let hashes = match &self.state {
            Some(state) => crate::password::read(&state.join(crate::password::FILE))
                .map_err(|error| format!("the console's passwords cannot be read: {error}"))?,
            None => crate::password::Hashes::default(),
        };
        if hashes.owner.is_none() {
            return Err(format!(
                "the console at {address} can be reached from beyond this host and has no password: \
                 `dtud console-password` sets one"
            ));
        }
        if !self.speaks_tls() && !self.insecure {
            return Err(format!(
                "the console at {address} can be reached from beyond this host and would send its password in \
                 clear: console.certificate and console.key name files in PEM, or console.tls = \"self\" makes a \
                 certificate, or console.insecure = true"
            ));
        }
        Ok(())
    }

    const fn self_made(&self) -> bool {
        self.tls_self && self.tls.is_none()
    }

    /// Whether it is reached by `https`.
    #[must_use]
    pub const fn speaks_tls(&self) -> bool {
        self.tls.is_some() || self.tls_self
    }

    fn bind(&self) -> io::Result<TcpListener> {
        let refused = |error: io::Error| {
            io::Error::new(
                error.kind(),
                format!("the console at {}: {error}", self.listen),
            )
        };
        self.check()
            .map_err(|text| io::Error::new(io::ErrorKind::InvalidInput, text))?;
        let mut address = self.listen;
        loop {
            match TcpListener::bind(address) {
                Ok(listener) => return Ok(listener),
                Err(error)
                    if error.kind() == io::ErrorKind::AddrInUse
                        && !self.explicit
                        && address.port() < self.listen.port().saturating_add(PORTS) =>
                {
                    address.set_port(address.port() + 1);
                }
                Err(error) => return Err(refused(error)),
            }
        }
    }
}

/// The console.
#[derive(Debug)]
pub struct Console;

impl Console {
    /// Starts it on a thread of its own. Its address is bound when this returns.
    ///
    /// # Errors
    /// The address cannot be had, or may not be used so ([`Config::check`]).
    pub fn spawn(
        config: Config,
        device: Arc<dyn Device>,
        recorder: Option<Arc<Recorder>>,
    ) -> io::Result<Handle> {
        let listener = config.bind()?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let scheme = if config.speaks_tls() { "https" } else { "http" };
        let url = format!("{scheme}://{address}{}/", config.base);
        let (stop, stopped) = watch::channel(false);
        // In front of the runtime, which may not be dropped where the caller has one.
        let app = App::new(config, device, recorder, stopped)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .max_blocking_threads(BLOCKING_THREADS)
            .thread_name("console")
            .thread_keep_alive(Duration::from_secs(1))
            .build()?;
        let (ended, end) = mpsc::sync_channel(1);
        let of_handle = Arc::clone(&app);
        thread::Builder::new()
            .name("console".to_owned())
            .spawn(move || {
                let served = runtime.block_on(serve::serve(listener, app));
                if let Err(error) = served {
                    tracing::warn!("console: {error}");
                }
                // A door that still waits for a device ends by its own deadline.
                runtime.shutdown_background();
                let _ = ended.send(());
            })?;
        Ok(Handle {
            address,
            url,
            app: of_handle,
            stop,
            end: Mutex::new(end),
        })
    }
}

/// Doors, checks of passwords, and states: more than these at a time wait.
const BLOCKING_THREADS: usize = 4;
/// Until it has ended.
const STOP: Duration = Duration::from_secs(1);

/// A console that runs. It ends with this.
pub struct Handle {
    address: SocketAddr,
    url: String,
    app: Arc<App>,
    stop: watch::Sender<bool>,
    end: Mutex<mpsc::Receiver<()>>,
}

impl Handle {
    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What a browser opens.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// SHA-256 of a self-made certificate, to be compared with what the browser shows.
    #[must_use]
    pub fn fingerprint(&self) -> Option<String> {
        self.app.tls.as_ref().and_then(tls::Tls::fingerprint)
    }

    /// Reads certificate and key again, on a thread of its own: a folder may be far away, and not answer. `told` gets what
    /// is wrong with them, where the old ones stay; else the fingerprint of a certificate of its own. Nobody is told
    /// anything where there is no TLS.
    pub fn reload(&self, told: impl Fn(io::Result<()>, Option<String>) + Send + 'static) {
        let app = Arc::clone(&self.app);
        let Some(tls) = &self.app.tls else {
            return;
        };
        if !tls.reads_again() {
            return;
        }
        let begun = thread::Builder::new()
            .name("console-tls".to_owned())
            .spawn(move || {
                if let Some(tls) = &app.tls {
                    tls.reload(&told);
                }
            });
        if let Err(error) = begun {
            tls.reads_no_more();
            tracing::warn!("console: certificate and key are not read again: {error}");
        }
    }

    /// Ends it, within a second.
    pub fn stop(self) {
        drop(self);
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Handle").field(&self.url).finish()
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
        let _ = app::lock(&self.end).recv_timeout(STOP);
    }
}
