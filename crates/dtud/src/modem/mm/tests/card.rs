//! The card and its PIN.

use super::*;

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
        let mut host = Host::new(&fake, with_pin(None));
        let reported = host.until_clock().await;
        let sims: Vec<_> = reported
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
            let mut host = Host::new(&fake, with_pin(None));
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
        let mut host = Host::new(&fake, with_pin(None));
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
            let mut host = Host::new(&fake, with_pin(note));
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
            let mut host = Host::new(&fake, with_pin(Some(note.clone())));
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
        let mut host = Host::new(&fake, with_pin(Some(note.clone())));
        host.until_clock().await;
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
        let mut host = Host::new(&fake, with_pin(note));
        host.until(|news| *news == ModemInput::Sim(SimState::PinNeeded))
            .await;
        fake.change(MODEM, ".Modem", &[("UnlockRequired", value(4u32))])
            .await;
        host.until(|news| *news == ModemInput::Sim(SimState::PukNeeded))
            .await;
        assert!(fake.calls().is_empty(), "{:?}", fake.calls());
    });
}

/// The modem fell silent behind the PIN and came back with an open card: only the one that was given the PIN vouches for it.
#[test]
fn a_pin_without_an_answer_is_good_where_its_own_card_is_seen_open() {
    const HERS: &str = "89860000000000000001";
    for (found, last) in [
        (HERS, PinHistory::Accepted),
        ("89860000000000000002", PinHistory::Sent),
        ("", PinHistory::Sent),
    ] {
        let folder = tempfile::tempdir().unwrap();
        run(async {
            let fake = locked_card();
            fake.put(SIM, ".Sim", &[("SimIdentifier", value(HERS))]);
            fake.refuse("SendPin", HOLD, "");
            let note = Note::new(folder.path(), Some("1234"));
            let mut host = Host::new(&fake, with_pin(Some(note.clone())));
            host.until(|news| *news == ModemInput::Sim(SimState::PinNeeded))
                .await;
            called(&fake, "SendPin").await;
            assert_eq!(note.history(), PinHistory::Sent);
            fake.vanish().await;
            fake.answer_held("org.freedesktop.DBus.Error.NoReply").await;
            host.until(|news| *news == ModemInput::Gone).await;
            modem(&fake);
            fake.put(SIM, ".Sim", &[("SimIdentifier", value(found))]);
            fake.appear().await;
            host.until_clock().await;
            assert_eq!(note.history(), last, "{found}");
        });
    }
}

fn with_pin(note: Option<Note>) -> Options {
    Options {
        pin: Some("1234".to_owned()),
        note,
        ..options()
    }
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
