//! What a windowed detection finds at ticks: all at once where its plan can be lifted, as
//! many at once as there is memory for, or one by one as a schedule would.

use super::rows::{fields, find, key, strings, times};
use super::window_rows::WindowRows;
use super::witnesses::answers;
use super::{HuntRequest, Range, micros};
use crate::alerts::WindowRow;
use crate::detections::{Detection, FIRST_TIMES};
use crate::engine::{Clock, Engine, Lifted, Planned, Running, ScanFigures, Scope, Session, TICK_COLUMN, Ticks, Window};
use crate::error::{Error, Result};
use datafusion::arrow::array::RecordBatch;
use datafusion::common::runtime::SpawnedTask;
use datafusion::logical_expr::LogicalPlan;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::Value;
use std::collections::BTreeMap;

/// The ticks that a hunt of this range evaluates.
pub(super) fn ticks(detection: &Detection, request: HuntRequest, range: Range) -> Ticks {
    let lookback = lookback(detection);
    // Without an end, every tick counts that still sees the last event.
    let last = request.to.unwrap_or_else(|| range.to.saturating_add(lookback));
    between(detection, range.from, last)
}

/// The ticks of a range of time, both ends included: from the first to the last of the
/// detection's, and of a pattern also those between that are on the way from one to the other.
/// [`count`] and [`each`] know which are the detection's.
pub(super) fn between(detection: &Detection, from: i64, to: i64) -> Ticks {
    let rhythm = &detection.header.rhythm;
    Ticks {
        first: rhythm.at_or_after(from),
        last: rhythm.at_or_before(to),
        interval: rhythm.step(),
        lookback: lookback(detection),
    }
}

/// How many of these are ticks of the detection.
pub(super) fn count(detection: &Detection, ticks: Ticks) -> u64 {
    detection.header.rhythm.count(ticks.first, ticks.last)
}

/// Those that are ticks of the detection, in order.
pub(super) fn each(detection: &Detection, ticks: Ticks) -> impl Iterator<Item = i64> + Send + '_ {
    detection.header.rhythm.ticks(ticks.first, ticks.last)
}

/// A detection's plan for all ticks of a range.
pub(super) struct PlannedTicks {
    pub(super) session: Session,
    pub(super) lifted: Lifted,
    pub(super) raw_fields: Vec<String>,
    /// The plan of one run.
    of_one: LogicalPlan,
}

impl PlannedTicks {
    /// The plan that answers for all ticks, with the answers to its questions in it.
    pub(super) async fn informed(
        &self,
        engine: &Engine,
        detection: &Detection,
        ticks: Ticks,
    ) -> Result<(LogicalPlan, ScanFigures)> {
        let Lifted::Plan { plan, questions } = &self.lifted else {
            return Err(Error::Internal(format!("{} was not lifted", detection.id())));
        };
        let (answers, read) = answers(&self.session, questions, engine.rows()).await?;
        let lifted = match answers.is_empty() {
            true => None,
            false => Some(self.session.lift(&self.of_one, ticks, &answers)?),
        };
        let plan = match &lifted {
            Some(Lifted::Plan { plan, .. }) => plan,
            _ => plan,
        };
        Ok((plan.as_ref().clone(), read))
    }
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
    let (lifted, planned) = match session.plan(&detection.sql).await {
        Ok(planned) => (session.lift(&planned.plan, ticks, &BTreeMap::new())?, planned),
        // Some functions want a constant where a lifted plan has the tick.
        Err(_) => {
            let planned = session_at(Clock::At(ticks.last))?.plan(&detection.sql).await?;
            let reason = "the time is asked for where only a constant can be";
            (Lifted::Refused(reason.into()), planned)
        }
    };
    Ok(PlannedTicks {
        session,
        lifted,
        raw_fields: planned.resolution.raw_fields,
        of_one: planned.plan,
    })
}

/// Reads all rows of a lifted plan.
pub(super) async fn take(detection: &Detection, mut stream: Running, rows: &mut WindowRows) -> Result<ScanFigures> {
    while let Some(batch) = stream.try_next().await? {
        for row in rows_of_ticks(detection, &batch)? {
            rows.add(row).await?;
        }
    }
    Ok(stream.figures())
}

/// The rows of a few ticks.
pub(super) async fn some(
    engine: &Engine,
    detection: &Detection,
    ticks: Ticks,
    rows: &mut WindowRows,
) -> Result<ScanFigures> {
    let planned = plan(engine, detection, ticks).await?;
    if matches!(planned.lifted, Lifted::Refused(_)) {
        return one_by_one(engine, detection, each(detection, ticks), rows).await;
    }
    let (plan, mut read) = planned.informed(engine, detection, ticks).await?;
    read += take(detection, planned.session.run_counted(&plan).await?, rows).await?;
    Ok(read)
}

/// Evaluates as many ticks at once as there is memory for, and says in how many parts.
pub(super) async fn in_parts(
    engine: &Engine,
    detection: &Detection,
    ticks: Ticks,
    rows: &mut WindowRows,
) -> Result<(ScanFigures, u64)> {
    let (mut read, mut parts) = (ScanFigures::default(), 0);
    let mut engine = engine.clone();
    let mut left = Vec::from(ticks.halves());
    // What was too much is too much elsewhere in the range.
    let mut most = u64::MAX;
    while let Some(part) = left.pop() {
        // Both ends of a half may be no ticks of the detection.
        let part = between(detection, part.first, part.last);
        if part.count() == 0 {
            continue;
        }
        if part.count() > most {
            left.extend(part.halves());
            continue;
        }
        rows.begin();
        match some(&engine, detection, part, rows).await {
            Ok(figures) => {
                read += figures;
                parts += 1;
            }
            Err(error) if error.is_out_of_memory() && part.count() > 1 => {
                rows.forget();
                most = part.count().div_ceil(2);
                left.push(part);
            }
            // Not even one: what is left is tried on disk, in larger parts again.
            Err(error) if error.is_out_of_memory() && !engine.sorts_joins() => {
                rows.forget();
                engine = engine.with_sorted_joins();
                most = u64::MAX;
                left.push(part);
            }
            Err(error) => return Err(error),
        }
    }
    Ok((read, parts))
}

/// What these ticks give, each evaluated by itself.
pub(super) async fn one_by_one(
    engine: &Engine,
    detection: &Detection,
    ticks: impl Iterator<Item = i64> + Send,
    rows: &mut WindowRows,
) -> Result<ScanFigures> {
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
        .buffered(engine.threads());
    let mut read = ScanFigures::default();
    while let Some((found, figures)) = evaluations.try_next().await? {
        read += figures;
        for row in found {
            rows.add(row).await?;
        }
    }
    Ok(read)
}

/// What one run of the detection at a tick gives.
pub(super) async fn at_tick(
    engine: &Engine,
    detection: &Detection,
    tick: i64,
) -> Result<(Vec<WindowRow>, ScanFigures)> {
    let (session, planned) = plan_of_one(engine, detection, tick).await?;
    let mut stream = session.run_counted(&planned.plan).await?;
    let mut found = Vec::new();
    while let Some(batch) = stream.try_next().await? {
        found.extend(rows(detection, &batch, |_| Some(tick))?);
    }
    Ok((found, stream.figures()))
}

/// The plan of one run of the detection.
pub(super) async fn plan_of_one(engine: &Engine, detection: &Detection, tick: i64) -> Result<(Session, Planned)> {
    let session = engine.session(Scope {
        window: Some(Window {
            after: tick.saturating_sub(lookback(detection)),
            until: tick,
        }),
        now: Some(Clock::At(tick)),
    })?;
    let planned = session.plan(&detection.sql).await?;
    Ok((session, planned))
}

/// When the first event is, if a run before these ticks may have seen it: alerts may be open then.
/// Runs count from `from` on, where that is earlier, as some find something where there is nothing.
pub(super) fn seen_before(engine: &Engine, detection: &Detection, ticks: Ticks, from: Option<i64>) -> Option<i64> {
    let earliest = engine.extent()?.first;
    let earliest = from.map_or(earliest, |from| from.min(earliest));
    (detection.header.rhythm.previous(ticks.first) >= earliest).then_some(earliest)
}

/// Rows of a lifted plan, each with its tick; without those of ticks that are not the detection's.
pub(super) fn rows_of_ticks(detection: &Detection, batch: &RecordBatch) -> Result<Vec<WindowRow>> {
    let ticks = times(batch, TICK_COLUMN)?;
    let rhythm = &detection.header.rhythm;
    // All multiples of an interval are.
    let all = rhythm.pattern().is_none();
    rows(detection, batch, |row| {
        let tick = ticks[row].unwrap_or_default();
        (all || rhythm.is_tick(tick)).then_some(tick)
    })
}

/// The rows that have a tick.
fn rows(detection: &Detection, batch: &RecordBatch, tick: impl Fn(usize) -> Option<i64>) -> Result<Vec<WindowRow>> {
    let mut rows = Vec::with_capacity(batch.num_rows());
    for row in 0..batch.num_rows() {
        let Some(tick) = tick(row) else {
            continue;
        };
        let fields = fields(batch, row);
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
    Ok(rows)
}

fn lookback(detection: &Detection) -> i64 {
    detection.header.lookback.map_or(0, micros)
}

fn instant(value: &Value) -> Option<i64> {
    let time = chrono::DateTime::parse_from_rfc3339(value.as_str()?).ok()?;
    Some(time.timestamp_micros())
}
