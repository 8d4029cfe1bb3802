//! One Delta table: opening, listing its files, appending to it.

use super::commit::FILTERS_TAG;
use super::entry::{DataFile, StatisticsReader};
use super::layout::TableName;
use super::log_reads::LogReads;
use super::{Lake, ParquetFile};
use crate::error::{Error, Result};
use datafusion::arrow::datatypes::{DataType, Schema};
use datafusion::common::ScalarValue;
use deltalake::kernel::StructType;
use deltalake::kernel::engine::arrow_conversion::TryIntoKernel as _;
use deltalake::kernel::transaction::CommitProperties;
use deltalake::kernel::{Add, LogicalFileView};
use deltalake::logstore::{LogStoreRef, StorageConfig, default_logstore};
use deltalake::operations::create::CreateBuilder;
use deltalake::{DeltaTable, DeltaTableError};
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt as _, WriteMultipart};
use std::sync::Arc;
use url::Url;

/// How often a table is made, if that fails and it is not there.
const CREATE_AGAIN: usize = 3;

/// Files whose description in the log is read in about the time that a thread takes to begin, and more.
const FILES_OF_A_THREAD: usize = 100;

/// More are not worth their beginning.
const MOST_THREADS: usize = 8;

/// Larger files go to a store in parts.
const ONE_REQUEST: u64 = 16 << 20;
const PART_BYTES: usize = 8 << 20;
const PARTS_AT_ONCE: usize = 4;

/// A table of a lake at one version.
#[derive(Debug, Clone)]
pub struct LakeTable {
    name: TableName,
    url: Url,
    lake: String,
    delta: DeltaTable,
    /// None on a disk.
    log_reads: Option<Arc<LogReads>>,
}

impl LakeTable {
    pub(super) async fn open(lake: &Lake, name: TableName) -> Result<Option<Self>> {
        let url = table_url(lake, name)?;
        if let Ok(path) = url.to_file_path()
            && !path.join("_delta_log").is_dir()
        {
            return Ok(None);
        }
        let action = format!("cannot open table {} of {}", name.as_str(), lake.display());
        let log_reads = (url.scheme() != "file").then(|| Arc::new(LogReads::new(Arc::clone(lake.store()))));
        let store = match &log_reads {
            Some(log_reads) => Arc::clone(log_reads) as Arc<dyn ObjectStore>,
            None => Arc::clone(lake.store()),
        };
        let mut delta = DeltaTable::new(log_store(store, &url));
        let loaded = delta.load().await;
        if let Some(log_reads) = &log_reads {
            log_reads.forget();
        }
        match loaded {
            Ok(()) => {}
            Err(DeltaTableError::NotATable(_)) => return Ok(None),
            Err(error) => return Err(Error::store(action, error)),
        }
        let table = Self {
            name,
            url,
            lake: lake.display(),
            delta,
            log_reads,
        };
        table.refuse_unknown_features()?;
        Ok(Some(table))
    }

    pub(super) async fn open_or_create(lake: &Lake, name: TableName) -> Result<Self> {
        let mut created = Ok(());
        for _ in 0..CREATE_AGAIN {
            // Another process may have made it, which is as good, and so may we have without
            // hearing of it.
            if let Some(table) = Self::open(lake, name).await? {
                return Ok(table);
            }
            created = Self::create(lake, name).await;
        }
        match Self::open(lake, name).await? {
            Some(table) => Ok(table),
            None => created.and_then(|()| {
                Err(Error::Internal(format!(
                    "table {} was made and is not there",
                    name.as_str()
                )))
            }),
        }
    }

    async fn create(lake: &Lake, name: TableName) -> Result<()> {
        let action = format!("cannot make table {} of {}", name.as_str(), lake.display());
        let url = table_url(lake, name)?;
        if let Ok(path) = url.to_file_path() {
            std::fs::create_dir_all(&path).map_err(|source| Error::File { path, source })?;
        }
        let partition_columns = name.partition_columns();
        let mut fields: Vec<_> = name.file_schema().fields().iter().cloned().collect();
        fields.extend(partition_columns.iter().cloned());
        let schema: StructType = (&Schema::new(fields))
            .try_into_kernel()
            .map_err(|e| Error::store(&action, e))?;
        CreateBuilder::new()
            .with_log_store(log_store(Arc::clone(lake.store()), &url))
            .with_table_name(name.as_str())
            .with_columns(schema.fields().cloned())
            .with_partition_columns(partition_columns.iter().map(|field| field.name().clone()))
            .with_raise_if_key_not_exists(false)
            .with_configuration([(
                "delta.dataSkippingStatsColumns".to_owned(),
                Some(name.statistics_columns().join(",")),
            )])
            .with_commit_properties(CommitProperties::default().with_max_retries(0))
            .await
            .map_err(|e| Error::store(action, e))?;
        Ok(())
    }

    fn refuse_unknown_features(&self) -> Result<()> {
        let snapshot = self.snapshot()?;
        let protocol = snapshot.protocol();
        let features = protocol
            .reader_features()
            .into_iter()
            .flatten()
            .map(|feature| feature.to_string());
        let known = ["timestampNtz", "v2Checkpoint", "vacuumProtocolCheck"];
        let unknown = features.into_iter().find(|feature| !known.contains(&feature.as_str()));
        let mapped = snapshot
            .metadata()
            .configuration()
            .get("delta.columnMapping.mode")
            .is_some_and(|mode| mode != "none");
        match unknown.or_else(|| mapped.then(|| "columnMapping".to_owned())) {
            None => Ok(()),
            Some(feature) => Err(Error::UnsupportedTable {
                url: self.lake.clone(),
                table: self.name.as_str().to_owned(),
                feature,
            }),
        }
    }

    pub(super) fn delta(&self) -> &DeltaTable {
        &self.delta
    }

    pub(super) fn snapshot(&self) -> Result<&deltalake::table::state::DeltaTableState> {
        self.delta
            .snapshot()
            .map_err(|e| Error::store(format!("cannot read table {}", self.name.as_str()), e))
    }

    /// Which table.
    pub fn name(&self) -> TableName {
        self.name
    }

    /// The table's folder; ends with a slash.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The version that this value sees.
    pub fn version(&self) -> u64 {
        self.delta.version().unwrap_or_default()
    }

    /// The store, rooted at the table's folder.
    pub fn store(&self) -> Arc<dyn ObjectStore> {
        self.delta.object_store()
    }

    /// The store, rooted at its bucket, its container or the file system.
    pub(super) fn root_store(&self) -> Arc<dyn ObjectStore> {
        self.delta.log_store().root_object_store(None)
    }

    /// A file as an object of the root store.
    pub(super) fn object_meta(&self, file: &DataFile) -> ObjectMeta {
        let location = format!("{}{}", self.url.path(), file.path);
        ObjectMeta {
            location: Path::from_url_path(&location).unwrap_or_else(|_| Path::from(location)),
            last_modified: chrono::DateTime::from_timestamp_millis(file.modified).unwrap_or_default(),
            size: file.size,
            e_tag: None,
            version: None,
        }
    }

    /// Every file of this version.
    pub fn files(&self) -> Result<Vec<DataFile>> {
        let reader = StatisticsReader::new(&self.name.file_schema());
        let partition_columns = self.name.partition_columns();
        let log = self.snapshot()?.log_data();
        let file = |view: LogicalFileView| {
            let mut said = said_of(&view);
            let text = said.stats.take();
            let (rows, statistics) = text.map(|text| reader.read(&text)).unwrap_or_default();
            let filters = said.tags.as_mut().and_then(|tags| tags.remove(FILTERS_TAG));
            let partition = partition_columns
                .iter()
                .map(|column| {
                    let text = said.partition_values.remove(column.name()).flatten();
                    partition_value(text, column.data_type())
                })
                .collect();
            DataFile {
                path: view.object_store_path().to_string(),
                size: u64::try_from(said.size).unwrap_or_default(),
                rows,
                modified: said.modification_time,
                partition,
                statistics,
                filters: filters.flatten().map(Arc::from),
            }
        };
        let count = log.num_files();
        let threads = count.div_ceil(FILES_OF_A_THREAD);
        let threads = threads.min(crate::config::default_threads()).min(MOST_THREADS);
        if threads <= 1 {
            return Ok(log.iter().map(file).collect());
        }
        let part = count.div_ceil(threads);
        std::thread::scope(|scope| {
            let (log, file) = (&log, &file);
            let read = move |number: usize| -> Vec<DataFile> {
                let views = log.iter().skip(number * part).take(part);
                views.map(file).collect()
            };
            let parts = (0..threads).map(|number| {
                let thread = std::thread::Builder::new();
                (number, thread.spawn_scoped(scope, move || read(number)))
            });
            let parts: Vec<_> = parts.collect();
            let ended = |_| Error::Internal("a thread that reads the log ended".into());
            let parts = parts.into_iter().map(|(number, thread)| match thread {
                Ok(thread) => thread.join().map_err(ended),
                // The system gives none.
                Err(_) => Ok(read(number)),
            });
            // All are waited for, whatever becomes of the first.
            let parts: Vec<Result<Vec<DataFile>>> = parts.collect();
            let parts: Vec<Vec<DataFile>> = parts.into_iter().collect::<Result<_>>()?;
            Ok(parts.into_iter().flatten().collect())
        })
    }

    /// Sees what has been committed since.
    pub async fn refresh(&mut self) -> Result<()> {
        let action = format!("cannot read the log of table {}", self.name.as_str());
        let updated = self.delta.update_state().await;
        if let Some(log_reads) = &self.log_reads {
            log_reads.forget();
        }
        updated.map_err(|e| Error::store(action, e))
    }

    /// Uploads files, which stay invisible until they are appended.
    pub async fn upload(&self, file: &ParquetFile) -> Result<()> {
        let path = Path::from(file.path.as_str());
        let store = self.store();
        let written = if self.log_reads.is_some() && file.size > ONE_REQUEST {
            upload_parts(store, &path, file.bytes.clone()).await
        } else {
            store.put(&path, file.bytes.clone().into()).await.map(drop)
        };
        written.map_err(|e| Error::store(format!("cannot write {} of table {}", file.path, self.name.as_str()), e))
    }

    /// Removes uploaded files that will not be appended. What cannot be removed is left to vacuum.
    pub async fn discard(&self, files: &[ParquetFile]) {
        for file in files {
            let _ = self.store().delete(&Path::from(file.path.as_str())).await;
        }
    }
}

/// What the log says of a file.
#[allow(deprecated, reason = "there is no other way to the tags of a file")]
pub(super) fn said_of(view: &LogicalFileView) -> Add {
    view.add_action()
}

/// Each part with a request of its own, a few at a time. What fails is ended, and leaves nothing.
async fn upload_parts(store: Arc<dyn ObjectStore>, path: &Path, bytes: bytes::Bytes) -> object_store::Result<()> {
    let upload = store.put_multipart(path).await?;
    let mut parts = WriteMultipart::new_with_chunk_size(upload, PART_BYTES);
    let mut rest = bytes;
    while !rest.is_empty() {
        parts.wait_for_capacity(PARTS_AT_ONCE).await?;
        parts.put(rest.split_to(rest.len().min(PART_BYTES)));
    }
    // Ends the upload itself if it fails.
    parts.finish().await.map(drop)
}

/// Commits by writing what must not be there yet, which every store we open can do atomically.
fn log_store(root: Arc<dyn ObjectStore>, url: &Url) -> LogStoreRef {
    let folder = Path::from_url_path(url.path()).unwrap_or_else(|_| Path::from(url.path()));
    let table = Arc::new(PrefixStore::new(Arc::clone(&root), folder));
    default_logstore(table, root, url, &StorageConfig::default())
}

fn table_url(lake: &Lake, name: TableName) -> Result<Url> {
    lake.url()
        .join(&format!("{}/", name.as_str()))
        .map_err(|e| Error::Internal(format!("{} has no place under {}: {e}", name.as_str(), lake.url())))
}

fn partition_value(text: Option<String>, data_type: &DataType) -> ScalarValue {
    match text {
        Some(text) => ScalarValue::try_from_string(text, data_type).unwrap_or(ScalarValue::Null),
        None => ScalarValue::try_from(data_type).unwrap_or(ScalarValue::Null),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lake::new_path;
    use serde_json::json;

    fn file(number: usize) -> ParquetFile {
        let partition = vec![
            ("event_dataset".to_owned(), Some(format!("d{}", number % 3))),
            ("day".to_owned(), Some("2026-03-02".to_owned())),
        ];
        ParquetFile {
            path: new_path(&partition),
            partition,
            bytes: bytes::Bytes::new(),
            size: number as u64,
            sha256: String::new(),
            statistics: json!({"numRecords": number, "nullCount": {"source_ip": number}}),
            filters: number.is_multiple_of(2).then(|| format!("told {number}")),
            written_ms: 0,
        }
    }

    /// So many that several threads read what the log says of them.
    #[tokio::test]
    async fn each_file_is_there_once_with_what_the_log_says_of_it() {
        for count in [
            0,
            1,
            FILES_OF_A_THREAD,
            FILES_OF_A_THREAD + 1,
            3 * FILES_OF_A_THREAD + 7,
        ] {
            let folder = tempfile::tempdir().unwrap();
            let lake = Lake::at(&folder.path().display().to_string()).unwrap();
            let mut table = lake.table_or_create(TableName::Events).await.unwrap();
            let made: Vec<ParquetFile> = (0..count).map(file).collect();
            if count > 0 {
                table.append(&made).await.unwrap();
            }
            let files = table.files().unwrap();
            let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
            let log = table.snapshot().unwrap().log_data();
            let in_log: Vec<String> = log.iter().map(|view| view.object_store_path().to_string()).collect();
            assert_eq!(paths, in_log, "in the order of the log");
            let mut sizes: Vec<u64> = files.iter().map(|file| file.size).collect();
            sizes.sort_unstable();
            assert_eq!(sizes, (0..count as u64).collect::<Vec<_>>());
            for file in files {
                let made = &made[file.size as usize];
                assert_eq!(file.path, made.path);
                assert_eq!(file.rows, Some(file.size));
                assert_eq!(file.statistics["source_ip"].nulls, Some(file.size));
                assert_eq!(file.filters.as_deref(), made.filters.as_deref());
                assert_eq!(
                    file.partition[0],
                    ScalarValue::from(format!("d{}", file.size % 3).as_str())
                );
            }
        }
    }

    #[tokio::test]
    async fn what_a_checkpoint_sums_up_is_said_as_before() {
        let folder = tempfile::tempdir().unwrap();
        let lake = Lake::at(&folder.path().display().to_string()).unwrap();
        let mut table = lake.table_or_create(TableName::Events).await.unwrap();
        for number in 0..12 {
            table.append(&[file(number)]).await.unwrap();
        }
        let log = std::fs::read_dir(folder.path().join("events/_delta_log")).unwrap();
        let is_checkpoint = |name: &std::ffi::OsStr| name.to_string_lossy().contains("checkpoint.parquet");
        assert!(log.flatten().any(|entry| is_checkpoint(&entry.file_name())));
        let table = LakeTable::open(&lake, TableName::Events).await.unwrap().unwrap();
        let mut filters: Vec<_> = table
            .files()
            .unwrap()
            .into_iter()
            .map(|file| (file.size, file.filters))
            .collect();
        filters.sort_unstable();
        let made = (0..12).map(|number| (number as u64, file(number).filters.map(Arc::from)));
        assert_eq!(filters, made.collect::<Vec<_>>());
    }
}
