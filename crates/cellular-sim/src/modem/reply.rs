//! What a command comes to, and the numbers of errors.

use dtu_proto::time::Duration;

/// Information lines, and how it ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) lines: Vec<String>,
    pub(super) end: End,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum End {
    #[default]
    Ok,
    /// Plain `ERROR`: no such command, or values that it does not know.
    Error,
    /// 27.007 9.2.
    Cme(u16),
    /// 27.005 3.2.5.
    Cms(u16),
    /// The line ends with these words instead of OK (`NO CARRIER`).
    Words(&'static str),
    /// A text is typed first.
    Prompt(PromptKind),
    /// The network must answer.
    Network,
    /// It takes this long.
    After(Duration),
}

/// What a text at the prompt is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PromptKind {
    /// A PDU of so many octets; sent, or stored with this state.
    Pdu { length: usize, store: Option<u8> },
    /// A text to this address.
    Text { to: String, store: Option<u8> },
}

impl Reply {
    pub(super) fn ok() -> Self {
        Self::default()
    }

    pub(super) fn line(line: impl Into<String>) -> Self {
        Self {
            lines: vec![line.into()],
            end: End::Ok,
        }
    }

    pub(super) const fn lines(lines: Vec<String>) -> Self {
        Self {
            lines,
            end: End::Ok,
        }
    }

    pub(super) const fn end(end: End) -> Self {
        Self {
            lines: Vec::new(),
            end,
        }
    }

    pub(super) const fn error() -> Self {
        Self::end(End::Error)
    }

    /// 27.007: operation not allowed.
    pub(super) const NOT_ALLOWED: u16 = 3;
    pub(super) const PIN_NEEDED: u16 = 11;
    pub(super) const PUK_NEEDED: u16 = 12;
    pub(super) const WRONG_PASSWORD: u16 = 16;
    pub(super) const NO_NETWORK: u16 = 30;
}

/// The words of 27.007 9.2 with `+CMEE=2`.
pub(super) const fn meaning(code: u16) -> &'static str {
    match code {
        3 => "operation not allowed",
        4 => "operation not supported",
        10 => "SIM not inserted",
        11 => "SIM PIN required",
        12 => "SIM PUK required",
        16 => "incorrect password",
        22 => "not found",
        30 => "no network service",
        50 => "incorrect parameters",
        _ => "unknown",
    }
}
