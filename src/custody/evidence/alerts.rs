//! Alerts in the files that a hunt wrote, and in the lake.

use crate::alerts::AlertFile;
use crate::alerts::recorded::latest;
use crate::engine::Engine;
use crate::error::{Error, Result};
use chrono::DateTime;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// In place of a file's name, for what the lake has recorded.
const TABLE: &str = "table alerts";

/// An alert that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FoundAlert {
    /// Its id.
    pub alert_id: String,
    /// Id of the detection.
    pub detection: String,
    /// How many events are behind it.
    pub event_count: u64,
    /// Ids of those that it lists.
    pub event_ids: Vec<String>,
    /// Ids of these that the lake does not have.
    pub not_in_lake: Vec<String>,
    /// The file it was found in, or `table alerts`.
    pub file: String,
    /// Its text in that file.
    #[serde(skip)]
    pub text: String,
    /// First and last time that its events can have, microseconds since the Unix epoch.
    #[serde(skip)]
    pub(super) times: Option<(i64, i64)>,
}

/// What has to be known of an alert.
#[derive(Deserialize)]
struct Head {
    alert_id: String,
    detection: String,
    event_ids: Vec<String>,
    event_count: u64,
    time: String,
    window_start: Option<String>,
    window_end: Option<String>,
}

impl Head {
    fn times(&self) -> Option<(i64, i64)> {
        let mut times = Vec::new();
        for time in [Some(&self.time), self.window_start.as_ref(), self.window_end.as_ref()]
            .into_iter()
            .flatten()
        {
            times.push(DateTime::parse_from_rfc3339(time).ok()?.timestamp_micros());
        }
        Some((*times.iter().min()?, *times.iter().max()?))
    }
}

impl FoundAlert {
    /// The alert of this text in this file.
    fn of(file: &str, text: &str) -> Result<Self, String> {
        let head: Head = serde_json::from_str(text).map_err(|error| error.to_string())?;
        Ok(Self {
            times: head.times(),
            alert_id: head.alert_id,
            detection: head.detection,
            event_count: head.event_count,
            event_ids: head.event_ids,
            not_in_lake: Vec::new(),
            file: file.to_owned(),
            text: text.to_owned(),
        })
    }

    /// How many of its events it does not name.
    pub fn unlisted(&self) -> u64 {
        self.event_count.saturating_sub(self.event_ids.len() as u64)
    }
}

/// Adds the alerts of these ids; returns how many alerts there are in the file.
pub(super) fn find(file: AlertFile, ids: &BTreeSet<String>, found: &mut Vec<FoundAlert>) -> Result<u64> {
    let name = file.name.clone();
    file.each(|text| {
        let alert = FoundAlert::of(&name, text)?;
        let known = found
            .iter()
            .any(|known: &FoundAlert| known.alert_id == alert.alert_id && known.text == text);
        if ids.contains(&alert.alert_id) && !known {
            found.push(alert);
        }
        Ok(())
    })
}

/// Adds the alerts of these ids that the lake has recorded, as they are now.
pub(super) async fn recorded(engine: &Engine, ids: &BTreeSet<String>, found: &mut Vec<FoundAlert>) -> Result<()> {
    for revision in latest(engine, ids).await? {
        let text = serde_json::to_string(&revision).map_err(|error| Error::Internal(error.to_string()))?;
        found.push(FoundAlert::of(TABLE, &text).map_err(Error::Internal)?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    const ALERT: &str = r#"{"alert_id":"a1","detection":"d","severity":"low","time":"2026-03-01T08:00:00Z","key":{},"window_start":"2026-03-01T07:00:00Z","window_end":"2026-03-01T09:00:00Z","event_ids":["x"],"event_count":3,"fields":{"n":1.10}}"#;

    fn found(text: &str) -> Result<(u64, Vec<FoundAlert>)> {
        let file = AlertFile {
            name: "alerts.jsonl".into(),
            content: Box::new(io::Cursor::new(text.to_owned())),
        };
        let mut found = Vec::new();
        let read = find(file, &BTreeSet::from(["a1".to_owned()]), &mut found)?;
        Ok((read, found))
    }

    #[test]
    fn lines_and_arrays() {
        let other = ALERT.replace("a1", "a2");
        for text in [
            format!("{other}\n{ALERT}\n"),
            format!(" \n[{ALERT},\n {other}]\n"),
            format!("[\n  {other},\n  {ALERT}\n]"),
        ] {
            let (read, found) = found(&text).unwrap();
            assert_eq!((read, found.len()), (2, 1), "{text}");
            assert_eq!(found[0].text, ALERT, "as it was written");
            assert_eq!(found[0].unlisted(), 2);
            let (from, to) = found[0].times.unwrap();
            assert_eq!(to - from, 7_200_000_000);
        }
        assert_eq!(found("").unwrap().0, 0);
        assert_eq!(found("[]").unwrap().0, 0);
    }

    #[test]
    fn what_is_no_alert_is_said() {
        for text in ["alert_id,detection\na1,d\n", "{\"a\":1}", "[1]", "[{\"alert_id\":"] {
            let problem = found(text).unwrap_err().to_string();
            assert!(problem.contains("hunt --format jsonl"), "{problem}");
            assert!(problem.contains("item 1"), "{problem}");
        }
    }
}
