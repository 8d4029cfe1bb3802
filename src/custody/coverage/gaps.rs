//! Hours without events where the history of the same log expects some.
//!
//! Hours are judged by those that are comparable, from the whole history of the log:
//!
//! 1. the same hour of the week in other weeks, if there are three or more; else
//! 2. the same hour of the day on the same kind of day (Monday to Friday, or weekend), if there
//!    are three or more; else
//! 3. all other hours, if there are 24 or more; else nothing is expected.
//!
//! The stretch of empty hours around an hour is no evidence of what is usual there, so that a
//! month that is missing does not make itself normal.
//!
//! Of `m` comparable hours, `q` is the lower quartile of their counts of events: bursts do not
//! raise it, and up to a quarter of the comparable hours may be missing themselves. An hour as
//! busy as that, in which events come independently of each other, is empty with the probability
//! `(m / (m + 1)) ^ (m q)`. This is what a Poisson process whose rate is known from `m` hours with
//! `q` events each predicts (the Gamma-Poisson predictive probability of none); with more history
//! it becomes `exp(-q)`. Below the limit, 1 in 1000 unless told otherwise, the hour is a gap: with
//! three comparable hours that takes 9 events in each, with many 7.
//!
//! Quiet logs have no such hours and can still lose a day. So a stretch of 24 empty hours or more
//! without a single such hour is judged as a whole in the same way, with the sums of the same
//! stretch of other weeks. As it could have begun in any hour of the week, its limit is 1/168 of
//! that of an hour: with many weeks it takes 13 events. It is a gap from the first to the last of
//! its hours that usually have an event.
//!
//! Between two gap hours of one empty stretch, the gap goes on: nights are part of it.

use std::collections::HashMap;

/// Hours of a week.
const WEEK: i64 = 168;

/// Comparable hours, or stretches, that say anything.
const LEAST: usize = 3;

/// A shorter stretch is not judged as a whole: a night that begins early is none of ours.
const DAY: i64 = 24;

/// Where all hours are comparable, so many.
const LEAST_OF_ALL: usize = 24;

/// What is usual.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Usual {
    /// Comparable hours.
    pub(super) hours: usize,
    /// Lower quartile of their events.
    pub(super) low: u64,
    /// Lower median of their events.
    pub(super) median: u64,
}

impl Usual {
    /// None where there are fewer than these.
    pub(super) fn of(mut counts: Vec<u64>, least: usize) -> Option<Self> {
        if counts.len() < least {
            return None;
        }
        let hours = counts.len();
        let median = *counts.select_nth_unstable((hours - 1) / 2).1;
        let low = *counts.select_nth_unstable(hours / 4).1;
        Some(Self { hours, low, median })
    }

    /// How likely one more of them is empty.
    pub(super) fn probability_of_none(self) -> f64 {
        let hours = self.hours as f64;
        (hours / (hours + 1.0)).powf(hours * self.low as f64)
    }
}

/// Hours without events that should have some; hours are counted from the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Gap {
    /// The first hour.
    pub(super) from: i64,
    /// The hour after the last one.
    pub(super) to: i64,
    /// How many events such hours usually have.
    pub(super) expected: u64,
}

/// Events per hour from the first hour that is known of to the last one.
#[derive(Debug)]
pub(super) struct History {
    first: i64,
    counts: Vec<u64>,
    /// Events before each hour, and at the end all.
    before: Vec<u64>,
}

impl History {
    /// From hours with their events.
    pub(super) fn new(hours: &HashMap<i64, u64>) -> Self {
        let busy = || hours.iter().filter(|(_, count)| **count > 0).map(|(hour, _)| *hour);
        let first = busy().min().unwrap_or_default();
        let end = busy().max().map_or(first, |hour| hour + 1);
        let mut counts = vec![0; usize::try_from(end - first).unwrap_or_default()];
        for (hour, count) in hours {
            if let Some(place) = usize::try_from(hour - first).ok().and_then(|at| counts.get_mut(at)) {
                *place = *count;
            }
        }
        let mut sum = 0;
        let mut before = vec![0];
        before.extend(counts.iter().map(|count| {
            sum += count;
            sum
        }));
        Self { first, counts, before }
    }

    fn end(&self) -> i64 {
        self.first + self.counts.len() as i64
    }

    fn count(&self, hour: i64) -> u64 {
        let place = usize::try_from(hour - self.first).ok();
        place.and_then(|at| self.counts.get(at)).copied().unwrap_or_default()
    }

    fn sum(&self, from: i64, to: i64) -> u64 {
        let before = |hour: i64| self.before[usize::try_from(hour - self.first).unwrap_or_default()];
        before(to) - before(from)
    }

    /// The gaps within a range of hours, where an hour or stretch is one if it is empty with less
    /// than this probability. The range may begin before the history, and end after it.
    pub(super) fn gaps(&self, range: (i64, i64), limit: f64) -> Vec<Gap> {
        let mut gaps = Vec::new();
        let known = (self.first.min(range.0), self.end().max(range.1));
        if self.counts.is_empty() {
            return gaps;
        }
        let mut hour = range.0;
        while hour < range.1 {
            if self.count(hour) > 0 {
                hour += 1;
                continue;
            }
            let stretch = self.stretch(hour, known);
            let end = stretch.to.min(range.1);
            gaps.extend(stretch.gap((hour, end), limit));
            hour = end;
        }
        gaps
    }

    /// Hours of a range in which so much is usual that an empty one would be a gap.
    pub(super) fn expecting(&self, range: (i64, i64), limit: f64) -> u64 {
        if self.counts.is_empty() {
            return 0;
        }
        let mut nothing = self.outside_of(self.first, self.first);
        let hours = (range.0..range.1).filter(|&hour| {
            let usual = nothing.usual(hour);
            usual.is_some_and(|usual| usual.probability_of_none() < limit)
        });
        hours.count() as u64
    }

    /// The empty hours around one of them, as far as is known.
    fn stretch(&self, hour: i64, known: (i64, i64)) -> Stretch<'_> {
        let (mut from, mut to) = (hour, hour + 1);
        while from > known.0 && self.count(from - 1) == 0 {
            from -= 1;
        }
        while to < known.1 && self.count(to) == 0 {
            to += 1;
        }
        self.outside_of(from, to)
    }

    fn outside_of(&self, from: i64, to: i64) -> Stretch<'_> {
        Stretch {
            history: self,
            from,
            to,
            usual: HashMap::new(),
            of_kinds: HashMap::new(),
            of_all: None,
        }
    }
}

/// Empty hours in a row, and what is usual outside of them.
struct Stretch<'a> {
    history: &'a History,
    from: i64,
    to: i64,
    /// By hour of the week.
    usual: HashMap<i64, Option<Usual>>,
    /// By kind of day and hour.
    of_kinds: HashMap<(bool, i64), Option<Usual>>,
    of_all: Option<Option<Usual>>,
}

impl Stretch<'_> {
    /// The gap within these hours of the stretch.
    fn gap(mut self, hours: (i64, i64), limit: f64) -> Option<Gap> {
        let all = || hours.0..hours.1;
        let mut chosen: Vec<i64> = all()
            .filter(|&hour| {
                self.usual(hour)
                    .is_some_and(|usual| usual.probability_of_none() < limit)
            })
            .collect();
        let mut of_whole = None;
        if chosen.is_empty() {
            let is_improbable = |usual: &Usual| usual.probability_of_none() < limit / WEEK as f64;
            of_whole = self.whole().filter(is_improbable);
        }
        if of_whole.is_some() {
            chosen = all()
                .filter(|&hour| self.usual(hour).is_some_and(|usual| usual.median > 0))
                .collect();
            if chosen.is_empty() {
                chosen = all().collect();
            }
        }
        let (from, to) = (*chosen.first()?, chosen.last()? + 1);
        let expected = (from..to).filter_map(|hour| self.usual(hour)).map(|usual| usual.median);
        Some(Gap {
            from,
            to,
            // Where no hour by itself usually has events, the stretch has them all the same.
            expected: expected.sum::<u64>().max(of_whole.map_or(0, |usual| usual.median)),
        })
    }

    /// What is usual in an hour of the stretch.
    fn usual(&mut self, hour: i64) -> Option<Usual> {
        let class = hour.rem_euclid(WEEK);
        if let Some(known) = self.usual.get(&class) {
            return *known;
        }
        let weeks = Usual::of(self.outside(hour, WEEK).collect(), LEAST);
        let usual = weeks.or_else(|| self.of_kind(hour)).or_else(|| self.of_all());
        self.usual.insert(class, usual);
        usual
    }

    fn of_kind(&mut self, hour: i64) -> Option<Usual> {
        let kind = (is_weekend(hour), hour.rem_euclid(24));
        if let Some(known) = self.of_kinds.get(&kind) {
            return *known;
        }
        let days = self
            .hours_outside(hour, 24)
            .filter(|other| is_weekend(*other) == kind.0);
        let usual = Usual::of(days.map(|other| self.history.count(other)).collect(), LEAST);
        self.of_kinds.insert(kind, usual);
        usual
    }

    fn of_all(&mut self) -> Option<Usual> {
        let known = self.of_all;
        known.unwrap_or_else(|| {
            let usual = Usual::of(self.outside(self.from, 1).collect(), LEAST_OF_ALL);
            self.of_all = Some(usual);
            usual
        })
    }

    /// What is usual in all of the stretch together.
    fn whole(&self) -> Option<Usual> {
        let length = self.to - self.from;
        if length < DAY {
            return None;
        }
        let starts = self.hours_outside(self.from, WEEK).filter(|start| {
            let end = start + length;
            end <= self.history.end() && (end <= self.from || *start >= self.to)
        });
        let sums = starts.map(|start| self.history.sum(start, start + length));
        Usual::of(sums.collect(), LEAST)
    }

    fn outside(&self, hour: i64, step: i64) -> impl Iterator<Item = u64> {
        self.hours_outside(hour, step).map(|other| self.history.count(other))
    }

    /// Hours of the history that are this many apart from an hour of the stretch, and not in it.
    fn hours_outside(&self, hour: i64, step: i64) -> impl Iterator<Item = i64> {
        let (first, end) = (self.history.first, self.history.end());
        let upto = |hour: i64| hour.div_euclid(step);
        // The first hours of the class in the history and after the stretch.
        let begin = hour - upto(hour - first) * step;
        let after = hour + (upto(self.to - 1 - hour) + 1) * step;
        let before = (begin..self.from).step_by(step as usize);
        before.chain((after..end).step_by(step as usize))
    }
}

/// Saturday or Sunday, UTC. The Unix epoch was a Thursday.
fn is_weekend(hour: i64) -> bool {
    matches!(hour.div_euclid(24).rem_euclid(7), 2 | 3)
}

#[cfg(test)]
mod tests;
