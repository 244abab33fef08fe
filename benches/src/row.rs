//! One line of the table.

use crate::program::Figure;

/// What a limit is a limit of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Target {
    /// The ratio is at most this.
    Ratio(f64),
    /// Ours itself is at most this.
    Ours(f64),
    /// Stated, not judged.
    None,
}

/// One line of the table.
#[derive(Clone, Debug)]
pub struct Row {
    /// Stable: the row's id in the design, then its variant.
    pub id: String,
    /// The median of ours; none if it could not be measured.
    pub ours: Option<f64>,
    /// Of what.
    pub unit: String,
    /// What stands beside it: medians of peers, and other numbers.
    pub beside: Vec<(String, f64)>,
    /// The median of the ratios of samples that were taken together.
    pub ratio: Option<f64>,
    /// The limit.
    pub target: Target,
}

impl Row {
    /// A row of a figure and its peers, without a limit.
    pub fn new(id: String, figure: &Figure) -> Row {
        let row = Row {
            id,
            ours: median(&figure.ours),
            unit: figure.unit.clone(),
            beside: Vec::new(),
            ratio: None,
            target: Target::None,
        };
        figure.beside.iter().fold(row, |row, (peer, samples)| {
            row.beside(peer, median(samples))
        })
    }

    /// A row of one number, without a limit.
    pub fn of_number(id: String, number: f64, unit: &str) -> Row {
        let figure = Figure {
            unit: unit.into(),
            ours: vec![number],
            ..Figure::default()
        };
        Row::new(id, &figure)
    }

    /// The goal that it belongs to: its id in the design.
    pub fn goal(&self) -> &str {
        self.id.split('/').next().unwrap_or_default()
    }

    /// What stands for a whole goal that could not be measured.
    pub fn missing(id: &str) -> Row {
        Row::new(id.into(), &Figure::default()).at_most(0.0)
    }

    /// Divided by one of its peers, it is to be at most `limit`.
    pub fn at_most_times(self, figure: &Figure, peer: &str, limit: f64) -> Row {
        let samples = figure.beside.get(peer);
        Row {
            ratio: samples.and_then(|samples| median_ratio(&figure.ours, samples)),
            target: Target::Ratio(limit),
            ..self
        }
    }

    /// It is to be at most `limit`.
    pub fn at_most(self, limit: f64) -> Row {
        Row {
            target: Target::Ours(limit),
            ..self
        }
    }

    /// The same with one more number beside it, if there is one.
    pub fn beside(mut self, name: &str, number: Option<f64>) -> Row {
        if let Some(number) = number {
            self.beside.push((name.into(), number));
        }
        self
    }

    /// The limit as a number: of the ratio if there is one, else of ours.
    pub fn limit(&self) -> Option<f64> {
        match self.target {
            Target::Ratio(limit) | Target::Ours(limit) => Some(limit),
            Target::None => None,
        }
    }

    /// Whether the limit is kept; what was not measured does not keep it. None if there is no limit.
    pub fn met(&self) -> Option<bool> {
        match self.target {
            Target::Ratio(limit) => Some(self.ratio.is_some_and(|ratio| ratio <= limit)),
            Target::Ours(limit) => Some(self.ours.is_some_and(|ours| ours <= limit)),
            Target::None => None,
        }
    }
}

/// The median of some samples.
pub fn median(samples: &[f64]) -> Option<f64> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => None,
        length if length % 2 == 1 => Some(sorted[length / 2]),
        length => Some((sorted[length / 2 - 1] + sorted[length / 2]) / 2.0),
    }
}

/// The largest of some samples.
pub fn largest(samples: &[f64]) -> Option<f64> {
    samples.iter().copied().max_by(f64::total_cmp)
}

/// The median of the ratios of samples with the same index.
fn median_ratio(ours: &[f64], peer: &[f64]) -> Option<f64> {
    let ratios: Vec<f64> = ours
        .iter()
        .zip(peer)
        .map(|(ours, peer)| ours / peer)
        .collect();
    median(&ratios).filter(|ratio| ratio.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(ours: &[f64], peer: &[f64]) -> Figure {
        Figure {
            unit: "ns".into(),
            ours: ours.into(),
            beside: [("peer".to_string(), peer.to_vec())].into(),
        }
    }

    fn judged(figure: &Figure, peer: &str) -> Row {
        Row::new("row".into(), figure).at_most_times(figure, peer, 1.25)
    }

    #[test]
    fn a_ratio_is_the_median_of_ratios_and_not_the_ratio_of_medians() {
        // The machine was slow in the first of three rounds, for both.
        let row = judged(&figure(&[100.0, 10.0, 12.0], &[50.0, 10.0, 10.0]), "peer");
        assert_eq!(row.ratio, Some(1.2));
        assert_eq!(row.met(), Some(true));
    }

    #[test]
    fn what_was_not_measured_misses_its_limit() {
        assert_eq!(judged(&figure(&[], &[]), "peer").met(), Some(false));
        assert_eq!(judged(&figure(&[1.0], &[1.0]), "other").met(), Some(false));
        assert_eq!(judged(&figure(&[0.0], &[0.0]), "peer").met(), Some(false));
        let nothing = Row::new("row".into(), &figure(&[], &[])).at_most(5.0);
        assert_eq!(nothing.ours, None);
        assert_eq!(nothing.met(), Some(false));
        assert_eq!(Row::missing("row").met(), Some(false));
    }

    #[test]
    fn a_limit_of_ours_looks_at_ours_alone() {
        let row = |ours, peer| Row::new("row".into(), &figure(&[ours], &[peer])).at_most(8.1);
        assert_eq!(row(8.0, 1.0).met(), Some(true));
        assert_eq!(row(8.2, 9.0).met(), Some(false));
    }

    #[test]
    fn a_row_without_a_limit_is_not_judged() {
        assert_eq!(Row::of_number("row".into(), 7.0, "ns").met(), None);
    }
}
