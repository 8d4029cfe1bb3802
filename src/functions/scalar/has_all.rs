//! `has_all`: all of some whole terms in a text.

use datafusion::logical_expr::{Documentation, ScalarUDF};

use crate::functions::SECTION;
use crate::functions::match_function::{MatchFunction, Values};
use crate::functions::terms::AllTerms;

pub(super) fn udf() -> ScalarUDF {
    MatchFunction::<AllTerms>::new("has_all", Values::Many, documentation()).into()
}

fn documentation() -> Documentation {
    Documentation::builder(
        SECTION,
        "True if the text, or one element of the list, holds all of the terms, each as `has` defines it, in any order. \
         No terms at all are in every text. False where the text or a term is NULL.",
        "has_all(text, term[, ..., term_n])",
    )
    .with_argument("text", "A text or a list of texts.")
    .with_argument("term", "A text to find in it, or a list of them.")
    .with_sql_example(
        "\
> SELECT has_all('Add member to role', 'role', 'member') AS both_terms, has_all('Add member to role', ['role', 'owner']) AS one_missing;
+------------+-------------+
| both_terms | one_missing |
+------------+-------------+
| true       | false       |
+------------+-------------+",
    )
    .with_related_udf("has")
    .with_related_udf("has_any")
    .build()
}
