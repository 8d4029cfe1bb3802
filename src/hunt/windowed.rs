//! Windowed detections: what each tick of a range gives. All ticks at once where the plan
//! can be lifted; else, or when a replay is asked for, one by one as a schedule would.

use super::earlier::earlier_rows;
use super::meeting::Seat;
use super::rows::{fields, find, key, strings, times};
use super::witnesses::answers;
use super::{Found, HuntRequest, Range, micros};
use crate::alerts::{AlertWriter, EpisodeRule, Episodes, WindowRow};
use crate::detections::{Detection, FIRST_TIMES, same_column};
use crate::engine::{Clock, Engine, Lifted, ScanFigures, Scope, Session, TICK_COLUMN, Ticks, Window};
use crate::error::{Error, Result};
use datafusion::arrow::array::RecordBatch;
use datafusion::common::runtime::SpawnedTask;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, SortExpr, ident};
use futures::{FutureExt as _, StreamExt as _, TryFutureExt as _, TryStreamExt as _, stream};
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
        match at_once(engine, detection, ticks, request, &planned, &mut seat, alerts).await {
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
    let mut joined = Joined::new(engine, detection, ticks, request, alerts, &mut found.read).await?;
    let (mut rows, read) = one_by_one(engine, detection, ticks.iter()).await?;
    rows.sort_by_cached_key(|row| (row.key_text(), row.tick));
    for row in rows {
        joined.push(row).await?;
    }
    joined.finish().await?;
    found.read += read;
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
    let mut joined = Joined::new(engine, detection, ticks, request, alerts, &mut read).await?;
    let mut stream = seat.run(&planned.session, &plan).await?;
    while let Some(batch) = stream.try_next().await? {
        for row in rows_of_ticks(detection, &batch)? {
            joined.push(row).await?;
        }
    }
    read += stream.figures();
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
    let rows = earlier_rows(ticks, earliest, &at_first, |first, last| {
        let evaluated = some(engine, detection, Ticks { first, last, ..ticks }, replay);
        let counted = evaluated.map_ok(|(rows, read)| {
            *figures.lock().unwrap_or_else(PoisonError::into_inner) += read;
            rows
        });
        counted.boxed()
    })
    .await?;
    *read += figures.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(rows)
}

/// The rows of a few ticks, in no order.
async fn some(
    engine: &Engine,
    detection: &Detection,
    ticks: Ticks,
    replay: bool,
) -> Result<(Vec<WindowRow>, ScanFigures)> {
    let planned = plan(engine, detection, ticks).await?;
    let Lifted::Plan { plan, .. } = planned.lifted else {
        return one_by_one(engine, detection, ticks.iter()).await;
    };
    if replay {
        return one_by_one(engine, detection, ticks.iter()).await;
    }
    let mut stream = planned.session.run_counted(&plan).await?;
    let mut found = Vec::new();
    while let Some(batch) = stream.try_next().await? {
        found.extend(rows_of_ticks(detection, &batch)?);
    }
    Ok((found, stream.figures()))
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
    /// The plan that answers for all ticks: with the answers to its questions in it, and
    /// its rows in order.
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
        Ok((in_order(plan, detection)?, read))
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

/// The plan with the rows of each key together, in order of ticks.
pub(super) fn in_order(plan: &LogicalPlan, detection: &Detection) -> Result<LogicalPlan> {
    let fields = plan.schema().columns();
    let keys = detection.key().iter().filter_map(|key| {
        let same = |name: &str| fields.iter().find(|column| column.name == name);
        same(key).or_else(|| fields.iter().find(|column| same_column(key, &column.name)))
    });
    let columns = keys.cloned().map(Expr::Column).chain([ident(TICK_COLUMN)]);
    let order: Vec<SortExpr> = columns.map(|column| column.sort(true, false)).collect();
    Ok(LogicalPlanBuilder::from(plan.clone()).sort(order)?.build()?)
}

/// What these ticks give, each evaluated by itself.
pub(super) async fn one_by_one(
    engine: &Engine,
    detection: &Detection,
    ticks: impl Iterator<Item = i64> + Send,
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
        .buffered(engine.threads());
    let (mut rows, mut read) = (Vec::new(), ScanFigures::default());
    while let Some((found, figures)) = evaluations.try_next().await? {
        rows.extend(found);
        read += figures;
    }
    Ok((rows, read))
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
