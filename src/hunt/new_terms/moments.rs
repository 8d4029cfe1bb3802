//! When combinations of values became new, and the plan for the rows of these moments.

use crate::engine::{Engine, KeyedSpans, ScanFigures, Session};
use crate::error::Result;
use crate::hunt::Range;
use crate::hunt::meeting::Seat;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{JoinType, ScalarValue};
use datafusion::execution::FunctionRegistry as _;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::functions::core::expr_fn::get_field;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, ident, lit};
use futures::TryStreamExt as _;
use std::sync::Arc;

/// Name of the column of moments, and beginning of those of their terms.
const MOMENT: &str = "__moment";

/// The sightings that are new.
pub(super) struct Moments {
    found: Moment,
    range: Range,
    /// What looking for them read.
    pub(super) read: ScanFigures,
}

enum Moment {
    /// When which terms became new, and the memory that this takes.
    Known(
        Arc<KeyedSpans>,
        #[expect(dead_code, reason = "gives the memory back")] MemoryReservation,
    ),
    /// A plan that finds them, with too many to be kept.
    Many(LogicalPlan),
}

impl Moments {
    /// Looks for the sightings in the range that no sighting of the history before has.
    pub(super) async fn find(
        engine: &Engine,
        session: &Session,
        seat: &mut Seat,
        exploded: &LogicalPlan,
        terms: &[String],
        history: i64,
        range: Range,
    ) -> Result<Self> {
        let plan = moments(session, exploded, terms, history, range)?;
        let fields = plan.schema().fields().iter().take(terms.len());
        let types: Vec<DataType> = fields.map(|field| field.data_type().clone()).collect();
        let mut stream = seat.run(session, &plan).await?;
        let memory = MemoryConsumer::new("moments").register(&engine.runtime().memory_pool);
        let most = engine.memory_of_findings();
        let mut fits = KeyedSpans::can_tell_apart(&types);
        let mut spans = KeyedSpans::new(types);
        while fits && let Some(batch) = stream.try_next().await? {
            spans.add(&batch, |time| Some((time, time)))?;
            fits = spans.bytes() <= most && memory.try_resize(spans.bytes()).is_ok();
        }
        let found = match fits {
            true => Moment::Known(Arc::new(spans.joined()), memory),
            // They are found again while their rows are looked for.
            false => Moment::Many(plan),
        };
        let read = stream.figures();
        Ok(Self { found, range, read })
    }

    /// Whether [`Self::rows`] reads no more than the rows.
    pub(super) fn are_known(&self) -> bool {
        matches!(self.found, Moment::Known(..))
    }

    /// The rows of all moments.
    pub(super) fn rows(&self, exploded: &LogicalPlan, terms: &[String]) -> Result<LogicalPlan> {
        let rows = LogicalPlanBuilder::from(exploded.clone());
        let rows = match &self.found {
            Moment::Known(moments, _) => {
                let terms = terms.iter().map(ident).collect();
                let whole = (self.range.from, self.range.to);
                rows.filter(moments.condition(ident("__time"), terms, whole))?
            }
            Moment::Many(plan) => {
                let same_terms = terms.iter().map(|term| ident(term).eq(ident(moment_of(term))));
                let same_time = ident("__time").eq(ident(MOMENT));
                rows.join_on(plan.clone(), JoinType::LeftSemi, same_terms.chain([same_time]))?
            }
        };
        Ok(rows.build()?)
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
