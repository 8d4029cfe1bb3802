//! A small lake whose files have many row groups, and plans over it.

use crate::config::Resources;
use crate::engine::shared_scan::{Shared, share};
use crate::engine::{Engine, Scope, Session};
use crate::lake::{Committed, Lake, ParquetFile, TableName, encode, new_path};
use datafusion::arrow::array::{
    ArrayRef, Int64Array, ListBuilder, RecordBatch, StringArray, StringBuilder, TimestampMicrosecondArray,
};
use datafusion::arrow::datatypes::{Field, Schema};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::common::Result as DfResult;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::file::properties::WriterProperties;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use futures::TryStreamExt as _;
use std::sync::Arc;

/// 2026-03-01T00:00:00Z
const START: i64 = 1_772_323_200_000_000;
const DAY: i64 = 86_400_000_000;

pub(super) const ACTIONS: [&str; 6] = [
    "FileAccessed",
    "MailItemsAccessed",
    "New-InboxRule",
    "Send",
    "Update",
    "UserLoggedIn",
];

/// Action, time, and a number that the other columns follow from.
type Row = (&'static str, i64, usize);

/// Rows of one day, sorted as the lake sorts them.
fn rows(dataset: usize, day: i64, count: usize) -> RecordBatch {
    let mut rows: Vec<Row> = (0..count)
        .map(|n| {
            let mixed = n.wrapping_mul(2_654_435_761).wrapping_add(dataset * 7919) >> 4;
            let at = START + day * DAY + (mixed as i64 % DAY.min(86_400_000_000));
            (ACTIONS[mixed % ACTIONS.len()], at, mixed)
        })
        .collect();
    rows.sort();
    let text =
        |value: fn(&Row) -> Option<String>| -> ArrayRef { Arc::new(rows.iter().map(value).collect::<StringArray>()) };
    let mut categories = ListBuilder::new(StringBuilder::new());
    for (_, _, mixed) in &rows {
        if mixed % 5 == 0 {
            categories.append(false);
        } else {
            (0..mixed % 3).for_each(|n| {
                categories
                    .values()
                    .append_value(["email", "web", "iam"][(mixed + n) % 3])
            });
            categories.append(true);
        }
    }
    let times = TimestampMicrosecondArray::from_iter_values(rows.iter().map(|row| row.1)).with_timezone("UTC");
    let mut columns: Vec<(&str, ArrayRef)> = vec![
        ("timestamp", Arc::new(times)),
        ("event_action", text(|row| Some(row.0.to_owned()))),
        ("event_id", text(|row| Some(format!("{}-{}", row.1, row.2)))),
        (
            "user_id",
            text(|row| (row.2 % 11 != 0).then(|| format!("user{}", row.2 % 23))),
        ),
        ("event_category", Arc::new(categories.finish())),
        (
            "raw",
            text(|row| {
                Some(format!(
                    r#"{{"Number":{},"Padding":"{}"}}"#,
                    row.2,
                    "x".repeat(row.2 % 400)
                ))
            }),
        ),
    ];
    // Files carry only the columns of their dataset.
    if dataset == 0 {
        let ports = rows.iter().map(|row| (row.2 % 4 != 0).then_some((row.2 % 1000) as i64));
        columns.push(("source_port", Arc::new(ports.collect::<Int64Array>())));
    }
    let schema = TableName::Events.file_schema();
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, _)| schema.field_with_name(name).unwrap().clone())
        .collect();
    let columns = columns.into_iter().map(|(_, column)| column).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
}

/// As the lake's own writer, but with small row groups.
fn file(rows: &RecordBatch, dataset: usize, day: i64, row_group: usize) -> ParquetFile {
    let day = chrono::DateTime::from_timestamp_micros(START + day * DAY).unwrap();
    let partition = vec![
        (
            "event_dataset".to_owned(),
            Some(["o365.audit", "azure.signinlogs"][dataset].to_owned()),
        ),
        ("day".to_owned(), Some(day.format("%Y-%m-%d").to_string())),
    ];
    let mut file = encode(TableName::Events, &rows.schema(), partition.clone(), [Ok(rows.clone())]).unwrap();
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(row_group))
        .set_data_page_row_count_limit(row_group / 4);
    let mut writer = ArrowWriter::try_new(Vec::new(), rows.schema(), Some(properties.build())).unwrap();
    writer.write(rows).unwrap();
    file.bytes = writer.into_inner().unwrap().into();
    file.size = file.bytes.len() as u64;
    file.path = new_path(&partition);
    // Of the bytes that it had.
    file.filters = None;
    file
}

pub(super) struct TestLake {
    folder: tempfile::TempDir,
    memory_limit: u64,
}

impl TestLake {
    pub(super) async fn new(days: i64, rows_a_day: usize, row_group: usize) -> Self {
        let made = Self {
            folder: tempfile::tempdir().unwrap(),
            memory_limit: 256 << 20,
        };
        let mut table = made.lake().table_or_create(TableName::Events).await.unwrap();
        let mut files = Vec::new();
        for dataset in 0..2 {
            for day in 0..days {
                files.push(file(&rows(dataset, day, rows_a_day), dataset, day, row_group));
            }
        }
        for file in &files {
            table.upload(file).await.unwrap();
        }
        assert!(matches!(table.append(&files).await.unwrap(), Committed::At(_)));
        made
    }

    /// Made on a thread of its own: the one that asks may be running a test.
    pub(super) fn made(days: i64, rows_a_day: usize, row_group: usize) -> Self {
        std::thread::spawn(move || runtime(2).block_on(Self::new(days, rows_a_day, row_group)))
            .join()
            .unwrap()
    }

    pub(super) fn with_memory_limit(mut self, bytes: u64) -> Self {
        self.memory_limit = bytes;
        self
    }

    pub(super) fn path(&self) -> &std::path::Path {
        self.folder.path()
    }

    fn lake(&self) -> Lake {
        Lake::at(&self.folder.path().display().to_string()).unwrap()
    }

    pub(super) async fn session(&self, threads: usize) -> Session {
        let resources = Resources {
            memory_limit: self.memory_limit,
            threads,
        };
        let engine = Engine::open(&self.lake(), resources).await.unwrap();
        engine.session(Scope::default()).unwrap()
    }
}

pub(super) async fn plan(session: &Session, sql: &str) -> Arc<dyn ExecutionPlan> {
    let planned = session.plan(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    session
        .physical(&planned.plan)
        .await
        .unwrap_or_else(|error| panic!("{sql}: {error}"))
}

pub(super) async fn plans(session: &Session, statements: &[impl AsRef<str>]) -> Vec<Arc<dyn ExecutionPlan>> {
    let mut plans = Vec::new();
    for sql in statements {
        plans.push(plan(session, sql.as_ref()).await);
    }
    plans
}

/// Every row as text, in order.
pub(super) async fn collect(stream: SendableRecordBatchStream) -> DfResult<Vec<String>> {
    let batches: Vec<RecordBatch> = stream.try_collect().await?;
    let mut rows = Vec::new();
    let options = FormatOptions::default().with_null("NULL");
    for batch in &batches {
        let columns: Vec<ArrayFormatter<'_>> = batch
            .columns()
            .iter()
            .map(|column| ArrayFormatter::try_new(column, &options).unwrap())
            .collect();
        rows.extend((0..batch.num_rows()).map(|row| {
            let values: Vec<String> = columns.iter().map(|column| column.value(row).to_string()).collect();
            values.join("|")
        }));
    }
    rows.sort();
    Ok(rows)
}

pub(super) async fn alone(session: &Session, sql: &str) -> DfResult<Vec<String>> {
    let plan = plan(session, sql).await;
    collect(execute_stream(plan, session.context().task_ctx())?).await
}

pub(super) async fn shared(session: &Session, statements: &[impl AsRef<str>]) -> Shared {
    share(plans(session, statements).await).await.unwrap()
}

/// Runs all at the same time.
pub(super) async fn run_all(session: &Session, shared: &Shared) -> Vec<DfResult<Vec<String>>> {
    let runs = shared.plans.iter().map(|plan| {
        let stream = plan.run(session.context().task_ctx()).unwrap();
        let run = tokio::spawn(collect(stream));
        async move { run.await.unwrap() }
    });
    // A hang is a failure, not a wait for ever.
    let all = futures::future::join_all(runs);
    tokio::time::timeout(std::time::Duration::from_secs(120), all)
        .await
        .expect("the plans hang")
}

pub(super) fn runtime(threads: usize) -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()
        .unwrap()
}
