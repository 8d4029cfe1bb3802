//! Windowed detections, tick by tick: each tick sees the events of its window and a
//! clock that stands at the tick, as a scheduled run would.

use super::earlier::{Ticks, earlier_rows};
use super::quiet::{self, Activity};
use super::rows::{fields, find, key, strings};
use super::{Found, HuntRequest, Range, micros};
use crate::alerts::{AlertWriter, EpisodeRule, WindowRow, episodes};
use crate::detections::{Detection, FIRST_TIMES};
use crate::engine::{Engine, ScanFigures, Scope, Window};
use crate::error::{Error, Result};
use datafusion::common::runtime::SpawnedTask;
use datafusion::logical_expr::LogicalPlan;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::Value;

pub(super) async fn evaluate(
    engine: &Engine,
    detection: &Detection,
    request: HuntRequest,
    range: Range,
    alerts: &mut AlertWriter,
) -> Result<Found> {
    let (interval, lookback) = (micros(detection.header.interval), lookback(detection));
    // Without an end, every tick counts that still sees the last event.
    let last = request.to.unwrap_or_else(|| range.to.saturating_add(lookback));
    let ticks: Vec<i64> = ticks(range.from, last, interval).collect();
    let (Some(&first_tick), Some(&last_tick)) = (ticks.first(), ticks.last()) else {
        return Ok(Found {
            ticks: Some((0, 0)),
            ..Found::default()
        });
    };
    let whole = Window {
        after: first_tick.saturating_sub(lookback),
        until: last_tick,
    };
    let session = engine.session(Scope {
        window: Some(whole),
        now: Some(last_tick),
    })?;
    let planned = session.plan(&detection.sql).await?;
    let activity = if request.replay || reads_the_clock(engine, detection, whole, &planned.plan).await? {
        Activity::unknown()
    } else {
        quiet::activity(&session, &planned.plan, interval).await?
    };
    let evaluated: Vec<i64> = ticks
        .iter()
        .copied()
        .filter(|&tick| activity.may_find(tick.saturating_sub(lookback), tick))
        .collect();
    let count = evaluated.len() as u64;
    let threads = session.context().copied_config().target_partitions();
    let (mut rows, mut read) = at_ticks(engine, detection, evaluated, threads).await?;
    let before = Ticks {
        first: first_tick,
        interval,
        lookback,
        earliest: engine.extent().map_or(first_tick, |extent| extent.first),
    };
    if !request.per_window {
        let earlier = earlier_rows(before, &rows, async |first, last| {
            let (rows, figures) = at_ticks(engine, detection, ticks_of(first, last, interval), threads).await?;
            read += figures;
            Ok(rows)
        });
        let earlier = earlier.await?;
        rows.extend(earlier);
    }
    let rule = EpisodeRule {
        detection: detection.id().to_owned(),
        severity: detection.header.severity.to_string(),
        interval,
        lookback,
        per_window: request.per_window,
        first_tick,
    };
    for alert in episodes(rule, rows)? {
        alerts.add(&alert).await?;
    }
    Ok(Found {
        ticks: Some((ticks.len() as u64, count)),
        raw_fields: planned.resolution.raw_fields,
        read,
        ..Found::default()
    })
}

fn ticks_of(first: i64, last: i64, interval: i64) -> Vec<i64> {
    ticks(first, last, interval).collect()
}

/// The rows of several ticks, and what was read for them.
async fn at_ticks(
    engine: &Engine,
    detection: &Detection,
    ticks: Vec<i64>,
    threads: usize,
) -> Result<(Vec<WindowRow>, ScanFigures)> {
    let mut evaluations = stream::iter(ticks)
        .map(|tick| {
            let (engine, detection) = (engine.clone(), detection.clone());
            // Dropped with the hunt, so that an interrupted one leaves nothing running.
            let task = SpawnedTask::spawn(async move { at_tick(&engine, &detection, tick).await });
            async move {
                task.join()
                    .await
                    .map_err(|error| Error::Internal(format!("a tick ended: {error}")))?
            }
        })
        .buffered(threads.max(1));
    let (mut rows, mut read) = (Vec::new(), ScanFigures::default());
    while let Some((found, figures)) = evaluations.try_next().await? {
        rows.extend(found);
        read += figures;
    }
    Ok((rows, read))
}

/// Whether the plan depends on when it runs: then the filters of its scans differ from
/// tick to tick, and no one pass tells which ticks are quiet. `plan` is that of the end of
/// the window; a day and a moment before, every clock says something else.
async fn reads_the_clock(engine: &Engine, detection: &Detection, window: Window, plan: &LogicalPlan) -> Result<bool> {
    let session = engine.session(Scope {
        window: Some(window),
        now: Some(window.until - 86_400_000_000 - 1),
    })?;
    Ok(session.plan(&detection.sql).await?.plan != *plan)
}

fn lookback(detection: &Detection) -> i64 {
    detection.header.lookback.map_or(0, micros)
}

/// The ticks of a range: multiples of the interval since the Unix epoch, both ends included.
pub(super) fn ticks(from: i64, to: i64, interval: i64) -> impl Iterator<Item = i64> {
    let interval = interval.max(1);
    let first = from.div_euclid(interval) + i64::from(from.rem_euclid(interval) != 0);
    (first..=to.div_euclid(interval)).map(move |number| number * interval)
}

/// What one run of the detection at a tick gives.
async fn at_tick(engine: &Engine, detection: &Detection, tick: i64) -> Result<(Vec<WindowRow>, ScanFigures)> {
    let window = Window {
        after: tick.saturating_sub(lookback(detection)),
        until: tick,
    };
    let session = engine.session(Scope {
        window: Some(window),
        now: Some(tick),
    })?;
    let planned = session.plan(&detection.sql).await?;
    let mut stream = session.run_counted(&planned.plan).await?;
    let mut rows = Vec::new();
    while let Some(batch) = stream.try_next().await? {
        for row in 0..batch.num_rows() {
            let fields = fields(&batch, row);
            let key = key(detection, &fields)?;
            let event_ids = strings(find(&fields, "event_ids"));
            let event_count = match find(&fields, "event_count").and_then(Value::as_u64) {
                Some(count) => count,
                None => event_ids.len().max(1) as u64,
            };
            let first_time = FIRST_TIMES.iter().find_map(|name| fields.get(*name)).and_then(instant);
            rows.push(WindowRow {
                tick,
                key,
                first_time,
                event_ids,
                event_count,
                fields,
            });
        }
    }
    Ok((rows, stream.figures()))
}

fn instant(value: &Value) -> Option<i64> {
    let time = chrono::DateTime::parse_from_rfc3339(value.as_str()?).ok()?;
    Some(time.timestamp_micros())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_multiples_of_the_interval() {
        assert_eq!(ticks(1, 30, 10).collect::<Vec<_>>(), [10, 20, 30]);
        assert_eq!(ticks(10, 10, 10).collect::<Vec<_>>(), [10]);
        assert_eq!(ticks(11, 19, 10).count(), 0);
        assert_eq!(ticks(-15, 5, 10).collect::<Vec<_>>(), [-10, 0]);
    }
}
