//! A simulated modem in a simulated network (`dtu_sim::radio`) of its own.

use std::task::Context;
use std::time::SystemTime;

use dtu_proto::event::{ModemInput, ModemOutput};
use dtu_proto::radio::NetworkTime;
use dtu_proto::time::Instant;
use dtu_sim::radio::{Id, Network, PhoneNews, Settings, Subscriber};
use tracing::info;

use super::Driver;
use crate::settings;

pub(super) struct Sim {
    network: Network,
    modem: Id,
}

impl Sim {
    pub(super) fn new(settings: &settings::Modem, seed: u64) -> Self {
        let mut network = Network::new(seed, Settings { clock: clock(), ..Settings::default() });
        let address = Some([10, 0, 0, 2].into());
        let subscriber = Subscriber { number: settings.number, address, ..Subscriber::default() };
        let modem = network.add(subscriber, Instant::ZERO);
        Self { network, modem }
    }

    /// What happens at the other end, for whoever watches.
    fn log_phones(&mut self) {
        while let Some(news) = self.network.poll_phone() {
            info!("simulated network: {}", heard(&news));
        }
    }
}

impl Driver for Sim {
    fn order(&mut self, order: ModemOutput, now: Instant, _cx: &mut Context<'_>) {
        self.network.order(self.modem, &order, now);
    }

    fn poll(&mut self, _cx: &mut Context<'_>, now: Instant) -> Option<ModemInput> {
        if self.network.poll_timeout().is_some_and(|at| at <= now) {
            self.network.handle_timeout(now);
        }
        self.log_phones();
        self.network.poll_news().map(|(_, news)| news)
    }

    fn deadline(&self) -> Option<Instant> {
        self.network.poll_timeout()
    }

    fn status(&self) -> String {
        format!("simulated, registration {:?}", self.network.registration(self.modem))
    }
}

fn heard(news: &PhoneNews) -> String {
    let phone = news.phone();
    match news {
        PhoneNews::Text { from, data, parts, .. } => match data.text() {
            Some(text) => format!("{phone} gets a message from {from} in {parts} part(s): {text}"),
            None => format!("{phone} gets a message of 8-bit data from {from}"),
        },
        PhoneNews::Report { report, .. } => format!("{phone} gets a report: {:?}", report.status.outcome()),
        PhoneNews::Rings { from, .. } => format!("{phone} rings, {from} calls"),
        PhoneNews::Alerting { .. } => format!("{phone} hears the other side ring"),
        PhoneNews::Talking { .. } => format!("{phone} talks"),
        PhoneNews::Ended { why, .. } => format!("the call of {phone} is over: {why:?}"),
    }
}

/// The network is in China, as the manual's.
fn clock() -> NetworkTime {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let local = since_1970.saturating_sub(SECONDS_1970_TO_2000) + 8 * 3600;
    NetworkTime { seconds: u32::try_from(local).unwrap_or(u32::MAX), zone: Some(32) }
}

const SECONDS_1970_TO_2000: u64 = 946_684_800;
