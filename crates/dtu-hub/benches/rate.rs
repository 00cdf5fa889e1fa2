//! What a message costs in the hub alone: no socket, no disk.
//!
//! ```sh
//! cargo bench -p dtu-hub
//! ```
#![allow(clippy::unwrap_used, missing_docs)]

use divan::counter::ItemsCount;
use dtu_hub::Hub;
use dtu_hub::auth::PasswordKey;
use dtu_hub::event::{
    Door, DoorInput, Input, Output, ProgramInput, ProgramOutput, StoreInput, StoreOutput,
    Subscription,
};
use dtu_hub::ids::{AccountId, ConnectionId, DeviceId, MessageId, ProgramId};
use dtu_hub::presence::Alarms;
use dtu_hub::registry::{DeviceRecord, Registry, Rights};
use dtu_hub::time::{Duration, Instant};
use dtu_hub::topic::{Kind, Reach};

const ROUND: u32 = 10_000;
const PAYLOAD: [u8; 64] = [b'x'; 64];
const PROGRAM: ProgramId = ProgramId { place: 0, r#use: 1 };

fn main() {
    divan::main();
}

struct Host {
    hub: Hub,
    now: Instant,
}

impl Host {
    /// So many devices with a session, and one program that has all of them.
    fn new(devices: u32, acked: bool) -> Self {
        let hub = Hub::new(
            PasswordKey::new(&[7; 32]),
            Alarms::default(),
            MessageId(0),
            Instant::ZERO,
        );
        let mut host = Self {
            hub,
            now: Instant::ZERO,
        };
        let key = PasswordKey::new(&[7; 32]);
        for n in 0..devices {
            let id = DeviceId::padded(n.to_string().as_bytes()).unwrap();
            let mut record = DeviceRecord::new(id);
            record.password = Some(key.tag(&id, b"12345678"));
            record.rights = vec![(AccountId(1), Rights::ALL)];
            host.input(Input::Registry(Registry::Device(Box::new(record))));
        }
        host.register(devices);
        let attach = ProgramInput::Attach {
            account: AccountId(1),
            name: None,
            keep: Duration::ZERO,
            clean: true,
        };
        host.input(Input::Program(PROGRAM, attach));
        let all = Subscription {
            kind: Kind::AccountTx,
            reach: Reach::Account,
            acked,
        };
        host.input(Input::Program(PROGRAM, ProgramInput::Subscribe(all)));
        host
    }

    fn register(&mut self, devices: u32) {
        for n in 0..devices {
            let device = ConnectionId { place: n, r#use: 1 };
            let opened = DoorInput::Opened {
                door: Door::Cloud,
                source: [10, 0, 0, 1].into(),
            };
            self.input(Input::Door(device, opened));
            let text = format!("{n:020}12345678");
            self.input(Input::Door(device, DoorInput::Data(text.as_bytes())));
        }
        self.now += Duration::from_millis(10);
        self.hub.handle_timeout(self.now);
        self.drain();
    }

    fn input(&mut self, input: Input<'_>) {
        self.now += Duration::from_micros(5);
        self.hub.handle_input(input, self.now);
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(output) = self.hub.poll_output() {
            let answer = match output {
                Output::Store(StoreOutput::Batch(number, rows)) => {
                    drop(rows);
                    Input::Store(StoreInput::Committed(number))
                }
                Output::Door(id, _) => Input::Door(id, DoorInput::Sent),
                Output::Program(id, ProgramOutput::Deliver(deliver)) => {
                    let written = ProgramInput::Written {
                        messages: 1,
                        bytes: deliver.bytes.len(),
                    };
                    if let Some(delivery) = deliver.delivery {
                        let acked = Input::Program(id, ProgramInput::Acked(delivery));
                        self.hub.handle_input(acked, self.now);
                    }
                    Input::Program(id, written)
                }
                Output::Datagram(..) | Output::Program(..) | Output::Store(_) | Output::Log(_) => {
                    continue;
                }
            };
            self.hub.handle_input(answer, self.now);
        }
    }
}

fn messages(bencher: divan::Bencher<'_, '_>, devices: u32, acked: bool) {
    let mut host = Host::new(devices, acked);
    let mut n = 0;
    bencher.counter(ItemsCount::new(ROUND)).bench_local(|| {
        for _ in 0..ROUND {
            n = (n + 7919) % devices;
            let device = ConnectionId { place: n, r#use: 1 };
            host.input(Input::Door(device, DoorInput::Data(&PAYLOAD)));
        }
    });
    assert_eq!(host.hub.counters().late_news, 0);
}

#[divan::bench(args = [1_000, 10_000, 100_000])]
fn device_to_program(bencher: divan::Bencher<'_, '_>, devices: u32) {
    messages(bencher, devices, false);
}

#[divan::bench(args = [1_000, 10_000, 100_000])]
fn device_to_program_acked(bencher: divan::Bencher<'_, '_>, devices: u32) {
    messages(bencher, devices, true);
}

#[divan::bench(sample_count = 10)]
fn ten_thousand_registrations(bencher: divan::Bencher<'_, '_>) {
    let bencher = bencher.counter(ItemsCount::new(ROUND));
    bencher
        .with_inputs(|| Host::new(0, false))
        .bench_local_values(|mut host| {
            let key = PasswordKey::new(&[7; 32]);
            for n in 0..ROUND {
                let id = DeviceId::padded(n.to_string().as_bytes()).unwrap();
                let mut record = DeviceRecord::new(id);
                record.password = Some(key.tag(&id, b"12345678"));
                host.input(Input::Registry(Registry::Device(Box::new(record))));
            }
            host.register(ROUND);
        });
}
