//! Sightings of one term, kept as runs: all that is needed to say exactly when it was new.
//!
//! A sighting at `t` is *new* when there is none in `[t - history, t)`. A *run* is a maximal
//! stretch of sightings without a gap longer than the history, so exactly the first sighting
//! of a run is new. A gap of the history itself does not break a run. Sightings at the same
//! time are one, and the smallest event id speaks for it.
//!
//! Joining two lists of runs loses nothing: what happens inside a run can never become new.
//! It is associative and commutative, so parts of the data may be taken in any order.

pub(crate) mod accumulators;
mod encoding;

pub use encoding::DecodeError;

use std::cmp::Ordering;

/// Two states were kept under different history windows, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("new_terms states with histories of {0} us and {1} us cannot be joined: compute one of them again")]
pub struct DifferentHistories(pub u64, pub u64);

/// A stretch of sightings without a gap longer than the history window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Time of the first sighting, the new one, in microseconds since the Unix epoch.
    pub first_time: i64,
    /// The smallest event id at that time; `None` if no event there has an id.
    pub first_event_id: Option<Box<str>>,
    /// Time of the last sighting.
    pub last_time: i64,
}

impl Run {
    /// Sets the event that speaks for the run and returns by how many bytes it is longer.
    fn speak(&mut self, event_id: Option<&str>) -> isize {
        let before = self.first_event_id.as_ref().map_or(0, |id| id.len());
        self.first_event_id = event_id.map(Box::from);
        event_id.map_or(0, str::len) as isize - before as isize
    }
}

/// All sightings of one term under one history window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SightingRuns {
    history: u64,
    runs: Runs,
}

impl SightingRuns {
    /// No sightings yet. The history window is in microseconds.
    pub fn new(history: u64) -> Self {
        Self {
            history,
            runs: Runs::default(),
        }
    }

    /// The history window in microseconds.
    pub fn history(&self) -> u64 {
        self.history
    }

    /// Adds a sighting at a time in microseconds since the Unix epoch.
    pub fn insert(&mut self, time: i64, event_id: Option<&str>) {
        self.runs.insert(self.history, time, event_id);
    }

    /// Adds the sightings of a run, between which there is no gap longer than the history.
    pub fn insert_run(&mut self, run: Run) {
        self.runs.merge(self.history, Runs(vec![run]));
    }

    /// Adds all sightings of another state. States of different history windows cannot be joined.
    pub fn merge(&mut self, other: &Self) -> Result<(), DifferentHistories> {
        if self.history != other.history {
            return Err(DifferentHistories(self.history, other.history));
        }
        self.runs.merge(self.history, other.runs.clone());
        Ok(())
    }

    /// The runs in order of time; the first sighting of each is new.
    pub fn starts(&self) -> &[Run] {
        &self.runs.0
    }
}

/// Runs in order of time, with more than the history between them.
///
/// The history is kept once by the caller: there may be one of these for each of millions of terms.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Runs(Vec<Run>);

impl Runs {
    pub(crate) fn as_slice(&self) -> &[Run] {
        &self.0
    }

    /// Bytes on the heap. Ids are counted, so this is linear in the number of runs.
    pub(crate) fn heap_size(&self) -> usize {
        let ids: usize = self
            .0
            .iter()
            .map(|run| run.first_event_id.as_ref().map_or(0, |id| id.len()))
            .sum();
        self.0.capacity() * size_of::<Run>() + ids
    }

    /// Adds a sighting and returns by how many bytes the heap grew, without counting it all again.
    pub(crate) fn insert(&mut self, history: u64, time: i64, event_id: Option<&str>) -> isize {
        let capacity = self.0.capacity();
        let ids = self.insert_run(history, time, event_id);
        ids + (self.0.capacity() as isize - capacity as isize) * size_of::<Run>() as isize
    }

    /// Adds a sighting and returns by how many bytes the ids grew.
    fn insert_run(&mut self, history: u64, time: i64, event_id: Option<&str>) -> isize {
        let after = self.0.partition_point(|run| run.first_time <= time);
        let next_first = self.0.get(after).map(|next| next.first_time);
        if let Some(previous) = after.checked_sub(1).map(|index| &mut self.0[index])
            && is_close(previous.last_time, time, history)
        {
            if time == previous.first_time {
                let smaller = order_of_ids(event_id, previous.first_event_id.as_deref()) == Ordering::Less;
                return if smaller { previous.speak(event_id) } else { 0 };
            }
            if time > previous.last_time {
                previous.last_time = time;
                if next_first.is_some_and(|first| is_close(time, first, history)) {
                    let mut next = self.0.remove(after);
                    self.0[after - 1].last_time = next.last_time;
                    return next.speak(None);
                }
            }
            return 0;
        }
        if let Some(next) = self.0.get_mut(after)
            && is_close(time, next.first_time, history)
        {
            next.first_time = time;
            return next.speak(event_id);
        }
        // Most terms have one run for ever, and a vector would start with room for four.
        if self.0.is_empty() {
            self.0.reserve_exact(1);
        }
        let mut run = Run {
            first_time: time,
            first_event_id: None,
            last_time: time,
        };
        let grown = run.speak(event_id);
        self.0.insert(after, run);
        grown
    }

    pub(crate) fn merge(&mut self, history: u64, other: Self) {
        if self.0.is_empty() {
            *self = other;
            return;
        }
        // The usual state of a part of the data is a single sighting or run: no need to rebuild the list.
        if let [run] = other.0.as_slice() {
            if run.first_time == run.last_time {
                self.insert(history, run.first_time, run.first_event_id.as_deref());
                return;
            }
        } else if other.0.is_empty() {
            return;
        }
        let mut all = std::mem::take(&mut self.0);
        all.extend(other.0);
        all.sort_by(|left, right| {
            left.first_time
                .cmp(&right.first_time)
                .then_with(|| order_of_ids(left.first_event_id.as_deref(), right.first_event_id.as_deref()))
        });
        all.dedup_by(|next, kept| {
            let joined = is_close(kept.last_time, next.first_time, history);
            if joined {
                kept.last_time = kept.last_time.max(next.last_time);
            }
            joined
        });
        self.0 = all;
    }
}

/// A sighting at `later` sees one at `earlier` in its history, or lies before the end of its run.
fn is_close(earlier: i64, later: i64, history: u64) -> bool {
    later <= earlier || later.abs_diff(earlier) <= history
}

/// Ids in order of their bytes; a missing one comes last, so that any id speaks before it.
fn order_of_ids(left: Option<&str>, right: Option<&str>) -> Ordering {
    match (left, right) {
        (Some(left), Some(right)) => left.cmp(right),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Event = (i64, Option<String>);

    /// The definition, event by event: (time, id) of every new sighting.
    fn new_sightings(history: u64, events: &[Event]) -> Vec<Event> {
        let mut times: Vec<i64> = events.iter().map(|event| event.0).collect();
        times.sort_unstable();
        times.dedup();
        let is_new = |t: i64| {
            !times
                .iter()
                .any(|s| *s < t && i128::from(*s) >= i128::from(t) - i128::from(history))
        };
        let speaker = |t: i64| {
            events
                .iter()
                .filter(|event| event.0 == t)
                .filter_map(|event| event.1.clone())
                .min()
        };
        times
            .iter()
            .copied()
            .filter(|t| is_new(*t))
            .map(|t| (t, speaker(t)))
            .collect()
    }

    fn starts(runs: &SightingRuns) -> Vec<Event> {
        runs.starts()
            .iter()
            .map(|run| (run.first_time, run.first_event_id.as_deref().map(String::from)))
            .collect()
    }

    fn all_of(history: u64, events: &[Event]) -> SightingRuns {
        let mut runs = SightingRuns::new(history);
        events.iter().for_each(|(time, id)| runs.insert(*time, id.as_deref()));
        runs
    }

    fn joined(left: &SightingRuns, right: &SightingRuns) -> SightingRuns {
        let mut left = left.clone();
        left.merge(right).unwrap();
        left
    }

    #[test]
    fn a_gap_of_the_history_itself_is_not_new() {
        let mut runs = SightingRuns::new(10);
        [0, 10, 21].into_iter().for_each(|time| runs.insert(time, Some("e")));
        let times: Vec<(i64, i64)> = runs
            .starts()
            .iter()
            .map(|run| (run.first_time, run.last_time))
            .collect();
        assert_eq!(times, [(0, 10), (21, 21)]);
    }

    #[test]
    fn different_histories_are_not_joined() {
        let error = SightingRuns::new(1).merge(&SightingRuns::new(2));
        assert_eq!(error, Err(DifferentHistories(1, 2)));
    }

    #[test]
    fn the_ends_of_time_do_not_overflow() {
        let mut runs = SightingRuns::new(u64::MAX - 1);
        [i64::MAX, i64::MIN, 0]
            .into_iter()
            .for_each(|time| runs.insert(time, None));
        assert_eq!(runs.starts().len(), 1);
        let mut runs = SightingRuns::new(1);
        [i64::MAX, i64::MIN, 0]
            .into_iter()
            .for_each(|time| runs.insert(time, None));
        assert_eq!(runs.starts().len(), 3);
    }

    fn events() -> impl Strategy<Value = (u64, Vec<Event>)> {
        // Few times and ids, so that ties and gaps of exactly the history are common.
        let event = (-60i64..60, prop::option::weighted(0.9, "[abc]"));
        (1u64..12, prop::collection::vec(event, 0..40))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn parts_in_any_order_give_the_definition(
            (history, events) in events(),
            parts in prop::collection::vec(0usize..5, 40),
            order in Just([0usize, 1, 2, 3, 4]).prop_shuffle(),
        ) {
            let expected = new_sightings(history, &events);
            prop_assert_eq!(starts(&all_of(history, &events)), expected.clone());
            let mut measured = (Runs::default(), 0);
            for (time, id) in &events {
                measured.1 += measured.0.insert(history, *time, id.as_deref());
            }
            prop_assert_eq!(measured.0.heap_size() as isize, measured.1);

            let mut total = SightingRuns::new(history);
            for part in order {
                let share = events.iter().zip(&parts).filter(|(_, of)| **of == part).map(|(event, _)| event.clone());
                let state = all_of(history, &share.collect::<Vec<_>>());
                total.merge(&SightingRuns::decode(&state.encode()).unwrap()).unwrap();
            }
            prop_assert_eq!(starts(&total), expected);
            prop_assert_eq!(total, all_of(history, &events));
        }

        #[test]
        fn joining_is_associative_and_commutative(
            (history, a) in events(), (_, b) in events(), (_, c) in events(),
        ) {
            let [a, b, c] = [a, b, c].map(|events| all_of(history, &events));
            prop_assert_eq!(joined(&joined(&a, &b), &c), joined(&a, &joined(&b, &c)));
            prop_assert_eq!(joined(&a, &b), joined(&b, &a));
            prop_assert_eq!(joined(&a, &a), a);
        }

        #[test]
        fn last_times_are_the_last_of_each_run((history, events) in events()) {
            let runs = all_of(history, &events);
            let starts: Vec<i64> = runs.starts().iter().map(|run| run.first_time).collect();
            for (index, run) in runs.starts().iter().enumerate() {
                let next = starts.get(index + 1).copied().unwrap_or(i64::MAX);
                let last = events.iter().map(|event| event.0).filter(|t| (run.first_time..next).contains(t)).max();
                prop_assert_eq!(Some(run.last_time), last);
            }
        }
    }
}
