//! Gives a tick only once what several panes tell it alike.
//!
//! The greatest of a window's values, or the mere fact that a key is in it, is the same however
//! often a tick is told. Where the panes of a key have the same state, as that of a user whose
//! name does not change from day to day, a window of thirty panes would be told thirty times.

use super::ticks::Ticks;
use ahash::AHashMap;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::Schema;
use datafusion::arrow::row::{RowConverter, SortField};
use datafusion::common::Result;
use datafusion::execution::memory_pool::MemoryReservation;
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;
use std::ops::Range;
use std::sync::Arc;

/// Rows after which it must have spared something.
const TRIAL: usize = 256 << 10;

/// One in so many copies must be spared to go on.
const WORTHWHILE: u64 = 4;

/// Bytes of an entry beside its row: of the table, which is at worst less than half full, and of
/// the first few spans.
const ENTRY_BYTES: usize = 160;
const SPAN_BYTES: usize = 32;

/// Memory is asked for in pieces.
const PIECE: usize = 64 << 10;

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
    room: Room,
}

impl Told {
    /// Of batches of this schema, whose column `time` has the ends of panes; none where rows of
    /// such columns cannot be compared. Takes no more than so many bytes.
    pub(super) fn new(
        schema: &Schema,
        time: usize,
        ticks: Ticks,
        memory: MemoryReservation,
        limit: usize,
    ) -> Result<Option<Self>> {
        let columns: Vec<usize> = (0..schema.fields().len()).filter(|column| *column != time).collect();
        let types = columns.iter().map(|column| schema.field(*column).data_type().clone());
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
            room: Room {
                memory,
                used: 0,
                limit,
                closed: false,
            },
        }))
    }

    /// Of these copies of a batch's rows, those that say anything new. What there is no memory to
    /// remember is told again.
    pub(super) fn new_ones(&mut self, batch: &RecordBatch, copies: Vec<Copies>) -> Result<Vec<Copies>> {
        let columns: Vec<_> = self
            .columns
            .iter()
            .map(|column| Arc::clone(batch.column(*column)))
            .collect();
        let rows = self.converter.convert_columns(&columns)?;
        let mut new = Vec::with_capacity(copies.len());
        for copies in copies {
            let all = self.ticks_of(copies);
            self.copies += all;
            let row = rows.row(copies.row as usize);
            let known = match self.spans.get_mut(row.as_ref()) {
                Some(known) => known,
                None if self.room.take(row.as_ref().len() + ENTRY_BYTES) => {
                    self.spans.entry(row.as_ref().into()).or_default()
                }
                None => {
                    new.push(copies);
                    continue;
                }
            };
            let met = met(known, copies, self.ticks.interval);
            if met.is_empty() && !self.room.take(SPAN_BYTES) {
                new.push(copies);
                continue;
            }
            let before = new.len();
            add(known, met, copies, self.ticks.interval, &mut new);
            let told: u64 = new[before..].iter().map(|copies| self.ticks_of(*copies)).sum();
            self.spared += all - told;
        }
        self.rows += batch.num_rows();
        Ok(new)
    }

    fn ticks_of(&self, copies: Copies) -> u64 {
        ((copies.last - copies.first) / self.ticks.interval + 1).unsigned_abs()
    }

    /// Whether it spares enough for what it takes.
    pub(super) fn pays(&self) -> bool {
        self.rows < TRIAL || self.spared >= self.copies / WORTHWHILE
    }
}

/// Memory up to a limit, in pieces.
struct Room {
    memory: MemoryReservation,
    used: usize,
    limit: usize,
    /// There was no more. It is not asked for again, as that takes time.
    closed: bool,
}

impl Room {
    fn take(&mut self, bytes: usize) -> bool {
        let needed = self.used.saturating_add(bytes);
        if let Some(more) = needed.checked_sub(self.memory.size()).filter(|more| *more > 0) {
            let piece = more.max(PIECE).min(self.limit.saturating_sub(self.memory.size()));
            self.closed = self.closed || piece < more || self.memory.try_grow(piece).is_err();
            if self.closed {
                return false;
            }
        }
        self.used = needed;
        true
    }
}

/// The places of the known spans that a span meets or is next to; where there are none, its place.
fn met(known: &[(i64, i64)], copies: Copies, interval: i64) -> Range<usize> {
    let begin = known.partition_point(|(_, to)| to.saturating_add(interval) < copies.first);
    let end = known.partition_point(|(from, _)| *from <= copies.last.saturating_add(interval));
    begin..end
}

/// Joins a span with the known ones that it meets, and adds what it has that none of them has to
/// `new`.
fn add(known: &mut Vec<(i64, i64)>, met: Range<usize>, copies: Copies, interval: i64, new: &mut Vec<Copies>) {
    let Copies { row, first, last } = copies;
    let mut next = first;
    for &(from, to) in &known[met.clone()] {
        if next < from && next <= last {
            let last = last.min(from - interval);
            new.push(Copies { row, first: next, last });
        }
        next = next.max(to + interval);
    }
    if next <= last {
        new.push(Copies { row, first: next, last });
    }
    let spans = &known[met.clone()];
    let from = spans.first().map_or(first, |(from, _)| first.min(*from));
    let to = spans.last().map_or(last, |(_, to)| last.max(*to));
    known.splice(met, [(from, to)]);
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
            pool in prop_oneof![Just(1_usize << 20), 0_usize..600],
            limit in prop_oneof![Just(usize::MAX), 0_usize..600],
        ) {
            let bytes = pool.min(limit);
            let pool: Arc<dyn MemoryPool> = Arc::new(GreedyMemoryPool::new(pool));
            let memory = MemoryConsumer::new("told").register(&pool);
            let ticks = Ticks { first: 0, last: 1000, interval: INTERVAL, lookback: 50 };
            let mut told = Told::new(&batch(&batches[0]).schema(), 1, ticks, memory, limit).unwrap().unwrap();
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
            let all: usize = batches.iter().flatten().map(|row| row.3 as usize + 1).sum();
            prop_assert_eq!((told.copies, told.spared), (all as u64, (all - given.len()) as u64));
            prop_assert!(told.room.used <= told.room.memory.size() && told.room.memory.size() <= bytes);
        }
    }
    /// States that differ from pane to pane are not remembered for long.
    #[test]
    fn what_spares_nothing_does_not_pay_whether_or_not_there_is_memory() {
        for limit in [0, 100_000, usize::MAX] {
            let pool: Arc<dyn MemoryPool> = Arc::new(GreedyMemoryPool::new(1 << 30));
            let memory = MemoryConsumer::new("told").register(&pool);
            let ticks = Ticks {
                first: 0,
                last: 1000,
                interval: INTERVAL,
                lookback: 50,
            };
            let rows: Vec<Row> = (0..i64::from(u16::MAX)).map(|row| (None, row, 0, 4)).collect();
            let mut told = Told::new(&batch(&rows[..1]).schema(), 1, ticks, memory, limit)
                .unwrap()
                .unwrap();
            let mut paid = 0;
            while told.pays() {
                // Other states each time.
                let rows: Vec<Row> = rows.iter().map(|row| (row.0, row.1 + (paid << 20), 0, 4)).collect();
                let copies = (0..rows.len() as u32).map(|row| Copies {
                    row,
                    first: 0,
                    last: 40,
                });
                assert_eq!(
                    told.new_ones(&batch(&rows), copies.collect()).unwrap().len(),
                    rows.len()
                );
                paid += 1;
            }
            assert_eq!(paid, 5, "after so many batches its trial is over");
        }
    }
}
