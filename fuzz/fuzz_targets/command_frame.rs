//! Any bytes of the DTE in mode 1, in any pieces: nothing panics, how they are cut changes nothing, each byte is in a good
//! packet, a bad one or garbage, and what was read can be written to the same bytes.
//!
//! The first byte says how long the pieces are.
#![no_main]

use dtu_proto::wire::command_frame::{CommandFrame, DATA_MAX, FRAME_MAX, Finder, Found, MAGIC};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((first, bytes)) = input.split_first() else { return };
    let whole = find(bytes, bytes.len().max(1));
    assert_eq!(whole, find(bytes, 1), "in one piece and byte by byte");
    assert_eq!(whole, find(bytes, usize::from(*first) + 1), "in one piece and as it was drawn");
    // Each good packet stands by itself, too.
    for packet in whole {
        assert_eq!(find(&packet, packet.len()), [packet]);
    }
});

/// The good packets.
fn find(bytes: &[u8], most: usize) -> Vec<Vec<u8>> {
    let mut finder = Finder::default();
    let (mut packets, mut seen) = (Vec::new(), 0);
    for piece in bytes.chunks(most) {
        finder.feed(piece);
        seen += drain(&mut finder, &mut packets);
        assert!(finder.held() <= FRAME_MAX, "{} bytes are held", finder.held());
    }
    while finder.held() > 0 {
        finder.give_up();
        seen += drain(&mut finder, &mut packets);
    }
    assert_eq!((seen, finder.held()), (bytes.len(), 0), "each byte is accounted for");
    packets
}

fn drain(finder: &mut Finder, packets: &mut Vec<Vec<u8>>) -> usize {
    let mut seen = 0;
    while let Some(found) = finder.next() {
        seen += match found {
            Found::Frame(packet) => {
                let frame = CommandFrame::decode(&packet).expect("a good packet");
                assert!((1..=DATA_MAX).contains(&frame.data.len()) && packet.starts_with(&MAGIC));
                // The second reserved byte is not looked at.
                let written = frame.encode().expect("what was read can be written");
                assert_eq!(CommandFrame::decode(&written), Ok(frame));
                assert_eq!(written.len(), packet.len());
                packets.push(packet.to_vec());
                packet.len()
            }
            Found::Bad { bytes, .. } | Found::Garbage { bytes, .. } => {
                assert!(bytes > 0);
                bytes
            }
        };
    }
    seen
}
