//! Packing, heartbeat and registration.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::super::command::{Command, TakesEffect};
use super::super::outcome::Lines;
use super::super::param::{Kind, Param};
use super::super::reply::{Error, Hex};
use super::super::values::Values;
use super::super::view::View;
use super::one;
use crate::config::{Config, HeartbeatTo, RegistrationWhen};

pub(in super::super) const COMMANDS: &[Command] = &[
    Command::new(
        "+CIPCFG",
        "2.8.6.20",
        "Heartbeat, packing and automatic restart",
        CIPCFG,
    )
    .example("AT+CIPCFG=1,30,0,100,10,1800", "OK")
    .reads(read_values)
    .sets(set_values)
    .saved(
        |config| one(format!("AT+CIPCFG={}", values(config, ","))),
        TakesEffect::Now,
    ),
    Command::new(
        "+CIPPACK",
        "2.8.6.21, 2.8.6.22",
        "Heartbeat packet (0) and registration packet (1)",
        CIPPACK,
    )
    .example("AT+CIPPACK=1,44545530303031,0", "OK")
    .reads(read_packets)
    .sets(set_packet)
    .notes("An empty packet is off: AT+CIPPACK=0,,0 clears the heartbeat.")
    .saved(saved_packets, TakesEffect::Now),
];

const CIPCFG: &[Param] = &[
    Param::new(
        "AUTO",
        Kind::Choice(&[(0, "stay in the command state"), (1, "enter the working mode")]),
        "after power-on",
    )
    .factory("1")
    .empty_is("1"),
    Param::new("HEAT", WORD, "s between heartbeats; 0 = off").factory("30").empty_is("30"),
    Param::new("RESERVED", Kind::Choice(&[(0, "")]), "always 0").factory("0").empty_is("0"),
    Param::new(
        "TIME",
        Kind::ZeroOr { min: 10, max: 60_000 },
        "ms of silence that close a frame; 0 = no packing, each read goes on at once",
    )
    .factory("100")
    .empty_is("100"),
    Param::new(
        "LEN",
        Kind::Number { min: 0, max: 1024 },
        "bytes; without effect, as in the manual, unless packing.length_enabled in the settings file",
    )
    .factory("10")
    .empty_is("10"),
    Param::new("RTIME", WORD, "s without data after which the device restarts; below 600 = never")
        .factory("1800")
        .empty_is("1800"),
];

const WORD: Kind = Kind::Number {
    min: 0,
    max: 65_535,
};

const CIPPACK: &[Param] = &[
    Param::new("PACKET", Kind::Choice(&[(0, "heartbeat"), (1, "registration")]), ""),
    Param::new("DATA", Kind::Hex { max: 40 }, "bytes of the packet; none = off").factory("").empty_is(""),
    Param::new(
        "STA",
        Kind::Choice(&[(0, ""), (1, "")]),
        "heartbeat: 0 to the network, 1 to the serial line; registration: 0 on connect, 1 in front of all data too",
    )
    .factory("0")
    .left_off_is("0"),
];

/// The line that `CIPCFG?` and the dump of `CIPSCONT?` print.
pub(super) fn values_line(config: &Config) -> String {
    format!("+CIPCFG: {}", values(config, ", "))
}

/// The two lines that `CIPPACK?` and the dump of `CIPSCONT?` print; the blanks are the manual's (2.8.6.32).
pub(super) fn packet_lines(config: &Config) -> [String; 2] {
    let [(heartbeat, to), (registration, when)] = packets(config);
    [
        format!("+CIPPACK: 0, \"{heartbeat}\",{to}"),
        format!("+CIPPACK: 1, \"{registration}\" , {when}"),
    ]
}

fn saved_packets(config: &Config) -> Vec<String> {
    let line = |(number, (packet, option))| format!("AT+CIPPACK={number},\"{packet}\",{option}");
    (0..).zip(packets(config)).map(line).collect()
}

/// The heartbeat and the registration packet, each with its last parameter.
fn packets(config: &Config) -> [(Hex<'_>, u8); 2] {
    [
        (Hex(&config.heartbeat), heartbeat_number(config)),
        (Hex(&config.registration), registration_number(config)),
    ]
}

fn values(config: &Config, comma: &str) -> String {
    let Config {
        auto_mode,
        heartbeat_interval,
        packing_time,
        packing_length,
        restart_time,
        ..
    } = config;
    let numbers = [
        u16::from(*auto_mode),
        *heartbeat_interval,
        0,
        *packing_time,
        *packing_length,
        *restart_time,
    ];
    numbers.map(|number| number.to_string()).join(comma)
}

fn heartbeat_number(config: &Config) -> u8 {
    u8::from(config.heartbeat_to == HeartbeatTo::Serial)
}

fn registration_number(config: &Config) -> u8 {
    u8::from(config.registration_when == RegistrationWhen::WithData)
}

fn read_values(_: &Values, view: &View<'_>) -> Result<Lines, Error> {
    Ok(values_line(view.config).into())
}

fn set_values(values: &Values, config: &mut Config) -> Result<(), Error> {
    let (auto_mode, heartbeat_interval) = (values.flag(0)?, values.narrow(1)?);
    let (packing_time, packing_length, restart_time) =
        (values.narrow(3)?, values.narrow(4)?, values.narrow(5)?);
    config.auto_mode = auto_mode;
    config.heartbeat_interval = heartbeat_interval;
    config.packing_time = packing_time;
    config.packing_length = packing_length;
    config.restart_time = restart_time;
    Ok(())
}

fn read_packets(_: &Values, view: &View<'_>) -> Result<Lines, Error> {
    Ok(Lines::from_iter(packet_lines(view.config)))
}

fn set_packet(values: &Values, config: &mut Config) -> Result<(), Error> {
    let (registration, bytes, second) = (values.flag(0)?, values.bytes(1)?, values.flag(2)?);
    if registration {
        config.registration = bytes;
        config.registration_when = if second {
            RegistrationWhen::WithData
        } else {
            RegistrationWhen::OnConnect
        };
    } else {
        config.heartbeat = bytes;
        config.heartbeat_to = if second {
            HeartbeatTo::Serial
        } else {
            HeartbeatTo::Network
        };
    }
    Ok(())
}
