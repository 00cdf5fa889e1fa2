//! Restarts, recovery, the set-up window and what waits for them.

use super::*;

const STEP: u64 = 15 * 60_000;

/// The modem is reset first, however the last trouble ended.
#[test]
fn a_link_that_was_up_begins_recovery_anew() {
    let mut dev = up(Config {
        restart_time: 0,
        ..one_link()
    });
    for resets in 1..=2 {
        dev.net(LINK1, Net::Refused)
            .breaks(LINK1, CloseReason::Reset);
        dev.wait(STEP + 1000);
        assert_eq!((dev.modem.resets, dev.power.len()), (resets, 0));
        dev.net(LINK1, Net::Good).wait(300_000);
        assert_eq!(dev.dtu.status(dev.now).links[0].state, LinkState::Connected);
    }
}

#[test]
fn without_recovery_a_link_that_is_down_resets_nothing() {
    let mut config = one_link();
    config.restart_time = 0;
    let off = Options {
        recovery: false,
        ..options(|_| ())
    };
    let mut dev = Bench::with(config, off);
    dev.net(LINK1, Net::Refused).at(100);
    dev.breaks(LINK1, CloseReason::Reset).wait(8 * STEP);
    assert_eq!((dev.modem.resets, dev.power.len()), (0, 0));
}

/// It is waited for 2 s at most; here it leaves after 10 ms.
#[test]
fn ciapply_from_a_link_is_carried_out_when_its_reply_has_left() {
    let mut dev = up(gated());
    dev.at(1000)
        .network(LINK1, "12345,AT+CIPSCONT=1,\"TCP\",\"other\",9,1;+CIAPPLY")
        .wait(1);
    assert_eq!(dev.peer(LINK1).closes, 1, "at once");
    dev.wait(5000);
    assert_eq!(dev.peer(LINK1).connects[1].1.address, "other");
}

/// `ATW` waits for the disk when the window is over: the mode begins behind the answer.
#[test]
fn a_command_that_is_being_answered_prolongs_the_window() {
    let mut dev = Bench::with(one_link(), window(3));
    dev.store.answers = false;
    dev.at(2900).serial("ATW\r");
    dev.at(3500);
    let started = |dev: &Bench| dev.events.contains(&Event::ModeStarted);
    assert!(!started(&dev), "ATW is not answered yet");
    dev.input(Input::Store(StoreInput::Saved)).wait(10);
    assert!(started(&dev));
}

/// RTIME counts from when the peer is heard again, and not from when the last byte came.
#[test]
fn rtime_begins_anew_when_the_line_takes_what_waits() {
    let mut config = one_link();
    config.restart_time = 600;
    let mut dev = up(config);
    dev.dte_stops();
    for _ in 0..16 {
        dev.network(LINK1, [b'x'; 1024]);
    }
    assert!(!dev.dtu.wants_socket(LINK1));
    dev.wait(500_000).dte_reads_on();
    assert!(dev.dtu.wants_socket(LINK1));
    dev.wait(599_900);
    assert!(dev.power.is_empty());
    dev.wait(200);
    assert_eq!(dev.power, [Power::Restarted]);
}

#[test]
fn a_link_that_waits_to_try_again_waits_for_the_network_once_that_is_lost() {
    let mut dev = up(one_link());
    dev.net(LINK1, Net::Refused)
        .breaks(LINK1, CloseReason::Reset);
    dev.wait(1000);
    let state = |dev: &Bench| dev.dtu.status(dev.now).links[0].state;
    assert_eq!(state(&dev), LinkState::Waiting(WaitingFor::Retry));
    dev.input(Input::Modem(&ModemInput::Detached));
    assert_eq!(state(&dev), LinkState::Waiting(WaitingFor::Network));
}

/// The reply leaves while another command waits for the disk: what that has set is not applied half.
#[test]
fn ciapply_from_a_link_waits_for_a_command_that_is_being_answered() {
    let mut dev = up(gated());
    dev.net(LINK1, Net::Stuck);
    dev.at(1000)
        .network(LINK1, "12345,AT+CIPSCONT=1,\"TCP\",\"other\",9,1;+CIAPPLY");
    dev.store.answers = false;
    dev.console_line("AT&W");
    dev.input(Input::Socket(LINK1.into(), SocketInput::Sent))
        .wait(1000);
    assert_eq!(dev.peer(LINK1).closes, 0);
    dev.input(Input::Store(StoreInput::Saved)).wait(10);
    assert_eq!(dev.peer(LINK1).closes, 1);
}

/// Where packets vanish it is in an attempt half of the time.
#[test]
fn a_link_that_attempts_is_down() {
    let mut states = Vec::new();
    for number in 0..6 {
        let mut dev = up(Config {
            restart_time: 0,
            ..one_link()
        });
        dev.net(LINK1, Net::Refused)
            .breaks(LINK1, CloseReason::Reset);
        let refused = 20_000 * number;
        dev.wait(refused).net(LINK1, Net::BlackHole);
        dev.wait(STEP - refused - 10);
        states.push(dev.dtu.status(dev.now).links[0].state);
        assert_eq!(dev.modem.resets, 0);
        dev.wait(20);
        assert_eq!(dev.modem.resets, 1);
    }
    assert!(states.contains(&LinkState::Connecting), "{states:?}");
}
