//! What was generated: `tenant.json`.

use super::attack::Attack;
use super::stream::Counts;
use super::{Format, Tenant};
use serde::{Deserialize, Serialize};

/// What was written, and what was planted in it.
///
/// Deterministic: the same settings give the same summary. An ingest stores `events` of each
/// dataset, and counts `repeats` as duplicates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Marks the file as no log; the version of its form.
    pub retrohunt_tenant: u32,
    /// What it was made from.
    pub settings: Tenant,
    /// Name of the organisation's domain.
    pub domain: String,
    /// The tenant's id.
    pub tenant_id: String,
    /// Events, all formats together, those of attacks among them.
    pub events: u64,
    /// Records that are byte for byte another one again.
    pub repeats: u64,
    /// Bytes of all records, before any compression.
    pub bytes: u64,
    /// Bytes of all files.
    pub file_bytes: u64,
    /// Number of files.
    pub files: u64,
    /// By format, in the order in which an ingest reads them.
    pub datasets: Vec<Dataset>,
    /// What was planted.
    pub attacks: Vec<Attack>,
    /// Client ids of applications of others that the organisation approved. In a lake that
    /// begins with these logs, `unusual_client_app` reports each of them once, as it is first
    /// seen, with `history_complete` false.
    pub approved_applications: Vec<String>,
}

/// What was written of one format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dataset {
    /// The format.
    pub format: Format,
    /// `event.dataset` of its events.
    pub dataset: String,
    /// Events, those of attacks among them.
    pub events: u64,
    /// Events of attacks.
    pub planted: u64,
    /// Records that are another one again.
    pub repeats: u64,
    /// Bytes of the records, before any compression.
    pub bytes: u64,
    /// Bytes of the files.
    pub file_bytes: u64,
    /// Number of files.
    pub files: u64,
}

impl Dataset {
    /// Nothing written yet.
    pub(super) fn new(format: Format) -> Self {
        Self {
            format,
            dataset: format.dataset().to_owned(),
            events: 0,
            planted: 0,
            repeats: 0,
            bytes: 0,
            file_bytes: 0,
            files: 0,
        }
    }

    /// Counts a file.
    pub(super) fn add(&mut self, counts: Counts, bytes: u64, file_bytes: u64) {
        self.events += counts.events + counts.planted;
        self.planted += counts.planted;
        self.repeats += counts.repeats;
        self.bytes += bytes;
        self.file_bytes += file_bytes;
        self.files += 1;
    }
}
