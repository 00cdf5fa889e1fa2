//! Whatever a modem sends, at whatever time: no panic, always a deadline or a reason to wait, bounded queues, and no
//! answer is missing.
#![allow(missing_docs, clippy::wildcard_enum_match_arm, clippy::unwrap_used)]

use bytes::Bytes;
use dtu_proto::radio::{ModemInput, ModemOutput, PhoneNumber};
use dtu_proto::time::{Duration, Instant};
use modem_proto::{Input, Modem, Output, Pin, Settings};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Opened,
    Gone,
    Bytes(Vec<u8>),
    Order(ModemOutput),
    Wait(u64),
}

/// Lines that mean something, so that random runs come further than the first command.
const LINES: [&str; 30] = [
    "OK",
    "OK",
    "OK",
    "OK",
    "OK",
    "OK",
    "ERROR",
    "+CME ERROR: 14",
    "+CMS ERROR: 38",
    "> ",
    "RDY",
    "RING",
    "NO CARRIER",
    "BUSY",
    "+CPIN: READY",
    "+CPIN: READY",
    "+CPIN: SIM PIN",
    "+CREG: 1",
    "+CREG: 2,1,\"1\",\"2\"",
    "+CMTI: \"SM\",3",
    "+CMTI: \"ME\",65535",
    "+CMGR: 0,,24",
    "+CMGL: 3,0,,24",
    "+CMT: ,24",
    "0891683108504405F0240D91688159142058F700004190015160012307743A9DAE3FA301",
    "+CLIP: \"10086\",129",
    "+CLCC: 1,1,4,0,0,\"10086\",129",
    "+CPMS: \"SM\",20,20,\"SM\",20,20,\"SM\",20,20",
    "+CMGS: 7",
    "+CSQ: 255,-1",
];

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let number = || PhoneNumber::new("10086").unwrap();
    let order = prop_oneof![
        Just(ModemOutput::Reset),
        Just(ModemOutput::Dial(number())),
        Just(ModemOutput::Answer),
        Just(ModemOutput::HangUp),
        (0..9u64).prop_map(ModemOutput::Taken),
        (0..9u32).prop_map(|token| ModemOutput::Submit {
            token,
            pdu: Bytes::from_static(&[0, 1, 2, 3])
        }),
    ];
    let line = (0..LINES.len()).prop_map(|at| format!("\r\n{}\r\n", LINES[at]).into_bytes());
    let step = prop_oneof![
        1 => Just(Step::Opened),
        1 => Just(Step::Gone),
        30 => line.prop_map(Step::Bytes),
        3 => proptest::collection::vec(any::<u8>(), 0..40).prop_map(Step::Bytes),
        5 => order.prop_map(Step::Order),
        20 => (0..3000u64).prop_map(Step::Wait),
        2 => (0..200_000u64).prop_map(Step::Wait),
    ];
    proptest::collection::vec(step, 0..200)
}

/// What the outputs say, and what they must not.
#[derive(Default)]
struct Checks {
    open: bool,
    outstanding: usize,
    present: bool,
    last_id: u64,
    written: usize,
}

impl Checks {
    fn drain(&mut self, modem: &mut Modem) {
        let mut outputs = 0;
        while let Some(output) = modem.poll_output() {
            outputs += 1;
            assert!(outputs < 5000, "one input made too much");
            match output {
                Output::Write(bytes) => {
                    assert!(self.open, "wrote to a closed device");
                    self.written += bytes.len();
                }
                Output::Reopen => {
                    assert!(self.open);
                    self.open = false;
                }
                Output::Report(news) => self.hear(&news),
                Output::Event(event) => assert!(!event.to_string().contains("4711"), "{event}"),
            }
        }
    }

    fn hear(&mut self, news: &ModemInput) {
        match news {
            ModemInput::Present(_) => self.present = true,
            ModemInput::Gone => {
                assert!(
                    self.present && self.outstanding == 0,
                    "answered before it is gone"
                );
                self.present = false;
            }
            ModemInput::Submitted { .. } => self.outstanding -= 1,
            ModemInput::Message { id, .. } => {
                assert!(*id > self.last_id);
                self.last_id = *id;
            }
            ModemInput::Call(_) => {}
            _ => assert!(self.present, "{news:?} of no modem"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn any_bytes_at_any_time_do_no_harm(steps in steps()) {
        let mut now = Instant::ZERO;
        let settings = Settings { pin: Pin::new("4711"), activate: true, ..Settings::default() };
        let mut modem = Modem::new(settings, now);
        let mut checks = Checks::default();
        for step in steps {
            match step {
                Step::Opened => {
                    checks.open = true;
                    modem.handle_input(Input::Opened, now);
                }
                Step::Gone => {
                    modem.handle_input(Input::Gone, now);
                    checks.drain(&mut modem);
                    checks.open = false;
                }
                Step::Bytes(bytes) => modem.handle_input(Input::Bytes(&bytes), now),
                Step::Order(order) => {
                    checks.outstanding += usize::from(matches!(order, ModemOutput::Submit { .. }));
                    modem.handle_input(Input::Order(&order), now);
                }
                Step::Wait(millis) => {
                    let end = now + Duration::from_millis(millis);
                    let mut rounds = 0;
                    while let Some(deadline) = modem.poll_timeout().filter(|deadline| deadline.at <= end) {
                        now = now.max(deadline.at);
                        modem.handle_timeout(now);
                        checks.drain(&mut modem);
                        rounds += 1;
                        assert!(rounds < 5000, "runs in circles");
                    }
                    now = end;
                }
            }
            checks.drain(&mut modem);
            assert!(modem.poll_timeout().is_some() || !checks.open, "open, and waits for nothing");
        }
        let written = checks.written;
        // A message is answered within three minutes, whatever happens.
        let end = now + Duration::from_secs(180);
        while let Some(deadline) = modem.poll_timeout().filter(|deadline| deadline.at <= end) {
            now = now.max(deadline.at);
            modem.handle_timeout(now);
            checks.drain(&mut modem);
        }
        assert_eq!(checks.outstanding, 0);
        assert!(checks.written > written || !checks.open, "open, and nothing was asked for three minutes");
    }

    #[test]
    fn the_same_bytes_in_other_pieces_make_the_same_news(lines in proptest::collection::vec(0..LINES.len(), 0..60), cut in 1..9usize) {
        let bytes: Vec<u8> = lines.iter().flat_map(|at| format!("\r\n{}\r\n", LINES[*at]).into_bytes()).collect();
        let run = |size: usize| {
            let mut modem = Modem::new(Settings::default(), Instant::ZERO);
            modem.handle_input(Input::Opened, Instant::ZERO);
            bytes.chunks(size).for_each(|piece| modem.handle_input(Input::Bytes(piece), Instant::ZERO));
            std::iter::from_fn(|| modem.poll_output()).collect::<Vec<_>>()
        };
        let news = run(cut);
        prop_assert!(news.iter().any(|output| matches!(output, Output::Write(_))), "nothing was asked");
        prop_assert_eq!(news, run(usize::MAX));
    }
}
