//! Figures for Prometheus: bytes, frames, drops, reconnects, cache fill, round-trip times. No addresses.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;

use super::app::App;
use super::door::blocking;
use super::fault::Answer;
use super::pages::STATUS;

/// A figure of the device, or of each link.
struct Figure {
    name: &'static str,
    kind: &'static str,
    help: &'static str,
    /// Where it stands in the state.
    place: &'static str,
    read: fn(&Value) -> Option<f64>,
}

const fn gauge(name: &'static str, help: &'static str, place: &'static str) -> Figure {
    Figure {
        name,
        kind: "gauge",
        help,
        place,
        read: Value::as_f64,
    }
}

const fn counter(name: &'static str, help: &'static str, place: &'static str) -> Figure {
    Figure {
        kind: "counter",
        ..gauge(name, help, place)
    }
}

fn from_millis(value: &Value) -> Option<f64> {
    Some(value.as_f64()? / 1000.0)
}

fn is_connected(value: &Value) -> Option<f64> {
    Some(u8::from(value.as_str()? == "connected").into())
}

const OF_DEVICE: [Figure; 12] = [
    gauge(
        "dtu_uptime_seconds",
        "Since power-on or the last restart.",
        "/uptime",
    ),
    counter(
        "dtu_restarts_total",
        "Restarts since the program started.",
        "/restarts",
    ),
    gauge("dtu_mode", "Working mode, 0 to 4.", "/mode/number"),
    gauge(
        "dtu_signal_dbm",
        "Signal of the network.",
        "/radio/signal_dbm",
    ),
    counter(
        "dtu_serial_bytes_in_total",
        "Bytes from the serial line.",
        "/serial/bytes_in",
    ),
    counter(
        "dtu_serial_bytes_out_total",
        "Bytes to the serial line.",
        "/serial/bytes_out",
    ),
    counter(
        "dtu_serial_dropped_bytes_total",
        "Bytes for the serial line that were dropped.",
        "/serial/dropped_bytes",
    ),
    counter(
        "dtu_serial_undelivered_bytes_total",
        "Bytes for the equipment that the line did not take in time.",
        "/serial/undelivered_bytes",
    ),
    gauge(
        "dtu_serial_waiting_bytes",
        "Bytes that wait for the serial line.",
        "/serial/waiting_bytes",
    ),
    gauge(
        "dtu_messages_waiting",
        "Short messages to be sent.",
        "/messages_to_be_sent",
    ),
    counter(
        "dtu_drops_total",
        "Frames, packets, datagrams, requests, replies and messages that were dropped anywhere.",
        "/drops/count",
    ),
    counter(
        "dtu_dropped_bytes_total",
        "The same in bytes, with the bytes that belong to none of these.",
        "/drops/bytes",
    ),
];

const OF_LINKS: [Figure; 13] = [
    counter(
        "dtu_link_received_bytes_total",
        "Bytes from the server.",
        "/received_bytes",
    ),
    counter(
        "dtu_link_bytes_in_total",
        "Bytes of the frames that came into the link's cache.",
        "/bytes_in",
    ),
    counter(
        "dtu_link_bytes_out_total",
        "Bytes of the frames that the server has.",
        "/bytes_out",
    ),
    counter(
        "dtu_link_frames_in_total",
        "Frames that came into the link's cache.",
        "/frames_in",
    ),
    counter(
        "dtu_link_frames_out_total",
        "Frames that the server has.",
        "/frames_out",
    ),
    counter(
        "dtu_link_dropped_frames_total",
        "Frames that were dropped.",
        "/dropped_frames",
    ),
    counter(
        "dtu_link_dropped_bytes_total",
        "Bytes that were dropped.",
        "/dropped_bytes",
    ),
    gauge(
        "dtu_link_waiting_frames",
        "Frames in the cache.",
        "/waiting_frames",
    ),
    gauge(
        "dtu_link_waiting_bytes",
        "Bytes in the cache.",
        "/waiting_bytes",
    ),
    gauge("dtu_link_cache_bytes", "Room of the cache.", "/cache_bytes"),
    counter(
        "dtu_link_reconnects_total",
        "Times that the link was made again.",
        "/reconnects",
    ),
    Figure {
        read: from_millis,
        ..gauge("dtu_link_rtt_seconds", "Round-trip time.", "/rtt_ms")
    },
    Figure {
        read: is_connected,
        ..gauge("dtu_link_connected", "Whether the link stands.", "/state")
    },
];

pub(crate) async fn metrics(State(app): State<Arc<App>>) -> Answer<Response> {
    let status = blocking(&app, |app| Ok(app.device.status(STATUS)?)).await;
    let mut text = match &status {
        Ok(status) => of(status),
        Err(_) => String::new(),
    };
    head(
        &mut text,
        "dtu_up",
        "gauge",
        "Whether the device tells its state.",
    );
    let _ = writeln!(text, "dtu_up {}", u8::from(status.is_ok()));
    head(
        &mut text,
        "dtu_console_streams",
        "gauge",
        "Browsers that look.",
    );
    let _ = writeln!(text, "dtu_console_streams {}", app.hub.streams());
    let kind = [(
        header::CONTENT_TYPE,
        "text/plain; version=0.0.4; charset=utf-8",
    )];
    Ok((kind, text).into_response())
}

fn head(text: &mut String, name: &str, kind: &str, help: &str) {
    let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
}

fn of(status: &Value) -> String {
    let links = status["links"].as_array().into_iter().flatten();
    let links = links.filter_map(|link| {
        let number = link["number"].as_u64().filter(|it| (1..=4).contains(it))?;
        Some((format!("{{link=\"{number}\"}}"), link))
    });
    let links: Vec<_> = links.collect();
    let device = [(String::new(), status)];
    let mut text = String::new();
    for (figures, parts) in [(&OF_DEVICE[..], &device[..]), (&OF_LINKS, &links)] {
        for Figure {
            name,
            kind,
            help,
            place,
            read,
        } in figures
        {
            let mut rows = String::new();
            for (label, part) in parts {
                if let Some(value) = part.pointer(place).and_then(read) {
                    let _ = writeln!(rows, "{name}{label} {value}");
                }
            }
            if !rows.is_empty() {
                head(&mut text, name, kind, help);
                text.push_str(&rows);
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_equipment_did_not_get_and_what_the_server_sent_are_told_apart() {
        let text = of(&json!({
            "serial": { "dropped_bytes": 1, "undelivered_bytes": 14 },
            "drops": { "count": 0, "bytes": 14 },
            "links": [{ "number": 2, "received_bytes": 20, "bytes_in": 21, "bytes_out": 22 }],
        }));
        for line in [
            "dtu_serial_dropped_bytes_total 1",
            "dtu_serial_undelivered_bytes_total 14",
            "dtu_drops_total 0",
            "dtu_dropped_bytes_total 14",
            "dtu_link_received_bytes_total{link=\"2\"} 20",
            "dtu_link_bytes_in_total{link=\"2\"} 21",
            "dtu_link_bytes_out_total{link=\"2\"} 22",
        ] {
            assert!(text.lines().any(|is| is == line), "{line} in {text}");
        }
    }
}
