//! The report of `dtud status`, as the API of the console has it.

use serde_json::{Map, Value, json};

use crate::status::Report;

/// Names that differ from those of `dtud status --json`, which stay.
pub(crate) fn of(report: &Report) -> Value {
    let mut told = match serde_json::to_value(report) {
        Ok(Value::Object(told)) => told,
        Ok(_) | Err(_) => Map::new(),
    };
    let mode = json!({ "number": told.remove("mode_number"), "word": told.remove("mode") });
    told.insert("mode".to_owned(), mode);
    rename(&mut told, "uptime_seconds", "uptime");
    // The session has it.
    let _ = told.remove("console_fingerprint");
    if let Some(Value::Object(radio)) = told.get_mut("radio") {
        rename(radio, "signal", "signal_dbm");
    }
    if let Some(Value::Array(links)) = told.get_mut("links") {
        for link in links.iter_mut().filter_map(Value::as_object_mut) {
            rename(link, "state", "state_text");
            rename(link, "state_word", "state");
        }
    }
    Value::Object(told)
}

fn rename(of: &mut Map<String, Value>, old: &str, new: &str) {
    if let Some(value) = of.remove(old) {
        of.insert(new.to_owned(), value);
    }
}
