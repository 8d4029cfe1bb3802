//! Aggregates and window functions: the tick joins the GROUP BY and the PARTITION BY.

use super::clock::at_tick;
use super::refused;
use super::rewrite::{Result, Rewriter, Rewritten, Rows, asks, columns_of, project, renamed};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, DFSchema, Result as DfResult, ScalarValue};
use datafusion::logical_expr::{Aggregate, Expr, LogicalPlan, Union, Window, lit};
use std::sync::Arc;

impl Rewriter<'_> {
    pub(super) fn aggregate(&mut self, aggregate: &Aggregate, input: Rewritten) -> Result<Rewritten> {
        if let [Expr::GroupingSet(_)] = aggregate.group_expr.as_slice() {
            return refused("ROLLUP, CUBE or GROUPING SETS");
        }
        let mut groups = aggregate.group_expr.clone();
        let mut functions = aggregate.aggr_expr.clone();
        let input = if asks(groups.iter().chain(&functions))? {
            self.ticked(input)?
        } else {
            input
        };
        // Without groups, a window without events gives a row as well.
        let input = if groups.is_empty() {
            let (input, is_event) = self.with_a_row_per_tick(input, aggregate.input.schema())?;
            functions = functions
                .into_iter()
                .map(|function| only_where(function, &is_event))
                .collect::<DfResult<_>>()?;
            input
        } else {
            input
        };
        let (plan, tick) = self.at_ticks(input)?;
        let now = Expr::Column(tick.clone());
        for expr in groups.iter_mut().chain(&mut functions) {
            *expr = at_tick(std::mem::take(expr), &now)?;
        }
        groups.push(now);
        let tick_position = groups.len() - 1;
        let plan = LogicalPlan::Aggregate(Aggregate::try_new(Arc::new(plan), groups, functions)?);
        // The columns as they were called, whatever was put into their expressions.
        let mut columns: Vec<Expr> = (0..aggregate.schema.fields().len())
            .map(|column| {
                let position = if column < tick_position { column } else { column + 1 };
                renamed(&plan, position, &aggregate.schema, column)
            })
            .collect();
        columns.push(Expr::Column(tick.clone()));
        Ok(Rewritten {
            plan: project(columns, plan)?,
            rows: Rows::Ticked(tick),
        })
    }

    pub(super) fn window(&mut self, window: &Window) -> Result<Rewritten> {
        let input = self.rewrite(&window.input)?;
        let (input, exprs) = self.in_time(input, window.window_expr.clone())?;
        let (plan, tick) = self.at_ticks(input)?;
        let rows = Rows::Ticked(tick.clone());
        let input = Rewritten { plan, rows }.only(window.input.schema())?;
        let per_tick = exprs
            .into_iter()
            .map(|expr| partitioned_by(expr, &tick))
            .collect::<DfResult<_>>()?;
        let plan = LogicalPlan::Window(Window::try_new(per_tick, Arc::new(input.plan))?);
        let width = window.input.schema().fields().len();
        let mut columns = columns_of(window.input.schema());
        // After the input's columns comes the tick, then the functions.
        columns.extend(
            (width..window.schema.fields().len()).map(|column| renamed(&plan, column + 1, &window.schema, column)),
        );
        columns.push(Expr::Column(tick.clone()));
        Ok(Rewritten {
            plan: project(columns, plan)?,
            rows: Rows::Ticked(tick),
        })
    }

    /// The rows, and one more at each tick, with a column that is true for those that were
    /// there before.
    fn with_a_row_per_tick(&mut self, input: Rewritten, schema: &DFSchema) -> Result<(Rewritten, Expr)> {
        let input = if input.is_same() { self.ticked(input)? } else { input };
        let Some(old) = input.column().cloned() else {
            return refused("an aggregate of nothing");
        };
        let (column, is_event) = (self.fresh(), self.fresh());
        let (ticks, tick) = self.table_of_ticks()?;
        let mut present = columns_of(schema);
        let mut absent = schema
            .iter()
            .map(|(table, field)| {
                let null = lit(ScalarValue::try_new_null(field.data_type())?);
                Ok(null.alias_qualified(table.cloned(), field.name()))
            })
            .collect::<DfResult<Vec<Expr>>>()?;
        for (columns, time, event) in [(&mut present, old, true), (&mut absent, tick, false)] {
            columns.push(Expr::Column(time).alias(&column.name));
            columns.push(lit(event).alias(&is_event.name));
        }
        let union = LogicalPlan::Union(Union::try_new_with_loose_types(vec![
            Arc::new(project(present, input.plan)?),
            Arc::new(project(absent, ticks)?),
        ])?);
        let width = schema.fields().len();
        let mut columns: Vec<Expr> = (0..width)
            .map(|position| renamed(&union, position, schema, position))
            .collect();
        for (position, name) in [(width, &column), (width + 1, &is_event)] {
            let made = Column::from(union.schema().qualified_field(position));
            columns.push(Expr::Column(made).alias(&name.name));
        }
        let rows = match input.rows {
            Rows::Events(_) => Rows::Events(column),
            _ => Rows::Ticked(column),
        };
        let plan = project(columns, union)?;
        Ok((Rewritten { plan, rows }, Expr::Column(is_event)))
    }
}

/// The aggregate over the rows for which this is true.
fn only_where(function: Expr, condition: &Expr) -> DfResult<Expr> {
    let changed = function.transform(|expr| {
        Ok(match expr {
            Expr::AggregateFunction(mut function) => {
                let filter = match function.params.filter.take() {
                    Some(filter) => condition.clone().and(*filter),
                    None => condition.clone(),
                };
                function.params.filter = Some(Box::new(filter));
                Transformed::yes(Expr::AggregateFunction(function))
            }
            other => Transformed::no(other),
        })
    })?;
    Ok(changed.data)
}

fn partitioned_by(function: Expr, tick: &Column) -> DfResult<Expr> {
    let changed = function.transform(|expr| {
        Ok(match expr {
            Expr::WindowFunction(mut function) => {
                function.params.partition_by.push(Expr::Column(tick.clone()));
                Transformed::yes(Expr::WindowFunction(function))
            }
            other => Transformed::no(other),
        })
    })?;
    Ok(changed.data)
}
