//! Windowed detections: from what each tick of a range gives to episodes and alerts. All ticks
//! are evaluated at once where the plan can be lifted; else, or when a replay is asked for,
//! one by one as a schedule would.

use super::earlier::earlier_rows;
use super::meeting::Seat;
use super::ticks::{PlannedTicks, at_tick, count, each, in_parts, one_by_one, plan, seen_before, some, take, ticks};
use super::window_rows::WindowRows;
use super::{Found, HuntRequest, Range};
use crate::alerts::{AlertWriter, EpisodeRule, Episodes, WindowRow};
use crate::detections::Detection;
use crate::engine::{Engine, Lifted, ScanFigures, Ticks};
use crate::error::Result;
use futures::FutureExt as _;
use std::collections::HashMap;
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
        ticks: Some(count(detection, ticks)),
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
    found.read += one_by_one(engine, detection, each(detection, ticks), &mut rows).await?;
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
            rhythm: detection.header.rhythm.clone(),
            lookback: ticks.lookback,
            per_window: request.per_window,
            first_tick: ticks.first,
        };
        let mut earlier: HashMap<String, Vec<WindowRow>> = HashMap::new();
        if !request.per_window {
            for row in before(engine, detection, ticks, None, request.replay, read).await? {
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

/// The rows of earlier ticks that belong to episodes which are open at the first one. Where ticks
/// count from `from` on and these are some of them, `from` says so.
pub(super) async fn before(
    engine: &Engine,
    detection: &Detection,
    ticks: Ticks,
    from: Option<i64>,
    replay: bool,
    read: &mut ScanFigures,
) -> Result<Vec<WindowRow>> {
    let Some(earliest) = seen_before(engine, detection, ticks, from) else {
        return Ok(Vec::new());
    };
    let rhythm = &detection.header.rhythm;
    let (at_first, figures) = at_tick(engine, detection, ticks.first).await?;
    *read += figures;
    let figures = Mutex::new(ScanFigures::default());
    let counted = &figures;
    let rows = earlier_rows(rhythm, ticks, earliest, &at_first, |first, last| {
        let ticks = Ticks { first, last, ..ticks };
        let evaluated = async move {
            let mut rows = WindowRows::new(engine);
            let read = match replay {
                true => one_by_one(engine, detection, each(detection, ticks), &mut rows).await?,
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
