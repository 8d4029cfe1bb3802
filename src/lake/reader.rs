//! Reading a few columns of one file, without a query.

use super::{DataFile, LakeTable};
use crate::error::{Error, Result};
use datafusion::arrow::array::RecordBatch;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::{DefaultParquetFileReaderFactory, ParquetFileReaderFactory as _};
use datafusion::parquet::arrow::async_reader::AsyncFileReader;
use datafusion::parquet::arrow::{ParquetRecordBatchStreamBuilder, ProjectionMask};
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use futures::TryStreamExt as _;

impl LakeTable {
    /// The named columns of a file, whole; columns the file does not have are left out.
    pub async fn read_columns(&self, file: &DataFile, columns: &[&str]) -> Result<Vec<RecordBatch>> {
        let action = || format!("cannot read {}{}", self.url(), file.path);
        let partitioned = PartitionedFile::new(file.path.clone(), file.size);
        let reader: Box<dyn AsyncFileReader> = DefaultParquetFileReaderFactory::new(self.store())
            .create_reader(0, partitioned, None, &ExecutionPlanMetricsSet::new())
            .map_err(|error| Error::store(action(), error))?;
        let failed = |error| Error::store(action(), error);
        let builder = ParquetRecordBatchStreamBuilder::new(reader).await.map_err(failed)?;
        let mask = ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied());
        let stream = builder
            .with_projection(mask)
            .with_batch_size(64 * 1024)
            .build()
            .map_err(failed)?;
        stream.try_collect().await.map_err(failed)
    }
}
