//! What a detection found: the alert, its stable id, and episodes of windows.

mod episode;
mod file;
mod promote;
pub mod recorded;
pub mod revision;
mod rows;
mod store;
mod suppression;
#[cfg(test)]
mod tests_episode;
#[cfg(test)]
mod tests_recorded;
#[cfg(test)]
mod tests_store;

pub use episode::{Episode, EpisodeRule, Episodes, OpenKeys, WindowRow, episodes};
pub use file::AlertFile;
pub use promote::{Promoted, promote};
pub use revision::{Change, Origin, Revision};
pub use store::{AlertStore, AlertWriter, SortedAlerts};
pub use suppression::Suppression;

use crate::config::format_instant;
use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

/// One finding. Serialises to the stable form of `hunt --format jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Alert {
    /// Hash of what makes it this alert: running again gives the same.
    pub alert_id: String,
    /// Id of the detection.
    pub detection: String,
    /// `informational`, `low`, `medium`, `high` or `critical`.
    pub severity: String,
    /// Time of the first event, RFC 3339.
    #[serde(serialize_with = "instant")]
    pub time: i64,
    /// The columns that make two results the same finding, with their values.
    pub key: Map<String, Value>,
    /// Start of the first window, excluded from it.
    #[serde(serialize_with = "optional_instant", skip_serializing_if = "Option::is_none")]
    pub window_start: Option<i64>,
    /// End of the last window, included in it.
    #[serde(serialize_with = "optional_instant", skip_serializing_if = "Option::is_none")]
    pub window_end: Option<i64>,
    /// How many windows in a row found it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub windows: Option<u64>,
    /// Ids of the events behind it.
    pub event_ids: Vec<String>,
    /// How many events are behind it.
    pub event_count: u64,
    /// New terms: whether the lake reaches back over the whole history window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history_complete: Option<bool>,
    /// The columns of the detection's SELECT.
    pub fields: Map<String, Value>,
}

fn instant<S: serde::Serializer>(micros: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format_instant(*micros))
}

fn optional_instant<S: serde::Serializer>(micros: &Option<i64>, serializer: S) -> Result<S::Ok, S::Error> {
    match micros {
        Some(micros) => instant(micros, serializer),
        None => serializer.serialize_none(),
    }
}

/// The id of an alert: a hash of the detection, the key and what tells this finding from
/// others with the same key (the event with its time, or the first window). 32 hexadecimal digits.
pub fn alert_id(detection: &str, key: &Map<String, Value>, occurrence: &str) -> String {
    let mut hasher = Sha256::new();
    // Of a map this does not fail.
    let key = serde_json::to_string(key).unwrap_or_default();
    for part in [detection, &key, occurrence] {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    let first = hasher
        .finalize()
        .iter()
        .take(16)
        .fold(0, |id: u128, byte| id << 8 | u128::from(*byte));
    format!("{first:032x}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Lakes keep them.
    #[test]
    fn an_id_stays_what_it_is() {
        let key = json!({"user.id": "a@b.example", "n": [1, 0.5, null]});
        let id = alert_id(
            "some_detection",
            key.as_object().unwrap(),
            "9f17c7be 2026-01-01T00:00:00Z",
        );
        assert_eq!(id, "783b17c5d0ac92524356dfdfec256193");
    }

    #[test]
    fn ids_depend_on_every_part() {
        let key = |value: Value| value.as_object().cloned().unwrap();
        let id = alert_id("d", &key(json!({"a": 1})), "e");
        assert_eq!(id.len(), 32);
        assert_eq!(id, alert_id("d", &key(json!({"a": 1})), "e"));
        for other in [
            alert_id("d2", &key(json!({"a": 1})), "e"),
            alert_id("d", &key(json!({"a": "1"})), "e"),
            alert_id("d", &key(json!({"a": 1})), "e2"),
        ] {
            assert_ne!(id, other);
        }
    }
}
