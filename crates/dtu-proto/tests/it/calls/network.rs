//! Registration, LEDs and the clock of the network.

use super::*;

#[test]
fn registration_is_told_when_it_changes_and_only_where_commands_are_typed() {
    let mut dev = desk();
    tell(&mut dev, ModemInput::Registration(Registration::Searching));
    dev.prints_nothing()
        .command("AT+CREG=1", OK)
        .command("AT+CGREG=2", OK);
    tell(&mut dev, ModemInput::Registration(Registration::Home));
    dev.wait(500)
        .prints("\r\n+CREG: 1\r\n")
        .wait(100)
        .prints("\r\n+CGREG: 1\r\n");
    tell(&mut dev, ModemInput::Registration(Registration::Home));
    dev.prints_nothing();
    tell(
        &mut dev,
        ModemInput::Cell(Some(Cell {
            area: 21_269,
            id: 34_093,
        })),
    );
    dev.wait(100).prints("\r\n+CGREG: 1,\"5315\",\"852D\"\r\n");
    tell(
        &mut dev,
        ModemInput::Signal(Signal {
            strength: 3,
            error_rate: 99,
        }),
    );
    dev.prints_nothing();
    tell(&mut dev, ModemInput::Detached);
    dev.wait(100).prints("\r\n+CGREG: 0\r\n");
    tell(&mut dev, ModemInput::Gone);
    dev.wait(100).prints("\r\n+CREG: 0\r\n");
    let mut config = one_link();
    config.registration_reports = [2; 3];
    let mut dev = started(config);
    tell(&mut dev, ModemInput::Registration(Registration::Denied));
    dev.at(2000).prints_nothing().escape().prints_nothing();
}

#[test]
fn manual_2_5_the_net_lamp_is_registered_and_attached() {
    let mut dev = field();
    let net = |dev: &Bench| dev.leds.last().map(|leds| leds.net);
    assert_eq!(net(&dev), Some(true));
    tell(&mut dev, ModemInput::Registration(Registration::Searching));
    assert_eq!(net(&dev), Some(false));
    tell(&mut dev, ModemInput::Registration(Registration::Roaming));
    assert_eq!(net(&dev), Some(true));
    tell(&mut dev, ModemInput::Detached);
    assert_eq!(net(&dev), Some(false));
}

#[test]
fn manual_2_8_6_4_the_networks_time_sets_the_clock() {
    let mut dev = desk();
    dev.command("AT+CCLK?", "\r\n+CCLK: \"14/01/01,00:00:01\"\r\n\r\nOK\r\n");
    // 2026-11-22 17:00:00
    let time = NetworkTime {
        seconds: 848_682_000,
        zone: Some(32),
    };
    tell(&mut dev, ModemInput::Clock(time));
    dev.command("AT+CCLK?", "\r\n+CCLK: \"26/11/22,17:00:00\"\r\n\r\nOK\r\n");
    dev.command("AT+CIRESET", "\r\nOK\r\n\r\nUSR-GPRS232-DTU\r\n")
        .at(3000);
    dev.command("AT+CCLK?", "\r\n+CCLK: \"26/11/22,17:00:02\"\r\n\r\nOK\r\n");
    tell(&mut dev, ModemInput::Gone);
    dev.command("AT+CCLK?", "\r\n+CCLK: \"26/11/22,17:00:02\"\r\n\r\nOK\r\n");
    dev.command("AT+CIRESET", "\r\nOK\r\n\r\nUSR-GPRS232-DTU\r\n");
    dev.command("AT+CCLK?", "\r\n+CCLK: \"14/01/01,00:00:00\"\r\n\r\nOK\r\n");
}
