//! What each log looks like: one file per source, which recognises a record by its
//! keys and maps it to fields. Sources know no files and no tables.

pub(crate) mod address;
pub(crate) mod json;
pub(crate) mod severity;
pub(crate) mod time;

mod azure;
mod carried;
mod defender;
mod elastic;
mod log_analytics;
mod o365_audit;
mod suricata;
mod ual_export;

#[cfg(test)]
mod testing;

use crate::schema::EventRow;
use std::borrow::Cow;
use std::fmt::Debug;

pub use carried::Carried;
pub use json::{Document, Json, JsonType, parse};

/// One way in which records of a log reach an analyst.
pub trait Source: Debug + Sync {
    /// Name stored with every event as `source_format`, and printed by `ingest`.
    fn name(&self) -> &'static str;

    /// The keys by which its records are told, in words.
    fn recognised_by(&self) -> &'static str;

    /// Keys of which each record that it recognises has at least one; none where that cannot be said.
    /// Sources that follow each other and name the same ones are passed over together.
    fn one_of(&self) -> &'static [&'static str] {
        &[]
    }

    /// True for a record of this source. Looks at keys and their types alone.
    fn recognises(&self, record: Json<'_>) -> bool;

    /// The text of the record that this one carries, when this source is an envelope
    /// whose content is the event (a PowerShell row around its `AuditData`). That text
    /// is then parsed and given to [`Source::map`], and is what `raw` keeps.
    ///
    /// `text` is the record's own text, so that content can be returned byte for byte; of a row of
    /// delimited text, which has no values but texts, it is empty.
    fn content<'a>(&self, _record: Json<'a>, _text: &'a str) -> Result<Option<Cow<'a, str>>, Rejection> {
        Ok(None)
    }

    /// The record of the audit log that this one carries, beside being an event itself.
    fn carried<'a>(&self, _record: Json<'_>, _text: &'a str) -> Option<Carried<'a>> {
        None
    }

    /// Fills `row` from a record (or from its content) and says what identifies it.
    /// Sets at least `@timestamp` and `event.dataset`.
    fn map<'a>(&self, record: Json<'a>, row: &mut EventRow<'a>) -> Result<Identity, Rejection>;
}

/// What makes two records the same event, together with the dataset.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// Tenant, lower case; empty where the record does not say.
    pub organization: String,
    /// The record's own id; without one the content is its identity.
    pub id: Option<String>,
}

/// Why a record cannot become an event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// Not JSON, or not JSON to its end.
    #[error("not valid JSON: {0}")]
    Json(String),
    /// JSON, but no object.
    #[error("not a JSON object")]
    NotAnObject,
    /// No source knows these keys.
    #[error("no known log has these keys: {0}")]
    Unknown(String),
    /// An envelope whose content is absent or empty.
    #[error("{0} is missing or empty")]
    NoContent(&'static str),
    /// An envelope whose content is not JSON.
    #[error("{0} is not valid JSON: {1}")]
    Content(&'static str, String),
    /// No time, or none that can be read.
    #[error("no readable time in {0}")]
    NoTime(&'static str),
    /// A time that no event of these logs can have.
    #[error("the time {0} is not between 1990 and 2262")]
    ImplausibleTime(String),
    /// The same id with other content in the same format.
    #[error("conflict: event {0} is already stored with other content")]
    Conflict(String),
    /// A category, table or version that this source does not map.
    #[error("{0}")]
    Unsupported(String),
    /// A row of delimited text that does not fit its header.
    #[error("not a row of this table: {0}")]
    Csv(String),
    /// Longer than anything that is read whole.
    #[error("the record is longer than {limit} MB: {length} bytes, of which the first are kept")]
    TooLong {
        /// Bytes of the record.
        length: u64,
        /// The limit in units of 1,048,576 bytes.
        limit: u64,
    },
    /// The file itself is damaged, cut off, empty or of no known kind.
    #[error("the file: {0}")]
    File(String),
}

impl Rejection {
    /// The reason without what differs from record to record, for counting.
    pub fn kind(&self) -> String {
        match self {
            Self::Json(_) => "not valid JSON".into(),
            Self::Unknown(_) => "no known log has these keys".into(),
            Self::Content(what, _) => format!("{what} is not valid JSON"),
            Self::Conflict(_) => "the same id is already stored with other content".into(),
            Self::TooLong { .. } => "the record is too long".into(),
            Self::ImplausibleTime(_) => "the time is not between 1990 and 2262".into(),
            Self::Csv(_) => "not a row of its table".into(),
            other => other.to_string(),
        }
    }
}

/// What a record was recognised as.
#[derive(Debug, Clone, Copy)]
pub enum Recognised {
    /// An event, or an envelope around one.
    Event(&'static dyn Source),
    /// A known record that stands for no event, and what it is.
    NotAnEvent(&'static str),
}

/// Every source; the first that recognises a record maps it.
pub static SOURCES: &[&dyn Source] = &[
    &ual_export::AGENT,
    &ual_export::PURVIEW,
    &ual_export::UAL_OBJECT,
    &ual_export::UAL_TEXT,
    &ual_export::LEGACY_PORTAL,
    &ual_export::GRAPH,
    &ual_export::GRAPH_TEXT,
    &log_analytics::OFFICE_ACTIVITY_TEXT,
    &log_analytics::OFFICE_ACTIVITY,
    &log_analytics::SIGN_IN_TEXT,
    &log_analytics::SIGN_IN_FLAT,
    &log_analytics::SIGN_IN,
    &log_analytics::AUDIT_TEXT,
    &log_analytics::AUDIT_FLAT,
    &log_analytics::AUDIT,
    &log_analytics::RISK,
    &defender::WORKSPACE_TEXT,
    &defender::WORKSPACE,
    &log_analytics::OtherTable,
    &o365_audit::Record,
    &o365_audit::RecordOfText,
    &defender::STREAMED_CLOUD_APP_EVENTS,
    &defender::STREAMED_AAD_SIGN_IN_EVENTS_BETA,
    &defender::STREAMED_ENTRA_ID_SIGN_IN_EVENTS,
    &defender::STREAMED_ALERT_EVIDENCE,
    &defender::OtherStreaming,
    &azure::AzureMonitor,
    &azure::SignIn,
    &azure::DirectoryAudit,
    &azure::RiskDetection,
    &azure::RiskyUser,
    &defender::CLOUD_APP_EVENTS_TEXT,
    &defender::CLOUD_APP_EVENTS,
    &defender::ENTRA_ID_SIGN_IN_EVENTS_TEXT,
    &defender::ENTRA_ID_SIGN_IN_EVENTS,
    &defender::AAD_SIGN_IN_EVENTS_BETA_TEXT,
    &defender::AAD_SIGN_IN_EVENTS_BETA,
    &defender::ALERT_EVIDENCE,
    &suricata::Eve,
    &elastic::Unprocessed,
    &elastic::Alert,
    &elastic::Document,
    &carried::RAW_EVENT_DATA,
    &carried::OFFICE_ACTIVITY_RECORD,
];

/// The source of a record, or the rejection that names its keys.
pub fn recognise(record: Json<'_>) -> Result<Recognised, Rejection> {
    if !record.is_object() {
        return Err(Rejection::NotAnObject);
    }
    if let Some(what) = not_an_event(record) {
        return Ok(Recognised::NotAnEvent(what));
    }
    source_of(record)
        .map(Recognised::Event)
        .ok_or_else(|| Rejection::Unknown(json::key_summary(record)))
}

/// The first source that recognises a record.
fn source_of(record: Json<'_>) -> Option<&'static dyn Source> {
    let mut asked: (&[&str], bool) = (&[], true);
    SOURCES.iter().copied().find(|source| {
        let one_of = source.one_of();
        if !std::ptr::eq(one_of, asked.0) && one_of != asked.0 {
            let has = one_of.is_empty() || one_of.iter().any(|key| record.get(key).is_some());
            asked = (one_of, has);
        }
        asked.1 && source.recognises(record)
    })
}

/// Records that collectors and exports save between the events.
fn not_an_event(record: Json<'_>) -> Option<&'static str> {
    if json::has_all(record, &["retrohunt_tenant", "settings", "datasets"]) {
        return Some("what `retrohunt generate` says of the logs beside it");
    }
    if json::has_all(record, &["contentUri", "contentId"]) {
        return Some("a Management Activity API content descriptor: download what its contentUri names");
    }
    if suricata::is_statistics(record) {
        return Some("Suricata's own statistics");
    }
    let mut members = record.as_object()?;
    let only = members.next().filter(|_| members.is_empty())?;
    match only {
        ("index" | "create", action) if action.is_object() => Some("an action line of an Elasticsearch bulk file"),
        _ => None,
    }
}
