//! Ticks that are long past, whose window an event entered late: these are evaluated again, and
//! those around them for as long as an episode that is open there goes on.
//!
//! One tick to each side is evaluated with them. Nothing entered its window, so what is recorded
//! there is right, and says which episodes reach beyond.

use super::recorded::last_where;
use super::windowed::{earlier, evaluated};
use super::{Changed, Step, StepRequest};
use crate::alerts::{Alert, Change, EpisodeRule, Episodes, Origin, WindowRow};
use crate::config::format_instant;
use crate::detections::Detection;
use crate::engine::ScanFigures;
use crate::error::Result;
use crate::hunt::ticks::{between, count};
use crate::hunt::window_rows::WindowRows;
use std::collections::{BTreeMap, BTreeSet};

/// Rows by the text of their key, in order of ticks.
type Rows = BTreeMap<String, Vec<WindowRow>>;

/// Evaluates ticks from the first to the last of these again. False, and nothing is changed, where
/// an episode reaches the limit: from there on rows are kept.
pub(super) async fn reopen(
    detection: &Detection,
    request: StepRequest<'_>,
    rule: &EpisodeRule,
    (first, last): (i64, i64),
    (begin, limit): (i64, i64),
    step: &mut Step,
) -> Result<bool> {
    let rhythm = &detection.header.rhythm;
    let (start, end) = (rhythm.previous(first).max(begin), rhythm.next(last));
    if end >= limit {
        return Ok(false);
    }
    let mut read = ScanFigures::default();
    let ticks = between(detection, start, end);
    let mut evaluations = count(detection, ticks);
    let mut rows = rows(detection, request, (start, end), &mut read, &mut step.notes).await?;
    let open = rows
        .iter()
        .filter(|(_, rows)| rows.last().is_some_and(|row| row.tick == end));
    let open: BTreeSet<String> = open.map(|(key, _)| key.clone()).collect();
    let later = later(detection, request, open, (end, limit), &mut read, &mut step.notes).await;
    let Some((later, more)) = later? else {
        step.read += read;
        return Ok(false);
    };
    evaluations += more;
    for (key, later) in later {
        rows.entry(key).or_default().extend(later);
    }
    let mut keys = earlier(detection, request, ticks, &mut read).await?;
    let mut found: BTreeMap<String, Alert> = BTreeMap::new();
    for (key, rows) in rows {
        let before = keys.remove(&key).unwrap_or_default();
        let mut episodes = Episodes::new(rule.clone());
        let mut ended = Vec::new();
        for row in before.rows_before(start, rhythm).into_iter().chain(rows) {
            ended.extend(episodes.push(row)?);
        }
        ended.extend(episodes.finish());
        // What ended before the range that counts does not.
        ended.retain(|alert| {
            request
                .from
                .is_none_or(|from| alert.window_end.is_none_or(|end| end >= from))
        });
        found.extend(ended.into_iter().map(|alert| (alert.alert_id.clone(), alert)));
    }
    step.read += read;
    step.ticks += evaluations;
    step.add(changes(detection, request, rule, (start, end), found).await?);
    Ok(true)
}

/// The rows of ticks.
async fn rows(
    detection: &Detection,
    request: StepRequest<'_>,
    (from, to): (i64, i64),
    read: &mut ScanFigures,
    notes: &mut Vec<String>,
) -> Result<Rows> {
    let mut found = WindowRows::new(request.engine);
    *read += evaluated(
        request.engine,
        detection,
        between(detection, from, to),
        &mut found,
        notes,
    )
    .await?;
    let mut rows = Rows::new();
    for row in found.in_order().await? {
        let row = row?;
        rows.entry(row.key_text()).or_default().push(row);
    }
    Ok(rows)
}

/// The rows after a tick of the keys that are open there, each for as long as it is found; `None`
/// where one is still found at the limit. And how many ticks were evaluated.
async fn later(
    detection: &Detection,
    request: StepRequest<'_>,
    mut open: BTreeSet<String>,
    (mut at, limit): (i64, i64),
    read: &mut ScanFigures,
    notes: &mut Vec<String>,
) -> Result<Option<(Rows, u64)>> {
    let rhythm = &detection.header.rhythm;
    let mut later = Rows::new();
    let mut evaluations = 0;
    // An alert mostly lives for as long as its events are within the window.
    let mut length = detection.header.lookback.map_or(0, crate::hunt::micros).max(1);
    while !open.is_empty() {
        let from = rhythm.next(at);
        let to = rhythm.at_or_before(at.saturating_add(length).min(limit)).max(from);
        if to >= limit {
            return Ok(None);
        }
        let mut found = rows(detection, request, (from, to), read, notes).await?;
        evaluations += count(detection, between(detection, from, to));
        open.retain(|key| {
            let mut expected = from;
            let mut rows = found.remove(key).unwrap_or_default().into_iter().peekable();
            while let Some(row) = rows.next_if(|row| row.tick == expected) {
                let tick = row.tick;
                let kept = later.entry(key.clone()).or_default();
                kept.push(row);
                while let Some(same) = rows.next_if(|row| row.tick == tick) {
                    kept.push(same);
                }
                expected = rhythm.next(tick);
            }
            expected > to
        });
        at = to;
        length = length.saturating_mul(2);
    }
    Ok(Some((later, evaluations)))
}

/// What is to be changed so that these are the alerts that some of these ticks find.
async fn changes(
    detection: &Detection,
    request: StepRequest<'_>,
    rule: &EpisodeRule,
    (start, end): (i64, i64),
    found: BTreeMap<String, Alert>,
) -> Result<Vec<Changed>> {
    let first_tick = |alert: &Alert| alert.window_start.unwrap_or(alert.time).saturating_add(rule.lookback);
    let condition = format!(
        "window_end >= TIMESTAMP '{}' AND window_start <= TIMESTAMP '{}'",
        format_instant(start),
        format_instant(end.saturating_sub(rule.lookback))
    );
    let mut recorded = last_where(request.engine, detection.id(), &condition).await?;
    let mut changes = Vec::new();
    for (id, alert) in found {
        let known = recorded.remove(&id);
        let change = match &known {
            None => Change::New,
            Some(known) if known.change != Change::Withdrawn && known.alert == alert => continue,
            Some(_) => Change::Revised,
        };
        changes.push(Changed {
            late_since: Some(first_tick(&alert)),
            alert,
            change,
            revision: known.map_or(0, |known| known.revision) + 1,
        });
    }
    let gone = recorded.into_values().filter(|known| {
        let there = known.alert.window_end.is_some_and(|last| last >= start) && first_tick(&known.alert) <= end;
        there && known.origin == Origin::Schedule && known.change != Change::Withdrawn
    });
    changes.extend(gone.map(|known| Changed {
        revision: known.revision + 1,
        late_since: Some(first_tick(&known.alert)),
        alert: known.alert,
        change: Change::Withdrawn,
    }));
    Ok(changes)
}
