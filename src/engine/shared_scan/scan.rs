//! The common scan: workers that read passes and give each consumer its rows.

use super::figures::Counters;
use super::groups::kinds;
use super::leaf::Leaf;
use super::memory::QueueMemory;
use super::passes::passes;
use super::predicate::any_of;
use super::queue::{Queue, lock};
use super::taste::Taste;
use super::work::{Pass, Work, WorkList};
use crate::engine::row_groups::{self, RowGroups, pruning};
use crate::engine::scan_bytes::with_page_index;
use crate::lake::{FilesOfScan, ReadColumns};
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::{DataFusionError, Result as DfResult};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::{ParquetAccessPlan, RowGroupAccess};
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, FileSource, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_optimizer::pruning::PruningPredicate;
use datafusion::physical_plan::{ExecutionPlan, PhysicalExpr};
use futures::TryStreamExt as _;
use futures::future::join_all;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// Rows of a pass where row groups are small: enough that opening the file does not matter.
const PASS_ROWS: u64 = 128 * 1024;

/// One consumer: what it wants and where it gets it.
#[derive(Debug)]
pub(super) struct Consumer {
    pub(super) queue: Arc<Queue>,
    pub(super) counters: Arc<Counters>,
    /// Files and passes that may still have rows for it.
    pub(super) left: AtomicUsize,
}

/// A scan for several consumers. It starts when the first of them is polled and is stopped
/// when the last of them is gone.
#[derive(Debug)]
pub(super) struct CommonScan {
    reading: Arc<Reading>,
    workers: Mutex<Option<Vec<SpawnedTask<()>>>>,
}

#[derive(Debug)]
struct Reading {
    leaves: Vec<Leaf>,
    consumers: Vec<Consumer>,
    prunings: Vec<Option<PruningPredicate>>,
    /// What passes for several consumers are made from; it counts what they read.
    source: ParquetSource,
    work: WorkList,
    workers_left: AtomicUsize,
}

impl CommonScan {
    /// `consumers` in the order of `leaves`, which all read one table.
    pub(super) fn new(leaves: Vec<Leaf>, consumers: Vec<Consumer>) -> Option<Self> {
        let first = leaves.first()?;
        let source = ParquetSource::new(first.table().clone())
            .with_table_parquet_options(first.source.table_parquet_options().clone())
            .with_parquet_file_reader_factory(Arc::clone(&first.readers));
        for (leaf, consumer) in leaves.iter().zip(&consumers) {
            consumer.left.store(leaf.files.len(), Ordering::Relaxed);
        }
        let columns = ReadColumns::of(first.table().file_schema());
        let work = WorkList::new(kinds(leaves.iter()).into_iter().map(|(wanted_by, files)| {
            let read = (wanted_by.iter().filter_map(|number| leaves.get(*number))).flat_map(Leaf::column_names);
            let mut files: Vec<PartitionedFile> = files
                .into_iter()
                .map(|file| file.clone().with_extension(columns.clone()))
                .collect();
            // So that no worker is left with a large one at the end.
            files.sort_by_key(|file| Reverse(file.object_meta.size));
            FilesOfScan::attach(std::slice::from_mut(&mut files), read.collect());
            (wanted_by, files)
        }));
        Some(Self {
            reading: Arc::new(Reading {
                prunings: (leaves.iter().map(|leaf| pruning(leaf.table(), leaf.predicate.as_ref()))).collect(),
                leaves,
                consumers,
                source,
                work,
                workers_left: AtomicUsize::new(0),
            }),
            workers: Mutex::new(None),
        })
    }

    /// Starts the workers, unless they have been.
    pub(super) fn start(&self, context: &Arc<TaskContext>) {
        let mut workers = lock(&self.workers);
        if workers.is_some() {
            return;
        }
        let memory = QueueMemory::of(context.memory_pool());
        for consumer in &self.reading.consumers {
            consumer.queue.prepare(context, &memory);
        }
        let count = context.session_config().target_partitions().max(1);
        self.reading.workers_left.store(count, Ordering::Release);
        let spawned = (0..count).map(|_| {
            let worker = Worker {
                reading: Arc::clone(&self.reading),
                finished: false,
            };
            SpawnedTask::spawn(worker.run(Arc::clone(context)))
        });
        *workers = Some(spawned.collect());
    }

    /// What the workers would read, pass by pass.
    pub(super) async fn readings(&self, at_once: usize) -> DfResult<Vec<row_groups::Reading>> {
        let files = kinds(self.reading.leaves.iter()).into_values().flatten();
        // Of which the metadata are read alone.
        let in_order = FilesOfScan::new(files, BTreeSet::new());
        let counting = (0..at_once).map(|_| {
            let (reading, in_order) = (Arc::clone(&self.reading), in_order.clone());
            SpawnedTask::spawn(async move {
                let mut readings = Vec::new();
                while let Some(work) = reading.work.next(|_| false).await {
                    if let Work::File { file, wanted_by } = work {
                        let file = file.with_extension(in_order.clone());
                        let counted = reading.count(&file, &wanted_by).await;
                        reading.work.cut(Vec::new());
                        readings.extend(counted?);
                    }
                }
                Ok::<_, DataFusionError>(readings)
            })
        });
        let mut readings = Vec::new();
        for counted in join_all(counting.map(SpawnedTask::join)).await {
            readings.extend(counted.map_err(|error| DataFusionError::ExecutionJoin(Box::new(error)))??);
        }
        Ok(readings)
    }

    /// Bytes that passes for several consumers have read.
    pub(super) fn bytes(&self) -> u64 {
        bytes_scanned(&self.reading.source)
    }
}

/// Bytes that a source has read from the store.
pub(super) fn bytes_scanned(source: &ParquetSource) -> u64 {
    let sum = source.metrics().clone_inner().sum_by_name("bytes_scanned");
    sum.map_or(0, |sum| sum.as_usize() as u64)
}

/// One of the tasks that read.
struct Worker {
    reading: Arc<Reading>,
    finished: bool,
}

impl Worker {
    async fn run(mut self, context: Arc<TaskContext>) {
        let reading = Arc::clone(&self.reading);
        while let Some(work) = reading.work.next(|number| reading.is_late(number)).await {
            if !reading.consumers.iter().any(|consumer| consumer.queue.is_open()) {
                reading.work.stop();
                break;
            }
            match work {
                Work::File { file, wanted_by: all } => {
                    let wanted_by = reading.open(&all);
                    let passes = match reading.row_groups(&file, &wanted_by).await {
                        Ok(groups) => groups.map(|groups| reading.cut(&groups, &file, &wanted_by)),
                        Err(error) => {
                            reading.fail(&wanted_by, error);
                            None
                        }
                    };
                    let passes = passes.unwrap_or_default();
                    for consumer in passes.iter().flat_map(|pass| reading.consumers(&pass.consumers)) {
                        consumer.left.fetch_add(1, Ordering::AcqRel);
                    }
                    reading.work.cut(passes);
                    reading.one_less(&all).await;
                }
                Work::Pass(pass) => {
                    reading.pass(&pass, &context).await;
                    reading.one_less(&pass.consumers).await;
                }
            }
        }
        if reading.workers_left.fetch_sub(1, Ordering::AcqRel) == 1 {
            join_all(reading.consumers.iter().map(|consumer| consumer.queue.finish())).await;
        }
        self.finished = true;
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if !self.finished {
            // It panicked, or nobody is left: an end without this would look like all rows.
            self.reading.work.stop();
            let everybody: Vec<usize> = (0..self.reading.consumers.len()).collect();
            let ended = "the common scan of several plans ended early; run them one by one";
            self.reading.fail(&everybody, DataFusionError::Execution(ended.into()));
        }
    }
}

impl Reading {
    fn consumers<'a>(&'a self, numbers: &'a [usize]) -> impl Iterator<Item = &'a Consumer> {
        numbers.iter().filter_map(|number| self.consumers.get(*number))
    }

    /// Those of the consumers that still want rows.
    fn open(&self, consumers: &[usize]) -> Vec<usize> {
        let is_open = |number: &&usize| {
            self.consumers
                .get(**number)
                .is_some_and(|consumer| consumer.queue.is_open())
        };
        consumers.iter().filter(is_open).copied().collect()
    }

    /// Whether a consumer wants rows, but has not asked for any.
    fn is_late(&self, number: usize) -> bool {
        let consumer = self.consumers.get(number);
        consumer.is_some_and(|consumer| consumer.queue.is_open() && !consumer.queue.is_asked())
    }

    /// One file or pass less that may have rows for these. Who has seen all of them need not wait for
    /// what others want: it may be the side of a join that has to be known as a whole.
    async fn one_less(&self, consumers: &[usize]) {
        for consumer in self.consumers(consumers) {
            if consumer.left.fetch_sub(1, Ordering::AcqRel) == 1 {
                consumer.queue.finish().await;
            }
        }
    }

    /// Ends consumers with an error.
    fn fail(&self, consumers: &[usize], error: DataFusionError) {
        let error = Arc::new(error);
        for consumer in self.consumers(consumers) {
            consumer.queue.fail(DataFusionError::Shared(Arc::clone(&error)));
        }
    }

    /// Looks at a file's metadata; none where nobody wants the file.
    async fn row_groups<'a>(
        &'a self,
        file: &'a PartitionedFile,
        wanted_by: &[usize],
    ) -> DfResult<Option<RowGroups<'a>>> {
        let Some(leaf) = wanted_by.first().and_then(|first| self.leaves.get(*first)) else {
            return Ok(None);
        };
        let groups = RowGroups::read(leaf.readers.as_ref(), leaf.table(), file).await?;
        Ok(Some(groups))
    }

    /// Which row groups of a file are read, and for whom together.
    fn cut(&self, groups: &RowGroups<'_>, file: &PartitionedFile, wanted_by: &[usize]) -> Vec<Pass> {
        let wanted: Vec<(usize, Vec<bool>)> = wanted_by
            .iter()
            .map(|number| {
                let pruning = self.prunings.get(*number).and_then(Option::as_ref);
                (*number, groups.wanted(pruning))
            })
            .collect();
        let mut cut: Vec<Pass> = Vec::new();
        // For each set of consumers the row groups that wait to be enough for a pass.
        let mut pending: BTreeMap<Vec<usize>, (BTreeSet<usize>, u64)> = BTreeMap::new();
        for group in 0..groups.len() {
            let who = wanted.iter().filter(|(_, wanted)| wanted.get(group) == Some(&true));
            let who: Vec<usize> = who.map(|(number, _)| *number).collect();
            let bytes = groups.column_bytes(group);
            let bytes = |column: usize| bytes.get(column).copied().unwrap_or(0);
            for members in passes(&who, &|number| self.leaves.get(number), &bytes) {
                let (together, rows) = pending.entry(members.clone()).or_default();
                together.insert(group);
                *rows += groups.rows(group);
                if *rows >= PASS_ROWS
                    && let Some((together, rows)) = pending.remove(&members)
                {
                    cut.push(pass_over(file, groups.len(), together, members, rows));
                }
            }
        }
        for (members, (together, rows)) in pending {
            cut.push(pass_over(file, groups.len(), together, members, rows));
        }
        cut
    }

    /// What the passes over a file will read.
    async fn count(&self, file: &PartitionedFile, wanted_by: &[usize]) -> DfResult<Vec<row_groups::Reading>> {
        let Some(groups) = self.row_groups(file, wanted_by).await? else {
            return Ok(Vec::new());
        };
        let of_pass = |pass: Pass| {
            let leaves = pass.consumers.iter().filter_map(|number| self.leaves.get(*number));
            let columns: BTreeSet<String> = leaves.clone().flat_map(Leaf::column_names).collect();
            // One of them may be left alone, and reads as its own scan.
            let with_index =
                with_page_index(&self.source) || leaves.into_iter().any(|leaf| with_page_index(&leaf.source));
            groups.reading(pass.row_groups, &columns, with_index)
        };
        let mut readings: Vec<_> = self.cut(&groups, file, wanted_by).into_iter().map(of_pass).collect();
        for later in readings.iter_mut().skip(1) {
            later.comes_anew = false;
        }
        Ok(readings)
    }

    async fn pass(&self, pass: &Pass, context: &Arc<TaskContext>) {
        let consumers = self.open(&pass.consumers);
        for consumer in self.consumers(&consumers) {
            consumer.counters.read(pass.rows);
        }
        let read = match consumers.as_slice() {
            [] => Ok(()),
            [only] => self.read_for_one(&pass.file, *only, context).await,
            several => self.read_for_several(&pass.file, several, context).await,
        };
        if let Err(error) = read {
            self.fail(&consumers, error);
        }
    }

    /// As the consumer's own scan would, dynamic filters and all.
    async fn read_for_one(&self, file: &PartitionedFile, number: usize, context: &Arc<TaskContext>) -> DfResult<()> {
        let (Some(leaf), Some(consumer)) = (self.leaves.get(number), self.consumers.get(number)) else {
            return Ok(());
        };
        let config = FileScanConfigBuilder::from(leaf.config.clone());
        let mut stream = execute(config, &leaf.own(file), context)?;
        while let Some(batch) = stream.try_next().await? {
            if !consumer.queue.is_open() {
                break;
            }
            consumer.counters.matched(batch.num_rows());
            consumer.queue.push(batch).await?;
        }
        Ok(())
    }

    async fn read_for_several(
        &self,
        file: &PartitionedFile,
        numbers: &[usize],
        context: &Arc<TaskContext>,
    ) -> DfResult<()> {
        let members: Vec<(&Leaf, &Consumer)> = numbers
            .iter()
            .filter_map(|number| Some((self.leaves.get(*number)?, self.consumers.get(*number)?)))
            .collect();
        let Some((first, _)) = members.first() else {
            return Ok(());
        };
        let columns: BTreeSet<usize> = members.iter().flat_map(|(leaf, _)| &leaf.columns).copied().collect();
        let columns: Vec<usize> = columns.into_iter().collect();
        let safe: Vec<Option<Arc<dyn PhysicalExpr>>> = members.iter().map(|(leaf, _)| leaf.safe.clone()).collect();
        let source = match any_of(&safe, first.table().table_schema())? {
            Some(predicate) => self.source.with_predicate(predicate),
            None => self.source.clone(),
        };
        let schema = Arc::new(first.table().table_schema().project(&columns)?);
        let config = FileScanConfigBuilder::new(first.config.object_store_url.clone(), Arc::new(source))
            .with_projection_indices(Some(columns))?;
        let mut tastes = Vec::with_capacity(members.len());
        for (leaf, consumer) in &members {
            match Taste::new(leaf, &schema) {
                Ok(taste) => tastes.push((taste, *consumer)),
                Err(error) => consumer.queue.fail(error),
            }
        }
        let mut stream = execute(config, file, context)?;
        while let Some(batch) = stream.try_next().await? {
            let mut anybody = false;
            for (taste, consumer) in &tastes {
                if !consumer.queue.is_open() {
                    continue;
                }
                anybody = true;
                // What one cannot evaluate is an error of that one alone.
                let given = match taste.of(&batch, &consumer.counters) {
                    Ok(Some(rows)) => consumer.queue.push(rows).await,
                    Ok(None) => Ok(()),
                    Err(error) => Err(error),
                };
                if let Err(error) = given {
                    consumer.queue.fail(error);
                }
            }
            if !anybody {
                break;
            }
        }
        Ok(())
    }
}

fn pass_over(
    file: &PartitionedFile,
    row_groups: usize,
    read: BTreeSet<usize>,
    consumers: Vec<usize>,
    rows: u64,
) -> Pass {
    let access = (0..row_groups).map(|group| {
        if read.contains(&group) {
            RowGroupAccess::Scan
        } else {
            RowGroupAccess::Skip
        }
    });
    Pass {
        file: file.clone().with_extension(ParquetAccessPlan::new(access.collect())),
        row_groups: read,
        consumers,
        rows,
    }
}

fn execute(
    config: FileScanConfigBuilder,
    file: &PartitionedFile,
    context: &Arc<TaskContext>,
) -> DfResult<SendableRecordBatchStream> {
    let config = config
        .with_file_groups(vec![FileGroup::new(vec![file.clone()])])
        .build();
    DataSourceExec::from_data_source(config).execute(0, Arc::clone(context))
}
