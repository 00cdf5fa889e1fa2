//! What a device tells of itself by AT: version, mode, radio, links, counters.

use crate::door::{Door, DoorError, Reply};
use crate::reading::Patience;

/// What was told; what a device does not know stays away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Its firmware.
    pub version: Option<String>,
    /// Its number.
    pub imei: Option<String>,
    /// Working mode 0 to 4.
    pub mode: Option<u8>,
    /// As `AT+CSQ` tells it (27.007 8.5): 0..=31, 99 = not known.
    pub rssi: Option<u8>,
    /// The network.
    pub operator: Option<String>,
    /// Its own address there.
    pub ip: Option<String>,
    /// The links' states, by their numbers.
    pub links: Vec<(String, String)>,
    /// Counters, by what they are of: `DEVICE`, `SERIAL`, `1` to `4`, … Real boxes have none.
    pub counters: Vec<(String, Vec<(String, String)>)>,
}

/// So many [`read_status`] sends.
pub const COMMANDS: usize = 8;

/// Asks for all of it.
///
/// # Errors
/// The way to the device failed.
pub fn read_status(door: &mut dyn Door) -> Result<Status, DoorError> {
    let mut patience = Patience::default();
    let mut told = |line: &str, name: &str| -> Result<Vec<String>, DoorError> {
        let reply = patience.ask(door, line)?;
        Ok(reply.map_or_else(Vec::new, |reply| values(&reply, name)))
    };
    let version = told("AT+CIVER?", "+CIVER")?.into_iter().next();
    let imei = told("AT+CGSN", "+CGSN")?.into_iter().next();
    let mode = told("AT+CIMOD?", "+CIMOD")?;
    let signal = told("AT+CSQ", "+CSQ")?;
    let operator = told("AT+COPS?", "+COPS")?;
    let ip = told("AT+CIDTUIP?", "+CIDTUIP")?.into_iter().next();
    let links = told("AT+CINET?", "+CINET")?;
    let counters = told("AT+CISTAT", "+CISTAT")?;
    Ok(Status {
        version,
        imei,
        mode: mode.first().and_then(|mode| mode.parse().ok()),
        rssi: signal.first().and_then(|text| first(text).parse().ok()),
        operator: operator.first().and_then(|text| operator_in(text)),
        ip,
        links: links.iter().filter_map(|text| pair(text, ',')).collect(),
        counters: counters.iter().filter_map(|text| counted(text)).collect(),
    })
}

/// What stands behind the name, or a line without any (V.250 5.8).
fn values(reply: &Reply, name: &str) -> Vec<String> {
    let value = |line: &String| {
        let Some(rest) = line.strip_prefix(name) else {
            return (!line.starts_with('+')).then(|| line.clone());
        };
        let rest = rest.strip_prefix([':', '='])?;
        Some(rest.trim().to_owned())
    };
    if reply.refusal().is_some() {
        return Vec::new();
    }
    reply.lines.iter().filter_map(value).collect()
}

fn first(text: &str) -> &str {
    text.split(',').next().unwrap_or_default().trim()
}

/// `0,0,"China Mobile"`; without a network there is none.
fn operator_in(text: &str) -> Option<String> {
    let name = text.splitn(3, ',').nth(2)?;
    let name = name.trim().trim_start_matches('"');
    let name = name.split('"').next().unwrap_or(name);
    (!name.is_empty()).then(|| name.to_owned())
}

fn pair(text: &str, at: char) -> Option<(String, String)> {
    let (name, value) = text.split_once(at)?;
    Some((name.trim().to_owned(), value.trim().to_owned()))
}

/// `DEVICE,uptime=2,restarts=0`
fn counted(text: &str) -> Option<(String, Vec<(String, String)>)> {
    let (name, rest) = pair(text, ',')?;
    Some((
        name,
        rest.split(',').filter_map(|it| pair(it, '=')).collect(),
    ))
}

impl Status {
    /// Of the signal in dBm (27.007 8.5).
    #[must_use]
    pub fn dbm(&self) -> Option<i16> {
        let rssi = self.rssi.filter(|rssi| *rssi <= 31)?;
        Some(i16::from(rssi) * 2 - 113)
    }

    /// A counter.
    #[must_use]
    pub fn counter(&self, of: &str, name: &str) -> Option<&str> {
        let (_, counters) = self.counters.iter().find(|(own, _)| own == of)?;
        let (_, value) = counters.iter().find(|(own, _)| own == name)?;
        Some(value)
    }
}
