//! The physical operator behind hopping windows.

use super::once::{Copies, Told};
use super::ticks::Ticks;
use crate::engine::compact::compact;
use crate::engine::memory::part;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray, RecordBatch, UInt32Array};
use datafusion::arrow::compute::take;
use datafusion::arrow::datatypes::{SchemaRef, TimestampMicrosecondType};
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, Statistics, internal_err};
use datafusion::config::ConfigOptions;
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::filter_pushdown::{ChildFilterDescription, FilterDescription, FilterPushdownPhase};
use datafusion::physical_plan::{
    ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties as _, Partitioning,
    PlanProperties, ReplaceChildrenOptions, StatisticsArgs,
};
use futures::{Stream, StreamExt as _};
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// Part of the memory pool for remembering what ticks were given, in all partitions together.
const SHARE: usize = 16;

/// What becomes of a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// One row for each tick that sees it, with the tick in its place.
    Ticks,
    /// The same where nothing is lost if a tick is given only once what rows are alike in but
    /// for their time.
    TicksOnce,
    /// The same row with the end of its pane in its place; none if no tick sees it.
    Pane,
}

/// Copies rows to ticks, or moves their times to the ends of their panes.
#[derive(Debug, Clone)]
pub(super) struct HopExec {
    input: Arc<dyn ExecutionPlan>,
    column: usize,
    ticks: Ticks,
    target: Target,
    properties: Arc<PlanProperties>,
}

impl HopExec {
    pub(super) fn new(input: Arc<dyn ExecutionPlan>, column: usize, ticks: Ticks, target: Target) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(input.schema()),
            partitioning(&input, column),
            input.pipeline_behavior(),
            input.boundedness(),
        );
        Self {
            input,
            column,
            ticks,
            target,
            properties: Arc::new(properties),
        }
    }

    pub(super) fn input(&self) -> &Arc<dyn ExecutionPlan> {
        &self.input
    }

    pub(super) fn column(&self) -> usize {
        self.column
    }

    pub(super) fn ticks(&self) -> Ticks {
        self.ticks
    }

    /// The same over another input of the same columns.
    pub(super) fn over(&self, input: Arc<dyn ExecutionPlan>) -> Self {
        Self::new(input, self.column, self.ticks, self.target)
    }

    pub(super) fn makes_panes(&self) -> bool {
        self.target == Target::Pane
    }
}

/// As of the input, but by this column, in which other values come.
fn partitioning(input: &Arc<dyn ExecutionPlan>, column: usize) -> Partitioning {
    match input.output_partitioning() {
        Partitioning::Hash(exprs, count) if !exprs.iter().any(|expr| reads(expr, column)) => {
            Partitioning::Hash(exprs.clone(), *count)
        }
        other => Partitioning::UnknownPartitioning(other.partition_count()),
    }
}

/// Whether an expression looks at a column.
pub(super) fn reads(expr: &Arc<dyn PhysicalExpr>, column: usize) -> bool {
    collect_columns(expr).iter().any(|read| read.index() == column)
}

impl DisplayAs for HopExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let schema = self.input.schema();
        let name = schema.fields().get(self.column).map_or("", |field| field.name());
        match self.target {
            Target::Ticks => write!(f, "HopExec: {name} to ticks, at most {} each", self.ticks.copies()),
            Target::TicksOnce => {
                write!(
                    f,
                    "HopExec: {name} to ticks, at most {} each, what is alike once",
                    self.ticks.copies()
                )
            }
            Target::Pane => write!(f, "HopExec: {name} to panes"),
        }
    }
}

impl ExecutionPlan for HopExec {
    fn name(&self) -> &'static str {
        "HopExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
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
            Ok([input]) => Ok(Arc::new(self.over(input))),
            Err(_) => internal_err!("HopExec has one input"),
        }
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let told = match self.target {
            Target::TicksOnce => {
                let pool = context.memory_pool();
                let memory = MemoryConsumer::new("HopExec").register(pool);
                let limit = part(pool, SHARE) / self.properties.partitioning.partition_count().max(1);
                Told::new(&self.schema(), self.column, self.ticks, memory, limit)?
            }
            Target::Ticks | Target::Pane => None,
        };
        Ok(Box::pin(HopStream {
            batch_size: context.session_config().batch_size().max(1),
            input: self.input.execute(partition, context)?,
            column: self.column,
            ticks: self.ticks,
            target: self.target,
            told,
            pending: None,
        }))
    }

    fn statistics_from_inputs(&self, inputs: &[Arc<Statistics>], _: &StatisticsArgs) -> Result<Arc<Statistics>> {
        let mut statistics = Statistics::new_unknown(&self.schema());
        let copies = match self.target {
            Target::Ticks | Target::TicksOnce => usize::try_from(self.ticks.copies()).unwrap_or(usize::MAX),
            Target::Pane => 1,
        };
        let more = |value: &Precision<usize>| match value.get_value() {
            Some(value) => Precision::Inexact(value.saturating_mul(copies)),
            None => Precision::Absent,
        };
        if let [input] = inputs {
            statistics.num_rows = more(&input.num_rows);
            statistics.total_byte_size = more(&input.total_byte_size);
        }
        Ok(Arc::new(statistics))
    }

    /// Filters go below, unless they look at the tick.
    fn gather_filters_for_pushdown(
        &self,
        _: FilterPushdownPhase,
        filters: Vec<Arc<dyn PhysicalExpr>>,
        _: &ConfigOptions,
    ) -> Result<FilterDescription> {
        let others = (0..self.schema().fields().len()).filter(|index| *index != self.column);
        let child = ChildFilterDescription::from_child_with_allowed_indices(&filters, others.collect(), &self.input)?;
        Ok(FilterDescription::new().with_child(child))
    }
}

/// A batch whose rows are being copied.
struct Pending {
    batch: RecordBatch,
    copies: Vec<Copies>,
    /// Of the copies, those to go on with.
    at: usize,
    /// The tick to go on with, for copies that were begun.
    next: Option<i64>,
}

struct HopStream {
    input: SendableRecordBatchStream,
    column: usize,
    ticks: Ticks,
    target: Target,
    batch_size: usize,
    /// What ticks were given, as long as it pays to know.
    told: Option<Told>,
    pending: Option<Pending>,
}

impl HopStream {
    /// Begins to copy the rows of a batch.
    fn begin(&mut self, batch: RecordBatch) -> Result<()> {
        let times = times(&batch, self.column)?;
        let seen = (0..times.len()).filter(|row| times.is_valid(*row));
        let copies = seen.filter_map(|row| {
            let (first, last) = self.ticks.seeing(times.value(row))?;
            let row = u32::try_from(row).ok()?;
            Some(Copies { row, first, last })
        });
        let mut copies: Vec<Copies> = copies.collect();
        if let Some(told) = &mut self.told {
            copies = told.new_ones(&batch, copies)?;
            if !told.pays() {
                self.told = None;
            }
        }
        self.pending = Some(Pending {
            batch,
            copies,
            at: 0,
            next: None,
        });
        Ok(())
    }

    /// The next rows of the pending batch, at most a batch of them; none if it is done.
    fn copy_some(&mut self) -> Result<Option<RecordBatch>> {
        let Some(pending) = &mut self.pending else {
            return Ok(None);
        };
        let (mut rows, mut values) = (Vec::new(), Vec::new());
        while let Some(copies) = pending.copies.get(pending.at)
            && rows.len() < self.batch_size
        {
            let mut tick = pending.next.take().unwrap_or(copies.first);
            while tick <= copies.last && rows.len() < self.batch_size {
                rows.push(copies.row);
                values.push(tick);
                tick += self.ticks.interval;
            }
            if tick <= copies.last {
                pending.next = Some(tick);
            } else {
                pending.at += 1;
            }
        }
        let made = if rows.is_empty() {
            None
        } else {
            let rows = UInt32Array::from(rows);
            Some(replaced(&pending.batch, self.column, Some(&rows), values)?)
        };
        if pending.at >= pending.copies.len() {
            self.pending = None;
        }
        Ok(made)
    }

    fn to_panes(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let times = times(batch, self.column)?;
        let seen = |row: &usize| times.is_valid(*row) && self.ticks.seeing(times.value(*row)).is_some();
        let rows: Vec<usize> = (0..times.len()).filter(seen).collect();
        let values = rows.iter().map(|row| self.ticks.pane(times.value(*row))).collect();
        if rows.len() == times.len() {
            return replaced(batch, self.column, None, values);
        }
        let rows: UInt32Array = rows.into_iter().filter_map(|row| u32::try_from(row).ok()).collect();
        replaced(batch, self.column, Some(&rows), values)
    }
}

fn times(batch: &RecordBatch, column: usize) -> Result<PrimitiveArray<TimestampMicrosecondType>> {
    match batch.column(column).as_primitive_opt::<TimestampMicrosecondType>() {
        Some(times) => Ok(times.clone()),
        None => internal_err!("event time is {}", batch.column(column).data_type()),
    }
}

/// The chosen rows with other values in one column.
fn replaced(batch: &RecordBatch, column: usize, rows: Option<&UInt32Array>, values: Vec<i64>) -> Result<RecordBatch> {
    let old = times(batch, column)?;
    let values: ArrayRef = Arc::new(
        PrimitiveArray::<TimestampMicrosecondType>::from(values).with_timezone_opt(old.timezone().map(Arc::from)),
    );
    let columns = batch.columns().iter().enumerate().map(|(index, array)| match rows {
        _ if index == column => Ok(Arc::clone(&values)),
        Some(rows) => Ok(take(array, rows, None)?),
        None => Ok(Arc::clone(array)),
    });
    Ok(RecordBatch::try_new(batch.schema(), columns.collect::<Result<_>>()?)?)
}

impl Stream for HopStream {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match self.copy_some() {
                Ok(Some(batch)) => return Poll::Ready(Some(Ok(batch))),
                Ok(None) => {}
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
            match ready!(self.input.poll_next_unpin(context)) {
                Some(Ok(batch)) if self.target == Target::Pane => {
                    return Poll::Ready(Some(self.to_panes(&batch)));
                }
                Some(Ok(batch)) => {
                    // What copies a row keeps it for a while: a join, an aggregate.
                    self.begin(compact(&batch)?)?;
                }
                other => return Poll::Ready(other),
            }
        }
    }
}

impl RecordBatchStream for HopStream {
    fn schema(&self) -> SchemaRef {
        self.input.schema()
    }
}
