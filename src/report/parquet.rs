//! Parquet: the columns with their types, compressed with Zstandard.

use super::{Writer, column_names, output};
use crate::error::{Error, Result};
use datafusion::arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::{Compression, ZstdLevel};
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::properties::WriterProperties;
use std::io::{self, Write};
use std::sync::Arc;

/// Bytes of a row group, which is in memory until it is written.
const ROW_GROUP: usize = 64 << 20;

pub(super) struct ParquetWriter<'a> {
    schema: SchemaRef,
    writer: ArrowWriter<&'a mut (dyn Write + Send)>,
}

impl<'a> ParquetWriter<'a> {
    pub(super) fn try_new(schema: &Schema, out: &'a mut (dyn Write + Send)) -> Result<Self> {
        let names = column_names(schema);
        let fields = schema.fields().iter().zip(names);
        // Batches of a query may say less about nulls than its schema promises.
        let fields: Vec<Field> = fields
            .map(|(field, name)| Field::new(name, field.data_type().clone(), true))
            .collect();
        let schema: SchemaRef = Arc::new(Schema::new(fields));
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .build();
        let writer = ArrowWriter::try_new(out, Arc::clone(&schema), Some(properties)).map_err(failed)?;
        Ok(Self { schema, writer })
    }
}

impl Writer for ParquetWriter<'_> {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), batch.columns().to_vec())?;
        self.writer.write(&batch).map_err(failed)?;
        if self.writer.in_progress_size() > ROW_GROUP {
            self.writer.flush().map_err(failed)?;
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<()> {
        self.writer.close().map(|_| ()).map_err(failed)
    }
}

fn failed(error: ParquetError) -> Error {
    match error {
        ParquetError::ArrowError(message) => Error::Internal(message),
        other => output(io::Error::other(other)),
    }
}
