//! A data file as the table's log describes it, and pruning by that description.

use datafusion::arrow::array::{ArrayRef, BooleanArray, UInt64Array};
use datafusion::arrow::datatypes::{DataType, Schema, SchemaRef};
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::{Column, ScalarValue};
use serde::Deserialize;
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
    pub statistics: HashMap<String, ColumnStatistics>,
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

/// What the log says of one column of one file.
#[derive(Debug, Clone)]
pub struct ColumnStatistics {
    /// No value is smaller. Long strings are cut, times are rounded down.
    pub min: Option<ScalarValue>,
    /// No value is larger.
    pub max: Option<ScalarValue>,
    /// How many are null.
    pub nulls: Option<u64>,
}

/// The statistics of an `Add` action, as Delta spells them.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AddStatistics {
    num_records: Option<u64>,
    #[serde(default)]
    min_values: serde_json::Map<String, serde_json::Value>,
    #[serde(default)]
    max_values: serde_json::Map<String, serde_json::Value>,
    #[serde(default)]
    null_count: serde_json::Map<String, serde_json::Value>,
}

/// Reads the statistics text of an `Add` action; what cannot be read is left out,
/// which makes pruning weaker and never wrong.
pub(super) fn parse_statistics(text: &str, schema: &Schema) -> (Option<u64>, HashMap<String, ColumnStatistics>) {
    let Ok(parsed) = serde_json::from_str::<AddStatistics>(text) else {
        return (None, HashMap::new());
    };
    let mut columns = HashMap::new();
    let named: HashSet<&String> = parsed
        .null_count
        .keys()
        .chain(parsed.min_values.keys())
        .chain(parsed.max_values.keys())
        .collect();
    for field in named.into_iter().filter_map(|name| schema.field_with_name(name).ok()) {
        let name = field.name();
        let value = |values: &serde_json::Map<String, serde_json::Value>| {
            values.get(name).and_then(|value| scalar(value, field.data_type()))
        };
        let nulls = parsed.null_count.get(name).and_then(serde_json::Value::as_u64);
        let (min, max) = (value(&parsed.min_values), value(&parsed.max_values));
        if min.is_some() || max.is_some() || nulls.is_some() {
            let max = max.map(round_up);
            columns.insert(name.clone(), ColumnStatistics { min, max, nulls });
        }
    }
    (parsed.num_records, columns)
}

fn scalar(value: &serde_json::Value, data_type: &DataType) -> Option<ScalarValue> {
    match (value, data_type) {
        (serde_json::Value::String(text), DataType::Utf8) => Some(ScalarValue::Utf8(Some(text.clone()))),
        (serde_json::Value::String(text), _) => ScalarValue::try_from_string(text.clone(), data_type).ok(),
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
