//! An electricity meter on the serial line.

use std::f64::consts::TAU;
use std::future::poll_fn;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};
use rustix::termios::OptionalActions;
use tokio::time::timeout;

use super::modbus::{self, REGISTERS, REQUEST};
use super::scene::{self, SharedScene};
use crate::port::{Port, ShortRead};

pub(super) struct Meter {
    port: Port,
    scene: SharedScene,
    start: Instant,
    watt_hours: f64,
    asked: Instant,
}

impl Meter {
    /// Opens the line as any program would: by its path.
    pub(super) fn open(line: &Path, scene: SharedScene) -> io::Result<Self> {
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fd = rustix::fs::open(line, flags, Mode::empty())?;
        let mut attributes = rustix::termios::tcgetattr(&fd)?;
        attributes.make_raw();
        rustix::termios::tcsetattr(&fd, OptionalActions::Now, &attributes)?;
        let port = Port::new(fd, ShortRead::Unknown)?;
        let now = Instant::now();
        Ok(Self { port, scene, start: now, watt_hours: 184_205.0, asked: now })
    }

    pub(super) async fn run(mut self) {
        let mut frame = Vec::new();
        let mut buf = [0; 256];
        loop {
            let read = poll_fn(|cx| self.port.poll_read(cx, &mut buf));
            // Silence ends a frame; whatever is no request by then (the device's banner) is nothing to a meter.
            let read = if frame.is_empty() { Ok(read.await) } else { timeout(SILENCE, read).await };
            match read {
                Ok(Ok(count)) if count > 0 => frame.extend_from_slice(buf.get(..count).unwrap_or_default()),
                Ok(_) => return,
                Err(_) => frame.clear(),
            }
            if frame.len() >= REQUEST {
                let values = self.measure();
                if let Some(answer) = modbus::answer(&frame, values) {
                    scene::lock(&self.scene).asked += 1;
                    if self.write(&answer).await.is_err() {
                        return;
                    }
                }
                frame.clear();
            }
        }
    }

    async fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let count = poll_fn(|cx| self.port.poll_write(cx, bytes, &[])).await?;
            bytes = bytes.get(count..).unwrap_or_default();
        }
        Ok(())
    }

    /// Voltage 0.1 V, current 0.01 A, power W, frequency 0.01 Hz, energy Wh in two registers.
    fn measure(&mut self) -> [u16; REGISTERS] {
        let seconds = self.start.elapsed().as_secs_f64();
        let volts = 230.0 + 1.8 * (seconds / 7.0 * TAU).sin() + 0.4 * (seconds / 1.7).cos();
        let amperes = 5.2 + 2.1 * (seconds / 23.0 * TAU).sin() + 0.3 * (seconds * 1.3).sin();
        let watts = volts * amperes * 0.97;
        let hertz = 50.0 + 0.03 * (seconds / 11.0 * TAU).sin();
        // So that it moves before one's eyes, an hour passes in a minute.
        self.watt_hours += watts * self.asked.elapsed().as_secs_f64() / 60.0;
        self.asked = Instant::now();
        let [_, _, _, _, e3, e2, e1, e0] = (self.watt_hours as u64).to_be_bytes();
        [
            (volts * 10.0) as u16,
            (amperes * 100.0) as u16,
            watts as u16,
            (hertz * 100.0) as u16,
            u16::from_be_bytes([e3, e2]),
            u16::from_be_bytes([e1, e0]),
        ]
    }
}

/// More than 3.5 characters at any rate from 1200 Bd up.
const SILENCE: Duration = Duration::from_millis(40);
