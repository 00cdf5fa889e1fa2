//! Any packets, any networks: each is delivered, or its loss is told.

use super::*;

/// Something that happens to the device.
#[derive(Clone, Debug)]
enum Step {
    Packet {
        number: u8,
        len: usize,
        full_reply: bool,
        long: bool,
        udp: bool,
    },
    Junk(Vec<u8>),
    Torn {
        number: u8,
        len: usize,
    },
    Net(usize, Net),
    Lose(usize),
    Wait(u64),
    Mode(u8),
}

fn step() -> impl Strategy<Value = Step> {
    let net = prop_oneof![
        2 => Just(Net::Good),
        1 => Just(Net::Unacked),
        1 => Just(Net::Stuck),
        2 => Just(Net::Refused),
        1 => Just(Net::BlackHole),
    ];
    let packet = (1..=12u8, 1..=1000usize, any::<(bool, bool, bool)>());
    prop_oneof![
        12 => packet.prop_map(|(number, len, (full_reply, long, udp))| Step::Packet { number, len, full_reply, long, udp }),
        1 => prop::collection::vec(any::<u8>(), 1..30).prop_map(Step::Junk),
        1 => (1..=12u8, 1..40usize).prop_map(|(number, len)| Step::Torn { number, len }),
        4 => (0..8usize, net).prop_map(|(channel, net)| Step::Net(channel, net)),
        2 => (0..8usize).prop_map(Step::Lose),
        6 => prop_oneof![0..200u64, 0..60_000u64, 0..900_000u64].prop_map(Step::Wait),
        1 => (0..=4u8).prop_map(Step::Mode),
    ]
}

/// One more packet, to see that one is taken and goes out.
fn delivers(dev: &mut Bench) -> bool {
    TO.iter().for_each(|channel| drop(dev.received(*channel)));
    assert!(dev.dtu.wants_serial());
    dev.send(to(1, b"the last")).wait(60_000);
    TO.map(|channel| dev.received(channel)).concat() == b"the last"
}

fn happens(dev: &mut Bench, step: &Step) {
    match step {
        Step::Packet {
            number,
            len,
            full_reply,
            long,
            udp,
        } => {
            let data = vec![*number; *len];
            let protocol = if *udp { Protocol::Udp } else { Protocol::Tcp };
            let frame = CommandFrame {
                full_reply: *full_reply,
                long: *long,
                protocol,
                ..to(*number, &data)
            };
            dev.serial(bytes(frame));
        }
        Step::Junk(junk) => dev.serial(junk).end(),
        Step::Torn { number, len } => {
            let packet = bytes(to(*number, &[*number; 100]));
            dev.serial(&packet[..*len]);
        }
        Step::Net(channel, net) => {
            dev.net(TO[*channel], *net);
        }
        Step::Lose(channel) => dev.lose(TO[*channel], CloseReason::Reset, 0).end(),
        Step::Wait(millis) => dev.wait(*millis).end(),
        Step::Mode(mode) => dev
            .input(Input::Console(&format!("AT+CIMOD={mode};+CIAPPLY")))
            .end(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// In the mode every byte of the DTE is accounted for, every packet is delivered or its loss told, and in the end
    /// nothing waits.
    #[test]
    fn every_packet_is_delivered_or_its_loss_is_told(steps in prop::collection::vec(step(), 1..80), cache in 1000..20_000usize, resend: bool) {
        let mut dev = booted(mode_1(), options(|modes| {
            modes.cache = cache;
            modes.resend = resend;
            modes.spool = true;
        }));
        for step in steps.iter().filter(|step| !matches!(step, Step::Mode(_))) {
            happens(&mut dev, step);
            let status = dev.status();
            prop_assert!(status.waiting_bytes <= cache && status.destinations.len() <= 8, "{status:?}");
        }
        // What hangs is closed; then all is good.
        for channel in TO {
            dev.net(channel, Net::Good);
            dev.lose(channel, CloseReason::TimedOut, 0);
        }
        dev.wait(60 * MINUTE);
        let status = dev.status();
        prop_assert_eq!((status.waiting_packets, status.lobby_packets, status.unfinished_bytes), (0, 0, 0));
        let serial = dev.dtu.status(dev.now).serial.counters;
        prop_assert_eq!(serial.frame_bytes, status.counters.bytes_in + status.counters.garbage_bytes);
        let lost = dev.events.iter().filter(|event| matches!(event, Event::FrameDropped { .. })).count();
        prop_assert_eq!(lost as u64, status.counters.dropped_packets);
        let asked = steps.iter().filter(|step| matches!(step, Step::Packet { full_reply: true, .. })).count();
        let printed = dev.printed();
        let replies = printed.matches(r"\r\nSEND OK\r\n").count() + printed.matches(r"\r\nSEND FAIL\r\n").count();
        // A packet right behind a torn one may be taken for its rest; then it was told, as bad, or, where the sum of eight
        // bits happens to fit, as what was left of it.
        prop_assert!(replies <= asked);
        prop_assert!(replies == asked || status.counters.bad_packets + status.counters.garbage_bytes > 0);
        let released = dev.store.spool.iter().rev().find_map(|output| match output {
            StoreOutput::SpoolRelease(_, number) => Some(*number),
            StoreOutput::SpoolMove(..)
            | StoreOutput::SpoolAppend(..)
            | StoreOutput::SpoolSending(..)
            | StoreOutput::Save(_)
            | StoreOutput::Messages { .. } => None,
        });
        let appended: usize = dev.store.spool.iter().map(|output| match output {
            StoreOutput::SpoolAppend(..) => 1,
            StoreOutput::SpoolMove(_, packets) => packets.len(),
            StoreOutput::SpoolRelease(..)
            | StoreOutput::SpoolSending(..)
            | StoreOutput::Save(_)
            | StoreOutput::Messages { .. } => 0,
        }).sum();
        prop_assert_eq!(released.unwrap_or(0), appended as u64);
        prop_assert!(delivers(&mut dev), "nothing goes out when all is good");
    }

    /// Packets wait for their mode, whatever the modes between.
    #[test]
    fn other_modes_lose_no_packet(steps in prop::collection::vec(step(), 1..60)) {
        let mut dev = booted(mode_1(), options(|modes| modes.cache = 1 << 20));
        for step in &steps {
            happens(&mut dev, step);
            dev.status();
        }
        for channel in TO {
            dev.net(channel, Net::Good);
            dev.lose(channel, CloseReason::TimedOut, 0);
        }
        dev.input(Input::Console("AT+CIMOD=1;+CIAPPLY")).wait(60 * MINUTE);
        prop_assert_eq!(dev.status().waiting_packets, 0);
        prop_assert!(delivers(&mut dev), "nothing goes out when all is good");
    }
}
