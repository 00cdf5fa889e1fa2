//! The modem, its calls and its connection.

use super::*;

#[test]
fn a_modem_that_is_found_is_told_whole_and_in_order() {
    run(async {
        let fake = Fake::default();
        modem(&fake);
        let mut host = Host::new(&fake, options());
        let reported = host.until_clock().await;
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
            reported,
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
        let reported = host.until_clock().await;
        assert!(
            matches!(reported.first(), Some(ModemInput::Present(_))),
            "{reported:?}"
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
