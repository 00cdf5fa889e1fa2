//! The report of `dtud status`, as the API of the console has it.

use dtu_proto::radio::Registration;
use dtu_proto::status::RadioStatus;
use modem_proto::Limitation;
use serde_json::{Map, Value, json};

use super::trials::Trials;
use crate::status::Report;

/// Names that differ from those of `dtud status --json`, which stay.
pub(crate) fn of(report: &Report, radio: &RadioStatus, trials: Option<&Trials>) -> Value {
    let mut told = match serde_json::to_value(report) {
        Ok(Value::Object(told)) => told,
        Ok(_) | Err(_) => Map::new(),
    };
    let mode = json!({ "number": told.remove("mode_number"), "word": told.remove("mode") });
    told.insert("mode".to_owned(), mode);
    rename(&mut told, "uptime_seconds", "uptime");
    // The session has it.
    let _ = told.remove("console_fingerprint");
    if let (Some(Value::Object(trial)), Some(trials)) = (told.get_mut("trial"), trials) {
        trial.insert("keys".to_owned(), json!(trials.keys()));
    }
    let ended = trials.map_or(Value::Null, Trials::ended);
    told.insert("trial_ended".to_owned(), ended);
    if let Some(Value::Object(radio_told)) = told.get_mut("radio") {
        rename(radio_told, "signal", "signal_dbm");
        radio_told.insert("signal".to_owned(), signal(radio).into());
    }
    if let Some(Value::Array(links)) = told.get_mut("links") {
        for link in links.iter_mut().filter_map(Value::as_object_mut) {
            rename(link, "state", "state_text");
            rename(link, "state_word", "state");
        }
    }
    Value::Object(told)
}

/// 99 (27.007, 8.5) is a strength that is not known, or none that can be detected: who looks for a network and has no
/// strength has no signal.
fn signal(radio: &RadioStatus) -> &'static str {
    let looks = match radio.registration {
        Registration::NotRegistered | Registration::Searching | Registration::Denied => true,
        Registration::Home | Registration::Unknown | Registration::Roaming => false,
    };
    let is_told = radio.modem.is_some() && !radio.lacks.contains(&Limitation::Signal.to_string());
    match radio.signal.strength {
        0..=31 => "known",
        _ if is_told && looks => "none",
        _ => "unknown",
    }
}

fn rename(of: &mut Map<String, Value>, old: &str, new: &str) {
    if let Some(value) = of.remove(old) {
        of.insert(new.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use dtu_proto::radio::{ModemIdentity, Signal};

    use super::*;

    #[test]
    fn no_signal_is_told_from_one_that_is_not_known() {
        let radio = |strength, registration, lacks: &[Limitation]| {
            let radio = RadioStatus {
                modem: Some(ModemIdentity::default()),
                registration,
                signal: Signal {
                    strength,
                    ..Signal::default()
                },
                lacks: lacks.iter().map(ToString::to_string).collect(),
                ..RadioStatus::default()
            };
            signal(&radio)
        };
        assert_eq!(radio(0, Registration::Home, &[]), "known");
        assert_eq!(radio(31, Registration::Searching, &[]), "known");
        assert_eq!(radio(99, Registration::Searching, &[]), "none");
        assert_eq!(radio(99, Registration::NotRegistered, &[]), "none");
        assert_eq!(radio(99, Registration::Roaming, &[]), "unknown");
        let lacks = [Limitation::Signal];
        assert_eq!(radio(99, Registration::Searching, &lacks), "unknown");
        assert_eq!(
            signal(&RadioStatus::default()),
            "unknown",
            "without a modem"
        );
    }
}
