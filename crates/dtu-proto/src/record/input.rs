//! One input as words, and back as a value that owns its bytes.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write as _};
use core::net::SocketAddr;

use super::modem;
use super::word::{Hex, Text, Words, unknown};
use crate::event::{
    CloseReason, Input, Lost, ModemInput, SerialInput, SocketId, SocketInput, StoreInput,
};

/// An [`Input`] that owns its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnedInput {
    /// `SerialInput::Data`
    SerialData(Vec<u8>),
    /// `SerialInput::Configured(Some(..))`
    SerialRefused(String),
    /// `SocketInput::Data`
    SocketData(SocketId, Vec<u8>),
    /// `Input::Modem`
    Modem(ModemInput),
    /// `StoreInput::Failed`
    StoreFailed(String),
    /// `StoreInput::MessagesFailed`
    MessagesFailed(String),
    /// `Input::Console`
    Console(String),
    /// Every input without bytes or text.
    Plain(Input<'static>),
}

impl OwnedInput {
    /// As the device takes it.
    #[must_use]
    pub fn as_input(&self) -> Input<'_> {
        match self {
            Self::SerialData(bytes) => Input::Serial(SerialInput::Data(bytes)),
            Self::SerialRefused(why) => Input::Serial(SerialInput::Configured(Some(why))),
            Self::SocketData(socket, bytes) => Input::Socket(*socket, SocketInput::Data(bytes)),
            Self::Modem(news) => Input::Modem(news),
            Self::MessagesFailed(why) => Input::Store(StoreInput::MessagesFailed(why)),
            Self::StoreFailed(why) => Input::Store(StoreInput::Failed(why)),
            Self::Console(line) => Input::Console(line),
            Self::Plain(input) => *input,
        }
    }
}

pub(super) fn encode(out: &mut String, input: &Input<'_>) {
    let _ = match input {
        Input::Serial(news) => return encode_serial(out, news),
        Input::Socket(socket, news) => {
            let _ = write!(out, "{} ", Socket(*socket));
            return encode_socket(out, news);
        }
        Input::Modem(news) => {
            out.push_str("modem ");
            return modem::encode(out, news);
        }
        Input::Store(StoreInput::Saved) => out.write_str("store saved"),
        Input::Store(StoreInput::Failed(why)) => write!(out, "store failed {}", Text(why)),
        Input::Store(StoreInput::MessagesSaved(number)) => {
            write!(out, "store messages-saved {number}")
        }
        Input::Store(StoreInput::MessagesFailed(why)) => {
            write!(out, "store messages-failed {}", Text(why))
        }
        Input::Store(StoreInput::SpoolRefused(queue, frames)) => {
            write!(out, "store spool-refused {} {frames}", queue.word())
        }
        Input::Console(line) => write!(out, "console {}", Text(line)),
        Input::Lost(lost) => {
            out.push_str("lost ");
            return encode_lost(out, lost);
        }
        Input::Shutdown => out.write_str("shutdown"),
    };
}

fn encode_serial(out: &mut String, news: &SerialInput<'_>) {
    let _ = match news {
        SerialInput::Data(bytes) => write!(out, "serial data {}", Hex(bytes)),
        SerialInput::Written => out.write_str("serial written"),
        SerialInput::Configured(None) => out.write_str("serial configured"),
        SerialInput::Configured(Some(why)) => write!(out, "serial refused {}", Text(why)),
        SerialInput::Present => out.write_str("serial present"),
        SerialInput::Gone => out.write_str("serial gone"),
        SerialInput::Discarded(left) => write!(out, "serial discarded {left}"),
    };
}

/// A socket as two words.
struct Socket(SocketId);

impl fmt::Display for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            SocketId::Link(link) => write!(f, "link {link}"),
            SocketId::AtMode | SocketId::Httpd | SocketId::Destination(_) => {
                write!(f, "channel {}", self.0.word())
            }
        }
    }
}

fn encode_lost(out: &mut String, lost: &Lost) {
    let (word, of, count) = match lost {
        Lost::Unread(of, count) => ("unread", Some(of), count),
        Lost::Datagrams(of, count) => ("datagrams", Some(of), count),
        Lost::InLine(count) => ("in-line", None, count),
        Lost::Overrun(count) => ("overrun", None, count),
    };
    let _ = match of {
        Some(of) => write!(out, "{word} {} {count}", Socket(*of)),
        None => write!(out, "{word} {count}"),
    };
}

fn encode_socket(out: &mut String, news: &SocketInput<'_>) {
    let _ = match news {
        SocketInput::Connected {
            local: SocketAddr::V6(local),
        } if local.scope_id() != 0 || local.flowinfo() != 0 => {
            // The text form of an address leaves the flow label out.
            let (ip, port) = (local.ip(), local.port());
            write!(
                out,
                "connected [{ip}]:{port} {} {}",
                local.flowinfo(),
                local.scope_id()
            )
        }
        SocketInput::Connected { local } => write!(out, "connected {local}"),
        SocketInput::Data(bytes) => write!(out, "data {}", Hex(bytes)),
        SocketInput::Sent => out.write_str("sent"),
        SocketInput::Acked(bytes) => write!(out, "acked {bytes}"),
        SocketInput::Closed {
            reason: CloseReason::Os(code),
            acked,
        } => {
            write!(out, "closed os:{code} {acked}")
        }
        SocketInput::Closed { reason, acked } => {
            write!(out, "closed {} {acked}", reason_word(*reason))
        }
    };
}

pub(super) fn decode(kind: &str, words: &mut Words<'_>) -> Result<OwnedInput, String> {
    match kind {
        "serial" => decode_serial(words),
        "link" => {
            let link = words.link()?;
            decode_news(link.into(), words)
        }
        "channel" => {
            let socket = words.channel()?;
            decode_news(socket, words)
        }
        "modem" => modem::decode(words).map(OwnedInput::Modem),
        "store" => match words.any(STORE)? {
            "saved" => Ok(OwnedInput::Plain(Input::Store(StoreInput::Saved))),
            "failed" => Ok(OwnedInput::StoreFailed(words.text("why")?)),
            "messages-saved" => Ok(OwnedInput::Plain(Input::Store(StoreInput::MessagesSaved(
                words.number("a number")?,
            )))),
            "messages-failed" => Ok(OwnedInput::MessagesFailed(words.text("why")?)),
            "spool-refused" => {
                let (queue, frames) = (words.queue()?, words.number("a number of frames")?);
                Ok(OwnedInput::Plain(Input::Store(StoreInput::SpoolRefused(
                    queue, frames,
                ))))
            }
            other => Err(unknown(other, "store input", STORE)),
        },
        "console" => Ok(OwnedInput::Console(words.text("a command line")?)),
        "lost" => Ok(OwnedInput::Plain(Input::Lost(decode_lost(words)?))),
        "shutdown" => Ok(OwnedInput::Plain(Input::Shutdown)),
        other => Err(unknown(
            other,
            "input",
            "serial, link, channel, modem, store, console, lost, shutdown, timeout",
        )),
    }
}

fn decode_serial(words: &mut Words<'_>) -> Result<OwnedInput, String> {
    let plain = |news| Ok(OwnedInput::Plain(Input::Serial(news)));
    match words.any(SERIAL)? {
        "data" => Ok(OwnedInput::SerialData(words.hex()?)),
        "written" => plain(SerialInput::Written),
        "configured" => plain(SerialInput::Configured(None)),
        "refused" => Ok(OwnedInput::SerialRefused(words.text("why")?)),
        "present" => plain(SerialInput::Present),
        "gone" => plain(SerialInput::Gone),
        "discarded" => plain(SerialInput::Discarded(words.number("bytes")?)),
        other => Err(unknown(other, "serial input", SERIAL)),
    }
}

fn decode_lost(words: &mut Words<'_>) -> Result<Lost, String> {
    Ok(match words.any(LOST)? {
        "unread" => Lost::Unread(decode_socket(words)?, words.number("bytes")?),
        "datagrams" => Lost::Datagrams(decode_socket(words)?, words.number("datagrams")?),
        "in-line" => Lost::InLine(words.number("bytes")?),
        "overrun" => Lost::Overrun(words.number("characters")?),
        other => return Err(unknown(other, "loss", LOST)),
    })
}

fn decode_socket(words: &mut Words<'_>) -> Result<SocketId, String> {
    match words.any(SOCKET)? {
        "link" => words.link().map(SocketId::Link),
        "channel" => words.channel(),
        other => Err(unknown(other, "socket", SOCKET)),
    }
}

fn decode_news(socket: SocketId, words: &mut Words<'_>) -> Result<OwnedInput, String> {
    let plain = |news| Ok(OwnedInput::Plain(Input::Socket(socket, news)));
    match words.any(LINK)? {
        "connected" => plain(SocketInput::Connected {
            local: address(words)?,
        }),
        "data" => Ok(OwnedInput::SocketData(socket, words.hex()?)),
        "sent" => plain(SocketInput::Sent),
        "acked" => plain(SocketInput::Acked(words.number("bytes")?)),
        "closed" => {
            let reason = reason(words.any("a reason")?)?;
            plain(SocketInput::Closed {
                reason,
                acked: words.number("bytes")?,
            })
        }
        other => Err(unknown(other, "link input", LINK)),
    }
}

fn address(words: &mut Words<'_>) -> Result<SocketAddr, String> {
    let mut local = words.number("ADDRESS:PORT")?;
    if let (SocketAddr::V6(local), Some(flow)) = (&mut local, words.optional()) {
        local.set_flowinfo(
            flow.parse()
                .map_err(|_| "the flow label must be a number")?,
        );
        local.set_scope_id(words.number("the scope")?);
    }
    Ok(local)
}

const fn reason_word(reason: CloseReason) -> &'static str {
    match reason {
        CloseReason::Local => "local",
        CloseReason::PeerClosed => "peer-closed",
        CloseReason::Reset => "reset",
        CloseReason::Refused => "refused",
        CloseReason::TimedOut => "timed-out",
        CloseReason::NameNotFound => "name-not-found",
        CloseReason::Unreachable => "unreachable",
        CloseReason::LocalPortTaken => "local-port-taken",
        CloseReason::Certificate => "certificate",
        CloseReason::Tls => "tls",
        CloseReason::Os(_) => "os:CODE",
    }
}

fn reason(word: &str) -> Result<CloseReason, String> {
    if let Some(code) = word.strip_prefix("os:").and_then(|code| code.parse().ok()) {
        return Ok(CloseReason::Os(code));
    }
    let found = PLAIN_REASONS
        .iter()
        .find(|reason| reason_word(**reason) == word);
    found
        .copied()
        .ok_or_else(|| unknown(word, "reason", REASONS))
}

const PLAIN_REASONS: [CloseReason; 10] = [
    CloseReason::Local,
    CloseReason::PeerClosed,
    CloseReason::Reset,
    CloseReason::Refused,
    CloseReason::TimedOut,
    CloseReason::NameNotFound,
    CloseReason::Unreachable,
    CloseReason::LocalPortTaken,
    CloseReason::Certificate,
    CloseReason::Tls,
];
const REASONS: &str = "local, peer-closed, reset, refused, timed-out, name-not-found, unreachable, local-port-taken, certificate, tls, \
     os:CODE";
const SERIAL: &str = "data, written, configured, refused, present, gone, discarded";
const LINK: &str = "connected, data, sent, acked, closed";
const LOST: &str = "unread, datagrams, in-line, overrun";
const SOCKET: &str = "link, channel";
const STORE: &str = "saved, failed, messages-saved, messages-failed, spool-refused";
