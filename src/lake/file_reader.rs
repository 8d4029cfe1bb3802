//! Reads the Parquet files of the lake for queries.
//!
//! A file has a hundred columns and more, a query reads a few of them, and a lake has
//! thousands of small files. So a scan says which columns it reads ([`ReadColumns`]), and what
//! it gets and keeps of a file's metadata is about these alone: whoever opens the file then
//! looks at no others. A file on a local disk is opened once and read in place; from a store a
//! small file comes with one request.

mod ahead;
mod fetched;
mod narrow;

use super::thrift;
use ahead::Ahead;
pub use ahead::FilesOfScan;
use datafusion::arrow::datatypes::Schema;
use datafusion::common::Result as DfResult;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::ParquetFileReaderFactory;
use datafusion::datasource::physical_plan::parquet::metadata::CachedParquetMetaData;
use datafusion::execution::cache::cache_manager::{CachedFileMetadataEntry, FileMetadata, FileMetadataCache};
use datafusion::object_store::path::Path;
use datafusion::object_store::{ObjectMeta, ObjectStore, ObjectStoreExt as _};
use datafusion::parquet::arrow::arrow_reader::ArrowReaderOptions;
use datafusion::parquet::arrow::async_reader::AsyncFileReader;
use datafusion::parquet::errors::{ParquetError, Result};
use datafusion::parquet::file::metadata::{ColumnChunkMetaData, FooterTail, ParquetMetaData, ParquetMetaDataReader};
use datafusion::physical_plan::metrics::{Count, ExecutionPlanMetricsSet, MetricBuilder};
use fetched::Fetched;
pub(super) use fetched::LastFetched;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use narrow::narrow;
use std::collections::BTreeSet;
use std::fs::File;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use url::Url;
use xxhash_rust::xxh3::xxh3_64;

/// Bytes of the end of a file on a disk that are read at once, where its metadata are: a second
/// look costs next to nothing.
const LOCAL_TAIL: u64 = 32 << 10;

/// The same for a file in a store, where a second look costs as much as half a megabyte. A smaller
/// file is read with one request.
pub const REMOTE_TAIL: u64 = 512 << 10;

/// Bytes of the chunks of a larger file in a store that are read before a scan comes to it: a request more
/// takes as long as so many bytes.
const CHUNKS_AHEAD: u64 = 1 << 20;

/// Bytes that may lie between the first and the last of these, as requests that are near each other are one.
const SPAN_AHEAD: u64 = 4 << 20;

/// Name of the metric of bytes read, as in DataFusion.
const BYTES_SCANNED: &str = "bytes_scanned";

/// What is kept of a file: all that its footer says of columns.
const WHOLE: &str = "";

/// Length of the end of a Parquet file that says how long its metadata are.
const FOOTER: usize = 8;

/// The columns that a scan reads of its files: an extension of each [`PartitionedFile`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReadColumns {
    names: Arc<BTreeSet<String>>,
    /// Tells sets of columns apart in the cache.
    id: u64,
}

impl ReadColumns {
    /// Those of a schema.
    pub fn of(schema: &Schema) -> Self {
        Self::named(schema.fields().iter().map(|field| field.name().clone()))
    }

    /// Those of these names.
    pub fn named(names: impl IntoIterator<Item = String>) -> Self {
        let names: BTreeSet<String> = names.into_iter().collect();
        let mut text = Vec::new();
        for name in &names {
            text.extend_from_slice(name.as_bytes());
            text.push(0);
        }
        Self {
            names: Arc::new(names),
            id: xxh3_64(&text),
        }
    }
}

/// Makes a reader for each file that a scan opens.
#[derive(Debug, Clone)]
pub(super) struct FileReaders {
    store: Arc<dyn ObjectStore>,
    /// Its files are files of this machine.
    local: bool,
    /// What is known of files, for scans that come again.
    cache: Option<Arc<FileMetadataCache>>,
    /// What others of this lake have just read of files in a store.
    last: Option<LastFetched>,
}

impl FileReaders {
    /// `store` is that of `url`, rooted where its path begins.
    pub(super) fn new(url: &str, store: Arc<dyn ObjectStore>, cache: Option<Arc<FileMetadataCache>>) -> Self {
        let local = cfg!(unix) && url.starts_with("file:");
        Self {
            store,
            local,
            cache,
            last: None,
        }
    }

    /// For scans, which share what they read of files in a store.
    pub(super) fn for_scans(mut self, last: &LastFetched) -> Self {
        self.last = (!self.local).then(|| last.clone());
        self
    }

    /// Whether their files are on a local disk.
    pub(super) fn are_here(&self) -> bool {
        self.local
    }
}

impl ParquetFileReaderFactory for FileReaders {
    fn create_reader(
        &self,
        partition_index: usize,
        file: PartitionedFile,
        _: Option<usize>,
        metrics: &ExecutionPlanMetricsSet,
    ) -> DfResult<Box<dyn AsyncFileReader + Send>> {
        let columns = file.extensions.get::<ReadColumns>().cloned();
        Ok(Box::new(FileReader {
            // One alone: each is kept until the end of the scan.
            scanned: MetricBuilder::new(metrics).counter(BYTES_SCANNED, partition_index),
            last: self.last.clone(),
            ahead: file.extensions.get::<FilesOfScan>().map(|files| Arc::clone(&files.0)),
            ..self.reader_of(file, columns)
        }))
    }
}

impl FileReaders {
    /// A reader of a file that is no part of a scan.
    pub(super) fn reader(&self, file: PartitionedFile, columns: ReadColumns) -> FileReader {
        self.reader_of(file, Some(columns))
    }

    fn reader_of(&self, file: PartitionedFile, columns: Option<ReadColumns>) -> FileReader {
        let path = self.local.then(|| local_path(&file.object_meta.location)).flatten();
        FileReader::new(file, path, columns, Arc::clone(&self.store), self.cache.clone())
    }
}

/// Where an object of the local store is, as the store itself sees it.
fn local_path(location: &Path) -> Option<PathBuf> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/=-_.".contains(&byte);
    // Where every part is itself, as in nearly all lakes.
    if cfg!(unix) && location.as_ref().bytes().all(is_plain) {
        return Some(PathBuf::from(format!("/{location}")));
    }
    let mut url = Url::parse("file:///").ok()?;
    url.path_segments_mut()
        .ok()?
        .pop_if_empty()
        .extend(location.parts().map(|part| part.as_ref().to_owned()));
    url.to_file_path().ok()
}

/// Reads one file.
pub(super) struct FileReader {
    scanned: Count,
    file: PartitionedFile,
    columns: Option<ReadColumns>,
    store: Arc<dyn ObjectStore>,
    cache: Option<Arc<FileMetadataCache>>,
    path: Option<PathBuf>,
    /// Of a scan of files in a store.
    last: Option<LastFetched>,
    /// The files of its scan.
    ahead: Option<Arc<Ahead>>,
    opened: Option<File>,
    /// What came of the file from a store.
    fetched: Fetched,
    /// What others have fetched of it is among that.
    has_arrived: bool,
    /// And all of it, or what its scan is going to read.
    has_fetched: bool,
}

impl FileReader {
    /// One that is no part of a scan, and has read nothing.
    fn new(
        file: PartitionedFile,
        path: Option<PathBuf>,
        columns: Option<ReadColumns>,
        store: Arc<dyn ObjectStore>,
        cache: Option<Arc<FileMetadataCache>>,
    ) -> Self {
        Self {
            scanned: Count::new(),
            file,
            columns,
            store,
            cache,
            path,
            last: None,
            ahead: None,
            opened: None,
            fetched: Fetched::default(),
            has_arrived: false,
            has_fetched: false,
        }
    }

    /// Bytes of the file.
    pub(super) fn size(&self) -> u64 {
        self.file.object_meta.size
    }

    /// Whether it is a file on a local disk.
    pub(super) fn is_here(&self) -> bool {
        self.path.is_some()
    }

    /// Opens a file on a local disk, where blocking is allowed; what is read of it then is there at
    /// once. Of a file that is elsewhere there is nothing to open.
    pub(super) fn open_here(&mut self) -> Result<()> {
        if let (Some(path), None) = (&self.path, &self.opened) {
            self.opened = Some(File::open(path).map_err(|error| unreadable(path, &error))?);
        }
        Ok(())
    }

    /// The same, from where others are polled.
    async fn open(&mut self) -> Result<()> {
        if let (Some(path), None) = (&self.path, &self.opened) {
            let answers = self.ahead.as_ref().is_some_and(|ahead| ahead.answers());
            let mut opened = answers.then(|| open_at_once(path)).flatten();
            if opened.is_none() {
                // A place that does not answer must not hold up the others, nor Ctrl-C.
                let named = path.clone();
                let file = tokio::task::spawn_blocking(move || File::open(named)).await;
                let file = file.map_err(std::io::Error::other).flatten();
                opened = Some(file.map_err(|error| unreadable(path, &error))?);
            }
            self.opened = opened;
        }
        Ok(())
    }

    /// Some bytes of a file on a local disk; none if it is elsewhere.
    async fn read_here(&mut self, ranges: &[Range<u64>]) -> Result<Option<Vec<bytes::Bytes>>> {
        self.open().await?;
        let (Some(opened), Some(path)) = (&self.opened, &self.path) else {
            return Ok(None);
        };
        if ranges.len() > 1 {
            ranges.iter().for_each(|range| announce(opened, range));
        }
        let mut read = Vec::with_capacity(ranges.len());
        for range in ranges {
            let mut bytes = vec![0; usize::try_from(range.end - range.start)?];
            read_exact_at(opened, &mut bytes, range.start).map_err(|error| unreadable(path, &error))?;
            read.push(bytes.into());
        }
        Ok(Some(read))
    }

    /// Takes what others have fetched of a file of a store, and asks for what is read next.
    async fn arrive(&mut self) {
        let Some(last) = self.last.clone().filter(|_| !self.has_arrived) else {
            return;
        };
        self.has_arrived = true;
        let file = &self.file.object_meta;
        let coming = self.ahead.as_ref().and_then(|ahead| {
            ahead.come_to_object(&file.location, &last.coming, |next| {
                let is_there = last.get(next).is_some();
                let next = (!is_there).then(|| self.next(next.clone()))?;
                Some((next.most_ahead(), next.fetch_for(Arc::clone(&ahead.columns))))
            })
        });
        if let Some(fetched) = last.get(file) {
            self.fetched = fetched;
        }
        if let Some(coming) = coming
            && let Some(fetched) = coming.await
        {
            self.fetched.merge(&fetched);
            last.keep(&self.file.object_meta, &self.fetched);
        }
    }

    /// A reader of a file that the scan comes to later.
    fn next(&self, file: ObjectMeta) -> Self {
        let (store, cache) = (Arc::clone(&self.store), self.cache.clone());
        Self::new(file.into(), None, self.columns.clone(), store, cache)
    }

    /// Bytes that [`Self::fetch_for`] gives at most.
    fn most_ahead(&self) -> u64 {
        match self.size() {
            small @ ..=REMOTE_TAIL => small,
            _ if self.kept(WHOLE).is_some() => CHUNKS_AHEAD,
            _ => REMOTE_TAIL + CHUNKS_AHEAD,
        }
    }

    /// Reads what a scan will: all of a small file; of others the metadata, unless they are kept, and chunks.
    fn fetch_for(mut self, columns: Arc<BTreeSet<String>>) -> BoxFuture<'static, Option<Fetched>> {
        async move {
            match self.size() {
                ..=REMOTE_TAIL => self.end().await.map(drop),
                _ => self.fetch_chunks(&columns).await,
            }
            .ok()?;
            Some(self.fetched)
        }
        .boxed()
    }

    /// Reads the chunks of these columns at once, the small ones first, where there is but one row group,
    /// which no statistics of the file will rule out.
    async fn fetch_chunks(&mut self, columns: &BTreeSet<String>) -> Result<()> {
        let metadata = self.get_metadata(None).await?;
        let [group] = metadata.row_groups() else {
            return Ok(());
        };
        let is_read = |chunk: &&ColumnChunkMetaData| {
            let column = chunk.column_path().parts().first();
            column.is_some_and(|column| columns.contains(column))
        };
        let chunks = group.columns().iter().filter(is_read).map(|chunk| chunk.byte_range());
        let (chunks, _) = at_once(chunks.map(|(begin, length)| begin..begin + length).collect());
        let chunks: Vec<Range<u64>> = (chunks.into_iter())
            .filter(|chunk| self.fetched.get(chunk).is_none())
            .collect();
        if !chunks.is_empty() {
            let read = self.store.get_ranges(&self.file.object_meta.location, &chunks).await;
            let read = read.map_err(|error| ParquetError::External(Box::new(error)))?;
            for (chunk, bytes) in chunks.iter().zip(read) {
                // What was read between them is not to be kept.
                self.fetched.add(chunk.start, bytes::Bytes::copy_from_slice(&bytes));
            }
        }
        Ok(())
    }

    /// The end of a file of a store: all of a small one.
    async fn end(&mut self) -> Result<bytes::Bytes> {
        self.arrive().await;
        let end = self.size().saturating_sub(REMOTE_TAIL)..self.size();
        if let Some(fetched) = self.fetched.get(&end) {
            return Ok(fetched);
        }
        let read = self.read_there(end.clone()).await?;
        self.fetched.add(end.start, read.clone());
        if let Some(last) = &self.last {
            last.keep(&self.file.object_meta, &self.fetched);
        }
        Ok(read)
    }

    /// Before a scan reads a part of a file in a store: gets all of a small one, and of others what the scan
    /// is going to read.
    async fn before_parts(&mut self) -> Result<()> {
        let (Some(last), false) = (self.last.clone(), self.has_fetched) else {
            return Ok(());
        };
        self.has_fetched = true;
        if self.size() <= REMOTE_TAIL {
            return self.end().await.map(drop);
        }
        if let Some(ahead) = self.ahead.clone() {
            self.fetch_chunks(&ahead.columns).await?;
            last.keep(&self.file.object_meta, &self.fetched);
        }
        Ok(())
    }

    async fn read(&mut self, range: Range<u64>) -> Result<bytes::Bytes> {
        let here = self.read_here(std::slice::from_ref(&range)).await?;
        let here = here.and_then(|mut here| here.pop());
        if let Some(here) = here {
            return Ok(here);
        }
        self.before_parts().await?;
        match self.fetched.get(&range) {
            Some(bytes) => Ok(bytes),
            None => self.read_there(range).await,
        }
    }

    async fn read_there(&self, range: Range<u64>) -> Result<bytes::Bytes> {
        let read = self.store.get_range(&self.file.object_meta.location, range).await;
        read.map_err(|error| ParquetError::External(Box::new(error)))
    }

    /// What the end of the file says of it, as Parquet encodes it.
    pub(super) async fn footer(&mut self) -> Result<bytes::Bytes> {
        let size = self.size();
        let mut end = match self.is_here() {
            true => {
                let begin = size.saturating_sub(LOCAL_TAIL);
                self.open().await?;
                if let (Some(ahead), Some(opened)) = (&self.ahead, &self.opened) {
                    ahead.come_to(&self.file.object_meta.location, opened, begin);
                }
                self.read(begin..size).await?
            }
            false => self.end().await?,
        };
        let footer = |end: &bytes::Bytes| end.last_chunk::<FOOTER>().copied();
        let footer = footer(&end).ok_or_else(|| ParquetError::EOF("a file too short for Parquet".into()))?;
        let length = FooterTail::try_new(&footer)?.metadata_length();
        if length + FOOTER > end.len() {
            let begin = size.checked_sub((length + FOOTER) as u64);
            let begin = begin.ok_or_else(|| ParquetError::EOF("metadata longer than their file".into()))?;
            end = match self.is_here() {
                true => self.read(begin..size).await?,
                false => self.read_there(begin..size).await?,
            };
        }
        Ok(end.slice(end.len() - FOOTER - length..end.len() - FOOTER))
    }

    async fn metadata(&mut self) -> Result<ParquetMetaData> {
        let text = self.footer().await?;
        match &self.columns {
            None => thrift::checked(&text).and_then(ParquetMetaDataReader::decode_metadata),
            Some(columns) => narrow(&text, &columns.names),
        }
    }

    /// Where what is known of the columns of the file is kept: `of` says what it is.
    fn key(&self, of: &str) -> Path {
        let which = self.columns.as_ref().map_or(0, |columns| columns.id);
        Path::from(format!("{of}{which:016x}/{}", self.file.object_meta.location))
    }

    /// What [`Self::keep`] kept of the file as it is now.
    pub(super) fn kept(&self, of: &str) -> Option<Arc<dyn FileMetadata>> {
        let cached = self.cache.as_ref()?.get(&self.key(of))?;
        cached
            .is_valid_for(&self.file.object_meta)
            .then_some(cached.file_metadata)
    }

    /// Keeps what is known of the columns of the file for those who ask again.
    pub(super) fn keep(&self, of: &str, known: Arc<dyn FileMetadata>) {
        if let Some(cache) = &self.cache {
            let entry = CachedFileMetadataEntry::new(self.file.object_meta.clone(), known);
            cache.put(&self.key(of), entry);
        }
    }

    /// An error with the file's name, where it does not say of what it is.
    pub(super) fn named(&self, error: ParquetError) -> ParquetError {
        match error {
            ParquetError::External(_) => error,
            other => ParquetError::General(format!("cannot read {}: {other}", self.file.object_meta.location)),
        }
    }
}

/// Which chunks of the only row group of a file in a store a scan reads with one step, and which it reads
/// when it comes to them: the small ones that lie together first.
pub fn at_once(mut chunks: Vec<Range<u64>>) -> (Vec<Range<u64>>, Vec<Range<u64>>) {
    chunks.sort_by_key(|chunk| chunk.end - chunk.start);
    let (mut bytes, mut span): (u64, Option<Range<u64>>) = (0, None);
    let together = chunks.iter().take_while(|chunk| {
        bytes += chunk.end - chunk.start;
        let all = span.clone().unwrap_or_else(|| (*chunk).clone());
        let all = all.start.min(chunk.start)..all.end.max(chunk.end);
        let fits = bytes <= CHUNKS_AHEAD && all.end - all.start <= SPAN_AHEAD;
        span = Some(all);
        fits
    });
    let count = together.count();
    let rest = chunks.split_off(count);
    (chunks, rest)
}

/// A file that is no pipe, whose opening would wait for a writer. None where it has to be opened with time.
#[cfg(unix)]
fn open_at_once(path: &std::path::Path) -> Option<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let at_once = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file = File::options().read(true).custom_flags(at_once).open(path).ok()?;
    file.metadata().is_ok_and(|about| about.is_file()).then_some(file)
}

#[cfg(not(unix))]
fn open_at_once(_: &std::path::Path) -> Option<File> {
    None
}

fn unreadable(path: &std::path::Path, error: &std::io::Error) -> ParquetError {
    ParquetError::External(format!("cannot read {}: {error}", path.display()).into())
}

/// Says that bytes will be read, so that the disk brings them while others are read.
#[cfg(target_os = "linux")]
fn announce(file: &File, range: &Range<u64>) {
    let length = std::num::NonZeroU64::new(range.end - range.start);
    // It is a hint: nothing depends on whether it is taken.
    let _ = rustix::fs::fadvise(file, range.start, length, rustix::fs::Advice::WillNeed);
}

#[cfg(not(target_os = "linux"))]
fn announce(_: &File, _: &Range<u64>) {}

#[cfg(unix)]
fn read_exact_at(file: &File, bytes: &mut [u8], position: u64) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, position)
}

#[cfg(not(unix))]
fn read_exact_at(mut file: &File, bytes: &mut [u8], position: u64) -> std::io::Result<()> {
    use std::io::{Read as _, Seek as _, SeekFrom};
    file.seek(SeekFrom::Start(position))?;
    file.read_exact(bytes)
}

impl AsyncFileReader for FileReader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, Result<bytes::Bytes>> {
        let count = usize::try_from(range.end - range.start).unwrap_or_default();
        self.scanned.add(count);
        self.read(range).boxed()
    }

    fn get_byte_ranges(&mut self, ranges: Vec<Range<u64>>) -> BoxFuture<'_, Result<Vec<bytes::Bytes>>> {
        let count: u64 = ranges.iter().map(|range| range.end - range.start).sum();
        self.scanned.add(usize::try_from(count).unwrap_or_default());
        async move {
            if let Some(here) = self.read_here(&ranges).await? {
                return Ok(here);
            }
            self.before_parts().await?;
            let mut read: Vec<Option<bytes::Bytes>> = ranges.iter().map(|range| self.fetched.get(range)).collect();
            let missing = read.iter().zip(&ranges).filter(|(read, _)| read.is_none());
            let missing: Vec<Range<u64>> = missing.map(|(_, range)| range.clone()).collect();
            if !missing.is_empty() {
                let rest = self.store.get_ranges(&self.file.object_meta.location, &missing).await;
                let mut rest = rest
                    .map_err(|error| ParquetError::External(Box::new(error)))?
                    .into_iter();
                read.iter_mut()
                    .filter(|read| read.is_none())
                    .for_each(|read| *read = rest.next());
            }
            let read: Option<Vec<bytes::Bytes>> = read.into_iter().collect();
            read.ok_or_else(|| ParquetError::EOF("a store gives fewer parts than it was asked for".into()))
        }
        .boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        _: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, Result<Arc<ParquetMetaData>>> {
        async move {
            self.arrive().await;
            if let Some(kept) = self.kept(WHOLE)
                && let Some(known) = kept.as_any().downcast_ref::<CachedParquetMetaData>()
            {
                return Ok(Arc::clone(known.parquet_metadata()));
            }
            let metadata = self.metadata().await.map_err(|error| self.named(error))?;
            let metadata = Arc::new(metadata);
            self.keep(WHOLE, Arc::new(CachedParquetMetaData::new(Arc::clone(&metadata))));
            Ok(metadata)
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests;
