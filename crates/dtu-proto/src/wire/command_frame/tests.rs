use alloc::vec::Vec;
use proptest::collection::vec;
use proptest::prelude::*;
use std::string::{String, ToString};

use super::*;

/// The maker's example: UDP to 192.168.0.133, port 33, one byte 01.
const EXAMPLE: &[u8] = b"\x55\xAA\x00\x0A\x00\x00\x00\x21\x00\x85\x00\xA8\xC0\x01\x0F";

const FRAME: CommandFrame<'_> = CommandFrame {
    protocol: Protocol::Udp,
    long: true,
    wait: 0,
    full_reply: false,
    host: Host::Ip(Ipv4Addr::new(192, 168, 0, 133)),
    port: 33,
    data: &[1],
};

/// The body in a frame with the right `len` and sum.
fn around(body: &[u8]) -> Vec<u8> {
    let len = u16::try_from(body.len()).unwrap();
    [&MAGIC[..], &len.to_be_bytes(), body, &[sum(body)]].concat()
}

fn fault(body: &[u8]) -> Fault {
    CommandFrame::decode(&around(body)).unwrap_err()
}

#[test]
fn the_published_example_is_read_and_written() {
    assert_eq!(CommandFrame::decode(EXAMPLE), Ok(FRAME));
    assert_eq!(FRAME.encode().unwrap(), EXAMPLE);
}

#[test]
fn each_bit_of_func_has_its_meaning() {
    let frame = around(b"\x87\x1E\x99\x50\xC3a.example\0data");
    let read = CommandFrame::decode(&frame).unwrap();
    let expected = CommandFrame {
        protocol: Protocol::Tcp,
        long: false,
        wait: 30,
        full_reply: true,
        host: Host::Name("a.example"),
        port: 50_000,
        data: b"data",
    };
    assert_eq!(read, expected);
    for bit in 3..=6 {
        assert_eq!(
            fault(&[1 << bit, 0, 0, 1, 0, 1, 2, 3, 4, 5]),
            Fault::Function(1 << bit)
        );
    }
}

#[test]
fn what_is_wrong_is_named() {
    let ip = b"\x00\x00\x00\x21\x00\x85\x00\xA8\xC0";
    let name = |name: &[u8]| [&b"\x05\0\0\x21\0"[..], name, &[0], b"xy"].concat();
    let mut wrong_sum = EXAMPLE.to_vec();
    wrong_sum[13] = 2;
    for (frame, text) in [
        (around(ip), "data must have 1..=1000 bytes, got 0"),
        (
            around(&[&ip[..], &[7; 1001]].concat()),
            "data must have 1..=1000 bytes, got 1001",
        ),
        (
            around(b"\0\0\0\0\0\x85\0\xA8\xC0\x01"),
            "port must be 1..=65535, got 0",
        ),
        (
            around(&name(b"")),
            "the name must have 1..=255 bytes and end with 00",
        ),
        (
            around(&name(&[b'a'; 256])),
            "the name must have 1..=255 bytes and end with 00",
        ),
        (
            around(b"\x05\0\0\x21\0aaaaaaaaa"),
            "the name must have 1..=255 bytes and end with 00",
        ),
        (
            around(&name(b"a b")),
            "the name may have letters, digits and . - _ : % [ ], got 20",
        ),
        (around(b"\0\0\0\x21\0\x85\0"), "len must be 8..=1261, got 7"),
        (around(&[0; 1262]), "len must be 8..=1261, got 1262"),
        (wrong_sum, "sum must be 10, got 0F"),
        (EXAMPLE[..14].to_vec(), "got only 14 of 15 bytes"),
        (EXAMPLE[..3].to_vec(), "got only 3 bytes"),
        ([EXAMPLE, b"!"].concat(), "bytes follow behind the sum"),
        (b"hello".to_vec(), "must begin with 55 AA"),
    ] {
        let told = CommandFrame::decode(&frame).unwrap_err().to_string();
        assert_eq!(told, text);
    }
}

#[test]
fn the_longest_frame_fits_and_is_whole() {
    let name = "n".repeat(NAME_MAX);
    let frame = CommandFrame {
        host: Host::Name(&name),
        data: &[0xAA; DATA_MAX],
        ..FRAME
    };
    let bytes = frame.encode().unwrap();
    assert_eq!(bytes.len(), FRAME_MAX);
    assert_eq!(CommandFrame::decode(&bytes), Ok(frame));
}

#[test]
fn nothing_is_written_that_could_not_be_read() {
    for (frame, fault) in [
        (CommandFrame { port: 0, ..FRAME }, Fault::Port),
        (CommandFrame { data: &[], ..FRAME }, Fault::Data(0)),
        (
            CommandFrame {
                data: &[0; 1001],
                ..FRAME
            },
            Fault::Data(1001),
        ),
        (
            CommandFrame {
                host: Host::Name(""),
                ..FRAME
            },
            Fault::Name,
        ),
        (
            CommandFrame {
                host: Host::Name("a\0b"),
                ..FRAME
            },
            Fault::NameByte(0),
        ),
    ] {
        assert_eq!(frame.encode(), Err(fault));
    }
}

/// Everything that is found in these pieces, runs of garbage as one.
fn found(pieces: &[&[u8]], give_up: bool) -> Vec<Found> {
    let mut finder = Finder::default();
    let mut all = Vec::new();
    for piece in pieces {
        finder.feed(piece);
        drain(&mut finder, &mut all);
    }
    while give_up && finder.held() > 0 {
        finder.give_up();
        drain(&mut finder, &mut all);
    }
    assert!(finder.held() <= FRAME_MAX);
    all
}

fn drain(finder: &mut Finder, all: &mut Vec<Found>) {
    while let Some(found) = finder.next() {
        match (all.last_mut(), &found) {
            (Some(Found::Garbage { bytes, .. }), Found::Garbage { bytes: more, .. }) => {
                *bytes += more
            }
            _ => all.push(found),
        }
    }
}

fn bytes_of(found: &Found) -> usize {
    match found {
        Found::Frame(frame) => frame.len(),
        Found::Bad { bytes, .. } | Found::Garbage { bytes, .. } => *bytes,
    }
}

fn frames(found: &[Found]) -> Vec<Bytes> {
    let frame = |found: &Found| match found {
        Found::Frame(frame) => Some(frame.clone()),
        Found::Bad { .. } | Found::Garbage { .. } => None,
    };
    found.iter().filter_map(frame).collect()
}

fn good(frame: &[u8]) -> Found {
    Found::Frame(Bytes::copy_from_slice(frame))
}

#[test]
fn behind_a_wrong_sum_the_next_55_aa_is_found_even_inside() {
    let mut broken = around(&[&b"\0\0\0\x21\0\x85\0\xA8\xC0"[..], EXAMPLE].concat());
    *broken.last_mut().unwrap() ^= 1;
    let Fault::Sum { .. } = CommandFrame::decode(&broken).unwrap_err() else {
        panic!()
    };
    let all = found(&[&broken], false);
    assert_eq!(frames(&all), [Bytes::from_static(EXAMPLE)]);
    assert!(matches!(
        all[0],
        Found::Bad {
            fault: Fault::Sum { .. },
            bytes: 2
        }
    ));
}

#[test]
fn a_frame_whose_sum_fits_is_passed_over_whole() {
    let refused = around(&[&b"\0\0\0\0\0\x85\0\xA8\xC0"[..], EXAMPLE].concat());
    let expected = [
        Found::Bad {
            fault: Fault::Port,
            bytes: refused.len(),
        },
        good(EXAMPLE),
    ];
    assert_eq!(found(&[&refused, EXAMPLE], false), expected);
}

#[test]
fn a_length_that_cannot_be_is_told_before_the_rest_comes() {
    let expected = [Found::Bad {
        fault: Fault::Length(0xFFFF),
        bytes: 2,
    }];
    assert_eq!(found(&[b"\x55\xAA\xFF\xFF"], false)[..1], expected);
}

#[test]
fn an_end_that_does_not_come_gives_free_what_stands_behind_its_beginning() {
    let begun = b"\x55\xAA\x01\x00\0\0\0\x21\0";
    assert_eq!(found(&[begun, EXAMPLE], false), []);
    let fault = Fault::Incomplete {
        got: begun.len() + EXAMPLE.len(),
        of: Some(261),
    };
    let expected = [
        Found::Bad { fault, bytes: 2 },
        Found::Garbage { first: 1, bytes: 7 },
        good(EXAMPLE),
    ];
    assert_eq!(found(&[begun, EXAMPLE], true), expected);
    assert_eq!(
        found(&[b"U"], true),
        [Found::Garbage {
            first: b'U',
            bytes: 1
        }]
    );
}

fn host() -> impl Strategy<Value = String> {
    prop_oneof!["[a-zA-Z0-9._:%\\[\\]-]{1,255}", "[a-z.]{1,20}"]
}

fn any_frame() -> impl Strategy<Value = Vec<u8>> {
    let flags = any::<(bool, bool, bool, u8, u16)>();
    let to = prop_oneof![any::<u32>().prop_map(Ok), host().prop_map(Err)];
    let data = prop_oneof![
        vec(any::<u8>(), 1..=1000),
        vec(prop_oneof![Just(0x55), Just(0xAA)], 1..40)
    ];
    (flags, to, data).prop_map(|((tcp, long, full_reply, wait, port), to, data)| {
        let host = match &to {
            Ok(ip) => Host::Ip(Ipv4Addr::from_bits(*ip)),
            Err(name) => Host::Name(name),
        };
        let protocol = if tcp { Protocol::Tcp } else { Protocol::Udp };
        let frame = CommandFrame {
            protocol,
            long,
            wait,
            full_reply,
            host,
            port: port.max(1),
            data: &data,
        };
        let bytes = frame.encode().unwrap();
        assert_eq!(CommandFrame::decode(&bytes), Ok(frame));
        bytes
    })
}

/// Frames, broken frames, and anything.
fn any_line() -> impl Strategy<Value = Vec<u8>> {
    let broken = (any_frame(), any::<prop::sample::Index>(), any::<u8>()).prop_map(
        |(mut frame, at, byte)| {
            let at = at.index(frame.len());
            frame[at] = byte;
            frame
        },
    );
    let torn = (any_frame(), any::<prop::sample::Index>()).prop_map(|(mut frame, at)| {
        frame.truncate(at.index(frame.len()));
        frame
    });
    let piece = prop_oneof![
        3 => any_frame(),
        2 => broken,
        1 => torn,
        1 => vec(any::<u8>(), 0..40),
        1 => vec(prop_oneof![Just(0x55u8), Just(0xAA), Just(0)], 0..20),
    ];
    vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_split_of_reads_gives_the_same(line in any_line(), cuts in vec(any::<prop::sample::Index>(), 0..20)) {
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(line.len() + 1)).collect();
        cuts.extend([0, line.len()]);
        cuts.sort_unstable();
        let pieces: Vec<_> = cuts.windows(2).map(|cut| &line[cut[0]..cut[1]]).collect();
        for give_up in [false, true] {
            prop_assert_eq!(found(&pieces, give_up), found(&[&line], give_up));
        }
        let bytewise: Vec<_> = line.chunks(1).collect();
        prop_assert_eq!(found(&bytewise, true), found(&[&line], true));
    }

    #[test]
    fn every_byte_is_accounted_for_in_its_order(line in any_line()) {
        let all = found(&[&line], true);
        let mut rest = &line[..];
        for found in &all {
            if let Found::Frame(frame) = found {
                prop_assert!(rest.starts_with(frame));
            }
            rest = &rest[bytes_of(found)..];
        }
        prop_assert!(rest.is_empty());
    }

    #[test]
    fn a_good_frame_is_found_behind_any_garbage_without_55_aa(
        garbage in vec(any::<u8>(), 0..60), good in vec(any_frame(), 1..4),
    ) {
        prop_assume!(!garbage.windows(2).any(|pair| pair == MAGIC) && garbage.last() != Some(&0x55));
        let line = [garbage.clone(), good.concat()].concat();
        let all = found(&[&line], false);
        prop_assert_eq!(all.len(), good.len() + usize::from(!garbage.is_empty()));
        prop_assert_eq!(frames(&all), good.into_iter().map(Bytes::from).collect::<Vec<_>>());
    }

    /// What stands in front may claim its bytes, but once that is found wrong the frame is there.
    #[test]
    fn a_good_frame_is_found_behind_anything_that_is_no_good_frame(garbage in vec(any::<u8>(), 0..60), frame in any_frame()) {
        let line = [&garbage[..], &frame].concat();
        let all = found(&[&line], true);
        // A frame that is good by chance would have to end inside: its sum fits once in 256.
        let claimed = all.iter().any(|found| matches!(found, Found::Bad { bytes, .. } if *bytes > 2));
        let by_chance = frames(&all).iter().any(|other| **other != frame[..]);
        prop_assume!(!claimed && !by_chance);
        prop_assert_eq!(frames(&all), [Bytes::from(frame)]);
    }
}
