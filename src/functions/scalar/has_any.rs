//! `has_any`: any of some whole terms in a text.

use datafusion::logical_expr::{Documentation, ScalarUDF};

use crate::functions::SECTION;
use crate::functions::match_function::{MatchFunction, Values};
use crate::functions::terms::AnyTerm;

pub(super) fn udf() -> ScalarUDF {
    MatchFunction::<AnyTerm>::new("has_any", Values::Many, documentation()).into()
}

fn documentation() -> Documentation {
    Documentation::builder(
        SECTION,
        "True if the text, or any element of the list, holds any of the terms, each as `has` defines it. Thousands of \
         terms cost about as much as a few. A list may be written out, a column, or the result of a subquery: \
         `has_any(raw, (SELECT array_agg(session_id) FROM suspicious))`. A NULL among the terms matches nothing; \
         an empty one matches every text. False where the text is NULL.",
        "has_any(text, term[, ..., term_n])",
    )
    .with_argument("text", "A text or a list of texts.")
    .with_argument("term", "A text to find in it, or a list of them.")
    .with_sql_example(
        "\
> SELECT has_any('Set-Mailbox -Identity bob', 'new-inboxrule', 'set-mailbox') AS any_of_two, has_any('Set-MailboxPlan', ['set-mailbox']) AS any_of_list;
+------------+-------------+
| any_of_two | any_of_list |
+------------+-------------+
| true       | false       |
+------------+-------------+",
    )
    .with_related_udf("has")
    .with_related_udf("has_all")
    .build()
}
