//! What the device tells a log: who commanded it, and what was dropped (decisions 16.23).
#![allow(missing_docs)]

use dtu_proto::config::{Config, LinkOptions, Options};
use dtu_proto::drops::DropPlace;
use dtu_proto::event::{Event, Input, Lost, Origin, SocketId};
use dtu_proto::testing::{Bench, LINK1, Net, one_link};
use dtu_proto::time::Duration;

fn gated() -> Config {
    let mut config = one_link();
    (config.network_at, config.serial_at) = (true, true);
    config.password = "gehem".into();
    config
}

/// The commands that were told since the last look: who, what, and why not.
fn told(dev: &mut Bench) -> Vec<(Origin, String, Option<String>)> {
    let commands = dev.events.drain(..).filter_map(|event| {
        let Event::Command {
            origin,
            line,
            outcome,
        } = event
        else {
            return None;
        };
        Some((origin, line, outcome.err()))
    });
    commands.collect()
}

#[test]
fn k8_a_command_of_every_door_but_the_line_itself_is_told_with_who_what_and_the_result() {
    let mut dev = Bench::new(gated());
    dev.at(500).network(LINK1, "gehem,AT+CIPSW=abcde").wait(10);
    assert_eq!(
        told(&mut dev),
        [(Origin::Link(LINK1), "AT+CIPSW=****".to_owned(), None)]
    );
    dev.serial("abcde,AT+CIPR=7").wait(200);
    let refused = told(&mut dev);
    assert_eq!(
        (refused[0].0, refused[0].1.as_str()),
        (Origin::SerialFrame, "AT+CIPR=7")
    );
    assert!(
        refused[0].2.as_deref().unwrap().starts_with("CIPR: "),
        "{refused:?}"
    );
    dev.input(Input::Console("AT+CSQ;+CIPSW=abcdefgh"));
    let [(Origin::Console, line, Some(why))] = &told(&mut dev)[..] else {
        panic!("one refusal")
    };
    assert_eq!(line, "AT+CSQ;+CIPSW=****");
    assert!(!why.contains("abcd"), "{why}");
    // What waits for the disk is told when it is done; what comes meanwhile is refused, and told so.
    dev.store.answers = false;
    dev.input(Input::Console("AT&W"));
    assert_eq!(told(&mut dev), []);
    dev.network(LINK1, "abcde,AT+CIVER?");
    let busy = told(&mut dev);
    assert!(
        busy[0].2.as_deref().unwrap().starts_with("busy"),
        "{busy:?}"
    );
    dev.store.answers = true;
    dev.wait(11_000);
    let late = told(&mut dev);
    assert_eq!((late[0].0, late[0].1.as_str()), (Origin::Console, "AT&W"));
    assert!(late[0].2.as_deref().unwrap().contains("store"), "{late:?}");
    // The DTE knows what it types.
    dev.printed();
    dev.escape()
        .command("AT+CIPR?", "\r\n+CIPR: 115200\r\n\r\nOK\r\n");
    assert_eq!(told(&mut dev), []);
}

#[test]
fn k3_every_drop_has_a_place_in_the_list_for_logs() {
    let options = Options {
        links: std::array::from_fn(|_| LinkOptions {
            cache: 1024,
            ..LinkOptions::default()
        }),
        ..Options::default()
    };
    let options = Options {
        setup_window: Duration::ZERO,
        ..options
    };
    let mut dev = Bench::with(one_link(), options);
    dev.net(LINK1, Net::Refused);
    for number in 0..20 {
        dev.serial(format!("{number:0100}")).wait(200);
    }
    let drops = dev.dtu.drops();
    let counters = dev.dtu.status(dev.now).links[0].counters;
    assert!(counters.dropped_frames > 0);
    let of_link = drops[DropPlace::Link(LINK1).index()];
    assert_eq!(
        (of_link.count, of_link.bytes),
        (counters.dropped_frames, counters.dropped_bytes)
    );
    dev.input(Input::Lost(Lost::Overrun(7)));
    dev.input(Input::Lost(Lost::Datagrams(SocketId::Link(LINK1), 9)));
    let drops = dev.dtu.drops();
    assert_eq!(drops[DropPlace::SerialOverrun.index()].count, 7);
    assert_eq!(drops[DropPlace::LinkDatagrams(LINK1).index()].count, 9);
    for (index, dropped) in drops.iter().enumerate() {
        assert_eq!(
            dropped.place.index(),
            index,
            "each place has one of its own"
        );
    }
}

/// K9: the number of an error says nothing to a person.
#[test]
fn k9_a_reason_is_words() {
    let reason = dtu_proto::event::CloseReason::Os(71).to_string();
    assert_eq!(reason, "an error of the system");
}
