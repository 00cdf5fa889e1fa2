//! Messages for applications.

use super::*;

/// To the port of WAP push: an MMS that waits, in so many octets.
fn push(header: Header, octets: usize, second: u32) -> Bytes {
    let data = UserData {
        header: Some(header),
        body: Body::Octets(vec![0xBE; octets]),
    };
    deliver(Address::number("1065810").unwrap(), data, stamp(second))
}

fn to_port() -> Header {
    Header::default().with_ports(Ports {
        to: 2948,
        from: 9200,
    })
}

#[test]
fn m12_an_mms_is_stored_and_told_and_never_printed_to_the_equipment() {
    let mut dev = booted(sms_mode());
    // 8-bit ports are ports too.
    let narrow = Header::new(&[4, 2, 240, 241]);
    dev.at(1000).brings(&push(to_port(), 18, 1));
    dev.brings(&push(narrow, 18, 2));
    dev.wait(1000).prints_nothing();
    let told = |port| Event::MessageToPort {
        from: "1065810".into(),
        port,
    };
    assert!(
        dev.events.contains(&told(2948)) && dev.events.contains(&told(240)),
        "{:?}",
        dev.events
    );
    assert_eq!(
        (
            dev.dtu.status(dev.now).messages.stored,
            dev.modem.taken.len()
        ),
        (2, 2)
    );
    assert_eq!(
        escaped(&mut dev),
        "\\r\\n+CMTI: \\\"SM\\\",1\\r\\n\\r\\n+CMTI: \\\"SM\\\",2\\r\\n"
    );
    dev.command(
        "AT+CMEE=1;+CMGF=1;+CMGR=2",
        &format!(
            "\r\n+CMGR: \"REC UNREAD\",\"1065810\",,\"14/09/10,15:00:02+32\"\r\n{}\r\n\r\nOK\r\n",
            "BE".repeat(18)
        ),
    );
}

#[test]
fn m12_the_parts_of_an_mms_are_stored_too() {
    let mut dev = booted(sms_mode());
    let part = |part| {
        to_port().with_concat(Concat {
            reference: Reference::Narrow(9),
            total: 2,
            part,
        })
    };
    dev.at(1000).brings(&push(part(2), 50, 1));
    dev.brings(&push(part(1), 120, 2));
    dev.wait(1000).prints_nothing();
    assert_eq!(dev.dtu.status(dev.now).messages.stored, 2);
}

#[test]
fn m12_a_message_to_a_port_is_no_command() {
    for config in [sms_mode(), at_mode(), data_mode()] {
        let mut dev = booted(config);
        let data = UserData {
            header: Some(to_port()),
            body: Body::text("abc,AT+CIPSW=other"),
        };
        dev.at(1000)
            .brings(&deliver(Address::number(PHONE).unwrap(), data, stamp(1)));
        dev.wait(1000).network_takes(&[]);
        assert_eq!(
            (
                counters(&dev).commands,
                dev.dtu.status(dev.now).messages.stored
            ),
            (0, 1)
        );
    }
}

#[test]
fn m12_in_the_command_state_its_octets_are_not_printed_as_a_text() {
    let mut dev = booted(at_mode());
    dev.at(1000).brings(&push(to_port(), 18, 1));
    dev.wait(1000).prints("\r\n+CMTI: \"SM\",1\r\n");
}

#[test]
fn m12_pushes_that_nobody_reads_do_not_make_mode_4_deaf() {
    let mut dev = booted(sms_mode());
    dev.at(1000);
    for second in 0..60 {
        dev.brings(&push(to_port(), 18, second));
    }
    assert_eq!(
        (
            dev.dtu.status(dev.now).messages.stored,
            dev.modem.taken.len()
        ),
        (50, 60)
    );
    assert_eq!((counters(&dev).evicted, losses(&mut dev).len()), (10, 10));
    dev.sms_from(PHONE, "still here").prints("still here");
    // Nor while a DTE looks after the storage, and nothing there makes room.
    escaped(&mut dev);
    dev.wait(10_000).printed();
    dev.command("AT+CMGD=1,1", "\r\nOK\r\n");
    dev.command("AT+ENTM", "\r\nOK\r\n").wait(1000);
    dev.brings(&push(to_port(), 18, 100));
    dev.sms_from(PHONE, "and here").prints("and here");
    assert_eq!(dev.dtu.status(dev.now).messages.not_taken, 1);
}

/// There somebody may still read them: the modem keeps what finds no room.
#[test]
fn m12_pushes_to_a_device_that_carries_data_make_no_room() {
    let mut dev = booted(data_mode());
    for second in 0..60 {
        dev.brings(&push(to_port(), 18, second));
    }
    let messages = dev.dtu.status(dev.now).messages;
    assert_eq!((messages.stored, dev.modem.taken.len()), (50, 50));
    assert_eq!((messages.counters.evicted, messages.not_taken), (0, 10));
}
