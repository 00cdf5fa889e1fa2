//! An orderly end.

use super::*;

#[test]
fn ciapply_from_a_link_answers_before_it_closes_the_link() {
    let mut dev = up(gated());
    dev.net(LINK1, Net::Stuck);
    dev.at(1000)
        .network(LINK1, "12345,AT+CIPSCONT=1,\"TCP\",\"other\",9,1;+CIAPPLY")
        .wait(10);
    assert_eq!(
        dev.peer(LINK1).closes,
        0,
        "closed while the reply is on its way"
    );
    dev.net(LINK1, Net::Good);
    dev.input(Input::Socket(SocketId::Link(LINK1), SocketInput::Sent))
        .wait(2500);
    assert_eq!(
        (dev.peer(LINK1).closes, dev.peer(LINK1).connects.len()),
        (1, 2)
    );
}

#[test]
fn a_stop_is_not_turned_into_a_restart_by_a_command_that_waited() {
    let mut dev = up(one_link());
    dev.escape();
    dev.dte_stops();
    dev.dtu.handle_input(
        Input::Serial(SerialInput::Data(b"AT\rAT+CIRELOAD\r")),
        dev.now,
    );
    let mut waits = false;
    while let Some(output) = dev.dtu.poll_output() {
        waits |= matches!(output, Output::Store(_));
    }
    assert!(waits);
    dev.input(Input::Shutdown)
        .wait(10)
        .input(Input::Store(StoreInput::Saved))
        .wait(5000);
    assert_eq!(dev.power, [Power::Stop]);
}

#[test]
fn a_clean_stop_in_the_set_up_window_keeps_the_frames_of_the_window() {
    let mut dev = Bench::with(one_link(), window(5));
    dev.at(1000)
        .serial("precious")
        .at(1500)
        .input(Input::Shutdown)
        .wait(3000);
    assert_eq!(dev.power, [Power::Stop]);
    let kept: Vec<_> = dev
        .dtu
        .undelivered(LINK1)
        .map(|(_, frame)| frame.clone())
        .collect();
    let dropped = dev.dtu.status(dev.now).serial.counters.dropped_bytes;
    assert!(
        kept == ["precious"] || dropped == 8,
        "neither kept nor counted"
    );
}

#[test]
fn a_link_that_is_closing_for_a_fault_wakes_no_backup_after_a_stop() {
    let mut config = one_link();
    config.links[1].enabled = true;
    config.links[1].role = Role::Backup(LINK1);
    let expect = Expect {
        reply: b"OK".to_vec(),
        within: Duration::from_secs(5),
        misses: 1,
        pass: false,
    };
    config.registration = b"REG".to_vec();
    let mut stops = options(|o| o.expect_registration = Some(Box::new(expect.clone())));
    stops.links[1].expect_registration = None;
    let mut dev = Bench::with(config, stops);
    dev.at(3000);
    // The reply stays away; the host is slow to answer the close.
    let mut closing = false;
    while !closing {
        dev.now = dev.dtu.poll_timeout().unwrap().at;
        dev.dtu.handle_timeout(dev.now);
        while let Some(output) = dev.dtu.poll_output() {
            closing |= matches!(
                output,
                Output::Socket(SocketId::Link(LINK1), SocketOutput::Close)
            );
        }
    }
    dev.input(Input::Shutdown).wait(100);
    dev.input(Input::Socket(
        SocketId::Link(LINK1),
        SocketInput::Closed {
            reason: CloseReason::Local,
            acked: 3,
        },
    ))
    .wait(3000);
    assert_eq!(dev.power, [Power::Stop]);
    assert!(
        dev.peer(LINK2).connects.is_empty(),
        "link 2 connects though the device has stopped"
    );
}

#[test]
fn a_stop_waits_for_the_line_only_where_somebody_is_there_or_the_network_sent_something() {
    // Nobody has ever opened the line: its banner waits for good.
    let mut dtu = Dtu::new(
        one_link(),
        Options::default(),
        Identity::default(),
        1,
        Instant::ZERO,
    );
    dtu.handle_input(Input::Shutdown, Instant::from_millis(100));
    let stopped =
        std::iter::from_fn(|| dtu.poll_output()).any(|output| output == Output::Power(Power::Stop));
    assert!(stopped, "a banner holds up the stop");
    // A peer has just said something: somebody may come for it.
    let mut dev = up(one_link());
    dev.dte_stops();
    dev.input(Input::Serial(SerialInput::Gone))
        .network(LINK1, "an order")
        .input(Input::Shutdown)
        .wait(1500);
    assert_eq!(dev.power, [], "bytes of the network have their time");
    dev.wait(1000);
    assert_eq!(dev.power, [Power::Stop]);
}

#[test]
fn no_link_begins_an_attempt_once_a_stop_was_asked_for() {
    let mut dev = Bench::new(one_link());
    dev.net(LINK1, Net::Refused);
    dev.at(60_000).prints(BANNER);
    let tried = dev.peer(LINK1).connects.len();
    // A reply that is not read holds the stop up.
    dev.escape();
    dev.dte_stops();
    dev.serial("AT\r");
    let tried = tried.max(dev.peer(LINK1).connects.len());
    dev.input(Input::Shutdown).wait(1900);
    assert_eq!(
        (dev.power.len(), dev.peer(LINK1).connects.len()),
        (0, tried)
    );
    dev.wait(200);
    assert_eq!(dev.power, [Power::Stop]);
}

#[test]
fn a_stop_in_the_command_state_prints_what_the_network_sent() {
    let mut dev = up(one_link());
    dev.escape()
        .network(LINK1, "answer")
        .input(Input::Shutdown)
        .wait(3000);
    assert_eq!(dev.power, [Power::Stop]);
    dev.prints("answer");
}

#[test]
fn what_the_network_says_while_a_stop_waits_for_the_disk_is_printed() {
    let mut dev = up(one_link());
    dev.store.answers = false;
    dev.escape()
        .serial("ATW\r")
        .input(Input::Shutdown)
        .network(LINK1, "late")
        .prints_nothing();
    dev.input(Input::Store(StoreInput::Saved))
        .wait(10)
        .prints("\r\nOK\r\nlate");
    assert_eq!(dev.power, [Power::Stop]);
}

#[test]
fn a_stop_ordered_by_a_link_answers_before_it_closes_the_link() {
    let mut dev = Bench::with(
        gated(),
        Options {
            shutdown: Shutdown::Stop,
            ..options(|_| ())
        },
    );
    dev.at(1000);
    dev.net(LINK1, Net::Stuck);
    dev.network(LINK1, "12345,AT+CISHUTDOWN").wait(10);
    assert_eq!(
        dev.peer(LINK1).closes,
        0,
        "closed while the reply is on its way"
    );
    dev.net(LINK1, Net::Good);
    dev.input(Input::Socket(SocketId::Link(LINK1), SocketInput::Sent))
        .wait(2500);
    assert_eq!(
        (dev.peer(LINK1).closes, dev.power.as_slice()),
        (1, &[Power::Stop][..])
    );
}

#[test]
fn the_frames_of_the_window_are_kept_for_the_primary() {
    let mut config = one_link();
    config.links[1].enabled = true;
    config.links[1].role = Role::Backup(LINK1);
    let mut dev = Bench::with(config, window(5));
    dev.at(1000).serial("precious").at(1500);
    dev.input(Input::Shutdown).wait(3000);
    let kept = [LINK1, LINK2].map(|link| dev.dtu.undelivered(link).count());
    assert_eq!((kept, &dev.power[..]), ([1, 0], &[Power::Stop][..]));
}
