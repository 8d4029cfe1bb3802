//! Aggregate functions, one per file, the file named after the function.

pub(super) mod new_terms;

use datafusion::logical_expr::AggregateUDF;

/// Every aggregate function. A new one is a new file and a line here.
pub(super) const ALL: &[fn() -> AggregateUDF] = &[new_terms::udf];
