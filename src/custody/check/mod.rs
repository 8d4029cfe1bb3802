//! Whether a lake is whole: its files are there and hold what the logs say, every event is there
//! once and is what its record says, and the counts of the ledger add up to what is stored.

mod accounts;
mod events;
mod sources;

use crate::error::{Error, Result};
use crate::ingest::Progress;
use crate::lake::{Lake, LakeTable, TableName};
use accounts::Accounts;
use datafusion::arrow::array::RecordBatch;
use events::Partition;
use futures::{StreamExt as _, TryStreamExt as _};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What to look at.
#[derive(Debug, Clone, Copy)]
pub struct CheckRequest {
    /// Only what the logs and the lists of files say; read no data file.
    pub quick: bool,
    /// Read the files again that events came from, where they can be reached.
    pub sources: bool,
    /// Files that are read at once.
    pub threads: usize,
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// Files of the tables that were looked at.
    pub files: u64,
    /// Bytes in them.
    pub bytes: u64,
    /// Events that were read.
    pub events: u64,
    /// Source files whose hash is that of the ledger.
    pub sources: u64,
    /// Source files that cannot be reached any more.
    pub sources_unreachable: u64,
    /// What is wrong.
    pub problems: Vec<Finding>,
    /// What is as it may be, and worth knowing.
    pub notes: Vec<Finding>,
}

/// Something about one place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// The file or table.
    pub place: String,
    /// What about it.
    pub text: String,
}

impl Checked {
    fn problem(&mut self, place: impl Into<String>, text: impl Into<String>) {
        let (place, text) = (place.into(), text.into());
        self.problems.push(Finding { place, text });
    }

    fn note(&mut self, place: impl Into<String>, text: impl Into<String>) {
        let (place, text) = (place.into(), text.into());
        self.notes.push(Finding { place, text });
    }
}

/// Checks a lake. What is wrong with it is a finding, not an error.
pub async fn check(lake: &Lake, request: CheckRequest, progress: Arc<dyn Progress>) -> Result<Checked> {
    let mut checked = Checked::default();
    let mut tables = BTreeMap::new();
    for name in TableName::ALL {
        match lake.table_if_exists(name).await? {
            Some(table) => drop(tables.insert(name.as_str(), table)),
            None if name == TableName::Events => return Err(Error::NoLake { url: lake.display() }),
            None if matches!(name, TableName::Quarantine | TableName::Ledger) => {
                checked.problem(name.as_str(), "there is no such table");
            }
            // Made by the first who has something to write.
            None => {}
        }
    }
    for table in tables.values() {
        presence(table, &mut checked).await?;
    }
    let mut accounts = Accounts::default();
    if !request.quick {
        progress.total(checked.bytes);
        let read = AtomicU64::new(0);
        let advance = |bytes: u64| progress.position(read.fetch_add(bytes, Ordering::Relaxed) + bytes);
        for table in tables.values() {
            match table.name() {
                TableName::Events => read_events(table, request.threads, &advance, &mut checked, &mut accounts).await?,
                _ => {
                    read_rows(table, &advance, &mut checked, &mut accounts).await?;
                }
            }
        }
        if let Some(events) = tables.get(TableName::Events.as_str()) {
            accounts.settle(events, &mut checked).await?;
        }
    } else if let Some(ledger) = tables.get(TableName::Ledger.as_str()) {
        read_rows(ledger, &|_| {}, &mut checked, &mut accounts).await?;
    }
    if request.sources {
        sources::compare(&accounts, request.threads, &mut checked).await?;
    }
    checked.problems.sort();
    checked.notes.sort();
    Ok(checked)
}

/// Whether each file is there with its size; what else is in the folder.
async fn presence(table: &LakeTable, checked: &mut Checked) -> Result<()> {
    let mut stored = table.stored().await?;
    for file in table.files()? {
        checked.files += 1;
        checked.bytes += file.size;
        let place = format!("{}{}", table.url(), file.path);
        match stored.remove(&file.path) {
            None => checked.problem(place, "the file is not there"),
            Some(size) if size != file.size => {
                checked.problem(
                    place,
                    format!("the file has {size} bytes, and the log says {}", file.size),
                );
            }
            Some(_) => {}
        }
    }
    if !stored.is_empty() {
        let text = format!(
            "{} files are no part of the table (any more): `retrohunt lake vacuum` deletes them in time",
            stored.len()
        );
        checked.note(table.url().as_str(), text);
    }
    Ok(())
}

async fn read_events(
    table: &LakeTable,
    threads: usize,
    advance: &(dyn Fn(u64) + Sync),
    checked: &mut Checked,
    accounts: &mut Accounts,
) -> Result<()> {
    let partitions = events::partitions(table)?.into_iter().map(|partition| async move {
        let bytes = partition.bytes();
        let found = partition.read(table).await;
        advance(bytes);
        found
    });
    let mut partitions = futures::stream::iter(partitions).buffer_unordered(threads.max(1));
    while let Some(found) = partitions.try_next().await? {
        let Partition {
            problems,
            events,
            by_source,
            ..
        } = found;
        checked.events += events;
        checked.problems.extend(problems);
        for (sha256, count) in by_source {
            accounts.add_events(sha256, count);
        }
    }
    Ok(())
}

async fn read_rows(
    table: &LakeTable,
    advance: &(dyn Fn(u64) + Sync),
    checked: &mut Checked,
    accounts: &mut Accounts,
) -> Result<()> {
    for (file, sha256) in table.files_with_hashes()? {
        let place = format!("{}{}", table.url(), file.path);
        let mut look = |batch: &RecordBatch| accounts.add_rows(table.name(), batch);
        for text in table.verify(&file, sha256.as_deref(), &mut look).await {
            checked.problem(place.as_str(), text);
        }
        advance(file.size);
    }
    Ok(())
}
