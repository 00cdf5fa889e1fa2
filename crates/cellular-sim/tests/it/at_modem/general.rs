//! Lines, identity, the card, registration, data, the clock.

use super::*;

#[test]
fn echo_is_on_until_it_is_switched_off_and_lines_may_be_glued() {
    let mut host = Host::new(Setup::default());
    assert_eq!(host.say("AT"), "AT\r\r\nOK\r\n");
    assert_eq!(host.say("ATE0"), "ATE0\r\r\nOK\r\n");
    assert_eq!(host.say("ATQ0 V1 E1 S0=0 &C1 +CMEE=1"), "\r\nOK\r\n");
    assert_eq!(
        host.say("ATE0;+CMEE?"),
        "ATE0;+CMEE?\r\r\n+CMEE: 1\r\n\r\nOK\r\n"
    );
    assert_eq!(
        host.say("\u{1b}"),
        "",
        "what is no command line is not answered"
    );
    assert_eq!(host.say("a/"), ok("+CMEE: 1"));
    assert_eq!(host.say("ATV0"), "0\r");
    assert_eq!(host.say("AT+NONSENSE"), "4\r");
    assert_eq!(host.say("ATQ1"), "");
    assert_eq!(host.say("ATZ"), "\r\nOK\r\n");
    assert_eq!(host.say("ATX9+"), "ATX9+\r\r\nERROR\r\n");
}

#[test]
fn bytes_one_by_one_crlf_and_backspace_make_a_line() {
    let mut host = Host::generic();
    let mut said = String::new();
    for byte in b"\nAT+CXX\x08\x08SQ\r\n" {
        said += &host.type_at(0, &[*byte]);
    }
    assert_eq!(said, ok("+CSQ: 31,99"));
    let long = format!("AT{}", "X".repeat(2000));
    assert_eq!(host.say(&long), "\r\nERROR\r\n");
    assert_eq!(host.say("AT"), "\r\nOK\r\n");
}

#[test]
fn it_says_who_it_is() {
    let mut host = Host::generic();
    assert_eq!(host.say("AT+CGSN"), ok("135790246811220"));
    assert_eq!(host.say("AT+CIMI"), ok("460023633887978"));
    assert_eq!(host.say("ATI"), ok("dtu-sim\nSimulated modem\ndtu-sim 0.1"));
    assert_eq!(
        host.say("AT+CNUM"),
        ok("+CNUM: \"\",\"+8613800100001\",145")
    );
    assert_eq!(host.say("AT+GCAP"), ok("+GCAP: +CGSM,+DS,+ES"));
    assert_eq!(
        host.say("AT+CRSM=176,12258,0,0,10"),
        ok("+CRSM: 144,0,\"98680021436587092143\"")
    );
    for name in ["+CGMI", "+CGMM", "+CGMR", "+CLAC"] {
        assert!(
            host.say(&format!("AT{name}")).ends_with("\r\n\r\nOK\r\n"),
            "{name}"
        );
    }
    let mut ec2x = Host::new(Setup {
        dialect: Dialect::Ec2x,
        ..Setup::default()
    });
    ec2x.say("ATE0");
    assert_eq!(ec2x.say("AT+CGMM"), ok("EC25"));
}

#[test]
fn errors_are_told_as_cmee_wants() {
    let mut host = Host::generic();
    assert_eq!(host.say("AT+CFUN=9"), "\r\nERROR\r\n");
    host.say("AT+CMEE=1");
    assert_eq!(host.say("AT+CFUN=9"), "\r\n+CME ERROR: 50\r\n");
    host.say("AT+CMEE=2");
    assert_eq!(
        host.say("AT+CFUN=9"),
        "\r\n+CME ERROR: incorrect parameters\r\n"
    );
    assert_eq!(
        host.say("AT+CMGR=300"),
        "\r\n+CMS ERROR: there is no message at this index\r\n"
    );
    assert_eq!(
        host.say("AT+CSQ;+CFUN=9;+CSQ"),
        "\r\n+CSQ: 31,99\r\n\r\n+CME ERROR: incorrect parameters\r\n"
    );
}

#[test]
fn a_pin_is_asked_for_and_three_wrong_ones_lock_the_card() {
    let mut host = Host::new(Setup {
        pin: Some("1234".into()),
        dialect: Dialect::Sim800,
        ..Setup::default()
    });
    host.say("ATE0+CMEE=1");
    assert_eq!(host.say("AT+CPIN?"), ok("+CPIN: SIM PIN"));
    assert_eq!(host.say("AT+CREG?"), ok("+CREG: 0,0"));
    assert_eq!(host.say("AT+CIMI"), "\r\n+CME ERROR: 11\r\n");
    assert_eq!(host.say("AT+CMGF=0"), "\r\n+CMS ERROR: 311\r\n");
    assert_eq!(host.say("AT+CPIN=\"0000\""), "\r\n+CME ERROR: 16\r\n");
    assert_eq!(
        host.say("AT+CPIN=\"1234\""),
        "\r\nOK\r\n\r\n+CPIN: READY\r\n"
    );
    host.run(5000);
    assert_eq!(host.heard(), "\r\nCall Ready\r\n\r\nSMS Ready\r\n");
    assert_eq!(
        host.say("AT+CPIN?;+CREG?"),
        "\r\n+CPIN: READY\r\n\r\n+CREG: 0,1\r\n\r\nOK\r\n"
    );

    host.say("AT+CFUN=1,1");
    host.run(20_000);
    host.say("ATE0+CMEE=1");
    for _ in 0..3 {
        assert_eq!(
            host.say("AT+CPIN=\"9999\"")
                .matches("+CME ERROR: 16")
                .count(),
            1
        );
    }
    assert_eq!(host.say("AT+CPIN?").matches("SIM PUK").count(), 1);
}

#[test]
fn a_reset_brings_the_boot_lines_and_forgets_settings() {
    let mut host = Host::new(Setup {
        dialect: Dialect::Ec2x,
        ..Setup::default()
    });
    host.say("ATE0");
    assert_eq!(host.say("AT+CFUN=1,1"), "\r\nOK\r\n");
    assert_eq!(host.say("AT"), "", "it is away");
    host.run(20_000);
    let lines = [
        "RDY",
        "+CFUN: 1",
        "+CPIN: READY",
        "+QIND: SMS DONE",
        "+QIND: PB DONE",
    ];
    assert_eq!(
        host.heard(),
        lines.map(|line| format!("\r\n{line}\r\n")).concat()
    );
    assert_eq!(host.say("AT"), "AT\r\r\nOK\r\n", "echo is on again");
}

#[test]
fn registration_is_asked_for_and_told() {
    let mut host = Host::generic();
    assert_eq!(host.say("AT+CREG?"), ok("+CREG: 0,1"));
    host.say("AT+CREG=2;+CGREG=1");
    assert_eq!(
        host.say("AT+CREG?;+CEREG?"),
        "\r\n+CREG: 2,1,\"5315\",\"852D\"\r\n\r\n+CEREG: 0,1\r\n\r\nOK\r\n"
    );
    host.does("registration denied 10s");
    assert_eq!(host.heard(), "\r\n+CREG: 3\r\n\r\n+CGREG: 3\r\n");
    assert_eq!(host.say("AT+COPS?"), ok("+COPS: 0"));
    assert_eq!(host.say("AT+CSQ"), ok("+CSQ: 99,99"));
    host.run(11_000);
    let searching = "\r\n+CREG: 2\r\n\r\n+CGREG: 2\r\n";
    assert_eq!(
        host.heard(),
        format!("{searching}\r\n+CREG: 1,\"5315\",\"852D\"\r\n\r\n+CGREG: 1\r\n")
    );
    host.does("cell 1 2");
    assert_eq!(
        host.heard(),
        "\r\n+CREG: 1,\"0001\",\"0002\"\r\n\r\n+CGREG: 1\r\n"
    );
    assert_eq!(host.say("AT+COPS=3,2;+COPS?"), ok("+COPS: 0,2,\"46000\""));
    assert_eq!(
        host.say("AT+COPS=3,0;+COPS?"),
        ok("+COPS: 0,0,\"China Mobile\"")
    );
    assert_eq!(host.say("AT+COPS=?"), "");
    host.run(3000);
    assert_eq!(
        host.heard(),
        ok("+COPS: (2,\"China Mobile\",\"ChinaMob\",\"46000\"),,(0,1,2,3,4),(0,1,2)")
    );
    host.does("signal 12 3");
    assert_eq!(host.say("AT+CSQ"), ok("+CSQ: 12,3"));
}

#[test]
fn cells_are_told_as_the_dialect_does() {
    let mut host = Host::new(Setup {
        dialect: Dialect::Sim800,
        ..Setup::default()
    });
    host.say("ATE0");
    assert_eq!(
        host.say("AT+CENG?"),
        ok("+CENG: 3,0\n+CENG: 0,\"460,00,5315,852d,26,31\"")
    );
    let mut host = Host::new(Setup {
        dialect: Dialect::Ec2x,
        ..Setup::default()
    });
    host.say("ATE0");
    assert!(
        host.say("AT+QENG=\"servingcell\"")
            .contains("\"LTE\",\"FDD\",460,00,852D,")
    );
    host.say("AT+CREG=2");
    assert_eq!(host.say("AT+CREG?"), ok("+CREG: 2,1,\"5315\",\"852D\",7"));
}

#[test]
fn the_transmitter_goes_off_and_on() {
    let mut host = Host::generic();
    host.say("AT+CREG=1");
    assert_eq!(host.say("AT+CFUN=4"), "");
    host.run(1000);
    assert_eq!(host.heard(), "\r\nOK\r\n\r\n+CREG: 0\r\n");
    host.say("AT+CFUN=1");
    host.run(1000);
    assert_eq!(host.heard(), "\r\nOK\r\n\r\n+CREG: 1\r\n");
    assert_eq!(host.say("AT+CFUN?"), ok("+CFUN: 1"));
}

#[test]
fn packet_data_has_contexts_and_addresses() {
    let mut host = Host::generic();
    host.say("AT+CMEE=1");
    assert_eq!(host.say("AT+CGDCONT=1,\"IP\",\"CMNET\""), "\r\nOK\r\n");
    assert_eq!(
        host.say("AT+CGDCONT?"),
        ok("+CGDCONT: 1,\"IP\",\"CMNET\",\"\",0,0")
    );
    assert_eq!(host.say("AT+CGPADDR=1"), ok("+CGPADDR: 1,\"0.0.0.0\""));
    assert_eq!(host.say("AT+CGACT=1,2"), "\r\n+CME ERROR: 30\r\n");
    assert_eq!(host.say("AT+CGACT=1,1;+CGACT?"), ok("+CGACT: 1,1"));
    assert_eq!(host.say("AT+CGPADDR=1"), ok("+CGPADDR: 1,\"10.64.0.2\""));
    assert_eq!(host.say("AT+CGATT?"), ok("+CGATT: 1"));
    assert_eq!(host.say("AT+CGDCONT=0"), "\r\n+CME ERROR: 50\r\n");
}

#[test]
fn the_clock_runs_and_can_be_set() {
    let mut host = Host::generic();
    assert_eq!(host.say("AT+CCLK?"), ok("+CCLK: \"26/01/01,00:00:00+32\""));
    assert_eq!(host.say("AT+CCLK=\"14/09/10,15:01:07-14\""), "\r\nOK\r\n");
    host.run(60_000);
    assert_eq!(host.say("AT+CCLK?"), ok("+CCLK: \"14/09/10,15:02:07-14\""));
    for bad in ["14/13/10,15:01:07", "14/09/10", "", "14/09/10,15:01:07+99"] {
        assert_eq!(
            host.say(&format!("AT+CCLK=\"{bad}\"")),
            "\r\nERROR\r\n",
            "{bad}"
        );
    }
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_it_panic_or_run_away(pieces in proptest::collection::vec(proptest::collection::vec(proptest::num::u8::ANY, 0..80), 0..20)) {
        let mut host = Host::generic();
        for piece in pieces {
            host.rack.read(0, &piece, host.now);
            while host.rack.poll_output().is_some() {}
            host.rack.handle_timeout(host.now + Duration::from_secs(5));
        }
    }

    #[test]
    fn no_command_line_makes_it_panic(
        words in proptest::collection::vec(proptest::sample::select(vec![
            "AT", "+CMGS", "=", "?", "\"", ",", "5", "\r", "\x1a", "\x1b", "+CMGW", "+CPMS", "D", "1;", "E", "&", "S0", "+CNMI", "+CGDCONT", "+CMGL", "+CCLK", "99999999999999", "泵", ";",
        ]), 0..40)
    ) {
        let mut host = Host::new(Setup::default());
        host.rack.read(0, words.concat().as_bytes(), host.now);
        host.rack.handle_timeout(host.now + Duration::from_secs(5));
    }
}
