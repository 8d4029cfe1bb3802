//! Joins: rows meet within a tick.

use super::clock::at_tick;
use super::hop::Hop;
use super::refused;
use super::rewrite::{Result, Rewriter, Rewritten, Rows, asks, columns_of, project};
use datafusion::common::{Column, JoinType, NullEquality, Result as DfResult, ScalarValue};
use datafusion::functions::core::expr_fn::coalesce;
use datafusion::logical_expr::{Expr, Filter, Join, LogicalPlan, LogicalPlanBuilder, lit};
use std::sync::Arc;

/// So many copies of an event cost less than looking for its partners in time.
const FEW_COPIES: u64 = 4;

/// Which sides a join gives rows of, also where the other has no match.
fn keeps(join_type: JoinType) -> (bool, bool) {
    match join_type {
        JoinType::Inner => (false, false),
        JoinType::Left | JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark => (true, false),
        JoinType::Right | JoinType::RightSemi | JoinType::RightAnti | JoinType::RightMark => (false, true),
        JoinType::Full => (true, true),
    }
}

impl Rewriter<'_> {
    pub(super) fn join(&mut self, join: &Join) -> Result<Rewritten> {
        let keys = join.on.iter().flat_map(|(left, right)| [left, right]);
        let asks = asks(keys.chain(&join.filter))?;
        let left = self.rewrite(&join.left)?;
        let right = self.rewrite(&join.right)?;
        let (keeps_left, keeps_right) = keeps(join.join_type);
        if !asks {
            // Beside a table that is the same at every tick, rows stay what they are.
            if right.is_same() && !keeps_right {
                let rows = left.rows.clone();
                let plan = rebuilt(join, left.plan, right.plan, join.on.clone())?;
                return Ok(Rewritten { plan, rows });
            }
            if left.is_same() && !keeps_left {
                let rows = right.rows.clone();
                let plan = rebuilt(join, left.plan, right.plan, join.on.clone())?;
                return Ok(Rewritten { plan, rows });
            }
        }
        if let Some(met) = self.met_in_time(join, asks, &left, &right)? {
            return Ok(met);
        }
        let (left, left_tick) = self.at_ticks(left)?;
        let (right, right_tick) = self.at_ticks(right)?;
        if join.null_aware {
            return not_in(join, left, left_tick, right, right_tick, self);
        }
        let now = if keeps_right && !keeps_left {
            &right_tick
        } else {
            &left_tick
        };
        let (left_now, right_now) = (Expr::Column(left_tick.clone()), Expr::Column(right_tick.clone()));
        let mut on = join
            .on
            .iter()
            .map(|(l, r)| Ok((at_tick(l.clone(), &left_now)?, at_tick(r.clone(), &right_now)?)))
            .collect::<DfResult<Vec<_>>>()?;
        on.push((left_now.clone(), right_now.clone()));
        let filter = join
            .filter
            .clone()
            .map(|filter| at_tick(filter, &Expr::Column(now.clone())))
            .transpose()?;
        let timed = Join { filter, ..join.clone() };
        let plan = rebuilt(&timed, left, right, on)?;
        if join.join_type != JoinType::Full {
            let rows = Rows::Ticked(now.clone());
            return Ok(Rewritten { plan, rows });
        }
        let tick = self.fresh();
        let mut columns = columns_of(&join.schema);
        columns.push(coalesce(vec![left_now, right_now]).alias(&tick.name));
        Ok(Rewritten {
            plan: project(columns, plan)?,
            rows: Rows::Ticked(tick),
        })
    }
}

impl Rewriter<'_> {
    /// Joins events with what is found at ticks without copying the events to every tick
    /// that sees them, which costs much where rows are wide and few of them find a partner:
    /// a tick's row meets the events of its window. Time is cut into spans as long as the
    /// window, so that a row is looked for among those of two spans, and not of all times.
    ///
    /// None where this does not apply, or copies would be few.
    fn met_in_time(
        &mut self,
        join: &Join,
        asks: bool,
        left: &Rewritten,
        right: &Rewritten,
    ) -> Result<Option<Rewritten>> {
        let (Rows::Events(time), Some(_)) = (&left.rows, right.column()) else {
            return Ok(None);
        };
        let semi = join.join_type == JoinType::LeftSemi && join.filter.is_none();
        if asks || self.ticks.copies() <= FEW_COPIES || !(semi || join.join_type == JoinType::Inner) {
            return Ok(None);
        }
        let (mut partners, tick) = self.at_ticks(right.clone())?;
        let mut on = join.on.clone();
        if semi {
            // Each once per tick, or an event would be found several times.
            let mut values = Vec::with_capacity(on.len() + 1);
            for (_, partner) in &mut on {
                let value = self.fresh();
                values.push(partner.clone().alias(&value.name));
                *partner = Expr::Column(value);
            }
            values.push(Expr::Column(tick.clone()));
            partners = LogicalPlanBuilder::from(project(values, partners)?)
                .distinct()?
                .build()?;
        }
        let (events, span) = self.in_spans(left.plan.clone(), time, 2)?;
        let (partners, partner_span) = self.in_spans(partners, &tick, 1)?;
        on.push((Expr::Column(span), Expr::Column(partner_span)));
        let (event_time, now) = (Expr::Column(time.clone()), Expr::Column(tick.clone()));
        let lookback = lit(ScalarValue::DurationMicrosecond(Some(self.ticks.lookback)));
        let in_window = event_time
            .clone()
            .lt_eq(now.clone())
            .and(now.clone().lt(event_time + lookback));
        let met = Join {
            filter: join.filter.clone().into_iter().chain([in_window]).reduce(Expr::and),
            join_type: JoinType::Inner,
            ..join.clone()
        };
        let plan = rebuilt(&met, events, partners, on)?;
        let mut columns = columns_of(&join.schema);
        columns.push(now);
        Ok(Some(Rewritten {
            plan: project(columns, plan)?,
            rows: Rows::Ticked(tick),
        }))
    }

    /// Rows with the ends of those spans of time, each as long as the window, in which ticks
    /// may lie that see their time: of the one it lies in, and of the next where `spans` is 2.
    fn in_spans(&mut self, plan: LogicalPlan, time: &Column, spans: i64) -> Result<(LogicalPlan, Column)> {
        let span = self.fresh();
        let mut columns = columns_of(plan.schema());
        columns.push(Expr::Column(time.clone()).alias(&span.name));
        let plan = project(columns, plan)?;
        let plan = Hop::plan(plan, span.clone(), self.ticks.spans(spans))?;
        Ok((plan, span))
    }
}

fn rebuilt(join: &Join, left: LogicalPlan, right: LogicalPlan, on: Vec<(Expr, Expr)>) -> DfResult<LogicalPlan> {
    Join::try_new(
        Arc::new(left),
        Arc::new(right),
        on,
        join.filter.clone(),
        join.join_type,
        join.join_constraint,
        join.null_equality,
        join.null_aware,
    )
    .map(LogicalPlan::Join)
}

/// `x NOT IN (SELECT y ...)`, where nulls count: no row of a tick stays where any y is null,
/// and no row without x stays where there is any y. The join that knows about nulls cannot
/// have the tick as a second key, so it becomes three that do not know.
fn not_in(
    join: &Join,
    left: LogicalPlan,
    left_tick: Column,
    right: LogicalPlan,
    right_tick: Column,
    rewriter: &mut Rewriter<'_>,
) -> Result<Rewritten> {
    let ([(x, y)], None, JoinType::LeftAnti) = (join.on.as_slice(), &join.filter, join.join_type) else {
        return refused("NOT IN with a correlated subquery");
    };
    let (left_now, right_now) = (Expr::Column(left_tick.clone()), Expr::Column(right_tick.clone()));
    let x = at_tick(x.clone(), &left_now)?;
    let value = rewriter.fresh();
    let y = at_tick(y.clone(), &right_now)?.alias(&value.name);
    let values = project(vec![y, right_now.clone()], right)?;
    let anti = |left: LogicalPlan, right: LogicalPlan, on: Vec<(Expr, Expr)>, filter: Option<Expr>| {
        Join::try_new(
            Arc::new(left),
            Arc::new(right),
            on,
            filter,
            JoinType::LeftAnti,
            join.join_constraint,
            NullEquality::NullEqualsNothing,
            false,
        )
        .map(LogicalPlan::Join)
    };
    let ticks_of = |plan: LogicalPlan| -> DfResult<LogicalPlan> {
        let ticks = project(vec![right_now.clone()], plan)?;
        LogicalPlanBuilder::from(ticks).distinct()?.build()
    };
    let same_tick = || (left_now.clone(), right_now.clone());
    let value = Expr::Column(value);
    let nulls = LogicalPlan::Filter(Filter::try_new(value.clone().is_null(), Arc::new(values.clone()))?);
    let plan = anti(left, values.clone(), vec![(x.clone(), value), same_tick()], None)?;
    let plan = anti(plan, ticks_of(nulls)?, vec![same_tick()], None)?;
    let plan = anti(plan, ticks_of(values)?, vec![same_tick()], Some(x.is_null()))?;
    Ok(Rewritten {
        plan,
        rows: Rows::Ticked(left_tick),
    })
}
