//! Lifting: from a plan that answers for one run to a plan that answers for every tick.
//!
//! A windowed detection is written for one run: its `events` are those of (T - lookback, T]
//! and its clock stands at T. The rewrite takes its optimised plan so that one query gives
//! the rows of all ticks, each with its tick. Each operator's output is one of three:
//!
//! - the same at every tick: it reads no events and no clock,
//! - rows of single events, each with its time; a tick sees a row while its window holds
//!   that time. Filters, projections and joins with unchanging tables stay in this form,
//! - rows with a tick.
//!
//! Rows of events are copied to their ticks by a `Hop` as late as possible: below
//! what must tell ticks apart (aggregates, joins of events with events, window functions,
//! anything with the clock). There the tick joins the GROUP BY, the join keys and the
//! PARTITION BY. The physical plan then aggregates per pane before it copies.
//!
//! What has no such form (a LIMIT, grouping sets, recursion) is refused with a reason.

mod aggregates;
mod clock;
mod hop;
mod hop_exec;
mod joins;
mod once;
mod panes;
mod rewrite;
mod sieve;
mod sieve_exec;
mod ticks;
mod witness;

pub use ticks::Ticks;
pub use witness::Question;

pub(super) use clock::{TICK_FUNCTION, tick_udf};

use super::keyed_spans::KeyedSpans;
use crate::error::{Error, Result};
use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::{DataFusionError, Result as DfResult};
use datafusion::execution::context::QueryPlanner;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{DefaultPhysicalPlanner, PhysicalPlanner as _};
use rewrite::Rewriter;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Name of the column that says of which tick a row of a lifted plan is.
pub const TICK_COLUMN: &str = "__tick";

/// A plan for all ticks, or why there is none.
#[derive(Debug)]
pub enum Lifted {
    /// Gives the rows of all ticks, with their tick in [`TICK_COLUMN`], in no order.
    Plan {
        /// The plan.
        plan: Box<LogicalPlan>,
        /// What may be worth asking first: the plan is simpler with the answers.
        questions: Vec<Question>,
    },
    /// Ticks have to be evaluated one by one.
    Refused(String),
}

/// Why a plan could not be rewritten.
#[derive(Debug)]
enum Stop {
    Refused(String),
    Failed(DataFusionError),
}

impl From<DataFusionError> for Stop {
    fn from(error: DataFusionError) -> Self {
        Self::Failed(error)
    }
}

fn refused<T>(reason: impl Into<String>) -> std::result::Result<T, Stop> {
    Err(Stop::Refused(reason.into()))
}

/// Rewrites a plan whose clock is [`TICK_FUNCTION`] and whose `events` are those of the
/// whole range, from the first window's beginning to the last tick. `answers` are those to
/// questions that lifting the same plan raised, by the aggregate they are about.
pub(super) fn lift(
    plan: &LogicalPlan,
    state: &SessionState,
    ticks: Ticks,
    answers: &BTreeMap<usize, Arc<KeyedSpans>>,
) -> Result<Lifted> {
    let plan = clock::calls_to_parameters(plan.clone())?;
    let lifted = rewrite::no_scalar_of_several_rows(&plan).and_then(|()| {
        // Subqueries without correlation become joins here, which can be given the tick.
        let mut state = state.clone();
        state
            .config_mut()
            .options_mut()
            .optimizer
            .enable_physical_uncorrelated_scalar_subquery = false;
        let optimized = state.optimize(&plan)?;
        let mut rewriter = Rewriter::new(ticks, answers);
        let plan = rewriter.whole(&optimized)?;
        Ok((plan, rewriter.questions))
    });
    match lifted {
        Ok((plan, questions)) => Ok(Lifted::Plan {
            plan: Box::new(plan),
            questions,
        }),
        Err(Stop::Refused(reason)) => Ok(Lifted::Refused(reason)),
        Err(Stop::Failed(error)) => Err(Error::from(error)),
    }
}

/// Whether aggregates of a physical plan combine panes into windows, in place of taking in
/// each event once per window.
pub fn aggregates_per_pane(plan: &dyn ExecutionPlan) -> bool {
    let hop = plan.downcast_ref::<hop_exec::HopExec>();
    hop.is_some_and(hop_exec::HopExec::makes_panes)
        || plan
            .children()
            .into_iter()
            .any(|child| aggregates_per_pane(child.as_ref()))
}

/// To how many rows an operator copies one at most.
pub(super) fn copies_of(plan: &dyn ExecutionPlan) -> u64 {
    let hop = plan.downcast_ref::<hop_exec::HopExec>();
    hop.filter(|hop| !hop.makes_panes())
        .map_or(1, |hop| hop.ticks().copies())
}

/// Plans queries as DataFusion does, and the operator that copies events to ticks.
#[derive(Debug)]
pub(super) struct LiftingPlanner;

#[async_trait]
impl QueryPlanner for LiftingPlanner {
    async fn create_physical_plan(
        &self,
        plan: &LogicalPlan,
        session: &dyn Session,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        DefaultPhysicalPlanner::with_extension_planners(vec![Arc::new(hop::HopPlanner)])
            .create_physical_plan(plan, session)
            .await
    }
}

/// The rules for lifted plans: for before distribution is settled and stages of aggregates are
/// joined.
pub(super) fn physical_rules() -> [Arc<dyn PhysicalOptimizerRule + Send + Sync>; 2] {
    [Arc::new(panes::PanesBeforeWindows), Arc::new(sieve::SieveBeforeWindows)]
}
