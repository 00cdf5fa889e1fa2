//! What somebody who watches the device is told beside its outputs.
#![allow(missing_docs)]

use dtu_proto::config::{Config, Options};
use dtu_proto::event::{CloseReason, SocketId};
use dtu_proto::seen::{Cut, Seen, Sent, ShownCommand, Written};
use dtu_proto::shown_answer;
use dtu_proto::status::LinkTimer;
use dtu_proto::testing::{Bench, LINK1, LINK2, Net, one_link};
use dtu_proto::time::Duration;

fn watched(change: impl FnOnce(&mut Config)) -> Bench {
    let mut config = one_link();
    change(&mut config);
    let mut dev = Bench::new(config);
    dev.dtu.watch();
    dev.at(1000).printed();
    dev
}

fn seen(dev: &mut Bench) -> Vec<Seen> {
    std::iter::from_fn(|| dev.dtu.poll_seen()).collect()
}

fn frame(bytes: &'static [u8], cut: Cut) -> Seen {
    Seen::Frame {
        bytes: bytes.into(),
        cut,
    }
}

fn command(text: &str, len: usize, secret: bool) -> Seen {
    Seen::Command(ShownCommand {
        text: text.into(),
        len,
        secret,
    })
}

#[test]
fn each_frame_says_why_it_was_cut() {
    let mut dev = watched(|_| ());
    dev.serial("42 ").wait(50).serial("kWh").wait(100);
    assert_eq!(seen(&mut dev), [frame(b"42 kWh", Cut::Silence)]);
    dev.serial([7; 1030]).wait(100);
    assert_eq!(
        seen(&mut dev),
        [frame(&[7; 1024], Cut::Size), frame(&[7; 6], Cut::Silence)]
    );
    dev.serial("cut short").escape();
    assert_eq!(seen(&mut dev), [frame(b"cut short", Cut::Silence)]);
    let mut dev = watched(|config| config.packing_time = 0);
    dev.serial("a").serial("b");
    assert_eq!(
        seen(&mut dev),
        [frame(b"a", Cut::Read), frame(b"b", Cut::Read)]
    );
}

#[test]
fn frames_of_the_set_up_window_and_of_a_mode_that_ends_say_so() {
    let mut dev = Bench::with(
        one_link(),
        Options {
            setup_window: Duration::from_secs(5),
            ..Options::default()
        },
    );
    dev.dtu.watch();
    dev.at(1000).serial("early").at(6000);
    assert_eq!(seen(&mut dev), [frame(b"early", Cut::Window)]);
    dev.serial("last").console_line("AT+CIRESET").wait(1);
    assert!(seen(&mut dev).contains(&frame(b"last", Cut::Mode)));
}

#[test]
fn commands_are_whole_lines_without_their_secrets_however_they_come() {
    let mut dev = watched(|config| (config.serial_at, config.network_at) = (true, true));
    dev.escape();
    for byte in b"AT+CIPSW=\"abcde\"\r" {
        dev.serial([*byte]);
    }
    dev.serial("AT+CIPR?\r");
    assert_eq!(
        seen(&mut dev),
        [
            command("AT+CIPSW=****", 16, true),
            command("AT+CIPR?", 8, false)
        ]
    );
    dev.serial("AT+ENTM\r").wait(100);
    seen(&mut dev);
    dev.serial("abcde,AT+CIPSW=admin\r\n").wait(100);
    dev.serial("wrong,AT+CIPR?").wait(100);
    dev.serial("no,Attention").wait(100);
    assert_eq!(
        seen(&mut dev),
        [
            command("****,AT+CIPSW=****", 22, true),
            command("****,AT+CIPR?", 14, false),
            frame(b"no,Attention", Cut::Silence)
        ]
    );
    let read = |read: &[u8]| {
        dev.dtu
            .shown_read(LINK1.into(), read)
            .map(|shown| shown.text)
    };
    assert_eq!(read(b"admin,AT+CSQ").unwrap(), b"****,AT+CSQ");
    assert_eq!(read(b"payload"), None);
}

#[test]
fn with_its_gate_shut_what_looks_like_a_command_is_payload() {
    let mut dev = watched(|_| ());
    dev.serial("admin,AT+CSQ").wait(100);
    assert_eq!(seen(&mut dev), [frame(b"admin,AT+CSQ", Cut::Silence)]);
    assert_eq!(dev.dtu.shown_read(LINK1.into(), b"admin,AT+CSQ"), None);
}

#[test]
fn a_send_says_what_it_is() {
    let mut dev = watched(|config| {
        config.registration = b"REG".to_vec();
        config.heartbeat = b"beat".to_vec();
        config.heartbeat_interval = 10;
        config.network_at = true;
    });
    let link = SocketId::Link(LINK1);
    assert_eq!(dev.dtu.sending(link), Some(Sent::Registration));
    dev.serial("x").wait(300);
    assert_eq!(dev.dtu.sending(link), Some(Sent::Frame { again: false }));
    dev.wait(11_000);
    assert_eq!(dev.dtu.sending(link), Some(Sent::Heartbeat));
    dev.network(LINK1, "admin,AT+CSQ");
    assert_eq!(dev.dtu.sending(link), Some(Sent::Reply));
    dev.net(LINK1, Net::BlackHole).serial("y").wait(200);
    dev.net(LINK1, Net::Good)
        .breaks(LINK1, CloseReason::Reset)
        .wait(5000);
    assert_eq!(dev.dtu.sending(link), Some(Sent::Frame { again: true }));
    assert_eq!(dev.dtu.sending(SocketId::Httpd), None);
}

#[test]
fn a_write_says_whose_it_is() {
    let mut dev = watched(|_| ());
    dev.dte_stops();
    dev.network(LINK1, "data");
    assert_eq!(dev.dtu.writing(), Some(Written::Data));
}

#[test]
fn an_answer_is_shown_without_the_secret_in_it() {
    assert_eq!(
        shown_answer("+CSTT: \"cmnet\", \"me\", \"secret\"").as_deref(),
        Some("+CSTT: \"cmnet\",\"me\",****")
    );
    assert_eq!(
        shown_answer("+HTPHD:\"Authorization: Basic eA==\"").as_deref(),
        Some("+HTPHD: ****")
    );
    for plain in [
        "OK",
        "",
        "+CIPR:115200",
        "+CSTT: \"cmnet\", \"\", \"\"",
        "+CSQ: 20,99",
    ] {
        assert_eq!(shown_answer(plain), None, "{plain}");
    }
}

#[test]
fn nobody_who_does_not_watch_makes_it_keep_anything() {
    let mut dev = Bench::new(one_link());
    dev.at(1000).serial("x").wait(100);
    assert_eq!(seen(&mut dev), []);
}

#[test]
fn a_link_tells_what_it_does_next_and_when() {
    let mut dev = watched(|config| {
        config.heartbeat = b"beat".to_vec();
        config.heartbeat_interval = 30;
    });
    let next = |dev: &Bench| dev.dtu.link_timer(LINK1, dev.now);
    let (timer, left) = next(&dev).unwrap();
    assert_eq!(timer, LinkTimer::Heartbeat);
    assert!(
        left > Duration::from_secs(28) && left <= Duration::from_secs(30),
        "{left:?}"
    );
    dev.net(LINK1, Net::Refused)
        .breaks(LINK1, CloseReason::Reset);
    assert_eq!(next(&dev).unwrap().0, LinkTimer::Retry);
    dev.net(LINK1, Net::BlackHole).wait(2000);
    assert_eq!(next(&dev).unwrap().0, LinkTimer::Attempt);
    assert_eq!(dev.dtu.link_timer(LINK2, dev.now), None);
}

#[test]
fn the_text_of_a_prompt_is_seen_as_what_it_is() {
    let mut dev = Bench::with_modem(one_link());
    dev.dtu.watch();
    dev.at(1000).printed();
    dev.escape()
        .command("AT+CMGF=1", "\r\nOK\r\n")
        .command("AT+CMGS=\"10086\"", "\r\n> ");
    seen(&mut dev);
    dev.serial("hi\x1A").network_takes(&[("10086", "hi")]);
    assert_eq!(seen(&mut dev), [Seen::Text((&b"hi"[..]).into())]);
}

#[test]
fn a_link_that_the_host_has_not_closed_yet_does_nothing_by_itself() {
    let mut dev = watched(|_| ());
    dev.late_closes = true;
    dev.console_line("AT+CIPSCONT=1,\"TCP\",\"other\",9,1;+CIAPPLY")
        .wait(10);
    assert_eq!(dev.dtu.link_timer(LINK1, dev.now), None);
    dev.closed(LINK1);
    assert!(matches!(
        dev.dtu.link_timer(LINK1, dev.now),
        Some((LinkTimer::Retry, _))
    ));
}
