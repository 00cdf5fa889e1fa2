//! The counters that outlive the host (K3, decisions 16.22).

use dtu_proto::config::{Config, Options};
use dtu_proto::event::{Input, QueueId, StoreInput};
use dtu_proto::status::{Loss, Losses};
use dtu_proto::time::Instant;
use dtu_proto::{Dtu, Identity};

fn device() -> Dtu {
    Dtu::new(Config::default(), Options::default(), Identity::default(), 1, Instant::ZERO)
}

/// Each figure another number.
fn some() -> Losses {
    let loss = |at: u64| Loss { frames: at, bytes: at + 100, spool_refused: at + 200 };
    let mut losses = Losses::default();
    for queue in QueueId::ALL {
        losses.queues[queue.index()] = loss(queue.index() as u64 + 1);
    }
    losses.line = Loss { spool_refused: 0, ..loss(50) };
    losses.others = std::array::from_fn(|place| 1000 + place as u64);
    losses
}

#[test]
fn k3_what_was_lost_in_earlier_runs_is_counted_on_and_every_sum_holds() {
    let mut dtu = device();
    dtu.restore_losses(&some());
    assert_eq!(dtu.losses(), some());
    for queue in QueueId::ALL {
        dtu.handle_input(Input::Store(StoreInput::SpoolRefused(queue, 1000)), Instant::ZERO);
    }
    let after = dtu.losses();
    for queue in QueueId::ALL {
        let (before, after) = (some().queues[queue.index()], after.queues[queue.index()]);
        assert_eq!(after, Loss { spool_refused: before.spool_refused + 1000, ..before });
    }
    let status = dtu.status(Instant::ZERO);
    for link in &status.links {
        assert_eq!(
            (link.counters.frames_in, link.counters.bytes_in),
            (link.counters.dropped_frames, link.counters.dropped_bytes)
        );
    }
    let httpd = &status.httpd.counters;
    assert_eq!(httpd.requests, httpd.failed + httpd.timed_out);
    assert_eq!(httpd.frames_in, httpd.requests + httpd.dropped_frames);
    let connection = &status.at_connection.counters;
    assert_eq!(
        (connection.frames_in, connection.bytes_in),
        (connection.dropped_frames, connection.dropped_bytes)
    );
    // What a log says was dropped is what is kept, place by place.
    for drop in dtu.drops() {
        assert!(drop.count > 0, "{:?} is not kept", drop.place);
    }
    for (name, count) in [
        ("unreadable", status.messages.counters.unreadable),
        ("turned away", status.messages.counters.turned_away),
        ("cut", status.messages.counters.cut),
    ] {
        assert!(count >= 1000, "{name}");
    }
    let command = &status.serial_command.counters;
    assert_eq!((command.packets_in, command.bytes_in), (command.dropped_packets, command.dropped_bytes));
    // A restart of the device alone changes nothing of it.
    let mut again = device();
    again.restore_losses(&after);
    assert_eq!(again.losses(), after);
}
