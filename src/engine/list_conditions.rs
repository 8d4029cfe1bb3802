//! Keeps conditions on lists out of the readers of files where these might forget them.
//!
//! The reader of a Parquet file looks at a condition on a list if any part of it asks for NULL
//! or is one of three functions (`array_has` and its like), and takes on itself to do so when it
//! has not yet seen the file. In a file without the column of that part, the part is known
//! beforehand and left away, what is left (`property(list, 'x') = 'y'`) is none that the reader
//! looks at, and all rows pass. Such a condition is looked at above the scan.

use super::hidden::hide;
use datafusion::arrow::datatypes::{DataType, Schema};
use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::TreeNode as _;
use datafusion::logical_expr::Volatility;
use datafusion::physical_expr::expressions::{Column, IsNotNullExpr, IsNullExpr};
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::projection::{ProjectionExec, update_expr};
use datafusion::physical_plan::union::UnionExec;
use std::sync::Arc;

/// Rule for before conditions are pushed into scans.
#[derive(Debug)]
pub(super) struct ListConditions;

impl PhysicalOptimizerRule for ListConditions {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, options: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        // What may be another thing each time it is asked stays where it stands in a plan.
        let stays =
            |condition: &Arc<dyn PhysicalExpr>, filter: &FilterExec| may_be_forgotten(condition, filter.input());
        hide(plan, Volatility::Volatile, options, stays)
    }

    fn name(&self) -> &'static str {
        "list_conditions"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// Whether a condition over a plan, or what becomes of it on its way to a scan, asks a list
/// something that a reader looks at because of another part alone.
fn may_be_forgotten(condition: &Arc<dyn PhysicalExpr>, input: &Arc<dyn ExecutionPlan>) -> Result<bool> {
    let looked_at = condition.exists(|inner| Ok(is_looked_at(inner)))?;
    if looked_at && has_list_aside(condition, &input.schema()) {
        return Ok(true);
    }
    if let Some(projection) = input.downcast_ref::<ProjectionExec>() {
        let below = update_expr(condition, projection.expr(), true)?;
        return may_be_forgotten(below.as_ref().unwrap_or(condition), projection.input());
    }
    let passes_on = match input.downcast_ref::<FilterExec>() {
        Some(filter) => filter.projection().is_none(),
        None => input.is::<UnionExec>(),
    };
    if !passes_on {
        return Ok(false);
    }
    for child in input.children() {
        if may_be_forgotten(condition, child)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether there is a list in an expression outside of what a reader looks at.
fn has_list_aside(expr: &Arc<dyn PhysicalExpr>, schema: &Schema) -> bool {
    let is_list = expr.is::<Column>() && expr.data_type(schema).as_ref().is_ok_and(DataType::is_nested);
    let aside = |child: &&Arc<dyn PhysicalExpr>| has_list_aside(child, schema);
    is_list || (!is_looked_at(expr) && expr.children().iter().any(aside))
}

/// Whether a reader looks at this when it is asked of a list.
fn is_looked_at(expr: &Arc<dyn PhysicalExpr>) -> bool {
    let function = expr.downcast_ref::<ScalarFunctionExpr>().map(ScalarFunctionExpr::name);
    expr.is::<IsNullExpr>()
        || expr.is::<IsNotNullExpr>()
        || matches!(function, Some("array_has" | "array_has_all" | "array_has_any"))
}
