//! The four links.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::super::command::{Command, TakesEffect};
use super::super::outcome::Lines;
use super::super::param::{Chars, Kind, Param};
use super::super::reply::{Code, Error, Quoted};
use super::super::values::Values;
use super::super::view::View;
use super::state::{missing_line, state_name};
use super::{LINK_NUMBER, access, connection, mode, network, one, packet};
use crate::config::{Config, LinkConfig, Protocol, WorkingMode};
use crate::event::{LinkDownReason, LinkId};
use crate::status::{DestinationStatus, HttpdStatus, LinkState, LinkStatus, Status, WaitingFor};

pub(in super::super) const COMMANDS: &[Command] = &[
    Command::new("+CIPSCONT", "2.8.6.25, 2.8.6.32", "A link; read: the dump of all parameters but the serial line's", CIPSCONT)
        .example("AT+CIPSCONT=1,\"TCP\",\"usrcn.gicp.net\",10101,1", "OK")
        .reads(dump)
        .sets(set_link)
        .saved(saved_links, TakesEffect::Restart),
    Command::new("+CINETPT", "2.8.6.24", "Own port of a link", &[
        LINK_NUMBER,
        Param::new("PORT", Kind::Number { min: 0, max: 65_535 }, "0 = any free one; else no two links have the same")
            .factory("0")
            .empty_is("0"),
    ])
    .example("AT+CINETPT=1,8234", "OK")
    .reads(read_ports)
    .sets(set_port)
    .saved(saved_ports, TakesEffect::Restart),
    Command::new("+CISOCLINK", "2.8.6.46", "Long or short connections", &[Param::new(
        "LONG",
        Kind::Choice(&[(0, "short"), (1, "long")]),
        "short: connect when a frame is there, close when idle",
    )
    .factory("1")])
    .example("AT+CISOCLINK=1", "OK")
    .reads(read_long)
    .sets(set_long)
    .saved(|config| one(format!("AT+CISOCLINK={}", u8::from(config.long_links))), TakesEffect::Restart),
    Command::new("+CINET", "2.8.6.47", "State of each link, and of what the mode has open", &[])
        .example("AT+CINET?", "+CINET:1,OFF\n+CINET:2,OFF\n+CINET:3,OFF\n+CINET:4,OFF\n+CINET:0,OFF\nOK")
        .notes(
            "One line a link: `+CINET:<n>,<state>`, state one of OFF, CONNECTING, CONNECTED and WAITING. Behind WAITING \
             stands why: what ended the last attempt (`refused`), or `retry`, `no network`, `no data` (a short link), \
             `backup` (its primary is up), `mode not started`, `not in this mode` (the links work in the transparent mode; \
             what waits in their caches waits for it).\n\nBehind them a line `+CINET:0,<state>` tells of what the working mode \
             has open. In mode 1 there is one for each destination that has a connection or had it last, at most 8, \
             `+CINET:0,<state>,\"<TCP or UDP> <address>:<port>\"`, and behind WAITING the same words. In mode 2 that is the connection of `AT+CIOPEN`; behind OFF stands why the last one ended. In mode 3 \
             it is the connection to the HTTP server; behind the state stands why the last request had no answer, or why \
             there is no connection: `no answer in 10 s`, `refused`.\n\nBehind all of them, only where the modem lacks something: \
             `+CINET:MODEM,missing=\"<what it cannot, in words>\"`, as in `AT+CISTAT`.",
        )
        .reads(read_states),
];

const CIPSCONT: &[Param] = &[
    LINK_NUMBER,
    Param::new("PROTOCOL", Kind::Words(PROTOCOLS), "").factory("TCP"),
    Param::new(
        "ADDRESS",
        Kind::Text {
            min: 1,
            max: 255,
            chars: Chars::Host,
        },
        "name or address of the server",
    )
    .factory("usrcn.gicp.net"),
    Param::new(
        "PORT",
        Kind::Number {
            min: 1,
            max: 65_535,
        },
        "of the server; factory 10101 to 10104",
    ),
    Param::new("START", Kind::Choice(&[(0, "not used"), (1, "used")]), "").factory("0"),
];

const PROTOCOLS: &[&str] = &["TCP", "UDP"];

/// The whole dump of manual 2.8.6.32, in its order and with its blanks.
fn dump(_: &Values, view: &View<'_>) -> Result<Lines, Error> {
    let config = view.config;
    let mut lines = Vec::from([packet::values_line(config)]);
    lines.extend(packet::packet_lines(config));
    lines.push(network::apn_line(view));
    lines.push(mode::number_line(config));
    lines.extend(LinkId::ALL.map(|link| start_line(link, &config.links[link.index()])));
    lines.push(mode::mode_line(config));
    lines.extend(access::gate_lines(config));
    lines.extend(LinkId::ALL.map(|link| port_line(link, config)));
    Ok(Lines::from_iter(lines))
}

fn start_line(link: LinkId, config: &LinkConfig) -> String {
    let LinkConfig {
        protocol,
        address,
        port,
        enabled,
        ..
    } = config;
    format!(
        "+CIPSTART:{link},\"{}\", {},{port}, {}",
        protocol.name(),
        Quoted(address),
        u8::from(*enabled)
    )
}

fn port_line(link: LinkId, config: &Config) -> String {
    format!("+CINETPT:{link},{}", config.links[link.index()].local_port)
}

fn set_link(values: &Values, config: &mut Config) -> Result<(), Error> {
    let protocol = if values.number(1)? == 0 {
        Protocol::Tcp
    } else {
        Protocol::Udp
    };
    let (address, port, enabled) = (values.text(2)?, values.narrow(3)?, values.flag(4)?);
    let link = values.link(0)?;
    let link = &mut config.links[link.index()];
    link.protocol = protocol;
    link.address = address;
    link.port = port;
    link.enabled = enabled;
    Ok(())
}

fn saved_links(config: &Config) -> Vec<String> {
    LinkId::ALL
        .map(|link| {
            let LinkConfig {
                protocol,
                address,
                port,
                enabled,
                ..
            } = &config.links[link.index()];
            let (protocol, enabled) = (protocol.name(), u8::from(*enabled));
            format!(
                "AT+CIPSCONT={link},\"{protocol}\",{},{port},{enabled}",
                Quoted(address)
            )
        })
        .to_vec()
}

fn read_ports(_: &Values, view: &View<'_>) -> Result<Lines, Error> {
    Ok(Lines::from_iter(
        LinkId::ALL.map(|link| port_line(link, view.config)),
    ))
}

fn set_port(values: &Values, config: &mut Config) -> Result<(), Error> {
    let (link, port) = (values.link(0)?, values.narrow(1)?);
    let links = &mut config.links;
    let taken = LinkId::ALL
        .into_iter()
        .find(|other| *other != link && port != 0 && links[other.index()].local_port == port);
    if let Some(other) = taken {
        let why = format!(
            "PORT {port} is the local port of link {other}; links need different ports, or 0"
        );
        return Err(values.refuse(Code::IncorrectParameters, &why));
    }
    links[link.index()].local_port = port;
    Ok(())
}

fn saved_ports(config: &Config) -> Vec<String> {
    LinkId::ALL
        .map(|link| {
            format!(
                "AT+CINETPT={link},{}",
                config.links[link.index()].local_port
            )
        })
        .to_vec()
}

fn read_long(_: &Values, view: &View<'_>) -> Result<Lines, Error> {
    Ok(format!("+CISOCLINK:{}", u8::from(view.config.long_links)).into())
}

fn set_long(values: &Values, config: &mut Config) -> Result<(), Error> {
    config.long_links = values.flag(0)?;
    Ok(())
}

fn read_states(_: &Values, view: &View<'_>) -> Result<Lines, Error> {
    let status = view.status;
    let mut lines = Vec::new();
    lines
        .extend(LinkId::ALL.map(|link| link_state_line(link, &status.links[link.index()], status)));
    if status.serial_command.running {
        let line = |to| destination_line(to, status);
        lines.extend(status.serial_command.destinations.iter().map(line));
    }
    lines.extend(connection::state_line(status));
    lines.extend(httpd_line(&status.httpd));
    lines.extend(missing_line("CINET", status));
    Ok(Lines::from_iter(lines))
}

fn link_state_line(link: LinkId, of: &LinkStatus, status: &Status) -> String {
    let reason = reason_text(of.state, of.last_down, status);
    format!("+CINET:{link},{}{reason}", state_name(of.state))
}

fn destination_line(to: &DestinationStatus, status: &Status) -> String {
    let (state, reason) = (
        state_name(to.state),
        reason_text(to.state, to.last_down, status),
    );
    format!(
        "+CINET:0,{state},\"{} {}:{}\"{reason}",
        to.protocol.name(),
        to.address,
        to.port
    )
}

/// The connection to the HTTP server, while mode 3 runs.
fn httpd_line(httpd: &HttpdStatus) -> Option<String> {
    let reason = match (httpd.state, httpd.trouble) {
        (LinkState::Off, _) => return None,
        (LinkState::Waiting(WaitingFor::Network), _) => ",no network".to_string(),
        (_, Some(trouble)) => format!(",{trouble}"),
        (LinkState::Waiting(WaitingFor::Data), None) => ",no data".to_string(),
        (LinkState::Waiting(_), None) => ",retry".to_string(),
        (LinkState::Connecting | LinkState::Connected, None) => String::new(),
    };
    Some(format!("+CINET:0,{}{reason}", state_name(httpd.state)))
}

/// Why it waits, with the comma in front.
fn reason_text(state: LinkState, last_down: Option<LinkDownReason>, status: &Status) -> String {
    match state {
        LinkState::Off | LinkState::Connecting | LinkState::Connected => String::new(),
        LinkState::Waiting(reason) => format!(",{}", waiting_text(reason, last_down, status)),
    }
}

fn waiting_text(reason: WaitingFor, last_down: Option<LinkDownReason>, status: &Status) -> String {
    let text = match reason {
        WaitingFor::Retry => {
            return last_down.map_or_else(|| "retry".to_string(), |reason| reason.to_string());
        }
        WaitingFor::Network => "no network",
        WaitingFor::Data => "no data",
        WaitingFor::Primary => "backup",
        WaitingFor::Mode if status.mode_started && status.mode != WorkingMode::Transparent => {
            "not in this mode"
        }
        WaitingFor::Mode => "mode not started",
    };
    text.to_string()
}
