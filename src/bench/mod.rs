//! Measures what this machine takes for the work of a lake, as [`Measurements`] that a plan is
//! made from.
//!
//! Tenants are generated in several sizes, stored, and worked on by the program itself, a process
//! for each run: what is measured is what a user waits for, start-up included, and the memory of
//! that process. What there was to do (rows, bytes, requests, files) is counted once, in this
//! process, where nobody takes the time.
//!
//! All work is done in turns, one repetition of everything before the next, so that a machine that
//! becomes slower does so for all. Each has a first run that does not count. What is too noisy to
//! conclude from is repeated further, up to a bound.

mod child;
mod counted;
mod limits;
mod machine;
mod page;
mod place;
mod questions;
mod rounds;
mod shapes;
mod shown;
mod sites;
mod space;
#[cfg(test)]
mod tests;

pub use page::page;
pub use shapes::LEAST_SIZES;
pub use shown::{doubts, sections};
pub use space::{available, needed};

use crate::capacity::{DatasetSizes, Measurements, Settings};
use crate::config::Resources;
use crate::error::{Error, Result};
use crate::lake::TARGET_FILE_BYTES;
use child::Program;
use place::Place;
use rounds::Rounds;
use sites::Site;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

/// Set by somebody else to end early.
pub use crate::ingest::Stop;

/// What to measure, and with what.
#[derive(Debug, Clone)]
pub struct Bench {
    /// The program.
    pub program: PathBuf,
    /// An empty folder for logs and lakes.
    pub workspace: PathBuf,
    /// URL below which further lakes are made, in an object store.
    pub store: Option<String>,
    /// Events of the tenants that the model is fitted on: ascending, three or more.
    pub sizes: Vec<u64>,
    /// Events of the tenants that it is held against.
    pub validate: Vec<u64>,
    /// Days that the events of each tenant are of, 2 or more.
    pub days: u64,
    /// Thread counts, ascending.
    pub threads: Vec<usize>,
    /// Repetitions of each work, 2 or more.
    pub repeat: u32,
    /// Whether no work has a first run that does not count, nothing that is noisy is repeated
    /// further, no tenant has other days, and small files do for the limits of the machine.
    pub quick: bool,
    /// Ids of built-in detections; all that are enabled when empty.
    pub detections: Vec<String>,
    /// Seed of the tenants.
    pub seed: u64,
    /// Memory that a run may take, and threads for what is not measured.
    pub resources: Resources,
}

/// Told how far it is.
pub trait Progress: Send + Sync {
    /// What is done now.
    fn stage(&self, what: &str);
    /// The part of the whole that is done, 0 to 1.
    fn done(&self, part: f64);
}

impl Bench {
    /// Fails where a setting makes no sense. Names settings as the command line does.
    pub fn check(&self) -> Result<()> {
        let ascend = |sizes: &[u64]| sizes.windows(2).all(|pair| pair[0] < pair[1]);
        let largest = self.sizes.last().copied().unwrap_or_default();
        let wrong = match self {
            _ if self.sizes.len() < LEAST_SIZES => (
                "--sizes",
                "must be three or more: with fewer nobody can tell how far a prediction is off",
            ),
            _ if !ascend(&self.sizes) || !ascend(&self.validate) => ("--sizes", "must ascend, each once"),
            _ if self.sizes[0] < 1000 => ("--sizes", "must be 1000 or more"),
            _ if self.validate.iter().any(|size| *size <= largest) => {
                ("--validate", "must be larger than the largest of --sizes")
            }
            _ if !(2..=3650).contains(&self.days) => ("--days", "must be from 2 to 3650"),
            _ if self.repeat < 2 => (
                "--repeat",
                "must be 2 or more: one repetition says nothing about its error",
            ),
            _ if self.threads.is_empty() || self.threads.windows(2).any(|pair| pair[0] >= pair[1]) => {
                ("--thread-counts", "must ascend, each once")
            }
            _ => {
                questions::detections(self)?;
                return Place::all(self).map(drop);
            }
        };
        Err(Error::Setting {
            setting: wrong.0.into(),
            problem: wrong.1.into(),
        })
    }

    /// The most threads.
    fn most_threads(&self) -> usize {
        self.threads.last().copied().unwrap_or(1)
    }
}

/// Fails where somebody wants it to end.
fn go_on(stop: &Stop) -> Result<()> {
    match stop.load(Ordering::Relaxed) {
        true => Err(Error::Interrupted),
        false => Ok(()),
    }
}

/// Generates, ingests, hunts and measures. What it made in an object store is removed at the end,
/// however it ends; the workspace is the caller's to remove.
pub async fn measure(bench: &Bench, progress: &dyn Progress, stop: &Stop) -> Result<Measurements> {
    bench.check()?;
    let places = Place::all(bench)?;
    let measured = in_places(bench, &places, progress, stop).await;
    for place in &places {
        let cleared = place.clear().await;
        // What went wrong first says more.
        if measured.is_ok() {
            cleared?;
        }
    }
    measured
}

async fn in_places(bench: &Bench, places: &[Place], progress: &dyn Progress, stop: &Stop) -> Result<Measurements> {
    let detections = questions::detections(bench)?;
    let settings = Settings {
        seed: bench.seed,
        sizes_events: bench.sizes.clone(),
        validation_sizes_events: bench.validate.clone(),
        threads: bench.threads.iter().map(|threads| *threads as u32).collect(),
        stores: places.iter().map(|place| place.name().to_owned()).collect(),
        repetitions: bench.repeat,
        memory_limit_bytes: Some(bench.resources.memory_limit),
        detections: detections.iter().map(|detection| detection.id().to_owned()).collect(),
        compaction_target_bytes: Some(TARGET_FILE_BYTES),
    };
    let mut run = Measurements::new(machine::describe(), settings);
    let mut all_logs = Vec::new();
    for shape in shapes::of(bench) {
        go_on(stop)?;
        progress.stage(&format!("generating {}", shape.words()));
        all_logs.push(shapes::generate(bench, shape, stop).await?);
    }
    let mut sites = Vec::new();
    for place in places {
        for logs in &all_logs {
            // What tells the cost of files apart needs no network.
            if place.is_local() || !logs.shape.is_spread {
                progress.stage(&format!("storing {} ({})", logs.shape.words(), place.name()));
                sites.push(Site::build(bench, logs, place, &detections, stop).await?);
            }
        }
    }
    for site in sites.iter().filter(|site| site.is_fitted() && site.place.is_local()) {
        run.datasets.extend(site.datasets());
    }
    progress.stage("measuring the limits of the machine");
    if let Some(largest) = sites.iter().rfind(|site| site.is_fitted() && site.place.is_local()) {
        run.limits = limits::measure(bench, largest, stop).await?;
    }
    let program = Program::new(bench);
    let mut rounds = Rounds::new(bench, &program, &sites, &detections);
    rounds.run(progress, stop).await?;
    run.measurements = rounds.measurements();
    Ok(run)
}

impl Site<'_> {
    /// Sizes of its datasets, compacted.
    fn datasets(&self) -> impl Iterator<Item = DatasetSizes> + '_ {
        self.held.datasets.iter().map(|held| {
            let written = self.logs.summary.datasets.iter();
            let written = written.filter(|written| written.dataset == held.dataset);
            let input = written.map(|written| {
                let share = written.events as f64 / (written.events + written.repeats).max(1) as f64;
                (written.bytes as f64 * share) as u64
            });
            DatasetSizes {
                dataset: held.dataset.clone(),
                events: held.events,
                input_bytes: Some(input.sum()).filter(|bytes| *bytes > 0),
                stored_bytes: held.bytes,
                files: held.files,
                days: held.days,
                compacted: true,
            }
        })
    }
}
