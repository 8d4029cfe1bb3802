//! One scan of a table for many plans.
//!
//! [`share`] takes physical plans and replaces their scans of Parquet files, where scans
//! read the same files, by nodes that are fed by a common scan ([`SharedScanExec`]). Each
//! node gives the rows that its scan would have given, in any order.
//!
//! Scans that would share no pass with another one stay by themselves (`groups`). The common scan
//! goes file by file. For every row group it finds out which scans can want
//! rows of it, and groups those into as few passes as pay (`passes`). A pass reads the
//! columns that its scans need, with a predicate that keeps the rows that any of them wants;
//! then each scan's own predicate and projection make its rows, on the same task, so that
//! what waits in queues is small. A filter that the rest of a plan makes while it runs, as a join
//! does of its other side, is asked there too. A row group that one scan alone wants is read exactly as
//! that scan would have read it. So a selective scan keeps its pruning, whatever it is
//! shared with.
//!
//! **Order.** Files come first whose rows are asked for: a join asks for its second side when it has
//! read the first, which ends when no file is left that it wants.
//!
//! **Waiting.** What a queue holds in memory is reserved in the memory pool. The common scan
//! waits for a slow plan only if that plan has one shared scan and has been polled: such a plan
//! depends on nothing that the scan gives to others, and its queue is a few batches long. Every
//! other queue grows in memory while there is some, then on disk. All plans have to be run at
//! the same time, or not at all (dropped); one that is polled and then left alone, without being
//! dropped, holds up the others.
//!
//! **Failing.** What the scan pushes into the reader for several plans cannot fail on a row;
//! anything else is evaluated for its own plan. So a plan's error is its own. An error of the
//! store reaches the plans that wanted that file.

mod exec;
mod figures;
mod find;
mod groups;
mod leaf;
mod memory;
mod passes;
mod predicate;
mod queue;
mod scan;
mod selectivity;
mod taste;
#[cfg(test)]
mod tests;
mod work;

pub use exec::SharedScanExec;
pub use figures::Figures;

use super::row_groups;
use crate::error::Result;
use datafusion::common::Result as DfResult;
use datafusion::common::tree_node::{Transformed, TransformedResult as _, TreeNode as _};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use figures::Counters;
use find::{is_scan, scans_of};
use futures::{StreamExt as _, stream};
use groups::read_together;
use leaf::Leaf;
use queue::Queue;
use scan::{CommonScan, Consumer};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

/// Rows of a batch that a consumer gets, as DataFusion's own scans.
const BATCH_ROWS: usize = 8192;

/// Plans some of whose scans are common.
#[derive(Debug)]
pub struct Shared {
    /// In the order of the plans that were given.
    pub plans: Vec<SharedPlan>,
    scans: Vec<Arc<CommonScan>>,
}

/// A plan some of whose scans may be common with other plans.
#[derive(Debug)]
pub struct SharedPlan {
    plan: Arc<dyn ExecutionPlan>,
    scans: usize,
    shared: Vec<SharedLeaf>,
}

/// One shared scan of a plan.
#[derive(Debug)]
struct SharedLeaf {
    leaf: Leaf,
    counters: Arc<Counters>,
    queue: Arc<Queue>,
}

/// Closes the queues of a plan when it ends, whatever of it was never started.
struct Closing(Vec<Arc<Queue>>);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.iter().for_each(|queue| queue.close());
    }
}

/// Lets plans read what they have in common once. Plans that have nothing in common, and
/// scans that cannot be shared or of which that does not pay, stay as they are. Reads the metadata
/// of a few files.
pub async fn share(plans: Vec<Arc<dyn ExecutionPlan>>) -> Result<Shared> {
    let mut found = Vec::new();
    let mut counts = Vec::with_capacity(plans.len());
    for (number, plan) in plans.iter().enumerate() {
        let (of_plan, scans) = scans_of(number, plan)?;
        found.extend(of_plan);
        counts.push(scans);
    }
    let tables = read_together(found).await?;
    let mut shared_leaves = vec![0_usize; plans.len()];
    for found in tables.iter().flatten() {
        if let Some(count) = shared_leaves.get_mut(found.plan) {
            *count += 1;
        }
    }

    let mut scans = Vec::new();
    let mut nodes: BTreeMap<(usize, usize), Arc<dyn ExecutionPlan>> = BTreeMap::new();
    let mut shared: Vec<Vec<SharedLeaf>> = plans.iter().map(|_| Vec::new()).collect();
    for table in tables {
        let consumers: Vec<Consumer> = table
            .iter()
            .map(|found| {
                let counters = Arc::new(Counters::default());
                let alone = shared_leaves.get(found.plan) == Some(&1);
                let queue = Queue::new(found.leaf.exec.schema(), alone, BATCH_ROWS, Arc::clone(&counters));
                Consumer {
                    queue: Arc::new(queue),
                    counters,
                    left: AtomicUsize::new(0),
                }
            })
            .collect();
        let queues: Vec<_> = consumers
            .iter()
            .map(|consumer| (Arc::clone(&consumer.queue), Arc::clone(&consumer.counters)))
            .collect();
        let leaves = table.iter().map(|found| found.leaf.clone()).collect();
        let Some(scan) = CommonScan::new(leaves, consumers).map(Arc::new) else {
            continue;
        };
        for (found, (queue, counters)) in table.into_iter().zip(queues) {
            if let Some(of_plan) = shared.get_mut(found.plan) {
                of_plan.push(SharedLeaf {
                    leaf: found.leaf.clone(),
                    counters,
                    queue: Arc::clone(&queue),
                });
            }
            let node = SharedScanExec::new(found.leaf, found.others, Arc::clone(&scan), queue);
            nodes.insert((found.plan, found.position), Arc::new(node));
        }
        scans.push(scan);
    }

    let mut rewritten = Vec::with_capacity(plans.len());
    for ((number, plan), (scans_of_plan, shared)) in plans.into_iter().enumerate().zip(counts.into_iter().zip(shared)) {
        rewritten.push(SharedPlan {
            plan: replace(plan, number, &mut nodes)?,
            scans: scans_of_plan,
            shared,
        });
    }
    Ok(Shared {
        plans: rewritten,
        scans,
    })
}

fn replace(
    plan: Arc<dyn ExecutionPlan>,
    number: usize,
    nodes: &mut BTreeMap<(usize, usize), Arc<dyn ExecutionPlan>>,
) -> DfResult<Arc<dyn ExecutionPlan>> {
    let mut scans = 0;
    plan.transform_up(|node| {
        if !is_scan(&node) {
            return Ok(Transformed::no(node));
        }
        let shared = nodes.remove(&(number, scans));
        scans += 1;
        Ok(match shared {
            Some(shared) => Transformed::yes(shared),
            None => Transformed::no(node),
        })
    })
    .data()
}

impl Shared {
    /// Bytes that were read once for several plans, so far. They belong to these plans
    /// together: what each would have read alone is not known and not made up.
    pub fn common_bytes(&self) -> u64 {
        self.scans.iter().map(|scan| scan.bytes()).sum()
    }

    /// What the common scans read if all plans run to their end, so many files at once; in
    /// place of reading it. The plans cannot be run after that.
    pub(super) async fn readings(&self, at_once: usize) -> DfResult<Vec<row_groups::Reading>> {
        let mut readings = Vec::new();
        for scan in &self.scans {
            readings.extend(scan.readings(at_once).await?);
        }
        Ok(readings)
    }
}

impl SharedPlan {
    /// The plan as it runs, for EXPLAIN. It runs once.
    pub fn plan(&self) -> &Arc<dyn ExecutionPlan> {
        &self.plan
    }

    /// How many of the plan's scans are common with others, and how many scans there are.
    pub fn shared_scans(&self) -> (usize, usize) {
        (self.shared.len(), self.scans)
    }

    /// Starts the plan. When it ends, all that it reads ends, also what it did not need.
    pub fn run(&self, context: Arc<TaskContext>) -> DfResult<SendableRecordBatchStream> {
        let stream = execute_stream(Arc::clone(&self.plan), context)?;
        let schema = stream.schema();
        // A plan that has found all its rows may still hold scans that others would wait for.
        let closing = Closing(self.shared.iter().map(|shared| Arc::clone(&shared.queue)).collect());
        let batches = stream::unfold(Some((stream, closing)), |running| async {
            let (mut stream, closing) = running?;
            let batch = stream.next().await?;
            let rest = batch.is_ok().then_some((stream, closing));
            Some((batch, rest))
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, batches.fuse())))
    }

    /// What the plan's shared scans have read and given so far.
    pub fn figures(&self) -> Figures {
        let mut figures = Figures::default();
        for shared in &self.shared {
            shared.counters.add_to(&mut figures);
            figures.own_bytes += scan::bytes_scanned(&shared.leaf.source);
        }
        figures
    }
}
