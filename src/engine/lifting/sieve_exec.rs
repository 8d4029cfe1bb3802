//! The physical operator that leaves out panes no window needs.

use super::ticks::Ticks;
use crate::engine::memory::part;
use datafusion::arrow::array::{Array, ArrayRef, AsArray as _, BooleanArray, BooleanBufferBuilder, RecordBatch};
use datafusion::arrow::compute::filter_record_batch;
use datafusion::arrow::datatypes::{Int64Type, SchemaRef, TimestampMicrosecondType};
use datafusion::common::hash_utils::{RandomState, create_hashes};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::utils::memory::RecordBatchMemoryCounter;
use datafusion::common::{Result, internal_err};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{Distribution, EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::distribution_requirements::InputDistributionRequirements;
use datafusion::physical_plan::execution_plan::EmissionType;
use datafusion::physical_plan::{
    ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties as _, PlanProperties,
    ReplaceChildrenOptions,
};
use futures::{Stream, StreamExt as _};
use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// Part of the memory pool that a sieve may hold rows in; with more, it lets all pass.
const SHARE: usize = 8;

/// A window needs so many: of the numbers in a column, or the elements of its lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AtLeast {
    pub(super) column: usize,
    pub(super) number: u64,
}

/// Lets panes pass that are in a window in which the panes of their key are enough.
#[derive(Debug, Clone)]
pub(super) struct SieveExec {
    input: Arc<dyn ExecutionPlan>,
    what: Arc<What>,
    properties: Arc<PlanProperties>,
}

#[derive(Debug)]
struct What {
    keys: Vec<usize>,
    /// The column of the panes' ends.
    time: usize,
    ticks: Ticks,
    conditions: Vec<AtLeast>,
}

impl SieveExec {
    pub(super) fn new(
        input: Arc<dyn ExecutionPlan>,
        keys: Vec<usize>,
        time: usize,
        ticks: Ticks,
        conditions: Vec<AtLeast>,
    ) -> Self {
        let what = What {
            keys,
            time,
            ticks,
            conditions,
        };
        Self::with(input, Arc::new(what))
    }

    fn with(input: Arc<dyn ExecutionPlan>, what: Arc<What>) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(input.schema()),
            input.output_partitioning().clone(),
            EmissionType::Final,
            input.boundedness(),
        );
        Self {
            input,
            what,
            properties: Arc::new(properties),
        }
    }
}

impl DisplayAs for SieveExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let schema = self.input.schema();
        f.write_str("SieveExec: panes of windows with")?;
        for (number, condition) in self.what.conditions.iter().enumerate() {
            let name = schema.fields().get(condition.column).map_or("", |field| field.name());
            let and = if number > 0 { " and" } else { "" };
            write!(f, "{and} {name} >= {}", condition.number)?;
        }
        Ok(())
    }
}

impl ExecutionPlan for SieveExec {
    fn name(&self) -> &'static str {
        "SieveExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    /// All panes of a key come together.
    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        let schema = self.input.schema();
        let keys = self.what.keys.iter().filter_map(|key| {
            let field = schema.fields().get(*key)?;
            Some(Arc::new(Column::new(field.name(), *key)) as Arc<dyn PhysicalExpr>)
        });
        InputDistributionRequirements::new(vec![Distribution::KeyPartitioned(keys.collect())])
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match <[_; 1]>::try_from(children) {
            Ok([input]) => Ok(Arc::new(Self::with(input, Arc::clone(&self.what)))),
            Err(_) => internal_err!("SieveExec has one input"),
        }
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let pool = context.memory_pool();
        Ok(Box::pin(SieveStream {
            memory: MemoryConsumer::new(format!("SieveExec[{partition}]")).register(pool),
            counter: RecordBatchMemoryCounter::new(),
            limit: part(pool, SHARE),
            input: self.input.execute(partition, context)?,
            panes: Panes::new(Arc::clone(&self.what)),
            batches: Vec::new(),
            ready: VecDeque::new(),
            gathering: true,
        }))
    }
}

struct SieveStream {
    input: SendableRecordBatchStream,
    panes: Panes,
    /// Rows of the input that wait for its end.
    batches: Vec<RecordBatch>,
    memory: MemoryReservation,
    /// Counts once what batches share.
    counter: RecordBatchMemoryCounter,
    limit: usize,
    /// Rows to give.
    ready: VecDeque<RecordBatch>,
    gathering: bool,
}

impl SieveStream {
    /// Keeps a batch until all have come; lets all pass if there is no memory for it.
    fn gather(&mut self, batch: RecordBatch) -> Result<()> {
        let bytes = self.counter.count_batch(&batch) + self.panes.bytes_of(batch.num_rows());
        if self.memory.size().saturating_add(bytes) > self.limit || self.memory.try_grow(bytes).is_err() {
            self.gathering = false;
            self.ready.extend(self.batches.drain(..));
            self.ready.push_back(batch);
            self.panes.forget();
            return Ok(());
        }
        self.panes.add(&batch)?;
        self.batches.push(batch);
        Ok(())
    }

    /// All have come.
    fn sieve(&mut self) -> Result<()> {
        self.gathering = false;
        let wanted = self.panes.wanted();
        let mut from = 0;
        for batch in self.batches.drain(..) {
            let rows = wanted.slice(from, batch.num_rows());
            from += batch.num_rows();
            if rows.true_count() > 0 {
                self.ready.push_back(filter_record_batch(&batch, &rows)?);
            }
        }
        self.panes.forget();
        Ok(())
    }
}

impl Stream for SieveStream {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(batch) = self.ready.pop_front() {
                return Poll::Ready(Some(Ok(batch)));
            }
            if !self.gathering {
                // What was kept is gone, up to the batch that was given last.
                self.memory.free();
            }
            let gathered = match ready!(self.input.poll_next_unpin(context)) {
                Some(Ok(batch)) if self.gathering => self.gather(batch),
                None if self.gathering => self.sieve(),
                other => return Poll::Ready(other),
            };
            if let Err(error) = gathered {
                return Poll::Ready(Some(Err(error)));
            }
        }
    }
}

impl RecordBatchStream for SieveStream {
    fn schema(&self) -> SchemaRef {
        self.input.schema()
    }
}

/// What is known of panes, to find out which of them are wanted.
struct Panes {
    what: Arc<What>,
    panes: Vec<Pane>,
    /// For each pane one number of each condition.
    counts: Vec<u64>,
}

struct Pane {
    /// Keys that share a hash are counted together, which lets more pass.
    key: u64,
    end: i64,
}

impl Panes {
    fn new(what: Arc<What>) -> Self {
        Self {
            what,
            panes: Vec::new(),
            counts: Vec::new(),
        }
    }

    /// Bytes that so many panes take, sorted too.
    fn bytes_of(&self, panes: usize) -> usize {
        panes * (size_of::<Pane>() + size_of::<Seen>() + self.what.conditions.len() * size_of::<u64>())
    }

    fn forget(&mut self) {
        (self.panes, self.counts) = (Vec::new(), Vec::new());
    }

    fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        let mut keys = vec![0; batch.num_rows()];
        let columns = self.what.keys.iter().map(|key| batch.column(*key));
        create_hashes(columns, &RandomState::with_seed(0), &mut keys)?;
        let ends = batch.column(self.what.time);
        let Some(ends) = ends.as_primitive_opt::<TimestampMicrosecondType>() else {
            return internal_err!("the end of a pane is {}", ends.data_type());
        };
        let panes = keys.into_iter().zip(ends.values());
        self.panes.extend(panes.map(|(key, end)| Pane { key, end: *end }));
        let mut counts = Vec::with_capacity(self.what.conditions.len());
        for condition in &self.what.conditions {
            counts.push(numbers(batch.column(condition.column))?);
        }
        let rows = 0..batch.num_rows();
        self.counts
            .extend(rows.flat_map(|row| counts.iter().filter_map(move |numbers: &Vec<u64>| numbers.get(row))));
        Ok(())
    }

    /// Which panes some window needs, in the order in which they were added.
    ///
    /// The sums of a window are largest when a pane has just come in, so the windows of these
    /// ticks are all to look at: a window between two of them has the panes of the one before,
    /// or fewer.
    fn wanted(&self) -> BooleanArray {
        let mut seen: Vec<Seen> = Vec::with_capacity(self.panes.len());
        for (place, pane) in self.panes.iter().enumerate() {
            let ticks = self.what.ticks.seeing(pane.end);
            seen.extend(ticks.map(|(first, last)| Seen {
                key: pane.key,
                first,
                last,
                place,
            }));
        }
        seen.sort_unstable_by_key(|pane| (pane.key, pane.first, pane.last));
        let mut wanted = BooleanBufferBuilder::new(self.panes.len());
        wanted.append_n(self.panes.len(), false);
        let mut sums = vec![0_u64; self.what.conditions.len()];
        let mut window: VecDeque<&Seen> = VecDeque::new();
        for pane in &seen {
            while let Some(left) = window
                .front()
                .filter(|left| left.key != pane.key || left.last < pane.first)
            {
                let counts = sums.iter_mut().zip(self.counts(left.place));
                counts.for_each(|(sum, count)| *sum -= count);
                window.pop_front();
            }
            let counts = sums.iter_mut().zip(self.counts(pane.place));
            counts.for_each(|(sum, count)| *sum += count);
            window.push_back(pane);
            let mut conditions = sums.iter().zip(&self.what.conditions);
            if conditions.all(|(sum, condition)| *sum >= condition.number) {
                // From the youngest back to those that were marked with a window before.
                let unmarked = window.iter().rev().take_while(|pane| !wanted.get_bit(pane.place));
                let unmarked: Vec<usize> = unmarked.map(|pane| pane.place).collect();
                unmarked.into_iter().for_each(|place| wanted.set_bit(place, true));
            }
        }
        BooleanArray::new(wanted.finish(), None)
    }

    fn counts(&self, place: usize) -> &[u64] {
        let conditions = self.what.conditions.len();
        self.counts
            .get(place * conditions..(place + 1) * conditions)
            .unwrap_or(&[])
    }
}

/// A pane with the ticks that see it.
struct Seen {
    key: u64,
    first: i64,
    last: i64,
    /// Where it is among all.
    place: usize,
}

/// For each row its number, or how many elements its list has.
fn numbers(states: &ArrayRef) -> Result<Vec<u64>> {
    let rows = 0..states.len();
    if let Some(numbers) = states.as_primitive_opt::<Int64Type>() {
        let number = |row| if numbers.is_valid(row) { numbers.value(row) } else { 0 };
        return Ok(rows.map(|row| u64::try_from(number(row)).unwrap_or_default()).collect());
    }
    if let Some(lists) = states.as_list_opt::<i32>() {
        let elements = |row| {
            if lists.is_valid(row) {
                lists.value_length(row)
            } else {
                0
            }
        };
        return Ok(rows
            .map(|row| u64::try_from(elements(row)).unwrap_or_default())
            .collect());
    }
    internal_err!("the state of a count is {}", states.data_type())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A pane: its key, when it ends, and two counts.
    type Row = (u64, i64, [u64; 2]);

    fn rows() -> impl Strategy<Value = Vec<Row>> {
        prop::collection::vec((0_u64..3, -20_i64..60, [0_u64..4, 0_u64..3]), 0..40)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn panes_stay_that_a_window_with_enough_holds(
            rows in rows(), interval in 1_i64..8, lookback in 1_i64..30, to in 0_i64..60, least in [1_u64..9, 1_u64..5],
        ) {
            let ticks = Ticks::within(0, to, interval, lookback);
            let conditions = least.into_iter().enumerate().map(|(column, number)| AtLeast { column, number });
            let what = What { keys: Vec::new(), time: 0, ticks, conditions: conditions.collect() };
            let mut panes = Panes::new(Arc::new(what));
            for (key, end, counts) in &rows {
                panes.panes.push(Pane { key: *key, end: *end });
                panes.counts.extend(counts);
            }
            let holds = |tick: i64, end: i64| tick - lookback < end && end <= tick;
            let expected: Vec<bool> = rows.iter().map(|(key, end, _)| {
                ticks.iter().filter(|tick| holds(*tick, *end)).any(|tick| {
                    let window = rows.iter().filter(|(other, end, _)| other == key && holds(tick, *end));
                    let sums = window.fold([0, 0], |sums, (_, _, counts)| [sums[0] + counts[0], sums[1] + counts[1]]);
                    sums[0] >= least[0] && sums[1] >= least[1]
                })
            }).collect();
            prop_assert_eq!(panes.wanted(), BooleanArray::from(expected));
        }
    }
}
