//! The names of what the device deals with: links, sockets, queues, phones, origins of commands. Everything else may use
//! them, and they use nothing.

use core::fmt;

/// Number of network links of the device (manual 1.2).
pub const LINKS: usize = 4;

/// One of the four links. Counted from 1 in every text, from 0 as an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(u8);

impl LinkId {
    /// All links, in order.
    pub const ALL: [Self; LINKS] = [Self(0), Self(1), Self(2), Self(3)];

    /// The link that people call `number` (1..=4).
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Self> {
        if number >= 1 && number as usize <= LINKS {
            Some(Self(number - 1))
        } else {
            None
        }
    }

    /// What people call it: 1..=4.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0 + 1
    }

    /// Its place in an array: 0..=3.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for LinkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.number())
    }
}

/// Destinations of the serial command mode with an open connection at most (decisions 11).
pub const DESTINATIONS: usize = 8;

/// One of the destinations of the serial command mode. Counted from 1 in every text, from 0 as an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DestinationId(u8);

impl DestinationId {
    /// Its place in an array of [`DESTINATIONS`].
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Number of sockets.
pub const SOCKETS: usize = LINKS + 2 + DESTINATIONS;

/// A socket of the host: of a link, or of a connection that a working mode opens for itself. All obey the same rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SocketId {
    /// Of a link.
    Link(LinkId),
    /// The connection of `AT+CIOPEN` (manual 2.8.6.34).
    AtMode,
    /// The connection to the HTTP server (manual 2.1.3).
    Httpd,
    /// To a destination of the serial command mode (manual 2.1.2).
    Destination(DestinationId),
}

impl SocketId {
    /// All sockets, in order.
    pub const ALL: [Self; SOCKETS] = {
        let mut all = [Self::AtMode; SOCKETS];
        let mut index = 0;
        while index < SOCKETS {
            all[index] = match index {
                0..LINKS => Self::Link(LinkId(index as u8)),
                LINKS => Self::AtMode,
                HTTPD => Self::Httpd,
                _ => Self::Destination(DestinationId((index - FIRST_DESTINATION) as u8)),
            };
            index += 1;
        }
        all
    };
    /// Those of the serial command mode.
    pub const DESTINATIONS: [Self; DESTINATIONS] = {
        let mut all = [Self::AtMode; DESTINATIONS];
        let mut index = 0;
        while index < DESTINATIONS {
            all[index] = Self::ALL[FIRST_DESTINATION + index];
            index += 1;
        }
        all
    };

    /// Its place in an array of [`SOCKETS`].
    #[must_use]
    pub const fn index(self) -> usize {
        match self {
            Self::Link(link) => link.index(),
            Self::AtMode => LINKS,
            Self::Httpd => HTTPD,
            Self::Destination(destination) => FIRST_DESTINATION + destination.index(),
        }
    }

    /// Whose socket it is, if it is a link's.
    #[must_use]
    pub const fn link(self) -> Option<LinkId> {
        match self {
            Self::Link(link) => Some(link),
            Self::AtMode | Self::Httpd | Self::Destination(_) => None,
        }
    }

    /// The queue of the frames that it carries.
    #[must_use]
    pub const fn queue(self) -> Option<QueueId> {
        match self {
            Self::Link(link) => Some(QueueId::Link(link)),
            Self::AtMode => None,
            Self::Httpd => Some(QueueId::Httpd),
            Self::Destination(_) => Some(QueueId::SerialCommand),
        }
    }

    /// Its word: `link-1` to `link-4`, `at`, `httpd`, `to-1` to `to-8`. Records name links as `link <n>` instead.
    ///
    /// The way back is [`SocketId::from_word`].
    #[must_use]
    pub const fn word(self) -> &'static str {
        const WORDS: [&str; SOCKETS] = [
            "link-1", "link-2", "link-3", "link-4", "at", "httpd", "to-1", "to-2", "to-3", "to-4",
            "to-5", "to-6", "to-7", "to-8",
        ];
        WORDS[self.index()]
    }

    /// The socket of this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|socket| socket.word() == word)
    }
}

const HTTPD: usize = LINKS + 1;
const FIRST_DESTINATION: usize = LINKS + 2;

impl From<LinkId> for SocketId {
    fn from(link: LinkId) -> Self {
        Self::Link(link)
    }
}

impl fmt::Display for SocketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Link(link) => write!(f, "link {link}"),
            Self::AtMode => f.write_str("AT mode"),
            Self::Httpd => f.write_str("HTTPD"),
            Self::Destination(destination) => write!(f, "destination {}", destination.index() + 1),
        }
    }
}

/// Frames of the DTE that wait, each in the order of their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QueueId {
    /// For a link.
    Link(LinkId),
    /// For the HTTP server (mode 3).
    Httpd,
    /// For the destinations of the serial command mode (1); a frame is the whole packet, from `55 AA` to its sum.
    SerialCommand,
}

/// Number of queues.
pub const QUEUES: usize = LINKS + 2;

impl QueueId {
    /// All queues, in order.
    pub const ALL: [Self; QUEUES] = [
        Self::Link(LinkId(0)),
        Self::Link(LinkId(1)),
        Self::Link(LinkId(2)),
        Self::Link(LinkId(3)),
        Self::Httpd,
        Self::SerialCommand,
    ];

    /// Its place in an array of [`QUEUES`].
    #[must_use]
    pub const fn index(self) -> usize {
        match self {
            Self::Link(link) => link.index(),
            Self::Httpd => LINKS,
            Self::SerialCommand => LINKS + 1,
        }
    }

    /// Its word in names of files and logs of inputs: `1` to `4`, `httpd`, `serial-command`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        const WORDS: [&str; QUEUES] = ["1", "2", "3", "4", "httpd", "serial-command"];
        WORDS[self.index()]
    }

    /// The queue of this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|queue| queue.word() == word)
    }
}

impl From<LinkId> for QueueId {
    fn from(link: LinkId) -> Self {
        Self::Link(link)
    }
}

impl fmt::Display for QueueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Link(link) => write!(f, "link {link}"),
            Self::Httpd => f.write_str("HTTPD"),
            Self::SerialCommand => f.write_str("serial command mode"),
        }
    }
}

/// Where a command can come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// The serial line in the command state or the set-up window.
    Serial,
    /// A `psw,AT+` frame on the serial line.
    SerialFrame,
    /// A `psw,AT+` read or datagram from a link.
    Link(LinkId),
    /// A `psw,AT+` message from a phone.
    Sms(PhoneNumber),
    /// The host's console.
    Console,
}

/// Digits, with `+` in front where it is international; `*` and `#` occur in numbers of services.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PhoneNumber {
    length: u8,
    text: [u8; Self::MAX],
}

impl PhoneNumber {
    /// Characters at most.
    pub const MAX: usize = 21;

    /// The number of that text; `None` where the text is no number.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('+').unwrap_or(text);
        let is_number = digits
            .bytes()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'*' | b'#'));
        if digits.is_empty() || digits.len() >= Self::MAX || !is_number {
            return None;
        }
        let mut number = Self {
            length: 0,
            text: [0; Self::MAX],
        };
        for (slot, byte) in number.text.iter_mut().zip(text.bytes()) {
            *slot = byte;
            number.length += 1;
        }
        Some(number)
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.text
            .get(..usize::from(self.length))
            .and_then(|text| core::str::from_utf8(text).ok())
            .unwrap_or_default()
    }

    /// Whether it begins with `+`.
    #[must_use]
    pub fn is_international(&self) -> bool {
        self.as_str().starts_with('+')
    }

    /// The type of address of 27.007: 145 international, 129 otherwise.
    #[must_use]
    pub fn type_of_address(&self) -> u8 {
        if self.is_international() { 145 } else { 129 }
    }
}

impl fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_digits_with_a_plus_in_front() {
        for good in [
            "10086",
            "+8613800531500",
            "*100#",
            "12345678901234567890",
            "+12345678901234567890",
        ] {
            assert_eq!(
                PhoneNumber::new(good).map(|number| number.as_str().len()),
                Some(good.len()),
                "{good}"
            );
        }
        for bad in ["", "+", "12+3", "USR", "1 2", "123456789012345678901"] {
            assert_eq!(PhoneNumber::new(bad), None, "{bad}");
        }
        assert_eq!(
            PhoneNumber::new("+86").map(|number| number.type_of_address()),
            Some(145)
        );
    }
}
