//! Calls.

use super::*;

#[test]
fn manual_2_8_6_6_a_call_to_10086_rings_and_is_answered() {
    let mut bench = Bench::new(Settings::default());
    bench.order(ModemOutput::Dial(number("10086")));
    bench.run(5);
    assert_eq!(bench.calls(), [CallNews::Alerting, CallNews::Answered]);
    bench.order(ModemOutput::HangUp);
    assert_eq!(
        bench.calls().last(),
        Some(&CallNews::Ended(CallEnd::HungUp))
    );
    bench.order(ModemOutput::HangUp);
    assert_eq!(bench.calls().len(), 3, "without a call it does nothing");
}

#[test]
fn a_called_phone_may_be_busy_off_or_not_answered() {
    use CallEnd::{Busy, NoAnswer, NoCarrier};
    let ways = [
        (Answering::Busy, Busy),
        (Answering::Off, NoCarrier),
        (Answering::Rings, NoAnswer),
    ];
    for (answering, end) in ways {
        let mut bench = Bench::new(Settings::default());
        bench
            .network
            .set_answering(number(FRIEND), answering, bench.now)
            .unwrap();
        bench.order(ModemOutput::Dial(number(FRIEND)));
        bench.run(70);
        assert_eq!(
            bench.calls().last(),
            Some(&CallNews::Ended(end)),
            "{answering:?}"
        );
    }
}

#[test]
fn a_phone_calls_the_modem_which_answers_or_refuses() {
    let mut bench = Bench::new(Settings::default());
    bench
        .network
        .call(number(FRIEND), bench.own(), bench.now)
        .unwrap();
    bench.run(3);
    assert_eq!(
        bench.calls(),
        [CallNews::Incoming {
            from: Some(number(FRIEND))
        }]
    );
    // A second caller finds it busy, and the modem does not hear of it.
    bench
        .network
        .call(number("10010"), bench.own(), bench.now)
        .unwrap();
    bench.run(3);
    let busy = PhoneEvent::Ended {
        phone: number("10010"),
        why: CallEnd::Busy,
    };
    assert!(bench.heard.contains(&busy) && bench.calls().len() == 1);
    bench.order(ModemOutput::Answer);
    assert_eq!(bench.calls().last(), Some(&CallNews::Answered));
    bench.network.hang_up(number(FRIEND), bench.now).unwrap();
    bench.run(1);
    assert_eq!(
        bench.calls().last(),
        Some(&CallNews::Ended(CallEnd::HungUp))
    );

    bench
        .network
        .call(number(FRIEND), bench.own(), bench.now)
        .unwrap();
    bench.run(3);
    bench.order(ModemOutput::HangUp);
    bench.run(1);
    let refused = PhoneEvent::Ended {
        phone: number(FRIEND),
        why: CallEnd::Busy,
    };
    assert_eq!(bench.heard.last(), Some(&refused));
}

#[test]
fn a_reset_ends_the_call_before_the_modem_is_gone() {
    let mut bench = Bench::new(Settings::default());
    bench.order(ModemOutput::Dial(number("10086")));
    bench.run(5);
    bench.order(ModemOutput::Reset);
    assert_eq!(
        bench.calls().last(),
        Some(&CallNews::Ended(CallEnd::NoCarrier))
    );
    assert_eq!(bench.news.last().unwrap().1, ModemInput::Gone);
}
