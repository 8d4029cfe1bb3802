//! Consecutive windows with the same finding are one alert.
//!
//! An episode is a key and a longest row of consecutive ticks of the detection, at each of
//! which it finds that key. Its id is made of its first tick, so it must not matter
//! where a hunt begins or ends. The rule:
//!
//! - A hunt of a range reports the episodes that have a tick in the range.
//! - An episode that began before the range is reported as it is from its true first tick
//!   on: with the same id, first window, time and events as in a hunt of everything. For
//!   that, a hunt evaluates ticks before its range for as long as a key of its first tick
//!   is still found ([`OpenKeys`]); no episode begins before the lake's first event, unless
//!   the range itself does.
//! - An episode that goes on after the range is reported as far as the range goes: with the
//!   same id and start, and fewer windows.
//!
//! So a hunt gives what a hunt of everything up to its end gives, without the episodes that
//! ended before it begins. With each window an alert of its own there is nothing to join:
//! the windows of the range are reported, each under the id of its key and tick.

use super::{Alert, alert_id};
use crate::config::format_instant;
use crate::detections::Rhythm;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// One row of a windowed detection at one tick.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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

impl WindowRow {
    /// The key as text: rows with the same are the same finding, and rows of an episode are
    /// sorted by it.
    pub fn key_text(&self) -> String {
        serde_json::to_string(&self.key).unwrap_or_default()
    }
}

/// How rows become alerts.
#[derive(Debug, Clone)]
pub struct EpisodeRule {
    /// Id of the detection.
    pub detection: String,
    /// Its severity.
    pub severity: String,
    /// Which ticks are consecutive.
    pub rhythm: Rhythm,
    /// Microseconds of a window.
    pub lookback: i64,
    /// Each window an alert of its own.
    pub per_window: bool,
    /// First tick of the range. Rows of earlier ticks only say how an episode began.
    pub first_tick: i64,
}

/// Joins rows into alerts, one episode in memory at a time. Rows come sorted by
/// [`WindowRow::key_text`], then tick; the order of several rows of one key and tick, which
/// are one finding, does not matter.
///
/// The fields of an alert are those of the row with the most events; of the first tick
/// among these; of the first by their text at one tick. The event ids are those of all
/// windows; their number is the count of an episode.
#[derive(Debug)]
pub struct Episodes {
    rule: EpisodeRule,
    open: Option<Episode>,
}

/// The rows of an episode so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Episode {
    key_text: String,
    first: i64,
    last: i64,
    windows: u64,
    rows: u64,
    first_time: Option<i64>,
    event_ids: BTreeSet<String>,
    peak: WindowRow,
}

impl Episodes {
    /// Nothing joined yet.
    pub fn new(rule: EpisodeRule) -> Self {
        Self { rule, open: None }
    }

    /// Goes on with an episode of which rows were taken before.
    pub fn going_on(rule: EpisodeRule, open: Option<Episode>) -> Self {
        Self { rule, open }
    }

    /// The episode that the next row may go on with.
    pub fn open(&self) -> Option<&Episode> {
        self.open.as_ref()
    }

    /// The alert of the open episode as it is now.
    pub fn so_far(&self) -> Option<Alert> {
        self.open.clone()?.alert(&self.rule)
    }

    /// Takes the next row; gives the alert that it ends.
    pub fn push(&mut self, row: WindowRow) -> Result<Option<Alert>> {
        if self.rule.per_window && row.tick < self.rule.first_tick {
            return Ok(None);
        }
        let key_text = row.key_text();
        if let Some(open) = &mut self.open
            && open.key_text == key_text
        {
            if row.tick < open.last {
                return Err(Error::Internal(format!(
                    "{}: rows of windows out of order",
                    self.rule.detection
                )));
            }
            let goes_on = !self.rule.per_window && row.tick == self.rule.rhythm.next(open.last);
            if row.tick == open.last || goes_on {
                open.add(row);
                return Ok(None);
            }
        }
        let ended = self.open.replace(Episode::of(key_text, row));
        Ok(ended.and_then(|episode| episode.alert(&self.rule)))
    }

    /// The alert of the last rows.
    pub fn finish(self) -> Option<Alert> {
        self.open?.alert(&self.rule)
    }
}

impl Episode {
    /// Its last tick so far.
    pub fn last_tick(&self) -> i64 {
        self.last
    }

    fn of(key_text: String, row: WindowRow) -> Self {
        Self {
            key_text,
            first: row.tick,
            last: row.tick,
            windows: 1,
            rows: 1,
            first_time: row.first_time,
            event_ids: row.event_ids.iter().cloned().collect(),
            peak: row,
        }
    }

    fn add(&mut self, row: WindowRow) {
        self.windows += u64::from(row.tick > self.last);
        self.rows += 1;
        self.last = row.tick;
        self.first_time = [self.first_time, row.first_time].into_iter().flatten().min();
        self.event_ids.extend(row.event_ids.iter().cloned());
        if row.rank() < self.peak.rank() {
            self.peak = row;
        }
    }

    /// None where the episode ended before the range.
    fn alert(self, rule: &EpisodeRule) -> Option<Alert> {
        if self.last < rule.first_tick {
            return None;
        }
        let window_start = self.first.saturating_sub(rule.lookback);
        Some(Alert {
            alert_id: alert_id(&rule.detection, &self.peak.key, &format_instant(self.first)),
            detection: rule.detection.clone(),
            severity: rule.severity.clone(),
            time: self.first_time.unwrap_or(window_start),
            window_start: Some(window_start),
            window_end: Some(self.last),
            windows: Some(self.windows),
            event_count: if self.event_ids.is_empty() || self.rows == 1 {
                self.peak.event_count
            } else {
                self.peak.event_count.max(self.event_ids.len() as u64)
            },
            event_ids: self.event_ids.into_iter().collect(),
            history_complete: None,
            key: self.peak.key,
            fields: self.peak.fields,
        })
    }
}

impl WindowRow {
    /// The least speaks for its episode.
    fn rank(&self) -> (Reverse<u64>, i64, String) {
        let fields = serde_json::to_string(&self.fields).unwrap_or_default();
        (Reverse(self.event_count), self.tick, fields)
    }
}

/// [`Episodes`] of rows that are all there, in any order.
pub fn episodes(rule: EpisodeRule, mut rows: Vec<WindowRow>) -> Result<Vec<Alert>> {
    rows.sort_by_cached_key(|row| (row.key_text(), row.tick));
    let mut episodes = Episodes::new(rule);
    let mut alerts = Vec::new();
    for row in rows {
        alerts.extend(episodes.push(row)?);
    }
    alerts.extend(episodes.finish());
    Ok(alerts)
}

/// Keys whose episode may have begun before the ticks seen so far.
#[derive(Debug)]
pub struct OpenKeys {
    keys: BTreeSet<String>,
    /// The first tick seen.
    seen: i64,
    rhythm: Rhythm,
}

impl OpenKeys {
    /// The keys of the rows at the first tick of a range; rows of later ticks do not matter.
    pub fn at<'a>(first_tick: i64, rhythm: Rhythm, rows: impl IntoIterator<Item = &'a WindowRow>) -> Self {
        let at_first = rows.into_iter().filter(|row| row.tick == first_tick);
        Self {
            keys: at_first.map(WindowRow::key_text).collect(),
            seen: first_tick,
            rhythm,
        }
    }

    /// True when every episode has its beginning.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Whether the episode of this key is still without its beginning.
    pub fn contains(&self, row: &WindowRow) -> bool {
        self.keys.contains(&row.key_text())
    }

    /// Looks at the rows of all ticks from `first_tick` to the last one not seen before:
    /// what stays open was found at each of them.
    pub fn look_back<'a>(&mut self, first_tick: i64, rows: impl IntoIterator<Item = &'a WindowRow>) {
        let mut found: BTreeMap<String, BTreeSet<i64>> = BTreeMap::new();
        for row in rows {
            let key = row.key_text();
            if (first_tick..self.seen).contains(&row.tick) && self.keys.contains(&key) {
                found.entry(key).or_default().insert(row.tick);
            }
        }
        let ticks = self.rhythm.count(first_tick, self.seen.saturating_sub(1));
        self.keys
            .retain(|key| found.get(key).is_some_and(|found| found.len() as u64 == ticks));
        self.seen = first_tick;
    }
}
