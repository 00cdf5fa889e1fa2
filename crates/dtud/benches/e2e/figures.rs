//! What was measured, and the table.

use crate::peer::Peer;

/// Every figure, in the order in which it was first recorded.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    name: String,
    /// Round, who, how much.
    values: Vec<(usize, Peer, f64)>,
}

impl Figures {
    pub(crate) fn record(&mut self, name: &str, round: usize, peer: Peer, value: f64) {
        let at = self
            .rows
            .iter()
            .position(|row| row.name == name)
            .unwrap_or_else(|| {
                self.rows.push(Row {
                    name: name.to_owned(),
                    values: Vec::new(),
                });
                self.rows.len() - 1
            });
        self.rows[at].values.push((round, peer, value));
    }

    /// Medians, and ratios inside a round as `median (min..max)`. `=`: no difference is shown, the range holds 1.
    ///
    /// Who was not measured has no column.
    pub(crate) fn table(&self) -> String {
        let measured = |peer: &Peer| self.rows.iter().any(|row| row.of(*peer).next().is_some());
        let columns: Vec<Peer> = COLUMNS.into_iter().filter(measured).collect();
        let ratios: Vec<Peer> = RATIOS.into_iter().filter(measured).collect();
        let names = columns.iter().map(|peer| name(*peer).to_owned());
        let against = ratios.iter().map(|peer| format!("dtud/{}", name(*peer)));
        let head: Vec<String> = std::iter::once("figure".to_owned())
            .chain(names)
            .chain(against)
            .collect();
        let mut text = line(&head) + &"|---".repeat(head.len()) + "|\n";
        for row in &self.rows {
            let medians = columns.iter().map(|peer| row.median(*peer));
            let ratios = ratios.iter().map(|peer| row.ratio(*peer));
            let cells: Vec<String> = std::iter::once(row.name.clone())
                .chain(medians)
                .chain(ratios)
                .collect();
            text += &line(&cells);
        }
        text
    }
}

const COLUMNS: [Peer; 6] = [
    Peer::Ours,
    Peer::Console,
    Peer::Old,
    Peer::Socat,
    Peer::Bare,
    Peer::Ser2net,
];
const RATIOS: [Peer; 5] = [
    Peer::Console,
    Peer::Old,
    Peer::Socat,
    Peer::Bare,
    Peer::Ser2net,
];

fn line(cells: &[String]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

fn name(peer: Peer) -> &'static str {
    match peer {
        Peer::Ours => "dtud",
        Peer::Console => "with console",
        Peer::Old => "old dtud",
        Peer::Socat => "socat",
        Peer::Bare => "bare loop",
        Peer::Ser2net => "ser2net",
    }
}

impl Row {
    fn of(&self, peer: Peer) -> impl Iterator<Item = (usize, f64)> {
        self.values
            .iter()
            .filter(move |(_, who, _)| *who == peer)
            .map(|&(round, _, value)| (round, value))
    }

    fn median(&self, peer: Peer) -> String {
        median(self.of(peer).map(|(_, value)| value).collect()).map_or_else(String::new, short)
    }

    fn ratio(&self, peer: Peer) -> String {
        let in_round = |round| self.of(peer).find(move |(other, _)| *other == round);
        let ratios: Vec<f64> = self
            .of(Peer::Ours)
            .filter_map(|(round, ours)| in_round(round).map(|(_, theirs)| ours / theirs))
            .filter(|ratio| ratio.is_finite())
            .collect();
        let (Some(min), Some(max)) = (
            ratios.iter().copied().reduce(f64::min),
            ratios.iter().copied().reduce(f64::max),
        ) else {
            return String::new();
        };
        let shown = if min <= 1.0 && max >= 1.0 { " =" } else { "" };
        let median = median(ratios).unwrap_or(f64::NAN);
        format!("{median:.2} ({min:.2}..{max:.2}){shown}")
    }
}

/// The middle, or the mean of the two in the middle.
pub(crate) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    Some(f64::midpoint(values[last / 2], values[last.div_ceil(2)]))
}

/// Three digits that count.
fn short(value: f64) -> String {
    let digits = if value.abs() >= 100.0 || value.fract() == 0.0 {
        0
    } else if value.abs() >= 10.0 {
        1
    } else {
        2
    };
    format!("{value:.digits$}")
}
