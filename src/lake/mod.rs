//! The tables under one URL: Delta tables over Hive-partitioned Parquet. Knows no JSON of logs.

mod arrivals;
mod columns;
mod commit;
mod compaction;
mod entry;
mod file_reader;
mod filter_places;
mod late;
mod layout;
mod log_reads;
mod needles;
mod provider;
mod reader;
pub mod stores;
mod table;
mod thrift;
mod vacuum;
mod varint;
mod verify;
mod writer;

pub use arrivals::Arrived;
pub use columns::{Columns, ColumnsWriter, events_file, row_groups};
pub use commit::Committed;
pub use compaction::{Compacted, TARGET_FILE_BYTES};
pub use entry::{ColumnStatistics, DataFile, StatisticsOfColumns};
pub use file_reader::{FilesOfScan, REMOTE_TAIL, ReadColumns, at_once};
pub use late::LateTable;
pub use layout::{TableName, events_schema, ledger_schema, quarantine_schema, repeat_fields};
pub use provider::LakeTableProvider;
pub use table::LakeTable;
pub use vacuum::Vacuumed;
pub(crate) use writer::hex;
pub use writer::{ParquetFile, encode, new_path};

use crate::error::{Error, Result};
use object_store::ObjectStore;
use std::sync::Arc;
use url::Url;

/// A place that holds, or will hold, the tables.
#[derive(Clone)]
pub struct Lake {
    url: Url,
    store: Arc<dyn ObjectStore>,
}

impl std::fmt::Debug for Lake {
    /// Without the store, which knows secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lake")
            .field("url", &self.url.as_str())
            .finish_non_exhaustive()
    }
}

impl Lake {
    /// A lake at a path or URL as typed; opens nothing yet.
    pub fn at(location: &str) -> Result<Self> {
        if location.contains('%') {
            return Err(Error::Setting {
                setting: format!("--lake {location}"),
                problem: "holds a %, which Delta's paths cannot; choose another name".into(),
            });
        }
        let url = stores::parse("--lake", location)?;
        let store = stores::open(&url)?;
        Ok(Self { url, store })
    }

    /// A lake at a URL that ends with a slash, in a store of one's own, which is rooted where
    /// the path of the URL begins.
    pub fn in_store(url: Url, store: Arc<dyn ObjectStore>) -> Self {
        Self { url, store }
    }

    /// Where the tables are; ends with a slash.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The store that holds it, rooted at its bucket, its container or the file system.
    pub fn store(&self) -> &Arc<dyn ObjectStore> {
        &self.store
    }

    /// How to show it: a path where it is one.
    pub fn display(&self) -> String {
        let shown = match self.url.to_file_path() {
            Ok(path) => path.display().to_string(),
            Err(()) => self.url.to_string(),
        };
        shown.trim_end_matches('/').to_owned()
    }

    /// A table that must exist; [`Error::NoLake`] where there is none.
    pub async fn table(&self, name: TableName) -> Result<LakeTable> {
        self.table_if_exists(name)
            .await?
            .ok_or_else(|| Error::NoLake { url: self.display() })
    }

    /// A table, or none where it has not been made yet.
    pub async fn table_if_exists(&self, name: TableName) -> Result<Option<LakeTable>> {
        LakeTable::open(self, name).await
    }

    /// A table, made where it is absent. Two that make it at once both get it.
    pub async fn table_or_create(&self, name: TableName) -> Result<LakeTable> {
        LakeTable::open_or_create(self, name).await
    }
}
