//! `retrohunt sql`

use super::args::{LakeArgs, OutputArgs};
use super::{Outcome, output};
use crate::config::Resources;
use crate::engine::{Engine, Scope, Session};
use crate::error::{Error, Result};
use crate::report::human::{count, counted};
use crate::report::{self, Format};
use crate::schema::{MOVED, column_name};
use clap::Args;
use datafusion::arrow::array::{Array, RecordBatch};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::{TreeNode as _, TreeNodeRecursion};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::logical_expr::LogicalPlan;
use futures::StreamExt as _;
use std::collections::BTreeSet;
use std::io::{IsTerminal as _, Read as _};
use std::path::PathBuf;
use std::time::Instant;

/// Rows of a table for people; the other formats write all.
const TABLE_ROWS: usize = 1000;

/// More columns than this and those without a value are left out of a table.
const WIDE: usize = 30;

/// Ask the lake a question in SQL; without one, at a prompt
///
/// Fields are written as in ECS, without quotes: SELECT event.action, count(*) FROM events
/// GROUP BY event.action. A field without a column is read from the record's text. The
/// tables are events, quarantine, ledger, alerts, runs and dead_letters, and the views of Microsoft's tables
/// (CloudAppEvents, ...): SHOW TABLES lists them. Nothing can be changed.
#[derive(Debug, Args)]
pub(crate) struct SqlArgs {
    /// The query; `-` reads it from standard input
    query: Option<String>,

    /// Read the query from a file
    #[arg(long, short, value_name = "PATH", conflicts_with = "query")]
    file: Option<PathBuf>,

    #[command(flatten)]
    lake: LakeArgs,

    #[command(flatten)]
    output: OutputArgs,
}

pub(crate) async fn run(args: SqlArgs, resources: Resources) -> Result<Outcome> {
    let query = match (&args.query, &args.file) {
        (_, Some(path)) => Some(std::fs::read_to_string(path).map_err(|source| Error::File {
            path: path.clone(),
            source,
        })?),
        (Some(query), _) if query == "-" => Some(from_stdin()?),
        (Some(query), _) => Some(query.clone()),
        (None, None) if !std::io::stdin().is_terminal() => Some(from_stdin()?),
        (None, None) => None,
    };
    let engine = Engine::open(&args.lake.lake()?, resources).await?;
    let session = engine.session(Scope::default())?;
    match query {
        Some(query) => answer(&session, &query, &args.output).await?,
        None => prompt(&session, &args.output).await?,
    }
    engine.abandon();
    Ok(Outcome::Done)
}

fn from_stdin() -> Result<String> {
    let mut query = String::new();
    let read = std::io::stdin().lock().read_to_string(&mut query);
    read.map_err(|source| Error::File {
        path: PathBuf::from("standard input"),
        source,
    })?;
    Ok(query)
}

/// Runs one query and prints its result.
async fn answer(session: &Session, query: &str, options: &OutputArgs) -> Result<()> {
    let planned = session.plan(query).await?;
    options.check()?;
    for note in output::resolution_notes(&planned.resolution) {
        output::note(format_args!("note: {note}"));
    }
    if planned.resolution.tables == ["events"] {
        for (name, place) in moved_fields(&planned.plan)? {
            output::note(format_args!(
                "note: {name} holds only values that were not moved; most are in {place}"
            ));
        }
    }
    let started = Instant::now();
    let stream = tokio::select! {
        stream = session.run(&planned.plan) => stream?,
        _ = tokio::signal::ctrl_c() => return Err(Error::Interrupted),
    };
    let schema = stream.schema();
    let print = async {
        match options.format {
            Format::Table => table(stream, options).await,
            format => {
                let mut out = options.open()?;
                report::write(format, schema, stream, &mut *out, None).await?;
                out.flush().map_err(Error::Output)
            }
        }
    };
    tokio::select! {
        printed = print => printed?,
        _ = tokio::signal::ctrl_c() => return Err(Error::Interrupted),
    }
    if options.format == Format::Table && std::io::stderr().is_terminal() {
        output::note(format_args!("{:.2} s", started.elapsed().as_secs_f64()));
    }
    Ok(())
}

/// Fields of a plan whose values are mostly under another name.
fn moved_fields(plan: &LogicalPlan) -> Result<Vec<(&'static str, &'static str)>> {
    let mut used = BTreeSet::new();
    plan.apply(|node| {
        for expr in node.expressions() {
            used.extend(expr.column_refs().into_iter().map(|column| column.name.clone()));
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    let moved = MOVED.iter().copied();
    Ok(moved.filter(|(name, _)| used.contains(&column_name(name))).collect())
}

async fn table(mut stream: SendableRecordBatchStream, options: &OutputArgs) -> Result<()> {
    let mut batches: Vec<RecordBatch> = Vec::new();
    let (mut shown, mut rows) = (0, 0);
    while let Some(batch) = stream.next().await {
        let batch = batch?;
        rows += batch.num_rows();
        if shown < TABLE_ROWS {
            let part = batch.slice(0, batch.num_rows().min(TABLE_ROWS - shown));
            shown += part.num_rows();
            batches.push(part);
        }
    }
    let (schema, batches, hidden) = without_empty_columns(stream.schema(), batches)?;
    let mut out = options.open()?;
    report::write_batches(Format::Table, &schema, &batches, &mut *out, output::terminal_width())?;
    out.flush().map_err(Error::Output)?;
    if rows > shown {
        output::note(format_args!(
            "{} of {} rows shown; --format jsonl, csv or parquet writes all",
            count(shown as u64),
            count(rows as u64)
        ));
    } else {
        output::note(counted(rows as u64, "row", "rows"));
    }
    if hidden > 0 {
        output::note(format_args!(
            "{} without a value in these rows not shown",
            counted(hidden as u64, "column", "columns")
        ));
    }
    Ok(())
}

/// A table of `SELECT *` would be mostly empty: leaves out columns without any value.
fn without_empty_columns(schema: SchemaRef, batches: Vec<RecordBatch>) -> Result<(SchemaRef, Vec<RecordBatch>, usize)> {
    let columns = schema.fields().len();
    if columns <= WIDE || batches.is_empty() {
        return Ok((schema, batches, 0));
    }
    let filled = |column: usize| {
        batches
            .iter()
            .any(|batch| batch.column(column).null_count() < batch.num_rows())
    };
    let kept: Vec<usize> = (0..columns).filter(|&column| filled(column)).collect();
    let schema = std::sync::Arc::new(schema.project(&kept)?);
    let batches = batches
        .iter()
        .map(|batch| batch.project(&kept))
        .collect::<Result<Vec<_>, _>>()?;
    let hidden = columns - kept.len();
    Ok((schema, batches, hidden))
}

/// Reads queries from the terminal until it ends; a query ends with a semicolon.
async fn prompt(session: &Session, options: &OutputArgs) -> Result<()> {
    let failed = |error: rustyline::error::ReadlineError| Error::Output(std::io::Error::other(error));
    let mut editor = rustyline::DefaultEditor::new().map_err(failed)?;
    output::note("Ask in SQL and end with a semicolon. SHOW TABLES; lists the tables. Ctrl-D ends.");
    let mut query = String::new();
    loop {
        let line = match editor.readline(if query.is_empty() { "retrohunt> " } else { "      ...> " }) {
            Ok(line) => line,
            Err(rustyline::error::ReadlineError::Interrupted) => {
                query.clear();
                continue;
            }
            Err(rustyline::error::ReadlineError::Eof) => return Ok(()),
            Err(error) => return Err(failed(error)),
        };
        query.push_str(&line);
        query.push('\n');
        let Some(complete) = query.trim_end().strip_suffix(';').map(str::to_owned) else {
            continue;
        };
        query.clear();
        if complete.trim().is_empty() {
            continue;
        }
        // A history that cannot be kept is no reason to stop.
        let _ = editor.add_history_entry(format!("{complete};"));
        if let Err(error) = answer(session, &complete, options).await {
            output::note(format_args!("error: {}", output::chain(&error)));
        }
    }
}
