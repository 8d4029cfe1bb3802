//! Which events a windowed detection looks at, without evaluating it: those that pass the
//! conditions of its scans.

use crate::detections::{Detection, Rhythm};
use crate::engine::{Clock, Engine, ScanFigures, Scope, Session, Window};
use crate::error::Result;
use crate::hunt::rows::times;
use crate::lake::TableName;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, ScalarValue};
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, TableScan, lit};
use futures::TryStreamExt as _;
use std::collections::BTreeSet;

const TIME: &str = "timestamp";

/// The scans of a detection's plan.
#[derive(Debug)]
pub(super) struct Probe {
    scans: Vec<TableScan>,
}

impl Probe {
    /// None where the result depends on more than the events that the scans give: on the time at
    /// which it is evaluated, or on other tables that change.
    pub(super) async fn of(engine: &Engine, detection: &Detection, tick: i64) -> Result<Option<Self>> {
        if detection.uses_clock() {
            return Ok(None);
        }
        let session = session(engine, None, tick)?;
        let planned = session.plan(&detection.sql).await?;
        let plan = session.optimized(&planned.plan)?;
        let (mut scans, mut fixed) = (Vec::new(), true);
        plan.apply_with_subqueries(|node| {
            if let LogicalPlan::TableScan(scan) = node {
                let table = scan.table_name.table();
                match TableName::ALL.into_iter().find(|name| name.as_str() == table) {
                    Some(TableName::Events) => scans.push(scan.clone()),
                    Some(_) => fixed = false,
                    None => {}
                }
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
        let tied = |expr: &Expr| expr.exists(|inner| Ok(matches!(inner, Expr::OuterReferenceColumn(..))));
        let conditions = scans.iter().flat_map(|scan| &scan.filters);
        for condition in conditions {
            fixed &= !tied(condition)?;
        }
        Ok(fixed.then_some(Self { scans }))
    }

    /// Of the events in an engine up to a time, those that the detection looks at: for each the
    /// first tick whose window holds it.
    pub(super) async fn ticks(
        &self,
        engine: &Engine,
        rhythm: &Rhythm,
        until: i64,
        read: &mut ScanFigures,
    ) -> Result<BTreeSet<i64>> {
        let mut ticks = BTreeSet::new();
        for scan in &self.scans {
            let session = session(engine, None, until)?;
            let plan = plan(&session, scan, i64::MIN + 1, until).await?;
            let mut found = session.run_counted(&plan).await?;
            while let Some(batch) = found.try_next().await? {
                let times = times(&batch, TIME)?;
                ticks.extend(times.into_iter().flatten().map(|time| rhythm.at_or_after(time)));
            }
            *read += found.figures();
        }
        Ok(ticks)
    }

    /// The first time of an event that the detection looks at, of the events in an engine with
    /// times in (after, until].
    pub(super) async fn first(
        &self,
        engine: &Engine,
        after: i64,
        until: i64,
        read: &mut ScanFigures,
    ) -> Result<Option<i64>> {
        let mut first: Option<i64> = None;
        for scan in &self.scans {
            // Only what is before the first so far is of interest.
            let until = first.map_or(until, |first| first.saturating_sub(1).min(until));
            if after >= until {
                break;
            }
            let session = session(engine, None, until)?;
            let mut found = session.run_counted(&plan(&session, scan, after, until).await?).await?;
            while let Some(batch) = found.try_next().await? {
                let earliest = times(&batch, TIME)?.into_iter().flatten().min();
                first = [first, earliest].into_iter().flatten().min();
            }
            *read += found.figures();
        }
        Ok(first)
    }
}

fn session(engine: &Engine, window: Option<Window>, now: i64) -> Result<Session> {
    engine.session(Scope {
        window,
        now: Some(Clock::At(now)),
    })
}

/// The times of the events that a scan gives, from the events of a session.
async fn plan(session: &Session, scan: &TableScan, after: i64, until: i64) -> Result<LogicalPlan> {
    let table = TableName::Events.as_str();
    let columns: Vec<String> = (scan.source.schema().fields().iter())
        .map(|field| format!("\"{}\"", field.name().replace('"', "\"\"")))
        .collect();
    // Planned like any statement, so that it sees the tables of its own session.
    let planned = session
        .plan(&format!("SELECT {} FROM {table}", columns.join(", ")))
        .await?;
    let time = || Expr::Column(Column::new_unqualified(TIME));
    let at = |micros: i64| lit(ScalarValue::TimestampMicrosecond(Some(micros), Some("UTC".into())));
    let builder = LogicalPlanBuilder::from(planned.plan).alias(scan.table_name.clone())?;
    let inside = time().gt(at(after)).and(time().lt_eq(at(until)));
    let condition = conjunction(scan.filters.clone().into_iter().chain([inside]));
    let builder = match condition {
        Some(condition) => builder.filter(condition)?,
        None => builder,
    };
    Ok(builder.project([time()])?.build()?)
}
