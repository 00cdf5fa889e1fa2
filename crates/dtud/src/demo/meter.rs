//! An electricity meter on the serial line, which reports by itself.

use std::f64::consts::TAU;
use std::future::poll_fn;
use std::io;
use std::path::Path;
use std::time::Duration;

use rustix::fs::{Mode, OFlags};
use rustix::termios::OptionalActions;
use tokio::time::{Instant, sleep_until};

use super::reading::Reading;
use super::scene::{self, SharedScene};
use crate::port::{Port, ShortRead};

pub(super) struct Meter {
    port: Port,
    scene: SharedScene,
    start: Instant,
}

impl Meter {
    /// Opens the line as any program would: by its path.
    pub(super) fn open(line: &Path, scene: SharedScene, start: Instant) -> io::Result<Self> {
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fd = rustix::fs::open(line, flags, Mode::empty())?;
        let mut attributes = rustix::termios::tcgetattr(&fd)?;
        attributes.make_raw();
        rustix::termios::tcsetattr(&fd, OptionalActions::Now, &attributes)?;
        let port = Port::new(fd, ShortRead::Unknown)?;
        Ok(Self { port, scene, start })
    }

    pub(super) async fn run(mut self) {
        let mut buf = [0; 256];
        let mut due = self.start + EVERY;
        let mut in_a_row = IN_A_ROW - FIRST_IN_A_ROW;
        loop {
            tokio::select! {
                read = poll_fn(|cx| self.port.poll_read(cx, &mut buf)) => match read {
                    Ok(count) if count > 0 => {
                        let heard = buf.get(..count).unwrap_or_default();
                        scene::lock(&self.scene).on_bytes(self.start.elapsed(), heard);
                    }
                    Ok(_) | Err(_) => return,
                },
                () = sleep_until(due) => {
                    if self.report().await.is_err() {
                        return;
                    }
                    in_a_row += 1;
                    due += if in_a_row == IN_A_ROW { REST } else { EVERY };
                    in_a_row %= IN_A_ROW;
                }
            }
        }
    }

    async fn report(&mut self) -> io::Result<()> {
        let Some(line) = self.next_line() else {
            return Ok(());
        };
        let mut bytes = line.as_bytes();
        while !bytes.is_empty() {
            let count = poll_fn(|cx| self.port.poll_write(cx, bytes, &[])).await?;
            bytes = bytes.get(count..).unwrap_or_default();
        }
        Ok(())
    }

    /// Counted before it is written, so never later than it arrives.
    fn next_line(&self) -> Option<String> {
        let mut scene = scene::lock(&self.scene);
        if scene.closing {
            return None;
        }
        let reading = self.measure(scene.account.next_number());
        let line = format!("{reading}\r\n");
        scene.on_reading(self.start.elapsed(), reading, line.len());
        Some(line)
    }

    fn measure(&self, number: u64) -> Reading {
        let seconds = self.start.elapsed().as_secs_f64();
        let volts = 230.0 + 1.8 * (seconds / 7.0 * TAU).sin() + 0.4 * (seconds / 1.7).cos();
        let amperes = 5.2 + 2.1 * (seconds / 23.0 * TAU).sin() + 0.3 * (seconds * 1.3).sin();
        Reading {
            number,
            volts,
            amperes,
            watts: volts * amperes * 0.97,
        }
    }
}

/// From one reading to the next.
const EVERY: Duration = Duration::from_millis(500);
/// So many readings, then a rest in which a heartbeat is due.
const IN_A_ROW: u32 = 40;
const REST: Duration = Duration::from_millis(3500);
/// The first rest is soon, so that a heartbeat comes before the network is cut.
const FIRST_IN_A_ROW: u32 = 8;
