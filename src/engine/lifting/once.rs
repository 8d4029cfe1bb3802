//! Gives a tick only once what several panes tell it alike.
//!
//! The greatest of a window's values, or the mere fact that a key is in it, is the same however
//! often a tick is told. Where the panes of a key have the same state, as that of a user whose
//! name does not change from day to day, a window of thirty panes would be told thirty times.

use super::ticks::Ticks;
use ahash::AHashMap;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::row::{RowConverter, SortField};
use datafusion::common::Result;
use datafusion::execution::memory_pool::MemoryReservation;
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;
use std::sync::Arc;

/// Rows after which it must have spared something.
const TRIAL: usize = 256 << 10;

/// One in so many copies must be spared to go on.
const WORTHWHILE: u64 = 4;

/// Bytes of an entry beside its row, and of each span.
const ENTRY_BYTES: usize = 64;
const SPAN_BYTES: usize = 32;

/// A row of a batch, and the first and the last tick that it is copied to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Copies {
    pub(super) row: u32,
    pub(super) first: i64,
    pub(super) last: i64,
}

/// Whether to merge a state twice gives what merging it once gives, for all of these.
pub(super) fn may_be_told_once(functions: &[Arc<AggregateFunctionExpr>]) -> bool {
    const IDEMPOTENT: [&str; 6] = ["min", "max", "bool_and", "bool_or", "bit_and", "bit_or"];
    functions
        .iter()
        .all(|function| IDEMPOTENT.contains(&function.fun().name()))
}

/// What ticks have been told so far.
pub(super) struct Told {
    ticks: Ticks,
    /// Columns but that of the time.
    columns: Vec<usize>,
    converter: RowConverter,
    /// By row: the spans of ticks that have it, in order and apart.
    spans: AHashMap<Box<[u8]>, Vec<(i64, i64)>>,
    rows: usize,
    copies: u64,
    spared: u64,
    /// There is no memory for more spans.
    full: bool,
    memory: MemoryReservation,
    limit: usize,
}

impl Told {
    /// Of batches like this one, whose column `time` has the ends of panes; none where rows of
    /// such columns cannot be compared. Takes no more than so many bytes.
    pub(super) fn new(
        batch: &RecordBatch,
        time: usize,
        ticks: Ticks,
        memory: MemoryReservation,
        limit: usize,
    ) -> Result<Option<Self>> {
        let columns: Vec<usize> = (0..batch.num_columns()).filter(|column| *column != time).collect();
        let types = columns.iter().map(|column| batch.column(*column).data_type().clone());
        let fields: Vec<SortField> = types.map(SortField::new).collect();
        if fields.is_empty() || !RowConverter::supports_fields(&fields) {
            return Ok(None);
        }
        Ok(Some(Self {
            ticks,
            columns,
            converter: RowConverter::new(fields)?,
            spans: AHashMap::new(),
            rows: 0,
            copies: 0,
            spared: 0,
            full: false,
            memory,
            limit,
        }))
    }

    /// Of these copies of a batch's rows, those that say anything new.
    pub(super) fn new_ones(&mut self, batch: &RecordBatch, copies: Vec<Copies>) -> Result<Vec<Copies>> {
        let columns: Vec<_> = self
            .columns
            .iter()
            .map(|column| Arc::clone(batch.column(*column)))
            .collect();
        let rows = self.converter.convert_columns(&columns)?;
        let mut new = Vec::with_capacity(copies.len());
        for copies in copies {
            let row = rows.row(copies.row as usize);
            let known = match self.spans.get_mut(row.as_ref()) {
                Some(known) => known,
                None => {
                    if !self.room(row.as_ref().len() + ENTRY_BYTES) {
                        // Too many to remember: of who is not remembered, ticks are told again.
                        new.push(copies);
                        continue;
                    }
                    self.spans.entry(row.as_ref().into()).or_default()
                }
            };
            let before = new.len();
            let spans = known.len();
            add(known, copies, self.ticks.interval, &mut new);
            if known.len() > spans && !self.room(SPAN_BYTES) {
                self.full = true;
            }
            let count = |copies: &Copies| (copies.last - copies.first) / self.ticks.interval + 1;
            let all = count(&copies).unsigned_abs();
            self.copies += all;
            self.spared += all - new[before..].iter().map(count).sum::<i64>().unsigned_abs();
        }
        self.rows += batch.num_rows();
        Ok(new)
    }

    fn room(&mut self, bytes: usize) -> bool {
        self.memory.size().saturating_add(bytes) <= self.limit && self.memory.try_grow(bytes).is_ok()
    }

    /// Whether it spares enough for what it takes, and can go on.
    pub(super) fn pays(&self) -> bool {
        !self.full && (self.rows < TRIAL || self.spared >= self.copies / WORTHWHILE)
    }
}

/// Adds a span to those that are known, and what it has that none of them has to `new`.
fn add(known: &mut Vec<(i64, i64)>, copies: Copies, interval: i64, new: &mut Vec<Copies>) {
    let Copies { row, first, last } = copies;
    // Known spans that it meets or is next to: panes come mostly in order, so look from the end.
    let behind = known
        .iter()
        .rposition(|(from, _)| *from <= last.saturating_add(interval));
    let end = behind.map_or(0, |at| at + 1);
    let before = known[..end]
        .iter()
        .rposition(|(_, to)| to.saturating_add(interval) < first);
    let begin = before.map_or(0, |at| at + 1);
    let mut next = first;
    for &(from, to) in &known[begin..end] {
        if next < from && next <= last {
            let last = last.min(from - interval);
            new.push(Copies { row, first: next, last });
        }
        next = next.max(to + interval);
    }
    if next <= last {
        new.push(Copies { row, first: next, last });
    }
    let met = &known[begin..end];
    let from = met.first().map_or(first, |(from, _)| first.min(*from));
    let to = met.last().map_or(last, |(_, to)| last.max(*to));
    known.splice(begin..end, [(from, to)]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::arrow::array::{ArrayRef, Int64Array, StringArray};
    use datafusion::execution::memory_pool::{GreedyMemoryPool, MemoryConsumer, MemoryPool};
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    const INTERVAL: i64 = 10;

    type Row = (Option<u8>, i64, i64, i64);

    fn batch(rows: &[Row]) -> RecordBatch {
        let keys: ArrayRef = Arc::new(
            rows.iter()
                .map(|row| row.0.map(|key| key.to_string()))
                .collect::<StringArray>(),
        );
        let times: ArrayRef = Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.2)));
        let states: ArrayRef = Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.1)));
        RecordBatch::try_from_iter_with_nullable([("key", keys, true), ("time", times, true), ("state", states, true)])
            .unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]

        /// The slow twin: all of them, as a set.
        #[test]
        fn every_tick_is_told_everything_and_nothing_twice(
            batches in prop::collection::vec(
                prop::collection::vec((prop::option::of(0_u8..2), 0_i64..2, 0_i64..12, 0_i64..5), 1..12),
                1..5,
            ),
            bytes in prop_oneof![Just(1_usize << 20), 0_usize..300],
        ) {
            let pool: Arc<dyn MemoryPool> = Arc::new(GreedyMemoryPool::new(bytes));
            let memory = MemoryConsumer::new("told").register(&pool);
            let ticks = Ticks { first: 0, last: 1000, interval: INTERVAL, lookback: 50 };
            let mut told = Told::new(&batch(&batches[0]), 1, ticks, memory, usize::MAX).unwrap().unwrap();
            let (mut expected, mut given) = (BTreeSet::new(), Vec::new());
            for rows in &batches {
                let copies = (0..).zip(rows).map(|(row, (_, _, time, length))| Copies {
                    row,
                    first: time * INTERVAL,
                    last: (time + length) * INTERVAL,
                });
                let copies: Vec<Copies> = copies.collect();
                let of = |copies: &Copies| {
                    let (key, state, ..) = rows[copies.row as usize];
                    let ticks = (copies.first..=copies.last).step_by(INTERVAL as usize);
                    ticks.map(move |tick| (key, state, tick)).collect::<Vec<_>>()
                };
                expected.extend(copies.iter().flat_map(of));
                let new = told.new_ones(&batch(rows), copies).unwrap();
                prop_assert!(new.iter().all(|copies| copies.first <= copies.last));
                given.extend(new.iter().flat_map(of));
            }
            let once: BTreeSet<_> = given.iter().copied().collect();
            prop_assert_eq!(&once, &expected);
            prop_assert!(bytes < 1 << 20 || once.len() == given.len(), "{:?}", given);
        }
    }
}
