//! What is known of each log, and what that makes of a range.

use super::gaps::History;
use super::lateness::{Lateness, Latenesses};
use super::{HOUR, Range, instant, maybe_instant};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A dataset of an organisation over a range of whole hours.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LogCoverage {
    /// ECS `event.dataset`.
    pub dataset: String,
    /// ECS `organization.id`, or the tenant of Entra's and Defender's logs, in lower case; none
    /// where records do not say.
    pub organization: Option<String>,
    /// Begin of the first hour that was looked at.
    #[serde(serialize_with = "instant")]
    pub from: i64,
    /// End of the last hour.
    #[serde(serialize_with = "instant")]
    pub to: i64,
    /// Time of the first event in between.
    #[serde(serialize_with = "maybe_instant")]
    pub first: Option<i64>,
    /// Time of the last one.
    #[serde(serialize_with = "maybe_instant")]
    pub last: Option<i64>,
    /// Events in between.
    pub events: u64,
    /// Records in files that repeated an event.
    pub duplicates: u64,
    /// Records in quarantine, by their neighbours in the file.
    pub rejected: u64,
    /// How late the events came.
    pub late: Option<Lateness>,
    /// Hours in which, by the history of the log, an event was to be expected. Without any, there
    /// are too few events to tell an hour that is missing.
    pub hours_expected: u64,
    /// Hours that have any of these, in order.
    pub hours: Vec<CoveredHour>,
    /// Where events are missing, in order.
    pub gaps: Vec<Gap>,
}

/// An hour of a log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct CoveredHour {
    /// Its begin.
    #[serde(serialize_with = "instant")]
    pub hour: i64,
    /// Events in it.
    pub events: u64,
    /// Records in files that repeated one of its events.
    pub duplicates: u64,
    /// Records in quarantine that were beside one of its events, or conflict with one.
    pub rejected: u64,
}

/// Hours in a row without events where the log's history expects some.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// Begin of its first hour.
    #[serde(serialize_with = "instant")]
    pub from: i64,
    /// End of its last hour.
    #[serde(serialize_with = "instant")]
    pub to: i64,
    /// How many events such hours usually have.
    pub expected: u64,
}

impl LogCoverage {
    /// Hours that have events, and all hours.
    pub fn hours_with_events(&self) -> (u64, u64) {
        let with = self.hours.iter().filter(|hour| hour.events > 0).count();
        (with as u64, ((self.to - self.from) / HOUR) as u64)
    }
}

/// Dataset and organisation.
pub(super) type Key = (String, Option<String>);

/// What is known of a log; hours are counted from the Unix epoch.
#[derive(Debug, Default)]
pub(super) struct Log {
    /// Events of all hours, also outside of the range.
    pub(super) events: HashMap<i64, u64>,
    pub(super) duplicates: HashMap<i64, u64>,
    pub(super) rejected: HashMap<i64, u64>,
    /// First and last event in the range.
    pub(super) ends: Option<(i64, i64)>,
    pub(super) late: Latenesses,
}

/// All logs.
#[derive(Debug, Default)]
pub(super) struct Logs {
    logs: BTreeMap<Key, Log>,
}

impl Logs {
    pub(super) fn log(&mut self, key: Key) -> &mut Log {
        self.logs.entry(key).or_default()
    }

    pub(super) fn has_organization(&self, id: &str) -> bool {
        self.logs
            .keys()
            .any(|(_, organization)| organization.as_deref() == Some(id))
    }

    /// Each log that has anything in the range, or should have.
    pub(super) fn covered(self, range: Range, limit: f64) -> Vec<LogCoverage> {
        let covered = self
            .logs
            .into_iter()
            .filter_map(|(key, log)| log.covered(key, range, limit));
        covered.collect()
    }
}

impl Log {
    fn covered(&self, (dataset, organization): Key, range: Range, limit: f64) -> Option<LogCoverage> {
        let known = || {
            [&self.events, &self.duplicates, &self.rejected]
                .into_iter()
                .flat_map(HashMap::keys)
        };
        let from = range.from.or_else(|| known().min().copied())?;
        let to = range.to.or_else(|| known().max().map(|hour| hour + 1))?;
        if from >= to {
            return None;
        }
        let inside: BTreeSet<i64> = known().filter(|hour| (from..to).contains(hour)).copied().collect();
        let of = |counts: &HashMap<i64, u64>, hour: i64| counts.get(&hour).copied().unwrap_or_default();
        let hours = inside.into_iter().map(|hour| CoveredHour {
            hour: hour * HOUR,
            events: of(&self.events, hour),
            duplicates: of(&self.duplicates, hour),
            rejected: of(&self.rejected, hour),
        });
        let hours: Vec<CoveredHour> = hours.collect();
        let history = History::new(&self.events);
        let gaps = history.gaps((from, to), limit);
        let gaps: Vec<Gap> = gaps
            .into_iter()
            .map(|gap| Gap {
                from: gap.from * HOUR,
                to: gap.to * HOUR,
                expected: gap.expected,
            })
            .collect();
        if hours.is_empty() && gaps.is_empty() {
            return None;
        }
        Some(LogCoverage {
            dataset,
            organization,
            from: from * HOUR,
            to: to * HOUR,
            first: self.ends.map(|(first, _)| first),
            last: self.ends.map(|(_, last)| last),
            events: hours.iter().map(|hour| hour.events).sum(),
            duplicates: hours.iter().map(|hour| hour.duplicates).sum(),
            rejected: hours.iter().map(|hour| hour.rejected).sum(),
            late: self.late.summed_up(),
            hours_expected: history.expecting((from, to), limit),
            hours,
            gaps,
        })
    }
}
