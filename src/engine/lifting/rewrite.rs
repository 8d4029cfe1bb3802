//! The rewrite, operator by operator.

use super::clock::{asks_for_time, at_tick, tick_type};
use super::hop::Hop;
use super::ticks::Ticks;
use super::witness::{self, Question};
use super::{Stop, TICK_COLUMN, refused};
use crate::engine::keyed_spans::KeyedSpans;
use datafusion::arrow::array::{ArrayRef, RecordBatch, TimestampMicrosecondArray};
use datafusion::arrow::datatypes::{Field, Schema};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, Result as DfResult};
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{
    Aggregate, Distinct, Expr, Filter, LogicalPlan, LogicalPlanBuilder, Projection, SubqueryAlias, TableScan,
    TableScanBuilder, Union, Unnest,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Name of the table of events and of its column of event times.
const EVENTS: &str = "events";
const EVENT_TIME: &str = "timestamp";

pub(super) type Result<T> = std::result::Result<T, Stop>;

/// What the rows of a plan stand for.
#[derive(Debug, Clone)]
pub(super) enum Rows {
    /// The same at every tick.
    Same,
    /// Events, with their time in this column.
    Events(Column),
    /// Rows of the tick in this column.
    Ticked(Column),
}

/// A rewritten plan. It has all columns of the plan it stands for, under the same names,
/// in any order and among others.
#[derive(Debug, Clone)]
pub(super) struct Rewritten {
    pub(super) plan: LogicalPlan,
    pub(super) rows: Rows,
}

impl Rewritten {
    /// The column of the time or tick.
    pub(super) fn column(&self) -> Option<&Column> {
        match &self.rows {
            Rows::Same => None,
            Rows::Events(column) | Rows::Ticked(column) => Some(column),
        }
    }

    pub(super) fn is_same(&self) -> bool {
        matches!(self.rows, Rows::Same)
    }

    /// The same with another plan that keeps the column.
    pub(super) fn with_plan(self, plan: LogicalPlan) -> Self {
        Self { plan, ..self }
    }

    /// Without columns that are neither of this schema nor the time or tick, in its order.
    pub(super) fn only(self, schema: &DFSchema) -> Result<Self> {
        let mut columns = columns_of(schema);
        columns.extend(self.column().cloned().map(Expr::Column));
        let plan = project(columns, self.plan)?;
        Ok(Self { plan, rows: self.rows })
    }
}

pub(super) fn columns_of(schema: &DFSchema) -> Vec<Expr> {
    schema.columns().into_iter().map(Expr::Column).collect()
}

pub(super) fn project(columns: Vec<Expr>, input: LogicalPlan) -> DfResult<LogicalPlan> {
    Projection::try_new(columns, Arc::new(input)).map(LogicalPlan::Projection)
}

/// The column at this position of a plan, named as at that position of a schema.
pub(super) fn renamed(plan: &LogicalPlan, position: usize, schema: &DFSchema, name: usize) -> Expr {
    let (table, field) = schema.qualified_field(name);
    let column = Expr::Column(Column::from(plan.schema().qualified_field(position)));
    match &column {
        Expr::Column(same) if same.relation.as_ref() == table && same.name == *field.name() => column,
        _ => column.alias_qualified(table.cloned(), field.name()),
    }
}

pub(super) struct Rewriter<'a> {
    pub(super) ticks: Ticks,
    names: usize,
    /// Answers to the questions of an earlier rewrite of the same plan, by aggregate.
    answers: &'a BTreeMap<usize, Arc<KeyedSpans>>,
    /// Questions about the aggregates met so far.
    pub(super) questions: Vec<Question>,
    aggregates: usize,
}

impl<'a> Rewriter<'a> {
    pub(super) fn new(ticks: Ticks, answers: &'a BTreeMap<usize, Arc<KeyedSpans>>) -> Self {
        Self {
            ticks,
            names: 0,
            answers,
            questions: Vec::new(),
            aggregates: 0,
        }
    }

    /// The events of an aggregate, without those that its HAVING cannot let pass in any window.
    fn with_witnesses(&mut self, aggregate: &Aggregate, having: &Expr, events: Rewritten) -> Result<Rewritten> {
        let plain = !aggregate
            .group_expr
            .iter()
            .any(|group| matches!(group, Expr::GroupingSet(_)));
        let exprs = aggregate.group_expr.iter().chain(&aggregate.aggr_expr).chain([having]);
        let Rows::Events(time) = &events.rows else {
            return Ok(events);
        };
        if !plain || asks(exprs)? {
            return Ok(events);
        }
        let number = self.aggregates;
        self.aggregates += 1;
        if let Some(witnesses) = self.answers.get(&number) {
            let whole = (self.ticks.first, self.ticks.last);
            let condition = witnesses.condition(Expr::Column(time.clone()), aggregate.group_expr.clone(), whole);
            return self.filter(condition, events);
        }
        let questions = witness::questions(aggregate, having, (&events.plan, time), self.ticks, number)?;
        self.questions.extend(questions);
        Ok(events)
    }

    /// The plan with the tick of each row, and nothing else added.
    pub(super) fn whole(&mut self, plan: &LogicalPlan) -> Result<LogicalPlan> {
        let rewritten = self.rewrite(plan)?;
        let (rewritten, tick) = self.at_ticks(rewritten)?;
        let mut columns = columns_of(plan.schema());
        columns.push(Expr::Column(tick).alias(TICK_COLUMN));
        Ok(project(columns, rewritten)?)
    }

    pub(super) fn rewrite(&mut self, plan: &LogicalPlan) -> Result<Rewritten> {
        if !depends_on_tick(plan)? {
            return Ok(Rewritten {
                plan: plan.clone(),
                rows: Rows::Same,
            });
        }
        match plan {
            LogicalPlan::TableScan(scan) => self.scan(scan),
            LogicalPlan::Filter(filter) => {
                let input = match filter.input.as_ref() {
                    LogicalPlan::Aggregate(aggregate) => {
                        let events = self.rewrite(&aggregate.input)?;
                        let events = self.with_witnesses(aggregate, &filter.predicate, events)?;
                        self.aggregate(aggregate, events)?
                    }
                    other => self.rewrite(other)?,
                };
                self.filter(filter.predicate.clone(), input)
            }
            LogicalPlan::Projection(projection) => {
                let input = self.rewrite(&projection.input)?;
                let names = NamePreserver::new_for_projection();
                let saved: Vec<_> = projection.expr.iter().map(|expr| names.save(expr)).collect();
                let (input, exprs) = self.in_time(input, projection.expr.clone())?;
                let mut exprs: Vec<Expr> = saved
                    .into_iter()
                    .zip(exprs)
                    .map(|(name, expr)| name.restore(expr))
                    .collect();
                exprs.extend(input.column().cloned().map(Expr::Column));
                // A column keeps its name through a projection.
                Ok(Rewritten {
                    plan: project(exprs, input.plan)?,
                    rows: input.rows,
                })
            }
            LogicalPlan::SubqueryAlias(alias) => {
                let input = self.rewrite(&alias.input)?.only(alias.input.schema())?;
                let under_alias = |column: Column| Column::new(Some(alias.alias.clone()), column.name);
                Ok(Rewritten {
                    plan: LogicalPlan::SubqueryAlias(SubqueryAlias::try_new(
                        Arc::new(input.plan),
                        alias.alias.clone(),
                    )?),
                    rows: match input.rows {
                        Rows::Same => Rows::Same,
                        Rows::Events(column) => Rows::Events(under_alias(column)),
                        Rows::Ticked(column) => Rows::Ticked(under_alias(column)),
                    },
                })
            }
            LogicalPlan::Aggregate(aggregate) => {
                let input = self.rewrite(&aggregate.input)?;
                self.aggregate(aggregate, input)
            }
            LogicalPlan::Window(window) => self.window(window),
            LogicalPlan::Join(join) => self.join(join),
            LogicalPlan::Union(union) => self.union(union),
            LogicalPlan::Unnest(unnest) => {
                let input = self.rewrite(&unnest.input)?.only(unnest.input.schema())?;
                let node = Unnest::try_new(
                    Arc::new(input.plan.clone()),
                    unnest.exec_columns.clone(),
                    unnest.options.clone(),
                )?;
                Ok(input.with_plan(LogicalPlan::Unnest(node)))
            }
            LogicalPlan::Distinct(Distinct::All(input)) => {
                let rewritten = self.rewrite(input)?;
                let rewritten = self.ticked(rewritten)?.only(input.schema())?;
                let plan = LogicalPlanBuilder::from(rewritten.plan.clone()).distinct()?.build()?;
                Ok(rewritten.with_plan(plan))
            }
            // The order of rows means nothing to a finding.
            LogicalPlan::Sort(sort) if sort.fetch.is_none() => self.rewrite(&sort.input),
            LogicalPlan::Sort(_) | LogicalPlan::Limit(_) => refused("LIMIT"),
            LogicalPlan::RecursiveQuery(_) => refused("WITH RECURSIVE"),
            LogicalPlan::Subquery(_) => refused("a subquery that is not a join"),
            other => refused(other.display().to_string()),
        }
    }

    fn scan(&mut self, scan: &TableScan) -> Result<Rewritten> {
        if scan.fetch.is_some() {
            return refused("LIMIT");
        }
        let time = scan
            .source
            .schema()
            .index_of(EVENT_TIME)
            .map_err(|error| Stop::Failed(error.into()))?;
        let projection = scan.projection.clone().map(|mut columns| {
            if !columns.contains(&time) {
                columns.push(time);
            }
            columns
        });
        let bare = TableScanBuilder::new(scan.table_name.clone(), Arc::clone(&scan.source))
            .with_projection(projection)
            .build()?;
        let column = self.fresh();
        let mut columns = columns_of(&scan.projected_schema);
        columns.push(Expr::Column(Column::new(Some(scan.table_name.clone()), EVENT_TIME)).alias(column.name.clone()));
        let events = Rewritten {
            plan: project(columns, LogicalPlan::TableScan(bare))?,
            rows: Rows::Events(column),
        };
        match conjunction(scan.filters.clone()) {
            Some(predicate) => self.filter(predicate, events),
            None => Ok(events),
        }
    }

    pub(super) fn filter(&mut self, predicate: Expr, input: Rewritten) -> Result<Rewritten> {
        let (input, mut exprs) = self.in_time(input, vec![predicate])?;
        let Some(predicate) = exprs.pop() else {
            return Ok(input);
        };
        let plan = LogicalPlan::Filter(Filter::try_new(predicate, Arc::new(input.plan.clone()))?);
        Ok(input.with_plan(plan))
    }

    fn union(&mut self, union: &Union) -> Result<Rewritten> {
        let mut inputs = Vec::with_capacity(union.inputs.len());
        for input in &union.inputs {
            inputs.push((self.rewrite(input)?, input.schema()));
        }
        let all_events = inputs.iter().all(|(input, _)| matches!(input.rows, Rows::Events(_)));
        let name = self.fresh();
        let mut plans = Vec::with_capacity(inputs.len());
        for (input, schema) in inputs {
            let (plan, column) = match (&input.rows, all_events) {
                (Rows::Events(column), true) => (input.plan.clone(), column.clone()),
                _ => self.at_ticks(input)?,
            };
            let mut columns = columns_of(schema);
            columns.push(Expr::Column(column).alias(name.name.clone()));
            plans.push(Arc::new(project(columns, plan)?));
        }
        let plan = LogicalPlan::Union(Union::try_new_with_loose_types(plans)?);
        let width = union.schema.fields().len();
        let mut columns: Vec<Expr> = (0..width)
            .map(|position| renamed(&plan, position, &union.schema, position))
            .collect();
        columns.push(Expr::Column(Column::from(plan.schema().qualified_field(width))).alias(name.name.clone()));
        Ok(Rewritten {
            plan: project(columns, plan)?,
            rows: if all_events {
                Rows::Events(name)
            } else {
                Rows::Ticked(name)
            },
        })
    }

    /// Expressions over the rows of a plan, which gets a tick if they ask for the time.
    pub(super) fn in_time(&mut self, input: Rewritten, exprs: Vec<Expr>) -> Result<(Rewritten, Vec<Expr>)> {
        if !asks(&exprs)? {
            return Ok((input, exprs));
        }
        let (plan, tick) = self.at_ticks(input)?;
        let column = Expr::Column(tick.clone());
        let exprs = exprs
            .into_iter()
            .map(|expr| at_tick(expr, &column))
            .collect::<DfResult<_>>()?;
        let rows = Rows::Ticked(tick);
        Ok((Rewritten { plan, rows }, exprs))
    }

    /// The rows of every tick, and the column of the tick.
    pub(super) fn at_ticks(&mut self, rewritten: Rewritten) -> Result<(LogicalPlan, Column)> {
        match rewritten.rows {
            Rows::Ticked(column) => Ok((rewritten.plan, column)),
            Rows::Events(column) => Ok((Hop::plan(rewritten.plan, column.clone(), self.ticks)?, column)),
            Rows::Same => {
                let (ticks, column) = self.table_of_ticks()?;
                let plan = LogicalPlanBuilder::from(rewritten.plan).cross_join(ticks)?.build()?;
                Ok((plan, column))
            }
        }
    }

    /// [`Self::at_ticks`], still with what its rows are.
    pub(super) fn ticked(&mut self, rewritten: Rewritten) -> Result<Rewritten> {
        let (plan, tick) = self.at_ticks(rewritten)?;
        let rows = Rows::Ticked(tick);
        Ok(Rewritten { plan, rows })
    }

    /// A table with one row per tick.
    pub(super) fn table_of_ticks(&mut self) -> Result<(LogicalPlan, Column)> {
        let column = self.fresh();
        let schema = Arc::new(Schema::new(vec![Field::new(&column.name, tick_type(), false)]));
        let values: Vec<i64> = self.ticks.iter().collect();
        let batches = values
            .chunks(8192)
            .map(|part| {
                let array = TimestampMicrosecondArray::from(part.to_vec()).with_timezone("UTC");
                RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(array) as ArrayRef])
            })
            .collect::<std::result::Result<Vec<_>, _>>()
            .map_err(|error| Stop::Failed(error.into()))?;
        let table = MemTable::try_new(schema, vec![batches])?;
        let name = format!("ticks{}", column.name);
        let plan = LogicalPlanBuilder::scan(name.clone(), provider_as_source(Arc::new(table)), None)?.build()?;
        Ok((plan, Column::new(Some(name), column.name)))
    }

    /// A column name that nothing else has.
    pub(super) fn fresh(&mut self) -> Column {
        self.names += 1;
        Column::new_unqualified(format!("{TICK_COLUMN}_{}", self.names))
    }
}

/// Whether a plan reads events or the clock, in subqueries too.
pub(super) fn depends_on_tick(plan: &LogicalPlan) -> DfResult<bool> {
    let mut depends = false;
    plan.apply_with_subqueries(|node| {
        depends |= matches!(node, LogicalPlan::TableScan(scan) if scan.table_name.table() == EVENTS);
        node.apply_expressions(|expr| {
            depends |= asks_for_time(expr)?;
            Ok(TreeNodeRecursion::Continue)
        })?;
        Ok(if depends {
            TreeNodeRecursion::Stop
        } else {
            TreeNodeRecursion::Continue
        })
    })?;
    Ok(depends)
}

/// Whether any of the expressions asks for the time. Refuses those with a subquery that the
/// optimiser left in place and whose result is not the same at every tick.
pub(super) fn asks<'a>(exprs: impl IntoIterator<Item = &'a Expr>) -> Result<bool> {
    let mut asks = false;
    for expr in exprs {
        no_moving_subquery(expr)?;
        asks |= asks_for_time(expr)?;
    }
    Ok(asks)
}

/// Refuses expressions with a subquery that the optimiser left in place and whose result
/// is not the same at every tick.
fn no_moving_subquery(expr: &Expr) -> Result<()> {
    let mut moving = false;
    expr.apply(|inner| {
        let plan = match inner {
            Expr::ScalarSubquery(subquery) => &subquery.subquery,
            Expr::InSubquery(query) => &query.subquery.subquery,
            Expr::Exists(query) => &query.subquery.subquery,
            Expr::SetComparison(query) => &query.subquery.subquery,
            _ => return Ok(TreeNodeRecursion::Continue),
        };
        moving |= depends_on_tick(plan)?;
        Ok(TreeNodeRecursion::Continue)
    })?;
    if moving {
        refused("a subquery that cannot become a join")
    } else {
        Ok(())
    }
}

/// Refuses scalar subqueries that may give several rows: for one run that is an error, but
/// as a join it would give several results.
pub(super) fn no_scalar_of_several_rows(plan: &LogicalPlan) -> Result<()> {
    let mut several = false;
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expr| {
            expr.apply(|inner| {
                if let Expr::ScalarSubquery(subquery) = inner {
                    several |= subquery.subquery.max_rows().is_none_or(|rows| rows > 1);
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    if several {
        refused("a scalar subquery that is not an aggregate of one row")
    } else {
        Ok(())
    }
}
