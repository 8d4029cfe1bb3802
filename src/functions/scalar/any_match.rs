//! `any_match`: any element of a list fits a pattern with `*`.

use datafusion::logical_expr::{Documentation, ScalarUDF};

use crate::functions::SECTION;
use crate::functions::match_function::{MatchFunction, Values};
use crate::functions::wildcard::AnyPattern;

pub(super) fn udf() -> ScalarUDF {
    MatchFunction::<AnyPattern>::new("any_match", Values::Many, documentation()).into()
}

fn documentation() -> Documentation {
    Documentation::builder(
        SECTION,
        "True if any element of the list fits any of the patterns from its first character to its last, in the same \
         case. In a pattern `*` stands for any run of characters, none and line ends too; every other character, `?`, \
         `%` and `_` too, stands for itself. A text counts as a list of one. False, not NULL, where the list is NULL, \
         so `NOT any_match(...)` also finds the events without it. A NULL pattern fits nothing.",
        "any_match(list, pattern[, ..., pattern_n])",
    )
    .with_argument("list", "A list of texts, or a text.")
    .with_argument("pattern", "A pattern, or a list of them.")
    .with_sql_example(
        "\
> SELECT any_match(['Bob', 'admin@example.org'], 'admin@*') AS starts, any_match('admin@example.org', '*.com', '*.net') AS ends;
+--------+-------+
| starts | ends  |
+--------+-------+
| true   | false |
+--------+-------+",
    )
    .with_related_udf("any_in")
    .build()
}
