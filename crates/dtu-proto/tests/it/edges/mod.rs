//! Faults that a review of the core found, one test each.
#![allow(missing_docs)]

use core::net::SocketAddr;
use dtu_proto::config::{
    Config, Expect, LinkOptions, Options, Protocol, RegistrationWhen, Role, Shutdown, WorkingMode,
};
use dtu_proto::event::{
    CloseReason, Event, Input, Lost, ModemInput, Output, Power, SerialInput, SerialOutput,
    SocketId, SocketInput, SocketOutput, StoreInput, StoreOutput,
};
use dtu_proto::status::{LinkState, WaitingFor};
use dtu_proto::testing::{Bench, LINK1, LINK2, Net, one_link};
use dtu_proto::time::{Duration, Instant};
use dtu_proto::{Dtu, Identity};

mod backup;
mod links;
mod power;
mod stop;
mod store;
mod window;

const BANNER: &str = "\r\nUSR-GPRS232-DTU\r\n";

const OK: &str = "\r\nOK\r\n";

fn options(change: impl Fn(&mut LinkOptions)) -> Options {
    let mut options = Options {
        setup_window: Duration::ZERO,
        ..Options::default()
    };
    options.links.iter_mut().for_each(change);
    options
}

fn window(seconds: u64) -> Options {
    Options {
        setup_window: Duration::from_secs(seconds),
        ..Options::default()
    }
}

fn up(config: Config) -> Bench {
    let mut dev = Bench::with(config, options(|_| ()));
    dev.at(200).prints(BANNER);
    dev
}

fn gated() -> Config {
    let mut config = one_link();
    (config.network_at, config.serial_at) = (true, true);
    config.password = "12345".to_owned();
    config
}

/// Gives an input and takes the outputs raw: nothing is answered.
fn raw(dev: &mut Bench, input: Input<'_>) -> Vec<Output> {
    dev.dtu.handle_input(input, dev.now);
    std::iter::from_fn(|| dev.dtu.poll_output()).collect()
}

fn text(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}
