//! Which side of a hash join waits in memory.
//!
//! DataFusion compares the sides by their statistics. Above a join or an aggregate it mostly
//! has none, and then the left side waits: in Microsoft's views those are the events, with
//! the text of their records, where the other side is a list of names. So sides are weighed
//! by what is known of any plan.

use super::lifting::copies_of;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult as _, TreeNode as _};
use datafusion::common::{JoinType, Result};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::joins::{HashJoinExec, PartitionMode};
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};
use datafusion::physical_plan::union::UnionExec;
use std::sync::Arc;

/// Share of the rows that a filter is taken to keep, as DataFusion's planner does.
const KEPT: f64 = 0.2;

/// Rows of a group of an aggregate.
const ROWS_OF_A_GROUP: f64 = 10.0;

/// Rows of a plan of which nothing is known.
const UNKNOWN: f64 = 1000.0;

/// What the text of a record weighs.
const RECORD: f64 = 100.0;

/// A side has to weigh so many times the other to be worth changing places.
const MORE: f64 = 2.0;

/// Rule for after DataFusion's own choice.
#[derive(Debug)]
pub(super) struct JoinSides;

impl PhysicalOptimizerRule for JoinSides {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|node| {
            let Some(join) = node.downcast_ref::<HashJoinExec>() else {
                return Ok(Transformed::no(node));
            };
            // One that knows about nulls cannot be turned round.
            let free = *join.partition_mode() != PartitionMode::Auto && !join.null_aware;
            if free && join.join_type().supports_swap() && weight(join.left()) > MORE * weight(join.right()) {
                return join.swap_inputs(*join.partition_mode()).map(Transformed::yes);
            }
            Ok(Transformed::no(node))
        })
        .data()
    }

    fn name(&self) -> &'static str {
        "join_sides"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// About how many short values a plan gives.
fn weight(plan: &Arc<dyn ExecutionPlan>) -> f64 {
    let records = if has_records(plan) { RECORD } else { 0.0 };
    rows(plan) * (plan.schema().fields().len() as f64 + records)
}

/// Whether the rows of a plan may have the text of their record, under whatever name.
fn has_records(plan: &Arc<dyn ExecutionPlan>) -> bool {
    let children = plan.children();
    if children.is_empty() {
        return plan.schema().column_with_name("raw").is_some();
    }
    if let Some(join) = plan.downcast_ref::<HashJoinExec>() {
        return match join.join_type() {
            JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark => has_records(join.left()),
            JoinType::RightSemi | JoinType::RightAnti | JoinType::RightMark => has_records(join.right()),
            _ => has_records(join.left()) || has_records(join.right()),
        };
    }
    !plan.is::<AggregateExec>() && children.into_iter().any(has_records)
}

fn rows(plan: &Arc<dyn ExecutionPlan>) -> f64 {
    let children = plan.children();
    let below = || children.first().map_or(UNKNOWN, |child| rows(child));
    if children.is_empty() {
        let known = StatisticsContext::new().compute(plan.as_ref(), &StatisticsArgs::new());
        let count = known.ok().and_then(|known| known.num_rows.get_value().copied());
        count.map_or(UNKNOWN, |rows| rows as f64)
    } else if plan.is::<FilterExec>() {
        below() * KEPT
    } else if let Some(aggregate) = plan.downcast_ref::<AggregateExec>() {
        match aggregate.mode() {
            _ if aggregate.group_expr().is_true_no_grouping() => 1.0,
            AggregateMode::Partial | AggregateMode::Single | AggregateMode::SinglePartitioned => {
                below() / ROWS_OF_A_GROUP
            }
            // Its groups were made by the stage before.
            _ => below(),
        }
    } else if plan.is::<UnionExec>() {
        children.iter().map(|child| rows(child)).sum()
    } else if let Some(join) = plan.downcast_ref::<HashJoinExec>() {
        let (left, right) = (rows(join.left()), rows(join.right()));
        match join.join_type() {
            JoinType::Left | JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark => left,
            JoinType::Right | JoinType::RightSemi | JoinType::RightAnti | JoinType::RightMark => right,
            JoinType::Inner | JoinType::Full => left.max(right),
        }
    } else {
        below() * copies_of(plan.as_ref()) as f64
    }
}
