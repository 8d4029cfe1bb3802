//! What a hunt found, recorded in the lake's table `alerts` as if a schedule had found it.

use super::revision::to_batch;
use super::{Change, Revision};
use crate::error::{Error, Result};
use crate::lake::{Committed, Lake, LakeTable, ParquetFile, TableName, encode};
use datafusion::arrow::array::{AsArray as _, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Int64Type};
use futures::{StreamExt as _, TryStreamExt as _};
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

/// Attempts against other writers before giving up; each loses only to a commit of somebody else.
const ATTEMPTS: u64 = 200;

/// Files that are read at once.
const FILES_AT_ONCE: usize = 16;

/// Rows of a batch that is written.
const BATCH_ROWS: usize = 4096;

/// What became of alerts that were to be recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Promoted {
    /// Alerts that were recorded.
    pub promoted: u64,
    /// Alerts that are in the table already, and not withdrawn: left as they are.
    pub known: u64,
}

/// Records alerts in one commit, each once: those that are current already are left alone, one
/// that was withdrawn comes back as its next revision. Safe beside others that commit to the
/// same table: what they recorded is looked at before it is tried again.
///
/// Fails with [`Error::NoLake`] where there is no lake, and with [`Error::Store`] if others
/// are always first.
pub async fn promote(lake: &Lake, revisions: Vec<Revision>) -> Result<Promoted> {
    // A table of alerts alone would look like a lake.
    lake.table(TableName::Events).await?;
    let mut wanted: BTreeMap<String, Revision> = BTreeMap::new();
    for revision in revisions {
        wanted.entry(revision.alert.alert_id.clone()).or_insert(revision);
    }
    if wanted.is_empty() {
        return Ok(Promoted { promoted: 0, known: 0 });
    }
    let mut table = lake.table_or_create(TableName::Alerts).await?;
    let mut last = Last::default();
    for attempt in 0..ATTEMPTS {
        last.look_at(&table, &wanted).await?;
        let rows: Vec<Revision> = wanted.values().filter_map(|revision| last.next(revision)).collect();
        let promoted = Promoted {
            promoted: rows.len() as u64,
            known: (wanted.len() - rows.len()) as u64,
        };
        if rows.is_empty() {
            return Ok(promoted);
        }
        let file = encoded(&rows)?;
        table.upload(&file).await?;
        match table.append(std::slice::from_ref(&file)).await? {
            Committed::At(_) => return Ok(promoted),
            Committed::Outdated => {
                table.discard(std::slice::from_ref(&file)).await;
                back_off(attempt).await;
                table.refresh().await?;
            }
        }
    }
    Err(Error::Store {
        action: "cannot commit to table alerts".into(),
        source: format!("other writers were first {ATTEMPTS} times; promote again, which records nothing twice").into(),
    })
}

fn encoded(rows: &[Revision]) -> Result<ParquetFile> {
    let batches = rows.chunks(BATCH_ROWS).map(to_batch);
    encode(TableName::Alerts, &TableName::Alerts.file_schema(), Vec::new(), batches)
}

/// Writers that lost at the same moment try again at different ones.
async fn back_off(attempt: u64) {
    let spread = u64::from(uuid::Uuid::new_v4().as_fields().0) % (20 * (attempt + 1).min(25));
    tokio::time::sleep(Duration::from_millis(spread)).await;
}

/// The last revision that the table has of each alert that is asked for.
#[derive(Debug, Default)]
struct Last {
    /// Files that were looked at.
    seen: HashSet<String>,
    /// By id: its number, and whether it withdraws the alert.
    revisions: BTreeMap<String, (u32, bool)>,
}

impl Last {
    /// Looks at the files that have come since.
    async fn look_at(&mut self, table: &LakeTable, wanted: &BTreeMap<String, Revision>) -> Result<()> {
        let mut files = table.files()?;
        files.retain(|file| !self.seen.contains(&file.path));
        let mut loads = futures::stream::iter(files)
            .map(|file| async move {
                let batches = table.read_columns(&file, &["alert_id", "revision", "change"]).await?;
                Ok::<_, Error>((file.path, batches))
            })
            .buffered(FILES_AT_ONCE);
        while let Some((path, batches)) = loads.try_next().await? {
            for batch in &batches {
                self.note(batch, wanted)?;
            }
            self.seen.insert(path);
        }
        Ok(())
    }

    fn note(&mut self, batch: &RecordBatch, wanted: &BTreeMap<String, Revision>) -> Result<()> {
        let column = |name: &str, kind: &DataType| {
            let column = batch.column_by_name(name);
            let column = column.ok_or_else(|| Error::Internal(format!("rows of alerts without {name}")))?;
            Ok::<_, Error>(cast(column, kind)?)
        };
        let (ids, changes) = (column("alert_id", &DataType::Utf8)?, column("change", &DataType::Utf8)?);
        let numbers = column("revision", &DataType::Int64)?;
        let (ids, changes) = (ids.as_string::<i32>(), changes.as_string::<i32>());
        let numbers = numbers.as_primitive::<Int64Type>();
        for row in 0..batch.num_rows() {
            let id = ids.value(row);
            if wanted.contains_key(id) {
                let number = u32::try_from(numbers.value(row)).unwrap_or_default();
                let this = (number, changes.value(row) == Change::Withdrawn.as_str());
                let last = self.revisions.entry(id.to_owned()).or_insert(this);
                if this.0 > last.0 {
                    *last = this;
                }
            }
        }
        Ok(())
    }

    /// The alert as it is to be recorded, unless it is there.
    fn next(&self, revision: &Revision) -> Option<Revision> {
        let number = match self.revisions.get(&revision.alert.alert_id) {
            None => 1,
            Some((number, true)) => number + 1,
            Some((_, false)) => return None,
        };
        Some(Revision {
            revision: number,
            ..revision.clone()
        })
    }
}
