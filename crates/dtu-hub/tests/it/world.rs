//! A small world under a seed: devices, programs, a store that fails, kills. Checkers look from outside only: at what
//! devices and programs said and got, and at what is on disk.

use std::collections::{BTreeMap, BTreeSet};

use dtu_hub::event::{Door, End, ProgramOutput, Row};
use dtu_hub::ids::MessageId;
use dtu_hub::presence::State;
use dtu_hub::time::Duration;
use dtu_hub::topic::{Kind, Reach};

use crate::bench::{ALICE, Bench, PASSWORD, id, ip};

const DEVICES: u32 = 5;
/// Keeps its session, and has all by QoS 1.
const SCADA: u32 = 0;
/// Has all by QoS 0.
const VIEWER: u32 = 1;
/// Sends.
const SENDER: u32 = 2;

struct Rng(u64);

impl Rng {
    /// SplitMix64.
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % limit
    }

    fn device(&mut self) -> u32 {
        u32::try_from(1 + self.below(u64::from(DEVICES))).unwrap()
    }
}

/// What was seen from outside.
#[derive(Default)]
struct Ledger {
    /// What each device said, and whether it may be missing in history: a kill came before a commit.
    said: BTreeMap<u32, Vec<(String, bool)>>,
    /// What each device got, in its order.
    heard: BTreeMap<u32, Vec<String>>,
    /// Orders that were answered.
    answered: BTreeSet<u32>,
    /// What the program with the kept session got: the message, and whether it was marked as a repeat.
    scada: Vec<(String, bool)>,
    viewer: Vec<String>,
    attached: [bool; 3],
    tags: u32,
}

struct World {
    bench: Bench,
    rng: Rng,
    ledger: Ledger,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut bench = Bench::new();
        bench.attaches(SCADA, ALICE, Some("scada"));
        bench.subscribes(SCADA, Kind::AccountTx, Reach::Account, true);
        let mut world = Self {
            bench,
            rng: Rng(seed),
            ledger: Ledger::default(),
        };
        world.ledger.attached[SCADA as usize] = true;
        world
    }

    fn step(&mut self) {
        let device = self.rng.device();
        match self.rng.below(100) {
            0..=9 => self.come(device),
            10..=12 if self.bench.is_up(device) => drop(self.bench.closes(device)),
            13..=14 if self.bench.is_up(device) => self.bench.peers[device as usize].is_dead = true,
            15..=49 => self.say(device),
            50..=64 => self.order(device),
            65..=69 => self.attach(SCADA),
            70..=72 => self.leave(SCADA),
            73..=74 => self.attach(VIEWER),
            75 => self.leave(VIEWER),
            76..=79 => {
                let program = &mut self.bench.programs[SCADA as usize];
                program.is_mute = !program.is_mute;
            }
            80..=83 => {
                let place = u32::try_from(self.rng.below(2)).unwrap();
                if let Some(program) = self.bench.programs.get_mut(place as usize) {
                    program.is_stalled = !program.is_stalled;
                }
            }
            84 => self.bench.disk_fails = true,
            85..=87 => drop(self.bench.disk_works()),
            88 => self.bench.disk_takes = Duration::from_millis(self.rng.below(100)),
            89 => self.kill(),
            _ => {
                let millis = [1, 10, 100, 3000][usize::try_from(self.rng.below(4)).unwrap()];
                self.bench.wait(millis);
            }
        }
        self.look();
    }

    fn come(&mut self, device: u32) {
        // Sometimes over the old connection, as a flapping link does.
        let place = device + DEVICES * u32::from(self.bench.is_up(device));
        if !self.bench.is_up(place) {
            self.look();
            self.bench.opens(place, Door::Cloud, ip(1));
            self.bench.says(place, format!("{}{PASSWORD}", id(device)));
        }
    }

    fn say(&mut self, device: u32) {
        for place in [device, device + DEVICES] {
            if self.bench.is_up(place) && self.bench.wants(place) {
                let said = self.ledger.said.entry(device).or_default();
                let text = format!("<d{device}-{}>", said.len());
                said.push((text.clone(), false));
                self.bench.says(place, text);
            }
        }
    }

    fn order(&mut self, device: u32) {
        if self.ledger.attached[SENDER as usize] {
            self.ledger.tags += 1;
            let tag = self.ledger.tags;
            self.bench.orders(SENDER, device, tag, &format!("[{tag}]"));
        } else {
            self.attach(SENDER);
        }
    }

    fn attach(&mut self, place: u32) {
        self.look();
        let kept = (place == SCADA).then_some("scada");
        self.bench.attaches(place, ALICE, kept);
        self.ledger.attached[place as usize] = true;
        if place == VIEWER {
            let subscription = dtu_hub::event::Subscription {
                kind: Kind::AccountTx,
                reach: Reach::Account,
                acked: false,
            };
            self.bench.does(
                VIEWER,
                dtu_hub::event::ProgramInput::Subscribe(subscription),
            );
        }
    }

    fn leave(&mut self, place: u32) {
        if std::mem::take(&mut self.ledger.attached[place as usize]) {
            self.bench.goes(place);
        }
    }

    fn kill(&mut self) {
        self.look();
        let on_disk = self.texts_on_disk();
        for (text, may_miss) in self.ledger.said.values_mut().flatten() {
            *may_miss |= !on_disk.contains(text);
        }
        self.ledger.attached = [false; 3];
        self.bench.restarts();
    }

    fn texts_on_disk(&self) -> BTreeSet<String> {
        let all = self.bench.disk.history.values().flatten();
        all.map(|(_, bytes)| String::from_utf8_lossy(bytes).into_owned())
            .collect()
    }

    /// Takes down what devices and programs got.
    fn look(&mut self) {
        for (place, bytes) in std::mem::take(&mut self.bench.sent) {
            let got = String::from_utf8(bytes.to_vec()).unwrap();
            if let Some(tag) = got
                .strip_prefix('[')
                .and_then(|rest| rest.strip_suffix(']'))
            {
                let device = (place - 1) % DEVICES + 1;
                self.ledger
                    .heard
                    .entry(device)
                    .or_default()
                    .push(tag.to_owned());
            }
        }
        for place in 0..self.bench.programs.len() {
            let place = u32::try_from(place).unwrap();
            for output in self.bench.got(place) {
                match output {
                    ProgramOutput::Answered(tag) => {
                        assert!(self.ledger.answered.insert(tag), "answered once");
                    }
                    ProgramOutput::Deliver(deliver) => {
                        let text = String::from_utf8(deliver.bytes.to_vec()).unwrap();
                        match place {
                            SCADA => self.ledger.scada.push((text, deliver.dup)),
                            _ => self.ledger.viewer.push(text),
                        }
                    }
                    _ => {}
                }
            }
        }
    }

    /// All faults end; everyone comes back; what waits for long is too old.
    fn heal(&mut self) {
        self.bench.disk_takes = Duration::ZERO;
        self.bench.disk_works();
        for program in &mut self.bench.programs {
            (program.is_mute, program.is_stalled) = (false, false);
        }
        for place in 1..=2 * DEVICES {
            if self.bench.is_up(place) {
                self.bench.closes(place);
            }
        }
        self.look();
        // Long enough for the end of a quarantine.
        self.bench.wait(700_000);
        for device in 1..=DEVICES {
            self.come(device);
            self.bench.wait(20);
        }
        self.attach(SCADA);
        self.bench.wait(1000);
        self.look();
    }

    fn check(&self) {
        self.history_has_all_that_was_said();
        self.answered_orders_end_well();
        self.devices_get_orders_once_and_in_order();
        self.the_kept_session_has_all_in_order();
        self.the_viewer_has_each_once_and_in_order();
        for device in 1..=DEVICES {
            assert_eq!(
                self.bench.hub.state(id(device)).unwrap().0,
                State::Connected
            );
            assert_eq!(self.bench.hub.waiting(id(device)), 0);
        }
        assert!(
            self.bench.disk.waiting.is_empty(),
            "{:?}",
            self.bench.disk.waiting
        );
    }

    fn history_has_all_that_was_said(&self) {
        let none = Vec::new();
        for (device, said) in &self.ledger.said {
            let history = self.bench.disk.history.get(&id(*device)).unwrap_or(&none);
            let mut history = history
                .iter()
                .map(|(_, bytes)| String::from_utf8_lossy(bytes))
                .peekable();
            for (text, may_miss) in said {
                let is_there = history.next_if(|next| next == text).is_some();
                assert!(
                    is_there || *may_miss,
                    "{text} is not in history, or not in its order"
                );
            }
            assert_eq!(history.next(), None, "nothing is made up");
        }
    }

    fn answered_orders_end_well(&self) {
        let mut ends: BTreeMap<MessageId, End> = BTreeMap::new();
        for (message, end) in &self.bench.disk.ends {
            assert_eq!(ends.insert(*message, *end), None, "one end each");
        }
        let orders: BTreeMap<u32, MessageId> = self
            .bench
            .disk
            .rows
            .iter()
            .filter_map(|row| match row {
                Row::Accepted { message, bytes, .. } => {
                    let tag = String::from_utf8_lossy(bytes)
                        .trim_matches(['[', ']'])
                        .parse();
                    Some((tag.unwrap(), *message))
                }
                _ => None,
            })
            .collect();
        let heard: BTreeSet<u32> = self
            .ledger
            .heard
            .values()
            .flatten()
            .map(|tag| tag.parse().unwrap())
            .collect();
        for tag in &self.ledger.answered {
            let message = orders.get(tag).expect("what was answered is on disk");
            let end = ends.get(message).expect("it has come to an end");
            match end {
                End::Delivered => assert!(heard.contains(tag), "{tag} is delivered"),
                End::Expired => assert!(!heard.contains(tag), "{tag} was too old"),
                End::Uncertain => {}
                End::Removed => panic!("no device was removed"),
            }
        }
    }

    fn devices_get_orders_once_and_in_order(&self) {
        for heard in self.ledger.heard.values() {
            let tags: Vec<u32> = heard.iter().map(|tag| tag.parse().unwrap()).collect();
            assert!(tags.is_sorted_by(|a, b| a < b), "{tags:?}");
        }
    }

    fn the_kept_session_has_all_in_order(&self) {
        let mut had = BTreeSet::new();
        for device in 1..=DEVICES {
            let begin = format!("<d{device}-");
            let number = |text: &str| {
                text.trim_end_matches('>')
                    .rsplit('-')
                    .next()
                    .unwrap()
                    .parse::<u32>()
                    .unwrap()
            };
            let mut last = None;
            for (text, is_repeat) in self
                .ledger
                .scada
                .iter()
                .filter(|(text, _)| text.starts_with(&begin))
            {
                let is_new = had.insert(text.clone());
                assert!(is_new || *is_repeat, "{text} comes again without DUP");
                if is_new {
                    assert!(last < Some(number(text)), "{text} comes late");
                    last = Some(number(text));
                }
            }
        }
        for text in self.texts_on_disk() {
            assert!(had.contains(&text), "{text} never came");
        }
    }
}

impl World {
    /// QoS 0: some may be missing, but none comes twice or late.
    fn the_viewer_has_each_once_and_in_order(&self) {
        for device in 1..=DEVICES {
            let begin = format!("<d{device}-");
            let own = self
                .ledger
                .viewer
                .iter()
                .filter_map(|text| text.strip_prefix(&begin));
            let numbers: Vec<u32> = own
                .map(|rest| rest.trim_end_matches('>').parse().unwrap())
                .collect();
            assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
        }
    }
}

fn play(seed: u64) -> World {
    let mut world = World::new(seed);
    for _ in 0..400 {
        world.step();
    }
    world.heal();
    world
}

/// `SEEDS=5000` plays more of them, `SEED=42` that one.
#[test]
fn nothing_that_was_answered_is_lost() {
    let number = |name| {
        std::env::var(name)
            .ok()
            .and_then(|text| text.parse::<u64>().ok())
    };
    let seeds = match number("SEED") {
        Some(seed) => seed..seed + 1,
        None => 1..number("SEEDS").unwrap_or(200) + 1,
    };
    let (mut answered, mut repeats, mut uncertain, mut expired, mut lost) = (0, 0, 0, 0, 0);
    let mut viewed = 0;
    for seed in seeds.clone() {
        let world = std::panic::catch_unwind(|| {
            let world = play(seed);
            world.check();
            world
        });
        let Ok(world) = world else {
            panic!("SEED={seed}");
        };
        answered += world.ledger.answered.len();
        repeats += world
            .ledger
            .scada
            .iter()
            .filter(|(_, is_repeat)| *is_repeat)
            .count();
        let ends = |end| {
            world
                .bench
                .disk
                .ends
                .iter()
                .filter(|(_, own)| *own == end)
                .count()
        };
        viewed += world.ledger.viewer.len();
        uncertain += ends(End::Uncertain);
        expired += ends(End::Expired);
        lost += world
            .ledger
            .said
            .values()
            .flatten()
            .filter(|(_, may_miss)| *may_miss)
            .count();
    }
    if seeds.count() >= 100 {
        // A world in which these do not happen proves nothing.
        for count in [answered, repeats, uncertain, expired, lost, viewed] {
            assert!(
                count > 100,
                "{answered} {repeats} {uncertain} {expired} {lost} {viewed}"
            );
        }
    }
}
