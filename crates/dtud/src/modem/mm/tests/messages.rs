//! Messages both ways.

use super::*;

#[test]
fn a_message_stays_with_the_modem_until_all_its_parts_are_taken() {
    run(async {
        let fake = Fake::default();
        modem(&fake);
        let mut host = Host::new(&fake, options());
        host.until_clock().await;
        let text = "泵".repeat(100);
        let values = [
            ("Number", value("+8613912345678")),
            ("Text", value(text.as_str())),
            ("Timestamp", value("2026-11-22T17:00:00+08")),
            ("SMSC", value("+8613800100500")),
        ];
        fake.receive("4", &values).await;
        let (one, two) = (host.message().await, host.message().await);
        let texts = [&one.1, &two.1].map(|tpdu| tpdu.data().unwrap().text().unwrap());
        assert_eq!(texts.concat(), text);
        let Tpdu::Deliver(part) = &two.1 else {
            panic!("{two:?}")
        };
        assert_eq!(
            (part.from.text(), part.stamp.to_string().as_str()),
            ("8613912345678", "2026-11-22T17:00:00+08:00")
        );
        let concat = part.data.header.as_ref().unwrap().concat().unwrap();
        assert_eq!((concat.total, concat.part), (2, 2));
        host.order(ModemOutput::Taken(two.0)).await;
        // A message that came whole, and is taken, shows that the first was left.
        fake.receive("5", &[("Number", value("10086")), ("Text", value("hello"))])
            .await;
        let (id, short) = host.message().await;
        assert_eq!(short.data().unwrap().text().unwrap(), "hello");
        host.order(ModemOutput::Taken(id)).await;
        called(&fake, "Delete 5").await;
        assert_eq!(fake.calls(), ["Delete 5"]);
        host.order(ModemOutput::Taken(one.0)).await;
        called(&fake, "Delete 4").await;
    });
}

#[test]
fn no_message_is_deleted_while_one_is_being_sent() {
    run(async {
        let fake = Fake::default();
        modem(&fake);
        let mut host = Host::new(&fake, options());
        host.until_clock().await;
        fake.receive("4", &[("Number", value("10086")), ("Text", value("hello"))])
            .await;
        let (id, _) = host.message().await;
        fake.refuse("Send", HOLD, "");
        let pdu = Bytes::from(octets(submit(UserData::plain(Body::text("hello")))));
        host.order(ModemOutput::Submit { token: 9, pdu }).await;
        called(&fake, "Send").await;
        host.order(ModemOutput::Taken(id)).await;
        // Orders are carried out one after the other: when the call is made the order before it is done with.
        host.order(ModemOutput::Dial(PhoneNumber::new("10086").unwrap()))
            .await;
        assert_eq!(host.call().await, CallNews::Alerting);
        assert!(
            !fake.calls().contains(&"Delete 4".to_owned()),
            "{:?}",
            fake.calls()
        );
        fake.answer_held("org.freedesktop.ModemManager1.Error.Message.NoNetwork")
            .await;
        called(&fake, "Delete 4").await;
    });
}

#[test]
fn messages_that_were_there_before_are_told_and_a_copy_has_the_same_octets() {
    run(async {
        let text = "0123456789".repeat(40);
        let mut copies = Vec::new();
        for name in ["1", "77"] {
            let fake = Fake::default();
            modem(&fake);
            let path = format!("/org/freedesktop/ModemManager1/SMS/{name}");
            let values: [(&str, OwnedValue); 5] = [
                ("PduType", value(1u32)),
                ("State", value(3u32)),
                ("Number", value("10086")),
                ("Text", value(text.as_str())),
                ("Timestamp", value("2026-11-22T17:00:00+08:00")),
            ];
            fake.put(&path, ".Sms", &values);
            let mut host = Host::new(&fake, options());
            copies.push([
                host.message().await.1,
                host.message().await.1,
                host.message().await.1,
            ]);
        }
        assert_eq!(copies[0], copies[1]);
    });
}

#[test]
fn a_message_is_told_when_its_last_part_is_there() {
    run(async {
        let fake = Fake::default();
        modem(&fake);
        let mut host = Host::new(&fake, options());
        host.until_clock().await;
        let values = [
            ("State", value(2u32)),
            ("Number", value("10086")),
            ("Text", value("half")),
        ];
        let path = fake.receive("9", &values).await;
        fake.receive(
            "10",
            &[
                ("Number", value("USR IOT")),
                ("Data", value(vec![0u8, 255])),
            ],
        )
        .await;
        let (_, data) = host.message().await;
        assert_eq!(data.data().unwrap().body, Body::Octets(vec![0, 255]));
        let Tpdu::Deliver(data) = data else {
            panic!("{data:?}")
        };
        assert!(data.from.is_name() && data.from.text() == "USR IOT");
        fake.change(
            &path,
            ".Sms",
            &[("State", value(3u32)), ("Text", value("half and half"))],
        )
        .await;
        assert_eq!(
            host.message().await.1.data().unwrap().text().unwrap(),
            "half and half"
        );
    });
}

#[test]
fn a_status_report_keeps_its_reference_and_its_state() {
    run(async {
        let fake = Fake::default();
        modem(&fake);
        let mut host = Host::new(&fake, options());
        host.until_clock().await;
        let values = [
            ("PduType", value(3u32)),
            ("Number", value("+8613912345678")),
            ("MessageReference", value(77u32)),
            ("DeliveryState", value(0x46u32)),
            ("Timestamp", value("2026-11-22T17:00:00+08")),
            ("DischargeTimestamp", value("2026-11-22T17:00:09+08")),
        ];
        fake.receive("3", &values).await;
        let (_, Tpdu::StatusReport(report)) = host.message().await else {
            panic!("no report")
        };
        assert_eq!((report.reference, report.status), (77, Status(0x46)));
        assert_eq!(report.discharge.to_string(), "2026-11-22T17:00:09+08:00");
    });
}

#[test]
fn a_submit_becomes_a_message_of_modemmanager_and_is_taken_away_again() {
    run(async {
        let fake = Fake::default();
        modem(&fake);
        let mut host = Host::new(&fake, options());
        host.until_clock().await;
        let plain = submit(UserData::plain(Body::text("hello")));
        assert_eq!(
            host.submit(octets(Submit {
                report: true,
                ..plain
            }))
            .await,
            Ok(77)
        );
        let data = submit(UserData::plain(Body::Octets(vec![1, 2])));
        let tpdu = Tpdu::Submit(data);
        let center = Address::number("+8613800100500");
        assert_eq!(
            host.submit(Pdu { smsc: center, tpdu }.encode().unwrap())
                .await,
            Ok(77)
        );
        let wanted = [
            "Create delivery-report-request=true number=\"+8613912345678\" text=\"hello\"",
            "Send",
            "Delete new1",
            "Create data=[byte 0x01, 0x02] number=\"+8613912345678\" smsc=\"+8613800100500\"",
            "Send",
            "Delete new2",
        ];
        assert_eq!(fake.calls(), wanted);
    });
}

#[test]
fn each_part_of_a_long_message_is_a_message_of_its_own() {
    run(async {
        let fake = Fake::default();
        modem(&fake);
        let mut host = Host::new(&fake, options());
        host.until_clock().await;
        let text = "abcdefghij".repeat(20);
        for part in split(
            Body::text(&text),
            Header::default(),
            Reference::Narrow(1),
            10,
        )
        .unwrap()
        {
            assert_eq!(host.submit(octets(submit(part))).await, Ok(77));
        }
        let calls = fake.calls();
        let texts = calls
            .iter()
            .filter_map(|call| call.split_once("text=\"")?.1.strip_suffix('"'));
        assert_eq!(texts.collect::<String>(), text);
    });
}

#[test]
fn what_modemmanager_cannot_send_or_refuses_has_its_number() {
    run(async {
        let fake = Fake::default();
        modem(&fake);
        let mut host = Host::new(&fake, options());
        host.until_clock().await;
        let ports = Header::default().with_ports(Ports {
            to: 2948,
            from: 9200,
        });
        let pushed = UserData {
            header: Some(ports),
            body: Body::text("x"),
        };
        assert_eq!(
            host.submit(octets(submit(pushed))).await,
            Err(SubmitFailure(303))
        );
        assert_eq!(
            host.submit(hex::decode("0004").unwrap()).await,
            Err(SubmitFailure(304))
        );
        assert_eq!(fake.calls(), Vec::<String>::new());
        let hello = || octets(submit(UserData::plain(Body::text("hello"))));
        fake.refuse(
            "Send",
            "org.freedesktop.ModemManager1.Error.Message.NoNetwork",
            "No network",
        );
        assert_eq!(host.submit(hello()).await, Err(SubmitFailure::NO_NETWORK));
        called(&fake, "Delete new1").await;
        fake.allow("Send");
        assert_eq!(host.submit(hello()).await, Ok(77));
    });
}
