//! Alerts as rows that can be put in order and wait on disk, and back, exactly.

use super::Alert;
use crate::engine::sorter::{Spilled, read_bytes, read_text, write_text};
use crate::error::{Error, Result};
use serde_json::{Map, Value};
use std::io::{self, Read, Write};
use std::mem::size_of;
use std::sync::Arc;

/// What an alert has beside what it is sorted by, as JSON: severity, key, window start and
/// end, windows, event ids, event count, whether the history is complete, fields.
type Rest = (
    String,
    Map<String, Value>,
    Option<i64>,
    Option<i64>,
    Option<u64>,
    Vec<String>,
    u64,
    Option<bool>,
    Map<String, Value>,
);

/// An alert, ordered as alerts come out: by time, detection and id. Rows that are the same in
/// these are one alert, for which the first by its text speaks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Row {
    time: i64,
    detection: Arc<str>,
    alert_id: String,
    rest: String,
    /// Who added it.
    pub(super) writer: u32,
}

/// What makes rows the same alert: time, detection and id.
pub(super) type Identity = (i64, Arc<str>, String);

impl Row {
    pub(super) fn of(writer: u32, alert: &Alert) -> Result<Self> {
        let rest = (
            &alert.severity,
            &alert.key,
            alert.window_start,
            alert.window_end,
            alert.windows,
            &alert.event_ids,
            alert.event_count,
            alert.history_complete,
            &alert.fields,
        );
        Ok(Self {
            time: alert.time,
            detection: Arc::from(alert.detection.as_str()),
            alert_id: alert.alert_id.clone(),
            rest: serde_json::to_string(&rest).map_err(|error| Error::Internal(error.to_string()))?,
            writer,
        })
    }

    pub(super) fn alert(self) -> Result<Alert> {
        // Not serde_json, which reads some numbers only nearly.
        let rest: Rest = sonic_rs::from_str(&self.rest)
            .map_err(|error| Error::Internal(format!("an alert cannot be read back: {error}")))?;
        let (severity, key, window_start, window_end, windows, event_ids, event_count, history_complete, fields) = rest;
        Ok(Alert {
            alert_id: self.alert_id,
            detection: self.detection.as_ref().to_owned(),
            severity,
            time: self.time,
            key,
            window_start,
            window_end,
            windows,
            event_ids,
            event_count,
            history_complete,
            fields,
        })
    }

    pub(super) fn detection(&self) -> &str {
        &self.detection
    }

    pub(super) fn identity(&self) -> Identity {
        (self.time, Arc::clone(&self.detection), self.alert_id.clone())
    }

    /// Whether it is this alert.
    pub(super) fn is(&self, (time, detection, alert_id): &Identity) -> bool {
        (self.time, &self.detection, &self.alert_id) == (*time, detection, alert_id)
    }
}

impl Spilled for Row {
    fn bytes(&self) -> usize {
        size_of::<Self>() + self.detection.len() + self.alert_id.capacity() + self.rest.capacity()
    }

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        out.write_all(&self.time.to_le_bytes())?;
        out.write_all(&self.writer.to_le_bytes())?;
        for text in [self.detection.as_ref(), &self.alert_id, &self.rest] {
            write_text(text, out)?;
        }
        Ok(())
    }

    fn read(from: &mut impl Read) -> io::Result<Self> {
        Ok(Self {
            time: i64::from_le_bytes(read_bytes(from)?),
            writer: u32::from_le_bytes(read_bytes(from)?),
            detection: Arc::from(read_text(from)?),
            alert_id: read_text(from)?,
            rest: read_text(from)?,
        })
    }
}
