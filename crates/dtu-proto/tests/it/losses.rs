//! The counters that outlive the host (K3, decisions 16.22).

use dtu_proto::config::{Config, LinkOptions, Options};
use dtu_proto::event::{
    Event, Input, LinkId, Lost, Output, QueueId, SocketId, StoreInput, StoreOutput,
};
use dtu_proto::status::{Loss, Losses};
use dtu_proto::time::Instant;
use dtu_proto::{Dtu, Identity};

fn device() -> Dtu {
    Dtu::new(
        Config::default(),
        Options::default(),
        Identity::default(),
        1,
        Instant::ZERO,
    )
}

/// Each figure another number.
fn some() -> Losses {
    let loss = |at: u64| Loss {
        frames: at,
        bytes: at + 100,
        spool_refused: at + 200,
    };
    let mut losses = Losses::default();
    for queue in QueueId::ALL {
        losses.queues[queue.index()] = loss(queue.index() as u64 + 1);
    }
    losses.line = Loss {
        spool_refused: 0,
        ..loss(50)
    };
    losses.others = std::array::from_fn(|place| 1000 + place as u64);
    losses
}

#[test]
fn k3_what_was_lost_in_earlier_runs_is_counted_on_and_every_sum_holds() {
    let mut dtu = device();
    dtu.restore_losses(&some());
    assert_eq!(dtu.losses(), some());
    for queue in QueueId::ALL {
        dtu.handle_input(
            Input::Store(StoreInput::SpoolRefused(queue, 1000)),
            Instant::ZERO,
        );
    }
    let after = dtu.losses();
    for queue in QueueId::ALL {
        let (before, after) = (some().queues[queue.index()], after.queues[queue.index()]);
        assert_eq!(
            after,
            Loss {
                spool_refused: before.spool_refused + 1000,
                ..before
            }
        );
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
        ("calls refused", status.call.counters.refused),
    ] {
        assert!(count >= 1000, "{name}");
    }
    assert_eq!(status.call.counters.received, status.call.counters.refused);
    let command = &status.serial_command.counters;
    assert_eq!(
        (command.packets_in, command.bytes_in),
        (command.dropped_packets, command.dropped_bytes)
    );
    // A restart of the device alone changes nothing of it.
    let mut again = device();
    again.restore_losses(&after);
    assert_eq!(again.losses(), after);
}

/// Else it would be dropped and counted by every run that follows.
#[test]
fn a_frame_of_an_earlier_run_that_finds_no_room_leaves_the_spool_with_its_drop() {
    for queue in [QueueId::Link(LinkId::ALL[0]), QueueId::Httpd] {
        let small = LinkOptions {
            spool: true,
            cache: 1024,
            ..LinkOptions::default()
        };
        let options = Options {
            links: std::array::from_fn(|_| small.clone()),
            modes: small,
            ..Options::default()
        };
        let mut dtu = Dtu::new(
            Config::default(),
            options,
            Identity::default(),
            1,
            Instant::ZERO,
        );
        dtu.restore(
            queue,
            (7..10).map(|number| (number, vec![b'x'; 400].into())),
        );
        let (mut dropped, mut released) = (0, Vec::new());
        while let Some(output) = dtu.poll_output() {
            if let Output::Event(Event::FrameDropped { queue: of, .. }) = output {
                dropped += usize::from(of == queue);
            } else if let Output::Store(StoreOutput::SpoolRelease(of, below)) = output
                && of == queue
            {
                released.push(below);
            }
        }
        assert_eq!((dropped, released), (1, vec![8]), "{queue}");
        let waiting: Vec<u64> = dtu.undelivered(queue).map(|(number, _)| number).collect();
        assert_eq!(waiting, [8, 9]);
    }
}

/// The host has them on its disk already, and has logged them.
#[test]
fn k3_what_earlier_runs_lost_is_nothing_new_and_each_loss_is() {
    let mut dtu = device();
    dtu.restore_losses(&some());
    assert!(!dtu.has_new_losses());
    for queue in QueueId::ALL {
        let refused = Input::Store(StoreInput::SpoolRefused(queue, 1));
        dtu.handle_input(refused, Instant::ZERO);
        assert!(dtu.has_new_losses(), "{queue}");
        assert!(!dtu.has_new_losses(), "{queue}");
    }
    for socket in SocketId::ALL {
        dtu.handle_input(Input::Lost(Lost::Unread(socket, 1)), Instant::ZERO);
        assert!(dtu.has_new_losses(), "{socket}");
    }
    let nothing = Input::Lost(Lost::Overrun(0));
    dtu.handle_input(nothing, Instant::ZERO);
    assert!(!dtu.has_new_losses());
}
