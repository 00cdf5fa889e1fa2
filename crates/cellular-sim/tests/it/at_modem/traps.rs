//! What is wrong with real modems.

use super::*;

/// What some modems do, and a host must not lock a card for.
#[test]
fn k6_a_pin_may_go_unheeded_and_the_count_of_tries_stand_still() {
    let mut host = Host::new(Setup {
        pin: Some("1234".into()),
        ..Setup::default()
    });
    host.say("ATE0+CMEE=1");
    host.does("pin-unheeded on");
    assert_eq!(host.say("AT+CPIN=\"1234\""), "\r\nOK\r\n");
    assert_eq!(host.say("AT+CPIN?"), ok("+CPIN: SIM PIN"));
    host.does("pin-unheeded off");
    host.does("tries-stay on");
    assert_eq!(host.say("AT+CPIN=\"0000\""), "\r\n+CME ERROR: 16\r\n");
    assert_eq!(host.say("AT+CPINR=\"SIM PIN\""), ok("+CPINR: SIM PIN,3,3"));
    host.does("tries-stay off");
    assert_eq!(host.say("AT+CPINR=\"SIM PIN\""), ok("+CPINR: SIM PIN,2,3"));
}

#[test]
fn a_modem_that_is_silent_hears_nothing_and_then_goes_on() {
    let mut host = Host::generic();
    host.does("silent 60s");
    assert_eq!(host.say("AT"), "");
    host.get_text("meanwhile");
    host.run(58_000);
    assert_eq!(host.say("AT"), "");
    host.run(2000);
    assert_eq!(host.heard(), "");
    assert_eq!(host.say("AT"), "\r\nOK\r\n");
    assert!(host.say("AT+CMGL=4").contains("+CMGL: 1,0"));
}

#[test]
fn traps_of_real_modems_can_be_switched_on() {
    let mut host = Host::generic();
    host.does("blank-lines on");
    assert_eq!(
        host.say("AT+CSQ"),
        "\r\n\r\n+CSQ: 31,99\r\n\r\n\r\n\r\nOK\r\n\r\n"
    );
    host.does("blank-lines off");
    host.does("bare-prompt on");
    assert_eq!(host.say("AT+CMGS=20"), "\r\n>");
    host.type_at(0, b"\x1b");
    host.does("bare-prompt off");
    host.does("prompt-errors 1");
    assert_eq!(host.say("AT+CMGS=20"), "\r\n> \r\nERROR\r\n");
    assert_eq!(host.say("AT+CMGS=20"), "\r\n> ");
    host.type_at(0, b"\x1b");
    host.does("lines-inside on");
    assert_eq!(
        host.say("AT+CSQ"),
        "\r\n+CSQ: 31,99\r\n\r\n+CIEV: 2,4\r\n\r\nOK\r\n"
    );
    host.does("lines-inside off");
    host.does("slow 300ms");
    assert_eq!(host.say("AT"), "");
    host.run(299);
    assert_eq!(host.heard(), "");
    host.run(1);
    assert_eq!(host.heard(), "\r\nOK\r\n");
}

#[test]
fn a_modem_vanishes_and_comes_back() {
    let mut host = Host::generic();
    host.does("leave 30s");
    assert_eq!(host.others, [RackOutput::Vanished(0)]);
    host.get_text("while away");
    host.run(28_000);
    assert_eq!(host.others.len(), 1);
    host.run(2000);
    assert_eq!(
        host.others,
        [RackOutput::Vanished(0), RackOutput::Appeared(0)]
    );
    host.run(1000);
    assert!(
        host.say("AT+CMGL=4").contains("+CMGL: 1,0"),
        "it waited in the centre"
    );
}

#[test]
fn unsolicited_lines_wait_for_the_end_of_a_command() {
    let mut host = Host::generic();
    host.say("AT+CNMI=2,1");
    let (length, digits) = pdu("10010", "x", |_| {});
    host.say(&format!("AT+CMGS={length}"));
    host.get_text("in the middle");
    assert_eq!(host.heard(), "", "nothing is said into a prompt");
    host.type_at(0, format!("{digits}\x1a").as_bytes());
    host.run(2000);
    assert_eq!(
        host.heard(),
        format!("{}\r\n+CMTI: \"SM\",1\r\n", ok("+CMGS: 1"))
    );
}

#[test]
fn what_is_typed_while_a_command_runs_is_done_afterwards() {
    let mut host = Host::generic();
    host.type_at(0, b"AT+COPS=?\rAT+CSQ\r");
    host.run(2500);
    let heard = host.heard();
    assert!(
        heard.ends_with(&ok("+CSQ: 31,99")) && heard.contains("+COPS: ("),
        "{heard}"
    );
    let flood = vec![b'x'; 20_000];
    host.type_at(0, b"AT+COPS=?\r");
    host.type_at(0, &flood);
    assert_eq!(host.rack.modem(0).unwrap().lost(), 20_000 - 8192);
}

#[test]
fn a_script_plays_by_the_clock_and_its_problems_are_told() {
    let mut host = Host::generic();
    host.say("AT+CNMI=2,1");
    host.rack.play(
        Script::parse("at 5s sms from 10010 \"a\"\nat 10s hangup 10010\nat 1s modem 7 back")
            .unwrap(),
    );
    host.run(20_000);
    assert_eq!(host.heard(), "\r\n+CMTI: \"SM\",1\r\n");
    let problems = host.others.iter().filter_map(|output| match output {
        RackOutput::Problem(text) => Some(text.as_str()),
        _ => None,
    });
    assert_eq!(
        problems.collect::<Vec<_>>(),
        [
            "line 3: there is no modem of this number",
            "line 2: this phone has no such call"
        ]
    );
}
