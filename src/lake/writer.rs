//! Rows to one Parquet file with the statistics that its `Add` action carries.

use super::columns::FALSE_POSITIVES;
use super::filter_places::{FilterPlaces, Place};
use super::layout::TableName;
use crate::error::{Error, Result};
use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::compute::{max, max_string, min, min_string};
use datafusion::arrow::datatypes::{DataType, Int64Type, SchemaRef, TimeUnit, TimestampMicrosecondType};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::{Compression, Encoding, ZstdLevel};
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::metadata::FooterTail;
use datafusion::parquet::file::properties::{EnabledStatistics, WriterProperties};
use datafusion::parquet::schema::types::ColumnPath;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use uuid::Uuid;

/// Rows of a row group: enough to compress well, few enough to skip by `event_action`.
pub(super) const ROW_GROUP_ROWS: usize = 128 * 1024;

/// Bytes of texts after which a page ends. A hunt that reads the records of few events decompresses half
/// as much as with a megabyte, for 1 % more bytes.
pub(super) const PAGE_BYTES: usize = 512 << 10;

/// What a file says of who wrote it.
pub(super) const CREATED_BY: &str = concat!("retrohunt ", env!("CARGO_PKG_VERSION"));

/// Longest string kept as a bound in the log.
const BOUND_BYTES: usize = 64;

/// An encoded file that is not part of its table yet.
#[derive(Debug, Clone)]
pub struct ParquetFile {
    /// Path below the table's folder.
    pub path: String,
    /// Partition columns and their values.
    pub partition: Vec<(String, Option<String>)>,
    /// The file, until it is uploaded.
    pub bytes: bytes::Bytes,
    /// Its size in bytes.
    pub size: u64,
    /// Lower-case hexadecimal SHA-256 of it, which the log keeps.
    pub sha256: String,
    /// Delta's statistics object.
    pub statistics: Value,
    /// Where its filters are, as the log tells it; none where it has none, or that cannot be told.
    pub filters: Option<String>,
    /// Milliseconds since the Unix epoch.
    pub written_ms: i64,
}

impl ParquetFile {
    /// A file of a table with these bytes.
    pub(super) fn new(
        table: TableName,
        partition: Vec<(String, Option<String>)>,
        bytes: Vec<u8>,
        statistics: Statistics,
    ) -> Self {
        Self {
            filters: told_filters(&bytes, table.needle_columns()),
            path: new_path(&partition),
            partition,
            size: bytes.len() as u64,
            sha256: hex(&Sha256::digest(&bytes)),
            bytes: bytes.into(),
            statistics: statistics.into_json(),
            written_ms: chrono::Utc::now().timestamp_millis(),
        }
    }

    /// Frees the encoded bytes of a file that has been uploaded.
    pub fn forget_bytes(&mut self) {
        self.bytes = bytes::Bytes::new();
    }
}

/// Where the filters of these columns are in a file, as a text for the log.
pub(super) fn told_filters(file: &[u8], columns: &[&str]) -> Option<String> {
    let places = FilterPlaces::of(footer_of(file)?, columns)?;
    let any = places.0.iter().flatten().any(|place| matches!(place, Place::Filter(_)));
    any.then(|| places.told(columns))
}

/// What the end of a file says of it, as Parquet encodes it.
pub(super) fn footer_of(file: &[u8]) -> Option<&[u8]> {
    let (rest, end) = file.split_last_chunk()?;
    let length = FooterTail::try_new(end).ok()?.metadata_length();
    rest.get(rest.len().checked_sub(length)?..)
}

/// A path for a new file in the folder of its partition. Nobody else will choose the same.
pub fn new_path(partition: &[(String, Option<String>)]) -> String {
    let mut path = String::new();
    for (column, value) in partition {
        let value = value.as_deref().unwrap_or("__HIVE_DEFAULT_PARTITION__");
        // Dataset names come from records: only characters that every store takes as they are.
        let safe: String = value
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || "._-".contains(c) {
                    c
                } else {
                    '_'
                }
            })
            .take(128)
            .collect();
        path.push_str(&format!("{column}={safe}/"));
    }
    path.push_str(&format!("part-{}.zstd.parquet", Uuid::new_v4()));
    path
}

/// Encodes batches of one partition, in their order. All share `schema`.
pub fn encode(
    table: TableName,
    schema: &SchemaRef,
    partition: Vec<(String, Option<String>)>,
    batches: impl IntoIterator<Item = Result<RecordBatch>>,
) -> Result<ParquetFile> {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1).map_err(internal)?))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_data_page_size_limit(PAGE_BYTES)
        .set_created_by(CREATED_BY.to_owned());
    // Each column that a query opens costs a decompressor, which zstd's is slow to make; what
    // nearly every condition names, and is small, has one that costs nothing.
    for name in table.statistics_columns() {
        properties = properties.set_column_compression(ColumnPath::from(*name), Compression::LZ4_RAW);
    }
    // The text of records is unique: a dictionary and bounds of it are lost work.
    for name in ["raw", "record"] {
        let text = ColumnPath::from(name);
        properties = properties
            .set_column_dictionary_enabled(text.clone(), false)
            .set_column_encoding(text.clone(), Encoding::DELTA_LENGTH_BYTE_ARRAY)
            .set_column_statistics_enabled(text, EnabledStatistics::None);
    }
    for name in table.needle_columns() {
        let is_list = schema
            .field_with_name(name)
            .is_ok_and(|field| field.data_type().is_nested());
        let path = match is_list {
            true => ColumnPath::new(vec![(*name).to_owned(), "list".to_owned(), "item".to_owned()]),
            false => ColumnPath::from(*name),
        };
        properties = properties
            .set_column_bloom_filter_fpp(path.clone(), FALSE_POSITIVES)
            .set_column_bloom_filter_max_ndv(path, ROW_GROUP_ROWS as u64);
    }
    let mut writer =
        ArrowWriter::try_new(Vec::new(), Arc::clone(schema), Some(properties.build())).map_err(internal)?;
    let mut statistics = Statistics::new(table, schema);
    for batch in batches {
        let batch = batch?;
        statistics.add(&batch);
        writer.write(&batch).map_err(internal)?;
    }
    let bytes = writer.into_inner().map_err(internal)?;
    Ok(ParquetFile::new(table, partition, bytes, statistics))
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn internal(error: ParquetError) -> Error {
    Error::Internal(format!("cannot encode Parquet: {error}"))
}

#[derive(Debug)]
pub(super) struct Statistics {
    rows: usize,
    columns: Vec<ColumnBounds>,
}

#[derive(Debug)]
struct ColumnBounds {
    name: &'static str,
    /// None where no row has a value: the file has no such column.
    position: Option<usize>,
    nulls: usize,
    bounds: Option<(Bound, Bound)>,
}

/// A least or greatest value.
#[derive(Debug, Clone, PartialEq, PartialOrd)]
pub(super) enum Bound {
    Number(i64),
    Text(String),
    Time(i64),
}

impl Statistics {
    pub(super) fn new(table: TableName, schema: &SchemaRef) -> Self {
        let columns = table.statistics_columns().iter().map(|name| ColumnBounds {
            name,
            position: schema.column_with_name(name).map(|(position, _)| position),
            nulls: 0,
            bounds: None,
        });
        Self {
            rows: 0,
            columns: columns.collect(),
        }
    }

    pub(super) fn add(&mut self, batch: &RecordBatch) {
        self.rows += batch.num_rows();
        for column in &mut self.columns {
            let Some(position) = column.position else {
                column.nulls += batch.num_rows();
                continue;
            };
            let array = batch.column(position);
            column.nulls += array.null_count();
            column.extend(bounds(array));
        }
    }

    /// Adds rows without values, as far as [`Self::note_values`] does not tell of them.
    pub(super) fn add_rows(&mut self, rows: usize) {
        self.rows += rows;
        self.columns.iter_mut().for_each(|column| column.nulls += rows);
    }

    /// So many of the rows added have a value in the column at this position of the schema.
    pub(super) fn note_values(&mut self, position: usize, values: usize, bounds: Option<(Bound, Bound)>) {
        if let Some(column) = self.columns.iter_mut().find(|column| column.position == Some(position)) {
            column.nulls -= values;
            column.extend(bounds);
        }
    }

    pub(super) fn into_json(self) -> Value {
        let (mut mins, mut maxs, mut nulls) = (Map::new(), Map::new(), Map::new());
        for column in self.columns {
            nulls.insert(column.name.into(), column.nulls.into());
            if let Some((low, high)) = column.bounds {
                mins.insert(column.name.into(), low.floor());
                if let Some(high) = high.ceiling() {
                    maxs.insert(column.name.into(), high);
                }
            }
        }
        json!({"numRecords": self.rows, "minValues": mins, "maxValues": maxs, "nullCount": nulls})
    }
}

impl ColumnBounds {
    fn extend(&mut self, bounds: Option<(Bound, Bound)>) {
        let Some((low, high)) = bounds else { return };
        self.bounds = Some(match self.bounds.take() {
            None => (low, high),
            Some((a, b)) => (if low < a { low } else { a }, if high > b { high } else { b }),
        });
    }
}

fn bounds(array: &ArrayRef) -> Option<(Bound, Bound)> {
    match array.data_type() {
        DataType::Utf8 => {
            let texts = array.as_string::<i32>();
            Some((
                Bound::Text(min_string(texts)?.to_owned()),
                Bound::Text(max_string(texts)?.to_owned()),
            ))
        }
        DataType::Int64 => {
            let numbers = array.as_primitive::<Int64Type>();
            Some((Bound::Number(min(numbers)?), Bound::Number(max(numbers)?)))
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            let times = array.as_primitive::<TimestampMicrosecondType>();
            Some((Bound::Time(min(times)?), Bound::Time(max(times)?)))
        }
        _ => None,
    }
}

impl Bound {
    fn floor(self) -> Value {
        match self {
            Self::Number(number) => number.into(),
            Self::Time(at) => time_text(at),
            Self::Text(mut text) => {
                text.truncate(cut(&text));
                text.into()
            }
        }
    }

    /// A value that no value exceeds; none where a cut string has no successor.
    fn ceiling(self) -> Option<Value> {
        match self {
            Self::Number(number) => Some(number.into()),
            Self::Time(at) => Some(time_text(at)),
            Self::Text(mut text) => {
                let keep = cut(&text);
                if keep == text.len() {
                    return Some(text.into());
                }
                text.truncate(keep);
                while let Some(last) = text.pop() {
                    if let Some(next) = char::from_u32(last as u32 + 1) {
                        text.push(next);
                        return Some(text.into());
                    }
                }
                None
            }
        }
    }
}

fn cut(text: &str) -> usize {
    text.floor_char_boundary(BOUND_BYTES)
}

fn time_text(micros: i64) -> Value {
    chrono::DateTime::from_timestamp_micros(micros).map_or(Value::Null, |time| {
        time.to_rfc3339_opts(chrono::SecondsFormat::Micros, true).into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cut_bounds_still_bound() {
        let long = "é".repeat(100);
        let floor = Bound::Text(long.clone()).floor();
        let ceiling = Bound::Text(long.clone()).ceiling().unwrap();
        assert!(floor.as_str().unwrap() <= long.as_str());
        assert!(ceiling.as_str().unwrap() > long.as_str());
        assert!(ceiling.as_str().unwrap().len() <= BOUND_BYTES + 4);
    }

    #[test]
    fn a_column_that_a_file_lacks_is_null_in_all_rows() {
        use datafusion::arrow::array::StringArray;
        let text: ArrayRef = Arc::new(StringArray::from(vec![Some("198.51.100.1"), None]));
        let batch = RecordBatch::try_from_iter([("source_ip", text)]).unwrap();
        let mut statistics = Statistics::new(TableName::Events, &batch.schema());
        statistics.add(&batch);
        let nulls = &statistics.into_json()["nullCount"];
        assert_eq!(nulls["source_ip"], 1);
        assert_eq!(nulls["kibana_alert_rule_name"], 2);
    }

    #[test]
    fn hostile_dataset_stays_in_its_folder() {
        let path = new_path(&[("event_dataset".into(), Some("../../etc/x=y".into()))]);
        assert!(path.starts_with("event_dataset=.._.._etc_x_y/part-"), "{path}");
    }
}
