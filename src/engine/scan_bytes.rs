//! What the scans of a plan will read at most: which chunks of which row groups, by the metadata
//! of the files that the log's statistics leave.

use super::row_groups::{Reading, RowGroups, pruning};
use super::scan_plans::{columns, files};
use super::shared_scan::share;
use crate::error::{Error, Result};
use crate::lake::{FilesOfScan, REMOTE_TAIL, ReadColumns, at_once, stores};
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

/// What scans will read, file by file.
#[derive(Debug, Clone, Default)]
pub struct ScanBytes {
    files: BTreeMap<Path, FileBytes>,
}

#[derive(Debug, Clone, Default)]
struct FileBytes {
    row_groups_of: u64,
    /// Rows of each row group that is read, however often.
    row_groups: BTreeMap<usize, u64>,
    /// Of all chunks, each as often as it is read.
    bytes: u64,
    requests: u64,
    /// The columns of which the metadata of a file were read that is longer than its end.
    metadata_of: BTreeSet<Option<ReadColumns>>,
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
    fn add(&mut self, reading: Reading) {
        let file = self.files.entry(reading.path).or_default();
        file.row_groups_of = reading.row_groups_of;
        // The end of a file, which is asked for first, is all of a small one.
        let is_small = reading.size <= REMOTE_TAIL;
        if reading.comes_anew && (is_small || file.metadata_of.insert(reading.metadata_of)) {
            file.requests += 1;
        }
        for (number, rows, chunks) in reading.row_groups {
            file.row_groups.insert(number, rows);
            file.bytes += chunks.iter().map(|chunk| chunk.end - chunk.start).sum::<u64>();
            if !is_small {
                file.requests += match reading.row_groups_of {
                    1 => {
                        let (first, later) = at_once(chunks);
                        stores::requests_for(&first) + stores::requests_for(&later)
                    }
                    _ => stores::requests_for(&chunks),
                };
            }
        }
        if let Some(index) = reading.index {
            file.bytes += reading.opened * (index.end - index.start);
            let is_in_tail = reading.size.saturating_sub(REMOTE_TAIL) <= index.start;
            file.requests += if is_in_tail { 0 } else { reading.opened };
        }
    }

    /// Those of plans that are run at another time as well.
    pub fn add_all(&mut self, other: Self) {
        for (path, more) in other.files {
            let file = self.files.entry(path).or_default();
            file.row_groups_of = more.row_groups_of;
            file.row_groups.extend(more.row_groups);
            file.bytes += more.bytes;
            let known = more.metadata_of.intersection(&file.metadata_of).count() as u64;
            file.requests += more.requests - known;
            file.metadata_of.extend(more.metadata_of);
        }
    }

    /// Their sum.
    pub fn sum(&self) -> ToRead {
        let mut sum = ToRead::default();
        for file in self.files.values() {
            sum += ToRead {
                files: 1,
                row_groups: file.row_groups.len() as u64,
                row_groups_of: file.row_groups_of,
                rows: file.row_groups.values().sum(),
                bytes: file.bytes,
                requests: file.requests,
            };
        }
        sum
    }
}

/// What physical plans will read that are run together: what their scans have in common is
/// read as [`share`] has it. Reads the metadata of the files that are left.
pub async fn scan_bytes(plans: Vec<Arc<dyn ExecutionPlan>>) -> Result<ScanBytes> {
    let shared = share(plans).await?;
    let mut all = ScanBytes::default();
    for reading in shared.readings(AT_ONCE).await? {
        all.add(reading);
    }
    let mut scans = Vec::new();
    for plan in &shared.plans {
        collect(plan.plan().as_ref(), &mut scans);
    }
    for (source, files) in scans {
        for reading in of_scan(&source, files).await? {
            all.add(reading);
        }
    }
    Ok(all)
}

/// A file, and in how many parts it is read.
type OpenedFile = (PartitionedFile, u64);

/// The scans of a plan, each with its files.
fn collect(plan: &dyn ExecutionPlan, scans: &mut Vec<(ParquetSource, Vec<OpenedFile>)>) {
    let scan = plan.downcast_ref::<DataSourceExec>();
    if let Some((config, source)) = scan.and_then(|scan| scan.downcast_to_file_source::<ParquetSource>()) {
        let mut opened: BTreeMap<&Path, u64> = BTreeMap::new();
        let parts = config.file_groups.iter().flat_map(|group| group.files());
        parts.for_each(|part| *opened.entry(&part.object_meta.location).or_default() += 1);
        let files = files(config).into_iter();
        let files = files.map(|(path, file)| (file.clone(), opened.get(path).copied().unwrap_or(1)));
        scans.push((source.clone(), files.collect()));
    }
    for child in plan.children() {
        collect(child.as_ref(), scans);
    }
}

/// Whether a scan may look at the page index of its files.
pub(super) fn with_page_index(source: &ParquetSource) -> bool {
    source.table_parquet_options().global.enable_page_index
}

/// What each file of a scan is read with.
struct Scan {
    source: ParquetSource,
    pruning: Option<PruningPredicate>,
    columns: BTreeSet<String>,
}

async fn of_scan(source: &ParquetSource, files: Vec<OpenedFile>) -> Result<Vec<Reading>> {
    let predicate = source.filter();
    let by_file = source.table_parquet_options().global.pruning;
    let scan = Arc::new(Scan {
        pruning: pruning(source.table_schema(), predicate.as_ref()).filter(|_| by_file),
        columns: columns(source).into_iter().collect(),
        source: source.clone(),
    });
    // Of which the metadata are read alone.
    let in_order = FilesOfScan::new(files.iter().map(|(file, _)| file), BTreeSet::new());
    let read = files.into_iter().map(|(file, opened)| {
        let file = file.with_extension(in_order.clone());
        let scan = Arc::clone(&scan);
        // On all cores: what a file's metadata say takes longer to read than to get.
        SpawnedTask::spawn(async move {
            let reading = scan.of_file(&file).await?;
            Ok::<_, DataFusionError>(reading.map(|reading| Reading { opened, ..reading }))
        })
    });
    futures::stream::iter(read)
        .map(SpawnedTask::join)
        .buffer_unordered(AT_ONCE)
        .filter_map(async |joined| match joined {
            Ok(reading) => reading.map_err(Error::from).transpose(),
            Err(error) => Some(Err(Error::Internal(format!("reading metadata ended: {error}")))),
        })
        .try_collect()
        .await
}

impl Scan {
    async fn of_file(&self, file: &PartitionedFile) -> Result<Option<Reading>, DataFusionError> {
        let Some(readers) = self.source.parquet_file_reader_factory() else {
            return Ok(None);
        };
        let groups = RowGroups::read(readers.as_ref(), self.source.table_schema(), file).await?;
        let wanted = groups.wanted(self.pruning.as_ref());
        let wanted = wanted.iter().enumerate().filter(|(_, wanted)| **wanted);
        let with_index = with_page_index(&self.source);
        let wanted = wanted.map(|(number, _)| number);
        Ok(Some(groups.reading(wanted, &self.columns, with_index)))
    }
}
