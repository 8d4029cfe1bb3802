//! Builds only those windows that can pass their HAVING.
//!
//! `HAVING count(*) >= 10` lets few windows pass, and how many events a window holds is the
//! sum over its panes: known before the panes' states are copied to the windows and merged,
//! which is most of the work. So between the two, panes are left out that no window with
//! enough events holds. Counts of distinct values are at most the sum over the panes.
//!
//! No window that passes loses a pane. One that does not pass may lose some: its counts
//! become smaller still, and the HAVING, which stays, drops it as before.

use super::hop_exec::HopExec;
use super::panes::with_input;
use super::sieve_exec::{AtLeast, SieveExec};
use crate::functions::distinct;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Result, ScalarValue, internal_datafusion_err};
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::expressions::{BinaryExpr, Column, Literal};
use datafusion::physical_expr::utils::split_conjunction;
use datafusion::physical_expr::{PhysicalExpr, aggregate::AggregateFunctionExpr};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::projection::ProjectionExec;
use std::sync::Arc;

/// Puts sieves between panes and windows: for after panes have been made.
#[derive(Debug)]
pub(super) struct SieveBeforeWindows;

impl PhysicalOptimizerRule for SieveBeforeWindows {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|node| {
            let Some(filter) = node.downcast_ref::<FilterExec>() else {
                return Ok(Transformed::no(node));
            };
            let counts: Vec<Count> = split_conjunction(filter.predicate())
                .into_iter()
                .filter_map(count)
                .collect();
            match sieved(filter.input(), counts)? {
                Some(input) => with_input(&node, input).map(Transformed::yes),
                None => Ok(Transformed::no(node)),
            }
        })
        .map(|plan| plan.data)
    }

    fn name(&self) -> &'static str {
        "sieve_before_windows"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// A condition that a column is at least a number.
struct Count {
    column: usize,
    number: u64,
}

/// The condition as such a one, if it implies one.
fn count(condition: &Arc<dyn PhysicalExpr>) -> Option<Count> {
    let comparison = condition.downcast_ref::<BinaryExpr>()?;
    let (left, right) = (comparison.left(), comparison.right());
    let (column, op, literal) = match left.downcast_ref::<Column>() {
        Some(column) => (column, *comparison.op(), right.downcast_ref::<Literal>()?),
        None => (
            right.downcast_ref::<Column>()?,
            comparison.op().swap()?,
            left.downcast_ref::<Literal>()?,
        ),
    };
    let ScalarValue::Int64(Some(value)) = *literal.value() else {
        return None;
    };
    let least = match op {
        Operator::GtEq | Operator::Eq => value,
        Operator::Gt => value.checked_add(1)?,
        _ => return None,
    };
    // Of what is there, there is one anyway.
    let number = u64::try_from(least).ok().filter(|number| *number > 0)?;
    Some(Count {
        column: column.index(),
        number,
    })
}

/// The plan below the conditions with a sieve in it, if it is an aggregate over windows.
fn sieved(plan: &Arc<dyn ExecutionPlan>, mut counts: Vec<Count>) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    if counts.is_empty() {
        return Ok(None);
    }
    if let Some(projection) = plan.downcast_ref::<ProjectionExec>() {
        counts.retain_mut(|count| {
            let below = projection.expr().get(count.column);
            let below = below.and_then(|item| item.expr.downcast_ref::<Column>());
            below.map(|column| count.column = column.index()).is_some()
        });
        return match sieved(projection.input(), counts)? {
            Some(input) => with_input(plan, input).map(Some),
            None => Ok(None),
        };
    }
    let Some(last) = plan.downcast_ref::<AggregateExec>() else {
        return Ok(None);
    };
    let final_stage = matches!(last.mode(), AggregateMode::Final | AggregateMode::FinalPartitioned);
    let Some(hop) = last.input().downcast_ref::<HopExec>().filter(|_| final_stage) else {
        return Ok(None);
    };
    let Some(first) = hop.input().downcast_ref::<AggregateExec>() else {
        return Ok(None);
    };
    let groups = first.group_expr().expr().len();
    let keys: Vec<usize> = (0..groups).filter(|position| *position != hop.column()).collect();
    // Without copies there is nothing to spare, and without keys next to nothing.
    if hop.ticks().copies() < 2 || keys.is_empty() {
        return Ok(None);
    }
    let conditions = conditions(first.aggr_expr(), groups, &counts)?;
    if conditions.is_empty() {
        return Ok(None);
    }
    let sieve = SieveExec::new(Arc::clone(hop.input()), keys, hop.column(), hop.ticks(), conditions);
    with_input(plan, Arc::new(hop.over(Arc::new(sieve)))).map(Some)
}

/// What the conditions ask of the states of the first stage, which come after its groups.
fn conditions(functions: &[Arc<AggregateFunctionExpr>], groups: usize, counts: &[Count]) -> Result<Vec<AtLeast>> {
    let mut conditions = Vec::new();
    let mut state = groups;
    for (position, function) in functions.iter().enumerate() {
        let asked = counts.iter().filter(|count| count.column == groups + position);
        if let Some(number) = asked.map(|count| count.number).max()
            && counts_values(function)
        {
            conditions.push(AtLeast { column: state, number });
        }
        state = state
            .checked_add(function.state_fields()?.len())
            .ok_or_else(|| internal_datafusion_err!("too many states"))?;
    }
    Ok(conditions)
}

/// Whether it is a count whose state is a number, or a list of what was counted.
fn counts_values(function: &AggregateFunctionExpr) -> bool {
    match function.fun().name() {
        "count" => !function.is_distinct(),
        name => name == distinct::COUNT,
    }
}
