//! SQL functions that the built-in ones lack. One file per function, named after it.
//!
//! The functions know nothing of the lake, its tables or the field catalogue: they take
//! texts, lists and times, in any encoding, and can be used in any DataFusion session.

mod aggregate;
pub(crate) mod distinct;
mod ip;
mod match_function;
mod matching;
mod members;
mod pairs;
mod scalar;
pub mod sightings;
mod terms;
#[cfg(test)]
mod tests;
mod text;
mod wildcard;

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::execution::FunctionRegistry;
use datafusion::logical_expr::{AggregateUDF, DocSection, Expr, LogicalPlan, ScalarUDF};

/// The section of the documentation that holds these functions.
pub(crate) const SECTION: DocSection = DocSection {
    include: true,
    label: "retrohunt functions",
    description: None,
};

/// All scalar functions, in the order of their names.
pub fn scalar() -> Vec<Arc<ScalarUDF>> {
    scalar::ALL.iter().map(|function| Arc::new(function())).collect()
}

/// All aggregate functions, in the order of their names.
pub fn aggregate() -> Vec<Arc<AggregateUDF>> {
    aggregate::ALL.iter().map(|function| Arc::new(function())).collect()
}

/// Adds all functions to a session.
pub fn register_all(registry: &mut dyn FunctionRegistry) -> Result<()> {
    for function in scalar() {
        registry.register_udf(function)?;
    }
    for function in aggregate() {
        registry.register_udaf(function)?;
    }
    Ok(())
}

/// Refuses bad constants in the calls of a plan, with an error that names them.
///
/// Running a query refuses them by itself. `EXPLAIN` does not: DataFusion shows what went wrong
/// with the plan as a row of its result, so whoever only plans calls this on the plan.
pub fn check_constants(plan: &LogicalPlan) -> Result<()> {
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expression| {
            expression.apply(|part| {
                match part {
                    Expr::ScalarFunction(call) if call.name() == "cidr_match" => {
                        scalar::cidr_match::check_call(&call.args)?;
                    }
                    Expr::AggregateFunction(call) if call.func.name() == "new_terms" => {
                        aggregate::new_terms::check_call(&call.params.args)?;
                    }
                    _ => {}
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    Ok(())
}
