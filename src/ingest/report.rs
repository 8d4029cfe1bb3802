//! What an ingest did, per file and in total.

use super::repeats::Repeats;
use serde::Serialize;
use std::collections::BTreeMap;

/// The counts of one file. Always `read == stored + duplicate + rejected`.
#[derive(Debug, Clone, Default, Serialize)]
pub struct FileReport {
    /// Absolute path.
    pub path: String,
    /// Bytes on disk.
    pub size: u64,
    /// Lower-case hexadecimal SHA-256 of the file as it is on disk.
    pub sha256: String,
    /// Records seen.
    pub read: u64,
    /// Records that became events.
    pub stored: u64,
    /// Records whose event was there already.
    pub duplicate: u64,
    /// Records that are now in quarantine.
    pub rejected: u64,
    /// Events stored beside these: records of the audit log that other records carry.
    pub derived: u64,
    /// Such records whose event was there already.
    pub derived_duplicate: u64,
    /// Recognised, but no events by their nature, and not counted as read: why, and how many.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub skipped: BTreeMap<String, u64>,
    /// What its records were recognised as, with how many of each.
    pub formats: BTreeMap<String, u64>,
    /// What is wrong with the file itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// How many things are wrong with it, or with members of it.
    #[serde(skip)]
    pub problems: u64,
    /// What its duplicates repeat, until the ledger has it.
    #[serde(skip)]
    pub(super) repeats: Repeats,
    /// The lake's ledger had this content already, so it was not read again.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub already_ingested: bool,
}

/// Problems of an archive's members that are told one by one.
const TOLD: u64 = 3;

impl FileReport {
    /// Adds what is wrong with the file, or with a member of it.
    pub(super) fn add_problem(&mut self, member: &str, text: String) {
        self.problems += 1;
        let text = match member {
            "" => text,
            member => format!("{member}: {text}"),
        };
        self.problem = Some(match self.problem.take() {
            None => text,
            Some(before) if self.problems <= TOLD => format!("{before}; {text}"),
            Some(before) if self.problems == TOLD + 1 => format!("{before}; and more"),
            Some(before) => before,
        });
    }
}

/// The counts of an ingest.
#[derive(Debug, Clone, Default, Serialize)]
pub struct IngestReport {
    /// Files looked at.
    pub files: u64,
    /// Sum over the files.
    pub read: u64,
    /// Sum over the files.
    pub stored: u64,
    /// Sum over the files.
    pub duplicate: u64,
    /// Sum over the files.
    pub rejected: u64,
    /// Sum over the files.
    pub derived: u64,
    /// Sum over the files.
    pub derived_duplicate: u64,
    /// Sum over the files.
    pub skipped: u64,
    /// Bytes of the files.
    pub bytes: u64,
    /// Files that are damaged, empty or of no known kind.
    pub bad_files: u64,
    /// Why records were rejected.
    pub reasons: BTreeMap<String, u64>,
    /// Events stored, by dataset.
    pub datasets: BTreeMap<String, u64>,
    /// Each file, in order of path.
    pub details: Vec<FileReport>,
}

impl IngestReport {
    /// Adds up the files.
    pub(super) fn new(
        details: Vec<FileReport>,
        reasons: BTreeMap<String, u64>,
        datasets: BTreeMap<String, u64>,
    ) -> Self {
        let mut report = Self {
            files: details.len() as u64,
            reasons,
            datasets,
            ..Self::default()
        };
        for file in &details {
            report.read += file.read;
            report.stored += file.stored;
            report.duplicate += file.duplicate;
            report.rejected += file.rejected;
            report.derived += file.derived;
            report.derived_duplicate += file.derived_duplicate;
            report.skipped += file.skipped.values().sum::<u64>();
            report.bytes += file.size;
            report.bad_files += u64::from(file.problem.is_some());
        }
        report.details = details;
        report
    }

    /// True when something was not taken in.
    pub fn has_rejects(&self) -> bool {
        self.rejected > 0 || self.bad_files > 0
    }
}
