//! The HTTPD client (manual 2.1.3). The manual's set-up tool sets it; the names are those of later products of the family.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::super::command::{Command, TakesEffect};
use super::super::outcome::Lines;
use super::super::param::{Chars, Kind, Param};
use super::super::reply::{Code, Error, Quoted};
use super::super::values::Values;
use super::super::view::View;
use super::one;
use crate::config::{Config, Method};
use crate::wire::http::{self, SettingError, URL_MAX};

pub(in super::super) const COMMANDS: &[Command] = &[
    Command::new("+HTPTP", "2.1.3", "HTTPD: request type", &[Param::new(
        "TYPE",
        Kind::Words(&["GET", "POST"]),
        "GET: the frame stands behind the URL; POST: it is the body",
    )
    .factory("GET")])
    .example("AT+HTPTP=GET", "OK")
    .reads(|_, view| said(view, type_line))
    .sets(set_type)
    .saved(|config| stored(type_line(config)), TakesEffect::Restart),
    Command::new("+HTPSV", "2.1.3", "HTTPD: server", &[
        Param::new("SERVER", Kind::Shape("a name or an address, http:// or https:// in front allowed"), "https: TLS")
            .factory("test.usr.cn"),
        Param::new("PORT", Kind::Number { min: 1, max: 65_535 }, "").factory("80"),
    ])
    .example("AT+HTPSV=\"www.example.com\",80", "OK")
    .reads(|_, view| said(view, server_line))
    .sets(set_server)
    .saved(|config| stored(server_line(config)), TakesEffect::Restart),
    Command::new("+HTPURL", "2.1.3", "HTTPD: request target in front of the frame", &[Param::new(
        "URL",
        Kind::Text { min: 1, max: URL_MAX, chars: Chars::Any },
        "begins with /; `[3F]` stands for a byte",
    )
    .factory("/1.php?")])
    .example("AT+HTPURL=\"/1.php?\"", "OK")
    .notes(
        "All that follows on the line is the URL: commas and semicolons need no quotes. With GET, URL and frame stand \
         together without a mark between them, so a `?` belongs here; line ends behind the frame are left out. What may \
         not stand in a request target (RFC 3986) goes as `%` and two hex digits; `%41` stays as it is.",
    )
    .reads(|_, view| said(view, url_line))
    .sets(set_url)
    .saved(|config| stored(url_line(config)), TakesEffect::Restart),
    Command::new("+HTPHD", "2.1.3", "HTTPD: head lines", &[Param::new(
        "HEAD",
        Kind::Text { min: 0, max: HEAD_MAX, chars: Chars::Any },
        "`name:value` lines, divided by `||` or `[0D][0A]`",
    )
    .factory("Accept:text/html")
    .empty_is("").secret()])
    .example("AT+HTPHD=\"X-Meter: 7[0D][0A]\"", "OK")
    .notes(
        "All that follows on the line is the head: commas and semicolons need no quotes. The lines go out as typed, and \
         `[7C]` stands for a byte, so `[7C][7C]` for `||` in a value. `Host`, `Connection` and, with POST, \
         `Content-Length` are added where they are not given; a `Content-Length` that is given always tells the true \
         length. `Transfer-Encoding`, `Trailer`, `Upgrade` and `TE` are refused: they would change where a request ends.",
    )
    .reads(read_head)
    .sets(set_head)
    .saved(|config| stored(head_line(config)), TakesEffect::Restart),
    Command::new("+HTPTO", "2.1.3", "HTTPD: time-out", &[Param::new(
        "TIME",
        Kind::Number { min: 1, max: 600 },
        "s without a byte of the server that end a request",
    )
    .factory("10")])
    .example("AT+HTPTO=10", "OK")
    .reads(|_, view| said(view, timeout_line))
    .sets(set_timeout)
    .saved(|config| stored(timeout_line(config)), TakesEffect::Restart),
    Command::new("+HTPFLT", "2.1.3", "HTTPD: whether the head of the answer is kept from the serial line", &[Param::new(
        "FILTER",
        Kind::Words(&["OFF", "ON"]),
        "ON: the body only; OFF: status line and head, too",
    )
    .factory("ON")])
    .example("AT+HTPFLT=ON", "OK")
    .reads(|_, view| said(view, filter_line))
    .sets(set_filter)
    .saved(|config| stored(filter_line(config)), TakesEffect::Restart),
];

fn type_line(config: &Config) -> String {
    format!("HTPTP:\"{}\"", config.httpd.method.name())
}

fn server_line(config: &Config) -> String {
    format!(
        "HTPSV:{},{}",
        Quoted(&config.httpd.server),
        config.httpd.port
    )
}

fn url_line(config: &Config) -> String {
    format!("HTPURL:{}", Quoted(&config.httpd.url))
}

fn head_line(config: &Config) -> String {
    format!("HTPHD:{}", Quoted(&config.httpd.head))
}

/// A head line may hold a password (`Authorization`): not shown over a network.
fn read_head(_: &Values, view: &View<'_>) -> Result<Lines, Error> {
    let line = format!("+HTPHD:{}", Quoted(view.secret(&view.config.httpd.head)));
    Ok(line.into())
}

fn timeout_line(config: &Config) -> String {
    format!("HTPTO:{}", config.httpd.timeout)
}

fn filter_line(config: &Config) -> String {
    format!(
        "HTPFLT:\"{}\"",
        if config.httpd.filter { "ON" } else { "OFF" }
    )
}

/// What the read form prints.
fn said(view: &View<'_>, line: fn(&Config) -> String) -> Result<Lines, Error> {
    let line = line(view.config);
    Ok(format!("+{line}").into())
}

/// The same as a set command.
fn stored(line: String) -> Vec<String> {
    one(format!("AT+{}", line.replacen(':', "=", 1)))
}

fn set_type(values: &Values, config: &mut Config) -> Result<(), Error> {
    config.httpd.method = if values.number(0)? == 0 {
        Method::Get
    } else {
        Method::Post
    };
    Ok(())
}

fn set_server(values: &Values, config: &mut Config) -> Result<(), Error> {
    let (server, port) = (values.text(0)?, values.narrow(1)?);
    http::server(&server, port).map_err(|why| refusal(values, "SERVER", &why))?;
    let httpd = &mut config.httpd;
    (httpd.server, httpd.port) = (server, port);
    Ok(())
}

fn set_url(values: &Values, config: &mut Config) -> Result<(), Error> {
    let url = values.text(0)?;
    http::url(&url).map_err(|why| refusal(values, "URL", &why))?;
    config.httpd.url = url;
    Ok(())
}

fn set_head(values: &Values, config: &mut Config) -> Result<(), Error> {
    let head = values.text(0)?;
    http::head_lines(&head).map_err(|why| refusal(values, "HEAD", &why))?;
    config.httpd.head = head;
    Ok(())
}

fn set_timeout(values: &Values, config: &mut Config) -> Result<(), Error> {
    config.httpd.timeout = values.narrow(0)?;
    Ok(())
}

fn set_filter(values: &Values, config: &mut Config) -> Result<(), Error> {
    config.httpd.filter = values.flag(0)?;
    Ok(())
}

fn refusal(values: &Values, parameter: &str, why: &SettingError) -> Error {
    values.refuse(Code::IncorrectParameters, &format!("{parameter} {why}"))
}

/// What a line of 1024 bytes holds at most, and more than it needs.
const HEAD_MAX: usize = 1024;
