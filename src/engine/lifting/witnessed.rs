//! `__witnessed(time, key, ...)`: whether any window holds both an event of this time and a
//! witness of its key. One small expression: a list of thousands of literals would be
//! rewritten again for every file that is read.

use super::ticks::Ticks;
use crate::engine::stretches::stretches;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, TimestampMicrosecondType};
use datafusion::arrow::row::{RowConverter, SortField};
use datafusion::common::{HashMap, Result, ScalarValue, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, lit,
};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// Stretches of time are worth a condition, which skips files, if they are this few and
/// leave out half of the time.
const STRETCHES: usize = 8;

/// Witnesses as they are found: for each key the time in which events share a window with
/// one of them.
#[derive(Debug)]
pub struct Witnesses {
    ticks: Ticks,
    keys: Arc<[DataType]>,
    /// By the form of the key as bytes; the first and last of times, both included.
    spans: HashMap<Box<[u8]>, Vec<(i64, i64)>>,
    count: u64,
}

impl Witnesses {
    pub(super) fn new(ticks: Ticks, keys: Vec<DataType>) -> Self {
        Self {
            ticks,
            keys: keys.into(),
            spans: HashMap::new(),
            count: 0,
        }
    }

    /// Whether groups with such keys can be told apart by the bytes of their keys.
    pub(super) fn can_tell_apart(keys: &[DataType]) -> bool {
        // Numbers of several forms that are equal are one group.
        !keys.is_empty() && keys.iter().all(|key| !key.is_nested() && !key.is_floating())
    }

    /// Takes in rows of a question: the columns of the key, and the time.
    pub fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        let Some((time, keys)) = batch.columns().split_last() else {
            return exec_err!("a witness has a time");
        };
        let Some(times) = time.as_primitive_opt::<TimestampMicrosecondType>() else {
            return exec_err!("the time of a witness is {}", time.data_type());
        };
        let (ticks, spans) = (self.ticks, &mut self.spans);
        each(keys, &self.keys, |row, key| {
            let seeing = times.is_valid(row).then(|| ticks.seeing(times.value(row)));
            if let Some((first, last)) = seeing.flatten() {
                // All that a tick sees from the first to the last that sees the witness.
                let span = (first.saturating_sub(ticks.lookback).saturating_add(1), last);
                match spans.get_mut(key) {
                    Some(spans) => spans.push(span),
                    None => drop(spans.insert(key.into(), vec![span])),
                }
            }
        })?;
        self.count += batch.num_rows() as u64;
        Ok(())
    }

    /// How many rows were taken in.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// When nothing more will be added: joins what overlaps.
    #[must_use]
    pub fn joined(mut self) -> Self {
        for spans in self.spans.values_mut() {
            *spans = stretches(std::mem::take(spans), usize::MAX);
        }
        self
    }

    /// The condition for an event to be seen together with a witness of its group.
    pub(super) fn condition(self: &Arc<Self>, time: Expr, keys: Vec<Expr>) -> Expr {
        let all = self.spans.values().flatten().copied().collect();
        let all = stretches(all, STRETCHES);
        if all.is_empty() {
            return lit(false);
        }
        let covered: u64 = all.iter().map(|(first, last)| last.abs_diff(*first)).sum();
        let whole = self.ticks.last.abs_diff(self.ticks.first);
        let at = |micros: i64| lit(ScalarValue::TimestampMicrosecond(Some(micros), Some("UTC".into())));
        let inside = all
            .iter()
            .map(|(first, last)| time.clone().between(at(*first), at(*last)))
            .reduce(Expr::or)
            .filter(|_| covered <= whole / 2);
        let function = ScalarUDF::from(Witnessed {
            signature: Signature::any(1 + keys.len(), Volatility::Immutable),
            witnesses: Arc::clone(self),
        });
        let witnessed = function.call(std::iter::once(time).chain(keys).collect());
        inside
            .into_iter()
            .chain([witnessed])
            .reduce(Expr::and)
            .unwrap_or_else(|| lit(true))
    }

    fn see(&self, key: &[u8], time: i64) -> bool {
        self.spans.get(key).is_some_and(|spans| {
            let after = spans.partition_point(|(first, _)| *first <= time);
            after
                .checked_sub(1)
                .and_then(|last| spans.get(last))
                .is_some_and(|(_, last)| time <= *last)
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

#[derive(Debug)]
struct Witnessed {
    signature: Signature,
    witnesses: Arc<Witnesses>,
}

impl PartialEq for Witnessed {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.witnesses, &other.witnesses)
    }
}

impl Eq for Witnessed {}

impl Hash for Witnessed {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.witnesses).hash(state);
    }
}

impl ScalarUDFImpl for Witnessed {
    fn name(&self) -> &'static str {
        "__witnessed"
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
            return exec_err!("__witnessed has no time");
        };
        let Some(times) = time.as_primitive_opt::<TimestampMicrosecondType>() else {
            return exec_err!("__witnessed was given {} for a time", time.data_type());
        };
        let mut found = vec![false; times.len()];
        each(keys, &self.witnesses.keys, |row, key| {
            if let Some(found) = found.get_mut(row) {
                *found = times.is_valid(row) && self.witnesses.see(key, times.value(row));
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

    async fn kept(rows: &[(i64, Key)], witnesses: Witnesses, keys: &[&str]) -> Vec<i64> {
        let batch = events(rows);
        let table = MemTable::try_new(batch.schema(), vec![vec![batch]]).unwrap();
        let frame = SessionContext::new().read_table(Arc::new(table)).unwrap();
        let keys = keys.iter().map(|key| ident(*key)).collect();
        let condition = Arc::new(witnesses.joined()).condition(ident("time"), keys);
        let batches = frame.filter(condition).unwrap().collect().await.unwrap();
        let times = batches.iter().flat_map(|batch| {
            let times = batch
                .column_by_name("time")
                .unwrap()
                .as_primitive::<TimestampMicrosecondType>();
            times.values().to_vec()
        });
        times.collect()
    }

    fn key() -> impl Strategy<Value = Key> {
        (prop::option::of(0_u8..3), prop::option::of(0_i64..2))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        /// An event is left out exactly where no tick sees it beside a witness of its key, but
        /// for ticks farther apart than a window is long: then what lies between stays too.
        #[test]
        fn keeps_what_a_tick_sees_with_a_witness(
            rows in prop::collection::vec((0_i64..200, key()), 0..40),
            found in prop::collection::vec((0_i64..200, key()), 0..8),
            first in 0_i64..150, length in 0_i64..150, interval in 1_i64..20, more in 0_i64..40,
            of_text in any::<bool>(),
        ) {
            let ticks = Ticks::within(first, first + length, interval, interval + more);
            let names: &[&str] = if of_text { &["text"] } else { &["text", "number"] };
            let types = if of_text {
                vec![DataType::Utf8View]
            } else {
                vec![DataType::Utf8View, DataType::Int64]
            };
            let same = |a: Key, b: Key| a.0 == b.0 && (of_text || a.1 == b.1);
            let expected: Vec<i64> = rows
                .iter()
                .filter(|(time, key)| found.iter().any(|(of, other)| {
                    let sees = |tick: i64, time: i64| tick - ticks.lookback < time && time <= tick;
                    same(*key, *other) && ticks.iter().any(|tick| sees(tick, *time) && sees(tick, *of))
                }))
                .map(|(time, _)| *time)
                .collect();
            let mut witnesses = Witnesses::new(ticks, types);
            let batch = events(&found);
            let columns: Vec<usize> = if of_text { vec![0, 2] } else { vec![0, 1, 2] };
            witnesses.add(&batch.project(&columns).unwrap()).unwrap();
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            prop_assert_eq!(runtime.block_on(kept(&rows, witnesses, names)), expected);
        }
    }

    #[tokio::test]
    async fn texts_of_every_encoding_are_one_key() {
        let ticks = Ticks::within(0, 100, 10, 10);
        let mut witnesses = Witnesses::new(ticks, vec![DataType::Utf8View]);
        let text: ArrayRef = Arc::new(StringArray::from(vec!["a long text 1"]));
        let time: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![15]).with_timezone("UTC"));
        witnesses
            .add(&RecordBatch::try_from_iter([("text", text), ("time", time)]).unwrap())
            .unwrap();
        let rows = [
            (10, (Some(1), None)),
            (11, (Some(1), None)),
            (12, (Some(2), None)),
            (20, (Some(1), None)),
        ];
        assert_eq!(kept(&rows, witnesses, &["text"]).await, [11, 20]);
    }
}
