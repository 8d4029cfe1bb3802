//! When combinations of values became new, and the plan for the rows of these moments.

use crate::engine::{ScanFigures, Session, stretches};
use crate::error::Result;
use crate::hunt::Range;
use crate::hunt::meeting::Seat;
use datafusion::arrow::array::AsArray as _;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::TimestampMicrosecondType;
use datafusion::common::{JoinType, ScalarValue};
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::execution::FunctionRegistry as _;
use datafusion::functions::core::expr_fn::get_field;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, ident, lit};
use futures::TryStreamExt as _;
use std::sync::Arc;

/// Up to this many moments are kept, and only the time around them is read again.
const FEW: usize = 20_000;

/// In so many stretches at most.
const STRETCHES: usize = 32;

/// Name of the column of moments, and beginning of those of their terms.
const MOMENT: &str = "__moment";

/// A plan for (terms, time) of each new sighting, and the stretches of time they lie in
/// where that is known.
pub(super) struct Moments {
    plan: LogicalPlan,
    stretches: Option<Vec<(i64, i64)>>,
    /// What looking for them read.
    pub(super) read: ScanFigures,
}

impl Moments {
    /// Looks for the sightings in the range that no sighting of the history before has.
    pub(super) async fn find(
        session: &Session,
        seat: &mut Seat,
        exploded: &LogicalPlan,
        terms: &[String],
        history: i64,
        range: Range,
    ) -> Result<Self> {
        let plan = moments(session, exploded, terms, history, range)?;
        let (mut batches, mut count) = (Vec::new(), 0);
        let mut stream = seat.run(session, &plan).await?;
        while let Some(batch) = stream.try_next().await? {
            count += batch.num_rows();
            batches.push(batch);
            if count > FEW {
                // Too many to keep: they are found again while their rows are looked for.
                let read = stream.figures();
                return Ok(Self {
                    plan,
                    stretches: None,
                    read,
                });
            }
        }
        let stretches = around(&batches);
        let table = MemTable::try_new(stream.schema(), vec![batches])?;
        Ok(Self {
            plan: LogicalPlanBuilder::scan("moments", provider_as_source(Arc::new(table)), None)?.build()?,
            stretches: Some(stretches),
            read: stream.figures(),
        })
    }

    /// The rows of all moments, those of one time and one combination of values together.
    pub(super) fn rows(&self, exploded: &LogicalPlan, terms: &[String]) -> Result<LogicalPlan> {
        let mut rows = LogicalPlanBuilder::from(exploded.clone());
        if let Some(stretches) = &self.stretches {
            let at = |time: i64| lit(ScalarValue::TimestampMicrosecond(Some(time), Some("UTC".into())));
            let inside = stretches
                .iter()
                .map(|(from, to)| ident("__time").between(at(*from), at(*to)));
            rows = rows.filter(inside.reduce(Expr::or).unwrap_or_else(|| lit(false)))?;
        }
        let same_terms = terms.iter().map(|term| ident(term).eq(ident(moment_of(term))));
        let same_time = ident("__time").eq(ident(MOMENT));
        let plan = rows
            .join_on(self.plan.clone(), JoinType::LeftSemi, same_terms.chain([same_time]))?
            .sort(
                std::iter::once(&"__time".to_owned())
                    .chain(terms)
                    .map(|name| ident(name).sort(true, false)),
            )?
            .build()?;
        Ok(plan)
    }
}

fn moment_of(term: &str) -> String {
    format!("{MOMENT}{term}")
}

pub(super) fn moments(
    session: &Session,
    exploded: &LogicalPlan,
    terms: &[String],
    history: i64,
    range: Range,
) -> Result<LogicalPlan> {
    let aggregate = session.context().udaf("new_terms")?;
    let no_id = ScalarValue::Utf8View(None);
    let interval = ScalarValue::DurationMicrosecond(Some(history));
    let starts = aggregate
        .call(vec![ident("__time"), lit(no_id), lit(interval)])
        .alias("__starts");
    let groups: Vec<Expr> = terms.iter().map(ident).collect();
    let time = get_field(ident("__starts"), "time");
    let at = |time: i64| lit(ScalarValue::TimestampMicrosecond(Some(time), Some("UTC".into())));
    let columns = terms.iter().map(|term| ident(term).alias(moment_of(term)));
    let plan = LogicalPlanBuilder::from(exploded.clone())
        .aggregate(groups, [starts])?
        .unnest_column("__starts")?
        .project(columns.chain([time.alias(MOMENT)]))?
        .filter(ident(MOMENT).gt_eq(at(range.from)).and(ident(MOMENT).lt(at(range.to))))?
        .build()?;
    Ok(plan)
}

/// Stretches of time that hold all moments.
fn around(batches: &[RecordBatch]) -> Vec<(i64, i64)> {
    let columns = batches.iter().filter_map(|batch| batch.column_by_name(MOMENT));
    let times = columns.filter_map(|column| column.as_primitive_opt::<TimestampMicrosecondType>());
    let moments = times.flat_map(|times| times.values().iter().map(|time| (*time, *time)));
    stretches(moments.collect(), STRETCHES)
}
