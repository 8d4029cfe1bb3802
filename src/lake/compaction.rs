//! Small files into large ones, in the order of the layout, while others read and write.

use super::file_reader::{FileReaders, ReadColumns};
use super::table::LakeTable;
use super::writer::encode;
use super::{Committed, DataFile, ParquetFile};
use crate::error::{Error, Result};
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::SortOptions;
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::ScalarValue;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::ParquetFileReaderFactory as _;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::context::SessionContext;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::parquet::arrow::async_reader::AsyncFileReader;
use datafusion::physical_expr::expressions::col;
use datafusion::physical_expr::{LexOrdering, PhysicalSortExpr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::prelude::SessionConfig;
use futures::{StreamExt as _, TryStreamExt as _};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// Bytes of a file that compaction aims at where nobody said otherwise.
pub const TARGET_FILE_BYTES: u64 = 128 << 20;

/// Files that are merged at once: each holds a few rows of all its columns.
const MERGED_AT_ONCE: usize = 64;

/// Rows that are read of a file at once. The text of a record may be long.
const ROWS_AT_ONCE: usize = 1024;

/// Groups of files that one commit replaces.
const GROUPS_PER_COMMIT: usize = 256;

/// Attempts against writers; each loses only to a commit of somebody else.
const ATTEMPTS: usize = 200;

/// What was made of what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Compacted {
    /// Files that were there and were merged.
    pub files: u64,
    /// Bytes in them.
    pub bytes: u64,
    /// Files that are in their place.
    pub into_files: u64,
    /// Bytes in these.
    pub into_bytes: u64,
    /// Rows in either.
    pub rows: u64,
}

/// What has been merged so far. A merged file may be merged again, with what came meanwhile, and
/// then counts as if it had never been.
#[derive(Debug, Default)]
struct Tally {
    files: u64,
    bytes: u64,
    /// Files made of these, with their bytes and rows, by path.
    made: HashMap<String, (u64, u64)>,
}

impl Tally {
    /// Files that have been replaced by others, which are described by path, bytes and rows.
    fn replaced(&mut self, files: &[DataFile], by: impl IntoIterator<Item = (String, u64, u64)>) {
        for file in files {
            if self.made.remove(&file.path).is_none() {
                self.files += 1;
                self.bytes += file.size;
            }
        }
        let made = by.into_iter().map(|(path, bytes, rows)| (path, (bytes, rows)));
        self.made.extend(made);
    }

    fn compacted(&self) -> Compacted {
        Compacted {
            files: self.files,
            bytes: self.bytes,
            into_files: self.made.len() as u64,
            into_bytes: self.made.values().map(|(bytes, _)| bytes).sum(),
            rows: self.made.values().map(|(_, rows)| rows).sum(),
        }
    }
}

/// Files of a group, and what they have been merged into.
type Merged = (Group, Vec<(ParquetFile, u64)>);

/// Files of one partition that become one file, or a few.
type Group = Vec<DataFile>;

impl LakeTable {
    /// Merges the small files of each partition into files of about `target` bytes. `threads`
    /// partitions at once; `done` is told how many files have been merged.
    pub async fn compact(&mut self, target: u64, threads: usize, done: &(dyn Fn(u64) + Sync)) -> Result<Compacted> {
        let mut tally = Tally::default();
        loop {
            let mut groups = groups(self.files()?, target);
            // The others are the next round's.
            groups.truncate(GROUPS_PER_COMMIT);
            if groups.is_empty() {
                return Ok(tally.compacted());
            }
            let table = &*self;
            let merges = groups.into_iter().map(|group| async move {
                let merged = table.merge(&group, target).await?;
                Ok::<_, Error>((group, merged))
            });
            let merges = futures::stream::iter(merges).buffer_unordered(threads.max(1));
            let written: Vec<Merged> = merges.try_collect().await?;
            self.put_in_place(written, &mut tally).await?;
            done(tally.files);
        }
    }

    /// The columns that a file has.
    async fn columns_of(&self, file: &DataFile) -> Result<BTreeSet<String>> {
        let failed = |error| Error::store(format!("cannot read {}{}", self.url(), file.path), error);
        let partitioned = PartitionedFile::from(self.object_meta(file));
        let mut reader: Box<dyn AsyncFileReader> = FileReaders::new(self.url().as_str(), self.root_store(), None)
            .create_reader(0, partitioned, None, &ExecutionPlanMetricsSet::new())?;
        let metadata = reader.get_metadata(None).await.map_err(failed)?;
        let fields = metadata.file_metadata().schema().get_fields().iter();
        Ok(fields.map(|field| field.name().to_owned()).collect())
    }

    /// The rows of files in the order of the layout.
    async fn merged_rows(&self, files: &[DataFile]) -> Result<(SchemaRef, SendableRecordBatchStream)> {
        let mut names = BTreeSet::new();
        for columns in futures::future::try_join_all(files.iter().map(|file| self.columns_of(file))).await? {
            names.extend(columns);
        }
        let all = self.name().file_schema();
        if let Some(unknown) = names.iter().find(|name| all.column_with_name(name).is_none()) {
            return Err(Error::store(
                format!("cannot compact table {}", self.name().as_str()),
                format!(
                    "{} has a column {unknown}, which is none of this version's",
                    files[0].path
                ),
            ));
        }
        let fields = all.fields().iter().filter(|field| names.contains(field.name()));
        let schema: SchemaRef = Arc::new(Schema::new(fields.cloned().collect::<Vec<_>>()));

        let order = self.name().order();
        let order = order.iter().filter(|name| names.contains(**name)).map(|name| {
            let options = SortOptions {
                descending: false,
                nulls_first: true,
            };
            Ok::<_, Error>(PhysicalSortExpr::new(col(name, &schema)?, options))
        });
        let ordering = LexOrdering::new(order.collect::<Result<Vec<_>>>()?)
            .ok_or_else(|| Error::Internal(format!("table {} has no order", self.name().as_str())))?;

        let url = ObjectStoreUrl::parse(&self.url()[..url::Position::BeforePath])?;
        let context = SessionContext::new_with_config(SessionConfig::new().with_batch_size(ROWS_AT_ONCE));
        context
            .runtime_env()
            .register_object_store(self.url(), self.root_store());
        let columns = ReadColumns::of(&schema);
        let readers = FileReaders::new(url.as_str(), self.root_store(), None);
        let source = ParquetSource::new(TableSchema::builder(Arc::clone(&schema)).build())
            .with_parquet_file_reader_factory(Arc::new(readers));
        let groups = files.iter().map(|file| {
            let file = PartitionedFile::from(self.object_meta(file)).with_extension(columns.clone());
            FileGroup::new(vec![file])
        });
        let config = FileScanConfigBuilder::new(url, Arc::new(source))
            .with_file_groups(groups.collect())
            .with_output_ordering(vec![ordering.clone()])
            .build();
        let scan = DataSourceExec::from_data_source(config);
        let rows = SortPreservingMergeExec::new(ordering, scan).execute(0, context.task_ctx())?;
        Ok((schema, rows))
    }

    /// Writes the rows of files into as many as their bytes fill, and uploads these. Each with the
    /// number of its rows.
    async fn merge(&self, files: &[DataFile], target: u64) -> Result<Vec<(ParquetFile, u64)>> {
        let bytes: u64 = files.iter().map(|file| file.size).sum();
        let rows: u64 = files.iter().filter_map(|file| file.rows).sum();
        let parts = (bytes / target.max(1)).max(1);
        let rows_per_part = usize::try_from(rows.div_ceil(parts)).unwrap_or(usize::MAX).max(1);
        let partition = self.partition_of(&files[0]);
        let (schema, mut merged) = self.merged_rows(files).await?;
        let mut written = Vec::new();
        let mut rest: Option<RecordBatch> = None;
        loop {
            let (rows, mut taken) = tokio::sync::mpsc::channel::<RecordBatch>(2);
            let (name, schema, partition) = (self.name(), Arc::clone(&schema), partition.clone());
            let writer = tokio::task::spawn_blocking(move || {
                let batches = std::iter::from_fn(|| taken.blocking_recv().map(Ok));
                encode(name, &schema, partition, batches)
            });
            let mut room = rows_per_part;
            while room > 0 {
                let next = match rest.take() {
                    Some(rest) => Some(rest),
                    None => merged.try_next().await?,
                };
                let Some(batch) = next else { break };
                let take = batch.num_rows().min(room);
                room -= take;
                if take < batch.num_rows() {
                    rest = Some(batch.slice(take, batch.num_rows() - take));
                }
                // A writer that failed says so itself.
                if rows.send(batch.slice(0, take)).await.is_err() {
                    break;
                }
            }
            drop(rows);
            let file = writer
                .await
                .map_err(|error| Error::Internal(format!("a writer thread ended: {error}")))??;
            let is_empty = room == rows_per_part;
            if !is_empty {
                let mut file = file;
                self.upload(&file).await?;
                file.forget_bytes();
                written.push((file, (rows_per_part - room) as u64));
            }
            if room > 0 {
                return Ok(written);
            }
        }
    }

    /// One commit for all, unless files have gone meanwhile: what was made of these is dropped.
    async fn put_in_place(&mut self, mut written: Vec<Merged>, tally: &mut Tally) -> Result<()> {
        for _ in 0..ATTEMPTS {
            let there: HashSet<String> = self.files()?.into_iter().map(|file| file.path).collect();
            let (whole, gone): (Vec<_>, Vec<_>) = written
                .into_iter()
                .partition(|(group, _)| group.iter().all(|file| there.contains(&file.path)));
            for (_, merged) in gone {
                let merged: Vec<ParquetFile> = merged.into_iter().map(|(file, _)| file).collect();
                self.discard(&merged).await;
            }
            if whole.is_empty() {
                return Ok(());
            }
            let removed: Vec<DataFile> = whole.iter().flat_map(|(group, _)| group.clone()).collect();
            let made = || whole.iter().flat_map(|(_, merged)| merged);
            let added: Vec<ParquetFile> = made().map(|(file, _)| file.clone()).collect();
            if let Committed::At(_) = self.replace(&removed, &added).await? {
                let made = made().map(|(file, rows)| (file.path.clone(), file.size, *rows));
                tally.replaced(&removed, made);
                return Ok(());
            }
            written = whole;
        }
        Err(Error::store(
            format!("cannot compact table {}", self.name().as_str()),
            format!("other writers were first {ATTEMPTS} times; run it again"),
        ))
    }
}

/// The files to merge: of each partition those that are clearly smaller than the target, if they
/// become fewer.
fn groups(files: Vec<DataFile>, target: u64) -> Vec<Group> {
    let mut small: BTreeMap<String, Group> = BTreeMap::new();
    for file in files.into_iter().filter(|file| file.size < target / 4 * 3) {
        let partition = file.partition.iter().map(ScalarValue::to_string);
        let partition = partition.collect::<Vec<_>>().join("/");
        small.entry(partition).or_default().push(file);
    }
    let mut groups = Vec::new();
    for mut files in small.into_values() {
        // Equal rows stay in the order in which they came.
        files.sort_by(|a, b| (a.modified, &a.path).cmp(&(b.modified, &b.path)));
        let parts = files.chunks(MERGED_AT_ONCE).filter(|part| part.len() > 1);
        groups.extend(parts.map(<[_]>::to_vec));
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(partition: &str, number: u64, size: u64) -> DataFile {
        DataFile {
            path: format!("{partition}/{number}"),
            size,
            rows: Some(1),
            modified: number as i64,
            partition: vec![ScalarValue::from(partition)],
            statistics: Default::default(),
            filters: None,
        }
    }

    #[test]
    fn what_is_merged_twice_counts_once() {
        let mut tally = Tally::default();
        let made = |path: &str, bytes, rows| (path.to_owned(), bytes, rows);
        tally.replaced(&[file("a", 1, 10), file("a", 2, 20)], [made("a/3", 25, 2)]);
        // An ingest has added another one.
        tally.replaced(&[file("a", 3, 25), file("a", 4, 5)], [made("a/5", 28, 3)]);
        let expected = Compacted {
            files: 3,
            bytes: 35,
            into_files: 1,
            into_bytes: 28,
            rows: 3,
        };
        assert_eq!(tally.compacted(), expected);
    }

    #[test]
    fn only_what_becomes_fewer_is_merged() {
        let numbers = |files: Vec<DataFile>| {
            let groups = groups(files, 100);
            let paths = |group: &Group| group.iter().map(|file| file.path.clone()).collect::<Vec<_>>();
            groups.iter().map(paths).collect::<Vec<_>>()
        };
        assert!(
            numbers(vec![
                file("a", 1, 10),
                file("b", 1, 10),
                file("a", 2, 75),
                file("a", 3, 500)
            ])
            .is_empty()
        );
        let two = numbers(vec![file("a", 2, 74), file("b", 1, 10), file("a", 1, 74)]);
        assert_eq!(two, [["a/1", "a/2"]]);
        let many = numbers((0..129).map(|n| file("a", n, 1)).collect());
        assert_eq!(
            many.iter().map(Vec::len).collect::<Vec<_>>(),
            [64, 64],
            "the last is alone"
        );
    }
}
