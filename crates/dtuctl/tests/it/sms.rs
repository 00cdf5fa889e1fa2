//! By SMS: a modem on a pty for this program, another one for the device, in one simulated network.

use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use cellular_sim::modem::{Rack, RackOutput, Setup};
use cellular_sim::radio::{Settings, Subscriber, Verb};
use dtu_proto::radio::PhoneNumber;

use crate::device::Device;
use crate::program::{Ended, command, dtuctl};
use crate::scripted::{OnPty, Plays};

const OURS: &str = "+8613900000001";
const DEVICE: &str = "+8613900000002";

/// Two modems in a network, by the real clock.
struct Town {
    rack: Rack,
    start: Instant,
    said: [Vec<u8>; 2],
}

impl Town {
    fn now(&self) -> dtu_proto::time::Instant {
        dtu_proto::time::Instant::ZERO + self.start.elapsed()
    }

    fn collect(&mut self) {
        while let Some(output) = self.rack.poll_output() {
            if let RackOutput::Bytes(modem, bytes) = output {
                self.said[modem].extend(bytes);
            }
        }
    }
}

#[derive(Clone)]
struct Modem {
    town: Arc<Mutex<Town>>,
    place: usize,
}

impl Plays for Modem {
    fn play(&mut self, bytes: &[u8], _: Duration) -> Vec<u8> {
        let mut town = self.town.lock().unwrap_or_else(PoisonError::into_inner);
        let now = town.now();
        town.rack.read(self.place, bytes, now);
        town.collect();
        std::mem::take(&mut town.said[self.place])
    }
}

/// The modem of this program, and that of the device.
fn two_modems() -> [OnPty<Modem>; 2] {
    let quick = Settings {
        submit: cellular_sim::radio::Span::millis(20, 50),
        delivery: cellular_sim::radio::Span::millis(20, 50),
        ..Settings::default()
    };
    let mut rack = Rack::new(3, quick);
    for number in [OURS, DEVICE] {
        let subscriber = Subscriber {
            number: PhoneNumber::new(number),
            ..Subscriber::default()
        };
        rack.add(Setup::default(), subscriber, dtu_proto::time::Instant::ZERO);
    }
    let town = Town {
        rack,
        start: Instant::now(),
        said: [Vec::new(), Vec::new()],
    };
    let town = Arc::new(Mutex::new(town));
    [0, 1].map(|place| {
        OnPty::start(Modem {
            town: Arc::clone(&town),
            place,
        })
    })
}

/// A device that may be commanded.
fn device(modem: &OnPty<Modem>) -> Device {
    let modem = format!("at:{}", modem.port().display());
    Device::with_modem(0, &modem, &["CIPSW=pump7"])
}

fn by_sms(modem: &OnPty<Modem>, arguments: &[&str]) -> Command {
    let via = format!("sms:{DEVICE}");
    let modem = format!("at:{}", modem.port().display());
    let way = ["--via", &via, "--modem", &modem];
    let mut command = command(&[&way, arguments].concat());
    command.env("DTUCTL_PASSWORD", "pump7");
    command
}

fn ended(mut command: Command) -> Ended {
    command.output().unwrap().into()
}

#[test]
fn a_device_is_read_and_set_by_texts() {
    let [ours, theirs] = two_modems();
    let device = device(&theirs);
    let read = ended(by_sms(&ours, &["--yes", "at", "AT+CSQ", "AT+CIPNUM?"])).with(0);
    assert_eq!(read.out, "+CSQ: 31, 99\nOK\n+CIPNUM: 10086\nOK\n");
    let said = "dtuctl: texts to +8613900000002: 2 at most (2 for commands); the device answers each by one or more\n";
    assert!(read.err.starts_with(said), "{}", read.err);
    let cost = "dtuctl: texts sent: 2, received: 2\n";
    assert!(read.err.ends_with(cost), "{}", read.err);
    assert!(!read.err.contains("pump7"), "{}", read.err);

    let file = device.file("new.toml", "CIPNUM = \"10010\"\n");
    let done = ended(by_sms(&ours, &["--yes", "--lang", "zh", "apply", &file])).with(0);
    assert!(
        done.out.contains("+ CIPNUM = \"10010\"\n完成"),
        "{}",
        done.out
    );
    let said =
        "向 +8613900000002 发送短信：最多 4 条（读取 1 条、设置 1 条、保存 1 条、读回 1 条）；";
    assert!(done.err.contains(said), "{}", done.err);
    assert!(
        done.err.ends_with("已发送 4 条短信，收到 4 条\n"),
        "{}",
        done.err
    );
    let again = ended(by_sms(&ours, &["--yes", "apply", &file])).with(0);
    assert_eq!(again.out, "nothing to do\n");
    assert!(
        again.err.ends_with("texts sent: 1, received: 1\n"),
        "{}",
        again.err
    );
}

/// Nobody is asked, so nothing is meant; and what has no sense is told before the modem is touched.
#[test]
fn without_a_yes_no_text_is_sent() {
    let [ours, theirs] = two_modems();
    let refused = ended(by_sms(&ours, &["save"])).with(2);
    assert!(
        refused.err.contains("1 at most (1 to store)"),
        "{}",
        refused.err
    );
    assert!(refused.err.contains("--yes says that"), "{}", refused.err);
    let sms = format!("sms:{DEVICE}");
    let refused = dtuctl(&["--via", &sms, "at", "AT"]).with(2);
    assert!(refused.err.contains("--modem at:DEVICE"), "{}", refused.err);
    let refused = ended(by_sms(&ours, &["--yes", "ui"])).with(2);
    assert!(
        refused.err.contains("not for a way by SMS"),
        "{}",
        refused.err
    );
    dtuctl(&["--via", &sms, "--modem", "/dev/null", "at", "AT"]).with(2);
    for modem in [&ours, &theirs] {
        modem.look(|modem| {
            let town = modem.town.lock().unwrap();
            assert_eq!(town.rack.network().counters().accepted, 0);
        });
    }
}

/// What others have written is theirs.
#[test]
fn texts_of_others_are_left_and_counted() {
    let [ours, theirs] = two_modems();
    let _device = device(&theirs);
    ours.look(|modem| {
        let mut town = modem.town.lock().unwrap();
        let now = town.now();
        let text = Verb::Text {
            from: PhoneNumber::new("13811111111").unwrap(),
            to: None,
            text: "OK".to_owned(),
        };
        town.rack.carry_out(1, &text, now);
    });
    for _ in 0..2 {
        let read = ended(by_sms(&ours, &["--yes", "at", "AT+CSQ"])).with(0);
        assert_eq!(read.out, "+CSQ: 31, 99\nOK\n");
        let left = "left with the modem: 1 of others, 0 of the device that answer nothing\n";
        assert!(read.err.ends_with(left), "{}", read.err);
    }
}
