//! What the DTE reads: information text, result codes and errors, in the formats of V.250 6.2.5 to 6.2.7 and
//! 3GPP TS 27.007 9.1.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write as _};

use super::urc::NO_CARRIER_DIGIT;
use crate::config::Config;

/// A refusal. The text names the command, what is allowed and what came; it is one line of ASCII where all came
/// from here, and UTF-8 where a name from the settings is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Error {
    pub(super) code: Code,
    pub(super) text: String,
}

impl Error {
    pub(super) const fn new(code: Code, text: String) -> Self {
        Self { code, text }
    }
}

/// The numbers of 27.007 9.2 that `AT+CMEE=1` shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    NotAllowed,
    NotSupported,
    NoSim,
    SimBusy,
    MemoryFailure,
    NoNetwork,
    IncorrectParameters,
    /// No error of the command: `NO CARRIER` (V.250 6.3.5), whatever `CMEE` says.
    NoCarrier,
    /// A number of 27.005 3.2.5, answered as `+CMS ERROR`.
    Message(u16),
}

impl Code {
    const fn head(self) -> &'static str {
        match self {
            Self::Message(_) => "+CMS ERROR",
            Self::NotAllowed
            | Self::NotSupported
            | Self::NoSim
            | Self::SimBusy
            | Self::MemoryFailure
            | Self::NoNetwork
            | Self::NoCarrier
            | Self::IncorrectParameters => "+CME ERROR",
        }
    }

    const fn number(self) -> u16 {
        match self {
            Self::NotAllowed => 3,
            Self::NotSupported => 4,
            Self::NoSim => 10,
            Self::SimBusy => 14,
            Self::MemoryFailure => 23,
            Self::NoNetwork | Self::NoCarrier => 30,
            Self::IncorrectParameters => 50,
            Self::Message(number) => number,
        }
    }
}

/// Information text of one command; with `ATV0` there is no line end in front of it.
pub(super) fn information(lines: &[impl AsRef<[u8]>], config: &Config, out: &mut Vec<u8>) {
    if config.verbose && !lines.is_empty() {
        out.extend_from_slice(b"\r\n");
    }
    for line in lines {
        out.extend_from_slice(line.as_ref());
        out.extend_from_slice(b"\r\n");
    }
}

/// The result code that ends a line.
pub(super) fn result(outcome: &Result<(), Error>, config: &Config, out: &mut Vec<u8>) {
    if config.quiet {
        return;
    }
    let text = match outcome {
        Ok(()) => String::from(if config.verbose { "OK" } else { "0" }),
        Err(error) => error_text(error, config),
    };
    let framed = if config.verbose {
        format!("\r\n{text}\r\n")
    } else {
        format!("{text}\r")
    };
    out.extend_from_slice(framed.as_bytes());
}

fn error_text(error: &Error, config: &Config) -> String {
    match config.cmee {
        _ if error.code == Code::NoCarrier => String::from(if config.verbose {
            "NO CARRIER"
        } else {
            NO_CARRIER_DIGIT
        }),
        0 => String::from(if config.verbose { "ERROR" } else { "4" }),
        1 => format!("{}: {}", error.code.head(), error.code.number()),
        _ => format!("{}: {}", error.code.head(), error.text),
    }
}

/// Bytes from outside in an error text: one line, printable, not too long.
pub(super) struct Shown<'a>(pub(super) &'a [u8]);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("nothing");
        }
        let kept = if self.0.len() > SHOWN_MAX {
            SHOWN_KEPT
        } else {
            self.0.len()
        };
        for byte in &self.0[..kept] {
            match byte {
                b' '..=b'~' => write!(f, "{}", char::from(*byte))?,
                _ => write!(f, "\\x{byte:02X}")?,
            }
        }
        if kept < self.0.len() {
            write!(f, "... ({} bytes)", self.0.len())
        } else {
            Ok(())
        }
    }
}

/// What the host says, in an error text: one printable line.
pub(super) struct Reason<'a>(pub(super) &'a str);

impl fmt::Display for Reason<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.0.chars().take(REASON_MAX);
        shown
            .map(|c| if c.is_control() { ' ' } else { c })
            .try_for_each(|c| f.write_char(c))
    }
}

/// A value in quotes, as the parser reads it back: a quote of the text is doubled.
pub(super) struct Quoted<'a>(pub(super) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.replace('"', "\"\""))
    }
}

/// Bytes in capital hex digits.
pub(super) struct Hex<'a>(pub(super) &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

const REASON_MAX: usize = 300;
const SHOWN_MAX: usize = 40;
const SHOWN_KEPT: usize = 32;
