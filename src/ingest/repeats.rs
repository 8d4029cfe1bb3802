//! How many repeats a file had, by what they repeat: dataset, organisation and hour.

use super::batch::EventBatch;
use super::near::place;
use std::collections::BTreeMap;

const HOUR: i64 = 3_600_000_000;

/// Hours that are told apart per file: two years of one tenant and dataset are 17,520. A file of
/// made-up tenants must not fill the memory.
const MOST: usize = 50_000;

/// Dataset, organisation in lower case, and the beginning of the hour in microseconds since the Unix epoch.
type Hour = (String, Option<String>, i64);

/// Repeats by hour.
#[derive(Debug, Clone, Default)]
pub(super) struct Repeats {
    hours: BTreeMap<Hour, u64>,
    /// Those of further hours.
    others: u64,
}

impl Repeats {
    /// Counts rows of a batch. Repeats in a row are mostly of one hour.
    pub(super) fn add(&mut self, batch: &EventBatch, rows: &[u32]) {
        let mut run: Option<((Option<&str>, i64), u64)> = None;
        for &row in rows {
            let (organization, time) = place(batch, row);
            let hour = (organization, time - time.rem_euclid(HOUR));
            match &mut run {
                Some((same, count)) if *same == hour => *count += 1,
                _ => {
                    if let Some((hour, count)) = run.replace((hour, 1)) {
                        self.count(&batch.dataset, hour, count);
                    }
                }
            }
        }
        if let Some((hour, count)) = run {
            self.count(&batch.dataset, hour, count);
        }
    }

    fn count(&mut self, dataset: &str, (organization, hour): (Option<&str>, i64), count: u64) {
        let key = (dataset.to_owned(), organization.map(str::to_ascii_lowercase), hour);
        let room = self.hours.len() < MOST;
        match self.hours.get_mut(&key) {
            Some(known) => *known += count,
            None if room => drop(self.hours.insert(key, count)),
            None => self.others += count,
        }
    }

    /// How many hours there are.
    pub(super) fn len(&self) -> usize {
        self.hours.len()
    }

    /// Each hour with its repeats, and at the end those of no known hour.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Option<&Hour>, u64)> {
        let hours = self.hours.iter().map(|(hour, count)| (Some(hour), *count));
        hours.chain((self.others > 0).then_some((None, self.others)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_beyond_the_limit_are_counted_together() {
        let mut repeats = Repeats::default();
        for hour in 0..MOST as i64 + 3 {
            repeats.count("d", (None, hour * HOUR), 2);
        }
        repeats.count("d", (None, 0), 1);
        assert_eq!(repeats.len(), MOST);
        let counts: Vec<u64> = repeats.iter().map(|(_, count)| count).collect();
        assert_eq!((counts[0], counts.last()), (3, Some(&6)));
        assert_eq!(counts.iter().sum::<u64>(), 2 * (MOST as u64 + 3) + 1);
    }
}
