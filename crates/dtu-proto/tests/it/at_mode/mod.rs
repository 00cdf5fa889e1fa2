//! The AT mode (2) as a timed dialogue: one connection by `CIOPEN`, `CISEND`, `CICLOSE` (manual 2.1.4, 2.8.6.34 to .36).
#![allow(missing_docs)]

use dtu_proto::config::{Config, Options, Protocol, WorkingMode};
use dtu_proto::event::{CloseReason, Input, ModemInput, Power, SerialInput, SocketId, StoreInput};
use dtu_proto::testing::{Bench, LINK1, Net, one_link};
use dtu_proto::time::Duration;

mod closing;
mod opening;
mod sending;
mod typing;

const AT: SocketId = SocketId::AtMode;

const BANNER: &str = "\r\nUSR-GPRS232-DTU\r\n";

const OK: &str = "\r\nOK\r\n";

const OPEN: &str = "AT+CIOPEN=TCP,usrcn.gicp.net,10101";

const OPENED: &str = "\r\nOK\r\n\r\nCONNECT OK\r\n";

const PROMPT: &str = "\r\n> ";

fn at_mode() -> Config {
    let mut config = one_link();
    config.mode = WorkingMode::AtCommand;
    config
}

fn started(config: Config) -> Bench {
    let mut dev = Bench::new(config);
    dev.at(300).prints(BANNER);
    dev
}

fn open() -> Bench {
    let mut dev = started(at_mode());
    dev.command(OPEN, OPENED);
    dev
}

/// One line of `AT+CINET?` or `AT+CISTAT` that begins so.
#[track_caller]
fn line(dev: &mut Bench, command: &str, begins: &str) -> String {
    dev.serial(format!("{command}\r"));
    let printed = dev.printed();
    let found = printed
        .split("\\r\\n")
        .find(|line| line.starts_with(begins));
    found
        .unwrap_or_else(|| panic!("no {begins} in {printed}"))
        .to_owned()
}

fn failed(why: &str) -> String {
    format!("\r\n+CME ERROR: {why}\r\n")
}
