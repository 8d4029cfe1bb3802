//! The events behind an alert, with what proves them: the original text, the file it came from,
//! that file's hash, the place in it, and whether all of this still agrees.

mod alerts;
mod bundle;
mod check;
mod lookup;
mod readme;

pub use crate::alerts::AlertFile;
pub use alerts::FoundAlert;
pub use bundle::{BundleRequest, Bundled, bundle};
pub use check::{Status, Verification};

use crate::config::format_instant;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::ingest::Stop;
use crate::lake::Lake;
use crate::report::human::{count, counted};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// What was found.
#[derive(Debug)]
pub struct Evidence {
    /// Path or URL of the lake.
    pub lake: String,
    /// The ids as they were asked for.
    pub asked: Vec<String>,
    /// The alerts among them.
    pub alerts: Vec<FoundAlert>,
    /// The events, in order of time.
    pub events: Vec<EventEvidence>,
}

/// One event and what proves it.
#[derive(Debug, Clone, Serialize)]
pub struct EventEvidence {
    /// What the lake says.
    #[serde(flatten)]
    pub event: StoredEvent,
    /// The record's original text.
    pub raw: String,
    /// The row that the ledger has of the file, with the ledger's columns.
    pub ledger: Option<Map<String, Value>>,
    /// Whether the file still says the same.
    pub verification: Verification,
    /// The bytes of the record in the file, where they were verified.
    #[serde(skip)]
    pub original: Option<Vec<u8>>,
    /// The file itself: of a member, the archive.
    #[serde(skip)]
    pub file: String,
}

/// An event without its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StoredEvent {
    /// Which of the ids that were asked for led to it.
    pub asked: Vec<String>,
    /// ECS `event.id`.
    pub event_id: Option<String>,
    /// The identity by which repeats are found.
    pub event_key: String,
    /// By what else alerts know it: ids of Elastic's alerts and of Defender's rows.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub other_ids: Vec<String>,
    /// ECS `event.dataset`.
    pub dataset: String,
    /// When it happened, microseconds since the Unix epoch; RFC 3339 in JSON.
    #[serde(serialize_with = "instant")]
    pub timestamp: i64,
    /// ECS `organization.id`.
    pub organization: Option<String>,
    /// ECS `event.action`.
    pub action: Option<String>,
    /// ECS `user.email`, else `user.id`, else `user.name`.
    pub user: Option<String>,
    /// The spelling in which the record came.
    pub source_format: Option<String>,
    /// When the lake stored it, as the time.
    #[serde(serialize_with = "optional_instant")]
    pub event_ingested: Option<i64>,
    /// The file, with the member of an archive behind `!/`.
    pub source_file: String,
    /// SHA-256 of the file, of the archive for a member.
    pub source_sha256: String,
    /// Where the record begins in what the file decompresses to.
    pub source_position: Option<i64>,
}

fn instant<S: Serializer>(micros: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format_instant(*micros))
}

fn optional_instant<S: Serializer>(micros: &Option<i64>, serializer: S) -> Result<S::Ok, S::Error> {
    micros.map(format_instant).serialize(serializer)
}

impl StoredEvent {
    /// Whether it is meant by an id.
    fn is(&self, id: &str) -> bool {
        self.event_id.as_deref() == Some(id)
            || self.other_ids.iter().any(|other| other == id)
            || self.event_key.eq_ignore_ascii_case(id)
    }
}

impl Evidence {
    /// Whether the file of each event still says what the lake says, and each event that an alert
    /// lists is there.
    pub fn is_proved(&self) -> bool {
        let verified = |event: &EventEvidence| event.verification.status == Status::Verified;
        self.events.iter().all(verified) && self.alerts.iter().all(|alert| alert.not_in_lake.is_empty())
    }

    /// How many events there are of each status.
    pub fn by_status(&self) -> BTreeMap<Status, u64> {
        let mut counts = BTreeMap::new();
        for event in &self.events {
            *counts.entry(event.verification.status).or_default() += 1;
        }
        counts
    }
}

/// Finds events, and alerts in files and in the lake, by their ids, and verifies the events against the files
/// they came from.
pub async fn gather(
    lake: &Lake,
    engine: &Engine,
    ids: &[String],
    files: Vec<AlertFile>,
    stop: &Stop,
) -> Result<Evidence> {
    let names: Vec<String> = files.iter().map(|file| file.name.clone()).collect();
    let wanted: BTreeSet<String> = ids.iter().cloned().collect();
    let mut missing = wanted.clone();
    // Where waiting for standard input keeps nobody from ending it.
    let reading = tokio::task::spawn_blocking(move || {
        let (mut alerts, mut read) = (Vec::new(), 0);
        for file in files {
            read += alerts::find(file, &wanted, &mut alerts)?;
        }
        Ok::<_, Error>((alerts, read))
    });
    let reading = reading.await;
    let (mut alerts, read) = reading.map_err(|error| Error::Internal(format!("reading alerts ended: {error}")))??;
    missing.retain(|id| !alerts.iter().any(|alert: &FoundAlert| alert.alert_id == *id));
    alerts::recorded(engine, &missing, &mut alerts).await?;
    let found = lookup::events(engine, ids, &mut alerts).await?;
    let known = |id: &str| alerts.iter().any(|alert| alert.alert_id == id);
    let is_there = |id: &str| known(id) || found.iter().any(|(event, _)| event.is(id));
    if let Some(id) = ids.iter().find(|id| !is_there(id)) {
        let mut looked = format!(
            "none of the {} of {} has it as event.id or event_key, and none of its recorded alerts as alert_id",
            counted(engine.rows(), "event", "events"),
            lake.display()
        );
        looked += &match names.as_slice() {
            [] => "; no file of alerts was given".to_owned(),
            names => format!(
                ", and none of the {} alerts in {} has it",
                count(read),
                names.join(", ")
            ),
        };
        return Err(Error::NoEvidence { id: id.clone(), looked });
    }
    if let (true, Some(alert)) = (found.is_empty(), alerts.first()) {
        let looked = match alert.event_ids.len() as u64 {
            0 => format!(
                "the alert is there, but its detection {} gives no event_ids: ask for its {} with `retrohunt sql`",
                alert.detection,
                counted(alert.event_count, "event", "events")
            ),
            listed => format!(
                "the alert is there, but {} lists are not in {}",
                counted(listed, "event that it", "events that it"),
                lake.display()
            ),
        };
        let id = alert.alert_id.clone();
        return Err(Error::NoEvidence { id, looked });
    }
    let events = check::verified(engine, found, stop).await?;
    Ok(Evidence {
        lake: lake.display(),
        asked: ids.to_vec(),
        alerts,
        events,
    })
}
