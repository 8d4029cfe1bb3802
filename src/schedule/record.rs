//! The commit that has the alerts of evaluations and how far these got: all of it, or nothing.

use super::checkpoint::{APPLICATION, Checkpoint};
use crate::alerts::Revision;
use crate::alerts::revision::to_batch;
use crate::error::{Error, Result};
use crate::lake::{Committed, Lake, LakeTable, ParquetFile, TableName, encode};

/// Attempts against others who write to the table, as compactions and promotions do.
const ATTEMPTS: usize = 50;

/// Rows of a batch.
const ROWS: usize = 1024;

/// The table and the checkpoint that is current there.
#[derive(Debug)]
pub(super) struct Record {
    lake: Lake,
    alerts: LakeTable,
    pub(super) checkpoint: Checkpoint,
}

/// What became of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Recorded {
    /// It is done, as this version of `alerts`.
    At(u64),
    /// Another scheduler has committed: nothing was done, and the checkpoint is now the other's.
    Lost,
}

impl Record {
    pub(super) async fn open(lake: &Lake) -> Result<Self> {
        let alerts = lake.table_or_create(TableName::Alerts).await?;
        Ok(Self {
            lake: lake.clone(),
            checkpoint: Checkpoint::read(lake, &alerts).await?,
            alerts,
        })
    }

    /// The version of `alerts` that was seen last.
    pub(super) fn version(&self) -> u64 {
        self.alerts.version()
    }

    /// Commits revisions and the checkpoint that they lead to.
    pub(super) async fn commit(&mut self, revisions: &[Revision], mut next: Checkpoint) -> Result<Recorded> {
        let mut files = Vec::new();
        if !revisions.is_empty() {
            let batches = revisions.chunks(ROWS).map(to_batch);
            let file = encode(TableName::Alerts, &TableName::Alerts.file_schema(), Vec::new(), batches)?;
            self.alerts.upload(&file).await?;
            files.push(file);
        }
        let number = self.checkpoint.number;
        next.number = number;
        if let Err(error) = next.write(&self.lake).await {
            self.alerts.discard(&files).await;
            return Err(error);
        }
        let done = self.attempt(&files, number, &next).await;
        match &done {
            Ok(Recorded::At(_)) => {
                self.checkpoint = next;
                self.checkpoint.remove_old(&self.lake).await;
            }
            Ok(Recorded::Lost) => {
                self.alerts.discard(&files).await;
                next.discard(&self.lake).await;
                self.refresh().await?;
            }
            // Where nobody knows whether it is done, what was written stays until it is vacuumed.
            Err(_) => {
                self.refresh().await?;
                if self.checkpoint.number == next.number {
                    return Ok(Recorded::At(self.alerts.version()));
                }
            }
        }
        done
    }

    async fn attempt(&mut self, files: &[ParquetFile], number: i64, next: &Checkpoint) -> Result<Recorded> {
        for _ in 0..ATTEMPTS {
            // What was seen of the table must be what this checkpoint follows.
            if self.alerts.noted(APPLICATION).await?.unwrap_or_default() != number {
                return Ok(Recorded::Lost);
            }
            match self.alerts.append_noting(files, APPLICATION, next.number).await? {
                Committed::At(version) => return Ok(Recorded::At(version)),
                // The table has been refreshed.
                Committed::Outdated => {}
            }
        }
        Err(Error::store(
            "cannot commit to table alerts",
            "other writers were first each time",
        ))
    }

    /// Sees what others have committed. Whether another scheduler has.
    pub(super) async fn refresh(&mut self) -> Result<bool> {
        self.alerts.refresh().await?;
        let number = self.alerts.noted(APPLICATION).await?.unwrap_or_default();
        if number == self.checkpoint.number {
            return Ok(false);
        }
        self.checkpoint = Checkpoint::read(&self.lake, &self.alerts).await?;
        Ok(true)
    }
}
