//! One line of the table.

use crate::program::Figure;

/// What a limit is a limit of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Target {
    /// Ours divided by the peer that it is judged by is at most this.
    Ratio(f64),
    /// Ours itself is at most this.
    Absolute(f64),
    /// Stated, not judged.
    None,
}

/// One line of the table.
#[derive(Clone, Debug)]
pub struct Row {
    /// Stable: the row's id in the design, then its variant.
    pub id: String,
    /// The median of ours.
    pub ours: f64,
    /// Of what.
    pub unit: String,
    /// The medians of what stands beside it.
    pub beside: Vec<(String, f64)>,
    /// The median of the ratios of samples that were taken together.
    pub ratio: Option<f64>,
    /// The limit.
    pub target: Target,
}

impl Row {
    /// A row of a figure, judged by one of its peers.
    pub fn judged(id: String, figure: &Figure, peer: &str, target: Target) -> Row {
        let ratio = figure
            .beside
            .get(peer)
            .map(|samples| median_ratio(&figure.ours, samples));
        Row {
            ratio,
            ..Row::stated(id, figure, target)
        }
    }

    /// A row of a figure that has no ratio.
    pub fn stated(id: String, figure: &Figure, target: Target) -> Row {
        Row {
            id,
            ours: median(&figure.ours),
            unit: figure.unit.clone(),
            beside: figure
                .beside
                .iter()
                .map(|(peer, samples)| (peer.clone(), median(samples)))
                .collect(),
            ratio: None,
            target,
        }
    }

    /// The same with one more number beside it.
    pub fn beside(mut self, name: &str, number: f64) -> Row {
        self.beside.push((name.into(), number));
        self
    }

    /// The limit as a number.
    pub fn limit(&self) -> Option<f64> {
        match self.target {
            Target::Ratio(limit) | Target::Absolute(limit) => Some(limit),
            Target::None => None,
        }
    }

    /// Whether the limit is kept; none if there is no limit.
    pub fn met(&self) -> Option<bool> {
        match self.target {
            Target::Ratio(limit) => Some(self.ratio.is_some_and(|ratio| ratio <= limit)),
            Target::Absolute(limit) => Some(self.ours <= limit),
            Target::None => None,
        }
    }
}

/// The median; of no samples, NaN.
pub fn median(samples: &[f64]) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        length if length % 2 == 1 => sorted[length / 2],
        length => (sorted[length / 2 - 1] + sorted[length / 2]) / 2.0,
    }
}

/// The median of the ratios of samples with the same index.
pub fn median_ratio(ours: &[f64], peer: &[f64]) -> f64 {
    let ratios: Vec<f64> = ours
        .iter()
        .zip(peer)
        .map(|(ours, peer)| ours / peer)
        .collect();
    median(&ratios)
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

    #[test]
    fn a_ratio_is_the_median_of_ratios_and_not_the_ratio_of_medians() {
        // The machine was slow in the first of three rounds, for both.
        let figure = figure(&[100.0, 10.0, 12.0], &[50.0, 10.0, 10.0]);
        let row = Row::judged("row".into(), &figure, "peer", Target::Ratio(1.25));
        assert_eq!(row.ratio, Some(1.2));
        assert_eq!(row.met(), Some(true));
    }

    #[test]
    fn a_ratio_that_is_missing_or_not_a_number_misses_its_limit() {
        let figure = figure(&[], &[]);
        let nothing = Row::judged("row".into(), &figure, "peer", Target::Ratio(1.25));
        assert_eq!(nothing.met(), Some(false));
        let missing = Row::judged("row".into(), &figure, "other", Target::Ratio(1.25));
        assert_eq!(missing.met(), Some(false));
    }

    #[test]
    fn an_absolute_limit_looks_at_ours_alone() {
        let row = Row::stated("row".into(), &figure(&[8.0], &[1.0]), Target::Absolute(8.1));
        assert_eq!(row.met(), Some(true));
        let row = Row::stated("row".into(), &figure(&[8.2], &[9.0]), Target::Absolute(8.1));
        assert_eq!(row.met(), Some(false));
    }
}
