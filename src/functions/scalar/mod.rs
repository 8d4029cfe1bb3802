//! Scalar functions, one per file, the file named after the function.

mod any_in;
mod any_match;
pub(super) mod cidr_match;
mod has;
mod has_all;
mod has_any;
mod pair_names;
mod pair_values;
mod property;
mod to_ip;

use datafusion::logical_expr::ScalarUDF;

/// Every scalar function. A new one is a new file and a line here.
pub(super) const ALL: &[fn() -> ScalarUDF] = &[
    any_in::udf,
    any_match::udf,
    cidr_match::udf,
    has::udf,
    has_all::udf,
    has_any::udf,
    pair_names::udf,
    pair_values::udf,
    property::udf,
    to_ip::udf,
];
