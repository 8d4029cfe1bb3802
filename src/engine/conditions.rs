//! Keeps conditions without columns above aggregates over everything.
//!
//! An aggregate without GROUP BY gives a row for no rows, and so do ROLLUP, CUBE and grouping sets
//! of which one is empty. DataFusion's optimiser pushes a condition that names no column (`HAVING
//! extract(hour FROM now()) = 6`, `WHERE (SELECT count(*) FROM events) > 0`) below it all the same,
//! where it no longer takes that row away. A condition on a constant (`SELECT * FROM (SELECT 'x' AS
//! kind, count(*) FROM events) WHERE kind = 'y'`) names no column once it has been pushed through
//! what makes the constant, a projection or a group. Naming a column of the aggregate keeps both in
//! their place.

use super::hidden::as_it_is;
use datafusion::common::tree_node::{Transformed, TreeNode as _};
use datafusion::common::{Column, JoinType, Result, internal_err};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{Aggregate, Expr, Filter, GroupingSet, Join, LogicalPlan, Projection, Volatility, lit};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};
use std::sync::Arc;

/// Rule for before conditions are pushed down.
#[derive(Debug)]
pub(super) struct FreeConditions;

impl OptimizerRule for FreeConditions {
    fn name(&self) -> &'static str {
        "free_conditions"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn rewrite(&self, plan: LogicalPlan, _: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        match plan {
            LogicalPlan::Filter(filter) if is_made_of_nothing(&filter.input) => of_filter(filter),
            LogicalPlan::Join(join) if is_made_of_nothing(&join.left) || is_made_of_nothing(&join.right) => {
                of_join(join)
            }
            other => Ok(Transformed::no(other)),
        }
    }
}

fn of_filter(filter: Filter) -> Result<Transformed<LogicalPlan>> {
    let column = filter.input.schema().columns().into_iter().next();
    let predicate = tied_conditions(filter.predicate, column)?;
    let input = below(filter.input)?;
    let changed = predicate.transformed || input.transformed;
    let filter = Filter::try_new(predicate.data, input.data)?;
    Ok(Transformed::new_transformed(LogicalPlan::Filter(filter), changed))
}

/// A condition of ON may be pushed into the side whose rows need no partner, or into any.
fn of_join(mut join: Join) -> Result<Transformed<LogicalPlan>> {
    let side = match join.join_type {
        JoinType::Right | JoinType::RightSemi | JoinType::RightAnti | JoinType::RightMark => &join.left,
        _ => &join.right,
    };
    let column = side.schema().columns().into_iter().next();
    let mut changed = false;
    if let Some(filter) = join.filter.take() {
        let filter = tied_conditions(filter, column)?;
        changed = filter.transformed;
        join.filter = Some(filter.data);
    }
    let (left, right) = (below(join.left)?, below(join.right)?);
    changed |= left.transformed || right.transformed;
    (join.left, join.right) = (left.data, right.data);
    Ok(Transformed::new_transformed(LogicalPlan::Join(join), changed))
}

/// The condition with those of its parts tied to the column that name none.
fn tied_conditions(condition: Expr, column: Option<Column>) -> Result<Transformed<Expr>> {
    let Some(column) = column else {
        return Ok(Transformed::no(condition));
    };
    let mut changed = false;
    let parts = split_conjunction_owned(condition).into_iter().map(|part| {
        if !is_free(&part) || becomes_a_join(&part)? || part == lit(true) {
            return Ok(part);
        }
        changed = true;
        Ok(tied(part, &column))
    });
    let parts = parts.collect::<Result<Vec<_>>>()?;
    match conjunction(parts) {
        Some(condition) => Ok(Transformed::new_transformed(condition, changed)),
        None => internal_err!("a condition has no parts"),
    }
}

/// A plan with the constants tied to a column that are made above an aggregate over everything.
fn below(plan: Arc<LogicalPlan>) -> Result<Transformed<Arc<LogicalPlan>>> {
    if !is_made_of_nothing(&plan) || is_over_everything(&plan) {
        return Ok(Transformed::no(plan));
    }
    let plan = Arc::unwrap_or_clone(plan).transform_down(|node| match node {
        LogicalPlan::Projection(projection) if is_made_of_nothing(&projection.input) => {
            let exprs = tied_constants(projection.expr, &projection.input)?;
            exprs.map_data(|exprs| {
                Projection::try_new_with_schema(exprs, projection.input, projection.schema).map(LogicalPlan::Projection)
            })
        }
        LogicalPlan::Aggregate(aggregate) if is_made_of_nothing(&aggregate.input) => {
            let groups = tied_constants(aggregate.group_expr, &aggregate.input)?;
            groups.map_data(|groups| {
                Aggregate::try_new_with_schema(aggregate.input, groups, aggregate.aggr_expr, aggregate.schema)
                    .map(LogicalPlan::Aggregate)
            })
        }
        other => Ok(Transformed::no(other)),
    })?;
    Ok(plan.update_data(Arc::new))
}

/// The expressions over a plan with those tied to a column of it that name none.
fn tied_constants(exprs: Vec<Expr>, input: &LogicalPlan) -> Result<Transformed<Vec<Expr>>> {
    let Some(column) = input.schema().columns().into_iter().next() else {
        return Ok(Transformed::no(exprs));
    };
    let names = NamePreserver::new_for_projection();
    let mut changed = false;
    let exprs = exprs.into_iter().map(|expr| {
        if !is_free(&expr) || matches!(expr, Expr::GroupingSet(_)) {
            return expr;
        }
        changed = true;
        let name = names.save(&expr);
        name.restore(tied(expr.unalias_nested().data, &column))
    });
    let exprs = exprs.collect();
    Ok(Transformed::new_transformed(exprs, changed))
}

/// Whether an expression names no column.
fn is_free(expr: &Expr) -> bool {
    expr.column_refs().is_empty()
}

/// Whether a condition is, or has in it, a subquery that becomes a join by itself.
fn becomes_a_join(condition: &Expr) -> Result<bool> {
    condition.exists(|inner| {
        Ok(match inner {
            Expr::InSubquery(_) | Expr::Exists(_) | Expr::SetComparison(_) | Expr::OuterReferenceColumn(..) => true,
            Expr::ScalarSubquery(subquery) => !subquery.outer_ref_columns.is_empty(),
            _ => false,
        })
    })
}

/// Whether rows of a plan may come from an aggregate over everything, in subqueries not.
fn is_made_of_nothing(plan: &LogicalPlan) -> bool {
    is_over_everything(plan) || plan.inputs().into_iter().any(is_made_of_nothing)
}

/// Whether an aggregate has a row for no rows.
fn is_over_everything(plan: &LogicalPlan) -> bool {
    let LogicalPlan::Aggregate(aggregate) = plan else {
        return false;
    };
    // Of several, each row is of one group of each.
    aggregate.group_expr.iter().all(|group| match group {
        Expr::GroupingSet(GroupingSet::Rollup(_) | GroupingSet::Cube(_)) => true,
        Expr::GroupingSet(GroupingSet::GroupingSets(sets)) => sets.iter().any(Vec::is_empty),
        _ => false,
    })
}

/// An expression that names the column too.
fn tied(expr: Expr, column: &Column) -> Expr {
    as_it_is(2, Volatility::Immutable).call(vec![expr, Expr::Column(column.clone())])
}
