//! Aggregates per pane first, and combines panes into windows.
//!
//! An aggregate over hopping windows would take in each event once per window. But events
//! of one pane (the time between two moments at which a window begins or ends) are always
//! seen by the same ticks. So the first stage of the aggregate groups by pane in place of
//! tick, its states are copied to the ticks, and the last stage merges those of each tick.
//! This holds for every aggregate, because merging states is what its two stages do anyway
//! between threads.

use super::hop_exec::{HopExec, Target, reads};
use super::once::may_be_told_once;
use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::config::ConfigOptions;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::{ChildrenPropertiesMode, ExecutionPlan, ReplaceChildrenOptions};
use std::sync::Arc;

/// Moves hops above the first stage of aggregates.
#[derive(Debug)]
pub(super) struct PanesBeforeWindows;

impl PhysicalOptimizerRule for PanesBeforeWindows {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|node| {
            Ok(
                match node.downcast_ref::<AggregateExec>().map(over_panes).transpose()? {
                    Some(Some(better)) => Transformed::yes(better),
                    _ => Transformed::no(node),
                },
            )
        })
        .map(|plan| plan.data)
    }

    fn name(&self) -> &'static str {
        "panes_before_windows"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn over_panes(aggregate: &AggregateExec) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let groups = aggregate.group_expr();
    if *aggregate.mode() != AggregateMode::Partial || groups.has_grouping_set() {
        return Ok(None);
    }
    for (position, (group, _)) in groups.expr().iter().enumerate() {
        let Some(tick) = group.downcast_ref::<Column>() else {
            continue;
        };
        let other_groups = groups.expr().iter().enumerate().filter(|(other, _)| *other != position);
        let arguments = aggregate.aggr_expr().iter().flat_map(|function| {
            let orders = function.order_bys().iter().map(|order| Arc::clone(&order.expr));
            function.expressions().into_iter().chain(orders).collect::<Vec<_>>()
        });
        let others: Vec<Arc<dyn PhysicalExpr>> = other_groups
            .map(|(_, (group, _))| Arc::clone(group))
            .chain(arguments)
            .chain(aggregate.filter_expr().iter().flatten().cloned())
            .collect();
        if others.iter().any(|expr| reads(expr, tick.index())) {
            continue;
        }
        let Some((input, ticks)) = without_hop(aggregate.input(), tick.index())? else {
            continue;
        };
        let panes = Arc::new(HopExec::new(input, tick.index(), ticks, Target::Pane));
        let first_stage = AggregateExec::try_new(
            AggregateMode::Partial,
            groups.clone(),
            aggregate.aggr_expr().to_vec(),
            aggregate.filter_expr().to_vec(),
            panes,
            aggregate.input_schema(),
        )?;
        let target = if ticks.copies() > 1 && may_be_told_once(aggregate.aggr_expr()) {
            Target::TicksOnce
        } else {
            Target::Ticks
        };
        let hop = HopExec::new(Arc::new(first_stage), position, ticks, target);
        return Ok(Some(Arc::new(hop)));
    }
    Ok(None)
}

/// The plan without the hop that makes this column's ticks, if what is above it only
/// passes them on.
fn without_hop(
    plan: &Arc<dyn ExecutionPlan>,
    column: usize,
) -> Result<Option<(Arc<dyn ExecutionPlan>, super::ticks::Ticks)>> {
    if let Some(hop) = plan.downcast_ref::<HopExec>() {
        return Ok((hop.column() == column && !hop.makes_panes()).then(|| (Arc::clone(hop.input()), hop.ticks())));
    }
    let below = if let Some(projection) = plan.downcast_ref::<ProjectionExec>() {
        let exprs = projection.expr();
        let Some(below) = exprs.get(column).and_then(|item| item.expr.downcast_ref::<Column>()) else {
            return Ok(None);
        };
        let passes_on = |(position, item): (usize, &_)| position == column || !reads_item(item, below.index());
        if !exprs.iter().enumerate().all(passes_on) {
            return Ok(None);
        }
        below.index()
    } else if let Some(filter) = plan.downcast_ref::<FilterExec>() {
        if filter.projection().is_some() || reads(filter.predicate(), column) {
            return Ok(None);
        }
        column
    } else {
        return Ok(None);
    };
    let [input] = plan.children()[..] else {
        return Ok(None);
    };
    let Some((input, ticks)) = without_hop(input, below)? else {
        return Ok(None);
    };
    Ok(Some((with_input(plan, input)?, ticks)))
}

/// An operator of one input over another one.
pub(super) fn with_input(
    node: &Arc<dyn ExecutionPlan>,
    input: Arc<dyn ExecutionPlan>,
) -> Result<Arc<dyn ExecutionPlan>> {
    let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
    Arc::clone(node).replace_children(vec![input], options)
}

fn reads_item(item: &datafusion::physical_expr::projection::ProjectionExpr, column: usize) -> bool {
    reads(&item.expr, column)
}
