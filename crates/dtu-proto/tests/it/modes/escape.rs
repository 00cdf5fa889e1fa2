//! The escape in every mode (manual 2.8.2).

use super::*;

#[test]
fn manual_2_8_2_the_escape_works_in_every_mode() {
    for mode in WorkingMode::ALL {
        let mut dev = started(in_mode(mode));
        dev.escape()
            .command("AT+CIPR?", "\r\n+CIPR: 115200\r\n\r\nOK\r\n")
            .command("AT+ENTM", OK);
        let counters = dev.dtu.status(dev.now).serial.counters;
        assert_eq!(
            (counters.frames_in, counters.dropped_bytes),
            (0, 0),
            "{mode:?}"
        );
    }
}

#[test]
fn manual_2_8_2_in_every_data_mode_what_is_no_escape_is_data() {
    let modes = WorkingMode::ALL
        .into_iter()
        .filter(|mode| *mode != WorkingMode::AtCommand);
    for mode in modes {
        for (pieces, frames) in [
            (&[(300, "+++abc")][..], 1),
            (&[(300, "+++a")], 1),
            (&[(300, "+"), (50, "++")], 1),
            (&[(300, "+++"), (100, "b")], 2),
            (&[(300, "+++"), (3200, "a")], 2),
            (&[(200, "+++"), (100, "a")], 2),
        ] {
            let mut dev = started(in_mode(mode));
            dev.serial("x");
            for (after, piece) in pieces {
                dev.wait(*after).serial(piece);
            }
            dev.wait(5000);
            let counters = dev.dtu.status(dev.now).serial.counters;
            let length: usize = pieces.iter().map(|(_, piece)| piece.len()).sum();
            assert_eq!(
                counters.frame_bytes,
                1 + length as u64,
                "{mode:?} {pieces:?}"
            );
            assert_eq!(
                (counters.command_bytes, counters.frames_in),
                (0, 1 + frames),
                "{mode:?} {pieces:?}"
            );
        }
    }
}

#[test]
fn the_escape_in_the_at_mode_is_answered_and_changes_nothing() {
    let mut dev = started(in_mode(WorkingMode::AtCommand));
    dev.command(OPEN, OPENED)
        .escape()
        .command("AT", OK)
        .network(AT, "x")
        .prints("x");
    dev.wait(300)
        .serial("+++\r\n")
        .wait(21)
        .prints("a")
        .serial("a\r\n")
        .wait(21)
        .prints("\r\n+ok\r\n");
    assert_eq!(dev.peer(AT).closes, 0);
    // A program that has missed the first `a`, and begins anew.
    dev.wait(1000)
        .serial("+++")
        .wait(21)
        .prints("a")
        .wait(1000)
        .escape()
        .command("AT", OK);
    let counters = dev.dtu.status(dev.now).serial.counters;
    assert_eq!(counters.command_bytes, counters.bytes_in);
}

#[test]
fn what_is_no_escape_in_the_at_mode_is_typed() {
    let error =
        |typed: &str| format!("\r\n+CME ERROR: a command line begins with AT, got {typed}\r\n");
    for (pieces, prints) in [
        (&[(300, "+++x\r")][..], error("+++x")),
        (&[(300, "+"), (100, "\r")], error("+")),
        (&[(300, "+++"), (10, "\r"), (10, "\r")], error("+++")),
        (&[(300, "+++"), (10, "AT\r")], error("+++AT")),
        (&[(100, "+++\r")], error("+++")),
        (
            &[(300, "+++"), (100, "b\r")],
            "a".to_owned() + &error("+++b"),
        ),
        // Decisions 16.9: it spoiled the next line.
        (&[(300, "+++"), (4000, "AT\r")], "a\r\nOK\r\n".to_owned()),
        // Not where a line has begun.
        (
            &[(300, "AT"), (300, "+++"), (100, "\r")],
            "\r\n+CME ERROR: ".to_owned(),
        ),
    ] {
        let mut dev = started(in_mode(WorkingMode::AtCommand));
        dev.command("AT", OK);
        for (after, piece) in pieces {
            dev.wait(*after).serial(piece);
        }
        let printed = dev.printed();
        let wanted = prints.escape_default().to_string();
        assert!(printed.starts_with(&wanted), "{pieces:?}: {printed}");
        dev.command("AT", OK);
        let counters = dev.dtu.status(dev.now).serial.counters;
        assert_eq!(counters.command_bytes, counters.bytes_in);
    }
}

#[test]
fn a_full_queue_does_not_keep_commands_out() {
    let block = |link: &mut LinkOptions| (link.cache, link.drop_policy) = (4096, DropPolicy::Block);
    let mut blocking = options(block);
    block(&mut blocking.modes);
    blocking.setup_window = Duration::from_secs(5);
    let packet = |length| {
        let host = Host::Ip([10, 0, 0, 1].into());
        let (protocol, data) = (Protocol::Tcp, &[1; 900][..length]);
        let frame = CommandFrame {
            protocol,
            long: true,
            wait: 0,
            full_reply: false,
            host,
            port: 1,
            data,
        };
        frame.encode().expect("a good frame")
    };
    for mode in [
        WorkingMode::Transparent,
        WorkingMode::SerialCommand,
        WorkingMode::Httpd,
    ] {
        let mut dev = Bench::with(in_mode(mode), blocking.clone());
        dev.net_of_links(Net::BlackHole);
        SocketId::ALL.into_iter().for_each(|channel| {
            dev.net(channel, Net::BlackHole);
        });
        dev.at(6000).prints(BANNER);
        // What closes while the escape is typed fills the queue.
        dev.serial(packet(900))
            .wait(150)
            .serial(packet(900))
            .wait(150)
            .serial(packet(600))
            .escape();
        assert!(dev.dtu.wants_serial(), "{mode:?}");
        dev.command("AT", OK).command("AT+ENTM", OK);
        assert!(!dev.dtu.wants_serial(), "{mode:?}");
        // Nor does it grow in the set-up windows of restarts.
        console(&mut dev, "AT+CIRESET");
        dev.wait(100);
        assert_eq!(dev.dtu.status(dev.now).phase, Phase::SetupWindow);
        assert!(!dev.dtu.wants_serial(), "{mode:?}");
    }
}
