//! `psw,AT+` frames and reads, passwords, the console.

use super::*;

#[test]
fn replies_to_command_frames_are_bounded_while_the_dte_does_not_read() {
    let mut dev = up(gated());
    dev.dte_stops();
    for _ in 0..500 {
        dev.serial("gehei,AT+CIPSCONT?").wait(100);
    }
    let serial = dev.dtu.status(dev.now).serial;
    assert!(
        serial.waiting < 40_000 && serial.counters.dropped_replies > 0 && dev.dtu.wants_serial(),
        "{serial:?}"
    );
}

#[test]
fn manual_2_8_3_a_command_frame_on_the_serial_line() {
    let mut dev = up(gated());
    dev.at(1000)
        .serial("gehei,AT+CIPR?")
        .at(1100)
        .prints("\r\n+CIPR: 115200\r\n\r\nOK\r\n")
        .sends_nothing(LINK1);
}

#[test]
fn manual_2_8_6_39_with_the_gate_shut_it_is_data() {
    let mut config = gated();
    config.serial_at = false;
    let mut dev = up(config);
    dev.at(1000)
        .serial("gehei,AT+CIPR?")
        .at(1100)
        .prints_nothing()
        .sends(LINK1, "gehei,AT+CIPR?");
}

#[test]
fn manual_2_8_4_a_command_from_a_link_is_answered_there_only() {
    let mut config = gated();
    config.links[1].enabled = true;
    let mut dev = up(config);
    dev.at(1000)
        .network(LINK2, "gehei,AT+CIPR?\r\n")
        .prints_nothing()
        .sends_nothing(LINK1);
    dev.sends(LINK2, "\r\n+CIPR: 115200\r\n\r\nOK\r\n");
}

#[test]
fn manual_2_8_6_38_split_or_followed_by_data_it_is_data() {
    let mut dev = up(gated());
    dev.at(1000)
        .network(LINK1, "gehei,")
        .network(LINK1, "AT+CIPR?")
        .prints("gehei,AT+CIPR?");
    dev.network(LINK1, "gehei,AT+CIPR?\r\nx")
        .prints("gehei,AT+CIPR?\r\nx")
        .sends_nothing(LINK1);
    let mut config = gated();
    config.network_at = false;
    up(config)
        .network(LINK1, "gehei,AT+CIPR?")
        .prints("gehei,AT+CIPR?");
}

#[test]
fn five_wrong_passwords_shut_one_door_only() {
    let mut config = gated();
    config.links[1].enabled = true;
    let mut dev = up(config);
    for _ in 0..5 {
        dev.network(LINK1, "wrong,AT+CIPR?")
            .prints("wrong,AT+CIPR?");
    }
    assert!(
        dev.events
            .contains(&Event::OriginLocked(Origin::Link(LINK1)))
    );
    dev.network(LINK1, "gehei,AT")
        .prints_nothing()
        .sends_nothing(LINK1)
        .network(LINK2, "gehei,AT")
        .sends(LINK2, OK);
    dev.wait(300_000)
        .network(LINK1, "gehei,AT")
        .sends(LINK1, OK);
}

/// Decisions 16.20.
#[test]
fn k5_with_the_factory_password_the_network_may_query_but_not_set() {
    let mut config = gated();
    config.password = "admin".into();
    let mut dev = up(config.clone());
    dev.network(LINK1, "admin,AT+CIPR?")
        .sends(LINK1, "\r\n+CIPR: 115200\r\n\r\nOK\r\n");
    dev.network(LINK1, "admin,AT+CIPR=9600")
        .network(LINK1, "admin,AT+CIRESET")
        .wait(5000);
    assert_eq!((dev.dtu.config().line.baud, dev.power.len()), (115_200, 0));
    let mut options = Options {
        setup_window: Duration::ZERO,
        ..Options::default()
    };
    options.factory_password = FactoryPassword::Full;
    let mut full = Bench::with(config.clone(), options.clone());
    full.at(500)
        .network(LINK1, "admin,AT+CIPR=9600")
        .sends(LINK1, OK);
    options.factory_password = FactoryPassword::Off;
    let mut off = Bench::with(config, options);
    off.at(500)
        .prints(BANNER)
        .network(LINK1, "admin,AT")
        .prints("admin,AT");
}

/// Until decisions 16.20 the network could set the first password, and two texts took a device over.
#[test]
fn k5_the_factory_password_is_replaced_at_the_serial_line_only() {
    let mut config = gated();
    config.password = "admin".into();
    let mut dev = up(config.clone());
    dev.network(LINK1, "admin,AT+CIPSW=n3w").sends(
        LINK1,
        "\r\n+CME ERROR: CIPSW: factory password: set a new one at the serial line first (AT+CIPSW)\r\n",
    );
    dev.network(LINK1, "n3w,AT+CIPR=9600")
        .prints("n3w,AT+CIPR=9600");
    assert_eq!(*dev.dtu.config(), config);
    // A frame of the line is at the line.
    dev.serial("admin,AT+CIPSW=n3w").wait(200).prints(OK);
    dev.network(LINK1, "n3w,AT+CIPR=9600")
        .sends(LINK1, OK)
        .network(LINK1, "admin,AT")
        .prints("admin,AT");
}

#[test]
fn the_console_is_a_door() {
    let mut dev = up(one_link());
    dev.input(Input::Console("AT+CIPR?")).prints_nothing();
    assert_eq!(dev.console, ["\r\n+CIPR: 115200\r\n\r\nOK\r\n"]);
}

#[test]
fn small_caches_and_many_commands_leave_no_door_open() {
    let mut options = Options {
        setup_window: Duration::ZERO,
        ..Options::default()
    };
    options.links[0] = LinkOptions {
        cache: 4096,
        ..LinkOptions::default()
    };
    let mut dev = Bench::with(gated(), options);
    dev.net(LINK1, Net::Stuck);
    dev.at(500).lose(LINK1, CloseReason::Reset, 0).wait(2000);
    for _ in 0..20 {
        dev.network(LINK1, "gehei,AT+CIPR?");
    }
    assert!(dev.dtu.status(dev.now).links[0].counters.dropped_replies > 0);
}
