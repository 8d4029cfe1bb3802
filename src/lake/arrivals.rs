//! What arrived in a table since one of its versions, from its log alone.

use super::entry::{DataFile, StatisticsReader};
use super::table::LakeTable;
use crate::error::{Error, Result};
use datafusion::common::ScalarValue;
use futures::{StreamExt as _, TryStreamExt as _};
use serde::Deserialize;
use std::collections::HashMap;

/// Commits that are read at once.
const COMMITS_AT_ONCE: usize = 16;

/// The column that says when a row came into the table.
const INGESTED: &str = "event_ingested";

/// Files whose rows arrived.
#[derive(Debug, Clone, Default)]
pub struct Arrived {
    /// Files of the version that the table sees.
    pub files: Vec<DataFile>,
    /// No row in them was there before. Otherwise they have been merged with others since, or the
    /// log does not reach back: then all that arrived is in them, and some of what was there.
    pub exact: bool,
}

/// An action of a commit.
#[derive(Deserialize)]
struct Line {
    add: Option<Added>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Added {
    path: String,
    data_change: bool,
    stats: Option<String>,
}

impl Arrived {
    /// Rows, where the log says.
    pub fn rows(&self) -> u64 {
        self.files.iter().filter_map(|file| file.rows).sum()
    }

    /// Bytes of the files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }

    /// First and last time of what is in them; `None` where a file does not say, or there is none.
    pub fn times(&self) -> Option<(i64, i64)> {
        let mut times = self.files.iter().map(DataFile::times);
        let begin = times.next()??;
        times.try_fold(begin, |(first, last), of_file| {
            let (earliest, latest) = of_file?;
            Some((first.min(earliest), last.max(latest)))
        })
    }
}

impl LakeTable {
    /// What commits after this version added, up to the version that this table sees; all files
    /// where none is given.
    pub async fn arrived_since(&self, version: Option<u64>) -> Result<Arrived> {
        let files = self.files()?;
        let everything = |files, exact| Ok(Arrived { files, exact });
        let Some(version) = version else {
            return everything(files, true);
        };
        let Some(commits) = self.commits_after(version).await? else {
            return everything(files, false);
        };
        let mut here: HashMap<String, DataFile> = files.into_iter().map(|file| (file.path.clone(), file)).collect();
        let mut arrived = Arrived {
            files: Vec::new(),
            exact: true,
        };
        // When the rows of files that are gone came in, at the earliest.
        let mut gone: Option<i64> = None;
        let mut merged = Vec::new();
        let reader = StatisticsReader::new(&self.name().file_schema());
        for added in commits {
            // As the log spells paths, escaped for a URL.
            let path = decoded(&added.path);
            match (added.data_change, here.remove(&path)) {
                (true, Some(file)) => arrived.files.push(file),
                (true, None) => {
                    let since = added.stats.as_deref().and_then(|stats| ingested_from(&reader, stats));
                    gone = Some(gone.unwrap_or(i64::MAX).min(since.unwrap_or(i64::MIN)));
                }
                (false, Some(file)) => merged.push(file),
                (false, None) => {}
            }
        }
        if let Some(since) = gone {
            arrived.exact = false;
            arrived.files.extend(
                merged
                    .into_iter()
                    .filter(|file| ingested_to(file).is_none_or(|last| last >= since)),
            );
        }
        Ok(arrived)
    }

    /// The files that each later commit added, in order; `None` where the log no longer has them all.
    async fn commits_after(&self, version: u64) -> Result<Option<Vec<Added>>> {
        let failed = |error| Error::store(format!("cannot read the log of table {}", self.name().as_str()), error);
        let log_store = self.delta().log_store();
        let commits = futures::stream::iter(version + 1..=self.version()).map(|version| {
            let log_store = &log_store;
            async move { log_store.read_commit_entry(version).await }
        });
        let commits: Vec<_> = commits.buffered(COMMITS_AT_ONCE).try_collect().await.map_err(failed)?;
        let mut added = Vec::new();
        for commit in commits {
            let Some(commit) = commit else {
                return Ok(None);
            };
            for line in commit.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                let line: Line = serde_json::from_slice(line).map_err(|error| failed(error.into()))?;
                added.extend(line.add);
            }
        }
        Ok(Some(added))
    }
}

fn ingested_from(reader: &StatisticsReader, stats: &str) -> Option<i64> {
    let (_, columns) = reader.read(stats);
    micros(columns.get(INGESTED)?.min.as_ref()?)
}

fn ingested_to(file: &DataFile) -> Option<i64> {
    micros(file.statistics.get(INGESTED)?.max.as_ref()?)
}

fn micros(value: &ScalarValue) -> Option<i64> {
    match value {
        ScalarValue::TimestampMicrosecond(micros, _) => *micros,
        _ => None,
    }
}

/// The path that a URL path stands for.
fn decoded(path: &str) -> String {
    object_store::path::Path::from_url_path(path).map_or_else(|_| path.to_owned(), |path| path.to_string())
}
