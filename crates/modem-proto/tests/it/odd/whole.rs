//! Each oddity against the simulated modem, and what is said to be missing.

use super::*;

/// Whatever is odd about it: it is known, its registration is, nothing runs in circles, and each word is said once.
#[test]
fn m_every_oddity_ends_as_works_with_less_and_says_what_is_missing() {
    for oddity in cellular_sim::modem::Oddity::ALL {
        let sim = Sim::run(oddity.name(), 1800);
        assert!(
            sim.news
                .iter()
                .any(|news| matches!(news, ModemInput::Present(_))),
            "{oddity:?}: unknown"
        );
        assert!(
            sim.commands < 1200,
            "{oddity:?}: {} commands in half an hour",
            sim.commands
        );
        let mut said: Vec<_> = sim
            .events
            .iter()
            .filter(|event| event.level() == modem_proto::Level::Warning)
            .collect();
        said.retain(|event| matches!(event, Event::Limitation(_) | Event::RestartsOften));
        let lines = said.len();
        said.dedup();
        assert_eq!(said.len(), lines, "{oddity:?}");
        let registered = sim
            .news
            .contains(&ModemInput::Registration(Registration::Home));
        assert_eq!(
            registered,
            oddity != cellular_sim::modem::Oddity::Refuses,
            "{oddity:?}"
        );
    }
}

#[test]
fn m_what_is_missing_is_said_by_name() {
    for (odd, wanted) in [
        ("", vec![]),
        ("cpms3", vec![]),
        // In text mode `AT+CMGL=4` is refused.
        ("text-only", vec![Limitation::List]),
        ("cnmi-2", vec![]),
        ("cnmi-0", vec![Limitation::Reports]),
        ("creg-0", vec![Limitation::RegistrationUrc]),
    ] {
        assert_eq!(Sim::run(odd, 600).lacks(), wanted, "{odd}");
    }
    let refuses = Sim::run("refuses", 600).lacks();
    for lack in [
        Limitation::Messages,
        Limitation::Registration,
        Limitation::Signal,
        Limitation::Calls,
    ] {
        assert!(refuses.contains(&lack), "{lack:?} in {refuses:?}");
    }
}

#[test]
fn m_what_is_missing_is_told_to_the_device() {
    let sim = Sim::run("cnmi-0", 600);
    let told = sim.news.iter().rev().find_map(|news| {
        if let ModemInput::Lacks(words) = news {
            Some(&words[..])
        } else {
            None
        }
    });
    assert_eq!(
        told,
        Some(&["no delivery reports (AT+CNMI)".to_owned()][..])
    );
}

/// M: a modem without a name left a gap in the log.
#[test]
fn m_a_modem_without_a_name_is_told_in_words() {
    let known = Event::Identified {
        model: String::new(),
        dialect: "plain",
    };
    assert_eq!(
        known.to_string(),
        "a modem that does not name itself answers (dialect plain)"
    );
}
