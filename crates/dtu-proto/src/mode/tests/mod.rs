//! A new working mode is one file and one line.

use alloc::boxed::Box;
use alloc::sync::Arc;

use super::Mode;
use crate::config::{Config, Options, WorkingMode};
use crate::event::{Input, SerialInput};
use crate::testing::Bench;
use crate::time::Instant;
use crate::{Dtu, Identity};

use echo::Echo;

mod echo;

#[test]
fn a_new_working_mode_is_a_file_of_60_lines_and_one_line() {
    assert!(include_str!("echo.rs").lines().count() <= 60);
    let config = Config {
        mode: WorkingMode::Sms,
        ..Config::default()
    };
    let options = Options::default();
    let echo = Box::new(Echo::new(&Arc::new(options.clone())));
    let identity = Identity::default();
    let mut dtu = Dtu::new(config, options, identity, 1, Instant::ZERO);
    dtu.modes_mut().instead = Some(echo); // the one line
    let mut dev = Bench::off(dtu);
    dev.drain();
    dev.input(Input::Serial(SerialInput::Present));
    dev.at(1000).printed();
    dev.serial("before the mode begins")
        .at(2000)
        .prints_nothing();
    dev.at(7000).prints("before the mode begins");
    // A frame ends with a silence.
    dev.serial("42 kWh").prints_nothing();
    dev.at(8000).prints("42 kWh");
}
