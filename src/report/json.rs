//! JSON: an array of objects, or an object a line.

use super::value::to_json;
use super::{Writer, column_names, output};
use crate::error::Result;
use datafusion::arrow::datatypes::Schema;
use datafusion::arrow::record_batch::RecordBatch;
use serde_json::{Map, Value};
use std::io::Write;

/// The rows of a batch as objects, in the order of the columns; nulls are there as null.
fn objects<'a>(names: &'a [String], batch: &'a RecordBatch) -> impl Iterator<Item = Value> + 'a {
    (0..batch.num_rows()).map(move |row| {
        let members = names
            .iter()
            .zip(batch.columns())
            .map(|(name, column)| (name.clone(), to_json(column, row)));
        Value::Object(members.collect::<Map<_, _>>())
    })
}

pub(super) struct ArrayWriter<'a> {
    names: Vec<String>,
    out: &'a mut (dyn Write + Send),
    started: bool,
}

impl<'a> ArrayWriter<'a> {
    pub(super) fn new(schema: &Schema, out: &'a mut (dyn Write + Send)) -> Self {
        Self {
            names: column_names(schema),
            out,
            started: false,
        }
    }
}

impl Writer for ArrayWriter<'_> {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        for object in objects(&self.names, batch) {
            let before = if self.started { ",\n" } else { "[\n" };
            write!(self.out, "{before}{object}").map_err(output)?;
            self.started = true;
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<()> {
        let end = if self.started { "\n]\n" } else { "[]\n" };
        self.out
            .write_all(end.as_bytes())
            .and_then(|()| self.out.flush())
            .map_err(output)
    }
}

pub(super) struct LinesWriter<'a> {
    names: Vec<String>,
    out: &'a mut (dyn Write + Send),
}

impl<'a> LinesWriter<'a> {
    pub(super) fn new(schema: &Schema, out: &'a mut (dyn Write + Send)) -> Self {
        Self {
            names: column_names(schema),
            out,
        }
    }
}

impl Writer for LinesWriter<'_> {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        for object in objects(&self.names, batch) {
            writeln!(self.out, "{object}").map_err(output)?;
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<()> {
        self.out.flush().map_err(output)
    }
}
