//! What a report tells beside counters: lamps, what comes next, what was dropped where, settings on trial and not stored.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use dtu_proto::Dtu;
use dtu_proto::config::Config;
use dtu_proto::drops::Dropped;
use dtu_proto::event::LinkId;
use dtu_proto::status::{LinkState, Status, TrialStatus, WaitingFor};
use dtu_proto::time::Instant;
use dtu_proto::{Setting, commands, settings};
use serde::{Deserialize, Serialize};

use crate::journal::Total;
use crate::words::Count;

/// Each `on`, `off` or `blink`.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Lamps {
    pow: String,
    net: String,
    data: String,
}

impl Lamps {
    pub(super) fn new(status: &Status) -> Self {
        let word = |on: bool| if on { "on" } else { "off" }.to_owned();
        let is_up = status
            .links
            .iter()
            .any(|link| link.state == LinkState::Connected);
        Self {
            pow: word(status.leds.pow),
            net: word(status.leds.net),
            // Dark with a link up: it is in the middle of a blink.
            data: if is_up && !status.leds.data {
                "blink".to_owned()
            } else {
                word(status.leds.data)
            },
        }
    }
}

/// What a link does next by itself.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Timer {
    what: String,
    seconds: u64,
}

impl Timer {
    pub(super) fn of(dtu: &Dtu, link: LinkId, now: Instant) -> Option<Self> {
        let (timer, left) = dtu.link_timer(link, now)?;
        Some(Self {
            what: timer.word().to_owned(),
            seconds: whole_seconds(left),
        })
    }
}

fn whole_seconds(left: Duration) -> u64 {
    left.as_secs() + u64::from(left.subsec_nanos() > 0)
}

/// The state of a link in a word.
pub(super) const fn state_word(state: LinkState) -> &'static str {
    match state {
        LinkState::Off => "off",
        LinkState::Connecting => "connecting",
        LinkState::Connected => "connected",
        LinkState::Waiting(_) => "waiting",
    }
}

/// What it waits for, in a word.
pub(super) const fn waiting_word(state: LinkState) -> Option<&'static str> {
    match state {
        LinkState::Off | LinkState::Connecting | LinkState::Connected => None,
        LinkState::Waiting(what) => Some(match what {
            WaitingFor::Retry => "retry",
            WaitingFor::Network => "network",
            WaitingFor::Data => "data",
            WaitingFor::Primary => "primary",
            WaitingFor::Mode => "mode",
        }),
    }
}

/// What was dropped, and where.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Drops {
    /// Since when is counted: the first start with this state folder.
    since: Option<String>,
    count: u64,
    bytes: u64,
    places: Vec<Place>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    /// The thing that it is about: `serial`, `link 1` …
    place: String,
    /// What became of what: `3 frames dropped undelivered`.
    what: String,
    count: u64,
    bytes: u64,
}

impl Drops {
    pub(super) fn new(total: Total, of: &[Dropped], since: Option<SystemTime>) -> Self {
        let places = of.iter().filter(|dropped| dropped.count > 0);
        Self {
            since: since.map(iso),
            count: total.count,
            bytes: total.bytes,
            places: places
                .map(|dropped| Place {
                    place: dropped.place.to_string(),
                    what: format!(
                        "{} {}",
                        Count(dropped.count, dropped.place.what()),
                        dropped.place.fate()
                    ),
                    count: dropped.count,
                    bytes: dropped.bytes,
                })
                .collect(),
        }
    }
}

/// Settings that go back by themselves.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Trial {
    id: u32,
    /// `None`: they are not in force yet.
    seconds_left: Option<u64>,
    by: String,
}

impl Trial {
    pub(super) fn new(trial: &TrialStatus) -> Self {
        Self {
            id: trial.id,
            seconds_left: trial.left.map(whole_seconds),
            by: trial.by.to_string(),
        }
    }
}

impl fmt::Display for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            id,
            seconds_left,
            by,
        } = self;
        write!(f, "number {id}, settings of {by}: ")?;
        match seconds_left {
            Some(left) => write!(f, "they go back in {left} s")?,
            None => f.write_str("not in force yet")?,
        }
        f.write_str("; AT+CIKEEP stores them, AT+CIKEEP=0 goes back")
    }
}

/// The keys (`CIPSCONT.1.ADDRESS`, `CIPR`) whose running value is not that of another set: the stored one.
pub(crate) fn differing_keys(running: &Config, stored: &Config) -> Vec<String> {
    if running == stored {
        return Vec::new();
    }
    let (running, stored) = (settings(running), settings(stored));
    let mut keys = Vec::new();
    for setting in &running {
        let of_name = |list: &[Setting]| list.iter().filter(|s| s.name == setting.name).count();
        let is_indexed = of_name(&running).max(of_name(&stored)) > 1;
        let same = |other: &&Setting| {
            other.name == setting.name
                && (!is_indexed || other.values.first() == setting.values.first())
        };
        let before = stored.iter().find(same);
        if before == Some(setting) {
            continue;
        }
        let skip = usize::from(is_indexed);
        let (command, fields) = parameters(&setting.name);
        let label = match setting.values.first().filter(|_| is_indexed) {
            Some(index) => format!("{command}.{index}"),
            None => command,
        };
        let fields = fields.get(skip..).unwrap_or_default();
        let value = |of: &Setting, place: usize| of.values.get(place + skip).cloned();
        for (place, field) in fields.iter().enumerate() {
            let was = before
                .and_then(|before| value(before, place))
                .unwrap_or_default();
            if value(setting, place).unwrap_or_default() != was {
                keys.push(if fields.len() == 1 {
                    label.clone()
                } else {
                    format!("{label}.{field}")
                });
            }
        }
    }
    keys
}

/// What people call the command of that name (without its `AT`), and its parameters.
fn parameters(name: &str) -> (String, Vec<&'static str>) {
    let whole = format!("AT{name}");
    let label = name
        .strip_prefix('+')
        .map_or_else(|| whole.clone(), str::to_owned);
    let command = commands().find(|command| command.name == whole);
    let fields = command.map(|command| command.parameters.iter().map(|p| p.name).collect());
    (label, fields.unwrap_or_default())
}

/// `2026-11-30T01:02:03Z`
pub(super) fn iso(at: SystemTime) -> String {
    let seconds = at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let (days, time) = (seconds / 86_400, seconds % 86_400);
    // Howard Hinnant's civil_from_days: years begin in March.
    let shifted = days + 719_468;
    let (era, day) = (shifted / 146_097, shifted % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year + u64::from(month <= 2);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z",
        time / 3600,
        time / 60 % 60,
        time % 60
    )
}

#[cfg(test)]
mod tests {
    use dtu_proto::load_setting;

    use super::*;

    #[test]
    fn times_are_as_iso_8601_has_them() {
        for (seconds, wanted) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_796_000_399, "2026-11-30T00:59:59Z"),
            (4_102_444_800, "2100-01-01T00:00:00Z"),
        ] {
            assert_eq!(iso(UNIX_EPOCH + Duration::from_secs(seconds)), wanted);
        }
    }

    #[test]
    fn what_runs_and_is_not_stored_is_named_by_its_key() {
        let stored = Config::default();
        let mut running = stored.clone();
        assert_eq!(differing_keys(&running, &stored), Vec::<String>::new());
        for line in [
            "AT+CIPSCONT=2,\"TCP\",\"example.org\",10102,1",
            "AT+CIPR=9600",
            "AT+CIPSW=abc",
        ] {
            load_setting(line, &mut running).unwrap();
        }
        let keys = differing_keys(&running, &stored);
        assert!(keys.contains(&"CIPR".to_owned()), "{keys:?}");
        assert!(keys.contains(&"CIPSW".to_owned()), "{keys:?}");
        assert!(keys.contains(&"CIPSCONT.2.ADDRESS".to_owned()), "{keys:?}");
        assert!(
            !keys.iter().any(|key| key.starts_with("CIPSCONT.1")),
            "{keys:?}"
        );
        let schema = dtu_setup::Schema::new();
        for key in &keys {
            assert_eq!(schema.key(key).unwrap().to_string(), *key);
        }
    }
}
