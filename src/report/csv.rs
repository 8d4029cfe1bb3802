//! CSV: a header, then one row each; lists and objects as JSON text, null as nothing.

use super::value::to_text;
use super::{Writer, column_names, output};
use crate::error::{Error, Result};
use datafusion::arrow::datatypes::Schema;
use datafusion::arrow::record_batch::RecordBatch;
use std::io::{self, Write};

pub(super) struct CsvWriter<'a> {
    writer: csv::Writer<&'a mut (dyn Write + Send)>,
}

impl<'a> CsvWriter<'a> {
    pub(super) fn try_new(schema: &Schema, out: &'a mut (dyn Write + Send)) -> Result<Self> {
        let mut writer = csv::Writer::from_writer(out);
        writer.write_record(column_names(schema)).map_err(failed)?;
        Ok(Self { writer })
    }
}

impl Writer for CsvWriter<'_> {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        for row in 0..batch.num_rows() {
            let cells = batch
                .columns()
                .iter()
                .map(|column| to_text(column, row).unwrap_or_default());
            self.writer.write_record(cells).map_err(failed)?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        self.writer.flush().map_err(output)
    }
}

fn failed(error: csv::Error) -> Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => output(error),
        other => output(io::Error::other(format!("{other:?}"))),
    }
}
