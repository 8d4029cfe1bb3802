//! One Delta table: opening, listing its files, appending to it.

use super::entry::{DataFile, parse_statistics};
use super::layout::TableName;
use super::{Lake, ParquetFile};
use crate::error::{Error, Result};
use datafusion::arrow::datatypes::{DataType, Schema};
use datafusion::common::ScalarValue;
use datafusion::object_store::path::Path;
use datafusion::object_store::{ObjectStore, ObjectStoreExt as _};
use deltalake::kernel::engine::arrow_conversion::TryIntoKernel as _;
use deltalake::kernel::transaction::{CommitBuilder, CommitProperties, TransactionError};
use deltalake::kernel::{Action, Add, StructType};
use deltalake::protocol::{DeltaOperation, SaveMode};
use deltalake::{DeltaTable, DeltaTableBuilder, DeltaTableError};
use std::collections::HashMap;
use std::sync::Arc;
use url::Url;

/// A table of a lake at one version.
#[derive(Debug, Clone)]
pub struct LakeTable {
    name: TableName,
    url: Url,
    lake: String,
    delta: DeltaTable,
}

/// What became of an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appended {
    /// The files are part of the table at this version.
    Committed(u64),
    /// Somebody else committed since this table was last refreshed: nothing was added.
    /// Refresh, look at what came, and try again.
    Outdated,
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
        let mut delta = DeltaTableBuilder::from_url(url.clone())
            .and_then(DeltaTableBuilder::build)
            .map_err(|e| Error::store(&action, e))?;
        match delta.load().await {
            Ok(()) => {}
            Err(DeltaTableError::NotATable(_)) => return Ok(None),
            Err(error) => return Err(Error::store(action, error)),
        }
        let table = Self {
            name,
            url,
            lake: lake.display(),
            delta,
        };
        table.refuse_unknown_features()?;
        Ok(Some(table))
    }

    pub(super) async fn open_or_create(lake: &Lake, name: TableName) -> Result<Self> {
        if let Some(table) = Self::open(lake, name).await? {
            return Ok(table);
        }
        let created = Self::create(lake, name).await;
        match Self::open(lake, name).await? {
            // Another process may have made it first, which is as good.
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
        let delta = DeltaTableBuilder::from_url(url)
            .and_then(DeltaTableBuilder::build)
            .map_err(|e| Error::store(&action, e))?;
        delta
            .create()
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

    fn snapshot(&self) -> Result<&deltalake::table::state::DeltaTableState> {
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

    /// Every file of this version.
    pub fn files(&self) -> Result<Vec<DataFile>> {
        let schema = self.name.file_schema();
        let partition_columns = self.name.partition_columns();
        let log = self.snapshot()?.log_data();
        let files = log.iter().map(|view| {
            let (rows, statistics) = view
                .stats()
                .map(|text| parse_statistics(&text, &schema))
                .unwrap_or_default();
            let values = view.partition_values_map();
            let partition = partition_columns
                .iter()
                .map(|column| {
                    let text = values.get(column.name()).cloned().flatten();
                    partition_value(text, column.data_type())
                })
                .collect();
            DataFile {
                path: view.object_store_path().to_string(),
                size: u64::try_from(view.size()).unwrap_or_default(),
                rows,
                modified: view.modification_time(),
                partition,
                statistics,
            }
        });
        Ok(files.collect())
    }

    /// Sees what has been committed since.
    pub async fn refresh(&mut self) -> Result<()> {
        let action = format!("cannot read the log of table {}", self.name.as_str());
        self.delta.update_state().await.map_err(|e| Error::store(action, e))
    }

    /// Uploads files, which stay invisible until they are appended.
    pub async fn upload(&self, file: &ParquetFile) -> Result<()> {
        let path = Path::from(file.path.as_str());
        self.store()
            .put(&path, file.bytes.clone().into())
            .await
            .map_err(|e| Error::store(format!("cannot write {} of table {}", file.path, self.name.as_str()), e))?;
        Ok(())
    }

    /// Removes uploaded files that will not be appended. What cannot be removed is left to vacuum.
    pub async fn discard(&self, files: &[ParquetFile]) {
        for file in files {
            let _ = self.store().delete(&Path::from(file.path.as_str())).await;
        }
    }

    /// Makes uploaded files part of the table, all or none, unless somebody else has
    /// committed since this table was last refreshed.
    pub async fn append(&mut self, files: &[ParquetFile]) -> Result<Appended> {
        let adds = files.iter().map(|file| Action::Add(add_action(file))).collect();
        let operation = DeltaOperation::Write {
            mode: SaveMode::Append,
            partition_by: None,
            predicate: None,
        };
        let properties = CommitProperties::default().with_max_retries(0);
        let log_store = self.delta.log_store();
        let committed = CommitBuilder::from(properties)
            .with_actions(adds)
            .with_app_metadata(HashMap::from([(
                "clientVersion".to_owned(),
                serde_json::Value::from(concat!("retrohunt.", env!("CARGO_PKG_VERSION"))),
            )]))
            .build(Some(self.snapshot()?), log_store, operation)
            .await;
        match committed {
            Ok(commit) => {
                self.refresh().await?;
                Ok(Appended::Committed(commit.version()))
            }
            Err(DeltaTableError::Transaction {
                source: TransactionError::MaxCommitAttempts(_) | TransactionError::VersionAlreadyExists(_),
            }) => Ok(Appended::Outdated),
            Err(error) => Err(Error::store(
                format!("cannot commit to table {}", self.name.as_str()),
                error,
            )),
        }
    }
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

fn add_action(file: &ParquetFile) -> Add {
    Add {
        path: file.path.clone(),
        partition_values: file.partition.iter().cloned().collect(),
        size: file.size as i64,
        modification_time: file.written_ms,
        data_change: true,
        stats: Some(file.statistics.to_string()),
        tags: None,
        deletion_vector: None,
        base_row_id: None,
        default_row_commit_version: None,
        clustering_provider: None,
    }
}
