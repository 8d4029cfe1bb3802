//! The scans of a plan, and when it reads them.

use super::leaf::Leaf;
use datafusion::common::Result as DfResult;
use datafusion::datasource::physical_plan::ParquetSource;
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::joins::{CrossJoinExec, HashJoinExec, NestedLoopJoinExec};
use datafusion::physical_plan::recursive_query::RecursiveQueryExec;
use std::sync::Arc;

/// A scan that may be shared, and where it is: in which plan, and the how manieth of its scans.
pub(super) struct Found {
    pub(super) plan: usize,
    pub(super) position: usize,
    pub(super) leaf: Leaf,
    /// Other scans with which it has a file in common.
    pub(super) others: usize,
}

pub(super) fn is_scan(plan: &Arc<dyn ExecutionPlan>) -> bool {
    plan.downcast_ref::<DataSourceExec>().is_some()
}

fn reads_files(plan: &Arc<dyn ExecutionPlan>) -> bool {
    let scan = plan.downcast_ref::<DataSourceExec>();
    scan.is_some_and(|scan| scan.downcast_to_file_source::<ParquetSource>().is_some())
}

/// The scans of the plan with this number that can be shared, and how many scans it has.
pub(super) fn scans_of(number: usize, plan: &Arc<dyn ExecutionPlan>) -> DfResult<(Vec<Found>, usize)> {
    let mut scans = Scans {
        plan: number,
        found: Vec::new(),
        count: 0,
    };
    scans.visit(plan, false, 0)?;
    Ok((scans.found, scans.count))
}

struct Scans {
    plan: usize,
    found: Vec<Found>,
    count: usize,
}

impl Scans {
    /// Counts scans in the order in which a plan is rewritten. One that the plan above may run more than
    /// once cannot be shared. Returns the phase that begins when all of these have been read.
    fn visit(&mut self, plan: &Arc<dyn ExecutionPlan>, again: bool, phase: usize) -> DfResult<usize> {
        if is_scan(plan) {
            let leaf = if again { None } else { Leaf::of(plan, phase)? };
            let (number, position) = (self.plan, self.count);
            self.count += 1;
            let found = leaf.map(|leaf| Found {
                plan: number,
                position,
                leaf,
                others: 0,
            });
            self.found.extend(found);
            return Ok(phase + usize::from(reads_files(plan)));
        }
        // These read their left side before they ask for the other one.
        let gathers = plan.downcast_ref::<HashJoinExec>().is_some()
            || plan.downcast_ref::<NestedLoopJoinExec>().is_some()
            || plan.downcast_ref::<CrossJoinExec>().is_some();
        let mut end = phase;
        for (side, child) in plan.children().into_iter().enumerate() {
            // A nested loop join reads its left side again where it does not fit in memory.
            let again = again
                || plan.downcast_ref::<RecursiveQueryExec>().is_some()
                || (side == 0 && plan.downcast_ref::<NestedLoopJoinExec>().is_some());
            let begin = if gathers { end } else { phase };
            end = self.visit(child, again, begin)?.max(end);
        }
        Ok(end)
    }
}
