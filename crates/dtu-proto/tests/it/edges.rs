//! Faults that a review of the core found, one test each.
#![allow(missing_docs)]

use core::net::SocketAddr;

use dtu_proto::config::{
    Config, Expect, LinkOptions, Options, Protocol, RegistrationWhen, Role, Shutdown, WorkingMode,
};
use dtu_proto::event::{
    CloseReason, Event, Input, Lost, ModemInput, Output, Power, SerialInput, SerialOutput,
    SocketId, SocketInput, SocketOutput, StoreInput, StoreOutput,
};
use dtu_proto::status::LinkState;
use dtu_proto::testing::{Bench, LINK1, LINK2, Net, one_link};
use dtu_proto::time::{Duration, Instant};
use dtu_proto::{Dtu, Identity};

const BANNER: &str = "\r\nUSR-GPRS232-DTU\r\n";
const OK: &str = "\r\nOK\r\n";

fn options(change: impl Fn(&mut LinkOptions)) -> Options {
    let mut options = Options {
        setup_window: Duration::ZERO,
        ..Options::default()
    };
    options.links.iter_mut().for_each(change);
    options
}

fn window(seconds: u64) -> Options {
    Options {
        setup_window: Duration::from_secs(seconds),
        ..Options::default()
    }
}

fn up(config: Config) -> Bench {
    let mut dev = Bench::with(config, options(|_| ()));
    dev.at(200).prints(BANNER);
    dev
}

fn gated() -> Config {
    let mut config = one_link();
    (config.network_at, config.serial_at) = (true, true);
    config.password = "12345".to_owned();
    config
}

/// Gives an input and takes the outputs raw: nothing is answered.
fn raw(dev: &mut Bench, input: Input<'_>) -> Vec<Output> {
    dev.dtu.handle_input(input, dev.now);
    std::iter::from_fn(|| dev.dtu.poll_output()).collect()
}

fn text(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

#[test]
fn a_short_link_that_was_idle_for_long_does_not_reset_the_modem() {
    let mut config = one_link();
    config.long_links = false;
    config.restart_time = 0;
    let mut dev = up(config);
    for minutes in [20, 40, 60] {
        dev.at(minutes * 60_000)
            .serial("x")
            .wait(300)
            .sends(LINK1, "x");
    }
    assert_eq!((dev.modem.resets, dev.power.len()), (0, 0));
}

#[test]
fn the_line_end_of_cireset_is_no_data_after_the_restart() {
    let mut dev = up(one_link());
    dev.escape()
        .serial("AT+CIRESET\r\n")
        .wait(2000)
        .prints(["\r\nOK\r\n", BANNER].concat());
    dev.sends_nothing(LINK1);
}

#[test]
fn the_line_end_of_the_command_that_ends_the_window_is_no_data() {
    for command in ["AT+ENTM\r\n", "AT+CIOPTIME=0;+ENTM\r\n"] {
        let mut dev = Bench::with(one_link(), window(5));
        dev.at(1000).serial(command).at(2000).sends_nothing(LINK1);
    }
}

#[test]
fn a_command_frame_of_the_window_is_no_data_for_the_links() {
    let mut dev = Bench::with(gated(), window(5));
    dev.prints(BANNER)
        .at(1000)
        .serial("12345,AT+CIPR?")
        .at(6000)
        .sends_nothing(LINK1);
}

#[test]
fn command_frames_of_a_dte_that_does_not_read_fill_no_queue() {
    let mut dev = up(gated());
    dev.dte_stops();
    for _ in 0..300 {
        if !dev.dtu.wants_serial() {
            break;
        }
        dev.serial("12345,AT+HELP").wait(150);
    }
    let waiting = dev.dtu.status(dev.now).serial.waiting;
    assert!(waiting < 128 * 1024, "{waiting} bytes wait");
}

#[test]
fn a_role_takes_effect_with_ciapply_and_not_before() {
    let mut config = one_link();
    config.links[1].enabled = true;
    let mut dev = up(config);
    dev.at(60_000)
        .escape()
        .command("AT+CIROLE=2,backup:1", OK)
        .wait(1000);
    assert_eq!(
        dev.peer(LINK2).closes,
        0,
        "link 2 was closed by a set command"
    );
    dev.command("AT+ENTM", OK)
        .wait(500)
        .serial("x")
        .wait(200)
        .sends(LINK1, "x")
        .sends(LINK2, "x");
}

#[test]
fn a_short_primary_whose_frames_went_to_its_backup_comes_back() {
    let mut config = one_link();
    config.long_links = false;
    config.restart_time = 0;
    config.links[1].enabled = true;
    config.links[1].role = Role::Backup(LINK1);
    let mut dev = Bench::with(
        config,
        Options {
            recovery: false,
            ..options(|_| ())
        },
    );
    dev.net(LINK1, Net::Refused);
    dev.at(1000).serial("one").at(5000).sends(LINK2, "one");
    dev.net(LINK1, Net::Good);
    for minute in 1..120 {
        dev.at(minute * 60_000).serial("x").wait(500);
    }
    dev.received(LINK1);
    dev.received(LINK2);
    dev.at(7_300_000)
        .serial("late")
        .wait(500)
        .sends(LINK1, "late");
}

#[test]
fn the_escape_works_when_the_device_s_a_leaves_late() {
    let mut dev = up(one_link());
    dev.at(1000);
    dev.dte_stops();
    dev.network(LINK1, "slow")
        .wait(500)
        .serial("+++")
        .wait(4000);
    dev.dte_reads_on()
        .prints("slowa")
        .wait(100)
        .serial("a")
        .wait(25)
        .prints("\r\n+ok\r\n");
    dev.sends_nothing(LINK1);
}

#[test]
fn what_precedes_atw_in_a_line_takes_effect_behind_the_reply() {
    let mut dev = Bench::with(one_link(), window(5));
    dev.prints(BANNER).at(1000);
    let mut order = Vec::new();
    let mut outputs = raw(
        &mut dev,
        Input::Serial(SerialInput::Data(b"AT+CIPR=9600;W\r")),
    );
    while !outputs.is_empty() {
        let mut next = Vec::new();
        for output in outputs {
            let input = match output {
                Output::Serial(SerialOutput::Write(bytes)) => {
                    order.push(text(&bytes));
                    Input::Serial(SerialInput::Written)
                }
                Output::Serial(SerialOutput::Discard) => Input::Serial(SerialInput::Discarded(0)),
                Output::Serial(SerialOutput::Configure(format)) => {
                    order.push(format.baud.to_string());
                    Input::Serial(SerialInput::Configured(None))
                }
                Output::Store(_) => Input::Store(StoreInput::Saved),
                Output::Socket(..)
                | Output::Modem(_)
                | Output::Console(_)
                | Output::Leds(_)
                | Output::Power(_)
                | Output::Event(_) => continue,
            };
            next.extend(raw(&mut dev, input));
        }
        outputs = next;
    }
    assert_eq!(order, ["\\r\\nOK\\r\\n", "9600"]);
}

#[test]
fn a_restart_that_precedes_atw_in_a_line_waits_for_the_reply() {
    let mut dev = up(one_link());
    dev.escape()
        .serial("AT+CIRESET;W\r")
        .wait(2000)
        .prints(["\r\nOK\r\n", BANNER].concat());
}

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
fn a_late_answer_of_the_store_is_not_taken_for_the_next_one() {
    let mut dev = up(one_link());
    dev.escape();
    raw(&mut dev, Input::Serial(SerialInput::Data(b"ATW\r")));
    dev.wait(10_001);
    assert!(dev.printed().contains("the store does not answer"));
    let second = raw(&mut dev, Input::Serial(SerialInput::Data(b"ATE0;W\r")));
    assert!(
        second
            .iter()
            .any(|output| matches!(output, Output::Store(StoreOutput::Save(_))))
    );
    // The first save ends at last; the second fails.
    dev.input(Input::Store(StoreInput::Saved))
        .input(Input::Store(StoreInput::Failed("disk full")));
    let printed = dev.printed();
    assert!(
        printed.contains("disk full") && !printed.contains("OK"),
        "{printed}"
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
fn the_end_of_the_window_cuts_no_frame() {
    let mut dev = Bench::with(one_link(), window(1));
    dev.at(980)
        .serial("hel")
        .at(1020)
        .serial("lo")
        .at(2000)
        .sends(LINK1, "hello")
        .sends_nothing(LINK1);
}

#[test]
fn the_recovery_interval_grows_with_a_udp_link_beside() {
    let mut config = one_link();
    config.restart_time = 0;
    config.links[1].enabled = true;
    config.links[1].protocol = Protocol::Udp;
    let mut dev = Bench::cold(config, options(|_| ()));
    dev.net(LINK1, Net::Refused);
    dev.input(Input::Modem(&ModemInput::Attached(
        std::net::Ipv4Addr::LOCALHOST.into(),
    )));
    // Modem reset at 15 min, restarts at 30, 45 (15 later), 75, 135, 255 min: as without the UDP link.
    dev.at(250 * 60_000);
    let got = (dev.modem.resets, dev.power.len());
    let mut alone = one_link();
    alone.restart_time = 0;
    let mut reference = Bench::cold(alone, options(|_| ()));
    reference.net(LINK1, Net::Refused);
    reference.input(Input::Modem(&ModemInput::Attached(
        std::net::Ipv4Addr::LOCALHOST.into(),
    )));
    reference.at(250 * 60_000);
    assert_eq!(got, (reference.modem.resets, reference.power.len()));
}

#[test]
fn entm_in_the_window_enters_the_working_mode_with_auto_0() {
    let mut config = one_link();
    config.auto_mode = false;
    let mut dev = Bench::with(config, window(5));
    dev.prints(BANNER)
        .at(1000)
        .command("AT+ENTM", OK)
        .at(2000)
        .serial("x")
        .at(2200);
    dev.sends(LINK1, "x");
}

#[test]
fn ciapply_changes_the_line_in_the_command_state_of_auto_0() {
    let mut config = one_link();
    config.auto_mode = false;
    let mut dev = Bench::with(config, window(0));
    dev.at(1000)
        .prints(BANNER)
        .command("AT+CIPR=9600", OK)
        .command("AT+CIAPPLY", OK)
        .wait(100);
    assert_eq!(
        dev.line.configured.last().map(|format| format.baud),
        Some(9600)
    );
}

#[test]
fn a_set_up_window_does_not_open_again_in_a_running_device() {
    let mut dev = Bench::with(one_link(), window(5));
    dev.prints(BANNER)
        .at(1000)
        .serial("AT+ENTM;+CIOPTIME=3600\r")
        .at(2000);
    dev.printed();
    dev.serial("data").at(2200).sends(LINK1, "data");
}

#[test]
fn the_clock_begins_anew_after_a_restart() {
    let mut dev = up(one_link());
    dev.escape()
        .command("AT+CCLK=\"20/05/06,07:08:09\"", OK)
        .serial("AT+CIRESET\r")
        .wait(500);
    dev.printed();
    dev.escape().serial("AT+CCLK?\r");
    let printed = dev.printed();
    assert!(printed.contains("14/01/01"), "{printed}");
}

#[test]
fn the_clock_begins_at_power_on_wherever_the_host_s_time_stands() {
    let now = dtu_proto::time::Instant::from_millis(86_400_000);
    let mut dtu = dtu_proto::Dtu::new(one_link(), options(|_| ()), Identity::default(), 1, now);
    dtu.handle_input(Input::Console("AT+CCLK?"), now);
    let said = std::iter::from_fn(|| dtu.poll_output()).find_map(|output| {
        if let Output::Console(text) = output {
            Some(text)
        } else {
            None
        }
    });
    assert!(
        said.as_ref()
            .is_some_and(|text| text.contains("14/01/01,00:00:00")),
        "{said:?}"
    );
}

#[test]
fn every_byte_of_the_dte_is_a_command_or_in_a_frame_once() {
    for typed in ["AT\r\n", "AT+CI", "A"] {
        let mut dev = Bench::with(one_link(), window(5));
        dev.at(1000).serial(typed).at(6000);
        let c = dev.dtu.status(dev.now).serial.counters;
        assert_eq!(
            c.bytes_in,
            c.command_bytes + c.frame_bytes,
            "{typed:?}: {c:?}"
        );
    }
}

#[test]
fn a_frame_that_merely_begins_with_at_passes_the_window_whole() {
    for frame in [
        [b"AT".as_slice(), &[b'x'; 3000]].concat(),
        b"AT\x1b[0m\x08\x7f".to_vec(),
    ] {
        let mut dev = Bench::with(one_link(), window(5));
        dev.at(1000).serial(&frame).at(6000);
        let c = dev.dtu.status(dev.now).serial.counters;
        let got = dev.received(LINK1);
        assert!(
            got == frame || c.dropped_bytes > 0,
            "{} of {} bytes",
            got.len(),
            frame.len()
        );
    }
}

#[test]
fn an_escape_behind_the_window_needs_its_silence() {
    let mut dev = Bench::with(one_link(), window(1));
    dev.prints(BANNER)
        .at(990)
        .serial("x")
        .at(1010)
        .serial("+++")
        .wait(100)
        .prints_nothing();
}

#[test]
fn a_frame_in_the_socket_s_hands_is_not_dropped_for_room() {
    let mut dev = Bench::with(one_link(), options(|o| o.cache = 2048));
    dev.at(200);
    dev.net(LINK1, Net::Unacked);
    for fill in [b'a', b'b', b'c'] {
        dev.wait(200).serial([fill; 1024]);
    }
    let delivered = dev.received(LINK1).len() as u64;
    dev.input(Input::Socket(
        SocketId::Link(LINK1),
        SocketInput::Acked(delivered),
    ));
    let link = dev.dtu.status(dev.now).links[0];
    let (c, waiting) = (link.counters, link.waiting_bytes as u64);
    assert_eq!(
        (delivered, c.bytes_out + c.dropped_bytes + waiting),
        (c.bytes_out, c.bytes_in),
        "{c:?}"
    );
}

#[test]
fn a_backup_takes_over_when_the_host_never_answers_a_close() {
    let mut config = one_link();
    config.heartbeat = b"HB".to_vec();
    config.heartbeat_interval = 30;
    config.links[1].enabled = true;
    config.links[1].role = Role::Backup(LINK1);
    let mut dev = up(config);
    dev.net(LINK1, Net::Unacked);
    // Heartbeat at 30 s; at 60 s it is not acknowledged. The host does not answer the close.
    dev.late_closes = true;
    dev.at(59_000);
    while dev.peer(LINK1).closes == 0 {
        dev.wait(10);
    }
    dev.net(LINK1, Net::BlackHole);
    dev.wait(6000);
    let active = Event::BackupActive {
        backup: LINK2,
        primary: LINK1,
        active: true,
    };
    assert!(dev.events.contains(&active));
}

#[test]
fn a_cireload_that_is_not_stored_changes_nothing() {
    let mut config = one_link();
    config.registration = b"REG".to_vec();
    config.registration_when = RegistrationWhen::WithData;
    let mut dev = up(config);
    dev.sends(LINK1, "REG");
    raw(&mut dev, Input::Console("AT+CIRELOAD"));
    dev.wait(1000).serial("x").wait(200);
    dev.input(Input::Store(StoreInput::Failed("disk full")))
        .sends(LINK1, "REGx");
}

#[test]
fn a_restart_while_atw_waits_leaves_stored_and_running_equal() {
    let mut config = one_link();
    config.restart_time = 600;
    let mut dev = up(config);
    dev.at(599_000);
    raw(&mut dev, Input::Console("AT+CIPNUM=555;W"));
    dev.at(601_000);
    dev.input(Input::Store(StoreInput::Saved)).wait(3000);
    assert_eq!(dev.power, [Power::Restarted]);
    assert_eq!(dev.console.last().map(String::as_str), Some(OK));
    assert_eq!(dev.dtu.config().sms_number, "555");
}

#[test]
fn banners_of_restarts_do_not_pile_up_for_a_dte_that_never_reads() {
    let mut config = one_link();
    config.restart_time = 600;
    let mut dev = up(config);
    dev.dte_stops();
    dev.at(24 * 3_600_000);
    let waiting = dev.dtu.status(dev.now).serial.waiting;
    assert!(
        waiting < 200,
        "{waiting} bytes after {} restarts",
        dev.power.len()
    );
}

#[test]
fn a_restart_forgets_a_line_half_typed_in_the_window() {
    let mut dev = Bench::with(one_link(), window(5));
    dev.prints(BANNER)
        .at(1000)
        .serial("AT+CI")
        .input(Input::Console("AT+CIRESET"))
        .wait(500);
    dev.prints(BANNER).command("AT", OK);
}

#[test]
fn frames_of_a_healthy_backup_are_not_sent_twice_at_the_hand_back() {
    let mut config = one_link();
    config.links[1].enabled = true;
    config.links[1].role = Role::Backup(LINK1);
    let mut dev = up(config);
    dev.net(LINK1, Net::Refused);
    dev.lose(LINK1, CloseReason::Reset, 0).at(3000);
    dev.net(LINK1, Net::Good);
    // The primary comes up; just before 30 s are over the backup sends, and its acknowledgement is under way.
    while !matches!(dev.dtu.status(dev.now).links[0].state, LinkState::Connected) {
        dev.wait(10);
    }
    dev.net(LINK2, Net::Unacked);
    dev.wait(29_850)
        .serial("once")
        .wait(100)
        .sends(LINK2, "once");
    // The host says with `Closed` that all of it is acknowledged.
    dev.net(LINK2, Net::Good);
    dev.wait(1000).sends_nothing(LINK1);
}

#[test]
fn a_network_that_comes_and_goes_does_not_put_recovery_off_for_ever() {
    let mut config = one_link();
    config.restart_time = 0;
    let mut dev = Bench::cold(config, options(|_| ()));
    dev.net(LINK1, Net::Refused);
    for minutes in 1..12 {
        dev.input(Input::Modem(&ModemInput::Attached(
            std::net::Ipv4Addr::LOCALHOST.into(),
        )));
        dev.at(minutes * 600_000 - 120_000)
            .input(Input::Modem(&ModemInput::Detached))
            .at(minutes * 600_000);
    }
    assert!(dev.modem.resets > 0, "110 minutes without a link");
}

#[test]
fn an_expected_reply_is_missed_even_if_heartbeats_come_faster_than_its_time() {
    let mut config = one_link();
    config.heartbeat = b"HB".to_vec();
    config.heartbeat_interval = 30;
    let expect = Expect {
        reply: b"OK".to_vec(),
        within: Duration::from_secs(31),
        misses: 2,
        pass: false,
    };
    let mut dev = Bench::with(
        config,
        options(|o| o.expect_heartbeat = Some(Box::new(expect.clone()))),
    );
    dev.at(600_000);
    assert!(
        dev.peer(LINK1).closes > 0,
        "{} heartbeats without a reply",
        dev.received(LINK1).len() / 2
    );
}

#[test]
fn the_reply_to_a_command_of_a_lost_connection_goes_to_nobody() {
    let mut dev = up(gated());
    raw(
        &mut dev,
        Input::Socket(SocketId::Link(LINK1), SocketInput::Data(b"12345,ATW")),
    );
    dev.lose(LINK1, CloseReason::Reset, 0).wait(1500);
    assert_eq!(dev.peer(LINK1).connects.len(), 2);
    dev.input(Input::Store(StoreInput::Saved))
        .wait(100)
        .sends_nothing(LINK1);
}

#[test]
fn ciapply_from_mode_2_to_mode_0_by_the_console_enters_the_transparent_mode() {
    let mut config = one_link();
    config.mode = WorkingMode::AtCommand;
    let mut dev = up(config);
    dev.input(Input::Console("AT+CIMOD=0;+CIAPPLY"))
        .wait(1000)
        .serial("x")
        .wait(200);
    dev.sends(LINK1, "x");
}

#[test]
fn a_short_primary_comes_back_though_its_backup_is_busy() {
    let mut config = one_link();
    config.long_links = false;
    config.links[1].enabled = true;
    config.links[1].role = Role::Backup(LINK1);
    let mut dev = Bench::with(config, options(|_| ()));
    dev.net(LINK1, Net::Refused);
    dev.at(1000).serial("one").at(1300);
    dev.net(LINK1, Net::Good);
    for second in 1..120 {
        dev.at(second * 5000).serial("x").wait(500);
    }
    dev.received(LINK1);
    dev.received(LINK2);
    dev.at(601_000)
        .serial("late")
        .wait(500)
        .sends(LINK1, "late");
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
fn a_short_link_does_not_close_in_the_moment_of_a_late_acknowledgement() {
    let mut config = one_link();
    config.long_links = false;
    let mut dev = up(config);
    dev.net(LINK1, Net::Unacked);
    dev.at(1000)
        .serial("ask")
        .at(1300)
        .sends(LINK1, "ask")
        .at(14_000);
    dev.input(Input::Socket(SocketId::Link(LINK1), SocketInput::Acked(3)))
        .wait(500);
    assert_eq!(dev.peer(LINK1).closes, 0, "no time for the answer");
    dev.network(LINK1, "answer").prints("answer");
}

#[test]
fn data_that_looks_a_little_like_a_command_shuts_no_door() {
    let mut dev = up(gated());
    for room in 1..6 {
        dev.serial(format!("room{room},attic 21.5"))
            .wait(200)
            .received(LINK1);
    }
    dev.serial("12345,AT+CIPR?")
        .wait(200)
        .prints("\r\n+CIPR: 115200\r\n\r\nOK\r\n");
}

#[test]
fn the_right_password_behind_a_shut_door_goes_to_no_server() {
    let mut dev = up(gated());
    for _ in 0..5 {
        dev.serial("wrong,AT+CIPR?").wait(200).received(LINK1);
    }
    dev.serial("12345,AT+CIPR?").wait(200).sends_nothing(LINK1);
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

/// One read brings a command that ends the device, cut off by size, and data behind it, which looks like a command too.
#[test]
fn what_stands_behind_a_command_that_ends_the_device_is_data() {
    for (command, shutdown) in [
        ("12345,AT+CISHUTDOWN", Shutdown::Stop),
        ("12345,AT+CISHUTDOWN", Shutdown::Restart),
        ("12345,AT+CIRESET", Shutdown::Stop),
    ] {
        let config = Config {
            packing_length: u16::try_from(command.len()).unwrap(),
            ..gated()
        };
        let mut dev = Bench::with(
            config,
            Options {
                shutdown,
                length_enabled: true,
                ..options(|_| ())
            },
        );
        dev.at(1000).net(LINK1, Net::Unacked);
        dev.serial(format!("{command}AT+CIPSW=x\r")).wait(3000);
        assert_eq!(dev.power.len(), 1, "{command}");
        let kept: Vec<_> = dev.dtu.undelivered(LINK1).map(|(_, frame)| frame).collect();
        assert_eq!(kept, [&b"AT+CIPSW=x\r"[..]], "{command}");
        assert_eq!(dev.dtu.config().password, "12345");
    }
}

#[test]
fn a_frame_under_way_goes_out_before_ciapply_leaves_the_mode() {
    let mut dev = up(one_link());
    dev.at(1000).serial("half");
    dev.input(Input::Console("AT+CIMOD=2;+CIAPPLY"))
        .wait(500)
        .sends(LINK1, "half");
}

#[test]
fn the_line_waits_for_a_slow_command_of_another_door_instead_of_being_busy() {
    let mut dev = up(one_link());
    dev.escape();
    raw(&mut dev, Input::Console("ATW"));
    dev.serial("AT\r\n").prints_nothing();
    assert!(!dev.dtu.wants_serial());
    dev.input(Input::Store(StoreInput::Saved))
        .prints("\r\nOK\r\n");
    assert!(dev.dtu.wants_serial());
}

#[test]
fn frames_that_only_the_primary_s_last_connection_sent_are_not_dropped_by_the_backup() {
    let mut config = one_link();
    config.links[1].enabled = true;
    config.links[1].role = Role::Backup(LINK1);
    let mut mixed = options(|_| ());
    mixed.links[1].resend = false;
    let mut dev = Bench::with(config, mixed);
    dev.at(500);
    dev.net(LINK1, Net::Unacked);
    dev.at(1000).serial("once").at(1200).sends(LINK1, "once");
    dev.net(LINK1, Net::Refused).net(LINK2, Net::Refused);
    dev.lose(LINK1, CloseReason::Reset, 0).wait(10_000);
    dev.net(LINK2, Net::Good);
    dev.wait(30_000).sends(LINK2, "once");
}

/// D2, D16, D11: what only the host sees is counted where it belongs, and said.
#[test]
fn what_the_host_lost_is_counted_and_said() {
    let mut bench = Bench::new(one_link());
    let at = SocketId::AtMode;
    let httpd = SocketId::Httpd;
    let place = SocketId::DESTINATIONS[3];
    let losses = [
        Lost::Unread(SocketId::Link(LINK2), 1),
        Lost::Datagrams(SocketId::Link(LINK2), 2),
        Lost::Unread(at, 3),
        Lost::Datagrams(at, 4),
        Lost::Unread(httpd, 5),
        Lost::Unread(place, 6),
        Lost::Datagrams(place, 7),
        Lost::InLine(8),
        Lost::Overrun(9),
    ];
    for lost in losses.into_iter().chain(losses) {
        bench.input(Input::Lost(lost));
        assert_eq!(bench.events.last(), Some(&Event::Lost(lost)));
    }
    let status = bench.dtu.status(bench.now);
    let link = &status.links[1].counters;
    assert_eq!((link.unread_bytes, link.unread_datagrams), (2, 4));
    let connection = &status.at_connection.counters;
    assert_eq!(
        (connection.unread_bytes, connection.unread_datagrams),
        (6, 8)
    );
    assert_eq!(status.httpd.counters.unread_bytes, 10);
    let packets = &status.serial_command.counters;
    assert_eq!((packets.unread_bytes, packets.unread_datagrams), (12, 14));
    let line = &status.serial.counters;
    assert_eq!((line.lost_bytes, line.overrun_bytes), (16, 18));
}

/// D9 (decisions 16.5): another address behind the name of a UDP link is another peer, which must know who sends.
#[test]
fn d9_a_udp_link_that_moved_registers_again() {
    let mut config = one_link();
    config.links[0].protocol = Protocol::Udp;
    config.registration = b"id".to_vec();
    let mut bench = Bench::new(config);
    bench.wait(1000).sends(LINK1, "id");
    bench.serial("before").wait(1000).sends(LINK1, "before");
    let local = SocketAddr::from(([127, 0, 0, 1], 5000));
    bench
        .input(Input::Socket(
            SocketId::Link(LINK1),
            SocketInput::Connected { local },
        ))
        .sends(LINK1, "id");
    bench.serial("behind").wait(1000).sends(LINK1, "behind");
    assert_eq!(bench.dtu.status(bench.now).links[0].counters.reconnects, 0);
}
