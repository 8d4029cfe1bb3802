//! What the scans of a plan will read at most: which chunks of which row groups, by the metadata
//! of the files that the log's statistics leave.

use super::Engine;
use super::row_groups::{RowGroups, pruning};
use super::scan_plans::{columns, files};
use crate::error::{Error, Result};
use crate::lake::{REMOTE_TAIL, stores};
use datafusion::common::runtime::SpawnedTask;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileSource as _, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::DataFusionError;
use datafusion::object_store::path::Path;
use datafusion::physical_optimizer::pruning::PruningPredicate;
use datafusion::physical_plan::ExecutionPlan;
use futures::{StreamExt as _, TryStreamExt as _};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::AddAssign;
use std::sync::Arc;

/// Files whose metadata are read at once.
const AT_ONCE: usize = 32;

/// Chunks of columns that scans will read. What several scans read counts once.
#[derive(Debug, Clone, Default)]
pub struct ScanBytes {
    files: BTreeMap<Path, FileBytes>,
}

#[derive(Debug, Clone, Default)]
struct FileBytes {
    size: u64,
    row_groups_of: u64,
    /// Rows, and the chunks by where they begin and end.
    row_groups: BTreeMap<usize, (u64, BTreeMap<u64, u64>)>,
}

/// How much there is to read, at most: conditions that are evaluated while reading spare columns
/// of row groups in which no row fulfils them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ToRead {
    /// Files that are opened.
    pub files: u64,
    /// Row groups of these that statistics do not rule out.
    pub row_groups: u64,
    /// Row groups of these files.
    pub row_groups_of: u64,
    /// Rows in the row groups.
    pub rows: u64,
    /// Bytes of the columns that are needed, compressed as they are stored.
    pub bytes: u64,
    /// GET requests that this takes where the lake is in an object store.
    pub requests: u64,
}

impl ToRead {
    /// So many times as much.
    #[must_use]
    pub fn times(self, factor: u64) -> Self {
        Self {
            files: self.files.saturating_mul(factor),
            row_groups: self.row_groups.saturating_mul(factor),
            row_groups_of: self.row_groups_of.saturating_mul(factor),
            rows: self.rows.saturating_mul(factor),
            bytes: self.bytes.saturating_mul(factor),
            requests: self.requests.saturating_mul(factor),
        }
    }
}

impl AddAssign for ToRead {
    fn add_assign(&mut self, other: Self) {
        self.files += other.files;
        self.row_groups += other.row_groups;
        self.row_groups_of += other.row_groups_of;
        self.rows += other.rows;
        self.bytes += other.bytes;
        self.requests += other.requests;
    }
}

impl ScanBytes {
    /// Those of other scans as well.
    pub fn add(&mut self, other: Self) {
        for (path, more) in other.files {
            let file = self.files.entry(path).or_default();
            (file.size, file.row_groups_of) = (more.size, more.row_groups_of);
            for (number, (rows, chunks)) in more.row_groups {
                let known = file.row_groups.entry(number).or_default();
                known.0 = rows;
                known.1.extend(chunks);
            }
        }
    }

    /// Their sum.
    pub fn sum(&self) -> ToRead {
        let mut sum = ToRead::default();
        for file in self.files.values() {
            sum.files += 1;
            sum.row_groups_of += file.row_groups_of;
            // Its end, which is all of a small file.
            sum.requests += 1;
            let is_large = file.size > REMOTE_TAIL;
            for (rows, chunks) in file.row_groups.values() {
                sum.row_groups += 1;
                sum.rows += rows;
                sum.bytes += chunks.iter().map(|(start, end)| end - start).sum::<u64>();
                if is_large {
                    let ranges: Vec<_> = chunks.iter().map(|(start, end)| *start..*end).collect();
                    sum.requests += stores::requests_for(&ranges);
                }
            }
        }
        sum
    }
}

impl Engine {
    /// What the scans of a physical plan will read. Reads the metadata of the files that are left.
    pub async fn scan_bytes(&self, plan: &dyn ExecutionPlan) -> Result<ScanBytes> {
        let mut scans = Vec::new();
        collect(plan, &mut scans);
        let mut all = ScanBytes::default();
        for (source, files) in scans {
            all.add(of_scan(&source, files).await?);
        }
        Ok(all)
    }
}

/// The scans of a plan, each with its files.
fn collect(plan: &dyn ExecutionPlan, scans: &mut Vec<(ParquetSource, Vec<PartitionedFile>)>) {
    let scan = plan.downcast_ref::<DataSourceExec>();
    if let Some((config, source)) = scan.and_then(|scan| scan.downcast_to_file_source::<ParquetSource>()) {
        scans.push((source.clone(), files(config).into_values().cloned().collect()));
    }
    for child in plan.children() {
        collect(child.as_ref(), scans);
    }
}

/// What each file of a scan is read with.
struct Scan {
    source: ParquetSource,
    pruning: Option<PruningPredicate>,
    columns: BTreeSet<String>,
}

async fn of_scan(source: &ParquetSource, files: Vec<PartitionedFile>) -> Result<ScanBytes> {
    let predicate = source.filter();
    let scan = Arc::new(Scan {
        pruning: pruning(source.table_schema(), predicate.as_ref()),
        columns: columns(source).into_iter().collect(),
        source: source.clone(),
    });
    let read = files.into_iter().map(|file| {
        let scan = Arc::clone(&scan);
        // On all cores: what a file's metadata say takes longer to read than to get.
        SpawnedTask::spawn(async move {
            let path = file.object_meta.location.clone();
            Ok::<_, DataFusionError>((path, scan.of_file(&file).await?))
        })
    });
    let files = futures::stream::iter(read)
        .map(SpawnedTask::join)
        .buffer_unordered(AT_ONCE)
        .map(|joined| {
            joined
                .map_err(|error| Error::Internal(format!("reading metadata ended: {error}")))?
                .map_err(Error::from)
        })
        .try_collect()
        .await?;
    Ok(ScanBytes { files })
}

impl Scan {
    async fn of_file(&self, file: &PartitionedFile) -> Result<FileBytes, DataFusionError> {
        let Some(readers) = self.source.parquet_file_reader_factory() else {
            return Ok(FileBytes::default());
        };
        let groups = RowGroups::read(readers.as_ref(), self.source.table_schema(), file).await?;
        let wanted = groups.wanted(self.pruning.as_ref());
        let wanted = wanted.iter().enumerate().filter(|(_, wanted)| **wanted);
        let of_group = |(number, _): (usize, &bool)| {
            let chunks = groups.chunks(number);
            let chunks = chunks.filter(|(column, _)| self.columns.contains(*column));
            let chunks = chunks.map(|(_, range)| (range.start, range.end)).collect();
            (number, (groups.rows(number), chunks))
        };
        Ok(FileBytes {
            size: file.object_meta.size,
            row_groups_of: groups.len() as u64,
            row_groups: wanted.map(of_group).collect(),
        })
    }
}
