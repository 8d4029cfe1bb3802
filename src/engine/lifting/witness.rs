//! Which groups an aggregate can find at all, asked before it is evaluated.
//!
//! `HAVING count(DISTINCT alert_ip) > 0` needs an event with an `alert_ip` in the group: a
//! *witness*. Where witnesses are rare, the keys and times of all of them over the whole
//! range are found first, with one selective scan, and events that no window holds together
//! with a witness of their key are left out before anything is aggregated. No window that
//! the HAVING lets pass loses an event: its group has a witness, which it holds too.

use super::ticks::Ticks;
use crate::engine::keyed_spans::KeyedSpans;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, Result, ScalarValue};
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{Aggregate, BinaryExpr, Expr, ExprSchemable as _, Filter, LogicalPlan, Operator, lit};
use std::collections::HashMap;
use std::sync::Arc;

/// A query for the witnesses of an aggregate.
#[derive(Debug)]
pub struct Question {
    /// Which aggregate of the plan it is about.
    pub aggregate: usize,
    /// Gives the key and the time of each witness, once or more.
    pub plan: LogicalPlan,
    ticks: Ticks,
}

impl Question {
    /// For each key the times whose events some tick sees together with a witness of the
    /// key: none before an answer was [added](Self::add).
    pub fn nobody(&self) -> KeyedSpans {
        let fields = self.plan.schema().fields().iter();
        let mut types: Vec<DataType> = fields.map(|field| field.data_type().clone()).collect();
        types.pop();
        KeyedSpans::new(types)
    }

    /// Adds witnesses: rows of the plan.
    pub fn add(&self, witnesses: &RecordBatch, spans: &mut KeyedSpans) -> Result<()> {
        spans.add(witnesses, |time| self.ticks.seen_with(time))
    }
}

/// The questions for one aggregate over events with their time in a column, the condition
/// above it given: any of them is enough.
pub(super) fn questions(
    aggregate: &Aggregate,
    having: &Expr,
    (events, time): (&LogicalPlan, &Column),
    ticks: Ticks,
    number: usize,
) -> Result<Vec<Question>> {
    let mut questions = Vec::new();
    let keys = aggregate.group_expr.iter().map(|group| group.get_type(events.schema()));
    if !KeyedSpans::can_tell_apart(&keys.collect::<Result<Vec<_>>>()?) {
        return Ok(questions);
    }
    for condition in split_conjunction(having) {
        let Some(witness) = witness(condition, aggregate) else {
            continue;
        };
        let mut exprs = vec![witness];
        exprs.extend(aggregate.group_expr.iter().cloned());
        exprs.push(Expr::Column(time.clone()));
        let (mut exprs, base) = below_projections(exprs, events)?;
        let witness = simplified(exprs.remove(0));
        // A value that is merely present is nothing rare.
        if matches!(&witness, Expr::IsNotNull(_)) || matches!(&witness, Expr::Literal(..)) {
            continue;
        }
        let rare = LogicalPlan::Filter(Filter::try_new(witness, Arc::new(base))?);
        let keys = exprs
            .into_iter()
            .enumerate()
            .map(|(place, expr)| expr.alias(format!("__key_{place}")));
        questions.push(Question {
            aggregate: number,
            plan: super::rewrite::project(keys.collect(), rare)?,
            ticks,
        });
    }
    Ok(questions)
}

/// What an event must be so that the condition can hold for its group.
fn witness(condition: &Expr, aggregate: &Aggregate) -> Option<Expr> {
    let BinaryExpr { left, op, right } = match condition {
        Expr::BinaryExpr(binary) => binary,
        _ => return None,
    };
    match op {
        Operator::And => witness(left, aggregate).or_else(|| witness(right, aggregate)),
        Operator::Or => Some(witness(left, aggregate)?.or(witness(right, aggregate)?)),
        _ => match (left.as_ref(), right.as_ref()) {
            (Expr::Column(column), Expr::Literal(value, _)) => of_comparison(function(column, aggregate)?, *op, value),
            (Expr::Literal(value, _), Expr::Column(column)) => {
                of_comparison(function(column, aggregate)?, op.swap()?, value)
            }
            _ => None,
        },
    }
}

fn function<'a>(column: &Column, aggregate: &'a Aggregate) -> Option<&'a AggregateFunction> {
    let position = aggregate.schema.index_of_column(column).ok()?;
    let mut expr = aggregate
        .aggr_expr
        .get(position.checked_sub(aggregate.group_expr.len())?)?;
    while let Expr::Alias(alias) = expr {
        expr = &alias.expr;
    }
    match expr {
        Expr::AggregateFunction(function) => Some(function),
        _ => None,
    }
}

/// Counts, sums and maxima that are not what they are for a group without witness.
fn of_comparison(function: &AggregateFunction, op: Operator, value: &ScalarValue) -> Option<Expr> {
    let zero = ScalarValue::new_zero(&value.data_type()).ok()?;
    let order = value.partial_cmp(&zero)?;
    let above_zero = match op {
        Operator::Gt => order.is_ge(),
        Operator::GtEq | Operator::Eq => order.is_gt(),
        Operator::NotEq => order.is_eq(),
        _ => false,
    };
    let [argument] = function.params.args.as_slice() else {
        return None;
    };
    let of_row = match function.func.name() {
        "count" | "__count_distinct" if above_zero => argument.clone().is_not_null(),
        "sum" if above_zero && op != Operator::NotEq => argument.clone().gt(lit(zero)),
        "max" if matches!(op, Operator::Gt | Operator::GtEq | Operator::Eq) => Expr::BinaryExpr(BinaryExpr::new(
            Box::new(argument.clone()),
            op,
            Box::new(lit(value.clone())),
        )),
        _ => return None,
    };
    Some(match &function.params.filter {
        Some(filter) => filter.as_ref().clone().and(of_row),
        None => of_row,
    })
}

/// Expressions over the columns of a plan as expressions over what its projections read.
fn below_projections(mut exprs: Vec<Expr>, plan: &LogicalPlan) -> Result<(Vec<Expr>, LogicalPlan)> {
    let mut plan = plan;
    loop {
        let (input, columns): (&LogicalPlan, HashMap<Column, Expr>) = match plan {
            LogicalPlan::Projection(projection) => {
                let columns = projection
                    .schema
                    .columns()
                    .into_iter()
                    .zip(projection.expr.iter().cloned());
                (&projection.input, columns.collect())
            }
            LogicalPlan::SubqueryAlias(alias) => {
                let below = alias.input.schema().columns().into_iter().map(Expr::Column);
                (&alias.input, alias.schema.columns().into_iter().zip(below).collect())
            }
            _ => return Ok((exprs, plan.clone())),
        };
        for expr in &mut exprs {
            let below = std::mem::take(expr).transform_up(|inner| {
                Ok(match &inner {
                    Expr::Column(column) => match columns.get(column) {
                        Some(made) => Transformed::yes(made.clone().unalias_nested().data),
                        None => Transformed::no(inner),
                    },
                    _ => Transformed::no(inner),
                })
            })?;
            *expr = below.data;
        }
        plan = input;
    }
}

/// As a condition of a filter: `CASE WHEN c THEN v END IS NOT NULL` is `c AND v IS NOT NULL`.
fn simplified(condition: Expr) -> Expr {
    match condition {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if matches!(op, Operator::And | Operator::Or) => {
            let (left, right) = (simplified(*left), simplified(*right));
            Expr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right)))
        }
        Expr::IsNotNull(inner) => match *inner {
            Expr::Case(case) if case.expr.is_none() && case.else_expr.as_deref().is_none_or(is_null) => {
                let branches = case.when_then_expr.into_iter();
                let conditions = branches.map(|(when, then)| when.and(simplified(then.is_not_null())));
                conditions.reduce(Expr::or).unwrap_or_else(|| lit(false))
            }
            other => Expr::IsNotNull(Box::new(other)),
        },
        other => other,
    }
}

fn is_null(expr: &Expr) -> bool {
    match expr {
        Expr::Literal(value, _) => value.is_null(),
        Expr::Cast(cast) => is_null(&cast.expr),
        _ => false,
    }
}
