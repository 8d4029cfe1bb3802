//! The answer to "what will it take": storage by month, files, requests, hours, memory, cores and
//! cost, each with what it rests on. What was not measured is named and left out.

mod cost;
mod limits;
pub(crate) mod page;
mod shown;
mod state;
#[cfg(test)]
mod tests;
mod words;

pub use cost::Costs;
pub use limits::{Breaking, CoresNeeded, Reason};
pub use shown::Section;
pub use state::{Part, RequestCounts, State, Task};

use super::fit::Estimate;
use super::machine::Machine;
use super::measurement::Measurements;
use super::model::{At, Model, WorkModel};
use super::prices::Prices;
use super::scenario::{MONTH_DAYS, Scenario, Source};
use super::sizes::DatasetModel;
use super::work::Work;
use crate::error::Result;
use cost::Priced;
use serde::Serialize;
use state::Basis;
use std::collections::BTreeMap;

/// A plot over more than so many times the largest size has logarithmic axes.
const FAR: f64 = 8.0;

/// A plan. Names carry their units.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// What was asked.
    pub scenario: Scenario,
    /// The machine that was measured; absent without measurements.
    pub measured: Option<MeasuredOn>,
    /// What events take, by dataset.
    pub datasets: Vec<DatasetModel>,
    /// The end of each month, from the first on.
    pub months: Vec<Month>,
    /// The lake when it has reached its retention.
    pub steady: State,
    /// Bytes of its data files then.
    pub stored_bytes: Option<Estimate>,
    /// Its data files then, compacted.
    pub files: Option<f64>,
    /// Data files that a day adds before they are compacted.
    pub files_per_day_before_compaction: Option<f64>,
    /// What a day's work takes then.
    pub tasks: Vec<Task>,
    /// Most memory of any of it.
    pub peak_memory_bytes: Option<Estimate>,
    /// What each kind of hunt and query takes over the range, then.
    pub hunts: Vec<HuntTime>,
    /// Cores for an answer in time.
    pub cores: Option<CoresNeeded>,
    /// When one machine stops being enough, the nearest first.
    pub limits: Vec<Breaking>,
    /// What it costs; absent without prices.
    pub costs: Option<Costs>,
    /// How far the model is from what it was validated on.
    pub errors: Vec<WorkErrors>,
    /// What is taken for granted.
    pub assumptions: Vec<String>,
    /// Why predictions should be taken with care.
    pub doubts: Vec<String>,
    /// What could not be said, and why.
    pub not_measured: Vec<Refused>,
}

/// What the numbers rest on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MeasuredOn {
    /// The machine.
    pub machine: Machine,
    /// Where the lakes were.
    pub store: String,
    /// Events of the largest size that the model was fitted on.
    pub largest_events: u64,
}

/// The end of a month.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Month {
    /// 1 for the first.
    pub month: u32,
    /// The lake at its end.
    pub state: State,
    /// Whether its oldest events are as old as the retention.
    pub is_retention_reached: bool,
    /// Bytes of the data files.
    pub stored_bytes: Option<Estimate>,
    /// Data files, compacted.
    pub files: Option<f64>,
    /// Hours of the machine in a month at this load, by part.
    pub machine_hours: BTreeMap<Part, f64>,
    /// Requests in a month at this load; absent where not all were counted.
    pub requests: Option<RequestCounts>,
    /// What it costs; absent without prices.
    pub cost: Option<f64>,
}

/// What a hunt or query takes over the range.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HuntTime {
    /// What.
    pub work: Work,
    /// Seconds.
    pub seconds: Estimate,
    /// Memory of the process.
    pub memory_bytes: Option<Estimate>,
    /// Bytes read.
    pub read_bytes: Option<f64>,
    /// Sizes up to a little beyond the range with what is expected there, for a plot: from
    /// nothing on, or, where the range is far beyond what was measured, from there on in equal
    /// factors.
    #[serde(skip)]
    pub curve: Vec<(f64, Estimate)>,
    /// The measured thread count that is nearest to the cores.
    #[serde(skip)]
    pub points_threads: u32,
    /// What was measured with so many threads: (events, seconds).
    #[serde(skip)]
    pub points: Vec<(f64, f64)>,
}

/// How far the model of a work is from what was measured: 0.1 is 10 %.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WorkErrors {
    /// What.
    pub work: Work,
    /// The largest error on what it was fitted on.
    pub fit_max: f64,
    /// The largest error on sizes that were left out one by one.
    pub left_out_max: Option<f64>,
    /// The largest error on sizes to validate it.
    pub validation_max: Option<f64>,
}

/// Something that could not be said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// What.
    pub part: String,
    /// Why.
    pub reason: String,
}

impl Plan {
    /// Computes it. `prices` are the user's with the tier of storage, if one was chosen.
    pub fn of(scenario: Scenario, run: Option<&Measurements>, prices: Option<(&Prices, Option<&str>)>) -> Result<Self> {
        scenario.check()?;
        let model = match run {
            Some(run) => Model::of(run),
            None => Model {
                works: Vec::new(),
                unfitted: Vec::new(),
            },
        };
        let (datasets, missing) = DatasetModel::all(run, &scenario);
        let priced = prices.map(|(prices, tier)| Priced::new(prices, tier)).transpose()?;
        let basis = Basis {
            scenario: &scenario,
            model: &model,
            datasets: if missing.is_empty() { &datasets } else { &[] },
        };
        let months: Vec<Month> = (1..=scenario.horizon())
            .map(|month| basis.month(month, priced.as_ref()))
            .collect();
        let steady = State::on(&scenario, scenario.days_to_retention());
        let monthly: Vec<f64> = months.iter().filter_map(|month| month.cost).collect();
        let until = months.iter().position(|month| month.is_retention_reached);
        let until = until.map_or(months.len(), |last| last + 1);
        let tasks = basis.tasks(&steady);
        let mut plan = Self {
            measured: run.map(|run| MeasuredOn {
                machine: run.machine.clone(),
                store: scenario.store.clone(),
                largest_events: model
                    .works
                    .iter()
                    .map(|work| work.largest_events)
                    .max()
                    .unwrap_or_default(),
            }),
            months,
            stored_bytes: basis.stored(&steady),
            files: basis.files(&steady),
            files_per_day_before_compaction: Some(86_400.0 / scenario.ingest_interval_seconds * datasets.len() as f64)
                .filter(|_| !datasets.is_empty()),
            peak_memory_bytes: basis.peak_memory(&steady),
            hunts: basis.hunts(&steady),
            cores: basis.cores_needed(&steady),
            limits: basis.breaking(&steady),
            costs: priced.map(|priced| priced.costs(&basis, &steady, &monthly, until)),
            errors: basis.errors(),
            assumptions: words::assumptions(&scenario, &datasets),
            doubts: basis.doubts(&tasks),
            not_measured: words::refused(&basis, run.is_some(), &missing, &tasks),
            tasks,
            steady,
            datasets: Vec::new(),
            scenario: scenario.clone(),
        };
        plan.datasets = datasets;
        Ok(plan)
    }

    /// The hunt of the scenario itself, where it could be computed.
    pub fn hunt(&self) -> Option<&Task> {
        self.tasks.iter().find(|task| task.part == Part::Hunts)
    }
}

/// Requests of a month; none where those of a part were not counted.
fn monthly_requests(tasks: &[Task]) -> Option<RequestCounts> {
    let monthly = tasks
        .iter()
        .map(|task| Some(task.requests?.times(task.times_per_day * MONTH_DAYS)));
    monthly.collect::<Option<Vec<_>>>().map(|all| {
        let nothing = RequestCounts::default();
        all.into_iter().fold(nothing, RequestCounts::plus)
    })
}

impl Basis<'_> {
    fn month(&self, month: u32, priced: Option<&Priced<'_>>) -> Month {
        let day = f64::from(month) * MONTH_DAYS;
        let state = State::on(self.scenario, day);
        let tasks = self.tasks(&state);
        let hours = |task: &Task| (task.part, task.seconds.value * task.times_per_day * MONTH_DAYS / 3600.0);
        Month {
            month,
            state,
            is_retention_reached: day >= self.scenario.days_to_retention(),
            stored_bytes: self.stored(&state),
            files: self.files(&state),
            machine_hours: tasks.iter().map(hours).collect(),
            requests: self.all_tasks(&state).and_then(|tasks| monthly_requests(&tasks)),
            cost: priced.map(|priced| priced.month(self, &state).0.iter().map(|item| item.cost).sum()),
        }
    }

    /// All hunts and queries of the store, in the order of their names.
    fn hunts(&self, state: &State) -> Vec<HuntTime> {
        let is_hunt = |work: &Work| !matches!(work, Work::Ingest | Work::Tick | Work::Compaction);
        let mut works: Vec<&WorkModel> = Vec::new();
        for model in self.model.works.iter().filter(|model| is_hunt(&model.work)) {
            let used = self.model.work(&model.work, &self.scenario.store);
            works.extend(used.filter(|used| std::ptr::eq(*used, model)));
        }
        let cores = self.scenario.cores;
        let times = works.into_iter().filter_map(|model| {
            let at = At {
                days: Some(state.range_days),
                ..At::new(state.range_events, cores)
            };
            let most = (state.range_events * 1.1).max(model.largest_events as f64);
            let threads = model.threads.iter().min_by_key(|threads| threads.abs_diff(cores))?;
            let smallest = model.smallest_events as f64;
            // Equal factors where the range is so far away that what was measured is a dot.
            let is_far = most > FAR * model.largest_events as f64;
            let curve = (0..=40).filter_map(|step| {
                let along = f64::from(step) / 40.0;
                let events = if is_far {
                    smallest * (most / smallest).powf(along)
                } else {
                    most * along
                };
                Some((events, model.seconds_at(At { events, ..at })?))
            });
            let of_threads = model.points.iter().filter(|(_, with, _)| with == threads);
            Some(HuntTime {
                work: model.work.clone(),
                seconds: model.seconds_at(at)?,
                memory_bytes: model.memory_at(at),
                read_bytes: model.read_bytes_at(at).map(|read| read.value),
                curve: curve.collect(),
                points_threads: *threads,
                points: of_threads
                    .map(|(events, _, seconds)| (*events as f64, *seconds))
                    .collect(),
            })
        });
        times.collect()
    }

    /// Of the works that the plan rests on.
    fn errors(&self) -> Vec<WorkErrors> {
        let works = self
            .model
            .works
            .iter()
            .filter(|model| model.store == self.scenario.store);
        let of = |model: &WorkModel| WorkErrors {
            work: model.work.clone(),
            fit_max: model.seconds.errors.max,
            left_out_max: model.seconds.errors.left_out_max,
            validation_max: model
                .validation
                .iter()
                .map(|held| held.error.abs())
                .max_by(f64::total_cmp),
        };
        works.map(of).collect()
    }

    /// Of the predictions that the plan makes, each once.
    fn doubts(&self, tasks: &[Task]) -> Vec<String> {
        let mut doubts = Vec::new();
        for task in tasks {
            for (work, _) in self.works(task.part).unwrap_or_default() {
                doubts.extend(work.doubts(At::new(task.events, self.scenario.cores)));
            }
        }
        doubts.sort();
        doubts.dedup();
        if let Source::Lake { .. } = self.scenario.source {
            doubts.push("the rate of the lake is its events over the days that have any".to_owned());
        }
        doubts
    }
}
