//! Files that were not taken in as a whole.

use super::instant;
use serde::Serialize;
use std::collections::{BTreeMap, HashSet};

/// A file, or a member of an archive, of which something is not in the lake.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FileProblem {
    /// Its path as it was ingested.
    pub file: String,
    /// Lower-case hexadecimal SHA-256 of the file as it is on disk.
    pub sha256: String,
    /// False where it was not ingested to its end: the ingest was ended, or still runs.
    pub finished: bool,
    /// What is wrong with the file itself.
    pub problem: Option<String>,
    /// Records of it that are in quarantine.
    pub rejected: u64,
    /// Where in time these are, as far as their neighbours tell.
    pub near: Vec<NearHour>,
}

/// Rejected records that were beside events of an hour, or conflict with one of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct NearHour {
    /// Begin of the hour.
    #[serde(serialize_with = "instant")]
    pub hour: i64,
    /// Dataset of the events.
    pub dataset: String,
    /// Their organisation.
    pub organization: Option<String>,
    /// How many records.
    pub rejected: u64,
}

/// What is known of files.
#[derive(Debug, Default)]
pub(super) struct Files {
    /// Hashes of files that were ingested to their end.
    finished: HashSet<String>,
    /// By path and hash.
    problems: BTreeMap<(String, String), FileProblem>,
}

impl Files {
    pub(super) fn finish(&mut self, sha256: &str) {
        self.finished.insert(sha256.to_owned());
    }

    pub(super) fn is_finished(&self, sha256: &str) -> bool {
        self.finished.contains(sha256)
    }

    /// The entry of a file that has a problem.
    pub(super) fn problem(&mut self, file: &str, sha256: &str) -> &mut FileProblem {
        let finished = self.is_finished(sha256);
        let entry = self.problems.entry((file.to_owned(), sha256.to_owned()));
        entry.or_insert_with(|| FileProblem {
            file: file.to_owned(),
            sha256: sha256.to_owned(),
            finished,
            ..FileProblem::default()
        })
    }

    /// Those with problems, in order of path.
    pub(super) fn problems(self) -> Vec<FileProblem> {
        let mut problems: Vec<FileProblem> = self.problems.into_values().collect();
        problems.iter_mut().for_each(|file| file.near.sort());
        problems
    }
}
