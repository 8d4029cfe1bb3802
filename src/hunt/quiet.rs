//! Which ticks cannot find anything, so that only the others are evaluated.
//!
//! Where every row that a plan can give stems from rows of `events`, a window in which
//! no event passes the filters of any of these scans gives nothing. That holds when the
//! main plan (without the subqueries inside its expressions) reads nothing but `events`
//! and has no aggregate over everything, which gives a row for no rows. One pass over
//! the range with these filters then says in which intervals anything happened.

use crate::engine::Session;
use crate::error::Result;
use datafusion::arrow::array::AsArray;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Aggregate, Expr, LogicalPlan, LogicalPlanBuilder, TableScan, col, lit};
use futures::TryStreamExt as _;
use std::collections::BTreeSet;

/// When events that matter happened.
#[derive(Debug)]
pub(super) enum Activity {
    /// Every tick has to be evaluated.
    Unknown,
    /// Only windows that touch one of these intervals (by number since the Unix epoch) find anything.
    Intervals {
        /// Length of an interval in microseconds.
        length: i64,
        /// Intervals with at least one event.
        active: BTreeSet<i64>,
    },
}

impl Activity {
    /// Whether the window `(after, until]` can give anything.
    pub(super) fn may_find(&self, after: i64, until: i64) -> bool {
        match self {
            Self::Unknown => true,
            Self::Intervals { length, active } => active
                .range(after.div_euclid(*length)..=until.div_euclid(*length))
                .next()
                .is_some(),
        }
    }
}

/// Looks for the activity behind a plan; unknown where emptiness in does not mean emptiness out.
pub(super) async fn activity(session: &Session, plan: &LogicalPlan, length: i64) -> Result<Activity> {
    let optimized = session.context().state().optimize(plan)?;
    let Some(scans) = event_scans(&optimized)? else {
        return Ok(Activity::Unknown);
    };
    let mut active = BTreeSet::new();
    for scan in scans {
        let plan = scan_intervals(scan, length)?;
        let mut stream = session.run(&plan).await?;
        while let Some(batch) = stream.try_next().await? {
            let numbers = cast(batch.column(0), &DataType::Int64)?;
            let numbers = numbers.as_primitive::<Int64Type>();
            for number in numbers.iter().flatten() {
                active.insert(number);
                // Division rounds towards zero: before 1970 the interval may be the one before.
                if number <= 0 {
                    active.insert(number - 1);
                }
            }
        }
    }
    Ok(Activity::Intervals { length, active })
}

/// The scans of the main plan, or none where it has other sources of rows.
fn event_scans(plan: &LogicalPlan) -> Result<Option<Vec<TableScan>>> {
    let mut scans = Vec::new();
    let mut only_events = true;
    plan.apply(|node| {
        match node {
            LogicalPlan::TableScan(scan) if scan.table_name.table() == "events" => scans.push(scan.clone()),
            LogicalPlan::TableScan(_)
            | LogicalPlan::Values(_)
            | LogicalPlan::Extension(_)
            | LogicalPlan::RecursiveQuery(_) => only_events = false,
            LogicalPlan::EmptyRelation(empty) if empty.produce_one_row => only_events = false,
            LogicalPlan::Aggregate(Aggregate { group_expr, .. }) if group_expr.iter().all(is_constant) => {
                only_events = false;
            }
            _ => {}
        }
        Ok(if only_events {
            TreeNodeRecursion::Continue
        } else {
            TreeNodeRecursion::Stop
        })
    })?;
    Ok((only_events && !scans.is_empty()).then_some(scans))
}

fn is_constant(expr: &Expr) -> bool {
    expr.column_refs().is_empty()
}

/// A plan that gives one time per interval in which an event passes the scan's filters.
fn scan_intervals(scan: TableScan, length: i64) -> Result<LogicalPlan> {
    let mut builder = LogicalPlanBuilder::scan(scan.table_name, scan.source, None)?;
    for filter in scan.filters {
        // A filter with a subquery cannot run by itself.
        if filter.exists(|expr| {
            Ok(matches!(
                expr,
                Expr::ScalarSubquery(_) | Expr::InSubquery(_) | Expr::Exists(_)
            ))
        })? {
            continue;
        }
        builder = builder.filter(filter)?;
    }
    let micros = datafusion::logical_expr::cast(col("timestamp"), DataType::Int64);
    let interval = (micros / lit(length)).alias("interval");
    Ok(builder.project([interval])?.distinct()?.build()?)
}
