//! The serial line: from bytes of the DTE to frames and command lines, and the queue back.

use alloc::vec::Vec;
use bytes::Bytes;

use crate::config::LineFormat;
use crate::status::SerialCounters;
use crate::time::{Duration, Instant};

use assembler::LineAssembler;
use escape::EscapeDetector;
use framer::Framer;
use port::SerialPort;
use window::Window;

pub(crate) mod assembler;
pub(crate) mod escape;
pub(crate) mod framer;
pub(crate) mod port;
mod state;
pub(crate) mod window;

pub(crate) use state::LineState;

/// The line to the DTE.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) state: LineState,
    /// The line format in force.
    pub(crate) format: LineFormat,
    pub(crate) port: SerialPort,
    pub(crate) escape: EscapeDetector,
    pub(crate) framer: Framer,
    pub(crate) window: Window,
    pub(crate) assembler: LineAssembler,
    /// What `A/` repeats.
    pub(crate) last_line: Vec<u8>,
    /// Serial bytes that came while no command could run. Reading stops meanwhile: one read at most.
    pub(crate) backlog: Vec<u8>,
    /// The LF of a CRLF (or the CR of a LFCR) that may still follow a command, and until when.
    pub(crate) pending_lf: Option<(u8, Instant)>,
    pub(crate) cut: Vec<Bytes>,
    pub(crate) counters: SerialCounters,
    /// When the DTE last sent something.
    pub(crate) last_from_dte: Instant,
    /// When something for the DTE last came or went out.
    pub(crate) last_to_dte: Instant,
}

impl Line {
    /// The line of a device that is powered on.
    pub(crate) fn new(format: LineFormat, escape_gap: Duration, now: Instant) -> Self {
        Self {
            state: LineState::Window { until: now },
            format,
            port: SerialPort::default(),
            escape: EscapeDetector::new(escape_gap),
            framer: Framer::default(),
            window: Window::default(),
            assembler: LineAssembler::default(),
            last_line: Vec::new(),
            backlog: Vec::new(),
            pending_lf: None,
            cut: Vec::with_capacity(1),
            counters: SerialCounters::default(),
            last_from_dte: now,
            last_to_dte: now,
        }
    }
}
