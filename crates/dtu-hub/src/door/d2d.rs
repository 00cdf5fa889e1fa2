//! The D2D door: an id of 16 bits and its complement.

use crate::ids::RoomId;

/// Collects the four bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Greeting {
    bytes: [u8; 4],
    length: u8,
}

impl Greeting {
    pub(crate) const fn is_empty(self) -> bool {
        self.length == 0
    }

    /// The room, and how many bytes of the segment named it; `None` while more has to come.
    ///
    /// # Errors
    /// Where the complement is none.
    pub(crate) fn feed(&mut self, segment: &[u8]) -> Result<Option<(RoomId, usize)>, ()> {
        for (at, &byte) in segment.iter().enumerate() {
            let place = usize::from(self.length);
            if place >= 2 && byte != !self.bytes[place - 2] {
                return Err(());
            }
            self.bytes[place] = byte;
            self.length += 1;
            if self.length == 4 {
                let room = RoomId(u16::from_be_bytes([self.bytes[0], self.bytes[1]]));
                return Ok(Some((room, at + 1)));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// "4 bytes `ID_hi ID_lo ~ID_hi ~ID_lo` (1234 = `04 D2 FB 2D`)"
    #[test]
    fn room_1234_is_04_d2_fb_2d() {
        let mut greeting = Greeting::default();
        assert_eq!(greeting.feed(&[0x04, 0xD2]), Ok(None));
        assert_eq!(greeting.feed(&[0xFB, 0x2D, 1]), Ok(Some((RoomId(1234), 2))));
    }

    proptest! {
        #[test]
        fn only_a_complement_opens_a_room(bytes in any::<[u8; 4]>()) {
            let is_one = bytes[0] == !bytes[2] && bytes[1] == !bytes[3];
            prop_assert_eq!(Greeting::default().feed(&bytes).is_ok(), is_one);
            let made = [bytes[0], bytes[1], !bytes[0], !bytes[1]];
            let room = u16::from_be_bytes([bytes[0], bytes[1]]);
            prop_assert_eq!(Greeting::default().feed(&made), Ok(Some((RoomId(room), 4))));
        }
    }
}
