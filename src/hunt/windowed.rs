//! Windowed detections: what each tick of a range gives. All ticks at once where the plan
//! can be lifted; else, or when a replay is asked for, one by one as a schedule would.

use super::earlier::earlier_rows;
use super::meeting::Seat;
use super::rows::{fields, find, key, strings, times};
use super::window_rows::WindowRows;
use super::witnesses::answers;
use super::{Found, HuntRequest, Range, micros};
use crate::alerts::{AlertWriter, EpisodeRule, Episodes, WindowRow};
use crate::detections::{Detection, FIRST_TIMES};
use crate::engine::{Clock, Engine, Lifted, Running, ScanFigures, Scope, Session, TICK_COLUMN, Ticks, Window};
use crate::error::{Error, Result};
use datafusion::arrow::array::RecordBatch;
use datafusion::common::runtime::SpawnedTask;
use datafusion::logical_expr::LogicalPlan;
use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _, stream};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

pub(super) async fn evaluate(
    engine: &Engine,
    detection: &Detection,
    request: HuntRequest,
    range: Range,
    mut seat: Seat,
    alerts: &mut AlertWriter,
) -> Result<Found> {
    let ticks = ticks(detection, request, range);
    let mut found = Found {
        ticks: Some(ticks.count()),
        ..Found::default()
    };
    if ticks.count() == 0 {
        return Ok(found);
    }
    let planned = plan(engine, detection, ticks).await?;
    found.raw_fields.clone_from(&planned.raw_fields);
    if let (Lifted::Refused(reason), false) = (&planned.lifted, request.replay) {
        found
            .notes
            .push(format!("evaluated tick by tick, which is slow: {reason}"));
    }
    if !request.replay && matches!(planned.lifted, Lifted::Plan { .. }) {
        let done = match engine.is_frugal() {
            false => at_once(engine, detection, ticks, request, &planned, &mut seat, alerts).await,
            true => one_after_the_other(engine, detection, ticks, request, alerts, &mut found.notes).await,
        };
        match done {
            Ok(read) => {
                found.read += read;
                return Ok(found);
            }
            Err(error) if error.is_out_of_memory() => return Err(error),
            // Not everything that fails on some row of the range fails on the rows that a tick
            // looks at, in the order in which it does: that decides.
            Err(error) => {
                alerts.start_over();
                found.notes.push(format!(
                    "evaluated tick by tick, which is slow: all ticks at once failed: {error}"
                ));
            }
        }
    }
    // Held until the last tick.
    let _turn = seat.alone().await;
    let request = HuntRequest {
        replay: true,
        ..request
    };
    let mut rows = WindowRows::new(engine);
    found.read += one_by_one(engine, detection, ticks.iter(), &mut rows).await?;
    found.read += join(engine, detection, ticks, request, rows, alerts).await?;
    Ok(found)
}

/// Evaluates a lifted plan.
async fn at_once(
    engine: &Engine,
    detection: &Detection,
    ticks: Ticks,
    request: HuntRequest,
    planned: &PlannedTicks,
    seat: &mut Seat,
    alerts: &mut AlertWriter,
) -> Result<ScanFigures> {
    let (plan, mut read) = planned.informed(engine, detection, ticks).await?;
    let mut rows = WindowRows::new(engine);
    let stream = seat.run(&planned.session, &plan).await?;
    read += take(detection, stream, &mut rows).await?;
    read += join(engine, detection, ticks, request, rows, alerts).await?;
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

/// Evaluates a detection in parts of its range.
async fn one_after_the_other(
    engine: &Engine,
    detection: &Detection,
    ticks: Ticks,
    request: HuntRequest,
    alerts: &mut AlertWriter,
    notes: &mut Vec<String>,
) -> Result<ScanFigures> {
    let mut rows = WindowRows::new(engine);
    let (mut read, parts) = in_parts(engine, detection, ticks, &mut rows).await?;
    read += join(engine, detection, ticks, request, rows, alerts).await?;
    notes.push(format!(
        "evaluated in {parts} parts of its range, as all of it at once needs more memory than --memory-limit gives"
    ));
    Ok(read)
}

/// Reads all rows of a lifted plan.
async fn take(detection: &Detection, mut stream: Running, rows: &mut WindowRows) -> Result<ScanFigures> {
    while let Some(batch) = stream.try_next().await? {
        for row in rows_of_ticks(detection, &batch)? {
            rows.add(row).await?;
        }
    }
    Ok(stream.figures())
}

/// Makes alerts of the rows of all ticks.
async fn join(
    engine: &Engine,
    detection: &Detection,
    ticks: Ticks,
    request: HuntRequest,
    rows: WindowRows,
    alerts: &mut AlertWriter,
) -> Result<ScanFigures> {
    let mut read = ScanFigures::default();
    let mut joined = Joined::new(engine, detection, ticks, request, alerts, &mut read).await?;
    for row in rows.in_order().await? {
        joined.push(row?).await?;
    }
    joined.finish().await?;
    Ok(read)
}

/// The ticks that a hunt of this range evaluates.
pub(super) fn ticks(detection: &Detection, request: HuntRequest, range: Range) -> Ticks {
    let lookback = lookback(detection);
    // Without an end, every tick counts that still sees the last event.
    let last = request.to.unwrap_or_else(|| range.to.saturating_add(lookback));
    Ticks::within(range.from, last, micros(detection.header.interval), lookback)
}

/// Rows on their way to episodes: sorted by key and tick, with those from before the range
/// in their places.
struct Joined<'a> {
    episodes: Episodes,
    earlier: HashMap<String, Vec<WindowRow>>,
    alerts: &'a mut AlertWriter,
}

impl<'a> Joined<'a> {
    async fn new(
        engine: &Engine,
        detection: &Detection,
        ticks: Ticks,
        request: HuntRequest,
        alerts: &'a mut AlertWriter,
        read: &mut ScanFigures,
    ) -> Result<Self> {
        let rule = EpisodeRule {
            detection: detection.id().to_owned(),
            severity: detection.header.severity.to_string(),
            interval: ticks.interval,
            lookback: ticks.lookback,
            per_window: request.per_window,
            first_tick: ticks.first,
        };
        let mut earlier: HashMap<String, Vec<WindowRow>> = HashMap::new();
        if !request.per_window {
            for row in before(engine, detection, ticks, request.replay, read).await? {
                earlier.entry(row.key_text()).or_default().push(row);
            }
        }
        Ok(Self {
            episodes: Episodes::new(rule),
            earlier,
            alerts,
        })
    }

    async fn push(&mut self, row: WindowRow) -> Result<()> {
        if !self.earlier.is_empty()
            && let Some(mut earlier) = self.earlier.remove(&row.key_text())
        {
            earlier.sort_by_key(|row| row.tick);
            for row in earlier {
                self.push_one(row).await?;
            }
        }
        self.push_one(row).await
    }

    async fn push_one(&mut self, row: WindowRow) -> Result<()> {
        match self.episodes.push(row)? {
            Some(alert) => self.alerts.add(&alert).await,
            None => Ok(()),
        }
    }

    async fn finish(self) -> Result<()> {
        match self.episodes.finish() {
            Some(alert) => self.alerts.add(&alert).await,
            None => Ok(()),
        }
    }
}

/// The rows of earlier ticks that belong to episodes which are open at the first one.
async fn before(
    engine: &Engine,
    detection: &Detection,
    ticks: Ticks,
    replay: bool,
    read: &mut ScanFigures,
) -> Result<Vec<WindowRow>> {
    let earliest = engine.extent().map_or(ticks.first, |extent| extent.first);
    if ticks.first.saturating_sub(ticks.interval) < earliest {
        return Ok(Vec::new());
    }
    let (at_first, figures) = at_tick(engine, detection, ticks.first).await?;
    *read += figures;
    let figures = Mutex::new(ScanFigures::default());
    let counted = &figures;
    let rows = earlier_rows(ticks, earliest, &at_first, |first, last| {
        let ticks = Ticks { first, last, ..ticks };
        let evaluated = async move {
            let mut rows = WindowRows::new(engine);
            let read = match replay {
                true => one_by_one(engine, detection, ticks.iter(), &mut rows).await?,
                false => some(engine, detection, ticks, &mut rows).await?,
            };
            *counted.lock().unwrap_or_else(PoisonError::into_inner) += read;
            rows.in_order().await?.collect()
        };
        evaluated.boxed()
    })
    .await?;
    *read += figures.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(rows)
}

/// The rows of a few ticks.
async fn some(engine: &Engine, detection: &Detection, ticks: Ticks, rows: &mut WindowRows) -> Result<ScanFigures> {
    let planned = plan(engine, detection, ticks).await?;
    if matches!(planned.lifted, Lifted::Refused(_)) {
        return one_by_one(engine, detection, ticks.iter(), rows).await;
    }
    let (plan, mut read) = planned.informed(engine, detection, ticks).await?;
    read += take(detection, planned.session.run_counted(&plan).await?, rows).await?;
    Ok(read)
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
    let session = engine.session(Scope {
        window: Some(Window {
            after: tick.saturating_sub(lookback(detection)),
            until: tick,
        }),
        now: Some(Clock::At(tick)),
    })?;
    let planned = session.plan(&detection.sql).await?;
    let mut stream = session.run_counted(&planned.plan).await?;
    let mut found = Vec::new();
    while let Some(batch) = stream.try_next().await? {
        found.extend(rows(detection, &batch, |_| tick)?);
    }
    Ok((found, stream.figures()))
}

/// Rows of a lifted plan, each with its tick.
pub(super) fn rows_of_ticks(detection: &Detection, batch: &RecordBatch) -> Result<Vec<WindowRow>> {
    let ticks = times(batch, TICK_COLUMN)?;
    rows(detection, batch, |row| ticks[row].unwrap_or_default())
}

fn rows(detection: &Detection, batch: &RecordBatch, tick: impl Fn(usize) -> i64) -> Result<Vec<WindowRow>> {
    let mut rows = Vec::with_capacity(batch.num_rows());
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
    Ok(rows)
}

fn lookback(detection: &Detection) -> i64 {
    detection.header.lookback.map_or(0, micros)
}

fn instant(value: &Value) -> Option<i64> {
    let time = chrono::DateTime::parse_from_rfc3339(value.as_str()?).ok()?;
    Some(time.timestamp_micros())
}
