//! Changes of a table: one atomic commit each, and never over one that was not looked at.

use super::table::{LakeTable, said_of};
use super::{DataFile, ParquetFile};
use crate::error::{Error, Result};
use deltalake::DeltaTableError;
use deltalake::kernel::transaction::{CommitBuilder, CommitProperties, TransactionError};
use deltalake::kernel::{Action, Add, Remove, Transaction};
use deltalake::protocol::checkpoints::{cleanup_metadata, create_checkpoint};
use deltalake::protocol::{DeltaOperation, SaveMode};
use std::collections::{HashMap, HashSet};

/// After so many commits the log is summed up in a checkpoint: to open a table takes a request
/// for each commit after the last one.
const CHECKPOINT_EVERY: u64 = 10;

/// So many files in one commit are summed up at once, if they are a tenth of all: as lines of JSON they take
/// twice as long to read.
const FILES_OF_A_CHECKPOINT: usize = 200;

/// How often a commit that fails is tried again, unless somebody else commits.
const COMMIT_AGAIN: usize = 3;

/// The tag under which the log keeps the hash of a file.
const SHA256_TAG: &str = "retrohunt.sha256";

/// The tag under which the log tells where the filters of a file are.
pub(super) const FILTERS_TAG: &str = "retrohunt.filters";

/// What became of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Committed {
    /// The change is part of the table at this version.
    At(u64),
    /// Somebody else committed since this table was last refreshed: nothing was changed.
    /// Refresh, look at what came, and try again.
    Outdated,
}

impl LakeTable {
    /// Makes uploaded files part of the table, all or none, unless somebody else has
    /// committed since this table was last refreshed.
    pub async fn append(&mut self, files: &[ParquetFile]) -> Result<Committed> {
        let operation = DeltaOperation::Write {
            mode: SaveMode::Append,
            partition_by: None,
            predicate: None,
        };
        let adds = files.iter().map(|file| Action::Add(add_action(file, true))).collect();
        self.commit(adds, operation).await
    }

    /// As [`Self::append`], of any number of files, and notes a number under a name in the same
    /// commit, as a Delta application transaction. The last one is that of [`Self::noted`]. Nobody
    /// else may note the same number.
    pub async fn append_noting(&mut self, files: &[ParquetFile], name: &str, number: i64) -> Result<Committed> {
        let operation = DeltaOperation::Write {
            mode: SaveMode::Append,
            partition_by: None,
            predicate: None,
        };
        let adds = files.iter().map(|file| Action::Add(add_action(file, true)));
        let note = Action::Txn(Transaction::new(name.to_owned(), number));
        let committed = self.commit(adds.chain([note]).collect(), operation).await;
        // Without files nothing but the number tells that a commit which failed was done.
        let unsure = files.is_empty() && !matches!(committed, Ok(Committed::At(_)));
        if unsure && self.noted(name).await.is_ok_and(|noted| noted == Some(number)) {
            return Ok(Committed::At(self.version()));
        }
        committed
    }

    /// The number that was noted last under a name, at the version that this table sees.
    pub async fn noted(&self, name: &str) -> Result<Option<i64>> {
        let log_store = self.delta().log_store();
        let version = self.snapshot()?.transaction_version(log_store.as_ref(), name);
        version
            .await
            .map_err(|error| Error::store(format!("cannot read the log of table {}", self.name().as_str()), error))
    }

    async fn commit(&mut self, actions: Vec<Action>, operation: DeltaOperation) -> Result<Committed> {
        let added: HashSet<String> = actions
            .iter()
            .filter_map(|action| match action {
                Action::Add(add) => Some(add.path.clone()),
                _ => None,
            })
            .collect();
        let before = self.version();
        let mut written = self.write_commit(actions.clone(), operation.clone()).await;
        for _ in 0..COMMIT_AGAIN {
            // Nobody has committed, nor have we: it may be done now. Both at once cannot be, as
            // the version is the same.
            let refused = matches!(&written, Err(error) if !is_outdated(error));
            if !refused || self.refresh().await.is_err() || self.version() > before {
                break;
            }
            written = self.write_commit(actions.clone(), operation.clone()).await;
        }
        match written {
            Ok(()) => self.refresh().await?,
            Err(error) => {
                let outdated = is_outdated(&error);
                // A store can do what it is asked for and then fail to say so; asked again, it
                // says that what it should make is there.
                let done = self.refresh().await.is_ok() && self.version() > before && self.has_any(&added)?;
                if !done && outdated {
                    return Ok(Committed::Outdated);
                }
                if !done {
                    let action = format!("cannot commit to table {}", self.name().as_str());
                    return Err(Error::store(action, error));
                }
            }
        }
        let files = self.snapshot().map_or(0, |snapshot| snapshot.log_data().num_files());
        let many = added.len() >= FILES_OF_A_CHECKPOINT && added.len() >= files / 10;
        if many || before / CHECKPOINT_EVERY != self.version() / CHECKPOINT_EVERY {
            self.sum_up().await;
        }
        Ok(Committed::At(self.version()))
    }

    async fn write_commit(&self, actions: Vec<Action>, operation: DeltaOperation) -> Result<(), DeltaTableError> {
        let client = serde_json::Value::from(concat!("retrohunt.", env!("CARGO_PKG_VERSION")));
        let commit = CommitBuilder::from(CommitProperties::default().with_max_retries(0))
            .with_actions(actions)
            .with_app_metadata(HashMap::from([("clientVersion".to_owned(), client)]))
            .build(Some(self.delta().snapshot()?), self.delta().log_store(), operation);
        // What follows a commit is ours to do: it may fail, and the commit stays.
        commit.into_prepared_commit_future().await?.await?;
        Ok(())
    }

    /// Puts files in the place of others that hold the same rows, for those who read the table
    /// from now on. The others must be part of the version that this table sees.
    pub async fn replace(&mut self, removed: &[DataFile], added: &[ParquetFile]) -> Result<Committed> {
        let operation = DeltaOperation::Optimize {
            predicate: None,
            target_size: 0,
        };
        let adds = added.iter().map(|file| Action::Add(add_action(file, false)));
        let removes = removed
            .iter()
            .map(|file| Action::Remove(self.remove_action(file, false)));
        self.commit(adds.chain(removes).collect(), operation).await
    }

    /// Takes files, and the rows in them, out of the table, and notes for ever of which datasets
    /// nothing before a day is kept. The bytes stay until they are vacuumed.
    pub async fn remove(&mut self, removed: &[DataFile], first_kept: &[(String, i64)]) -> Result<Committed> {
        let removes = removed
            .iter()
            .map(|file| Action::Remove(self.remove_action(file, true)));
        let notes = first_kept
            .iter()
            .map(|(dataset, day)| Action::Txn(Transaction::new(retention_mark(dataset), *day)));
        let operation = DeltaOperation::Delete { predicate: None };
        self.commit(removes.chain(notes).collect(), operation).await
    }

    /// The first day of a dataset that is kept, days since the Unix epoch, if earlier ones have
    /// been removed on purpose.
    pub async fn first_kept(&self, dataset: &str) -> Result<Option<i64>> {
        self.noted(&retention_mark(dataset)).await
    }

    /// SHA-256 of the files of this version, by path, where the log has it.
    pub(super) fn hashes(&self) -> Result<HashMap<String, String>> {
        let log = self.snapshot()?.log_data();
        let hashes = log.iter().filter_map(|view| {
            let tags = said_of(&view).tags?;
            let hash = tags.get(SHA256_TAG).cloned().flatten()?;
            Some((view.object_store_path().to_string(), hash))
        });
        Ok(hashes.collect())
    }

    /// Partition columns and their values.
    pub(super) fn partition_of(&self, file: &DataFile) -> Vec<(String, Option<String>)> {
        let columns = self.name().partition_columns();
        let values = columns.iter().zip(&file.partition).map(|(column, value)| {
            let value = (!value.is_null()).then(|| value.to_string());
            (column.name().clone(), value)
        });
        values.collect()
    }

    fn remove_action(&self, file: &DataFile, data_change: bool) -> Remove {
        Remove {
            path: file.path.clone(),
            data_change,
            deletion_timestamp: Some(chrono::Utc::now().timestamp_millis()),
            extended_file_metadata: Some(true),
            partition_values: Some(self.partition_of(file).into_iter().collect()),
            size: i64::try_from(file.size).ok(),
            tags: None,
            deletion_vector: None,
            base_row_id: None,
            default_row_commit_version: None,
        }
    }

    /// Whether one of the files is part of this version. Their names are nobody else's.
    fn has_any(&self, paths: &HashSet<String>) -> Result<bool> {
        let log = self.snapshot()?.log_data();
        Ok(log.iter().any(|view| paths.contains(view.object_store_path().as_ref())))
    }

    /// A checkpoint, and the end of what is older than the log is kept. The table is whole
    /// without either, and whoever commits next tries again.
    async fn sum_up(&self) {
        if create_checkpoint(self.delta(), None).await.is_ok() {
            let _ = cleanup_metadata(self.delta(), None).await;
        }
    }
}

/// The name under which the table's log keeps the first day of a dataset that is kept.
fn retention_mark(dataset: &str) -> String {
    format!("retrohunt.retention.{dataset}")
}

/// Somebody else was first, or we were and did not hear of it.
fn is_outdated(error: &DeltaTableError) -> bool {
    matches!(
        error,
        DeltaTableError::Transaction {
            source: TransactionError::MaxCommitAttempts(_) | TransactionError::VersionAlreadyExists(_),
        }
    )
}

fn add_action(file: &ParquetFile, data_change: bool) -> Add {
    let filters = file.filters.clone().map(|told| (FILTERS_TAG.to_owned(), Some(told)));
    let hash = (SHA256_TAG.to_owned(), Some(file.sha256.clone()));
    Add {
        path: file.path.clone(),
        partition_values: file.partition.iter().cloned().collect(),
        size: file.size as i64,
        modification_time: file.written_ms,
        data_change,
        stats: Some(file.statistics.to_string()),
        tags: Some(filters.into_iter().chain([hash]).collect()),
        deletion_vector: None,
        base_row_id: None,
        default_row_commit_version: None,
        clustering_provider: None,
    }
}
