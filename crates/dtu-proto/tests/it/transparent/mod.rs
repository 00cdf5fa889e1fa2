//! The transparent mode as timed scripts (manual 2.1.1, 2.2, 2.3; decisions 4 to 7).
#![allow(missing_docs)]

use dtu_proto::config::{
    Config, DropPolicy, Expect, HeartbeatTo, LinkOptions, Options, Protocol, RegistrationWhen, Role,
};
use dtu_proto::event::{
    CloseReason, Event, Input, LinkDownReason, LinkId, Power, QueueId, SocketId, StoreOutput,
};
use dtu_proto::status::{LinkState, WaitingFor};
use dtu_proto::testing::{Bench, LINK1, LINK2, LINK3, Net, one_link};
use dtu_proto::time::{Duration, Instant};

mod backup;
mod delivery;
mod heartbeat;
mod links;

fn options(change: impl Fn(&mut LinkOptions)) -> Options {
    let mut options = Options {
        setup_window: Duration::ZERO,
        ..Options::default()
    };
    options.links.iter_mut().for_each(change);
    options
}

fn booted(config: Config, options: Options) -> Bench {
    let mut dev = Bench::with(config, options);
    dev.at(200).prints("\r\nUSR-GPRS232-DTU\r\n");
    dev
}

fn up(config: Config) -> Bench {
    booted(config, options(|_| ()))
}
