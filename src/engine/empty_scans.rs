//! Takes scans that can find nothing out of a plan.
//!
//! The log's statistics tell which files can hold a row, and where none can, everything that
//! needs one falls away while the plan is still logical: a lake without Defender's data does
//! not copy events to windows to join them with Defender's alerts.

use crate::lake::LakeTableProvider;
use datafusion::common::Result;
use datafusion::common::tree_node::Transformed;
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::expr_rewriter::unnormalize_cols;
use datafusion::logical_expr::{EmptyRelation, LogicalPlan};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};
use std::sync::Arc;

/// Rule for after the conditions have been pushed down to the scans.
#[derive(Debug)]
pub(super) struct EmptyScans;

impl OptimizerRule for EmptyScans {
    fn name(&self) -> &'static str {
        "empty_scans"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn rewrite(&self, plan: LogicalPlan, _: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let LogicalPlan::TableScan(scan) = &plan else {
            return Ok(Transformed::no(plan));
        };
        let Ok(provider) = source_as_provider(&scan.source) else {
            return Ok(Transformed::no(plan));
        };
        let filters = unnormalize_cols(scan.filters.iter().cloned());
        match provider.downcast_ref::<LakeTableProvider>() {
            Some(table) if !table.may_hold(&filters)? => {
                Ok(Transformed::yes(LogicalPlan::EmptyRelation(EmptyRelation {
                    produce_one_row: false,
                    schema: Arc::clone(&scan.projected_schema),
                })))
            }
            _ => Ok(Transformed::no(plan)),
        }
    }
}
