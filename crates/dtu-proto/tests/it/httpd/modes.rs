//! Commands, settings and other modes.

use super::*;

#[test]
fn the_command_state_holds_answers_back() {
    let mut dev = plain();
    dev.serial("1").wait(100).sends(SERVER, get("1"));
    dev.escape().network(SERVER, answer("a")).prints_nothing();
    dev.command("AT+CIMOD?", "\r\n+CIMOD: 3\r\n\r\nOK\r\n")
        .command("AT+ENTM", "\r\nOK\r\na");
    dev.serial("2").sends(SERVER, get("2"));
}

#[test]
fn an_answer_is_never_a_command() {
    let mut dev = device(|config| {
        config.httpd.head.clear();
        (config.network_at, config.serial_at) = (true, true);
        config.password = "abc".to_string();
    });
    dev.serial("1").wait(100).sends(SERVER, get("1"));
    dev.network(SERVER, "HTTP/1.1 200 OK\r\n\r\n")
        .network(SERVER, "abc,AT+CIMOD=0")
        .prints("abc,AT+CIMOD=0");
    assert_eq!(dev.dtu.config().mode, WorkingMode::Httpd);
    dev.serial("abc,AT+CIMOD?")
        .prints("\r\n+CIMOD: 3\r\n\r\nOK\r\n");
}

#[test]
fn new_settings_wait_for_the_answer_and_old_ones_keep_the_connection() {
    let mut dev = plain();
    dev.serial("1")
        .serial("2")
        .wait(100)
        .sends(SERVER, get("1"));
    let set = |dev: &mut Bench, line: &str| {
        dev.input(Input::Console(line))
            .input(Input::Console("AT+CIAPPLY"));
    };
    set(&mut dev, "AT+CIPNUM=10010");
    assert_eq!((dev.peer(SERVER).closes, connects(&mut dev)), (0, 1));
    set(&mut dev, "AT+HTPURL=/2?");
    dev.network(SERVER, answer("a")).prints("a");
    assert_eq!(dev.peer(SERVER).closes, 1);
    dev.wait(100)
        .sends(SERVER, get("2").replace("/1.php?", "/2?"));
    dev.network(SERVER, answer("b")).prints("b");
    set(&mut dev, "AT+HTPTO=20");
    assert_eq!((dev.peer(SERVER).closes, connects(&mut dev)), (2, 2));
}

#[test]
fn frames_wait_for_the_return_of_the_mode() {
    let mut dev = plain();
    dev.net(SERVER, Net::Refused);
    dev.serial("1").wait(1000).serial("2").wait(1000);
    dev.input(Input::Console("AT+CIMOD=0;+CIAPPLY"))
        .wait(600_000);
    let attempts = connects(&mut dev);
    dev.net(SERVER, Net::Good);
    dev.wait(600_000);
    assert_eq!(
        (connects(&mut dev), cinet(&mut dev)),
        (attempts, String::new())
    );
    assert_eq!(dev.dtu.status(dev.now).httpd.waiting_frames, 2);
    dev.input(Input::Console("AT+CIMOD=3;+CIAPPLY"))
        .wait(100)
        .sends(SERVER, get("1"));
    dev.network(SERVER, answer("a"))
        .prints("a")
        .sends(SERVER, get("2"));
    // A request that is under way when the mode ends has had its turn.
    dev.input(Input::Console("AT+CIMOD=0;+CIAPPLY"))
        .input(Input::Console("AT+CIMOD=3;+CIAPPLY"))
        .wait(60_000);
    dev.sends_nothing(SERVER);
    assert_eq!((counters(&dev).answered, counters(&dev).failed), (1, 1));
}

#[test]
fn a_restart_keeps_what_waits() {
    let mut dev = plain();
    dev.serial("1")
        .serial("2")
        .wait(100)
        .sends(SERVER, get("1"));
    dev.input(Input::Console("ATW"))
        .input(Input::Console("AT+CIRESET"))
        .wait(5000);
    assert_eq!((dev.power.len(), dev.peer(SERVER).closes), (1, 1));
    dev.sends(SERVER, get("2")).sends_nothing(SERVER);
    assert_eq!((counters(&dev).failed, counters(&dev).requests), (1, 2));
}

#[test]
fn frames_of_the_set_up_window_become_requests() {
    let mut config = factory();
    config.httpd.head.clear();
    let mut dev = Bench::with(config, Options::default());
    dev.at(1000).serial("one").wait(500).serial("two").wait(500);
    assert_eq!(connects(&mut dev), 0);
    dev.at(5200)
        .sends(SERVER, get("one"))
        .network(SERVER, answer(""))
        .sends(SERVER, get("two"));
}
