//! What a device tells of itself by AT, in the shape of the console. Real boxes tell less.

use std::time::SystemTime;

use dtu_proto::config::WorkingMode;
use dtu_setup::door::{Door, DoorError};
use dtu_setup::reply::told;
use dtu_setup::status::{Status, read_status};
use dtu_setup::trial;
use dtu_setup::{Schema, Values};
use serde_json::{Value, json};

use crate::clock::utc;

pub(super) fn read(door: &mut dyn Door) -> Result<Value, DoorError> {
    let status = read_status(door)?;
    let schema = Schema::new();
    let mut values = Values::default();
    // Without it the links have no addresses here.
    if let Ok(reply) = door.command("AT+CIPSCONT?") {
        for (group, told) in told(&schema, None, &reply.lines) {
            values.set_group(&schema, &group, told);
        }
    }
    let trial = trial::current(door)?;
    let links: Vec<Value> = (1..=4)
        .map(|number| link(&status, &schema, &values, number))
        .collect();
    let mode = status.mode.map(|number| {
        let known = WorkingMode::ALL
            .into_iter()
            .find(|mode| mode.number() == number);
        json!({ "number": number, "word": known.map_or("unknown", WorkingMode::word) })
    });
    let serial = |name: &str| number(status.counter("SERIAL", name));
    Ok(json!({
        "at": utc(SystemTime::now()),
        "uptime": number(status.counter("DEVICE", "uptime")),
        "restarts": number(status.counter("DEVICE", "restarts")),
        "version": status.version,
        "imei": status.imei,
        "mode": mode,
        "phase": status.counter("DEVICE", "phase"),
        "leds": { "pow": "on", "net": Value::Null, "data": Value::Null },
        "serial": {
            "line": Value::Null,
            "state": "present",
            "present": true,
            "baud": Value::Null,
            "bytes_in": serial("in"),
            "bytes_out": serial("out"),
            "waiting_bytes": serial("waiting"),
            "dropped_bytes": serial("dropped"),
        },
        "radio": {
            "modem": Value::Null,
            "sim": Value::Null,
            "registration": Value::Null,
            "operator": status.operator,
            "signal_dbm": status.dbm(),
            // 99 may be either.
            "signal": if status.dbm().is_some() { "known" } else { "unknown" },
            "address": status.ip,
            "missing": [],
        },
        "links": links,
        "httpd": Value::Null,
        "serial_command": Value::Null,
        "messages_to_be_sent": number(status.counter("SMS", "outgoing")),
        "drops": drops(&status),
        "trial": trial.map(|it| json!({ "id": it.id, "seconds_left": it.seconds_left, "by": it.by })),
        // No reply tells what is stored: that is not nothing.
        "not_stored": Value::Null,
    }))
}

fn number(text: Option<&str>) -> Value {
    text.and_then(|text| text.parse::<u64>().ok())
        .map_or(Value::Null, Value::from)
}

fn link(status: &Status, schema: &Schema, values: &Values, place: u8) -> Value {
    let of = place.to_string();
    let value = |field: &str| {
        let key = schema.key(&format!("CIPSCONT.{of}.{field}")).ok()?;
        values.get(&key).map(str::to_owned)
    };
    let counter = |name: &str| number(status.counter(&of, name));
    let state = status.links.iter().find(|(link, _)| *link == of);
    let state = state.map(|(_, state)| state.to_ascii_lowercase());
    json!({
        "number": place,
        "enabled": value("START").is_some_and(|start| start == "1"),
        "protocol": value("PROTOCOL"),
        "address": value("ADDRESS"),
        "port": number(value("PORT").as_deref()),
        "state": state,
        "reason": Value::Null,
        "timer": Value::Null,
        "waiting_frames": counter("waiting_frames"),
        "waiting_bytes": counter("waiting"),
        "cache_bytes": Value::Null,
        "frames_in": counter("in_frames"),
        "frames_out": counter("out_frames"),
        "bytes_in": counter("in"),
        "bytes_out": counter("out"),
        "received_bytes": counter("received"),
        "dropped_frames": counter("dropped_frames"),
        "dropped_bytes": counter("dropped"),
        "reconnects": counter("reconnects"),
        "rtt_ms": Value::Null,
    })
}

/// What was lost. A device that does not count it tells nothing: that is no zero.
fn drops(status: &Status) -> Value {
    let is_counted = |(_, counters): &(String, Vec<(String, String)>)| {
        counters.iter().any(|(name, _)| name.starts_with("dropped"))
    };
    if !status.counters.iter().any(is_counted) {
        return Value::Null;
    }
    let mut places = Vec::new();
    let (mut count, mut bytes) = (0, 0);
    for (of, _) in &status.counters {
        let figure = |name: &str| {
            status
                .counter(of, name)
                .and_then(|it| it.parse::<u64>().ok())
        };
        let lost = (
            figure("dropped_frames").unwrap_or_default(),
            figure("dropped").unwrap_or_default(),
        );
        if lost != (0, 0) {
            count += lost.0;
            bytes += lost.1;
            places.push(json!({ "place": of, "count": lost.0, "bytes": lost.1 }));
        }
    }
    json!({ "since": Value::Null, "count": count, "bytes": bytes, "places": places })
}

#[cfg(test)]
mod tests {
    use dtu_setup::status::Status;
    use serde_json::{Value, json};

    use super::drops;

    #[test]
    fn a_device_that_counts_no_losses_claims_none() {
        let mut status = Status::default();
        assert_eq!(drops(&status), Value::Null);
        let counters = |dropped: &str| vec![("dropped".to_owned(), dropped.to_owned())];
        status.counters = vec![("SERIAL".to_owned(), counters("0"))];
        assert_eq!(drops(&status)["bytes"], 0);
        status.counters.push(("1".to_owned(), counters("9")));
        assert_eq!(
            drops(&status)["places"],
            json!([{ "place": "1", "count": 0, "bytes": 9 }])
        );
    }
}
