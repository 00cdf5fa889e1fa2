//! Settings on trial: `AT+CIAPPLY=<s>`, `AT+CIKEEP` (commit-confirm). Manual: none; own.

use dtu_proto::config::Config;
use dtu_proto::event::{Event, Input, RestartReason, StoreInput, TrialEvent};
use dtu_proto::testing::{Bench, LINK1, Net, one_link};

const OK: &str = "\r\nOK\r\n";
const MOVE: &str = "AT+CIPSCONT=1,\"TCP\",\"new.example.com\",9,1";

/// In the command state.
fn commanded() -> Bench {
    let mut dev = Bench::new(one_link());
    dev.at(1000).prints("\r\nUSR-GPRS232-DTU\r\n");
    dev.escape();
    dev
}

fn address(dev: &Bench) -> &str {
    &dev.dtu.config().links[0].address
}

fn trials(dev: &Bench) -> Vec<TrialEvent> {
    let trial = |event: &Event| {
        if let Event::Trial(trial) = event {
            Some(*trial)
        } else {
            None
        }
    };
    dev.events.iter().filter_map(trial).collect()
}

#[test]
fn without_a_keep_the_old_settings_come_back_by_themselves() {
    let mut dev = commanded();
    dev.command(MOVE, OK).command("AT+CIAPPLY=10", OK);
    assert_eq!(address(&dev), "new.example.com");
    dev.command("AT+CIAPPLY?", "\r\n+CIAPPLY: 10,1,\"serial\"\r\n\r\nOK\r\n");
    dev.wait(9_999);
    assert_eq!(address(&dev), "new.example.com");
    dev.wait(1);
    assert_eq!(address(&dev), "usrcn.gicp.net");
    assert_eq!(trials(&dev).last(), Some(&TrialEvent::Expired));
    dev.command("AT+CIAPPLY?", "\r\n+CIAPPLY: 0\r\n\r\nOK\r\n");
    // The link is the old one again.
    dev.command("AT+ENTM", OK).serial("meter").wait(100);
    dev.sends(LINK1, "meter");
}

#[test]
fn a_keep_stores_them_and_they_stay() {
    let mut dev = commanded();
    dev.command(MOVE, OK).command("AT+CIAPPLY=10", OK);
    dev.wait(5000).command("AT+CIKEEP", OK);
    assert_eq!(trials(&dev).last(), Some(&TrialEvent::Kept));
    dev.wait(60_000).serial("AT+CIRESET\r").wait(5000);
    assert_eq!(address(&dev), "new.example.com", "it was stored");
}

/// A power cut, a kill: nothing was stored, so the old settings are what the device starts with.
#[test]
fn a_restart_amid_a_trial_brings_the_old_settings() {
    let mut dev = commanded();
    dev.command(MOVE, OK).command("AT+CIAPPLY=600", OK);
    dev.serial("AT+CIRESET\r").wait(5000);
    assert_eq!(address(&dev), "usrcn.gicp.net");
    assert_eq!(trials(&dev).last(), Some(&TrialEvent::Restarted));
    assert!(dev.events.contains(&Event::PowerOn(RestartReason::Command)));
}

#[test]
fn a_trial_is_ended_at_once_or_prolonged() {
    let mut dev = commanded();
    dev.command(MOVE, OK).command("AT+CIAPPLY=10", OK);
    dev.wait(9000).command("AT+CIAPPLY=10", OK).wait(9000);
    assert_eq!(address(&dev), "new.example.com", "it was prolonged");
    dev.command("AT+CIKEEP=0", OK);
    assert_eq!(address(&dev), "usrcn.gicp.net");
    assert_eq!(trials(&dev).last(), Some(&TrialEvent::Undone));
    let none = "\r\n+CME ERROR: CIKEEP: no settings are on trial; AT+CIAPPLY=<s> tries them\r\n";
    dev.command("AT+CIKEEP", none).command("AT+CIKEEP=0", none);
}

/// Who, and how many seconds are left. What programs on the line set for themselves is theirs.
#[test]
fn nothing_else_is_set_meanwhile() {
    let mut dev = commanded();
    dev.command(MOVE, OK).command("AT+CIAPPLY=60", OK).wait(500);
    let refused = |command: &str| {
        format!(
            "\r\n+CME ERROR: {command}: settings of serial are on trial, 60 s left; AT+CIKEEP stores them, \
             AT+CIKEEP=0 goes back\r\n"
        )
    };
    for (line, command) in [
        ("AT+CIPCFG=1,60,0,100,10,1800", "CIPCFG"),
        ("AT+CIMOD=1", "CIMOD"),
        ("AT+CIROLE=2,backup:1", "CIROLE"),
        ("AT+IPR=9600", "IPR"),
        ("ATW", "ATW"),
        ("AT&W", "AT&W"),
        ("AT+CIAPPLY", "CIAPPLY"),
    ] {
        dev.command(line, &refused(command));
    }
    assert_eq!(dev.dtu.config().heartbeat_interval, 0);
    dev.command("AT+CMGF=1", OK).command("ATV1", OK);
    dev.wait(60_000);
    assert_eq!(address(&dev), "usrcn.gicp.net");
}

/// Those of a program on the line, which would not know that its echo is gone.
#[test]
fn what_a_program_has_set_for_itself_stays() {
    let mut dev = commanded();
    dev.command("AT+CMEE=1", OK)
        .command(MOVE, OK)
        .command("AT+CIAPPLY=10", OK);
    dev.wait(10_000);
    assert_eq!(
        (address(&dev), dev.dtu.config().cmee),
        ("usrcn.gicp.net", 1)
    );
}

/// What was set and applied in front of the trial without being stored is what comes back, not what is stored.
#[test]
fn the_settings_applied_last_come_back() {
    let mut dev = commanded();
    dev.command("AT+CIPSCONT=1,\"TCP\",\"first.example.com\",9,1", OK)
        .command("AT+CIAPPLY", OK);
    dev.command(MOVE, OK)
        .command("AT+CIAPPLY=10", OK)
        .wait(10_000);
    assert_eq!(address(&dev), "first.example.com");
}

#[test]
fn a_disk_that_refuses_keeps_the_trial_going() {
    let mut dev = commanded();
    dev.command(MOVE, OK).command("AT+CIAPPLY=10", OK);
    dev.store.works = false;
    dev.command(
        "AT+CIKEEP",
        "\r\n+CME ERROR: CIKEEP: not stored: no space left on device\r\n",
    );
    dev.wait(10_000);
    assert_eq!(address(&dev), "usrcn.gicp.net");
}

/// The disk answers behind the end of the time: a keep that came in time counts.
#[test]
fn a_keep_that_waits_for_the_disk_is_in_time() {
    let mut dev = commanded();
    dev.command(MOVE, OK)
        .command("AT+CIAPPLY=10", OK)
        .wait(9000);
    dev.store.answers = false;
    dev.command("AT+CIKEEP", "").wait(3000);
    dev.input(Input::Store(StoreInput::Saved)).prints(OK);
    assert_eq!(address(&dev), "new.example.com");
    assert_eq!(trials(&dev).last(), Some(&TrialEvent::Kept));
}

/// Over the link that the new settings take away: its reply leaves, and the old server is there again in time.
#[test]
fn settings_that_cut_the_link_they_came_by_go_back() {
    let config = Config {
        network_at: true,
        password: "m7x3q".to_owned(),
        ..one_link()
    };
    let mut dev = Bench::new(config);
    dev.at(1000);
    dev.network(LINK1, format!("m7x3q,{MOVE};+CIAPPLY=30;+CIKEEP"));
    dev.sends(
        LINK1,
        "\r\n+CME ERROR: CIKEEP: no settings are on trial; AT+CIAPPLY=<s> tries them\r\n",
    );

    dev.net(LINK1, Net::Refused).wait(3000);
    assert_eq!(address(&dev), "new.example.com");
    dev.wait(27_000).net(LINK1, Net::Good).wait(40_000);
    assert_eq!(address(&dev), "usrcn.gicp.net");
    dev.network(LINK1, "m7x3q,AT+CIAPPLY?")
        .sends(LINK1, "\r\n+CIAPPLY: 0\r\n\r\nOK\r\n");
}

/// In the set-up window nothing has begun: the trial begins, and the window's end does not end it.
#[test]
fn a_trial_of_the_set_up_window_goes_back() {
    let mut dev = Bench::with(one_link(), dtu_proto::config::Options::default());
    dev.at(1000).take_printed();
    dev.command(MOVE, OK)
        .command("AT+CIAPPLY=10", OK)
        .wait(30_000);
    assert_eq!(address(&dev), "usrcn.gicp.net");
}

/// The same line could else store what is to be tried, before the trial has begun.
#[test]
fn nothing_is_stored_or_set_behind_the_trial_in_its_line() {
    let refused = |command: &str| {
        format!(
            "\r\n+CME ERROR: {command}: AT+CIAPPLY=<s> is the last of its line that sets or stores\r\n"
        )
    };
    for (behind, command) in [("W", "ATW"), ("+CIMOD=1", "CIMOD"), ("+CIAPPLY", "CIAPPLY")] {
        let mut dev = commanded();
        dev.command(&format!("{MOVE};+CIAPPLY=10;{behind}"), &refused(command));
        assert_eq!(address(&dev), "new.example.com", "the trial has begun");
        dev.wait(10_000);
        assert_eq!(address(&dev), "usrcn.gicp.net", "{behind}");
    }
    commanded().command(
        "AT+CIAPPLY=10;+CMGF=1;+CIMOD?",
        "\r\n+CIMOD: 0\r\n\r\nOK\r\n",
    );
}

/// Programs set these while a trial is under way, and would not know that they went back.
#[test]
fn what_programs_set_for_messages_and_calls_stays() {
    let mut dev = commanded();
    dev.command(MOVE, OK).command("AT+CIAPPLY=10", OK);
    dev.command("AT+CMGF=1", OK)
        .command("AT+CIRINGSTA=1", OK)
        .wait(10_000);
    assert_eq!(address(&dev), "usrcn.gicp.net");
    dev.command("AT+CMGF?", "\r\n+CMGF: 1\r\n\r\nOK\r\n");
    assert!(dev.dtu.config().refuse_calls);
}

/// `CIPCFG` keeps the device in the command state: what was set in the window is in force there.
#[test]
fn settings_of_the_window_come_back_where_no_mode_has_begun() {
    let config = Config {
        auto_mode: false,
        ..one_link()
    };
    let mut dev = Bench::with(config, dtu_proto::config::Options::default());
    dev.at(1000).take_printed();
    dev.command("AT+CIPSCONT=1,\"TCP\",\"window.example.com\",9,1", OK)
        .at(10_000);
    dev.command(MOVE, OK)
        .command("AT+CIAPPLY=10", OK)
        .wait(10_000);
    assert_eq!(address(&dev), "window.example.com");
}

/// The answer of the disk comes behind the error: what was refused does not stay on it.
#[test]
fn a_keep_that_was_told_an_error_is_not_stored() {
    let mut dev = commanded();
    dev.command(MOVE, OK).command("AT+CIAPPLY=60", OK);
    dev.store.answers = false;
    dev.serial("AT+CIKEEP\r").wait(10_000);
    dev.prints("\r\n+CME ERROR: CIKEEP: not stored: the store does not answer\r\n");
    assert!(
        dev.store
            .saved
            .last()
            .is_some_and(|text| text.contains("new.example.com"))
    );
    dev.input(Input::Store(StoreInput::Saved));
    assert_eq!(dev.store.saved.len(), 2);
    assert!(
        dev.store
            .saved
            .last()
            .is_some_and(|text| text.contains("usrcn.gicp.net"))
    );
    // Its answer is nobody's.
    dev.input(Input::Store(StoreInput::Saved)).prints_nothing();
    assert_eq!(dev.store.saved.len(), 2);
    dev.store.answers = true;
    dev.command("AT+CIKEEP", OK);
    assert!(
        dev.store
            .saved
            .last()
            .is_some_and(|text| text.contains("new.example.com"))
    );
}

/// Over a link that has not taken the reply yet.
#[test]
fn a_trial_that_has_not_begun_says_so() {
    let config = Config {
        network_at: true,
        password: "m7x3q".to_owned(),
        ..one_link()
    };
    let mut dev = Bench::new(config);
    dev.net(LINK1, Net::Stuck).at(1000);
    dev.network(LINK1, format!("m7x3q,{MOVE};+CIAPPLY=30"));
    dev.input(Input::Console("AT+CIKEEP"))
        .input(Input::Console("AT+CIMOD=1"));
    let expected = [
        "\r\n+CME ERROR: CIKEEP: the settings are not in force yet\r\n",
        "\r\n+CME ERROR: CIMOD: settings of link 1 are on trial, not in force yet; AT+CIKEEP stores them, \
         AT+CIKEEP=0 goes back\r\n",
    ];
    assert_eq!(dev.console, expected);
}
