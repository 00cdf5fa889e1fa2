//! Working modes one after the other: what waits for a mode waits for its return (manual 2.8.2, 2.8.6.23; decisions 2, 4).
#![allow(missing_docs)]

use dtu_proto::config::{Config, DropPolicy, LinkOptions, Options, Protocol, Role, WorkingMode};
use dtu_proto::event::{
    CloseReason, Event, Input, Output, Power, QueueId, SocketId, SocketInput, SocketOutput,
    StoreOutput,
};
use dtu_proto::status::{LinkCounters, LinkState, Phase, WaitingFor};
use dtu_proto::testing::{Bench, LINK1, LINK2, Net, one_link};
use dtu_proto::time::Duration;
use dtu_proto::wire::command_frame::{CommandFrame, Host};

mod at_connection;
mod escape;
mod queues;
mod window;

const AT: SocketId = SocketId::AtMode;

const BANNER: &str = "\r\nUSR-GPRS232-DTU\r\n";

const OK: &str = "\r\nOK\r\n";

const OPEN: &str = "AT+CIOPEN=TCP,host,1";

const OPENED: &str = "\r\nOK\r\n\r\nCONNECT OK\r\n";

/// The data `01` by TCP to 192.168.0.133:33.
const PACKET: &[u8] = &[
    0x55, 0xAA, 0, 10, 1, 0, 0, 0x21, 0, 0x85, 0, 0xA8, 0xC0, 1, 0x10,
];

/// How a mode is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Apply,
    Restart,
}

fn in_mode(mode: WorkingMode) -> Config {
    Config {
        mode,
        restart_time: 0,
        ..one_link()
    }
}

fn started(config: Config) -> Bench {
    let mut dev = Bench::with_modem(config);
    dev.at(300).prints(BANNER);
    dev
}

fn options(change: impl FnOnce(&mut LinkOptions)) -> Options {
    let mut options = Options {
        setup_window: Duration::ZERO,
        ..Options::default()
    };
    change(&mut options.links[0]);
    options
}

fn console(dev: &mut Bench, line: &str) {
    dev.input(Input::Console(line));
    assert!(
        dev.console
            .pop()
            .is_some_and(|reply| reply.ends_with("OK\r\n")),
        "{line}"
    );
}

/// Changes the mode from outside. Nothing is printed but the banner of a restart.
fn switch(dev: &mut Bench, mode: WorkingMode, by: By) {
    assert_eq!(change(dev, mode, by), "");
}

/// Changes the mode from outside; what is printed behind the banner of a restart.
fn change(dev: &mut Bench, mode: WorkingMode, by: By) -> String {
    let set = format!("AT+CIMOD={}", mode.number());
    let mut banner = String::new();
    if by == By::Restart {
        console(dev, &format!("{set};W"));
        console(dev, "AT+CIRESET");
        banner = BANNER.escape_default().to_string();
    } else {
        console(dev, &format!("{set};+CIAPPLY"));
    }
    let printed = dev.wait(300).printed();
    assert_eq!(
        (
            dev.dtu.status(dev.now).mode,
            dev.dtu.status(dev.now).mode_started
        ),
        (mode, true)
    );
    printed
        .strip_prefix(&banner)
        .unwrap_or_else(|| panic!("no banner in {printed}"))
        .to_owned()
}

fn counters(dev: &Bench) -> LinkCounters {
    dev.dtu.status(dev.now).links[0].counters
}

/// What waits for a mode that has a queue.
fn waiting(dev: &Bench, mode: WorkingMode) -> Vec<Vec<u8>> {
    let queue = match mode {
        WorkingMode::Httpd => QueueId::Httpd,
        WorkingMode::SerialCommand => QueueId::SerialCommand,
        WorkingMode::Transparent | WorkingMode::AtCommand | WorkingMode::Sms => LINK1.into(),
    };
    dev.dtu
        .undelivered(queue)
        .map(|(_, frame)| frame.to_vec())
        .collect()
}
