//! A sum of costs, fitted on what was measured: so much for starting, so much for each event, each
//! byte, file, request and distinct term.
//!
//! Errors are relative, so that a size of a second counts nearly as much as one of an hour. Costs
//! are not negative. Most quantities grow with the events, and then nobody can tell what is due to
//! which of them: a cost beside those of starting and of events is only kept where it makes the fit
//! better on sizes that it has not seen.

use super::least_squares::{dot, solve};
use super::statistics::median;
use serde::Serialize;
use std::collections::BTreeMap;

/// What a cost is per.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Driver {
    /// Each time, whatever there is to do.
    Fixed,
    /// Each event, however many threads there are.
    Event,
    /// Each event, divided among the threads.
    EventByThreads,
    /// Each thread.
    Thread,
    /// Each byte read.
    Byte,
    /// Each file.
    File,
    /// Each row group.
    RowGroup,
    /// Each request.
    Request,
    /// Each row that passed the conditions.
    Row,
    /// Each distinct term.
    Term,
    /// Each day.
    Day,
}

impl Driver {
    /// Those that are only known where they were counted.
    pub(super) const COUNTED: [Self; 7] = [
        Self::Term,
        Self::File,
        Self::Request,
        Self::Day,
        Self::Byte,
        Self::RowGroup,
        Self::Row,
    ];

    /// In words: `per event`.
    pub fn words(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::Event => "per event",
            Self::EventByThreads => "per event, shared by threads",
            Self::Thread => "per thread",
            Self::Byte => "per byte",
            Self::File => "per file",
            Self::RowGroup => "per row group",
            Self::Request => "per request",
            Self::Row => "per row",
            Self::Term => "per distinct term",
            Self::Day => "per day",
        }
    }
}

/// How much there is to do.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Load {
    pub(super) events: f64,
    pub(super) threads: f64,
    /// What was counted beside them.
    pub(super) counted: BTreeMap<Driver, f64>,
}

impl Load {
    fn of(&self, driver: Driver) -> Option<f64> {
        match driver {
            Driver::Fixed => Some(1.0),
            Driver::Event => Some(self.events),
            Driver::EventByThreads => Some(self.events / self.threads),
            Driver::Thread => Some(self.threads),
            counted => self.counted.get(&counted).copied(),
        }
    }

    fn row(&self, drivers: &[Driver]) -> Vec<f64> {
        drivers
            .iter()
            .map(|driver| self.of(*driver).unwrap_or_default())
            .collect()
    }
}

/// A load, and what it took.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sample {
    pub(super) load: Load,
    /// Seconds, bytes, ...; above zero.
    pub(super) value: f64,
    /// Relative half width of the interval of its repetitions, where there are several.
    pub(super) noise: Option<f64>,
}

/// A cost.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Cost {
    /// What it is per.
    pub per: Driver,
    /// How much, in the unit of what was fitted.
    pub amount: f64,
}

/// How far the fit is from what was measured, relative to that: 0.1 is 10 %.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct FitErrors {
    /// The middle one, over what it was fitted on.
    pub median: f64,
    /// The largest one, over what it was fitted on.
    pub max: f64,
    /// The middle one, over sizes that were left out one by one; absent below three sizes.
    pub left_out_median: Option<f64>,
    /// The largest one over such sizes.
    pub left_out_max: Option<f64>,
    /// That of the largest size, predicted from the smaller ones.
    pub largest_left_out: Option<f64>,
}

/// A prediction with the interval in which it is expected to lie.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// Expected.
    pub value: f64,
    /// Low end.
    pub low: f64,
    /// High end.
    pub high: f64,
}

impl Estimate {
    /// Multiplied.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        Self {
            value: self.value * factor,
            low: self.low * factor,
            high: self.high * factor,
        }
    }

    /// Added, as if both erred in the same direction.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            value: self.value + other.value,
            low: self.low + other.low,
            high: self.high + other.high,
        }
    }
}

/// Costs with their errors.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Fit {
    /// Those that are not zero.
    pub costs: Vec<Cost>,
    /// How far it is from what was measured.
    pub errors: FitErrors,
    #[serde(skip)]
    drivers: Vec<Driver>,
    #[serde(skip)]
    amounts: Vec<f64>,
    /// The fits without one size each.
    #[serde(skip)]
    without: Vec<Without>,
    /// The two largest sizes.
    #[serde(skip)]
    largest: (f64, f64),
    /// The half width that remains where all else agrees.
    #[serde(skip)]
    noise: f64,
}

/// A fit without one size, and how far what was measured there is from it, relative to it.
#[derive(Debug, Clone, PartialEq)]
struct Without {
    amounts: Vec<f64>,
    worst: f64,
    /// In the middle, with its sign.
    drift: f64,
}

/// A further cost has to make the error on unseen sizes so many times smaller.
const BETTER: f64 = 0.8;

/// Below this error on unseen sizes nothing further is tried.
const GOOD: f64 = 0.03;

/// What follows another quantity as closely as this says nothing that the other does not.
const FOLLOWS: f64 = 0.03;

/// Fits the costs of `base`, and those of `offered` that prove useful. None where there are
/// fewer than two sizes, or nothing above zero.
pub(super) fn fit(samples: &[Sample], base: &[Driver], offered: &[Driver]) -> Option<Fit> {
    if sizes(samples).len() < 2 || samples.iter().any(|sample| sample.value <= 0.0) {
        return None;
    }
    let mut drivers = base.to_vec();
    let mut error = unseen(samples, &drivers);
    while error > GOOD {
        let candidates = offered.iter().filter(|driver| {
            !drivers.contains(driver)
                && samples.len() > drivers.len() + 2
                && samples.iter().all(|sample| sample.load.of(**driver).is_some())
                && !follows(samples, base, **driver)
        });
        let tried = candidates.map(|driver| {
            let more: Vec<Driver> = drivers.iter().copied().chain([*driver]).collect();
            (unseen(samples, &more), more)
        });
        let best = tried.min_by(|a, b| a.0.total_cmp(&b.0));
        match best {
            Some((less, more)) if less < error * BETTER => (error, drivers) = (less, more),
            _ => break,
        }
    }
    Some(finished(samples, drivers))
}

fn finished(samples: &[Sample], drivers: Vec<Driver>) -> Fit {
    let amounts = amounts(samples, &drivers);
    let errors: Vec<f64> = samples
        .iter()
        .map(|sample| distance(sample, &drivers, &amounts))
        .collect();
    let mut without = Vec::new();
    let mut left_out = Vec::new();
    let mut largest_left_out = None;
    for size in sizes(samples) {
        let (out, rest) = split(samples, size);
        let fitted = self::amounts(&rest, &drivers);
        let errors: Vec<f64> = out.iter().map(|sample| distance(sample, &drivers, &fitted)).collect();
        // Sizes ascend: the last is the largest.
        largest_left_out = Some(errors.iter().copied().fold(0.0, f64::max));
        left_out.extend(errors);
        let surpluses: Vec<f64> = out.iter().map(|sample| surplus(sample, &drivers, &fitted)).collect();
        without.push(Without {
            worst: surpluses.iter().fold(0.0, |worst, surplus| surplus.abs().max(worst)),
            drift: median(&surpluses).unwrap_or_default(),
            amounts: fitted,
        });
    }
    let enough = without.len() >= 3;
    let noises: Vec<f64> = samples.iter().filter_map(|sample| sample.noise).collect();
    let costs = drivers.iter().zip(&amounts).filter(|(_, amount)| **amount > 0.0);
    Fit {
        costs: costs
            .map(|(per, amount)| Cost {
                per: *per,
                amount: *amount,
            })
            .collect(),
        errors: FitErrors {
            median: median(&errors).unwrap_or_default(),
            max: errors.iter().copied().fold(0.0, f64::max),
            left_out_median: median(&left_out).filter(|_| enough),
            left_out_max: Some(left_out.iter().copied().fold(0.0, f64::max)).filter(|_| enough),
            largest_left_out: largest_left_out.filter(|_| enough),
        },
        drivers,
        amounts,
        without,
        largest: largest(samples),
        noise: median(&noises).unwrap_or_default(),
    }
}

impl Fit {
    /// What a load takes. The interval spans what the fits without one size each say, each wider
    /// by its error at that size: where these disagree, as they do far from what was measured,
    /// it is wide. Beyond the largest size, what that took more (or less) than the smaller ones
    /// let expect goes on, once for each step as large as that to the largest size.
    pub(super) fn predict(&self, load: &Load) -> Estimate {
        let row = load.row(&self.drivers);
        let value = dot(&row, &self.amounts);
        let around = self.noise.max(self.errors.median);
        let (mut low, mut high) = (value * (1.0 - around), value * (1.0 + around));
        for Without { amounts, worst, .. } in &self.without {
            let said = dot(&row, amounts);
            low = low.min(said * (1.0 - worst));
            high = high.max(said * (1.0 + worst));
        }
        let (largest, second) = self.largest;
        let steps = (load.events / largest).ln() / (largest / second).ln();
        if let Some(last) = self.without.last()
            && steps > 0.0
            && self.without.len() > 2
        {
            let drifted = value * (1.0 + last.drift).powf(steps);
            low = low.min(drifted);
            high = high.max(drifted);
        }
        Estimate {
            value,
            low: low.max(0.0),
            high,
        }
    }

    /// What is counted beside events and threads.
    pub(super) fn counted(&self) -> impl Iterator<Item = Driver> + '_ {
        let counted = |cost: &Cost| Driver::COUNTED.contains(&cost.per).then_some(cost.per);
        self.costs.iter().filter_map(counted)
    }

    /// The cost per this.
    pub fn cost(&self, per: Driver) -> f64 {
        let found = self.costs.iter().find(|cost| cost.per == per);
        found.map_or(0.0, |cost| cost.amount)
    }
}

/// Numbers of events, ascending, each once.
pub(super) fn sizes(samples: &[Sample]) -> Vec<f64> {
    let mut sizes: Vec<f64> = samples.iter().map(|sample| sample.load.events).collect();
    sizes.sort_by(f64::total_cmp);
    sizes.dedup();
    sizes
}

/// The largest size and the one before it.
fn largest(samples: &[Sample]) -> (f64, f64) {
    match sizes(samples).as_slice() {
        [.., second, largest] => (*largest, *second),
        _ => (1.0, 1.0),
    }
}

fn split(samples: &[Sample], size: f64) -> (Vec<Sample>, Vec<Sample>) {
    samples.iter().cloned().partition(|sample| sample.load.events == size)
}

/// How much more the relative error of a size counts than that of a smaller one: so many times as
/// much as it has more events, to this power. What is asked is mostly about sizes beyond the largest,
/// where an error at the largest goes on.
const LARGER: f64 = 0.3;

/// Amounts that make the relative errors small. One size cannot tell what is due to starting:
/// there everything is due to the events.
fn amounts(samples: &[Sample], drivers: &[Driver]) -> Vec<f64> {
    let is_single = sizes(samples).len() == 1;
    let weight = |sample: &Sample| sample.load.events.max(1.0).powf(LARGER);
    let row = |sample: &Sample| {
        let mut row = sample.load.row(drivers);
        row.iter_mut().zip(drivers).for_each(|(value, driver)| {
            let is_left_out = is_single && !matches!(driver, Driver::Event | Driver::EventByThreads);
            *value *= if is_left_out {
                0.0
            } else {
                weight(sample) / sample.value
            };
        });
        row
    };
    let rows: Vec<Vec<f64>> = samples.iter().map(row).collect();
    let wanted: Vec<f64> = samples.iter().map(weight).collect();
    solve(&rows, &wanted)
}

/// Of what is predicted, relative to what was measured.
fn distance(sample: &Sample, drivers: &[Driver], amounts: &[f64]) -> f64 {
    (dot(&sample.load.row(drivers), amounts) / sample.value - 1.0).abs()
}

/// Of what was measured, relative to what is predicted: 1.0 for what took twice as long.
fn surplus(sample: &Sample, drivers: &[Driver], amounts: &[f64]) -> f64 {
    let predicted = dot(&sample.load.row(drivers), amounts);
    if predicted > 0.0 {
        sample.value / predicted - 1.0
    } else {
        1.0
    }
}

/// Root of the mean squared error over sizes that are left out one by one. Too few sizes to
/// leave one out are no reason for anything further.
fn unseen(samples: &[Sample], drivers: &[Driver]) -> f64 {
    let sizes = sizes(samples);
    if sizes.len() < 3 {
        return 0.0;
    }
    let mut errors = Vec::new();
    for size in sizes {
        let (out, rest) = split(samples, size);
        let fitted = amounts(&rest, drivers);
        errors.extend(out.iter().map(|sample| distance(sample, drivers, &fitted).powi(2)));
    }
    (errors.iter().sum::<f64>() / errors.len() as f64).sqrt()
}

/// Whether a quantity is what the events (and threads) say anyway.
fn follows(samples: &[Sample], base: &[Driver], driver: Driver) -> bool {
    let values: Option<Vec<Sample>> = samples
        .iter()
        .map(|sample| {
            let value = sample.load.of(driver).filter(|value| *value > 0.0)?;
            Some(Sample {
                value,
                ..sample.clone()
            })
        })
        .collect();
    // What is nothing somewhere costs nothing there, which is something to go by, unless it is
    // nothing everywhere.
    let Some(values) = values else {
        return samples
            .iter()
            .all(|sample| sample.load.of(driver).unwrap_or_default() == 0.0);
    };
    let amounts = amounts(&values, base);
    values.iter().all(|sample| distance(sample, base, &amounts) < FOLLOWS)
}
