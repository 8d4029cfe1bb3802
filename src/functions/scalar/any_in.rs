//! `any_in`: any element of a list is any of some values.

use datafusion::logical_expr::{Documentation, ScalarUDF};

use crate::functions::SECTION;
use crate::functions::match_function::{MatchFunction, Values};
use crate::functions::members::AnyEqual;

pub(super) fn udf() -> ScalarUDF {
    MatchFunction::<AnyEqual>::new("any_in", Values::Many, documentation()).into()
}

fn documentation() -> Documentation {
    Documentation::builder(
        SECTION,
        "True if any element of the list equals any of the values, in the same case. A text counts as a list of one. \
         False, not NULL, where the list is NULL, so `NOT any_in(...)` also finds the events without it: what Elastic's \
         `not field:value` finds. NULL equals nothing.",
        "any_in(list, value[, ..., value_n])",
    )
    .with_argument("list", "A list of texts, or a text.")
    .with_argument("value", "A text to find in it, or a list of them.")
    .with_sql_example(
        "\
> SELECT any_in(['email', 'web'], 'web', 'file') AS found, any_in('email', ['web']) AS not_found, NOT any_in(NULL, 'web') AS missing_is_not_it;
+-------+-----------+-------------------+
| found | not_found | missing_is_not_it |
+-------+-----------+-------------------+
| true  | false     | true              |
+-------+-----------+-------------------+",
    )
    .with_related_udf("any_match")
    .build()
}
