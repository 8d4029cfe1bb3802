//! Reading a few columns of one file, without a query.

use super::file_reader::{FileReaders, ReadColumns};
use super::{DataFile, LakeTable};
use crate::error::{Error, Result};
use datafusion::arrow::array::RecordBatch;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::ParquetFileReaderFactory as _;
use datafusion::parquet::arrow::async_reader::{AsyncFileReader, ParquetRecordBatchStream};
use datafusion::parquet::arrow::{ParquetRecordBatchStreamBuilder, ProjectionMask};
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use futures::stream::BoxStream;
use futures::{StreamExt as _, TryStreamExt as _};

/// Files that are read at once.
const FILES_AT_ONCE: usize = 16;

impl LakeTable {
    /// The named columns of all files, in the order of the files.
    pub fn read_all<'a>(&'a self, columns: &'a [&'a str]) -> Result<BoxStream<'a, Result<RecordBatch>>> {
        let files = futures::stream::iter(self.files()?);
        let batches = files
            .map(move |file| async move { self.read_columns(&file, columns).await })
            .buffered(FILES_AT_ONCE)
            .map_ok(|batches| futures::stream::iter(batches).map(Ok))
            .try_flatten();
        Ok(batches.boxed())
    }

    /// The named columns of a file, whole; columns the file does not have are left out.
    pub async fn read_columns(&self, file: &DataFile, columns: &[&str]) -> Result<Vec<RecordBatch>> {
        let rows = self.rows_of(file, Some(columns)).await?;
        let failed = |error| Error::store(format!("cannot read {}{}", self.url(), file.path), error);
        rows.try_collect().await.map_err(failed)
    }

    /// The rows of a file, of all its columns or of those with these names.
    pub(super) async fn rows_of(
        &self,
        file: &DataFile,
        columns: Option<&[&str]>,
    ) -> Result<ParquetRecordBatchStream<Box<dyn AsyncFileReader>>> {
        let action = || format!("cannot read {}{}", self.url(), file.path);
        let mut partitioned = PartitionedFile::from(self.object_meta(file));
        if let Some(columns) = columns {
            let names = columns.iter().map(|name| (*name).to_owned());
            partitioned = partitioned.with_extension(ReadColumns::named(names));
        }
        let reader: Box<dyn AsyncFileReader> = FileReaders::new(self.url().as_str(), self.root_store(), None)
            .create_reader(0, partitioned, None, &ExecutionPlanMetricsSet::new())
            .map_err(|error| Error::store(action(), error))?;
        let failed = |error| Error::store(action(), error);
        let builder = ParquetRecordBatchStreamBuilder::new(reader).await.map_err(failed)?;
        // Columns that were asked for are short.
        let (mask, rows) = match columns {
            Some(columns) => {
                let mask = ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied());
                (mask, 64 * 1024)
            }
            None => (ProjectionMask::all(), 1024),
        };
        builder
            .with_projection(mask)
            .with_batch_size(rows)
            .build()
            .map_err(failed)
    }
}
