//! SQL functions that the built-in ones lack. One file per function, named after it.
//!
//! The functions know nothing of the lake, its tables or the field catalogue: they take
//! texts, lists and times, in any encoding, and can be used in any DataFusion session.

mod aggregate;
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
use datafusion::execution::FunctionRegistry;
use datafusion::logical_expr::{AggregateUDF, DocSection, ScalarUDF};

/// The section of the documentation that holds these functions.
pub(crate) const SECTION: DocSection = DocSection { include: true, label: "retrohunt functions", description: None };

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
