//! Commands of the line.

use super::*;

#[test]
fn manual_2_8_6_16_cmgs_asks_sends_and_answers() {
    let mut dev = booted(at_mode());
    dev.command("AT+CMGF=1", "\r\nOK\r\n")
        .serial("AT+CMGS=10086\r")
        .prints("\r\n> ");
    dev.serial("hello")
        .prints_nothing()
        .serial("\x1A")
        .prints("\r\n+CMGS: 42\r\n\r\nOK\r\n");
    dev.network_takes(&[("10086", "hello")]);
    // M14: a backspace edits, and goes no further back than the text.
    dev.serial("AT+CMGS=10086\r")
        .prints("\r\n> ")
        .serial("\x08\x7Fjelp\x08\x08\x08\x7Fhel\x08lp\x1A");
    dev.prints("\r\n+CMGS: 42\r\n\r\nOK\r\n")
        .network_takes(&[("10086", "help")]);
    dev.serial("AT+CMGS=10086\r")
        .prints("\r\n> ")
        .serial("no\x1B")
        .prints("\r\nOK\r\n")
        .network_takes(&[]);
}

#[test]
fn m14_a_number_in_pdu_mode_asks_for_a_text_as_the_manual_prints_it() {
    let mut dev = booted(at_mode());
    for number in ["10086", "\"10086\"", "185", "\"17\"", "+8613800138000"] {
        let plain = number.trim_matches('"');
        dev.wait(1000)
            .command(&format!("AT+CMGS={number}"), "\r\n> ")
            .wait(500)
            .serial("hello\x1a");
        dev.prints("\r\n+CMGS: 42\r\n\r\nOK\r\n")
            .network_takes(&[(plain, "hello")]);
    }
    // The next one is a PDU again: the format stays.
    dev.command("AT+CMGF?;+CMGS=11", "\r\n+CMGF: 0\r\n\r\n> ")
        .wait(500);
    dev.serial("00010005810180F6000001E1\x1a")
        .prints("\r\n+CMGS: 42\r\n\r\nOK\r\n")
        .network_takes(&[("10086", "a")]);
    // What is neither is refused: no PDU is so long, and no number has 21 digits.
    for wrong in ["165", "184", "5", "abc", "123456789012345678901", "\"\""] {
        dev.serial(format!("AT+CMGS={wrong}\r")).wait(100);
        let printed = dev.printed();
        assert!(
            printed.contains("ERROR: CMGS: TO must be a"),
            "{wrong}: {printed}"
        );
    }
}

#[test]
fn m14_cimodid_takes_the_charset_of_the_line_and_an_empty_one() {
    let mut dev = booted(at_mode());
    let named = |head: &[u8], name: &[u8], tail: &[u8]| [head, name, tail].concat();
    let gbk = [0xCB, 0xAE, 0xB1, 0xC3]; // 水泵
    dev.wait(1000)
        .serial(named(b"AT+CIMODID=", &gbk, b";W\r"))
        .wait(100)
        .prints("\r\nOK\r\n");
    dev.serial("AT+CIMODID?\r").wait(100).prints(named(
        b"\r\n+CIMODID:\"",
        &gbk,
        b"\"\r\n\r\nOK\r\n",
    ));
    dev.serial("AT+CIRESET\r").wait(1000);
    dev.prints(named(b"\r\nOK\r\n\r\n", &gbk, b"\r\n"));
    dev.wait(1000).serial(b"AT+CIMODID=\xFF\r").wait(100);
    assert!(dev.printed().contains("CIMODID: NAME must be text in GBK"));
    for empty in ["AT+CIMODID=", "AT+CIMODID=\"\""] {
        dev.command(empty, "\r\nOK\r\n")
            .command("AT+CIMODID?", "\r\n+CIMODID:\"\"\r\n\r\nOK\r\n");
    }
    // A phone writes and reads text, whatever the line speaks.
    dev.sms_from(PHONE, "abc,AT+CIMODID=水泵;+CIMODID?")
        .network_takes(&[(PHONE, "+CIMODID:\"水泵\"\r\n\r\nOK")]);
}

#[test]
fn m14_ucs2_holds_for_the_service_centre_the_own_number_and_the_operator() {
    let mut dev = booted(at_mode());
    dev.news(ModemInput::OwnNumber(Some(number("+8613"))));
    dev.news(ModemInput::Operator(Some(Operator {
        name: "中国移动".into(),
        code: "46000".into(),
    })));
    dev.at(1000).command("AT+CSCS=\"UCS2\"", "\r\nOK\r\n");
    // The SIM's own centre, 8613800531500.
    let centre = "0038003600310033003800300030003500330031003500300030";
    dev.command(
        "AT+CSCA?",
        &format!("\r\n+CSCA: \"{centre}\", 145\r\n\r\nOK\r\n"),
    );
    dev.command("AT+CSCA=\"002B0031003200330034\"", "\r\nOK\r\n");
    dev.command(
        "AT+CSCA?",
        "\r\n+CSCA: \"002B0031003200330034\", 145\r\n\r\nOK\r\n",
    );
    dev.command(
        "AT+CNUM",
        "\r\n+CNUM: \"\",\"002B0038003600310033\",145\r\n\r\nOK\r\n",
    );
    dev.command(
        "AT+COPS?",
        "\r\n+COPS: 0,0,\"4E2D56FD79FB52A8\"\r\n\r\nOK\r\n",
    );
    let known = "(2,\"4E2D56FD79FB52A8\",\"4E2D56FD79FB52A8\",\"00340036003000300030\"),,";
    dev.command(
        "AT+COPS=?",
        &format!("\r\n+COPS: {known}(0,3),(0-2)\r\n\r\nOK\r\n"),
    );
    // What is typed plainly is understood, too; and in another charset all is plain.
    dev.command("AT+CSCA=\"+5678\"", "\r\nOK\r\n")
        .command("AT+CSCS=\"GSM\"", "\r\nOK\r\n");
    dev.command(
        "AT+CSCA?;+CNUM",
        "\r\n+CSCA: \"+5678\", 145\r\n\r\n+CNUM: \"\",\"+8613\",145\r\n\r\nOK\r\n",
    );
}

#[test]
fn manual_2_8_6_33_cismssend_is_ok_when_the_network_took_it() {
    let mut dev = booted(at_mode());
    dev.modem.silent = true;
    dev.serial("AT+CISMSSEND=10086,1,hello\r")
        .prints_nothing()
        .modem_answers()
        .prints("\r\nOK\r\n");
    dev.network_takes(&[("10086", "hello")]);
    dev.modem.answers = [Err(SubmitFailure::NO_NETWORK)].into();
    dev.command(
        "AT+CISMSSEND=10086,1,x",
        "\r\n+CMS ERROR: CISMSSEND: not registered in a network (331)\r\n",
    );
}

#[test]
fn a_command_goes_before_what_waits_and_after_what_is_on_its_way() {
    let mut dev = booted(sms_mode());
    dev.modem.silent = true;
    dev.serial("one").wait(200).serial("two").wait(100);
    dev.wait(300)
        .escape()
        .serial("AT+CISMSSEND=10010,1,three\r")
        .prints_nothing();
    dev.modem_answers()
        .network_takes(&[("10086", "one"), ("10010", "three"), ("10086", "two")]);
    dev.prints("\r\nOK\r\n");
}

#[test]
fn a_modem_that_goes_away_ends_a_command() {
    let mut dev = booted(at_mode());
    dev.modem.silent = true;
    dev.serial("AT+CISMSSEND=10086,1,x\r")
        .news(ModemInput::Gone);
    dev.prints("\r\n+CMS ERROR: CISMSSEND: the modem is gone (512)\r\n");
    dev.command(
        "AT+CISMSSEND=10086,1,x",
        "\r\n+CME ERROR: CISMSSEND: there is no modem\r\n",
    );
}

#[test]
fn a_modem_that_says_nothing_ends_a_command_after_three_minutes_and_is_not_asked_twice() {
    let mut dev = booted(at_mode());
    dev.modem.silent = true;
    dev.serial("AT+CISMSSEND=10086,1,x\r").wait(180_000);
    dev.prints("\r\n+CMS ERROR: CISMSSEND: the network does not answer (332)\r\n");
    dev.serial("AT+CISMSSEND=10086,1,y\r").wait(1000);
    assert_eq!(dev.modem.given.len(), 1);
    dev.modem_answers()
        .prints("\r\nOK\r\n")
        .network_takes(&[("10086", "x"), ("10086", "y")]);
}
