//! What survives a kill, and what a stop waits for.

use super::*;

/// K4 (decisions 16.22): the frame is noted as being sent before its bytes go, so it never goes twice; it leaves the spool
/// when its fate is known, so its loss can be counted. (It left the spool when it was sent: a kill before that sent it
/// again, one after it lost a request that was sent again in vain.)
#[test]
fn k4_a_frame_is_noted_before_it_is_sent_and_leaves_the_spool_with_its_answer() {
    let mut config = factory();
    config.packing_time = 0;
    let mut dev = Bench::cold(config, spooled());
    let append =
        |seq, frame: &'static str| StoreOutput::SpoolAppend(QueueId::Httpd, seq, frame.into());
    dev.at(1000).serial("1").serial("2");
    assert_eq!(
        std::mem::take(&mut dev.store.spool),
        [append(0, "1"), append(1, "2")]
    );
    dev.input(Input::Modem(&ModemInput::Attached([10, 0, 0, 2].into())))
        .wait(100);
    let sending = |number| StoreOutput::SpoolSending(QueueId::Httpd, number);
    let release = |below| StoreOutput::SpoolRelease(QueueId::Httpd, below);
    assert_eq!(std::mem::take(&mut dev.store.spool), [sending(Some(0))]);
    let waiting: Vec<u64> = dev
        .dtu
        .undelivered(QueueId::Httpd)
        .map(|(seq, _)| seq)
        .collect();
    assert_eq!(waiting, [1]);
    dev.network(SERVER, answer("a"));
    assert_eq!(
        std::mem::take(&mut dev.store.spool),
        [release(1), sending(Some(1))]
    );
    assert_eq!(dev.dtu.undelivered(QueueId::Httpd).count(), 0);
    dev.network(SERVER, answer("b"));
    assert_eq!(std::mem::take(&mut dev.store.spool), [release(2)]);
}

/// K4: what cannot have arrived may come again after the end of the host, too.
#[test]
fn k4_a_frame_that_never_left_is_not_noted_as_being_sent_any_more() {
    let mut config = factory();
    config.packing_time = 0;
    let mut dev = Bench::cold(config, spooled());
    dev.net(SERVER, Net::Stuck);
    dev.at(1000)
        .serial("1")
        .input(Input::Modem(&ModemInput::Attached([10, 0, 0, 2].into())))
        .wait(100);
    dev.net(SERVER, Net::Refused);
    dev.store.spool.clear();
    dev.lose(SERVER, CloseReason::Reset, 10).wait(100);
    assert_eq!(
        dev.store.spool,
        [StoreOutput::SpoolSending(QueueId::Httpd, None)]
    );
    let waiting: Vec<u64> = dev
        .dtu
        .undelivered(QueueId::Httpd)
        .map(|(seq, _)| seq)
        .collect();
    assert_eq!(waiting, [0]);
}

#[test]
fn frames_of_an_earlier_run_go_first() {
    let mut config = factory();
    config.packing_time = 0;
    config.httpd.head.clear();
    let mut dev = Bench::cold(config, spooled());
    dev.dtu
        .restore(QueueId::Httpd, [(7, "old".into()), (9, "older".into())]);
    dev.at(1000)
        .serial("new")
        .input(Input::Modem(&ModemInput::Attached([10, 0, 0, 2].into())))
        .wait(100);
    for frame in ["old", "older", "new"] {
        dev.sends(SERVER, get(frame)).network(SERVER, answer(""));
    }
    let releases: Vec<_> = dev
        .store
        .spool
        .iter()
        .filter_map(|s| {
            if let StoreOutput::SpoolRelease(_, to) = s {
                Some(*to)
            } else {
                None
            }
        })
        .collect();
    assert_eq!(releases, [9, 10, 11], "each with its answer");
}

#[test]
fn a_clean_stop_keeps_what_was_not_sent() {
    let mut dev = plain();
    dev.serial("1")
        .serial("2")
        .wait(100)
        .input(Input::Shutdown)
        .wait(3000);
    assert_eq!(dev.peer(SERVER).closes, 1);
    let waiting: Vec<_> = dev
        .dtu
        .undelivered(QueueId::Httpd)
        .map(|(_, frame)| frame.clone())
        .collect();
    assert_eq!(waiting, ["2"]);
    // What the window kept waits, too.
    let mut dev = Bench::with(factory(), Options::default());
    dev.at(1000)
        .serial("early")
        .wait(200)
        .input(Input::Shutdown)
        .wait(3000);
    assert_eq!(dev.dtu.undelivered(QueueId::Httpd).count(), 1);
}

#[test]
fn a_stop_waits_until_the_connection_to_the_server_is_closed() {
    let mut dev = plain();
    dev.late_closes = true;
    dev.serial("1").wait(100).sends(SERVER, get("1"));
    dev.input(Input::Shutdown).wait(1000);
    assert_eq!((dev.peer(SERVER).closes, dev.power.len()), (1, 0));
    dev.closed(SERVER).wait(10);
    assert_eq!(dev.power, [Power::Stop]);
    // A host that never says so does not hold the end up.
    let mut dev = plain();
    dev.late_closes = true;
    dev.serial("1")
        .wait(100)
        .input(Input::Shutdown)
        .wait(10_000);
    assert_eq!(dev.power, [Power::Stop]);
}
