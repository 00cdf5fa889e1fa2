//! The set-up window, its end, and the serial line at a restart.

use super::*;

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

/// Who sets a device up asks for the command state right behind power-on, where commands are taken anyway: that is no data
/// for a data center, and no loss where there is none.
#[test]
fn an_escape_in_the_window_is_no_data() {
    for (text, gap) in [("+++", 0), ("+++\r\n", 0), ("+++", 40)] {
        let mut dev = Bench::with(one_link(), window(5));
        dev.prints(BANNER).at(1000);
        for byte in text.bytes() {
            dev.serial([byte]).wait(gap);
        }
        dev.wait(1500).serial("+++").wait(400).serial("data");
        dev.at(6000).sends(LINK1, "data").sends_nothing(LINK1);
        let counters = dev.dtu.status(dev.now).serial.counters;
        assert_eq!((counters.dropped_frames, counters.frames_in), (0, 1));
        assert_eq!(counters.command_bytes, text.len() as u64 + 3);
    }
    // What is no escape is data.
    for data in ["+++x", "++", "++++", "x+++"] {
        let mut dev = Bench::with(one_link(), window(5));
        dev.prints(BANNER).at(1000).serial(data);
        dev.at(6000).sends(LINK1, data).sends_nothing(LINK1);
    }
    let mut dev = Bench::with(one_link(), window(5));
    dev.prints(BANNER)
        .at(1000)
        .serial("x")
        .wait(150)
        .serial("+++");
    dev.at(6000).sends(LINK1, "x").sends(LINK1, "+++");
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

/// Whatever the mode is: it is not the mode that keeps the links waiting.
#[test]
fn in_the_window_the_links_wait_for_the_mode_to_start() {
    for mode in [WorkingMode::Transparent, WorkingMode::Httpd] {
        let mut config = one_link();
        config.mode = mode;
        let mut dev = Bench::with(config, window(5));
        dev.at(8000).console_line("AT+CIRESET").wait(2000);
        dev.console.clear();
        dev.console_line("AT+CINET?");
        let said = dev.console.pop().unwrap_or_default();
        let line = "+CINET:1,WAITING,mode not started";
        assert!(said.lines().any(|of| of == line), "{mode}: {said}");
    }
}

#[test]
fn a_command_that_is_half_typed_when_the_window_ends_counts_as_one() {
    let mut config = one_link();
    config.auto_mode = false;
    let mut dev = Bench::with(config, window(5));
    dev.prints(BANNER)
        .at(4990)
        .serial("A")
        .at(6000)
        .serial("T\r");
    dev.wait(100).prints(OK);
    let counters = dev.dtu.status(dev.now).serial.counters;
    assert_eq!((counters.bytes_in, counters.command_bytes), (3, 3));
}
