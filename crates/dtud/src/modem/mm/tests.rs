use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use dtu_proto::config::Apn;
use dtu_proto::event::{ModemInput, ModemOutput};
use dtu_proto::radio::{
    Abilities, CallEnd, CallNews, Cell, ModemIdentity, Operator, PhoneNumber, Registration, Signal,
    SimState, SubmitFailure,
};
use modem_proto::PinHistory;
use sms_codec::address::Address;
use sms_codec::hex;
use sms_codec::pdu::{Pdu, Status, Submit, Tpdu};
use sms_codec::split::split;
use sms_codec::udh::{Header, Ports, Reference};
use sms_codec::user_data::{Body, UserData};
use zbus::zvariant::OwnedValue;

use super::super::note::Note;
use super::fake::{BEARER, Fake, HOLD, MODEM, SIM, object, value};
use super::worker::Door;
use super::*;

/// A modem with everything, registered.
fn modem(fake: &Fake) {
    let values = [
        ("State", value(8i32)),
        ("Sim", value(object(SIM))),
        ("Manufacturer", value("Quectel")),
        ("Model", value("EC25")),
        ("EquipmentIdentifier", value("860000000000017")),
        ("UnlockRequired", value(1u32)),
        (
            "UnlockRetries",
            value(std::collections::HashMap::from([(2u32, 3u32)])),
        ),
        ("StateFailedReason", value(0u32)),
        ("SignalQuality", value((67u32, true))),
        ("OwnNumbers", value(vec!["+8613800138000"])),
    ];
    fake.put(MODEM, ".Modem", &values);
    let network = [
        ("RegistrationState", value(1u32)),
        ("OperatorName", value("China Mobile")),
        ("OperatorCode", value("46000")),
    ];
    fake.put(MODEM, ".Modem.Modem3gpp", &network);
    let location = [("Capabilities", value(5u32)), ("Enabled", value(1u32))];
    fake.put(MODEM, ".Modem.Location", &location);
    for interface in [
        ".Modem.Messaging",
        ".Modem.Voice",
        ".Modem.Simple",
        ".Modem.Time",
    ] {
        fake.put(MODEM, interface, &[]);
    }
    fake.put(SIM, ".Sim", &[("Imsi", value("460001234567890"))]);
}

fn options() -> Options {
    Options {
        index: None,
        pin: None,
        note: None,
        carries_data: false,
    }
}

/// The driver, polled as the loop does.
struct Host {
    mm: Mm,
    started: std::time::Instant,
}

impl Host {
    fn new(fake: &Fake, options: Options) -> Self {
        let mm = Mm::through(Door::Peer(Some(fake.serve())), options);
        Self {
            mm,
            started: std::time::Instant::now(),
        }
    }

    fn now(&self) -> Instant {
        Instant::from_micros(u64::try_from(self.started.elapsed().as_micros()).unwrap())
    }

    async fn next(&mut self) -> ModemInput {
        let news = poll_fn(|cx| {
            let now = self.now();
            self.mm.poll(cx, now).map_or(Poll::Pending, Poll::Ready)
        });
        tokio::time::timeout(SOON, news).await.expect("news")
    }

    async fn order(&mut self, order: ModemOutput) {
        let now = self.now();
        poll_fn(|cx| {
            self.mm.order(order.clone(), now, cx);
            Poll::Ready(())
        })
        .await;
    }

    /// Everything up to the news that `wanted` likes.
    async fn until(&mut self, wanted: impl Fn(&ModemInput) -> bool) -> Vec<ModemInput> {
        let mut all = Vec::new();
        loop {
            let news = self.next().await;
            let last = wanted(&news);
            all.push(news);
            if last {
                return all;
            }
        }
    }

    async fn until_clock(&mut self) -> Vec<ModemInput> {
        self.until(|news| matches!(news, ModemInput::Clock(_)))
            .await
    }

    async fn message(&mut self) -> (u64, Tpdu) {
        match self
            .until(|news| matches!(news, ModemInput::Message { .. }))
            .await
            .pop()
        {
            Some(ModemInput::Message { id, pdu }) => (id, Pdu::decode(&pdu).unwrap().pdu.tpdu),
            other => panic!("{other:?}"),
        }
    }

    async fn call(&mut self) -> CallNews {
        match self
            .until(|news| matches!(news, ModemInput::Call(_)))
            .await
            .pop()
        {
            Some(ModemInput::Call(news)) => news,
            other => panic!("{other:?}"),
        }
    }

    async fn submit(&mut self, pdu: Vec<u8>) -> Result<u8, SubmitFailure> {
        self.order(ModemOutput::Submit {
            token: 5,
            pdu: Bytes::from(pdu),
        })
        .await;
        match self
            .until(|news| matches!(news, ModemInput::Submitted { .. }))
            .await
            .pop()
        {
            Some(ModemInput::Submitted { token: 5, outcome }) => outcome,
            other => panic!("{other:?}"),
        }
    }
}

const SOON: Duration = Duration::from_secs(20);

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(test);
}

/// Waits for calls that nothing is told of.
async fn called(fake: &Fake, wanted: &str) {
    let looking = async {
        while !fake.calls().iter().any(|call| call == wanted) {
            tokio::task::yield_now().await;
        }
    };
    let found = tokio::time::timeout(SOON, looking).await;
    assert!(found.is_ok(), "no {wanted:?} in {:?}", fake.calls());
}

fn submit(data: UserData) -> Submit {
    Submit::new(Address::number("+8613912345678").unwrap(), data)
}

fn octets(submit: Submit) -> Vec<u8> {
    Pdu {
        smsc: None,
        tpdu: Tpdu::Submit(submit),
    }
    .encode()
    .unwrap()
}

#[test]
fn a_modem_that_is_found_is_told_whole_and_in_order() {
    run(async {
        let fake = Fake::default();
        modem(&fake);
        let mut host = Host::new(&fake, options());
        let told = host.until_clock().await;
        let identity = ModemIdentity {
            imei: "860000000000017".to_owned(),
            imsi: "460001234567890".to_owned(),
            model: "Quectel EC25".to_owned(),
            abilities: Abilities {
                messages: true,
                calls: true,
            },
        };
        let operator = Operator {
            name: "China Mobile".to_owned(),
            code: "46000".to_owned(),
        };
        let zone = Some(32);
        assert_eq!(
            told,
            [
                ModemInput::Present(identity),
                ModemInput::Sim(SimState::Ready),
                ModemInput::OwnNumber(PhoneNumber::new("+8613800138000")),
                ModemInput::Signal(Signal {
                    strength: 21,
                    error_rate: 99
                }),
                ModemInput::Registration(Registration::Home),
                ModemInput::Operator(Some(operator)),
                ModemInput::Cell(Some(Cell {
                    area: 0x5315,
                    id: 0x852D
                })),
                ModemInput::Clock(dtu_proto::radio::NetworkTime {
                    seconds: 848_682_000,
                    zone
                }),
            ]
        );
        let network = [("RegistrationState", value(2u32))];
        fake.change(MODEM, ".Modem.Modem3gpp", &network).await;
        assert_eq!(
            host.next().await,
            ModemInput::Registration(Registration::Searching)
        );
        assert_eq!(host.next().await, ModemInput::Operator(None));
    });
}

#[test]
fn a_locked_card_gets_its_pin_once_and_the_modem_is_enabled() {
    run(async {
        let fake = Fake::default();
        modem(&fake);
        fake.put(
            MODEM,
            ".Modem",
            &[("State", value(2i32)), ("UnlockRequired", value(2u32))],
        );
        let mut host = Host::new(
            &fake,
            Options {
                pin: Some("1234".to_owned()),
                ..options()
            },
        );
        let told = host.until_clock().await;
        let sims: Vec<_> = told
            .iter()
            .filter(|news| matches!(news, ModemInput::Sim(_)))
            .collect();
        assert_eq!(
            sims,
            [
                &ModemInput::Sim(SimState::PinNeeded),
                &ModemInput::Sim(SimState::Ready)
            ]
        );
        assert_eq!(fake.calls(), ["SendPin 1234", "Enable true"]);
    });
}

#[test]
fn a_pin_that_was_refused_and_a_card_with_few_tries_are_left_alone() {
    for (left, tries) in [(3u32, vec!["SendPin"]), (2, vec![])] {
        run(async {
            let fake = Fake::default();
            modem(&fake);
            let retries = value(std::collections::HashMap::from([(2u32, left)]));
            let locked = [
                ("State", value(2i32)),
                ("UnlockRequired", value(2u32)),
                ("UnlockRetries", retries),
            ];
            fake.put(MODEM, ".Modem", &locked);
            let wrong = "org.freedesktop.ModemManager1.Error.MobileEquipment.IncorrectPassword";
            fake.refuse("SendPin", wrong, "Incorrect password");
            let mut host = Host::new(
                &fake,
                Options {
                    pin: Some("1234".to_owned()),
                    ..options()
                },
            );
            host.until(|news| *news == ModemInput::Sim(SimState::PinNeeded))
                .await;
            for quality in [10u32, 20] {
                fake.change(
                    MODEM,
                    ".Modem",
                    &[("SignalQuality", value((quality, true)))],
                )
                .await;
            }
            fake.change(MODEM, ".Modem", &[("UnlockRequired", value(4u32))])
                .await;
            host.until(|news| *news == ModemInput::Sim(SimState::PukNeeded))
                .await;
            assert_eq!(fake.calls(), tries);
        });
    }
}

#[test]
fn a_pin_that_the_card_took_is_given_again_after_a_reset() {
    run(async {
        let fake = Fake::default();
        modem(&fake);
        fake.put(
            MODEM,
            ".Modem",
            &[("State", value(2i32)), ("UnlockRequired", value(2u32))],
        );
        let mut host = Host::new(
            &fake,
            Options {
                pin: Some("1234".to_owned()),
                ..options()
            },
        );
        host.until_clock().await;
        fake.change(
            MODEM,
            ".Modem",
            &[("State", value(2i32)), ("UnlockRequired", value(2u32))],
        )
        .await;
        host.until(|news| *news == ModemInput::Sim(SimState::PinNeeded))
            .await;
        host.until(|news| *news == ModemInput::Sim(SimState::Ready))
            .await;
        let pins = fake
            .calls()
            .into_iter()
            .filter(|call| call == "SendPin 1234")
            .count();
        assert_eq!(pins, 2);
    });
}

#[test]
fn a_wrong_pin_is_sent_once_over_restarts_though_the_modem_does_not_tell_how_many_tries_are_left() {
    let folder = tempfile::tempdir().unwrap();
    for sent in [1, 0, 0] {
        run(async {
            let fake = Fake::default();
            modem(&fake);
            let retries = value(std::collections::HashMap::from([(2u32, 999u32)]));
            let locked = [
                ("State", value(2i32)),
                ("UnlockRequired", value(2u32)),
                ("UnlockRetries", retries),
            ];
            fake.put(MODEM, ".Modem", &locked);
            let wrong = "org.freedesktop.ModemManager1.Error.MobileEquipment.IncorrectPassword";
            fake.refuse("SendPin", wrong, "Incorrect password");
            let note = Some(Note::new(folder.path(), Some("1234")));
            let mut host = Host::new(
                &fake,
                Options {
                    pin: Some("1234".to_owned()),
                    note,
                    ..options()
                },
            );
            host.until(|news| *news == ModemInput::Sim(SimState::PinNeeded))
                .await;
            fake.change(MODEM, ".Modem", &[("UnlockRequired", value(4u32))])
                .await;
            host.until(|news| *news == ModemInput::Sim(SimState::PukNeeded))
                .await;
            assert_eq!(fake.calls().len(), sent, "{:?}", fake.calls());
        });
    }
}

/// The card that ModemManager counts three tries for has refused the PIN all the same.
#[test]
fn k6_a_refused_pin_is_not_sent_by_the_next_start_whatever_the_modem_says_of_its_tries() {
    let folder = tempfile::tempdir().unwrap();
    for (sent, refuses) in [(1, true), (0, false), (0, false)] {
        run(async {
            let fake = locked_card();
            if refuses {
                let wrong = "org.freedesktop.ModemManager1.Error.MobileEquipment.IncorrectPassword";
                fake.refuse("SendPin", wrong, "Incorrect password");
            }
            let note = Note::new(folder.path(), Some("1234"));
            let options = Options {
                pin: Some("1234".to_owned()),
                note: Some(note.clone()),
                ..options()
            };
            let mut host = Host::new(&fake, options);
            host.until(|news| *news == ModemInput::Sim(SimState::PinNeeded))
                .await;
            fake.change(MODEM, ".Modem", &[("UnlockRequired", value(4u32))])
                .await;
            host.until(|news| *news == ModemInput::Sim(SimState::PukNeeded))
                .await;
            assert_eq!(fake.calls().len(), sent, "{:?}", fake.calls());
            assert_eq!(note.history(), PinHistory::Refused);
        });
    }
}

#[test]
fn k6_the_note_of_a_pin_goes_when_the_card_is_open_and_not_before() {
    let folder = tempfile::tempdir().unwrap();
    run(async {
        let fake = locked_card();
        let note = Note::new(folder.path(), Some("1234"));
        let options = Options {
            pin: Some("1234".to_owned()),
            note: Some(note.clone()),
            ..options()
        };
        let mut host = Host::new(&fake, options);
        host.until(|news| *news == ModemInput::Sim(SimState::Ready))
            .await;
        assert_eq!(
            fake.calls().first().map(String::as_str),
            Some("SendPin 1234")
        );
        assert_eq!(note.history(), PinHistory::Accepted);
    });
}

/// Four starts with a state folder that could not be written locked the card.
#[test]
fn k6_a_pin_that_cannot_be_noted_is_not_sent() {
    let folder = tempfile::tempdir().unwrap();
    run(async {
        let fake = locked_card();
        let note = Some(Note::new(&folder.path().join("gone"), Some("1234")));
        let mut host = Host::new(
            &fake,
            Options {
                pin: Some("1234".to_owned()),
                note,
                ..options()
            },
        );
        host.until(|news| *news == ModemInput::Sim(SimState::PinNeeded))
            .await;
        fake.change(MODEM, ".Modem", &[("UnlockRequired", value(4u32))])
            .await;
        host.until(|news| *news == ModemInput::Sim(SimState::PukNeeded))
            .await;
        assert!(fake.calls().is_empty(), "{:?}", fake.calls());
    });
}

/// It waits for its PIN, and has all three tries.
fn locked_card() -> Fake {
    let fake = Fake::default();
    modem(&fake);
    let retries = value(std::collections::HashMap::from([(2u32, 3u32)]));
    let locked = [
        ("State", value(2i32)),
        ("UnlockRequired", value(2u32)),
        ("UnlockRetries", retries),
    ];
    fake.put(MODEM, ".Modem", &locked);
    fake
}

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

#[test]
fn a_modem_that_vanishes_answers_first_and_one_that_returns_is_told_anew() {
    run(async {
        let fake = Fake::default();
        modem(&fake);
        let mut host = Host::new(&fake, options());
        host.until_clock().await;
        fake.refuse("Send", HOLD, "");
        let pdu = Bytes::from(octets(submit(UserData::plain(Body::text("hello")))));
        host.order(ModemOutput::Submit { token: 9, pdu }).await;
        called(&fake, "Send").await;
        fake.vanish().await;
        let outcome = Err(SubmitFailure::NO_MODEM);
        assert_eq!(
            host.next().await,
            ModemInput::Submitted { token: 9, outcome }
        );
        assert_eq!(host.next().await, ModemInput::Gone);
        let pdu = octets(submit(UserData::plain(Body::text("hello"))));
        assert_eq!(host.submit(pdu).await, Err(SubmitFailure::NO_MODEM));
        host.order(ModemOutput::Dial(PhoneNumber::new("10086").unwrap()))
            .await;
        assert_eq!(host.call().await, CallNews::Ended(CallEnd::NoCarrier));
        modem(&fake);
        fake.appear().await;
        let told = host.until_clock().await;
        assert!(
            matches!(told.first(), Some(ModemInput::Present(_))),
            "{told:?}"
        );
    });
}

#[test]
fn a_modem_is_chosen_by_its_number() {
    run(async {
        let fake = Fake::default();
        modem(&fake);
        let seven = "/org/freedesktop/ModemManager1/Modem/7";
        let values = [("State", value(8i32)), ("Model", value("seven"))];
        fake.put(seven, ".Modem", &values);
        let mut host = Host::new(
            &fake,
            Options {
                index: Some(7),
                ..options()
            },
        );
        let ModemInput::Present(identity) = host.next().await else {
            panic!("nobody there")
        };
        let abilities = Abilities {
            messages: false,
            calls: false,
        };
        assert_eq!(
            (identity.model.as_str(), identity.abilities),
            ("seven", abilities)
        );
    });
}

#[test]
fn calls_ring_are_answered_refused_and_made() {
    run(async {
        let fake = Fake::default();
        modem(&fake);
        let mut host = Host::new(&fake, options());
        host.until_clock().await;
        let from = PhoneNumber::new("+8613912345678");
        fake.ring("1", "+8613912345678").await;
        assert_eq!(host.call().await, CallNews::Incoming { from });
        // A second caller is refused without a word.
        fake.ring("2", "10010").await;
        called(&fake, "Hangup").await;
        host.order(ModemOutput::Answer).await;
        assert_eq!(host.call().await, CallNews::Answered);
        host.order(ModemOutput::HangUp).await;
        assert_eq!(host.call().await, CallNews::Ended(CallEnd::HungUp));
        called(&fake, "DeleteCall 1").await;
        host.order(ModemOutput::Dial(PhoneNumber::new("10086").unwrap()))
            .await;
        assert_eq!(host.call().await, CallNews::Alerting);
        let made = fake
            .calls()
            .into_iter()
            .find(|call| call.starts_with("Create "));
        assert_eq!(made.as_deref(), Some("Create number=\"10086\""));
        fake.call_state("/org/freedesktop/ModemManager1/Call/new1", 7, 5)
            .await;
        assert_eq!(host.call().await, CallNews::Ended(CallEnd::Busy));
    });
}

#[test]
fn a_call_that_cannot_be_made_is_over() {
    run(async {
        let fake = Fake::default();
        modem(&fake);
        let mut host = Host::new(&fake, options());
        host.until_clock().await;
        fake.refuse(
            "Start",
            "org.freedesktop.ModemManager1.Error.Core.Failed",
            "no dial tone",
        );
        host.order(ModemOutput::Dial(PhoneNumber::new("10086").unwrap()))
            .await;
        assert_eq!(host.call().await, CallNews::Ended(CallEnd::NoCarrier));
    });
}

#[test]
fn the_connection_is_made_with_the_access_point_and_made_again_when_it_is_lost() {
    run(async {
        let fake = Fake::default();
        modem(&fake);
        let mut host = Host::new(
            &fake,
            Options {
                carries_data: true,
                ..options()
            },
        );
        let apn = |name: &str| Apn {
            name: name.to_owned(),
            user: "u".to_owned(),
            password: "p".to_owned(),
        };
        host.order(ModemOutput::UseApn(apn("cmnet"))).await;
        let attached = ModemInput::Attached([127, 0, 0, 1].into());
        host.until(|news| *news == attached).await;
        assert_eq!(host.mm.interface(), Some("lo"));
        assert_eq!(
            fake.calls(),
            ["Connect apn=\"cmnet\" password=\"p\" user=\"u\""]
        );
        // Another access point: a new connection.
        host.order(ModemOutput::UseApn(apn("iot"))).await;
        host.until(|news| *news == ModemInput::Detached).await;
        host.until(|news| *news == attached).await;
        assert_eq!(
            fake.calls()[1..],
            [
                "Disconnect ",
                "Connect apn=\"iot\" password=\"p\" user=\"u\""
            ]
            .map(str::trim_end)
        );
        // The network ends it.
        fake.change(BEARER, ".Bearer", &[("Connected", value(false))])
            .await;
        host.until(|news| *news == ModemInput::Detached).await;
        assert_eq!(host.mm.interface(), None);
        host.until(|news| *news == attached).await;
    });
}

#[test]
fn a_modem_that_cannot_be_reset_is_switched_off_and_on() {
    run(async {
        let fake = Fake::default();
        modem(&fake);
        let mut host = Host::new(&fake, options());
        host.until_clock().await;
        fake.refuse(
            "Reset",
            "org.freedesktop.ModemManager1.Error.Core.Unsupported",
            "not supported",
        );
        host.order(ModemOutput::Reset).await;
        called(&fake, "Enable true").await;
        assert_eq!(fake.calls(), ["Reset", "Enable false", "Enable true"]);
    });
}
