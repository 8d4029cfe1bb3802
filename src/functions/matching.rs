//! The frame of every function that asks whether a text, or any element of a
//! list, matches any of some values. The values are compiled once when they are
//! constant, and once per run of equal rows when they come from a column.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::array::{Array, AsArray, BooleanArray, BooleanBuilder};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs};

use super::text::TextArgument;

/// Values made ready to be compared with many texts.
pub(crate) trait Matcher: Sized {
    /// Prepares the values of one call, in the order written; a NULL is `None`.
    fn compile(values: &[Option<&str>]) -> Self;

    /// Whether the text matches any of the values; `None` when that is unknown.
    fn matches(&self, text: &str) -> Option<bool>;
}

/// How many sets of constants one function keeps compiled. A query rarely has more calls
/// of one function than this; one that does compiles once per batch.
const KEPT: usize = 16;

type Entries<M> = Vec<(Vec<ScalarValue>, Arc<M>)>;

/// Compiled constants of the calls of one function, most recently used first.
///
/// It is a cache and no part of the function's identity, so all are equal.
pub(crate) struct Constants<M>(Mutex<Entries<M>>);

impl<M: Matcher> Constants<M> {
    fn get(&self, values: Vec<ScalarValue>, arguments: &[TextArgument]) -> Arc<M> {
        let same = |kept: &[ScalarValue]| kept.len() == values.len() && kept.iter().zip(&values).all(same_value);
        {
            let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(position) = entries.iter().position(|(kept, _)| same(kept)) {
                entries[..=position].rotate_right(1);
                return Arc::clone(&entries[0].1);
            }
        }
        // Compiled outside the lock: other partitions need not wait, at worst they do the same work.
        let matcher = Arc::new(M::compile(&values_of_row(arguments, 0)));
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.truncate(KEPT - 1);
        entries.insert(0, (values, Arc::clone(&matcher)));
        matcher
    }
}

/// A long list is usually the very same allocation in every batch.
fn same_value((left, right): (&ScalarValue, &ScalarValue)) -> bool {
    match (left, right) {
        (ScalarValue::List(left), ScalarValue::List(right)) if Arc::ptr_eq(left, right) => true,
        _ => left == right,
    }
}

impl<M> Default for Constants<M> {
    fn default() -> Self {
        Self(Mutex::new(Vec::new()))
    }
}

impl<M> fmt::Debug for Constants<M> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Constants")
    }
}

impl<M> PartialEq for Constants<M> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<M> Eq for Constants<M> {}

impl<M> Hash for Constants<M> {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

/// Evaluates `function(subject, value, ...)`: true where the subject, or any element of it,
/// matches any of the values. NULL where the subject is NULL, and where nothing matches
/// but an element or a value is unknown.
pub(crate) fn match_rows<M: Matcher>(args: &ScalarFunctionArgs, constants: &Constants<M>) -> Result<ColumnarValue> {
    let arguments = args
        .args
        .iter()
        .map(TextArgument::try_new)
        .collect::<Result<Vec<_>>>()?;
    let Some((subject, values)) = arguments.split_first() else {
        return Ok(ColumnarValue::Scalar(ScalarValue::Boolean(None)));
    };
    let value_constants: Option<Vec<ScalarValue>> = args.args[1..].iter().map(constant).collect();
    let constant_matcher = value_constants.map(|constant_values| constants.get(constant_values, values));

    let all_constant = arguments.iter().all(TextArgument::is_constant);
    let rows = if all_constant { 1 } else { args.number_rows };
    let mut results = BooleanBuilder::with_capacity(rows);
    match constant_matcher {
        Some(matcher) => {
            // Rows are often the same as the one before: events are in the order of their users.
            let mut last: Option<(&str, Option<bool>)> = None;
            for row in 0..rows {
                let found = match (subject.text(row), last) {
                    (Some(text), Some((known, found))) if known == text => found,
                    (text, _) => {
                        let found = match_row(subject, row, matcher.as_ref());
                        last = text.map(|text| (text, found));
                        found
                    }
                };
                results.append_option(found);
            }
        }
        None => {
            let mut previous: Option<(Vec<Option<&str>>, M)> = None;
            for row in 0..rows {
                let row_values = values_of_row(values, row);
                let (_, matcher) = match previous.take() {
                    Some(compiled) if compiled.0 == row_values => previous.insert(compiled),
                    _ => {
                        let matcher = M::compile(&row_values);
                        previous.insert((row_values, matcher))
                    }
                };
                results.append_option(match_row(subject, row, matcher));
            }
        }
    }
    let results = results.finish();
    Ok(if all_constant {
        ColumnarValue::Scalar(ScalarValue::Boolean(results.is_valid(0).then(|| results.value(0))))
    } else {
        ColumnarValue::Array(Arc::new(results))
    })
}

/// The two-valued form: what is unknown is false, so that `NOT` of it is true.
pub(crate) fn false_when_null(value: ColumnarValue) -> ColumnarValue {
    match value {
        ColumnarValue::Scalar(ScalarValue::Boolean(known)) => {
            ColumnarValue::Scalar(ScalarValue::Boolean(Some(known.unwrap_or(false))))
        }
        ColumnarValue::Array(array) => match array.as_boolean_opt() {
            Some(results) => {
                let values = match results.nulls() {
                    Some(nulls) => results.values() & nulls.inner(),
                    None => results.values().clone(),
                };
                ColumnarValue::Array(Arc::new(BooleanArray::new(values, None)))
            }
            None => ColumnarValue::Array(array),
        },
        other => other,
    }
}

fn constant(argument: &ColumnarValue) -> Option<ScalarValue> {
    match argument {
        ColumnarValue::Scalar(value) => Some(value.clone()),
        ColumnarValue::Array(_) => None,
    }
}

/// All values that apply to one row; an argument that is NULL stands as one unknown value.
fn values_of_row(arguments: &[TextArgument], row: usize) -> Vec<Option<&str>> {
    let mut values = Vec::new();
    for argument in arguments {
        match argument.row(row) {
            Some(texts) => values.extend(texts),
            None => values.push(None),
        }
    }
    values
}

fn match_row<M: Matcher>(subject: &TextArgument, row: usize, matcher: &M) -> Option<bool> {
    let mut result = Some(false);
    for text in subject.row(row)? {
        match text.and_then(|text| matcher.matches(text)) {
            Some(true) => return Some(true),
            Some(false) => {}
            None => result = None,
        }
    }
    result
}
