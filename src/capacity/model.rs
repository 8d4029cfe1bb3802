//! What each kind of work takes at any size, as far as it was measured.

use super::fit::{Driver, Estimate, Fit, Load, Sample, fit, sizes};
use super::measurement::{Measurement, Measurements, Quantities};
use super::statistics::{Summary, TOO_NOISY};
use super::work::{Cache, Phase, Work};
use serde::Serialize;
use std::collections::BTreeMap;

/// So many times the largest size are far from what was measured.
const FAR: f64 = 10.0;

/// Growth with a power of the events above this is steeper than the model's.
const STEEP: f64 = 1.08;

/// Everything that was measured, fitted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Model {
    /// One per work, store and cache that could be fitted.
    pub works: Vec<WorkModel>,
    /// What was measured and could not be fitted.
    pub unfitted: Vec<Unfitted>,
}

/// A work that could not be fitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unfitted {
    /// What.
    pub work: Work,
    /// Where.
    pub store: String,
    /// Why.
    pub reason: String,
}

/// What one kind of work takes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WorkModel {
    /// What.
    pub work: Work,
    /// Where the lake was.
    pub store: String,
    /// Whether its files were in memory.
    pub cache: Cache,
    /// Seconds.
    pub seconds: Fit,
    /// Bytes of memory.
    pub memory_bytes: Option<Fit>,
    /// Bytes read of data files (of log files, for an ingest).
    pub read_bytes: Option<Fit>,
    /// Bytes that a hunt has to read at most, as is known before.
    pub to_read_bytes: Option<Fit>,
    /// Requests of the store.
    pub put_requests: Option<Fit>,
    /// Requests of the store.
    pub get_requests: Option<Fit>,
    /// Requests of the store.
    pub list_requests: Option<Fit>,
    /// Events of the smallest size that it was fitted on.
    pub smallest_events: u64,
    /// Events of the largest size.
    pub largest_events: u64,
    /// Thread counts, ascending.
    pub threads: Vec<u32>,
    /// The power of the events with which the seconds grow, over all sizes, at most threads: 1
    /// is linear; less where starting takes a part.
    pub exponent: f64,
    /// Whether the repetitions are too noisy to conclude from.
    pub is_noisy: bool,
    /// The model held against sizes that it was not fitted on.
    pub validation: Vec<Validation>,
    /// What was measured, in the middle of the repetitions: (events, threads, seconds).
    #[serde(skip)]
    pub points: Vec<(u64, u32, f64)>,
    /// Counted quantities by events.
    #[serde(skip)]
    counted: BTreeMap<Driver, Fit>,
}

/// A prediction and what was measured.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Validation {
    /// Events.
    pub events: u64,
    /// Threads.
    pub threads: u32,
    /// What it took.
    pub measured_seconds: f64,
    /// What the model said.
    pub predicted_seconds: Estimate,
    /// How far that is, relative to what it took: 0.1 is 10 % too much.
    pub error: f64,
    /// Whether what it took lies in the interval.
    pub is_inside: bool,
}

/// A size and what to do it with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct At {
    /// Events, as [`Quantities::events`] counts them.
    pub events: f64,
    /// Threads.
    pub threads: u32,
    /// Days of the range, where known; else as many as the measured lakes suggest.
    pub days: Option<f64>,
    /// Files, likewise.
    pub files: Option<f64>,
}

impl At {
    /// So many events, all else as the measured lakes suggest.
    pub fn new(events: f64, threads: u32) -> Self {
        Self {
            events,
            threads,
            days: None,
            files: None,
        }
    }
}

impl Model {
    /// Fits all works. What is of another phase than fitting is held against the result.
    pub fn of(run: &Measurements) -> Self {
        let mut groups: BTreeMap<(&Work, &str, Cache), Vec<&Measurement>> = BTreeMap::new();
        for one in &run.measurements {
            groups
                .entry((&one.work, one.store.as_str(), one.cache))
                .or_default()
                .push(one);
        }
        let mut model = Self {
            works: Vec::new(),
            unfitted: Vec::new(),
        };
        for ((work, store, cache), measured) in groups {
            match WorkModel::of(work, store, cache, &measured) {
                Ok(fitted) => model.works.push(fitted),
                Err(reason) => model.unfitted.push(Unfitted {
                    work: work.clone(),
                    store: store.to_owned(),
                    reason,
                }),
            }
        }
        model
    }

    /// A work on a store; with warm files, where both were measured.
    pub fn work(&self, work: &Work, store: &str) -> Option<&WorkModel> {
        // Warm sorts before cold.
        self.works
            .iter()
            .find(|model| model.work == *work && model.store == store)
    }
}

impl WorkModel {
    fn of(work: &Work, store: &str, cache: Cache, measured: &[&Measurement]) -> Result<Self, String> {
        let (fitted, held): (Vec<&Measurement>, Vec<_>) = measured.iter().partition(|one| one.phase == Phase::Fit);
        let samples: Vec<Sample> = fitted.iter().filter_map(|one| seconds(one)).collect();
        let found = sizes(&samples);
        let (Some(smallest), Some(largest)) = (found.first(), found.last()) else {
            return Err("was measured only to validate".to_owned());
        };
        let mut threads: Vec<u32> = fitted.iter().map(|one| one.threads).collect();
        threads.sort_unstable();
        threads.dedup();
        let shared = [Driver::Fixed, Driver::Event, Driver::EventByThreads];
        let base = if threads.len() > 1 { &shared[..] } else { &shared[..2] };
        let Some(seconds_fit) = fit(&samples, base, &Driver::COUNTED) else {
            return Err("was measured at one size only, from which no other can be told".to_owned());
        };
        let by_events = |value: &dyn Fn(&Quantities) -> Option<u64>| {
            let sample = |one: &&Measurement| Some(plain(one, value(&one.quantities)?));
            quantity(fitted.iter().map(sample), &[Driver::Fixed, Driver::Event], &[])
        };
        let memory = |one: &&Measurement| Some(plain(one, one.peak_memory_bytes?));
        let by_threads = [Driver::Fixed, Driver::Event, Driver::Thread];
        let memory_base = if threads.len() > 1 {
            &by_threads[..]
        } else {
            &by_threads[..2]
        };
        let counted = Driver::COUNTED.into_iter().filter_map(|driver| {
            let of = by_events(&|quantities| count(work, quantities, driver))?;
            Some((driver, of))
        });
        let noises: Vec<f64> = samples.iter().filter_map(|sample| sample.noise).collect();
        let mut model = Self {
            work: work.clone(),
            store: store.to_owned(),
            cache,
            memory_bytes: quantity(fitted.iter().map(memory), memory_base, &[Driver::Term]),
            read_bytes: by_events(&|quantities| count(work, quantities, Driver::Byte)),
            to_read_bytes: by_events(&|quantities| quantities.bytes_to_read),
            put_requests: by_events(&|quantities| Some(quantities.requests?.put)),
            get_requests: by_events(&|quantities| Some(quantities.requests?.get)),
            list_requests: by_events(&|quantities| Some(quantities.requests?.list)),
            smallest_events: *smallest as u64,
            largest_events: *largest as u64,
            exponent: exponent(&samples, threads.last().copied().unwrap_or(1)),
            threads,
            is_noisy: super::statistics::median(&noises).is_none_or(|noise| noise > TOO_NOISY),
            validation: Vec::new(),
            points: samples
                .iter()
                .map(|sample| (sample.load.events as u64, sample.load.threads as u32, sample.value))
                .collect(),
            counted: counted.collect(),
            seconds: seconds_fit,
        };
        let validated = held.iter().filter_map(|one| model.validate(one));
        model.validation = validated.collect();
        Ok(model)
    }

    fn validate(&self, one: &Measurement) -> Option<Validation> {
        let sample = seconds(one)?;
        let predicted = self.seconds.predict(&self.load(At {
            days: one.quantities.days.map(|days| days as f64),
            files: one.quantities.files.map(|files| files as f64),
            ..At::new(sample.load.events, one.threads)
        }));
        Some(Validation {
            events: one.quantities.events,
            threads: one.threads,
            measured_seconds: sample.value,
            predicted_seconds: predicted,
            error: predicted.value / sample.value - 1.0,
            is_inside: (predicted.low..=predicted.high).contains(&sample.value),
        })
    }

    fn load(&self, at: At) -> Load {
        let mut load = Load {
            events: at.events,
            threads: f64::from(at.threads),
            counted: BTreeMap::new(),
        };
        let given = [(Driver::Day, at.days), (Driver::File, at.files)];
        for driver in self
            .seconds
            .counted()
            .chain(self.memory_bytes.iter().flat_map(Fit::counted))
        {
            let given = given.iter().find(|(of, value)| *of == driver && value.is_some());
            let value = match given {
                Some((_, value)) => *value,
                None => self.counted.get(&driver).map(|fit| fit.predict(&load).value),
            };
            load.counted.insert(driver, value.unwrap_or_default());
        }
        load
    }

    /// Seconds that it takes. None where the threads were never varied and others are asked for.
    pub fn seconds_at(&self, at: At) -> Option<Estimate> {
        let known = self.threads.len() > 1 || self.threads.contains(&at.threads);
        known.then(|| self.seconds.predict(&self.load(at)))
    }

    /// Most memory that the process has.
    pub fn memory_at(&self, at: At) -> Option<Estimate> {
        Some(self.memory_bytes.as_ref()?.predict(&self.load(at)))
    }

    /// Bytes that it reads.
    pub fn read_bytes_at(&self, at: At) -> Option<Estimate> {
        Some(self.read_bytes.as_ref()?.predict(&self.load(at)))
    }

    /// Requests that it makes: PUT, GET, LIST. None where none were counted.
    pub fn requests_at(&self, at: At) -> Option<[f64; 3]> {
        let fits = [&self.put_requests, &self.get_requests, &self.list_requests];
        let known = fits.iter().any(|fit| fit.is_some());
        // A kind that was never made has no fit.
        let load = self.load(at);
        known.then(|| fits.map(|fit| fit.as_ref().map_or(0.0, |fit| fit.predict(&load).value)))
    }

    /// Why a prediction should be taken with care.
    pub fn doubts(&self, at: At) -> Vec<String> {
        let mut doubts = Vec::new();
        let beyond = at.events / self.largest_events as f64;
        if beyond > FAR {
            doubts.push(format!(
                "{}: {beyond:.0} times the largest size that was measured",
                self.work
            ));
        }
        if self.exponent > STEEP {
            doubts.push(format!(
                "{}: seconds grow with the power {:.2} of the events, the model grows linearly",
                self.work, self.exponent
            ));
        }
        let most = self.threads.last().copied().unwrap_or(1);
        if at.threads > most {
            doubts.push(format!(
                "{}: {} threads, {most} were measured; beyond, the law of Amdahl is assumed",
                self.work, at.threads
            ));
        }
        if self.is_noisy {
            doubts.push(format!("{}: its repetitions are too noisy to conclude from", self.work));
        }
        doubts
    }
}

/// The middle of the repetitions, with what was counted.
fn seconds(one: &Measurement) -> Option<Sample> {
    let summary = Summary::of(&one.seconds)?;
    let counted = Driver::COUNTED.into_iter().filter_map(|driver| {
        let number = count(&one.work, &one.quantities, driver)?;
        Some((driver, number as f64))
    });
    Some(Sample {
        load: Load {
            events: one.quantities.events as f64,
            threads: f64::from(one.threads),
            counted: counted.collect(),
        },
        value: summary.median,
        noise: summary.relative_half_width(),
    })
}

fn plain(one: &Measurement, value: u64) -> Sample {
    let counted = Driver::COUNTED.into_iter().filter_map(|driver| {
        let number = count(&one.work, &one.quantities, driver)?;
        Some((driver, number as f64))
    });
    Sample {
        load: Load {
            events: one.quantities.events as f64,
            threads: f64::from(one.threads),
            counted: counted.collect(),
        },
        value: value as f64,
        noise: None,
    }
}

/// A fit of what was counted; samples without it, and those of nothing, are left out.
fn quantity(samples: impl Iterator<Item = Option<Sample>>, base: &[Driver], offered: &[Driver]) -> Option<Fit> {
    let samples: Vec<Sample> = samples.flatten().filter(|sample| sample.value > 0.0).collect();
    fit(&samples, base, offered)
}

fn count(work: &Work, quantities: &Quantities, driver: Driver) -> Option<u64> {
    match driver {
        Driver::Byte if *work == Work::Ingest => quantities.input_bytes,
        Driver::Byte => quantities.bytes_read,
        Driver::File => quantities.files,
        Driver::RowGroup => quantities.row_groups,
        Driver::Request => quantities.requests.map(|made| made.put + made.get + made.list),
        Driver::Row => quantities.rows_matched,
        Driver::Term => quantities.distinct_terms,
        Driver::Day => quantities.days,
        _ => None,
    }
}

/// The slope of the logarithms.
fn exponent(samples: &[Sample], threads: u32) -> f64 {
    let of = samples
        .iter()
        .filter(|sample| sample.load.threads == f64::from(threads));
    let logs: Vec<(f64, f64)> = of.map(|sample| (sample.load.events.ln(), sample.value.ln())).collect();
    let number = logs.len() as f64;
    let (x, y) = logs
        .iter()
        .fold((0.0, 0.0), |(x, y), log| (x + log.0 / number, y + log.1 / number));
    let along: f64 = logs.iter().map(|log| (log.0 - x) * (log.1 - y)).sum();
    let wide: f64 = logs.iter().map(|log| (log.0 - x).powi(2)).sum();
    if wide > 0.0 { along / wide } else { 1.0 }
}
