//! The slow twin: the same rows through Arrow's builders, against what Arrow reads of the file.

use super::*;
use crate::lake::writer::{ParquetFile, ROW_GROUP_ROWS, encode};
use datafusion::arrow::array::{
    ArrayRef, BooleanBuilder, Float64Builder, Int64Builder, ListBuilder, RecordBatch, StringBuilder, StructBuilder,
    TimestampMicrosecondBuilder,
};
use datafusion::arrow::compute::concat_batches;
use datafusion::parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use datafusion::parquet::file::metadata::PageIndexPolicy;
use proptest::prelude::*;
use std::collections::BTreeSet;

#[derive(Debug, Clone)]
enum Value {
    Text(String),
    Long(i64),
    Double(f64),
    Flag(bool),
    Texts(Vec<String>),
    Pairs(Vec<(String, Option<String>)>),
}

type Row = Vec<(usize, Value)>;

/// Columns that different threads may write: of so many parts, each has every so-manyeth.
fn parts(positions: &[usize], parts: usize) -> Vec<Vec<usize>> {
    let part = |first| positions.iter().copied().skip(first).step_by(parts).collect();
    (0..parts).map(part).collect()
}

fn write(parts: &[Vec<usize>], rows: &[Row]) -> ParquetFile {
    let groups = row_groups(rows.iter().map(|_| 1)).into_iter();
    let groups = groups.map(|group| {
        parts
            .iter()
            .map(|part| write_columns(part, &rows[group.clone()]))
            .collect()
    });
    events_file(Vec::new(), groups.collect()).unwrap()
}

fn write_columns(positions: &[usize], rows: &[Row]) -> Columns {
    let mut columns = ColumnsWriter::new(positions, rows.len() / 2).unwrap();
    for row in rows {
        for (position, value) in row {
            match value {
                Value::Text(text) => columns.text(*position, text.as_bytes()),
                Value::Long(number) => columns.long(*position, *number),
                Value::Double(number) => columns.double(*position, *number),
                Value::Flag(flag) => columns.boolean(*position, *flag),
                Value::Texts(texts) => columns.texts(*position, texts.iter().map(String::as_bytes)),
                Value::Pairs(pairs) => {
                    let pairs = pairs.iter();
                    let pairs = pairs.map(|(name, value)| (name.as_bytes(), value.as_deref().map(str::as_bytes)));
                    columns.pairs(*position, pairs)
                }
            }
            .unwrap();
        }
        columns.end_row();
    }
    columns.finish().unwrap()
}

fn read(file: &ParquetFile) -> RecordBatch {
    let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Required);
    let reader = ParquetRecordBatchReaderBuilder::try_new_with_options(file.bytes.clone(), options).unwrap();
    let schema = Arc::clone(reader.schema());
    let batches: Vec<RecordBatch> = reader.build().unwrap().map(Result::unwrap).collect();
    concat_batches(&schema, &batches).unwrap()
}

/// The column of these rows as Arrow builds it.
fn built(position: usize, rows: &[Row]) -> ArrayRef {
    let all = events_schema();
    let values = rows
        .iter()
        .map(|row| row.iter().find(|(at, _)| *at == position).map(|(_, value)| value));
    match all.field(position).data_type() {
        DataType::Int64 => {
            let mut builder = Int64Builder::new();
            values.for_each(|value| builder.append_option(value.map(long)));
            Arc::new(builder.finish())
        }
        DataType::Timestamp(_, _) => {
            let mut builder = TimestampMicrosecondBuilder::new().with_timezone("UTC");
            values.for_each(|value| builder.append_option(value.map(long)));
            Arc::new(builder.finish())
        }
        DataType::Float64 => {
            let mut builder = Float64Builder::new();
            values.for_each(|value| {
                builder.append_option(value.map(|value| match value {
                    Value::Double(number) => *number,
                    other => panic!("{other:?}"),
                }));
            });
            Arc::new(builder.finish())
        }
        DataType::Boolean => {
            let mut builder = BooleanBuilder::new();
            values.for_each(|value| builder.append_option(value.map(|value| matches!(value, Value::Flag(true)))));
            Arc::new(builder.finish())
        }
        DataType::List(item) if matches!(item.data_type(), DataType::Struct(_)) => {
            let DataType::Struct(fields) = item.data_type() else {
                panic!()
            };
            let mut builder = ListBuilder::new(StructBuilder::from_fields(fields.clone(), 0));
            for value in values {
                if let Some(Value::Pairs(pairs)) = value {
                    for (name, value) in pairs {
                        let entry = builder.values();
                        entry.field_builder::<StringBuilder>(0).unwrap().append_value(name);
                        entry
                            .field_builder::<StringBuilder>(1)
                            .unwrap()
                            .append_option(value.as_deref());
                        entry.append(true);
                    }
                }
                builder.append(value.is_some());
            }
            Arc::new(builder.finish())
        }
        DataType::List(_) => {
            let mut builder = ListBuilder::new(StringBuilder::new());
            for value in values {
                if let Some(Value::Texts(texts)) = value {
                    texts.iter().for_each(|text| builder.values().append_value(text));
                }
                builder.append(value.is_some());
            }
            Arc::new(builder.finish())
        }
        _ => {
            let mut builder = StringBuilder::new();
            for value in values {
                builder.append_option(value.map(|value| match value {
                    Value::Text(text) => text,
                    other => panic!("{other:?}"),
                }));
            }
            Arc::new(builder.finish())
        }
    }
}

fn long(value: &Value) -> i64 {
    match value {
        Value::Long(number) => *number,
        other => panic!("{other:?}"),
    }
}

/// One position of each type of column, `raw`, and two that the log has bounds of.
fn positions() -> Vec<usize> {
    let all = events_schema();
    let first = |wanted: fn(&DataType) -> bool| all.fields().iter().position(|field| wanted(field.data_type()));
    let pairs = |data_type: &DataType| match data_type {
        DataType::List(item) => matches!(item.data_type(), DataType::Struct(_)),
        _ => false,
    };
    let mut positions = vec![
        all.index_of("timestamp").unwrap(),
        all.index_of("raw").unwrap(),
        all.index_of("source_ip").unwrap(),
        all.index_of("event_id").unwrap(),
        all.index_of("event_category").unwrap(),
        first(|data_type| *data_type == DataType::Int64).unwrap(),
        first(|data_type| *data_type == DataType::Boolean).unwrap(),
        first(pairs).unwrap(),
    ];
    positions.extend(first(|data_type| *data_type == DataType::Float64));
    positions.sort_unstable();
    positions.dedup();
    positions
}

fn value(position: usize) -> BoxedStrategy<Value> {
    let text = prop_oneof!["[ab]{0,2}", "[a-z0-9]{12}", Just("é".repeat(70))];
    match events_schema().field(position).data_type() {
        DataType::Int64 | DataType::Timestamp(_, _) => (-5i64..1_000_000).prop_map(Value::Long).boxed(),
        DataType::Float64 => (-2.0..2.0).prop_map(Value::Double).boxed(),
        DataType::Boolean => any::<bool>().prop_map(Value::Flag).boxed(),
        DataType::List(item) if matches!(item.data_type(), DataType::Struct(_)) => {
            let pair = ("[a-c]", proptest::option::of("[x-z]{0,3}"));
            proptest::collection::vec(pair, 0..4).prop_map(Value::Pairs).boxed()
        }
        DataType::List(_) => proptest::collection::vec("[a-c]{1,3}", 0..4)
            .prop_map(Value::Texts)
            .boxed(),
        _ => text.prop_map(Value::Text).boxed(),
    }
}

fn row() -> impl Strategy<Value = Row> {
    let cells: Vec<_> = positions()
        .into_iter()
        .map(|position| proptest::option::of(value(position).prop_map(move |value| (position, value))))
        .collect();
    cells.prop_map(|cells| cells.into_iter().flatten().collect())
}

/// What is read equals what Arrow builds, and what the log says equals what it says of Arrow's.
fn check(rows: &[Row], threads: usize) {
    let positions = positions();
    let file = write(&parts(&positions, threads), rows);
    let one = write(&parts(&positions, 1), rows);
    assert_eq!(file.sha256, one.sha256, "the same file, however many threads wrote it");
    let batch = read(&file);
    let all = events_schema();
    let (mut fields, mut columns) = (Vec::new(), Vec::new());
    for position in positions {
        let expected = built(position, rows);
        let name = all.field(position).name();
        match batch.column_by_name(name) {
            Some(column) => assert_eq!(column, &expected, "{name}"),
            None => assert_eq!(expected.null_count(), rows.len(), "{name}"),
        }
        fields.push(Arc::clone(&all.fields()[position]));
        columns.push(expected);
    }
    let schema = Arc::new(Schema::new(fields));
    let expected = RecordBatch::try_new(Arc::clone(&schema), columns).unwrap();
    let twin = encode(TableName::Events, &schema, Vec::new(), [Ok(expected)]).unwrap();
    assert_eq!(file.statistics, twin.statistics);
}

proptest! {
    #[test]
    fn rows_are_read_as_they_were_written(rows in proptest::collection::vec(row(), 1..200), threads in 1usize..5) {
        check(&rows, threads);
    }
}

/// More rows than a page and than a row group, in columns with and without a dictionary, sparse
/// and dense.
#[test]
fn many_rows_in_many_pages() {
    let all = events_schema();
    let at = |name: &str| all.index_of(name).unwrap();
    let rows = (0..ROW_GROUP_ROWS + 30_000).map(|row| {
        let mut cells = vec![
            (at("timestamp"), Value::Long(row as i64)),
            (at("event_id"), Value::Text(format!("{:x}", row * 7_919))),
            (at("raw"), Value::Text("x".repeat(row % 97))),
        ];
        if row % 3 > 0 {
            cells.push((at("source_ip"), Value::Text(format!("192.0.2.{}", row / 1000))));
            let category = (0..row % 3).map(|n| format!("c{n}"));
            cells.push((at("event_category"), Value::Texts(category.collect())));
        }
        if row == 100_000 {
            cells.push((at("user_id"), Value::Text("once".into())));
        }
        cells
    });
    let rows: Vec<Row> = rows.collect();
    let mut positions: Vec<usize> = ["timestamp", "event_id", "raw", "source_ip", "event_category", "user_id"]
        .map(at)
        .into();
    positions.sort_unstable();
    let file = write(&parts(&positions, 2), &rows);
    let batch = read(&file);
    for position in positions {
        let name = all.field(position).name();
        assert_eq!(batch.column_by_name(name).unwrap(), &built(position, &rows), "{name}");
    }
    let reader = ParquetRecordBatchReaderBuilder::try_new(file.bytes.clone()).unwrap();
    assert_eq!(reader.metadata().num_row_groups(), 2);
}

/// The index of pages tells them apart: a query skips what cannot have what it looks for.
#[test]
fn pages_are_bounded() {
    let at = |name: &str| events_schema().index_of(name).unwrap();
    let rows: Vec<Row> = (0..50_000)
        .map(|row| {
            vec![
                (at("timestamp"), Value::Long(row)),
                (at("event_action"), Value::Text(format!("action {}", row / 10_000))),
                (at("event_id"), Value::Text(format!("id {row:05}"))),
            ]
        })
        .collect();
    let mut positions = [at("timestamp"), at("event_action"), at("event_id")];
    positions.sort_unstable();
    let file = write(&[positions.into()], &rows);
    let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Required);
    let reader = ParquetRecordBatchReaderBuilder::try_new_with_options(file.bytes.clone(), options).unwrap();
    let metadata = reader.metadata();
    let index = &metadata.column_index().unwrap()[0];
    for (column, of) in metadata.row_group(0).columns().iter().zip(index) {
        let path = column.column_path().string();
        let pages = of.num_pages();
        assert_eq!(pages, 3, "{path}");
        assert!(column.statistics().unwrap().min_bytes_opt().is_some(), "{path}");
    }
}

/// A reader makes a context for each chunk that zstd compressed, whatever is in it.
#[test]
fn chunks_are_compressed_as_their_size_is_worth() {
    let at = |name: &str| events_schema().index_of(name).unwrap();
    let spread = |row: usize| row.wrapping_mul(7919) % 1009;
    let rows: Vec<Row> = (0..1009)
        .map(|row| {
            vec![
                // The same for all, two thousand bytes of places in a dictionary, and all different.
                (at("event_outcome"), Value::Text("success".into())),
                (
                    at("event_category"),
                    Value::Texts(vec![["web", "email", "file"][spread(row) % 3].to_owned()]),
                ),
                (
                    at("o365_audit_user_key"),
                    Value::Text(format!("{}", 100_000 + spread(row) % 100)),
                ),
                (at("event_id"), Value::Text(format!("id {row:05}"))),
                (at("raw"), Value::Text(format!("record {row:05}"))),
            ]
        })
        .collect();
    let mut positions: Vec<usize> = rows[0].iter().map(|(position, _)| *position).collect();
    positions.sort_unstable();
    let file = write(&[positions], &rows);
    let reader = ParquetRecordBatchReaderBuilder::try_new(file.bytes.clone()).unwrap();
    let group = reader.metadata().row_group(0);
    let found = group.columns().iter().map(|column| {
        let name = column.column_path().parts()[0].clone();
        (name, column.compression(), column.uncompressed_size())
    });
    let mut seen = BTreeSet::new();
    for (name, compression, bytes) in found {
        let expected = match bytes {
            ..256 => "UNCOMPRESSED",
            256..4096 => "LZ4_RAW",
            _ => "ZSTD",
        };
        assert!(
            compression.to_string().starts_with(expected),
            "{name}: {compression} for {bytes} bytes"
        );
        seen.insert(expected);
    }
    assert_eq!(seen.len(), 3);
}

#[test]
fn no_rows_are_a_file() {
    let file = write(&[positions()], &[]);
    assert_eq!(read(&file).num_rows(), 0);
}

#[test]
fn row_groups_end_by_rows_and_by_bytes() {
    assert!(row_groups(std::iter::empty()).is_empty());
    let many = row_groups(std::iter::repeat_n(1, 2 * ROW_GROUP_ROWS + 1));
    assert_eq!(many.len(), 3);
    assert_eq!(many[2], 2 * ROW_GROUP_ROWS..2 * ROW_GROUP_ROWS + 1);
    assert_eq!(
        row_groups([1, usize::MAX, 2, 1 << 29, 1 << 29, 3].into_iter()),
        [0..2, 2..5, 5..6]
    );
}

#[test]
fn parts_that_do_not_fit_are_no_file() {
    let positions = positions();
    let row: Vec<Row> = vec![vec![(positions[0], Value::Long(1))]];
    let (first, rest) = positions.split_at(1);
    let file = |groups| events_file(Vec::new(), groups).map(drop).unwrap_err().to_string();
    let shorter = vec![vec![write_columns(first, &row), write_columns(rest, &[])]];
    assert!(file(shorter).contains("different rows"));
    let narrower = vec![vec![write_columns(&positions, &row)], vec![write_columns(first, &row)]];
    assert!(file(narrower).contains("different columns"));
}
