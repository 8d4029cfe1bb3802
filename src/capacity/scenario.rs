//! What a plan is asked for: how much arrives, how long it is kept, how often it is hunted.

use crate::error::{Error, Result};
use serde::Serialize;

/// Days of a month, in the mean.
pub const MONTH_DAYS: f64 = 30.4375;

/// Months that a plan looks ahead at most.
pub const MOST_MONTHS: u32 = 120;

/// How much arrives.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Source {
    /// Users with a rate each.
    Users {
        /// How many.
        users: f64,
        /// Of one user, over all days of a week.
        events_per_user_day: f64,
    },
    /// So many events in the lake, when it has reached its retention.
    Events {
        /// How many.
        events: f64,
    },
    /// As in a lake that there is, which goes on at the rate that it had in the mean.
    Lake {
        /// Where it is.
        url: String,
        /// What it holds.
        datasets: Vec<Held>,
    },
}

/// What a lake holds of a dataset.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Held {
    /// ECS `event.dataset`.
    pub dataset: String,
    /// Days that have events.
    pub days: u64,
    /// Events.
    pub events: u64,
    /// Bytes of its data files.
    pub stored_bytes: u64,
    /// Data files.
    pub files: u64,
}

/// Which detections a hunt runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Detections {
    /// All that were measured, together.
    All,
    /// So many that each take what those that were measured alone take in the mean.
    Number(u32),
    /// These, one after the other.
    Ids(Vec<String>),
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Scenario {
    /// How much arrives.
    pub source: Source,
    /// Parts of the events by dataset; as they were measured (or are in the lake) when empty.
    pub mix: Vec<(String, f64)>,
    /// Part of the arriving records that repeat others: 0.02 is 2 %.
    pub duplicates: f64,
    /// Growth of the rate each month: 0.02 is 2 %.
    pub growth_per_month: f64,
    /// Days that events are kept.
    pub retention_days: f64,
    /// How often new logs are taken in.
    pub ingest_interval_seconds: f64,
    /// How much busier than the mean the busiest hours are.
    pub peak: f64,
    /// Hunts on a day.
    pub hunts_per_day: f64,
    /// Days that a hunt looks back; the retention where it is less, or where none is given.
    pub hunt_range_days: Option<f64>,
    /// What a hunt runs.
    pub detections: Detections,
    /// How often a schedule evaluates the detections; absent where there is no schedule.
    pub schedule_interval_seconds: Option<f64>,
    /// How long a hunt may take.
    pub answer_within_seconds: Option<f64>,
    /// Cores of the machine.
    pub cores: u32,
    /// Memory of the machine.
    pub memory_bytes: u64,
    /// Where the lake is: `local`, `s3`, ... as the measurements name it.
    pub store: String,
    /// Size that compaction merges files to.
    pub target_file_bytes: u64,
    /// Months to look ahead; until the retention is reached, and at least a year, when absent.
    pub months: Option<u32>,
}

impl Scenario {
    /// Says what cannot be planned, with the flag that sets it.
    pub fn check(&self) -> Result<()> {
        let above_zero = |setting: &str, value: f64| {
            if value.is_finite() && value > 0.0 {
                Ok(())
            } else {
                Err(wrong(setting, "must be more than nothing"))
            }
        };
        match &self.source {
            Source::Users {
                users,
                events_per_user_day,
            } => {
                above_zero("--users", *users)?;
                above_zero("--events-per-user-day", *events_per_user_day)?;
            }
            Source::Events { events } => above_zero("--events", *events)?,
            Source::Lake { datasets, .. } => {
                let events: u64 = datasets.iter().map(|held| held.events).sum();
                above_zero("--from-lake", events as f64)
                    .map_err(|_| wrong("--from-lake", "the lake holds no events to go by"))?;
            }
        }
        above_zero("--retention", self.retention_days)?;
        if self.retention_days > 36_525.0 {
            return Err(wrong("--retention", "must be a hundred years at most"));
        }
        above_zero("--ingest-interval", self.ingest_interval_seconds)?;
        above_zero("--cores", f64::from(self.cores))?;
        above_zero("--memory", self.memory_bytes as f64)?;
        above_zero("--hunt-range", self.hunt_range_days.unwrap_or(1.0))?;
        above_zero("--schedule-interval", self.schedule_interval_seconds.unwrap_or(1.0))?;
        above_zero("--answer-within", self.answer_within_seconds.unwrap_or(1.0))?;
        if !(self.hunts_per_day.is_finite() && self.hunts_per_day >= 0.0) {
            return Err(wrong("--hunts-per-day", "must be 0 or more"));
        }
        if !(0.0..1.0).contains(&self.duplicates) {
            return Err(wrong("--duplicates", "must be from 0% to below 100%"));
        }
        if !(-0.5..=1.0).contains(&self.growth_per_month) {
            return Err(wrong("--growth", "must be from -50% to 100% a month"));
        }
        if !(self.peak.is_finite() && self.peak >= 1.0) {
            return Err(wrong("--peak", "must be 1 or more"));
        }
        if self.months.is_some_and(|months| !(1..=MOST_MONTHS).contains(&months)) {
            return Err(wrong("--months", "must be from 1 to 120"));
        }
        let whole: f64 = self.mix.iter().map(|(_, part)| part).sum();
        if !self.mix.is_empty() && (whole - 1.0).abs() > 0.01 {
            let sum = format!("the parts must add up to 1, and are {whole:.2}");
            return Err(wrong("--mix", &sum));
        }
        Ok(())
    }

    /// Months to look ahead.
    pub fn horizon(&self) -> u32 {
        let reached = (self.retention_days / MONTH_DAYS).ceil() as u32;
        self.months.unwrap_or(reached.clamp(12, MOST_MONTHS))
    }

    /// Days that a hunt looks back.
    pub fn range_days(&self) -> f64 {
        let range = self.hunt_range_days.unwrap_or(self.retention_days);
        range.min(self.retention_days)
    }

    /// Events on the first day.
    pub fn events_per_day(&self) -> f64 {
        match &self.source {
            Source::Users {
                users,
                events_per_user_day,
            } => users * events_per_user_day,
            Source::Events { events } => events / self.retention_days,
            Source::Lake { datasets, .. } => {
                let daily = |held: &Held| held.events as f64 / held.days.max(1) as f64;
                datasets.iter().map(daily).sum()
            }
        }
    }

    /// Days of events that are there on the first day.
    pub fn history_days(&self) -> f64 {
        match &self.source {
            Source::Lake { datasets, .. } => {
                let longest = datasets.iter().map(|held| held.days).max().unwrap_or_default();
                (longest as f64).min(self.retention_days)
            }
            _ => 0.0,
        }
    }

    /// Days since the first one after which the lake is as old as its retention.
    pub fn days_to_retention(&self) -> f64 {
        self.retention_days - self.history_days()
    }

    /// Events of a day, days since the first one.
    pub fn rate_on(&self, day: f64) -> f64 {
        // What was there before came at the same rate.
        self.events_per_day() * (1.0 + self.growth_per_month).powf(day.max(0.0) / MONTH_DAYS)
    }

    /// Events of the last `days` days before this one that are in the lake.
    pub fn events_within(&self, day: f64, days: f64) -> f64 {
        let begin = (day - days.min(self.retention_days)).max(-self.history_days());
        self.arrived_until(day) - self.arrived_until(begin)
    }

    /// Days of events in the lake on this day.
    pub fn days_held(&self, day: f64) -> f64 {
        (day + self.history_days()).min(self.retention_days)
    }

    /// The integral of the rate from the first day.
    fn arrived_until(&self, day: f64) -> f64 {
        let rate = self.events_per_day();
        let growth = (1.0 + self.growth_per_month).ln() / MONTH_DAYS;
        if day <= 0.0 || growth.abs() < 1e-12 {
            rate * day
        } else {
            rate * ((growth * day).exp() - 1.0) / growth
        }
    }
}

fn wrong(setting: &str, problem: &str) -> Error {
    Error::Setting {
        setting: setting.into(),
        problem: problem.into(),
    }
}

#[cfg(test)]
pub(crate) fn scenario() -> Scenario {
    Scenario {
        source: Source::Users {
            users: 1000.0,
            events_per_user_day: 100.0,
        },
        mix: Vec::new(),
        duplicates: 0.0,
        growth_per_month: 0.0,
        retention_days: 365.0,
        ingest_interval_seconds: 3600.0,
        peak: 4.0,
        hunts_per_day: 4.0,
        hunt_range_days: None,
        detections: Detections::All,
        schedule_interval_seconds: None,
        answer_within_seconds: None,
        cores: 2,
        memory_bytes: 8 << 30,
        store: "local".into(),
        target_file_bytes: 128 << 20,
        months: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, wanted: f64) -> bool {
        (found - wanted).abs() <= 1e-6 * wanted.abs().max(1.0)
    }

    #[test]
    fn without_growth_events_pile_up_until_the_retention() {
        let scenario = scenario();
        assert_eq!(scenario.horizon(), 12);
        assert!(close(scenario.events_within(100.0, 365.0), 100.0 * 1e5));
        assert!(close(scenario.events_within(365.0, 365.0), 365.0 * 1e5));
        assert!(close(scenario.events_within(1000.0, 365.0), 365.0 * 1e5));
        assert!(close(scenario.events_within(1000.0, 30.0), 30.0 * 1e5));
    }

    #[test]
    fn growth_is_that_of_every_day() {
        let scenario = Scenario {
            growth_per_month: 0.05,
            ..scenario()
        };
        assert!(close(scenario.rate_on(MONTH_DAYS * 12.0), 1e5 * 1.05_f64.powi(12)));
        let days = 400;
        let sum: f64 = (days - 365..days)
            .map(|day| scenario.rate_on(f64::from(day) + 0.5))
            .sum();
        assert!((scenario.events_within(400.0, 365.0) / sum - 1.0).abs() < 1e-6);
    }

    #[test]
    fn a_lake_goes_on_from_what_it_holds() {
        let held = |dataset: &str, days, events| Held {
            dataset: dataset.into(),
            days,
            events,
            stored_bytes: events * 200,
            files: days,
        };
        let scenario = Scenario {
            source: Source::Lake {
                url: "./lake".into(),
                datasets: vec![held("a", 100, 1_000_000), held("b", 50, 100_000)],
            },
            ..scenario()
        };
        assert!(close(scenario.events_per_day(), 12_000.0));
        assert!(close(scenario.events_within(0.0, 365.0), 1_200_000.0));
        assert!(close(scenario.days_to_retention(), 265.0));
        let growing = Scenario {
            growth_per_month: 0.05,
            ..scenario.clone()
        };
        assert!(
            close(growing.events_within(0.0, 365.0), 1_200_000.0),
            "it grows from now on"
        );
        assert!(close(scenario.events_within(300.0, 365.0), 365.0 * 12_000.0));
    }

    #[test]
    fn so_many_events_are_there_in_the_end() {
        let scenario = Scenario {
            source: Source::Events { events: 3e7 },
            ..scenario()
        };
        assert!(close(scenario.events_within(365.0, scenario.range_days()), 3e7));
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_its_flag() {
        let said = |change: &dyn Fn(&mut Scenario)| {
            let mut scenario = scenario();
            change(&mut scenario);
            scenario.check().unwrap_err().to_string()
        };
        assert_eq!(
            said(&|s| s.retention_days = 0.0),
            "--retention: must be more than nothing"
        );
        assert!(said(&|s| s.duplicates = 1.0).starts_with("--duplicates: "));
        assert!(said(&|s| s.growth_per_month = 3.0).starts_with("--growth: "));
        assert!(said(&|s| s.peak = 0.5).starts_with("--peak: "));
        assert!(said(&|s| s.cores = 0).starts_with("--cores: "));
        assert!(said(&|s| s.months = Some(0)).starts_with("--months: "));
        assert!(said(&|s| s.mix = vec![("a".into(), 0.5)]).contains("add up to 1, and are 0.50"));
        assert!(said(&|s| s.source = Source::Events { events: f64::NAN }).starts_with("--events: "));
        assert!(scenario().check().is_ok());
    }
}
