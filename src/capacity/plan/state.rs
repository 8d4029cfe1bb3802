//! A lake on one day, and what one day's work takes then.

use crate::capacity::fit::Estimate;
use crate::capacity::model::{At, Model, WorkModel};
use crate::capacity::scenario::{Detections, Scenario};
use crate::capacity::sizes::DatasetModel;
use crate::capacity::work::Work;
use serde::Serialize;

const DAY_SECONDS: f64 = 86_400.0;

/// How much there is on a day.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct State {
    /// Days since the first.
    pub day: f64,
    /// Events that arrive on it.
    pub events_per_day: f64,
    /// Events in the lake.
    pub events_held: f64,
    /// Days that they are of.
    pub days_held: f64,
    /// Events in the range of a hunt.
    pub range_events: f64,
    /// Days that these are of.
    pub range_days: f64,
}

impl State {
    /// Of a scenario.
    pub fn on(scenario: &Scenario, day: f64) -> Self {
        let days_held = scenario.days_held(day);
        Self {
            day,
            events_per_day: scenario.rate_on(day),
            events_held: scenario.events_within(day, scenario.retention_days),
            days_held,
            range_events: scenario.events_within(day, scenario.range_days()),
            range_days: scenario.range_days().min(days_held),
        }
    }

    /// With so many times the events on as many days.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        Self {
            events_per_day: self.events_per_day * factor,
            events_held: self.events_held * factor,
            range_events: self.range_events * factor,
            ..self
        }
    }
}

/// A part of the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// New logs are taken in.
    Ingest,
    /// The files of a day are merged.
    Compaction,
    /// A schedule evaluates the detections.
    Schedule,
    /// Detections over the range.
    Hunts,
}

impl Part {
    /// All, in the order of a report.
    pub const ALL: [Self; 4] = [Self::Ingest, Self::Compaction, Self::Schedule, Self::Hunts];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Compaction => "compaction",
            Self::Schedule => "schedule",
            Self::Hunts => "hunts",
        }
    }
}

/// What a part of the work takes on a day.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Task {
    /// Which.
    pub part: Part,
    /// How often it is done.
    pub times_per_day: f64,
    /// Events that it is about, each time.
    pub events: f64,
    /// Wall time, each time.
    pub seconds: Estimate,
    /// Most memory of the process.
    pub memory_bytes: Option<Estimate>,
    /// Bytes read, each time.
    pub read_bytes: Option<f64>,
    /// PUT, GET and LIST, each time.
    pub requests: Option<RequestCounts>,
}

/// Requests of a store that are expected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct RequestCounts {
    /// PUT, POST and the like.
    pub put: f64,
    /// GET and HEAD.
    pub get: f64,
    /// LIST.
    pub list: f64,
}

impl RequestCounts {
    /// With so many times as many.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        Self {
            put: self.put * factor,
            get: self.get * factor,
            list: self.list * factor,
        }
    }

    /// Both.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            put: self.put + other.put,
            get: self.get + other.get,
            list: self.list + other.list,
        }
    }
}

/// Numbers that everything is computed from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Basis<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) model: &'a Model,
    pub(super) datasets: &'a [DatasetModel],
}

impl<'a> Basis<'a> {
    /// Bytes of the data files.
    pub(super) fn stored(&self, state: &State) -> Option<Estimate> {
        let nothing = Estimate {
            value: 0.0,
            low: 0.0,
            high: 0.0,
        };
        if self.datasets.is_empty() || state.days_held <= 0.0 {
            return (!self.datasets.is_empty()).then_some(nothing);
        }
        let of = |dataset: &DatasetModel| {
            let daily = state.events_held / state.days_held * dataset.part;
            dataset.day_bytes(daily).times(state.days_held)
        };
        Some(self.datasets.iter().map(of).fold(nothing, Estimate::plus))
    }

    /// Data files when all whole days have been compacted.
    pub(super) fn files(&self, state: &State) -> Option<f64> {
        if self.datasets.is_empty() {
            return None;
        }
        let daily = state.events_held / state.days_held.max(1.0);
        let of = |dataset: &DatasetModel| {
            let bytes = dataset.day_bytes(daily * dataset.part).value;
            // At least a file a day; a fraction is that some days have one more than others.
            (bytes / self.scenario.target_file_bytes as f64).max(1.0) * state.days_held.ceil()
        };
        Some(self.datasets.iter().map(of).sum())
    }

    /// What a part takes; none where it was not measured or is not asked for.
    pub(super) fn task(&self, part: Part, state: &State, threads: u32) -> Option<Task> {
        let scenario = self.scenario;
        let (times_per_day, events, days) = match part {
            Part::Ingest => {
                let runs = DAY_SECONDS / scenario.ingest_interval_seconds;
                // The repeats are read as well.
                (runs, state.events_per_day / (1.0 - scenario.duplicates) / runs, None)
            }
            Part::Compaction => (1.0, state.events_per_day, None),
            Part::Schedule => {
                let ticks = DAY_SECONDS / scenario.schedule_interval_seconds?;
                (ticks, state.events_per_day / ticks, None)
            }
            Part::Hunts => (scenario.hunts_per_day, state.range_events, Some(state.range_days)),
        };
        let at = At {
            days,
            ..At::new(events, threads)
        };
        let works = self.works(part)?;
        let mut task = Task {
            part,
            times_per_day,
            events,
            seconds: Estimate {
                value: 0.0,
                low: 0.0,
                high: 0.0,
            },
            memory_bytes: None,
            read_bytes: Some(0.0),
            requests: Some(RequestCounts::default()),
        };
        for (work, factor) in works {
            task.seconds = task.seconds.plus(work.seconds_at(at)?.times(factor));
            task.memory_bytes = larger(task.memory_bytes, work.memory_at(at));
            let read = work.read_bytes_at(at).map(|read| read.value * factor);
            task.read_bytes = task.read_bytes.zip(read).map(|(sum, read)| sum + read);
            let made = work
                .requests_at(at)
                .map(|[put, get, list]| RequestCounts { put, get, list });
            task.requests = task.requests.zip(made).map(|(sum, made)| sum.plus(made.times(factor)));
        }
        Some(task)
    }

    /// The works of a part, each with how often it is done each time; none where one of them was
    /// not measured.
    pub(super) fn works(&self, part: Part) -> Option<Vec<(&'a WorkModel, f64)>> {
        let work = |work: &Work| Some((self.model.work(work, &self.scenario.store)?, 1.0));
        match part {
            Part::Ingest => Some(vec![work(&Work::Ingest)?]),
            Part::Compaction => Some(vec![work(&Work::Compaction)?]),
            Part::Schedule => Some(vec![work(&Work::Tick)?]),
            Part::Hunts => match &self.scenario.detections {
                Detections::All => Some(vec![work(&Work::HuntAll)?]),
                Detections::Ids(ids) => ids.iter().map(|id| work(&Work::Hunt(id.clone()))).collect(),
                Detections::Number(number) => {
                    let alone = self.alone();
                    let each = f64::from(*number) / alone.len() as f64;
                    (!alone.is_empty()).then(|| alone.into_iter().map(|work| (work, each)).collect())
                }
            },
        }
    }

    /// Detections that were measured alone.
    pub(super) fn alone(&self) -> Vec<&'a WorkModel> {
        let works = self.model.works.iter().filter(|model| {
            // The one that is used, where warm and cold files were measured.
            matches!(model.work, Work::Hunt(_))
                && self
                    .model
                    .work(&model.work, &self.scenario.store)
                    .is_some_and(|used| std::ptr::eq(used, *model))
        });
        works.collect()
    }

    /// Whether a part is asked for.
    pub(super) fn is_asked(&self, part: Part) -> bool {
        match part {
            Part::Schedule => self.scenario.schedule_interval_seconds.is_some(),
            Part::Hunts => self.scenario.hunts_per_day > 0.0,
            Part::Ingest | Part::Compaction => true,
        }
    }

    /// All parts that are asked for; none where one of them is not known, as a sum of the others
    /// would be no sum.
    pub(super) fn all_tasks(&self, state: &State) -> Option<Vec<Task>> {
        let asked = Part::ALL.into_iter().filter(|part| self.is_asked(*part));
        asked.map(|part| self.task(part, state, self.scenario.cores)).collect()
    }

    /// All parts that are known, on the machine of the scenario.
    pub(super) fn tasks(&self, state: &State) -> Vec<Task> {
        let tasks = Part::ALL.into_iter();
        tasks
            .filter_map(|part| self.task(part, state, self.scenario.cores))
            .collect()
    }
}

fn larger(a: Option<Estimate>, b: Option<Estimate>) -> Option<Estimate> {
    match (a, b) {
        (Some(a), Some(b)) if b.high > a.high => Some(b),
        (a, b) => a.or(b),
    }
}
