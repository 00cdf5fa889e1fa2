//! What is told and counted.

use super::*;

#[test]
fn states_and_figures_are_told() {
    let mut dev = up();
    dev.net(TO[1], Net::Refused);
    dev.serial(EXAMPLE)
        .send(to(1, b"x"))
        .send(to(2, b"y"))
        .wait(20_000)
        .escape();
    dev.command(
        "AT+CINET?",
        "\r\n+CINET:1,OFF\r\n+CINET:2,OFF\r\n+CINET:3,OFF\r\n+CINET:4,OFF\r\n\
         +CINET:0,CONNECTED,\"UDP 192.168.0.133:33\"\r\n\
         +CINET:0,WAITING,\"TCP 10.0.0.1:5000\",refused\r\n\
         +CINET:0,CONNECTED,\"TCP 10.0.0.2:5000\"\r\n\r\nOK\r\n",
    );
    dev.serial("AT+CISTAT\r");
    let page = dev.printed();
    let line = page
        .split(r"\r\n")
        .find(|line| line.starts_with("+CISTAT:COMMAND,"))
        .map(str::to_owned);
    let line = line.expect("a line of its own");
    for figure in [
        "running=1",
        "in=45",
        "in_packets=3",
        "out=30",
        "out_packets=2",
        "waiting=15",
        "waiting_packets=1",
    ] {
        assert!(line.contains(&format!(",{figure},")), "{figure} in {line}");
    }
    assert!(line.contains(",destinations=3,"), "{line}");
}

#[test]
fn a_dte_that_does_not_read_loses_replies_and_that_is_counted() {
    let mut dev = up();
    dev.dte_stops();
    let full = bytes(CommandFrame {
        full_reply: true,
        ..to(1, b"x")
    });
    for _ in 0..100 {
        dev.serial(full.repeat(50)).wait(200);
    }
    let status = dev.dtu.status(dev.now);
    assert!(
        status.serial.waiting < 31 * 1024,
        "{}",
        status.serial.waiting
    );
    let printed = status.serial.waiting / SEND_OK.len();
    assert_eq!(
        printed as u64 + status.serial.counters.dropped_replies,
        status.serial_command.counters.packets_out
    );
    assert_eq!(status.serial_command.counters.packets_out, 5000);
}

#[test]
fn the_data_lamp_is_on_while_a_destination_is_connected() {
    let mut dev = up();
    assert!(!dev.dtu.status(dev.now).leds.data);
    dev.send(to(1, b"x")).wait(1000);
    assert!(dev.dtu.status(dev.now).leds.data);
    dev.lose(TO[0], CloseReason::PeerClosed, 1).wait(1000);
    assert!(!dev.dtu.status(dev.now).leds.data);
}

#[test]
fn manual_2_8_6_20_data_of_a_destination_counts_as_received() {
    let mut dev = booted(
        Config {
            restart_time: 600,
            ..mode_1()
        },
        options(|_| ()),
    );
    dev.send(to(1, b"x"))
        .wait(9 * MINUTE)
        .network(TO[0], "y")
        .wait(9 * MINUTE)
        .network(TO[0], "z");
    assert_eq!(dev.dtu.status(dev.now).restarts, 0);
    dev.wait(10 * MINUTE + 1000);
    assert_eq!(dev.dtu.status(dev.now).restarts, 1);
}

#[test]
fn the_figures_of_all_destinations_are_added_up() {
    let mut dev = up();
    for number in [1, 2] {
        let peer = TO[usize::from(number) - 1];
        dev.net(peer, Net::Unacked).send(to(number, b"abc"));
        dev.network(peer, "12345").network(peer, "6");
        dev.lose(peer, CloseReason::Reset, 0).net(peer, Net::Good);
    }
    dev.wait(MINUTE);
    let counters = dev.status().counters;
    assert_eq!((counters.received_bytes, counters.received_reads), (12, 4));
    assert_eq!((counters.resent_packets, counters.reconnects), (2, 2));
}

// Whatever happens.
