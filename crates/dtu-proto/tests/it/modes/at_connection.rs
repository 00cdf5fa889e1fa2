//! The connection of the AT mode over a change of the mode.

use super::*;

const PROMPT: &str = "\r\n> ";

#[test]
fn ciapply_with_the_mode_unchanged_keeps_the_connection() {
    let mut dev = started(in_mode(WorkingMode::AtCommand));
    dev.command(OPEN, OPENED)
        .command("AT+CIPSCONT=2,UDP,host,9,1;+CIMOD=2;+CIAPPLY", OK)
        .wait(100);
    assert_eq!(dev.peer(AT).closes, 0);
    dev.network(AT, "still").prints("still");
}

#[test]
fn another_mode_and_a_restart_close_the_connection_without_a_word() {
    for (end, prints) in [
        ("AT+CIMOD=0;+CIAPPLY", OK.to_owned()),
        ("AT+CIRESET", format!("{OK}{BANNER}")),
    ] {
        let mut dev = started(in_mode(WorkingMode::AtCommand));
        dev.command(OPEN, OPENED)
            .command(end, &prints)
            .wait(1000)
            .prints_nothing();
        assert_eq!(dev.peer(AT).closes, 1, "{end}");
        dev.network(AT, "late").prints_nothing();
    }
}

#[test]
fn a_stop_waits_until_the_connection_is_closed() {
    let mut dev = started(in_mode(WorkingMode::AtCommand));
    dev.command(OPEN, OPENED);
    dev.dtu.handle_input(Input::Shutdown, dev.now);
    while let Some(output) = dev.dtu.poll_output() {
        assert!(
            !matches!(output, Output::Power(_)),
            "stopped before the connection is closed"
        );
    }
    dev.lose(AT, CloseReason::Local, 0);
    assert_eq!(dev.power, [Power::Stop]);
}

#[test]
fn ciopen_waits_for_the_end_of_the_connection_before_it() {
    let mut dev = started(in_mode(WorkingMode::AtCommand));
    dev.command(OPEN, OPENED);
    // The host is slow to say that it is closed.
    dev.dtu
        .handle_input(Input::Console("AT+CIMOD=0;+CIAPPLY"), dev.now);
    while dev.dtu.poll_output().is_some() {}
    dev.input(Input::Console("AT+CIMOD=2;+CIAPPLY"))
        .wait(10)
        .prints_nothing();
    dev.command(OPEN, OK);
    assert_eq!(dev.peer(AT).connects.len(), 1);
    dev.lose(AT, CloseReason::Local, 0)
        .prints("\r\nCONNECT OK\r\n");
    assert_eq!(dev.peer(AT).connects.len(), 2);
}

#[test]
fn what_was_to_be_opened_is_forgotten_with_its_mode() {
    let mut dev = started(in_mode(WorkingMode::AtCommand));
    dev.command(OPEN, OPENED);
    dev.dtu
        .handle_input(Input::Console("AT+CIMOD=0;+CIAPPLY"), dev.now);
    while dev.dtu.poll_output().is_some() {}
    dev.input(Input::Console("AT+CIMOD=2;+CIAPPLY"))
        .command(OPEN, OK);
    dev.input(Input::Console("AT+CIMOD=0;+CIAPPLY"))
        .lose(AT, CloseReason::Local, 0)
        .prints_nothing();
    assert_eq!(dev.peer(AT).connects.len(), 1);
}

#[test]
fn a_restart_amid_a_prompt_counts_what_was_typed_and_prints_what_waited() {
    let mut config = in_mode(WorkingMode::AtCommand);
    config.restart_time = 600;
    let mut dev = started(config);
    dev.command(OPEN, OPENED);
    // The clock is that of the DTE's last byte.
    dev.wait(590_000)
        .command("AT+CISEND=9", PROMPT)
        .serial("half");
    dev.network(AT, "answer").prints_nothing();
    dev.input(Input::Shutdown).wait(100).prints("answer");
    assert_eq!(dev.power, [Power::Stop]);

    let mut dev = started(in_mode(WorkingMode::AtCommand));
    dev.command(OPEN, OPENED)
        .command("AT+CISEND=9", PROMPT)
        .serial("half");
    switch_is_busy(&mut dev);
    dev.serial("whole")
        .sends(AT, "halfwhole")
        .prints("\r\nSEND OK\r\n");
}

fn switch_is_busy(dev: &mut Bench) {
    dev.input(Input::Console("AT+CIMOD=0;+CIAPPLY"));
    assert!(
        dev.console
            .pop()
            .is_some_and(|reply| reply.contains("busy"))
    );
}
