//! What the ledger says of each source file, held against what is stored of it.

use super::Checked;
use crate::error::Result;
use crate::lake::{LakeTable, TableName};
use datafusion::arrow::array::{Array as _, AsArray as _, RecordBatch};
use datafusion::arrow::datatypes::Int64Type;
use datafusion::common::ScalarValue;
use std::collections::{BTreeMap, BTreeSet};

/// What is known of the content of a source file, by whatever name it was ingested.
#[derive(Debug, Default)]
pub(super) struct Account {
    /// Paths and URLs.
    pub(super) names: BTreeSet<String>,
    /// Ledger: events that became part of the lake, of records and of what records carry.
    stored: u64,
    /// Ledger: records whose event was there already.
    duplicate: u64,
    /// Ledger: the most that one ingest rejected.
    rejected: u64,
    in_ledger: bool,
    events: u64,
    quarantined: u64,
}

/// By SHA-256.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    pub(super) by_hash: BTreeMap<String, Account>,
    /// Rows of the ledger that do not add up: file, and in what.
    unbalanced: Vec<(String, String)>,
}

impl Accounts {
    pub(super) fn add_events(&mut self, sha256: String, count: u64) {
        self.by_hash.entry(sha256).or_default().events += count;
    }

    pub(super) fn add_rows(&mut self, table: TableName, batch: &RecordBatch) {
        let texts = |name: &str| batch.column_by_name(name)?.as_string_opt::<i32>();
        let (Some(hashes), Some(files)) = (texts("source_sha256"), texts("source_file")) else {
            return;
        };
        let number = |name: &str, row: usize| {
            let column = batch.column_by_name(name);
            let numbers = column.and_then(|column| column.as_primitive_opt::<Int64Type>());
            numbers.map_or(0, |numbers| numbers.value(row) as u64)
        };
        for row in (0..batch.num_rows()).filter(|row| hashes.is_valid(*row)) {
            let account = self.by_hash.entry(hashes.value(row).to_owned()).or_default();
            if table == TableName::Quarantine {
                account.quarantined += 1;
                continue;
            }
            let [read, stored, duplicate, rejected, derived] =
                ["read", "stored", "duplicate", "rejected", "derived"].map(|name| number(name, row));
            account.in_ledger = true;
            account.names.insert(files.value(row).to_owned());
            account.stored += stored + derived;
            account.duplicate += duplicate;
            account.rejected = account.rejected.max(rejected);
            if read != stored + duplicate + rejected {
                let text = format!(
                    "the ledger says {read} records read, but {stored} stored, {duplicate} duplicate, {rejected} rejected"
                );
                self.unbalanced.push((files.value(row).to_owned(), text));
            }
        }
    }

    /// Compares. Less than the ledger says may have been removed on purpose; more was stored by
    /// an ingest that did not come to its end.
    pub(super) async fn settle(&self, events: &LakeTable, checked: &mut Checked) -> Result<()> {
        for (file, text) in &self.unbalanced {
            checked.problem(file.as_str(), text.as_str());
        }
        let retained = retained(events).await?;
        for (sha256, account) in &self.by_hash {
            let place = match account.names.first() {
                Some(name) => name.clone(),
                None => format!("the file with SHA-256 {sha256}"),
            };
            if !account.in_ledger {
                if account.events > 0 {
                    let text = format!(
                        "{} events of it are stored, but its ingest did not come to its end: ingest it again",
                        account.events
                    );
                    checked.note(place, text);
                }
                continue;
            }
            if account.events < account.stored {
                let (stored, there) = (account.stored, account.events);
                let text = format!("the ledger says that {stored} events of it are stored, and {there} are there");
                match retained {
                    true => checked.note(
                        place.as_str(),
                        format!("{text}: events have been removed by `lake vacuum --retain`"),
                    ),
                    false => checked.problem(place.as_str(), text),
                }
            } else if account.events > account.stored {
                let more = account.events - account.stored;
                checked.note(
                    place.as_str(),
                    format!("{more} events of it were stored by an ingest that did not come to its end"),
                );
            }
            if account.quarantined < account.rejected {
                let (rejected, kept) = (account.rejected, account.quarantined);
                let text = format!(
                    "the ledger says that {rejected} records of it were rejected, and {kept} are in quarantine"
                );
                checked.problem(place, text);
            }
        }
        Ok(())
    }
}

/// Whether events have ever been removed for their age. Of a dataset that has none left, the
/// table's log is not asked: then nothing of it is missed.
async fn retained(events: &LakeTable) -> Result<bool> {
    let files = events.files()?;
    let datasets: BTreeSet<&str> = files
        .iter()
        .filter_map(|file| match file.partition.first() {
            Some(ScalarValue::Utf8(Some(dataset))) => Some(dataset.as_str()),
            _ => None,
        })
        .collect();
    for dataset in datasets {
        if events.first_kept(dataset).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}
