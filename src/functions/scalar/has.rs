//! `has`: a whole term in a text.

use datafusion::logical_expr::{Documentation, ScalarUDF};

use crate::functions::SECTION;
use crate::functions::match_function::{MatchFunction, Values};
use crate::functions::terms::AnyTerm;

pub(super) fn udf() -> ScalarUDF {
    MatchFunction::<AnyTerm>::new("has", Values::One, documentation()).into()
}

fn documentation() -> Documentation {
    Documentation::builder(
        SECTION,
        "True if the text, or any element of the list, holds the term, as Kusto's `has`: whatever the case, and whole. \
         Terms are runs of letters and digits; every other character ends one, `_` and `-` too. A term with other \
         characters in it is looked for as it stands, and each of its ends that is a letter or digit must be the end \
         of a term in the text. The empty term is in every text. False where the text or the term is NULL.",
        "has(text, term)",
    )
    .with_argument("text", "A text or a list of texts.")
    .with_argument("term", "The text to find in it.")
    .with_sql_example(
        "\
> SELECT has('C:\\Temp\\svchost.exe', 'SVCHOST') AS term, has('svchost2.exe', 'svchost') AS part_of_a_term, has('svchost.exe', '.exe') AS suffix;
+------+----------------+--------+
| term | part_of_a_term | suffix |
+------+----------------+--------+
| true | false          | true   |
+------+----------------+--------+",
    )
    .with_related_udf("has_any")
    .with_related_udf("has_all")
    .build()
}
