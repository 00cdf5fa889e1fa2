//! A call that the DTE makes, and its end.

use super::*;

#[test]
fn manual_2_8_6_6_a_call_tells_how_it_goes_behind_its_ok() {
    let mut dev = desk();
    dev.command("ATD10086;", OK);
    orders(&mut dev, &dialled());
    dev.command(
        "AT+CLCC",
        "\r\n+CLCC: 1,0,2,0,0,\"10086\",129\r\n\r\nOK\r\n",
    );
    call(&mut dev, CallNews::Alerting);
    // Decisions 10.5: the line has rested.
    dev.wait(499)
        .prints_nothing()
        .wait(1)
        .prints("\r\nRINGBACK\r\n");
    dev.command(
        "AT+CLCC",
        "\r\n+CLCC: 1,0,3,0,0,\"10086\",129\r\n\r\nOK\r\n",
    );
    dev.at(4000);
    call(&mut dev, CallNews::Alerting);
    call(&mut dev, CallNews::Answered);
    dev.prints("\r\nVOICE\r\n");
    dev.command(
        "AT+CLCC",
        "\r\n+CLCC: 1,0,0,0,0,\"10086\",129\r\n\r\nOK\r\n",
    );
    dev.at(600_000).prints_nothing();
    call(&mut dev, CallNews::Ended(CallEnd::HungUp));
    dev.prints("\r\nNO CARRIER\r\n").command("AT+CLCC", OK);
    orders(&mut dev, &[]);
}

#[test]
fn manual_2_8_6_6_a_fast_answer_waits_for_the_ok_to_be_read() {
    let mut dev = desk();
    dev.command("ATD10086;", OK);
    call(&mut dev, CallNews::Alerting);
    call(&mut dev, CallNews::Answered);
    dev.wait(499)
        .prints_nothing()
        .wait(1)
        .prints("\r\nRINGBACK\r\n");
    dev.wait(99)
        .prints_nothing()
        .wait(1)
        .prints("\r\nVOICE\r\n");
}

#[test]
fn a_call_that_fails_says_why() {
    for (end, text) in [
        (CallEnd::Busy, "\r\nBUSY\r\n"),
        (CallEnd::NoAnswer, "\r\nNO ANSWER\r\n"),
        (CallEnd::NoCarrier, "\r\nNO CARRIER\r\n"),
        (CallEnd::HungUp, "\r\nNO CARRIER\r\n"),
    ] {
        let mut dev = desk();
        dev.command("ATD10086;", OK).at(2000);
        call(&mut dev, CallNews::Ended(end));
        dev.prints(text);
        assert!(dev.events.contains(&Event::Call(CallEvent::Ended(end))));
        dev.command("ATD10086;", OK);
        assert_eq!(ordered(&mut dev).len(), 2);
    }
}

#[test]
fn results_are_digits_or_nothing_where_the_dte_wants_that() {
    let mut dev = desk_with(|config| config.verbose = false);
    dev.command("ATD10086;", "0\r").at(2000);
    call(&mut dev, CallNews::Ended(CallEnd::Busy));
    dev.prints("7\r");
    incoming(&mut dev);
    dev.wait(100).prints("2\r");
    call(&mut dev, CallNews::Ended(CallEnd::HungUp));
    dev.wait(100).prints("3\r");
    let mut dev = desk_with(|config| config.quiet = true);
    incoming(&mut dev);
    dev.prints_nothing();
}

#[test]
fn a_call_that_nobody_answers_is_over_after_two_minutes() {
    let mut dev = desk();
    dev.command("ATD10086;", OK);
    dev.at(120_999).prints_nothing();
    ordered(&mut dev);
    dev.at(121_000).prints("\r\nNO ANSWER\r\n");
    orders(&mut dev, &[ModemOutput::HangUp]);
    assert_eq!(
        dev.dtu.poll_timeout().map(|deadline| deadline.timer),
        Some(Timer::Call)
    );
    call(&mut dev, CallNews::Ended(CallEnd::HungUp));
    dev.prints_nothing();
    assert_eq!(dev.dtu.status(dev.now).call.counters.unconfirmed, 0);
}

#[test]
fn manual_2_8_6_10_ath_ends_the_call_without_a_word() {
    let mut dev = desk();
    dev.command("ATH", OK);
    orders(&mut dev, &[]);
    dev.command("ATD10086;", OK);
    call(&mut dev, CallNews::Alerting);
    dev.command("ATH", OK)
        .command("ATH0", OK)
        .command("AT+CLCC", OK);
    orders(&mut dev, &[dialled()[0].clone(), ModemOutput::HangUp]);
    call(&mut dev, CallNews::Ended(CallEnd::HungUp));
    dev.at(5000).prints_nothing();
}

#[test]
fn an_end_that_is_never_confirmed_is_taken_as_confirmed() {
    let mut dev = desk();
    dev.command("ATD10086;", OK).command("ATH", OK);
    ordered(&mut dev);
    dev.command("ATDL", OK).command(
        "AT+CLCC",
        "\r\n+CLCC: 1,0,2,0,0,\"10086\",129\r\n\r\nOK\r\n",
    );
    dev.at(10_999);
    orders(&mut dev, &[]);
    dev.at(11_000);
    orders(&mut dev, &dialled());
    assert_eq!(dev.dtu.status(dev.now).call.counters.unconfirmed, 1);
    call(&mut dev, CallNews::Alerting);
    dev.prints("\r\nRINGBACK\r\n");
}

#[test]
fn what_is_dialled_while_the_last_call_ends_waits_for_its_end() {
    let mut dev = desk();
    dev.command("ATD10086;", OK)
        .command("ATH", OK)
        .command("ATD10010;", OK);
    orders(&mut dev, &[dialled()[0].clone(), ModemOutput::HangUp]);
    dev.at(2000);
    call(&mut dev, CallNews::Ended(CallEnd::HungUp));
    orders(&mut dev, &[ModemOutput::Dial(number("10010"))]);
    dev.command("ATH", OK)
        .command("ATD10010;", OK)
        .command("ATH", OK);
    ordered(&mut dev);
    call(&mut dev, CallNews::Ended(CallEnd::HungUp));
    orders(&mut dev, &[]);
}

#[test]
fn there_is_one_call_at_most() {
    let mut dev = desk();
    dev.command("ATD10086;D10010;", OK);
    orders(&mut dev, &dialled());
    assert!(
        dev.events
            .contains(&Event::Call(CallEvent::NotPlaced(number("10010"))))
    );
    dev.command(
        "ATD10010;",
        "\r\n+CME ERROR: ATD: there is a call already; ATH ends it\r\n",
    );
    orders(&mut dev, &[]);
}

#[test]
fn manual_2_8_6_12_atdl_calls_the_last_number() {
    let mut dev = desk();
    dev.command("ATDL", "\r\n+CME ERROR: ATDL: no number was called yet\r\n");
    dev.command("ATD10086;", OK).at(2000);
    call(&mut dev, CallNews::Ended(CallEnd::Busy));
    dev.prints("\r\nBUSY\r\n").command("ATDL", OK);
    orders(&mut dev, &[dialled(), dialled()].concat());
}

#[test]
fn whoever_dials_through_a_link_prints_nothing_on_the_line() {
    let mut dev = desk();
    dev.input(Input::Console("ATD10086;"));
    assert_eq!(dev.console, [OK]);
    orders(&mut dev, &dialled());
    call(&mut dev, CallNews::Alerting);
    call(&mut dev, CallNews::Ended(CallEnd::Busy));
    dev.at(10_000).prints_nothing();
}

#[test]
fn a_modem_that_goes_takes_its_call_along() {
    for news in [ModemInput::Gone, modem()] {
        let mut dev = desk();
        dev.command("ATD10086;", OK).at(2000);
        tell(&mut dev, news.clone());
        dev.prints("\r\nNO CARRIER\r\n").command("AT+CLCC", OK);
        ordered(&mut dev);
        tell(&mut dev, modem());
        dev.command("ATD10086;", OK)
            .command("ATH", OK)
            .command("ATD10086;", OK)
            .at(4000);
        tell(&mut dev, news);
        dev.prints("\r\nNO CARRIER\r\n").at(60_000).prints_nothing();
        orders(&mut dev, &[dialled()[0].clone(), ModemOutput::HangUp]);
    }
}

#[test]
fn a_call_that_the_device_knows_nothing_of_is_hung_up() {
    for news in [CallNews::Alerting, CallNews::Answered] {
        let mut dev = desk();
        call(&mut dev, news);
        orders(&mut dev, &[ModemOutput::HangUp]);
        dev.at(20_000).prints_nothing();
    }
}

#[test]
fn a_restart_and_the_end_hang_up() {
    let mut dev = desk();
    dev.command("ATD10086;", OK);
    ordered(&mut dev);
    dev.command("AT+CIRESET", "\r\nOK\r\n\r\nUSR-GPRS232-DTU\r\n");
    orders(&mut dev, &[ModemOutput::HangUp]);
    call(&mut dev, CallNews::Ended(CallEnd::HungUp));
    dev.at(2000)
        .prints_nothing()
        .command("ATDL", OK)
        .input(Input::Shutdown);
    orders(&mut dev, &[dialled()[0].clone(), ModemOutput::HangUp]);
}
