//! The frame of the serial command mode (`CIMOD` 1), by which the DTE names the destination of its data.
//!
//! ```text
//! 55 AA | len(2, high first) | func | reserve(2) | port(2, low first) | address | data | sum
//! ```
//! - `len`: bytes from `func` to the last one of `data`.
//! - `func`: bit 0: 0 UDP, 1 TCP; bit 1: 0 long, 1 short connection; bit 2: 0 IPv4 (4 bytes, low byte first), 1 name (ends
//!   with `00`); bit 7: 0 simple, 1 full reply; bits 3 to 6 are 0.
//! - `reserve`: first byte: after so many seconds without data a short connection closes (0 = as the device is set, 10);
//!   second byte: not looked at.
//! - `sum`: low byte of the sum of all bytes from `func` to the last one of `data`.
//!
//! The manual names the mode and never describes it; this is what its maker published for sibling products.
//!
//! ```
//! use dtu_proto::wire::command_frame::{CommandFrame, Found, Finder, Host};
//!
//! let mut finder = Finder::default();
//! finder.feed(b"?\x55\xAA\x00\x0A\x00\x00\x00\x21\x00\x85\x00\xA8\xC0\x01\x0F");
//! assert_eq!(finder.next(), Some(Found::Garbage { first: b'?', bytes: 1 }));
//! let Some(Found::Frame(bytes)) = finder.next() else { panic!("a good frame") };
//! let frame = CommandFrame::decode(&bytes)?;
//! assert_eq!((frame.host, frame.port, frame.data), (Host::Ip([192, 168, 0, 133].into()), 33, &[1][..]));
//! assert_eq!(frame.encode()?, bytes);
//! # Ok::<(), dtu_proto::wire::command_frame::Fault>(())
//! ```

use alloc::vec::Vec;
use bytes::Bytes;
use core::fmt;
use core::net::Ipv4Addr;
use core::str;

use super::Protocol;

/// How every frame begins.
pub const MAGIC: [u8; 2] = [0x55, 0xAA];
/// Data of one frame at most, in bytes.
pub const DATA_MAX: usize = 1000;
/// A name at most, in bytes, without the `00` behind it.
pub const NAME_MAX: usize = 255;
/// The longest frame: magic, len, func, reserve, port, name, data, sum.
pub const FRAME_MAX: usize = HEAD + FIXED + NAME_MAX + 1 + DATA_MAX + 1;

/// Magic and `len`.
const HEAD: usize = 4;
/// `func`, `reserve` and `port`.
const FIXED: usize = 5;
const LEN_MIN: usize = FIXED + 2 + 1;
const LEN_MAX: usize = FIXED + NAME_MAX + 1 + DATA_MAX;

const TCP: u8 = 0x01;
const SHORT: u8 = 0x02;
const NAME: u8 = 0x04;
const FULL_REPLY: u8 = 0x80;

/// Data and where it is to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandFrame<'a> {
    /// UDP or TCP.
    pub protocol: Protocol,
    /// A connection that stays, or one that closes when it is idle.
    pub long: bool,
    /// A short connection closes after so many seconds without data; 0 = as the device is set.
    pub wait: u8,
    /// The DTE wants to be told when the data is delivered.
    pub full_reply: bool,
    /// The destination.
    pub host: Host<'a>,
    /// Its port: 1..=65535.
    pub port: u16,
    /// 1..=1000 bytes.
    pub data: &'a [u8],
}

/// Address of a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host<'a> {
    /// By number.
    Ip(Ipv4Addr),
    /// By name: 1..=255 letters, digits and `. - _ : % [ ]`.
    Name(&'a str),
}

impl fmt::Display for Host<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(ip) => ip.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// What is wrong with a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It does not begin with `55 AA`.
    Magic,
    /// `len` is out of range.
    Length(u16),
    /// The rest of it never came.
    Incomplete {
        /// Bytes that came.
        got: usize,
        /// Bytes of the whole frame; `None` = that was not said yet.
        of: Option<usize>,
    },
    /// Bytes follow behind its sum.
    TooLong,
    /// `sum` does not fit.
    Sum {
        /// What it should be.
        should: u8,
        /// What it is.
        is: u8,
    },
    /// `func` has a bit without a meaning.
    Function(u8),
    /// The port is 0.
    Port,
    /// The name is empty, longer than 255 bytes, or has no end.
    Name,
    /// The name has this byte in it.
    NameByte(u8),
    /// Data of so many bytes.
    Data(usize),
}

impl core::error::Error for Fault {}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Magic => f.write_str("must begin with 55 AA"),
            Self::Length(len) => write!(f, "len must be {LEN_MIN}..={LEN_MAX}, got {len}"),
            Self::Incomplete { got, of: Some(of) } => write!(f, "got only {got} of {of} bytes"),
            Self::Incomplete { got, of: None } => write!(f, "got only {got} bytes"),
            Self::TooLong => f.write_str("bytes follow behind the sum"),
            Self::Sum { should, is } => write!(f, "sum must be {should:02X}, got {is:02X}"),
            Self::Function(func) => write!(f, "bits 3 to 6 of func must be 0, got {func:02X}"),
            Self::Port => f.write_str("port must be 1..=65535, got 0"),
            Self::Name => write!(f, "the name must have 1..={NAME_MAX} bytes and end with 00"),
            Self::NameByte(byte) => {
                write!(
                    f,
                    "the name may have letters, digits and . - _ : % [ ], got {byte:02X}"
                )
            }
            Self::Data(len) => write!(f, "data must have 1..={DATA_MAX} bytes, got {len}"),
        }
    }
}

impl<'a> CommandFrame<'a> {
    /// Reads one whole frame, from `55 AA` to its sum.
    ///
    /// # Errors
    /// Says the first thing that is wrong, the sum before what it covers.
    pub fn decode(frame: &'a [u8]) -> Result<Self, Fault> {
        let body = checked_body(frame)?;
        let [func, wait, _, port @ .., _, _] = body.first_chunk::<7>().ok_or(Fault::Data(0))?;
        if func & !(TCP | SHORT | NAME | FULL_REPLY) != 0 {
            return Err(Fault::Function(*func));
        }
        let port = u16::from_le_bytes(*port);
        if port == 0 {
            return Err(Fault::Port);
        }
        let (host, data) = if func & NAME == 0 {
            ip(&body[FIXED..])
        } else {
            name(&body[FIXED..])
        }?;
        check_data(data)?;
        Ok(Self {
            protocol: if func & TCP == 0 {
                Protocol::Udp
            } else {
                Protocol::Tcp
            },
            long: func & SHORT == 0,
            wait: *wait,
            full_reply: func & FULL_REPLY != 0,
            host,
            port,
            data,
        })
    }

    /// The frame as it stands on the line.
    ///
    /// # Errors
    /// If it could not be read back: port 0, a bad name, no data or too much.
    pub fn encode(&self) -> Result<Vec<u8>, Fault> {
        if self.port == 0 {
            return Err(Fault::Port);
        }
        check_data(self.data)?;
        let mut body = Vec::from([self.func(), self.wait, 0]);
        body.extend(self.port.to_le_bytes());
        match self.host {
            Host::Ip(ip) => body.extend(ip.octets().iter().rev()),
            Host::Name(name) => {
                check_name(name.as_bytes())?;
                body.extend(name.as_bytes());
                body.push(0);
            }
        }
        body.extend(self.data);
        let len = u16::try_from(body.len()).unwrap_or(u16::MAX);
        Ok([&MAGIC[..], &len.to_be_bytes(), &body, &[sum(&body)]].concat())
    }

    fn func(&self) -> u8 {
        let bit = |set: bool, bit: u8| if set { bit } else { 0 };
        bit(self.protocol == Protocol::Tcp, TCP)
            | bit(!self.long, SHORT)
            | bit(matches!(self.host, Host::Name(_)), NAME)
            | bit(self.full_reply, FULL_REPLY)
    }
}

/// What `len` and `sum` cover, if both are right.
fn checked_body(frame: &[u8]) -> Result<&[u8], Fault> {
    let whole = match whole_length(frame)? {
        Some(whole) if frame.len() >= whole => whole,
        of => {
            return Err(Fault::Incomplete {
                got: frame.len(),
                of,
            });
        }
    };
    if frame.len() > whole {
        return Err(Fault::TooLong);
    }
    let (body, is) = (&frame[HEAD..whole - 1], frame[whole - 1]);
    let should = sum(body);
    // mutant: packet-sum
    if should == is {
        Ok(body)
    } else {
        Err(Fault::Sum { should, is })
    }
}

/// How long the frame is that begins like this; `None` = it takes more bytes to know.
fn whole_length(begin: &[u8]) -> Result<Option<usize>, Fault> {
    if !begin.iter().zip(MAGIC).all(|(byte, magic)| *byte == magic) {
        return Err(Fault::Magic);
    }
    let Some([_, _, len @ ..]) = begin.first_chunk::<HEAD>() else {
        return Ok(None);
    };
    let len = u16::from_be_bytes(*len);
    if !(LEN_MIN..=LEN_MAX).contains(&usize::from(len)) {
        return Err(Fault::Length(len));
    }
    Ok(Some(HEAD + usize::from(len) + 1))
}

fn sum(body: &[u8]) -> u8 {
    body.iter().fold(0, |sum, byte| sum.wrapping_add(*byte))
}

fn ip(rest: &[u8]) -> Result<(Host<'_>, &[u8]), Fault> {
    let ([d, c, b, a], data) = rest.split_first_chunk().ok_or(Fault::Data(0))?;
    Ok((Host::Ip(Ipv4Addr::new(*a, *b, *c, *d)), data))
}

fn name(rest: &[u8]) -> Result<(Host<'_>, &[u8]), Fault> {
    let end = rest.iter().position(|byte| *byte == 0).ok_or(Fault::Name)?;
    let name = check_name(&rest[..end])?;
    Ok((Host::Name(name), &rest[end + 1..]))
}

fn check_name(name: &[u8]) -> Result<&str, Fault> {
    if name.is_empty() || name.len() > NAME_MAX {
        return Err(Fault::Name);
    }
    let is_bad = |byte: &&u8| !byte.is_ascii_alphanumeric() && !b".-_:%[]".contains(byte);
    if let Some(bad) = name.iter().find(is_bad) {
        return Err(Fault::NameByte(*bad));
    }
    str::from_utf8(name).map_err(|_| Fault::Name)
}

const fn check_data(data: &[u8]) -> Result<(), Fault> {
    if data.is_empty() || data.len() > DATA_MAX {
        Err(Fault::Data(data.len()))
    } else {
        Ok(())
    }
}

/// Finds the frames in what comes, whatever pieces it comes in.
///
/// A frame whose sum fits ends where `len` says, even if its content is refused. Behind the `55 AA` of one whose `len` or
/// sum is wrong the next `55 AA` is looked for: no good frame is lost, whatever stands in front of it. [`Finder::give_up`]
/// does the same where the rest of a frame does not come.
#[derive(Clone, Debug, Default)]
pub struct Finder {
    held: Vec<u8>,
    /// So many bytes of `held` are done with.
    done: usize,
    given_up: bool,
}

/// What was found. The bytes of all that is found, with what is held, are the bytes fed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// A good frame, whole: [`CommandFrame::decode`] reads it.
    Frame(Bytes),
    /// A frame that is none.
    Bad {
        /// What is wrong.
        fault: Fault,
        /// Bytes that are passed over: the whole frame if its sum fits, else its `55 AA`.
        bytes: usize,
    },
    /// Bytes that belong to no frame, a run of them or a part of one.
    Garbage {
        /// The first.
        first: u8,
        /// How many.
        bytes: usize,
    },
}

impl Finder {
    /// Takes bytes. To be followed by [`Finder::next`] until that is `None`.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.given_up = false;
        self.held.extend_from_slice(bytes);
    }

    /// The rest of the frame that is held does not come: its `55 AA` is none. Others may stand behind it. To be followed by
    /// [`Finder::next`] until `None`.
    pub const fn give_up(&mut self) {
        self.given_up = true;
    }

    /// The next thing that is found in what has come.
    #[expect(clippy::should_implement_trait, reason = "None is not its end")]
    pub fn next(&mut self) -> Option<Found> {
        let found = self.look();
        self.given_up &= found.is_none();
        match &found {
            Some(Found::Frame(frame)) => self.done += frame.len(),
            Some(Found::Bad { bytes, .. } | Found::Garbage { bytes, .. }) => self.done += bytes,
            None => {
                self.held.drain(..self.done);
                self.done = 0;
            }
        }
        found
    }

    /// Bytes that may be the beginning of a frame.
    #[must_use]
    pub const fn held(&self) -> usize {
        self.held.len() - self.done
    }

    /// Length of the frame that is held in part, as far as that is known.
    #[must_use]
    pub fn awaited(&self) -> usize {
        whole_length(&self.held[self.done..])
            .ok()
            .flatten()
            .unwrap_or(HEAD)
    }

    /// Whether `55 AA` has come and the rest of the frame has not.
    #[must_use]
    pub fn is_inside(&self) -> bool {
        self.held() >= MAGIC.len()
    }

    fn look(&self) -> Option<Found> {
        let rest = &self.held[self.done..];
        let first = *rest.first()?;
        let bytes = self.garbage(rest);
        if bytes > 0 {
            return Some(Found::Garbage { first, bytes });
        }
        let whole = match whole_length(rest) {
            Ok(Some(whole)) if rest.len() >= whole => whole,
            Ok(_) if !self.given_up => return None,
            Ok(of) => {
                return Some(bad(
                    Fault::Incomplete {
                        got: rest.len(),
                        of,
                    },
                    MAGIC.len(),
                ));
            }
            Err(fault) => return Some(bad(fault, MAGIC.len())),
        };
        let frame = &rest[..whole];
        Some(match CommandFrame::decode(frame) {
            Ok(_) => Found::Frame(Bytes::copy_from_slice(frame)),
            // mutant: behind-bad-packet
            Err(fault @ Fault::Sum { .. }) => bad(fault, MAGIC.len()),
            Err(fault) => bad(fault, whole),
        })
    }

    /// How many bytes stand in front of what is, or may become, `55 AA`.
    fn garbage(&self, rest: &[u8]) -> usize {
        let begins = rest.windows(MAGIC.len()).position(|pair| pair == MAGIC);
        let may_begin = !self.given_up && rest.ends_with(&MAGIC[..1]);
        begins.unwrap_or(rest.len() - usize::from(may_begin))
    }
}

const fn bad(fault: Fault, bytes: usize) -> Found {
    Found::Bad { fault, bytes }
}

#[cfg(test)]
mod tests;
