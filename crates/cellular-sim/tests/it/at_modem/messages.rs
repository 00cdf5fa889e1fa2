//! Messages.

use super::*;

#[test]
fn a_message_is_sent_as_a_pdu() {
    let mut host = Host::generic();
    let (length, digits) = pdu("+8613912345678", "hello", |_| {});
    assert_eq!(host.say(&format!("AT+CMGS={length}")), "\r\n> ");
    assert_eq!(host.type_at(0, digits.as_bytes()), "");
    assert_eq!(host.type_at(0, b"\x1a"), "", "the network takes its time");
    host.run(2000);
    assert_eq!(host.heard(), ok("+CMGS: 1"));
    assert_eq!(host.phone_texts(), ["hello"]);
    // A wrong length, no PDU at all, and an escape.
    host.say(&format!("AT+CMGS={}", length + 1));
    assert_eq!(
        host.type_at(0, format!("{digits}\x1a").as_bytes()),
        "\r\n+CMS ERROR: 304\r\n"
    );
    host.say("AT+CMGS=20");
    assert_eq!(host.type_at(0, b"no pdu\x1a"), "\r\n+CMS ERROR: 304\r\n");
    host.say("AT+CMGS=20");
    assert_eq!(host.type_at(0, b"001\x1b"), "\r\nOK\r\n");
    assert_eq!(host.say("AT+CMGS=0"), "\r\n+CMS ERROR: 304\r\n");
    host.does("registration lost");
    host.say(&format!("AT+CMGS={length}"));
    assert_eq!(
        host.type_at(0, format!("{digits}\x1a").as_bytes()),
        "\r\n+CMS ERROR: 331\r\n"
    );
}

#[test]
fn a_repeat_keeps_its_reference_and_is_refused_as_a_duplicate() {
    let mut host = Host::generic();
    let again = |submit: &mut Submit| (submit.reference, submit.reject_duplicates) = (77, true);
    let (length, digits) = pdu("10086", "once", again);
    for wanted in [ok("+CMGS: 77"), "\r\n+CMS ERROR: 197\r\n".to_owned()] {
        host.say(&format!("AT+CMGS={length}"));
        host.type_at(0, format!("{digits}\x1a").as_bytes());
        host.run(1000);
        assert_eq!(host.heard(), wanted);
    }
}

#[test]
fn a_message_is_sent_as_text_in_each_charset() {
    let mut host = Host::generic();
    host.say("AT+CMGF=1");
    let cases = [
        ("GSM", "0", "price @ 5\r\nnew"),
        ("UCS2", "8", "6CF56C34"),
        ("HEX", "4", "00FF"),
        ("UCS2", "0", "0041"),
    ];
    for (charset, dcs, typed) in cases {
        assert_eq!(
            host.say(&format!("AT+CSCS=\"{charset}\";+CSMP=17,167,0,{dcs}")),
            "\r\nOK\r\n"
        );
        assert_eq!(host.say("AT+CMGS=\"+8613912345678\""), "\r\n> ");
        host.type_at(0, format!("{typed}\x1a").as_bytes());
        host.run(2000);
        assert!(host.heard().contains("+CMGS: "), "{charset}");
    }
    assert_eq!(host.phone_texts(), ["price @ 5\nnew", "泵水", "A"]);
    host.say("AT+CMGS=\"10086\"");
    assert_eq!(host.type_at(0, b"no hex\x1a"), "\r\n+CMS ERROR: 305\r\n");
}

#[test]
fn a_received_message_is_stored_told_read_and_deleted() {
    let mut host = Host::generic();
    host.say("AT+CNMI=2,1");
    host.get_text("hello");
    assert_eq!(host.heard(), "\r\n+CMTI: \"SM\",1\r\n");
    let digits = "0891683108501305F0040D91683119325476F8000062101000000023";
    let list = host.say("AT+CMGL=4");
    assert!(
        list.starts_with("\r\n+CMGL: 1,0,,25\r\n") && list.contains(&digits[..30]),
        "{list}"
    );
    assert!(
        host.say("AT+CMGR=1").starts_with("\r\n+CMGR: 1,,25\r\n"),
        "read now"
    );
    assert_eq!(
        host.say("AT+CPMS?"),
        ok("+CPMS: \"SM\",1,30,\"SM\",1,30,\"SM\",1,30")
    );
    assert_eq!(host.say("AT+CMGD=1"), "\r\nOK\r\n");
    assert_eq!(host.say("AT+CMGR=1"), "\r\nOK\r\n", "an empty place");
    assert_eq!(host.say("AT+CMGD=31"), "\r\n+CMS ERROR: 321\r\n");
    assert_eq!(host.say("AT+CMGL=4"), "\r\nOK\r\n");
}

#[test]
fn manual_2_8_6_7_a_text_is_listed_in_text_mode() {
    let mut host = Host::generic();
    host.say("AT+CMGF=1;+CNMI=2,0");
    host.get_text("hello");
    host.does("sms from 10086 \"余额\"");
    host.run(1000);
    assert_eq!(host.heard(), "");
    let stamp = "26/01/01,00:00:0";
    let list = host.say("AT+CMGL=\"ALL\"");
    let wanted = [
        format!("+CMGL: 1,\"REC UNREAD\",\"+8613912345678\",,\"{stamp}0+32\"\r\nhello"),
        format!("+CMGL: 2,\"REC UNREAD\",\"10086\",,\"{stamp}1+32\"\r\n4F59989D"),
    ];
    assert_eq!(list, format!("\r\n{}\r\n\r\nOK\r\n", wanted.join("\r\n")));
    assert_eq!(host.say("AT+CMGL=\"REC UNREAD\""), "\r\nOK\r\n");
    host.say("AT+CSDH=1");
    let read = host.say("AT+CMGR=1");
    assert!(
        read.contains("+32\",145,4,0,0,\"+8613800531500\",145,5\r\nhello\r\n"),
        "{read}"
    );
    assert_eq!(host.say("AT+CMGL=\"SOME\""), "\r\n+CMS ERROR: 302\r\n");
}

#[test]
fn a_full_card_leaves_messages_with_the_network_until_a_place_is_free() {
    let mut host = Host::new(Setup {
        places: 2,
        ..Setup::default()
    });
    host.say("ATE0+CNMI=2,1");
    host.heard();
    for text in ["1", "2", "3"] {
        host.get_text(text);
    }
    assert_eq!(
        host.heard(),
        "\r\n+CMTI: \"SM\",1\r\n\r\n+CMTI: \"SM\",2\r\n"
    );
    host.run(600_000);
    assert_eq!(host.heard(), "", "the network tries in vain");
    assert_eq!(host.say("AT+CMGD=1"), "\r\nOK\r\n\r\n+CMTI: \"SM\",1\r\n");
    assert_eq!(host.rack.network().counters().delivered, 3);
    assert_eq!(
        host.say("AT+CPMS=\"ME\",\"ME\",\"ME\""),
        ok("+CPMS: 0,2,0,2,0,2")
    );
    host.get_text("4");
    assert_eq!(host.heard(), "\r\n+CMTI: \"ME\",1\r\n");
}

#[test]
fn messages_go_straight_to_the_host_and_with_csms_1_are_acknowledged() {
    let mut host = Host::generic();
    host.say("AT+CNMI=2,2,0,1,0");
    host.get_text("hello");
    let heard = host.heard();
    assert!(
        heard.starts_with("\r\n+CMT: ,25\r\n0891683108501305F0"),
        "{heard}"
    );
    assert_eq!(host.say("AT+CMGL=4"), "\r\nOK\r\n");
    assert_eq!(host.say("AT+CSMS=1"), ok("+CSMS: 1,1,1"));
    host.get_text("again");
    host.heard();
    assert_eq!(host.rack.network().counters().delivered, 1);
    assert_eq!(host.say("AT+CNMA"), "\r\nOK\r\n");
    assert_eq!(host.rack.network().counters().delivered, 2);
    assert_eq!(host.say("AT+CNMA"), "\r\n+CMS ERROR: 340\r\n");
    // Not acknowledged: shown no more, but not lost.
    host.get_text("third");
    host.run(20_000);
    host.heard();
    assert_eq!(host.say("AT+CNMI?"), ok("+CNMI: 2,0,0,0,0"));
    host.run(200_000);
    assert!(host.say("AT+CMGL=4").contains("+CMGL: 1,0,,"));
}

#[test]
fn a_report_comes_as_cds_or_is_stored() {
    let mut host = Host::generic();
    host.say("AT+CNMI=2,1,0,1,0");
    let (length, digits) = pdu("10010", "report", |submit| submit.report = true);
    for wanted in ["+CDS: 22\r\n", "+CDSI: \"SM\",1\r\n"] {
        host.say(&format!("AT+CMGS={length}"));
        host.type_at(0, format!("{digits}\x1a").as_bytes());
        host.run(5000);
        assert!(host.heard().contains(wanted), "{wanted}");
        host.say("AT+CNMI=2,1,0,2,0");
    }
}

#[test]
fn messages_are_written_and_sent_from_the_store() {
    let mut host = Host::generic();
    let (length, digits) = pdu("10010", "stored", |_| {});
    host.say(&format!("AT+CMGW={length}"));
    assert_eq!(
        host.type_at(0, format!("{digits}\x1a").as_bytes()),
        ok("+CMGW: 1")
    );
    assert!(host.say("AT+CMGL=2").contains("+CMGL: 1,2,,"));
    assert_eq!(host.say("AT+CMSS=1"), "");
    host.run(2000);
    assert_eq!(host.heard(), ok("+CMSS: 1"));
    assert!(host.say("AT+CMGL=3").contains("+CMGL: 1,3,,"));
    host.say("AT+CMSS=1,\"+8613912345678\"");
    host.run(2000);
    assert_eq!(host.heard(), ok("+CMSS: 2"));
    assert_eq!(host.phone_texts(), ["stored", "stored"]);
    assert_eq!(host.say("AT+CMSS=9"), "\r\n+CMS ERROR: 321\r\n");
}

#[test]
fn every_test_form_that_clients_ask_for_is_answered() {
    let mut host = Host::generic();
    let names = [
        "CMGF", "CPMS", "CSCS", "CNMI", "CSMS", "CMGD", "CMGL", "CREG", "CFUN", "CGDCONT", "CLCC",
        "CMEE", "CSQ", "CCLK", "CGATT", "CGACT",
    ];
    for name in names {
        let answer = host.say(&format!("AT+{name}=?"));
        assert!(answer.ends_with("\r\nOK\r\n"), "{name}: {answer}");
    }
}
