//! Our own device behind the console: a line in virtual time, and what the console asks beside AT.

use std::io;
use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::Duration;

use dtu_console::device::{Device, Features, Order, Radio, Sets, Unavailable, Via};
use dtu_proto::config::{Config, Options};
use dtu_proto::testing::Bench;
use dtu_proto::time::Instant;
use dtu_proto::{Dtu, to_store_text};
use dtu_setup::door::{Door, DoorError, Reply};
use dtu_setup::serial::{Port, Serial};
use serde_json::{Value, json};

/// The line between the console and a device in virtual time.
pub(crate) struct Line {
    pub(crate) bench: Bench,
    printed: Vec<u8>,
    /// Commands that went in, without the secrets' stars.
    pub(crate) commands: Vec<String>,
}

impl Line {
    fn new(config: Config) -> Self {
        let mut bench = Bench::with(config, Options::default());
        bench.at(10_000).take_printed();
        Self {
            bench,
            printed: Vec::new(),
            commands: Vec::new(),
        }
    }
}

impl Port for Line {
    fn now(&self) -> Duration {
        Duration::from_micros(self.bench.now.as_micros())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.bench.serial(bytes);
        Ok(())
    }

    fn read(&mut self, buffer: &mut [u8], until: Duration) -> io::Result<usize> {
        let until = Instant::from_micros(u64::try_from(until.as_micros()).unwrap());
        loop {
            self.printed.extend(self.bench.take_printed());
            if !self.printed.is_empty() {
                let count = buffer.len().min(self.printed.len());
                buffer[..count].copy_from_slice(&self.printed[..count]);
                self.printed.drain(..count);
                return Ok(count);
            }
            if self.bench.now >= until {
                return Ok(0);
            }
            let next = self.bench.dtu.poll_timeout().map_or(until, |due| due.at);
            let next = next.clamp(self.bench.now, until);
            self.bench.until(next);
        }
    }

    fn set_baud(&mut self, _: u32) -> io::Result<()> {
        Ok(())
    }

    fn baud(&self) -> u32 {
        115_200
    }
}

/// The device as the console knows it. It lives on a thread of its own, as the real one does.
pub(crate) struct Fake {
    jobs: mpsc::Sender<Job>,
    pub(crate) features: Features,
    pub(crate) orders: Mutex<Vec<Order>>,
    /// See [`Device::patience`].
    pub(crate) patience: Duration,
    /// Times that it told how it is.
    asked: AtomicU64,
}

type Job = Box<dyn FnOnce(&mut Place) + Send>;

/// Where the line is.
enum Place {
    Data(Line),
    Command(Serial<Line>),
    Moving,
}

impl Place {
    fn serial(&mut self) -> &mut Serial<Line> {
        match self {
            Self::Command(serial) => serial,
            Self::Data(_) | Self::Moving => panic!("no door is open"),
        }
    }

    fn line(&mut self) -> &mut Line {
        match self {
            Self::Data(line) => line,
            Self::Command(_) | Self::Moving => panic!("a door is open"),
        }
    }
}

impl Fake {
    pub(crate) fn new(config: Config) -> Self {
        let (jobs, work) = mpsc::channel::<Job>();
        thread::spawn(move || {
            let mut place = Place::Data(Line::new(config));
            for job in work {
                job(&mut place);
            }
        });
        Self {
            jobs,
            features: Features {
                live: true,
                inject: true,
                radio: Radio::Sim,
                confirm: true,
                name: "dtud on pty:./dtu0".to_owned(),
                via: Via::Local,
            },
            orders: Mutex::default(),
            patience: Duration::from_secs(210),
            asked: AtomicU64::new(0),
        }
    }

    /// On the device's thread.
    fn run<R: Send + 'static>(&self, job: impl FnOnce(&mut Place) -> R + Send + 'static) -> R {
        let (done, answer) = mpsc::channel();
        let job = move |place: &mut Place| {
            let _ = done.send(job(place));
        };
        self.jobs.send(Box::new(job)).unwrap();
        answer.recv().unwrap()
    }

    /// It does nothing until that is dropped.
    pub(crate) fn hold(&self) -> mpsc::Sender<()> {
        let (held, over) = mpsc::channel::<()>();
        let wait = move |_: &mut Place| {
            let _ = over.recv();
        };
        self.jobs.send(Box::new(wait)).unwrap();
        held
    }

    /// The line, while no door is open.
    pub(crate) fn with_line<R: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Line) -> R + Send + 'static,
    ) -> R {
        self.run(|place| work(place.line()))
    }
}

struct FakeDoor<'a>(&'a Fake);

impl Door for FakeDoor<'_> {
    fn command(&mut self, line: &str) -> Result<Reply, DoorError> {
        let line = line.to_owned();
        self.0.run(move |place| {
            let reply = place.serial().command(&line);
            place.serial().port_mut().commands.push(line);
            reply
        })
    }

    fn restart(&mut self, command: &str, baud: Option<u32>) -> Result<(), DoorError> {
        let command = command.to_owned();
        self.0
            .run(move |place| place.serial().restart(&command, baud))
    }

    fn leave(&mut self) -> Result<(), DoorError> {
        self.0.run(|place| place.serial().leave())
    }

    fn shut_by(&self) -> &[&str] {
        &[]
    }

    fn is_shut_at_once(&self) -> bool {
        false
    }
}

impl Drop for FakeDoor<'_> {
    fn drop(&mut self) {
        self.0.run(|place| {
            if let Place::Command(serial) = mem::replace(place, Place::Moving) {
                *place = Place::Data(serial.into_port());
            }
        });
    }
}

impl Device for Fake {
    fn features(&self) -> Features {
        self.features.clone()
    }

    fn door(&self) -> Result<Box<dyn Door + Send + '_>, DoorError> {
        self.run(|place| {
            let Place::Data(line) = mem::replace(place, Place::Moving) else {
                panic!("one door at a time");
            };
            let (new, result) = match Serial::enter(line) {
                Ok(serial) => (Place::Command(serial), Ok(())),
                Err((line, error)) => (Place::Data(line), Err(error)),
            };
            *place = new;
            result
        })?;
        Ok(Box::new(FakeDoor(self)))
    }

    fn status(&self, within: Duration) -> Result<Value, Unavailable> {
        let status = self.run(|place| {
            let Place::Data(line) = place else {
                return None;
            };
            Some(line.bench.dtu.status(line.bench.now))
        });
        let status = status.ok_or(Unavailable::Silent(within))?;
        let trial = status.trial.map(|trial| {
            json!({ "id": trial.id, "seconds_left": trial.seconds_left(), "by": trial.by.to_string() })
        });
        let asked = self.asked.fetch_add(1, Ordering::Relaxed);
        Ok(json!({
            "asked": asked,
            "uptime": status.uptime.as_secs(),
            "restarts": status.restarts,
            "mode": { "number": status.mode.number(), "word": status.mode.to_string() },
            "serial": { "bytes_in": 7, "bytes_out": 8, "dropped_bytes": 0, "waiting_bytes": 0 },
            "links": [{ "number": 1, "enabled": true, "state": "connected", "address": "secret.example.com",
                "bytes_in": 1, "bytes_out": 2, "frames_in": 3, "frames_out": 4, "waiting_frames": 5,
                "waiting_bytes": 6, "cache_bytes": 1024, "dropped_frames": 0, "dropped_bytes": 0,
                "reconnects": 9, "rtt_ms": 21 }],
            "trial": trial,
        }))
    }

    fn patience(&self) -> Duration {
        self.patience
    }

    fn sets(&self) -> Result<Option<Sets>, Unavailable> {
        let told = |dtu: &Dtu| Sets {
            running: to_store_text(dtu.config()),
            stored: to_store_text(dtu.stored_config()),
            applied: to_store_text(&dtu.fallback_config()),
        };
        Ok(Some(self.run(move |place| match place {
            Place::Data(line) => told(&line.bench.dtu),
            Place::Command(serial) => told(&serial.port_mut().bench.dtu),
            Place::Moving => panic!("a door that opens"),
        })))
    }

    fn order(&self, order: Order) -> Result<(), Unavailable> {
        self.orders.lock().unwrap().push(order);
        Ok(())
    }

    fn messages(&self) -> Result<Value, Unavailable> {
        let item = json!({ "at": 7, "from": "+8613911111111", "to": "+8613900000000", "text": "42 kWh",
            "parts": 1, "state": "received" });
        let call = json!({ "at": 8, "number": "10086", "state": "ended", "why": "hung up" });
        Ok(json!({ "phone": "+8613900000000", "items": [item], "calls": [call] }))
    }
}
