//! The serial line: carries out `SerialOutput`, reports `SerialInput`.
//!
//! A line that is missing is a state: it is tried again each second, an outstanding write stays, and the last
//! rate and format are set again when it is back.

mod pty;
mod retry;
mod tcp;
mod tty;
mod users;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use dtu_proto::config::LineFormat;
use dtu_proto::event::{Lost, SerialOutput};
use dtu_proto::time::Instant;
use tracing::{debug, warn};

use crate::port::Port;
use crate::sys;

pub use pty::Access;
use retry::Retry;

/// Which line, as `--serial` names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// `pty:PATH`: a pseudo terminal, with a symbolic link to it at PATH.
    Pty(PathBuf),
    /// `tty:DEVICE`
    Tty(PathBuf),
    /// `tcp:HOST:PORT`: a serial server that hands the bytes through.
    Tcp(String, u16),
}

impl Default for Address {
    fn default() -> Self {
        Self::Pty("./dtu0".into())
    }
}

impl Address {
    /// As one name of a file: the same line has the same from everywhere, another has another.
    pub(crate) fn folder_name(&self) -> String {
        let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let text = match self {
            Self::Pty(link) => format!("pty{}", absolute(link).display()),
            Self::Tty(device) => format!("tty{}", absolute(device).display()),
            Self::Tcp(host, port) => format!("tcp/{host}:{port}"),
        };
        let escaped = |byte: u8| match byte {
            b'/' => "-".to_owned(),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'_' | b':' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        };
        let name: String = text.bytes().map(escaped).collect();
        // A name has 255 bytes at most.
        if name.len() <= 200 {
            name
        } else {
            format!("{}-{:08x}", &name[..190], crc32fast::hash(text.as_bytes()))
        }
    }

    /// Parses `pty:PATH`, `tty:DEVICE` or `tcp:HOST:PORT`.
    ///
    /// # Errors
    /// A text for the user.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} names no line; give {ADDRESSES}");
        let (kind, rest) = text.split_once(':').ok_or_else(wrong)?;
        match (kind, rest) {
            (_, "") => Err(wrong()),
            ("pty", path) => Ok(Self::Pty(path.into())),
            ("tty", device) => Ok(Self::Tty(device.into())),
            ("tcp", peer) => {
                let (host, port) = peer.rsplit_once(':').ok_or_else(wrong)?;
                let port = port
                    .parse()
                    .ok()
                    .filter(|port| *port != 0 && !host.is_empty());
                let port = port
                    .ok_or_else(|| format!("{peer:?} is not HOST:PORT with a port of 1..=65535"))?;
                Ok(Self::Tcp(host.to_owned(), port))
            }
            _ => Err(wrong()),
        }
    }
}

/// What [`Address::parse`] takes.
pub(crate) const ADDRESSES: &str =
    "pty:PATH, tty:DEVICE (such as tty:/dev/ttyUSB0) or tcp:HOST:PORT";

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pty(path) | Self::Tty(path) => write!(f, "{}", path.display()),
            Self::Tcp(host, port) => write!(f, "{host}:{port}"),
        }
    }
}

/// What the settings file says about the line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wiring {
    /// Hardware flow control.
    pub rts_cts: bool,
    /// The driver switches an RS-485 transceiver.
    pub rs485: bool,
    /// Who may open a pty.
    pub access: Access,
    /// How long bytes wait for a DTE that is gone.
    pub hold: Duration,
}

/// What the line has to tell; `SerialInput` without its borrow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SerialEvent {
    /// So many bytes are in the buffer that was lent: none only at the end of a rest in which none came.
    Data(usize),
    Written,
    Configured(Option<String>),
    Present,
    Gone,
    Lost(Lost),
    /// So many bytes of the write were never out.
    Discarded(usize),
}

pub(crate) struct Serial {
    /// What it is to this program, for logs.
    what: &'static str,
    address: Address,
    backend: Backend,
    port: Option<Port>,
    /// In force, or to be when the line is there.
    format: Option<LineFormat>,
    writing: Option<Writing>,
    configuring: Option<Configuring>,
    written: bool,
    discarded: Option<usize>,
    configured: Option<Option<String>>,
    retry: Retry,
    lost: Option<Lost>,
    /// Of a tty: what its driver had lost when that was last looked at; `None` where it cannot tell.
    overruns: Option<u32>,
    hold: Duration,
    /// When what the last DTE of a pty left unread is of no use any more.
    fades_at: Option<Instant>,
    /// Bytes that it took.
    given: u64,
    /// It was opened, and nobody has been told.
    opened: bool,
    /// Whether others have the pty open is to be looked at, and whether they have set an echo: once a wake-up.
    look_for_users: bool,
    look_for_echo: bool,
    rest: Rest,
}

/// Whether the line is left alone for a while (`dtu_proto::rest`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rest {
    /// It is read as bytes come.
    None,
    Until(Instant),
    /// It was read at the end of one, and whether there is another is not said yet.
    Over,
}

/// What a socket that is not read waits for.
pub(crate) trait Line {
    /// Differs from an earlier one whenever the line took a byte in between.
    fn progress(&self) -> Progress;

    /// A line that took nothing for so long stands still.
    fn patience(&self) -> Duration;
}

/// How far the line has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Bytes that it was given.
    given: u64,
    /// Of these, such as its driver still holds.
    held: u64,
    /// When the DTE last read, where that is known, in seconds.
    read_at: i64,
}

impl Line for Serial {
    fn progress(&self) -> Progress {
        let (held, read_at) = match (&self.backend, &self.port) {
            (Backend::Pty(pty), _) => (pty.unread(), pty.read_at()),
            (Backend::Tty(_) | Backend::Tcp(_), Some(port)) => {
                (sys::unsent(port).unwrap_or(0) as u64, 0)
            }
            (Backend::Tty(_) | Backend::Tcp(_), None) => (0, 0),
        };
        Progress {
            given: self.given,
            held,
            read_at,
        }
    }

    fn patience(&self) -> Duration {
        let lump = match (&self.backend, &self.port) {
            (Backend::Tcp(_), Some(port)) => tcp::lump(port),
            _ => 0,
        };
        STANDS_STILL + characters(lump, self.format.unwrap_or_default())
    }
}

enum Backend {
    Pty(pty::Pty),
    Tty(tty::Tty),
    Tcp(tcp::Server),
}

impl Backend {
    /// A pty that nobody has open is as missing as an adapter that nobody has put in.
    const fn is_used(&self) -> bool {
        match self {
            Self::Pty(pty) => pty.is_used(),
            Self::Tty(_) | Self::Tcp(_) => true,
        }
    }
}

struct Writing {
    bytes: Bytes,
    done: usize,
}

struct Configuring {
    format: LineFormat,
    look_at: Instant,
    give_up_at: Instant,
}

impl Serial {
    /// # Errors
    /// Only where waiting cannot help: the pty or its link cannot be made.
    pub(crate) fn new(address: Address, wiring: Wiring, state: &Path) -> io::Result<Self> {
        match &address {
            Address::Pty(path) => {
                let (pty, port) = pty::Pty::create(path, wiring.access, state)?;
                let serial = Self::with("serial", address, Backend::Pty(pty), Some(port));
                Ok(Self {
                    hold: wiring.hold,
                    ..serial
                })
            }
            Address::Tty(device) => {
                let tty = Backend::Tty(tty::Tty::new(device.clone(), wiring));
                Ok(Self::with("serial", address, tty, None))
            }
            Address::Tcp(host, port) => {
                let server = Backend::Tcp(tcp::Server::new(host.clone(), *port));
                Ok(Self::with("serial", address, server, None))
            }
        }
    }

    /// The line to a modem: a device, which may be the other end of somebody's pty.
    pub(crate) fn to_modem(device: &Path) -> Self {
        let tty = tty::Tty::new(device.to_owned(), Wiring::default());
        Self::with(
            "modem",
            Address::Tty(device.to_owned()),
            Backend::Tty(tty),
            None,
        )
    }

    /// The line to a modem behind a serial server.
    pub(crate) fn to_modem_at(host: String, port: u16) -> Self {
        let server = Backend::Tcp(tcp::Server::new(host.clone(), port));
        Self::with("modem", Address::Tcp(host, port), server, None)
    }

    fn with(what: &'static str, address: Address, backend: Backend, port: Option<Port>) -> Self {
        let longest = match backend {
            Backend::Tcp(_) => LONGEST_PAUSE,
            Backend::Pty(_) | Backend::Tty(_) => retry::FIRST,
        };
        let retry = Retry::new(what, longest);
        let opened = port.is_some() && backend.is_used();
        Self {
            what,
            address,
            backend,
            opened,
            port,
            format: None,
            writing: None,
            configuring: None,
            written: false,
            discarded: None,
            configured: None,
            retry,
            lost: None,
            overruns: None,
            hold: Duration::ZERO,
            fades_at: None,
            given: 0,
            look_for_users: true,
            look_for_echo: true,
            rest: Rest::None,
        }
    }

    /// Leaves the line alone until then, or reads it again as bytes come. Says whether it is to be looked at.
    pub(crate) fn rest(&mut self, until: Option<Instant>) -> bool {
        let mut rest = until.map_or(Rest::None, Rest::Until);
        if rest == self.rest {
            return false;
        }
        if until.is_some() && self.port.as_mut().is_none_or(|port| port.leave().is_err()) {
            rest = Rest::None;
        }
        std::mem::replace(&mut self.rest, rest) != Rest::None && rest == Rest::None
    }

    /// A rest ends now, if it has not ended.
    pub(crate) fn end_rest(&mut self, now: Instant) {
        if let Rest::Until(until) = &mut self.rest {
            *until = now.min(*until);
        }
    }

    /// When a rest ends.
    pub(crate) const fn rest_end(&self) -> Option<Instant> {
        match self.rest {
            Rest::Until(until) => Some(until),
            Rest::None | Rest::Over => None,
        }
    }

    /// Closes it, and opens it again in a moment. What was not written is forgotten.
    pub(crate) fn reopen(&mut self, now: Instant) {
        self.port = None;
        self.opened = false;
        self.retry.later(now);
        self.forget();
    }

    /// What was not written is not written any more.
    pub(crate) fn forget(&mut self) {
        self.writing = None;
        self.written = false;
    }

    /// What is left of the outstanding write goes, and what the line holds for a DTE that is not there.
    #[cold]
    fn discard(&mut self) {
        let left = self
            .writing
            .take()
            .map_or(0, |writing| writing.bytes.len() - writing.done);
        self.forget_unread();
        self.discarded = Some(left);
    }

    #[cold]
    fn forget_unread(&mut self) {
        let count = match &self.backend {
            Backend::Pty(pty) => pty.forget_unread(),
            // What a driver or a server has is on its way.
            Backend::Tty(_) | Backend::Tcp(_) => 0,
        };
        self.lost = (count > 0).then_some(Lost::InLine(count)).or(self.lost);
    }

    /// The name that a user opens.
    pub(crate) const fn address(&self) -> &Address {
        &self.address
    }

    /// Whether it is open now.
    pub(crate) const fn is_open(&self) -> bool {
        self.port.is_some()
    }

    /// Carries out an order. Writes at once what the line takes.
    pub(crate) fn order(&mut self, order: SerialOutput, now: Instant, cx: &mut Context<'_>) {
        match order {
            SerialOutput::Write(bytes) => {
                self.writing = Some(Writing {
                    bytes: self.outgoing(bytes),
                    done: 0,
                });
                // An error shows again in `poll`, which can report it.
                let _ = self.write(cx);
            }
            SerialOutput::Configure(format) => self.begin_configuring(format, now),
            SerialOutput::Discard => self.discard(),
        }
    }

    /// The loop has slept: others may have opened, closed or set the pty meanwhile.
    pub(crate) const fn woken(&mut self) {
        self.look_for_users = true;
        self.look_for_echo = true;
    }

    /// Behind its last news: whether there may be more without anybody being woken for it.
    pub(crate) fn may_have_more(&self) -> bool {
        let tells = self.opened || self.written || self.look_for_users;
        let beside = self.lost.is_some() || self.discarded.is_some() || self.configured.is_some();
        tells
            || beside
            || self.writing.is_some()
            || self.configuring.is_some()
            || self.port.as_ref().is_none_or(Port::may_have_more)
    }

    /// The next news, if any. Reads only where `wanted`.
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        now: Instant,
        wanted: bool,
        buf: &mut [u8],
    ) -> Option<SerialEvent> {
        if self.port.is_none() && !self.open(cx, now) {
            return self.pending_answer();
        }
        if std::mem::take(&mut self.opened) {
            return Some(SerialEvent::Present);
        }
        if self.port.as_ref().is_some_and(Port::is_closed) {
            self.end_rest(now);
        }
        // Whoever has gone wrote before that.
        let is_rest_over = wanted && self.rest_end().is_some_and(|at| at <= now);
        if let Backend::Pty(pty) = &mut self.backend
            && !is_rest_over
            && (self.look_for_users || pty.deadline().is_some_and(|at| at <= now))
        {
            if let Some(used) = pty.poll_used(cx, now) {
                self.fades_at = (!used).then(|| now + self.hold);
                return Some(if used {
                    SerialEvent::Present
                } else {
                    SerialEvent::Gone
                });
            }
            self.look_for_users = false;
        }
        if self.fades_at.is_some_and(|at| at <= now) {
            self.fades_at = None;
            self.forget_unread();
        }
        if self.retry.has_trouble() {
            self.retry.stands(&self.address, now);
        }
        match self.transfer(cx, now, wanted, buf) {
            Ok(news) => news,
            Err(error) => Some(self.lose(&error, now)),
        }
    }

    /// When `poll` has something to do without any news of the line.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let waits = self
            .configuring
            .as_ref()
            .filter(|_| self.port.is_some() && self.writing.is_none());
        let waits = waits.map(|configuring| configuring.look_at);
        let pty = match &self.backend {
            Backend::Pty(pty) if self.port.is_some() => pty.deadline(),
            Backend::Pty(_) | Backend::Tty(_) | Backend::Tcp(_) => None,
        };
        [waits, pty, self.fades_at, self.retry.deadline()]
            .into_iter()
            .flatten()
            .min()
    }

    fn transfer(
        &mut self,
        cx: &mut Context<'_>,
        now: Instant,
        wanted: bool,
        buf: &mut [u8],
    ) -> io::Result<Option<SerialEvent>> {
        self.write(cx)?;
        if self.configuring.is_some() {
            self.go_on_configuring(now);
        }
        if let Some(answer) = self.pending_answer() {
            return Ok(Some(answer));
        }
        let Some(port) = self.port.as_mut().filter(|_| wanted) else {
            return Ok(None);
        };
        match self.rest {
            Rest::None => port.watch()?,
            // It is read once at the end of a rest.
            Rest::Until(until) if until <= now => self.rest = Rest::Over,
            Rest::Until(_) | Rest::Over => return Ok(None),
        }
        match port.poll_read(cx, buf) {
            Poll::Pending => Ok((self.rest == Rest::Over).then_some(SerialEvent::Data(0))),
            Poll::Ready(Ok(0)) => Err(io::ErrorKind::UnexpectedEof.into()),
            Poll::Ready(Ok(count)) => {
                if let Backend::Pty(pty) = &mut self.backend {
                    pty.on_data(now);
                }
                self.mask_incoming(buf.get_mut(..count).unwrap_or_default());
                if let Some(before) = self.overruns {
                    self.look_for_overruns(before);
                }
                Ok(Some(SerialEvent::Data(count)))
            }
            Poll::Ready(Err(error)) => Err(error),
        }
    }

    #[cold]
    fn look_for_overruns(&mut self, before: u32) {
        let Some(port) = &self.port else {
            return;
        };
        self.overruns = sys::overruns(port).ok();
        if let Some(lost) = overrun(before, self.overruns) {
            self.lost = Some(lost);
        }
    }

    fn pending_answer(&mut self) -> Option<SerialEvent> {
        if let Some(lost) = self.lost.take() {
            return Some(SerialEvent::Lost(lost));
        }
        if std::mem::take(&mut self.written) {
            return Some(SerialEvent::Written);
        }
        if let Some(left) = self.discarded.take() {
            return Some(SerialEvent::Discarded(left));
        }
        self.configured.take().map(SerialEvent::Configured)
    }

    fn write(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let (Some(port), Some(writing)) = (&mut self.port, &mut self.writing) else {
            return Ok(());
        };
        if let Backend::Pty(pty) = &self.backend {
            if !pty.is_used() {
                return Ok(());
            }
            if std::mem::take(&mut self.look_for_echo) {
                pty.silence_echo();
            }
        }
        while writing.done < writing.bytes.len() {
            let rest = writing.bytes.get(writing.done..).unwrap_or_default();
            match port.poll_write(cx, rest, &[]) {
                Poll::Pending => return Ok(()),
                Poll::Ready(Ok(count)) => {
                    writing.done += count;
                    self.given += count as u64;
                }
                Poll::Ready(Err(error)) => return Err(error),
            }
        }
        self.writing = None;
        self.written = true;
        Ok(())
    }

    /// Whether the line is open now.
    #[cold]
    fn open(&mut self, cx: &mut Context<'_>, now: Instant) -> bool {
        if !self.retry.is_due(now) {
            return false;
        }
        let opened = match &mut self.backend {
            Backend::Pty(pty) => pty.reopen(now),
            Backend::Tty(tty) => tty.open(self.format),
            Backend::Tcp(server) => match server.poll_open(cx) {
                Poll::Pending => return false,
                Poll::Ready(opened) => opened,
            },
        };
        match opened {
            Ok(port) => {
                self.retry.opened(&self.address, now);
                self.overruns = match &self.backend {
                    Backend::Tty(_) => sys::overruns(&port).ok(),
                    Backend::Pty(_) | Backend::Tcp(_) => None,
                };
                self.port = Some(port);
                self.opened = self.backend.is_used();
                true
            }
            Err(error) => {
                self.retry.failed(&self.address, &error, now);
                false
            }
        }
    }

    #[cold]
    fn lose(&mut self, error: &io::Error, now: Instant) -> SerialEvent {
        // What it was given and did not pass on is lost with it.
        let held = self
            .port
            .take()
            .and_then(|port| sys::unsent(&port).ok())
            .unwrap_or(0);
        self.lost = (held > 0)
            .then_some(Lost::InLine(held as u64))
            .or(self.lost);
        self.opened = false;
        self.retry.failed(&self.address, error, now);
        // It is set when the line is back.
        if let Some(configuring) = self.configuring.take() {
            self.format = Some(configuring.format);
            self.configured = Some(None);
        }
        SerialEvent::Gone
    }

    #[cold]
    fn begin_configuring(&mut self, format: LineFormat, now: Instant) {
        if self.port.is_none() {
            self.format = Some(format);
            self.configured = Some(None);
            return;
        }
        let patience = self
            .format
            .map_or(Duration::ZERO, |old| characters(DRIVER_BUFFER, old))
            + Duration::from_secs(1);
        self.configuring = Some(Configuring {
            format,
            look_at: now,
            give_up_at: now + patience.min(LONGEST_DRAIN),
        });
        self.go_on_configuring(now);
    }

    /// Sets the line once all that was written has left it.
    #[cold]
    fn go_on_configuring(&mut self, now: Instant) {
        let (Some(configuring), Some(port)) = (&mut self.configuring, &self.port) else {
            return;
        };
        if self.writing.is_some() || now < configuring.look_at {
            return;
        }
        let rest = match &self.backend {
            Backend::Tty(_) => tty::time_to_drain(port, self.format),
            Backend::Pty(_) | Backend::Tcp(_) => Duration::ZERO,
        };
        if rest > Duration::ZERO && now < configuring.give_up_at {
            configuring.look_at = now + rest;
            return;
        }
        if rest > Duration::ZERO {
            warn!(
                "{}: {} did not send what was written; its rate changes now",
                self.what, self.address
            );
        }
        let format = configuring.format;
        let answer = match &self.backend {
            Backend::Pty(pty) => pty.configure(format),
            Backend::Tty(tty) => tty.configure(port, format),
            Backend::Tcp(_) => Ok(()),
        };
        self.configuring = None;
        match &answer {
            Ok(()) => debug!("{}: {format}", self.what),
            Err(why) => warn!(
                "{}: {} cannot take {format}: {why}",
                self.what, self.address
            ),
        }
        self.format = Some(format);
        self.configured = Some(answer.err());
    }

    fn seven_bits(&self) -> bool {
        self.format.is_some_and(|format| format.data_bits == 7)
    }

    /// A real line of 7 bits carries no eighth; a pty would.
    fn outgoing(&self, bytes: Bytes) -> Bytes {
        if self.seven_bits() {
            bytes.iter().map(|byte| byte & 0x7f).collect()
        } else {
            bytes
        }
    }

    fn mask_incoming(&self, bytes: &mut [u8]) {
        if self.seven_bits() {
            bytes.iter_mut().for_each(|byte| *byte &= 0x7f);
        }
    }
}

/// How long so many characters take on the line.
fn characters(count: u32, format: LineFormat) -> Duration {
    format.character_time() * count
}

/// Longer than the kernel's clock of reads of a pty takes to move (8 s).
const STANDS_STILL: Duration = Duration::from_secs(10);
/// Between two attempts to reach a serial server, at most: as the links by default.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Most bytes that the driver of a tty holds.
const DRIVER_BUFFER: u32 = 4096;
/// A change of rate waits so long at most for what was written before (flow control may hold it for ever).
const LONGEST_DRAIN: Duration = Duration::from_secs(10);

/// A line that takes nothing.
#[cfg(test)]
pub(crate) struct Stuck;

#[cfg(test)]
impl Progress {
    pub(crate) fn after(given: u64) -> Self {
        Self {
            given,
            ..Self::default()
        }
    }
}

#[cfg(test)]
impl Line for Stuck {
    fn progress(&self) -> Progress {
        Progress::default()
    }

    fn patience(&self) -> Duration {
        STANDS_STILL
    }
}

/// What the driver has lost between two looks at its counter, which goes round.
fn overrun(before: u32, now: Option<u32>) -> Option<Lost> {
    let count = now?.wrapping_sub(before);
    (count > 0).then(|| Lost::Overrun(count.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d1_what_the_driver_of_a_tty_overran_is_counted_once_also_where_its_counter_goes_round() {
        assert_eq!(overrun(7, Some(7)), None);
        assert_eq!(overrun(7, Some(19)), Some(Lost::Overrun(12)));
        assert_eq!(overrun(u32::MAX, Some(1)), Some(Lost::Overrun(2)));
        assert_eq!(
            overrun(7, None),
            None,
            "the device is gone, or its driver cannot tell"
        );
    }

    /// Looks at a line that is read.
    async fn look(serial: &mut Serial, since: std::time::Instant) -> Option<SerialEvent> {
        let now = Instant::ZERO + since.elapsed();
        serial.woken();
        std::future::poll_fn(|cx| Poll::Ready(serial.poll(cx, now, true, &mut [0; 64]))).await
    }

    /// Its next news.
    async fn news(serial: &mut Serial, since: std::time::Instant) -> SerialEvent {
        let deadline = since + Duration::from_secs(20);
        loop {
            if let Some(news) = look(serial, since).await {
                return news;
            }
            assert!(std::time::Instant::now() < deadline, "no news of the line");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Time is what the test says: nothing wakes it in a rest.
    #[tokio::test]
    async fn in_a_rest_the_line_is_not_read_and_at_its_end_once() {
        use std::io::Write as _;
        let folder = tempfile::tempdir().expect("a folder");
        let (mut serial, link) = new_pty(folder.path());
        let since = std::time::Instant::now();
        let mut dte = dte(&link);
        assert_eq!(news(&mut serial, since).await, SerialEvent::Present);
        dte.write_all(b"as it comes").expect("it takes bytes");
        assert_eq!(news(&mut serial, since).await, SerialEvent::Data(11));

        let [before, end] = [99, 100].map(Instant::from_millis);
        let mut cx = Context::from_waker(std::task::Waker::noop());
        let mut look = |serial: &mut Serial, now| serial.poll(&mut cx, now, true, &mut [0; 64]);
        assert!(!serial.rest(Some(end)), "nothing to look at");
        assert_eq!(serial.rest_end(), Some(end));
        dte.write_all(b"later").expect("it takes bytes");
        assert_eq!(look(&mut serial, before), None);
        // Bytes of a pty are on their way for a moment.
        let deadline = since + Duration::from_secs(20);
        while rustix::io::ioctl_fionread(serial.port.as_ref().expect("it is open")).unwrap_or(0) < 5
        {
            assert!(std::time::Instant::now() < deadline, "no byte arrives");
            tokio::task::yield_now().await;
        }
        assert_eq!(look(&mut serial, before), None);
        assert_eq!(look(&mut serial, end), Some(SerialEvent::Data(5)));
        assert_eq!(serial.rest_end(), None);
        dte.write_all(b"x").expect("it takes bytes");
        assert_eq!(look(&mut serial, end), None, "it is read once");
        assert!(serial.rest(None), "what is there is read");
        assert_eq!(news(&mut serial, since).await, SerialEvent::Data(1));
        assert!(!serial.rest(Some(end)));
        assert_eq!(
            look(&mut serial, end),
            Some(SerialEvent::Data(0)),
            "nothing came"
        );
    }

    fn pty(serial: &mut Serial) -> &mut pty::Pty {
        let Backend::Pty(pty) = &mut serial.backend else {
            panic!("it is a pty")
        };
        pty
    }

    fn dte(link: &Path) -> std::fs::File {
        std::fs::File::options()
            .read(true)
            .write(true)
            .open(link)
            .expect("the line opens")
    }

    fn new_pty(folder: &Path) -> (Serial, PathBuf) {
        let link = folder.join("line");
        let serial =
            Serial::new(Address::Pty(link.clone()), Wiring::default(), folder).expect("a pty");
        (serial, link)
    }

    #[tokio::test]
    async fn a_dte_that_came_unseen_is_found_a_little_later() {
        let folder = tempfile::tempdir().expect("a folder");
        let (mut serial, link) = new_pty(folder.path());
        let since = std::time::Instant::now();
        let first = dte(&link);
        assert_eq!(news(&mut serial, since).await, SerialEvent::Present);
        drop(first);
        assert_eq!(news(&mut serial, since).await, SerialEvent::Gone);
        assert!(serial.deadline().is_some(), "it looks once more");
        let _second = dte(&link);
        // As if the kernel had made one event of two.
        pty(&mut serial).forget_events();
        assert_eq!(news(&mut serial, since).await, SerialEvent::Present);
        assert_eq!(serial.deadline(), None, "and then rests");
    }

    #[tokio::test]
    async fn a_dte_that_came_unseen_behind_a_quick_one_is_found_a_little_later() {
        let folder = tempfile::tempdir().expect("a folder");
        let (mut serial, link) = new_pty(folder.path());
        let since = std::time::Instant::now();
        // As `stty -F` does it: opened and closed before the device looks.
        drop(dte(&link));
        while serial.deadline().is_none() {
            assert_eq!(look(&mut serial, since).await, None);
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let _second = dte(&link);
        pty(&mut serial).forget_events();
        assert_eq!(news(&mut serial, since).await, SerialEvent::Present);
    }

    #[tokio::test]
    async fn a_dte_that_came_unseen_is_found_when_it_sends() {
        use std::io::Write as _;
        let folder = tempfile::tempdir().expect("a folder");
        let (mut serial, link) = new_pty(folder.path());
        let since = std::time::Instant::now();
        let mut unseen = dte(&link);
        pty(&mut serial).forget_events();
        unseen.write_all(b"+++").expect("it takes bytes");
        assert_eq!(news(&mut serial, since).await, SerialEvent::Data(3));
        assert_eq!(news(&mut serial, since).await, SerialEvent::Present);
    }

    #[tokio::test]
    async fn a_pty_whose_other_end_could_not_be_kept_open_comes_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let (mut serial, link) = new_pty(folder.path());
        let since = std::time::Instant::now();
        let first = dte(&link);
        assert_eq!(news(&mut serial, since).await, SerialEvent::Present);
        pty(&mut serial).close_slave();
        drop(first);
        assert_eq!(news(&mut serial, since).await, SerialEvent::Gone);
        let _second = loop {
            // Nobody can open it before the device has, where the kernel lets go of it.
            match std::fs::File::options().read(true).write(true).open(&link) {
                Ok(second) => break second,
                Err(_) => drop(
                    tokio::time::timeout(Duration::from_millis(50), news(&mut serial, since)).await,
                ),
            }
        };
        assert_eq!(news(&mut serial, since).await, SerialEvent::Present);
    }

    #[test]
    fn addresses_are_read_as_the_command_line_writes_them() {
        assert_eq!(
            Address::parse("pty:./dtu0"),
            Ok(Address::Pty("./dtu0".into()))
        );
        assert_eq!(
            Address::parse("tty:/dev/ttyUSB0"),
            Ok(Address::Tty("/dev/ttyUSB0".into()))
        );
        assert_eq!(
            Address::parse("tcp:[::1]:23"),
            Ok(Address::Tcp("[::1]".into(), 23))
        );
        for wrong in [
            "",
            "pty:",
            "dtu0",
            "tcp:host",
            "tcp:host:0",
            "tcp::23",
            "tcp:h:65536",
            "com:1",
        ] {
            assert!(Address::parse(wrong).is_err(), "{wrong}");
        }
        let wanted = "\"tty\" names no line; give pty:PATH, tty:DEVICE (such as tty:/dev/ttyUSB0) or tcp:HOST:PORT";
        assert_eq!(Address::parse("tty"), Err(wanted.to_owned()));
    }
}
