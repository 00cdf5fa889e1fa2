//! Delivery: who paces the serial line, what a sign of life is, what belongs to the device (decisions 16.1, 16.6, 16.7,
//! 16.21). The names begin with the row of the trials that found the fault.
#![allow(missing_docs)]

use dtu_proto::config::{
    Config, DropPolicy, Expect, LinkOptions, Options, Protocol, RegistrationWhen,
};
use dtu_proto::event::{Input, LinkDownReason, LinkId, SerialInput, SocketId, SocketInput};
use dtu_proto::testing::{Bench, LINK1, LINK2, LINK3, Net, one_link};
use dtu_proto::time::Duration;

mod life;
mod line;
mod pace;

const CACHE: usize = 64 * 1024;

fn options(change: impl Fn(&mut LinkOptions)) -> Options {
    let mut options = Options {
        setup_window: Duration::ZERO,
        ..Options::default()
    };
    options.links.iter_mut().for_each(change);
    options
}

trait Script {
    fn fills(&mut self) -> usize;
    fn dropped(&self, link: LinkId) -> u64;
}

impl Script for Bench {
    /// The DTE writes as much as is read.
    fn fills(&mut self) -> usize {
        let mut taken = 0;
        while self.dtu.wants_serial() && taken < 4 * CACHE {
            self.serial([b'x'; 1024]);
            taken += 1024;
        }
        taken
    }

    fn dropped(&self, link: LinkId) -> u64 {
        self.dtu.status(self.now).links[link.index()]
            .counters
            .dropped_bytes
    }
}

/// The peer of this link sends as much as is read.
fn floods(dev: &mut Bench, link: LinkId) -> usize {
    let mut taken = 0;
    while dev.dtu.wants_socket(link) && taken < 1 << 20 {
        dev.network(link, [b'd'; 1024]);
        taken += 1024;
    }
    taken
}
