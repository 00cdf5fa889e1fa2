//! A new working mode is one file (here `echo.rs`) and one line (in `config/mode.rs`).

use crate::config::{Config, Options, WorkingMode};
use crate::event::{Input, SerialInput};
use crate::testing::Bench;
use crate::time::Instant;
use crate::{Dtu, Identity};

pub(super) mod echo;

#[test]
fn a_new_working_mode_is_a_file_of_60_lines_and_one_line() {
    assert!(include_str!("echo.rs").lines().count() <= 60);
    let config = Config {
        mode: WorkingMode::Echo,
        ..Config::default()
    };
    let (options, identity) = (Options::default(), Identity::default());
    let dtu = Dtu::new(config, options, identity, 1, Instant::ZERO);
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
