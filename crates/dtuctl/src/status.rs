//! `status`: what the device tells of itself.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Args;
use dtu_proto::config::WorkingMode;
use dtu_setup::status::{Status as Told, read_status};
use serde_json::{Map, Value, json};

use crate::device::PortArgs;
use crate::settings::Ended;
use crate::show::plain;

/// What the device tells of itself.
#[derive(Debug, Args)]
pub(crate) struct Status {
    /// As one JSON object
    #[arg(long)]
    json: bool,
}

impl Status {
    pub(crate) fn run(&self, port: &PortArgs) -> Ended {
        let told = port.with_device(|door| Ok(read_status(door)?))?;
        let text = if self.json {
            format!("{:#}\n", as_json(&told))
        } else {
            as_text(&told)
        };
        io::stdout().write_all(text.as_bytes())?;
        Ok(ExitCode::SUCCESS)
    }
}

fn as_text(told: &Told) -> String {
    let mut text = String::new();
    let mut row = |name: &str, value: Option<String>| {
        let value = value.unwrap_or_else(|| "not told".to_owned());
        let _ = writeln!(text, "{name:10} {}", plain(&value));
    };
    row("version", told.version.clone());
    row("imei", told.imei.clone());
    let mode = told.mode.map(|mode| {
        let known = WorkingMode::ALL.into_iter().find(|of| of.number() == mode);
        let name = known.map_or("unknown", WorkingMode::word);
        format!("{mode} ({name})")
    });
    row("mode", mode);
    let uptime = told.counter("DEVICE", "uptime");
    row("uptime", uptime.map(|seconds| format!("{seconds} s")));
    let signal = told.dbm().map(|dbm| format!("{dbm} dBm"));
    row("signal", signal);
    row("operator", told.operator.clone());
    row("address", told.ip.clone());
    for (link, state) in &told.links {
        // 0 is what the mode has open.
        let name = match link.as_str() {
            "0" => "mode's own".to_owned(),
            _ => format!("link {link}"),
        };
        let counter = |name: &str| {
            let value = told.counter(link, name)?;
            Some(format!(", {} {value}", name.replace('_', " ")))
        };
        let counters: String = ["in", "out", "received", "waiting", "dropped", "reconnects"]
            .into_iter()
            .filter_map(counter)
            .collect();
        row(&name, Some(format!("{state}{counters}")));
    }
    text
}

fn as_json(told: &Told) -> Value {
    let links: Vec<Value> = told
        .links
        .iter()
        .map(|(link, state)| json!({ "link": number_or_text(link), "state": state }))
        .collect();
    let counters: Map<String, Value> = told
        .counters
        .iter()
        .map(|(of, counters)| {
            let each = counters
                .iter()
                .map(|(name, value)| (name.clone(), number_or_text(value)));
            (of.clone(), Value::Object(each.collect()))
        })
        .collect();
    json!({
        "version": told.version,
        "imei": told.imei,
        "mode": told.mode,
        "rssi": told.rssi,
        "dbm": told.dbm(),
        "operator": told.operator,
        "ip": told.ip,
        "links": links,
        "counters": counters,
    })
}

fn number_or_text(text: &str) -> Value {
    text.parse::<u64>()
        .map_or_else(|_| Value::from(text), Value::from)
}
