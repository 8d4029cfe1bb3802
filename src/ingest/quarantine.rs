//! Rejected records to the table that keeps them, each once however often its file is ingested.

use super::commit::{ATTEMPTS, append_rows, busy};
use super::parse::Rejected;
use super::pending::Origin;
use super::records::quarantine_rows;
use crate::error::Result;
use crate::lake::{LakeTable, TableName};
use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::Int64Type;
use std::collections::{HashMap, HashSet};
use xxhash_rust::xxh3::xxh3_128;

/// The table, and what it had of the files whose records are being rejected.
///
/// A file may have more rejected records than fit in memory, or in the time to look all of them up
/// again at every commit. Within one reading of a file each record is rejected once, so all that
/// has to be known is what an earlier reading of the same content left.
#[derive(Debug)]
pub(super) struct Quarantine {
    table: LakeTable,
    /// By file of this ingest: the places within it of which the table has a record already.
    kept: HashMap<usize, HashSet<u128>>,
    /// Data files of the table that `kept` knows of.
    seen: HashSet<String>,
}

impl Quarantine {
    pub(super) fn of(table: LakeTable) -> Self {
        Self {
            table,
            kept: HashMap::new(),
            seen: HashSet::new(),
        }
    }

    /// Keeps rejected records, in one commit.
    pub(super) async fn commit(&mut self, rejected: &[Rejected], origins: &[Origin]) -> Result<()> {
        for attempt in 0..ATTEMPTS {
            self.look_up(rejected, origins).await?;
            let fresh = self.fresh(rejected, origins);
            let mut committed = fresh.is_empty();
            if !committed {
                let rows = quarantine_rows(&fresh, origins, chrono::Utc::now().timestamp_micros())?;
                if let Some(path) = append_rows(&mut self.table, TableName::Quarantine, rows, attempt).await? {
                    self.seen.insert(path);
                    committed = true;
                }
            }
            if committed {
                // Files follow each other: only the last one may go on.
                let last = rejected.last().map(|record| record.place.file);
                self.kept.retain(|file, _| Some(*file) == last);
                return Ok(());
            }
        }
        Err(busy("quarantine"))
    }

    /// The records that the table does not have.
    fn fresh<'a>(&self, rejected: &'a [Rejected], origins: &[Origin]) -> Vec<&'a Rejected> {
        // The same content may be in several files of one ingest.
        let mut first_in = HashMap::new();
        let is_fresh = |record: &&Rejected| {
            let origin = &origins[record.place.origin];
            let file = record.place.file;
            let place = place(Origin::member(&origin.path), record.position);
            let kept = self.kept.get(&file).is_some_and(|kept| kept.contains(&place));
            !kept && *first_in.entry((&origin.sha256, place)).or_insert(file) == file
        };
        rejected.iter().filter(is_fresh).collect()
    }

    /// Learns what the table has of the files of these records.
    async fn look_up(&mut self, rejected: &[Rejected], origins: &[Origin]) -> Result<()> {
        let mut files: HashMap<&str, HashSet<usize>> = HashMap::new();
        let mut unknown = HashSet::new();
        for record in rejected {
            let (file, origin) = (record.place.file, &origins[record.place.origin]);
            files.entry(&origin.sha256).or_default().insert(file);
            if !self.kept.contains_key(&file) {
                unknown.insert(file);
            }
        }
        for data in self.table.files()? {
            let seen = !self.seen.insert(data.path.clone());
            if seen && unknown.is_empty() {
                continue;
            }
            let columns = ["source_sha256", "source_file", "source_position"];
            for batch in self.table.read_columns(&data, &columns).await? {
                let texts = |name| batch.column_by_name(name).and_then(|c| c.as_string_opt::<i32>());
                let positions = batch.column_by_name(columns[2]);
                let positions = positions.and_then(|c| c.as_primitive_opt::<Int64Type>());
                let (Some(hashes), Some(paths), Some(positions)) = (texts(columns[0]), texts(columns[1]), positions)
                else {
                    continue;
                };
                for ((sha, path), position) in hashes.iter().zip(paths).zip(positions) {
                    let Some(mine) = sha.and_then(|sha| files.get(sha)) else {
                        continue;
                    };
                    let place = place(
                        Origin::member(path.unwrap_or_default()),
                        position.map(|position| position as u64),
                    );
                    for file in mine.iter().filter(|file| !seen || unknown.contains(file)) {
                        self.kept.entry(*file).or_default().insert(place);
                    }
                }
            }
        }
        for file in unknown {
            self.kept.entry(file).or_default();
        }
        Ok(())
    }
}

/// A place within a file.
fn place(member: &str, position: Option<u64>) -> u128 {
    xxh3_128(format!("{position:?} {member}").as_bytes())
}
