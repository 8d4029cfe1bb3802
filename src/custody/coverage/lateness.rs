//! How long after they happened events came into the lake.

use crate::report::human::duration;
use serde::Serialize;
use std::collections::BTreeMap;

/// How late events came: `event.ingested` after `@timestamp`. Of the two in the middle, seconds
/// are kept up to an hour, then minutes, and hours from two days on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Lateness {
    /// Of the earliest; below zero where its clock went ahead of ours.
    pub min_seconds: i64,
    /// Half of the events came no later.
    pub median_seconds: i64,
    /// 95 of 100 came no later.
    pub p95_seconds: i64,
    /// Of the latest.
    pub max_seconds: i64,
}

/// Events by how late they came.
#[derive(Debug, Default)]
pub(super) struct Latenesses {
    counts: BTreeMap<i64, u64>,
    ends: Option<(i64, i64)>,
}

impl Latenesses {
    /// Adds events that came so late, about, with the least and the most of them.
    pub(super) fn add(&mut self, seconds: i64, events: u64, (least, most): (i64, i64)) {
        *self.counts.entry(seconds).or_default() += events;
        let (min, max) = self.ends.unwrap_or((least, most));
        self.ends = Some((min.min(least), max.max(most)));
    }

    pub(super) fn summed_up(&self) -> Option<Lateness> {
        let (min_seconds, max_seconds) = self.ends?;
        let all: u64 = self.counts.values().sum();
        // The least that so many of 100 do not exceed, within what is known exactly.
        let quantile = |percent: u64| {
            let wanted = (all * percent).div_ceil(100);
            let mut sum = 0;
            let mut sums = self.counts.iter().map(|(seconds, count)| {
                sum += count;
                (*seconds, sum)
            });
            let found = sums
                .find(|(_, sum)| *sum >= wanted)
                .map_or(max_seconds, |(seconds, _)| seconds);
            found.clamp(min_seconds, max_seconds)
        };
        Some(Lateness {
            min_seconds,
            median_seconds: quantile(50),
            p95_seconds: quantile(95),
            max_seconds,
        })
    }
}

/// A time between two events as people read it.
pub fn how_long(seconds: i64) -> String {
    let length = duration(std::time::Duration::from_secs(seconds.unsigned_abs()));
    match seconds {
        0 => "0 s".to_owned(),
        ..0 => format!("-{length}"),
        _ => length,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_sorted_list() {
        let mut late = Latenesses::default();
        assert_eq!(late.summed_up(), None);
        for seconds in (1..=100).rev() {
            late.add(seconds, 2, (seconds, seconds));
        }
        late.add(7200, 1, (7230, 7250));
        let expected = Lateness {
            min_seconds: 1,
            median_seconds: 51,
            p95_seconds: 96,
            max_seconds: 7250,
        };
        assert_eq!(late.summed_up(), Some(expected));
    }

    #[test]
    fn one_event_is_as_late_as_it_is() {
        let mut late = Latenesses::default();
        late.add(7200, 1, (7230, 7230));
        let all = late.summed_up().unwrap();
        assert_eq!(
            [all.min_seconds, all.median_seconds, all.p95_seconds, all.max_seconds],
            [7230; 4]
        );
    }
}
