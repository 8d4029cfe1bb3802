//! Pending events to the lake: one atomic commit, whatever other ingests do meanwhile.

use super::dedup::{Known, Partition, PartitionIds, Verdict};
use super::parse::Rejected;
use super::pending::{Origin, Pending, RowRef};
use super::quarantine::Quarantine;
use super::records::ledger_rows;
use super::report::FileReport;
use super::write::write;
use crate::error::{Error, Result};
use crate::lake::{Committed, DataFile, Lake, LakeTable, ParquetFile, TableName, encode};
use crate::schema::{EVENT_DATASET, EVENT_HASH, EVENT_KEY, SOURCE_FORMAT};
use crate::sources::SOURCES;
use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::datatypes::Int64Type;
use futures::{StreamExt as _, TryStreamExt as _};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Attempts against other writers before giving up; each loses only to a commit of somebody else.
pub(super) const ATTEMPTS: usize = 200;

/// Files that are read at once.
const FILES_AT_ONCE: usize = 16;

/// A row that turned out not to be new after all.
pub(super) struct Withdrawn {
    pub(super) row: RowRef,
    pub(super) verdict: Verdict,
}

/// The tables an ingest writes to, and what it knows of their contents.
#[derive(Debug)]
pub(super) struct Committer {
    events: LakeTable,
    quarantine: Quarantine,
    ledger: LakeTable,
    ids: HashMap<Partition, PartitionIds>,
    /// Data files whose ids are in `ids`.
    seen: HashSet<String>,
    /// Files by partition at the version that `events` sees.
    files: HashMap<Partition, Vec<DataFile>>,
    threads: usize,
    ids_limit: usize,
}

impl Committer {
    /// Opens or makes the tables. `ids_limit` is how many bytes of known identities are
    /// kept from commit to commit.
    pub(super) async fn open(lake: &Lake, threads: usize, ids_limit: usize) -> Result<Self> {
        let mut committer = Self {
            events: lake.table_or_create(TableName::Events).await?,
            quarantine: Quarantine::of(lake.table_or_create(TableName::Quarantine).await?),
            ledger: lake.table_or_create(TableName::Ledger).await?,
            ids: HashMap::new(),
            seen: HashSet::new(),
            files: HashMap::new(),
            threads,
            ids_limit,
        };
        committer.list_files()?;
        Ok(committer)
    }

    fn list_files(&mut self) -> Result<()> {
        self.files.clear();
        for file in self.events.files()? {
            if let Some(partition) = partition_of(&file) {
                self.files.entry(partition).or_default().push(file);
            }
        }
        Ok(())
    }

    /// Drops the known identities where they take more than this. They are read again
    /// when their partition is touched again; only right after a commit is nothing lost.
    fn forget_ids(&mut self, limit: usize) {
        if self.ids.values().map(PartitionIds::bytes).sum::<usize>() > limit {
            self.ids.clear();
            self.seen.clear();
        }
    }

    /// The identities of a partition, loading what it holds when it is touched first.
    pub(super) async fn ids(&mut self, partition: &Partition) -> Result<&mut PartitionIds> {
        self.load_ids(std::iter::once(partition.clone())).await?;
        Ok(self.ids.entry(partition.clone()).or_default())
    }

    /// Loads what these partitions hold, where they are touched first.
    pub(super) async fn load_ids(&mut self, partitions: impl Iterator<Item = Partition>) -> Result<()> {
        let missing: Vec<Partition> = partitions
            .filter(|partition| !self.ids.contains_key(partition))
            .collect();
        for (partition, ids) in self.load_unseen(&missing).await? {
            self.ids.insert(partition, ids);
        }
        for partition in missing {
            self.ids.entry(partition).or_default();
        }
        Ok(())
    }

    /// The identities in those files of the partitions that have not been seen yet. Several at
    /// once: from a store, each takes as long as the way there and back.
    async fn load_unseen(&mut self, partitions: &[Partition]) -> Result<HashMap<Partition, PartitionIds>> {
        let files = partitions.iter().flat_map(|partition| {
            let files = self.files.get(partition).into_iter().flatten();
            let unseen = files.filter(|file| !self.seen.contains(&file.path));
            unseen.map(move |file| (partition.clone(), file.clone()))
        });
        let files: Vec<(Partition, DataFile)> = files.collect();
        let events = &self.events;
        let loads = files.into_iter().map(|(partition, file)| async move {
            let ids = load(events, &file).await?;
            Ok::<_, Error>((partition, file.path, ids))
        });
        let mut loads = futures::stream::iter(loads).buffered(FILES_AT_ONCE);
        let mut came: HashMap<Partition, PartitionIds> = HashMap::new();
        let mut seen = Vec::new();
        while let Some((partition, path, ids)) = loads.try_next().await? {
            came.entry(partition).or_default().extend(&ids);
            seen.push(path);
        }
        drop(loads);
        self.seen.extend(seen);
        Ok(came)
    }

    /// Contents that have been ingested completely before, under any path: counts by SHA-256.
    pub(super) async fn ledger(&self) -> Result<HashMap<String, FileReport>> {
        let mut found = HashMap::new();
        let columns = [
            "source_sha256",
            "size",
            "read",
            "stored",
            "duplicate",
            "rejected",
            "problem",
        ];
        let mut batches = self.ledger.read_all(&columns)?;
        while let Some(batch) = batches.try_next().await? {
            collect_ledger(&batch, &mut found);
        }
        Ok(found)
    }

    /// Stores the pending events in one commit. Returns rows that another ingest had
    /// stored in the meantime, and the version of the table.
    pub(super) async fn commit_events(
        &mut self,
        mut pending: Pending,
        origins: &[Origin],
    ) -> Result<(Pending, Vec<Withdrawn>, u64)> {
        let mut withdrawn = Vec::new();
        let mut written: BTreeMap<Partition, ParquetFile> = BTreeMap::new();
        for attempt in 0..ATTEMPTS {
            let missing: Vec<Partition> = pending
                .partitions
                .iter()
                .filter(|(partition, rows)| !rows.is_empty() && !written.contains_key(*partition))
                .map(|(partition, _)| partition.clone())
                .collect();
            let made = write(&self.events, pending, missing, origins, self.threads).await?;
            pending = made.0;
            written.extend(made.1);
            if written.is_empty() {
                return Ok((pending, withdrawn, self.events.version()));
            }
            let files: Vec<ParquetFile> = written.values().cloned().collect();
            match self.events.append(&files).await? {
                Committed::At(version) => {
                    self.seen.extend(files.into_iter().map(|file| file.path));
                    self.absorb().await?;
                    self.forget_ids(self.ids_limit);
                    return Ok((pending, withdrawn, version));
                }
                Committed::Outdated => {
                    back_off(attempt).await;
                    let stale = self.withdraw_stored(&mut pending, &mut withdrawn).await?;
                    for partition in stale {
                        if let Some(file) = written.remove(&partition) {
                            self.events.discard(std::slice::from_ref(&file)).await;
                        }
                    }
                }
            }
        }
        Err(Error::Store {
            action: "cannot commit to table events".into(),
            source: format!("other writers were first {ATTEMPTS} times; run the ingest again").into(),
        })
    }

    /// Looks at what others have committed, and takes out of `pending` what is now stored.
    /// Returns the partitions that changed.
    async fn withdraw_stored(
        &mut self,
        pending: &mut Pending,
        withdrawn: &mut Vec<Withdrawn>,
    ) -> Result<Vec<Partition>> {
        self.events.refresh().await?;
        let theirs = self.absorb().await?;
        let mut changed = Vec::new();
        for (partition, rows) in &mut pending.partitions {
            let Some(theirs) = theirs.get(partition) else { continue };
            let before = rows.len();
            rows.retain(|&(batch, row)| {
                let verdict = theirs.judge(&pending.batches[batch as usize].meta[row as usize]);
                if verdict != Verdict::New {
                    withdrawn.push(Withdrawn {
                        row: (batch, row),
                        verdict,
                    });
                }
                verdict == Verdict::New
            });
            if rows.len() < before {
                changed.push(partition.clone());
            }
        }
        Ok(changed)
    }

    /// Takes note of what the version that `events` sees has and this ingest has not
    /// seen, in every partition whose identities are known: whatever was refreshed, no
    /// later commit would be told of it. Returns the identities that came, by partition.
    async fn absorb(&mut self) -> Result<HashMap<Partition, PartitionIds>> {
        self.list_files()?;
        let known: Vec<Partition> = self.ids.keys().cloned().collect();
        let came = self.load_unseen(&known).await?;
        for (partition, theirs) in &came {
            self.ids.entry(partition.clone()).or_default().extend(theirs);
        }
        Ok(came)
    }

    /// Keeps rejected records, each once however often its file is ingested.
    pub(super) async fn commit_quarantine(&mut self, rejected: &[Rejected], origins: &[Origin]) -> Result<()> {
        self.quarantine.commit(rejected, origins).await
    }

    /// Writes down finished files.
    pub(super) async fn commit_ledger(&mut self, files: &[&FileReport], version: Option<u64>) -> Result<()> {
        if files.is_empty() {
            return Ok(());
        }
        for attempt in 0..ATTEMPTS {
            let rows = ledger_rows(files, chrono::Utc::now().timestamp_micros(), version)?;
            if append_rows(&mut self.ledger, TableName::Ledger, rows, attempt)
                .await?
                .is_some()
            {
                return Ok(());
            }
        }
        Err(busy("ledger"))
    }
}

async fn load(events: &LakeTable, file: &DataFile) -> Result<PartitionIds> {
    let mut ids = PartitionIds::default();
    let columns = [EVENT_KEY, EVENT_HASH, SOURCE_FORMAT].map(|field| field.field().column.as_str());
    for batch in events.read_columns(file, &columns).await? {
        let text = |name: &str| {
            batch
                .column_by_name(name)
                .and_then(|column| column.as_string_opt::<i32>())
                .ok_or_else(|| Error::Internal(format!("{} has no column {name}", file.path)))
        };
        let (keys, contents, formats) = (text(columns[0])?, text(columns[1])?, text(columns[2])?);
        for row in 0..batch.num_rows() {
            let Ok(key) = u128::from_str_radix(keys.value(row), 16) else {
                continue;
            };
            let content = u64::from_str_radix(contents.value(row), 16).unwrap_or_default() as i64;
            let format = format_index(formats.value(row));
            ids.insert_stored(key, Known { content, format });
        }
    }
    Ok(ids)
}

/// Adds rows as one file; its path, or nothing where another writer was first.
pub(super) async fn append_rows(
    table: &mut LakeTable,
    name: TableName,
    rows: RecordBatch,
    attempt: usize,
) -> Result<Option<String>> {
    let file = encode(name, &rows.schema(), Vec::new(), [Ok(rows)])?;
    table.upload(&file).await?;
    match table.append(std::slice::from_ref(&file)).await? {
        Committed::At(_) => Ok(Some(file.path)),
        Committed::Outdated => {
            table.discard(std::slice::from_ref(&file)).await;
            back_off(attempt).await;
            table.refresh().await?;
            Ok(None)
        }
    }
}

/// Writers that lost at the same moment try again at different ones.
async fn back_off(attempt: usize) {
    let spread = u64::from(uuid::Uuid::new_v4().as_fields().0) % (20 * (attempt as u64 + 1).min(25));
    tokio::time::sleep(std::time::Duration::from_millis(spread)).await;
}

pub(super) fn busy(table: &str) -> Error {
    Error::Store {
        action: format!("cannot commit to table {table}"),
        source: format!("other writers were first {ATTEMPTS} times; run the ingest again").into(),
    }
}

fn collect_ledger(batch: &RecordBatch, found: &mut HashMap<String, FileReport>) {
    let Some(shas) = batch
        .column_by_name("source_sha256")
        .and_then(|c| c.as_string_opt::<i32>())
    else {
        return;
    };
    let count = |name: &str, row: usize| {
        let numbers = batch
            .column_by_name(name)
            .and_then(|c| c.as_primitive_opt::<Int64Type>());
        numbers.map_or(0, |numbers| numbers.value(row) as u64)
    };
    let problems = batch.column_by_name("problem").and_then(|c| c.as_string_opt::<i32>());
    for row in (0..batch.num_rows()).filter(|&row| shas.is_valid(row)) {
        found.entry(shas.value(row).to_owned()).or_insert_with(|| FileReport {
            size: count("size", row),
            read: count("read", row),
            duplicate: count("stored", row) + count("duplicate", row),
            rejected: count("rejected", row),
            problem: problems
                .filter(|texts| texts.is_valid(row))
                .map(|texts| texts.value(row).to_owned()),
            already_ingested: true,
            ..FileReport::default()
        });
    }
}

fn partition_of(file: &DataFile) -> Option<Partition> {
    use datafusion::common::ScalarValue;
    debug_assert_eq!(EVENT_DATASET.field().column, "event_dataset");
    match file.partition.as_slice() {
        [ScalarValue::Utf8(Some(dataset)), ScalarValue::Date32(Some(day))] => Some(Partition {
            dataset: dataset.clone(),
            day: *day,
        }),
        _ => None,
    }
}

/// Index of a format by its stored name; a name of another version is like no other.
fn format_index(name: &str) -> u8 {
    SOURCES
        .iter()
        .position(|source| source.name() == name)
        .map_or(u8::MAX, |index| index as u8)
}

#[cfg(test)]
mod tests {
    use super::super::framing::Chunk;
    use super::super::parse::parse;
    use super::*;

    /// One ingest that has opened the lake, event by event.
    struct Writer(Committer);

    impl Writer {
        async fn open(lake: &Lake) -> Self {
            Self(Committer::open(lake, 2, usize::MAX).await.unwrap())
        }

        /// Admits events (id, day) and commits those that are new; how many were stored.
        async fn store(&mut self, events: &[(&str, u32)]) -> usize {
            let chunk = Chunk::of_records(events.iter().map(|(id, day)| {
                format!(
                    r#"{{"@timestamp":"2026-03-{day:02}T00:00:00Z","event":{{"id":"{id}","dataset":"d","action":"a"}}}}"#
                )
            }));
            let mut pending = Pending::default();
            for batch in parse(chunk, super::super::Place::default(), true).batches {
                let mut admitted = Vec::new();
                for (row, meta) in batch.meta.iter().enumerate() {
                    let partition = Partition {
                        dataset: batch.dataset.clone(),
                        day: meta.day(),
                    };
                    if self.0.ids(&partition).await.unwrap().admit(meta) == Verdict::New {
                        admitted.push(row as u32);
                    }
                }
                pending.add(batch, &admitted);
            }
            let count: usize = pending.partitions.values().map(Vec::len).sum();
            let origins = [Origin {
                path: "f".into(),
                sha256: "0".into(),
            }];
            let (_, withdrawn, _) = self.0.commit_events(pending, &origins).await.unwrap();
            count - withdrawn.len()
        }
    }

    /// Two ingests take turns in every order: whatever one stores, the other finds stored,
    /// also in partitions that it looked at before and does not write to just now.
    #[tokio::test]
    async fn what_another_ingest_stores_is_never_stored_again() {
        let folder = tempfile::tempdir().unwrap();
        let lake = Lake::at(&folder.path().display().to_string()).unwrap();
        let mut a = Writer::open(&lake).await;
        let mut b = Writer::open(&lake).await;
        assert_eq!(a.store(&[("1", 1), ("2", 2)]).await, 2);
        assert_eq!(b.store(&[("1", 1), ("3", 1)]).await, 1, "withdrawn at the commit");
        assert_eq!(a.store(&[("4", 2)]).await, 1, "refreshed by a commit elsewhere");
        assert_eq!(a.store(&[("3", 1)]).await, 0, "which must not hide what came with it");
        assert_eq!(b.store(&[("2", 2), ("4", 2), ("5", 3)]).await, 1);
        assert_eq!(a.store(&[("5", 3), ("1", 1)]).await, 0);
        let table = lake.table(TableName::Events).await.unwrap();
        let rows: u64 = table.files().unwrap().iter().filter_map(|file| file.rows).sum();
        assert_eq!(rows, 5);
    }
}
