//! Files that stand in line to be asked, by as many at once as it takes.

use super::Needles;
use crate::config::default_threads;
use crate::lake::file_reader::FileReaders;
use datafusion::common::Result;
use datafusion::common::runtime::SpawnedTask;
use datafusion::error::DataFusionError;
use datafusion::object_store::ObjectMeta;
use datafusion::parquet::errors::Result as ParquetResult;
use futures::future::try_join_all;
use std::iter::Enumerate;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::vec::IntoIter;

/// Files that are asked at once where each waits for a disk or a store.
pub(super) const AT_ONCE: usize = 32;

/// A file that takes longer than this is not in memory, where four of them did not.
const IN_MEMORY: Duration = Duration::from_micros(100);
const FEW: u32 = 4;

/// A file that may be asked.
pub(in crate::lake) struct Candidate {
    pub(in crate::lake) file: ObjectMeta,
    /// Where its filters are, if the log tells.
    pub(in crate::lake) filters: Option<Arc<str>>,
}

/// Files that are not asked yet, each with its number.
struct Line {
    files: Mutex<Enumerate<IntoIter<Candidate>>>,
    /// One had to wait for its disk.
    waits: AtomicBool,
}

/// Whoever drops it sends the others home.
struct Counter(Arc<Line>);

/// For each of the files which row groups may have a row that fulfils the needles.
pub(super) async fn ask(needles: &Needles, readers: &FileReaders, files: Vec<Candidate>) -> Result<Vec<Vec<bool>>> {
    ask_within(needles, readers, files, IN_MEMORY).await
}

/// The same, where a file that takes longer than this is not in memory.
pub(super) async fn ask_within(
    needles: &Needles,
    readers: &FileReaders,
    files: Vec<Candidate>,
    in_memory: Duration,
) -> Result<Vec<Vec<bool>>> {
    let mut found = vec![Vec::new(); files.len()];
    let counter = Counter(Arc::new(Line {
        files: Mutex::new(files.into_iter().enumerate()),
        waits: AtomicBool::new(!readers.are_here()),
    }));
    let line = &counter.0;
    // Twice at most, as nobody leaves where files have to wait.
    while line.length() > 0 {
        let waits = line.waits.load(Ordering::Relaxed);
        // Another thread takes as long to begin as forty files in memory.
        let cores = default_threads();
        let at_once = if waits { AT_ONCE.max(cores) } else { cores };
        let asking = (0..at_once.min(line.length())).map(|_| {
            let asking = Asking {
                needles: needles.clone(),
                readers: readers.clone(),
                line: Arc::clone(line),
                in_memory,
                stays: waits,
            };
            asking.begin()
        });
        for (number, groups) in try_join_all(asking).await?.into_iter().flatten() {
            found[number] = groups;
        }
    }
    Ok(found)
}

impl Line {
    fn next(&self) -> Option<(usize, Candidate)> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner).next()
    }

    fn length(&self) -> usize {
        self.files.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        let mut files = self.0.files.lock().unwrap_or_else(PoisonError::into_inner);
        *files = Vec::new().into_iter().enumerate();
    }
}

/// One of those who ask.
struct Asking {
    needles: Needles,
    readers: FileReaders,
    line: Arc<Line>,
    in_memory: Duration,
    /// However long it takes; else it leaves when files have to wait, for more to come back.
    stays: bool,
}

impl Asking {
    async fn begin(self) -> Result<Vec<(usize, Vec<bool>)>> {
        let found = if self.readers.are_here() {
            // What it waits for is the disk alone, which is waited for where that is allowed.
            tokio::task::spawn_blocking(move || futures::executor::block_on(self.ask())).await
        } else {
            // On all cores: what a file's metadata say takes longer to read than to get.
            SpawnedTask::spawn(self.ask()).join().await
        };
        Ok(found.map_err(|error| DataFusionError::External(Box::new(error)))??)
    }

    async fn ask(self) -> ParquetResult<Vec<(usize, Vec<bool>)>> {
        let (begin, mut allowed) = (Instant::now(), FEW * self.in_memory);
        let mut found = Vec::new();
        while self.stays || !self.line.waits.load(Ordering::Relaxed) {
            let Some((number, candidate)) = self.line.next() else {
                break;
            };
            let columns = self.needles.read_columns.clone();
            let mut reader = self.readers.reader(candidate.file.into(), columns);
            reader.open_here()?;
            let groups = self.needles.may_be_in_file(&mut reader, candidate.filters.as_deref());
            found.push((number, groups.await.map_err(|error| reader.named(error))?));
            allowed += self.in_memory;
            if begin.elapsed() > allowed {
                self.line.waits.store(true, Ordering::Relaxed);
            }
        }
        Ok(found)
    }
}
