//! The HTTPD client (mode 3) from the serial line to the server and back (manual 2.1.3, decisions 9).
#![allow(missing_docs)]

use dtu_proto::config::{Config, DropPolicy, HttpdConfig, Method, Options, WorkingMode};
use dtu_proto::event::{
    CloseReason, Event, HttpdEvent, HttpdTrouble, Input, LinkDownReason, ModemInput, Power,
    QueueId, SocketId, SocketInput, StoreOutput,
};
use dtu_proto::status::{HttpdCounters, LinkState, WaitingFor};
use dtu_proto::testing::{Bench, Net};
use dtu_proto::time::Duration;

mod connection;
mod kept;
mod modes;
mod odd;
mod patience;
mod queue;
mod repeats;
mod requests;

const SERVER: SocketId = SocketId::Httpd;
/// What the manual's example makes of `data=12345`.
const EXAMPLE: &str = "GET /1.php?data=12345 HTTP/1.1\r\nAccept:text/html\r\nHost: test.usr.cn\r\nConnection: keep-alive\r\n\r\n";

fn factory() -> Config {
    Config {
        mode: WorkingMode::Httpd,
        heartbeat_interval: 0,
        ..Config::default()
    }
}

/// A device in mode 3 that takes each read of the line as a frame.
fn device(change: impl FnOnce(&mut Config)) -> Bench {
    let mut config = factory();
    config.packing_time = 0;
    change(&mut config);
    begun(config)
}

/// A device that has printed its banner.
fn begun(config: Config) -> Bench {
    let mut dev = Bench::new(config);
    dev.at(1000).prints("\r\nUSR-GPRS232-DTU\r\n");
    dev
}

fn answer(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// The request of a frame, with the factory settings but for the head lines.
fn get(frame: &str) -> String {
    format!("GET /1.php?{frame} HTTP/1.1\r\nHost: test.usr.cn\r\nConnection: keep-alive\r\n\r\n")
}

/// A device without head lines.
fn plain() -> Bench {
    device(|config| config.httpd.head.clear())
}

fn counters(dev: &Bench) -> HttpdCounters {
    dev.dtu.status(dev.now).httpd.counters
}

fn httpd_events(dev: &mut Bench) -> Vec<HttpdEvent> {
    let events = std::mem::take(&mut dev.events);
    let httpd = |event| {
        if let Event::Httpd(event) = event {
            Some(event)
        } else {
            None
        }
    };
    events.into_iter().filter_map(httpd).collect()
}

fn connects(dev: &mut Bench) -> usize {
    dev.peer(SERVER).connects.len()
}

/// The line of `AT+CINET?` for the connection to the server.
fn cinet(dev: &mut Bench) -> String {
    dev.console.clear();
    dev.input(Input::Console("AT+CINET?"));
    let line = dev.console[0]
        .lines()
        .find(|line| line.starts_with("+CINET:0,"));
    line.unwrap_or_default().to_string()
}

/// A device whose DTE stopped reading in the middle of a long answer, and the bytes that were given.
fn unread(size: usize) -> (Bench, usize) {
    let mut dev = plain();
    dev.serial("1").wait(100).serial("2").wait(100);
    let given = stops_in_an_answer(&mut dev, size);
    (dev, given)
}

/// The DTE stops reading; the server begins an answer, and goes on for as long as it is read. So many bytes were given.
fn stops_in_an_answer(dev: &mut Bench, size: usize) -> usize {
    dev.dte_stops();
    dev.network(
        SERVER,
        format!("HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n"),
    );
    let mut given = 0;
    while dev.dtu.wants_socket(SERVER) {
        dev.network(SERVER, [b'x'; 1024]);
        given += 1024;
    }
    given
}

fn undelivered(dev: &Bench) -> u64 {
    dev.dtu.status(dev.now).serial.counters.undelivered_bytes
}

fn spooled() -> Options {
    let mut options = Options {
        setup_window: Duration::ZERO,
        ..Options::default()
    };
    options.modes.spool = true;
    options
}

/// A device whose first request was answered.
fn answered() -> Bench {
    let mut dev = plain();
    dev.serial("1")
        .wait(100)
        .sends(SERVER, get("1"))
        .network(SERVER, answer("a"))
        .prints("a");
    dev
}

/// A device whose connection has carried one answer, and is dead from now on though nobody says so.
fn forgotten() -> Bench {
    let mut dev = answered();
    dev.net(SERVER, Net::Unacked);
    dev.wait(5000).serial("2").sends(SERVER, get("2"));
    httpd_events(&mut dev);
    dev
}

fn post() -> HttpdConfig {
    HttpdConfig {
        method: Method::Post,
        ..factory().httpd
    }
}
