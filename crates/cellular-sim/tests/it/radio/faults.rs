//! Faults and seeds.

use super::*;

#[test]
fn under_faults_each_accepted_message_arrives_and_the_answers_say_what_the_phones_got() {
    let faults = Faults {
        lost: 10,
        answer_lost: 10,
        refused: 10,
        doubled: 0,
        overtaken: 0,
    };
    let mut bench = Bench::new(Settings {
        faults,
        ..Settings::default()
    });
    for token in 0..200 {
        bench.submit(token, FRIEND, &token.to_string(), |_| {});
        bench.run(41);
    }
    let sent: Vec<String> = bench
        .submitted()
        .iter()
        .filter(|(_, outcome)| outcome.is_ok())
        .map(|(t, _)| t.to_string())
        .collect();
    let got = bench.phone_texts();
    assert_eq!(bench.submitted().len(), 200);
    assert!(
        sent.len() < 160 && sent.iter().all(|text| got.contains(text)),
        "{}",
        sent.len()
    );
    assert!(got.len() > sent.len(), "answers get lost, too");
    let order: Vec<u32> = got.iter().map(|text| text.parse().unwrap()).collect();
    assert!(order.is_sorted(), "the order of a sender stays");
}

#[test]
fn doubled_and_overtaken_messages_are_all_there() {
    let faults = Faults {
        doubled: 20,
        overtaken: 20,
        ..Faults::default()
    };
    let mut bench = Bench::new(Settings {
        faults,
        ..Settings::default()
    });
    for n in 0..200 {
        bench
            .network
            .send_text(number(FRIEND), bench.own(), &n.to_string(), bench.now)
            .unwrap();
        bench.run(1);
    }
    bench.run(100);
    let got: Vec<u32> = bench
        .texts()
        .iter()
        .map(|text| text.parse().unwrap())
        .collect();
    assert!(
        (0..200).all(|n| got.contains(&n)) && got.len() > 210 && !got.is_sorted(),
        "{got:?}"
    );
}

#[test]
fn the_same_seed_gives_the_same_story() {
    let story = || {
        let faults = Faults {
            lost: 20,
            answer_lost: 20,
            refused: 20,
            doubled: 20,
            overtaken: 20,
        };
        let moves = Some(Duration::from_secs(5));
        let mut bench = Bench::new(Settings {
            faults,
            signal_moves: moves,
            ..Settings::default()
        });
        for n in 0..20 {
            bench.submit(n, FRIEND, "a", |_| {});
            bench
                .network
                .send_text(number(FRIEND), bench.own(), "b", bench.now)
                .unwrap();
            bench.run(7);
        }
        bench.news
    };
    assert_eq!(story(), story());
}
