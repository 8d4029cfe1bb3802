//! What a query read: taken from the metrics of its scans, when its rows have been read.

use super::shared_scan::SharedPlan;
use crate::error::{Error, Result};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::datasource::physical_plan::ParquetSource;
use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use futures::Stream;
use serde::Serialize;
use std::ops::AddAssign;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// What the scans of a query read from Parquet files, summed over all of them: a table
/// that is read twice counts twice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ScanFigures {
    /// Rows that a scan looked at: those of all files of the table, without the files, row
    /// groups and pages that statistics and bloom filters showed to hold nothing.
    pub rows_in: u64,
    /// Rows of these that passed the filter of their scan: the conditions evaluated while
    /// reading, and those right above the scan.
    pub rows_matched: u64,
    /// Bytes read of Parquet files: the column chunks and indexes that were asked for,
    /// compressed as they are stored. What was read once for several queries that ran
    /// together is in none of them.
    pub bytes_read: u64,
}

impl AddAssign for ScanFigures {
    fn add_assign(&mut self, other: Self) {
        self.rows_in += other.rows_in;
        self.rows_matched += other.rows_matched;
        self.bytes_read += other.bytes_read;
    }
}

impl ScanFigures {
    /// The figures of a plan so far; they are complete when its last row has been read.
    pub fn of(plan: &dyn ExecutionPlan) -> Self {
        let mut figures = Self::default();
        figures.add(plan, None);
        figures
    }

    /// `passed` is how many rows the filter right above lets through.
    fn add(&mut self, plan: &dyn ExecutionPlan, passed: Option<u64>) {
        if let Some(scan) = plan.downcast_ref::<DataSourceExec>() {
            if scan.downcast_to_file_source::<ParquetSource>().is_some() {
                self.add_scan(plan, passed);
            }
            return;
        }
        let passed = if plan.is::<FilterExec>() {
            // Of two filters, the upper one has the last word.
            passed.or_else(|| Some(output_rows(plan)))
        } else {
            let same_rows =
                plan.is::<ProjectionExec>() || plan.is::<RepartitionExec>() || plan.is::<CoalescePartitionsExec>();
            passed.filter(|_| same_rows)
        };
        for child in plan.children() {
            self.add(child.as_ref(), passed);
        }
    }

    fn add_scan(&mut self, scan: &dyn ExecutionPlan, passed: Option<u64>) {
        let metrics = scan.metrics().unwrap_or_default();
        let sum = |name: &str| metrics.sum_by_name(name).map_or(0, |value| value.as_usize() as u64);
        let given = output_rows(scan);
        self.rows_in += given + sum("pushdown_rows_pruned");
        self.rows_matched += passed.unwrap_or(given);
        self.bytes_read += sum("bytes_scanned");
    }
}

fn output_rows(plan: &dyn ExecutionPlan) -> u64 {
    plan.metrics()
        .and_then(|metrics| metrics.output_rows())
        .map_or(0, |rows| rows as u64)
}

/// A running plan: a stream of its rows that knows what was read for them.
pub struct Running {
    rows: SendableRecordBatchStream,
    reader: Reader,
}

/// Who reads for a running plan.
enum Reader {
    /// Its own scans.
    Alone(Arc<dyn ExecutionPlan>),
    /// Scans that others read as well.
    Shared(Box<SharedPlan>),
}

impl Running {
    pub(super) fn new(rows: SendableRecordBatchStream, plan: Arc<dyn ExecutionPlan>) -> Self {
        Self {
            rows,
            reader: Reader::Alone(plan),
        }
    }

    pub(super) fn shared(rows: SendableRecordBatchStream, plan: SharedPlan) -> Self {
        Self {
            rows,
            reader: Reader::Shared(Box::new(plan)),
        }
    }

    /// What was read so far; complete when the stream has ended.
    pub fn figures(&self) -> ScanFigures {
        match &self.reader {
            Reader::Alone(plan) => ScanFigures::of(plan.as_ref()),
            Reader::Shared(shared) => {
                let mut figures = ScanFigures::of(shared.plan().as_ref());
                let of_shared = shared.figures();
                figures += ScanFigures {
                    rows_in: of_shared.rows_in,
                    rows_matched: of_shared.rows_matched,
                    bytes_read: of_shared.own_bytes,
                };
                figures
            }
        }
    }

    /// The schema of the rows.
    pub fn schema(&self) -> SchemaRef {
        RecordBatchStream::schema(self.rows.as_ref().get_ref())
    }
}

impl Stream for Running {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = self.rows.as_mut().poll_next(context);
        polled.map(|item| item.map(|batch| batch.map_err(Error::from)))
    }
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running").finish_non_exhaustive()
    }
}
