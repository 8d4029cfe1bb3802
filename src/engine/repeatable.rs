//! Aggregates that depend on the order of rows, made to depend on the rows alone.
//!
//! `array_agg(x)` without ORDER BY gives the values in the order in which threads happen to
//! deliver them. A detection must find the same every time, in one pass, in a replay and on
//! a schedule, so where an aggregate names no order, the order of its own values counts:
//! lists come sorted, `first_value(x)` is the smallest, `string_agg` joins sorted texts.
//!
//! A detection has a group for each key at each tick, so distinct values are counted and
//! listed by functions of ours that stay small in very many groups.

use datafusion::arrow::array::{Array, ArrayRef, AsArray, ListArray, UInt32Array};
use datafusion::arrow::compute::take;
use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::row::{RowConverter, SortField};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::utils::take_function_args;
use datafusion::common::{Column, DFSchema, Result, plan_err};
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::{
    Aggregate, ColumnarValue, Expr, ExprSchemable, LogicalPlan, Projection, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, Volatility,
};
use std::sync::Arc;

use crate::functions::distinct;

/// Gives every aggregate of a plan an order, in subqueries too.
pub(super) fn with_orders(plan: LogicalPlan) -> Result<LogicalPlan> {
    let changed = plan.transform_up_with_subqueries(|node| match node {
        LogicalPlan::Aggregate(aggregate) => ordered(aggregate),
        other => Ok(Transformed::no(other)),
    })?;
    Ok(changed.data)
}

fn ordered(aggregate: Aggregate) -> Result<Transformed<LogicalPlan>> {
    let mut functions = Vec::with_capacity(aggregate.aggr_expr.len());
    let mut lists = Vec::with_capacity(aggregate.aggr_expr.len());
    let mut changed = false;
    for function in &aggregate.aggr_expr {
        let mut is_list = false;
        let function = function.clone().transform(|expr| match expr {
            Expr::AggregateFunction(call) if is_distinct(&call, aggregate.input.schema()) => {
                Ok(Transformed::yes(Expr::AggregateFunction(in_many_groups(call))))
            }
            Expr::AggregateFunction(mut call) if call.params.order_by.is_empty() => match call.func.name() {
                "array_agg" => {
                    is_list = true;
                    Ok(Transformed::no(Expr::AggregateFunction(call)))
                }
                "string_agg" | "first_value" | "last_value" | "any_value" | "nth_value" => {
                    call.params.order_by = call
                        .params
                        .args
                        .first()
                        .map(|arg| arg.clone().sort(true, false))
                        .into_iter()
                        .collect();
                    Ok(Transformed::yes(Expr::AggregateFunction(call)))
                }
                _ => Ok(Transformed::no(Expr::AggregateFunction(call))),
            },
            other => Ok(Transformed::no(other)),
        })?;
        changed |= function.transformed || is_list;
        functions.push(function.data);
        lists.push(is_list);
    }
    if !changed {
        return Ok(Transformed::no(LogicalPlan::Aggregate(aggregate)));
    }
    let schema = Arc::clone(&aggregate.schema);
    let first_function = schema.fields().len() - functions.len();
    let plan = Aggregate::try_new(Arc::clone(&aggregate.input), aggregate.group_expr, functions)?;
    let sorted = ScalarUDF::from(Sorted {
        signature: Signature::any(1, Volatility::Immutable),
    });
    let columns = schema.iter().enumerate().map(|(position, (table, field))| {
        let column = Expr::Column(Column::from(plan.schema.qualified_field(position)));
        let column = match position
            .checked_sub(first_function)
            .and_then(|function| lists.get(function))
        {
            Some(true) => sorted.call(vec![column]),
            _ => column,
        };
        match &column {
            Expr::Column(same) if same.relation.as_ref() == table && same.name == *field.name() => column,
            _ => column.alias_qualified(table.cloned(), field.name()),
        }
    });
    let columns = columns.collect();
    let projection = Projection::try_new(columns, Arc::new(LogicalPlan::Aggregate(plan)))?;
    Ok(Transformed::yes(LogicalPlan::Projection(projection)))
}

/// Whether a call counts or lists distinct values of a type that our functions can keep.
fn is_distinct(call: &AggregateFunction, input: &DFSchema) -> bool {
    let [value] = call.params.args.as_slice() else {
        return false;
    };
    matches!(call.func.name(), "count" | "array_agg")
        && call.params.distinct
        && call.params.order_by.is_empty()
        && value.get_type(input).is_ok_and(|of| distinct::supports(&of))
}

fn in_many_groups(mut call: AggregateFunction) -> AggregateFunction {
    call.func = Arc::new(match call.func.name() {
        "count" => distinct::count(),
        _ => distinct::list(),
    });
    call.params.distinct = false;
    call
}

/// The elements of a list in their own order, whatever their type.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Sorted {
    signature: Signature,
}

impl ScalarUDFImpl for Sorted {
    fn name(&self) -> &'static str {
        "__sorted"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        match types {
            [list @ DataType::List(_)] => Ok(list.clone()),
            _ => plan_err!("__sorted takes a list"),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [list] = take_function_args(self.name(), ColumnarValue::values_to_arrays(&args.args)?)?;
        match list.as_list_opt::<i32>() {
            Some(list) => Ok(ColumnarValue::Array(sorted(list)?)),
            None => plan_err!("__sorted takes a list, not {}", list.data_type()),
        }
    }
}

fn sorted(list: &ListArray) -> Result<ArrayRef> {
    let values = list.values();
    let field = SortField::new(values.data_type().clone());
    // What has no order stays as it came.
    if !RowConverter::supports_fields(std::slice::from_ref(&field)) {
        return Ok(Arc::new(list.clone()));
    }
    let rows = RowConverter::new(vec![field])?.convert_columns(&[Arc::clone(values)])?;
    let mut order: Vec<u32> = (0..u32::try_from(values.len()).unwrap_or(u32::MAX)).collect();
    for window in list.offsets().windows(2) {
        let &[start, end] = window else { continue };
        let part = order.get_mut(usize::try_from(start).unwrap_or(0)..usize::try_from(end).unwrap_or(0));
        if let Some(part) = part {
            part.sort_by(|a, b| rows.row(*a as usize).cmp(&rows.row(*b as usize)));
        }
    }
    let values = take(values, &UInt32Array::from(order), None)?;
    let DataType::List(field) = list.data_type() else {
        return plan_err!("__sorted takes a list");
    };
    let made = ListArray::try_new(Arc::clone(field), list.offsets().clone(), values, list.nulls().cloned())?;
    Ok(Arc::new(made))
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::arrow::datatypes::Int64Type;
    use datafusion::arrow::util::pretty::pretty_format_batches;
    use datafusion::prelude::SessionContext;

    #[test]
    fn each_list_is_sorted_by_itself() {
        let list = ListArray::from_iter_primitive::<Int64Type, _, _>([
            Some(vec![Some(3), None, Some(1)]),
            None,
            Some(vec![]),
            Some(vec![Some(9), Some(2)]),
        ]);
        let expected = ListArray::from_iter_primitive::<Int64Type, _, _>([
            Some(vec![None, Some(1), Some(3)]),
            None,
            Some(vec![]),
            Some(vec![Some(2), Some(9)]),
        ]);
        assert_eq!(sorted(&list).unwrap().as_list::<i32>(), &expected);
        // A part of a longer list keeps to its own part.
        assert_eq!(
            sorted(&list.slice(3, 1)).unwrap().as_list::<i32>(),
            &expected.slice(3, 1)
        );
    }

    /// Distinct values are kept by our functions, under the names and types that they had.
    #[tokio::test]
    async fn distinct_values_keep_their_names_types_and_filters() {
        let context = SessionContext::new();
        let sql = "SELECT g, count(DISTINCT x), count(DISTINCT x) FILTER (WHERE x > 'a') + 1, count(x, g),
                          array_agg(DISTINCT x) FILTER (WHERE g > 1) AS list, array_agg(DISTINCT x) IGNORE NULLS AS some,
                          count(DISTINCT x) OVER (), array_agg(DISTINCT arrow_cast(x, 'Dictionary(Int8, Utf8)')) AS kept
                   FROM (VALUES (1, 'b'), (1, 'a'), (1, NULL), (1, 'b'), (2, 'a')) AS t (g, x)
                   GROUP BY GROUPING SETS ((g, x), (g), ())";
        let own = context.state().create_logical_plan(sql).await.unwrap();
        let ours = with_orders(own.clone()).unwrap();
        assert_eq!(own.schema(), ours.schema());
        let shown = ours.display_indent().to_string();
        assert_eq!(shown.matches("__sorted(").count(), 1, "{shown}");
        let rows = async |plan| {
            let batches = context
                .execute_logical_plan(plan)
                .await
                .unwrap()
                .collect()
                .await
                .unwrap();
            let shown = pretty_format_batches(&batches).unwrap().to_string();
            let mut rows: Vec<String> = shown.lines().map(String::from).collect();
            rows.sort();
            rows
        };
        let sorted = sql
            .replace("array_agg(DISTINCT x)", "array_agg(DISTINCT x ORDER BY x NULLS FIRST)")
            .replace(
                "'Dictionary(Int8, Utf8)'))",
                "'Utf8') ORDER BY arrow_cast(x, 'Utf8') NULLS FIRST)",
            );
        let sorted = context.state().create_logical_plan(&sorted).await.unwrap();
        assert_eq!(rows(ours).await, rows(sorted).await);
        assert_eq!(shown.matches("__distinct_list(").count() / 2, 2, "{shown}");
        assert!(shown.contains("__count_distinct("), "{shown}");
    }
}
