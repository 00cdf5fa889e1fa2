//! The frame of the serial command mode (decisions 11), from the side of the equipment: a builder, and a reader of
//! whole packets. Written from the page alone.

/// Where a packet goes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Destination {
    pub(crate) tcp: bool,
    pub(crate) address: Address,
    pub(crate) port: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Address {
    V4([u8; 4]),
    Name(String),
}

impl Address {
    pub(crate) fn text(&self) -> String {
        match self {
            Self::V4([a, b, c, d]) => format!("{a}.{b}.{c}.{d}"),
            Self::Name(name) => name.clone(),
        }
    }
}

/// A packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Packet {
    pub(crate) to: Destination,
    pub(crate) short: bool,
    /// Short links: seconds.
    pub(crate) wait: u8,
    /// Full reply.
    pub(crate) full: bool,
    pub(crate) data: Vec<u8>,
}

impl Packet {
    /// `55 AA | len | func | reserve | port | addr | data | sum`
    pub(crate) fn build(&self) -> Vec<u8> {
        let named = matches!(self.to.address, Address::Name(_));
        let bits = [
            (self.to.tcp, 0),
            (self.short, 1),
            (named, 2),
            (self.full, 7),
        ];
        let func = bits
            .iter()
            .map(|(set, bit)| u8::from(*set) << bit)
            .sum::<u8>();
        let [high, low] = self.to.port.to_be_bytes();
        let mut inner = vec![func, self.wait, 0, low, high];
        match &self.to.address {
            Address::V4([a, b, c, d]) => inner.extend([*d, *c, *b, *a]),
            Address::Name(name) => {
                inner.extend(name.bytes());
                inner.push(0);
            }
        }
        inner.extend_from_slice(&self.data);
        let length = u16::try_from(inner.len()).unwrap_or(u16::MAX).to_be_bytes();
        let sum = inner.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
        [&[0x55, 0xAA], &length[..], &inner, &[sum]].concat()
    }

    /// A whole packet, from `55 AA` to its sum; `None` = it is none.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let (head, rest) = bytes.split_at_checked(4)?;
        let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
        let (inner, sum) = rest.split_at_checked(length)?;
        let right = inner.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
        if head[..2] != [0x55, 0xAA] || sum != [right] {
            return None;
        }
        let (fixed, rest) = inner.split_at_checked(5)?;
        let func = fixed[0];
        let (address, data) = if func & 4 == 0 {
            let (four, data) = rest.split_at_checked(4)?;
            (Address::V4([four[3], four[2], four[1], four[0]]), data)
        } else {
            let end = rest.iter().position(|byte| *byte == 0)?;
            (
                Address::Name(String::from_utf8(rest[..end].to_vec()).ok()?),
                &rest[end + 1..],
            )
        };
        let to = Destination {
            tcp: func & 1 != 0,
            address,
            port: u16::from_be_bytes([fixed[4], fixed[3]]),
        };
        let packet = Self {
            to,
            short: func & 2 != 0,
            wait: fixed[1],
            full: func & 0x80 != 0,
            data: data.to_vec(),
        };
        let good =
            func & 0x78 == 0 && packet.to.port > 0 && (1..=1000).contains(&packet.data.len());
        good.then_some(packet)
    }
}

/// What stands on the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ScanItem {
    /// A good packet, and its bytes.
    Packet(Packet, Vec<u8>),
    /// Something that begins like a packet and is none.
    Bad,
    /// Other bytes.
    Garbage,
}

/// Reads packets out of the frames of the line, as decisions 11 says: what is none is passed over up to the next `55 AA`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reader {
    held: Vec<u8>,
}

impl Reader {
    /// The longest that is no nonsense: func, reserve, port, name and its end, data.
    const LENGTH_MAX: usize = 5 + 256 + 1000;

    pub(crate) const fn is_inside(&self) -> bool {
        self.held.len() >= 2
    }

    /// Nothing is held that may be the beginning of a packet.
    pub(crate) const fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Vec<ScanItem> {
        self.held.extend_from_slice(bytes);
        self.look()
    }

    /// The packet at the front will not be whole.
    pub(crate) fn give_up(&mut self) -> Vec<ScanItem> {
        if self.held.is_empty() {
            return Vec::new();
        }
        let what = if self.is_inside() {
            ScanItem::Bad
        } else {
            ScanItem::Garbage
        };
        self.held.drain(..self.held.len().min(2));
        [vec![what], self.look()].concat()
    }

    /// Bytes that are held.
    pub(crate) const fn held(&self) -> usize {
        self.held.len()
    }

    /// How long the packet at the front is to be, as far as that is known.
    pub(crate) fn awaited(&self) -> u64 {
        match self.held[..] {
            [_, _, high, low, ..] => 5 + u64::from(u16::from_be_bytes([high, low])),
            _ => 4,
        }
    }

    fn look(&mut self) -> Vec<ScanItem> {
        let mut items = Vec::new();
        loop {
            let begin = self.held.windows(2).position(|two| two == [0x55, 0xAA]);
            let half = usize::from(self.held.last() == Some(&0x55));
            let garbage = begin.unwrap_or(self.held.len() - half);
            if garbage > 0 {
                self.held.drain(..garbage);
                items.push(ScanItem::Garbage);
            }
            if begin.is_none() {
                return items;
            }
            let Some((what, length)) = self.front() else {
                return items;
            };
            self.held.drain(..length);
            items.push(what);
        }
    }

    /// What stands at the front, and how much of it is done with.
    fn front(&self) -> Option<(ScanItem, usize)> {
        let [_, _, high, low, ..] = self.held[..] else {
            return None;
        };
        let length = usize::from(u16::from_be_bytes([high, low]));
        if !(8..=Self::LENGTH_MAX).contains(&length) {
            return Some((ScanItem::Bad, 2));
        }
        let whole = 4 + length + 1;
        let bytes = self.held.get(..whole)?;
        if let Some(packet) = Packet::read(bytes) {
            return Some((ScanItem::Packet(packet, bytes.to_vec()), whole));
        }
        let sum = bytes[4..whole - 1]
            .iter()
            .fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
        Some((
            ScanItem::Bad,
            if sum == bytes[whole - 1] { whole } else { 2 },
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Decisions 11: UDP to 192.168.0.133:33, data 01.
    const EXAMPLE: [u8; 15] = [
        0x55, 0xAA, 0x00, 0x0A, 0, 0, 0, 0x21, 0x00, 0x85, 0x00, 0xA8, 0xC0, 0x01, 0x0F,
    ];

    #[test]
    fn the_published_example_is_built_and_read() {
        let to = Destination {
            tcp: false,
            address: Address::V4([192, 168, 0, 133]),
            port: 33,
        };
        let packet = Packet {
            to,
            short: false,
            wait: 0,
            full: false,
            data: vec![1],
        };
        assert_eq!(packet.build(), EXAMPLE);
        assert_eq!(Packet::read(&EXAMPLE), Some(packet));
        let mut damaged = EXAMPLE;
        damaged[13] = 2;
        assert_eq!(Packet::read(&damaged), None);
    }
}
