//! Storing, restarting, stopping.

use super::*;

#[test]
fn manual_2_8_6_29_atw_answers_when_the_store_has_answered() {
    let mut dev = up(one_link());
    dev.escape().command("AT+CIPNUM=123", OK).command("ATW", OK);
    assert!(dev.store.saved[0].contains("123"));
    dev.store.works = false;
    dev.serial("ATW\r");
    let answer = dev.printed();
    assert!(
        answer.contains("+CME ERROR") && answer.contains("no space left"),
        "{answer}"
    );
    dev.command("AT", OK);
}

#[test]
fn commands_behind_atw_wait_for_it() {
    let mut dev = up(one_link());
    dev.escape().serial("ATW;+CIPR?\rAT+CINETAT?\r");
    dev.prints("\r\n+CIPR: 115200\r\n\r\nOK\r\n\r\n+CINETAT:0\r\n\r\nOK\r\n");
}

#[test]
fn manual_2_8_6_50_what_was_not_stored_is_gone_after_cireset() {
    let mut dev = up(one_link());
    dev.escape()
        .command("AT+CIPNUM=123", OK)
        .command("ATW", OK)
        .command("AT+CIPNUM=456", OK);
    dev.serial("AT+CIRESET\r")
        .wait(10)
        .prints(format!("{OK}{BANNER}"));
    assert_eq!(dev.power, [Power::Restarted]);
    assert_eq!(dev.peer(LINK1).closes, 1);
    dev.wait(1000)
        .escape()
        .command("AT+CIPNUM?", "\r\n+CIPNUM: 123\r\n\r\nOK\r\n");
}

#[test]
fn manual_2_8_6_41_cireload_stores_the_factory_set_and_restarts() {
    let mut dev = up(one_link());
    dev.escape()
        .command("AT+CIMODID=mine", OK)
        .serial("AT+CIRELOAD\r")
        .wait(10)
        .prints(format!("{OK}{BANNER}"));
    assert_eq!(*dev.dtu.config(), Config::default());
    assert!(dev.events.contains(&Event::PowerOn(RestartReason::Factory)));
}

#[test]
fn a_restart_loses_no_frame() {
    let mut dev = up(gated());
    dev.net(LINK1, Net::Unacked);
    dev.at(1000)
        .serial("one")
        .at(1100)
        .sends(LINK1, "one")
        .serial("half")
        .network(LINK1, "gehei,AT+CIRESET");
    dev.sends(LINK1, OK);
    dev.at(1300).serial("window").at(2000).sends(LINK1, "half");
    dev.sends(LINK1, "one")
        .sends(LINK1, "half")
        .sends(LINK1, "window")
        .sends_nothing(LINK1);
}

#[test]
fn a_restart_does_not_wait_for_a_dte_that_never_reads() {
    let mut dev = up(gated());
    dev.dte_stops();
    dev.network(LINK1, "unread")
        .network(LINK1, "gehei,AT+CIRESET")
        .wait(2001);
    assert_eq!(dev.power, [Power::Restarted]);
}

#[test]
fn manual_2_8_6_51_cishutdown_restarts_or_stops() {
    let mut dev = up(one_link());
    dev.escape().serial("AT+CISHUTDOWN\r").wait(10);
    assert_eq!(dev.power, [Power::Restarted]);
    let options = Options {
        setup_window: Duration::ZERO,
        shutdown: Shutdown::Stop,
        ..Options::default()
    };
    let mut dev = Bench::with(one_link(), options);
    dev.at(500)
        .prints(BANNER)
        .escape()
        .serial("AT+CISHUTDOWN\r")
        .wait(10)
        .prints(OK);
    assert_eq!(
        (dev.power.as_slice(), dev.peer(LINK1).closes),
        (&[Power::Stop][..], 1)
    );
}

#[test]
fn a_clean_stop_keeps_what_is_not_delivered() {
    let mut dev = up(one_link());
    dev.net(LINK1, Net::Unacked);
    dev.at(1000)
        .serial("one")
        .at(1100)
        .serial("half")
        .input(Input::Shutdown);
    assert_eq!(dev.power, [Power::Stop]);
    let kept: Vec<_> = dev
        .dtu
        .undelivered(LINK1)
        .map(|(_, frame)| frame.clone())
        .collect();
    assert_eq!(kept, ["one", "half"]);
}

#[test]
fn ciapply_leaves_a_link_alone_whose_settings_did_not_change() {
    let mut config = one_link();
    config.links[1].enabled = true;
    let mut dev = up(config);
    dev.escape()
        .command("AT+CIPSCONT=2,\"TCP\",\"other\",99,1", OK)
        .command("AT+CIAPPLY", OK)
        .wait(200);
    assert_eq!((dev.peer(LINK1).closes, dev.peer(LINK2).closes), (0, 1));
    assert_eq!(dev.peer(LINK2).connects.last().map(|c| c.1.port), Some(99));
}

#[test]
fn a_link_that_is_switched_off_counts_what_waited() {
    let mut dev = up(one_link());
    dev.net(LINK1, Net::Refused);
    dev.lose(LINK1, CloseReason::Reset, 0)
        .wait(300)
        .serial("lost")
        .wait(100);
    dev.escape()
        .command("AT+CIPSCONT=1,\"TCP\",\"h\",9,0", OK)
        .command("AT+CIAPPLY", OK);
    assert_eq!(dev.dtu.status(dev.now).links[0].counters.dropped_bytes, 4);
}

#[test]
fn a_missing_serial_line_is_a_state() {
    let mut dev = up(one_link());
    dev.input(Input::Serial(SerialInput::Gone))
        .network(LINK1, "x");
    assert!(!dev.dtu.status(dev.now).serial.present);
    assert!(dev.events.contains(&Event::SerialPresent(false)));
}
