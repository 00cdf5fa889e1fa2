//! What the host decides about the device and no AT command changes: the knobs of the settings file.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::config::Role;
use crate::ids::{LINKS, PhoneNumber};
use crate::time::Duration;

/// The knobs. `Options::default()` is what an empty settings file gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Length of the set-up window after power-on.
    pub setup_window: Duration,
    /// What `AT+CISHUTDOWN` does.
    pub shutdown: Shutdown,
    /// Reset the modem, then restart, when no TCP link comes up for 15 minutes.
    pub recovery: bool,
    /// What network commands may do while the password is the factory one.
    pub factory_password: FactoryPassword,
    /// Whether `CIPCFG` LEN closes frames.
    pub length_enabled: bool,
    /// The gaps inside `+++` must be shorter than this; 20 ms ..= 1 s.
    pub escape_gap: Duration,
    /// What serial bytes that are text mean.
    pub charset: Charset,
    /// The DTE waits while the line is not read (a pty, a serial server, RTS/CTS). On any other line the bytes would be
    /// lost where nobody counts them.
    pub line_holds: bool,
    /// How long bytes for the DTE wait for a line that is missing; 0..=3600 s.
    pub line_hold: Duration,
    /// An answer of the HTTP server must be whole within this time, whatever comes (what the DTE takes to read it does
    /// not count); `None` = no bound.
    pub http_answer_max: Option<Duration>,
    /// Numbers that may command by message; empty = any.
    pub sms_allow: Vec<PhoneNumber>,
    /// Per link.
    pub links: [LinkOptions; LINKS],
    /// For the frames of the HTTPD client and of the serial command mode: what `[link]` says, without a number.
    pub modes: LinkOptions,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            setup_window: Duration::from_secs(5),
            shutdown: Shutdown::Restart,
            recovery: true,
            factory_password: FactoryPassword::Query,
            length_enabled: false,
            escape_gap: Duration::from_millis(50),
            charset: Charset::default(),
            line_holds: true,
            line_hold: Duration::from_secs(2),
            http_answer_max: Some(Duration::from_secs(600)),
            sms_allow: Vec::new(),
            links: core::array::from_fn(|_| LinkOptions::default()),
            modes: LinkOptions::default(),
        }
    }
}

/// What `AT+CISHUTDOWN` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shutdown {
    /// Restart, as the manual says of all but one model.
    Restart,
    /// End the program.
    Stop,
}

/// What network (and SMS) commands may do while the password is still the factory one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactoryPassword {
    /// Query, and set the password.
    Query,
    /// Everything, as the original.
    Full,
    /// Nothing.
    Off,
}

/// Meaning of serial bytes that are text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Charset {
    /// The original's.
    #[default]
    Gbk,
    /// UTF-8.
    Utf8,
}

/// The knobs of one link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkOptions {
    /// Bytes of frames that wait at most.
    pub cache: usize,
    /// What goes when the cache is full.
    pub drop_policy: DropPolicy,
    /// Send again what was not acknowledged when a connection was lost.
    pub resend: bool,
    /// Tell the host each frame, so that it can keep them over a power cut (`spool = "disk"`).
    pub spool: bool,
    /// Longest pause between two attempts.
    pub backoff_max: Duration,
    /// A short link closes after so long without data.
    pub short_link_idle: Duration,
    /// Role fixed by the settings file; `None` = as `AT+CIROLE` says.
    pub role: Option<Role>,
    /// Reply expected to the registration packet.
    pub expect_registration: Option<Box<Expect>>,
    /// Reply expected to each heartbeat.
    pub expect_heartbeat: Option<Box<Expect>>,
}

impl Default for LinkOptions {
    fn default() -> Self {
        Self {
            cache: 1024 * 1024,
            drop_policy: DropPolicy::Auto,
            resend: true,
            spool: false,
            backoff_max: Duration::from_secs(30),
            short_link_idle: Duration::from_secs(10),
            role: None,
            expect_registration: None,
            expect_heartbeat: None,
        }
    }
}

/// What happens to frames when a cache is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DropPolicy {
    /// While a server takes bytes, the serial line is read only as fast as the fastest such link takes them, and links
    /// that lag behind lose their oldest frames; else, and on a line that cannot be held, the oldest whole frame goes.
    Auto,
    /// The oldest whole frame goes.
    Oldest,
    /// The frame that comes goes.
    Newest,
    /// The serial line is not read until there is room.
    Block,
}

/// A reply that the server is expected to give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expect {
    /// Bytes that must occur in what comes.
    pub reply: Vec<u8>,
    /// In this time.
    pub within: Duration,
    /// So many times in a row it may be missing; the last closes the link.
    pub misses: u8,
    /// The reply goes on to the serial line as well.
    pub pass: bool,
}
