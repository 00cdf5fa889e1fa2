//! Each test names the sentence of the specification of the cloud that it holds.

use super::*;
use proptest::prelude::*;

fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

/// A stream with what came out of it: messages, and `*` for what was taken out.
struct Read {
    reading: Reading,
    stream: Stream,
    got: Vec<String>,
}

impl Read {
    fn new(framing: Framing, heartbeats: &[&'static str]) -> Self {
        let heartbeats = heartbeats
            .iter()
            .map(|beat| Bytes::from_static(beat.as_bytes()));
        Self {
            reading: Reading {
                framing,
                heartbeats: heartbeats.collect(),
                prefix: Bytes::new(),
            },
            stream: Stream::default(),
            got: Vec::new(),
        }
    }

    fn comes(&mut self, millis: u64, bytes: &[u8]) -> &mut Self {
        self.passes(millis);
        let got = &mut self.got;
        self.stream
            .feed(&self.reading, bytes, at(millis), &mut |piece| {
                note(got, piece)
            });
        self
    }

    fn passes(&mut self, millis: u64) -> &mut Self {
        let mut turns = 0;
        while let Some(due) = self.stream.deadline().filter(|due| *due <= at(millis)) {
            let got = &mut self.got;
            self.stream
                .fire(&self.reading, due, &mut |piece| note(got, piece));
            turns += 1;
            assert!(turns < 20, "a deadline does not move");
        }
        self
    }

    #[track_caller]
    fn gives(&mut self, expected: &[&str]) -> &mut Self {
        assert_eq!(std::mem::take(&mut self.got), expected);
        self
    }
}

fn note(got: &mut Vec<String>, piece: Piece<'_>) {
    got.push(match piece {
        Piece::Message(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Piece::TakenOut(_) => "*".to_owned(),
    });
}

fn delimiter(begin: &'static str) -> Framing {
    Framing::Delimiter {
        end: Bytes::from_static(b"\n"),
        begin: Bytes::from_static(begin.as_bytes()),
    }
}

/// "Heartbeats and registration inside the stream are taken out only where they stand at the start of a frame"
#[test]
fn a_heartbeat_inside_a_frame_is_data() {
    let mut read = Read::new(delimiter("$"), &["HB"]);
    read.comes(0, b"$aHB")
        .passes(1000)
        .comes(1000, b"HB\n")
        .gives(&["$aHBHB\n"]);
    read.comes(1100, b"HB")
        .passes(1299)
        .gives(&[])
        .passes(1300)
        .gives(&["*"]);
}

/// "… and are followed by a frame start or silence"
#[test]
fn a_heartbeat_goes_out_where_a_frame_or_silence_follows() {
    let mut read = Read::new(delimiter("$"), &["HB"]);
    read.comes(0, b"HB$a\nHBHB$b\n")
        .gives(&["*", "$a\n", "*", "*", "$b\n"]);
    read.comes(10, b"HBa\n").gives(&["HBa\n"]);
    let mut by_silence = Read::new(Framing::Silence(Duration::from_millis(50)), &["HB"]);
    by_silence.comes(0, b"HBdata").passes(60).gives(&["HBdata"]);
    by_silence.comes(100, b"HB").passes(300).gives(&["*"]);
    by_silence
        .comes(400, b"HBHB")
        .passes(600)
        .gives(&["*", "*"]);
    let mut each_read = Read::new(Framing::None, &["HB"]);
    each_read.comes(0, b"data").gives(&["data"]);
    each_read.comes(10, b"HB").passes(210).gives(&["*"]);
    each_read.comes(300, b"HBdata").gives(&["HBdata"]);
}

/// "a partial match waits 200 ms at most, then is data"
#[test]
fn a_partial_match_waits_200_ms_then_is_data() {
    let mut read = Read::new(Framing::None, &["HEART"]);
    read.comes(0, b"HEA")
        .passes(199)
        .gives(&[])
        .passes(200)
        .gives(&["HEA"]);
    read.comes(300, b"HEA")
        .comes(400, b"RT")
        .passes(599)
        .gives(&[])
        .passes(600)
        .gives(&["*"]);
    read.comes(700, b"HEA").comes(899, b"x").gives(&["HEAx"]);
}

#[test]
fn the_longest_heartbeat_is_taken() {
    let mut read = Read::new(Framing::None, &["HB", "HB+"]);
    read.comes(0, b"HB+").passes(500).gives(&["*"]);
    read.comes(1000, b"HB").passes(1500).gives(&["*"]);
}

/// Who sends heartbeats without a pause fills no memory and no stack: what is held is bounded in bytes and in time.
#[test]
fn heartbeats_without_a_pause_are_not_held_for_ever() {
    let mut read = Read::new(delimiter("$"), &["HB"]);
    read.comes(0, &b"HB".repeat(100_000));
    assert!(read.stream.held.len() < LONGEST);
    read.passes(60_000);
    read.got.clear();
    for n in 0..300_u64 {
        read.comes(100_000 + n * 10, b"HB");
    }
    read.passes(200_000);
    assert_eq!(read.got, vec!["*"; 300]);
    let mut slow = Read::new(delimiter("$"), &["HB"]);
    slow.comes(0, b"HB").comes(199, b"HB").comes(398, b"HB");
    slow.passes(400).gives(&["*"; 3]);
}

/// How heartbeats can be read one after another is looked at place by place, not way by way.
#[test]
fn heartbeats_that_begin_alike_cost_no_more_than_others() {
    let mut read = Read::new(delimiter("$"), &["A", "AA", "AAA"]);
    read.comes(0, &[b'A'; 999]).gives(&[]);
    read.comes(1, b"$a\n");
    assert_eq!((read.got.len(), read.got[333].as_str()), (334, "$a\n"));
}

/// What is done with is not moved away message by message: that would take a minute here, and hours for more.
#[test]
fn short_messages_cost_no_more_where_many_come_at_once() {
    let mut messages = 0;
    let mut read = Read::new(Framing::Length(1), &["HB"]);
    let bytes = b"HB".repeat(1 << 19);
    let note = &mut |piece: Piece<'_>| {
        assert!(matches!(piece, Piece::Message(message) if message.len() == 1));
        messages += 1;
    };
    read.stream.feed(&read.reading, &bytes, at(0), note);
    read.stream.end(&read.reading, &mut |_| {});
    assert!((1 << 20) - messages <= BEATS, "{messages}");
}

/// "a registration prefix on data is stripped before history, MQTT and export"
#[test]
fn a_prefix_is_stripped_from_each_message() {
    let mut read = Read::new(Framing::None, &[]);
    read.reading.prefix = Bytes::from_static(b"pw:");
    read.comes(0, b"pw:data").gives(&["*", "data"]);
    read.comes(10, b"p")
        .comes(100, b"w:")
        .comes(150, b"pw:x")
        .gives(&["*", "pw:x"]);
    read.comes(300, b"p").passes(500).gives(&["p"]);
    read.comes(600, b"none").gives(&["none"]);
}

/// "Frames per device: none, silence, length, delimiter, length field, Modbus RTU"
#[test]
fn each_framing_has_its_end() {
    let mut silence = Read::new(Framing::Silence(Duration::from_millis(50)), &[]);
    silence
        .comes(0, b"a")
        .comes(49, b"b")
        .comes(99, b"c")
        .passes(149)
        .gives(&["ab", "c"]);
    let mut length = Read::new(Framing::Length(3), &[]);
    length
        .comes(0, b"abcdef")
        .comes(10, b"g")
        .gives(&["abc", "def"]);
    length.passes(2009).gives(&[]).passes(2010).gives(&["g"]);
    let mut field = Read::new(
        Framing::LengthField(crate::frame::LengthField {
            begin: Bytes::from_static(b"#"),
            offset: 1,
            width: 1,
            little_endian: false,
            plus: 2,
        }),
        &[],
    );
    field
        .comes(0, b"noise#\x02ab#\x01c")
        .gives(&["noise", "#\u{2}ab", "#\u{1}c"]);
    let mut none = Read::new(Framing::None, &[]);
    none.comes(0, b"any")
        .comes(0, b"thing")
        .gives(&["any", "thing"]);
    assert_eq!(none.stream.held.capacity(), 0, "nothing is copied");
}

#[test]
fn what_is_left_at_the_end_of_a_connection_is_a_message() {
    let mut read = Read::new(delimiter(""), &["HB"]);
    read.comes(0, b"a\nrest");
    let got = &mut read.got;
    read.stream
        .end(&read.reading, &mut |piece| note(got, piece));
    read.gives(&["a\n", "rest"]);
}

#[test]
fn no_message_is_longer_than_4096_bytes() {
    for framing in [
        Framing::None,
        delimiter(""),
        Framing::Silence(Duration::from_secs(1)),
        Framing::Length(100_000),
        Framing::ModbusRtu,
    ] {
        let mut read = Read::new(framing, &[]);
        read.comes(0, &[b'z'; 10_000]).passes(60_000);
        assert_eq!(read.got.concat().len(), 10_000);
        assert!(read.got.iter().all(|message| message.len() <= LONGEST));
    }
}

fn modbus(unit: u8, count: u8) -> Vec<u8> {
    let mut frame = vec![unit, 3, count];
    frame.extend((0..count).map(|n| n ^ unit));
    let sum = frame.iter().fold(0xFFFF_u16, |sum, byte| {
        (0..8).fold(sum ^ u16::from(*byte), |sum, _| {
            (sum >> 1) ^ (0xA001 * (sum & 1))
        })
    });
    frame.extend(sum.to_le_bytes());
    frame
}

fn framings() -> impl Strategy<Value = Framing> {
    let field = crate::frame::LengthField {
        begin: Bytes::from_static(b"#"),
        offset: 1,
        width: 1,
        little_endian: false,
        plus: 2,
    };
    prop::sample::select(vec![
        Framing::Length(5),
        delimiter("#"),
        delimiter(""),
        Framing::LengthField(field),
        Framing::ModbusRtu,
    ])
}

fn stream() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        (1_u8..250, 0_u8..40).prop_map(|(unit, count)| modbus(unit, count)),
        prop::collection::vec(any::<u8>(), 0..20).prop_map(|bytes| {
            let length = u8::try_from(bytes.len()).unwrap();
            [vec![b'#', length], bytes].concat()
        }),
        "#[a-z]{0,9}\n".prop_map(String::into_bytes),
        Just(b"HB".to_vec()),
        prop::collection::vec(any::<u8>(), 0..6),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    /// "Every cut and merge of the same bytes by the network gives the same messages."
    #[test]
    fn every_cut_and_merge_gives_the_same_messages(
        framing in framings(),
        bytes in stream(),
        beats in any::<bool>(),
        cuts in prop::collection::vec(0_usize..300, 0..12),
    ) {
        let beats: &[&'static str] = if beats { &["HB"] } else { &[] };
        let mut whole = Read::new(framing.clone(), beats);
        whole.comes(0, &bytes).passes(60_000);
        let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let mut in_pieces = Read::new(framing, beats);
        for pair in cuts.windows(2) {
            in_pieces.comes(0, &bytes[pair[0]..pair[1]]);
        }
        in_pieces.passes(60_000);
        prop_assert_eq!(in_pieces.got, whole.got);
    }

    /// Nothing is lost and nothing is made up: all that came is in a message, or was taken out.
    #[test]
    fn messages_are_all_that_came(framing in framings(), bytes in stream(), gaps in prop::collection::vec(0_u64..3000, 4)) {
        let reading = Reading { framing, heartbeats: vec![Bytes::from_static(b"HB")], prefix: Bytes::new() };
        let (mut stream, mut out, mut lives) = (Stream::default(), Vec::new(), 0);
        let mut now = 0;
        let mut take = |piece: Piece<'_>| match piece {
            Piece::Message(message) => out.extend_from_slice(message),
            Piece::TakenOut(length) => lives += length,
        };
        for (n, part) in bytes.chunks(bytes.len() / 4 + 1).enumerate() {
            now += gaps[n];
            stream.fire(&reading, at(now), &mut take);
            stream.feed(&reading, part, at(now), &mut take);
        }
        stream.end(&reading, &mut take);
        prop_assert_eq!(out.len() + lives, bytes.len());
        let mut left = bytes.iter();
        prop_assert!(out.iter().all(|byte| left.any(|other| other == byte)), "in their order");
    }
}
