//! Messages that came lately, so that one that comes again is known: the network sends twice what it has no receipt
//! for, and a modem brings again what it was not told to forget.

use alloc::collections::VecDeque;
use sms_codec::pdu::Deliver;

/// Digests of the last messages, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Seen(VecDeque<u128>);

impl Seen {
    pub(crate) fn knows(&self, digest: u128) -> bool {
        self.0.contains(&digest)
    }

    pub(crate) fn remember(&mut self, digest: u128) {
        if self.0.len() == SEEN_MAX {
            self.0.pop_front();
        }
        self.0.push_back(digest);
    }

    pub(crate) fn digests(&self) -> impl Iterator<Item = u128> {
        self.0.iter().copied()
    }
}

/// Of sender, stamp, coding and user data; what a second copy may have otherwise (the bit that tells of further
/// messages) is left out.
pub(crate) fn digest(deliver: &Deliver) -> u128 {
    let from = deliver.from.text().as_bytes();
    let data = deliver.data.octets();
    let length = deliver.data.length().to_be_bytes();
    let head = [deliver.from.type_of_address(), deliver.pid, deliver.dcs.0];
    fnv([
        from,
        &head[..],
        &deliver.stamp.0[..],
        &length[..],
        &data[..],
    ]
    .into_iter()
    .flatten())
}

/// Of octets.
pub(crate) fn digest_of(octets: &[u8]) -> u128 {
    fnv(octets.iter())
}

/// FNV-1a.
fn fnv<'a>(octets: impl Iterator<Item = &'a u8>) -> u128 {
    octets.fold(BASIS, |hash, octet| {
        (hash ^ u128::from(*octet)).wrapping_mul(PRIME)
    })
}

const SEEN_MAX: usize = 128;
/// Of FNV-1a with 128 bits.
const BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013B;
