//! What goes wrong on purpose, to which devices, and when.

use std::time::Duration;

/// A fault.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// What happens.
    pub kind: FaultKind,
    /// When, from the start.
    pub at: Duration,
    /// How long it lasts.
    pub lasts: Duration,
    /// To how many of the devices, 0..=1.
    pub share: f64,
    /// Again after this time, until `lasts` is over; flaps only.
    pub every: Duration,
}

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The radio is silent: nothing goes or comes, and nobody is told. To the server the connection is half open; a device
    /// that finds out connects anew once it may.
    HalfOpen,
    /// Connections are reset.
    Flap,
    /// The network is gone, for all at once, and comes back for all at once: connections are reset, attempts fail.
    Herd,
    /// The devices start over (`AT+CIRESET`).
    Restart,
    /// The equipment takes what the server sends at so many Bd; 0 = not at all.
    SlowReader(u32),
    /// Each so many-th frame is bytes without sense.
    WrongPackets(u32),
    /// They have another registration packet, and connect anew with it.
    WrongRegistration,
    /// They have another heartbeat.
    WrongHeartbeat,
}

impl FaultKind {
    /// The names of all.
    pub const NAMES: [&'static str; 8] = [
        "half-open",
        "flap",
        "herd",
        "restart",
        "slow-reader",
        "wrong-packets",
        "wrong-registration",
        "wrong-heartbeat",
    ];

    /// Whether it has an end.
    pub(super) const fn lasts(self) -> bool {
        !matches!(self, Self::Flap | Self::Restart)
    }

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        Self::NAMES[match self {
            Self::HalfOpen => 0,
            Self::Flap => 1,
            Self::Herd => 2,
            Self::Restart => 3,
            Self::SlowReader(_) => 4,
            Self::WrongPackets(_) => 5,
            Self::WrongRegistration => 6,
            Self::WrongHeartbeat => 7,
        }]
    }
}

/// One edge of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Edge {
    pub(super) at: u64,
    pub(super) fault: usize,
    /// The how many-th time it happens.
    pub(super) round: u32,
    pub(super) begins: bool,
}

/// All edges of all faults, in the order of their times.
pub(super) fn edges(faults: &[Fault]) -> Vec<Edge> {
    let mut all = Vec::new();
    for (number, fault) in faults.iter().enumerate() {
        let at = micros(fault.at);
        let end = at + micros(fault.lasts);
        let edge = |at, round, begins| Edge {
            at,
            fault: number,
            round,
            begins,
        };
        match fault.kind {
            FaultKind::Flap if !fault.every.is_zero() => {
                let rounds =
                    (0..).map(|round: u32| (round, at + u64::from(round) * micros(fault.every)));
                all.extend(
                    rounds
                        .take_while(|(_, at)| *at <= end)
                        .map(|(round, at)| edge(at, round, true)),
                );
            }
            FaultKind::Flap | FaultKind::Restart => all.push(edge(at, 0, true)),
            FaultKind::HalfOpen
            | FaultKind::Herd
            | FaultKind::SlowReader(_)
            | FaultKind::WrongPackets(_)
            | FaultKind::WrongRegistration
            | FaultKind::WrongHeartbeat => {
                all.push(edge(at, 0, true));
                all.push(edge(end, 0, false));
            }
        }
    }
    all.sort_unstable();
    all
}

/// Whether a fault hits a device; the same devices for the same seed.
pub(super) fn hits(seed: u64, edge: &Edge, share: f64, device: u32) -> bool {
    let salt = (edge.fault as u64) << 32 | u64::from(edge.round);
    let drawn =
        cellular_sim::Rng::new(seed ^ salt.wrapping_mul(0x9e37_79b9) ^ u64::from(device) << 20)
            .word();
    (drawn >> 11) as f64 / (1_u64 << 53) as f64 <= share && share > 0.0
}

pub(super) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(kind: FaultKind) -> Fault {
        Fault {
            kind,
            at: Duration::from_secs(10),
            lasts: Duration::from_secs(5),
            share: 0.25,
            every: Duration::from_secs(2),
        }
    }

    #[test]
    fn a_fault_begins_and_ends_and_flaps_come_again() {
        let all = edges(&[
            fault(FaultKind::Flap),
            fault(FaultKind::Herd),
            fault(FaultKind::Restart),
        ]);
        let shown: Vec<_> = all
            .iter()
            .map(|edge| (edge.at / 1_000_000, edge.fault, edge.begins))
            .collect();
        assert_eq!(
            shown,
            [
                (10, 0, true),
                (10, 1, true),
                (10, 2, true),
                (12, 0, true),
                (14, 0, true),
                (15, 1, false)
            ]
        );
    }

    #[test]
    fn a_share_of_the_devices_is_hit_and_the_same_at_both_edges() {
        let both = edges(&[fault(FaultKind::HalfOpen)]);
        let hit = |edge: &Edge| -> Vec<u32> {
            (0..1000)
                .filter(|device| hits(1, edge, 0.25, *device))
                .collect()
        };
        let first = hit(&both[0]);
        assert!((200..300).contains(&first.len()), "{}", first.len());
        assert_eq!(first, hit(&both[1]));
        assert_eq!(
            (0..1000)
                .filter(|device| hits(1, &both[0], 1.0, *device))
                .count(),
            1000
        );
    }
}
