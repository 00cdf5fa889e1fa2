//! The working modes, one line each.

use core::fmt;

/// The list of all modes. Each line is
///
/// `NUMBER: NAME, "NAME OF THE MANUAL", "WORD OF AT+CIMOD" => (FIELD: TYPE, [SOCKETS], [QUEUES]);`
///
/// - A mode without a word is not offered: no command sets it.
/// - The type implements `Mode`; in a `Seldom` it takes no memory before it is used.
/// - Its sockets and its queues are patterns, if it has some.
///
/// Where several modes have something to do, they do it in the order of the lines.
macro_rules! working_modes {
    ($with:ident) => {
        $with! {
            0: Transparent, "transparent mode", "transparent"
                => (transparent: Transparent, [SocketId::Link(_)], [QueueId::Link(_)]);
            3: Httpd, "HTTPD client mode", "HTTPD"
                => (httpd: Seldom<Httpd>, [SocketId::Httpd], [QueueId::Httpd]);
            1: SerialCommand, "serial command mode", "serial command"
                => (packets: Seldom<Packets>, [SocketId::Destination(_)], [QueueId::SerialCommand]);
            2: AtCommand, "AT command mode", "AT command"
                => (at: Seldom<AtConnection>, [SocketId::AtMode], []);
            4: Sms, "transparent SMS mode", "SMS"
                => (sms: Sms, [], []);
            #[cfg(test)]
            250: Echo, "echo mode"
                => (echo: Seldom<tests::echo::Echo>, [], []);
        }
    };
}
pub(crate) use working_modes;

macro_rules! define {
    ($($(#[$attr:meta])* $number:literal: $mode:ident, $name:literal $(, $word:literal)? => $parts:tt;)*) => {
        /// `CIMOD`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum WorkingMode {
            $($(#[$attr])* #[doc = $name] $mode = $number,)*
        }

        const OFFERED: usize = [$($($word,)?)*].len();

        impl WorkingMode {
            /// Those that commands set, in the order of their numbers.
            const TABLE: [(Self, &'static str); OFFERED] = {
                let mut all = [(Self::Transparent, ""); OFFERED];
                let (mut index, mut number) = (0, 0);
                while index < OFFERED {
                    $($(
                        if number == $number {
                            all[index] = (Self::$mode, $word);
                            index += 1;
                        }
                    )?)*
                    number += 1;
                }
                all
            };

            /// The number that `CIMOD` shows.
            #[must_use]
            pub const fn number(self) -> u8 {
                match self {
                    $($(#[$attr])* Self::$mode => $number,)*
                }
            }

            /// The name of the manual 2.1.
            const fn name(self) -> &'static str {
                match self {
                    $($(#[$attr])* Self::$mode => $name,)*
                }
            }
        }
    };
}

working_modes!(define);

impl WorkingMode {
    /// The modes in the order of their numbers.
    pub const ALL: [Self; OFFERED] = {
        let mut all = [Self::Transparent; OFFERED];
        let mut index = 0;
        while index < OFFERED {
            all[index] = Self::TABLE[index].0;
            index += 1;
        }
        all
    };

    /// Its word in commands; none where no command sets it.
    #[must_use]
    pub fn word(self) -> &'static str {
        let own = Self::TABLE.into_iter().find(|(mode, _)| *mode == self);
        own.map_or("", |(_, word)| word)
    }

    /// Their numbers and words in commands.
    pub(crate) const CHOICES: [(u32, &'static str); OFFERED] = {
        let mut all = [(0, ""); OFFERED];
        let mut index = 0;
        while index < OFFERED {
            let (mode, word) = Self::TABLE[index];
            all[index] = (mode.number() as u32, word);
            index += 1;
        }
        all
    };
}

impl fmt::Display for WorkingMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What frames of the DTE are for a working mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FrameKind {
    /// Bytes.
    Data,
    /// They may be longer.
    Request,
    /// Size cuts no character.
    Text,
}
