//! Keeps a plan from taking a column for a constant that has several values.
//!
//! DataFusion reckons from the conditions of a filter which values its columns can have: of
//! `CAST(last AS DATE) = DATE '2026-03-03'` it finds that `last` is that midnight, of `n / 5 = 0`
//! that `n` is 0, and leaves away a sort by a column with one value. Where several values are cast
//! to one, or divided, a condition says nothing of the kind, and is hidden from it.

use super::hidden::hide;
use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::TreeNode as _;
use datafusion::logical_expr::{Operator, Volatility};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{BinaryExpr, CastExpr, TryCastExpr};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::filter::FilterExec;
use std::sync::Arc;

/// Rule for after conditions have been pushed into scans, and before sorts are left away.
#[derive(Debug)]
pub(super) struct SingleValues;

impl PhysicalOptimizerRule for SingleValues {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, options: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let hides = |condition: &Arc<dyn PhysicalExpr>, _: &FilterExec| makes_one_of_several(condition);
        hide(plan, Volatility::Immutable, options, hides)
    }

    fn name(&self) -> &'static str {
        "single_values"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn makes_one_of_several(condition: &Arc<dyn PhysicalExpr>) -> Result<bool> {
    condition.exists(|inner| {
        let operator = inner.downcast_ref::<BinaryExpr>().map(BinaryExpr::op);
        let divides = matches!(operator, Some(Operator::Divide | Operator::Modulo));
        Ok(divides || inner.is::<CastExpr>() || inner.is::<TryCastExpr>())
    })
}
