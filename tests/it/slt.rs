//! Runs `tests/slt/*.slt`: SQL and what it must give, as text. One fresh session per file.
//!
//! In a result, NULL is `NULL`, an empty text is `(empty)`, a timestamp is RFC 3339, and a list
//! or struct is written as DataFusion writes it. `SLT_COMPLETE=1` writes the results that the
//! queries give now into the files; read the difference before you keep it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::error::DataFusionError;
use datafusion::prelude::SessionContext;
use futures::TryStreamExt as _;
use retrohunt::engine::Session;
use sqllogictest::{AsyncDB, DBOutput, DefaultColumnType, Runner, default_column_validator, default_validator};

/// What answers the queries of a file.
#[async_trait]
pub(crate) trait Answers: Send + Sync {
    /// The columns and rows of a query, or the message of its error.
    async fn answer(&self, sql: &str) -> Result<(SchemaRef, Vec<RecordBatch>), String>;
}

/// DataFusion alone, with all that it says about an error.
#[async_trait]
impl Answers for SessionContext {
    async fn answer(&self, sql: &str) -> Result<(SchemaRef, Vec<RecordBatch>), String> {
        let answer = async {
            let frame = self.sql(sql).await?;
            let schema = Arc::clone(frame.schema().inner());
            Ok::<_, DataFusionError>((schema, frame.collect().await?))
        };
        answer.await.map_err(|error| error.strip_backtrace())
    }
}

/// The program's session: names are resolved, views are there, only reading is allowed.
#[async_trait]
impl Answers for Session {
    async fn answer(&self, sql: &str) -> Result<(SchemaRef, Vec<RecordBatch>), String> {
        let stream = self.query(sql).await.map_err(|error| error.to_string())?;
        let schema = stream.schema();
        let batches = stream.try_collect().await;
        batches
            .map(|batches| (schema, batches))
            .map_err(|error| retrohunt::Error::from(error).to_string())
    }
}

/// Runs every file that matches the glob, relative to the crate, each with a session of its own from
/// `make_session`, which gets the file's name. All failures are reported together.
pub(crate) async fn run_files<F, S, A>(pattern: &str, make_session: F) -> Result<(), String>
where
    F: Fn(String) -> S,
    S: Future<Output = Result<A, DataFusionError>>,
    A: Answers + 'static,
{
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let pattern = root.join(pattern);
    let files: Result<Vec<PathBuf>, _> = glob::glob(&pattern.to_string_lossy())
        .map_err(|error| error.to_string())?
        .collect();
    let files = files.map_err(|error| error.to_string())?;
    if files.is_empty() {
        return Err(format!("no file matches {}", pattern.display()));
    }
    let complete = std::env::var_os("SLT_COMPLETE").is_some();
    let mut failures = Vec::new();
    for file in files {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let session = make_session(name.clone())
            .await
            .map_err(|error| format!("{name}: {error}"))?;
        let session: Arc<dyn Answers> = Arc::new(session);
        let database = Database { session };
        let mut runner = Runner::new(|| {
            let database = database.clone();
            async move { Ok(database) }
        });
        let result = if complete {
            let outcome = runner
                .update_test_file(
                    &file,
                    " ",
                    default_validator,
                    sqllogictest::default_normalizer,
                    default_column_validator,
                )
                .await;
            outcome.map_err(|error| error.to_string())
        } else {
            runner
                .run_file_async(&file)
                .await
                .map_err(|error| error.display(false).to_string())
        };
        failures.extend(result.err().map(|error| format!("{name}: {error}")));
    }
    if failures.is_empty() {
        Ok(())
    } else {
        Err(failures.join("\n\n"))
    }
}

/// A session as the runner sees it.
#[derive(Clone)]
struct Database {
    session: Arc<dyn Answers>,
}

/// The message of an error, on one line, as the files can match it.
#[derive(Debug)]
struct QueryError(String);

impl fmt::Display for QueryError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for QueryError {}

#[async_trait]
impl AsyncDB for Database {
    type Error = QueryError;
    type ColumnType = DefaultColumnType;

    async fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, QueryError> {
        let answer = self.session.answer(sql).await;
        let (schema, batches) = answer.map_err(|message| QueryError(message.replace('\n', " ")))?;
        let types: Vec<DefaultColumnType> = schema.fields().iter().map(|f| column_type(f.data_type())).collect();
        if types.is_empty() {
            let rows = batches.iter().map(|batch| batch.num_rows() as u64).sum();
            return Ok(DBOutput::StatementComplete(rows));
        }
        let mut rows = Vec::new();
        for batch in &batches {
            for row in 0..batch.num_rows() {
                rows.push(
                    batch
                        .columns()
                        .iter()
                        .map(|column| cell(column, row))
                        .collect::<Result<Vec<_>, _>>()?,
                );
            }
        }
        Ok(DBOutput::Rows { types, rows })
    }

    async fn shutdown(&mut self) {}

    fn engine_name(&self) -> &str {
        "retrohunt"
    }

    async fn sleep(duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

fn column_type(data_type: &DataType) -> DefaultColumnType {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => DefaultColumnType::Text,
        data_type if data_type.is_integer() => DefaultColumnType::Integer,
        data_type if data_type.is_numeric() => DefaultColumnType::FloatingPoint,
        _ => DefaultColumnType::Any,
    }
}

fn cell(column: &ArrayRef, row: usize) -> Result<String, QueryError> {
    if column.is_null(row) {
        return Ok("NULL".to_string());
    }
    let options = FormatOptions::new()
        .with_null("NULL")
        .with_timestamp_format(None)
        .with_timestamp_tz_format(None);
    let formatter = ArrayFormatter::try_new(column, &options).map_err(|error| QueryError(error.to_string()))?;
    let text = formatter.value(row).to_string();
    Ok(if text.is_empty() { "(empty)".to_string() } else { text })
}

#[cfg(test)]
mod functions {
    use super::*;

    #[tokio::test]
    async fn functions_in_sql() {
        let outcome = run_files("tests/slt/functions_*.slt", async |_| {
            let mut session = SessionContext::new();
            retrohunt::functions::register_all(&mut session)?;
            Ok(session)
        });
        if let Err(failures) = outcome.await {
            panic!("{failures}");
        }
    }
}
