//! Messages both ways.

use super::*;

#[test]
fn a_modem_is_there_with_what_the_manual_prints() {
    let bench = Bench::new(Settings::default());
    let news: Vec<_> = bench.news.iter().map(|(_, news)| news.clone()).collect();
    let ModemInput::Present(identity) = &news[0] else {
        panic!("{news:?}")
    };
    assert_eq!(
        (identity.imei.as_str(), identity.imsi.as_str()),
        ("135790246811220", "460023633887978")
    );
    assert!(identity.abilities.messages && identity.abilities.calls);
    let operator = Operator {
        name: "China Mobile".into(),
        code: "46000".into(),
    };
    assert_eq!(
        news[1..],
        [
            ModemInput::Sim(SimState::Ready),
            ModemInput::OwnNumber(Some(number("+8613800100001"))),
            ModemInput::ServiceCenter(Some(number("8613800531500"))),
            ModemInput::Signal(Signal {
                strength: 31,
                error_rate: 99
            }),
            ModemInput::Registration(Registration::Home),
            ModemInput::Operator(Some(operator)),
            ModemInput::Cell(Some(Cell {
                area: 21269,
                id: 34093
            })),
            ModemInput::Signal(Signal {
                strength: 31,
                error_rate: 99
            }),
        ]
    );
    assert_eq!(
        bench.network.poll_timeout(),
        None,
        "nothing to do, nothing to wake up for"
    );
}

#[test]
fn a_text_from_a_phone_reaches_the_modem_once_and_whole() {
    let mut bench = Bench::new(Settings::default());
    bench
        .network
        .send_text(number(FRIEND), bench.own(), "hello", bench.now)
        .unwrap();
    bench
        .network
        .send_text(number(FRIEND), bench.own(), &"泵".repeat(71), bench.now)
        .unwrap();
    bench.run(600);
    assert_eq!(
        bench.texts(),
        ["hello".to_owned(), "泵".repeat(67), "泵".repeat(4)]
    );
    let Tpdu::Deliver(deliver) = &bench.messages()[0].1 else {
        panic!("not a deliver")
    };
    assert_eq!(deliver.from.to_string(), FRIEND);
    assert_eq!(deliver.stamp.to_string(), "2026-01-01T00:00:00+08:00");
    assert_eq!(bench.network.waiting_for(bench.own()), 0);
}

#[test]
fn what_is_not_taken_comes_again_with_another_number_and_at_once_after_a_reset() {
    let mut bench = Bench::new(Settings::default());
    bench.takes = false;
    bench
        .network
        .send_text(number(FRIEND), bench.own(), "hello", bench.now)
        .unwrap();
    bench.run(10);
    assert_eq!(bench.texts(), ["hello"]);
    bench.run(120);
    assert_eq!(bench.texts().len(), 2);
    bench.order(ModemOutput::Reset);
    assert_eq!(bench.news.last().unwrap().1, ModemInput::Gone);
    bench.run(10);
    let messages = bench.messages();
    assert_eq!(
        (messages.len(), messages[0].1.clone()),
        (3, messages[2].1.clone())
    );
    assert!(messages[0].0 != messages[1].0 && messages[1].0 != messages[2].0);
    // Any of its numbers will do.
    bench.order(ModemOutput::Taken(messages[0].0));
    bench.run(3600);
    assert_eq!(
        (bench.texts().len(), bench.network.counters().delivered),
        (3, 1)
    );
}

#[test]
fn a_full_modem_gets_no_more_until_it_takes_one_and_the_order_stays() {
    let mut network = Network::new(
        3,
        Settings {
            repeat_after: Duration::from_secs(9999),
            ..Settings::default()
        },
    );
    let modem = network.add(
        Subscriber {
            room: 2,
            ..Subscriber::default()
        },
        Instant::ZERO,
    );
    let mut bench = Bench {
        network,
        now: Instant::ZERO,
        modem,
        news: Vec::new(),
        heard: Vec::new(),
        takes: false,
    };
    for text in ["1", "2", "3", "4"] {
        bench
            .network
            .send_text(number(FRIEND), bench.own(), text, bench.now)
            .unwrap();
    }
    bench.run(600);
    assert_eq!(bench.texts(), ["1", "2"]);
    let (first, _) = bench.messages()[0];
    bench.order(ModemOutput::Taken(first));
    assert_eq!(bench.texts(), ["1", "2", "3"]);
    bench.takes = true;
    let (second, _) = bench.messages()[1];
    bench.order(ModemOutput::Taken(second));
    assert_eq!(bench.texts(), ["1", "2", "3", "4"]);
}

#[test]
fn a_submission_reaches_the_phone_and_is_answered_with_its_reference() {
    let mut bench = Bench::new(Settings::default());
    bench.submit(7, FRIEND, "pump 2 is off", |_| {});
    assert_eq!(bench.submitted(), [], "the network takes its time");
    bench.run(10);
    assert_eq!(bench.submitted(), [(7, Ok(7))]);
    assert_eq!(bench.phone_texts(), ["pump 2 is off"]);
    let PhoneEvent::Text { phone, from, .. } = &bench.heard[0] else {
        panic!("{:?}", bench.heard)
    };
    assert_eq!(
        (phone.as_str(), from.to_string()),
        (FRIEND, bench.own().to_string())
    );
}

#[test]
fn manual_2_8_6_16_10086_answers_a_text_with_a_text() {
    let mut bench = Bench::new(Settings::default());
    bench.submit(1, "10086", "CXYE", |_| {});
    bench.submit(2, "10001", "echo", |_| {});
    bench.run(10);
    assert_eq!(
        bench
            .texts()
            .iter()
            .filter(|text| *text == "10086: received \"CXYE\"")
            .count(),
        1
    );
    assert_eq!(
        bench.texts().iter().filter(|text| *text == "echo").count(),
        1
    );
}

#[test]
fn a_repeat_with_the_same_reference_and_receiver_is_refused_as_a_duplicate() {
    let mut bench = Bench::new(Settings::default());
    let again = |submit: &mut Submit| (submit.reference, submit.reject_duplicates) = (9, true);
    bench.submit(1, FRIEND, "once", again);
    bench.submit(2, FRIEND, "once", again);
    bench.submit(3, "10010", "once", again);
    bench.submit(4, FRIEND, "once", |submit| submit.reference = 9);
    bench.run(10);
    let mut answers = bench.submitted();
    answers.sort_by_key(|(token, _)| *token);
    assert_eq!(
        answers,
        [
            (1, Ok(9)),
            (2, Err(SubmitFailure::DUPLICATE)),
            (3, Ok(9)),
            (4, Ok(9))
        ]
    );
    assert_eq!(bench.phone_texts(), ["once", "once", "once"]);
}

#[test]
fn a_reference_that_comes_round_is_no_duplicate() {
    let mut bench = Bench::new(Settings::default());
    let first = |submit: &mut Submit| (submit.reference, submit.reject_duplicates) = (0, true);
    bench.submit(1, FRIEND, "first", first);
    for token in 1..=160 {
        bench.submit(token, FRIEND, "between", |_| {});
    }
    bench.submit(200, FRIEND, "second", first);
    bench.run(30);
    assert!(bench.submitted().contains(&(200, Ok(0))));
}

#[test]
fn what_cannot_be_sent_is_answered_with_the_reason() {
    let mut bench = Bench::new(Settings::default());
    bench.order(ModemOutput::Submit {
        token: 1,
        pdu: Bytes::from_static(&[0, 1]),
    });
    bench.run(5);
    bench
        .network
        .force_registration(bench.modem, Registration::Denied, None, bench.now);
    bench.submit(2, FRIEND, "no network", |_| {});
    bench.run(5);
    bench.network.leave(bench.modem, None, bench.now);
    bench.submit(3, FRIEND, "no modem", |_| {});
    assert_eq!(
        bench.submitted(),
        [
            (1, Err(SubmitFailure(304))),
            (2, Err(SubmitFailure::NO_NETWORK)),
            (3, Err(SubmitFailure::NO_MODEM))
        ]
    );
}

#[test]
fn a_submission_under_way_is_answered_before_the_modem_is_gone() {
    let mut bench = Bench::new(Settings::default());
    bench.submit(5, FRIEND, "x", |_| {});
    bench.order(ModemOutput::Reset);
    let last = bench.news.len() - 2;
    assert_eq!(
        bench.news[last].1,
        ModemInput::Submitted {
            token: 5,
            outcome: Err(SubmitFailure::NO_MODEM)
        }
    );
    bench.run(10);
    assert_eq!(bench.submitted().len(), 1);
    assert_eq!(bench.network.registration(bench.modem), Registration::Home);
}

#[test]
fn a_report_says_that_the_phone_has_it_or_that_it_was_too_old() {
    let mut bench = Bench::new(Settings::default());
    bench
        .network
        .set_answering(number("10010"), Answering::Off, bench.now)
        .unwrap();
    bench.submit(1, FRIEND, "arrives", |submit| submit.report = true);
    bench.submit(2, "10010", "too old", |submit| {
        submit.report = true;
        submit.validity = sms_codec::validity::Validity::Relative(0);
    });
    bench.run(400);
    let reports = bench
        .messages()
        .into_iter()
        .filter_map(|(_, tpdu)| match tpdu {
            Tpdu::StatusReport(report) => Some((report.reference, report.status.outcome())),
            Tpdu::Deliver(_) | Tpdu::Submit(_) => None,
        });
    assert_eq!(
        reports.collect::<Vec<_>>(),
        [(1, Outcome::Delivered), (2, Outcome::Failed)]
    );
    assert_eq!(bench.network.counters().expired, 1);
}

#[test]
fn without_a_network_messages_wait_and_come_when_it_is_found() {
    let mut bench = Bench::new(Settings::default());
    let lost = Some(Duration::from_secs(300));
    bench
        .network
        .force_registration(bench.modem, Registration::NotRegistered, lost, bench.now);
    bench
        .network
        .send_text(number(FRIEND), bench.own(), "late", bench.now)
        .unwrap();
    bench.run(299);
    assert_eq!(
        (bench.texts().len(), bench.network.waiting_for(bench.own())),
        (0, 1)
    );
    bench.run(2);
    assert_eq!(bench.texts(), ["late"]);
    let registrations = bench.news.iter().filter_map(|(_, news)| match news {
        ModemInput::Registration(registration) => Some(*registration),
        _ => None,
    });
    use Registration::{Home, NotRegistered, Searching};
    assert_eq!(
        registrations.collect::<Vec<_>>(),
        [Home, NotRegistered, Searching, Home]
    );
}

#[test]
fn two_modems_write_to_each_other() {
    let mut bench = Bench::new(Settings::default());
    let other = bench.network.add(Subscriber::default(), bench.now);
    bench.submit(
        1,
        bench.network.subscriber(other).number.unwrap().as_str(),
        "to you",
        |_| {},
    );
    bench.run(5);
    let got = bench
        .news
        .iter()
        .filter(|(id, news)| *id == other && matches!(news, ModemInput::Message { .. }));
    assert_eq!(got.count(), 1);
}
