//! Removes bytes that no version needs any more, and events that are no longer kept.

use super::table::LakeTable;
use super::{Committed, DataFile};
use crate::error::{Error, Result};
use datafusion::common::ScalarValue;
use futures::{StreamExt as _, TryStreamExt as _};
use object_store::path::Path;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::SystemTime;

/// Attempts against writers; each loses only to a commit of somebody else.
const ATTEMPTS: usize = 200;

/// The folder of a table's log.
const LOG: &str = "_delta_log";

/// What was removed, or would be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Vacuumed {
    /// Files.
    pub files: u64,
    /// Bytes in them.
    pub bytes: u64,
}

impl LakeTable {
    /// Deletes the bytes of files that left the table before `cutoff`, and of those written before
    /// it that never became part of the table: what ingests left that were interrupted. With
    /// `dry`, only counts them. Milliseconds since the Unix epoch.
    pub async fn vacuum(&self, cutoff: i64, dry: bool) -> Result<Vacuumed> {
        let failed = |error| Error::store(format!("cannot vacuum table {}", self.name().as_str()), error);
        let live: HashSet<String> = self.files()?.into_iter().map(|file| file.path).collect();
        let mut left: HashMap<String, i64> = HashMap::new();
        let log_store = self.delta().log_store();
        let mut tombstones = self.snapshot()?.all_tombstones(log_store.as_ref());
        while let Some(tombstone) = tombstones
            .try_next()
            .await
            .map_err(|error| Error::store(format!("cannot read the log of table {}", self.name().as_str()), error))?
        {
            let at = tombstone.deletion_timestamp().unwrap_or(i64::MAX);
            left.insert(tombstone.path().into_owned(), at);
        }
        let mut unneeded = Vec::new();
        let mut vacuumed = Vacuumed::default();
        let mut listed = self.store().list(None);
        while let Some(meta) = listed.try_next().await.map_err(failed)? {
            let path = meta.location.as_ref();
            if path.starts_with(LOG) || live.contains(path) {
                continue;
            }
            let at = left.get(path).copied().unwrap_or(meta.last_modified.timestamp_millis());
            if at < cutoff {
                vacuumed.files += 1;
                vacuumed.bytes += meta.size;
                unneeded.push(meta.location);
            }
        }
        if !dry {
            let unneeded: Vec<Result<Path, object_store::Error>> = unneeded.into_iter().map(Ok).collect();
            let mut deleted = self.store().delete_stream(futures::stream::iter(unneeded).boxed());
            while let Some(deleted) = deleted.next().await {
                match deleted {
                    // Somebody else vacuums as well.
                    Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
                    Err(error) => return Err(failed(error)),
                }
            }
        }
        let halves = self.half_written(cutoff, dry)?;
        vacuumed.files += halves.files;
        vacuumed.bytes += halves.bytes;
        Ok(vacuumed)
    }

    /// On a disk a file is written beside its place, under its name with `#` and a number, and
    /// then renamed. What a crash left of that is listed by no store.
    fn half_written(&self, cutoff: i64, dry: bool) -> Result<Vacuumed> {
        let mut vacuumed = Vacuumed::default();
        let Ok(root) = self.url().to_file_path() else {
            return Ok(vacuumed);
        };
        let mut folders = vec![root];
        while let Some(folder) = folders.pop() {
            let failed = |source| Error::File {
                path: folder.clone(),
                source,
            };
            for entry in std::fs::read_dir(&folder).map_err(failed)? {
                let entry = entry.map_err(failed)?;
                let Ok(meta) = entry.metadata() else { continue };
                if meta.is_dir() {
                    folders.push(entry.path());
                    continue;
                }
                let name = entry.file_name();
                let number = name.to_str().and_then(|name| name.rsplit_once('#'));
                let is_half = number.is_some_and(|(_, number)| number.bytes().all(|byte| byte.is_ascii_digit()));
                let written = meta.modified().ok();
                let written = written.and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok());
                let is_old = written.is_some_and(|at| (at.as_millis() as i64) < cutoff);
                if is_half && is_old {
                    vacuumed.files += 1;
                    vacuumed.bytes += meta.len();
                    if !dry {
                        std::fs::remove_file(entry.path()).map_err(failed)?;
                    }
                }
            }
        }
        Ok(vacuumed)
    }

    /// The datasets of which there are events.
    pub fn datasets(&self) -> Result<BTreeSet<String>> {
        let names = self
            .files()?
            .into_iter()
            .filter_map(|file| match file.partition.first() {
                Some(ScalarValue::Utf8(Some(dataset))) => Some(dataset.clone()),
                _ => None,
            });
        Ok(names.collect())
    }

    /// Takes out of the table what is older than it is to be kept: whole days that end before
    /// `first_kept` of their dataset (days since the Unix epoch), where that says something. The
    /// bytes stay until they are vacuumed. Returns what was taken out, or, with `dry`, would be.
    pub async fn expire(
        &mut self,
        first_kept: &dyn Fn(&str) -> Option<i32>,
        dry: bool,
    ) -> Result<HashMap<String, Vacuumed>> {
        for _ in 0..ATTEMPTS {
            let mut expired: HashMap<String, Vacuumed> = HashMap::new();
            let mut leaving: Vec<DataFile> = Vec::new();
            for file in self.files()? {
                let [ScalarValue::Utf8(Some(dataset)), ScalarValue::Date32(Some(day))] = file.partition.as_slice()
                else {
                    continue;
                };
                if first_kept(dataset).is_some_and(|first| *day < first) {
                    let of_dataset = expired.entry(dataset.clone()).or_default();
                    of_dataset.files += 1;
                    of_dataset.bytes += file.size;
                    leaving.push(file);
                }
            }
            if dry || leaving.is_empty() {
                return Ok(expired);
            }
            let marks: Vec<(String, i64)> = expired
                .keys()
                .filter_map(|dataset| Some((dataset.clone(), i64::from(first_kept(dataset)?))))
                .collect();
            match self.remove(&leaving, &marks).await? {
                Committed::At(_) => return Ok(expired),
                Committed::Outdated => {}
            }
        }
        Err(Error::store(
            format!("cannot remove events from table {}", self.name().as_str()),
            format!("other writers were first {ATTEMPTS} times; run it again"),
        ))
    }
}
