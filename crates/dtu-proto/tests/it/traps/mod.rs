//! Faults that products of this kind really had, each as a timed script.

use dtu_proto::config::{Config, HeartbeatTo, Options, Protocol, RegistrationWhen};
use dtu_proto::event::{CloseReason, Input, LINKS, LinkId, SerialInput};
use dtu_proto::status::Phase;
use dtu_proto::testing::{self, Bench, LINK1, LINK2, LINK3, LINK4, Net};
use dtu_proto::time::{Duration, Instant};

mod commands;
mod frames;
mod links;

fn one_link() -> Config {
    Config {
        restart_time: 0,
        ..testing::one_link()
    }
}

fn four_links() -> Config {
    let mut config = one_link();
    config.links.iter_mut().for_each(|link| link.enabled = true);
    config
}

fn options() -> Options {
    Options {
        setup_window: Duration::ZERO,
        ..Options::default()
    }
}

/// A device whose links are up, with nothing printed yet. Scripts say what is acknowledged.
fn up(config: Config) -> Bench {
    with(config, options(), [Net::Unacked; LINKS])
}

fn with(config: Config, options: Options, net: [Net; LINKS]) -> Bench {
    let mut dev = Bench::cold(config, options);
    for (link, net) in LinkId::ALL.into_iter().zip(net) {
        dev.net(link, net);
    }
    dev.attaches().at(1000).printed();
    dev
}

fn packing(time: u16) -> Config {
    Config {
        packing_time: time,
        ..one_link()
    }
}
