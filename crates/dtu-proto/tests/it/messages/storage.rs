//! Storage and notifications.

use super::*;

#[test]
fn in_the_command_state_a_message_is_told_whole_and_by_its_place() {
    let mut dev = booted(at_mode());
    dev.sms_from(PHONE, "hi\tthere")
        .wait(100)
        .prints("\r\n+CISMS:+8613800138000,14-09-10-15:00:01,hi there\r\n\r\n+CMTI: \"SM\",1\r\n");
    dev.sms_from("10010", "水泵")
        .wait(99)
        .prints_nothing()
        .wait(101)
        .prints(
            [
                &b"\r\n+CISMS:10010,14-09-10-15:00:02,"[..],
                &[0xCB, 0xAE, 0xB1, 0xC3],
                b"\r\n\r\n+CMTI: \"SM\",2\r\n",
            ]
            .concat(),
        );
    dev.command("AT+CMGF=1", "\r\nOK\r\n");
    dev.command(
        "AT+CMGL=\"REC UNREAD\"",
        "\r\n+CMGL: 1,\"REC UNREAD\",\"+8613800138000\",,\"14/09/10,15:00:01+32\"\r\nhi\\tthere\r\n\
         +CMGL: 2,\"REC UNREAD\",\"10010\",,\"14/09/10,15:00:02+32\"\r\n6C346CF5\r\n\r\nOK\r\n"
            .replace("\\t", "\t")
            .as_str(),
    );
    assert_eq!(dev.modem.taken, [1, 2]);
}

#[test]
fn a_long_message_is_told_once_and_stored_part_by_part() {
    let mut dev = booted(at_mode());
    let text = "0123456789".repeat(20);
    dev.sms_from(PHONE, &text).wait(200);
    let told = dev.printed();
    assert_eq!(
        (
            told.matches("+CISMS:").count(),
            told.matches("+CMTI:").count()
        ),
        (1, 2)
    );
    assert!(told.contains(&text), "{told}");
}

#[test]
fn the_data_state_is_never_disturbed_and_places_are_told_later() {
    let mut dev = booted(data_mode());
    dev.sms_from(PHONE, "one")
        .sms_from(PHONE, "two")
        .prints_nothing();
    assert_eq!(
        escaped(&mut dev),
        "\\r\\n+CMTI: \\\"SM\\\",1\\r\\n\\r\\n+CMTI: \\\"SM\\\",2\\r\\n"
    );
    dev.command("AT+CNMI=1,1", "\r\nOK\r\n")
        .command("AT+ENTM", "\r\nOK\r\n")
        .sms_from(PHONE, "three");
    dev.wait(1000).escape().prints_nothing();
}

#[test]
fn no_more_than_thirty_two_places_are_told_later() {
    let mut dev = booted(data_mode());
    for _ in 0..36 {
        dev.sms_from(PHONE, "x");
    }
    let told = escaped(&mut dev);
    assert_eq!(told.matches("+CMTI:").count(), 32);
    assert!(
        told.contains(",36\\r\\n") && !told.contains(",4\\r\\n"),
        "{told}"
    );
    assert_eq!(dev.dtu.status(dev.now).serial.counters.dropped_urcs, 4);
}

#[test]
fn nothing_is_printed_into_the_answer_of_a_command() {
    let mut dev = booted(at_mode());
    dev.command("AT+CMGF=1", "\r\nOK\r\n")
        .serial("AT+CMGS=10086\r")
        .prints("\r\n> ");
    dev.sms_from(PHONE, "x").prints_nothing();
    dev.serial("y\x1A")
        .prints("\r\n+CMGS: 42\r\n\r\nOK\r\n")
        .wait(600)
        .prints("\r\n+CISMS:+8613800138000,14-09-10-15:00:01,x\r\n\r\n+CMTI: \"SM\",1\r\n");
}

#[test]
fn two_lines_that_nobody_asked_for_are_a_tenth_of_a_second_apart() {
    let mut dev = booted(at_mode());
    dev.command("AT+CMEE=1", "\r\nOK\r\n")
        .sms_from(PHONE, "one")
        .sms_from(PHONE, "two");
    dev.wait(500)
        .prints("\r\n+CMTI: \"SM\",1\r\n")
        .wait(99)
        .prints_nothing();
    dev.wait(1).prints("\r\n+CMTI: \"SM\",2\r\n");
}

#[test]
fn a_dialogue_is_not_disturbed_unless_it_never_ends() {
    let mut dev = booted(at_mode());
    dev.command("AT", "\r\nOK\r\n").sms_from(PHONE, "x");
    for _ in 0..33 {
        dev.wait(300).command("AT", "\r\nOK\r\n");
    }
    dev.wait(100);
    assert!(dev.printed().starts_with("\\r\\n+CISMS:"));
}

#[test]
fn cnmi_2_2_prints_messages_and_stores_none() {
    let mut dev = booted(at_mode());
    dev.command("AT+CNMI=2,2;+CMGF=1", "\r\nOK\r\n").sms_from(PHONE, "x").prints_nothing().wait(1000).prints(
        "\r\n+CISMS:+8613800138000,14-09-10-15:00:01,x\r\n\r\n+CMT: \"+8613800138000\",,\"14/09/10,15:00:01+32\"\r\nx\r\n",
    );
    dev.command(
        "AT+CPMS?",
        "\r\n+CPMS: \"SM\",0,50,\"SM\",0,50,\"SM\",0,50\r\n\r\nOK\r\n",
    );
    assert_eq!(
        (dev.modem.taken.as_slice(), counters(&dev).printed),
        (&[1][..], 1)
    );
}

#[test]
fn status_reports_are_told_as_cnmi_says() {
    let mut dev = booted(at_mode());
    dev.brings(&report("10086", 1));
    dev.prints_nothing()
        .command("AT+CNMI=2,1,0,1", "\r\nOK\r\n")
        .brings(&report("10086", 2));
    assert!(dev.wait(500).printed().starts_with("\\r\\n+CDS: "));
    dev.command("AT+CNMI=2,1,0,2", "\r\nOK\r\n")
        .brings(&report("10086", 3));
    dev.wait(500)
        .prints("\r\n+CDSI: \"SM\",1\r\n")
        .command("AT+CMGF=1", "\r\nOK\r\n");
    dev.command(
        "AT+CMGR=1",
        "\r\n+CMGR: \"REC UNREAD\",2,3,\"10086\",129,\"14/09/10,15:00:00+32\",\"14/09/10,15:00:00+32\",0\r\n\r\nOK\r\n",
    );
    assert_eq!((counters(&dev).reports, dev.modem.taken.len()), (3, 3));
}

#[test]
fn a_full_storage_takes_no_more_until_there_is_room() {
    let mut dev = booted(data_mode());
    for _ in 0..52 {
        dev.sms_from(PHONE, "x");
    }
    assert_eq!(
        (
            dev.modem.taken.len(),
            dev.dtu.status(dev.now).messages.not_taken
        ),
        (50, 2)
    );
    dev.sms_from(PHONE, "abc,AT")
        .network_takes(&[(PHONE, "OK")]);
    escaped(&mut dev);
    let told = "\r\n+CISMS:+8613800138000,14-09-10-15:00:51,x\r\n\r\n+CMTI: \"SM\",7\r\n";
    dev.command("AT+CMGD=7", "\r\nOK\r\n")
        .wait(600)
        .prints(told);
    assert_eq!(dev.modem.taken.len(), 52); // one of them the command
}

#[test]
fn a_long_message_gets_its_places_one_by_one_and_what_is_given_up_waits_behind_it() {
    let mut dev = booted(Config {
        restart_time: 0,
        ..data_mode()
    });
    for _ in 0..49 {
        dev.sms_from(PHONE, "x");
    }
    dev.brings(&parts("10010", Body::text(&"y".repeat(161)), 1, stamp(100))[0]);
    dev.sms_from(PHONE, &"z".repeat(161)).days(2);
    let status = dev.dtu.status(dev.now).messages;
    assert_eq!(
        (
            status.stored,
            status.not_taken,
            status.parts,
            status.counters.incomplete
        ),
        (50, 1, 1, 0)
    );
    escaped(&mut dev);
    dev.command("AT+CMGD=1;+CMGD=2", "\r\nOK\r\n");
    let status = dev.dtu.status(dev.now).messages;
    assert_eq!(
        (
            status.stored,
            status.not_taken,
            status.parts,
            status.counters.incomplete
        ),
        (50, 0, 0, 1)
    );
}

#[test]
fn a_full_storage_makes_room_of_what_was_read() {
    let mut dev = booted(Config {
        restart_time: 0,
        ..data_mode()
    });
    for _ in 0..50 {
        dev.sms_from(PHONE, "x");
    }
    escaped(&mut dev);
    dev.serial("AT+CMGR=9\r").printed();
    // Not while the DTE looks after the storage itself: it might delete the place that it has just read.
    dev.sms_from(PHONE, "new").wait(599_999).prints_nothing();
    dev.wait(101)
        .prints("\r\n+CISMS:+8613800138000,14-09-10-15:00:51,new\r\n\r\n+CMTI: \"SM\",9\r\n");
    assert_eq!(counters(&dev).evicted, 1);
    assert!(
        dev.events
            .contains(&Event::MessageLost(MessageLoss::Evicted))
    );
}

#[test]
fn what_was_told_whole_makes_room_unless_the_dte_reads_its_storage() {
    let mut dev = booted(at_mode());
    for _ in 0..60 {
        dev.sms_from(PHONE, "x").wait(500);
    }
    assert_eq!((dev.modem.taken.len(), counters(&dev).evicted), (60, 10));
    let mut dev = booted(at_mode());
    dev.serial("AT+CMGL=4\r").printed();
    for _ in 0..60 {
        dev.sms_from(PHONE, "x").wait(500);
    }
    assert_eq!((dev.modem.taken.len(), counters(&dev).evicted), (50, 0));
    dev.wait(600_000 - 60 * 500);
    assert_eq!((dev.modem.taken.len(), counters(&dev).evicted), (60, 10));
}

#[test]
fn what_the_storage_holds_survives_a_kill() {
    let mut dev = booted(at_mode());
    dev.sms_from(PHONE, "one")
        .sms_from(PHONE, "two")
        .serial("AT+CMGR=1\r")
        .printed();
    dev.killed(at_mode())
        .at(300)
        .prints(BANNER)
        .command("AT+CMGF=1", "\r\nOK\r\n");
    dev.command(
        "AT+CMGL=\"ALL\"",
        "\r\n+CMGL: 1,\"REC READ\",\"+8613800138000\",,\"14/09/10,15:00:01+32\"\r\none\r\n\
         +CMGL: 2,\"REC UNREAD\",\"+8613800138000\",,\"14/09/10,15:00:02+32\"\r\ntwo\r\n\r\nOK\r\n",
    );
}

/// 27.005 3.4.1: the terminal keeps its news for itself.
#[test]
fn cnmi_0_stores_messages_and_tells_of_none() {
    let mut dev = booted(at_mode());
    // The text itself is another matter (manual 2.8.6.33).
    dev.command("AT+CNMI=0,1", "\r\nOK\r\n")
        .sms_from(PHONE, "x")
        .wait(60_000)
        .prints("\r\n+CISMS:+8613800138000,14-09-10-15:00:01,x\r\n")
        .command("AT+CNMI=2,1", "\r\nOK\r\n")
        .wait(60_000)
        .prints_nothing();
    dev.command(
        "AT+CPMS?",
        "\r\n+CPMS: \"SM\",1,50,\"SM\",1,50,\"SM\",1,50\r\n\r\nOK\r\n",
    );
}

/// 27.005 3.4.1: `<mt>` 2 prints all but class 2, 3 prints class 3 alone. What is not printed is stored and told.
#[test]
fn cnmi_prints_messages_by_their_class() {
    for (mt, class, printed) in [
        (2, None, true),
        (2, Some(1), true),
        (2, Some(2), false),
        (3, None, false),
        (3, Some(2), false),
        (3, Some(3), true),
    ] {
        let mut dev = booted(at_mode());
        dev.command(&format!("AT+CNMI=2,{mt};+CMGF=1"), "\r\nOK\r\n");
        let mut message = Deliver::new(
            Address::number(PHONE).unwrap(),
            UserData::plain(Body::text("x")),
            stamp(1),
        );
        if let Some(class) = class {
            message.dcs = message.dcs.with_class(class);
        }
        let tpdu = Tpdu::Deliver(message);
        let pdu = Pdu { smsc: None, tpdu }.encode().unwrap();
        dev.brings(&Bytes::from(pdu));
        dev.wait(2000);
        let told = dev.printed();
        assert_eq!(told.contains("+CMT:"), printed, "{mt} {class:?}: {told}");
        assert_eq!(told.contains("+CMTI:"), !printed, "{mt} {class:?}: {told}");
    }
}

/// It stays with the modem until there is room, as a message does.
#[test]
fn a_status_report_that_is_to_be_stored_waits_for_room() {
    let mut config = data_mode();
    config.messages.notify.reports = 2;
    let mut dev = booted(config);
    for _ in 0..50 {
        dev.sms_from(PHONE, "x");
    }
    dev.brings(&report("10086", 1));
    let state = |dev: &Bench| {
        let messages = dev.dtu.status(dev.now).messages;
        (
            dev.modem.taken.len(),
            messages.not_taken,
            messages.counters.reports,
        )
    };
    assert_eq!(state(&dev), (50, 1, 0));
    dev.console_line("AT+CMGD=7").wait(100_000);
    assert_eq!(state(&dev), (51, 0, 1));
}
