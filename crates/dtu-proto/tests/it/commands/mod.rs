//! The origins for commands as timed scripts: set-up window, command state, `psw,AT+` frames and reads
//! (manual 2.8.2 to 2.8.4, 2.8.6.29 to .52; decisions 2, 3, 4, 8).
#![allow(missing_docs)]

use dtu_proto::config::{Config, FactoryPassword, LinkOptions, Options, Shutdown};
use dtu_proto::event::{CloseReason, Event, Input, Origin, Power, RestartReason, SerialInput};
use dtu_proto::status::Phase;
use dtu_proto::testing::{Bench, LINK1, LINK2, Net, one_link};
use dtu_proto::time::Duration;

mod line;
mod network;
mod power;
mod window;

const OK: &str = "\r\nOK\r\n";

const BANNER: &str = "\r\nUSR-GPRS232-DTU\r\n";

fn up(config: Config) -> Bench {
    let mut dev = Bench::new(config);
    dev.at(500).prints(BANNER);
    dev
}

fn gated() -> Config {
    let mut config = one_link();
    (config.network_at, config.serial_at) = (true, true);
    config.password = "geheim".chars().take(5).collect();
    config
}
