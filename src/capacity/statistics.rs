//! What repetitions of a measurement say, and when they say nothing.
//!
//! Times vary by factors (another program, a slower clock), so intervals are those of Student's
//! distribution over the logarithms, at 95 %.

use crate::error::{Error, Result};
use serde::Serialize;

/// A relative half width beyond which repetitions allow no conclusion.
pub const TOO_NOISY: f64 = 0.10;

/// The middle value; between the two middle ones of an even number. None of nothing.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        length if length % 2 == 1 => Some(sorted[middle]),
        _ => Some((sorted[middle - 1] + sorted[middle]) / 2.0),
    }
}

/// What the repetitions of one measurement say.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Summary {
    /// How many there are.
    pub repetitions: u64,
    /// The middle one.
    pub median: f64,
    /// Low end of the 95 % interval; absent with one repetition.
    pub low: Option<f64>,
    /// High end of the interval.
    pub high: Option<f64>,
}

impl Summary {
    /// Of values above zero; none of nothing.
    pub fn of(values: &[f64]) -> Option<Self> {
        let median = median(values)?;
        let interval = log_interval(values);
        Some(Self {
            repetitions: values.len() as u64,
            median,
            // Of skewed values the median may lie outside of the interval of the mean.
            low: interval.map(|(low, _)| low.min(median)),
            high: interval.map(|(_, high)| high.max(median)),
        })
    }

    /// Half of the interval's width, as a part of the median.
    pub fn relative_half_width(&self) -> Option<f64> {
        Some((self.high? - self.low?) / 2.0 / self.median)
    }

    /// Why nothing can be concluded from the repetitions; none where something can. `threshold`
    /// is the largest relative half width that is accepted, such as [`TOO_NOISY`].
    pub fn doubt(&self, threshold: f64) -> Option<String> {
        match self.relative_half_width() {
            None => Some("one repetition says nothing about its error".to_owned()),
            Some(width) if width > threshold => Some(format!(
                "too noisy to conclude: ±{:.0} %, more than the ±{:.0} % that are accepted",
                width * 100.0,
                threshold * 100.0
            )),
            Some(_) => None,
        }
    }
}

/// Which of two is faster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The second takes less.
    Less,
    /// The second takes more.
    More,
    /// The interval of the ratio includes 1.
    NoDifference,
    /// Fewer than two pairs.
    TooFewPairs,
}

/// Two measured in turn, A B A B, so that what disturbs one disturbs the other.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Comparison {
    /// Pairs.
    pub pairs: u64,
    /// Median of B over A of each pair: below 1 where B takes less.
    pub ratio: f64,
    /// Low end of the 95 % interval of the ratio; absent with one pair.
    pub low: Option<f64>,
    /// High end of the interval.
    pub high: Option<f64>,
    /// What can be told.
    pub verdict: Verdict,
}

/// Compares B with A, the repetition of each number with that of the other.
///
/// Fails where there are not as many of one as of the other, none, or one that is not above zero.
pub fn compare(a: &[f64], b: &[f64]) -> Result<Comparison> {
    let is_wrong = |value: &f64| !(value.is_finite() && *value > 0.0);
    if a.len() != b.len() || a.is_empty() || a.iter().chain(b).any(is_wrong) {
        return Err(Error::Internal(format!(
            "compared {} repetitions with {}, of which each has to be above zero",
            a.len(),
            b.len()
        )));
    }
    let ratios: Vec<f64> = a.iter().zip(b).map(|(a, b)| b / a).collect();
    let Some(summary) = Summary::of(&ratios) else {
        return Err(Error::Internal("compared nothing".into()));
    };
    let verdict = match (summary.low, summary.high) {
        (Some(_), Some(high)) if high < 1.0 => Verdict::Less,
        (Some(low), Some(_)) if low > 1.0 => Verdict::More,
        (Some(_), Some(_)) => Verdict::NoDifference,
        _ => Verdict::TooFewPairs,
    };
    Ok(Comparison {
        pairs: summary.repetitions,
        ratio: summary.median,
        low: summary.low,
        high: summary.high,
        verdict,
    })
}

impl Comparison {
    /// In words: `1.52 times as fast (1.41 to 1.64)`.
    pub fn words(&self) -> String {
        let between = |low: Option<f64>, high: Option<f64>| match (low, high) {
            (Some(low), Some(high)) => format!(" ({low:.2} to {high:.2})"),
            _ => String::new(),
        };
        match self.verdict {
            Verdict::Less => format!(
                "{:.2} times as fast{}",
                1.0 / self.ratio,
                between(self.high.map(f64::recip), self.low.map(f64::recip))
            ),
            Verdict::More => format!("{:.2} times as long{}", self.ratio, between(self.low, self.high)),
            Verdict::NoDifference => format!(
                "no difference can be told: {:.2} times as long{}",
                self.ratio,
                between(self.low, self.high)
            ),
            Verdict::TooFewPairs => format!("{:.2} times as long, in one pair, which proves nothing", self.ratio),
        }
    }
}

/// The 95 % interval of the geometric mean; none of fewer than two values or of one that has no
/// logarithm.
fn log_interval(values: &[f64]) -> Option<(f64, f64)> {
    if values.len() < 2 || values.iter().any(|value| *value <= 0.0) {
        return None;
    }
    let number = values.len() as f64;
    let logs: Vec<f64> = values.iter().map(|value| value.ln()).collect();
    let mean = logs.iter().sum::<f64>() / number;
    let variance = logs.iter().map(|log| (log - mean).powi(2)).sum::<f64>() / (number - 1.0);
    let half = student(values.len() - 1) * (variance / number).sqrt();
    Some(((mean - half).exp(), (mean + half).exp()))
}

/// The 97.5 % quantile of Student's distribution.
pub(super) fn student(freedom: usize) -> f64 {
    const QUANTILES: [f64; 10] = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228];
    match freedom {
        0 => f64::INFINITY,
        1..=10 => QUANTILES[freedom - 1],
        // Within half a percent.
        _ => 1.96 + 2.5 / freedom as f64 + 1.6 / (freedom as f64).powi(2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0]), Some(3.0));
        assert_eq!(median(&[9.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 9.0]), Some(3.0));
    }

    #[test]
    fn quantiles_join_the_table() {
        for (freedom, expected) in [(1, 12.706), (10, 2.228), (11, 2.201), (20, 2.086), (60, 2.000)] {
            assert!((student(freedom) / expected - 1.0).abs() < 0.005, "{freedom}");
        }
    }

    #[test]
    fn an_interval_is_students() {
        // ln: -0.1, 0, 0.1; standard error 0.1 / sqrt 3, times 4.303.
        let values = [(-0.1_f64).exp(), 1.0, 0.1_f64.exp()];
        let summary = Summary::of(&values).unwrap();
        let half = 4.303 * 0.1 / 3.0_f64.sqrt();
        assert!((summary.low.unwrap() - (-half).exp()).abs() < 1e-9);
        assert!((summary.high.unwrap() - half.exp()).abs() < 1e-9);
        assert_eq!(summary.median, 1.0);
    }

    #[test]
    fn noise_allows_no_conclusion() {
        let quiet = Summary::of(&[1.00, 1.01, 0.99, 1.00]).unwrap();
        assert_eq!(quiet.doubt(TOO_NOISY), None);
        let noisy = Summary::of(&[1.0, 1.6, 0.8, 1.1]).unwrap();
        assert!(noisy.doubt(TOO_NOISY).unwrap().starts_with("too noisy to conclude: ±"));
        let once = Summary::of(&[1.0]).unwrap();
        assert!(once.doubt(TOO_NOISY).unwrap().contains("one repetition"));
    }

    #[test]
    fn pairs_take_out_what_disturbs_both() {
        // The machine becomes three times slower; B takes 80 % of A all the time.
        let a = [1.00, 1.50, 2.10, 3.00];
        let b = [0.81, 1.19, 1.68, 2.40];
        let compared = compare(&a, &b).unwrap();
        assert_eq!(compared.verdict, Verdict::Less);
        assert!((compared.ratio - 0.80).abs() < 0.01);
        assert_eq!(compared.words(), "1.25 times as fast (1.23 to 1.27)");
        assert_eq!(compare(&b, &a).unwrap().verdict, Verdict::More);
    }

    #[test]
    fn what_cannot_be_told_is_not() {
        let compared = compare(&[1.0, 1.1, 0.9, 1.0], &[1.05, 0.95, 1.0, 1.1]).unwrap();
        assert_eq!(compared.verdict, Verdict::NoDifference);
        let turned = compare(&[1.05, 0.95, 1.0, 1.1], &[1.0, 1.1, 0.9, 1.0]).unwrap();
        assert_eq!(turned.verdict, Verdict::NoDifference);
        assert!(compared.words().starts_with("no difference can be told: "));
        assert_eq!(compare(&[1.0], &[0.1]).unwrap().verdict, Verdict::TooFewPairs);
        assert!(compare(&[1.0], &[]).is_err());
        assert!(compare(&[], &[]).is_err());
        assert!(compare(&[0.0], &[1.0]).is_err());
    }
}
