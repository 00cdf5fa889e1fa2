//! `AT&W`, `CIRELOAD` and what waits for the store.

use super::*;

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

/// The settings that were stored too late are put back; that this is done is news for nobody.
#[test]
fn what_is_put_back_on_the_disk_does_not_answer_the_next_command() {
    let mut dev = up(one_link());
    dev.escape();
    dev.store.answers = false;
    assert!(dev.dtu.takes_commands());
    dev.command("ATS0=2", OK);
    let rings = |dev: &Bench| {
        (
            dev.dtu.config().auto_answer,
            dev.dtu.stored_config().auto_answer,
        )
    };
    assert_eq!(rings(&dev), (2, 0));
    dev.serial("ATW\r");
    assert!(!dev.dtu.takes_commands(), "one waits");
    dev.wait(10_001);
    assert!(dev.printed().contains("the store does not answer"));
    dev.input(Input::Store(StoreInput::Saved)).serial("ATW\r");
    assert_eq!(dev.store.saved.len(), 3, "stored, put back, stored");
    dev.input(Input::Store(StoreInput::Saved))
        .prints_nothing()
        .input(Input::Store(StoreInput::Saved))
        .prints(OK);
    assert!(dev.dtu.takes_commands());
    assert_eq!(rings(&dev), (2, 2));
}

#[test]
fn settings_are_put_back_when_the_last_late_answer_is_there_and_no_command_stores_anew() {
    let mut dev = up(one_link());
    dev.escape();
    dev.store.answers = false;
    for _ in 0..2 {
        dev.serial("ATW\r").wait(10_001);
    }
    let saved = |dev: &mut Bench, saves: usize| {
        dev.input(Input::Store(StoreInput::Saved));
        assert_eq!(dev.store.saved.len(), saves);
    };
    saved(&mut dev, 2);
    saved(&mut dev, 3);
    saved(&mut dev, 3);
    dev.serial("ATW\r").wait(10_001).serial("ATW\r");
    dev.printed();
    saved(&mut dev, 5);
    saved(&mut dev, 5);
    dev.prints(OK);
}
