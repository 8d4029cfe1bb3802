//! Consecutive windows with the same finding are one alert.

use super::{Alert, alert_id};
use crate::config::format_instant;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// One row of a windowed detection at one tick.
#[derive(Debug, Clone)]
pub struct WindowRow {
    /// The tick: end of the window.
    pub tick: i64,
    /// Values of the key columns.
    pub key: Map<String, Value>,
    /// The row.
    pub fields: Map<String, Value>,
    /// Time of the first event, where the row has it.
    pub first_time: Option<i64>,
    /// The row's `event_ids`.
    pub event_ids: Vec<String>,
    /// The row's `event_count`.
    pub event_count: u64,
}

/// Joins rows into alerts: rows with the same key at ticks one interval apart are one
/// episode. With `per_window`, each row stays an alert of its own.
///
/// The fields are those of the window with the most events, the first of these. The
/// event ids are those of all windows; their number is the count of an episode.
pub fn episodes(
    detection: &str,
    severity: &str,
    interval: i64,
    lookback: i64,
    per_window: bool,
    rows: Vec<WindowRow>,
) -> Vec<Alert> {
    let mut by_key: BTreeMap<String, Vec<WindowRow>> = BTreeMap::new();
    for row in rows {
        by_key
            .entry(Value::Object(row.key.clone()).to_string())
            .or_default()
            .push(row);
    }
    let mut alerts = Vec::new();
    for mut rows in by_key.into_values() {
        rows.sort_by_key(|row| row.tick);
        // Several rows of one tick with one key are one finding.
        let same_episode =
            |a: &WindowRow, b: &WindowRow| a.tick == b.tick || (!per_window && b.tick - a.tick == interval);
        for episode in rows.chunk_by(same_episode) {
            alerts.extend(alert(detection, severity, lookback, episode));
        }
    }
    alerts
}

fn alert(detection: &str, severity: &str, lookback: i64, rows: &[WindowRow]) -> Option<Alert> {
    let (first, last) = (rows.first()?, rows.last()?);
    let peak = rows.iter().rev().max_by_key(|row| row.event_count)?;
    let one_row = rows.len() == 1;
    let ids: BTreeSet<&String> = rows.iter().flat_map(|row| &row.event_ids).collect();
    let windows = rows.chunk_by(|a, b| a.tick == b.tick).count() as u64;
    let window_start = first.tick - lookback;
    Some(Alert {
        alert_id: alert_id(detection, &first.key, &format_instant(first.tick)),
        detection: detection.to_owned(),
        severity: severity.to_owned(),
        time: rows
            .iter()
            .filter_map(|row| row.first_time)
            .min()
            .unwrap_or(window_start),
        key: first.key.clone(),
        window_start: Some(window_start),
        window_end: Some(last.tick),
        windows: Some(windows),
        event_count: if ids.is_empty() || one_row {
            peak.event_count
        } else {
            peak.event_count.max(ids.len() as u64)
        },
        event_ids: ids.into_iter().cloned().collect(),
        history_complete: None,
        fields: peak.fields.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn row(tick: i64, key: &str, ids: &[&str]) -> WindowRow {
        WindowRow {
            tick,
            key: json!({"k": key}).as_object().cloned().unwrap(),
            fields: json!({"tick": tick}).as_object().cloned().unwrap(),
            first_time: Some(tick - 5),
            event_ids: ids.iter().map(|id| (*id).to_owned()).collect(),
            event_count: ids.len() as u64,
        }
    }

    #[test]
    fn consecutive_windows_are_one_alert() {
        let rows = vec![
            row(30, "a", &["3"]),
            row(10, "a", &["1"]),
            row(20, "a", &["1", "2"]),
            row(50, "a", &["9"]),
            row(20, "b", &["2"]),
        ];
        let found = episodes("d", "high", 10, 15, false, rows.clone());
        let shape: Vec<_> = found
            .iter()
            .map(|a| {
                (
                    a.key["k"].as_str().unwrap(),
                    a.window_start.unwrap(),
                    a.window_end.unwrap(),
                    a.windows.unwrap(),
                    a.event_count,
                )
            })
            .collect();
        assert_eq!(shape, [("a", -5, 30, 3, 3), ("a", 35, 50, 1, 1), ("b", 5, 20, 1, 1)]);
        assert_eq!(found[0].event_ids, ["1", "2", "3"]);
        assert_eq!(
            found[0].fields["tick"], 20,
            "the fields are those of the fullest window"
        );
        assert_eq!(found[0].time, 5);
        assert_eq!(episodes("d", "high", 10, 15, true, rows).len(), 5);
    }

    #[test]
    fn an_alert_keeps_its_id_when_it_goes_on() {
        let short = episodes("d", "high", 10, 15, false, vec![row(10, "a", &["1"])]);
        let long = episodes(
            "d",
            "high",
            10,
            15,
            false,
            vec![row(10, "a", &["1"]), row(20, "a", &["2"])],
        );
        assert_eq!(short[0].alert_id, long[0].alert_id);
    }
}
