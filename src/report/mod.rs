//! Results as people and programs read them: tables, JSON, CSV, Parquet.
//!
//! Values look the same in every text format, because all of them go through [`value`].

pub mod human;
pub mod plot;
pub mod value;

mod csv;
mod indent;
mod json;
mod parquet;
mod table;
#[cfg(test)]
mod tests;

pub use indent::indented;
pub use table::printable;

use crate::error::{Error, Result};
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::arrow::record_batch::RecordBatch;
use futures::{Stream, StreamExt};
use std::collections::HashSet;
use std::io::{self, Write};

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum Format {
    /// A table for the terminal.
    Table,
    /// One JSON array of objects.
    Json,
    /// One JSON object a line.
    Jsonl,
    /// Comma-separated values with a header.
    Csv,
    /// A Parquet file.
    Parquet,
}

impl Format {
    /// The name on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Json => "json",
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::Parquet => "parquet",
        }
    }
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        <Self as clap::ValueEnum>::from_str(text, true)
            .map_err(|_| format!("{text:?} is no format; use table, json, jsonl, csv or parquet"))
    }
}

/// Writes results as they come and returns the number of rows.
///
/// Only a table needs all rows before the first is written, because the widths of its
/// columns depend on them. `width` is the terminal's: without one, cells are not cut.
pub async fn write<S>(
    format: Format,
    schema: SchemaRef,
    mut batches: S,
    out: &mut (dyn Write + Send),
    width: Option<u16>,
) -> Result<u64>
where
    S: Stream<Item = datafusion::error::Result<RecordBatch>> + Unpin,
{
    let mut writer = writer(format, &schema, out, width)?;
    let mut rows = 0;
    while let Some(batch) = batches.next().await {
        let batch = batch?;
        writer.write(&batch)?;
        rows += batch.num_rows() as u64;
    }
    writer.finish()?;
    Ok(rows)
}

/// As [`write()`], for batches that are all there.
pub fn write_batches(
    format: Format,
    schema: &SchemaRef,
    batches: &[RecordBatch],
    out: &mut (dyn Write + Send),
    width: Option<u16>,
) -> Result<u64> {
    let mut writer = writer(format, schema, out, width)?;
    for batch in batches {
        writer.write(batch)?;
    }
    writer.finish()?;
    Ok(batches.iter().map(|batch| batch.num_rows() as u64).sum())
}

/// One format. `finish` is called once, after the last batch.
trait Writer {
    fn write(&mut self, batch: &RecordBatch) -> Result<()>;
    fn finish(self: Box<Self>) -> Result<()>;
}

fn writer<'a>(
    format: Format,
    schema: &SchemaRef,
    out: &'a mut (dyn Write + Send),
    width: Option<u16>,
) -> Result<Box<dyn Writer + 'a>> {
    Ok(match format {
        Format::Table => Box::new(table::TableWriter::new(schema, out, width)),
        Format::Json => Box::new(json::ArrayWriter::new(schema, out)),
        Format::Jsonl => Box::new(json::LinesWriter::new(schema, out)),
        Format::Csv => Box::new(csv::CsvWriter::try_new(schema, out)?),
        Format::Parquet => Box::new(parquet::ParquetWriter::try_new(schema, out)?),
    })
}

/// Column names, each once: `a.id` and `b.id` of a join are `id` and `id_2`, so that no
/// value of a JSON object hides another.
fn column_names(schema: &Schema) -> Vec<String> {
    let mut taken: HashSet<String> = HashSet::new();
    let fields = schema.fields().iter();
    fields
        .map(|field| {
            let mut name = field.name().clone();
            let mut number = 2;
            while !taken.insert(name.clone()) {
                name = format!("{}_{number}", field.name());
                number += 1;
            }
            name
        })
        .collect()
}

fn output(error: io::Error) -> Error {
    Error::Output(error)
}
