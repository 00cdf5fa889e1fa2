//! A device that is written to: our own, and a modem as real ones are, in one simulated network.

use std::io;
use std::time::Duration;

use cellular_sim::modem::{AtModem, AtOutput, Setup};
use cellular_sim::radio::{Id, Network, Settings, Span, Subscriber};
use dtu_proto::config::{Config, Options};
use dtu_proto::radio::{ModemInput, ModemOutput, PhoneNumber};
use dtu_proto::testing::Bench;
use dtu_proto::time::Instant;
use dtu_setup::apply::{Failure, Outcome, apply, groups_of, most, plan};
use dtu_setup::door::{Door, DoorError};
use dtu_setup::reading::read_for;
use dtu_setup::serial::Port;
use dtu_setup::sms::{Sms, Traffic};
use dtu_setup::status::{COMMANDS, read_status};
use dtu_setup::{Schema, Values};
use sms_codec::address::Address;
use sms_codec::pdu::{Pdu, Submit, Tpdu};
use sms_codec::user_data::{Body, UserData};

use crate::device::key;

const OURS: &str = "+8613900000001";
const DEVICE: &str = "+8613900000002";

/// The modem's port, with the network behind it and the device in that.
struct World {
    now: Instant,
    network: Network,
    modem: AtModem,
    ours: Id,
    bench: Bench,
    device: Id,
    said: Vec<u8>,
    /// The device hears no text any more from that one on.
    deaf_from: usize,
    /// Texts that were given to the device.
    given: usize,
}

fn number(text: &str) -> PhoneNumber {
    PhoneNumber::new(text).unwrap()
}

fn device() -> Config {
    Config {
        password: "pump7".to_owned(),
        ..Config::default()
    }
}

impl World {
    fn new(config: Config) -> Self {
        Self::with(config, Setup::default())
    }

    fn with(config: Config, setup: Setup) -> Self {
        let mut network = Network::new(7, Settings::default());
        let has_no_pin = setup.pin.is_none();
        let of = |text, on_air| Subscriber {
            number: Some(number(text)),
            on_air,
            ..Subscriber::default()
        };
        let ours = network.add(of(OURS, has_no_pin), Instant::ZERO);
        let device = network.add(of(DEVICE, true), Instant::ZERO);
        let mut bench = Bench::with(config, Options::default());
        bench.modem.outside = true;
        let mut this = Self {
            now: Instant::ZERO,
            network,
            modem: AtModem::new(setup),
            ours,
            bench,
            device,
            said: Vec::new(),
            deaf_from: usize::MAX,
            given: 0,
        };
        this.settle();
        this
    }

    /// Everybody does what is due, until nobody has anything for another.
    fn settle(&mut self) {
        self.bench.until(self.now);
        self.network.handle_timeout(self.now);
        self.modem.handle_timeout(self.now);
        loop {
            let mut is_quiet = true;
            while let Some((id, news)) = self.network.poll_event() {
                is_quiet = false;
                if id == self.ours {
                    self.modem.handle_network(&news, self.now);
                } else {
                    let is_text = matches!(news, ModemInput::Message { .. });
                    self.given += usize::from(is_text);
                    if !is_text || self.given <= self.deaf_from {
                        self.bench.news(news);
                    }
                }
            }
            while let Some(output) = self.modem.poll_output(self.now) {
                match output {
                    AtOutput::Bytes(bytes) => self.said.extend(bytes),
                    AtOutput::Order(order) => {
                        is_quiet = false;
                        self.network.handle_order(self.ours, &order, self.now);
                    }
                    AtOutput::OnAir(on) => {
                        is_quiet = false;
                        self.network.set_on_air(self.ours, on, self.now);
                    }
                }
            }
            for order in std::mem::take(&mut self.bench.modem.orders) {
                is_quiet = false;
                self.network.handle_order(self.device, &order, self.now);
            }
            if is_quiet {
                return;
            }
        }
    }

    fn next_due(&self) -> Option<Instant> {
        let dtu = self.bench.dtu.poll_timeout().map(|due| due.at);
        [dtu, self.network.poll_timeout(), self.modem.poll_timeout()]
            .into_iter()
            .flatten()
            .min()
    }

    fn wait(&mut self, seconds: u64) {
        let until = self.now + Duration::from_secs(seconds);
        while self.now < until {
            let next = self.next_due().unwrap_or(until).clamp(self.now, until);
            self.now = next;
            self.settle();
        }
    }

    /// The device writes to the modem of its own accord.
    fn device_says(&mut self, text: &str) {
        let to = Address::number(OURS).unwrap();
        let data = UserData::plain(Body::text(text));
        let pdu = Pdu {
            smsc: None,
            tpdu: Tpdu::Submit(Submit::new(to, data)),
        };
        let order = ModemOutput::Submit {
            token: 9999,
            pdu: pdu.encode().unwrap().into(),
        };
        self.network.handle_order(self.device, &order, self.now);
    }

    /// A phone of the network writes to the modem.
    fn text(&mut self, from: &str, text: &str) {
        let (from, to) = (number(from), number(OURS));
        self.network.send_text(from, to, text, self.now).unwrap();
    }
}

impl Port for World {
    fn now(&self) -> Duration {
        Duration::from_micros(self.now.as_micros())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.modem.read(bytes, self.now);
        self.settle();
        Ok(())
    }

    fn read(&mut self, buffer: &mut [u8], until: Duration) -> io::Result<usize> {
        let until = Instant::from_micros(u64::try_from(until.as_micros()).unwrap());
        loop {
            if !self.said.is_empty() {
                let count = buffer.len().min(self.said.len());
                buffer[..count].copy_from_slice(&self.said[..count]);
                self.said.drain(..count);
                return Ok(count);
            }
            if self.now >= until {
                return Ok(0);
            }
            let next = self.next_due().unwrap_or(until).clamp(self.now, until);
            self.now = next;
            self.settle();
        }
    }

    fn set_baud(&mut self, _: u32) -> io::Result<()> {
        Ok(())
    }

    fn baud(&self) -> u32 {
        115_200
    }
}

fn enter(world: World) -> Sms<World> {
    Sms::enter(world, number(DEVICE), "pump7".to_owned()).unwrap()
}

fn wanted(pairs: &[(&str, &str)]) -> Values {
    let mut values = Values::default();
    for (name, value) in pairs {
        values.set(key(name), (*value).to_owned());
    }
    values
}

/// Sets these; how it ended.
fn set(door: &mut Sms<World>, pairs: &[(&str, &str)]) -> Outcome {
    let (schema, wanted) = (Schema::new(), wanted(pairs));
    let groups = groups_of(&wanted);
    let reading = read_for(door, &schema, &groups, &mut |_, _| {}).unwrap();
    let plan = plan(&schema, &reading, &wanted, door).unwrap();
    apply(door, &schema, &plan, &mut |_| {})
}

#[test]
fn a_command_is_one_text_and_its_answer_may_be_several() {
    let mut door = enter(World::new(device()));
    assert_eq!(door.traffic(), Traffic::default(), "nothing is sent before");
    let signal = door.command("AT+CSQ").unwrap();
    assert_eq!(signal.lines, ["+CSQ: 31, 99"]);
    assert_eq!((door.traffic().sent, door.traffic().received), (1, 1));
    let counters = door.command("AT+CISTAT").unwrap();
    assert_eq!(counters.refusal(), None);
    assert!(counters.lines.len() > 5, "{counters:?}");
    let traffic = door.traffic();
    assert_eq!(traffic.sent, 2);
    assert!(traffic.received > 2, "{traffic:?}");
    let refused = door.command("AT+NOSUCH=1").unwrap();
    assert!(refused.refusal().is_some(), "{refused:?}");
    door.leave().unwrap();
}

/// No text is sent for what is not asked, and what was said before it is what it takes.
#[test]
fn an_apply_takes_no_more_texts_than_were_announced() {
    let pairs = [("CIPSCONT.2.PORT", "7000"), ("CIPNUM", "10010")];
    let most = most(&Schema::new(), &wanted(&pairs));
    assert_eq!((most.read, most.set, most.restart), (2, 2, 2), "{most:?}");
    let mut door = enter(World::new(device()));
    let outcome = set(&mut door, &pairs);
    assert_eq!(
        outcome,
        Outcome::Done {
            not_verifiable: Vec::new()
        }
    );
    let told = door.command("AT+CIPNUM?").unwrap();
    assert_eq!(told.lines, ["+CIPNUM: 10010"]);
    // That one, too.
    let announced = most.read + most.set + 1 + most.restart + most.read;
    assert_eq!(door.traffic().sent, announced + 1);
}

#[test]
fn a_status_takes_the_texts_that_were_announced() {
    let mut door = enter(World::new(device()));
    let told = read_status(&mut door).unwrap();
    assert_eq!((told.mode, told.rssi), (Some(0), Some(31)), "{told:?}");
    assert_eq!(door.traffic().sent, COMMANDS);
}

#[test]
fn a_new_password_is_used_from_its_answer_on() {
    let mut door = enter(World::new(device()));
    let outcome = set(&mut door, &[("CIPSW", "pump8"), ("CINETAT", "0")]);
    assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}");
    assert_eq!(door.command("AT").unwrap().refusal(), None);
}

/// What was there before, what others write meanwhile, and data of the device's own line.
#[test]
fn texts_that_answer_nothing_stay_with_the_modem_and_are_counted() {
    let mut world = World::new(device());
    world.text("+8613811111111", "OK");
    world.device_says("+CSQ: 5, 99\r\n\r\nOK");
    world.device_says("OK");
    world.wait(20);
    world.text("+8613811111111", "+CSQ: 7, 99\r\n\r\nOK");
    world.device_says("42 kWh");
    let mut door = enter(world);
    let signal = door.command("AT+CSQ").unwrap();
    assert_eq!(signal.lines, ["+CSQ: 31, 99"]);
    let traffic = door.traffic();
    assert_eq!((traffic.of_others, traffic.unasked), (2, 3), "{traffic:?}");
    door.leave().unwrap();
    // Another run finds all five, and nothing of the answer.
    let again = enter(door.into_port());
    let left = again.traffic();
    assert_eq!((left.of_others, left.unasked, left.received), (2, 3, 0));
}

#[test]
fn what_does_not_fit_into_a_text_is_named_before_anything_is_sent() {
    let mut door = enter(World::new(device()));
    let long = format!("{}.example.com", "a".repeat(140));
    let schema = Schema::new();
    let wanted = wanted(&[("CIPSCONT.1.ADDRESS", &long)]);
    let groups = groups_of(&wanted);
    let reading = read_for(&mut door, &schema, &groups, &mut |_, _| {}).unwrap();
    let refused = plan(&schema, &reading, &wanted, &door).unwrap_err();
    let words = refused.english();
    assert!(words.contains("AT+CIPSCONT=1,"), "{words}");
    assert!(words.ends_with("a text takes 160"), "{words}");
    assert_eq!(door.traffic().sent, 1, "only what was read");
    // 70 characters where one is not in the alphabet of texts.
    let refused = door.command(&format!("AT+CIMODID=\"{}\"", "泵".repeat(60)));
    let Err(DoorError::Other(words)) = refused else {
        panic!("{refused:?}");
    };
    assert!(words.english().ends_with("a text takes 70"), "{words}");
    assert_eq!(door.command("AT+CIMODID=\"泵 7\"").unwrap().refusal(), None);
}

/// What is in doubt is not made worse: the answer that comes late would be taken for that of the next command.
#[test]
fn after_a_command_without_an_answer_no_more_texts_are_sent() {
    let mut world = World::new(device());
    // Reading is heard, and nothing behind it.
    world.deaf_from = 1;
    let mut door = enter(world);
    let began = door.port().now();
    let outcome = set(&mut door, &[("CIPNUM", "10010")]);
    let Outcome::Mixed(Failure::Door(why), groups) = outcome else {
        panic!("{outcome:?}");
    };
    assert!(
        why.english()
            .starts_with("AT+CIPNUM=10010 was not answered by a text within 300 s"),
        "{why}"
    );
    assert_eq!(groups.len(), 1);
    assert_eq!(door.traffic().sent, 2);
    assert!(door.port().now() - began < Duration::from_secs(400));
    let refused = door.command("AT").unwrap_err().to_string();
    assert!(refused.contains("no more texts"), "{refused}");
}

#[test]
fn a_modem_that_cannot_is_told_in_time() {
    struct Deaf(Duration);
    impl Port for Deaf {
        fn now(&self) -> Duration {
            self.0
        }
        fn write(&mut self, _: &[u8]) -> io::Result<()> {
            Ok(())
        }
        fn read(&mut self, _: &mut [u8], until: Duration) -> io::Result<usize> {
            self.0 = until;
            Ok(0)
        }
        fn set_baud(&mut self, _: u32) -> io::Result<()> {
            Ok(())
        }
        fn baud(&self) -> u32 {
            115_200
        }
    }
    let failed = |world| match Sms::enter(world, number(DEVICE), "pump7".to_owned()) {
        Ok(_) => panic!("it is ready"),
        Err(error) => error.to_string(),
    };
    let locked = Setup {
        pin: Some("1234".to_owned()),
        ..Setup::default()
    };
    let why = failed(World::with(device(), locked));
    assert!(why.contains("PIN"), "{why}");
    let Err(silent) = Sms::enter(Deaf(Duration::ZERO), number(DEVICE), "x".to_owned()) else {
        panic!("nobody answers");
    };
    assert!(
        silent
            .to_string()
            .starts_with("the modem does not answer within 90 s"),
        "{silent}"
    );
    let mut world = World::new(device());
    let now = world.now;
    world.network.set_on_air(world.ours, false, now);
    let why = failed(world);
    assert!(why.contains("no network within 90 s"), "{why}");
}

#[test]
fn the_device_restarts_and_is_heard_again() {
    let mut door = enter(World::new(device()));
    door.command("AT+CIMODID=\"x\"").unwrap();
    door.restart("AT+CIRESET", None).unwrap();
    // Not stored, so it is gone.
    let told = door.command("AT+CIMODID?").unwrap();
    assert!(told.lines[0].contains("USR-GPRS232-DTU"), "{told:?}");
    door.restart("AT+CIRELOAD", None).unwrap();
    assert_eq!(
        door.command("AT").unwrap().refusal(),
        None,
        "by the factory's password"
    );
}

/// Refused, it was not sent, and another may be tried; without an answer of the network it may have been.
#[test]
fn a_text_that_the_network_does_not_take_is_told_with_its_reason() {
    for (is_lost, says) in [(false, " was not sent: "), (true, "(332)")] {
        let mut world = World::new(device());
        let faults = &mut world.network.settings_mut().faults;
        (faults.refused, faults.answer_lost) = if is_lost { (0, 100) } else { (100, 0) };
        let mut door = enter(world);
        let refused = door.command("AT+CIPSW=pump8").unwrap_err().to_string();
        assert!(refused.contains("AT+CIPSW=****"), "{refused}");
        assert!(refused.contains(says), "{refused}");
        assert_eq!(door.traffic().sent, 0);
        let next = door.command("AT").unwrap_err().to_string();
        assert_eq!(next.contains("no more texts"), is_lost, "{next}");
    }
}

/// Stamps have seconds: two answers that are alike would look like one that the network has delivered twice.
#[test]
fn answers_that_are_alike_are_told_apart_in_a_quick_network() {
    let mut world = World::new(device());
    let settings = world.network.settings_mut();
    (settings.submit, settings.delivery) = (Span::millis(1, 2), Span::millis(1, 2));
    let mut door = enter(world);
    let began = door.port().now();
    for _ in 0..20 {
        assert_eq!(door.command("AT").unwrap().refusal(), None);
    }
    assert_eq!((door.traffic().sent, door.traffic().received), (20, 20));
    assert!(door.port().now() - began < Duration::from_secs(40));
}

/// The network's habits: texts come twice, and in another order.
#[test]
fn doubled_and_overtaken_texts_make_no_other_answers() {
    let mut world = World::new(device());
    let faults = &mut world.network.settings_mut().faults;
    (faults.doubled, faults.overtaken) = (50, 50);
    let mut door = enter(world);
    for round in 0..6 {
        let number = format!("1008{round}");
        assert_eq!(
            door.command(&format!("AT+CIPNUM={number}"))
                .unwrap()
                .refusal(),
            None
        );
        let told = door.command("AT+CIPNUM?").unwrap();
        assert_eq!(told.lines, [format!("+CIPNUM: {number}")]);
        let counters = door.command("AT+CISTAT");
        let counters =
            counters.unwrap_or_else(|error| panic!("{round} {error} {:?}", door.traffic()));
        assert!(counters.lines.len() > 5);
    }
}
