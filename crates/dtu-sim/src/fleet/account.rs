//! What is counted of a whole fleet, while it runs and at its end.

use std::fmt;

use dtu_proto::event::LinkDownReason;
use serde_json::{Value, json};

use super::histogram::Histogram;

/// Counters of all devices together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Devices that were switched on.
    pub started: u32,
    /// Connections that stand.
    pub connected: u32,
    /// Connections whose registration packet the server's TCP has acknowledged.
    pub registrations: u64,
    /// The same of wrong registration packets.
    pub wrong_registrations: u64,
    /// Devices of which that was ever so, with the right packet.
    pub registered: u32,
    /// From the first packet of a connection to the acknowledgement of its registration packet, in µs.
    pub registration: Histogram,
    /// From the end of a frame in the line to the end of its answer, in µs.
    pub round_trip: Histogram,
    /// Frames given to the lines.
    pub sent: u64,
    /// Bytes of these.
    pub sent_bytes: u64,
    /// Wrong packets given to the lines; they are not among the frames.
    pub wrong_packets: u64,
    /// Frames with an answer.
    pub answered: u64,
    /// Answers to frames that had one.
    pub again: u64,
    /// Frames that were due while the line took none, or too many waited for their answers.
    pub held: u64,
    /// Answers that broke off, or had other bytes.
    pub damaged: u64,
    /// Answers for another device.
    pub misdirected: u64,
    /// Bytes from the server that are no answer.
    pub other_bytes: u64,
    /// Frames that devices dropped.
    pub dropped: u64,
    /// Connections lost and attempts failed, by reason.
    pub disconnected: Vec<(LinkDownReason, u64)>,
    /// Restarts of devices.
    pub restarts: u64,
    /// Short messages that the network took of devices.
    pub texts_sent: u64,
    /// Those that it did not take.
    pub texts_refused: u64,
    /// Those that their receivers have.
    pub texts_received: u64,
    /// Of the end.
    pub end: End,
}

/// What only the end tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct End {
    /// Data frames that the server's TCP has acknowledged.
    pub acknowledged: u64,
    /// Data frames sent more than once.
    pub resent: u64,
    /// Frames that devices still hold.
    pub waiting: u64,
    /// Frames that the server has, and whose answers went with their connections.
    pub cut_off: u64,
    /// Frames of which nobody knows anything.
    pub missing: u64,
    /// Heartbeats sent.
    pub heartbeats: u64,
    /// Of these, wrong ones.
    pub wrong_heartbeats: u64,
    /// What devices lost elsewhere, in their words.
    pub losses: Vec<(String, u64)>,
    /// How long it took, in µs.
    pub took: u64,
}

impl End {
    pub(super) fn add(&mut self, other: Self) {
        let Self {
            acknowledged,
            resent,
            waiting,
            cut_off,
            missing,
            heartbeats,
            wrong_heartbeats,
            losses,
            took,
        } = other;
        self.acknowledged += acknowledged;
        self.resent += resent;
        self.waiting += waiting;
        self.cut_off += cut_off;
        self.missing += missing;
        self.heartbeats += heartbeats;
        self.wrong_heartbeats += wrong_heartbeats;
        for (what, times) in losses {
            self.lost(what, times);
        }
        self.took = self.took.max(took);
    }

    /// Devices lost this elsewhere.
    pub(super) fn lost(&mut self, what: String, times: u64) {
        count(&mut self.losses, what, times);
    }
}

/// So many more of a kind.
fn count<K: PartialEq>(all: &mut Vec<(K, u64)>, kind: K, more: u64) {
    match all.iter_mut().find(|(known, _)| *known == kind) {
        Some((_, count)) => *count += more,
        None => all.push((kind, more)),
    }
}

impl Account {
    pub(super) fn disconnected(&mut self, reason: LinkDownReason) {
        count(&mut self.disconnected, reason, 1);
    }

    /// What others came to as well.
    pub(super) fn add(&mut self, other: Self) {
        let Self {
            started,
            connected,
            registrations,
            wrong_registrations,
            registered,
            registration,
            round_trip,
            sent,
            sent_bytes,
            wrong_packets,
            answered,
            again,
            held,
            damaged,
            misdirected,
            other_bytes,
            dropped,
            disconnected,
            restarts,
            texts_sent,
            texts_refused,
            texts_received,
            end,
        } = other;
        self.started += started;
        self.connected += connected;
        self.registrations += registrations;
        self.wrong_registrations += wrong_registrations;
        self.registered += registered;
        self.registration.add_all(&registration);
        self.round_trip.add_all(&round_trip);
        self.sent += sent;
        self.sent_bytes += sent_bytes;
        self.wrong_packets += wrong_packets;
        self.answered += answered;
        self.again += again;
        self.held += held;
        self.damaged += damaged;
        self.misdirected += misdirected;
        self.other_bytes += other_bytes;
        self.dropped += dropped;
        for (reason, times) in disconnected {
            count(&mut self.disconnected, reason, times);
        }
        self.restarts += restarts;
        self.texts_sent += texts_sent;
        self.texts_refused += texts_refused;
        self.texts_received += texts_received;
        self.end.add(end);
    }

    /// Brings its lists into an order that does not depend on who came first.
    pub(super) fn sort(&mut self) {
        self.disconnected
            .sort_by_cached_key(|(reason, _)| reason.to_string());
        self.end.losses.sort();
    }

    /// Short messages that the network took, and nobody has.
    #[must_use]
    pub const fn texts_missing(&self) -> u64 {
        self.texts_sent.saturating_sub(self.texts_received)
    }

    /// What makes the run a failed one.
    ///
    /// # Errors
    /// In words.
    pub fn judge(&self) -> Result<(), String> {
        if self.end.missing > 0 {
            let count = self.end.missing;
            let waiting = match self.end.waiting {
                0 => String::new(),
                waiting => format!("; {waiting} still wait in their devices"),
            };
            return Err(format!("{count} frames are missing{waiting}"));
        }
        let texts = self.texts_missing();
        if texts > 0 {
            return Err(format!("{texts} short messages are missing"));
        }
        if self.misdirected > 0 {
            return Err(format!(
                "{} answers came to the wrong device",
                self.misdirected
            ));
        }
        if self.registered == 0 && self.started > 0 {
            let why = self.disconnected.iter().max_by_key(|(_, count)| *count);
            let why = why.map_or("no answer".to_owned(), |(reason, _)| reason.to_string());
            return Err(format!("the target could not be reached: {why}"));
        }
        Ok(())
    }

    /// One object.
    #[must_use]
    pub fn json(&self) -> Value {
        let times = |histogram: &Histogram| {
            let ms = |permille| histogram.permille(permille) as f64 / 1000.0;
            json!({
                "count": histogram.count(), "p50_ms": ms(500), "p90_ms": ms(900), "p99_ms": ms(990),
                "p999_ms": ms(999), "max_ms": histogram.max() as f64 / 1000.0,
            })
        };
        let by_reason = |all: &mut dyn Iterator<Item = (String, u64)>| {
            Value::Object(all.map(|(why, count)| (why, count.into())).collect())
        };
        json!({
            "devices": self.started,
            "registered": self.registered,
            "registrations": self.registrations,
            "sent": self.sent,
            "sent_bytes": self.sent_bytes,
            "acknowledged": self.end.acknowledged,
            "answered": self.answered,
            "answered_again": self.again,
            "resent": self.end.resent,
            "dropped": self.dropped,
            "answer_cut_off": self.end.cut_off,
            "missing": self.end.missing,
            "waiting": self.end.waiting,
            "wrong_packets": self.wrong_packets,
            "wrong_registrations": self.wrong_registrations,
            "wrong_heartbeats": self.end.wrong_heartbeats,
            "damaged": self.damaged,
            "misdirected": self.misdirected,
            "other_bytes": self.other_bytes,
            "held": self.held,
            "heartbeats": self.end.heartbeats,
            "restarts": self.restarts,
            "texts_sent": self.texts_sent,
            "texts_refused": self.texts_refused,
            "texts_received": self.texts_received,
            "texts_missing": self.texts_missing(),
            "registration": times(&self.registration),
            "round_trip": times(&self.round_trip),
            "disconnected": by_reason(&mut self.disconnected.iter().map(|(why, count)| (why.to_string(), *count))),
            "losses": by_reason(&mut self.end.losses.iter().cloned()),
            "seconds": self.end.took as f64 / 1e6,
        })
    }
}

/// Milliseconds of µs, for people.
#[derive(Clone, Copy)]
pub(super) struct Ms(pub(super) u64);

impl fmt::Display for Ms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.0 as f64 / 1000.0;
        let digits = if ms < 10.0 {
            2
        } else if ms < 100.0 {
            1
        } else {
            0
        };
        write!(f, "{ms:.digits$} ms")
    }
}

/// The account in lines, for people.
impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = &self.end;
        let seconds = end.took as f64 / 1e6;
        let rate = if seconds > 0.0 {
            self.sent as f64 / seconds
        } else {
            0.0
        };
        writeln!(
            f,
            "devices       {} switched on, {} registered, {} registrations, {} heartbeats, {} restarts",
            self.started, self.registered, self.registrations, end.heartbeats, self.restarts
        )?;
        writeln!(
            f,
            "frames        {} sent in {seconds:.1} s ({rate:.0}/s, {} bytes)",
            self.sent, self.sent_bytes
        )?;
        writeln!(f, "acknowledged  {}", end.acknowledged)?;
        writeln!(
            f,
            "answered      {} ({} once more)",
            self.answered, self.again
        )?;
        writeln!(f, "resent        {}", end.resent)?;
        writeln!(f, "dropped       {}", self.dropped)?;
        writeln!(
            f,
            "cut off       {} (the server has them, the answers went with their connections)",
            end.cut_off
        )?;
        writeln!(
            f,
            "missing       {} ({} still wait in their devices)",
            end.missing, end.waiting
        )?;
        writeln!(
            f,
            "answers       {} damaged, {} for another device, {} bytes that are none",
            self.damaged, self.misdirected, self.other_bytes
        )?;
        let wrong = self.wrong_packets + self.wrong_registrations + end.wrong_heartbeats;
        if wrong + self.held > 0 {
            writeln!(
                f,
                "sent besides  {} wrong packets, {} wrong registration packets, {} wrong heartbeats; {} frames were held back",
                self.wrong_packets, self.wrong_registrations, end.wrong_heartbeats, self.held
            )?;
        }
        for (name, times) in [
            ("registration", &self.registration),
            ("round trip", &self.round_trip),
        ] {
            if times.count() > 0 {
                writeln!(
                    f,
                    "{name:13} p50 {}, p90 {}, p99 {}, max {}",
                    Ms(times.permille(500)),
                    Ms(times.permille(900)),
                    Ms(times.permille(990)),
                    Ms(times.max())
                )?;
            }
        }
        for (reason, count) in &self.disconnected {
            writeln!(f, "disconnected  {count} x {reason}")?;
        }
        for (what, count) in &end.losses {
            writeln!(f, "lost          {count} x {what}")?;
        }
        Ok(())
    }
}
