//! The same rows in every format.

use super::*;
use datafusion::arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, DurationSecondArray,
    Float64Array, Int64Array, ListBuilder, StringArray, StringBuilder, StructArray, TimestampMicrosecondArray,
    TimestampNanosecondArray,
};
use datafusion::arrow::datatypes::{DataType, Field, Int32Type};
use std::sync::Arc;

fn batch() -> RecordBatch {
    let mut lists = ListBuilder::new(StringBuilder::new());
    lists.append_value([Some("web"), None]);
    lists.append_null();
    let structs = StructArray::from(vec![(
        Arc::new(Field::new("name", DataType::Utf8, true)),
        Arc::new(StringArray::from(vec![Some("a"), None])) as ArrayRef,
    )]);
    let dictionary: DictionaryArray<Int32Type> = vec![Some("d"), None].into_iter().collect();
    RecordBatch::try_from_iter_with_nullable([
        (
            "@timestamp",
            Arc::new(
                TimestampMicrosecondArray::from(vec![Some(1_709_287_200_000_000), Some(1_709_287_200_123_450)])
                    .with_timezone("UTC"),
            ) as ArrayRef,
            true,
        ),
        (
            "events",
            Arc::new(Int64Array::from(vec![Some(9_007_199_254_740_993), None])),
            true,
        ),
        (
            "user",
            Arc::new(StringArray::from(vec!["a \"b\",\nc\u{1b}[2J", "ü"])),
            true,
        ),
        ("category", Arc::new(lists.finish()), true),
        ("pair", Arc::new(structs), true),
        (
            "hash",
            Arc::new(BinaryArray::from(vec![Some([0x0f_u8, 0xa0].as_slice()), None])),
            true,
        ),
        ("share", Arc::new(Float64Array::from(vec![0.5, f64::NAN])), true),
        ("ok", Arc::new(BooleanArray::from(vec![Some(true), None])), true),
        ("dataset", Arc::new(dictionary), true),
    ])
    .unwrap()
}

fn written(format: Format, batches: &[RecordBatch], schema: &SchemaRef, width: Option<u16>) -> String {
    let mut out: Vec<u8> = Vec::new();
    let rows = write_batches(format, schema, batches, &mut out, width).unwrap();
    assert_eq!(rows, batches.iter().map(|batch| batch.num_rows() as u64).sum::<u64>());
    String::from_utf8(out).unwrap()
}

fn text(format: Format, width: Option<u16>) -> String {
    written(format, &[batch()], &batch().schema(), width)
}

#[test]
fn json() {
    insta::assert_snapshot!(text(Format::Json, None), @r##"
    [
    {"@timestamp":"2024-03-01T10:00:00Z","events":9007199254740993,"user":"a \"b\",\nc\u001b[2J","category":["web",null],"pair":{"name":"a"},"hash":"0fa0","share":0.5,"ok":true,"dataset":"d"},
    {"@timestamp":"2024-03-01T10:00:00.123450Z","events":null,"user":"ü","category":null,"pair":{"name":null},"hash":null,"share":null,"ok":null,"dataset":null}
    ]
    "##);
    let parsed: serde_json::Value = serde_json::from_str(&text(Format::Json, None)).unwrap();
    assert_eq!(parsed.as_array().unwrap().len(), 2);
}

#[test]
fn jsonl() {
    let lines = written(Format::Jsonl, &[batch(), batch()], &batch().schema(), None);
    assert_eq!(lines.lines().count(), 4);
    assert!(
        lines
            .lines()
            .all(|line| serde_json::from_str::<serde_json::Value>(line).unwrap().is_object())
    );
}

#[test]
fn csv() {
    insta::assert_snapshot!(text(Format::Csv, None).replace('\u{1b}', "<ESC>"), @r##"
    @timestamp,events,user,category,pair,hash,share,ok,dataset
    2024-03-01T10:00:00Z,9007199254740993,"a ""b"",
    c<ESC>[2J","[""web"",null]","{""name"":""a""}",0fa0,0.5,true,d
    2024-03-01T10:00:00.123450Z,,ü,,"{""name"":null}",,,,
    "##);
}

#[test]
fn table() {
    insta::assert_snapshot!(text(Format::Table, None), @r##"
    ┌─────────────────────────────┬──────────────────┬──────────────┬──────────────┬───────────────┬──────┬───────┬──────┬─────────┐
    │ @timestamp                  ┆           events ┆ user         ┆ category     ┆ pair          ┆ hash ┆ share ┆ ok   ┆ dataset │
    ╞═════════════════════════════╪══════════════════╪══════════════╪══════════════╪═══════════════╪══════╪═══════╪══════╪═════════╡
    │ 2024-03-01T10:00:00Z        ┆ 9007199254740993 ┆ a "b",�c�[2J ┆ ["web",null] ┆ {"name":"a"}  ┆ 0fa0 ┆   0.5 ┆ true ┆ d       │
    │ 2024-03-01T10:00:00.123450Z ┆                  ┆ ü            ┆              ┆ {"name":null} ┆      ┆       ┆      ┆         │
    └─────────────────────────────┴──────────────────┴──────────────┴──────────────┴───────────────┴──────┴───────┴──────┴─────────┘
    "##);
    insta::assert_snapshot!(text(Format::Table, Some(110)), @r##"
    ┌───────────────┬───────────────┬──────────────┬──────────────┬──────────────┬──────┬───────┬──────┬─────────┐
    │ @timestamp    ┆        events ┆ user         ┆ category     ┆ pair         ┆ hash ┆ share ┆ ok   ┆ dataset │
    ╞═══════════════╪═══════════════╪══════════════╪══════════════╪══════════════╪══════╪═══════╪══════╪═════════╡
    │ 2024-03-01T1… ┆ 900719925474… ┆ a "b",�c�[2J ┆ ["web",null] ┆ {"name":"a"} ┆ 0fa0 ┆   0.5 ┆ true ┆ d       │
    │ 2024-03-01T1… ┆               ┆ ü            ┆              ┆ {"name":nul… ┆      ┆       ┆      ┆         │
    └───────────────┴───────────────┴──────────────┴──────────────┴──────────────┴──────┴───────┴──────┴─────────┘
    "##);
    insta::assert_snapshot!(text(Format::Table, Some(40)), @r##"
    ── 1 ──
    @timestamp  2024-03-01T10:00:00Z
    events      9007199254740993
    user        a "b",�c�[2J
    category    ["web",null]
    pair        {"name":"a"}
    hash        0fa0
    share       0.5
    ok          true
    dataset     d
    ── 2 ──
    @timestamp  2024-03-01T10:00:00.123450Z
    user        ü
    pair        {"name":null}
    "##);
}

#[test]
fn nothing() {
    let schema = batch().schema();
    assert_eq!(written(Format::Json, &[], &schema, None), "[]\n");
    assert_eq!(written(Format::Jsonl, &[], &schema, None), "");
    assert_eq!(written(Format::Csv, &[], &schema, None).lines().count(), 1);
    assert!(written(Format::Table, &[], &schema, Some(120)).contains("events"));
}

#[tokio::test]
async fn parquet() {
    use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    use std::io::{Read, Seek};
    let mut file = tempfile::tempfile().unwrap();
    let schema = batch().schema();
    let stream = futures::stream::iter([Ok(batch()), Ok(batch())]);
    assert_eq!(
        write(Format::Parquet, schema, stream, &mut file, None).await.unwrap(),
        4
    );
    file.rewind().unwrap();
    let mut magic = [0; 4];
    file.read_exact(&mut magic).unwrap();
    assert_eq!(&magic, b"PAR1");
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    let batches: Vec<RecordBatch> = reader.map(|batch| batch.unwrap()).collect();
    assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 4);
    assert_eq!(value::to_text(batches[0].column(2), 1).as_deref(), Some("ü"));
}

#[test]
fn equal_names_are_numbered() {
    let schema = Schema::new(
        ["id", "id", "id_2", "id"]
            .map(|name| Field::new(name, DataType::Utf8, true))
            .to_vec(),
    );
    assert_eq!(column_names(&schema), ["id", "id_2", "id_2_2", "id_3"]);
}

#[test]
fn rare_types() {
    let one = |array: ArrayRef| value::to_json(&array, 0).to_string();
    assert_eq!(one(Arc::new(Date32Array::from(vec![19_783]))), "\"2024-03-01\"");
    assert_eq!(
        one(Arc::new(TimestampNanosecondArray::from(vec![1]))),
        "\"1970-01-01T00:00:00.000000001Z\""
    );
    assert_eq!(one(Arc::new(TimestampMicrosecondArray::from(vec![i64::MAX]))), "null");
    assert_eq!(
        one(Arc::new(
            Decimal128Array::from(vec![1234])
                .with_precision_and_scale(10, 2)
                .unwrap()
        )),
        "12.34"
    );
    assert_eq!(one(Arc::new(DurationSecondArray::from(vec![90]))), "\"PT90S\"");
    assert_eq!(value::to_json(&Int64Array::from(vec![1]), 7), serde_json::Value::Null);
    assert_eq!(value::rfc3339(1_709_287_200_000_000), "2024-03-01T10:00:00Z");
}

#[test]
fn formats_have_names() {
    for format in [Format::Table, Format::Json, Format::Jsonl, Format::Csv, Format::Parquet] {
        assert_eq!(format.to_string().parse(), Ok(format));
    }
    assert!("xml".parse::<Format>().unwrap_err().contains("jsonl"));
}
