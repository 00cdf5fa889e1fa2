//! URCs: which are taken, and which are counted as lost.

use super::*;

/// Of one that is written in pieces the rest counts.
#[test]
fn an_abandoned_port_counts_each_urc_once() {
    for (purpose, urcs) in [
        (Purpose::Urc, 1),
        (Purpose::Text, 0),
        (Purpose::Data(PEER), 0),
    ] {
        for len in [10, 50] {
            let (mut port, mut outputs) = (SerialPort::default(), VecDeque::new());
            let slow = LineFormat {
                baud: 300,
                ..LineFormat::default()
            };
            port.configure(slow, &mut outputs);
            port.configured(&mut outputs);
            port.write(text(len), purpose, at(1), &mut outputs);
            assert_eq!(port.abandon().urcs, urcs, "{purpose:?}, {len} bytes");
        }
    }
}

#[test]
fn news_that_count_as_told_are_taken_as_long_as_there_is_room() {
    let mut bench = Bench::new(LineState::OnlineData);
    let mut push = |keep| {
        bench.with(0, |line, cx| {
            line.push_urc(Urc::Text(text(4)), keep, IDLE, cx)
        })
    };
    for _ in 0..31 {
        assert!(push(Keep::Always));
    }
    assert!(push(Keep::OverData));
    assert!(push(Keep::Always), "that one makes room");
    assert!(!push(Keep::Always));
    assert_eq!(bench.line.counters.dropped_urcs, 2);
}

#[test]
fn an_abandoned_line_counts_the_urcs_that_were_to_come() {
    let mut bench = Bench::new(LineState::OnlineData);
    for _ in 0..3 {
        bench.with(0, |line, cx| {
            line.push_urc(Urc::Text(text(4)), Keep::Always, IDLE, cx)
        });
    }
    bench.with(1, Line::abandon);
    assert_eq!(bench.line.counters.dropped_urcs, 3);
    assert!(!bench.line.has_urcs());
}
