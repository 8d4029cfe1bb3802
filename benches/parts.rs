//! Hot paths and functions, each alone on one core.
//!
//! `cargo bench --bench parts` measures all, `cargo bench --bench parts -- json` those whose name
//! holds this. Records are those of a tenant that `retrohunt generate` makes.

#![allow(clippy::expect_used)]

mod made;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use datafusion::arrow::array::{ArrayRef, RecordBatch, StringArray, TimestampMicrosecondArray};
use datafusion::prelude::SessionContext;
use retrohunt::functions;
use retrohunt::generate::{Format, Tenant};
use retrohunt::lake::{ColumnsWriter, events_file, events_schema};
use retrohunt::schema::{CATALOGUE, Cell, EventRow, FieldId};
use retrohunt::sources::{self, Document, Recognised};
use std::collections::HashMap;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

/// Rows of a query.
const ROWS: usize = 200_000;

/// The records of a tenant's files of one format.
fn records(prefix: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("parts-tenant");
    let tenant = Tenant {
        events: 20_000,
        days: 5,
        duplicates: 0.0,
        formats: vec![Format::Audit, Format::Signins],
        ..Tenant::default()
    };
    made::tenant(&folder, tenant);
    let files = fs::read_dir(folder.join("logs")).expect("logs");
    let files = files.map(|entry| entry.expect("entry").path());
    let of_format = |path: &std::path::PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        name.is_some_and(|name| name.starts_with(prefix))
    };
    let mut lines = Vec::new();
    for path in files.filter(of_format) {
        let text = fs::read_to_string(path).expect("UTF-8");
        lines.extend(text.lines().take(4000).map(str::to_owned));
    }
    lines.truncate(4000);
    assert!(lines.len() > 100, "too few records of {prefix}");
    lines
}

fn bytes_of(records: &[String]) -> Throughput {
    Throughput::Bytes(records.iter().map(|record| record.len() as u64).sum())
}

fn row<'a>(document: &'a Document<'a>) -> EventRow<'a> {
    let record = document.root();
    let mut row = EventRow::new();
    if let Recognised::Event(source) = sources::recognise(record).expect("generated records are known") {
        source.map(record, &mut row).expect("and can be mapped");
    }
    row
}

fn ingest(criterion: &mut Criterion) {
    for prefix in ["audit-", "signins-"] {
        let texts = records(prefix);
        let documents: Vec<Document<'_>> = texts
            .iter()
            .map(|text| sources::parse(text).expect("generated records are JSON"))
            .collect();
        let mut group = criterion.benchmark_group(format!("ingest/{}", prefix.trim_end_matches('-')));
        group.throughput(bytes_of(&texts)).sample_size(20);
        group.bench_function("json", |bencher| {
            bencher.iter(|| {
                for text in &texts {
                    black_box(sources::parse(text)).expect("JSON");
                }
            });
        });
        group.bench_function("map", |bencher| {
            bencher.iter(|| documents.iter().for_each(|document| drop(black_box(row(document)))));
        });
        let rows: Vec<EventRow<'_>> = documents.iter().map(row).collect();
        let fields = CATALOGUE.fields().iter();
        let places = fields.filter_map(|field| Some((field.id, position(field.id)?)));
        let places: HashMap<FieldId, usize> = places.collect();
        let positions = positions(&rows);
        group.bench_function("parquet", |bencher| {
            bencher.iter_batched(
                || ColumnsWriter::new(&positions, rows.len()).expect("columns"),
                |columns| write(columns, &rows, &places),
                BatchSize::PerIteration,
            );
        });
        group.finish();
    }
}

fn position(field: FieldId) -> Option<usize> {
    // Asking for the index of what is not there writes all names into an error.
    events_schema().fields().find(&field.field().column).map(|(at, _)| at)
}

fn positions(rows: &[EventRow<'_>]) -> Vec<usize> {
    let cells = rows.iter().flat_map(EventRow::cells);
    let mut positions: Vec<usize> = cells.filter_map(|(field, _)| position(*field)).collect();
    positions.sort_unstable();
    positions.dedup();
    positions
}

fn write(mut columns: ColumnsWriter, rows: &[EventRow<'_>], places: &HashMap<FieldId, usize>) -> usize {
    for row in rows {
        for (field, cell) in row.cells() {
            let Some(&at) = places.get(field) else { continue };
            match cell {
                Cell::Text(text) => columns.text(at, text.as_bytes()),
                Cell::Texts(texts) => columns.texts(at, texts.iter().map(|text| text.as_bytes())),
                Cell::Long(number) | Cell::Timestamp(number) => columns.long(at, *number),
                Cell::Double(number) => columns.double(at, *number),
                Cell::Boolean(flag) => columns.boolean(at, *flag),
                Cell::Pairs(pairs) => columns.pairs(
                    at,
                    pairs
                        .iter()
                        .map(|(name, value)| (name.as_bytes(), value.as_ref().map(|value| value.as_bytes()))),
                ),
            }
            .expect("Parquet");
        }
        columns.end_row();
    }
    let group = columns.finish().expect("Parquet");
    events_file(Vec::new(), vec![vec![group]]).expect("Parquet").bytes.len()
}

/// Addresses, users and times that repeat as those of sign-ins do.
fn table() -> RecordBatch {
    let number = |row: usize| row.wrapping_mul(2_654_435_761) % 50_000;
    let addresses = (0..ROWS).map(|row| format!("10.{}.{}.{}", number(row) % 7, number(row) / 256, number(row) % 256));
    let addresses: ArrayRef = Arc::new(StringArray::from_iter_values(addresses));
    let agents = (0..ROWS).map(|row| format!("Client=OWA;Mozilla/5.0 (build {}; python-requests)", number(row) % 400));
    let agents: ArrayRef = Arc::new(StringArray::from_iter_values(agents));
    let times = (0..ROWS).map(|row| 1_770_000_000_000_000 + row as i64 * 20_000_000);
    let times = TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC");
    RecordBatch::try_from_iter([
        ("ip", addresses),
        ("agent", agents),
        ("time", Arc::new(times) as ArrayRef),
    ])
    .expect("columns")
}

fn queries(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    let config = datafusion::prelude::SessionConfig::new().with_target_partitions(1);
    let mut context = SessionContext::new_with_config(config);
    functions::register_all(&mut context).expect("functions");
    context.register_batch("t", table()).expect("a table");
    let mut group = criterion.benchmark_group("functions");
    group.throughput(Throughput::Elements(ROWS as u64)).sample_size(20);
    for (name, sql) in [
        (
            "cidr_match",
            "SELECT count(*) FROM t WHERE cidr_match(ip, '10.2.0.0/16', '10.3.4.0/24')",
        ),
        ("to_ip", "SELECT count(to_ip(ip)) FROM t"),
        ("has", "SELECT count(*) FROM t WHERE has(agent, 'python')"),
        (
            "has_any",
            "SELECT count(*) FROM t WHERE has_any(agent, 'curl', 'requests')",
        ),
        (
            "new_terms",
            "SELECT count(*) FROM (SELECT ip, unnest(new_terms(time, agent, INTERVAL '7 days')) FROM t GROUP BY ip)",
        ),
    ] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let rows = runtime.block_on(async { context.sql(sql).await?.collect().await });
                black_box(rows).expect("the query runs")
            });
        });
    }
    group.finish();
}

criterion_group!(parts, ingest, queries);
criterion_main!(parts);
