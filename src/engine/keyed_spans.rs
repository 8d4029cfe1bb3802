//! Spans of time by key, and the condition for an event to be in one of those of its key.
//!
//! `__in_spans(time, key, ...)` is one small expression, which needs no join: a list of
//! thousands of literals would be rewritten again for every file that is read.

use super::stretches::stretches;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, TimestampMicrosecondType};
use datafusion::arrow::row::{RowConverter, SortField};
use datafusion::common::{HashMap, Result, ScalarValue, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, lit,
};
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};
use std::hash::{Hash, Hasher};
use std::mem::size_of;
use std::sync::Arc;

/// Stretches of time are worth a condition, which skips files, if they are this few and
/// leave out half of the time.
const STRETCHES: usize = 8;

/// For each key the times that count, in microseconds, both ends included.
#[derive(Debug)]
pub struct KeyedSpans {
    keys: Arc<[DataType]>,
    /// By the form of the key as bytes.
    spans: HashMap<Box<[u8]>, Vec<(i64, i64)>>,
    rows: u64,
    bytes: usize,
}

impl KeyedSpans {
    /// None yet, for keys of these types.
    pub fn new(keys: Vec<DataType>) -> Self {
        Self {
            keys: keys.into(),
            spans: HashMap::new(),
            rows: 0,
            bytes: 0,
        }
    }

    /// Whether keys of these types are the same where their bytes are.
    pub fn can_tell_apart(keys: &[DataType]) -> bool {
        // Numbers of several forms that are equal are one.
        !keys.is_empty() && keys.iter().all(|key| !key.is_nested() && !key.is_floating())
    }

    /// Adds the spans that belong to the times of rows: the columns of the key, then the time.
    pub fn add(&mut self, batch: &RecordBatch, span: impl Fn(i64) -> Option<(i64, i64)>) -> Result<()> {
        let Some((time, keys)) = batch.columns().split_last() else {
            return exec_err!("rows of spans have a time");
        };
        let Some(times) = time.as_primitive_opt::<TimestampMicrosecondType>() else {
            return exec_err!("the time of a span is {}", time.data_type());
        };
        let (spans, bytes) = (&mut self.spans, &mut self.bytes);
        each(keys, &self.keys, |row, key| {
            let span = times.is_valid(row).then(|| span(times.value(row))).flatten();
            if let Some(span) = span {
                *bytes += size_of::<(i64, i64)>();
                if let Some(spans) = spans.get_mut(key) {
                    spans.push(span);
                } else {
                    *bytes += key.len() + 4 * size_of::<Vec<(i64, i64)>>();
                    spans.insert(key.into(), vec![span]);
                }
            }
        })?;
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    /// How many rows were added.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// About how much memory they take.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// When nothing more will be added: joins what overlaps.
    #[must_use]
    pub fn joined(mut self) -> Self {
        for spans in self.spans.values_mut() {
            *spans = stretches(std::mem::take(spans), usize::MAX);
        }
        self
    }

    /// The condition for a time to be in a span of its key, over all of which `whole` may be.
    pub fn condition(self: &Arc<Self>, time: Expr, keys: Vec<Expr>, whole: (i64, i64)) -> Expr {
        let all = stretches(self.spans.values().flatten().copied().collect(), STRETCHES);
        if all.is_empty() {
            return lit(false);
        }
        let covered: u64 = all.iter().map(|(first, last)| last.abs_diff(*first)).sum();
        let at = |micros: i64| lit(ScalarValue::TimestampMicrosecond(Some(micros), Some("UTC".into())));
        let inside = all
            .iter()
            .map(|(first, last)| time.clone().between(at(*first), at(*last)))
            .reduce(Expr::or)
            .filter(|_| covered <= whole.1.abs_diff(whole.0) / 2);
        let function = ScalarUDF::from(InSpans {
            signature: Signature::any(1 + keys.len(), Volatility::Immutable),
            spans: Arc::clone(self),
        });
        let of_key = function.call(std::iter::once(time).chain(keys).collect());
        inside.into_iter().fold(of_key, Expr::and)
    }

    fn hold(&self, key: &[u8], time: i64) -> bool {
        self.spans.get(key).is_some_and(|spans| {
            let after = spans.partition_point(|(first, _)| *first <= time);
            let last = after.checked_sub(1).and_then(|last| spans.get(last));
            last.is_some_and(|(_, last)| time <= *last)
        })
    }
}

/// Calls back for each row with the bytes of its key. Of one text that is a mark and the text.
fn each(keys: &[ArrayRef], types: &[DataType], mut see: impl FnMut(usize, &[u8])) -> Result<()> {
    if let ([text], [DataType::Utf8View | DataType::Utf8 | DataType::LargeUtf8]) = (keys, types) {
        let text = cast(text, &DataType::Utf8View)?;
        let mut key = Vec::new();
        for (row, text) in text.as_string_view().iter().enumerate() {
            key.clear();
            if let Some(text) = text {
                key.push(1);
                key.extend_from_slice(text.as_bytes());
            }
            see(row, &key);
        }
        return Ok(());
    }
    let columns = keys.iter().zip(types).map(|(key, kind)| Ok(cast(key, kind)?));
    let columns = columns.collect::<Result<Vec<_>>>()?;
    let fields = types.iter().map(|kind| SortField::new(kind.clone()));
    let rows = RowConverter::new(fields.collect())?.convert_columns(&columns)?;
    for (row, key) in rows.iter().enumerate() {
        see(row, key.as_ref());
    }
    Ok(())
}

/// Whether a condition is that of [`KeyedSpans::condition`].
pub(super) fn is_in_spans(condition: &Arc<dyn PhysicalExpr>) -> bool {
    let function = condition.downcast_ref::<ScalarFunctionExpr>();
    function.is_some_and(|function| function.fun().inner().is::<InSpans>())
}

#[derive(Debug)]
struct InSpans {
    signature: Signature,
    spans: Arc<KeyedSpans>,
}

impl PartialEq for InSpans {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.spans, &other.spans)
    }
}

impl Eq for InSpans {}

impl Hash for InSpans {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.spans).hash(state);
    }
}

impl ScalarUDFImpl for InSpans {
    fn name(&self) -> &'static str {
        "__in_spans"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let Some((time, keys)) = arrays.split_first() else {
            return exec_err!("__in_spans has no time");
        };
        let Some(times) = time.as_primitive_opt::<TimestampMicrosecondType>() else {
            return exec_err!("__in_spans was given {} for a time", time.data_type());
        };
        let mut found = vec![false; times.len()];
        each(keys, &self.spans.keys, |row, key| {
            if let Some(found) = found.get_mut(row) {
                *found = times.is_valid(row) && self.spans.hold(key, times.value(row));
            }
        })?;
        Ok(ColumnarValue::Array(Arc::new(BooleanArray::from(found))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::arrow::array::{Int64Array, StringArray, StringViewArray, TimestampMicrosecondArray};
    use datafusion::datasource::MemTable;
    use datafusion::logical_expr::ident;
    use datafusion::prelude::SessionContext;
    use proptest::prelude::*;

    /// A key: a text and a number, each of which may be missing.
    type Key = (Option<u8>, Option<i64>);

    fn events(rows: &[(i64, Key)]) -> RecordBatch {
        let time = TimestampMicrosecondArray::from_iter_values(rows.iter().map(|row| row.0)).with_timezone("UTC");
        let text: StringViewArray = rows
            .iter()
            .map(|row| row.1.0.map(|text| format!("a long text {text}")))
            .collect();
        let number: Int64Array = rows.iter().map(|row| row.1.1).collect();
        let columns: [(&str, ArrayRef); 3] = [
            ("text", Arc::new(text)),
            ("number", Arc::new(number)),
            ("time", Arc::new(time)),
        ];
        RecordBatch::try_from_iter(columns).unwrap()
    }

    async fn kept(rows: &[(i64, Key)], spans: KeyedSpans, keys: &[&str]) -> Vec<i64> {
        let batch = events(rows);
        let table = MemTable::try_new(batch.schema(), vec![vec![batch]]).unwrap();
        let frame = SessionContext::new().read_table(Arc::new(table)).unwrap();
        let keys = keys.iter().map(|key| ident(*key)).collect();
        let condition = Arc::new(spans.joined()).condition(ident("time"), keys, (0, 300));
        let batches = frame.filter(condition).unwrap().collect().await.unwrap();
        let times = batches.iter().flat_map(|batch| {
            let times = batch.column_by_name("time").unwrap();
            times.as_primitive::<TimestampMicrosecondType>().values().to_vec()
        });
        times.collect()
    }

    fn rows(most: usize) -> impl Strategy<Value = Vec<(i64, Key)>> {
        let key = (prop::option::of(0_u8..3), prop::option::of(0_i64..2));
        prop::collection::vec((0_i64..200, key), 0..most)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn keeps_what_is_in_a_span_of_its_key(
            rows in rows(40), found in rows(8), before in 0_i64..30, after in 0_i64..30, of_text in any::<bool>(),
        ) {
            let (names, types, columns): (&[&str], _, &[usize]) = if of_text {
                (&["text"], vec![DataType::Utf8View], &[0, 2])
            } else {
                (&["text", "number"], vec![DataType::Utf8View, DataType::Int64], &[0, 1, 2])
            };
            // Some times have no span.
            let span = |time: i64| (time % 5 != 0).then_some((time - before, time + after));
            let same = |a: Key, b: Key| a.0 == b.0 && (of_text || a.1 == b.1);
            let holds = |(time, key): &(i64, Key)| found.iter().any(|(of, other)| {
                same(*key, *other) && span(*of).is_some_and(|(first, last)| first <= *time && *time <= last)
            });
            let expected: Vec<i64> = rows.iter().filter(|row| holds(row)).map(|(time, _)| *time).collect();
            let mut spans = KeyedSpans::new(types);
            spans.add(&events(&found).project(columns).unwrap(), span).unwrap();
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            prop_assert_eq!(runtime.block_on(kept(&rows, spans, names)), expected);
        }
    }

    #[tokio::test]
    async fn texts_of_every_encoding_are_one_key() {
        let mut spans = KeyedSpans::new(vec![DataType::Utf8View]);
        let text: ArrayRef = Arc::new(StringArray::from(vec!["a long text 1"]));
        let time: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![15]).with_timezone("UTC"));
        let batch = RecordBatch::try_from_iter([("text", text), ("time", time)]).unwrap();
        spans.add(&batch, |time| Some((time - 4, time + 5))).unwrap();
        let rows = [
            (10, (Some(1), None)),
            (11, (Some(1), None)),
            (12, (Some(2), None)),
            (20, (Some(1), None)),
        ];
        assert_eq!(kept(&rows, spans, &["text"]).await, [11, 20]);
    }
}
