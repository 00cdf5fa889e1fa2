//! The HTTPD client (mode 3) from the serial line to the server and back (manual 2.1.3, decisions 9).
#![allow(missing_docs)]

mod common;

use common::Bench;
use dtu_proto::config::{Config, Method, WorkingMode};
use dtu_proto::event::ChannelId;

const SERVER: ChannelId = ChannelId::HTTPD;
/// What the manual's example makes of `data=12345`.
const EXAMPLE: &str = "GET /1.php?data=12345 HTTP/1.1\r\nAccept:text/html\r\nHost: test.usr.cn\r\nConnection: keep-alive\r\n\r\n";

fn factory() -> Config {
    Config { mode: WorkingMode::Httpd, heartbeat_interval: 0, ..Config::default() }
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
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

#[test]
fn manual_2_1_3_a_get_request_brings_the_answer_to_the_serial_line() {
    let mut dev = begun(factory());
    dev.serial("data=12345\r\n").wait(99).channel_sends_nothing(SERVER);
    dev.wait(200).channel_sends(SERVER, EXAMPLE).prints_nothing();
    dev.channel_data(SERVER, answer("[12345]")).prints("[12345]");
    let connect = &dev.peer(SERVER).connects[0];
    assert_eq!((connect.address.as_str(), connect.port, connect.tls), ("test.usr.cn", 80, false));
}

#[test]
fn manual_2_1_3_a_post_request_carries_the_frame_as_it_is() {
    let mut dev = device(|config| config.httpd.method = Method::Post);
    let frame: Vec<u8> = (0..=255).chain(*b"\r\n").collect();
    dev.serial(&frame).wait(200);
    let head = "POST /1.php? HTTP/1.1\r\nAccept:text/html\r\nHost: test.usr.cn\r\nContent-Length: 258\r\n\
                Connection: keep-alive\r\n\r\n";
    dev.channel_sends(SERVER, [head.as_bytes(), &frame].concat());
    dev.channel_data(SERVER, "HTTP/1.1 200 OK\r\ncontent-length:3\r\n\r\n\0\u{1}\u{7f}")
        .prints("\0\u{1}\u{7f}");
}
