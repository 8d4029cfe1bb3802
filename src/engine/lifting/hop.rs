//! The logical operator that copies each event to the ticks that see it.

use super::hop_exec::{HopExec, Target};
use super::ticks::Ticks;
use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::{Column, DFSchema, DFSchemaRef, Result, internal_err};
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{Expr, Extension, LogicalPlan, UserDefinedLogicalNode, UserDefinedLogicalNodeCore};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{ExtensionPlanner, PhysicalPlanner};
use std::cmp::Ordering;
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

/// Hopping windows. One column holds the time of an event before and a tick after; each
/// row is there once for every tick whose window holds its time. Nothing else changes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Hop {
    input: LogicalPlan,
    column: Column,
    ticks: Ticks,
    schema: DFSchemaRef,
}

impl Hop {
    pub(super) fn plan(input: LogicalPlan, column: Column, ticks: Ticks) -> Result<LogicalPlan> {
        let node = Arc::new(Self::try_new(input, column, ticks)?);
        Ok(LogicalPlan::Extension(Extension { node }))
    }

    fn try_new(input: LogicalPlan, column: Column, ticks: Ticks) -> Result<Self> {
        let old = input.schema();
        let fields = old.iter().map(|(table, field)| (table.cloned(), Arc::clone(field)));
        // What was unique is not any more: without the input's functional dependencies.
        let schema = DFSchema::new_with_metadata(fields.collect(), old.metadata().clone())?;
        Ok(Self {
            input,
            column,
            ticks,
            schema: Arc::new(schema),
        })
    }

    fn index(&self) -> Result<usize> {
        self.schema.index_of_column(&self.column)
    }
}

impl PartialOrd for Hop {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (self == other).then_some(Ordering::Equal)
    }
}

impl UserDefinedLogicalNodeCore for Hop {
    fn name(&self) -> &str {
        "Hop"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        vec![Expr::Column(self.column.clone())]
    }

    /// Filters go below, unless they look at the tick.
    fn prevent_predicate_push_down_columns(&self) -> HashSet<String> {
        HashSet::from([self.column.name.clone()])
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Hop: {} from event time to tick, {} windows per event at most",
            self.column.name,
            self.ticks.copies()
        )
    }

    fn with_exprs_and_inputs(&self, exprs: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        match (exprs.as_slice(), <[_; 1]>::try_from(inputs)) {
            ([Expr::Column(column)], Ok([input])) => Self::try_new(input, column.clone(), self.ticks),
            _ => internal_err!("Hop has one column and one input"),
        }
    }

    fn necessary_children_exprs(&self, output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        let tick = self.index().ok()?;
        let mut needed = output_columns.to_vec();
        if !needed.contains(&tick) {
            needed.push(tick);
            needed.sort_unstable();
        }
        Some(vec![needed])
    }
}

/// Plans [`Hop`] as [`HopExec`].
#[derive(Debug)]
pub(super) struct HopPlanner;

#[async_trait]
impl ExtensionPlanner for HopPlanner {
    async fn plan_extension(
        &self,
        _planner: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _logical_inputs: &[&LogicalPlan],
        physical_inputs: &[Arc<dyn ExecutionPlan>],
        _session: &dyn Session,
        _context: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let Some(hop) = node.as_any().downcast_ref::<Hop>() else {
            return Ok(None);
        };
        let [input] = physical_inputs else {
            return internal_err!("Hop has one input");
        };
        let exec = HopExec::new(Arc::clone(input), hop.index()?, hop.ticks, Target::Ticks);
        Ok(Some(Arc::new(exec)))
    }
}
