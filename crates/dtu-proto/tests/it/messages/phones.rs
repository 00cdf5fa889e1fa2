//! Commands of phones.

use super::*;

#[test]
fn manual_2_8_5_a_message_with_the_password_is_a_command_and_is_answered_by_a_message() {
    for config in [sms_mode(), data_mode(), at_mode()] {
        let mut dev = booted(config);
        dev.sms_from(PHONE, "abc,AT+CMGF?")
            .prints_nothing()
            .network_takes(&[(PHONE, "+CMGF: 0\r\n\r\nOK")]);
        dev.sms_from(PHONE, "abc,AT+NIX\r\n");
        let answer = "+CME ERROR: AT+NIX: unknown command; AT+HELP lists them";
        dev.prints_nothing().network_takes(&[(PHONE, answer)]);
        assert_eq!(counters(&dev).commands, 2);
    }
}

#[test]
fn a_message_that_begins_with_the_password_but_is_no_command_is_a_message() {
    let mut dev = booted(sms_mode());
    for text in [
        "abc",
        "abc,",
        "abc, AT",
        "abc,hello",
        "abcAT+CSQ",
        "xabc,AT+CSQ",
        "abc,AT+CSQ\r\nmore",
        "abc,AT+\nX",
    ] {
        dev.sms_from(PHONE, text).prints(text).network_takes(&[]);
    }
    dev.sms_from(PHONE, "wrong,AT+CSQ")
        .prints("wrong,AT+CSQ")
        .network_takes(&[]);
    assert!(
        dev.events
            .contains(&Event::WrongPassword(Origin::Sms(number(PHONE))))
    );
}

#[test]
fn a_command_may_be_a_long_message_and_so_may_its_answer() {
    let mut dev = booted(data_mode());
    let banner = "x".repeat(60);
    let chain = format!("abc,AT+CIMODID=\"{banner}\"{}", ";+CIMODID?".repeat(20));
    dev.sms_from(PHONE, &chain);
    let answers = dev.submits();
    let text: String = answers.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!((answers.len(), text.matches(&banner).count()), (10, 20));
    dev.wait(1000).sms_from(PHONE, "abc,AT+HELP");
    let answers = dev.submits();
    assert_eq!((answers.len(), counters(&dev).cut), (10, 1));
    assert!(answers[9].1.ends_with("..."));
}

#[test]
fn only_numbers_of_the_list_may_command() {
    let allow = vec![number(PHONE)];
    let options = Options {
        sms_allow: allow,
        setup_window: Duration::ZERO,
        ..Options::default()
    };
    let mut dev = Bench::with(sms_mode(), options);
    dev.modem_comes().at(300).prints(BANNER);
    dev.sms_from("10010", "abc,AT")
        .prints("abc,AT")
        .network_takes(&[]);
    dev.sms_from(PHONE, "abc,AT")
        .prints_nothing()
        .network_takes(&[(PHONE, "OK")]);
}

#[test]
fn a_name_cannot_command() {
    let mut dev = booted(sms_mode());
    dev.named_sms_from("USR", "abc,AT")
        .prints("abc,AT")
        .network_takes(&[]);
}

#[test]
fn k5_the_factory_password_lets_phones_query_and_set_nothing() {
    let factory = Config {
        password: "admin".into(),
        ..sms_mode()
    };
    let mut dev = booted(factory.clone());
    dev.sms_from(PHONE, "admin,AT+CIPNUM?")
        .network_takes(&[(PHONE, "+CIPNUM: 10086\r\n\r\nOK")]);
    dev.sms_from(PHONE, "admin,AT+CIPNUM=1");
    let refused =
        "+CME ERROR: CIPNUM: factory password: set a new one at the serial line first (AT+CIPSW)";
    dev.network_takes(&[(PHONE, refused)]);
    // The two texts that took a device over (decisions 16.20).
    dev.sms_from(PHONE, "admin,AT+CIPSW=xyz");
    let refused =
        "+CME ERROR: CIPSW: factory password: set a new one at the serial line first (AT+CIPSW)";
    dev.network_takes(&[(PHONE, refused)]).prints_nothing();
    dev.sms_from(PHONE, "xyz,AT+CIPNUM=1")
        .network_takes(&[])
        .prints("xyz,AT+CIPNUM=1");
    assert_eq!(*dev.dtu.config(), factory);
    let options = Options {
        factory_password: FactoryPassword::Off,
        setup_window: Duration::ZERO,
        ..Options::default()
    };
    let mut dev = Bench::with(factory, options);
    dev.modem_comes()
        .at(300)
        .prints(BANNER)
        .sms_from(PHONE, "admin,AT")
        .prints("admin,AT")
        .network_takes(&[]);
}

#[test]
fn five_wrong_passwords_shut_one_phone_out_and_no_other() {
    let mut dev = booted(sms_mode());
    for guess in 0..5 {
        dev.sms_from(PHONE, &format!("x{guess},AT"));
    }
    dev.printed();
    dev.sms_from(PHONE, "abc,AT")
        .prints_nothing()
        .network_takes(&[]);
    dev.sms_from("10010", "abc,AT")
        .network_takes(&[("10010", "OK")]);
    dev.wait(300_000)
        .sms_from(PHONE, "abc,AT")
        .network_takes(&[(PHONE, "OK")]);
}

#[test]
fn secrets_are_hidden_from_phones() {
    let mut config = sms_mode();
    config.apn.password = "secret".into();
    config.httpd.head = "Authorization: Basic c2VjcmV0".into();
    let mut dev = booted(config);
    dev.sms_from(PHONE, "abc,AT+HTPHD?")
        .network_takes(&[(PHONE, "+HTPHD:\"****\"\r\n\r\nOK")]);
    dev.sms_from(PHONE, "abc,AT+CSTT?")
        .network_takes(&[(PHONE, "+CSTT: \"\", \"\", \"****\"\r\n\r\nOK")]);
}

#[test]
fn a_command_waits_for_the_one_before() {
    let mut dev = booted(at_mode());
    dev.command("AT+CMGF=1", "\r\nOK\r\n")
        .serial("AT+CMGS=10086\r")
        .prints("\r\n> ");
    dev.sms_from(PHONE, "abc,AT")
        .network_takes(&[])
        .prints_nothing();
    dev.serial("x\x1A")
        .network_takes(&[("10086", "x"), (PHONE, "OK")]);
}

#[test]
fn a_phone_restarts_the_device_and_is_answered() {
    let mut dev = booted(sms_mode());
    dev.sms_from(PHONE, "abc,AT+CIRESET")
        .wait(100)
        .prints(BANNER)
        .network_takes(&[(PHONE, "OK")]);
    assert_eq!(dev.power, [Power::Restarted]);
}

#[test]
fn a_stop_waits_until_the_messages_are_on_the_disk() {
    let mut dev = booted(sms_mode());
    dev.store.slow = true;
    dev.serial("last").input(Input::Shutdown);
    assert_eq!(dev.power, []);
    dev.disk_answers();
    assert_eq!(dev.power, [Power::Stop]);
    dev.killed(sms_mode()).network_takes(&[("10086", "last")]);
}
