//! How a fleet is doing, on standard error: a few lines that stay in their place on a terminal, else a line now and then.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::time::Duration;

use dtu_sim::fleet::{Histogram, Now, Watch};

/// Rates that the sparkline shows.
const RATES: usize = 60;
/// Where nobody looks at a screen, a line each so many seconds.
const LINE_EVERY: u64 = 5;
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

pub(crate) struct Screen {
    quiet: bool,
    terminal: bool,
    /// Lines that are to be written over.
    shown: usize,
    looks: u64,
    last: Sums,
    rates: Vec<u64>,
}

#[derive(Clone, Copy, Default)]
struct Sums {
    at: u64,
    sent: u64,
    answered: u64,
    disconnected: u64,
}

impl Screen {
    pub(crate) fn new(quiet: bool, terminal: bool) -> Self {
        Self {
            quiet,
            terminal,
            shown: 0,
            looks: 0,
            last: Sums::default(),
            rates: Vec::new(),
        }
    }

    /// What was shown stays where it is.
    pub(crate) fn end(&mut self) {
        self.shown = 0;
    }

    fn line(&mut self, now: &Now<'_>) -> Option<String> {
        self.looks += 1;
        let sums = Sums {
            at: now.at,
            sent: now.account.sent,
            answered: now.account.answered,
            disconnected: now
                .account
                .disconnected
                .iter()
                .map(|(_, count)| count)
                .sum(),
        };
        let due = self.terminal || self.looks.is_multiple_of(LINE_EVERY);
        if !due {
            return None;
        }
        let seconds = (sums.at.saturating_sub(self.last.at)).max(1) as f64 / 1e6;
        let rate = |new: u64, old: u64| (new.saturating_sub(old)) as f64 / seconds;
        let (sent, answered) = (
            rate(sums.sent, self.last.sent),
            rate(sums.answered, self.last.answered),
        );
        let lost = rate(sums.disconnected, self.last.disconnected);
        self.last = sums;
        let account = now.account;
        if !self.terminal {
            return Some(format!(
                "{:.0} s: {} of {} on, {} connected, {} registered; {sent:.0} sent/s, {answered:.0} answered/s, {} lost; round trip {}",
                now.at as f64 / 1e6,
                account.started,
                now.count,
                account.connected,
                account.registered,
                sums.disconnected,
                percentiles(now.round_trips),
            ));
        }
        self.rates.push(sent as u64);
        let surplus = self.rates.len().saturating_sub(RATES);
        self.rates.drain(..surplus);
        let mut text = String::new();
        let state = if now.draining {
            "waits for answers"
        } else {
            "sends"
        };
        let _ = writeln!(
            text,
            "{:8.0} s  {} {state}",
            now.at as f64 / 1e6,
            now.target
        );
        let _ = writeln!(
            text,
            "devices     {} of {} on, {} connected, {} registered",
            account.started, now.count, account.connected, account.registered
        );
        let _ = writeln!(
            text,
            "frames/s    {sent:.0} sent, {answered:.0} answered  {}",
            sparkline(&self.rates)
        );
        let _ = writeln!(
            text,
            "frames      {} sent, {} answered, {} dropped",
            account.sent, account.answered, account.dropped
        );
        let _ = writeln!(text, "register    {}", percentiles(&account.registration));
        let _ = writeln!(text, "round trip  {}", percentiles(now.round_trips));
        let worst = account.disconnected.iter().max_by_key(|(_, count)| *count);
        let worst = worst.map_or(String::new(), |(reason, _)| format!(", mostly {reason}"));
        let _ = writeln!(
            text,
            "errors      {lost:.0}/s connections lost or refused ({} in all{worst}), {} damaged, {} misdirected",
            sums.disconnected, account.damaged, account.misdirected
        );
        Some(text)
    }
}

impl Watch for Screen {
    fn look(&mut self, now: &Now<'_>) {
        if self.quiet {
            return;
        }
        let Some(text) = self.line(now) else { return };
        let mut out = io::stderr().lock();
        // Nobody need look.
        let _ = if self.terminal {
            // Back to the first line; each line is cleared before it is written.
            let up = if self.shown > 0 {
                format!("\x1b[{}A", self.shown)
            } else {
                String::new()
            };
            self.shown = text.lines().count();
            write!(out, "{up}{}", text.replace('\n', "\x1b[K\n"))
        } else {
            writeln!(out, "{text}")
        };
    }
}

/// How far a fleet in virtual time is: a line that stays in its place on a terminal, else one now and then.
pub(crate) struct Progress {
    quiet: bool,
    terminal: bool,
    shown: bool,
    next: Duration,
}

impl Progress {
    pub(crate) const fn new(quiet: bool, terminal: bool) -> Self {
        Self {
            quiet,
            terminal,
            shown: false,
            next: Duration::ZERO,
        }
    }

    pub(crate) fn look(&mut self, now: &dtu_sim::fleet::Progress, elapsed: Duration) {
        if self.quiet || elapsed < self.next {
            return;
        }
        self.next = elapsed + Duration::from_secs(if self.terminal { 1 } else { LINE_EVERY });
        self.shown = true;
        let seconds = elapsed.as_secs_f64();
        let text = format!(
            "{seconds:.0} s: {} of {} devices are done, {} frames, {:.0} frames/s",
            now.devices,
            now.count,
            now.frames,
            now.frames as f64 / seconds.max(1e-3)
        );
        let mut out = io::stderr().lock();
        // Nobody need look.
        let _ = if self.terminal {
            write!(out, "\r{text}\x1b[K")
        } else {
            writeln!(out, "{text}")
        };
    }

    /// What was shown stays where it is.
    pub(crate) fn end(&self) {
        if self.shown && self.terminal {
            let _ = writeln!(io::stderr());
        }
    }
}

fn percentiles(times: &Histogram) -> String {
    if times.count() == 0 {
        return "-".to_owned();
    }
    let ms = |permille| times.permille(permille) as f64 / 1000.0;
    format!(
        "p50 {:.2} ms, p90 {:.2} ms, p99 {:.2} ms",
        ms(500),
        ms(900),
        ms(990)
    )
}

fn sparkline(values: &[u64]) -> String {
    let top = values.iter().copied().max().unwrap_or(0).max(1);
    values
        .iter()
        .map(|value| BARS[((value * 7).div_ceil(top) as usize).min(7)])
        .collect()
}

#[cfg(test)]
mod tests {
    use dtu_sim::fleet::Account;

    use super::*;

    fn look(screen: &mut Screen, at: u64, sent: u64) -> Option<String> {
        let mut account = Account {
            sent,
            answered: sent,
            started: 7,
            connected: 6,
            ..Account::default()
        };
        account.round_trip.add(1500);
        screen.line(&Now {
            at,
            round_trips: &account.round_trip.clone(),
            account: &account,
            count: 9,
            draining: false,
            target: ([127, 0, 0, 1], 9000).into(),
        })
    }

    #[test]
    fn a_terminal_sees_rates_percentiles_and_a_sparkline() {
        let mut screen = Screen::new(false, true);
        look(&mut screen, 1_000_000, 100).unwrap();
        let text = look(&mut screen, 2_000_000, 150).unwrap();
        for wanted in [
            "7 of 9 on, 6 connected",
            "50 sent, 50 answered  █▅",
            "round trip  p50 1.50 ms",
        ] {
            assert!(text.contains(wanted), "{text}");
        }
        assert_eq!(text.lines().count(), 7);
    }

    #[test]
    fn a_file_gets_a_line_now_and_then() {
        let mut screen = Screen::new(false, false);
        let lines: Vec<_> = (1..=10)
            .filter_map(|second| look(&mut screen, second * 1_000_000, second * 10))
            .collect();
        assert_eq!(lines.len(), 2);
        assert!(
            lines[1].starts_with(
                "10 s: 7 of 9 on, 6 connected, 0 registered; 10 sent/s, 10 answered/s"
            ),
            "{}",
            lines[1]
        );
    }

    #[test]
    fn bars_reach_from_nothing_to_the_highest() {
        assert_eq!(sparkline(&[0, 1, 50, 100]), "▁▂▅█");
    }
}
