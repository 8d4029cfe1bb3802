//! One value of a result as JSON and as text.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use datafusion::arrow::array::{Array, AsArray, GenericListArray, OffsetSizeTrait};
use datafusion::arrow::datatypes::{
    DataType, Date32Type, Date64Type, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimeUnit, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use serde_json::{Map, Value};
use std::fmt::Write;

/// The value of `array` at `row` as JSON: timestamps in RFC 3339 with Z, bytes as hex
/// digits, lists as arrays, structs as objects. Out of range is null.
pub fn to_json(array: &dyn Array, row: usize) -> Value {
    if row >= array.len() || array.is_null(row) {
        return Value::Null;
    }
    match array.data_type() {
        DataType::Null => Value::Null,
        DataType::Boolean => Value::Bool(array.as_boolean().value(row)),
        DataType::Int8 => array.as_primitive::<Int8Type>().value(row).into(),
        DataType::Int16 => array.as_primitive::<Int16Type>().value(row).into(),
        DataType::Int32 => array.as_primitive::<Int32Type>().value(row).into(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).into(),
        DataType::UInt8 => array.as_primitive::<UInt8Type>().value(row).into(),
        DataType::UInt16 => array.as_primitive::<UInt16Type>().value(row).into(),
        DataType::UInt32 => array.as_primitive::<UInt32Type>().value(row).into(),
        DataType::UInt64 => array.as_primitive::<UInt64Type>().value(row).into(),
        // JSON has no NaN and no infinity: null.
        DataType::Float16 => f64::from(array.as_primitive::<Float16Type>().value(row)).into(),
        DataType::Float32 => array.as_primitive::<Float32Type>().value(row).into(),
        DataType::Float64 => array.as_primitive::<Float64Type>().value(row).into(),
        DataType::Utf8 => array.as_string::<i32>().value(row).into(),
        DataType::LargeUtf8 => array.as_string::<i64>().value(row).into(),
        DataType::Utf8View => array.as_string_view().value(row).into(),
        DataType::Binary => hex(array.as_binary::<i32>().value(row)).into(),
        DataType::LargeBinary => hex(array.as_binary::<i64>().value(row)).into(),
        DataType::BinaryView => hex(array.as_binary_view().value(row)).into(),
        DataType::FixedSizeBinary(_) => hex(array.as_fixed_size_binary().value(row)).into(),
        DataType::Timestamp(unit, _) => time(array, row, *unit).map_or(Value::Null, Value::String),
        DataType::Date32 => {
            let days = i64::from(array.as_primitive::<Date32Type>().value(row));
            date(TimeDelta::try_days(days))
        }
        DataType::Date64 => date(TimeDelta::try_milliseconds(
            array.as_primitive::<Date64Type>().value(row),
        )),
        DataType::List(_) => list(array.as_list::<i32>(), row),
        DataType::LargeList(_) => list(array.as_list::<i64>(), row),
        DataType::FixedSizeList(_, _) => elements(array.as_fixed_size_list().value(row).as_ref()),
        DataType::ListView(_) => elements(array.as_list_view::<i32>().value(row).as_ref()),
        DataType::LargeListView(_) => elements(array.as_list_view::<i64>().value(row).as_ref()),
        DataType::Struct(_) => {
            let fields = array.as_struct();
            let members = fields.column_names().into_iter().zip(fields.columns());
            Value::Object(
                members
                    .map(|(name, column)| (name.to_owned(), to_json(column, row)))
                    .collect(),
            )
        }
        DataType::Map(_, _) => {
            let entries = array.as_map().value(row);
            let member = |entry| {
                let name = to_text(entries.column(0), entry).unwrap_or_default();
                (name, to_json(entries.column(1), entry))
            };
            Value::Object((0..entries.len()).map(member).collect::<Map<_, _>>())
        }
        DataType::Dictionary(_, _) => {
            let dictionary = array.as_any_dictionary();
            match dictionary.normalized_keys().get(row) {
                Some(key) => to_json(dictionary.values(), *key),
                None => Value::Null,
            }
        }
        // Decimals are numbers where a number can hold them; durations, times and
        // intervals are texts.
        data_type => {
            let text = formatted(array, row);
            match text.parse::<f64>() {
                Ok(number) if data_type.is_decimal() => number.into(),
                _ => Value::String(text),
            }
        }
    }
}

/// The value as text: texts as they are, lists and structs as JSON; `None` for null.
pub fn to_text(array: &dyn Array, row: usize) -> Option<String> {
    match to_json(array, row) {
        Value::Null => None,
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    }
}

/// An instant in RFC 3339, UTC; a fraction only where there is one.
pub fn rfc3339(micros: i64) -> String {
    DateTime::from_timestamp_micros(micros)
        .map(instant)
        .unwrap_or_else(|| micros.to_string())
}

fn instant(time: DateTime<Utc>) -> String {
    let nanos = time.timestamp_subsec_nanos();
    let format = match nanos {
        0 => "%Y-%m-%dT%H:%M:%SZ",
        _ if nanos.is_multiple_of(1000) => "%Y-%m-%dT%H:%M:%S%.6fZ",
        _ => "%Y-%m-%dT%H:%M:%S%.9fZ",
    };
    time.format(format).to_string()
}

fn time(array: &dyn Array, row: usize, unit: TimeUnit) -> Option<String> {
    let time = match unit {
        TimeUnit::Second => DateTime::from_timestamp(array.as_primitive::<TimestampSecondType>().value(row), 0),
        TimeUnit::Millisecond => {
            DateTime::from_timestamp_millis(array.as_primitive::<TimestampMillisecondType>().value(row))
        }
        TimeUnit::Microsecond => {
            DateTime::from_timestamp_micros(array.as_primitive::<TimestampMicrosecondType>().value(row))
        }
        TimeUnit::Nanosecond => Some(DateTime::from_timestamp_nanos(
            array.as_primitive::<TimestampNanosecondType>().value(row),
        )),
    };
    time.map(instant)
}

fn date(since_epoch: Option<TimeDelta>) -> Value {
    let date = since_epoch.and_then(|days| NaiveDate::default().checked_add_signed(days));
    date.map_or(Value::Null, |date| Value::String(date.to_string()))
}

fn list<O: OffsetSizeTrait>(array: &GenericListArray<O>, row: usize) -> Value {
    let offsets = array.value_offsets();
    let (Some(start), Some(end)) = (offsets.get(row), offsets.get(row + 1)) else {
        return Value::Null;
    };
    Value::Array(
        (start.as_usize()..end.as_usize())
            .map(|element| to_json(array.values(), element))
            .collect(),
    )
}

fn elements(array: &dyn Array) -> Value {
    Value::Array((0..array.len()).map(|element| to_json(array, element)).collect())
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(2 * bytes.len()), |mut digits, byte| {
            // Writing to a String cannot fail.
            let _ = write!(digits, "{byte:02x}");
            digits
        })
}

fn formatted(array: &dyn Array, row: usize) -> String {
    let options = FormatOptions::default();
    match ArrayFormatter::try_new(array, &options) {
        Ok(formatter) => formatter.value(row).to_string(),
        Err(error) => error.to_string(),
    }
}
