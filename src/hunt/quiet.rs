//! Which ticks cannot find anything, so that only the others are evaluated.
//!
//! Every row that a plan gives stems from rows of its scans. A scan of `events` gives
//! nothing for a window in which no event passes its filters; a union needs rows from any
//! of its sides, an inner or semi join from both, an outer or anti join from the side it
//! keeps. What is left is a condition on the window that one pass over the range per scan
//! decides for all ticks. Sources of rows that do not depend on events (VALUES, a list, an
//! aggregate over everything, which gives a row for no rows) always give some, and
//! subqueries inside expressions never give any by themselves.

use crate::engine::Session;
use crate::error::Result;
use datafusion::arrow::array::AsArray;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::common::JoinType;
use datafusion::common::tree_node::TreeNode;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, TableScan, col, lit};
use futures::TryStreamExt as _;
use std::collections::BTreeSet;
use std::sync::Arc;

/// When a plan can give rows.
#[derive(Debug)]
pub(super) struct Activity {
    /// Length of an interval in microseconds.
    length: i64,
    rows: Rows,
}

/// What a window needs for a plan to give rows.
#[derive(Debug)]
enum Rows {
    Always,
    /// An event in one of these intervals, by their number since the Unix epoch.
    Events(BTreeSet<i64>),
    Any(Vec<Rows>),
    All(Vec<Rows>),
}

impl Activity {
    /// Every tick has to be evaluated.
    pub(super) fn unknown() -> Self {
        Self {
            length: 1,
            rows: Rows::Always,
        }
    }

    /// Whether the window `(after, until]` can give anything.
    pub(super) fn may_find(&self, after: i64, until: i64) -> bool {
        self.rows
            .in_intervals(after.div_euclid(self.length), until.div_euclid(self.length))
    }
}

impl Rows {
    fn in_intervals(&self, first: i64, last: i64) -> bool {
        match self {
            Self::Always => true,
            Self::Events(active) => active.range(first..=last).next().is_some(),
            Self::Any(sides) => sides.iter().any(|side| side.in_intervals(first, last)),
            Self::All(sides) => sides.iter().all(|side| side.in_intervals(first, last)),
        }
    }
}

/// Looks for the activity behind a plan, in intervals of this length.
pub(super) async fn activity(session: &Session, plan: &LogicalPlan, length: i64) -> Result<Activity> {
    let optimized = session.context().state().optimize(plan)?;
    let rows = Box::pin(rows_of(session, &optimized, length)).await?;
    Ok(Activity { length, rows })
}

async fn rows_of(session: &Session, plan: &LogicalPlan, length: i64) -> Result<Rows> {
    let inputs = match plan {
        LogicalPlan::TableScan(scan) if scan.table_name.table() == "events" => {
            return Ok(Rows::Events(active_intervals(session, scan, length).await?));
        }
        LogicalPlan::EmptyRelation(empty) if !empty.produce_one_row => return Ok(Rows::Any(Vec::new())),
        // Without groups, or with none that depends on a row, there is a row for no rows.
        LogicalPlan::Aggregate(aggregate)
            if aggregate.group_expr.iter().all(is_constant)
                || aggregate
                    .group_expr
                    .iter()
                    .any(|expr| matches!(expr, Expr::GroupingSet(_))) =>
        {
            return Ok(Rows::Always);
        }
        LogicalPlan::Join(join) => match join.join_type {
            JoinType::Inner | JoinType::LeftSemi | JoinType::RightSemi => {
                return Ok(Rows::All(sides(session, plan.inputs(), length).await?));
            }
            JoinType::Full => plan.inputs(),
            JoinType::Left | JoinType::LeftAnti | JoinType::LeftMark => vec![join.left.as_ref()],
            JoinType::Right | JoinType::RightAnti | JoinType::RightMark => vec![join.right.as_ref()],
        },
        LogicalPlan::Projection(_)
        | LogicalPlan::Filter(_)
        | LogicalPlan::Window(_)
        | LogicalPlan::Aggregate(_)
        | LogicalPlan::Sort(_)
        | LogicalPlan::Repartition(_)
        | LogicalPlan::Union(_)
        | LogicalPlan::Subquery(_)
        | LogicalPlan::SubqueryAlias(_)
        | LogicalPlan::Limit(_)
        | LogicalPlan::Distinct(_)
        | LogicalPlan::Unnest(_) => plan.inputs(),
        _ => return Ok(Rows::Always),
    };
    Ok(Rows::Any(sides(session, inputs, length).await?))
}

async fn sides(session: &Session, inputs: Vec<&LogicalPlan>, length: i64) -> Result<Vec<Rows>> {
    let mut sides = Vec::with_capacity(inputs.len());
    for input in inputs {
        sides.push(Box::pin(rows_of(session, input, length)).await?);
    }
    Ok(sides)
}

fn is_constant(expr: &Expr) -> bool {
    expr.column_refs().is_empty()
}

/// The intervals in which an event passes the filters of a scan.
async fn active_intervals(session: &Session, scan: &TableScan, length: i64) -> Result<BTreeSet<i64>> {
    let mut builder = LogicalPlanBuilder::scan(scan.table_name.clone(), Arc::clone(&scan.source), None)?;
    for filter in &scan.filters {
        // A filter with a subquery cannot run by itself; without it, more intervals count.
        let has_subquery = |expr: &Expr| {
            Ok(matches!(
                expr,
                Expr::ScalarSubquery(_) | Expr::InSubquery(_) | Expr::Exists(_)
            ))
        };
        if !filter.exists(has_subquery)? {
            builder = builder.filter(filter.clone())?;
        }
    }
    let micros = datafusion::logical_expr::cast(col("timestamp"), DataType::Int64);
    let interval = (micros / lit(length)).alias("interval");
    let plan = builder.project([interval])?.distinct()?.build()?;
    let mut active = BTreeSet::new();
    let mut stream = session.run(&plan).await?;
    while let Some(batch) = stream.try_next().await? {
        let numbers = cast(batch.column(0), &DataType::Int64)?;
        for number in numbers.as_primitive::<Int64Type>().iter().flatten() {
            active.insert(number);
            // Division rounds towards zero: before 1970 the interval may be the one before.
            if number <= 0 {
                active.insert(number - 1);
            }
        }
    }
    Ok(active)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joins_need_both_sides_and_unions_any() {
        let events = |numbers: &[i64]| Rows::Events(numbers.iter().copied().collect());
        let activity = |rows| Activity { length: 10, rows };
        let found = |activity: &Activity, after, until| activity.may_find(after, until);
        let any = activity(Rows::Any(vec![events(&[1]), events(&[5])]));
        assert!(found(&any, 5, 15) && found(&any, 45, 50) && !found(&any, 25, 45));
        let all = activity(Rows::All(vec![events(&[1]), events(&[5])]));
        assert!(found(&all, 5, 50) && !found(&all, 5, 45));
        assert!(found(&Activity::unknown(), 0, 1));
        assert!(
            !found(&activity(Rows::Any(Vec::new())), 0, 100),
            "no source of rows at all"
        );
        let early = activity(events(&[-1]));
        assert!(found(&early, -5, -1) && !found(&early, 0, 5));
    }
}
