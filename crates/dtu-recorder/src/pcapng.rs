//! What is kept as a capture file that Wireshark opens (pcapng, draft-ietf-opsawg-pcapng): the line as serial traffic
//! (LINKTYPE 250, RTAC Serial), each connection as IPv4 and TCP with heads made up (LINKTYPE 228).

use super::{Count, Dir, Kind, Place, Recorder, Row};

impl Recorder {
    /// All that is kept, as a capture file. Payload is in it as it passed; the file says so.
    #[must_use]
    pub fn pcapng(&self) -> Vec<u8> {
        self.pcapng_in_turns(&|| self.rows.let_writers_in())
    }

    /// `between` is called while nothing is locked.
    fn pcapng_in_turns(&self, between: &dyn Fn()) -> Vec<u8> {
        let mut capture = Capture::new();
        // What comes meanwhile is for the next file: else a busy device would never let this one end.
        let (mut from, end) = (0, self.next_row());
        while from < end {
            // Some at a time: the device does not wait for the whole of it. A page is empty where all of it was pushed out.
            let page = self.rows_in_turns(from, PAGE, between);
            for row in page.items.iter().filter(|row| row.seq < end) {
                capture.add(row);
            }
            from = page.next;
        }
        capture.finish(&self.counts())
    }
}

struct Capture {
    file: Vec<u8>,
    last_at: u64,
    /// The number of the interface in the file, by place.
    interfaces: [Option<u32>; Place::COUNT],
    used: u32,
    connections: [Connection; Place::COUNT],
    delivered: [u64; Place::COUNT],
}

/// What the heads of the next segments hold.
#[derive(Clone, Copy, Default)]
struct Connection {
    /// Of this file; each has a port of its own.
    number: u16,
    /// The numbers of the next byte, by direction.
    in_seq: u32,
    out_seq: u32,
}

impl Capture {
    fn new() -> Self {
        let mut capture = Self {
            file: Vec::new(),
            last_at: 0,
            interfaces: [None; Place::COUNT],
            used: 0,
            connections: [Connection::default(); Place::COUNT],
            delivered: [0; Place::COUNT],
        };
        let mut body = Vec::new();
        body.extend(BYTE_ORDER.to_le_bytes());
        body.extend([1, 0, 0, 0]);
        body.extend(u64::MAX.to_le_bytes());
        option(&mut body, COMMENT, WARNING.as_bytes());
        option(
            &mut body,
            USER_APPLICATION,
            concat!("dtu-console ", env!("CARGO_PKG_VERSION")).as_bytes(),
        );
        end_options(&mut body);
        capture.block(SECTION, &body);
        capture
    }

    fn add(&mut self, row: &Row) {
        let place = row.of.index();
        let packet = match row.of {
            Place::Line => serial(row),
            Place::Link(_) | Place::At | Place::Httpd | Place::Destination(_) => {
                if row.kind == Kind::Event
                    && row
                        .note
                        .as_deref()
                        .is_some_and(|note| note.starts_with(CONNECTED))
                {
                    let number = self.connections[place].number + 1;
                    self.connections[place] = Connection {
                        number,
                        ..Connection::default()
                    };
                }
                segment(row, &mut self.connections[place])
            }
            // Neither is a wire.
            Place::Console | Place::Device | Place::Radio => return,
        };
        let interface = self.interface(row.of);
        self.delivered[place] += u64::from(row.kind == Kind::Data);
        self.last_at = self.last_at.max(row.at_micros);
        // A mask may be longer than the secret.
        let lost = (row.len as usize).saturating_sub(row.data.len());
        let mut body = Vec::new();
        body.extend(interface.to_le_bytes());
        body.extend(stamp(row.at_micros));
        body.extend(length(packet.len()));
        body.extend(length(packet.len() + lost));
        padded(&mut body, &packet);
        let direction: u32 = match row.dir {
            Dir::In => 1,
            Dir::Out => 2,
        };
        option(&mut body, FLAGS, &direction.to_le_bytes());
        if let Some(note) = &row.note {
            option(&mut body, COMMENT, note.as_bytes());
        }
        end_options(&mut body);
        self.block(PACKET, &body);
    }

    fn interface(&mut self, of: Place) -> u32 {
        if let Some(number) = self.interfaces[of.index()] {
            return number;
        }
        let link_type = if of == Place::Line { RTAC_SERIAL } else { IPV4 };
        let mut body = Vec::new();
        body.extend(link_type.to_le_bytes());
        body.extend([0; 2]);
        // No limit: what is not kept of a frame shows in the packet.
        body.extend([0; 4]);
        option(&mut body, INTERFACE_NAME, of.word().as_bytes());
        end_options(&mut body);
        self.block(INTERFACE, &body);
        let number = self.used;
        self.interfaces[of.index()] = Some(number);
        self.used += 1;
        number
    }

    fn finish(mut self, counts: &[Count; Place::COUNT]) -> Vec<u8> {
        for place in Place::all() {
            let Some(interface) = self.interfaces[place.index()] else {
                continue;
            };
            let Count { rows, drops } = counts[place.index()];
            let delivered = self.delivered[place.index()];
            let mut body = Vec::new();
            body.extend(interface.to_le_bytes());
            body.extend(stamp(self.last_at));
            for (code, count) in [
                (RECEIVED, rows),
                (DROPPED, drops),
                (NOT_KEPT, rows.saturating_sub(delivered)),
                (DELIVERED, delivered),
            ] {
                option(&mut body, code, &count.to_le_bytes());
            }
            end_options(&mut body);
            self.block(STATISTICS, &body);
        }
        self.file
    }

    /// A block has its length in front and behind.
    fn block(&mut self, kind: u32, body: &[u8]) {
        let len = length(body.len() + 12);
        self.file.extend(kind.to_le_bytes());
        self.file.extend(len);
        self.file.extend(body);
        self.file.extend(len);
    }
}

/// The head that SEL's RTAC puts in front of serial bytes. Its time is in the packet already.
fn serial(row: &Row) -> Vec<u8> {
    let event = match (row.kind, row.dir) {
        (Kind::Event, _) => STATUS_CHANGE,
        (Kind::Data, Dir::Out) => TX_START,
        (Kind::Data, Dir::In) => RX_START,
    };
    let mut packet = vec![0; 12];
    if let Some(place) = packet.get_mut(8) {
        *place = event;
    }
    packet.extend(&row.data);
    packet
}

/// A segment of a connection between documentation addresses (RFC 5737): the real ones are in the settings, and a name
/// has no number.
fn segment(row: &Row, connection: &mut Connection) -> Vec<u8> {
    let index = row.of.index() as u8;
    let device = ([192, 0, 2, 1], FIRST_PORT + connection.number);
    let peer = ([198, 51, 100, index], PEER_PORT);
    let (from, to, seq, ack) = match row.dir {
        Dir::Out => (device, peer, &mut connection.out_seq, connection.in_seq),
        Dir::In => (peer, device, &mut connection.in_seq, connection.out_seq),
    };
    let longest = usize::from(u16::MAX) - HEADS;
    let len = (row.len as usize).min(longest);
    let mut packet = Vec::with_capacity(HEADS + row.data.len());
    packet.extend([0x45, 0]);
    packet.extend(u16::try_from(HEADS + len).unwrap_or(u16::MAX).to_be_bytes());
    // Identification, flags (do not fragment), TTL, TCP, place of the sum.
    packet.extend([0, 0, 0x40, 0, 64, 6, 0, 0]);
    packet.extend(from.0);
    packet.extend(to.0);
    let sum = internet_sum(&packet);
    if let Some(place) = packet.get_mut(10..12) {
        place.copy_from_slice(&sum.to_be_bytes());
    }
    packet.extend(from.1.to_be_bytes());
    packet.extend(to.1.to_be_bytes());
    packet.extend(seq.wrapping_add(1).to_be_bytes());
    packet.extend(ack.wrapping_add(1).to_be_bytes());
    // Five words of head, PSH and ACK, the window, no sum, no urgent data.
    packet.extend([0x50, 0x18, 0xFF, 0xFF, 0, 0, 0, 0]);
    packet.extend(&row.data);
    *seq = seq.wrapping_add(u32::try_from(len).unwrap_or(0));
    packet
}

/// RFC 1071
fn internet_sum(head: &[u8]) -> u16 {
    let mut sum: u32 = head
        .chunks(2)
        .map(|pair| {
            u32::from(pair.first().copied().unwrap_or(0)) << 8
                | u32::from(pair.get(1).copied().unwrap_or(0))
        })
        .sum();
    while sum > 0xFFFF {
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    !(sum as u16)
}

fn stamp(at_micros: u64) -> [u8; 8] {
    let mut written = [0; 8];
    let (high, low) = written.split_at_mut(4);
    high.copy_from_slice(&((at_micros >> 32) as u32).to_le_bytes());
    low.copy_from_slice(&(at_micros as u32).to_le_bytes());
    written
}

fn length(len: usize) -> [u8; 4] {
    u32::try_from(len).unwrap_or(u32::MAX).to_le_bytes()
}

fn option(body: &mut Vec<u8>, code: u16, value: &[u8]) {
    let value = super::kept(value, usize::from(u16::MAX));
    body.extend(code.to_le_bytes());
    body.extend((value.len() as u16).to_le_bytes());
    padded(body, value);
}

fn end_options(body: &mut Vec<u8>) {
    body.extend([0; 4]);
}

fn padded(body: &mut Vec<u8>, value: &[u8]) {
    body.extend(value);
    body.extend(&[0; 3][..value.len().wrapping_neg() % 4]);
}

const BYTE_ORDER: u32 = 0x1A2B_3C4D;
const SECTION: u32 = 0x0A0D_0D0A;
const INTERFACE: u32 = 1;
const STATISTICS: u32 = 5;
const PACKET: u32 = 6;

const COMMENT: u16 = 1;
const USER_APPLICATION: u16 = 4;
const INTERFACE_NAME: u16 = 2;
const FLAGS: u16 = 2;
const RECEIVED: u16 = 4;
/// By the interface: what the device dropped.
const DROPPED: u16 = 5;
/// By the operating system: what the ring has no room for any more.
const NOT_KEPT: u16 = 7;
const DELIVERED: u16 = 8;

const RTAC_SERIAL: u16 = 250;
const IPV4: u16 = 228;
const STATUS_CHANGE: u8 = 0;
const TX_START: u8 = 1;
const RX_START: u8 = 2;

/// Of the dynamic range: no dissector claims them.
const FIRST_PORT: u16 = 50_000;
const PEER_PORT: u16 = 49_999;
const HEADS: usize = 40;
/// The text of the event of a connection that is up.
const CONNECTED: &str = "connected";
const WARNING: &str = "Payload is as it passed and may hold secrets; those of AT commands are masked. \
    IP and TCP heads are made up. A packet that is shorter on file than on the wire was kept in part.";
const PAGE: usize = 500;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::{Frame, Sizes};
    use super::*;

    /// A block: its kind, what stands in front of the options, and those.
    struct Block {
        kind: u32,
        body: Vec<u8>,
        options: BTreeMap<u16, Vec<u8>>,
    }

    fn u32_at(bytes: &[u8], at: usize) -> usize {
        u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize
    }

    fn blocks(mut file: &[u8]) -> Vec<Block> {
        let mut found = Vec::new();
        while !file.is_empty() {
            let (kind, len) = (u32_at(file, 0) as u32, u32_at(file, 4));
            assert!(len % 4 == 0 && u32_at(file, len - 4) == len);
            let inner = &file[8..len - 4];
            let fixed = match kind {
                SECTION => 16,
                INTERFACE => 8,
                STATISTICS => 12,
                PACKET => 20 + u32_at(inner, 12).next_multiple_of(4),
                other => panic!("block {other}"),
            };
            let (body, mut rest) = inner.split_at(fixed);
            let mut options = BTreeMap::new();
            loop {
                let code = u16::from_le_bytes([rest[0], rest[1]]);
                let size = usize::from(u16::from_le_bytes([rest[2], rest[3]]));
                if code == 0 {
                    assert_eq!(rest.len(), 4);
                    break;
                }
                options.insert(code, rest[4..4 + size].to_vec());
                rest = &rest[4 + size.next_multiple_of(4)..];
            }
            found.push(Block {
                kind,
                body: body.to_vec(),
                options,
            });
            file = &file[len..];
        }
        found
    }

    fn packet(block: &Block) -> &[u8] {
        &block.body[20..20 + u32_at(&block.body, 12)]
    }

    #[test]
    fn a_capture_ends_with_what_there_was_when_it_began() {
        let recorder = Recorder::default();
        let frame = |bytes| {
            let (of, dir) = (Place::Line, Dir::In);
            let (prefix, note, injected) = (&b""[..], "", false);
            recorder.frame(
                0,
                &Frame {
                    of,
                    dir,
                    prefix,
                    bytes,
                    note,
                    injected,
                },
            );
        };
        (0..1200).for_each(|_| frame(b"before"));
        let turns = std::cell::Cell::new(0);
        // More comes than is read.
        let file = recorder.pcapng_in_turns(&|| {
            turns.set(turns.get() + 1);
            assert!(turns.get() < 200, "it has no end");
            (0..20).for_each(|_| frame(b"while it is read"));
        });
        let blocks = blocks(&file);
        let packets = blocks.iter().filter(|it| it.kind == PACKET);
        let packets: Vec<_> = packets.map(packet).collect();
        assert_eq!(packets.len(), 1200);
        assert!(packets.iter().all(|it| it.ends_with(b"before")));
        assert!(turns.get() >= 1200 / 16, "{}", turns.get());
    }

    pub(crate) fn example() -> Recorder {
        let recorder = Recorder::new(Sizes::default());
        const T: u64 = 1_764_460_800_000_000;
        let mut at = T;
        let mut frame = |of, dir, prefix: &'static [u8], bytes: &[u8], note| {
            at += 1500;
            recorder.frame(
                at,
                &Frame {
                    of,
                    dir,
                    prefix,
                    bytes,
                    note,
                    injected: false,
                },
            );
        };
        frame(
            Place::Line,
            Dir::In,
            b"",
            b"\x01\x03\x00\x00\x00\x02\xC4\x0B",
            "TIME: 20 ms of silence",
        );
        frame(
            Place::Link(1),
            Dir::Out,
            b"REG",
            b"\x01\x03\x00\x00\x00\x02\xC4\x0B",
            "registration packet in front",
        );
        frame(Place::Link(1), Dir::In, b"", &[0xFF; 1000], "");
        frame(Place::Line, Dir::Out, b"", &[0xFF; 1000], "");
        recorder.event(T, Place::Link(1), "connected, 10.0.0.2:4 -> 10.0.0.1:9000");
        frame(Place::Link(1), Dir::Out, b"", b"x", "");
        recorder.event(T, Place::Device, "restart");
        recorder.count_drops(Place::Link(1), 7);
        recorder
    }

    #[test]
    fn the_capture_has_each_row_with_its_place_direction_time_lengths_and_note() {
        let file = example().pcapng();
        let found = blocks(&file);
        assert_eq!(found[0].kind, SECTION);
        assert!(String::from_utf8_lossy(&found[0].options[&COMMENT]).contains("masked"));
        let interfaces: Vec<&Block> = found
            .iter()
            .filter(|block| block.kind == INTERFACE)
            .collect();
        let types = interfaces
            .iter()
            .map(|block| u16::from_le_bytes([block.body[0], block.body[1]]));
        assert_eq!(types.collect::<Vec<_>>(), [250, 228]);
        assert_eq!(interfaces[1].options[&INTERFACE_NAME], b"link1");
        let packets: Vec<&Block> = found.iter().filter(|block| block.kind == PACKET).collect();
        let told = packets.iter().map(|block| {
            let comment = block
                .options
                .get(&COMMENT)
                .map_or("", |text| str::from_utf8(text).unwrap());
            (
                u32_at(&block.body, 0),
                block.options[&FLAGS][0],
                u32_at(&block.body, 16),
                comment,
            )
        });
        assert_eq!(
            told.collect::<Vec<_>>(),
            [
                (0, 1, 12 + 8, "TIME: 20 ms of silence"),
                (1, 2, 40 + 11, "registration packet in front"),
                (1, 1, 40 + 1000, ""),
                (0, 2, 12 + 1000, ""),
                (1, 1, 40, "connected, 10.0.0.2:4 -> 10.0.0.1:9000"),
                (1, 2, 41, ""),
            ]
        );
        assert_eq!(
            (packet(packets[0])[8], &packet(packets[0])[12..16]),
            (RX_START, &b"\x01\x03\0\0"[..])
        );
        assert_eq!(packet(packets[3])[8], TX_START);
        assert_eq!(packet(packets[2]).len(), 40 + 256);
        assert_eq!(&packet(packets[1])[40..44], b"REG\x01");
        let micros =
            (u32_at(&packets[0].body, 4) as u64) << 32 | u32_at(&packets[0].body, 8) as u64;
        assert_eq!(micros, 1_764_460_800_001_500);
    }

    #[test]
    fn segments_follow_each_other_and_a_new_connection_has_a_new_port() {
        let file = example().pcapng();
        let found = blocks(&file);
        let heads: Vec<(u16, u32, u32)> = found
            .iter()
            .filter(|block| block.kind == PACKET && u32_at(&block.body, 0) == 1)
            .map(|block| {
                let packet = packet(block);
                // RFC 1071: the sum of a head with its sum is nothing.
                assert_eq!(internet_sum(&packet[..20]), 0);
                let out = packet[12] == 192;
                let port = if out {
                    &packet[20..22]
                } else {
                    &packet[22..24]
                };
                let number = |at: usize| u32::from_be_bytes(packet[at..at + 4].try_into().unwrap());
                (
                    u16::from_be_bytes(port.try_into().unwrap()),
                    number(24),
                    number(28),
                )
            })
            .collect();
        assert_eq!(
            heads,
            [
                (50_000, 1, 1),
                (50_000, 1, 12),
                (50_001, 1, 1),
                (50_001, 1, 1)
            ]
        );
    }

    #[test]
    fn the_statistics_tell_what_was_dropped_and_what_the_ring_has_lost() {
        let recorder = Recorder::new(Sizes {
            data: 4096,
            ..Sizes::default()
        });
        for _ in 0..100 {
            recorder.frame(
                0,
                &Frame {
                    of: Place::Link(2),
                    dir: Dir::Out,
                    prefix: b"",
                    bytes: &[1; 100],
                    note: "",
                    injected: false,
                },
            );
        }
        recorder.count_drops(Place::Link(2), 9);
        let found = blocks(&recorder.pcapng());
        let packets = found.iter().filter(|block| block.kind == PACKET).count() as u64;
        let statistics = found.last().unwrap();
        let count = |code| u64::from_le_bytes(statistics.options[&code][..].try_into().unwrap());
        assert_eq!(
            (
                statistics.kind,
                count(RECEIVED),
                count(DROPPED),
                count(DELIVERED)
            ),
            (STATISTICS, 100, 9, packets)
        );
        assert!(packets < 100 && count(NOT_KEPT) == 100 - packets);
    }

    #[test]
    fn a_mask_may_be_longer_than_what_it_hides() {
        let recorder = Recorder::new(Sizes::default());
        let bytes = b"AT+CIPSW=****";
        let frame = Frame {
            of: Place::Line,
            dir: Dir::In,
            prefix: b"",
            bytes,
            note: "command",
            injected: false,
        };
        recorder.masked(0, &frame, bytes.len() - 3);
        let found = blocks(&recorder.pcapng());
        let packet = found.iter().find(|block| block.kind == PACKET).unwrap();
        assert_eq!(u32_at(&packet.body, 12), u32_at(&packet.body, 16));
        assert_eq!(recorder.rows(0, 1).items[0].len, 10);
    }
}
