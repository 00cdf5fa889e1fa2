//! What a trial that nobody keeps takes back: the change that it tries, and what was set in front of it and neither applied
//! nor stored.

use dtu_proto::Dtu;
use dtu_proto::event::TrialEvent;
use serde_json::{Value, json};
use tracing::info;

use crate::status::differing_keys;

/// The last trial.
#[derive(Default)]
pub(crate) struct Trials {
    /// Meanwhile nobody sets anything else.
    keys: Vec<String>,
    ended: Option<&'static str>,
}

impl Trials {
    pub(super) fn event(&mut self, event: &TrialEvent, dtu: &Dtu) {
        let how = match event {
            TrialEvent::Begins { .. } => {
                self.keys = differing_keys(dtu.config(), &dtu.fallback_config());
                self.ended = None;
                return;
            }
            TrialEvent::Kept => "kept",
            TrialEvent::Undone => "undone",
            TrialEvent::Expired => "expired",
            TrialEvent::Restarted => "restarted",
        };
        self.ended = Some(how);
        if *event != TrialEvent::Kept && !self.keys.is_empty() {
            info!(
                "device: as they were in front of the trial: {}",
                self.keys.join(", ")
            );
        }
    }

    /// Of the one that is on.
    pub(super) fn keys(&self) -> &[String] {
        &self.keys
    }

    /// How the last one ended, and what it was about.
    pub(super) fn ended(&self) -> Value {
        match self.ended {
            Some(how) => json!({ "how": how, "keys": self.keys }),
            None => Value::Null,
        }
    }
}

#[cfg(test)]
mod tests {
    use dtu_proto::Identity;
    use dtu_proto::config::{Config, Options};
    use dtu_proto::event::{Event, Input, Output};
    use dtu_proto::time::Instant;

    use super::*;

    struct Device {
        dtu: Dtu,
        trials: Trials,
    }

    impl Device {
        /// What is on trial behind these lines, and how the last one ended.
        fn run(&mut self, lines: &[&str]) -> (Vec<String>, Value) {
            for line in lines {
                self.dtu.handle_input(Input::Console(line), Instant::ZERO);
                while let Some(output) = self.dtu.poll_output() {
                    if let Output::Event(Event::Trial(event)) = &output {
                        self.trials.event(event, &self.dtu);
                    }
                }
            }
            (self.trials.keys().to_vec(), self.trials.ended())
        }
    }

    #[test]
    fn what_was_set_before_goes_back_with_a_trial_and_is_named() {
        let (config, options) = (Config::default(), Options::default());
        let mut device = Device {
            dtu: Dtu::new(config, options, Identity::default(), 1, Instant::ZERO),
            trials: Trials::default(),
        };
        device.run(&["AT+CIPNUM=13800138000", "AT+CIPCFG=1,45,0,100,10,1800"]);
        let both = ["CIPCFG.HEAT".to_owned(), "CIPNUM".to_owned()];
        let (mut keys, ended) = device.run(&["AT+CIAPPLY=60"]);
        keys.sort();
        assert_eq!((&keys[..], ended), (&both[..], Value::Null));
        let (_, ended) = device.run(&["AT+CIKEEP=0"]);
        assert_eq!(
            (&ended["how"], ended["keys"].as_array().map(Vec::len)),
            (&json!("undone"), Some(2))
        );
        // They are back: the next one is about its own change alone.
        let (keys, ended) = device.run(&["AT+CIPCFG=1,30,0,200,10,1800", "AT+CIAPPLY=60"]);
        assert_eq!(
            (&keys[..], ended),
            (&["CIPCFG.TIME".to_owned()][..], Value::Null)
        );
    }
}
