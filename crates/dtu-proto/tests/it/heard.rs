//! Who is heard, and what a log has of it.
#![allow(missing_docs)]

use dtu_proto::config::{FactoryPassword, Options};
use dtu_proto::event::Event;
use dtu_proto::testing::{Bench, LINK1, one_link};
use dtu_proto::time::Duration;

fn commands(dev: &Bench) -> usize {
    let ran = |event: &&Event| matches!(event, Event::Command { .. });
    dev.events.iter().filter(ran).count()
}

#[test]
fn a_blank_line_of_the_console_is_no_command() {
    let mut dev = Bench::new(one_link());
    dev.at(1000);
    for line in ["", "  ", "\t"] {
        dev.console_line(line).wait(10);
    }
    assert_eq!(commands(&dev), 0);
    dev.console_line("AT").wait(10);
    assert_eq!(commands(&dev), 1);
}

/// The setting is about the factory password; whoever has set one of his own is heard.
#[test]
fn a_password_of_ones_own_opens_the_device_whatever_the_factory_one_may() {
    for (password, heard) in [("admin", false), ("gehei", true)] {
        let mut config = one_link();
        config.password = password.into();
        config.network_at = true;
        let options = Options {
            setup_window: Duration::ZERO,
            factory_password: FactoryPassword::Off,
            ..Options::default()
        };
        let mut dev = Bench::with(config, options);
        dev.at(1000);
        dev.network(LINK1, format!("{password},AT+CSQ")).wait(10);
        assert_eq!(commands(&dev), usize::from(heard), "{password}");
    }
}
