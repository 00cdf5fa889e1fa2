//! The cloud door: 20 digits and 8 characters, in any segments.

use std::fmt;

use crate::ids::DeviceId;

const PASSWORD: usize = 8;
const LENGTH: usize = DeviceId::LENGTH + PASSWORD;

/// What the cloud answers: `usr_cloud_code_<n>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// 0
    Accepted,
    /// 1
    Protocol,
    /// 2
    UnknownId,
    /// 3
    Unavailable,
    /// 4
    WrongPassword,
    /// 5
    NotAllowed,
}

impl Code {
    /// All codes, in their order.
    pub const ALL: [Self; 6] = [
        Self::Accepted,
        Self::Protocol,
        Self::UnknownId,
        Self::Unavailable,
        Self::WrongPassword,
        Self::NotAllowed,
    ];

    /// Its number.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    pub(crate) const fn answer(self) -> &'static str {
        match self {
            Self::Accepted => "usr_cloud_code_0\r\n",
            Self::Protocol => "usr_cloud_code_1\r\n",
            Self::UnknownId => "usr_cloud_code_2\r\n",
            Self::Unavailable => "usr_cloud_code_3\r\n",
            Self::WrongPassword => "usr_cloud_code_4\r\n",
            Self::NotAllowed => "usr_cloud_code_5\r\n",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.answer().trim_end())
    }
}

/// What is known of the registration so far.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// More has to come.
    Less,
    /// All of it came. So many bytes of the segment belong to it; the rest is data.
    All {
        id: DeviceId,
        password: [u8; PASSWORD],
        used: usize,
    },
    /// This is no registration.
    Wrong,
}

impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the password.
        match self {
            Self::Less => f.write_str("Less"),
            Self::All { id, used, .. } => write!(f, "All({id}, {used})"),
            Self::Wrong => f.write_str("Wrong"),
        }
    }
}

/// Collects the registration of one connection.
#[derive(Clone)]
pub(crate) struct Cloud {
    bytes: [u8; LENGTH],
    length: u8,
}

impl fmt::Debug for Cloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cloud({} bytes)", self.length)
    }
}

impl Default for Cloud {
    fn default() -> Self {
        Self {
            bytes: [0; LENGTH],
            length: 0,
        }
    }
}

impl Cloud {
    /// Whether nothing came: a probe of the port, which costs no line of the log.
    pub(crate) const fn is_empty(&self) -> bool {
        self.length == 0
    }

    pub(crate) fn feed(&mut self, segment: &[u8]) -> Told {
        let mut used = 0;
        for &byte in segment {
            let at = usize::from(self.length);
            let fits = if at < DeviceId::LENGTH {
                byte.is_ascii_digit()
            } else {
                byte.is_ascii_graphic()
            };
            if !fits {
                return Told::Wrong;
            }
            self.bytes[at] = byte;
            self.length += 1;
            used += 1;
            if usize::from(self.length) == LENGTH {
                break;
            }
        }
        if usize::from(self.length) < LENGTH {
            return Told::Less;
        }
        let (id, password) = self.bytes.split_at(DeviceId::LENGTH);
        match (DeviceId::new(id), password.try_into()) {
            (Some(id), Ok(password)) => Told::All { id, password, used },
            _ => Told::Wrong,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_answer_is_usr_cloud_code_and_the_number() {
        for code in Code::ALL {
            assert_eq!(
                code.answer(),
                format!("usr_cloud_code_{}\r\n", code.number())
            );
        }
    }

    #[test]
    fn what_is_no_registration_is_known_at_its_first_wrong_byte() {
        for bad in [
            "GET / HTTP/1.1",
            "1234x",
            "00000000000000000001pass\r\n",
            "\u{16}\u{3}",
        ] {
            assert_eq!(Cloud::default().feed(bad.as_bytes()), Told::Wrong, "{bad}");
        }
        assert_eq!(Cloud::default().feed(b"0000"), Told::Less);
    }

    proptest! {
        /// "28 ASCII bytes, first, in any number of segments"
        #[test]
        fn segments_change_nothing(cuts in prop::collection::vec(0_usize..40, 0..6)) {
            let stream = b"00000000000000001234p#ssW0rdDATA";
            let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(stream.len())).collect();
            cuts.extend([0, stream.len()]);
            cuts.sort_unstable();
            let mut door = Cloud::default();
            for pair in cuts.windows(2) {
                match door.feed(&stream[pair[0]..pair[1]]) {
                    Told::Less => prop_assert!(pair[1] < LENGTH),
                    Told::All { id, password, used } => {
                        prop_assert_eq!(pair[0] + used, LENGTH);
                        prop_assert_eq!(&password, b"p#ssW0rd");
                        prop_assert_eq!(id, DeviceId::padded(b"1234").unwrap());
                        return Ok(());
                    }
                    Told::Wrong => prop_assert!(false),
                }
            }
            prop_assert!(false, "the registration was not seen");
        }
    }
}
