//! Keeps conditions without columns above aggregates over everything.
//!
//! An aggregate without GROUP BY gives a row for no rows, and so do ROLLUP, CUBE and grouping sets
//! of which one is empty. DataFusion's optimiser pushes a
//! condition that names no column (`HAVING extract(hour FROM now()) = 6`, `WHERE (SELECT
//! count(*) FROM events) > 0`) below it all the same, where it no longer takes that row
//! away. Naming a column of the aggregate keeps it in its place.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::utils::take_function_args;
use datafusion::common::{Column, Result};
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{
    ColumnarValue, Expr, Filter, GroupingSet, LogicalPlan, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};

/// The plan with such conditions tied to a column of the aggregate below them.
pub(super) fn tied(plan: LogicalPlan) -> Result<LogicalPlan> {
    let changed = plan.transform_up_with_subqueries(|node| match node {
        LogicalPlan::Filter(filter) => {
            let Some(column) = of_one_row(&filter.input) else {
                return Ok(Transformed::no(LogicalPlan::Filter(filter)));
            };
            let function = ScalarUDF::from(Tied {
                signature: Signature::any(2, Volatility::Immutable),
            });
            let mut changed = false;
            let conditions = split_conjunction_owned(filter.predicate);
            let conditions: Vec<Expr> = conditions
                .into_iter()
                .map(|condition| {
                    if !is_free(&condition)? {
                        return Ok(condition);
                    }
                    changed = true;
                    Ok(function.call(vec![condition, Expr::Column(column.clone())]))
                })
                .collect::<Result<_>>()?;
            let predicate = conjunction(conditions).unwrap_or_else(|| datafusion::logical_expr::lit(true));
            let filter = LogicalPlan::Filter(Filter::try_new(predicate, filter.input)?);
            Ok(Transformed::new_transformed(filter, changed))
        }
        other => Ok(Transformed::no(other)),
    })?;
    Ok(changed.data)
}

/// Whether a condition names no column, and is no subquery that becomes a join by itself.
fn is_free(condition: &Expr) -> Result<bool> {
    let joins = condition.exists(|inner| {
        Ok(matches!(
            inner,
            Expr::InSubquery(_) | Expr::Exists(_) | Expr::SetComparison(_) | Expr::OuterReferenceColumn(..)
        ))
    })?;
    Ok(!joins && condition.column_refs().is_empty() && !matches!(condition, Expr::Literal(..)))
}

/// A column of a plan that is made by an aggregate over everything below it.
fn of_one_row(plan: &LogicalPlan) -> Option<Column> {
    match plan {
        LogicalPlan::Aggregate(aggregate) if is_over_everything(&aggregate.group_expr) => {
            aggregate.schema.columns().into_iter().next()
        }
        LogicalPlan::Filter(filter) => of_one_row(&filter.input),
        LogicalPlan::Sort(sort) => of_one_row(&sort.input),
        LogicalPlan::SubqueryAlias(alias) => {
            let below = of_one_row(&alias.input)?;
            let position = alias.input.schema().index_of_column(&below).ok()?;
            Some(Column::from(alias.schema.qualified_field(position)))
        }
        LogicalPlan::Projection(projection) => {
            of_one_row(&projection.input)?;
            let reads = |expr: &Expr| !expr.column_refs().is_empty();
            let position = projection.expr.iter().position(reads)?;
            Some(Column::from(projection.schema.qualified_field(position)))
        }
        _ => None,
    }
}

/// Whether one of the groups is that of all rows, which is there where there are none.
fn is_over_everything(groups: &[Expr]) -> bool {
    groups.iter().all(|group| match group {
        Expr::GroupingSet(GroupingSet::Rollup(_) | GroupingSet::Cube(_)) => true,
        Expr::GroupingSet(GroupingSet::GroupingSets(sets)) => sets.iter().any(Vec::is_empty),
        _ => false,
    })
}

/// `__tied(condition, column)`: the condition.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Tied {
    signature: Signature,
}

impl ScalarUDFImpl for Tied {
    fn name(&self) -> &'static str {
        "__tied"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [condition, _] = take_function_args(self.name(), args.args)?;
        condition.cast_to(&DataType::Boolean, None)
    }
}
