//! Result rows as values, and what alerts need of them.

use crate::detections::Detection;
use crate::error::{Error, Result};
use crate::report::value::to_json;
use crate::schema::column_name;
use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, TimeUnit, TimestampMicrosecondType};
use serde_json::{Map, Value};

/// Prefix of columns that the engine adds to a detection's SELECT and that no alert shows.
pub(super) const HIDDEN: &str = "__";

/// A row without the hidden columns.
pub(super) fn fields(batch: &RecordBatch, row: usize) -> Map<String, Value> {
    let schema = batch.schema();
    let columns = schema.fields().iter().zip(batch.columns());
    columns
        .filter(|(field, _)| !field.name().starts_with(HIDDEN))
        .map(|(field, array)| (field.name().clone(), to_json(array, row)))
        .collect()
}

/// The key columns of a row, under the names of the header.
pub(super) fn key(detection: &Detection, fields: &Map<String, Value>) -> Result<Map<String, Value>> {
    let mut key = Map::new();
    for name in detection.key() {
        let value = find(fields, name).ok_or_else(|| {
            Error::Detection(format!(
                "{}: key {name:?} is not a column of its SELECT; the columns are {}",
                detection.id(),
                fields.keys().cloned().collect::<Vec<_>>().join(", ")
            ))
        })?;
        key.insert(name.clone(), value.clone());
    }
    Ok(key)
}

/// A column by its name, in ECS spelling or as a column name.
pub(super) fn find<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    fields.get(name).or_else(|| {
        let column = column_name(name);
        fields
            .iter()
            .find(|(field, _)| column_name(field) == column)
            .map(|(_, value)| value)
    })
}

/// A column of times, in microseconds.
pub(crate) fn times(batch: &RecordBatch, name: &str) -> Result<Vec<Option<i64>>> {
    let column = batch
        .column_by_name(name)
        .ok_or_else(|| Error::Internal(format!("no column {name}")))?;
    let times = cast(column, &DataType::Timestamp(TimeUnit::Microsecond, None))?;
    Ok(times.as_primitive::<TimestampMicrosecondType>().iter().collect())
}

/// A column of texts.
pub(crate) fn texts(batch: &RecordBatch, name: &str) -> Result<Vec<Option<String>>> {
    let column = batch
        .column_by_name(name)
        .ok_or_else(|| Error::Internal(format!("no column {name}")))?;
    let texts = cast(column, &DataType::Utf8)?;
    Ok(texts
        .as_string::<i32>()
        .iter()
        .map(|text| text.map(str::to_owned))
        .collect())
}

/// Texts of a list value.
pub(super) fn strings(value: Option<&Value>) -> Vec<String> {
    let text = |value: &Value| match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    match value {
        Some(Value::Array(values)) => values.iter().filter_map(text).collect(),
        Some(value) => text(value).into_iter().collect(),
        None => Vec::new(),
    }
}
