//! `status`: what the device tells of itself.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Args;
use dtu_proto::config::WorkingMode;
use dtu_setup::say::Sentence;
use dtu_setup::status::{COMMANDS, Status as Told, read_status};
use dtu_setup::{Schema, chinese};
use serde_json::{Map, Value, json};

use crate::device::PortArgs;
use crate::say::{self, said};
use crate::settings::Ended;
use crate::show::plain;
use crate::sms::Texts;

/// What the device tells of itself.
#[derive(Debug, Args)]
pub(crate) struct Status {
    /// As one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

impl Status {
    pub(crate) fn run(&self, port: &PortArgs) -> Ended {
        let texts = Texts::default().and(COMMANDS, say::texts_read);
        let told = port.with_device(&texts, |door| Ok(read_status(door)?))?;
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
    let mut row = |name: Sentence, value: Option<Sentence>| {
        let value = value.unwrap_or_else(say::status_not_told);
        let name = said(name);
        // A Chinese character is as wide as two.
        let width = name.chars().map(|char| 1 + usize::from(!char.is_ascii()));
        let room = 10_usize.saturating_sub(width.sum());
        let _ = writeln!(text, "{name}{:room$} {}", "", plain(&said(value)));
    };
    let as_told = |value: &Option<String>| value.clone().map(Sentence::as_it_came);
    row(say::row_version(), as_told(&told.version));
    row(say::row_imei(), as_told(&told.imei));
    row(say::row_mode(), told.mode.map(mode));
    let uptime = told.counter("DEVICE", "uptime");
    row(say::row_uptime(), uptime.map(say::status_seconds));
    let signal = told.dbm().map(|dbm| format!("{dbm} dBm"));
    row(say::row_signal(), as_told(&signal));
    row(say::row_operator(), as_told(&told.operator));
    row(say::row_address(), as_told(&told.ip));
    for (link, state) in &told.links {
        // 0 is what the mode has open.
        let name = match link.as_str() {
            "0" => say::row_own(),
            _ => say::row_link(link),
        };
        let counters: String = COUNTERS
            .into_iter()
            .filter_map(|(name, words)| Some(said(words(told.counter(link, name)?.to_owned()))))
            .collect();
        row(
            name,
            Some(Sentence::as_it_came(format!("{state}{counters}"))),
        );
    }
    text
}

/// `0 (transparent)`, and in Chinese by the words of its range.
fn mode(number: u8) -> Sentence {
    let known = WorkingMode::ALL
        .into_iter()
        .find(|of| of.number() == number);
    let Some(known) = known else {
        return say::status_unknown().map(|word| format!("{number} ({word})"));
    };
    let schema = Schema::new();
    let range = schema
        .key("CIMOD")
        .map(|key| chinese::range(&schema.field(&key).range))
        .unwrap_or_default();
    let chinese = chinese::word_in(&range, &number.to_string());
    Sentence::new(
        format!("{number} ({})", known.word()),
        format!("{number}（{chinese}）"),
    )
}

/// A counter in words.
type Counted = fn(String) -> Sentence;

/// Those of a link that people ask for.
const COUNTERS: [(&str, Counted); 6] = [
    ("in", say::count_in),
    ("out", say::count_out),
    ("received", say::count_received),
    ("waiting", say::count_waiting),
    ("dropped", say::count_dropped),
    ("reconnects", say::count_reconnects),
];

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
