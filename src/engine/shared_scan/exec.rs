//! The plan node that takes the place of a scan.

use super::leaf::Leaf;
use super::queue::Queue;
use super::scan::CommonScan;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result as DfResult, Statistics};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::projection::ProjectionExpr;
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet, RecordOutput as _};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PhysicalExpr, PlanProperties};
use futures::stream;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// Gives what the scan that it replaces would have given, from a scan it shares with others.
#[derive(Debug)]
pub struct SharedScanExec {
    leaf: Leaf,
    others: usize,
    inlet: Arc<Inlet>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

/// The consumer's end of its queue. The queue closes when no partition can ask any more.
#[derive(Debug)]
struct Inlet {
    scan: Arc<CommonScan>,
    queue: Arc<Queue>,
    opened: Mutex<BTreeSet<usize>>,
    /// Partitions that have not ended.
    left: AtomicUsize,
}

impl Drop for Inlet {
    fn drop(&mut self) {
        self.queue.close();
    }
}

/// A partition that is being read.
struct Partition(Arc<Inlet>);

impl Drop for Partition {
    fn drop(&mut self) {
        if self.0.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.queue.close();
        }
    }
}

impl SharedScanExec {
    /// `others` counts the other scans that read some of the same files.
    pub(super) fn new(leaf: Leaf, others: usize, scan: Arc<CommonScan>, queue: Arc<Queue>) -> Self {
        let properties = Arc::clone(leaf.exec.properties());
        let partitions = properties.output_partitioning().partition_count();
        Self {
            leaf,
            others,
            inlet: Arc::new(Inlet {
                scan,
                queue,
                opened: Mutex::new(BTreeSet::new()),
                left: AtomicUsize::new(partitions),
            }),
            properties,
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }
}

/// A column by its name, as a scan shows it.
fn shown(column: &ProjectionExpr) -> String {
    match column.expr.downcast_ref::<Column>() {
        Some(plain) if plain.name() == column.alias => column.alias.clone(),
        _ => column.to_string(),
    }
}

impl DisplayAs for SharedScanExec {
    fn fmt_as(&self, format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns: Vec<String> = self.leaf.projection.iter().map(shown).collect();
        let (files, columns) = (self.leaf.files.len(), columns.join(", "));
        match format {
            DisplayFormatType::TreeRender => writeln!(f, "shared_with={}", self.others)?,
            _ => write!(
                f,
                "SharedScanExec: shared_with={}, files={files}, projection=[{columns}]",
                self.others
            )?,
        }
        match &self.leaf.predicate {
            Some(predicate) => write!(f, ", predicate={predicate}"),
            None => Ok(()),
        }
    }
}

impl ExecutionPlan for SharedScanExec {
    fn name(&self) -> &'static str {
        "SharedScanExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> DfResult<TreeNodeRecursion>,
    ) -> DfResult<TreeNodeRecursion> {
        self.leaf.exec.apply_expressions(f)
    }

    fn with_new_children(self: Arc<Self>, _: Vec<Arc<dyn ExecutionPlan>>) -> DfResult<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> DfResult<SendableRecordBatchStream> {
        if !super::queue::lock(&self.inlet.opened).insert(partition) {
            return Err(DataFusionError::Execution(
                "a plan with shared scans runs once; plan it again to run it again".into(),
            ));
        }
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        let reading = Some(Partition(Arc::clone(&self.inlet)));
        let batches = stream::unfold((reading, context, metrics), |(reading, context, metrics)| async {
            let partition = reading?;
            partition.0.scan.start(&context);
            let batch = partition.0.queue.next().await?.record_output(&metrics);
            // After an error nothing more comes.
            let reading = batch.is_ok().then_some(partition);
            Some((batch, (reading, context, metrics)))
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), batches)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn partition_statistics(&self, _: Option<usize>) -> DfResult<Arc<Statistics>> {
        Ok(Arc::new(Statistics::new_unknown(&self.schema())))
    }
}
