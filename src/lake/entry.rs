//! A data file as the table's log describes it, and pruning by that description.

use ahash::AHashMap;
use datafusion::arrow::array::{ArrayRef, BooleanArray, UInt64Array};
use datafusion::arrow::compute::kernels::cast_utils::string_to_timestamp_nanos;
use datafusion::arrow::datatypes::{DataType, Schema, SchemaRef, TimeUnit};
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::{Column, ScalarValue};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

/// One Parquet file of a table.
#[derive(Debug, Clone)]
pub struct DataFile {
    /// Path below the table's folder.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// Rows, where the log says.
    pub rows: Option<u64>,
    /// Milliseconds since the Unix epoch at which it was written.
    pub modified: i64,
    /// Values of the partition columns, in their order.
    pub partition: Vec<ScalarValue>,
    /// Per column: smallest, largest, number of nulls.
    pub statistics: StatisticsOfColumns,
    /// Where its filters are, if the log tells.
    pub filters: Option<Arc<str>>,
}

impl DataFile {
    /// No event in the file is before the first of these or after the last, if the log says so.
    /// Microseconds since the Unix epoch.
    pub fn times(&self) -> Option<(i64, i64)> {
        let time = self.statistics.get("timestamp")?;
        match (&time.min, &time.max) {
            (
                Some(ScalarValue::TimestampMicrosecond(Some(first), _)),
                Some(ScalarValue::TimestampMicrosecond(Some(last), _)),
            ) => Some((*first, *last)),
            _ => None,
        }
    }
}

/// What the log says of the columns of a file, by their names.
pub type StatisticsOfColumns = AHashMap<Arc<str>, ColumnStatistics>;

/// What the log says of one column of one file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ColumnStatistics {
    /// No value is smaller. Long strings are cut, times are rounded down.
    pub min: Option<ScalarValue>,
    /// No value is larger.
    pub max: Option<ScalarValue>,
    /// How many are null.
    pub nulls: Option<u64>,
}

/// Reads the statistics texts of `Add` actions; what cannot be read is left out, which makes pruning
/// weaker and never wrong. Opening a lake reads one for each of its files.
#[derive(Debug)]
pub(super) struct StatisticsReader {
    fields: AHashMap<Arc<str>, DataType>,
}

/// Rows, and what is known of each column.
type Said = (Option<u64>, StatisticsOfColumns);

impl StatisticsReader {
    /// For files with columns of this schema.
    pub(super) fn new(schema: &Schema) -> Self {
        let fields = schema.fields().iter();
        Self {
            fields: fields
                .map(|field| (Arc::from(field.name().as_str()), field.data_type().clone()))
                .collect(),
        }
    }

    pub(super) fn read(&self, text: &str) -> Said {
        let mut reader = serde_json::Deserializer::from_str(text);
        let said = reader.deserialize_map(AddStatistics(self));
        match (said, reader.end()) {
            (Ok((rows, mut columns)), Ok(())) => {
                columns.retain(|_, column| *column != ColumnStatistics::default());
                (rows, columns)
            }
            _ => (None, StatisticsOfColumns::new()),
        }
    }
}

/// The statistics of an `Add` action, as Delta spells them.
struct AddStatistics<'r>(&'r StatisticsReader);

impl<'de> Visitor<'de> for AddStatistics<'_> {
    type Value = Said;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("statistics of a file")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Said, M::Error> {
        let (mut rows, mut columns) = (None, StatisticsOfColumns::new());
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            let set: Set = match &*key {
                "numRecords" => {
                    rows = map.next_value()?;
                    continue;
                }
                "minValues" => |column, value, data_type| column.min = scalar(value, data_type),
                "maxValues" => |column, value, data_type| column.max = scalar(value, data_type).map(round_up),
                "nullCount" => |column, value, _| column.nulls = value.as_u64(),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            map.next_value_seed(OfColumns {
                reader: self.0,
                columns: &mut columns,
                set,
            })?;
        }
        Ok((rows, columns))
    }
}

/// Takes note of a value of a column.
type Set = fn(&mut ColumnStatistics, serde_json::Value, &DataType);

/// A value for each column.
struct OfColumns<'r> {
    reader: &'r StatisticsReader,
    columns: &'r mut StatisticsOfColumns,
    set: Set,
}

impl<'de> DeserializeSeed<'de> for OfColumns<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for OfColumns<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a value for each column")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            match self.reader.fields.get_key_value(&*name) {
                Some((name, data_type)) => {
                    let value = map.next_value()?;
                    (self.set)(self.columns.entry(Arc::clone(name)).or_default(), value, data_type);
                }
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

fn scalar(value: serde_json::Value, data_type: &DataType) -> Option<ScalarValue> {
    match (value, data_type) {
        (serde_json::Value::String(text), DataType::Utf8) => Some(ScalarValue::Utf8(Some(text))),
        (serde_json::Value::String(text), DataType::Timestamp(TimeUnit::Microsecond, Some(zone)))
            if &**zone == "UTC" =>
        {
            match string_to_timestamp_nanos(&text) {
                Ok(nanos) => {
                    let micros = nanos.div_euclid(1000);
                    Some(ScalarValue::TimestampMicrosecond(Some(micros), Some(Arc::clone(zone))))
                }
                // Too long ago, or too far ahead.
                Err(_) => ScalarValue::try_from_string(text, data_type).ok(),
            }
        }
        (serde_json::Value::String(text), _) => ScalarValue::try_from_string(text, data_type).ok(),
        (serde_json::Value::Number(number), DataType::Int64) => Some(ScalarValue::Int64(number.as_i64())),
        _ => None,
    }
}

/// Other writers keep times to the millisecond only, so the last microsecond of it is the bound.
fn round_up(value: ScalarValue) -> ScalarValue {
    match value {
        ScalarValue::TimestampMicrosecond(Some(at), zone) if at % 1000 == 0 => {
            ScalarValue::TimestampMicrosecond(at.checked_add(999), zone)
        }
        other => other,
    }
}

/// The files of a table, seen as containers that a predicate can rule out.
#[derive(Debug)]
pub(super) struct TableFiles {
    files: Vec<DataFile>,
    partition_columns: Vec<String>,
    schema: SchemaRef,
    /// What predicates have asked for so far: they ask for the same few columns again and again.
    asked: Mutex<HashMap<String, Option<KnownColumn>>>,
}

/// What is known of a column, a value for each file.
#[derive(Debug, Clone)]
struct KnownColumn {
    min: ArrayRef,
    max: ArrayRef,
    nulls: ArrayRef,
}

impl TableFiles {
    /// Files of a table with these partition columns, which are columns of its schema too.
    pub(super) fn new(files: Vec<DataFile>, partition_columns: Vec<String>, schema: SchemaRef) -> Self {
        Self {
            files,
            partition_columns,
            schema,
            asked: Mutex::default(),
        }
    }

    /// All of them.
    pub(super) fn all(&self) -> &[DataFile] {
        &self.files
    }

    fn known(&self, column: &Column) -> Option<KnownColumn> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = asked.get(&column.name) {
            return known.clone();
        }
        let known = self.look_up(&column.name);
        asked.insert(column.name.clone(), known.clone());
        known
    }

    fn look_up(&self, name: &str) -> Option<KnownColumn> {
        let data_type = self.schema.field_with_name(name).ok()?.data_type();
        let null = ScalarValue::try_from(data_type).ok()?;
        let partition = self.partition_columns.iter().position(|column| column == name);
        let values = |of_statistics: fn(&ColumnStatistics) -> Option<&ScalarValue>| {
            let values = self.files.iter().map(|file| {
                let value = match partition {
                    Some(position) => file.partition.get(position),
                    None => file.statistics.get(name).and_then(of_statistics),
                };
                let value = value.and_then(|value| match (value, data_type) {
                    (ScalarValue::Utf8(text), DataType::Utf8View) => Some(ScalarValue::Utf8View(text.clone())),
                    (value, _) if value.data_type() == *data_type => Some(value.clone()),
                    (value, _) => value.cast_to(data_type).ok(),
                });
                value.unwrap_or_else(|| null.clone())
            });
            ScalarValue::iter_to_array(values).ok()
        };
        let nulls = self.files.iter().map(|file| match partition {
            Some(position) => match file.partition.get(position)?.is_null() {
                true => file.rows,
                false => Some(0),
            },
            None => file.statistics.get(name)?.nulls,
        });
        Some(KnownColumn {
            min: values(|statistics| statistics.min.as_ref())?,
            max: values(|statistics| statistics.max.as_ref())?,
            nulls: Arc::new(nulls.collect::<UInt64Array>()),
        })
    }
}

impl PruningStatistics for TableFiles {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.known(column).map(|known| known.min)
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.known(column).map(|known| known.max)
    }

    fn num_containers(&self) -> usize {
        self.files.len()
    }

    fn null_counts(&self, column: &Column) -> Option<ArrayRef> {
        self.known(column).map(|known| known.nulls)
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        let rows: UInt64Array = self.files.iter().map(|file| file.rows).collect();
        Some(Arc::new(rows))
    }

    fn contained(&self, _: &Column, _: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lake::layout::TableName;
    use proptest::prelude::*;
    use serde_json::{Map, Value, json};

    /// The slow twin: all of the text as a document, column by column.
    fn slow(text: &str, schema: &Schema) -> Said {
        let Ok(Value::Object(said)) = serde_json::from_str(text) else {
            return (None, StatisticsOfColumns::new());
        };
        let rows = said.get("numRecords").cloned().unwrap_or_default();
        let of = |key: &str| said.get(key).cloned().unwrap_or_else(|| json!({}));
        let maps: Vec<Value> = ["minValues", "maxValues", "nullCount"].map(of).into();
        if !(rows.is_null() || rows.is_u64()) || !maps.iter().all(Value::is_object) {
            return (None, StatisticsOfColumns::new());
        }
        let mut columns = StatisticsOfColumns::new();
        for field in schema.fields() {
            let value = |values: &Value| match (values.get(field.name())?, field.data_type()) {
                (Value::String(text), data_type) => ScalarValue::try_from_string(text.clone(), data_type).ok(),
                (Value::Number(number), DataType::Int64) => Some(ScalarValue::Int64(number.as_i64())),
                _ => None,
            };
            let (min, max) = (value(&maps[0]), value(&maps[1]).map(round_up));
            let nulls = maps[2].get(field.name()).and_then(Value::as_u64);
            if min.is_some() || max.is_some() || nulls.is_some() {
                columns.insert(field.name().as_str().into(), ColumnStatistics { min, max, nulls });
            }
        }
        (rows.as_u64(), columns)
    }

    fn value() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            Just(json!(true)),
            Just(json!({"within": 1})),
            Just(json!([1])),
            any::<i64>().prop_map(|number| json!(number)),
            any::<u64>().prop_map(|number| json!(number)),
            Just(json!(1.5)),
            "[a\"\\\\é ]{0,6}".prop_map(|text| json!(text)),
            "(0001|1500|1969|2026|9999)-0[1-9]-[0-3][0-9]T[0-2][0-9]:00:0[0-9](\\.[0-9]{1,9})?(Z|\\+02:00|)"
                .prop_map(|text| json!(text)),
        ]
    }

    fn values() -> impl Strategy<Value = Value> {
        let name = prop_oneof![
            Just("timestamp"),
            Just("event_ingested"),
            Just("event_action"),
            Just("source_position"),
            Just("user_id"),
            Just("no such column"),
            Just("quo\"ted"),
        ];
        let map = proptest::collection::hash_map(name, value(), 0..5);
        let map = map.prop_map(|map| map.into_iter().map(|(name, value)| (name.to_owned(), value)));
        map.prop_map(|map| Value::Object(map.collect::<Map<String, Value>>()))
    }

    proptest! {
        #[test]
        fn statistics_are_read_as_by_the_slow_twin(
            parts in proptest::collection::hash_map(
                prop_oneof![Just("minValues"), Just("maxValues"), Just("nullCount"), Just("numRecords"), Just("tightBounds")],
                prop_oneof![8 => values(), 1 => value()],
                0..6,
            ),
            rows in proptest::option::of(any::<u64>()),
        ) {
            let mut parts = parts;
            if let Some(rows) = rows {
                parts.insert("numRecords", json!(rows));
            }
            let schema = TableName::Events.file_schema();
            let reader = StatisticsReader::new(&schema);
            let text = json!(parts).to_string();
            prop_assert_eq!(reader.read(&text), slow(&text, &schema));
            prop_assert_eq!(reader.read(&text[..text.len() - 1]), (None, StatisticsOfColumns::new()));
        }
    }

    #[test]
    fn what_files_of_the_lake_say() {
        let schema = TableName::Events.file_schema();
        let text = r#"{"numRecords":3,"minValues":{"timestamp":"2026-03-01T00:00:00.000001Z","event_action":"a"},
            "maxValues":{"timestamp":"2026-03-01T10:00:00.5Z","event_action":"b"},"nullCount":{"event_action":1}}"#;
        let (rows, columns) = StatisticsReader::new(&schema).read(text);
        assert_eq!((rows, columns.len()), (Some(3), 2));
        let time = |micros: i64| Some(ScalarValue::TimestampMicrosecond(Some(micros), Some("UTC".into())));
        assert_eq!(columns["timestamp"].min, time(1_772_323_200_000_001));
        assert_eq!(
            columns["timestamp"].max,
            time(1_772_359_200_500_999),
            "a millisecond's end"
        );
        assert_eq!(columns["event_action"].nulls, Some(1));
    }
}
