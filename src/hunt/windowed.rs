//! Windowed detections: what each tick of a range gives. All ticks at once where the plan
//! can be lifted; else, or when a replay is asked for, one by one as a schedule would.

use super::rows::{fields, find, key, strings, times};
use super::{Found, HuntRequest, Range, micros};
use crate::alerts::{WindowRow, episodes};
use crate::detections::{Detection, FIRST_TIMES};
use crate::engine::{Clock, Engine, Lifted, Scope, Session, TICK_COLUMN, Ticks, Window};
use crate::error::{Error, Result};
use datafusion::arrow::array::RecordBatch;
use datafusion::common::runtime::SpawnedTask;
use datafusion::logical_expr::LogicalPlan;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::Value;

pub(super) async fn evaluate(
    engine: &Engine,
    detection: &Detection,
    request: HuntRequest,
    range: Range,
) -> Result<Found> {
    let lookback = lookback(detection);
    // Without an end, every tick counts that still sees the last event.
    let last = request.to.unwrap_or_else(|| range.to.saturating_add(lookback));
    let ticks = Ticks::within(range.from, last, micros(detection.header.interval), lookback);
    let mut found = Found {
        ticks: Some((ticks.count(), ticks.count())),
        ..Found::default()
    };
    if ticks.count() == 0 {
        return Ok(found);
    }
    let planned = plan(engine, detection, ticks).await?;
    found.raw_fields = planned.raw_fields;
    let rows = match planned.lifted {
        Lifted::Plan(plan) if !request.replay => all_at_once(&planned.session, &plan, detection).await?,
        Lifted::Refused(reason) if !request.replay => {
            found.replayed_because = Some(reason);
            one_by_one(engine, detection, ticks).await?
        }
        _ => one_by_one(engine, detection, ticks).await?,
    };
    found.alerts = episodes(
        detection.id(),
        detection.header.severity.as_str(),
        ticks.interval,
        lookback,
        request.per_window,
        rows,
    );
    Ok(found)
}

/// A detection's plan for all ticks of a range.
pub(super) struct PlannedTicks {
    pub(super) session: Session,
    pub(super) lifted: Lifted,
    pub(super) raw_fields: Vec<String>,
}

/// Plans a detection for all of these ticks at once. An error if it cannot run at all.
pub(super) async fn plan(engine: &Engine, detection: &Detection, ticks: Ticks) -> Result<PlannedTicks> {
    let session_at = |clock| {
        engine.session(Scope {
            window: Some(Window {
                after: ticks.first.saturating_sub(ticks.lookback),
                until: ticks.last,
            }),
            now: Some(clock),
        })
    };
    let session = session_at(Clock::Tick)?;
    let (lifted, raw_fields) = match session.plan(&detection.sql).await {
        Ok(planned) => (session.lift(&planned.plan, ticks)?, planned.resolution.raw_fields),
        // Some functions want a constant where a lifted plan has the tick.
        Err(_) => {
            let planned = session_at(Clock::At(ticks.last))?.plan(&detection.sql).await?;
            let reason = "the time is asked for where only a constant can be";
            (Lifted::Refused(reason.into()), planned.resolution.raw_fields)
        }
    };
    Ok(PlannedTicks {
        session,
        lifted,
        raw_fields,
    })
}

async fn all_at_once(session: &Session, plan: &LogicalPlan, detection: &Detection) -> Result<Vec<WindowRow>> {
    let mut stream = session.run(plan).await?;
    let mut rows = Vec::new();
    while let Some(batch) = stream.try_next().await? {
        let ticks = times(&batch, TICK_COLUMN)?;
        collect(detection, &batch, |row| ticks[row].unwrap_or_default(), &mut rows)?;
    }
    Ok(rows)
}

async fn one_by_one(engine: &Engine, detection: &Detection, ticks: Ticks) -> Result<Vec<WindowRow>> {
    let rows: Vec<Vec<WindowRow>> = stream::iter(ticks.iter())
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
        .buffered(engine.threads())
        .try_collect()
        .await?;
    Ok(rows.into_iter().flatten().collect())
}

/// What one run of the detection at a tick gives.
async fn at_tick(engine: &Engine, detection: &Detection, tick: i64) -> Result<Vec<WindowRow>> {
    let session = engine.session(Scope {
        window: Some(Window {
            after: tick.saturating_sub(lookback(detection)),
            until: tick,
        }),
        now: Some(Clock::At(tick)),
    })?;
    let mut stream = session.query(&detection.sql).await?;
    let mut rows = Vec::new();
    while let Some(batch) = stream.try_next().await? {
        collect(detection, &batch, |_| tick, &mut rows)?;
    }
    Ok(rows)
}

fn collect(
    detection: &Detection,
    batch: &RecordBatch,
    tick: impl Fn(usize) -> i64,
    rows: &mut Vec<WindowRow>,
) -> Result<()> {
    for row in 0..batch.num_rows() {
        let fields = fields(batch, row);
        let key = key(detection, &fields)?;
        let event_ids = strings(find(&fields, "event_ids"));
        let event_count = match find(&fields, "event_count").and_then(Value::as_u64) {
            Some(count) => count,
            None => event_ids.len().max(1) as u64,
        };
        let first_time = FIRST_TIMES.iter().find_map(|name| fields.get(*name)).and_then(instant);
        rows.push(WindowRow {
            tick: tick(row),
            key,
            first_time,
            event_ids,
            event_count,
            fields,
        });
    }
    Ok(())
}

fn lookback(detection: &Detection) -> i64 {
    detection.header.lookback.map_or(0, micros)
}

fn instant(value: &Value) -> Option<i64> {
    let time = chrono::DateTime::parse_from_rfc3339(value.as_str()?).ok()?;
    Some(time.timestamp_micros())
}
