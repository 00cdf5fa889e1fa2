//! A simulated modem in a simulated network (`cellular_sim::radio`) of its own.

use std::path::Path;
use std::task::Context;
use std::time::SystemTime;

use anyhow::Context as _;
use cellular_sim::radio::{Id, Network, PhoneEvent, Script, Settings, Subscriber, Verb};
use dtu_proto::event::{ModemInput, ModemOutput};
use dtu_proto::radio::{NetworkTime, PhoneNumber};
use dtu_proto::time::Instant;
use tracing::{debug, info, warn};

use super::{Act, Chat, Driver, Undone};
use crate::settings;

pub(super) struct Sim {
    network: Network,
    modem: Id,
    chat: Chat,
}

impl Sim {
    /// # Errors
    /// The script cannot be read; the text has its place.
    pub(super) fn new(settings: &settings::Modem, seed: u64) -> anyhow::Result<Self> {
        let mut network = Network::new(
            seed,
            Settings {
                clock: clock(),
                ..Settings::default()
            },
        );
        let address = Some([10, 0, 0, 2].into());
        let subscriber = Subscriber {
            number: settings.number,
            address,
            ..Subscriber::default()
        };
        let modem = network.add(subscriber, Instant::ZERO);
        if let Some(path) = &settings.script {
            network.play(read_script(path)?);
        }
        let own = network.subscriber(modem).number;
        Ok(Self {
            network,
            modem,
            chat: Chat::new(own),
        })
    }

    /// What happens at the other end, for whoever watches; texts only where the log is to show everything.
    fn log_phones(&mut self) {
        while let Some(news) = self.network.poll_phone_event() {
            info!("simulated network: {}", phone_event_text(&news));
            self.chat.note(&news);
            if let PhoneEvent::Text { data, .. } = &news {
                let text = data.text().unwrap_or_default();
                debug!(
                    "simulated network: the message is \"{}\"",
                    text.escape_debug()
                );
            }
        }
        while let Some(problem) = self.network.poll_problem() {
            warn!("simulated network: script: {problem}");
        }
        while let Some((_, fault)) = self.network.poll_fault() {
            warn!(
                "simulated network: script: {} is for modems with AT commands only",
                fault.word()
            );
        }
    }
}

impl Driver for Sim {
    fn order(&mut self, order: ModemOutput, now: Instant, _cx: &mut Context<'_>) {
        self.network.handle_order(self.modem, &order, now);
    }

    fn poll(&mut self, _cx: &mut Context<'_>, now: Instant) -> Option<ModemInput> {
        if self.network.poll_timeout().is_some_and(|at| at <= now) {
            self.network.handle_timeout(now);
        }
        self.log_phones();
        let (_, news) = self.network.poll_event()?;
        if let ModemInput::Message { pdu, .. } = &news {
            self.chat.came(pdu);
        }
        Some(news)
    }

    fn deadline(&self) -> Option<Instant> {
        self.network.poll_timeout()
    }

    fn act(&mut self, act: &Act, now: Instant) -> Result<(), Undone> {
        let number =
            |text: &str| PhoneNumber::new(text).ok_or_else(|| Undone::NoNumber(text.to_owned()));
        let verbs = match act {
            Act::Message { from, text } => vec![Verb::Text {
                from: number(from)?,
                to: None,
                text: text.clone(),
            }],
            Act::Call { from } => vec![Verb::Call {
                from: number(from)?,
                to: None,
            }],
            Act::HangUp => self.chat.callers().map(Verb::HangUp).collect(),
        };
        for verb in &verbs {
            self.network
                .carry_out(1, verb, now)
                .map_err(|error| Undone::Network(error.to_string()))?;
            self.chat.did(verb);
        }
        if verbs.is_empty() {
            return Err(Undone::NoCall);
        }
        Ok(())
    }

    fn chat(&self) -> Option<&Chat> {
        Some(&self.chat)
    }

    fn status(&self) -> String {
        format!("simulated, {}", self.network.registration(self.modem))
    }
}

fn phone_event_text(news: &PhoneEvent) -> String {
    let phone = news.phone();
    match news {
        PhoneEvent::Text { from, parts, .. } => {
            format!("{phone} gets a message from {from} in {parts} part(s)")
        }
        PhoneEvent::Report { report, .. } => {
            format!("{phone} gets a report: {}", report.status.outcome())
        }
        PhoneEvent::Rings { from, .. } => format!("{phone} rings, {from} calls"),
        PhoneEvent::Alerting { .. } => format!("{phone} hears the other side ring"),
        PhoneEvent::Talking { .. } => format!("{phone} talks"),
        PhoneEvent::Ended { why, .. } => format!("the call of {phone} is over: {why}"),
    }
}

/// Reads what happens in the simulated network.
///
/// # Errors
/// The file cannot be read, or has a fault; the text has its place.
pub(crate) fn read_script(path: &Path) -> anyhow::Result<Script> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    Script::parse(&text).map_err(|error| anyhow::anyhow!("{}:{error}", path.display()))
}

/// The network is in China, as the manual's.
fn clock() -> NetworkTime {
    let since_1970 = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    let local = since_1970.saturating_sub(SECONDS_1970_TO_2000) + 8 * 3600;
    NetworkTime {
        seconds: u32::try_from(local).unwrap_or(u32::MAX),
        zone: Some(32),
    }
}

const SECONDS_1970_TO_2000: u64 = 946_684_800;

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use dtu_proto::radio::{Registration, SimState};

    use super::*;

    fn script(text: &str) -> anyhow::Result<Sim> {
        let dir = tempfile::tempdir()?;
        let path = dir.path().join("radio.txt");
        std::fs::write(&path, text)?;
        Sim::new(
            &settings::Modem {
                script: Some(path),
                ..settings::Modem::default()
            },
            1,
        )
    }

    fn inputs_until(sim: &mut Sim, now: Instant) -> Vec<ModemInput> {
        let mut cx = Context::from_waker(Waker::noop());
        std::iter::from_fn(|| sim.poll(&mut cx, now)).collect()
    }

    #[test]
    fn it_is_attached_at_once_with_the_manuals_identity_and_then_has_nothing_to_do() {
        let mut sim = Sim::new(&settings::Modem::default(), 1).unwrap();
        let told = inputs_until(&mut sim, Instant::ZERO);
        let Some(ModemInput::Present(identity)) = told.first() else {
            panic!("{told:?}")
        };
        assert_eq!(
            (identity.imei.as_str(), identity.imsi.as_str()),
            ("135790246811220", "460023633887978")
        );
        for wanted in [
            ModemInput::Sim(SimState::Ready),
            ModemInput::Registration(Registration::Home),
            ModemInput::Attached([10, 0, 0, 2].into()),
        ] {
            assert!(told.contains(&wanted), "{wanted:?} in {told:?}");
        }
        assert_eq!(
            sim.deadline(),
            None,
            "a network in which nothing happens wakes nobody"
        );
    }

    #[test]
    fn a_script_says_what_happens_in_the_network() {
        let mut sim =
            script("at 10s sms from +8613912345678 \"hello\"\nat 60s registration denied").unwrap();
        inputs_until(&mut sim, Instant::ZERO);
        assert_eq!(sim.deadline(), Some(Instant::from_millis(10_000)));
        let told = inputs_until(&mut sim, Instant::from_millis(20_000));
        assert!(
            matches!(told.as_slice(), [ModemInput::Message { .. }]),
            "{told:?}"
        );
        let told = inputs_until(&mut sim, Instant::from_millis(60_000));
        assert!(
            told.contains(&ModemInput::Registration(Registration::Denied)),
            "{told:?}"
        );
        assert!(told.contains(&ModemInput::Detached), "{told:?}");
    }

    #[test]
    fn the_text_of_a_message_is_not_in_the_line_that_everybody_logs() {
        let mut sim =
            script("sms from 10086 to 13900000000 \"the code is 4711\\nforged\"").unwrap();
        let mut heard_lines = Vec::new();
        while let Some(at) = sim.deadline() {
            sim.network.handle_timeout(at);
            heard_lines.extend(
                std::iter::from_fn(|| sim.network.poll_phone_event())
                    .map(|news| phone_event_text(&news)),
            );
        }
        assert_eq!(
            heard_lines,
            ["13900000000 gets a message from 10086 in 1 part(s)"]
        );
    }

    #[test]
    fn a_script_that_is_wrong_is_named_with_the_place() {
        let said = script("at 10s sms\n").err().unwrap().to_string();
        assert!(said.contains("radio.txt:1:"), "{said}");
        let missing = settings::Modem {
            script: Some("/nosuch/radio.txt".into()),
            ..settings::Modem::default()
        };
        assert!(
            format!("{:#}", Sim::new(&missing, 1).err().unwrap()).contains("/nosuch/radio.txt")
        );
    }
}
