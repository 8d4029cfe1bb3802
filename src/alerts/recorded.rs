//! Alerts in the lake's table `alerts`, whose rows are revisions: of an alert the last one
//! counts. Where two rows are the same revision, the one that was recorded first speaks for it.

use super::revision::from_batch;
use super::{Change, Origin, Revision};
use crate::detections::Severity;
use crate::engine::{Engine, Scope, Session};
use crate::error::{Error, Result};
use datafusion::common::{JoinType, ScalarValue};
use datafusion::functions::string::expr_fn::starts_with;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, SortExpr, col, lit};
use futures::stream::BoxStream;
use futures::{StreamExt as _, TryStreamExt as _};
use std::collections::BTreeSet;

const ROWS: &str = "SELECT * FROM alerts";

/// The row of each alert that counts. What is asked of the columns that it is partitioned by
/// goes below the window, to the log's statistics.
const LAST: &str = "SELECT alert_id AS last_id, detection AS last_detection, revision AS last_revision, \
    recorded AS last_recorded, time AS last_time \
    FROM (SELECT alert_id, detection, revision, recorded, time, \
        row_number() OVER (PARTITION BY detection, alert_id ORDER BY revision DESC, recorded, time) AS place \
        FROM alerts) \
    WHERE place = 1";

/// So many ids are asked for at once.
const IDS_AT_ONCE: usize = 2000;

/// Which alerts are meant.
#[derive(Debug, Clone, Default)]
pub struct AlertFilter {
    /// Of this time and later, microseconds since the Unix epoch.
    pub from: Option<i64>,
    /// Before this time.
    pub to: Option<i64>,
    /// Of these detections; of all when empty.
    pub detections: Vec<String>,
    /// Of this severity and worse.
    pub severity: Option<Severity>,
    /// With one of these changes; with any when empty.
    pub changes: Vec<Change>,
    /// Found by.
    pub origin: Option<Origin>,
    /// Those too for which another one stands.
    pub suppressed: bool,
    /// Those too of which late events have shown that there is nothing.
    pub withdrawn: bool,
    /// Those whose id begins so.
    pub id_prefix: Option<String>,
}

impl AlertFilter {
    /// Everything that is recorded.
    pub fn all() -> Self {
        Self {
            suppressed: true,
            withdrawn: true,
            ..Self::default()
        }
    }

    /// What holds for every revision of an alert or for none.
    fn of_alert(&self, id: &str, detection: &str) -> Vec<Expr> {
        let mut conditions = Vec::new();
        if !self.detections.is_empty() {
            conditions.push(one_of(detection, self.detections.iter()));
        }
        if let Some(prefix) = &self.id_prefix {
            conditions.push(starts_with(col(id), lit(prefix.as_str())));
        }
        conditions
    }

    fn of_revision(&self) -> Vec<Expr> {
        let mut conditions = self.of_alert("alert_id", "detection");
        conditions.extend(self.from.map(|from| col("time").gt_eq(instant(from))));
        conditions.extend(self.to.map(|to| col("time").lt(instant(to))));
        if let Some(least) = self.severity {
            let severities = Severity::ALL.iter().filter(|severity| **severity >= least);
            conditions.push(one_of("severity", severities.map(|severity| severity.as_str())));
        }
        if !self.changes.is_empty() {
            conditions.push(one_of("change", self.changes.iter().map(|change| change.as_str())));
        }
        conditions.extend(self.origin.map(|origin| col("origin").eq(lit(origin.as_str()))));
        if !self.suppressed {
            conditions.push(col("suppressed_by").is_null());
        }
        if !self.withdrawn {
            conditions.push(col("change").not_eq(lit(Change::Withdrawn.as_str())));
        }
        conditions
    }
}

/// The last revision of each alert, where that is what the filter asks for: in order of time,
/// detection and id.
pub async fn current(engine: &Engine, filter: &AlertFilter) -> Result<BoxStream<'static, Result<Revision>>> {
    // A hash join would hold every alert's id in memory.
    let session = engine.with_sorted_joins().session(Scope::default())?;
    let plan = current_plan(&session, filter).await?;
    run(&session, &plan).await
}

async fn current_plan(session: &Session, filter: &AlertFilter) -> Result<LogicalPlan> {
    let wanted = filtered(session.plan(ROWS).await?.plan, filter.of_revision())?;
    let last = filtered(
        session.plan(LAST).await?.plan,
        filter.of_alert("last_id", "last_detection"),
    )?;
    let keys = (
        vec!["alert_id", "detection", "revision", "recorded", "time"],
        vec![
            "last_id",
            "last_detection",
            "last_revision",
            "last_recorded",
            "last_time",
        ],
    );
    let plan = LogicalPlanBuilder::from(wanted)
        .join(last, JoinType::LeftSemi, keys, None)?
        .sort(order())?;
    Ok(plan.build()?)
}

/// Every revision that is as the filter asks, in order of time, detection, id and revision.
pub async fn every(engine: &Engine, filter: &AlertFilter) -> Result<BoxStream<'static, Result<Revision>>> {
    let session = engine.session(Scope::default())?;
    let rows = filtered(session.plan(ROWS).await?.plan, filter.of_revision())?;
    let plan = LogicalPlanBuilder::from(rows).sort(order())?.build()?;
    run(&session, &plan).await
}

/// All revisions of one alert, the first one first; none where there is no such alert.
pub async fn revisions(engine: &Engine, id: &str) -> Result<Vec<Revision>> {
    of_ids(engine, [id].into_iter()).await
}

/// The last revision of each of these alerts that is recorded, withdrawn or not.
pub async fn latest(engine: &Engine, ids: &BTreeSet<String>) -> Result<Vec<Revision>> {
    let mut found = of_ids(engine, ids.iter().map(String::as_str)).await?;
    found.reverse();
    found.dedup_by(|later, earlier| later.alert.alert_id == earlier.alert.alert_id);
    found.reverse();
    Ok(found)
}

/// All revisions of these alerts, in order of id and revision.
async fn of_ids(engine: &Engine, ids: impl Iterator<Item = &str>) -> Result<Vec<Revision>> {
    let ids: Vec<&str> = ids.collect();
    let mut found = Vec::new();
    if ids.is_empty() {
        return Ok(found);
    }
    let session = engine.session(Scope::default())?;
    let rows = session.plan(ROWS).await?.plan;
    for ids in ids.chunks(IDS_AT_ONCE) {
        let rows = filtered(rows.clone(), vec![one_of("alert_id", ids.iter())])?;
        let by_id = ["alert_id", "revision", "recorded"].map(|name| col(name).sort(true, false));
        let plan = LogicalPlanBuilder::from(rows).sort(by_id)?.build()?;
        found.extend(run(&session, &plan).await?.try_collect::<Vec<_>>().await?);
    }
    Ok(found)
}

fn order() -> [SortExpr; 5] {
    ["time", "detection", "alert_id", "revision", "recorded"].map(|name| col(name).sort(true, false))
}

fn filtered(plan: LogicalPlan, conditions: Vec<Expr>) -> Result<LogicalPlan> {
    let builder = LogicalPlanBuilder::from(plan);
    Ok(match conditions.into_iter().reduce(Expr::and) {
        Some(condition) => builder.filter(condition)?.build()?,
        None => builder.build()?,
    })
}

/// Texts come from hostile records, or from people: they are values of a plan and never text of a
/// statement.
fn one_of(column: &str, texts: impl Iterator<Item = impl AsRef<str>>) -> Expr {
    col(column).in_list(texts.map(|text| lit(text.as_ref())).collect(), false)
}

fn instant(micros: i64) -> Expr {
    let value = ScalarValue::TimestampMicrosecond(Some(micros), Some("UTC".into()));
    Expr::Literal(value, None)
}

/// The rows of a plan, in which those of one revision follow one another.
async fn run(session: &Session, plan: &LogicalPlan) -> Result<BoxStream<'static, Result<Revision>>> {
    let batches = session.run(plan).await?;
    let mut last: Option<(String, u32)> = None;
    let revisions = batches.map(move |batch| {
        let mut revisions = from_batch(&batch?)?;
        revisions.retain(|revision| {
            let this = (revision.alert.alert_id.as_str(), revision.revision);
            let again = last.as_ref().is_some_and(|(id, number)| (id.as_str(), *number) == this);
            if !again {
                last = Some((this.0.to_owned(), this.1));
            }
            !again
        });
        Ok::<_, Error>(futures::stream::iter(revisions).map(Ok))
    });
    Ok(revisions.try_flatten().boxed())
}
