//! What is kept of a windowed detection between steps.
//!
//! An episode goes on for as long as each tick finds its key, and what arrives late may change any
//! of its ticks. So the rows of the last ticks are kept one by one, those of equal ticks once, and
//! of an episode that began before them what [`Episode`] knows. What arrives for times before
//! that is found by looking at the events again.

use crate::alerts::{Alert, Episode, WindowRow};
use crate::detections::Rhythm;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use xxhash_rust::xxh3::xxh3_64;

/// The state.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct WindowedState {
    /// Rows of ticks from here on are kept one by one.
    pub(super) settled: i64,
    /// The first event of the lake, when it was evaluated.
    pub(super) begins: Option<i64>,
    /// By the text of the key.
    pub(super) keys: BTreeMap<String, KeyState>,
    /// Alerts whose episode may still change without a look at the events, by id.
    pub(super) alerts: BTreeMap<String, RecordedAlert>,
}

/// What is kept of one key.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct KeyState {
    /// The episode that may go on at the first tick whose rows are kept.
    pub(super) before: Option<Episode>,
    /// In order of ticks.
    pub(super) runs: Vec<Run>,
}

/// The rows of consecutive ticks that are the same but for the tick.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Run {
    pub(super) first: i64,
    pub(super) last: i64,
    /// As of the first tick.
    pub(super) rows: Vec<WindowRow>,
}

/// What is recorded of an alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct RecordedAlert {
    pub(super) revision: u32,
    /// Of its content.
    pub(super) hash: u64,
    pub(super) window_end: i64,
    /// What it says, to be said once more when it is withdrawn.
    pub(super) alert: Kept,
    /// Whether a schedule recorded it, which may withdraw it.
    pub(super) ours: bool,
    /// It was withdrawn, and may be found again.
    #[serde(default)]
    pub(super) withdrawn: bool,
}

/// An alert that can be read back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Kept {
    severity: String,
    time: i64,
    key: serde_json::Map<String, serde_json::Value>,
    window_start: Option<i64>,
    windows: Option<u64>,
    event_ids: Vec<String>,
    event_count: u64,
    fields: serde_json::Map<String, serde_json::Value>,
}

impl RecordedAlert {
    pub(super) fn of(alert: &Alert, revision: u32, ours: bool) -> Self {
        Self {
            revision,
            hash: hash(alert),
            window_end: alert.window_end.unwrap_or(alert.time),
            alert: Kept {
                severity: alert.severity.clone(),
                time: alert.time,
                key: alert.key.clone(),
                window_start: alert.window_start,
                windows: alert.windows,
                event_ids: alert.event_ids.clone(),
                event_count: alert.event_count,
                fields: alert.fields.clone(),
            },
            ours,
            withdrawn: false,
        }
    }

    /// The first tick that found it.
    pub(super) fn alert_first_tick(&self, lookback: i64) -> Option<i64> {
        Some(self.alert.window_start?.saturating_add(lookback))
    }

    pub(super) fn alert(self, detection: &str, alert_id: String) -> Alert {
        let kept = self.alert;
        Alert {
            alert_id,
            detection: detection.to_owned(),
            severity: kept.severity,
            time: kept.time,
            key: kept.key,
            window_start: kept.window_start,
            window_end: Some(self.window_end),
            windows: kept.windows,
            event_ids: kept.event_ids,
            event_count: kept.event_count,
            history_complete: None,
            fields: kept.fields,
        }
    }
}

/// Alerts that say the same have the same.
pub(super) fn hash(alert: &Alert) -> u64 {
    xxh3_64(&serde_json::to_vec(alert).unwrap_or_default())
}

impl WindowedState {
    /// Whether nothing is found, nor was of late.
    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.alerts.is_empty()
    }
}

impl KeyState {
    /// The rows of ticks before this one, each tick's together.
    pub(super) fn rows_before(&self, tick: i64, rhythm: &Rhythm) -> Vec<WindowRow> {
        let mut rows = Vec::new();
        for run in &self.runs {
            let mut at = run.first;
            while at <= run.last && at < tick {
                rows.extend(run.rows.iter().map(|row| WindowRow {
                    tick: at,
                    ..row.clone()
                }));
                at = rhythm.next(at);
            }
        }
        rows
    }

    /// Forgets all but the rows of consecutive ticks up to this one.
    pub(super) fn keep_last_stretch(&mut self, tick: i64, rhythm: &Rhythm) {
        let mut expected = tick;
        let mut kept = self.runs.len();
        for run in self.runs.iter().rev() {
            if run.last != expected {
                break;
            }
            expected = rhythm.previous(run.first);
            kept -= 1;
        }
        self.runs.drain(..kept);
    }

    /// Takes the rows of the next tick.
    pub(super) fn push(&mut self, tick: i64, mut rows: Vec<WindowRow>, rhythm: &Rhythm) {
        // The order of the rows of a tick does not matter.
        if rows.len() > 1 {
            rows.sort_by_cached_key(|row| serde_json::to_string(&row.fields).unwrap_or_default());
        }
        if let Some(run) = self.runs.last_mut()
            && rhythm.next(run.last) == tick
            && run.rows.len() == rows.len()
            && run.rows.iter().zip(&rows).all(|(a, b)| is_same(a, b))
        {
            run.last = tick;
            return;
        }
        self.runs.push(Run {
            first: tick,
            last: tick,
            rows,
        });
    }
}

fn is_same(a: &WindowRow, b: &WindowRow) -> bool {
    a.event_count == b.event_count && a.first_time == b.first_time && a.event_ids == b.event_ids && a.fields == b.fields
}
