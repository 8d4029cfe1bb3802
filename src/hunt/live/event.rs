//! Event detections: what arrived is all that can be found.

use super::per_row::is_per_row;
use super::recorded::last_of;
use super::{Changed, Step, StepRequest, tick_at, whole};
use crate::alerts::{Alert, AlertStore, Change};
use crate::detections::Detection;
use crate::error::Result;
use crate::hunt::meeting::Meetings;
use crate::hunt::{Range, event, plans_of};
use futures::TryStreamExt as _;

pub(super) async fn step(detection: &Detection, request: StepRequest<'_>) -> Result<Step> {
    let Some(range) = range(request) else {
        return Ok(Step::default());
    };
    // Planned over the whole lake: where nothing can be found in new events, another scan of a
    // join would not be seen.
    let (session, planned) = event::plan(request.engine, detection, range).await?;
    if !is_per_row(&session.optimized(&planned.plan)?) {
        return whole::step(detection, request).await;
    }
    let engine = request.engine.with_event_files(&request.arrived.files);
    let store = AlertStore::new(&engine);
    let mut step = Step::default();
    let (_meetings, mut seats) = Meetings::of(&[plans_of(detection.kind())], engine.threads());
    if let Some(seat) = seats.pop() {
        let mut writer = store.writer();
        let found = event::evaluate(&engine, detection, range, seat, &mut writer).await?;
        writer.keep().await?;
        step.read += found.read;
        step.notes.extend(found.notes);
    }
    let alerts: Vec<Alert> = store.finish().await?.try_collect().await?;
    // What was promoted from a hunt is there already, and so may be what arrived beside what is
    // new in a file.
    let ids = alerts.iter().map(|alert| alert.alert_id.clone());
    let known = last_of(request.engine, ids).await?;
    let fresh = alerts.into_iter().filter(|alert| !known.contains_key(&alert.alert_id));
    step.changes = fresh
        .map(|alert| {
            let due = tick_at(detection, alert.time);
            Changed {
                late_since: request.before.is_some_and(|before| due <= before).then_some(due),
                alert,
                change: Change::New,
                revision: 1,
            }
        })
        .collect();
    Ok(step)
}

/// The times of all that can be found.
pub(super) fn range(request: StepRequest<'_>) -> Option<Range> {
    let extent = request.engine.extent()?;
    Some(Range {
        from: request.from.unwrap_or(extent.first),
        to: extent.last.saturating_add(1),
    })
}
