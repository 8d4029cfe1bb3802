//! How many cores an answer in time needs, and when one machine stops being enough.

use super::state::{Basis, Part, State, Task};
use crate::capacity::fit::Estimate;
use crate::capacity::scenario::{MONTH_DAYS, MOST_MONTHS};
use serde::Serialize;

/// Cores that are tried.
const MOST_CORES: u32 = 1024;

/// Times the load that are tried.
const MOST_LOAD: f64 = 1e4;

/// Cores for an answer in time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CoresNeeded {
    /// How long a hunt may take.
    pub answer_within_seconds: f64,
    /// What it takes on the machine.
    pub seconds: Estimate,
    /// Fewest cores with which the expected time is short enough; none where no number is.
    pub cores_expected: Option<u32>,
    /// Fewest cores with which the whole interval is.
    pub cores_safe: Option<u32>,
    /// What is left with 1,024 cores: the part that cannot be shared.
    pub least_seconds: f64,
}

/// Why a machine is not enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The records of a busy hour are not read before the next ones arrive.
    IngestFallsBehind,
    /// An evaluation takes longer than the interval of the schedule.
    ScheduleFallsBehind,
    /// A hunt takes longer than it may.
    AnswerTooLate,
    /// Something needs more memory than there is.
    Memory,
    /// All work of a day takes longer than a day.
    Busy,
}

impl Reason {
    const ALL: [Self; 5] = [
        Self::IngestFallsBehind,
        Self::ScheduleFallsBehind,
        Self::AnswerTooLate,
        Self::Memory,
        Self::Busy,
    ];

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::IngestFallsBehind => "ingest falls behind in the busiest hours",
            Self::ScheduleFallsBehind => "the schedule falls behind",
            Self::AnswerTooLate => "a hunt takes longer than it may",
            Self::Memory => "memory is not enough",
            Self::Busy => "a day's work takes longer than a day",
        }
    }
}

/// A load at which one machine stops being enough.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Breaking {
    /// Why.
    pub reason: Reason,
    /// So many times the load of the lake that has reached its retention; none where not even
    /// 10,000 times are too much.
    pub load_factor: Option<f64>,
    /// Events of a day at that load.
    pub events_per_day: Option<f64>,
    /// The first month, of the next 120, after which the growing load is too much: 1 is the
    /// first.
    pub month: Option<u32>,
}

impl Basis<'_> {
    /// Cores for an answer in time; none where hunts were not measured with several thread
    /// counts, or no time is given.
    pub(super) fn cores_needed(&self, state: &State) -> Option<CoresNeeded> {
        let within = self.scenario.answer_within_seconds?;
        let with = |cores: u32| Some(self.task(Part::Hunts, state, cores)?.seconds);
        let fewest = |time: fn(&Estimate) -> f64| {
            (1..=MOST_CORES).find(|cores| with(*cores).is_some_and(|seconds| time(&seconds) <= within))
        };
        Some(CoresNeeded {
            answer_within_seconds: within,
            seconds: with(self.scenario.cores)?,
            cores_expected: fewest(|seconds| seconds.value),
            cores_safe: fewest(|seconds| seconds.high),
            least_seconds: with(MOST_CORES)?.value,
        })
    }

    /// When one machine stops being enough, the nearest first. What was not measured is left out.
    pub(super) fn breaking(&self, state: &State) -> Vec<Breaking> {
        let of = |reason| {
            self.is_over(reason, state)?;
            let factor = self.breaking_factor(reason, state);
            Some(Breaking {
                reason,
                load_factor: factor,
                events_per_day: factor.map(|factor| factor * state.events_per_day),
                month: (1..=MOST_MONTHS).find(|month| {
                    let then = State::on(self.scenario, f64::from(*month) * MONTH_DAYS);
                    self.is_over(reason, &then) == Some(true)
                }),
            })
        };
        let mut found: Vec<Breaking> = Reason::ALL.into_iter().filter_map(of).collect();
        let order = |one: &Breaking| one.load_factor.unwrap_or(f64::INFINITY);
        found.sort_by(|a, b| order(a).total_cmp(&order(b)));
        found
    }

    /// The smallest load that is too much, to a thousandth.
    fn breaking_factor(&self, reason: Reason, state: &State) -> Option<f64> {
        let is_over = |factor: f64| self.is_over(reason, &state.times(factor)) == Some(true);
        let (mut enough, mut over) = (1.0 / MOST_LOAD, MOST_LOAD);
        if !is_over(over) {
            return None;
        }
        if is_over(enough) {
            return Some(0.0);
        }
        while over / enough > 1.001 {
            let middle = (enough * over).sqrt();
            if is_over(middle) {
                over = middle
            } else {
                enough = middle
            }
        }
        Some(over)
    }

    /// Whether a load is too much; none where that is not known or not asked.
    fn is_over(&self, reason: Reason, state: &State) -> Option<bool> {
        let scenario = self.scenario;
        let task = |part| self.task(part, state, scenario.cores);
        match reason {
            Reason::IngestFallsBehind => {
                let peak = State {
                    events_per_day: state.events_per_day * scenario.peak,
                    ..*state
                };
                let ingest = self.task(Part::Ingest, &peak, scenario.cores)?;
                Some(ingest.seconds.value > scenario.ingest_interval_seconds)
            }
            Reason::ScheduleFallsBehind => {
                let peak = State {
                    events_per_day: state.events_per_day * scenario.peak,
                    ..*state
                };
                let tick = self.task(Part::Schedule, &peak, scenario.cores)?;
                Some(tick.seconds.value > scenario.schedule_interval_seconds?)
            }
            Reason::AnswerTooLate => Some(task(Part::Hunts)?.seconds.value > scenario.answer_within_seconds?),
            Reason::Memory => {
                let most = self.peak_memory(state)?;
                Some(most.value > scenario.memory_bytes as f64)
            }
            Reason::Busy => {
                let daily = |task: &Task| task.seconds.value * task.times_per_day;
                Some(self.all_tasks(state)?.iter().map(daily).sum::<f64>() > 86_400.0)
            }
        }
    }

    /// Most memory of any part of the work; none where that of one is not known.
    pub(super) fn peak_memory(&self, state: &State) -> Option<Estimate> {
        let all: Option<Vec<Estimate>> = self.all_tasks(state)?.iter().map(|task| task.memory_bytes).collect();
        all?.into_iter().max_by(|a, b| a.value.total_cmp(&b.value))
    }
}
