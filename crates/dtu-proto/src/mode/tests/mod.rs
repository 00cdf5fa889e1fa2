//! A new working mode is one file and one line.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::Mode;
use crate::config::{Config, Options, WorkingMode};
use crate::event::{Input, Output, SerialInput, SerialOutput};
use crate::time::{Duration, Instant};
use crate::{Dtu, Identity};

use echo::Echo;

mod echo;

/// A device and a host that does everything at once.
struct Bench {
    dtu: Dtu,
    now: Instant,
    printed: Vec<u8>,
}

impl Bench {
    fn input(&mut self, input: Input<'_>) {
        self.dtu.handle_input(input, self.now);
        self.carry_out();
    }

    fn later(&mut self, by: Duration) {
        self.now += by;
        self.dtu.handle_timeout(self.now);
        self.carry_out();
    }

    fn carry_out(&mut self) {
        while let Some(output) = self.dtu.poll_output() {
            let done = match output {
                Output::Serial(SerialOutput::Write(bytes)) => {
                    self.printed.extend_from_slice(&bytes);
                    SerialInput::Written
                }
                Output::Serial(SerialOutput::Configure(_)) => SerialInput::Configured(None),
                Output::Serial(SerialOutput::Discard)
                | Output::Socket(..)
                | Output::Modem(_)
                | Output::Store(_)
                | Output::Console(_)
                | Output::Leds(_)
                | Output::Power(_)
                | Output::Event(_) => continue,
            };
            self.dtu.handle_input(Input::Serial(done), self.now);
        }
    }
}

#[test]
fn a_new_working_mode_is_a_file_of_60_lines_and_one_line() {
    assert!(include_str!("echo.rs").lines().count() <= 60);
    let config = Config {
        mode: WorkingMode::Sms,
        ..Config::default()
    };
    let options = Arc::new(Options::default());
    let (identity, start) = (Identity::default(), Instant::ZERO);
    let mut bench = Bench {
        dtu: Dtu::new(config, Options::default(), identity, 1, start),
        now: start,
        printed: Vec::new(),
    };
    bench.dtu.modes_mut().instead = Some(Box::new(Echo::new(&options))); // the one line
    bench.input(Input::Serial(SerialInput::Present));
    bench.later(Duration::from_secs(1));
    bench.printed.clear();
    bench.input(Input::Serial(SerialInput::Data(b"before the mode begins")));
    bench.later(Duration::from_secs(1));
    assert_eq!(bench.printed, b"");
    bench.later(Duration::from_secs(5));
    assert_eq!(bench.printed, b"before the mode begins");
    bench.printed.clear();
    bench.input(Input::Serial(SerialInput::Data(b"42 kWh")));
    assert_eq!(bench.printed, b"", "a frame ends with a silence");
    bench.later(Duration::from_secs(1));
    assert_eq!(bench.printed, b"42 kWh");
}
