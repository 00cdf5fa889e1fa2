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

/// Name, type, what it says, where it stands in the state.
type Figure = (&'static str, &'static str, &'static str, &'static str);

const OF_DEVICE: [Figure; 12] = [
    (
        "dtu_uptime_seconds",
        "gauge",
        "Since power-on or the last restart.",
        "/uptime",
    ),
    (
        "dtu_restarts_total",
        "counter",
        "Restarts since the program started.",
        "/restarts",
    ),
    ("dtu_mode", "gauge", "Working mode, 0 to 4.", "/mode/number"),
    (
        "dtu_signal_dbm",
        "gauge",
        "Signal of the network.",
        "/radio/signal_dbm",
    ),
    (
        "dtu_serial_bytes_in_total",
        "counter",
        "Bytes from the serial line.",
        "/serial/bytes_in",
    ),
    (
        "dtu_serial_bytes_out_total",
        "counter",
        "Bytes to the serial line.",
        "/serial/bytes_out",
    ),
    (
        "dtu_serial_dropped_bytes_total",
        "counter",
        "Bytes for the serial line that were dropped.",
        "/serial/dropped_bytes",
    ),
    (
        "dtu_serial_undelivered_bytes_total",
        "counter",
        "Bytes for the equipment that the line did not take in time.",
        "/serial/undelivered_bytes",
    ),
    (
        "dtu_serial_waiting_bytes",
        "gauge",
        "Bytes that wait for the serial line.",
        "/serial/waiting_bytes",
    ),
    (
        "dtu_messages_waiting",
        "gauge",
        "Short messages to be sent.",
        "/messages_to_be_sent",
    ),
    (
        "dtu_drops_total",
        "counter",
        "Frames, packets, datagrams, requests, replies and messages that were dropped anywhere.",
        "/drops/count",
    ),
    (
        "dtu_dropped_bytes_total",
        "counter",
        "The same in bytes, with the bytes that belong to none of these.",
        "/drops/bytes",
    ),
];

const OF_LINKS: [Figure; 12] = [
    (
        "dtu_link_received_bytes_total",
        "counter",
        "Bytes from the server.",
        "/received_bytes",
    ),
    (
        "dtu_link_bytes_in_total",
        "counter",
        "Bytes of the frames that came into the link's cache.",
        "/bytes_in",
    ),
    (
        "dtu_link_bytes_out_total",
        "counter",
        "Bytes of the frames that the server has.",
        "/bytes_out",
    ),
    (
        "dtu_link_frames_in_total",
        "counter",
        "Frames that came into the link's cache.",
        "/frames_in",
    ),
    (
        "dtu_link_frames_out_total",
        "counter",
        "Frames that the server has.",
        "/frames_out",
    ),
    (
        "dtu_link_dropped_frames_total",
        "counter",
        "Frames that were dropped.",
        "/dropped_frames",
    ),
    (
        "dtu_link_dropped_bytes_total",
        "counter",
        "Bytes that were dropped.",
        "/dropped_bytes",
    ),
    (
        "dtu_link_waiting_frames",
        "gauge",
        "Frames in the cache.",
        "/waiting_frames",
    ),
    (
        "dtu_link_waiting_bytes",
        "gauge",
        "Bytes in the cache.",
        "/waiting_bytes",
    ),
    (
        "dtu_link_cache_bytes",
        "gauge",
        "Room of the cache.",
        "/cache_bytes",
    ),
    (
        "dtu_link_reconnects_total",
        "counter",
        "Times that the link was made again.",
        "/reconnects",
    ),
    (
        "dtu_link_rtt_seconds",
        "gauge",
        "Round-trip time.",
        "/rtt_ms",
    ),
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
    let mut text = String::new();
    for (name, kind, help, place) in OF_DEVICE {
        if let Some(value) = status.pointer(place).and_then(Value::as_f64) {
            head(&mut text, name, kind, help);
            let _ = writeln!(text, "{name} {value}");
        }
    }
    let links: Vec<&Value> = status["links"].as_array().into_iter().flatten().collect();
    let mut connected = String::new();
    for (name, kind, help, place) in OF_LINKS {
        let mut rows = String::new();
        for link in &links {
            let number = link["number"]
                .as_u64()
                .filter(|number| (1..=4).contains(number));
            let value = link.pointer(place).and_then(Value::as_f64);
            if let (Some(number), Some(value)) = (number, value) {
                let value = if place == "/rtt_ms" {
                    value / 1000.0
                } else {
                    value
                };
                let _ = writeln!(rows, "{name}{{link=\"{number}\"}} {value}");
            }
        }
        if !rows.is_empty() {
            head(&mut text, name, kind, help);
            text.push_str(&rows);
        }
    }
    for link in &links {
        if let (Some(number), Some(state)) = (link["number"].as_u64(), link["state"].as_str()) {
            let is_up = u8::from(state.eq_ignore_ascii_case("connected"));
            let _ = writeln!(connected, "dtu_link_connected{{link=\"{number}\"}} {is_up}");
        }
    }
    if !connected.is_empty() {
        head(
            &mut text,
            "dtu_link_connected",
            "gauge",
            "Whether the link stands.",
        );
        text.push_str(&connected);
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
